r"""The git tree id of a commit's archive, computed without unpacking it to disk.

Hosts may recompress an archive at any time, so its own hash proves nothing. The
git tree id depends on names, modes and contents alone: a blob is hashed as
``blob <length>\0<content>``, a tree as its sorted entries ``<mode> <name>\0<id>``
(`gitformat`, Pro Git, chapter "Git Objects").
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from analysis.errors import IntegrityError

# Far above any registered archive; they stop a hostile one before it fills the memory.
MOST_MEMBERS = 200_000
MOST_BYTES_A_MEMBER = 256 * 1024 * 1024
MOST_BYTES = 4 * 1024 * 1024 * 1024

_CHUNK = 1 << 20

Entries = Mapping[str, tuple[str, bytes]]


class _Unzipped(gzip.GzipFile):
    """A stream that reads nothing larger than a member at once: tarfile reads headers whole."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > max(MOST_BYTES_A_MEMBER, tarfile.RECORDSIZE):
            raise tarfile.ReadError("a header in it is larger than any name may be")
        return super().read(size)


def blob_id(content: bytes) -> bytes:
    """Return the 20-byte id that git gives a file's content."""
    return _object_id(b"blob", content)


def tree_id(entries: Entries) -> str:
    """Compute the git tree id of a set of files.

    Parameters
    ----------
    entries : mapping of str to (str, bytes)
        For each path, with ``/`` between folders, its git mode (``100644``,
        ``100755``, ``120000`` or ``160000``) and its 20-byte object id.

    Returns
    -------
    str
        40 hexadecimal digits, as ``git rev-parse <commit>^{tree}`` prints them.
    """
    root: dict[str, object] = {}
    for path, entry in entries.items():
        *folders, name = path.split("/")
        folder = root
        for part in folders:
            inner = folder.setdefault(part, {})
            if not isinstance(inner, dict):
                raise IntegrityError(f"{path}: {part} is both a file and a folder")
            folder = inner
        if name in folder:
            raise IntegrityError(f"{path}: stands in the archive twice")
        folder[name] = entry
    return _tree(root).hex()


def archive_tree_id(path: Path) -> str:
    """Compute the git tree id of a gzipped tar archive of one commit.

    Parameters
    ----------
    path : pathlib.Path
        The archive; all its members lie in one top folder, which is dropped.

    Returns
    -------
    str
        40 hexadecimal digits.

    Raises
    ------
    IntegrityError
        If the file is no such archive, is cut short, is larger than the limits
        of this module, or holds an absolute name, a name with ``..``, a device
        or a hard link.
    """
    entries: dict[str, tuple[str, bytes]] = {}
    top: str | None = None
    total = 0
    try:
        with _Unzipped(path) as unzipped, tarfile.open(fileobj=unzipped, mode="r:") as archive:
            for count, member in enumerate(archive, start=1):
                total += member.size
                if count > MOST_MEMBERS or member.size > MOST_BYTES_A_MEMBER or total > MOST_BYTES:
                    raise IntegrityError(f"{path}: unpacks to more than an archive here may hold")
                parts = member.name.split("/")
                if not parts[0] or any(part in {"", ".", "..", ".git"} for part in parts):
                    raise IntegrityError(f"{path}: {member.name!r} is not a name inside a commit")
                if top is None:
                    top = parts[0]
                if parts[0] != top:
                    raise IntegrityError(f"{path}: more than one top folder: {top}, {parts[0]}")
                if member.isdir():
                    continue
                if len(parts) < 2:
                    raise IntegrityError(f"{path}: {member.name!r} lies outside the top folder")
                inner = "/".join(parts[1:])
                if inner in entries:
                    raise IntegrityError(f"{path}: {inner!r} stands in the archive twice")
                if member.issym():
                    entries[inner] = ("120000", blob_id(_raw(member.linkname)))
                    continue
                stream = archive.extractfile(member) if member.isreg() else None
                if stream is None:
                    raise IntegrityError(f"{path}: {member.name!r} is no file, folder or link")
                mode = "100755" if member.mode & 0o100 else "100644"
                entries[inner] = (mode, blob_id(stream.read()))
            # What follows the end mark is read too: only padding may stand there, and the
            # checksum of the compressed stream comes last.
            unzipped.seek(archive.offset)
            while chunk := unzipped.read(_CHUNK):
                if chunk.count(0) != len(chunk):
                    raise IntegrityError(f"{path}: holds data after the end of the archive")
    except (
        # tarfile parses some headers unguarded.
        *(tarfile.TarError, zlib.error, EOFError, OSError),
        *(ValueError, LookupError, ArithmeticError),
    ) as error:
        raise IntegrityError(f"{path}: not a whole .tar.gz archive: {error}") from None
    if not entries:
        raise IntegrityError(f"{path}: an archive without a file")
    return tree_id(entries)


def _object_id(kind: bytes, content: bytes) -> bytes:
    header = kind + b" " + str(len(content)).encode() + b"\0"
    return hashlib.sha1(header + content, usedforsecurity=False).digest()


def _raw(name: str) -> bytes:
    """Undo tarfile's decoding: git hashes the bytes of a name, whatever their encoding."""
    return name.encode("utf-8", "surrogateescape")


def _tree(folder: Mapping[str, object]) -> bytes:
    rows: list[tuple[bytes, bytes]] = []
    for name, entry in folder.items():
        raw = _raw(name)
        if isinstance(entry, dict):
            # git sorts a folder as if its name ended in a slash.
            rows.append((raw + b"/", b"40000 " + raw + b"\0" + _tree(entry)))
        elif isinstance(entry, tuple):
            mode, object_id = entry
            rows.append((raw, mode.encode() + b" " + raw + b"\0" + object_id))
    return _object_id(b"tree", b"".join(row for _, row in sorted(rows)))
