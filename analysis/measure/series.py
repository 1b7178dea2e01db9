"""Shares over days: what a row of a series may be compared with, and how.

A series is a list of snapshots, each one reading of the Hub's counters on one day. Two overlaps
keep its rows from being plain numbers in a row.

**Time.** A rolling counter of 30 days read on two days that lie fewer than 30 days apart counts
the days between twice: such values cannot be added, and their errors are not independent
(Hansen and Hodrick, *Forward Exchange Rates as Optimal Predictors of Future Spot Rates*, Journal
of Political Economy 88, 1980: observations sampled more finely than they last have moving-average
errors). So each row says how many of its 30 days no earlier row has seen (``days_new``), and
:func:`apart` picks days for sums: as many as do not overlap. A reading that only repeats an earlier
one (:mod:`analysis.snapshot.repeats`) shows no new day at all; it keeps its row, is marked, and
takes no part in comparisons. The all-time counter has no window: each reading holds all earlier
ones, and only differences would be of a time of their own.

**Membership.** Snapshots hold different repositories, so a share "among the rows present" moves
when rows come and go. Three answers, side by side:

``lower``, ``upper``
    Where the population is a list, its missing repositories are bounded, and rows of different
    days are comparable as intervals. Where it is whatever is present, nothing is missing, the
    interval is a point, and shares of different days are **not** comparable.
``matched_…``
    Both shares over the repositories read on both days of a neighbouring pair: the matched sample
    of Patterson (*Sampling on Successive Occasions with Partial Replacement of Units*, Journal of
    the Royal Statistical Society B 12, 1950), the matched model of price statistics (Consumer
    Price Index Manual, ILO and others). ``chained_share`` carries the first share
    on by these links: a family and all the rest grow each by its own matched growth. It stays
    between 0 and 1; its level is that of the first day's rows, so only its movement says
    something. A matched comparison is blind to what enters and leaves: a family that wins by
    new models gains nothing here, and the part of the downloads that is matched
    (``matched_covers``) says how much is seen. In a ranking even entering is an outcome: what
    climbs into it is not matched on the day it does. Links chained over many days drift where
    counters bounce (Ivancic, Diewert and Fox, *Scanner Data, Time Aggregation and the
    Construction of Price Indexes*, Journal of Econometrics 161, 2011).
``common_…``
    The share over the repositories that every new reading of the series holds: one fixed set,
    no chain; small where the series is long.

Columns before ``matched_`` speak of one snapshot alone, except ``days_new`` and the verdict, which
look at earlier ones. ``matched_…`` speaks of it and its neighbour, ``chained_share`` and
``common_…`` of the whole series. Where nothing was read there is null, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError
from analysis.measure.shares import Total, fraction
from analysis.snapshot.repeats import FEWEST, PARTIAL_SHARE, REPEAT_SHARE, Repeats

#: Days that the rolling counter covers.
WINDOW: Final = 30

#: Verdicts of readings that are no new observation.
STALE: Final = ("repeat", "same day")


@dataclass(frozen=True)
class Taken:
    """One snapshot of a series, as the measures need it.

    Attributes
    ----------
    name
        Unique in the series.
    day
        Day of reading.
    repositories
        Numbers of the repositories whose counter was read, rising (see :class:`Group`).
    downloads
        Their counters, in requests.
    unread
        Numbers of members of the population that are known to be missing.
    others, others_repositories
        Sum and number of repositories of the population that are not listed one by one, by name
        of their group ("" for none).
    others_unread
        How many of those have no counter.
    cap
        What no missing repository outside `listed` can exceed; None without a complete list.
    listed
        Counters of that list by number of the repository.
    """

    name: str
    day: date
    repositories: NDArray[np.int64]
    downloads: NDArray[np.float64]
    unread: NDArray[np.int64]
    others: Mapping[str, float]
    others_repositories: Mapping[str, int]
    others_unread: int = 0
    cap: float | None = None
    listed: Mapping[int, float] | None = None

    @property
    def total(self) -> float:
        """Downloads of the population that were read."""
        return float(self.downloads.sum()) + sum(self.others.values())

    @property
    def covered(self) -> int:
        """Repositories that were read."""
        return len(self.repositories) + sum(self.others_repositories.values())


@dataclass(frozen=True)
class Groups:
    """Group of each numbered repository.

    Attributes
    ----------
    names
        Names of the groups.
    of
        For each repository the place of its group in `names`, -1 for none.
    """

    names: tuple[str, ...]
    of: NDArray[np.int64]

    def sums(
        self, repositories: NDArray[np.int64], weights: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Add up weights (or count) by group; repositories of none are left out."""
        codes = self.of[repositories]
        kept = codes >= 0
        parts = None if weights is None else weights[kept]
        sums = np.bincount(codes[kept], weights=parts, minlength=len(self.names))
        return np.asarray(sums, dtype="float64")


