"""Pulls of Ollama's library: whose they are, how many, and how many new ones in a month.

A second instrument beside the Hub: its own registry counts requests for a name's files since the
beginning. Its page rounds, so every value is an interval; a difference of two readings is one too.
Whose a name is, what is a burst and how days become months is data (``data/pulls.toml``). The unit
is pulls throughout; they are never added to downloads of the Hub.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from analysis.entries import checked
from analysis.errors import InputError
from analysis.measure import outliers
from analysis.measure.bounds import WINDOW, History

#: Family of what belongs to none.
OTHER: Final = "other"
#: What can be done with a name of several owners.
SHARED: Final = ("maker", "default", "left-out", "bounds")
#: Whose names count as a family's.
NAMES: Final = ("own", "derivatives")

_MONTH: Final = r"^\d{4}-\d{2}$"

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def compiles(value: str) -> str:
    """Return a regular expression as it is; ValueError when it is none."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from None
    return value


class Rule(_Strict):
    """Names of the library, and whose they are.

    Attributes
    ----------
    family
        Who made them: an id of ``data/families.toml``, or :data:`OTHER`.
    wide
        Whose name or weights they carry, where that is another family.
    """

    family: str
    wide: str | None = None
    kind: Literal["language model", "embedding", "closed"] = "language model"
    names: str
    reason: Reason

    @field_validator("names")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return compiles(value)


class Shared(_Strict):
    """One name that several families own."""

    name: str
    family: str
    default: str
    default_reason: Reason
    among: tuple[str, ...]
    reason: Reason


class Led(_Strict):
    """The months over which Llama is said to have led, and the families counted in them."""

    first: str = Field(pattern=_MONTH)
    last: str = Field(pattern=_MONTH)
    reason: Reason
    counted: tuple[str, ...]
    counted_reason: Reason
    panel_days: tuple[date, ...] = Field(min_length=2)
    panel_reason: Reason

    @field_validator("panel_days")
    @classmethod
    def _in_order(cls, value: tuple[date, ...]) -> tuple[date, ...]:
        if any(later <= earlier for earlier, later in pairwise(value)):
            raise ValueError("each day comes after the one before it")
        return value


class PullRules(_Strict):
    """``data/pulls.toml``."""

    first_month: str = Field(pattern=_MONTH)
    first_month_reason: Reason
    month_reason: Reason
    hour_days: int = Field(ge=0)
    hour_reason: Reason
    embedding: str
    embedding_reason: Reason
    rounding_reason: Reason
    near: int = Field(ge=1)
    near_reason: Reason
    led: Led
    shared: tuple[Shared, ...]
    rule: tuple[Rule, ...]

    @field_validator("embedding")
    @classmethod
    def _readable(cls, value: str) -> str:
        return compiles(value)


def parse(mapping: Mapping[str, object]) -> PullRules:
    """Validate the content of ``data/pulls.toml``; InputError names a wrong entry."""
    return checked(PullRules, mapping, "data/pulls.toml")


# ----------------------------------------------------------------------------------- whose


def owners(names: Iterable[str], rules: PullRules) -> pd.DataFrame:
    """Say whose each name is.

    Returns
    -------
    pandas.DataFrame
        Index: name. ``family`` (who made it), ``wide`` (whose name or weights it carries),
        ``kind``, ``rule`` (place of the rule in the file, counted from 1; 0: no rule names it,
        and it is :data:`OTHER`), ``shared`` (whether it has several owners), ``reason``.
    """
    compiled = [re.compile(rule.names, re.IGNORECASE) for rule in rules.rule]
    several = {entry.name: entry for entry in rules.shared}
    rows = []
    unique = sorted(set(names))
    for name in unique:
        place = next((i for i, rule in enumerate(compiled) if rule.fullmatch(name)), None)
        if name in several:
            entry = several[name]
            rows.append(
                (entry.family, entry.family, "language model", (place or 0) + 1, True, entry.reason)
            )
        elif place is None:
            rows.append((OTHER, OTHER, "language model", 0, False, "no rule names it"))
        else:
            rule = rules.rule[place]
            wide = rule.wide or rule.family
            rows.append((rule.family, wide, rule.kind, place + 1, False, rule.reason))
    columns = ["family", "wide", "kind", "rule", "shared", "reason"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(unique, name="library_model"))


