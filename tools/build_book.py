"""Build the book from data/derived, offline, with every warning an error.

Run by `make book`. Steps: Jupyter Book with warnings and raising cells as errors; then the pages
are freed of every address they would load something from; data links become files; the result is
checked; the place of the pages is printed.

A second build is quick: what Sphinx read of a page is kept, and only pages whose own text changed
are executed again. Everything else that a page may depend on (code, data, settings, other files,
Python, packages) is compared first; if any of it changed, or the last build failed, all is built
from nothing. All pages are written anew in either case, because they name one another.

Usage: python tools/build_book.py [--book FOLDER] [--cold]
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import html
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mend_pages
import site_assets
import slim_pages
import trim_styles
import warm_kernels

ROOT = Path(__file__).resolve().parents[1]
# Jupyter Book's own command, told to read pages in parallel, for which it has no option: each page
# starts a kernel, so half of the time is waiting.
_RUN = """
import functools, os, sys
import jupyter_book.sphinx as books
import sphinx.builders as builders
import sphinx.search.en as english
# A process more than cores, because a page waits now and then; few pages at a time, so that none
# sits behind a long row when the others are done.
books.build_sphinx = functools.partial(books.build_sphinx, jobs=min(6, 1 + (os.cpu_count() or 1)))
chunks = builders.make_chunks
builders.make_chunks = lambda pages, processes, most=10: chunks(pages, processes, 1)
# Pages share most of their words.
english.SearchEnglish.stem = functools.cache(english.SearchEnglish.stem)
from jupyter_book.cli.main import main
main()
"""
# The day the first tag was planned for; only its being fixed matters, so that builds agree.
EPOCH = "1767225600"
#: In the folder of a build: what it was made from, written when it has ended well.
STAMP = ".made-from.json"

# Scripts of the theme that would be loaded from a content network, and that no page needs: live
# code (thebe), formulas (MathJax), widgets (require.js).
# Each pattern starts with the bracket of a tag, or a search through a page takes ten times as long.
_UNWANTED = re.compile(
    r"<(?:script[^>]*\ssrc=\"(?:https?:)?//[^\"]*\"[^>]*>\s*</script>"
    r"|link[^>]*\shref=\"(?:https?:)?//[^\"]*\"[^>]*?/?>)\s*?\n?"
)
# What else the theme and its extensions put on every page, and a page of this book does without:
# settings of live code and of fold buttons, second views for phones, words for a search service.
_IDLE = re.compile(
    r"<(?:script[^>]*>(?:const THEBE_JS_URL|window\.MathJax|let toggle|var togglebutton|"
    r"kernelName)[^<]*</script>"
    r"|script type=\"text/x-thebe-config\">[^<]*</script>"
    r"|meta name=\"viewport\" content=\"[^\"]*initial-scale=1\" ?/>"
    r"|meta name=\"docsearch:[^>]*>)\n?"
)
_ASSET = re.compile(
    r"<(?:script[^>]*\ssrc=\"(?P<script>[^\"?]+)[^>]*>\s*</script>"
    r"|link[^>]*\shref=\"(?P<link>[^\"?]+\.(?:css|js))[^>]*>)\n?"
)
#: Files that stay on the pages that show what they serve, and go from all others. Nothing shows
#: what has None: the icons are drawn by record.css, and names of buttons by the browser.
_SERVES = {
    "fontawesome.js": None,
    "bootstrap.js": None,
    "sphinx-thebe.js": None,
    "sphinx-thebe.css": None,
    "clipboard.min.js": '<div class="highlight',
    "copybutton.js": '<div class="highlight',
    "copybutton.css": '<div class="highlight',
    "togglebutton.js": 'class="toggle',
    "togglebutton.css": 'class="toggle',
    "design-tabs.js": 'class="sd-',
    "sphinx-design.min.css": 'class="sd-',
    "searchtools.js": 'id="search-results"',
    "language_data.js": 'id="search-results"',
    "searchindex.js": 'id="search-results"',
    "explorer.js": 'id="omr-explorer"',
    "charts.js": " data-live",
}
#: Files of the site that no page asks for.
_LEFTOVERS = (
    "_sources",
    ".buildinfo*",
    "_static/vendor",
    "_static/locales",
    "_static/images",
    "_static/scripts/fontawesome*",
    "_static/scripts/bootstrap*",
    "_static/**/*.map",
    "_static/*.png",
    "_static/*-solid.svg",
    "_static/*webpack-macros.html",
    "_static/copybutton_funcs.js",
    "_static/documentation_options.js",
    "_static/basic.css",
)
#: Style sheets of the theme that every page asks for, in their order: joined to the first of them,
#: without the rules that no page can meet.
_JOINED = (
    "styles/theme.css",
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "mystnb.*.css",
)
# The theme repeats title and contents for print; the style sheet for print does without, and a page
# then has one title for those who listen to it.
_PRINT = re.compile(r"<div id=\"jb-print-docs-body\".*?(?=<div id=\"searchbox\">)", re.DOTALL)
_CSV = re.compile(r'download="([a-z0-9-]+\.csv)" href="data:text/csv;charset=utf-8;base64,([^"]*)"')
# What a page gives its script to load when it is asked for (the claim explorer).
_FILE = re.compile(
    r'<script type="application/json" data-omr-file="(explorer/[a-z0-9-]+\.js)">(.*?)</script>',
    re.DOTALL,
)
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


def _fingerprint(paths: Iterable[Path], root: Path) -> dict[str, str]:
    """Return the sha256 of each file."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
        if path.is_file() and "__pycache__" not in path.parts
    }


