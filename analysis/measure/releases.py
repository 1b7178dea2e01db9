"""Repositories, models and releases: three things to count, and rates with intervals.

A *repository* is what the Hub lists. A *model* is what is left when copies of one model
(quantised, in another format, before or after tuning) are folded into one, by the words of its
name. A *release* is one act of publishing: models of a family created within a few days of the
first of them. What decides is data (``data/releases.toml``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from analysis.entries import checked
from analysis.errors import InputError

#: What can be counted.
UNITS: Final = ("repositories", "models", "releases")
#: Mean length of a month in days.
MONTH: Final = 365.25 / 12
#: Words of a name stand between these.
_EDGES: Final = "[-_.]"


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]
Pattern = Annotated[str, StringConstraints(min_length=1), AfterValidator(_compiles)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cluster(_Strict):
    """Within how many days models are one release."""

    days: int = Field(ge=0)
    reason: Reason
    sensitivity: tuple[int, ...]
    sensitivity_reason: Reason


class Corrected(_Strict):
    """How many days before a release its repositories may have been created."""

    early: int = Field(ge=0)
    reason: Reason


class IntervalRule(_Strict):
    """How intervals of rates are made."""

    level: float = Field(gt=0.5, lt=1)
    level_reason: Reason
    block: int = Field(ge=1)
    block_reason: Reason
    draws: int = Field(ge=100)
    draws_reason: Reason
    seed: int
    seed_reason: Reason


class Window(_Strict):
    """A span of time; without `months` and `since` it begins with a family's first repository."""

    months: int | None = Field(default=None, gt=0)
    since: date | None = None
    reason: Reason


class Place(_Strict):
    """Where is counted: one table, a list, or all that any file dates, up to a day."""

    version: str | None = None
    list_: str | None = Field(default=None, alias="list")
    until: date
    reason: Reason


class Copy(_Strict):
    """Words of a name that make no new model."""

    kind: Literal["quantised", "format", "stage", "naming"]
    words: tuple[Pattern, ...]
    leading: tuple[Pattern, ...] = ()
    reason: Reason


class LeftOut(_Strict):
    """Repositories that hold no model."""

    names: Pattern
    reason: Reason


class Group(_Strict):
    """What another source counts as the whole company behind a family."""

    version: str
    source: str
    names: Mapping[str, str]
    reason: Reason


class Release(_Strict):
    """A named release and its day; see the head of the file for the words of `how_known`."""

    family: str
    name: str
    day: date
    how_known: Literal["stated", "corrected", "listed", "created"]
    source: str
    line: int | None = Field(default=None, gt=0)
    repository: str | None = None
    model: str | None = None
    generation: bool = False
    names: Pattern | None = None
    reason: Reason

    @model_validator(mode="after")
    def _placed(self) -> Release:
        place = {"stated": "line", "listed": "model"}.get(self.how_known, "repository")
        if getattr(self, place) is None:
            raise ValueError(f"{self.name}: how_known = {self.how_known!r} needs {place!r}")
        return self


