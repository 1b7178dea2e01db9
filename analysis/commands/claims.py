"""``claims`` and ``claim``: what is said, and what the data say."""

from __future__ import annotations

import argparse
import json
from typing import Any

from analysis import tables
from analysis.errors import InputError


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the command line."""
    claims = commands.add_parser(
        "claims",
        help="every claim with its three verdicts",
        description=(
            "Print every claim of the register with its numbers and verdicts, from data/derived. "
            "`build --check` proves that these are what the raw files give."
        ),
    )
    claims.add_argument("--json", action="store_true", help="print JSON")
    claims.set_defaults(run=run_claims)
    claim = commands.add_parser(
        "claim",
        help="one claim in full",
        description=(
            "Print one claim in full: statement, finding, interval, the three verdicts with "
            "their reasons, what would settle it, and the raw files behind it."
        ),
    )
    claim.add_argument("id", metavar="ID", help="as `claims` prints it, such as february-153-6m")
    claim.add_argument("--json", action="store_true", help="print JSON")
    claim.set_defaults(run=run_claim)


def run_claims(args: argparse.Namespace) -> int:
    """Run ``claims``."""
    records = _current()
    if args.json:
        print(json.dumps(records, ensure_ascii=False, indent=1))
        return 0
    print(f"{'claim':<26}{'recreated':<24}{'robust':<12}{'later data':<20}holds")
    for record in records:
        words = [record[axis]["verdict"] for axis in ("recreated", "robust", "later")]
        count = (
            f"{record['holds']} of {record['specifications']}" if record["specifications"] else ""
        )
        print(f"{record['id']:<26}{words[0]:<24}{words[1]:<12}{words[2]:<20}{count}")
    return 0


def run_claim(args: argparse.Namespace) -> int:
    """Run ``claim``."""
    records = {record["id"]: record for record in _current()}
    if args.id not in records:
        raise InputError(f"no claim is called {args.id!r}; the claims are: {', '.join(records)}")
    record = records[args.id]
    if args.json:
        print(json.dumps(record, ensure_ascii=False, indent=1))
        return 0
    print(f"{record['id']} ({record['group']}{record['order']}): {record['statement']}")
    print(f"finding: {record['finding']}")
    print(f"stated: {record['stated']}")
    if record["value"] is not None:
        print(f"value: {record['value']} ({record['unit']}, {record['grade']})")
    if record["interval"]:
        print(f"interval: {record['interval'][0]} to {record['interval'][1]}")
    for axis in ("recreated", "robust", "later"):
        reason = f": {record[axis]['reason']}" if record[axis]["reason"] else ""
        print(f"{axis}: {record[axis]['verdict']}{reason}")
    if second := record.get("elsewhere"):
        print(f"elsewhere ({second['instrument']}): {second['finding']}")
        for axis in ("recreated", "robust", "later"):
            reason = f": {second[axis]['reason']}" if second[axis]["reason"] else ""
            print(f"elsewhere, {axis}: {second[axis]['verdict']}{reason}")
    if record["settle"]:
        print(f"what would settle it: {record['settle']}")
    for entry in record["inputs"]:
        print(f"input: {entry['name']} {entry['sha256']}")
    return 0


def _current() -> list[dict[str, Any]]:
    """Load the claims; refuse when a rule has changed since they were computed."""
    stale = tables.stale_rules()
    if stale:
        raise InputError(
            f"data/{stale[0]} has changed since the claims were computed: "
            "run `make data` to compute them again"
        )
    return tables.claims()
