"""What a licence costs its user, in classes, and how many firms a survey would have to ask."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from scipy.stats import norm

from analysis.entries import checked
from analysis.errors import InputError

_WHERE: Final = "data/terms.toml"

#: How free a licence leaves its user, from most to least.
LEVELS: Final = ("anyone", "below", "research", "fee")
Level = Literal["anyone", "below", "research", "fee"]
#: Whether a licence counts as free.
FREE: Final = "free"
NOT: Final = "not"
OPEN: Final = "open"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


class Terms(_Strict):
    """Licences that leave their user equally free (``[[terms]]``).

    Attributes
    ----------
    at_best, at_worst
        The most and the least free that they can be; they differ where no text was read.
    groups
        Groups of ``data/licences.toml``.
    names
        Names that cards give to a licence of the maker's own, lower case; looked at first.
    """

    id: str
    label: str
    at_best: Level
    at_worst: Level
    groups: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    reason: str = Field(min_length=10)

    @model_validator(mode="after")
    def _ordered(self) -> Terms:
        if LEVELS.index(self.at_best) > LEVELS.index(self.at_worst):
            raise ValueError("at_best must not be less free than at_worst")
        return self


class Makers(_Strict):
    """Whose repositories count (``[makers]``)."""

    alibaba: tuple[str, ...] = Field(min_length=1)
    alibaba_reason: str = Field(min_length=10)
    region: str
    region_reason: str = Field(min_length=10)


class SourceDay(_Strict):
    """The file that stands for a day (``[[source]]``).

    Attributes
    ----------
    version
        Its name in the registry.
    lists
        What it lists, in words.
    whole
        Whether it holds all of what it lists.
    """

    day: date
    version: str
    lists: str
    whole: bool
    reason: str = Field(min_length=10)


class Grants(_Strict):
    """Words of a licence text (``[grants]``)."""

    free: str
    free_reason: str = Field(min_length=10)
    worldwide: str
    worldwide_reason: str = Field(min_length=10)

    _valid = field_validator("free", "worldwide")(_pattern)


class Newest(_Strict):
    """Which models are shown by name (``[newest]``); ``least`` in parameters."""

    since: date
    least: float = Field(gt=0)
    count: int = Field(gt=0)
    reason: str = Field(min_length=10)


class Survey(_Strict):
    """What a survey is to tell apart (``[survey]``)."""

    confidence: float = Field(gt=0.5, lt=1)
    power: float = Field(gt=0.5, lt=1)
    power_reason: str = Field(min_length=10)
    base: float = Field(gt=0, lt=1)
    base_reason: str = Field(min_length=10)
    differences: tuple[float, ...] = Field(min_length=1)
    differences_reason: str = Field(min_length=10)

    @model_validator(mode="after")
    def _possible(self) -> Survey:
        if any(not 0 < d < 1 - self.base for d in self.differences):
            raise ValueError("a difference must be above 0 and leave room above the base")
        return self


class TermRules(_Strict):
    """``data/terms.toml``."""

    terms: tuple[Terms, ...] = Field(min_length=1)
    makers: Makers
    source: tuple[SourceDay, ...] = Field(min_length=1)
    grants: Grants
    newest: Newest
    survey: Survey

    @model_validator(mode="after")
    def _unique(self) -> TermRules:
        for what, names in (
            ("terms", [entry.id for entry in self.terms]),
            ("group", [name for entry in self.terms for name in entry.groups]),
            ("name", [name for entry in self.terms for name in entry.names]),
            ("day", [entry.day.isoformat() for entry in self.source]),
        ):
            double = sorted({name for name in names if names.count(name) > 1})
            if double:
                raise ValueError(f"{what} named twice: {', '.join(double)}")
        return self

    def on(self, day: date) -> SourceDay:
        """Return the file that stands for a day; InputError lists the days."""
        for entry in self.source:
            if entry.day == day:
                return entry
        known = ", ".join(entry.day.isoformat() for entry in self.source)
        raise InputError(f"{_WHERE}: no source stands for {day}; the days are: {known}")


def parse(mapping: Mapping[str, object]) -> TermRules:
    """Validate ``data/terms.toml``; InputError names the first wrong entry."""
    return checked(TermRules, mapping, _WHERE)


def classes(
    names: pd.Series, declared: pd.Series, groups: pd.Series, rules: TermRules
) -> pd.Series:
    """Return the id of the class of each repository's licence, null where none lists it.

    Parameters
    ----------
    names
        Name that the card gives to a licence of its own, null for none.
    declared
        Licence id as the Hub lists it, null for none.
    groups
        Group of ``data/licences.toml`` (:func:`analysis.measure.licensed.groups`).

    Notes
    -----
    A name counts only where the declared id is ``other``, or itself that name: a card that
    declares a licence of the Hub's list has that licence.
    """
    by_name = {name: entry.id for entry in rules.terms for name in entry.names}
    by_group = {group: entry.id for entry in rules.terms for group in entry.groups}

    def one(name: object, own: object, group: object) -> str | None:
        for word in (name if own in ("other", None) else None, own):
            if isinstance(word, str) and word.lower() in by_name:
                return by_name[word.lower()]
        return by_group.get(str(group))

    found = [one(*row) for row in zip(names, declared, groups, strict=True)]
    return pd.Series(found, index=groups.index, dtype="object")


def answers(of: pd.Series, free: str, rules: TermRules) -> pd.Series:
    """Whether each class counts as free: ``free``, ``not`` or ``open``.

    Parameters
    ----------
    of
        Ids of classes (:func:`classes`); null is a licence that no class lists, and open.
    free
        The least free level that still counts.
    """
    if free not in LEVELS:
        raise InputError(f"free: {free!r} is not known; there are: {', '.join(LEVELS)}")
    line = LEVELS.index(free)
    words = {}
    for entry in rules.terms:
        best, worst = LEVELS.index(entry.at_best), LEVELS.index(entry.at_worst)
        words[entry.id] = FREE if worst <= line else NOT if best > line else OPEN
    return pd.Series([words.get(one, OPEN) for one in of], index=of.index, dtype="object")


def share(answer: pd.Series, weights: pd.Series) -> tuple[float, float, float]:
    """Return the share that is free: of what is known, at least, and at most.

    Parameters
    ----------
    answer
        ``free``, ``not`` or ``open`` by repository.
    weights
        What each counts: 1, or its downloads; NaN counts nothing.

    Returns
    -------
    tuple of float
        Known part, lower end (all open ones are not free), upper end (all are free); NaN where
        there is nothing to divide by.
    """
    counted = weights.fillna(0).astype("float64").to_numpy()
    free = float(counted[(answer == FREE).to_numpy()].sum())
    not_free = float(counted[(answer == NOT).to_numpy()].sum())
    whole = float(counted.sum())
    known = free + not_free
    return (
        free / known if known else math.nan,
        free / whole if whole else math.nan,
        (whole - not_free) / whole if whole else math.nan,
    )


def grant(frame: pd.DataFrame, pattern: str) -> tuple[int, str] | None:
    """Return line and passage of the first sentence of a text that matches; None for none."""
    compiled = re.compile(pattern, re.IGNORECASE)
    for line, passage in zip(frame["line"], frame["passage"], strict=True):
        if compiled.search(str(passage)):
            return int(line), str(passage)
    return None


def firms(base: float, difference: float, confidence: float, power: float, waves: int = 1) -> int:
    """Return how many firms to ask in each region, in each wave, to see a difference.

    Parameters
    ----------
    base
        Share of the region with less.
    difference
        By how much the other region's share (``waves=1``) or change (``waves=2``) is larger.
    confidence, power
        Two-sided confidence, and the chance that a difference of that size is found.
    waves
        1: two shares of one moment. 2: the changes between two moments, other firms asked each
        time; the shares start equal, and in one region nothing changes.

    Returns
    -------
    int
        Rounded up.

    References
    ----------
    Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed., ch. 4 (two
    proportions, without correction for continuity; for two waves the variances of four
    proportions add).
    """
    alpha, beta = float(norm.ppf(0.5 + confidence / 2)), float(norm.ppf(power))
    other = base + difference
    one, two = base * (1 - base), other * (1 - other)
    if waves == 1:
        middle = (base + other) / 2
        null, true = 2 * middle * (1 - middle), one + two
    elif waves == 2:
        # Without a difference both regions gain the same, half of it each.
        middle = (base + other) / 2
        null, true = 2 * (one + middle * (1 - middle)), 3 * one + two
    else:
        raise InputError(f"waves: {waves} is not known: 1 or 2")
    needed = (alpha * math.sqrt(null) + beta * math.sqrt(true)) ** 2 / difference**2
    # Off the last digits, so that no machine rounds another way.
    return math.ceil(round(needed, 6))
