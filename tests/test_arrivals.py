"""Shares of new work and repositories that relate to Qwen: rules, arithmetic, real files."""

from __future__ import annotations

import math
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import builder, raw
from analysis.builder.chapters import arrivals as chapter
from analysis.claims import arrivals as claims
from analysis.claims import checks, derivatives, results
from analysis.errors import InputError
from analysis.measure import arrivals
from analysis.present import numbers
from tests.support.worlds import evidence_world

RULES = arrivals.parse(raw.declared("arrivals"))
QUICK = RULES.interval.model_copy(update={"draws": 200})


@lru_cache(maxsize=1)
def families() -> Any:
    return builder.load_rules().families


def declared() -> dict[str, Any]:
    """Return the rule file as it is read, free to be changed."""
    import copy

    return copy.deepcopy(dict(raw.declared("arrivals")))


def table(*rows: tuple[str, str, list[str] | None, str | None]) -> pd.DataFrame:
    """Return a small table as a reader gives it: id, day, bases, relation. Synthetic."""
    return pd.DataFrame(
        {
            "repository_id": pd.Series([r[0] for r in rows], dtype="string"),
            "created_at": pd.to_datetime([r[1] for r in rows], utc=True),
            "downloads_30d": pd.Series(range(len(rows)), dtype="Int64"),
            "base_models": pd.Series([r[2] for r in rows], dtype="object"),
            "base_relation": pd.Series([r[3] for r in rows], dtype="string"),
        }
    )


SMALL = table(
    ("a/one", "2026-08-14T00:00:00", ["Qwen/Qwen3-8B"], "finetune"),
    ("a/two", "2026-08-22T23:59:59", ["Qwen/Qwen3-8B", "google/gemma-3-4b-it"], "merge"),
    ("b/three", "2026-08-15T10:00:00", ["unsloth/Qwen3-8B"], "adapter"),
    ("b/four", "2026-08-15T10:00:00", ["x/my-Qwen-thing"], "quantized"),
    ("b/Four", "2026-08-15T10:00:00", ["x/my-Qwen-thing"], "quantized"),
    ("c/five", "2026-08-15T10:00:00", ["c/five"], "finetune"),
    ("c/six", "2026-08-15T10:00:00", None, None),
    ("c/seven", "2026-08-15T10:00:00", ["/cache/models/Qwen--Qwen3-8B"], "finetune"),
    ("d/before", "2026-08-13T23:59:59", ["Qwen/Qwen3-8B"], "finetune"),
    ("d/after", "2026-08-23T00:00:00", ["Qwen/Qwen3-8B"], "finetune"),
)


def small() -> arrivals.Arrivals:
    return arrivals.read(SMALL, families(), date(2026, 8, 14), date(2026, 8, 22))


# ------------------------------------------------------------------------------------ arithmetic


def test_what_counts_as_new_and_as_derived() -> None:
    got = small()
    # Both days are whole; two spellings are one repository; one that names itself declares none.
    ids = ["a/one", "a/two", "b/Four", "b/three", "c/five", "c/seven", "c/six"]
    assert list(got.rows["repository_id"]) == ids
    assert list(got.rows["bases"]) == [1, 2, 1, 1, 0, 1, 0]
    assert got.chosen("declared", "in").sum() == 5
    assert got.chosen("declared", "out").sum() == 4
    assert got.chosen("trained", "out").sum() == 3
    assert got.chosen("all", "in").sum() == 7
    assert got.chosen("all", "in", 3).sum() == 4


