"""Blocks on sizes and adoption, finished HTML for the pages of the book."""

from __future__ import annotations

from typing import Final

import pandas as pd

from analysis import tables
from analysis.pages import _behind
from analysis.present import charts, cumulative, numbers
from analysis.present.figure import Source, figure
from analysis.present.markup import Html, escape, join, paragraph
from analysis.present.tables import Column, table

#: The day of the complete catalogues, the widest comparison of families.
_CATALOGUE: Final = "2025-10-12"
_MONTH: Final = "2026-02-28"
_SIZES: Final = "hardware-sizes"
_PACE: Final = "qwen25-september-2024"
_ATTENTION: Final = "deepseek-r1-january-2025"
#: The day on which likes were read for the reading that the claim is held to.
_LIKED: Final = "2025-12-22"


def _fit(day: str, card: str, bits: str) -> pd.DataFrame:
    frame = tables.load("hardware_fit")
    frame = frame.astype({"card": "str", "bits": "str", "day": "str"})
    return frame[(frame["day"] == day) & (frame["card"] == card) & (frame["bits"] == bits)]


def hardware_rivals() -> Html:
    """Return the share that fits a common card, Qwen beside its rivals, by the same rule."""
    frame = _fit(_CATALOGUE, "24", "published").dropna(subset=["value"])
    rows = frame.sort_values("value", ascending=False, kind="stable").reset_index(drop=True)
    rows["grade"] = "bounded"
    words = [
        f"{label} {charts.row_text(record, 'share')}"
        for label, record in zip(rows["label"], rows.to_dict("records"), strict=True)
    ]
    place = list(rows["family"]).index("qwen")
    ahead = [str(name) for name in rows["label"].iloc[:place]]
    own = numbers.format_percent(float(rows["value"].iloc[place]), 0)
    title = f"{own} of Qwen's downloads are of models that fit a card of 24 GB"
    if ahead:
        title += f"; of {numbers.listed(ahead)}'s it is more"
    columns = [
        Column("label", "family"),
        Column("value", "middle", "share"),
        Column("lower", unit="share"),
        Column("upper", unit="share"),
        Column("hard_lower", "without assumption, from", "share"),
        Column("hard_upper", "to", "share"),
        Column("covered_repositories", "repositories read"),
        Column("population_repositories", "of"),
        Column("grade"),
    ]
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="share", measure="fits", mark=0.5, mark_label="one half", limit=1.0
        ),
        id="hardware-rivals",
        title=title,
        subtitle=(
            "Share of thirty-day downloads of each family's own repositories that fits, in the "
            f"bits as published, {numbers.format_day(_CATALOGUE)}, from complete catalogues"
        ),
        alt=f"Share that fits a card of 24 GB: {'; '.join(words)}.",
        data=rows[[c.name for c in columns]],
        columns=columns,
        note="gpt-oss was not read on that day; the table by month has it. Inner bar: the interval "
        "under tested assumptions. Outer bar: what the data force without any.",
        **_behind(_SIZES),
    )


def hardware_in_short() -> Html:
    """Return whether the claim sets Qwen apart, as a paragraph."""
    frame = _fit(_CATALOGUE, "24", "published").dropna(subset=["value"])
    by_value = frame.sort_values("value", ascending=False, kind="stable")
    own = by_value[by_value["family"] == "qwen"].iloc[0]
    part = numbers.percent(float(own["value"]), "bounded", places=0)
    day = numbers.format_day(_CATALOGUE)
    ahead = [
        f"{row.label} {numbers.format_percent(float(str(row.value)), 0)}"
        for row in by_value.itertuples()
        if float(str(row.value)) > float(own["value"])
    ]
    others = (
        f"{numbers.listed(ahead)} by the same rule. The claim does not set Qwen apart by downloads."
        if ahead
        else "No rival has more by the same rule."
    )
    sizes = tables.load("hardware_distinct")
    sizes = sizes[sizes["day"] == _MONTH].sort_values("sizes", ascending=False, kind="stable")
    most = sizes.iloc[0]
    offered = (
        f"{most['label']} offers the most sizes to choose from: "
        f"{numbers.count(int(most['sizes']), 'computed')}, of which "
        f"{numbers.count(int(most['sizes_that_fit']), 'computed')} fit that card at sixteen bits."
    )
    return paragraph(
        Html(
            f"On {day}, {part} of Qwen's downloads were of models that fit a card of 24 GB; "
            f"{others} {offered}"
        )
    )


