"""HTML tables: every cell escaped, headers in scope, legible on a phone."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from analysis.errors import InputError
from analysis.present.markup import Html, anchor, clip, escape, paragraph, plain
from analysis.present.numbers import format_value

#: Columns that the style sheet knows by their place: what holds for a whole column (numbers to
#: the right, its name beside each line on a phone) is said once a table, not in each cell.
PLACES: Final = 16
#: Text that a spreadsheet would run as a formula when it opens a CSV; some take signs in full
#: width for the same, and skip what has no shape before them.
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t")
_SKIPPED: Final = " \n\u00a0\ufffd"


@dataclass(frozen=True)
class Column:
    """A column of a shown table.

    Attributes
    ----------
    name : str
        Column of the frame.
    label : str
        Heading that the reader sees; the name when empty.
    unit : str
        Unit as in :func:`analysis.present.numbers.format_value`; empty for
        text and for numbers shown as they are.
    """

    name: str
    label: str = ""
    unit: str = ""

    @property
    def heading(self) -> str:
        """Return the label, or the name with spaces."""
        return self.label or self.name.replace("_", " ")


def is_missing(value: object) -> bool:
    """Whether a cell of a frame holds nothing."""
    if _several(value):
        return False
    return value is None or value is pd.NA or value is pd.NaT or value != value


def _several(value: object) -> bool:
    return isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 1


def cell(value: object, unit: str = "") -> Html:
    """Return one cell's content as safe HTML.

    Parameters
    ----------
    value : object
        Scalar of a frame; a missing one becomes a dash that a screen reader
        reads as "none".
    unit : str
        Unit to write it in.
    """
    if isinstance(value, Html):
        return value
    if is_missing(value):
        return Html('<span role="img" aria-label="none">–</span>')
    if isinstance(value, bool):
        return Html("yes" if value else "no")
    if isinstance(value, float) and math.isinf(value):
        return Html("no bound")
    if _several(value):
        value = ", ".join(map(str, value))  # type: ignore[call-overload]
    if hasattr(value, "item"):
        value = value.item()
    if unit:
        return Html(escape(format_value(value, unit)))
    if isinstance(value, int):
        return Html(f"{value:,}")
    if isinstance(value, float):
        return Html(f"{value:,.0f}" if value == int(value) else f"{value:,.4g}")
    return Html(escape(clip(value)))


def _number(frame: pd.DataFrame, column: Column) -> bool:
    return bool(pd.api.types.is_numeric_dtype(frame[column.name])) and not bool(
        pd.api.types.is_bool_dtype(frame[column.name])
    )


def table(
    frame: pd.DataFrame,
    columns: Sequence[Column] | None = None,
    *,
    caption: str,
    limit: int = 400,
    stacked: bool = False,
) -> Html:
    """Return a frame as an accessible HTML table.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a table row, in the order to be shown.
    columns : sequence of Column, optional
        What to show; every column when left out.
    caption : str
        What the table holds; also the name of its scrolling region.
    limit : int
        Rows shown at most; a last line says how many were left out.
    stacked : bool
        On a phone, show each row as a block of labelled lines instead of
        scrolling sideways. For tables of text with few rows.

    Returns
    -------
    Html
        The table. Its first column is the header of each row.
    """
    shown = list(columns) if columns is not None else [Column(str(c)) for c in frame.columns]
    right = [_number(frame, column) for column in shown]
    rows = []
    for record in frame[[c.name for c in shown]].head(limit).itertuples(index=False, name=None):
        cells = []
        for position, (column, entry) in enumerate(zip(shown, record, strict=True)):
            tag = "td" if position else "th"
            scope = "" if position else ' scope="row"'
            kind = ' class="omr-long"' if not right[position] and _long(entry) else ""
            cells.append(f"<{tag}{scope}{kind}>{cell(entry, column.unit)}</{tag}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    note = (
        f'<p class="omr-note">{len(rows):,} of {len(frame):,} rows; all are in the CSV file.</p>'
        if len(frame) > len(rows)
        else ""
    )
    made = frame_of([c.heading for c in shown], "".join(rows), caption, right, stacked)
    return Html(f"{made}{note}")


def frame_of(
    headings: Sequence[str],
    rows: str,
    caption: str,
    right: Sequence[bool] = (),
    stacked: bool = False,
    hidden: bool = False,
) -> Html:
    """Return a table around finished rows: caption, headings, what each column is.

    Parameters
    ----------
    headings : sequence of str
        One a column.
    rows : str
        Finished rows, the first cell of each its header.
    caption : str
        What the table holds; also the name of its scrolling region.
    right : sequence of bool
        Which columns hold numbers, and stand to the right.
    stacked : bool
        As in :func:`table`.
    hidden : bool
        The caption is for screen readers alone.
    """
    if len(headings) > PLACES:
        raise InputError(f"table {caption!r} has more than {PLACES} columns; show fewer")
    kinds = ["omr-table", *(["omr-stacked"] if stacked else [])]
    kinds += [f"omr-r{i}" for i, number in enumerate(right, 1) if number]
    names = [f"--c{i}:{_css_text(name)}" for i, name in enumerate(headings, 1) if i > 1]
    style = f' style="{escape(";".join(names))}"' if stacked and names else ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in headings)
    unseen = ' class="omr-hidden"' if hidden else ""
    return Html(
        f'<div class="omr-scroll" role="region" tabindex="0" aria-label="{escape(caption)}">'
        f'<table class="{" ".join(kinds)}"{style}><caption{unseen}>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _css_text(text: str) -> str:
    """Return text as a string of a style sheet: what could end it is written as its number."""
    kept = "".join(c if c.isalnum() or c in " .,:()%/+-" else f"\\{ord(c):x} " for c in plain(text))
    return f"'{kept}'"


def _long(entry: object) -> bool:
    return isinstance(entry, str) and not isinstance(entry, Html) and len(entry) > 40


def csv_text(frame: pd.DataFrame) -> str:
    r"""Return a frame as CSV that no spreadsheet runs as formulas.

    Parameters
    ----------
    frame : pandas.DataFrame
        Data of a figure.

    Returns
    -------
    str
        CSV, UTF-8 text, lines end in ``\n``. Text that begins with a sign of
        a formula gets an apostrophe in front; numbers stay as they are.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_csv_cell(str(name)) for name in frame.columns])
    for record in frame.itertuples(index=False, name=None):
        writer.writerow([_csv_cell(entry) for entry in record])
    return out.getvalue()


