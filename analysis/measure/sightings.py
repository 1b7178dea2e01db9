"""Whether a model that was announced is seen: names in every source, matched by one tested rule.

A source that does not hold a name says "not seen by its day", and no more. Names that strangers
gave to repositories make nothing official (``data/sightings.toml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Final

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    StringConstraints,
    field_validator,
    model_validator,
)

from analysis.entries import checked

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4)]

#: Of a longer text only the beginning is looked at.
LONGEST: Final = 2000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


class Excluded(_Strict):
    """Words after a wanted name that make it another thing, or that only announce it."""

    word: str
    announces: bool
    reason: Reason

    _check = field_validator("word")(_pattern)


class Look(_Strict):
    """A kind of source with a column of names."""

    kind: str
    title: str
    column: str
    whose: str | None = None
    own: tuple[str, ...] = ()
    unless: str | None = None
    weights: bool

    @field_validator("unless")
    @classmethod
    def _check(cls, text: str | None) -> str | None:
        return None if text is None else _pattern(text)

    @model_validator(mode="after")
    def _both(self) -> Look:
        if (self.whose is None) != (not self.own):
            raise ValueError("whose and own go together")
        return self


class SightingRules(_Strict):
    """``data/sightings.toml``."""

    title: str
    wanted: str
    wanted_reason: Reason
    excluded: tuple[Excluded, ...]
    generation: str
    generation_reason: Reason
    look: tuple[Look, ...]

    _check = field_validator("wanted", "generation")(_pattern)

    @model_validator(mode="after")
    def _once(self) -> SightingRules:
        kinds = [entry.kind for entry in self.look]
        if double := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
            raise ValueError(f"a kind stands twice: {double[0]!r}")
        return self

    @cached_property
    def wanted_at(self) -> re.Pattern[str]:
        """The wanted name where a name can begin."""
        return re.compile(rf"{_START}(?:{self.wanted})", re.IGNORECASE)

    @cached_property
    def words(self) -> Mapping[bool, re.Pattern[str]]:
        """Words that exclude, by whether names that only announce the model count."""
        found = {}
        for announced in (False, True):
            kept = [e.word for e in self.excluded if not (announced and e.announces)]
            words = "|".join(f"(?:{word})" for word in kept) or r"(?!)"
            found[announced] = re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)
        return found

    @cached_property
    def generation_at(self) -> re.Pattern[str]:
        """A generation where a name can begin."""
        return re.compile(rf"{_START}(?:{self.generation})", re.IGNORECASE)


#: Where a name can begin: at the start, or after what parts publisher and name.
_START: Final = r"(?:\A|(?<=[/:.\s]))"


def parse(mapping: Mapping[str, object]) -> SightingRules:
    """Validate the content of ``data/sightings.toml``; InputError names a wrong entry."""
    return checked(SightingRules, mapping, "data/sightings.toml")


def counts(name: str, rules: SightingRules, *, announced: bool = False) -> bool:
    """Whether a name is one of the model that is waited for.

    Parameters
    ----------
    name
        Id of a repository, key, title or passage.
    announced
        Whether a name that only announces it (a preview) counts too.

    Examples
    --------
    >>> counts("Qwen/Qwen4-7B", rules), counts("Qwen/Qwen-4B", rules)  # doctest: +SKIP
    (True, False)
    """
    text = name[:LONGEST]
    return any(
        rules.words[announced].search(text[found.end() : found.end() + 40].split("/")[0]) is None
        for found in rules.wanted_at.finditer(text)
    )


def generation_of(name: str, rules: SightingRules) -> tuple[int, int] | None:
    """Return the highest generation that a name states, ``(3, 8)`` for Qwen3.8; None for none."""
    found = [
        (int(whole), int(part or 0))
        for match in rules.generation_at.finditer(name[:LONGEST])
        for whole, _, part in [match.group(1).partition(".")]
    ]
    return max(found) if found else None


def generation_name(generation: tuple[int, int]) -> str:
    """Write a generation as its maker does: ``Qwen3.8``, ``Qwen3``."""
    whole, part = generation
    return f"Qwen{whole}.{part}" if part else f"Qwen{whole}"


def official(frame: pd.DataFrame, look: Look) -> tuple[list[str], list[str]]:
    """Return the names of a version: those by the maker or the source itself, and the others.

    Parameters
    ----------
    frame
        A version of the kind; without the column (a layout that lacks it) it has no names.
    """
    if look.column not in frame.columns or (
        look.whose is not None and look.whose not in frame.columns
    ):
        return [], []
    names = frame[look.column]
    keep = names.notna()
    mine = keep.copy()
    if look.whose is not None:
        mine &= frame[look.whose].isin(look.own).fillna(False).astype("bool")
    if look.unless is not None:
        mine &= ~names.fillna("").str.contains(look.unless, regex=True).astype("bool")
    own = [str(name) for name in names[mine]]
    others = [str(name) for name in names[keep & ~mine]]
    return own, others


def seen(
    versions: Iterable[tuple[str, date, pd.DataFrame]], look: Look, rules: SightingRules
) -> dict[str, object]:
    """Return what the versions of a kind show: the newest generation, and the wanted model.

    Parameters
    ----------
    versions
        Name, day and rows of each version; at least one.

    Returns
    -------
    dict
        ``versions``; ``last`` (day of the latest); ``names`` (different ones by the maker that
        state a generation); ``newest``, ``newest_example``, ``newest_after`` and ``newest_first``
        (the newest generation, its first name in order, the day of the version before the first
        that holds it, and of that one); ``first``, ``after`` and ``example`` of the wanted model,
        None where it is not seen; ``announced_first`` and ``announced_after`` where names that
        only announce it count too; ``strangers`` (different names by others that would count).
    """
    order = sorted(versions, key=lambda version: (version[1], version[0]))
    days = [day for _, day, _ in order]
    found: dict[tuple[int, int], tuple[date, str]] = {}
    names: set[str] = set()
    strangers: set[str] = set()
    first: date | None = None
    example: str | None = None
    announced: date | None = None
    for _, day, frame in order:
        own, others = official(frame, look)
        for name in sorted(set(own)):
            generation = generation_of(name, rules)
            if generation is not None:
                names.add(name)
                found.setdefault(generation, (day, name))
            if first is None and counts(name, rules):
                first, example = day, name
            if announced is None and counts(name, rules, announced=True):
                announced = day
        strangers |= {name for name in others if counts(name, rules)}
    newest = max(found) if found else None
    return {
        "versions": len(order),
        "last": days[-1],
        "names": len(names),
        "newest": None if newest is None else generation_name(newest),
        "newest_example": None if newest is None else found[newest][1][:120],
        "newest_after": None if newest is None else _before(days, found[newest][0]),
        "newest_first": None if newest is None else found[newest][0],
        "first": first,
        "after": None if first is None else _before(days, first),
        "announced_first": announced,
        "announced_after": None if announced is None else _before(days, announced),
        "example": None if example is None else example[:120],
        "strangers": len(strangers),
    }


def _before(days: list[date], day: date) -> date | None:
    earlier = [each for each in days if each < day]
    return max(earlier) if earlier else None