def hardware_two_values() -> Html:
    """Return what the two values of the claim's own reading are, as a paragraph."""
    own = tables.specifications(_SIZES).iloc[0]
    read = numbers.percent(float(own["value"]), "computed")
    centre = numbers.percent(float(own["centre"]), "bounded")
    return paragraph(
        Html(
            "Two values stand for the claim's own reading. Of the downloads that were read, "
            f"{read} are of models that fit: so the curve and the table of specifications, which "
            "leave out what was not read. With what was not read closed by tested assumptions, "
            f"the middle is {centre}: so the box above, with its interval."
        )
    )


def hardware_curve() -> Html:
    """Return Qwen's downloads up to each size, by all parameters and by the active part."""
    frame = tables.load("hardware_curve")
    frame = frame[(frame["family"] == "qwen") & (frame["day"] == _CATALOGUE)]
    names = {"total": "all parameters", "active": "active part"}
    data = frame.assign(series=frame["basis"].map(names)).reset_index(drop=True)
    over = tables.load("hardware_overheads")
    over = over[over["declared"] & (over["family"] == "qwen") & (over["day"] == _CATALOGUE)]
    wide = over.set_index(over["card"].astype("str"))["largest_parameters"]
    marks = pd.DataFrame({"parameters": [wide["24"]], "label": ["24 GB at sixteen bits"]})
    at = {
        name: float(part.loc[part["parameters"] <= float(wide["24"]), "share"].max())
        for name, part in data.groupby("series", sort=True)
    }
    return figure(
        lambda width: cumulative.cumulative_steps(
            data, width, measure="of Qwen's downloads", marks=marks
        ),
        id="hardware-curve",
        title=(
            f"{numbers.format_percent(at['all parameters'], 0)} of Qwen's downloads are of models "
            f"below the line by all parameters, {numbers.format_percent(at['active part'], 0)} by "
            "the active part"
        ),
        subtitle=(
            "Share of thirty-day downloads that falls on models up to a size, "
            f"{numbers.format_day(_CATALOGUE)}, all repositories of the catalogue with a known size"
        ),
        alt=(
            "Cumulative share of Qwen's downloads by size. Up to "
            f"{float(wide['24']) / 1e9:.1f} billion parameters: "
            f"{numbers.format_percent(at['all parameters'])} by all parameters, "
            f"{numbers.format_percent(at['active part'])} by the active part."
        ),
        data=data[["series", "parameters", "share", "repositories"]],
        columns=[
            Column("series", "counted by"),
            Column("parameters", "up to (parameters)", "count"),
            Column("share", unit="share"),
        ],
        note="All parameters decide whether it fits; the active part says how fast it answers.",
        **_behind(_SIZES),
    )


def _fits(row: pd.Series) -> str | None:
    """Return a share with its interval, "82 % (65 to 91 %)"."""
    if row["value"] != row["value"]:
        return None
    low, high = (numbers.format_percent(float(row[name]), 0) for name in ("lower", "upper"))
    value = numbers.format_percent(float(row["value"]), 0)
    return f"{value} ({low.partition(chr(160))[0]} to {high})"


def hardware_cards() -> Html:
    """Return Qwen's share that fits, for every card and number of bits, in the article's month."""
    frame = tables.load("hardware_fit").astype({"card": "str", "bits": "str", "day": "str"})
    frame = frame[(frame["family"] == "qwen") & (frame["day"] == _MONTH)]
    words = {"published": "as published", "16": "sixteen bits", "8": "eight", "4": "four"}
    rows = []
    for card in dict.fromkeys(frame["card_label"]):
        own = frame[frame["card_label"] == card].set_index("bits")
        rows.append({"card": card, **{bits: _fits(own.loc[bits]) for bits in words}})
    columns = [Column("card", "machine"), *(Column(bits, name) for bits, name in words.items())]
    day = numbers.format_day(_MONTH)
    caption = f"What fits which machine: share of Qwen's downloads, middle and interval, {day}"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def hardware_months() -> Html:
    """Return the share that fits on the three days, for every family."""
    frame = tables.load("hardware_fit").astype({"card": "str", "bits": "str", "day": "str"})
    frame = frame[(frame["card"] == "24") & (frame["bits"] == "published")]
    days = sorted(set(frame["day"]))
    rows = []
    for label in dict.fromkeys(frame["label"]):
        own = frame[frame["label"] == label].set_index("day")
        rows.append({"label": label, **{day: _fits(own.loc[day]) for day in days}})
    columns = [Column("label", "family")]
    columns += [Column(day, f"to {numbers.format_day(day)}") for day in days]
    caption = "Downloads of thirty days that fit a card of 24 GB, as published: middle and interval"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def hardware_classes() -> Html:
    """Return downloads by class of size, all families, by all parameters."""
    frame = tables.load("hardware_classes")
    frame = frame[(frame["day"] == _CATALOGUE) & (frame["basis"] == "total")].copy()
    frame["class"] = [
        "size not known"
        if low != low
        else f"above {low / 1e9:g} billion"
        if up == float("inf")
        else f"up to {up / 1e9:g} billion"
        for low, up in zip(frame["above"], frame["up_to"], strict=True)
    ]
    order = {name: place for place, name in enumerate(dict.fromkeys(frame["class"]))}
    wide = frame.pivot_table(
        index="class", columns="label", values="share", sort=False, observed=True
    ).reset_index()
    wide = wide.sort_values("class", key=lambda name: name.map(order), kind="stable")
    families = [c for c in wide.columns if c != "class"]
    columns = [Column("class", "all parameters")]
    columns += [Column(str(name), unit="share") for name in families]
    day = numbers.format_day(_CATALOGUE)
    caption = (
        f"Downloads by size, {day}: part of each family's own, each class above the one before"
    )
    return table(wide, columns, caption=caption, stacked=True)


