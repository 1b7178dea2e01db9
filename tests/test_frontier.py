"""Readers of boards, the frontier's measures and its claim, on real files and as properties."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw, tables
from analysis.builder.chapters import frontier as chapter
from analysis.claims import checks, register, results
from analysis.claims import frontier as claims
from analysis.claims.world import World
from analysis.errors import InputError
from analysis.measure import frontier
from analysis.pages import frontier as page
from analysis.snapshot import ratings, read
from tests.support.worlds import evidence_world

RULES = frontier.parse(raw.declared("frontier"))
REGISTER = register.parse(raw.declared("claims"))
CLAIM = REGISTER.find("chinese-near-frontier")


@pytest.fixture
def world(mirror: Path) -> World:
    return evidence_world()


# ------------------------------------------------------------------------------------ readers

CSV = "rank,model,arena_score,95_pct_ci,votes,organization,license\n"


@pytest.fixture
def reading(tmp_path: Path) -> Callable[[object, str], Any]:
    """Return a function that reads a text, or a value written as JSON, as a kind."""

    def go(content: object, kind: str) -> Any:
        file = tmp_path / "file"
        text = content if isinstance(content, str) else json.dumps(content)
        file.write_text(text, encoding="utf-8")
        return read(file, kind)

    return go


def test_limits_lie_above_and_below_as_the_file_says(
    reading: Callable[[object, str], Any],
) -> None:
    found = reading(CSV + "1,a,1316,+4/-3,9,A,MIT\n2,b,1300,4,8,B,\n", "arena-table")
    assert found.frame["board_score_upper"].tolist()[0] == 1320
    assert found.frame["board_score_lower"].tolist()[0] == 1313
    # "4" does not say to which side: no limits, and a note.
    assert pd.isna(found.frame["board_score_lower"][1])
    assert "without a usable interval; first: record 2" in found.problems[0]


def test_of_a_name_that_stands_twice_the_row_with_most_votes_is_kept(
    reading: Callable[[object, str], Any],
) -> None:
    rows = CSV + "1,a,1316,+4/-3,5,A,MIT\n2,a,1300,+1/-1,8,A,MIT\n3,,1,+1/-1,8,A,MIT\n"
    found = reading(rows, "arena-table")
    assert found.frame["board_score"].tolist() == [1300]
    assert len(found.problems) == 2


def test_the_description_of_the_fields_is_no_table(
    raw_path: Callable[[str], Path], reading: Callable[[object, str], Any]
) -> None:
    found = read(raw_path("arena-page-readme-2026-08-22"), "arena-table-json")
    assert (found.layout, len(found.frame)) == ("description", 0)
    # Another text is no description, and an error as everywhere.
    with pytest.raises(InputError, match="not JSON"):
        reading("# Boards\n", "arena-table-json")


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("arena-table", CSV.replace("95_pct_ci", "ci") + "1,a,1,+1/-1,1,A,MIT\n", "95_pct_ci"),
        ("arena-table", CSV + "1,a,many,+1/-1,1,A,MIT\n", "nothing usable|not a number"),
        ("arena-table-json", {"models": []}, "empty list"),
        ("arena-table-json", [1], "expected an object"),
        ("arena-table-json", {"models": [{"model": "a", "score": 1}]}, "no column 'license'"),
        ("quality-index", {"models": [{"id": "x", "name": "a"}]}, "no column"),
        ("quality-index", {"rows": []}, "'models' is NoneType"),
    ],
)
def test_other_files_are_no_board(
    kind: str, content: object, message: str, reading: Callable[[object, str], Any]
) -> None:
    with pytest.raises(InputError, match=message):
        reading(content, kind)


@given(st.text(max_size=12))
def test_half_widths_are_read_or_refused(text: str) -> None:
    found = ratings.halves(text)
    assert found is None or min(found) >= 0


def test_real_boards(raw_path: Callable[[str], Path]) -> None:
    one = read(raw_path("arena-page-2026-04-30"), "arena-table-json")
    assert (len(one.frame), one.layout) == (30, "one-width")
    two = read(raw_path("arena-page-2026-08-22"), "arena-table-json")
    assert (len(two.frame), two.layout) == (394, "two-widths")
    index = read(raw_path("quality-open-2026-07-10"), "quality-index").frame
    # The registry's own words on that file.
    assert (len(index), int(index["board_estimated"].sum())) == (570, 421)


# -------------------------------------------------------------------------------- declarations


def test_a_wrong_rule_is_named() -> None:
    good = raw.declared("frontier")
    for change, message in (
        ({"near": [{"id": "x", "days": 3, "win_rate": 0.4, "reason": "none"}]}, "near.0"),
        ({"maker": [{"names": ["A"], "region": "us", "reason": "none"}]}, "lower case"),
        ({"maker": [{"names": ["a"], "reason": "none"}]}, "organisation or a region"),
        ({"qwen": "("}, "no regular expression"),
    ):
        with pytest.raises(InputError, match=message):
            frontier.parse({**copy.deepcopy(dict(good)), **change})
    with pytest.raises(InputError, match="no reading 'nearly'; there are: close"):
        RULES.reading("nearly")


def test_makers_of_the_index_are_where_the_index_itself_has_them(world: World) -> None:
    listed = world.evidence.frame(claims.REGIONS)
    regions = dict(zip(listed["organisation"].astype("str"), listed["region"], strict=True))
    frame = world.evidence.frame("quality-open-2026-07-10").drop_duplicates("board_maker")
    for maker, country in zip(frame["board_maker"], frame["board_country"], strict=True):
        ours = frontier.region_of(maker, None, regions, RULES)
        theirs = frontier.region_of(maker, country, regions, RULES)
        assert (ours == "china", ours == "us") == (theirs == "china", theirs == "us"), maker


def test_every_maker_is_known_or_said_not_to_be(world: World) -> None:
    known = set(RULES.by_name)
    for kind in ("arena-table", "arena-table-json", "quality-index"):
        for frame in world.evidence.of_kind(kind).values():
            makers = frame["board_maker"].dropna().str.strip().str.lower()
            assert not set(makers) - known


def test_the_mislabelled_model_is_closed(world: World) -> None:
    board = claims.boards(world)["arena", date(2026, 8, 22)].table
    own = board[board["model"] == "qwen-max-0919"].iloc[0]
    assert (own["weights"], own["how"]) == ("closed", "corrected")
    catalogue = world.evidence.frame("makers-2025-10-12")["repository_id"].str.lower()
    assert not catalogue.str.contains("max-0919").any()


def test_openness_goes_with_the_identifier_and_not_with_the_slug(world: World) -> None:
    july = world.evidence.frame("quality-open-2026-07-10").set_index("board_slug")
    august = world.evidence.frame("quality-2026-08-22").set_index("board_slug")
    slug = "deepseek-v4-pro"
    assert july.loc[slug, "board_id"] != august.loc[slug, "board_id"]
    assert july.loc[slug, "board_id"] == august.loc[f"{slug}-0424", "board_id"]


def test_what_is_said_to_be_seen_is_seen(world: World) -> None:
    board = claims.boards(world)["index", date(2026, 8, 22)].table.set_index("model")
    for entry in RULES.seen:
        assert board.loc[entry.model, "how"] == "seen", entry.model


# --------------------------------------------------------------------------------- the measures

SCORES = st.integers(1, 30).map(float)
MODELS = st.lists(
    st.tuples(
        st.sampled_from(["china", "us", "unknown"]),
        st.sampled_from(["open", "closed", "unknown"]),
        SCORES,
        st.integers(0, 5),
        st.integers(0, 400),
    ),
    min_size=1,
    max_size=12,
)
DAY = date(2025, 1, 1)


def board_of(models: list[tuple[str, str, float, int, int]]) -> pd.DataFrame:
    rows = [
        (f"m{n}", "x", region, False, weights, "board", score, score - half, score + half,
         DAY + timedelta(days=out), None)
        for n, (region, weights, score, half, out) in enumerate(models)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(frontier.BOARD))
    return table.sort_values("score", ascending=False, kind="stable").reset_index(drop=True)


def settled(models: list[Any], weights: str, region: str) -> list[Any]:
    """Settle what is unknown in one way."""
    return [
        (region if m[0] == "unknown" else m[0], weights if m[1] == "unknown" else m[1], *m[2:])
        for m in models
    ]


@settings(max_examples=25, deadline=None)
@given(MODELS)
def test_however_the_unknown_is_settled_the_gap_lies_in_its_interval(models: list[Any]) -> None:
    table = board_of(models)
    top = frontier.best(table, "all")
    span = frontier.gap(top, frontier.best(table, "china"))
    assert 0 <= span.lower <= span.upper
    for weights in ("open", "closed"):
        for region in ("china", "other"):
            one = board_of(settled(models, weights, region))
            gap = frontier.gap(frontier.best(one, "all"), frontier.best(one, "china"))
            if not math.isnan(gap.value):
                assert span.lower <= gap.value <= span.upper
            lag = frontier.behind(one, "china", DAY + timedelta(days=500))
            wide = frontier.behind(table, "china", DAY + timedelta(days=500))
            if not math.isnan(lag.value):
                assert wide.lower <= lag.value <= wide.upper


@settings(max_examples=25, deadline=None)
@given(MODELS)
def test_the_best_of_all_is_never_behind_and_steps_rise(models: list[Any]) -> None:
    table, seen = board_of(models), DAY + timedelta(days=500)
    assert frontier.behind(table, "all", seen).value == 0
    steps = frontier.steps(table, seen)
    assert steps["score"].is_monotonic_increasing
    assert steps["score"].is_unique
    assert float(steps["score"].iloc[-1]) == float(table["score"].max())
    for step in steps.to_dict("records"):
        own = frontier.reached(table, "all", float(step["score"]), seen).lag(step["released"])
        assert (own.value, own.lower) == (0, 0)
        china = frontier.reached(table, "china", float(step["score"]), seen).lag(step["released"])
        assert china.lower <= china.upper


@given(st.floats(0, 2000), st.floats(0, 2000))
def test_a_larger_gap_wins_fewer_votes(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 < frontier.win_rate(high) <= frontier.win_rate(low) <= 0.5


def test_win_rate_is_the_formula_of_the_ratings() -> None:
    assert frontier.win_rate(400) == pytest.approx(1 / 11)
    assert frontier.win_rate(math.inf) == 0


def test_what_a_short_list_lacks_rates_no_higher_than_its_last_row() -> None:
    table = board_of([("us", "closed", 30.0, 1, 0), ("us", "closed", 20.0, 2, 0)])
    none = frontier.best(table, "china", complete=100)
    assert (none.model, none.upper, none.lower) == (None, 22.0, -math.inf)
    # A complete list without one has none.
    assert frontier.best(table, "china", complete=2).upper == -math.inf
    with pytest.raises(InputError, match="without a rated model"):
        frontier.best(table.iloc[:0], "all")


def test_a_level_that_is_not_reached_is_open_at_its_end() -> None:
    table = board_of([("us", "closed", 30.0, 0, 0), ("china", "open", 20.0, 0, 5)])
    seen = DAY + timedelta(days=40)
    lag = frontier.reached(table, "china", 30.0, seen).lag(DAY)
    assert math.isnan(lag.value)
    assert (lag.lower, lag.upper) == (40, math.inf)
    assert frontier.behind(table, "china", seen).value == 40


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("gpt-5.5", 0),
        ("GPT-5.5 (xhigh)", 0),
        ("gpt-5.5-high", 0),
        ("GPT-5.5 Pro (xhigh)", None),
        ("gpt-5.5-instant", None),
        ("gpt-5", None),
        ("claude-opus-4-7-thinking", 1),
        ("Claude Opus 4.7 (Non-reasoning, High Effort)", 1),
        ("claude-opus-4-6", None),
    ],
)
def test_names_of_the_targets(name: str, target: int | None) -> None:
    table = board_of([("us", "closed", 1.0, 0, 0)]).assign(model=name)
    for place, entry in enumerate(RULES.target):
        assert (frontier.of_target(table, entry) is not None) == (place == target)


# ------------------------------------------------------------------------------------ the claim


def test_the_claim_on_the_real_boards(world: World) -> None:
    table = checks.run(world, CLAIM)
    own = table.iloc[0]
    # By hand: 1503 for claude-opus-4-7-thinking (7), 1469 for glm-5.1 (6).
    assert (own["top"], own["own"], own["gap"]) == (1503, 1469, 34)
    assert own["own_model"] == "glm-5.1"
    assert own["win_rate"] == pytest.approx(1 / (1 + 10 ** (34 / 400)))
    assert own["holds"] == "undetermined"
    assert len(table) == 40
    assert set(table["holds"]) == {"yes", "no", "undetermined"}
    # Each choice changes the answer of some specification.
    for name in CLAIM.grid:
        others = [other for other in CLAIM.grid if other != name]
        assert (table.groupby(others)["holds"].nunique() > 1).any(), name
    # A rating of the Arena is never compared with an index.
    arena = table["board"].str.startswith("arena")
    assert table.loc[arena, "index_ratio"].isna().all()
    assert table.loc[~arena, "win_rate"].isna().all()


def test_the_record_hangs_on_the_interval(world: World) -> None:
    record, _ = results.evaluate(world, CLAIM, REGISTER)
    assert record["recreated"]["verdict"] == "not checkable"
    assert record["robust"]["verdict"] == "depends"
    assert record["later"]["verdict"] == "still holds"
    assert "34 points" in record["finding"]
    assert record["grade"] == "computed"


def test_targets_were_passed_when_the_frontier_had_moved_on(world: World) -> None:
    table = chapter.targets_table(world)
    index = table[(table["scale"] == "index") & (table["group"] == "qwen")]
    early, late = index[index["day"] < "2026-08"], index[index["day"] == "2026-08-22"]
    assert set(early["passed"]) == {"no"}
    assert set(late["passed"]) == {"yes"}
    assert set(late["first_model"]) == {"Qwen3.8 2.4T A95B"}
    assert (late["models_above"] > 10).all()
    arena = table[(table["scale"] == "arena") & (table["target"] == "Claude Opus 4.7")]
    assert "yes" not in set(arena["passed"])


def test_files_of_the_index_are_nearly_one(world: World) -> None:
    table = chapter.files_table(world)
    assert len(table) == 3
    assert (table["common"] <= table[["first_models", "second_models"]].min(axis=1)).all()
    assert (table["common"] > 0.99 * table["first_models"]).all()
    assert (table["rank_correlation"] > 0.99).all()
    assert (table["first_day"] < table["second_day"]).all()


def plain(made: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", "", made))


def test_the_newest_file_is_newest_by_its_day_and_named() -> None:
    # By name the file of July sorts behind that of August.
    own = page._by_article()
    assert own["file_day"].is_monotonic_increasing
    assert own["version"].iloc[-1] == "quality-2026-08-22" < own["version"].max()
    told = plain(page.in_short())
    for text in ("file of 22 August 2026", "80.5 %", "90 days", "52.8 %", "80.5 to 80.8 %",
                 "78 to 90 days", "52.8 to 53.6 %"):  # fmt: skip
        assert text in told


def test_the_page_splits_its_specifications_by_board() -> None:
    told = re.sub(r" ?[a-z] ?\(computed\)|c\(computed\)", "", plain(page.by_file()))
    own = tables.specifications("chinese-near-frontier")
    index = own["board"].str.startswith("index")
    assert f"{index.sum()} " in told
    assert f"of the {len(own)} come from files of the index of 30 June 2026" in told
    assert "3 files of the index are nearly one measurement and do not count as 3 wit" in told
    assert "22 August 2026, all after the article" in told
    # Files of other models would be witnesses of their own.
    files = tables.load("frontier_files")
    assert page._alike(files)
    assert not page._alike(files.assign(common=100))
    assert not page._alike(files.assign(rank_correlation=0.5))


def test_the_best_of_all_is_that_of_the_files_day() -> None:
    told = plain(page.passed())
    assert "On the day of the file the best of all is Claude Opus 5" in told
    assert "out on 24 July 2026" in told
    assert "moved on" not in told


@pytest.mark.parametrize(
    ("stated", "late"), [("2026-08-23", 1), ("2026-08-22", 0), ("2026-08", 0), ("2026-09", 1)]
)
def test_published_figures_are_after_the_latest_file_or_not(
    stated: str, late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tables.load
    known = real("reference/published-figures").assign(stated_on=stated)
    monkeypatch.setattr(
        tables, "load", lambda name: known if name.startswith("reference") else real(name)
    )
    assert f"{late} of 1" in page.published_after()


def test_an_unknown_board_is_named(world: World) -> None:
    for text in ("arena 2026-05-01", "arena 2026-04-30 half", "index 2026-06-30 measured"):
        with pytest.raises(InputError, match="board"):
            claims.chosen(world, text)


def test_witnesses_are_of_one_shape(world: World) -> None:
    table = chapter.witnesses(world)
    assert set(table["grade"]) <= {"computed", "bounded"}
    assert set(table["family"]) == {"all", "open", "qwen"}
    whole = table.dropna(subset=["value"])
    assert (whole["lower"] <= whole["value"]).all()
    assert (whole["value"] <= whole["upper"]).all()
