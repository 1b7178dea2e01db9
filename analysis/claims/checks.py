"""One check per claim: from the world to a table of specifications.

Each function takes the world, one specification (a choice for each dimension
of the claim's grid) and the line that the claim draws, and returns an
:class:`Outcome`. Nothing here knows what the article says; that is in the register.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

import pandas as pd

from analysis.claims import (
    adoption,
    arrivals,
    derivatives,
    domains,
    frontier,
    languages,
    licensing,
    pulls,
    releasing,
    services,
    terms,
    waves,
)
from analysis.claims import register as register_module
from analysis.claims.outcome import Check, Dimensions, Outcome, Spec, day_of, end
from analysis.claims.verdicts import holds, holds_months, holds_within
from analysis.claims.world import LLAMA, QWEN, RULES, World
from analysis.errors import InputError
from analysis.measure import flows, shares


def share(world: World, spec: Spec, line: float) -> Outcome:
    """Share of Qwen in a population on a month's day."""
    day = world.inputs.anchors.of_month(str(spec["month"])).day
    return _share_on(world, spec, day, line)


def _share_on(world: World, spec: Spec, day: date, line: float) -> Outcome:
    population, rule = str(spec["population"]), str(spec["family_rule"])
    outlier, missing = str(spec["outliers"]), str(spec["missing"])
    members = world.population(population, day, rule)
    seen = world.share(population, day, rule, outlier, "absent")
    pooled = world.share(population, day, rule, outlier, "pooled")
    hard = world.share(population, day, rule, outlier, "hard")
    value = end(missing, seen.value, pooled.lower, pooled.upper)
    decided = None
    note = ""
    if math.isinf(pooled.rest.upper):
        # The rest is known from below only: every number is an upper bound.
        value = {"absent": seen.upper, "against": pooled.upper, "for": pooled.upper}[missing]
        note = "an upper bound: our files see only part of this population"
        decided = "no" if value <= line else "undetermined"
    return Outcome(
        value,
        pooled.lower,
        pooled.upper,
        hard.lower,
        hard.upper,
        pooled.covered,
        pooled.population,
        decided,
        note,
        {"downloads": pooled.part.value, "rest": pooled.rest.value, "day": day.isoformat()},
        covered_all_time=world.coverage(world.estimate(members, day, outlier)),
        open_ended=math.isinf(pooled.rest.upper),
    )


def cumulative(world: World, spec: Spec, _line: float) -> Outcome:
    """All-time downloads of Qwen on a day."""
    day, population = day_of(spec["day"]), str(spec["population"])
    if population == "organisation":
        members = {n for n, own in world.family["official"].items() if own == QWEN}
        members = world.existed(members, day)
    else:
        listed = world.population("tracked", day, "official")
        members = {n for n in listed if world.family["official"].get(n) == QWEN}
    table = world.estimate(members, day, "in", "downloads_all_time")
    excess = 0.0
    if spec["outliers"] == "out":
        excess = world.excess(members, day)
    lower = float(table["hard_lower"].sum()) - excess
    upper = float(table["hard_upper"].sum()) - excess
    # "Absent": only repositories with an all-time counter read on or after the day.
    known = table[table["hard_how"].str.startswith(("read", "bounded"))]
    seen = float(known["hard_lower"].sum()) - excess
    value = end(str(spec["missing"]), seen, lower, upper, lower)
    return Outcome(
        value,
        lower,
        upper,
        lower,
        upper,
        len(known),
        len(table),
        None,
        "no all-time counter was read on the day: "
        "lower bounds from later readings less the downloads since",
        {"day": day.isoformat(), "excess": excess},
        open_ended=True,
    )


def month_total(world: World, spec: Spec, _line: float) -> Outcome:
    """Qwen's 30-day downloads on a day."""
    day, population, outlier = day_of(spec["day"]), str(spec["population"]), str(spec["outliers"])
    if population.startswith("tracked-"):
        listed = world.population(population, day, "official")
        members = {n for n in listed if world.family["official"].get(n) == QWEN}
    else:
        rules = {"organisation": "official", "with-reuploads": "with-reuploads"}
        if population not in rules:
            raise InputError(
                f"data/claims.toml: population: {population!r} is not known; "
                f"there are: {', '.join(rules)}, or the name of a tracked list"
            )
        rule = rules[population]
        members = {n for n, own in world.family[rule].items() if own == QWEN}
        members = world.existed(members, day)
    table = world.estimate(members, day, outlier)
    totals = {t: shares.total(table, t, world.pooling) for t in ("absent", "hard", "pooled")}
    value = end(
        str(spec["missing"]),
        totals["absent"].value,
        totals["pooled"].lower,
        totals["pooled"].upper,
        totals["pooled"].value,
    )
    return Outcome(
        value,
        totals["pooled"].lower,
        totals["pooled"].upper,
        totals["hard"].lower,
        totals["hard"].upper,
        int(table["seen"].notna().sum()),
        len(table),
        None,
        "",
        {"centre": totals["pooled"].value, "day": day.isoformat()},
        covered_all_time=world.coverage(table),
    )


