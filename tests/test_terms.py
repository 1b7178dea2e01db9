"""What licences cost: classes, shares with their ends, newest models; and how many firms to ask."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from analysis import raw
from analysis.builder.chapters import terms as chapter
from analysis.claims import checks, register, results
from analysis.claims import terms as claims_terms
from analysis.errors import InputError
from analysis.measure import terms
from tests.support.worlds import load_world

RULES = terms.parse(raw.declared("terms"))
REGISTER = register.parse(raw.declared("claims"))
CLAIM = REGISTER.find("zero-licence-cost")


def of(*kinds: str | None) -> pd.Series:
    return pd.Series(list(kinds), index=[f"A/{n}" for n in range(len(kinds))], dtype="object")


def test_a_licence_falls_into_the_class_of_its_name_or_its_group() -> None:
    names = of("kimi-k3", None, "tongyi-qianwen-research", "kimi-k3", None)
    declared = of("other", "apache-2.0", "other", "mit", None)
    groups = of("unnamed", "apache", "qwen-research", "mit", "undeclared")
    # A licence of the Hub's list is what it is, whatever a card calls it.
    assert terms.classes(names, declared, groups, RULES).tolist() == [
        *("unread", "free", "research", "free", "unknown"),
    ]


def test_a_licence_that_no_class_lists_stays_open() -> None:
    got = terms.classes(of(None), of("new-licence"), of("new-group"), RULES)
    assert got.isna().all()
    assert terms.answers(got, "anyone", RULES).tolist() == [terms.OPEN]


@pytest.mark.parametrize(
    ("free", "wanted"),
    [
        ("anyone", ["free", "not", "not", "not", "open"]),
        ("below", ["free", "free", "open", "not", "open"]),
        ("research", ["free", "free", "free", "free", "open"]),
        ("fee", ["free", "free", "free", "free", "free"]),
    ],
)
def test_what_counts_as_free_widens_step_by_step(free: str, wanted: list[str]) -> None:
    kinds = of("free", "bound", "unread", "research", "unknown")
    assert terms.answers(kinds, free, RULES).tolist() == wanted


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([terms.FREE, terms.NOT, terms.OPEN]),
            st.one_of(st.none(), st.integers(0, 10**9)),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_the_share_of_the_known_lies_between_the_ends(rows: list[tuple[str, int | None]]) -> None:
    answer = of(*(word for word, _ in rows))
    weights = pd.Series([w for _, w in rows], index=answer.index, dtype="Float64")
    told, low, high = terms.share(answer, weights)
    if weights.fillna(0).sum() == 0:
        assert low != low
        return
    assert 0 <= low <= high <= 1 + 1e-12
    if told == told:
        assert low - 1e-12 <= told <= high + 1e-12
    if terms.OPEN not in answer.tolist():
        assert low == pytest.approx(high)


@given(
    base=st.floats(0.05, 0.4),
    difference=st.floats(0.02, 0.2),
    power=st.floats(0.6, 0.95),
)
def test_the_firms_asked_find_the_difference_with_the_power_declared(
    base: float, difference: float, power: float
) -> None:
    number = terms.firms(base, difference, 0.95, power)
    other = base + difference
    middle = (base + other) / 2
    line = norm.ppf(0.975) * (2 * middle * (1 - middle) / number) ** 0.5
    spread = ((base * (1 - base) + other * (1 - other)) / number) ** 0.5
    assert norm.sf((line - difference) / spread) >= power - 1e-6
    # One firm less in each region would not do.
    if number > 3:
        fewer = norm.ppf(0.975) * (2 * middle * (1 - middle) / (number - 1)) ** 0.5
        wider = ((base * (1 - base) + other * (1 - other)) / (number - 1)) ** 0.5
        assert norm.sf((fewer - difference) / wider) < power + 1e-6
    assert terms.firms(base, difference, 0.95, power, waves=2) > number


def test_a_textbook_number_of_firms() -> None:
    # Fleiss, Levin and Paik, without correction for continuity: 0.6 against 0.7, 95 %, 80 %.
    assert terms.firms(0.6, 0.1, 0.95, 0.8) == 356


def test_three_waves_are_refused() -> None:
    with pytest.raises(InputError, match="waves: 3"):
        terms.firms(0.1, 0.1, 0.95, 0.8, waves=3)


def _better_at_worst(rules: dict[str, Any]) -> None:
    rules["terms"][0] |= {"at_best": "fee", "at_worst": "anyone"}


def _twice(rules: dict[str, Any]) -> None:
    rules["terms"][0]["names"] = ["kimi-k3"]


def _no_room(rules: dict[str, Any]) -> None:
    rules["survey"]["differences"] = [0.95]


def _no_pattern(rules: dict[str, Any]) -> None:
    rules["grants"]["free"] = "("


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_better_at_worst, "at_best must not be less free"),
        (_twice, "name named twice: kimi-k3"),
        (_no_room, "leave room above the base"),
        (_no_pattern, "is no regular expression"),
    ],
)
def test_wrong_rules_are_one_line(spoil: Callable[[dict[str, Any]], None], says: str) -> None:
    rules = copy.deepcopy(dict(raw.declared("terms")))
    spoil(rules)
    with pytest.raises(InputError, match=says) as caught:
        terms.parse(rules)
    assert "\n" not in str(caught.value)
    assert "data/terms.toml" in str(caught.value)


def test_a_day_without_a_source_names_those_there_are() -> None:
    with pytest.raises(InputError, match="the days are: 2025-10-12"):
        RULES.on(date(2024, 1, 1))


# ------------------------------------------------------------------------------- real files


@pytest.fixture(scope="module")
def world(mirror: object) -> Any:
    return load_world()


def test_every_licence_of_a_chinese_maker_has_a_class(world: Any) -> None:
    for source in RULES.source:
        table = claims_terms.catalogue(world, source.day)
        assert len(table) > 100
        missing = table[table["terms"].isna()]
        assert missing.empty, missing[["declared", "name", "group"]].drop_duplicates()


def test_the_complete_catalogues_give_the_articles_reading(world: Any) -> None:
    got = checks.evaluate(world, CLAIM, CLAIM.article)
    # 260 free for anyone and 53 below a line, of 440; 42 texts not read, 62 licences not known.
    assert got.extra["free_of"] == 313
    assert got.extra["licence_open"] == 104
    assert got.population == 440
    assert got.lower == pytest.approx(313 / 440)
    assert got.upper == pytest.approx(417 / 440)
    assert got.value == pytest.approx(313 / 336)


def test_names_read_later_are_no_part_of_what_the_data_force(world: Any) -> None:
    got = checks.evaluate(world, CLAIM, CLAIM.article)
    # Without them 268 are free and 4 are for research, by the maker's texts; 168 are open.
    assert got.hard_lower == pytest.approx(268 / 440)
    assert got.hard_upper == pytest.approx(436 / 440)
    table = chapter.names_table(world).set_index("day")
    first = table.loc["2025-10-12"]
    assert first[["other", "named", "named_later", "inherited"]].tolist() == [151, 104, 104, 49]
    # The catalogues themselves name no licence, and later files inherit none of another day's.
    assert (table["named_later"] >= table["inherited"]).all()
    own = claims_terms.catalogue(world, RULES.source[0].day)
    assert own.loc[own["inherited"], "copy"].all()
    changed = own[own["terms"] != own["terms_then"]]
    assert changed["named_later"].all()
    assert (changed["terms_then"] == "unknown").all()
    record, _ = results.evaluate(world, CLAIM, REGISTER)
    assert record["hard_interval"] != record["interval"]
    assert "a licence name that was read later" in record["recreated"]["reason"]


def test_what_the_data_force_is_never_narrower(world: Any) -> None:
    table = checks.run(world, CLAIM)
    assert (table["hard_lower"] <= table["lower"] + 1e-12).all()
    assert (table["hard_upper"] >= table["upper"] - 1e-12).all()
    # The whole interval decides, so what it leaves on both sides is open.
    crossing = (table["lower"] <= CLAIM.stated) & (table["upper"] > CLAIM.stated)
    assert (crossing == (table["holds"] == "undetermined")).all()
    assert set(table["holds"]) == {"yes", "no", "undetermined"}


def test_parts_into_which_later_names_enter_are_inferred(world: Any) -> None:
    table = chapter.shares_table(world)
    assert set(table.loc[table["day"] <= "2026-05-06", "grade"]) == {"inferred"}
    assert set(table.loc[table["day"] > "2026-05-06", "grade"]) == {"computed"}


def test_files_of_after_the_article_decide_nothing(world: Any) -> None:
    record, table = results.evaluate(world, CLAIM, REGISTER)
    assert table["day"].isin(["2025-10-12", "2026-05-04"]).all()
    assert record["later"]["verdict"] == "not checkable"
    assert record["recreated"]["verdict"] == "not checkable"
    assert "71 to 95 %" in record["finding"]


def test_each_choice_changes_some_answer(world: Any) -> None:
    table = checks.run(world, CLAIM)
    for name, choices in CLAIM.grid.items():
        others = [other for other in CLAIM.grid if other != name]
        wide = table.pivot(index=others, columns=name, values="holds")
        for one in choices[1:]:
            assert (wide[choices[0]] != wide[one]).any(), (name, one)


def test_the_newest_models_are_shown_by_name(world: Any) -> None:
    table = chapter.newest_table(world).set_index("repository_id")
    assert table.loc["moonshotai/Kimi-K3", "licence"] == "kimi-k3"
    assert table.loc["Qwen/Qwen3.8-2.4T-A95B", "licence"] == "qwen3.8-max"
    # Its text was not read: that it adds conditions is inferred from its having a name.
    assert table.loc["Qwen/Qwen3.8-2.4T-A95B", "conditions"] == "own licence, not read"
    assert table.loc["Qwen/Qwen3.8-2.4T-A95B", "grade"] == "inferred"
    assert table.loc["zai-org/GLM-5.2", ["conditions", "grade"]].tolist() == ["none", "computed"]
    assert table["parameters"].is_monotonic_decreasing


def test_all_texts_are_royalty_free_and_worldwide(world: Any) -> None:
    table = chapter.grants_table(world)
    assert len(table) == 9
    assert table["free_line"].notna().all()
    assert table["worldwide_line"].notna().all()
    policies = table.loc[table["policy_line"].notna(), "text"]
    assert policies.tolist() == [f"licence-llama-{n}" for n in ("2", "3", "3.1", "3.2", "3.3", "4")]
    assert table.loc[table["non_commercial_line"].notna(), "text"].tolist() == [
        "licence-qwen-research"
    ]


def test_the_forecast_on_europe_cannot_be_checked(world: Any) -> None:
    record, table = results.evaluate(world, REGISTER.find("europe-adopts-faster"), REGISTER)
    assert table.empty
    assert record["recreated"]["verdict"] == "not checkable"
    assert record["later"]["verdict"] == "no later snapshot"
    # Faster asks each region twice; the base is said to be assumed.
    assert "an assumed 11 %" in record["finding"]
    assert "1,347 firms in each region and wave" in record["finding"]


def test_the_index_says_of_commercial_use_as_a_stranger(world: Any) -> None:
    table = chapter.index_table(world).set_index("licence")
    assert table.loc["DEEPSEEK LICENSE AGREEMENT", ["models", "allowed"]].tolist() == [7, 7]
    assert table.loc["Qwen License Agreement", "allowed"] == 1
    assert table.loc["MINIMAX COMMUNITY LICENSE", ["allowed", "forbidden"]].tolist() == [0, 1]
    assert table["models"].sum() == 161
    assert (table["allowed"] + table["forbidden"] + table["not_said"] == table["models"]).all()
    assert set(table["grade"]) == {"published"}
