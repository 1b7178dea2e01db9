"""Build the book from data/derived, offline, with every warning an error.

Run by `make book`. Steps: Jupyter Book with warnings and raising cells as errors; then the pages
are freed of every address they would load something from; data links become files; the result is
checked; the place of the pages is printed.

Usage: python tools/build_book.py [--book FOLDER]
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from html.parser import HTMLParser
from pathlib import Path

import site_assets
import warm_kernels

ROOT = Path(__file__).resolve().parents[1]
# Jupyter Book's own command, told to read pages in parallel, for which it has no option: each page
# starts a kernel, so half of the time is waiting.
_RUN = """
import functools, os, sys
import jupyter_book.sphinx as books
books.build_sphinx = functools.partial(books.build_sphinx, jobs=min(4, os.cpu_count() or 1))
from jupyter_book.cli.main import main
main()
"""
# The day the first tag was planned for; only its being fixed matters, so that builds agree.
EPOCH = "1767225600"

# Scripts of the theme that would be loaded from a content network, and that no page needs: live
# code (thebe), formulas (MathJax), widgets (require.js).
_UNWANTED = re.compile(
    r"[ \t]*<script[^>]*\ssrc=\"(?:https?:)?//[^\"]*\"[^>]*>\s*</script>\s*?\n?"
    r"|[ \t]*<link[^>]*\shref=\"(?:https?:)?//[^\"]*\"[^>]*?/?>\s*?\n?",
    re.IGNORECASE,
)
_THEBE = re.compile(
    r"[ \t]*<script[^>]*\ssrc=\"[^\"]*sphinx-thebe\.js[^\"]*\"[^>]*>\s*</script>\n?"
    r"|[ \t]*<link[^>]*\shref=\"[^\"]*sphinx-thebe\.css[^\"]*\"[^>]*>\n?"
    r"|[ \t]*<script>const THEBE_JS_URL = .*?</script>\n?"
    r"|[ \t]*<script>window\.MathJax = .*?</script>\n?",
    re.DOTALL,
)
# The theme repeats title and contents for print; the style sheet for print does without, and a page
# then has one title for those who listen to it.
_PRINT = re.compile(r"<div id=\"jb-print-docs-body\".*?(?=<div id=\"searchbox\">)", re.DOTALL)
_CSV = re.compile(r'download="([a-z0-9-]+\.csv)" href="data:text/csv;charset=utf-8;base64,([^"]*)"')
_CSS_LOAD = re.compile(
    r"(?:url\(\s*['\"]?|@import\s+['\"]?)((?:https?:)?//[^)'\"\s]+)", re.IGNORECASE
)
_CDN = re.compile(
    r"https?://[^\s\"'<>]*(?:cdn|unpkg|jsdelivr|cdnjs|googleapis)[^\s\"'<>]*", re.IGNORECASE
)
_LOADING = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "link": ("href",),
}
#: `link` elements that only name another page and load nothing.
_NAMES_ONLY = {"canonical", "next", "prev", "search", "index", "author", "license", "help"}


class _Loads(HTMLParser):
    """Collect what a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and set((given.get("rel") or "").split()) <= _NAMES_ONLY:
            return
        for name in _LOADING.get(tag, ()):
            value = (given.get(name) or "").strip()
            if value.startswith(("http:", "https:", "//")):
                self.found.append(f"<{tag} {name}={value!r}>")
        for value in (given.get("style") or "",):
            self.found += _CSS_LOAD.findall(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)


def external_loads(site: Path) -> list[str]:
    """Return every place in a built site that would load something over a network."""
    problems: list[str] = []
    for path in sorted(site.rglob("*")):
        if path.suffix == ".html":
            text = path.read_text(encoding="utf-8")
            parser = _Loads()
            parser.feed(text)
            problems += [f"{path.relative_to(site)}: {found}" for found in parser.found]
            problems += [f"{path.relative_to(site)}: {found}" for found in _CDN.findall(text)]
        elif path.suffix == ".css":
            text = path.read_text(encoding="utf-8")
            problems += [f"{path.relative_to(site)}: {found}" for found in _CSS_LOAD.findall(text)]
            problems += [f"{path.relative_to(site)}: {found}" for found in _CDN.findall(text)]
        elif path.suffix == ".js":
            text = path.read_text(encoding="utf-8", errors="replace")
            problems += [f"{path.relative_to(site)}: {found}" for found in _CDN.findall(text)]
    return problems


