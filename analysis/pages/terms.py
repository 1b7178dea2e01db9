"""What the pages on licence cost and on the forecast for Europe call: figures and tables."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.present import numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph, safe_link
from analysis.present.stacks import stacked_rows
from analysis.present.tables import Column, table

_COST: Final = "zero-licence-cost"
#: Parts of the bars, from free to not known, with their words, and the classes in each.
_PARTS: Final = {
    "free": ("free for anyone", ("free",)),
    "below": ("free below a line", ("bound", "public")),
    "unread": ("own conditions, text not read", ("unread",)),
    "research": ("research only", ("research",)),
    "unknown": ("licence not known", ("unknown",)),
}
_MAKERS: Final = {"china": "All listed", "qwen": "Qwen", "others": "Not Alibaba's"}


def _sources(**more: Any) -> dict[str, Any]:
    return {**pages._behind(_COST), **more}


def _parts(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum the classes into the parts drawn."""
    of = {kind: part for part, (_, kinds) in _PARTS.items() for kind in kinds}
    frame = frame.assign(part=frame["terms"].map(of))
    keys = ["day", "version", "lists", "makers", "makers_listed", "part", "of", "whole", "grade"]
    sums = ["repositories", "share", "downloads_30d", "downloads_share"]
    return frame.groupby(keys, sort=False, as_index=False)[sums].sum()


def in_short() -> Html:
    """Return what costs nothing by repositories and by downloads, and what is not known."""
    frame = _parts(tables.load("terms_shares"))
    first = str(frame["day"].min())
    own = frame[(frame["day"] == first) & (frame["makers"] == "china")].set_index("part")
    silent = int(own.loc[["unread", "unknown"], "repositories"].sum())

    def part(column: str, *names: str) -> Html:
        return numbers.percent(float(own.loc[list(names), column].sum()), "computed", places=0)

    return paragraph(
        f"In the complete catalogues of {numbers.format_day(first)} ",
        part("share", "free"),
        " of the repositories of Qwen and DeepSeek, with ",
        part("downloads_share", "free"),
        " of the downloads, are free for anyone. Another ",
        part("share", "below"),
        " are free for whoever stays below a number of users. ",
        part("share", "research"),
        " are for research only, with ",
        part("downloads_share", "research"),
        " of the downloads. Of ",
        numbers.count(silent, "computed"),
        f" of {int(own['of'].iloc[0])} no licence is known, or not its text.",
    )


def by_file() -> Html:
    """Return what the licences cost, by file and makers."""
    frame = _parts(tables.load("terms_shares"))
    frame = frame[frame["makers"] != "china"].reset_index(drop=True)
    frame["label"] = [
        f"{_MAKERS[maker] if maker == 'qwen' else _others(int(listed))}, "
        f"{numbers.format_day(str(day))}: {int(of)}"
        for maker, day, of, listed in zip(
            frame["makers"], frame["day"], frame["of"], frame["makers_listed"], strict=True
        )
    ]
    words = {name: text for name, (text, _) in _PARTS.items()}
    free = frame[frame["part"] == "free"]
    said = [
        f"{label} repositories, {numbers.format_percent(float(share), 0)}"
        for label, share in zip(free["label"], free["share"], strict=True)
    ]
    least, most = float(free["share"].min()), float(free["share"].max())
    return figure(
        lambda width: stacked_rows(frame, width, parts=list(_PARTS), words=words),
        id="terms-by-file",
        title=(
            f"{numbers.format_percent(least, 0)} to {numbers.format_percent(most, 0)} of the "
            "repositories are free for anyone, by file and maker"
        ),
        subtitle=(
            "Licences of repositories of Chinese makers in four files: complete catalogues "
            "(October 2025), the most trending (4 May 2026), and two selections from after the "
            "article"
        ),
        alt=f"Free for anyone: {'; '.join(said)}.",
        data=frame[
            ["day", "makers", "part", "repositories", "of", "share", "downloads_share", "grade"]
        ],
        columns=[
            Column("day", unit="day"),
            Column("makers"),
            Column("part", "what the licence costs"),
            Column("repositories"),
            Column("of"),
            Column("share", unit="share"),
            Column("downloads_share", "of the downloads", "share"),
            Column("grade"),
        ],
        note="The number after the day is that of the repositories. The files list different "
        "things, so one bar above another is no change in time.",
        **_sources(),
    )


def _others(listed: int) -> str:
    return "DeepSeek" if listed == 1 else f"{listed} other makers"


