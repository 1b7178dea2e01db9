"""Concentration of derivatives on bases, and the rule that names bulk uploads."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw
from analysis.errors import InputError
from analysis.measure import bulk, concentration
from analysis.snapshot import read

PathOf = Callable[[str], Path]

RULE = bulk.parse(raw.declared("bulk"))
FEW = settings(max_examples=20, deadline=None)
COUNTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=30)


def series(values: list[int]) -> pd.Series:
    return pd.Series({f"a/{place}": value for place, value in enumerate(values)}, dtype="int64")


def by_month(*monthly: int, name: str = "a/b") -> pd.DataFrame:
    """Return cumulative counts of one base out of what each month brought; month 0 brought none."""
    running = pd.Series([0, *monthly], dtype="Int64").cumsum()
    return pd.DataFrame(
        {"repository_id": name, "month": range(len(running)), "derivatives": running}
    )


@pytest.fixture(scope="module")
def rule() -> bulk.BulkRule:
    return RULE


# ------------------------------------------------------------------------------ concentration


@FEW
@given(COUNTS)
def test_lorenz_lies_below_the_diagonal_and_gini_says_how_far(values: list[int]) -> None:
    counts = series(values)
    points = concentration.lorenz(counts)
    assert tuple(points.iloc[0]) == (0, 0)
    if sum(values) == 0:
        assert len(points) == 1
        assert math.isnan(concentration.gini(counts))
        return
    assert tuple(points.iloc[-1]) == pytest.approx((1, 1))
    assert (points["derivatives"] <= points["bases"] + 1e-12).all()
    # Against the definition: half the mean absolute difference over the mean.
    n, mean = len(values), sum(values) / len(values)
    naive = sum(abs(a - b) for a in values for b in values) / (2 * n * n * mean)
    assert concentration.gini(counts) == pytest.approx(naive, abs=1e-9)


@FEW
@given(COUNTS, st.floats(0.01, 1))
def test_the_fewest_bases_that_carry_a_part(values: list[int], part: float) -> None:
    few = concentration.carry(series(values), part)
    ordered = sorted(values, reverse=True)
    if sum(values) == 0:
        assert few == 0
        return
    assert sum(ordered[:few]) >= part * sum(values) * (1 - 1e-9)
    assert few == 1 or sum(ordered[: few - 1]) < part * sum(values) * (1 + 1e-9)


@FEW
@given(COUNTS, st.integers(2, 9))
def test_measures_do_not_change_with_the_scale(values: list[int], factor: int) -> None:
    one, other = series(values), series([factor * value for value in values])
    assert concentration.carry(one) == concentration.carry(other)
    if sum(values):
        assert concentration.gini(one) == pytest.approx(concentration.gini(other), abs=1e-9)


def test_derivatives_of_bases_out_of_relations() -> None:
    edges = pd.DataFrame(
        {"repository_id": ["c", "d", "d", "a"], "base_id": ["a", "a", "b", "a"]}, dtype="string"
    )
    # A repository that names itself is no derivative; one with two bases counts for each.
    assert concentration.of_edges(edges).to_dict() == {"a": 2, "b": 1}


def test_summary_with_and_without_named_bases() -> None:
    counts = series([60, 30, 10, 5])
    groups = pd.Series(["x", "x", "x", None], index=counts.index, dtype="string")
    row = concentration.summary(counts, groups, ["a/0", "a/9"]).iloc[0]
    assert row[["group", "bases", "derivatives", "half"]].tolist() == ["x", 3, 100, 1]
    assert row[["top1", "top3", "top10"]].tolist() == [0.6, 1.0, 1.0]
    assert row[["left_out", "derivatives_without"]].tolist() == [1, 40]


def test_concentration_of_february_2025(raw_path: PathOf) -> None:
    frame = read(raw_path("derivative-counts-qwen-2025-02-18"), "derivative-counts").frame
    counts = concentration.totals(frame)
    assert counts.index[:3].tolist() == [f"Qwen/Qwen1.5-{size}" for size in ("0.5B", "1.8B", "7B")]
    assert counts[:3].sum() == 72_383
    assert concentration.carry(counts) == 2
    assert concentration.from_the_top(counts)["share"].iloc[3] == pytest.approx(0.7728, abs=5e-5)


# ------------------------------------------------------------------------------ bulk uploads


def test_a_wave_late_sudden_in_masses_and_over_is_named(rule: bulk.BulkRule) -> None:
    counts = by_month(12, 16, 20, 13, 900, 4_000, 18_000, 500, 90)
    found = bulk.bases(counts, rule).iloc[0]
    # 500 is a wave's last month: the level is that of the quiet months, not of the wave.
    assert found[["first", "last", "waved", "bulk"]].tolist() == [5, 8, 23_400, True]
    assert bulk.named(counts, rule) == {"a/b"}


@pytest.mark.parametrize(
    "monthly",
    [
        pytest.param((9_000, 4_000, 900, 300, 200, 90), id="the wave of a release"),
        pytest.param((10, 20, 9_000, 100, 50, 10), id="within three months of the release"),
        pytest.param((10, 10, 10, 10, 499, 10), id="few"),
        pytest.param((400, 400, 400, 400, 3_000, 3_000, 3_000, 10), id="not ten times its own"),
        pytest.param((10, 10, 10, 10, 900, 4_000, 5_000), id="still lasting when read"),
        pytest.param((50_000, 10, 10, 10, 10, 9_000, 10), id="less than half of all"),
        pytest.param((0, 0, 0, 0, 0), id="nothing"),
    ],
)
def test_what_is_no_bulk_upload(monthly: tuple[int, ...], rule: bulk.BulkRule) -> None:
    assert not bulk.named(by_month(*monthly), rule)


@FEW
@given(
    st.lists(st.integers(0, 5_000), min_size=1, max_size=20),
    st.sampled_from(["Qwen/Qwen1.5-0.5B", "google/gemma-2b", "meta-llama/Llama-2-7b", "x/y"]),
)
def test_the_rule_looks_at_no_name(monthly: list[int], name: str) -> None:
    one, other = by_month(*monthly), by_month(*monthly, name=name)
    assert len(bulk.named(one, RULE)) == len(bulk.named(other, RULE))


@FEW
@given(st.lists(st.lists(st.integers(0, 5_000), min_size=1, max_size=12), min_size=1, max_size=4))
def test_each_base_is_judged_by_itself_and_waves_are_part_of_all(several: list[list[int]]) -> None:
    tables = [by_month(*monthly, name=f"a/{place}") for place, monthly in enumerate(several)]
    together = pd.concat(tables, ignore_index=True)
    alone = frozenset[str]().union(*(bulk.named(table, RULE) for table in tables))
    assert bulk.named(together, RULE) == alone
    found = bulk.bases(together, RULE)
    assert (found["waved"] <= found["derivatives"]).all()
    assert (found["excess"] <= found["waved"]).all()


def test_gains_add_up_and_a_fall_is_no_gain() -> None:
    counts = pd.DataFrame(
        {"repository_id": "a/b", "month": [0, 1, 2, 4], "derivatives": [0, 10, 8, 30]}
    )
    table = bulk.gains(counts)
    assert table["gained"].tolist() == [0, 10, 0, 20]
    # Two months lie between the last two counts.
    assert table["rate"].tolist() == [0, 10, 0, 10]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ratio": 0.5}, "ratio: Input should be greater than 1"),
        ({"share": None}, "share: Input should be a valid number"),
        ({"wave": 1}, "wave: Extra inputs are not permitted"),
        ({"back_reason": ""}, "back_reason"),
    ],
)
def test_a_wrong_rule_file_is_one_clear_error(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"data/bulk.toml: {message}"):
        bulk.parse(dict(raw.declared("bulk")) | change)


def test_every_constant_has_other_settings(rule: bulk.BulkRule) -> None:
    moved = bulk.settings(rule)
    assert moved[0][0] == "declared"
    assert {name for name, _, _ in moved[1:]} == {"ratio", "minimum", "after", "share", "back"}
    assert all(other != rule for _, _, other in moved[1:])
