"""Strangers' text through the whole pipeline: it stays text, wherever it comes out.

The names are synthetic and hostile (`tests/support/hostile.py`). They are read by the real readers,
measured, written as tables, drawn, put on a page of a small book, and opened in a browser.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import unicodedata
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis import commands, snapshot
from analysis.builder.writing import csv_bytes
from analysis.errors import InputError
from analysis.present import theme
from analysis.present.markup import clip, plain
from analysis.present.tables import cell, csv_text
from tests.support import hostile
from tests.support.browser import copy_project, look, look_without_scripts, run_build

#: Elements that our tables, figures and cards are made of; none of them runs, loads or submits.
_TAGS = (
    "a article b br caption circle clippath code dd defs desc details div dl dt em figcaption"
    " figure g h1 h2 h3 li line marker p path rect section small span strong style summary svg"
    " table tbody td template text th thead title tr tspan ul use"
)
HARMLESS = set(_TAGS.split())
#: Address of a version in the book.
VERSION = re.compile(r"(?:versions|data)[a-z-]*\.html#(?:versions?|source)-[a-z0-9-]+")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return hostile.measured(tmp_path_factory.mktemp("hostile"))


def test_readers_keep_strange_names_as_they_are(world: dict[str, pd.DataFrame]) -> None:
    # What is an id is not for a reader of files to decide; nothing is cut, mended or run.
    assert set(world["dump"]["repository_id"]) == set(hostile.ids())
    assert set(world["top"]["repository_id"]) == set(hostile.ids())
    assert set(world["edges"]["repository_id"]) == set(hostile.ids())
    assert set(world["licences"]["licence"]) == set(hostile.NAMES.values())
    # A name with a line end is no name that a rule of families knows.
    broken = sum("\n" in name for name in hostile.NAMES.values())
    assert (world["dump"]["family"] == "qwen").sum() == len(hostile.NAMES) - broken


def test_half_characters_are_refused_with_a_message(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not valid Unicode") as caught:
        snapshot.read(hostile.write(tmp_path)["lone"], "hub-snapshot")
    str(caught.value).encode("utf-8")
    # Should one come from elsewhere, it neither breaks a page nor a file.
    frame = pd.DataFrame({"x": [hostile.LONE]}, dtype="object")
    for made in (plain(hostile.LONE), cell(hostile.LONE), csv_text(frame)):
        made.encode("utf-8")
    assert csv_bytes(frame) == b"x\na\\ud800b\\udfffc\n"


def formula(text: str) -> bool:
    """Say whether some spreadsheet would run a cell."""
    seen = "".join(c for c in text if unicodedata.category(c)[0] not in "CZ")
    first = unicodedata.normalize("NFKC", seen[:1])
    return first in ("=", "+", "-", "@") and not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text)


def test_no_cell_of_any_file_starts_a_formula(world: dict[str, pd.DataFrame]) -> None:
    files = hostile.written(world)
    assert sum(formula(name) for name in hostile.NAMES.values()) >= 9
    cells = 0
    for name, content in files.items():
        text = content.decode("utf-8")
        if name.endswith(".json"):
            json.loads(text)
            continue
        for row in csv.reader(io.StringIO(text, newline="")):
            cells += len(row)
            assert [entry for entry in row if formula(entry)] == [], name
            for entry in row:
                assert plain(entry) == entry, f"{name}: {entry[:60]!r}"
    assert cells > 1_000


def test_headings_are_cells_too() -> None:
    frame = pd.DataFrame({"=1+1": [1], "\u202ename": [2]})
    assert csv_bytes(frame).decode().splitlines()[0] == "'=1+1,\\u202ename"
    assert csv_text(frame).splitlines()[0] == "'=1+1,�name"


def test_numbers_below_zero_stay_numbers() -> None:
    frame = pd.DataFrame({"whole": [-5, 7], "part": [-0.25, None], "any": [-3, "-3"]})
    for text in (csv_text(frame), csv_bytes(frame).decode()):
        rows = list(csv.reader(io.StringIO(text)))
        assert [float(entry) for entry in rows[1]] == [-5, -0.25, -3]
        assert rows[2] == ["7", "", "'-3"]


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("kind", ["hub-snapshot", "hub-top30", "lineage-edges"])
def test_a_terminal_gets_no_control_characters(
    kind: str, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hostile.write(tmp_path)[kind]
    assert commands.main(["inspect", str(path), "--kind", kind, *options]) == 0
    out, err = capsys.readouterr()
    for text in (out, err):
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
    if options:
        json.loads(out)


class Tags(HTMLParser):
    """Elements and attributes of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.names: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.names |= {name for name, _ in attrs}
        self.links |= {str(value) for name, value in attrs if name.endswith(("href", "src"))}


def test_tables_and_cards_hold_names_as_text(world: dict[str, pd.DataFrame]) -> None:
    made = hostile.shown_tables() + hostile.shown_cards() + hostile.links() + hostile.inline()
    found = Tags(made)
    assert set(found.tags) <= HARMLESS
    assert not [name for name in found.names if name.startswith("on") or name == "autofocus"]
    # Cards lead to the versions, by an address made of letters, digits and hyphens.
    assert found.links
    assert all(VERSION.fullmatch(link) for link in found.links)
    assert found.tags["table"] == len(world) + len(hostile.NAMES)
    rows = sum(map(len, world.values())) + len(hostile.NAMES)
    assert found.tags["tr"] == rows + found.tags["table"]
    # What was cut says so.
    assert "… (10,000 characters)" in made


