"""What the page on where the numbers come from calls."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.present import numbers
from analysis.present.figure import figure
from analysis.present.lanes import lanes
from analysis.present.markup import Html, escape, join, paragraph, safe_link
from analysis.present.tables import Column, table

#: The time axis of the graph begins here; what is older is drawn at its left end.
_SINCE: Final = "2025-01-15"
_REPEATS: Final = ("documented", "inferred")
#: What was dropped, in words of a reader.
_WORDS: Final = {
    "population": "of what",
    "period": "for when",
    "unit": "in what unit",
    "definition": "what exactly was counted",
    "qualifier": "a limit",
}
_LINKS: Final = {
    "first": "the first that we know",
    "apart": "another count",
    "documented": "repeats the one before, as a text says",
    "inferred": "repeats, as we infer",
}


def _listed(words: Any) -> list[str]:
    return [] if pd.isna(words) else [word for word in str(words).split("; ") if word]


def _in_words(words: Any) -> str | None:
    return ", ".join(_WORDS[word] for word in _listed(words)) or None


def _said(value: object, unit: object) -> str:
    """Return a published value, short: ``113 thousand``, ``41 %``, ``35,687``."""
    text, words = str(value).removesuffix(".0"), str(unit).split(",")[0]
    if text.replace(".", "", 1).isdigit() and "." not in text and len(text) > 4:
        text = f"{int(text):,}"
    first = words.split(" ")[0]
    if first in ("thousand", "million", "billion"):
        return f"{text}\u00a0{first}"
    return f"{text}\u00a0%" if first == "percent" and " of " not in text else text


def in_short() -> Html:
    """Return the answer: how the figures reached the article, and what went on the way."""
    frame = tables.load("provenance_figures")
    known = frame[frame["source"].notna()]
    inferred = int((known["link"] == "inferred").sum())
    lost = {word: int(known["dropped"].map(_listed).map(lambda w, x=word: x in w).sum())
            for word in _WORDS}  # fmt: skip
    quick = known[known["gap_high"].notna()]
    own = int(known["dropped_by_article"].map(_listed).map(lambda w: "population" in w).sum())
    said: list[object] = [
        "Of the ",
        numbers.graded(str(len(frame)), "computed"),
        " figures of the article that we follow ",
        numbers.graded(str(len(known)), "inferred"),
        " were said before by somebody else. For ",
        numbers.graded(str(inferred), "inferred"),
        (
            " of them no text says where the article has them from, and we name the earlier text "
            "that fits best. As the article has them, "
        ),
        numbers.graded(str(lost["population"]), "inferred"),
        " do not say any more of what they were counted (",
        numbers.graded(str(own), "inferred"),
        " lost it in the article itself, the others before), ",
        numbers.graded(str(lost["period"]), "inferred"),
        " for when, and ",
        numbers.graded(str(lost["definition"]), "inferred"),
        " what exactly was counted. ",
    ]
    if len(quick):
        near = int((quick["gap_high"] <= 31).sum())
        oldest = quick.sort_values("gap_low", kind="stable").iloc[-1]
        said += [
            "Where the days are known, ",
            numbers.graded(str(near), "inferred"),
            " were a month old or less when the article took them up; the oldest, \u201c",
            str(oldest["title"]),
            "\u201d, ",
            numbers.graded(f"{int(oldest['gap_low'])} days", "inferred"),
            ".",
        ]
    return paragraph(*said)


def _words_of(part: list[dict[Any, Any]]) -> str:
    """Return the values of a chain in a line: an arrow for a repetition, a point for another."""
    line = _said(part[0]["value"], part[0]["unit"])
    for before, row in pairwise(part):
        sign = "→" if row["link"] in _REPEATS and row["repeats"] == before["id"] else "·"
        line += f" {sign} {_said(row['value'], row['unit'])}"
    return line


def graph() -> Html:
    """Return the graph: a lane a figure, its statements by day, lines where one repeats."""
    frame = tables.load("provenance_statements")
    short = tables.load("provenance_figures")
    article = str(frame.loc[frame["id"] == "article", "stated_first"].iloc[0])
    rows, ties, told = [], [], []
    for _, group in frame.groupby("chain", sort=False):
        part = group.to_dict("records")
        words, days = _words_of(part), {}
        used = {row["repeats"] for row in part if isinstance(row["repeats"], str)}
        latest = _SINCE
        for row in part:
            if isinstance(row["stated_first"], str):
                first, last = row["stated_first"], row["stated_last"]
                latest = first
            else:
                # Undated: somewhere between the statement before and the article.
                first, last = latest, article
            days[row["id"]] = _middle(first, last)
            kind = "article" if row["id"] == "article" else "said" if (
                row["id"] in used or row["link"] in _REPEATS) else "apart"  # fmt: skip
            rows.append(
                {"lane": row["title"], "words": words, "first": first, "last": last, "kind": kind}
            )
            if isinstance(row["repeats"], str):
                ties.append(
                    {
                        "lane": row["title"],
                        "from": days[row["repeats"]],
                        "to": days[row["id"]],
                        "sure": row["link"] == "documented",
                    }
                )
        told.append(f"{part[0]['title']}: {words}")
    drawn, lines = pd.DataFrame(rows), pd.DataFrame(ties)
    lost = short["dropped"].map(_listed).map(lambda words: "population" in words)
    sure = int((short["link"] == "documented").sum())
    return figure(
        lambda width: lanes(
            drawn.assign(words=[
                textwrap.shorten(words, 48 if width < 480 else 90, placeholder=" …")
                for words in drawn["words"]
            ]),
            lines, width, since=_SINCE, until=_later(article),
        ),
        id="provenance",
        title=(
            f"{int(lost.sum())} of {len(short)} figures do not say any more of what they were "
            f"counted; for {sure} the article names a source"
        ),
        subtitle=(
            "Each lane is a figure of the article, with every earlier statement of it that we "
            "know, by the day it was made; as published, not recomputed here"
        ),
        alt="Statements in order of day, an arrow where one repeats the one before, a point where "
        f"it is another count. {'; '.join(told)}.",
        data=frame[["title", "id", "value", "unit", "stated_first", "stated_last", "link",
                    "repeats", "dropped", "grade"]],
        columns=[
            Column("title", "figure"),
            Column("id", "statement"),
            Column("value"),
            Column("unit"),
            Column("stated_first", "said on"),
            Column("link"),
            Column("repeats"),
            Column("dropped"),
            Column("grade"),
        ],
        note=(
            "Square: the article. Circle: a statement that is repeated, or repeats. Diamond, "
            "hollow: another count. Line: a repetition that a text documents; dashed: one that we "
            "infer. Bar: the day is known no better. Arrow at the left: older."
        ),
    )  # fmt: skip


def _middle(first: str, last: str) -> str:
    low, high = pd.Timestamp(first), pd.Timestamp(last)
    return str((low + (high - low) / 2).date())


def _later(day: str) -> str:
    return str((pd.Timestamp(day) + pd.Timedelta(days=12)).date())


def _gap(low: Any, high: Any) -> object:
    if pd.isna(low):
        return None
    text = f"{int(low)}" if low == high else f"{int(low)} to {int(high)}"
    return numbers.graded(f"{text} days", "inferred")


def figures() -> Html:
    """Return a table of the figures: what each repeats, and what was dropped on the way."""
    frame = tables.load("provenance_figures")
    known = tables.load("provenance_statements")
    rows = []
    for row in frame.to_dict("records"):
        source = known[(known["chain"] == row["chain"]) & (known["id"] == row["source"])]
        rows.append(
            {
                "title": safe_link(f"{row['claim']}.html", row["title"]),
                "source": "none known" if source.empty else _document(source.iloc[0].to_dict()),
                "gap": _gap(row["gap_low"], row["gap_high"]),
                "link": {"apart": "does not apply"}.get(row["link"], row["link"]),
                "way": _in_words(row["dropped_on_the_way"]),
                "dropped": _in_words(row["dropped_by_article"]),
            }
        )
    columns = [
        Column("title", "figure"),
        Column("source", "said before by"),
        Column("gap", "before the article"),
        Column("link", "that the article has it from there is"),
        Column("way", "not said any more before the article"),
        Column("dropped", "not said any more in the article"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="Where each figure was before, and what was lost on the way",
        stacked=True,
    )


def _document(row: dict[Any, Any]) -> Html:
    text = str(row["document"])
    if not pd.isna(row["authors"]) and not text.startswith(str(row["authors"])):
        text = f"{row['authors']}, {text}"
    return Html(escape(text)) if pd.isna(row["url"]) else pages._cited(str(row["url"]), text)


def _day(row: dict[Any, Any]) -> str:
    if pd.isna(row["stated_first"]):
        return "undated"
    if row["stated_first"] == row["stated_last"]:
        return numbers.format_day(str(row["stated_first"]))
    return numbers.format_day(str(row["stated_first"])[:7])


def statements() -> Html:
    """Return every statement of every figure, one unfolding table a figure."""
    frame = tables.load("provenance_statements")
    columns = [
        Column("source", "by whom"),
        Column("day", "on"),
        Column("value"),
        Column("counted", "what was counted"),
        Column("population", "of what, as the table of published figures has it"),
        Column("describes", "for when"),
        Column("link", "it is"),
        Column("gap", "days since the one above"),
        Column("dropped", "not said any more"),
        Column("reason", "how we read it"),
    ]
    blocks = []
    for _, group in frame.groupby("chain", sort=False):
        rows = []
        for row in group.to_dict("records"):
            rows.append(
                {
                    "source": _document(row),
                    "day": _day(row),
                    "value": numbers.graded(
                        f"{str(row['value']).removesuffix('.0')} {row['unit']}", str(row["grade"])
                    ),
                    "counted": row["counted"],
                    "population": row["population"],
                    "describes": row["describes"],
                    "link": _LINKS[str(row["link"])],
                    "gap": _gap(row["gap_low"], row["gap_high"]),
                    "dropped": _in_words(row["dropped"]),
                    "reason": row["reason"],
                }
            )
        title = str(group["title"].iloc[0])
        shown = table(pd.DataFrame(rows, dtype=object), columns, caption=title, stacked=True)
        blocks.append(
            Html(
                f"<details><summary>{escape(title)} ({len(rows)} statements)</summary>{shown}"
                "</details>"
            )
        )
    return join(blocks)


_SIGNS: Final = {"share": "/", "ratio": "/", "sum": "+", "difference": "\u2212"}


def contradictions() -> Html:
    """Return the published figures that do not fit together, with what follows from them."""
    frame = tables.load("provenance_contradictions")
    rows = []
    for row in frame.to_dict("records"):
        a, b = (
            numbers.graded(
                _said(row[f"{side}_value"], row[f"{side}_unit"]),
                "published",
                f"{row[f'{side}_population']}; {row[f'{side}_describes']}",
            )
            for side in ("a", "b")
        )
        if row["compute"] == "passed":
            result = numbers.graded(
                f"{numbers.format_day(row['first'])} to {numbers.format_day(row['last'])}",
                "inferred",
            )
            sides = join([a, ", counted back to ", b])
        else:
            value = f"{float(row['result']):.1f}".removesuffix(".0")
            unit = {"percent": "%", "percent points": "points", "thousand": "thousand"}[row["unit"]]
            result = numbers.graded(f"{value}\u00a0{unit}", "inferred")
            sides = join([a, f" {_SIGNS[row['compute']]} ", b])
        if isinstance(row["against_value"], str) or not pd.isna(row["against_value"]):
            beside = f"{float(row['against_value']):g}\u00a0%"
            result = join([result, " beside ", numbers.graded(beside, "published")])
        rows.append(
            {
                "title": row["title"],
                "sides": sides,
                "result": result,
                "kind": row["kind"],
                "reason": row["reason"],
            }
        )
    columns = [
        Column("title", "what"),
        Column("sides", "put together"),
        Column("result", "gives"),
        Column("kind", "they are"),
        Column("reason", "how we read it"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="Published figures that do not fit together",
        stacked=True,
    )


def passing() -> Html:
    """Return when the number of derivatives was passed, by later rates, as a paragraph."""
    frame = tables.load("provenance_contradictions")
    row = frame[frame["compute"] == "passed"].iloc[0]
    stated = tables.load("provenance_statements")
    said = stated[stated["id"] == row["b_id"]].iloc[0]
    return paragraph(
        "Hugging Face gives ",
        numbers.graded(_said(row["b_value"], row["b_unit"]), "published"),
        " derivatives of Qwen \u201c",
        str(said["describes"]).partition(" (")[0],
        "\u201d, and for ",
        numbers.graded(numbers.format_day(str(row["a_describes"])), "published"),
        " ",
        numbers.graded(f"{float(row['a_value']):,.0f}", "published"),
        " with the rates at which the number grows. Counted back at these rates it was passed "
        "between ",
        numbers.graded(numbers.format_day(row["first"]), "inferred"),
        " and ",
        numbers.graded(numbers.format_day(row["last"]), "inferred"),
        ". If growth was slower before, the day is an earlier one.",
    )


def foot() -> Html:
    """Return the explanation of the marks."""
    return numbers.legend()
