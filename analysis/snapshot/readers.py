"""One reader per kind of source: a path goes in, a table of the one schema comes out.

Rules that hold for every kind:

- A value that its type cannot hold (negative, above 64 bits, not a number, no such date) becomes
  null and is named in the problems; a needed column without one usable value is an error.
- Of several rows about one repository on one day the row with the largest counters is kept (30-day
  first, then all-time, then likes; the first of equals). All-time counters do not fall, and a
  rolling counter that was never looked up stands at zero, so the largest is the latest reading.
- A row without a repository id is dropped and counted. Ids are kept as they are, whatever they
  hold; those that do not follow the Hub's grammar are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import InputError
from analysis.snapshot import intake, pulls, ratings, relations, scores, services, texts, tree
from analysis.snapshot.schema import FIELDS, check_names
from analysis.snapshot.shaping import (
    COUNTERS,
    Snapshot,
    csv_table,
    finish,
    identify,
    licence_of_tags,
    rows_table,
    stamp,
    table_of,
    unrepeated,
)
from analysis.snapshot.values import Notes, counted, parse_arrow, parse_column, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pyarrow.parquet as pq

    Places = npt.NDArray[np.int64]

#: Words that sources write where the Hub has no task.
NO_TASK: Final = frozenset({"unknown", "n/a", "none", "null"})

#: An llmfit version in which this share of the rows found through the Hub have no like at all did
#: not read likes for them: openai/gpt-oss-120b is among them with 4,747 likes on the Hub.
_NO_LIKES_SHARE: Final = 0.9


#: What is noted of a file that is marked as made up.
SYNTHETIC: Final = "synthetic: made by a generator to try the code, no reading of the Hub"


# ------------------------------------------------------------------------------- hub-snapshot

HUB_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "repository_id": "id",
        "downloads_30d": "downloads",
        "downloads_all_time": "downloadsAllTime",
        "likes": "likes",
        "trending_score": "trendingScore",
        "created_at": "createdAt",
        "last_modified": "lastModified",
        "pipeline_tag": "pipeline_tag",
        "library_name": "library_name",
        "tags": "tags",
        "gated": "gated",
        "read_at": "capturedAt",
    }
)

_LLMFIT_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "repository_id": "name",
        "downloads_30d": "hf_downloads",
        "likes": "hf_likes",
        "released_on": "release_date",
        "pipeline_tag": "pipeline_tag",
        "parameters_total": "parameters_raw",
    }
)

_EXPANSION_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "repository_id": "id",
        "downloads_30d": "downloads",
        "likes": "likes",
        "pipeline_tag": "pipeline_tag",
    }
)

_AUTHOR_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "repository_id": "repo_id",
        "downloads_30d": "downloads",
        "created_at": "created_at",
        "last_modified": "last_modified",
        "pipeline_tag": "pipeline_tag",
        "licence": "license",
        "revision": "sha",
    }
)

_NEEDED: Final = ("repository_id", "downloads_30d")


def _without_task_words(frame: pd.DataFrame) -> pd.DataFrame:
    if "pipeline_tag" not in frame.columns:
        return frame
    words = frame["pipeline_tag"].str.lower().isin(NO_TASK).astype(bool)
    return frame.assign(pipeline_tag=frame["pipeline_tag"].mask(words))


def has_bases(shape: pa.DataType) -> bool:
    """Whether a column of this type holds the declared bases: a list of models with an id."""
    if not pa.types.is_struct(shape) or shape.get_field_index("models") < 0:
        return False
    models = shape.field("models").type
    if not pa.types.is_list(models) or not pa.types.is_struct(models.value_type):
        return False
    place = models.value_type.get_field_index("id")
    return place >= 0 and bool(pa.types.is_string(models.value_type.field(place).type))


def base_lists(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the ids of the declared bases, a list a row; entries without an id are left out."""
    out = []
    for chunk in values.chunks:
        lists = pc.struct_field(chunk, "models")
        rows = pc.list_parent_indices(lists)
        flat = pc.struct_field(lists.flatten(), "id")
        filled = flat.is_valid()
        lengths = np.bincount(rows.filter(filled).to_numpy(), minlength=len(chunk))
        ends = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
        out.append(pa.ListArray.from_arrays(ends, flat.filter(filled), mask=lists.is_null()))
    return pa.chunked_array(out, type=FIELDS["base_models"].pandas_dtype.pyarrow_dtype)


