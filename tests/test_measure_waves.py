"""The event study around releases: arithmetic on made-up series, numbers on the real files."""

from __future__ import annotations

import math
import tomllib
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.claims import waves as claim
from analysis.errors import InputError
from analysis.measure import waves
from analysis.measure.releases import binomial_interval
from analysis.measure.waves import Daily
from tests.support.worlds import evidence_world

START = date(2024, 1, 1)
RULES = tomllib.loads((Path(__file__).parents[1] / "data/waves.toml").read_text(encoding="utf-8"))
counts = st.lists(st.integers(0, 50), min_size=1, max_size=80)


def gains(*rows: tuple[str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["repository_id", "month", "gained"])


@given(counts, st.integers(-20, 100), st.integers(0, 60))
def test_a_sum_of_days_is_that_of_a_slice(values: list[int], start: int, size: int) -> None:
    daily = Daily(1000, np.array(values, dtype="float64"))
    days = [v for i, v in enumerate(values) if start <= i < start + size]
    assert daily.between(1000 + start, 1000 + start + size) == sum(days)


@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 900)), max_size=12),
    st.integers(0, 400),
    st.sampled_from(waves.PLACES),
)
def test_no_derivative_is_lost_or_doubled(
    months: list[tuple[int, int]], born: int, place: str
) -> None:
    created = START + timedelta(days=born)
    table = gains(*(("a/b", month, gained) for month, gained in months))
    daily = waves.daily_of_counts(
        table, {"a/b": created}, START, START + timedelta(days=1200), place
    )
    assert daily.values.sum() == pytest.approx(sum(gained for _, gained in months))
    # Nothing before the base was there.
    assert daily.between(daily.first, created.toordinal()) == 0


def test_a_month_lies_between_the_same_days_of_two_months() -> None:
    created = {"a/b": date(2024, 1, 31)}
    for place, day in (("early", date(2024, 1, 31)), ("late", date(2024, 2, 28))):
        daily = waves.daily_of_counts(
            gains(("a/b", 1, 7)), created, START, date(2024, 12, 31), place
        )
        assert date.fromordinal(daily.first + int(np.flatnonzero(daily.values)[0])) == day
        assert daily.values.sum() == 7


@given(counts)
def test_days_are_counted_once(days: list[int]) -> None:
    daily = waves.daily_of_days(
        [START + timedelta(days=d) for d in days], START, START + timedelta(days=50)
    )
    assert daily.values.sum() == len(days)


def test_a_ratio_needs_both_windows() -> None:
    daily = Daily(0, np.array([1.0] * 10 + [3.0] * 10))
    assert waves.ratio(daily, 10, 5) == 3
    assert waves.ratio(daily, 10, 10) == 3
    assert math.isnan(waves.ratio(daily, 10, 11))
    assert math.isnan(waves.ratio(daily, 4, 5))
    empty = Daily(0, np.zeros(20))
    assert waves.ratio(empty, 10, 5) == 1
    assert math.isinf(waves.ratio(Daily(0, np.array([0.0] * 10 + [1.0] * 10)), 10, 5))


def test_steady_growth_is_no_wave() -> None:
    # Synthetic: the same growth on every day, so that no day stands out.
    daily = Daily(0, np.exp(np.arange(300) / 60))
    others = waves.placebo(daily, 30, 7)
    assert len(others) == 35
    assert waves.rank(waves.ratio(daily, 150, 30), others.round(9)) == pytest.approx(0.5, abs=0.5)
    assert others.std() < 1e-9


def test_a_real_wave_stands_out_and_its_dates_are_hard_to_shift() -> None:
    values = np.ones(400)
    values[100:130] = 20
    values[250:280] = 20
    daily = Daily(0, values)
    others = waves.placebo(daily, 30, 7)
    assert waves.rank(waves.ratio(daily, 100, 30), others) > 0.95
    assert waves.shifted(daily, [100, 250], 30, 7) < 0.1
    assert waves.shifted(daily, [60, 200], 30, 7) > 0.2
    assert math.isnan(waves.shifted(daily, [], 30, 7))
    assert math.isnan(waves.shifted(daily, [5000], 30, 7))


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 100))
def test_a_rank_is_a_part(others: list[float], value: float) -> None:
    assert 0 <= waves.rank(value, others) <= 1
    assert waves.rank(101.0, others) == 1
    assert waves.rank(-1.0, others) == 0
    assert math.isnan(waves.rank(math.nan, others))


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        ([9.0, 3.0, 3.0], (3.0, 1.0)),
        ([1.0, 2.0, 4.0], (1 / 3, 0.0)),
        ([5.0, 0.0, 0.0], (math.inf, 1.0)),
        ([0.0, 0.0, 0.0], (1.0, 0.5)),
    ],
)
def test_the_first_window_against_the_later(
    found: list[float], answer: tuple[float, float]
) -> None:
    assert waves.comes_first(found, 2) == pytest.approx(answer)


