"""What the head of the ranking implies: the theorem, its corollary, and the real lists."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.claims.world import World, head_of
from analysis.errors import InputError
from analysis.measure import head
from analysis.measure.head import Head
from tests.support import worlds


@pytest.fixture(scope="module")
def world(mirror: Path) -> World:
    return worlds.load_world()


def of(ranking: list[tuple[int, bool]], depth: int) -> Head:
    top = sorted(ranking, key=lambda entry: -entry[0])[:depth]
    frame = pd.DataFrame(
        {
            "repository_id": [f"o/r{place}" for place in range(len(top))],
            "downloads_30d": pd.array([value for value, _ in top], dtype="Int64"),
        }
    )
    family = pd.Series(["qwen" if own else None for _, own in top], dtype="string")
    return head.read(frame, family, "qwen")


rankings = st.lists(st.tuples(st.integers(0, 10_000), st.booleans()), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(ranking=rankings, depth=st.integers(1, 30))
def test_no_true_share_exceeds_the_bound(ranking: list[tuple[int, bool]], depth: int) -> None:
    total = sum(value for value, _ in ranking)
    own = sum(value for value, mine in ranking if mine)
    assume(total > 0)
    bound = of(ranking, depth).largest_share(own)
    assert own / total <= bound * (1 + 1e-12)
    # A larger guess of the family's downloads never lowers the bound.
    assert bound <= of(ranking, depth).largest_share(own + 1) * (1 + 1e-12)


@settings(max_examples=60, deadline=None)
@given(ranking=rankings, depth=st.integers(1, 30))
def test_the_bound_is_attained_when_only_the_family_is_outside(
    ranking: list[tuple[int, bool]], depth: int
) -> None:
    ordered = sorted(ranking, key=lambda entry: -entry[0])
    extreme = ordered[:depth] + [(value, True) for value, _ in ordered[depth:]]
    total = sum(value for value, _ in extreme)
    own = sum(value for value, mine in extreme if mine)
    assume(total > 0)
    assert of(extreme, depth).largest_share(own) == pytest.approx(own / total)


@given(
    total=st.integers(1, 10**9),
    part=st.floats(0, 0.99),
    share=st.floats(0.01, 0.99),
)
def test_needed_is_the_inverse(total: int, part: float, share: float) -> None:
    family = int(part * total)
    known = Head(30, total, 1, family, 1)
    need = known.needed(share)
    if need >= family:
        assert known.largest_share(need) == pytest.approx(share)


def test_by_hand() -> None:
    known = of([(50, False), (30, True), (20, False), (10, True), (5, False)], 3)
    assert known == Head(depth=3, total=100, last=20, family=30, members=1)
    assert known.largest_share(30) == 0.3
    assert known.largest_share(70) == 0.5
    assert known.needed(0.5) == 70
    assert of([(50, True)], 1).largest_share(80) == 1.0


def test_a_list_of_zeros_allows_every_share() -> None:
    assert of([(0, False), (0, True)], 2).largest_share(0) == 1.0


def test_wrong_questions_are_refused() -> None:
    known = of([(50, False), (30, True)], 2)
    with pytest.raises(InputError, match="below the 30 that the list already shows"):
        known.largest_share(29)
    for share in (0.0, 1.0, -1.0, 1.5):
        with pytest.raises(InputError, match="not between 0 and 1"):
            known.needed(share)


def test_entries_without_counter_are_left_out() -> None:
    frame = pd.DataFrame(
        {
            "repository_id": ["a/b", "c/d", "e/f"],
            "downloads_30d": pd.array([9, None, 4], dtype="Int64"),
        }
    )
    family = pd.Series(["qwen", "qwen", None], dtype="string")
    assert head.read(frame, family, "qwen") == Head(2, 13, 4, 9, 1)
    with pytest.raises(InputError, match="holds no counters"):
        head.read(frame.iloc[1:2], family, "qwen")


def test_the_eighty_real_lists(world: World) -> None:
    heads = {entry.version: head_of(world, entry) for entry in world.inputs.heads}
    kinds = pd.Series([version.split("-", 1)[0] for version in heads]).value_counts()
    assert kinds.to_dict() == {"top25": 51, "top30": 26, "top15": 3}
    depths = {"top25": 25, "top30": 30}
    for version, got in heads.items():
        kind = version.split("-", 1)[0]
        assert got.depth == depths.get(kind, got.depth), version
        assert got.depth >= 5
        assert got.total > got.depth * got.last
        assert 0 <= got.family < got.total
        assert 0 <= got.members <= got.depth
    # The article's figure for February 2026 against the list of its last day.
    february = heads["top30-2026-02-28"]
    assert february.largest_share(153_600_000) < 0.2
    assert february.needed(0.5) == 740_560_746 - 42_756_517 == 697_804_229
