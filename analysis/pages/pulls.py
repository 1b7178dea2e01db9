"""Blocks on Ollama's library and on Llama's two years, finished HTML for the pages of the book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import pandas as pd

from analysis import tables
from analysis.pages import _behind, claim
from analysis.present import charts, numbers
from analysis.present.figure import Source, figure
from analysis.present.markup import Html, join, paragraph
from analysis.present.tables import Column, table

_PASSES: Final = "qwen-passes-llama"
_LED: Final = "llama-led-two-years"
_R1: Final = {
    "maker": "DeepSeek's, as its maker says",
    "default": "Qwen's, as its default size",
    "left-out": "nobody's",
    "bounds": "any part Qwen's, Llama's or DeepSeek's",
}
_SOURCES: Final = (
    Source("Ollama's library, February to June 2025", "", "data.html#source-ollama-library"),
    Source("August 2025 to July 2026", "", "data.html#source-ollama-gallery"),
    Source("August 2026", "", "data.html#source-ollama-registry"),
)


def _span(row: Any, unit: str = "downloads") -> str:
    return numbers.format_interval(float(row["lower"]), float(row["upper"]), unit)


def _graded(row: Any) -> Html:
    return numbers.interval(float(row["lower"]), float(row["upper"]), "downloads", "bounded")


def _months(names: str = "own", r1: str = "maker") -> pd.DataFrame:
    frame = tables.load("pulls_crossing")
    frame = frame[(frame["names"] == names) & (frame["r1"] == r1)]
    return frame[frame["both_ends_read"].astype(bool)].reset_index(drop=True)


def _crossed(frame: pd.DataFrame) -> tuple[str, str]:
    """Return the last month in which Llama was ahead for certain, and since when Qwen was.

    The second is the first month from which on Qwen is ahead for certain in every month that
    follows. Both are empty where there is no such month.
    """
    months = [(str(m), str(a)) for m, a in zip(frame["month"], frame["ahead"], strict=True)]
    first = ""
    for month, ahead in reversed(months):
        if ahead != "yes":
            break
        first = month
    before = [month for month, ahead in months if ahead == "no" and (not first or month < first)]
    return (before[-1] if before else "", first)


def _since(names: str) -> str:
    """Return since when Qwen is ahead for certain under one way to count names, or nothing."""
    return _crossed(_months(names))[1]


def _stock(day: str, family: str, names: str = "own") -> Any:
    frame = tables.load("pulls_days")
    chosen = (frame["day"].astype("str") == day) & (frame["family"] == family)
    return frame[chosen & (frame["names"] == names)].iloc[0]


def _last_day() -> str:
    return str(tables.load("pulls_days")["day"].astype("str").max())


def in_short() -> Html:
    """Return what the library says of Qwen and Llama, as a paragraph."""
    day = _last_day()
    own, other = _stock(day, "qwen"), _stock(day, "llama")
    ahead = "Llama" if float(other["lower"]) > float(own["upper"]) else "Qwen"
    before, first = _crossed(_months())
    months = _months().set_index("month")
    crossing = (
        Html("In no month read at both ends is Qwen ahead in new pulls for certain.")
        if not first
        else Html(
            "In new pulls Qwen is ahead for certain in every month read at both ends from "
            f"{numbers.format_day(first)} on, in which it had "
            f"{numbers.count(float(months['qwen'][first]), 'bounded')} against "
            f"{numbers.count(float(months['llama'][first]), 'bounded')}."
        )
    )
    open_months = [
        str(m)
        for m, row in months.iterrows()
        if row["ahead"] == "open" and (not first or str(m) < first) and str(m) > before
    ]
    near = (
        Html(
            " Rounding alone leaves open who was ahead in "
            f"{numbers.listed(numbers.format_day(m) for m in open_months)}."
        )
        if open_months
        else Html("")
    )
    return paragraph(
        Html(
            f"In pulls of all time {ahead} leads on {numbers.format_day(day)}: Llama "
            f"{numbers.count(float(other['value']), 'bounded')}, Qwen "
            f"{numbers.count(float(own['value']), 'bounded')}. "
        ),
        crossing,
        near,
    )


def direction() -> Html:
    """Return what the second instrument says of the direction of the first, as a paragraph."""
    own, wide = _since("own"), _since("derivatives")
    if not own:
        return paragraph(
            "So the library does not show new pulls turning to Qwen for certain. It says nothing "
            "on shares of the Hub."
        )
    tuned = (
        "and so with the models that others tuned from either"
        if wide == own
        else f"and with the models that others tuned from either from {numbers.format_day(wide)}"
        if wide
        else "and with the models that others tuned from either in no month for certain"
    )
    ahead, whole, first = _hub()
    hub = (
        f"On the Hub Qwen is ahead in downloads on each of the {whole} days shown, the first of "
        f"them {numbers.format_day(first)}."
        if ahead == whole
        else f"On the Hub Qwen is ahead in downloads on {ahead} of {whole} days shown."
    )
    return paragraph(
        f"So new pulls turn to Qwen: by the makers' own names from {numbers.format_day(own)}, "
        f"{tuned}. {hub} Pulls are requests for files from one library, and say nothing on shares "
        "of the Hub."
    )


def _hub() -> tuple[int, int, str]:
    """Return on how many days Qwen is ahead on the Hub for certain, of how many, and the first."""
    frame = tables.load("pulls_beside")
    frame = frame.assign(day=frame["day"].astype("str"))
    whole = frame[(frame["panel"] == _PANELS[0][0]) & (frame["day"] >= _FROM)]
    mine = whole[whole["family"] == "qwen"].set_index("day")["lower"]
    theirs = whole[whole["family"] == "llama"].set_index("day")["upper"]
    return int((mine > theirs).sum()), len(mine), str(mine.index.min())


def _steps() -> str:
    """Name the bursts of Llama and Qwen, which are steps in the figure."""
    frame = tables.load("pulls_bursts")
    declared = frame[frame["declared"].astype(bool) & (frame["name"].fillna("") != "")]
    return "".join(
        f" The step up to {numbers.format_day(str(row['last']))} is a burst of {row['name']}."
        for row in declared.to_dict("records")
    )


#: The figure of both hubs begins with the month of the library's first reading.
_FROM: Final = "2025-02"
#: Panels of the figure, top to bottom, with the words of their axes.
_PANELS: Final = (
    ("Hub, downloads in 30 days", "Hub: downloads in thirty days"),
    ("Ollama, new pulls in the month", "Ollama: new pulls in the month"),
    ("Ollama, pulls of all time", "Ollama: pulls of all time"),
)


def beside() -> Html:
    """Return both hubs side by side by month, each measure in a panel of its own."""
    frame = tables.load("pulls_beside")
    frame = frame.assign(series=frame["family"], day=frame["day"].astype("str"))
    shown = frame[frame["day"] >= _FROM].reset_index(drop=True)

    def draw(width: int) -> Any:
        panels = [
            charts.time_lines(
                shown[shown["panel"] == name], width, unit="downloads", measure=words, height=150
            )
            for name, words in _PANELS
        ]
        return alt.vconcat(*panels, spacing=18).resolve_scale(x="shared")

    _, first = _crossed(_months())
    day = _last_day()
    leads = (
        "Llama still leads in all"
        if float(_stock(day, "llama")["lower"]) > float(_stock(day, "qwen")["upper"])
        else "Llama no longer leads in all"
    )
    since = (
        f"Qwen is ahead in new pulls since {numbers.format_day(first)}"
        if first
        else "nobody is ahead in new pulls for certain"
    )
    ahead, days, _ = _hub()
    hub = f"Qwen is ahead on {ahead} of {days} days"
    if ahead == days:
        hub = "Qwen is ahead on every day shown"
    words = []
    for name, label in _PANELS:
        part = shown[shown["panel"] == name]
        last = part[part["day"] == part["day"].max()]
        words.append(
            f"{label}, {numbers.format_day(str(last['day'].iloc[0]))}: "
            + ", ".join(f"{str(r['family']).capitalize()} {_span(r)}" for _, r in last.iterrows())
        )
    return figure(
        draw,
        id="both-hubs",
        title=f"On the Hub {hub}; on Ollama {since}, and {leads}",
        subtitle=(
            "Two counters that know nothing of each other, each in its own unit, never added: "
            "downloads of the Hub, pulls of Ollama's library"
        ),
        alt="; ".join(words) + ".",
        data=shown[["panel", "day", "family", "value", "lower", "upper", "grade"]],
        columns=[
            Column("panel", "what is counted"),
            Column("day", "day or month"),
            Column("family"),
            Column("value", unit="downloads"),
            Column("lower", unit="downloads"),
            Column("upper", unit="downloads"),
            Column("grade"),
        ],
        sources=[*_SOURCES, *_behind(_PASSES)["sources"]],
        everything=f"{_PASSES}.html#the-data-behind-it",
        note=(
            "Bar: on the Hub what tested assumptions leave for repositories that nobody read, on "
            f"Ollama what rounding leaves. The axes differ.{_steps()}"
        ),
    )


def months() -> Html:
    """Return new pulls of Qwen and Llama by month, with what is certain."""
    frame = tables.load("pulls_months")
    frame = frame[(frame["names"] == "own") & frame["family"].isin(["qwen", "llama"])]
    by = frame.set_index(["month", "family"])
    cross = tables.load("pulls_crossing")
    cross = cross[(cross["names"] == "own") & (cross["r1"] == "maker")]
    wide = tables.load("pulls_crossing")
    wide = wide[(wide["names"] == "derivatives") & (wide["r1"] == "maker")].set_index("month")
    words = {"yes": "Qwen", "no": "Llama", "open": "open"}
    rows = []
    for row in cross.to_dict("records"):
        month = row["month"]
        rows.append(
            {
                "month": month,
                "qwen": _span(by.loc[(month, "qwen")]),
                "llama": _span(by.loc[(month, "llama")]),
                "ahead": words[str(row["ahead"])],
                "wide": words[str(wide.loc[month, "ahead"])],
                "read": "both" if row["both_ends_read"] else "not both",
            }
        )
    columns = [
        Column("month", unit="month"),
        Column("qwen", "Qwen"),
        Column("llama", "Llama"),
        Column("ahead", "ahead for certain"),
        Column("wide", "with what is tuned from them"),
        Column("read", "ends of the month read"),
    ]
    caption = "New pulls from Ollama's library by month: what the data allow"
    shown = table(pd.DataFrame(rows), columns, caption=caption, stacked=True)
    return join([shown, _by_the_hour(), _embedding()])


def _by_the_hour() -> Html:
    """Say whether the hour of reading could change who is ahead, as a paragraph."""
    lead = (
        "Readings have a day and no hour. With a day's pulls added or taken at each end of a "
        "month, each family on its own, "
    )
    parts = []
    for names, words in (("own", "by the makers' own names"), ("derivatives", "with tuned models")):
        frame = _months(names)
        moved = frame[frame["ahead"] != frame["hour_ahead"]]
        many = numbers.listed(numbers.format_day(str(m)) for m in moved["month"])
        parts.append(f"{words} {many} would be open" if many else f"{words} no answer changes")
    return paragraph(Html(f"{lead}{', and '.join(parts)}."))


def _embedding() -> Html:
    """Say what the makers' own embedding models do to the ratio, as a paragraph."""
    frame = _months()
    over = (frame["value"] > 1) != (frame["without_embedding"] > 1)
    parts = [
        f"in {numbers.format_day(str(row['month']))} it is "
        f"{numbers.ratio(float(row['value']), 'bounded')} with them and "
        f"{numbers.ratio(float(row['without_embedding']), 'bounded')} without"
        for row in frame[over].to_dict("records")
    ]
    changed = frame[frame["ahead"] != frame["without_embedding_ahead"]]
    months = numbers.listed(numbers.format_day(str(m)) for m in changed["month"])
    certain = (
        f" What is certain by the makers' own names changes in {months}."
        if len(changed)
        else " What is certain by the makers' own names is the same in every month."
    )
    middle = (
        f" The middle value of Qwen over Llama crosses the line for it: {'; '.join(parts)}."
        if parts
        else " The middle value of Qwen over Llama stays on its side in every month."
    )
    return paragraph(
        Html(
            "A maker's own embedding models count as its own here, while those of makers without "
            f"a family are set aside.{middle}{certain}"
        )
    )


