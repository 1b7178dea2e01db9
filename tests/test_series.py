"""Series of snapshots: what is compared with what, and what is read how often."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import itertools
import json
import os
import runpy
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import commands, raw
from analysis.builder import series as builder
from analysis.builder import summaries
from analysis.errors import InputError
from analysis.measure import series, snapshots
from analysis.snapshot import families
from tests.conftest import PROJECT

Capture = pytest.CaptureFixture[str]

GROUPS = series.Groups(("qwen", "llama", "none"), np.array([0, 0, 1, 1, -1, -1, 2, *[-1] * 5]))
COUNT = 7
FIRST = date(2026, 1, 1)
LISTED = "tracked-2026-03-27"


def taken(name: str, day: int, counters: dict[int, int], **more: Any) -> series.Taken:
    """A synthetic snapshot: counters by number of the repository."""
    numbers = sorted(counters)
    values = np.array([counters[one] for one in numbers], dtype="float64")
    unread = np.array(more.pop("unread", ()), dtype="int64")
    blank: dict[str, Any] = {"others": {}, "others_repositories": {}} | more
    day_of = FIRST + timedelta(days=day)
    return series.Taken(name, day_of, np.array(numbers, dtype="int64"), values, unread, **blank)


def seen(*some: series.Taken) -> pd.DataFrame:
    """Judge synthetic snapshots as the builder judges real ones."""
    found, _ = builder._seen(some, series.WINDOW)
    return found


def made(*some: series.Taken) -> tuple[pd.DataFrame, pd.DataFrame]:
    found, stale = builder._seen(some, series.WINDOW)
    return series.table(some, GROUPS, found, stale)


COUNTERS = st.dictionaries(
    st.integers(0, COUNT - 1), st.integers(0, 10**6), min_size=1, max_size=COUNT
)
DAYS = st.lists(st.tuples(st.integers(0, 120), COUNTERS), min_size=1, max_size=5)
MANY = settings(max_examples=15)
FEW = settings(max_examples=3)


def several(days: list[tuple[int, dict[int, int]]]) -> list[series.Taken]:
    return [taken(f"s{place}", day, counters) for place, (day, counters) in enumerate(days)]


# ------------------------------------------------------------------------------- one snapshot


@MANY
@given(COUNTERS, st.sets(st.integers(0, COUNT - 1)), st.sampled_from([None, 0, 500]))
def test_shares_are_those_of_one_snapshot_and_lie_inside_their_bounds(
    counters: dict[int, int], missing: set[int], cap: int | None
) -> None:
    missing -= set(counters)
    listed = None if cap is None else {0: 9_000, 3: 700}
    one = taken("s", 0, counters, unread=sorted(missing), cap=cap, listed=listed)
    got = series.shares(one, GROUPS)
    label = {str(i): GROUPS.names[at] for i, at in enumerate(GROUPS.of[:COUNT]) if at >= 0}
    wanted = snapshots.tabulate(
        pd.Series({str(i): float(n) for i, n in counters.items()}),
        label,
        {str(i) for i in {*counters, *missing}},
        cap,
        None if listed is None else {str(i): float(n) for i, n in listed.items()},
    )
    assert set(got.index) == set(wanted.groups)
    for name, part in wanted.groups.items():
        row = got.loc[name]
        assert (row["lower"], row["upper"]) == pytest.approx((part.lower, part.upper))
        assert (row["repositories"], row["missing"]) == (part.repositories, part.missing)
        if part.repositories and sum(counters.values()):
            assert (row["downloads"], row["share"]) == pytest.approx((part.downloads, part.share))
            assert row["lower"] <= row["share"] <= row["upper"]
        elif not part.repositories:
            assert pd.isna(row["share"])
            assert pd.isna(row["downloads"])


def test_others_count_in_the_total_and_with_their_group() -> None:
    one = taken(
        "s",
        0,
        {0: 10, 2: 30},
        others={"": 50.0, "qwen": 10.0},
        others_repositories={"": 7, "qwen": 2},
        others_unread=3,
        cap=4.0,
    )
    got = series.shares(one, GROUPS)
    assert one.total == 100
    assert got.loc["qwen", ["downloads", "share", "repositories"]].tolist() == [20, 0.2, 3]
    # Three without a counter, none of them of Qwen as far as is known, had 4 at most.
    assert got.loc["qwen", ["lower", "upper"]].tolist() == [20 / 112, 0.2]
    with pytest.raises(InputError, match="choose another population"):
        series.shares(taken("s", 0, {}, unread=[0]), GROUPS)


# ------------------------------------------------------------------------------- time


@MANY
@given(st.lists(st.integers(0, 70), max_size=7))
def test_days_for_sums_do_not_overlap_and_are_as_many_as_can_be(days: list[int]) -> None:
    chosen = series.apart([FIRST + timedelta(days=n) for n in days])
    gaps = [(b - a).days for a, b in itertools.pairwise(chosen)]
    assert all(gap >= series.WINDOW for gap in gaps)
    most = max(
        size
        for size in range(len(days) + 1)
        for some in itertools.combinations(sorted(set(days)), size)
        if all(b - a >= series.WINDOW for a, b in itertools.pairwise(some))
    )
    assert len(chosen) == most


def big(*values: int) -> dict[int, int]:
    """Synthetic counters above the floor, below which equal ones say nothing."""
    return {place: 10_000 + value for place, value in enumerate(values)}


def test_a_repeated_reading_is_no_observation() -> None:
    first, later = big(*range(12)), big(*range(100, 112))
    half = {**later, **{place: 20_000 + place for place in range(7)}}
    some = [
        taken("a", 0, first),
        taken("b", 7, later),
        taken("c", 14, later),
        taken("d", 14, half),
        taken("e", 14, half),
        taken("f", 60, big(*range(500, 512))),
        taken("g", 61, big(1, 2)),
    ]
    got = seen(*reversed(some))
    assert got.index.tolist() == ["a", "b", "c", "d", "e", "f", "g"], "in order of time"
    assert got["verdict"].tolist() == [
        *("first", "new", "repeat", "partial refresh", "partial refresh", "new"),
        "too few to tell",
    ]
    assert got["origin"].tolist()[2:4] == ["b", "b"]
    assert got["days_since"].tolist() == [pd.NA, 7, 7, 7, 0, 46, 1]
    assert got["days_new"].tolist() == [30, 7, 0, 7, 0, 30, 1]
    copy = seen(taken("a", 0, first), taken("b", 7, later), taken("c", 7, later))
    assert copy["verdict"].tolist() == ["first", "new", "same day"]
    assert copy["fresh"].tolist() == [True, True, False]
    # The next link goes over what was no observation, and leaves out what was not read anew.
    days, rows = made(*some)
    assert days["matched_with"].tolist() == [pd.NA, "a", pd.NA, "b", "d", "e", "f"]
    assert days.at["d", "matched_repositories"] == 7
    assert days.at["d", "covered"] == 12
    assert rows.loc[rows["snapshot"] == "c", "matched_change"].isna().all()
    assert rows.loc[rows["snapshot"] == "c", "common_share"].isna().all()


# ------------------------------------------------------------------------------- membership


@MANY
@given(COUNTERS, COUNTERS)
def test_matched_changes(before: dict[int, int], now: dict[int, int]) -> None:
    a, b = taken("a", 0, before), taken("b", 7, now)
    same = series.matched(a, a, GROUPS)
    assert (same.change[~np.isnan(same.change)] == 0).all()
    there = series.matched(a, b, GROUPS)
    back = series.matched(b, a, GROUPS)
    both = set(before) & set(now)
    assert there.repositories == len(both)
    for at, name in enumerate(GROUPS.names):
        own = {i for i in both if GROUPS.of[i] == at}
        assert there.own[at] == len(own)
        if not own:
            assert np.isnan(there.change[at]), f"{name} is in neither: null, not zero"
        if not np.isnan(there.change[at]):
            assert there.change[at] == pytest.approx(-back.change[at])
            shares = [sum(c[i] for i in own) / sum(c[i] for i in both) for c in (before, now)]
            assert [there.share_before[at], there.share[at]] == pytest.approx(shares)


@FEW
@given(st.lists(st.lists(st.integers(1, 10**6), min_size=COUNT, max_size=COUNT), min_size=2))
def test_with_the_same_repositories_every_answer_is_the_share(values: list[list[int]]) -> None:
    some = [taken(f"s{day:03}", day, dict(enumerate(row))) for day, row in enumerate(values)]
    days, rows = made(*some)
    fresh = rows[rows["snapshot"].isin(days.index[days["fresh"]])]
    assert fresh["chained_share"].to_numpy() == pytest.approx(fresh["share"].to_numpy())
    assert fresh["common_share"].to_numpy() == pytest.approx(fresh["share"].to_numpy())


OWN = ["snapshot", "day", "group", "downloads", "share", "lower", "upper", "repositories", "grade"]


@FEW
@given(DAYS, st.data())
def test_order_and_company_change_no_row(
    days: list[tuple[int, dict[int, int]]], data: st.DataObject
) -> None:
    some = [one for one in several(days) if one.total]
    if not some:
        return
    straight, turned = made(*some), made(*data.draw(st.permutations(some)))
    for one, other in zip(straight, turned, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert straight[1]["chained_share"].dropna().between(0, 1).all()
    assert straight[1]["common_share"].dropna().between(0, 1).all()
    one = some[0]
    _, fewer = made(*some[1:], one) if some[1:] else made(one)
    _, without = made(*some[1:]) if some[1:] else (None, fewer.iloc[:0])
    kept = straight[1][straight[1]["snapshot"] != one.name].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept[OWN], without[OWN])
    # Only the neighbour that follows the new one compares itself with another reading now.
    links = ["matched_own", "matched_share", "matched_change"]
    order = straight[0].index.tolist()
    after = order[order.index(one.name) + 1 :][:1]
    far = ~kept["snapshot"].isin(after)
    assert straight[0]["fresh"].all()
    pd.testing.assert_frame_equal(kept.loc[far, links], without.loc[far, links])


def test_a_broken_chain_stays_broken() -> None:
    nothing = float("nan")
    assert series.chained(0.5, [(2.0, 1.0), (1.0, 2.0)]) == pytest.approx([2 / 3, 0.5])
    got = series.chained(0.5, [(1.0, 1.0), (nothing, 1.0), (1.0, 1.0)])
    assert got[0] == 0.5
    assert np.isnan(got[1:]).all()
    assert series.chained(1.0, [(3.0, nothing)]) == [1.0], "without a rest it stays alone"
    assert series.common([]).tolist() == []


# ------------------------------------------------------------------------------- real files


@pytest.fixture(scope="module")
def reader(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> summaries.Reader:
    folder = tmp_path_factory.mktemp("series")
    return summaries.Reader.of(raw.load_registry(), summaries.Cache(folder))


def answer(reader: summaries.Reader, *names: str, **question: Any) -> builder.Series:
    asked = builder.entries(names, [], reader.registry)
    return builder.make(asked, builder.Question(**question), reader)


def as_json(capsys: Capture, *argv: str, status: int = 0) -> Any:
    assert commands.main([*argv, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def same_as_share(capsys: Capture, name: str, *argv: str) -> dict[str, Any]:
    """Compare every row of one snapshot with what ``share`` says; return what ``series`` said."""
    one = as_json(capsys, "share", "--snapshot", name, *argv)
    many = as_json(capsys, "series", name, *argv)
    (day,) = many["snapshots"]
    assert day["total"] == one["total_downloads"]
    assert day["covered"] == one["covered_repositories"]
    assert day["population"] == one["population_repositories"]
    if day["covered"] < day["population"]:
        bounded = one["missing_bounded_by"]
        assert day["bounded_by"] == (bounded and bounded["list"])
    titles = families.parse(raw.declared("families")).titles
    rows = {titles[row["group"]]: row for row in many["rows"]}
    assert set(rows) == set(one["families"])
    for title, part in one["families"].items():
        row = {key: rows[title][key] for key in part}
        if not part["repositories"]:
            # Of what nothing was read, `share` says 0 and a series nothing.
            assert (row["downloads"], row["share"]) == (None, None)
            row |= {"downloads": 0, "share": 0.0}
        assert row == part
    return many


def test_the_shares_of_share(mirror: Path, capsys: Capture) -> None:
    many = same_as_share(capsys, "llmfit-2026-04-22", "--population", LISTED)
    assert many["comparable"] is True
    assert many["licence"] == "CC-BY-4.0"
    assert many["failed"] == []
    assert many["snapshots"][0]["bounded_by"] == "top25-2026-04-22"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("hub-stats-2026-05", "expansion-2025-12-22", "llmfit-2026-02-19"),
        *("trending-2026-05-04", "top30-2026-05-09", "top25-2026-03-04"),
    ],
)
@pytest.mark.parametrize("population", ["present", "tracked-2026-05-25", "text-and-vision"])
def test_the_shares_of_share_in_every_kind(
    mirror: Path, capsys: Capture, name: str, population: str
) -> None:
    more = ("--family-rule", "with-reuploads", "--exclude", "Qwen/Qwen3-0.6B")
    many = same_as_share(capsys, name, "--population", population, *more)
    assert many["comparable"] is population.startswith("tracked")


def test_the_catalogue_over_days(reader: summaries.Reader) -> None:
    names = [f"llmfit-2026-{day}" for day in ("04-29", "05-10")]
    got = answer(reader, *reversed(names), groups=("Qwen",), population=LISTED)
    assert got.days.index.tolist() == names
    assert got.days["day"].tolist()[-1] == "2026-05-09", "by its counters, as the builder has it"
    assert got.days["day_known_by"].tolist()[-1] == "its counters equal those of top30-2026-05-09"
    assert got.days["days_new"].tolist() == [30, 10]
    assert got.apart == (names[0],)
    rows = got.rows
    assert (rows["lower"] <= rows["share"]).all()
    assert (rows["share"] <= rows["upper"]).all()
    assert rows["grade"].unique().tolist() == ["bounded"]
    assert rows["matched_change"].tolist()[1:] == pytest.approx([0.0072], abs=1e-4)
    assert (got.days["matched_covers"].dropna() > 0.97).all()


def test_a_whole_hub_gives_the_same_answers(
    reader: summaries.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real cut, once with all its rows and once as if it were too large to keep them."""
    questions: list[dict[str, Any]] = [
        {},
        {"population": "text-and-vision", "family_rule": "with-reuploads"},
        {"by": "organisation", "groups": ("Qwen", "google", "sentence-transformers")},
    ]
    exact = [answer(reader, "hub-stats-2026-05", **asked) for asked in questions]
    for name, value in (("SMALL", 100), ("DEPTH", 50), ("ORGANISATIONS", 40)):
        monkeypatch.setattr(summaries, name, value)
    entry = builder.entries(["hub-stats-2026-05"], [], reader.registry)
    large = replace(reader, cache=summaries.Cache(None), _rankings=reader._rankings)
    names = summaries.listed(LISTED, reader.families)
    monkeypatch.setattr(summaries.Reader, "named", lambda _: names)
    kept, _ = large.read(entry[0])
    assert kept.rows.num_rows < 2_500
    monkeypatch.setattr(summaries.Reader, "read", lambda *_: (kept, True))
    for asked, whole in zip(questions, exact, strict=True):
        got = builder.make(entry, builder.Question(**asked), large)
        # What all readings hold can only be told of the repositories kept by name.
        for one, other in ((got.rows, whole.rows), (got.days, whole.days)):
            named = [name for name in one.columns if not name.startswith("common_")]
            pd.testing.assert_frame_equal(one[named], other[named])
    tasks = builder.Question("text-and-vision", by="organisation")
    with pytest.raises(InputError, match="too large to keep tasks by organisation"):
        builder.make(entry, tasks, large)


