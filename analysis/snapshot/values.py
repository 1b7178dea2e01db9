"""From what a file says to what the schema holds: one parser a type.

A value that cannot be used becomes null, and a note says how many did, why, and where the first
stands. A column of which nothing can be used is an error.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import InputError
from analysis.snapshot.schema import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Counters are kept in 64 bits with a sign, as the Hub's own dumps keep them.
LARGEST: Final = 2**63 - 1

#: Dates outside are misread or mistyped: the Hub's first repository is of 2019, and catalogues
#: date older models to the 2010s.
EARLIEST_YEAR: Final = 1990
LATEST_YEAR: Final = 2100

_DIGITS: Final = re.compile(r"\d+|\d{1,3}(?:,\d{3})+", re.ASCII)
_NEGATIVE: Final = re.compile(r"-\d[\d,]*", re.ASCII)
_DATE: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
#: Words of a flag; `auto` and `manual` are the Hub's two ways of gating.
_TRUE: Final = dict.fromkeys(("true", "1", "auto", "manual"), True) | {"false": False, "0": False}


def shown(value: object) -> str:
    """Write a value as one short, harmless piece of text, for messages."""
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def counted(number: int, one: str = "", many: str = "") -> str:
    """Write how many rows, with the words that follow one row or several."""
    words = f"{number:,} row {one}" if number == 1 else f"{number:,} rows {many}"
    return words.rstrip()


@dataclass(slots=True)
class Notes:
    """What was amiss in one file, collected while it is read.

    Attributes
    ----------
    where : str
        The file, for errors.
    row_word : str
        What a row is called in it: ``row`` or ``line``.
    first_row : int
        Number of the first row.
    found : list of str
        The notes so far, without the file's name.
    """

    where: str
    row_word: str = "row"
    first_row: int = 1
    found: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Note something that a reader of the table should know."""
        self.found.append(text)

    def error(self, text: str) -> InputError:
        """Build an error about this file."""
        return InputError(f"{self.where}: {text}")

    def row(self, index: int) -> str:
        """Name a row by its place in the file."""
        return f"{self.row_word} {index + self.first_row}"

    def nulled(self, column: str, reasons: dict[str, int], first: str) -> None:
        """Note that values of a column were set to null."""
        parts = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        total = sum(reasons.values())
        values = "value" if total == 1 else "values"
        self.add(f"column {column!r}: {total:,} {values} set to null ({parts}); first: {first}")


class _Unusable(Exception):
    """A value that its type cannot hold; the text is the reason."""


def _count(value: object) -> int | None:
    if value is None or isinstance(value, bool):
        if value is None:
            return None
        raise _Unusable("not a number")
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if _NEGATIVE.fullmatch(text):
            raise _Unusable("negative")
        if not _DIGITS.fullmatch(text):
            raise _Unusable("not a number")
        if len(text) > 30:
            raise _Unusable("above 64 bits")
        value = int(text.replace(",", ""))
    elif isinstance(value, float):
        if math.isnan(value):
            return None
        if not value.is_integer():
            raise _Unusable("not a whole number")
        value = int(value)
    if not isinstance(value, int):
        raise _Unusable("not a number")
    if value < 0:
        raise _Unusable("negative")
    if value > LARGEST:
        raise _Unusable("above 64 bits")
    return value


def _number(value: object) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            raise _Unusable("not a number") from None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Unusable("not a number")
    try:
        number = float(value)
    except OverflowError:
        raise _Unusable("above 64 bits") from None
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise _Unusable("not finite")
    return number


def _flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip().lower()
        if not text:
            return None
        if text in _TRUE:
            return _TRUE[text]
    raise _Unusable("neither true nor false")