def csv_anchor(frame: pd.DataFrame, name: str, words: str, kind: str = "") -> Html:
    """Return a link that holds a frame as a CSV file; the build makes it a file beside the page.

    Parameters
    ----------
    frame : pandas.DataFrame
        All rows.
    name : str
        Name of the file, without ending; letters, digits and hyphens.
    words : str
        What the link says.
    kind : str
        Class of the link.
    """
    encoded = base64.b64encode(csv_text(frame).encode()).decode()
    attribute = f' class="{escape(kind)}"' if kind else ""
    return Html(
        f'<a{attribute} download="{escape(name)}.csv" '
        f'href="data:text/csv;charset=utf-8;base64,{encoded}">{escape(words)}</a>'
    )


def csv_link(frame: pd.DataFrame, name: str) -> Html:
    """Return a link to all rows of a table that is shown in part, as CSV.

    Parameters
    ----------
    frame : pandas.DataFrame
        All rows.
    name : str
        Name of the file, without ending; the build writes it.
    """
    return paragraph(csv_anchor(frame, anchor(name), "All rows as CSV"), kind="omr-tools")


def _csv_cell(entry: Any) -> object:
    if is_missing(entry):
        return ""
    if _several(entry):
        entry = ", ".join(map(str, entry))
    if isinstance(entry, str):
        text = plain(entry)
        return f"'{text}" if text.lstrip(_SKIPPED).startswith(_FORMULA) else text
    return entry


#: The first words of a verdict decide its shape; the words are always shown.
_SHAPES: Final = (
    (("matches", "robust", "still holds"), "full", "●"),
    (("matches within rounding", "mostly"), "most", "◕"),
    (("depends",), "half", "◑"),
    (("differs", "fails", "no longer holds"), "against", "▲"),
    (("",), "open", "○"),
)


def verdict(text: object) -> Html:
    """Return a verdict as words with a shape, so that colour says nothing alone.

    Parameters
    ----------
    text : object
        One of the verdict texts of the register, for instance ``depends
        (population)``; anything unknown gets the open circle.
    """
    words = str(text)
    best = max(
        ((start, kind, shape) for starts, kind, shape in _SHAPES for start in starts
         if words.lower().startswith(start)),
        key=lambda found: len(found[0]),
    )  # fmt: skip
    return Html(
        f'<span class="omr-verdict omr-verdict-{best[1]}">'
        f'<span aria-hidden="true">{best[2]}\u00a0</span>{escape(words)}</span>'
    )


def shape_key() -> Html:
    """Return the line that explains the shapes of the verdicts."""
    return Html(
        '<p class="omr-legend">● holds; ◕ holds nearly everywhere; ◑ depends on a choice; '
        "▲ does not hold; ○ cannot be checked yet.</p>"
    )