def test_three_readings_of_a_base_and_of_several_bases() -> None:
    got = small()

    def part(reading: str, merges: str = "whole", family: str = "qwen") -> list[float]:
        own = arrivals.members(got.bases(), families(), family, reading, RULES)
        return list(got.weights(own, merges))

    assert part("official") == [1, 1, 0, 0, 0, 0, 0]
    assert part("official", "parts") == [1, 0.5, 0, 0, 0, 0, 0]
    assert part("with-reuploads") == [1, 1, 0, 1, 0, 0, 0]
    # A path is no repository of anybody's, but it says what it is.
    assert part("name") == [1, 1, 1, 1, 0, 1, 0]
    assert part("official", family="gemma") == [0, 1, 0, 0, 0, 0, 0]
    assert arrivals.is_path("/cache/models/Qwen--Qwen3-8B")
    assert arrivals.is_path("C:\\Models\\Apriel-5B")
    assert not arrivals.is_path("Qwen/Qwen3-8B")
    assert not arrivals.is_path("gpt2")


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=40)
)
@settings(max_examples=40, deadline=None)
def test_a_share_lies_between_nothing_and_all_and_so_does_its_interval(
    rows: list[tuple[int, bool, bool]],
) -> None:
    authors = [f"a{author}" for author, _, _ in rows]
    whole = np.array([float(inside) for _, inside, _ in rows])
    part = np.array([float(mine) for _, _, mine in rows])
    for counted in ("repository", "author"):
        mine, every = arrivals.by_author(authors, part, whole, counted)
        assert (mine >= 0).all()
        assert (mine <= every + 1e-12).all()
        if counted == "repository":
            assert every.sum() == whole.sum()
            assert mine.sum() == (part * whole).sum()
        else:
            assert every.sum() == len({a for a, w in zip(authors, whole, strict=True) if w})
        draws = arrivals.drawn(np.column_stack([mine, every]), QUICK)
        again = arrivals.drawn(np.column_stack([mine, every]), QUICK)
        assert (draws == again).all()
        low, high = arrivals.ends(draws[:, 0], draws[:, 1], QUICK.level)
        if whole.sum():
            assert 0 <= low <= high <= 1
            if len(set(authors)) == 1:
                # One author: there is nothing else to draw.
                assert low == high == pytest.approx(mine.sum() / every.sum())
        else:
            assert math.isnan(low)


def test_the_interval_is_that_of_drawing_authors_not_repositories() -> None:
    # Synthetic: one author made half of everything; a hundred others made one each.
    authors = ["big"] * 100 + [f"a{i}" for i in range(100)]
    part = np.array([1.0] * 100 + [0.0] * 100)
    whole = np.ones(200)
    sums = arrivals.drawn(np.column_stack(arrivals.by_author(authors, part, whole, "repository")),
                          RULES.interval)  # fmt: skip
    low, high = arrivals.ends(sums[:, 0], sums[:, 1], RULES.interval.level)
    # A draw without the big author has share 0: one in e.
    assert low == 0.0
    assert high > 0.7
    other = RULES.interval.model_copy(update={"seed": 1})
    columns = np.column_stack([part, whole])
    assert (arrivals.drawn(columns, other) != arrivals.drawn(columns, RULES.interval)).any()


@given(st.integers(0, 500), st.integers(1, 500), st.floats(0.05, 0.95))
def test_what_is_missing_bounds_the_share_and_reaches_the_line(
    part: int, rest: int, line: float
) -> None:
    whole = part + rest
    got = arrivals.Missing(part, whole, 7.0)
    assert got.lower <= part / whole <= got.upper
    needed = got.needed(line)
    assert needed >= -1e-9
    own = needed if part / whole < line else 0.0
    if part:
        assert (part + own) / (whole + needed) == pytest.approx(line)


def test_a_line_that_no_share_can_reach_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        arrivals.Missing(1, 2, 0).needed(1.0)


def test_gains_are_put_on_the_month_in_which_they_were_counted() -> None:
    counts = pd.DataFrame(
        {
            "repository_id": ["a/b"] * 3 + ["c/d"] * 2,
            "created_at": pd.to_datetime(["2024-11-20"] * 3 + ["2024-12-31"] * 2, utc=True),
            "month": [0, 1, 2, 0, 1],
            "derivatives": pd.Series([0, 5, 12, 0, 3], dtype="Int64"),
        }
    )
    got = arrivals.gains_by_month(counts)
    by = got.groupby("month")["gained"].sum().to_dict()
    assert by == {"2024-11": 0, "2024-12": 5, "2025-01": 10}
    assert set(arrivals.gains_by_month(counts, {"a/b"})["repository_id"]) == {"c/d"}


def test_what_relates_a_repository() -> None:
    frame = SMALL.assign(
        tags=[["qwen3"], ["dataset:qwen-made"], ["base_model:Qwen/Qwen3-8B"], *[[]] * 7]
    )
    edges = arrivals.declared(frame, families())
    got = arrivals.related(frame, edges, families(), "qwen", RULES).set_index("repository_id")
    assert list(got.index[got["tag"]]) == ["a/one"]
    assert set(got.index[got["base"]]) == {"a/one", "a/two", "b/three", "d/before", "d/after"}
    assert not got["own"].any()
    assert not got.loc["c/six", "any"]
    plain = arrivals.declared(frame[["repository_id"]], families())
    assert plain.empty
    both = arrivals.together([got.reset_index(), got.reset_index()])
    assert both["any"].sum() == got["any"].sum()


