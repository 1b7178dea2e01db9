"""``witnesses``: what every instrument says, by source, day and family."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import pandas as pd

from analysis import tables
from analysis.errors import InputError

_DESCRIPTION = """\
Print what each instrument says, a row a source, day, family and measure, from data/derived.

The Hub's download counter is one instrument. Ollama's registry, the price tables of the clouds, a
router's tokens, scores and ratings are others, each with a unit of its own. They are set side by
side and never added. `build --check` proves that the rows are what the raw files give.
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "witnesses",
        help="what each instrument says, by source, day and family",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--instrument", metavar="NAME", help="only this instrument")
    command.add_argument("--family", metavar="ID", help="only this family, such as qwen")
    command.add_argument("--measure", metavar="NAME", help="only this measure")
    command.add_argument("--day", metavar="YYYY-MM-DD", help="only this day")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run ``witnesses``."""
    stale = tables.stale_rules()
    if stale:
        raise InputError(
            f"data/{stale[0]} has changed since the tables were made: "
            "run `make data` to make them again"
        )
    frame = tables.load("witnesses")
    for name in ("instrument", "family", "measure", "day"):
        if (asked := getattr(args, name)) is not None:
            known = frame[name].astype("str")
            frame = frame[known == asked]
            if frame.empty:
                there = ", ".join(sorted(set(known)))
                raise InputError(f"--{name} {asked}: no row has it; there are: {there}")
    rows = [_plain(row) for row in frame.to_dict("records")]
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    print(
        f"{'day':<12}{'since':<12}{'instrument':<22}{'family':<14}{'measure':<24}"
        f"{'value':>18}{'interval':>38}  unit, grade"
    )
    for row in rows:
        span = f"{_number(row['lower'])} to {_number(row['upper'])}"
        if row["lower"] == row["upper"]:
            span = ""
        print(
            f"{row['day']:<12}{row['since'] or '':<12}{row['instrument']:<22}{row['family']:<14}"
            f"{row['measure']:<24}"
            f"{_number(row['value']):>18}{span:>38}  {row['unit']}, {row['grade']}"
        )
    return 0


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a row as JSON takes it: what is not known or has no limit is null."""
    return {
        str(name): None
        if isinstance(value, float) and not math.isfinite(value)
        else ("" if value is None or value is pd.NA else value)
        for name, value in row.items()
    }


def _number(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.3f}"
