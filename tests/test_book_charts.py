"""Charts of the built site: files beside each, drawn without a script, alive when one nears."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from test_book_pages import load_tool

PAGES = ("share-above-half.html", "outside-the-hub.html", "where-the-numbers-come-from.html")
KINDS = (".csv", ".parquet", ".svg", ".png", ".vl.json")

# --- the tool -------------------------------------------------------------------------------------


def carrier(files: dict[str, bytes], links: str = "", id: str = "x") -> str:
    coded = {ending: base64.b64encode(content).decode() for ending, content in files.items()}
    packed = base64.b64encode(zlib.compress(json.dumps(coded).encode())).decode()
    return (
        f'<a class="omr-file" download="{id}.csv" href="data:text/csv;charset=utf-8;base64,'
        f'YSxiCjEsMgo=">CSV</a><template class="omr-files" data-id="{id}" data-files="{packed}">'
        f"{links}</template>"
    )


def test_files_leave_the_page_and_links_stay(tmp_path: Path) -> None:
    tool = load_tool("site_assets")
    links = '<a href="figures/x.svg">SVG</a><a href="code/analysis/pages/__init__.py#L7">Code</a>'
    text = '<h1>A <b>title</b><a class="headerlink">#</a></h1>' + carrier(
        {".svg": b"<svg/>"}, links
    )
    text += '<span data-omr="title"></span><span data-omr="page"></span>'
    made = tool.unpack(text, "deep/a.html", tmp_path)
    assert "template" not in made
    assert "base64" not in made
    assert '<a download="x.csv" href="../_static/figures/x.csv">CSV</a>' in made
    assert 'href="../_static/figures/x.svg"' in made
    assert 'href="../_static/code/analysis-pages-__init__.html#L7"' in made
    assert made.endswith("“A title.” deep/a.html")
    assert (tmp_path / "_static/figures/x.csv").read_bytes() == b"a,b\n1,2\n"
    assert (tmp_path / "_static/figures/x.svg").read_bytes() == b"<svg/>"
    code = (tmp_path / "_static/code/analysis-pages-__init__.html").read_text(encoding="utf-8")
    assert '<span id="L7">' in code
    assert "&gt;&gt;&gt; from analysis import pages" in code


def test_two_figures_of_one_name_must_be_the_same(tmp_path: Path) -> None:
    tool = load_tool("site_assets")
    for page in ("a.html", "b.html"):
        tool.unpack(carrier({".svg": b"<svg/>"}), page, tmp_path)
    with pytest.raises(ValueError, match=r"c\.html: another figure has a file x\.svg"):
        tool.unpack(carrier({".svg": b"<svg></svg>"}), "c.html", tmp_path)


def test_a_link_to_code_leads_to_no_other_file(tmp_path: Path) -> None:
    tool = load_tool("site_assets")
    for path in ("../secret.py", "analysis/../x.py", "tools/build_book.py"):
        with pytest.raises(ValueError, match="no source file"):
            tool.source(path, tmp_path)


def test_a_public_repository_is_linked_where_one_is_named(tmp_path: Path) -> None:
    tool = load_tool("site_assets")
    name = tool.source("analysis/errors.py", tmp_path, "https://example.org/r/")
    text = (tmp_path / "_static/code" / name).read_text(encoding="utf-8")
    assert 'href="https://example.org/r/blob/main/analysis/errors.py"' in text


def test_a_png_is_packed_well_and_stays_the_same_picture() -> None:
    tool = load_tool("site_assets")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="50"><circle r="40"/></svg>'
    drawn = tool.vl_convert.svg_to_png(svg, scale=2)
    small = tool.smaller(drawn)

    def pixels(png: bytes) -> tuple[bytes, bytes]:
        place, packed, head = 8, b"", b""
        while place < len(png):
            (length,) = struct.unpack(">I", png[place : place + 4])
            kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
            (check,) = struct.unpack(">I", png[place + 8 + length : place + 12 + length])
            assert check == zlib.crc32(kind + content)
            packed += content if kind == b"IDAT" else b""
            head += content if kind == b"IHDR" else b""
            place += 12 + length
        return head, zlib.decompress(packed)

    assert small[:8] == drawn[:8]
    assert pixels(small) == pixels(drawn)
    assert len(small) < len(drawn)


# --- the site -------------------------------------------------------------------------------------


def figures(site: Path) -> Iterator[tuple[str, str]]:
    """Each figure's page and HTML."""
    for path in sorted(site.glob("*.html")):
        text = path.read_text(encoding="utf-8")
        for figure in re.findall(r'<figure class="omr-figure".*?</figure>', text, re.DOTALL):
            yield path.name, figure


