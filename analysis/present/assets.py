"""The files that go with a figure: its data, its picture, its specification.

A figure carries them packed in an attribute of an element that no browser
shows. The build of the book unpacks them into files and puts the links to them
in its place (``tools/site_assets.py``); a notebook without a build simply shows
no such links. Nothing here touches a file.
"""

from __future__ import annotations

import base64
import io
import json
import textwrap
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.present import theme
from analysis.present.markup import Html, escape, plain
from analysis.present.tables import is_missing

#: Name of the record, as in ``CITATION.cff`` (a test compares).
RECORD: Final = "The Open-Model Record"

_MARGIN: Final = 16
_LINES: Final = 4


def parquet(frame: pd.DataFrame) -> bytes:
    """Return a frame as Parquet, the same bytes on every run.

    Parameters
    ----------
    frame : pandas.DataFrame
        Data of a figure. A column of mixed kinds is written as text.

    Returns
    -------
    bytes
        Parquet without the metadata of pandas, which name its version.
    """
    columns = [_column(frame.iloc[:, place]) for place in range(frame.shape[1])]
    table = pa.table(columns, names=[str(name) for name in frame.columns])
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd", store_schema=False)
    return out.getvalue()


def _column(series: pd.Series) -> Any:
    values = [None if is_missing(value) else value for value in series.tolist()]
    if any(isinstance(value, str) for value in values):
        return pa.array([None if v is None else plain(v) for v in values], type=pa.string())
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([None if v is None else plain(v) for v in values], type=pa.string())


def _wrapped(text: str, letters: int) -> list[str]:
    return textwrap.wrap(
        plain(text), letters, max_lines=_LINES, placeholder=" …", break_on_hyphens=False
    ) or [""]


def picture(
    drawn: str, *, about: str, title: str, subtitle: str, description: str, foot: str
) -> str:
    """Return a chart as an SVG file that stands alone, its words in the picture.

    Parameters
    ----------
    drawn : str
        SVG in the light colours, as :func:`analysis.present.figure.render` makes it.
    about, title, subtitle : str
        Written above the chart.
    description : str
        The sentence that says it in words.
    foot : str
        Written below the chart: where it is from.
    """
    opening, _, inner = drawn[drawn.index("<svg") :].partition(">")
    size = opening.partition('viewBox="')[2].partition('"')[0].split()
    chart_width, chart_height = float(size[2]), float(size[3])
    width = max(chart_width, theme.NARROW) + 2 * _MARGIN
    room = width - 2 * _MARGIN
    top = float(_MARGIN)
    head = []
    for text, points, letter, look in (
        (about, 13, 6.6, f'fill="{theme.QUIET.light}"'),
        (title, 16, 8.4, f'font-weight="bold" fill="{theme.TEXT.light}"'),
        (subtitle, 13, 6.6, f'fill="{theme.QUIET.light}"'),
    ):
        for line in _wrapped(text, int(room / letter)) if text else ():
            top += points * 1.3
            place = f'x="{_MARGIN}" y="{top:.1f}"'
            head.append(f'<text {place} font-size="{points}" {look}>{escape(line)}</text>')
    top += 14
    bottom = top + chart_height + 8
    tail = []
    for line in _wrapped(foot, int(room / 5.6)):
        bottom += 14
        place = f'x="{_MARGIN}" y="{bottom:.1f}"'
        look = f'font-size="11" fill="{theme.QUIET.light}"'
        tail.append(f"<text {place} {look}>{escape(line)}</text>")
    height = round(bottom + _MARGIN)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" '
        f'width="{width:g}" height="{height}" font-family="sans-serif" role="img" '
        f'aria-labelledby="t d"><title id="t">{escape(title)}</title>'
        f'<desc id="d">{escape(description)}</desc>'
        # An outline in the colour of the page keeps lines off the letters: it goes below them.
        "<style>text{paint-order:stroke}</style>"
        f'<rect width="100%" height="100%" fill="{theme.PAGE.light}"/>'
        f'{"".join(head)}<g transform="translate({_MARGIN},{top:.1f})">'
        f"{inner.rpartition('</svg>')[0]}</g>{''.join(tail)}</svg>\n"
    )


def specification(
    made: Mapping[str, Any], *, about: str, title: str, subtitle: str, description: str
) -> str:
    """Return a Vega-Lite specification as a file, with the words of its figure."""
    words = {
        "text": [*(_wrapped(about, 80) if about else ()), *_wrapped(title, 80)],
        "subtitle": _wrapped(subtitle, 100),
        "anchor": "start",
    }
    whole = {**made, "description": plain(description), "title": words}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def packed(id: str, files: Mapping[str, bytes], links: Sequence[Html]) -> Html:
    """Return the element that carries files through a page, around the links to them.

    Parameters
    ----------
    id : str
        Name of the figure.
    files : mapping of str to bytes
        Endings (``.csv``) and contents.
    links : sequence of Html
        Shown in place of the element once the files are there. ``figures/x.csv`` in a
        link is the file of that name, ``code/x.py`` a source file.
    """
    coded = {ending: base64.b64encode(content).decode() for ending, content in files.items()}
    whole = base64.b64encode(zlib.compress(json.dumps(coded).encode(), 6)).decode()
    return Html(
        f'<template class="omr-files" data-id="{escape(id)}" data-files="{whole}">'
        f"{''.join(links)}</template>"
    )
