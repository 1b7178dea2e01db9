"""The claim explorer's data: every declared specification of a claim, small and ready to show.

Texts are written here, in Python, so that a number reads the same on every page. The script of
the page (``book/_static/explorer.js``) only looks up and compares: each distinct number of a claim
has one place in a sorted list, with its text and its place on the axis, and a specification
names these places.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from analysis.claims import verdicts
from analysis.claims.register import Claim
from analysis.errors import InputError
from analysis.present import numbers, spec_curve
from analysis.present.markup import Html, anchor, escape, plain

#: What a specification says of the claim, and its letter in the data.
ANSWERS: Final = {"no": "0", "yes": "1", "undetermined": "2"}
#: Places on the axis, from its left end to its right.
STEPS: Final = 1000
#: In place of a number: there is none, or nothing bounds it.
NONE, ENDLESS = -1, -2

_RATES: Final = ("ratio", "derivatives", "repositories", "downloads", "users")
#: Values that span more than this are drawn on a logarithmic axis.
_WIDE: Final = 20


def short(value: float, unit: str) -> str:
    r"""Return a value without needless decimals, for axes and rules.

    Examples
    --------
    >>> short(0.5, "share").replace("\u00a0", " ")
    '50 %'
    >>> short(4.1852, "ratio")
    '4.19'
    """
    if unit == "ratio":
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    text = numbers.format_value(value, unit)
    head, gap, tail = text.partition("\u00a0")
    if "." in head:
        head = head.rstrip("0").rstrip(".")
    return f"{head}{gap}{tail}"


def _month(number: float) -> str:
    return f"{int(number) // 12:04d}-{int(number) % 12 + 1:02d}"


def number(value: object) -> float:
    """Return a cell as a number; a month counts its months, what is missing is NaN."""
    if isinstance(value, str):
        year, _, month = value.partition("-")
        if year.isdigit() and month[:2].isdigit():
            return 12.0 * int(year) + int(month[:2]) - 1
        return math.nan
    if value is None or value is pd.NA:
        return math.nan
    return float(value)  # type: ignore[arg-type]


def _written(number: float, unit: str) -> str:
    return numbers.format_value(_month(number) if unit == "month" else number, unit)


def interval(lower: float, upper: float, unit: str) -> str:
    """Return an interval in words; an end that nothing bounds is left out, "" where none is known.

    Parameters
    ----------
    lower, upper : float
        Ends; infinite where nothing bounds them, months as counted months.
    unit : str
        As in :func:`analysis.present.numbers.format_value`.
    """
    if math.isnan(lower) and math.isnan(upper):
        return ""
    low, high = (
        None if not math.isfinite(end) else _month(end) if unit == "month" else end
        for end in (lower, upper)
    )
    if high is None and not low:
        return "no bound"
    return numbers.format_interval(low, high, unit)


def spread(values: Sequence[float], unit: str) -> str:
    r"""Return from where to where numbers reach, as the script of the page writes it.

    Parameters
    ----------
    values : sequence of float
        Numbers, months as counted months; infinite where nothing bounds one.
    unit : str
        As in :func:`analysis.present.numbers.format_value`.

    Examples
    --------
    >>> spread([0.0, 0.5, 0.25], "share").replace("\u00a0", " ")
    '0.0 to 50.0 %'
    """
    finite = [value for value in values if math.isfinite(value)]
    endless = any(math.isinf(value) for value in values)
    if not finite:
        return "no bound" if endless else "not known"
    low, high = (_written(end, unit) for end in (min(finite), max(finite)))
    if endless:
        return f"at least {low}"
    if low == high:
        return low
    head, gap, tail = high.rpartition("\u00a0")
    shared = f"{gap}{tail}" if head and unit != "month" else ""
    return f"{low.removesuffix(shared)} to {high}"


class Axis:
    """Where numbers stand on the strip, as whole places from 0 to :data:`STEPS`.

    Parameters
    ----------
    values : sequence of float
        Finite numbers that must be on it.
    unit : str
        As in :func:`analysis.present.numbers.format_value`.
    """

    def __init__(self, values: Sequence[float], unit: str) -> None:
        self.unit = unit
        known = sorted(v for v in values if math.isfinite(v)) or [0.0]
        least = next((v for v in known if v > 0), 1.0)
        self.log = unit in _RATES and known[-1] > _WIDE * least
        if unit == "month":
            self.low, self.high = known[0] - 1, known[-1] + 1
            step = max(1.0, math.ceil((self.high - self.low) / 4))
            self.ticks = [self.low + 1 + step * i for i in range(5)]
        elif self.log:
            self.low, self.high = least / 1.3, known[-1] * 1.3
            self.ticks = self._decades()
        else:
            step = self._step(known[-1])
            self.low, self.high = 0.0, step * math.ceil(known[-1] / step - 1e-9) or step
            if unit == "share":
                self.high = min(self.high, 1.0)
            self.ticks = [step * i for i in range(round(self.high / step) + 1)]
        self.ticks = [tick for tick in self.ticks if self.low <= tick <= self.high * (1 + 1e-9)]

    @staticmethod
    def _step(top: float) -> float:
        """Return a round step that fits at most five times below the top."""
        if top <= 0:
            return 1.0
        size = 10.0 ** math.floor(math.log10(top / 5))
        return next(size * k for k in (1, 2, 2.5, 5, 10) if size * k * 5 >= top * (1 - 1e-9))

    def _decades(self) -> list[float]:
        steps = (1,) if self.high / self.low > 1000 else (1, 3) if self.high / self.low > 60 else (
            1, 2, 5,
        )  # fmt: skip
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        return [step * 10.0**power for power in powers for step in steps]

    def place(self, value: float) -> int:
        """Return the place of a number; what lies beyond an end stands at that end."""
        if math.isinf(value):
            return STEPS if value > 0 else 0
        low, high = self.low, self.high
        if self.log:
            value, low, high = (math.log(max(v, 1e-300)) for v in (value, low, high))
        return round(min(1.0, max(0.0, (value - low) / (high - low))) * STEPS)

    def marks(self) -> list[list[object]]:
        """Return place and words of each tick."""
        if self.unit == "month":
            return [[self.place(t), numbers.short_month(_month(t))] for t in self.ticks]
        return [[self.place(t), short(t, self.unit)] for t in self.ticks]


def rule(claim: Claim) -> str:
    """Return when a specification's number satisfies the claim, as a sentence."""
    if claim.comparison == "first-in":
        months = interval(number(claim.months[0]), number(claim.months[-1]), "month")
        return f"It holds where the month is one of those from {months}."
    assert claim.stated is not None
    if claim.comparison == "above":
        return f"It holds where the number is above {short(claim.stated, claim.unit)}."
    assert claim.tolerance is not None
    if not _range(claim):
        return f"It holds where the number is {short(claim.stated, claim.unit)}."
    return (
        f"It holds where the number lies within {short(claim.tolerance, 'share')} of "
        f"{short(claim.stated, claim.unit)}, from {_range(claim)}."
    )


