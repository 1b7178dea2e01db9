"""Fetching raw files: from the cache, a mirror folder or their public address.

Whatever the way, bytes get their final name only after their hash was checked. That is one rename
within a folder, so that a kill leaves the whole file, or a part that the next fetch goes on with.
(pooch, which names the cache folder, has no part in this: it starts each download anew, and a kill
would leave a file under a random name that nobody finds again.)
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from analysis.errors import InputError, IntegrityError, RecordError, UnavailableError
from analysis.raw.downloading import ARCHIVE_SLACK, CHUNK, Download, Patience, is_html, part_of
from analysis.raw.gittree import archive_tree_id
from analysis.raw.hub import at_endpoint, refuse_offline
from analysis.raw.places import CACHE_VARIABLE, MIRROR_VARIABLE, cache_dir, mirror_dir
from analysis.raw.registry import Registry, Source, Version, load_registry


@dataclass(frozen=True)
class Fetcher:
    """Fetches and verifies raw files.

    Attributes
    ----------
    registry : Registry
        Where files are and what their hashes must be.
    cache : pathlib.Path
        Folder that keeps fetched files, each under the path of its address.
    mirror : pathlib.Path or None
        Folder to copy from instead of downloading.
    patience : Patience
        Limits of a download.
    progress : bool
        Whether to draw a progress bar.
    address : callable, optional
        Rewrites a version's public address before it is asked for, for instance
        to a proxy; tests point it at a local server.
    """

    registry: Registry
    cache: Path
    mirror: Path | None = None
    patience: Patience = field(default_factory=Patience)
    progress: bool = False
    address: Callable[[str], str] = str

    def path_of(self, version: Version) -> Path:
        """Return where the cache keeps a version, fetched or not."""
        return self.cache / _below_host(version.url)

    def mirrored(self, version: Version) -> Path | None:
        """Return the mirror's copy of a version, or None where there is none.

        Raises
        ------
        InputError
            If the copy is a link that leads out of the mirror.
        """
        if self.mirror is None:
            return None
        root = self.mirror.resolve()
        raw = _below_host(version.url)
        for relative in (Path(unquote(raw.as_posix())), raw):
            candidate = self.mirror / relative
            if candidate.is_file():
                if not candidate.resolve().is_relative_to(root):
                    raise InputError(f"{candidate}: leads out of the mirror folder {self.mirror}")
                return candidate
        return None

    def fetch(self, name: str) -> Path:
        """Return the path of a raw file whose hash was checked just now.

        Parameters
        ----------
        name : str
            A version's name.

        Returns
        -------
        pathlib.Path
            The file in the cache. For a whole commit, its ``.tar.gz`` archive.

        Raises
        ------
        InputError
            If no version has this name, or the cache cannot be written.
        UnavailableError
            If the source is withdrawn or has nothing pinned, or the file cannot
            be had from the mirror or the network.
        IntegrityError
            If what came is not what the registry names.
        """
        _explain_unfetchable(self.registry, name)
        source, version = self.registry.find(name)
        final = self.path_of(version)
        with _one_line_for_disk(final):
            if not self._holds(final, source, version):
                final.parent.mkdir(parents=True, exist_ok=True)
                with part_of(final, version) as part:
                    # Another process may have finished it while this one waited.
                    if not self._holds(final, source, version):
                        self._bring(part, source, version)
                        os.replace(part, final)
            _remember(final, version)
        return final

    def _bring(self, part: Path, source: Source, version: Version) -> None:
        """Fill `part` with the verified bytes, from the mirror or the address."""
        if self.mirror is None:
            if source.host == "huggingface-dataset":
                refuse_offline(version.name)
            url = self.address(version.url)
            download = Download(url, part, source, version, self.patience, self.progress)
            download.run(lambda: check(part, source, version, shown=url))
            return
        try:
            self._copy(part, version)
            check(part, source, version, shown=str(self.mirrored(version)))
        except BaseException:
            part.write_bytes(b"")  # a copy is quickly made again
            raise

    def _holds(self, final: Path, source: Source, version: Version) -> bool:
        """Tell whether the cache has the right file; a wrong one is set aside."""
        if not final.is_file():
            if os.path.lexists(final):
                raise InputError(f"{final}: no regular file lies there in the cache; remove it")
            return False
        try:
            check(final, source, version, quick=True)
        except IntegrityError:
            # Kept for a look, under a name that no fetch returns.
            with contextlib.suppress(FileNotFoundError):
                os.replace(final, final.with_name(final.name + ".wrong"))
            return False
        return True

    def _copy(self, target: Path, version: Version) -> None:
        found = self.mirrored(version)
        if found is None:
            raise UnavailableError(
                f"{version.name}: not in the mirror {self.mirror}: expected "
                f"{_below_host(version.url)} there; unset {MIRROR_VARIABLE} to fetch it from "
                f"{version.url}"
            )
        limit = version.bytes if version.sha256 else version.bytes * ARCHIVE_SLACK
        with found.open("rb") as origin, target.open("wb") as copy:
            # What is longer cannot have the hash any more.
            while copy.tell() <= limit and (chunk := origin.read(CHUNK)):
                copy.write(chunk)


def fetch(name: str, *, registry: Registry | None = None, progress: bool | None = None) -> Path:
    """Return the path of a raw file, fetched if need be and verified in any case.

    Parameters
    ----------
    name : str
        A version's name, for instance ``"hub-stats-2026-05"``.
    registry : Registry, optional
        The project's by default.
    progress : bool, optional
        Whether to draw a progress bar; by default when errors go to a terminal.

    Returns
    -------
    pathlib.Path
        The file in the cache folder (``OMR_CACHE``, else the user's). With
        ``OMR_MIRROR`` it is copied from that folder and checked all the same.

    Raises
    ------
    InputError, UnavailableError, IntegrityError
        See :meth:`Fetcher.fetch`.

    Examples
    --------
    >>> from analysis import raw
    >>> raw.fetch("top30-2026-02-28").name  # doctest: +SKIP
    'huggingface.json'
    """
    return fetcher(registry=registry, progress=progress).fetch(name)


def fetcher(*, registry: Registry | None = None, progress: bool | None = None) -> Fetcher:
    """Return the fetcher that the environment asks for (cache, mirror, patience, Hub).

    Where ``HF_ENDPOINT`` is set, files of Hub data sets are asked for there instead of at
    https://huggingface.co; their place in the cache stays that of the public address. The token
    that huggingface_hub knows goes to that address only, not to where it redirects.
    """
    return Fetcher(
        registry=load_registry() if registry is None else registry,
        cache=cache_dir(),
        mirror=mirror_dir(),
        patience=Patience.from_environment(),
        address=at_endpoint,
        progress=sys.stderr.isatty() if progress is None else progress,
    )


def check(
    path: Path, source: Source, version: Version, *, shown: str = "", quick: bool = False
) -> None:
    """Compare a file with what the registry says of it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    source, version : Source, Version
        What it should be.
    shown : str, optional
        How the message names the file, where its own name would say nothing.
    quick : bool
        For a whole commit: trust a note beside the file that ties the archive's
        own hash to the git tree id computed when it came.

    Raises
    ------
    IntegrityError
        If hash or tree id differ; the message gives the file, what was expected,
        what came, its size, and whether it looks like a web page.
    """
    named = shown or str(path)
    size = path.stat().st_size
    if version.sha256 is not None:
        wanted, got = version.sha256, sha256_of(path)
        what = "sha256"
    else:
        wanted, what = version.git_tree or "", "git tree"
        if quick and _remembered(path, wanted):
            return
        try:
            got = archive_tree_id(path)
        except IntegrityError as error:
            page = "an HTML page came instead of data; " if is_html(path) else ""
            raise IntegrityError(
                f"{version.name}: {page}{named} ({size} bytes) cannot be verified against "
                f"{what} {wanted}: {str(error).removeprefix(f'{path}: ')}"
            ) from None
    if got == wanted:
        return
    page = "an HTML page came instead of data; " if is_html(path) else ""
    raise IntegrityError(
        f"{version.name}: {page}{named} is not the registered file: expected {what} {wanted} "
        f"({version.bytes} bytes), got {got} ({size} bytes); nothing was kept under its name"
    )


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _explain_unfetchable(registry: Registry, name: str) -> None:
    """Say why, where a source's id is given of which no version can be fetched."""
    for source in registry.sources:
        if source.id == name and not source.versions:
            raise UnavailableError(f"{name}: {source.state}, nothing to fetch: {source.state_note}")
        if source.id == name and all(version.name != name for version in source.versions):
            names = [version.name for version in source.versions]
            shown = ", ".join(names[:3]) + (f" … {names[-1]}" if len(names) > 3 else "")
            raise InputError(f"{name} is a source; fetch one of its versions: {shown}")


def _below_host(url: str) -> Path:
    parts = urlsplit(url)
    return Path(parts.netloc, *parts.path.strip("/").split("/"))


def _note_of(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def _remember(path: Path, version: Version) -> None:
    """Tie an archive's own hash to its tree id: unpacking it anew takes seconds."""
    if version.git_tree is None or _remembered(path, version.git_tree):
        return
    note = _note_of(path)
    temporary = note.with_name(f"{note.name}.{os.getpid()}")
    with contextlib.suppress(OSError):  # a cache that cannot be written is only slower
        temporary.write_text(f"{sha256_of(path)} {version.git_tree}\n", encoding="ascii")
        os.replace(temporary, note)


def _remembered(path: Path, git_tree: str) -> bool:
    try:
        return _note_of(path).read_text("ascii").split() == [sha256_of(path), git_tree]
    except (OSError, UnicodeError):
        return False


@contextlib.contextmanager
def _one_line_for_disk(final: Path) -> Iterator[None]:
    """Turn what a disk refuses (full, read-only, a file in the way) into one line."""
    try:
        yield
    except RecordError:
        raise
    except OSError as error:
        why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise InputError(
            f"{final.parent}: cannot be written: {why}; name another cache folder in "
            f"{CACHE_VARIABLE}"
        ) from None
