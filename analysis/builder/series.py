"""Series: many snapshots, one at a time, and one table of shares over days.

Which snapshots (:func:`entries`), which day each is of, and which part of each the question is
about; the numbers are made by :mod:`analysis.measure.series`. Each snapshot is read once and kept
as a summary (:mod:`analysis.builder.summaries`), so one more snapshot costs one reading.

A summary of a large snapshot lists the repositories that can be asked for by name and the most
downloaded; all others count in totals. So totals, shares and bounds are exact whatever the size,
while matched and common repositories are sought among those listed.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from analysis import raw
from analysis.builder.loading import COUNTER_KINDS
from analysis.builder.summaries import (
    HEAD_KINDS,
    MEASURES,
    NO_ORGANISATION,
    READ,
    Cache,
    Entry,
    Reader,
    Summary,
    listed,
    registered,
)
from analysis.claims import settings
from analysis.errors import InputError, RecordError
from analysis.measure import series as measure
from analysis.snapshot import dating, repeats
from analysis.snapshot import families as families_module
from analysis.snapshot.values import shown

__all__ = [
    "MEASURES",
    "Cache",
    "Entry",
    "Question",
    "Reader",
    "Series",
    "entries",
    "make",
    "panel",
]

#: So many organisations stand in a series that names none.
LARGEST: Final = 20

#: A catalogue without a time of its own may have been read so many days from its commit.
AROUND: Final = dt.timedelta(days=3)

_DATED: Final = re.compile(r"(?P<path>.+)@(?P<day>\d{4}-\d{2}-\d{2})")


def entries(named: Sequence[str], patterns: Sequence[str], registry: raw.Registry) -> list[Entry]:
    """Find what a series is asked of: version names, patterns over them, and files.

    Parameters
    ----------
    named
        Names of registered versions, or paths of files, these with ``@`` and a day where the
        file does not say its own.
    patterns
        Shell patterns over the names of all registered versions with download counters.

    Returns
    -------
    list of Entry
        Each once; versions by pattern in order of time.

    Raises
    ------
    InputError
        A name is neither version nor file, a version holds no counters, a pattern matches
        nothing, a day is no day, or nothing is asked for.
    """
    known = {v.name: (s, v) for s, v in registry.versions()}
    found: dict[str, Entry] = {}
    for name in named:
        if name in known:
            source, version = known[name]
            if source.kind not in COUNTER_KINDS:
                raise InputError(
                    f"{name}: kind {source.kind} holds no download counters; "
                    "`sources --kind hub-snapshot` lists those that do"
                )
            found[name] = registered(source, version)
            continue
        found[name] = _file(name)
    for pattern in patterns:
        matching = [
            registered(source, version)
            for kind in COUNTER_KINDS
            for source, version in registry.by_kind(kind)
            if fnmatch.fnmatchcase(version.name, pattern)
        ]
        if not matching:
            raise InputError(
                f"--glob {shown(pattern)}: no registered version with counters has such a name; "
                "`sources` lists them"
            )
        matching.sort(key=lambda entry: (entry.first or dt.date.min, entry.name))
        found |= {entry.name: entry for entry in matching}
    if not found:
        raise InputError("series: name snapshots, or give --glob, such as --glob 'llmfit-*'")
    return list(found.values())


def _file(name: str) -> Entry:
    """Make the entry of a file that no registry knows; its day may stand behind an @."""
    path, day = name, None
    dated = _DATED.fullmatch(name)
    if dated is not None and not Path(name).exists():
        path = dated["path"]
        try:
            day = dt.date.fromisoformat(dated["day"])
        except ValueError:
            raise InputError(f"{shown(name)}: {dated['day']} is no day") from None
    if not Path(path).exists():
        raise InputError(
            f"{shown(path)}: neither a registered version (`sources` lists them) nor a file"
        )
    return Entry(name, "hub-snapshot", "", Path(path), None, day, day)


@dataclass(frozen=True)
class Question:
    """What is asked of the snapshots.

    Attributes
    ----------
    population
        ``present``, a tracked list, or a declared population of makers or tasks.
    measure
        One of :data:`MEASURES`.
    family_rule
        Which repositories make a family.
    by
        ``family`` or ``organisation``.
    groups
        Families or organisations wanted; empty for all.
    exclude
        Repositories to leave out.
    """

    population: str = "present"
    measure: str = MEASURES[0]
    family_rule: str = "official"
    by: str = "family"
    groups: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """The answer.

    Attributes
    ----------
    days, rows
        See :func:`analysis.measure.series.table`; `days` also says how the day is known
        (``day_known_by``), which list bounds the missing (``bounded_by``), the kind and the source.
    comparable
        Whether shares of different days are of one population.
    apart
        Names of snapshots whose windows do not overlap; none of an all-time counter.
    failed
        Snapshots that could not be read, with the reason.
    problems
        What readers met: snapshot (or the option that it is about), text.
    """

    days: pd.DataFrame
    rows: pd.DataFrame
    comparable: bool
    apart: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    problems: tuple[tuple[str, str], ...]


class _Numbers:
    """A number for each repository id met, so that hundreds of snapshots share the texts."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}

    def __call__(self, ids: Sequence[str]) -> NDArray[np.int64]:
        of = self.of
        return np.array([of.setdefault(one, len(of)) for one in ids], dtype="int64")