# ------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"interval": {"draws": 3}}, "interval.draws"),
        ({"interval": {"level": 1.0}}, "interval.level"),
        ({"week": {"first": date(2026, 8, 23)}}, "week: first"),
        ({"cut": {"first": "2026-13"}}, "cut.first"),
        ({"cut": {"first": "2026-12"}}, "cut: first"),
        ({"family": {"qwen": {"words": []}}}, "family.qwen.words"),
        ({"names": {"reason": "short"}}, "names.reason"),
    ],
)
def test_a_wrong_rule_file_is_one_clear_error(change: dict[str, Any], place: str) -> None:
    content = declared()
    for section, entries in change.items():
        content[section] = {**content[section], **entries}
    with pytest.raises(InputError, match=rf"data/arrivals\.toml: {place}"):
        arrivals.parse(content)


def test_what_nobody_knows_is_refused() -> None:
    got = small()
    with pytest.raises(InputError, match="no whole is called"):
        got.chosen("every", "in")
    with pytest.raises(InputError, match="whole or in parts"):
        got.weights([], "half")
    with pytest.raises(InputError, match="no reading of a base"):
        arrivals.members(got.bases(), families(), "qwen", "near", RULES)
    with pytest.raises(InputError, match="no words for the family"):
        arrivals.members(got.bases(), families(), "phi", "name", RULES)


def test_a_share_of_which_nothing_is_known_does_not_read_like_a_bound() -> None:
    assert numbers.format_interval(0.0, 1.0, "share").startswith("0.0 to 100.0")
    assert numbers.format_interval(0.0, 0.5, "share").startswith("at most 50.0")


# -------------------------------------------------------------------------------------- real files


def value_of(world: Any, reading: str, copies: str) -> tuple[float, float]:
    got = claims.week(world)
    own = arrivals.members(got.bases(), world.evidence.families, "qwen", reading, RULES)
    keep = got.chosen("declared", copies)
    return float(got.weights(own)[keep].sum()), float(keep.sum())


def test_the_week_of_august_2026(mirror: Path) -> None:
    world = evidence_world()
    frame = world.evidence.frame(RULES.week.version)
    born = frame["created_at"].dt.date
    own = frame[(born >= RULES.week.first) & (born <= RULES.week.last)]
    # As counted by hand: rows, with a base by tag, with one in the card alone.
    assert (len(own), own["base_models"].notna().sum(), own["base_text"].notna().sum()) == (
        13119, 6960, 265,
    )  # fmt: skip
    got = claims.week(world)
    # Four ids are spelt twice, and sixteen repositories name themselves as their base.
    assert (len(got.rows), int((got.rows["bases"] > 0).sum())) == (13115, 6943)
    assert value_of(world, "official", "in") == (2189, 6943)
    assert value_of(world, "with-reuploads", "in") == (2537, 6943)
    assert value_of(world, "name", "in") == (3155, 6943)
    assert value_of(world, "official", "out") == (1406, 4590)
    assert value_of(world, "name", "out") == (1887, 4590)
    path = got.edges.groupby("place")["base_id"].agg(lambda own: all(map(arrivals.is_path, own)))
    assert int(path.sum()) == 38


def test_the_week_follows_a_release(mirror: Path) -> None:
    table = claims.week_days(evidence_world()).set_index("day")
    whole = table.loc["all"]
    # As an audit counted them without the project's code.
    assert (whole["part"], whole["whole"]) == (2189, 6943)
    assert (whole["newest"], whole["newest_authors"]) == (742, 430)
    assert whole["without"] == pytest.approx(1447 / 6201)
    assert (whole["release"], whole["days_before"]) == ("Qwen3.8", 2)
    days = table.drop(index="all")
    assert len(days) == 9
    assert (days[["part", "whole", "newest"]].sum() == whole[["part", "whole", "newest"]]).all()
    assert (days["value"].min(), days["value"].max()) == pytest.approx((0.22, 0.62), abs=0.005)


def test_other_draws_would_hardly_move_the_interval(mirror: Path) -> None:
    # As the rule file says: by less than a tenth of the interval's length.
    world = evidence_world()
    got = claims.week(world)
    own = arrivals.members(got.bases(), world.evidence.families, "qwen", "official", RULES)
    keep = got.chosen("declared", "in").astype("float64")
    columns = np.column_stack(
        arrivals.by_author(got.rows["author"], got.weights(own), keep, "repository")
    )

    def interval(seed: int) -> tuple[float, float]:
        rule = RULES.interval.model_copy(update={"seed": seed})
        sums = arrivals.drawn(columns, rule)
        return arrivals.ends(sums[:, 0], sums[:, 1], rule.level)

    low, high = interval(RULES.interval.seed)
    assert low < 2189 / 6943 < high
    for end, other in zip((low, high), interval(1), strict=True):
        assert abs(end - other) < 0.1 * (high - low)


