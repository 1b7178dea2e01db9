"""Kernels that start at once: one process imports what every page needs, each kernel is its fork.

A page of the book needs a kernel of its own, and two of its three seconds go to importing pandas
and Altair. `serve` imports them once and waits at a socket; Jupyter starts the small program
`client` as the kernel, which hands its connection file to the server and stays as the kernel's
stand-in: signals go on to the fork, and it ends when the fork does. `spec` writes the kernel
specification. Only where processes fork safely (Linux); elsewhere Jupyter starts kernels itself.

Charts are drawn by processes of their own, which all kernels share: the engine inside vl-convert
takes half a second to start, and no fork survives it. A drawing does not depend on earlier ones.

Usage: python tools/warm_kernels.py client SOCKET -f CONNECTION_FILE (started by Jupyter)
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

#: What the server imports before the first fork; nothing of it starts a thread when imported.
PRELOAD = ("ipykernel.kernelapp", "ipykernel.ipkernel", "altair", "vl_convert", "analysis.pages")
#: How long the first kernel waits for the server, in seconds.
PATIENCE = 60.0


def available() -> bool:
    """Whether kernels can be forked here."""
    return sys.platform.startswith("linux") and hasattr(socket, "AF_UNIX")


def spec(folder: Path, address: Path) -> None:
    """Write a kernel specification `python3` into a folder of JUPYTER_PATH."""
    target = folder / "kernels" / "python3"
    target.mkdir(parents=True)
    argv = [sys.executable, "-S", "-E", str(Path(__file__).resolve()), "client", str(address)]
    content = {
        "argv": [*argv, "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
    }
    (target / "kernel.json").write_text(json.dumps(content), encoding="utf-8")


@contextlib.contextmanager
def serving(scratch: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Run a server while the block runs; yield the environment in which Jupyter finds it."""
    if not available():
        yield environment
        return
    # A path of a socket may have a hundred letters; a scratch folder's is short enough, mostly.
    address = scratch / "kernels.sock"
    if len(os.fsencode(address)) > 100:
        yield environment
        return
    spec(scratch / "jupyter-data", address)
    command = [sys.executable, str(Path(__file__).resolve()), "serve", str(address)]
    with subprocess.Popen(command, env=environment, cwd=environment["PYTHONPATH"]) as server:
        watcher = threading.Thread(target=_note_end, args=(server, address))
        watcher.start()
        try:
            # It imports while Sphinx starts; the first kernel waits for it.
            yield {**environment, "JUPYTER_PATH": str(scratch / "jupyter-data")}
            if server.poll() is not None:
                raise RuntimeError("the kernels' server did not start; see the lines above")
        finally:
            server.terminate()
            watcher.join()


def _note_end(server: subprocess.Popen[bytes], address: Path) -> None:
    """Leave a mark when the server ends, so that nobody waits for it."""
    server.wait()
    with contextlib.suppress(OSError):
        address.with_suffix(".gone").touch()


def _reach(connection: socket.socket, address: str, seconds: float) -> None:
    """Connect to the server, which may still be starting."""
    end = time.monotonic() + seconds
    while True:
        try:
            connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > end or Path(address).with_suffix(".gone").exists():
                raise RuntimeError("the kernels' server did not start") from None
            time.sleep(0.02)
        else:
            return


def serve(address: str) -> None:
    """Import what pages need, then fork a kernel for each client."""
    for name in PRELOAD:
        importlib.import_module(name)
    pages = importlib.import_module("analysis.pages")
    for name in pages.CHAPTERS:
        importlib.import_module(f"analysis.pages.{name}")
    # What is imported stays for good: no fork need look at it, and its memory stays shared.
    gc.collect()
    gc.freeze()
    drawing = f"{address}.draw"
    drawers = _drawers(drawing)

    def end(*_: object) -> None:
        for drawer in drawers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(drawer, signal.SIGTERM)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    parent = os.getppid()
    # Forks that ended are not waited for: their clients see the socket close.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        waiting = f"{address}.new"
        listener.bind(waiting)
        listener.listen(64)
        listener.settimeout(1.0)
        os.rename(waiting, address)
        # Whoever started it may be killed: then it ends too, and so do the kernels.
        while os.getppid() == parent:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(None)
            if os.fork():
                connection.close()
                continue
            listener.close()
            _become_kernel(connection, drawing)


