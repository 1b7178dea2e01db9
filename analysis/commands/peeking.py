"""``peek``: a few columns of a large Parquet file at its address, without fetching the file."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import raw
from analysis.errors import InputError, RecordError
from analysis.raw import pinning, remote
from analysis.snapshot.values import shown

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Bytes that the chosen columns of one row group may unpack to.
_LARGEST_GROUP = 4 << 30
_BATCH = 1 << 16

_EPILOG = """\
examples:
  python -m analysis peek weekly-2026-09-30
      columns, types and rows: a few KB of 1.6 GB are read
  python -m analysis peek weekly-2026-09-30 --columns downloads likes
      sum, least, largest and missing values of two columns
  python -m analysis peek weekly-2026-09-30 --columns id downloads --rows 5
  python -m analysis peek weekly-2026-09-30 --columns id downloads --out few.parquet
  python -m analysis peek hfmlsoc/hub_weekly_snapshots models/2026-02-25/models.parquet
      a file of a data set that is not registered

Bytes that come by ranges cannot be hashed, so nothing that is read here is verified: the output
says "hash not checked", and so does the metadata of a file that --out writes. No claim reads it.
`fetch` gets the whole file and checks it.
"""


def register(subparsers: Any) -> None:
    """Add the command to a parser.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``ArgumentParser.add_subparsers`` returned.
    """
    command = subparsers.add_parser(
        "peek",
        help="read columns of a remote Parquet file without fetching it (hash not checked)",
        description=peek.__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("name", metavar="NAME|REPO", help="a raw file, or a data set of the Hub")
    command.add_argument("path", metavar="PATH", nargs="?", help="with REPO: a file in it")
    command.add_argument("--revision", metavar="R", help="with REPO: branch, tag or commit")
    command.add_argument("--columns", nargs="+", metavar="COLUMN", help="what to read")
    command.add_argument("--rows", type=int, metavar="N", help="only the first N rows")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the columns as Parquet")
    command.add_argument("--json", action="store_true", help="print as JSON")
    command.set_defaults(run=peek)


def peek(arguments: argparse.Namespace) -> int:
    """Read a few columns of a remote Parquet file by HTTP ranges.

    Without --columns it prints which columns there are.
    """
    if arguments.rows is not None and arguments.rows < 1:
        raise InputError("peek: --rows must be 1 or more")
    if arguments.columns is None and (arguments.rows or arguments.out):
        raise InputError("peek: name --columns; without them it prints which there are")
    if arguments.out is not None:
        _refuse_place(arguments.out)
    with _opened(arguments) as file, _one_line(file):
        import pyarrow.parquet as pq

        table = pq.ParquetFile(file, pre_buffer=True)
        result = _columns(table) if arguments.columns is None else _read(table, file, arguments)
        result = {"name": file.name, "url": file.url, "hash_checked": False} | result
        result |= {"bytes": file.size, "bytes_read": file.bytes_read, "ranges": file.ranges}
        words = file.told()
    if arguments.json:
        print(json.dumps(result, indent=2, ensure_ascii=False, default=str))
        return 0
    _show(result)
    print(f"{words} ({file.ranges} ranges): {file.name}")
    return 0


@contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[remote.RemoteFile]:
    if arguments.path is None:
        if arguments.revision is not None:
            raise InputError("peek: --revision goes with REPO PATH")
        file = remote.remote_file(arguments.name)
    else:
        found = pinning.Pinner().look_up(arguments.name, arguments.path, arguments.revision)
        file = remote.remote_of(found)
    with file:
        yield file


@contextmanager
def _one_line(file: remote.RemoteFile) -> Iterator[None]:
    """Turn what pyarrow raises on a table that is none into one line."""
    try:
        yield
    except RecordError:
        raise
    except Exception as error:
        if file.failure is not None:
            raise file.failure from None
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(f"peek: cannot write: {error.strerror}") from None
        reason = shown(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise InputError(f"{file.name}: not a readable Parquet file: {reason}") from None


def _columns(table: pq.ParquetFile) -> dict[str, Any]:
    schema = table.schema_arrow
    return {
        "rows": table.metadata.num_rows,
        "row_groups": table.metadata.num_row_groups,
        "columns": {field.name: str(field.type) for field in schema},
    }


def _read(
    table: pq.ParquetFile, file: remote.RemoteFile, arguments: argparse.Namespace
) -> dict[str, Any]:
    known = table.schema_arrow.names
    arguments.columns = list(dict.fromkeys(arguments.columns))
    for column in arguments.columns:
        if column not in known:
            names = ", ".join(shown(name) for name in known[:40])
            raise InputError(f"{file.name}: no column {shown(column)}; there are {names}")
    batches = _batches(table, arguments.columns, arguments.rows, file.name)
    if arguments.out is not None:
        rows = _write(batches, table, file, arguments)
        return {"rows": rows, "out": str(arguments.out)}
    if arguments.rows is not None:
        return {"values": [row for batch in batches for row in batch.to_pylist()]}
    return _totals(batches, arguments.columns)


def _batches(
    table: pq.ParquetFile, columns: list[str], rows: int | None, name: str
) -> Iterator[pa.RecordBatch]:
    """Yield the chosen columns, one row group at a time, up to so many rows."""
    left = table.metadata.num_rows if rows is None else rows
    for group in range(table.metadata.num_row_groups):
        if left <= 0:
            return
        first = True
        for batch in table.iter_batches(_BATCH, row_groups=[group], columns=columns):
            if first:
                # Asked before a value was read, pyarrow ends the process on encrypted columns.
                _refuse_large(table, group, columns, name)
                first = False
            yield batch.slice(0, left)
            left -= batch.num_rows
            if left <= 0:
                return


def _refuse_large(table: pq.ParquetFile, group: int, columns: list[str], name: str) -> None:
    chunks = table.metadata.row_group(group)
    size = sum(
        chunks.column(place).total_uncompressed_size
        for place in range(chunks.num_columns)
        if chunks.column(place).path_in_schema.split(".")[0] in columns
    )
    if size > _LARGEST_GROUP:
        raise InputError(
            f"{name}: row group {group} unpacks to {size:,} bytes, more than {_LARGEST_GROUP:,}"
        )


def _totals(batches: Iterator[pa.RecordBatch], columns: list[str]) -> dict[str, Any]:
    """Return rows, missing values and, for numbers and times, sum and ends of each column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = 0
    totals: dict[str, dict[str, Any]] = {name: {"missing": 0} for name in columns}
    for batch in batches:
        rows += batch.num_rows
        for name in columns:
            column, so_far = batch.column(name), totals[name]
            so_far["missing"] += column.null_count
            number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
            if number and column.null_count < len(column):
                so_far["sum"] = so_far.get("sum", 0) + pc.sum(column).as_py()
            if number or pa.types.is_temporal(column.type):
                ends = pc.min_max(column).as_py()
                for which, best in (("min", min), ("max", max)):
                    found = [v for v in (so_far.get(which), ends[which]) if v is not None]
                    so_far[which] = best(found) if found else None
    return {"rows": rows, "totals": totals}


