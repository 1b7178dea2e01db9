"""``rerun``: every claim, asked of one snapshot."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

_DESCRIPTION = """\
Ask one snapshot of many repositories every claim that a single day can answer: a weekly snapshot
that was pinned (`pin`), a capture of your own (`capture`), or any file in the Hub's schema. The
questions and their grids are declared in data/rerun.toml, with the claims left out and why.

Of a snapshot that holds every public repository the numbers are exact for its day. Of any other
one they are bounds: nothing is known of what it lacks.
"""

_EPILOG = """\
examples:
  python -m analysis rerun hub-stats-2026-05                     the cut of May 2026
  python -m analysis rerun weekly-2026-09-30 --to rerun/         a pinned week, with all tables
  python -m analysis rerun my-capture/snapshot.parquet           a capture says its day and extent
  python -m analysis rerun models.parquet --day 2026-02-25 --complete --json
  python -m analysis rerun hub-stats-2026-05 --claim derivatives-ratio
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "rerun",
        help="every claim on one snapshot, pinned or captured",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("snapshot", metavar="SNAPSHOT", help="a version's name, or a file")
    command.add_argument(
        "--day", type=_day, metavar="YYYY-MM-DD", help="day of a file that does not say it"
    )
    command.add_argument(
        "--complete",
        action="store_true",
        help="the file holds every public model repository of its day",
    )
    command.add_argument(
        "--claim", nargs="+", default=[], metavar="ID", help="only these claims, each in full"
    )
    command.add_argument(
        "--to", type=Path, metavar="FOLDER", help="also write all tables there, with a manifest"
    )
    command.add_argument(
        "--synthetic",
        action="store_true",
        help="read a file marked as synthetic, to measure the path: its numbers mean nothing",
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day YYYY-MM-DD") from None


def run(args: argparse.Namespace) -> int:
    """Run ``rerun``."""
    # The rooms below take a second to import: --help of the others need not wait.
    from analysis.builder import refuse_others, rerunning
    from analysis.builder.writing import json_bytes

    if args.to is not None:
        # Before hours of reading, not after them.
        refuse_others(args.to, rerunning.MANIFEST)
    with tqdm(unit=" step", disable=not sys.stderr.isatty(), leave=False) as bar:

        def progress(what: str) -> None:
            bar.set_description(what)
            bar.update()

        found = rerunning.run(
            args.snapshot,
            day=args.day,
            complete=args.complete,
            synthetic=args.synthetic,
            only=args.claim,
            progress=progress,
        )
        if args.to is not None:
            progress("tables")
            rerunning.write(found, args.to)
    about = rerunning.snapshot_of(found)
    if args.json:
        result: dict[str, Any] = {
            "snapshot": about,
            "claims": found.records,
            "problems": list(found.subject.whole.problems),
        }
        if args.claim:
            result["specifications"] = {
                answer.record["claim"]: json.loads(answer.table.to_json(orient="records"))
                for answer in found.answers
            }
        print(json_bytes(result).decode("utf-8"), end="")
        return 0
    _print(about, found.records, found.subject.whole.problems, str(args.to) if args.to else "")
    if args.claim:
        for answer in found.answers:
            _specifications(answer.record, answer.table)
    return 0


_ANSWERS: Final = {"yes": "holds", "no": "does not hold", "undetermined": "cannot tell"}


def _print(
    about: dict[str, Any], records: list[dict[str, Any]], problems: tuple[str, ...], to: str
) -> None:
    if about["synthetic"]:
        print("SYNTHETIC: these numbers measure the path and mean nothing")
    extent = "every public repository" if about["complete"] else "not known to be complete"
    print(
        f"{about['name']}, {about['day']}: {about['repositories']:,} repositories ({extent}), "
        f"{about['downloads_30d']:,} downloads in 30 days"
    )
    print(f"{'claim':<26}{'in the snapshot':>16}{'the data force':>21}  answer")
    for record in records:
        if not record["answered"]:
            continue
        print(
            f"{record['claim']:<26}{_value(record):>16}{_interval(record):>21}  "
            f"{_ANSWERS[record['holds']]} ({record['stated_text']})"
        )
        print(f"{'':<26}{record['verdict']}: {record['verdict_reason']}")
        for text in (record["beside"], record["note"]):
            if text:
                print(f"{'':<26}{text}")
    print()
    for record in records:
        if not record["answered"]:
            print(f"not from this: {record['claim']}: {record['reason']}")
    for text in problems:
        print(f"note: {text}")
    if to:
        print(f"tables: {to}")


def _value(record: dict[str, Any]) -> str:
    value = record["value"]
    if value is None or isinstance(value, str):
        return value or "-"
    return _number(float(value), record["unit"])


def _interval(record: dict[str, Any]) -> str:
    value, lower, upper = record["value"], record["lower"], record["upper"]
    if isinstance(value, str) or lower != lower or upper != upper:
        return "-"
    low, high = _number(lower, record["unit"]), _number(upper, record["unit"])
    if low == high:
        return low
    if lower == 0 and upper == (1 if record["unit"] == "share" else float("inf")):
        return "anything"
    return f"at least {low}" if upper == float("inf") else f"{low} to {high}"


def _number(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit == "ratio":
        return "no limit" if value == float("inf") else f"{value:.2f}"
    if unit == "downloads":
        return f"{value / 1e6:,.1f} M"
    return f"{value:,.0f}"


def _specifications(record: dict[str, Any], table: Any) -> None:
    if table.empty:
        return
    print(f"\n{record['claim']}: {record['statement']}")
    choices = list(record["reading"])
    shown = table[[*choices, "value", "lower", "upper", "holds"]]
    print(shown.to_string(index=False, float_format=lambda x: f"{x:,.4g}"))