def hardware_distinct() -> Html:
    """Return the distinct sizes in which the families come."""
    frame = tables.load("hardware_distinct")
    frame = frame[frame["day"] == _MONTH].sort_values("sizes", ascending=False, kind="stable")
    frame = frame.assign(
        sizes=[Html(escape(int(n))) for n in frame["sizes"]],
        sizes_that_fit=[Html(escape(int(n))) for n in frame["sizes_that_fit"]],
    )
    columns = [
        Column("label", "family"),
        Column("sizes"),
        Column("sizes_that_fit", "fit at sixteen bits"),
        Column("listed", "all of them, in billions of parameters"),
    ]
    day = numbers.format_day(_MONTH)
    caption = f"Sizes offered by {day}, and how many of them fit a card of 24 GB"
    return table(frame, columns, caption=caption, stacked=True)


def hardware_overheads() -> Html:
    """Return what another amount of room on top of the weights would change."""
    frame = tables.load("hardware_overheads")
    frame = frame[(frame["day"] == _CATALOGUE) & (frame["card"].astype("str") == "24")]
    wide = frame.pivot_table(
        index=["overhead", "largest_parameters"], columns="label", values="value", sort=False
    ).reset_index()
    families = [c for c in wide.columns if c not in ("overhead", "largest_parameters")]
    declared = set(frame.loc[frame["declared"].astype(bool), "overhead"])
    wide["overhead"] = [
        f"{over:g} times the weights{', our rule' if over in declared else ''}"
        for over in wide["overhead"]
    ]
    columns = [
        Column("overhead", "memory needed"),
        Column("largest_parameters", "largest that fits", "count"),
        *(Column(str(name), unit="share") for name in families),
    ]
    caption = (
        "Downloads that fit a card of 24 GB if the rest needs more or less, "
        f"{numbers.format_day(_CATALOGUE)}; the largest model in parameters at sixteen bits"
    )
    return table(wide, columns, caption=caption, stacked=True)


def hardware_read() -> Html:
    """Return where sizes were read, and how well names and headers agree."""
    frame = tables.load("hardware_reading")
    frame = frame[(frame["day"] == _CATALOGUE) & (frame["repositories"] > 0)]
    words = {
        "stated": "the maker's own word",
        "header": "sum over the file headers",
        "list": "hand-kept list",
        "sibling": "a repository of the same name in other bits",
        "name": "the name alone",
        "unknown": "not known",
    }
    frame = frame.assign(where=frame["how"].map(words))
    columns = [
        Column("label", "family"),
        Column("where", "size read from"),
        Column("repositories"),
        Column("share_of_downloads_read", "part of the downloads read", "share"),
    ]
    shown = table(frame, columns, caption="Where the sizes were read", stacked=True)
    return Html(f"<details><summary>Where the sizes were read</summary>{shown}</details>")


def hardware_agreement() -> Html:
    """Return how many headers agree with the size that the name states, as a paragraph."""
    frame = tables.load("hardware_headers")
    plain = frame[~frame["packed"]]
    packed = frame[frame["packed"]]
    agree, of = int(plain["agree"].sum()), int(plain["repositories"].sum())
    bad, many = int(packed["agree"].sum()), int(packed["repositories"].sum())
    part = numbers.count(agree, "computed")
    packed_part = numbers.count(bad, "computed")
    return paragraph(
        Html(
            f"Of {numbers.count(of, 'computed')} repositories of the cut whose name states a size "
            f"and whose weights are not packed, {part} have a header that says the same. Of "
            f"{numbers.count(many, 'computed')} that declare a packed format, {packed_part} do: "
            "their headers count packed integers, so they are never taken."
        )
    )


#: Words for the windows, in months.
_WINDOWS: Final = {2: "two", 3: "three", 4: "four"}


def _window() -> int:
    """Return the claim's own window in months."""
    return int(tables.specifications(_PACE)["window"].iloc[0])