@dataclass(frozen=True)
class _Population:
    """Which repositories count: a fixed list, those of some tasks, or whatever is present."""

    members: frozenset[str] | None = None
    tasks: tuple[str, ...] | None = None


def make(
    asked: Sequence[Entry],
    question: Question,
    reader: Reader,
    progress: Callable[[str, bool], None] | None = None,
) -> Series:
    """Read the snapshots one at a time and answer the question.

    Parameters
    ----------
    asked
        The snapshots, in any order (:func:`entries`).
    question
        What is asked of them.
    reader
        Makes summaries or has them in its cache.
    progress
        Called after each snapshot with its name and whether it came from the cache.

    Raises
    ------
    InputError
        The population or a group is not known, or no snapshot could be read.
    """
    families = reader.families
    days_rules = settings.parse_days(raw.declared("days"))
    population = _population(question.population, reader)
    wanted = _wanted(question, families)
    asked_out = pd.Series(sorted(set(question.exclude)), dtype="string")
    excluded = frozenset(families_module.canonical(asked_out, families).astype("str"))
    numbers = _Numbers()
    taken: list[measure.Taken] = []
    facts: dict[str, dict[str, Any]] = {}
    failed: list[tuple[str, str]] = []
    problems: list[tuple[str, str]] = []
    met: set[str] = set(population.members or ())
    for entry in asked:
        cached = False
        try:
            summary, cached = reader.read(entry)
        except RecordError as error:
            failed.append((entry.name, " ".join(str(error).split())))
        else:
            problems.extend((entry.name, text) for text in summary.problems)
            if excluded:
                met.update(summary.rows["repository_id"].to_pylist())
            for part in _by_day(entry, summary):
                try:
                    one, fact = _taken(
                        reader, days_rules, entry, part, question, population, excluded, numbers
                    )
                except RecordError as error:
                    failed.append((part[0], " ".join(str(error).split())))
                else:
                    taken.append(one)
                    facts[one.name] = fact
        if progress is not None:
            progress(entry.name, cached)
    if not taken:
        raise InputError(f"series: no snapshot could be read; the first: {failed[0][1]}")
    problems.extend(
        ("--exclude", f"{shown(one)}: not there to leave out, or too small to stand by name")
        for one in sorted(excluded - met)
    )
    seen, stale = _seen(taken, measure.WINDOW if question.measure == MEASURES[0] else None)
    groups = _groups(question, families, list(numbers.of), taken, wanted)
    if question.by == "organisation" and not wanted:
        groups = _largest(groups, taken)
    days, rows = measure.table(taken, groups, seen, stale, wanted)
    if wanted:
        rows = rows[rows["group"].isin(wanted)].reset_index(drop=True)
    known = pd.DataFrame.from_dict(facts, orient="index").reindex(days.index).astype("string")
    attrs = days.attrs
    days = days.join(known)
    days.attrs = attrs
    fresh = days.index[days["fresh"]] if question.measure == MEASURES[0] else days.index[:0]
    chosen = measure.apart([dt.date.fromisoformat(str(days.at[n, "day"])) for n in fresh])
    texts = {day.isoformat() for day in chosen}
    first = days.loc[fresh][days.loc[fresh, "day"].isin(texts)].drop_duplicates("day")
    return Series(
        days,
        rows,
        population.members is not None,
        tuple(map(str, first.index)),
        tuple(failed),
        tuple(problems),
    )


