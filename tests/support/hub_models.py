"""``/api/models`` as the real Hub speaks it, for the loopback server, with faults of its own.

Rows are those of the real cut (4,167 repositories of spring 2026) turned back into what the API
gives: fields come only where they are expanded, lists are paged by a cursor in a Link header, and
the cursor holds the value of the sorted field and the internal id, as the Hub's own does. Only
where scale needs it the rows are repeated under other ids (:class:`ManyModels`), which is
synthetic.

Dates of answers are made from the request, so that a page has one date whenever it is asked for.
"""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pyarrow.parquet as pq

from tests.support.hub_server import Fault, Request, Response

Row = dict[str, Any]

#: The first instant of the server's clock.
CLOCK = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
#: Fields that come without being expanded.
ALWAYS = ("_id", "id")


@cache
def real_rows(path: Path, most: int | None = None, author: str = "") -> tuple[Row, ...]:
    """Return the repositories of a hub-stats file (the first, or of one author) as the API does."""
    rows = []
    wanted = [("author", "==", author)] if author else None
    for number, row in enumerate(pq.read_table(path, filters=wanted).slice(0, most).to_pylist()):
        found: Row = {"_id": f"{number:024x}", "id": row["id"]}
        for name, value in row.items():
            if value is None or name == "id":
                continue
            if isinstance(value, dt.datetime):
                value = value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
            elif name in {"cardData", "gguf"}:
                value = json.loads(value)
            elif name == "safetensors":
                parts = {kind: n for kind, n in value["parameters"].items() if n is not None}
                value = {"parameters": parts, "total": value["total"]}
            found[name] = value
        # The cut has no such column: a few of each, so that the field is seen.
        found["gated"] = ("manual" if number % 17 == 0 else "auto") if number % 5 == 0 else False
        rows.append(found)
    return tuple(rows)


class Models:
    """The listing and the single repositories.

    Parameters
    ----------
    rows : iterable of dict
        Repositories as the API gives them, each with ``_id``, ``id`` and ``createdAt``.
    largest_page : int
        The server's own limit of rows a page, whatever is asked for.
    window : int
        Requests of one window of the rate limit, as the headers tell; the limit itself is a fault
        (:func:`storm`).
    """

    def __init__(self, rows: Iterable[Row], *, largest_page: int = 1000, window: int = 500) -> None:
        self.largest_page = largest_page
        self.window = window
        self.rows = sorted(rows, key=lambda row: row["_id"])
        self.rows.sort(key=lambda row: str(row["createdAt"]), reverse=True)
        self._by_id = {row["id"]: row for row in self.rows}
        self._groups: dict[tuple[str, str], list[Row]] = {("", ""): self.rows}
        for row in self.rows:
            self._groups.setdefault(("author", row["author"]), []).append(row)
            for tag in row.get("tags", ()):
                self._groups.setdefault(("filter", tag), []).append(row)
        self._asked = 0
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Response | None:
        """Answer what begins with /api/models."""
        if request.path == "/api/models":
            found = self._list(request)
        elif request.path.startswith("/api/models/"):
            row = self._by_id.get(request.path.removeprefix("/api/models/"))
            if row is None:
                return None
            found = _json(self._expanded(row, request.values("expand")))
        else:
            return None
        with self._lock:
            self._asked += 1
            left = self.window - self._asked % self.window - 1
        found = found.with_headers(
            RateLimit=f'"api";r={max(left, 1)};t=55',
            RateLimit_Policy=f'"fixed window";"api";q={self.window};w=300',
            Date=_date_of(request),
        )
        return found

    def _list(self, request: Request) -> Response:
        author, tags = request.value("author"), request.values("filter")
        rows = self._groups.get(("author", author), []) if author else self.rows
        for tag in tags:
            with_tag = self._groups.get(("filter", tag), [])
            names = {one["id"] for one in with_tag}
            rows = [one for one in rows if one["id"] in names] if author else with_tag
        if request.value("sort") not in {"", "createdAt"}:
            key = request.value("sort")
            rows = sorted(rows, key=lambda row: row["_id"])
            rows.sort(key=lambda row: row.get(key) or 0, reverse=True)
        else:
            key = "createdAt"
        limit = min(int(request.value("limit", "1000")), self.largest_page)
        if cursor := request.value("cursor"):
            try:
                after = _read_cursor(cursor, key)
            except (ValueError, KeyError, TypeError, IndexError):
                return _json({"error": "Invalid cursor"}, 400)
            # The first row behind the cursor's place, wherever rows moved since.
            start = next((at for at, row in enumerate(rows) if _behind(row, key, after)), len(rows))
        else:
            start = 0
        page = rows[start : start + limit]
        answer = _json([self._expanded(row, request.values("expand")) for row in page])
        if start + limit < len(rows):
            kept = [pair for pair in request.query if pair[0] != "cursor"]
            kept.append(("cursor", _cursor(page[-1], key)))
            url = f"http://{request.headers['host']}{request.path}?{urlencode(kept)}"
            answer = answer.with_headers(Link=f'<{url}>; rel="next"')
        return answer

    @staticmethod
    def _expanded(row: Row, names: list[str]) -> Row:
        if not names:
            names = ["likes", "downloads", "tags", "pipeline_tag", "library_name", "createdAt"]
        return {name: row[name] for name in (*ALWAYS, *names) if name in row}


def _json(content: object, status: int = 200) -> Response:
    try:
        body = json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character
        body = json.dumps(content).encode()
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8"})


