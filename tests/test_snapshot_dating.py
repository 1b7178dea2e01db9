"""Dating by counters: real readings on real files, doubtful ones on synthetic frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis import raw
from analysis.errors import InputError
from analysis.snapshot import read
from analysis.snapshot.dating import date_by_counters, established

Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def heads(raw_path: Callable[[str], Path]) -> Frames:
    """The top 30 by downloads of each day."""
    found = {}
    for _source, version in raw.load_registry().by_kind("hub-top30"):
        frame = read(raw_path(version.name), "hub-top30").frame
        found[version.as_of] = frame[frame["list"] == "downloads"]
    return found


@pytest.fixture(scope="module")
def every_list(raw_path: Callable[[str], Path]) -> Frames:
    """All lists of the top-25 and top-30 files of each day."""
    found: Frames = {}
    for kind in ("hub-top25", "hub-top30"):
        for _source, version in raw.load_registry().by_kind(kind):
            frame = read(raw_path(version.name), kind).frame
            before = found.get(version.as_of)
            found[version.as_of] = frame if before is None else pd.concat([before, frame])
    return found


def frame(*counters: int | None) -> pd.DataFrame:
    """A synthetic reading."""
    return pd.DataFrame(
        {
            "repository_id": [f"a/{place}" for place in range(len(counters))],
            "downloads_30d": pd.Series(counters, dtype="Int64"),
        }
    )


def test_the_hub_stats_cut_is_of_2026_05_23(
    heads: Frames, every_list: Frames, raw_path: Callable[[str], Path]
) -> None:
    cut = read(raw_path("hub-stats-2026-05"), "hub-snapshot").frame
    table = date_by_counters(cut, heads).set_index("day")
    assert established(table.reset_index()) == "2026-05-23"
    day = table.loc["2026-05-23"]
    assert (day["common"], day["equal"], day["median_relative_difference"]) == (8, 8, 0)
    others = table.drop(index="2026-05-23")
    assert others["equal"].sum() == 0
    # The nearest other days are some 6 % off in the median: no doubt between neighbours.
    assert others["median_relative_difference"].min() > 0.02
    wider = date_by_counters(cut, every_list).set_index("day")
    assert (wider.loc["2026-05-23", "common"], wider.loc["2026-05-23", "equal"]) == (14, 14)
    assert wider["equal"].sum() == 14
    # The newest change in the cut is three days older; no row contradicts the day.
    assert cut["last_modified"].max() < pd.Timestamp("2026-05-24", tz="UTC")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("llmfit-2026-03-04", "2026-03-04"),
        ("llmfit-2026-04-01", "2026-04-01"),
        ("llmfit-2026-04-22", "2026-04-22"),
        # Committed on the 10th with the counters of the evening before.
        ("llmfit-2026-05-10", "2026-05-09"),
    ],
)
def test_days_of_the_catalogue(
    name: str, day: str, every_list: Frames, raw_path: Callable[[str], Path]
) -> None:
    found = date_by_counters(read(raw_path(name), "hub-snapshot").frame, every_list)
    assert established(found) == day


def test_a_reading_between_two_refreshes_is_only_partly_equal(
    every_list: Frames, raw_path: Callable[[str], Path]
) -> None:
    """On Wednesday 2026-04-29 young repositories stood still, older ones moved between readings."""
    catalogue = read(raw_path("llmfit-2026-04-29"), "hub-snapshot").frame
    table = date_by_counters(catalogue, every_list).set_index("day")
    day = table.loc["2026-04-29"]
    assert (day["common"], day["equal"], day["verdict"]) == (23, 15, "partly")
    assert established(table.reset_index()) is None


def test_fewer_than_five_equal_counters_prove_no_day(
    every_list: Frames, raw_path: Callable[[str], Path]
) -> None:
    catalogue = read(raw_path("llmfit-2026-03-21"), "hub-snapshot").frame
    table = date_by_counters(catalogue, every_list)
    assert established(table) is None
    assert table.loc[table["day"] == "2026-03-21", "verdict"].item() == "too few"


def test_no_match_and_nothing_common_say_so() -> None:
    undated = frame(*range(2_000, 2_010))
    table = date_by_counters(
        undated, {"2026-01-02": frame(*range(3_000, 3_010)), "2026-01-01": frame(5, None)}
    )
    assert table["day"].tolist() == ["2026-01-01", "2026-01-02"]
    assert table["verdict"].tolist() == ["nothing common", "differs"]
    assert pd.isna(table["share"].iloc[0])
    assert established(table) is None
    assert established(date_by_counters(undated, {})) is None


def test_two_equal_days_are_ambiguous() -> None:
    undated = frame(*range(2_000, 2_010))
    table = date_by_counters(undated, {"2026-01-01": undated, "2026-01-02": undated})
    assert table["verdict"].tolist() == ["ambiguous", "ambiguous"]
    assert established(table) is None


def test_small_counters_are_no_evidence() -> None:
    table = date_by_counters(frame(*range(10)), {"2026-01-01": frame(*range(10))})
    assert table["verdict"].tolist() == ["nothing common"]


def test_missing_columns() -> None:
    with pytest.raises(InputError, match="undated reading has no column 'downloads_30d'"):
        date_by_counters(frame(1).drop(columns="downloads_30d"), {})
    with pytest.raises(InputError, match="reading of 2026-01-01 has no column 'repository_id'"):
        date_by_counters(frame(1), {"2026-01-01": frame(1).drop(columns="repository_id")})
