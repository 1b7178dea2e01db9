"""Specification curves: every declared way to compute a claim, side by side.

Above, the results sorted by value, each with its interval, against the stated
value; below, the choices that lead to each. After Simonsohn, Simmons and
Nelson (2020), "Specification curve analysis".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.charts import _axis, row_text, scaled
from analysis.present.charts import stated_label as named_line
from analysis.present.markup import plain
from analysis.present.numbers import format_day

#: What a result says of the claim: mark shape and whether it is filled.
HOLDS: Final = {
    "yes": ("circle", True, theme.OURS.light),
    "no": ("circle", False, theme.OURS.light),
    "undetermined": ("diamond", False, theme.QUIET.light),
}
#: Ratios and counts that span more than this are drawn on a logarithmic axis, which for ratios
#: ends at 1 : 100.
#: Width of a letter, about: a name of the line that is too long for the picture is cut.
_LETTER: Final = 6.7
_WIDE_RATIO: Final = 20
_LOGARITHMIC: Final = ("ratio", "derivatives", "repositories")
_LEAST_RATIO: Final = 0.01
_WORDS: Final = {
    "yes": "it holds",
    "no": "it does not hold",
    "undetermined": "the data leave it open",
}


def worded(names: Mapping[str, str], dimension: str, choice: str | None = None) -> str:
    """Return the words for a dimension, or for one of its choices."""
    if choice is None:
        return names.get(dimension, dimension.replace("_", " "))
    # A day reads as everywhere else in the book.
    return names.get(f"{dimension}={choice}", format_day(plain(choice)))


def choices(frame: pd.DataFrame, dimensions: Sequence[str]) -> list[str]:
    """Return the dimensions in which the specifications really differ."""
    found: list[str] = []
    for name in dimensions:
        if name not in frame or frame[name].nunique(dropna=False) < 2:
            continue
        pairs = [len(frame[[name, other]].drop_duplicates()) for other in found]
        sizes = [frame[other].nunique(dropna=False) for other in found]
        # The day of a month, say, repeats another choice and is none of its own.
        if not any(
            a == b == frame[name].nunique(dropna=False) for a, b in zip(pairs, sizes, strict=True)
        ):
            found.append(name)
    return found


def ordered(frame: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return specifications sorted by value; an interval stands for its middle.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``value``, ``lower``, ``upper`` and the choices.
    unit : str
        Unit of the values.

    Returns
    -------
    pandas.DataFrame
        The same rows, sorted, with ``rank`` from 1 and ``_middle`` in the unit of the axis.
    """
    data = frame.copy()
    value, lower, upper = (scaled(data[name], unit) for name in ("value", "lower", "upper"))
    data["_middle"] = value.fillna((lower.fillna(upper) + upper.fillna(lower)) / 2)
    text = [
        c
        for c in data.columns
        if data[c].dtype == object or str(data[c].dtype) in ("string", "str")
    ]
    data = data.sort_values(["_middle", *text], kind="stable", na_position="last")
    data = data.reset_index(drop=True)
    data["rank"] = range(1, len(data) + 1)
    return data


def _decades(bottom: float, top: float) -> list[float]:
    """Return round places on a logarithmic axis: powers of ten, and between few of them 2 and 5."""
    steps = (1,) if top / bottom > 1000 else (1, 2, 5)
    powers = range(math.floor(math.log10(bottom)), math.ceil(math.log10(top)) + 1)
    every = [step * 10.0**power for power in powers for step in steps]
    return [place for place in every if bottom <= place <= top]


