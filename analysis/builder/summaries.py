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
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis import raw, snapshot
from analysis.errors import InputError
from analysis.snapshot import families as families_module

MEASURES: Final = ("downloads_30d", "downloads_all_time")

#: So many of the most downloaded are kept by name, by either counter.
DEPTH: Final = 10_000

#: A file with no more rows keeps all of them.
SMALL: Final = 20_000

#: Organisations, by downloads, whose sums are kept.
ORGANISATIONS: Final = 1_000

#: Lists of the most downloaded that are complete down to their last entry, the deepest first.
HEAD_KINDS: Final = ("hub-top30", "hub-top25")

#: Name of the count of repositories that have the counter.
READ: Final = {"downloads_30d": "read_30d", "downloads_all_time": "read_all_time"}
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
                if hashlib.sha256(content).hexdigest()[:32] == path.stem.rpartition("-")[2]:
                    return Summary.from_bytes(content)
            except Exception:  # whatever is wrong with a copy, the raw file is there
                pass
            with contextlib.suppress(OSError):
                path.unlink()
        return None

    def write(self, key: str, summary: Summary) -> None:
        """Keep a summary: under a temporary name first, renamed when it is whole."""
        if self.folder is None:
            return
        content = summary.to_bytes()
        name = f"{key}-{hashlib.sha256(content).hexdigest()[:32]}.parquet"
        partial = ""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".partial")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(partial, self.folder / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                Path(partial).unlink()
            if not self.notes:
                self.notes.append(
                    f"{self.folder}: summaries cannot be kept ({error.strerror or error}): "
                    "the next run reads the snapshots again"
                )


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
    registry, families, named
        Registered versions; the rules of families; ids that are kept by name besides.
    cache
        Where summaries are kept.
    rules
        Hash of the rules that decide what is kept by name.
    """

    registry: raw.Registry
    families: families_module.Families
    named: frozenset[str]
    cache: Cache
    rules: str
    _rankings: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: raw.Registry, cache: Cache) -> Reader:
        """Make a reader with the rules of ``data/`` and the names of every tracked list."""
        declared = raw.declared("families")
        families = families_module.parse(declared)
        names: set[str] = set()
        for _, version in registry.by_kind("tracked-list"):
            names |= listed(version.name, families)
        rules = json.dumps([declared, sorted(names)], sort_keys=True, default=str)
        return cls(
            registry,
            families,
            frozenset(names),
            cache,
            hashlib.sha256(rules.encode()).hexdigest(),
        )

    def key(self, sha256: str, kind: str) -> str:
        """Return the key of a raw file's summary: 64 hexadecimal digits."""
        parts = "\n".join((sha256, kind, code_version(), self.rules))
        return hashlib.sha256(parts.encode()).hexdigest()

    def read(self, entry: Entry) -> tuple[Summary, bool]:
        """Return the summary of a snapshot, and whether it came from the cache."""
        sha256 = entry.sha256
        if sha256 is None:
            if entry.path is None or not entry.path.is_file():
                raise InputError(f"{entry.name}: no such file")
            try:
                sha256 = raw.sha256_of(entry.path)
            except OSError as error:
                raise InputError(f"{entry.name}: cannot be read: {error.strerror}") from None
        key = self.key(sha256, entry.kind)
        kept = self.cache.read(key)
        if kept is not None:
            return kept, True
        path = entry.path if entry.path is not None else raw.fetch(entry.name)
        made = summarise(path, entry.kind, self.families, self.named)
        self.cache.write(key, made)
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
    path: Path, kind: str, families: families_module.Families, named: frozenset[str]
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
        Further ids kept by name.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    known = snapshot.KIND_COLUMNS[kind]
    wanted = [n for n in ("repository_id", *MEASURES, "pipeline_tag", "day") if n in known]
    got = snapshot.read(path, kind, columns=wanted)
    frame = got.frame
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
    if frame.duplicated(["repository_id", "day"]).any():
        keys = ["repository_id", "day"]
        frame = frame.groupby(keys, dropna=False, sort=False, as_index=False).agg(
            {**dict.fromkeys(MEASURES, "max"), "pipeline_tag": "first"}
        )
    taken = _day_of(path) if got.taken is None else got.taken.date()
    if len(frame) <= SMALL or kind == "hub-panel":
        kept, lumps = frame, frame.iloc[:0]
    else:
        keep = _by_name(frame["repository_id"], families, named)
        for name in MEASURES:
            keep |= frame[name].rank(method="first", ascending=False, na_option="bottom") <= DEPTH
        kept, lumps = frame[keep], frame[~keep]
    single = pd.DataFrame(
        {
            "part": "repository",
            "repository_id": kept["repository_id"].astype("object"),
            "organisation": None,
            "pipeline_tag": kept["pipeline_tag"],
            "day": kept["day"],
            "repositories": 1,
            **{READ[name]: kept[name].notna().astype("int64") for name in MEASURES},
            **{name: kept[name] for name in MEASURES},
        }
    ).sort_values(["day", "repository_id"], kind="stable", na_position="first")
    table = pa.Table.from_pandas(single[SCHEMA.names], schema=SCHEMA, preserve_index=False)
    if len(lumps):
        more = _lumped(lumps)[SCHEMA.names]
        table = pa.concat_tables(
            [table, pa.Table.from_pandas(more, schema=SCHEMA, preserve_index=False)]
        )
    table = table.replace_schema_metadata(None).combine_chunks()
    return Summary(table, taken, got.problems)


def _by_name(
    ids: pd.Series[Any], families: families_module.Families, named: frozenset[str]
) -> pd.Series[bool]:
    """Whether a repository can be asked for by name: under any rule of families."""
    keep = ids.isin(named) | families_module.makers(ids, families).notna()
    return keep | families_module.assign(ids, families, "with-reuploads").notna()


def _lumped(rows: pd.DataFrame) -> pd.DataFrame:
    """Add up what nobody asks for by name, by task and again by (large) organisation."""
    split = rows["repository_id"].str.partition("/")
    rows = rows.assign(
        organisation=split[0].where(split[1] == "/", NO_ORGANISATION),
        repositories=1,
        **{READ[name]: rows[name].notna().astype("int64") for name in MEASURES},
    )
    rows[list(MEASURES)] = rows[list(MEASURES)].fillna(0)
    sums = rows.groupby("organisation")[MEASURES[0]].sum().sort_index()
    large = sums.sort_values(ascending=False, kind="stable").index[:ORGANISATIONS]
    rows["organisation"] = rows["organisation"].where(rows["organisation"].isin(large))
    numbers = ["repositories", *READ.values(), *MEASURES]
    parts = [
        rows.groupby(key, dropna=False, sort=True)[numbers].sum().reset_index().assign(part=part)
        for part, key in (("task", "pipeline_tag"), ("organisation", "organisation"))
    ]
    return pd.concat(parts, ignore_index=True).reindex(columns=SCHEMA.names)


def _day_of(path: Path) -> dt.date | None:
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
        texts = values.cast(pa.string()).to_pandas().str[:10].value_counts().sort_index()
        # A capture that goes over midnight counts for the day that holds most of its rows.
        return None if texts.empty else dt.date.fromisoformat(str(texts.idxmax()))
    except (OSError, ValueError, pa.ArrowException):
        return None
