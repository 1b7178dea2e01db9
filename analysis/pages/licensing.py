"""What the pages on licences and their thresholds call: finished figures and tables."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.present import numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph, safe_link
from analysis.present.stacks import stacked_rows
from analysis.present.tables import Column, table

_APACHE: Final = "licence-apache"
_LLAMA: Final = "llama-100m-threshold"
#: Kinds of licences in the order drawn, with their words.
_KINDS: Final = {
    "apache": "Apache 2.0",
    "permissive": "MIT and the like",
    "conditions": "the maker's conditions",
    "research": "research only",
    "unknown": "not known",
}
_FAMILIES: Final = {
    "qwen": "Qwen",
    "llama": "Llama",
    "gemma": "Gemma",
    "mistral": "Mistral",
    "deepseek": "DeepSeek",
    "gpt-oss": "gpt-oss",
}
_MEASURES: Final = {"repositories": "repositories", "downloads_30d": "30-day downloads"}
#: Day of the complete catalogues.
_CATALOGUE: Final = "2025-10-12"


def _users(value: float, grade: str) -> Html:
    """Return a number of users as the texts write it, "700 million"."""
    return numbers.graded(f"{value / 1e6:,.0f}\u00a0million", grade)


def _links(id: str) -> dict[str, str]:
    """Return the addresses of the raw files behind a claim."""
    record = pages.claim(id).record
    return {str(item["name"]): str(item.get("url") or "") for item in record["inputs"]}


def _place(links: dict[str, str], name: str, line: object) -> Html:
    """Return a line number as a link to the text, "none" where there is none."""
    if pd.isna(line):  # type: ignore[call-overload]
        return Html('<span role="img" aria-label="none">–</span>')
    return safe_link(links.get(name, ""), f"line {int(line)}")  # type: ignore[call-overload]


def _title(name: str) -> str:
    """Name a licence text in words."""
    own = {
        "licence-qwen-apache": "Apache 2.0, as Qwen's code bears it",
        "licence-qwen-tongyi": "Tongyi Qianwen (Qwen)",
        "licence-qwen-research": "Tongyi Qianwen, research (Qwen)",
    }
    return own.get(name, name.removeprefix("licence-").replace("llama-", "Llama "))


#: The one text here that no maker of models wrote.
_COMMON: Final = "licence-qwen-apache"


def _whose(text: str, licensor: str) -> str:
    """Name who gives the licence, and for the Apache licence who wrote it as well."""
    return f"Apache Software Foundation, used by {licensor}" if text == _COMMON else licensor


def _dated(text: str, day: str) -> str:
    """Return the day that a text gives itself; that of the Apache licence is older than Qwen."""
    shown = numbers.format_day(day)
    return f"{shown}, of the Apache licence itself, not of Qwen" if text == _COMMON else shown


def newest() -> Html:
    """Return under which licences the repositories created in 2026 are, as a paragraph."""
    halves = tables.load("licence_halves")
    new = halves[(halves["family"] == "qwen") & (halves["half_year"].str[:4] == "2026")]
    known = new[new["kind"] != "unknown"].groupby("kind")["repositories"].sum()
    return paragraph(
        "Of the repositories created in 2026 whose licence we read ",
        numbers.value(int(known.get("apache", 0)), "count", "computed"),
        " of ",
        numbers.value(int(known.sum()), "count", "computed"),
        " bear Apache 2.0",
        join(_newest()),
        ".",
    )


def _newest() -> list[object]:
    """Name the exceptions among the repositories created in 2026, copies left out."""
    frame = tables.load("licence_exceptions")
    new = frame[
        (frame["created"].fillna("").str[:4] == "2026")
        & ~frame["copy"].astype(bool)
        & (frame["kind"] != "unknown")
    ].sort_values("created", kind="stable")
    if new.empty:
        return []
    named = [
        join([str(row["repository_id"]), f" of {numbers.format_day(str(row['created'])[:7])}"])
        for row in new.to_dict("records")
    ]
    return [
        "; the others are ",
        numbers.listed(named),
        " and its quantised copies" if len(named) == 1 else " and their quantised copies",
    ]


def thresholds() -> Html:
    """Return the number of users in each licence text, with the line of its sentence."""
    frame = tables.load("licence_thresholds")
    links = _links(_LLAMA)
    rows = [
        {
            "licence": _title(str(row["text"])),
            "licensor": _whose(str(row["text"]), str(row["licensor"])),
            "date": _dated(str(row["text"]), str(row["date"])),
            "users": Html('<span role="img" aria-label="none">none named</span>')
            if pd.isna(row["users"])
            else _users(float(row["users"]), str(row["grade"])),
            "place": _place(links, str(row["text"]), row["line"]),
        }
        for row in frame.to_dict("records")
    ]
    columns = [
        Column("licence"),
        Column("licensor", "whose"),
        Column("date", "the text's own day"),
        Column("users", "monthly active users"),
        Column("place", "sentence"),
    ]
    caption = "Monthly active users above which a licence must be asked for"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def sentences() -> Html:
    """Return the sentences with a number of users, each once where texts share the wording."""
    frame = tables.load("licence_thresholds")
    links = _links(_LLAMA)
    frame = frame[frame["sentence"].notna()]
    # The first text of each licensor: later ones differ in the version's name alone.
    frame = frame.sort_values(["date", "text"], kind="stable").drop_duplicates("licensor")
    rows = [
        {
            "licence": _title(str(row["text"])),
            "sentence": str(row["sentence"]),
            "place": _place(links, str(row["text"]), row["line"]),
        }
        for row in frame.to_dict("records")
    ]
    columns = [Column("licence"), Column("sentence", "in its words"), Column("place", "where")]
    caption = "The first sentence with a number of users, of each licensor"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def conditions() -> Html:
    """Return further conditions of the licence texts, each with its line."""
    frame = tables.load("licence_thresholds").set_index("text")
    known = tables.load("licence_conditions")
    links = _links(_LLAMA)
    rows = []
    for entry in known.to_dict("records"):
        lines = frame[str(entry["condition"])].dropna()
        places = [
            join([f"{_title(str(text))}: ", _place(links, str(text), line)])
            for text, line in lines.items()
        ]
        rows.append(
            {
                "condition": entry["label"],
                "places": join(places, "; ") if places else "in none of the texts",
                "reason": entry["reason"],
            }
        )
    columns = [
        Column("condition", "what the text asks"),
        Column("places", "where"),
        Column("reason", "why we look for it"),
    ]
    caption = "Further conditions, by the patterns of data/licences.toml"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def _figure_sources(id: str) -> dict[str, Any]:
    return {
        "sources": pages._inputs(pages.claim(id).record),
        "everything": f"{id}.html#the-data-behind-it",
    }


def rivals() -> Html:
    """Return kinds of licences by family, of repositories and of downloads, in October 2025."""
    frame = tables.load("licence_shares")
    rows = frame[frame["day"] == _CATALOGUE].copy()
    rows["label"] = [
        f"{_FAMILIES.get(str(f), str(f))}, {_MEASURES[str(m)]}"
        for f, m in zip(rows["family"], rows["measure"], strict=True)
    ]
    rows["order"] = [list(_FAMILIES).index(str(f)) for f in rows["family"]]
    rows["place"] = [list(_MEASURES).index(str(m)) for m in rows["measure"]]
    rows = rows.sort_values(["order", "place"], kind="stable").rename(columns={"kind": "part"})
    free = rows[rows["part"].isin(["apache", "permissive"]) & (rows["measure"] == "repositories")]
    ranked = free.groupby("family")["share"].sum().sort_values(ascending=False, kind="stable")
    first = str(ranked.index[0])
    qwen = float(ranked["qwen"])
    if first == "qwen":
        title = f"Qwen is the freest by licence: {numbers.format_percent(qwen, 0)} of repositories"
    else:
        title = (
            f"{numbers.format_percent(qwen, 0)} of Qwen's repositories bear a free licence, "
            f"{numbers.format_percent(float(ranked[first]), 0)} of {_FAMILIES[first]}'s"
        )
    apache = rows[rows["part"] == "apache"]
    return figure(
        lambda width: stacked_rows(rows, width, parts=list(_KINDS), words=_KINDS),
        id="licence-rivals",
        title=title,
        subtitle="Kinds of licences in the complete catalogues of "
        f"{numbers.format_day(_CATALOGUE)}, of repositories and of their 30-day downloads",
        alt="Under Apache 2.0: "
        + "; ".join(
            f"{row['label']} {numbers.format_percent(float(row['share']))}"
            for row in apache.to_dict("records")
        )
        + ".",
        data=rows[["family", "measure", "part", "count", "share", "repositories", "grade"]],
        columns=[
            Column("family"),
            Column("measure", "of what"),
            Column("part", "kind of licence"),
            Column("count", "repositories or downloads", "count"),
            Column("share", unit="share"),
            Column("repositories", "repositories in all"),
            Column("grade"),
        ],
        note="Free: Apache 2.0, MIT and the like, which allow commercial use at any scale. "
        "Not known: nothing declared, or a licence of the maker's own without a name. gpt-oss "
        "is in no complete catalogue.",
        **_figure_sources(_APACHE),
    )


def freer() -> Html:
    """Return which rivals are freer than Qwen by licence, and how much they are downloaded."""
    frame = tables.load("licence_shares")
    rows = frame[frame["day"] == _CATALOGUE]
    free = rows[rows["kind"].isin(["apache", "permissive"])]
    shares = free[free["measure"] == "repositories"].groupby("family")["share"].sum()
    downloads = rows[rows["measure"] == "downloads_30d"].groupby("family")["count"].sum()
    above = shares[shares > shares["qwen"]].sort_values(ascending=False, kind="stable")
    if above.empty:
        return paragraph("By licence no rival with a complete catalogue is freer than Qwen.")
    named = [
        join(
            [
                _FAMILIES.get(str(family), str(family)),
                ", ",
                numbers.percent(float(share), "computed", places=0),
                " of its repositories, had ",
                numbers.value(float(downloads[family]), "downloads", "computed"),
            ]
        )
        for family, share in above.items()
    ]
    return paragraph(
        "The licence alone does not explain the downloads. Freer by this count than Qwen: ",
        numbers.listed(named),
        " in thirty days, against Qwen's ",
        numbers.value(float(downloads["qwen"]), "downloads", "computed"),
        ".",
    )


def by_half_year() -> Html:
    """Return kinds of licences of Qwen's repositories by half-year of creation."""
    frame = tables.load("licence_halves")
    rows = frame[frame["family"] == "qwen"].rename(columns={"kind": "part"}).copy()
    rows["label"] = [
        f"{_half(str(half))}: {int(of)} repositories{'' if complete else ' known'}"
        for half, of, complete in zip(rows["half_year"], rows["of"], rows["complete"], strict=True)
    ]
    apache = rows[rows["part"] == "apache"].set_index("half_year")["share"]
    halves = list(dict.fromkeys(rows["half_year"]))
    seen = {half: float(apache.get(half, 0.0)) for half in halves}
    # Where what is not known could still turn the majority, nothing is said.
    unknown = rows[rows["part"] == "unknown"].set_index("half_year")["share"]
    early = [half for half in halves if seen[half] + float(unknown.get(half, 0.0)) < 0.5]
    late = [half for half in halves if seen[half] > 0.5]
    title = f"Apache 2.0 is Qwen's rule since the {_half(late[0])}" if late else "No rule"
    if early and late:
        title += f"; in the {_half(early[-1])} most bore other licences"
    return figure(
        lambda width: stacked_rows(rows, width, parts=list(_KINDS), words=_KINDS),
        id="licence-halves",
        title=title,
        subtitle="Kinds of licences of Qwen's repositories by the half-year in which they were "
        "created, all our files together",
        alt="Under Apache 2.0: "
        + "; ".join(f"{_half(half)} {numbers.format_percent(seen[half])}" for half in halves)
        + ".",
        data=rows[["half_year", "part", "repositories", "share", "of", "complete", "grade"]],
        columns=[
            Column("half_year", "half-year"),
            Column("part", "kind of licence"),
            Column("repositories"),
            Column("share", unit="share"),
            Column("of", "of"),
            Column("complete", "all repositories known"),
            Column("grade"),
        ],
        note="After October 2025 our files see the much downloaded and the new; of the others "
        "the licence is not known.",
        **_figure_sources(_APACHE),
    )


