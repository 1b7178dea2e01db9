"""Downloading one pinned file: again, from where it broke off, and by its hash alone.

Bytes are collected in a file ``NAME.<first digits of the hash>.part`` beside the final name, whose
folder names the commit. A download that breaks off, in this run or by a kill in an earlier one,
goes on from its end with a Range request. Nothing but the hash decides: a file that was put
together from parts and has another hash is started again once, from its first byte.

Why not ``hf_hub_download`` for files of the Hub. As of huggingface_hub 2.4 it downloads to a name
of its own in each run and removes it on failure, so a killed download of 1.6 GB starts again; it
does not compare the sha256; its cache is a second copy of the file; and with Xet it writes chunks
out of order, which cannot be continued, beside a cache of chunks. The resolve address of the Hub
redirects to plain bytes with ranges for files in LFS and in Xet alike, so one way serves both, and
other hosts too.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from analysis.errors import InputError, IntegrityError, UnavailableError
from analysis.raw import hub
from analysis.raw.places import CACHE_VARIABLE, MIRROR_VARIABLE
from analysis.raw.registry import Source, Version

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 20
# What is lost of a body when it breaks off: requests hands out whole pieces only.
_PIECE = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
# A host may recompress an archive, so its size may differ from the pinned one; not without end.
ARCHIVE_SLACK = 4


@dataclass(frozen=True)
class Patience:
    """How long a download is tried.

    Attributes
    ----------
    attempts : int
        Requests in a row that bring no new byte, the first included;
        ``OMR_ATTEMPTS``.
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


@contextlib.contextmanager
def part_of(final: Path, version: Version) -> Iterator[Path]:
    """Give the name under which a file is collected, to this process alone.

    The name is locked while the block runs; another process that fetches the same file waits. The
    lock ends with the process, however that ends. Where a file system knows no locks the name is
    the process's own: two processes then download the same bytes twice, and do not share a file.

    Parameters
    ----------
    final : pathlib.Path
        The name that the file gets when its hash was checked.
    version : Version
        What is downloaded.

    Yields
    ------
    pathlib.Path
        A file, empty or with the beginning that an earlier run got. What the block leaves of it
        stays, unless it is empty.
    """
    digest = version.sha256 or version.git_tree or ""
    shared = final.with_name(f"{final.name}.{digest[:12]}.part")
    with contextlib.ExitStack() as held:
        part = shared
        while True:
            stream = part.open("ab")
            if not _lock(stream, version.name):
                stream.close()
                _unlink_empty(shared)
                part = shared.with_name(f"{shared.name}.{os.getpid()}-{threading.get_ident()}")
                part.touch()
                break
            if _is_still(part, stream):
                held.enter_context(stream)
                break
            # Whoever held the lock has finished, and the name is free or another file's.
            stream.close()
        try:
            yield part
        finally:
            _unlink_empty(part)


