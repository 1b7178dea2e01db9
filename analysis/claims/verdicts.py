"""Three axes, all by rule: was it recreated, is it robust, does it still hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.claims.register import Claim, VerdictRules, months_between


@dataclass(frozen=True)
class Verdict:
    """A verdict on one axis: the word, and the reason in one sentence."""

    verdict: str
    reason: str


def holds(claim: Claim, value: float | str | None) -> str:
    """Whether one value satisfies the claim: ``yes``, ``no`` or ``undetermined``."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "undetermined"
    if claim.comparison == "first-in":
        return "yes" if str(value) in claim.months else "no"
    return holds_within(claim, float(value), float(value))


def holds_within(claim: Claim, lower: float, upper: float) -> str:
    """Whether every value, no value, or only part of an interval satisfies the claim."""
    assert claim.stated is not None
    if claim.comparison == "above":
        return "yes" if lower > claim.stated else "no" if upper <= claim.stated else "undetermined"
    assert claim.tolerance is not None
    low, high = claim.stated * (1 - claim.tolerance), claim.stated * (1 + claim.tolerance)
    if low <= lower and upper <= high:
        return "yes"
    return "no" if upper < low or lower > high else "undetermined"


def holds_months(claim: Claim, first: str, last: str) -> str:
    """Whether a month known to lie from `first` to `last` satisfies a claim about months."""
    span = months_between(first, last)
    inside = [month in claim.months for month in span]
    return "yes" if all(inside) else "undetermined" if any(inside) else "no"


def show(claim: Claim, number: float) -> str:
    """Format a value of the claim's unit for a reason sentence."""
    if math.isinf(number):
        return "no limit"
    if claim.unit == "share":
        return f"{100 * number:.1f} %"
    if claim.unit == "downloads":
        return f"{number / 1e6:,.1f} million" if number < 1e9 else f"{number / 1e9:.2f} billion"
    if claim.unit == "users" and number >= 1e6:
        return f"{number / 1e6:,.0f} million"
    if claim.unit in ("derivatives", "repositories", "users", "count"):
        return f"{number:,.0f}"
    return f"{number:.2f}"


def worded(claim: Claim, lower: float, upper: float) -> str:
    """Word an interval: one number where its ends read alike, "at least" without an upper end."""
    low, high = show(claim, lower), show(claim, upper)
    if low == high:
        return low
    return f"at least {low}" if math.isinf(upper) else f"{low} to {high}"


def recreated(
    claim: Claim, value: float | None, lower: float, upper: float, rules: VerdictRules
) -> Verdict:
    """First axis: whether the article's own reading, computed on raw data, gives its value.

    The verdict follows from the interval. A stated value inside a wide interval
    is neither confirmed nor refuted: it is not checkable with these data.
    """
    assert claim.stated is not None
    if math.isnan(lower) or math.isnan(upper):
        return Verdict("not checkable", "the data give no number for this reading")
    span = worded(claim, lower, upper)
    if claim.comparison == "above":
        if lower > claim.stated:
            whole = span if lower == upper else f"the whole interval, {span},"
            return Verdict(
                "matches",
                f"{whole} lies above the line that the claim draws ({claim.stated_text})",
            )
        if upper <= claim.stated:
            most = show(claim, upper) if lower == upper else f"at most {show(claim, upper)}"
            return Verdict("differs", f"it is {most}, and the claim says {claim.stated_text}")
        return Verdict(
            "not checkable",
            _both_sides(claim, span),
        )
    stated = claim.stated
    if value is not None and lower == upper:
        difference = abs(value / stated - 1)
        if rules.exact < difference <= rules.rounding:
            return Verdict(
                "matches within rounding", f"{show(claim, value)} for {claim.stated_text}"
            )
        if difference > rules.rounding:
            return Verdict("differs", f"it is {show(claim, value)}, not {show(claim, stated)}")
        return Verdict("matches", f"{show(claim, value)} against {claim.stated_text}")
    if lower > stated * (1 + rules.rounding):
        return Verdict(
            "differs",
            f"it is at least {show(claim, lower)}, "
            f"{show(claim, lower - stated)} above the stated {show(claim, stated)}",
        )
    if upper < stated * (1 - rules.rounding):
        return Verdict(
            "differs",
            f"it is at most {show(claim, upper)}, "
            f"{show(claim, stated - upper)} below the stated {show(claim, stated)}",
        )
    if lower >= stated * (1 - rules.rounding) and upper <= stated * (1 + rules.rounding):
        return Verdict("matches within rounding", f"the data give {span} for {claim.stated_text}")
    where = "inside" if lower <= stated <= upper else "near the edge of"
    return Verdict(
        "not checkable",
        f"the stated {show(claim, stated)} lies {where} what the data allow, {span}, "
        "which is too wide to confirm it",
    )


