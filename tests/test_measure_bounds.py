"""Hard bounds: against known truths, against an oracle, and on the real readings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.claims.world import World
from analysis.measure import bounds
from analysis.measure.bounds import SLACK, WINDOW, History, Interval
from tests.support import worlds

START = date(2025, 1, 1).toordinal()
LENGTH = 110


@pytest.fixture(scope="module")
def world(mirror: Path) -> World:
    return worlds.load_world()


# ------------------------------------------------------------------ a truth and its readings


@dataclass(frozen=True)
class Truth:
    """A counter known on every day, and what somebody read of it."""

    total: tuple[int, ...]
    history: History

    def all_time(self, day: int) -> int:
        return self.total[min(max(day - START, 0), LENGTH - 1)]

    def rolling(self, day: int, end: int = 0, start: int = 0) -> int:
        """The counter of a window whose edges lie so many days off."""
        return self.all_time(day + end) - self.all_time(day - WINDOW + start)


@st.composite
def truths(draw: st.DrawFn, largest_spread: int = 6) -> Truth:
    born = draw(st.integers(1, 60))
    steps = draw(st.lists(st.integers(0, 50), min_size=LENGTH, max_size=LENGTH))
    total = np.cumsum([0 if place < born else step for place, step in enumerate(steps)])
    truth = Truth(tuple(int(value) for value in total), History())
    days = st.integers(START + 32, START + LENGTH - 3)
    rolling = draw(st.lists(days, max_size=6, unique=True))
    all_time = []
    either = st.one_of(days, st.sampled_from(rolling)) if rolling else days
    for day in draw(st.lists(either, max_size=6, unique=True)):
        spread = draw(st.sampled_from([0, 0, largest_spread]))
        early = draw(st.integers(0, spread))
        all_time.append((day - early, day - early + spread, truth.all_time(day)))
    exact = {first for first, last, _ in all_time if first == last}
    edge = st.integers(-SLACK, SLACK)
    # Nobody reads the counter of a repository that does not exist: no edge reaches into its life.
    ends = {d: 0 if d in exact or d < START + born else draw(edge) for d in rolling}
    read = {day: truth.rolling(day, ends[day], draw(edge)) for day in rolling}
    ceilings = [
        (day, truth.rolling(day, SLACK, -SLACK) + draw(st.integers(0, 100)))
        for day in draw(st.lists(days, max_size=3, unique=True))
    ]
    history = History(
        rolling=tuple(sorted(read.items())),
        all_time=tuple(sorted(all_time)),
        ceilings=tuple(sorted(ceilings)),
        created=START + born if draw(st.booleans()) else None,
        together=tuple(sorted((d, v) for d, v in read.items() if d in exact)),
    )
    return replace(truth, history=history)


QUERIES = tuple(range(START + 32, START + LENGTH - 2))


@settings(max_examples=60, deadline=None)
@given(truth=truths())
def test_the_truth_is_inside(truth: Truth) -> None:
    read = dict(truth.history.rolling)
    for day, got in zip(QUERIES, bounds.hard_bounds(truth.history, QUERIES), strict=True):
        assert got.how != "conflict"
        if day in read:
            assert got == Interval(read[day], read[day], "read")
        elif got.how == "not created":
            assert truth.rolling(day) == 0
        else:
            for end, start in product((-SLACK, 0, SLACK), repeat=2):
                assert got.lower <= truth.rolling(day, end, start) <= got.upper, (day, got)
    totals = bounds.hard_bounds(truth.history, QUERIES, "downloads_all_time")
    for day, got in zip(QUERIES, totals, strict=True):
        assert got.lower <= truth.all_time(day) <= got.upper, (day - START, got)


@settings(max_examples=40, deadline=None)
@given(truth=truths(), data=st.data())
def test_more_readings_never_widen(truth: Truth, data: st.DataObject) -> None:
    history = truth.history
    fewer = History(
        rolling=tuple(r for r in history.rolling if data.draw(st.booleans())),
        all_time=tuple(r for r in history.all_time if data.draw(st.booleans())),
        ceilings=tuple(r for r in history.ceilings if data.draw(st.booleans())),
        created=data.draw(st.sampled_from([None, history.created])),
        together=history.together,
    )
    fewer = replace(fewer, together=tuple(t for t in history.together if t in fewer.rolling))
    for measure in ("downloads_30d", "downloads_all_time"):
        wide = bounds.hard_bounds(fewer, QUERIES, measure)
        narrow = bounds.hard_bounds(history, QUERIES, measure)
        for less, more in zip(wide, narrow, strict=True):
            assert less.lower <= more.lower
            assert more.upper <= less.upper


def oracle(history: History, source: int, target: int) -> float:
    """Largest c(target) - c(source) that the statements allow: Bellman-Ford on every day.

    Written from the definitions in the module's docstring, day by day and edge by
    edge; it shares no code with the module.
    """
    low, high = START - 40, START + LENGTH + 10
    zero = low - 1
    edges = [(day + 1, day, 0.0) for day in range(low, high)]
    edges.append((low, zero, 0.0))
    for day, value in history.rolling:
        edges.append((day - WINDOW + SLACK, day - SLACK, value))
        edges.append((day + SLACK, day - WINDOW - SLACK, -value))
        if (day, value) in history.together:
            edges.append((day - WINDOW + SLACK, day, value))
            edges.append((day, day - WINDOW - SLACK, -value))
    for first, last, value in history.all_time:
        edges.append((zero, first, value))
        edges.append((last, zero, -value))
    if history.created is not None:
        edges.append((zero, history.created - 1, 0.0))
    far = float("inf")
    distance = dict.fromkeys(range(zero, high + 1), far)
    distance[zero if source < low else source] = 0.0
    changed = True
    while changed:
        changed = False
        for start, end, length in edges:
            if distance[start] + length < distance[end]:
                distance[end] = distance[start] + length
                changed = True
    return distance[zero if target < low else target]


@settings(max_examples=25, deadline=None)
@given(truth=truths(largest_spread=0), day=st.sampled_from(QUERIES))
def test_no_statement_is_wasted(truth: Truth, day: int) -> None:
    history = replace(truth.history, ceilings=())
    (rolling,) = bounds.hard_bounds(history, [day], "downloads_30d")
    (total,) = bounds.hard_bounds(history, [day], "downloads_all_time")
    if rolling.how in ("bounded", "unbounded"):
        assert rolling.upper == oracle(history, day - WINDOW - SLACK, day + SLACK)
        assert rolling.lower == max(0.0, -oracle(history, day - SLACK, day - WINDOW + SLACK))
    if total.how in ("bounded", "unbounded"):
        assert total.upper == oracle(history, -1, day)
        assert total.lower == max(0.0, -oracle(history, day, -1))


@settings(max_examples=40, deadline=None)
@given(truth=truths())
def test_true_readings_never_contradict_and_pass_the_arithmetic(truth: Truth) -> None:
    assert not bounds.contradicts(truth.history)
    assert bounds.falls(truth.history.all_time) == ()
    assert bounds.check_arithmetic({"a/b": truth.history})["violations"].tolist() == [0, 0]


# ------------------------------------------------------------------------------- by hand

DAY = START + 60


def hard(history: History, day: int, measure: str = "downloads_30d", **more: object) -> Interval:
    return bounds.hard_bounds(history, [day], measure, **more)[0]  # type: ignore[arg-type]


def test_a_reading_of_the_day_stands_and_the_largest_wins() -> None:
    assert hard(History(rolling=((DAY, 5), (DAY, 7))), DAY) == Interval(7, 7, "read")
    assert hard(History(all_time=((DAY, DAY, 9),)), DAY, "downloads_all_time").how == "read"
    # What was read is what was read, even where a later reading undercuts it.
    undercut = History(all_time=((DAY, DAY, 9), (DAY + 5, DAY + 5, 8)))
    assert hard(undercut, DAY, "downloads_all_time") == Interval(9, 9, "read")


def test_before_its_creation_a_repository_has_none() -> None:
    history = History(rolling=((DAY, 5),), created=DAY - 3)
    assert hard(history, DAY - 4) == Interval(0, 0, "not created")
    assert hard(history, DAY - 3).how != "not created"


def test_nothing_known_is_unbounded() -> None:
    for measure in ("downloads_30d", "downloads_all_time"):
        assert hard(History(), DAY, measure) == Interval(0, float("inf"), "unbounded")


def test_two_totals_bound_the_window_between_them() -> None:
    before, after = DAY - WINDOW - SLACK, DAY + SLACK
    history = History(all_time=((before, before, 100), (after, after, 160)))
    assert hard(history, DAY) == Interval(0, 60, "bounded")


def test_a_label_with_spread_says_less() -> None:
    before, after = DAY - WINDOW - SLACK, DAY + SLACK
    exact = History(all_time=((before - 6, before - 6, 100), (after, after, 160)))
    blurred = History(all_time=((before - 5, before + 1, 100), (after, after + 6, 160)))
    assert hard(exact, DAY).upper == 60
    assert hard(blurred, DAY).upper == 160


def test_a_list_bounds_its_own_day_only() -> None:
    history = History(ceilings=((DAY, 40),))
    assert hard(history, DAY) == Interval(0, 40, "bounded")
    assert hard(history, DAY + 1).how == "unbounded"


def test_a_total_ties_the_window_only_where_one_source_read_both() -> None:
    total = ((DAY, DAY, 500), (DAY + 31, DAY + 31, 520))
    apart = History(rolling=((DAY, 50),), all_time=total)
    tied = replace(apart, together=((DAY, 50),))
    assert hard(tied, DAY - 1).upper <= hard(apart, DAY - 1).upper
    # c(D) - c(D - 31) >= 50 at the instant of the total, so at most 450 before it.
    day = DAY - WINDOW - SLACK
    assert hard(tied, day, "downloads_all_time").upper == 450
    assert hard(apart, day, "downloads_all_time").upper == 470


def test_contradictions_are_said_and_only_readings_kept() -> None:
    # 100 within a window cannot come after a total of 10.
    history = History(rolling=((DAY, 100),), all_time=((DAY + 1, DAY + 1, 10),))
    assert bounds.contradicts(history)
    assert hard(history, DAY + 10) == Interval(0, float("inf"), "conflict")
    assert hard(history, DAY) == Interval(100, 100, "read")
    assert not bounds.contradicts(History())


def test_one_reading_can_contradict_the_day_of_creation() -> None:
    assert bounds.contradicts(History(rolling=((DAY, 5),), created=DAY + 10))
    assert bounds.contradicts(History(all_time=((DAY, DAY, 5),), created=DAY + 10))
    assert not bounds.contradicts(History(all_time=((DAY, DAY, 5),), created=DAY))


def test_settle_lowers_what_a_later_reading_undercuts() -> None:
    assert bounds.settle(((1, 1, 10), (2, 2, 8), (3, 3, 12))) == ((1, 1, 8), (2, 2, 8), (3, 3, 12))
    assert bounds.settle(((1, 1, 3), (1, 1, 5))) == ((1, 1, 5),)
    # The order of these two is not known: neither undercuts the other.
    assert bounds.settle(((0, 6, 10), (2, 3, 8))) == ((0, 6, 10), (2, 3, 8))
    assert bounds.settle(()) == ()


def test_falls_are_named_by_their_day() -> None:
    assert bounds.falls(((1, 1, 10), (2, 2, 8), (3, 3, 9), (4, 4, 11))) == (2, 3)
    assert bounds.falls(((1, 1, 10), (1, 1, 8), (2, 2, 10))) == ()
    assert bounds.falls(((0, 6, 10), (2, 3, 8), (7, 8, 9))) == (7,)
    assert bounds.falls(((0, 2, 10), (3, 5, 9), (3, 4, 9))) == (3,)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.integers(0, 30)), max_size=8))
def test_settled_readings_do_not_fall_and_only_go_down(
    drawn: list[tuple[int, int, int]],
) -> None:
    readings = [(first, first + spread, value) for first, spread, value in drawn]
    settled = bounds.settle(readings)
    largest = {(f, e): max(v for a, b, v in readings if (a, b) == (f, e)) for f, e, _ in settled}
    assert all(value <= largest[first, last] for first, last, value in settled)
    for _, last, value in settled:
        assert all(value <= v for f, _, v in settled if f > last)
    assert bounds.falls(settled) == ()


def test_a_bound_across_a_correction_says_so() -> None:
    before, after = DAY - WINDOW - 5, DAY + 5
    history = History(all_time=((before, before, 100), (after, after, 160)))
    assert hard(history, DAY).how == "bounded"
    assert hard(history, DAY, corrections=[DAY]).how == "bounded across a correction"
    assert hard(history, DAY, corrections=[after + 1]).how == "bounded"
    assert hard(history, DAY, corrections=[before]).how == "bounded"


def test_a_fall_marks_every_bound_that_was_lowered_to_it() -> None:
    # 160 was corrected to 150 after the reading that bounds DAY from above.
    days = (DAY - WINDOW - 5, DAY + 5, DAY + 12)
    history = History(all_time=tuple(zip(days, days, (100, 160, 150), strict=True)))
    got = hard(history, DAY)
    assert got.upper == 50
    assert got.how == "bounded across a correction"


def test_a_bound_from_within_the_window_sees_a_correction_there() -> None:
    rolling = ((DAY - 10, 400), (DAY + 15, 400))
    inside = ((DAY - 20, DAY - 20, 900), (DAY - 5, DAY - 5, 990))
    history = History(rolling=rolling, all_time=inside)
    assert hard(history, DAY, corrections=[DAY - 10]).how == "bounded across a correction"
    assert hard(history, DAY, corrections=[DAY - 3]).how == "bounded"
    assert hard(replace(history, all_time=()), DAY, corrections=[DAY - 10]).how == "bounded"


def test_meet_prefers_the_firm_interval() -> None:
    assumed = Interval(5, 10, "between-4")
    assert assumed.meet(Interval(0, 20, "bounded")) == assumed
    assert assumed.meet(Interval(7, 20, "bounded")) == Interval(7, 10, "bounded")
    assert assumed.meet(Interval(11, 20, "bounded")) == Interval(11, 20, "bounded")


def test_the_arithmetic_needs_two_readings_inside() -> None:
    one = History(rolling=((DAY, 30),), all_time=((DAY - 10, DAY - 10, 99),))
    assert bounds.check_arithmetic({"a/b": one})["checks"].tolist() == [0, 0]
    two = replace(one, all_time=((DAY - 20, DAY - 20, 50), (DAY - 10, DAY - 10, 99)))
    table = bounds.check_arithmetic({"a/b": two}).set_index("side")
    assert table.loc["inside", "violations"] == 1
    assert table.loc["inside", "worst"] == pytest.approx(49 / 30)
    short = History(
        rolling=((DAY, 30), (DAY - 1, 0)),
        all_time=((DAY - 40, DAY - 40, 5), (DAY + 2, DAY + 2, 20)),
    )
    table = bounds.check_arithmetic({"a/b": short}).set_index("side")
    assert table.loc["outside", ["checks", "violations"]].tolist() == [1, 1]


def readings(*rows: tuple[str, int, int, str, int, str]) -> pd.DataFrame:
    columns = ["repository_id", "day", "spread", "measure", "value", "source"]
    return pd.DataFrame(rows, columns=columns)


def test_histories_collect_what_each_source_said() -> None:
    table = readings(
        ("a/b", DAY, 0, "downloads_30d", 5, "one"),
        ("a/b", DAY, 0, "downloads_all_time", 50, "one"),
        ("a/b", DAY, 0, "downloads_30d", 6, "two"),
        ("a/b", DAY + 1, 6, "downloads_all_time", 60, "panel"),
        ("a/b", DAY + 1, 6, "downloads_30d", 7, "panel"),
        ("c/d", DAY, 0, "downloads_30d", 9, "one"),
    )
    heads = {DAY: (4, frozenset({"c/d"})), DAY - 7: (3, frozenset({"a/b", "c/d"}))}
    made = date.fromordinal(DAY) - timedelta(days=9)
    got = bounds.histories(table, {"a/b": made}, heads, ["a/b", "e/f", "a/b"])
    assert got == {
        "a/b": History(
            rolling=((DAY, 5), (DAY, 6)),
            all_time=((DAY, DAY, 50), (DAY + 1, DAY + 7, 60)),
            ceilings=((DAY, 4),),
            created=DAY - 9,
            together=((DAY, 5),),
        ),
        "e/f": History(ceilings=((DAY - 7, 3), (DAY, 4))),
    }


def test_only_the_source_of_the_largest_total_is_tied() -> None:
    table = readings(
        ("a/b", DAY, 0, "downloads_30d", 5, "one"),
        ("a/b", DAY, 0, "downloads_all_time", 50, "one"),
        ("a/b", DAY, 0, "downloads_30d", 6, "two"),
        ("a/b", DAY, 0, "downloads_all_time", 52, "two"),
        ("c/d", DAY, 0, "downloads_30d", 5, "one"),
        ("c/d", DAY, 0, "downloads_30d", 6, "one"),
        ("c/d", DAY, 0, "downloads_all_time", 50, "one"),
    )
    got = bounds.histories(table, {}, {}, ["a/b", "c/d"])
    assert got["a/b"].together == ((DAY, 6),)
    assert got["c/d"].together == ()


# --------------------------------------------------------------------------- real readings


def test_the_two_counters_agree_on_the_real_panel(world: World) -> None:
    table = bounds.check_arithmetic(world.histories["in"]).set_index("side")
    assert table["violations"].tolist() == [0, 0]
    assert table.loc["outside", "checks"] > 700
    assert table.loc["inside", "checks"] > 200
    assert table.loc["outside", "worst"] > 1 > table.loc["inside", "worst"] > 0.85


def test_labels_taken_at_their_word_contradict(world: World) -> None:
    known = world.readings.loc[
        world.readings["measure"] == "downloads_all_time", "repository_id"
    ].unique()
    exact = bounds.histories(world.readings.assign(spread=0), world.created, {}, known)
    assert sum(bounds.contradicts(history) for history in exact.values()) == 35
    assert not any(bounds.contradicts(world.histories["in"][name]) for name in known)


def test_the_only_real_contradictions_are_of_the_rolling_counter_alone(world: World) -> None:
    found = [name for name, h in world.histories["in"].items() if bounds.contradicts(h)]
    assert 0 < len(found) < 15
    assert all(not world.histories["in"][name].all_time for name in found)


def test_the_correction_of_may_2025_is_seen(world: World) -> None:
    label = date(2025, 5, 14).toordinal()
    fallen = [n for n, h in world.histories["in"].items() if label in bounds.falls(h.all_time)]
    assert len(fallen) == 33
    early = [
        bounds.hard_bounds(world.histories["in"][name], [label], "downloads_all_time")[0]
        for name in fallen
    ]
    assert all("correction" in got.how for got in early)


def test_hidden_totals_lie_inside_the_bounds_of_the_rest(world: World) -> None:
    """Of the real panel after the correction: hide each fifth total, ask the others."""
    later = date(2025, 8, 1).toordinal()
    asked = 0
    for name in sorted(world.histories["in"])[::7]:
        history = world.histories["in"][name]
        exact = [r for r in history.all_time if r[0] == r[1] and r[0] > later]
        for hidden in exact[1:-1:5]:
            rest = replace(
                history,
                all_time=tuple(r for r in history.all_time if r[:2] != hidden[:2]),
                together=tuple(t for t in history.together if t[0] != hidden[0]),
            )
            (got,) = bounds.hard_bounds(rest, [hidden[0]], "downloads_all_time")
            if got.how.startswith("bounded"):
                asked += 1
                assert got.lower <= hidden[2] <= got.upper, (name, hidden, got)
    assert asked > 50