def panel(made: Series) -> pd.DataFrame:
    """Join rows and days to one table: a row a day and group, without nested columns."""
    days = made.days.drop(columns=["day"]).rename(columns={"origin": "repeats_of"})
    out = made.rows.merge(days, left_on="snapshot", right_index=True, how="left", sort=False)
    out.insert(0, "comparable", made.comparable)
    out.insert(1, "in_sum", out["snapshot"].isin(made.apart))
    first = ["snapshot", "day", "group"]
    return out[[*first, *(name for name in out.columns if name not in first)]]


def _population(name: str, reader: Reader) -> _Population:
    """Find a population by its name, as ``share`` knows them."""
    registry, families = reader.registry, reader.families
    if name in ("present", "all"):
        return _Population()
    declared = settings.parse_populations(raw.declared("populations"))
    if name.startswith("tracked-"):
        source, _ = registry.find(name)
        if source.kind != "tracked-list":
            raise InputError(f"--population {name}: {name} is no tracked list")
        return _Population(frozenset(listed(name, families)))
    if name not in {p.id for p in declared.population if p.kind in ("makers", "tasks")}:
        lists = ", ".join(v.name for _, v in registry.by_kind("tracked-list"))
        raise InputError(
            f"--population {shown(name)}: not known; "
            f"there are present, named-makers, text-and-vision, {lists}"
        )
    entry = declared.find(name)
    if entry.kind == "tasks":
        return _Population(tasks=tuple(entry.tasks))
    lists_known = [v.name for _, v in registry.by_kind("tracked-list") if "extra" not in v.name]
    ids = pd.Series(sorted(listed(lists_known[-1], families)), dtype="string")
    inside = families_module.makers(ids, families).isin(entry.makers).fillna(False).astype(bool)
    return _Population(frozenset(ids[inside].astype("str")))


def _wanted(question: Question, families: families_module.Families) -> tuple[str, ...]:
    """Check the groups that are asked for; families by id or title, in any letter case."""
    if question.by == "organisation":
        return question.groups
    known = {name.casefold(): name for name in families.families}
    known |= {title.casefold(): name for name, title in families.titles.items()}
    for one in question.groups:
        if one.casefold() not in known:
            raise InputError(
                f"--families {shown(one)}: no such family; there are {', '.join(families.families)}"
            )
    return tuple(dict.fromkeys(known[one.casefold()] for one in question.groups))


def _by_day(entry: Entry, summary: Summary) -> Iterator[tuple[str, dt.date | None, pd.DataFrame]]:
    """Split what carries its own days; yields name, day (None where the file has one), rows."""
    frame = summary.rows.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    if frame["day"].isna().all():
        yield entry.name, summary.taken, frame
        return
    for day, part in frame.groupby("day", sort=True):
        yield f"{entry.name}@{day}", dt.date.fromisoformat(str(day)), part.reset_index(drop=True)