def families() -> Html:
    """Return pulls of all time by family on the last day."""
    frame = tables.load("pulls_days")
    day = _last_day()
    frame = frame[(frame["day"].astype("str") == day) & (frame["family"] != "other")]
    wide = frame[frame["names"] == "derivatives"].set_index("family")["value"]
    own = frame[frame["names"] == "own"].sort_values("value", ascending=False, kind="stable")
    rows = own.head(9).assign(grade="bounded").reset_index(drop=True)
    rows["wide"] = rows["family"].map(wide)
    words = [f"{r['label']} {_span(r)}" for _, r in rows.iterrows()]
    first, second = rows["label"].iloc[0], rows["label"].iloc[1]
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="downloads", measure="pulls of all time"
        ),
        id="ollama-families",
        title=f"On Ollama {first} has the most pulls of all time, {second} comes next",
        subtitle=f"Pulls of all time of the makers' own names, {numbers.format_day(day)}",
        alt=f"Pulls of all time: {'; '.join(words)}.",
        data=rows[["label", "value", "lower", "upper", "wide", "without_bursts", "entries"]],
        columns=[
            Column("label", "family"),
            Column("value", "pulls", "downloads"),
            Column("lower", unit="downloads"),
            Column("upper", unit="downloads"),
            Column("wide", "with what is tuned from them", "downloads"),
            Column("without_bursts", "without bursts, about", "downloads"),
            Column("entries", "names"),
        ],
        sources=_SOURCES,
        note=f"Bar: what rounding on the library's page leaves open.{_left(day)}",
    )


