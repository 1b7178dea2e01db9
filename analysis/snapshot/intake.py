"""Opening one file of a kind: bytes, text, JSON, CSV, spreadsheet. Errors name the file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: From this size on, a Python object a field would cost gigabytes.
LARGE_CSV: Final = 16_000_000

#: A spreadsheet that unpacks to more is refused before it is unpacked.
SPREADSHEET_LIMIT: Final = 1_000_000_000

#: Key in the metadata of a Parquet file that a generator made.
SYNTHETIC_KEY: Final = b"open-model-record:synthetic"


def read_bytes(path: Path) -> bytes:
    """Read a whole file.

    Raises
    ------
    InputError
        It is missing, unreadable, a folder, or empty.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not content:
        raise InputError(f"{path}: the file is empty; fetch it again")
    return content


def first_bytes(path: Path, count: int = 4) -> bytes:
    """Read the first bytes of a file that must not be empty, with the errors of `read_bytes`."""
    try:
        with path.open("rb") as file:
            head = file.read(count)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not head:
        raise InputError(f"{path}: the file is empty; fetch it again")
    return head


def decode(content: bytes, where: str) -> str:
    """Decode UTF-8, with or without a byte order mark.

    Raises
    ------
    InputError
        The bytes are not UTF-8; the message gives the offset.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: not UTF-8 at byte {error.start:,} (0x{content[error.start]:02x})"
        ) from None


def parse_json(text: str, where: str) -> Any:
    """Parse JSON.

    Raises
    ------
    InputError
        It is not JSON, or is cut off; the message gives line and column.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated")
        cut = "; the file seems cut off" if at_end else ""
        raise InputError(
            f"{where}: not JSON at line {error.lineno}, column {error.colno}: {error.msg}{cut}"
        ) from None
    except (RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{where}: not usable JSON: {reason}") from None


def object_rows(rows: object, what: str, where: str) -> list[dict[str, Any]]:
    """Check that `rows` is a list of objects with at least one entry.

    Raises
    ------
    InputError
        It is something else; the message names the entry.
    """
    if not isinstance(rows, list):
        raise InputError(f"{where}: {what} is {type(rows).__name__}, expected a list")
    if not rows:
        raise InputError(f"{where}: {what} is an empty list")
    for index, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise InputError(
                f"{where}: {what}, row {index} is {type(row).__name__}, expected an object"
            )
    return rows


def parse_csv(text: str, where: str, *, comment: str | None = None) -> dict[str, list[str | None]]:
    """Parse CSV with a header into columns; an empty field is None.

    Parameters
    ----------
    text : str
        The whole file.
    where : str
        The file, for errors.
    comment : str, optional
        Lines that begin with it are skipped.

    Raises
    ------
    InputError
        No header, no row, a repeated column, a row of another length, or broken quotes.
    """
    if comment is not None:
        # Only whole lines before or between rows: a quoted field of these lists never spans lines.
        kept = [line for line in text.splitlines(keepends=True) if not line.startswith(comment)]
        text = "".join(kept)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    try:
        for row in reader:
            if not row:
                continue
            if not header:
                header = [name.strip() for name in row]
                if len(set(header)) != len(header):
                    twice = next(name for name in header if header.count(name) > 1)
                    raise InputError(f"{where}: column {twice!r} stands twice in the header")
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{where}: line {reader.line_num} has {len(row)} fields, the header "
                    f"{len(header)}; the file may be cut off"
                )
            rows.append(row)
    except csv.Error as error:
        raise InputError(f"{where}: line {reader.line_num}: broken CSV: {error}") from None
    if not header or not rows:
        raise InputError(f"{where}: no rows below the header" if header else f"{where}: no header")
    return {name: [row[index] or None for row in rows] for index, name in enumerate(header)}


def parse_large_csv(content: bytes) -> pa.Table | None:
    """Parse a large CSV file of text columns with Arrow; None where it is not plainly in order.

    Whoever gets None takes :func:`parse_csv`, which says what is wrong and where. A table is
    what that function would return; an empty field is null.
    """
    # Arrow takes a quote that is never closed for the rest of the file: only even ones are sure.
    if not content.endswith(b"\n") or b"\0" in content or content.count(b'"') % 2:
        return None
    quoted = pa_csv.ParseOptions(newlines_in_values=b'"' in content)
    try:
        header = next(csv.reader(io.StringIO(content[: 1 << 16].decode("utf-8-sig", "ignore"))))
        options = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )
        table = pa_csv.read_csv(
            pa.BufferReader(content), parse_options=quoted, convert_options=options
        )
    except (pa.ArrowException, csv.Error, StopIteration):
        return None
    if table.column_names != header:
        return None
    names = [name.strip() for name in header]
    if len(set(names)) != len(names) or not table.num_rows:
        return None
    return table.rename_columns(names)


def parse_spreadsheet(path: Path, wanted: Sequence[str]) -> dict[str, list[object]]:
    """Read the first sheet of a workbook into the wanted columns; dates become ISO text.

    Raises
    ------
    InputError
        Not a workbook, damaged, too large, without rows, or without a wanted column.
    """
    content = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > SPREADSHEET_LIMIT:
            raise InputError(f"{path}: unpacks to {size:,} bytes, more than {SPREADSHEET_LIMIT:,}")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            rows = book.worksheets[0].iter_rows(values_only=True)
            header = [str(cell).strip() for cell in next(rows, ())]
            missing = [name for name in wanted if name not in header]
            if missing:
                raise InputError(f"{path}: no column {missing[0]!r}; the sheet has {header[:30]}")
            places = [(name, header.index(name)) for name in wanted]
            out: dict[str, list[object]] = {name: [] for name in wanted}
            for row in rows:
                if all(cell is None for cell in row):
                    continue
                for name, place in places:
                    cell = row[place] if place < len(row) else None
                    stamp = isinstance(cell, (dt.datetime, dt.date))
                    out[name].append(cell.isoformat() if stamp else cell)  # type: ignore[union-attr]
        finally:
            book.close()
    except InputError:
        raise
    except Exception as error:
        # openpyxl raises whatever its parsers raise on a damaged workbook: zip, XML, index, key.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable workbook: {reason}") from error
    if not out or not next(iter(out.values())):
        raise InputError(f"{path}: no rows below the header")
    return out


def is_synthetic(file: pq.ParquetFile) -> bool:
    """Whether the file's own metadata say that a generator made it."""
    return SYNTHETIC_KEY in (file.metadata.metadata or {})


def open_parquet(path: Path, *, synthetic: bool = False) -> pq.ParquetFile:
    """Open a Parquet file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    synthetic : bool
        Whether a file that is marked as made by a generator may be opened.

    Raises
    ------
    InputError
        It is no Parquet file, is cut off, or is synthetic where that was not asked for.
    """
    file = _parquet(path)
    if is_synthetic(file) and not synthetic:
        file.close()
        raise InputError(
            f"{path}: marked synthetic: made by a generator to try the code, so nothing is "
            "measured on it; name a file of real data, or `inspect --synthetic` to look at it"
        )
    return file


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable Parquet file: {reason}") from error