def _bases(values: pa.ChunkedArray, notes: Notes) -> tuple[pd.Series[Any], pd.Series[Any]] | None:
    """Ids and relation of the declared bases; None when the column has another shape."""
    if not has_bases(values.type):
        return None
    ids: pd.Series[Any] = pd.Series(pd.arrays.ArrowExtensionArray(base_lists(values)))
    if values.type.get_field_index("relation") >= 0:
        relation = parse_arrow(
            "base_relation", pc.struct_field(values, "relation"), "baseModels.relation", notes
        )
    else:
        relation = pd.Series([None] * len(values), dtype="string")
    return ids, relation


def note_no_total(shape: pa.DataType, notes: Notes) -> None:
    """Say that sizes are not read."""
    notes.add(f"column 'safetensors' is {shown(str(shape))} without a total: not used")


def note_no_bases(shape: pa.DataType, notes: Notes) -> None:
    """Say that declared bases are not read."""
    notes.add(f"column 'baseModels' is {shown(str(shape))}: not used")


def has_cards(shape: pa.DataType, notes: Notes) -> bool:
    """Whether a column of this type holds cards as JSON text; says so where it does not."""
    if pa.types.is_string(shape) or pa.types.is_large_string(shape):
        return True
    notes.add(f"column 'cardData' is {shown(str(shape))}: not used")
    return False


def card_licences(values: pa.ChunkedArray) -> tuple[Places, list[object], int]:
    """Find licences named in cards (JSON text).

    Returns
    -------
    places : numpy.ndarray
        Rows whose card names one.
    names : list
        The names, whatever they hold.
    broken : int
        Cards that seem to name one and are no JSON.
    """
    places: list[int] = []
    names: list[object] = []
    broken = 0
    # Few cards name a licence: the others need no parsing.
    rows = _rows_with(values, b'"license_name"')
    for place, text in zip(rows.tolist(), values.take(pa.array(rows)).to_pylist(), strict=True):
        try:
            card = json.loads(text)
        except (ValueError, RecursionError):
            broken += 1
            continue
        name = card.get("license_name") if isinstance(card, dict) else None
        if isinstance(name, str):
            places.append(place)
            names.append(name)
    return np.asarray(places, dtype=np.int64), names, broken


def _rows_with(values: pa.ChunkedArray, needle: bytes) -> Places:
    """Find the rows whose text holds some bytes; on long texts far faster than row by row."""
    out = [np.zeros(0, dtype=np.int64)]
    before = 0
    for chunk in values.chunks:
        _, ends, data = chunk.buffers()
        kind = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
        part = slice(chunk.offset, chunk.offset + len(chunk) + 1)
        bounds: Places = np.frombuffer(ends, dtype=kind)[part].astype(np.int64)
        letters = b"" if data is None else data.slice(int(bounds[0])).to_pybytes()
        found = []
        place = letters.find(needle)
        while place >= 0:
            found.append(place)
            place = letters.find(needle, place + 1)
        start = np.asarray(found, dtype=np.int64) + int(bounds[0])
        row = np.searchsorted(bounds, start, side="right") - 1
        inside = row < len(chunk)
        row, start = row[inside], start[inside]
        row = row[start <= bounds[row + 1] - len(needle)]
        out.append(np.unique(row[chunk.is_valid().to_numpy(zero_copy_only=False)[row]]) + before)
        before += len(chunk)
    return np.concatenate(out)


class _Among(Notes):
    """Notes on some rows of a file, told by their places in it."""

    __slots__ = ("places",)

    def __init__(self, notes: Notes, places: Places) -> None:
        super().__init__(notes.where, notes.row_word, notes.first_row, notes.found)
        self.places = places

    def row(self, index: int) -> str:
        """Name a row by its place in the file."""
        return super().row(int(self.places[index]))


