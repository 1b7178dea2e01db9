"""The claim explorer in a browser, from disk: numbers, links, keyboard, phone, dark, no script."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from analysis import pages, tables
from analysis.pages import explorer
from analysis.present import explorer as written
from analysis.present import numbers, theme

pytestmark = [pytest.mark.slow, pytest.mark.browser]

WORDS = {"yes": "holds", "no": "does not hold", "undetermined": "left open"}
HEAD = ".omr-headline"


@pytest.fixture
def opened(chromium: Any, site: Path) -> Iterator[Callable[..., Any]]:
    """Open the explorer with a fragment; what goes wrong on the page fails the test."""
    contexts, wrong = [], []

    def run(fragment: str = "", **settings: Any) -> Any:
        context = chromium.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: wrong.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith("file:") else wrong.append(r.url))
        page.goto((site / "explore.html").as_uri() + fragment)
        if settings.get("java_script_enabled", True):
            page.wait_for_selector(HEAD)
        return page

    yield run
    for context in contexts:
        context.close()
    assert wrong == []


def chosen(page: Any) -> dict[str, str]:
    """Return what the address of a page holds."""
    given: dict[str, str] = page.evaluate(
        "Object.fromEntries(new URLSearchParams(location.hash.slice(1)))"
    )
    return given


def choose(page: Any, dimension: int, choice: object) -> None:
    page.locator(f"#omr-choice-{dimension}-{choice}").check()


def dimensions(id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = explorer._content(id)["dimensions"]
    return found


def picks() -> list[tuple[str, int]]:
    """Return ten specifications, three of the share and one of seven other claims, by a seed."""
    dice = random.Random(20260228)
    others = [c.id for c in pages.checked() if c.record["specifications"]]
    others.remove("share-above-half")
    ids = ["share-above-half"] * 3 + dice.sample(sorted(others), 6)
    ids.append("qwen-passes-llama-elsewhere")
    return [(id, dice.randrange(1, len(tables.specifications(id)))) for id in ids]


@pytest.mark.parametrize(("id", "number"), picks())
def test_choosing_shows_what_the_table_holds(
    opened: Callable[..., Any], id: str, number: int
) -> None:
    row = tables.specifications(id).iloc[number]
    page = opened()
    page.locator("#omr-claim").select_option(id)
    page.wait_for_function(f"location.hash.startsWith('#claim={id}&')")
    wanted = {}
    for d, dimension in enumerate(dimensions(id)):
        choice = str(row[dimension["id"]])
        wanted[dimension["id"]] = choice
        if len(dimension["choices"]) > 1:
            choose(page, d, [each[0] for each in dimension["choices"]].index(choice))
    assert chosen(page) == {"claim": id, **wanted}
    unit = str(row["unit"])
    value = row["value"] if isinstance(row["value"], str) else float(row["value"])
    shown = numbers.format_value(value, unit)
    result = page.locator(".omr-result").inner_text().replace("\u00a0", " ")
    now = page.locator(HEAD).inner_text()
    assert WORDS[str(row["holds"])] in now
    if value not in (float("inf"),):
        assert shown.replace("\u00a0", " ") in result
    assert f"({row['grade']})" in now
    if unit != "month" and row["lower"] < row["upper"] < float("inf"):
        span = numbers.format_interval(float(row["lower"]), float(row["upper"]), unit)
        assert span.replace("\u00a0", " ") in result


def test_every_claim_gets_the_verdict_of_the_register_over_all_its_choices(
    opened: Callable[..., Any],
) -> None:
    page = opened()
    for claim in pages.checked():
        for entry in (claim, claim.elsewhere):
            if entry is None or not entry.record["specifications"]:
                continue
            id, record = entry.id, entry.record
            everything = dict.fromkeys(record["dimensions"], "*")
            page.evaluate(f"location.hash = '{urlencode({'claim': id, **everything})}'")
            page.wait_for_function(f"document.querySelector('#omr-claim').value === '{id}'")
            page.wait_for_function(
                "t => document.querySelector('.omr-result').innerText.includes(t)",
                arg=f"{record['holds']} of {record['specifications']} specifications",
            )
            said = page.locator(f"{HEAD} .omr-verdict").inner_text()
            assert said.split("\u00a0")[1] == record["robust"]["verdict"], id
            # The range is the one that the page's table gives.
            assert page.locator(HEAD).inner_text().startswith(explorer._results(entry)), id


def test_several_choices_show_the_ends_of_all_their_intervals(opened: Callable[..., Any]) -> None:
    page = opened("#claim=double-next-eight&day=*&family_rule=*")
    frame = tables.specifications("double-next-eight")
    own = pages.claim("double-next-eight").record["article"]["reading"]
    for name in ("rivals", "outliers", "missing"):
        frame = frame[frame[name] == own[name]]
    assert len(frame) > 2
    for label, kind in (("Intervals", ""), ("Hard intervals", "hard_")):
        ends = written.spread([frame[f"{kind}lower"].min(), frame[f"{kind}upper"].max()], "ratio")
        term = page.locator("dt", has_text=label).first
        assert term.locator("xpath=following-sibling::dd[1]").inner_text() == ends


def test_the_first_view_is_the_own_reading_of_the_share(opened: Callable[..., Any]) -> None:
    page = opened()
    record = pages.claim("share-above-half").record
    expected = numbers.format_interval(*record["interval"], "share")
    assert page.locator(HEAD).inner_text().startswith(expected)
    assert page.locator(".omr-strip svg").count() == 1
    assert "does not hold" in page.locator(".omr-strip svg").get_attribute("aria-label")


def test_what_else_would_change_is_what_choosing_it_gives(opened: Callable[..., Any]) -> None:
    page = opened("#claim=double-next-eight")
    rows = page.locator(".omr-row")
    for i in range(rows.count()):
        page.locator("button", has_text="own reading").click()
        promised = rows.nth(i).locator(".omr-would").inner_text().removesuffix("\u00a0†")
        rows.nth(i).locator("input").check()
        assert page.locator(HEAD).inner_text().startswith(promised)


def test_the_state_survives_a_reload_and_goes_back(opened: Callable[..., Any]) -> None:
    page = opened()
    start = page.locator(HEAD).inner_text()
    choose(page, 0, 3)
    first = page.locator(HEAD).inner_text(), chosen(page)
    choose(page, 3, 1)
    second = page.locator(HEAD).inner_text(), chosen(page)
    assert len({start, first[0], second[0]}) == 3
    page.reload()
    page.wait_for_selector(HEAD)
    assert (page.locator(HEAD).inner_text(), chosen(page)) == second
    assert page.locator("#omr-choice-3-1").is_checked()
    page.go_back()
    page.wait_for_function("t => document.querySelector('.omr-headline').innerText === t",
                           arg=first[0])  # fmt: skip
    assert page.locator("#omr-choice-3-0").is_checked()
    page.go_forward()
    page.wait_for_function("t => document.querySelector('.omr-headline').innerText === t",
                           arg=second[0])  # fmt: skip
    page.locator("button", has_text="Reset").click()
    assert page.locator(HEAD).inner_text() == start


def test_going_back_crosses_claims(opened: Callable[..., Any]) -> None:
    page = opened("#claim=breadth")
    page.locator("#omr-claim").select_option("licence-apache")
    page.wait_for_function("location.hash.startsWith('#claim=licence-apache&')")
    page.go_back()
    page.wait_for_function("document.querySelector('#omr-claim').value === 'breadth'")
    assert "One family for many uses" in page.locator("#omr-claim option:checked").inner_text()


@pytest.mark.parametrize(
    "fragment",
    [
        "#claim=nothing-such&population=tracked",
        "#claim=share-above-half&population=moon&measure=%zz",
        "#claim=%3Cimg src=x onerror=alert(1)%3E",
        "#claim=__proto__&constructor=toString",
        "#population=" + "a" * 10_000,
        "#====&&&=&=*",
    ],
)
def test_nonsense_in_the_address_is_said_and_ignored(
    opened: Callable[..., Any], fragment: str
) -> None:
    page = opened(fragment)
    assert page.locator("#omr-claim").input_value() == "share-above-half"
    assert page.locator(".omr-message").inner_text().startswith("The link names what is not here")
    page.wait_for_function("document.querySelector('[role=status]').textContent.length > 40")
    said = page.locator("[role=status]").text_content()
    assert said.startswith("The link names what is not here")
    assert len(said) < 400
    assert page.locator("#omr-explorer img").count() == 0
    # The next choice is shown, and the complaint goes.
    choose(page, 0, 3)
    assert page.locator(".omr-message").inner_text() == ""


def test_a_heading_of_the_page_is_no_choice(opened: Callable[..., Any]) -> None:
    page = opened("#every-claim-in-short")
    assert page.locator(".omr-message").inner_text() == ""
    choose(page, 0, 2)
    before = page.locator(HEAD).inner_text()
    page.evaluate("location.hash = 'choose'")
    page.wait_for_timeout(100)
    assert page.locator(HEAD).inner_text() == before


def test_what_cannot_be_computed_says_why(opened: Callable[..., Any]) -> None:
    page = opened("#claim=derivatives-113k&source=counts-2025-02&count=transitive")
    assert page.locator(HEAD).inner_text() == "This combination cannot be computed."
    reasons = page.locator(".omr-result li").all_inner_texts()
    assert reasons == ["a number a base does not tell what descends further."]
    # Nothing was swapped, and a way out is marked.
    assert chosen(page) == {
        "claim": "derivatives-113k", "source": "counts-2025-02", "count": "transitive"
    }  # fmt: skip
    assert page.locator("#omr-choice-1-1").is_checked()
    row = page.locator(".omr-row", has=page.locator("#omr-choice-1-0"))
    assert "no such data" not in row.inner_text()
    row.locator("input").check()
    assert "cannot" not in page.locator(HEAD).inner_text()


def test_the_keyboard_is_enough(opened: Callable[..., Any]) -> None:
    page = opened()
    page.locator("#omr-claim").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "omr-d0":
            break
    assert page.evaluate("document.activeElement.id") == "omr-choice-0-0"
    page.keyboard.press("ArrowDown")
    active = page.evaluate("document.activeElement.id")
    assert active == "omr-choice-0-1"
    assert chosen(page)["population"] == "text-and-vision"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('%')")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    assert "own reading" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    assert chosen(page)["population"] == "hub"


def test_the_link_is_copied_or_shown(opened: Callable[..., Any]) -> None:
    page = opened("#claim=breadth&source=cut")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.locator("button", has_text="Copy link").click()
    link = page.locator(".omr-link").input_value()
    assert "explore.html#claim=breadth&" in link
    assert "source=cut" in link
    again = opened("#" + link.partition("#")[2])
    assert again.locator(HEAD).inner_text() == page.locator(HEAD).inner_text()
    assert chosen(again) == dict(p.split("=") for p in link.partition("#")[2].split("&"))


def test_a_claim_that_does_not_load_is_said(chromium: Any, site: Path, tmp_path: Path) -> None:
    for name in ("explore.html", "_static/explorer.js", "_static/explorer/share-above-half.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(site / name, tmp_path / name)
    page = chromium.new_page()
    page.goto((tmp_path / "explore.html").as_uri())
    page.wait_for_selector(HEAD)
    before = page.locator(HEAD).inner_text()
    page.locator("#omr-claim").select_option("breadth")
    page.wait_for_function("document.querySelector('.omr-message').textContent.length > 0")
    assert "did not load" in page.locator(".omr-message").inner_text()
    # What is shown is still named.
    assert page.locator("#omr-claim").input_value() == "share-above-half"
    assert page.locator(HEAD).inner_text() == before
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "fragment", ["", "#claim=derivatives-ratio&merges=*", "#claim=deepseek-r1-january-2025"]
)
def test_it_fits_a_phone_and_is_legible(
    opened: Callable[..., Any], scheme: str, fragment: str
) -> None:
    page = opened(fragment, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    script = """[...document.querySelectorAll('.omr-explorer *')].filter(
        e => e.getBoundingClientRect().height && e.textContent.trim()
             && !e.closest('svg') && !e.matches('.omr-hidden')).map(e => {
        let g = e; let c;
        do { c = getComputedStyle(g).backgroundColor; g = g.parentElement; }
        while (g && /rgba\\(.*, 0\\)$/.test(c));
        return getComputedStyle(e).color + '|' + c; })"""
    for pair in sorted(set(page.evaluate(script))):
        ink, ground = (
            "#" + "".join(f"{int(float(v)):02x}" for v in part.partition("(")[2].split(",")[:3])
            for part in pair.replace(")", "").split("|")
        )
        assert theme.contrast(ink, ground) >= 4.5, pair
    small = page.evaluate(
        "[...document.querySelectorAll('.omr-row, .omr-button')].filter("
        "e => e.getBoundingClientRect().height < 24).length"
    )
    assert small == 0
    narrow = page.evaluate(
        "[...document.querySelectorAll('.omr-choice')].filter("
        "e => e.getBoundingClientRect().width < 60).length"
    )
    assert narrow == 0


def test_without_a_script_the_tables_answer(opened: Callable[..., Any], site: Path) -> None:
    page = opened(java_script_enabled=False)
    text = page.locator("main").inner_text()
    assert "Choosing needs JavaScript" in text
    for claim in pages.checked():
        if claim.record["specifications"]:
            assert claim.record["title"] in text
            assert f"{claim.record['holds']} of {claim.record['specifications']}" in text
    files = page.locator('a[download$="-every-specification.csv"]')
    assert files.count() == len(list((site / "_static/explorer").glob("*.js")))
    for i in range(files.count()):
        assert (site / files.nth(i).get_attribute("href")).is_file()


def test_only_this_page_carries_the_script_and_it_stays_small(site: Path) -> None:
    assert (site / "explore.html").stat().st_size < 120_000
    carrying = [p.name for p in site.glob("*.html") if "explorer.js" in p.read_text("utf-8")]
    assert carrying == ["explore.html"]
