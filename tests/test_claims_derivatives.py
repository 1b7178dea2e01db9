"""How many derivatives, on how few bases, and who leads by which rule: checks on the real files."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import builder, raw
from analysis.builder.chapters import derivatives as chapter
from analysis.claims import checks, results
from analysis.claims import derivatives as derivative_checks
from analysis.claims.evidence import Evidence
from analysis.claims.world import World
from analysis.errors import InputError
from analysis.measure import slices, stock
from analysis.measure.stock import Asked
from tests.support.worlds import evidence_world, load_evidence

TOTAL: dict[str, Any] = {
    "source": "together",
    "count": "direct",
    "relation": "all",
    "bulk": "in",
    "minimum": "0",
    "reuploads": "as-declared",
    "own": "in",
}
RATIO: dict[str, Any] = {
    **{name: value for name, value in TOTAL.items() if name not in ("own", "source")},
    "source": "counts-2025-02",
    "merges": "whole",
    "family_rule": "official",
}
LINE = 113_000.0
BULK = {
    *(f"Qwen/Qwen1.5-{size}" for size in ("0.5B", "1.8B", "7B")),
    "Qwen/Qwen2-1.5B",
    "google/gemma-2b",
    "google/gemma-7b",
}

pytestmark = pytest.mark.usefixtures("mirror")


def total(**choices: Any) -> Any:
    return derivative_checks.total(evidence_world(), TOTAL | choices, LINE)


def ratio(**choices: Any) -> Any:
    return derivative_checks.ratio(evidence_world(), RATIO | choices, math.nan)


# --------------------------------------------------------------------------- on the real files


def test_the_declared_rule_names_six_bases_and_none_of_llamas() -> None:
    evidence = load_evidence()
    assert derivative_checks.named(evidence) == BULK
    waves = derivative_checks.waves(evidence)
    # No base of any family has a wave that ends and stays unnamed.
    assert set(waves["repository_id"]) == BULK


def test_counts_of_february_2025_are_no_upper_end() -> None:
    found = total(source="counts-2025-02")
    assert (found.value, found.upper, found.hard_lower) == (93_668, math.inf, 33_592)
    assert 91_000 < found.lower < 93_668
    assert (found.decided, found.open_ended) == ("undetermined", True)
    # The version is of the eighteenth; its counts go on for two days.
    assert found.extra["day"] == "2025-02-20"
    until = stock.counted_until(
        derivative_checks.frame_of(
            load_evidence(), derivative_checks.slices_of(load_evidence()).find("counts-2025-02")
        )
    )
    for size in ("0.5B", "1.8B", "7B"):
        assert str(until[f"Qwen/Qwen1.5-{size}"].date()) == "2025-01-22"
    assert total(source="counts-2025-02", bulk="out").value == 93_668 - 72_383 - 1_706
    level = total(source="counts-2025-02", bulk="level").value
    assert total(source="counts-2025-02", bulk="out").value < level < 93_668


@pytest.mark.parametrize(
    ("choices", "value"),
    [
        ({"source": "slice-2025-06", "minimum": "10"}, 3_005),
        ({"source": "slice-2025-06", "minimum": "10", "count": "transitive"}, 5_127),
        ({"source": "slice-2025-06", "minimum": "10", "own": "out"}, 2_893),
        ({"source": "slice-2025-06", "minimum": "10", "relation": "no-quantised"}, 1_455),
        ({"source": "slice-2025-06", "minimum": "10", "bulk": "out"}, 3_005 - 28),
        ({"source": "slice-2025-10"}, 1_202),
        ({"source": "roots-2026-03"}, 13_241),
        ({"source": "cut-2026-05"}, 455),
        ({"source": "cut-2026-05", "minimum": "100"}, 88),
        ({"source": "week-2026-08"}, 2_530),
    ],
)
def test_a_slice_bounds_the_whole_from_below_alone(choices: dict[str, Any], value: int) -> None:
    found = total(**choices)
    assert found.value == value
    assert found.lower <= value
    assert math.isinf(found.upper)
    assert (found.decided, found.open_ended) == ("undetermined", True)


def test_together_is_the_most_that_any_file_forces() -> None:
    found = total()
    assert found.extra["from"] == "counts-2025-02"
    # Bases made after the counts add what a later list gives them, at the same rate.
    assert found.extra["later_bases"] == 9_534
    assert found.lower == pytest.approx((93_668 + 9_534) * 3_005 / 3_082)
    assert found.lower > total(source="counts-2025-02").lower
    # Without the counts' own word: what the lists name one by one.
    assert found.hard_lower == 3_005
    # The maker's own are at most the repositories that it had.
    without = total(own="out")
    assert without.extra["from"] == "counts-2025-02"
    assert 226 <= total(source="counts-2025-02").lower - without.lower <= 300
    # What the counts cannot tell a list must.
    assert total(relation="no-quantised").extra["from"] == "slice-2025-06"
    assert total(count="transitive").lower >= found.lower
    assert total(bulk="out").lower < total(bulk="level").lower < found.lower


def test_the_lead_turns_with_the_bulk_uploads() -> None:
    with_all, level, without = (ratio(bulk=bulk) for bulk in ("in", "level", "out"))
    assert with_all.extra["llama"] == 37_055
    assert with_all.value == pytest.approx(93_668 / 37_055)
    assert with_all.lower > 2.4
    assert level.upper < 1
    assert without.value == pytest.approx(19_579 / 37_055)
    assert without.extra["llama"] == with_all.extra["llama"]
    # All of Meta, its research models with it.
    assert ratio(family_rule="organisation").extra["llama"] == 45_284


def test_direct_and_transitive_disagree_on_who_leads_in_june_2025() -> None:
    june = {"source": "slice-2025-06", "minimum": "10"}
    direct, transitive = ratio(**june), ratio(**june, count="transitive")
    assert (direct.extra["qwen"], direct.extra["deepseek"]) == (3_005, 292)
    # Meta's own 2,311 and what builds on Code Llama, which is Llama too.
    assert direct.extra["llama"] == 2_339
    assert direct.value > 1 > transitive.value
    assert ratio(**june, reuploads="resolved").value < 1


def test_llama_of_the_organisation_alone_is_the_hand_count() -> None:
    evidence = load_evidence()
    source = derivative_checks.slices_of(evidence).find("slice-2025-06")
    frame = derivative_checks.frame_of(evidence, source)
    pairs = frame[frame["base_id"].str.startswith("meta-llama/")]
    assert pairs.loc[pairs["base_id"] != pairs["repository_id"], "repository_id"].nunique() == 2_311


@pytest.mark.parametrize(
    ("choices", "word"),
    [
        ({"source": "counts-2025-02", "count": "transitive"}, "count"),
        ({"source": "counts-2025-02", "relation": "no-quantised"}, "relation"),
        ({"source": "roots-2026-03", "bulk": "level"}, "bulk"),
        ({"source": "roots-2026-03", "own": "out"}, "own"),
        ({"source": "slice-2025-10", "minimum": "10"}, "minimum"),
        ({"source": "slice-2025-06", "bulk": "level"}, "bulk"),
        ({"source": "slice-2026-01"}, "no slice is called"),
        ({"source": "hub-2026-09"}, "no evidence is called 'weekly-2026-09-30'"),
    ],
)
def test_what_a_source_cannot_answer_is_refused(choices: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        total(**choices)


def test_the_grids_ask_only_what_can_be_answered_and_leave_out_nothing_that_can() -> None:
    evidence = load_evidence()
    known = derivative_checks.slices_of(evidence)
    claim = builder.load_rules().register.find("derivatives-113k")
    asked = claim.specifications()
    assert len(asked) == 117
    for spec in asked:
        if spec["source"] != "together":
            source = known.find(str(spec["source"]))
            question = derivative_checks._asked(spec)
            assert derivative_checks.answers(evidence, source, question)


def evaluated(name: str, **grid: tuple[str, ...]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Evaluate a claim on a part of its grid: the article's reading, and the choices given."""
    register = builder.load_rules().register
    claim = register.find(name)
    small = {dimension: (choice,) for dimension, choice in claim.article.items()} | grid
    part = claim.model_copy(update={"grid": small, "impossible": ()})
    return results.evaluate(evidence_world(), part, register)


