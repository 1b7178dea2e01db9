"""Bars of parts that add up to a whole, a label above each bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.markup import plain
from analysis.present.numbers import format_percent

#: Fills of parts from the one in question to the unknown one: told apart by lightness as well.
FILLS: Final = (
    theme.OURS,
    theme.BAND,
    theme.PLAIN[1].ink,
    theme.PLAIN[6].ink,
    theme.GRID,
)
#: Whether the words inside a part are drawn in the page's colour (on dark fills) or in the ink's.
_ON_DARK: Final = (True, False, True, True, False)


def stacked_rows(
    frame: pd.DataFrame,
    width: int,
    *,
    parts: Sequence[str],
    words: Mapping[str, str],
    measure: str = "",
    least: float = 0.07,
) -> Any:
    """Draw one bar a row, divided into parts from left to right.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``label`` (in the order to be drawn), ``part`` and ``share`` (of one).
    width : int
        CSS pixels.
    parts : sequence of str
        Parts in their order; at most as many as :data:`FILLS`.
    words : mapping
        Words of each part, for the key above the bars.
    measure : str
        Title of the axis.
    least : float
        Parts smaller than this bear no number inside.

    Returns
    -------
    altair chart
    """
    names = [plain(label) for label in dict.fromkeys(frame["label"])]
    rows = frame[["label", "part", "share"]].copy()
    rows["label"] = [plain(label) for label in rows["label"]]
    rows["row"] = [names.index(label) for label in rows["label"]]
    rows["place"] = [parts.index(part) for part in rows["part"]]
    rows = rows.sort_values(["row", "place"], kind="stable").reset_index(drop=True)
    rows["to"] = 100 * rows.groupby("row")["share"].cumsum()
    rows["from"] = rows["to"] - 100 * rows["share"]
    rows["middle"] = (rows["from"] + rows["to"]) / 2
    rows["text"] = [
        format_percent(share, 0) if share >= (least if width >= 480 else 2 * least) else ""
        for share in rows["share"]
    ]
    rows[theme.TIP] = [
        theme.tip(label, words[part], format_percent(share))
        for label, part, share in zip(rows["label"], rows["part"], rows["share"], strict=True)
    ]
    plot = width - 20
    scale = alt.Scale(domain=[0, 100], nice=False)
    y = alt.Y("row:O", axis=None, scale=alt.Scale(padding=0))
    base = alt.Chart(rows).properties(width=plot, height=alt.Step(44))
    axis = alt.Axis(title=measure or None, labelExpr="datum.value + ' %'", tickCount=5, grid=False)
    bars, texts = [], []
    for place, ink in enumerate(FILLS[: len(parts)]):
        own = base.transform_filter(f"datum.place == {place}")
        bars.append(
            own.mark_bar(
                height=18,
                yOffset=9,
                color=ink.light,
                # What is not known is nearly as light as the page: it gets an outline.
                stroke=(theme.RULE if ink is theme.GRID else theme.PAGE).light,
                strokeWidth=1,
            ).encode(x=alt.X("from:Q", scale=scale, axis=axis), x2="to:Q", y=y)
        )
        texts.append(
            own.mark_text(
                yOffset=9, color=(theme.PAGE if _ON_DARK[place] else theme.TEXT).light
            ).encode(x=alt.X("middle:Q", scale=scale), y=y, text="text:N")
        )
    labels = (
        base.transform_filter("datum.place == datum.first")
        .mark_text(align="left", baseline="bottom", dy=-2)
        .encode(x=alt.value(0), y=y, text="label:N")
    )
    rows["first"] = rows.groupby("row")["place"].transform("min")
    return alt.vconcat(
        _key(parts, words, plot), alt.layer(*bars, *texts, labels), spacing=6
    ).configure_concat(spacing=6)


def _key(parts: Sequence[str], words: Mapping[str, str], plot: int) -> Any:
    """Return the key: a square and words for each part, over as many lines as they need."""
    x, line = 0.0, 0
    entries = []
    for place, part in enumerate(parts):
        length = 30 + 6.6 * len(words[part])
        if x and x + length > plot:
            x, line = 0.0, line + 1
        entries.append({"x": x, "y": line, "text": words[part], "ink": FILLS[place].light})
        x += length
    lines = line + 1
    data = alt.Chart(pd.DataFrame(entries)).properties(width=plot, height=20 * lines)
    px = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, plot], nice=False))
    py = alt.Y(
        "y:Q", axis=None, scale=alt.Scale(domain=[lines - 0.5, -0.5], nice=False, zero=False)
    )
    squares = data.mark_point(
        shape="square", size=130, filled=True, xOffset=7, stroke=theme.RULE.light, strokeWidth=1
    ).encode(x=px, y=py, fill=alt.Fill("ink:N", scale=None, legend=None))
    texts = data.mark_text(align="left", dx=18).encode(x=px, y=py, text="text:N")
    return alt.layer(squares, texts)
