"""Flows by country: differences of totals over the same repositories."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.claims.world import World
from analysis.measure import flows
from analysis.measure.flows import CHINA, USA, Crossing
from tests.support import worlds


@pytest.fixture(scope="module")
def world(mirror: Path) -> World:
    return worlds.load_world()


def panel(*rows: tuple[str, str, int | None, str, str, str]) -> pd.DataFrame:
    columns = ["repository_id", "day", "downloads_all_time", "country", "derived_country"]
    frame = pd.DataFrame(rows, columns=[*columns, "created_at"])
    return frame.assign(
        day=pd.to_datetime(frame["day"]),
        downloads_all_time=frame["downloads_all_time"].astype("Int64"),
        created_at=pd.to_datetime(frame["created_at"], utc=True),
    )


OLD = "2024-05-05"
ROWS = (
    ("c/one", "2025-01-01", 1000, CHINA, CHINA, OLD),
    ("c/one", "2025-01-15", 9999, CHINA, CHINA, OLD),
    ("c/one", "2025-01-31", 1600, CHINA, CHINA, OLD),
    ("u/one", "2025-01-01", 500, USA, USA, OLD),
    ("u/one", "2025-01-31", 700, USA, USA, OLD),
    # Left the panel: its total must not count as a loss.
    ("u/gone", "2025-01-01", 90_000, USA, USA, OLD),
    # Created between: brings all it has.
    ("u/new", "2025-01-31", 50, USA, CHINA, "2025-01-10"),
    # Joined the panel late: what it had before is not of this month.
    ("c/late", "2025-01-31", 70_000, CHINA, CHINA, OLD),
    # Published by a user, made from a Chinese base.
    ("x/remix", "2025-01-01", 10, "user", CHINA, OLD),
    ("x/remix", "2025-01-31", 40, "user", CHINA, OLD),
    ("f/other", "2025-01-01", 10, "France", USA, OLD),
    ("f/other", "2025-01-31", 17, "France", USA, OLD),
    ("u/null", "2025-01-01", 10, USA, USA, OLD),
    ("u/null", "2025-01-31", None, USA, USA, OLD),
)


def one(**choices: object) -> dict[str, object]:
    table = flows.by_country(panel(*ROWS), **choices)  # type: ignore[arg-type]
    assert len(table) == 1
    return table.iloc[0].to_dict()


def test_by_hand() -> None:
    assert one() == {
        "from": "2025-01-01",
        "to": "2025-01-31",
        "repositories": 5,
        "left": 1,
        "china": 600.0,
        "usa": 250.0,
        "days": 30,
    }


def test_attribution_and_repackagers() -> None:
    base = one(attribution="base")
    assert (base["china"], base["usa"]) == (600 + 50 + 30, 200 + 7)
    repackaged = one(repackagers=True)
    # A user's remix goes to its base's country; a maker of a third country keeps its own.
    assert (repackaged["china"], repackaged["usa"]) == (630, 250)
    assert one(attribution="base", repackagers=True) == base
    assert one(leave_out=frozenset({"c/one"}))["china"] == 0


def test_flows_are_per_thirty_days_and_readings_a_span_apart() -> None:
    days = ["2025-01-01", "2025-01-20", "2025-03-02", "2025-03-20", "2025-04-01"]
    rows = [
        ("c/one", day, total, CHINA, CHINA, OLD)
        for day, total in zip(days, [0, 1, 600, 601, 900], strict=True)
    ]
    table = flows.by_country(panel(*rows))
    assert table[["from", "to"]].values.tolist() == [
        ["2025-01-01", "2025-03-02"],
        ["2025-03-02", "2025-04-01"],
    ]
    assert table["china"].tolist() == [300, 300]
    wide = flows.by_country(panel(*rows), span=80)
    assert wide[["days", "china"]].values.tolist() == [[90, 300]]


def test_repeated_days_are_left_out() -> None:
    frame = panel(*ROWS)
    frame["repeated_from"] = frame["day"].dt.strftime("%Y-%m-%d").where(frame["day"] > "2025-01-20")
    table = flows.by_country(frame)
    assert table.empty
    assert table.columns.tolist() == ["from", "to", "repositories", "left", "china", "usa", "days"]
    assert flows.crossing(table) is None
    assert flows.by_country(frame.iloc[:0]).empty


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12),
    st.integers(0, 11),
)
def test_flows_of_a_closed_panel_add_up_to_its_totals(
    gains: list[tuple[int, int]], leaving: int
) -> None:
    days = pd.date_range("2025-01-01", periods=len(gains) + 1, freq="30D")
    rows, china, usa = [], 0, 0
    for day, (east, west) in zip(days, [(0, 0), *gains], strict=True):
        china, usa = china + east, usa + west
        rows.append(("c/one", str(day.date()), china, CHINA, CHINA, OLD))
        rows.append(("u/one", str(day.date()), usa, USA, USA, OLD))
    # A third repository that leaves on some day changes nothing before or after it.
    for day in days[: leaving + 1]:
        rows.append(("u/leaves", str(day.date()), 10**6, USA, USA, OLD))
    table = flows.by_country(panel(*rows))
    assert table["china"].sum() == pytest.approx(china)
    assert table["usa"].sum() == pytest.approx(usa)
    assert table["left"].sum() == (1 if leaving < len(gains) else 0)


# ---------------------------------------------------------------------------------- crossing


def series(*pairs: tuple[float, float]) -> pd.DataFrame:
    ends = pd.date_range("2025-01-10", periods=len(pairs) + 1, freq="30D").strftime("%Y-%m-%d")
    return pd.DataFrame(
        {
            "from": ends[:-1],
            "to": ends[1:],
            "china": [a for a, _ in pairs],
            "usa": [b for _, b in pairs],
            "days": 30,
        }
    )


def test_the_crossing_is_the_last_one() -> None:
    table = series((5, 9), (9, 5), (5, 9), (9, 5), (9, 5))
    assert table["from"].tolist()[3] == "2025-04-10"
    assert flows.crossing(table) == Crossing("2025-04", "2025-04", "2025-05")


def test_a_month_counts_from_its_larger_half() -> None:
    late = series((5, 9), (9, 5))
    assert late["from"].tolist()[1] == "2025-02-09"
    assert flows.crossing(late) == Crossing("2025-02", "2025-02", "2025-03")
    late["from"] = ["2025-01-20", "2025-02-19"]
    assert flows.crossing(late) == Crossing("2025-03", "2025-03", "2025-03")


def test_sums_cross_later_than_flows() -> None:
    table = series((0, 20), (9, 5), (9, 5), (30, 5), (9, 5))
    assert flows.crossing(table) == Crossing("2025-02", "2025-02", "2025-03")
    assert flows.crossing(table, cumulative=True) == Crossing("2025-05", "2025-04", "2025-05")
    # A span twice as long weighs twice in the sums.
    table["days"] = [60, 30, 30, 30, 30]
    assert flows.crossing(table, cumulative=True) is None
    table["days"] = [50, 30, 30, 30, 30]
    assert flows.crossing(table, cumulative=True) == Crossing("2025-06", "2025-05", "2025-06")


def test_no_crossing_without_both_sides() -> None:
    assert flows.crossing(series((5, 9), (9, 5), (5, 9))) is None
    assert flows.crossing(series((9, 5), (9, 5))) is None
    assert flows.crossing(series((5, 5))) is None


def test_the_real_panel_crosses_in_the_summer_of_2025(world: World) -> None:
    table = flows.by_country(world.inputs.panel)
    assert flows.crossing(table) == Crossing("2025-06", "2025-06", "2025-07")
    assert table.loc[0, "from"] == "2025-02-26"
    # June 2025 was never observed: the span over it is longer.
    assert table.set_index("from").loc["2025-05-21", "days"] == 49
    assert (table["left"] > 0).all()
    naive = world.inputs.panel.groupby("day")["downloads_all_time"].sum()
    assert (naive.diff() < 0).any(), "the sums over a rolling panel fall, as the module says"
