"""Where the article's figures come from: chains, what they drop, what does not fit together."""

from __future__ import annotations

import copy
import math
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw, tables
from analysis.errors import InputError
from analysis.measure import provenance

DECLARED = raw.declared("provenance")
RULES = provenance.parse(DECLARED)
FIGURES = tables.load("reference/published-figures")
LICENCES = pd.DataFrame(
    {
        "text": ["licence-llama-2", "licence-qwen-tongyi", "licence-qwen-apache"],
        "title": ["a", "b", "c"],
        "licensor": ["Meta", "Alibaba Cloud", "Alibaba Cloud"],
        "date": ["2023-07-18", "2023-08-03", "2004-01"],
        "users": [700_000_000, 100_000_000, None],
    }
)
TABLE = provenance.statements(RULES, FIGURES, LICENCES)
SHORT = provenance.in_short(TABLE).set_index("chain")
CONTRADICTIONS = provenance.contradictions(RULES, FIGURES).set_index("id")


def changed(change: Any) -> provenance.ProvenanceRules:
    """Return the declared rules with `change` applied to a copy of their mapping."""
    mapping = copy.deepcopy(DECLARED)
    change({chain["id"]: chain for chain in mapping["chain"]}, mapping)
    return provenance.parse(mapping)


# ------------------------------------------------------------------------------ the real chains


def test_every_figure_of_the_article_has_a_chain_that_ends_with_it() -> None:
    # The fourteen of issue 10, 6.
    assert set(SHORT.index) == {
        *("over-half", "nearly-a-billion", "february", "next-eight", "summer-2025", "derivatives"),
        *("derivatives-llama", "derivatives-deepseek", "related", "forty-per-cent", "closed"),
        *("open", "llama-70", "hundred-million"),
    }
    last = TABLE.groupby("chain").tail(1)
    assert set(last["id"]) == {"article"}
    assert set(last["stated_first"]) == {"2026-05-06"}


def test_each_claim_of_a_chain_is_in_the_register() -> None:
    claims = {claim["id"] for claim in raw.declared("claims")["claim"]}
    assert set(TABLE["claim"]) <= claims


@pytest.mark.parametrize(
    ("chain", "source", "gap", "age", "dropped"),
    [
        # By hand: 10 April, 8 April, 3 February and 4 August to 6 May 2026.
        ("over-half", "scmp-above-half", 26, 36, "population; definition"),
        ("february", "atom-feb-qwen", 28, 67, "population"),
        ("derivatives", "hf-derivatives-qwen", 92, 310, "period"),
        ("related", "hf-tag-qwen", 92, 310, "period; definition"),
        # Not the newer figure beside it, but the one of August 2025.
        ("forty-per-cent", "atom-new-derivatives-aug-2025", 275, 248,
         "population; period; qualifier"),
    ],
)  # fmt: skip
def test_what_the_article_repeats(
    chain: str, source: str, gap: int, age: int, dropped: str
) -> None:
    row = SHORT.loc[chain]
    assert row["source"] == source
    assert (row["gap_low"], row["gap_high"], row["age_low"]) == (gap, gap, age)
    assert row["dropped"] == dropped


def test_undated_texts_have_no_gap_and_unknown_sources_are_none() -> None:
    assert math.isnan(SHORT.loc["closed", "gap_low"])  # type: ignore[arg-type]
    assert pd.isna(SHORT.loc["hundred-million", "source"])
    assert SHORT.loc["hundred-million", "dropped"] == ""


def test_only_texts_that_say_so_are_documented() -> None:
    sure = TABLE[TABLE["link"] == "documented"]
    named = dict(zip(sure["chain"] + " " + sure["id"], sure["repeats"], strict=True))
    assert named == {
        "closed article": "access-partnership-closed",
        "open article": "access-partnership-open",
        "llama-70 article": "access-partnership-open",
    }


def test_what_the_article_drops_is_kept_apart_from_what_was_gone_before() -> None:
    # The headline had lost the list; the article names the Hub and "early 2026".
    assert SHORT.loc["over-half", "dropped_by_article"] == ""
    assert SHORT.loc["over-half", "dropped_on_the_way"] == "population; definition"
    assert SHORT.loc["llama-70", "dropped_by_article"] == "period"
    assert SHORT.loc["february", "dropped_on_the_way"] == ""
    for row in SHORT.to_dict("records"):
        parts = {*row["dropped_by_article"].split("; "), *row["dropped_on_the_way"].split("; ")}
        assert parts - {""} == set(row["dropped"].split("; ")) - {""}


def test_another_number_of_a_row_does_not_carry_the_first_ones_population() -> None:
    row = CONTRADICTIONS.loc["january-and-february"]
    assert row["a_population"] == "derivatives of Qwen"
    assert str(row["a_describes"]).startswith("not said")
    assert provenance.span(row["a_describes"]) is None
    other = TABLE[(TABLE["chain"] == "derivatives") & (TABLE["id"] == "xinhua-next-eight")]
    assert list(other["describes"]) == [row["a_describes"]]


def test_what_changed_is_computed_from_the_texts() -> None:
    row = TABLE[(TABLE["chain"] == "february") & (TABLE["id"] == "article")].iloc[0]
    assert row["changed"] == "population"
    assert set(TABLE.loc[~TABLE["link"].isin(provenance.REPEATS), "changed"]) == {""}


def test_no_number_of_others_becomes_computed() -> None:
    licence = TABLE["id"].str.startswith("licence-")
    assert set(TABLE.loc[~licence, "grade"]) == {"published"}
    assert set(SHORT["grade"]) == set(CONTRADICTIONS["grade"]) == {"inferred"}


