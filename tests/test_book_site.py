"""The built site: nothing from elsewhere, no error, legible on a phone, in the dark.

The book is built once, in a copy, and every page is opened in headless Chromium.
"""

from __future__ import annotations

import hashlib
import html
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from analysis import tables
from analysis.present import theme

PROJECT = Path(__file__).resolve().parents[1]
pytestmark = [pytest.mark.slow]


def copy_project(to: Path, project: Path = PROJECT) -> Path:
    """Copy what a build needs: code, derived tables, pages."""
    for name in ("analysis", "book", "data", "tools"):
        shutil.copytree(
            project / name, to / name, ignore=shutil.ignore_patterns("_build", "__pycache__")
        )
    return to


def run_build(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/build_book.py"],
        cwd=project, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book, built once for all test processes of a run."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    project, done = base / "book-project", base / "book-built"
    try:
        project.mkdir()
    except FileExistsError:
        for _ in range(5000):
            if done.exists():
                break
            time.sleep(0.1)
    else:
        result = run_build(copy_project(project))
        done.write_text(f"{result.returncode}\n{result.stdout}{result.stderr}", encoding="utf-8")
    status = done.read_text(encoding="utf-8")
    assert status.startswith("0\n"), status
    return project / "book/_build/html"


class Page(HTMLParser):
    """Ids, links, headings and language of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []
        self.images_without_words = 0
        self.headers_without_scope = 0
        self.language = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "html":
            self.language = str(given.get("lang"))
        if tag == "img" and "alt" not in given:
            self.images_without_words += 1
        if tag == "th" and "scope" not in given:
            self.headers_without_scope += 1


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Page]:
    return {path.name: Page(path) for path in sorted(site.glob("*.html"))}


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    found = subprocess.run(
        ["grep", "-rnoE", r"https?://[^\" ]*(cdn|unpkg|jsdelivr|cdnjs|googleapis)", str(site)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.stdout == ""
    from test_book_pages import load_tool

    assert load_tool("build_book").external_loads(site) == []


def test_no_page_names_a_path_of_this_machine(site: Path) -> None:
    project = str(site.parents[2])
    for path in [*site.rglob("*.html"), *site.rglob("*.js"), *site.rglob("*.csv")]:
        text = path.read_text(encoding="utf-8")
        assert project not in text, path.name
        assert str(PROJECT) not in text, path.name


def test_every_link_inside_the_site_leads_somewhere(site: Path, pages: dict[str, Page]) -> None:
    dead = []
    for name, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, _, fragment = link.partition("#")
            target = target or name
            if not (site / target).exists() or (
                fragment and target in pages and fragment not in pages[target].ids
            ):
                dead.append(f"{name}: {link}")
    assert dead == []


def test_pages_are_well_formed_for_screen_readers(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert page.language == "en", name
        assert len(page.ids) == len(set(page.ids)), name
        assert page.images_without_words == 0, name
        assert page.headers_without_scope == 0, name
        if name not in ("search.html", "genindex.html"):
            assert page.levels.count(1) == 1, name
            steps = zip(page.levels, page.levels[1:], strict=False)
            assert all(b <= a + 1 for a, b in steps), name


def test_each_finding_is_the_title_of_its_page(site: Path) -> None:
    for claim in tables.claims():
        path = site / f"{claim['id']}.html"
        if claim["group"] != "A":
            continue
        heading = re.search(r"<h1>(.*?)<a class", path.read_text(encoding="utf-8"), re.DOTALL)
        assert heading is not None

        shown = html.unescape(re.sub(r"<[^>]+>", "", heading[1]))
        # Sphinx sets typographic quotes; the build keeps a number and its unit on one line.
        plain = shown.replace("\u00a0", " ").replace("’", "'").replace("“", '"').replace("”", '"')
        assert plain == claim["finding"]


def test_every_figure_has_words_a_table_and_a_file(site: Path) -> None:
    count = 0
    for path in sorted(site.glob("*.html")):
        text = path.read_text(encoding="utf-8")
        for figure in re.findall(r'<figure class="omr-figure".*?</figure>', text, re.DOTALL):
            count += 1
            assert len(re.findall(r"<desc id=\"[^\"]+\">[^<]{20,}</desc>", figure)) == 2
            assert "<table" in figure
            data = re.search(r'href="(_static/figures/[a-z0-9-]+\.csv)"', figure)
            assert data is not None
            assert len((site / data[1]).read_text(encoding="utf-8").splitlines()) > 1
    assert count >= 9


def test_two_builds_are_the_same_bytes(site: Path, tmp_path: Path) -> None:
    # From the first copy, which nobody edits meanwhile; at another path, which must not show.
    project = copy_project(tmp_path / "again", site.parents[2])
    result = run_build(project)
    assert result.returncode == 0, result.stderr

    def hashes(root: Path) -> dict[str, str]:
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    assert hashes(project / "book/_build/html") == hashes(site)


SMALL = {
    "_toc.yml": "format: jb-book\nroot: index\n",
    "index.md": (
        "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n"
        "kernelspec:\n  display_name: Python 3\n  language: python\n  name: python3\n---\n\n"
        "# One page\n\n{body}\n"
    ),
}


@pytest.mark.parametrize(
    ("body", "works"),
    [
        ("```{code-cell} ipython3\n1 + 1\n```", True),
        ("```{code-cell} ipython3\nraise ValueError('broken')\n```", False),
        ("```{code-cell} ipython3\nx = 1\n```\n\nText {eval}`missing`.", False),
        ("```{code-cell} ipython3\nimport sys; print('!', file=sys.stderr)\n```", False),
        ("[nowhere](missing-page.md)", False),
    ],
    ids=["good", "raising-cell", "missing-number", "standard-error", "dead-link"],
)
def test_a_fault_in_a_page_fails_the_build(tmp_path: Path, body: str, works: bool) -> None:
    # Synthetic: a book of one page, with the project's configuration and build.
    project = copy_project(tmp_path)
    for path in (project / "book").glob("*.md"):
        path.unlink()
    for name, text in SMALL.items():
        (project / "book" / name).write_text(text.replace("{body}", body), encoding="utf-8")
    result = run_build(project)
    assert (result.returncode == 0) is works, result.stdout + result.stderr
    if not works:
        assert "Open " not in result.stdout
        assert "index" in result.stderr or "broken" in result.stderr


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("OMR_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium: install Debian's package or set OMR_CHROMIUM")
    flags = [
        "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
        "--disable-component-update", "--no-first-run",
    ]  # fmt: skip
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


Visit = Callable[..., list[tuple[str, Any, list[str]]]]


@pytest.fixture
def visit(chromium: Any, site: Path) -> Visit:
    """Open every page; return its name, what a script found on it, and what went wrong."""

    def run(script: str, **settings: Any) -> list[tuple[str, Any, list[str]]]:
        context = chromium.new_context(**settings)
        results = []
        for path in sorted(site.glob("*.html")):
            wrong: list[str] = []
            page = context.new_page()
            page.on("console", lambda m, w=wrong: w.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda e, w=wrong: w.append(str(e)))
            page.on(
                "request",
                lambda r, w=wrong: (
                    None if r.url.startswith(("file:", "data:")) else w.append(r.url)
                ),
            )
            page.goto(path.as_uri())
            found = page.evaluate(script) if settings.get("java_script_enabled", True) else page
            if found is page:
                found = page.content(), page.locator("main").inner_text()
            results.append((path.name, found, wrong))
            page.close()
        context.close()
        return results

    return run


@pytest.mark.browser
def test_nothing_is_requested_and_nothing_fails(visit: Visit) -> None:
    # At 360 pixels nothing sticks out of the page.
    script = "document.documentElement.scrollWidth"
    for name, width, wrong in visit(script, viewport={"width": 360, "height": 740}):
        assert wrong == [], name
        assert width <= 360, name


@pytest.mark.browser
def test_one_drawing_of_each_figure_shows_at_each_width(visit: Visit) -> None:
    script = """[...document.querySelectorAll('.omr-figure')].map(f =>
        [...f.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().width > 100)
            .map(s => [s.parentElement.className,
                       Math.min(...[...s.querySelectorAll('text')].map(
                           t => t.getBoundingClientRect().height))]))"""
    for width, kind in ((1280, "omr-wide"), (360, "omr-narrow")):
        for name, figures, _ in visit(script, viewport={"width": width, "height": 800}):
            for figure in figures:
                assert [shown for shown, _ in figure] == [kind], name
                # The smallest text is as tall as legible type.
                assert figure[0][1] >= 10, name


@pytest.mark.browser
def test_content_is_there_without_scripts(visit: Visit, site: Path) -> None:
    for name, (content, text), _ in visit("", java_script_enabled=False):
        if name == "search.html":
            continue
        assert len(text) > 300, name
        source = (site / name).read_text(encoding="utf-8")
        assert content.count("<svg") == source.count("<svg"), name


@pytest.mark.browser
def test_the_dark_theme_is_legible(visit: Visit) -> None:
    script = """(() => {
        const root = document.documentElement;
        const seen = [...document.querySelectorAll(
            'main p, main td, main th, main dd, main dt, main h1, main h2, main li, main a,'
            + ' main summary, main .omr-verdict')]
            .filter(e => e.getBoundingClientRect().height > 0);
        const ground = e => { for (; e; e = e.parentElement) {
            const c = getComputedStyle(e).backgroundColor;
            if (!/rgba\\(.*, 0\\)$/.test(c) && c !== 'transparent') return c; }
            return 'rgb(0,0,0)'; };
        return [root.dataset.theme, [...new Set(seen.filter(e => e.textContent.trim()).map(
            e => getComputedStyle(e).color + '|' + ground(e)))]];
    })()"""
    for scheme in ("dark", "light"):
        for name, (shown, pairs), _ in visit(script, color_scheme=scheme):
            assert shown == scheme, name
            for pair in pairs:
                ink, ground = (
                    "#" + "".join(f"{int(float(v)):02x}" for v in re.findall(r"[\d.]+", c)[:3])
                    for c in pair.split("|")
                )
                assert theme.contrast(ink, ground) >= 4.5, f"{name} {scheme}: {pair}"
