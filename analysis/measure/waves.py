"""Waves of derivatives around releases: an event study with placebo days.

A family's new derivatives are a number a day. Around the day of a release the sum of a window
after it is held against a window of the same length before it, and the ratio against the ratios
of placebo days: every few days of the span taken as if a release had been on them. A rise that
many placebo days show too is no wave of the release. (MacKinlay 1997, "Event studies in economics
and finance"; the placebo days are permutation inference in time, as in Abadie, Diamond and
Hainmueller 2010.) What decides is data (``data/waves.toml``).

A second reading looks at the released bases alone: do their derivatives come at once, or later?
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from analysis.entries import checked
from analysis.errors import InputError

#: Where the derivatives of a month lie in it, when only the month is known.
PLACES: Final = ("early", "even", "late")

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where derivatives are dated, and the days on which it can be trusted to hold them."""

    id: str
    kind: Literal["derivative-counts", "hub-snapshot"]
    version: str | None = None
    first: date
    last: date
    reason: Reason


class Week(_Strict):
    """A nearly complete week of new repositories, and how a base's generation is read."""

    version: str
    first: date
    last: date
    generation: str
    reason: Reason

    @model_validator(mode="after")
    def _compiles(self) -> Week:
        try:
            groups = re.compile(self.generation).groups
        except re.error as error:
            raise ValueError(f"generation is no regular expression: {error}") from None
        if groups != 1:
            raise ValueError("generation needs one group, the generation itself")
        return self


class WaveRules(_Strict):
    """``data/waves.toml``."""

    days_a_month: int = Field(gt=0)
    days_a_month_reason: Reason
    placebo_step: int = Field(gt=0)
    placebo_step_reason: Reason
    percentile: float = Field(gt=0.5, lt=1)
    percentile_reason: Reason
    later_windows: int = Field(ge=1)
    later_windows_reason: Reason
    level: float = Field(gt=0.5, lt=1)
    level_reason: Reason
    families: tuple[str, ...]
    families_reason: Reason
    source: tuple[Source, ...]
    week: Week

    def find(self, name: str) -> Source:
        """Return a source; InputError that lists them when there is none."""
        for entry in self.source:
            if entry.id == name:
                return entry
        known = ", ".join(entry.id for entry in self.source)
        raise InputError(f"data/waves.toml: no source {name!r}; there are: {known}")


def parse(mapping: Mapping[str, object]) -> WaveRules:
    """Validate the content of ``data/waves.toml``; InputError names a wrong entry."""
    return checked(WaveRules, mapping, "data/waves.toml")


@dataclass(frozen=True)
class Daily:
    """New derivatives a day, from `first` on (an ordinal day)."""

    first: int
    values: np.ndarray

    @property
    def last(self) -> int:
        """The day after the last."""
        return self.first + len(self.values)

    def between(self, start: int, end: int) -> float:
        """Sum over the days from `start` up to, not including, `end`."""
        low, high = max(start, self.first) - self.first, min(end, self.last) - self.first
        return float(self.values[low:high].sum()) if high > low else 0.0


