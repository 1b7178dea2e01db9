"""What the one-page summary calls: a table a group of claims, and how to quote it."""

from __future__ import annotations

from typing import Final

import pandas as pd

from analysis import pages, tables
from analysis.present import numbers
from analysis.present.markup import Html, escape, join, paragraph, safe_link
from analysis.present.tables import csv_anchor, shape_key, verdict

_AXES: Final = {"recreated": "recreated", "robust": "robust", "later": "later data"}


def _frame() -> pd.DataFrame:
    return tables.load("summary")


def in_short() -> Html:
    """Return how many claims the page answers, and how many of them cannot be checked."""
    frame = _frame()
    shut = frame[(frame["specifications"] == 0) & (frame["recreated"] != "open")]
    waiting = int((frame["recreated"] == "open").sum())
    answered = len(frame) - len(shut) - waiting
    parts = [f"{answered} can be asked of data, each in several ways"]
    if len(shut):
        parts.append(f"{len(shut)} cannot be checked with any file of ours")
    if waiting:
        parts.append(f"{waiting} have not been checked yet")
    return paragraph(
        f"An article of May 2026 makes {len(frame)} claims on the use of open models. Of these "
        f"{numbers.listed(parts)}. Each sentence below stands by itself and may be printed, "
        "with its number and its day where it has them."
    )


def claims() -> Html:
    """Return the summary of every claim, a list a group."""
    frame = _frame().set_index("claim")
    known = {str(record["id"]): pages.Claim(record) for record in tables.claims()}
    parts = []
    for group, about in pages.GROUPS.items():
        own = frame[frame["group"] == group]
        if own.empty:
            continue
        items = [_item(str(id), entry, known[str(id)]) for id, entry in own.iterrows()]
        title = about[:1].upper() + about[1:]
        parts.append(Html(f"<h2>{escape(title)}</h2><ul>{join(items)}</ul>"))
    return Html(f'<div class="omr-brief">{join(parts)}</div>')


def _item(id: str, entry: pd.Series, claim: pages.Claim) -> Html:
    """Return one claim: title, sentence, and a line with number, day and verdicts."""
    title = str(entry["title"])
    done = entry["recreated"] != "open"
    link = safe_link(f"{id}.html", title) if done else Html(escape(title))
    facts: list[object] = []
    if int(entry["specifications"]):
        facts.append(join(["number: ", claim.found()]))
        day = entry["day"]
        if isinstance(day, str) and day:
            facts.append(f"read for {numbers.format_day(day)}")
        facts.append(f"holds in {int(entry['holds'])} of {int(entry['specifications'])} readings")
    if done:
        facts += [join([f"{name}: ", verdict(entry[axis])]) for axis, name in _AXES.items()]
    line = f'<p class="omr-note">{join(facts, "; ")}</p>' if facts else ""
    return Html(f"<li><p><strong>{link}.</strong> {escape(entry['sentence'])}</p>{line}</li>")


def how_to_quote() -> Html:
    """Return how a sentence of the summary is cited, and the table as a file."""
    frame = _frame()
    example = str(frame["citation"].iloc[0])
    return join(
        [
            paragraph(
                "Quote the sentence whole, with its number, its interval and its day; without them "
                "it says something else. The claim in quotation marks is in our words, not in the "
                "article's. Cite the page of the claim, and add the commit that you read:"
            ),
            Html(f"<blockquote><p>{escape(example)}</p></blockquote>"),
            paragraph(csv_anchor(frame, "summary", "All sentences, numbers and citations as CSV")),
        ]
    )


def marks() -> Html:
    """Return the explanation of verdicts and grades."""
    return join([shape_key(), numbers.legend()])
