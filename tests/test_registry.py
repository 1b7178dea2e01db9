"""The registry of sources: complete, consistent, and strict about what is written in it."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis import raw
from analysis.errors import InputError
from analysis.raw import registry as registry_module

SOURCES = raw.data_dir() / "sources"

# Where the registry departs from the day in the mirror's index, and why.
OTHER_DAY = {
    "top15-2026-02-12": ("2026-02-13", "the file says it was read on 2026-02-12"),
    "arena-page-2026-07-29": ("2026-07-31", "the file says it was fetched on 2026-07-29"),
}

# Field of a kind's file that tells when it was read.
OWN_TIME = {
    "hub-top30": "updated",
    "hub-top25": "lastUpdated",
    "hub-top15": "scraped_at",
    "hub-trending": "fetchedAt",
    "router-ranking": "meta.fetched_at",
    "arena-table-json": "meta.fetched_at",
    "quality-index": "meta.fetched_at",
    "arena-scores": "meta.leaderboard_publish_date",
}


@pytest.fixture(scope="module")
def registry() -> raw.Registry:
    return raw.load_registry()


@pytest.fixture(scope="module")
def index(mirror: Path) -> list[dict[str, str]]:
    with (mirror / "index.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_holds_every_mirrored_file_and_nothing_more(
    registry: raw.Registry, index: list[dict[str, str]]
) -> None:
    assert len(index) == 226
    ours = {v.url for s, v in registry.versions() if s.state == "available"}
    assert ours == {row["url"] for row in index}


def test_agrees_with_the_index_row_by_row(
    registry: raw.Registry, index: list[dict[str, str]]
) -> None:
    by_url = {v.url: (s, v) for s, v in registry.versions()}
    other_days = {}
    for row in index:
        source, version = by_url[row["url"]]
        digest = version.sha256 or f"git-tree:{version.git_tree}"
        assert (digest, str(version.bytes), source.kind) == (
            row["sha256"],
            row["bytes"],
            row["kind"],
        )
        assert version.hash_by == "computed here"
        stated = source.licence_of(version)
        # The index tells more where nothing is stated; the registry has licence_notes for that.
        assert stated == row["licence"] or (
            stated == "not stated" and row["licence"].startswith("not stated")
        ), version.name
        if version.as_of != row["as_of"]:
            other_days[version.name] = row["as_of"]
    assert other_days == {name: day for name, (day, _) in OTHER_DAY.items()}


def test_days_are_those_that_the_files_tell(
    registry: raw.Registry, raw_path: Callable[[str], Path]
) -> None:
    looked_at = 0
    for source, version in registry.versions():
        field = OWN_TIME.get(source.kind)
        if field is None or version.url.endswith(".md"):
            continue
        value: Any = json.loads(raw_path(version.name).read_bytes())
        for part in field.split("."):
            value = value[part]
        assert version.as_of == value[:10], version.name
        assert value in version.as_of_known_by, version.name
        looked_at += 1
    assert looked_at == 26 + 51 + 3 + 2 + 6 + 6 + 3 + 2


def test_days_of_single_files_are_those_that_they_tell(raw_path: Callable[[str], Path]) -> None:
    registry = raw.load_registry()
    for name, field in (
        ("expansion-2025-12-22", "timestamp"),
        ("ollama-2026-08-21", "lastUpdated"),
    ):
        version = registry.find(name)[1]
        value = json.loads(raw_path(name).read_bytes())[field]
        assert version.as_of == value[:10]
        assert value in version.as_of_known_by
    with raw_path("makers-2025-10-12").open(encoding="utf-8", newline="") as stream:
        newest = max(row["last_modified"] for row in csv.DictReader(stream))
    version = registry.find("makers-2025-10-12")[1]
    assert newest.removesuffix("+00:00") in version.as_of_known_by
    assert newest[:10] <= version.as_of
    with raw_path("roots-2026-03").open(encoding="utf-8", newline="") as stream:
        newest = max(row["created_at"] for row in csv.DictReader(stream))
    assert newest[:10] == registry.find("roots-2026-03")[1].as_of


def counters(path: Path) -> dict[str, int]:
    """Return id and counter of every row of a list of the head, or of the llmfit catalogue."""
    content = json.loads(path.read_bytes())
    if isinstance(content, list):
        return {row["name"]: row["hf_downloads"] for row in content}
    lists = ("models", "smallModels", "downloads", "likes", "trending")
    rows = [row for key in lists for row in content.get(key, [])]
    return {
        row.get("id") or row["name"]: int(str(row["downloads"]).replace(",", "")) for row in rows
    }


@pytest.mark.parametrize(
    ("name", "same_day", "equal", "shared"),
    [
        ("llmfit-2026-03-04", "top25-2026-03-04", 21, 23),
        ("llmfit-2026-03-21", "top30-2026-03-21", 3, 3),
        ("llmfit-2026-04-01", "top25-2026-04-01", 16, 16),
        ("llmfit-2026-04-22", "top25-2026-04-22", 23, 23),
        ("llmfit-2026-04-29", "top25-2026-04-29", 15, 23),
        ("llmfit-2026-05-10", "top30-2026-05-09", 10, 10),
    ],
)
def test_days_of_the_catalogue_are_borne_out_by_dated_lists(
    raw_path: Callable[[str], Path], name: str, same_day: str, equal: int, shared: int
) -> None:
    ours, theirs = counters(raw_path(name)), counters(raw_path(same_day))
    both = ours.keys() & theirs.keys()
    assert (sum(ours[i] == theirs[i] for i in both), len(both)) == (equal, shared)
    stated = raw.load_registry().find(name)[1].as_of_known_by
    assert same_day in stated
    assert str(shared) in stated


def test_the_catalogue_has_zeros_that_mean_unread(raw_path: Callable[[str], Path]) -> None:
    zeros = {
        version.name: sum(not value for value in counters(raw_path(version.name)).values())
        for version in raw.load_registry().source("llmfit").versions
    }
    assert (min(zeros.values()), max(zeros.values())) == (27, 71)
    assert counters(raw_path("llmfit-2026-03-04"))["deepseek-ai/DeepSeek-V3"] == 0
    assert counters(raw_path("top25-2026-03-04"))["deepseek-ai/DeepSeek-V3"] == 1_476_584


def test_days_of_the_ollama_gallery_follow_from_its_relative_days(
    registry: raw.Registry, raw_path: Callable[[str], Path]
) -> None:
    for version in registry.source("ollama-gallery").versions:
        names = json.loads(raw_path(version.name).read_bytes()).values()
        year_ago = {entry["update_date"] for entry in names if entry["updated"] == "1 year ago"}
        taken = version.as_of_first
        assert year_ago == {taken.replace(year=taken.year - 1).isoformat()}, version.name


def test_loads_fast(registry: raw.Registry) -> None:
    registry_module._load.cache_clear()
    start = time.process_time()
    again = raw.load_registry()
    assert time.process_time() - start < 0.25
    assert again == registry
    assert raw.load_registry() is again


def test_every_source_is_fully_described(registry: raw.Registry) -> None:
    assert 30 <= len(registry.sources) <= 50
    for source in registry.sources:
        assert source.known_problems, source.id
        text = " ".join(
            (source.title, source.covers, source.citation, source.upstream_note, source.state_note)
        )
        assert not re.search(r"TODO|XXX|/work/|/tmp/|/home/", text), source.id
        for version in source.versions:
            assert re.search(r"20\d\d|licence-|release-", version.name), version.name
            assert version.commit in version.url
            assert version.commit in source.cite(version)
            assert version.url.startswith("https://")


def test_names_carry_the_day_they_stand_for(registry: raw.Registry) -> None:
    for _, version in registry.versions():
        dated = re.search(r"\d{4}-\d{2}-\d{2}$", version.name)
        if dated:
            assert dated.group() == version.as_of, version.name


def test_the_closed_lists_are_used_up(registry: raw.Registry) -> None:
    assert {k.id for k in registry.kinds} == {s.kind for s in registry.sources}
    assert {u.id for u in registry.upstreams} == {s.upstream for s in registry.sources}


def test_says_which_sources_read_the_same_counter(registry: raw.Registry) -> None:
    def counter(source_id: str) -> str:
        return registry.upstream(registry.source(source_id)).counter

    for source_id in ("hub-stats", "llmfit", "top30", "top25", "panel", "weekly", "makers"):
        assert counter(source_id) == "hub"
    assert len({counter("top30"), counter("ollama-gallery"), counter("router")}) == 3


def test_the_weekly_snapshot_is_optional_and_its_hash_only_declared(
    registry: raw.Registry,
) -> None:
    source, version = registry.find("weekly-2026-09-30")
    assert (source.state, source.share_alike) == ("optional", True)
    assert version.hash_by == "declared by the publisher"
    assert version.bytes == 1_572_863_800
    assert version.url == (
        "https://huggingface.co/datasets/hfmlsoc/hub_weekly_snapshots/resolve/"
        "f148d7443c2514f7b4be9ec1cd281deadae9895e/models/2026-09-30/models.parquet"
    )
    declared_only = [v.name for _, v in registry.versions() if v.hash_by != "computed here"]
    assert declared_only == ["weekly-2026-09-30"]


def test_the_daily_dump_is_withdrawn(registry: raw.Registry) -> None:
    source = registry.source("hub-stats-daily")
    assert source.repository == "cfahlgren1/hub-stats"
    assert (source.state, source.versions) == ("withdrawn", ())
    assert "taken down" in source.state_note


def test_finds_by_name_and_kind(registry: raw.Registry) -> None:
    source, version = registry.find("hub-stats-2026-05")
    assert source.kind == "hub-snapshot"
    assert version.as_of_first == dt.date(2026, 5, 20)
    assert version.as_of_last == dt.date(2026, 6, 5)
    days = [v.as_of_first for _, v in registry.by_kind("hub-snapshot")]
    assert days == sorted(days)
    assert len(days) == 14
    with pytest.raises(InputError, match=r"did you mean .*top30-2026-02-28"):
        registry.find("top30-2026-02-29")
    with pytest.raises(InputError, match="`sources` lists them"):
        registry.find("x")
    with pytest.raises(InputError, match="did you mean top30"):
        registry.source("top3")
    with pytest.raises(InputError, match="no kind is called 'hub-top3'"):
        registry.by_kind("hub-top3")


def test_addresses_quote_what_a_url_must(registry: raw.Registry) -> None:
    _, version = registry.find("licence-qwen-tongyi")
    assert version.url.endswith("/Tongyi%20Qianwen%20LICENSE%20AGREEMENT")


COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHA = "ab" * 32
GOOD = f'''id = "made-up"
title = "A made-up source for faults"
kind = "hub-top30"
producer = "nobody"
repository = "nobody/nothing"
host = "github"
path = "data/file.json"
licence = "MIT"
share_alike = false
citation = "Nobody, nothing on GitHub."
upstream = "hub-api"
upstream_note = "Made up."
covers = "Nothing."
known_problems = ["Made up."]
state = "available"

[[versions]]
name = "made-up-2026-01-01"
commit = "{COMMIT}"
as_of = "2026-01-01"
as_of_known_by = "made up"
sha256 = "{SHA}"
hash_by = "computed here"
bytes = 10
'''


def made_up(folder: Path, **texts: str) -> raw.Registry:
    for name in ("_kinds.toml", "_upstreams.toml"):
        shutil.copy(SOURCES / name, folder / name)
    for stem, text in texts.items():
        (folder / f"{stem.replace('_', '-')}.toml").write_text(text, encoding="utf-8")
    return raw.load_registry(folder)


def test_a_good_made_up_registry_loads_and_is_read_again_when_changed(tmp_path: Path) -> None:
    assert made_up(tmp_path, made_up=GOOD).source("made-up").covers == "Nothing."
    changed = GOOD.replace("Nothing.", "Something else.")
    assert made_up(tmp_path, made_up=changed).source("made-up").covers == "Something else."


FAULTS = {
    "missing field": (f'commit = "{COMMIT}"\n', "", r"versions\.0\.commit .*Field required"),
    "missing field of the source": ('title = "A', '#"A', r"title: Field required"),
    "abbreviated commit": (COMMIT, COMMIT[:7], r"versions\.0\.commit \(made-up-2026-01-01\)"),
    "upper-case commit": (COMMIT, COMMIT.upper(), r"commit"),
    "short hash": (SHA, SHA[:-1], r"versions\.0\.sha256"),
    "no hash": (f'sha256 = "{SHA}"\n', "", "either sha256 or git_tree"),
    "two hashes": ("bytes = 10", f'bytes = 10\ngit_tree = "{COMMIT}"', "either sha256 or git_tree"),
    "tree of a file": (f'sha256 = "{SHA}"', f'git_tree = "{COMMIT}"', "kind hub-tree"),
    "unknown hash_by": ("computed here", "guessed", r"hash_by.*got 'guessed'"),
    "no bytes": ("bytes = 10", "bytes = 0", r"bytes.*greater than 0"),
    "bytes as text": ("bytes = 10", 'bytes = "10"', r"bytes"),
    "unknown kind": ("hub-top30", "hub-top31", "did you mean hub-top30"),
    "unknown upstream": ("hub-api", "hub-spi", "no upstream is called 'hub-spi'"),
    "impossible day": ("2026-01-01", "2026-13-01", "as_of"),
    "day in words": ('as_of = "2026-01-01"', 'as_of = "yesterday"', "a day YYYY-MM-DD"),
    "span backwards": (
        'as_of = "2026-01-01"',
        'as_of = "2026-01-02..2026-01-01"',
        "ends before it begins",
    ),
    "unknown field": ("bytes = 10", "bytes = 10\nsize = 10", r"size.*not permitted"),
    "unknown state": ('state = "available"', 'state = "lost"', r"state.*got 'lost'"),
    "state without note": ('state = "available"', 'state = "optional"', "needs a state_note"),
    "withdrawn with a version": (
        'state = "available"',
        'state = "withdrawn"\nstate_note = "gone"',
        "no version to fetch",
    ),
    "path upwards": ("data/file.json", "../file.json", r"path: must be a plain relative path"),
    "path of a version upwards": ("bytes = 10", 'bytes = 10\npath = "/etc/passwd"', "plain"),
    "path quoted already": ("data/file.json", "data/a%20file.json", "percent"),
    "no path at all": ("data/file.json", "", "no path"),
    "repository with a host": ("nobody/nothing", "https://nobody/nothing", "repository"),
    "archive that is no tree": ('"github"', '"github-archive"', "go together"),
    "id unlike the file's name": ('id = "made-up"', 'id = "other"', "the file's name says"),
    "name with a space": ("made-up-2026-01-01", "made up", r"versions\.0\.name"),
    "not TOML": ("share_alike = false", "share_alike = no", r"not valid TOML.*line 9"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_that_names_file_and_field(tmp_path: Path, fault: str) -> None:
    old, new, message = FAULTS[fault]
    assert old in GOOD
    with pytest.raises(InputError, match=message) as caught:
        made_up(tmp_path, made_up=GOOD.replace(old, new))
    assert "made-up.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_faults_are_counted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="and 1 more"):
        made_up(tmp_path, made_up=GOOD.replace(COMMIT, "abc").replace("bytes = 10", "bytes = -1"))


def test_an_available_source_needs_a_version(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one version"):
        made_up(tmp_path, made_up=GOOD[: GOOD.index("[[versions]]")])


def test_versions_stand_in_order(tmp_path: Path) -> None:
    earlier = GOOD[GOOD.index("[[versions]]") :].replace("2026-01-01", "2025-01-01")
    with pytest.raises(InputError, match="not in order of day and name"):
        made_up(tmp_path, made_up=GOOD + "\n" + earlier)


def test_a_version_must_be_a_table(tmp_path: Path) -> None:
    text = GOOD[: GOOD.index("[[versions]]")] + "versions = [1]\n"
    with pytest.raises(InputError, match=r"versions\.0"):
        made_up(tmp_path, made_up=text)


def test_a_name_or_a_hash_stands_once(tmp_path: Path) -> None:
    other = GOOD.replace('id = "made-up"', 'id = "other"')
    with pytest.raises(InputError, match=r"taken already in made-up\.toml"):
        made_up(tmp_path, made_up=GOOD, other=other)
    renamed = other.replace("made-up-2026", "other-2026")
    with pytest.raises(InputError, match="same hash as made-up-2026-01-01"):
        made_up(tmp_path, made_up=GOOD, other=renamed)


def test_the_closed_lists_are_checked_too(tmp_path: Path) -> None:
    made_up(tmp_path, made_up=GOOD)
    kinds = (SOURCES / "_kinds.toml").read_text(encoding="utf-8")
    (tmp_path / "_kinds.toml").write_text(kinds + kinds, encoding="utf-8")
    with pytest.raises(InputError, match="stands there twice"):
        raw.load_registry(tmp_path)
    (tmp_path / "_kinds.toml").write_text("kind = 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"_kinds\.toml: must hold \[\[kind\]\]"):
        raw.load_registry(tmp_path)
    (tmp_path / "_kinds.toml").write_text("kind = [1]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"_kinds\.toml"):
        raw.load_registry(tmp_path)


def test_an_empty_folder_is_no_registry(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no TOML file"):
        raw.load_registry(tmp_path)


def test_as_json_holds_all_that_a_reader_needs(registry: raw.Registry) -> None:
    plain = json.loads(json.dumps([source.as_json() for source in registry.sources]))
    versions = [version for source in plain for version in source["versions"]]
    assert len(versions) == 227
    for version in versions:
        assert version["url"].startswith("https://")
        assert version["licence"]
        assert (version["sha256"] is None) != (version["git_tree"] is None)