class Download:
    """One download of one version.

    Parameters
    ----------
    url : str
        The address that is asked.
    part : pathlib.Path
        Where bytes are collected; what it holds already is continued.
    source, version : Source, Version
        What is downloaded.
    patience : Patience
        Limits.
    progress : bool
        Whether to draw a progress bar; it begins at the byte that is continued.
    """

    def __init__(
        self,
        url: str,
        part: Path,
        source: Source,
        version: Version,
        patience: Patience,
        progress: bool = False,
    ) -> None:
        self.url = url
        self.part = part
        self.version = version
        self.patience = patience
        self.progress = progress
        self._at_hub = source.host == "huggingface-dataset" and hub.is_at_hub(url)
        self._resumable = version.sha256 is not None
        self._etag = ""
        # Whether all bytes came in one answer: then another download would bring the same.
        self._whole = False
        # Whether the host named the registered size: then what is shorter broke off.
        self._size_agrees = False

    def run(self, check: Callable[[], None]) -> None:
        """Download what is missing and check it.

        Parameters
        ----------
        check : callable
            Raises IntegrityError where the part is not the registered file.

        Raises
        ------
        IntegrityError
            If the host offers another file (its size or hash differ before anything is
            downloaded), or other bytes came, of which none is kept.
        UnavailableError
            If the host cannot be reached, refuses, or breaks off again and again. What came is
            kept for the next run.
        InputError
            If the disk has not enough room.
        """
        if not self._resumable or self._size() > self.version.bytes:
            self._empty()
        try:
            self._collect()
            try:
                check()
            except IntegrityError:
                if self._whole:
                    raise
                # Parts of different files, or a file that a crash spoilt.
                self._empty()
                self._collect()
                check()
        except _OtherOffered:
            raise  # perhaps a proxy's page: what an earlier run got is as good as before
        except IntegrityError:
            self._empty()
            raise
        except UnavailableError:
            if not self._resumable:
                self._empty()
            raise

    def _collect(self) -> None:
        if self._resumable and self._size() == self.version.bytes:
            return
        _refuse_full_disk(self.part.parent, self.version, self._size())
        import requests

        best, fruitless, started_again = self._size(), 0, False
        with session_of(self.patience) as session:
            while True:
                try:
                    self._stream(session)
                    got = self._size()
                    short = self._resumable and got < self.version.bytes
                    if not short or (not self._size_agrees and is_html(self.part)):
                        return
                    problem = f"broke off after {got} of {self.version.bytes} bytes"
                except _CannotContinue as error:
                    problem = f"cannot be continued: {error}"
                    self._empty()
                    if not started_again:
                        started_again = True
                        continue
                except requests.HTTPError as error:
                    raise self._refused(error.response) from None
                except (
                    requests.exceptions.ChunkedEncodingError,
                    requests.exceptions.ContentDecodingError,
                    requests.ConnectionError,
                    requests.Timeout,
                ) as error:
                    if _gave_up_connecting(error):
                        raise self._unreachable(error, self.patience.attempts) from None
                    problem = f"broke off ({reason_of(error)})"
                except requests.RequestException as error:
                    raise self._unreachable(error, fruitless + 1) from None
                fruitless = 1 if self._size() > best else fruitless + 1
                best = max(best, self._size())
                if fruitless >= self.patience.attempts:
                    break
                wait = self.patience.backoff * 2 ** (fruitless - 1)
                time.sleep(min(wait, self.patience.longest_wait))
        raise UnavailableError(
            f"{self.version.name}: {self.url} {problem}, {fruitless} times: try again later, or "
            f"name a mirror in {MIRROR_VARIABLE}{self._kept()}"
        )

    def _stream(self, session: requests.Session) -> None:
        """Ask once, and append what comes to the part."""
        if not self._resumable:
            self._empty()
        got = self._size()
        # Compressed on the way, a body has another length, and ranges of it other bytes.
        headers = {"Accept-Encoding": "identity"}
        if got:
            headers["Range"] = f"bytes={got}-"
            if self._etag:
                headers["If-Range"] = self._etag
        limit = self.version.bytes if self._resumable else self.version.bytes * ARCHIVE_SLACK
        with session.get(
            self.url,
            stream=True,
            timeout=(self.patience.connect, self.patience.read),
            headers=headers,
            auth=authorization(self._at_hub),
        ) as answer:
            if got and answer.status_code == 416:
                raise _CannotContinue(f"the host has nothing after byte {got}")
            answer.raise_for_status()
            got = self._beginning(answer, got)
            self._whole = got == 0
            etag = answer.headers.get("ETag", "")
            self._etag = "" if etag.startswith("W/") else etag
            with (
                bar(self.version.name, self.version.bytes, self.progress, got) as advance,
                self.part.open("r+b") as out,
            ):
                out.truncate(got)
                out.seek(got)
                for chunk in answer.iter_content(_PIECE):
                    out.write(chunk)
                    got += len(chunk)
                    advance(len(chunk))
                    if got > limit:
                        break  # the hash cannot agree any more

    def _beginning(self, answer: requests.Response, got: int) -> int:
        """Return at which byte the body of an answer begins, or say why it cannot be used."""
        total = answer.headers.get("Content-Length", "")
        first = 0
        if answer.status_code == 206:
            match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != got:
                raise _CannotContinue("the host sent another part than it was asked for")
            first, total = got, match[2]
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            if first:
                raise _CannotContinue("the host sent a part of something compressed")
            total = ""
        if self._resumable:
            self._compare(answer, total)
        if first and self._etag and answer.headers.get("ETag", self._etag) != self._etag:
            raise _CannotContinue("the host has another file now (its ETag changed)")
        return first

    def _compare(self, answer: requests.Response, total: str) -> None:
        """Compare what the host says of the file with the registry, before a byte is kept."""
        version = self.version
        if self._at_hub:
            for hop in [*answer.history, answer]:
                if not hub.is_at_hub(hop.url):
                    continue
                total = hop.headers.get("X-Linked-Size", total)
                declared = hop.headers.get("X-Linked-ETag", "").strip('"')
                if re.fullmatch("[0-9a-f]{64}", declared) and declared != version.sha256:
                    raise _OtherOffered(
                        f"{version.name}: {self.url} is not the registered file: the Hub declares "
                        f"sha256 {declared}, the registry {version.sha256}; nothing was downloaded"
                    )
        self._size_agrees = total == str(version.bytes)
        html = answer.headers.get("Content-Type", "").startswith("text/html")
        page = "an HTML page came instead of data; " if html else ""
        if re.fullmatch("[0-9]{1,18}", total) and not self._size_agrees:
            raise _OtherOffered(
                f"{version.name}: {page}{self.url} is not the registered file: the host offers "
                f"{total} bytes, the registry names {version.bytes}; nothing was downloaded"
            )
        if html and not self._size_agrees and self._size():
            raise _OtherOffered(f"{version.name}: {page}{self.url}; nothing was downloaded")

    def _size(self) -> int:
        return self.part.stat().st_size

    def _empty(self) -> None:
        self._etag = ""
        with self.part.open("wb"):
            pass

    def _kept(self) -> str:
        got = self._size() if self._resumable else 0
        return f"; {got} bytes are kept, the next fetch goes on from there" if got else ""

    def _refused(self, answer: requests.Response) -> UnavailableError:
        status = answer.status_code
        code = answer.headers.get("X-Error-Code", "")
        elsewhere = f"name a mirror that has the file in {MIRROR_VARIABLE}"
        if self._at_hub and code == "GatedRepo":
            advice = hub.GATED
        elif self._at_hub and (code == "RepoNotFound" or status == 401):
            advice = f"{hub.MISSING}, or the token is wrong; or {elsewhere}"
        elif status in {404, 410}:
            advice = (
                f"the repository, commit or path is gone; check commit {self.version.commit}, or "
                f"{elsewhere}"
            )
        elif status in hub.TRANSIENT:
            advice = (
                f"{self.patience.attempts} times; try again later, or name a mirror in "
                f"{MIRROR_VARIABLE}{self._kept()}"
            )
        else:
            advice = f"it is not served to you; {elsewhere}"
        return UnavailableError(f"{self.version.name}: {self.url} answered {status}: {advice}")

    def _unreachable(self, error: Exception, attempts: int) -> UnavailableError:
        times = f" ({attempts} tries)" if attempts > 1 else ""
        return UnavailableError(
            f"{self.version.name}: {self.url} cannot be reached{times}: {reason_of(error)}; check "
            f"the network, or name a mirror in {MIRROR_VARIABLE}{self._kept()}"
        )


