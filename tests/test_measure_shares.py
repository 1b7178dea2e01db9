"""Shares of partly observed populations: sharp, additive, and the same as a naive sum."""

from __future__ import annotations

import itertools
import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis import raw
from analysis.claims.world import QWEN, World
from analysis.errors import InputError
from analysis.measure import assume, shares
from analysis.measure.assume import Calibrated
from analysis.measure.bounds import History, Interval
from analysis.measure.shares import Pooling, Total
from tests.support import worlds

DAY = date(2026, 2, 28)
NUMBER = DAY.toordinal()
INF = float("inf")


@pytest.fixture(scope="module")
def world(mirror: Path) -> World:
    return worlds.load_world()


# ----------------------------------------------------------------------- fraction and ratio


@st.composite
def boxes(draw: st.DrawFn) -> Total:
    lower = draw(st.integers(0, 5))
    upper = lower + draw(st.integers(0, 5))
    return Total(float(draw(st.integers(lower, upper))), float(lower), float(upper))


def corners(part: Total, rest: Total) -> list[tuple[float, float]]:
    return list(itertools.product((part.lower, part.upper), (rest.lower, rest.upper)))


@given(part=boxes(), rest=boxes())
@example(part=Total(0, 0, 0), rest=Total(0, 0, 4))
@example(part=Total(0, 0, 4), rest=Total(0, 0, 0))
def test_fraction_is_what_the_corners_give(part: Total, rest: Total) -> None:
    value, lower, upper = shares.fraction(part, rest)
    known = [a / (a + b) for a, b in corners(part, rest) if a + b > 0]
    if not known:
        assert math.isnan(value)
        assert (lower, upper) == (0.0, 1.0)
        return
    assert (lower, upper) == (min(known), max(known))
    if part.value + rest.value > 0:
        assert lower <= value <= upper


@given(part=boxes(), rest=boxes())
@example(part=Total(0, 0, 0), rest=Total(0, 0, 4))
@example(part=Total(0, 0, 4), rest=Total(0, 0, 0))
def test_ratio_is_what_the_corners_give(part: Total, rest: Total) -> None:
    _, lower, upper = shares.ratio(part, rest)
    known = [a / b if b else INF for a, b in corners(part, rest) if a + b > 0]
    if not known:
        assert math.isnan(lower)
        assert math.isnan(upper)
        return
    assert (lower, upper) == (min(known), max(known))


