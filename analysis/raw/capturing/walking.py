"""Asking the Hub page by page through huggingface_hub: its session, retries and rate limits."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import functools
import importlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urljoin, urlsplit

import analysis
from analysis.errors import UnavailableError
from analysis.raw.capturing.plan import Plan, Query, without_secrets
from analysis.raw.capturing.store import Store, fingerprint
from analysis.raw.fetching import Patience

#: A page of the Hub with a thousand rows has two or three megabytes; this is a bound, not a goal.
LARGEST_PAGE: Final = 128 << 20
#: Seconds that one page may take in all, however slowly its bytes drip.
LONGEST_PAGE: Final = 600.0
#: Walks of one query that may begin again in one run because its cursor was refused.
MOST_RESTARTS: Final = 3
#: Pages without a row in a row: the Hub does not send them, a loop would.
MOST_EMPTY: Final = 10
_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """One page as it came.

    Attributes
    ----------
    body : bytes
        The page, without the transfer's compression.
    rows : int
        Rows on it.
    follow : str
        Query string of the next page; empty after the last.
    date : str
        When the server answered (its Date header) in ISO 8601; empty where it does not say.
    total : int or None
        Rows of the whole listing, where the server tells.
    pause : float
        Seconds to wait before the next page: the server's window is used up.
    """

    body: bytes
    rows: int
    follow: str
    date: str
    total: int | None
    pause: float


class _Spoilt(Exception):
    """A page that came but is no page; it is asked for again."""


class _CursorRefused(Exception):
    """The server does not take the cursor (any more)."""


class _ListingRefused(Exception):
    """The server has no such listing; holds the status and what to say of it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def patience() -> Patience:
    """Return how long a page is tried: eight times unless ``OMR_ATTEMPTS`` says otherwise."""
    set_by_user = os.environ.get("OMR_ATTEMPTS", "").strip()
    found = Patience.from_environment()
    return found if set_by_user else replace(found, attempts=_TRIES)


def _client() -> Any:
    """Return the client's tools; they take a moment to import."""
    return importlib.import_module("huggingface_hub.utils")


@contextlib.contextmanager
def _short_log() -> Iterator[None]:
    """Keep lines with addresses (long, and with what secrets they hold) out of the client's log."""
    logger = logging.getLogger("huggingface_hub.utils._http")

    def harmless(record: logging.LogRecord) -> bool:
        return "://" not in record.getMessage()

    logger.addFilter(harmless)
    try:
        yield
    finally:
        logger.removeFilter(harmless)