def _taken(
    reader: Reader,
    rules: settings.Days,
    entry: Entry,
    part: tuple[str, dt.date | None, pd.DataFrame],
    question: Question,
    population: _Population,
    excluded: frozenset[str],
    numbers: _Numbers,
) -> tuple[measure.Taken, dict[str, Any]]:
    """Cut one day's rows to the population; find its day and what bounds the missing."""
    name, own_day, frame = part
    counter, read = question.measure, READ[question.measure]
    if not frame[read].any():
        other = [m for m in MEASURES if frame[READ[m]].any()]
        advice = f"ask for --measure {other[0]}" if other else "nor any other download counter"
        raise InputError(f"{name}: the file holds no counter {counter}: {advice}")
    day, how = _dated(reader, rules, entry, own_day, frame)
    rows = frame[frame["part"] == "repository"]
    # The other split would do too, but that one knows which have no counter.
    partition = "organisation" if population.tasks is None else "task"
    lumps = frame[frame["part"] == partition]
    if population.tasks is not None:
        if frame["pipeline_tag"].isna().all():
            raise InputError(
                f"{name}: the file holds no tasks (pipeline_tag), "
                f"so none of population {question.population}"
            )
        if len(lumps) and question.by == "organisation":
            raise InputError(
                f"{name}: too large to keep tasks by organisation: ask for population present, "
                "or for families"
            )
        rows = rows[rows["pipeline_tag"].isin(population.tasks)]
        lumps = lumps[lumps["pipeline_tag"].isin(population.tasks)]
    elif population.members is not None:
        rows, lumps = rows[rows["repository_id"].isin(population.members)], lumps.iloc[:0]
    rows = rows[~rows["repository_id"].isin(excluded)]
    known = rows[rows[read] > 0]
    missing: set[str] = set()
    if population.members is not None:
        missing = set(population.members) - excluded - set(known["repository_id"])
    elif population.tasks is not None:
        missing = set(rows.loc[rows[read] == 0, "repository_id"])
    absent_others = 0
    if population.tasks is not None:
        absent_others = int(lumps["repositories"].sum() - lumps[read].sum())
    codes = numbers(known["repository_id"].tolist())
    order = np.argsort(codes, kind="stable")
    unread = np.sort(numbers(sorted(missing)))
    cap, lists, bounded_by = None, None, None
    if counter == MEASURES[0] and (missing or absent_others):
        bounded_by, head = reader.head(day)
        if head:
            cap = min(head.values())
            lists = {numbers.of[one]: head[one] for one in head if one in numbers.of}
    owner = lumps["organisation"].fillna("") if question.by == "organisation" else ""
    others = lumps.assign(owner=owner).groupby("owner")[[counter, read]].sum()
    one = measure.Taken(
        name,
        day,
        codes[order],
        known[counter].to_numpy(dtype="float64")[order],
        unread,
        {str(k): float(v) for k, v in others[counter].items()},
        {str(k): int(v) for k, v in others[read].items()},
        absent_others,
        cap,
        lists,
    )
    if not one.covered:
        raise InputError(
            f"{name}: no repository of population {question.population} has a counter here"
        )
    return one, {
        "source": entry.source or None,
        "kind": entry.kind,
        "day_known_by": how,
        "bounded_by": bounded_by,
    }


