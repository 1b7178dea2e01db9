"""``pin``: a file of a Hub data set becomes a row of the registry."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from analysis.errors import InputError
from analysis.raw import pinning

_EPILOG = """\
examples:
  python -m analysis pin --list hfmlsoc/hub_weekly_snapshots --under models
      what can be pinned, by day, with its size, and what is pinned already
  python -m analysis pin hfmlsoc/hub_weekly_snapshots models/2026-02-25/models.parquet --dry-run
      the block that would be written, and nothing else
  python -m analysis pin hfmlsoc/hub_weekly_snapshots models/2026-02-25/models.parquet
      writes it into data/sources/weekly.toml, in order of day and name
  python -m analysis fetch weekly-2026-02-25
      downloads it: goes on where it broke off, checks size before and sha256 after
  python -m analysis pin someone/snapshots day.parquet --as-of 2026-03-01 --kind hub-snapshot \\
      --upstream hub-api
      a repository that is new to the registry gets a file of its own

A file in git itself (small ones) has no sha256 at the Hub: --hash downloads it and computes one.
Pinning what is pinned already changes nothing, says so, and is no error.
HF_ENDPOINT names another Hub, HF_HUB_OFFLINE forbids to ask it. For gated or private data sets log
in with `hf auth login`: the token goes to the Hub only.
"""


def register(subparsers: Any) -> None:
    """Add the command to a parser.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``ArgumentParser.add_subparsers`` returned.
    """
    command = subparsers.add_parser(
        "pin",
        help="register a file of a Hub data set by commit, size and sha256",
        description=pin.__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("repository", metavar="REPO", help="a data set: OWNER/NAME")
    command.add_argument("path", metavar="PATH", nargs="?", help="a file in it")
    command.add_argument(
        "--revision", metavar="R", help="branch, tag or commit; the newest of main by default"
    )
    command.add_argument("--list", action="store_true", help="list what can be pinned")
    command.add_argument("--under", metavar="FOLDER", default="", help="with --list: only this")
    command.add_argument("--dry-run", action="store_true", help="print, and write nothing")
    command.add_argument(
        "--hash",
        action="store_true",
        help="download a file that has no sha256 at the Hub and compute it "
        f"(up to {pinning.HASH_LIMIT >> 20} MiB)",
    )
    command.add_argument("--to", metavar="FOLDER", type=Path, help="another registry's folder")
    command.add_argument("--json", action="store_true", help="print as JSON")
    about = command.add_argument_group("what the Hub does not say")
    about.add_argument("--name", help="name of the version; <source>-<day> by default")
    about.add_argument(
        "--as-of",
        metavar="DAY",
        help="the day it speaks of, or FIRST..LAST; by default the date in its path",
    )
    about.add_argument("--as-of-known-by", metavar="TEXT", help="how that day is known")
    about.add_argument("--source", metavar="ID", help="the source to pin into, or to make")
    new = command.add_argument_group("for a repository that is new to the registry")
    new.add_argument("--kind", help="which reader opens it; `sources --json` names them")
    new.add_argument("--upstream", help="what it was read from")
    new.add_argument("--upstream-note", metavar="TEXT", help="how")
    new.add_argument("--title", help="the card's name by default")
    new.add_argument("--producer", help="owner and name by default")
    new.add_argument("--licence", help="as its card states it by default")
    new.add_argument(
        "--share-alike",
        action=argparse.BooleanOptionalAction,
        help="whether what derives from it must carry its licence; known for common licences",
    )
    new.add_argument("--citation", metavar="TEXT", help="author, repository and path by default")
    new.add_argument("--covers", metavar="TEXT", help="which repositories, days and quantities")
    command.set_defaults(run=pin)


def pin(arguments: argparse.Namespace) -> int:
    """Pin a file of a data set on the Hugging Face Hub.

    Commit, size and sha256 are looked up at the Hub, and a row is written into the registry
    (data/sources). Nothing large is downloaded; `fetch` does that later.
    """
    pinner = pinning.Pinner(arguments.to)
    if arguments.list:
        if arguments.path is not None:
            raise InputError("pin --list: give a folder with --under, not a path")
        return _list(pinner, arguments)
    if arguments.path is None:
        raise InputError(
            "pin: which file? Give its path in the repository; "
            f"`pin --list {arguments.repository}` shows them"
        )
    if arguments.under:
        raise InputError("pin: --under goes with --list")
    given = {field.name: getattr(arguments, field.name) for field in fields(pinning.About)}
    pinned = pinner.pin(
        arguments.repository,
        arguments.path,
        arguments.revision,
        about=pinning.About(**given),
        compute_hash=arguments.hash,
        dry_run=arguments.dry_run,
    )
    if arguments.json:
        _print_json(
            {
                **{k: v for k, v in asdict(pinned).items() if k != "file"},
                "toml": str(pinned.toml),
                **asdict(pinned.file),
                "url": pinned.file.url,
            }
        )
        return 0
    if pinned.state == "pinned already":
        print(f"pinned already: {pinned.name}, in {pinned.toml}")
        return 0
    if pinned.state == "not written":
        print(f"# for {pinned.toml}\n{pinned.text}", end="")
    else:
        print(
            f"pinned {pinned.name} in {pinned.toml}: commit {pinned.file.commit}, "
            f"{pinned.file.bytes:,} bytes, sha256 {pinned.file.sha256}"
        )
        print(f"to download it: python -m analysis fetch {pinned.name}")
    for note in pinned.notes:
        print(f"# note: {note}")
    return 0


def _list(pinner: pinning.Pinner, arguments: argparse.Namespace) -> int:
    rows = pinner.candidates(arguments.repository, arguments.under, arguments.revision)
    if arguments.json:
        _print_json(
            [
                {"day": row.day or None, **asdict(row.file), "pinned_as": row.pinned_as or None}
                for row in rows
            ]
        )
        return 0
    if not rows:
        print("nothing here that can be pinned")
        return 0
    print(f"{'day':10}  {'bytes':>15}  {'sha256':8}  {'pinned as':24}  path")
    for row in rows:
        path = row.file.path if row.file.path.isprintable() else ascii(row.file.path)
        known = row.file.sha256[:8] if row.file.sha256 else "--hash"
        pinned_as = row.pinned_as or "-"
        print(f"{row.day or '-':10}  {row.file.bytes:15,}  {known:8}  {pinned_as:24}  {path}")
    pinned = sum(1 for row in rows if row.pinned_as)
    print(f"{len(rows)} files, {pinned} pinned already, at commit {rows[0].file.commit}")
    return 0


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