def _write(
    batches: Iterator[pa.RecordBatch],
    table: pq.ParquetFile,
    file: remote.RemoteFile,
    arguments: argparse.Namespace,
) -> int:
    """Write the columns with what must be known of them; the name comes last."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([table.schema_arrow.field(name) for name in arguments.columns])
    temporary = arguments.out.with_name(f".{arguments.out.name}.{os.getpid()}.new")
    rows = 0
    try:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch.select(arguments.columns))
                rows += batch.num_rows
            writer.add_key_value_metadata(
                {
                    "open_model_record.hash_checked": "no",
                    "open_model_record.note": file.told(),
                    "open_model_record.excerpt_of": file.url,
                    "open_model_record.sha256_of_the_whole": file.sha256 or "not known",
                }
            )
        os.replace(temporary, arguments.out)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


def _refuse_place(out: Path) -> None:
    """Keep excerpts away from names that stand for verified files."""
    if out.exists():
        raise InputError(f"{out}: there already: name another file")
    if not out.parent.is_dir():
        raise InputError(f"{out.parent}: no such folder")
    for folder in (raw.cache_dir(), raw.mirror_dir()):
        if folder is not None and out.absolute().resolve().is_relative_to(folder.resolve()):
            raise InputError(
                f"{out}: {folder} holds verified files, and this will be none: name another folder"
            )


def _show(result: dict[str, Any]) -> None:
    if "columns" in result:
        print(f"{result['rows']:,} rows in {result['row_groups']} groups")
        for name, kind in result["columns"].items():
            print(f"  {_safe(name)}  {_safe(kind)}")
    elif "out" in result:
        print(f"{result['rows']:,} rows written to {result['out']}")
    elif "values" in result:
        for row in result["values"]:
            print("  ".join(f"{_safe(k)}={shown(v)}" for k, v in row.items()))
    else:
        print(f"{result['rows']:,} rows")
        for name, totals in result["totals"].items():
            told = ", ".join(f"{key} {value}" for key, value in totals.items())
            print(f"  {_safe(name)}: {told}")


def _safe(text: str) -> str:
    return text if text.isprintable() and len(text) <= 200 else shown(text)
