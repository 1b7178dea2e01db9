"""The claim explorer's data: every specification as its table has it, small, safe, the same."""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_book_pages import load_tool

from analysis import pages, raw, tables
from analysis.claims import register, verdicts
from analysis.errors import InputError
from analysis.pages import explorer as explorer_page
from analysis.present import explorer, numbers

#: Synthetic: a claim in the register's form, with a grid of two by two, one of them impossible.
ENTRY: dict[str, Any] = {
    "id": "made-up",
    "group": "A",
    "order": 1,
    "title": "Made up",
    "statement": "It is more than two.",
    "stated": 2.0,
    "stated_text": "more than two",
    "unit": "ratio",
    "comparison": "above",
    "check": "share",
    "article": {"day": "2026-02-28", "bulk": "in"},
    "grid": {"day": ["2026-02-28", "2026-03-31"], "bulk": ["in", "out"]},
    "grid_reason": "synthetic",
    "settle": "nothing",
    "impossible": [{"where": {"day": ["2026-03-31"], "bulk": ["out"]}, "reason": "no such file."}],
}


def made_up(**changes: Any) -> register.Claim:
    return register.Claim.model_validate({**ENTRY, **changes})


def row(**changes: Any) -> dict[str, Any]:
    base = {
        "day": "2026-02-28", "bulk": "in", "value": 3.0, "lower": 2.5, "upper": 4.0,
        "hard_lower": 0.0, "hard_upper": math.inf, "covered": 1, "population_size": 2,
        "covered_all_time": math.nan, "open_ended": False, "holds": "yes", "note": math.nan,
        "unit": "ratio", "grade": "bounded",
    }  # fmt: skip
    return {**base, **changes}


