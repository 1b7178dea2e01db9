"""A bar a row, cut into its parts: on how few things a whole hangs."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.markup import plain
from analysis.present.numbers import format_percent

#: Width of a letter of the labels inside a part, and the room beside them, in CSS pixels.
_LETTER: Final = 6.7
_ROOM: Final = 10.0


def share_bars(frame: pd.DataFrame, width: int, *, axis: str = "") -> Any:
    """Draw one bar a row, from zero to one hundred per cent, its parts in the given order.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``row`` (a family or any other name, in the order to be drawn), ``label`` (the line
        above its bar), ``part`` (name inside a part, shown where it fits), ``share`` (0 to 1) and
        ``strong`` (whether the part is drawn full); the parts of a row in order.
    width : int
        CSS pixels.
    axis : str
        Title of the axis.

    Returns
    -------
    altair chart
    """
    order = list(dict.fromkeys(frame["row"]))
    looks = dict(zip(order, theme.looks(order), strict=True))
    room = width - 20
    end = frame.groupby("row", sort=False)["share"].cumsum()
    parts = pd.DataFrame(
        {
            "place": [order.index(name) for name in frame["row"]],
            "from": 100 * (end - frame["share"]),
            "to": 100 * end,
            "ink": [looks[name].ink.light for name in frame["row"]],
            "strength": [1.0 if strong else 0.25 for strong in frame["strong"]],
            "text": [
                plain(name) if len(name) * _LETTER + _ROOM < share * room else ""
                for name, share in zip(frame["part"], frame["share"], strict=True)
            ],
            "strong": frame["strong"].astype(bool).to_numpy(),
            theme.TIP: [
                theme.tip(label, part, format_percent(float(share)))
                for label, part, share in zip(
                    frame["label"], frame["part"], frame["share"], strict=True
                )
            ],
        }
    )
    labels = frame.drop_duplicates("row").reset_index(drop=True)
    labels = pd.DataFrame(
        {"place": range(len(labels)), "label": [plain(text) for text in labels["label"]]}
    )
    y = alt.Y("place:O", axis=None, scale=alt.Scale(padding=0))
    scale = alt.Scale(domain=[0, 100], nice=False)
    ticks = alt.Axis(
        title=axis or None,
        labelExpr="datum.value + ' %'",
        values=[0, 50, 100] if width < 480 else [0, 20, 40, 60, 80, 100],
        grid=False,
    )
    base = alt.Chart(parts).properties(width=room, height=alt.Step(64))
    bars = base.mark_bar(height=26, yOffset=10, stroke=theme.PAGE.light, strokeWidth=1).encode(
        x=alt.X("from:Q", scale=scale, axis=ticks),
        x2="to:Q",
        y=y,
        fill=alt.Fill("ink:N", scale=None),
        fillOpacity=alt.FillOpacity("strength:Q", scale=None),
    )
    inside = [
        base.transform_filter(f"datum.strong == {flag}")
        .mark_text(align="left", dx=6, yOffset=10, color=ink.light)
        .encode(x=alt.X("from:Q", scale=scale), y=y, text="text:N")
        for flag, ink in (("true", theme.PAGE), ("false", theme.TEXT))
    ]
    names = (
        alt.Chart(labels)
        .mark_text(align="left", baseline="bottom", dy=-6)
        .encode(x=alt.value(0), y=y, text="label:N")
    )
    return alt.layer(bars, *inside, names)
