"""Capturing a Hub that misbehaves, killed and resumed: the real client, a real server on loopback.

Rows are those of the real cut. Faults and clocks are the server's; see tests/support/hub_models.py.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis import raw
from analysis.builder import rerunning
from analysis.commands import capturing as commands_capturing
from analysis.commands import main
from analysis.errors import InputError, UnavailableError
from analysis.raw import capturing
from analysis.raw.capturing import finishing, store, walking
from analysis.snapshot import read
from tests.support import hub_models as hub_of
from tests.support.hub_server import Fault, HubServer, Request, hub_server

ROWS = 90
PAGE = 25
REAL = "hub-stats-2026-05"
ALL = ("--all", "--page-size", str(PAGE))


@pytest.fixture(scope="module")
def rows(raw_path: Callable[[str], Path]) -> tuple[hub_of.Row, ...]:
    return hub_of.real_rows(raw_path(REAL), ROWS)


@pytest.fixture(scope="module")
def server(rows: tuple[hub_of.Row, ...]) -> Iterator[HubServer]:
    from huggingface_hub.utils import close_session

    with hub_server(hub_of.Models(rows)) as running:
        yield running
        close_session()


@pytest.fixture
def hub(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The server, asked by huggingface_hub without anything of this user or machine."""
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    # One command alone: the parsers of all the others take longer than a capture.
    monkeypatch.setattr("analysis.commands._MODULES", ("capturing", "shares"))
    # A disk that is slow to flush says nothing here; the slow tests flush.
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecret")
    monkeypatch.setenv("OMR_ATTEMPTS", "3")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setattr("huggingface_hub.utils._headers.detect_agent", lambda: None)
    server.faults.clear()
    server.requests.clear()
    yield server
    server.faults.clear()


def run(folder: Path, *options: str) -> int:
    return main(["capture", str(folder), *(options or ALL)])


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / capturing.MANIFEST_NAME).read_text("utf-8"))
    return found


def parquet(folder: Path) -> bytes:
    return (folder / capturing.PARQUET_NAME).read_bytes()


def hashes(folder: Path) -> list[str]:
    return [entry.sha256 for entry in store.entries(folder)]


