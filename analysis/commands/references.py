"""``compare-references``: our copies of published figures against the public files."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from analysis import raw
from analysis.errors import InputError, RecordError
from analysis.snapshot import copies

_DESCRIPTION = """\
Fetch the public files behind data/reference and compare our copies with them, cell by cell.

The figures in data/reference are copies of what others published. No hash is pinned for them, so
this command reads the public files afresh and says of each table one of three things:

  same          every cell that can be compared is the same, rounded as our copy is
  differs       some are not: the first of them are printed, all of them with --json
  not compared  why, and what to do: no public file, no network, a file of another form

Which file, which key in it and which column is compared with which is declared in
data/reference.toml (`public` of each table). Files are looked for in OMR_MIRROR first, then fetched
from their commit on GitHub; OMR_ATTEMPTS and OMR_LONGEST_WAIT limit how long that is tried. Nothing
is kept, and no copy is changed.

exit status:
  0  nothing differs (read the last line: some tables may not have been compared)
  1  a table differs; with --strict also when one could not be compared that has a public file
  2  the input is wrong: an unknown table, or a mistake in data/reference.toml or in a copy
"""

_EPILOG = """\
examples:
  python -m analysis compare-references
  python -m analysis compare-references modelrank-network-monthly --json
  python -m analysis compare-references --strict      for a weekly run with a network
"""

#: Differences printed for a table.
_FIRST = 5


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "compare-references",
        help="compare our copies of published figures with the public files",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("tables", nargs="*", metavar="TABLE", help="only these tables")
    command.add_argument(
        "--strict", action="store_true", help="a table that could not be compared is a failure too"
    )
    command.add_argument("--json", action="store_true", help="print JSON, every difference in it")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run ``compare-references``."""
    declared = copies.parse(raw.declared("reference"))
    wanted = [name if name.endswith(".csv") else f"{name}.csv" for name in args.tables]
    for name in wanted:
        if name not in declared:
            there = ", ".join(file.removesuffix(".csv") for file in declared)
            raise InputError(f"{name}: no table of data/reference; there are: {there}")
    files = raw.public_files()
    results = [
        _compared(name, page, how, files)
        for name, (page, how) in declared.items()
        if not wanted or name in wanted
    ]
    if args.json:
        print(json.dumps([_plain(one, declared) for one in results], ensure_ascii=False, indent=1))
    else:
        for one in results:
            _print(one, declared[one.table][1])
        count = {state: sum(one.state == state for one in results) for state in _STATES}
        print(", ".join(f"{number} {state}" for state, number in count.items()))
    failed = any(one.state == copies.DIFFERS for one in results)
    if args.strict:
        failed |= any(
            one.state == copies.NOT_COMPARED and declared[one.table][1].none is None
            for one in results
        )
    return 1 if failed else 0


_STATES = (copies.SAME, copies.DIFFERS, copies.NOT_COMPARED)


def _compared(
    name: str, page: str, how: copies.Public, files: raw.PublicFiles
) -> copies.Comparison:
    """Compare one table; what cannot be had is its reason, and no error of the command."""
    if how.none is not None:
        return copies.Comparison(name, copies.NOT_COMPARED, f"no one public file: {how.none}")
    path = raw.data_dir() / "reference" / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); restore the file") from None
    ours = copies.rows_of(content, f"data/reference/{name}")
    columns = set(ours[0]) if ours else set()
    unknown = sorted(columns ^ {*how.columns, *how.left_out, *how.fills})
    if unknown:
        raise InputError(
            f"data/reference.toml: {name}: the column {unknown[0]} stands on one side only: name "
            "each column of the copy in `columns`, `left_out` or `pages`"
        )
    parts = []
    for where, rows in copies.pages(ours, page, how).items():
        url = raw.raw_address(where)
        try:
            parts.append(copies.compare(name, rows, files.read(url), url, how))
        except RecordError as error:
            parts.append(copies.Comparison(name, copies.NOT_COMPARED, str(error)))
    return copies.joined(parts)


def _print(one: copies.Comparison, how: copies.Public) -> None:
    print(f"{one.table.removesuffix('.csv'):<32}{one.state}")
    if one.cells:
        told = f"{one.cells} cells in {one.rows} rows of {one.files} file"
        print(f"    {told}{'' if one.files == 1 else 's'} compared")
    if one.only_there:
        print(f"    {one.only_there} rows are in the public file only: {how.extract}")
    for name, why in how.left_out.items():
        if one.cells:
            print(f"    {name} is not compared: {why}")
    if one.reason:
        print(f"    {' '.join(one.reason.split())}")
    for found in one.differences[:_FIRST]:
        column = f", {found.column}" if found.column else ""
        print(f"    {found.row}{column}: here {found.ours}, there {found.theirs}")
    if len(one.differences) > _FIRST:
        print(f"    and {len(one.differences) - _FIRST} more: --json prints them all")


def _plain(
    one: copies.Comparison, declared: dict[str, tuple[str, copies.Public]]
) -> dict[str, Any]:
    page, how = declared[one.table]
    return {
        **asdict(one),
        "table": one.table.removesuffix(".csv"),
        "pages": None if how.none is not None else page,
        "left_out": dict(how.left_out),
    }
