"""A snapshot of the whole Hub, reduced in bounded memory to what can be said of it.

Three million repositories do not fit into a frame on a laptop; what is known of all of them does
fit into arrays of numbers. So columns are read one after another and only numbers stay: sums, the
head, organisations, tasks, months, the graph of declared bases, and whole rows of the repositories
that matter by name.

The rules are those of the reader, by the same code: what a type cannot hold becomes null and is
noted, rows without id are dropped, of rows about one repository the one with the largest counters
is kept. After that ids of renamed organisations take the new name, and where a repository stands
under both names the same rule keeps one row. The graph takes the rows as the reader gives them,
since it has rules of its own for names.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.errors import InputError
from analysis.snapshot import families as families_module
from analysis.snapshot import intake, quick, readers
from analysis.snapshot import lineage as relations
from analysis.snapshot.graph import arrow_texts, as_codes, known_organisations, with_new_names
from analysis.snapshot.lineage import Lineage
from analysis.snapshot.schema import FIELDS, conform
from analysis.snapshot.shaping import (
    COUNTERS,
    Snapshot,
    licence_of_tags,
    note_missing_ids,
    note_odd_ids,
    organisations,
    unrepeated,
)
from analysis.snapshot.values import LARGEST, Notes, parse_arrow, usable_counts, without_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy.typing as npt

    from analysis.snapshot.families import Families

    Numbers = npt.NDArray[np.int64]
    Days = npt.NDArray[np.int32]
    Codes = npt.NDArray[np.integer[Any]]
    Mask = npt.NDArray[np.bool_]
    Parts = Iterable[tuple[pa.Array | Codes, pa.Array | pa.ChunkedArray, pa.Array | Codes, bool]]

#: Columns of a repository that matters by name, besides its id, organisation and counters.
DETAILS: Final = (
    "created_at",
    "last_modified",
    "pipeline_tag",
    "library_name",
    "licence",
    "licence_name",
    "parameters_total",
    "base_models",
    "base_relation",
)

#: Columns of hub-stats that are read.
_READ: Final = {
    *("id", "downloads", "downloadsAllTime", "likes", "createdAt", "lastModified", "pipeline_tag"),
    *("library_name", "license", "tags", "safetensors", "baseModels", "cardData"),
}

_DAY: Final = 86_400_000_000
_SLICE: Final = 1 << 17
_NEVER: Final = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Whole:
    """What can be said of all repositories of a snapshot.

    Attributes
    ----------
    rows
        Rows in the file.
    repositories
        Repositories: rows with an id, each id once.
    sums, unread
        By counter the sum over all repositories, and how many of them have no usable value. A
        counter that the file lacks is unread everywhere.
    named
        Rows in the schema of the repositories that matter by name, in the order of the file: all
        of the organisations that the register names, copies of a family by re-uploaders that it
        names, and the ids asked for.
    head
        The most downloaded in 30 days: ``repository_id``, ``organisation``, ``downloads_30d``,
        ``downloads_all_time``, ``pipeline_tag``; of equals the first in the alphabet.
    organisations
        The largest organisations by the same counter: ``organisation``, ``repositories``,
        ``downloads_30d``, ``downloads_all_time``, ``likes``. Ids without one are nobody's.
    tasks
        By ``pipeline_tag``, null last: ``repositories``, ``downloads_30d``,
        ``downloads_all_time``; in the order of the alphabet.
    months
        The same by ``month`` of creation (as 2026-05, in UTC), null last.
    lineage
        The graph of declared bases and its report; None where it was not asked for or nobody
        declares a base.
    created
        Day of creation of each node of the graph in days since 1970, -1 where unknown; of several
        rows the earliest.
    downloads
        30-day downloads of each node of the graph, -1 where unknown; of several rows the largest.
    synthetic
        Whether a generator made the file.
    problems
        What was amiss and how it was treated, without the file's name. Columns that are not
        needed here are not looked at.
    """

    rows: int
    repositories: int
    sums: Mapping[str, int]
    unread: Mapping[str, int]
    named: pd.DataFrame
    head: pd.DataFrame
    organisations: pd.DataFrame
    tasks: pd.DataFrame
    months: pd.DataFrame
    lineage: Lineage | None
    created: npt.NDArray[np.int32]
    downloads: Numbers
    synthetic: bool
    problems: tuple[str, ...]


def reduce(
    path: Path | str,
    families: Families,
    *,
    ids: Iterable[str] = (),
    depth: int = 1000,
    lineage: bool = True,
    progress: Callable[[int, int], None] | None = None,
    synthetic: bool = False,
    details: Iterable[str] | None = None,
) -> Whole:
    """Reduce a file of kind ``hub-snapshot``; a table in the layout of hub-stats in parts.

    Parameters
    ----------
    path : pathlib.Path or str
        The file. Any other layout of the kind is read at once (:func:`of`).
    families : Families
        The register.
    ids : iterable of str
        Repositories whose rows are wanted besides those that the register names.
    depth : int
        Length of the head, and how many organisations are listed.
    lineage : bool
        Whether the graph of declared bases is wanted.
    progress : callable, optional
        Called with values read and, about, values in all: rows times columns.
    synthetic : bool
        Whether the file may be marked as made by a generator.
    details : iterable of str, optional
        Columns of `named` out of :data:`DETAILS`; all that the file has when left out. Licences
        stand in tags and card data, which are most of the bytes of a file.

    Returns
    -------
    Whole
        See there.

    Raises
    ------
    InputError
        The file is missing, damaged, of another layout, synthetic where that was not asked for,
        or its counters add up to more than 64 bits hold.
    """
    path = Path(path)
    if intake.first_bytes(path) not in (b"PAR1", intake.ENCRYPTED):
        return of(
            readers.read(path, "hub-snapshot"),
            families,
            ids=ids,
            depth=depth,
            lineage=lineage,
            details=details,
        )
    notes = Notes(str(path))
    file = readers.open_hub_stats(path, notes, synthetic=synthetic)
    with file:
        source = _Parquet(path, file, notes, _wanted(details), lineage, progress)
        return _reduce(source, families, ids, depth, intake.is_synthetic(file))


def of(
    snapshot: Snapshot,
    families: Families,
    *,
    ids: Iterable[str] = (),
    depth: int = 1000,
    lineage: bool = True,
    details: Iterable[str] | None = None,
) -> Whole:
    """Reduce a snapshot that was read; see :func:`reduce`.

    `rows` is then the number of rows that the reader kept.

    Raises
    ------
    InputError
        The snapshot is of a kind whose rows are not each one repository.
    """
    if snapshot.kind != "hub-snapshot":
        raise InputError(f"kind {snapshot.kind}: only a hub-snapshot can be a whole Hub")
    source = _Frame(snapshot, _wanted(details), lineage)
    return _reduce(source, families, ids, depth, readers.SYNTHETIC in snapshot.problems)


def _wanted(details: Iterable[str] | None) -> frozenset[str]:
    wanted = frozenset(DETAILS if details is None else details)
    unknown = sorted(wanted - set(DETAILS))
    if unknown:
        raise InputError(f"details: no column {unknown[0]!r}; known: {', '.join(DETAILS)}")
    return wanted


# ------------------------------------------------------------------- columns, from file or frame


class _Frame:
    """Columns of a frame that a reader made: everything was checked there."""

    checked: Final = True
    quick: Final = None

    def __init__(self, snapshot: Snapshot, details: frozenset[str], lineage: bool) -> None:
        self.frame = snapshot.frame
        self.notes = Notes("", found=list(snapshot.problems))
        self.rows = len(self.frame)
        self.details = [name for name in DETAILS if name in self.frame and name in details]
        self.want_lineage = lineage

    def ids(self) -> pa.Array:
        return _whole(arrow_texts(self.frame["repository_id"]))

    def counter(self, name: str) -> Numbers | None:
        return _numbers(self.frame[name]) if name in self.frame else None

    def created(self) -> Days | None:
        return _days(self.frame["created_at"]) if "created_at" in self.frame else None

    def tasks(self) -> tuple[Codes, pa.Array] | None:
        if "pipeline_tag" not in self.frame:
            return None
        return _coded(arrow_texts(self.frame["pipeline_tag"]))

    def named(self, places: Codes, place: Codes) -> dict[str, pd.Series[Any]]:
        return {name: self.frame[name].take(places) for name in self.details}

    def forget(self) -> None:
        """Nothing is held beside the frame."""

    def parts(self, place: Codes) -> Parts | None:
        frame = self.frame
        if not self.want_lineage:
            return None
        if "base_models" in frame and frame["base_models"].notna().any():
            return relations.parts_of_field(frame)
        return relations.parts_of_tags(frame["tags"]) if "tags" in frame else None


class _Parquet:
    """Columns of a table in the layout of hub-stats, read one after another."""

    checked: Final = False

    def __init__(
        self,
        path: Path,
        file: pq.ParquetFile,
        notes: Notes,
        details: frozenset[str],
        lineage: bool,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.path, self.file, self.notes, self.want_lineage = path, file, notes, lineage
        self.rows = int(file.metadata.num_rows)
        self.shape = file.schema_arrow
        self.have = frozenset(self.shape.names)
        self.details = details
        self.progress = progress
        self.done = 0
        self.steps = self.rows * len(self.have & _READ)
        self.stated: list[tuple[Any, Any, Any, bool]] = []
        self.declared = False
        self.task: tuple[Codes, pa.Array] | None = None
        self.held: dict[str, pd.Series[Any]] = {}
        #: The columns that are read at once where nothing is odd about them.
        asked = {"base_models", "base_relation"} & details
        self.quick = quick.read(path, file, bases=lineage and not asked)

    def ids(self) -> pa.Array:
        if self.quick is not None:
            self._tick(self.rows)
            return self.quick.ids
        return _whole(self._texts("repository_id", self._column("id"), "id"))

    def counter(self, name: str) -> Numbers | None:
        source = readers.HUB_NAMES[name]
        if source not in self.have:
            return None
        if self.quick is not None:
            self._tick(self.rows)
            return self.quick.counters[name]
        required = name == "downloads_30d"
        values = self._column(source)
        if not pa.types.is_integer(values.type):
            return _numbers(parse_arrow(name, values, source, self.notes, required=required))
        found = usable_counts(values, source, self.notes, required=required)
        return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)

    def created(self) -> Days | None:
        if self.quick is not None and "created_at" not in self.details:
            self._tick(self.rows)
            return self.quick.days
        series = self._plain("created_at")
        if series is not None and "created_at" in self.details:
            self.held["created_at"] = series
        return None if series is None else _days(series)

    def tasks(self) -> tuple[Codes, pa.Array] | None:
        # Between these two the reader takes the day of the last change.
        if "last_modified" in self.details and (found := self._plain("last_modified")) is not None:
            self.held["last_modified"] = found
        if "pipeline_tag" not in self.have:
            return None
        shape = self.shape.field("pipeline_tag").type
        if self.quick is not None and self.quick.tasks is not None:
            self._tick(self.rows)
            self.task = _encoded(self.quick.tasks)
        elif pa.types.is_string(shape):
            # A few words stand in the file as codes, and stay codes.
            with pq.ParquetFile(self.path, read_dictionary=["pipeline_tag"]) as file:
                values = readers.read_columns(file, ["pipeline_tag"], self.notes).column(0)
            self._tick(self.rows)
            self.task = _encoded(values.unify_dictionaries())
        else:
            texts = self._texts("pipeline_tag", self._column("pipeline_tag"), "pipeline_tag")
            self.task = _coded(texts)
        return self.task

    def named(self, places: Codes, place: Codes) -> dict[str, pd.Series[Any]]:
        out = {name: series.take(places) for name, series in self.held.items()}
        self.held.clear()
        if self.task is not None and "pipeline_tag" in self.details:
            out["pipeline_tag"] = _decoded(self.task, places)
        if "library_name" in self.details and (found := self._plain("library_name")) is not None:
            out["library_name"] = found.take(places)
        if "licence" in self.details:
            out |= self._licences(places)
        if "parameters_total" in self.details and "safetensors" in self.have:
            out |= self._parameters(places)
        out |= self._bases(places, place)
        if "licence_name" in self.details and "cardData" in self.have:
            out |= self._cards(places)
        return out

    def parts(self, place: Codes) -> Parts | None:
        if not self.want_lineage:
            return None
        if self.declared:
            return self.stated
        return self._tagged(place) if "tags" in self.have else None

    def forget(self) -> None:
        """Let go of the statements."""
        self.stated, self.quick = [], None

    # ------------------------------------------------------------------------------ single columns

    def _column(self, *leaves: str) -> pa.ChunkedArray:
        self._tick(self.rows)
        return readers.read_columns(self.file, list(leaves), self.notes).column(0)

    def _tick(self, rows: int) -> None:
        self.done = min(self.done + rows, self.steps)
        if self.progress is not None:
            self.progress(self.done, self.steps)

    def _texts(self, name: str, values: pa.ChunkedArray, source: str) -> pa.ChunkedArray:
        """Do for a text column what the reader does, without another copy of it."""
        if pa.types.is_string(values.type):
            return without_empty(values)
        return arrow_texts(parse_arrow(name, values, source, self.notes))

    def _plain(self, name: str, *, required: bool = False) -> pd.Series[Any] | None:
        source = readers.HUB_NAMES[name]
        if source not in self.have:
            return None
        return parse_arrow(name, self._column(source), source, self.notes, required=required)

    def _parts(self, leaf: str) -> Iterator[tuple[int, pa.ChunkedArray]]:
        """Parts of a large column, each with the place of its first row."""
        before = 0
        for values in readers.read_parts(self.file, leaf, self.notes):
            yield before, values
            before += len(values)
            self._tick(len(values))

    def _licences(self, places: Codes) -> dict[str, pd.Series[Any]]:
        if "license" in self.have:
            values = parse_arrow("licence", self._column("license"), "license", self.notes)
            return {"licence": values.take(places)}
        if "tags" not in self.have:
            return {}
        found = [licence_of_tags(tags.take(rows)) for rows, tags in self._tags(places)]
        return {"licence": pd.concat(found, ignore_index=True)}

    def _tags(self, places: Codes) -> Iterator[tuple[Codes, pd.Series[Any]]]:
        """Tags by row group, with the rows of it among `places`."""
        shape = self.shape.field("tags").type
        if pa.types.is_list(shape) and pa.types.is_string(shape.value_type):
            parts = self._parts("tags")
        else:
            # Converted value by value, so notes have to count over the whole column.
            parts = iter([(0, self._column("tags"))])
        for before, values in parts:
            yield (
                _within(places, before, len(values)),
                parse_arrow("tags", values, "tags", self.notes),
            )

    def _parameters(self, places: Codes) -> dict[str, pd.Series[Any]]:
        shape = self.shape.field("safetensors").type
        if not (pa.types.is_struct(shape) and shape.get_field_index("total") >= 0):
            readers.note_no_total(shape, self.notes)
            return {}
        total = pc.struct_field(self._column("safetensors.total"), "total")
        values = parse_arrow("parameters_total", total, "safetensors.total", self.notes)
        return {"parameters_total": values.take(places)}

    def _bases(self, places: Codes, place: Codes) -> dict[str, pd.Series[Any]]:
        asked = {"base_models", "base_relation"} & self.details
        if "baseModels" not in self.have or not (asked or self.want_lineage):
            return {}
        if self.quick is not None and (said := self.quick.bases()) is not None:
            row, base, word = said
            new = place[row]
            if len(kept := np.flatnonzero(new >= 0)) < len(row):
                new, base, word = new[kept], base.take(pa.array(kept)), word[kept]
            if len(kept):
                self._tick(2 * self.rows)
                self.stated, self.declared = [(new, base, word, False)], True
                return {}
        shape = self.shape.field("baseModels").type
        if not readers.has_bases(shape):
            readers.note_no_bases(shape, self.notes)
            return {}
        words: pa.Array = pa.nulls(self.rows, pa.string())
        if shape.get_field_index("relation") >= 0:
            found = pc.struct_field(self._column("baseModels.relation"), "relation")
            words = _whole(self._texts("base_relation", found, "baseModels.relation"))
        # The id alone: a model's internal number would cost as much again.
        leaf = next(
            path
            for path in _leaves(self.file)
            if path.startswith("baseModels.models.") and path.endswith(".id")
        )
        named: list[pa.Array] = []
        for before, values in self._parts(leaf):
            lists = readers.base_lists(values)
            some = _within(places, before, len(lists))
            named += lists.take(pa.array(some)).chunks if len(some) else []
            if self.want_lineage:
                for chunk in lists.chunks:
                    self._state(chunk, place[before : before + len(chunk)], words, before)
                    before += len(chunk)
        kind = FIELDS["base_models"].pandas_dtype.pyarrow_dtype
        out = {
            "base_models": pd.Series(
                pd.arrays.ArrowExtensionArray(pa.chunked_array(named, type=kind))
            ),
            "base_relation": pd.Series(words.take(pa.array(places)).to_pylist(), dtype="string"),
        }
        return {name: out[name] for name in out if name in asked}

    def _state(self, lists: pa.Array, place: Codes, words: pa.Array, before: int) -> None:
        """Keep what a part of the rows states, if the rows themselves are kept."""
        kept = place >= 0
        if not kept.all():
            lists = pc.if_else(pa.array(kept), lists, pa.scalar(None, lists.type))
        self.declared = self.declared or lists.null_count < len(lists)
        row = pc.list_parent_indices(lists).to_numpy()
        if len(row):
            word = words.slice(before, len(lists)).take(pa.array(row))
            self.stated.append((pa.array(place[row]), lists.flatten(), word, False))

    def _cards(self, places: Codes) -> dict[str, pd.Series[Any]]:
        if not readers.has_cards(self.shape.field("cardData").type, self.notes):
            return {}
        rows, names, broken = [np.zeros(0, dtype=np.int64)], [], 0
        for before, values in self._parts("cardData"):
            some, found, odd = readers.card_licences(values)
            rows.append(some + before)
            names += found
            broken += odd
        column = readers.card_column(np.concatenate(rows), names, broken, self.rows, self.notes)
        return {"licence_name": column.take(places)}

    # ---------------------------------------------------------------------------- declared bases

    def _tagged(self, place: Codes) -> Iterator[tuple[pa.Array, pa.Array, pa.Array, bool]]:
        before = 0
        for _, tags in self._tags(place[:0]):
            for chunk in pa.chunked_array(pa.array(tags)).chunks:
                new = place[before : before + len(chunk)]
                before += len(chunk)
                keep = np.flatnonzero(new >= 0)
                lists = chunk.take(pa.array(keep))
                row = new[keep][pc.list_parent_indices(lists).to_numpy()]
                yield relations.of_tags(pa.array(row), lists.flatten())


def _leaves(file: pq.ParquetFile) -> list[str]:
    return [file.schema.column(place).path for place in range(len(file.schema))]


def _within(places: Codes, before: int, count: int) -> Codes:
    """Those of some rows, in rising order, that stand in a part; counted from its beginning."""
    first, last = np.searchsorted(places, [before, before + count])
    return places[first:last] - before


def _whole(values: pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _numbers(series: pd.Series[Any]) -> Numbers:
    """Counters as plain numbers, -1 for null."""
    return series.to_numpy(dtype=np.int64, na_value=-1)


def _days(series: pd.Series[Any]) -> Days:
    """Instants as days since 1970, -1 for unknown: the schema holds none so early."""
    stamps = series.dt.tz_localize(None).to_numpy(dtype="datetime64[us]").view(np.int64)
    days: Days = (stamps // _DAY).astype(np.int32)
    # What is no time is the smallest number of all.
    days[stamps < 0] = -1
    return days


def _coded(texts: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """Write texts as codes, -1 for null."""
    return _encoded(texts.dictionary_encode())


def _encoded(values: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """Take the codes out of a column that has one dictionary; an empty text is null."""
    if not values.num_chunks:
        return np.zeros(0, dtype=np.int32), pa.array([], pa.string())
    code = np.concatenate([as_codes(pc.fill_null(chunk.indices, -1)) for chunk in values.chunks])
    texts = values.chunk(0).dictionary
    if (empty := pc.index(texts, "").as_py()) >= 0:
        code[code == empty] = -1
    return code, texts


def _decoded(coded: tuple[Codes, pa.Array], places: Codes) -> pd.Series[Any]:
    code = coded[0][places]
    texts = coded[1].take(pa.array(code, mask=code < 0))
    return pd.Series(texts.to_pylist(), dtype="string")


def owners(names: pa.Array) -> tuple[Codes, pa.Array]:
    """Return the organisations of some ids as codes, -1 for none, and their names."""
    parts = []
    for begin in range(0, len(names), _SLICE):
        split = pc.split_pattern(names.slice(begin, _SLICE), "/", max_splits=1)
        first = pc.list_element(split, 0)
        alone = pc.or_(pc.equal(pc.list_value_length(split), 1), pc.equal(first, ""))
        if pc.any(alone).as_py():
            first = pc.if_else(alone, pa.scalar(None, pa.string()), first)
        parts.append(first)
    return _coded(pa.chunked_array(parts, pa.string()))


# ----------------------------------------------------------------------------------- reduction


def _reduce(
    source: _Frame | _Parquet,
    families: Families,
    ids: Iterable[str],
    depth: int,
    synthetic: bool,
) -> Whole:
    if depth < 0:
        raise InputError(f"depth {depth}: give a number of 0 or more")
    with ThreadPoolExecutor(2) as beside:
        return _reduced(source, families, ids, depth, synthetic, beside)


def _reduced(
    source: _Frame | _Parquet,
    families: Families,
    ids: Iterable[str],
    depth: int,
    synthetic: bool,
    beside: Executor,
) -> Whole:
    """Reduce, with other threads for what does not wait for the file."""
    after, odd = Notes(source.notes.where), Notes(source.notes.where)
    texts = source.ids()
    if (ready := source.quick) is not None:
        whose = beside.submit(_encoded, ready.owners)
        told_apart = beside.submit(_perhaps_shared, ready.keys)
    else:
        whose = beside.submit(_checked_owners, texts, None if source.checked else odd)
        told_apart = beside.submit(_told_apart, texts)
    del ready
    counters = {name: source.counter(name) for name in COUNTERS}
    created = source.created()
    tasks = source.tasks()
    keys, twice = told_apart.result()
    owner = whose.result()
    _release()
    rows: Codes = np.arange(len(texts), dtype=np.int32)
    if not source.checked:
        missing = texts.is_null().to_numpy(zero_copy_only=False)
        note_missing_ids(missing, after)
        after.found += odd.found
        gone = _repeats(texts, twice[~missing[twice]], rows, counters, after)
        missing[gone] = True
        rows = rows[~missing]
    own = texts
    if len(rows) < len(texts):
        own, keys = texts.take(pa.array(rows)), keys[rows]
    del texts
    place = np.full(source.rows, -1, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    twice = place[twice][place[twice] >= 0]

    if len(rows) < len(owner[0]):
        owner = owner[0][rows], owner[1]

    # Before this line the rows are the reader's, after it each is a repository.
    names, stand = own, (keys, twice)
    stay = np.ones(len(rows), dtype=bool)
    new, renamed = _former(own, owner, families)
    if len(new):
        names = _with_new(own, new, renamed)
        keys = keys.copy()
        keys[new] = relations.case_keys(renamed)
        met = _places(pc.is_in(pa.array(keys), pa.array(np.unique(keys[new]))))
        same = met[_places(pc.is_in(names.take(pa.array(met)), renamed))]
        stay[_repeats(names, same, rows, counters, after)] = False
        twice = np.union1d(twice, met)
        code, holders = owner
        code = code.copy()
        code[new], holders = _renamed(owners(renamed), holders)
        owner = code, holders
    # The graph takes all rows of the reader, the tables one a repository.
    whose_name = owner
    if not stay.all():
        owner = owner[0][stay], owner[1]
    known = names if stay.all() else names.filter(pa.array(stay))
    kept = rows if stay.all() else rows[stay]
    values = {n: c if c is None or len(kept) == len(c) else c[kept] for n, c in counters.items()}
    for name, numbers in values.items():
        if numbers is not None and _too_large(numbers):
            raise source.notes.error(f"the counters {name} add up to more than 64 bits hold")
    day = created if created is None or len(kept) == len(created) else created[kept]
    task = None if tasks is None else (tasks[0][kept], tasks[1])
    tables = beside.submit(_tables, known, values, owner, task, day, depth)

    chosen = _matter(known, owner, families, ids)
    details = source.named(kept[chosen], place)
    _release()
    found, days, downloads = None, np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    if (parts := source.parts(place)) is not None:
        lineage, node = relations.of_parts(
            own,
            parts,
            families,
            relations.Known(names, keys, twice, *stand, whose_name, source.quick is not None),
        )
        if lineage.report.stated:
            found = lineage
            count = lineage.graph.nodes
            days = _earliest(None if created is None else created[rows], node, count)
            downloads = _largest(counters["downloads_30d"], rows, node, count)
        del node
    source.forget()
    del own, names, keys, parts
    return Whole(
        rows=source.rows,
        repositories=len(kept),
        sums={n: 0 if c is None else int(c[c >= 0].sum()) for n, c in values.items()},
        unread={n: len(kept) if c is None else int((c < 0).sum()) for n, c in values.items()},
        named=_rows_of(known, values, chosen, details),
        lineage=found,
        created=days,
        downloads=downloads,
        synthetic=synthetic,
        problems=(*source.notes.found, *after.found),
        **tables.result(),
    )


def _former(
    texts: pa.Array, owner: tuple[Codes, pa.Array], families: Families
) -> tuple[Codes, pa.Array]:
    """Places of the ids of renamed organisations, and what they are called now."""
    former = pa.array([entry.old for entry in families.renamed], pa.string())
    flags = pc.is_in(owner[1], former).to_numpy(zero_copy_only=False)
    some = np.flatnonzero(np.append(flags, False)[owner[0]])
    old = texts.take(pa.array(some))
    new = _whole(with_new_names(old, families))
    other = _places(pc.not_equal(new, old))
    return some[other], new.take(pa.array(other))


def _with_new(texts: pa.Array, places: Codes, new: pa.Array) -> pa.Array:
    """Put other texts at some places."""
    if len(places) > _SLICE:
        flags = np.zeros(len(texts), dtype=bool)
        flags[places] = True
        return pc.replace_with_mask(texts, pa.array(flags), new)
    # The stretches between a few places are copied as they stand, which is much faster.
    parts, before = [], 0
    for number, place in enumerate(places.tolist()):
        parts += [texts.slice(before, place - before), new.slice(number, 1)]
        before = place + 1
    return pa.concat_arrays([*parts, texts.slice(before)])


def _renamed(new: tuple[Codes, pa.Array], holders: pa.Array) -> tuple[Codes, pa.Array]:
    """Write a few organisations in the codes of many, with those that are not yet among them."""
    found = pc.index_in(new[1], holders)
    more = new[1].filter(found.is_null())
    code = as_codes(pc.fill_null(found, -1)).copy()
    code[code < 0] = len(holders) + np.arange(len(more))
    return np.append(code, -1)[new[0]], pa.concat_arrays([holders, more])


def _checked_owners(texts: pa.Array, odd: Notes | None) -> tuple[Codes, pa.Array]:
    """Say whose each id is, and count those that are odd."""
    if odd is not None:
        note_odd_ids(pa.chunked_array([texts.drop_null()]), odd)
    return owners(texts)


def _told_apart(texts: pa.Array) -> tuple[npt.NDArray[np.uint64], Codes]:
    """Give each id a key, and say which keys stand twice."""
    keys = relations.case_keys(texts)
    return keys, relations.perhaps_shared(keys)


def _perhaps_shared(
    keys: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.uint64], Codes]:
    return keys, relations.perhaps_shared(keys)


def _tables(
    names: pa.Array,
    values: Mapping[str, Numbers | None],
    owner: tuple[Codes, pa.Array],
    task: tuple[Codes, pa.Array] | None,
    day: Days | None,
    depth: int,
) -> dict[str, pd.DataFrame]:
    groups = _Groups(len(names), values)
    return {
        "head": _head(names, values, task, depth),
        "organisations": groups.organisations(owner, depth),
        "tasks": groups.tasks(task),
        "months": groups.months(day),
    }


def _release() -> None:
    """Give back what Arrow keeps for later: its peaks are not ours."""
    pa.default_memory_pool().release_unused()


def _earliest(days: Days | None, node: Codes, count: int) -> Days:
    """Return the first day among the rows of each node, -1 where none is known."""
    first = np.full(count, _NEVER, dtype=np.int32)
    if days is not None:
        some = np.flatnonzero((node >= 0) & (days >= 0))
        np.minimum.at(first, node[some], days[some])
    first[first == _NEVER] = -1
    return first


def _largest(numbers: Numbers | None, rows: Codes, node: Codes, count: int) -> Numbers:
    """Return the largest counter among the rows of each node, -1 where none is known."""
    most = np.full(count, -1, dtype=np.int64)
    if numbers is not None:
        some = np.flatnonzero(node >= 0)
        np.maximum.at(most, node[some], numbers[rows[some]])
    return most


def _too_large(numbers: Numbers) -> bool:
    """Whether the sum of what is known needs more than 64 bits."""
    if int(numbers.max(initial=0)) * len(numbers) <= LARGEST:
        return False
    known = np.maximum(numbers, 0)
    return (int((known >> 32).sum()) << 32) + int((known & 0xFFFF_FFFF).sum()) > LARGEST


def _repeats(
    texts: pa.Array,
    some: Codes,
    rows: Codes,
    counters: Mapping[str, Numbers | None],
    notes: Notes,
) -> Codes:
    """Of some places of `texts` those whose rows go, by the reader's own rule."""
    if not len(some):
        return some
    table = {"repository_id": texts.take(pa.array(some)).to_pandas()}
    for name, numbers in counters.items():
        if numbers is not None:
            table[name] = _nullable(numbers[rows[some]])
    frame = pd.DataFrame(table).set_axis(some)
    return np.setdiff1d(some, unrepeated(frame, ["repository_id"], notes).index.to_numpy())