class Rules(_Strict):
    """``data/releases.toml``."""

    cluster: Cluster
    corrected: Corrected
    interval: IntervalRule
    window: Mapping[str, Window]
    source: Mapping[str, Place]
    copy_: tuple[Copy, ...] = Field(alias="copy")
    left_out: tuple[LeftOut, ...] = ()
    group: tuple[Group, ...] = ()
    release: tuple[Release, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Rules:
        names = [(entry.family, entry.name) for entry in self.release]
        double = sorted({f"{family} {name}" for family, name in names
                         if names.count((family, name)) > 1})  # fmt: skip
        if double:
            raise ValueError(f"releases named twice: {', '.join(double)}")
        return self

    def words(self, *kinds: str) -> re.Pattern[str]:
        """Return the pattern that finds the words of the given kinds in a name."""
        words = [word for entry in self.copy_ if entry.kind in kinds for word in entry.words]
        inner = "|".join(words) or "(?!)"
        return re.compile(f"{_EDGES}(?:{inner})(?={_EDGES}|$)", re.IGNORECASE | re.ASCII)

    @cached_property
    def _all(self) -> re.Pattern[str]:
        return self.words("quantised", "format", "stage", "naming")

    @cached_property
    def _tuned(self) -> re.Pattern[str]:
        return self.words("stage", "naming")

    @cached_property
    def _copied(self) -> re.Pattern[str]:
        return self.words("quantised", "format")

    @cached_property
    def _leading(self) -> re.Pattern[str]:
        inner = "|".join(word for entry in self.copy_ for word in entry.leading) or "(?!)"
        return re.compile(f"(?:{inner})", re.IGNORECASE | re.ASCII)

    @cached_property
    def _no_model(self) -> re.Pattern[str]:
        inner = "|".join(entry.names for entry in self.left_out) or "(?!)"
        return re.compile(f"(?:{inner})", re.IGNORECASE | re.ASCII)

    def model_of(self, name: str) -> str:
        """Return the name that all copies of a model share."""
        return self._bare(name, self._all)

    def weights_of(self, name: str) -> str:
        """Return the name without the words of tuning: each quantised or other copy keeps its own.

        Parameters
        ----------
        name
            A repository's name without its organisation.
        """
        return self._bare(name, self._tuned)

    def is_copy(self, name: str) -> bool:
        """Whether a name holds a word of a quantised copy or of another format."""
        return self._copied.search(name) is not None

    def is_model(self, name: str) -> bool:
        """Whether a repository of this name holds a model at all."""
        return self._no_model.fullmatch(name) is None

    def _bare(self, name: str, words: re.Pattern[str]) -> str:
        rest = name
        start = self._leading.match(rest)
        if start is not None:
            rest = rest[start.end() :]
        return words.sub("", rest).lower()


def parse(mapping: Mapping[str, object]) -> Rules:
    """Validate the content of ``data/releases.toml``; InputError names the first wrong entry."""
    return checked(Rules, mapping, "data/releases.toml")


def members(created: Mapping[str, date], family: Mapping[str, str], rules: Rules) -> pd.DataFrame:
    """List the dated repositories of families, with the model that each one is.

    Parameters
    ----------
    created
        Day of creation by repository.
    family
        Family by repository; repositories of none are left out.
    rules
        What makes a copy.

    Returns
    -------
    pandas.DataFrame
        Columns ``repository_id``, ``family``, ``day`` (ordinal), ``model``, ``weights`` (the model
        with its quantised or other copy), ``copy`` and ``is_model``; in order of day and id.
    """
    rows = []
    for repository in sorted(created):
        own = family.get(repository)
        if own is None:
            continue
        name = repository.partition("/")[2] or repository
        rows.append(
            (
                repository,
                own,
                created[repository].toordinal(),
                rules.model_of(name),
                rules.weights_of(name),
                rules.is_copy(name),
                rules.is_model(name),
            )
        )
    frame = pd.DataFrame(
        rows,
        columns=["repository_id", "family", "day", "model", "weights", "copy", "is_model"],
    )
    return frame.sort_values(["day", "repository_id"], kind="stable").reset_index(drop=True)


def correct(frame: pd.DataFrame, rules: Rules, listed: Mapping[str, date]) -> pd.DataFrame:
    """Give repositories the day on which they were shown, where that is known.

    A named release that covers the repository comes first, then the list of corrected days.

    Parameters
    ----------
    frame
        As :func:`members` returns it.
    rules
        With the named releases.
    listed
        Corrected day by repository.
    """
    named = [
        (entry.family, re.compile(entry.names, re.IGNORECASE | re.ASCII), entry.day.toordinal())
        for entry in rules.release
        if entry.names is not None
    ]
    early = rules.corrected.early
    days = []
    for row in frame.itertuples():
        own, name = str(row.repository_id), str(row.repository_id).partition("/")[2]
        day = int(str(row.day))
        shown = [
            at
            for family, pattern, at in named
            if family == row.family and pattern.fullmatch(name) and 0 <= at - day <= early
        ]
        if not shown and own in listed and abs(listed[own].toordinal() - day) <= early:
            shown = [listed[own].toordinal()]
        days.append(min(shown) if shown else day)
    out = frame.assign(day=pd.Series(days, index=frame.index, dtype="int64"))
    return out.sort_values(["day", "repository_id"], kind="stable").reset_index(drop=True)


def cluster(days: Iterable[int], span: int) -> list[int]:
    """Return the first day of each release: days within `span` of it belong to it.

    The count does not depend on the order of the days and never rises with `span`.
    """
    starts: list[int] = []
    for day in sorted(days):
        if not starts or day - starts[-1] > span:
            starts.append(day)
    return starts


def events(frame: pd.DataFrame, unit: str, copies: bool, span: int) -> list[int]:
    """Return the days (ordinals, in order) on which one family brought something out.

    Parameters
    ----------
    frame
        Rows of one family, as :func:`members` returns them.
    unit
        One of :data:`UNITS`.
    copies
        Whether a quantised copy, or one in another format, counts as something new.
    span
        Days within which models are one release.
    """
    if unit == "repositories":
        if copies:
            return sorted(int(day) for day in frame["day"])
        # A model of which nothing but a copy was published counts once, by that copy.
        plain = frame[~frame["copy"] & frame["is_model"]]
        rest = frame[frame["is_model"] & ~frame["model"].isin(plain["model"])]
        only = rest.groupby("model")["day"].min()
        return sorted([*(int(day) for day in plain["day"]), *(int(day) for day in only)])
    models = frame[frame["is_model"]].groupby("weights" if copies else "model")["day"].min()
    if unit == "models":
        return sorted(int(day) for day in models)
    if unit == "releases":
        return cluster((int(day) for day in models), span)
    raise InputError(f"no unit {unit!r}; there are {', '.join(UNITS)}")


def listing(frame: pd.DataFrame, span: int) -> pd.DataFrame:
    """List the releases of one family in order.

    Parameters
    ----------
    frame
        Rows of one family, as :func:`members` returns them.
    span
        Days within which models are one release.

    Returns
    -------
    pandas.DataFrame
        Columns ``number``, ``day`` and ``last_day`` (ordinals: the first days of its models lie
        between them), ``models``, ``repositories`` (of these models, whenever created),
        ``days_since_last`` and ``names`` (the shortest name of each model, in a list).
    """
    own = frame[frame["is_model"]]
    models = own.groupby("model").agg(day=("day", "min"), size=("day", "size"))
    name = own["repository_id"].astype("str").str.partition("/")[2]
    short = own.assign(name=name, length=name.str.len()).sort_values(["length", "name"])
    names = short.drop_duplicates("model").set_index("model")["name"].to_dict()
    starts = cluster((int(day) for day in models["day"]), span)
    rows = []
    for number, start in enumerate(starts, 1):
        inside = models[models["day"].between(start, start + span)].sort_values(
            "day", kind="stable"
        )
        rows.append(
            {
                "number": number,
                "day": start,
                "last_day": int(inside["day"].max()),
                "models": len(inside),
                "repositories": int(inside["size"].sum()),
                "days_since_last": float(start - starts[number - 2]) if number > 1 else math.nan,
                "names": [str(names[model]) for model in inside.index],
            }
        )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Span:
    """From `first` to `last`, both ordinals and both in it."""

    first: int
    last: int

    @property
    def months(self) -> float:
        """Length in mean months."""
        return (self.last - self.first + 1) / MONTH

    def within(self, days: Iterable[int]) -> list[int]:
        """Return the days that lie in it."""
        return [day for day in days if self.first <= day <= self.last]


def window(rules: Rules, name: str, first: int, last: int) -> Span:
    """Return the span of a named window for a family.

    Parameters
    ----------
    rules
        With the windows.
    name
        Name of the window.
    first
        Day of the family's first repository.
    last
        Day up to which the source sees.

    Raises
    ------
    InputError
        There is no such window.
    """
    if name not in rules.window:
        raise InputError(
            f"data/releases.toml: no window {name!r}; there are {', '.join(rules.window)}"
        )
    entry = rules.window[name]
    if entry.months is not None:
        return Span(last - round(entry.months * MONTH) + 1, last)
    if entry.since is not None:
        return Span(entry.since.toordinal(), last)
    return Span(first, last)


def poisson_interval(count: int, level: float) -> tuple[float, float]:
    """Return the exact (Garwood) interval of a Poisson mean of which `count` was seen.

    The lower end is the mean under which so many or more come with half of ``1 - level``,
    the upper end the mean under which so many or fewer do.
    """
    tail = (1 - level) / 2
    top = count + 10 * math.sqrt(count + 1) + 20
    lower = 0.0
    if count:
        lower = _solve(lambda mean: 1 - _poisson_below(count - 1, mean), tail, 0.0, float(count))
    return lower, _solve(lambda mean: -_poisson_below(count, mean), -tail, float(count), top)


def _poisson_below(count: int, mean: float) -> float:
    """Probability of `count` or fewer."""
    if mean <= 0:
        return 1.0
    k = np.arange(count + 1)
    terms = k * math.log(mean) - mean - _log_factorials(count)
    return float(min(1.0, np.exp(terms).sum()))


def _log_factorials(count: int) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])


