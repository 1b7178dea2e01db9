"""What the data force a counter to have been on a day when nobody read it.

The Hub shows two counters of one quantity. Let ``c(d)`` be the requests that a
repository had received up to the end of day ``d``. Then

* ``downloads_all_time`` read on day ``d`` is ``c(d)``;
* ``downloads_30d`` read on day ``d`` is ``c(d) - c(d - 30)``;
* ``c`` does not fall, and is 0 before the repository is created;
* a repository missing from the complete list of the N most downloaded has a
  30-day counter of at most the list's last entry on that day.

Each of the first three bounds a *difference* of two values of ``c``. The
tightest bounds that a set of such statements implies are shortest paths in
the graph of days (a system of difference constraints: Bellman 1958; Cormen et
al., *Introduction to Algorithms*, section 22.4), so nothing is left on the
table and nothing is assumed. When the statements contradict one another the
graph has a negative cycle; the repository is then reported as in conflict and
only what was read on the day itself is kept. A list bounds its own day only:
the lists of two other days together allow twice their last entries, which is
more than any share is asked about.

The edges of the 30-day window are taken as known to one day (:data:`SLACK`):
the Hub does not say at what hour a window begins. Where one source read both
counters together, the window's end is the instant of the total. The test
:func:`check_arithmetic` counts how often real readings of the two counters
respect that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WINDOW = 30
SLACK = 1
_BEGINNING = 0  # ordinal before every repository: c = 0


@dataclass(frozen=True)
class History:
    """Everything known of one repository's counters.

    Attributes
    ----------
    rolling
        ``(day, value)`` readings of the 30-day counter, days as ordinals.
    all_time
        ``(first, last, value)`` readings of the all-time counter, taken on one of
        the days from `first` to `last` (equal where the day is known).
    ceilings
        ``(day, value)``: the repository was outside a complete list of the most
        downloaded on `day`, whose last entry was `value`.
    created
        Ordinal of the day of creation, or None when unknown.
    together
        Those of `rolling` that one source read with the day's (largest) all-time
        counter. Two sources may read one day at different hours: then nothing ties
        the window's end to the total.
    """

    rolling: tuple[tuple[int, int], ...] = ()
    all_time: tuple[tuple[int, int, int], ...] = ()
    ceilings: tuple[tuple[int, int], ...] = ()
    created: int | None = None
    together: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Interval:
    """Bounds of a counter; `upper` is infinite where nothing bounds it."""

    lower: float
    upper: float
    how: str

    def meet(self, other: Interval) -> Interval:
        """Return the intersection; the other interval wins where they are disjoint."""
        lower, upper = max(self.lower, other.lower), min(self.upper, other.upper)
        if lower > upper:
            return other
        how = self.how if (lower, upper) == (self.lower, self.upper) else other.how
        return Interval(lower, upper, how)


def settle(readings: Sequence[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    """Lower all-time readings to what a later reading undercuts.

    The Hub has corrected all-time counters downwards. A reading above a later
    one was corrected away: it stays only as far as the later one supports it.
    Several readings of the same days collapse to the largest (within a day the
    counter grows). Readings whose order is not known, because the days on which they
    may have been taken overlap, leave each other alone.

    Returns
    -------
    tuple of (first, last, value)
        Sorted; among readings whose order is known the values do not fall.
    """
    ordered = _largest(readings)
    begins = [first for first, _, _ in ordered]
    least = [value for _, _, value in ordered]
    for place in range(len(least) - 2, -1, -1):
        least[place] = min(least[place], least[place + 1])
    out: list[tuple[int, int, int]] = []
    for first, last, value in ordered:
        later = bisect_left(begins, last)
        out.append((first, last, min(value, least[later]) if later < len(least) else value))
    return tuple(out)


def falls(readings: Sequence[tuple[int, int, int]]) -> tuple[int, ...]:
    """Days (the earliest possible) of all-time readings below one that is surely earlier."""
    ordered = _largest(readings)
    by_end = sorted((last, value) for _, last, value in ordered)
    found: list[int] = []
    highest: int | None = None
    place = 0
    for first, _, value in ordered:
        while place < len(by_end) and by_end[place][0] < first:
            highest = by_end[place][1] if highest is None else max(highest, by_end[place][1])
            place += 1
        if highest is not None and value < highest and first not in found:
            found.append(first)
    return tuple(found)


def _largest(readings: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Keep the largest reading of the same days; sorted by day."""
    by_day: dict[tuple[int, int], int] = {}
    for first, last, value in readings:
        by_day[(first, last)] = max(value, by_day.get((first, last), value))
    return [(first, last, by_day[(first, last)]) for first, last in sorted(by_day)]