def card_column(
    places: Places, names: list[object], broken: int, rows: int, notes: Notes
) -> pd.Series[Any]:
    """Return what :func:`card_licences` found as a column of the schema, of `rows` rows."""
    if broken:
        notes.add(f"column 'cardData': {counted(broken)} with broken JSON, no licence name read")
    among = _Among(notes, places)
    found = parse_column("licence_name", names, "cardData.license_name", among)
    code = np.full(rows, -1, dtype=np.int32)
    code[places] = np.arange(len(places), dtype=np.int32)
    return (
        found.take(code).where(code >= 0).reset_index(drop=True)
        if len(found)
        else (pd.Series([None] * rows, dtype="string"))
    )


def open_hub_stats(path: Path, notes: Notes, *, synthetic: bool = False) -> pq.ParquetFile:
    """Open a table in the layout of hub-stats and see that it has what no reading can lack.

    Raises
    ------
    InputError
        No Parquet file, marked synthetic where that was not asked for, no rows, or no column of
        ids or of 30-day downloads.
    """
    file = intake.open_parquet(path, synthetic=synthetic)
    names = file.schema_arrow.names
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise notes.error(f"column {shown(twice[0])} stands in it twice")
    for name in _NEEDED:
        if HUB_NAMES[name] not in names:
            listed = ", ".join(shown(column) for column in names[:20])
            raise notes.error(f"no column {HUB_NAMES[name]!r}; the file has {listed}")
    if file.metadata.num_rows == 0:
        raise notes.error("the table has no rows")
    if intake.is_synthetic(file):
        notes.add(SYNTHETIC)
    return file


def read_columns(file: pq.ParquetFile, leaves: list[str], notes: Notes) -> pa.Table:
    """Read some columns whole, so far as the limits allow; a damaged file is an error."""
    return intake.read_parquet(file, leaves, Path(notes.where))


def read_parts(file: pq.ParquetFile, leaf: str, notes: Notes) -> Iterator[pa.ChunkedArray]:
    """Read a large column in parts, so that memory holds one part of it."""
    for group in range(file.metadata.num_row_groups):
        # Over several row groups Arrow would hold most of the column at once.
        yield from intake.parquet_parts(file, leaf, Path(notes.where), group)


def _read_hub_stats(path: Path, columns: tuple[str, ...] | None, *, synthetic: bool) -> Snapshot:
    notes = Notes(str(path))
    file = open_hub_stats(path, notes, synthetic=synthetic)
    schema = file.schema_arrow
    have = set(schema.names)
    wanted = set(columns) if columns is not None else set(KIND_COLUMNS["hub-snapshot"])
    # The rule for repeated rows needs the counters, whatever was asked for: otherwise the rows
    # kept would depend on the columns.
    plain = {
        name: source
        for name, source in HUB_NAMES.items()
        if source in have and (name in wanted or name in (*_NEEDED, *COUNTERS))
    }
    if "licence" in wanted:
        plain |= {"licence": "license"} if "license" in have else {}
        plain |= {"tags": "tags"} if "tags" in have and "license" not in have else {}
    leaves = list(plain.values())
    cards = "cardData" in have and "licence_name" in wanted
    leaves += ["cardData"] if cards else []
    safetensors = "safetensors" in have and "parameters_total" in wanted
    total_leaf = False
    if safetensors:
        shape = schema.field("safetensors").type
        total_leaf = pa.types.is_struct(shape) and shape.get_field_index("total") >= 0
        # Only the leaf: the struct of parameters by type has another shape in every dump.
        leaves += ["safetensors.total"] if total_leaf else []
    bases = "baseModels" in have and bool({"base_models", "base_relation"} & wanted)
    if bases and has_bases(schema.field("baseModels").type):
        # Without the models' internal numbers, which cost as much again as their ids.
        paths = [file.schema.column(place).path for place in range(len(file.schema))]
        leaves += [p for p in paths if p.startswith("baseModels.") and not p.endswith("._id")]
    elif bases:
        leaves.append("baseModels")
    table = read_columns(file, leaves, notes)
    out = {
        name: parse_arrow(name, table[source], source, notes, required=name in _NEEDED)
        for name, source in plain.items()
    }
    if safetensors and total_leaf:
        total = pc.struct_field(table["safetensors"], "total")
        out["parameters_total"] = parse_arrow("parameters_total", total, "safetensors.total", notes)
    elif safetensors:
        note_no_total(shape, notes)
    if bases:
        found = _bases(table["baseModels"], notes)
        if found is None:
            note_no_bases(schema.field("baseModels").type, notes)
        else:
            out["base_models"], out["base_relation"] = found
    if cards and has_cards(table["cardData"].type, notes):
        found_cards = card_licences(table["cardData"])
        out["licence_name"] = card_column(*found_cards, table.num_rows, notes)
    frame = pd.DataFrame(out, copy=False)
    del table, out
    pa.default_memory_pool().release_unused()
    if "licence" in wanted and "licence" not in frame and "tags" in frame:
        frame["licence"] = licence_of_tags(frame["tags"])
    frame = unrepeated(identify(frame, notes), ["repository_id"], notes)
    return finish(frame, "hub-snapshot", "hub-stats", notes, columns, key=["repository_id"])


