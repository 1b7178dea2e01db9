"""The seven checks on the real files: golden numbers, and orders that no data may break."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest

from analysis import builder, raw
from analysis.claims import checks, register, results, verdicts
from analysis.claims.world import LLAMA, QWEN, RULES, World
from analysis.errors import InputError
from tests.support.worlds import load_world

pytestmark = pytest.mark.usefixtures("mirror")

REGISTER = register.parse(raw.declared("claims"))
FEBRUARY = date(2026, 2, 28)
Spec = dict[str, Any]


@pytest.fixture(scope="module")
def world(mirror: object) -> World:
    return load_world()


@pytest.fixture(scope="module")
def ask(world: World) -> Callable[..., checks.Outcome]:
    """Return a function that evaluates a claim's own reading with some choices changed."""

    def evaluate(name: str, **changes: Any) -> checks.Outcome:
        claim = REGISTER.find(name)
        return checks.evaluate(world, claim, {**claim.article, **changes})

    return evaluate


Ask = Callable[..., checks.Outcome]


class TestGolden:
    def test_of_the_whole_hub_qwen_had_at_most_a_quarter(self, ask: Ask) -> None:
        got = ask("share-above-half")
        assert got.lower == 0
        assert got.upper == pytest.approx(0.235, abs=0.01)
        assert got.decided == "no"
        assert math.isfinite(got.upper)

    def test_of_the_tracked_list_the_interval_spans_one_half(self, ask: Ask) -> None:
        got = ask("share-above-half", population="tracked")
        assert got.lower == pytest.approx(0.30, abs=0.01)
        assert got.upper == pytest.approx(0.71, abs=0.01)
        assert got.decided is None

    def test_cumulative_lies_well_above_a_billion(self, ask: Ask) -> None:
        got = ask("cumulative-near-billion")
        assert got.lower > 1.5e9
        assert math.isinf(got.upper)

    def test_the_interval_of_february_holds_the_stated_figure(self, ask: Ask) -> None:
        got = ask("february-153-6m")
        assert 90e6 < got.lower < 153.6e6 < got.upper < 220e6

    def test_the_next_eight_cannot_be_told(self, ask: Ask) -> None:
        got = ask("double-next-eight")
        assert got.lower < 2 < got.upper
        eight = str(got.extra["eight"]).split(", ")
        assert len(eight) == len(set(eight)) == 8
        assert "alibaba" not in eight
        assert "meta" in eight

    def test_qwen_had_more_than_three_times_llama(self, ask: Ask) -> None:
        got = ask("qwen-passes-llama")
        assert got.lower > 3.5

    def test_the_panel_crosses_in_june_or_july(self, ask: Ask) -> None:
        got = ask("china-passes-us")
        assert got.value == "2025-06"
        assert (got.extra["first"], got.extra["last"]) == ("2025-06", "2025-07")

    def test_january_is_too_wide_to_date_a_crossing(self, ask: Ask) -> None:
        got = ask("share-crossing-with-3-5")
        assert float(got.extra["before_lower"]) < 0.5 < float(got.extra["before_upper"])


SHARES: list[Spec] = [
    {"population": population, "month": month, "family_rule": rule, "outliers": outlier}
    for population in ("named-makers", "tracked", "text-and-vision")
    for month, rule, outlier in (
        ("2026-02", "official", "in"),
        ("2026-02", "with-reuploads", "out"),
        ("2026-03", "organisation", "in"),
    )
]


def _name(spec: Spec) -> str:
    return "-".join(map(str, spec.values()))