def test_a_drawing_holds_no_text_that_cannot_be_drawn() -> None:
    import altair as alt

    names = list(hostile.NAMES.values())
    frame = pd.DataFrame({"name": names, "x": range(len(names))}, dtype="object")
    chart = alt.Chart(frame).mark_text().encode(
        x="x:Q", text="name:N", tooltip="name:N", color=alt.Color("name:N", sort=names)
    ).transform_calculate(y="datum.x + " + " + ".join(["1"] * 800))  # fmt: skip
    made = theme.finished(chart, theme.WIDE)
    texts = [row["name"] for row in next(iter(made["datasets"].values()))]
    assert texts == [clip(name) for name in names]
    assert made["encoding"]["color"]["sort"] == texts
    # An expression stays whole, or it would no longer be one.
    assert len(made["transform"][0]["calculate"]) > 2_000
    assert plain(json.dumps(made, ensure_ascii=False)) == json.dumps(made, ensure_ascii=False)


@pytest.mark.slow
def test_figures_hold_names_as_text_and_keep_their_width() -> None:
    # Characters that XML forbids once ended the whole process here.
    made = hostile.shown_figures()
    found = Tags(made)
    assert set(found.tags) <= HARMLESS | {"button"}
    assert not [name for name in found.names if name.startswith("on") or name == "autofocus"]
    assert not [link for link in found.links if "evil" in link or link.startswith("javascript")]
    widths = [float(width) for width in re.findall(r'viewBox="0 0 ([\d.]+)', made)]
    assert len(widths) == 6
    assert max(widths[0::2]) <= theme.WIDE * 1.1 + 12
    assert max(widths[1::2]) <= theme.NARROW * 1.1 + 12


# --- a page in a browser --------------------------------------------------------------------------

_CELL = "```{code-cell} ipython3\n:tags: [remove-input]\n\n%s\n```\n\n"
PAGE = (
    "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n"
    "kernelspec:\n  display_name: Python 3\n  language: python\n  name: python3\n---\n\n"
    "# A page of strangers' names\n\n" + _CELL % "import hostile"
    + "In a sentence stand {eval}`hostile.inline()`.\n\n"
    + "".join(_CELL % f"hostile.{name}()" for name in ("shown_tables", "shown_figures", "links"))
    + "## Cards\n\n" + _CELL % "hostile.shown_cards()"
)  # fmt: skip

#: What the page is made of inside its text, and what it would be if a name had got out.
_FOUND = """(() => {
    const main = document.querySelector('article');
    const count = {};
    // The theme's own settings stand in scripts; none of the names may.
    for (const e of main.querySelectorAll('*')) {
        if (e.tagName === 'SCRIPT' && !e.textContent.includes('omrHacked')) continue;
        const name = e.tagName.toLowerCase();
        count[name] = (count[name] || 0) + 1;
    }
    return {
        count,
        flag: window.omrHacked,
        handlers: [...main.querySelectorAll('*')].flatMap(
            e => [...e.attributes].map(a => a.name)).filter(n => n.startsWith('on')),
        links: [...main.querySelectorAll('[href], [src]')].map(
            e => e.getAttribute('href') || e.getAttribute('src')),
        text: main.textContent,
        width: document.documentElement.scrollWidth,
    };
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("hostile-book"))
    for path in (project / "book").glob("*.md"):
        path.unlink()
    shutil.copyfile(hostile.__file__, project / "hostile.py")
    (project / "book/_toc.yml").write_text("format: jb-book\nroot: index\n", encoding="utf-8")
    (project / "book/index.md").write_text(PAGE, encoding="utf-8")
    result = run_build(project)
    assert result.returncode == 0, result.stdout + result.stderr
    return project / "book/_build/html/index.html"


@pytest.mark.slow
@pytest.mark.browser
def test_nothing_of_a_page_runs_or_loads_or_leaves_its_place(
    page: Path, windows: tuple[Any, Any], world: dict[str, pd.DataFrame]
) -> None:
    assert look(windows[0], page.as_uri(), "") == []
    assert look_without_scripts(windows[1], page.as_uri()) == []
    window = windows[0]
    window.goto(page.as_uri())
    found = window.evaluate(_FOUND)
    # Pointing at everything and pressing everything runs nothing either.
    for target in window.query_selector_all("article td, article th, article a")[:80]:
        target.dispatch_event("mouseover")
        target.dispatch_event("focus")
        target.dispatch_event("error")
    assert window.evaluate(f"window.{hostile.FLAG}") is None
    assert found["flag"] is None
    assert found["handlers"] == []
    assert set(found["count"]) <= HARMLESS | {"button"}
    assert found["count"]["h1"] == 1
    assert found["count"]["figure"] == 3
    links = [link for link in found["links"] if not VERSION.fullmatch(link)]
    assert not [link for link in links if "evil" in link or "javascript" in link]
    for name in hostile.NAMES.values():
        shown = " ".join(clip(name).split())
        assert shown in " ".join(found["text"].split()), name[:80]


@pytest.mark.slow
def test_the_files_of_the_page_are_safe(page: Path) -> None:
    for path in sorted((page.parent / "_static/figures").glob("*.csv")):
        for row in csv.reader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")):
            assert not [entry for entry in row if formula(entry)], path.name
    assert len(list((page.parent / "_static/figures").glob("*.csv"))) == 3
    # A script that carries a name, to draw it, neither ends early nor begins another.
    for path in page.parent.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert hostile.FLAG not in text or "</script" not in text, path.name
