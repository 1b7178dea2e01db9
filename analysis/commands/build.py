"""``build``: from raw files to the derived tables."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from analysis import tables
from analysis.errors import InputError, IntegrityError


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
    build.add_argument(
        "--with",
        dest="extra",
        nargs="+",
        default=[],
        metavar="NAME",
        help=(
            "also read these pinned snapshots of the whole Hub, such as weekly-2026-02-25, and "
            "say which verdicts they change; needs --to"
        ),
    )
    build.add_argument(
        "--to", type=Path, metavar="FOLDER", help="write the tables there, not into data/derived"
    )
    build.add_argument("--json", action="store_true", help="print JSON")
    build.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run ``build``."""
    from analysis import builder

    if args.extra and args.to is None:
        raise InputError(
            "build: --with makes other tables than those of the record: name a folder with --to"
        )
    if args.to is not None:
        if args.check:
            raise InputError("build: --check writes nothing: leave --to out")
        builder.refuse_others(args.to)

    with tqdm(unit=" step", disable=not sys.stderr.isatty(), leave=False) as bar:

        def progress(what: str) -> None:
            bar.set_description(what)
            bar.update()

        files = builder.derive(progress, tuple(args.extra))
    if args.to is not None:
        return _beside(args, files)
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


def _beside(args: argparse.Namespace, files: dict[str, bytes]) -> int:
    """Write a build into a folder of its own and say which verdicts differ from the record's."""
    from analysis import builder

    ours = {one["id"]: one for one in tables.claims()}
    changed = []
    for after in json.loads(files["claims.json"]):
        before = ours.get(after["id"], {})
        for axis in ("recreated", "robust", "later"):
            if (old := before.get(axis)) != (new := after.get(axis)):
                changed.append({"claim": after["id"], "axis": axis, "record": old, "with": new})
    builder.write(files, args.to)
    if args.json:
        print(json.dumps({"files": len(files), "changed": changed}, indent=1))
        return 0
    print(f"{len(files)} derived files in {args.to}; verdicts and reasons that differ:")
    for one in changed:
        print(f"{one['claim']}, {one['axis']}")
        print(f"    in the record: {_said(one['record'])}")
        print(f"    in this build: {_said(one['with'])}")
    if not changed:
        print("none")
    return 0


def _said(axis: dict[str, str] | None) -> str:
    return "nothing" if not axis else f"{axis['verdict']} ({axis['reason']})"