def _nullable(numbers: Numbers) -> pd.Series[Any]:
    return pd.Series(pd.arrays.IntegerArray(np.maximum(numbers, 0), numbers < 0))


def _matter(
    names: pa.Array, owner: tuple[Codes, pa.Array], families: Families, ids: Iterable[str]
) -> Codes:
    """Places of the repositories that matter by name."""

    def of(organisations: set[str]) -> Mask:
        # One more flag, for those without an organisation.
        known = pc.is_in(owner[1], pa.array(sorted(organisations), pa.string()))
        return np.append(known.to_numpy(zero_copy_only=False), False)

    places = np.flatnonzero(of(known_organisations(families))[owner[0]])
    makers = {p.organisation for m in families.makers.values() for p in m.organisations}
    makers |= {p.organisation for f in families.families.values() for p in f.organisations}
    all_of_it = of(makers)[owner[0][places]]
    texts = pd.Series(names.take(pa.array(places)).to_pylist(), dtype="string")
    family = families_module.assign(texts, families, "with-reuploads").notna().to_numpy(dtype=bool)
    places = places[family | all_of_it]
    asked = families_module.canonical(pd.Series(sorted(set(ids)), dtype="string"), families)
    if not len(asked):
        return places
    return np.union1d(places, _places(pc.is_in(names, pa.array(asked, pa.string()))))