def _both_sides(claim: Claim, span: str) -> str:
    return f"the data allow {span}, on both sides of the line the claim draws ({claim.stated_text})"


def recreated_crossing(
    claim: Claim, before: tuple[float, float], after: tuple[float, float]
) -> Verdict:
    """First axis for a claim that a line was crossed: `before` and `after` are intervals.

    The line was crossed when it lay above the whole of the first interval and below
    the whole of the second; it was not when the first already lay above it, or the
    second still below.
    """
    assert claim.stated is not None
    line = claim.stated
    early, late = worded(claim, *before), worded(claim, *after)
    if before[0] > line:
        return Verdict("differs", f"it was above already before, {early} ({claim.stated_text})")
    if after[1] <= line:
        return Verdict(
            "differs",
            f"it is at most {show(claim, after[1])}, and the claim says {claim.stated_text}",
        )
    if before[1] <= line < after[0]:
        return Verdict("matches", f"from {early} before to {late} after ({claim.stated_text})")
    if after[0] > line:
        return Verdict("not checkable", "before, " + _both_sides(claim, early))
    return Verdict("not checkable", _both_sides(claim, late))


def recreated_month(claim: Claim, value: str | None, first: str, last: str) -> Verdict:
    """First axis for a claim about a month: the month is known to lie from `first` to `last`."""
    if value is None:
        return Verdict("not checkable", "no crossing lies in the days that the data reach")
    reach = months_between(first, last)
    inside = [month for month in reach if month in claim.months]
    span = first if first == last else f"{first} to {last}"
    if inside and inside == reach:
        return Verdict(
            "matches", f"the crossing lies in {span}; the claim says {claim.stated_text}"
        )
    if not inside:
        return Verdict(
            "differs", f"the crossing lies in {span}; the claim says {claim.stated_text}"
        )
    return Verdict(
        "not checkable", f"the crossing lies in {span}, partly outside {claim.stated_text}"
    )


def robust(claim: Claim, table: pd.DataFrame, rules: VerdictRules) -> tuple[Verdict, str | None]:
    """Second axis: in how many of the declared specifications the claim holds.

    Returns
    -------
    Verdict
        ``robust``, ``mostly``, ``depends`` or ``fails``; ``not checkable`` where the data leave
        nearly all of them undetermined, or where it holds in none and at least half are.
    str or None
        The choice that explains most of the difference (:func:`deciding_choice`).
    """
    total = len(table)
    yes = int((table["holds"] == "yes").sum())
    unknown = int((table["holds"] == "undetermined").sum())
    choice, part = deciding_choice(claim, table)
    count = f"holds in {yes} of {total} specifications"
    if unknown:
        count += f", undetermined in {unknown}"
    if yes == total:
        return Verdict("robust", count), None
    if yes >= rules.mostly * total:
        return Verdict("mostly", count), choice
    if total - yes - unknown >= rules.mostly * total:
        return Verdict("fails", count), choice
    if unknown >= rules.mostly * total or (yes == 0 and unknown >= total - unknown):
        # To depend on a choice, a claim must hold somewhere.
        return Verdict("not checkable", count), choice
    if yes == 0:
        return Verdict("fails", count), choice
    detail = (
        f"; the choice of {choice.replace('_', ' ')} explains {100 * part:.0f} % of the difference"
        if choice
        else ""
    )
    return Verdict("depends", count + detail), choice