class Hub:
    """The listing of models at one endpoint.

    Parameters
    ----------
    endpoint : str
        Address of the Hub, as huggingface_hub has it (``HF_ENDPOINT``).
    limits : Patience
        Tries and waits. The token, if there is one, is the one that huggingface_hub finds in its
        own place; it is sent to the endpoint alone.
    """

    def __init__(self, endpoint: str, limits: Patience) -> None:
        self._address = f"{endpoint.rstrip('/')}/api/models"
        self._limits = limits
        self._headers = _client().build_hf_headers(
            library_name="open-model-record", library_version=analysis.__version__
        ) | {
            # Python's own decompression works in bounded steps.
            "accept-encoding": "gzip",
        }

    def page(self, query: Query, target: str, known: Callable[[str], bool]) -> Answer:
        """Return one page.

        Parameters
        ----------
        query : Query
            The query that it belongs to.
        target : str
            Its query string.
        known : callable
            Whether a query string was walked already: a link to it would never end.

        Raises
        ------
        UnavailableError
            If it cannot be had after all tries, or is refused.
        _CursorRefused, _ListingRefused
            For :func:`walk`, which goes on otherwise.
        """
        problem = ""
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return self._once(query, target, known)
            except _Spoilt as spoilt:
                problem = str(spoilt)
            if attempt < self._limits.attempts:
                wait = self._limits.backoff * 2.0 ** (attempt - 1)
                time.sleep(min(wait, self._limits.longest_wait))
        raise UnavailableError(
            f"{self._named(query)}: {problem}, {self._limits.attempts} times; the pages so far are "
            "kept: run the same command again later to go on"
        )

    def _once(self, query: Query, target: str, known: Callable[[str], bool]) -> Answer:
        import httpx2

        limits = self._limits
        spoilt = ""
        body = b""
        try:
            with (
                _short_log(),
                _client().http_stream_backoff(
                    "GET",
                    f"{self._address}?{target}",
                    headers=self._headers,
                    timeout=httpx2.Timeout(limits.read, connect=limits.connect),
                    follow_redirects=False,
                    max_retries=limits.attempts - 1,
                    base_wait_time=limits.backoff,
                    max_wait_time=limits.longest_wait,
                ) as response,
            ):
                status, headers = response.status_code, dict(response.headers)
                link = response.links.get("next", {}).get("url", "")
                if status == 200:
                    # What breaks in here must not leave the block: the client would take it for
                    # a failed request and yield a second time.
                    try:
                        body = _bounded(response.iter_bytes())
                    except _Spoilt as error:
                        spoilt = str(error)
                    except httpx2.HTTPError as error:
                        spoilt = f"broke off ({type(error).__name__})"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            # The client gave up (its status errors are among these), is told to stay offline, or
            # has a token that no header can hold. Only the kind of error is shown.
            answered = getattr(error, "response", None)
            if answered is None:
                raise self._unreachable(query, error) from None
            status, headers, link = answered.status_code, dict(answered.headers), ""
        if spoilt:
            raise _Spoilt(spoilt)
        if status != 200:
            raise self._refused(query, target, status)
        rows = _rows(body)
        follow = self._follow(query, target, link)
        if follow and known(follow):
            raise _Spoilt("the link to the next page leads back to one that was read already")
        total = headers.get("x-total-count", "")
        return Answer(
            body,
            rows,
            follow,
            _date(headers.get("date", "")),
            int(total) if total.isascii() and total.isdigit() and len(total) < 12 else None,
            self._pause(headers),
        )

    def _follow(self, query: Query, target: str, link: str) -> str:
        """Return the query string of the next page, once its address is seen to be the Hub's."""
        if not link:
            return ""
        base = urlsplit(self._address)
        try:
            # Behind a proxy the links name the Hub itself; the client mends them so, too.
            fixed = _client().fix_hf_endpoint_in_url(
                link, self._address.removesuffix("/api/models")
            )
            parts = urlsplit(urljoin(f"{self._address}?{target}", fixed))
            same = (parts.scheme, parts.hostname, parts.port, parts.path) == (
                *(base.scheme, base.hostname, base.port, base.path),
            )
        except ValueError:
            same = False
        if not same:
            raise _Spoilt(
                f"the link to the next page leads elsewhere, {link[:80]!a}: it was not followed"
            )
        got = parse_qsl(parts.query)
        if [value for name, value in got if name == query.name] != [query.value] * bool(query.name):
            raise _Spoilt("the link to the next page is one of another listing")
        return str(parts.query)

    def _pause(self, headers: Mapping[str, str]) -> float:
        """Return how long to wait for the next window where this one is said to be used up."""
        limit = _client().parse_ratelimit_headers(headers)
        if limit is None or limit.remaining:
            return 0.0
        # The Hub's windows have five minutes.
        return min(float(limit.reset_in_seconds) + 1.0, max(self._limits.longest_wait, 301.0))

    def _named(self, query: Query) -> str:
        address = without_secrets(self._address.removesuffix("/api/models"))
        return f"{address}: {ascii(str(query)[:120])[1:-1]}"

    def _refused(self, query: Query, target: str, status: int) -> Exception:
        later = "the pages so far are kept: run the same command again later to go on"
        if status in {400, 410} and any(name == "cursor" for name, _ in parse_qsl(target)):
            return _CursorRefused(f"the cursor was refused ({status})")
        if status in {401, 403}:
            advice = (
                "log in with `hf auth login`, or take away a token that is out of date (HF_TOKEN)"
            )
        elif 300 <= status < 400:
            advice = "it leads to another address: name the right one in HF_ENDPOINT"
        elif status in {408, 429, 500, 502, 503, 504}:
            advice = f"{self._limits.attempts} times; {later}"
        else:
            advice = later
        message = f"{self._named(query)}: answered {status}: {advice}"
        if status == 404 or 300 <= status < 400:
            return _ListingRefused(status, message)
        return UnavailableError(message)

    def _unreachable(self, query: Query, error: Exception) -> UnavailableError:
        return UnavailableError(
            f"{self._named(query)}: cannot be reached ({type(error).__name__}, "
            f"{self._limits.attempts} times); the pages so far are kept: check the network and run "
            "the same command again"
        )


