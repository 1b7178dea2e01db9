"""Derived tables on releases and breadth."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import releasing
from analysis.claims.world import LLAMA, QWEN, World
from analysis.measure import breadth, releases

_NAMES_SHOWN: Final = 12
_SOURCES: Final = ("catalogue", "all-2026-08")
_EVERY_FILE: Final = "all-2026-08"


def _iso(ordinal: float) -> str:
    return date.fromordinal(int(ordinal)).isoformat()


def named_releases_table(world: World) -> pd.DataFrame:
    """List the named releases: day, where it stands, and what other sources say of it."""
    rules = releasing.rules_of(world)
    days = releasing.created(world)
    official = releasing.dated(world, _EVERY_FILE, "official", "created").rows
    listed = world.evidence.frame(releasing.CORRECTIONS).dropna(subset=["released_on"])
    corrected = {
        str(r): d.date()
        for r, d in zip(listed["repository_id"], listed["released_on"], strict=True)
    }
    rows = []
    for entry in rules.release:
        own = official[official["family"] == entry.family]["repository_id"]
        pattern = re.compile(entry.names or "(?!)", re.IGNORECASE | re.ASCII)
        named = [r for r in own if pattern.fullmatch(str(r).partition("/")[2])]
        if entry.repository is not None and entry.repository not in named:
            named.append(entry.repository)
        first = min((days[r] for r in named if r in days), default=None)
        other = sorted({corrected[r].isoformat() for r in named if r in corrected})
        rows.append(
            {
                "family": world.evidence.families.titles[entry.family],
                "release": entry.name,
                "day": entry.day.isoformat(),
                "generation": entry.generation,
                "how_known": entry.how_known,
                "source": entry.source,
                "line": str(entry.line or ""),
                "entry": entry.repository or entry.model or "",
                "repositories": len(named),
                "first_created": "" if first is None else first.isoformat(),
                "days_early": float("nan") if first is None else float((entry.day - first).days),
                "list_of_corrections": ", ".join(other),
                "reason": entry.reason,
            }
        )
    return pd.DataFrame(rows)


def releases_table(world: World) -> pd.DataFrame:
    """List every release of the families: days, models, repositories, time since the last one."""
    rules = releasing.rules_of(world)
    got = releasing.dated(world, _EVERY_FILE, "official", "created")
    complete = rules.source["catalogue"].until.toordinal()
    parts = []
    for family in releasing.FAMILIES:
        own = got.of(family)
        one = releases.listing(own, rules.cluster.days)
        one.insert(0, "family", world.evidence.families.titles[family])
        parts.append(one)
    out = pd.concat(parts, ignore_index=True)
    out["names"] = [_shortened(names) for names in out["names"]]
    out["seen"] = ["all" if day <= complete else "in part" for day in out["day"]]
    for name in ("day", "last_day"):
        out[name] = out[name].map(_iso)
    return out


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def rates_table(world: World) -> pd.DataFrame:
    """Return rates a month by family and by every way to count, and Qwen's over each."""
    rules = releasing.rules_of(world)
    rows = []
    for source in _SOURCES:
        for dates in ("created", "corrected"):
            got = releasing.dated(world, source, "official", dates)
            for window in rules.window:
                for unit in releases.UNITS:
                    for copies in (False, True):
                        spans = [rules.cluster.days]
                        plain = dates == "created" and window == "since-first" and not copies
                        if unit == "releases" and plain:
                            spans = sorted({*spans, *rules.cluster.sensitivity})
                        for days in spans:
                            found = {
                                family: releasing.counted(
                                    world, got, family, unit, copies, window, days
                                )
                                for family in releasing.FAMILIES
                            }
                            what = {
                                "source": source,
                                "dates": dates,
                                "window": window,
                                "unit_counted": unit,
                                "copies": "in" if copies else "out",
                                "days": days if unit == "releases" else None,
                            }
                            rows += _rates(world, found, what)
    rows += _generation_rates(world)
    rows += _company_rates(world)
    return pd.DataFrame(rows).astype({"days": "Int64"})


def _rates(
    world: World, found: dict[str, tuple[list[int], releases.Span]], what: dict[str, Any]
) -> list[dict[str, Any]]:
    rule = releasing.rules_of(world).interval
    titles = world.evidence.families.titles
    mine, one = found[QWEN]
    rows = []
    for family, (events, span) in found.items():
        per = releases.rate(len(events), span.months, rule.level)
        row: dict[str, Any] = {
            **what,
            "family": titles[family],
            "count": per.count,
            "months": per.months,
            "until": _iso(span.last),
            "per_month": per.value,
            "lower": per.lower,
            "upper": per.upper,
            "median_gap_days": _median_gap(events) if what["unit_counted"] == "releases" else None,
        }
        if family != QWEN:
            over = releases.ratio(mine, one, events, span, rule)
            row |= {
                "qwen_over_it": over.value,
                "ratio_lower": over.lower,
                "ratio_upper": over.upper,
                "exact_lower": over.exact[0],
                "exact_upper": over.exact[1],
                "blocks_lower": over.blocks[0] if over.blocks else None,
                "blocks_upper": over.blocks[1] if over.blocks else None,
            }
        rows.append(row)
    return rows


