"""One component for every figure of the book.

A figure says its finding in the title, its measure, unit and day in the
subtitle, and under the chart where the data came from. The chart is an inline
SVG, drawn twice: for a page and for a phone, so that its text is legible on
both; the style sheet shows one of them. Behind it lie the sentence that says
the same in words and the numbers as a table. Files go with it (data, picture,
specification; see :mod:`analysis.present.assets`), and words to cite it by.
Nothing is loaded from anywhere, and nothing needs a script: with one, the chart
also answers to mouse and keyboard.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any, Final

import altair as alt
import pandas as pd
import vl_convert

from analysis.errors import InputError
from analysis.present import assets, interactive, theme
from analysis.present.markup import Html, anchor, escape, safe_link
from analysis.present.svg import compact
from analysis.present.tables import Column, csv_anchor, table

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


@dataclass(frozen=True)
class Drawn:
    """A chart drawn for one width.

    Attributes
    ----------
    made : dict
        Vega-Lite specification in the house style.
    vega : dict
        The same, compiled.
    svg : str
        SVG with the light colours.
    """

    made: dict[str, Any]
    vega: dict[str, Any]
    svg: str


def drawn(chart: Any, width: int) -> Drawn:
    """Return a chart drawn in the house style, without any network.

    Parameters
    ----------
    chart : altair chart
        Top-level Altair chart.
    width : int
        Width in CSS pixels it was made for.
    """
    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    made = theme.finished(chart, width)
    vega = interactive.in_utc(vl_convert.vegalite_to_vega(made, vl_version=version))
    return Drawn(made, vega, vl_convert.vega_to_svg(vega, allowed_base_urls=[]))


def render(chart: Any, width: int) -> str:
    """Return a chart as SVG with the light colours; as :func:`drawn`."""
    return drawn(chart, width).svg


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
    about: str = "",
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
    about : str, optional
        What the title speaks of, where only its page says so; stands in the
        files and in the words to cite it by.

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
    pictures, files = [], {".parquet": assets.parquet(data)}
    told = True
    words = {"about": about, "title": title, "subtitle": subtitle, "description": alt}
    for kind, width in (("wide", theme.WIDE), ("narrow", theme.NARROW)):
        one = drawn(draw(width), width)
        svg = inline_svg(one.svg, f"{name}-{kind}", title, alt)
        pictures.append(f'<div class="omr-{kind}">{svg}</div>')
        files[f".{kind}.js"] = interactive.script(f"{name}.{kind}", one.vega).encode()
        told = told and interactive.has_tips(one.vega)
        if kind == "wide":
            foot = f"{assets.RECORD}, figure {name}. {_named(sources)}".strip()
            files[".svg"] = assets.picture(one.svg, **words, foot=foot).encode()
            files[".vl.json"] = assets.specification(one.made, **words).encode()
    live = ' data-live=""' if told else ""
    if not told:
        del files[".wide.js"], files[".narrow.js"]
    remark = f'<p class="omr-note">{escape(note)}</p>' if note else ""
    shown = len(data) if len(data) <= _WHOLE else _SHOWN
    carried = assets.packed(
        name,
        files,
        [*_files(name), _code(inspect.currentframe())],
    )
    return Html(
        f'<figure class="omr-figure" id="fig-{name}"{live}>'
        f'<figcaption><p class="omr-title">{escape(title)}</p>'
        f'<p class="omr-subtitle">{escape(subtitle)}</p></figcaption>'
        f"{''.join(pictures)}{remark}{source_line(sources, everything)}"
        f'<div class="omr-tools">{csv_anchor(data, name, "Data as CSV", "omr-file")}{carried}'
        f'<a href="#fig-{name}">Link to this figure</a></div>'
        f"{_citation(name, f'{about} {title}'.strip(), subtitle, sources)}"
        f"<details><summary>In words and numbers</summary><p>{escape(alt)}</p>"
        f"{table(data, columns, caption='Data of the figure: ' + title, limit=shown)}</details>"
        "</figure>"
    )


def _named(sources: Sequence[Source], shown: int = 6) -> str:
    """Return the first sources with their short hashes, as text."""
    named = [f"{s.name} ({s.sha256[:8]})" if s.sha256 else s.name for s in sources[:shown]]
    more = f" and {len(sources) - shown} more" if len(sources) > shown else ""
    return f"Sources: {', '.join(named)}{more}." if named else ""


def _files(name: str) -> list[Html]:
    """Return the links to the files of a figure."""
    kinds = (
        (".parquet", "Parquet", "data as Parquet", True),
        (".svg", "SVG", "chart as SVG", False),
        (".png", "PNG", "chart as PNG", False),
        (".vl.json", "Vega-Lite", "specification of the chart", False),
    )
    return [
        Html(
            f'<a href="figures/{name}{ending}"{" download" if saved else ""} '
            f'title="{words}">{text}</a>'
        )
        for ending, text, words, saved in kinds
    ]


def _code(here: FrameType | None) -> Html:
    """Return the link to the function that called :func:`figure`, where it is this project's."""
    caller = here.f_back if here is not None else None
    if caller is None:
        return Html("")
    module = str(caller.f_globals.get("__name__", ""))
    if not module.startswith("analysis."):
        return Html("")
    path = module.replace(".", "/")
    package = caller.f_code.co_filename.endswith("__init__.py")
    path += "/__init__.py" if package else ".py"
    line = caller.f_code.co_firstlineno
    return Html(f'<a href="code/{path}#L{line}" title="{path}, line {line}">Code</a>')


def _citation(name: str, title: str, subtitle: str, sources: Sequence[Source]) -> Html:
    """Return the words to cite a figure by; the build knows version and page."""
    said = title.rstrip(".")
    return Html(
        '<details class="omr-cite"><summary>Cite this figure</summary>'
        f"<p>{assets.RECORD} contributors. “{escape(said)}.” {escape(subtitle.rstrip('.'))}. "
        f'In: <span data-omr="title"></span>{assets.RECORD}<span data-omr="version"></span>, '
        '<span data-omr="page"></span>'
        f"#fig-{name}. {escape(_named(sources))}</p></details>"
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
