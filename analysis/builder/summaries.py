"""Summaries of snapshots, kept in the cache: what a series needs of one file, and little more.

A summary holds what any question to a series can need of one snapshot: the counters of every
repository that somebody may ask for by name (of a family or a maker under any rule, on a tracked
list, among the :data:`DEPTH` most downloaded), and of all others only sums by organisation and
task. Small files keep every row. So neither population, family rule nor measure is part of it,
and a second question reads no raw file.

The summary is a Parquet file below ``OMR_CACHE/series``. Its name begins with the key: the sha256
of the raw file, the kind, the code (:func:`code_version`) and the rules (families, names on
tracked lists). It ends with the sha256 of the summary itself: an entry that does not match its
name is thrown away and made anew. A registered version that has its summary is neither fetched
nor hashed; a file without a registry entry is hashed each time, because nothing else says that it
is still the same. A cache that cannot be written costs time, nothing else.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import importlib.metadata
import io
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis import raw, snapshot
from analysis.errors import InputError
from analysis.snapshot import families as families_module
from analysis.snapshot import whole

MEASURES: Final = ("downloads_30d", "downloads_all_time")

#: So many of the most downloaded in 30 days are kept by name.
DEPTH: Final = 10_000

#: A file with no more rows keeps all of them.
SMALL: Final = 20_000

#: Organisations, by downloads, whose sums are kept.
ORGANISATIONS: Final = 1_000

#: Lists of the most downloaded that are complete down to their last entry, the deepest first.
HEAD_KINDS: Final = ("hub-top30", "hub-top25")

#: Name of the count of repositories that have the counter.
READ: Final = {"downloads_30d": "read_30d", "downloads_all_time": "read_all_time"}
#: Owner of the Hub's first repositories, which have none.
NO_ORGANISATION: Final = "(none)"
SCHEMA: Final = pa.schema(
    [
        ("part", pa.string()),
        ("repository_id", pa.string()),
        ("organisation", pa.string()),
        ("pipeline_tag", pa.string()),
        ("day", pa.date32()),
        ("repositories", pa.int64()),
        ("read_30d", pa.int64()),
        ("downloads_30d", pa.int64()),
        ("read_all_time", pa.int64()),
        ("downloads_all_time", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Entry:
    """One snapshot of a series before it is read.

    Attributes
    ----------
    name
        Version name, or the file as it was named.
    kind
        Kind of source.
    source
        Id of the source; "" for a file.
    path
        The file; None for a registered version, which is fetched only if need be.
    sha256
        Of a registered version; None for a file, which is hashed when its turn comes.
    first, last
        Days that the registry knows, or the day given with a file; None where none is known.
    """

    name: str
    kind: str
    source: str
    path: Path | None = None
    sha256: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None


def registered(source: raw.Source, version: raw.Version) -> Entry:
    """Make the entry of a registered version."""
    return Entry(
        version.name,
        source.kind,
        source.id,
        None,
        version.sha256,
        version.as_of_first,
        version.as_of_last,
    )


@dataclass(frozen=True)
class Summary:
    """What is kept of one snapshot.

    Attributes
    ----------
    rows
        A row a repository (``part`` repository), and twice a row for many that are not kept by
        name: split up by task (``part`` task, by ``pipeline_tag``) and again by organisation
        (``part`` organisation; ``organisation`` null for the many small ones). ``read_…``
        counts those with a counter, ``downloads_…`` is its sum. ``day`` is set where rows
        carry their own.
    taken
        Day on which the file says it was read; None where it does not say.
    problems
        What the reader met.
    """

    rows: pa.Table
    taken: dt.date | None
    problems: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """Write it as Parquet: the same summary gives the same bytes."""
        notes = {
            "taken": None if self.taken is None else self.taken.isoformat(),
            "problems": list(self.problems),
        }
        out = io.BytesIO()
        marked = self.rows.replace_schema_metadata({"series": json.dumps(notes, sort_keys=True)})
        pq.write_table(marked, out, compression="zstd")
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Summary:
        """Read what :meth:`to_bytes` wrote; any exception means that it is something else."""
        got = pq.read_table(pa.BufferReader(content))
        notes = json.loads(got.schema.metadata[b"series"])
        rows = got.replace_schema_metadata(None)
        if rows.schema != SCHEMA:
            raise ValueError("another schema")
        taken = None if notes["taken"] is None else dt.date.fromisoformat(notes["taken"])
        return cls(rows, taken, tuple(notes["problems"]))


@dataclass
class Cache:
    """Summaries below one folder; None keeps nothing.

    Attributes
    ----------
    notes
        Why something could not be kept; one line, said once.
    """

    folder: Path | None
    notes: list[str] = field(default_factory=list)

    def read(self, key: str) -> Summary | None:
        """Return the summary of a key; a damaged one is removed and counts as none."""
        if self.folder is None:
            return None
        for path in sorted(self.folder.glob(f"{key}-*.parquet")):
            try:
                content = path.read_bytes()
                if digest(content) == path.stem.rpartition("-")[2]:
                    return Summary.from_bytes(content)
            except Exception:  # whatever is wrong with a copy, the raw file is there
                pass
            with contextlib.suppress(OSError):
                path.unlink()
        return None

    def write(self, key: str, summary: Summary) -> bool:
        """Keep a summary, under a temporary name until it is whole; say whether it is kept."""
        if self.folder is None:
            return False
        content = summary.to_bytes()
        name = f"{key}-{digest(content)}.parquet"
        # Another run may write the same summary at the same moment.
        partial = self.folder / f".{name}.{os.getpid()}.partial"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            os.replace(partial, self.folder / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            if not self.notes:
                self.notes.append(
                    f"{self.folder}: summaries cannot be kept ({error.strerror or error}): "
                    "the next run reads the snapshots again"
                )
            return False
        return True


def digest(content: bytes) -> str:
    """Return the first half of the sha256 of a summary's bytes."""
    return hashlib.sha256(content).hexdigest()[:32]


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a hash of the code that makes summaries.

    It covers every module of ``analysis.snapshot`` and this one, letter by letter, and the
    versions of pandas, numpy and pyarrow. ``analysis.measure`` works on summaries and is no part.
    """
    package = Path(snapshot.__file__).parent
    files = [*sorted(package.glob("*.py")), Path(__file__)]
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    for library in ("numpy", "pandas", "pyarrow"):
        digest.update(f"{library} {importlib.metadata.version(library)}\n".encode())
    return digest.hexdigest()


@dataclass
class Reader:
    """Makes summaries, or takes them from the cache.

    Attributes
    ----------
    registry, families
        Registered versions; the rules of families.
    cache
        Where summaries are kept.
    rules
        Hash of what decides what is kept by name: the register of families, the tracked lists.
    drop_raw
        Remove a raw file that was fetched for its summary, once that is kept: hundreds of dumps of
        the whole Hub are more than a laptop holds.
    """

    registry: raw.Registry
    families: families_module.Families
    cache: Cache
    rules: str
    drop_raw: bool = False
    _rankings: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: raw.Registry, cache: Cache) -> Reader:
        """Make a reader with the rules of ``data/`` and the names of every tracked list."""
        declared = raw.declared("families")
        lists = sorted(str(v.sha256) for _, v in registry.by_kind("tracked-list"))
        rules = json.dumps([declared, lists], sort_keys=True, default=str)
        families = families_module.parse(declared)
        return cls(registry, families, cache, hashlib.sha256(rules.encode()).hexdigest())

    def named(self) -> frozenset[str]:
        """Return the ids on any registered tracked list."""
        names: set[str] = set()
        for _, version in self.registry.by_kind("tracked-list"):
            names |= listed(version.name, self.families)
        return frozenset(names)

    def key(self, sha256: str, kind: str) -> str:
        """Return the key of a raw file's summary: 64 hexadecimal digits."""
        parts = "\n".join((sha256, kind, code_version(), self.rules))
        return hashlib.sha256(parts.encode()).hexdigest()

    def read(self, entry: Entry) -> tuple[Summary, bool]:
        """Return the summary of a snapshot, and whether it came from the cache."""
        sha256 = entry.sha256
        if sha256 is None:
            if entry.path is None or not entry.path.is_file():
                raise InputError(f"{entry.name}: no file: name one snapshot")
            try:
                sha256 = raw.sha256_of(entry.path)
            except OSError as error:
                raise InputError(f"{entry.name}: cannot be read: {error.strerror}") from None
        key = self.key(sha256, entry.kind)
        kept = self.cache.read(key)
        if kept is not None:
            return kept, True
        path, new = entry.path, False
        if path is None:
            using = raw.fetcher(registry=self.registry)
            new = not using.path_of(self.registry.find(entry.name)[1]).is_file()
            path = raw.fetch(entry.name)
        made = summarise(path, entry.kind, self.families, self.named)
        if self.cache.write(key, made) and new and self.drop_raw:
            with contextlib.suppress(OSError):
                path.unlink()
        return made, False

    def ranking(self, source: raw.Source, version: raw.Version) -> dict[str, int]:
        """Return the counters of a short list of the most downloaded, by repository."""
        found = self._rankings.get(version.name)
        if found is None:
            rows = self.read(registered(source, version))[0].rows
            pairs = zip(
                rows["repository_id"].to_pylist(), rows["downloads_30d"].to_pylist(), strict=True
            )
            found = self._rankings[version.name] = {i: n for i, n in pairs if n is not None}
        return found

    def lists(
        self, first: dt.date, last: dt.date, kinds: Iterable[str]
    ) -> dict[str, tuple[str, pd.DataFrame]]:
        """Return lists of the most downloaded by their day, with their names.

        Parameters
        ----------
        first, last
            Days that a list may be of.
        kinds
            Where a day has lists of several kinds, that of the last kind is taken.
        """
        found: dict[str, tuple[str, pd.DataFrame]] = {}
        for kind in kinds:
            for source, version in self.registry.by_kind(kind):
                if first <= version.as_of_first <= last:
                    counters = self.ranking(source, version)
                    ranking = pd.DataFrame(
                        {"repository_id": list(counters), "downloads_30d": list(counters.values())}
                    )
                    found[version.as_of_first.isoformat()] = (version.name, ranking)
        return found

    def head(self, day: dt.date) -> tuple[str | None, dict[str, int]]:
        """Return the deepest complete list of the most downloaded of a day, with its name."""
        for kind in HEAD_KINDS:
            for source, version in self.registry.by_kind(kind):
                if version.as_of_first == day and (found := self.ranking(source, version)):
                    return version.name, found
        return None, {}