def in_order(days: Mapping[str, date]) -> list[str]:
    """Return the names by day; by name where several are of one day."""
    return sorted(days, key=lambda name: (days[name], name))


def apart(days: Sequence[date], window: int = WINDOW) -> list[date]:
    """Pick a largest set of days whose windows do not overlap.

    The rule: the first day, then always the first one `window` or more days after the last
    picked. For windows of one length no set is larger (the classic of interval scheduling: who
    ends first goes first).

    Returns
    -------
    list of datetime.date
        In order of time.
    """
    chosen: list[date] = []
    for day in sorted(set(days)):
        if not chosen or day - chosen[-1] >= timedelta(days=window):
            chosen.append(day)
    return chosen


def observations(
    found: Repeats, days: Mapping[str, date], window: int | None = WINDOW
) -> pd.DataFrame:
    """Say of each reading whether it is a new observation, and what of its window is new.

    Parameters
    ----------
    found
        Repeats among the readings, in order of time (:func:`in_order`).
    days
        Day of each reading.
    window
        Days that the counter covers; None for one that counts from the beginning.

    Returns
    -------
    pandas.DataFrame
        Index: name, in order of time. ``verdict``: first, new, partial refresh, repeat, too few to
        tell (as :func:`analysis.snapshot.repeats.repeats` has them), or ``same day`` where the
        counters are those of another reading of that day. ``repeated`` (fraction of the
        comparable counters that an earlier day has already), ``origin`` (where from). ``fresh``:
        a new observation. ``days_since`` the last new observation (NA for the first) and
        ``days_new`` of its window (0 for a repeat, NA without a window).
    """
    rows = found.rows
    here, there = rows["version"].map(days), rows["repeated_from"].map(days)
    older = rows[(there < here).astype(bool)].groupby("version").size()
    same = rows[(there == here).astype(bool)].groupby("version").size()
    out = []
    last: date | None = None
    versions = found.versions
    columns_of = (versions[column].tolist() for column in ("version", "common", "verdict"))
    origins = [None if pd.isna(one) else str(one) for one in versions["origin"]]
    for name, common_ones, verdict, origin in zip(*columns_of, origins, strict=True):
        share = int(older.get(name, 0)) / common_ones if common_ones else None
        if share is not None and common_ones >= FEWEST:
            # Counters of another reading of the same day are not stale.
            if share >= REPEAT_SHARE:
                verdict = "repeat"
            elif int(same.get(name, 0)) / common_ones >= REPEAT_SHARE:
                verdict = "same day"
            else:
                verdict = "partial refresh" if share >= PARTIAL_SHARE else "new"
        fresh = verdict not in STALE
        since = None if last is None else (days[name] - last).days
        if fresh:
            last = days[name]
        new: int | None = None
        if window is not None:
            new = min(window, window if since is None else since) if fresh else 0
        marked = verdict in (*STALE, "partial refresh")
        out.append((name, verdict, share, origin if marked else None, fresh, since, new))
    columns = ["name", "verdict", "repeated", "origin", "fresh", "days_since", "days_new"]
    types = {"repeated": "Float64", "origin": "string", "fresh": "bool", "verdict": "string"}
    types |= {"days_since": "Int64", "days_new": "Int64"}
    return pd.DataFrame(out, columns=columns).astype(types).set_index("name")


