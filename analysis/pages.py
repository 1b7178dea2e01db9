"""What a page of the book calls: results in, finished HTML out.

A cell of a page is one to five lines that call into this module. It loads the
small tables of ``data/derived``, hands them to the present room and returns
HTML. It computes no result of its own.

Examples
--------
>>> from analysis import pages
>>> claim = pages.claim("share-above-half")  # doctest: +SKIP
>>> claim.summary()  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import pandas as pd

from analysis import tables
from analysis.errors import InputError
from analysis.present import charts, numbers, spec_curve
from analysis.present.cards import cards as _cards
from analysis.present.cards import contents as _contents
from analysis.present.dictionary import dictionary as _dictionary
from analysis.present.figure import Source, figure
from analysis.present.markup import Html, anchor, escape, join, paragraph, safe_link
from analysis.present.tables import Column, shape_key, table, verdict

#: Claim, and the page that answers it (the ids of group A are page names).
DOWNLOADS: Final = "A"

#: Columns of ``specifications.csv`` that are choices, in the order drawn.
DIMENSIONS: Final = (
    "population",
    "rivals",
    "attribution",
    "month",
    "after",
    "day",
    "measure",
    "family_rule",
    "repackagers",
    "cause",
    "outliers",
    "missing",
)


def _rows(rows: list[dict[str, Any]]) -> pd.DataFrame:
    # As objects: pandas would turn finished HTML into plain text, which is then escaped.
    return pd.DataFrame(rows, dtype=object)


def _inputs(record: dict[str, Any]) -> list[Source]:
    return [
        Source(
            str(item["name"]),
            str(item.get("sha256") or ""),
            f"data.html#version-{anchor(str(item['name']))}",
        )
        for item in record.get("inputs", [])
    ]


def _ends(record: dict[str, Any]) -> tuple[Any, Any]:
    interval = record.get("interval")
    return (interval[0], interval[1]) if interval else (None, None)


def _word(axis: Any) -> str:
    """Return the verdict of an axis without its reason."""
    return str(axis["verdict"] if isinstance(axis, dict) else axis).partition(" (")[0]


def _reasoned(axis: Any) -> Html:
    """Return the verdict of an axis and its reason."""
    reason = str(axis.get("reason") or "") if isinstance(axis, dict) else ""
    return join([verdict(_word(axis)), f": {reason}"]) if reason else verdict(axis)


class Claim:
    """One claim as a page shows it.

    Parameters
    ----------
    record : dict
        Its entry of ``claims.json``.

    Attributes
    ----------
    id : str
        Name of the claim and of its page.
    record : dict
        The entry itself.
    """

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        self.id: str = record["id"]

    @property
    def said(self) -> Html:
        """What the article says, in our words."""
        return Html(escape(self.record["statement"]))

    @property
    def stated(self) -> Html:
        """The article's figure, marked as published."""
        return numbers.graded(str(self.record["stated"]), "published", "Stated by the article.")

    @property
    def value(self) -> Html:
        """Our value, with its grade."""
        return numbers.value(self.record["value"], self.record["unit"], self.record["grade"])

    @property
    def interval(self) -> Html:
        """Our interval, with its grade."""
        lower, upper = _ends(self.record)
        return numbers.interval(lower, upper, self.record["unit"], self.record["grade"])

    @property
    def holds(self) -> Html:
        """In how many of the declared specifications the claim holds."""
        return join([str(self.record["holds"]), " of ", str(self.record["specifications"])])

    @property
    def deciding(self) -> Html:
        """The choice that decides, or that none does."""
        return Html(escape(self.record["deciding_choice"] or "no single choice"))

    @property
    def settle(self) -> Html:
        """What would settle the claim."""
        return Html(escape(self.record["settle"]))

    @property
    def coverage(self) -> Html:
        """How much of the population was seen."""
        return Html(escape(coverage_words(self.record.get("coverage"))))

    def summary(self) -> Html:
        """Return the box that opens a claim's page: figure, answer, three verdicts."""
        record = self.record
        lower, upper = _ends(record)
        ours = (
            self.value
            if record["value"] is not None
            else self.interval
            if (lower, upper) != (None, None)
            else Html("not known")
        )
        rows: list[tuple[str, object]] = [("The article says", self.stated), ("We find", ours)]
        if record["value"] is not None and (lower, upper) != (None, None):
            rows.append(("Interval", self.interval))
        rows += [
            ("Coverage", self.coverage),
            ("Holds in", join([self.holds, " specifications"])),
            ("Decided by", self.deciding),
            ("Recreated", _reasoned(record["recreated"])),
            ("Robust", _reasoned(record["robust"])),
            ("Later data", _reasoned(record["later"])),
        ]
        pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
        return Html(f'<dl class="omr-summary">{pairs}</dl>')

    def curve(self) -> Html:
        """Return the specification curve with its table."""
        frame = tables.load("specifications")
        frame = frame[frame["claim"] == self.id].reset_index(drop=True)
        unit = str(frame["unit"].iloc[0])
        stated = self.record["stated_value"]
        label = f"stated: {self.record['stated']}"
        drawn = spec_curve.choices(frame, DIMENSIONS)
        shown = [Column(name) for name in drawn]
        for name in ("value", "lower", "upper"):
            shown.append(Column(name, unit=unit))
        shown += [Column("holds"), Column("is_article", "the article's reading"), Column("grade")]
        ordered = spec_curve.ordered(frame, unit)
        return figure(
            lambda width: spec_curve.specification_curve(
                frame,
                width,
                unit=unit,
                stated=stated if isinstance(stated, int | float) else None,
                stated_label=label,
                dimensions=DIMENSIONS,
            ),
            id=f"{self.id}-specifications",
            title=(
                f"It holds in {self.record['holds']} of {self.record['specifications']} "
                f"declared ways to compute it"
            ),
            subtitle=(
                "Each column is one specification: result and interval above, its choices below. "
                "Filled: holds; hollow: does not hold; diamond: the data leave it open. "
                "The ring is the article's own reading."
            ),
            alt=spec_curve.sentence(frame, label),
            data=ordered[[c.name for c in shown]],
            columns=shown,
            sources=_inputs(self.record),
        )

    def inputs(self) -> Html:
        """Return every raw file behind the claim, with hash and address."""
        frame = _rows(
            [
                {
                    "name": safe_link(source.link, source.name),
                    "sha256": Html(
                        f'<code title="{escape(source.sha256)}">{escape(source.sha256[:16])}</code>'
                    ),
                    "file": safe_link(str(item.get("url") or ""), "file at its commit"),
                }
                for source, item in zip(
                    _inputs(self.record), self.record.get("inputs", []), strict=True
                )
            ]
        )
        if frame.empty:
            return paragraph("No raw file of ours bears on it.")
        return table(frame, caption="Raw files behind this claim", stacked=True)

    def foot(self) -> Html:
        """Return the explanation of the marks, for the foot of the page."""
        return join([shape_key(), numbers.legend()])


