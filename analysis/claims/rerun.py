"""Asking every claim of one snapshot (``data/rerun.toml``).

The register's own checks rest on many readings around the days of the article. This asks what one
snapshot says by itself, over a grid that is declared for it, with the register's rule of what
holds and of how many specifications make a verdict.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.claims.figures import FIGURES, Subject
from analysis.claims.outcome import Outcome
from analysis.claims.register import Choice, Claim, Impossible, Register, combinations
from analysis.claims.verdicts import holds_months, holds_within, robust
from analysis.entries import checked
from analysis.errors import InputError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Strict):
    """What is asked of a snapshot for one claim.

    Attributes
    ----------
    id
        The claim.
    figure
        Name in :data:`analysis.claims.figures.FIGURES`.
    month
        The month (YYYY-MM) that the claim speaks of, where it speaks of one.
    reading
        The specification whose number stands for the answer.
    grid, impossible
        As in the register.
    """

    id: str
    figure: str
    month: str = ""
    reading: Mapping[str, Choice]
    grid: Mapping[str, tuple[Choice, ...]]
    impossible: tuple[Impossible, ...] = ()
    reason: str = Field(min_length=10)

    @model_validator(mode="after")
    def _whole(self) -> Asked:
        if self.figure not in FIGURES:
            known = ", ".join(sorted(FIGURES))
            raise ValueError(f"no figure is called {self.figure!r}; there are: {known}")
        if set(self.reading) != set(self.grid):
            raise ValueError("reading and grid must name the same dimensions")
        wrong = [f"{n} = {v!r}" for n, v in self.reading.items() if v not in self.grid[n]]
        wrong += [
            f"impossible: {n} = {c!r}"
            for entry in self.impossible
            for n, choices in entry.where.items()
            for c in choices
            if c not in self.grid.get(n, ())
        ]
        if wrong:
            raise ValueError(f"{wrong[0]} is not in the grid")
        if any(entry.covers(self.reading) for entry in self.impossible):
            raise ValueError("impossible: it covers the reading")
        return self

    def specifications(self) -> list[dict[str, Choice]]:
        """Every possible combination, the reading first."""
        return combinations(self.grid, self.impossible, self.reading)


class LeftOut(_Strict):
    """A claim that one snapshot cannot answer."""

    id: str
    reason: str = Field(min_length=10)


class Rules(_Strict):
    """``data/rerun.toml``."""

    complete: tuple[str, ...]
    complete_reason: str
    asked_within: int = Field(ge=0)
    asked_within_reason: str
    claim: tuple[Asked, ...]
    left_out: tuple[LeftOut, ...]


def parse(mapping: Mapping[str, object], register: Register) -> Rules:
    """Validate the file against the register: each claim stands in it once.

    Raises
    ------
    InputError
        Names the first wrong entry.
    """
    rules = checked(Rules, mapping, "data/rerun.toml")
    named = [entry.id for entry in rules.claim] + [entry.id for entry in rules.left_out]
    registered = [claim.id for claim in register.claim]
    for name in registered:
        if named.count(name) != 1:
            raise InputError(
                f"data/rerun.toml: claim {name!r} stands there {named.count(name)} times: give it "
                "one entry, with a figure or left out with the reason"
            )
    strange = [name for name in named if name not in registered]
    if strange:
        raise InputError(f"data/rerun.toml: no claim is called {strange[0]!r}: drop the entry")
    return rules


def ask(subject: Subject, claim: Claim, asked: Asked, rules: Rules, register: Register) -> Answer:
    """Ask one claim of a snapshot, in every specification.

    Returns
    -------
    Answer
        Its record and its table of specifications.
    """
    rows: list[dict[str, Any]] = []
    lacking: list[str] = []
    line = math.nan if claim.stated is None else claim.stated
    for number, spec in enumerate(asked.specifications()):
        try:
            got = FIGURES[asked.figure](subject, spec, line)
        except InputError as error:
            lacking.append(str(error))
            got = Outcome(None, note=str(error))
        rows.append(
            {
                "claim": claim.id,
                "specification": number,
                "is_reading": number == 0,
                **spec,
                "value": got.value,
                "lower": got.lower,
                "upper": got.upper,
                "covered": got.covered,
                "population_size": got.population,
                "holds": _holds(claim, got),
                "note": got.note,
                **got.extra,
            }
        )
    table = pd.DataFrame(rows)
    own = rows[0]
    record = _about(claim, subject)
    if len(lacking) == len(rows):
        return Answer(record | {"answered": False, "reason": lacking[0]}, table.iloc[:0])
    verdict, choice = robust(claim.model_copy(update={"grid": asked.grid}), table, register.verdict)
    record |= {
        "answered": True,
        "reading": dict(asked.reading),
        "value": own["value"],
        "lower": own["lower"],
        "upper": own["upper"],
        "covered": own["covered"],
        "population": own["population_size"],
        "holds": own["holds"],
        "verdict": verdict.verdict,
        "verdict_reason": verdict.reason,
        "choice": choice,
        "note": own["note"],
        "beside": _beside(subject.day, asked.month, rules.asked_within),
        "grade": "computed" if own["lower"] == own["upper"] else "bounded",
        "specifications": len(rows),
    }
    return Answer(record, table)


class Answer:
    """What a snapshot says of a claim: a record for a person, and every specification."""

    def __init__(self, record: dict[str, Any], table: pd.DataFrame) -> None:
        self.record = record
        self.table = table


def every(
    subject: Subject,
    rules: Rules,
    register: Register,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Answer]:
    """Ask all claims, in the order of the register.

    Parameters
    ----------
    progress
        Called with the id of each claim before it is asked.
    """
    asked = {entry.id: entry for entry in rules.claim}
    left_out = {entry.id: entry.reason for entry in rules.left_out}
    out = []
    for claim in register.claim:
        if claim.id in asked:
            progress(claim.id)
            out.append(ask(subject, claim, asked[claim.id], rules, register))
            continue
        record = _about(claim, subject) | {"answered": False, "reason": left_out[claim.id]}
        out.append(Answer(record, pd.DataFrame()))
    return out


def _about(claim: Claim, subject: Subject) -> dict[str, Any]:
    return {
        "claim": claim.id,
        "title": claim.title,
        "statement": claim.statement,
        "stated": claim.stated,
        "stated_text": claim.stated_text,
        "unit": claim.unit,
        "day": subject.day.isoformat(),
    }


def _holds(claim: Claim, got: Outcome) -> str:
    if claim.comparison == "first-in":
        if got.value is None:
            return "undetermined"
        return holds_months(claim, str(got.extra["first"]), str(got.extra["last"]))
    if math.isnan(got.lower) or math.isnan(got.upper):
        return "undetermined"
    return holds_within(claim, got.lower, got.upper)


def _beside(day: date, month: str, within: int) -> str:
    """Say that a claim about a month is asked of another day, where it is."""
    if not month:
        return ""
    year, number = int(month[:4]), int(month[5:])
    last = date(year, number, calendar.monthrange(year, number)[1])
    if abs((day - last).days) <= within:
        return ""
    return f"the claim speaks of {month}, the snapshot of {day.isoformat()}"
