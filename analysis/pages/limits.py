"""What the page on limits calls: what stays open, and how much of each population was read."""

from __future__ import annotations

import pandas as pd

from analysis import pages, tables
from analysis.present import numbers
from analysis.present.markup import Html, paragraph, safe_link
from analysis.present.numbers import format_day, format_interval, format_percent
from analysis.present.tables import Column, table


def _open() -> list[pages.Claim]:
    """Claims of which no file of ours can say whether the stated figure is right."""
    return [
        claim
        for claim in pages.checked()
        if str(claim.record["recreated"]["verdict"]).startswith("not checkable")
    ]


def in_short() -> Html:
    """Return how many claims stay open as stated, as a paragraph."""
    everything, shut = pages.checked(), _open()
    silent = [claim for claim in shut if not claim.record["specifications"]]
    return paragraph(
        f"This record checks what published files can show. Of {len(everything)} claims, "
        f"{len(shut)} stay open as the article states them: for {len(shut) - len(silent)} the "
        f"files do not reach far enough to tell, and for {len(silent)} no file counts what is "
        "claimed. What nobody counts in public, no method of ours can find."
    )


def unsettled() -> Html:
    """Return a table of the claims that stay open: why, and what would settle each."""
    rows = [
        {
            "claim": safe_link(f"{claim.id}.html", claim.record["title"]),
            "why": claim.record["recreated"]["reason"],
            "settle": claim.record["settle"],
        }
        for claim in _open()
    ]
    columns = [
        Column("claim", "what the article says"),
        Column("why", "why it stays open"),
        Column("settle", "what would settle it"),
    ]
    return table(
        pd.DataFrame(rows, columns=["claim", "why", "settle"], dtype=object),
        columns,
        caption="Claims that no file of ours settles as stated",
        stacked=True,
    )


def read() -> Html:
    """Return how much of each population was read at the newest month of the ladder."""
    frame = tables.load("ladder")
    frame = frame[(frame["month"] == pages.MONTH) & (frame["grade"] != "published")]
    rows = []
    for row in frame.sort_values("order", kind="stable").to_dict("records"):
        known, whole = row["covered_repositories"], row["population_repositories"]
        part = pd.isna(known) or pd.isna(whole) or not whole
        open_ended = pd.notna(row["note"])
        rows.append(
            {
                "population": row["label"],
                "read": "not known" if part else f"{int(known):,}",
                "part": "not known" if part or open_ended else format_percent(known / whole),
                "share": numbers.graded(
                    format_interval(row["hard_lower"], row["hard_upper"], "share"), "bounded"
                ),
            }
        )
    day = format_day(str(frame["day"].iloc[0]))
    columns = [
        Column("population"),
        Column("read", "repositories read"),
        Column("part", "part of all its repositories"),
        Column("share", "share of Qwen that the readings alone allow"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption=f"How much of each population our files read near {day}",
        stacked=True,
    )
