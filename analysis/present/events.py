"""Bars by month with the days of events, to see whether anything rose after them."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.charts import stated_label
from analysis.present.markup import plain
from analysis.present.numbers import format_day, format_value


def month_bars(
    frame: pd.DataFrame,
    width: int,
    *,
    events: pd.DataFrame,
    measure: str,
    height: int = 150,
) -> Any:
    """Draw a number by month, a panel a series, with a named line at each event.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``month`` (``YYYY-MM``), ``series`` (name of the panel) and ``value``. Panels
        have axes of their own: one may be ten times the other.
    width : int
        CSS pixels.
    events : pandas.DataFrame
        Columns ``day`` (``YYYY-MM-DD``) and ``name``; drawn in every panel.
    measure : str
        What is counted, for the title of each panel.
    height : int
        CSS pixels of a panel.

    Returns
    -------
    altair chart
    """
    months = pd.to_datetime(frame["month"] + "-01")
    ends = months + pd.offsets.MonthBegin(1) - pd.Timedelta(days=2)
    data = pd.DataFrame(
        {
            "from": months.dt.strftime("%Y-%m-%d"),
            "to": ends.dt.strftime("%Y-%m-%d"),
            "series": [plain(name) for name in frame["series"]],
            "value": pd.to_numeric(frame["value"]),
            "zero": 0.0,
        }
    )
    data[theme.TIP] = [
        theme.tip(name, format_day(month), f"{measure}: {format_value(value, 'count')}")
        for name, month, value in zip(
            data["series"], frame["month"], data["value"].astype("float64"), strict=True
        )
    ]
    first, last = str(data["from"].min()), str(data["to"].max())
    days = events[(events["day"] >= first) & (events["day"] <= last)].sort_values("day")
    marks = pd.DataFrame(
        {"day": days["day"].astype("str"), "name": [plain(name) for name in days["name"]]}
    )
    # Names take turns on lines of their own, so that close events do not write over one another.
    marks["line"] = [index % 3 for index in range(len(marks))]
    plot = width - 60
    x = alt.X(
        "from:T",
        scale=alt.Scale(domain=[first, last]),
        axis=alt.Axis(
            title=None, format="%b %Y", grid=False, tickCount=3 if width < 480 else 6,
            labelOverlap=True,
        ),
    )  # fmt: skip
    panels = []
    for name in dict.fromkeys(data["series"]):
        part = data[data["series"] == name]
        top = float(part["value"].max())
        y = alt.Y(
            "value:Q",
            scale=alt.Scale(domain=[0, 1.45 * max(top, 1.0)], nice=False),
            axis=alt.Axis(title=None, labelExpr="format(datum.value, ',~f')", tickCount=4),
        )
        bars = (
            alt.Chart(part)
            .mark_rect(color=theme.OURS.light)
            .encode(x=x, x2="to:T", y=y, y2=alt.Y2("zero:Q"))
            .properties(
                width=plot,
                height=height,
                title=alt.TitleParams(
                    f"{measure}, {name}", anchor="start", fontSize=12, fontWeight="normal"
                ),
            )
        )
        layers: list[Any] = [bars]
        if len(marks):
            line = alt.Chart(marks)
            layers.append(
                line.mark_rule(color=theme.STATED.light, strokeDash=[5, 3]).encode(x=alt.X("day:T"))
            )
            for turn in range(3):
                some = line.transform_filter(f"datum.line == {turn}")
                layers += stated_label(
                    some, "name:N", x=alt.X("day:T"), y=alt.value(16 + 14 * turn)
                )
        panels.append(alt.layer(*layers))
    return alt.vconcat(*panels, spacing=14)