def _left(day: str) -> str:
    """Say that names which left the library are missing from the stocks of a day."""
    known = tables.load("pulls_names")
    known = known[(known["last_seen"].astype("str") < day) & (known["family"] != "other")]
    if known.empty:
        return ""
    families = sorted(set(known["family"].astype("str")))
    label = tables.load("pulls_days").drop_duplicates("family").set_index("family")["label"]
    many = ", ".join(str(label.get(name, name)) for name in families)
    return (
        f" Names that have left the library are not in it: too little is shown for {many}, in "
        f"all by {numbers.format_count(float(known['last_pulls'].sum()))} pulls when last seen."
    )


def treatments() -> Html:
    """Return what becomes of Qwen and Llama under each treatment of deepseek-r1."""
    frame = tables.load("pulls_r1")
    day = _last_day()
    frame = frame[(frame["day"].astype("str") == day) & (frame["names"] == "own")]
    whole = float(frame["r1_pulls"].iloc[0])
    rows = []
    for row in frame.to_dict("records"):
        low, high = float(row["ratio_lower"]), float(row["ratio_upper"])
        rows.append(
            {
                "treatment": _R1[str(row["r1"])],
                "qwen": numbers.format_interval(row["qwen_lower"], row["qwen_upper"], "downloads"),
                "llama": numbers.format_interval(
                    row["llama_lower"], row["llama_upper"], "downloads"
                ),
                "ahead": "Qwen" if low > 1 else "Llama" if high <= 1 else "open",
            }
        )
    lead = paragraph(
        Html(
            f"The name deepseek-r1 has {numbers.count(whole, 'bounded')} pulls of all time. Its "
            "sizes are distilled Qwen and Llama models, but for the largest; pulls by size are not "
            "shown. Taken by the default size it goes to Qwen whole, though one size was a Llama "
            "model and another is. Whose they are is a choice:"
        )
    )
    columns = [
        Column("treatment", "deepseek-r1 is"),
        Column("qwen", "Qwen"),
        Column("llama", "Llama"),
        Column("ahead", "ahead"),
    ]
    caption = f"Pulls of all time by treatment of deepseek-r1, {numbers.format_day(day)}"
    return join([lead, table(pd.DataFrame(rows), columns, caption=caption, stacked=True)])


