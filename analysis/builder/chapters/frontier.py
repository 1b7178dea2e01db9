"""Derived tables on the frontier: gaps by file, lags by day of release, sightings of Qwen 4."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import combinations
from typing import Any, Final

import pandas as pd

from analysis import raw
from analysis.builder.chapters.made import Made
from analysis.claims import frontier as claims
from analysis.claims.world import World
from analysis.measure import frontier

#: Groups whose best is held against the best of all, with what they are called.
GROUPS: Final[Mapping[frontier.Group, str]] = {
    "china": "Chinese open",
    "qwen": "open Qwen",
    "us": "US open",
}
_FIRST_MONTH: Final = (2024, 1)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _finite(value: float) -> float:
    """Return a number, or none where nothing bounds it."""
    return value if math.isfinite(value) else math.nan


def _span(name: str, span: frontier.Span | None) -> dict[str, float]:
    if span is None:
        return {name: math.nan, f"{name}_lower": math.nan, f"{name}_upper": math.nan}
    return {
        name: span.value,
        f"{name}_lower": _finite(span.lower),
        f"{name}_upper": _finite(span.upper),
    }


def _grade(board: claims.Board, found: claims.Distance) -> str:
    if found.own.model is None or found.own.maybe or not math.isfinite(found.gap.upper):
        return "bounded"
    exact = found.gap.lower == found.gap.upper
    return "computed" if board.scale == claims.ARENA or exact else "bounded"


def _views(world: World) -> list[tuple[str, claims.Board]]:
    """Every board as its file has it, and those of the index as of the article's day."""
    views = [("file", board) for board in claims.boards(world).values()]
    views += [
        ("article", claims.chosen(world, f"{scale} {day.isoformat()}"))
        for scale, day in claims.boards(world)
        if scale == claims.INDEX
    ]
    return views


def days_table(world: World) -> pd.DataFrame:
    """Hold the best of each group against the best of all, on each board."""
    rules = world.evidence.rule("frontier")
    rows = []
    for view, board in _views(world):
        for group, label in GROUPS.items():
            found = claims.distance(world, board, group)
            rows.append(
                {
                    "scale": board.scale,
                    "view": view,
                    "day": board.day.isoformat(),
                    "version": board.version,
                    "listed": len(board.table),
                    "complete": board.scale == claims.INDEX or len(board.table) >= rules.complete,
                    "group": group,
                    "label": label,
                    "top_model": found.top.model,
                    "top": found.top.score,
                    "own_model": found.own.model,
                    "own_maker": found.own.maker,
                    "own": found.own.score,
                    "maybe": found.own.maybe,
                    **_span("gap", found.gap),
                    **_span("win_rate", found.win_rate if board.scale == claims.ARENA else None),
                    **_span("index_ratio", found.ratio),
                    **_span("behind", found.behind),
                    "grade": _grade(board, found),
                }
            )
    return pd.DataFrame(rows)


def targets_table(world: World) -> pd.DataFrame:
    """Hold the best Chinese open model of each board against the models that the article names."""
    rules = world.evidence.rule("frontier")
    rows: list[dict[str, Any]] = []
    for board in claims.boards(world).values():
        top = frontier.best(board.table, "all")
        for target in rules.target:
            named = frontier.of_target(board.table, target)
            if named is None:
                continue
            for group in ("china", "qwen"):
                own = claims.distance(world, board, group).own
                first = (
                    frontier.reached(board.table, group, named.score, board.day)
                    if board.scale == claims.INDEX
                    else None
                )
                above = board.table[board.table["score"] > named.score]
                passed = "yes" if own.lower > named.upper else (
                    "no" if own.upper < named.lower else "open"
                )  # fmt: skip
                rows.append(
                    {
                        "scale": board.scale,
                        "day": board.day.isoformat(),
                        "version": board.version,
                        "target": target.title,
                        "variant": named.model,
                        "target_score": named.score,
                        "target_released": _iso(named.released),
                        "group": group,
                        "own_model": own.model,
                        "own": own.score,
                        "lead": own.score - named.score,
                        "lead_lower": _finite(own.lower - named.upper),
                        "lead_upper": _finite(own.upper - named.lower),
                        "passed": passed,
                        "first_model": first.model if first else None,
                        "first_day": _iso(first.day) if first else None,
                        "top_model": top.model,
                        "top": top.score,
                        "models_above": len(above),
                    }
                )
    return pd.DataFrame(rows)


