"""Which repositories are made for a profession, by words that are data (``data/domains.toml``).

A text is cut into pieces in one pass, and pieces are looked up in sets: the time is linear in the
length of the text, whatever strangers write into names and tags. How often the words are right,
and what they miss, is estimated from a sample that was labelled by hand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from analysis.errors import InputError

#: Where a word has to stand.
At = Literal["whole", "beginning", "phrase", "inside"]
#: How labels that the labeller was not sure of are taken.
Unsure = Literal["as labelled", "against", "for"]

#: Columns of the labels.
LABEL_COLUMNS: Final = (
    "repository_id",
    "stratum",
    "part",
    "labels",
    "inherited",
    "unsure",
    "reason",
)
#: Parts of the sample.
PARTS: Final = ("tuning", "held out")

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(_Strict):
    """Words that mean a domain, or do not, and where in a text they have to stand.

    Attributes
    ----------
    at
        ``whole``: a piece is the word; ``beginning``: a piece begins with it; ``phrase``:
        pieces follow one another; ``inside``: anywhere in a piece (scripts without spaces).
    """

    at: At
    texts: Annotated[tuple[Words, ...], Field(min_length=1)]
    reason: Reason

    @model_validator(mode="after")
    def _lower(self) -> Entry:
        for text in self.texts:
            if text != text.lower():
                raise ValueError(
                    f"{text!r} holds a capital letter: texts are compared in small ones"
                )
            spaced = " " in text
            if spaced != (self.at == "phrase"):
                raise ValueError(f"{text!r}: words with a space are phrases, and only those")
        return self


class Domain(_Strict):
    """A profession: what counts for it, and the words that tell it."""

    id: Words
    title: Words
    order: int
    definition: Reason
    word: Annotated[tuple[Entry, ...], Field(min_length=1)]
    not_: Annotated[tuple[Entry, ...], Field(alias="not")] = ()


class Reading(_Strict):
    """What of a repository is read, and how texts are cut."""

    definition: Reason
    longest_name: int = Field(gt=0)
    longest_name_reason: Reason
    longest_tag: int = Field(gt=0)
    longest_tag_reason: Reason
    most_tags: int = Field(gt=0)
    most_tags_reason: Reason
    tag_prefixes: tuple[Words, ...]
    tag_prefixes_reason: Reason
    crowded: int = Field(gt=0)
    crowded_reason: Reason
    split: Reason
    organisation_reason: Reason
    language_reason: Reason


class Net(_Strict):
    """Words of a stratum: regular expressions over names and tags, and over card summaries."""

    id: Words
    named: Words
    card: Words | None = None


class Stratum(_Strict):
    """A layer of the population, its size, and how many of it were labelled."""

    id: Words
    size: int = Field(gt=0)
    drawn: int = Field(gt=0)


class Sample(_Strict):
    """How the labelled sample was drawn."""

    seed: int
    seed_reason: Reason
    reason: Reason
    net: tuple[Net, ...]
    stratum: tuple[Stratum, ...]


class Estimation(_Strict):
    """How precision, recall and corrected counts are estimated.

    Attributes
    ----------
    part
        The part of the sample that they rest on.
    z
        Half-width of the intervals in standard errors.
    draws, seed
        Of the bootstrap that is shown beside the closed intervals.
    """

    part: Literal["held out", "tuning", "both"]
    part_reason: Reason
    z: float = Field(gt=0)
    z_reason: Reason
    draws: int = Field(gt=0)
    seed: int
    draws_reason: Reason
    present: int = Field(gt=0)
    present_reason: Reason


class Rules(_Strict):
    """``data/domains.toml``."""

    reading: Reading
    estimation: Estimation
    domain: Annotated[tuple[Domain, ...], Field(min_length=1)]
    sample: Sample

    @model_validator(mode="after")
    def _unique(self) -> Rules:
        for names in ([d.id for d in self.domain], [s.id for s in self.sample.stratum]):
            double = sorted({name for name in names if names.count(name) > 1})
            if double:
                raise ValueError(f"named twice: {', '.join(double)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the domains in their order."""
        return tuple(d.id for d in sorted(self.domain, key=lambda d: (d.order, d.id)))


def parse(mapping: Mapping[str, object], *, where: str = "data/domains.toml") -> Rules:
    """Validate the rules; InputError names the first wrong entry."""
    try:
        return Rules.model_validate(mapping)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: {place}: {first['msg']}: correct the entry") from error


def pieces(text: str) -> list[tuple[str, list[str]]]:
    """Cut a text into runs of letters and digits, and each run into its parts.

    Parts end between a small and a capital letter, before the last of several capitals
    that a small letter follows, and between letters and digits. All in small letters.
    One pass, each character looked at a bounded number of times.
    """
    out: list[tuple[str, list[str]]] = []
    start = None
    for place in range(len(text) + 1):
        inside = place < len(text) and text[place].isalnum()
        if inside and start is None:
            start = place
        elif not inside and start is not None:
            out.append(_parts(text[start:place]))
            start = None
    return out


