"""Print the built book to one PDF, with a title page, bookmarks and tags.

The articles of all pages are put into one page, in the order of the contents; ids get the name of
their page in front, and links between pages become links inside the document. Headless Chromium
prints it. What Chromium writes of its clock is replaced by the day that the build is fixed to, so
the same site and the same Chromium give the same bytes.

Usage: python tools/print_book.py [--site FOLDER] [--to FILE]
"""

from __future__ import annotations

import argparse
import html
import re
import sys
import tempfile
import time
from pathlib import Path

import browser
import build_book

_ID = re.compile(r"\b(id|for|aria-labelledby|aria-describedby|headers)=\"([^\"]+)\"")
_HREF = re.compile(r"\b((?:xlink:)?href)=\"([^\"]*)\"")
_URL = re.compile(r"url\((['\"]?)#([^)'\"]+)\1\)")
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_HEADING = re.compile(r"<(/?)h([1-5])\b")
_NODE = re.compile(rb"\(node(\d{8})\)")
_DATE = re.compile(rb"/(CreationDate|ModDate) ?\(D:[^)]*\)")
#: The day that the build is fixed to, as PDF writes it.
_FIXED = time.strftime("%Y%m%d%H%M%S+00'00'", time.gmtime(int(build_book.EPOCH))).encode()


def order(site: Path) -> list[tuple[str, list[str]]]:
    """Return the parts of the book and their pages, in the order of the contents.

    Parameters
    ----------
    site : Path
        Folder of the built pages.

    Returns
    -------
    list of tuple
        Caption of each part (empty for the start page) and file names of its pages.
    """
    text = (site / "index.html").read_text(encoding="utf-8")
    menu = re.search(r"<nav class=\"?bd-links.*?</nav>", text, re.DOTALL)
    parts: list[tuple[str, list[str]]] = [("", ["index.html"])]
    seen = {"index.html", "#"}
    for caption, page in re.findall(
        r"<span class=\"caption-text\">([^<]*)</span>|<a\b[^>]* href=\"([^\"#:]*)\"",
        menu[0] if menu else "",
    ):
        if caption:
            parts.append((html.unescape(caption), []))
        elif page not in seen:
            seen.add(page)
            parts[-1][1].append(page)
    return parts


def renamed(article: str, page: str, pages: set[str]) -> str:
    """Return an article whose ids and links are unique in a document of all pages.

    Parameters
    ----------
    article : str
        HTML of one page's article.
    page : str
        File name of the page.
    pages : set of str
        File names of all pages of the document.
    """
    prefix = page.removesuffix(".html")

    def to_id(match: re.Match[str]) -> str:
        given = " ".join(f"{prefix}--{one}" for one in match[2].split())
        return f'{match[1]}="{given}"'

    def to_place(match: re.Match[str]) -> str:
        target, mark, place = match[2].partition("#")
        target = target or page
        if re.match(r"[a-z]+:", match[2]):
            return match[0]
        if target not in pages:
            # A file beside the pages, which is not beside the document: words, no link.
            return ""
        name = target.removesuffix(".html")
        return f'{match[1]}="#{name}--{place}"' if mark and place else f'{match[1]}="#page-{name}"'

    # One title a document: what is a title on a page is a chapter here.
    def lower(match: re.Match[str]) -> str:
        return f"<{match[1]}h{int(match[2]) + 1}"

    text = _HEADING.sub(lower, _SCRIPT.sub("", article))
    text = _URL.sub(lambda match: f"url(#{prefix}--{match[2]})", text)
    return _HREF.sub(to_place, _ID.sub(to_id, text))


