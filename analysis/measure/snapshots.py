"""Shares inside one snapshot: what its rows say, and what the rows it lacks could change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.errors import InputError
from analysis.measure.shares import Total, fraction


@dataclass(frozen=True)
class Part:
    """One family or organisation in a snapshot.

    Attributes
    ----------
    downloads
        Sum over its repositories present.
    share, lower, upper
        Share of the population: of the rows present, and the interval that the
        missing repositories leave (fractions of one).
    repositories
        Its repositories present.
    missing
        Its repositories of the population that the snapshot lacks.
    """

    downloads: int
    share: float
    lower: float
    upper: float
    repositories: int
    missing: int


@dataclass(frozen=True)
class Tabulation:
    """Shares of all groups of a population in one snapshot."""

    total: int
    covered: int
    population: int
    groups: dict[str, Part]


def tabulate(
    counters: pd.Series,
    label: Mapping[str, str],
    population: Iterable[str] | None = None,
    cap: float | None = None,
    listed: Mapping[str, float] | None = None,
) -> Tabulation:
    """Share of each group in a population, with the bounds that absent rows leave.

    Parameters
    ----------
    counters
        Requests by repository id; nulls count as not read.
    label
        Group by repository id; repositories without one count in the total only.
    population
        Repository ids; None for the rows present (nothing is then missing).
    cap
        A number that no absent repository outside `listed` can exceed, from a complete
        list of the most downloaded of the same day; None when there is none.
    listed
        Counters of that list by repository: an absent repository that stands on it is
        bounded by its own entry, which lies above `cap`.

    Returns
    -------
    Tabulation
        Groups by name, largest first, names in order where equal.

    Raises
    ------
    InputError
        No repository of the population has a counter.
    """
    known = counters.dropna()
    wanted = set(known.index) if population is None else set(population)
    if population is not None:
        known = known[known.index.isin(wanted)]
    names = pd.Series(known.index, index=known.index).map(dict(label))
    absent = {name: label.get(name) for name in sorted(wanted - set(known.index))}
    return tabulate_rows(known, names, absent, cap, listed)


def tabulate_rows(
    known: pd.Series,
    groups: pd.Series,
    absent: Mapping[str, str | None],
    cap: float | None = None,
    listed: Mapping[str, float] | None = None,
) -> Tabulation:
    """Do the same for rows that were chosen already, however many they are.

    Parameters
    ----------
    known
        Requests of the repositories of the population that were read.
    groups
        Group of each, on the same index; null for none.
    absent
        Repositories of the population that were not read, each with its group or None.
    cap, listed
        See :func:`tabulate`.

    Returns
    -------
    Tabulation
        Groups by name, largest first, names in order where equal.

    Raises
    ------
    InputError
        No repository of the population has a counter.
    """
    if known.empty:
        raise InputError(
            "no repository of the population has a counter here: choose another population"
        )
    own_missing: dict[str, int] = {}
    own_most: dict[str, float] = {}
    most = 0.0
    for name in sorted(absent):
        bound = _most(name, cap, listed)
        most += bound
        own_group = absent[name]
        if own_group is not None:
            own_missing[own_group] = own_missing.get(own_group, 0) + 1
            own_most[own_group] = own_most.get(own_group, 0.0) + bound
    sums = known.groupby(groups, observed=True).agg(["sum", "size"])
    present = {
        str(group): (int(amount), int(size))
        for group, amount, size in zip(sums.index, sums["sum"], sums["size"], strict=True)
    }
    total = int(known.sum())
    out: dict[str, Part] = {}
    for group in {*present, *own_missing}:
        own, count = present.get(group, (0, 0))
        missing = own_missing.get(group, 0)
        own_bound = own_most.get(group, 0.0)
        # Without a cap both ends are infinite, and their difference is no number.
        elsewhere = most - own_bound if cap is not None else _all(len(absent) - missing)
        part = Total(own, own, own + own_bound)
        rest = Total(total - own, total - own, total - own + elsewhere)
        share, lower, upper = fraction(part, rest)
        out[group] = Part(own, share, lower, upper, count, missing)
    order = sorted(out, key=lambda g: (-out[g].downloads, g))
    return Tabulation(total, len(known), len(known) + len(absent), {g: out[g] for g in order})


def _most(name: str, cap: float | None, listed: Mapping[str, float] | None) -> float:
    return float("inf") if cap is None else float((listed or {}).get(name, cap))


def _all(count: int) -> float:
    return float("inf") if count else 0.0
