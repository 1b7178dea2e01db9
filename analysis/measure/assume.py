"""Named assumptions that close the gaps between readings, and their calibration.

Hard bounds (:mod:`analysis.measure.bounds`) are often wide. An *assumption*
narrows them and carries a name, a declared rate at which it claims to be
right (``data/assumptions.toml``) and a test: hide counters that are known,
predict them, and count how often the truth lies inside. A factor that misses
its rate is widened step by step; one that misses it at the widest step is
dropped, and the next assumption takes over.

Assumptions, in the order in which they are tried for a repository and day:

``between``
    Readings before and after: the counter lay between them, widened by a factor.
``carried``
    A reading on one side only: the counter was that reading, up to a factor.
``capped``
    No reading near: the counter was at most a number of requests. Catalogues list
    what is downloaded most, so what none of them holds is small; how small, the
    hidden counters say.

The interval given is always the intersection with the hard bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from analysis.entries import checked
from analysis.measure.bounds import Interval


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reach(_Strict):
    """How far, in days, readings may lie from the day asked for."""

    days: int = Field(gt=0)
    reason: str


class Assumptions(_Strict):
    """``data/assumptions.toml``."""

    stated_rate: float = Field(gt=0, lt=1)
    stated_rate_reason: str
    factors: tuple[float, ...]
    factors_reason: str
    caps: tuple[float, ...]
    caps_reason: str
    bootstrap_draws: int
    bootstrap_draws_reason: str
    large_set: int
    large_set_reason: str
    minimum_trials: int
    minimum_trials_reason: str
    floor: int
    floor_reason: str
    largest_share: float
    largest_share_reason: str
    minimum_groups: int
    minimum_groups_reason: str
    rehearsal_days: tuple[str, ...]
    rehearsal_hidden: tuple[float, ...]
    rehearsal_draws: int
    rehearsal_reason: str
    wide_day: int
    wide_day_reason: str
    between: tuple[Reach, ...]
    carried: tuple[Reach, ...]


def parse(mapping: Mapping[str, object]) -> Assumptions:
    """Validate the content of ``data/assumptions.toml``.

    Raises
    ------
    InputError
        Naming the first entry that is wrong.
    """
    return checked(Assumptions, mapping, "data/assumptions.toml")


@dataclass(frozen=True)
class Nearest:
    """Readings of the 30-day counter on either side of a day (value, gap in days)."""

    before: tuple[float, int] | None
    after: tuple[float, int] | None

    def classes(self, rules: Assumptions) -> tuple[str, ...]:
        """Return the declared classes that the gaps fit, narrowest first."""
        fit: list[str] = []
        if self.before is not None and self.after is not None:
            gap = max(self.before[1], self.after[1])
            fit += [f"between-{days}" for days in _reaches(rules.between) if gap <= days]
        sides = [side for side in (self.before, self.after) if side is not None]
        if sides:
            gap = min(side[1] for side in sides)
            fit += [f"carried-{days}" for days in _reaches(rules.carried) if gap <= days]
        return tuple(fit)

    def class_of(self, rules: Assumptions) -> str | None:
        """Return the narrowest declared class that the gaps fit, such as ``between-10``."""
        fit = self.classes(rules)
        return fit[0] if fit else None

    def span(self, name: str) -> tuple[float, float]:
        """Return the smallest and largest reading that the class `name` rests on.

        ``carried`` rests on the nearer reading; the earlier where both are equally near.
        """
        sides = [side for side in (self.before, self.after) if side is not None]
        if name.startswith("carried"):
            sides = [min(sides, key=lambda side: side[1])]
        values = [side[0] for side in sides]
        return min(values), max(values)


def _reaches(declared: Sequence[Reach]) -> list[int]:
    return sorted(reach.days for reach in declared)


def nearest(readings: Sequence[tuple[int, int]], day: int) -> Nearest:
    """Find the readings nearest to `day`, on each side, leaving `day` itself out.

    Of several readings of one day the largest stands.
    """
    before = max(((d, v) for d, v in readings if d < day), default=None)
    after = min(((d, -v) for d, v in readings if d > day), default=None)
    return Nearest(
        before=(float(before[1]), day - before[0]) if before else None,
        after=(float(-after[1]), after[0] - day) if after else None,
    )


@dataclass(frozen=True)
class Calibrated:
    """Assumptions after their test: the factor of each class that reaches its rate.

    ``factors`` lacks a class that was dropped; ``cap`` is None when no cap
    reached its rate.
    """

    rules: Assumptions
    factors: Mapping[str, float]
    cap: float | None

    def interval(self, near: Nearest) -> Interval:
        """Bound a counter under the narrowest assumption that survived its test.

        A repository with a reading near is never capped: the cap was tested on those
        without one.
        """
        fit = near.classes(self.rules)
        for name in fit:
            if name in self.factors:
                low, high = near.span(name)
                factor = self.factors[name]
                floor = float(self.rules.floor)
                return Interval(
                    low / factor if low > floor else 0.0, max(high, floor) * factor, name
                )
        if self.cap is not None and not fit:
            return Interval(0.0, self.cap, "capped")
        return Interval(0.0, float("inf"), "none")


def trials(
    readings: Mapping[str, Sequence[tuple[int, int]]], rules: Assumptions, days: Sequence[int]
) -> pd.DataFrame:
    """Hide every reading of `days` in turn and note what the neighbours would have said.

    Returns
    -------
    pandas.DataFrame
        One row a hidden reading: ``repository_id``, ``day``, ``truth``,
        ``rule`` (class or null), ``low``, ``high`` (before widening).
    """
    rows: list[tuple[str, int, float, str | None, float, float]] = []
    for repository in sorted(readings):
        known = readings[repository]
        at: dict[int, int] = {}
        for day, value in known:
            at[day] = max(value, at.get(day, value))
        for day, truth in ((day, at[day]) for day in days if day in at):
            near = nearest(known, day)
            name = near.class_of(rules)
            low, high = near.span(name) if name else (np.nan, np.nan)
            rows.append((repository, day, float(truth), name, low, high))
    return pd.DataFrame(rows, columns=["repository_id", "day", "truth", "rule", "low", "high"])


def _inside(rows: pd.DataFrame, factor: float, floor: float) -> pd.Series:
    low = (rows["low"] / factor).where(rows["low"] > floor, 0.0)
    high = rows["high"].clip(lower=floor) * factor
    return (rows["truth"] >= low) & (rows["truth"] <= high)


def calibrate(table: pd.DataFrame, rules: Assumptions) -> tuple[Calibrated, pd.DataFrame]:
    """Choose each class's factor on half of the repositories and test it on the other half.

    The halves alternate along the sorted repository names. A factor must reach
    the declared rate on the first half and again on the second, over all hidden
    readings and over the largest of them; the rates reported are those of the
    second half. A class that misses it is widened, then dropped. A class with too few
    trials in its second half, or without a large one in either half, cannot pass.

    Returns
    -------
    Calibrated
        What survived.
    pandas.DataFrame
        One row a class and factor tried: ``rule``, ``factor``, ``trials``,
        ``rate`` (test half, all), ``largest_trials``, ``largest_rate``,
        ``stated_rate``, ``verdict`` (kept, widened, dropped).
    """
    names = sorted(table["repository_id"].unique())
    half = {name: place % 2 for place, name in enumerate(names)}
    table = table.assign(half=table["repository_id"].map(half))
    factors: dict[str, float] = {}
    report: list[dict[str, object]] = []
    classes = [f"between-{days}" for days in _reaches(rules.between)]
    classes += [f"carried-{days}" for days in _reaches(rules.carried)]
    for name in classes:
        rows = table[table["rule"] == name]
        bar = rows["truth"].quantile(1 - rules.largest_share) if len(rows) else np.inf
        large = rows["truth"] >= bar
        for factor in rules.factors:
            inside = _inside(rows, factor, rules.floor)
            fit, test = rows["half"] == 0, rows["half"] == 1
            enough = int(test.sum()) >= rules.minimum_trials
            rates = [float(inside[part].mean()) for part in (fit, fit & large, test, test & large)]
            passes = enough and all(rate >= rules.stated_rate for rate in rates)
            last = factor == rules.factors[-1]
            report.append(
                {
                    "rule": name,
                    "factor": factor,
                    "trials": int(test.sum()),
                    "rate": rates[2],
                    "largest_trials": int((test & large).sum()),
                    "largest_rate": rates[3],
                    "stated_rate": rules.stated_rate,
                    "verdict": "kept" if passes else "dropped" if last or not enough else "widened",
                }
            )
            if passes:
                factors[name] = factor
                break
            if not enough:
                break
    return Calibrated(rules, factors, None), pd.DataFrame(report)


def calibrate_cap(
    table: pd.DataFrame, calibrated: Calibrated, seed: int = 20260506
) -> tuple[Calibrated, float | None, pd.DataFrame]:
    """Choose the narrowest cap that holds for repositories that nobody read near the day.

    Parameters
    ----------
    table
        Trials (:func:`trials`) of repositories like those the cap is for: on a
        tracked list. Only those without any reading near (``rule`` null) count.
    calibrated
        The assumptions so far.
    seed
        Of the bootstrap (fixed: the same table gives the same result).

    Returns
    -------
    Calibrated
        With its cap set, or None where every cap was dropped. The cap must hold
        for the stated rate of the repositories, and of the sums over what an
        organisation has unread on a day. It is chosen and tested on the same
        trials: there are too few to halve.
    float or None
        Cap of the *mean* over a large set of unread repositories: the stated
        rate's quantile of a cluster bootstrap over organisations and days.
    pandas.DataFrame
        As in :func:`calibrate`; ``factor`` holds the cap (requests),
        ``largest_trials`` and ``largest_rate`` the number of sums and the rate at
        which they hold. The last row is the cap of the mean.
    """
    rules = calibrated.rules
    hidden = table[table["rule"].isna()].copy()
    hidden["organisation"] = hidden["repository_id"].str.split("/").str[0]
    sums = hidden.groupby(["organisation", "day"], sort=True)["truth"].agg(["sum", "size"])
    chosen: float | None = None
    report: list[dict[str, object]] = []
    enough = len(hidden) >= rules.minimum_trials and len(sums) >= rules.minimum_groups
    for cap in rules.caps:
        rate = float((hidden["truth"] <= cap).mean()) if len(hidden) else np.nan
        sums_rate = float((sums["sum"] <= cap * sums["size"]).mean()) if len(sums) else np.nan
        passes = enough and min(rate, sums_rate) >= rules.stated_rate
        last = cap == rules.caps[-1]
        report.append(
            {
                "rule": "capped",
                "factor": cap,
                "trials": len(hidden),
                "rate": rate,
                "largest_trials": len(sums),
                "largest_rate": sums_rate,
                "stated_rate": rules.stated_rate,
                "verdict": "kept" if passes else "dropped" if last or not enough else "widened",
            }
        )
        if passes:
            chosen = cap
            break
        if not enough:
            break
    mean: float | None = None
    if chosen is not None:
        generator = np.random.default_rng(seed)
        total, size = sums["sum"].to_numpy(dtype="float64"), sums["size"].to_numpy()
        draws = generator.integers(0, len(sums), size=(rules.bootstrap_draws, len(sums)))
        means = total[draws].sum(axis=1) / size[draws].sum(axis=1)
        mean = float(np.ceil(np.quantile(means, rules.stated_rate) / 1000) * 1000)
        report.append(
            {
                "rule": "capped: mean of a large set",
                "factor": mean,
                "trials": rules.bootstrap_draws,
                "rate": float((means <= mean).mean()),
                "largest_trials": len(sums),
                "largest_rate": np.nan,
                "stated_rate": rules.stated_rate,
                "verdict": "kept",
            }
        )
    return Calibrated(rules, calibrated.factors, chosen), mean, pd.DataFrame(report)
