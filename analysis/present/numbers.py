"""Numbers for prose: each one formatted and wearing the grade of its evidence.

The four grades are those of the register: *computed* from pinned raw data by
our code, *bounded* by an interval that the data force, *published* by somebody
else and cited, *inferred* as our reading of how a figure came about. A grade
is an argument of every function here and has no default, so none is raised by
leaving it out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from analysis.errors import InputError
from analysis.present.markup import Html, escape

#: Grade, what it means in one line (shown on hover, read by screen readers).
GRADES: Final[dict[str, str]] = {
    "computed": "from pinned raw data, by our code",
    "bounded": "an interval that the data force, alone or with a named and tested assumption",
    "published": "somebody else's figure, cited, not recomputed",
    "inferred": "our reading of how a figure came about",
}

_SPACE: Final = "\u00a0"
_MINUS: Final = "\u2212"


def _check(grade: str) -> str:
    if grade not in GRADES:
        known = ", ".join(GRADES)
        raise InputError(f"grade {grade!r} is not known; use one of {known}")
    return grade


def _digits(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    return text.replace("-", _MINUS)


def format_count(value: float) -> str:
    r"""Return a count in words a reader can say aloud.

    Parameters
    ----------
    value : float
        Count, for example of downloads.

    Examples
    --------
    >>> format_count(153_600_000).replace("\u00a0", " ")
    '153.6 million'
    >>> format_count(4167)
    '4,167'
    """
    size = abs(value)
    for limit, word in ((1e9, "billion"), (1e6, "million")):
        # 999.96 million would be printed as "1,000.0 million".
        if size >= limit * 0.99995:
            places = 2 if limit == 1e9 else 1
            return f"{_digits(value / limit, places)}{_SPACE}{word}"
    return _digits(value, 0)


def format_users(value: float) -> str:
    r"""Return a number of users as contracts write it, without needless decimals.

    Examples
    --------
    >>> format_users(700_000_000).replace("\u00a0", " ")
    '700 million'
    """
    return format_count(value).replace(f".0{_SPACE}", _SPACE)


def format_percent(fraction: float, places: int = 1) -> str:
    """Return a fraction of one as per cent, ``0.398`` as ``39.8 %``."""
    return f"{_digits(100 * fraction, places)}{_SPACE}%"


def format_ratio(value: float) -> str:
    """Return a ratio with two decimals."""
    return _digits(value, 2)


def format_day(day: date | str) -> str:
    """Return a day as ``28 February 2026``, a month as ``February 2026``.

    Parameters
    ----------
    day : date or str
        A date, or text ``YYYY-MM-DD`` or ``YYYY-MM``; other text comes back
        as it is.
    """
    months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    text = day.isoformat()[:10] if isinstance(day, date) else str(day)
    parts = text.split("-")
    if not all(part.isdigit() for part in parts) or len(parts) not in (2, 3) or len(text) > 10:
        return text
    name = f"{months[int(parts[1]) - 1]}{_SPACE}{parts[0]}"
    return name if len(parts) == 2 else f"{int(parts[2])}{_SPACE}{name}"


def short_month(day: str) -> str:
    r"""Return the month of a day or month in ISO form, short enough for a heading.

    Examples
    --------
    >>> short_month("2024-09-19").replace("\u00a0", " ")
    'Sep 2024'
    """
    name, _, year = format_day(day[:7]).partition(_SPACE)
    return f"{name[:3]}{_SPACE}{year}"


#: The units that tables carry, and how a bare number of each is written.
_UNITS: Final[dict[str, Callable[[float], str]]] = {
    "share": format_percent,
    "fraction": format_percent,
    "downloads": format_count,
    "repositories": format_count,
    "derivatives": format_count,
    "users": format_users,
    "count": format_count,
    "ratio": format_ratio,
}


def format_value(value: object, unit: str) -> str:
    """Return a value written after its unit.

    Parameters
    ----------
    value : object
        A number, a day or month as text, or nothing (None, NaN).
    unit : str
        ``share`` or ``fraction`` (of one), ``downloads``, ``repositories``,
        ``derivatives``, ``users``, ``count``, ``ratio``, ``day`` or ``month``.

    Returns
    -------
    str
        Text; "not known" where there is no value.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _UNITS.get(unit, _plain_number)(float(value))
    return format_day(str(value))