def _dated(
    reader: Reader,
    rules: settings.Days,
    entry: Entry,
    own: dt.date | None,
    frame: pd.DataFrame,
) -> tuple[dt.date, str]:
    """Find the day of a reading as the builder does, and say how."""
    if entry.kind == "hub-panel" and own is not None:
        spread = max(
            (s.days for s in rules.spread if s.version == entry.name and own <= s.until), default=0
        )
        later = f"; read up to {spread} days later" if spread else ""
        return own, f"label of the panel{later}"
    if not entry.source:
        if entry.first is not None:
            return entry.first, "given with the file"
        if own is not None:
            return own, "the file says so"
        raise InputError(f"{entry.name}: the file does not say its day: name it as FILE@YYYY-MM-DD")
    first, last = entry.first, entry.last
    if first is None or last is None:
        raise InputError(f"{entry.name}: the registry gives it no day")
    if first == last and entry.source not in rules.dated_by_counters:
        return first, "registered"
    room = AROUND if first == last else dt.timedelta(0)
    kinds = ("hub-top15", *reversed(HEAD_KINDS)) if first == last else tuple(reversed(HEAD_KINDS))
    # The deepest list of a day comes last and stays.
    heads = reader.lists(first - room, last + room, kinds)
    compared = frame.loc[frame["part"] == "repository", ["repository_id", "downloads_30d"]]
    table = dating.date_by_counters(compared, {day: head for day, (_, head) in heads.items()})
    found = dating.established(table)
    if found is not None:
        return dt.date.fromisoformat(found), f"its counters equal those of {heads[found][0]}"
    if first != last:
        raise InputError(
            f"{entry.name}: no day from {first} to {last} matches its counters: "
            "pin the lists of the most downloaded around it"
        )
    return first, "registered (an upper bound)"


def _groups(
    question: Question,
    families: families_module.Families,
    ids: list[str],
    taken: Sequence[measure.Taken],
    wanted: Sequence[str],
) -> measure.Groups:
    """Give each numbered repository its family or organisation."""
    if question.by == "organisation":
        owners = [one.split("/", 1)[0] if "/" in one else NO_ORGANISATION for one in ids]
        more = {name for one in taken for name in one.others if name}
        names = list(wanted) or sorted({*owners, *more})
    else:
        assigned = families_module.assign(
            pd.Series(ids, dtype="string"), families, question.family_rule
        )
        owners = [None if pd.isna(one) else str(one) for one in assigned]  # type: ignore[misc]
        names = list(families.families)
    place: Mapping[str | None, int] = {name: at for at, name in enumerate(names)}
    return measure.Groups(
        tuple(names), np.array([place.get(owner, -1) for owner in owners], dtype="int64")
    )


def _largest(groups: measure.Groups, taken: Sequence[measure.Taken]) -> measure.Groups:
    """Keep the :data:`LARGEST` groups of the last day, by downloads; by name where equal."""
    last = max(taken, key=lambda one: (one.day, one.name))
    sums = groups.sums(last.repositories, last.downloads)
    amounts = {
        name: amount + last.others.get(name, 0.0)
        for name, amount in zip(groups.names, sums, strict=True)
    }
    kept = sorted(amounts, key=lambda name: (-amounts[name], name))[:LARGEST]
    place = {name: at for at, name in enumerate(kept)}
    new = np.array([*(place.get(name, -1) for name in groups.names), -1], dtype="int64")
    return measure.Groups(tuple(kept), new[groups.of])


def _seen(
    taken: Sequence[measure.Taken], window: int | None
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """Find readings and single counters that repeat an earlier day."""
    days = {one.name: one.day for one in taken}
    by_name = {one.name: one for one in taken}
    order = measure.in_order(days)
    frames = {}
    for name in order:
        one = by_name[name]
        high = one.downloads > repeats.FLOOR
        frames[name] = pd.DataFrame(
            {
                "repository_id": one.repositories[high],
                "downloads": np.minimum(one.downloads[high], 2.0**62).astype("int64"),
            }
        )
    found = repeats.repeats(frames, counter="downloads")
    seen = measure.observations(found, days, window)
    partly = set(seen.index[seen["verdict"] == "partial refresh"])
    stale: dict[str, NDArray[np.int64]] = {}
    rows = found.rows[found.rows["version"].isin(partly)]
    rows = rows[(rows["repeated_from"].map(days) < rows["version"].map(days)).astype(bool)]
    for version, part in rows.groupby("version"):
        stale[str(version)] = part["repository_id"].to_numpy(dtype="int64")
    return seen, stale