class TestOrders:
    @pytest.mark.parametrize("spec", SHARES, ids=_name)
    def test_against_lies_below_for(self, ask: Ask, spec: Spec) -> None:
        ends = {
            missing: ask("share-above-half", **spec, missing=missing).value
            for missing in ("absent", "against", "for")
        }
        assert 0 <= ends["against"] <= ends["for"] <= 1
        assert 0 <= ends["absent"] <= 1

    @pytest.mark.parametrize("spec", SHARES, ids=_name)
    def test_hard_bounds_hold_the_pooled_ones_which_hold_the_centre(
        self, world: World, spec: Spec
    ) -> None:
        day = world.inputs.anchors.of_month(spec["month"]).day
        key = (spec["population"], day, spec["family_rule"], spec["outliers"])
        hard, pooled = world.share(*key, "hard"), world.share(*key, "pooled")
        assert 0 <= hard.lower <= pooled.lower <= pooled.upper <= hard.upper <= 1
        for part in ("part", "rest"):
            wide, narrow = getattr(hard, part), getattr(pooled, part)
            assert wide.lower <= narrow.lower <= narrow.value <= narrow.upper <= wide.upper

    @pytest.mark.parametrize("name", ["february-153-6m", "double-next-eight", "qwen-passes-llama"])
    @pytest.mark.parametrize("outlier", ["in", "out"])
    def test_each_interval_lies_in_its_hard_one_and_holds_its_centre(
        self, ask: Ask, name: str, outlier: str
    ) -> None:
        got = ask(name, outliers=outlier)
        assert got.hard_lower <= got.lower <= float(got.extra["centre"]) <= got.upper
        assert got.upper <= got.hard_upper
        assert 0 < got.covered <= got.population

    def test_the_centre_of_the_closed_shares_lies_inside(self, world: World) -> None:
        for population in ("named-makers", "tracked"):
            got = world.share(population, FEBRUARY, "official", "in", "pooled")
            assert got.lower <= got.value <= got.upper

    @pytest.mark.parametrize("population", ["named-makers", "tracked"])
    def test_without_bursts_qwens_share_is_never_larger(self, ask: Ask, population: str) -> None:
        # The upper end may be: put back to level, a counter has no all-time counter to bound it.
        for month in ("2026-02", "2026-03"):
            for missing in ("absent", "against"):
                spec = {"population": population, "month": month, "missing": missing}
                full = ask("share-above-half", **spec, outliers="in").value
                less = ask("share-above-half", **spec, outliers="out").value
                assert less <= full + 1e-12

    def test_without_bursts_no_total_is_larger(self, ask: Ask) -> None:
        full, less = ask("february-153-6m"), ask("february-153-6m", outliers="out")
        assert (less.lower, less.upper) <= (full.lower, full.upper)
        assert less.value < full.value
        before = ask("cumulative-near-billion")
        after = ask("cumulative-near-billion", outliers="out")
        assert before.lower - after.lower == pytest.approx(float(after.extra["excess"]))

    def test_named_makers_are_part_of_the_list_of_the_hub(self, world: World) -> None:
        named = world.population("named-makers", FEBRUARY, "official")
        listed = world.population("tracked", FEBRUARY, "official")
        assert named < listed
        assert listed == world.existed(world.inputs.lists["tracked-2026-02-08"], FEBRUARY)

    def test_wider_readings_of_a_family_hold_more(self, world: World) -> None:
        own = {
            rule: {name for name, f in world.family[rule].items() if f == QWEN} for rule in RULES
        }
        assert own["official"] < own["organisation"]
        assert own["official"] < own["with-reuploads"]

    def test_counters_of_all_time_only_grow(self, ask: Ask) -> None:
        sums = [
            ask("cumulative-near-billion", day=day).lower
            for day in ("2026-02-28", "2026-03-31", "2026-05-06", "2026-05-23")
        ]
        assert sums == sorted(sums)

    def test_without_a_generation_the_share_falls(self, world: World) -> None:
        full = world.share("tracked", date(2026, 3, 31), "official", "in", "absent").value
        less = world.without_generation("tracked", date(2026, 3, 31), "in", "qwen3.5")
        assert less["absent"][0] < full
        assert less["pooled"][1] <= less["pooled"][2]
        none = world.without_generation("tracked", date(2026, 3, 31), "in", "qwen99")
        assert none["absent"][0] == pytest.approx(full)

    def test_coverage_is_a_fraction(self, world: World) -> None:
        members = world.population("tracked", FEBRUARY, "official")
        table = world.estimate(members, FEBRUARY)
        assert 0 < world.coverage(table) < 1
        assert math.isnan(world.coverage(table.iloc[:0]))


