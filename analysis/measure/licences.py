"""Licences: what their texts ask for, and groups of the ids that repositories declare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from analysis.entries import checked

_WHERE: Final = "data/licences.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


class ThresholdRule(_Strict):
    """How a number of monthly active users is found in a sentence (``[threshold]``)."""

    users: tuple[str, ...] = Field(min_length=1)
    users_reason: str = Field(min_length=10)
    reach: int = Field(ge=0, le=5)
    reach_reason: str = Field(min_length=10)
    more: tuple[str, ...] = Field(min_length=1)
    more_reason: str = Field(min_length=10)
    money: tuple[str, ...] = Field(min_length=1)
    money_reason: str = Field(min_length=10)
    least: int = Field(gt=0)
    least_reason: str = Field(min_length=10)
    large: int = Field(gt=0)
    large_reason: str = Field(min_length=10)

    @field_validator("users", "more", "money")
    @classmethod
    def _valid(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_pattern(text) for text in patterns)


class DateRule(_Strict):
    """Where a text says of which day it is (``[dated]``); groups ``day`` and ``month``."""

    pattern: str
    reason: str = Field(min_length=10)

    @field_validator("pattern")
    @classmethod
    def _valid(cls, text: str) -> str:
        if set(re.compile(_pattern(text)).groupindex) != {"day", "month"}:
            raise ValueError("it needs the groups 'day' and 'month'")
        return text


class Licensor(_Strict):
    """Whose licence it is, by a name in its text (``[[licensor]]``)."""

    name: str
    pattern: str
    reason: str = Field(min_length=10)

    _valid = field_validator("pattern")(_pattern)


class Condition(_Strict):
    """A further condition, by the words of a sentence (``[[condition]]``)."""

    id: str
    label: str
    pattern: str
    reason: str = Field(min_length=10)

    _valid = field_validator("pattern")(_pattern)


Kind = Literal["apache", "permissive", "conditions", "research", "unnamed", "undeclared"]


class Group(_Strict):
    """Licences that are counted together (``[[group]]``).

    Attributes
    ----------
    ids
        Licence ids as the Hub lists them.
    names
        Names that cards give to a licence declared as ``other``.
    text
        Version name of the licence text held here that the ids stand for.
    """

    id: str
    label: str
    kind: Kind
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    text: str | None = None
    reason: str = Field(min_length=10)


class Stated(_Strict):
    """Licence of repositories that the maker's own text names (``[[stated]]``).

    Attributes
    ----------
    repositories
        Pattern of whole ids.
    source, line, says
        Release text, line of the passage, and a pattern that it must match.
    """

    repositories: str
    group: str
    source: str
    line: int = Field(gt=0)
    says: str
    reason: str = Field(min_length=10)

    _valid = field_validator("repositories", "says")(_pattern)


class Statement(_Strict):
    """A sentence of the maker's texts on the licences of a generation (``[[statement]]``)."""

    pattern: str
    label: str
    reason: str = Field(min_length=10)

    _valid = field_validator("pattern")(_pattern)


class Copies(_Strict):
    """Words of a name, beside those of ``data/releases.toml``, that tell a quantised copy."""

    words: tuple[str, ...]
    reason: str = Field(min_length=10)


class Shown(_Strict):
    """Families that stand side by side."""

    shown: tuple[str, ...] = Field(min_length=2)
    reason: str = Field(min_length=10)