def deciding_choice(claim: Claim, table: pd.DataFrame) -> tuple[str | None, float]:
    """Name the dimension that explains most of whether the claim holds.

    For each dimension: the part of the variance of the outcome (yes 1, no 0,
    undetermined 1/2) that lies between its values (eta squared). In a full
    factorial grid these parts add up to at most one; where impossible combinations
    were left out, choices that go together share what they explain. None when every specification
    gives the same answer, or when no choice explains anything by itself.
    """
    score = (
        table["holds"].map({"yes": 1.0, "no": 0.0, "undetermined": 0.5}).to_numpy(dtype="float64")
    )
    parts = _between(claim, table, score)
    if not parts:
        return None, 0.0
    best = max(sorted(parts), key=lambda name: round(parts[name], 12))
    # Where only combinations decide, no single choice does.
    return (best, parts[best]) if parts[best] > 1e-9 else (None, 0.0)


def spread(claim: Claim, table: pd.DataFrame) -> dict[str, float]:
    """Part of the spread of the values that each choice explains on its own.

    Eta squared (between-group sum of squares over the total) of each dimension with
    more than one choice, over the specifications that give a finite value. Shares
    are taken as they are, months as numbers, every other unit by its logarithm when
    all values are positive: twice and half as much are then equally far.

    Returns
    -------
    dict
        Dimension to a part between 0 and 1, the largest first; empty when no value
        differs. The parts need not add up to one: choices act together, and
        combinations that no data can answer are left out of some grids.
    """
    values = table["value"]
    if claim.comparison == "first-in":
        values = values.map(_month_number)
    number = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64")
    finite = np.isfinite(number)
    number, rows = number[finite], table[finite]
    if claim.unit != "share" and claim.comparison != "first-in" and (number > 0).all():
        number = np.log(number)
    parts = _between(claim, rows, number)
    return dict(sorted(parts.items(), key=lambda item: (-round(item[1], 12), item[0])))


def _month_number(value: object) -> float:
    text = str(value)
    return 12.0 * int(text[:4]) + int(text[5:7]) if text[:4].isdigit() else math.nan


def _between(claim: Claim, table: pd.DataFrame, score: np.ndarray) -> dict[str, float]:
    """Part of the variance of `score` between the choices of each dimension (eta squared)."""
    if len(score) == 0 or float(np.var(score)) <= 1e-18:
        return {}
    parts: dict[str, float] = {}
    for name, choices in claim.grid.items():
        if len(choices) < 2:
            continue
        groups = pd.Series(score).groupby(table[name].astype("str").to_numpy(), sort=True)
        sizes, means = groups.size(), groups.mean()
        between = float((sizes * (means - score.mean()) ** 2).sum()) / len(score)
        parts[name] = min(1.0, between / float(np.var(score)))
    return parts


def later(
    claim: Claim,
    span: tuple[float, float] | None,
    day: str | None,
    partial: str | None = None,
) -> Verdict:
    """Third axis: the article's own reading on data from after its publication.

    Parameters
    ----------
    partial
        What is known of the part that our files see, where nothing bounds the rest: then the
        data decide nothing, whatever the interval of that part.
    """
    if span is None or day is None:
        return Verdict(
            "no later snapshot",
            claim.later_reason or "no data from after the publication bear on it",
        )
    lower, upper = span
    if partial is not None:
        return Verdict("not checkable", f"on {day}, {partial}")
    text = worded(claim, lower, upper)
    answer = holds_within(claim, lower, upper)
    if answer == "yes":
        return Verdict("still holds", f"{text} on {day}")
    if answer == "no" and lower == upper:
        return Verdict("no longer holds", f"{text} on {day}")
    if answer == "no":
        if math.isinf(upper) or (claim.stated is not None and lower > claim.stated):
            return Verdict("no longer holds", f"at least {show(claim, lower)} on {day}")
        return Verdict("no longer holds", f"at most {show(claim, upper)} on {day}")
    return Verdict("not checkable", f"the data allow {text} on {day}")