def names() -> Html:
    """Return the most pulled names of the library, with the family that the rules give them."""
    frame = tables.load("pulls_names")
    whole = len(frame)
    own = frame[frame["family"] != "other"]
    lead = paragraph(
        Html(
            f"Of {numbers.count(whole, 'computed')} names seen on any day, "
            f"{numbers.count(len(own), 'computed')} are a maker's own in a family that this record "
            "knows; the others are tuned by others, embedding models or of makers without a family."
        )
    )
    shown = frame.head(24).assign(
        wide=[
            "" if a == b else str(b)
            for a, b in zip(frame["family"].head(24), frame["wide"].head(24), strict=True)
        ]
    )
    columns = [
        Column("name"),
        Column("last_pulls", "pulls when last seen", "downloads"),
        Column("family", "whose"),
        Column("wide", "tuned from"),
        Column("kind"),
    ]
    caption = "The most pulled names of Ollama's library and whose they are"
    return join([lead, table(shown, columns, caption=caption, stacked=True)])


def bursts() -> Html:
    """Return the bursts that the Hub's rule names in the library, as a paragraph."""
    frame = tables.load("pulls_bursts")
    declared = frame[frame["declared"].astype(bool) & (frame["name"].fillna("") != "")]
    unchanged = frame[(frame["reading"] == "as-it-stands") & (frame["name"].fillna("") != "")]
    if declared.empty:
        return paragraph("The Hub's burst rule names nothing in the library.")
    parts = []
    for row in declared.to_dict("records"):
        name = join([str(row["name"])])
        parts.append(
            Html(
                f"{name} between {numbers.format_day(str(row['first']))} and "
                f"{numbers.format_day(str(row['last']))}, "
                f"about {numbers.count(float(row['excess']), 'computed')} pulls above its level, "
                f"{numbers.ratio(float(row['times']), 'computed')} times that level"
            )
        )
    same = frame[(frame["reading"] == "increments") & (frame["name"].fillna("") != "")]
    settings = same["ratio_asked"].nunique()
    seen = (
        "The rule as it stands on the Hub names nothing, since no two readings lie a month apart "
        "around it; asked of new pulls between readings it does."
        if unchanged.empty
        else "The rule as it stands on the Hub names it too."
    )
    day = _last_day()
    quiet = float(_stock(day, "llama")["without_bursts"])
    return paragraph(
        Html(f"The burst rule of the Hub names {join(parts, '; ')}. {seen} It is named under "),
        Html(
            f"{numbers.count(settings, 'computed')} of the ratios that the rule's own sensitivity "
            f"tries. Without it Llama has about {numbers.count(quiet, 'computed')} pulls of all "
            f"time on {numbers.format_day(day)}: what the level would have been is an estimate."
        ),
    )


