"""Shares of a population that is only partly observed.

For every repository of the population there is an interval (read, forced by
other readings, or closed by a named assumption). A family's share is smallest
when its own counters are at their lower ends and all others at their upper
ends, and largest the other way round; since the repositories' intervals do not
depend on one another, these two numbers are sharp (Manski, *Partial
Identification of Probability Distributions*, 2003; Horowitz and Manski 1995).

Treatments of what was not read on the day:

``absent``
    Counted as zero, as a sum over the rows of a file does silently.
``hard``
    Only what the data force.
``each``
    Each repository under the calibrated assumptions, all errors on the worst side.
``pooled``
    The same assumptions for sums: errors of many repositories partly cancel,
    by a factor that is calibrated on sums. It holds for sums like those it was
    calibrated on (:data:`SMALLEST_SET` repositories or more that together are
    expected to have :data:`SMALLEST_SUM` requests or more); smaller ones are
    treated as ``each``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import InputError
from analysis.measure import assume
from analysis.measure.bounds import History, Interval, hard_bounds

TREATMENTS = ("absent", "hard", "each", "pooled")
SMALLEST_SET = 3
SMALLEST_SUM = 100_000


@dataclass(frozen=True)
class Total:
    """Downloads of a set of repositories: centre and interval, in requests."""

    value: float
    lower: float
    upper: float

    def __add__(self, other: Total) -> Total:
        return Total(self.value + other.value, self.lower + other.lower, self.upper + other.upper)


@dataclass(frozen=True)
class Share:
    """A share with its interval (fractions of one) and its coverage.

    Attributes
    ----------
    value, lower, upper
        Fractions; `value` is the centre, not more likely than the rest.
    part, rest
        The totals it was made of.
    covered, population
        Repositories read on the day or near it, and repositories of the population.
    """

    value: float
    lower: float
    upper: float
    part: Total
    rest: Total
    covered: int
    population: int


def fraction(part: Total, rest: Total) -> tuple[float, float, float]:
    """Sharp interval of ``part / (part + rest)`` when both are known only as intervals.

    Returns
    -------
    tuple of float
        Value, lower, upper. Where both totals may be 0 at once the share is not
        defined there, and the interval is that of the cases where it is; where they
        must be, the value is NaN and the interval 0 to 1.
    """

    def quotient(a: float, b: float, empty: float) -> float:
        if np.isinf(a):
            return 1.0 if not np.isinf(b) else float("nan")
        if np.isinf(b):
            return 0.0
        return a / (a + b) if a + b > 0 else empty

    return (
        quotient(part.value, rest.value, float("nan")),
        quotient(part.lower, rest.upper, 1.0 if part.upper > 0 else 0.0),
        quotient(part.upper, rest.lower, 0.0 if rest.upper > 0 else 1.0),
    )


def ratio(part: Total, rest: Total) -> tuple[float, float, float]:
    """Sharp interval of ``part / rest`` when both are known only as intervals.

    Returns
    -------
    tuple of float
        Value, lower, upper; infinite where only the rest may be 0, NaN where both
        must be.
    """

    def quotient(a: float, b: float, empty: float) -> float:
        if b == 0:
            return float("inf") if a > 0 else empty
        return 0.0 if np.isinf(b) else a / b

    return (
        quotient(part.value, rest.value, float("nan")),
        quotient(part.lower, rest.upper, float("inf") if part.upper > 0 else float("nan")),
        quotient(part.upper, rest.lower, 0.0 if rest.upper > 0 else float("nan")),
    )


def estimate(
    repositories: Iterable[str],
    day: date,
    histories: Mapping[str, History],
    calibrated: assume.Calibrated,
    measure: str = "downloads_30d",
    within: int = 0,
    hard: Mapping[str, Interval] | None = None,
) -> pd.DataFrame:
    """Interval of one counter on one day for each repository.

    Parameters
    ----------
    repositories
        The population. One without any history is unknown, not zero.
    day
        The day asked for.
    histories
        What is known (:func:`analysis.measure.bounds.histories`).
    calibrated
        Assumptions that survived their test.
    measure
        ``downloads_30d`` or ``downloads_all_time`` (for which no assumption is made).
    within
        A 30-day counter read at most so many days from `day` counts as seen (for
        coverage and for the treatment ``absent``); it is still no reading of the day.
    hard
        Hard bounds worked out before, by repository; the others are worked out here.

    Returns
    -------
    pandas.DataFrame
        Index ``repository_id``; ``seen`` (value or NaN); ``hard_lower``,
        ``hard_upper``, ``hard_how`` (:func:`analysis.measure.bounds.hard_bounds`);
        ``lower``, ``upper`` (under the assumption, never outside the hard bounds);
        ``rule`` (class of the assumption; ``hard_how`` where none is made or the hard
        bounds refute it); ``centre`` (geometric mean of the readings that the
        assumption rests on, else the lower bound; inside the bounds).
    """
    target = day.toordinal()
    rolling = measure == "downloads_30d"
    rows = []
    for name in sorted(set(repositories)):
        history = histories.get(name, History())
        known_hard = (hard or {}).get(name)
        firm = known_hard if known_hard is not None else hard_bounds(history, [target], measure)[0]
        seen = firm.lower if firm.how == "read" else np.nan
        soft, rule, centre = firm, firm.how, firm.lower
        if rolling and firm.how != "read":
            near = assume.nearest(history.rolling, target)
            sides = [side for side in (near.before, near.after) if side and side[1] <= within]
            if sides:
                seen = min(sides, key=lambda side: (side[1], -side[0]))[0]
            if firm.how != "not created":
                assumed = calibrated.interval(near)
                soft = assumed.meet(firm)
                refuted = assumed.lower > firm.upper or assumed.upper < firm.lower
                rule = firm.how if refuted else assumed.how
                if rule in calibrated.factors:
                    low, high = near.span(rule)
                    centre = float(np.sqrt(max(low, 1.0) * max(high, 1.0)))
                centre = min(max(centre, soft.lower), soft.upper)
        rows.append(
            (name, seen, firm.lower, firm.upper, firm.how, soft.lower, soft.upper, rule, centre)
        )
    columns = ["repository_id", "seen", "hard_lower", "hard_upper", "hard_how"]
    columns += ["lower", "upper", "rule", "centre"]
    return pd.DataFrame(rows, columns=columns).set_index("repository_id")


@dataclass(frozen=True)
class Pooling:
    """What sums may assume beyond their repositories (:func:`calibrate_sums`).

    Attributes
    ----------
    factors
        Class of assumption to the factor by which sums miss.
    unread_mean
        Bound of the mean of a large set of unread repositories, in requests.
    large_set
        From how many repositories on a set is large.
    """

    factors: Mapping[str, float]
    unread_mean: float | None
    large_set: int


def totals(
    table: pd.DataFrame,
    groups: Sequence[object] | pd.Series,
    treatment: str,
    pooling: Pooling | None = None,
) -> pd.DataFrame:
    """Add up groups of rows of an :func:`estimate` under one treatment of the missing.

    Parameters
    ----------
    table
        Rows of :func:`estimate`.
    groups
        A label for each row (of one type, not null).
    treatment
        One of :data:`TREATMENTS`.
    pooling
        Needed for ``pooled``; without it that is ``each``.

    Returns
    -------
    pandas.DataFrame
        Index: label; ``value``, ``lower``, ``upper`` in requests. The value of
        ``hard`` is what was seen, or the end of the interval next to it.

    Raises
    ------
    InputError
        The treatment is not one of :data:`TREATMENTS`.
    """
    columns = ["value", "lower", "upper"]
    if table.empty:
        return pd.DataFrame(columns=columns, dtype="float64")
    code, names = pd.factorize(np.asarray(groups, dtype="object"), sort=True)
    sums = _sums(table, code, len(names), treatment, pooling)
    return pd.DataFrame(dict(zip(columns, sums, strict=True)), index=pd.Index(names))


def _sums(
    table: pd.DataFrame,
    code: NDArray[np.intp],
    count: int,
    treatment: str,
    pooling: Pooling | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Value, lower and upper sums of `count` groups (numpy: claims ask thousands of times)."""
    if treatment not in TREATMENTS:
        known = ", ".join(TREATMENTS)
        raise InputError(f"no treatment of the missing is called {treatment!r}; there are: {known}")

    def add(name: str, where: NDArray[np.intp], size: int) -> NDArray[np.float64]:
        weights = np.nan_to_num(table[name].to_numpy(dtype="float64"), nan=0.0, posinf=np.inf)
        return np.asarray(np.bincount(where, weights=weights, minlength=size), dtype="float64")

    if treatment == "absent":
        seen = add("seen", code, count)
        return seen, seen, seen
    if treatment == "hard":
        lower, upper = add("hard_lower", code, count), add("hard_upper", code, count)
        inside = np.clip(add("seen", code, count), lower, upper)
        return np.asarray(inside, dtype="float64"), lower, upper
    if treatment == "each":
        return add("centre", code, count), add("lower", code, count), add("upper", code, count)
    rules = pooling or Pooling({}, None, 1)
    kind, kinds = pd.factorize(table["rule"].to_numpy(dtype="object"))
    cell = code * len(kinds) + kind
    cells = count * len(kinds)
    value, lower, upper = (add(name, cell, cells) for name in ("centre", "lower", "upper"))
    factor = np.tile([rules.factors.get(str(name), np.nan) for name in kinds], count)
    size = np.bincount(cell, minlength=cells)
    known = ~np.isnan(factor) & (size >= SMALLEST_SET) & (value >= SMALLEST_SUM)
    lower[known] = np.maximum(lower[known], value[known] / factor[known])
    upper[known] = np.minimum(upper[known], value[known] * factor[known])
    if rules.unread_mean is not None:
        crowd = np.tile([name == "capped" for name in kinds], count) & (size >= rules.large_set)
        mean = np.maximum(lower[crowd], size[crowd] * rules.unread_mean)
        upper[crowd] = np.minimum(upper[crowd], mean)
    shape = (count, len(kinds))
    value, lower, upper = (array.reshape(shape).sum(axis=1) for array in (value, lower, upper))
    return np.clip(value, lower, upper), lower, upper