# ---------------------------------------------------------------------------- how many


@dataclass(frozen=True)
class Library:
    """Every reading of the library.

    Attributes
    ----------
    pulls, units
        Rows: names; columns: ordinal days in order. Pulls of all time, and the unit to which
        each is rounded; NaN where the name was not in the library.
    versions
        Version of each day.
    """

    pulls: pd.DataFrame
    units: pd.DataFrame
    versions: tuple[str, ...]

    @property
    def days(self) -> tuple[int, ...]:
        """Ordinal days of the readings, in order."""
        return tuple(int(day) for day in self.pulls.columns)

    def place(self, day: date) -> int:
        """Return the place of a day among the readings; InputError that lists them."""
        if day.toordinal() not in self.days:
            known = ", ".join(date.fromordinal(d).isoformat() for d in self.days)
            raise InputError(f"the library was not read on {day}; it was on: {known}")
        return self.days.index(day.toordinal())

    @cached_property
    def gains(self) -> tuple[pd.DataFrame, ...]:
        """New pulls between readings in a row, by name: ``value``, ``lower``, ``upper``.

        A name that was not there before starts at nothing; one that is gone gains nothing that
        anybody saw. An all-time counter runs up: no lower end is below zero, unless it fell.
        """
        return tuple(self._gain(i) for i in range(len(self.days) - 1))

    def _gain(self, place: int) -> pd.DataFrame:
        before, after = self.pulls.iloc[:, place], self.pulls.iloc[:, place + 1]
        unit, then = self.units.iloc[:, place + 1], self.units.iloc[:, place]
        there = after.notna()
        began = there & before.isna()
        value = (after - before.fillna(0)).where(there, 0.0)
        coarse = pd.concat([unit, then], axis="columns").max(axis="columns").fillna(0)
        # A unit of one is a plain count.
        width = coarse.where(coarse > 1, 0.0).where(there, 0.0)
        lower, upper = value - width.where(~began, width / 2), value + width
        lower = lower.where(value < 0, lower.clip(lower=0))
        return pd.DataFrame({"value": value, "lower": lower, "upper": upper})

    def stock(self, day: date) -> pd.DataFrame:
        """Return pulls of all time on a day, by name: ``value``, ``lower``, ``upper``."""
        place = self.place(day)
        value, unit = self.pulls.iloc[:, place], self.units.iloc[:, place]
        width = unit.where(unit > 1, 0.0)
        table = pd.DataFrame({"value": value, "lower": value - width / 2, "upper": value + width})
        return table.dropna()

    def new(self, first: date, last: date) -> pd.DataFrame:
        """Return new pulls between two days read, by name: ``value``, ``lower``, ``upper``."""
        start, end = self.place(first), self.place(last)
        if end <= start:
            raise InputError(f"{last} does not come after {first}")
        # Units of the readings between cancel: only the two ends are rounded.
        whole = Library(
            self.pulls.iloc[:, [start, end]], self.units.iloc[:, [start, end]], ("", "")
        )
        return whole.gains[0]

    def month(self, month: str) -> pd.DataFrame:
        """Return new pulls in a calendar month, by name: ``value``, ``lower``, ``upper``.

        Exact up to rounding where both ends of the month were read; else at least what the spans
        inside it gained, at most what every span that touches it gained, the value shared out
        evenly over days. InputError where the readings do not reach.
        """
        start, end = _ends(month)
        snapped = [self._snap(day) for day in self.days]
        if snapped[0] > start or snapped[-1] < end:
            raise InputError(f"the readings of the library do not reach over {month}")
        if start in snapped and end in snapped:
            days = self.days
            first, last = days[snapped.index(start)], days[snapped.index(end)]
            return self.new(date.fromordinal(first), date.fromordinal(last))
        total = pd.DataFrame(0.0, index=self.pulls.index, columns=["value", "lower", "upper"])
        for (low, high), gain in zip(pairwise(snapped), self.gains, strict=True):
            shared = min(high, end) - max(low, start)
            if shared <= 0:
                continue
            inside = low >= start and high <= end
            total["value"] += gain["value"] * (shared / (high - low))
            total["lower"] += gain["lower"] if inside else gain["lower"].clip(upper=0)
            total["upper"] += gain["upper"] if inside else gain["upper"].clip(lower=0)
        return total

    @staticmethod
    def _snap(day: int) -> int:
        """Return the last day of the month before for a reading of the first of a month."""
        return day - 1 if date.fromordinal(day).day == 1 else day

    def months(self, first: str) -> list[str]:
        """Months from `first` on that the readings reach over, and whose end was passed."""
        out: list[str] = []
        month = first
        while True:
            start, end = _ends(month)
            if self._snap(self.days[-1]) < end:
                return out
            if self._snap(self.days[0]) <= start:
                out.append(month)
            month = date.fromordinal(end + 1).isoformat()[:7]

    def certain(self, month: str) -> bool:
        """Whether both ends of a month were read."""
        snapped = [self._snap(day) for day in self.days]
        return all(end in snapped for end in _ends(month))

    def length(self, month: str) -> int:
        """Days of a calendar month."""
        start, end = _ends(month)
        return end - start


