"""Bursts and dips: what the declared rule names, and what it must leave alone."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
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
from analysis.measure import bounds, outliers
from analysis.measure.bounds import History
from tests.support import worlds

START = date(2025, 6, 1).toordinal()
M = 1_000_000


def rule(**changes: Any) -> outliers.BurstRule:
    return outliers.parse({**raw.declared("outliers"), **changes})


@pytest.fixture(scope="module")
def world(mirror: Path) -> World:
    return worlds.load_world()


def weekly(*values: float, start: int = START, **more: Any) -> History:
    """30-day counters read every seventh day (made up for this test)."""
    return History(
        rolling=tuple((start + 7 * place, int(v)) for place, v in enumerate(values)), **more
    )


CALM = [2 * M] * 8
BURST = [*CALM, 30 * M, 60 * M, 30 * M, *CALM]


def named(histories: dict[str, History], **family: str) -> list[tuple[str, int]]:
    table = outliers.bursts(histories, family, rule())
    return list(zip(table["repository_id"], (table["day"] - START) // 7, strict=True))


def test_a_wrong_rule_is_named() -> None:
    with pytest.raises(InputError, match=r"data/outliers\.toml: ratio"):
        rule(ratio=0.5)


# ------------------------------------------------------------------------ made-up histories


def test_a_burst_that_comes_back_is_named_with_its_level() -> None:
    table = outliers.bursts({"a/b": weekly(*BURST)}, {"a/b": "qwen"}, rule())
    assert ((table["day"] - START) // 7).tolist() == [8, 9, 10]
    assert table["level"].tolist() == [2 * M] * 3
    assert table["ratio"].tolist() == [15, 30, 15]
    assert table["excess"].tolist() == [28 * M, 58 * M, 28 * M]
    assert set(table["kind"]) == {"reading"}
    assert set(table["family"]) == {"qwen"}


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("a launch", [60 * M, 50 * M, *([30 * M] * 16)]),
        ("a launch that fades", [60 * M, 50 * M, *([2 * M] * 16)]),
        ("a lasting rise", [*CALM, *([30 * M] * 12)]),
        ("a lasting fall", [*([30 * M] * 12), *CALM]),
        ("ordinary movement", [*CALM, 6 * M, 7 * M, 6 * M, *CALM]),
        ("too small to matter", [*([1000] * 8), 4 * M, *([1000] * 8)]),
        ("nothing read", []),
    ],
)
def test_what_is_no_burst(what: str, values: list[float]) -> None:
    assert named({"a/b": weekly(*values)}) == [], what


def test_every_family_is_judged_alike() -> None:
    histories = {"a/one": weekly(*BURST), "b/two": weekly(*BURST), "c/none": weekly(*BURST)}
    first = outliers.bursts(histories, {"a/one": "qwen", "b/two": "llama"}, rule())
    second = outliers.bursts(histories, {"a/one": "llama", "b/two": "qwen"}, rule())
    pd.testing.assert_frame_equal(first.drop(columns="family"), second.drop(columns="family"))
    assert first.groupby("repository_id").size().tolist() == [3, 3, 3]


def test_a_surge_of_the_whole_family_is_not_named() -> None:
    names = [f"q/m{place}" for place in range(7)]
    histories = {name: weekly(*BURST) for name in names}
    assert named(histories, **dict.fromkeys(names, "qwen")) == []
    # The same counters without kinship, and one that far outruns its kin, are.
    assert len(named(histories)) == 3 * len(names)
    histories["q/m0"] = weekly(*[40 * v if v > 2 * M else v for v in BURST])
    assert {n for n, _ in named(histories, **dict.fromkeys(names, "qwen"))} == {"q/m0"}


def test_kin_that_were_not_read_or_stood_at_zero_say_nothing() -> None:
    names = [f"q/m{place}" for place in range(7)]
    histories = {name: weekly(*([0] * 8), *BURST[8:]) for name in names}
    histories["q/m0"] = weekly(*BURST)
    assert ("q/m0", 9) in named(histories, **dict.fromkeys(names, "qwen"))


def test_a_list_it_is_missing_from_ends_a_burst() -> None:
    rising = [*CALM, 30 * M, 60 * M]
    assert named({"a/b": weekly(*rising)}) == []
    gone = ((START + 7 * 9 + 40, 3 * M),)
    table = outliers.bursts({"a/b": weekly(*rising, ceilings=gone)}, {}, rule())
    assert ((table["day"] - START) // 7).tolist() == [8, 9]
    assert table["level"].tolist() == [3 * M] * 2
    too_high = ((START + 7 * 9 + 40, 20 * M),)
    assert named({"a/b": weekly(*rising, ceilings=too_high)}) == []


def totals(per_day: list[float], step: int = 5) -> tuple[tuple[int, int, int], ...]:
    running = np.cumsum(per_day)
    return tuple(
        (START + place, START + place, int(running[place]))
        for place in range(0, len(running), step)
    )


def test_all_time_readings_show_bursts_too() -> None:
    daily = [50_000.0] * 100 + [1_500_000.0] * 40 + [50_000.0] * 120
    history = History(all_time=totals(daily))
    derived = dict(outliers.derived_rolling(history))
    assert derived[START + 60] == 30 * 50_000
    assert derived[START + 135] == 30 * 1_500_000
    assert START + 25 not in derived
    table = outliers.bursts({"a/b": history}, {}, rule())
    assert table["day"].between(START + 100, START + 170).all()
    assert len(table) > 5


def test_derived_counters_are_scaled_to_thirty_days() -> None:
    history = History(all_time=((START, START, 0), (START + 28, START + 28, 2800)))
    assert outliers.derived_rolling(history) == ((START + 28, 3000),)
    assert outliers.derived_rolling(History(all_time=((START, START, 5),))) == ()
    # A counter read on the day stands before one derived for it.
    both = History(((START + 28, 2900),), history.all_time)
    assert outliers._points(both) == [(START + 28, 2900.0)]


def test_a_burst_before_the_first_reading_shows_in_the_total() -> None:
    daily = [100_000.0] * 200
    burst = tuple((first, last, value + 90 * M) for first, last, value in totals(daily))
    history = History(all_time=burst, created=START - 150)
    table = outliers.bursts({"a/b": history}, {"a/b": "qwen"}, rule())
    assert table["kind"].tolist() == ["before first reading"]
    assert table.loc[0, "day"] == START
    assert table.loc[0, "level"] == 30 * 100_000
    assert table.loc[0, "excess"] == pytest.approx(90 * M + 100_000 - 150 * 100_000)
    young = History(all_time=burst, created=START - 60)
    assert outliers.bursts({"a/b": young}, {}, rule()).empty
    unknown = History(all_time=burst)
    assert outliers.bursts({"a/b": unknown}, {}, rule()).empty
    steady = History(all_time=totals(daily), created=START - 150)
    assert outliers.bursts({"a/b": steady}, {}, rule()).empty


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([1, 2, 5, 9, 14, 40, 80]), min_size=5, max_size=25),
    st.lists(st.sampled_from([2.0, 3.0, 4.0, 8.0, 16.0]), min_size=2, max_size=2),
)
def test_a_higher_ratio_never_names_more(values: list[int], ratios: list[float]) -> None:
    history = {"a/b": weekly(*[M * value for value in values])}
    low, high = (
        set(outliers.bursts(history, {}, rule(), ratio)["day"]) for ratio in sorted(ratios)
    )
    assert high <= low


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([1, 2, 5, 9, 14, 40, 80]), min_size=5, max_size=25))
def test_names_only_what_stands_above_both_sides(values: list[int]) -> None:
    history = weekly(*[M * value for value in values])
    declared = rule()
    found = set(outliers.bursts({"a/b": history}, {}, declared)["day"])
    for day, value in history.rolling:
        before = [v for d, v in history.rolling if declared.near <= day - d <= declared.far]
        after = [v for d, v in history.rolling if declared.near <= d - day <= declared.far]
        both = bool(before and after)
        level = max(min(before), min(after)) if both else 0
        stands_out = value >= 4 * level and value - level >= declared.minimum_excess
        assert (day in found) == (both and stands_out)


# ------------------------------------------------------------------------ episodes, without


def test_days_of_one_burst_are_one_episode() -> None:
    twice = [*BURST, 40 * M, *CALM]
    table = outliers.bursts({"a/b": weekly(*twice), "c/d": weekly(*BURST)}, {}, rule())
    got = outliers.episodes(table)
    assert got[["repository_id", "days", "peak"]].values.tolist() == [
        ["a/b", 3, 60 * M],
        ["a/b", 1, 40 * M],
        ["c/d", 3, 60 * M],
    ]
    first = date.fromordinal(START + 56)
    assert got.loc[0, "first"] == first.isoformat()
    assert got.loc[0, "last"] == (first + timedelta(days=14)).isoformat()
    assert got.loc[0, "excess"] == 58 * M
    assert outliers.episodes(table.iloc[:0]).empty


def test_without_puts_back_to_level_and_keeps_the_rest() -> None:
    rows = [
        ("a/b", START + 7 * place, 0, measure, int(value), source)
        for place, value in enumerate(BURST)
        for measure, source in (
            ("downloads_30d", "one"),
            ("downloads_30d", "two"),
            ("downloads_all_time", "one"),
        )
    ]
    rows.append(("c/d", START + 56, 0, "downloads_30d", 60 * M, "one"))
    columns = ["repository_id", "day", "spread", "measure", "value", "source"]
    readings = pd.DataFrame(rows, columns=columns)
    found = outliers.bursts({"a/b": weekly(*BURST)}, {}, rule())
    quiet = outliers.without(readings, found)
    pd.testing.assert_frame_equal(quiet.drop(columns="value"), readings.drop(columns="value"))
    changed = quiet["value"] != readings["value"]
    assert changed.sum() == 6
    assert set(readings.loc[changed, "repository_id"]) == {"a/b"}
    assert set(readings.loc[changed, "measure"]) == {"downloads_30d"}
    assert set(quiet.loc[changed, "value"]) == {2 * M}
    pd.testing.assert_frame_equal(outliers.without(readings, found.iloc[:0]), readings)


# -------------------------------------------------------------------------------------- dips


def test_a_dip_is_made_good_and_a_decline_is_none() -> None:
    days = [START + 7 * place for place in range(8)]
    dip = pd.Series([100, 102, 101, 70, 99, 103, 102, 101], index=days)
    got = outliers.dips(dip.sample(frac=1, random_state=1), rule())
    assert got["day"].tolist() == [date.fromordinal(days[3]).isoformat()]
    assert got.loc[0, "neighbours"] == 101
    assert got.loc[0, "fall"] == pytest.approx(1 - 70 / 101)
    assert outliers.dips(pd.Series([100, 100, 100, 70, 70, 70, 70, 70], index=days), rule()).empty
    assert outliers.dips(pd.Series([70, 100], index=days[:2]), rule()).empty


# --------------------------------------------- the published days of misbehaviour, real data


def test_the_published_bursts_are_found_on_their_days(world: World) -> None:
    """Of ``data/reference/counter-anomalies.csv``: the two bursts of single repositories."""
    listed = pd.read_csv(raw.data_dir() / "reference" / "counter-anomalies.csv")
    episodes = outliers.episodes(world.bursts).set_index("repository_id")
    row = listed[listed["what"].str.contains("Qwen3-VL-2B")].iloc[0]
    found = episodes.loc[["Qwen/Qwen3-VL-2B-Instruct"]]
    spring = found[found["first"] >= row["from"]]
    assert len(spring) == 1
    assert spring["last"].iloc[0] <= row["to"]
    assert spring["peak"].iloc[0] == pytest.approx(187 * M, rel=0.01)
    row = listed[listed["what"].str.contains(r"Qwen2\.5-1\.5B")].iloc[0]
    before = episodes.loc["Qwen/Qwen2.5-1.5B-Instruct"]
    assert (before["kind"], before["first"]) == ("before first reading", "2025-02-26")
    assert before["excess"] > 80 * M
    assert row["to"] < before["first"]


def test_the_dip_of_june_2026_is_found_and_nothing_else(world: World) -> None:
    totals: dict[str, dict[int, int]] = {}
    for entry in world.inputs.heads:
        kind = entry.version.split("-", 1)[0]
        amount = int(entry.frame["downloads_30d"].sum())
        totals.setdefault(kind, {})[entry.day.toordinal()] = amount
    found = {kind: outliers.dips(pd.Series(series), rule()) for kind, series in totals.items()}
    assert found["top30"]["day"].tolist() == ["2026-06-13"]
    assert found["top25"]["day"].tolist() == ["2026-06-17"]
    assert found["top30"]["fall"].iloc[0] == pytest.approx(0.325, abs=0.001)


def test_the_correction_of_may_2025_is_a_fall_and_no_burst(world: World) -> None:
    fallen = {
        name
        for name, history in world.histories["in"].items()
        if any(
            date(2025, 5, 13) <= date.fromordinal(day) <= date(2025, 5, 28)
            for day in bounds.falls(history.all_time)
        )
    }
    assert len(fallen) == 33
    days = world.bursts.loc[world.bursts["kind"] == "reading", "day"]
    assert (days > date(2025, 6, 30).toordinal()).all()


@pytest.mark.slow
def test_a_higher_ratio_never_names_more_of_the_real_days(world: World) -> None:
    declared = world.inputs.bursts
    sets = []
    for ratio in sorted(declared.sensitivity):
        table = outliers.bursts(
            world.histories["in"], world.family["with-reuploads"], declared, ratio
        )
        sets.append(set(zip(table["repository_id"], table["day"], table["kind"], strict=True)))
    for low, high in pairwise(sets):
        assert high <= low
    assert 0 < len(sets[-1]) < len(sets[0])