def swell() -> Html:
    """Return how the small names of the library rose together from one reading to the next."""
    frame = tables.load("pulls_collectors").reset_index(drop=True)
    rate = frame["small_median_a_month"].astype("float64")
    high = frame[rate > 2 * float(rate.median())]
    top = frame.iloc[int(rate.to_numpy().argmax())]
    since, until = str(high["first"].astype("str").min()), str(high["last"].astype("str").max())
    third = [float(top[f"{name}_third_a_month"]) for name in ("lowest", "middle", "highest")]
    alike = (
        "Small and large alike rose, the larger ones more"
        if 0 < third[0] < third[1] < third[2]
        else "All three rose"
        if min(third) > 0
        else "Not all three rose"
    )
    lead = paragraph(
        Html(
            f"From {numbers.format_day(since)} to {numbers.format_day(until)} many names of the "
            "library rose together. Of the names below a million pulls, half gained "
            f"{numbers.count(float(top['small_median_a_month']), 'computed')} or more in thirty "
            f"days in the span to {numbers.format_day(str(top['last']))}; over all spans the "
            f"middle is {numbers.count(float(rate.median()), 'computed')}. In thirds by size, half "
            f"of the smallest gained {numbers.count(third[0], 'computed')} or more, of the middle "
            f"ones {numbers.count(third[1], 'computed')} and of the largest "
            f"{numbers.count(third[2], 'computed')}. {alike}. Why, the counters do not tell. "
            "Whoever has more names gains more by it, and more still with the names that others "
            "tuned."
        )
    )
    nets = []
    for row in high.to_dict("records"):
        for label, name in (("the makers' own", ""), ("with what is tuned from them", "_wide")):
            days = int(row["days"])
            plain = "wide" if name else "a_day"
            scale = 1 if name else days
            nets.append(
                {
                    "last": row["last"],
                    "names": label,
                    "qwen": float(row[f"qwen_{plain}"]) * scale,
                    "llama": float(row[f"llama_{plain}"]) * scale,
                    "qwen_above": float(row[f"qwen{name}_above_common"]),
                    "llama_above": float(row[f"llama{name}_above_common"]),
                }
            )
    turned = []
    for last, part in pd.DataFrame(nets).groupby("last", sort=True):
        order = part["qwen"] > part["llama"]
        if bool(order.iloc[0]) and not bool(order.iloc[-1]):
            turned.append(numbers.format_day(str(last)))
    if turned:
        lead = join(
            [
                lead,
                paragraph(
                    Html(
                        "By the middle values Qwen's own names gained more than Llama's in the "
                        f"spans to {numbers.listed(turned)}, and with the names that others tuned "
                        "Llama's did."
                    )
                ),
            ]
        )
    net = table(
        pd.DataFrame(nets),
        [
            Column("last", "up to", "day"),
            Column("names"),
            Column("qwen", "Qwen", "count"),
            Column("llama", "Llama", "count"),
            Column("qwen_above", "Qwen, common rise off", "count"),
            Column("llama_above", "Llama, common rise off", "count"),
        ],
        caption=(
            "New pulls in the spans of the common rise, and with the middle gain of the small "
            "names taken off every name: a rough subtraction, added after the first run"
        ),
        stacked=True,
    )
    shown = frame[frame["last"].astype("str") >= "2025-09"]
    columns = [
        Column("last", "up to", "day"),
        Column("small_entries", "names below a million"),
        Column("small_median_a_month", "half of them gained a month, at least", "count"),
        Column("small_lower_quarter_a_month", "three quarters, at least", "count"),
        Column("all_a_day", "the whole library a day", "count"),
    ]
    caption = "New pulls of the small names of Ollama's library"
    return join([lead, net, table(shown, columns, caption=caption, stacked=True)])