def test_findings_follow_from_the_numbers() -> None:
    record, table = evaluated(
        "derivatives-113k", source=("together", "counts-2025-02"), bulk=("in", "level", "out")
    )
    assert record["finding"] == (
        "94 thousand counted by February 2025, 20 thousand without four bases of bulk uploads; "
        "for the day of the article our files cannot tell"
    )
    assert record["recreated"]["verdict"] == "not checkable"
    assert "nothing having been deleted since" in record["recreated"]["reason"]
    assert record["later"]["reason"] == "the data allow at least 2,530 on 2026-08-22"
    assert table["holds"].tolist() == ["undetermined"] * 6


def test_the_finding_of_the_ratio_says_how_the_lead_turns() -> None:
    record, table = evaluated("derivatives-ratio", bulk=("in", "level", "out"))
    assert record["finding"] == (
        "2.5 to one was counted in February 2025; without four bases of bulk uploads Llama leads, "
        "1.9 to one; for the day of the article our files cannot tell"
    )
    assert record["recreated"]["verdict"] == "not checkable"
    assert "of a later day it says nothing" in record["recreated"]["reason"]
    assert "0.91 to 17.87" in record["recreated"]["reason"]
    assert set(table["holds"]) == {"undetermined"}
    assert record["later"]["verdict"] == "no later snapshot"
    assert (table["value"].iloc[1:] < 1).all()