def _ends(month: str) -> tuple[int, int]:
    """Ordinals of the last day of the month before, and of its own last day."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise InputError(f"{month!r} is not a month (YYYY-MM)") from error
    following = (first + timedelta(days=31)).replace(day=1)
    return first.toordinal() - 1, following.toordinal() - 1


def library(frames: Mapping[str, pd.DataFrame], days: Mapping[str, date]) -> Library:
    """Put the readings of the kind ``ollama-library`` beside one another.

    Parameters
    ----------
    frames
        ``library_model``, ``pulls``, ``pulls_unit`` by version.
    days
        Day of each version; of two on one day the one of the later name is kept.
    """
    if not frames:
        raise InputError("no reading of Ollama's library: register a version of its sources")
    order = sorted(frames, key=lambda name: (days[name], name))
    kept = {days[name].toordinal(): name for name in order}
    pulls, units = {}, {}
    for day, name in kept.items():
        frame = frames[name].dropna(subset=["library_model", "pulls"])
        index = frame["library_model"].astype("object")
        pulls[day] = pd.Series(frame["pulls"].to_numpy(dtype="float64"), index=index)
        units[day] = pd.Series(frame["pulls_unit"].to_numpy(dtype="float64"), index=index)
    wide = pd.DataFrame(pulls).sort_index()
    return Library(wide, pd.DataFrame(units).reindex(wide.index), tuple(kept.values()))


def by_family(amounts: pd.DataFrame, owner: pd.Series) -> pd.DataFrame:
    """Sum amounts of names by family: ``value``, ``lower``, ``upper``; names without one left out.

    The ends are sums of ends: every rounding may lie on the same side.
    """
    known = owner.reindex(amounts.index)
    sums: pd.DataFrame = amounts[known.notna()].groupby(known.dropna(), sort=True).sum()
    return sums


def owner_of(table: pd.DataFrame, names: str, shared: str, rules: PullRules) -> pd.Series:
    """Return the family of each name under one reading.

    Parameters
    ----------
    table
        What :func:`owners` gives.
    names
        One of :data:`NAMES`: who made it, or whose name or weights it carries.
    shared
        One of :data:`SHARED`. A name of several owners has no family under ``left-out``
        and ``bounds``.
    """
    owner = table["family" if names == "own" else "wide"].astype("object").copy()
    for entry in rules.shared:
        if entry.name in owner.index:
            owner[entry.name] = {"maker": entry.family, "default": entry.default}.get(shared)
    return owner


def amount(sums: pd.DataFrame, family: str, column: str = "value") -> float:
    """Return one sum of :func:`by_family`, zero where the family has none."""
    found = sums.loc[sums.index == family, column]
    return float(found.iloc[0]) if len(found) else 0.0


@dataclass(frozen=True)
class Ratio:
    """One family over another, or over the largest other, with the name of that."""

    value: float
    lower: float
    upper: float
    over: str


def ratio(
    sums: pd.DataFrame,
    family: str,
    rivals: Sequence[str],
    open_part: tuple[float, float] = (0.0, 0.0),
    among: Sequence[str] = (),
) -> Ratio:
    """Divide a family's pulls by the largest of its rivals'.

    Parameters
    ----------
    sums
        What :func:`by_family` gives.
    open_part, among
        Ends of what has no owner, and the families any part of it may belong to.
    """

    def of(name: str, column: str) -> float:
        return max(amount(sums, name, column), 0.0)

    largest = max(sorted(rivals), key=lambda name: of(name, "value"))
    extra = open_part[1] if family in among else 0.0
    most = max(of(n, "upper") + (open_part[1] if n in among else 0.0) for n in rivals)
    # The part may belong to the family whole; what belongs to no rival lifts none.
    least = max(of(n, "lower") for n in rivals)
    forced = open_part[0] if among and set(among) <= set(rivals) else 0.0
    if forced:
        least = max(least, forced / len(among))
    return Ratio(
        _quotient(of(family, "value"), of(largest, "value")),
        _quotient(of(family, "lower"), most),
        _quotient(of(family, "upper") + extra, least),
        largest,
    )


def slack(sums: pd.DataFrame, part: float) -> pd.DataFrame:
    """Widen sums of :func:`by_family` by a part of each family's own value, at either end.

    No lower end falls below zero for it. It shows what the hour of reading could change.
    """
    more = part * sums["value"].clip(lower=0)
    lower = (sums["lower"] - more).where(sums["lower"] < 0, (sums["lower"] - more).clip(lower=0))
    return sums.assign(lower=lower, upper=sums["upper"] + more)


def _quotient(part: float, whole: float) -> float:
    if whole > 0:
        return part / whole
    return float("inf") if part > 0 else float("nan")


# ----------------------------------------------------------------------- the panel beside it


def kept_gains(
    counters: pd.DataFrame, owner: Mapping[str, str], days: Sequence[date]
) -> pd.DataFrame:
    """Return what repositories read on both days of a span gained, by family.

    Parameters
    ----------
    counters
        ``day``, ``repository_id``, ``downloads_all_time``.
    owner
        Family by repository; others are left out.
    days
        Ends of the spans, in order.

    Returns
    -------
    pandas.DataFrame
        ``first``, ``last`` (ISO days), ``family``, ``repositories`` (read on both days), ``value``
        (downloads), ``moved`` (the last day of the span by which any of their counters had
        risen; empty where none did). Families without a repository in a span have no row.
    """
    counters = counters.assign(
        family=counters["repository_id"].map(dict(owner)),
        day=pd.to_datetime(counters["day"]).dt.date,
    ).dropna(subset=["family", "downloads_all_time"])
    rows: list[tuple[str, str, str, int, float, str]] = []
    for first, last in pairwise(days):
        span = counters[(counters["day"] >= first) & (counters["day"] <= last)]
        start = set(span.loc[span["day"] == first, "repository_id"])
        both = start & set(span.loc[span["day"] == last, "repository_id"])
        span = span[span["repository_id"].isin(both)]
        # A day that stands twice holds its largest reading.
        known = span.groupby(["family", "repository_id", "day"], sort=True)[
            "downloads_all_time"
        ].max()
        table = known.astype("float64").reset_index(name="value")
        table["rise"] = table.groupby("repository_id")["value"].diff()
        for name, part in table.groupby("family", sort=True):
            risen = part.loc[part["rise"] > 0, "day"]
            until = risen.max().isoformat() if len(risen) else ""
            ends = (first.isoformat(), last.isoformat())
            gained = float(part["rise"].sum())
            number = part["repository_id"].nunique()
            rows.append((*ends, str(name), number, gained, until))
    columns = ["first", "last", "family", "repositories", "value", "moved"]
    return pd.DataFrame(rows, columns=columns)


# ---------------------------------------------------------------------------------- bursts


def rates(shelf: Library) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return new pulls between readings in a row, a thirty-day rate at the later day, by name.

    The first reading of a name is no rate: it holds all that came before.
    """
    out: dict[str, tuple[tuple[int, int], ...]] = {}
    values = shelf.pulls.to_numpy(dtype="float64")
    for row, name in enumerate(shelf.pulls.index):
        known = []
        for place, (first, last) in enumerate(pairwise(shelf.days)):
            gained = values[row, place + 1] - values[row, place]
            if not np.isnan(gained):
                known.append((last, round(max(gained, 0.0) * WINDOW / (last - first))))
        out[str(name)] = tuple(known)
    return out