class Sizes(_Strict):
    """Edges between classes of size, in parameters."""

    edges: tuple[float, ...] = Field(min_length=1)
    reason: str = Field(min_length=10)

    @field_validator("edges")
    @classmethod
    def _rising(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if list(edges) != sorted(set(edges)):
            raise ValueError("the edges must rise")
        return edges


class LicenceRules(_Strict):
    """``data/licences.toml``."""

    threshold: ThresholdRule
    dated: DateRule
    licensor: tuple[Licensor, ...]
    condition: tuple[Condition, ...]
    group: tuple[Group, ...]
    stated: tuple[Stated, ...]
    statement: tuple[Statement, ...]
    copies: Copies
    families: Shown
    sizes: Sizes

    @model_validator(mode="after")
    def _unique(self) -> LicenceRules:
        for what, names in (
            ("licensor", [entry.name for entry in self.licensor]),
            ("condition", [entry.id for entry in self.condition]),
            ("group", [entry.id for entry in self.group]),
            ("id", [name for entry in self.group for name in entry.ids]),
            ("name", [name for entry in self.group for name in entry.names]),
        ):
            double = sorted({name for name in names if names.count(name) > 1})
            if double:
                raise ValueError(f"{what} named twice: {', '.join(double)}")
        strange = sorted({one.group for one in self.stated} - {entry.id for entry in self.group})
        if strange:
            raise ValueError(f"stated: no group is called {strange[0]!r}")
        if sum(entry.kind == "unnamed" for entry in self.group) != 1:
            raise ValueError("one group, and no more, must be of the kind 'unnamed'")
        return self


def parse(mapping: Mapping[str, object]) -> LicenceRules:
    """Validate ``data/licences.toml``; InputError names the first wrong entry."""
    return checked(LicenceRules, mapping, _WHERE)


# ------------------------------------------------------------------------------------- numbers

_ONES: Final = {
    word: value
    for value, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
            *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
            *("seventeen", "eighteen", "nineteen"),
        )
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_SCALES: Final = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORDS: Final = "|".join((*_ONES, *_TENS, "hundred", *_SCALES))
_FIRST: Final = "|".join((*_ONES, *_TENS, f"an?(?=[ -](?:hundred|{'|'.join(_SCALES)})\\b)"))
_DIGITS: Final = r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?"
#: A number in digits (700 million, 100,000,000, 100M, 1.5 billion) or in words.
_NUMBER: Final = re.compile(
    rf"(?<![\w.,$€¥£])(?:(?P<digits>{_DIGITS})"
    rf"(?:[ -]?(?P<scale>{'|'.join(_SCALES)})\b|(?P<short>[MB])\b|(?![\w]|\.\d|,\d))"
    rf"|(?P<words>(?:{_FIRST})(?:[ -](?:and )?(?:{_WORDS}))*)\b)",
    re.IGNORECASE,
)
#: What is longer counts nobody.
_MOST_DIGITS: Final = 30
_SHORT: Final = {"m": 10**6, "b": 10**9}


def _in_words(text: str) -> int | None:
    """Read a number in words; None where the words make none (``one two``)."""
    total = group = 0
    before = ""
    for word in re.split(r"[ -]+", text.lower()):
        if word in ("and", "a", "an"):
            group += word != "and"
        elif word in _ONES:
            if before in _ONES:
                return None
            group += _ONES[word]
        elif word in _TENS:
            group += _TENS[word]
        elif word == "hundred":
            group = max(group, 1) * 100
        else:
            total += max(group, 1) * _SCALES[word]
            group = 0
        before = word
    return total + group


@dataclass(frozen=True)
class _Number:
    value: int
    start: int
    end: int


def numbers(text: str) -> list[tuple[int, str]]:
    """Whole numbers that a text holds, in digits or words, with the words themselves.

    Examples
    --------
    >>> numbers("more than 700 million users, or one hundred thousand a day")
    [(700000000, '700 million'), (100000, 'one hundred thousand')]
    """
    return [(found.value, text[found.start : found.end]) for found in _numbers(text)]


def _numbers(text: str) -> list[_Number]:
    out = []
    for found in _NUMBER.finditer(text):
        if found["words"] is not None:
            value = _in_words(found["words"])
            if value is None:
                continue
        else:
            scale = _SCALES.get((found["scale"] or "").lower(), 1)
            scale *= _SHORT.get((found["short"] or "").lower(), 1)
            whole = found["digits"].replace(",", "")
            if len(whole) > _MOST_DIGITS:
                continue
            value = round(float(whole) * scale) if "." in whole else int(whole) * scale
        out.append(_Number(value, found.start(), found.end()))
    return out


# ---------------------------------------------------------------------------------- thresholds


@dataclass(frozen=True)
class Passage:
    """A sentence of a text and the line on which it begins."""

    line: int
    text: str


@dataclass(frozen=True)
class Threshold:
    """A number of users in a licence: the number, the sentence, and where it stands."""

    users: int
    words: str
    place: Passage


@dataclass(frozen=True)
class Reading:
    """What the rules find in one licence text.

    Attributes
    ----------
    title
        The first heading.
    licensor, dated
        Whose licence it is, and the day or month that it gives itself; None where the
        rules find none.
    thresholds
        Every number of monthly active users, the smallest first: it binds first.
    conditions
        Condition id to the first sentence that states it.
    large
        Every number of a million or more in the text, whatever it is said of.
    """

    title: str
    licensor: str | None
    dated: str | None
    thresholds: tuple[Threshold, ...]
    conditions: Mapping[str, Passage]
    large: tuple[int, ...]

    @property
    def threshold(self) -> Threshold | None:
        """The smallest threshold, None where there is none."""
        return self.thresholds[0] if self.thresholds else None


def plain(text: str) -> str:
    """Take Markdown's marks of emphasis and escapes out of a passage."""
    return re.sub(r"\\(?=[^\w\s])|\*\*|__", "", text).strip()


class _Compiled:
    """The rules as compiled patterns."""

    def __init__(self, rules: LicenceRules) -> None:
        self.rules = rules

    @cached_property
    def users(self) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{'|'.join(self.rules.threshold.users)})\b", re.IGNORECASE)

    @cached_property
    def before_users(self) -> re.Pattern[str]:
        """What may stand between a number and the users."""
        return re.compile(rf"(?:[\s(),-]+[^\W\d_]+){{0,{self.rules.threshold.reach}}}[\s(),-]*")

    @cached_property
    def after_users(self) -> re.Pattern[str]:
        """From the users to a number that follows: a word of more, no other number between."""
        more = "|".join(self.rules.threshold.more)
        return re.compile(rf"[^.;]{{0,160}}\b(?:{more})\b[^\d.;]{{0,20}}", re.IGNORECASE)

    @cached_property
    def money(self) -> re.Pattern[str]:
        """What makes the number before it a sum of money."""
        return re.compile(rf"[\s-]*(?:{'|'.join(self.rules.threshold.money)})\b", re.IGNORECASE)

    def thresholds(self, passage: Passage) -> list[Threshold]:
        """Every number of users in one sentence."""
        # "One hundred (100) million": the figure in brackets repeats the word before it.
        text = re.sub(r"(?<=[a-z]) \([\d,]+\)", "", plain(passage.text))
        spans = [(found.start(), found.end()) for found in self.users.finditer(text)]
        if not spans:
            return []
        known = [
            number
            for number in _numbers(text)
            if number.value >= self.rules.threshold.least and not self.money.match(text, number.end)
        ]
        near = [
            number
            for number in known
            if any(
                start >= number.end and self.before_users.fullmatch(text[number.end : start])
                for start, _ in spans
            )
        ]
        # Where no number stands by the users, one that they are to exceed.
        found = near or [
            number
            for number in known
            if any(
                end <= number.start and self.after_users.fullmatch(text[end : number.start])
                for _, end in spans
            )
        ]
        return [Threshold(n.value, text[n.start : n.end], passage) for n in found]


