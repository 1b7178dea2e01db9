"""Statements of a figure along a time axis, a lane a figure, lines where one repeats another."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.markup import plain
from analysis.present.numbers import format_day

#: CSS pixels of a lane: two lines of words above, the line of statements below.
_LANE: Final = 62
_BELOW: Final = 14


def lanes(frame: pd.DataFrame, lines: pd.DataFrame, width: int, *, since: str, until: str) -> Any:
    """Draw one lane a figure: a mark a statement, a line a repetition.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``lane`` (its title), ``words`` (a second line, the same for the whole lane),
        ``first`` and ``last`` (ISO days between which a statement was made; drawn as a bar where
        they differ) and ``kind``: ``said``, ``apart`` (hollow) or ``article``. In the order to be
        drawn.
    lines : pandas.DataFrame
        Columns ``lane``, ``from``, ``to`` (ISO days) and ``sure`` (whether a text documents the
        repetition; dashed otherwise).
    width : int
        CSS pixels.
    since, until : str
        Ends of the time axis (ISO days); what lies before is drawn at its left end as an arrow.

    Returns
    -------
    altair chart
    """
    order = list(dict.fromkeys(frame["lane"]))
    start, end = pd.Timestamp(since), pd.Timestamp(until)

    def middle(first: Any, last: Any) -> pd.Timestamp:
        low, high = pd.Timestamp(first), pd.Timestamp(last)
        return max(low + (high - low) / 2, start)

    marks = pd.DataFrame(
        {
            "lane": [order.index(name) for name in frame["lane"]],
            "at": [
                middle(a, b).isoformat()
                for a, b in zip(frame["first"], frame["last"], strict=True)
            ],
            "first": [max(pd.Timestamp(day), start).isoformat() for day in frame["first"]],
            "last": [max(pd.Timestamp(day), start).isoformat() for day in frame["last"]],
            "kind": [
                "before" if pd.Timestamp(last) < start else kind
                for last, kind in zip(frame["last"], frame["kind"], strict=True)
            ],
            theme.TIP: [
                theme.tip(lane, " to ".join(dict.fromkeys(map(format_day, map(str, days)))))
                for lane, *days in zip(frame["lane"], frame["first"], frame["last"], strict=True)
            ],
        }
    )  # fmt: skip
    ties = pd.DataFrame(
        {
            "lane": [order.index(name) for name in lines["lane"]],
            "from": [max(pd.Timestamp(day), start).isoformat() for day in lines["from"]],
            "to": [pd.Timestamp(day).isoformat() for day in lines["to"]],
            "sure": [bool(sure) for sure in lines["sure"]],
        }
    )
    titles = frame.drop_duplicates("lane")
    names = pd.DataFrame(
        {
            "lane": range(len(order)),
            "title": [plain(text) for text in titles["lane"]],
            "words": [plain(text) for text in titles["words"]],
        }
    )
    room = width - 26
    scale = alt.Scale(domain=[start.isoformat(), end.isoformat()])
    axis = alt.Axis(
        title=None, format="%b %Y", grid=True, tickCount=3 if width < 480 else 6,
        labelOverlap=True, labelSeparation=8,
    )  # fmt: skip
    y = alt.Y("lane:O", axis=None, scale=alt.Scale(padding=0))
    base = alt.Chart(marks).properties(width=room, height=alt.Step(_LANE))
    place: dict[str, Any] = {"yOffset": _BELOW}
    x = alt.X("at:T", scale=scale, axis=axis)
    layers: list[Any] = [
        base.transform_filter("datum.first != datum.last")
        .mark_rule(strokeWidth=5, color=theme.BAND.light, **place)
        .encode(x=alt.X("first:T", scale=scale, axis=axis), x2="last:T", y=y)
    ]
    for sure, dash in ((True, []), (False, [4, 3])):
        if len(ties[ties["sure"] == sure]):
            layers.append(
                alt.Chart(ties[ties["sure"] == sure])
                .mark_rule(
                    strokeWidth=2, strokeDash=dash or [1, 0], color=theme.OURS.light, **place
                )
                .encode(x=alt.X("from:T", scale=scale), x2="to:T", y=y)
            )
    settings: dict[str, dict[str, Any]] = {
        "apart": {
            "shape": "diamond",
            "fill": theme.PAGE.light,
            "stroke": theme.THEIRS.light,
        },
        "before": {
            "shape": "triangle-left",
            "fill": theme.PAGE.light,
            "stroke": theme.THEIRS.light,
        },
        "said": {"shape": "circle", "fill": theme.OURS.light, "stroke": theme.PAGE.light},
        "article": {"shape": "square", "fill": theme.STATED.light, "stroke": theme.PAGE.light},
    }
    for kind, look in settings.items():
        if (marks["kind"] == kind).any():
            layers.append(
                base.transform_filter(f"datum.kind == '{kind}'")
                .mark_point(size=80, opacity=1, strokeWidth=1.6, **look, **place)
                .encode(x=x, y=y)
            )
    words = alt.Chart(names)
    ground: dict[str, Any] = {"stroke": theme.PAGE.light, "strokeWidth": 4}
    for field, above, ink in (("title", -12, theme.TEXT), ("words", 3, theme.QUIET)):
        text: dict[str, Any] = {"align": "left", "baseline": "bottom", "dy": above}
        for more in (ground | {"color": theme.PAGE.light}, {"color": ink.light}):
            layers.append(
                words.mark_text(**text, **more).encode(x=alt.value(0), y=y, text=f"{field}:N")
            )
    return alt.layer(*layers)