def _llmfit(rows: list[dict[str, Any]], notes: Notes) -> pd.DataFrame:
    frame = rows_table(rows, _LLMFIT_NAMES, _NEEDED, notes)
    found = pd.Series([row.get("_discovered") is True for row in rows], index=frame.index)
    never = ~found & frame["downloads_30d"].eq(0).fillna(False).astype(bool)
    if "likes" in frame:
        never &= frame["likes"].fillna(0).eq(0).astype(bool)
    frame["looked_up"] = pd.Series(~never, dtype="boolean")
    if never.any():
        # google/gemma-3-12b-it stands at 0 in every version; the Hub said 2.8 million in May 2026.
        frame["downloads_30d"] = frame["downloads_30d"].mask(never)
        if "likes" in frame:
            frame["likes"] = frame["likes"].mask(never)
        notes.add(
            f"{counted(never.sum())} written by hand with 0 downloads and 0 likes that were never "
            "looked up; both set to null"
        )
    if "likes" in frame and int(found.sum()) >= 20:
        no_likes = found & frame["likes"].eq(0).fillna(False).astype(bool)
        if no_likes.sum() >= _NO_LIKES_SHARE * found.sum():
            frame["likes"] = frame["likes"].mask(no_likes)
            notes.add(
                f"{int(no_likes.sum()):,} of {int(found.sum()):,} rows found through the Hub have "
                "0 likes: likes were not read for them; set to null"
            )
    if "released_on" in frame:
        # Rows found through the Hub take the day from createdAt, rows by hand from memory.
        frame["created_at"] = frame["released_on"].where(found).dt.tz_localize("UTC")
    return _one_spelling(identify(frame, notes), found, notes)


def _one_spelling(frame: pd.DataFrame, found: pd.Series[Any], notes: Notes) -> pd.DataFrame:
    """Drop the hand-written row of a repository that also stands under the Hub's own spelling.

    The Hub takes names without regard to case: ``microsoft/phi-3-mini-4k-instruct`` and
    ``microsoft/Phi-3-mini-4k-instruct`` carry the same counter and would be counted twice.
    """
    folded = frame["repository_id"].str.casefold()
    spelt = found.reindex(frame.index)
    other = frame.assign(folded=folded)[["folded", "downloads_30d", "repository_id"]]
    twins = other[~spelt].merge(other[spelt], on=["folded", "downloads_30d"], how="inner")
    twins = twins[twins["repository_id_x"] != twins["repository_id_y"]]
    if twins.empty:
        return frame
    drop = frame["repository_id"].isin(twins["repository_id_x"]).astype(bool) & ~spelt
    notes.add(
        f"{counted(drop.sum(), 'names', 'name')} a repository a second time in other letter case "
        f"with the same counter; the Hub's spelling is kept; first: "
        f"{shown(twins['repository_id_x'].iloc[0])}"
    )
    return frame[~drop]