def coverage_words(coverage: Any) -> str:
    """Return a coverage entry of ``claims.json`` as words.

    Parameters
    ----------
    coverage : dict, str or None
        Names and numbers; a dict is written ``name value; name value``.
    """
    if not coverage:
        return "does not apply"
    if not isinstance(coverage, dict):
        return str(coverage)
    covered, of = coverage.get("covered_repositories"), coverage.get("population_repositories")
    parts = []
    if covered is not None and of is not None:
        parts.append(f"{covered:,} of {of:,} repositories read")
    for name, value in coverage.items():
        if name in ("covered_repositories", "population_repositories") or value is None:
            continue
        if name.endswith("share") and isinstance(value, float):
            value = numbers.format_percent(value)
        elif isinstance(value, int):
            value = f"{value:,}"
        parts.append(f"{name.replace('_', ' ')}: {value}")
    return "; ".join(parts)


def claim(id: str) -> Claim:
    """Return the claim of a page.

    Parameters
    ----------
    id : str
        For instance ``share-above-half``.

    Raises
    ------
    InputError
        When ``claims.json`` has no such claim.
    """
    for record in tables.claims():
        if record["id"] == id:
            return Claim(record)
    known = ", ".join(str(record["id"]) for record in tables.claims())
    raise InputError(f"claims.json has no claim {id!r}; it has {known}")


def downloads() -> list[Claim]:
    """Return the claims about downloads, in the order of the register."""
    return [Claim(record) for record in tables.claims() if record["group"] == DOWNLOADS]


def verdicts() -> Html:
    """Return the verdict table of the landing page."""
    rows = []
    for item in downloads():
        record = item.record
        lower, upper = _ends(record)
        ours = item.value if record["value"] is not None else item.interval
        if record["value"] is None and (lower, upper) == (None, None):
            ours = Html("not known")
        rows.append(
            {
                "claim": safe_link(f"{item.id}.html", record["statement"]),
                "stated": item.stated,
                "found": ours,
                "recreated": verdict(_word(record["recreated"])),
                "robust": verdict(_word(record["robust"])),
                "later": verdict(_word(record["later"])),
            }
        )
    columns = [
        Column("claim", "what the article says"),
        Column("stated"),
        Column("found", "we find"),
        Column("recreated"),
        Column("robust"),
        Column("later", "later data"),
    ]
    shown = table(_rows(rows), columns, caption="Seven claims about downloads", stacked=True)
    return join([shown, shape_key(), numbers.legend()])


