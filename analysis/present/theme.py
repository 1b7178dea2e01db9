"""One look for every chart: colours, shapes, dashes and the Altair settings.

A colour stands for a family wherever it is drawn, and never stands alone: each
family also has a shape and a dash, and charts label their series directly.
Every colour exists twice, for light and dark pages. A chart is drawn once, in
the light colours; :func:`themed` then turns each colour into a CSS variable, so
that the page's theme decides (the light colour stays as the fallback).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from analysis.present.markup import clip, plain


@dataclass(frozen=True)
class Ink:
    """A named colour of the charts.

    Attributes
    ----------
    name : str
        Name of the CSS variable, without the ``--omr-`` in front.
    light, dark : str
        ``#rrggbb`` on a light and on a dark page.
    """

    name: str
    light: str
    dark: str


@dataclass(frozen=True)
class Family:
    """How one model family is drawn.

    Attributes
    ----------
    id : str
        Identifier as in ``data/families.toml``.
    label : str
        Name as readers know it.
    ink : Ink
        Its colour on both themes.
    shape : str
        Vega point shape, the second channel for points.
    dash : tuple of int
        Vega stroke dash, the second channel for lines; empty is solid.
    """

    id: str
    label: str
    ink: Ink
    shape: str
    dash: tuple[int, ...]


#: Page backgrounds that the contrasts are checked against.
PAGE: Final = Ink("page", "#ffffff", "#14181e")
TEXT: Final = Ink("ink", "#1f2328", "#e3e7eb")
QUIET: Final = Ink("quiet", "#57606a", "#a3adb8")
RULE: Final = Ink("rule", "#d0d7de", "#3b434c")
GRID: Final = Ink("grid", "#eaeef2", "#272e36")
#: The stated value of a claim: a line of its own colour, always labelled.
STATED: Final = Ink("stated", "#b3261e", "#ff8a80")
#: Results of ours, and the wider interval that needs no assumption.
OURS: Final = Ink("ours", "#0b5cad", "#6db3f8")
BAND: Final = Ink("band", "#b9d4ef", "#28496b")
#: Figures that others published.
THEIRS: Final = Ink("theirs", "#6b5900", "#d9bd4a")

#: Colours after Okabe and Ito and after Tol's muted scheme, darkened or
#: lightened until each has a contrast of 3 or more against its page.
FAMILIES: Final[dict[str, Family]] = {
    family.id: family
    for family in (
        Family("qwen", "Qwen", Ink("qwen", "#0072b2", "#56b4e9"), "circle", ()),
        Family("llama", "Llama", Ink("llama", "#c24e00", "#ff9e4a"), "square", (6, 3)),
        Family(
            "deepseek", "DeepSeek", Ink("deepseek", "#117733", "#4fc27a"), "triangle-up", (2, 2)
        ),
        Family("mistral", "Mistral", Ink("mistral", "#aa4499", "#e08ad2"), "diamond", (8, 3, 2, 3)),
        Family("gemma", "Gemma", Ink("gemma", "#882255", "#e07ba8"), "cross", (4, 2)),
        Family("gpt-oss", "gpt-oss", Ink("gptoss", "#3d3d3d", "#c9c9c9"), "triangle-down", (1, 2)),
        Family(
            "nemotron",
            "Nemotron",
            Ink("nemotron", "#5b7f00", "#a5cc3c"),
            "triangle-right",
            (10, 3),
        ),
        Family("glm", "GLM", Ink("glm", "#332288", "#9d92f0"), "triangle-left", (3, 3)),
        Family("kimi", "Kimi", Ink("kimi", "#8f6412", "#d6a84a"), "wedge", (6, 2, 1, 2)),
        Family("minimax", "MiniMax", Ink("minimax", "#cc3311", "#ff7a5c"), "stroke", (5, 5)),
        Family("phi", "Phi", Ink("phi", "#0f7f82", "#48c6c9"), "arrow", (12, 4)),
        Family("other", "other", Ink("other", "#6e7781", "#9aa4af"), "circle", (1, 3)),
    )
}

#: Looks for series that are no families (populations, countries, generations), in order.
PLAIN: Final = (
    Family("plain-1", "", Ink("plain1", "#0a5a9c", "#7ab8f5"), "circle", ()),
    Family("plain-2", "", Ink("plain2", "#a8480a", "#f0a35e"), "square", (6, 3)),
    Family("plain-3", "", Ink("plain3", "#0c6b4a", "#58c79a"), "triangle-up", (2, 2)),
    Family("plain-4", "", Ink("plain4", "#7b3a9e", "#cf9aea"), "diamond", (8, 3, 2, 3)),
    Family("plain-5", "", Ink("plain5", "#5c5c12", "#c9c75a"), "cross", (4, 2)),
    Family("plain-6", "", Ink("plain6", "#9c1f4b", "#f08cb0"), "triangle-down", (1, 2)),
    Family("plain-7", "", Ink("plain7", "#4a4a4a", "#bdbdbd"), "stroke", (10, 3)),
)


def looks(names: Sequence[str]) -> list[Family]:
    """Return a look for each series: its family's, or the next plain one.

    Parameters
    ----------
    names : sequence of str
        Names of series; those that are no family are told apart by order.
    """
    free = itertools.cycle(PLAIN)
    return [
        own if (own := family(name)).id != "other" or name.lower() == "other" else next(free)
        for name in names
    ]


_INKS: Final = (
    PAGE,
    TEXT,
    QUIET,
    RULE,
    GRID,
    STATED,
    OURS,
    BAND,
    THEIRS,
    *(family.ink for family in FAMILIES.values()),
    *(look.ink for look in PLAIN),
)

#: Widths in CSS pixels at which every chart is drawn: for a page, for a phone.
WIDE: Final = 680
NARROW: Final = 312


def family(name: str) -> Family:
    """Return how a family is drawn; a family without a colour is "other".

    Parameters
    ----------
    name : str
        Family id or label, in any case.
    """
    key = name.strip().lower().replace(" ", "-")
    return FAMILIES.get(key, FAMILIES["other"])


def config(width: int) -> dict[str, Any]:
    """Return the Vega-Lite configuration for a chart of a given width.

    Parameters
    ----------
    width : int
        Width in CSS pixels; below 480 the type is kept at a size that a phone
        shows without zooming.
    """
    size = 12 if width < 480 else 13
    text = {"labelColor": TEXT.light, "titleColor": QUIET.light}
    return {
        "background": "transparent",
        # The figure is one image with a sentence; its marks are not read out one by one.
        "aria": False,
        "font": "sans-serif",
        "view": {"stroke": None},
        "axis": {
            **text,
            "domainColor": RULE.light,
            "gridColor": GRID.light,
            "tickColor": RULE.light,
            "labelFontSize": size,
            "titleFontSize": size,
            "titleFontWeight": "normal",
            "labelLimit": width,
            "titlePadding": 8,
        },
        "axisX": {"titleAnchor": "start"},
        "legend": {**text, "labelFontSize": size, "titleFontSize": size, "labelLimit": width},
        "header": {**text, "labelFontSize": size, "titleFontSize": size, "labelLimit": width},
        "title": {"color": TEXT.light, "subtitleColor": QUIET.light},
        # A name of ten thousand letters may not make a chart wider than its page.
        "text": {"color": TEXT.light, "fontSize": size, "limit": round(1.1 * width)},
        "line": {"strokeWidth": 2},
        "tick": {"opacity": 1},
        "point": {"filled": True, "size": 60, "opacity": 1},
    }


def finished(chart: Any, width: int) -> dict[str, Any]:
    """Return the Vega-Lite specification of a chart in the house style.

    Parameters
    ----------
    chart : altair chart
        Any top-level Altair chart.
    width : int
        Width in CSS pixels that the chart was made for.

    Returns
    -------
    dict
        Specification with its data inside and without random names.
    """
    with alt.data_transformers.enable("default", max_rows=20_000):
        specification: dict[str, Any] = _legible(chart.to_dict())
    specification["config"] = config(width)
    _tell(specification, specification.get("datasets", {}), None)
    return specification


#: Column of a drawn frame with what a mark says when it is pointed at.
TIP: Final = "tip"
_LINE: Final = 400


def tip(*lines: object) -> str:
    """Return what a mark says when it is pointed at: its name, then what is known of it.

    Parameters
    ----------
    lines : object
        Texts, the first one the name; empty ones are left out.
    """
    texts = [" ".join(plain(line).split("\n")) for line in lines]
    kept = [text if len(text) <= _LINE else text[: _LINE - 1] + "…" for text in texts if text]
    return "\n".join(kept)


def _tell(part: dict[str, Any], datasets: dict[str, Any], data: Any) -> None:
    """Give each mark whose data have a tip a tooltip; names and labels are none."""
    data = part.get("data", data)
    for key in ("layer", "vconcat", "hconcat", "concat"):
        for inner in part.get(key, ()):
            _tell(inner, datasets, data)
    if "mark" not in part:
        return
    mark = part["mark"]
    rows = datasets.get(str((data or {}).get("name")), ())
    if (mark if isinstance(mark, str) else mark["type"]) != "text" and rows and TIP in rows[0]:
        part.setdefault("encoding", {})["tooltip"] = {"field": TIP, "type": "nominal"}


#: Keys whose text is an expression of Vega, which cannot be cut.
_EXPRESSIONS: Final = {"calculate", "expr", "filter", "labelExpr", "test"}


def _legible(value: Any) -> Any:
    """Return a part of a specification whose every text can be drawn; names come from strangers."""
    if isinstance(value, str):
        return clip(value)
    if isinstance(value, list):
        return [_legible(item) for item in value]
    if isinstance(value, dict):
        return {
            plain(key): item if key in _EXPRESSIONS and isinstance(item, str) else _legible(item)
            for key, item in value.items()
        }
    return value


def themed(svg: str) -> str:
    """Replace every house colour in an SVG by its CSS variable.

    Parameters
    ----------
    svg : str
        SVG drawn in the light colours.

    Returns
    -------
    str
        The same SVG; ``#0072b2`` has become ``var(--omr-qwen,#0072b2)``.
    """
    for ink in _INKS:
        svg = svg.replace(f'"{ink.light}"', f'"var(--omr-{ink.name},{ink.light})"')
    return svg


def stylesheet() -> str:
    """Return the CSS that gives every colour its value on both themes."""
    light = "".join(f"--omr-{ink.name}:{ink.light};" for ink in _INKS)
    dark = "".join(f"--omr-{ink.name}:{ink.dark};" for ink in _INKS)
    return f":root{{{light}}}\nhtml[data-theme=dark]{{{dark}}}\n"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, 1 to 21).

    Parameters
    ----------
    one, other : str
        ``#rrggbb``.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return round((high + 0.05) / (low + 0.05), 4)