def bursts(
    shelf: Library,
    family: Mapping[str, str | None],
    rule: outliers.BurstRule,
    near: int,
    how: Literal["increments", "as-it-stands"] = "increments",
    times: float | None = None,
) -> pd.DataFrame:
    """Name bursts by the Hub's rule (:func:`analysis.measure.outliers.bursts`).

    Parameters
    ----------
    family
        Family by name, for what a family did together; other names have None.
    near
        Replaces the rule's ``near`` for increments, which share no days.
    how
        ``increments``: the gains between readings in a row, as thirty-day rates. ``as-it-stands``:
        the all-time readings as the rule takes them on the Hub (pairs 28 to 32 days apart).
    times
        Another ratio than the declared one.

    Returns
    -------
    pandas.DataFrame
        As the Hub's rule gives them (``repository_id`` holds the name), and for increments
        ``first`` (ordinal day of the reading before) and ``gained_excess`` (pulls above the
        level between the two readings). The excess is an estimate: nobody knows what the level
        would have been.
    """
    if how == "as-it-stands":
        histories = {
            str(name): History(
                all_time=tuple((int(str(d)), int(str(d)), int(v)) for d, v in row.dropna().items())
            )
            for name, row in shelf.pulls.iterrows()
        }
        return outliers.bursts(histories, family, rule, times)
    histories = {name: History(rolling=known) for name, known in rates(shelf).items()}
    found = outliers.bursts(histories, family, rule.model_copy(update={"near": near}), times)
    earlier = dict(zip(shelf.days[1:], shelf.days[:-1], strict=True))
    first = [earlier[int(day)] for day in found["day"]]
    length = found["day"].to_numpy(dtype="float64") - np.array(first, dtype="float64")
    return found.assign(first=first, gained_excess=found["excess"] * length / WINDOW)