def test_findings_of_other_data_say_the_other_thing() -> None:
    reading = {"source": "together", "bulk": "in"}
    record = {"stated_value": 100.0, "article": {"reading": reading}}
    table = pd.DataFrame({**reading, "lower": [120.0], "open_ended": [True]}, index=[0])
    find = derivative_checks.FINDINGS["derivatives_total"]
    assert find(record, table) == "Yes: at least 120"
    assert find(record | {"stated_value": 200.0}, table) == (
        "At least 120, as far as our files reach"
    )
    ratios = pd.DataFrame(
        {
            "source": "hub",
            "bulk": ["in", "out"],
            "value": [4.2, 3.9],
            "day": "2026-09-30",
            "left_out": [0, 4],
        }
    )
    record = {
        "stated_value": 4.1852,
        "article": {"reading": {"source": "hub", "bulk": "in"}},
        "recreated": {"verdict": "matches"},
    }
    find = derivative_checks.FINDINGS["derivatives_ratio"]
    assert find(record, ratios) == ("4.2 to one by September 2026; without bulk uploads 3.9 to one")
    assert find(record, ratios.iloc[:1]) == "4.2 to one by September 2026"


# ------------------------------------------------------------- a full snapshot as the source


def world_with(frame: pd.DataFrame) -> World:
    """Return a world in which `frame` stands for the full weekly snapshot."""
    real = load_evidence()
    made = Evidence(
        frames={**real.frames, "weekly-2026-09-30": frame},
        kinds={**real.kinds, "weekly-2026-09-30": "hub-snapshot"},
        days={**real.days, "weekly-2026-09-30": date(2026, 9, 30)},
        rules=real.rules,
        families=real.families,
        published=real.published,
    )
    return cast(World, SimpleNamespace(evidence=made))


def test_the_checks_run_unchanged_on_a_full_snapshot() -> None:
    """The real cut stands in for it: same rows, but taken for the whole Hub."""
    world = world_with(load_evidence().frame("hub-stats-2026-05"))
    full = {"source": "hub-2026-09"}
    for choices in (
        {},
        {"count": "transitive"},
        {"relation": "no-quantised"},
        {"minimum": "100"},
        {"own": "out"},
        {"reuploads": "resolved"},
        {"bulk": "out"},
    ):
        found = derivative_checks.total(world, TOTAL | full | choices, 400.0)
        part = total(source="cut-2026-05", **choices)
        assert (found.value, found.lower, found.upper) == (part.value, part.value, part.value)
        assert (found.hard_lower, found.hard_upper) == (part.value, part.value)
        assert found.decided == ("yes" if part.value > 400 else "no")
        assert not found.open_ended
    both = derivative_checks.ratio(world, RATIO | full | {"merges": "fractional"}, math.nan)
    assert both.value == pytest.approx(382.9498667998668 / 252.8833333333333)
    assert "the whole Hub" in both.note
    # A full snapshot of after the article decides; nothing else here does.
    assert (both.decided, "beside" in both.extra) == (None, False)
    slice_ = ratio(source="cut-2026-05")
    assert (slice_.decided, slice_.value > 1) == ("undetermined", True)