def _drawers(address: str) -> list[int]:
    """Start the processes that draw charts, as many as there are cores, and return their ids."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen(64)
    started = []
    parent = os.getpid()
    for _ in range(min(4, os.cpu_count() or 1)):
        drawer = os.fork()
        if not drawer:
            try:
                _draw(listener, parent)
            finally:
                os._exit(1)
        started.append(drawer)
    listener.close()
    return started


def _draw(listener: socket.socket, parent: int) -> None:
    """Answer calls of vl-convert, one a connection, until the server is gone."""
    import vl_convert

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    listener.settimeout(1.0)
    while os.getppid() == parent:
        try:
            asked, _ = listener.accept()
        except TimeoutError:
            continue
        asked.settimeout(None)
        with Connection(asked.detach()) as line, contextlib.suppress(EOFError, OSError):
            name, given, named = line.recv()
            try:
                answer = (True, getattr(vl_convert, name)(*given, **named))
            except Exception as error:
                # The engine's errors are texts; what else they hold may not travel.
                answer = (False, str(error))
            line.send(answer)


def _draw_elsewhere(address: str) -> None:
    """Let vl-convert's drawing functions call the processes that draw."""
    import vl_convert

    def calling(name: str) -> Callable[..., Any]:
        def call(*given: object, **named: object) -> Any:
            with Client(address, "AF_UNIX") as line:
                line.send((name, given, named))
                done, answer = line.recv()
            if not done:
                raise ValueError(answer)
            return answer

        return call

    for name in dir(vl_convert):
        if name.startswith(("vegalite_to_", "vega_to_", "svg_to_")):
            setattr(vl_convert, name, calling(name))


def _trust_charts() -> None:
    """Spare Altair comparing every part of a chart with its schema, which the tests do."""
    from altair.utils import schemapi

    schemapi.DEBUG_MODE = False
    schemapi.SchemaBase.validate = classmethod(lambda *_: None)


def _become_kernel(connection: socket.socket, drawing: str) -> None:
    """Turn this fork into the kernel that a client asks for; never returns."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        asked, handles, _, _ = socket.recv_fds(connection, 1 << 20, 3)
        while not asked.endswith(b"\n"):
            asked += connection.recv(1 << 20)
        wanted = json.loads(asked)
        for number, handle in enumerate(handles):
            os.dup2(handle, number)
            os.close(handle)
        os.setsid()
        os.chdir(wanted["folder"])
        os.environ.clear()
        os.environ.update(wanted["environment"])
        connection.sendall(struct.pack("!q", os.getpid()))
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        from ipykernel.kernelapp import IPKernelApp

        _draw_elsewhere(drawing)
        _trust_charts()
        # It ends itself when the server is gone.
        parent = f"--IPKernelApp.parent_handle={os.getppid()}"
        quiet = ["--HistoryManager.enabled=False"]
        IPKernelApp.launch_instance(argv=[*wanted["arguments"], parent, *quiet])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    finally:
        with contextlib.suppress(OSError):
            connection.sendall(struct.pack("!q", status))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _end_with(connection: socket.socket) -> None:
    """End this kernel when its stand-in was killed: what is read then is the end of the socket."""
    if not connection.recv(1):
        os._exit(1)


def client(address: str, arguments: list[str]) -> int:
    """Ask the server for a kernel, and stand in for it until it ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        _reach(connection, address, PATIENCE)
        wanted = {
            "arguments": arguments,
            "folder": os.getcwd(),
            "environment": dict(os.environ),
        }
        handles = array.array("i", [0, 1, 2])
        line = json.dumps(wanted).encode() + b"\n"
        sent = connection.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
        connection.sendall(line[sent:])
        kernel = _number(connection)
        if kernel is None:
            return 1

        def pass_on(number: int, _frame: object) -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(kernel, number)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, pass_on)
        status = _number(connection)
        return 1 if status is None else status


def _number(connection: socket.socket) -> int | None:
    """Read one number; None when the other side is gone."""
    content = b""
    while len(content) < 8:
        part = connection.recv(8 - len(content))
        if not part:
            return None
        content += part
    number: int = struct.unpack("!q", content)[0]
    return number


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(client(sys.argv[2], sys.argv[3:]))
