"""Checks of the claims on clouds, and what is said of those on enterprises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Said, Spec, day_of
from analysis.claims.world import LLAMA, QWEN, World
from analysis.errors import InputError
from analysis.measure import routers, services

#: How many clouds the claim names.
CLOUDS: Final = 3


# --------------------------------------------------------------------------------- the clouds


def tables_by_day(world: World) -> dict[date, pd.DataFrame]:
    """Return the entries of the clouds in each version of the price table, by its day."""

    def make() -> dict[date, pd.DataFrame]:
        rules = world.evidence.rule("services")
        return {
            world.evidence.days[name]: services.offers(frame, world.evidence.days[name], rules)
            for name, frame in world.evidence.of_kind("service-catalogue").items()
        }

    return world.evidence.once("services.tables", make)


def version_of(world: World) -> dict[date, str]:
    """Return the name of the version of the price table by its day."""
    kinds = world.evidence.of_kind("service-catalogue")
    return {world.evidence.days[name]: name for name in kinds}


def offered(world: World, day: date) -> pd.DataFrame:
    """Return the entries of a day's version; InputError that lists the days when there is none."""
    days = tables_by_day(world)
    if day not in days:
        known = ", ".join(each.isoformat() for each in sorted(days))
        raise InputError(f"the price table was not read on {day}; it was on: {known}")
    return days[day]


def newest(world: World, day: date) -> frozenset[str]:
    """Return the names of Llama's newest generation that was out for long enough, and newer ones.

    Parameters
    ----------
    day
        Day asked about; the days out stand in ``data/services.toml``.
    """
    rules = world.evidence.rule("services")
    known = sorted(
        (entry.day, entry.name)
        for entry in world.evidence.rule("releases").release
        if entry.family == LLAMA and entry.generation and entry.day <= day
    )
    until = day - timedelta(days=rules.newest_after_days)
    out = [released for released, _ in known if released <= until]
    if not out:
        raise InputError(f"data/releases.toml: no generation of Llama was out long before {day}")
    return frozenset(name for released, name in known if released >= out[-1])


def managed(world: World, spec: Spec, _line: float) -> Outcome:
    """Count the clouds on which Llama is on offer."""
    day, least = day_of(spec["day"]), int(str(spec["at_least"]))
    table = offered(world, day)
    own = table[(table["family"] == LLAMA) & ~table["retired"].astype("bool")]
    if spec["price"] == "above-zero":
        own = own[own["priced"].astype("bool")]
    if spec["models"] == "newest":
        wanted = newest(world, day)
        own = own[[services.generation_of(str(name)) in wanted for name in own["model"]]]
    models = own.groupby("cloud")["model"].nunique()
    clouds = [c.id for c in world.evidence.rule("services").cloud]
    seen = [cloud for cloud in clouds if int(models.get(cloud, 0)) >= least]
    extra: dict[str, float | str] = {"day": day.isoformat(), "clouds": ", ".join(seen)}
    extra |= {f"models_{cloud}": float(models.get(cloud, 0)) for cloud in clouds}
    # What the table lacks may be on offer: it is late. What it holds may be gone: it forgets late.
    return Outcome(
        float(len(seen)),
        float(len(seen)),
        float(len(clouds)),
        0.0,
        float(len(clouds)),
        whole_interval=True,
        note="entries arrive late: a cloud without one may offer Llama all the same",
        extra=extra,
    )


@dataclass(frozen=True)
class First:
    """When a family is first seen on a cloud; `day` is None where no version shows it."""

    cloud: str
    title: str
    family: str
    after: date | None
    day: date | None


def firsts(world: World, families: tuple[str, ...]) -> list[First]:
    """Return when each family is first seen on each cloud, in the order of the rules."""
    rules = world.evidence.rule("services")
    found = services.seen(tables_by_day(world), ("cloud", "family"))
    rows = []
    for family in families:
        for cloud in rules.cloud:
            seen = found.get((cloud.id, family))
            rows.append(
                First(
                    cloud.id,
                    cloud.title,
                    family,
                    seen.after if seen else None,
                    seen.first if seen else None,
                )
            )
    return rows


_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _month(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.year}"


_WORDS: Final = ("none", "one", "two", "three")


def _find_managed(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    seen = int(own["lower"])
    if seen == CLOUDS:
        text = "Yes: the price table lists Llama on all three clouds"
    else:
        text = f"The price table lists Llama on {_WORDS[seen]} of the three clouds"
    counts = [int(own[name]) for name in table.columns if str(name).startswith("models_")]
    if counts:
        low, high = min(counts), max(counts)
        text += f", {low} to {high} models on each" if low != high else f", {low} models on each"
    fails = table[(table["models"] == "newest") & (table["price"] == own["price"])]
    lacking = int((fails["lower"] < CLOUDS).sum())
    if lacking:
        text += (
            f"; its newest generation was missing from a cloud in {lacking} of {len(fails)} "
            "versions of the table"
        )
    return text


# ----------------------------------------------------------------------------------- the router


@dataclass(frozen=True)
class Reading:
    """One file of the router: version, moment, rows."""

    version: str
    taken: datetime
    frame: pd.DataFrame


def readings(world: World) -> list[Reading]:
    """Return the files of the router in order of time, the empty one among them.

    A file's moment is the end of its day where the evidence holds the day alone.
    """
    return [
        Reading(name, _taken(world, name), frame)
        for name, frame in sorted(
            world.evidence.of_kind("router-ranking").items(),
            key=lambda item: world.evidence.days[item[0]],
        )
    ]


def _taken(world: World, name: str) -> datetime:
    moment = world.evidence.taken.get(name)
    if moment is None:
        raise InputError(f"{name} does not say when it was read")
    return moment
