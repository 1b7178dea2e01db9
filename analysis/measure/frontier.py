"""How near the best of a group of models comes to the best of all, on one board at a time.

A board is one file: a scale of its own. Nothing here compares two of them. What is near is
declared (``data/frontier.toml``), and so are whose a model is and whether its weights can be
downloaded. Where no source says that they can, the group's best is an interval: from the best of
those that are surely in it to the best of those that may be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from analysis.entries import checked
from analysis.errors import InputError

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4)]
Region = Literal["china", "us", "eu", "other", "unknown"]
#: Groups whose best is asked for: all models, all open ones, or those of makers of a region.
Group = Literal["all", "open", "china", "qwen", "us"]

#: Names longer than this are no names of models; a pattern never sees them.
LONGEST: Final = 200

OPEN: Final = "open"
CLOSED: Final = "closed"
UNKNOWN: Final = "unknown"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


class Near(_Strict):
    """A reading of "near": a gap (on both scales), or a lag in days (on an index)."""

    id: str
    win_rate: float | None = Field(default=None, gt=0, lt=0.5)
    index_ratio: float | None = Field(default=None, gt=0, lt=1)
    days: int | None = Field(default=None, gt=0)
    reason: Reason

    @model_validator(mode="after")
    def _one(self) -> Near:
        gap = (self.win_rate is not None, self.index_ratio is not None)
        if gap not in ((True, True), (False, False)) or gap[0] == (self.days is not None):
            raise ValueError("give win_rate and index_ratio, or days")
        return self


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


class Target(_Strict):
    """A model that the article names."""

    id: str
    title: str
    pattern: str
    reason: Reason

    _check = field_validator("pattern")(_pattern)


class Correction(_Strict):
    """Models whose openness the boards have wrong."""

    pattern: str
    open: bool
    reason: Reason

    _check = field_validator("pattern")(_pattern)


class Seen(_Strict):
    """Where it shows whether a model of the index is open, by its name there."""

    model: str
    repository: str | None = None
    arena: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Seen:
        if (self.repository is None) == (self.arena is None):
            raise ValueError("give a repository or a name on the Arena")
        return self


class Maker(_Strict):
    """Spellings of a maker, with its organisation on the Hub or its region."""

    names: tuple[str, ...]
    organisation: str | None = None
    region: Region | None = None
    reason: Reason

    @model_validator(mode="after")
    def _one(self) -> Maker:
        if (self.organisation is None) == (self.region is None):
            raise ValueError("give an organisation or a region")
        return self


class FrontierRules(_Strict):
    """``data/frontier.toml``."""

    complete: int = Field(gt=0)
    complete_reason: Reason
    estimated_reason: Reason
    until: date
    until_reason: Reason
    near: tuple[Near, ...]
    target: tuple[Target, ...]
    qwen: str
    qwen_reason: Reason
    closed: tuple[str, ...]
    closed_reason: Reason
    correction: tuple[Correction, ...]
    carried_reason: Reason
    seen: tuple[Seen, ...]
    country: Mapping[str, Region]
    maker: tuple[Maker, ...]

    _check = field_validator("qwen")(_pattern)

    @model_validator(mode="after")
    def _once(self) -> FrontierRules:
        names = [name for entry in self.maker for name in entry.names]
        if double := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a maker stands twice: {double[0]!r}")
        if wrong := sorted(name for name in names if name != name.lower()):
            raise ValueError(f"makers are written in lower case: {wrong[0]!r}")
        return self

    @cached_property
    def by_name(self) -> dict[str, Maker]:
        """Makers by spelling."""
        return {name: entry for entry in self.maker for name in entry.names}

    def reading(self, name: str) -> Near:
        """Return a reading of near; InputError that lists them when there is none."""
        for entry in self.near:
            if entry.id == name:
                return entry
        known = ", ".join(entry.id for entry in self.near)
        raise InputError(f"data/frontier.toml: no reading {name!r}; there are: {known}")


def parse(mapping: Mapping[str, object]) -> FrontierRules:
    """Validate the content of ``data/frontier.toml``; InputError names a wrong entry."""
    return checked(FrontierRules, mapping, "data/frontier.toml")


# ----------------------------------------------------------------------------------- a board


def region_of(
    maker: str | None, country: str | None, regions: Mapping[str, str], rules: FrontierRules
) -> str:
    """Return the region of a maker.

    Parameters
    ----------
    maker
        As the board names it; None where it names none.
    country
        As the board gives it; it goes before the lists.
    regions
        Region by organisation of the Hub (``organisation-regions``).
    """
    if country is not None:
        return rules.country.get(country.lower(), "other")
    entry = rules.by_name.get(maker.strip().lower()) if maker else None
    if entry is None:
        return UNKNOWN
    if entry.organisation is not None:
        return regions.get(entry.organisation, UNKNOWN)
    return str(entry.region)


def licensed(licence: str | None, rules: FrontierRules) -> str:
    """Return whether a licence, as a board words it, lets the weights be downloaded."""
    if licence is None or not licence.strip():
        return UNKNOWN
    return CLOSED if licence.strip().lower() in rules.closed else OPEN


@dataclass(frozen=True)
class Witness:
    """What other sources say of models of the index.

    Attributes
    ----------
    flags
        Openness by the index's own identifier, where another file of the index says it.
    repositories
        Repositories that are on the Hub.
    arena
        Openness by name on the Arena.
    """

    flags: Mapping[str, str]
    repositories: Collection[str]
    arena: Mapping[str, str]


#: Columns of :func:`board`.
BOARD: Final = (
    *("model", "maker", "region", "qwen", "weights", "how"),
    *("score", "lower", "upper", "released", "estimated"),
)


def board(
    frame: pd.DataFrame,
    regions: Mapping[str, str],
    rules: FrontierRules,
    witness: Witness | None = None,
) -> pd.DataFrame:
    """Return the rated models of one file, with whose they are and whether they are open.

    Parameters
    ----------
    frame
        A version of the kinds arena-table, arena-table-json or quality-index.
    witness
        For an index: what other sources say of its models.

    Returns
    -------
    pandas.DataFrame
        A row a model, the best first, in the columns :data:`BOARD`: ``region`` and ``weights``
        may be ``unknown``; ``how`` says where openness comes from (``board``, ``carried``,
        ``seen``, ``corrected`` or ``none``); ``lower`` and ``upper`` are the limits of the
        rating, the score itself where the file gives none; ``released`` a day or None.
    """

    def column(name: str) -> list[Any]:
        if name not in frame.columns:
            return [None] * len(frame)
        return [None if pd.isna(value) else value for value in frame[name]]

    seen = {entry.model: entry for entry in rules.seen}
    rows = []
    for id_, model, maker, country, licence, flag, score, low, high, out, guessed in zip(
        column("board_id"),
        column("board_model"),
        column("board_maker"),
        column("board_country"),
        column("board_licence"),
        column("open_weights"),
        column("board_score"),
        column("board_score_lower"),
        column("board_score_upper"),
        column("released_on"),
        column("board_estimated"),
        strict=True,
    ):
        if score is None:
            continue
        name = str(model)[:LONGEST]
        weights, how = UNKNOWN, "none"
        if flag is not None:
            weights, how = (OPEN if flag else CLOSED), "board"
        elif id_ is None:
            weights = licensed(licence, rules)
            how = "board" if weights != UNKNOWN else "none"
        elif witness is not None:
            weights, how = _witnessed(str(id_), name, seen, witness)
        for entry in rules.correction:
            if re.fullmatch(entry.pattern, name, re.IGNORECASE):
                weights, how = (OPEN if entry.open else CLOSED), "corrected"
        region = region_of(maker, country, regions, rules)
        known = rules.by_name.get(str(maker).strip().lower()) if maker else None
        own = known is not None and known.organisation == "Qwen"
        rows.append(
            (
                name,
                maker,
                region,
                own and bool(re.match(rules.qwen, name, re.IGNORECASE)),
                weights,
                how,
                float(score),
                float(score if low is None else low),
                float(score if high is None else high),
                None if out is None else out.date(),
                guessed,
            )
        )
    table = pd.DataFrame(rows, columns=list(BOARD))
    order = table.assign(name=table["model"]).sort_values(
        ["score", "name"], ascending=[False, True], kind="stable"
    )
    return order[list(BOARD)].reset_index(drop=True)


def _witnessed(id_: str, name: str, seen: Mapping[str, Seen], witness: Witness) -> tuple[str, str]:
    if id_ in witness.flags:
        return witness.flags[id_], "carried"
    entry = seen.get(name)
    if entry is not None:
        if entry.repository is not None and entry.repository in witness.repositories:
            return OPEN, "seen"
        found = witness.arena.get(entry.arena, UNKNOWN) if entry.arena is not None else UNKNOWN
        if found != UNKNOWN:
            return found, "seen"
    return UNKNOWN, "none"


def until(table: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the models of a board that were released by a day; those without a day are left out.

    Parameters
    ----------
    table
        A board (:func:`board`) with days of release.
    """
    return table[[out is not None and out <= day for out in table["released"]]]


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """Return the models of a board whose index is not marked as estimated."""
    return table[[guessed is not None and not bool(guessed) for guessed in table["estimated"]]]