def collectors() -> Html:
    """Return how the readings of three collectors fit one another, as a paragraph and table."""
    frame = tables.load("pulls_collectors")
    other = frame[frame["other_collector"].astype(bool)]
    fell, gone = int(frame["fell"].sum()), int(frame["gone"].sum())
    across = int(other["fell"].sum())
    lead = paragraph(
        Html(
            "Three collectors read the library; no two of them on days near enough to be held "
            "against one another directly. What can be tested is that a counter of all time does "
            f"not fall where one takes over from another: {numbers.count(across, 'computed')} of "
            f"{numbers.count(int(other['in_both'].sum()), 'computed')} fell. On all days together "
            f"{numbers.count(fell, 'computed')} counter fell, and "
            f"{numbers.count(gone, 'computed')} names left the library, none of them Qwen's or "
            "Llama's."
            if not _lost()
            else "Names of Qwen or Llama left the library: their pulls are missing since."
        )
    )
    columns = [
        Column("last", "up to", "day"),
        Column("days"),
        Column("in_both", "names on both days"),
        Column("new"),
        Column("gone"),
        Column("fell"),
        Column("other_collector", "another collector"),
        Column("qwen_a_day", "Qwen a day", "count"),
        Column("llama_a_day", "Llama a day", "count"),
    ]
    caption = "Readings of Ollama's library, each held against the one before"
    return join([lead, table(frame, columns, caption=caption, stacked=True)])


def _lost() -> bool:
    moved = tables.load("pulls_moves")
    return bool((moved["family"].isin(["qwen", "llama"]) & (moved["what"] == "gone")).any())


def second_answer() -> Html:
    """Return what the second instrument says of who passes whom, as paragraphs."""
    record = claim(_PASSES).record.get("elsewhere")
    if not record:
        return in_short()
    held = paragraph(
        f"Asked of Ollama's library by its own declared grid, the claim holds in "
        f"{record['holds']} of {record['specifications']} readings: {record['robust']['verdict']}. "
        f"{_decides(record)} An interval is what rounding leaves open, and where anybody may own "
        "deepseek-r1, that too; what the hour of reading could change is not in it, and is shown "
        "apart."
    )
    return join([in_short(), direction(), held, _by_the_hour(), _embedding()])


def _decides(record: Mapping[str, Any]) -> str:
    """Say which choices move the values, the largest part first, from the spread of the values."""
    words = record.get("words", {})
    named = [
        f"{words.get(name, name)} ({numbers.format_percent(float(part), 0)})"
        for name, part in record["spread"].items()
        if float(part) >= 0.05
    ]
    if not named:
        return "No single choice moves its values much."
    return f"What moves its values, and the part of their spread: {', '.join(named)}."


def led_quarters() -> Html:
    """Return new derivatives by quarter of Llama and its counted rivals."""
    frame = tables.load("led_quarters")
    frame = frame.assign(day=frame["quarter"].astype("str"), series=frame["family"])
    whole = frame["whole_quarter"].astype(bool)
    rest = frame[~whole & (frame["bulk"] == "out")]
    quiet = frame[whole & (frame["bulk"] == "out")].reset_index(drop=True)
    loud = frame[whole & (frame["bulk"] == "in")]
    first = quiet.drop_duplicates("quarter")
    sure = int((first["llama_first"] == "yes").sum())
    lost = loud.drop_duplicates("quarter")
    beaten = [str(q) for q in lost.loc[lost["llama_first"] == "no", "quarter"]]
    end = str(first["until"].astype("str").max())
    makers = quiet["family"].nunique()
    words = [
        f"{label} "
        + ", ".join(
            f"{numbers.format_day(str(r['quarter'])[:7])} {_span(r, 'derivatives')}"
            for _, r in part.iterrows()
        )
        for label, part in quiet.groupby("label", sort=True)
    ]
    columns = [
        Column("quarter", "from", "day"),
        Column("until", "to", "day"),
        Column("label", "family"),
        Column("bulk", "bulk uploads"),
        Column("value", unit="derivatives"),
        Column("lower", unit="derivatives"),
        Column("upper", unit="derivatives"),
        Column("llama_first", "Llama first for certain"),
    ]
    note = "Bar: what the days of the counts leave open. Mistral's derivatives were not counted."
    if beaten:
        many = numbers.listed(numbers.format_day(q[:7]) for q in beaten)
        note += f" With bulk uploads another family is first in the quarter from {many}."
    shown = figure(
        lambda width: charts.time_lines(
            quiet, width, unit="derivatives", measure="new derivatives in the quarter"
        ),
        id="led-quarters",
        title=(
            f"Without bulk uploads Llama is first of the {makers} counted makers in {sure} of "
            f"{len(first)} quarters for certain"
        ),
        subtitle=(
            "New derivatives by quarter, bases of bulk uploads left out, to "
            f"{numbers.format_day(end[:7])}"
        ),
        alt=f"New derivatives by quarter: {'; '.join(words)}.",
        data=frame[[c.name for c in columns]],
        columns=columns,
        **_behind(_LED),
        note=note,
    )
    return join([_led_words(first, rest), shown])