_COUNTS: Final = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def in_short() -> Html:
    """Return the verdicts on downloads, counted, as a paragraph."""
    found = downloads()

    def number(axis: str, *starts: str) -> str:
        count = sum(_word(item.record[axis]).startswith(starts) for item in found)
        return _COUNTS[count] if count < len(_COUNTS) else str(count)

    return paragraph(
        f"Of the {_COUNTS[len(found)]} figures, read as the article gives them, "
        f"{number('recreated', 'matches')} can be confirmed from raw data, "
        f"{number('recreated', 'differs')} cannot be right as stated, and for "
        f"{number('recreated', 'not checkable')} the data do not reach far enough to tell. "
        f"Under every declared way to compute them {number('robust', 'robust')} hold without "
        f"exception, {number('robust', 'mostly')} nearly always, "
        f"{number('robust', 'depends')} depend on a choice that the article does not name, and "
        f"{number('robust', 'fails')} hold in few or in none."
    )


def contents() -> Html:
    """Return the findings as a list of links."""
    items = "".join(
        f'<li><a href="{escape(item.id)}.html">{escape(item.record["finding"])}</a></li>'
        for item in downloads()
    )
    return Html(f'<ol class="omr-contents">{items}</ol>')


def _registry() -> Any:
    # Imported where it is needed: every page starts a kernel and would wait for it.
    from analysis.raw import load_registry

    return load_registry()


def data_cards() -> Html:
    """Return one provenance card per source of the registry."""
    return _cards(_registry().sources)


def data_contents() -> Html:
    """Return the list of sources that leads to their cards."""
    return _contents(_registry().sources)


def data_counts() -> Html:
    """Return how many sources and versions the registry holds."""
    registry = _registry()
    return Html(
        f"{len(registry.sources)} sources with {len(list(registry.versions()))} pinned versions"
    )


def dictionary() -> Html:
    """Return the data dictionary."""
    from analysis.snapshot.schema import FIELDS

    return _dictionary(FIELDS.values())


def legend() -> Html:
    """Return the explanation of the grade marks."""
    return numbers.legend()


def _published(name: str) -> pd.DataFrame:
    """Return a table of figures that others published."""
    return tables.load(name)


def listing(
    name: str,
    caption: str,
    columns: Sequence[Column] | None = None,
    keep: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> Html:
    """Return a derived table as it is.

    Parameters
    ----------
    name : str
        Name in ``data/derived`` without suffix.
    caption : str
        What it holds.
    columns : sequence of Column, optional
        What to show; everything when left out.
    keep : callable, optional
        Chooses rows.
    """
    frame = tables.load(name)
    if keep is not None:
        frame = keep(frame)
    return table(frame, columns, caption=caption, stacked=len(frame) <= 12)


#: The month that the claims about February speak of.
MONTH: Final = "2026-02"


def _ladder(month: str) -> pd.DataFrame:
    frame = tables.load("ladder")
    return frame[frame["month"] == month].sort_values("order", kind="stable").reset_index(drop=True)


def ladder(month: str = MONTH) -> Html:
    """Return the ladder of denominators, the first figure of the book."""
    frame = _ladder(month)
    rows = frame.rename(columns={"share": "value"})
    shares = [
        f"of {row.label} {charts.row_text(row._asdict(), 'share')} ({row.grade})"
        for row in rows.itertuples(index=False)
    ]
    middle = rows[["value", "lower", "upper"]].mean(axis=1)
    high, low = middle.max(), middle.min()
    return figure(
        lambda width: charts.interval_rows(
            rows,
            width,
            unit="share",
            mark=0.5,
            mark_label="the article: over half",
            limit=1.0,
        ),
        id=f"ladder-{month}",
        title=(
            f"From {numbers.format_percent(low, 0)} to {numbers.format_percent(high, 0)}: "
            "Qwen's share depends on what it is a share of"
        ),
        subtitle=(
            f"Qwen's share of 30-day downloads on the Hub, {numbers.format_day(month)}, "
            "by population"
        ),
        alt=f"Qwen's share in {numbers.format_day(month)}: {'; '.join(shares)}.",
        data=frame,
        note=(
            "Inner bar: the interval under tested assumptions. Outer bar: what the data force "
            "without any. "
            "Circle: computed; bar: bounded; diamond: published by others."
        ),
    )