@settings(max_examples=50)
@given(part=boxes(), rest=boxes(), inside=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_no_admissible_pair_lies_outside(
    part: Total, rest: Total, inside: tuple[float, float]
) -> None:
    a = part.lower + inside[0] * (part.upper - part.lower)
    b = rest.lower + inside[1] * (rest.upper - rest.lower)
    if a + b > 0:
        _, lower, upper = shares.fraction(part, rest)
        assert lower - 1e-12 <= a / (a + b) <= upper + 1e-12
    if b > 0:
        _, lower, upper = shares.ratio(part, rest)
        assert lower - 1e-12 <= a / b <= upper + 1e-12


def test_what_has_no_upper_bound() -> None:
    open_part, open_rest = Total(2, 1, INF), Total(6, 3, INF)
    assert shares.fraction(open_part, Total(6, 3, 9)) == (0.25, 0.1, 1.0)
    assert shares.fraction(Total(2, 1, 3), open_rest) == (0.25, 0.0, 0.5)
    assert shares.fraction(open_part, open_rest) == (0.25, 0.0, 1.0)
    assert shares.ratio(open_part, Total(4, 2, 8)) == (0.5, 0.125, INF)
    assert shares.ratio(Total(2, 1, 4), Total(4, 2, INF)) == (0.5, 0.0, 2.0)
    assert math.isnan(shares.fraction(Total(INF, 0, INF), Total(INF, 0, INF))[0])


# --------------------------------------------------------------------------------- estimate


def rules() -> assume.Assumptions:
    return assume.parse(raw.declared("assumptions"))


def calibrated(cap: float | None = 500.0) -> Calibrated:
    return Calibrated(rules(), {"between-4": 2.0, "carried-10": 3.0}, cap)


def test_each_repository_says_how_it_is_known() -> None:
    histories = {
        "a/read": History(rolling=((NUMBER, 7000),)),
        "b/between": History(rolling=((NUMBER - 2, 8000), (NUMBER + 3, 2000))),
        "c/carried": History(rolling=((NUMBER + 9, 9000),)),
        "d/young": History(rolling=((NUMBER + 9, 9000),), created=NUMBER + 1),
        "e/listed": History(ceilings=((NUMBER, 300),)),
    }
    names = [*histories, "f/unknown", "a/read"]
    got = shares.estimate(names, DAY, histories, calibrated(), within=4)
    assert got.index.tolist() == [*histories, "f/unknown"]
    assert got["rule"].tolist() == [
        "read",
        "between-4",
        "carried-10",
        "not created",
        "capped",
        "capped",
    ]
    assert got["seen"].where(got["seen"].notna(), None).tolist()[:2] == [7000, 8000]
    assert got["seen"].isna().tolist() == [False, False, True, True, True, True]
    assert got.loc["b/between", ["lower", "upper", "centre"]].tolist() == [1000, 10000, 4000]
    assert got.loc["c/carried", ["lower", "upper", "centre"]].tolist() == [3000, 27000, 9000]
    assert got.loc["d/young", ["lower", "upper", "centre"]].tolist() == [0, 0, 0]
    assert got.loc["e/listed", ["lower", "upper"]].tolist() == [0, 300]
    assert got.loc["f/unknown", ["lower", "upper", "hard_upper"]].tolist() == [0, 500, INF]


def test_without_a_cap_the_unread_are_unknown() -> None:
    got = shares.estimate(["a/b"], DAY, {}, calibrated(None))
    assert got.loc["a/b", ["upper", "rule"]].tolist() == [INF, "none"]


def test_hard_bounds_that_refute_an_assumption_win_and_say_so() -> None:
    histories = {"a/b": History()}
    firm = {"a/b": Interval(900.0, 1200.0, "bounded")}
    got = shares.estimate(["a/b"], DAY, histories, calibrated(), hard=firm).loc["a/b"]
    assert (got["lower"], got["upper"], got["rule"], got["centre"]) == (900, 1200, "bounded", 900)


def test_no_assumption_is_made_for_all_time_counters() -> None:
    histories = {"a/b": History(all_time=((NUMBER - 5, NUMBER - 5, 40), (NUMBER + 5,) * 2 + (90,)))}
    got = shares.estimate(["a/b"], DAY, histories, calibrated(), "downloads_all_time").loc["a/b"]
    assert (got["lower"], got["upper"], got["rule"]) == (40, 90, "bounded")
    assert np.isnan(got["seen"])


# ----------------------------------------------------------------------------------- totals

KINDS = ("read", "between-4", "carried-10", "capped", "bounded")


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = []
    for place in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(KINDS))
        hard_lower = draw(st.integers(0, 10**5))
        lower = hard_lower + draw(st.integers(0, 10**5))
        centre = lower + draw(st.integers(0, 10**5))
        upper = centre + draw(st.integers(0, 10**5))
        hard_upper = draw(st.sampled_from([upper, upper + 10**5, INF]))
        seen: float = draw(st.sampled_from([float("nan"), float(centre)]))
        if kind == "read":
            hard_lower = lower = upper = centre
            hard_upper = seen = float(centre)
        rows.append((f"o/r{place:03d}", seen, hard_lower, hard_upper, lower, upper, kind, centre))
    columns = ["repository_id", "seen", "hard_lower", "hard_upper", "lower", "upper", "rule"]
    return pd.DataFrame(rows, columns=[*columns, "centre"]).set_index("repository_id")


POOLING = Pooling({"between-4": 1.2, "carried-10": 2.0}, 20_000.0, 5)


def naive(rows: pd.DataFrame, treatment: str, pooling: Pooling) -> tuple[float, float, float]:
    """Write the definitions out, row by row (shares no code with the module)."""
    records = rows.to_dict("records")
    seen = sum(r["seen"] for r in records if r["seen"] == r["seen"])
    if treatment == "absent":
        return seen, seen, seen
    if treatment == "hard":
        low, high = (sum(r[f"hard_{end}"] for r in records) for end in ("lower", "upper"))
        return min(max(seen, low), high), low, high
    value = lower = upper = 0.0
    for kind in sorted({r["rule"] for r in records}):
        own = [r for r in records if r["rule"] == kind]
        centre, low, high = (sum(r[c] for r in own) for c in ("centre", "lower", "upper"))
        factor = pooling.factors.get(kind)
        if treatment == "pooled" and factor and len(own) >= 3 and centre >= 100_000:
            low, high = max(low, centre / factor), min(high, centre * factor)
        crowd = kind == "capped" and pooling.unread_mean and len(own) >= pooling.large_set
        if treatment == "pooled" and crowd:
            high = max(low, min(high, len(own) * (pooling.unread_mean or 0)))
        value, lower, upper = value + centre, lower + low, upper + high
    return min(max(value, lower), upper), lower, upper


