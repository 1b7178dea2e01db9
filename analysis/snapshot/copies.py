"""Copies of figures that others published, held cell by cell against the public file.

How a table is held against its file is data (``public`` of each table in
``data/reference.toml``); what comes in is bytes, from wherever they were read.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.entries import checked
from analysis.errors import InputError

#: What becomes of a table.
SAME: Final = "same"
DIFFERS: Final = "differs"
NOT_COMPARED: Final = "not compared"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
#: Characters of a stranger's text that are shown.
_SHOWN = 60

Row = Mapping[str, Any]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Column(_Strict):
    """How a column of our copy follows from the public file."""

    taken: str | None = Field(default=None, alias="from")
    first: int | None = Field(default=None, gt=0)
    decimals: int | None = Field(default=None, ge=0, le=12)
    total: str | None = Field(default=None, alias="sum")
    where: str | None = None
    starts: str | None = None
    scale: float = Field(default=1.0, gt=0)
    part: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Column:
        if (self.taken is None) == (self.total is None):
            raise ValueError("a column is taken `from` a field, or is a `sum`: give one of them")
        if (self.where is None) != (self.starts is None):
            raise ValueError("`where` and `starts` go together")
        if self.total is None and (self.where is not None or self.part):
            raise ValueError("`where`, `starts` and `part` belong to a `sum`")
        if self.total is not None and self.decimals is None:
            raise ValueError("a `sum` needs its `decimals`")
        if self.first is not None and self.decimals is not None:
            raise ValueError("a column is cut to its `first` characters or rounded, not both")
        return self


class Public(_Strict):
    """How one table is held against its public file."""

    none: str | None = None
    pages: str | None = None
    at: str | None = None
    keys: tuple[str, ...] = ()
    extract: str | None = None
    columns: dict[str, Column] = Field(default_factory=dict)
    left_out: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Public:
        if self.none is not None:
            if self.columns or self.pages or self.keys:
                raise ValueError("`none` stands alone")
            return self
        if not self.columns:
            raise ValueError("`columns` is missing: say which column is taken from what, or `none`")
        if {column.total is None for column in self.columns.values()} == {True, False}:
            raise ValueError("columns are fields of rows or sums over them: not both in a table")
        if not self.sums and not self.keys:
            raise ValueError("`keys` is missing: name the columns that tell rows apart")
        if unknown := sorted(set(self.keys) - set(self.columns)):
            raise ValueError(f"`keys` names {unknown[0]}, which is not in `columns`")
        return self

    @property
    def sums(self) -> bool:
        """Whether the file is added up: then it makes one row."""
        return all(column.total is not None for column in self.columns.values())

    @property
    def fills(self) -> tuple[str, ...]:
        """Columns of our copy that fill in the address of the file."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.pages or "")))


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True)

    file: str
    source: str
    public: Public


class _Tables(BaseModel):
    model_config = ConfigDict(frozen=True)

    table: tuple[_Table, ...]


def parse(mapping: Mapping[str, object]) -> dict[str, tuple[str, Public]]:
    """Validate ``data/reference.toml``.

    Returns
    -------
    dict
        File name of each table to its page and the way to compare it.

    Raises
    ------
    InputError
        An entry is wrong; the message names it.
    """
    entries = checked(_Tables, mapping, "data/reference.toml").table
    return {one.file: (one.public.pages or one.source, one.public) for one in entries}


def rows_of(content: bytes, name: str) -> list[dict[str, str]]:
    """Read our own copy: a CSV file with a header, cells as text.

    Raises
    ------
    InputError
        It is not UTF-8, has no header, or a row has another number of cells.
    """
    try:
        text = content.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{name}: not readable as CSV ({error}); restore the file") from None
    if not reader.fieldnames or len(set(reader.fieldnames)) < len(reader.fieldnames):
        raise InputError(f"{name}: no header with different names; restore the file")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{name}: line {number} has another number of cells than the header")
    return rows