def listed(name: str, families: families_module.Families) -> set[str]:
    """Return the ids on a registered tracked list, renamed organisations under their new name."""
    frame = snapshot.read(raw.fetch(name), "tracked-list").frame
    return set(families_module.canonical(frame["repository_id"], families).astype("str"))


def summarise(
    path: Path,
    kind: str,
    families: families_module.Families,
    named: Callable[[], Iterable[str]],
) -> Summary:
    """Read one snapshot and keep what a series can need of it.

    Parameters
    ----------
    path
        The raw file.
    kind
        Its kind.
    families
        Whose repositories, and those of whose makers, are kept by name.
    named
        Gives further ids to keep by name; asked only where a file is too large to keep all.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    if kind == "hub-snapshot" and _rows_of_parquet(path) > SMALL:
        details = ("pipeline_tag",)
        found = whole.reduce(
            path, families, ids=named(), depth=DEPTH, lineage=False, details=details
        )
        return Summary(_of_whole(found), day_of(path), found.problems)
    known = snapshot.KIND_COLUMNS[kind]
    wanted = [n for n in ("repository_id", *MEASURES, "pipeline_tag", "day") if n in known]
    got = snapshot.read(path, kind, columns=wanted)
    taken = day_of(path) if got.taken is None else got.taken.date()
    frame = got.frame
    if kind == "hub-snapshot" and len(frame) > SMALL:
        found = whole.of(got, families, ids=named(), depth=DEPTH, lineage=False)
        return Summary(_of_whole(found), taken, found.problems)
    if "list" in frame.columns and (frame["list"] == "downloads").any():
        frame = frame[frame["list"] == "downloads"]
    for column in (*MEASURES, "pipeline_tag", "day"):
        if column not in frame.columns:
            frame = frame.assign(**{column: None})
    # A repository under its organisation's old and new name is one: the larger counter stands.
    frame = frame.assign(repository_id=families_module.canonical(frame["repository_id"], families))
    frame = frame.astype(dict.fromkeys(MEASURES, "Int64"))
    if kind == "hub-panel":
        frame["day"] = pd.to_datetime(frame["day"]).dt.date
    keys = ["repository_id", "day"]
    if frame.duplicated(keys).any():
        frame = frame.groupby(keys, dropna=False, sort=False, as_index=False).agg(
            {**dict.fromkeys(MEASURES, "max"), "pipeline_tag": "first"}
        )
    return Summary(_table(frame), taken, got.problems)


def _rows_of_parquet(path: Path) -> int:
    """Rows of a Parquet file; 0 for anything else, of which its reader will speak."""
    try:
        with path.open("rb") as file:
            return int(pq.read_metadata(file).num_rows) if file.read(4) == b"PAR1" else 0
    except (OSError, ValueError, pa.ArrowException):
        return 0


def _table(frame: pd.DataFrame) -> pa.Table:
    """Turn rows of single repositories into those of a summary, sorted by day and id."""
    single = pd.DataFrame(
        {
            "part": "repository",
            "repository_id": frame["repository_id"].astype("object"),
            "organisation": None,
            "pipeline_tag": frame["pipeline_tag"],
            "day": frame["day"],
            "repositories": 1,
            **{READ[name]: frame[name].notna().astype("int64") for name in MEASURES},
            **{name: frame[name] for name in MEASURES},
        }
    ).sort_values(["day", "repository_id"], kind="stable", na_position="first")
    return _arrow(single)


def _arrow(frame: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(frame[SCHEMA.names], schema=SCHEMA, preserve_index=False)
    return table.replace_schema_metadata(None).combine_chunks()


def _of_whole(found: whole.Whole) -> pa.Table:
    """Keep the named and the head of a large snapshot; of the rest sums by task and owner."""
    kept = pd.concat([found.named, found.head], ignore_index=True)
    kept = kept.drop_duplicates("repository_id").reset_index(drop=True)
    for column in (*MEASURES, "pipeline_tag"):
        if column not in kept.columns:
            kept[column] = None
    kept = kept.astype(dict.fromkeys(MEASURES, "Int64")).assign(day=None, repositories=1)
    numbers = ["repositories", *MEASURES]
    tasks = found.tasks.set_index("pipeline_tag")[numbers]
    owners = found.organisations.set_index("organisation")[numbers].iloc[:ORGANISATIONS]
    parts = [
        _less(tasks, kept.groupby("pipeline_tag", dropna=False)[numbers].sum(), "task"),
        _less(owners, kept.groupby("organisation")[numbers].sum(), "organisation"),
    ]
    rest = {
        "repositories": found.repositories - len(kept) - int(parts[1]["repositories"].sum()),
        **{
            name: found.sums[name] - int(kept[name].sum()) - int(parts[1][name].sum())
            for name in MEASURES
        },
    }
    parts.append(pd.DataFrame([{"part": "organisation", **rest}]))
    lumps = pd.concat(parts, ignore_index=True).reindex(columns=SCHEMA.names)
    for name in MEASURES:
        # Which task or owner has no counter is not known; the last row, of nobody, takes them all.
        unread = found.unread[name] - int(kept[name].isna().sum())
        lumps[READ[name]] = lumps["repositories"]
        lumps.loc[lumps.index[-1], READ[name]] -= unread
        if found.unread[name] == found.repositories:
            lumps[READ[name]] = 0
    plain = lumps.astype("object").where(lumps.notna(), None)
    return pa.concat_tables([_table(kept), _arrow(plain)]).combine_chunks()


def _less(whole_sums: pd.DataFrame, kept: pd.DataFrame, part: str) -> pd.DataFrame:
    """Take what is kept by name off the sums; what nothing is left of goes."""
    less = (
        whole_sums.fillna(0)
        .astype("int64")
        .sub(kept.fillna(0).astype("int64").reindex(whole_sums.index, fill_value=0))
    )
    less = less[less["repositories"] > 0]
    key = {"task": "pipeline_tag"}.get(part, part)
    return less.rename_axis(key).reset_index().assign(part=part)


def day_of(path: Path) -> dt.date | None:
    """Return the day that a capture's Parquet says; None for anything else."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                return None
        schema = pq.read_schema(path)
        column = next((n for n in ("capturedAt", "captured_at") if n in schema.names), None)
        if column is None:
            return None
        values = pq.read_table(path, columns=[column])[column].drop_null()
        if pa.types.is_timestamp(values.type):
            values = values.cast(pa.date32())
        texts = pc.utf8_slice_codeunits(values.cast(pa.string()), 0, 10)
        counts = {one["values"]: one["counts"] for one in pc.value_counts(texts).to_pylist()}
        # A capture that goes over midnight counts for the day that holds most of its rows.
        most = min(counts, key=lambda day: (-counts[day], day), default=None)
        return None if most is None else dt.date.fromisoformat(most)
    except (OSError, ValueError, pa.ArrowException):
        return None
