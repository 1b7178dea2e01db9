"""Checks of the claims on licences and their thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec
from analysis.claims.world import World
from analysis.errors import InputError
from analysis.measure import licences

#: Kind of the licence texts, and whose licences the claim on thresholds is about.
TEXTS: Final = "licence-text"
META: Final = "Meta"


def texts(world: World) -> dict[str, licences.Reading]:
    """Every licence text as the rules read it, by version name."""
    evidence = world.evidence
    return evidence.once(
        "licensing.texts",
        lambda: licences.readings(evidence.of_kind(TEXTS), evidence.rule("licences")),
    )


def threshold(world: World, spec: Spec, line: float) -> Outcome:
    """Monthly active users above which one licence text wants to be asked.

    ``number`` is ``users`` (a number that stands by the users), or ``anywhere`` (of
    all numbers of a million or more in the text the one nearest to the line that the
    claim draws, whatever it is said of).
    """
    every = texts(world)
    name = str(spec["text"])
    if name not in every:
        raise InputError(
            f"data/claims.toml: text: {name!r} is no licence text; there are: {', '.join(every)}"
        )
    reading = every[name]
    found = reading.threshold
    value: float | None = None if found is None else float(found.users)
    if spec["number"] == "anywhere":
        near = sorted(reading.large, key=lambda n: (abs(math.log(n / line)), n))
        value = float(near[0]) if near else None
    elsewhere = [
        one
        for one in every.values()
        if one.licensor != reading.licensor
        and one.threshold is not None
        and one.threshold.users == line
    ]
    bound = math.nan if value is None else value
    return Outcome(
        value,
        bound,
        bound,
        bound,
        bound,
        note="" if found is None else f"line {found.place.line}",
        extra={
            "stated_by": (elsewhere[0].licensor or "") if elsewhere else "",
            "stated_in": elsewhere[0].title if elsewhere else "",
        },
    )


def _million(value: float) -> str:
    return f"{value / 1e6:,.0f} million"


def _find_threshold(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table[table["number"] == table.iloc[0]["number"]]
    numbers = sorted({float(v) for v in own["value"].dropna()})
    stated = float(record["stated_value"])
    if not numbers:
        return "The licence texts name no number of users"
    if len(numbers) == 1 and own["value"].notna().all():
        said = f"all {len(own)} Llama licences say {_million(numbers[0])}"
    else:
        said = f"the Llama licences say {', '.join(_million(n) for n in numbers)}"
    if stated in numbers:
        return f"Yes, in part: {said}" if len(numbers) > 1 else f"Yes: {said}"
    other = str(own.iloc[0]["stated_by"])
    if not other:
        return f"No: {said}, and no text here says {_million(stated)}"
    title = str(own.iloc[0]["stated_in"]).removesuffix(" LICENSE AGREEMENT")
    return f"No: {said}; {_million(stated)} is the number of {other}'s first licence, for {title}"


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"licence_threshold": threshold}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "licence_threshold": {"text": (), "number": ("users", "anywhere")},
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"licence_threshold": _find_threshold}