def shares(taken: Taken, groups: Groups) -> pd.DataFrame:
    """Share of each group in one snapshot, with the bounds that missing repositories leave.

    The same numbers as :func:`analysis.measure.snapshots.tabulate`, for a snapshot of which not
    every repository is listed.

    Returns
    -------
    pandas.DataFrame
        Index: the groups of which a repository was read or is missing, in the order of `groups`;
        ``downloads`` and ``share`` (NA where no repository was read), ``lower``, ``upper``
        (fractions of one), ``repositories``, ``missing``.

    Raises
    ------
    InputError
        No repository of the population has a counter.
    """
    rows = list(_shares(taken, groups).items())
    columns = ["downloads", "share", "lower", "upper", "repositories", "missing"]
    index = pd.Index([name for name, _ in rows], name="group")
    types = dict.fromkeys(columns[:4], "Float64") | dict.fromkeys(columns[4:], "Int64")
    return pd.DataFrame([row for _, row in rows], columns=columns, index=index).astype(types)


_Row = tuple[float | None, float | None, float | None, float | None, int, int]
_NOTHING: Final[_Row] = (None, None, None, None, 0, 0)


def _shares(taken: Taken, groups: Groups) -> dict[str, _Row]:
    """Rows of :func:`shares` by group."""
    covered = taken.covered
    if not covered:
        raise InputError(
            f"{taken.name}: no repository of the population has a counter here: "
            "choose another population"
        )
    place = {name: at for at, name in enumerate(groups.names)}
    own = groups.sums(taken.repositories, taken.downloads)
    count = groups.sums(taken.repositories)
    for name, amount in taken.others.items():
        if name in place:
            own[place[name]] += amount
            count[place[name]] += taken.others_repositories[name]
    absent = groups.sums(taken.unread)
    own_most, most = _most(taken, groups)
    all_missing = len(taken.unread) + taken.others_unread
    total = taken.total
    rows: dict[str, _Row] = {}
    for at, name in enumerate(groups.names):
        if not count[at] and not absent[at]:
            continue
        if taken.cap is None:
            most_own = np.inf if absent[at] else 0.0
            rest = np.inf if all_missing > absent[at] else 0.0
        else:
            most_own, rest = own_most[at], max(0.0, most - own_most[at])
        part = Total(own[at], own[at], own[at] + most_own)
        other = Total(total - own[at], total - own[at], total - own[at] + rest)
        share, lower, upper = fraction(part, other)
        read = bool(count[at])
        rows[name] = (
            float(own[at]) if read else None,
            float(share) if read and share == share else None,
            float(lower),
            float(upper),
            int(count[at]),
            int(absent[at]),
        )
    return rows


def _most(taken: Taken, groups: Groups) -> tuple[NDArray[np.float64], float]:
    """Most that the missing can have had, by group and in all; 0 where there is no cap."""
    cap, listed = taken.cap or 0.0, taken.listed or {}
    each = np.array([listed.get(int(one), cap) for one in taken.unread], dtype="float64")
    return groups.sums(taken.unread, each), float(each.sum()) + cap * taken.others_unread


@dataclass(frozen=True)
class Link:
    """Two readings compared over the repositories that both hold.

    Attributes
    ----------
    repositories
        In both.
    covers_before, covers
        What part of the downloads of either reading they carry; None where there are none.
    own
        By group, its repositories in both.
    share_before, share
        By group, fractions of one; NaN where none of its repositories is in both, or a sum over
        all is 0.
    growth, rest_growth
        Ratio of the sums, of the group and of all others; NaN where the earlier one is 0.
    """

    repositories: int
    covers_before: float | None
    covers: float | None
    own: NDArray[np.int64]
    share_before: NDArray[np.float64]
    share: NDArray[np.float64]
    growth: NDArray[np.float64]
    rest_growth: NDArray[np.float64]

    @property
    def change(self) -> NDArray[np.float64]:
        """Difference of the shares, by group."""
        return self.share - self.share_before