@pytest.mark.slow
def test_beneath_each_figure_lie_its_files(site: Path) -> None:
    count = 0
    for page, figure in figures(site):
        count += 1
        found = re.search(r'id="fig-([a-z0-9-]+)"', figure)
        assert found is not None, page
        base = site / "_static/figures" / found[1]
        for kind in KINDS:
            assert f'href="_static/figures/{found[1]}{kind}"' in figure, (page, found[1], kind)
        rows = (base.parent / f"{base.name}.csv").read_text(encoding="utf-8")
        whole = pq.read_table(io.BytesIO((base.parent / f"{base.name}.parquet").read_bytes()))
        header = rows.partition("\n")[0]
        assert len(whole.column_names) == header.count(",") + 1, found[1]
        svg = (base.parent / f"{base.name}.svg").read_text(encoding="utf-8")
        size = ElementTree.fromstring(svg).attrib
        assert "var(" not in svg
        png = (base.parent / f"{base.name}.png").read_bytes()
        wide, high = struct.unpack(">II", png[16:24])
        assert (wide, high) == pytest.approx(
            (2 * float(size["width"]), 2 * float(size["height"])), abs=2
        )
        made = json.loads((base.parent / f"{base.name}.vl.json").read_text(encoding="utf-8"))
        assert "vega-lite" in made["$schema"]
        code = re.search(r'href="(_static/code/[^"#]+)#(L\d+)"', figure)
        assert code is not None, found[1]
        assert f'id="{code[2]}"' in (site / code[1]).read_text(encoding="utf-8")
        assert f"{page}#fig-{found[1]}" in figure, "the words to cite it by name its address"
    assert count >= 3


@pytest.mark.slow
def test_nothing_of_what_figures_carry_stays_in_a_page(site: Path) -> None:
    for path in site.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<template" not in text, path.name
        assert "data-omr=" not in text, path.name
        assert "data:text/csv" not in text, path.name


@pytest.mark.slow
def test_nearly_every_chart_answers_to_the_pointer(site: Path) -> None:
    every = [
        (page, re.search(r'id="fig-([a-z0-9-]+)"( data-live)?', f)) for page, f in figures(site)
    ]
    still = [(page, found[1]) for page, found in every if found is not None and not found[2]]
    assert still == []


@pytest.mark.slow
def test_the_bundle_is_the_same_twice_and_loads_nothing(site: Path, tmp_path: Path) -> None:
    one = (site / "_static/vega.js").read_text(encoding="utf-8")
    assert one == load_tool("site_assets").bundle()
    addresses = {a for a in re.findall(r"https?://[^\s\"'`<>)]+", one) if "w3.org" not in a}
    # Names of formats and a place to report a fault; the editor is behind a menu that is off.
    assert {re.sub(r"(https://[^/]+/).*", r"\1", a) for a in addresses} <= {
        "https://vega.github.io/",
        "https://github.com/",
    }


# --- in a browser ---------------------------------------------------------------------------------


@contextmanager
def opened(
    chromium: Any, path: Path, **settings: Any
) -> Iterator[tuple[Any, list[str], list[str]]]:
    """A page, what it asks for, and what goes wrong on it."""
    context = chromium.new_context(**{"viewport": {"width": 1200, "height": 800}, **settings})
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    try:
        yield page, asked, wrong
    finally:
        context.close()


def revived(page: Any, place: int, kind: str = "wide") -> Any:
    """Scroll to a figure and wait for its live chart."""
    figure = page.locator(".omr-figure").nth(place)
    figure.scroll_into_view_if_needed()
    page.mouse.move(2, 2)
    live = figure.locator(f".omr-{kind}.omr-alive > .omr-live")
    live.wait_for(state="visible", timeout=20_000)
    return live


