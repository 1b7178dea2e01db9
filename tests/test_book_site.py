"""The built site: nothing from elsewhere, no error, legible on a phone, in the dark.

The book is built once, in a copy, and every page is opened in headless Chromium.
"""

from __future__ import annotations

import hashlib
import html
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis import tables
from tests.support.browser import PROJECT, copy_project, run_build

pytestmark = [pytest.mark.slow]


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


def holds_choices(site: Path, target: str, fragment: str) -> bool:
    """Whether a link gives the explorer a claim that it knows; what follows "#" is no id then."""
    given = dict(part.partition("=")[::2] for part in fragment.split("&"))
    data = site / "_static/explorer" / f"{given.get('claim', '')}.js"
    return target == "explore.html" and data.is_file()


def test_every_link_inside_the_site_leads_somewhere(site: Path, pages: dict[str, Page]) -> None:
    dead = []
    for name, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, _, fragment = link.partition("#")
            target = target or name
            if not (site / target).exists() or (
                fragment
                and target in pages
                and fragment not in pages[target].ids
                and not holds_choices(site, target, fragment)
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


def elsewhere(folder: Path) -> dict[str, str]:
    """Return the environment of a caller who lives far away: hash seed, language, time, home."""
    home = folder / "a home"
    home.mkdir()
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout
    # Turkish has letters that change with case, German writes 1.234,5; C is there always.
    wished = ("tr_TR.utf8", "tr_TR.UTF-8", "de_DE.utf8", "de_DE.UTF-8", "C")
    language = next(one for one in wished if one in known.split() or one == "C")
    return {
        "PYTHONHASHSEED": "1969",
        "LC_ALL": language,
        "LANG": language,
        "TZ": "Asia/Kathmandu",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "COLUMNS": "41",
        "SOURCE_DATE_EPOCH": "86400",
    }


def test_two_builds_are_the_same_bytes(site: Path, tmp_path: Path) -> None:
    # From the first copy, which nobody edits meanwhile; at another path and for another caller,
    # neither of which may show.
    project = copy_project(tmp_path / "again", site.parents[2])
    result = run_build(project, **elsewhere(tmp_path))
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
