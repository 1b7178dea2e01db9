"""Opening one file of a kind: bytes, text, JSON, CSV, spreadsheet. Errors name the file."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import json
import stat
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import openpyxl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from analysis.errors import InputError
from analysis.snapshot import limits
from analysis.snapshot.values import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: First bytes of a Parquet file whose footer is encrypted.
ENCRYPTED: Final = b"PARE"
_LOCKED: Final = "an encrypted Parquet file: no key is ever read; ask for it in plain form"

#: Rows that are put into one piece of memory: readers work piece by piece.
_PIECE: Final = 1 << 18
#: Rows of a large column that are worked on at a time.
_PART: Final = 1 << 15

#: From this size on, a Python object a field would cost gigabytes.
LARGE_CSV: Final = 16_000_000


def _size(path: Path) -> int:
    """Return the size of a regular file; a pipe or a device could be read without end."""
    try:
        there = path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{path}: cannot be read: no name of a file ({error})") from None
    if stat.S_ISDIR(there.st_mode):
        raise InputError(f"{path}: cannot be read: Is a directory")
    if not stat.S_ISREG(there.st_mode):
        raise InputError(f"{path}: cannot be read: a pipe, socket or device, no regular file")
    if not there.st_size:
        raise InputError(f"{path}: the file is empty; fetch it again")
    return there.st_size


#: Key in the metadata of a Parquet file that a generator made.
SYNTHETIC_KEY: Final = b"open-model-record:synthetic"


def _reason(error: BaseException) -> str:
    """Return the first line of an error of a library, without control characters."""
    line = next(iter(str(error).splitlines()), "") or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in line)


def read_bytes(path: Path, limit: limits.Limit = limits.TABLE) -> bytes:
    """Read a whole file.

    Raises
    ------
    InputError
        It is missing, unreadable, no regular file, empty, or larger than `limit`.
    """
    limit.check(_size(path), str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not content:
        raise InputError(f"{path}: the file is empty; fetch it again")
    return content


def first_bytes(path: Path, count: int = 4) -> bytes:
    """Read the first bytes of a file that must not be empty, with the errors of `read_bytes`."""
    _size(path)
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


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


def _no_page(text: str, where: str) -> None:
    """Refuse a web page: a login or an error that was saved in place of data."""
    if text[:1000].lstrip().lower().startswith(("<!doctype html", "<html")):
        raise InputError(f"{where}: an HTML page and no data; fetch it again")


def parse_json(text: str, where: str) -> Any:
    """Parse JSON.

    Raises
    ------
    InputError
        It is not JSON, is cut off, or too long; the message gives line and column.
    """
    limits.JSON.check(len(text), where)
    _no_page(text, where)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated")
        cut = "; the file seems cut off" if at_end else ""
        raise InputError(
            f"{where}: not JSON at line {error.lineno}, column {error.colno}: {error.msg}{cut}"
        ) from None
    except (RecursionError, ValueError) as error:
        deep = isinstance(error, RecursionError)
        reason = "nested too deeply" if deep else "a number in it has thousands of digits"
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
        No header, no row, a repeated column, a row of another length, broken quotes, or too
        many fields.
    """
    most = limits.CELLS.raised()
    _no_page(text, where)
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
                    twice = shown(next(n for n, times in Counter(header).items() if times > 1))
                    raise InputError(f"{where}: column {twice} stands twice in the header")
                continue
            if len(row) != len(header):
                raise InputError(
                    f"{where}: line {reader.line_num} has {len(row)} fields, the header "
                    f"{len(header)}; the file may be cut off"
                )
            rows.append(row)
            if len(rows) * len(header) > most:
                limits.CELLS.check(len(rows) * len(header), where)
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
    content = read_bytes(path, limits.WORKBOOK)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        limits.UNPACKED.check(size, str(path))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            rows = book.worksheets[0].iter_rows(values_only=True)
            header = [str(cell).strip() for cell in next(rows, ())]
            missing = [name for name in wanted if name not in header]
            if missing:
                has = ", ".join(shown(name) for name in header[:30])
                raise InputError(f"{path}: no column {missing[0]!r}; the sheet has {has}")
            places = [(name, header.index(name)) for name in wanted]
            out: dict[str, list[object]] = {name: [] for name in wanted}
            cells = limits.CELLS.raised()
            for row in rows:
                cells -= max(len(row), 1)
                if cells < 0:
                    limits.CELLS.check(limits.CELLS.raised() + 1, str(path))
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
        raise InputError(f"{path}: not a readable workbook: {_reason(error)}") from error
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
        It is no Parquet file, is encrypted or cut off, has too many rows, or is synthetic where
        that was not asked for.
    """
    file = _parquet(path)
    if is_synthetic(file) and not synthetic:
        file.close()
        raise InputError(
            f"{path}: marked synthetic: made by a generator to try the code, so nothing is "
            "measured on it; name a file of real data, or give --synthetic to look at it"
        )
    return file


def _parquet(path: Path) -> pq.ParquetFile:
    if first_bytes(path) == ENCRYPTED:
        raise InputError(f"{path}: {_LOCKED}")
    try:
        file = pq.ParquetFile(path)
        file.schema_arrow  # noqa: B018  (made only when asked for; may fail on its own)
    except Exception as error:
        raise InputError(f"{path}: not a readable Parquet file: {_reason(error)}") from error
    limits.ROWS.check(file.metadata.num_rows, str(path))
    return file


def read_parquet(
    file: pq.ParquetFile,
    columns: Sequence[str],
    path: Path,
) -> pa.Table:
    """Read columns of a Parquet file, in batches, so far as the limits allow.

    Neither the size of the file nor what its footer tells bounds what it unpacks to: a text that
    stands in a dictionary once can stand in every row.

    Parameters
    ----------
    file : pyarrow.parquet.ParquetFile
        What :func:`open_parquet` returned.
    columns : sequence of str
        Names of columns, or of parts of them as ``safetensors.total``.
    path : pathlib.Path
        The file, for errors and for the sizes of its dictionaries.

    Raises
    ------
    InputError
        A column is encrypted, damaged, there twice, no valid text, or larger than the limits.
    """
    where = str(path)
    with _explained(where):
        groups = range(file.metadata.num_row_groups)
        rows = _batch_rows(file, columns, path, groups)
        pieces: list[pa.Table] = []
        waiting: list[pa.RecordBatch] = []
        schema = None
        for batch in _batches(file, columns, where, groups, rows):
            schema = batch.schema
            waiting.append(batch)
            if len(waiting) * rows >= _PIECE:
                pieces.append(_joined(waiting))
                waiting = []
        pieces += [_joined(waiting)] if waiting else []
        if schema is None:
            return file.read(columns=list(columns))
        table = pa.concat_tables(pieces)
        # Parquet readers trust the declared encoding; text that is not UTF-8 would fail later.
        table.validate(full=True)
    return table


def parquet_parts(
    file: pq.ParquetFile, column: str, path: Path, group: int
) -> Iterator[pa.ChunkedArray]:
    """Read one column of one row group in parts, within the same limits (:func:`read_parquet`).

    Yields
    ------
    pyarrow.ChunkedArray
        Some 32,000 rows at a time.
    """
    where = str(path)
    with _explained(where):
        rows = _batch_rows(file, [column], path, [group])
        waiting: list[pa.RecordBatch] = []
        for batch in _batches(file, [column], where, [group], rows):
            batch.validate(full=True)
            waiting.append(batch)
            if len(waiting) * rows >= _PART:
                yield pa.chunked_array([one.column(0) for one in waiting])
                waiting = []
        if waiting:
            yield pa.chunked_array([one.column(0) for one in waiting])


def _batches(
    file: pq.ParquetFile, columns: Sequence[str], where: str, groups: Sequence[int], rows: int
) -> Iterator[pa.RecordBatch]:
    size = seen = 0
    for batch in file.iter_batches(rows, row_groups=list(groups), columns=list(columns)):
        size += batch.nbytes
        seen += batch.num_rows
        limits.PARQUET.check(size, where, "it unpacks to at least")
        if seen >= limits.FEW_ROWS:
            limits.ROW.check(size // seen, where)
        yield batch


@contextlib.contextmanager
def _explained(where: str) -> Iterator[None]:
    """Turn what a damaged or encrypted file makes Arrow raise into one line."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        reason = _reason(error)
        if "decrypt" in reason.lower():
            raise InputError(f"{where}: {_LOCKED}") from error
        raise InputError(f"{where}: damaged or cut off: {reason}") from error


