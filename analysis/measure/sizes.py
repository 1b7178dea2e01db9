"""How large a model is, and whether it fits into a machine's memory.

A repository has two sizes. The total decides whether it fits: all parameters of a
mixture of experts have to lie in memory. The active part says how much is computed
for a word. Both are read by the rules of ``data/hardware.toml``, from five places:

``stated``
    The maker's own word, for the few models of which no other place tells it.
``header``
    The sum over the safetensors headers, unless the name declares a packed format,
    whose headers count integers that hold several parameters each.
``list``
    The hand-kept list of total and active parameters.
``sibling``
    A repository of the same organisation whose name is the same without the words
    that declare a format.
``name``
    The size that the name states.

The first that has an answer counts. What none of them knows stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from analysis.entries import checked
from analysis.errors import InputError

#: Bytes of a gigabyte as cards are sold: 2 to the 30th.
GIGABYTE = 2**30
#: Each repository in the bits that it is published in.
PUBLISHED = "published"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Card(_Strict):
    """A class of machines by its memory."""

    id: str
    label: str
    gigabytes: float = Field(gt=0)
    usable: float = Field(gt=0, le=1)
    example: str
    common: bool
    reason: str = Field(min_length=10)


class Bits(_Strict):
    """How many bits a parameter takes when it is stored so."""

    id: str
    label: str
    stored: float = Field(gt=0, le=32)
    reason: str = Field(min_length=10)


class _Pattern(_Strict):
    pattern: str
    reason: str = Field(min_length=10)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"{text!r} is no regular expression: {error}") from error
        return text


class Format(_Pattern):
    """Words by which a name declares the bits of its weights."""

    bits: str
    packed: bool


class Shape(_Pattern):
    """A way in which a name states a size."""

    id: str
    reads: Literal["total", "total-and-active", "active", "nothing"]
    units: tuple[float, ...] = (1e9, 1e9)


class Stated(_Pattern):
    """What a maker states of a model and neither its name nor a header gives (in 1e9)."""

    total: float | None = Field(default=None, gt=0)
    active: float | None = Field(default=None, gt=0)


class Hardware(_Strict):
    """``data/hardware.toml``."""

    overhead: float = Field(ge=1)
    overhead_reason: str
    overheads: tuple[float, ...]
    overheads_reason: str
    agrees: float = Field(gt=0, lt=1)
    agrees_reason: str
    classes: tuple[float, ...]
    classes_reason: str
    card: tuple[Card, ...]
    bits: tuple[Bits, ...]
    format: tuple[Format, ...]
    native: tuple[Format, ...]
    shape: tuple[Shape, ...]
    stated: tuple[Stated, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Hardware:
        known = {entry.id for entry in self.bits}
        for entry in (*self.format, *self.native):
            if entry.bits not in known:
                raise ValueError(f"bits {entry.bits!r} are not declared")
        if list(self.classes) != sorted(set(self.classes)):
            raise ValueError("classes must rise")
        if self.overhead not in self.overheads:
            raise ValueError("overheads must hold the overhead itself")
        return self

    def find_card(self, name: str) -> Card:
        """Return a card; InputError that lists the names when there is none."""
        for entry in self.card:
            if entry.id == name:
                return entry
        known = ", ".join(entry.id for entry in self.card)
        raise InputError(f"data/hardware.toml: no card is called {name!r}; there are: {known}")

    def stored(self, bits: str) -> float:
        """Return the bits stored a parameter; InputError that lists the names."""
        for entry in self.bits:
            if entry.id == bits:
                return entry.stored
        known = ", ".join([*(entry.id for entry in self.bits), PUBLISHED])
        raise InputError(f"data/hardware.toml: no bits are called {bits!r}; there are: {known}")


def parse(mapping: Mapping[str, object]) -> Hardware:
    """Validate the content of ``data/hardware.toml``; InputError names the first wrong entry."""
    return checked(Hardware, mapping, "data/hardware.toml")


def memory(parameters: float, stored: float, overhead: float) -> float:
    """Bytes that a model takes: its parameters in `stored` bits, and room for the rest."""
    return parameters * stored / 8 * overhead


def largest(card: Card, stored: float, overhead: float) -> float:
    """Parameters of the largest model that a card holds."""
    return card.gigabytes * GIGABYTE * card.usable * 8 / (stored * overhead)


@dataclass(frozen=True)
class NameSize:
    """What a name says of a model's size and format.

    Attributes
    ----------
    total, active
        Parameters; None where the name does not state them.
    word
        The words that state the size (``30b-a3b``), empty where there are none.
    bits
        Bits that the name declares (an id of :class:`Bits`); 16 where it declares none.
    packed
        Whether headers of such files count packed integers.
    plain
        The name in lower case without the words that declare a format.
    """

    total: float | None
    active: float | None
    word: str
    bits: str
    packed: bool
    plain: str


def read_name(repository: str, rules: Hardware) -> NameSize:
    """Read size and format from a repository's name.

    Parameters
    ----------
    repository
        Its id; only what follows the slash states a size, makers that publish in
        fewer bits without saying so are known by the whole id.
    """
    name = repository.rpartition("/")[2].lower()
    bits, packed, plain = "16", False, name
    for entry in rules.format:
        found = re.search(rf"(?:^|[-_.])(?:{entry.pattern})(?=$|[-_.])", name)
        if found:
            bits, packed = entry.bits, entry.packed
            break
    else:
        for entry in rules.native:
            if re.fullmatch(entry.pattern, repository, re.IGNORECASE):
                bits, packed = entry.bits, entry.packed
                break
    for entry in rules.format:
        plain = re.sub(rf"(?:^|[-_.])(?:{entry.pattern})(?=$|[-_.])", "", plain)
    for shape in rules.shape:
        found = re.search(shape.pattern, name)
        if not found:
            continue
        pairs = zip(found.groups(), shape.units, strict=False)
        numbers = [float(text.replace("_", ".")) * unit for text, unit in pairs]
        if 0 in numbers:
            continue
        total = numbers[0] if shape.reads in ("total", "total-and-active") else None
        active = numbers[-1] if shape.reads in ("total-and-active", "active") else None
        return NameSize(total, active, found.group(0), bits, packed, plain)
    return NameSize(None, None, "", bits, packed, plain)


def sizes(
    repositories: Sequence[str],
    headers: Mapping[str, float],
    listed: pd.DataFrame,
    rules: Hardware,
) -> pd.DataFrame:
    """Total and active parameters of repositories, with where they were read.

    Parameters
    ----------
    repositories
        Ids.
    headers
        Sums over safetensors headers by id, as the Hub gives them.
    listed
        The hand-kept list: ``repository_id``, ``parameters_total_b``,
        ``parameters_active_b``.

    Returns
    -------
    pandas.DataFrame
        Index: id, sorted. Columns: ``total`` and ``active`` (parameters, NaN where
        unknown), ``how`` (stated, header, list, sibling, name, or unknown), ``bits`` (as
        published), ``stored`` (bits stored a parameter as published), ``packed``,
        ``stated`` (what the name states, NaN where nothing), ``mixture`` (whether it is known
        as a mixture of experts), ``model`` (the name without format
        words, to count a model and its copies once).
    """
    known = {
        str(name): (float(total) * 1e9, float(active) * 1e9 if pd.notna(active) else float("nan"))
        for name, total, active in zip(
            listed["repository_id"],
            listed["parameters_total_b"],
            listed["parameters_active_b"],
            strict=True,
        )
        if pd.notna(total)
    }
    names = sorted({*repositories, *headers, *known})
    read = {name: read_name(name, rules) for name in names}
    # A header beside a packed format counts integers; it is never taken.
    trusted = {n: float(headers[n]) for n in sorted(headers) if not read[n].packed}
    plain: dict[tuple[str, str], float] = {}
    word: dict[tuple[str, str], list[float]] = {}
    active_of: dict[tuple[str, str], float] = {}
    for name in names:
        organisation, said = name.partition("/")[0], read[name]
        total = trusted.get(name, known.get(name, (float("nan"),))[0])
        if total == total:
            plain.setdefault((organisation, said.plain), total)
            if said.word and said.total is None:
                word.setdefault((organisation, said.word), []).append(total)
        if name in known and known[name][1] == known[name][1]:
            active_of.setdefault((organisation, said.plain), known[name][1])
    rows = []
    for name in sorted(set(repositories)):
        organisation, said = name.partition("/")[0], read[name]
        key = (organisation, said.plain)
        total, how = float("nan"), "unknown"
        maker = next((x for x in rules.stated if re.fullmatch(x.pattern, name)), None)
        if maker is not None and maker.total is not None:
            total, how = maker.total * 1e9, "stated"
        elif name in trusted:
            total, how = trusted[name], "header"
        elif name in known:
            total, how = known[name][0], "list"
        elif key in plain:
            total, how = plain[key], "sibling"
        elif said.total is not None:
            total, how = said.total, "name"
        elif (organisation, said.word) in word:
            total, how = float(np.median(word[(organisation, said.word)])), "sibling"
        active = known[name][1] if name in known else float("nan")
        if maker is not None and maker.active is not None:
            active = maker.active * 1e9
        if active != active:
            active = active_of.get(key, float("nan"))
        if active != active and said.active is not None:
            active = said.active
        mixture = maker is not None or (active == active and not active >= total)
        rows.append(
            {
                "repository_id": name,
                "total": total,
                # Of a model that nobody calls a mixture all parameters are active.
                "active": active if active == active or mixture else total,
                "how": how,
                "bits": said.bits,
                "stored": rules.stored(said.bits),
                "packed": said.packed,
                "stated": float("nan") if said.total is None else said.total,
                "mixture": mixture,
                "model": f"{organisation}/{said.plain}".lower(),
            }
        )
    columns = {
        "repository_id": "object",
        "total": "float64",
        "active": "float64",
        "how": "object",
        "bits": "object",
        "stored": "float64",
        "packed": "bool",
        "stated": "float64",
        "mixture": "bool",
        "model": "object",
    }
    return pd.DataFrame(rows, columns=list(columns)).astype(columns).set_index("repository_id")


def fits(table: pd.DataFrame, card: Card, bits: str, rules: Hardware) -> pd.Series:
    """Whether each model of a :func:`sizes` table fits a card; missing where its size is unknown.

    Parameters
    ----------
    bits
        An id of :class:`Bits`, or ``published``: each in its own.
    """
    stored = table["stored"] if bits == PUBLISHED else rules.stored(bits)
    need = table["total"] * stored / 8 * rules.overhead
    answer = (need <= card.gigabytes * GIGABYTE * card.usable).astype("boolean")
    return answer.mask(table["total"].isna())


def header_check(headers: Mapping[str, float], rules: Hardware) -> pd.DataFrame:
    """Hold the headers against the sizes that names state, by declared format.

    Returns
    -------
    pandas.DataFrame
        One row a format (``bits``, ``packed``): ``repositories`` with both numbers,
        ``agree`` (header within the declared part of the name), ``ratio`` (median of
        header over name).
    """
    rows = []
    for name in sorted(headers):
        said = read_name(name, rules)
        if said.total is not None:
            rows.append((said.bits, said.packed, headers[name] / said.total))
    frame = pd.DataFrame(rows, columns=["bits", "packed", "ratio"])
    frame["agree"] = (frame["ratio"] - 1).abs() <= rules.agrees
    return (
        frame.groupby(["packed", "bits"], sort=True)
        .agg(repositories=("ratio", "size"), agree=("agree", "sum"), ratio=("ratio", "median"))
        .reset_index()
    )