def _places(flags: pa.Array) -> Codes:
    return np.flatnonzero(flags.to_numpy(zero_copy_only=False))


def _rows_of(
    names: pa.Array,
    values: Mapping[str, Numbers | None],
    chosen: Codes,
    parts: Mapping[str, pd.Series[Any]],
) -> pd.DataFrame:
    own = pa.chunked_array([names.take(pa.array(chosen))])
    out: dict[str, Any] = {
        "repository_id": own.to_pandas(),
        "organisation": organisations(own).to_pandas(),
    }
    out |= {n: _nullable(c[chosen]) for n, c in values.items() if c is not None}
    out |= {name: series.reset_index(drop=True) for name, series in parts.items()}
    return conform(pd.DataFrame(out))


def _head(
    names: pa.Array,
    values: Mapping[str, Numbers | None],
    task: tuple[Codes, pa.Array] | None,
    depth: int,
) -> pd.DataFrame:
    rolling = values["downloads_30d"]
    if rolling is None:
        rolling = np.full(len(names), -1, dtype=np.int64)
    depth = min(depth, int((rolling >= 0).sum()))
    if depth:
        last = np.partition(rolling, len(rolling) - depth)[len(rolling) - depth]
        above = np.flatnonzero(rolling > last)
        level = np.flatnonzero(rolling == last)
        first = pc.sort_indices(names.take(pa.array(level))).to_numpy()[: depth - len(above)]
        best = np.concatenate([above, level[first]])
    else:
        best = np.zeros(0, dtype=np.int64)
    ids = names.take(pa.array(best))
    order = pc.sort_indices(
        pa.table({"downloads": rolling[best], "id": ids}),
        sort_keys=[("downloads", "descending"), ("id", "ascending")],
    ).to_numpy()
    best = best[order]
    own = pa.chunked_array([ids.take(pa.array(order))])
    out: dict[str, Any] = {
        "repository_id": own.to_pandas(),
        "organisation": organisations(own).to_pandas(),
    }
    for name in ("downloads_30d", "downloads_all_time"):
        numbers = values[name]
        out[name] = _nullable(np.full(len(best), -1) if numbers is None else numbers[best])
    out["pipeline_tag"] = [None] * len(best) if task is None else _decoded(task, best)
    return conform(pd.DataFrame(out))


