"""Make drawn SVGs small: the same picture in a third of the bytes.

A specification curve holds thousands of ticks. The drawing library writes
each as an element of its own with all its attributes; here neighbours that
differ only in place become one path, or share a group that carries what they
have in common.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from typing import Final

#: Attributes that only make sense for an SVG that is read part by part; ours
#: is one image with a title and a description.
_INNER: Final = re.compile(r' (?:role|aria-[a-z]+|pointer-events|class)="[^"]*"')
_DEFAULTS: Final = re.compile(
    r' (?:opacity="1"|xmlns:xlink="[^"]*"|version="1\.1"|font-weight="normal")'
)
#: Every text carries the same font; the picture names it once.
_FONT: Final = re.compile(r' font-family="sans-serif"')
_EMPTY: Final = re.compile(r'<path(?: [a-z-]+="[^"]*")*? d=""(?: [a-z-]+="[^"]*")*/>')
_BLANK: Final = re.compile(r"<text[^>]*(?:/>|></text>)")
#: Hundredths of a pixel are more than anyone sees.
_DECIMALS: Final = re.compile(r"(\.\d\d)\d+")

_PLACE: Final = r'transform="translate\((-?[\d.]+),(-?[\d.]+)\)"'
_LINE: Final = re.compile(rf'<line {_PLACE} x2="(-?[\d.]+)" y2="(-?[\d.]+)"([^>]*)/>')
_TICK: Final = re.compile(
    rf'<path (?:{_PLACE} )?d="M(-?[\d.]+),(-?[\d.]+)((?:[hv]-?[\d.]+)+Z)"([^>]*)/>'
)
_CIRCLE: Final = re.compile(
    rf'<path {_PLACE} d="M([\d.]+),0A\3,\3,0,1,1,-\3,0A\3,\3,0,1,1,\3,0"([^>]*)/>'
)
_DIAMOND: Final = re.compile(rf'<path {_PLACE} d="M-([\d.]+),0L0,-\3L\3,0L0,\3Z"([^>]*)/>')
_TEXT: Final = re.compile(rf'<text text-anchor="(\w+)" {_PLACE}([^>]*)>([^<]*)</text>')


def _number(value: str, more: str = "0") -> str:
    text = f"{float(value) + float(more):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _whole(
    text: str, pattern: re.Pattern[str], style: int, join: Callable[[str, list[re.Match[str]]], str]
) -> str:
    """Replace each run of neighbours that match the pattern and share a style.

    `style` is the number of the group that holds the shared attributes.
    """
    out: list[str] = []
    run: list[re.Match[str]] = []
    end = 0

    def flush() -> None:
        for shared, same in groupby(run, key=lambda m: m[style]):
            out.append(join(shared, list(same)))
        run.clear()

    for match in pattern.finditer(text):
        if match.start() != end:
            flush()
            out.append(text[end : match.start()])
        run.append(match)
        end = match.end()
    flush()
    out.append(text[end:])
    return "".join(out)


def _lines(style: str, lines: list[re.Match[str]]) -> str:
    path = "".join(
        f"M{_number(m[1])},{_number(m[2])}l{_number(m[3])},{_number(m[4])}" for m in lines
    )
    return f'<path d="{path}"{style}/>'


def _ticks(style: str, ticks: list[re.Match[str]]) -> str:
    path = "".join(
        f"M{_number(m[3], m[1] or '0')},{_number(m[4], m[2] or '0')}{m[5]}" for m in ticks
    )
    return f'<path d="{path}"{style}/>'


def _circles(style: str, circles: list[re.Match[str]]) -> str:
    drawn = "".join(
        f'<circle cx="{_number(m[1])}" cy="{_number(m[2])}" r="{_number(m[3])}"/>' for m in circles
    )
    return f"<g{style}>{drawn}</g>"


def _diamonds(style: str, diamonds: list[re.Match[str]]) -> str:
    drawn = "".join(
        f'<path d="M{_number(m[1], "-" + m[3])},{_number(m[2])}l{half},-{half} {half},{half} '
        f'-{half},{half}z"/>'
        for m in diamonds
        for half in (_number(m[3]),)
    )
    return f"<g{style}>{drawn}</g>"


def _texts(style: str, texts: list[re.Match[str]]) -> str:
    drawn = ""
    if " stroke=" in style:
        # An outline in the colour of the page keeps lines off the letters: it goes below them.
        style += ' paint-order="stroke"'
    for anchor, same in groupby(texts, key=lambda m: m[1]):
        inner = "".join(
            f'<text x="{_number(m[2])}" y="{_number(m[3])}">{m[5]}</text>' for m in same
        )
        drawn += f'<g text-anchor="{anchor}"{style}>{inner}</g>'
    return drawn


def compact(inner: str) -> str:
    """Return the inside of an SVG with the same picture in fewer bytes.

    Parameters
    ----------
    inner : str
        Everything after the opening ``<svg ...>``.

    Returns
    -------
    str
        The same marks at the same places (to a hundredth of a pixel), without
        roles of parts, defaults, empty paths and empty texts.
    """
    for needless in (_INNER, _DEFAULTS, _FONT, _EMPTY, _BLANK):
        inner = needless.sub("", inner)
    inner = _whole(inner, _LINE, 5, _lines)
    inner = _whole(inner, _TICK, 6, _ticks)
    inner = _whole(inner, _CIRCLE, 4, _circles)
    inner = _whole(inner, _DIAMOND, 4, _diamonds)
    inner = _whole(inner, _TEXT, 4, _texts)
    # Only inside tags: a number in a label is text.
    return re.sub(r"<[^>]*>", lambda tag: _DECIMALS.sub(r"\1", tag[0]), inner)
