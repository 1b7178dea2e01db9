"""Charts of what share lies at or below a size: steps over a logarithmic axis."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.markup import plain
from analysis.present.numbers import format_percent

#: Sizes named on the axis, in 1e9 parameters.
_TICKS: Final = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def cumulative_steps(
    frame: pd.DataFrame, width: int, *, measure: str, marks: pd.DataFrame, height: int = 280
) -> Any:
    """Draw the share up to each size, one stepped line a series, with limits as vertical lines.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``series``, ``parameters`` (a number, larger than 0) and ``share``
        (fraction of one, rising within a series). Two series at most are told apart
        by their names, the one that rises first on the left.
    width : int
        CSS pixels.
    measure : str
        What the share is of, for the axis.
    marks : pandas.DataFrame
        Columns ``parameters`` and ``label``: limits, drawn across the plot.
    height : int
        CSS pixels of the plot.

    Returns
    -------
    altair chart
    """
    data = pd.DataFrame(
        {
            "series": [plain(name) for name in frame["series"]],
            "size": frame["parameters"].astype("float64").to_numpy() / 1e9,
            "share": 100 * frame["share"].astype("float64").to_numpy(),
        }
    )
    names = list(dict.fromkeys(data["series"]))
    low, high = float(data["size"].min()) * 0.8, float(data["size"].max()) * 1.25
    # A line begins at the bottom and runs on to the right end of the axis.
    ends = []
    for name in names:
        own = data[data["series"] == name]
        ends += [
            {"series": name, "size": low, "share": 0.0},
            {"series": name, "size": high, "share": float(own["share"].max())},
        ]
    data = pd.concat([data, pd.DataFrame(ends)]).sort_values(["series", "size", "share"])
    data[theme.TIP] = [
        theme.tip(name, f"{format_percent(share / 100)} up to {size:,.4g} billion parameters")
        for name, size, share in zip(data["series"], data["size"], data["share"], strict=True)
    ]
    looks = theme.looks(names)
    colour = alt.Color(
        "series:N", legend=None, scale=alt.Scale(domain=names, range=[k.ink.light for k in looks])
    )
    dash = alt.StrokeDash(
        "series:N", legend=None, scale=alt.Scale(domain=names, range=[list(k.dash) for k in looks])
    )
    shown = [t for t in _TICKS if low <= t <= high]
    if width < 480:
        shown = [t for t in shown if t in (0.5, 2, 10, 50, 200)]
    x = alt.X(
        "size:Q",
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(
            title="parameters (billion, logarithmic)",
            values=shown,
            labelExpr="format(datum.value, '~f')",
            grid=False,
        ),
    )
    y = alt.Y(
        "share:Q",
        scale=alt.Scale(domain=[0, 100]),
        axis=alt.Axis(
            title=measure,
            titleAngle=0,
            titleAlign="left",
            titleAnchor="end",
            titleX=-40,
            titleY=-30,
            labelExpr="datum.value + ' %'",
            tickCount=5,
            minExtent=40,
        ),
    )
    base = alt.Chart(data).properties(width=width - 70, height=height)
    limits = pd.DataFrame(
        {
            "size": marks["parameters"].astype("float64").to_numpy() / 1e9,
            "label": [plain(text) for text in marks["label"]],
        }
    )
    over = alt.Chart(limits)
    layers: list[Any] = [
        over.mark_rule(color=theme.STATED.light, strokeDash=[5, 3]).encode(x=x),
        base.mark_line(interpolate="step-after").encode(x=x, y=y, color=colour, strokeDash=dash),
        over.mark_text(color=theme.STATED.light, align="center", baseline="bottom", dy=-4).encode(
            x=x, y=alt.value(0), text="label:N"
        ),
    ]
    middles = []
    for name in names:
        own = data[(data["series"] == name) & (data["share"] >= 50)]
        if not own.empty:
            middles.append({"series": name, "size": float(own["size"].iloc[0]), "share": 50.0})
    middles.sort(key=lambda row: float(str(row["size"])))
    for place, row in enumerate(middles):
        first = place == 0 and len(middles) > 1
        named = alt.Chart(pd.DataFrame([row]))
        text: dict[str, Any] = {
            "align": "right" if first else "left",
            "dx": -8 if first else 8,
            "baseline": "middle",
        }
        # Twice: once as a ground, so that the limit does not cross the name.
        ground = named.mark_text(
            **text, stroke=theme.PAGE.light, strokeWidth=4, color=theme.PAGE.light
        )
        layers.append(ground.encode(x=x, y=y, text="series:N"))
        layers.append(named.mark_text(**text).encode(x=x, y=y, text="series:N", color=colour))
    return alt.layer(*layers)