def _placebo(bulk: str, against: str) -> pd.DataFrame:
    frame = tables.load("adoption_placebo")
    frame = frame[frame["window"] == _window()]
    return frame[(frame["bulk"] == bulk) & (frame["against"] == against)].reset_index(drop=True)


def _larger_elsewhere() -> str:
    """Word in how many windows another month shows a larger rise, alone and over the rivals."""
    frame = tables.load("adoption_placebo")
    frame = frame[(frame["bulk"] == "out") & frame["against"].isin(["alone", "rivals"])]
    larger = 0
    windows = [part for _, part in frame.groupby(["window", "against"], sort=True)]
    for part in windows:
        own = float(part.loc[part["release"], "value"].iloc[0])
        larger += int(part["value"].max() > own)
    return f"in {larger or 'none'} of {len(windows)} windows another month shows a larger rise"


def pace_in_short() -> Html:
    """Return what can and cannot be said of the date, as a paragraph."""
    quiet = _placebo("out", "alone")
    own = quiet[quiet["release"]].iloc[0]
    others = quiet[~quiet["release"]].sort_values("value", ascending=False, kind="stable")
    ratio = numbers.ratio(float(own["value"]), "computed")
    low = numbers.ratio(float(others["value"].min()), "computed")
    high = numbers.ratio(float(others["value"].max()), "computed")
    window = _WINDOWS[_window()]
    rivals = _placebo("out", "rivals")
    over = numbers.ratio(float(rivals.loc[rivals["release"], "value"].iloc[0]), "computed")
    peak = rivals.sort_values("value", ascending=False, kind="stable").iloc[0]
    place = (
        f"The largest is that of {numbers.format_day(str(others['day'].iloc[0]))}. Over what all "
        f"rivals did in the same months the release has {over}, the largest is "
        f"{numbers.ratio(float(peak['value']), 'computed')} on "
        f"{numbers.format_day(str(peak['day']))}. With windows of two, three and four months, "
        f"Qwen alone and over the rivals, {_larger_elsewhere()} than that of the release."
    )
    growth = (
        "On every one of these days more came after than before."
        if bool((quiet["value"] > 1).all())
        else "On some of these days less came after than before."
    )
    frame = tables.specifications(_PACE)
    turn = frame[
        (frame["asked"] == "turn") & (frame["bulk"] == "out") & (frame["measure"] == "counts")
    ]
    turned = {answer: int((turn["holds"] == answer).sum()) for answer in ("yes", "no")}
    same = turn[(turn["against"] == "alone") & (turn["edges"] == "whole")]
    slowed = numbers.ratio(
        float(same.loc[same["window"].astype(int) == _window(), "value"].iloc[0]), "computed"
    )
    return join(
        [
            paragraph(
                Html(
                    f"Bulk uploads apart, {window} whole months after the release brought "
                    f"{ratio} times the new derivatives of {window} whole months before. Other "
                    "days show what such a ratio is worth: a month apart, on days on which Qwen "
                    f"2.5 did not come out, it lies between {low} and {high}. {place} {growth}"
                )
            ),
            paragraph(
                Html(
                    f"Growth after the release was {slowed} times the growth of the {window} "
                    "months before it. Whether growth itself turned depends on the choices: of "
                    f"{len(turn)} ways to compute it from the counts {turned['yes']} say yes, "
                    f"{turned['no']} no, the others leave it open."
                )
            ),
        ]
    )


def pace_placebo() -> Html:
    """Return the same ratio for the day of the release and for days on which nothing came."""
    frame = _placebo("out", "alone")
    rows = frame.assign(
        label=[
            f"{numbers.format_day(str(day))}{', the release' if release else ''}"
            for day, release in zip(frame["day"], frame["release"], strict=True)
        ],
        grade="computed",
    )
    words = [
        f"{label} {charts.row_text(record, 'ratio')}"
        for label, record in zip(rows["label"], rows.to_dict("records"), strict=True)
    ]
    wide = tables.load("adoption_placebo").pivot_table(
        index=["window", "day"], columns=["bulk", "against"], values="value", sort=True
    )
    wide.columns = pd.Index([f"{pair[1]}_{pair[0]}" for pair in wide.columns.to_flat_index()])
    wide = wide.reset_index()
    columns = [
        Column("window", "months on either side"),
        Column("day", "day asked", "day"),
        Column("alone_in", "as counted", "ratio"),
        Column("alone_out", "without bulk uploads", "ratio"),
        Column("llama_out", "over Llama's", "ratio"),
        Column("rivals_out", "over all rivals'", "ratio"),
    ]
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="ratio", measure="after over before", mark=1.0, mark_label="no change"
        ),
        id="pace-placebo",
        title=f"{_larger_elsewhere().capitalize()} than that of the release",
        subtitle=(
            f"New derivatives of Qwen in {_WINDOWS[_window()]} whole months after a day over as "
            "many before, without bulk uploads, from counts by month of February 2025"
        ),
        alt=f"After over before, by day: {'; '.join(words)}.",
        data=wide,
        columns=columns,
        note="The days lie a month apart. Qwen2 came out early in June 2024. The title counts all "
        "windows, alone and over the rivals; the table has them.",
        **_behind(_PACE),
    )