def test_a_counter_that_was_not_read_leaves_an_interval() -> None:
    frame = pd.DataFrame(
        {
            "repository_id": ["Qwen/Qwen2-7B", "a/one", "b/two", "c/three"],
            "organisation": ["Qwen", "a", "b", "c"],
            "downloads_30d": pd.array([9, 50, None, 3], dtype="Int64"),
            "base_models": [None, *[["Qwen/Qwen2-7B"]] * 3],
            "base_relation": [None, "finetune", "adapter", "quantized"],
        }
    )
    frame["base_models"] = frame["base_models"].astype(raw_lists())
    spec = TOTAL | {"source": "hub-2026-09", "minimum": "10"}
    found = derivative_checks.total(world_with(frame), spec, 1.0)
    assert (found.lower, found.upper, found.decided) == (1, 2, "undetermined")


def raw_lists() -> Any:
    from analysis.snapshot import FIELDS

    return FIELDS["base_models"].pandas_dtype


# ------------------------------------------------------------------------ one number a base

FAMILIES = builder.load_rules().families
SEVERAL = {"qwen": 1.5, "llama": 2.0}
NO_WAVES = pd.DataFrame({"repository_id": [], "bulk": pd.array([], dtype=bool), "excess": []})


@given(
    st.dictionaries(
        st.sampled_from(["Qwen/Qwen2-7B", "Qwen/Qwen3-8B", "meta-llama/Llama-2-7b", "x/y"]),
        st.integers(0, 50_000),
        min_size=1,
    )
)
@settings(max_examples=25, deadline=None)
def test_ends_of_a_sum_over_bases_hold_together(counts: Mapping[str, int]) -> None:
    frame = pd.DataFrame({"repository_id": list(counts), "derivatives": list(counts.values())})
    for got in stock.of_bases(frame, FAMILIES, Asked(), NO_WAVES, SEVERAL).values():
        assert got.hard_lower <= got.lower <= got.value == got.upper == got.hard_upper


def test_a_family_that_a_table_does_not_look_at_is_absent_and_not_zero() -> None:
    frame = pd.DataFrame({"repository_id": ["Qwen/Qwen2-7B"], "derivatives": [5]})
    got = stock.of_bases(frame, FAMILIES, Asked(), NO_WAVES, SEVERAL)
    assert set(got) == {"qwen"}


def test_how_often_a_sum_counts_twice_is_measured() -> None:
    several = derivative_checks._several(load_evidence())
    assert several["qwen"] == pytest.approx(3_082 / 3_005)
    assert 1 < several["llama"] < 1.02


# ------------------------------------------------------------------------------- rule files


def declared() -> dict[str, Any]:
    return dict(raw.declared("slices"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"several_bases": "nowhere"}, "several_bases: no slice is called 'nowhere'"),
        ({"slice": []}, "no slice is called"),
        ({"slices": []}, "slices: Extra inputs"),
    ],
)
def test_a_wrong_list_of_slices_is_one_clear_error(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=r"data/slices\.toml: .*" + words):
        slices.parse(declared() | change)


def test_a_slice_with_an_upper_end_is_refused() -> None:
    content = declared()
    content["slice"] = [dict(one) for one in content["slice"]]
    content["slice"][1]["upper"] = True
    with pytest.raises(InputError, match="slice-2025-06: a slice has no upper end"):
        slices.parse(content)


def test_a_slice_named_twice_is_refused() -> None:
    content = declared()
    content["slice"] = [*content["slice"], content["slice"][0]]
    with pytest.raises(InputError, match="slices named twice: counts-2025-02"):
        slices.parse(content)


def test_every_slice_is_of_registered_versions() -> None:
    registry = raw.load_registry()
    for one in slices.parse(declared()).slice:
        for version in one.versions:
            registry.find(version)


# ------------------------------------------------------------------------------ derived tables


def test_months_add_up_to_the_counts() -> None:
    world = evidence_world()
    bases, months = chapter.bases(world), chapter.months(world)
    assert months["derivatives"].sum() == bases["derivatives"].sum()
    qwen = months[(months["family"] == "Qwen") & months["bulk"]]
    wave = qwen[qwen["month"].between("2024-07", "2024-10")]["derivatives"].sum()
    assert wave / qwen["derivatives"].sum() > 0.9


