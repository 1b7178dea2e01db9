"""Derived tables on waves of derivatives around releases."""

from __future__ import annotations

import math
from datetime import date
from typing import Any, Final

import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import waves
from analysis.claims.world import World
from analysis.measure import waves as measure


def _shown(rules: measure.WaveRules) -> list[tuple[measure.Source, str]]:
    """Return sources with the treatments of bulk uploads that each of them knows."""
    return [
        (source, bulk)
        for source in rules.source
        for bulk in (("in", "out") if source.version is None else ("in",))
    ]


def months_table(world: World) -> pd.DataFrame:
    """Sum the new derivatives of each family by calendar month."""
    rules = waves.rules_of(world)
    rows: list[dict[str, Any]] = []
    for source, bulk in _shown(rules):
        for family in rules.families:
            daily = waves.series(world, family, source, bulk)
            month = date.fromordinal(daily.first).replace(day=1)
            while month.toordinal() < daily.last:
                following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
                rows.append(
                    {
                        "source": source.id,
                        "family": world.evidence.families.titles[family],
                        "bulk": bulk,
                        "month": month.isoformat()[:7],
                        "derivatives": daily.between(month.toordinal(), following.toordinal()),
                        "whole": daily.first <= month.toordinal()
                        and following.toordinal() <= daily.last,
                    }
                )
                month = following
    return pd.DataFrame(rows)


def releases_table(world: World) -> pd.DataFrame:
    """Try every release of every family that a source can show."""
    rules = waves.rules_of(world)
    rows: list[dict[str, Any]] = []
    for source, bulk in _shown(rules):
        places = measure.PLACES if source.version is None else ("even",)
        for window in waves.WINDOWS:
            for family in rules.families:
                every = [
                    waves.tried(world, family, source.id, window, bulk, place) for place in places
                ]
                even = every[places.index("even")]
                for index, entry in enumerate(even):
                    if math.isnan(entry.ratio) and math.isnan(entry.own_ratio):
                        continue
                    ratios = [found[index].ratio for found in every]
                    rows.append(
                        {
                            "source": source.id,
                            "family": world.evidence.families.titles[family],
                            "release": entry.release.name,
                            "day": entry.release.day.isoformat(),
                            "generation": entry.release.generation,
                            "window": int(window),
                            "bulk": bulk,
                            "before": entry.before,
                            "after": entry.after,
                            "ratio": entry.ratio,
                            "ratio_lower": min(ratios),
                            "ratio_upper": max(ratios),
                            "rank": entry.rank,
                            "wave": waves.is_wave(entry, "family", "placebo", rules.percentile),
                            "own_first": entry.own_first,
                            "own_later": entry.own_later,
                            "own_ratio": entry.own_ratio,
                            "own_rank": entry.own_rank,
                            "grade": "computed" if len(places) == 1 else "bounded",
                        }
                    )
    return pd.DataFrame(rows)


def summary_table(world: World) -> pd.DataFrame:
    """Count waves after new generations by family, with the p-value of the shifted dates."""
    rules = waves.rules_of(world)
    rows: list[dict[str, Any]] = []
    for source, bulk in _shown(rules):
        for window in waves.WINDOWS:
            for family in rules.families:
                spec = {
                    "source": source.id, "window": window, "bulk": bulk, "scope": "family",
                    "events": "generations",
                }  # fmt: skip
                count, rises, _ = waves.part(world, family, {**spec, "test": "more"})
                _, hits, names = waves.part(world, family, {**spec, "test": "placebo"})
                if count:
                    rows.append(
                        {
                            "source": source.id,
                            "family": world.evidence.families.titles[family],
                            "window": int(window),
                            "bulk": bulk,
                            "releases": count,
                            "rises": rises,
                            "waves": hits,
                            "with_a_wave": ", ".join(names),
                            "shift_p": waves.shift_p(world, family, source.id, window, bulk),
                        }
                    )
    return pd.DataFrame(rows)


def week_table(world: World) -> pd.DataFrame:
    """Count the new derivatives of the week of August 2026 by generation of the base."""
    titles = world.evidence.families.titles
    table = waves.week(world)
    return table.assign(
        share=table["derivatives"] / table["of_family"],
        family=table["family"].map(titles),
    )


#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made(
        "wave_months",
        months_table,
        ("derivative-counts", "hub-stats"),
        "new derivatives of a family by calendar month, bulk uploads in and out",
    ),
    Made(
        "wave_releases",
        releases_table,
        ("derivative-counts", "hub-stats"),
        "every dated release: derivatives before and after, against placebo days",
    ),
    Made(
        "wave_summary",
        summary_table,
        ("derivative-counts", "hub-stats"),
        "how many new generations a family's derivatives rose after",
    ),
    Made(
        "wave_week",
        week_table,
        ("radar",),
        "new derivatives of the week of August 2026 by generation of the base",
    ),
)