def inputs(book: Path) -> dict[str, Any]:
    """Return what a build depends on: the text of each page, and all the rest.

    Parameters
    ----------
    book : Path
        Folder of the pages.

    Returns
    -------
    dict
        ``pages`` holds a hash for each page, ``rest`` one for everything that any page may read.
    """
    pages = _fingerprint(book.glob("*.md"), book)
    own = (path for path in book.rglob("*") if "_build" not in path.relative_to(book).parts)
    rest: dict[str, Any] = {
        "book": {k: v for k, v in _fingerprint(own, book).items() if k not in pages},
        "place": str(book),
        "names": sorted(pages),
        "python": sys.version,
        "packages": sorted(f"{d.name} {d.version}" for d in importlib.metadata.distributions()),
    }
    # Folders whole: what a page reads through the code is not to be guessed here.
    for name in ("analysis", "data", "docs", "tools"):
        rest[name] = _fingerprint((ROOT / name).rglob("*"), ROOT)
    rest["files"] = _fingerprint(ROOT.glob("[!.]*"), ROOT)
    rest["settings"] = sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("OMR_"))
    whole = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    return {"pages": pages, "rest": whole}


def prepare(book: Path, now: dict[str, Any], cold: bool) -> bool:
    """Remove what an earlier build left and this one may not use; return whether any is of use."""
    build = book / "_build"
    stamp = build / STAMP
    before: dict[str, Any] = {}
    if not cold:
        with contextlib.suppress(OSError, ValueError):
            before = json.loads(stamp.read_text(encoding="utf-8"))
    # Written again when this build has ended well: warnings of a failed one would not come twice.
    stamp.unlink(missing_ok=True)
    if before.get("rest") != now["rest"]:
        shutil.rmtree(build, ignore_errors=True)
        return False
    shutil.rmtree(build / "html", ignore_errors=True)
    for name, digest in now["pages"].items():
        if before["pages"].get(name) != digest:
            (build / ".doctrees" / name).with_suffix(".doctree").unlink(missing_ok=True)
    return True


#: What Jupyter says when two kernels that start at once were given one port, which is nobody's
#: fault and rare: the pages are then read again.
_SAME_PORT = "Kernel died before replying to kernel_info"