def matched(before: Taken, now: Taken, groups: Groups) -> Link:
    """Compare two readings over the repositories that both hold."""
    _, first, second = np.intersect1d(
        before.repositories, now.repositories, assume_unique=True, return_indices=True
    )
    both = now.repositories[second]
    then, here = before.downloads[first], now.downloads[second]
    own = groups.sums(both)
    sums_then, sums_here = groups.sums(both, then), groups.sums(both, here)
    all_then, all_here = float(then.sum()), float(here.sum())
    known = (own > 0) & (all_then > 0) & (all_here > 0)

    def ratio(part: NDArray[np.float64], of: NDArray[np.float64] | float) -> NDArray[np.float64]:
        out = np.full(len(own), np.nan)
        np.divide(part, of, out=out, where=known & (np.asarray(of) > 0))
        return out

    return Link(
        len(both),
        _part(all_then, before.total),
        _part(all_here, now.total),
        own.astype("int64"),
        ratio(sums_then, all_then),
        ratio(sums_here, all_here),
        ratio(sums_here, sums_then),
        ratio(all_here - sums_here, all_then - sums_then),
    )


def _part(some: float, whole: float) -> float | None:
    # The sums are of the same numbers in another order.
    return min(1.0, some / whole) if whole > 0 else None


def chained(start: float, links: Sequence[tuple[float, float]]) -> list[float]:
    """Carry a share on by the growth of the group and of all the rest.

    Parameters
    ----------
    start
        Share on the first day.
    links
        For each later day the growth of the group and of the rest on matched repositories; NaN
        where there is none, after which the chain is broken.

    Returns
    -------
    list of float
        Share of each later day; NaN from the first broken link on.
    """
    out = []
    own, rest = start, 1.0 - start
    for growth, rest_growth in links:
        # A group without any rest stays alone, whatever the rest would have done.
        own *= growth
        rest = rest * rest_growth if rest else 0.0
        whole = own + rest
        share = own / whole if whole > 0 else float("nan")
        # Only their ratio counts; kept near 1, hundreds of links neither over- nor underflow.
        own, rest = share, 1.0 - share
        out.append(share)
    return out


def common(taken: Sequence[Taken]) -> NDArray[np.int64]:
    """Return the numbers of the repositories that every reading holds, rising."""
    if not taken:
        return np.array([], dtype="int64")
    kept = taken[0].repositories
    for one in taken[1:]:
        kept = np.intersect1d(kept, one.repositories, assume_unique=True)
    return kept


