"""Hold our copy of a published table against the public file that it was copied from.

What stands where is data (``data/reference.toml``). The public file is somebody else's and may have
changed, moved or be something else: whatever comes is compared or refused with one line.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from analysis.errors import InputError, RecordError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

#: Differences that are kept; further ones are counted.
KEPT: Final = 100
_FILE: Final = "data/reference.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class There(_Strict):
    """Where a column of ours stands in the public file, and how it was copied."""

    field: Text
    take: int | None = Field(default=None, gt=0)
    digits: int | None = Field(default=None, ge=0, le=12)


class Compare(_Strict):
    """How a table is held against its public file."""

    format: Literal["csv", "json"]
    rows: Text | None = None
    address: Text | None = None
    key: tuple[Text, ...] = Field(min_length=1)
    extract: bool
    column: dict[str, There]

    @model_validator(mode="after")
    def _fits(self) -> Compare:
        if (self.format == "json") != (self.rows is not None):
            raise ValueError("a json file, and no other, has the name of its rows")
        if missing := [name for name in self.key if name not in self.column]:
            raise ValueError(f"the key {missing[0]!r} has no column entry")
        return self


class Published(_Strict):
    """A table of figures that others published, with its citation."""

    file: Text
    title: Text
    producer: Text
    source: Text
    definition: Text
    licence: Text
    compare: Compare | None = None
    not_compared: Text | None = None
    what_to_do: Text | None = None

    @model_validator(mode="after")
    def _fits(self) -> Published:
        if (self.compare is None) != (self.not_compared is not None):
            raise ValueError(f"{self.file}: say how it is compared, or why it is not")
        if (self.not_compared is None) != (self.what_to_do is None):
            raise ValueError(f"{self.file}: what is not compared says what to do instead")
        return self

    @property
    def name(self) -> str:
        """Name of the table, without its ending."""
        return self.file.removesuffix(".csv")


class References(_Strict):
    """``data/reference.toml``."""

    table: tuple[Published, ...]


def parse(mapping: Mapping[str, object]) -> References:
    """Validate the content of ``data/reference.toml``; InputError names a wrong entry."""
    try:
        return References.model_validate(mapping)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{_FILE}: {where}: {first['msg']}: correct the entry") from error


@dataclass(frozen=True)
class Difference:
    """A cell in which our copy and the public file differ; `column` is empty for a whole row."""

    row: str
    column: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        """Return it in words."""
        if not self.column:
            return f"{self.row}: {self.theirs or self.ours}"
        return f"{self.row}, {self.column}: ours {self.ours}, public {self.theirs}"


@dataclass(frozen=True)
class Outcome:
    """What became of one table.

    Attributes
    ----------
    state
        ``same``, ``differs`` or ``not compared``.
    failed
        Not compared because the public file could not be had or read, and not because it is
        declared so.
    cells
        Number of cells that were compared.
    differences, more
        The first :data:`KEPT`, and how many there are beyond.
    left_out
        Columns of ours that stand in no public file.
    files
        Addresses asked for.
    why, what_to_do
        For what is not compared.
    """

    table: str
    state: str
    failed: bool = False
    cells: int = 0
    differences: tuple[Difference, ...] = ()
    more: int = 0
    left_out: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    why: str = ""
    what_to_do: str = ""


@dataclass
class _Found:
    cells: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, *words: str) -> None:
        self.differences.append(Difference(*(_short(word) for word in words)))


def _short(text: object) -> str:
    """Return a text of somebody else's in a line, without control characters, cut at 120."""
    words = "".join(c if c.isprintable() else "\ufffd" for c in str(text))
    return words if len(words) <= 120 else words[:119] + "…"


