"""Checks of the claims on releases and breadth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec
from analysis.claims.world import LLAMA, QWEN, World
from analysis.errors import InputError
from analysis.measure import breadth, releases
from analysis.snapshot import families as families_module

#: Families that stand beside Qwen by the same rule.
FAMILIES: Final = (QWEN, LLAMA, "deepseek", "gemma", "mistral", "phi")
CATALOGUE: Final = "makers-2025-10-12"
CUT: Final = "hub-stats-2026-05"
CORRECTIONS: Final = "release-date-corrections-2026-08-17"

_RULES: Final = ("official", "organisation")
_GROUPS: Final = ("groups-october", "groups-december")
_PARTS: Final = ("all-2026-05", "all-2026-08")
#: What counts the generations that the makers' own texts name.
GENERATIONS: Final = "generations"


def rules_of(world: World) -> releases.Rules:
    """Return ``data/releases.toml``."""
    rules = world.evidence.rule("releases")
    assert isinstance(rules, releases.Rules)
    return rules


def kinds_of(world: World) -> breadth.Rules:
    """Return ``data/breadth.toml``."""
    rules = world.evidence.rule("breadth")
    assert isinstance(rules, breadth.Rules)
    return rules


def created(world: World) -> dict[str, date]:
    """Return the first day of creation that any file gives, by repository."""

    def make() -> dict[str, date]:
        days = dict(world.created)
        for name in sorted(world.evidence.frames):
            frame = world.evidence.frames[name]
            if "created_at" not in frame.columns or "repository_id" not in frame.columns:
                continue
            for repository, day in _days(frame).items():
                days[repository] = min(day, days.get(repository, day))
        return days

    return world.evidence.once("releasing.created", make)


def day_read(world: World, name: str) -> date:
    """Return the day of a version: established by its counters, else as registered."""
    inputs = getattr(world, "inputs", None)
    established = getattr(inputs, "days", {})
    day: date = established.get(name, world.evidence.days[name])
    return day


def _days(frame: pd.DataFrame) -> dict[str, date]:
    known = frame.dropna(subset=["created_at"]).sort_values("created_at", kind="stable")
    known = known.drop_duplicates("repository_id")
    return {
        str(repository): stamp.date()
        for repository, stamp in zip(known["repository_id"], known["created_at"], strict=True)
    }


def _family(world: World, repositories: list[str], rule: str) -> dict[str, str]:
    ids = pd.Series(sorted(repositories), dtype="string")
    own = families_module.assign(ids, world.evidence.families, rule)
    return {str(i): str(f) for i, f in zip(ids, own, strict=True) if not pd.isna(f)}


@dataclass(frozen=True)
class Dated:
    """Dated repositories of all families in one source.

    Attributes
    ----------
    rows
        As :func:`analysis.measure.releases.members` returns them.
    until
        Day up to which the source sees.
    listed
        Repositories of each family in the source, dated or not.
    """

    rows: pd.DataFrame
    until: date
    listed: Mapping[str, int]

    def of(self, family: str) -> pd.DataFrame:
        """Rows of one family; InputError when the source has none."""
        rows = self.rows[self.rows["family"] == family]
        if rows.empty:
            raise InputError(f"the source dates no repository of the family {family!r}")
        return rows


def dated(world: World, source: str, rule: str, dates: str) -> Dated:
    """Return the dated repositories of a source of ``data/releases.toml``."""

    def make() -> Dated:
        rules = rules_of(world)
        if source not in rules.source:
            raise InputError(
                f"data/releases.toml: no source {source!r}; there are {', '.join(rules.source)}"
            )
        place = rules.source[source]
        if place.version is not None:
            days = _days(world.evidence.frame(place.version))
            every = set(world.evidence.frame(place.version)["repository_id"])
        else:
            days = created(world)
            every = set(days)
            if place.list_ is not None:
                every = set(world.inputs.lists[place.list_])
        chosen = {r: d for r, d in days.items() if r in every and d <= place.until}
        own = _family(world, sorted(every), rule)
        # Of undated repositories only a list tells that they are there.
        known = [f for r, f in own.items() if r in chosen or r not in days]
        rows = releases.members(chosen, own, rules)
        if dates == "corrected":
            listed = world.evidence.frame(CORRECTIONS).dropna(subset=["released_on"])
            shown = {
                str(r): d.date()
                for r, d in zip(listed["repository_id"], listed["released_on"], strict=True)
            }
            rows = releases.correct(rows, rules, shown)
            rows = rows[rows["day"] <= place.until.toordinal()].reset_index(drop=True)
        return Dated(rows, place.until, {f: known.count(f) for f in sorted(set(known))})

    return world.evidence.once(f"releasing.dated {source} {rule} {dates}", make)


def counted(
    world: World, got: Dated, family: str, unit: str, copies: bool, name: str, days: int
) -> tuple[list[int], releases.Span]:
    """Return the days on which a family brought something out, and the span they lie in.

    Parameters
    ----------
    unit, copies
        As in :func:`analysis.measure.releases.events`.
    name
        Name of the window.
    days
        Days within which models are one release.
    """
    rows = got.of(family)
    span = releases.window(rules_of(world), name, int(rows["day"].min()), got.until.toordinal())
    return span.within(releases.events(rows, unit, copies, days)), span


def of_group(
    world: World, source: str, window: str, family: str
) -> tuple[list[int], releases.Span]:
    """Days of new repositories of a whole company, by the weeks of another's count."""
    entry = next(group for group in rules_of(world).group if group.source == source)
    frame = world.evidence.frame(entry.version)
    rows = frame[frame["group"] == entry.names[family]].sort_values("week_date", kind="stable")
    until = frame["week_date"].max().date().toordinal() + 6
    days: list[int] = []
    before = 0
    for week, total in zip(rows["week_date"], rows["models"], strict=True):
        days += [week.date().toordinal()] * max(0, int(total) - before)
        before = max(before, int(total))
    span = releases.window(rules_of(world), window, days[0], until)
    return span.within(days), span


