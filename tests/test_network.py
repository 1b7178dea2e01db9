"""Against the public hosts themselves, once a week: nothing here runs without a network.

What these find is how the real Hub differs from the one on loopback that all other tests ask.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from analysis import raw
from analysis.commands import main
from analysis.raw import capturing

pytestmark = pytest.mark.network

WEEKS = "hfmlsoc/hub_weekly_snapshots"


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(raw.MIRROR_VARIABLE, raising=False)
    monkeypatch.setenv(raw.CACHE_VARIABLE, str(tmp_path / "cache"))


def test_a_pinned_file_comes_from_its_public_address() -> None:
    assert raw.fetch("top30-2026-02-28").is_file()


def test_the_registered_week_is_what_the_hub_declares(capsys: pytest.CaptureFixture[str]) -> None:
    _, version = raw.load_registry().find("weekly-2026-09-30")
    path = "models/2026-09-30/models.parquet"
    asked = ["pin", WEEKS, path, "--revision", version.commit, "--dry-run", "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["state"] == "pinned already"
    assert (found["sha256"], found["bytes"]) == (version.sha256, version.bytes)


def test_the_weeks_that_can_be_pinned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pin", "--list", WEEKS, "--under", "models", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    days = [entry["day"] for entry in found if entry["day"]]
    assert len(days) > 50
    assert days == sorted(days)


def test_a_column_of_a_week_by_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["peek", "weekly-2026-09-30", "--columns", "likes"]) == 0
    assert "hash not checked" in capsys.readouterr().out


def test_a_page_of_the_live_hub_has_every_field(tmp_path: Path) -> None:
    folder = tmp_path / "capture"
    asked = ["capture", str(folder), "--families", "qwen", "--page-size", "100"]
    assert main([*asked, "--limit-pages", "1"]) == 0
    (segment,) = (folder / "pages").glob("*.gz")
    page = json.loads(gzip.decompress(segment.read_bytes()))
    assert page
    # Some repositories lack some fields: over a page of a large maker each occurs.
    there = {name for row in page for name, value in row.items() if value is not None}
    assert set(capturing.FIELDS) - {"gguf"} <= there
    assert main([*asked, "--finish"]) == 0
    assert (folder / capturing.PARQUET_NAME).is_file()