# ------------------------------------------------------------------------------- the cache


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files of which a summary was made."""
    calls: list[str] = []
    plain = summaries.summarise

    def summarise(path: Path, *more: Any) -> summaries.Summary:
        calls.append(path.name)
        return plain(path, *more)

    monkeypatch.setattr(summaries, "summarise", summarise)
    return calls


def weeks(folder: Path, count: int, rows: int = 40) -> list[str]:
    """Synthetic snapshots, a week apart, in the layout of hub-stats."""
    folder.mkdir(exist_ok=True)
    names = []
    for week in range(count):
        ids = [f"{'Qwen' if n % 3 else 'meta-llama'}/Qwen-Llama-{n}" for n in range(rows)]
        values = [5_000 + 100 * n + 37 * week * (n % 7 + 1) for n in range(rows)]
        path = folder / f"week-{week:03}.parquet"
        pq.write_table(pa.table({"id": ids, "downloads": values}), path)
        names.append(f"{path}@{FIRST + timedelta(days=7 * week)}")
    return names


def test_adding_one_costs_one(
    reader: summaries.Reader, tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = replace(reader, cache=summaries.Cache(tmp_path / "cache"))
    names = ["top30-2026-05-30", *weeks(tmp_path / "w", 3)]
    said: list[tuple[str, bool]] = []
    asked = builder.entries(names, [], reader.registry)

    def ask(some: list[builder.Entry], **question: Any) -> builder.Series:
        said.clear()
        return builder.make(
            some, builder.Question(**question), own, lambda *what: said.append(what)
        )

    ask(asked[:-1])
    assert [kept for _, kept in said] == [False] * 3
    before = len(counted)
    ask(asked)
    assert counted[before:] == ["week-002.parquet"]
    assert [kept for _, kept in said] == [True] * 3 + [False]
    # Another question reads nothing: no registered file is even fetched.
    monkeypatch.setattr(raw, "fetch", lambda name: pytest.fail(f"{name} was fetched"))
    ask(asked, family_rule="organisation", exclude=("Qwen/Qwen-Llama-1",), groups=("qwen",))
    ask(asked, by="organisation")
    assert len(counted) == before + 1
    # Other bytes under the same name are another snapshot; other rules make other summaries.
    weeks(tmp_path / "w", 1, rows=41)
    ask(asked)
    assert len(counted) == before + 2
    assert replace(own, rules="other").key("0" * 64, "hub-snapshot") != own.key(
        "0" * 64, "hub-snapshot"
    )


def test_raw_files_fetched_on_the_way_can_go(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv(raw.CACHE_VARIABLE, str(tmp_path))
    kept = raw.fetch("top30-2026-05-30")
    argv = ["series", "--glob", "top30-2026-05-[23]*", "--families", "qwen", "--drop-raw"]
    assert commands.main(argv) == 0
    assert [path for path in tmp_path.rglob("*.json") if path.is_file()] == [kept]
    first = capsys.readouterr()
    assert "2 read" in first.err
    assert commands.main(argv) == 0
    again = capsys.readouterr()
    assert "2 kept from before" in again.err
    assert again.out == first.out
    assert "enters it by growing" in again.out


def test_a_damaged_summary_is_made_anew(
    reader: summaries.Reader, tmp_path: Path, counted: list[str]
) -> None:
    own = replace(reader, cache=summaries.Cache(tmp_path / "cache"))
    (entry,) = builder.entries(weeks(tmp_path / "w", 1), [], reader.registry)
    first, _ = own.read(entry)
    (path,) = (tmp_path / "cache").iterdir()
    content = path.read_bytes()
    other = b"PAR1" + b"\0" * 40
    right_name = f"{path.stem.partition('-')[0]}-{summaries.digest(other)}.parquet"
    for damage in (content[:-1], content[:90] + b"?" + content[91:], b"", other):
        path.write_bytes(damage)
        if damage == other:
            path.rename(path.with_name(right_name))
        again, kept = own.read(entry)
        assert not kept
        assert again.rows.equals(first.rows)
        assert [p.read_bytes() for p in (tmp_path / "cache").iterdir()] == [content]
    assert len(counted) == 5
    assert own.read(entry)[1]
    assert len(summaries.code_version()) == 64


def test_a_cache_that_cannot_be_written(
    reader: summaries.Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = weeks(tmp_path / "w", 3)
    (tmp_path / "file").write_text("in the way")
    blocked = replace(reader, cache=summaries.Cache(tmp_path / "file" / "series"))
    got = answer(blocked, *names)
    assert len(got.days) == 3
    assert len(blocked.cache.notes) == 1, "said once"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    short = replace(reader, cache=summaries.Cache(tmp_path / "cache"))
    assert answer(short, *names).rows.equals(got.rows)
    assert "No space left on device" in short.cache.notes[0]
    assert list((tmp_path / "cache").iterdir()) == [], "nothing half-written stays"


# ------------------------------------------------------------------------------- the command


def test_one_broken_snapshot_does_not_stop_the_others(
    mirror: Path, tmp_path: Path, capsys: Capture
) -> None:
    good, also = weeks(tmp_path / "w", 2)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    undated = tmp_path / "undated.parquet"
    undated.write_bytes(Path(good.partition("@")[0]).read_bytes())
    argv = ["series", good, f"{broken}@2026-01-02", str(undated), also, "--no-cache"]
    assert commands.main(argv) == 2
    got = capsys.readouterr()
    lines = [line for line in got.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 2
    assert "broken.parquet: not a readable Parquet file" in lines[0]
    assert lines[1].endswith("does not say its day: name it as FILE@YYYY-MM-DD")
    assert "2 readings from 2026-01-01 to 2026-01-08" in got.out
    assert "Qwen" in got.out
    assert "not comparable" in got.out
    # So is one in which nothing of the population was read.
    argv = ["series", good, "top30-2026-05-30", "--population", LISTED]
    assert as_json(capsys, *argv, status=2)["failed"] == [
        {
            "snapshot": good,
            "error": f"{good}: no repository of population {LISTED} has a counter here",
        }
    ]
    assert commands.main(["series", str(undated), "--no-cache"]) == 2
    assert "no snapshot could be read" in capsys.readouterr().err


def test_a_capture_says_its_day(reader: summaries.Reader, tmp_path: Path) -> None:
    path = tmp_path / "capture.parquet"
    times = [dt.datetime(2026, 11, day, 1, tzinfo=dt.UTC) for day in (25, 26, 26)]
    columns: dict[str, Any] = {"id": ["Qwen/a", "Qwen/b", "x/c"], "downloads": [1, 2, 3]}
    pq.write_table(pa.table(columns | {"capturedAt": times}), path)
    got = answer(reader, str(path))
    assert got.days["day"].tolist() == ["2026-11-26"], "the day of most of its rows"
    assert got.days["day_known_by"].tolist() == ["the file says so"]
    assert got.days["source"].isna().all()
    assert answer(reader, f"{path}@2026-11-24").days["day"].tolist() == ["2026-11-24"]


def test_untrusted_ids_in_what_is_written(mirror: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "odd.parquet"
    ids = ["=cmd()/x", "Qwen/a", "\x1b[31m/b", "plain"]
    pq.write_table(pa.table({"id": ids, "downloads": [2**63 - 1, 2, 3, 4]}), path)
    out = tmp_path / "out.csv"
    argv = ["series", f"{path}@2026-01-01", "--organisations", "--no-cache", "--to", str(out)]
    assert commands.main(argv) == 0
    assert "\x1b" not in capsys.readouterr().out
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["group"] for row in rows] == ["'=cmd()", "(none)", "\\x1b[31m", "Qwen"]
    assert commands.main([*argv[:-1], str(tmp_path / "out.parquet")]) == 0
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["group"].to_pylist() == ["=cmd()", "(none)", "\x1b[31m", "Qwen"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["odd.parquet", "out.csv", "out.parquet"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "name snapshots, or give --glob"),
        (["nobody-2026"], "neither a registered version"),
        (["tracked-2026-05-25"], "holds no download counters"),
        (["--glob", "nobody-*"], "no registered version with counters has such a name"),
        (["top30-2026-05-23", "--families", "qwenn"], "no such family; there are qwen, llama"),
        (["top30-2026-05-23", "--population", "martians"], "not known; there are present"),
        (["top30-2026-05-23", "--population", "tracked-2020"], "tracked-2020"),
        (["top30-2026-05-23", "--to", "x.xlsx"], "name a .csv or a .parquet file"),
        (["top30-2026-05-23", "--to", "no/such/place.csv"], "cannot be written"),
        (["x.parquet@2026-02-31"], "2026-02-31 is no day"),
        (["top30-2026-05-23", "--families", "qwen", "--organisations"], "exclude one another"),
        (["top30-2026-05-23", "--no-cache", "--drop-raw"], "--drop-raw needs the summaries"),
        (["top30-2026-05-23", "--measure", "downloads_all_time"], "no counter downloads_all_time"),
    ],
)
def test_mistakes_are_one_line(
    mirror: Path, capsys: Capture, argv: list[str], message: str
) -> None:
    assert commands.main(["series", *argv]) == 2
    got = capsys.readouterr().err
    assert message in got
    assert got.count("\n") == 1


def test_makers_and_tasks(reader: summaries.Reader) -> None:
    makers = answer(reader, "llmfit-2026-04-22", population="named-makers", groups=("qwen",))
    assert makers.comparable
    assert makers.rows["missing"].tolist()[0] > 0
    tasks = answer(
        reader,
        "llmfit-2026-04-22",
        population="text-and-vision",
        exclude=("no/body", "Qwen/Qwen3-8B"),
    )
    assert [text for name, text in tasks.problems if name == "--exclude"] == [
        "'no/body': not there to leave out, or too small to stand by name"
    ]
    assert not tasks.comparable
    assert tasks.days["covered"].tolist()[0] < tasks.days["population"].tolist()[0]
    assert tasks.days["bounded_by"].tolist() == ["top25-2026-04-22"]


@pytest.mark.slow
def test_the_panel_marks_its_repeats(reader: summaries.Reader) -> None:
    got = answer(reader, "panel-2025", measure="downloads_all_time", groups=("qwen",))
    repeated = [name.partition("@")[2] for name in got.days.index[~got.days["fresh"]]]
    # The same days as in data/derived/repeats.csv.
    assert repeated == [
        *("2025-06-04", "2025-06-11", "2025-06-18", "2025-06-25", "2025-07-02"),
        *("2026-01-28", "2026-01-31"),
    ]
    assert got.apart == ()
    assert got.days["days_new"].isna().all()


@pytest.mark.slow
def test_memory_and_time_of_many_weeks(mirror: Path, tmp_path: Path) -> None:
    """Synthetic weeks as long as a dump that is too large to keep all of its rows."""
    bench = runpy.run_path(str(PROJECT / "benchmarks" / "series.py"))
    names = bench["weeks"](tmp_path, 49, 6)
    few = bench["run"](tmp_path / "few", *names[:12])
    many = bench["run"](tmp_path / "many", *names[:-1])
    more = bench["run"](tmp_path / "many", *names)
    assert many["peak_megabytes"] - few["peak_megabytes"] < 36 * 4, "a few megabytes a snapshot"
    assert more["cpu_seconds"] < many["cpu_seconds"]
    assert len(list((tmp_path / "many" / "series").iterdir())) == len(names)


@pytest.mark.slow
def test_all_catalogues_are_new_observations(reader: summaries.Reader) -> None:
    asked = builder.entries([], ["llmfit-*", "top30-*", "top25-*"], reader.registry)
    got = builder.make(asked, builder.Question(groups=("qwen",)), reader)
    assert len(got.days) == len(asked) == 87
    dating = pd.read_csv(PROJECT / "data" / "derived" / "dating.csv")
    known = dating[dating["verdict"] == "match"].set_index("version")["day"].to_dict()
    dated = {name: day for name, day in known.items() if name in got.days.index}
    assert dated
    assert {name: got.days.at[name, "day"] for name in dated} == dated, "as the builder has them"
    assert not (got.days["verdict"] == "repeat").any()
    assert got.rows["share"].dropna().between(0, 1).all()
    # What rose in April was one repository: without it there is no change to speak of.
    names = [f"llmfit-2026-{day}" for day in ("04-08", "04-22", "04-29")]
    question: dict[str, Any] = {"groups": ("Qwen",), "population": LISTED}
    risen = answer(reader, *names, **question).rows["matched_change"].tolist()[1:]
    assert risen == pytest.approx([0.0988, 0.0570], abs=1e-4)
    calm = answer(reader, *names, **question, exclude=("Qwen/Qwen3-VL-2B-Instruct",))
    assert calm.rows["matched_change"].tolist()[1:] == pytest.approx([0.005, 0], abs=1e-3)
