"""What a check gives: the outcome of one specification, and helpers every check uses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from analysis.claims import register as register_module
from analysis.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.claims.world import World

Spec = Mapping[str, register_module.Choice]


@dataclass(frozen=True)
class Outcome:
    """The value of one specification.

    Attributes
    ----------
    value
        What the specification gives (number, month, or None when it gives none).
    lower, upper
        Interval under the calibrated assumptions (same unit; NaN for months).
    hard_lower, hard_upper
        Interval that the data force without any assumption.
    covered, population
        Repositories read, and repositories of the population.
    covered_all_time
        Part of the population's known all-time downloads that the repositories read hold.
    decided
        None, or a fixed answer (``undetermined``) where a single number cannot decide.
    note
        What the reader must know of this specification.
    extra
        Further numbers for the page.
    open_ended
        Nothing bounds one end of the interval: the value is its other end, or what was
        seen, and no estimate.
    whole_interval
        The claim holds only if the whole interval satisfies it, and fails only if none of it does.
    partial
        The population is what our files happen to know of it: the interval is of that part,
        nothing bounds the rest, and later data decide nothing.
    beside
        A clause that says of what the number is, where that is not what the claim asks (another
        day, a part): shown, and deciding nothing. Empty where it is.
    pending
        A clause that says why nothing is decided yet, of a forecast; empty where something is.
    """

    value: float | str | None
    lower: float = math.nan
    upper: float = math.nan
    hard_lower: float = math.nan
    hard_upper: float = math.nan
    covered: int = 0
    population: int = 0
    decided: str | None = None
    note: str = ""
    extra: Mapping[str, float | str] = field(default_factory=dict)
    covered_all_time: float = math.nan
    open_ended: bool = False
    whole_interval: bool = False
    partial: bool = False
    beside: str = ""
    pending: str = ""


#: A check: the world, one choice for each dimension, the line that the claim draws.
Check = Callable[["World", Spec, float], Outcome]
#: Dimension to the values that a check knows; () where the data have to know them.
Dimensions = Mapping[str, tuple[str, ...]]
#: What is said of a claim that no source of ours measures.
Said = Callable[["World"], str]
#: From a claim's entry and its specifications (the article's first) to its finding.
Finding = Callable[[Mapping[str, Any], "pd.DataFrame"], str]


def outward(lower: float, upper: float, places: int = 0) -> tuple[float, float]:
    """Round an interval's ends outward, to so many decimal places: a bound stays a bound.

    What lies a billionth from a rounded number is taken for it.
    """
    scale = 10.0**places
    low, high = lower * scale, upper * scale
    return (
        math.floor(low + 1e-9 * max(1.0, abs(low))) / scale if math.isfinite(low) else low,
        math.ceil(high - 1e-9 * max(1.0, abs(high))) / scale if math.isfinite(high) else high,
    )


def percent(value: float) -> str:
    """Word a share in whole per cent."""
    return f"{100 * value:.0f} %"


def percents(lower: float, upper: float) -> tuple[str, str]:
    """Word the ends of an interval of shares in whole per cent, rounded outward."""
    low, high = outward(100 * lower, 100 * upper)
    return f"{low:.0f} %", f"{high:.0f} %"


def percents_span(lower: float, upper: float) -> str:
    """Word an interval of shares, ``66 to 74 %``, rounded outward; an exact one as it is."""
    if lower == upper:
        return percent(lower)
    low, high = percents(lower, upper)
    return low if low == high else f"{low.removesuffix(' %')} to {high}"


def end(missing: str, value: float, lower: float, upper: float, centre: float = math.nan) -> float:
    """Return the value that a treatment of the missing picks."""
    return {"absent": value, "against": lower, "for": upper, "bounded": centre}[missing]


def day_of(text: object) -> date:
    """Return the day that a choice names; InputError when it names none."""
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise InputError(f"data/claims.toml: {text!r} is not a day (YYYY-MM-DD)") from error