@settings(max_examples=40, deadline=None)
@given(table=tables(), seed=st.integers(0, 9))
def test_totals_are_what_the_definitions_say(table: pd.DataFrame, seed: int) -> None:
    labels = np.random.default_rng(seed).choice(["x", "y", "z"], size=len(table))
    for treatment in shares.TREATMENTS:
        got = shares.totals(table, labels, treatment, POOLING)
        assert got.index.tolist() == sorted(set(labels))
        for label in got.index:
            want = naive(table[labels == label], treatment, POOLING)
            assert got.loc[label].tolist() == pytest.approx(want), (treatment, label)
        whole = shares.total(table, treatment, POOLING)
        want = naive(table, treatment, POOLING)
        assert (whole.value, whole.lower, whole.upper) == pytest.approx(want)
        assert whole.lower <= whole.value <= whole.upper


@settings(max_examples=40, deadline=None)
@given(table=tables())
def test_each_treatment_lies_inside_the_wider_one(table: pd.DataFrame) -> None:
    hard, each, pooled = (shares.total(table, name, POOLING) for name in ("hard", "each", "pooled"))
    assert hard.lower <= each.lower <= pooled.lower * (1 + 1e-12)
    assert pooled.upper <= each.upper * (1 + 1e-12)
    assert each.upper <= hard.upper
    without = shares.total(table, "pooled")
    assert (without.lower, without.upper) == pytest.approx((each.lower, each.upper))


@settings(max_examples=40, deadline=None)
@given(table=tables(), cut=st.integers(0, 25))
def test_parts_add_up(table: pd.DataFrame, cut: int) -> None:
    for treatment in ("absent", "hard", "each"):
        one, two = (shares.total(part, treatment) for part in (table.iloc[:cut], table.iloc[cut:]))
        both, whole = one + two, shares.total(table, treatment)
        assert (both.lower, both.upper) == pytest.approx((whole.lower, whole.upper))
    family = {name: "ours" if place < cut else None for place, name in enumerate(table.index)}
    ours = shares.share(table, family, "ours", "each")
    theirs = shares.share(table, {n: "x" for n, f in family.items() if f is None}, "x", "each")
    if ours.value == ours.value:
        assert ours.value + theirs.value == pytest.approx(1)
    if ours.part.upper + ours.rest.upper > 0:
        assert ours.lower == pytest.approx(1 - theirs.upper)
        assert ours.upper == pytest.approx(1 - theirs.lower)
    assert (ours.covered, ours.population) == (int(table["seen"].notna().sum()), len(table))


def test_a_pooled_factor_needs_a_sum_like_those_it_was_tested_on() -> None:
    row = {"seen": np.nan, "hard_lower": 0.0, "hard_upper": INF, "rule": "between-4"}
    big = pd.DataFrame([row | {"lower": 2e4, "upper": 8e5, "centre": 4e4}] * 3)
    assert shares.total(big, "pooled", POOLING).upper == pytest.approx(3 * 4e4 * 1.2)
    assert shares.total(big.iloc[:2], "pooled", POOLING).upper == 2 * 8e5
    small = big.assign(centre=3e4)
    assert shares.total(small, "pooled", POOLING).upper == 3 * 8e5


def test_empty_tables_and_unknown_treatments() -> None:
    empty = shares.estimate([], DAY, {}, calibrated())
    assert shares.total(empty, "each") == Total(0, 0, 0)
    assert shares.totals(empty, [], "each").empty
    one = shares.estimate(["a/b"], DAY, {}, calibrated())
    with pytest.raises(InputError, match="absent, hard, each, pooled"):
        shares.total(one, "worst")


# ----------------------------------------------------------------------- sums and rehearsal


def groups(ratio: float, count: int, size: int = 4, rule: str = "between-4") -> pd.DataFrame:
    """Hidden readings of `count` organisations whose sums are `ratio` times the prediction."""
    return pd.DataFrame(
        {
            "repository_id": [f"o{n // size}/r{n}" for n in range(count * size)],
            "day": NUMBER,
            "truth": 50_000.0 * ratio,
            "rule": rule,
            "low": 50_000.0,
            "high": 50_000.0,
        }
    )


def test_the_factor_of_sums_is_the_narrowest_that_holds() -> None:
    found, report = shares.calibrate_sums(groups(1.4, 20), calibrated(), 12)
    assert found == {"between-4": 1.5}
    kept = report.set_index("rule").loc["between-4"]
    assert (kept["groups"], kept["rate"], kept["verdict"]) == (20, 1.0, "kept")
    # One group in eleven far off: still nine in ten. One in nine: no longer.
    for good, expected in ((10, 1.5), (8, 10.0)):
        mixed = pd.concat([groups(1.4, good), groups(7.0, 1).assign(day=NUMBER + 1)])
        assert shares.calibrate_sums(mixed, calibrated(), 5)[0]["between-4"] == expected


