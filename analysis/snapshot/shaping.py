"""From the columns of one file to a frame of the schema: what every reader shares."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.snapshot.schema import FIELDS, conform
from analysis.snapshot.values import Notes, counted, parse_column, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

#: What the Hub accepts as an id: one or two parts of letters, digits, dot, dash and underscore.
ID_GRAMMAR: Final = r"\A[A-Za-z0-9._-]{1,96}(?:/[A-Za-z0-9._-]{1,96})?\z"

COUNTERS: Final = ("downloads_30d", "downloads_all_time", "likes")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one file says, in the schema of :mod:`analysis.snapshot.schema`.

    Attributes
    ----------
    frame : pandas.DataFrame
        The rows; columns and units are defined in ``FIELDS``.
    kind : str
        Kind of the source, one of :data:`KINDS`.
    layout : str
        Which of the layouts of that kind the content has.
    taken : datetime.datetime or None
        When the file says it was read, in UTC; None where it does not say.
    problems : tuple of str
        What was amiss and how it was treated, without the file's name.
    """

    frame: pd.DataFrame
    kind: str
    layout: str
    taken: dt.datetime | None
    problems: tuple[str, ...]


# ------------------------------------------------------------------ rows of text and of objects


def column_of(rows: Sequence[Mapping[str, Any]], source: str) -> list[object] | None:
    """One column out of objects; a dot goes one level down. None when no row has it."""
    outer, _, inner = source.partition(".")
    if inner:
        nested = [row.get(outer) for row in rows]
        inside = [part.get(inner) if isinstance(part, dict) else None for part in nested]
        return inside if any(isinstance(part, dict) for part in nested) else None
    return [row.get(source) for row in rows] if any(source in row for row in rows) else None


def table_of(
    get: Callable[[str], Sequence[object] | None],
    names: Mapping[str, str],
    needed: Iterable[str],
    have: Iterable[str],
    notes: Notes,
) -> pd.DataFrame:
    """Parse the columns that the file has; `names` maps canonical to source names."""
    required = set(needed)
    out: dict[str, pd.Series[Any]] = {}
    for name, source in names.items():
        values = get(source)
        if values is None:
            if name in required:
                found = ", ".join(shown(str(column)) for column in list(have)[:20]) or "none"
                raise notes.error(f"no column {source!r}; the file has {found}")
            continue
        out[name] = parse_column(name, values, source, notes, required=name in required)
    return pd.DataFrame(out)


def rows_table(
    rows: Sequence[dict[str, Any]], names: Mapping[str, str], needed: Iterable[str], notes: Notes
) -> pd.DataFrame:
    """Parse the columns of a list of objects (see :func:`table_of`)."""
    # Keys of the first rows only: a message needs no more.
    have = dict.fromkeys(key for row in rows[:50] for key in row)
    return table_of(lambda source: column_of(rows, source), names, needed, have, notes)


def csv_table(
    columns: Mapping[str, Sequence[str | None]],
    names: Mapping[str, str],
    needed: Iterable[str],
    notes: Notes,
) -> pd.DataFrame:
    """Parse the columns of a CSV file (see :func:`table_of`)."""
    return table_of(columns.get, names, needed, columns, notes)


def stamp(value: object, what: str, notes: Notes) -> dt.datetime | None:
    """Read the file's own time of reading; without a zone it is taken as UTC."""
    if value is None:
        return None
    parsed = parse_column("created_at", [value], what, notes).iloc[0]
    return None if pd.isna(parsed) else parsed.to_pydatetime()


# ---------------------------------------------------------------------- ids and repeated rows


