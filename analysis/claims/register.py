"""The register of claims (``data/claims.toml``): what is said, and how it is checked.

Everything that decides a verdict is declared there before it is run: the
article's own reading, the grid of other defensible readings, the rules of the
three axes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.errors import InputError

Comparison = Literal["above", "about", "within", "first-in"]
Choice = str | float | bool


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VerdictRules(_Strict):
    """Where the lines between verdicts lie (``[verdict]``)."""

    exact: float = Field(ge=0)
    exact_reason: str
    rounding: float = Field(gt=0)
    rounding_reason: str
    mostly: float = Field(gt=0.5, lt=1)
    mostly_reason: str
    published_on: date
    published_on_reason: str


def months_between(first: str, last: str) -> list[str]:
    """Return the months (YYYY-MM) from `first` to `last`; none if these are no months."""
    try:
        start, end = date.fromisoformat(f"{first}-01"), date.fromisoformat(f"{last}-01")
    except ValueError:
        return []
    numbers = range(start.year * 12 + start.month - 1, end.year * 12 + end.month)
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


class Impossible(_Strict):
    """Combinations of choices that no data can answer, left out of the grid beforehand.

    Attributes
    ----------
    where
        Dimension to the choices concerned; a specification is left out when it
        matches in every dimension named.
    """

    where: Mapping[str, tuple[Choice, ...]]
    reason: str = Field(min_length=10)

    def covers(self, spec: Mapping[str, Choice]) -> bool:
        """Whether a specification is one of these combinations."""
        return all(spec[name] in choices for name, choices in self.where.items())


class Claim(_Strict):
    """One checkable statement of the article, in our words.

    Attributes
    ----------
    id, group, order
        Name, group (A to D) and place in it.
    statement
        The claim, paraphrased.
    stated, stated_text, unit
        The article's value, as number (for ``above`` the threshold; for
        ``first-in`` the first month allowed, as text in `stated_text`) and in words.
    comparison
        ``above``: more than `stated`; ``about``: within `tolerance` of it (a part
        of `stated`); ``first-in``: the first month lies in `months`.
    status
        ``checked``: computed over a grid; ``forecast``: likewise, and pending until its months are
        over or the data show it; ``unobserved``: no source of ours measures it; ``open``:
        registered, and not yet looked at.
    unobserved
        Why nothing of ours measures it, as a clause that becomes the reason of its verdict.
    tested
        The part of the statement that the check tests, as a clause, where it is not the whole.
    elsewhere
        The same claim asked of a second instrument, with a reading and a grid of its own. Its
        numbers stand beside the claim's and never enter them.
    instrument
        Of such an entry: what was read.
    check
        The function that computes it; None for a claim still open or unobserved.
    article
        The article's own reading: one value for each dimension of `grid`.
    grid
        Declared choices by dimension; the specifications are their product.
    impossible
        Combinations left out of the product, each group with a reason.
    later
        The dimension values that stand for later data, over the article's reading.
    settle
        What data would settle it.
    sources
        Ids of the sources that the check reads (groups B and C); a claim of group A
        rests on every reading.
    interval_meaning
        What the interval is, where it is not one that missing data leave.
    assumption
        What the interval rests on beyond the data, where that is not the tested assumptions of
        ``data/assumptions.toml``.
    words
        Words for the page: a dimension, or ``dimension=choice``.
    published
        Identifiers of published figures that bear on it.
    """

    id: str
    group: Literal["A", "B", "C", "D"]
    order: int
    title: str
    statement: str
    status: Literal["checked", "forecast", "unobserved", "open"] = "checked"
    unobserved: str = ""
    tested: str = ""
    instrument: str = ""
    stated: float | None = None
    stated_text: str
    unit: str = ""
    comparison: Comparison | None = None
    tolerance: float | None = None
    tolerance_reason: str = ""
    months: tuple[str, ...] = ()
    check: str | None = None
    article: Mapping[str, Choice] = {}
    article_reason: str = ""
    grid: Mapping[str, tuple[Choice, ...]] = {}
    grid_reason: str = ""
    impossible: tuple[Impossible, ...] = ()
    later: Mapping[str, Choice] = {}
    later_reason: str = ""
    settle: str = ""
    sources: tuple[str, ...] = ()
    interval_meaning: str = ""
    assumption: str = ""
    words: Mapping[str, str] = {}
    published: tuple[str, ...] = ()
    elsewhere: Claim | None = None

    @model_validator(mode="before")
    @classmethod
    def _second(cls, entry: Any) -> Any:
        """Name the entry of a second instrument after the claim it answers."""
        if not isinstance(entry, dict) or not isinstance(second := entry.get("elsewhere"), dict):
            return entry
        own = {name: entry[name] for name in ("group", "order", "title") if name in entry}
        return {**entry, "elsewhere": {**own, "id": elsewhere_id(str(entry.get("id"))), **second}}

    @model_validator(mode="after")
    def _instruments(self) -> Claim:
        if self.elsewhere is None:
            return self
        if not self.elsewhere.instrument:
            raise ValueError("elsewhere: name the instrument")
        if self.elsewhere.elsewhere is not None or self.elsewhere.status != "checked":
            raise ValueError("elsewhere: it is one checked entry, without another inside")
        return self

    @model_validator(mode="after")
    def _complete(self) -> Claim:
        if self.status == "open":
            return self
        if self.status == "unobserved":
            absent = [name for name in ("unobserved", "settle") if not getattr(self, name)]
            if absent:
                raise ValueError(f"an unobserved claim needs {', '.join(absent)}")
            if self.check or self.grid:
                raise ValueError("an unobserved claim has no check and no grid")
            return self
        if self.status == "forecast" and self.comparison != "first-in":
            raise ValueError("a forecast needs comparison 'first-in' and its months")
        missing = [
            name
            for name in ("comparison", "check", "article", "grid", "settle", "grid_reason")
            if not getattr(self, name)
        ]
        if missing:
            raise ValueError(f"a checked claim needs {', '.join(missing)}")
        if set(self.article) != set(self.grid):
            raise ValueError("article and grid must name the same dimensions")
        for name, value in self.article.items():
            if value not in self.grid[name]:
                raise ValueError(f"the article's {name} = {value!r} is not in the grid")
        for entry in self.impossible:
            for name, choices in entry.where.items():
                strange = [c for c in choices if c not in self.grid.get(name, ())]
                if strange:
                    raise ValueError(f"impossible: {name} = {strange[0]!r} is not in the grid")
            if entry.covers(self.article):
                raise ValueError("impossible: it covers the article's own reading")
        known = {*self.grid, *(f"{n}={v}" for n, values in self.grid.items() for v in values)}
        wrong = sorted(set(self.words) - known)
        if wrong:
            raise ValueError(f"words names {wrong[0]!r}, which is no dimension or choice")
        unknown = set(self.later) - set(self.grid)
        if unknown:
            raise ValueError(f"later names unknown dimensions: {', '.join(sorted(unknown))}")
        if self.comparison in ("above", "about") and not self.stated:
            raise ValueError(f"comparison {self.comparison!r} needs a stated value other than 0")
        if self.comparison == "about" and not self.tolerance:
            raise ValueError("comparison 'about' needs a tolerance")
        if self.comparison == "first-in":
            if not self.months or list(self.months) != months_between(
                self.months[0], self.months[-1]
            ):
                raise ValueError("comparison 'first-in' needs months (YYYY-MM) that follow on")
            if self.later:
                raise ValueError("comparison 'first-in' knows no later data")
        for name, values in self.grid.items():
            if len(set(values)) != len(values):
                raise ValueError(f"grid names a value of {name} twice")
        return self

    def specifications(self) -> list[dict[str, Choice]]:
        """Every combination of the declared choices that is possible, the article's own first."""
        return combinations(self.grid, self.impossible, self.article)