def _range(claim: Claim) -> str:
    """Return what still counts as the stated number of an "about" claim; "" where it alone does."""
    assert claim.stated is not None
    assert claim.tolerance is not None
    low, high = (claim.stated * (1 + side * claim.tolerance) for side in (-1, 1))
    ends = [short(end, claim.unit) for end in (low, high)]
    return "" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def why(claim: Claim, row: Mapping[str, Any]) -> str:
    """Return why a specification holds, does not hold or is left open.

    Parameters
    ----------
    claim : Claim
        Its entry of the register.
    row : mapping
        A row of its specifications.

    Returns
    -------
    str
        A sentence with ``{value}``, ``{interval}`` and ``{hard}`` in the places of the row's texts.
    """
    answer = str(row["holds"])
    if row.get("pending"):
        return f"Nothing is decided yet: {row['pending']}."
    if row.get("beside"):
        return f"It is {{value}} {row['beside']}. It decides nothing of what is asked."
    value, low, high = (number(row[name]) for name in ("value", "lower", "upper"))
    if claim.comparison == "first-in":
        return _why_month(claim, answer, row)
    hard_low, hard_high = (number(row[name]) for name in ("hard_lower", "hard_upper"))
    if math.isnan(value) and math.isnan(low):
        return "The data give no number for this reading."
    line = short(claim.stated or 0.0, claim.unit)
    if claim.comparison == "above":
        where = {
            "yes": f"above {line}",
            "no": f"at {line} or below",
            "undetermined": f"on both sides of {line}",
        }
    else:
        around = _range(claim)
        counts = f"what counts as {line}" + (f" ({around})" if around else "")
        where = {
            "yes": f"inside {counts}",
            "no": f"outside {counts}",
            "undetermined": f"partly inside {counts}",
        }
    within = "" if math.isnan(low + high) else verdicts.holds_within(claim, low, high)
    alone = (
        ""
        if math.isnan(hard_low + hard_high)
        else verdicts.holds_within(claim, hard_low, hard_high)
    )
    before = _before(row, line)
    if answer == "no" and alone == "no" and (hard_low, hard_high) != (low, high):
        return f"Even without any assumption, {{hard}} lies {where['no']}.{before}"
    if answer == within:
        what = "{value}" if low == high == value else "The interval, {interval},"
        return f"{what} lies {where[answer]}.{before}"
    if answer != "undetermined" and answer == verdicts.holds(claim, value):
        rest = f"; the interval, {{interval}}, lies {where[within]}" if within else ""
        return f"Its number, {{value}}, lies {where[answer]}{rest}.{before}"
    if before:
        return f"It is {{value}} after the release, and more is asked than that.{before}"
    return "The number alone decides nothing here; the note and the claim's page say why."


