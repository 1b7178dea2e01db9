"""Files that nobody pinned a hash for: fetched at a commit, to compare, and never kept."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from analysis.errors import InputError, UnavailableError
from analysis.raw.fetching import Patience, _reason, _session
from analysis.raw.places import mirror_dir

_CHUNK = 1 << 20
_BLOB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+)/blob/([0-9a-f]{40})/([^?#]+)")
#: Bytes beyond which a file is not what a table of ours was copied from.
LARGEST = 64 << 20


def raw_address(url: str) -> str:
    """Return the address of the bytes behind a page of GitHub that shows a file at a commit.

    Parameters
    ----------
    url : str
        ``https://github.com/<owner>/<name>/blob/<commit>/<path>``, the commit in full.

    Raises
    ------
    InputError
        If the address is no such page: a branch would mean another file tomorrow.
    """
    found = _BLOB.fullmatch(url)
    if found is None or ".." in found[4].split("/"):
        raise InputError(
            f"{url}: not a file at a commit: give https://github.com/<owner>/<name>/blob/"
            "<40 digits of the commit>/<path>"
        )
    owner, name, commit, path = found.groups()
    return f"https://raw.githubusercontent.com/{owner}/{name}/{commit}/{quote(unquote(path))}"


def download(
    url: str, *, patience: Patience | None = None, address: Callable[[str], str] = str
) -> bytes:
    """Return the bytes of a public file at a commit, from the mirror if it has it.

    Parameters
    ----------
    url : str
        As for :func:`raw_address`.
    patience : Patience, optional
        Limits of a download; the environment's by default.
    address : callable, optional
        Rewrites the address before it is asked for; tests point it at a local server.

    Raises
    ------
    InputError
        If the address is no file at a commit.
    UnavailableError
        If it cannot be had: no network, refused, gone, broken off, or far too large.
    """
    import requests

    public = raw_address(url)
    mirror = mirror_dir()
    if mirror is not None:
        parts = urlsplit(public)
        copy = mirror / Path(parts.netloc, *unquote(parts.path).strip("/").split("/"))
        if copy.is_file() and copy.resolve().is_relative_to(mirror.resolve()):
            return copy.read_bytes()
    limits = Patience.from_environment() if patience is None else patience
    asked = address(public)
    problem = ""
    with _session(limits) as session:
        for attempt in range(1, limits.attempts + 1):
            try:
                return _body(session, asked, limits)
            except requests.HTTPError as error:
                raise UnavailableError(
                    f"{asked} answered {error.response.status_code}: "
                    "the repository, commit or path may be gone"
                ) from None
            except (
                requests.exceptions.ChunkedEncodingError,
                requests.exceptions.ContentDecodingError,
            ) as error:
                problem = f"broke off ({_reason(error)})"
            except requests.RequestException as error:
                raise UnavailableError(
                    f"{asked} cannot be reached: {_reason(error)}; check the network"
                ) from None
            if attempt < limits.attempts:
                time.sleep(min(limits.backoff * 2 ** (attempt - 1), limits.longest_wait))
    raise UnavailableError(f"{asked} {problem}, {limits.attempts} times: try again later")


def _body(session: object, url: str, limits: Patience) -> bytes:
    import requests

    assert isinstance(session, requests.Session)
    got = bytearray()
    with session.get(url, stream=True, timeout=(limits.connect, limits.read)) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_content(_CHUNK):
            got += chunk
            if len(got) > LARGEST:
                raise UnavailableError(f"{url} is larger than {LARGEST >> 20} MB: another file")
    return bytes(got)
