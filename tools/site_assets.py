"""Turn what figures carry through a page into files of the site; make the bundle of Vega.

A figure packs its files into an element that no browser shows (analysis/present/assets.py).
`unpack` writes them to _static/figures, puts the links in that element's place, and fills in what
only the build knows: the version of the record and the page; sources that links lead to become
pages with numbered lines. `finish` draws the PNG of each SVG, and makes the one bundle that every
interactive chart shares. Both stay beside the site, named after what they were made from, for a
next build that keeps its folder.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.metadata
import json
import os
import re
import shutil
import struct
import zlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import vl_convert
import yaml

ROOT = Path(__file__).resolve().parents[1]
_FILES = re.compile(
    r'<a class="omr-file" download="(?P<csv>[a-z0-9-]+\.csv)" '
    r'href="data:text/csv;charset=utf-8;base64,(?P<data>[^"]*)">(?P<words>[^<]*)</a>'
    r'<template class="omr-files" data-id="(?P<id>[a-z0-9-]+)" data-files="(?P<files>[^"]*)">'
    r"(?P<links>.*?)</template>",
    re.DOTALL,
)
_LINK = re.compile(r'href="(figures|code)/([^"#]*)(#L\d+)?"')
_FILLED = re.compile(r'<span data-omr="(title|version|page)"></span>')
_HEADING = re.compile(r"<h1>(.*?)(?:<a class=\"headerlink\"|</h1>)", re.DOTALL)
_SOURCE = re.compile(r"analysis(?:/[a-z_]+)+\.py")

#: What the charts call; Vega asked for by itself comes out of the bundler empty.
_SNIPPET = "window.vegaEmbed = vegaEmbed;"
_SOURCE_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{path}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 1rem; font: 0.85rem/1.5 monospace; }}
h1 {{ font-size: 1rem; }}
pre {{ counter-reset: line; overflow-x: auto; }}
span {{ counter-increment: line; }}
span::before {{ content: counter(line); display: inline-block; width: 3.5em; }}
span:target {{ background: rgba(255, 200, 0, 0.3); }}
</style></head>
<body><main><h1>{path}</h1>
<pre tabindex="0">{lines}</pre></main></body></html>
"""


def citation() -> dict[str, str]:
    """Return version and, where one is named, the public address of the repository."""
    path = ROOT / "CITATION.cff"
    record = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {
        "version": str(record.get("version") or ""),
        "address": str(record.get("repository-code") or record.get("url") or ""),
    }


def unpack(text: str, page: str, site: Path) -> str:
    """Write the files that the figures of a page carry; return the page with links to them.

    `page` is its path in the site, with slashes. Two figures of one name must carry the same.
    """
    depth = "../" * page.count("/")
    known = citation() if 'data-omr="' in text else {}
    folder = site / "_static" / "figures"

    def write(name: str, content: bytes) -> None:
        path = folder / name
        if path.exists() and path.read_bytes() != content:
            raise ValueError(f"{page}: another figure has a file {name} with other content")
        path.write_bytes(content)

    def files(match: re.Match[str]) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        write(match["csv"], base64.b64decode(match["data"]))
        carried = json.loads(zlib.decompress(base64.b64decode(match["files"])))
        for ending, content in carried.items():
            write(match["id"] + ending, base64.b64decode(content))
        csv = f"{depth}_static/figures/{match['csv']}"
        links = _LINK.sub(link, match["links"])
        return f'<a download="{match["csv"]}" href="{csv}">{match["words"]}</a>{links}'

    def link(match: re.Match[str]) -> str:
        kind, path, line = match[1], match[2], match[3] or ""
        if kind == "code":
            path = source(path, site, known.get("address", ""))
        return f'href="{depth}_static/{kind}/{path}{line}"'

    heading = _HEADING.search(text)
    title = re.sub(r"<[^>]*>", "", heading[1]).strip() if heading else ""

    def filled(match: re.Match[str]) -> str:
        if match[1] == "page":
            return html.escape(page)
        if match[1] == "title":
            return f"“{title}.” " if title else ""
        return html.escape(f", version {known['version']}" if known.get("version") else "")

    return _FILLED.sub(filled, _FILES.sub(files, text))


def source(path: str, site: Path, address: str = "") -> str:
    """Write a source file as a page with an anchor for each line; return the page's path."""
    if not _SOURCE.fullmatch(path):
        raise ValueError(f"{path} is no source file of the record")
    target = path.removesuffix(".py").replace("/", "-").strip("-") + ".html"
    place = site / "_static" / "code" / target
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
        numbered = "\n".join(
            f'<span id="L{number}">{html.escape(line)}</span>'
            for number, line in enumerate(lines, start=1)
        )
        text = _SOURCE_PAGE.format(path=html.escape(path), lines=numbered)
        if address.startswith("https://"):
            public = html.escape(f"{address.rstrip('/')}/blob/main/{path}")
            more = f'</h1>\n<p><a href="{public}">In the repository</a></p>'
            text = text.replace("</h1>", more, 1)
        place.write_text(text, encoding="utf-8")
    return target


def finish(site: Path) -> None:
    """Draw the PNG of every SVG, and make the bundle where a page has an interactive chart."""
    pictures = sorted((site / "_static" / "figures").glob("*.svg"))
    if not pictures:
        return
    kept = site.parent / ".pictures"
    kept.mkdir(exist_ok=True)
    tool = importlib.metadata.version("vl-convert-python")
    script = kept / f"{_digest(_SNIPPET + tool)}.js"
    named = {path: kept / f"{_digest(path.read_text('utf-8') + tool)}.png" for path in pictures}
    missing = [(path, png) for path, png in named.items() if not png.exists()]
    if missing or not script.exists():
        # Forks of a process in which the renderer ran would share its threads: start anew.
        with ProcessPoolExecutor(min(4, os.cpu_count() or 1), get_context("spawn")) as pool:
            made = None if script.exists() else pool.submit(_bundle_to, script)
            list(pool.map(_draw, missing, chunksize=4))
            if made is not None:
                made.result()
    for path, png in named.items():
        shutil.copyfile(png, path.with_suffix(".png"))
    shutil.copyfile(script, site / "_static" / "vega.js")
    for path in set(kept.iterdir()) - {script, *named.values()}:
        path.unlink()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def bundle() -> str:
    """Return the script that gives a page Vega."""
    text: str = vl_convert.javascript_bundle(_SNIPPET)
    # Its names are its own: as a plain script they would meet those of the theme's scripts.
    return f"(() => {{\n{text}\n}})();\n"


def _bundle_to(path: Path) -> None:
    _write(path, bundle().encode())


def _draw(pair: tuple[Path, Path]) -> None:
    picture, png = pair
    _write(png, smaller(vl_convert.svg_to_png(picture.read_text(encoding="utf-8"), scale=2)))


def _write(path: Path, content: bytes) -> None:
    # Whole or not at all: a broken build must leave nothing that the next one takes for good.
    new = path.with_suffix(".new")
    new.write_bytes(content)
    new.replace(path)


def smaller(png: bytes) -> bytes:
    """Return a PNG with its content packed well; the renderer packs fast, in thrice the bytes."""
    head, parts, packed = png[:8], [], b""
    place = 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length
        if kind == b"IDAT":
            packed += content
            continue
        if kind == b"IEND":
            parts.append((b"IDAT", zlib.compress(zlib.decompress(packed), 6)))
        parts.append((kind, content))
    return head + b"".join(
        struct.pack(">I", len(content)) + kind + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )  # fmt: skip
