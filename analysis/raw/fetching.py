"""Fetching raw files: from the cache, a mirror folder or their public address.

Whatever the way, bytes get their final name only after their hash was checked.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from analysis.errors import InputError, IntegrityError, RecordError, UnavailableError
from analysis.raw.gittree import archive_tree_id
from analysis.raw.places import CACHE_VARIABLE, MIRROR_VARIABLE, cache_dir, mirror_dir
from analysis.raw.registry import Registry, Source, Version, load_registry

if TYPE_CHECKING:
    import requests

_CHUNK = 1 << 20
# A host may recompress an archive, so its size may differ from the pinned one; not without end.
_ARCHIVE_SLACK = 4
_TRANSIENT = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Patience:
    """How long a download is tried.

    Attributes
    ----------
    attempts : int
        Requests in all, the first included; ``OMR_ATTEMPTS``.
    backoff : float
        Seconds before the second try; each later wait doubles it.
    longest_wait : float
        Cap in seconds on any single wait, a Retry-After among them;
        ``OMR_LONGEST_WAIT``.
    connect, read : float
        Seconds to wait for a connection and for the next bytes.
    """

    attempts: int = 5
    backoff: float = 1.0
    longest_wait: float = 120.0
    connect: float = 10.0
    read: float = 60.0

    @classmethod
    def from_environment(cls) -> Patience:
        """Return the defaults, changed by ``OMR_ATTEMPTS`` and ``OMR_LONGEST_WAIT``."""
        return cls(
            attempts=int(_positive("OMR_ATTEMPTS", cls.attempts)),
            longest_wait=_positive("OMR_LONGEST_WAIT", cls.longest_wait),
        )


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
    patience: Patience = Patience()
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
            if final.is_file():
                try:
                    check(final, source, version, quick=True)
                except IntegrityError:
                    # Kept for a look, under a name that no fetch returns.
                    with contextlib.suppress(FileNotFoundError):
                        os.replace(final, final.with_name(final.name + ".wrong"))
                else:
                    _remember(final, version)
                    return final
            elif os.path.lexists(final):
                raise InputError(f"{final}: no regular file lies there in the cache; remove it")
            self._through_pooch(source, version, final)
            _remember(final, version)
        return final

    def _through_pooch(self, source: Source, version: Version, final: Path) -> None:
        import pooch  # slow to import, and not needed when the cache is warm

        pooch.get_logger().setLevel("WARNING")
        relative = final.relative_to(self.cache).as_posix()
        known = None if version.sha256 is None else f"sha256:{version.sha256}"
        keeper = pooch.create(
            path=self.cache,
            base_url="",
            registry={relative: known},
            urls={relative: self.address(version.url)},
        )

        def downloader(url: str, output_file: str | Path, _: object) -> None:
            # pooch gives a temporary name in the final folder and renames it
            # only when this returns and the hash agrees.
            target = Path(output_file)
            if self.mirror is None:
                self._download(url, target, source, version)
            else:
                self._copy(target, version)
            check(target, source, version, shown=self._origin(version))

        # pooch makes the folder too, but stumbles when another process is quicker.
        final.parent.mkdir(parents=True, exist_ok=True)
        keeper.fetch(relative, downloader=downloader)

    def _origin(self, version: Version) -> str:
        found = self.mirrored(version)
        return str(found) if found else self.address(version.url)

    def _copy(self, target: Path, version: Version) -> None:
        found = self.mirrored(version)
        if found is None:
            raise UnavailableError(
                f"{version.name}: not in the mirror {self.mirror}: expected "
                f"{_below_host(version.url)} there; unset {MIRROR_VARIABLE} to fetch it from "
                f"{version.url}"
            )
        limit = version.bytes if version.sha256 else version.bytes * _ARCHIVE_SLACK
        with found.open("rb") as origin, target.open("wb") as copy:
            # What is longer cannot have the hash any more.
            while copy.tell() <= limit and (chunk := origin.read(_CHUNK)):
                copy.write(chunk)

    def _download(self, url: str, target: Path, source: Source, version: Version) -> None:
        """Download to `target`; a body that breaks off is asked for again."""
        import requests

        limit = version.bytes if version.sha256 else version.bytes * _ARCHIVE_SLACK
        with _session(self.patience) as session:
            for attempt in range(1, self.patience.attempts + 1):
                try:
                    got = self._stream(session, url, target, version, limit)
                    if version.sha256 is None or got >= version.bytes or _is_html(target):
                        return
                    problem = f"broke off after {got} of {version.bytes} bytes"
                except requests.HTTPError as error:
                    raise _refused(url, version, error.response, self.patience.attempts) from None
                except (
                    requests.exceptions.ChunkedEncodingError,
                    requests.exceptions.ContentDecodingError,
                    requests.ConnectionError,
                    requests.Timeout,
                ) as error:
                    if _gave_up_connecting(error):
                        raise _unreachable(url, version, error, self.patience.attempts) from None
                    problem = f"broke off ({_reason(error)})"
                except requests.RequestException as error:
                    raise _unreachable(url, version, error, attempt) from None
                if attempt < self.patience.attempts:
                    wait = self.patience.backoff * 2 ** (attempt - 1)
                    time.sleep(min(wait, self.patience.longest_wait))
        raise UnavailableError(
            f"{version.name}: {url} {problem}, {self.patience.attempts} times: try again later, "
            f"or name a mirror in {MIRROR_VARIABLE}"
        )

    def _stream(
        self,
        session: requests.Session,
        url: str,
        target: Path,
        version: Version,
        limit: int,
    ) -> int:
        got = 0
        patience = (self.patience.connect, self.patience.read)
        with (
            session.get(url, stream=True, timeout=patience) as answer,
            _bar(version, self.progress) as advance,
            target.open("wb") as out,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_content(_CHUNK):
                out.write(chunk)
                got += len(chunk)
                advance(len(chunk))
                if got > limit:
                    break  # the hash cannot agree any more
        return got


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
    """Return the fetcher that the environment asks for (cache, mirror, patience)."""
    return Fetcher(
        registry=load_registry() if registry is None else registry,
        cache=cache_dir(),
        mirror=mirror_dir(),
        patience=Patience.from_environment(),
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
            page = "an HTML page came instead of data; " if _is_html(path) else ""
            raise IntegrityError(
                f"{version.name}: {page}{named} ({size} bytes) cannot be verified against "
                f"{what} {wanted}: {str(error).removeprefix(f'{path}: ')}"
            ) from None
    if got == wanted:
        return
    page = "an HTML page came instead of data; " if _is_html(path) else ""
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


def _is_html(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script"))


def _session(patience: Patience) -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    retry = Retry(
        total=patience.attempts - 1,
        status_forcelist=_TRANSIENT,
        allowed_methods=("GET",),
        backoff_factor=patience.backoff,
        backoff_max=patience.longest_wait,
        retry_after_max=int(patience.longest_wait),
        respect_retry_after_header=True,
        raise_on_status=False,
        redirect=5,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    session.headers["User-Agent"] = "open-model-record (research; fetches pinned files)"
    return session


@contextlib.contextmanager
def _bar(version: Version, wanted: bool) -> Iterator[Callable[[int], Any]]:
    if not wanted:
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(
        total=version.bytes, unit="B", unit_scale=True, desc=version.name, file=sys.stderr
    ) as bar:
        yield bar.update


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


def _refused(
    url: str, version: Version, answer: requests.Response, attempts: int
) -> UnavailableError:
    status = answer.status_code
    if status in {404, 410}:
        advice = (
            f"the repository, commit or path is gone; check commit {version.commit}, or name a "
            f"mirror that has the file in {MIRROR_VARIABLE}"
        )
    elif status in _TRANSIENT:
        advice = f"{attempts} times; try again later, or name a mirror in {MIRROR_VARIABLE}"
    else:
        advice = f"it is not served to you; name a mirror that has the file in {MIRROR_VARIABLE}"
    return UnavailableError(f"{version.name}: {url} answered {status}: {advice}")


def _unreachable(url: str, version: Version, error: Exception, attempts: int) -> UnavailableError:
    times = f" ({attempts} tries)" if attempts > 1 else ""
    return UnavailableError(
        f"{version.name}: {url} cannot be reached{times}: {_reason(error)}; check the network, or "
        f"name a mirror in {MIRROR_VARIABLE}"
    )


def _gave_up_connecting(error: Exception) -> bool:
    """Tell a connection that never came (tried again already) from one that broke."""
    from urllib3.exceptions import MaxRetryError

    return bool(error.args) and isinstance(error.args[0], MaxRetryError)


def _reason(error: Exception) -> str:
    inner: Any = error
    while True:
        deeper = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        if not isinstance(deeper, Exception):
            break
        inner = deeper
    return " ".join(str(inner).split()) or type(inner).__name__


def _positive(variable: str, default: float) -> float:
    value = os.environ.get(variable, "").strip()
    if not value:
        return default
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 1 <= number < 1e6:
        raise InputError(f"{variable}={value} must be a number from 1 upwards")
    return number