class TestReadings:
    """Each choice of the grids does what its name says."""

    @pytest.mark.parametrize(
        "rivals", ["largest-makers", "named-makers", "largest-publishers", "single-models"]
    )
    def test_rivals(self, ask: Ask, rivals: str) -> None:
        got = ask("double-next-eight", rivals=rivals)
        eight = str(got.extra["eight"]).split(", ")
        assert len(eight) == 8
        assert all(("/" in name) == (rivals == "single-models") for name in eight)
        assert not any(name.startswith("Qwen") for name in eight)

    def test_fewer_rivals_never_lower_the_ratio(self, ask: Ask) -> None:
        single = ask("double-next-eight", rivals="single-models")
        makers = ask("double-next-eight", rivals="largest-makers")
        assert single.value > makers.value

    @pytest.mark.parametrize("population", ["organisation", "with-reuploads", "tracked-2026-03-27"])
    def test_totals(self, ask: Ask, population: str) -> None:
        got = ask("february-153-6m", population=population)
        assert got.lower <= got.upper
        assert got.population > 100

    def test_all_time_counters_of_two_families(self, ask: Ask) -> None:
        own = {"measure": "downloads_all_time", "day": "2026-05-23"}
        got = ask("qwen-passes-llama", **own)
        assert got.note.startswith("all-time counters")
        assert got.lower == 0 or got.lower <= got.value
        wide = ask("qwen-passes-llama", **own, missing="for")
        assert wide.decided == "undetermined"
        assert ask("qwen-passes-llama", **own, outliers="out").value < got.value

    def test_the_panel_by_base_and_since_its_start(self, ask: Ask) -> None:
        month = ask("china-passes-us", attribution="base")
        total = ask("china-passes-us", measure="since-february-2025", outliers="out")
        assert str(month.value) < str(total.value)

    def test_no_crossing_is_said_so(self, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checks.flows, "crossing", lambda *_, **__: None)
        got = ask("china-passes-us")
        assert (got.value, got.decided) == (None, "no")

    def test_a_crossing_needs_a_low_january(self, ask: Ask) -> None:
        name = "share-crossing-with-3-5"
        own = {"after": "2026-03", "cause": "any"}
        best = ask(name, **own, missing="for")
        assert float(best.extra["before"]) <= 0.5 < float(best.value or 0)
        assert best.decided == "yes"
        assert ask(name, **own, missing="against").decided == "no"

    def test_a_population_seen_in_part_is_bounded_from_above_only(self, ask: Ask) -> None:
        own = {"population": "text-and-vision", "after": "2026-03"}
        got = ask("share-crossing-with-3-5", **own, missing="for")
        assert got.lower == 0
        assert got.decided in ("no", "undetermined")

    def test_the_line_is_the_claims_not_the_checks(self, world: World) -> None:
        claim = REGISTER.find("share-above-half")
        assert checks.evaluate(world, claim, claim.article).decided == "no"
        lower = claim.model_copy(update={"stated": 0.1})
        assert checks.evaluate(world, lower, claim.article).decided == "undetermined"


class TestMistakes:
    @pytest.mark.parametrize(
        ("name", "changes", "words"),
        [
            ("share-above-half", {"month": "2031-01"}, "2031-01"),
            ("share-above-half", {"population": "moon"}, "moon"),
            ("share-above-half", {"population": "tracked-2031-01-01"}, "tracked-2031-01-01"),
            ("february-153-6m", {"population": "moon"}, "moon"),
            ("february-153-6m", {"day": "in May"}, "in May"),
            ("share-crossing-with-3-5", {"after": "2031-01"}, "2031-01"),
        ],
    )
    def test_what_nobody_knows_names_the_claim_and_the_value(
        self, ask: Ask, name: str, changes: Spec, words: str
    ) -> None:
        with pytest.raises(InputError) as caught:
            ask(name, **changes)
        assert f"claim {name}: " in str(caught.value)
        assert words in str(caught.value)

    def test_later_data_must_be_later(self, world: World) -> None:
        claim = REGISTER.find("qwen-passes-llama")
        small = claim.model_copy(
            update={
                "grid": {name: (value,) for name, value in claim.article.items()},
                "later": {"day": "2026-03-31"},
            }
        )
        with pytest.raises(InputError, match=r"qwen-passes-llama: later: 2026-03-31 is not after"):
            results.evaluate(world, small, REGISTER)


