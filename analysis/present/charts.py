"""Chart builders: each takes a frame and a width in CSS pixels.

Labels stand above their row or beside their line instead of in a legend or a
wide axis, so that the same chart is legible at 680 and at 312 pixels.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from analysis.present import theme
from analysis.present.markup import clip, plain
from analysis.present.numbers import format_day, format_value

#: How a bare number of a unit is scaled and named on an axis.
_SCALES: Final[dict[str, tuple[float, str]]] = {
    "share": (100.0, "%"),
    "downloads": (1e-6, "million"),
    "users": (1e-6, "million"),
    "repositories": (1.0, ""),
    "ratio": (1.0, ""),
}

#: Point shapes of the grades: the chart's second channel beside colour.
_GRADE_SHAPES: Final = {
    "computed": "circle",
    "bounded": "stroke",
    "published": "diamond",
    "inferred": "triangle-up",
}

#: Letters of a name that stand at the end of a line at most.
_NAME: Final = 40


def scaled(values: pd.Series, unit: str) -> pd.Series:
    """Return values in the unit of the axis (per cent, millions, months since the year 0)."""
    if unit == "month":
        # Counted from the year 0, so that months lie evenly on an axis.
        days = pd.to_datetime(values, errors="coerce")
        return (days.dt.year * 12 + days.dt.month - 1 + (days.dt.day - 1) / 31).astype("float64")
    factor, _ = _SCALES.get(unit, (1.0, ""))
    return pd.to_numeric(values, errors="coerce").astype("float64") * factor


def _suffix(unit: str) -> str:
    word = _SCALES.get(unit, (1.0, ""))[1]
    return f" {word}" if word == "%" else ""


def axis_title(measure: str, unit: str) -> str:
    """Return an axis title with its unit, "30-day downloads (million)"."""
    word = _SCALES.get(unit, (1.0, ""))[1]
    return f"{measure} ({word})" if word and word != "%" else measure


def _axis(measure: str, unit: str, width: int, **settings: Any) -> alt.Axis:
    return alt.Axis(
        title=axis_title(measure, unit) or None,
        labelExpr=(
            "timeFormat(datetime(floor(datum.value / 12), datum.value % 12, 1), '%b %Y')"
            if unit == "month"
            # A share ends at 100 %, also where the axis has room above for the names of lines.
            else f"{'datum.value > 100 ? null : ' if unit == 'share' else ''}"
            f"format(datum.value, ',~f') + '{_suffix(unit)}'"
        ),
        tickCount=4 if width < 480 else 7,
        **settings,
    )


def _value_axis(measure: str, unit: str, width: int) -> alt.Axis:
    # Its title lies above the axis, not along it, so that nobody has to turn the head.
    return _axis(
        measure,
        unit,
        width,
        titleAngle=0,
        titleAlign="left",
        titleAnchor="end",
        titleX=-40,
        titleY=-14,
        minExtent=40,
    )


def interval_rows(
    frame: pd.DataFrame,
    width: int,
    *,
    unit: str,
    measure: str = "",
    mark: float | None = None,
    mark_label: str = "",
    limit: float | None = None,
) -> Any:
    """Draw one row a result: its hard bounds, its interval, its value.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``label``, ``value``, ``lower``, ``upper``, ``grade`` and, where
        there are wider bounds without assumption, ``hard_lower`` and
        ``hard_upper``; in the order to be drawn. Values in the table's unit.
    width : int
        CSS pixels.
    unit : str
        ``share``, ``downloads``, ``ratio`` or ``repositories``.
    measure : str
        Title of the axis.
    mark : float, optional
        A stated value, drawn as a line across all rows.
    mark_label : str
        What that line is.
    limit : float, optional
        Right end of the axis; bounds beyond it are cut there with an arrow.

    Returns
    -------
    altair chart
    """
    rows = pd.DataFrame(
        {
            "row": range(len(frame)),
            "label": [plain(text) for text in frame["label"]],
            "grade": list(frame["grade"]),
        }
    )
    for name in ("value", "lower", "upper", "hard_lower", "hard_upper"):
        source = frame[name] if name in frame else pd.Series([None] * len(frame))
        rows[name] = scaled(source.reset_index(drop=True), unit)
    # Where only a lower end is known, the bar runs out of the chart.
    open_end = rows["upper"].isna() & rows["lower"].notna() & rows["value"].isna()
    rows.loc[open_end, "upper"] = float("inf")
    top = float(
        rows[["value", "lower", "upper", "hard_upper"]]
        .replace(float("inf"), float("nan"))
        .max()
        .max()
    )
    marked = scaled(pd.Series([mark]), unit).iloc[0] if mark is not None else None
    end = scaled(pd.Series([limit]), unit).iloc[0] if limit is not None else top * 1.12
    if marked is not None and limit is None:
        end = max(end, marked * 1.12)
    for name in ("upper", "hard_upper"):
        rows[name] = rows[name].clip(upper=end)
    rows["text"] = [row_text(record, unit) for record in frame.to_dict("records")]
    rows[theme.TIP] = [
        theme.tip(label, text and f"{text} ({grade})", _without_assumption(record, unit))
        for label, text, grade, record in zip(
            rows["label"], rows["text"], rows["grade"], frame.to_dict("records"), strict=True
        )
    ]
    rows["text_at"] = rows[["value", "upper", "hard_upper"]].max(axis=1).fillna(0)
    # A value that would leave the chart on the right stands left of its bar, or, where the bar
    # begins near zero, on the line of the label.
    rows["text_from"] = rows[["value", "lower", "hard_lower"]].min(axis=1).fillna(0)
    room = 150 / (width - 20) * end
    crowded = rows["text_at"] > end - room
    rows["place"] = "right"
    rows.loc[crowded & (rows["text_from"] >= room), "place"] = "left"
    rows.loc[crowded & (rows["text_from"] < room), "place"] = "above"
    scale = alt.Scale(domain=[0, float(end)], nice=False)
    y = alt.Y("row:O", axis=None, scale=alt.Scale(padding=0))
    base = alt.Chart(rows).properties(width=width - 20, height=alt.Step(62 if width < 480 else 48))
    x = alt.X("lower:Q", scale=scale, axis=_axis(measure, unit, width))
    thin = base.mark_rule(strokeWidth=5, yOffset=10, color=theme.BAND.light).encode(
        x=alt.X("hard_lower:Q", scale=scale, title=None), x2="hard_upper:Q", y=y
    )
    # What others published has an ink of its own, and gaps for who does not see it.
    others = "datum.grade == 'published'"
    thick = base.transform_filter(f"!({others})").mark_rule(
        strokeWidth=5, yOffset=10, color=theme.OURS.light
    ).encode(x=x, x2="upper:Q", y=y)  # fmt: skip
    cited = base.transform_filter(others).mark_rule(
        strokeWidth=5, yOffset=10, color=theme.THEIRS.light, strokeDash=[9, 3]
    ).encode(x=x, x2="upper:Q", y=y)  # fmt: skip
    points = [
        base.transform_filter(f"datum.grade == '{grade}'")
        .mark_point(
            size=90,
            shape=_GRADE_SHAPES[grade],
            filled=grade in ("computed", "inferred"),
            fill=theme.PAGE.light if grade == "published" else theme.OURS.light,
            stroke=theme.THEIRS.light if grade == "published" else theme.OURS.light,
            strokeWidth=2,
            yOffset=10,
            angle=90 if grade == "bounded" else 0,
        )
        .encode(x=alt.X("value:Q", scale=scale), y=y)
        for grade in _GRADE_SHAPES
        if grade in set(frame["grade"])
    ]
    # On a ground in the colour of the page, so that no line crosses the words and figures.
    ground: dict[str, Any] = {"stroke": theme.PAGE.light, "strokeWidth": 4}
    names = base.mark_text(align="left", baseline="bottom", dy=-3, **ground).encode(
        x=alt.value(0), y=y, text="label:N"
    )
    values = [
        base.transform_filter("datum.place == 'right'")
        .mark_text(align="left", dx=9, yOffset=10, **ground)
        .encode(x=alt.X("text_at:Q", scale=scale), y=y, text="text:N"),
        base.transform_filter("datum.place == 'left'")
        .mark_text(align="right", dx=-9, yOffset=10, **ground)
        .encode(x=alt.X("text_from:Q", scale=scale), y=y, text="text:N"),
        base.transform_filter("datum.place == 'above'")
        .mark_text(
            align="right",
            baseline="top" if width < 480 else "bottom",
            dy=16 if width < 480 else -3,
            **ground,
        )
        .encode(x=alt.value(width - 20), y=y, text="text:N"),
    ]
    bars = [thick, cited] if "published" in set(frame["grade"]) else [thick]
    layers = [thin, *bars, *points, names, *values]
    if marked is not None:
        line = alt.Chart(pd.DataFrame({"at": [marked], "what": [mark_label]}))
        place = alt.X("at:Q", scale=scale)
        layers.insert(
            0, line.mark_rule(color=theme.STATED.light, strokeDash=[5, 3]).encode(x=place)
        )
        layers.append(
            line.mark_text(
                color=theme.STATED.light,
                align="left" if marked < end * 0.6 else "right",
                baseline="bottom",
                dx=-4 if marked >= end * 0.6 else 4,
                dy=-4,
            ).encode(x=place, y=alt.value(0), text="what:N")
        )
    return alt.layer(*layers)


def _without_assumption(record: dict[Any, Any], unit: str) -> str:
    """Return the wider bounds of a row in words, where it has some that are wider."""
    hard = {"lower": record.get("hard_lower"), "upper": record.get("hard_upper")}
    words = row_text({"value": None, **hard}, unit)
    own = row_text({**record, "value": None}, unit)
    return f"without any assumption: {words}" if words and words != own else ""


def row_text(record: dict[Any, Any], unit: str) -> str:
    """Return the text beside a row: its value, or its interval where it has one."""
    value = record.get("value")
    lower, upper = record.get("lower"), record.get("upper")
    known = [
        x is not None and x == x and abs(float(x)) != float("inf") for x in (value, lower, upper)
    ]
    # "0 to 12 %" says no more than "at most 12 %".
    known[1] = known[1] and (known[0] or float(lower) > 0)  # type: ignore[arg-type]
    if known[0] and known[1] and upper == float("inf"):
        return f"at least {format_value(float(lower), unit)}"  # type: ignore[arg-type]
    if known[0] and not (known[1] and known[2] and lower != upper):
        return format_value(float(value), unit)  # type: ignore[arg-type]
    low = format_value(float(lower), unit) if known[1] else ""  # type: ignore[arg-type]
    high = format_value(float(upper), unit) if known[2] else ""  # type: ignore[arg-type]
    if low and high:
        stem, _, end = low.rpartition("\u00a0")
        low = stem if stem and high.endswith(end) else low
        return f"{low} to {high}"
    return f"at most {high}" if high else f"at least {low}" if low else ""


def time_lines(
    frame: pd.DataFrame,
    width: int,
    *,
    unit: str,
    measure: str,
    mark: float | None = None,
    mark_label: str = "",
    span: tuple[str, str] | None = None,
    span_label: str = "",
    height: int = 280,
    points: bool = True,
) -> Any:
    """Draw series over time, each with its own colour, dash, shape and name.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``day`` (text ``YYYY-MM-DD`` or ``YYYY-MM``), ``series`` (a
        family id or any other name) and ``value``; optional ``lower`` and
        ``upper``.
    width : int
        CSS pixels.
    unit, measure : str
        As in :func:`interval_rows`.
    mark, mark_label
        A stated value, drawn as a horizontal line.
    span, span_label
        Days between which something was said to happen, drawn as a band.
    height : int
        CSS pixels of the plot.
    points : bool
        Whether each reading is drawn as a point.

    Returns
    -------
    altair chart
    """
    data = frame[["day", "series", "value"]].copy()
    data["day"] = [str(day) if len(str(day)) > 7 else f"{day}-15" for day in data["day"]]
    for name in ("value", "lower", "upper"):
        if name in frame:
            data[name] = scaled(frame[name], unit)
    data["series"] = [clip(name, _NAME) for name in data["series"]]
    names = list(dict.fromkeys(data["series"]))
    looks = theme.looks(names)
    labels = {name: look.label or name for name, look in zip(names, looks, strict=True)}
    data["label"] = data["series"].map(labels)
    data[theme.TIP] = [
        theme.tip(label, format_day(str(record["day"])), _reading(record, unit))
        for label, record in zip(data["label"], frame.to_dict("records"), strict=True)
    ]
    domain = [labels[name] for name in names]
    lines = {label: _wrapped(label, 15 if width < 480 else 26) for label in domain}
    room = 20 + round(7 * max(len(part) for text in lines.values() for part in text.split("\n")))
    plot = width - 46 - room
    colour = alt.Color(
        "label:N", legend=None, scale=alt.Scale(domain=domain, range=[k.ink.light for k in looks])
    )
    dash = alt.StrokeDash(
        "label:N", legend=None, scale=alt.Scale(domain=domain, range=[list(k.dash) for k in looks])
    )
    shape = alt.Shape(
        "label:N", legend=None, scale=alt.Scale(domain=domain, range=[k.shape for k in looks])
    )
    x = alt.X(
        "day:T",
        axis=alt.Axis(
            title=None,
            format="%b %Y",
            grid=False,
            tickCount=3 if width < 480 else 6,
            labelOverlap=True,
            labelSeparation=8,
        ),
    )
    y = alt.Y("value:Q", axis=_value_axis(measure, unit, width))
    base = alt.Chart(data).properties(width=plot, height=height)
    layers: list[Any] = []
    if span is not None:
        band = alt.Chart(pd.DataFrame({"from": [span[0]], "to": [span[1]], "what": [span_label]}))
        layers.append(
            band.mark_rect(color=theme.GRID.light).encode(x=alt.X("from:T"), x2=alt.X2("to:T"))
        )
        layers.append(
            band.mark_text(
                align="left", baseline="top", dx=3, dy=3, color=theme.STATED.light
            ).encode(x=alt.X("from:T"), y=alt.value(0), text="what:N")
        )
    if "lower" in data:
        layers.append(
            base.mark_rule(strokeWidth=3, opacity=0.45).encode(
                x=x, y=alt.Y("lower:Q"), y2="upper:Q", color=colour
            )
        )
    layers.append(base.mark_line().encode(x=x, y=y, color=colour, strokeDash=dash))
    if points:
        layers.append(
            base.mark_point(size=34, filled=True).encode(x=x, y=y, color=colour, shape=shape)
        )
    known = data.dropna(subset=["value"])
    last = known.sort_values(["label", "day"]).groupby("label", sort=True).tail(1).copy()
    last["text"] = last["label"].map(lines)
    last["at"] = _apart(
        last["value"].tolist(),
        float(data.select_dtypes("number").max().max()),
        height,
        1 + max(text.count("\n") for text in lines.values()),
    )
    layers.append(
        alt.Chart(last)
        .mark_text(align="left", dx=8, lineBreak="\n", baseline="middle")
        .encode(x=x, y=alt.Y("at:Q"), text="text:N", color=colour)
    )
    if mark is not None:
        at = scaled(pd.Series([mark]), unit).iloc[0]
        line = alt.Chart(pd.DataFrame({"at": [at], "what": [mark_label]}))
        layers.append(line.mark_rule(color=theme.STATED.light, strokeDash=[5, 3]).encode(y="at:Q"))
        layers += stated_label(line, "what:N", x=alt.value(0), y=alt.Y("at:Q"))
    return alt.layer(*layers)


def _reading(record: dict[Any, Any], unit: str) -> str:
    """Return a reading in words: its value and, where it has one, its interval."""
    lower, upper = record.get("lower"), record.get("upper")
    value = row_text({"value": record.get("value")}, unit)
    within = row_text({"value": None, "lower": lower, "upper": upper}, unit)
    return f"{value} ({within})" if value and within and lower != upper else value or within


def _wrapped(label: str, width: int) -> str:
    # Only what is no word of any language is broken inside.
    endless = max(map(len, label.split()), default=0) > _NAME
    return "\n".join(textwrap.wrap(label, width, break_long_words=endless)) or label


def stated_label(line: Any, label: str, **places: Any) -> list[Any]:
    """Return the label of a stated value, on a ground of its own so that lines do not cross it."""
    text: dict[str, Any] = {"align": "left", "baseline": "bottom", "dx": 3, "dy": -3}
    ground: dict[str, Any] = {
        "stroke": theme.PAGE.light,
        "strokeWidth": 4,
        "color": theme.PAGE.light,
    }
    return [
        line.mark_text(**text, **ground).encode(**places, text=label),
        line.mark_text(**text, color=theme.STATED.light).encode(**places, text=label),
    ]


def _apart(values: Sequence[float], top: float, height: int, lines: int = 1) -> list[float]:
    """Return label positions moved apart until no two overlap."""
    gap = 15 * lines * max(top, 1e-9) / height
    order = sorted(range(len(values)), key=lambda i: values[i])
    placed: dict[int, float] = {}
    previous = float("-inf")
    for i in order:
        previous = max(values[i], previous + gap)
        placed[i] = previous
    return [placed[i] for i in range(len(values))]


def bound_area(
    frame: pd.DataFrame,
    width: int,
    *,
    unit: str,
    measure: str,
    mark: float | None = None,
    mark_label: str = "",
    height: int = 240,
    published: bool = False,
) -> Any:
    """Draw an upper bound day by day: what lies above it is excluded.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns ``day`` and ``upper``; optional ``value`` (drawn as points
        below the bound) and ``lower``.
    width, unit, measure, mark, mark_label, height
        As in :func:`time_lines`.
    published : bool
        The bounds are others', and drawn in their ink.

    Returns
    -------
    altair chart
    """
    data = pd.DataFrame({"day": [str(day) for day in frame["day"]]})
    data["upper"] = scaled(frame["upper"].reset_index(drop=True), unit)
    data["lower"] = scaled(frame["lower"].reset_index(drop=True), unit) if "lower" in frame else 0.0
    data[theme.TIP] = [
        theme.tip(format_day(str(record["day"])), _reading({**record, "value": None}, unit))
        for record in frame.to_dict("records")
    ]
    base = alt.Chart(data).properties(width=width - 60, height=height)
    at = float(scaled(pd.Series([mark]), unit).iloc[0]) if mark is not None else 0.0
    # Room above the highest thing for the name of its line.
    ceiling = alt.Scale(domain=[0, 1.14 * max(at, float(data["upper"].max()))], nice=False)
    x = alt.X(
        "day:T",
        axis=alt.Axis(
            title=None, format="%b %Y", grid=False, tickCount=3 if width < 480 else 6,
            labelOverlap=True,
        ),
    )  # fmt: skip
    y = alt.Y("upper:Q", scale=ceiling, axis=_value_axis(measure, unit, width))
    layers: list[Any] = [
        base.mark_rule(
            strokeWidth=4, color=theme.RULE.light if published else theme.BAND.light
        ).encode(x=x, y=alt.Y("lower:Q"), y2="upper:Q"),
        base.mark_point(
            size=26,
            filled=True,
            shape="diamond" if published else "circle",
            color=theme.THEIRS.light if published else theme.OURS.light,
        ).encode(x=x, y=y),
    ]
    if mark is not None:
        line = alt.Chart(pd.DataFrame({"at": [at], "what": [mark_label]}))
        layers.append(line.mark_rule(color=theme.STATED.light, strokeDash=[5, 3]).encode(y="at:Q"))
        layers += stated_label(line, "what:N", x=alt.value(0), y=alt.Y("at:Q"))
    return alt.layer(*layers)