def document(site: Path) -> str:
    """Return one HTML page with the whole book."""
    parts = order(site)
    pages = {page for _, names in parts for page in names}
    start = (site / "index.html").read_text(encoding="utf-8")
    styles = "".join(re.findall(r"<link[^>]*stylesheet[^>]*>|<link[^>]*\.css[^>]*>", start))
    title = re.search(r"<title>(.*?)</title>", start, re.DOTALL)
    name = title[1].rpartition(" &#8212; ")[2] if title else "Book"
    maker = re.search(r"<p class=\"component-author\">\s*(.*?)\s*</p>", start, re.DOTALL)
    body, contents = [], []
    for caption, names in parts:
        if caption:
            contents.append(f"<p><b>{html.escape(caption)}</b></p>")
        for page in names:
            text = (site / page).read_text(encoding="utf-8")
            article = build_book.ARTICLE.search(text)
            if article is None:
                raise SystemExit(f"error: {page} has no article; build the book again")
            own = page.removesuffix(".html")
            body.append(
                f'<article class="bd-article" id="page-{own}">'
                f"{renamed(article[1], page, pages)}</article>"
            )
            heading = re.search(r"<h1>(.*?)<a class=\"headerlink", article[1], re.DOTALL)
            label = re.sub(r"<[^>]*>", "", heading[1]) if heading else own
            contents.append(f'<p><a href="#page-{own}">{label}</a></p>')
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head>'
        f'<meta charset="utf-8"><title>{name}</title>{styles}</head>'
        '<body class="omr-book"><main class="bd-main"><div class="bd-content">'
        f'<div class="omr-cover"><h1>{name}</h1><p>{maker[1] if maker else ""}</p></div>'
        f'<nav class="omr-book-contents">{"".join(contents)}</nav>'
        f"{''.join(body)}</div></main></body></html>"
    )


def settled(pdf: bytes) -> bytes:
    """Return a PDF without time and process of its making, each byte in its place.

    Parameters
    ----------
    pdf : bytes
        What Chromium wrote; its table of offsets stays true, because nothing changes length.
    """

    def day(match: re.Match[bytes]) -> bytes:
        fixed = b"/" + match[1] + b" (D:" + _FIXED + b")"
        return fixed[: len(match[0]) - 1].ljust(len(match[0]) - 1) + b")"

    # Names of table cells are numbers of the browser's process: they are counted from one here.
    ranks = {name: rank for rank, name in enumerate(sorted(set(_NODE.findall(pdf))), 1)}
    pdf = _NODE.sub(lambda match: b"(node%08d)" % ranks[match[1]], pdf)
    return _DATE.sub(day, pdf)


def print_pdf(site: Path, to: Path, chromium: str) -> None:
    """Print a built site to a PDF."""
    with tempfile.TemporaryDirectory(prefix="open-model-record-") as scratch:
        page_file = Path(scratch) / "book.html"
        for name in ("_static", "_images"):
            if (site / name).is_dir():
                (Path(scratch) / name).symlink_to(site / name)
        page_file.write_text(document(site), encoding="utf-8")
        with browser.opened(chromium) as running:
            page = running.new_context(java_script_enabled=False, color_scheme="light").new_page()
            page.goto(page_file.as_uri(), timeout=120_000)
            content = page.pdf(
                format="A4", print_background=True, prefer_css_page_size=True,
                outline=True, tagged=True,
            )  # fmt: skip
        here = page_file.parent.as_uri().encode()
        if here in content:
            raise SystemExit("error: the PDF names a folder of this machine; check its links")
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_suffix(".part")
    part.write_bytes(settled(content))
    part.replace(to)


def main(arguments: list[str] | None = None) -> int:
    """Print the book; return the exit status."""
    parser = argparse.ArgumentParser(description="Print the built book to one PDF.")
    parser.add_argument("--site", type=Path, default=build_book.ROOT / "book/_build/html")
    parser.add_argument("--to", type=Path, default=None, help="_build/open-model-record.pdf")
    given = parser.parse_args(arguments)
    site: Path = given.site.resolve()
    to: Path = given.to or site.parent / "open-model-record.pdf"
    if not (site / "index.html").is_file():
        print(f"error: {site}: no built book; run `make book` first", file=sys.stderr)
        return 2
    chromium = browser.found()
    if chromium is None:
        print(browser.MISSING, file=sys.stderr)
        return 2
    print_pdf(site, to, chromium)
    print(f"Printed {to} ({to.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