def total(table: pd.DataFrame, treatment: str, pooling: Pooling | None = None) -> Total:
    """Add up all rows of an :func:`estimate` (see :func:`totals`)."""
    if table.empty:
        return Total(0.0, 0.0, 0.0)
    code = np.zeros(len(table), dtype=np.intp)
    value, lower, upper = _sums(table, code, 1, treatment, pooling)
    return Total(float(value[0]), float(lower[0]), float(upper[0]))


def share(
    table: pd.DataFrame,
    family: Mapping[str, str | None],
    name: str,
    treatment: str,
    pooling: Pooling | None = None,
) -> Share:
    """Return the share of family `name` in the population that `table` describes."""
    own = np.array([family.get(repository) == name for repository in table.index], dtype=bool)
    part, rest = total(table[own], treatment, pooling), total(table[~own], treatment, pooling)
    value, lower, upper = fraction(part, rest)
    return Share(value, lower, upper, part, rest, int(table["seen"].notna().sum()), len(table))


def calibrate_sums(
    trials: pd.DataFrame, calibrated: assume.Calibrated, minimum_groups: int
) -> tuple[dict[str, float], pd.DataFrame]:
    """Factor by which sums of predicted counters miss, class by class.

    Groups are the hidden readings of one organisation, day and class
    (:data:`SMALLEST_SET` or more, predicted to have :data:`SMALLEST_SUM` requests or
    more): the ratio of their true sum to their predicted sum. The factor is the
    narrowest declared one that holds for the stated rate of the groups (the same
    groups: there are too few to halve). A class with fewer than `minimum_groups`
    groups takes the factor of the next longer reach of its kind.

    Returns
    -------
    dict
        Class to factor.
    pandas.DataFrame
        ``rule, groups, factor, rate, stated_rate, verdict``.
    """
    rules = calibrated.rules
    rows = trials[trials["rule"].isin(list(calibrated.factors))].copy()
    rows["organisation"] = rows["repository_id"].str.split("/").str[0]
    rows["centre"] = np.sqrt(rows["low"].clip(lower=1.0) * rows["high"].clip(lower=1.0))
    grouped = rows.groupby(["rule", "organisation", "day"], sort=True).agg(
        size=("truth", "size"), truth=("truth", "sum"), centre=("centre", "sum")
    )
    # Chosen by what is predicted, not by the truth: the truth is not known where it is used.
    chosen = (grouped["size"] >= SMALLEST_SET) & (grouped["centre"] >= SMALLEST_SUM)
    grouped = grouped[chosen].reset_index()
    miss = np.exp(np.abs(np.log(grouped["truth"].clip(lower=1.0) / grouped["centre"])))
    found: dict[str, float] = {}
    report: list[dict[str, object]] = []
    for kind, reaches in (("between", rules.between), ("carried", rules.carried)):
        heir: float | None = None
        for reach in sorted(reaches, key=lambda r: -r.days):
            rule = f"{kind}-{reach.days}"
            if rule not in calibrated.factors:
                continue
            own = miss[grouped["rule"] == rule]
            factor: float | None = None
            verdict = "kept"
            if len(own) >= minimum_groups:
                fits = [f for f in rules.factors if float((own <= f).mean()) >= rules.stated_rate]
                factor = fits[0] if fits else None
                verdict = "kept" if fits else "dropped"
            elif heir is not None:
                factor, verdict = heir, "too few groups: factor of the longer reach"
            else:
                verdict = "dropped: too few groups"
            rate = float((own <= factor).mean()) if factor is not None and len(own) else np.nan
            report.append(
                {
                    "rule": rule,
                    "groups": len(own),
                    "factor": factor if factor is not None else np.nan,
                    "rate": rate,
                    "stated_rate": rules.stated_rate,
                    "verdict": verdict,
                }
            )
            if factor is not None:
                found[rule] = factor
                heir = factor
    columns = ["rule", "groups", "factor", "rate", "stated_rate", "verdict"]
    return found, pd.DataFrame(report, columns=columns).sort_values("rule", ignore_index=True)


