"""Checks of the claims on clouds, and what is said of those on enterprises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Said, Spec, day_of
from analysis.claims.world import LLAMA, World
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


_WORDS: Final = ("none", "one", "two", "three")


def _find_managed(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    seen = int(own["lower"])
    same = table[table["day"] == own["day"]]
    held = int((same["holds"] == "yes").sum())
    ways = f"in all {held} ways" if held == len(same) else f"in {held} of {len(same)} ways"
    if seen == CLOUDS:
        text = (
            f"Yes, {ways} to ask of the article's day: the price table lists Llama on all three "
            "clouds"
        )
    else:
        text = f"The price table lists Llama on {_WORDS[seen]} of the three clouds"
    counts = [int(own[name]) for name in table.columns if str(name).startswith("models_")]
    if counts:
        low, high = min(counts), max(counts)
        text += f", {low} to {high} models on each" if low != high else f", {low} models on each"
    newest = table[table["models"] == "newest"]
    lacking = {
        str(price): int((part["lower"] < CLOUDS).sum()) for price, part in newest.groupby("price")
    }
    some, priced = lacking.get("any", 0), lacking.get("above-zero", 0)
    if some or priced:
        text += (
            f"; its newest generation was not listed for a cloud in {some} of "
            f"{newest['day'].nunique()} versions of the table"
        )
    if priced != some:
        text += f" (with a price above zero in {priced})"
    return text


# ----------------------------------------------------------------------------------- the router


@dataclass(frozen=True)
class Reading:
    """One file of the router: version, moment, rows."""

    version: str
    taken: datetime
    frame: pd.DataFrame


def readings(world: World) -> list[Reading]:
    """Return the files of the router in order of time, the empty one among them."""
    found = []
    for name, frame in world.evidence.of_kind("router-ranking").items():
        moment = world.evidence.taken.get(name)
        if moment is None:
            raise InputError(f"{name} does not say when it was read: a part of a week needs it")
        found.append(Reading(name, moment, frame))
    return sorted(found, key=lambda reading: reading.taken)


def comparable(world: World) -> list[Reading]:
    """Return the files of the router with rows, of weeks that were nearly complete."""
    rules = world.evidence.rule("routers")
    return [
        reading
        for reading in readings(world)
        if len(reading.frame)
        and routers.into_week(reading.taken, rules.week_starts) >= rules.nearly_complete
    ]


# ---------------------------------------------------------------------------- the survey figures

#: Published figures that the two claims seem to rest on (``data/reference/published-figures.csv``).
VENDORS: Final = "menlo-vendors-2025-end"
OPEN: Final = "menlo-open-2025-end"
EARLIER: Final = "menlo-open-2025-mid"


#: What to add to a statement on a document by how we read it (its column ``read``).
AS_READ: Final[Mapping[str, str]] = {
    "primary": "",
    "partial": "as far as we could read it",
    "secondary": "as far as we could read it, at second hand",
}


@dataclass(frozen=True)
class Figure:
    """A published figure: its value, the numbers by name that its text gives, how it was read."""

    id: str
    value: float
    parts: Mapping[str, float]
    read: str
    stated_on: str
    population: str

    @property
    def as_read(self) -> str:
        """How far what we say of the document goes; empty where we read it itself."""
        return AS_READ[self.read]


def figure(world: World, name: str) -> Figure:
    """Return a published figure with the parts that stand in its unit or statement.

    Parts are read as a name with a capital and a number after it, and only up to a colon: what
    follows it there is somebody's remark, not a part.
    """
    table = world.evidence.published.set_index("id")
    if name not in table.index:
        raise InputError(f"data/reference/published-figures.csv: no figure {name!r}")
    row = table.loc[name]
    inside = re.search(r"\(([^)]*)\)", str(row["unit"]))
    text = inside.group(1) if inside else str(row["statement"]).partition(":")[0]
    parts = {
        found.group(1): float(found.group(2))
        for found in re.finditer(r"\b([A-Z][A-Za-z]+) (\d+(?:\.\d+)?)(?=,|$)", text)
    }
    read = str(row["read"])
    if read not in AS_READ:
        raise InputError(
            f"data/reference/published-figures.csv: {name}: read is {read!r}, expected one of "
            f"{', '.join(AS_READ)}"
        )
    return Figure(
        name,
        float(str(row["value"])),
        parts,
        read,
        str(row["stated_on"]),
        str(row["population"]),
    )


def three_vendors(world: World) -> tuple[float, Mapping[str, float]]:
    """Return the sum of the vendors' shares of spending, and the shares, in per cent."""
    parts = figure(world, VENDORS).parts
    if not parts:
        raise InputError(f"data/reference/published-figures.csv: {VENDORS}: no vendors in its unit")
    return sum(parts.values()), parts


def llama_of_open(world: World) -> tuple[float, float, float]:
    """Return Llama's part of the open part in the survey of mid-2025: ratio, part and whole."""
    found = figure(world, EARLIER)
    if "Llama" not in found.parts or not found.value:
        raise InputError(f"data/reference/published-figures.csv: {EARLIER}: no part for Llama")
    return found.parts["Llama"] / found.value, found.parts["Llama"], found.value


def closed_at_most(world: World) -> float:
    """Return what the open part leaves for all other models in the same survey, in per cent."""
    return 100 - figure(world, OPEN).value


def in_one_country(world: World) -> bool:
    """Whether the survey asked in the United States alone, by what its population says."""
    return re.search(r"\bUS\b", figure(world, VENDORS).population) is not None


def apart(world: World) -> int:
    """Return the days between the two reports that Llama's figure may join."""
    days = [date.fromisoformat(figure(world, name).stated_on) for name in (EARLIER, OPEN)]
    return abs((days[1] - days[0]).days)


def _say_enterprise(world: World) -> str:
    total, parts = three_vendors(world)
    names = [f"{name} {share:.0f}" for name, share in parts.items()]
    found = figure(world, OPEN)
    whom = "the same survey, of firms in the United States," if in_one_country(world) else (
        "the same survey"
    )  # fmt: skip
    text = (
        f"Not checkable: {total:.0f} % is likely the sum of three vendors "
        f"({', '.join(names[:-1])} and {names[-1]}), not the part of closed models; yet {whom} "
        f"leaves about {closed_at_most(world):.0f} % closed beside {found.value:.0f} % open"
    )
    return f"{text}, {found.as_read}" if found.as_read else text


def _say_llama(world: World) -> str:
    ratio, part, whole = llama_of_open(world)
    found = figure(world, OPEN)
    text = (
        f"Not checkable: {part:.0f} of {whole:.0f} points in an earlier survey make "
        f"{100 * ratio:.0f} %, and the survey with {found.value:.0f} % gives Llama no number"
    )
    return f"{text}, {found.as_read}" if found.as_read else text


#: Claim id to what is said of it, for those that no source of ours measures.
SAID: Final[Mapping[str, Said]] = {
    "enterprise-closed-88": _say_enterprise,
    "llama-70-of-open": _say_llama,
}

#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"managed": managed}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "managed": {
        "day": (),
        "models": ("any", "newest"),
        "at_least": ("1", "3"),
        "price": ("any", "above-zero"),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"managed": _find_managed}
