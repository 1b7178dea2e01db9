"""The command line, one module a group of commands.

``python -m analysis COMMAND --help`` explains each command. Every command takes
``--json``. A mistake in the input is one line on standard error and exit status 2.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from analysis.errors import RecordError

_MODULES = (
    *("sources", "pinning", "peeking", "capturing", "shares", "lineage", "licences", "releases"),
    *("witnesses", "references", "rerun", "series", "claims", "build"),
)

_EPILOG = """\
examples:
  python -m analysis sources                     what the record rests on
  python -m analysis fetch --all                 fetch and verify every raw file
  python -m analysis pin --list hfmlsoc/hub_weekly_snapshots    what can be registered by day
  python -m analysis share --snapshot hub-stats-2026-05 --population tracked-2026-05-25
  python -m analysis series --glob 'llmfit-*'    shares over days, with what may be compared
  python -m analysis licences                    thresholds of users in the licence texts
  python -m analysis releases --list             models and releases a month, and each release
  python -m analysis derivatives --snapshot lineage-2025-06 --count transitive
  python -m analysis witnesses --family qwen     what every instrument says of Qwen, by day
  python -m analysis compare-references          our copies of published figures, and the originals
  python -m analysis claims                      every claim with its verdicts
  python -m analysis claim february-153-6m       one claim in full
  python -m analysis inspect FILE --kind hub-snapshot
  python -m analysis inspect FILE --kind lineage-edges
  python -m analysis capture OUT --families qwen take a snapshot of the live Hub
  python -m analysis build --check               rebuild the tables and compare byte for byte

OMR_MIRROR names a folder that holds the raw files under their public addresses,
OMR_CACHE the folder in which fetched files are kept.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
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
        Exit status: 0, or 2 when something in the input is wrong.
    """
    args = parser().parse_args(argv)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except RecordError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        # The reader (head, less) went away: not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("error: interrupted; nothing half-written was kept", file=sys.stderr)
        return 130