# Who "the next eight" are, and the population in which they are looked for.
_RIVALS = {
    "largest-makers": "tracked",
    "named-makers": "named-makers",
    "largest-publishers": "text-and-vision",
    "single-models": "tracked",
}


def next_eight(world: World, spec: Spec, _line: float) -> Outcome:
    """Qwen's 30-day downloads against the next eight together."""
    day, rule, outlier = day_of(spec["day"]), str(spec["family_rule"]), str(spec["outliers"])
    rivals = str(spec["rivals"])
    members = world.population(_RIVALS[rivals], day, rule)
    family = world.family[rule]
    mine = frozenset(n for n in members if family.get(n) == QWEN)
    if rivals == "largest-publishers" and rule == "official":
        mine = frozenset(n for n in members if n.startswith("Qwen/"))
    part_table = world.estimate(mine, day, outlier)
    groups: dict[str, str] = {}
    for name in members - mine:
        organisation = name.split("/", 1)[0]
        if rivals == "single-models":
            key = name
        elif rivals == "largest-publishers":
            key = organisation
        else:
            key = world.maker.get(name, organisation)
        groups[name] = key
    own_maker = world.inputs.families.families[QWEN].maker
    if rivals != "largest-publishers":
        groups = {name: key for name, key in groups.items() if key != own_maker}
    rest_table = world.estimate(frozenset(groups), day, outlier)
    labels = [groups[name] for name in rest_table.index]
    numbers: dict[str, tuple[float, float, float]] = {}
    eight = ""
    for treatment in ("absent", "hard", "pooled"):
        part = shares.total(part_table, treatment, world.pooling)
        others = shares.totals(rest_table, labels, treatment, world.pooling)
        # The eight largest at each end: whichever they are, their sum lies between these.
        rest = shares.Total(
            *(float(others[c].nlargest(8).sum()) for c in ("value", "lower", "upper"))
        )
        numbers[treatment] = shares.ratio(part, rest)
        if treatment == "pooled":
            eight = ", ".join(str(name) for name in others["value"].nlargest(8).index)
    covered = int(part_table["seen"].notna().sum() + rest_table["seen"].notna().sum())
    size = len(part_table) + len(rest_table)
    value = end(str(spec["missing"]), numbers["absent"][0], *numbers["pooled"][1:])
    return Outcome(
        value,
        numbers["pooled"][1],
        numbers["pooled"][2],
        numbers["hard"][1],
        numbers["hard"][2],
        covered,
        size,
        None,
        "",
        {"centre": numbers["pooled"][0], "eight": eight, "day": day.isoformat()},
        covered_all_time=world.coverage(pd.concat([part_table, rest_table])),
    )


def china_us(world: World, spec: Spec, _line: float) -> Outcome:
    """First month in which repositories from China were downloaded more than those from the US."""
    table = flows.by_country(
        world.inputs.panel,
        attribution=str(spec["attribution"]),
        repackagers=str(spec["repackagers"]) == "in",
        leave_out=world.burst_repositories() if spec["outliers"] == "out" else frozenset(),
    )
    found = flows.crossing(table, cumulative=str(spec["measure"]) != "month")
    note = (
        "panel of repositories up to a year old: old models, most of Llama among them, are outside"
    )
    if found is None:
        return Outcome(None, decided="no", note=note)
    return Outcome(
        found.month,
        covered=int(table["repositories"].iloc[-1]),
        population=int(table["repositories"].max()),
        note=note,
        extra={"first": found.first, "last": found.last},
    )