@pytest.mark.parametrize(
    ("id", "result"),
    [
        ("cumulative-share", 46.2),
        ("country-and-family", 9.0),
        ("new-derivatives", 29.0),
        ("eighty-eight-and-eleven", 99.0),
        ("june-and-mid", 17.0),
        ("january-and-february", 65.0),
        ("seven-in-ten", 69.2),
    ],
)
def test_what_does_not_fit_together(id: str, result: float) -> None:
    assert CONTRADICTIONS.loc[id, "result"] == pytest.approx(result, abs=0.05)


def test_113_thousand_was_passed_in_the_winter_by_the_later_rates() -> None:
    # By hand: 38,448 more by 31 July 2026; 183 days at 210 a day, 214 at 180.
    row = CONTRADICTIONS.loc["when-113"]
    assert (row["first"], row["last"]) == ("2025-12-29", "2026-01-28")


# -------------------------------------------------------------------------------------- faults


def test_an_unknown_figure_is_named() -> None:
    rules = changed(lambda chains, _: chains["february"]["step"][0].update(figure="nobody-said"))
    with pytest.raises(InputError, match=r"chain 'february'.*no published figure.*'nobody-said'"):
        provenance.statements(rules, FIGURES, LICENCES)


def test_days_must_not_run_backwards() -> None:
    def swap(chains: Any, _: Any) -> None:
        steps = chains["derivatives"]["step"]
        steps[1], steps[2] = steps[2], steps[1]

    rules = changed(swap)
    with pytest.raises(InputError, match="before the statement above it: order by day"):
        provenance.statements(rules, FIGURES, LICENCES)


def test_what_both_texts_have_was_not_dropped() -> None:
    rules = changed(lambda chains, _: chains["february"].update(dropped=["period"]))
    with pytest.raises(InputError, match="'period' cannot have been dropped"):
        provenance.statements(rules, FIGURES, LICENCES)


def test_a_number_that_is_not_in_the_row_is_refused() -> None:
    rules = changed(lambda chains, _: chains["next-eight"]["step"][2].update(read="2.1"))
    with pytest.raises(InputError, match=r"'2\.1' does not stand in the row"):
        provenance.statements(rules, FIGURES, LICENCES)


def test_a_later_statement_cannot_be_repeated() -> None:
    rules = changed(lambda chains, _: chains["open"]["step"][1].update(repeats="article"))
    with pytest.raises(InputError, match="name an earlier statement"):
        provenance.statements(rules, FIGURES, LICENCES)


def test_a_licence_without_a_number_is_no_statement() -> None:
    rules = changed(
        lambda chains, _: chains["hundred-million"]["licence"][0].update(text="licence-qwen-apache")
    )
    with pytest.raises(InputError, match="no licence text with a number"):
        provenance.statements(rules, FIGURES, LICENCES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda chains, _: chains["february"].update(step=[]), "no statement before"),
        (lambda chains, _: chains["february"]["step"][0].update(link="apart"), "is 'first'"),
        (lambda chains, _: chains["february"]["step"][0].update(dropped=["unit"]), "repeats noth"),
        (lambda chains, _: chains["february"].update(dropped=["blame"]), "chain"),
        (lambda _, mapping: mapping["chain"].append(mapping["chain"][0]), "have the id"),
        (lambda _, mapping: mapping["contradiction"][0].update(rates=["1", "2"]), "two rates"),
    ],
)
def test_a_wrong_rule_file_is_refused(change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        changed(change)


# ---------------------------------------------------------------------------------- properties


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)))
def test_a_day_means_itself_and_lies_in_its_month_and_year(day: date) -> None:
    iso = day.isoformat()
    assert provenance.span(iso) == provenance.Span(day, day)
    for text in (iso[:7], iso[:4], f"{iso[:4]}..{iso[:7]}", f"{iso} (as stated)"):
        meant = provenance.span(text)
        assert meant is not None
        assert meant.first <= day <= meant.last


@given(st.text(max_size=30))
def test_any_text_means_days_in_order_or_nothing(text: str) -> None:
    meant = provenance.span(text)
    assert meant is None or meant.first <= meant.last


@pytest.mark.parametrize(
    "text", ["undated", "2026-13", "2025-02-30", "2026..2025", "1..2..3", "", None]
)
def test_no_day_is_none(text: object) -> None:
    assert provenance.span(text) is None


@given(
    level=st.integers(0, 10**6),
    more=st.integers(0, 10**5),
    rate=st.integers(1, 1000),
)
def test_a_count_passed_a_level_on_the_last_day_at_or_below_it(
    level: int, more: int, rate: int
) -> None:
    day = date(2026, 7, 31)
    when = provenance.passed(day, level + more, level, rate)
    back = (day - when).days
    assert level + more - back * rate <= level
    assert back == 0 or level + more - (back - 1) * rate > level
    assert when + timedelta(days=back) == day


def test_same_stands_for_the_population_above() -> None:
    known = provenance.resolved(FIGURES)
    assert known.loc["atom-cumulative-all", "population"] == (
        "about 1.5 thousand tracked language models; cumulative"
    )
    assert known.loc["atom-feb-next-eight", "population"] == (
        "about 1.5 thousand tracked language models; one month; "
        "the next eight ORGANISATIONS together"
    )
    assert known.loc["atom-china-passes-usa", "population"] == (
        "about 1.5 thousand tracked language models; cumulative"
    )
    assert not known["population"].str.startswith("same").any()
