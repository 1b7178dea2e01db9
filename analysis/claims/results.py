"""From specifications to what is said of a claim: numbers, verdicts, one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.claims import (
    adoption,
    arrivals,
    checks,
    derivatives,
    domains,
    frontier,
    languages,
    licensing,
    pulls,
    releasing,
    services,
    terms,
    verdicts,
    waves,
)
from analysis.claims.outcome import Finding, Said, outward, percent, percents
from analysis.claims.register import Claim, Register, VerdictRules
from analysis.claims.world import World
from analysis.errors import InputError


def _number(value: object) -> float | None:
    """Return a finite number, or None."""
    if isinstance(value, int | float) and math.isfinite(float(value)):
        return float(value)
    return None


def _pair(lower: object, upper: object) -> list[float | None] | None:
    low, high = _number(lower), _number(upper)
    return None if low is None and high is None else [low, high]


def evaluate(world: World, claim: Claim, register: Register) -> tuple[dict[str, Any], pd.DataFrame]:
    """Evaluate one claim.

    Returns
    -------
    dict
        The entry of ``claims.json``, without its inputs.
    pandas.DataFrame
        Its specifications (:func:`analysis.claims.checks.run`); empty for an unobserved claim.
    """
    if claim.status == "unobserved":
        return _unobserved(world, claim), pd.DataFrame()
    table = checks.run(world, claim)
    own = table.iloc[0]
    rules = register.verdict
    months = claim.comparison == "first-in"
    value: float | str | None
    if months:
        value = None if pd.isna(own["value"]) else str(own["value"])
        first, last = str(own.get("first", "")), str(own.get("last", ""))
        recreated = verdicts.recreated_month(claim, value, first, last)
        interval: list[Any] | None = [first, last] if value is not None else None
        hard = None
        grade = "computed"
    else:
        centre = own.get("centre")
        value = _number(own["value"]) if _number(centre) is None else _number(centre)
        if own["open_ended"]:
            value = None
        span = (float(own["lower"]), float(own["upper"]))
        if claim.check == "crossing":
            before = (float(own["before_lower"]), float(own["before_upper"]))
            recreated = verdicts.recreated_crossing(claim, before, span)
        else:
            recreated = verdicts.recreated(claim, value, *span, rules)
        if own["beside"]:
            # It is a number of another day, or of a part: it decides nothing of what is asked.
            span_words = verdicts.worded(claim, *span)
            recreated = verdicts.Verdict("not checkable", f"it is {span_words} {own['beside']}")
        interval = _pair(own["lower"], own["upper"])
        hard = _pair(own["hard_lower"], own["hard_upper"])
        if hard is not None and hard != interval:
            # What rests on an assumption says so where the verdict is read.
            alone = verdicts.worded(claim, float(own["hard_lower"]), float(own["hard_upper"]))
            recreated = verdicts.Verdict(
                recreated.verdict,
                f"{recreated.reason}; this rests on "
                f"{claim.assumption or 'assumptions that we tested'}, "
                f"the data alone allow {alone}",
            )
        exact = interval is not None and hard == interval and interval[0] == interval[1] == value
        # Over all our files the value is exact, or the interval is one of sampling: computed.
        grade = "computed" if exact or claim.interval_meaning else "bounded"
    robust, choice = verdicts.robust(claim, table, rules)
    later = verdicts.later(claim, *_later(world, claim, rules))
    if later.verdict == "still holds" and not recreated.verdict.startswith("matches"):
        later = verdicts.Verdict(
            later.verdict, f"{later.reason}; of the article's own day it says nothing"
        )
    elif later.verdict == "no longer holds" and recreated.verdict == "differs":
        later = verdicts.Verdict(
            later.verdict, f"{later.reason}; nor did it on the article's own day"
        )
    if own["pending"]:
        recreated = later = verdicts.Verdict("not checkable", f"pending: {own['pending']}")
    record: dict[str, Any] = {
        **_names(claim),
        "stated_value": claim.stated,
        "value": value,
        "interval": interval,
        "hard_interval": hard,
        "unit": claim.unit,
        "grade": grade,
        "coverage": _coverage(own),
        "specifications": len(table),
        "holds": int((table["holds"] == "yes").sum()),
        "fails": int((table["holds"] == "no").sum()),
        "undetermined": int((table["holds"] == "undetermined").sum()),
        "deciding_choice": choice,
        "spread": verdicts.spread(claim, table),
        "recreated": {"verdict": recreated.verdict, "reason": recreated.reason},
        "robust": {"verdict": robust.verdict, "reason": robust.reason},
        "later": {"verdict": later.verdict, "reason": later.reason},
        "article": {"reading": dict(claim.article), "reason": claim.article_reason},
        "settle": claim.settle,
        "interval_meaning": claim.interval_meaning,
        "assumption": claim.assumption,
        "dimensions": list(claim.grid),
        "words": dict(claim.words),
        "published": list(claim.published),
        "tested": claim.tested,
    }
    record["finding"] = FINDINGS[str(claim.check)](record, table)
    return record, table


def _coverage(own: pd.Series) -> dict[str, float | None] | None:
    """Return what was seen of the population; None where a claim has no population."""
    if not int(own["population_size"]):
        return None
    return {
        "covered_repositories": int(own["covered"]),
        "population_repositories": int(own["population_size"]),
        "all_time_downloads_share": _number(own["covered_all_time"]),
    }


def _later(
    world: World, claim: Claim, rules: VerdictRules
) -> tuple[tuple[float, float] | None, str | None, str | None]:
    """Return interval and day of the later data, and what is known where they are a part."""
    if not claim.later:
        return None, None, None
    got = checks.evaluate(world, claim, {**claim.article, **claim.later})
    day = str(got.extra["day"])
    if day <= rules.published_on.isoformat():
        raise InputError(
            f"data/claims.toml: claim {claim.id}: later: {day} is not after the publication "
            f"({rules.published_on}): name a later day"
        )
    return (got.lower, got.upper), day, got.note if got.partial else None


def _names(claim: Claim) -> dict[str, Any]:
    """Return what an entry says of the claim itself."""
    return {
        "id": claim.id,
        "group": claim.group,
        "order": claim.order,
        "status": claim.status,
        "title": claim.title,
        "statement": claim.statement,
        "stated": claim.stated_text,
        **({"instrument": claim.instrument} if claim.instrument else {}),
    }


def _without_numbers(
    claim: Claim, finding: str, axes: Mapping[str, verdicts.Verdict]
) -> dict[str, Any]:
    """Return the entry of a claim that has no specifications."""
    return {
        **_names(claim),
        "stated_value": None,
        "value": None,
        "interval": None,
        "hard_interval": None,
        "unit": claim.unit,
        "grade": None,
        "coverage": None,
        "specifications": 0,
        "holds": 0,
        "fails": 0,
        "undetermined": 0,
        "deciding_choice": None,
        "spread": {},
        **{name: {"verdict": a.verdict, "reason": a.reason} for name, a in axes.items()},
        "article": None,
        "settle": claim.settle,
        "interval_meaning": claim.interval_meaning,
        "assumption": claim.assumption,
        "dimensions": list(claim.grid),
        "words": dict(claim.words),
        "published": list(claim.published),
        "tested": claim.tested,
        "finding": finding,
        "inputs": [],
    }


def registered(claim: Claim) -> dict[str, Any]:
    """Return the entry of a claim that is registered but not yet checked."""
    coming = verdicts.Verdict("open", "registered; its check comes with a later issue")
    none = verdicts.Verdict("open", "")
    axes = {"recreated": coming, "robust": none, "later": none}
    return _without_numbers(claim, f"Not yet checked: {claim.title}", axes)


def _unobserved(world: World, claim: Claim) -> dict[str, Any]:
    """Return the entry of a claim that no source of ours measures: no axis can be decided."""
    if claim.id not in SAID:
        raise InputError(
            f"data/claims.toml: claim {claim.id}: no part says what it finds: add it to SAID"
        )
    axes = {
        "recreated": verdicts.Verdict("not checkable", claim.unobserved),
        "robust": verdicts.Verdict("not checkable", "no specification can be computed"),
        "later": verdicts.later(claim, None, None),
    }
    return _without_numbers(claim, SAID[claim.id](world), axes)


def _millions(lower: float, upper: float) -> tuple[str, str]:
    """Word the ends of an interval of downloads, rounded outward."""
    words = []
    for place, value in enumerate((lower, upper)):
        unit, places, name = (1e6, 0, "million") if value < 1e9 else (1e9, 2, "billion")
        words.append(f"{outward(value / unit, value / unit, places)[place]:,.{places}f} {name}")
    return words[0], words[1]


def _times(lower: float, upper: float) -> str:
    low, high = outward(lower, upper, 1)
    return f"at least {low:.1f}" if math.isinf(high) else f"{low:.1f} to {high:.1f}"


def _span(table: pd.DataFrame, **where: object) -> tuple[float, float] | None:
    """Return the interval of the specification with the given choices, None if there is none."""
    chosen = table
    for name, value in where.items():
        chosen = chosen[chosen[name] == value] if name in chosen.columns else chosen.iloc[:0]
    return None if chosen.empty else _ends(chosen)


def _ends(table: pd.DataFrame) -> tuple[float, float]:
    """Return the interval of the article's reading; an end that nothing bounds is infinite."""
    own = table.iloc[0]
    return float(own["lower"]), float(own["upper"])


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _month(text: str) -> str:
    """Name the month of a day or month in ISO form."""
    return f"{_MONTHS[int(text[5:7]) - 1]} {text[:4]}"