def _led_words(first: pd.DataFrame, rest: pd.DataFrame) -> Html:
    """Say in which quarters Llama is ahead by new derivatives, and of the last days counted."""
    answers = first["llama_first"].astype("str")
    sure, lost = first[answers == "yes"], int((answers == "no").sum())
    stay = int((answers == "open").sum())
    held = f"for certain in {numbers.count(len(sure), 'bounded')} of "
    held += f"{numbers.count(len(first), 'bounded')} whole quarters"
    if len(sure):
        until = numbers.format_day(str(sure["until"].astype("str").max())[:7])
        held += f", the last of them up to {until}"
    parts = [
        Html(
            "By what was built on them, bulk uploads left out, Llama is ahead of the other makers "
            f"that were counted {held}; another is in "
            f"{numbers.count(lost, 'bounded')}, and {numbers.count(stay, 'bounded')} stay open."
        )
    ]
    if len(rest):
        ranked = rest.sort_values("value", ascending=False)
        named = [
            f"{r['label']} {numbers.count(float(r['value']), 'bounded')} "
            f"({_span(r, 'derivatives')})"
            for _, r in ranked.head(2).iterrows()
        ]
        one = ranked.iloc[0]
        words = {
            "yes": "Llama is first for certain",
            "no": "Llama is not first for certain",
            "open": "the intervals leave open whether Llama is first",
        }
        days = (numbers.format_day(str(one[name])) for name in ("quarter", "until"))
        parts.append(
            Html(
                f" In the last weeks counted, {' to '.join(days)}, the middle values put "
                f"{one['label']} first, {named[0]}, before {named[1]}; "
                f"{words[str(one['llama_first'])]}."
            )
        )
    return paragraph(*parts)


def led_data() -> Html:
    """Return what files say of the downloads of the two years, with the panel as a neighbour."""
    own = tables.specifications(_LED).iloc[0]
    day = numbers.format_day(str(own["day"]))
    start = numbers.format_day(str(own["dated_from"]))
    read = [numbers.format_day(str(own[name])) for name in ("read_from", "read_to")]
    lead = paragraph(
        f"No file of ours observes downloads before {start}. A counter of all time runs up, "
        f"corrections apart: one read before {day} bounds the sum of the two years from below, "
        "one read later from above. The lower ends are sums of last readings up to that day, the "
        "panel's from "
        f"{read[0]} to {read[1]}; a repository without such a reading adds nothing to them, and "
        "nothing bounds from above one that nobody read."
    )
    frame = tables.load("led_panel")
    some = frame.sort_values(["first", "value"], ascending=[True, False], kind="stable")
    some = some.groupby("first", sort=True).head(5)
    still = some["moved"].fillna("").astype("str")
    shown = some.assign(moved=[numbers.format_day(d) if d else "not at all" for d in still])
    stopped = some[still < some["last"].astype("str")]
    stood = (
        " Where the last rise comes before the end of the span, the panel repeats earlier values "
        "from then on, so that the span is shorter than it looks."
        if len(stopped)
        else ""
    )
    note = paragraph(
        "The panel dates the end of the two years by week, as a neighbour that decides nothing: it "
        "drops a repository a year after it came, so older models are outside, and only what was "
        f"read on both days is differenced, which is a part of each family.{stood}"
    )
    columns = [
        Column("first", "from", "day"),
        Column("last", "to", "day"),
        Column("label", "family"),
        Column("repositories", "repositories read on both days", "count"),
        Column("value", "new downloads of these", "downloads"),
        Column("moved", "last rise"),
    ]
    caption = "What the panel's repositories gained on the Hub, the five families that gained most"
    return join([lead, note, table(shown, columns, caption=caption, stacked=True)])