# ---------------------------------------------------------------------------------- the best


def _of(table: pd.DataFrame, group: Group, *regions: str) -> pd.Series[bool]:
    """Whether a model is of the group, whatever is known of its weights."""
    if group == "qwen":
        return table["qwen"].astype("bool")
    if group == "open":
        return pd.Series(True, index=table.index)
    return table["region"].isin(regions)


def _sure(table: pd.DataFrame, group: Group) -> pd.Series[bool]:
    if group == "all":
        return pd.Series(True, index=table.index)
    return _of(table, group, group) & (table["weights"] == OPEN)


def _maybe(table: pd.DataFrame, group: Group) -> pd.Series[bool]:
    """Whether nothing that is known of a model keeps it out of the group."""
    if group == "all":
        return pd.Series(True, index=table.index)
    return _of(table, group, group, UNKNOWN) & (table["weights"] != CLOSED)


@dataclass(frozen=True)
class Best:
    """The best of a group on one board.

    Attributes
    ----------
    model, maker, released
        Of the best that is surely in the group; None where no listed model is.
    score
        Its score, NaN where there is none.
    lower, upper
        Between which the group's best lies: from the highest lower limit of a model that is surely
        in it (minus infinity where there is none) to the highest upper limit of one that may be.
    maybe
        The best model that may be in the group and rates higher; None where there is none.
    """

    model: str | None
    maker: str | None
    released: date | None
    score: float
    lower: float
    upper: float
    maybe: str | None = None