def _text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Unusable("not text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _Unusable("not valid Unicode") from None
    return value or None


def _texts(value: object) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise _Unusable("not a list")
    parts = [_text(part) for part in value]
    return [part for part in parts if part is not None]


def _date_text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if _DATE.fullmatch(text):
            return text
    raise _Unusable("not an ISO date")


def _each(
    values: Sequence[object],
    parse: Callable[[object], Any],
    column: str,
    notes: Notes,
    *,
    whole: bool,
) -> list[Any]:
    """Parse one by one; note what had to be dropped, fail when `whole` and nothing is left."""
    out: list[Any] = []
    reasons: dict[str, int] = {}
    first = ""
    first_index = 0
    for index, value in enumerate(values):
        try:
            out.append(parse(value))
        except _Unusable as reason:
            out.append(None)
            if not reasons:
                first, first_index = shown(value), index
            reasons[str(reason)] = reasons.get(str(reason), 0) + 1
    if reasons:
        bad = sum(reasons.values())
        if whole and bad == sum(1 for value in values if value is not None and value != ""):
            raise notes.error(
                f"column {column!r} holds nothing usable: {first} at {notes.row(first_index)} "
                f"is {next(iter(reasons))}"
            )
        notes.nulled(column, reasons, f"{first} at {notes.row(first_index)}")
    return out


def _within_years(series: pd.Series[Any], column: str, notes: Notes) -> pd.Series[Any]:
    first = pd.Timestamp(EARLIEST_YEAR, 1, 1, tz="UTC")
    after = pd.Timestamp(LATEST_YEAR + 1, 1, 1, tz="UTC")
    outside = (series < first) | (series >= after)
    if outside.any():
        index = int(outside.to_numpy().argmax())
        reason = f"outside {EARLIEST_YEAR} to {LATEST_YEAR}"
        notes.nulled(column, {reason: int(outside.sum())}, notes.row(index))
        return series.mask(outside)
    return series


def _dates(values: Sequence[object], column: str, notes: Notes, *, whole: bool) -> pd.Series[Any]:
    texts = pd.Series(_each(values, _date_text, column, notes, whole=whole), dtype="object")
    # Day and hour are checked here, not by the pattern: 2026-02-30 has the right shape.
    parsed = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    lost = texts.notna() & parsed.isna()
    if lost.any():
        index = int(lost.to_numpy().argmax())
        first = f"{shown(texts.iloc[index])} at {notes.row(index)}"
        if whole and int(lost.sum()) == int(texts.notna().sum()):
            raise notes.error(f"column {column!r} holds nothing usable: {first} is no date")
        notes.nulled(column, {"no such date": int(lost.sum())}, first)
    return _within_years(parsed.astype("datetime64[us, UTC]"), column, notes)


def parse_column(
    name: str, values: Sequence[object], column: str, notes: Notes, *, required: bool = False
) -> pd.Series[Any]:
    """Turn the raw values of one column into the schema's type.

    Parameters
    ----------
    name : str
        Canonical name; decides the type.
    values : sequence
        What the file holds, one a row.
    column : str
        What the file calls the column, for messages.
    notes : Notes
        Collects what had to be set to null.
    required : bool
        Whether a column without one usable value is an error.

    Raises
    ------
    InputError
        The column is required and no value in it can be used.
    """
    kind = FIELDS[name].dtype
    if kind == "Int64":
        return pd.Series(_each(values, _count, column, notes, whole=required), dtype="Int64")
    if kind == "Float64":
        return pd.Series(_each(values, _number, column, notes, whole=required), dtype="Float64")
    if kind == "boolean":
        return pd.Series(_each(values, _flag, column, notes, whole=required), dtype="boolean")
    if kind == "datetime64[us, UTC]":
        return _dates(values, column, notes, whole=required)
    if kind == "datetime64[us]":
        instants = _dates(values, column, notes, whole=required)
        days: pd.Series[Any] = instants.dt.tz_localize(None).dt.normalize()
        return days
    if kind == "list[string]":
        lists = _each(values, _texts, column, notes, whole=required)
        return pd.Series(pd.array(lists, dtype=FIELDS[name].pandas_dtype))
    return pd.Series(_each(values, _text, column, notes, whole=required), dtype="string")


def parse_arrow(
    name: str, values: pa.ChunkedArray, column: str, notes: Notes, *, required: bool = False
) -> pd.Series[Any]:
    """Do the same for an Arrow column, without a Python object a row where the type allows it."""
    kind = FIELDS[name].dtype
    found = values.type
    types = pa.types
    if types.is_dictionary(found):
        values = values.cast(found.value_type)
        found = values.type
    if types.is_null(found):
        return pd.Series([None] * len(values), dtype=FIELDS[name].pandas_dtype)
    if kind == "Int64" and types.is_integer(found):
        return _arrow_count(values, column, notes, required=required)
    if kind == "Int64" and types.is_floating(found):
        # Dumps with nulls often hold counters as floats; whole and small ones lose nothing.
        whole = pc.and_kleene(pc.equal(values, pc.floor(values)), pc.less(values, 2.0**53))
        if pc.all(whole, min_count=0).as_py():
            as_int = values.cast(pa.int64(), safe=False)
            return _arrow_count(as_int, column, notes, required=required)
    if kind == "Float64" and (types.is_floating(found) or types.is_integer(found)):
        numbers: pd.Series[Any] = values.cast(pa.float64(), safe=False).to_pandas()
        return numbers.where(np.isfinite(numbers)).astype("Float64")
    if kind == "string" and (types.is_string(found) or types.is_large_string(found)):
        text: pd.Series[Any] = without_empty(values).to_pandas(
            types_mapper={found: pd.StringDtype()}.get
        )
        return text
    if kind == "datetime64[us, UTC]" and (types.is_timestamp(found) or types.is_date(found)):
        return _arrow_instant(values, column, notes)
    if kind == "list[string]" and types.is_list(found) and types.is_string(found.value_type):
        as_text = values.cast(FIELDS[name].pandas_dtype.pyarrow_dtype)
        return pd.Series(pd.arrays.ArrowExtensionArray(as_text))
    return parse_column(name, values.to_pylist(), column, notes, required=required)


def without_empty(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Set empty texts to null."""
    empty = pc.equal(texts, pa.scalar("", texts.type))
    if not pc.any(empty).as_py():
        return texts
    return pc.if_else(empty, pa.scalar(None, texts.type), texts)


def _arrow_count(
    values: pa.ChunkedArray, column: str, notes: Notes, *, required: bool
) -> pd.Series[Any]:
    series: pd.Series[Any] = usable_counts(values, column, notes, required=required).to_pandas(
        types_mapper={pa.int64(): pd.Int64Dtype()}.get
    )
    return series


def usable_counts(
    values: pa.ChunkedArray, column: str, notes: Notes, *, required: bool
) -> pa.ChunkedArray:
    """Return whole numbers in 64 bits, with null for those that are no counters."""
    reasons: dict[str, int] = {}
    bad = None
    if pa.types.is_unsigned_integer(values.type):
        bad, reason = pc.greater(values, pa.scalar(LARGEST, pa.uint64())), "above 64 bits"
    else:
        bad, reason = pc.less(values, 0), "negative"
    found = pc.sum(bad).as_py() or 0
    if found:
        index = pc.index(bad, True).as_py()
        first = f"{values[index].as_py()} at {notes.row(index)}"
        if required and found == len(values) - values.null_count:
            raise notes.error(f"column {column!r} holds nothing usable: {first} is {reason}")
        reasons[reason] = found
        notes.nulled(column, reasons, first)
        values = pc.if_else(bad, pa.scalar(None, values.type), values)
    return values.cast(pa.int64())


def _arrow_instant(values: pa.ChunkedArray, column: str, notes: Notes) -> pd.Series[Any]:
    zone = getattr(values.type, "tz", None)
    try:
        cast = values.cast(pa.timestamp("us", zone), safe=False)
    except pa.ArrowException:
        notes.nulled(column, {"beyond the calendar": len(values)}, notes.row(0))
        return pd.Series([None] * len(values), dtype="datetime64[us, UTC]")
    series: pd.Series[Any] = cast.to_pandas()
    # The Hub's dumps hold UTC without saying so.
    series = series.dt.tz_localize("UTC") if zone is None else series.dt.tz_convert("UTC")
    return _within_years(series.astype("datetime64[us, UTC]"), column, notes)