def pace_months() -> Html:
    """Return new derivatives by month, Qwen beside its rivals, without bulk uploads."""
    frame = tables.load("adoption_months")
    frame = frame[(frame["source"] == "counts") & (frame["bulk"] == "out")]
    # The last month was not counted to its end.
    frame = frame[frame["month"] < "2025-02"]
    data = frame.assign(day=frame["month"], series=frame["family"]).reset_index(drop=True)
    last = data[data["month"] == data["month"].max()].sort_values("value", ascending=False)
    release = _release()
    return figure(
        lambda width: charts.time_lines(
            data[["day", "series", "value"]], width, unit="derivatives",
            measure="new derivatives a month", span=(release, _after(release)),
            span_label="Qwen 2.5",
        ),
        id="pace-months",
        title=_leader(last),
        subtitle=(
            "New derivatives by month and family of the base, bases with bulk uploads left out; "
            "months since release shared out over the calendar"
        ),
        alt="New derivatives in the last month: "
        + "; ".join(
            f"{label} {span}" for label, span in zip(last["label"], _spans(last), strict=True)
        )
        + ".",
        data=data[["month", "label", "value", "lower", "upper"]].assign(grade="bounded"),
        columns=[
            Column("month", unit="month"),
            Column("label", "family"),
            Column("value", "shared out", "derivatives"),
            Column("lower", "surely in the month", "derivatives"),
            Column("upper", "at most", "derivatives"),
            Column("grade"),
        ],
        **_behind(_PACE),
        note="The lines share a month of counting out evenly over its days. The table gives what "
        "surely fell into each month and what may have.",
    )  # fmt: skip


def _spans(rows: pd.DataFrame) -> list[str]:
    """Return what the data allow, one text a row."""
    return [
        numbers.format_interval(float(low), float(high), "derivatives")
        for low, high in zip(rows["lower"], rows["upper"], strict=True)
    ]


def _leader(last: pd.DataFrame) -> str:
    """Return who gained most in a month where the intervals say so, else what they allow."""
    month = numbers.format_day(str(last["month"].iloc[0]))
    first, rest = last.iloc[0], last.iloc[1:]
    spans = _spans(last)
    if float(first["lower"]) > float(rest["upper"].max()):
        return f"In {month} {first['label']} gained the most new derivatives, {spans[0]}"
    words = [f"{label} {span}" for label, span in zip(last["label"], spans, strict=True)][:2]
    return (
        f"{month}: {numbers.listed(words)} new derivatives; the counts by month do not say who "
        "gained most"
    )


def _release() -> str:
    frame = _placebo("out", "alone")
    return str(frame.loc[frame["release"], "day"].iloc[0])


def _after(day: str) -> str:
    return (pd.Timestamp(day) + pd.DateOffset(days=10)).date().isoformat()


def pace_bulk() -> Html:
    """Return Qwen's new derivatives by month, as counted and without bulk uploads."""
    frame = tables.load("adoption_months")
    frame = frame[(frame["source"] == "counts") & (frame["family"] == "qwen")]
    frame = frame[frame["month"] < "2025-02"]
    names = {"in": "as counted", "out": "without bulk uploads"}
    data = frame.assign(day=frame["month"], series=frame["bulk"].map(names)).reset_index(drop=True)
    counted = data[data["bulk"] == "in"]
    peak = counted.sort_values("value", ascending=False, kind="stable").iloc[0]
    release = _release()
    return figure(
        lambda width: charts.time_lines(
            data[["day", "series", "value"]], width, unit="derivatives",
            measure="new derivatives a month", span=(release, _after(release)),
            span_label="Qwen 2.5",
        ),
        id="pace-bulk",
        title=(
            f"As counted, the peak is {numbers.format_day(str(peak['month']))}, of bulk uploads on "
            "older bases"
        ),
        subtitle="New derivatives of Qwen by month, from counts by month of February 2025",
        alt=(
            f"As counted the largest month is {numbers.format_day(str(peak['month']))} with "
            f"{numbers.format_count(float(peak['value']))} new derivatives."
        ),
        data=data[["month", "series", "value"]],
        columns=[
            Column("month", unit="month"),
            Column("series", "counted"),
            Column("value", "new derivatives", "derivatives"),
        ],
        **_behind(_PACE),
    )  # fmt: skip


