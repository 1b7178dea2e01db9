"""What the claim explorer calls: the answer in short, the choosing, and the table beneath it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pandas as pd

from analysis import pages, raw, tables
from analysis.claims import register as register_module
from analysis.present import explorer, numbers
from analysis.present.markup import Html, escape, join, paragraph, safe_link
from analysis.present.tables import Column, csv_anchor, shape_key, table

#: The claim that is shown when no link names another.
FIRST = "share-above-half"


@cache
def _register() -> register_module.Register:
    return register_module.parse(raw.declared("claims"))


def _computed() -> Iterator[tuple[pages.Claim, register_module.Claim]]:
    """Yield every claim that has specifications, a second instrument's answer after its claim."""
    known = {claim.id: claim for claim in _register().claim}
    for claim in pages.checked():
        own = known[claim.id]
        if claim.record["specifications"]:
            yield claim, own
        second = claim.elsewhere
        if second is not None and own.elsewhere is not None:
            yield second, own.elsewhere


def _name(claim: pages.Claim) -> str:
    instrument = claim.record.get("instrument")
    return f"{claim.record['title']} ({instrument})" if instrument else str(claim.record["title"])


def _content(id: str) -> dict[str, Any]:
    """Return the data of one claim, as :func:`analysis.present.explorer.data` gives them.

    Parameters
    ----------
    id : str
        A claim that has specifications, or a second instrument's answer to one.
    """
    claim, own = next(pair for pair in _computed() if pair[0].id == id)
    declared = claim.record["dimensions"]
    return explorer.data(
        claim.record,
        tables.specifications(id),
        own,
        dimensions=(
            *(d for d in pages.DIMENSIONS if d in declared),
            *(d for d in declared if d not in pages.DIMENSIONS),
        ),
        names=claim.words,
        coverage=pages.coverage_words,
        mostly=_register().verdict.mostly,
    )


def _results(claim: pages.Claim) -> str:
    """Return the lowest and the highest number that a specification gives."""
    return explorer.spread(
        [explorer.number(cell) for cell in tables.specifications(claim.id)["value"]],
        str(claim.record["unit"]),
    )


def opening() -> Html:
    """Return what can be done here, and the range of the claim that is shown first."""
    shown = list(_computed())
    every = sum(claim.record["specifications"] for claim, _ in shown)
    first = next(claim for claim, _ in shown if claim.id == FIRST)
    record = first.record
    grade = "bounded" if record["grade"] == "bounded" else "computed"
    return paragraph(
        "Choose what is counted, when, whose it is and what is assumed of what nobody read, and "
        "see number, interval and verdict change. Every declared way to compute a claim is here, "
        f"{every:,} ways for {len(shown)} answers. Of \u201c{record['title']}\u201d the "
        f"{record['specifications']} ways give ",
        numbers.graded(_results(first), grade),
        f": it holds in {record['holds']}, does not in {record['fails']}, and the data leave it "
        f"open in {record['undetermined']}. What decides most is ",
        f"\u201c{first.deciding_words}\u201d.",
    )


def chooser() -> Html:
    """Return the place where the script puts the choosing, and the data of each claim.

    The build moves the data into files, which the script loads when a claim is chosen.
    """
    groups: list[dict[str, Any]] = []
    parts = []
    for claim, _ in _computed():
        group = pages.GROUPS[claim.record["group"]]
        if not groups or groups[-1]["name"] != group:
            groups.append({"name": group, "claims": []})
        groups[-1]["claims"].append([claim.id, _name(claim)])
        parts.append(explorer.script(_content(claim.id)))
    known = {"first": FIRST, "groups": groups, "grades": dict(numbers.GRADES)}
    listed = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return Html(
        '<div id="omr-explorer" class="omr-explorer" data-folder="_static/explorer/">'
        '<p class="omr-note">Choosing needs JavaScript, which is off or has not loaded. The tables '
        "below hold the same answers without it.</p></div>"
        f'<script type="application/json" id="omr-explorer-claims">{listed}</script>'
        f"{''.join(parts)}"
    )


def claims() -> Html:
    """Return a table a group of claims: stated, found, range over all choices, what decides."""
    shown = list(_computed())
    parts = []
    for group, about in pages.GROUPS.items():
        own = [claim for claim, _ in shown if claim.record["group"] == group]
        if own:
            parts.append(_group(own, about))
    return join([*parts, shape_key(), numbers.legend()])


def _group(own: Sequence[pages.Claim], about: str) -> Html:
    rows = [
        {
            "claim": join([_title(claim), " (", _choose(claim.id), ", ", _file(claim.id), ")"]),
            "stated": claim.stated,
            "found": claim.found(),
            "results": _results(claim),
            "holds": _decided(claim),
        }
        for claim in own
    ]
    columns = [
        Column("claim", "what the article says"),
        Column("stated"),
        Column("found", "read as the article does"),
        Column("results", "over all choices"),
        Column("holds", "holds in, and what decides most"),
    ]
    frame = pd.DataFrame(rows, dtype=object)
    return table(frame, columns, caption=f"Claims about {about}", stacked=True)


def _file(id: str) -> Html:
    return csv_anchor(tables.specifications(id), f"{id}-every-specification", "CSV")


def _title(claim: pages.Claim) -> Html:
    return safe_link(f"{claim.id.removesuffix('-elsewhere')}.html", _name(claim))


def _choose(id: str) -> Html:
    return Html(f'<a href="explore.html#claim={escape(id)}">choose</a>')


def _decided(claim: pages.Claim) -> Html:
    decided = claim.record["deciding_choice"]
    return join([claim.holds, f" ({claim.deciding_words})" if decided else ""])
