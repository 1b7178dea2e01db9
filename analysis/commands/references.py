"""``compare-references``: our copies of published tables against the public files."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from analysis.errors import InputError, RecordError

_DESCRIPTION = """\
Hold our copies in data/reference against the public files that they were copied from.

Each table of data/reference.toml names its source at a commit, and how its columns are called
there. The public file is fetched (OMR_MIRROR first, then the network), compared cell by cell, and
not kept. One line a table:

  same          every cell that our copy shares with the public file is equal
  differs       the first cells that are not, ours and theirs
  not compared  the public file could not be had or read, or no program can compare it:
                why, and what to do

A number that our copy rounds is the same if the public one rounds to it. Rows that our copy leaves
out on purpose (an extract) are no difference; rows of ours that the public file lacks are.
"""

_EPILOG = """\
exit status:
  0  no table differs, and every public file that a program can compare was had and read
  1  at least one table differs
  2  none differs, but at least one public file could not be had or read (or an argument is wrong)

examples:
  python -m analysis compare-references
  python -m analysis compare-references modelrank-network-monthly --json
  OMR_ATTEMPTS=2 python -m analysis compare-references      # give up sooner without a network

A difference means that one of the two changed. The commit in the address cannot change, so look at
our copy first: `git log -p data/reference`.
"""

#: Differences that the lines for people show of each table.
_SHOWN = 5


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "compare-references",
        help="hold data/reference against the public files it was copied from",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "names", nargs="*", metavar="TABLE", help="a table of data/reference; all when left out"
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run ``compare-references``."""
    from analysis import raw, tables
    from analysis.measure import copies

    declared = copies.parse(raw.declared("reference")).table
    known = [entry.name for entry in declared]
    if strange := [name for name in args.names if name.removesuffix(".csv") not in known]:
        raise InputError(
            f"no table of data/reference is called {strange[0]!r}; there are: {', '.join(known)}"
        )
    wanted = [name.removesuffix(".csv") for name in args.names] or known
    had: dict[str, bytes | RecordError] = {}

    def fetch(url: str) -> bytes:
        """Ask for each file once, also where it cannot be had."""
        if url not in had:
            try:
                had[url] = raw.download(url)
            except RecordError as error:
                had[url] = error
        got = had[url]
        if isinstance(got, RecordError):
            raise got
        return got

    outcomes = []
    for entry in declared:
        if entry.name not in wanted:
            continue
        outcome = copies.compare(entry, tables.by_hand(f"reference/{entry.name}"), fetch)
        outcomes.append(outcome)
        if not args.json:
            _print(outcome)
            sys.stdout.flush()
    if args.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes], indent=1, ensure_ascii=False))
    if any(outcome.state == "differs" for outcome in outcomes):
        return 1
    return 2 if any(outcome.failed for outcome in outcomes) else 0


def _print(outcome: object) -> None:
    from analysis.measure.copies import Outcome

    assert isinstance(outcome, Outcome)
    line = f"{outcome.table}: {outcome.state}"
    if outcome.state == "same":
        files = f"{len(outcome.files)} file{'' if len(outcome.files) == 1 else 's'}"
        line += f" ({outcome.cells:,} cells, {files})"
    if outcome.why:
        line += f": {outcome.why}"
    print(line)
    for difference in outcome.differences[:_SHOWN]:
        print(f"  {difference}")
    hidden = len(outcome.differences) - _SHOWN + outcome.more
    if hidden > 0:
        print(f"  and {hidden:,} more; --json lists the first of them")
    if outcome.left_out and outcome.state in ("same", "differs"):
        print(f"  in our copy only: {', '.join(outcome.left_out)}")
    if outcome.what_to_do:
        print(f"  {outcome.what_to_do}")