def without(shelf: Library, found: pd.DataFrame) -> Library:
    """Take the excess of bursts out of every reading from the burst on."""
    pulls = shelf.pulls.copy()
    for name, day, excess in zip(
        found["repository_id"], found["day"], found["gained_excess"], strict=True
    ):
        later = [column for column in pulls.columns if int(column) >= int(day)]
        pulls.loc[name, later] -= float(excess)
    return Library(pulls, shelf.units, shelf.versions)


# ------------------------------------------------------------------------ what moves oddly


def moves(shelf: Library) -> pd.DataFrame:
    """Names that came, went or fell between readings in a row.

    Returns
    -------
    pandas.DataFrame
        ``first``, ``last`` (ISO days), ``library_model``, ``what`` (``new``, ``gone``,
        ``fell``), ``before``, ``after`` (pulls).
    """
    rows = []
    for place, (first, last) in enumerate(pairwise(shelf.days)):
        before, after = shelf.pulls.iloc[:, place], shelf.pulls.iloc[:, place + 1]
        for name in shelf.pulls.index:
            a, b = float(before[name]), float(after[name])
            what = (
                ("new" if b == b else None)
                if a != a
                else "gone"
                if b != b
                else "fell"
                if b < a
                else None
            )
            if what:
                days = (date.fromordinal(first).isoformat(), date.fromordinal(last).isoformat())
                rows.append((*days, name, what, a, b))
    columns = ["first", "last", "library_model", "what", "before", "after"]
    return pd.DataFrame(rows, columns=columns)