def table(
    taken: Sequence[Taken],
    groups: Groups,
    seen: pd.DataFrame,
    stale: Mapping[str, NDArray[np.int64]] | None = None,
    always: Sequence[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the series: a row a day, and a row a day and group.

    Parameters
    ----------
    taken
        The snapshots, in any order.
    groups
        Group of each repository.
    seen
        Result of :func:`observations` on them.
    stale
        For partial refreshes, by name: numbers of repositories whose counters repeat an earlier
        day. They count in the snapshot's own share, and in no comparison.
    always
        Groups that get a row in every snapshot, null where nothing of them was read or missing.

    Returns
    -------
    days : pandas.DataFrame
        Index: name, in order of time. ``day``, ``total``, ``covered``, ``population``, the columns
        of :func:`observations`, ``matched_with`` (the last new observation before it),
        ``matched_repositories``, ``matched_covers_before``, ``matched_covers``,
        ``common_covers``.
    rows : pandas.DataFrame
        ``snapshot``, ``day``, ``group``, the columns of :func:`shares`, ``grade`` (``computed``,
        or ``bounded`` where repositories are missing), ``matched_own``, ``matched_share_before``,
        ``matched_share``, ``matched_change``, ``chained_share``, ``common_share``.
    """
    order = in_order({one.name: one.day for one in taken})
    by_name = {one.name: one for one in taken}
    fresh = [name for name in order if bool(seen.loc[name, "fresh"])]
    anew = {name: _without(by_name[name], (stale or {}).get(name)) for name in fresh}
    fixed = common(list(anew.values()))
    links = {
        name: (earlier, matched(anew[earlier], anew[name], groups))
        for earlier, name in pairwise(fresh)
    }
    own_rows = {name: _shares(by_name[name], groups) for name in order}
    chains = _chains(own_rows, groups, fresh, links)
    rows, days = [], []
    for name in order:
        one, again = by_name[name], anew.get(name)
        day = one.day.isoformat()
        earlier, link = links.get(name, (None, None))
        in_common, covers = _common(again, fixed, groups)
        for at, group in enumerate(groups.names):
            if group not in own_rows[name] and group not in always:
                continue
            row = own_rows[name].get(group, _NOTHING)
            pair: tuple[float | None, ...] = (None,) * 4
            if link is not None:
                shares_of = (link.share_before, link.share, link.change)
                pair = (int(link.own[at]), *(_number(values[at]) for values in shares_of))
            grade = "bounded" if row[5] else "computed"
            chain = _number(chains[group].get(name, float("nan")))
            rows.append((name, day, group, *row, grade, *pair, chain, in_common[at]))
        days.append(
            (
                name,
                day,
                one.total,
                one.covered,
                one.covered + len(one.unread) + one.others_unread,
                earlier,
                None if link is None else link.repositories,
                None if link is None else link.covers_before,
                None if link is None else link.covers,
                covers,
            )
        )
    day_table = _typed(pd.DataFrame(days, columns=list(_DAYS)), _DAYS).set_index("name").join(seen)
    day_table.attrs = {"common_repositories": len(fixed)}
    return day_table, _typed(pd.DataFrame(rows, columns=list(_ROWS)), _ROWS)


_DAYS: Final = {
    "name": "object",
    "day": "string",
    "total": "Float64",
    "covered": "Int64",
    "population": "Int64",
    "matched_with": "string",
    "matched_repositories": "Int64",
    "matched_covers_before": "Float64",
    "matched_covers": "Float64",
    "common_covers": "Float64",
}
_ROWS: Final = {
    "snapshot": "string",
    "day": "string",
    "group": "string",
    "downloads": "Float64",
    "share": "Float64",
    "lower": "Float64",
    "upper": "Float64",
    "repositories": "Int64",
    "missing": "Int64",
    "grade": "string",
    "matched_own": "Int64",
    "matched_share_before": "Float64",
    "matched_share": "Float64",
    "matched_change": "Float64",
    "chained_share": "Float64",
    "common_share": "Float64",
}


def _typed(frame: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    return frame.astype({name: kind for name, kind in types.items() if kind != "object"})


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _without(taken: Taken, stale: NDArray[np.int64] | None) -> Taken:
    """Leave out the counters of a partial refresh that were not read anew."""
    if stale is None or not len(stale):
        return taken
    kept = ~np.isin(taken.repositories, stale)
    return Taken(
        taken.name,
        taken.day,
        taken.repositories[kept],
        taken.downloads[kept],
        taken.unread,
        # The whole stays what it was: what is left out is not matched.
        {**taken.others, "": taken.others.get("", 0.0) + float(taken.downloads[~kept].sum())},
        taken.others_repositories,
    )


def _common(
    taken: Taken | None, fixed: NDArray[np.int64], groups: Groups
) -> tuple[list[float | None], float | None]:
    """Shares in the repositories of all days (None: none of its own), and what part they carry."""
    nothing: list[float | None] = [None] * len(groups.names)
    if taken is None:
        return nothing, None
    values = taken.downloads[np.searchsorted(taken.repositories, fixed)]
    whole = float(values.sum())
    covers = _part(whole, taken.total)
    if whole <= 0:
        return nothing, covers
    sums, count = groups.sums(fixed, values), groups.sums(fixed)
    shares_of = zip(sums, count, strict=True)
    return [float(part / whole) if n else None for part, n in shares_of], covers


def _chains(
    own: Mapping[str, Mapping[str, _Row]],
    groups: Groups,
    fresh: Sequence[str],
    links: Mapping[str, tuple[str, Link]],
) -> dict[str, dict[str, float]]:
    """Chain each group from the first new observation on, by name of the snapshot."""
    out: dict[str, dict[str, float]] = {group: {} for group in groups.names}
    if not fresh:
        return out
    for at, group in enumerate(groups.names):
        start = own[fresh[0]].get(group, _NOTHING)[1]
        if start is not None:
            steps = [
                (float(links[name][1].growth[at]), float(links[name][1].rest_growth[at]))
                for name in fresh[1:]
            ]
            out[group] = dict(zip(fresh, [start, *chained(start, steps)], strict=True))
    return out
