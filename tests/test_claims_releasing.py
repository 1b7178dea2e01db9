"""Release velocity and breadth on the real files: golden numbers, days with their sources."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from math import inf
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from analysis import raw, snapshot
from analysis.builder.chapters import releasing as chapter
from analysis.claims import checks, register, releasing, results
from analysis.claims.outcome import Outcome
from analysis.claims.world import World
from analysis.errors import InputError
from tests.support.worlds import load_evidence

pytestmark = pytest.mark.usefixtures("mirror")

REGISTER = register.parse(raw.declared("claims"))
TRACKED = "tracked-2026-05-25"


@pytest.fixture(scope="module")
def world(mirror: object) -> World:
    """What these checks look at: the evidence, and no reading besides."""
    evidence = load_evidence()
    listed = snapshot.read(raw.fetch(TRACKED), "tracked-list").frame["repository_id"]
    empty = evidence.frame(releasing.CUT).iloc[:0].assign(measure="", day=0, value=0)
    return cast(
        World,
        SimpleNamespace(
            evidence=evidence,
            created={},
            tasks={},
            readings=empty[["repository_id", "measure", "day", "value"]],
            inputs=SimpleNamespace(lists={TRACKED: frozenset(listed)}),
        ),
    )


Ask = Callable[..., Outcome]


@pytest.fixture(scope="module")
def ask(world: World) -> Ask:
    def evaluate(name: str, **changes: Any) -> Outcome:
        claim = REGISTER.find(name)
        return checks.evaluate(world, claim, {**claim.article, **changes})

    return evaluate


def counts(got: Outcome) -> tuple[object, object]:
    return got.extra["qwen"], got.extra["llama"]


class TestVelocity:
    def test_qwen_brought_out_more_than_three_models_for_each_llama(self, ask: Ask) -> None:
        got = ask("release-velocity")
        assert counts(got) == (98, 29)
        assert got.value == pytest.approx(3.485, abs=1e-3)
        assert (got.lower, got.upper) == pytest.approx((1.723, 9.569), abs=0.01)
        assert got.decided == "yes"
        assert got.covered == got.population == 429

    @pytest.mark.parametrize(
        ("changes", "qwen", "llama", "decided"),
        [
            ({"unit_counted": "repositories", "copies": "in"}, 362, 67, "yes"),
            ({"unit_counted": "repositories"}, 155, 43, "yes"),
            ({"copies": "in"}, 297, 43, "yes"),
            ({"unit_counted": "releases"}, 31, 9, "yes"),
            ({"window": "last-12-months"}, 56, 4, "yes"),
            ({"window": "since-llama-4"}, 39, 3, "yes"),
            (
                {"window": "since-llama-4", "unit_counted": "releases"}, 9, 2, "undetermined",
            ),
            ({"dates": "corrected", "unit_counted": "releases"}, 29, 9, "yes"),
        ],
    )  # fmt: skip
    def test_the_catalogue_counts(
        self, ask: Ask, changes: dict[str, str], qwen: int, llama: int, decided: str
    ) -> None:
        got = ask("release-velocity", **changes)
        assert counts(got) == (qwen, llama)
        assert got.decided == decided

    def test_by_all_that_the_companies_publish_meta_was_not_slower(self, ask: Ask) -> None:
        changes = {"unit_counted": "repositories", "copies": "in", "window": "last-12-months"}
        october = ask("release-velocity", source="groups-october", **changes)
        assert counts(october) == (171, 230)
        assert october.decided == "undetermined"
        december = ask("release-velocity", source="groups-december", **changes)
        assert counts(december) == (265, 102)
        assert december.decided == "yes"

    @pytest.mark.parametrize("window", ["since-first", "last-12-months", "since-llama-4"])
    @pytest.mark.parametrize("unit", ["repositories", "models", "releases"])
    def test_counts_of_parts_decide_nothing(self, ask: Ask, window: str, unit: str) -> None:
        got = ask("release-velocity", source="all-2026-05", window=window, unit_counted=unit)
        seen, _ = counts(got)
        assert isinstance(seen, int)
        assert seen > 0
        assert (got.lower, got.upper, got.hard_lower, got.hard_upper) == (0, inf, 0, inf)
        assert (got.decided, got.partial, got.population) == ("undetermined", True, 0)
        assert f"{seen} {unit} of Qwen" in got.note

    def test_generations_are_those_that_the_makers_number(self, ask: Ask) -> None:
        changes = {"unit_counted": "generations", "dates": "corrected"}
        got = ask("release-velocity", **changes)
        assert counts(got) == (5, 6)
        assert got.value == pytest.approx(0.85, abs=1e-3)
        assert (got.lower, got.upper) == pytest.approx((0.206, 3.336), abs=0.01)
        assert got.decided == "undetermined"
        year = ask("release-velocity", window="last-12-months", **changes)
        assert counts(year) == (1, 2)
        assert year.decided == "undetermined"

    def test_the_grid_asks_of_generations_only_what_they_can_answer(self) -> None:
        specs = REGISTER.find("release-velocity").specifications()
        own = [spec for spec in specs if spec["unit_counted"] == "generations"]
        assert [spec["window"] for spec in own] == [
            "since-first",
            "last-12-months",
            "since-llama-4",
        ]
        assert len(specs) == 115

    def test_later_data_decide_nothing(self, world: World) -> None:
        claim = REGISTER.find("release-velocity")
        record, table = results.evaluate(world, claim, REGISTER)
        assert record["later"]["verdict"] == "not checkable"
        assert "their ratio may be anything" in record["later"]["reason"]
        parts = table[table["source"] == "all-2026-05"]
        assert set(parts["holds"]) == {"undetermined"}
        assert record["robust"]["verdict"] == "depends"
        assert (record["holds"], record["undetermined"]) == (72, 43)
        # Both groupings of the companies, each with its interval.
        assert "0.7 (0.3 to 1.6) or 2.6 (1.4 to 5.1)" in record["finding"]

    def test_the_tracked_list_dates_every_llama(self, world: World) -> None:
        # What the list names and no file dates is Qwen's: it could only raise the ratio.
        got = releasing.dated(world, "tracked", "official", "created")
        assert got.listed["llama"] == len(got.of("llama")) == 54
        assert got.listed["qwen"] > len(got.of("qwen"))

    def test_the_group_of_qwen_is_the_catalogue(self, world: World) -> None:
        # Two sources, one counter: the weekly group and the catalogue agree to the last one.
        frame = world.evidence.frame("organisation-weeks-2025-10-08")
        group = frame[frame["group"] == "Qwen"]["models"].max()
        rows = releasing.dated(world, "catalogue", "official", "created").of("qwen")
        assert int(group) == len(rows) == 362

    def test_the_catalogue_ends_before_the_day_it_is_dated_by(self, world: World) -> None:
        frame = world.evidence.frame(releasing.CATALOGUE)
        newest = frame["last_modified"].max().date()
        assert newest == releasing.rules_of(world).source["catalogue"].until == date(2025, 10, 10)
        absent = set(world.evidence.frame(releasing.CUT)["repository_id"])
        absent -= set(frame["repository_id"])
        later = releasing.created(world)
        assert "Qwen/Qwen3-VL-4B-Instruct" in absent
        assert later["Qwen/Qwen3-VL-4B-Instruct"] == date(2025, 10, 11)

    def test_a_list_tells_of_repositories_that_no_file_dates(self, world: World) -> None:
        got = releasing.dated(world, "tracked", "official", "created")
        assert got.listed["llama"] >= len(got.of("llama"))
        assert got.listed["qwen"] > len(got.of("qwen"))

    def test_what_is_not_there_is_named(self, world: World) -> None:
        with pytest.raises(InputError, match="no source 'elsewhere'; there are catalogue"):
            releasing.dated(world, "elsewhere", "official", "created")
        with pytest.raises(InputError, match="dates no repository of the family 'yi'"):
            releasing.dated(world, "catalogue", "official", "created").of("yi")


class TestBreadth:
    def test_all_five_kinds_are_there(self, ask: Ask) -> None:
        got = ask("breadth")
        assert (got.value, got.lower, got.upper) == (5, 5, 5)
        assert got.extra["not_seen"] == "none"
        assert got.covered == 362

    def test_by_task_no_new_audio_model_in_the_year_before(self, ask: Ask) -> None:
        got = ask("breadth", told_by="tag", since="last-12-months")
        assert (got.value, got.upper, got.decided) == (4, 4, "no")
        assert got.extra["not_seen"] == "audio"

    def test_what_a_part_does_not_show_may_be_there(self, ask: Ask) -> None:
        got = ask("breadth", source="tree")
        assert (got.value, got.upper, got.decided) == (3, 5, "undetermined")
        assert got.extra["not_seen"] == "base, mathematics"
        cut = ask("breadth", source="cut", told_by="tag")
        assert (cut.value, cut.extra["not_seen"]) == (4, "audio")

    def test_all_files_together_are_not_set_against_themselves(self, ask: Ask) -> None:
        got = ask("breadth", source="all")
        assert got.covered > 362
        assert got.population == 0

    def test_days_are_those_established_by_counters(self, world: World) -> None:
        name = releasing.CUT
        registered = world.evidence.days[name]
        assert releasing.day_read(world, name) == registered
        day = date(2026, 5, 23)
        told = SimpleNamespace(evidence=world.evidence, inputs=SimpleNamespace(days={name: day}))
        assert releasing.day_read(cast(World, told), name) == day != registered

    def test_the_two_ways_to_tell_a_kind_enclose_the_others(self, world: World) -> None:
        # Why the grid needs no more than the widest and the strictest.
        for source in ("catalogue", "cut", "all"):
            for rule in ("official", "organisation"):
                for recent in (False, True):
                    found = {
                        by: releasing.covered_kinds(world, source, by, rule, "qwen", recent)
                        for by in ("name", "tag", "either", "both")
                    }
                    assert found["name"] & found["tag"] >= found["both"]
                    assert found["name"] | found["tag"] <= found["either"]

    def test_the_rivals_by_the_same_rule(self, world: World) -> None:
        named = releasing.kinds_of(world).named
        found = {
            family: [
                kind
                for kind in named
                if kind in releasing.covered_kinds(
                    world, "catalogue", "either", "official", family, recent=False
                )
            ]
            for family in releasing.FAMILIES
        }  # fmt: skip
        assert found["qwen"] == found["mistral"] == list(named)
        assert found["llama"] == found["gemma"] == ["base", "vision", "code"]
        assert found["deepseek"] == ["base", "vision", "mathematics", "code"]
        assert found["phi"] == ["vision", "audio"]

    def test_kinds_of_qwen_counted(self, world: World) -> None:
        rows = releasing.of_kinds(world, "catalogue", "either", "official", "qwen")
        assert rows.groupby("kind", sort=False).size().to_dict() == {
            "base": 51, "vision": 42, "audio": 11, "mathematics": 17, "code": 45,
            "image-generation": 3, "embedding": 6, "reranker": 3, "reward": 9, "guard": 6,
        }  # fmt: skip
        newest = rows[rows["kind"] == "mathematics"]["created_at"].max().date()
        assert newest == date(2025, 1, 13)

    def test_all_files_together_hold_what_each_holds(self, world: World) -> None:
        for told_by in ("name", "either"):
            every = set(
                releasing.of_kinds(world, "all", told_by, "official", "qwen")["repository_id"]
            )
            for source in ("catalogue", "cut", "tree"):
                part = releasing.of_kinds(world, source, told_by, "official", "qwen")
                assert set(part["repository_id"]) <= every


@lru_cache(maxsize=8)
def frame_of(name: str) -> pd.DataFrame:
    return snapshot.read(raw.fetch(name), raw.load_registry().find(name)[0].kind).frame


class TestNamedReleases:
    RELEASES = tuple(raw.declared("releases")["release"])

    @pytest.mark.parametrize(
        "entry", RELEASES, ids=lambda entry: f"{entry['family']}-{entry['name']}"
    )
    def test_each_day_stands_where_the_rule_says(self, entry: dict[str, Any]) -> None:
        day: date = entry["day"]
        path = raw.fetch(entry["source"])
        if entry["how_known"] == "stated":
            line = path.read_text(encoding="utf-8").splitlines()[entry["line"] - 1]
            forms = (
                day.isoformat(),
                f"{day:%Y.%m.%d}",
                f"{day.year}.{day.month}.{day.day}",
                f"{day:%B} {day.day}, {day.year}",
            )
            assert any(form in line for form in forms)
            return
        if entry["how_known"] == "listed":
            rows = json.loads(path.read_text(encoding="utf-8"))
            rows = rows if isinstance(rows, list) else rows.get("data") or rows.get("models")
            found = {row["release_date"] for row in rows if row["name"].strip() == entry["model"]}
            assert found == {day.isoformat()}
            return
        frame = frame_of(entry["source"])
        row = frame[frame["repository_id"] == entry["repository"]].iloc[0]
        column = "released_on" if entry["how_known"] == "corrected" else "created_at"
        assert row[column].date() == day

    def test_the_table_sets_other_days_beside(self, world: World) -> None:
        table = chapter.named_releases_table(world).set_index("release")
        assert table.loc["Qwen3-2507", "day"] == "2025-07-21"
        assert table.loc["Qwen3-2507", "list_of_corrections"] == "2025-07-25"
        assert table.loc["Llama 3.1", "first_created"] == "2024-07-14"
        assert table.loc["Llama 3.1", "days_early"] == 9
        # The pattern of a release covers repositories of its own days only.
        assert table["days_early"].max() <= releasing.rules_of(world).corrected.early
        assert table["days_early"].min() >= 0


class TestTables:
    def test_releases_add_up_to_the_models(self, world: World) -> None:
        table = chapter.releases_table(world)
        rows = releasing.dated(world, "all-2026-08", "official", "created")
        for family, title in (("qwen", "Qwen"), ("llama", "Llama")):
            own = rows.of(family)
            listed = table[table["family"] == title]
            assert listed["models"].sum() == own[own["is_model"]]["model"].nunique()
            assert listed["day"].is_monotonic_increasing
        assert set(table["seen"]) == {"all", "in part"}

    @pytest.mark.slow
    def test_rates_hold_every_way_to_count(self, world: World) -> None:
        table = chapter.rates_table(world)
        assert (
            (table["lower"] <= table["per_month"]) & (table["per_month"] <= table["upper"])
        ).all()
        own = table[(table["source"] == "catalogue") & (table["unit_counted"] == "releases")]
        plain = own[(own["window"] == "since-first") & (own["dates"] == "created")]
        plain = plain[(plain["copies"] == "out") & (plain["family"] == "Qwen")]
        assert dict(zip(plain["days"], plain["count"], strict=True)) == {
            1: 41, 3: 37, 7: 31, 14: 26, 30: 17,
        }  # fmt: skip
        generations = table[
            (table["unit_counted"] == "generations") & (table["source"] == "catalogue")
        ].set_index("family")
        assert generations["count"].to_dict() == {"Qwen": 5, "Llama": 6}
        assert generations.loc["Llama", "ratio_lower"] < 1 < generations.loc["Llama", "ratio_upper"]

    def test_months_only_rise(self, world: World) -> None:
        table = chapter.months_table(world)
        for _, own in table.groupby("family"):
            for name in ("repositories", "models", "releases"):
                assert own[name].is_monotonic_increasing
        last = table[(table["family"] == "Qwen") & (table["day"] == "2025-10-10")].iloc[0]
        assert int(last["models"]) == 98

    @pytest.mark.slow
    def test_breadth_holds_every_family_and_kind(self, world: World) -> None:
        table = chapter.breadth_table(world)
        kinds = len(releasing.kinds_of(world).kind)
        assert len(table) == 4 * 2 * len(releasing.FAMILIES) * kinds
        assert (table["by_both"] <= table["by_name"]).all()
        assert (table["by_name"] <= table["repositories"]).all()
        assert (table["repositories"] <= table["family_repositories"]).all()


@pytest.mark.parametrize(
    ("name", "few", "yes", "no"),
    [
        (
            "release-velocity",
            {
                "unit_counted": ("models", "repositories"), "copies": ("out", "in"),
                "window": ("since-first", "last-12-months"), "dates": ("created",),
                "source": ("catalogue", "groups-october"),
            },
            "Yes: 3.5 new Qwen models for each new Llama model (1.7 to 9.6) by October",
            "No: 0.5 new Qwen models",
        ),
        (
            "breadth",
            {
                "source": ("catalogue", "all"), "told_by": ("either",),
                "family_rule": ("official",),
                "since": ("any-time", "last-12-months"),
            },
            "Yes: Qwen has models of all five kinds; in the year to August 2026",
            "None of the kinds are there",
        ),
    ],
)  # fmt: skip
def test_a_finding_says_what_the_numbers_say(
    world: World, name: str, few: dict[str, tuple[str, ...]], yes: str, no: str
) -> None:
    claim = REGISTER.find(name).model_copy(update={"grid": few})
    table = checks.run(world, claim)
    find = releasing.FINDINGS[str(claim.check)]
    record = {"stated_value": claim.stated}
    assert find(record, table).startswith(yes)
    # Turned round, the same words must not stand for another result.
    table.loc[0, ["value", "lower", "upper"]] = [0.5, 0.2, 0.8]
    assert find(record, table).startswith(no)
    table.loc[0, ["value", "lower", "upper"]] = [3.0, 0.2, 8.0]
    assert not find(record, table).startswith("Yes")