def compare(entry: Published, ours: pd.DataFrame, fetch: Callable[[str], bytes]) -> Outcome:
    """Hold one table against its public file or files.

    Parameters
    ----------
    entry
        Its entry of ``data/reference.toml``.
    ours
        Our copy, all cells as text, empty ones empty.
    fetch
        From a public address to the bytes; raises a RecordError where it cannot be had.

    Returns
    -------
    Outcome
        Whatever `fetch` raises or brings: nothing of it is raised on.

    Raises
    ------
    InputError
        The declaration does not fit our own copy.
    """
    rule = entry.compare
    if rule is None:
        return Outcome(
            entry.name, "not compared", why=entry.not_compared or "",
            what_to_do=entry.what_to_do or "",
        )  # fmt: skip
    if strange := [name for name in rule.column if name not in ours.columns]:
        raise InputError(f"{_FILE}: {entry.file} has no column {strange[0]!r}: correct the entry")
    left_out = tuple(name for name in ours.columns if name not in rule.column)
    by_address = _addresses(entry, rule, ours)
    found, asked = _Found(), []
    for address, part in by_address.items():
        asked.append(address)
        try:
            theirs = _rows(fetch(address), rule)
            _against(part, theirs, rule, found)
        except RecordError as error:
            return Outcome(
                entry.name,
                "not compared",
                failed=True,
                cells=found.cells,
                left_out=left_out,
                files=tuple(asked),
                why=_line(error),
                what_to_do=f"Open {address} and compare by hand, or try again.",
            )
    kept = tuple(found.differences[:KEPT])
    return Outcome(
        entry.name,
        "differs" if kept else "same",
        cells=found.cells,
        differences=kept,
        more=len(found.differences) - len(kept),
        left_out=left_out,
        files=tuple(asked),
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _addresses(entry: Published, rule: Compare, ours: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of ours by the address that they came from."""
    if rule.address is None:
        return {entry.source: ours}
    names = re.findall(r"\{(\w+)\}", rule.address)
    if strange := [name for name in names if name not in ours.columns]:
        raise InputError(f"{_FILE}: {entry.file} has no column {strange[0]!r}: correct the address")
    filled = [
        rule.address.format(**{name: str(row[name]) for name in names})
        for row in ours[names].to_dict("records")
    ]  # fmt: skip
    return {
        str(address): part for address, part in ours.groupby(pd.Series(filled, index=ours.index))
    }


def _rows(content: bytes, rule: Compare) -> list[Mapping[str, Any]]:
    """Parse a public file into rows; InputError says in a line what it is instead."""
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        raise InputError("an HTML page came instead of the file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the file is not UTF-8 text at byte {error.start}") from None
    if rule.format == "csv":
        return _csv_rows(text, rule)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the file is not readable as JSON ({_short(error)})") from None
    if not isinstance(value, dict) or rule.rows not in value:
        raise InputError(f"the file is JSON, but has no list {rule.rows!r}: its layout has changed")
    rows = value[rule.rows]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{rule.rows!r} is no list of objects: the layout of the file has changed")
    wanted = {there.field for there in rule.column.values()}
    if rows and (missing := sorted(wanted - set().union(*rows))):
        raise InputError(f"no row of {rule.rows!r} has {missing[0]!r}: its layout has changed")
    return rows


def _csv_rows(text: str, rule: Compare) -> list[Mapping[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(text), strict=True)
        names = reader.fieldnames or []
        rows: list[Mapping[str, Any]] = list(reader)
    except csv.Error as error:
        raise InputError(f"the file is not readable as CSV ({_short(error)})") from None
    if missing := sorted({there.field for there in rule.column.values()} - set(names)):
        raise InputError(f"the file has no column {missing[0]!r}: its layout has changed")
    return rows


def _copied(value: Any, there: There) -> str:
    """Return a value of the public file as text, cut as our copy is."""
    if isinstance(value, bool):
        value = int(value)
    text = "" if value is None else str(value).strip()
    return text if there.take is None else text[: there.take]


def _against(
    ours: pd.DataFrame, theirs: list[Mapping[str, Any]], rule: Compare, found: _Found
) -> None:
    """Compare cell by cell, and add what differs."""
    index: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for row in theirs:
        key = tuple(_copied(row.get(rule.column[n].field), rule.column[n]) for n in rule.key)
        if key in index and index[key] != row:
            found.add(" ".join(key), "", "", "stands twice in the public file, and not the same")
        index.setdefault(key, row)
    there_too = set()
    for own in ours.to_dict("records"):
        key = tuple(str(own[name]) for name in rule.key)
        words = " ".join(key)
        match = index.get(key)
        if match is None:
            found.add(words, "", "", "not in the public file")
            continue
        there_too.add(key)
        for name, there in rule.column.items():
            if name in rule.key:
                continue
            found.cells += 1
            other = _copied(match.get(there.field), there)
            if not _equal(str(own[name]), other, there.digits):
                found.add(words, name, str(own[name]), other)
    if not rule.extract:
        for key in index:
            if key not in there_too:
                found.add(" ".join(key), "", "", "not in our copy")


def _equal(ours: str, theirs: str, digits: int | None) -> bool:
    """Whether two cells are the same; with `digits`, whether ours is theirs rounded."""
    if ours == theirs:
        return True
    try:
        a, b = float(ours), float(theirs)
    except ValueError:
        return False
    if not (math.isfinite(a) and math.isfinite(b)):
        return False
    return a == b if digits is None else abs(a - b) <= 0.5 * 10.0**-digits * (1 + 1e-6)