def _parts(run: str) -> tuple[str, list[str]]:
    parts: list[str] = []
    begin = 0
    for place in range(1, len(run)):
        before, here = run[place - 1], run[place]
        cut = before.isdigit() != here.isdigit()
        if not cut and here.isupper():
            after = run[place + 1] if place + 1 < len(run) else ""
            cut = before.islower() or (before.isupper() and after.islower())
        if cut:
            parts.append(run[begin:place].lower())
            begin = place
    parts.append(run[begin:].lower())
    return run.lower(), parts


class _Index:
    """The words of one list of entries, ready to be looked up."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        kinds: dict[str, list[str]] = {"whole": [], "beginning": [], "phrase": [], "inside": []}
        for entry in entries:
            kinds[entry.at] += entry.texts
        self.whole = frozenset(kinds["whole"])
        self.beginnings = frozenset(kinds["beginning"])
        self.lengths = sorted({len(text) for text in self.beginnings})
        self.phrases: dict[str, list[list[str]]] = {}
        for text in kinds["phrase"]:
            words = text.split(" ")
            self.phrases.setdefault(words[0], []).append(words)
        self.inside = tuple(kinds["inside"])

    def single(self, piece: str) -> bool:
        """Whether one piece is, begins with, or holds a word."""
        return (
            piece in self.whole
            or any(piece[:length] in self.beginnings for length in self.lengths)
            or any(text in piece for text in self.inside)
        )

    def runs(self, parts: list[str]) -> list[range]:
        """Places of the phrases in a sequence of parts."""
        return [
            range(place, place + len(words))
            for place, part in enumerate(parts)
            for words in self.phrases.get(part, ())
            if parts[place : place + len(words)] == words
        ]


class Classifier:
    """Tells the domains of a text by the words of the rules; remembers the texts it has read."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._index = {d.id: (_Index(d.word), _Index(d.not_)) for d in rules.domain}
        self._known: dict[str, frozenset[str]] = {}

    def text(self, text: str) -> frozenset[str]:
        """Return the domains whose words a text holds."""
        if text not in self._known:
            cut = pieces(text)
            self._known[text] = frozenset(d for d in self._index if self._matches(d, cut))
        return self._known[text]

    def _matches(self, domain: str, cut: list[tuple[str, list[str]]]) -> bool:
        words, nots = self._index[domain]
        parts = [part for _, own in cut for part in own]
        barred = {place for run in nots.runs(parts) for place in run}
        barred |= {place for place, part in enumerate(parts) if nots.single(part)}
        place = 0
        for whole, own in cut:
            here = range(place, place + len(own))
            place += len(own)
            if nots.single(whole):
                barred.update(here)
            if not barred.intersection(here) and words.single(whole):
                return True
        if any(p not in barred and words.single(part) for p, part in enumerate(parts)):
            return True
        return any(not barred.intersection(run) for run in words.runs(parts))

    def name(self, repository: str) -> frozenset[str]:
        """Return the domains that the name of a repository (after the slash) holds."""
        name = repository.rsplit("/", 1)[-1]
        return self.text(name[: self.rules.reading.longest_name])

    def tags(self, tags: Iterable[str], languages: Iterable[str] = ()) -> frozenset[str]:
        """Return the domains that tags hold; those that name a language are not read."""
        reading = self.rules.reading
        spoken = {language.lower() for language in languages}
        read: list[str] = []
        plain = 0
        for number, tag in enumerate(tags):
            if number >= reading.most_tags:
                break
            prefix, colon, value = tag[: reading.longest_tag].partition(":")
            if colon:
                if prefix.lower() in reading.tag_prefixes:
                    read.append(value.rsplit("/", 1)[-1])
            elif tag.lower() not in spoken:
                read.append(prefix)
                plain += 1
        if plain > reading.crowded:
            return frozenset()
        found: set[str] = set()
        for text in read:
            found |= self.text(text)
        return frozenset(found)


def _list(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple | np.ndarray) else []


def classify(frame: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Tell the domains of repositories.

    Parameters
    ----------
    frame
        Column ``repository_id``; of ``tags``, ``languages`` and ``base_models`` (lists) what
        the source has.

    Returns
    -------
    pandas.DataFrame
        A row a repository and domain that it matches: ``repository_id``, ``domain``,
        ``by_name``, ``by_tags``, and ``by_base``, whether a name of its bases has a word of
        the domain too.
    """
    reader = Classifier(rules)
    rows = []
    blank: list[object] = [None] * len(frame)
    columns = [frame[c] if c in frame else blank for c in ("tags", "languages", "base_models")]
    for repository, tags, languages, bases in zip(frame["repository_id"], *columns, strict=True):
        by_name = reader.name(str(repository))
        by_tags = reader.tags(_list(tags), _list(languages))
        if not by_name and not by_tags:
            continue
        by_base = frozenset().union(*(reader.name(base) for base in _list(bases)))
        rows += [
            (str(repository), name, name in by_name, name in by_tags, name in by_base)
            for name in rules.names
            if name in by_name or name in by_tags
        ]
    return pd.DataFrame(
        rows, columns=["repository_id", "domain", "by_name", "by_tags", "by_base"]
    ).astype({"repository_id": "string", "domain": "string"})