def identify(frame: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """Drop rows without id, count odd ids, add the organisation."""
    missing = frame["repository_id"].isna()
    if note_missing_ids(missing.to_numpy(dtype=bool), notes):
        frame = frame[~missing]
    # Arrow's own functions: a dump of the whole Hub has three million ids.
    texts = pa.chunked_array(pa.array(frame["repository_id"], type=pa.string()))
    note_odd_ids(texts, notes)
    organisation: pd.Series[Any] = organisations(texts).to_pandas(
        types_mapper={pa.string(): pd.StringDtype()}.get
    )
    return frame.assign(organisation=organisation.set_axis(frame.index))


def note_missing_ids(missing: npt.NDArray[np.bool_], notes: Notes) -> int:
    """Count rows without an id, which are dropped; a file of nothing else is an error."""
    count = int(missing.sum())
    if count == len(missing):
        raise notes.error("no row has a repository id")
    if count:
        first = notes.row(int(missing.argmax()))
        notes.add(f"{counted(count)} without a repository id dropped; first: {first}")
    return count


def note_odd_ids(texts: pa.ChunkedArray, notes: Notes) -> None:
    """Count the ids that the Hub itself would not accept."""
    odd = pc.invert(pc.match_substring_regex(texts, ID_GRAMMAR))
    count = pc.sum(odd).as_py()
    if count:
        example = shown(texts.filter(odd)[0].as_py())
        notes.add(
            f"{count:,} ids do not follow the Hub's grammar and are kept as they are; "
            f"first: {example}"
        )


def organisations(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the part of each id before the first slash; null where there is none."""
    before = pc.replace_substring_regex(texts, pattern=r"(?s)/.*\z", replacement="")
    has_one = pc.and_(pc.match_substring(texts, "/"), pc.not_equal(before, ""))
    return pc.if_else(has_one, before, pa.scalar(None, pa.string()))


def unrepeated(frame: pd.DataFrame, key: Sequence[str], notes: Notes) -> pd.DataFrame:
    """Keep one row a key by the declared rule, in the file's order."""
    repeated = frame.duplicated(list(key), keep=False)
    if not repeated.any():
        return frame
    counters = [name for name in COUNTERS if name in frame.columns]
    some = frame.loc[repeated, [*key, *counters]].copy()
    some["place"] = np.arange(len(some))
    same = int(some.duplicated([*key, *counters]).sum())
    ordered = some.sort_values(
        [*counters, "place"],
        ascending=[False] * len(counters) + [True],
        na_position="last",
        kind="stable",
    )
    dropped = ordered.index[ordered.duplicated(list(key))]
    differing = len(dropped) - same
    if same:
        notes.add(
            f"{counted(same, 'repeats', 'repeat')} another row's id and counters; one of each "
            "is kept"
        )
    if differing:
        groups = some.drop_duplicates([*key, *counters])
        example = groups.loc[groups.duplicated(list(key)), "repository_id"].iloc[0]
        notes.add(
            f"{counted(differing, 'repeats', 'repeat')} an id with other counters; the largest is "
            "kept; first: "
            f"{shown(example)}"
        )
    return frame.drop(index=dropped)


def finish(
    frame: pd.DataFrame,
    kind: str,
    layout: str,
    notes: Notes,
    columns: tuple[str, ...] | None,
    *,
    key: Sequence[str],
    taken: dt.datetime | None = None,
) -> Snapshot:
    """Make the snapshot: the columns asked for, in the schema's order and types.

    `key` names the columns that identify a row and always stay.
    """
    if columns is not None:
        names = [*key, *(["organisation"] if "repository_id" in key else []), *columns]
        frame = frame.reindex(columns=list(dict.fromkeys(names)))
        empty = [name for name in columns if name in frame and frame[name].isna().all()]
        for name in empty:
            frame[name] = pd.Series(
                [None] * len(frame), index=frame.index, dtype=FIELDS[name].pandas_dtype
            )
    return Snapshot(conform(frame), kind, layout, taken, tuple(notes.found))


def licence_of_tags(tags: pd.Series[Any]) -> pd.Series[Any]:
    """First ``license:`` tag of each row, by Arrow on the flat values."""
    out = []
    for chunk in pa.chunked_array(pa.array(tags)).chunks:
        rows = pc.list_parent_indices(chunk)
        flat = chunk.flatten()
        hit = pc.starts_with(flat, "license:")
        found = pc.utf8_slice_codeunits(flat.filter(hit), len("license:"))
        row, place = np.unique(rows.filter(hit).to_numpy(), return_index=True)
        where = np.full(len(chunk), -1, dtype=np.int64)
        where[row] = place
        out.append(found.take(pa.array(where, mask=where < 0)))
    text: pd.Series[Any] = pa.chunked_array(out, type=pa.string()).to_pandas(
        types_mapper={pa.string(): pd.StringDtype()}.get
    )
    return text.set_axis(tags.index)
