"""Golden numbers of the readers on the real raw files."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis import raw
from analysis.snapshot import FIELDS, KIND_COLUMNS, KINDS, Snapshot, read

LIST_KINDS = ("hub-top30", "hub-top25", "hub-top15", "hub-trending")

#: Columns that tell one row about a repository from another, where a kind has them.
KEY = ("list", "day", "repository_id", "base_id", "month")

Reader = Callable[[str], Snapshot]


@pytest.fixture(scope="module")
def snapshot(raw_path: Callable[[str], Path]) -> Reader:
    """Return a function from a version's name to its snapshot, each read once."""
    registry = raw.load_registry()
    read_before: dict[str, Snapshot] = {}

    def get(name: str) -> Snapshot:
        if name not in read_before:
            source, _version = registry.find(name)
            read_before[name] = read(raw_path(name), source.kind)
        return read_before[name]

    return get


def names_of(kind: str) -> list[str]:
    return [
        version.name
        for source, version in raw.load_registry().by_kind(kind)
        if source.state == "available"
    ]


ALL = [name for kind in KINDS for name in names_of(kind)]


def test_every_registered_file_of_a_readable_kind_is_covered() -> None:
    lineage = 2 + 1 + 4
    assert (
        len(ALL)
        == 13
        + 26
        + 51
        + 3
        + 2
        + 1
        + 7
        + 3
        + 2
        + lineage
        + 9
        + 16
        + 1
        + 17
        + 12
        + 6
        + 25
        + 2
        + 12
        + 7
        + 3
    )


@pytest.mark.parametrize("name", ALL)
def test_every_file_reads_into_the_schema(name: str, snapshot: Reader) -> None:
    found = snapshot(name)
    frame = found.frame
    # The router's page was broken on one day: an empty ranking is what the source gave. And a
    # description of fields, registered beside its data, has no row.
    empty = ("router-2026-05-17", "arena-page-readme-2026-08-22")
    assert (len(frame) > 0) == (name not in empty)
    assert list(frame.columns) == [column for column in FIELDS if column in frame.columns]
    assert set(frame.columns) <= set(KIND_COLUMNS[found.kind])
    for column in frame.columns:
        assert frame[column].dtype == FIELDS[column].pandas_dtype, column
        if FIELDS[column].null_meaning == "never null":
            assert frame[column].notna().all(), column
        if FIELDS[column].dtype == "Int64":
            assert (frame[column].dropna() >= 0).all(), column
    if "repository_id" in frame:
        assert frame["organisation"].notna().all()
        key = [one for one in KEY if one in frame]
        assert not frame.duplicated(key).any()
    assert not any("/tmp" in problem or "/home" in problem for problem in found.problems)


def test_hub_stats(snapshot: Reader) -> None:
    found = snapshot("hub-stats-2026-05")
    frame = found.frame
    assert (found.layout, found.taken, found.problems) == ("hub-stats", None, ())
    assert len(frame) == 4_167
    qwen = frame[frame["organisation"] == "Qwen"]
    assert len(qwen) == 106
    assert qwen["downloads_30d"].sum() == 169_409_841
    assert qwen["downloads_all_time"].sum() == 1_233_993_595
    assert frame["last_modified"].max() == pd.Timestamp("2026-05-20T18:24:08Z")
    assert frame["parameters_total"].notna().sum() == 4_167 - 407
    assert frame["base_models"].notna().sum() == 4_167 - 1_581
    one = frame.set_index("repository_id").loc["Qwen/Qwen3-8B"]
    assert one["licence"] == "apache-2.0"
    assert list(one["base_models"]) == ["Qwen/Qwen3-8B-Base"]
    assert one["base_relation"] == "finetune"
    assert "license:apache-2.0" in list(one["tags"])


def test_hub_stats_reads_only_what_is_asked(raw_path: Callable[[str], Path]) -> None:
    path = raw_path("hub-stats-2026-05")
    asked = ["repository_id", "downloads_30d", "downloads_all_time", "pipeline_tag"]
    start = time.perf_counter()
    found = read(path, "hub-snapshot", columns=asked)
    assert time.perf_counter() - start < 0.3
    assert set(found.frame.columns) == {*asked, "organisation"}
    whole = read(path, "hub-snapshot").frame
    pd.testing.assert_frame_equal(found.frame, whole[list(found.frame.columns)])
    licences = read(path, "hub-snapshot", columns=["licence", "parameters_total"]).frame
    pd.testing.assert_series_equal(licences["licence"], whole["licence"])
    assert "tags" not in licences


def test_hub_stats_all_time_is_never_below_thirty_days(snapshot: Reader) -> None:
    frame = snapshot("hub-stats-2026-05").frame
    assert (frame["downloads_all_time"] >= frame["downloads_30d"]).all()