def test_the_last_span_is_one_that_every_base_reaches() -> None:
    table = chapter.last_span(evidence_world())
    assert table[["first", "last"]].drop_duplicates().to_numpy().tolist() == [
        ["2024-12-21", "2025-01-20"]
    ]
    bare = table[~table["bulk"]].set_index("family")["derivatives"].round().to_dict()
    assert (bare["Qwen"], bare["Llama"]) == (4_193, 3_955)


@given(st.integers(0, 400), st.integers(1, 60), st.lists(st.integers(0, 50), min_size=1))
@settings(max_examples=25, deadline=None)
def test_spans_spread_what_was_gained_and_lose_nothing(
    start: int, length: int, gained: list[int]
) -> None:
    created = pd.Timestamp("2024-01-31T12:00:00", tz="UTC")
    counts = pd.DataFrame(
        {
            "repository_id": "a/b",
            "created_at": created,
            "month": range(len(gained) + 1),
            "derivatives": pd.Series([0, *gained]).cumsum(),
        }
    )
    end = stock.counted_until(counts)["a/b"]
    assert end == created + pd.DateOffset(months=len(gained))
    first = created + pd.Timedelta(days=start)
    middle = first + pd.Timedelta(days=length)
    whole = [(created, first), (first, middle), (middle, max(middle, end))]
    parts = [float(stock.gained_between(counts, low, high)["a/b"]) for low, high in whole]
    assert sum(parts) == pytest.approx(sum(gained))


def test_concentration_by_family() -> None:
    table = chapter.concentrated(evidence_world())
    table = table[table["source"] == "counts-2025-02"].set_index("family")
    assert table.loc["Qwen", ["derivatives", "half"]].tolist() == [93_668, 2]
    assert table.loc["Qwen", "top3"] == pytest.approx(0.7728, abs=5e-5)
    assert table["left_out"].to_dict() == {"Qwen": 4, "Gemma": 2, "Llama": 0, "DeepSeek": 0}


def test_llama_leads_without_bulk_uploads_at_every_setting_of_the_rule() -> None:
    table = chapter.settings(evidence_world())
    assert len(table) == 13
    assert table["ratio"].max() < 0.6
    assert (table["llama"] == 37_055).all()


def test_the_wave_is_not_seen_where_use_is_looked_for() -> None:
    table = chapter.seen(evidence_world()).set_index("repository_id")
    first = table.loc["Qwen/Qwen1.5-0.5B"]
    assert first[["counts-2025-02", "slice-2025-06", "roots-2026-03"]].tolist() == [33_592, 6, 164]
    # Instruct models declare a base, so a list of roots does not have them at all.
    assert math.isnan(table.loc["meta-llama/Llama-3.1-8B-Instruct", "roots-2026-03"])


def test_llama_leads_too_without_every_base_that_use_hardly_shows() -> None:
    table = chapter.faded(evidence_world()).set_index("family")
    # A rule of use, not of months: it finds the bulk bases again, and three of Llama's.
    named = {one for bases in table["bases"] for one in bases.split(", ") if one}
    assert named - BULK == {f"meta-llama/Llama-2-{name}" for name in ("7b", "7b-chat", "13b")}
    assert named >= BULK
    assert table.loc["Llama", "derivatives_without"] > table.loc["Qwen", "derivatives_without"]


def test_a_question_names_only_known_choices() -> None:
    with pytest.raises(InputError, match="relation 'cousins'"):
        stock._known(dataclasses.replace(Asked(), relation="cousins"))
    for name in ("derivatives_total", "derivatives_ratio"):
        assert name in checks.CHECKS


def test_tables_set_sources_and_families_side_by_side() -> None:
    world = evidence_world()
    leads = chapter.leads(world).set_index(["source", "rule"])["ratio"]
    assert leads["slice-2025-06", "names a base"] == pytest.approx(3_005 / 2_339)
    assert leads["counts-2025-02", "bulk uploads left out"] < 1
    steps = chapter.minimum(world)
    qwen = steps[(steps["source"] == "cut-2026-05") & (steps["family"] == "Qwen")]
    assert qwen["derivatives"].tolist() == [455, 442, 279, 88, 61]
    assert steps.loc[steps["source"] == "slice-2025-06", "minimum"].unique().tolist() == [10]
    assert chapter.described(world)["source"].is_unique
    assert len(chapter.rule(world)) == 5
    ends = chapter.curves(world).groupby("family")["share"].last()
    assert ends.to_dict() == pytest.approx(dict.fromkeys(ends.index, 1.0))