def passes(world: World, spec: Spec, line: float) -> Outcome:
    """Qwen's downloads as a multiple of Llama's."""
    day, rule, outlier = day_of(spec["day"]), str(spec["family_rule"]), str(spec["outliers"])
    measure, missing = str(spec["measure"]), str(spec["missing"])
    members = frozenset(
        world.existed({n for n, f in world.family[rule].items() if f in (QWEN, LLAMA)}, day)
    )
    family = world.family[rule]
    mine = frozenset(n for n in members if family[n] == QWEN)
    one = world.estimate(mine, day, "in" if measure != "downloads_30d" else outlier, measure)
    two = world.estimate(
        members - mine, day, "in" if measure != "downloads_30d" else outlier, measure
    )
    covered = int(one["seen"].notna().sum() + two["seen"].notna().sum())
    if measure == "downloads_30d":
        pooled = shares.ratio(
            shares.total(one, "pooled", world.pooling), shares.total(two, "pooled", world.pooling)
        )
        hard = shares.ratio(shares.total(one, "hard"), shares.total(two, "hard"))
        seen = shares.ratio(shares.total(one, "absent"), shares.total(two, "absent"))
        value = end(missing, seen[0], pooled[1], pooled[2])
        return Outcome(
            value,
            pooled[1],
            pooled[2],
            hard[1],
            hard[2],
            covered,
            len(members),
            None,
            "",
            {"centre": pooled[0], "day": day.isoformat()},
            covered_all_time=world.coverage(pd.concat([one, two])),
        )
    excess = (world.excess(mine, day), world.excess(members - mine, day))
    if outlier == "in":
        excess = (0.0, 0.0)
    first, second = shares.total(one, "hard"), shares.total(two, "hard")
    part = shares.Total(first.lower - excess[0], first.lower - excess[0], first.upper - excess[0])
    rest = shares.Total(
        second.lower - excess[1], second.lower - excess[1], second.upper - excess[1]
    )
    value, lower, upper = shares.ratio(part, rest)
    picked = end(missing, value, lower, upper)
    note = "all-time counters: lower bounds of both; nothing bounds unread repositories above"
    decided = "undetermined" if missing != "absent" and lower <= line <= upper else None
    return Outcome(
        picked,
        lower,
        upper,
        lower,
        upper,
        covered,
        len(members),
        decided,
        note,
        {"centre": value, "day": day.isoformat()},
    )


def crossing(world: World, spec: Spec, line: float) -> Outcome:
    """Share after the release of Qwen 3.5, if it was at most at the line in January.

    With ``cause`` = ``needs-3.5`` the claim holds only if the share without the
    repositories of generation 3.5 would have stayed at or below the line.
    """
    population, outlier, missing = (
        str(spec["population"]),
        str(spec["outliers"]),
        str(spec["missing"]),
    )
    before_day = world.inputs.anchors.of_month("2026-01").day
    after_day = world.inputs.anchors.of_month(str(spec["after"])).day
    base = {"population": population, "family_rule": "official", "outliers": outlier}
    # "For" the claim: January as low, and the later month as high, as the data allow.
    opposite = {"absent": "absent", "for": "against", "against": "for"}[missing]
    before = _share_on(world, {**base, "missing": opposite}, before_day, line)
    after = _share_on(world, {**base, "missing": missing}, after_day, line)
    without = world.without_generation(population, after_day, outlier, "qwen3.5")
    assert isinstance(before.value, float)
    assert isinstance(after.value, float)
    counterfactual = end(missing, without["absent"][0], without["pooled"][2], without["pooled"][1])
    crossed = before.value <= line < after.value
    needed = spec["cause"] == "any" or counterfactual <= line
    decided = "yes" if crossed and needed else "no"
    if "undetermined" in (before.decided, after.decided):
        decided = "undetermined"
    elif after.decided == "no":
        decided = "no"
    return Outcome(
        after.value,
        after.lower,
        after.upper,
        after.hard_lower,
        after.hard_upper,
        after.covered,
        after.population,
        decided,
        after.note,
        {
            "before": before.value,
            "before_lower": before.lower,
            "before_upper": before.upper,
            "without_3_5": counterfactual,
            "day": after_day.isoformat(),
        },
        covered_all_time=after.covered_all_time,
        open_ended=after.open_ended,
    )


_DOWNLOADS: Mapping[str, Check] = {
    "share": share,
    "cumulative": cumulative,
    "month_total": month_total,
    "next_eight": next_eight,
    "china_us": china_us,
    "passes": passes,
    "crossing": crossing,
}

_CHAPTERS = (
    derivatives,
    arrivals,
    waves,
    domains,
    licensing,
    releasing,
    adoption,
    pulls,
    terms,
    services,
    frontier,
    languages,
)
CHECKS: Mapping[str, Check] = {
    **_DOWNLOADS,
    **{name: check for chapter in _CHAPTERS for name, check in chapter.CHECKS.items()},
}