_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)


def _day(text: str) -> str | None:
    """Read `July 18, 2023` or `January 2004` as a day or month in ISO form; None for neither."""
    name, *rest = text.lower().replace(",", "").split()
    try:
        month = _MONTHS.index(name) + 1
        if len(rest) == 1:
            return date(int(rest[0]), month, 1).isoformat()[:7]
        return date(int(rest[1]), month, int(rest[0])).isoformat()
    except ValueError:
        return None


def _dated(passages: Sequence[str], rule: DateRule) -> str | None:
    """Return the first day that a text gives itself."""
    pattern = re.compile(rule.pattern, re.IGNORECASE)
    for text in passages:
        found = pattern.search(text)
        day = _day(found["day"] or found["month"]) if found else None
        if day is not None:
            return day
    return None


def read(frame: pd.DataFrame, rules: LicenceRules) -> Reading:
    """Read one licence text.

    Parameters
    ----------
    frame
        Its passages in the order of the text (kind ``licence-text``): ``line``, ``passage``.
    """
    lines, texts = frame["line"].astype("int64"), frame["passage"].astype("str")
    passages = [Passage(int(line), text) for line, text in zip(lines, texts, strict=True)]
    compiled = _Compiled(rules)
    every = [plain(passage.text) for passage in passages]
    found = [one for passage in passages for one in compiled.thresholds(passage)]
    conditions: dict[str, Passage] = {}
    for condition in rules.condition:
        pattern = re.compile(condition.pattern, re.IGNORECASE)
        for passage, text in zip(passages, every, strict=True):
            if pattern.search(text):
                conditions[condition.id] = passage
                break
    licensor = next(
        (
            entry.name
            for entry in rules.licensor
            if any(re.search(entry.pattern, text, re.IGNORECASE) for text in every)
        ),
        None,
    )
    return Reading(
        title=every[0] if every else "",
        licensor=licensor,
        dated=_dated(every, rules.dated),
        thresholds=tuple(sorted(found, key=lambda one: (one.users, one.place.line))),
        conditions=conditions,
        large=tuple(
            sorted({v for text in every for v, _ in numbers(text) if v >= rules.threshold.large})
        ),
    )


def readings(frames: Mapping[str, pd.DataFrame], rules: LicenceRules) -> dict[str, Reading]:
    """Read several texts, in order of name."""
    return {name: read(frames[name], rules) for name in sorted(frames)}