def _half(text: str) -> str:
    year, _, half = text.partition("-")
    return f"{'first' if half == '1' else 'second'} half of {year}"


def rivals_by_half_year() -> Html:
    """Return the part of each family's new repositories that bear a free licence, by half-year."""
    frame = tables.load("licence_halves")
    known = frame[frame["kind"] != "unknown"]
    sizes = known.groupby(["family", "half_year"])["repositories"].sum()
    free = known[known["kind"].isin(["apache", "permissive"])]
    parts = free.groupby(["family", "half_year"])["repositories"].sum()
    table_ = pd.DataFrame({"of": sizes, "free": parts}).fillna(0).astype("int64").reset_index()
    halves = sorted(set(table_["half_year"]))
    # The last half-year of which the catalogues are complete.
    whole = str(frame[frame["complete"].astype(bool)]["half_year"].max())
    then = table_[table_["half_year"] == whole]
    then = then.assign(share=then["free"] / then["of"])
    then = then.sort_values("share", ascending=False, kind="stable")
    said = [
        join([_FAMILIES[str(row["family"])], " ", numbers.percent(row["share"], "computed", "", 0)])
        for row in then.to_dict("records")
    ]
    rows = []
    for family, name in _FAMILIES.items():
        own = table_[table_["family"] == family].set_index("half_year")
        row: dict[str, Any] = {"family": name}
        for half in halves:
            of = int(own.loc[half, "of"]) if half in own.index else 0
            part = int(own.loc[half, "free"]) if of else 0
            row[half] = f"{part} of {of}" if of else None
        rows.append(row)
    columns = [Column("family"), *(Column(half, _half(half)) for half in halves)]
    lead = paragraph(
        f"In the {_half(whole)}, the last one that the catalogues hold in full, free licences "
        "were on ",
        numbers.listed(said),
        " of the new repositories whose licence we know.",
    )
    caption = (
        "New repositories under Apache 2.0, MIT or the like, of those whose licence we know, by "
        "half-year of creation; after October 2025 our files see part of each family"
    )
    return join(
        [lead, table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)]
    )