def best(table: pd.DataFrame, group: Group, *, complete: int = 0) -> Best:
    """Return the best of a group.

    Parameters
    ----------
    table
        A board (:func:`board`), the best first; not empty.
    complete
        A board with fewer rows lists its first ranks only: what it does not list rates no higher
        than its last row.

    Raises
    ------
    InputError
        The board is empty.
    """
    if table.empty:
        raise InputError("a board without a rated model has no best one: leave it out")
    sure, maybe = table[_sure(table, group)], table[_maybe(table, group)]
    upper = float(maybe["upper"].max()) if len(maybe) else -math.inf
    if len(table) < complete and sure.empty:
        upper = max(upper, float(table["upper"].iloc[-1]))
    if sure.empty:
        return Best(None, None, None, math.nan, -math.inf, upper,
                    None if maybe.empty else str(maybe["model"].iloc[0]))  # fmt: skip
    first = sure.iloc[0]
    higher = maybe[maybe["score"] > float(first["score"])]
    return Best(
        str(first["model"]),
        None if first["maker"] is None else str(first["maker"]),
        first["released"],
        float(first["score"]),
        float(sure["lower"].max()),
        max(upper, float(sure["upper"].max())),
        None if higher.empty else str(higher["model"].iloc[0]),
    )


def of_target(table: pd.DataFrame, target: Target) -> Best | None:
    """Return the best of the variants of a model that the article names; None where none is rated.

    Parameters
    ----------
    table
        A board (:func:`board`), the best first.
    """
    own = table[
        [re.fullmatch(target.pattern, str(m), re.IGNORECASE) is not None for m in table["model"]]
    ]
    return None if own.empty else best(own, "all")


@dataclass(frozen=True)
class Span:
    """A number and the interval in which it may lie; NaN where there is no number."""

    value: float
    lower: float
    upper: float


def gap(top: Best, own: Best) -> Span:
    """Return by how many points the best of a group lies behind the best of all: never below zero.

    The limits take both intervals at their far ends, so that they need no assumption on how the
    errors of the two go together.
    """
    return Span(
        max(0.0, top.score - own.score) if not math.isnan(own.score) else math.nan,
        max(0.0, top.lower - own.upper),
        max(0.0, top.upper - own.lower),
    )