def steps_table(world: World) -> pd.DataFrame:
    """Say of each model that was the best when it came out, when open ones first reached it."""
    rows = []
    for board in claims.boards(world).values():
        if board.scale != claims.INDEX:
            continue
        for step in frontier.steps(board.table, board.day).to_dict("records"):
            row: dict[str, Any] = {
                "day": board.day.isoformat(),
                "version": board.version,
                "released": _iso(step["released"]),
                "model": step["model"],
                "maker": step["maker"],
                "weights": step["weights"],
                "score": step["score"],
            }
            for group in GROUPS:
                first = frontier.reached(board.table, group, float(step["score"]), board.day)
                lag = first.lag(step["released"])
                row |= {
                    f"{group}_model": first.model,
                    f"{group}_day": _iso(first.day),
                    f"{group}_lag": lag.value,
                    f"{group}_lag_lower": lag.lower,
                    f"{group}_lag_upper": _finite(lag.upper),
                }
            rows.append(row)
    return pd.DataFrame(rows)


def _month_ends(last: date) -> list[date]:
    days: list[date] = []
    year, month = _FIRST_MONTH
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        end = date(year, month, 1) - timedelta(days=1)
        if end >= last:
            return [*days, last]
        days.append(end)


def months_table(world: World) -> pd.DataFrame:
    """Return the best of each group by month of release, inside each file of the index."""
    rows = []
    for board in claims.boards(world).values():
        if board.scale != claims.INDEX:
            continue
        for day in _month_ends(board.day):
            table = frontier.until(board.table, day)
            if table.empty:
                continue
            view = claims.Board(board.scale, day, board.version, table)
            for group, label in {"all": "best of all", **GROUPS}.items():
                found = claims.distance(world, view, group)
                rows.append(
                    {
                        "version": board.version,
                        "day": day.isoformat(),
                        "group": group,
                        "label": label,
                        "model": found.own.model,
                        "index": found.own.score,
                        "lower": _finite(found.own.lower),
                        "upper": _finite(found.own.upper),
                        **_span("index_ratio", found.ratio),
                        **_span("behind", found.behind),
                        "grade": _grade(board, found),
                    }
                )
    return pd.DataFrame(rows)