def pages(ours: Sequence[Row], page: str, how: Public) -> dict[str, list[Row]]:
    """Return the pages of files that a table was copied from, each with our rows of it.

    Raises
    ------
    InputError
        A column that the address needs is not in our copy, or holds what is no part of one.
    """
    out: dict[str, list[Row]] = {}
    for row in ours:
        parts = {}
        for name in how.fills:
            value = row.get(name)
            if not isinstance(value, str) or not re.fullmatch(r"[\w][\w.-]*", value):
                raise InputError(
                    f"data/reference: {name} {shown(value)} cannot stand in the address {page}: "
                    "correct the cell or `pages` in data/reference.toml"
                )
            parts[name] = value
        out.setdefault(_PLACEHOLDER.sub(lambda m, p=parts: p[m[1]], page), []).append(row)  # type: ignore[misc]
    return out


@dataclass(frozen=True)
class Difference:
    """One cell, or one row, that is not the same.

    Attributes
    ----------
    row : str
        Its key, written ``column=value, …``.
    column : str
        The column; empty where the whole row is missing on a side.
    ours, theirs : str
        What stands there, cut to a length that can be shown.
    """

    row: str
    column: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Comparison:
    """What became of one table.

    Attributes
    ----------
    table : str
        File in ``data/reference``.
    state : str
        :data:`SAME`, :data:`DIFFERS` or :data:`NOT_COMPARED`.
    reason : str
        Why it was not compared, and what to do; or what was left out of the comparison.
    files, rows, cells : int
        How much was compared.
    only_there : int
        Rows of the public file that an extract leaves out.
    differences : tuple of Difference
        Every difference, in the order of our copy.
    """

    table: str
    state: str
    reason: str = ""
    files: int = 0
    rows: int = 0
    cells: int = 0
    only_there: int = 0
    differences: tuple[Difference, ...] = field(default=())


def joined(parts: Sequence[Comparison]) -> Comparison:
    """Put the comparisons of a table's files together.

    A difference anywhere makes the table differ; else a file that was not compared makes
    it not compared: half a table is not the same.
    """
    failed = [part for part in parts if part.state == NOT_COMPARED]
    done = [part for part in parts if part.state != NOT_COMPARED]
    differences = tuple(one for part in parts for one in part.differences)
    reason = ""
    if failed:
        first = failed[0].reason
        reason = first if len(parts) == 1 else f"{len(failed)} of {len(parts)} files: {first}"
    return Comparison(
        table=parts[0].table,
        state=DIFFERS if differences else NOT_COMPARED if failed else SAME,
        reason=reason,
        files=len(done),
        rows=sum(part.rows for part in done),
        cells=sum(part.cells for part in done),
        only_there=sum(part.only_there for part in done),
        differences=differences,
    )


def compare(table: str, ours: Sequence[Row], content: bytes, url: str, how: Public) -> Comparison:
    """Hold rows of our copy against the public file that they were copied from.

    Parameters
    ----------
    table : str
        File in ``data/reference``.
    ours : sequence of mapping
        Our rows of this file, cells as text (:func:`rows_of`).
    content : bytes
        The public file, JSON where `how` names a key of its rows, else CSV.
    url : str
        Where it came from, for messages.
    how : Public
        The declared way.

    Returns
    -------
    Comparison
        Rounded cells are the same when they round to ours: half a unit of the last decimal apart
        at most. A file that is not as declared is not compared, with the reason.
    """
    nothing = Comparison(table, NOT_COMPARED)
    try:
        theirs = _theirs(content, url, how)
        found = _added(theirs, how, url) if how.sums else _keyed(theirs, how, url)
    except InputError as error:
        return replace(nothing, reason=str(error))
    except RecursionError:
        return replace(nothing, reason=f"{url}: a value in it is nested too deeply")
    differences: list[Difference] = []
    cells, met = 0, set()
    seen: set[tuple[str, ...]] = set()
    for row in ours:
        key = () if how.sums else tuple(str(row.get(name)) for name in how.keys)
        named = ", ".join(f"{n}={shown(row.get(n))}" for n in (how.fills + how.keys))
        if key in seen:
            differences.append(Difference(named, "", "a second row", "one row"))
            continue
        seen.add(key)
        if key not in found:
            differences.append(Difference(named, "", "a row", "no such row"))
            continue
        met.add(key)
        for name, column in how.columns.items():
            if name in how.keys:
                continue
            cells += 1
            mine, other = row.get(name), found[key][name]
            if not _equal(mine, other, column):
                differences.append(Difference(named, name, shown(mine), shown(other)))
    extra = [key for key in found if key not in met]
    if extra and not how.extract:
        differences += [
            Difference(
                ", ".join(f"{n}={shown(v)}" for n, v in zip(how.keys, key, strict=True)),
                "",
                "no such row",
                "a row",
            )
            for key in extra
        ]
    return Comparison(
        table=table,
        state=DIFFERS if differences else SAME,
        files=1,
        rows=len(ours),
        cells=cells,
        only_there=len(extra) if how.extract else 0,
        differences=tuple(differences),
    )