def of_generations(
    world: World, source: str, window: str, family: str
) -> tuple[list[int], releases.Span]:
    """Days of the generations that a maker's own texts name, up to the day of a source."""
    rules = rules_of(world)
    days = sorted(
        entry.day.toordinal()
        for entry in rules.release
        if entry.family == family and entry.generation
    )
    span = releases.window(rules, window, days[0], rules.source[source].until.toordinal())
    return span.within(days), span


def velocity(world: World, spec: Spec, line: float) -> Outcome:
    """Return Qwen's rate of new repositories, models, releases or generations over Llama's.

    In a source that sees part of both families both counts are from below, so the ratio has
    no bound at either end.
    """
    rules = rules_of(world)
    unit, copies, window = (
        str(spec["unit_counted"]),
        spec["copies"] == "in",
        str(spec["window"]),
    )
    source = str(spec["source"])
    if source in _GROUPS:
        mine, one = of_group(world, source, window, QWEN)
        theirs, two = of_group(world, source, window, LLAMA)
        covered = population = len(mine) + len(theirs)
        note = "whole companies: vision, speech and translation models count like language models"
    elif unit == GENERATIONS:
        mine, one = of_generations(world, source, window, QWEN)
        theirs, two = of_generations(world, source, window, LLAMA)
        covered = population = 0
        note = "generations as the makers number them"
    else:
        got = dated(world, source, "official", str(spec["dates"]))
        days = rules.cluster.days
        mine, one = counted(world, got, QWEN, unit, copies, window, days)
        theirs, two = counted(world, got, LLAMA, unit, copies, window, days)
        covered = len(got.of(QWEN)) + len(got.of(LLAMA))
        # How many there are beyond what a source of parts sees is not known.
        population = 0 if source in _PARTS else got.listed[QWEN] + got.listed[LLAMA]
        note = ""
    found = releases.ratio(mine, one, theirs, two, rules.interval)
    ends, partial = (found.lower, found.upper), source in _PARTS
    if partial:
        ends = (0.0, math.inf)
        note = (
            f"our files know {len(mine)} {unit} of Qwen and {len(theirs)} of Llama; after "
            f"{rules.source['catalogue'].until:%-d %B %Y} they see part of each family only, so "
            "both counts are from below and their ratio may be anything"
        )
    decided = "yes" if ends[0] > line else "no" if ends[1] <= line else "undetermined"
    return Outcome(
        found.value,
        *ends,
        *ends,
        covered,
        population,
        decided,
        note,
        {
            "qwen": len(mine),
            "qwen_months": one.months,
            "llama": len(theirs),
            "llama_months": two.months,
            "day": date.fromordinal(one.last).isoformat(),
        },
        partial=partial,
    )


# --------------------------------------------------------------------------------------- breadth