def _joined(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches).combine_chunks()


def _batch_rows(
    file: pq.ParquetFile, columns: Sequence[str], path: Path, groups: Sequence[int]
) -> int:
    """Check what the footer tells of the columns; return rows a batch that memory can hold."""
    where = str(path)
    leaves = [file.schema.column(place).path for place in range(len(file.schema))]
    chosen = [
        place
        for place, leaf in enumerate(leaves)
        if any(f"{leaf}.".startswith(f"{name}.") for name in columns)
    ]
    size = 0
    values = dict.fromkeys(chosen, 0)
    largest = 1
    with path.open("rb") as raw:
        for group in groups:
            sizes = file.metadata.row_group(group)
            if sizes.total_byte_size > limits.BATCH_BYTES // 4:
                limits.ROW.check(sizes.total_byte_size // max(sizes.num_rows, 1), where)
            # pyarrow ends the whole process when it is asked for the sizes of an encrypted
            # column; when it reads one, it raises.
            next(file.iter_batches(1, row_groups=[group], columns=list(columns)), None)
            for place in chosen:
                chunk = sizes.column(place)
                size += chunk.total_uncompressed_size
                values[place] += chunk.num_values
                if chunk.has_dictionary_page:
                    raw.seek(max(chunk.dictionary_page_offset or 0, 0))
                    largest = max(largest, _page_size(raw.read(16)))
            limits.PARQUET.check(size, where)
            limits.DICTIONARY.check(largest, where)
    limits.ELEMENTS.check(max(values.values(), default=0), where)
    return max(1, min(limits.BATCH_ROWS, limits.BATCH_BYTES // largest))


def _page_size(head: bytes) -> int:
    """Return the unpacked size of a page, which its head gives as the second field (Thrift).

    The footer has only sizes of whole chunks. 1 where the head is not as all writers write it:
    what reads the page will say so.
    """
    place, found = 0, 1
    for _ in range(2):
        if head[place : place + 1] != b"\x15":
            return 1
        place += 1
        found = shift = 0
        while place < len(head):
            byte = head[place]
            found |= (byte & 0x7F) << shift
            shift += 7
            place += 1
            if byte < 0x80:
                break
    # Signs are in the lowest bit.
    return max(found >> 1, 1)