def shown(value: object) -> str:
    """Return a stranger's cell as one short printable line."""
    if value is None or value == "":
        return "nothing"
    text = str(value)
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return safe if len(safe) <= _SHOWN else f"{safe[:_SHOWN]}…"


def _theirs(content: bytes, url: str, how: Public) -> list[Row]:
    if how.at is None:
        try:
            return list(rows_of(content, url))
        except InputError as error:
            raise InputError(
                f"{str(error).removesuffix('; restore the file')}: it is broken, cut off or of "
                "another form: open the address"
            ) from None
    try:
        # What stands in the file, not what a binary fraction makes of it.
        parsed = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise InputError(
            f"{url}: not readable as JSON ({shown(error)}): it is broken or cut off: fetch it again"
        ) from None
    for part in how.at.split("."):
        if not isinstance(parsed, dict) or part not in parsed:
            raise InputError(
                f"{url}: no key {how.at!r}: the file has another form than `at` in "
                "data/reference.toml says: correct the entry"
            )
        parsed = parsed[part]
    if not isinstance(parsed, list) or not all(isinstance(row, dict) for row in parsed):
        raise InputError(f"{url}: {how.at!r} holds no list of rows: correct data/reference.toml")
    return parsed


def _taken(row: Row, column: str, url: str) -> Any:
    if column not in row:
        raise InputError(
            f"{url}: a row has no {column!r}: the file has another form than `columns` in "
            "data/reference.toml says: correct the entry"
        )
    return row[column]


def _keyed(theirs: Sequence[Row], how: Public, url: str) -> dict[tuple[str, ...], dict[str, Any]]:
    out: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in theirs:
        made: dict[str, Any] = {}
        for name, column in how.columns.items():
            value = _taken(row, str(column.taken), url)
            made[name] = value if column.first is None else str(value)[: column.first]
        key = tuple(str(made[name]) for name in how.keys)
        if key in out:
            raise InputError(f"{url}: two rows of {shown(', '.join(key))}: which is meant?")
        out[key] = made
    return out


def _added(theirs: Sequence[Row], how: Public, url: str) -> dict[tuple[str, ...], dict[str, Any]]:
    made: dict[str, Any] = {}
    for name, column in how.columns.items():
        every, some, count = Decimal(0), Decimal(0), 0
        for row in theirs:
            value = number(_taken(row, str(column.total), url))
            if value is None:
                raise InputError(f"{url}: {column.total!r} holds {shown(row[str(column.total)])}")
            every += value
            if column.where is None or str(_taken(row, column.where, url)).startswith(
                str(column.starts)
            ):
                some += value
                count += 1
        if not count or (column.part and not every):
            made[name] = None
        else:
            made[name] = 100 * some / every if column.part else some * Decimal(str(column.scale))
    return {(): made}


#: Numbers of more digits before or behind the point count nothing, and break sums.
_MOST_DIGITS: Final = 400


def number(value: object) -> Decimal | None:
    """Return a cell as a number, a truth value as 0 or 1; None where it is none."""
    if isinstance(value, bool):
        return Decimal(int(value))
    try:
        found = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not found.is_finite() or abs(found.adjusted()) > _MOST_DIGITS:
        return None
    return found


def _equal(ours: object, theirs: object, column: Column) -> bool:
    blank = (None, "")
    if ours in blank or theirs in blank:
        return ours in blank and theirs in blank
    if column.decimals is None:
        return str(ours) == str(theirs)
    mine, other = number(ours), number(theirs)
    if mine is None or other is None:
        return False
    # Whichever way a half was rounded; the last digits of a long sum are below this.
    return abs(mine - other) <= Decimal(5).scaleb(-column.decimals - 1) + Decimal("1e-12")