def seen(world: World, source: str) -> tuple[pd.DataFrame, date]:
    """Return the repositories of a source with task, day and counter, and the source's day."""

    def make() -> tuple[pd.DataFrame, date]:
        evidence = world.evidence
        if source in ("catalogue", "cut"):
            name = {"catalogue": CATALOGUE, "cut": CUT}[source]
            return _described(evidence.frame(name)), day_read(world, name)
        if source == "tree":
            name = _newest_tree(world)
            return _described(evidence.frame(name)), day_read(world, name)
        return _joined(world), seen(world, "tree")[1]

    return world.evidence.once(f"releasing.seen {source}", make)


def _newest_tree(world: World) -> str:
    found = world.evidence.of_kind("hub-tree")
    if not found:
        raise InputError("no source of kind hub-tree was read: `sources --kind hub-tree` lists it")
    return max(found, key=lambda name: world.evidence.days[name])


def _described(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame[["repository_id", "pipeline_tag", "created_at", "downloads_30d"]]
    return kept.drop_duplicates("repository_id").reset_index(drop=True)


def _joined(world: World) -> pd.DataFrame:
    """Return every repository of a maker that any file dates: newest task, last counter read."""
    tables = [seen(world, one)[0] for one in ("tree", "cut", "catalogue")]
    days = created(world)
    tasks = dict(world.tasks)
    counters = _last_counters(world)
    for frame in reversed(tables):
        for column, known in (("pipeline_tag", tasks), ("downloads_30d", counters)):
            there = frame.dropna(subset=[column])
            known.update(zip(there["repository_id"], there[column], strict=True))
    ids = pd.Series(sorted(days), dtype="string")
    ids = ids[families_module.makers(ids, world.evidence.families).notna().to_numpy()]
    stamps = pd.to_datetime([days[str(name)] for name in ids], utc=True)
    return pd.DataFrame(
        {
            "repository_id": ids.to_numpy(),
            "pipeline_tag": pd.Series([tasks.get(str(name)) for name in ids], dtype="string"),
            "created_at": stamps,
            "downloads_30d": pd.Series([counters.get(str(name)) for name in ids], dtype="Int64"),
        }
    )


def _last_counters(world: World) -> dict[str, int]:
    """Last 30-day counter read, by repository."""
    rows = world.readings[world.readings["measure"] == "downloads_30d"]
    rows = rows.sort_values("day", kind="stable").drop_duplicates("repository_id", keep="last")
    return {
        str(repository): int(value)
        for repository, value in zip(rows["repository_id"], rows["value"], strict=True)
    }


def of_kinds(world: World, source: str, told_by: str, rule: str, family: str) -> pd.DataFrame:
    """Return a family's repositories in a source, once for every kind that each is of."""

    def make() -> pd.DataFrame:
        base = breadth.pretrained(_known(world, rule, family), kinds_of(world), rules_of(world))
        return breadth.kinds(of_family(world, source, rule, family), kinds_of(world), base)

    marked = world.evidence.once(f"releasing.kinds {source} {rule} {family}", make)
    return breadth.told(marked, told_by)


def _known(world: World, rule: str, family: str) -> list[str]:
    """Names of a family's repositories in any file: sisters tell what a name is."""

    def make() -> dict[str, str]:
        return _family(world, sorted(created(world)), rule)

    own = world.evidence.once(f"releasing.families {rule}", make)
    return [repository.rpartition("/")[2] for repository, name in own.items() if name == family]


def of_family(world: World, source: str, rule: str, family: str) -> pd.DataFrame:
    """Return a family's repositories in a source."""

    def make() -> pd.Series:
        ids = seen(world, source)[0]["repository_id"]
        return families_module.assign(ids, world.evidence.families, rule)

    own = world.evidence.once(f"releasing.family {source} {rule}", make)
    frame = seen(world, source)[0]
    return frame[(own == family).fillna(False).to_numpy(dtype="bool")].reset_index(drop=True)


def covered_kinds(
    world: World, source: str, told_by: str, rule: str, family: str, recent: bool
) -> set[str]:
    """Return the kinds that a family covers in a source.

    Parameters
    ----------
    recent
        Whether it has to be created within the twelve months before the source's day.
    """
    rows = of_kinds(world, source, told_by, rule, family)
    if recent:
        since = pd.Timestamp(seen(world, source)[1] - timedelta(days=365), tz="UTC")
        rows = rows[(rows["created_at"] >= since).fillna(False).to_numpy(dtype="bool")]
    return set(rows["kind"])


def _known_by(world: World, rule: str, day: date) -> set[str]:
    """Qwen's repositories created by a day that any file dates."""
    days = created(world)

    def make() -> list[str]:
        own = _family(world, sorted(days), rule)
        return [repository for repository, family in own.items() if family == QWEN]

    known = world.evidence.once(f"releasing.known {rule}", make)
    return {repository for repository in known if days[repository] <= day}


def breadth_of(world: World, spec: Spec, line: float) -> Outcome:
    """Return how many of the kinds that the article names Qwen covers."""
    named = kinds_of(world).named
    source, told_by, rule = str(spec["source"]), str(spec["told_by"]), str(spec["family_rule"])
    found = covered_kinds(
        world,
        source,
        told_by,
        rule,
        QWEN,
        spec["since"] == "last-12-months",
    )
    value = float(sum(kind in found for kind in named))
    complete = source == "catalogue" and rule == "official"
    upper = value if complete else float(len(named))
    day = seen(world, source)[1]
    own = of_family(world, source, rule, QWEN)
    known = _known_by(world, rule, day) | set(own["repository_id"])
    # All files together cannot be set against what all files know.
    population = 0 if source == "all" else len(known)
    decided = "yes" if value > line else "no" if upper <= line else "undetermined"
    titles = kinds_of(world).titles
    without = [titles[kind] for kind in named if kind not in found]
    return Outcome(
        value,
        value,
        upper,
        value,
        upper,
        len(own),
        population,
        decided,
        "" if complete else "the source sees part of the family: a kind not seen may be there",
        {"not_seen": ", ".join(without) or "none", "day": day.isoformat()},
    )


# --------------------------------------------------------------------------------------- findings


def _find_velocity(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    value, lower, upper = float(own["value"]), float(own["lower"]), float(own["upper"])
    span = f"{value:.1f} new Qwen models for each new Llama model"
    between = f"({lower:.1f} to {upper:.1f})"
    if lower > record["stated_value"]:
        text = f"Yes: {span} {between}"
    elif upper <= record["stated_value"]:
        text = f"No: {span} {between}"
    else:
        text = f"Not certain: {span} {between}"
    text += f" by {date.fromisoformat(str(own['day'])):%B %Y}"
    groups = table["source"].astype("str").str.startswith("groups-")
    whole = table[groups & (table["window"] == "last-12-months")]
    whole = whole.drop_duplicates("source").sort_values("day", kind="stable")
    if len(whole) and float(whole["value"].min()) <= 1:
        # Every grouping with its interval: one alone would decide by being picked.
        ratios = " or ".join(
            f"{row['value']:.1f} ({row['lower']:.1f} to {row['upper']:.1f})"
            for row in whole.to_dict("records")
        )
        text += f"; of all that both companies published in a year, {ratios}"
        text += ", by who counts as the company" if len(whole) > 1 else ""
    return text


_COUNTS: Final = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight")


def _find_breadth(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    value = int(own["value"])
    if value > record["stated_value"]:
        text = f"Yes: Qwen has models of all {_COUNTS[value]} kinds"
    else:
        text = f"{_COUNTS[value].capitalize()} of the kinds are there, not seen: {own['not_seen']}"
    recent = table[
        (table["source"] == "all")
        & (table["told_by"] == own["told_by"])
        & (table["family_rule"] == own["family_rule"])
        & (table["since"] == "last-12-months")
    ]
    if not recent.empty:
        last = recent.iloc[0]
        now, month = int(last["value"]), date.fromisoformat(str(last["day"]))
        text += f"; in the year to {month:%B %Y} our files see new ones of {_COUNTS[now]}"
        if now < value:
            text += f" (not seen: {last['not_seen']})"
    return text


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"velocity": velocity, "breadth": breadth_of}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "velocity": {
        "unit_counted": (*releases.UNITS, GENERATIONS),
        "copies": ("out", "in"),
        "window": (),
        "dates": ("created", "corrected"),
        "source": (),
    },
    "breadth": {
        "source": ("catalogue", "cut", "tree", "all"),
        "told_by": breadth.TOLD_BY,
        "family_rule": _RULES,
        "since": ("any-time", "last-12-months"),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"velocity": _find_velocity, "breadth": _find_breadth}
