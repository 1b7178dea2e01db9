"""Scores by language: readers, differences, intervals, the claim, and what the makers wrote."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw
from analysis.builder.chapters import languages as chapter
from analysis.claims import checks, register, results
from analysis.claims import languages as claims
from analysis.errors import InputError
from analysis.measure import languages
from analysis.pages import languages as page
from analysis.present.strips import strips
from analysis.snapshot import read
from tests.support.worlds import evidence_world

DECLARED = raw.declared("languages")
RULES = languages.parse(DECLARED)
REGISTER = register.parse(raw.declared("claims"))
CLAIM = REGISTER.find("multilingual")


# ------------------------------------------------------------------------------------ readers

TASK = "<a id=1 href='https://euroeval.com/tasks/{0}/'>x</a>"
SET = "<a href='https://euroeval.com/datasets/danish#{0}'>{0}</a>"
HEAD = (
    f"<span>Task</span>,{TASK.format('knowledge')},,{TASK.format('summarization')},<b>no</b>\n"
    f"Model,{SET.format('one')},{SET.format('two')},{SET.format('three')},one_version\n"
)


@pytest.fixture
def board(tmp_path: Path) -> Callable[[str], Any]:
    """Return a function that reads lines below the two header rows."""

    def go(lines: str, head: str = HEAD) -> Any:
        file = tmp_path / "danish_all.csv"
        file.write_text(head + lines, encoding="utf-8")
        return read(file, "language-scores")

    return go


def test_a_cell_holds_two_metrics_and_a_sort_key(board: Callable[[str], Any]) -> None:
    found = board(
        "\"<a href='https://x'>a/B#no-thinking (zero-shot, val)</a>\","
        "69.12 ± 1.83 / -0.52 ± 1.64@@69.12,?,30.00 ± 2.00@@30.0,1.0\n"
    )
    frame: Any = found.frame
    assert frame[["model", "variant"]].drop_duplicates().to_numpy().tolist() == [
        ["a/B#no-thinking", "zero-shot, val"]
    ]
    assert frame[["task", "dataset", "metric", "score", "half_width"]].to_numpy().tolist() == [
        ["knowledge", "one", 1, 69.12, 1.83],
        ["knowledge", "one", 2, -0.52, 1.64],
        ["summarization", "three", 1, 30.0, 2.0],
    ]
    assert not found.problems


def test_a_cell_that_is_no_score_is_left_out_and_named(board: Callable[[str], Any]) -> None:
    found = board(
        "a,1.0 ± 0.1@@1,nan ± 1@@1,=1+1 ± 2@@2,x\na,2.0 ± 0.1@@2,?,?,x\n,1.0 ± 1@@1,?,?,x\n"
    )
    assert found.frame["score"].tolist() == [1.0]
    told = " ".join(found.problems)
    assert "2 cells that hold no score" in told
    assert "repeats a score" in told
    assert "without a model" in told


@pytest.mark.parametrize(
    ("head", "lines", "message"),
    [
        ("one\n", "", "two header rows"),
        ("a,b\nModel,c\n", "x,1.0 ± 1\n", "no column links a data set"),
        (HEAD, "a,?,?,?\n", "holds no score"),
        (HEAD, 'a,"1.0 ± 1\n', "not CSV"),
    ],
)
def test_another_table_is_refused(
    head: str, lines: str, message: str, board: Callable[..., Any]
) -> None:
    with pytest.raises(InputError, match=message):
        board(lines, head)


def test_ratings_without_limits_or_votes_stay(tmp_path: Path) -> None:
    rows = [
        {"model_name": "a", "category": "german", "rating": 1200.5, "vote_count": 7.0},
        {"model_name": "a", "category": "german", "rating": 1.0},
        {"model_name": "b", "category": None, "rating": 1.0},
        {"model_name": "c", "category": "german", "rating": 9.0, "vote_count": -3},
    ]
    file = tmp_path / "text.json"
    file.write_text(json.dumps({"rows": rows}), encoding="utf-8")
    found = read(file, "arena-scores")
    assert found.frame[["model", "rating"]].to_numpy().tolist() == [["a", 1200.5], ["c", 9.0]]
    assert found.frame["votes"].isna().tolist() == [False, True]
    assert "repeats a rating" in " ".join(found.problems)


# -------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["pair"].append(c["pair"][0]), "declared twice"),
        (lambda c: c["pair"][0].update(billions=[8.0, 80.0]), "outside the declared limits"),
        (lambda c: c["pair"][0].update(months=["2025-04", "2024-01"]), "outside the declared"),
        (lambda c: c["pair"][0].update(months=["2025-4", "2024-07"]), r"pair\.0\.months"),
        (lambda c: c["text"][0].update(words="("), "no regular expression"),
        (lambda c: c["text"][0].update(about="licence"), r"text\.0\.about"),
        (lambda c: c.update(close_months=-1), "close_months"),
        (lambda c: c.update(draws=3), "draws"),
    ],
)
def test_a_wrong_entry_is_named(change: Callable[[Any], Any], message: str) -> None:
    content = copy.deepcopy(dict(DECLARED))
    change(content)
    with pytest.raises(InputError, match=message):
        languages.parse(content)


def test_small_and_large_share_out_the_pairs() -> None:
    like, small, large, close, mixed = (
        {pair.id for pair in RULES.chosen(name)}
        for name in ("like", "small", "large", "close", "with-mixed")
    )
    assert small | large == like
    assert not small & large
    assert close < like < mixed
    assert mixed - like == {"qwen3-8b-base", "qwen3-235b"}


def test_close_in_time_is_by_months_to_either_side() -> None:
    near = {pair.id: pair.newer for pair in RULES.chosen("close-in-time")}
    assert near == {"qwen2.5-72b": -3, "qwen2.5-72b-3.1": 2, "qwen2.5-1.5b": 0}
    far = [pair for pair in RULES.chosen("like") if pair.id not in near]
    assert {pair.newer for pair in far} == {5, 7, 9}


# ----------------------------------------------------------------------------------- measures


def scores(
    model: str, values: dict[tuple[str, str], tuple[float, float]], variant: str = ""
) -> Any:
    rows = [
        {"model": model, "variant": variant, "task": task, "dataset": name, "metric": 1,
         "score": score, "half_width": half}
        for (task, name), (score, half) in values.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


PAIR = RULES.pair[0]


def frames(*languages_: str, variant: str = "") -> dict[str, pd.DataFrame]:
    a = {("knowledge", "one"): (60.0, 3.0), ("knowledge", "two"): (50.0, 3.0),
         ("summarization", "three"): (20.0, 1.0)}  # fmt: skip
    b = {("knowledge", "one"): (50.0, 4.0), ("knowledge", "two"): (52.0, 4.0),
         ("common-sense-reasoning", "four"): (1.0, 1.0),
         ("summarization", "three"): (21.0, 0.0)}  # fmt: skip
    one = pd.concat([scores(PAIR.a, a, variant), scores(PAIR.b, b)], ignore_index=True)
    return dict.fromkeys(languages_, one)


def test_only_shared_data_sets_count_and_tasks_weigh_alike() -> None:
    table: Any = languages.board(frames("danish", "dutch", "french", "english"), RULES)
    own: Any = languages.by_language(table, RULES.tasks("all"), 1)
    assert own["language"].tolist() == ["danish", "dutch", "english", "french"]
    # Knowledge: (10 - 2) / 2 = 4; summarising: -1; the task that one alone ran is out.
    assert own["difference"].tolist() == [1.5] * 4
    assert own["tasks"].tolist() == [2] * 4
    # Half-widths: hypot(3, 4) = 5 on each of two sets, 1 on the third.
    assert own["half_width"].iloc[0] == pytest.approx(math.hypot(math.hypot(5, 5) / 2, 1) / 2)
    assert languages.ahead(own, "any", RULES).all()
    assert not languages.ahead(own, "beyond", RULES).any()
    assert not languages.behind(own, "any", RULES).any()


def test_other_splits_and_pairs_of_few_languages_are_left_out() -> None:
    four = ("danish", "dutch", "french", "english")
    assert languages.board(frames(*four, variant="val"), RULES).empty
    assert languages.board(frames("danish", "dutch", "english"), RULES).empty


def test_sign_test_is_the_exact_one() -> None:
    assert languages.sign_test(20, 20) == pytest.approx(2 / 2**20)
    assert languages.sign_test(3, 6) == 1.0
    assert math.isnan(languages.sign_test(0, 0))
    assert languages.exact_share(0, 10, 0.95) == pytest.approx((0.0, 1 - 0.025 ** (1 / 10)))


#: Shapes are few, so that draws are made once for each.
TABLES = st.sampled_from([(1, 2), (2, 3), (3, 4), (2, 3, 2)]).flatmap(
    lambda shape: st.lists(
        st.one_of(
            st.just(math.nan), st.floats(-50, 50, allow_nan=False).map(lambda x: round(x, 3))
        ),
        min_size=math.prod(shape),
        max_size=math.prod(shape),
    ).map(lambda values: np.array(values).reshape(shape))
)


@given(TABLES, st.sampled_from(["comparison", "pair"]))
def test_a_drawn_mean_lies_among_the_values(values: np.ndarray, weight: str) -> None:
    mean, low, high = languages.crossed(values, RULES, weight)
    known = values[np.isfinite(values)]
    if not len(known):
        assert math.isnan(mean)
        return
    assert known.min() - 1e-6 <= mean <= known.max() + 1e-6
    if len(known) == 1:
        assert math.isnan(low)
        assert math.isnan(high)
        return
    assert known.min() - 1e-6 <= low <= high <= known.max() + 1e-6
    # The other way round, it is the mirror image: nothing favours a side.
    assert languages.crossed(-values, RULES, weight) == pytest.approx(
        (-mean, -high, -low), abs=1e-6
    )


def test_pairs_alike_or_comparisons_alike() -> None:
    values = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, np.nan, np.nan, np.nan]])
    assert languages.crossed(values, RULES, "comparison")[0] == 0.8
    assert languages.crossed(values, RULES, "pair")[0] == 0.5
    # A language counts once, however many tasks it has.
    tasks = np.array([[[2.0, 2.0, 2.0], [-1.0, np.nan, np.nan]]])
    assert languages.crossed(tasks, RULES)[0] == 0.5


def test_the_interval_is_wider_than_that_of_languages_alone() -> None:
    # Two pairs that disagree in every language: languages alone would show no spread at all.
    values = np.repeat([[1.0], [0.0]], 20, axis=1)
    assert languages.crossed(values, RULES) == (0.5, 0.0, 1.0)


def test_pairs_that_share_a_model_are_one_cluster() -> None:
    like = languages.clusters(RULES.chosen("like"))
    shared = {like[name] for name in ("qwen3-1.7b", "qwen3-0.6b", "qwen2.5-1.5b")}
    assert len(shared) == 1
    assert like["qwen2.5-72b"] == like["qwen2.5-72b-3.1"]
    assert len(set(like.values())) == 6
    # With the base model of Llama, Qwen3-8B ties two pairs into one more.
    assert len(set(languages.clusters(RULES.chosen("with-mixed")).values())) == 7


def test_a_cluster_is_drawn_as_one() -> None:
    values = np.array([[1.0, 1.0], [0.0, 0.0]])
    assert languages.crossed(values, RULES, cluster=[4, 4]) == (0.5, 0.5, 0.5)
    assert languages.crossed(values, RULES, cluster=[4, 5]) == (0.5, 0.0, 1.0)


def test_a_text_states_a_number_or_a_list_on_a_line() -> None:
    passages: Any = pd.DataFrame(
        {
            "line": [3, 9],
            "passage": [
                "Support for **27** additional languages besides A and B.",
                "Uses: A, B and C.",
            ],
        }
    )
    text = RULES.text[0]

    def of(words: str) -> tuple[int, int | None, str, str]:
        return astuple(languages.stated(passages, text.model_copy(update={"words": words})))

    number = r"\*\*(?P<number>\d+)\*\* additional"
    assert of(number) == (3, 27, "", "")
    # What a text counts beside others stays its own number.
    assert of(rf"{number} languages besides (?P<besides>A and B)") == (3, 27, "", "A, B")
    assert of("Uses: (?P<list>[A-C, and]+)") == (9, 3, "A, B, C", "")
    assert of("Support") == (3, None, "", "")
    with pytest.raises(InputError, match="no line holds"):
        of("Welsh")


def test_words_left_of_zero_need_room_there() -> None:
    def words(low: float, width: int) -> str:
        means = pd.DataFrame(
            {
                "label": ["<b>a</b>"],
                "value": [1.0],
                "lower": [low],
                "upper": [9.0],
                "text": ["1 of 2"],
            }
        )
        dots = pd.DataFrame(
            {"label": ["<b>a</b>"] * 2, "value": [low, 9.0], "apart": [True, False]}
        )
        chart = strips(means, dots, width, measure="points", ends=("B ahead", "A ahead"))
        return json.dumps(chart.to_dict(), ensure_ascii=False)

    assert "← B ahead" in words(-9.0, 312)
    assert "← B ahead" not in words(-0.5, 312)
    assert "A ahead →" in words(-0.5, 312)


# ----------------------------------------------------------------------------- the real files


@pytest.fixture(scope="module")
def world(mirror: Path) -> Any:
    return evidence_world()


def test_pairs_counted_by_hand_come_out_with_three_tasks_or_more(world: Any) -> None:
    pairs: Any = chapter.pairs_table(world).set_index("pair")
    wanted = {"qwen3-8b": (20, 20), "qwen2.5-72b": (17, 22), "qwen3-235b": (1, 7)}
    for name, (ahead, of) in wanted.items():
        row = pairs.loc[name]
        assert (row["thick_ahead"], row["thick_languages"]) == (ahead, of)
    assert pairs.loc["qwen2.5-72b", "thick_difference"] == pytest.approx(1.1, abs=0.05)
    # The declared rule counts thin comparisons too.
    assert pairs.loc["qwen3-8b", ["ahead", "languages"]].tolist() == [22, 23]
    assert pairs.loc["qwen2.5-72b", ["ahead", "languages"]].tolist() == [18, 23]


def test_by_task_the_large_pair_is_behind_in_sentiment_and_names(world: Any) -> None:
    cells: Any = languages.by_task(claims.board(world), RULES.tasks("all"), 1)
    own: Any = cells[(cells["pair"] == "qwen2.5-72b") & (cells["language"] != "english")]
    means: Any = own.groupby("task")["difference"].mean()
    assert means["sentiment-classification"] < 0
    assert means["named-entity-recognition"] < 0
    assert means["knowledge"] > 0


def test_the_claims_own_number_and_its_controls(world: Any) -> None:
    got = checks.evaluate(world, CLAIM, CLAIM.article)
    assert (got.extra["won"], got.extra["comparisons"], got.extra["pairs_compared"]) == (
        146,
        157,
        9,
    )
    assert got.whole_interval
    assert got.lower > 0.5
    summary: Any = chapter.summary_table(world)
    every: Any = summary[(summary["task"] == "all") & ~summary["english"]].set_index("kind")
    # Others are ahead of Llama as well, and Qwen is not told apart from these.
    assert every.loc["rival-llama", "share_lower"] > 0.5
    assert every.loc["qwen-rival", "share_lower"] < 0.5 < every.loc["qwen-rival", "share_upper"]
    english: Any = summary[(summary["task"] == "all") & summary["english"]].set_index("kind")
    assert english.loc["qwen", ["ahead", "pairs"]].tolist() == [8, 9]


def test_no_validation_row_enters(world: Any) -> None:
    board: Any = chapter.board_table(world).set_index("language")
    assert len(board) == 25
    assert (board["left_out"] > 50).all()
    version = claims.versions(world)["danish"]
    frame: Any = world.evidence.frame(version)
    models = set(frame.loc[frame["variant"] == "", "model"])
    assert board.loc["danish", "models"] == len(models)
    assert not any(name.startswith("Qwen/Qwen3.5") for name in models)


def test_every_choice_can_change_an_answer(world: Any) -> None:
    record, table = results.evaluate(world, CLAIM, REGISTER)
    assert len(table) == 288 - 24
    for name in CLAIM.grid:
        others = [other for other in CLAIM.grid if other != name]
        assert (table.groupby(others)["value"].nunique() > 1).any(), name
    # No pair decides alone: what is drawn anew are clusters of pairs, and there are several.
    for pairs in CLAIM.grid["pairs"]:
        for tasks in CLAIM.grid["tasks"]:
            ids = [pair.id for pair in RULES.chosen(str(pairs))]
            own = claims.compared(world, str(tasks), 1)
            own = own[own["pair"].isin(ids)]
            alone = len(set(languages.cluster_of(own, RULES))) == 1
            assert alone == (pairs in ("large", "close-in-time") and tasks == "generation")
    assert record["coverage"] is None
    assert record["finding"].startswith("Often better, on tests: ahead of Llama in 146 of 157")
    assert record["finding"].endswith("at the start above all English and Chinese")


def test_a_finding_says_when_the_interval_crosses_the_line(world: Any) -> None:
    _, table = results.evaluate(world, CLAIM, REGISTER)
    for low, high, start in ((0.4, 0.9, "Open whether"), (0.1, 0.5, "Not often better")):
        row = table.head(1).assign(lower=low, upper=high)
        told = results.FINDINGS["multilingual"]({"stated_value": 0.5}, row)
        assert told.startswith(start)


def test_what_the_makers_wrote_by_release(world: Any) -> None:
    table: Any = claims.statements(world)
    stated = {
        (row["release"], int(row["stated"]))
        for row in table.dropna(subset=["stated"]).to_dict("records")
    }
    assert stated == {
        ("Llama 2", 1), ("Qwen", 2), ("Qwen", 16), ("Llama 3", 1), ("Qwen2", 27), ("Llama 3.1", 8),
        ("Qwen2.5", 29), ("Llama 3.2", 8), ("Llama 3.3", 8), ("Llama 4", 12), ("Qwen3", 100),
        ("Qwen3.5", 201),
    }  # fmt: skip
    memo: Any = table[table["version"] == "release-qwen-memo-2023-08-03"]
    assert memo["line"].tolist() == [33, 39, 54]
    assert memo["about"].tolist() == ["model", "model", "tokenizer"]
    # The tokenizer's list does not make the model multilingual.
    assert claims.start(world) == ("English and Chinese", "Qwen2")
    graded: Any = chapter.statements_table(world).set_index("release")["grade"]
    assert graded["Qwen2"] == "published"
    assert graded["Llama 3.1"] == "computed"


def test_where_qwen_is_newer_it_wins_nearly_all(world: Any) -> None:
    pairs: Any = chapter.pairs_table(world)
    own = pairs[pairs["kind"] == "qwen"]
    close = own["close_in_time"]
    # By hand: nine pairs, six of them five to nine months apart.
    assert own.loc[~close, ["ahead", "languages"]].sum().tolist() == [101, 104]
    assert own.loc[close, ["ahead", "languages"]].sum().tolist() == [45, 53]
    assert own.loc[~close, "newer_months"].min() == 5


def test_without_one_task_the_comparison_with_others_turns(world: Any) -> None:
    table: Any = chapter.left_out_table(world)
    by: Any = table.set_index(["kind", "pair", "left_out"])
    task = "reading-comprehension"
    assert by.loc[("qwen", "qwen2.5-72b", ""), "ahead"] == 18
    assert by.loc[("qwen", "qwen2.5-72b", task), "ahead"] == 10
    assert by.loc[("qwen-rival", "", task), "share"] == pytest.approx(0.36, abs=0.005)
    assert by.loc[("qwen", "", task), "share"] == pytest.approx(0.86, abs=0.005)
    # With nothing left out it is the summary itself, interval and all.
    summary: Any = chapter.summary_table(world)
    every: Any = summary[(summary["task"] == "all") & ~summary["english"]].set_index("kind")
    same = ["comparisons", "ahead", "share", "share_lower", "share_upper"]
    for kind in chapter.KINDS:
        assert by.loc[(kind, "", ""), same].tolist() == every.loc[kind, same].tolist()
    # A kind is the sum of its pairs, whatever is left out.
    pairs = table[table["pair"] != ""].groupby(["kind", "left_out"])[["ahead", "comparisons"]].sum()
    whole = table[table["pair"] == ""].set_index(["kind", "left_out"])[["ahead", "comparisons"]]
    pd.testing.assert_frame_equal(pairs, whole.sort_index(), check_dtype=False)


def test_the_page_tells_tokenizer_from_model_and_what_a_number_leaves_out() -> None:
    told = re.sub(r"\s+", " ", re.sub("<[^>]*>", "", page.since()))
    assert "more as trained on or supported is that of Qwen2" in told
    assert "languages besides English and Chinese" in told
    assert "29" not in told
    assert "besides English and Chinese, among others, 16 languages" in page.start()


def test_arena_differences_keep_to_one_file(world: Any) -> None:
    table: Any = chapter.arena_table(world)
    assert set(table["day"]) == {"2026-08-19"}
    assert (table["lower"] < table["difference"]).all()
    assert (table["difference"] < table["upper"]).all()
    own: Any = table[
        (table["b"] == "llama-3.3-70b-instruct") & (table["category"] == "non_english")
    ]
    by_style: Any = own.set_index("style_controlled")["difference"]
    # Most of this lead is length and layout.
    assert by_style[False] > 10 > 5 > by_style[True]


def test_witnesses_have_their_columns_and_name_their_source(world: Any) -> None:
    table: Any = chapter.witnesses(world)
    assert set(table["source"]) == {"euroeval", "arena-languages"}
    assert table["family"].eq("qwen").all()
    assert not table.duplicated(
        ["source", "version", "day", "instrument", "family", "measure"]
    ).any()
    assert (table["lower"] <= table["value"]).all()
