"""A server on loopback that speaks the Hub's protocol, with faults that can be switched on.

The real client (huggingface_hub) talks to it through ``HF_ENDPOINT``. This module holds what every
part of the Hub shares: requests, responses, ranges, and faults of the wire. What the Hub serves
(listings of models, files of data sets) are pages in modules of their own, mounted here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One request: path decoded, query in order, header names in small letters."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    target: str
    number: int

    def values(self, name: str) -> list[str]:
        """Return all values of one parameter, in order."""
        return [value for key, value in self.query if key == name]

    def value(self, name: str, default: str = "") -> str:
        """Return the last value of one parameter."""
        return (self.values(name) or [default])[-1]


@dataclass(frozen=True)
class Response:
    """One answer.

    `cut` sends only so many bytes of the body under the length of the whole, and hangs up;
    `pause` waits before the status line; `drip` waits after each of `pieces` parts of the body.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    pause: float = 0.0
    drip: float = 0.0
    pieces: int = 8

    def with_headers(self, **more: str) -> Response:
        """Return the same answer with more headers; underscores stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return replace(self, headers={**self.headers, **named})


#: What answers requests: None where a path is not its own.
Pages = Callable[[Request], Response | None]
#: What stands in the way: gets the request and the true answer, returns what is sent instead.
Fault = Callable[[Request, Response], Response]


def ranged(request: Request, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with the part of `body` that a Range header asks for, or with all of it."""
    common = {"Accept-Ranges": "bytes", **(headers or {})}
    asked = request.headers.get("range", "")
    if not asked:
        return Response(200, body, common)
    unit, _, span = asked.partition("=")
    first, _, last = span.partition("-")
    if unit != "bytes" or "," in span:
        return Response(200, body, common)
    start = int(first) if first else max(len(body) - int(last), 0)
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    if start >= len(body) or end < start:
        return Response(416, b"", {**common, "Content-Range": f"bytes */{len(body)}"})
    part = body[start : end + 1]
    return Response(206, part, {**common, "Content-Range": f"bytes {start}-{end}/{len(body)}"})


class HubServer:
    """What is served, what goes wrong, and what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self._pages: list[Pages] = []
        self._lock = threading.Lock()

    def mount(self, pages: Pages) -> None:
        """Let `pages` answer what is theirs; the first that answers is heard."""
        self._pages.append(pages)

    def asked(self, start: str = "/") -> list[Request]:
        """Return the requests of paths that begin with `start`, in order."""
        with self._lock:
            return [one for one in self.requests if one.path.startswith(start)]

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> Response:
        """Find the answer to one request, faults among it."""
        parts = urlsplit(target)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        small = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            request = Request(
                method, unquote(parts.path), query, small, target, len(self.requests) + 1
            )
            self.requests.append(request)
        for pages in self._pages:
            found = pages(request)
            if found is not None:
                break
        else:
            found = Response(404, b'{"error":"Repository not found"}').with_headers(
                X_Error_Code="RepoNotFound"
            )
        for fault in tuple(self.faults):
            found = fault(request, found)
        return found


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up or is killed is part of these tests; anything else is their fault.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def hub_server(*pages: Pages) -> Iterator[HubServer]:
    """Run a server on a free port of 127.0.0.1 until the block ends."""
    hub = HubServer()
    for one in pages:
        hub.mount(one)
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two writes: without this the second waits 40 ms for the first's receipt.
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

        def _serve(self) -> None:
            answer = hub.answer(self.command, self.path, dict(self.headers.items()))
            ending.wait(answer.pause)
            try:
                phrase = HTTPStatus(answer.status).phrase
            except ValueError:
                phrase = "?"
            self.send_response_only(answer.status, phrase)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            if answer.cut is not None:
                self.send_header("Connection", "close")
            self.end_headers()
            if self.command == "HEAD":
                return
            body = answer.body if answer.cut is None else answer.body[: answer.cut]
            pieces = answer.pieces if answer.drip else 1
            size = max(-(-len(body) // pieces), 1)
            for start in range(0, len(body), size):
                self.wfile.write(body[start : start + size])
                self.wfile.flush()
                ending.wait(answer.drip)
            if answer.cut is not None:
                self.close_connection = True

        do_GET = _serve
        do_HEAD = _serve
        do_POST = _serve

    server = _Quiet(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        ending.set()
        server.shutdown()
        thread.join()
        server.server_close()
