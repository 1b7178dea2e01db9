"""What a router for paid services passed on: shares of a week to date, as bounds.

The page of the router counts tokens from the beginning of a week and lists the first nine models
and makers, with their parts of the whole rounded to a tenth of a per cent. So a sum of tokens says
how far the week had come before it says anything else: files are compared by shares, and only
where their weeks were nearly complete. What is not listed lies below the ninth. What rules decide
is data (``data/routers.toml``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Literal

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from analysis.entries import checked

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4)]
Weights = Literal["open", "closed", "unknown"]

WEEK: Final = timedelta(days=7)
#: Sections that hold a part of all tokens for each model, and for each maker.
MODELS, MAKERS = "models", "market_share"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Maker(_Strict):
    """A maker: its family, where it has one alone, and whether its models have public weights."""

    id: str
    family: str | None = None
    weights: Weights
    reason: Reason


class Model(_Strict):
    """Models by the beginning of the router's name, and since when their weights are public."""

    names: str
    weights: Weights
    repository: str | None = None
    since: date | None = None
    reason: Reason

    @model_validator(mode="after")
    def _fits(self) -> Model:
        try:
            re.compile(self.names)
        except re.error as error:
            raise ValueError(f"{self.names!r} is no regular expression: {error}") from None
        if self.weights == "open" and (self.repository is None or self.since is None):
            raise ValueError("open weights need the repository and the day it was created")
        return self


class RouterRules(_Strict):
    """``data/routers.toml``."""

    week_starts: int = Field(ge=0, le=6)
    week_starts_reason: Reason
    nearly_complete: float = Field(gt=0, le=1)
    nearly_complete_reason: Reason
    rounding: float = Field(gt=0)
    rounding_reason: Reason
    change_rounding: float = Field(gt=0)
    change_rounding_reason: Reason
    maker: tuple[Maker, ...]
    model: tuple[Model, ...]

    def maker_weights(self, name: str) -> Weights:
        """Whether all that a maker offers has public weights; unknown where it is not declared."""
        return next((m.weights for m in self.maker if m.id == name), "unknown")

    def model_weights(self, name: str, day: date) -> Weights:
        """Whether a model had public weights on a day; unknown where it is not declared."""
        for entry in self.model:
            if re.match(entry.names, name):
                if entry.since is not None and day < entry.since:
                    return "unknown"
                return entry.weights
        return "unknown"


def parse(mapping: Mapping[str, object]) -> RouterRules:
    """Validate the content of ``data/routers.toml``; InputError names a wrong entry."""
    return checked(RouterRules, mapping, "data/routers.toml")


def week_of(taken: datetime, starts: int) -> datetime:
    """Return the beginning of the week that a reading lies in, at midnight of its weekday."""
    midnight = taken.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=(taken.weekday() - starts) % 7)


def into_week(taken: datetime, starts: int) -> float:
    """Return the part of the week that was over at a reading, from 0 to below 1.

    Parameters
    ----------
    taken
        Moment of the reading, in UTC.
    starts
        Weekday on which the week begins, 0 for Monday.
    """
    return (taken - week_of(taken, starts)) / WEEK


def section_of(frame: pd.DataFrame, section: str) -> pd.DataFrame:
    """Return one section of a file, by rank; empty where the file holds none of it."""
    part = frame[frame["section"] == section]
    return part.sort_values("rank", kind="stable").reset_index(drop=True)


def whole(frame: pd.DataFrame, section: str, rounding: float) -> tuple[float, float]:
    """Return what all tokens of a section lie between, from tokens and rounded shares.

    Each entry's tokens over its share give the whole between two ends; the whole lies in all of
    these intervals at once. NaN where the section is empty or the entries contradict one another.
    """
    part = section_of(frame, section).dropna(subset=["tokens", "share_pct"])
    part = part[(part["share_pct"] > rounding).to_numpy(dtype=bool)]
    if part.empty:
        return float("nan"), float("nan")
    tokens, share = part["tokens"].astype("float64"), part["share_pct"].astype("float64")
    lower = float((100 * tokens / (share + rounding)).max())
    upper = float((100 * tokens / (share - rounding)).min())
    return (lower, upper) if lower <= upper else (float("nan"), float("nan"))


def unlisted(frame: pd.DataFrame, section: str, rounding: float) -> float:
    """Return the largest share that an entry outside the list can have; NaN without a list.

    It is at most that of the last one listed, and at most what the listed ones leave.
    """
    part = section_of(frame, section).dropna(subset=["share_pct"])
    if part.empty:
        return float("nan")
    share = part["share_pct"].astype("float64")
    last = float(share.min()) + rounding
    left = 100 - float(share.sum()) + rounding * len(share)
    return max(0.0, min(last, left)) / 100


def openness(
    frame: pd.DataFrame, section: str, day: date, rules: RouterRules
) -> tuple[float, float]:
    """Return the least and the largest part of all tokens that went to models with open weights.

    At least what is listed and known to be open; at most all but what is listed and known not to
    be. What is unknown or not listed may be either. NaN without a list.

    Parameters
    ----------
    section
        :data:`MODELS` or :data:`MAKERS`; the two need not cover the same hours.
    day
        Day of the reading: weights published later do not count.
    """
    part = section_of(frame, section).dropna(subset=["share_pct"])
    if part.empty:
        return float("nan"), float("nan")
    if section == MODELS:
        state = [rules.model_weights(str(name), day) for name in part["router_model"]]
    else:
        state = [rules.maker_weights(str(name)) for name in part["maker"]]
    share = part["share_pct"].astype("float64")
    known = {kind: share[[s == kind for s in state]] for kind in ("open", "closed")}
    low = float(known["open"].sum()) - rules.rounding * len(known["open"])
    high = 100 - float(known["closed"].sum()) + rules.rounding * len(known["closed"])
    return max(0.0, low) / 100, min(100.0, high) / 100


def part_by_change(earlier: pd.DataFrame, later: pd.DataFrame, rules: RouterRules) -> pd.DataFrame:
    """Work out how far a week had come at a reading, from the changes that the next week gives.

    The page gives each model's change against the whole week before. From it follows what the
    model had in that whole week, and so what part of it the reading of that week already held.

    Parameters
    ----------
    earlier, later
        Readings of two weeks that follow each other.

    Returns
    -------
    pandas.DataFrame
        ``model`` listed in both, ``part``, with the ends ``lower`` and ``upper`` that the rounding
        of the change leaves.
    """
    first = section_of(earlier, MODELS).set_index("router_model")["tokens"].dropna()
    second = section_of(later, MODELS).set_index("router_model")
    rows = []
    for name in sorted(set(first.index) & set(second.index)):
        tokens, change = second.loc[name, "tokens"], second.loc[name, "change_pct"]
        if pd.isna(tokens) or pd.isna(change) or float(tokens) <= 0:
            continue
        ends = [
            float(first[name]) / (float(tokens) / (1 + (float(change) + shift) / 100))
            for shift in (-rules.change_rounding, 0, rules.change_rounding)
        ]
        rows.append((str(name), ends[1], ends[0], ends[2]))
    return pd.DataFrame(rows, columns=["model", "part", "lower", "upper"])