_BURSTS = {"outliers": ("in", "out")}
_ENDS = {"missing": ("absent", "against", "for")}
_BOUNDED = {"missing": ("absent", "bounded")}
_FAMILY = {"family_rule": RULES}
# Dimensions of each check: the values it knows, or () where the world has to know them
# (months, days and populations are declared in files of their own).
DIMENSIONS: Mapping[str, Dimensions] = {
    "share": {"population": (), "month": (), **_FAMILY, **_BURSTS, **_ENDS},
    "cumulative": {"population": ("tracked", "organisation"), "day": (), **_BURSTS, **_BOUNDED},
    "month_total": {"population": (), "day": (), **_BURSTS, **_BOUNDED},
    "next_eight": {"rivals": tuple(_RIVALS), "day": (), **_FAMILY, **_BURSTS, **_ENDS},
    "china_us": {
        "attribution": ("publisher", "base"),
        "measure": ("month", "since-february-2025"),
        "repackagers": ("in", "out"),
        **_BURSTS,
    },
    "passes": {
        "day": (),
        "measure": ("downloads_30d", "downloads_all_time"),
        **_FAMILY,
        **_BURSTS,
        **_ENDS,
    },
    "crossing": {
        "population": (),
        "after": (),
        "cause": ("any", "needs-3.5"),
        **_BURSTS,
        **_ENDS,
    },
    **{name: known for chapter in _CHAPTERS for name, known in chapter.DIMENSIONS.items()},
}


def examine(claim: register_module.Claim) -> None:
    """Refuse a claim whose check, dimensions or choices nobody knows.

    Raises
    ------
    InputError
        Names the claim, the entry and what there is instead.
    """
    where = f"data/claims.toml: claim {claim.id}"
    if claim.check not in CHECKS:
        raise InputError(
            f"{where}: no check is called {claim.check!r}; there are: {', '.join(sorted(CHECKS))}"
        )
    known = DIMENSIONS[str(claim.check)]
    if set(claim.grid) != set(known):
        raise InputError(
            f"{where}: grid: the check {claim.check!r} needs the dimensions {', '.join(known)}"
        )
    for name, values in known.items():
        asked = [*claim.grid[name], *(v for k, v in claim.later.items() if k == name)]
        wrong = [value for value in asked if values and value not in values]
        if wrong:
            raise InputError(
                f"{where}: {name}: {wrong[0]!r} is not known; there are: {', '.join(values)}"
            )


def line_of(claim: register_module.Claim) -> float:
    """Return the number that the claim names, NaN where it names none."""
    return math.nan if claim.stated is None else claim.stated


def evaluate(world: World, claim: register_module.Claim, spec: Spec) -> Outcome:
    """Evaluate one specification; what goes wrong names the claim."""
    examine(claim)
    try:
        return CHECKS[str(claim.check)](world, spec, line_of(claim))
    except InputError as error:
        raise InputError(f"claim {claim.id}: {error}") from error


def run(world: World, claim: register_module.Claim) -> pd.DataFrame:
    """Evaluate every declared specification of a claim.

    Returns
    -------
    pandas.DataFrame
        One row a specification, the article's own first: the dimensions of the
        grid; ``specification`` (number), ``is_article``, ``value``, ``lower``,
        ``upper``, ``hard_lower``, ``hard_upper``, ``covered``, ``population_size``,
        ``holds``, ``note``, and the extras.

    Raises
    ------
    InputError
        The claim asks for something that nobody knows (:func:`examine`).
    """
    rows = []
    for number, spec in enumerate(claim.specifications()):
        got = evaluate(world, claim, spec)
        answer = got.decided or holds(claim, got.value)
        if spec.get("missing") == "bounded" or got.whole_interval:
            answer = holds_within(claim, got.lower, got.upper)
        if claim.comparison == "first-in" and "first" in got.extra:
            answer = holds_months(claim, str(got.extra["first"]), str(got.extra["last"]))
        elif answer == "yes" and not math.isnan(got.hard_lower + got.hard_upper):
            # What the data exclude cannot hold, however the missing are treated.
            excluded = holds_within(claim, got.hard_lower, got.hard_upper) == "no"
            answer = "no" if excluded else answer
        rows.append(
            {
                "specification": number,
                "is_article": number == 0,
                **spec,
                "value": got.value,
                "lower": got.lower,
                "upper": got.upper,
                "hard_lower": got.hard_lower,
                "hard_upper": got.hard_upper,
                "covered": got.covered,
                "population_size": got.population,
                "covered_all_time": got.covered_all_time,
                "open_ended": got.open_ended,
                "holds": "undetermined" if got.pending else answer,
                "note": got.note,
                "beside": got.beside,
                "pending": got.pending,
                **got.extra,
            }
        )
    return pd.DataFrame(rows)