def win_rate(points: float) -> float:
    """Return the expected part of votes for a model that lies `points` behind: at most one half.

    Examples
    --------
    >>> round(win_rate(0), 2), round(win_rate(400), 4)
    (0.5, 0.0909)
    """
    return 0.0 if points > 1e5 else 1 / (1 + 10 ** (points / 400))


def ratio(top: Best, own: Best) -> Span:
    """Return the best of a group as a part of the best of all, from 0 to 1.

    Raises
    ------
    InputError
        The best index is not above zero: there is no part of it.
    """
    if top.lower <= 0:
        raise InputError("the best index of a board is not above zero: is this another scale?")
    return Span(
        min(1.0, max(0.0, own.score) / top.score) if not math.isnan(own.score) else math.nan,
        min(1.0, max(0.0, own.lower) / top.upper),
        min(1.0, max(0.0, own.upper) / top.lower),
    )


# ----------------------------------------------------------------------------------- the lag


def _passed(table: pd.DataFrame, score: float, day: date) -> int:
    """Return how many days before `day` the first model above a score was released, 0 if none."""
    above = table.loc[table["score"] > score, "released"]
    return (day - min(above)).days if len(above) else 0


def behind(table: pd.DataFrame, group: Group, day: date) -> Span:
    """Return since how many days the best of all is above what a group reaches on a day.

    Above: a model of the same score has not passed it.

    Parameters
    ----------
    table
        A board (:func:`board`) with days of release; models released later are left out.

    Returns
    -------
    Span
        Days; 0 where the best of the group is the best of all. ``upper`` is infinite where no
        model is surely in the group.
    """
    out = until(table, day)
    sure, maybe = out[_sure(out, group)], out[_maybe(out, group)]
    upper = float(_passed(out, float(sure["score"].max()), day)) if len(sure) else math.inf
    lower = float(_passed(out, float(maybe["score"].max()), day)) if len(maybe) else (
        float(_passed(out, -math.inf, day))
    )  # fmt: skip
    return Span(upper if len(sure) else math.nan, lower, upper)


@dataclass(frozen=True)
class Reached:
    """When a group first reached a score.

    Attributes
    ----------
    model, day
        The first model that is surely in the group, and its day; None where none has by `seen`.
    earliest
        Day of the first that may be in the group; None where there is none.
    seen
        Day of the board: not reached by then says nothing of later.
    """

    model: str | None
    day: date | None
    earliest: date | None
    seen: date

    def lag(self, since: date) -> Span:
        """Days from `since`; ``upper`` is infinite where the group had not got there."""
        open_end = float((self.seen - since).days)
        value = math.nan if self.day is None else float(max(0, (self.day - since).days))
        lower = open_end if self.earliest is None else float(max(0, (self.earliest - since).days))
        return Span(value, lower, math.inf if self.day is None else value)


def reached(table: pd.DataFrame, group: Group, score: float, seen: date) -> Reached:
    """Return when a group first reached a score, by days of release on one board.

    Parameters
    ----------
    table
        A board (:func:`board`) with days of release.
    seen
        Day of the board.
    """
    known = until(table, seen)
    known = known[known["score"] >= score].sort_values(["released", "model"], kind="stable")
    sure, maybe = known[_sure(known, group)], known[_maybe(known, group)]
    return Reached(
        str(sure["model"].iloc[0]) if len(sure) else None,
        sure["released"].iloc[0] if len(sure) else None,
        maybe["released"].iloc[0] if len(maybe) else None,
        seen,
    )


def steps(table: pd.DataFrame, seen: date) -> pd.DataFrame:
    """Return the models that were the best of all when they came out.

    Parameters
    ----------
    table
        A board (:func:`board`) with days of release.
    seen
        Day of the board.

    Returns
    -------
    pandas.DataFrame
        ``released``, ``model``, ``maker``, ``region``, ``weights`` and ``score``, in order of
        release; of one day the best alone.
    """
    known = until(table, seen).sort_values(
        ["released", "score", "model"], ascending=[True, False, True], kind="stable"
    )
    rows, top = [], -math.inf
    for row in known.to_dict("records"):
        if float(row["score"]) > top:
            top = float(row["score"])
            rows.append(row)
    names = ["released", "model", "maker", "region", "weights", "score"]
    return pd.DataFrame(rows, columns=names)
