"""Declared days and populations (``data/days.toml``, ``data/populations.toml``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from analysis.entries import checked
from analysis.errors import InputError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Anchor(_Strict):
    """The day on which a month is read.

    Attributes
    ----------
    within
        A counter read at most so many days off counts as seen.
    list_name
        Version name of the tracked list that held (``list`` in the file).
    """

    month: str
    day: date
    within: int = Field(ge=0)
    list_name: str = Field(alias="list")
    reason: str


class Spread(_Strict):
    """Labels of a version that are up to `days` days early, until a day."""

    version: str
    until: date
    days: int = Field(gt=0)
    reason: str


class Correction(_Strict):
    """Days on which the Hub corrected all-time counters downwards."""

    first: date
    last: date
    reason: str


class Days(_Strict):
    """``data/days.toml``."""

    anchor: tuple[Anchor, ...]
    spread: tuple[Spread, ...] = ()
    correction: tuple[Correction, ...] = ()
    also: tuple[date, ...] = ()
    also_reason: str = ""
    dated_by_counters: tuple[str, ...] = ()
    dated_by_counters_reason: str = ""

    @property
    def corrections(self) -> tuple[int, ...]:
        """Every declared day of correction, as ordinals."""
        return tuple(
            day
            for entry in self.correction
            for day in range(entry.first.toordinal(), entry.last.toordinal() + 1)
        )

    def of_month(self, month: str) -> Anchor:
        """Return the anchor of a month such as ``2026-02``; InputError when none is declared."""
        for anchor in self.anchor:
            if anchor.month == month:
                return anchor
        known = ", ".join(anchor.month for anchor in self.anchor)
        raise InputError(f"data/days.toml: no day is declared for {month!r}; declared: {known}")

    def near(self, day: date) -> Anchor:
        """Return the anchor whose day is nearest to `day` (the earlier of two)."""
        return min(self.anchor, key=lambda anchor: (abs((anchor.day - day).days), anchor.day))


class Population(_Strict):
    """A population over which a share is taken."""

    id: str
    label: str
    order: int
    kind: Literal["makers", "tracked", "tasks", "hub"]
    makers: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    definition: str
    reason: str


class Populations(_Strict):
    """``data/populations.toml``."""

    population: tuple[Population, ...]

    def find(self, name: str) -> Population:
        """Return a population; InputError that lists the names when there is none."""
        for population in self.population:
            if population.id == name:
                return population
        known = ", ".join(population.id for population in self.population)
        raise InputError(f"no population is called {name!r}; declared: {known}")


def parse_days(mapping: Mapping[str, object]) -> Days:
    """Validate ``data/days.toml``; InputError names the first wrong entry."""
    return checked(Days, mapping, "data/days.toml")


def parse_populations(mapping: Mapping[str, object]) -> Populations:
    """Validate ``data/populations.toml``; InputError names the first wrong entry."""
    return checked(Populations, mapping, "data/populations.toml")
