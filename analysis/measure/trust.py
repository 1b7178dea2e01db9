"""How far a download counter can be trusted: days on which it misbehaves, found in the data.

Each rule looks at readings alone and is declared in ``data/trust.toml``, ``data/outliers.toml`` or
with the reader that finds repeats. The published list of such days is a test of the rules and an
input of none of them; with what in view each rule was set is declared beside it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from analysis.entries import checked
from analysis.errors import InputError
from analysis.snapshot import repeats

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4)]
Rule = Literal["burst", "dip", "repeat", "stall", "fall", "slow", "short", "twin"]
InView = Literal["list", "data", "none"]
Needs = Literal["pair", "label", "head", "dump", "both", "ids", "burst"]

#: The rules, each with what it looks at.
RULES: Final[Mapping[str, str]] = {
    "burst": "30-day counters of a repository, against its own level before and after",
    "dip": "sum of a list of the head of the Hub, against the lists around",
    "stall": "lists of the head read a day apart: counters that are equal to the last digit",
    "repeat": "labels of the panel: all counters equal to those of an earlier label",
    "fall": "labels of the panel: all-time counters below an earlier reading",
    "slow": "labels of the panel: what all repositories gain a day, against the spans around",
    "short": "labels of the panel: number of repositories, against the labels around",
    "twin": "two ids of one name in a file: a second id, hardly counted",
}
_WEEKDAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(_Strict):
    """By which rules a day of the published list should be found, and what that needs."""

    from_: date = Field(alias="from")
    rules: tuple[Rule, ...]
    needs: Needs
    ids: tuple[str, ...] = ()
    cites: Literal["others", "part", "own"] = "others"
    reading: str = ""


class SetBy(_Strict):
    """What each rule was set with in view: the published list, the data it is tried on, or none."""

    burst: InView
    burst_reason: Reason
    dip: InView
    dip_reason: Reason
    repeat: InView
    repeat_reason: Reason
    stall: InView
    stall_reason: Reason
    fall: InView
    fall_reason: Reason
    slow: InView
    slow_reason: Reason
    short: InView
    short_reason: Reason
    twin: InView
    twin_reason: Reason

    def of(self, rule: str) -> InView:
        """Return what a rule of :data:`RULES` was set with in view."""
        word: InView = getattr(self, rule)
        return word


class ClaimReads(_Strict):
    """Which counter a headline claim reads."""

    id: str
    counter: Literal["thirty", "all-time", "panel"]


class TrustRules(_Strict):
    """``data/trust.toml``."""

    falls: int = Field(gt=0)
    falls_reason: Reason
    slow: float = Field(gt=0, lt=1)
    slow_reason: Reason
    slow_reach: int = Field(gt=0)
    slow_reach_reason: Reason
    slow_fewest: int = Field(gt=0)
    slow_fewest_reason: Reason
    short: float = Field(gt=0, lt=1)
    short_reason: Reason
    twin: float = Field(gt=0, lt=1)
    twin_reason: Reason
    twin_floor: int = Field(gt=0)
    twin_floor_reason: Reason
    in_view: SetBy
    expected: tuple[Expected, ...]
    claim: tuple[ClaimReads, ...]


def parse(mapping: Mapping[str, object]) -> TrustRules:
    """Validate the content of ``data/trust.toml``; InputError names a wrong entry."""
    return checked(TrustRules, mapping, "data/trust.toml")


@dataclass(frozen=True)
class Finding:
    """Days on which a rule says that a counter misbehaved.

    Attributes
    ----------
    first, last
        Days that it may concern. A label that stands for a reading some days later makes them
        two.
    counter
        ``thirty`` (rolling 30-day), ``all-time`` or ``both``.
    size
        Share lost, or times the level; NaN where it is neither.
    repository
        The one concerned, empty where it is the counter as a whole.
    exact
        Whether the day is known, so that its weekday means something.
    """

    rule: str
    first: date
    last: date
    counter: str
    size: float
    what: str
    repository: str = ""
    exact: bool = True

    @property
    def weekday(self) -> str:
        """Day of the week, where the day is known and is one."""
        return _WEEKDAYS[self.first.weekday()] if self.exact and self.first == self.last else ""


# ---------------------------------------------------------------------------------- the panel


def flows(panel: pd.DataFrame, rules: TrustRules) -> pd.DataFrame:
    """Return what the repositories of the panel gain from label to label.

    Parameters
    ----------
    panel
        Columns ``day`` (datetime), ``repository_id``, ``downloads_all_time`` and, where labels
        stand for later readings, ``spread`` (days).

    Returns
    -------
    pandas.DataFrame
        A row a label from the second on: ``before``, ``day`` (dates), ``spread``, ``days``,
        ``repositories`` (in both), ``gained``, ``per_day``, ``median`` (of `per_day` within
        ``slow_reach`` days, spans that are slow left out), ``ratio`` of the two, ``fell`` (counters
        that did), ``equal`` (counters that stand still), ``slow``, and for the last label of a run
        of slow spans ``made_good``: what the run and the span after it gained, over what they would
        have gained at the median (NaN elsewhere).
    """
    wide = panel.pivot_table(
        index="repository_id", columns="day", values="downloads_all_time", aggfunc="max"
    ).astype("float64")
    spread = (
        panel.groupby("day")["spread"].max() if "spread" in panel.columns
        else pd.Series(0, index=wide.columns)
    )  # fmt: skip
    rows = []
    labels: list[Any] = sorted(wide.columns)
    for before, day in pairwise(labels):
        both = wide[[before, day]].dropna()
        gained = both[day] - both[before]
        days = (day - before).days
        rows.append(
            {
                "before": before.date(),
                "day": day.date(),
                "spread": int(spread.get(day, 0)),
                "days": days,
                "repositories": len(both),
                "gained": float(gained.sum()),
                "per_day": float(gained.sum()) / days,
                "fell": int((gained < 0).sum()),
                "equal": int((gained == 0).sum()),
            }
        )
    slow = [False] * len(rows)
    for _ in range(2):  # the second time against spans that are not slow themselves
        medians = [_around(rows, place, slow, rules.slow_reach) for place in range(len(rows))]
        slow = [
            row["repositories"] >= rules.slow_fewest
            and middle > 0
            and row["per_day"] < rules.slow * middle
            for row, middle in zip(rows, medians, strict=True)
        ]
    for place, (row, middle) in enumerate(zip(rows, medians, strict=True)):
        row["median"] = middle
        row["ratio"] = row["per_day"] / middle if middle > 0 else math.nan
        row["slow"] = slow[place]
        row["made_good"] = math.nan
        if slow[place] and place + 1 < len(rows) and not slow[place + 1]:
            start = place
            while start and slow[start - 1]:
                start -= 1
            run = rows[start : place + 2]
            row["made_good"] = sum(one["gained"] for one in run) / (
                middle * sum(one["days"] for one in run)
            )
    columns = ["before", "day", "spread", "days", "repositories", "gained", "per_day", "median"]
    columns += ["ratio", "fell", "equal", "slow", "made_good"]
    return pd.DataFrame(rows, columns=columns)


def _around(
    rows: Sequence[Mapping[str, Any]], place: int, leave: Sequence[bool], reach: int
) -> float:
    own = rows[place]["day"]
    near = [
        row["per_day"]
        for other, row in enumerate(rows)
        if other != place and not leave[other] and abs((row["day"] - own).days) <= reach
    ]
    return float(pd.Series(near, dtype="float64").median()) if near else math.nan


def short_labels(panel: pd.DataFrame, rules: TrustRules) -> pd.DataFrame:
    """Return the labels of the panel with their number of repositories beside those around.

    Returns
    -------
    pandas.DataFrame
        ``day``, ``repositories``, ``median`` (of the labels within ``slow_reach`` days),
        ``ratio``, ``short``.
    """
    sizes = panel.groupby("day")["repository_id"].nunique().sort_index()
    rows = []
    for day, size in zip(sizes.index, sizes.tolist(), strict=True):
        near = sizes[
            (abs((sizes.index - day).days) <= rules.slow_reach) & (sizes.index != day)
        ]  # fmt: skip
        middle = float(near.median()) if len(near) else math.nan
        rows.append(
            {
                "day": day.date(),
                "repositories": int(size),
                "median": middle,
                "ratio": size / middle if middle else math.nan,
                "short": size < rules.short * middle,
            }
        )
    return pd.DataFrame(rows, columns=["day", "repositories", "median", "ratio", "short"])


def panel_findings(panel: pd.DataFrame, rules: TrustRules) -> list[Finding]:
    """Return what the rules ``repeat``, ``fall``, ``slow`` and ``short`` find in the panel.

    Labels in a row that one rule names are one finding.
    """
    table = flows(panel, rules)
    found: list[Finding] = []
    for rule, mask, size, told in (
        (
            "repeat",
            table["equal"] == table["repositories"],
            None,
            "all values repeat the label before",
        ),
        ("fall", table["fell"] >= rules.falls, "fell", "all-time counters fall"),
        ("slow", table["slow"], "ratio", "little is gained"),
    ):
        run: list[dict[Any, Any]] = []
        flags = [*mask.tolist(), False]
        records: list[dict[Any, Any]] = table.to_dict("records")
        for flag, row in zip(flags, [*records, {}], strict=True):
            if flag:
                run.append(row)
            elif run:
                found.append(_panel_finding(rule, run, size, told))
                run = []
    labels = short_labels(panel, rules)
    for row in labels[labels["short"]].to_dict("records"):
        found.append(
            Finding(
                "short", row["day"], row["day"], "both", 1 - float(row["ratio"]),
                f"{row['repositories']} repositories, {row['median']:.0f} around",
            )
        )  # fmt: skip
    return found


def _panel_finding(rule: str, run: list[dict[Any, Any]], size: str | None, told: str) -> Finding:
    value, words = math.nan, f"panel: {told}"
    if size == "fell":
        words = f"panel: {max(row['fell'] for row in run)} {told}"
    elif size == "ratio":
        value = 1 - min(float(row["ratio"]) for row in run)
        good = [row["made_good"] for row in run if row["made_good"] == row["made_good"]]
        words += f" ({len(run)} label{'s' if len(run) > 1 else ''})"
        if good:
            words += f"; with the span after, {100 * good[-1]:.0f} % of the usual"
    else:
        words += f" ({len(run)} label{'s' if len(run) > 1 else ''})"
    spread = max(int(row["spread"]) for row in run)
    return Finding(
        rule,
        run[0]["day"],
        run[-1]["day"] + timedelta(days=int(run[-1]["spread"])),
        "all-time",
        value,
        words,
        exact=spread == 0 and all(int(row["days"]) == 1 for row in run),
    )


# ---------------------------------------------------------------------------------- the head


def stall_findings(lists: Mapping[str, tuple[date, pd.DataFrame]]) -> list[Finding]:
    """Return the days on which many counters of the head equal those of the day after.

    Parameters
    ----------
    lists
        Version to its day and its frame (``repository_id``, ``downloads_30d``).

    Returns
    -------
    list of Finding
        The share of counters that are equal is the ``size``; the day is the earlier one.
    """
    found = []
    for name, (day, frame) in sorted(lists.items()):
        for other, (later, after) in sorted(lists.items()):
            if (later - day).days != 1:
                continue
            pair = {
                key: part.drop_duplicates("repository_id")
                for key, part in ((name, frame), (other, after))
            }
            row = repeats.repeats(pair).versions.iloc[-1]
            if row["verdict"] in ("repeat", "partial refresh"):
                found.append(
                    Finding(
                        "stall", day, day, "thirty", float(row["share"]),
                        f"{row['equal']} of {row['common']} counters equal a day later",
                    )
                )  # fmt: skip
    return found


def dip_findings(dips: pd.DataFrame) -> list[Finding]:
    """Return the dips of the head's lists (:func:`analysis.measure.outliers.dips`) as findings.

    Parameters
    ----------
    dips
        With a column ``list`` (which list it is of).
    """
    return [
        Finding(
            "dip", date.fromisoformat(str(row["day"])), date.fromisoformat(str(row["day"])),
            "thirty", float(row["fall"]),
            f"{row['list']}: {100 * float(row['fall']):.0f} % below the lists around",
        )
        for row in dips.sort_values(["day", "list"], kind="stable").to_dict("records")
    ]  # fmt: skip


# ------------------------------------------------------------------------------ repositories


def burst_findings(episodes: pd.DataFrame, created: Mapping[str, date]) -> list[Finding]:
    """Return bursts (:func:`analysis.measure.outliers.episodes`) as findings.

    A burst before the first reading lies between the repository's creation and that reading.
    """
    found = []
    for row in episodes.to_dict("records"):
        name = str(row["repository_id"])
        first, last = date.fromisoformat(str(row["first"])), date.fromisoformat(str(row["last"]))
        early = row["kind"] == "before first reading"
        if early:
            first = created.get(name, first)
        found.append(
            Finding(
                "burst",
                first,
                last,
                "all-time" if early else "both",
                float(row["ratio"]),
                f"{name}: up to {float(row['ratio']):.0f} times its level"
                + (" on average, before the first reading" if early else ""),
                name,
                exact=False,
            )
        )
    return sorted(found, key=lambda one: (one.first, one.what))


def folded(id: str) -> str:
    """Return an id with case, hyphens and underscores folded away."""
    return re.sub(r"[-_]", "", id).lower()


def twin_findings(
    frames: Mapping[str, tuple[date, pd.DataFrame]], rules: TrustRules
) -> list[Finding]:
    """Return pairs of ids of one folded name in one file, one of them hardly counted.

    Parameters
    ----------
    frames
        Version to its day and its frame (``repository_id``, ``downloads_30d``).

    Returns
    -------
    list of Finding
        ``size`` is the smaller counter over the larger one.
    """
    found = []
    for _, (day, frame) in sorted(frames.items()):
        known = frame.dropna(subset=["downloads_30d"]).drop_duplicates("repository_id")
        names = known["repository_id"].astype("str")
        key = names.map(folded)
        part = pd.DataFrame({"key": key, "id": names, "n": known["downloads_30d"].astype("int64")})
        for _, group in part[part["key"].duplicated(keep=False)].groupby("key", sort=True):
            ordered = group.sort_values(["n", "id"], ascending=[False, True], kind="stable")
            top, low = ordered.iloc[0], ordered.iloc[-1]
            if top["n"] >= rules.twin_floor and low["n"] < rules.twin * top["n"]:
                found.append(
                    Finding(
                        "twin", day, day, "thirty", float(low["n"]) / float(top["n"]),
                        f"{low['id']} beside {top['id']}", str(top["id"]), exact=False,
                    )
                )  # fmt: skip
    return found


# ------------------------------------------------------------------------------ the test list


@dataclass(frozen=True)
class Held:
    """What our files hold, to say whether a day could be seen at all.

    Attributes
    ----------
    heads
        Days of the lists of the head.
    labels
        Labels of the panel: first and last day that each may stand for.
    files
        As-of days of all files with counters.
    readings
        Days on which any counter was read, the last that its label may stand for.
    ids
        Ids that have a counter in any file.
    """

    heads: frozenset[date]
    labels: tuple[tuple[date, date], ...]
    files: frozenset[date]
    readings: frozenset[date]
    ids: frozenset[str]


def _unseen(entry: Expected, first: date, last: date, held: Held) -> str:
    """Return why a listed day cannot be seen in our files; empty where it can."""
    if entry.needs == "pair":
        days = {day for start, day in held.labels if start == day} | held.heads
        inside = [day for day in days if first <= day <= last]
        if not any(day + timedelta(days=1) in days for day in inside):
            return "no counter of ours was read on this day and again a day later"
    elif entry.needs == "label":
        if not any(start <= last and end >= first for start, end in held.labels):
            return "the panel has no label that may stand for these days"
    elif entry.needs == "head":
        if not any(first <= day <= last for day in held.heads):
            return "no list of the head was read on these days"
    elif entry.needs == "dump":
        if not any(first <= day <= last for day in held.files):
            return "no file of ours was read on this day, and none copies a daily dump whole"
    elif entry.needs == "both":
        if not any(day < first for day in held.readings):
            return "no file of ours holds any counter of before this day"
    elif entry.needs == "ids":
        there = [name for name in entry.ids if name in held.ids]
        if len(there) < len(entry.ids):
            words = f"only {', '.join(there)}" if there else "neither id"
            return f"our files hold {words}, read long after"
    return ""


def held_against(
    listed: pd.DataFrame, found: Iterable[Finding], held: Held, rules: TrustRules
) -> pd.DataFrame:
    """Hold the findings against the published list of days.

    Parameters
    ----------
    listed
        ``data/reference/counter-anomalies.csv``: ``from``, ``to``, ``what``, ``source``.

    Returns
    -------
    pandas.DataFrame
        ``from``, ``to``, ``weekday`` (of a single day), ``what``, ``source``, ``verdict`` (found,
        not visible, missed), ``rules`` (that find it), ``in_view`` (what they were set with in
        view: the most independent of them counts), ``cites`` (whether the row cites files that we
        read ourselves), ``found`` (their words), ``reading`` (what else the finding may be),
        ``why`` (why it is not visible).

    Raises
    ------
    InputError
        A row of the list has no entry in ``data/trust.toml``.
    """
    every = list(found)
    by_day = {entry.from_: entry for entry in rules.expected}
    rows = []
    for row in listed.to_dict("records"):
        first, last = date.fromisoformat(str(row["from"])), date.fromisoformat(str(row["to"]))
        if first not in by_day:
            raise InputError(
                f"data/trust.toml: no entry expected for {first} of "
                "data/reference/counter-anomalies.csv: say by which rule it should be found"
            )
        entry = by_day[first]
        hits = [
            one
            for one in every
            if one.rule in entry.rules
            and one.first <= last
            and one.last >= first
            # A burst or a pair of ids is found only if it is the one that the list speaks of.
            and (not one.repository or one.repository.split("/")[-1] in str(row["what"]))
        ]
        why = "" if hits else _unseen(entry, first, last, held)
        rows.append(
            {
                "from": first.isoformat(),
                "to": last.isoformat(),
                "weekday": _WEEKDAYS[first.weekday()] if first == last else None,
                "what": row["what"],
                "source": row["source"],
                "verdict": "found" if hits else "not visible" if why else "missed",
                "rules": "; ".join(dict.fromkeys(one.rule for one in hits)),
                "in_view": min(
                    (rules.in_view.of(one.rule) for one in hits), key=_VIEWS.index, default=None
                ),
                "cites": entry.cites,
                "found": "; ".join(dict.fromkeys(told(one) for one in hits)),
                "reading": entry.reading if hits else "",
                "why": why,
            }
        )
    return pd.DataFrame(rows)


#: What a rule may have been set with in view, the most independent first.
_VIEWS: Final = ("none", "data", "list")


def told(one: Finding) -> str:
    """Return a finding with its days, in words."""
    days = one.first.isoformat()
    if one.last != one.first:
        days += f" to {one.last.isoformat()}"
    return f"{one.what} ({days})"


def table_of(found: Iterable[Finding], listed: pd.DataFrame) -> pd.DataFrame:
    """Return findings as a table, in order of day, with whether the published list has them.

    Returns
    -------
    pandas.DataFrame
        ``rule``, ``first``, ``last`` (ISO), ``weekday``, ``counter``, ``size``, ``what``,
        ``repository``, ``listed`` (a row of the list lies on its days), ``grade``.
    """
    spans = [
        (date.fromisoformat(str(a)), date.fromisoformat(str(b)), str(what))
        for a, b, what in zip(listed["from"], listed["to"], listed["what"], strict=True)
    ]
    rows = [
        {
            "rule": one.rule,
            "first": one.first.isoformat(),
            "last": one.last.isoformat(),
            "weekday": one.weekday or None,
            "counter": one.counter,
            "size": one.size,
            "what": one.what,
            "repository": one.repository or None,
            "listed": any(
                one.first <= b
                and one.last >= a
                and (not one.repository or one.repository.split("/")[-1] in what)
                for a, b, what in spans
            ),
            "grade": "computed",
        }
        for one in sorted(found, key=lambda one: (one.first, one.rule, one.what))
    ]
    columns = ["rule", "first", "last", "weekday", "counter", "size", "what", "repository"]
    return pd.DataFrame(rows, columns=[*columns, "listed", "grade"])


def crossed(
    found: Iterable[Finding], counter: str, day: date, within: int, span: tuple[date, date]
) -> list[Finding]:
    """Return the findings that a claim's reading crosses.

    Parameters
    ----------
    counter
        ``thirty``: a reading of `day` (or up to `within` days off) holds the thirty days before;
        ``all-time``: it holds everything before, so slow spans and repeated labels are
        left out unless they lie on the days of reading; ``panel``: `span`.
    """
    reading = (day - timedelta(days=within), day + timedelta(days=within))
    window = {
        "thirty": (reading[0] - timedelta(days=29), reading[1]),
        "all-time": (date.min, reading[1]),
        "panel": span,
    }[counter]
    own = {
        "thirty": ("thirty", "both"), "all-time": ("all-time", "both"),
        "panel": ("all-time", "both"),
    }[counter]  # fmt: skip
    out = []
    for one in found:
        start, end = window
        if counter == "all-time" and one.rule in ("slow", "repeat"):
            start, end = reading
        if one.counter in own and one.first <= end and one.last >= start:
            out.append(one)
    return out


def with_and_without(table: pd.DataFrame) -> pd.DataFrame:
    """Pair the specifications of a claim that differ in the treatment of bursts alone.

    Parameters
    ----------
    table
        ``specifications_<claim>``; its columns before ``value`` are the choices.

    Returns
    -------
    pandas.DataFrame
        A row a pair: the choices, ``is_article``, and ``value``, ``lower``, ``upper``, ``holds``
        and, where a result is a month, ``first`` and ``last``, with ``_in`` (as counted) and
        ``_out`` (bursts put back to level); empty where the grid has no such choice.
    """
    if "outliers" not in table.columns:
        return pd.DataFrame()
    names = list(table.columns)
    keys = [
        name
        for name in names[names.index("is_article") + 1 : names.index("value")]
        if name != "outliers"
    ]
    results = ["value", "lower", "upper", "holds"]
    results += [name for name in ("first", "last") if name in names]
    counted = table.loc[table["outliers"] == "in", [*keys, *results, "is_article"]]
    level = table.loc[table["outliers"] == "out", [*keys, *results]]
    if not keys:
        return counted.merge(level, how="cross", suffixes=("_in", "_out"))
    return counted.merge(level, on=keys, how="inner", suffixes=("_in", "_out"))
