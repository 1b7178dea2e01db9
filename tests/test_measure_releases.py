"""What is one model and one release, and how sure a rate is."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw
from analysis.errors import InputError
from analysis.measure import releases
from analysis.measure.releases import Span

RULES = releases.parse(raw.declared("releases"))
START = date(2025, 1, 1)


def changed(**changes: Any) -> dict[str, Any]:
    return {**raw.declared("releases"), **changes}


@pytest.mark.parametrize(
    ("name", "model", "copy"),
    [
        ("Qwen-7B-Chat-Int4", "qwen-7b", True),
        ("Qwen2.5-7B-Instruct-1M", "qwen2.5-7b-1m", False),
        ("Qwen3-0.6B-MLX-4bit", "qwen3-0.6b", True),
        ("Qwen3-235B-A22B-Thinking-2507-FP8", "qwen3-235b-a22b-2507", True),
        ("Qwen3-Embedding-4B-GGUF", "qwen3-embedding-4b", True),
        ("QwQ-32B-Preview", "qwq-32b-preview", False),
        ("Llama-2-7b-chat-hf", "llama-2-7b", True),
        ("Llama-3.2-1B-Instruct-SpinQuant_INT4_EO8", "llama-3.2-1b", True),
        ("Llama-4-Maverick-17B-128E-Instruct-FP8-Original", "llama-4-maverick-17b-128e", True),
        ("Meta-Llama-3-70B-Instruct", "llama-3-70b", False),
        ("gemma-3-27b-it-qat-q4_0-gguf", "gemma-3-27b", True),
        ("gemma-3n-E2B-it-litert-preview", "gemma-3n-e2b", True),
        ("paligemma-3b-ft-science-qa-224-jax", "paligemma-3b", True),
        ("deepseek-math-7b-rl", "deepseek-math-7b", False),
        ("Phi-3-mini-4k-instruct-onnx-web", "phi-3-mini-4k", True),
    ],
)
def test_copies_share_the_name_of_their_model(name: str, model: str, copy: bool) -> None:
    assert RULES.model_of(name) == model
    assert RULES.is_copy(name) is copy
    assert RULES.is_model(name)


def test_parts_of_models_are_no_models() -> None:
    assert not RULES.is_model("Qwen-tokenizer")
    assert not RULES.is_model("Mistral-Small-4-119B-2603-eagle")
    assert RULES.weights_of("Qwen3-8B-Instruct-AWQ") == "qwen3-8b-awq"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cluster": {"days": -1}}, r"data/releases\.toml: cluster"),
        (
            {"copy": [{"kind": "format", "words": ["("], "reason": "a broken pattern"}]},
            "not a regular expression",
        ),
        ({"release": [{"family": "qwen"}]}, r"release\.0"),
        (
            {
                "release": [
                    {
                        "family": "qwen", "name": "x", "day": START, "how_known": "stated",
                        "source": "y", "reason": "no line is given",
                    }
                ]
            },
            "needs 'line'",
        ),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        releases.parse(changed(**changes))


def test_a_release_named_twice_is_refused() -> None:
    rows = raw.declared("releases")["release"]
    with pytest.raises(InputError, match="named twice: qwen Qwen"):
        releases.parse(changed(release=[*rows, rows[0]]))


# ------------------------------------------------------------------------------------- clusters

DAYS = st.lists(st.integers(0, 400), max_size=60)


@given(DAYS, st.integers(0, 40), st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_order(days: list[int], span: int, random: Any) -> None:
    mixed = list(days)
    random.shuffle(mixed)
    assert releases.cluster(mixed, span) == releases.cluster(days, span)


@given(DAYS, st.integers(0, 40), st.integers(0, 40))
def test_longer_spans_never_make_more_releases(days: list[int], one: int, two: int) -> None:
    short, long = sorted((one, two))
    assert len(releases.cluster(days, long)) <= len(releases.cluster(days, short))


@given(DAYS, st.integers(0, 40))
def test_each_day_lies_in_exactly_one_release(days: list[int], span: int) -> None:
    starts = releases.cluster(days, span)
    assert set(starts) <= set(days)
    assert all(b - a > span for a, b in pairwise(starts))
    for day in days:
        assert sum(start <= day <= start + span for start in starts) == 1
    if span == 0:
        assert starts == sorted(set(days))


# ------------------------------------------------------------------------------------ intervals


@pytest.mark.parametrize(
    ("count", "lower", "upper"),
    # Garwood's intervals at 95 %, as tables of the Poisson distribution print them.
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.6235, 11.668), (10, 4.7954, 18.390),
     (100, 81.364, 121.627)],
)  # fmt: skip
def test_poisson_intervals_are_those_of_the_tables(count: int, lower: float, upper: float) -> None:
    got = releases.poisson_interval(count, 0.95)
    assert got == pytest.approx((lower, upper), abs=6e-4)


@pytest.mark.parametrize(
    ("hits", "total", "lower", "upper"),
    # Clopper and Pearson's intervals at 95 %.
    [(0, 10, 0.0, 0.3085), (8, 10, 0.4439, 0.9748), (10, 10, 0.6915, 1.0), (0, 0, 0.0, 1.0),
     (50, 100, 0.3983, 0.6017)],
)  # fmt: skip
def test_binomial_intervals_are_those_of_the_tables(
    hits: int, total: int, lower: float, upper: float
) -> None:
    got = releases.binomial_interval(hits, total, 0.95)
    assert got == pytest.approx((lower, upper), abs=6e-5)


@given(st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=40)
def test_a_binomial_interval_is_its_mirror(hits: int, misses: int) -> None:
    low, high = releases.binomial_interval(hits, hits + misses, 0.95)
    other = releases.binomial_interval(misses, hits + misses, 0.95)
    assert (low, high) == pytest.approx((1 - other[1], 1 - other[0]), abs=1e-9)
    if hits + misses:
        assert low <= hits / (hits + misses) <= high


@given(st.integers(0, 40), st.integers(0, 40), st.floats(1, 60), st.floats(1, 60))
@settings(max_examples=40)
def test_a_ratio_turned_round_has_the_interval_turned_round(
    first: int, second: int, months: float, others: float
) -> None:
    low, high = releases.exact_ratio(first, months, second, others, 0.95)
    below, above = releases.exact_ratio(second, others, first, months, 0.95)
    assert low == pytest.approx(1 / above if above != math.inf else 0.0, rel=1e-6, abs=1e-9)
    assert high == pytest.approx(1 / below if below else math.inf, rel=1e-6)


def spread(count: int, span: Span) -> list[int]:
    return [int(day) for day in np.linspace(span.first, span.last, count)]


def test_the_wider_of_both_intervals_stands_at_each_end() -> None:
    span = Span(START.toordinal(), START.toordinal() + 729)
    got = releases.ratio(spread(48, span), span, spread(24, span), span, RULES.interval)
    assert got.value == 2
    assert got.blocks is not None
    assert got.lower == min(got.exact[0], got.blocks[0])
    assert got.upper == max(got.exact[1], got.blocks[1])
    # Evenly spread events vary less than chance would have it: the exact one is wider.
    assert got.exact[0] < got.blocks[0] <= 2 <= got.blocks[1] < got.exact[1]


def test_bursts_widen_the_interval() -> None:
    span = Span(START.toordinal(), START.toordinal() + 729)
    bursts = [span.first + 180 * (place // 12) for place in range(48)]
    got = releases.ratio(bursts, span, spread(24, span), span, RULES.interval)
    assert got.value == 2
    assert got.blocks is not None
    assert got.blocks[0] < got.exact[0]
    assert got.blocks[1] > got.exact[1]


def test_the_same_seed_gives_the_same_ends() -> None:
    span = Span(START.toordinal(), START.toordinal() + 400)
    once, again = (
        releases.ratio(spread(30, span), span, spread(9, span), span, RULES.interval)
        for _ in range(2)
    )
    assert once == again


def test_nothing_over_nothing_says_nothing() -> None:
    span = Span(START.toordinal(), START.toordinal() + 100)
    got = releases.ratio([], span, [], span, RULES.interval)
    assert math.isnan(got.value)
    assert got.exact == (0.0, math.inf)
    some = releases.ratio(spread(8, span), span, [], span, RULES.interval)
    assert some.value == math.inf
    assert some.blocks is None
    assert 1 < some.lower < some.upper == math.inf


def test_an_empty_window_has_no_rate() -> None:
    with pytest.raises(InputError, match="the window is empty"):
        releases.rate(0, Span(10, 9).months, 0.95)


# --------------------------------------------------------------------------------------- counts


def rows(*names: str, every: int = 10) -> pd.DataFrame:
    """Repositories of one family, one each so many days (made up for this test)."""
    created = {f"Qwen/{n}": START + timedelta(days=every * i) for i, n in enumerate(names)}
    return releases.members(created, dict.fromkeys(created, "qwen"), RULES)


def test_three_things_are_counted_apart() -> None:
    frame = rows("X-7B", "X-7B-Instruct", "X-7B-Instruct-GGUF", "X-14B-Instruct-FP8", every=3)

    def count(unit: str, copies: bool) -> int:
        return len(releases.events(frame, unit, copies, 7))

    assert count("repositories", True) == 4
    assert count("repositories", False) == 3  # of X-14B there is nothing but the copy
    assert count("models", True) == 3
    assert count("models", False) == 2
    assert count("releases", False) == 2
    with pytest.raises(InputError, match="no unit 'forks'"):
        releases.events(frame, "forks", False, 7)


@given(st.lists(st.integers(0, 90), min_size=1, max_size=25), st.integers(0, 30))
@settings(max_examples=40)
def test_there_are_no_more_releases_than_models_nor_models_than_repositories(
    days: list[int], span: int
) -> None:
    suffix = ["", "-Instruct", "-GGUF", "-Chat-AWQ"]
    created = {
        f"Qwen/X-{place // 3}B{suffix[place % 4]}": START + timedelta(days=day)
        for place, day in enumerate(days)
    }
    frame = releases.members(created, dict.fromkeys(created, "qwen"), RULES)
    for copies in (False, True):
        counts = [len(releases.events(frame, u, copies, span)) for u in releases.UNITS]
        assert counts == sorted(counts, reverse=True)
    listed = releases.listing(frame, span)
    assert len(listed) == len(releases.events(frame, "releases", False, span))
    assert listed["models"].sum() == frame["model"].nunique()
    assert listed["repositories"].sum() == len(frame)
    assert listed["days_since_last"].isna().sum() == 1


def test_repositories_of_no_family_are_left_out() -> None:
    frame = releases.members({"a/b": START, "Qwen/X-7B": START}, {"Qwen/X-7B": "qwen"}, RULES)
    assert list(frame["repository_id"]) == ["Qwen/X-7B"]


def test_days_are_corrected_only_forward_and_within_reach() -> None:
    created = {
        "meta-llama/Llama-3.1-8B": date(2024, 7, 14),
        "Qwen/Qwen2.5-7B": date(2024, 9, 15),
        "Qwen/Qwen2.5-7B-Instruct-GGUF": date(2025, 9, 1),
        "Qwen/Listed": date(2025, 3, 1),
        "Qwen/Far": date(2024, 3, 1),
        "Qwen/Qwen3-235B-A22B-Instruct-2507": date(2025, 7, 21),
    }
    family = {name: "llama" if "llama" in name else "qwen" for name in created}
    listed = {
        "Qwen/Listed": date(2025, 2, 27),
        "Qwen/Far": date(2024, 9, 1),
        "Qwen/Qwen3-235B-A22B-Instruct-2507": date(2025, 7, 25),
    }
    got = releases.correct(releases.members(created, family, RULES), RULES, listed)
    day = {
        r: date.fromordinal(int(d)) for r, d in zip(got["repository_id"], got["day"], strict=True)
    }
    assert day["meta-llama/Llama-3.1-8B"] == date(2024, 7, 23)
    assert day["Qwen/Qwen2.5-7B"] == date(2024, 9, 19)
    assert day["Qwen/Qwen2.5-7B-Instruct-GGUF"] == date(2025, 9, 1)
    assert day["Qwen/Listed"] == date(2025, 2, 27)
    assert day["Qwen/Far"] == date(2024, 3, 1)
    # The maker's own text comes before the list.
    assert day["Qwen/Qwen3-235B-A22B-Instruct-2507"] == date(2025, 7, 21)


def test_windows_end_with_the_source() -> None:
    last = date(2025, 10, 10).toordinal()
    first = date(2023, 8, 3).toordinal()
    assert releases.window(RULES, "since-first", first, last) == Span(first, last)
    year = releases.window(RULES, "last-12-months", first, last)
    assert (year.last, round(year.months)) == (last, 12)
    assert (
        releases.window(RULES, "since-llama-4", first, last).first == date(2025, 4, 1).toordinal()
    )
    with pytest.raises(InputError, match="no window 'ever'"):
        releases.window(RULES, "ever", first, last)


def test_months_are_equal_parts_that_hold_every_event() -> None:
    span = Span(START.toordinal(), START.toordinal() + 364)
    counts = releases.by_month([span.first, span.last, span.first + 100], span)
    assert len(counts) == 12
    assert counts.sum() == 3
    assert counts[0] == counts[-1] == 1