def pace_generations() -> Html:
    """Return new derivatives by month and generation of the base."""
    frame = tables.load("adoption_generations")
    frame = frame[(frame["month"] >= "2024-05") & (frame["month"] < "2025-02")]
    wide = frame.pivot_table(
        index="month", columns="generation", values="value", sort=True
    ).reset_index()
    columns = [Column("month", unit="month")]
    columns += [Column(str(c), unit="derivatives") for c in wide.columns if c != "month"]
    later = wide[wide["month"] >= "2024-10"].drop(columns="month").sum()
    part = numbers.percent(float(later["Qwen2.5"] / later.sum()), "computed", places=0)
    first, last = numbers.format_day("2024-10"), numbers.format_day(str(wide["month"].max()))
    lead = paragraph(
        Html(
            f"From {first} to {last} {part} of the new derivatives of Qwen build on Qwen 2.5, bulk "
            "uploads left out."
        )
    )
    shown = table(
        wide,
        columns,
        caption="New derivatives of Qwen by generation of the base, without bulk uploads",
        stacked=True,
    )
    return Html(f"{lead}{shown}")


#: Rows of the panel shown.
_FEW: Final = 5


def pace_one() -> Html:
    """Return what one repository does to the downloads of the autumn, as far as we can compute."""
    frame = tables.load("adoption_panel")
    top = frame.iloc[0]
    part = numbers.percent(float(top["share"]), "computed", places=0)
    whole = numbers.count(float(top["downloads"]), "computed")
    excess = numbers.count(float(top["excess"]), "computed")
    lead = paragraph(
        Html(
            "Downloads of autumn 2024 stand in none of our raw files. What the first reading of "
            f"the panel does show is their sum. By {numbers.format_day(str(top['day']))} "
        ),
        str(top["repository"]),
        Html(
            f" had {whole} downloads of all time, {part} of what the panel's "
            f"{len(frame)} repositories of Qwen had together. Our rule for bursts puts {excess} "
            "of them above the level at which it stood from then on. What rose by then was for the "
            "most part one repository."
        ),
    )
    columns = [
        Column("repository"),
        Column("created", unit="day"),
        Column("downloads", "all-time downloads", "downloads"),
        Column("share", "part of all", "share"),
    ]
    few = frame.head(_FEW)
    few = few.assign(repository=[str(name).partition("/")[2] for name in few["repository"]])
    caption = (
        f"The {len(few)} most downloaded of Qwen's {len(frame)} repositories in the panel, "
        f"{numbers.format_day(str(top['day']))}"
    )
    shown = table(few, columns, caption=caption, stacked=True)
    return Html(f"{lead}{shown}")


def pace_flows() -> Html:
    """Return downloads a month in the panel from February 2025 on, by family and generation."""
    words = {
        "Qwen, Qwen2.5": "Qwen 2.5, the others",
        "Qwen, Qwen3": "Qwen 3",
        "Qwen2.5-1.5B-Instruct alone": "the one repository",
        "Qwen, Qwen2": "Qwen 2",
        "Qwen, earlier and other names": "other Qwen",
    }
    frame = tables.load("adoption_flows")
    groups = frame["group"].astype("str")
    named = [_MAKER.get(name, words.get(name, name)) for name in groups]
    return _flows(frame.assign(shown=named))


#: Makers of the panel whose groups are shown as one.
_MAKER: Final = {
    "DeepSeek-R1 and its distilled models": "DeepSeek",
    "DeepSeek, other": "DeepSeek",
}


def _flows(frame: pd.DataFrame) -> Html:
    """Return downloads a month in the panel by what ``shown`` names, in millions."""
    wide = frame.pivot_table(
        index="last", columns="shown", values="a_month", aggfunc="sum", sort=True
    )
    order = list(wide.sum().sort_values(ascending=False, kind="stable").index)
    wide = (wide[order] / 1e6).round(1).map(lambda value: f"{value:.1f}", na_action="ignore")
    columns = [Column("last", "up to", "day")]
    columns += [Column(str(name)) for name in order]
    return table(
        wide.reset_index(),
        columns,
        caption="Downloads a month in the panel, in millions, of repositories up to a year old",
        stacked=True,
    )