def openness_table(world: World) -> pd.DataFrame:
    """Count models by board, region, openness and where openness is known from."""
    parts = []
    for board in claims.boards(world).values():
        counted = board.table.groupby(["region", "weights", "how"], sort=True).size()
        part = counted.rename("models").reset_index()
        part.insert(0, "version", board.version)
        part.insert(0, "day", board.day.isoformat())
        part.insert(0, "scale", board.scale)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def files_table(world: World) -> pd.DataFrame:
    """Hold each two files of the index against each other, models out by the article's day.

    Models are the same where their names are.
    """
    days = [day for scale, day in claims.boards(world) if scale == claims.INDEX]
    views = {day: claims.chosen(world, f"{claims.INDEX} {day.isoformat()}") for day in days}
    rows = []
    for first, second in combinations(days, 2):
        a, b = (
            views[day].table.drop_duplicates("model").set_index("model")["score"]
            for day in (first, second)
        )
        both = pd.concat([a.rename("a"), b.rename("b")], axis=1, join="inner")
        rows.append(
            {
                "first_day": first.isoformat(),
                "second_day": second.isoformat(),
                "first_models": len(a),
                "second_models": len(b),
                "common": len(both),
                "median_difference": float((both["a"] - both["b"]).abs().median()),
                "rank_correlation": float(both["a"].rank().corr(both["b"].rank())),
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows).round(6)


def sightings_table(world: World) -> pd.DataFrame:
    """Say of each kind of source which Qwen is the newest that it names, and whether Qwen 4 is."""
    rows = []
    for kind, look in claims.looks(world).items():
        seen = look["first"] is not None
        rows.append(
            {
                "kind": kind,
                "title": look["title"],
                "weights": look["weights"],
                "versions": look["versions"],
                "names": look["names"],
                "newest": look["newest"],
                "newest_example": look["newest_example"],
                "newest_after": _iso(look["newest_after"]),
                "newest_first": _iso(look["newest_first"]),
                "seen": _iso(look["first"]),
                "example": look["example"],
                "not_seen_by": None if seen else _iso(look["last"]),
                "strangers": look["strangers"],
                "grade": "bounded",
            }
        )
    return pd.DataFrame(rows)


# -------------------------------------------------------------------------------- the witnesses

#: Columns that every part's witnesses have.
_WITNESS: Final = (
    *("source", "version", "day", "instrument", "family", "measure", "unit"),
    *("value", "lower", "upper", "grade"),
)
_FAMILIES: Final[tuple[tuple[frontier.Group, str], ...]] = (
    ("all", "all"),
    ("open", "open"),
    ("qwen", "qwen"),
)


def witnesses(world: World) -> pd.DataFrame:
    """Return the best rating of all models, of open ones and of open Qwen ones, on each board.

    Ratings of two files are on two scales: they are not to be compared.
    """
    registry = raw.load_registry()
    names = {claims.ARENA: "Arena", claims.INDEX: "Artificial Analysis index"}
    measures = {claims.ARENA: "best_rating", claims.INDEX: "best_index"}
    rows: list[dict[str, Any]] = []
    for board in claims.boards(world).values():
        source = registry.find(board.version)[0].id
        for group, family in _FAMILIES:
            found = claims.distance(world, board, group)
            lower, upper = _finite(found.own.lower), _finite(found.own.upper)
            rows.append(
                {
                    "source": source,
                    "version": board.version,
                    "day": board.day.isoformat(),
                    "instrument": names[board.scale],
                    "family": family,
                    "measure": measures[board.scale],
                    "unit": "points",
                    "value": found.own.score,
                    "lower": lower,
                    "upper": upper,
                    "grade": _grade(board, found),
                }
            )
    return pd.DataFrame(rows, columns=list(_WITNESS))


_BOARDS: Final = ("arena-text", "arena-page", "quality-daily", "quality-open")
_OPENNESS: Final = (*_BOARDS, "organisation-regions", "radar")
_INDEX: Final = ("quality-daily", "quality-open", "arena-page", "organisation-regions", "radar")
_NAMES: Final = (
    *("radar", "hub-stats", "llmfit", "makers", "expansion", "top30", "top25", "trending"),
    *("tracked", "ollama-gallery", "ollama-library", "ollama-registry"),
    *("services-litellm", "services-tokencost", "router", *_BOARDS),
    *("arena-languages", "euroeval"),
    *("release-qwen", "release-qwen3", "release-qwen3.5", "release-llama"),
)

#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made(
        "frontier_days", days_table, _OPENNESS, "best of each group and of all, by file of a board"
    ),
    Made("frontier_targets", targets_table, _OPENNESS, "against the models that the article names"),
    Made("frontier_steps", steps_table, _INDEX, "when open models first reached each best of all"),
    Made("frontier_months", months_table, _INDEX, "best of each group by month of release"),
    Made("frontier_files", files_table, _INDEX, "the index's files against each other"),
    Made("frontier_openness", openness_table, _OPENNESS, "how openness is known, by board"),
    Made("sightings", sightings_table, _NAMES, "the newest Qwen that each kind of source names"),
)
