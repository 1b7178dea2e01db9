"""A file at its address, read by ranges: for a few columns of a large table.

The bytes that are read are not hashed, and cannot be: a sha256 speaks of the whole file. What is
compared is the size, and the hash that the Hub declares, with the registry. Whoever passes on what
was read here says so; :meth:`RemoteFile.told` has the words.

fsspec's file of huggingface_hub (``HfFileSystem``) does the same for the Hub alone, but takes
whatever body comes for the range that was asked for (seen in version 2.4): a host that ignores
ranges would give other bytes than those of the place, and all of them into memory.
"""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING, Any

from analysis.errors import InputError, IntegrityError, RecordError, UnavailableError
from analysis.raw import hub
from analysis.raw.downloading import Patience, authorization, reason_of, session_of
from analysis.raw.pinning import HubFile
from analysis.raw.registry import Registry, load_registry

if TYPE_CHECKING:
    import requests


class RemoteFile(io.RawIOBase):
    """A readable, seekable file of which only the ranges come that are read.

    Parameters
    ----------
    name : str
        What messages call it.
    url : str
        Its address, pinned by a commit.
    size : int
        Bytes that it must have.
    sha256 : str or None
        Its hash; compared with what the Hub declares, never with the bytes.
    at_hub : bool
        Whether it is a file of the Hub, and the Hub's token may be sent for it.
    patience : Patience, optional
        Limits of each request.

    Attributes
    ----------
    bytes_read : int
        Bytes that came.
    ranges : int
        Ranges that were asked for.
    failure : RecordError or None
        Why a read failed; libraries that read may wrap it in words of their own.
    """

    def __init__(
        self,
        name: str,
        url: str,
        size: int,
        sha256: str | None,
        *,
        at_hub: bool,
        patience: Patience | None = None,
    ) -> None:
        super().__init__()
        self.name, self.url, self.size, self.sha256 = name, url, size, sha256
        self.patience = Patience.from_environment() if patience is None else patience
        self.bytes_read = self.ranges = 0
        self.failure: RecordError | None = None
        self._at_hub = at_hub and hub.is_at_hub(url)
        self._etag = ""
        self._place = 0
        if at_hub:
            hub.refuse_offline(name)
        self._session = session_of(self.patience)

    def told(self) -> str:
        """Return what must be said of anything that was read here."""
        return f"hash not checked: {self.bytes_read:,} of {self.size:,} bytes read"

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place of the next read."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place, which costs nothing."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(start + offset, 0)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; see :meth:`read`."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, fetched by one range.

        Parameters
        ----------
        size : int
            How many; up to the end by default.

        Raises
        ------
        UnavailableError
            If they cannot be had, or the host serves no ranges.
        IntegrityError
            If the host has another file than the registered one.
        """
        last = self.size if size is None or size < 0 else min(self._place + size, self.size)
        if last <= self._place:
            return b""
        try:
            content = self._fetch(self._place, last)
        except RecordError as error:
            self.failure = error
            raise
        self._place = last
        return content

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._session.close()
        super().close()

    def _fetch(self, first: int, end: int) -> bytes:
        import requests

        problem = ""
        for attempt in range(1, self.patience.attempts + 1):
            try:
                content = self._range(first, end)
            except requests.HTTPError as error:
                status = error.response.status_code
                raise UnavailableError(
                    f"{self.name}: {self.url} answered {status}: `fetch` says more of why"
                ) from None
            except requests.RequestException as error:
                problem = f"cannot be read: {reason_of(error)}"
            else:
                if len(content) == end - first:
                    self.ranges += 1
                    self.bytes_read += len(content)
                    return content
                problem = f"sent {len(content)} bytes of {end - first}"
            if attempt < self.patience.attempts:
                wait = self.patience.backoff * 2 ** (attempt - 1)
                time.sleep(min(wait, self.patience.longest_wait))
        raise UnavailableError(
            f"{self.name}: {self.url} {problem}, {self.patience.attempts} times: try again later"
        )

    def _range(self, first: int, end: int) -> bytes:
        with self._session.get(
            self.url,
            stream=True,
            timeout=(self.patience.connect, self.patience.read),
            headers={"Accept-Encoding": "identity", "Range": f"bytes={first}-{end - 1}"},
            auth=authorization(self._at_hub),
        ) as answer:
            answer.raise_for_status()
            self._compare(answer)
            told = answer.headers.get("Content-Range", "")
            if answer.status_code != 206 or told != f"bytes {first}-{end - 1}/{self.size}":
                raise UnavailableError(
                    f"{self.name}: {self.url} serves no ranges of {self.size} bytes (it answered "
                    f"{answer.status_code}): `fetch` the whole file"
                )
            pieces, got = [], 0
            for piece in answer.iter_content(1 << 16):
                pieces.append(piece)
                got += len(piece)
                if got > end - first:
                    break
            return b"".join(pieces)

    def _compare(self, answer: requests.Response) -> None:
        """Refuse another file than the registered one, as far as the host says what it has."""
        for hop in answer.history if self._at_hub else ():
            declared = hop.headers.get("X-Linked-ETag", "").strip('"')
            known = hub.is_at_hub(hop.url) and re.fullmatch("[0-9a-f]{64}", declared)
            if known and self.sha256 not in {None, declared}:
                raise IntegrityError(
                    f"{self.name}: {self.url}: the Hub declares sha256 {declared}, registered is "
                    f"{self.sha256}; nothing was read"
                )
        total = answer.headers.get("Content-Range", "").rpartition("/")[2]
        if re.fullmatch("[0-9]{1,18}", total) and int(total) != self.size:
            raise IntegrityError(
                f"{self.name}: {self.url} has {total} bytes, registered are {self.size}; nothing "
                f"was read"
            )
        etag = answer.headers.get("ETag", "")
        if self._etag and etag and etag != self._etag:
            raise IntegrityError(
                f"{self.name}: {self.url} became another file between two ranges: start again"
            )
        self._etag = etag


def remote_file(
    name: str, *, registry: Registry | None = None, patience: Patience | None = None
) -> RemoteFile:
    """Open a registered file at its address, without fetching it.

    Parameters
    ----------
    name : str
        A version's name.
    registry : Registry, optional
        The project's by default.
    patience : Patience, optional
        That of the environment by default.

    Returns
    -------
    RemoteFile
        Its size is the registry's. No byte of it is hashed.

    Raises
    ------
    InputError
        If there is no such version, or it is a whole commit, which has no ranges.
    """
    source, version = (load_registry() if registry is None else registry).find(name)
    if version.sha256 is None:
        raise InputError(f"{name}: a whole commit is not read by ranges: `fetch` it")
    return RemoteFile(
        name,
        hub.at_endpoint(version.url),
        version.bytes,
        version.sha256,
        at_hub=source.host == "huggingface-dataset",
        patience=patience,
    )


def remote_of(found: HubFile, *, patience: Patience | None = None) -> RemoteFile:
    """Open a file that was looked up at the Hub, registered or not; see :func:`remote_file`."""
    return RemoteFile(
        f"{found.repository} {found.path}",
        hub.at_endpoint(found.url),
        found.bytes,
        found.sha256,
        at_hub=True,
        patience=patience,
    )