def _read_hub_snapshot(
    path: Path, columns: tuple[str, ...] | None, *, synthetic: bool = False
) -> Snapshot:
    if intake.first_bytes(path) in (b"PAR1", intake.ENCRYPTED):
        return _read_hub_stats(path, columns, synthetic=synthetic)
    notes = Notes(str(path))
    text = intake.decode(intake.read_bytes(path), notes.where)
    start = text.lstrip()[:1]
    if not start:
        raise notes.error("the file holds only white space; fetch it again")
    taken = None
    if start in "[{":
        content = intake.parse_json(text, notes.where)
        if isinstance(content, dict):
            if "models" not in content:
                raise notes.error(f"an object without 'models': has {sorted(content)[:8]}")
            rows = intake.object_rows(content["models"], "'models'", notes.where)
            layout, frame = "expansion", rows_table(rows, _EXPANSION_NAMES, _NEEDED, notes)
            taken = stamp(content.get("timestamp"), "timestamp", notes)
            _check_count(content, rows, notes)
        else:
            rows = intake.object_rows(content, "the file", notes.where)
            if any("hf_downloads" in row for row in rows):
                layout, frame = "llmfit", _llmfit(rows, notes)
            else:
                names = dict(HUB_NAMES) | {
                    "licence_name": "cardData.license_name",
                    "parameters_total": "safetensors.total",
                    "base_relation": "baseModels.relation",
                    "revision": "sha",
                }
                layout, frame = "hub-api", rows_table(rows, names, _NEEDED, notes)
                if "tags" in frame:
                    frame["licence"] = licence_of_tags(frame["tags"])
    else:
        notes = Notes(str(path), "record", 1)
        table = intake.parse_csv(text, notes.where)
        if "repo_id" in table:
            layout, frame = "by-author", csv_table(table, _AUTHOR_NAMES, _NEEDED, notes)
            if "licence" in frame:
                # Capitals are the source's own word for none; `unknown` is a licence on the Hub.
                frame["licence"] = frame["licence"].mask(frame["licence"] == "UNKNOWN")
        else:
            names = {name: source for name, source in HUB_NAMES.items() if name != "tags"}
            layout, frame = "hub-csv", csv_table(table, names, _NEEDED, notes)
        if not text.endswith(("\n", "\r")):
            notes.add("the last line has no end: the file may be cut off")
    frame = _without_task_words(frame)
    if "organisation" not in frame:
        frame = identify(frame, notes)
    frame = unrepeated(frame, ["repository_id"], notes)
    return finish(frame, "hub-snapshot", layout, notes, columns, key=["repository_id"], taken=taken)


def _check_count(content: Mapping[str, Any], rows: Sequence[object], notes: Notes) -> None:
    said = content.get("count")
    if isinstance(said, int) and said != len(rows):
        notes.add(f"the header says {said:,} rows, there are {len(rows):,}")


# ------------------------------------------------------------------------------ short rankings