def combinations(
    grid: Mapping[str, tuple[Choice, ...]],
    impossible: Iterable[Impossible],
    first: Mapping[str, Choice],
) -> list[dict[str, Choice]]:
    """Every possible combination of the choices of a grid, one of them put first."""
    product = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    product = [s for s in product if not any(entry.covers(s) for entry in impossible)]
    own = dict(first)
    return [own] + [spec for spec in product if spec != own]


def elsewhere_id(claim: str) -> str:
    """Return the id under which a second instrument's answer to a claim goes."""
    return f"{claim}-elsewhere"


class Register(_Strict):
    """All claims and the rules of the verdicts."""

    verdict: VerdictRules
    claim: tuple[Claim, ...]

    @model_validator(mode="after")
    def _unique(self) -> Register:
        names = [claim.id for claim in self.claim]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"claims named twice: {', '.join(double)}")
        return self

    def find(self, name: str) -> Claim:
        """Return the claim `name`.

        Raises
        ------
        InputError
            If there is none; the message lists the names.
        """
        for claim in self.claim:
            if claim.id == name:
                return claim
        known = ", ".join(claim.id for claim in self.claim)
        raise InputError(f"no claim is called {name!r}; the claims are: {known}")


def parse(mapping: Mapping[str, object]) -> Register:
    """Validate the content of ``data/claims.toml``; InputError names the first wrong entry."""
    try:
        return Register.model_validate(mapping)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        listed = mapping.get("claim")
        if len(first["loc"]) > 1 and isinstance(first["loc"][1], int) and isinstance(listed, list):
            where = f"claim {listed[first['loc'][1]].get('id', first['loc'][1])}: " + ".".join(
                str(part) for part in first["loc"][2:]
            )
        raise InputError(f"data/claims.toml: {where}: {first['msg']}: correct the entry") from error
