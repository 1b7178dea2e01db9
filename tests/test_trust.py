"""How far to trust a download counter: the rules on real files, quiet days and odd tables."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw, tables
from analysis.builder.chapters import trust as chapter
from analysis.claims.world import World
from analysis.errors import InputError
from analysis.measure import trust
from tests.support.worlds import load_world

DECLARED = raw.declared("trust")
RULES = trust.parse(DECLARED)
SOURCES = Path(__file__).parents[1] / "data" / "sources"
LISTED = tables.load("reference/counter-anomalies")


@pytest.fixture(scope="module")
def world(mirror: object) -> World:
    return load_world()


def panel(values: dict[str, list[int | None]], step: int = 7, spread: int = 0) -> pd.DataFrame:
    """Return a panel: repository to its all-time counters, a label every `step` days."""
    rows = [
        {
            "repository_id": name,
            "day": pd.Timestamp("2025-01-01") + pd.Timedelta(days=step * place),
            "downloads_all_time": value,
            "spread": spread,
        }
        for name, counters in values.items()
        for place, value in enumerate(counters)
        if value is not None
    ]
    return pd.DataFrame(rows)


def steady(repositories: int, labels: int, gain: int = 700) -> dict[str, list[int | None]]:
    return {f"a/{n}": [n + gain * k for k in range(labels)] for n in range(repositories)}


# -------------------------------------------------------------------------------- the real files


def test_each_listed_day_is_found_or_cannot_be_seen(world: World) -> None:
    table = chapter.tests_table(world).set_index("from")
    assert dict(table["verdict"]) == {
        "2024-10-01": "found",
        "2025-02-27": "not visible",
        "2025-03-06": "not visible",
        "2025-05-19": "found",
        "2025-06-04": "found",
        "2025-10-15": "not visible",
        "2025-11-24": "not visible",
        "2026-02-11": "found",
        "2026-04-15": "found",
        "2026-06-10": "found",
    }
    assert dict(table["rules"])["2025-05-19"] == "fall; slow"
    assert dict(table["rules"])["2026-02-11"] == "stall"
    unseen = table[table["verdict"] == "not visible"]
    assert unseen["why"].str.len().gt(10).all()
    assert "only cross-encoder/ms-marco-MiniLM-L6-v2" in str(table.loc["2025-03-06", "why"])


def test_the_weekdays_are_computed(world: World) -> None:
    table = chapter.tests_table(world).set_index("from")
    assert table.loc["2026-02-11", "weekday"] == "Wednesday"
    days = chapter.days_table(world)
    still = days[days["rule"].isin(["stall", "repeat"]) & days["weekday"].notna()]
    assert list(still["first"] + " " + still["weekday"]) == [
        "2026-01-28 Wednesday",
        "2026-01-31 Saturday",
        "2026-02-11 Wednesday",
    ]


def test_the_rules_are_silent_on_quiet_days(world: World) -> None:
    rules = chapter.rules_table(world).set_index("rule")
    # By hand: labels that stand still in January 2026 are not on the list, and each is real.
    assert dict(rules["not_on_the_list"]) == {
        "burst": 4, "dip": 0, "stall": 0, "repeat": 2, "fall": 0, "slow": 2, "short": 0, "twin": 3,
    }  # fmt: skip
    assert (rules["found"] <= rules["tried_on"]).all()


def test_each_found_day_says_what_its_rule_was_set_with_in_view(world: World) -> None:
    table = chapter.tests_table(world).set_index("from")
    found = table[table["verdict"] == "found"]
    assert dict(found["in_view"]) == {
        "2024-10-01": "list",
        "2025-05-19": "data",
        "2025-06-04": "data",
        "2026-02-11": "data",
        "2026-04-15": "list",
        "2026-06-10": "list",
    }
    assert table.loc[table["verdict"] != "found", "in_view"].isna().all()
    rules = chapter.rules_table(world).set_index("rule")
    assert list(rules.index[rules["in_view"] == "none"]) == ["twin"]
    assert list(table.index[table["cites"] == "own"]) == ["2026-04-15"]


def test_the_lists_of_11_and_12_february_are_read_the_same_way_in_both_places(
    world: World,
) -> None:
    entry = next(one for one in RULES.expected if one.from_ == date(2026, 2, 11))
    known = {
        version["name"]: version
        for name in ("top15", "top25")
        for version in tomllib.loads((SOURCES / f"{name}.toml").read_text(encoding="utf-8"))[
            "versions"
        ]
    }
    early, late = known["top25-2026-02-11"], known["top15-2026-02-12"]
    assert str(late["note"]).endswith(entry.reading)
    read = [pd.Timestamp(str(v["as_of_known_by"]).split(": ")[1]) for v in (early, late)]
    hours = (read[1].tz_localize(None) - read[0]) / pd.Timedelta(hours=1)
    assert f"{hours:.0f} hours apart" in entry.reading
    # By hand: what is equal above a thousand was created in 2024 or later, with one exception.
    both = (
        world.inputs.frames[early["name"]]
        .merge(world.inputs.frames[late["name"]], on="repository_id", suffixes=("", "_later"))
        .drop_duplicates("repository_id")
    )  # a list names some twice, by downloads and by likes
    assert len(both) == 39
    equal = both["downloads_30d"] == both["downloads_30d_later"]
    assert equal.sum() == 18
    young = both["repository_id"].map(world.created) >= date(2024, 1, 1)
    large = both["downloads_30d"] > 1000
    assert equal[young].all()
    assert list(both.loc[equal & large & ~young, "repository_id"]) == [
        "Falconsai/nsfw_image_detection"
    ]


def test_no_rule_reads_the_published_list(world: World) -> None:
    found = chapter.days_table(world)
    nothing = trust.table_of(chapter._found(world), LISTED.iloc[:0])
    columns = [name for name in found.columns if name != "listed"]
    pd.testing.assert_frame_equal(found[columns], nothing[columns])
    assert not nothing["listed"].any()


def test_the_head_lost_a_third_in_june_and_a_share_did_not(world: World) -> None:
    heads = chapter.heads_table(world)
    own = heads[heads["list"] == "top30"].set_index("day")
    assert own.loc["2026-06-13", "downloads"] == 641_391_688
    assert own.loc["2026-06-13", "fall"] == pytest.approx(0.325, abs=0.001)
    assert own.loc["2026-06-06", "qwen_share"] == pytest.approx(0.0926, abs=0.0001)
    assert own.loc["2026-06-13", "qwen_share"] == pytest.approx(0.0960, abs=0.0001)
    assert list(heads.loc[heads["dip"].astype("bool"), "day"]) == ["2026-06-13", "2026-06-17"]


def test_each_headline_claim_says_what_it_crosses(world: World) -> None:
    grids = {entry.id: tables.specifications(entry.id) for entry in RULES.claim}
    table = chapter.claims_table(world, grids).set_index("claim")
    assert list(table.index) == [entry.id for entry in RULES.claim]
    # By hand from the grid: 107.8 to 192.9 million with bursts, 96.6 to 181.7 million without.
    row = table.loc["february-153-6m"]
    assert (row["lower_in"], row["upper_in"]) == pytest.approx((107.76e6, 192.87e6), rel=1e-3)
    assert (row["lower_out"], row["upper_out"]) == pytest.approx((96.56e6, 181.66e6), rel=1e-3)
    assert row["flipped"] == 0
    assert "2026-02-11" in str(row["crossed"])
    # The burst of April lies after February, and before May.
    assert "24 times" not in row["crossed"]
    assert "24 times" in table.loc["cumulative-near-billion", "crossed"]
    # June 2025 is unobserved, so a month is two.
    month = table.loc["china-passes-us"]
    assert (month["first_in"], month["last_in"]) == ("2025-06", "2025-07")
    assert (month["first_out"], month["last_out"]) == ("2025-07", "2025-08")
    assert month["grade"] == "bounded"
    assert (table["flipped"] <= table["pairs"]).all()
    for claim, grid in grids.items():
        assert table.loc[claim, "pairs"] == (grid["outliers"] == "in").sum()


# ------------------------------------------------------------------------------------ measures


def test_a_steady_panel_has_no_finding() -> None:
    assert trust.panel_findings(panel(steady(60, 12)), RULES) == []


def test_a_stall_that_is_made_good_is_found_with_its_days() -> None:
    values = steady(60, 12)
    for counters in values.values():
        counters[5] = counters[4]
    found = trust.panel_findings(panel(values, spread=6), RULES)
    assert [one.rule for one in found] == ["repeat", "slow"]
    assert all("100 % of the usual" in one.what for one in found if one.rule == "slow")
    label = date(2025, 1, 1) + timedelta(days=35)
    assert (found[0].first, found[0].last) == (label, label + timedelta(days=6))
    assert found[0].weekday == ""  # a weekly label names no day


@given(st.integers(0, 8))
def test_falls_are_a_finding_from_the_declared_number_on(count: int) -> None:
    values = steady(60, 12, gain=7000)
    for name in list(values)[:count]:
        before = values[name][5]
        assert before is not None
        values[name][6] = before - 1
    found = [one for one in trust.panel_findings(panel(values), RULES) if one.rule == "fall"]
    assert bool(found) == (count >= RULES.falls)


@given(st.integers(1, 99))
def test_a_label_is_short_below_the_declared_part(kept: int) -> None:
    values = steady(100, 12)
    for name in list(values)[kept:]:
        values[name][6] = None
    labels = trust.short_labels(panel(values), RULES)
    assert list(labels["short"]) == [place == 6 and kept < 100 * RULES.short for place in range(12)]


def test_two_ids_of_one_model_are_found_and_two_models_are_not() -> None:
    frame = pd.DataFrame(
        {
            "repository_id": ["a/L-6-v2", "a/L6-v2", "b/x-1", "b/x_1", "c/opt-1.3b", "c/opt-13b"],
            "downloads_30d": [5, 50_000, 40_000, 50_000, 5, 50_000],
        }
    )
    found = trust.twin_findings({"v": (date(2026, 1, 1), frame)}, RULES)
    assert [one.what for one in found] == ["a/L-6-v2 beside a/L6-v2"]


def test_lists_two_days_apart_tell_no_stall() -> None:
    frame = pd.DataFrame(
        {"repository_id": [f"a/{n}" for n in range(20)], "downloads_30d": range(5000, 5020)}
    )
    day = date(2026, 2, 11)
    for gap, expected in ((1, 1), (2, 0), (0, 0)):
        lists = {"x-1": (day, frame), "x-2": (day + timedelta(days=gap), frame)}
        assert len(trust.stall_findings(lists)) == expected


@given(
    start=st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    length=st.integers(0, 60),
    day=st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    within=st.integers(0, 5),
)
def test_a_thirty_day_reading_crosses_what_lies_in_its_window(
    start: date, length: int, day: date, within: int
) -> None:
    one = trust.Finding("dip", start, start + timedelta(days=length), "thirty", 0.3, "x")
    hit = trust.crossed([one], "thirty", day, within, (date.min, date.max))
    days = {start + timedelta(days=n) for n in range(length + 1)}
    window = {day + timedelta(days=n) for n in range(-29 - within, within + 1)}
    assert bool(hit) == bool(days & window)
    # An all-time counter knows no rolling dip.
    assert trust.crossed([one], "all-time", day, within, (date.min, date.max)) == []


def test_pairs_differ_in_bursts_alone() -> None:
    table = pd.DataFrame(
        {
            "is_article": [True, False, False],
            "day": ["a", "a", "b"],
            "outliers": ["in", "out", "in"],
            "value": [2.0, 1.0, 3.0],
            "lower": [1.0, 1.0, 1.0],
            "upper": [3.0, 3.0, 3.0],
            "holds": ["yes", "no", "yes"],
        }
    )
    pairs = trust.with_and_without(table)
    assert len(pairs) == 1
    assert (pairs["value_in"][0], pairs["value_out"][0], pairs["holds_out"][0]) == (2.0, 1.0, "no")
    assert trust.with_and_without(table.drop(columns="outliers")).empty


# -------------------------------------------------------------------------------------- faults


def test_a_listed_day_without_an_entry_is_named() -> None:
    held = trust.Held(frozenset(), (), frozenset(), frozenset(), frozenset())
    other = LISTED.assign(**{"from": "2031-01-01", "to": "2031-01-02"})
    with pytest.raises(InputError, match="no entry expected for 2031-01-01"):
        trust.held_against(other, [], held, RULES)


def test_a_day_that_could_be_seen_and_is_not_found_is_missed() -> None:
    day = date(2026, 2, 11)
    held = trust.Held(
        frozenset({day, day + timedelta(days=1)}), (), frozenset(), frozenset(), frozenset()
    )
    table = trust.held_against(LISTED, [], held, RULES).set_index("from")
    assert table.loc["2026-02-11", "verdict"] == "missed"
    blind = replace(held, heads=frozenset({day}))
    table = trust.held_against(LISTED, [], blind, RULES).set_index("from")
    assert table.loc["2026-02-11", "verdict"] == "not visible"


def test_another_burst_on_the_days_does_not_count_as_found() -> None:
    held = trust.Held(frozenset(), (), frozenset(), frozenset(), frozenset())
    own = trust.Finding(
        "burst", date(2026, 4, 20), date(2026, 5, 1), "both", 9.0, "x", "Qwen/another-one"
    )
    table = trust.held_against(LISTED, [own], held, RULES).set_index("from")
    assert table.loc["2026-04-15", "verdict"] == "missed"


@pytest.mark.parametrize(
    "change",
    [
        {"slow": 1.5},
        {"falls": 0},
        {"short": "much"},
        {"unknown": 1},
        {"expected": [{"from": "2026-02-11", "rules": ["magic"], "needs": "pair"}]},
        {"claim": [{"id": "x", "counter": "weekly"}]},
        {"in_view": {**DECLARED["in_view"], "burst": "perhaps"}},
        {"in_view": {"burst": "list"}},
    ],
)
def test_a_wrong_rule_file_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"data/trust\.toml"):
        trust.parse({**copy.deepcopy(DECLARED), **change})