def newest() -> Html:
    """Return the largest new models with their licences, and what was published of them."""
    frame = tables.load("terms_newest")
    bound = frame[frame["conditions"] == "yes"]
    top = frame.head(2)
    lead = paragraph(
        f"Of the {len(frame)} largest models that came in 2026 ",
        numbers.count(int((frame["conditions"] == "none").sum()), "computed"),
        " are free for anyone, ",
        numbers.count(len(bound), "computed"),
        " bear a licence of the maker's own. The two largest, ",
        numbers.listed(top["repository_id"]),
        ", "
        + (
            "are among the latter."
            if (top["conditions"] == "yes").all()
            else "are not both among the latter."
        ),
    )
    rows = [
        {
            "model": str(row["repository_id"]),
            "created": row["created"],
            "size": f"{float(row['parameters']) / 1e9:,.0f} billion",
            "licence": str(row["licence"]),
            "conditions": str(row["conditions"]),
            "gated": {"True": "yes", "False": "no"}.get(str(row["gated"]), "not told"),
            "read": row["read_on"],
            "grade": str(row["grade"]),
        }
        for row in frame.to_dict("records")
    ]
    columns = [
        Column("model"),
        Column("created", unit="day"),
        Column("size", "parameters"),
        Column("licence", "licence declared"),
        Column("conditions", "adds conditions"),
        Column("gated"),
        Column("read", "read on", "day"),
        Column("grade"),
    ]
    shown = table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="The largest models of Chinese makers created in 2026",
        stacked=True,
    )
    published = tables.load("reference/published-figures").set_index("id")
    said = published.loc["hf-summer-licence-turn"]
    note = paragraph(
        numbers.graded("Published", "published"),
        f" by {said['authors']}, {said['document']}: {said['statement']}. The texts are not among "
        "our files.",
    )
    return join([lead, shown, note])


def licences() -> Html:
    """Return every licence seen, with its class and why it is there."""
    frame = tables.load("terms_licences")
    columns = [
        Column("licence"),
        Column("label", "counts as"),
        Column("repositories"),
        Column("makers"),
        Column("grade"),
    ]
    reasons = frame.drop_duplicates("label")
    items = [
        join([Html("<strong>"), str(row["label"]), Html("</strong>: "), str(row["reason"])])
        for row in reasons.to_dict("records")
    ]
    listed = Html(f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>")
    return join(
        [
            table(
                frame,
                columns,
                caption="Licences of Chinese makers' repositories, all our files together",
            ),
            listed,
        ]
    )


def grants() -> Html:
    """Return what the licence texts grant, with the lines."""
    frame = tables.load("terms_grants")
    links = {
        str(item["name"]): str(item.get("url") or "")
        for item in pages.claim(_COST).record["inputs"]
    }

    def line(name: str, number: object) -> object:
        if pd.isna(number):  # type: ignore[call-overload]
            return "not found"
        return safe_link(links.get(name, ""), f"line {int(str(number).partition('.')[0])}")

    rows = [
        {
            "text": str(row["text"]).removeprefix("licence-"),
            "free": line(str(row["text"]), row["free_line"]),
            "worldwide": line(str(row["text"]), row["worldwide_line"]),
            "users": "none"
            if pd.isna(row["users"])
            else f"{numbers.format_count(float(row['users']))} users",
            "commercial": "no commercial use"
            if not pd.isna(row["non_commercial_line"])
            else "commercial use",
            "grade": str(row["grade"]),
        }
        for row in frame.to_dict("records")
    ]
    both = int((frame["free_line"].notna() & frame["worldwide_line"].notna()).sum())
    every = "All" if both == len(frame) else f"{both} of"
    lead = paragraph(
        f"{every} ",
        numbers.count(len(frame), "computed"),
        " licence texts that we have grant use without charge and anywhere in the world, the one "
        "for research among them: what binds is not money but a number of users, or the purpose.",
    )
    columns = [
        Column("text", "licence text"),
        Column("free", "royalty-free"),
        Column("worldwide"),
        Column("users", "line drawn at"),
        Column("commercial", "for"),
        Column("grade"),
    ]
    caption = "What the licence texts among our files grant"
    shown = table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)
    return join([lead, shown])


def gated() -> Html:
    """Return how many repositories of Chinese makers are gated, where a file tells."""
    frame = tables.load("terms_gated")
    if frame.empty:
        return paragraph("No file of ours tells which repositories are gated.")
    row = frame.iloc[-1]
    return paragraph(
        "Gated: ",
        numbers.value(int(row["gated"]), "count", "computed"),
        " of ",
        numbers.value(int(row["repositories"]), "count", "computed"),
        f" repositories of {int(row['makers'])} Chinese makers in the one file that tells, "
        f"{numbers.format_day(str(row['day']))}. A gate asks for an account and a click, not for "
        "money.",
    )


def survey() -> Html:
    """Return how many firms a survey would have to ask."""
    frame = tables.load("terms_survey")
    first = frame.iloc[0]
    rows = []
    for difference, part in frame.groupby("difference", sort=True):
        by = part.set_index("compared")
        rows.append(
            {
                "difference": f"{100 * float(str(difference)):.0f} points",
                "shares": numbers.count(float(str(by.loc["shares", "firms"])), "inferred"),
                "changes": numbers.count(float(str(by.loc["changes", "firms"])), "inferred"),
                "all": numbers.count(float(str(by.loc["changes", "in_all"])), "inferred"),
            }
        )
    columns = [
        Column("difference", "difference to be seen"),
        Column("shares", "firms in each region, asked once"),
        Column("changes", "in each region and wave, asked twice"),
        Column("all", "of these in all"),
    ]
    shown = table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="Firms that a survey has to ask to tell two regions apart",
        stacked=True,
    )
    note = paragraph(
        f"For a share of {numbers.format_percent(float(first['base']), 0)} in the region with "
        f"less, {numbers.format_percent(float(first['confidence']), 0)} confidence and a chance of "
        f"{numbers.format_percent(float(first['power']), 0)} to find a true difference. "
        "\u201cHas more\u201d needs one wave, \u201cgrows faster\u201d needs two.",
        kind="omr-note",
    )
    return join([shown, note])