class _OtherOffered(IntegrityError):
    """The host says beforehand that it has another file."""


class _CannotContinue(Exception):
    """What is in the part and what the host sends do not belong together."""


def is_html(path: Path) -> bool:
    """Tell whether a file begins like a web page."""
    with path.open("rb") as stream:
        head = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script"))


@contextlib.contextmanager
def bar(name: str, total: int, wanted: bool, initial: int = 0) -> Iterator[Callable[[int], Any]]:
    """Draw a progress bar of bytes on standard error, if it is wanted.

    Parameters
    ----------
    name : str
        What it is called.
    total, initial : int
        Bytes in all, and those that are there already.
    wanted : bool
        Whether to draw.

    Yields
    ------
    callable
        Takes the number of bytes that came.
    """
    if not wanted:
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(
        total=total, initial=initial, unit="B", unit_scale=True, desc=name, file=sys.stderr
    ) as drawn:
        yield drawn.update


def _lock(stream: IO[bytes], name: str) -> bool:
    """Lock an open file for this process, waiting for another; False where there are no locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{name}: another process is downloading it; waiting for that", file=sys.stderr)
        fcntl.flock(stream, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


def _is_still(path: Path, stream: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _unlink_empty(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


def _refuse_full_disk(folder: Path, version: Version, got: int) -> None:
    missing, free = version.bytes - got, shutil.disk_usage(folder).free
    if missing > free:
        raise InputError(
            f"{folder}: {version.name} needs {missing:,} bytes more and the disk has {free:,}: "
            f"make room, or name another cache folder in {CACHE_VARIABLE}"
        )


def session_of(patience: Patience) -> requests.Session:
    """Return a session that repeats requests and waits as long as hosts ask, within limits."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import BaseHTTPResponse
    from urllib3.util import Retry

    class Waiting(Retry):
        """Waits also as long as the Hub asks in its own header."""

        def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
            asked = super().get_retry_after(response)
            if asked is None and response.status == 429:
                asked = hub.wait_asked_for(response.headers)
            return None if asked is None else min(asked, self.retry_after_max)

    retry = Waiting(
        total=patience.attempts - 1,
        status_forcelist=hub.TRANSIENT,
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


def authorization(at_hub: bool) -> Callable[[Any], Any] | None:
    """Add the Hub's token to requests of the Hub itself.

    requests drops the header where a redirect leads to another host, port or scheme; what the
    Hub redirects to carries its own signature.
    """
    if not at_hub:
        return None
    token = hub.token()

    def sign(request: Any) -> Any:
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def _gave_up_connecting(error: Exception) -> bool:
    """Tell a connection that never came (tried again already) from one that broke."""
    from urllib3.exceptions import MaxRetryError

    return bool(error.args) and isinstance(error.args[0], MaxRetryError)


def reason_of(error: Exception) -> str:
    """Return the innermost reason of a failed request, in one line without signatures."""
    inner: Any = error
    while True:
        deeper = getattr(inner, "reason", None) or (inner.args[0] if inner.args else None)
        if not isinstance(deeper, Exception):
            break
        inner = deeper
    # What stands after a question mark may be the signature of an address.
    text = re.sub(r"\?\S+", "?…", " ".join(str(inner).split()))
    return text or type(inner).__name__


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
