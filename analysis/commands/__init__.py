"""The command line, one module a group of commands.

``python -m analysis COMMAND --help`` explains each command. Every command takes
``--json``. A mistake in the input is one line on standard error and exit status 2.
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import errno
import importlib
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from analysis.errors import InputError, RecordError, one_line

_MODULES = (
    *("sources", "pinning", "peeking", "capturing", "shares", "lineage", "licences", "releases"),
    *("witnesses", "references", "rerun", "series", "claims", "build"),
)

_EPILOG = """\
examples:
  python -m analysis sources                     what the record rests on
  python -m analysis fetch --all                 fetch and verify every raw file
  python -m analysis share --snapshot hub-stats-2026-05 --population tracked-2026-05-25
  python -m analysis licences                    thresholds of users in the licence texts
  python -m analysis releases --list             models and releases a month, and each release
  python -m analysis derivatives --snapshot lineage-2025-06 --count transitive
  python -m analysis witnesses --family qwen     what every instrument says of Qwen, by day
  python -m analysis compare-references          our copies of published figures, and the originals
  python -m analysis claims                      every claim with its verdicts
  python -m analysis claim february-153-6m       one claim in full
  python -m analysis inspect FILE --kind hub-snapshot
  python -m analysis inspect FILE --kind lineage-edges
  python -m analysis build --check               rebuild the tables and compare byte for byte

newer snapshots:
  python -m analysis pin --list hfmlsoc/hub_weekly_snapshots    the days that can be registered
  python -m analysis peek weekly-2026-09-30 --columns downloads some columns of a large file
  python -m analysis capture OUT --families qwen one of your own, of the live Hub
  python -m analysis rerun hub-stats-2026-05     every claim that one snapshot can answer
  python -m analysis series --glob 'llmfit-*'    shares over days, with what may be compared

OMR_MIRROR names a folder that holds the raw files under their public addresses,
OMR_CACHE the folder in which fetched files are kept. OMR_LIMITS=N reads files N times
as large as is thought sound; OMR_TRACEBACK=1 shows where a full disk or memory was met.
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line too; ``--help`` has the usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments and end with status 2."""
        self.exit(2, f"error: {one_line(message)}; `{self.prog} --help` explains\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = _Parser(
        prog="python -m analysis",
        description="The Open-Model Record: raw Hub snapshots in, checked claims out.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in _MODULES:
        importlib.import_module(f"analysis.commands.{name}").register(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        Arguments after the program's name; those of the process when left out.

    Returns
    -------
    int
        Exit status: 0, or 2 when something in the input is wrong, or the machine refuses (a full
        disk, no memory). An error of ours keeps its traceback: it is to be reported.
    """
    _prepare_streams()
    try:
        if any("\0" in text for text in argv or ()):
            # No shell can give one; no path can hold it.
            raise InputError("an argument holds a NUL character: leave it out")
        args = parser().parse_args(argv)
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except RecordError as error:
        return _fail(str(error), error.exit_status)
    except BrokenPipeError:
        # The reader (head, less) went away: not an error of ours.
        _drop_output()
        return 0
    except OSError as error:
        if error.errno is None or os.environ.get(_TRACEBACK):
            raise
        return _fail(f"{_refused_at(error)}: {_ADVICE.get(error.errno, error.strerror)}")
    except MemoryError:
        if os.environ.get(_TRACEBACK):
            raise
        return _fail("not enough memory for this; close other programs, or ask for less at a time")
    except KeyboardInterrupt:
        return _fail("interrupted; no half-written file has its final name", 130)


_ADVICE = {
    errno.ENOSPC: "the disk is full: free space, or name another place",
    errno.EDQUOT: "your quota of the disk is used up: free space, or name another place",
    errno.EFBIG: "larger than files may be here: name another place",
    errno.EROFS: "the disk is read-only: name another place",
    errno.EACCES: "no permission: check its rights, or name another place",
    errno.EPERM: "no permission: check its rights, or name another place",
}

#: Set to anything, it lets an error of the machine show where it arose.
_TRACEBACK = "OMR_TRACEBACK"


def _fail(message: str, status: int = RecordError.exit_status) -> int:
    with contextlib.suppress(OSError):  # standard error may be closed or full
        sys.stderr.write(f"error: {one_line(message)}\n")
        sys.stderr.flush()
    return status


def _refused_at(error: OSError) -> str:
    """Name what could not be read or written; a write that fails does not say of what."""
    if error.filename:
        return os.fsdecode(error.filename)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    _drop_output()
    return "standard output, or a file being written"


def _drop_output() -> None:
    """Send what is still to be printed nowhere, so that the end of the process is quiet."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare_streams() -> None:
    """Make streams that were closed silent, and let none refuse a letter."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Left open on purpose: it lives as long as the process.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper) and stream.errors in (
            "strict",
            "surrogateescape",
        ):
            stream.reconfigure(errors=_ESCAPED)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Write letters that a stream cannot take as JSON does: ``\u00e9``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    part = error.object[error.start : error.end]
    return "".join(json.dumps(letter)[1:-1] for letter in part), error.end


_ESCAPED = "open-model-record-escaped"
codecs.register_error(_ESCAPED, _escaped)