def _cursor(row: Row, key: str) -> str:
    place = [{key: row[key], "_id": {"$gt": row["_id"]}}, {key: {"$lt": row[key]}}]
    return base64.b64encode(json.dumps({"$or": place}, separators=(",", ":")).encode()).decode()


def _read_cursor(text: str, key: str) -> tuple[Any, str]:
    place = json.loads(base64.b64decode(text, validate=True))["$or"]
    return place[1][key]["$lt"], place[0]["_id"]["$gt"]


def _behind(row: Row, key: str, after: tuple[Any, str]) -> bool:
    value, name = after
    return bool(row[key] < value or (row[key] == value and row["_id"] > name))


def _date_of(request: Request) -> str:
    seconds = zlib.crc32(request.target.encode()) % 86_400
    return email.utils.format_datetime(CLOCK + dt.timedelta(seconds=seconds), usegmt=True)


# --------------------------------------------------------------------------------------- faults


def listing(request: Request) -> bool:
    """Tell pages of the listing from everything else."""
    return request.path == "/api/models"


def later_page(request: Request) -> bool:
    """Tell pages after the first of a listing."""
    return listing(request) and bool(request.value("cursor"))


def times(
    number: int, change: Fault, when: Callable[[Request], bool] = listing, *, skip: int = 0
) -> Fault:
    """Apply a fault to so many of the requests that it concerns, after the first `skip` of them."""
    lock = threading.Lock()
    met = 0

    def fault(request: Request, answer: Response) -> Response:
        nonlocal met
        if not when(request):
            return answer
        with lock:
            met += 1
            hit = skip < met <= skip + number
        return change(request, answer) if hit else answer

    return fault


def status(code: int, **headers: str) -> Fault:
    """Answer with an error status instead of the page."""

    def change(request: Request, answer: Response) -> Response:
        return _json({"error": f"fault {code}"}, code).with_headers(**headers)

    return change


def storm(number: int, seconds: int = 55, *, skip: int = 0) -> Fault:
    """Refuse so many requests with 429 and the headers that tell when to come back."""
    return times(
        number,
        status(
            429,
            RateLimit=f'"api";r=0;t={seconds}',
            RateLimit_Policy='"fixed window";"api";q=500;w=300',
            Retry_After=str(seconds),
        ),
        skip=skip,
    )


def cut_short(request: Request, answer: Response) -> Response:
    """Hang up in the middle of the body."""
    return replace(answer, cut=len(answer.body) // 2)


def slowly(seconds: float, pieces: int = 4) -> Fault:
    """Let the bytes drip."""
    return lambda request, answer: replace(answer, drip=seconds, pieces=pieces)


def body(content: bytes, kind: str = "application/json") -> Fault:
    """Send other bytes with status 200."""
    return lambda request, answer: Response(200, content, {"Content-Type": kind})


def packed(request: Request, answer: Response) -> Response:
    """Send the body compressed, as the Hub does for clients that take it."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return answer
    small = replace(answer, body=gzip.compress(answer.body, mtime=0))
    return small.with_headers(Content_Encoding="gzip")


def rows(change: Callable[[list[Row]], object]) -> Fault:
    """Send other rows under the page's own headers."""

    def fault(request: Request, answer: Response) -> Response:
        if answer.status != 200:
            return answer
        return replace(answer, body=_json(change(json.loads(answer.body))).body)

    return fault


def repeating() -> Fault:
    """Begin each later page with the last rows of the page before, as a moving order does."""
    before: list[Row] = []

    def change(page: list[Row]) -> list[Row]:
        head = [{**row, "downloads": (row.get("downloads") or 0) + 1} for row in before]
        before[:] = page[-3:]
        return head + page

    return times(10**9, rows(change))


def link_to(url: Callable[[Request], str]) -> Fault:
    """Send another link to the next page."""
    return lambda request, answer: answer.with_headers(Link=f'<{url(request)}>; rel="next"')


def to_itself(request: Request) -> str:
    """Name the page itself as the next one."""
    return f"http://{request.headers['host']}{quote(request.target, safe='/?&=%')}"


# ------------------------------------------------------------------------- for scale alone


class ManyModels:
    """So many pages of a thousand rows: the real rows again and again under other ids.

    Synthetic, for measures of memory and time alone; the cursor is the number of the page.
    """

    def __init__(self, rows: Iterable[Row], pages: int, page_rows: int = 1000) -> None:
        self.pages, self.page_rows = pages, page_rows
        self._parts = []
        for row in rows:
            text = json.dumps({"id": "\0", **{k: v for k, v in row.items() if k != "id"}})
            before, after = text.split('"\\u0000"', 1)
            self._parts.append((before, row["id"], after))

    def __call__(self, request: Request) -> Response | None:
        """Answer the listing; every field is given."""
        if not listing(request):
            return None
        number = int(request.value("cursor", "0"))
        start = number * self.page_rows
        rows = [
            f'{before}"{name}-{place // len(self._parts)}"{after}'
            for place in range(start, start + self.page_rows)
            for before, name, after in (self._parts[place % len(self._parts)],)
        ]
        answer = Response(200, f"[{','.join(rows)}]".encode()).with_headers(Date=_date_of(request))
        if number + 1 < self.pages:
            kept = [pair for pair in request.query if pair[0] != "cursor"]
            url = f"{request.path}?{urlencode([*kept, ('cursor', number + 1)])}"
            answer = answer.with_headers(Link=f'<{url}>; rel="next"')
        return answer
