"""Public files that no hash is pinned for: read afresh, compared, never kept.

Copies in ``data/reference`` have no hash that their public file could be checked against. So
a file that is fetched for a comparison is held in memory only, and never stands in for a raw file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from analysis.errors import InputError, IntegrityError, UnavailableError
from analysis.raw.downloading import Patience, reason_of, session_of
from analysis.raw.places import MIRROR_VARIABLE, mirror_dir

#: Bytes beyond which an answer is not read on.
LIMIT = 1 << 26

_BLOB = re.compile(
    r"https://github\.com/(?P<repository>[\w.-]+/[\w.-]+)/blob/(?P<commit>[0-9a-f]{40})/(?P<path>.+)"
)
_HTML = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script")


def raw_address(page: str) -> str:
    """Return the address of a file's bytes from the page that shows it at a commit.

    Parameters
    ----------
    page : str
        ``https://github.com/OWNER/NAME/blob/COMMIT/PATH`` with a commit of 40 hexadecimal digits.

    Raises
    ------
    InputError
        It is no such page: a branch or a tag moves, and what moves cannot be compared.

    Examples
    --------
    >>> raw_address("https://github.com/a/b/blob/" + 40 * "0" + "/c d.csv")[-9:]
    'c%20d.csv'
    """
    found = _BLOB.fullmatch(page)
    if found is None or any(part in ("", ".", "..") for part in found["path"].split("/")):
        raise InputError(
            f"{page}: no page of a file at a commit: write "
            "https://github.com/OWNER/NAME/blob/COMMIT/PATH with all 40 digits of the commit"
        )
    path = quote(unquote(found["path"]))
    return f"https://raw.githubusercontent.com/{found['repository']}/{found['commit']}/{path}"


@dataclass
class PublicFiles:
    """Reads public files from the mirror, where it has them, else from their addresses.

    Attributes
    ----------
    mirror : pathlib.Path or None
        Folder that is looked into first.
    patience : Patience
        Limits of a download.
    address : callable, optional
        Rewrites an address before it is asked for; tests point it at a local server.
    """

    mirror: Path | None = None
    patience: Patience = field(default_factory=Patience)
    address: Callable[[str], str] = str
    _silent: dict[str, str] = field(default_factory=dict)

    def read(self, url: str) -> bytes:
        """Return the bytes of a public file.

        A host that cannot be reached is asked once: its other files fail at once.

        Raises
        ------
        UnavailableError
            It is in no mirror, and its address does not give it.
        IntegrityError
            A web page came instead of data.
        InputError
            The mirror's copy leads out of the mirror, or cannot be read.
        """
        there = self._mirrored(url)
        content = self._download(url) if there is None else there
        if content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML):
            raise IntegrityError(
                f"{url}: an HTML page of {len(content)} bytes came instead of data; open the "
                "address in a browser: a login or a proxy may stand before it"
            )
        return content

    def _mirrored(self, url: str) -> bytes | None:
        if self.mirror is None:
            return None
        parts = urlsplit(url)
        for relative in (unquote(parts.path), parts.path):
            found = self.mirror / parts.netloc / relative.lstrip("/")
            if not found.is_file():
                continue
            if not found.resolve().is_relative_to(self.mirror.resolve()):
                raise InputError(f"{found}: leads out of the mirror folder {self.mirror}")
            try:
                if found.stat().st_size > LIMIT:
                    raise IntegrityError(
                        f"{found}: more than {LIMIT} bytes: not the file that was copied from"
                    )
                return found.read_bytes()
            except OSError as error:
                raise InputError(f"{found}: cannot be read ({error.strerror})") from None
        return None

    def _download(self, url: str) -> bytes:
        import requests

        asked = self.address(url)
        host = urlsplit(asked).netloc
        advice = (
            f"run it again where {host} can be reached, or put the file into a mirror and name "
            f"that in {MIRROR_VARIABLE}"
        )
        if host in self._silent:
            raise UnavailableError(f"{url}: {self._silent[host]}; {advice}")
        problem = ""
        with session_of(self.patience) as session:
            for attempt in range(1, self.patience.attempts + 1):
                try:
                    return self._stream(session, asked)
                except requests.HTTPError as error:
                    status = error.response.status_code
                    gone = "the repository, commit or path is gone" if status in {404, 410} else ""
                    raise UnavailableError(
                        f"{url} answered {status}: {gone or 'it is not served'}; {advice}"
                    ) from None
                except (
                    requests.exceptions.ChunkedEncodingError,
                    requests.exceptions.ContentDecodingError,
                    _BrokenOffError,
                ) as error:
                    problem = f"broke off ({reason_of(error)}), {attempt} times"
                except requests.RequestException as error:
                    self._silent[host] = f"{host} cannot be reached ({reason_of(error)})"
                    raise UnavailableError(f"{url}: {self._silent[host]}; {advice}") from None
                if attempt < self.patience.attempts:
                    wait = self.patience.backoff * 2 ** (attempt - 1)
                    time.sleep(min(wait, self.patience.longest_wait))
        raise UnavailableError(f"{url} {problem}; {advice}")

    def _stream(self, session: object, asked: str) -> bytes:
        import requests

        assert isinstance(session, requests.Session)
        patience = (self.patience.connect, self.patience.read)
        with session.get(asked, stream=True, timeout=patience) as answer:
            answer.raise_for_status()
            content = bytearray()
            for chunk in answer.iter_content(1 << 16):
                content += chunk
                if len(content) > LIMIT:
                    raise IntegrityError(
                        f"{asked}: more than {LIMIT} bytes: not the file that was copied from"
                    )
            length = answer.headers.get("Content-Length", "")
            packed = "Content-Encoding" in answer.headers
            if not packed and length.isdigit() and len(content) < int(length):
                raise _BrokenOffError(f"after {len(content)} of {length} bytes")
        return bytes(content)


class _BrokenOffError(Exception):
    """A body shorter than its declared length."""


def public_files() -> PublicFiles:
    """Return what reads public files in this environment (mirror, patience)."""
    return PublicFiles(mirror=mirror_dir(), patience=Patience.from_environment())
