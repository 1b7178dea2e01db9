"""A matrix of dots: which column has something in which row, and how much."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.markup import plain


def dots(frame: pd.DataFrame, width: int) -> Any:
    """Draw a dot where there is something, a small ring where there is nothing.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``row``, ``column`` and ``value`` (how many; 0 for nothing), in the order to be
        drawn.
    width : int
        CSS pixels.

    Returns
    -------
    altair chart
        The label of each row stands above its dots, so that it fits a phone; the number stands
        beside its dot.
    """
    rows = list(dict.fromkeys(plain(text) for text in frame["row"]))
    columns = list(dict.fromkeys(plain(text) for text in frame["column"]))
    data = pd.DataFrame(
        {
            "row": [rows.index(plain(text)) for text in frame["row"]],
            "column": [plain(text) for text in frame["column"]],
            "label": [plain(text) for text in frame["row"]],
            "value": [int(value) for value in frame["value"]],
        }
    )
    data["text"] = [f"{value:,}" if value else "" for value in data["value"]]
    data[theme.TIP] = [
        theme.tip(label, f"{column}: {value:,}" if value else f"{column}: nothing")
        for label, column, value in zip(data["label"], data["column"], data["value"], strict=True)
    ]
    height = 46 if width < 480 else 42
    x = alt.X(
        "column:N",
        sort=columns,
        scale=alt.Scale(domain=columns, paddingOuter=0.1),
        axis=alt.Axis(
            title=None, orient="top", labelAngle=0, domain=False, ticks=False, labelPadding=4,
            labelFontSize=10 if width < 480 else 12, labelLimit=0,
        ),
    )  # fmt: skip
    y = alt.Y("row:O", axis=None, scale=alt.Scale(padding=0))
    base = alt.Chart(data).properties(width=width - 20, height=alt.Step(height))
    there = base.transform_filter("datum.value > 0")
    names = (
        alt.Chart(data.drop_duplicates("row"))
        .mark_text(align="left", baseline="bottom", dy=-4)
        .encode(x=alt.value(0), y=y, text="label:N")
    )
    rules = (
        alt.Chart(data.drop_duplicates("row"))
        .mark_rule(color=theme.GRID.light, yOffset=-height / 2)
        .encode(x=alt.value(0), x2=alt.value(width - 20), y=y)
    )
    full = there.mark_point(
        size=95, filled=True, color=theme.OURS.light, yOffset=9, xOffset=-9
    ).encode(x=x, y=y)
    empty = (
        base.transform_filter("datum.value == 0")
        .mark_point(size=34, filled=False, color=theme.QUIET.light, yOffset=9, xOffset=-9)
        .encode(x=x, y=y)
    )
    numbers = there.mark_text(align="left", yOffset=9, xOffset=-1).encode(x=x, y=y, text="text:N")
    return alt.layer(rules, empty, full, names, numbers)
