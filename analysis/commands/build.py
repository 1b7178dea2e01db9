"""``build``: from raw files to the derived tables."""

from __future__ import annotations

import argparse
import json
import sys

from tqdm import tqdm

from analysis.errors import IntegrityError


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    build = commands.add_parser(
        "build",
        help="rebuild data/derived from the raw files",
        description=(
            "Fetch what the claims rest on, read it, calibrate, evaluate every claim and write "
            "data/derived. The same raw files and rules give the same bytes."
        ),
    )
    build.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail unless the committed tables come out byte for byte",
    )
    build.add_argument("--json", action="store_true", help="print JSON")
    build.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run ``build``."""
    from analysis import builder

    with tqdm(unit=" step", disable=not sys.stderr.isatty(), leave=False) as bar:

        def progress(what: str) -> None:
            bar.set_description(what)
            bar.update()

        files = builder.derive(progress)
    different = builder.compare(files)
    if args.check:
        if args.json:
            print(json.dumps({"files": len(files), "different": different}, indent=1))
        elif not different:
            print(f"{len(files)} derived files come out byte for byte as committed")
        if different:
            raise IntegrityError(
                f"data/derived: {', '.join(different)}: not what the raw files give; "
                "run `make data` and look at the difference"
            )
        return 0
    builder.write(files)
    if args.json:
        print(json.dumps({"files": len(files), "changed": different}, indent=1))
    else:
        print(
            f"{len(files)} derived files, {len(different)} changed"
            + (": " + ", ".join(different) if different else "")
        )
    return 0
