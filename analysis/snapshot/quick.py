"""A table in the layout of hub-stats, read in one go where nothing is odd about it.

DuckDB reads Parquet with all cores, several times as fast as value by value with notes of what is
amiss. It takes only what needs no note: ids by the Hub's grammar in every row, counters that are
no negative numbers, bases with an id, relations of a known word, plain types. The queries stop at
the first value that is anything else, and :func:`read` says None: the caller then reads column by
column, treats what is odd by the rules, and says so. Both ways give the same.

Memory is bounded before anything is read: no text may be longer than an id can be, and lists of
bases, pages and dictionaries may not be larger than what a plain file needs.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.snapshot import readers
from analysis.snapshot.graph import RELATIONS
from analysis.snapshot.shaping import COUNTERS, ID_GRAMMAR
from analysis.snapshot.values import EARLIEST_YEAR, LATEST_YEAR

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    import numpy.typing as npt

    Codes = npt.NDArray[np.integer[Any]]
    Statements = tuple[Codes, pa.DictionaryArray, Codes]

#: Longest id that the Hub's grammar allows.
_LONGEST: Final = 96 + 1 + 96
#: What the largest plain file stays far below, in bytes of one column of a row group, and in values
#: of one column.
_CHUNK: Final = 1 << 28
_VALUES: Final = 50_000_000
_MEMORY: Final = "1GB"

_INSTANTS: Final = (pa.timestamp("us"), pa.timestamp("us", "UTC"))
_DAY: Final = 86_400_000_000


@dataclass(eq=False)
class Quick:
    """Columns of a file with nothing odd, one row a repository.

    Attributes
    ----------
    ids
        Id of each row.
    keys
        What :func:`analysis.snapshot.lineage.case_keys` gives for them.
    owners
        Organisation of each row as codes of one dictionary, null for none.
    counters
        Values by canonical name, -1 for null; a counter that the file lacks is not in it.
    days
        Day of creation since 1970, -1 for null; None where the file has no such column.
    tasks
        ``pipeline_tag`` of each row as codes of one dictionary; None where the file has no such
        column of text.
    """

    ids: pa.Array
    keys: npt.NDArray[np.uint64]
    owners: pa.ChunkedArray
    counters: dict[str, npt.NDArray[np.int64]]
    days: npt.NDArray[np.int32] | None
    tasks: pa.ChunkedArray | None
    _bases: Future[Statements | None] | None

    def bases(self) -> Statements | None:
        """Return every statement of a base: row, base, and code of the relation, in file order.

        Bases are written as codes of their texts. None where something is odd, there is none, or
        nobody asked.
        """
        return None if self._bases is None else self._bases.result()


def read(path: Path, file: pq.ParquetFile, *, bases: bool) -> Quick | None:
    """Read ids, counters and days of creation; None where the file is not plain.

    The declared bases are read by another thread, while others work.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    file : pyarrow.parquet.ParquetFile
        The same, opened and checked (:func:`analysis.snapshot.readers.open_hub_stats`).
    bases : bool
        Whether the declared bases are wanted.
    """
    shape = file.schema_arrow
    have = {field.name: field.type for field in shape}
    counters = {n: readers.HUB_NAMES[n] for n in COUNTERS if readers.HUB_NAMES[n] in have}
    if (
        any(sign in str(path) for sign in "*?[")  # a pattern to DuckDB
        or not pa.types.is_string(have["id"])
        or not all(pa.types.is_int64(have[name]) for name in counters.values())
        or have.get("createdAt", _INSTANTS[0]) not in _INSTANTS
    ):
        return None
    wanted = [
        f"CASE WHEN strlen(id) BETWEEN 1 AND {_LONGEST} THEN id ELSE error('id') END AS id",
        "hash(lower(id)) AS key",
        "if(contains(id, '/'), split_part(id, '/', 1), NULL) AS owner",
        *(
            f"if({name} < 0, error('negative'), coalesce({name}, -1)) AS {name}"
            for name in counters.values()
        ),
    ]
    if "createdAt" in have:
        first, after = (
            np.datetime64(f"{year}-01-01", "us").astype(np.int64)
            for year in (EARLIEST_YEAR, LATEST_YEAR + 1)
        )
        wanted.append(
            "CASE WHEN createdAt IS NULL THEN -1 "
            f"WHEN epoch_us(createdAt) BETWEEN {first} AND {after - 1} "
            f"THEN epoch_us(createdAt) // {_DAY} ELSE error('year') END::INTEGER AS day"
        )
    query = f"SELECT {', '.join(wanted)} FROM read_parquet($1, hive_partitioning = false)"
    try:
        connection = duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": ""})
        if not _bounded(connection, path):
            return None
        has_tasks = pa.types.is_string(have.get("pipeline_tag", pa.null()))
        tasks = _tasks(path) if has_tasks else None
        found = connection.sql(query, params=[str(path)]).to_arrow_table()
    except (duckdb.Error, pa.ArrowException, OSError):
        return None
    said = None
    if bases and _has_bases(have.get("baseModels")):
        beside = ThreadPoolExecutor(1)
        said = beside.submit(_bases, connection, path)
        beside.shutdown(wait=False)
    if not pc.all(pc.match_substring_regex(found["id"], ID_GRAMMAR)).as_py():
        return None
    # Each column is let go as soon as it is in one piece: the next then takes its place.
    columns = {name: found[name] for name in found.column_names}
    del found
    owners = columns.pop("owner").dictionary_encode()
    numbers = {name: columns.pop(source).to_numpy() for name, source in counters.items()}
    return Quick(
        owners=owners,
        counters=numbers,
        keys=columns.pop("key").to_numpy(),
        days=columns.pop("day").to_numpy() if "createdAt" in have else None,
        ids=columns.pop("id").combine_chunks(),
        tasks=tasks,
        _bases=said,
    )


def _bases(connection: duckdb.DuckDBPyConnection, path: Path) -> Statements | None:
    words = [*RELATIONS, ""]
    cases = " ".join(f"WHEN '{word}' THEN {code}" for code, word in enumerate(words))
    query = f"""
        SELECT row, CASE word {cases} ELSE error('word') END::TINYINT AS word,
            CASE WHEN strlen(model.id) <= {_LONGEST} THEN model.id ELSE error('base') END AS base
        FROM (
            SELECT file_row_number::INTEGER AS row, coalesce(baseModels.relation, '') AS word,
                unnest(baseModels.models) AS model
            FROM read_parquet($1, hive_partitioning = false, file_row_number = true)
        )"""
    with contextlib.suppress(duckdb.Error):
        found = connection.sql(query, params=[str(path)]).to_arrow_table()
        if len(found):
            row, word = found["row"].to_numpy(), found["word"].to_numpy()
            base = found["base"]
            del found
            # Encoded before they are put together: codes are smaller than texts.
            return row, base.dictionary_encode().combine_chunks(), word
    return None


def _tasks(path: Path) -> pa.ChunkedArray:
    # A few words stand in the file as codes, and stay codes.
    with pq.ParquetFile(path, read_dictionary=["pipeline_tag"]) as file:
        values = file.read(columns=["pipeline_tag"]).column(0)
    values.validate(full=True)
    return values.unify_dictionaries()


def _has_bases(shape: pa.DataType | None) -> bool:
    if shape is None or not readers.has_bases(shape):
        return False
    place = shape.get_field_index("relation")
    return place >= 0 and bool(pa.types.is_string(shape.field(place).type))


def _bounded(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether the footer gives no column of ours more than a plain file has."""
    query = """
        SELECT max(size) <= $2 AND max(count) <= $3 FROM (
            SELECT sum(num_values) AS count,
                -- Of tasks all row groups are held at once, of the others one or two.
                if(path_in_schema = 'pipeline_tag', sum(total_uncompressed_size),
                    max(total_uncompressed_size)) AS size
            FROM parquet_metadata($1)
            WHERE split_part(path_in_schema, ', ', 1) IN
                ('id', 'downloads', 'downloadsAllTime', 'likes', 'createdAt', 'pipeline_tag',
                 'baseModels')
            GROUP BY path_in_schema
        )"""
    found = connection.sql(query, params=[str(path), _CHUNK, _VALUES]).fetchall()
    return bool(found[0][0])