SAME = """live => {
    const box = live.parentElement, still = box.querySelector(':scope > svg');
    const drawn = live.querySelector('svg');
    // A text with an outline is two texts when drawn live, and one in the page.
    const words = svg => [...new Set([...svg.querySelectorAll('text')]
        .filter(t => getComputedStyle(t).opacity !== '0')
        .map(t => t.textContent.trim()).filter(Boolean))].sort();
    const size = e => { const r = e.getBoundingClientRect(); return [r.height, r.top]; };
    return {still: words(still), live: words(drawn), at: [size(still), size(drawn)]};
}"""


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "kind"), [(1200, "wide"), (360, "narrow")])
def test_charts_come_alive_in_their_place(
    site: Path, chromium: Any, name: str, width: int, kind: str
) -> None:
    # Far from UTC, where a day would be another.
    settings = {"viewport": {"width": width, "height": 800}, "timezone_id": "America/Los_Angeles"}
    with opened(chromium, site / name, **settings) as (page, asked, wrong):
        high = page.evaluate("document.documentElement.scrollHeight")
        count = page.locator(".omr-figure").count()
        assert count >= 1
        for place in range(count):
            found = revived(page, place, kind).evaluate(SAME)
            assert found["live"] == found["still"], (name, place)
            assert found["at"][0] == pytest.approx(found["at"][1], abs=1)
        assert page.evaluate("document.documentElement.scrollHeight") == high
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert wrong == []
        assert all(url.startswith("file:") for url in asked if not url.startswith("data:"))
        assert sum("vega.js" in url for url in asked) == 1
        other = ".narrow.js" if kind == "wide" else ".wide.js"
        assert not [url for url in asked if url.endswith(other)]


@pytest.mark.slow
@pytest.mark.browser
def test_vega_is_not_asked_for_before_a_chart_nears(site: Path, chromium: Any) -> None:
    with opened(chromium, site / "cite.html") as (page, asked, _):
        page.wait_for_timeout(300)
        page.mouse.wheel(0, 5000)
        page.wait_for_timeout(300)
        assert not [url for url in asked if "vega" in url]
    # Its first chart is in the window, but nobody has touched the page yet.
    with opened(chromium, site / "index.html") as (page, asked, _):
        page.wait_for_timeout(500)
        assert not [url for url in asked if "vega" in url]
        revived(page, 0)
    with opened(chromium, site / PAGES[0]) as (page, asked, _):
        top = page.locator(".omr-figure").first.evaluate("f => f.getBoundingClientRect().top")
        assert top > 800 + 250, "choose a page whose first chart is far down"
        page.mouse.move(2, 2)
        page.wait_for_timeout(500)
        assert not [url for url in asked if "vega" in url]
        revived(page, 0)
        assert [url for url in asked if "vega.js" in url]


@pytest.mark.slow
@pytest.mark.browser
def test_the_keyboard_steps_through_the_values(site: Path, chromium: Any) -> None:
    for width, kind in ((1200, "wide"), (360, "narrow")):
        size = {"width": width, "height": 700}
        with opened(chromium, site / PAGES[0], viewport=size) as (page, _, wrong):
            live = revived(page, 1, kind)
            live.focus()
            said, tip = live.locator("[aria-live]"), live.locator(".omr-tip")
            assert not tip.is_visible()
            assert "Arrow keys" in live.get_attribute("aria-label")
            seen = set()
            for _ in range(4):
                page.keyboard.press("ArrowRight")
                assert tip.is_visible()
                box = tip.bounding_box()
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
                assert box["y"] >= 0
                assert box["y"] + box["height"] <= 700
                seen.add(said.text_content())
            assert len(seen) == 4
            first = next(text for text in seen if text.startswith("1 of "))
            # The words of the row, and its value with unit and grade.
            assert re.search(r"%.*\((computed|bounded|published|inferred)\)", first)
            page.keyboard.press("ArrowLeft")
            assert said.text_content().startswith("3 of ")
            page.keyboard.press("End")
            total = re.match(r"(\d+) of (\d+)", said.text_content())
            assert total is not None
            assert total[1] == total[2]
            page.keyboard.press("Escape")
            assert not tip.is_visible()
            page.keyboard.press("Tab")
            assert not live.evaluate("e => e === document.activeElement"), "no trap"
            assert wrong == []


