"""Loading the derived tables: the right bytes or a line that says what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis import raw, tables
from analysis.errors import InputError, IntegrityError, RecordError
from tests.conftest import PROJECT


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ``data/`` that a test may spoil."""
    copy = tmp_path / "data"
    shutil.copytree(PROJECT / "data", copy)
    monkeypatch.setattr(raw, "data_dir", lambda: copy)
    return copy


def test_every_listed_table_loads() -> None:
    for entry in tables.manifest()["tables"]:
        if entry["file"].endswith(".csv"):
            assert isinstance(tables.load(entry["name"]), pd.DataFrame)
    assert len(tables.claims()) == 29


def test_published_figures_load_by_their_name() -> None:
    assert len(tables.load("reference/published-figures")) == 51


@pytest.mark.parametrize("name", ["moon", "", "../claims", "manifest"])
def test_an_unknown_table_lists_the_known(name: str) -> None:
    with pytest.raises(InputError, match=r"there are: .*ladder"):
        tables.load(name)


@pytest.mark.parametrize("name", ["reference/moon", "reference/../derived/ladder", "reference/"])
def test_an_unknown_published_table_lists_the_known(name: str) -> None:
    with pytest.raises(InputError, match=r"there are: .*reference/published-figures"):
        tables.load(name)


def test_the_claims_are_no_table() -> None:
    with pytest.raises(InputError, match=r"tables\.claims\(\)"):
        tables.load("claims")


def test_a_table_changed_by_hand_is_refused(data: Path) -> None:
    path = data / "derived" / "ladder.csv"
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(IntegrityError, match=r"ladder\.csv: changed by hand.*make data"):
        tables.load("ladder")


def test_a_missing_table_is_named(data: Path) -> None:
    (data / "derived" / "ladder.csv").unlink()
    with pytest.raises(InputError, match=r"ladder\.csv: .*No such file.*make data"):
        tables.load("ladder")


def test_a_missing_folder_says_how_to_build_it(data: Path) -> None:
    shutil.rmtree(data / "derived")
    for call in (tables.manifest, tables.claims, tables.stale_rules):
        with pytest.raises(InputError, match=r"manifest\.json: no such file; run `make data`"):
            call()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"tables": [], "rules": "all"}',
        b'{"tables": [{"name": "ladder"}], "rules": []}',
        b'{"tables": ["ladder"], "rules": []}',
        b'{"tables": [',
        b"\xff\xfe",
    ],
)
def test_a_corrupt_manifest_is_named(data: Path, content: bytes) -> None:
    (data / "derived" / tables.MANIFEST).write_bytes(content)
    for call in (tables.claims, tables.stale_rules):
        with pytest.raises(InputError, match=r"manifest\.json: not .*make data"):
            call()


def test_a_manifest_that_is_a_folder_is_named(data: Path) -> None:
    path = data / "derived" / tables.MANIFEST
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"manifest\.json"):
        tables.manifest()


@pytest.mark.parametrize("content", [b"", b'a,b\n"1,2\n3'])
def test_broken_published_figures_are_named(data: Path, content: bytes) -> None:
    (data / "reference" / "published-figures.csv").write_bytes(content)
    with pytest.raises(RecordError, match=r"published-figures\.csv: not readable as CSV"):
        tables.load("reference/published-figures")


def test_a_rule_that_changed_or_went_is_stale(data: Path) -> None:
    before = tables.stale_rules()
    path = data / "families.toml"
    path.write_bytes(path.read_bytes() + b"# a word more\n")
    assert set(tables.stale_rules()) == {*before, "families.toml"}
    path.unlink()
    assert set(tables.stale_rules()) == {*before, "families.toml"}


def test_the_manifest_is_read_afresh(data: Path) -> None:
    path = data / "derived" / tables.MANIFEST
    content = json.loads(path.read_text(encoding="utf-8"))
    assert tables.manifest() == content
    content["tables"] = []
    path.write_text(json.dumps(content), encoding="utf-8")
    assert tables.manifest()["tables"] == []