def pace_published() -> Html:
    """Return the monthly downloads that others published for the two organisations."""
    frame = tables.load("reference/modelpulse-publishers-monthly")
    frame = frame[frame["author"].isin(["Qwen", "meta-llama"]) & (frame["month"] <= "2025-09")]
    names = {"Qwen": "qwen", "meta-llama": "llama"}
    data = frame.assign(
        day=frame["month"], series=frame["author"].map(names), value=frame["downloads"]
    ).reset_index(drop=True)
    mine = data[data["author"] == "Qwen"]
    own = {str(m): float(v) for m, v in zip(mine["month"], mine["value"], strict=True)}
    peak = max((m for m in own if m.startswith("2024-1")), key=lambda m: own[m])
    after = min(m for m in own if m > "2024-12")
    return figure(
        lambda width: charts.time_lines(
            data[["day", "series", "value"]], width, unit="downloads",
            measure="downloads a month, published",
        ),
        id="pace-published",
        title=(
            f"Published: Qwen {numbers.format_count(own[peak])} downloads in "
            f"{numbers.format_day(peak)}, {numbers.format_count(own[after])} in "
            f"{numbers.format_day(after)}"
        ),
        subtitle="Monthly downloads of the two organisations as model-pulse publishes them, "
        "not recomputed here",
        alt=(
            f"Published downloads of Qwen: {numbers.format_count(own[peak])} in "
            f"{numbers.format_day(peak)}, {numbers.format_count(own[after])} in "
            f"{numbers.format_day(after)}."
        ),
        data=data[["month", "author", "value"]].assign(grade="published"),
        columns=[
            Column("month", unit="month"),
            Column("author", "organisation"),
            Column("value", "downloads", "downloads"),
            Column("grade"),
        ],
        sources=[Source("model-pulse, as published", "", "data.html#source-modelpulse")],
        note="A figure of others, shown beside ours. It enters no computation of this record.",
    )  # fmt: skip


def attention_in_short() -> Html:
    """Return what the traces of January 2025 are, as a paragraph."""
    likes = tables.load("attention_likes")
    likes = likes[likes["day"] == _LIKED].reset_index(drop=True)
    first = tables.load("attention_first_month")
    top, second = first.iloc[0], first.iloc[1]
    place = int(likes.loc[likes["repository"] == "deepseek-ai/DeepSeek-R1", "place"].iloc[0])
    rank = "the most liked model" if place == 1 else f"number {place} by likes"
    count = numbers.count(float(likes["likes"].iloc[place - 1]), "computed")
    return paragraph(
        Html(
            f"On {numbers.format_day(_LIKED)} DeepSeek R1 was {rank} of those we see, with {count} "
            "likes. The one trace that dates from those weeks is what was built: one month after "
            "release "
        ),
        str(top["repository"]),
        Html(f" had {numbers.count(float(top['derivatives']), 'computed')} derivatives, "),
        str(second["repository"]),
        Html(
            f" had {numbers.count(float(second['derivatives']), 'computed')}. Of all bases counted "
            f"these are the two with the most. {_by_downloads()}"
        ),
    )


def _by_downloads() -> str:
    frame = tables.specifications(_ATTENTION)
    frame = frame[frame["measure"].isin(["downloads", "downloads-quiet"])]
    ahead = int((frame["holds"] == "yes").sum())
    if not ahead:
        return "By all-time downloads an older model is ahead on every day that we have."
    return f"By all-time downloads R1 is ahead in {ahead} of {len(frame)} readings."


def attention_likes() -> Html:
    """Return the most liked repositories of the Hub."""
    frame = tables.load("attention_likes")
    frame = frame[frame["day"] == _LIKED].head(8).reset_index(drop=True)
    rows = frame.assign(
        value=frame["likes"],
        grade="computed",
        label=[
            f"{name}, {numbers.format_day(str(day)[:7])}" if str(day) != "nan" else str(name)
            for name, day in zip(frame["repository"], frame["created"], strict=True)
        ],
    )
    words = [
        f"{name} {numbers.format_count(value)}"
        for name, value in zip(rows["label"], rows["value"], strict=True)
    ]
    lead = float(rows["value"].iloc[0]) / float(rows["value"].iloc[1])
    return figure(
        lambda width: charts.interval_rows(rows, width, unit="count", measure="likes"),
        id="attention-likes",
        title=(
            f"{rows['repository'].iloc[0]} has the most likes, {numbers.format_ratio(lead)} times "
            "the next"
        ),
        subtitle=(
            "Likes of the most liked repositories, with the month of creation, "
            f"{numbers.format_day(_LIKED)}"
        ),
        alt=f"Most liked repositories: {'; '.join(words)}.",
        data=frame,
        columns=[
            Column("place"),
            Column("repository"),
            Column("created", unit="day"),
            Column("china", "Chinese maker"),
            Column("likes", unit="count"),
            Column("likes_a_day", "likes a day since creation"),
        ],
        **_behind(_ATTENTION),
    )


