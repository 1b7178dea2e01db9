"""``releases``: repositories, models and releases of families in a snapshot, and their rates."""

from __future__ import annotations

import argparse
import json
import math
from datetime import date
from typing import Any

import pandas as pd

from analysis import raw, snapshot
from analysis.errors import InputError
from analysis.measure import releases
from analysis.snapshot import families as families_module

_DEFAULT = "makers-2025-10-12"
_CORRECTIONS = "release-date-corrections-2026-08-17"
_FAMILIES = ("qwen", "llama", "deepseek", "gemma", "mistral", "phi")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "releases",
        help="repositories, models and releases a month by family",
        description=(
            "Count the repositories, models and releases of families in a snapshot that gives days "
            "of creation, by the rules of data/releases.toml, and set the first family's rate over "
            "each other's. Only rows of the snapshot count: where it is no complete catalogue, "
            "the numbers are from below."
        ),
    )
    command.add_argument(
        "--snapshot",
        default=_DEFAULT,
        metavar="S",
        help=f"a version of the registry with days of creation (default {_DEFAULT})",
    )
    command.add_argument(
        "--family",
        nargs="+",
        default=list(_FAMILIES),
        metavar="F",
        help="families of data/families.toml; the first is held over the others",
    )
    command.add_argument(
        "--since", metavar="DAY", help="count from this day (default: each family's first)"
    )
    command.add_argument(
        "--unit", choices=releases.UNITS, default="models", help="what the rates count"
    )
    command.add_argument(
        "--copies",
        choices=("out", "in"),
        default="out",
        help="whether quantised and other copies count as new (default out)",
    )
    command.add_argument(
        "--family-rule",
        choices=("official", "organisation"),
        default="official",
        help="the family's own repositories, or all of its maker's",
    )
    command.add_argument(
        "--dates",
        choices=("created", "corrected"),
        default="created",
        help="days of creation as they are, or corrected to the release where that is known",
    )
    command.add_argument(
        "--days", type=int, metavar="N", help="days that make one release (default: the rule's)"
    )
    command.add_argument("--list", action="store_true", help="list every release")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run_releases)


def run_releases(args: argparse.Namespace) -> int:
    """Run ``releases``."""
    rules = releases.parse(raw.declared("releases"))
    families = families_module.parse(raw.declared("families"))
    wanted = list(dict.fromkeys(args.family))
    unknown = [name for name in wanted if name not in families.families]
    if unknown:
        raise InputError(
            f"--family {unknown[0]}: not known; there are {', '.join(families.families)}"
        )
    span = rules.cluster.days if args.days is None else int(args.days)
    if span < 0:
        raise InputError(f"--days {span}: give a number of days of 0 or more")
    since = _day(args.since)
    rows, until, problems = _rows(args, rules, families, wanted)
    if since is not None and since > until:
        raise InputError(f"--since {since}: the snapshot ends on {until}; name an earlier day")
    found = {}
    for family in wanted:
        own = rows[rows["family"] == family]
        if own.empty:
            problems.append(f"no repository of {families.titles[family]} with a day of creation")
            continue
        first = int(own["day"].min()) if since is None else since.toordinal()
        found[family] = (own, releases.Span(first, until.toordinal()))
    if not found:
        raise InputError(
            f"{args.snapshot}: no repository of {', '.join(wanted)} with a day of creation; "
            "name another snapshot or other families"
        )
    copies = args.copies == "in"
    result: dict[str, Any] = {
        "snapshot": args.snapshot,
        "until": until.isoformat(),
        "since": None if since is None else since.isoformat(),
        "unit": args.unit,
        "copies": args.copies,
        "family_rule": args.family_rule,
        "dates": args.dates,
        "days": span,
        "families": {
            family: _described(own, window, args.unit, copies, span, rules)
            for family, (own, window) in found.items()
        },
        "ratios": _ratios(found, args.unit, copies, span, rules),
        "problems": problems,
    }
    if args.list:
        result["list"] = _listed(found, span, families.titles)
    if args.json:
        print(json.dumps(result, indent=1, allow_nan=False))
    else:
        _print(result, families.titles)
    return 0


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--since {text}: not a day; write it as YYYY-MM-DD") from None