def _plain_number(value: float) -> str:
    return _digits(value, 0 if value == int(value) else 2)


def graded(text: str, grade: str, note: str = "") -> Html:
    """Return a number with the mark of its grade.

    Parameters
    ----------
    text : str
        The number, formatted.
    grade : str
        One of :data:`GRADES`.
    note : str, optional
        One more sentence for the hover text, for instance the source.

    Returns
    -------
    Html
        The number, its mark, and the same in words for screen readers.
    """
    meaning = f"{_check(grade).capitalize()}: {GRADES[grade]}."
    hover = f"{meaning} {note}".strip()
    return Html(
        f'<span class="omr-number omr-{grade}" title="{escape(hover)}">{escape(text)}'
        f'<span class="omr-mark" aria-hidden="true">{grade[0]}</span>'
        f'<span class="omr-hidden"> ({grade})</span></span>'
    )


def count(value: float, grade: str, note: str = "") -> Html:
    """Return a graded count, ``153.6 million``."""
    return graded(format_count(value), grade, note)


def percent(fraction: float, grade: str, note: str = "", places: int = 1) -> Html:
    """Return a graded share; 0.398 reads ``39.8 %``."""
    return graded(format_percent(fraction, places), grade, note)


def ratio(value: float, grade: str, note: str = "") -> Html:
    """Return a graded ratio, ``2.16``."""
    return graded(format_ratio(value), grade, note)


def value(number: object, unit: str, grade: str, note: str = "") -> Html:
    """Return a graded value of any unit of :func:`format_value`."""
    return graded(format_value(number, unit), grade, note)


def format_interval(lower: object, upper: object, unit: str) -> str:
    """Return an interval, ``37.1 to 44.9 %``; one value where both ends agree.

    Parameters
    ----------
    lower, upper : object
        Ends; an end that is not known leaves "at least" or "at most".
    unit : str
        As in :func:`format_value`.
    """
    low, high = format_value(lower, unit), format_value(upper, unit)
    if low == high:
        return low
    if low == "not known":
        return f"at most {high}"
    if high == "not known":
        return f"at least {low}"
    if unit in _UNITS and lower == 0 and not (unit == "share" and upper == 1):
        # "0 to 12 %" says no more than "at most 12 %"; "at most 100 %" says less than nothing.
        return f"at most {high}"
    stem, _, end = low.rpartition(_SPACE)
    if stem and high.endswith(f"{_SPACE}{end}") and unit not in ("day", "month"):
        low = stem
    return f"{low} to {high}"


def interval(lower: object, upper: object, unit: str, grade: str, note: str = "") -> Html:
    """Return a graded interval."""
    return graded(format_interval(lower, upper, unit), grade, note)


def listed(words: Iterable[object]) -> Html:
    """Return words as a list in a sentence, ``a, b and c``, each escaped."""
    items = [escape(word) for word in words]
    if len(items) < 2:
        return Html("".join(items))
    return Html(f"{', '.join(items[:-1])} and {items[-1]}")


def legend() -> Html:
    """Return the line that explains the four marks, for the foot of a page."""
    parts = [
        f'<span class="omr-number omr-{grade}"><span class="omr-mark">{grade[0]}</span></span> '
        f"{grade}, {escape(meaning)}"
        for grade, meaning in GRADES.items()
    ]
    return Html(
        '<p class="omr-legend">Marks behind numbers: '
        + "; ".join(parts)
        + '. <a href="marks.html">How to read the marks</a>.</p>'
    )
