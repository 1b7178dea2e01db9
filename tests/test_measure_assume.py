"""Named assumptions: what they say, and the test that they must pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw
from analysis.claims.world import World
from analysis.errors import InputError
from analysis.measure import assume
from analysis.measure.assume import Calibrated, Nearest
from tests.support import worlds

DAY = 739_000


def rules(**changes: Any) -> assume.Assumptions:
    return assume.parse({**raw.declared("assumptions"), **changes})


def reaches(*days: int) -> list[dict[str, object]]:
    return [{"days": n, "reason": "test"} for n in days]


@pytest.fixture(scope="module")
def world(mirror: Path) -> World:
    return worlds.load_world()


def test_a_wrong_rule_is_named() -> None:
    with pytest.raises(InputError, match=r"data/assumptions\.toml: stated_rate"):
        rules(stated_rate=1.5)
    with pytest.raises(InputError, match=r"between\.0\.days"):
        rules(between=reaches(0))
    with pytest.raises(InputError, match="surprise"):
        rules(surprise=1)


# -------------------------------------------------------------------------------- nearest


def test_nearest_leaves_the_day_itself_out_and_takes_the_largest() -> None:
    known = [(DAY - 9, 1), (DAY - 2, 5), (DAY - 2, 7), (DAY, 100), (DAY + 3, 4), (DAY + 3, 6)]
    assert assume.nearest(known, DAY) == Nearest((7.0, 2), (6.0, 3))
    assert assume.nearest(known, DAY - 20) == Nearest(None, (1.0, 11))
    assert assume.nearest([], DAY) == Nearest(None, None)


def test_class_of_is_the_narrowest_that_fits() -> None:
    declared = rules(between=reaches(35, 4, 10), carried=reaches(10, 4, 160))
    cases: list[tuple[int | None, int | None, str | None]] = [
        (1, 4, "between-4"),
        (1, 5, "between-10"),
        (10, 11, "between-35"),
        (2, 36, "carried-4"),
        (None, 5, "carried-10"),
        (11, None, "carried-160"),
        (161, None, None),
        (None, None, None),
    ]
    for before, after, expected in cases:
        near = Nearest(
            None if before is None else (10.0, before), None if after is None else (20.0, after)
        )
        assert near.class_of(declared) == expected, (before, after)


def test_carried_rests_on_the_nearer_reading() -> None:
    near = Nearest((10.0, 5), (20.0, 3))
    assert near.span("carried-10") == (20.0, 20.0)
    assert near.span("between-10") == (10.0, 20.0)
    assert Nearest((10.0, 3), (20.0, 3)).span("carried-10") == (10.0, 10.0)


# ------------------------------------------------------------------------------- interval


@given(
    low=st.integers(0, 10**7),
    high=st.integers(0, 10**7),
    factor=st.sampled_from([1.0, 1.5, 10.0]),
    gaps=st.tuples(st.integers(1, 200), st.integers(1, 200)),
)
def test_the_interval_contains_the_readings_it_rests_on(
    low: int, high: int, factor: float, gaps: tuple[int, int]
) -> None:
    declared = rules()
    names = [f"between-{r.days}" for r in declared.between]
    names += [f"carried-{r.days}" for r in declared.carried]
    near = Nearest((float(low), gaps[0]), (float(high), gaps[1]))
    got = Calibrated(declared, dict.fromkeys(names, factor), 5000.0).interval(near)
    if got.how == "capped":
        assert near.class_of(declared) is None
        return
    least, most = near.span(got.how)
    assert got.lower <= least <= most <= got.upper
    if least > declared.floor:
        assert got.lower == pytest.approx(least / factor)
        assert got.upper == pytest.approx(most * factor)


def test_below_the_floor_the_interval_starts_at_zero() -> None:
    calibrated = Calibrated(rules(floor=1000), {"carried-4": 2.0}, None)
    got = calibrated.interval(Nearest((900.0, 1), None))
    assert (got.lower, got.upper, got.how) == (0.0, 2000.0, "carried-4")


def test_a_dropped_class_hands_over_to_the_next_that_fits() -> None:
    declared = rules(between=reaches(4, 10), carried=reaches(4, 10))
    near = Nearest((5000.0, 2), (9000.0, 3))
    order = ["between-4", "between-10", "carried-4", "carried-10"]
    for place, name in enumerate(order):
        left = dict.fromkeys(order[place:], 1.5)
        assert Calibrated(declared, left, 7.0).interval(near).how == name
    # The cap was tested on repositories without a reading near; this one has two.
    got = Calibrated(declared, {}, 7.0).interval(near)
    assert (got.lower, got.upper, got.how) == (0.0, float("inf"), "none")


def test_no_reading_near_is_capped_or_unknown() -> None:
    nobody = Nearest(None, None)
    capped = Calibrated(rules(), {}, 7.0).interval(nobody)
    assert (capped.lower, capped.upper, capped.how) == (0.0, 7.0, "capped")
    assert Calibrated(rules(), {}, None).interval(nobody).how == "none"


# ---------------------------------------------------------------------------- calibration


def test_trials_hide_every_reading_of_the_day() -> None:
    declared = rules(between=reaches(4), carried=reaches(10))
    known = {
        "b/b": [(DAY, 50), (DAY, 60), (DAY - 1, 40), (DAY + 2, 80)],
        "a/a": [(DAY, 7), (DAY - 8, 5)],
        "c/c": [(DAY - 1, 9)],
        "d/d": [(DAY, 3)],
    }
    got = assume.trials(known, declared, [DAY, DAY + 1])
    assert got[["repository_id", "truth", "rule"]].astype("object").where(got.notna(), None)[
        ["repository_id", "truth", "rule"]
    ].values.tolist() == [
        ["a/a", 7.0, "carried-10"],
        ["b/b", 60.0, "between-4"],
        ["d/d", 3.0, None],
    ]
    assert got.loc[1, ["low", "high"]].tolist() == [40.0, 80.0]
    assert got.loc[2, ["low", "high"]].isna().all()


def hidden(ratios: np.ndarray, rule: str = "carried-4", level: float = 50_000.0) -> pd.DataFrame:
    """Trials whose truth is a known multiple of the prediction (made up for this test)."""
    count = len(ratios)
    return pd.DataFrame(
        {
            "repository_id": [f"o{place % 40}/r{place:05d}" for place in range(count)],
            "day": DAY,
            "truth": level * ratios,
            "rule": rule,
            "low": level,
            "high": level,
        }
    )


def calibrate(table: pd.DataFrame, **changes: Any) -> tuple[Calibrated, pd.DataFrame]:
    declared = rules(
        between=reaches(4), carried=reaches(4), factors=[1.0, 1.5, 2.0, 4.0], **changes
    )
    return assume.calibrate(table, declared)


def test_the_narrowest_factor_that_reaches_the_rate_is_kept() -> None:
    generator = np.random.default_rng(1)
    # Uniform in log between a half and two: 1.5 holds for 58 %, 2 for all.
    calibrated, report = calibrate(hidden(2 ** generator.uniform(-1, 1, 2000)))
    assert dict(calibrated.factors) == {"carried-4": 2.0}
    rows = report[report["rule"] == "carried-4"].set_index("factor")
    assert rows["verdict"].to_dict() == {1.0: "widened", 1.5: "widened", 2.0: "kept"}
    assert rows.loc[1.5, "rate"] == pytest.approx(np.log2(1.5), abs=0.06)
    assert rows.loc[2.0, "rate"] == 1.0
    assert rows["trials"].tolist() == [1000] * 3


def test_a_factor_must_hold_for_the_largest_too() -> None:
    # One in twelve stands at three times its prediction: they are most of the largest tenth.
    generator = np.random.default_rng(2)
    ratios = np.where(np.arange(1200) % 12 < 1, 3.0, generator.uniform(0.8, 1.2, 1200))
    calibrated, report = calibrate(hidden(generator.permutation(ratios)))
    first = report[(report["rule"] == "carried-4") & (report["factor"] == 1.5)].iloc[0]
    assert first["rate"] > 0.9 > first["largest_rate"]
    assert calibrated.factors["carried-4"] == 4.0


def test_what_never_holds_is_dropped_and_few_trials_are_no_test() -> None:
    calibrated, report = calibrate(hidden(np.full(400, 9.0)))
    assert calibrated.factors == {}
    last = report[report["rule"] == "carried-4"].iloc[-1]
    assert (last["factor"], last["verdict"]) == (4.0, "dropped")
    calibrated, report = calibrate(hidden(np.ones(70)))
    assert calibrated.factors == {}
    few = report[report["rule"] == "carried-4"]
    assert few["verdict"].tolist() == ["dropped"]
    assert few["trials"].tolist() == [35]
    assert report[report["rule"] == "between-4"]["verdict"].tolist() == ["dropped"]


def test_the_rate_is_that_of_repositories_the_factor_was_not_chosen_on() -> None:
    # Names alternate between the halves: the first half fits at once, the second never.
    calibrated, report = calibrate(hidden(np.where(np.arange(400) % 2 == 0, 1.0, 9.0)))
    order = sorted(hidden(np.ones(400))["repository_id"])
    halves = {name: place % 2 for place, name in enumerate(order)}
    table = hidden(np.ones(400))
    table["truth"] = [50_000.0 if halves[n] == 0 else 450_000.0 for n in table["repository_id"]]
    calibrated, report = calibrate(table)
    assert calibrated.factors == {}
    assert set(report.loc[report["rule"] == "carried-4", "rate"]) == {0.0}


def test_the_cap_must_hold_for_repositories_and_for_sums() -> None:
    declared = rules(caps=[1000, 10_000, 100_000], minimum_groups=12, minimum_trials=40)
    table = hidden(np.ones(400), rule="x", level=900.0).assign(rule=None)
    start = Calibrated(declared, {"carried-4": 2.0}, None)
    calibrated, mean, report = assume.calibrate_cap(table, start)
    assert (calibrated.cap, mean) == (1000, 1000.0)
    assert calibrated.factors == start.factors
    assert report["verdict"].tolist() == ["kept", "kept"]

    # In one of five organisations a giant: nine in ten fit, nine in ten sums do not.
    giant = table["repository_id"].str.endswith(("r00001", "r00006", "r00011", "r00016", "r00021"))
    skewed = table.assign(truth=table["truth"].where(~giant, 90_000.0))
    calibrated, mean, report = assume.calibrate_cap(skewed, start)
    assert calibrated.cap == 10_000
    assert report["verdict"].tolist() == ["widened", "kept", "kept"]
    assert report.loc[0, "rate"] > 0.9 > report.loc[0, "largest_rate"]
    assert mean is not None
    assert skewed["truth"].mean() <= mean <= 10_000

    again = assume.calibrate_cap(skewed.sample(frac=1, random_state=3), start)
    assert again[1] == mean


def test_no_cap_is_better_than_one_that_fails() -> None:
    declared = rules(caps=[1000, 10_000])
    start = Calibrated(declared, {}, None)
    table = hidden(np.ones(400), level=50_000.0).assign(rule=None)
    calibrated, mean, report = assume.calibrate_cap(table, start)
    assert (calibrated.cap, mean) == (None, None)
    assert report["verdict"].tolist() == ["widened", "dropped"]
    for few in (table.iloc[:5], table.iloc[:0]):
        calibrated, mean, report = assume.calibrate_cap(few, start)
        assert (calibrated.cap, mean) == (None, None)
        assert report["verdict"].tolist() == ["dropped"]


# ----------------------------------------------------------------------------- real trials


def test_every_kept_assumption_reached_its_rate(world: World) -> None:
    report = world.calibration
    kept = report[(report["verdict"] == "kept") & report["rule"].str.contains("-")]
    assert len(kept) == len(world.calibrated.factors) == 10
    for row in kept.itertuples():
        error = 2 * np.sqrt(0.9 * 0.1 / row.trials)
        assert row.rate >= 0.9 - error, row.rule
        inside = assume._inside(
            world.trials[world.trials["rule"] == row.rule],
            row.factor,
            world.calibrated.rules.floor,
        )
        assert inside.mean() >= 0.88, row.rule


def test_assumed_intervals_lie_in_the_hard_ones(world: World) -> None:
    table = world.estimate(
        world.population("tracked", date(2026, 2, 28), "official"), date(2026, 2, 28)
    )
    assert (table["lower"] >= table["hard_lower"]).all()
    assert (table["upper"] <= table["hard_upper"]).all()
    assert (table["lower"] <= table["centre"]).all()
    assert (table["centre"] <= table["upper"]).all()
    read = table[table["hard_how"] == "read"]
    assert (read["lower"] == read["upper"]).all()
    assert (read["seen"] == read["centre"]).all()


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(8)))
def test_calibration_does_not_depend_on_row_order(order: list[int]) -> None:
    table = hidden(2 ** np.random.default_rng(4).uniform(-1, 1, 800))
    blocks = [table.iloc[place * 100 : place * 100 + 100] for place in order]
    one, first = calibrate(table)
    two, second = calibrate(pd.concat(blocks, ignore_index=True))
    assert one.factors == two.factors
    pd.testing.assert_frame_equal(first, second)
    assert replace(one, cap=3.0).cap == 3.0