def _find_share(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    top, line = _ends(table)[1], record["stated_value"]
    most = percents(0, top)[1]
    month = str(table.iloc[0]["month"])
    listed = _span(
        table,
        population="tracked",
        month=month,
        family_rule="official",
        outliers="in",
        missing="absent",
    )
    if top > line:
        return f"Our data cannot rule out that Qwen had over half of the Hub: at most {most}"
    text = f"Not half of the Hub: at most {most} in {_month(month)} under tested assumptions"
    if listed is None:
        return text
    low, high = percents(*listed)
    if listed[0] > line:
        where = "it did hold over half of a hand-kept list of language models"
    elif listed[1] > line:
        where = f"of a hand-kept list of language models it had {low} to {high}"
    else:
        where = f"even of a hand-kept list of language models it had at most {high}"
    return f"{text}; {where}"


def _find_cumulative(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    low = _ends(table)[0]
    least = _millions(low, low)[0]
    if record["recreated"]["verdict"] == "differs" and low > record["stated_value"]:
        text = f"More than stated: at least {least} downloads by the day of the article"
        march = _span(
            table, population="tracked", day="2026-03-31", outliers="in", missing="absent"
        )
        if march is not None:
            by = _millions(march[0], march[0])[0]
            text += f"; at least {by} on the tracked list by the end of March 2026"
        return text
    return f"At least {least} downloads by the day of the article"


def _find_month(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    low, high = _ends(table)
    stated = record["stated_value"]
    between = "Between {} and {}".format(*_millions(low, high))
    if low <= stated <= high:
        return f"{between}: the stated figure fits, and cannot be told apart from others"
    side = "above" if low > stated else "below"
    return f"{between}: {side} the stated figure"


def _find_eight(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    low, high = _ends(table)
    times = _times(low, high)
    if low > record["stated_value"]:
        return f"Yes: {times} times the next eight"
    if high <= record["stated_value"]:
        return f"Less than double: {times} times the next eight"
    return f"{times.capitalize()} times the next eight: the data cannot tell whether it was double"


def _find_china(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    if record["value"] is None:
        return "The panel shows no month in which China passes the United States for good"
    first, last = record["interval"]
    return (
        f"Among models up to a year old, China passes the United States between {_month(first)} "
        f"and {_month(last)}; for all models our data cannot tell"
    )


def _find_passes(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    low, high = _ends(table)
    month = _month(str(table.iloc[0]["day"]))
    if low > record["stated_value"]:
        return f"Yes, by the Hub's counter: {_times(low, high)} times Llama in {month}"
    if high <= record["stated_value"]:
        return f"No: {_times(low, high)} times Llama in {month}"
    return f"{_times(low, high).capitalize()} times Llama in {month}: the data cannot tell"


def _find_crossing(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    before = (float(own["before_lower"]), float(own["before_upper"]))
    without = float(own["without_3_5"])
    text = (
        f"No crossing can be dated: before Qwen 3.5 the share of the tracked list lay between "
        f"{percents(*before)[0]} and {percents(*before)[1]}"
    )
    line = record["stated_value"]
    if before[1] <= line < float(own["lower"]):
        text = (
            f"The share of the tracked list rose from at most {percents(*before)[1]} "
            f"to at least {percents(float(own['lower']), 1)[0]}"
        )
    if without > line:
        text += f"; without Qwen 3.5 the observed share would still be {percent(without)}"
    return text


FINDINGS: Mapping[str, Finding] = {
    "share": _find_share,
    "cumulative": _find_cumulative,
    "month_total": _find_month,
    "next_eight": _find_eight,
    "china_us": _find_china,
    "passes": _find_passes,
    "crossing": _find_crossing,
    **{
        name: finding
        for chapter in (
            derivatives,
            arrivals,
            waves,
            domains,
            licensing,
            releasing,
            adoption,
            pulls,
            services,
            terms,
            frontier,
            languages,
        )
        for name, finding in chapter.FINDINGS.items()
    },
}

#: What is said of each unobserved claim, from the world's published figures and neighbours.
SAID: Mapping[str, Said] = {**services.SAID, **terms.SAID}
