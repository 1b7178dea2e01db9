"""Help in reading: terms, time to read, styles, builds that keep what did not change."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_book_pages import BOOK, load_tool

from analysis import pages, tables
from analysis.present.glossary import glossary

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
