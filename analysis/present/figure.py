"""One component for every figure of the book.

A figure says its finding in the title, its measure, unit and day in the
subtitle, and under the chart where the data came from. The chart is an inline
SVG, drawn twice: for a page and for a phone, so that its text is legible on
both; the style sheet shows one of them. Behind it lie the sentence that says
the same in words, the numbers as a table and as a CSV file. Nothing is loaded
from anywhere, and nothing needs a script.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import altair as alt
import pandas as pd
import vl_convert

from analysis.errors import InputError
from analysis.present import theme
from analysis.present.markup import Html, anchor, escape, safe_link
from analysis.present.svg import compact
from analysis.present.tables import Column, csv_text, table

#: Rows of a figure's table on the page where it is longer than can be read; all of them are in its
#: CSV file.
_SHOWN: Final = 12
_WHOLE: Final = 20
_ID: Final = re.compile(r'\b(id="|url\(#|href="#)([A-Za-z0-9_-]+)')


@dataclass(frozen=True)
class Source:
    """A raw file or table that a figure stands on.

    Attributes
    ----------
    name : str
        Name of the version in the registry, for instance ``top30-2026-02-28``.
    sha256 : str
        Hash of its bytes (or the git tree id); shown shortened.
    link : str
        Address of its provenance card or of the file.
    """

    name: str
    sha256: str = ""
    link: str = ""


def source_line(sources: Sequence[Source], everything: str = "", shown: int = 6) -> Html:
    """Return the line that names the sources, each with its short hash.

    Parameters
    ----------
    sources : sequence of Source
        In the order to be named.
    everything : str
        Address of the list of all of them, for figures with many.
    shown : int
        How many stand in the line; the rest unfolds, or is where `everything`
        leads.
    """

    def one(source: Source) -> str:
        name = safe_link(source.link, source.name) if source.link else escape(source.name)
        if not source.sha256:
            return str(name)
        digest = escape(source.sha256)
        # The list of all of them has the whole hash.
        whole = "" if everything else f' title="sha256 {digest}"'
        return f"{name} <code{whole}>{digest[:8]}</code>"

    if not sources:
        return Html("")
    if everything:
        # The list of all of them is a step away, and stands there once for all figures of a page.
        shown = shown // 2
    first = ", ".join(one(source) for source in sources[:shown])
    rest = sources[shown:]
    if not rest:
        return Html(f'<div class="omr-sources"><p>Sources: {first}</p></div>')
    if everything:
        more = safe_link(everything, f"{len(rest)} more")
        return Html(f'<div class="omr-sources"><p>Sources: {first} and {more}</p></div>')
    listed = ", ".join(one(source) for source in rest)
    return Html(
        f'<div class="omr-sources"><p>Sources: {first}</p><details class="omr-more">'
        f"<summary>and {len(rest)} more sources</summary><p>{listed}</p></details></div>"
    )


def render(chart: Any, width: int) -> str:
    """Return a chart as SVG in the house style, without any network.

    Parameters
    ----------
    chart : altair chart
        Top-level Altair chart.
    width : int
        Width in CSS pixels it was made for.

    Returns
    -------
    str
        SVG with the light colours.
    """
    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    drawn: str = vl_convert.vegalite_to_svg(
        theme.finished(chart, width), vl_version=version, allowed_base_urls=[]
    )
    return drawn


def inline_svg(svg: str, id: str, title: str, description: str) -> Html:
    """Return an SVG made ready to stand in a page.

    Parameters
    ----------
    svg : str
        SVG as :func:`render` makes it.
    id : str
        Prefix of every id inside, so that two figures never share one.
    title, description : str
        Read by screen readers in place of the picture.

    Returns
    -------
    Html
        One image with a name, colours as CSS variables, no inner roles.
    """
    body = svg[svg.index("<svg") :]
    opening, _, inner = body.partition(">")
    size = re.search(r'viewBox="([^"]+)"', opening)
    if size is None:
        raise InputError(f"figure {id}: the drawn SVG has no viewBox; check the chart")
    _, _, width, height = size.group(1).split()
    inner = compact(inner)
    inner = _ID.sub(rf"\g<1>{id}-\g<2>", inner)
    return Html(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size.group(1)}" width="{width}" '
        f'height="{height}" font-family="sans-serif" role="img" aria-labelledby="{id}-t {id}-d">'
        f'<title id="{id}-t">{escape(title)}</title><desc id="{id}-d">{escape(description)}</desc>'
        f"{theme.themed(inner)}"
    )


def figure(
    draw: Callable[[int], Any],
    *,
    id: str,
    title: str,
    subtitle: str,
    alt: str,
    data: pd.DataFrame,
    columns: Sequence[Column] | None = None,
    sources: Sequence[Source] = (),
    everything: str = "",
    note: object = "",
) -> Html:
    """Return a figure with its words, its numbers and its sources.

    Parameters
    ----------
    draw : callable
        Takes a width in CSS pixels and returns an Altair chart; called for a
        page and for a phone.
    id : str
        Short name; the figure's anchor is ``fig-<id>``.
    title : str
        The finding.
    subtitle : str
        Measure, unit and day.
    alt : str
        A sentence, computed from the data, that says what the picture shows.
    data : pandas.DataFrame
        What is drawn; unfolds as a table and downloads as CSV.
    columns : sequence of Column, optional
        How the table is shown; every column when left out.
    sources : sequence of Source
        Raw files behind it.
    everything : str
        Address of the list of all raw files, for figures that rest on many.
    note : object, optional
        One line under the chart, for instance how to read it.

    Returns
    -------
    Html
        The figure.

    Raises
    ------
    InputError
        When the sentence or the data are missing: a figure without either
        would be closed to whoever cannot see it.
    """
    name = anchor(id)
    if not alt.strip():
        raise InputError(f"figure {id}: the sentence that says it in words is empty")
    if data.empty:
        raise InputError(f"figure {id}: its data table is empty; rebuild data/derived")
    pictures = []
    for kind, width in (("wide", theme.WIDE), ("narrow", theme.NARROW)):
        svg = inline_svg(render(draw(width), width), f"{name}-{kind}", title, alt)
        pictures.append(f'<div class="omr-{kind}">{svg}</div>')
    shown = len(data) if len(data) <= _WHOLE else _SHOWN
    encoded = base64.b64encode(csv_text(data).encode()).decode()
    remark = f'<p class="omr-note">{escape(note)}</p>' if note else ""
    return Html(
        f'<figure class="omr-figure" id="fig-{name}">'
        f'<figcaption><p class="omr-title">{escape(title)}</p>'
        f'<p class="omr-subtitle">{escape(subtitle)}</p></figcaption>'
        f"{''.join(pictures)}{remark}{source_line(sources, everything)}"
        f'<div class="omr-tools"><a download="{name}.csv" '
        f'href="data:text/csv;charset=utf-8;base64,{encoded}">Data as CSV</a>'
        f'<a href="#fig-{name}">Link to this figure</a></div>'
        f"<details><summary>In words and numbers</summary><p>{escape(alt)}</p>"
        f"{table(data, columns, caption='Data of the figure: ' + title, limit=shown)}</details>"
        "</figure>"
    )


#: A figure that is drawn the same way on any width.
def fixed(build: Callable[..., Any], *arguments: Any) -> Callable[[int], Any]:
    """Return a drawing function of the width alone.

    Parameters
    ----------
    build : callable
        Takes the arguments and then the width.
    """
    return partial(build, *arguments)