def test_too_few_windows_tell_nothing() -> None:
    assert all(math.isnan(v) for v in waves.comes_first([1.0, 2.0], 2))
    assert waves.windows([1, 2, 3, 4, 5], 2) == [3, 7]


@pytest.mark.parametrize(
    ("name", "generation"),
    [
        ("Qwen3.8-27B", "qwen3.8"),
        ("Qwen3-VL-2B-Instruct", "qwen3"),
        ("Qwen-7B", None),
        ("Meta-Llama-3.1-8B", "llama3.1"),
        ("Llama-2-7b-hf", "llama2"),
        ("gemma-2b", None),
        ("gemma-4-31B-it", "gemma4"),
        ("DeepSeek-R1-Distill-Qwen-7B", "deepseekr1"),
        ("QwQ-32B", None),
    ],
)
def test_a_generation_is_read_from_the_name(name: str, generation: str | None) -> None:
    assert waves.generation(name, RULES["week"]["generation"]) == generation


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"percentile": 2}, "percentile"),
        ({"placebo_step_reason": ""}, "placebo_step_reason"),
        ({"week": {**RULES["week"], "generation": "("}}, "regular expression"),
        ({"week": {**RULES["week"], "generation": "a"}}, "one group"),
    ],
)
def test_wrong_rules_are_named(change: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=r"data/waves.toml") as raised:
        waves.parse({**RULES, **change})
    assert told in str(raised.value)


def test_so_many_releases_an_interval_above_the_line_needs() -> None:
    count = waves.needed(0.9, 0.95)
    assert count == 36
    assert binomial_interval(count, count, 0.95)[0] > 0.9
    assert binomial_interval(count - 1, count - 1, 0.95)[0] <= 0.9
    with pytest.raises(InputError, match="between 0 and 1"):
        waves.needed(1.0, 0.95)


def test_an_unknown_source_lists_the_known() -> None:
    with pytest.raises(InputError, match="counts, cut"):
        waves.parse(RULES).find("census")


# ------------------------------------------------------------------------------- the real files


@pytest.mark.usefixtures("mirror")
class TestReal:
    @pytest.mark.slow
    def test_what_came_around_the_generations_of_qwen(self) -> None:
        found = {
            t.release.name: t for t in claim.tried(evidence_world(), "qwen", "counts", "2", "out")
        }
        generations = [
            n for n, t in found.items() if t.release.generation and not math.isnan(t.ratio)
        ]
        assert generations == ["Qwen1.5", "Qwen2", "Qwen2.5"]
        assert found["Qwen2"].ratio == pytest.approx(3.02, abs=0.01)
        assert all(found[n].ratio > 1 for n in generations)
        assert not any(claim.is_wave(found[n], "family", "placebo", 0.9) for n in generations)

    def test_the_largest_month_hangs_on_bulk_uploads(self) -> None:
        world = evidence_world()
        source = claim.rules_of(world).find("counts")
        september = (date(2024, 9, 1).toordinal(), date(2024, 10, 1).toordinal())
        both = [claim.series(world, "qwen", source, bulk).between(*september)
                for bulk in ("in", "out")]  # fmt: skip
        assert both == pytest.approx([33_332, 2_150], rel=0.03)

    def test_llama_three_is_a_wave(self) -> None:
        found = claim.tried(evidence_world(), "llama", "counts", "2", "out")
        (one,) = [t for t in found if t.release.name == "Llama 3"]
        assert claim.is_wave(one, "family", "placebo", 0.9)
        assert claim.shift_p(evidence_world(), "llama", "counts", "2", "out") < 0.05

    def test_a_third_of_the_week_builds_on_the_newest(self) -> None:
        table = claim.week(evidence_world())
        own = table[table["family"] == "qwen"].iloc[0]
        assert own["generation"] == "qwen3.8"
        assert own["derivatives"] / own["of_family"] == pytest.approx(0.339, abs=0.002)

    def test_no_specification_can_say_yes_and_one_release_stands_against_each(self) -> None:
        world = evidence_world()
        spec = {
            "source": "counts", "scope": "family", "window": "2", "events": "generations",
            "test": "more", "bulk": "in",
        }  # fmt: skip
        got = claim.check(world, spec, 0.9)
        assert got.extra["without_a_wave"] == "Qwen2.5"
        assert got.extra["with_a_wave"] == "Qwen1.5, Qwen2"
        without = claim.check(world, {**spec, "bulk": "out"}, 0.9)
        assert without.extra["without_a_wave"] == ""
        every = claim.check(world, {**spec, "window": "1", "events": "all"}, 0.9)
        assert every.extra["releases"] == 7
        assert every.extra["releases"] < every.extra["needed"] == 36

    def test_every_choice_of_the_grid_can_be_evaluated(self) -> None:
        world = evidence_world()
        for window in claim.WINDOWS:
            for scope in ("family", "own"):
                spec = {
                    "source": "cut", "scope": scope, "window": window, "events": "all",
                    "test": "more", "bulk": "in",
                }  # fmt: skip
                got = claim.check(world, spec, 0.9)
                assert got.value is None or 0 <= got.lower <= got.value <= got.upper <= 1
