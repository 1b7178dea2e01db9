"""Blocks on sizes and adoption, finished HTML for the pages of the book."""

from __future__ import annotations

from typing import Final

import pandas as pd

from analysis import tables
from analysis.pages import _behind
from analysis.present import charts, cumulative, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, paragraph
from analysis.present.tables import Column, table

#: The day of the complete catalogues, the widest comparison of families.
_CATALOGUE: Final = "2025-10-12"
_MONTH: Final = "2026-02-28"
_SIZES: Final = "hardware-sizes"


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
    title = f"{own} of what is fetched of Qwen fits a card of 24 GB"
    if ahead:
        title += f"; of {numbers.listed(ahead)} it is more"
    columns = [
        Column("label", "family"),
        Column("value", "middle", "share"),
        Column("lower", unit="share"),
        Column("upper", unit="share"),
        Column("read", "of what was read", "share"),
        Column("models_share", "of models", "share"),
        Column("models_fit", "models that fit"),
        Column("models_known", "of models with known size"),
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
        f"{numbers.count(int(most['sizes_that_fit']), 'computed')} lie below the line."
    )
    return paragraph(Html(f"On {day} {part} of Qwen's downloads fitted; {others} {offered}"))


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
            Column("repositories", "repositories of this size"),
        ],
        note="All parameters decide whether it fits; the active part says how fast it answers.",
        **_behind(_SIZES),
    )


def hardware_cards() -> Html:
    """Return Qwen's share that fits, for every card and number of bits, in the article's month."""
    frame = tables.load("hardware_fit").astype({"card": "str", "bits": "str", "day": "str"})
    frame = frame[(frame["family"] == "qwen") & (frame["day"] == _MONTH)]
    words = {"published": "as published", "16": "sixteen", "8": "eight", "4": "four"}
    frame = frame.assign(how=frame["bits"].map(words))
    columns = [
        Column("card_label", "machine"),
        Column("how", "bits"),
        Column("value", "middle", "share"),
        Column("lower", unit="share"),
        Column("upper", unit="share"),
        Column("read", "of what was read", "share"),
        Column("read_bursts_out", "the same, bursts put back to level", "share"),
        Column("models_share", "of models", "share"),
    ]
    day = numbers.format_day(_MONTH)
    return table(frame, columns, caption=f"What fits which machine: Qwen's downloads, {day}")


def hardware_months() -> Html:
    """Return the share that fits on the three days, for every family."""
    frame = tables.load("hardware_fit").astype({"card": "str", "bits": "str", "day": "str"})
    frame = frame[(frame["card"] == "24") & (frame["bits"] == "published")]
    columns = [
        Column("label", "family"),
        Column("day", "thirty days to", "day"),
        Column("value", "middle", "share"),
        Column("lower", unit="share"),
        Column("upper", unit="share"),
        Column("covered_repositories", "repositories read"),
        Column("population_repositories", "of"),
    ]
    frame = frame.sort_values(["label", "day"], kind="stable")
    return table(frame, columns, caption="What fits a card of 24 GB, as published")


def hardware_classes() -> Html:
    """Return downloads by class of size, all families, by all and by active parameters."""
    frame = tables.load("hardware_classes")
    frame = frame[frame["day"] == _CATALOGUE].copy()
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
        index=["basis", "class"], columns="label", values="share", sort=False, observed=True
    ).reset_index()
    wide["order"] = wide["class"].map(order)
    wide["basis"] = wide["basis"].map({"total": "all parameters", "active": "the active part"})
    wide = wide.sort_values(["basis", "order"], kind="stable")
    families = [c for c in wide.columns if c not in ("basis", "class", "order")]
    columns = [Column("class", "size"), Column("basis", "counted by")]
    columns += [Column(str(name), unit="share") for name in families]
    day = numbers.format_day(_CATALOGUE)
    return table(wide, columns, caption=f"Downloads by size, {day}: part of each family's own")


def hardware_distinct() -> Html:
    """Return the distinct sizes in which the families come."""
    frame = tables.load("hardware_distinct")
    frame = frame[frame["day"] == _MONTH].sort_values("sizes", ascending=False, kind="stable")
    columns = [
        Column("label", "family"),
        Column("sizes", "distinct sizes"),
        Column("sizes_that_fit", "of these below the line"),
        Column("smallest_billion", "smallest (billion)"),
        Column("largest_billion", "largest (billion)"),
        Column("models"),
        Column("mixtures", "repositories with a mixture of experts"),
        Column("listed", "all of them (billion)"),
    ]
    day = numbers.format_day(_MONTH)
    return table(frame, columns, caption=f"Sizes offered by {day}", stacked=True)


def hardware_overheads() -> Html:
    """Return what another amount of room on top of the weights would change."""
    frame = tables.load("hardware_overheads")
    frame = frame[(frame["day"] == _CATALOGUE) & (frame["card"].astype("str") == "24")]
    wide = frame.pivot_table(
        index=["overhead", "largest_parameters"], columns="label", values="value", sort=False
    ).reset_index()
    families = [c for c in wide.columns if c not in ("overhead", "largest_parameters")]
    columns = [
        Column("overhead", "memory over bare weights"),
        Column("largest_parameters", "largest model at sixteen bits (parameters)", "count"),
        *(Column(str(name), unit="share") for name in families),
    ]
    return table(wide, columns, caption="What fits a card of 24 GB if the rest needs more or less")


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
    shown = table(frame, columns, caption="Where the sizes were read")
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
