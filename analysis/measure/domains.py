"""Which repositories are made for a profession, by words that are data (``data/domains.toml``).

A text is cut into pieces in one pass, and pieces are looked up in sets: the time is linear in the
length of the text, whatever strangers write into names and tags. How often the words are right,
and what they miss, is estimated from a labelled sample (who labelled it: `labels_reason`).
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
    model_validator,
)

from analysis.entries import checked
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
    labels_reason: Reason
    read_reason: Reason
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
    present
        Derivatives that a domain needs to count as present.
    lines
        Other such lines, to see what hangs on it.
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
    lines: Annotated[tuple[int, ...], Field(min_length=1)]
    lines_reason: Reason


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
    return checked(Rules, mapping, where)


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
        self._known: dict[str, bool] = {}

    def single(self, piece: str) -> bool:
        """Whether one piece is, begins with, or holds a word; pieces come back in many names."""
        known = self._known.get(piece)
        if known is None:
            known = self._known[piece] = self._single(piece)
        return known

    def _single(self, piece: str) -> bool:
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


def classify(frame: pd.DataFrame, rules: Rules, reader: Classifier | None = None) -> pd.DataFrame:
    """Tell the domains of repositories.

    Parameters
    ----------
    frame
        Column ``repository_id``; of ``tags``, ``languages`` and ``base_models`` (lists) what
        the source has.
    rules
        The words.
    reader
        A classifier of the same rules that may have read some of the texts already.

    Returns
    -------
    pandas.DataFrame
        A row a repository and domain that it matches: ``repository_id``, ``domain``,
        ``by_name``, ``by_tags``, and ``by_base``, whether a name of its bases has a word of
        the domain too.
    """
    reader = reader or Classifier(rules)
    rows = []
    blank: list[object] = [None] * len(frame)
    columns = [frame.get(c, blank) for c in ("tags", "languages", "base_models")]
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


# ------------------------------------------------------------------------------------ labels


def labels(
    table: pd.DataFrame, rules: Rules, *, where: str = "data/domain-labels.csv"
) -> pd.DataFrame:
    """Check the labels.

    Parameters
    ----------
    table
        Columns :data:`LABEL_COLUMNS`, all text; several domains are divided by a space.

    Returns
    -------
    pandas.DataFrame
        The same rows; ``labels``, ``inherited`` and ``unsure`` as frozensets.

    Raises
    ------
    InputError
        Names the row and what is wrong.
    """
    missing = [name for name in LABEL_COLUMNS if name not in table.columns]
    if missing:
        raise InputError(f"{where}: column {missing[0]!r} is missing: restore the file")
    known = set(rules.names)
    strata = {stratum.id: stratum.drawn for stratum in rules.sample.stratum}
    drawn = dict.fromkeys(strata, 0)
    seen: set[str] = set()
    sets: dict[str, list[frozenset[str]]] = {"labels": [], "inherited": [], "unsure": []}
    for number, row in enumerate(table[list(LABEL_COLUMNS)].itertuples(index=False), start=2):
        line = f"{where}: line {number}"
        if row.repository_id in seen:
            raise InputError(f"{line}: {row.repository_id!s} is labelled twice: keep one row")
        seen.add(str(row.repository_id))
        if row.part in PARTS:
            if row.stratum not in strata:
                raise InputError(f"{line}: no stratum {row.stratum!r} in data/domains.toml")
            drawn[str(row.stratum)] += 1
        elif row.part != "read" or row.stratum:
            raise InputError(
                f"{line}: part {row.part!r}: it is tuning, held out, or read (without a stratum)"
            )
        for name, kept in sets.items():
            words = frozenset(str(getattr(row, name)).split())
            if words - known:
                raise InputError(f"{line}: {name}: no domain {min(words - known)!r}")
            kept.append(words)
        if sets["inherited"][-1] - sets["labels"][-1]:
            raise InputError(f"{line}: inherited names a domain that labels does not")
    wrong = [name for name, count in drawn.items() if count != strata[name]]
    if wrong:
        raise InputError(
            f"{where}: stratum {wrong[0]} has {drawn[wrong[0]]} rows, data/domains.toml says "
            f"{strata[wrong[0]]}: restore the file"
        )
    out = table[list(LABEL_COLUMNS)].reset_index(drop=True)
    for name, kept in sets.items():
        out[name] = pd.Series(kept, dtype="object")
    return out


def truth(table: pd.DataFrame, domain: str, unsure: Unsure = "as labelled") -> pd.Series:
    """Tell which rows count for a domain, with the uncertain ones taken one way or another."""
    said = table["labels"].map(lambda own: domain in own)
    doubt = table["unsure"].map(lambda own: domain in own)
    if unsure == "against":
        said &= ~doubt
    elif unsure == "for":
        said |= doubt
    return said.astype("bool")


# ------------------------------------------------------------------------- precision and recall


def wilson(part: float, size: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval of a proportion seen in `size` independent trials.

    `size` need not be whole: for weighted samples it is the effective size. NaN
    where nothing was tried.
    """
    if size <= 0 or math.isnan(part):
        return math.nan, math.nan
    base = 1 + z * z / size
    centre = (part + z * z / (2 * size)) / base
    half = z * math.sqrt(part * (1 - part) / size + z * z / (4 * size * size)) / base
    return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class Rate:
    """A proportion with its interval.

    Attributes
    ----------
    hits, of
        Repositories seen, unweighted.
    value, lower, upper
        Weighted to the population, with Wilson's interval at the effective size.
    """

    hits: int
    of: int
    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Quality:
    """How far the words can be trusted for a domain."""

    domain: str
    precision: Rate
    recall: Rate