def specification_curve(
    frame: pd.DataFrame,
    width: int,
    *,
    unit: str,
    stated: float | None,
    stated_label: str,
    dimensions: Sequence[str],
    measure: str = "",
    names: Mapping[str, str] | None = None,
) -> Any:
    """Draw a specification curve.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a specification: ``value``, ``lower``, ``upper``, ``holds``
        (yes, no, undetermined), ``is_article`` and a column a dimension.
    width : int
        CSS pixels.
    unit : str
        As in :func:`analysis.present.charts.interval_rows`.
    stated : float, optional
        The claim's value, drawn as a line.
    stated_label : str
        Name of that line.
    dimensions : sequence of str
        Columns that hold the choices; only those that vary are drawn.
    measure : str
        Title of the upper axis.
    names : mapping, optional
        Words for dimensions (``"missing"``) and for their choices
        (``"missing=absent"``); what is not in it is shown as it is.

    Returns
    -------
    altair chart
    """
    data = ordered(frame, unit)
    data[theme.TIP] = _tips(data, unit, choices(data, dimensions), names or {})
    for name in ("value", "lower", "upper"):
        data[name] = scaled(data[name], unit)
    data["article"] = data["is_article"].astype(bool)
    narrow = width < 480
    left = 44 if narrow else 190
    plot = width - left - 12
    x_scale = alt.Scale(domain=[0.3, len(data) + 0.7], nice=False)
    x = alt.X("rank:Q", scale=x_scale, axis=None)
    keep = ["rank", "value", "lower", "upper", "_middle", "holds", "article", theme.TIP]
    upper_data = data[keep].rename(columns={"_middle": "middle"})
    finite = upper_data[["value", "lower", "upper", "middle"]].replace(
        [float("inf"), float("-inf")], float("nan")
    )
    line_at = scaled(pd.Series([stated]), unit).iloc[0] if stated is not None else None
    top = max(float(finite.max().max()), line_at or 0.0) * 1.08
    bottom = 0.0
    if unit == "month":
        bottom, top = float(finite.min().min()) - 1, float(finite.max().max()) + 1
    upper_data["endless"] = upper_data["middle"] == float("inf")
    for name in ("lower", "upper", "middle"):
        upper_data[name] = upper_data[name].clip(upper=top)
    y_scale = alt.Scale(domain=[bottom, top], nice=False)
    ticks: dict[str, Any] = {}
    lowest = float(upper_data["middle"].where(upper_data["middle"] > 0).min())
    if unit in _LOGARITHMIC and top > _WIDE_RATIO * lowest:
        # Half as much and twice as much are the same distance from one.
        bottom = max(lowest / 1.5, _LEAST_RATIO)
        top = min(top, 1 / _LEAST_RATIO) if unit == "ratio" else top
        for name in ("lower", "upper", "middle"):
            upper_data[name] = upper_data[name].clip(lower=bottom, upper=top)
        y_scale = alt.Scale(type="log", domain=[bottom, top], nice=False)
        ticks = {"values": _decades(bottom, top)}
    y_axis = _axis(
        measure, unit, width, titleAngle=0, titleAlign="left", titleAnchor="end",
        titleX=-left + 4, titleY=-14, minExtent=left, maxExtent=left, **ticks,
    )  # fmt: skip
    base = alt.Chart(upper_data).properties(width=plot, height=210)
    thin = max(1.0, min(5.0, plot / len(data) * 0.5))
    layers: list[Any] = [
        base.mark_rule(strokeWidth=thin, color=theme.BAND.light).encode(
            x=x, y=alt.Y("lower:Q", scale=y_scale, axis=y_axis), y2="upper:Q"
        )
    ]
    size = max(10.0, min(60.0, (plot / len(data)) ** 2 * 0.6))
    for holds, (shape, filled, colour) in HOLDS.items():
        layers.append(
            base.transform_filter(f"datum.holds == '{holds}' && !datum.endless")
            .mark_point(
                shape=shape, size=size, stroke=colour, strokeWidth=1.4,
                fill=colour if filled else theme.PAGE.light,
            )
            .encode(x=x, y=alt.Y("middle:Q", scale=y_scale))
        )  # fmt: skip
    layers.append(
        base.transform_filter("datum.endless")
        .mark_point(shape="triangle-up", size=size, filled=False, color=theme.QUIET.light)
        .encode(x=x, y=alt.Y("middle:Q", scale=y_scale))
    )
    article = base.transform_filter("datum.article")
    layers.append(
        article.mark_point(
            shape="circle", size=size * 3.2, fill=None, stroke=theme.STATED.light, strokeWidth=2
        ).encode(x=x, y=alt.Y("middle:Q", scale=y_scale))
    )
    if line_at is not None:
        if len(stated_label) * _LETTER > plot:
            stated_label = stated_label.partition(":")[0]
        line = alt.Chart(pd.DataFrame({"at": [line_at], "what": [stated_label]}))
        layers.append(
            line.mark_rule(color=theme.STATED.light, strokeDash=[5, 3]).encode(
                y=alt.Y("at:Q", scale=y_scale)
            )
        )
        layers += named_line(line, "what:N", x=alt.value(0), y=alt.Y("at:Q", scale=y_scale))
    curve = alt.layer(*layers)
    drawn = choices(data, dimensions)
    if not drawn:
        return curve
    return alt.vconcat(curve, _matrix(data, drawn, x, plot, left, narrow, names or {}), spacing=10)


