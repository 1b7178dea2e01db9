"""Two dates: pace of derivatives before and after a day, and attention to one model."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw
from analysis.builder.chapters import adoption as chapter
from analysis.claims import adoption, checks, register
from analysis.errors import InputError
from analysis.measure import pace
from analysis.pages import adoption as pages_adoption
from tests.support.worlds import evidence_world, load_world

REGISTER = register.parse(raw.declared("claims"))


def counts(*rows: tuple[str, str, list[int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "repository_id": name,
                "created_at": pd.Timestamp(created, tz="UTC"),
                "month": month,
                "derivatives": number,
            }
            for name, created, numbers in rows
            for month, number in enumerate(numbers)
        ]
    ).astype({"month": "Int64", "derivatives": "Int64"})


def test_a_month_of_counting_becomes_a_step_with_days() -> None:
    table = pace.steps(counts(("Q/a", "2024-01-31", [0, 3, 3, 10])))
    # A month without a gain is no step; the month after 31 January ends on 29 February.
    assert table["gained"].tolist() == [3, 7]
    days = [date.fromordinal(n).isoformat() for n in (*table["start"], *table["end"])]
    assert days == ["2024-01-31", "2024-03-31", "2024-02-29", "2024-04-30"]


def test_a_step_over_the_edge_is_shared_out_and_bounded() -> None:
    table = pace.steps(counts(("Q/a", "2024-06-01", [0, 30])))
    got = pace.within(table, date(2024, 6, 21), date(2024, 8, 1))
    assert (got.value, got.lower, got.upper) == (pytest.approx(10), 0, 30)
    assert pace.within(table, date(2024, 7, 1), date(2024, 8, 1)) == pace.Amount(0, 0, 0)


def test_whole_months_leave_out_the_one_of_the_day() -> None:
    # Months of the base begin on the first; the day falls into its fourth.
    table = pace.steps(counts(("Q/a", "2024-06-01", [0, 1, 3, 6, 1006, 1026, 1066, 1100])))
    got = pace.whole_change(table, date(2024, 9, 19), 2)
    assert (got.value, got.lower, got.upper) == (60 / 5, 60 / 5, 60 / 5)
    # A base that came after the day counts with the months that end in time, on one side only.
    younger = pace.steps(counts(("Q/b", "2024-10-01", [0, 7, 100])))
    both = pd.concat([table, younger], ignore_index=True)
    assert pace.whole_change(both, date(2024, 9, 19), 2).value == 67 / 5
    assert math.isinf(pace.whole_change(younger, date(2024, 9, 19), 2).value)
    assert math.isnan(pace.whole_change(younger, date(2023, 9, 19), 2).value)


STEPS = st.lists(
    st.tuples(st.integers(738000, 738400), st.integers(1, 60), st.integers(1, 1000)), max_size=30
).map(
    lambda rows: pd.DataFrame(
        [(a, a + b, c) for a, b, c in rows], columns=["start", "end", "gained"]
    )
)


@given(STEPS, st.integers(737900, 738500), st.integers(0, 200), st.integers(0, 200))
def test_windows_add_up_and_the_value_lies_in_its_interval(
    table: pd.DataFrame, first: int, one: int, two: int
) -> None:
    low, middle, high = (date.fromordinal(first + n) for n in (0, one, one + two))
    left, right = pace.within(table, low, middle), pace.within(table, middle, high)
    whole = pace.within(table, low, high)
    assert whole.value == pytest.approx(left.value + right.value)
    # What surely lies in a part lies in the whole; what may lie in the whole may in a part.
    assert left.lower + right.lower <= whole.lower + 1e-9
    assert left.upper + right.upper >= whole.upper - 1e-9
    for got in (left, right, whole):
        assert got.lower - 1e-9 <= got.value <= got.upper + 1e-9


@given(STEPS, st.integers(738000, 738400), st.integers(1, 5))
def test_a_change_lies_in_its_interval(table: pd.DataFrame, day: int, months: int) -> None:
    got = pace.change(table, date.fromordinal(day), months)
    if not (math.isnan(got.value) or math.isnan(got.lower) or math.isnan(got.upper)):
        assert got.lower <= got.value * (1 + 1e-9)
        assert got.value <= got.upper * (1 + 1e-9)


def test_a_panel_counts_what_stands_on_both_days_and_what_was_born_between() -> None:
    rows = [
        ("2025-03-01", "Q/old", 100, "2024-06-01"),
        ("2025-03-31", "Q/old", 160, "2024-06-01"),
        ("2025-03-31", "Q/born", 40, "2025-03-10"),
        ("2025-03-31", "Q/joined", 999, "2024-06-01"),  # older, not read before: unknown gain
        ("2025-03-01", "Q/left", 500, "2024-03-05"),
        ("2025-03-01", "Q/fell", 50, "2024-06-01"),
        ("2025-03-31", "Q/fell", 30, "2024-06-01"),
    ]
    panel = pd.DataFrame(
        rows, columns=["day", "repository_id", "downloads_all_time", "created_at"]
    ).astype({"downloads_all_time": "Int64"})
    panel["day"] = pd.to_datetime(panel["day"])
    panel["created_at"] = pd.to_datetime(panel["created_at"], utc=True)
    groups = dict.fromkeys(panel["repository_id"], "g")
    got = pace.panel_flows(panel, groups, [date(2025, 3, 31), date(2025, 3, 1)])
    assert got.to_dict("records") == [
        {
            "first": "2025-03-01",
            "last": "2025-03-31",
            "group": "g",
            "gained": 100.0,
            "repositories": 3,
        }
    ]


def test_generations_are_read_from_the_beginning_of_the_name() -> None:
    assert adoption.generation("Qwen/Qwen2.5-7B-Instruct") == "Qwen2.5"
    assert adoption.generation("Qwen/Qwen3-8B") == "Qwen3"
    assert adoption.generation("Qwen/QwQ-32B") == "earlier and other names"
    assert adoption.generation("Qwen/Qwen-7B") == "earlier and other names"


# ------------------------------------------------------------------------- on the real files


def outcome(claim: str, **choices: str) -> tuple[float, float, float, str]:
    entry = REGISTER.find(claim)
    got = checks.evaluate(evidence_world(), entry, {**entry.article, **choices})
    assert isinstance(got.value, float)
    return got.value, got.lower, got.upper, got.decided or ""


@pytest.mark.slow
def test_as_counted_the_months_of_counting_leave_the_change_open(mirror: Path) -> None:
    value, lower, upper, decided = outcome("qwen25-september-2024")
    assert (round(value, 3), round(lower, 3), round(upper, 3)) == (0.551, 0.363, 3.985)
    assert decided == "undetermined"


@pytest.mark.parametrize(
    ("bulk", "against", "value"),
    [
        ("in", "alone", 1.333),
        ("in", "llama", 0.756),
        ("out", "alone", 3.676),
        ("out", "llama", 2.084),
        ("out", "rivals", 2.339),
    ],
)
def test_whole_months_around_the_release(
    mirror: Path, bulk: str, against: str, value: float
) -> None:
    got = outcome("qwen25-september-2024", bulk=bulk, against=against, edges="whole")
    assert got[:3] == pytest.approx((value, value, value), abs=5e-4)


def test_the_cut_gives_days_and_so_no_interval(mirror: Path) -> None:
    value, lower, upper, _ = outcome("qwen25-september-2024", measure="cut", against="rivals")
    assert value == lower == upper
    # It compares families and nothing else: Qwen alone is no question to it.
    specs = REGISTER.find("qwen25-september-2024").specifications()
    assert len(specs) == 96
    assert {s["against"] for s in specs if s["measure"] == "cut"} == {"llama", "rivals"}


def test_the_release_is_no_turn_among_other_days(mirror: Path) -> None:
    # The same ratio on days a month apart: more than one on each of them.
    world = evidence_world()
    release = adoption.release_day(world)
    assert release == date(2024, 9, 19)
    found = {}
    for shift in range(-4, 3):
        day = (pd.Timestamp(release) + pd.DateOffset(months=shift)).date()
        got = adoption.pace_change(world, "counts", True, "alone", "whole", day, 2)
        found[shift] = round(got.value, 2)
    assert found == {-4: 3.37, -3: 3.1, -2: 2.16, -1: 2.51, 0: 3.39, 1: 1.55, 2: 2.15}


def test_derivatives_are_dated_by_two_sources_only(mirror: Path) -> None:
    with pytest.raises(InputError, match="dated by counts or cut, not by 'names'"):
        adoption.added(evidence_world(), "names")


@pytest.mark.parametrize(
    ("choices", "own", "best", "best_number"),
    [
        ({}, 12908, "deepseek-ai/DeepSeek-V3", 4010),
        ({"among": "all"}, 12908, "black-forest-labs/FLUX.1-dev", 12045),
        ({"day": "2026-04-30"}, 13316, "deepseek-ai/DeepSeek-V3", 4062),
        ({"day": "2026-05-23"}, 13337, "deepseek-ai/DeepSeek-V3", 4072),
        ({"measure": "first-month", "day": "2025-02-18"}, 1280, "Qwen/Qwen2-7B", 166),
        (
            {"measure": "first-month", "day": "2025-02-18", "among": "all"},
            1280,
            "meta-llama/Meta-Llama-3-8B-Instruct",
            571,
        ),
    ],
)
def test_attention_to_r1(
    mirror: Path, choices: dict[str, str], own: int, best: str, best_number: int
) -> None:
    entry = REGISTER.find("deepseek-r1-january-2025")
    got = checks.evaluate(evidence_world(), entry, {**entry.article, **choices})
    assert (got.extra["own"], got.extra["best"], got.extra["best_number"]) == (
        own,
        best,
        best_number,
    )
    assert got.value == own / best_number


def test_attention_is_not_read_where_no_file_holds_it(mirror: Path) -> None:
    with pytest.raises(InputError, match="likes were not read on 2025-01-31"):
        adoption.field_of(evidence_world(), "likes", "2025-01-31")


def test_tables_by_month_hold_what_the_checks_count(mirror: Path) -> None:
    world = evidence_world()
    months = chapter.adoption_months(world)
    assert set(months["family"]) == {"qwen", "llama", "gemma", "deepseek"}
    assert (months["lower"] <= months["value"] + 1e-9).all()
    assert (months["value"] <= months["upper"] + 1e-9).all()
    # Leaving bases out never adds.
    wide = months.pivot_table(index=["source", "family", "month"], columns="bulk", values="value")
    assert (wide["out"] <= wide["in"] + 1e-9).all()
    qwen = months[(months["source"] == "counts") & (months["family"] == "qwen")]
    january = qwen[(qwen["month"] == "2025-01") & (qwen["bulk"] == "out")]["value"].iloc[0]
    by_generation = chapter.adoption_generations(world)
    parts = by_generation[by_generation["month"] == "2025-01"]["value"]
    assert parts.sum() == pytest.approx(january)


@pytest.mark.slow
def test_the_placebo_table_has_the_windows_of_the_grid(mirror: Path) -> None:
    table = chapter.adoption_placebo(evidence_world())
    assert set(table.loc[table["release"], "day"]) == {"2024-09-19"}
    entry = REGISTER.find("qwen25-september-2024")
    assert {str(months) for months in table["window"]} == set(map(str, entry.grid["window"]))
    # Eight, seven and six days: a longer window leaves fewer days that the counts reach.
    assert table.groupby("window").size().to_dict() == {2: 8 * 6, 3: 7 * 6, 4: 6 * 6}
    quiet = table[(table["bulk"] == "out") & (table["window"] == 3)]
    alone = quiet[quiet["against"] == "alone"].set_index("day")["value"].round(2).to_dict()
    assert alone == {
        "2024-04-19": 4.14,
        "2024-05-19": 3.64,
        "2024-06-19": 6.09,
        "2024-07-19": 3.46,
        "2024-08-19": 3.24,
        "2024-09-19": 3.68,
        "2024-10-19": 3.03,
    }
    llama = quiet[quiet["against"] == "llama"].set_index("day")["value"].round(2)
    assert (llama["2024-09-19"], llama["2024-06-19"]) == (2.08, 6.30)


def test_the_finding_tells_where_another_month_rose_more(mirror: Path) -> None:
    world, entry = evidence_world(), REGISTER.find("qwen25-september-2024")
    table = checks.run(world, entry)
    found = adoption.FINDINGS["pace"]({"stated_value": entry.stated}, table)
    assert "in 5 of 6 windows another month shows a larger rise" in found
    assert "growth slowed (0.60 times that before)" in found
    # The same count from the placebo days themselves.
    days = chapter.adoption_placebo(world)
    days = days[(days["bulk"] == "out") & (days["against"] != "llama")]
    larger = [
        float(part["value"].max()) > float(part.loc[part["release"], "value"].iloc[0])
        for _, part in days.groupby(["window", "against"])
    ]
    assert (sum(larger), len(larger)) == (5, 6)


def test_no_window_with_a_larger_rise_is_said_in_words() -> None:
    tried = pd.DataFrame({"larger_days": [0.0, 0.0]})
    assert adoption.larger_elsewhere(tried).startswith("in none of 2 windows")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"windows": [2, 5]}, "a window of 5 months does not end within the reach"),
        ({"windows": []}, "windows"),
        ({"first": 0}, "first"),
        ({"months": 3}, "months"),
    ],
)
def test_a_wrong_rule_of_placebo_days_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        pace.parse({**raw.declared("pace"), **change})
    assert "data/pace.toml" in str(caught.value)


def month_of(first: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "month": "2025-01",
            "label": ["Qwen", "Llama"],
            "value": [5337.0, 3935.0],
            "lower": [first[0], 0],
            "upper": [first[1], 7789],
        }
    )


def test_a_title_ranks_only_where_the_intervals_do() -> None:
    open_ = pages_adoption._leader(month_of((1, 9363)))
    assert "Qwen 1 to 9,363 and Llama at most 7,789" in open_
    assert "do not say who gained most" in open_
    clear = pages_adoption._leader(month_of((7790, 9363)))
    assert clear.endswith("Qwen gained the most new derivatives, 7,790 to 9,363")


def test_lists_of_attention_begin_with_r1(mirror: Path) -> None:
    world = evidence_world()
    likes = chapter.attention_likes(world)
    assert set(likes.loc[likes["place"] == 1, "repository"]) == {"deepseek-ai/DeepSeek-R1"}
    first = chapter.attention_first_month(world)
    assert first[["repository", "derivatives"]].head(2).to_numpy().tolist() == [
        ["deepseek-ai/DeepSeek-R1", 1280],
        ["meta-llama/Meta-Llama-3-8B-Instruct", 571],
    ]
    china = chapter.attention_china(world)
    assert china["repository"].iloc[1] == "deepseek-ai/DeepSeek-V3"
    assert bool(china["older"].iloc[1])


@pytest.mark.slow
def test_downloads_without_bursts_change_the_runner_up(mirror: Path) -> None:
    entry = REGISTER.find("deepseek-r1-january-2025")
    spec = {**entry.article, "measure": "downloads", "day": "2025-02-26"}
    got = checks.evaluate(load_world(), entry, spec)
    assert (got.extra["own"], got.extra["best"], got.extra["best_number"]) == (
        5045070,
        "Qwen/Qwen2.5-1.5B-Instruct",
        96076792,
    )
    spec = {**entry.article, "measure": "downloads-quiet", "day": "2025-02-26"}
    got = checks.evaluate(load_world(), entry, spec)
    # The burst of Qwen2.5-1.5B-Instruct taken off, another repository leads; R1 does not.
    assert got.extra["best"] == "ByteDance/AnimateDiff-Lightning"
    assert isinstance(got.value, float)
    assert got.value < 1


@pytest.mark.slow
def test_one_repository_carries_the_downloads_of_the_panel(mirror: Path) -> None:
    table = chapter.adoption_panel(load_world())
    assert table["repository"].iloc[0] == "Qwen/Qwen2.5-1.5B-Instruct"
    assert table["share"].iloc[0] == pytest.approx(0.7541, abs=5e-5)
    assert table["downloads"].sum() == 127_402_123
    flows = chapter.adoption_flows(load_world())
    first = flows[flows["first"] == "2025-02-26"].set_index("group")["gained"]
    assert first["Qwen2.5-1.5B-Instruct alone"] == 96_921_681 - 96_076_792