def _small(name: str) -> register.Claim:
    """Return a claim with its own reading only: quick, and enough for the record's form."""
    claim = REGISTER.find(name)
    return claim.model_copy(update={"grid": {k: (v,) for k, v in claim.article.items()}})


@pytest.mark.parametrize("name", [claim.id for claim in REGISTER.claim if claim.check])
def test_a_record_is_complete_json_and_follows_the_rules(world: World, name: str) -> None:
    claim = _small(name)
    record, table = results.evaluate(world, claim, REGISTER)
    json.dumps(record, allow_nan=False)
    assert record["specifications"] == len(table) == 1
    assert bool(table["is_article"].iloc[0])
    own = table.iloc[0]
    if name == "china-passes-us":
        assert record["value"] == own["value"]
        assert record["interval"] == [own["first"], own["last"]]
        return
    if own["pending"]:
        # A forecast that nothing decides yet has no value, and says why.
        assert (record["value"], record["interval"]) == (None, None)
        assert record["recreated"]["reason"] == f"pending: {own['pending']}"
        assert record["recreated"]["verdict"] == record["later"]["verdict"] == "not checkable"
        return
    lower, upper = float(own["lower"]), float(own["upper"])
    if name == "share-crossing-with-3-5":
        before = (float(own["before_lower"]), float(own["before_upper"]))
        again = verdicts.recreated_crossing(claim, before, (lower, upper))
    elif isinstance(own.get("beside"), str) and own["beside"]:
        # A number of another day decides nothing, and says of what it is.
        again = verdicts.Verdict("not checkable", f"it is {verdicts.worded(claim, lower, upper)}")
        assert own["beside"] in record["recreated"]["reason"]
    else:
        again = verdicts.recreated(claim, record["value"], lower, upper, REGISTER.verdict)
    assert record["recreated"]["verdict"] == again.verdict
    assert record["recreated"]["reason"].startswith(again.reason)
    # A verdict that rests on an assumption says so.
    rests = record["hard_interval"] is not None and record["hard_interval"] != record["interval"]
    assert ("; this rests on " in record["recreated"]["reason"]) == rests
    ends = [None if math.isinf(end) else end for end in (lower, upper)]
    if math.isnan(lower) and math.isnan(upper):
        assert record["interval"] is None
    else:
        assert record["interval"] == pytest.approx(ends)


def test_the_answer_of_a_bounded_reading_is_the_intervals(world: World) -> None:
    claim = REGISTER.find("february-153-6m")
    grid = {**{k: (v,) for k, v in claim.article.items()}, "missing": ("absent", "bounded")}
    table = checks.run(world, claim.model_copy(update={"grid": grid}))
    assert list(table["missing"]) == ["absent", "bounded"]
    row = table.iloc[1]
    assert row["holds"] == verdicts.holds_within(claim, row["lower"], row["upper"])


def test_an_open_claim_has_the_same_keys(world: World) -> None:
    record, _ = results.evaluate(world, _small("february-153-6m"), REGISTER)
    opened = results.registered(REGISTER.find("breadth"))
    assert {*record, "inputs"} == set(opened)
    json.dumps(opened, allow_nan=False)


def test_no_crossing_makes_a_record_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.flows, "crossing", lambda *_, **__: None)
    record, table = results.evaluate(world, _small("china-passes-us"), REGISTER)
    assert record["value"] is None
    assert record["interval"] is None
    assert record["recreated"]["verdict"] == "not checkable"
    assert isinstance(table, pd.DataFrame)


def test_a_day_without_anchor_is_worked_out_when_asked(world: World) -> None:
    members = sorted(name for name, f in world.family["official"].items() if f == LLAMA)[:5]
    table = world.estimate(members, date(2026, 3, 9))
    assert list(table.index) == members
    assert (table["hard_lower"] <= table["lower"]).all()
    assert (table["upper"] <= table["hard_upper"]).all()


def test_rules_are_read_once_for_all() -> None:
    assert builder.load_rules().register == REGISTER