def rehearse(
    truth: pd.DataFrame,
    predicted: pd.DataFrame,
    family: Mapping[str, str | None],
    name: str,
    hidden_share: float,
    draws: int,
    pooling: Pooling,
    treatments: Sequence[str] = ("each", "pooled"),
    seed: int = 20260506,
) -> pd.DataFrame:
    """Rehearse the whole path on a day that is known: hide, compute, compare.

    Parameters
    ----------
    truth
        :func:`estimate` rows of repositories that were read on the day.
    predicted
        The same repositories with their reading of the day hidden.
    family, name
        Family of each repository, and the family whose share is asked for.
    hidden_share
        Part of the repositories to hide.
    draws
        Random draws; one more hides the largest repositories.
    pooling, treatments
        As in :func:`share`.
    seed
        Of the random draws (fixed: the table is the same at each build).

    Returns
    -------
    pandas.DataFrame
        ``mode`` (random, largest), ``treatment``, ``draws``, ``inside`` (rate),
        ``median_width`` (of the share's interval, in fractions of one).
    """
    generator = np.random.default_rng(seed)
    names = np.array(truth.index)
    known = float(truth["seen"].sum())
    own = np.array([family.get(n) == name for n in names], dtype=bool)
    right = float(truth["seen"].to_numpy()[own].sum()) / known
    count = max(1, round(hidden_share * len(names)))
    largest = np.argsort(-truth["seen"].to_numpy(dtype="float64"), kind="stable")[:count]
    choices = [("largest", largest)] + [
        ("random", generator.choice(len(names), size=count, replace=False)) for _ in range(draws)
    ]
    seen: dict[tuple[str, str], list[tuple[bool, float]]] = {}
    both = pd.concat([truth, predicted.loc[names]])
    for mode, chosen in choices:
        place = np.arange(len(names))
        place[chosen] += len(names)
        mixed = both.iloc[place]
        for treatment in treatments:
            got = share(mixed, family, name, treatment, pooling)
            seen.setdefault((mode, treatment), []).append(
                (got.lower <= right <= got.upper, got.upper - got.lower)
            )
    return pd.DataFrame(
        [
            {
                "mode": mode,
                "treatment": treatment,
                "draws": len(results),
                "inside": float(np.mean([inside for inside, _ in results])),
                "median_width": float(np.median([width for _, width in results])),
            }
            for (mode, treatment), results in sorted(seen.items())
        ]
    )