def binomial_interval(hits: int, total: int, level: float) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) interval of a share of which `hits` of `total` were seen.

    Nothing seen says nothing: the interval of 0 of 0 is 0 to 1.
    """
    tail = (1 - level) / 2
    factorials = _log_factorials(total)
    k = np.arange(total + 1)
    choose = factorials[total] - factorials - factorials[::-1]

    def at_least(least: int, share: float) -> float:
        terms = choose[least:] + k[least:] * math.log(share)
        terms = terms + (total - k[least:]) * math.log1p(-share)
        return float(np.exp(terms).sum())

    lower = _solve(lambda p: at_least(hits, p), tail, 0.0, 1.0) if hits else 0.0
    upper = 1.0
    if hits < total:
        upper = _solve(lambda p: at_least(hits + 1, p), 1 - tail, 0.0, 1.0)
    return lower, upper


def _solve(rising: object, target: float, low: float, high: float) -> float:
    """Where a rising function meets `target`, by halving."""
    assert callable(rising)
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if rising(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@dataclass(frozen=True)
class Rate:
    """How often something came out.

    Attributes
    ----------
    count, months
        How much came out in how many months.
    value
        Per month.
    lower, upper
        Exact Poisson interval of the rate.
    """

    count: int
    months: float
    value: float
    lower: float
    upper: float


def rate(count: int, months: float, level: float) -> Rate:
    """Return a rate per month with its exact Poisson interval; InputError for an empty window."""
    if months <= 0:
        raise InputError("the window is empty: name an earlier day")
    lower, upper = poisson_interval(count, level)
    return Rate(count, months, count / months, lower / months, upper / months)


@dataclass(frozen=True)
class Ratio:
    """One rate over another.

    Attributes
    ----------
    value
        Rate of the first over rate of the second; infinite where the second is 0.
    lower, upper
        The wider, at each end, of the two intervals below.
    exact
        Conditional on the sum of both counts: Clopper-Pearson.
    blocks
        Percentiles over resampled blocks of months; None where the second count is 0.
    """

    value: float
    lower: float
    upper: float
    exact: tuple[float, float]
    blocks: tuple[float, float] | None


def ratio(
    first: Sequence[int], one: Span, second: Sequence[int], two: Span, rule: IntervalRule
) -> Ratio:
    """Return the ratio of two rates with its interval.

    Were events independent, the first count, given the sum of both, would be binomial; the exact
    interval rests on that. They come in bursts, so blocks of months are resampled too, and
    at each end the wider of both stands.

    Parameters
    ----------
    first, second
        Days of the events of both, within their spans.
    one, two
        The spans.
    rule
        Level, block, draws and seed.
    """
    exact = exact_ratio(len(first), one.months, len(second), two.months, rule.level)
    value = _over(len(first) / one.months, len(second) / two.months)
    blocks = None
    if second:
        blocks = _block_ratio(by_month(first, one), by_month(second, two), rule)
    ends = exact if blocks is None else (min(exact[0], blocks[0]), max(exact[1], blocks[1]))
    return Ratio(value, ends[0], ends[1], exact, blocks)


def exact_ratio(
    first: int, months: float, second: int, other_months: float, level: float
) -> tuple[float, float]:
    """Return the interval of the ratio of two Poisson rates, conditional on the sum of counts."""
    low, high = binomial_interval(first, first + second, level)
    scale = other_months / months
    return _over(low, 1 - low) * scale, _over(high, 1 - high) * scale


def by_month(days: Sequence[int], span: Span) -> np.ndarray:
    """Count events in equal parts of about a month."""
    parts = max(1, round(span.months))
    edges = np.linspace(span.first, span.last + 1, parts + 1)
    counts, _ = np.histogram(np.asarray(days, dtype="float64"), bins=edges)
    return counts


def _block_ratio(first: np.ndarray, second: np.ndarray, rule: IntervalRule) -> tuple[float, float]:
    generator = np.random.default_rng(rule.seed)
    ones = _resampled(first, rule, generator)
    twos = _resampled(second, rule, generator)
    tail = (1 - rule.level) / 2
    # Nothing over nothing bounds nothing: 0 for the lower end, no limit for the upper.
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = ones / twos
    unknown = np.isnan(drawn)
    low = np.quantile(np.where(unknown, 0.0, drawn), tail, method="lower")
    high = np.quantile(np.where(unknown, np.inf, drawn), 1 - tail, method="higher")
    return float(low), float(high)


def _resampled(
    counts: np.ndarray, rule: IntervalRule, generator: np.random.Generator
) -> np.ndarray:
    """Mean per month of series put together from blocks of months, taken around the end."""
    months = len(counts)
    block = min(rule.block, months)
    starts = generator.integers(0, months, size=(rule.draws, math.ceil(months / block)))
    places = (starts[:, :, None] + np.arange(block)) % months
    means: np.ndarray = counts[places.reshape(rule.draws, -1)[:, :months]].mean(axis=1)
    return means


def _over(part: float, whole: float) -> float:
    if whole > 0:
        return part / whole
    return math.inf if part > 0 else math.nan
