"""From kept pages to one Parquet file in the hub-stats schema, and the manifest beside it.

Two passes over the pages: the first decides by hashes of ids which reading of a repository stays,
the second writes row groups. Nothing else of a capture is held in memory at a time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis.raw.capturing.plan import ASKED, Plan
from analysis.raw.capturing.store import (
    JOURNAL_NAME,
    PAGES_NAME,
    PLAN_NAME,
    Entry,
    State,
    fingerprint,
    on_disk,
    pages,
    replace_whole,
    standing,
)
from analysis.raw.fetching import sha256_of

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

PARQUET_NAME: Final = "models.parquet"
MANIFEST_NAME: Final = "manifest.json"

#: Rows of one row group: large enough to compress, small enough to hold.
GROUP_ROWS: Final = 20_000

SENTENCE: Final = (
    "A capture takes hours while counters move: each row holds what the Hub said at its own "
    "capturedAt, and no two rows need be of one moment."
)
RULE: Final = (
    "Of several readings of one repository the latest with a usable downloads counter is kept; "
    "where none has one, the latest. Rows stand in the order in which their kept reading came. "
    "Repositories that the Hub calls private, which it shows to the token's owner, are left out."
)
_LARGEST: Final = 2**63


def schema() -> pa.Schema:
    """Return the columns of hub-stats, and after them what a capture adds: gated, capturedAt."""
    import pyarrow as pa

    base = pa.struct([("_id", pa.string()), ("id", pa.string())])
    return pa.schema(
        [
            ("id", pa.string()),
            ("author", pa.string()),
            ("createdAt", pa.timestamp("us")),
            ("lastModified", pa.timestamp("us")),
            ("downloads", pa.int64()),
            ("downloadsAllTime", pa.int64()),
            ("likes", pa.int64()),
            ("trendingScore", pa.float64()),
            ("tags", pa.list_(pa.string())),
            ("cardData", pa.string()),
            # Types of numbers come and go: a map holds any, a struct only those of one day.
            (
                "safetensors",
                pa.struct(
                    [("parameters", pa.map_(pa.string(), pa.int64())), ("total", pa.int64())]
                ),
            ),
            ("gguf", pa.string()),
            ("baseModels", pa.struct([("relation", pa.string()), ("models", pa.list_(base))])),
            ("pipeline_tag", pa.string()),
            ("library_name", pa.string()),
            ("gated", pa.string()),
            ("capturedAt", pa.timestamp("us", tz="UTC")),
        ]
    )


def finish(folder: Path, plan: Plan, *, progress: bool = False) -> dict[str, Any]:
    """Write the Parquet file and the manifest of what was captured so far.

    The same pages give the same bytes. Both files get their names only when they are whole.

    Parameters
    ----------
    folder : pathlib.Path
        The capture.
    plan : Plan
        Its plan.
    progress : bool
        Whether to draw a bar.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    IntegrityError
        If a page is not the one that the journal names.
    InputError
        If the disk refuses.
    """
    state = standing(folder)
    journal_hash = sha256_of(folder / JOURNAL_NAME)
    manifest_path = folder / MANIFEST_NAME
    finished = _finished(manifest_path, folder, journal_hash)
    if finished is not None:
        return finished
    with on_disk(folder):
        manifest_path.unlink(missing_ok=True)
    kept, nameless, private, met = _decide(folder, plan, state, progress)
    about = _about(plan, state)
    troubles = _write(folder, kept, about, state, progress)
    names = [PLAN_NAME, JOURNAL_NAME, PARQUET_NAME]
    names += [f"{PAGES_NAME}/{path.name}" for path in sorted((folder / PAGES_NAME).glob("*.gz"))]
    manifest = about | {
        "fields": list(ASKED),
        "queries": len(plan.queries),
        "queries_done": state.query - 1,
        "listings_refused": [
            {"listing": str(plan.queries[number - 1]), "status": status}
            for number, status in state.refused
        ],
        "walks_begun_again": state.restarts,
        "runs": state.sessions,
        "pages": state.pages,
        "rows": state.rows,
        "repositories": int(kept.sum()),
        "rows_without_id": nameless,
        "private_rows": private,
        "repeated_rows": state.rows - nameless - private - int(kept.sum()),
        "rule_for_repeated_rows": RULE,
        "values_set_to_null": dict(sorted(troubles.items())),
        "tracked": len(plan.tracked),
        "tracked_not_met": [name for name, seen in zip(plan.tracked, met, strict=True) if not seen],
        "files": [
            {
                "name": name,
                "bytes": (folder / name).stat().st_size,
                "sha256": sha256_of(folder / name),
            }
            for name in names
        ],
    }
    with on_disk(folder):
        replace_whole(
            manifest_path, (json.dumps(manifest, indent=2, ensure_ascii=True) + "\n").encode()
        )
    return manifest


def _finished(path: Path, folder: Path, journal_hash: str) -> dict[str, Any] | None:
    """Return the manifest on the disk if it speaks of this very journal and Parquet file."""
    try:
        found = json.loads(path.read_bytes())
        hashes = {row["name"]: row["sha256"] for row in found["files"]}
        if hashes[JOURNAL_NAME] != journal_hash:
            return None
        if hashes[PARQUET_NAME] != sha256_of(folder / PARQUET_NAME):
            return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return dict(found)


def _about(plan: Plan, state: State) -> dict[str, Any]:
    return {
        "what": "Capture of the Hugging Face Hub's listing of models. " + SENTENCE,
        "endpoint": plan.endpoint,
        "parameters": dict(plan.parameters),
        "huggingface_hub": list(state.versions),
        "start": state.first,
        "end": state.last,
        "complete": state.query > len(plan.queries) and not state.refused,
    }


# -------------------------------------------------------------------- which reading of a row stays


def _decide(
    folder: Path, plan: Plan, state: State, progress: bool
) -> tuple[npt.NDArray[np.bool_], int, int, list[bool]]:
    """Say for each row whether it stays; count those without id and private; find the tracked."""
    # Two words of a 128-bit hash: three million ids meet by chance with odds of 1 in 10^25.
    hashes = np.zeros((state.rows, 2), dtype=np.uint64)
    usable = np.zeros(state.rows, dtype=np.bool_)
    named = np.zeros(state.rows, dtype=np.bool_)
    place = nameless = private = 0
    for _, rows in _each_page(folder, state, "which rows", progress):
        digests = bytearray()
        for row in rows:
            name = _text(row.get("id"))
            hidden = row.get("private") is True
            nameless += name is None
            private += hidden and name is not None
            named[place] = name is not None and not hidden
            count = _count(row.get("downloads"))
            usable[place] = count is not None and count >= 0
            digests += fingerprint("" if hidden else name or "")
            place += 1
        size = len(digests) // 16
        hashes[place - size : place] = np.frombuffer(digests, dtype="<u8").reshape(size, 2)
    order = np.lexsort((np.arange(state.rows), usable, hashes[:, 0], hashes[:, 1]))
    sorted_hashes = hashes[order]
    last = np.ones(state.rows, dtype=np.bool_)
    last[:-1] = (sorted_hashes[1:] != sorted_hashes[:-1]).any(axis=1)
    kept = np.zeros(state.rows, dtype=np.bool_)
    kept[order[last]] = True
    kept &= named
    met = []
    for name in plan.tracked:
        wanted = np.frombuffer(fingerprint(name), dtype="<u8")
        # The table is sorted by the second word first.
        left, right = (
            int(np.searchsorted(sorted_hashes[:, 1], wanted[1], side=side))
            for side in ("left", "right")
        )
        met.append(bool((sorted_hashes[left:right, 0] == wanted[0]).any()))
    return kept, nameless, private, met


def _each_page(
    folder: Path, state: State, what: str, progress: bool
) -> Iterator[tuple[Entry, list[dict[str, Any]]]]:
    steps: Iterable[tuple[Entry, bytes]] = pages(folder)
    if progress:
        from tqdm import tqdm

        steps = tqdm(steps, total=state.pages, desc=what, unit=" page", file=sys.stderr)
    for entry, body in steps:
        yield entry, json.loads(body)


# --------------------------------------------------------------------------------- the Parquet file


def _write(
    folder: Path, kept: npt.NDArray[np.bool_], about: dict[str, Any], state: State, progress: bool
) -> Counter[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = schema().with_metadata(
        {"open_model_record.capture": json.dumps(about, ensure_ascii=True)}
    )
    troubles: Counter[str] = Counter()
    final = folder / PARQUET_NAME
    part = final.with_name(final.name + ".part")

    def group(batch: list[pa.RecordBatch]) -> pa.Table:
        return pa.Table.from_batches(batch, schema=columns).combine_chunks()

    try:
        with on_disk(folder), part.open("wb") as stream:
            with pq.ParquetWriter(stream, columns, compression="zstd") as writer:
                place = waiting = 0
                batches: list[pa.RecordBatch] = []
                for entry, rows in _each_page(folder, state, "models.parquet", progress):
                    mask = kept[place : place + len(rows)]
                    place += len(rows)
                    staying = [row for row, stays in zip(rows, mask, strict=True) if stays]
                    if staying:
                        batches.append(_batch(staying, entry, columns, troubles))
                        waiting += len(staying)
                    if waiting >= GROUP_ROWS:
                        writer.write_table(group(batches), row_group_size=GROUP_ROWS * 2)
                        batches, waiting = [], 0
                if waiting or not kept.any():
                    writer.write_table(group(batches), row_group_size=GROUP_ROWS * 2)
            stream.flush()
            os.fsync(stream.fileno())
        with on_disk(folder):
            os.replace(part, final)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return troubles


def _batch(
    rows: list[dict[str, Any]], entry: Entry, columns: pa.Schema, troubles: Counter[str]
) -> pa.RecordBatch:
    """Turn the rows of one page into Arrow; what a type cannot hold becomes null and is counted."""
    import pyarrow as pa

    captured = dt.datetime.fromisoformat(entry.date)
    arrays = []
    for field in columns:
        if field.name == "capturedAt":
            arrays.append(pa.array([captured] * len(rows), field.type))
            continue
        parse = _PARSERS[field.name]
        values = []
        for row in rows:
            given = row.get(field.name)
            value = None if given is None else parse(given)
            if given is not None and value is None:
                troubles[field.name] += 1
            values.append(value)
        arrays.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=columns)


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair: no text
        return None
    return value


def _count(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -_LARGEST <= value < _LARGEST:
        return None
    return value


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _instant(value: object) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        read = dt.datetime.fromisoformat(value)
        return read if read.tzinfo is None else read.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _texts(value: object) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return [text for part in value if (text := _text(part)) is not None]


def _json(value: object) -> str | None:
    if isinstance(value, str):
        return _text(value)
    try:
        return json.dumps(value)  # the very text that hub-stats has
    except (ValueError, RecursionError):
        return None


def _safetensors(value: object) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    given = value.get("parameters")
    parameters = None
    if isinstance(given, dict):
        parameters = [
            (name, count)
            for name, number in given.items()
            if _text(name) is not None and (count := _count(number)) is not None
        ]
    return {"parameters": parameters, "total": _count(value.get("total"))}


def _bases(value: object) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    given = value.get("models")
    models = None
    if isinstance(given, list):
        models = [
            {"_id": _text(model.get("_id")), "id": _text(model.get("id"))}
            for model in given
            if isinstance(model, dict)
        ]
    return {"relation": _text(value.get("relation")), "models": models}


def _gated(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value)


_PARSERS: Final = {
    "id": _text,
    "author": _text,
    "createdAt": _instant,
    "lastModified": _instant,
    "downloads": _count,
    "downloadsAllTime": _count,
    "likes": _count,
    "trendingScore": _number,
    "tags": _texts,
    "cardData": _json,
    "safetensors": _safetensors,
    "gguf": _json,
    "baseModels": _bases,
    "pipeline_tag": _text,
    "library_name": _text,
    "gated": _gated,
}