@pytest.fixture(scope="module")
def whole(server: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed capture of the same server."""
    folder = tmp_path_factory.mktemp("whole") / "capture"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        patch.setattr("huggingface_hub.utils._headers.detect_agent", lambda: None)
        server.faults.clear()
        assert run(folder) == 0
    return folder


# --------------------------------------------------------------------- what a capture holds


def test_a_capture_reads_back_as_the_cut_that_was_served(
    whole: Path, raw_path: Callable[[str], Path]
) -> None:
    table = pq.read_table(whole / capturing.PARQUET_NAME)
    real = pq.read_table(raw_path(REAL)).slice(0, ROWS)
    assert table.column_names == [*real.column_names, "gated", "capturedAt"]
    got = {row["id"]: row for row in table.to_pylist()}
    for row in real.to_pylist():
        mine = got.pop(row["id"])
        parts = (row.get("safetensors") or {}).pop("parameters", {})
        mine_parts = (mine.get("safetensors") or {}).pop("parameters", [])
        assert dict(mine_parts) == {kind: n for kind, n in parts.items() if n is not None}
        assert {name: mine[name] for name in row} == row
    assert not got
    for name in set(real.column_names) - {"safetensors"}:
        assert table.schema.field(name).type == real.schema.field(name).type, name


def test_the_reader_takes_a_capture(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = whole / capturing.PARQUET_NAME
    got = read(file, "hub-snapshot")
    assert got.problems == ()
    assert set(got.frame["gated"]) == {True, False}
    dates = {entry.date for entry in store.entries(whole)}
    assert set(got.frame["read_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")) == dates
    assert got.frame["parameters_total"].notna().any()
    assert main(["inspect", str(file), "--kind", "hub-snapshot"]) == 0
    assert f"{ROWS} of {ROWS} repositories read" in capsys.readouterr().out


def test_every_claim_reruns_on_a_capture_of_the_whole_hub(whole: Path) -> None:
    """It says its day and that it walked every page: what it lacks did not exist."""
    found = rerunning.run(str(whole / "models.parquet"), only=["breadth", "february-153-6m"])
    last = manifest(whole)["end"][:10]
    assert (found.subject.day.isoformat(), found.told.known_by) == (last, "said by the capture")
    assert found.subject.complete
    assert found.subject.whole.repositories == ROWS
    downloads = next(r for r in found.records if r["claim"] == "february-153-6m")
    assert downloads["lower"] == downloads["value"] == downloads["upper"] > 0


def test_pages_are_kept_as_they_came(whole: Path, rows: tuple[hub_of.Row, ...]) -> None:
    kept = list(store.pages(whole))
    assert [entry.rows for entry, _ in kept] == [25, 25, 25, 15]
    assert [row for _, body in kept for row in json.loads(body)] == hub_of.Models(rows).rows
    packed = (whole / "pages" / "00000.gz").read_bytes()
    # Any gzip reads the segment: members one after the other are one stream.
    assert gzip.decompress(packed) == b"".join(body for _, body in kept)


def test_the_manifest_says_what_was_done(whole: Path, server: HubServer) -> None:
    import huggingface_hub

    found = manifest(whole)
    assert (found["pages"], found["rows"], found["repositories"]) == (4, ROWS, ROWS)
    assert found["endpoint"] == server.url
    assert found["parameters"] == {"endpoint": server.url, "extent": "all", "page_size": PAGE}
    assert found["huggingface_hub"] == [huggingface_hub.__version__]
    assert found["complete"] is True
    assert "takes hours while counters move" in found["what"]
    dates = [entry.date for entry in store.entries(whole)]
    assert (found["start"], found["end"]) == (dates[0], dates[-1])
    for file in found["files"]:
        assert hashlib.sha256((whole / file["name"]).read_bytes()).hexdigest() == file["sha256"]
    inside = pq.read_schema(whole / capturing.PARQUET_NAME).metadata
    assert json.loads(inside[b"open_model_record.capture"])["start"] == dates[0]


def test_each_field_of_the_schema_is_asked_for(hub: HubServer, tmp_path: Path) -> None:
    assert run(tmp_path / "out", *ALL, "--limit-pages", "1") == 0
    request = hub.asked("/api/models")[0]
    assert request.values("expand") == list(capturing.ASKED)
    assert (request.value("sort"), request.value("limit")) == ("createdAt", str(PAGE))
    assert request.headers["authorization"] == "Bearer hf_secretsecretsecret"
    assert request.headers["user-agent"].startswith("open-model-record/")


def test_families_are_organisations_tracked_lists_and_derivatives(
    hub: HubServer,
    tmp_path: Path,
    raw_path: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = hub_of.real_rows(raw_path(REAL), author="openai")
    out = tmp_path / "out"
    lost = "openai/gpt-oss-120b"
    with hub_server(hub_of.Models(row for row in theirs if row["id"] != lost)) as other:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", other.url)
        assert run(out, "--families", "gpt-oss") == 0
        asked = [(one.value("author"), one.value("filter")) for one in other.asked("/api/models")]
        plan = store.read_plan(out)
        assert plan.tracked == (lost, "openai/gpt-oss-20b")
        assert asked == [
            ("openai", ""),
            *(("", f"base_model:{name}") for name in plan.tracked),
        ]
        found = manifest(out)
        # gpt-oss-safeguard-20b is in the organisation and derives from gpt-oss-20b.
        assert (found["rows"], found["repositories"]) == (len(theirs), len(theirs) - 1)
        assert found["tracked_not_met"] == [lost]
        assert "1 of 2 tracked repositories were not met" in capsys.readouterr().out
        # A finished capture asks nothing again.
        before = len(other.requests)
        assert run(out, "--families", "gpt-oss") == 0
        assert len(other.requests) == before


# -------------------------------------------------------------------------- kills and resumes


class Killed(BaseException):
    """Stands for SIGKILL inside this process: nothing of ours catches it."""


def test_a_kill_at_each_write_loses_and_doubles_nothing(
    hub: HubServer, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write of pages and journal is broken off in turn: before, amid and after it."""
    true_append = store._append
    left = 0
    share = 0.0

    def dying(stream: IO[bytes], content: bytes) -> int:
        nonlocal left
        left -= 1
        if left:
            return true_append(stream, content)
        stream.write(content[: int(len(content) * share)])
        raise Killed

    monkeypatch.setattr(store, "_append", dying)
    writes = 1 + 2 * 4  # one line of the run, then a page and its line each
    for number in range(1, writes + 1):
        share = (0.0, 0.5, 1.0)[number % 3]
        out = tmp_path / f"{number}"
        left = number
        with pytest.raises(Killed):
            run(out)
        assert not (out / capturing.MANIFEST_NAME).exists()
        left = -1
        assert run(out) == 0
        assert hashes(out) == hashes(whole)
        assert parquet(out) == parquet(whole)
        assert gzip.decompress((out / "pages" / "00000.gz").read_bytes()) == gzip.decompress(
            (whole / "pages" / "00000.gz").read_bytes()
        )


@pytest.mark.parametrize("name", [capturing.PARQUET_NAME, capturing.MANIFEST_NAME])
def test_a_kill_while_finishing(
    name: str, hub: HubServer, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    true_replace = os.replace

    def dying(source: Path, target: Path) -> None:
        if Path(target).name == name:
            raise Killed
        true_replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", dying)
        with pytest.raises(Killed):
            run(out)
    assert not (out / capturing.MANIFEST_NAME).exists()
    before = len(hub.requests)
    assert run(out) == 0
    assert len(hub.requests) == before
    assert parquet(out) == parquet(whole)
    assert not list(out.glob("*.part"))


def test_a_capture_that_stops_and_goes_on(
    hub: HubServer, tmp_path: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for page in range(1, 4):
        assert run(out, *ALL, "--limit-pages", "1") == 0
        assert f"{page} pages" in capsys.readouterr().out
    assert main(["capture", str(out), "--status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["pages"], found["rows"], found["walked"]) == (3, 75, False)
    assert found["query"] == "every model"
    # Closed before its end it says so, and can be gone on with.
    assert run(out, *ALL, "--finish") == 0
    assert "not complete" in capsys.readouterr().out
    assert manifest(out)["complete"] is False
    assert run(out) == 0
    assert parquet(out) == parquet(whole)
    assert manifest(out)["runs"] == 4


def test_small_segments_are_as_good_as_a_large_one(
    hub: HubServer, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SEGMENT_BYTES", 1)
    out = tmp_path / "out"
    assert run(out, *ALL, "--limit-pages", "2") == 0
    (out / "pages" / "00002.gz").write_bytes(b"begun, and killed")
    assert run(out) == 0
    assert len(list((out / "pages").glob("*.gz"))) == 4
    assert parquet(out) == parquet(whole)


def test_pages_that_a_failing_disk_lost_are_asked_for_again(
    hub: HubServer, tmp_path: Path, whole: Path
) -> None:
    """A disk that said "flushed" and was not: the journal is ahead of the last segment."""
    out = tmp_path / "out"
    assert run(out, *ALL, "--limit-pages", "3") == 0
    segment = out / "pages" / "00000.gz"
    os.truncate(segment, segment.stat().st_size - 10)
    before = len(hub.requests)
    assert run(out) == 0
    assert len(hub.requests) - before == 2
    assert parquet(out) == parquet(whole)


def test_the_table_is_written_in_groups(
    hub: HubServer, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "GROUP_ROWS", 40)
    assert run(tmp_path / "out") == 0
    file = pq.ParquetFile(tmp_path / "out" / capturing.PARQUET_NAME)
    assert file.metadata.num_row_groups == 2
    assert file.read() == pq.read_table(whole / capturing.PARQUET_NAME)


# ----------------------------------------------------------------- faults that are survived


SURVIVED: dict[str, Callable[[], Fault]] = {
    "429 with the headers of the rate limit": lambda: hub_of.storm(2, skip=1),
    "429 with Retry-After alone": lambda: hub_of.times(2, hub_of.status(429, Retry_After="7")),
    "500": lambda: hub_of.times(2, hub_of.status(500), skip=1),
    "502": lambda: hub_of.times(1, hub_of.status(502)),
    "503 with Retry-After": lambda: hub_of.times(2, hub_of.status(503, Retry_After="30"), skip=2),
    "504": lambda: hub_of.times(2, hub_of.status(504), skip=3),
    "a body cut short": lambda: hub_of.times(2, hub_of.cut_short, skip=1),
    "slow bytes": lambda: hub_of.times(1, hub_of.slowly(0.01), skip=1),
    "invalid JSON": lambda: hub_of.times(2, hub_of.body(b'[{"id": "a/b", '), skip=1),
    "a web page with status 200": lambda: hub_of.times(
        2, hub_of.body(b"<!DOCTYPE html><html>Log in</html>", "text/html"), skip=1
    ),
    "an object instead of a list": lambda: hub_of.times(2, hub_of.body(b'{"error": "busy"}')),
    "a list of something else": lambda: hub_of.times(2, hub_of.body(b'["a/b"]'), skip=1),
    "not UTF-8": lambda: hub_of.times(2, hub_of.body(b'[{"id": "\xff"}]'), skip=1),
    "nested too deep": lambda: hub_of.times(2, hub_of.body(b"[" * 100_000), skip=1),
    "an empty body": lambda: hub_of.times(2, hub_of.body(b""), skip=1),
    "a link that leads back, once": lambda: hub_of.times(
        1, hub_of.link_to(hub_of.to_itself), skip=1
    ),
}


@pytest.mark.parametrize("fault", SURVIVED)
def test_a_fault_that_passes_leaves_no_trace(
    fault: str, hub: HubServer, tmp_path: Path, whole: Path, naps: list[float]
) -> None:
    hub.faults.append(SURVIVED[fault]())
    assert run(tmp_path / "out") == 0
    assert parquet(tmp_path / "out") == parquet(whole)
    if fault.startswith(("429 with the", "503")):
        assert {56.0, 31.0} & set(naps), "the server's own wait was not kept"


def test_a_compressed_transfer_is_kept_unpacked(
    hub: HubServer, tmp_path: Path, whole: Path
) -> None:
    hub.faults.append(hub_of.packed)
    assert run(tmp_path / "out") == 0
    assert hashes(tmp_path / "out") == hashes(whole)
    assert parquet(tmp_path / "out") == parquet(whole)


def test_a_used_up_window_is_waited_for(hub: HubServer, tmp_path: Path, naps: list[float]) -> None:
    def spent(request: Request, answer: Any) -> Any:
        return answer.with_headers(RateLimit='"api";r=0;t=40')

    hub.faults.append(hub_of.times(1, spent))
    assert run(tmp_path / "out") == 0
    assert naps == [41.0]


def test_a_cursor_that_expires_begins_the_listing_again(
    hub: HubServer, tmp_path: Path, rows: tuple[hub_of.Row, ...]
) -> None:
    out = tmp_path / "out"
    hub.faults.append(hub_of.times(1, hub_of.status(400), hub_of.later_page, skip=1))
    assert run(out) == 0
    found = manifest(out)
    assert found["walks_begun_again"] == 1
    assert (found["pages"], found["rows"], found["repositories"]) == (6, ROWS + 50, ROWS)
    assert found["repeated_rows"] == 50
    assert [(entry.attempt, entry.page) for entry in store.entries(out)] == [
        *[(1, 1), (1, 2)],
        *[(2, 1), (2, 2), (2, 3), (2, 4)],
    ]
    assert set(read(out / "models.parquet", "hub-snapshot").frame["repository_id"]) == {
        row["id"] for row in rows
    }


def test_repeated_rows_keep_the_latest_usable_reading(hub: HubServer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    hub.faults.append(hub_of.repeating())
    assert run(out) == 0
    found = manifest(out)
    assert (found["rows"], found["repositories"], found["repeated_rows"]) == (ROWS + 9, ROWS, 9)
    readings: dict[str, list[int]] = {}
    for _, body in store.pages(out):
        for row in json.loads(body):
            readings.setdefault(row["id"], []).append(row["downloads"])
    kept = pq.read_table(out / "models.parquet", columns=["id", "downloads"]).to_pylist()
    assert {row["id"]: row["downloads"] for row in kept} == {
        name: counts[-1] for name, counts in readings.items()
    }
    assert sum(len(counts) > 1 for counts in readings.values()) == 9


def test_vanished_rows_are_missed_not_invented(hub: HubServer, tmp_path: Path) -> None:
    hub.faults.append(hub_of.times(1, hub_of.rows(lambda page: page[2:]), skip=1))
    assert run(tmp_path / "out") == 0
    assert manifest(tmp_path / "out")["repositories"] == ROWS - 2


def test_values_that_no_column_can_hold(hub: HubServer, tmp_path: Path) -> None:
    half = json.loads('"\\ud800"')
    odd = {
        "downloads": None,
        "likes": -5,
        "downloadsAllTime": 2**70,
        "trendingScore": "much",
        "createdAt": "yesterday",
        "tags": ["a", half, 3],
        "cardData": {"license_name": half},
        "safetensors": {"parameters": {"BF16": 5, "odd": "x"}, "total": 5},
        "baseModels": {"relation": "finetune", "models": [{"id": "a/b"}, None]},
        "gguf": [1],
        "library_name": 7,
        "pipeline_tag": half,
        "gated": True,
    }

    def change(page: list[hub_of.Row]) -> list[hub_of.Row]:
        hidden = {**page[0], "id": "me/mine", "private": True}
        return [{**page[0], **odd}, {**page[0], "id": half}, {"author": "none"}, hidden, *page[1:]]

    out = tmp_path / "out"
    hub.faults.append(hub_of.times(1, hub_of.rows(change)))
    assert run(out) == 0
    found = manifest(out)
    assert (found["repositories"], found["rows_without_id"]) == (ROWS, 2)
    assert (found["private_rows"], found["repeated_rows"]) == (1, 0)
    assert found["values_set_to_null"] == dict.fromkeys(
        ["createdAt", "downloadsAllTime", "library_name", "pipeline_tag", "trendingScore"], 1
    )
    first = pq.read_table(out / "models.parquet").slice(0, 1).to_pylist()[0]
    assert (first["downloads"], first["likes"], first["tags"]) == (None, -5, ["a"])
    assert first["safetensors"] == {"parameters": [("BF16", 5)], "total": 5}
    assert first["baseModels"]["models"] == [{"_id": None, "id": "a/b"}]
    assert json.loads(first["cardData"]) == {"license_name": half}
    assert (first["gguf"], first["gated"]) == ("[1]", "true")
    # The reader says of the negative counter what it says of any.
    got = read(out / "models.parquet", "hub-snapshot")
    assert "column 'likes': 1 value set to null (1 negative); first: -5 at row 1" in got.problems


# -------------------------------------------------------- faults that stop it, in one line

FOR_GOOD: dict[str, tuple[Callable[[], Fault], str]] = {
    "429 without end": (lambda: hub_of.storm(99, skip=2), "answered 429: 3 times"),
    "500 without end": (
        lambda: hub_of.times(99, hub_of.status(500), skip=2),
        "answered 500: 3 times",
    ),
    "a token that is not taken": (
        lambda: hub_of.times(99, hub_of.status(401), skip=2),
        "answered 401: log in with `hf auth login`",
    ),
    "a redirect": (
        lambda: hub_of.times(99, hub_of.status(302, Location="https://other.example/x"), skip=2),
        "answered 302: it leads to another address",
    ),
    "a web page": (
        lambda: hub_of.times(99, hub_of.body(b"<html>", "text/html"), skip=2),
        "a web page came instead of JSON, 3 times",
    ),
    "bodies cut short": (
        lambda: hub_of.times(99, hub_of.cut_short, skip=2),
        "broke off (RemoteProtocolError), 3 times",
    ),
    "a link that leads back": (
        lambda: hub_of.times(99, hub_of.link_to(hub_of.to_itself), skip=2),
        "leads back to one that was read already, 3 times",
    ),
    "a link to another host": (
        lambda: hub_of.times(
            99, hub_of.link_to(lambda request: "http://127.0.0.2:9/api/models?cursor=x"), skip=2
        ),
        "leads elsewhere, 'http://127.0.0.2:9/api/models?cursor=x': it was not followed",
    ),
    "a link that is no address": (
        lambda: hub_of.times(99, hub_of.link_to(lambda request: "http://[::1/"), skip=2),
        "leads elsewhere",
    ),
    "cursors refused": (
        lambda: hub_of.times(99, hub_of.status(400), hub_of.later_page, skip=1),
        "the cursor was refused (400), 4 times in this run",
    ),
    "a page without end": (
        lambda: hub_of.times(99, hub_of.body(b"[" + b" " * 200_000 + b"]"), skip=2),
        "a page of more than 0 MB, 3 times",
    ),
    "a page that unpacks without end": (
        lambda: hub_of.times(
            99,
            lambda request, answer: hub_of.packed(
                request, hub_of.body(b"[" + b" " * 3_000_000 + b"]")(request, answer)
            ),
            skip=2,
        ),
        "a page of more than 0 MB, 3 times",
    ),
    "bytes without end": (
        lambda: hub_of.times(99, hub_of.slowly(0.01, 50), skip=2),
        "a page that took more than 0 seconds, 3 times",
    ),
}


@pytest.mark.parametrize("fault", FOR_GOOD)
def test_a_fault_that_stays_is_one_line_and_resumed_later(
    fault: str,
    hub: HubServer,
    tmp_path: Path,
    whole: Path,
    naps: list[float],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    make, words = FOR_GOOD[fault]
    if fault in {"a page without end", "a page that unpacks without end"}:
        monkeypatch.setattr(walking, "LARGEST_PAGE", 100_000)
    if fault == "bytes without end":
        monkeypatch.setattr(walking, "LONGEST_PAGE", 0.05)
    hub.faults.append(make())
    assert run(out) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = [line for line in printed.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert words in lines[0]
    assert "secret" not in printed.err
    kept = hashes(out)
    assert kept[:2] == hashes(whole)[:2]
    assert not (out / capturing.MANIFEST_NAME).exists()
    hub.faults.clear()
    monkeypatch.undo()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    monkeypatch.setattr("huggingface_hub.utils._headers.detect_agent", lambda: None)
    assert run(out) == 0
    assert hashes(out)[: len(kept)] == kept
    if fault != "cursors refused":
        assert parquet(out) == parquet(whole)
    assert all("secret" not in path.read_text("latin-1") for path in out.rglob("*.json*"))


@pytest.mark.parametrize("way", ["link", "redirect"])
def test_no_other_host_is_asked(
    way: str, hub: HubServer, tmp_path: Path, naps: list[float]
) -> None:
    """A token goes to the endpoint alone, whatever the answers say."""
    with hub_server() as other:
        address = f"{other.url}/api/models?cursor=x"
        fault = (
            hub_of.link_to(lambda request: address)
            if way == "link"
            else hub_of.status(307, Location=address)
        )
        hub.faults.append(fault)
        assert run(tmp_path / "out") == 2
        assert other.requests == []


def test_a_hub_that_is_not_there(
    hub: HubServer,
    tmp_path: Path,
    naps: list[float],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://me:secret@127.0.0.1:9")
    assert run(tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert "error: http://127.0.0.1:9: every model: cannot be reached (ConnectError" in error
    assert "secret" not in (tmp_path / "out" / "plan.json").read_text()


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("endpoint", "hub.example", "HF_ENDPOINT: no address of the web"),
        ("endpoint", "http://me:secret@[::1", "HF_ENDPOINT: no address of the web"),
        ("offline", "1", "cannot be reached (OfflineModeIsEnabled"),
        ("token", "hf_secret\u00e9", "cannot be reached (UnicodeEncodeError"),
    ],
)
def test_settings_of_the_client_that_cannot_work(
    variable: str,
    value: str,
    words: str,
    hub: HubServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if variable == "endpoint":
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", value)
    elif variable == "offline":
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    else:
        monkeypatch.setenv("HF_TOKEN", value)
    assert run(tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert "secret" not in error


def test_pages_without_rows_do_not_go_on_for_ever(
    hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = iter(range(1000))

    def onward(request: Request) -> str:
        return f"{hub.url}/api/models?cursor={next(number)}"

    link, nothing = hub_of.link_to(onward), hub_of.body(b"[]")
    hub.faults.append(lambda request, answer: link(request, nothing(request, answer)))
    assert run(tmp_path / "out") == 2
    assert "pages without a row one after the other" in capsys.readouterr().err


# ------------------------------------------------------------------------- disk and folder


@pytest.mark.parametrize("where", [2, 3, 4, 7])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    where: int,
    hub: HubServer,
    tmp_path: Path,
    whole: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    calls = 0

    def full(stream: IO[bytes]) -> None:
        nonlocal calls
        calls += 1
        if calls == where + 1:  # the plan is the first
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store, "_flush", full)
        assert run(out) == 2
    error = capsys.readouterr().err
    assert f"error: {out}: cannot be written: the disk is full; what was kept stays" in error
    for name in ("journal.jsonl", *(f"pages/{path.name}" for path in (out / "pages").iterdir())):
        content = (out / name).read_bytes()
        assert not content or content.endswith(b"\n") or gzip.decompress(content)
    assert run(out) == 0
    assert parquet(out) == parquet(whole)


def test_a_disk_that_fills_while_the_table_is_written(
    hub: HubServer, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(finishing, "_batch", full)
        assert run(out) == 2
    assert not list(out.glob("models.parquet*"))
    assert run(out) == 0
    assert parquet(out) == parquet(whole)


def test_other_parameters_and_other_folders(
    hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(out, *ALL, "--limit-pages", "1") == 0
    cases = {
        ("--all", "--page-size", "30"): "begun with other parameters",
        ("--families", "qwen"): "begun with other parameters",
        ("--families", "qwenn"): "--families 'qwenn': no such family; there are qwen",
        ("--all", "--page-size", "1001"): "--page-size 1001: the Hub gives no more than 1000",
        ("--all", "--limit-pages", "0"): "--limit-pages 0: must be 1 or more",
    }
    for options, words in cases.items():
        assert run(out, *options) == 2
        assert words in capsys.readouterr().err
    (tmp_path / "file").write_text("x")
    assert run(tmp_path / "file") == 2
    assert "is a file" in capsys.readouterr().err
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    assert run(tmp_path / "other") == 2
    assert "holds 'thesis.tex' and no plan of a capture" in capsys.readouterr().err
    for option in ("--status", "--finish"):
        assert main(["capture", str(tmp_path / "new"), option]) == 2
        assert "no capture here" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_two_at_once_are_refused(hub: HubServer, tmp_path: Path) -> None:
    asked = {"endpoint": hub.url, "extent": "all", "page_size": PAGE}
    plan = capturing.Plan(hub.url, asked, (capturing.Query(),), PAGE)
    with (
        capturing.Store.opened(tmp_path / "out", lambda: plan, asked),
        pytest.raises(InputError, match="another process is writing this capture"),
        capturing.Store.opened(tmp_path / "out", lambda: plan, asked),
    ):
        pass


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes | None], str]] = {
    "a changed page": ("pages/00000.gz", lambda b: b[:40] + b"\0\0" + b[42:], "is not the one"),
    "a lost segment": ("pages/00000.gz", lambda b: None, "pages are missing"),
    "a damaged line": ("journal.jsonl", lambda b: b.replace(b'"rows": 25', b"rows", 1), "line 2"),
    "a damaged plan": ("plan.json", lambda b: b[:-30], "no plan of a capture"),
    "a date that is none": (
        "journal.jsonl",
        lambda b: b.replace(b'"date": "2026-11-01T', b'"date": "2026-99-99T', 1),
        "line 2 is damaged",
    ),
    "a number that is none": (
        "journal.jsonl",
        lambda b: b.replace(b'"offset": 0', b'"offset": "0"', 1),
        "line 2 is damaged",
    ),
    "another format": ("plan.json", lambda b: b.replace(b'"format": 1', b'"format": 9'), "another"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_told_from_a_torn_tail(
    case: str, hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(out, *ALL, "--limit-pages", "3") == 0
    name, change, words = DAMAGE[case]
    content = change((out / name).read_bytes())
    if content is None:
        (out / name).unlink()
    else:
        (out / name).write_bytes(content)
    capsys.readouterr()
    assert run(out) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert words in error


# ------------------------------------------------------------------------- smaller parts


def test_a_listing_that_is_gone_does_not_stop_the_others(
    hub: HubServer, tmp_path: Path, raw_path: Callable[[str], Path]
) -> None:
    out = tmp_path / "out"

    def gone(request: Request) -> bool:
        return request.value("filter") == "base_model:openai/gpt-oss-120b"

    hub.faults.append(hub_of.times(9, hub_of.status(404), gone))
    assert run(out, "--families", "gpt-oss") == 0
    found = manifest(out)
    assert found["listings_refused"] == [
        {"listing": "filter=base_model:openai/gpt-oss-120b", "status": 404}
    ]
    assert (found["pages"], found["queries_done"], found["complete"]) == (2, 3, False)
    before = len(hub.requests)
    assert run(out, "--families", "gpt-oss") == 0
    assert len(hub.requests) == before


def test_progress_shows_pages_rows_and_rate(
    hub: HubServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"endpoint": hub.url, "extent": "some", "page_size": PAGE}
    queries = (capturing.Query("author", "Qwen"), capturing.Query("author", "nobody"))
    for folder, chosen, expect in (("a", queries, None), ("b", queries[:1], 40)):
        plan = capturing.Plan(hub.url, asked, chosen, PAGE)
        with capturing.Store.opened(tmp_path / folder, lambda p=plan: p, asked) as opened:
            asking = capturing.Hub(hub.url, walking.patience())
            assert capturing.walk(opened, asking, expect=expect, progress=True)
            capturing.finish(tmp_path / folder, opened.plan, progress=True)
    shown = capsys.readouterr().err
    assert "2 pages" in shown
    assert "rows/s" in shown
    assert "/40" in shown


def test_patience_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMR_ATTEMPTS", raising=False)
    assert walking.patience().attempts == 8
    monkeypatch.setenv("OMR_ATTEMPTS", "2")
    assert walking.patience() == raw.Patience(attempts=2)


@pytest.mark.parametrize("header", ["", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "1 Nov 2026"])
def test_without_a_date_of_the_server_the_own_clock_is_noted(header: str) -> None:
    assert walking._date(header) == ""
    assert walking._date("Sun, 01 Nov 2026 03:48:07 GMT") == "2026-11-01T03:48:07Z"


def test_the_page_on_reliability_tells_what_is_tested(mirror: Path) -> None:
    text = (raw.project_root() / "docs" / "reliability.md").read_text("utf-8")
    passing, _, staying = text.partition("fault that stays")
    for known, part in ((SURVIVED, passing), (FOR_GOOD, staying)):
        table = part.rpartition("fault that passes")[2].split("\n\n")[0]
        assert [line.split(" | ")[0] for line in table.splitlines()[2:]] == [
            f"| {name}" for name in known
        ]
    register = argparse.Namespace(all=False, families=None, page_size=1000)
    plan = commands_capturing._plan(register, "https://hub.example", {})
    organisations = sum(query.name == "author" for query in plan.queries)
    assert f"{len(plan.tracked):,} tracked repositories" in text
    assert f"{organisations} organisations" in text
    assert f"{len(plan.queries):,} listings" in text
    assert f"more than {walking.LARGEST_PAGE >> 20} MB of one page" in text
    assert f"more than {walking.LONGEST_PAGE:.0f} seconds" in text


def test_a_single_page_asked_for_in_code(hub: HubServer, tmp_path: Path, naps: list[float]) -> None:
    asking = capturing.Hub(hub.url, walking.patience())
    query = capturing.Query("author", "nobody")
    answer = asking.page(query, query.first(10), lambda target: False)
    assert (answer.rows, answer.follow, answer.body) == (0, "", b"[]")
    # A link that forgets the author would walk the whole Hub.
    hub.faults.append(hub_of.link_to(lambda request: "/api/models?cursor=x"))
    with pytest.raises(UnavailableError, match="one of another listing, 3 times"):
        asking.page(query, query.first(10), lambda target: False)
    hub.faults[:] = [hub_of.status(404)]
    asked = {"endpoint": hub.url}
    plan = capturing.Plan(hub.url, asked, (query,), 10)
    with (
        capturing.Store.opened(tmp_path / "out", lambda: plan, asked) as opened,
        pytest.raises(UnavailableError, match="author=nobody: answered 404"),
    ):
        capturing.walk(opened, asking)
    with pytest.raises(walking._ListingRefused, match="author=nobody: answered 404"):
        asking.page(query, query.first(10), lambda target: False)


def test_the_table_of_an_empty_hub(hub: HubServer, tmp_path: Path) -> None:
    hub.faults.append(hub_of.body(b"[]"))
    assert run(tmp_path / "out") == 0
    assert pd.read_parquet(tmp_path / "out" / "models.parquet").empty