def _before(row: Mapping[str, Any], line: str) -> str:
    """Return what a claim that a line was crossed had before."""
    if "before_lower" not in row or math.isnan(number(row["before_lower"])):
        return ""
    span = interval(number(row["before_lower"]), number(row["before_upper"]), "share")
    return (
        f" Before the release it was {span}; to cross {line} it must not have been above it then."
    )


def _why_month(claim: Claim, answer: str, row: Mapping[str, Any]) -> str:
    months = interval(number(claim.months[0]), number(claim.months[-1]), "month")
    if math.isnan(number(row["value"])):
        return "The data show no such month."
    if answer == "undetermined":
        return f"The data allow {{interval}}, partly outside {months}."
    return f"{{value}} is {'one' if answer == 'yes' else 'none'} of the months from {months}."


class _Pool:
    """Distinct texts, each named by its place."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        text = plain(text)
        if text not in self._known:
            self._known[text] = len(self.texts)
            self.texts.append(text)
        return self._known[text]


def _column(values: list[int]) -> list[int] | int:
    """Return a column; where all its entries are the same, that entry."""
    return values[0] if len(set(values)) == 1 else values


def data(
    record: Mapping[str, Any],
    frame: pd.DataFrame,
    claim: Claim,
    *,
    dimensions: Sequence[str],
    names: Mapping[str, str],
    coverage: Callable[[Mapping[str, Any] | None], str],
    mostly: float,
) -> dict[str, Any]:
    """Return what the explorer's script needs to know of one claim.

    Parameters
    ----------
    record : mapping
        Its entry of ``claims.json``.
    frame : pandas.DataFrame
        Its specifications, the article's own first.
    claim : Claim
        Its entry of the register: grid, impossible combinations, rule.
    dimensions : sequence of str
        The dimensions of its grid, in the order to be shown.
    names : mapping
        Words for dimensions and choices.
    coverage : callable
        Gives the words for what was read of a population.
    mostly : float
        Part of the specifications from which on a claim holds "mostly".

    Returns
    -------
    dict
        JSON. ``rows`` holds one entry a specification in each list, in the order of `frame`
        (an entry that never changes stands alone): ``combination`` is the number of the choices
        (first dimension counts most), the rest are places in ``numbers`` or ``texts``.

    Raises
    ------
    InputError
        When the table and the register name different choices.
    """
    unit = str(record["unit"])
    grid = {name: [str(choice) for choice in claim.grid[name]] for name in dimensions}
    records = [{str(name): cell for name, cell in r.items()} for r in frame.to_dict("records")]
    ends = []
    for row in records:
        found = {name: number(row[name]) for name in _ENDS}
        if unit == "month" and "first" in row and not math.isnan(found["value"]):
            found["lower"], found["upper"] = number(row["first"]), number(row["last"])
        ends.append(found)
    known = sorted({v for found in ends for v in found.values() if math.isfinite(v)})
    line, band = _line(claim)
    shown = [v for found in ends for v in (found["value"], found["lower"], found["upper"])]
    axis = Axis([*shown, *([line] if line is not None else []), *(band or ())], unit)
    at = {value: place for place, value in enumerate(known)}

    def place(value: float) -> int:
        return NONE if math.isnan(value) else ENDLESS if math.isinf(value) else at[value]

    pool = _Pool()
    columns: dict[str, list[int]] = {name: [] for name in _COLUMNS}
    for row, found in zip(records, ends, strict=True):
        columns["combination"].append(_combination(str(record["id"]), grid, row))
        for name in _ENDS:
            columns[name].append(place(found[name]))
        columns["interval"].append(pool(interval(found["lower"], found["upper"], unit)))
        columns["hard"].append(pool(interval(found["hard_lower"], found["hard_upper"], unit)))
        columns["seen"].append(pool(coverage(_covered(row)) if _covered(row) else ""))
        columns["note"].append(pool(_text(row.get("note"))))
        clean = {k: _text(v) if k in ("beside", "pending") else v for k, v in row.items()}
        columns["why"].append(pool(why(claim, clean)))
        columns["grade"].append(pool(str(row["grade"])))
        columns["estimate"].append(int(not row["open_ended"]))
    return {
        "id": record["id"],
        "page": str(record["id"]).removesuffix("-elsewhere"),
        "title": plain(record["title"]),
        "statement": plain(record["statement"]),
        "stated": plain(record["stated"]),
        "instrument": plain(record.get("instrument") or ""),
        "unit": unit,
        "rule": rule(claim),
        "mostly": mostly,
        "assumption": plain(record.get("assumption") or ""),
        "meaning": plain(record.get("interval_meaning") or ""),
        "deciding": record.get("deciding_choice") or "",
        "dimensions": [
            {
                "id": name,
                "name": plain(spec_curve.worded(names, name)),
                "choices": [
                    [choice, plain(spec_curve.worded(names, name, choice))] for choice in grid[name]
                ],
            }
            for name in dimensions
        ],
        "impossible": [
            {
                "where": {
                    name: [grid[name].index(str(choice)) for choice in choices]
                    for name, choices in entry.where.items()
                },
                "reason": plain(entry.reason.rstrip(".")),
            }
            for entry in claim.impossible
        ],
        "axis": {
            "ticks": axis.marks(),
            "line": None if line is None else axis.place(line),
            "band": None if band is None else [axis.place(end) for end in band],
        },
        "numbers": [_written(value, unit) for value in known],
        "places": [axis.place(value) for value in known],
        "texts": pool.texts,
        "holds": "".join(ANSWERS[str(row["holds"])] for row in records),
        "rows": {name: _column(column) for name, column in columns.items()},
    }


_ENDS: Final = ("value", "lower", "upper", "hard_lower", "hard_upper")
_COLUMNS: Final = (
    *("combination", *_ENDS, "interval", "hard", "seen", "note", "why", "grade", "estimate"),
)


def _line(claim: Claim) -> tuple[float | None, tuple[float, float] | None]:
    """Return the line that the claim draws, and the range that counts as its number."""
    if claim.comparison == "first-in":
        return None, (number(claim.months[0]), number(claim.months[-1]))
    assert claim.stated is not None
    if claim.comparison == "above":
        return claim.stated, None
    assert claim.tolerance is not None
    part = claim.tolerance
    return claim.stated, (claim.stated * (1 - part), claim.stated * (1 + part))


def _combination(id: str, grid: Mapping[str, Sequence[str]], row: Mapping[str, Any]) -> int:
    number = 0
    for name, choices in grid.items():
        choice = str(row[name])
        if choice not in choices:
            raise InputError(
                f"claim {id}: its table has {name} = {choice!r}, which data/claims.toml does not "
                "declare; run `make data`"
            )
        number = number * len(choices) + list(choices).index(choice)
    return number


def _covered(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if not int(row["population_size"]):
        return None
    held = number(row["covered_all_time"])
    return {
        "covered_repositories": int(row["covered"]),
        "population_repositories": int(row["population_size"]),
        "all_time_downloads_share": None if math.isnan(held) else held,
    }


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)


def left_out(content: Mapping[str, Any]) -> int:
    """Return how many combinations of the choices have neither a result nor a reason."""
    dimensions = content["dimensions"]
    sizes = [len(d["choices"]) for d in dimensions]
    found = content["rows"]["combination"]
    there = {found} if isinstance(found, int) else set(found)
    rest = 0
    for number, picks in enumerate(itertools.product(*(range(size) for size in sizes))):
        given = dict(zip([d["id"] for d in dimensions], picks, strict=True))
        reasons = [
            entry
            for entry in content["impossible"]
            if all(given[name] in choices for name, choices in entry["where"].items())
        ]
        rest += (number in there) == bool(reasons)
    return rest


def script(content: Mapping[str, Any]) -> Html:
    """Return the data as a script that the build moves into a file of its own.

    ``<`` is written as an escape, so that no text ends the element.
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    name = anchor(str(content["id"]))
    return Html(
        f'<script type="application/json" data-omr-file="explorer/{escape(name)}.js">'
        f"omrExplorer({text});</script>"
    )