def _distances(
    history: History, extra: Iterable[int]
) -> tuple[dict[int, int], NDArray[np.float64]]:
    """All-pairs tightest upper bounds on ``c(j) - c(i)``, as ``matrix[i, j]``."""
    # Ceilings stay out of the graph: one bounds its own day (see hard_bounds); two
    # that straddle another day add up to more than any reading allows.
    edges: list[tuple[int, int, float]] = []
    days: set[int] = {_BEGINNING, *extra}

    def at_most(start: int, end: int, value: float) -> None:
        """State c(end) - c(start) <= value."""
        days.update((start, end))
        edges.append((start, end, value))

    exact = {first for first, last, _ in history.all_time if first == last}
    together = set(history.together)
    for day, value in history.rolling:
        at_most(day - WINDOW + SLACK, day - SLACK, value)
        at_most(day + SLACK, day - WINDOW - SLACK, -value)
        if day in exact and (day, value) in together:
            # Both counters were read at one instant: the window ends where the total stands.
            at_most(day - WINDOW + SLACK, day, value)
            at_most(day, day - WINDOW - SLACK, -value)
    settled = settle(history.all_time)
    for first, last, value in settled:
        at_most(_BEGINNING, first, value)
        at_most(last, _BEGINNING, -value)
    if history.created is not None:
        at_most(_BEGINNING, history.created - 1, 0)
    order = sorted(days)
    index = {day: place for place, day in enumerate(order)}
    matrix = np.full((len(order), len(order)), np.inf)
    np.fill_diagonal(matrix, 0.0)
    for place in range(len(order) - 1):
        matrix[place + 1, place] = 0.0  # c(earlier) - c(later) <= 0
    for start, end, limit in edges:
        i, j = index[start], index[end]
        matrix[i, j] = min(matrix[i, j], limit)
    through = np.empty_like(matrix)
    for k in range(len(order)):
        np.add(matrix[:, k : k + 1], matrix[k : k + 1, :], out=through)
        np.minimum(matrix, through, out=matrix)
    return index, matrix


def hard_bounds(
    history: History,
    days: Sequence[int],
    measure: str = "downloads_30d",
    corrections: Sequence[int] = (),
) -> list[Interval]:
    """Tightest bounds on a counter for each of `days`, without any assumption.

    Parameters
    ----------
    history
        What is known of the repository.
    days
        Ordinals of the days asked for.
    measure
        ``"downloads_30d"`` or ``"downloads_all_time"``.
    corrections
        Days (ordinals) on which the Hub is known to have corrected all-time
        counters; falls that the readings themselves show are added.

    Returns
    -------
    list of Interval
        In the order of `days`. ``how`` is ``"read"`` where the counter was read
        on the day (the largest reading of the day, as it was read), ``"not
        created"`` before creation, ``"bounded"`` where readings of other days or
        lists bound it on both sides or above (``"bounded across a correction"``
        where a day of correction lies between the all-time readings that carry
        the bound on either side: the counter may have fallen there),
        ``"unbounded"`` where nothing bounds it above, ``"conflict"`` where
        the readings contradict one another and none is of the day.
    """
    rolling = measure == "downloads_30d"
    series = (
        history.rolling
        if rolling
        else tuple((first, value) for first, last, value in history.all_time if first == last)
    )
    read: dict[int, int] = {}
    for day, value in series:
        read[day] = max(value, read.get(day, value))
    made = history.created

    def far(day: int) -> bool:
        # Without an all-time reading a window is only bounded through windows that meet it.
        near = any(abs(d - day) <= WINDOW + 3 * SLACK for d, _ in history.rolling)
        return rolling and not history.all_time and not near

    extra: set[int] = set()
    asked = [
        d for d in days if d not in read and not (made is not None and d < made) and not far(d)
    ]
    for day in asked:
        extra.update(
            (day + SLACK, day - WINDOW - SLACK, day - SLACK, day - WINDOW + SLACK)
            if rolling
            else (day,)
        )
    index, matrix = _distances(history, extra) if asked else ({}, np.zeros((0, 0)))
    conflict = bool((np.diagonal(matrix) < 0).any())
    corrected = sorted({*corrections, *falls(history.all_time)})
    # A reading that a later one undercuts was lowered to it, so a bound from above
    # reaches on to the first reading that stands as it was read.
    stands = sorted(set(settle(history.all_time)).intersection(history.all_time))
    out: list[Interval] = []
    for day in days:
        if day in read:
            out.append(Interval(float(read[day]), float(read[day]), "read"))
            continue
        if made is not None and day < made:
            out.append(Interval(0.0, 0.0, "not created"))
            continue
        if far(day):
            lid = min((float(v) for when, v in history.ceilings if when == day), default=np.inf)
            out.append(Interval(0.0, lid, "bounded" if np.isfinite(lid) else "unbounded"))
            continue
        if conflict:
            out.append(Interval(0.0, np.inf, "conflict"))
            continue
        if rolling:
            upper = matrix[index[day - WINDOW - SLACK], index[day + SLACK]]
            lower = -matrix[index[day - SLACK], index[day - WINDOW + SLACK]]
            for when, ceiling in history.ceilings:
                if when == day:
                    upper = min(upper, float(ceiling))
        else:
            upper = matrix[index[_BEGINNING], index[day]]
            lower = -matrix[index[day], index[_BEGINNING]]
        how = "bounded" if np.isfinite(upper) else "unbounded"
        start = day - WINDOW - SLACK if rolling else day
        if how == "bounded" and _crosses(history, stands, start, day, corrected):
            how = "bounded across a correction"
        out.append(Interval(max(0.0, float(lower)) + 0.0, float(upper), how))
    return out