def _result(record: dict[Any, Any], unit: str) -> str:
    """Return what a specification finds, in words."""
    if unit != "month":
        return row_text(record, unit)
    ends = [record[name] for name in ("lower", "upper")]
    known = [record["value"]] if not pd.isna(record["value"]) else ends
    return " to ".join(dict.fromkeys(format_day(str(end)) for end in known if not pd.isna(end)))


def _tips(
    data: pd.DataFrame, unit: str, drawn: Sequence[str], names: Mapping[str, str]
) -> list[str]:
    """Say for each specification what it finds, what that means, and its choices."""
    said = []
    for record in data.to_dict("records"):
        result = _result(record, unit) or "not known"
        own = "the article's reading, " if record["is_article"] else ""
        of = [
            f"{worded(names, name)}: "
            + worded(names, name, "none" if pd.isna(record[name]) else str(record[name]))
            for name in drawn
        ]
        meaning = _WORDS.get(str(record["holds"]), "")
        said.append(theme.tip(result, own + meaning, "; ".join(of)))
    return said


def _matrix(
    data: pd.DataFrame,
    drawn: Sequence[str],
    x: Any,
    plot: int,
    left: int,
    narrow: bool,
    names: Mapping[str, str],
) -> Any:
    rows: list[dict[str, object]] = []
    marks: list[pd.DataFrame] = []
    own_ranks: list[dict[str, int]] = []
    for name in drawn:
        rows.append({"row": len(rows), "label": worded(names, name), "head": True})
        for option in sorted(data[name].fillna("none").astype(str).unique()):
            here = data.loc[data[name].fillna("none").astype(str) == option, ["rank", "article"]]
            own_ranks += [{"rank": r, "row": len(rows)} for r in here.loc[here["article"], "rank"]]
            marks.append(_runs(here["rank"]).assign(row=len(rows)))
            rows.append({"row": len(rows), "label": worded(names, name, option), "head": False})
    labels = pd.DataFrame(rows)
    step = 30 if narrow else 18
    order = list(labels["row"])
    y = alt.Y("row:O", sort=order, axis=None, scale=alt.Scale(domain=order, padding=0))
    box = {"width": plot, "height": step * len(labels)}
    tick = max(1.0, min(9.0, plot / len(data) * 0.6))
    down = 8 if narrow else 0
    # A bar from half a tick before the first to half a tick after the last of a run.
    half = tick / 2 / (plot / (len(data) + 0.4))
    points = pd.concat(marks, ignore_index=True)
    points["rank"], points["to"] = points["first"] - half, points["last"] + half
    used = (
        alt.Chart(points[["rank", "to", "row"]])
        .mark_bar(height=10, yOffset=down, color=theme.QUIET.light)
        .encode(x=x, x2="to:Q", y=y)
        .properties(**box)
    )
    own = (
        alt.Chart(pd.DataFrame(own_ranks, columns=["rank", "row"]))
        .mark_tick(orient="vertical", thickness=max(tick, 3), size=14, yOffset=down,
                   color=theme.STATED.light)
        .encode(x=x, y=y)
    )  # fmt: skip
    text = alt.Chart(labels).encode(x=alt.value(-left + 2), y=y, text="label:N")
    options = text.transform_filter("!datum.head").mark_text(
        align="left", dx=0 if narrow else 10, dy=-6 if narrow else 0
    )
    heads = text.transform_filter("datum.head").mark_text(
        align="left", fontWeight="bold", color=theme.QUIET.light, dy=4 if narrow else 0
    )
    return alt.layer(used, own, options, heads)


def _runs(ranks: pd.Series) -> pd.DataFrame:
    """Put ranks that follow on together: one bar is drawn for many ticks.

    Returns
    -------
    pandas.DataFrame
        ``first`` and ``last`` rank of each run.
    """
    ordered = ranks.sort_values()
    groups = ordered.groupby((ordered.diff() != 1).cumsum())
    return pd.DataFrame({"first": groups.min(), "last": groups.max()}).reset_index(drop=True)


def sentence(frame: pd.DataFrame, stated_label: str) -> str:
    """Return what a specification curve shows, in words.

    Parameters
    ----------
    frame : pandas.DataFrame
        As in :func:`specification_curve`.
    stated_label : str
        The stated value in words.
    """
    counts = frame["holds"].value_counts()
    parts = [f"in {int(counts[key])} {word}" for key, word in _WORDS.items() if key in counts]
    return f"{len(frame)} specifications against {stated_label}: {', '.join(parts)}."