def exceptions(shown: int = 12) -> Html:
    """Return the repositories of Qwen that are not under Apache 2.0, copies left out.

    Parameters
    ----------
    shown : int
        Rows; the most downloaded first.
    """
    frame = tables.load("licence_exceptions")
    own = frame[~frame["copy"].astype(bool)]
    columns = [
        Column("repository_id", "repository"),
        Column("licence", "licence declared"),
        Column("created", "created", "day"),
        Column("downloads_30d_october", "30 days to October 2025", "downloads"),
        Column("downloads_all_time_may", "all time, May 2026", "downloads"),
    ]
    caption = (
        f"The {min(shown, len(own))} most downloaded of {len(own)} Qwen repositories not known to "
        f"be under Apache 2.0, without {len(frame) - len(own)} quantised copies"
    )
    head = own.head(shown).astype({c.name: "Float64" for c in columns if c.unit == "downloads"})
    head["repository_id"] = [str(name).partition("/")[2] for name in head["repository_id"]]
    return table(head, columns, caption=caption, stacked=True)


def largest_exception() -> Html:
    """Return a sentence on the most downloaded repository that is not under Apache 2.0."""
    frame = tables.load("licence_exceptions")
    known = frame[frame["kind"].isin(["conditions", "research"])]
    row = known.sort_values(
        ["downloads_30d_october", "repository_id"], ascending=[False, True], kind="stable"
    ).iloc[0]
    shares = tables.load("licence_shares")
    total = shares[
        (shares["day"] == _CATALOGUE)
        & (shares["family"] == "qwen")
        & (shares["measure"] == "downloads_30d")
    ]["count"].sum()
    part = float(row["downloads_30d_october"]) / float(total)
    more: list[object] = []
    if pd.notna(row["downloads_all_time_may"]):
        more = [
            ", and ",
            numbers.value(float(row["downloads_all_time_may"]), "downloads", "computed"),
            " of all time in May 2026",
        ]
    return paragraph(
        "The exceptions are not marginal. The most downloaded of them, ",
        str(row["repository_id"]),
        f" ({row['licence']}), had ",
        numbers.value(float(row["downloads_30d_october"]), "downloads", "computed"),
        " in the thirty days to October 2025, ",
        numbers.percent(part, "computed"),
        " of all of Qwen's",
        join(more),
        ". Its licence calls itself a licence for research; the text is not among our files."
        if row["kind"] == "research"
        else ". Its licence is one of the maker's own.",
    )


