"""Help in reading: terms, time to read, styles, builds that keep what did not change."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_book_pages import BOOK, PROJECT, load_tool

from analysis import pages, tables
from analysis.present.glossary import glossary
from tests.support import browser

trim_styles = load_tool("trim_styles")
build_book = load_tool("build_book")
TERMS = tables.glossary()


def places(page: str) -> set[str]:
    """The addresses of a page: labels and headings of its source."""
    text = (BOOK / f"{page}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") for heading in headings}
    return {*slugs, *re.findall(r"^\(([a-z0-9-]+)\)=$", text, re.MULTILINE)}


@pytest.mark.parametrize("entry", TERMS, ids=lambda entry: entry["id"])
def test_a_term_is_defined_once_and_its_address_is_there(entry: dict[str, object]) -> None:
    assert set(entry) == {"id", "term", "spellings", "definition", "see"}
    assert re.fullmatch(r"[a-z0-9-]+", str(entry["id"]))
    definition = str(entry["definition"])
    assert definition.endswith(".")
    assert 20 < len(definition) < 260
    # It stands in sentences and in attributes: plain words only.
    assert not re.search(r"[`*<>{}\[\]]", definition)
    page, _, place = str(entry["see"]).partition("#")
    assert (BOOK / f"{page}.md").is_file()
    assert not place or place in places(page)


def test_no_two_terms_share_a_spelling() -> None:
    found = [form.lower() for entry in TERMS for form in {entry["term"], *entry["spellings"]}]
    found = sorted({*found} & {form for form in found if found.count(form) > 1})
    # "The Hub" is written with either letter.
    assert found == ["the hub"]


def test_the_glossary_has_an_address_for_each_term() -> None:
    shown = str(pages.glossary())
    for entry in TERMS:
        assert f'<dt id="term-{entry["id"]}">' in shown
        assert f'href="#term-{entry["id"]}"' in shown
    assert shown.index("Coverage") < shown.index("The Hub") < shown.index("Interval")


def test_a_hostile_definition_stays_text() -> None:
    entry = {
        "id": 'x"><script>', "term": "<b>T</b>", "spellings": [],
        "definition": "<img src=x onerror=alert(1)>", "see": 'a" onclick="b',
    }  # fmt: skip
    shown = glossary([entry])
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown
    assert 'onclick="' not in shown


def test_the_style_sheet_loses_only_what_no_page_can_meet() -> None:
    known = trim_styles.words(["<p class=\"a b\" id='c'>"], ['x.classList.add("late-one")'])
    assert known >= {"a", "b", "c", "late-one"}
    sheet = """
    /*! licence */ @charset "UTF-8"; @import "x.css";
    .a, .gone { color: red } .gone .a { color: red } #c { color: red }
    .a:not(.gone) { x: 1 } .b:is(.a, .gone):hover { x: 2 } .late-one::before { content: "}{;" }
    table { x: 3 } [class="gone"] { x: 4 }
    @media (min-width: 1px) { .gone { y: 1 } .b { y: 2 } } @media print { .gone { y: 3 } }
    @font-face { font-family: "Font Awesome 6 Free"; src: url(x.woff2) }
    @keyframes turn { from { z: 1 } to { z: 2 } }
    .a { background: url("data:image/svg+xml,<svg fill='{,}'>") }
    """
    kept = trim_styles.trim(sheet, known)
    assert ".gone {" not in kept
    assert "import" not in kept
    assert "Awesome" not in kept
    for alive in (".a{", "#c{", ".a:not(.gone)", ".b:is(.a, .gone):hover", '"}{;"', "table{",
                  '[class="gone"]', ".b{ y: 2 }", "to { z: 2 }", "fill='{,}'"):  # fmt: skip
        assert alive in kept, alive
    assert "y: 3" not in kept
    assert trim_styles.notices(sheet) == "/*! licence */"


# Synthetic: a folder with two pages, and what an earlier build left.
@pytest.fixture
def book(tmp_path: Path) -> Path:
    (tmp_path / "_build/.doctrees").mkdir(parents=True)
    (tmp_path / "_build/html").mkdir()
    for name in ("one", "two"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n", encoding="utf-8")
        (tmp_path / f"_build/.doctrees/{name}.doctree").write_text("read", encoding="utf-8")
    (tmp_path / "_config.yml").write_text("title: x\n", encoding="utf-8")
    stamp = json.dumps(build_book.inputs(tmp_path))
    (tmp_path / "_build" / build_book.STAMP).write_text(stamp, encoding="utf-8")
    return tmp_path


def read_before(book: Path) -> list[str]:
    return sorted(path.stem for path in book.glob("_build/.doctrees/*.doctree"))


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, ["one", "two"]),
        ({"one.md": "# One, changed\n"}, ["two"]),
        ({"_config.yml": "title: y\n"}, []),
        ({"three.md": "# Three\n"}, []),
        ({"_static/new.css": "a {}\n"}, []),
    ],
    ids=["nothing", "one-page", "settings", "a-new-page", "a-new-file"],
)
def test_a_build_keeps_only_what_cannot_have_changed(
    book: Path, change: dict[str, str], kept: list[str]
) -> None:
    for name, text in change.items():
        (book / name).parent.mkdir(exist_ok=True)
        (book / name).write_text(text, encoding="utf-8")
    assert build_book.prepare(book, build_book.inputs(book), cold=False) is bool(kept)
    assert read_before(book) == kept
    # Pages name one another, so none is kept as written; a build that fails leaves no stamp.
    assert not (book / "_build/html").exists()
    assert not (book / "_build" / build_book.STAMP).exists()


def test_a_cold_build_and_one_after_a_failure_keep_nothing(book: Path) -> None:
    stamp = book / "_build" / build_book.STAMP
    text = stamp.read_text(encoding="utf-8")
    stamp.unlink()
    assert build_book.prepare(book, build_book.inputs(book), cold=False) is False
    assert read_before(book) == []
    (book / "_build").mkdir(exist_ok=True)
    stamp.write_text(text, encoding="utf-8")
    assert build_book.prepare(book, build_book.inputs(book), cold=True) is False


def test_data_code_and_settings_count_as_inputs(
    book: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("project")
    (root / "data").mkdir()
    monkeypatch.setattr(build_book, "ROOT", root)
    seen = {build_book.inputs(book)["rest"]}
    (root / "data/x.csv").write_text("a\n", encoding="utf-8")
    seen.add(build_book.inputs(book)["rest"])
    (root / "requirements.lock").write_text("a==1\n", encoding="utf-8")
    seen.add(build_book.inputs(book)["rest"])
    monkeypatch.setenv("OMR_SOMETHING", "1")
    seen.add(build_book.inputs(book)["rest"])
    assert len(seen) == 4


# Synthetic: a site of three pages, as the theme frames them.
@pytest.fixture
def small_site(tmp_path: Path) -> Path:
    frame = (
        "<html><head><title>T &#8212; A Book</title></head><body>"
        '<nav class="bd-links bd-docs-nav"><a class="reference internal" href="index.html">B</a>'
        '<p class="caption"><span class="caption-text">Part</span></p>'
        '<a class="reference internal" href="b.html">B</a>'
        '<a class="current reference internal" href="a.html">A</a></nav>'
        '<article class="bd-article">{}</article></body></html>'
    )
    articles = {
        "index": '<h1>Start<a class="headerlink" href="#s">#</a></h1><a href="a.html#x">to a</a>'
        '<a href="_static/data/d.csv">file</a><a href="https://example.org/">out</a>',
        "a": '<h1 id="x">A</h1><svg><clipPath id="c"></clipPath><g clip-path="url(#c)"></g></svg>'
        '<a href="#x">up</a><a href="b.html">b</a><script>alert(1)</script>',
        "b": '<h1 id="x">B</h1><p aria-describedby="x y">.</p><h2>Deeper</h2>',
    }
    for name, article in articles.items():
        (tmp_path / f"{name}.html").write_text(frame.format(article), encoding="utf-8")
    return tmp_path


def test_the_printed_book_has_all_pages_in_order_and_links_inside(small_site: Path) -> None:
    print_book = load_tool("print_book")
    assert print_book.order(small_site) == [("", ["index.html"]), ("Part", ["b.html", "a.html"])]
    text = print_book.document(small_site)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert text.index('id="page-index"') < text.index('id="page-b"') < text.index('id="page-a"')
    inside = set(re.findall(r'href="#([^"]+)"', text)) - {"index--s"}
    assert inside <= set(ids)
    assert {"a--x", "page-b"} <= inside
    assert "url(#a--c)" in text
    assert 'aria-describedby="b--x b--y"' in text
    # A file beside the site is no link on paper; scripts are gone; one title only.
    assert "d.csv" not in text
    assert 'href="https://example.org/"' in text
    assert "<script" not in text
    assert text.count("<h1") == 1


def test_a_pdf_loses_its_clock_and_no_byte() -> None:
    settled = load_tool("print_book").settled
    one = b"1 /CreationDate (D:20261125104929+00'00')\n/ModDate (D:20261125104929+00'00')>> xref"
    other = one.replace(b"2026112510", b"2031010203")
    assert len(settled(one)) == len(one)
    assert settled(one) == settled(other) != one
    assert settled(one).startswith(b"1 /CreationDate (D:2026")
    cells = b"/ID (node00000412) /ID (node00000440) /Headers [(node00000412)]"
    later = cells.replace(b"440", b"561").replace(b"412", b"499")
    assert settled(cells) == settled(later)
    assert settled(cells).endswith(b"(node00000002) /Headers [(node00000001)]")


def test_the_same_site_gives_the_same_zip(small_site: Path, tmp_path_factory: Any) -> None:
    package = load_tool("package_site").package
    out = tmp_path_factory.mktemp("out")
    package(small_site, out / "one/book.zip")
    again = out / "copy"
    again.mkdir()
    for path in sorted(small_site.iterdir(), reverse=True):
        (again / path.name).write_bytes(path.read_bytes())
        (again / path.name).chmod(0o600)
    package(again, out / "two/book.zip")
    assert (out / "one/book.zip").read_bytes() == (out / "two/book.zip").read_bytes()
    with zipfile.ZipFile(out / "one/book.zip") as archive:
        assert archive.namelist() == ["book/a.html", "book/b.html", "book/index.html"]


def test_the_tools_say_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("print_book", "package_site", "measure_site"):
        assert load_tool(name).main(["--site", str(tmp_path)]) == 2
        assert "make book" in capsys.readouterr().err


# --- the built book -------------------------------------------------------------------------------

MEASURED = ("index", "share-above-half", "data", "glossary", "domain-derivatives")


@pytest.fixture
def opened(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    yield context.new_page()
    context.close()


@pytest.mark.slow
def test_each_page_says_its_time_and_marks_a_term_once(site: Path) -> None:
    marked = 0
    for entry in BOOK.glob("*.md"):
        text = (site / f"{entry.stem}.html").read_text(encoding="utf-8")
        assert len(re.findall(r"About \d+ minutes? to read", text)) == 1, entry.stem
        found = re.findall(r'<a class="omr-term[^>]*href="glossary.html#term-([a-z0-9-]+)"', text)
        assert len(found) == len(set(found)), entry.stem
        assert found == re.findall(r'<p id="note-([a-z0-9-]+)">', text), entry.stem
        assert "omr-term" not in "".join(re.findall(r"<h[1-6].*?</h[1-6]>", text, re.DOTALL))
        marked += len(found)
    assert marked > 50


@pytest.mark.slow
def test_no_page_asks_for_an_icon_font_or_an_index_it_does_not_search(site: Path) -> None:
    for path in sorted(site.glob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert "fontawesome" not in text, path.name
        assert ("searchindex.js" in text) is (path.name == "search.html"), path.name
    assert not [*site.rglob("*.map"), *site.rglob("*fontawesome*"), *site.rglob("*.woff2")]
    used = {
        icon
        for path in site.glob("*.html")
        for icon in re.findall(r"\bfa-(?!solid|lg)[a-z-]+", path.read_text(encoding="utf-8"))
    }
    drawn = re.findall(r"\.(fa-[a-z-]+)", (site / "_static/record.css").read_text(encoding="utf-8"))
    assert used <= set(drawn)


@pytest.mark.slow
@pytest.mark.browser
def test_a_first_visit_is_light_and_does_not_shift(site: Path, chromium: Any) -> None:
    measure = load_tool("measure_site")
    with measure.serving(site) as base:
        for name in MEASURED:
            seen = measure.visit(chromium, f"{base}/{name}.html")
            assert seen["bytes"] < measure.LIMIT, name
            assert seen["cls"] < 0.1, name
            assert seen["fcp"] > 0, name


@pytest.mark.slow
@pytest.mark.browser
def test_a_note_opens_stays_and_goes(site: Path, opened: Any) -> None:
    opened.goto((site / "share-above-half.html").as_uri())
    term, note = opened.locator("a.omr-term").nth(1), opened.locator(".omr-term-note")
    assert not note.is_visible()
    term.hover()
    note.wait_for()
    described = opened.locator("#" + term.get_attribute("aria-describedby"))
    assert note.inner_text() == described.text_content()
    box = note.bounding_box()
    opened.mouse.move(box["x"] + 20, box["y"] + 10, steps=4)
    opened.wait_for_timeout(500)
    assert note.is_visible()
    opened.keyboard.press("Escape")
    assert not note.is_visible()
    opened.mouse.move(1, 1)
    term.focus()
    assert note.is_visible()
    opened.keyboard.press("Escape")
    assert not note.is_visible()
    term.press("Enter")
    opened.wait_for_url("**/glossary.html#term-*")


@pytest.mark.slow
@pytest.mark.browser
def test_a_search_from_disk_finds_pages_headings_and_sentences(site: Path, opened: Any) -> None:
    wrong: list[str] = []
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.goto((site / "search.html").as_uri() + "?q=placebo")
    opened.locator("#search-results li").first.wait_for()
    opened.wait_for_timeout(300)
    assert wrong == []
    found = opened.locator("#search-results").inner_text()
    assert "Placebo days" in found
    assert "the same computation" in found
    opened.goto((site / "index.html").as_uri())
    opened.keyboard.press("Control+k")
    opened.keyboard.type("interval")
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/search.html?q=interval*")
    opened.locator("#search-results li").first.wait_for()


@pytest.mark.slow
@pytest.mark.browser
def test_menu_and_theme_work_on_a_phone(site: Path, chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme="light")
    page = context.new_page()
    page.goto((site / "method.html").as_uri())
    link = page.locator("nav.bd-docs-nav a", has_text="Glossary")
    assert not link.is_visible()
    page.locator("button.primary-toggle").click()
    assert link.is_visible()
    page.keyboard.press("Escape")
    link.wait_for(state="hidden")
    page.locator("button.secondary-toggle").click()
    here = page.locator("#pst-page-toc-nav a", has_text="Hard bounds")
    assert here.is_visible()
    page.keyboard.press("Escape")
    here.wait_for(state="hidden")
    root = page.locator("html")
    seen = []
    for _ in range(3):
        page.locator("button.theme-switch-button").click()
        seen.append((root.get_attribute("data-mode"), root.get_attribute("data-theme")))
    assert sorted(seen) == [("auto", "light"), ("dark", "dark"), ("light", "light")]
    context.close()


@pytest.mark.slow
@pytest.mark.browser
def test_no_page_sets_a_cookie(site: Path, chromium: Any) -> None:
    measure = load_tool("measure_site")
    context = chromium.new_context()
    page = context.new_page()
    with measure.serving(site) as base:
        for path in sorted(site.glob("*.html")):
            page.goto(f"{base}/{path.name}")
            assert page.evaluate("document.cookie") == "", path.name
    assert context.cookies() == []
    context.close()


@pytest.mark.slow
@pytest.mark.browser
def test_the_zip_opens_from_disk_with_every_link_alive(
    site: Path, tmp_path: Path, opened: Any
) -> None:
    load_tool("package_site").package(site, tmp_path / "book.zip")
    with zipfile.ZipFile(tmp_path / "book.zip") as archive:
        archive.extractall(tmp_path)
    there = tmp_path / "book"
    wrong: list[str] = []
    opened.on("requestfailed", lambda request: wrong.append(request.url))
    opened.goto((there / "index.html").as_uri())
    assert wrong == []
    assert opened.locator("h1").first.is_visible()
    for path in there.glob("*.html"):
        for link in re.findall(r'href="([^"#?]+)', path.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", link):
                assert (there / link).is_file(), f"{path.name}: {link}"


@pytest.mark.slow
@pytest.mark.browser
def test_the_book_prints_to_one_pdf_the_same_twice(site: Path, tmp_path: Path) -> None:
    # In a process of its own: the browser of the tests is driven from this one.
    for name in ("one", "two"):
        command = [sys.executable, "tools/print_book.py", "--site", str(site)]
        command += ["--to", str(tmp_path / f"{name}.pdf")]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    content = (tmp_path / "one.pdf").read_bytes()
    assert content == (tmp_path / "two.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/Outlines" in content
    assert b"/StructTreeRoot" in content
    # Every page of the book is in it, and takes a sheet or more.
    whole = load_tool("print_book").document(site)
    pages = [path.stem for path in site.glob("*.html") if path.stem != "search"]
    assert len(pages) > 40
    assert [name for name in pages if f'id="page-{name}"' not in whole] == []
    assert len(re.findall(rb"/Type ?/Page\b", content)) > 2 * len(pages)


@pytest.mark.slow
def test_a_warm_build_is_the_same_bytes_as_a_cold_one(tmp_path: Path) -> None:
    # Synthetic: a book of two pages, one of which gets another title and other words.
    project = browser.copy_project(tmp_path / "project")
    book = project / "book"
    plain = re.sub(r"\{(?:doc|ref)\}`[^`]*`", "elsewhere", (book / "marks.md").read_text("utf-8"))
    for path in book.glob("*.md"):
        if path.stem != "glossary":
            path.unlink()
    (book / "index.md").write_text(plain, encoding="utf-8")
    (book / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nchapters:\n  - file: glossary\n", encoding="utf-8"
    )
    terms = project / "data/glossary.toml"
    see = re.sub(r'see = "[^"]*"', 'see = "index"', terms.read_text("utf-8"))
    terms.write_text(see, encoding="utf-8")

    def build(*options: str) -> dict[str, bytes]:
        done = subprocess.run(
            [sys.executable, "tools/build_book.py", *options],
            cwd=project, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        site = book / "_build/html"
        return {
            path.relative_to(site).as_posix(): path.read_bytes()
            for path in sorted(site.rglob("*"))
            if path.is_file()
        }

    first = build()
    read = (book / "_build/.doctrees/glossary.doctree").stat().st_mtime_ns
    assert build() == first
    assert (book / "_build/.doctrees/glossary.doctree").stat().st_mtime_ns == read
    (book / "index.md").write_text(
        plain.replace("# How to read the marks", "# Marks") + "\nOne more interval.\n",
        encoding="utf-8",
    )
    warm = build()
    assert (book / "_build/.doctrees/glossary.doctree").stat().st_mtime_ns == read
    assert warm != first
    assert build("--cold") == warm
