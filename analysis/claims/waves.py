"""Checks of the claims on waves of derivatives around releases."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec
from analysis.claims.world import QWEN, World
from analysis.errors import InputError
from analysis.measure import bulk, releases, waves
from analysis.snapshot import families as families_module
from analysis.snapshot import lineage

WINDOWS: Final = ("1", "2", "3")


@dataclass(frozen=True)
class Tried:
    """One release, tried on one source.

    Attributes
    ----------
    before, after
        New derivatives of the family in the window before the release and in the one after.
    ratio, rank
        After over before, and the part of the placebo days with a smaller ratio; NaN where a
        window leaves the span.
    own_first, own_later
        New derivatives of the released bases in their first window, and the mean of the later.
    own_ratio, own_rank
        First over the mean of the later, and the part of the later ones that are smaller.
    """

    release: releases.Release
    before: float
    after: float
    ratio: float
    rank: float
    own_first: float
    own_later: float
    own_ratio: float
    own_rank: float


def rules_of(world: World) -> waves.WaveRules:
    """Return the rules of ``data/waves.toml``."""
    found: waves.WaveRules = world.evidence.rule("waves")
    return found


def _gains(world: World) -> pd.DataFrame:
    """Monthly gains of every base whose derivatives were counted, with family and bulk mark."""

    def make() -> pd.DataFrame:
        frames = list(world.evidence.of_kind("derivative-counts").values())
        if not frames:
            raise InputError("no source of kind derivative-counts was read: `fetch` one")
        counts = pd.concat(frames, ignore_index=True)
        named = bulk.named(counts, world.evidence.rule("bulk"))
        table = bulk.gains(counts)
        born = counts.drop_duplicates("repository_id").set_index("repository_id")["created_at"]
        table = table.assign(
            family=families_module.assign(
                table["repository_id"].astype("string"), world.evidence.families, "official"
            ),
            bulk=table["repository_id"].isin(named),
            created=table["repository_id"].map(born.dt.date),
        )
        return table.dropna(subset=["family", "created"]).reset_index(drop=True)

    table: pd.DataFrame = world.evidence.once("waves.gains", make)
    return table


def _dated(world: World, version: str) -> pd.DataFrame:
    """Give derivatives of a snapshot their day of creation: one row a family and base."""

    def make() -> pd.DataFrame:
        frame = world.evidence.frame(version)
        found = lineage.relations(frame, world.evidence.families)[["repository_id", "base_id"]]
        found = found.drop_duplicates()
        born = frame.dropna(subset=["created_at"]).set_index("repository_id")["created_at"]
        days = born[~born.index.duplicated()].dt.date
        found = found.assign(
            family=families_module.assign(
                found["base_id"].astype("string"), world.evidence.families, "official"
            ),
            day=found["repository_id"].map(days),
        )
        return found.dropna(subset=["family", "day"]).reset_index(drop=True)

    table: pd.DataFrame = world.evidence.once(f"waves.dated.{version}", make)
    return table


def series(
    world: World, family: str, source: waves.Source, bulk_bases: str, place: str = "even"
) -> waves.Daily:
    """Return the new derivatives of a family by day, within the span of a source.

    Parameters
    ----------
    bulk_bases
        ``in`` or ``out``: whether bases named as bulk uploads count.
    place
        Where the derivatives of a month lie in it (:data:`analysis.measure.waves.PLACES`).
    """

    def make() -> waves.Daily:
        if source.version is not None:
            rows = _dated(world, source.version)
            own = rows[rows["family"] == family].drop_duplicates("repository_id")
            found = waves.daily_of_days(own["day"], source.first, source.last)
        else:
            gains = _gains(world)
            own = gains[gains["family"] == family]
            if bulk_bases == "out":
                own = own[~own["bulk"]]
            created = dict(zip(own["repository_id"], own["created"], strict=True))
            found = waves.daily_of_counts(own, created, source.first, source.last, place)
        # Before a family's first derivative there is nothing that a rise could be held against.
        return waves.since_first(found)

    key = f"waves.series.{family}.{source.id}.{bulk_bases}.{place}"
    daily: waves.Daily = world.evidence.once(key, make)
    return daily


def _own(
    world: World,
    entry: releases.Release,
    source: waves.Source,
    bulk_bases: str,
    months: int,
) -> list[float]:
    """Sum new derivatives of the bases of a release by window since the release."""
    if entry.names is None:
        return []
    pattern = re.compile(entry.names, re.IGNORECASE | re.ASCII)

    def released(ids: pd.Series) -> pd.Series:
        return ids.map(lambda name: bool(pattern.fullmatch(str(name).partition("/")[2])))

    if source.version is not None:
        rows = _dated(world, source.version)
        rows = rows[rows["family"] == entry.family]
        rows = rows[released(rows["base_id"])].drop_duplicates("repository_id")
        width = months * rules_of(world).days_a_month
        if not source.first <= entry.day <= source.last:
            return []
        daily = waves.daily_of_days(rows["day"], entry.day, source.last)
        return waves.windows(list(daily.values), width)
    gains = _gains(world)
    gains = gains[(gains["family"] == entry.family) & (gains["month"] > 0)]
    gains = gains[released(gains["repository_id"])]
    if bulk_bases == "out":
        gains = gains[~gains["bulk"]]
    if gains.empty:
        return []
    # Bases of one release are a few days apart: their months are put together, as far as all go.
    whole = int(gains.groupby("repository_id")["month"].max().min())
    by_month = gains[gains["month"] <= whole].groupby("month")["gained"].sum()
    return waves.windows([float(by_month.get(m, 0.0)) for m in range(1, whole + 1)], months)


def tried(
    world: World, family: str, source_id: str, window: str, bulk_bases: str, place: str = "even"
) -> list[Tried]:
    """Try every release of a family on a source, in order of days."""

    def make() -> list[Tried]:
        rules = rules_of(world)
        source = rules.find(source_id)
        months = int(window)
        width = months * rules.days_a_month
        daily = series(world, family, source, bulk_bases, place)
        others = waves.placebo(daily, width, rules.placebo_step)
        named: releases.Rules = world.evidence.rule("releases")
        found = []
        for entry in sorted(named.release, key=lambda r: (r.day, r.name)):
            if entry.family != family:
                continue
            day = entry.day.toordinal()
            ratio = waves.ratio(daily, day, width)
            inside = not math.isnan(ratio)
            own = _own(world, entry, source, bulk_bases, months)
            own_ratio, own_rank = waves.comes_first(own, rules.later_windows)
            found.append(
                Tried(
                    entry,
                    daily.between(day - width, day) if inside else math.nan,
                    daily.between(day, day + width) if inside else math.nan,
                    ratio,
                    waves.rank(ratio, others),
                    own[0] if own else math.nan,
                    sum(own[1:]) / len(own[1:]) if len(own) > 1 else math.nan,
                    own_ratio,
                    own_rank,
                )
            )
        return found

    key = f"waves.tried.{family}.{source_id}.{window}.{bulk_bases}.{place}"
    entries: list[Tried] = world.evidence.once(key, make)
    return entries


def is_wave(entry: Tried, scope: str, test: str, percentile: float) -> bool | None:
    """Whether derivatives came in a wave; None where the source cannot tell."""
    ratio, rank = (
        (entry.ratio, entry.rank) if scope == "family" else (entry.own_ratio, entry.own_rank)
    )
    if math.isnan(ratio):
        return None
    return ratio > 1 if test == "more" else ratio > 1 and rank >= percentile


def shift_p(world: World, family: str, source_id: str, window: str, bulk_bases: str) -> float:
    """How often the generations of a family, shifted together, show as large a mean rise."""
    rules = rules_of(world)
    daily = series(world, family, rules.find(source_id), bulk_bases)
    days = [
        t.release.day.toordinal()
        for t in tried(world, family, source_id, window, bulk_bases)
        if t.release.generation
    ]
    return waves.shifted(daily, days, int(window) * rules.days_a_month, rules.placebo_step)


def part(
    world: World, family: str, spec: Mapping[str, Any], place: str = "even"
) -> tuple[int, int, list[str]]:
    """Count the releases of a family that could be tried, and those with a wave, by name."""
    answers = answered(world, family, spec, place)
    names = [name for name, answer in answers if answer]
    return len(answers), len(names), names


def answered(
    world: World, family: str, spec: Mapping[str, Any], place: str = "even"
) -> list[tuple[str, bool]]:
    """Tell of each release of a family that could be tried whether there was a wave, by name."""
    found = tried(world, family, str(spec["source"]), str(spec["window"]), str(spec["bulk"]), place)
    percentile = rules_of(world).percentile
    out = []
    for entry in found:
        if spec["events"] == "generations" and not entry.release.generation:
            continue
        answer = is_wave(entry, str(spec["scope"]), str(spec["test"]), percentile)
        if answer is not None:
            out.append((entry.release.name, answer))
    return out


def check(world: World, spec: Spec, line: float) -> Outcome:
    """Part of Qwen's releases that were followed by a wave of derivatives.

    The interval is one of sampling (the releases tried stand for all), over every place in a
    month at which its derivatives may have come.
    """
    count, hits, names = part(world, QWEN, spec)
    source = rules_of(world).find(str(spec["source"]))
    if not count:
        return Outcome(None, note="no release of this kind has both windows inside the file's days")
    # One month of a count may have come at its beginning or its end; the cut gives days.
    places = waves.PLACES if source.version is None else ("even",)
    level = rules_of(world).level
    ends = []
    for place in places:
        tries, found, _ = part(world, QWEN, spec, place)
        ends.append(releases.binomial_interval(found, tries, level))
    lower, upper = min(low for low, _ in ends), max(high for _, high in ends)
    p = math.nan
    if spec["scope"] == "family" and spec["events"] == "generations":
        p = shift_p(world, QWEN, str(spec["source"]), str(spec["window"]), str(spec["bulk"]))
    return Outcome(
        hits / count,
        lower,
        upper,
        lower,
        upper,
        decided="yes" if lower > line else "no" if upper <= line else "undetermined",
        note=f"{count} releases could be tried",
        extra={
            "day": source.last.isoformat(),
            "releases": float(count),
            "waves": float(hits),
            "with_a_wave": ", ".join(names),
            "without_a_wave": ", ".join(n for n, wave in answered(world, QWEN, spec) if not wave),
            "needed": float(waves.needed(line, level)),
            "shift_p": p,
        },
    )


def week(world: World) -> pd.DataFrame:
    """Count the week's new derivatives by family and generation of the base.

    Returns
    -------
    pandas.DataFrame
        ``family``, ``generation`` (``other`` where the name states none), ``derivatives`` and
        ``of_family`` (all new derivatives of the family in the week), the largest first. A
        derivative with bases of two generations counts in both.
    """
    rules = rules_of(world)
    entry = rules.week
    rows = _dated(world, entry.version)
    rows = rows[(rows["day"] >= entry.first) & (rows["day"] <= entry.last)]
    rows = rows[rows["family"].isin(rules.families)]
    names = rows["base_id"].map(lambda name: str(name).partition("/")[2])
    rows = rows.assign(
        generation=[waves.generation(name, entry.generation) or "other" for name in names]
    ).drop_duplicates(["repository_id", "family", "generation"])
    of_family = rows.groupby("family")["repository_id"].nunique()
    table = rows.groupby(["family", "generation"]).size().rename("derivatives").reset_index()
    table["of_family"] = table["family"].map(of_family)
    return table.sort_values(
        ["of_family", "derivatives", "generation"], ascending=[False, False, True], kind="stable"
    ).reset_index(drop=True)


def _find(_record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]

    def of(row: pd.Series) -> str:
        return f"{int(row['waves'])} of {int(row['releases'])}"

    text = (
        f"Too few releases are dated to say each: after {of(own)} new generations "
        f"({100 * own['value']:.0f} %, interval {100 * own['lower']:.0f} to "
        f"{100 * own['upper']:.0f} %) the family's derivatives rose more than on nine of ten "
        "other days"
    )
    same = table[
        (table["scope"] == own["scope"])
        & (table["source"] == own["source"])
        & (table["window"].astype("str") == str(own["window"]))
        & (table["events"] == own["events"])
        & (table["bulk"] == "out")
    ].set_index("test")
    if {"more", "placebo"} <= set(same.index):
        text += (
            f"; without bulk uploads after {of(same.loc['placebo'])}, though they rose at all "
            f"after {of(same.loc['more'])}"
        )
    return text


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"waves": check}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "waves": {
        "source": (),
        "scope": ("family", "own"),
        "window": WINDOWS,
        "events": ("generations", "all"),
        "test": ("more", "placebo"),
        "bulk": ("in", "out"),
    }
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"waves": _find}
