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
    "unread": ("own licence, text not read", ("unread",)),
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
    grade = str(own["grade"].iloc[0])
    silent = int(own.loc[["unread", "unknown"], "repositories"].sum())

    def part(column: str, *names: str) -> Html:
        return numbers.percent(float(own.loc[list(names), column].sum()), grade, places=0)

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
        numbers.count(silent, grade),
        f" of {int(own['of'].iloc[0])} no licence is known, or not its text.",
    )


def names() -> Html:
    """Return from where the names of the licences are that the catalogues call `other`."""
    frame = tables.load("terms_names").sort_values("day", kind="stable")
    row = frame.iloc[0]
    return paragraph(
        f"Of the {int(row['repositories'])} repositories in the catalogues of "
        f"{numbers.format_day(str(row['day']))} ",
        numbers.count(int(row["other"]), str(row["grade"])),
        " declare a licence that is none of the Hub's list. For ",
        numbers.count(int(row["named"]), str(row["grade"])),
        " of them our files give a name: for ",
        numbers.count(int(row["named_later"]), str(row["grade"])),
        " of these only files from after that day do, and for ",
        numbers.count(int(row["inherited"]), str(row["grade"])),
        " of those it is the name at the repository that they copy.",
    )


def by_downloads() -> Html:
    """Return how free the licences are by downloads and by repositories, in each file."""
    frame = tables.load("terms_shares")
    frame = frame[(frame["makers"] == "china") & (frame["terms"] == "free")]
    frame = frame.sort_values("day", kind="stable")
    freer = int((frame["downloads_share"] > frame["share"]).sum())
    many = "all" if freer == len(frame) else f"{freer} of"
    said = [
        join(
            [
                numbers.percent(float(row["downloads_share"]), str(row["grade"]), places=0),
                " against ",
                numbers.percent(float(row["share"]), str(row["grade"]), places=0),
                f" ({numbers.format_day(str(row['day']))})",
            ]
        )
        for row in frame.to_dict("records")
    ]
    return paragraph(
        f"In {many} {len(frame)} files the part that is free for anyone is larger by downloads "
        "than by repositories: ",
        join(said, ", "),
        ".",
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
        "things, so one bar above another is no change in time. In the first two files names of "
        "licences enter that were read later.",
        **_sources(),
    )


def _others(listed: int) -> str:
    return "DeepSeek" if listed == 1 else f"{listed} other makers"


def newest() -> Html:
    """Return the largest new models with their licences, and what was published of them."""
    frame = tables.load("terms_newest")
    bound = frame[~frame["conditions"].isin(["none", "not known"])]
    silent = int((frame["conditions"] == "not known").sum())
    top = frame.head(2)
    lead = paragraph(
        f"Of the {len(frame)} largest models of 2026 among those that our files list ",
        numbers.count(int((frame["conditions"] == "none").sum()), "computed"),
        " are free for anyone, ",
        numbers.count(len(bound), "computed"),
        " bear a licence with conditions, or of the maker's own, "
        + (f"and of {silent} the licence is not known, " if silent else "")
        + "by what they declare. The two largest, ",
        numbers.listed(top["repository_id"]),
        ", "
        + (
            "bear one of the maker's own."
            if top["repository_id"].isin(bound["repository_id"]).all()
            else "do not both bear one of the maker's own."
        )
        + " The newest file, of August 2026, leaves out what declares a closed licence, so a "
        "large model that is not free may be missing here.",
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
        "That a licence of the maker's own adds conditions is inferred from its having a name of "
        "its own. ",
        numbers.graded("Published", "published"),
        f" by {said['authors']}, {said['document']}: {said['statement']}. The texts are not among "
        "our files.",
    )
    return join([lead, shown, note])


def index() -> Html:
    """Return what an index says of commercial use: a stranger's reading, in no number of ours."""
    frame = tables.load("terms_index")
    if frame.empty:
        return paragraph("No index among our files says which licences allow commercial use.")
    no = frame[frame["forbidden"] > 0]
    lead = paragraph(
        "Some licences whose texts we lack were read by others. An index of quality, on its page "
        f"of {numbers.format_day(str(frame['version'].iloc[0])[-10:])}, after the article, lists ",
        numbers.count(int(frame["models"].sum()), "published"),
        " open models of Chinese makers. Of ",
        numbers.count(int(frame["allowed"].sum()), "published"),
        " it says that their licence allows commercial use, of ",
        numbers.count(int(frame["forbidden"].sum()), "published"),
        *((" (", numbers.listed(no["licence"]), ")") if len(no) else ()),
        " that it does not, and of ",
        numbers.count(int(frame["not_said"].sum()), "published"),
        " nothing. It is the index's reading, and does not say up to which line; it enters no "
        "number of ours.",
    )
    columns = [
        Column("licence", "licence, as the index names it"),
        Column("makers"),
        Column("models"),
        Column("allowed", "commercial use allowed"),
        Column("forbidden", "not allowed"),
        Column("not_said", "not said"),
        Column("grade"),
    ]
    caption = "Commercial use by licence, as an index reads it"
    return join([lead, table(frame, columns, caption=caption)])


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
            "policy": "none named"
            if pd.isna(row["policy_line"])
            else line(str(row["text"]), row["policy_line"]),
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
        " licence texts that we have grant use without charge, the one for research among them, "
        "and say worldwide of the grant: what binds is not money but a number of users, or the "
        "purpose. ",
        numbers.count(int(frame["policy_line"].notna().sum()), "computed"),
        " of them, Llama's, make a use policy part of the agreement. That of Llama 3 stands inside "
        "its text; the others are not among our files, and two of them (Llama 3.2 and 4) are said "
        "to leave out the European Union. So the texts alone do not tell that use is free "
        "anywhere.",
    )
    columns = [
        Column("text", "licence text"),
        Column("free", "royalty-free"),
        Column("worldwide", "says worldwide"),
        Column("policy", "use policy"),
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
        "\u201cHas more\u201d needs one wave, \u201cgrows faster\u201d needs two. The share is "
        "an assumption, taken from a figure that others published for all open models together, "
        "so all numbers here are inferred.",
        kind="omr-note",
    )
    return join([shown, note])


def survey_words() -> Html:
    """Return how the number of firms depends on the difference."""
    frame = tables.load("terms_survey")

    def firms(compared: str, difference: float) -> Html:
        row = frame[(frame["compared"] == compared) & (frame["difference"] == difference)]
        return numbers.count(float(row["firms"].iloc[0]), "inferred")

    small, large = float(frame["difference"].min()), float(frame["difference"].max())
    return paragraph(
        "How many firms it takes depends on the difference. To see one of "
        f"{100 * large:.0f} points, ",
        firms("shares", large),
        " in each region suffice, and ",
        firms("changes", large),
        f" in each wave where changes are compared; for one of {100 * small:.0f} points it takes ",
        firms("shares", small),
        " and ",
        firms("changes", small),
        ". A smaller share to begin with needs fewer firms for the same number of points.",
    )