def weights(table: pd.DataFrame, rules: Rules) -> np.ndarray:
    """Return for each row of a sample how many of the population it stands for."""
    sizes = {stratum.id: stratum.size for stratum in rules.sample.stratum}
    read = table["stratum"].value_counts().to_dict()
    return np.array([sizes[str(s)] / read[s] for s in table["stratum"]], dtype="float64")


def _rate(weight: np.ndarray, inside: np.ndarray, hit: np.ndarray, z: float) -> Rate:
    own, got = weight[inside], hit[inside]
    total = float(own.sum())
    value = float(own[got].sum()) / total if total else math.nan
    effective = total * total / float((own * own).sum()) if total else 0.0
    return Rate(int(got.sum()), int(inside.sum()), value, *wilson(value, effective, z))


def sample_of(table: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return one part of the drawn sample, or both."""
    wanted = PARTS if part == "both" else (part,)
    return table[table["part"].isin(wanted)].reset_index(drop=True)


def quality(
    sample: pd.DataFrame,
    matched: frozenset[tuple[str, str]],
    domain: str,
    rules: Rules,
    unsure: Unsure = "as labelled",
) -> Quality:
    """Estimate precision and recall of the words for a domain.

    Parameters
    ----------
    sample
        Rows of the drawn sample (:func:`sample_of`).
    matched
        Repository and domain, where the words match.

    Returns
    -------
    Quality
        Both weighted by how many repositories each row stands for.
    """
    weight = weights(sample, rules)
    found = np.array([(str(r), domain) in matched for r in sample["repository_id"]], dtype="bool")
    true = truth(sample, domain, unsure).to_numpy(dtype="bool")
    z = rules.estimation.z
    return Quality(domain, _rate(weight, found, true, z), _rate(weight, true, found, z))


@dataclass(frozen=True)
class Count:
    """How many repositories are made for a domain."""

    value: float
    lower: float
    upper: float


def corrected(
    matches: int, whole: int, plain: Quality, against: Quality, in_favour: Quality
) -> Count:
    """Correct a count of matches: times precision, over recall.

    The lower end takes the lower end of precision, uncertain labels against, and
    recall as if nothing were missed; the upper end the upper end of precision over
    the lower end of recall, uncertain labels in favour, and never more than the
    `whole` of the repositories looked at.

    Where the interval of recall holds 0, nothing can be divided by it: the value, or the
    upper end, is missing (NaN). Nor is there one where precision is not known.
    """

    def ratio(precision: float, recall: float, least: float) -> float:
        if math.isnan(precision) or not least > 0:
            return math.nan
        return min(float(whole), matches * precision / recall)

    lower = matches * against.precision.lower
    lower = 0.0 if math.isnan(lower) else lower
    value = ratio(plain.precision.value, plain.recall.value, plain.recall.lower)
    least = in_favour.recall.lower
    upper = ratio(in_favour.precision.upper, least, least)
    if math.isnan(value):
        return Count(math.nan, lower, math.nan)
    value = max(value, lower)
    return Count(value, lower, upper if math.isnan(upper) else max(upper, value))


def redrawn(sample: pd.DataFrame, rules: Rules) -> np.ndarray:
    """Draw the sample again from itself, stratum by stratum, with the declared seed.

    Returns
    -------
    numpy.ndarray
        A row a draw, a column a row of the sample: how often it was drawn.
    """
    generator = np.random.default_rng(rules.estimation.seed)
    times = np.zeros((rules.estimation.draws, len(sample)))
    strata = sample["stratum"].to_numpy()
    for name in sorted(set(strata)):
        own = np.flatnonzero(strata == name)
        times[:, own] = generator.multinomial(
            len(own), np.full(len(own), 1 / len(own)), size=rules.estimation.draws
        )
    return times


def expanded(
    sample: pd.DataFrame, times: np.ndarray, domain: str, inside: np.ndarray, rules: Rules
) -> Count:
    """Estimate how many repositories are made for a domain from the labels alone.

    No word is asked: each labelled row stands for its stratum.

    Parameters
    ----------
    times
        As :func:`redrawn` returns them for the sample.
    inside
        Rows of the sample that count at all, for instance derivatives of one family.

    Returns
    -------
    Count
        The weighted sum, and the middle 95 of 100 sums of the redrawn samples.
    """
    each = weights(sample, rules) * truth(sample, domain).to_numpy() * inside
    lower, upper = np.quantile(times @ each, [0.025, 0.975])
    return Count(float(each.sum()), float(lower), float(upper))


def resampled(
    sample: pd.DataFrame,
    times: np.ndarray,
    matched: frozenset[tuple[str, str]],
    domain: str,
    rules: Rules,
) -> pd.DataFrame:
    """Return precision and recall in each of the redrawn samples.

    NaN where a draw has nothing to tell them from.
    """
    weight = weights(sample, rules)
    hit = np.array([(str(r), domain) in matched for r in sample["repository_id"]], dtype="bool")
    true = truth(sample, domain).to_numpy(dtype="bool")
    both = times @ (weight * hit * true)
    with np.errstate(invalid="ignore", divide="ignore"):
        return pd.DataFrame(
            {
                "precision": both / (times @ (weight * hit)),
                "recall": both / (times @ (weight * true)),
            }
        )


def pairs(classified: pd.DataFrame, fields: str) -> frozenset[tuple[str, str]]:
    """Return repository and domain where the words match in `fields` (name, name-or-tags)."""
    rows = classified[classified["by_name"]] if fields == "name" else classified
    return frozenset(
        zip(rows["repository_id"].astype("str"), rows["domain"].astype("str"), strict=True)
    )


def words_of(rules: Rules) -> Mapping[str, str]:
    """Titles of the domains by id, in their order."""
    titles = {d.id: d.title for d in rules.domain}
    return {name: titles[name] for name in rules.names}