def attention_china() -> Html:
    """Return the most liked repositories of Chinese makers, older and younger than R1."""
    frame = tables.load("attention_china").copy()
    words = {True: "before R1", False: "R1 or after", "True": "before R1", "False": "R1 or after"}
    frame["when"] = [words.get(value, "not known") for value in frame["older"]]
    columns = [
        Column("repository"),
        Column("created", unit="day"),
        Column("when", "came"),
        Column("likes", unit="count"),
    ]
    day = numbers.format_day(_LIKED)
    since = int((frame["when"] == "R1 or after").sum())
    older = int((frame["when"] == "before R1").sum())
    lead = paragraph(
        Html(
            f"Of the {len(frame)} most liked repositories of Chinese makers "
            f"{numbers.count(since, 'computed')} came with R1 or after it, "
            f"{numbers.count(older, 'computed')} before; of the others no file gives the day."
        )
    )
    caption = f"Most liked repositories of Chinese makers, {day}"
    shown = table(frame, columns, caption=caption, stacked=True)
    return Html(f"{lead}{shown}")


def attention_first_month() -> Html:
    """Return the bases with the most derivatives one month after release."""
    frame = tables.load("attention_first_month").head(8).reset_index(drop=True)
    rows = frame.assign(
        value=frame["derivatives"],
        grade="computed",
        label=[
            f"{name}, {numbers.format_day(str(day)[:7])}"
            for name, day in zip(frame["repository"], frame["created"], strict=True)
        ],
    )
    words = [
        f"{name} {numbers.format_count(value)}"
        for name, value in zip(rows["label"], rows["value"], strict=True)
    ]
    lead = float(rows["value"].iloc[0]) / float(rows["value"].iloc[1])
    return figure(
        lambda width: charts.interval_rows(rows, width, unit="count", measure="derivatives"),
        id="attention-first-month",
        title=(
            f"In its first month {rows['repository'].iloc[0]} drew "
            f"{numbers.format_ratio(lead)} times the derivatives of the next"
        ),
        subtitle=(
            "Derivatives one month after release, bases of Qwen, Meta, DeepSeek and Google, "
            "counted in February 2025"
        ),
        alt=f"Derivatives in the first month: {'; '.join(words)}.",
        data=frame,
        columns=[
            Column("repository"),
            Column("created", unit="day"),
            Column("china", "Chinese maker"),
            Column("derivatives", unit="derivatives"),
        ],
        **_behind(_ATTENTION),
    )


def attention_months() -> Html:
    """Return new derivatives a month around January 2025, by family, bulk uploads left out."""
    frame = tables.load("adoption_months")
    frame = frame[(frame["source"] == "counts") & (frame["bulk"] == "out")]
    frame = frame[(frame["month"] >= "2024-09") & (frame["month"] <= "2025-01")]
    shown = frame.assign(
        text=[
            f"{numbers.format_count(float(value))} ({span})"
            for value, span in zip(frame["value"], _spans(frame), strict=True)
        ]
    )
    wide = shown.pivot_table(
        index="label", columns="month", values="text", aggfunc="first", sort=True
    ).reset_index()
    ends = frame.set_index(["label", "month"])
    parts, risen = [], []
    for label in dict.fromkeys(frame["label"]):
        before, after = ends.loc[(label, "2024-12")], ends.loc[(label, "2025-01")]
        first, then = (
            numbers.interval(float(row["lower"]), float(row["upper"]), "derivatives", "bounded")
            for row in (before, after)
        )
        parts.append(Html(f"{label} {first}, then {then}"))
        if float(after["lower"]) > float(before["upper"]):
            risen.append(label)
    answer = (
        f"That {numbers.listed(risen)} gained more in January is certain."
        if risen
        else "So it is certain of no family that it gained more in January."
    )
    lead = paragraph(
        Html(
            "Months of counting begin on the day on which a base came out and lie across the "
            "calendar's. What the data allow for new derivatives in December 2024 and January "
            f"2025: {'; '.join(parts)}. {answer}"
        )
    )
    columns = [Column("label", "family of the base")]
    columns += [
        Column(str(name), numbers.short_month(str(name)))
        for name in wide.columns
        if name != "label"
    ]
    caption = (
        "New derivatives a month, bulk uploads left out: shared out evenly, and what the data allow"
    )
    return Html(f"{lead}{table(wide, columns, caption=caption, stacked=True)}")


def attention_flows() -> Html:
    """Return downloads a month of DeepSeek and Qwen in the panel, from February 2025 on."""
    frame = tables.load("adoption_flows")
    words = {"DeepSeek-R1 and its distilled models": "DeepSeek R1 and distilled"}
    named = [
        "Qwen" if str(group).startswith("Qwen") else words.get(str(group), str(group))
        for group in frame["group"]
    ]
    return _flows(frame.assign(shown=named))
