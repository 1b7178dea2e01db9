"""The pages as they are written: short cells, ordered headings, no number typed in."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from analysis import pages, tables

PROJECT = Path(__file__).resolve().parents[1]
BOOK = PROJECT / "book"
PAGES = sorted(BOOK.glob("*.md"))
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)

#: Numbers that may stand in prose: definitions and names, not results. Every other number in a
#: sentence has to be computed.
ALLOWED = [
    r"\b30[- ]days?\b",  # the definition of the counter
    r"\b25 or 30\b",  # the depth of the lists
    r"\b(?:19|20)\d\d\b",  # years
    (
        r"\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November"
        r"|December)\b"
    ),
    r"\b(?:Qwen|Llama|Gemma) ?\d(?:\.\d)?(?:-\d+(?:\.\d+)?B)?\b",
    r"\bDeepSeek R1\b",
    r"\bApache 2\.0\b",
    r"\bCC BY 4\.0\b",
]


def parts(path: Path) -> tuple[list[str], str]:
    """Return the code cells of a page, and its prose without header, code and computed numbers."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    cells = [re.sub(r"^:.*\n", "", code, flags=re.MULTILINE).strip() for code in CELL.findall(text)]
    prose = CELL.sub("", text)
    prose = re.sub(r"\{[a-z]+\}`[^`]*`|`[^`]*`|\{\{.*?\}\}|^\([a-z-]+\)=$", "", prose, flags=re.M)
    return cells, prose


def load_tool(name: str) -> ModuleType:
    folder = str(PROJECT / "tools")
    if folder not in sys.path:
        # Where a tool finds its neighbours when it is run.
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(name, PROJECT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_the_table_of_contents_names_every_page_once() -> None:
    toc = (BOOK / "_toc.yml").read_text(encoding="utf-8")
    named = re.findall(r"(?:root|file): (\S+)", toc)
    assert sorted(named) == sorted(path.stem for path in PAGES)


def test_every_checked_claim_has_its_page() -> None:
    for claim in pages.checked():
        text = (BOOK / f"{claim.id}.md").read_text(encoding="utf-8")
        variable = f"title_{claim.id.replace('-', '_')}"
        # The title is the finding, put there by the build; none is typed in.
        assert re.findall(r"^# .*$", text, re.MULTILINE)[0] == f"# {{{{ {variable} }}}}"
        assert f'pages.claim("{claim.id}")' in text


def test_the_build_gives_each_claim_page_the_finding_of_the_register(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from types import SimpleNamespace

    monkeypatch.syspath_prepend(str(BOOK / "_ext"))
    extension = importlib.import_module("record_titles")
    config = SimpleNamespace(myst_substitutions={})
    extensions = {"sphinx_multitoc_numbering": SimpleNamespace(parallel_read_safe=None)}
    extension._add(SimpleNamespace(extensions=extensions), config)
    for record in tables.claims():
        title = config.myst_substitutions["title_" + record["id"].replace("-", "_")]
        # The same words; a number keeps its unit on its line.
        assert title == record["finding"].replace(" %", "\u00a0%")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_cell_is_one_to_five_lines_and_draws_nothing_itself(path: Path) -> None:
    for code in parts(path)[0]:
        lines = [line for line in code.splitlines() if line.strip()]
        assert 1 <= len(lines) <= 5, code
        imported = {
            name
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.ImportFrom | ast.Import)
            for name in ([node.module] if isinstance(node, ast.ImportFrom) else
                         [alias.name for alias in node.names])
        }  # fmt: skip
        assert imported <= {"analysis"}
        assert "<" not in code


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_what_a_page_calls_is_there(path: Path) -> None:
    for code in parts(path)[0]:
        for name in re.findall(r"\bpages\.([a-z_.]+)", code):
            found: object = pages
            for part in name.split("."):
                found = getattr(found, part, None)
            assert inspect.isfunction(found), f"pages.{name}"
        for name in re.findall(r"\bclaim\.([a-z_]+)\(", code):
            assert inspect.isfunction(getattr(pages.Claim, name, None)), f"claim.{name}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_result_is_typed_into_prose(path: Path) -> None:
    prose = parts(path)[1]
    for allowed in ALLOWED:
        prose = re.sub(allowed, "", prose)
    found = [line for line in prose.splitlines() if re.search(r"\d", line)]
    assert found == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_headings_go_down_one_level_at_a_time(path: Path) -> None:
    levels = [len(marks) for marks in re.findall(r"^(#+) ", parts(path)[1], re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_the_configuration_promises_what_the_book_needs() -> None:
    config = yaml.safe_load((BOOK / "_config.yml").read_text(encoding="utf-8"))
    # A mode that reads a cache would not see a change of the analysis or of the data.
    assert config["execute"]["execute_notebooks"] in ("inline", "force")
    assert config["execute"]["raise_on_error"] is True
    assert config["sphinx"]["config"]["language"] == "en"
    assert config["sphinx"]["config"]["html_last_updated_fmt"] is None


# Synthetic: pages and style sheets that would load something, and some that would not.
@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("a.html", '<script src="https://cdn.example/x.js"></script>', 2),
        ("a.html", '<link rel="stylesheet" href="//fonts.example/x.css">', 1),
        ("a.html", '<img src="http://example.org/x.png"/>', 1),
        ("a.html", "<p style=\"background:url('https://example.org/x.png')\">", 1),
        ("a.html", '<link rel="canonical" href="https://example.org/">', 0),
        ("a.html", '<a href="https://github.com/a/b">source</a>', 0),
        ("a.html", '<script src="_static/x.js"></script><img src="x.png">', 0),
        ("a.css", '@import "https://example.org/x.css";', 1),
        ("a.css", "b { background: url(//example.org/x.png) }", 1),
        ("a.css", "b { background: url(x.png) }", 0),
        ("a.js", 'load("https://unpkg.com/x")', 1),
        ("a.js", 'open("https://example.org/")', 0),
    ],
)
def test_what_a_page_would_load_from_elsewhere_is_found(
    tmp_path: Path, name: str, text: str, count: int
) -> None:
    build = load_tool("build_book")
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert len(build.external_loads(tmp_path)) == count


def test_pages_are_freed_of_scripts_from_elsewhere_and_get_data_files(tmp_path: Path) -> None:
    build = load_tool("build_book")
    page = tmp_path / "a.html"
    page.write_text(
        '<head>\n<script src="https://cdn.example/x.js"></script>\n'
        '<script src="_static/own.js"></script>\n</head>'
        '<a download="x.csv" href="data:text/csv;charset=utf-8;base64,YSxiCjEsMgo=">CSV</a>',
        encoding="utf-8",
    )
    assert build.clean(tmp_path) == 1
    text = page.read_text(encoding="utf-8")
    assert "cdn" not in text
    assert "_static/own.js" in text
    assert 'href="_static/data/x.csv"' in text
    assert (tmp_path / "_static/data/x.csv").read_text(encoding="utf-8") == "a,b\n1,2\n"
    assert build.external_loads(tmp_path) == []