def test_groups_are_chosen_by_what_is_predicted() -> None:
    # Predicted to be large, and turned out to be nothing: this miss counts.
    missed = pd.concat([groups(1.0, 10), groups(0.001, 10).assign(day=NUMBER + 1)])
    found, report = shares.calibrate_sums(missed, calibrated(), 12)
    assert found == {}
    assert report["verdict"].tolist() == ["dropped", "dropped: too few groups"]
    small = groups(1.0, 20).assign(low=9000.0, high=9000.0, truth=10**6)
    assert shares.calibrate_sums(small, calibrated(), 12)[1]["groups"].tolist() == [0, 0]
    assert shares.calibrate_sums(groups(1.0, 20, size=2), calibrated(), 12)[0] == {}


def test_a_class_with_few_groups_takes_the_longer_reach() -> None:
    both = Calibrated(rules(), {"between-4": 1.1, "between-10": 1.1}, None)
    few = pd.concat([groups(1.4, 20, rule="between-10"), groups(1.0, 3)])
    found, report = shares.calibrate_sums(few, both, 12)
    assert found == {"between-10": 1.5, "between-4": 1.5}
    assert report.set_index("rule").loc["between-4", "verdict"].startswith("too few groups")


def test_nothing_to_calibrate_is_an_empty_report() -> None:
    found, report = shares.calibrate_sums(groups(1.0, 3), Calibrated(rules(), {}, None), 12)
    assert found == {}
    assert report.empty


def test_a_rehearsal_hides_compares_and_repeats_itself() -> None:
    names = [f"o/r{n:02d}" for n in range(20)]
    values = np.linspace(20_000, 400_000, 20).round()
    histories = {
        n: History(rolling=((NUMBER, int(v)),)) for n, v in zip(names, values, strict=True)
    }
    near = {n: History(rolling=((NUMBER - 9, int(v)),)) for n, v in zip(names, values, strict=True)}
    truth = shares.estimate(names, DAY, histories, calibrated())
    predicted = shares.estimate(names, DAY, near, calibrated())
    family = {n: "ours" if place % 2 else "theirs" for place, n in enumerate(names)}
    arguments = (truth, predicted, family, "ours", 0.5, 8, Pooling({"carried-10": 1.1}, None, 5))
    got = shares.rehearse(*arguments)
    pd.testing.assert_frame_equal(got, shares.rehearse(*arguments))
    assert got[["mode", "treatment"]].values.tolist() == [
        ["largest", "each"],
        ["largest", "pooled"],
        ["random", "each"],
        ["random", "pooled"],
    ]
    assert got["draws"].tolist() == [1, 1, 8, 8]
    assert (got["inside"] == 1).all()
    width = got.set_index(["mode", "treatment"])["median_width"]
    assert width["random", "pooled"] < width["random", "each"] < width["largest", "each"]
    # Predictions ten times too high: the truth lies outside, and the rehearsal says so.
    family = {n: "ours" if n == names[-1] else "theirs" for n in names}
    wrong = {
        n: History(rolling=((NUMBER - 9, int(v) * 10),)) for n, v in zip(names, values, strict=True)
    }
    off = shares.estimate(names, DAY, wrong, calibrated())
    missed = shares.rehearse(truth, off, family, "ours", 0.05, 4, POOLING).set_index("mode")
    assert (missed.loc["largest", "inside"] == 0).all()


# -------------------------------------------------------------------------------- real data


def test_the_real_share_of_february_narrows_with_each_assumption(world: World) -> None:
    got = {t: world.share("tracked", DAY, "official", "in", t) for t in shares.TREATMENTS}
    for wide, narrow in (("hard", "each"), ("each", "pooled")):
        assert got[wide].lower <= got[narrow].lower <= got[narrow].upper <= got[wide].upper
    assert got["pooled"].lower <= got["pooled"].value <= got["pooled"].upper
    assert len({share.covered for share in got.values()}) == 1
    assert 0 < got["absent"].covered < got["absent"].population
    assert got["absent"].lower == got["absent"].upper == got["absent"].value


def test_naive_sums_agree_on_the_real_table(world: World) -> None:
    table = world.estimate(world.population("tracked", DAY, "official"), DAY)
    own = np.array([world.family["official"].get(name) == QWEN for name in table.index])
    for treatment in shares.TREATMENTS:
        got = shares.total(table[own], treatment, world.pooling)
        want = naive(table[own], treatment, world.pooling)
        assert (got.value, got.lower, got.upper) == pytest.approx(want)