def led_weeks() -> Html:
    """Return who has the most new pulls in the first span of the library, as a paragraph."""
    frame = tables.load("pulls_spans")
    first = str(frame["first"].astype("str").min())
    span = frame[(frame["first"].astype("str") == first) & (frame["family"] != "other")]
    ranked = span.sort_values("value", ascending=False).reset_index(drop=True)
    last = str(span["last"].iloc[0])
    llama = span[span["family"] == "llama"]
    top = ranked.iloc[0]
    if top["family"] == "llama" or llama.empty:
        said = "Llama has the most"
    else:
        own = llama.iloc[0]
        sure = float(top["lower"]) > float(own["upper"])
        said = (
            f"{top['label']} has {numbers.count(float(top['value']), 'bounded')}, "
            f"{'more than' if sure else 'by the middle value more than'} Llama with "
            f"{numbers.count(float(own['value']), 'bounded')}"
        )
    return paragraph(
        Html(
            f"In new pulls of the first span read, {numbers.format_day(first)} to "
            f"{numbers.format_day(last)}: {said}. Asked of the library, by its own declared grid:"
        )
    )


def led_births() -> Html:
    """Return when the first repository of each family came: before, it could not lead."""
    frame = tables.load("led_births")
    frame = frame[frame["created"].astype("str") < "2025-07"].reset_index(drop=True)
    start = frame[frame["family"] == "llama"]["created"].iloc[0]
    earlier = int((frame["created"].astype("str") < str(start)).sum())
    half = int((frame["created"].astype("str") < "2023-10").sum())
    lead = paragraph(
        Html(
            f"Of the {numbers.count(len(frame), 'computed')} families that this record knows and "
            "that had come by summer 2025, "
            f"{numbers.count(earlier, 'computed')} are older than Llama 2, whose first repository "
            f"dates from {numbers.format_day(str(start))}; by the end of September 2023 there "
            f"were {numbers.count(half, 'computed')}. Models of 2023 without a family here are "
            "not in it."
        )
    )
    columns = [
        Column("label", "family"),
        Column("created", "first repository", "day"),
        Column("repository"),
        Column("in_library_by", "in Ollama's library by"),
    ]
    known = frame["in_library_by"].fillna("").astype("str")
    shown = frame.assign(in_library_by=[numbers.format_day(d) if d else "" for d in known])
    caption = "First repository of each family on the Hub, to June 2025"
    return join([lead, table(shown, columns, caption=caption, stacked=True)])


def _counted_to() -> str:
    """Return the month in which the last whole quarter of the counts ends."""
    frame = tables.load("led_quarters")
    return numbers.format_day(str(frame[frame["whole_quarter"].astype(bool)]["until"].max())[:7])


def led_readings() -> Html:
    """Return the claim's answer under each meaning of leading, as a table."""
    frame = tables.specifications(_LED)
    label = {
        "downloads_all_time": "downloads on the Hub since the beginning",
        "new-derivatives": f"new derivatives, to {_counted_to()}",
        "derivatives-2025-06": "derivatives fetched in June 2025",
        "descendants-2025-06": "those and all built on them",
    }
    answers = {"yes": "Llama", "no": "another", "undetermined": "open"}
    rows = []
    for measure, part in frame.groupby("measure", sort=False):
        for rivals, some in part.groupby("rivals", sort=True):
            counts = some["holds"].value_counts()
            rows.append(
                {
                    "measure": label[str(measure)],
                    "rivals": "every other" if rivals == "all" else "Qwen",
                    **{name: int(counts.get(key, 0)) for key, name in answers.items()},
                }
            )
    columns = [
        Column("measure", "first by"),
        Column("rivals", "against"),
        Column("Llama"),
        Column("another"),
        Column("open"),
    ]
    caption = "Readings in which Llama is ahead, another is, or the data leave it open"
    return table(pd.DataFrame(rows), columns, caption=caption, stacked=True)


def led_library() -> Html:
    """Return pulls of all time on the days of spring 2025, first of all against next, in words."""
    frame = tables.load("pulls_days")
    own = frame[(frame["names"] == "own") & (frame["family"] != "other")]
    days = [d for d in sorted(own["day"].astype("str").unique()) if d < "2025-07"]
    parts = []
    for day in (days[0], days[-1]):
        ranked = own[own["day"].astype("str") == day].sort_values("value", ascending=False)
        a, b = ranked.iloc[0], ranked.iloc[1]
        parts.append(
            f"on {numbers.format_day(day)} {a['label']} has "
            f"{numbers.count(float(a['value']), 'bounded')}, {b['label']} as the next "
            f"{numbers.count(float(b['value']), 'bounded')}"
        )
    last = own[own["day"].astype("str") == days[-1]].set_index("family")
    quiet = float(last.loc["llama", "without_bursts"])
    return paragraph(
        Html(
            f"Pulls of all time from Ollama's library: {'; '.join(parts)}."
            + (
                f" Without its burst Llama has about {numbers.count(quiet, 'computed')} on the "
                "later day."
                if quiet < float(last.loc["llama", "value"])
                else ""
            )
        )
    )
