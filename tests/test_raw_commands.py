"""The commands sources, fetch and verify."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from analysis import raw
from analysis.commands import sources
from analysis.errors import InputError
from tests.support.registries import COMMIT, registry_of

BODY = b'{"made": "up"}\n'
NAME = "thing-2026-01-01"


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    sources.register(parser.add_subparsers())
    arguments = parser.parse_args(words)
    status: int = arguments.run(arguments)
    return status


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Made-up registry, mirror and cache; returns the mirror's only file."""
    copy = tmp_path / f"mirror/raw.githubusercontent.com/nobody/nothing/{COMMIT}/data/a thing.json"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(BODY)
    available = registry_of(BODY)
    real = raw.load_registry()
    registry = available.model_copy(
        update={"sources": (real.source("hub-stats-daily"), *available.sources)}
    )
    monkeypatch.setattr(raw, "load_registry", lambda: registry)
    monkeypatch.setenv("OMR_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("OMR_CACHE", str(tmp_path / "cache"))
    return copy


def test_sources_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sources") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(raw.load_registry().sources)
    assert lines[0].split() == ["source", "kind", "files", "days", "upstream", "state", "title"]
    (top30,) = [line for line in lines if line.startswith("top30 ")]
    assert "26" in top30
    assert "2026-02-28 to 2026-08-22" in top30
    (dump,) = [line for line in lines if line.startswith("hub-stats-daily ")]
    assert "withdrawn" in dump


def test_sources_json_is_the_whole_registry(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sources", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    by_id = {source["id"]: source for source in printed}
    assert list(by_id) == sorted(by_id)
    assert by_id["top30"]["counter"] == by_id["hub-stats"]["counter"] == "hub"
    version = by_id["hub-stats"]["versions"][0]
    assert version["name"] == "hub-stats-2026-05"
    assert version["url"].endswith("/curation/hub_stats_frozen.parquet")
    assert by_id["hub-stats-daily"]["state"] == "withdrawn"


def test_sources_of_one_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sources", "--kind", "tracked-list", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert [source["id"] for source in printed] == ["tracked", "tracked-extra"]
    with pytest.raises(InputError, match="no kind is called"):
        run("sources", "--kind", "lists")


def test_fetch_prints_paths(mirror: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fetch", "top30-2026-02-28", "tracked-extra") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "top30-2026-02-28",
        "tracked-extra-2026-02-08",
        "tracked-extra-2026-08-17",
    ]
    assert all(Path(line.split("  ")[1]).is_file() for line in lines)


def test_fetch_all_leaves_out_what_cannot_be_had(
    made_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fetch", "--all", "--json") == 0
    captured = capsys.readouterr()
    (fetched,) = json.loads(captured.out)
    assert fetched["name"] == NAME
    assert Path(fetched["path"]).read_bytes() == BODY
    assert fetched["bytes"] == len(BODY)
    assert "left out: hub-stats-daily (withdrawn)" in captured.err


def test_fetch_goes_on_after_a_failure(made_up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fetch", "hub-stats-daily", "nothing-like-it", NAME) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith(NAME)
    errors = captured.err.splitlines()
    assert len(errors) == 2
    assert all(line.startswith("error: ") for line in errors)


def test_fetch_needs_to_know_what(made_up: Path) -> None:
    for words in (["fetch"], ["fetch", "--all", NAME]):
        with pytest.raises(InputError, match="name raw files, or give --all"):
            run(*words)


def test_verify_counts_and_names_what_is_wrong(
    made_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify") == 0
    assert capsys.readouterr().out == "1 copies right, 0 wrong, 0 not here\n"
    made_up.write_bytes(b"spoilt")
    assert run("verify", "thing") == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"wrong in the mirror: {NAME}: ")
    assert lines[1] == "0 copies right, 1 wrong, 0 not here"
    made_up.unlink()
    assert run("verify", NAME, "--json") == 0
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding == {"name": NAME, "place": "nowhere", "state": "absent", "message": ""}


def test_an_interrupted_fetch_says_what_becomes_of_it(
    made_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(raw.Fetcher, "fetch", interrupted)
    assert run("fetch", NAME) == 130
    assert capsys.readouterr().err == (
        f"error: interrupted; what came of {NAME} is kept, `fetch` goes on from there\n"
    )