def made_data(rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    claim = made_up(**changes)
    record = {"id": claim.id, "title": claim.title, "statement": claim.statement,
              "stated": claim.stated_text, "unit": claim.unit}  # fmt: skip
    return explorer.data(
        record, pd.DataFrame(rows), claim, dimensions=list(claim.grid), names=claim.words,
        coverage=pages.coverage_words, mostly=0.9,
    )  # fmt: skip


@cache
def contents() -> dict[str, dict[str, Any]]:
    return {claim.id: explorer_page._content(claim.id) for claim, _ in explorer_page._computed()}


def unpacked(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Read the data as the script of the page does."""
    rows = []
    for i, holds in enumerate(data["holds"]):
        entry = {
            name: column[i] if isinstance(column, list) else column
            for name, column in data["rows"].items()
        }
        rest, chosen = entry["combination"], {}
        for dimension in reversed(data["dimensions"]):
            rest, place = divmod(rest, len(dimension["choices"]))
            chosen[dimension["id"]] = dimension["choices"][place][0]
        texts = {
            name: data["texts"][entry[name]]
            for name in ("interval", "hard", "seen", "note", "why", "grade")
        }
        rows.append({**entry, **texts, "chosen": chosen, "holds": holds})
    return rows


def test_every_claim_with_specifications_is_there() -> None:
    derived = raw.data_dir() / "derived"
    there = {p.stem.removeprefix("specifications_") for p in derived.glob("specifications_*.csv")}
    assert {id.replace("-", "_") for id in contents()} == there
    assert next(iter(contents())) == explorer_page.FIRST


def test_the_data_hold_what_the_tables_hold() -> None:
    for id, data in contents().items():
        name = tables.specifications_name(id)
        text = (raw.data_dir() / "derived" / f"{name}.csv").read_text(encoding="utf-8")
        written = list(csv.DictReader(text.splitlines()))
        assert len(data["holds"]) == len(written), id
        for got, cells in zip(unpacked(data), written, strict=True):
            assert got["chosen"] == {name: cells[name] for name in got["chosen"]}
            assert got["holds"] == explorer.ANSWERS[cells["holds"]]
            assert got["grade"] == cells["grade"]
            assert got["note"] == cells["note"]
            assert got["estimate"] == (cells["open_ended"] == "False")
            for end in ("value", "lower", "upper", "hard_lower", "hard_upper"):
                if not cells[end]:
                    # Months have their interval in columns of their own.
                    assert got[end] == explorer.NONE or data["unit"] == "month"
                elif cells[end] == "inf":
                    assert got[end] == explorer.ENDLESS
                else:
                    number = cells[end] if data["unit"] == "month" else float(cells[end])
                    shown = numbers.format_value(number, data["unit"])
                    assert data["numbers"][got[end]] == shown, (id, end)


def test_the_share_reads_as_its_page_says() -> None:
    data = contents()["share-above-half"]
    own = unpacked(data)[0]
    record = pages.claim("share-above-half").record
    assert own["chosen"] == record["article"]["reading"]
    assert own["interval"] == numbers.format_interval(*record["interval"], "share")
    assert own["hard"] == numbers.format_interval(*record["hard_interval"], "share")
    assert own["seen"] == str(pages.claim("share-above-half").coverage)
    counts = [data["holds"].count(letter) for letter in "102"]
    assert counts == [record["holds"], record["fails"], record["undetermined"]]


def test_numbers_are_in_order_and_on_the_axis() -> None:
    for id, data in contents().items():
        places = data["places"]
        assert places == sorted(places), id
        assert len(places) == len(data["numbers"]), id
        assert all(0 <= place <= explorer.STEPS for place in places), id
        ticks = [place for place, _ in data["axis"]["ticks"]]
        assert 2 <= len(ticks) <= 9, id
        assert ticks == sorted(set(ticks)), id
        words = [text for _, text in data["axis"]["ticks"]]
        assert len(words) == len(set(words)), id


def test_a_combination_has_a_result_or_a_reason() -> None:
    for id, data in contents().items():
        assert explorer.left_out(data) == 0, id
    lacking = made_data([row()])
    # Two of four are neither: only one is declared impossible.
    assert explorer.left_out(lacking) == 2


def test_the_place_on_the_line_agrees_with_the_answer() -> None:
    # What the strip shows must not contradict the answer: above the line is right of it.
    data = contents()["double-next-eight"]
    line = data["axis"]["line"]
    for got in unpacked(data):
        place = data["places"][got["value"]]
        assert place >= line if got["holds"] == "1" else place <= line


def test_the_data_are_small() -> None:
    written = "".join(explorer.script(data) for data in contents().values()).encode()
    assert len(written) < 300_000
    assert len(gzip.compress(written)) < 60_000


def test_the_data_are_the_same_each_time() -> None:
    first = contents()["derivatives-ratio"]
    assert explorer.script(explorer_page._content("derivatives-ratio")) == explorer.script(first)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "The interval, {interval}, lies above 2."),
        ({"lower": 3.0, "upper": 3.0}, "{value} lies above 2."),
        (
            {"lower": 1.0},
            "Its number, {value}, lies above 2; the interval, {interval}, lies on both sides of 2.",
        ),
        (
            {"value": 1.0, "lower": 0.5, "holds": "no"},
            "Its number, {value}, lies at 2 or below; the interval, {interval}, lies on both sides",
        ),
        (
            {"holds": "no", "hard_lower": 0.0, "hard_upper": 1.5},
            "Even without any assumption, {hard} lies at 2 or below.",
        ),
        ({"lower": 1.0, "holds": "undetermined"}, "The interval, {interval}, lies on both sides"),
        ({"lower": math.nan, "upper": math.nan}, "Its number, {value}, lies above 2."),
        ({"value": math.nan, "lower": math.nan, "upper": math.nan}, "The data give no number"),
        ({"holds": "undetermined"}, "The number alone decides nothing here"),
        ({"pending": "months are open"}, "Nothing is decided yet: months are open."),
        ({"beside": "of one day"}, "It is {value} of one day. It decides nothing"),
        (
            {"before_lower": 0.3, "before_upper": 0.4, "holds": "no"},
            "and more is asked than that. Before the release it was 30.0 to 40.0\u00a0%",
        ),
    ],
)
def test_the_reason_follows_from_value_and_interval(changes: dict[str, Any], said: str) -> None:
    assert said in explorer.why(made_up(), row(**changes))


def test_a_range_and_a_month_have_their_own_words() -> None:
    about = made_up(comparison="about", tolerance=0.1)
    assert explorer.rule(about).endswith("within 10\u00a0% of 2, from 1.8 to 2.2.")
    near = row(value=2.0, lower=1.9, upper=2.1)
    assert "lies inside what counts as 2 (1.8 to 2.2)" in explorer.why(about, near)
    count = made_up(comparison="about", tolerance=0.1, unit="count")
    assert explorer.rule(count) == "It holds where the number is 2."
    months = made_up(comparison="first-in", months=["2025-06", "2025-07"], unit="month")
    assert "June\u00a02025 to July\u00a02025" in explorer.rule(months)
    named = row(value="2025-06", first="2025-06", last="2025-06")
    assert explorer.why(months, named).startswith("{value} is one of the months")
    assert explorer.why(months, {**named, "holds": "undetermined"}).startswith("The data allow")
    assert explorer.why(months, {**named, "value": math.nan}) == "The data show no such month."


def test_no_reason_contradicts_the_rule_of_the_verdicts() -> None:
    # On the real tables: "the interval lies above" is said only where the rule says so too.
    for claim, own in explorer_page._computed():
        if own.comparison != "above":
            continue
        frame = tables.specifications(claim.id)
        for got, cells in zip(
            unpacked(contents()[claim.id]), frame.to_dict("records"), strict=True
        ):
            if got["why"].startswith("The interval, {interval}, lies"):
                within = verdicts.holds_within(own, float(cells["lower"]), float(cells["upper"]))
                assert explorer.ANSWERS[within] == got["holds"]


def test_what_nothing_bounds_is_no_number() -> None:
    assert explorer.interval(0.0, math.inf, "ratio") == "no bound"
    assert explorer.interval(1.5, math.inf, "ratio") == "at least 1.50"
    assert explorer.interval(math.nan, math.nan, "share") == ""
    data = made_data([row(value=math.inf, upper=math.inf)])
    assert data["rows"]["value"] == explorer.ENDLESS
    assert all("inf" not in text for text in data["numbers"])


@pytest.mark.parametrize(
    ("values", "unit", "said"),
    [
        ([0.5, 0.0, math.nan], "share", "0.0 to 50.0 %"),
        ([8e5, 2e6, 3e6], "downloads", "800,000 to 3.0 million"),
        ([1.0, 1.0], "ratio", "1.00"),
        ([1.0, math.inf], "ratio", "at least 1.00"),
        ([math.inf], "ratio", "no bound"),
        ([math.nan], "ratio", "not known"),
        ([explorer.number("2025-06"), explorer.number("2025-08")], "month",
         "June 2025 to August 2025"),
    ],
)  # fmt: skip
def test_a_range_of_numbers_is_written_with_one_unit(
    values: list[float], unit: str, said: str
) -> None:
    assert explorer.spread(values, unit).replace("\u00a0", " ") == said


def test_a_choice_that_nobody_declared_is_an_error() -> None:
    with pytest.raises(InputError, match="made-up: its table has bulk = 'half'"):
        made_data([row(bulk="half")])


def test_words_of_strangers_stay_words() -> None:
    bad = "</script><script>alert(1)</script>\u202e\x07"
    data = made_data([row(note=bad)], title=bad, words={"bulk=in": bad})
    made = explorer.script(data)
    inside = re.fullmatch(
        r'<script type="application/json" data-omr-file="explorer/made-up\.js">(.*)</script>',
        made,
        re.DOTALL,
    )
    assert inside is not None
    assert "<" not in inside[1]
    read = json.loads(inside[1].removeprefix("omrExplorer(").removesuffix(");"))
    assert read == data
    assert read["title"].startswith("</script>")
    assert "\u202e" not in inside[1]
    assert "\x07" not in inside[1]


def test_the_build_moves_the_data_into_files(tmp_path: Path) -> None:
    tag = '<script src="_static/explorer.js?v=1"></script>'
    block = explorer.script(made_data([row()]))
    page, other = tmp_path / "explore.html", tmp_path / "other.html"
    page.write_text(f'<head>{tag}</head><div id="omr-explorer"></div>{block}<p>rest</p>')
    other.write_text(f"<head>{tag}</head><p>no choices</p>")
    load_tool("build_book").clean(tmp_path)
    late = tag.replace("<script ", "<script defer ")
    assert page.read_text() == f'<head>{late}</head><div id="omr-explorer"></div><p>rest</p>'
    # No other page loads the script.
    assert other.read_text() == "<head></head><p>no choices</p>"
    moved = (tmp_path / "_static/explorer/made-up.js").read_text(encoding="utf-8")
    assert block == (
        '<script type="application/json" data-omr-file="explorer/made-up.js">' + moved + "</script>"
    )


def test_the_page_says_it_without_a_script() -> None:
    record = pages.claim("share-above-half").record
    opening = explorer_page.opening()
    for part in (record["holds"], record["fails"], record["undetermined"]):
        assert str(part) in opening
    shown = explorer_page.claims()
    for id in contents():
        assert f'href="explore.html#claim={id}"' in shown
        assert f'download="{id}-every-specification.csv"' in shown
    plain = re.sub(r"<[^>]*>", " ", shown)
    assert "nan" not in plain.lower().split()
    assert "inf" not in plain.lower().split()


def test_each_claim_leads_to_its_choices() -> None:
    for claim in pages.checked():
        link = f'href="explore.html#claim={claim.id}"'
        assert (link in claim.summary()) == bool(claim.record["specifications"])