def _rows(
    args: argparse.Namespace,
    rules: releases.Rules,
    families: families_module.Families,
    wanted: list[str],
) -> tuple[pd.DataFrame, date, list[str]]:
    """Return the dated repositories of the families, the last day, and what the reader noted."""
    source, version = raw.load_registry().find(args.snapshot)
    if "created_at" not in snapshot.KIND_COLUMNS.get(source.kind, ()):
        raise InputError(
            f"{args.snapshot}: kind {source.kind} holds no days of creation; "
            "`sources --kind hub-snapshot` lists those that do"
        )
    got = snapshot.read(
        raw.fetch(args.snapshot), source.kind, columns=["repository_id", "created_at"]
    )
    frame = got.frame
    ids = families_module.canonical(frame["repository_id"], families)
    own = families_module.assign(ids, families, args.family_rule)
    # A full snapshot has millions of rows: only the families' own reach Python.
    chosen = (own.isin(wanted) & frame["created_at"].notna()).to_numpy(dtype="bool")
    part = pd.DataFrame(
        {
            "repository_id": ids[chosen].astype("str"),
            "family": own[chosen].astype("str"),
            "day": frame["created_at"][chosen].dt.date,
        }
    )
    part = part.sort_values(["day", "repository_id"]).drop_duplicates("repository_id")
    until = version.as_of_last
    for place in rules.source.values():
        if place.version == args.snapshot:
            until = place.until
    part = part[part["day"] <= until]
    created = dict(zip(part["repository_id"], part["day"], strict=True))
    rows = releases.members(
        created, dict(zip(part["repository_id"], part["family"], strict=True)), rules
    )
    if args.dates == "corrected":
        listed = snapshot.read(raw.fetch(_CORRECTIONS), "reference").frame
        listed = listed.dropna(subset=["released_on"])
        shown = {
            str(repository): day.date()
            for repository, day in zip(listed["repository_id"], listed["released_on"], strict=True)
        }
        rows = releases.correct(rows, rules, shown)
        rows = rows[rows["day"] <= until.toordinal()].reset_index(drop=True)
    return rows, until, list(got.problems)


def _described(
    own: pd.DataFrame,
    window: releases.Span,
    unit: str,
    copies: bool,
    span: int,
    rules: releases.Rules,
) -> dict[str, Any]:
    def count(what: str) -> int:
        return len(window.within(releases.events(own, what, copies, span)))

    every = window.within(releases.events(own, "repositories", True, span))
    per = releases.rate(count(unit), window.months, rules.interval.level)
    return {
        "first": date.fromordinal(int(own["day"].min())).isoformat(),
        "months": round(window.months, 4),
        "repositories": len(every),
        "models": count("models"),
        "releases": count("releases"),
        "per_month": round(per.value, 6),
        "lower": round(per.lower, 6),
        "upper": round(per.upper, 6),
    }


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def _ratios(
    found: dict[str, tuple[pd.DataFrame, releases.Span]],
    unit: str,
    copies: bool,
    span: int,
    rules: releases.Rules,
) -> dict[str, Any]:
    """Rate of the first family over each other's; null where nothing bounds it."""
    first, *others = found
    days = {
        family: window.within(releases.events(own, unit, copies, span))
        for family, (own, window) in found.items()
    }
    out = {}
    for family in others:
        got = releases.ratio(
            days[first], found[first][1], days[family], found[family][1], rules.interval
        )
        out[family] = {
            "of": first,
            "value": _finite(got.value),
            "lower": _finite(got.lower),
            "upper": _finite(got.upper),
        }
    return out


def _listed(
    found: dict[str, tuple[pd.DataFrame, releases.Span]], span: int, titles: dict[str, str]
) -> list[dict[str, Any]]:
    rows = []
    for family, (own, window) in found.items():
        for row in releases.listing(own, span).to_dict("records"):
            if window.first <= int(row["day"]) <= window.last:
                rows.append(
                    {
                        "family": titles[family],
                        "first_day": date.fromordinal(int(row["day"])).isoformat(),
                        "last_day": date.fromordinal(int(row["last_day"])).isoformat(),
                        "models": int(row["models"]),
                        "repositories": int(row["repositories"]),
                        "names": list(row["names"]),
                    }
                )
    return sorted(rows, key=lambda row: (row["first_day"], row["family"]))


def _print(result: dict[str, Any], titles: dict[str, str]) -> None:
    print(
        f"{result['snapshot']} up to {result['until']}, {result['unit']} a month, "
        f"copies {result['copies']}, one release in {result['days']} days"
    )
    print(
        f"{'family':<12}{'since':<12}{'repositories':>13}{'models':>8}{'releases':>10}"
        f"{'a month':>9}{'interval':>17}  first family over it"
    )
    for family, row in result["families"].items():
        since = result["since"] or row["first"]
        interval = f"{row['lower']:.2f} to {row['upper']:.2f}"
        over = result["ratios"].get(family)
        print(
            f"{titles[family]:<12}{since:<12}{row['repositories']:>13,}{row['models']:>8,}"
            f"{row['releases']:>10,}{row['per_month']:>9.2f}{interval:>17}  "
            f"{'' if over is None else _words(over)}".rstrip()
        )
    for row in result.get("list", ()):
        shown = ", ".join(row["names"][:6]) + (" …" if len(row["names"]) > 6 else "")
        print(f"{row['first_day']}  {row['family']:<10}{row['models']:>4} models  {shown}")
    for text in result["problems"]:
        print(f"note: {text}")


def _words(over: dict[str, Any]) -> str:
    value = "no limit" if over["value"] is None else f"{over['value']:.2f}"
    low = "0" if over["lower"] is None else f"{over['lower']:.2f}"
    high = "no limit" if over["upper"] is None else f"{over['upper']:.2f}"
    return f"{value} ({low} to {high})"