def run_sphinx(book: Path, warm: bool = False, attempts: int = 3) -> int:
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
        command += ["-W", "-n", "--keep-going", "-q", *(() if warm else ("--all",))]
        # To a file: a kernel that outlives Sphinx holds a pipe open, and nobody would get on.
        said = Path(scratch) / "said"
        with (
            warm_kernels.serving(Path(scratch), environment) as environment,
            said.open("w", encoding="utf-8") as out,
        ):
            done = subprocess.run(
                command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        output = said.read_text(encoding="utf-8", errors="replace")
    if done.returncode and _SAME_PORT in output and attempts > 1:
        shutil.rmtree(book / "_build", ignore_errors=True)
        return run_sphinx(book, attempts=attempts - 1)
    if done.returncode:
        output = output.replace(str(ROOT) + os.sep, "")
        # The kernels warn of their loopback connection, once a page; that is not what went wrong.
        lines = [line for line in output.splitlines() if not line.startswith("[IPKernelApp]")]
        print("\n".join(lines).strip(), file=sys.stderr)
    return done.returncode


def _tidy(text: str, options: str) -> str:
    """Return a page without what it does not need, and with Sphinx's options in place."""
    text = _PRINT.sub("", _IDLE.sub("", _UNWANTED.sub("", text)))

    def judge(match: re.Match[str]) -> str:
        name = (match["script"] or match["link"]).rpartition("/")[2]
        if name == "documentation_options.js":
            return f"<script>{options}</script>\n"
        served = _SERVES.get(name, "<")
        if served is None or served not in text:
            return ""
        # A page is drawn before its scripts are there; what they are ready for comes later.
        return re.sub(r"<script (?!defer)", "<script defer ", match[0])

    return _ASSET.sub(judge, text)


def _style(site: Path, pages: dict[Path, str]) -> None:
    """Join and trim the theme's style sheets, and let the pages ask for the joined one."""
    static = site / "_static"
    sheets = [path for pattern in _JOINED for path in sorted(static.glob(pattern))]
    if not sheets:
        return
    scripts = [path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.js"))]
    known = trim_styles.words(pages.values(), scripts)
    texts = [path.read_text(encoding="utf-8") for path in [static / "basic.css", *sheets]]
    notices = [trim_styles.notices(text) for text in texts]
    kept = [*(text for text in notices if text), *(trim_styles.trim(text, known) for text in texts)]
    joined = "\n".join(kept) + "\n"
    for path in sheets[1:]:
        path.unlink()
    sheets[0].write_text(joined, encoding="utf-8")
    digest = hashlib.sha256(joined.encode()).hexdigest()[:8]
    gone = {path.name for path in sheets[1:]}

    def judge(match: re.Match[str]) -> str:
        name = (match["link"] or "").rpartition("/")[2]
        if name == sheets[0].name:
            return re.sub(r"theme\.css\?[^\"]*", f"theme.css?v={digest}", match[0])
        return "" if name in gone else match[0]

    for page, text in pages.items():
        pages[page] = _ASSET.sub(judge, text)


#: What a page says, without the frame around it.
ARTICLE = re.compile(r"<article class=\"bd-article\">(.*?)</article>", re.DOTALL)
#: In what a search shows of a page: neither figures and tables nor what is folded or hidden.
_UNREAD = re.compile(
    r"<(figure|table|svg|details|script|style)\b.*?</\1>|<div class=\"omr-notes\".*?</div>"
    r"|<a class=\"headerlink\".*?</a>",
    re.DOTALL,
)
#: Sphinx would fetch each page that it found, which browsers refuse for a site opened from disk.
_SEARCH = """"use strict";
window.fetch = (page) => {
  const name = String(page).split(/[?#]/)[0].split("/").pop();
  return Promise.resolve({ text: () => Promise.resolve(SEARCH_TEXTS[name] || "") });
};
Search.htmlToText = (text) => text;
"""


def _search_texts(site: Path, pages: dict[Path, str]) -> None:
    """Write the texts that the search page shows parts of, and let it load them."""
    search = site / "search.html"
    texts = {}
    for path, page in pages.items():
        body = ARTICLE.search(page)
        if body and path != search:
            plain = html.unescape(re.sub(r"<[^>]*>", " ", _UNREAD.sub(" ", body[1])))
            texts[path.relative_to(site).as_posix()] = " ".join(plain.split())
    if search not in pages:
        return
    # Text of strangers may hold the end of a script; it stays text wherever the file is put.
    held = json.dumps(texts, sort_keys=True).replace("</", "<\\/")
    content = f"const SEARCH_TEXTS = {held};\n{_SEARCH}"
    (site / "searchtexts.js").write_text(content, encoding="utf-8")
    # Before the index, which answers the query as soon as it is there.
    script = '<script defer src="searchtexts.js"></script>\n  '
    pages[search] = re.sub(
        r'(?=<script defer src="searchindex\.js)', script, pages[search], count=1
    )


def clean(site: Path) -> int:
    """Free the pages of what would load from elsewhere, or of no use; return how many CSV files."""
    folder = site / "_static" / "data"
    written = 0
    given = site / "_static" / "documentation_options.js"
    options = " ".join(given.read_text(encoding="utf-8").split()) if given.is_file() else ""
    pages: dict[Path, str] = {}
    for path in sorted(site.rglob("*.html")):
        depth = len(path.relative_to(site).parts) - 1

        def to_file(match: re.Match[str], depth: int = depth) -> str:
            nonlocal written
            folder.mkdir(parents=True, exist_ok=True)
            (folder / match[1]).write_bytes(base64.b64decode(match[2]))
            written += 1
            return f'download="{match[1]}" href="{"../" * depth}_static/data/{match[1]}"'

        def to_script(match: re.Match[str]) -> str:
            path = site / "_static" / match[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(match[2].encode())
            return ""

        text = _tidy(path.read_text(encoding="utf-8"), options)
        text = site_assets.unpack(text, path.relative_to(site).as_posix(), site)
        text = _CSV.sub(to_file, text)
        pages[path] = mend_pages.mend(_FILE.sub(to_script, text))
    found = (match for text in pages.values() for match in _ASSET.finditer(text))
    asked = {(match["script"] or match["link"]).rpartition("/")[2] for match in found}
    for name in _SERVES.keys() - asked:
        for path in site.rglob(name):
            path.unlink()
    for path in sorted((site / "_static").rglob("*.js")):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"//# sourceMappingURL=\S+\s*", "", text), encoding="utf-8")
    _style(site, pages)
    _search_texts(site, pages)
    for path, text in pages.items():
        path.write_text(slim_pages.slim(text), encoding="utf-8")
    for pattern in _LEFTOVERS:
        for path in sorted(site.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return written + len(list(site.glob("_static/figures/*.csv")))


def main(arguments: list[str] | None = None) -> int:
    """Build and check the book; return the exit status."""
    parser = argparse.ArgumentParser(description="Build the book from data/derived.")
    parser.add_argument("--book", type=Path, default=ROOT / "book", help="folder of the pages")
    parser.add_argument("--cold", action="store_true", help="use nothing of an earlier build")
    given = parser.parse_args(arguments)
    book = given.book.resolve()
    started = time.monotonic()
    build = book / "_build"
    now = inputs(book)
    warm = prepare(book, now, given.cold)
    if run_sphinx(book, warm):
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
    (build / STAMP).write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    pages = len(list(site.glob("*.html")))
    shown = index.relative_to(ROOT) if index.is_relative_to(ROOT) else index
    print(
        f"Built {pages} pages and {files} data files in {time.monotonic() - started:.0f} s. "
        f"Open {shown}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