def _read_lists(
    path: Path,
    columns: tuple[str, ...] | None,
    *,
    kind: str,
    lists: Mapping[str, str],
    names: Mapping[str, str],
    stamp_key: str,
) -> Snapshot:
    """Read a JSON object of rankings; the first of `lists` must be there."""
    notes = Notes(str(path))
    if columns is not None:
        wanted = {*columns, *_NEEDED, *COUNTERS}
        names = {name: source for name, source in names.items() if name in wanted}
    content = intake.parse_json(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    if not isinstance(content, dict):
        raise notes.error(f"{type(content).__name__} at the top, expected an object")
    main = next(iter(lists))
    if main not in content:
        raise notes.error(f"no list {main!r}; the file has {sorted(content)[:8]}")
    parts = []
    for source, label in lists.items():
        if source != main and not content.get(source):
            continue
        rows = intake.object_rows(content[source], f"list {source!r}", notes.where)
        part = rows_table(rows, names, _NEEDED, notes)
        part["list"] = label
        part["rank"] = range(1, len(part) + 1)
        parts.append(part)
        counters = part["downloads_30d"].dropna()
        if label == "downloads" and not counters.is_monotonic_decreasing:
            notes.add("the ranking by downloads is not in falling order")
    _check_count(content, content[main], notes)
    frame = identify(_without_task_words(pd.concat(parts, ignore_index=True)), notes)
    frame = unrepeated(frame, ["list", "repository_id"], notes)
    return finish(
        frame,
        kind,
        kind.removeprefix("hub-"),
        notes,
        columns,
        key=["list", "repository_id"],
        taken=stamp(content.get(stamp_key), stamp_key, notes),
    )


_LIST_NAMES: Final = {
    "repository_id": "id",
    "downloads_30d": "downloads",
    "likes": "likes",
    "tags": "tags",
}


def _read_top30(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    return _read_lists(
        path,
        columns,
        kind="hub-top30",
        lists={"models": "downloads", "smallModels": "small"},
        names=_LIST_NAMES | {"pipeline_tag": "pipelineTag", "last_modified": "lastModified"},
        stamp_key="updated",
    )


def _read_top25(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    return _read_lists(
        path,
        columns,
        kind="hub-top25",
        lists={"downloads": "downloads", "likes": "likes", "trending": "trending"},
        names=_LIST_NAMES | {"repository_id": "name", "pipeline_tag": "task"},
        stamp_key="lastUpdated",
    )


def _read_top15(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    # The file also ranks spaces and datasets: other things than models, left out.
    return _read_lists(
        path,
        columns,
        kind="hub-top15",
        lists={
            "top_models_by_downloads": "downloads",
            "top_models_by_likes": "likes",
            "recent_models_24h": "recent",
        },
        names=_LIST_NAMES
        | {
            "pipeline_tag": "pipeline",
            "created_at": "createdAt",
            "last_modified": "lastModified",
        },
        stamp_key="scraped_at",
    )


def _read_trending(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    return _read_lists(
        path,
        columns,
        kind="hub-trending",
        lists={"models": "trending"},
        names=_LIST_NAMES
        | {
            "pipeline_tag": "pipelineTag",
            "library_name": "libraryName",
            "trending_score": "trendingScore",
            "created_at": "createdAt",
            "last_modified": "lastModified",
        },
        stamp_key="fetchedAt",
    )


# ------------------------------------------------------------- panel, lists, metadata, groups

_PANEL_NAMES: Final = {
    "day": "time",
    "repository_id": "model",
    "author": "author",
    "country": "org_country_single",
    "country_group": "merged_country_groups_single",
    "derived_organisation": "derived_author",
    "derived_country": "derived_org_country_single",
    "derived_country_group": "merged_derived_country_groups_single",
    "downloads_all_time": "downloadsAllTime",
    "created_at": "created",
}


def _read_panel(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "row", 2)
    table = intake.parse_spreadsheet(path, list(_PANEL_NAMES.values()))
    needed = ("day", "repository_id", "downloads_all_time")
    frame = table_of(table.get, _PANEL_NAMES, needed, table, notes)
    undated = frame["day"].isna()
    if undated.any():
        notes.add(f"{counted(undated.sum())} without a day dropped")
        frame = frame[~undated]
    frame = identify(frame, notes)
    frame = unrepeated(frame, ["day", "repository_id"], notes)
    key = ["day", "repository_id"]
    return finish(frame, "hub-panel", "rolling-panel", notes, columns, key=key)


def _read_tracked(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "record", 1)
    text = intake.decode(intake.read_bytes(path), notes.where)
    table = intake.parse_csv(text, notes.where)
    names = {"repository_id": "modelId", "model": "model"}
    given = table.get("org")
    frame = csv_table(table, names, ("repository_id",), notes)
    if given is not None:
        listed = parse_column("organisation", given, "org", notes)
        frame = identify(frame, notes)
        other = (listed.reindex(frame.index) != frame["organisation"]).fillna(False).astype(bool)
        if other.any():
            example = shown(frame.loc[other, "repository_id"].iloc[0])
            notes.add(
                f"{counted(other.sum(), 'names', 'name')} another organisation than the id: "
                f"{example}"
            )
    else:
        frame = identify(frame, notes)
    frame = unrepeated(frame, ["repository_id"], notes)
    return finish(frame, "tracked-list", "tracked-list", notes, columns, key=["repository_id"])


_REFERENCE_LAYOUTS: Final[Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]]] = (
    MappingProxyType(
        {
            "organisation-regions": (
                {"organisation": "hf_org", "region": "region", "notes": "notes"},
                ("organisation", "region"),
            ),
            "model-parameters": (
                {
                    "repository_id": "model_id",
                    "parameters_total_b": "total_params_b",
                    "parameters_active_b": "active_params_b",
                    "is_mixture": "is_moe",
                    "notes": "notes",
                },
                ("repository_id", "parameters_total_b"),
            ),
            "release-date-corrections": (
                {
                    "repository_id": "model_id",
                    "created_on": "hf_created_at",
                    "released_on": "actual_release_date",
                    "notes": "notes",
                },
                ("repository_id", "released_on"),
            ),
        }
    )
)


def _read_reference(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "record", 1)
    text = intake.decode(intake.read_bytes(path), notes.where)
    table = intake.parse_csv(text, notes.where, comment="#")
    layout = next(
        (
            layout
            for layout, (names, needed) in _REFERENCE_LAYOUTS.items()
            if all(names[name] in table for name in needed)
        ),
        None,
    )
    if layout is None:
        known = "; ".join(
            ", ".join(names[name] for name in needed)
            for names, needed in _REFERENCE_LAYOUTS.values()
        )
        raise notes.error(f"columns {list(table)[:8]} are of no known list; need one of: {known}")
    names, needed = _REFERENCE_LAYOUTS[layout]
    frame = csv_table(table, names, needed, notes)
    if "repository_id" in names:
        key = ["repository_id"]
        frame = unrepeated(identify(frame, notes), key, notes)
    else:
        key = ["organisation"]
        missing = frame["organisation"].isna()
        frame = frame[~missing]
        twice = frame["organisation"].duplicated()
        if twice.any():
            example = shown(frame.loc[twice, "organisation"].iloc[0])
            notes.add(
                f"organisations that stand twice: {int(twice.sum())}; the first is kept: {example}"
            )
            frame = frame[~twice]
    return finish(frame, "reference", layout, notes, columns, key=key)


_WEEK_NAMES: Final = {
    "group": "id",
    "week_date": "week_date",
    "downloads_30d": "downloads_total",
    "downloads_30d_created": "downloads_week",
    "likes": "likes_total",
    "repositories": "repos_total",
    "models": "models_total",
}


def _read_organisation_weeks(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path))
    content = intake.parse_json(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    rows = intake.object_rows(content, "the file", notes.where)
    key = ["group", "week_date"]
    frame = rows_table(rows, _WEEK_NAMES, [*key, "downloads_30d"], notes)
    missing = frame[key].isna().any(axis=1)
    if missing.any():
        notes.add(f"{counted(missing.sum())} without group or week dropped")
        frame = frame[~missing]
    twice = frame.duplicated(key)
    if twice.any():
        notes.add(f"weeks that stand twice in a group: {int(twice.sum())}; the first is kept")
        frame = frame[~twice]
    frame = frame.sort_values(key, kind="stable")
    if "downloads_30d_created" in frame:
        running = frame.groupby("group")["downloads_30d_created"].cumsum()
        off = (running != frame["downloads_30d"]).fillna(False).astype(bool)
        if off.any():
            notes.add(
                f"totals that are not the running sum of their group's weeks: {int(off.sum())}"
            )
    return finish(frame, "organisation-weeks", "organisation-weeks", notes, columns, key=key)


# ---------------------------------------------------------------------------------- the kinds

_LIST_COLUMNS: Final = (
    "list",
    "rank",
    "repository_id",
    "organisation",
    "downloads_30d",
    "likes",
    "last_modified",
    "pipeline_tag",
    "tags",
)

#: Columns that each kind can fill; a single file may lack some of them.
KIND_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "hub-snapshot": (
            "repository_id",
            "organisation",
            *COUNTERS,
            "trending_score",
            "created_at",
            "last_modified",
            "released_on",
            "pipeline_tag",
            "library_name",
            "licence",
            "licence_name",
            "tags",
            "parameters_total",
            "base_models",
            "base_relation",
            "gated",
            "read_at",
            "revision",
            "looked_up",
        ),
        "hub-top30": _LIST_COLUMNS,
        "hub-top25": tuple(name for name in _LIST_COLUMNS if name != "last_modified"),
        "hub-top15": (*_LIST_COLUMNS, "created_at"),
        "hub-trending": (*_LIST_COLUMNS, "created_at", "library_name", "trending_score"),
        "hub-panel": (*_PANEL_NAMES, "organisation"),
        "tracked-list": ("repository_id", "organisation", "model"),
        "reference": (
            "repository_id",
            "organisation",
            "region",
            "created_on",
            "released_on",
            "parameters_total_b",
            "parameters_active_b",
            "is_mixture",
            "notes",
        ),
        "organisation-weeks": tuple(_WEEK_NAMES),
        **pulls.COLUMNS,
        **ratings.COLUMNS,
        **relations.COLUMNS,
        **scores.COLUMNS,
        **services.COLUMNS,
        **texts.COLUMNS,
        **tree.COLUMNS,
    }
)

_READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = (
    MappingProxyType(
        {
            "hub-snapshot": _read_hub_snapshot,
            "hub-top30": _read_top30,
            "hub-top25": _read_top25,
            "hub-top15": _read_top15,
            "hub-trending": _read_trending,
            "hub-panel": _read_panel,
            "tracked-list": _read_tracked,
            "reference": _read_reference,
            "organisation-weeks": _read_organisation_weeks,
            **pulls.READERS,
            **ratings.READERS,
            **relations.READERS,
            **scores.READERS,
            **services.READERS,
            **texts.READERS,
            **tree.READERS,
        }
    )
)

#: Kinds that have a reader.
KINDS: Final = tuple(_READERS)


def read(
    path: Path | str,
    kind: str,
    *,
    columns: Iterable[str] | None = None,
    synthetic: bool = False,
) -> Snapshot:
    """Read one raw file into the schema.

    Parameters
    ----------
    path : pathlib.Path or str
        The file; nothing else is touched.
    kind : str
        One of :data:`KINDS`. The layout within the kind is told from the content.
    columns : iterable of str, optional
        Canonical columns to return besides the ones that identify a row. A column that the kind
        knows and this file lacks comes back all null. Without it every column of the kind that
        the file can fill is returned.
    synthetic : bool
        Whether a file may be one that a generator made and marked so. Without it such a file is
        refused: nothing measured on it is true of the Hub.

    Returns
    -------
    Snapshot
        Frame, layout, the file's own time of reading, and the problems met.

    Raises
    ------
    InputError
        Unknown kind or column, or a file that is missing, empty, cut off, not UTF-8, of another
        shape, marked synthetic, or without one usable value in a needed column. The message
        names the file.

    Examples
    --------
    >>> from analysis.raw import fetch
    >>> from analysis.snapshot import read
    >>> read(fetch("top30-2026-02-28"), "hub-top30").frame["downloads_30d"].max()  # doctest: +SKIP
    187393215
    """
    check = check_names([kind], KINDS, "kind of source") if kind not in KINDS else (kind,)
    asked = None
    if columns is not None:
        if isinstance(columns, str):
            raise InputError(f"columns: a list of names is needed, not the text {columns!r}")
        asked = check_names(columns, KIND_COLUMNS[kind], f"kind {kind!r}")
    try:
        if synthetic and check[0] == "hub-snapshot":
            return _read_hub_snapshot(Path(path), asked, synthetic=True)
        return _READERS[check[0]](Path(path), asked)
    except RecursionError:
        # What the parser just takes, a message about it may not.
        raise InputError(f"{path}: a value in it is nested too deeply") from None
    except MemoryError:
        raise InputError(
            f"{path}: reading it needs more memory than this machine gives; close other programs, "
            "or check that it is the right file"
        ) from None
