"""A small HTTP server on loopback that misbehaves as it is told."""

from __future__ import annotations

import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer to one request.

    `declared` is the Content-Length sent, where it differs from the body's;
    with `declared=None` and `length=False` no length is sent at all. `pause`
    is waited before the headers, `stall` after the first half of the body.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None
    length: bool = True
    pause: float = 0.0
    stall: float = 0.0


class LoopbackServer:
    """Answers by script: the answers of a path are used up in order, the last one stays."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._script: dict[str, list[Answer]] = defaultdict(list)
        self._lock = threading.Lock()
        self.url = ""

    def says(self, path: str, *answers: Answer) -> None:
        """Set what is answered to requests for `path`."""
        self._script[path] = list(answers)

    def next_answer(self, path: str) -> Answer:
        with self._lock:
            self.requests.append(path)
            script = self._script.get(path)
            if not script:
                return Answer(404, b"no such page\n")
            return script.pop(0) if len(script) > 1 else script[0]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is part of these tests; anything else is a fault of them.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def loopback_server() -> Iterator[LoopbackServer]:
    """Run a server on a free port of 127.0.0.1 until the block ends."""
    script = LoopbackServer()
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

        def do_GET(self) -> None:
            answer = script.next_answer(self.path)
            ending.wait(answer.pause)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.length:
                declared = len(answer.body) if answer.declared is None else answer.declared
                self.send_header("Content-Length", str(declared))
            self.send_header("Connection", "close")
            self.end_headers()
            half = len(answer.body) // 2
            self.wfile.write(answer.body[:half])
            self.wfile.flush()
            ending.wait(answer.stall)
            self.wfile.write(answer.body[half:])
            self.close_connection = True

    server = _Quiet(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield script
    finally:
        ending.set()
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