def test_expansion(snapshot: Reader) -> None:
    found = snapshot("expansion-2025-12-22")
    assert (found.layout, len(found.frame)) == ("expansion", 17_974)
    assert found.taken == dt.datetime(2025, 12, 22, 1, 44, 32, 41_000, tzinfo=dt.UTC)
    assert found.frame["pipeline_tag"].isna().sum() == 544


def test_makers(snapshot: Reader) -> None:
    found = snapshot("makers-2025-10-12")
    assert (found.layout, len(found.frame)) == ("by-author", 2_028)
    assert found.frame["organisation"].value_counts().to_dict() == {
        "google": 1050,
        "microsoft": 427,
        "Qwen": 362,
        "deepseek-ai": 78,
        "meta-llama": 70,
        "mistralai": 39,
        "xai-org": 2,
    }
    licences = found.frame.loc[found.frame["organisation"] == "Qwen", "licence"]
    counts = licences.value_counts(dropna=False)
    assert (counts["apache-2.0"], counts["other"], licences.isna().sum()) == (236, 110, 16)
    sums = found.frame.groupby("organisation")["downloads_30d"].sum()
    assert sums["Qwen"] == 89_074_818
    assert sums["meta-llama"] == 27_252_215


def test_two_sources_agree_on_2026_02_28(snapshot: Reader) -> None:
    head = snapshot("top30-2026-02-28").frame.set_index("repository_id")
    other = snapshot("top25-2026-02-28").frame
    other = other[other["list"] == "downloads"].set_index("repository_id")
    assert len(other) == 25
    assert (head.loc[other.index, "downloads_30d"] == other["downloads_30d"]).all()


@pytest.mark.parametrize("kind", LIST_KINDS)
def test_lists_are_ranked_and_dated(kind: str, snapshot: Reader) -> None:
    lengths = {"hub-top30": 30, "hub-top25": 25, "hub-top15": 15}
    for name in names_of(kind):
        found = snapshot(name)
        assert found.taken is not None
        assert found.taken.tzinfo is dt.UTC or found.taken.utcoffset() == dt.timedelta(0)
        assert found.taken.date().isoformat() == name[-10:]
        if kind in lengths:
            head = found.frame[found.frame["list"] == "downloads"]
            assert len(head) == lengths[kind]
            assert head["rank"].tolist() == list(range(1, len(head) + 1))
            assert head["downloads_30d"].is_monotonic_decreasing


def test_lists_are_kept_apart(snapshot: Reader) -> None:
    counts = snapshot("top25-2026-08-22").frame["list"].value_counts().to_dict()
    assert counts == {"downloads": 25, "likes": 25, "trending": 25}
    counts = snapshot("top30-2026-05-23").frame["list"].value_counts().to_dict()
    assert counts == {"downloads": 30, "small": 21}
    counts = snapshot("top15-2026-02-21").frame["list"].value_counts().to_dict()
    assert counts == {"downloads": 15, "likes": 30, "recent": 20}
    frame = snapshot("top25-2026-08-22").frame
    first = frame[(frame["list"] == "downloads") & (frame["rank"] == 1)].iloc[0]
    assert first["downloads_30d"] == 257_229_302


def test_trending(snapshot: Reader) -> None:
    frame = snapshot("trending-2026-04-30").frame
    assert len(frame) == 1_000
    assert frame["created_at"].notna().all()
    assert frame["trending_score"].iloc[0] == 3111


# llmfit writes 0 where it never looked: the evidence is another reading of the same repositories.


def test_zeros_of_the_catalogue_are_no_counters(snapshot: Reader) -> None:
    catalogue = snapshot("llmfit-2026-05-10")
    unread = catalogue.frame[~catalogue.frame["looked_up"]]
    assert len(unread) == 30
    assert unread["downloads_30d"].isna().all()
    witness = snapshot("hub-stats-2026-05").frame.set_index("repository_id")["downloads_30d"]
    both = witness.reindex(unread["repository_id"]).dropna()
    assert len(both) == 22
    assert both.min() == 993
    assert both["google/gemma-3-12b-it"] == 2_816_910
    assert any("never looked up" in problem for problem in catalogue.problems)


def test_a_zero_with_likes_is_a_counter(snapshot: Reader) -> None:
    frame = snapshot("llmfit-2026-04-22").frame.set_index("repository_id")
    # Put up that day: looked up (it has likes), and the counter still stood at 0.
    assert frame.loc["Qwen/Qwen3.6-27B", "downloads_30d"] == 0
    assert frame.loc["Qwen/Qwen3.6-27B", "likes"] > 0