def _crosses(
    history: History,
    stands: Sequence[tuple[int, int, int]],
    start: int,
    end: int,
    corrected: Sequence[int],
) -> bool:
    """Whether a correction lies between the all-time readings around the days `start` to `end`."""
    before = max((last for _, last, _ in history.all_time if last <= start), default=start)
    after = min((first for first, _, _ in stands if first >= end), default=None)
    if after is None:
        after = max((first for first, _, _ in history.all_time), default=start)
    return any(before < day <= after for day in corrected)


def contradicts(history: History) -> bool:
    """Whether the readings of one repository contradict one another (a negative cycle)."""
    if not history.rolling and not history.all_time:
        return False
    _, matrix = _distances(history, ())
    return bool((np.diagonal(matrix) < 0).any())


def check_arithmetic(histories: Mapping[str, History]) -> pd.DataFrame:
    """Test the identity of the two counters on real readings.

    For each 30-day reading above 0: the difference of the all-time readings just
    outside the window, where there is one on either side, must not be smaller than
    the 30-day counter; the difference of the first and the last of two or more
    inside must not be larger (window edges known to :data:`SLACK` days).

    Returns
    -------
    pandas.DataFrame
        ``side`` (outside, inside), ``checks``, ``violations``, ``worst`` (the
        ratio all-time difference / 30-day counter nearest to or beyond 1).
    """
    outside: list[float] = []
    inside: list[float] = []
    for name in sorted(histories):
        history = histories[name]
        settled = settle(history.all_time)
        for day, value in history.rolling:
            if value <= 0:
                continue
            before = [v for _, d, v in settled if d <= day - WINDOW - SLACK]
            after = [v for d, _, v in settled if d >= day + SLACK]
            if before and after:
                outside.append((after[0] - before[-1]) / value)
            # One reading alone has no difference: it would pass whatever it said.
            within = [v for f, d, v in settled if f >= day - WINDOW + SLACK and d <= day - SLACK]
            if len(within) > 1:
                inside.append((within[-1] - within[0]) / value)
    return pd.DataFrame(
        [
            {
                "side": "outside",
                "checks": len(outside),
                "violations": sum(r < 1 for r in outside),
                "worst": min(outside, default=float("nan")),
            },
            {
                "side": "inside",
                "checks": len(inside),
                "violations": sum(r > 1 for r in inside),
                "worst": max(inside, default=float("nan")),
            },
        ]
    )


def histories(
    readings: pd.DataFrame,
    created: Mapping[str, date],
    heads: Mapping[int, tuple[int, frozenset[str]]],
    repositories: Iterable[str],
) -> dict[str, History]:
    """Collect what is known of each repository.

    Parameters
    ----------
    readings
        Table of :func:`analysis.measure.readings.assemble`.
    created
        Day of creation by repository, where known.
    heads
        Day (ordinal) to the last entry of that day's complete list of the most
        downloaded, and the repositories on it.
    repositories
        The repositories wanted; one without any reading gets its ceilings only.

    Notes
    -----
    A 30-day counter whose day is not known (``spread`` above 0) bounds no day and
    is left out.
    """
    wanted = sorted(set(repositories))
    rows = readings[readings["repository_id"].isin(wanted)]
    rolling: dict[str, set[tuple[int, int]]] = {}
    all_time: dict[str, set[tuple[int, int, int]]] = {}
    by_source: dict[tuple[str, int], dict[str, tuple[set[int], set[int]]]] = {}
    for repository, day, spread, measure, value, source in zip(
        rows["repository_id"],
        rows["day"],
        rows["spread"],
        rows["measure"],
        rows["value"],
        rows["source"],
        strict=True,
    ):
        short = measure == "downloads_30d"
        if short and spread == 0:
            rolling.setdefault(repository, set()).add((int(day), int(value)))
        elif not short:
            all_time.setdefault(repository, set()).add((int(day), int(day + spread), int(value)))
        if spread == 0:
            pair = by_source.setdefault((repository, int(day)), {}).setdefault(
                source, (set(), set())
            )
            pair[0 if short else 1].add(int(value))
    together: dict[str, set[tuple[int, int]]] = {}
    for (repository, day), sources in by_source.items():
        largest = max((max(totals) for _, totals in sources.values() if totals), default=None)
        for shorts, totals in sources.values():
            # Of a source with several rows for one repository nobody knows which belong together.
            if len(shorts) == 1 and totals == {largest}:
                together.setdefault(repository, set()).add((day, min(shorts)))
    out: dict[str, History] = {}
    for repository in wanted:
        made = created.get(repository)
        out[repository] = History(
            rolling=tuple(sorted(rolling.get(repository, ()))),
            all_time=tuple(sorted(all_time.get(repository, ()))),
            ceilings=tuple(
                (day, last)
                for day, (last, members) in sorted(heads.items())
                if repository not in members
            ),
            created=made.toordinal() if made is not None else None,
            together=tuple(sorted(together.get(repository, ()))),
        )
    return out
