"""Checks of the claims on sizes and adoption."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec, day_of
from analysis.claims.world import QWEN, World
from analysis.measure import shares, sizes

#: The families whose sizes are compared, by the same rule.
FAMILIES: Final = ("qwen", "llama", "gemma", "mistral", "deepseek", "gpt-oss")
_HEADERS: Final = "hub-stats-2026-05"
_LISTED: Final = "model-parameters-2026-08-17"
_SINCE: Final = date(2025, 1, 1)


# ------------------------------------------------------------------------------ hardware-sizes


def headers(world: World) -> dict[str, float]:
    """Return the sums over safetensors headers that the hub-stats cut holds, by repository."""
    frame = world.evidence.frame(_HEADERS).dropna(subset=["parameters_total"])
    return dict(
        zip(
            frame["repository_id"].astype("str"),
            frame["parameters_total"].astype("float64"),
            strict=True,
        )
    )


def family_sizes(world: World, family: str, rule: str) -> pd.DataFrame:
    """Return sizes of every repository of a family (:func:`analysis.measure.sizes.sizes`)."""

    def make() -> pd.DataFrame:
        members = sorted(name for name, own in world.family[rule].items() if own == family)
        listed = world.evidence.frame(_LISTED)
        return sizes.sizes(members, headers(world), listed, world.evidence.rule("hardware"))

    table: pd.DataFrame = world.evidence.once(f"adoption.sizes.{family}.{rule}", make)
    return table


def members(world: World, family: str, day: date, population: str) -> tuple[frozenset[str], str]:
    """Return the repositories of a family on a day, and the family rule that holds for them."""
    rule = "with-reuploads" if population == "with-reuploads" else "official"
    found = world.existed({n for n, own in world.family[rule].items() if own == family}, day)
    # What was created after the day is no part of that day's family.
    found = {n for n in found if n not in world.created or world.created[n] <= day}
    if population == "since-2025":
        # Without a day of creation: the first day on which any file of ours names it.
        first = {n: date.fromordinal(world.first_seen[n]) for n in found}
        found = {n for n in found if world.created.get(n, first[n]) >= _SINCE}
    return frozenset(found), rule


def fitting(
    world: World,
    family: str,
    day: date,
    card: str,
    bits: str,
    weight: str,
    population: str,
    outlier: str,
    overhead: float | None = None,
) -> Outcome:
    """Share of a family's downloads, or models, that fits a card.

    What was read and has a known size gives the value; the interval adds what was
    not read (under the tested assumptions) and lets unknown sizes fall on either side.
    """
    rules = world.evidence.rule("hardware")
    if overhead is not None:
        rules = rules.model_copy(update={"overhead": overhead})
    own, rule = members(world, family, day, population)
    table = family_sizes(world, family, rule).loc[sorted(own)]
    answer = sizes.fits(table, rules.find_card(card), bits, rules)
    yes = frozenset(answer.index[answer.fillna(False)])
    no = frozenset(answer.index[~answer.fillna(True)])
    open_ = own - yes - no
    if weight == "models":
        # A model fits if any of its copies does: one that is published in fewer bits counts.
        by_model = answer.groupby(table["model"]).max()
        known, whole = by_model.dropna(), len(by_model)
        count = int(known.sum())
        value = count / len(known) if len(known) else float("nan")
        low = count / whole if whole else float("nan")
        high = (count + whole - len(known)) / whole if whole else float("nan")
        return Outcome(
            value,
            low,
            high,
            low,
            high,
            len(known),
            whole,
            extra={"day": day.isoformat(), "fit": float(count), "unknown_size": len(open_)},
        )
    ends: dict[str, tuple[float, float, float]] = {}
    centre = float("nan")
    read = {key: world.estimate(part, day, outlier) for key, part in
            (("yes", yes), ("no", no), ("open", open_))}  # fmt: skip
    for treatment in ("absent", "hard", "pooled"):
        fit, rest, either = (
            shares.total(read[key], treatment, world.pooling) for key in ("yes", "no", "open")
        )
        ends[treatment] = (
            shares.fraction(fit, rest)[0],
            shares.fraction(fit, rest + either)[1],
            shares.fraction(fit + either, rest)[2],
        )
        if treatment == "pooled":
            centre = shares.fraction(fit, rest)[0]
    seen = pd.concat([read["yes"], read["no"]])
    return Outcome(
        ends["absent"][0],
        ends["pooled"][1],
        ends["pooled"][2],
        ends["hard"][1],
        ends["hard"][2],
        int(seen["seen"].notna().sum()),
        len(own),
        extra={
            "day": day.isoformat(),
            "fit": float(read["yes"]["seen"].sum()),
            "unknown_size": len(open_),
            "centre": centre,
        },
        covered_all_time=world.coverage(pd.concat([*read.values()])),
    )


def hardware(world: World, spec: Spec, _line: float) -> Outcome:
    """Share of what is fetched of Qwen, or of its models, that fits a common card."""
    return fitting(
        world,
        QWEN,
        day_of(spec["day"]),
        str(spec["card"]),
        str(spec["bits"]),
        str(spec["weight"]),
        str(spec["population"]),
        str(spec["outliers"]),
    )


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _find_hardware(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    low, high, line = float(own["lower"]), float(own["upper"]), float(record["stated_value"])
    span = f"{_percent(low)} to {_percent(high)} of what is fetched of Qwen fits one common card"
    chosen = table[(table["weight"] == "models") & (table["bits"] == own["bits"])]
    chosen = chosen[(chosen["card"] == "8") & (chosen["population"] == own["population"])]
    if low > line:
        small = chosen[chosen["day"] == own["day"]]
        text = f"Yes: {span}"
        if not small.empty and float(small["upper"].iloc[0]) <= line:
            text += "; on the smallest card less than half of the models do"
        return text
    if high <= line:
        return f"No: {span}"
    return f"{span}: the data cannot tell whether more than half does"


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"hardware": hardware}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "hardware": {
        "card": (),
        "bits": (sizes.PUBLISHED, "16", "8", "4"),
        "weight": ("downloads", "models"),
        "day": (),
        "population": ("family", "since-2025", "with-reuploads"),
        "outliers": ("in", "out"),
        "missing": ("absent", "bounded"),
    }
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"hardware": _find_hardware}