def walk(
    store: Store,
    hub: Hub,
    *,
    most_pages: int | None = None,
    expect: int | None = None,
    progress: bool = False,
) -> bool:
    """Ask for every page that the capture lacks, and keep each.

    Parameters
    ----------
    store : Store
        The open capture.
    hub : Hub
        Where to ask.
    most_pages : int, optional
        Stop after so many pages.
    expect : int, optional
        Repositories that the user expects, for the time left; never guessed.
    progress : bool
        Whether to draw a bar.

    Returns
    -------
    bool
        Whether every query was walked to its end.

    Raises
    ------
    UnavailableError
        If a page cannot be had. What was kept stays.
    InputError
        If the disk refuses.
    """
    state, plan = store.state, store.plan
    if state.query > len(plan.queries):
        return True
    import huggingface_hub

    store.session(huggingface_hub.__version__)
    kept = restarts = empty = 0
    with _bar(store, expect, progress) as advance:
        while state.query <= len(plan.queries):
            if most_pages is not None and kept >= most_pages:
                return False
            query = plan.queries[state.query - 1]
            target = state.target or query.first(plan.page_size)
            try:
                answer = hub.page(query, target, functools.partial(_known, store, target))
            except _CursorRefused as refused:
                restarts += 1
                if restarts > MOST_RESTARTS:
                    raise UnavailableError(
                        f"{plan.endpoint}: {refused}, {restarts} times in this run; the pages so "
                        "far are kept: run the same command again later"
                    ) from None
                store.restart(str(refused))
                continue
            except _ListingRefused as refused:
                # An organisation may be renamed or gone: that must not stop all others. Where
                # nothing was read yet, the address is wrong rather than the listing.
                if not state.pages or not query.name or state.target:
                    raise UnavailableError(str(refused)) from None
                store.refused(refused.status)
                continue
            empty = 0 if answer.rows else empty + 1
            if answer.follow and empty > MOST_EMPTY:
                raise UnavailableError(
                    f"{plan.endpoint}: {empty} pages without a row one after the other; the pages "
                    "so far are kept: run the same command again later"
                )
            if not answer.follow:
                restarts = empty = 0
            store.keep(answer.body, answer.rows, target, answer.follow, answer.date)
            kept += 1
            advance(answer)
            if answer.pause and state.query <= len(plan.queries):
                time.sleep(answer.pause)
    return True


def _known(store: Store, target: str, link: str) -> bool:
    return link == target or fingerprint(link) in store.state.seen


def _bounded(chunks: Iterator[bytes]) -> bytes:
    """Join the parts of a body, but not without end in bytes or seconds."""
    started = time.monotonic()
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > LARGEST_PAGE:
            raise _Spoilt(f"a page of more than {LARGEST_PAGE >> 20} MB")
        if time.monotonic() - started > LONGEST_PAGE:
            raise _Spoilt(f"a page that took more than {LONGEST_PAGE:.0f} seconds")
    return b"".join(parts)


def _rows(body: bytes) -> int:
    """Count the rows of a page, or say why it is none."""
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"<":
        raise _Spoilt("a web page came instead of JSON")
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        raise _Spoilt("what came is no JSON") from None
    if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
        raise _Spoilt("what came is no list of repositories")
    return len(page)


def _date(header: str) -> str:
    try:
        read = email.utils.parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return ""
    if read.tzinfo is None or not 2000 < read.year < 2200:
        return ""
    return read.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def _bar(store: Store, expect: int | None, wanted: bool) -> Iterator[Callable[[Answer], Any]]:
    """Show pages, rows, rate and time left: over queries, or over rows where a total is known."""
    if not wanted:
        yield lambda _: None
        return
    from tqdm import tqdm

    plan: Plan = store.plan
    state = store.state
    by_query = len(plan.queries) > 1
    started, before = time.monotonic(), state.rows
    with tqdm(
        total=len(plan.queries) if by_query else expect,
        initial=state.query - 1 if by_query else state.rows,
        unit=" listing" if by_query else " row",
        desc="capture",
        file=sys.stderr,
        dynamic_ncols=True,
    ) as bar:

        def advance(answer: Answer) -> None:
            if not by_query and expect is None and answer.total is not None:
                bar.total = answer.total
            rate = (state.rows - before) / max(time.monotonic() - started, 1e-9)
            said = f"{state.pages:,} pages"
            said += f", {state.rows:,} rows, {rate:,.0f} rows/s" if by_query else ""
            bar.set_postfix_str(said, refresh=False)
            bar.update((state.query - 1 if by_query else state.rows) - bar.n)

        yield advance