def sizes() -> Html:
    """Return kinds of licences of Qwen's repositories by size, of repositories and downloads."""
    frame = tables.load("licence_sizes")
    rows = []
    for size in dict.fromkeys(frame["size"]):
        own = frame[frame["size"] == size].set_index("kind")
        rows.append(
            {
                "size": size,
                "repositories": int(own["repositories"].sum()),
                "apache": float(own.loc["apache", "share"]),
                "apache_downloads": float(own.loc["apache", "downloads_share"]),
                "research_downloads": float(own.loc["research", "downloads_share"]),
                "unknown_downloads": float(own.loc["unknown", "downloads_share"]),
            }
        )
    columns = [
        Column("size", "parameters in the name"),
        Column("repositories"),
        Column("apache", "Apache 2.0, of repositories", "share"),
        Column("apache_downloads", "Apache 2.0, of downloads", "share"),
        Column("research_downloads", "research only, of downloads", "share"),
        Column("unknown_downloads", "not known, of downloads", "share"),
    ]
    caption = (
        f"Qwen's licences by size, {numbers.format_day(_CATALOGUE)}; downloads are those of thirty "
        "days"
    )
    return table(pd.DataFrame(rows), columns, caption=caption, stacked=True)


def statements() -> Html:
    """Return what Qwen's own texts say of the licences of a generation, with the line."""
    frame = tables.load("licence_statements")
    links = _links(_APACHE)
    rows = [
        {
            "day": numbers.format_day(str(row["day"])),
            "text": row["text"],
            "says": row["says"],
            "place": _place(links, str(row["text"]), row["line"]),
        }
        for row in frame.to_dict("records")
    ]
    columns = [
        Column("day", "text of"),
        Column("says", "what it says, in our words"),
        Column("text", "file"),
        Column("place", "where"),
    ]
    caption = "What the maker says of its licences"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def agreement() -> Html:
    """Return how often two files give the same licence for one repository, as a sentence."""
    frame = tables.load("licence_agreement")
    both, same = int(frame["both"].sum()), int(frame["same"].sum())
    stand_in = (
        " cases. None changed between two readings, so one of another day may stand in."
        if same == both
        else " cases. A reading of another day stands in, which can be wrong where they differ."
    )
    return paragraph(
        "Where two of the three files read one repository, they give the same licence in ",
        numbers.value(same, "count", "computed"),
        " of ",
        numbers.value(both, "count", "computed"),
        stand_in,
    )


def gated() -> Html:
    """Return how many repositories of each family are gated, where a file tells."""
    frame = tables.load("licence_gated")
    frame = frame[frame["repositories"] > 0].reset_index(drop=True)
    frame["family"] = [_FAMILIES.get(str(f), str(f)) for f in frame["family"]]
    columns = [
        Column("family"),
        Column("repositories", "repositories in the file"),
        Column("gated", "of them gated"),
    ]
    caption = f"Gated repositories, {numbers.format_day(str(frame['day'].iloc[0]))}"
    return table(frame, columns, caption=caption, stacked=True)
