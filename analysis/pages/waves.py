"""What the pages on waves of derivatives around releases call: finished figures and tables."""

from __future__ import annotations

import pandas as pd

from analysis import pages, tables
from analysis.present import charts, events, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph
from analysis.present.tables import Column, table

_CLAIM = "release-waves"
_BULK = {"in": "as counted", "out": "without bulk uploads"}


def _own() -> pd.Series:
    """Return the claim's own reading, as its table of specifications holds it."""
    return tables.specifications(_CLAIM).iloc[0]


def _largest(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return the row with the largest value of a column, the first of equals."""
    return frame.sort_values(column, ascending=False, kind="stable").iloc[0]


def reach() -> Html:
    """Return what so few releases can show at all, and what one counter-example does to "each"."""
    frame, own = tables.specifications(_CLAIM), _own()
    most = int(frame["releases"].max())
    same = frame[
        (frame["source"] == own["source"])
        & (frame["scope"] == own["scope"])
        & (frame["window"].astype("str") == str(own["window"]))
        & (frame["events"] == own["events"])
        & (frame["test"] == "more")
    ].set_index("bulk")

    def without(bulk: str) -> list[str]:
        told = same.loc[bulk, "without_a_wave"]
        return [] if pd.isna(told) or not told else str(told).split(", ")

    whole, calm = without("in"), without("out")
    strict = Html(" No generation that was tried is without a rise.")
    if whole:
        rest = (
            join(["Without bulk uploads it did not rise after ", numbers.listed(calm), "."])
            if calm
            else "Without bulk uploads the number rose after all of them."
        )
        one = (
            " A strict reading of each falls to one release without a rise. With bulk uploads "
            "counted there is such a release: "
        )
        fewer = (
            " brought fewer after it than before, the derivatives of a month spread evenly over "
            "its days. "
        )
        strict = join([one, numbers.listed(whole), fewer, rest])
    return paragraph(
        "By the article's own reading ",
        numbers.count(int(own["waves"]), "computed"),
        f" of {int(own['releases'])} generations were followed by a wave, ",
        numbers.value(float(own["value"]), "share", "computed"),
        "; as a sample of all releases they allow ",
        numbers.interval(float(own["lower"]), float(own["upper"]), "share", "bounded"),
        ". At most ",
        numbers.count(most, "computed"),
        " releases can be tried under any choice, and even if a wave followed every one of them, "
        "the interval would lie above nine in ten only from ",
        numbers.count(int(own["needed"]), "computed"),
        " on. So "
        + (
            "no specification can say yes: these data can refute the claim or leave it open."
            if most < own["needed"]
            else "some specifications could say yes."
        ),
        strict,
    )


def months() -> Html:
    """Return Qwen's new derivatives by month, with the days of its generations."""
    frame = tables.load("wave_months")
    own = frame[(frame["source"] == "counts") & (frame["family"] == "Qwen") & frame["whole"]]
    rows = own.assign(series=own["bulk"].map(_BULK), value=own["derivatives"])
    rows = rows.reset_index(drop=True)
    found = tables.load("wave_releases")
    days = found[(found["family"] == "Qwen") & found["generation"]]
    days = days[["day", "release"]].drop_duplicates().rename(columns={"release": "name"})
    top, calm = (_largest(rows[rows["series"] == name], "value") for name in _BULK.values())
    told = "; ".join(
        f"{name}: " + ", ".join(
            f"{numbers.format_day(r['month'])} {numbers.format_count(r['value'])}"
            for r in part.to_dict("records")
        )
        for name, part in rows.groupby("series", sort=False)
    )  # fmt: skip
    return figure(
        lambda width: events.month_bars(
            rows, width, events=days, measure="New derivatives a month"
        ),
        id="release-waves-months",
        title=(
            f"The largest wave, {numbers.format_count(top['value'])} in "
            f"{numbers.format_day(top['month'])}, hangs on bulk uploads; without them the most "
            f"is {numbers.format_count(calm['value'])} in {numbers.format_day(calm['month'])}"
        ),
        subtitle=(
            "New derivatives of the Qwen family a month, counted in February 2025; lines: days on "
            "which generations came out"
        ),
        alt=f"New derivatives of Qwen by month. {told}.",
        data=rows[["month", "series", "value"]],
        columns=[
            Column("month"),
            Column("series", "bulk uploads"),
            Column("value", "new derivatives", "derivatives"),
        ],
        note="The source counts by month since each base's release; the months here spread those "
        "evenly over days and end with the last that is counted in full. Other pages place them "
        "otherwise, so that single months differ. The panels have scales of their own.",
        **pages._behind(_CLAIM),
    )


def releases(window: int = 2, bulk: str = "out") -> Html:
    """Return how much derivatives rose after each generation, for every family.

    Parameters
    ----------
    window : int
        Months before and after.
    bulk : str
        ``in`` or ``out``: whether bases named as bulk uploads count.
    """
    frame = tables.load("wave_releases")
    rows = frame[
        (frame["source"] == "counts")
        & frame["generation"]
        & (frame["window"] == window)
        & (frame["bulk"] == bulk)
        & frame["ratio"].notna()
    ]
    rows = rows.sort_values(["family", "day"], kind="stable").reset_index(drop=True)
    data = pd.DataFrame(
        {
            "label": [
                f"{r['release']} ({numbers.format_day(str(r['day']))})"
                for r in rows.to_dict("records")
            ],
            "value": rows["ratio"],
            "lower": rows["ratio_lower"],
            "upper": rows["ratio_upper"],
            "before": rows["before"],
            "after": rows["after"],
            "rank": rows["rank"],
            "grade": rows["grade"],
        }
    )
    own = rows[rows["family"] == "Qwen"]
    high, best = _largest(own, "rank"), _largest(rows, "rank")
    told = "; ".join(
        f"{r['label']} {numbers.format_ratio(r['value'])}, above "
        f"{numbers.format_percent(r['rank'], 0)} of other days"
        for r in data.to_dict("records")
    )
    return figure(
        lambda width: charts.interval_rows(
            data, width, unit="ratio", measure="after over before", mark=1.0,
            mark_label="no change",
        ),
        id=f"release-waves-ratios-{window}-{bulk}",
        title=(
            f"{best['release']} stands out most, above "
            f"{numbers.format_percent(best['rank'], 0)} of other days; of Qwen's generations "
            f"{high['release']}, above {numbers.format_percent(high['rank'], 0)}"
        ),
        subtitle=(
            f"New derivatives of the family in the {window} months after a new generation over "
            f"those in the {window} before, bulk uploads "
            f"{'left out' if bulk == 'out' else 'in'}, counts of February 2025"
        ),
        alt=f"After over before. {told}.",
        data=data,
        columns=[
            Column("label", "generation"),
            Column("value", "after over before", "ratio"),
            Column("lower", "at least", "ratio"),
            Column("upper", "at most", "ratio"),
            Column("before", unit="derivatives"),
            Column("after", unit="derivatives"),
            Column("rank", "above so many other days", "share"),
            Column("grade"),
        ],
        note="Bar: what the months of the source leave open, as it gives no days.",
        **pages._behind(_CLAIM),
    )  # fmt: skip


def rose() -> Html:
    """Return the sentences on what followed each generation, and how common that is."""
    frame = tables.load("wave_releases")
    rows = frame[
        (frame["source"] == "counts")
        & frame["generation"]
        & (frame["window"] == 2)
        & (frame["bulk"] == "out")
        & frame["ratio"].notna()
    ]
    risen, sure = rows["ratio"] > 1, rows["ratio_lower"] > 1
    own = rows.loc[rows["family"] == "Qwen", "rank"].astype("float64")
    return paragraph(
        "With the bulk uploads left out the number rose after ",
        numbers.count(int(risen.sum()), "computed"),
        f" of the {len(rows)} generations of all families that can be tried, and after ",
        numbers.count(int(sure.sum()), "bounded"),
        " wherever in its month each derivative came. A rise after a release is common on other "
        "days too: those of Qwen's generations are larger than on ",
        numbers.interval(float(own.min()), float(own.max()), "share", "computed"),
        " of other days, tried in the same way.",
    )


def at_once() -> Html:
    """Return the sentence on how often the first month of a release was its larger one."""
    rows = _own_rows()
    parts = []
    for name, part in (
        ("Qwen's releases", rows[rows["family"] == "Qwen"]),
        ("those of its rivals", rows[rows["family"] != "Qwen"]),
    ):
        first = int((part["own_ratio"].astype("float64") > 1).sum())
        parts.append(join([numbers.count(first, "computed"), f" of {len(part)} of {name}"]))
    return paragraph(
        "A second reading looks at the bases of a release and at nothing else. A wave would bring "
        "most of their derivatives at once. The first month brought more than a later one does on "
        "average for ",
        numbers.listed(parts),
        "; for the others derivatives came faster afterwards than at first.",
    )


def summary() -> Html:
    """Return the families side by side: rises, waves, and the p-value of shifted dates."""
    frame = tables.load("wave_summary")
    rows = frame[frame["source"] == "counts"].sort_values(
        ["family", "window", "bulk"], kind="stable"
    )
    rows = rows.assign(bulk=rows["bulk"].map(_BULK), with_a_wave=rows["with_a_wave"].fillna("none"))
    columns = [
        Column("family"),
        Column("window", "months"),
        Column("bulk", "bulk uploads"),
        Column("releases", "generations tried"),
        Column("rises", "followed by a rise"),
        Column("waves", "by more than on most days"),
        Column("with_a_wave", "these"),
        Column("shift_p", "chance of shifted dates", "share"),
    ]
    shown = table(rows.reset_index(drop=True), columns, caption="Generations by family")
    return Html(f"<details><summary>Every family and window</summary>{shown}</details>")


def _own_rows() -> pd.DataFrame:
    frame = tables.load("wave_releases")
    rows = frame[
        (frame["source"] == "counts")
        & (frame["window"] == 1)
        & (frame["bulk"] == "out")
        & frame["own_ratio"].notna()
    ]
    return rows.sort_values(["family", "day"], kind="stable").reset_index(drop=True)


def own_bases() -> Html:
    """Return how the derivatives of the released bases alone came."""
    rows = _own_rows()
    columns = [
        Column("release"),
        Column("day"),
        Column("own_first", "first month", "derivatives"),
        Column("own_later", "later months, on average", "derivatives"),
        Column("own_ratio", "first over later", "ratio"),
    ]
    return table(rows, columns, caption="Do derivatives of a released base come at once?")


def _generation(family: str, name: str) -> str:
    """Return a generation as its maker writes it: ``Gemma 3``, ``DeepSeek-R1``, ``Qwen3.5``."""
    rest = name.removeprefix(family.lower())
    if rest == name:
        return f"{family}: {name}"
    if family == "DeepSeek":
        return f"{family}-{rest.upper()}"
    return f"{family}{rest}" if family == "Qwen" else f"{family} {rest}"


def week() -> Html:
    """Return what the new derivatives of the week of August 2026 build on."""
    frame = tables.load("wave_week")
    own = frame[(frame["family"] == "Qwen") & (frame["generation"] != "other")]
    first = own.iloc[0]
    some = frame[frame["derivatives"] >= 5].reset_index(drop=True)
    data = some.assign(
        label=[_generation(r["family"], r["generation"]) for r in some.to_dict("records")],
        value=some["share"],
        grade="computed",
    )
    told = "; ".join(
        f"{r['label']} {numbers.format_percent(r['value'])} of "
        f"{numbers.format_count(r['of_family'])}"
        for r in data.to_dict("records")
    )
    return figure(
        lambda width: charts.interval_rows(
            data, width, unit="share", measure="part of the family's new derivatives", limit=1.0
        ),
        id="release-waves-week",
        title=(
            f"{numbers.format_percent(first['share'], 0)} of the week's new derivatives of Qwen "
            f"build on {_generation('Qwen', str(first['generation']))}"
        ),
        subtitle=(
            "New derivatives of 14 to 22 August 2026 by generation of the base, each family's "
            "together one"
        ),
        alt=f"By generation of the base: {told}.",
        data=data[["family", "generation", "derivatives", "of_family", "share"]],
        columns=[
            Column("family"),
            Column("generation"),
            Column("derivatives", "new derivatives", "derivatives"),
            Column("of_family", "of the family's", "derivatives"),
            Column("share", unit="share"),
        ],
        **pages._behind(_CLAIM),
    )


def chance() -> Html:
    """Return a sentence on how often shifted dates do as well, for Qwen and its rivals."""
    frame = tables.load("wave_summary")
    own = _own()
    rows = frame[
        (frame["source"] == own["source"])
        & (frame["window"].astype("str") == str(own["window"]))
        & (frame["bulk"] == "out")
        & (frame["releases"] > 1)
    ]
    parts = [
        join(
            [
                f"{r['family']}'s ({r['releases']} generations) in ",
                numbers.value(float(r["shift_p"]), "share", "computed"),
            ]
        )
        for r in rows.to_dict("records")
    ]
    return paragraph(
        join(
            [
                "Move all dates of a family together around the span: how often do other dates ",
                "show as large a rise? For ",
                numbers.listed(parts),
                " of the shifts, bulk uploads left out. A small part would mean ",
                "that the dates matter.",
            ]
        )
    )