def _after(start: date, months: int) -> int:
    """Return the ordinal of the same day some months later, or of that month's last day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1).toordinal()
    return min(date(year, month + 1, 1).toordinal() + start.day - 1, following - 1)


def daily_of_counts(
    gains: pd.DataFrame, created: Mapping[str, date], first: date, last: date, place: str = "even"
) -> Daily:
    """Spread monthly gains of bases over days.

    Parameters
    ----------
    gains
        ``repository_id``, ``month`` since release and ``gained`` in it
        (:func:`analysis.measure.bulk.gains`). Month `k` lies between k - 1 and k months
        after the base was created.
    created
        Day of creation of each base.
    first, last
        Days that the result covers, both included.
    place
        One of :data:`PLACES`: all of a month on its first day, evenly, or on its last.
    """
    start, end = first.toordinal(), last.toordinal() + 1
    values = np.zeros(end - start)
    for name, month, gained in zip(
        gains["repository_id"], gains["month"], gains["gained"], strict=True
    ):
        if gained <= 0:
            continue
        begin = _after(created[str(name)], max(int(month) - 1, 0))
        finish = max(_after(created[str(name)], int(month)), begin + 1)
        if place != "even":
            begin = begin if place == "early" else finish - 1
            finish = begin + 1
        low, high = max(begin, start), min(finish, end)
        if high > low:
            values[low - start : high - start] += float(gained) / (finish - begin)
    return Daily(start, values)


def daily_of_days(days: Iterable[date], first: date, last: date) -> Daily:
    """Count derivatives by their day of creation."""
    start, end = first.toordinal(), last.toordinal() + 1
    places = np.array([d.toordinal() - start for d in days if first <= d <= last], dtype="int64")
    return Daily(start, np.bincount(places, minlength=end - start).astype("float64"))


def since_first(daily: Daily) -> Daily:
    """Leave out the days before the first derivative; an empty series stays as it is."""
    some = np.flatnonzero(daily.values)
    if not len(some):
        return daily
    return Daily(daily.first + int(some[0]), daily.values[int(some[0]) :])


def ratio(daily: Daily, day: int, width: int) -> float:
    """Sum of the `width` days from `day` on over the sum of those before; NaN outside the span.

    Infinite where nothing came before and something after; 1 where nothing came at all.
    """
    if day - width < daily.first or day + width > daily.last:
        return math.nan
    before, after = daily.between(day - width, day), daily.between(day, day + width)
    if before == 0:
        return 1.0 if after == 0 else math.inf
    return after / before


def placebo(daily: Daily, width: int, step: int) -> np.ndarray:
    """Ratios of every `step`-th day whose windows lie in the span, from the first on."""
    days = range(daily.first + width, daily.last - width + 1, step)
    return np.array([ratio(daily, day, width) for day in days])


def rank(value: float, others: Sequence[float] | np.ndarray) -> float:
    """Part of `others` below `value`, equal ones counted half."""
    known = np.asarray(others, dtype="float64")
    known = known[~np.isnan(known)]
    if math.isnan(value) or not len(known):
        return math.nan
    return float(((known < value).sum() + 0.5 * (known == value).sum()) / len(known))


def shifted(daily: Daily, days: Sequence[int], width: int, step: int) -> float:
    """How often the same days, shifted around the span, show as large a mean rise.

    All releases are moved together by every multiple of `step` (those that leave the span
    come in again at its beginning), which keeps their distances. The mean is of the logarithms
    of the ratios, each bounded to a hundredfold so that an empty window decides nothing alone.

    Returns
    -------
    float
        Part of the shifts, the real dates among them, whose mean is at least the real one:
        a one-sided p-value. NaN without a release.
    """
    low, size = daily.first + width, daily.last - width - (daily.first + width) + 1
    inside = [day for day in days if low <= day < low + size]
    if not inside or size <= step:
        return math.nan

    def mean(shift: int) -> float:
        moved = [low + (day - low + shift) % size for day in inside]
        logs = [math.log(min(max(ratio(daily, day, width), 0.01), 100.0)) for day in moved]
        return sum(logs) / len(logs)

    real = mean(0)
    tried = [mean(shift) for shift in range(0, size, step)]
    return sum(value >= real - 1e-12 for value in tried) / len(tried)


def windows(gained: Sequence[float], width: int) -> list[float]:
    """Sum the months since release in windows of `width` months; an incomplete one is left out."""
    whole = len(gained) // width
    return [float(sum(gained[i * width : (i + 1) * width])) for i in range(whole)]


def comes_first(found: Sequence[float], later_windows: int) -> tuple[float, float]:
    """Hold the first window of a release's own derivatives against its later ones.

    Returns
    -------
    float
        First window over the mean of the later ones; NaN where too few were counted.
    float
        Rank of the first among the later ones (:func:`rank`).
    """
    later = np.array(found[1:], dtype="float64")
    if len(later) < later_windows:
        return math.nan, math.nan
    mean = float(later.mean())
    first = float(found[0])
    return (first / mean if mean else math.inf if first else 1.0), rank(first, later)


def needed(line: float, level: float) -> int:
    """Return how many releases, all with a wave, lift an exact interval above a line."""
    if not 0 < line < 1:
        raise InputError(f"a share to be passed lies between 0 and 1, not at {line}")
    count = 1
    # The lower end of all of `count` is the tail to the power of one over the count.
    while ((1 - level) / 2) ** (1 / count) <= line:
        count += 1
    return count


def generation(name: str, pattern: str) -> str | None:
    """Return the generation that a repository's name states, in lower case; None without one."""
    found = re.match(pattern, name.lower())
    return None if found is None else found.group(1).replace("-", "")
