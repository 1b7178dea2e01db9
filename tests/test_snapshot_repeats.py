"""Repeated counters: on the real files, and on small synthetic frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw
from analysis.errors import InputError
from analysis.snapshot import read
from analysis.snapshot.repeats import FLOOR, by_day, repeats


@pytest.fixture(scope="module")
def panel(raw_path: Callable[[str], Path]) -> pd.DataFrame:
    asked = ["day", "repository_id", "downloads_all_time"]
    return read(raw_path("panel-2025"), "hub-panel", columns=asked).frame


def frame(**counters: int | None) -> pd.DataFrame:
    """A synthetic reading."""
    return pd.DataFrame(
        {
            "repository_id": pd.Series([f"a/{name}" for name in counters], dtype="string"),
            "downloads_30d": pd.Series(list(counters.values()), dtype="Int64"),
        }
    )


def test_the_catalogue_has_no_partial_refresh(raw_path: Callable[[str], Path]) -> None:
    """The notes on this source speak of repeats; in the ten registered versions there is one row.

    Every counter is compared with every earlier version, and of 5,605 comparable ones a single
    one is equal, which is chance.
    """
    versions = [
        version.name
        for source, version in raw.load_registry().by_kind("hub-snapshot")
        if version.name.startswith("llmfit-")
    ]
    found = repeats({name: read(raw_path(name), "hub-snapshot").frame for name in versions})
    assert found.versions["verdict"].tolist() == ["first"] + ["new"] * 9
    assert found.versions["equal"].sum() == 1
    assert found.versions["common"].sum() == 5_605
    row = found.rows.iloc[0]
    assert row["repository_id"] == "hirundo-io/llama-3.1-8b-bias-reduced"
    assert (row["version"], row["repeated_from"]) == ("llmfit-2026-04-01", "llmfit-2026-03-21")


def test_the_panel_repeats_june_2025_and_two_days_of_january_2026(panel: pd.DataFrame) -> None:
    found = repeats(by_day(panel), counter="downloads_all_time")
    versions = found.versions.set_index("version")
    repeated = versions[versions["verdict"] == "repeat"]
    # The days of counter-anomalies.csv (2025-06-04 to 07-02), and two that it does not list.
    assert repeated["origin"].to_dict() == {
        "2025-06-04": "2025-05-28",
        "2025-06-11": "2025-05-28",
        "2025-06-18": "2025-05-28",
        "2025-06-25": "2025-05-28",
        "2025-07-02": "2025-05-28",
        "2026-01-28": "2026-01-27",
        "2026-01-31": "2026-01-30",
    }
    assert (repeated["share"] == 1).all()
    new = versions[versions["verdict"] == "new"]
    assert new["share"].max() < 0.05
    rows = found.rows[found.rows["verdict"] == "repeat"]
    assert len(rows) == 401 + 399 + 392 + 390 + 389 + 124 + 124


def test_a_partial_refresh_is_told_from_a_new_reading() -> None:
    old = frame(**{f"m{place}": 2_000 + place for place in range(20)})
    half = old.assign(
        downloads_30d=[
            counter if place % 2 else counter + 7 for place, counter in enumerate(old.downloads_30d)
        ]
    )
    found = repeats({"old": old, "half": half})
    assert found.versions["verdict"].tolist() == ["first", "partial refresh"]
    assert found.versions["equal"].tolist() == [0, 10]
    assert found.rows["repeated_from"].unique().tolist() == ["old"]


def test_small_and_missing_counters_say_nothing() -> None:
    found = repeats({"a": frame(x=FLOOR, y=None, z=0), "b": frame(x=FLOOR, y=None, z=0)})
    assert found.versions["common"].tolist() == [0, 0]
    assert found.versions["verdict"].tolist() == ["first", "too few to tell"]
    assert found.rows.empty


def test_a_repeat_names_the_first_version_with_that_counter() -> None:
    found = repeats({"a": frame(x=5_000), "b": frame(x=5_000), "c": frame(x=5_000)})
    assert found.rows["repeated_from"].tolist() == ["a", "a"]
    assert found.versions["origin"].tolist()[1:] == ["a", "a"]


def test_nothing_and_wrong_frames() -> None:
    none = repeats({})
    assert none.versions.empty
    assert none.rows.empty
    assert list(none.rows.columns) == list(repeats({"a": frame(x=1)}).rows.columns)
    with pytest.raises(InputError, match="'b' has no column 'downloads_30d'"):
        repeats({"b": frame(x=1).drop(columns="downloads_30d")})
    with pytest.raises(InputError, match="two rows for one repository"):
        repeats({"b": pd.concat([frame(x=1), frame(x=2)])})
    with pytest.raises(InputError, match="no column 'day'"):
        by_day(frame(x=1))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(990, 1_010)), max_size=5))
def test_every_repeat_is_equal_to_its_origin(readings: list[dict[str, int]]) -> None:
    frames = {str(place): frame(**reading) for place, reading in enumerate(readings)}
    found = repeats(frames)
    for row in found.rows.itertuples():
        name = str(row.repository_id).removeprefix("a/")
        assert int(str(row.repeated_from)) < int(str(row.version))
        assert readings[int(str(row.repeated_from))][name] == row.counter
        assert readings[int(str(row.version))][name] == row.counter
    versions = found.versions
    assert (versions["equal"] <= versions["common"]).all()
    assert versions["equal"].sum() == len(found.rows)


def test_the_stall_of_2026_02_11_is_a_partial_refresh(raw_path: Callable[[str], Path]) -> None:
    """A Wednesday's list and one of the next night: young repositories stood still, old ones not.

    The anomaly list says so from another source; here two collectors show it.
    """
    before = read(raw_path("top25-2026-02-11"), "hub-top25").frame
    after = read(raw_path("top15-2026-02-12"), "hub-top15").frame
    after = after[after["list"] != "recent"]
    frames = {
        "top25-2026-02-11": before.drop_duplicates("repository_id"),
        "top15-2026-02-12": after.drop_duplicates("repository_id"),
    }
    found = repeats(frames)
    last = found.versions.iloc[1]
    assert (last["common"], last["equal"], last["verdict"]) == (35, 16, "partial refresh")
    created = after.drop_duplicates("repository_id").set_index("repository_id")["created_at"]
    still = created[found.rows["repository_id"]]
    common = set(frames["top25-2026-02-11"]["repository_id"]) & set(created.index)
    moved = created[sorted(common - set(still.index))]
    assert still.dt.year.value_counts().to_dict() == {2024: 9, 2025: 6, 2023: 1}
    assert set(moved.dt.year) == {2022, 2023}
