"""The register: every claim is in it, and a wrong entry is refused by name."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw
from analysis.claims import checks, register, settings
from analysis.errors import InputError

GROUPS = {
    "A": [
        "share-above-half",
        "cumulative-near-billion",
        "february-153-6m",
        "double-next-eight",
        "china-passes-us",
        "qwen-passes-llama",
        "share-crossing-with-3-5",
    ],
    "B": [
        "derivatives-113k",
        "derivatives-ratio",
        "repositories-200k",
        "new-derivatives-40pct",
        "release-waves",
        "domain-derivatives",
    ],
    "C": [
        "licence-apache",
        "llama-100m-threshold",
        "release-velocity",
        "breadth",
        "multilingual",
        "hardware-sizes",
        "qwen25-september-2024",
        "deepseek-r1-january-2025",
    ],
    "D": [
        "enterprise-closed-88",
        "llama-70-of-open",
        "zero-licence-cost",
        "chinese-near-frontier",
        "llama-led-two-years",
        "llama-managed-services",
        "europe-adopts-faster",
        "qwen4-second-half-2026",
    ],
}
REGISTER = register.parse(raw.declared("claims"))
CHECKED = [claim for claim in REGISTER.claim if claim.status in ("checked", "forecast")]
SECOND = [claim.elsewhere for claim in REGISTER.claim if claim.elsewhere is not None]
#: Claims that no source of ours measures.
UNOBSERVED = {"enterprise-closed-88", "llama-70-of-open", "europe-adopts-faster"}
#: Registered, and not yet looked at.
OPEN: set[str] = set()


def test_every_claim_is_registered_in_its_group_and_order() -> None:
    assert sum(map(len, GROUPS.values())) == 29
    for group, names in GROUPS.items():
        of_group = [claim for claim in REGISTER.claim if claim.group == group]
        assert [claim.id for claim in of_group] == names
        assert [claim.order for claim in of_group] == list(range(1, len(names) + 1))


def test_every_claim_is_checked_or_says_why_not() -> None:
    by_status = {s: {c.id for c in REGISTER.claim if c.status == s} for s in ("unobserved", "open")}
    assert by_status == {"unobserved": UNOBSERVED, "open": OPEN}
    every = {name for names in GROUPS.values() for name in names}
    assert {claim.id for claim in CHECKED} == every - UNOBSERVED - OPEN


def test_a_second_instrument_answers_two_claims_under_their_names() -> None:
    assert [claim.id for claim in SECOND] == [
        "qwen-passes-llama-elsewhere",
        "llama-led-two-years-elsewhere",
    ]
    assert all(claim.instrument and claim.status == "checked" for claim in SECOND)


@pytest.mark.parametrize("claim", [*CHECKED, *SECOND], ids=lambda claim: claim.id)
class TestCheckedClaims:
    def test_specifications_are_the_product_of_the_grid_the_articles_first(
        self, claim: register.Claim
    ) -> None:
        specs = claim.specifications()
        assert specs[0] == dict(claim.article)
        names = list(claim.grid)
        product = {
            values
            for values in itertools.product(*claim.grid.values())
            if not any(
                all(dict(zip(names, values, strict=True))[n] in c for n, c in entry.where.items())
                for entry in claim.impossible
            )
        }
        assert {tuple(spec[name] for name in names) for spec in specs} == product
        assert len(specs) == len(product)
        # Every choice is still in some specification: none is declared and then ruled out.
        for name, values in claim.grid.items():
            assert {spec[name] for spec in specs} == set(values)

    def test_every_choice_is_known_to_its_check(self, claim: register.Claim) -> None:
        checks.examine(claim)

    def test_reasons_are_given(self, claim: register.Claim) -> None:
        for text in (claim.article_reason, claim.grid_reason, claim.later_reason, claim.settle):
            assert len(text) > 20

    def test_published_figures_exist(self, claim: register.Claim) -> None:
        path = raw.data_dir() / "reference" / "published-figures.csv"
        known = {line.split(",", 1)[0] for line in path.read_text(encoding="utf-8").splitlines()}
        assert claim.published or claim.group != "A" or claim.instrument
        assert set(claim.published) <= known


def _with(change: dict[str, Any], name: str = "share-above-half") -> dict[str, Any]:
    content = copy.deepcopy(raw.declared("claims"))
    entry = next(claim for claim in content["claim"] if claim["id"] == name)
    for key, value in change.items():
        if value is None:
            del entry[key]
        else:
            entry[key] = value
    return content


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"statement": None}, "statement"),
        ({"group": "E"}, "group"),
        ({"comparision": "above"}, "comparision"),
        ({"stated": None}, "stated"),
        ({"stated": 0.0}, "stated"),
        ({"check": None}, "check"),
        ({"settle": ""}, "settle"),
        ({"comparison": "about"}, "tolerance"),
        ({"comparison": "first-in"}, "months"),
        ({"later": {"moon": "full"}}, "moon"),
        ({"article": {"population": "hub"}}, "same dimensions"),
    ],
)
def test_a_wrong_entry_is_refused_with_claim_and_field(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        register.parse(_with(change))
    message = str(caught.value)
    assert "data/claims.toml" in message
    assert "share-above-half" in message
    assert words in message
    assert "\n" not in message


def test_the_articles_reading_must_be_in_the_grid() -> None:
    grid = dict(REGISTER.find("share-above-half").grid)
    with pytest.raises(InputError, match="population"):
        register.parse(_with({"grid": {**grid, "population": ["tracked"]}}))


def test_a_value_named_twice_would_count_a_specification_twice() -> None:
    grid = dict(REGISTER.find("share-above-half").grid)
    with pytest.raises(InputError, match="outliers twice"):
        register.parse(_with({"grid": {**grid, "outliers": ["in", "out", "in"]}}))


@pytest.mark.parametrize("months", [["2025-06", "2025-08"], ["June"], ["2025-13"]])
def test_months_must_follow_on(months: list[str]) -> None:
    with pytest.raises(InputError, match=r"china-passes-us.*months"):
        register.parse(_with({"months": months}, "china-passes-us"))


def test_a_month_claim_knows_no_later_data() -> None:
    with pytest.raises(InputError, match="later"):
        register.parse(_with({"later": {"measure": "month"}}, "china-passes-us"))


def test_two_claims_of_one_name_are_refused() -> None:
    content = copy.deepcopy(raw.declared("claims"))
    content["claim"].append(copy.deepcopy(content["claim"][-1]))
    with pytest.raises(InputError, match="named twice: qwen4-second-half-2026"):
        register.parse(content)


def test_a_broken_verdict_section_is_named() -> None:
    content = copy.deepcopy(raw.declared("claims"))
    content["verdict"]["mostly"] = 1.5
    with pytest.raises(InputError, match=r"verdict\.mostly"):
        register.parse(content)
    with pytest.raises(InputError, match="claim"):
        register.parse({"verdict": raw.declared("claims")["verdict"], "claim": "none"})


def test_an_unknown_claim_lists_the_known() -> None:
    with pytest.raises(InputError, match="february-153-6m"):
        REGISTER.find("february")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"check": "guess"}, "no check is called 'guess'"),
        ({"check": "cumulative"}, "needs the dimensions population, day"),
    ],
)
def test_an_unknown_check_is_refused(change: dict[str, Any], words: str) -> None:
    claim = register.parse(_with(change)).find("share-above-half")
    with pytest.raises(InputError, match=words):
        checks.examine(claim)


@pytest.mark.parametrize("where", ["grid", "later"])
def test_an_unknown_choice_is_refused(where: str) -> None:
    claim = REGISTER.find("share-above-half")
    if where == "grid":
        grid = {**claim.grid, "missing": ["absent", "hope"]}
        change: dict[str, Any] = {"grid": grid}
    else:
        change = {"later": {"missing": "hope"}}
    wrong = register.parse(_with(change)).find("share-above-half")
    with pytest.raises(InputError, match=r"share-above-half: missing: .hope.*against, for"):
        checks.examine(wrong)


@given(
    st.integers(2000, 2100),
    st.integers(1, 12),
    st.integers(0, 40),
)
def test_months_between_counts_every_month(year: int, month: int, more: int) -> None:
    last = year * 12 + month - 1 + more
    found = register.months_between(f"{year}-{month:02d}", f"{last // 12}-{last % 12 + 1:02d}")
    assert len(found) == more + 1
    assert found == sorted(set(found))


class TestSettings:
    def test_unknown_names_list_the_known(self) -> None:
        days = settings.parse_days(raw.declared("days"))
        populations = settings.parse_populations(raw.declared("populations"))
        with pytest.raises(InputError, match=r"2031-01.*2026-02"):
            days.of_month("2031-01")
        with pytest.raises(InputError, match=r"moon.*named-makers"):
            populations.find("moon")

    def test_a_wrong_entry_is_named(self) -> None:
        content = copy.deepcopy(raw.declared("days"))
        content["anchor"][1]["within"] = -1
        with pytest.raises(InputError, match=r"data/days\.toml: anchor\.1\.within"):
            settings.parse_days(content)
        with pytest.raises(InputError, match=r"data/populations\.toml: population"):
            settings.parse_populations({"population": [{"id": "x"}]})

    def test_every_list_of_a_month_is_registered(self) -> None:
        known = {version.name for _, version in raw.load_registry().by_kind("tracked-list")}
        days = settings.parse_days(raw.declared("days"))
        assert {anchor.list_name for anchor in days.anchor} <= known

    def test_days_of_correction_count_every_day(self) -> None:
        days = settings.parse_days(raw.declared("days"))
        expected = sum((c.last - c.first).days + 1 for c in days.correction)
        assert len(days.corrections) == expected > 0

    def test_the_nearest_anchor_is_the_earlier_of_two(self) -> None:
        days = settings.parse_days(raw.declared("days"))
        for anchor in days.anchor:
            assert days.near(anchor.day) == anchor


def _altered(**more: Any) -> register.Claim:
    base = CHECKED[0].model_dump()
    return register.Claim.model_validate({**base, **more})


def test_impossible_combinations_are_left_out_and_nothing_else() -> None:
    claim = CHECKED[0]
    first, second = list(claim.grid)[:2]
    chosen = {first: (claim.grid[first][-1],), second: (claim.grid[second][-1],)}
    less = _altered(impossible=[{"where": chosen, "reason": "made up for this test"}])
    left = [s for s in claim.specifications() if s not in less.specifications()]
    assert left
    assert all(s[first] in chosen[first] and s[second] in chosen[second] for s in left)
    size = len(claim.grid[first]) * len(claim.grid[second])
    assert len(left) == len(claim.specifications()) // size
    assert less.specifications()[0] == dict(claim.article)


def test_an_impossible_combination_has_to_be_of_the_grid_and_not_the_article() -> None:
    claim = CHECKED[0]
    name = next(iter(claim.grid))
    for where in ({name: ("no such choice",)}, {"no_such_dimension": ("x",)}):
        with pytest.raises(ValueError, match="not in the grid"):
            _altered(impossible=[{"where": where, "reason": "made up for this test"}])
    with pytest.raises(ValueError, match="article's own reading"):
        _altered(
            impossible=[{"where": {name: (claim.article[name],)}, "reason": "made up for a test"}]
        )


def test_words_belong_to_a_choice() -> None:
    with pytest.raises(ValueError, match="no dimension or choice"):
        _altered(words={"no_such_dimension": "x"})


def _entry(name: str, **change: object) -> dict[str, Any]:
    """Return the register with one entry of `name` changed."""
    content = copy.deepcopy(raw.declared("claims"))
    next(claim for claim in content["claim"] if claim["id"] == name).update(change)
    return content


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("europe-adopts-faster", {"unobserved": ""}, "needs unobserved"),
        ("europe-adopts-faster", {"settle": ""}, "needs settle"),
        ("europe-adopts-faster", {"check": "share"}, "no check and no grid"),
        ("share-above-half", {"status": "forecast"}, "first-in"),
        ("share-above-half", {"elsewhere": {"statement": "x", "stated_text": "y"}}, "needs"),
        (
            "share-above-half",
            {"elsewhere": {"statement": "x", "stated_text": "y", "status": "open"}},
            "instrument",
        ),
        (
            "share-above-half",
            {
                "elsewhere": {
                    "statement": "x",
                    "stated_text": "y",
                    "status": "open",
                    "instrument": "z",
                }
            },
            "one checked entry",
        ),
    ],
)
def test_an_entry_without_numbers_or_with_a_second_answer_is_examined(
    name: str, change: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        register.parse(_entry(name, **change))
    assert name in str(caught.value)
