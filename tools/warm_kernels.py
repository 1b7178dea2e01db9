"""Kernels that start at once: one process imports what every page needs, each kernel is its fork.

A page of the book needs a kernel of its own, and two of its three seconds go to importing pandas
and Altair. `serve` imports them once and waits at a socket; Jupyter starts the small program
`client` as the kernel, which hands its connection file to the server and stays as the kernel's
stand-in: signals go on to the fork, and it ends when the fork does. `spec` writes the kernel
specification. Only where processes fork safely (Linux); elsewhere Jupyter starts kernels itself.

Usage: python tools/warm_kernels.py client SOCKET -f CONNECTION_FILE (started by Jupyter)
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

#: What the server imports before the first fork; nothing of it starts a thread when imported.
PRELOAD = ("ipykernel.kernelapp", "ipykernel.ipkernel", "altair", "analysis.pages")


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
        try:
            _await(address, server)
            yield {**environment, "JUPYTER_PATH": str(scratch / "jupyter-data")}
        finally:
            server.terminate()


def _await(address: Path, server: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not address.exists():
        if server.poll() is not None or time.monotonic() > end:
            raise RuntimeError("the kernels' server did not start; see the lines above")
        time.sleep(0.02)


def serve(address: str) -> None:
    """Import what pages need, then fork a kernel for each client."""
    import importlib

    for name in PRELOAD:
        importlib.import_module(name)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
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
            _become_kernel(connection)


def _become_kernel(connection: socket.socket) -> None:
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

        # It ends itself when the server is gone.
        parent = f"--IPKernelApp.parent_handle={os.getppid()}"
        IPKernelApp.launch_instance(argv=[*wanted["arguments"], parent])
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
        connection.connect(address)
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
