"""Dots on a line for each row, with the mean and its interval: who is ahead, and how often."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.markup import plain


def strips(
    means: pd.DataFrame, dots: pd.DataFrame, width: int, *, measure: str, ends: tuple[str, str]
) -> Any:
    """Draw a row of dots for each label, with a bar and a diamond for its mean.

    Parameters
    ----------
    means : pandas.DataFrame
        ``label``, ``value``, ``lower``, ``upper`` (NaN for no bar) and ``text`` (at the right), in
        the order to be drawn.
    dots : pandas.DataFrame
        ``label``, ``value`` and ``apart`` (whether the dot stands beside the rest, drawn as a
        square).
    width : int
        CSS pixels.
    measure : str
        Title of the axis.
    ends : tuple of str
        What it means to lie left and right of zero.

    Returns
    -------
    altair chart
        Labels stand above their rows, so that they fit a phone.
    """
    labels = [plain(text) for text in means["label"]]
    rows = pd.DataFrame(
        {
            "row": range(len(means)),
            "label": labels,
            "text": [plain(text) for text in means["text"]],
            **{name: means[name].to_numpy(dtype="float64") for name in ("value", "lower", "upper")},
        }
    )
    rows[theme.TIP] = [
        theme.tip(label, text) for label, text in zip(labels, rows["text"], strict=True)
    ]
    points = pd.DataFrame(
        {
            "row": [labels.index(plain(text)) for text in dots["label"]],
            "value": dots["value"].to_numpy(dtype="float64"),
            "apart": dots["apart"].to_numpy(dtype="bool"),
            theme.TIP: [
                theme.tip(label, f"{measure}: {value:,.4g}" if measure else f"{value:,.4g}")
                for label, value in zip(dots["label"], dots["value"].astype("float64"), strict=True)
            ],
        }
    )
    size = 11 if width < 480 else 12
    every = pd.concat([rows["value"], rows["lower"], rows["upper"], points["value"]]).dropna()
    low, high = min(0.0, float(every.min())), max(0.0, float(every.max()))
    margin = 0.04 * (high - low)
    scale = alt.Scale(
        domain=[math.floor(low - margin), math.ceil(high + margin)], nice=False, zero=False
    )
    y = alt.Y("row:O", axis=None, scale=alt.Scale(padding=0))
    height = alt.Step(46)
    axis = alt.Axis(title=measure, tickCount=4 if width < 480 else 7, format=",~f")
    base = alt.Chart(rows).properties(width=width - 20, height=height)
    ground: dict[str, Any] = {"stroke": theme.PAGE.light, "strokeWidth": 4}
    zero = alt.Chart(pd.DataFrame({"at": [0.0]}))
    line = zero.mark_rule(color=theme.STATED.light, strokeDash=[5, 3]).encode(
        x=alt.X("at:Q", scale=scale)
    )
    at = {"x": alt.X("at:Q", scale=scale), "y": alt.value(0)}
    side: dict[str, Any] = {"color": theme.STATED.light, "baseline": "bottom", "dy": -6}
    sides = [zero.mark_text(align="left", dx=6, text=f"{ends[1]} \u2192", **side).encode(**at)]
    # Left of zero there may be no room for words; what lies right of it then says enough.
    if -low / (high - low) * width > 7 * len(ends[0]):
        sides.append(
            zero.mark_text(align="right", dx=-6, text=f"\u2190 {ends[0]}", **side).encode(**at)
        )
    spread = base.mark_rule(strokeWidth=9, yOffset=11, color=theme.BAND.light).encode(
        x=alt.X("lower:Q", scale=scale, axis=axis), x2="upper:Q", y=y
    )
    seen = alt.Chart(points)
    others = seen.transform_filter("!datum.apart").mark_circle(
        size=34, opacity=0.75, color=theme.OURS.light, yOffset=11
    ).encode(x=alt.X("value:Q", scale=scale), y=y)  # fmt: skip
    beside = seen.transform_filter("datum.apart").mark_point(
        size=64, shape="square", filled=False, strokeWidth=2, color=theme.THEIRS.light, yOffset=11
    ).encode(x=alt.X("value:Q", scale=scale), y=y)  # fmt: skip
    mean = base.mark_tick(thickness=3, size=18, color=theme.TEXT.light, yOffset=11).encode(
        x=alt.X("value:Q", scale=scale), y=y
    )
    names = base.mark_text(align="left", baseline="bottom", dy=-1, fontSize=size, **ground).encode(
        x=alt.value(0), y=y, text="label:N"
    )
    texts = base.mark_text(align="right", baseline="bottom", dy=-1, fontSize=size, **ground).encode(
        x=alt.value(width - 20), y=y, text="text:N"
    )
    return alt.layer(spread, line, others, beside, mean, names, texts, *sides)