def _last_for_none(codes: Codes, count: int) -> Codes:
    """Codes as numpy counts them without another copy; none, -1, is the one after the last."""
    out = codes.astype(np.intp)
    out[out < 0] = count
    return out


class _Groups:
    """Counters of all repositories, to be added up by group."""

    def __init__(self, rows: int, values: Mapping[str, Numbers | None]) -> None:
        self.rows = rows
        self.values = {
            n: c if c is None or (c >= 0).all() else np.maximum(c, 0) for n, c in values.items()
        }
        self.small = {
            n: None if c is None or int(c.sum()) >= 2**53 else c.astype(np.float64)
            for n, c in self.values.items()
        }

    def sums(self, name: str, codes: Codes, count: int) -> pd.Series[Any]:
        """Exact sums of a counter by code; all null where the file lacks it."""
        numbers = self.values[name]
        if numbers is None:
            return pd.Series([None] * count, dtype="Int64")
        # Weights are added up as floats, which are exact below 2**53.
        if (small := self.small[name]) is not None:
            return pd.Series(np.bincount(codes, small, count).astype(np.int64), dtype="Int64")
        total, step = np.zeros(count, dtype=np.int64), 21
        for shift in range(0, 63, step):
            part = (numbers >> shift) & (2**step - 1)
            total += np.bincount(codes, part, minlength=count).astype(np.int64) << shift
        return pd.Series(total, dtype="Int64")

    def table(
        self, label: str, names: pd.Series[Any], codes: Codes, counters: Iterable[str]
    ) -> pd.DataFrame:
        count = len(names)
        out = {
            label: names,
            "repositories": pd.Series(np.bincount(codes, minlength=count), dtype="Int64"),
            **{name: self.sums(name, codes, count) for name in counters},
        }
        return pd.DataFrame(out)

    def organisations(self, owner: tuple[Codes, pa.Array], depth: int) -> pd.DataFrame:
        codes, texts = owner
        codes = _last_for_none(codes, len(texts))
        count = np.bincount(codes, minlength=len(texts) + 1)
        count[-1] = 0
        largest: Codes = np.flatnonzero(count)
        rolling = self.sums("downloads_30d", codes, len(count))
        if depth < len(largest) and not rolling.hasnans:
            # Only those that can be among the first get a name.
            sums = rolling.to_numpy(dtype=np.int64)[largest]
            last = np.partition(sums, len(sums) - depth)[len(sums) - depth] if depth else sums.max()
            largest = largest[sums >= last]
        out: dict[str, Any] = {
            "organisation": pd.Series(texts.take(pa.array(largest)).to_pylist(), dtype="string"),
            "repositories": pd.Series(count[largest], dtype="Int64"),
        }
        for name in COUNTERS:
            every = rolling if name == "downloads_30d" else self.sums(name, codes, len(count))
            out[name] = every.iloc[largest].reset_index(drop=True)
        table = pd.DataFrame(out)
        table = table.sort_values(["downloads_30d", "organisation"], ascending=[False, True])
        return table.head(depth).reset_index(drop=True)

    def tasks(self, task: tuple[Codes, pa.Array] | None) -> pd.DataFrame:
        codes, names = (np.full(self.rows, -1), pa.array([], pa.string())) if task is None else task
        return self._small("pipeline_tag", codes, names)

    def months(self, created: Days | None) -> pd.DataFrame:
        if created is None:
            created = np.full(self.rows, -1, dtype=np.int32)
        every = np.arange(int(created.max(initial=-1)) + 1).astype("datetime64[D]")
        month = every.astype("datetime64[M]").astype(np.int64)
        first = int(month[0]) if len(month) else 0
        names = np.arange(first, first + len(np.unique(month))).astype("datetime64[M]").astype(str)
        code = np.append(month - first, -1)
        return self._small("month", code[created], pa.array(names, pa.string()))

    def _small(self, label: str, codes: Codes, names: pa.Array) -> pd.DataFrame:
        """Return a table of all groups, -1 standing for none, in the order of the alphabet."""
        texts: pd.Series[Any] = pd.Series([*names.to_pylist(), None], dtype="string")
        codes = _last_for_none(codes, len(names))
        table = self.table(label, texts, codes, ("downloads_30d", "downloads_all_time"))
        table = table[table["repositories"] > 0].sort_values(label, na_position="last")
        return table.reset_index(drop=True)