@pytest.mark.slow
@pytest.mark.browser
def test_the_pointer_gets_the_same_words(site: Path, chromium: Any) -> None:
    with opened(chromium, site / PAGES[0]) as (page, _, wrong):
        live = revived(page, 1)
        live.focus()
        page.keyboard.press("ArrowRight")
        words = live.locator(".omr-tip").inner_text()
        ring = live.locator(".omr-ring").bounding_box()
        page.keyboard.press("Escape")
        page.mouse.move(ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
        assert live.locator(".omr-tip").inner_text() == words
        page.mouse.move(5, 5)
        assert not live.locator(".omr-tip").is_visible()
        assert wrong == []


INKS = """live => [...new Set([...live.querySelectorAll('svg path, svg text')].flatMap(e => {
    const look = getComputedStyle(e); return [look.fill, look.stroke]; }))].sort()"""


@pytest.mark.slow
@pytest.mark.browser
def test_a_live_chart_follows_the_theme(site: Path, chromium: Any) -> None:
    with opened(chromium, site / PAGES[0], color_scheme="light") as (page, _, wrong):
        live = revived(page, 1)
        light = live.evaluate(INKS)
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        dark = live.evaluate(INKS)
        own, other = "rgb(11, 92, 173)", "rgb(109, 179, 248)"  # OURS
        assert own in light
        assert own not in dark
        assert other in dark
        assert wrong == []


@pytest.mark.slow
@pytest.mark.browser
def test_each_width_has_its_own_live_chart(site: Path, chromium: Any) -> None:
    with opened(chromium, site / PAGES[0]) as (page, _, wrong):
        revived(page, 1)
        page.set_viewport_size({"width": 400, "height": 800})
        narrow = revived(page, 1, "narrow")
        assert narrow.is_visible()
        page.set_viewport_size({"width": 1200, "height": 800})
        assert not narrow.is_visible()
        assert revived(page, 1).is_visible()
        page.emulate_media(media="print")
        assert not page.locator(".omr-live").first.is_visible()
        box = page.locator(".omr-wide.omr-alive").first
        seen = "b => getComputedStyle(b.querySelector('svg')).visibility"
        assert box.evaluate(seen) == "visible"
        assert wrong == []


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("broken", ["vega.js", "ladder-2026-02.wide.js"])
def test_a_chart_that_fails_stays_a_drawing(site: Path, chromium: Any, broken: str) -> None:
    with opened(chromium, site / PAGES[0]) as (page, _, wrong):
        page.route(
            f"**/{broken}",
            lambda route: route.fulfill(
                body="omrChart('ladder-2026-02.wide', {marks: [{type: 'none'}]});"
                if broken != "vega.js" else "/* empty */",
                content_type="text/javascript",
            ),
        )  # fmt: skip
        page.reload()
        box = page.locator(".omr-wide").nth(1)
        with page.expect_request(f"**/{broken}"):
            box.scroll_into_view_if_needed()
            page.mouse.move(2, 2)
        page.wait_for_timeout(1500)
        assert box.locator(".omr-live").count() == 0
        assert box.locator("svg").is_visible()
        assert wrong == []


@pytest.mark.slow
@pytest.mark.browser
def test_without_scripts_every_chart_is_drawn(site: Path, chromium: Any) -> None:
    for name in PAGES:
        settings = {"java_script_enabled": False}
        with opened(chromium, site / name, **settings) as (page, asked, _):
            boxes = page.locator(".omr-wide")
            for place in range(boxes.count()):
                boxes.nth(place).scroll_into_view_if_needed()
                assert boxes.nth(place).locator("svg").is_visible()
            assert page.locator(".omr-live").count() == 0
            assert not [url for url in asked if "vega" in url or "figures/" in url]


@pytest.mark.slow
@pytest.mark.browser
def test_the_words_to_cite_can_be_copied(site: Path, chromium: Any) -> None:
    settings = {"permissions": ["clipboard-read", "clipboard-write"]}
    with opened(chromium, site / PAGES[0], **settings) as (page, _, wrong):
        cite = page.locator(".omr-cite").first
        cite.locator("summary").click()
        words = cite.locator("p").inner_text()
        assert f"{PAGES[0]}#fig-" in words
        button = cite.locator("button")
        button.click()
        page.wait_for_function("b => b.textContent !== 'Copy'", arg=button.element_handle())
        assert button.inner_text() in ("Copied", "Select the text to copy it")
        assert wrong == []
