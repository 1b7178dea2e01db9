"""The three axes: each branch by hand, and rules that no number may break."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw
from analysis.claims import register, results, verdicts
from analysis.claims.outcome import outward, percents_span

RULES = register.parse(raw.declared("claims")).verdict


def claim(comparison: str, **more: Any) -> register.Claim:
    """Return a made-up claim; `grid` has two dimensions of two values unless given."""
    entry: dict[str, Any] = {
        "id": "made-up",
        "group": "A",
        "order": 1,
        "title": "Made up",
        "statement": "Made up.",
        "stated": 100.0,
        "stated_text": "a hundred",
        "comparison": comparison,
        "check": "share",
        "article": {"first": "a", "second": "x"},
        "grid": {"first": ("a", "b"), "second": ("x", "y")},
        "grid_reason": "Made up.",
        "settle": "Nothing.",
    }
    if comparison == "about":
        entry |= {"tolerance": 0.05}
    if comparison == "first-in":
        entry |= {"stated": None, "months": ("2025-06", "2025-07", "2025-08")}
    return register.Claim.model_validate(entry | more)


ABOVE, ABOUT, MONTH = claim("above"), claim("about"), claim("first-in")


@pytest.mark.parametrize(
    ("which", "value", "expected"),
    [
        (ABOVE, 100.1, "yes"),
        (ABOVE, 100.0, "no"),
        (ABOVE, None, "undetermined"),
        (ABOVE, math.nan, "undetermined"),
        (ABOUT, 95.0, "yes"),
        (ABOUT, 94.9, "no"),
        (ABOUT, 105.0, "yes"),
        (ABOUT, 105.1, "no"),
        (ABOUT, math.inf, "no"),
        (MONTH, "2025-06", "yes"),
        (MONTH, "2025-09", "no"),
        (MONTH, None, "undetermined"),
    ],
)
def test_one_value_holds(which: register.Claim, value: float | str | None, expected: str) -> None:
    assert verdicts.holds(which, value) == expected


@pytest.mark.parametrize(
    ("which", "lower", "upper", "expected"),
    [
        (ABOVE, 100.1, 200, "yes"),
        (ABOVE, 50, 100, "no"),
        (ABOVE, 100, 101, "undetermined"),
        (ABOUT, 96, 104, "yes"),
        (ABOUT, 106, math.inf, "no"),
        (ABOUT, 10, 94, "no"),
        (ABOUT, 90, 104, "undetermined"),
        (ABOUT, 96, math.inf, "undetermined"),
    ],
)
def test_an_interval_holds(
    which: register.Claim, lower: float, upper: float, expected: str
) -> None:
    assert verdicts.holds_within(which, lower, upper) == expected


@pytest.mark.parametrize(
    ("which", "lower", "upper", "expected", "words"),
    [
        (ABOVE, 101, 150, "matches", "101.00 to 150.00"),
        (ABOVE, 20, 100, "differs", "at most 100.00"),
        (ABOVE, 20, 101, "not checkable", "both sides"),
        (ABOVE, math.nan, math.nan, "not checkable", "no number"),
        (ABOUT, 100.01, 100.01, "matches", "a hundred"),
        (ABOUT, 101, 101, "matches within rounding", "101.00"),
        (ABOUT, 95, 105, "matches within rounding", "95.00 to 105.00"),
        (ABOUT, 106, 300, "differs", "6.00 above"),
        (ABOUT, 106, math.inf, "differs", "at least 106.00"),
        (ABOUT, 10, 90, "differs", "10.00 below"),
        (ABOUT, 80, 120, "not checkable", "lies inside"),
        (ABOUT, 80, math.inf, "not checkable", "at least 80.00"),
        # Within five per cent at one end only: neither confirmed, nor inside the interval.
        (ABOUT, 104, 106, "not checkable", "near the edge"),
    ],
)
def test_recreated(
    which: register.Claim, lower: float, upper: float, expected: str, words: str
) -> None:
    value = (lower + upper) / 2 if math.isfinite(upper) else None
    got = verdicts.recreated(which, value, lower, upper, RULES)
    assert got.verdict == expected
    assert words in got.reason


@pytest.mark.parametrize(
    ("value", "first", "last", "expected"),
    [
        ("2025-06", "2025-06", "2025-07", "matches"),
        ("2025-08", "2025-08", "2025-08", "matches"),
        ("2025-09", "2025-09", "2025-10", "differs"),
        ("2025-04", "2025-03", "2025-05", "differs"),
        ("2025-09", "2025-08", "2025-09", "not checkable"),
        # Both ends lie outside, but the summer lies between them.
        ("2025-07", "2025-05", "2025-09", "not checkable"),
        (None, "", "", "not checkable"),
    ],
)
def test_recreated_month(value: str | None, first: str, last: str, expected: str) -> None:
    assert verdicts.recreated_month(MONTH, value, first, last).verdict == expected


@pytest.mark.parametrize(
    ("before", "after", "expected", "words"),
    [
        ((50, 100), (101, 150), "matches", "50.00 to 100.00"),
        ((101, 150), (120, 160), "differs", "already before"),
        ((101, 150), (50, 90), "differs", "already before"),
        ((50, 150), (60, 100), "differs", "at most 100.00"),
        ((50, 150), (120, 160), "not checkable", "before, the data allow 50.00 to 150.00"),
        ((50, 90), (80, 160), "not checkable", "80.00 to 160.00"),
    ],
)
def test_a_crossing_needs_both_sides(
    before: tuple[float, float], after: tuple[float, float], expected: str, words: str
) -> None:
    got = verdicts.recreated_crossing(ABOVE, before, after)
    assert got.verdict == expected
    assert words in got.reason


def grid_of(answer: Any, **grid: tuple[str, ...]) -> tuple[register.Claim, pd.DataFrame]:
    """Return a claim with `grid` and the table that `answer` gives for each combination."""
    own = {name: values[0] for name, values in grid.items()}
    which = claim("above", article=own, grid=grid)
    names = list(grid)
    rows = [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*grid.values())]
    return which, pd.DataFrame([{**row, "holds": answer(**row)} for row in rows])


def _counted(yes: int, no: int, undetermined: int) -> pd.DataFrame:
    answers = ["yes"] * yes + ["no"] * no + ["undetermined"] * undetermined
    return pd.DataFrame(
        {"holds": answers, "first": ["a", "b"] * (len(answers) // 2) + ["a"] * (len(answers) % 2)}
    ).assign(second="x")


@pytest.mark.parametrize(
    ("yes", "no", "undetermined", "expected"),
    [
        (10, 0, 0, "robust"),
        (9, 1, 0, "mostly"),
        (9, 0, 1, "mostly"),
        (8, 2, 0, "depends"),
        (1, 9, 0, "fails"),
        (0, 9, 1, "fails"),
        (0, 8, 2, "fails"),
        (0, 5, 5, "not checkable"),
        (0, 4, 6, "not checkable"),
        (1, 4, 5, "depends"),
        (0, 10, 0, "fails"),
        (0, 0, 10, "not checkable"),
        (1, 0, 9, "not checkable"),
        (0, 1, 9, "not checkable"),
        (1, 1, 8, "depends"),
        (27, 3, 0, "mostly"),
        (3, 27, 0, "fails"),
    ],
)
def test_robust(yes: int, no: int, undetermined: int, expected: str) -> None:
    got, choice = verdicts.robust(ABOVE, _counted(yes, no, undetermined), RULES)
    assert got.verdict == expected
    assert f"holds in {yes} of {yes + no + undetermined}" in got.reason
    assert ("undetermined" in got.reason) == (undetermined > 0)
    if max(yes, no, undetermined) == yes + no + undetermined:
        assert choice is None


GRID = {"first": ("a", "b"), "second": ("x", "y")}


def test_the_deciding_choice_is_the_one_that_decides() -> None:
    which, table = grid_of(lambda first, second: "yes" if second == "x" else "no", **GRID)
    assert verdicts.deciding_choice(which, table) == ("second", pytest.approx(1.0))


def test_of_equal_choices_the_first_by_name_is_named() -> None:
    which, table = grid_of(
        lambda first, second: "yes" if (first, second) == ("a", "x") else "no", **GRID
    )
    # One yes of four: variance 3/16; each choice leaves means 1/2 and 0, a third of it.
    assert verdicts.deciding_choice(which, table) == ("first", pytest.approx(1 / 3))


def test_undetermined_counts_half() -> None:
    which, table = grid_of(
        lambda first, second: {"a": "yes", "b": "no"}[first] if second == "x" else "undetermined",
        **GRID,
    )
    # Scores 1, 1/2, 0, 1/2: variance 1/8; by `first` means 3/4 and 1/4 (1/16), by `second` equal.
    assert verdicts.deciding_choice(which, table) == ("first", pytest.approx(0.5))


def test_where_only_the_combination_decides_no_choice_is_named() -> None:
    which, table = grid_of(
        lambda first, second: "yes" if (first == "a") == (second == "x") else "no", **GRID
    )
    assert verdicts.deciding_choice(which, table) == (None, 0.0)
    assert "the choice of" not in verdicts.robust(which, table, RULES)[0].reason


def test_three_levels_by_hand() -> None:
    which, table = grid_of(
        lambda day, missing: "yes" if day == "3" or missing == "for" else "no",
        day=("1", "2", "3"),
        missing=("absent", "for"),
    )
    # Scores 0 1 0 1 1 1: mean 2/3, variance 2/9. Days: 1/2, 1/2, 1 -> 1/18; missing: 1/3, 1 -> 1/9.
    assert verdicts.deciding_choice(which, table) == ("missing", pytest.approx(0.5))
    got, choice = verdicts.robust(which, table, RULES)
    assert (got.verdict, choice) == ("depends", "missing")
    assert "explains 50 % of the difference" in got.reason


@given(st.lists(st.sampled_from(["yes", "no", "undetermined"]), min_size=8, max_size=8))
def test_parts_of_a_full_grid_are_fractions(answers: list[str]) -> None:
    given_answers = iter(answers)
    which, table = grid_of(
        lambda **_: next(given_answers), first=("a", "b"), second=("x", "y"), third=("u", "v")
    )
    choice, part = verdicts.deciding_choice(which, table)
    assert -1e-12 <= part <= 1 + 1e-12
    if choice is None:
        assert part == 0
    shuffled = table.sample(frac=1, random_state=7)
    assert verdicts.deciding_choice(which, shuffled)[0] == choice


@pytest.mark.parametrize(
    ("which", "span", "expected", "words"),
    [
        (ABOVE, (101.0, 150.0), "still holds", "101.00 to 150.00 on 2026-06-01"),
        (ABOVE, (10.0, 100.0), "no longer holds", "at most 100.00"),
        (ABOVE, (10.0, 150.0), "not checkable", "the data allow"),
        (ABOUT, (120.0, math.inf), "no longer holds", "at least 120.00"),
        (ABOUT, (20.0, 80.0), "no longer holds", "at most 80.00"),
        (ABOUT, (96.0, 104.0), "still holds", "96.00"),
    ],
)
def test_later(which: register.Claim, span: tuple[float, float], expected: str, words: str) -> None:
    got = verdicts.later(which, span, "2026-06-01")
    assert got.verdict == expected
    assert words in got.reason


def test_later_data_of_a_part_decide_nothing() -> None:
    got = verdicts.later(claim("above"), (0.6, 0.7), "2026-08-22", "of the 3 that we know 2 are")
    assert (got.verdict, got.reason) == (
        "not checkable", "on 2026-08-22, of the 3 that we know 2 are",
    )  # fmt: skip


def test_without_later_data_the_reason_is_the_registers() -> None:
    assert verdicts.later(ABOVE, None, None).verdict == "no later snapshot"
    told = claim("above", later_reason="The panel has ended.")
    assert verdicts.later(told, None, None).reason == "The panel has ended."


@pytest.mark.parametrize(
    ("unit", "number", "text"),
    [
        ("share", 0.5, "50.0 %"),
        ("downloads", 153.6e6, "153.6 million"),
        ("downloads", 1.66e9, "1.66 billion"),
        ("ratio", 2.0, "2.00"),
        ("share", math.inf, "no limit"),
        ("derivatives", 72_383.0, "72,383"),
        ("users", 700e6, "700 million"),
        ("count", 5.0, "5"),
    ],
)
def test_numbers_are_shown_in_their_unit(unit: str, number: float, text: str) -> None:
    assert verdicts.show(claim("above", unit=unit), number) == text


ENDS = st.tuples(st.floats(0.1, 1e4), st.floats(0.1, 1e4)).map(lambda pair: tuple(sorted(pair)))


@given(ENDS, st.sampled_from([ABOVE, ABOUT]))
def test_a_verdict_is_a_function_of_the_numbers_only(
    ends: tuple[float, float], which: register.Claim
) -> None:
    lower, upper = ends
    other = which.model_copy(
        update={"id": "other", "title": "Other", "statement": "Other.", "settle": "Other."}
    )
    value = (lower + upper) / 2
    first = verdicts.recreated(which, value, lower, upper, RULES)
    assert first == verdicts.recreated(other, value, lower, upper, RULES)
    assert verdicts.holds_within(which, lower, upper) == verdicts.holds_within(other, lower, upper)


@given(ENDS, st.sampled_from([ABOVE, ABOUT]))
def test_first_axis_and_interval_never_contradict(
    ends: tuple[float, float], which: register.Claim
) -> None:
    lower, upper = ends
    word = verdicts.recreated(which, (lower + upper) / 2, lower, upper, RULES).verdict
    answer = verdicts.holds_within(which, lower, upper)
    assert (word, answer) in {
        ("matches", "yes"),
        ("matches within rounding", "yes"),
        ("differs", "no"),
        ("not checkable", "undetermined"),
    } or (math.isclose(lower, 95) or math.isclose(upper, 95))


@given(ENDS, st.floats(0, 1))
def test_wider_data_never_say_more(ends: tuple[float, float], part: float) -> None:
    lower, upper = ends
    narrow = verdicts.recreated(ABOVE, None, lower, upper, RULES).verdict
    wide = verdicts.recreated(ABOVE, None, lower * part, upper / max(part, 0.01), RULES).verdict
    assert wide in (narrow, "not checkable")


@given(ENDS, ENDS)
def test_a_crossing_matches_only_from_below_to_above(
    before: tuple[float, float], after: tuple[float, float]
) -> None:
    word = verdicts.recreated_crossing(ABOVE, before, after).verdict
    assert (word == "matches") == (before[1] <= 100 < after[0])


class TestFindings:
    """The sentence follows the numbers (rows made up)."""

    @staticmethod
    def say(check: str, lower: float, upper: float, **more: Any) -> str:
        own = {"lower": lower, "upper": upper, "day": "2026-02-28", **more}
        stated = {"share": 0.5, "cumulative": 1e9, "month_total": 1.5e8, "next_eight": 2.0}
        record = {
            "interval": [lower, upper],
            "stated_value": stated.get(check, 0.5 if check == "crossing" else 1.0),
            "value": more.get("value"),
            "recreated": {"verdict": more.get("verdict", "differs")},
        }
        return results.FINDINGS[check](record, pd.DataFrame([own]))

    @pytest.mark.parametrize(
        ("lower", "upper", "start"),
        [
            (2.1, 3.0, "Yes: 2.1 to 3.0"),
            (1.0, 2.0, "Less than double"),
            (1.0, 3.0, "1.0 to 3.0 times"),
            (1.0, math.inf, "At least 1.0 times"),
        ],
    )
    def test_next_eight(self, lower: float, upper: float, start: str) -> None:
        assert self.say("next_eight", lower, upper).startswith(start)

    @pytest.mark.parametrize(
        ("lower", "upper", "start"),
        [(1.1, 2.0, "Yes"), (0.5, 1.0, "No"), (0.5, 2.0, "0.5 to 2.0")],
    )
    def test_passes(self, lower: float, upper: float, start: str) -> None:
        text = self.say("passes", lower, upper)
        assert text.startswith(start)
        assert "February 2026" in text

    @pytest.mark.parametrize(
        ("lower", "upper", "words"),
        [(1e8, 2e8, "fits"), (1.6e8, 2e8, "above"), (1e8, 1.4e8, "below")],
    )
    def test_month(self, lower: float, upper: float, words: str) -> None:
        assert words in self.say("month_total", lower, upper)

    def test_cumulative(self) -> None:
        assert self.say("cumulative", 1.6e9, math.inf).startswith("More than stated")
        text = self.say("cumulative", 0.9e9, math.inf, verdict="not checkable")
        assert text.startswith("At least 900 million")

    @pytest.mark.parametrize(
        ("top", "lower", "upper", "words"),
        [
            (0.6, 0.1, 0.2, "cannot rule out"),
            (0.2, 0.6, 0.7, "did hold over half"),
            (0.2, 0.3, 0.7, "30 % to 70 %"),
            (0.2, 0.3, 0.4, "at most 40 %"),
        ],
    )
    def test_share(self, top: float, lower: float, upper: float, words: str) -> None:
        base = {"month": "2026-02", "family_rule": "official", "outliers": "in"}
        table = pd.DataFrame(
            [
                {**base, "population": "hub", "missing": "absent", "lower": 0.0, "upper": top},
                {
                    **base,
                    "population": "tracked",
                    "missing": "absent",
                    "lower": lower,
                    "upper": upper,
                },
            ]
        )
        text = results.FINDINGS["share"]({"stated_value": 0.5}, table)
        assert words in text

    def test_china(self) -> None:
        assert "no month" in self.say("china_us", math.nan, math.nan)
        record = {"value": "2025-06", "interval": ["2025-06", "2025-07"]}
        text = results.FINDINGS["china_us"](record, pd.DataFrame([{}]))
        assert "between June 2025 and July 2025" in text

    def test_crossing(self) -> None:
        more = {"before_lower": 0.3, "before_upper": 0.45, "without_3_5": 0.48}
        assert "rose from at most 45 %" in self.say("crossing", 0.55, 0.6, **more)
        more |= {"before_upper": 0.6, "without_3_5": 0.55}
        text = self.say("crossing", 0.55, 0.6, **more)
        assert text.startswith("No crossing can be dated")
        assert text.endswith("would still be 55 %")


def _grid(values: list[Any]) -> pd.DataFrame:
    specs = itertools.product(("a", "b"), ("x", "y"))
    rows = [
        {"first": one, "second": two, "value": value}
        for (one, two), value in zip(specs, values, strict=True)
    ]
    return pd.DataFrame(rows)


def test_the_spread_goes_to_the_choice_that_makes_it() -> None:
    # On a scale of logarithms both choices double or quadruple: 1/5 and 4/5 of the variance.
    assert verdicts.spread(ABOVE, _grid([1.0, 2.0, 4.0, 8.0])) == pytest.approx(
        {"first": 0.8, "second": 0.2}
    )
    assert list(verdicts.spread(ABOVE, _grid([1.0, 4.0, 2.0, 8.0]))) == ["second", "first"]
    assert verdicts.spread(ABOVE, _grid([3.0, 3.0, 3.0, 3.0])) == {}
    # What has no value explains nothing, and takes no part.
    assert verdicts.spread(ABOVE, _grid([1.0, math.inf, None, 1.0])) == {}
    shares = claim("above", unit="share", stated=0.5)
    assert verdicts.spread(shares, _grid([0.0, 0.1, 0.0, 0.1])) == pytest.approx(
        {"second": 1.0, "first": 0.0}
    )
    months = verdicts.spread(MONTH, _grid(["2024-12", "2025-01", "2024-12", "2025-01"]))
    assert months == pytest.approx({"second": 1.0, "first": 0.0})


@given(st.lists(st.floats(0.01, 1e6), min_size=4, max_size=4))
def test_the_parts_of_a_full_grid_add_up_to_at_most_one(values: list[float]) -> None:
    parts = verdicts.spread(ABOVE, _grid(values))
    assert sum(parts.values()) <= 1 + 1e-6
    assert all(0 <= part <= 1 for part in parts.values())


def test_an_exact_value_is_not_worded_as_an_interval() -> None:
    exact = verdicts.recreated(ABOUT, 103.0, 103.0, 103.0, RULES)
    assert (exact.verdict, exact.reason) == ("matches within rounding", "103.00 for a hundred")
    off = verdicts.recreated(ABOUT, 700.0, 700.0, 700.0, RULES)
    assert (off.verdict, off.reason) == ("differs", "it is 700.00, not 100.00")
    above = verdicts.recreated(ABOVE, 99.0, 99.0, 99.0, RULES)
    assert above.reason == "it is 99.00, and the claim says a hundred"
    assert verdicts.later(ABOVE, (99.0, 99.0), "2026-06-01").reason == "99.00 on 2026-06-01"


def test_what_an_interval_rests_on_is_said_in_the_claims_own_words() -> None:
    which = claim("above", assumption="a list being right")
    assert verdicts.worded(which, 3.0, math.inf) == "at least 3.00"
    assert which.assumption == "a list being right"
    assert claim("above").assumption == ""


@given(
    st.floats(-1e12, 1e12, allow_nan=False),
    st.floats(-1e12, 1e12, allow_nan=False),
    st.integers(0, 3),
)
def test_a_bound_is_rounded_outward_and_by_less_than_a_place(
    one: float, other: float, places: int
) -> None:
    lower, upper = sorted((one, other))
    low, high = outward(lower, upper, places)
    slack = 1e-8 * max(1.0, abs(one), abs(other))
    assert lower - 10**-places - slack <= low <= lower + slack
    assert upper - slack <= high <= upper + 10**-places + slack


def test_a_rounded_number_stays_what_it_is() -> None:
    assert outward(66.0, 73.0) == (66.0, 73.0)
    assert outward(100 * 0.29, 100 * 0.57) == (29.0, 57.0)
    assert percents_span(0.663, 0.7348) == "66 to 74 %"
    assert percents_span(0.5, 0.5) == "50 %"