def _median_gap(events: list[int]) -> float | None:
    gaps = pd.Series(events).diff().dropna()
    return None if gaps.empty else float(gaps.median())


def _generation_rates(world: World) -> list[dict[str, Any]]:
    """Return rates of named generations, of the two families whose texts name them all."""
    rows = []
    for source in _SOURCES:
        found = {
            family: releasing.of_generations(world, source, "since-first", family)
            for family in (QWEN, LLAMA)
        }
        what = {
            "source": source,
            "dates": "corrected",
            "window": "since-first",
            "unit_counted": releasing.GENERATIONS,
            "copies": "out",
            "days": None,
        }
        rows += _rates(world, found, what)
    return rows


def _company_rates(world: World) -> list[dict[str, Any]]:
    rows = []
    for entry in releasing.rules_of(world).group:
        for window in ("last-12-months", "since-llama-4"):
            found = {
                family: releasing.of_group(world, entry.source, window, family)
                for family in (QWEN, LLAMA)
            }
            what = {
                "source": entry.source,
                "dates": "created",
                "window": window,
                "unit_counted": "repositories",
                "copies": "in",
                "days": None,
            }
            for row in _rates(world, found, what):
                group = QWEN if row["family"] == world.evidence.families.titles[QWEN] else LLAMA
                rows.append({**row, "family": entry.names[group]})
    return rows


def months_table(world: World) -> pd.DataFrame:
    """Return how many models and releases each family had brought out by the end of each month."""
    rules = releasing.rules_of(world)
    got = releasing.dated(world, _EVERY_FILE, "official", "created")
    complete = rules.source["catalogue"].until
    first = date.fromordinal(
        int(got.rows[got.rows["family"].isin(releasing.FAMILIES)]["day"].min())
    )
    ends = pd.date_range(first, got.until, freq="ME").date
    rows = []
    for family in releasing.FAMILIES:
        own = got.of(family)
        counts = {
            unit: releases.events(own, unit, False, rules.cluster.days) for unit in releases.UNITS
        }
        every = releases.events(own, "repositories", True, rules.cluster.days)
        for end in sorted({*ends, complete, got.until}):
            upto = end.toordinal()
            if upto < every[0]:
                continue
            rows.append(
                {
                    "family": world.evidence.families.titles[family],
                    "day": end.isoformat(),
                    "repositories": sum(day <= upto for day in every),
                    "models": sum(day <= upto for day in counts["models"]),
                    "releases": sum(day <= upto for day in counts["releases"]),
                    "seen": "all" if end <= complete else "in part",
                }
            )
    return pd.DataFrame(rows)


def breadth_table(world: World) -> pd.DataFrame:
    """Return repositories, downloads and first day of each kind by family, rule and source."""
    rules = releasing.kinds_of(world)
    titles = rules.titles
    rows = []
    for source in ("catalogue", "cut", "tree", "all"):
        for rule in ("official", "organisation"):
            for family in releasing.FAMILIES:
                seen = releasing.of_family(world, source, rule, family)
                found = {
                    told_by: releasing.of_kinds(world, source, told_by, rule, family)
                    for told_by in breadth.TOLD_BY
                }
                ordered = found["either"].sort_values(
                    ["created_at", "repository_id"], kind="stable"
                )
                by_kind = dict(iter(ordered.groupby("kind", sort=False)))
                number = {way: rows["kind"].value_counts() for way, rows in found.items()}
                for kind in rules.kind:
                    own = by_kind.get(kind.id, ordered.iloc[:0])
                    counters = own["downloads_30d"].dropna()
                    rows.append(
                        {
                            "source": source,
                            "day": releasing.seen(world, source)[1].isoformat(),
                            "family_rule": rule,
                            "family": world.evidence.families.titles[family],
                            "kind": titles[kind.id],
                            "named": kind.named,
                            "family_repositories": len(seen),
                            "repositories": len(own),
                            **{
                                f"by_{told_by}": int(number[told_by].get(kind.id, 0))
                                for told_by in ("name", "tag", "both")
                            },
                            "downloads_30d": int(counters.sum()),
                            "largest": int(counters.max()) if len(counters) else 0,
                            "first_day": ""
                            if own["created_at"].dropna().empty
                            else own["created_at"].min().date().isoformat(),
                            "last_day": ""
                            if own["created_at"].dropna().empty
                            else own["created_at"].max().date().isoformat(),
                            "first_repository": ""
                            if own.empty
                            else str(own["repository_id"].iloc[0]),
                        }
                    )
    return pd.DataFrame(rows)


#: Sources whose files give days of creation, and the list whose days are set beside them.
_DATED: Final = (
    "hub-stats",
    "llmfit",
    "makers",
    "radar",
    "release-date-corrections",
    "roots",
    "trending",
)

#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made("named_releases", named_releases_table, _DATED, "named releases with their days"),
    Made("releases", releases_table, _DATED, "every release of the families by days of creation"),
    Made(
        "release_rates",
        rates_table,
        (*_DATED, "organisation-weeks"),
        "repositories, models and releases a month by family, with intervals",
    ),
    Made("release_months", months_table, _DATED, "models and releases by the end of each month"),
    Made(
        "breadth",
        breadth_table,
        ("hub-stats", "makers", "radar"),
        "kinds of models that each family covers",
    ),
)
