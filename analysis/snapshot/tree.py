"""Reader of a whole commit with one JSON file a repository of the Hub.

The archive is read as a stream and never unpacked to disk. Its bytes may be anybody's: names that
leave the commit, links, and sizes that only an attack has are refused before anything is read.
"""

from __future__ import annotations

import gzip
import json
import tarfile
import zlib
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analysis.snapshot import intake
from analysis.snapshot.relations import RELATIONS
from analysis.snapshot.schema import FIELDS
from analysis.snapshot.shaping import COUNTERS, Snapshot, finish, identify, rows_table, unrepeated
from analysis.snapshot.values import Notes, counted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "repository_id": "id",
        "downloads_30d": "downloads_30d",
        "likes": "likes",
        "trending_score": "trending_score",
        "created_at": "created_at",
        "last_modified": "updated_at",
        "pipeline_tag": "pipeline_tag",
        "library_name": "library",
        "licence": "license",
        "tags": "tags",
        "languages": "languages",
        "parameters_total": "parameters",
        "storage_bytes": "storage_bytes",
        "gated": "gated",
        "removed": "removed",
    }
)
_NEEDED: Final = ("repository_id", "created_at")

#: Limits far above the registered archive (16 thousand repositories, 90 MB unpacked).
MOST_MEMBERS: Final = 2_000_000
MOST_BYTES_A_FILE: Final = 4_000_000
MOST_BYTES: Final = 8_000_000_000

_TAG: Final = "base_model:"


def declared_in_tags(tags: object) -> tuple[dict[str, str | None], int]:
    """Read the declared bases out of a repository's tags.

    The Hub writes a base twice, as ``base_model:ID`` and as ``base_model:RELATION:ID``; older
    tags have the first alone.

    Parameters
    ----------
    tags : object
        The list of tags; anything that is no list gives nothing.

    Returns
    -------
    dict
        Id of each base, in the order of the tags, to its relation (one of finetune, adapter,
        quantized, merge) or None.
    int
        How many further relations were stated to a base that already has one.
    """
    found: dict[str, str | None] = {}
    further = 0
    for tag in tags if isinstance(tags, list) else ():
        if not isinstance(tag, str) or not tag.startswith(_TAG):
            continue
        text = tag[len(_TAG) :]
        word, colon, rest = text.partition(":")
        relation = RELATIONS.get(word) if colon else None
        base = rest if relation is not None else text
        if not base:
            continue
        known = found.setdefault(base, relation)
        if relation is not None and known is None:
            found[base] = relation
        elif relation is not None and known != relation:
            further += 1
    return found, further


def _documents(path: Path, notes: Notes) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects under ``data/``, in the order of the archive."""
    total = 0
    broken: list[str] = []
    try:
        with gzip.open(path) as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as archive:
            for count, member in enumerate(archive, start=1):
                parts = PurePosixPath(member.name).parts
                if ".." in parts or member.name.startswith("/"):
                    raise notes.error(f"{shown(member.name)} is not a name inside a commit")
                total += member.size
                if count > MOST_MEMBERS or total > MOST_BYTES:
                    raise notes.error("unpacks to more than a commit here may hold")
                # Everything lies in one top folder; a link or a folder has no content to read.
                if len(parts) < 3 or parts[1] != "data" or not member.name.endswith(".json"):
                    continue
                if not member.isreg():
                    continue
                if member.size > MOST_BYTES_A_FILE:
                    raise notes.error(
                        f"{shown(member.name)} has {member.size:,} bytes, more than a repository's "
                        f"file may have ({MOST_BYTES_A_FILE:,})"
                    )
                stream = archive.extractfile(member)
                content = b"" if stream is None else stream.read()
                try:
                    document = json.loads(content)
                except (ValueError, RecursionError):
                    document = None
                if isinstance(document, dict):
                    yield document
                else:
                    broken.append(member.name)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise notes.error(f"not a whole .tar.gz archive: {reason}; fetch it again") from error
    if broken:
        notes.add(
            f"{len(broken):,} files under data/ hold no JSON object and are left out; "
            f"first: {shown(sorted(broken)[0])}"
        )


def _texts(values: list[Any]) -> pd.Series[Any]:
    """Keep the texts of each list; what is no list is null."""
    kept = [[v for v in row if isinstance(v, str)] if isinstance(row, list) else None
            for row in values]  # fmt: skip
    return pd.Series(kept, dtype=FIELDS["tags"].pandas_dtype)


def _bases(rows: list[dict[str, Any]], notes: Notes) -> pd.DataFrame:
    """Read bases and relation from the tags; the card's text where the Hub gives no tag."""
    bases: list[list[str] | None] = []
    relations: list[str | None] = []
    texts: list[str | None] = []
    further = 0
    for row in rows:
        found, more = declared_in_tags(row.get("tags"))
        further += more
        text = row.get("base_model")
        words = {relation for relation in found.values() if relation is not None}
        bases.append(list(found) or None)
        relations.append(next(iter(words)) if len(words) == 1 else None)
        texts.append(text.strip() or None if not found and isinstance(text, str) else None)
    alone = sum(text is not None for text in texts)
    if alone:
        notes.add(
            f"{counted(alone)} with a base in the card for which the Hub gives no tag: not among "
            "the declared bases, kept as text"
        )
    if further:
        notes.add(f"relations stated beside another one to the same base, left out: {further:,}")
    return pd.DataFrame(
        {
            "base_models": pd.Series(bases, dtype=FIELDS["base_models"].pandas_dtype),
            "base_relation": pd.Series(relations, dtype="string"),
            "base_text": pd.Series(texts, dtype="string"),
        }
    )


def _read_tree(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    if intake.first_bytes(path, 2) != b"\x1f\x8b":
        raise Notes(str(path)).error("not a .tar.gz archive; fetch it again")
    notes = Notes(str(path), "repository", 1)
    rows = [
        row for row in _documents(path, notes) if isinstance(row.get("id"), str) and row.get("id")
    ]
    if not rows:
        raise notes.error(
            "no file data/<author>/<model>.json with an id: is this the archive of a commit?"
        )
    # Whatever order the archive has.
    rows.sort(key=lambda row: (row["id"], json.dumps(row, sort_keys=True)))
    lists = {"tags", "languages"}
    plain = {name: source for name, source in _NAMES.items() if name not in lists}
    frame = rows_table(rows, plain, _NEEDED, notes)
    for name in sorted(lists):
        frame[name] = _texts([row.get(_NAMES[name]) for row in rows]).set_axis(frame.index)
    frame = frame.join(_bases(rows, notes))
    frame = unrepeated(identify(frame, notes), ["repository_id"], notes)
    return finish(frame, "hub-tree", "one-file-a-repository", notes, columns, key=["repository_id"])


#: Columns that the kind of this module can fill.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "hub-tree": (
            "repository_id",
            "organisation",
            *(name for name in COUNTERS if name != "downloads_all_time"),
            *(name for name in _NAMES if name not in ("repository_id", *COUNTERS)),
            "base_models",
            "base_relation",
            "base_text",
        )
    }
)

#: Readers of this module by kind.
READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = MappingProxyType(
    {"hub-tree": _read_tree}
)
