"""Fetching from the mirror, the cache, verifying, and where things lie."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import raw
from analysis.errors import InputError, IntegrityError, UnavailableError
from analysis.raw import downloading, places, rules
from tests.support.registries import COMMIT, registry_of
from tests.test_raw_gittree import FILES, archive

BODY = b'{"made": "up"}\n'
NAME = "thing-2026-01-01"
FOLDER = f"raw.githubusercontent.com/nobody/nothing/{COMMIT}/data"


@pytest.fixture
def made_up(tmp_path: Path) -> raw.Fetcher:
    """A mirror with one file whose name holds a space, and an empty cache."""
    copy = tmp_path / "mirror" / FOLDER / "a thing.json"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(BODY)
    return raw.Fetcher(
        registry=registry_of(BODY), cache=tmp_path / "cache", mirror=tmp_path / "mirror"
    )


def test_the_real_files_come_from_the_mirror_verified(raw_path: Callable[[str], Path]) -> None:
    for name in ("hub-stats-2026-05", "top30-2026-02-28", "licence-qwen-research"):
        source, version = raw.load_registry().find(name)
        path = raw_path(name)
        assert raw.sha256_of(path) == version.sha256
        assert path.stat().st_size == version.bytes
        assert raw.cache_dir() in path.parents
        assert raw_path(name) == path, source.id


def test_every_mirrored_file_is_right(mirror: Path, tmp_path: Path) -> None:
    registry = raw.load_registry()
    # The whole commit is unpacked in the tests of git trees.
    names = [v.name for s, v in registry.versions() if s.kind != "hub-tree"]
    using = raw.Fetcher(registry=registry, cache=tmp_path / "cache", mirror=mirror)
    findings = raw.verify(names, using=using)
    by_state = {state: [f.name for f in findings if f.state == state] for state in ("ok", "absent")}
    assert len(by_state["ok"]) == 225
    assert by_state["absent"] == ["weekly-2026-09-30"]
    assert len(findings) == 226


def test_a_source_without_files_says_why(mirror: Path) -> None:
    with pytest.raises(UnavailableError, match=r"hub-stats-daily: withdrawn.*taken down"):
        raw.fetch("hub-stats-daily")
    with pytest.raises(UnavailableError, match=r"modelpulse: optional.*Not pinned yet"):
        raw.fetch("modelpulse")


def test_a_source_is_no_file(mirror: Path) -> None:
    with pytest.raises(InputError, match=r"top30 is a source; fetch one of.*top30-2026-02-28, "):
        raw.fetch("top30")
    with pytest.raises(InputError, match=r"hub-stats is a source; fetch one of.*hub-stats-2026-05"):
        raw.fetch("hub-stats")
    with pytest.raises(InputError, match="did you mean"):
        raw.fetch("hub-stats-2026-06")


def test_a_large_optional_file_is_not_in_the_mirror(mirror: Path) -> None:
    with pytest.raises(UnavailableError, match=r"not in the mirror.*unset OMR_MIRROR"):
        raw.fetch("weekly-2026-09-30")


def test_the_copy_lies_under_its_address_and_is_a_plain_file(made_up: raw.Fetcher) -> None:
    path = made_up.fetch(NAME)
    assert path.relative_to(made_up.cache).as_posix() == f"{FOLDER}/a%20thing.json"
    assert path.read_bytes() == BODY
    assert not path.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) & stat.S_IRUSR


def test_a_mirror_may_quote_its_names(made_up: raw.Fetcher) -> None:
    assert made_up.mirror is not None
    folder = made_up.mirror / FOLDER
    (folder / "a thing.json").rename(folder / "a%20thing.json")
    assert made_up.fetch(NAME).read_bytes() == BODY


def test_a_mirror_is_not_trusted(made_up: raw.Fetcher) -> None:
    assert made_up.mirror is not None
    copy = made_up.mirror / FOLDER / "a thing.json"
    copy.write_bytes(b"<!doctype html><p>moved</p>")
    with pytest.raises(IntegrityError, match="an HTML page came instead of data") as caught:
        made_up.fetch(NAME)
    assert str(copy) in str(caught.value)
    assert not made_up.path_of(made_up.registry.find(NAME)[1]).exists()


def test_links_out_of_the_mirror_are_refused(made_up: raw.Fetcher, tmp_path: Path) -> None:
    assert made_up.mirror is not None
    copy = made_up.mirror / FOLDER / "a thing.json"
    outside = tmp_path / "outside.json"
    shutil.move(copy, outside)
    copy.symlink_to(outside)
    with pytest.raises(InputError, match="leads out of the mirror"):
        made_up.fetch(NAME)
    copy.unlink()
    (made_up.mirror / "inside.json").write_bytes(BODY)
    copy.symlink_to(made_up.mirror / "inside.json")
    assert made_up.fetch(NAME).read_bytes() == BODY


def test_verify_looks_at_cache_and_mirror(made_up: raw.Fetcher) -> None:
    assert made_up.mirror is not None
    assert [(f.place, f.state) for f in raw.verify(using=made_up)] == [("mirror", "ok")]
    path = made_up.fetch(NAME)
    path.write_bytes(b"spoilt")
    findings = raw.verify([NAME], using=made_up)
    assert [(f.place, f.state) for f in findings] == [("cache", "wrong"), ("mirror", "ok")]
    assert "expected sha256" in findings[0].message
    (made_up.mirror / FOLDER / "a thing.json").unlink()
    path.unlink()
    assert [(f.place, f.state) for f in raw.verify(using=made_up)] == [("nowhere", "absent")]
    with pytest.raises(InputError, match="no raw file is called"):
        raw.verify(["other"], using=made_up)


def test_verify_without_a_mirror_looks_at_the_cache_alone(made_up: raw.Fetcher) -> None:
    made_up.fetch(NAME)
    alone = raw.Fetcher(registry=made_up.registry, cache=made_up.cache)
    assert [(f.place, f.state) for f in raw.verify(using=alone)] == [("cache", "ok")]


def test_verify_unpacks_a_whole_commit_even_when_its_note_is_there(tmp_path: Path) -> None:
    made = archive(tmp_path / "made.tar.gz", FILES)
    registry = registry_of(made.read_bytes(), git_tree=raw.archive_tree_id(made))
    copy = tmp_path / "mirror" / "codeload.github.com/nobody/nothing/tar.gz" / COMMIT
    copy.parent.mkdir(parents=True)
    shutil.copy(made, copy)
    using = raw.Fetcher(registry=registry, cache=tmp_path / "cache", mirror=tmp_path / "mirror")
    path = using.fetch(NAME)
    note = path.with_name(path.name + ".verified")
    assert note.read_text().split()[1] == registry.find(NAME)[1].git_tree
    note.unlink()
    assert using.fetch(NAME) == path
    assert note.is_file()
    archive(path, {"other": ("100644", b"")})
    note.write_text(f"{raw.sha256_of(path)} {registry.find(NAME)[1].git_tree}\n")
    states = [(f.place, f.state) for f in raw.verify(using=using)]
    assert states == [("cache", "wrong"), ("mirror", "ok")]


def test_the_mirror_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMR_MIRROR", "here")
    assert raw.mirror_dir() == tmp_path / "here"
    monkeypatch.setenv("OMR_MIRROR", "data/sources")  # relative to the project
    assert raw.mirror_dir() == raw.data_dir() / "sources"
    monkeypatch.setenv("OMR_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="is not a folder"):
        raw.mirror_dir()
    monkeypatch.setenv("OMR_MIRROR", "")
    assert raw.mirror_dir() is None


def test_the_cache_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMR_CACHE", str(tmp_path / "cache"))
    assert raw.cache_dir() == tmp_path / "cache"
    monkeypatch.delenv("OMR_CACHE")
    assert raw.cache_dir().name == "open-model-record"


def test_limits_of_patience_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMR_ATTEMPTS", "2")
    monkeypatch.setenv("OMR_LONGEST_WAIT", "3.5")
    patience = raw.Patience.from_environment()
    assert (patience.attempts, patience.longest_wait) == (2, 3.5)
    for wrong in ("0", "many", "nan"):
        monkeypatch.setenv("OMR_ATTEMPTS", wrong)
        with pytest.raises(InputError, match=f"OMR_ATTEMPTS={wrong} must be a number"):
            raw.Patience.from_environment()


def test_the_project_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = raw.project_root()
    assert (root / "data" / "sources").is_dir()
    # As if installed elsewhere: then the current folder and those above it are searched.
    elsewhere = tmp_path / "site-packages" / "analysis" / "raw" / "places.py"
    monkeypatch.setattr(places, "__file__", str(elsewhere))
    monkeypatch.chdir(root / "data" / "sources")
    assert raw.project_root() == root
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no data/sources folder"):
        raw.project_root()


def test_rules_are_read_and_faults_name_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "data_dir", lambda: tmp_path)
    (tmp_path / "good.toml").write_text("[a]\nb = 1\n")
    first = raw.declared("good")
    assert first == {"a": {"b": 1}}
    first["a"]["b"] = 2
    assert raw.declared("good") == {"a": {"b": 1}}
    (tmp_path / "bad.toml").write_text("a = 1\nb = =\n")
    with pytest.raises(InputError, match=r"bad\.toml: not valid TOML.*line 2"):
        raw.declared("bad")
    (tmp_path / "latin.toml").write_bytes(b"a = '\xe9'\n")
    with pytest.raises(InputError, match=r"latin\.toml: not UTF-8 text at byte 5"):
        raw.declared("latin")
    with pytest.raises(InputError, match=r"absent\.toml: no such file"):
        raw.declared("absent")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(InputError, match=r"folder\.toml: cannot be read"):
        raw.declared("folder")
    for name in ("../secrets", "a/b", "", "A"):
        with pytest.raises(InputError, match="is not the name of a register"):
            raw.declared(name)


def test_an_error_without_words_still_has_a_reason() -> None:
    assert downloading.reason_of(ValueError()) == "ValueError"
    assert downloading.reason_of(OSError(ValueError("the inner one"))) == "the inner one"
