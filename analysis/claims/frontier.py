"""Checks of the claims on the frontier: how near Chinese open models are, and whether Qwen 4 came.

``near`` looks at one board at a time: ``arena 2026-04-30`` is the Arena's file of that day,
``index 2026-06-30`` the index's, read as of the article's day by days of release;
``index 2026-07-10 measured`` leaves out values marked as estimated, ``index 2026-08-22 whole``
takes every model that the file has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec, day_of
from analysis.claims.world import World
from analysis.errors import InputError
from analysis.measure import frontier, sightings

ARENA: Final = "arena"
INDEX: Final = "index"
_KINDS: Final[Mapping[str, str]] = {
    "arena-table": ARENA,
    "arena-table-json": ARENA,
    "quality-index": INDEX,
}
#: Version with the region of each organisation.
REGIONS: Final = "organisation-regions-2026-08-17"


# ------------------------------------------------------------------------------------ boards


@dataclass(frozen=True)
class Board:
    """One file of a board: its scale, day and version, and its models (:func:`frontier.board`)."""

    scale: str
    day: date
    version: str
    table: pd.DataFrame

    @property
    def title(self) -> str:
        """The scale in words."""
        return {ARENA: "Arena", INDEX: "index of quality"}[self.scale]


def _witness(world: World, rules: frontier.FrontierRules) -> frontier.Witness:
    """Return what the index's flagged file, the Hub's tree and the Arena say of openness."""
    flags: dict[str, str] = {}
    for frame in world.evidence.of_kind("quality-index").values():
        if "open_weights" not in frame:
            continue
        known = frame[frame["open_weights"].notna()]
        flags |= {
            str(name): frontier.OPEN if flag else frontier.CLOSED
            for name, flag in zip(known["board_id"], known["open_weights"], strict=True)
        }
    repositories = frozenset(
        str(name)
        for frame in world.evidence.of_kind("hub-tree").values()
        for name in frame["repository_id"]
    )
    arena = {
        str(name): frontier.licensed(None if pd.isna(licence) else str(licence), rules)
        for _, frame in sorted(
            world.evidence.of_kind("arena-table-json").items(),
            key=lambda item: world.evidence.days[item[0]],
        )
        for name, licence in zip(frame["board_model"], frame["board_licence"], strict=True)
    }
    return frontier.Witness(flags, repositories, arena)


def boards(world: World) -> dict[tuple[str, date], Board]:
    """Return every file of a board that rates models, by scale and day."""

    def make() -> dict[tuple[str, date], Board]:
        rules = world.evidence.rule("frontier")
        listed = world.evidence.frame(REGIONS)
        regions = dict(zip(listed["organisation"].astype("str"), listed["region"], strict=True))
        witness = _witness(world, rules)
        found: dict[tuple[str, date], Board] = {}
        for kind, scale in _KINDS.items():
            for version, frame in world.evidence.of_kind(kind).items():
                table = frontier.board(frame, regions, rules, witness)
                if len(table):  # The description of the fields has no row.
                    day = world.evidence.days[version]
                    found[scale, day] = Board(scale, day, version, table)
        return dict(sorted(found.items()))

    return world.evidence.once("frontier.boards", make)


def chosen(world: World, text: str) -> Board:
    """Return the board that a choice names; InputError that lists the boards when there is none."""
    scale, day, *option = text.split()
    known = boards(world)
    key = (scale, day_of(day))
    if key not in known or option not in ([], ["measured"], ["whole"]):
        there = ", ".join(f"{name} {when.isoformat()}" for name, when in known)
        raise InputError(f"data/claims.toml: board: {text!r} is not known; there are: {there}")
    board = known[key]
    if scale == ARENA or option == ["whole"]:
        return board
    rules = world.evidence.rule("frontier")
    table = board.table
    if option == ["measured"]:
        table = frontier.measured(table)
        if table.empty:
            raise InputError(f"data/claims.toml: board: {text!r}: the file marks no value")
    return Board(scale, rules.until, board.version, frontier.until(table, rules.until))


@dataclass(frozen=True)
class Distance:
    """The best of all and of a group on a board, and what lies between them."""

    top: frontier.Best
    own: frontier.Best
    gap: frontier.Span
    win_rate: frontier.Span
    ratio: frontier.Span | None
    behind: frontier.Span | None


def distance(world: World, board: Board, group: frontier.Group) -> Distance:
    """Return how far the best of a group is from the best of all.

    Parameters
    ----------
    group
        ``china``, ``qwen`` or ``us`` (open models), or ``all``.
    """
    rules = world.evidence.rule("frontier")
    arena = board.scale == ARENA
    top = frontier.best(board.table, "all")
    own = frontier.best(board.table, group, complete=rules.complete if arena else 0)
    gap = frontier.gap(top, own)
    rate = frontier.Span(
        frontier.win_rate(gap.value) if not math.isnan(gap.value) else math.nan,
        frontier.win_rate(gap.upper),
        frontier.win_rate(gap.lower),
    )
    return Distance(
        top,
        own,
        gap,
        rate,
        None if arena else frontier.ratio(top, own),
        None if arena else frontier.behind(board.table, group, board.day),
    )


def _closeness(found: Distance, near: frontier.Near, scale: str) -> frontier.Span:
    """Return how near over the line that a reading draws: above one is near."""
    if near.days is not None:
        if found.behind is None:
            raise InputError("data/claims.toml: near: a lag needs days of release, use the index")
        lag = found.behind
        return frontier.Span(
            near.days / max(1.0, lag.value) if not math.isnan(lag.value) else math.nan,
            near.days / max(1.0, lag.upper),
            near.days / max(1.0, lag.lower),
        )
    span, line = (
        (found.win_rate, near.win_rate) if scale == ARENA else (found.ratio, near.index_ratio)
    )
    assert span is not None
    assert line is not None
    return frontier.Span(span.value / line, span.lower / line, span.upper / line)


def near(world: World, spec: Spec, _line: float) -> Outcome:
    """Say how near the best Chinese open model is to the best of all, over the declared line."""
    board = chosen(world, str(spec["board"]))
    group = cast(frontier.Group, spec["makers"])
    found = distance(world, board, group)
    close = _closeness(found, world.evidence.rule("frontier").reading(str(spec["near"])),
                       board.scale)  # fmt: skip
    note = "" if found.own.maybe is None else (
        f"{found.own.maybe} rates higher, and no source says whether its weights are public"
    )  # fmt: skip
    if found.own.model is None:
        note = "no such model is listed: the interval is what the rest of the list allows"
    extra: dict[str, float | str] = {
        "day": board.day.isoformat(),
        "version": board.version,
        "top_model": str(found.top.model),
        "own_model": found.own.model or "",
        "top": found.top.score,
        "own": found.own.score,
        "gap": found.gap.value,
        "gap_lower": found.gap.lower,
        "gap_upper": found.gap.upper,
        "win_rate": found.win_rate.value,
        "win_rate_lower": found.win_rate.lower,
        "win_rate_upper": found.win_rate.upper,
        "index_ratio": found.ratio.value if found.ratio else math.nan,
        "behind_days": found.behind.value if found.behind else math.nan,
    }
    if board.scale == INDEX:
        extra |= {"win_rate": math.nan, "win_rate_lower": math.nan, "win_rate_upper": math.nan}
    return Outcome(
        close.value,
        close.lower,
        close.upper,
        close.lower,
        close.upper,
        whole_interval=True,
        note=note,
        extra=extra,
    )


def _find_near(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    if not own["own_model"]:
        return "The last list of the Arena before the article shows no Chinese open model"
    low, high = 100 * float(own["win_rate_lower"]), 100 * float(own["win_rate_upper"])
    rate = f"{low:.0f} to {high:.0f}" if round(low) != round(high) else f"{low:.0f}"
    start = {"matches": "Near", "differs": "Not near"}.get(
        record["recreated"]["verdict"], "Near or not hangs on a few points"
    )
    return (
        f"{start}: the best Chinese open model, {float(own['gap']):.0f} points behind on the "
        f"Arena, is expected to win {rate} of 100 votes against the best of all"
    )


# --------------------------------------------------------------------------------- sightings


def looks(world: World) -> dict[str, dict[str, Any]]:
    """Return what each kind of source with a column of names shows of Qwen's newest names.

    Kinds that are not read are left out.
    """

    def make() -> dict[str, dict[str, Any]]:
        rules = world.evidence.rule("sightings")
        found = {}
        for look in rules.look:
            frames = world.evidence.of_kind(look.kind)
            versions = [(name, world.evidence.days[name], frames[name]) for name in frames]
            # A description of fields or a page that was empty names nothing, and says nothing.
            versions = [entry for entry in versions if len(entry[2]) and look.column in entry[2]]
            if versions:
                found[look.kind] = {
                    "title": look.title,
                    "weights": look.weights,
                    **sightings.seen(versions, look, rules),
                }
        return found

    return world.evidence.once("frontier.looks", make)


def _words(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def sighted(world: World, spec: Spec, _line: float) -> Outcome:
    """Return the month in which Qwen 4 is first seen; pending while no source shows it."""
    wanted = {"weights": (True,), "served": (False,), "any": (True, False)}[str(spec["sources"])]
    own = [look for look in looks(world).values() if look["weights"] in wanted]
    if not own:
        raise InputError("data/sightings.toml: no kind of source that it names was read")
    last = max(look["last"] for look in own)
    need = {"first": 1, "two-kinds": 2}[str(spec["since"])]
    first, after_ = {"itself": ("first", "after"), "previews-too": (
        "announced_first", "announced_after")}[str(spec["names"])]  # fmt: skip
    seen = sorted(
        (look[first], look[after_] or look[first]) for look in own if look[first] is not None
    )
    extra: dict[str, float | str] = {"day": last.isoformat(), "kinds": float(len(own))}
    if len(seen) < need:
        few = "no source of ours shows it" if not seen else "only one kind of source shows it"
        few += f" by {_words(last)}"
        return Outcome(
            None,
            decided="undetermined",
            extra=extra,
            note=few,
            pending=f"{few}, which is no proof of absence",
        )
    day, after = seen[need - 1]
    extra |= {"first": after.isoformat()[:7], "last": day.isoformat()[:7]}
    return Outcome(day.isoformat()[:7], extra=extra)


def _find_sighted(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    if record["value"] is not None:
        return f"Seen: Qwen 4 stands in our sources in {record['value']}"
    return f"Pending: Qwen 4 not seen by {_words(date.fromisoformat(str(own['day'])))}"


_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"near": near, "sighted": sighted}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "near": {"board": (), "near": (), "makers": ("china", "qwen")},
    "sighted": {
        "sources": ("weights", "served", "any"),
        "since": ("first", "two-kinds"),
        "names": ("itself", "previews-too"),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"near": _find_near, "sighted": _find_sighted}