def test_counts_and_cut_by_month(mirror: Path) -> None:
    world = evidence_world()
    assert claims.counted(world) == (33592, 93668, date(2025, 2, 20))
    assert {"Qwen/Qwen1.5-0.5B", "google/gemma-2b"} <= claims.bulk_bases(world)
    months = claims.count_months(world)
    own = months[(months["source"] == "counts") & (months["family"] == "qwen")]
    # Every derivative stands in one month; a count that fell is no negative gain.
    assert 93668 <= own["gained"].sum() < 1.01 * 93668
    assert max(own["month"]) == "2025-02"
    claim = builder.load_rules().register.find("new-derivatives-40pct")
    bare = dict(claim.article)
    cut = checks.evaluate(world, claim, bare)
    assert cut.covered == 73
    assert cut.extra["qwen"] == 23
    assert cut.decided == "undetermined"
    with_bulk = checks.evaluate(world, claim, {**bare, "source": "counts"})
    without = checks.evaluate(world, claim, {**bare, "source": "counts-without-bulk"})
    assert float(with_bulk.value or 0) == pytest.approx(0.5279, abs=1e-4)
    assert float(without.value or 0) == pytest.approx(0.2959, abs=1e-4)


def test_repositories_that_relate_to_qwen_in_the_tree(mirror: Path) -> None:
    world = evidence_world()
    flags = claims.seen(world, "tree").flags
    assert flags[list(arrivals.RELATED)].sum().to_dict() == {
        "own": 35, "base": 2531, "base-family": 2916, "base-name": 3596, "name": 3686,
        "tag": 4057, "any": 5347,
    }  # fmt: skip
    assert len(claims.seen(world, "week").flags) == len(claims.week(world).rows)
    assert "tag" not in claims.told_by(world, "catalogue")
    with pytest.raises(InputError, match="no source is called"):
        claims.seen(world, "moon")


@pytest.mark.slow
def test_both_claims_by_rule(mirror: Path) -> None:
    world, register = evidence_world(), builder.load_rules().register
    record, table = results.evaluate(world, register.find("new-derivatives-40pct"), register)
    assert record["recreated"]["verdict"] == "not checkable"
    assert record["interval"] == [0.0, 1.0]
    assert record["grade"] == "bounded"
    assert record["robust"]["verdict"] == "depends"
    # All new repositories as the whole stand in the table of shares, not in the grid.
    assert len(table) == 77
    assert set(table["denominator"]) == {"declared", "trained"}
    assert set(table["holds"]) == {"yes", "no", "undetermined"}
    assert "lies between two definitions" in record["finding"]
    week = table[table["source"] == "tree"]
    assert ((week["lower"] <= week["value"]) & (week["value"] <= week["upper"])).all()
    again, _ = results.evaluate(world, register.find("new-derivatives-40pct"), register)
    assert again == record
    record, table = results.evaluate(world, register.find("repositories-200k"), register)
    assert record["recreated"]["verdict"] == "not checkable"
    # One floor for both claims; hard is what the files list by any trace.
    other = derivatives.total(world, dict(register.find("derivatives-113k").article), 113e3)
    assert record["interval"] == [pytest.approx(other.lower), None]
    assert record["hard_interval"] == [8023.0, None]
    counts = table[table["source"] == "counts"]
    assert (counts["hard_lower"] == 33592).all()
    assert (counts["lower"] > 91_000).all()
    assert (table["holds"] == "undetermined").all()


@pytest.mark.slow
def test_tables_of_the_chapter(mirror: Path) -> None:
    world = evidence_world()
    made = {one.name: one.make(world) for one in chapter.TABLES}
    missing = made["new_missing"].set_index("base")
    assert missing.loc["official", "named_in_card"] == 263
    assert (missing["lower"] <= missing["value"]).all()
    assert (missing["value"] <= missing["upper_traces"]).all()
    assert (missing["upper_traces"] <= missing["upper"]).all()
    months = made["new_months"]
    assert months["value"].between(0, 1).all()
    # February 2025 is cut off: some bases' counts stop in January.
    counts = months[months["source"].str.startswith("counts")]
    assert counts.loc[counts["drawn"], "month"].max() == "2025-01"
    assert counts["month"].max() == "2025-02"
    assert not months.duplicated(["source", "month", "family", "base"]).any()
    authors = made["new_authors"]
    assert authors["cumulative"].is_monotonic_increasing
    week = made["related"].query("source == 'week' and family == 'Qwen'").iloc[0]
    assert week["tag_over_base"] == pytest.approx(3519 / 2189)
    assert made["new_shares"]["value"].between(0, 1).all()
