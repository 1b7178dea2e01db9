"""Readings: one row a repository, day, measure and source; nothing averaged."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from analysis.claims.world import World
from analysis.measure import readings
from tests.support import worlds

DAY = date(2026, 2, 28)


@pytest.fixture(scope="module")
def world(mirror: Path) -> World:
    return worlds.load_world()


def table(*rows: tuple[str, int, str, int, str], spread: int = 0) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["repository_id", "gap", "measure", "value", "source"])
    return frame.assign(day=DAY.toordinal() + frame.pop("gap"), spread=spread)


def test_counters_are_stacked_with_their_day_and_source() -> None:
    frames = {
        "late": pd.DataFrame(
            {
                "repository_id": ["a/b", "a/b", "c/d"],
                "downloads_30d": pd.array([5, 5, None], dtype="Int64"),
                "downloads_all_time": pd.array([50, 50, 70], dtype="Int64"),
            }
        ),
        "early": pd.DataFrame({"repository_id": ["a/b"], "downloads_30d": [4], "likes": [1]}),
    }
    got = readings.assemble(frames, {"late": DAY, "early": date(2026, 2, 1)})
    assert tuple(got.columns) == readings.COLUMNS
    assert got.values.tolist() == [
        ["a/b", date(2026, 2, 1).toordinal(), 0, "downloads_30d", 4, "early"],
        ["a/b", DAY.toordinal(), 0, "downloads_30d", 5, "late"],
        ["a/b", DAY.toordinal(), 0, "downloads_all_time", 50, "late"],
        ["c/d", DAY.toordinal(), 0, "downloads_all_time", 70, "late"],
    ]


def test_repeats_are_no_observations_and_rows_carry_their_own_day_and_spread() -> None:
    panel = pd.DataFrame(
        {
            "repository_id": ["a/b", "a/b", "a/b"],
            "day": pd.to_datetime(["2025-06-04", "2025-06-11", "2026-01-08"]),
            "downloads_all_time": [10, 10, 30],
            "repeated_from": [None, "2025-06-04", None],
            "spread": [6, 6, 0],
        }
    )
    got = readings.assemble({"panel": panel}, {})
    assert got["day"].tolist() == [date(2025, 6, 4).toordinal(), date(2026, 1, 8).toordinal()]
    assert got["spread"].tolist() == [6, 0]


def test_the_order_of_the_sources_does_not_matter() -> None:
    one = pd.DataFrame({"repository_id": ["a/b", "c/d"], "downloads_30d": [5, 6]})
    two = pd.DataFrame({"repository_id": ["c/d", "a/b"], "downloads_30d": [6, 4]})
    days = {"one": DAY, "two": DAY}
    pd.testing.assert_frame_equal(
        readings.assemble({"one": one, "two": two}, days),
        readings.assemble({"two": two.iloc[::-1], "one": one.iloc[::-1]}, days),
    )


def test_nothing_read_is_an_empty_table() -> None:
    nulls = pd.DataFrame(
        {"repository_id": ["a/b"], "downloads_30d": pd.array([None], dtype="Int64")}
    )
    got = readings.assemble({"one": nulls}, {"one": DAY})
    pd.testing.assert_frame_equal(got, readings.empty())
    assert tuple(got.columns) == readings.COLUMNS
    assert readings.agreement(got).empty


def test_on_day_takes_the_nearest_then_the_largest() -> None:
    rows = table(
        ("a/b", 0, "downloads_30d", 5, "one"),
        ("a/b", 0, "downloads_30d", 6, "two"),
        ("a/b", 1, "downloads_30d", 9, "one"),
        ("c/d", -2, "downloads_30d", 7, "one"),
        ("c/d", 2, "downloads_30d", 8, "one"),
        ("e/f", 3, "downloads_30d", 1, "one"),
        ("g/h", 0, "downloads_all_time", 99, "one"),
    )
    assert readings.on_day(rows, DAY).to_dict() == {"a/b": 6}
    assert readings.on_day(rows, DAY, within=2).to_dict() == {"a/b": 6, "c/d": 8}
    assert readings.on_day(rows, DAY, "downloads_all_time").to_dict() == {"g/h": 99}


def test_a_reading_of_unknown_day_is_of_no_day() -> None:
    rows = table(("a/b", 0, "downloads_all_time", 5, "panel"), spread=6)
    assert readings.on_day(rows, DAY, "downloads_all_time", within=9).empty


def test_agreement_counts_pairs_of_sources_once() -> None:
    rows = table(
        ("a/b", 0, "downloads_30d", 100, "one"),
        ("a/b", 0, "downloads_30d", 90, "one"),
        ("a/b", 0, "downloads_30d", 100, "two"),
        ("c/d", 0, "downloads_30d", 50, "one"),
        ("c/d", 0, "downloads_30d", 40, "two"),
        ("c/d", 1, "downloads_30d", 40, "three"),
        ("e/f", 0, "downloads_30d", 40, "two"),
    )
    got = readings.agreement(rows)
    assert got.values.tolist() == [["2026-02-28", "one", "two", 2, 1, 0.125]]
    assert readings.agreement(rows[rows["source"] == "one"]).empty


def test_two_real_sources_of_one_day_agree_entirely(world: World) -> None:
    got = readings.agreement(world.readings).set_index(["first", "second"])
    pair = got.loc[("top25-2026-02-28", "top30-2026-02-28")]
    assert (pair["day"], pair["common"], pair["equal"]) == ("2026-02-28", 26, 26)
    assert (got["equal"] <= got["common"]).all()


def test_repeated_days_of_the_real_panel_are_left_out(world: World) -> None:
    panel = world.readings[world.readings["source"] == "panel-2025"]
    outage = range(date(2025, 6, 5).toordinal(), date(2025, 7, 3).toordinal())
    assert not panel["day"].isin(outage).any()
    assert set(panel.loc[panel["day"] <= date(2026, 1, 7).toordinal(), "spread"]) == {6}
