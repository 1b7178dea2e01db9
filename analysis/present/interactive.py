"""The chart that takes the place of a drawn one, for the Vega of ``book/_static/charts.js``.

It is the same specification, compiled here, so that a page needs no compiler.
Its colours are CSS variables and follow the page's theme by themselves. Its
times are UTC, and the drawn chart comes from it too, so that a day is the same
day wherever the book is built or read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from analysis.present import theme

#: A moment without a zone, in data or in an expression; browsers would take it as local.
_LOCAL: Final = re.compile(r'(?<=")(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(?=\\?")')
_FORMAT: Final = re.compile(r"\btimeFormat\(")
_MAKE: Final = re.compile(r'\bdatetime\((?!\\")')


def _in_utc(part: Any) -> None:
    if isinstance(part, dict):
        if part.get("type") == "time":
            part["type"] = "utc"
        if part.get("type") == "timeunit":
            part["timezone"] = "utc"
        if part.get("formatType") == "time":
            part["formatType"] = "utc"
    for inner in (
        part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    ):
        _in_utc(inner)


def in_utc(vega: Mapping[str, Any]) -> dict[str, Any]:
    """Return a compiled chart that draws the same wherever it is drawn.

    Parameters
    ----------
    vega : mapping
        Vega specification, whose times are those of the place.
    """
    text = json.dumps(vega, separators=(",", ":"))
    text = _LOCAL.sub(r"\1Z", _MAKE.sub("utc(", _FORMAT.sub("utcFormat(", text)))
    whole: dict[str, Any] = json.loads(text)
    _in_utc(whole)
    return whole


def has_tips(vega: Mapping[str, Any]) -> bool:
    """Whether any mark of a compiled chart says something when it is pointed at."""
    return '"tooltip"' in json.dumps(vega.get("marks", []))


def script(name: str, vega: Mapping[str, Any]) -> str:
    """Return the script that hands a chart to the page.

    Parameters
    ----------
    name : str
        Figure and kind, ``share.wide``.
    vega : mapping
        Vega specification in the light colours.

    Returns
    -------
    str
        One call of ``omrChart``, in ASCII.
    """
    # As in a page, where a name with the end of a script in it would end the script.
    text = json.dumps(vega, separators=(",", ":")).replace("</", "<\\/")
    return f"omrChart({json.dumps(name)},{theme.themed(text)});\n"