def test_likes_were_not_read_from_april_2026_on(snapshot: Reader) -> None:
    witness = snapshot("top25-2026-04-29").frame
    witness = witness.drop_duplicates("repository_id").set_index("repository_id")
    frame = snapshot("llmfit-2026-04-29").frame.set_index("repository_id")
    assert witness.loc["openai/gpt-oss-120b", "likes"] == 4_747
    assert pd.isna(frame.loc["openai/gpt-oss-120b", "likes"])
    assert frame.loc["openai/gpt-oss-120b", "downloads_30d"] == 3_710_123
    assert snapshot("llmfit-2026-03-21").frame["likes"].gt(0).sum() > 500


def test_one_repository_in_two_spellings_counts_once(snapshot: Reader) -> None:
    for name in names_of("hub-snapshot"):
        if not name.startswith("llmfit") or name < "llmfit-2026-04":
            continue
        ids = snapshot(name).frame["repository_id"]
        assert "microsoft/Phi-3-mini-4k-instruct" in set(ids)
        assert not ids.str.casefold().duplicated().any()


def test_the_catalogues_one_duplicate_keeps_its_counter(snapshot: Reader) -> None:
    found = snapshot("llmfit-2026-03-04")
    assert len(found.frame) == 568
    frame = found.frame.set_index("repository_id")
    assert frame.loc["Qwen/Qwen3-Coder-Next", "downloads_30d"] == 484_455


def test_panel(snapshot: Reader) -> None:
    found = snapshot("panel-2025")
    frame = found.frame
    assert len(frame) == 19_361 - 4 * 169
    assert frame["day"].nunique() == 67
    assert frame["day"].min() == pd.Timestamp("2025-02-26")
    assert frame["day"].max() == pd.Timestamp("2026-02-01")
    wide = frame.pivot(index="repository_id", columns="day", values="downloads_all_time")
    # Five readings stand under 2026-01-12, one of them that of 01-07: the largest is the latest.
    days = pd.to_datetime(["2026-01-07", "2026-01-12", "2026-01-13"])
    three = wide[days].dropna()
    assert (three[days[1]] >= three[days[0]]).all()
    assert (three[days[2]] >= three[days[1]]).all()
    assert any("664 rows repeat an id with other counters" in one for one in found.problems)
    assert {"China", "United States of America"} <= set(frame["country"])


def test_tracked_lists(snapshot: Reader) -> None:
    sizes = {name: len(snapshot(name).frame) for name in names_of("tracked-list")}
    assert sizes == {
        "tracked-2025-12-30": 1_150,
        "tracked-2026-02-08": 1_481,
        "tracked-2026-03-27": 1_617,
        "tracked-2026-05-25": 1_694,
        "tracked-2026-08-17": 1_772,
        "tracked-extra-2026-02-08": 119,
        "tracked-extra-2026-08-17": 186,
    }
    problems = snapshot("tracked-2025-12-30").problems
    assert problems == ("2 rows repeat another row's id and counters; one of each is kept",)


def test_reference_lists(snapshot: Reader) -> None:
    regions = snapshot("organisation-regions-2026-08-17")
    assert (regions.layout, len(regions.frame)) == ("organisation-regions", 118)
    assert set(regions.frame["region"]) == {"us", "china", "eu", "other", "unknown"}
    sizes = snapshot("model-parameters-2026-08-17")
    assert (sizes.layout, len(sizes.frame)) == ("model-parameters", 299)
    corrections = snapshot("release-date-corrections-2026-08-17")
    assert (corrections.layout, len(corrections.frame)) == ("release-date-corrections", 40)
    one = corrections.frame.set_index("repository_id").loc["zai-org/GLM-5"]
    assert one["released_on"] - one["created_on"] == pd.Timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("organisation-weeks-2025-10-08", {"Meta Llama": 94_554_252, "Qwen": 90_042_279}),
        ("organisation-weeks-2025-12-07", {"Google": 180_807_082, "Alibaba Cloud": 125_225_210}),
    ],
)
def test_organisation_weeks_are_running_sums(
    name: str, expected: dict[str, int], snapshot: Reader
) -> None:
    found = snapshot(name)
    # No note of a broken sum: the totals run over the weeks of creation, they are no time series.
    assert found.problems == ()
    last = found.frame.groupby("group").tail(1).set_index("group")["downloads_30d"]
    assert {group: last[group] for group in expected} == expected


def test_organisation_weeks_count_the_same_repositories_as_the_catalogue(snapshot: Reader) -> None:
    weeks = snapshot("organisation-weeks-2025-10-08").frame
    last = weeks.groupby("group").tail(1).set_index("group")
    assert last.loc["Qwen", "models"] == 362
    makers = snapshot("makers-2025-10-12").frame
    assert (makers["organisation"] == "Qwen").sum() == 362
