"""Commands in processes of their own, forked from one that has imported everything: 20 a second.

``python -m tests.support.forking`` reads one JSON list of cases from standard input and prints one
JSON object a case. Only for systems that fork.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TypedDict

#: Status of a case that raised what no command may raise.
RAISED = 99


class Result(TypedDict):
    """What came of one command."""

    status: int
    out: str
    err: str
    seconds: float
    megabytes: float


def run(argv: list[str], *, seconds: int = 60, memory: int = 0, user: int = 0) -> Result:
    """Run a command in a forked process; a negative status is the signal that ended it.

    Parameters
    ----------
    argv : list of str
        Arguments of the command line.
    seconds : int
        After so long the process is ended.
    memory : int
        Most bytes of addresses that the process may use; 0 for no bound.
    user : int
        Number of the user who runs it, where that is not the present one; 0 for the present one.
    """
    import resource  # of Unix alone, as forks are

    from analysis.commands import main

    begin = time.perf_counter()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            status = RAISED
            try:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.stdout = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False), "utf-8")
                sys.stderr = io.TextIOWrapper(
                    io.FileIO(2, "wb", closefd=False), "utf-8", "backslashreplace"
                )
                signal.alarm(seconds)
                if memory:
                    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
                if user:
                    os.setgroups([])
                    os.setgid(user)
                    os.setuid(user)
                status = main(argv)
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else RAISED
            except BaseException:
                traceback.print_exc()
            finally:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
                os._exit(status)
        _, ended, used = os.wait4(child, 0)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    return {
        "status": os.waitstatus_to_exitcode(ended),
        "out": texts[0],
        "err": texts[1],
        "seconds": time.perf_counter() - begin,
        # Linux counts in kilobytes, macOS in bytes.
        "megabytes": used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3),
    }


def complaints(result: Result, *, valid: bool = True) -> list[str]:
    """Return what is wrong with how a command ended: no more than one harmless line, status 2.

    Parameters
    ----------
    result : Result
        What came of it.
    valid : bool
        Whether it may also have succeeded, with JSON on standard output and nothing else.
    """
    if result["status"] == 0 and valid:
        found = [] if not result["err"] else ["it succeeded and complained"]
        try:
            json.loads(result["out"], parse_constant=lambda name: 1 / 0)
        except (ValueError, ZeroDivisionError) as error:
            found.append(f"no JSON on standard output: {error!r}")
        return found
    line, end, more = result["err"].partition("\n")
    return [
        what
        for what, right in (
            (f"status {result['status']}, not 2", result["status"] == 2),
            ("more than one line", bool(end) and not more),
            ("no error line", line.startswith("error: ")),
            ("a control character in the line", line.isprintable()),
            (f"{len(line):,} letters", len(line) < 5000),
            ("output beside the error", not result["out"]),
        )
        if not right
    ]


def main_of_cases() -> None:
    """Read files, made here or named by a path, as each kind; print what came of it."""
    from analysis import snapshot  # noqa: F401  (imported before the forks)
    from analysis.commands import parser
    from tests.support import bad_files

    parser()
    for case in json.load(sys.stdin):
        with tempfile.TemporaryDirectory() as folder:
            make = bad_files.ALL.get(case["file"])
            path = make(Path(folder)) if make is not None else Path(case["file"])
            for kind in case["kinds"]:
                argv = ["inspect", str(path), "--kind", kind, "--json"]
                found = run(argv, memory=case["memory"])
                wrong = complaints(found)
                shown = {"file": case["file"], "kind": kind, "wrong": wrong, "out": ""}
                print(json.dumps({**found, **shown}), flush=True)


if __name__ == "__main__":
    main_of_cases()
