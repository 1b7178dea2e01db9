"""Reader of a whole commit with one JSON file a repository of the Hub.

The archive is read as a stream and never unpacked to disk. Its bytes may be anybody's: names that
leave the commit, links, and sizes that only an attack has are refused before anything is read.
"""

from __future__ import annotations

import gzip
import json
import tarfile
import zlib
from collections import Counter
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, Final, cast

import pandas as pd

from analysis.snapshot import intake, limits
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

#: Headers before a member (long names, a pax record), which tarfile holds in memory whole.
MOST_BYTES_OF_HEADERS: Final = 1_000_000

#: Reads at the end of the file, where nothing comes any more.
_MOST_EMPTY: Final = 100

#: Fields whose values are lists of texts.
_LISTS: Final = ("tags", "languages")
#: All that is kept of a repository's file; cards and descriptions can be long.
_KEPT: Final = (*_NAMES.values(), "base_model")

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


class _Metered:
    """A stream that gives no more than is due before the next member is known."""

    def __init__(self, inner: gzip.GzipFile, notes: Notes) -> None:
        self._inner, self._notes, self._empty = inner, notes, 0
        self.allow(0)

    def allow(self, size: int) -> None:
        """Let a member of `size` bytes pass, and the headers of the one after it."""
        self._left = size + 2 * tarfile.RECORDSIZE + MOST_BYTES_OF_HEADERS

    def read(self, size: int) -> bytes:
        content = self._inner.read(size)
        self._left -= len(content)
        self._empty += not content
        if self._empty > _MOST_EMPTY:
            # tarfile walks to the end that a sparse member tells, past that of the file.
            raise EOFError("it ends within a member")
        if self._left < 0:
            raise self._notes.error("a header in it is larger than any name may be")
        return content


def _members(path: Path, notes: Notes) -> Iterator[tuple[str, bytes | None]]:
    """Yield name and content of the JSON files under ``data/``; no content for a link.

    Anything that tarfile raises becomes one error: it parses some headers unguarded.
    """
    total = 0
    try:
        with gzip.open(path) as unzipped:
            metered = _Metered(unzipped, notes)
            with tarfile.open(fileobj=cast("IO[bytes]", metered), mode="r|") as archive:
                for count, member in enumerate(archive, start=1):
                    parts = PurePosixPath(member.name).parts
                    if ".." in parts or member.name.startswith("/"):
                        raise notes.error(f"{shown(member.name)} is not a name inside a commit")
                    total += max(member.size, 0)
                    limits.MEMBERS.check(count, notes.where)
                    limits.ARCHIVE.check(total, notes.where)
                    metered.allow(member.size)
                    # Everything lies in one top folder.
                    if len(parts) < 3 or parts[1] != "data" or not member.name.endswith(".json"):
                        continue
                    if not member.isreg() or member.issparse():
                        if not member.isdir():
                            yield member.name, None
                        continue
                    limits.MEMBER.check(member.size, f"{notes.where}: {shown(member.name)}")
                    stream = archive.extractfile(member)
                    yield member.name, b"" if stream is None else stream.read()
    except (
        *(tarfile.TarError, zlib.error, EOFError, OSError),
        *(ValueError, LookupError, ArithmeticError),
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise notes.error(f"not a whole .tar.gz archive: {reason}; fetch it again") from error


def _writable(text: object) -> bool:
    """Whether a value is text that can be written: JSON can hold half a character."""
    if not isinstance(text, str):
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _rows(path: Path, notes: Notes) -> list[dict[str, Any]]:
    """Read what is kept of each repository, in the order of ids."""
    rows: list[dict[str, Any]] = []
    broken: list[str] = []
    links = nameless = odd = 0
    for name, content in _members(path, notes):
        if content is None:
            links += 1
            continue
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            broken.append(name)
            continue
        row = {key: document[key] for key in _KEPT if key in document}
        if not _writable(row.get("id")) or not row["id"]:
            nameless += 1
            continue
        for key in _LISTS:
            if isinstance(row.get(key), list):
                values = row[key]
                row[key] = [value for value in values if _writable(value)]
                odd += len(values) - len(row[key])
        rows.append(row)
    if not rows:
        raise notes.error(
            "no file data/<author>/<model>.json with an id: is this the archive of a commit?"
        )
    if broken:
        notes.add(
            f"{len(broken):,} files under data/ hold no JSON object and are left out; "
            f"first: {shown(sorted(broken)[0])}"
        )
    if links:
        notes.add(f"links under data/ that are not followed: {links:,}")
    if nameless:
        notes.add(f"{counted(nameless)} without a repository id dropped")
    if odd:
        notes.add(f"tags and languages that are no text, left out: {odd:,}")
    # Whatever order the archive has; the content decides between two of one id.
    times = Counter(row["id"] for row in rows)
    rows.sort(
        key=lambda row: (
            row["id"],
            json.dumps(row, sort_keys=True) if times[row["id"]] > 1 else "",
        )
    )
    return rows


def _texts(values: list[Any]) -> pd.Series[Any]:
    """Return lists of texts; what is no list is null."""
    kept = [row if isinstance(row, list) else None for row in values]
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
        texts.append(str(text).strip() or None if not found and _writable(text) else None)
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
    rows = _rows(path, notes)
    plain = {name: source for name, source in _NAMES.items() if name not in _LISTS}
    frame = rows_table(rows, plain, _NEEDED, notes)
    for name in _LISTS:
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
