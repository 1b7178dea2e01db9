"""Shares inside one snapshot, and what the rows it lacks could change."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.measure import snapshots
from analysis.measure.snapshots import Part


def counters(**values: int | None) -> pd.Series:
    return pd.Series(
        list(values.values()), index=[n.replace("_", "/") for n in values], dtype="Int64"
    )


LABEL = {"q/one": "qwen", "q/two": "qwen", "q/gone": "qwen", "l/one": "llama", "m/gone": "mistral"}
SEEN = counters(q_one=30, q_two=10, l_one=40, x_one=20, l_null=None)


def test_the_rows_present() -> None:
    got = snapshots.tabulate(SEEN, LABEL)
    assert (got.total, got.covered, got.population) == (100, 4, 4)
    assert got.groups == {
        "llama": Part(40, 0.4, 0.4, 0.4, 1, 0),
        "qwen": Part(40, 0.4, 0.4, 0.4, 2, 0),
    }
    assert list(got.groups) == ["llama", "qwen"], "as many downloads: names in order"


def test_missing_repositories_widen() -> None:
    wanted = ["q/one", "q/two", "l/one", "q/gone", "m/gone", "y/gone"]
    got = snapshots.tabulate(SEEN, LABEL, wanted, cap=20.0)
    assert (got.total, got.covered, got.population) == (80, 3, 6)
    qwen = got.groups["qwen"]
    assert (qwen.share, qwen.repositories, qwen.missing) == (0.5, 2, 1)
    assert (qwen.lower, qwen.upper) == (40 / (80 + 2 * 20), 60 / 100)
    mistral = got.groups["mistral"]
    assert mistral == Part(0, 0.0, 0.0, 20 / 100, 0, 1)
    assert list(got.groups) == ["llama", "qwen", "mistral"]
    open_ended = snapshots.tabulate(SEEN, LABEL, wanted)
    assert (open_ended.groups["qwen"].lower, open_ended.groups["qwen"].upper) == (0.0, 1.0)
    assert (open_ended.groups["llama"].lower, open_ended.groups["llama"].upper) == (0.0, 0.5)


def test_a_null_counter_is_missing_from_a_named_population() -> None:
    got = snapshots.tabulate(SEEN, LABEL | {"l/null": "llama"}, ["l/one", "l/null", "q/one"], 10.0)
    assert got.groups["llama"].missing == 1
    assert got.groups["llama"].upper == 50 / 80


def test_nothing_to_share_is_refused() -> None:
    for wanted in ([], ["no/body"], ["l/null"]):
        with pytest.raises(InputError, match="choose another population"):
            snapshots.tabulate(SEEN, LABEL, wanted)


def test_all_zero_counters_say_nothing() -> None:
    part = snapshots.tabulate(counters(q_one=0, l_one=0), LABEL).groups["qwen"]
    assert part.share != part.share
    assert (part.lower, part.upper) == (0.0, 1.0)


GROUPS = ("qwen", "llama", None)


@settings(max_examples=80, deadline=None)
@given(
    present=st.lists(st.tuples(st.sampled_from(GROUPS), st.integers(0, 100)), min_size=1),
    absent=st.lists(st.tuples(st.sampled_from(GROUPS), st.integers(0, 50)), max_size=8),
    capped=st.booleans(),
)
def test_no_admissible_completion_leaves_the_interval(
    present: list[tuple[str | None, int]], absent: list[tuple[str | None, int]], capped: bool
) -> None:
    everyone = present + absent
    label = {f"o/r{place}": group for place, (group, _) in enumerate(everyone) if group}
    seen = pd.Series({f"o/r{place}": value for place, (_, value) in enumerate(present)})
    wanted = [f"o/r{place}" for place in range(len(everyone))]
    got = snapshots.tabulate(seen, label, wanted, 50.0 if capped else None)
    assert got.population == len(everyone)
    assert sum(p.repositories for p in got.groups.values()) <= got.covered == len(present)
    total = sum(value for _, value in everyone)
    for name, part in got.groups.items():
        own = sum(value for group, value in everyone if group == name)
        if total > 0:
            assert part.lower - 1e-12 <= own / total <= part.upper + 1e-12
        assert part.downloads == sum(value for group, value in present if group == name)
        assert part.missing == sum(group == name for group, _ in absent)
    shuffled = snapshots.tabulate(
        seen.sample(frac=1, random_state=1), label, wanted[::-1], 50.0 if capped else None
    )
    assert list(shuffled.groups) == list(got.groups)
    assert shuffled.total == got.total
