"""``licences``: what the licence texts ask for, each with the line of its sentence."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pandas as pd

from analysis import raw, snapshot
from analysis.errors import InputError
from analysis.measure import licences as measure_licences

KIND = "licence-text"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "licences",
        help="thresholds of monthly active users in the licence texts",
        description=(
            "Read the registered licence texts: the number of monthly active users above which a "
            "licence must be asked for, the sentence that names it with its line, the text's own "
            "day, and further conditions, by the patterns of data/licences.toml. "
            "`inspect FILE --kind licence-text` reads any other text the same way."
        ),
    )
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a licence text such as licence-llama-2, or a source's id; all when left out",
    )
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run_licences)


def run_licences(args: argparse.Namespace) -> int:
    """Run ``licences``."""
    rules = measure_licences.parse(raw.declared("licences"))
    rows = []
    for name in _names(args.names):
        source, version = raw.load_registry().find(name)
        got = snapshot.read(raw.fetch(name), source.kind)
        entry = {"name": name, **described(got.frame, rules)}
        rows.append({**entry, "sha256": version.sha256, "url": version.url})
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    print(f"{'licence':<22}{'licensor':<16}{'day':<12}{'monthly active users':>22}  line")
    for row in rows:
        users = row["threshold_monthly_active_users"]
        print(
            f"{row['name']:<22}{row['licensor'] or 'not named':<16}{row['date'] or 'none':<12}"
            f"{'none' if users is None else f'{users:,}':>22}  {row['line'] or ''}".rstrip()
        )
        for condition in row["conditions"]:
            print(f"    line {condition['line']}: {condition['label']}")
    return 0


def described(frame: pd.DataFrame, rules: measure_licences.LicenceRules) -> dict[str, Any]:
    """Return what the rules find in one text, for machines."""
    reading = measure_licences.read(frame, rules)
    found = reading.threshold
    labels = {condition.id: condition.label for condition in rules.condition}
    return {
        "title": reading.title,
        "licensor": reading.licensor,
        "date": reading.dated,
        "threshold_monthly_active_users": None if found is None else found.users,
        "sentence": None if found is None else found.place.text,
        "line": None if found is None else found.place.line,
        "stated_as": None if found is None else found.words,
        "conditions": [
            {"id": name, "label": labels[name], "line": place.line}
            for name, place in sorted(
                reading.conditions.items(), key=lambda item: (item[1].line, item[0])
            )
        ],
    }


def summary(entry: dict[str, Any]) -> str:
    """Say in words what :func:`described` found, the conditions below it."""
    users = entry["threshold_monthly_active_users"]
    whose = f"{entry['title']} ({entry['licensor'] or 'licensor not named'})"
    found = (
        "no number of monthly active users"
        if users is None
        else f"a licence must be asked for above {users:,} monthly active users, line "
        f"{entry['line']}: {entry['sentence']}"
    )
    lines = [f"    line {one['line']}: {one['label']}" for one in entry["conditions"]]
    # The text is a stranger's: no control character of it reaches the terminal.
    shown = "".join(c if c.isprintable() else "?" for c in f"{whose}: {found}")
    return "\n".join([shown, *lines])


def _names(asked: list[str]) -> list[str]:
    """Return the names of licence texts; a source's id stands for all of its versions."""
    registry = raw.load_registry()
    texts = [v.name for source, v in registry.by_kind(KIND) if source.state == "available"]
    if not asked:
        return texts
    versions = {source.id: [v.name for v in source.versions] for source in registry.sources}
    names = [each for name in asked for each in versions.get(name) or [name]]
    for name in names:
        if name not in texts:
            registry.find(name)
            raise InputError(f"{name} is no licence text; there are: {', '.join(texts)}")
    return list(dict.fromkeys(names))