def run_sphinx(book: Path) -> int:
    """Run Jupyter Book in its own process; return its exit status."""
    with tempfile.TemporaryDirectory(prefix="open-model-record-") as scratch:
        environment = dict(os.environ)
        environment.update(
            PYTHONPATH=str(ROOT),
            PYTHONHASHSEED="0",
            SOURCE_DATE_EPOCH=EPOCH,
            TZ="UTC",
            LC_ALL="C.UTF-8",
            NO_COLOR="1",
            # A reader's own settings must not change a page.
            IPYTHONDIR=str(Path(scratch) / "ipython"),
            JUPYTER_CONFIG_DIR=str(Path(scratch) / "jupyter"),
            JUPYTER_PREFER_ENV_PATH="1",
            PYTHONDONTWRITEBYTECODE=environment.get("PYTHONDONTWRITEBYTECODE", ""),
        )
        command = [sys.executable, "-c", _RUN, "build", str(book)]
        command += ["-W", "-n", "--keep-going", "--all", "-q"]
        with warm_kernels.serving(Path(scratch), environment) as environment:
            done = subprocess.run(
                command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
            )
    if done.returncode:
        output = (done.stdout + done.stderr).replace(str(ROOT) + os.sep, "")
        # The kernels warn of their loopback connection, once a page; that is not what went wrong.
        lines = [line for line in output.splitlines() if not line.startswith("[IPKernelApp]")]
        print("\n".join(lines).strip(), file=sys.stderr)
    return done.returncode


def clean(site: Path) -> int:
    """Free the pages of what would load from elsewhere; return how many CSV files were written."""
    folder = site / "_static" / "data"
    written = 0
    for path in sorted(site.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        depth = len(path.relative_to(site).parts) - 1

        def to_file(match: re.Match[str], depth: int = depth) -> str:
            nonlocal written
            folder.mkdir(parents=True, exist_ok=True)
            (folder / match[1]).write_bytes(base64.b64decode(match[2]))
            written += 1
            return f'download="{match[1]}" href="{"../" * depth}_static/data/{match[1]}"'

        freed = _PRINT.sub("", _THEBE.sub("", _UNWANTED.sub("", text)))
        freed = site_assets.unpack(freed, path.relative_to(site).as_posix(), site)
        kept = _CSV.sub(to_file, freed)
        if kept != text:
            path.write_text(kept, encoding="utf-8")
    for pattern in ("_static/sphinx-thebe.*", "_sphinx_design_static", "_sources", ".buildinfo*"):
        for path in site.glob(pattern):
            if path.name == "_sphinx_design_static":
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return written + len(list(site.glob("_static/figures/*.csv")))


def main(arguments: list[str] | None = None) -> int:
    """Build and check the book; return the exit status."""
    parser = argparse.ArgumentParser(description="Build the book from data/derived.")
    parser.add_argument("--book", type=Path, default=ROOT / "book", help="folder of the pages")
    book = parser.parse_args(arguments).book.resolve()
    started = time.monotonic()
    build = book / "_build"
    shutil.rmtree(build, ignore_errors=True)
    if run_sphinx(book):
        print("error: the book was not built; the lines above say which page", file=sys.stderr)
        return 1
    site = build / "html"
    files = clean(site)
    site_assets.finish(site)
    problems = external_loads(site)
    index = site / "index.html"
    if not index.is_file():
        print("error: Jupyter Book ended without an index page", file=sys.stderr)
        return 1
    for problem in problems:
        print(f"error: loaded from elsewhere: {problem}", file=sys.stderr)
    if problems:
        return 1
    pages = len(list(site.glob("*.html")))
    shown = index.relative_to(ROOT) if index.is_relative_to(ROOT) else index
    print(
        f"Built {pages} pages and {files} data files in {time.monotonic() - started:.0f} s. "
        f"Open {shown}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
