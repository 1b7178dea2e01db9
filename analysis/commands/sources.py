"""``sources``, ``fetch`` and ``verify``: the registry and its raw files."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from typing import Any

from analysis import raw
from analysis.errors import InputError, RecordError, one_line


def register(subparsers: Any) -> None:
    """Add the three commands to a parser.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``ArgumentParser.add_subparsers`` returned.
    """
    command = subparsers.add_parser(
        "sources", help="list the registered sources of raw files", description=list_sources.__doc__
    )
    command.add_argument("--kind", help="only sources of this kind")
    command.add_argument("--json", action="store_true", help="print the whole registry as JSON")
    command.set_defaults(run=list_sources)

    command = subparsers.add_parser(
        "fetch", help="fetch raw files and check their hashes", description=fetch_files.__doc__
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="a raw file, or a source's id")
    command.add_argument("--all", action="store_true", help="every available raw file")
    command.add_argument("--json", action="store_true", help="print what was fetched as JSON")
    command.set_defaults(run=fetch_files)

    command = subparsers.add_parser(
        "verify",
        help="hash again all raw files in cache and mirror",
        description=verify_files.__doc__,
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="a raw file, or a source's id")
    command.add_argument("--json", action="store_true", help="print every finding as JSON")
    command.set_defaults(run=verify_files)


def list_sources(arguments: argparse.Namespace) -> int:
    """Print the registry: one row a source, or with --json everything that it holds."""
    registry = raw.load_registry()
    sources = registry.sources
    if arguments.kind is not None:
        registry.by_kind(arguments.kind)  # complains of a kind that does not exist
        sources = tuple(source for source in sources if source.kind == arguments.kind)
    if arguments.json:
        _print_json(
            [
                source.as_json() | {"counter": registry.upstream(source).counter}
                for source in sources
            ]
        )
        return 0
    rows = [("source", "kind", "files", "days", "upstream", "state", "title")]
    for source in sources:
        days = (
            [source.versions[0].as_of_first, max(v.as_of_last for v in source.versions)]
            if (source.versions)
            else []
        )
        rows.append(
            (
                source.id,
                source.kind,
                str(len(source.versions)),
                " to ".join(str(day) for day in dict.fromkeys(days)) or "none",
                source.upstream,
                source.state,
                source.title,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    return 0


def fetch_files(arguments: argparse.Namespace) -> int:
    """Fetch raw files into the cache, from OMR_MIRROR or their public addresses.

    Every file's hash is checked, also when it lies in the cache already. A
    failure is reported and the rest is fetched all the same. A download that
    broke off or was killed goes on where it stopped. HF_ENDPOINT names another
    Hub for data sets of the Hub.
    """
    registry = raw.load_registry()
    if arguments.all == bool(arguments.names):
        raise InputError("fetch: name raw files, or give --all; `sources` lists what there is")
    names = _expanded(registry, arguments.names)
    if arguments.all:
        for source in registry.sources:
            if source.state == "available":
                names += [version.name for version in source.versions]
            else:
                print(
                    f"left out: {source.id} ({source.state}): {source.state_note}", file=sys.stderr
                )
    using = raw.fetcher(registry=registry)
    fetched: list[dict[str, Any]] = []
    failures = 0
    for name in names:
        try:
            path = using.fetch(name)
        except KeyboardInterrupt:
            print(
                f"error: interrupted; what came of {name} is kept, `fetch` goes on from there",
                file=sys.stderr,
            )
            return 130
        except RecordError as error:
            print(f"error: {one_line(str(error))}", file=sys.stderr)
            failures += 1
            continue
        source, version = registry.find(name)
        fetched.append(
            {
                "name": name,
                "source": source.id,
                "path": str(path),
                "bytes": path.stat().st_size,
                "sha256": version.sha256,
                "git_tree": version.git_tree,
            }
        )
        if not arguments.json:
            print(f"{name}  {path}")
    if arguments.json:
        _print_json(fetched)
    return RecordError.exit_status if failures else 0


def verify_files(arguments: argparse.Namespace) -> int:
    """Hash again every raw file that lies in the cache and in the mirror.

    Nothing is fetched. The exit status is 2 if any file is wrong.
    """
    registry = raw.load_registry()
    names = _expanded(registry, arguments.names) if arguments.names else None
    findings = raw.verify(names, using=raw.fetcher(registry=registry, progress=False))
    counts = Counter(finding.state for finding in findings)
    if arguments.json:
        _print_json(
            [
                {
                    "name": finding.name,
                    "place": finding.place,
                    "state": finding.state,
                    "message": finding.message,
                }
                for finding in findings
            ]
        )
    else:
        for finding in findings:
            if finding.state == "wrong":
                print(f"wrong in the {finding.place}: {one_line(finding.message)}")
        print(f"{counts['ok']} copies right, {counts['wrong']} wrong, {counts['absent']} not here")
    return RecordError.exit_status if counts["wrong"] else 0


def _expanded(registry: raw.Registry, names: list[str]) -> list[str]:
    """Replace the id of a source by the names of its versions."""
    versions = {source.id: [v.name for v in source.versions] for source in registry.sources}
    return [each for name in names for each in versions.get(name) or [name]]


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
