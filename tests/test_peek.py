"""``peek``: columns of a Parquet file on a Hub on loopback, read by ranges; all is made up."""

from __future__ import annotations

import argparse
import io
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import raw
from analysis.commands import peeking
from analysis.errors import InputError, IntegrityError, RecordError, UnavailableError
from analysis.raw import remote
from tests.support import hub_files as hf
from tests.test_raw_resume import NAME, PATH, REPO, registry_of

ROWS = 3000
TOKEN = "hf_PlantedTokenThatMustNotLeak0123456789"


def made_up_table() -> pa.Table:
    dice = random.Random(3)
    return pa.table(
        {
            "id": [f"maker/model-{n}" for n in range(ROWS)],
            "downloads": pa.array([None if n % 10 == 0 else n for n in range(ROWS)], pa.int64()),
            "score": [n / 8 for n in range(ROWS)],
            "createdAt": pa.array(range(ROWS), pa.timestamp("s")),
            "=hidden\x1b": pa.nulls(ROWS, pa.int32()),
            # Wide and random, so that it does not compress: what `peek` must not read.
            "cardData": [dice.randbytes(200) for _ in range(ROWS)],
        }
    )


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=1000)
    return out.getvalue()


TABLE = made_up_table()
BODY = parquet(TABLE)


@dataclass
class World:
    on: hf.Running
    registry: raw.Registry
    folder: Path

    def ranges(self) -> list[str]:
        return [one.headers.get("range", "") for one in self.on.cdn.asked()]


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hf.Running]:
    with hf.running(hf.Repository(REPO)) as on:
        hf.point_here(monkeypatch, on, tmp_path)
        yield on


def world_of(
    running: hf.Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> World:
    one = hf.File(body, "xet")
    commit = running.sets.repositories[REPO].commit({PATH: one})
    registry = registry_of(commit, one)
    monkeypatch.setattr(remote, "load_registry", lambda: registry)
    return World(running, registry, tmp_path)


@pytest.fixture
def world(running: hf.Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return world_of(running, tmp_path, monkeypatch, BODY)


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    peeking.register(parser.add_subparsers())
    arguments = parser.parse_args(["peek", *words])
    status: int = arguments.run(arguments)
    return status


def test_two_columns_cost_a_small_part_of_the_file(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(NAME, "--columns", "downloads", "score", "createdAt", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    downloads = [n for n in TABLE["downloads"].to_pylist() if n is not None]
    assert told["rows"] == ROWS
    assert told["totals"]["downloads"] == {
        "missing": ROWS - len(downloads),
        "sum": sum(downloads),
        "min": min(downloads),
        "max": max(downloads),
    }
    assert told["totals"]["score"]["sum"] == sum(TABLE["score"].to_pylist())
    assert told["totals"]["createdAt"]["max"] == "1970-01-01 00:49:59"
    assert told["hash_checked"] is False
    assert told["bytes"] == len(BODY)
    assert told["bytes_read"] < len(BODY) / 4
    # The footer, and one range for the neighbouring columns of each row group.
    assert told["ranges"] == len(world.ranges()) <= 1 + TABLE.num_rows // 1000 + 1
    sent = 0
    for one in world.ranges():
        first, _, last = one.removeprefix("bytes=").partition("-")
        sent += int(last) - int(first) + 1
    assert told["bytes_read"] == sent


@pytest.fixture
def real(raw_path: Callable[[str], Path]) -> Path:
    """A real snapshot; before `running`, which takes the mirror away."""
    return raw_path("hub-stats-2026-05")


def test_a_column_of_a_real_snapshot_is_read_as_from_the_file(
    real: Path,
    running: hf.Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world_of(running, tmp_path, monkeypatch, real.read_bytes())
    assert run(NAME, "--columns", "downloads", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    downloads = pq.read_table(real, columns=["downloads"])["downloads"].to_pylist()
    assert told["totals"]["downloads"]["sum"] == sum(downloads)
    assert told["rows"] == len(downloads)
    assert told["bytes_read"] < real.stat().st_size / 10


def test_what_is_printed_says_that_no_hash_was_checked(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([], ["--columns", "downloads"], ["--columns", "id", "--rows", "2"]):
        assert run(NAME, *words) == 0
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith("hash not checked: ")
        assert f" of {len(BODY):,} bytes read" in last


def test_the_columns_are_shown_for_the_price_of_the_footer(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(NAME) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("3,000 rows in 3 groups\n  id  string\n  downloads  int64\n")
    assert "\x1b" not in printed
    assert len(world.ranges()) == 1


def test_rows_end_where_they_were_asked_to(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(NAME, "--columns", "downloads", "id", "id", "--rows", "1001", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["values"][0] == {"id": "maker/model-0", "downloads": None}
    assert [row["id"] for row in told["values"]] == TABLE["id"].to_pylist()[:1001]
    assert run(NAME, "--columns", "id", "--rows", "1") == 0
    assert capsys.readouterr().out.startswith("id='maker/model-0'\n")


def test_an_excerpt_says_in_itself_that_it_was_not_checked(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    out = world.folder / "few.parquet"
    assert run(NAME, "--columns", "downloads", "id", "--out", str(out)) == 0
    assert capsys.readouterr().out.startswith(f"3,000 rows written to {out}\nhash not checked")
    assert pq.read_table(out).equals(TABLE.select(["downloads", "id"]))
    metadata = pq.ParquetFile(out).metadata.metadata
    _, version = world.registry.find(NAME)
    assert metadata[b"open_model_record.hash_checked"] == b"no"
    assert metadata[b"open_model_record.note"].startswith(b"hash not checked: ")
    assert metadata[b"open_model_record.sha256_of_the_whole"].decode() == version.sha256
    assert version.commit in metadata[b"open_model_record.excerpt_of"].decode()
    assert raw.sha256_of(out) != version.sha256
    assert sorted(path.name for path in world.folder.iterdir()) == ["few.parquet"]


def test_a_file_that_is_not_registered_is_looked_up(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.raw.pinning.load_registry", lambda _: world.registry)
    assert run(REPO, PATH, "--columns", "score", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == f"{REPO} {PATH}"
    assert told["bytes_read"] < len(BODY)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (hf.without_ranges(BODY), UnavailableError, "serves no ranges"),
        (hf.shifted(8), UnavailableError, "serves no ranges"),
        (hf.saying(Content_Range="bytes 0-9/10"), IntegrityError, "has 10 bytes, registered are"),
        (hf.after(1, hf.other_etag("new")), IntegrityError, "became another file between two"),
        (hf.cut_after(10), UnavailableError, "cannot be read: .*5 times"),
        (hf.rubbish(b"short"), UnavailableError, "sent 5 bytes of .*5 times"),
        (hf.rubbish(BODY * 2), UnavailableError, r"sent \d+ bytes of \d+, 5 times"),
        (hf.failing(503), UnavailableError, "answered 503"),
        (hf.failing(403), UnavailableError, "answered 403"),
        (hf.other_bytes, InputError, "not a readable Parquet file"),
        (hf.after(1, hf.other_bytes), InputError, "not a readable Parquet file"),
    ],
)
def test_a_host_that_serves_ranges_badly_is_one_line(
    world: World, naps: list[float], fault: hf.Fault, error: type[RecordError], words: str
) -> None:
    world.on.cdn.faults.append(fault)
    out = world.folder / "few.parquet"
    with pytest.raises(error, match=words) as caught:
        run(NAME, "--columns", "id", "downloads", "--out", str(out))
    assert "\n" not in str(caught.value)
    assert list(world.folder.iterdir()) == []


def test_a_part_that_breaks_off_is_asked_for_again(world: World, naps: list[float]) -> None:
    world.on.cdn.faults += [
        hf.times(2, hf.cut_after(10)),
        hf.after(3, hf.times(1, hf.failing(502))),
    ]
    assert run(NAME, "--columns", "id") == 0
    assert naps


def test_another_hash_at_the_hub_is_refused_before_anything_is_read(world: World) -> None:
    world.on.hub.faults.append(hf.saying(X_Linked_ETag=f'"{"5" * 64}"'))
    with pytest.raises(IntegrityError, match=r"the Hub declares sha256 5555.*nothing was read"):
        run(NAME)


def test_a_gated_file_is_read_with_a_token_that_only_the_hub_sees(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world.on.sets.repositories[REPO].gated = True
    world.on.sets.tokens.add(TOKEN)
    world.on.sets.granted.add(TOKEN)
    with pytest.raises(UnavailableError, match="answered 401"):
        run(NAME)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    out = world.folder / "few.parquet"
    assert run(NAME, "--columns", "id", "--out", str(out)) == 0
    assert TOKEN.encode() not in out.read_bytes()
    assert TOKEN not in "".join(capfd.readouterr())
    assert world.on.cdn.asked()
    assert not any(TOKEN in str(one) for one in world.on.cdn.asked())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--columns", "nothing"], "no column 'nothing'; there are 'id', 'downloads'"),
        (["--columns", "id", "--rows", "0"], "--rows must be 1 or more"),
        (["--rows", "3"], "name --columns"),
        (["--revision", "main"], "goes with REPO PATH"),
        (["--columns", "id", "--out", "{folder}/no/few.parquet"], "no such folder"),
        (["--columns", "id", "--out", "{folder}"], "there already"),
        (["--columns", "id", "--out", "{folder}/cache/few.parquet"], "holds verified files"),
    ],
)
def test_what_cannot_be_peeked_at_is_one_line(world: World, words: list[str], message: str) -> None:
    (world.folder / "cache").mkdir()
    with pytest.raises(InputError, match=message):
        run(NAME, *(word.format(folder=world.folder) for word in words))


def test_a_whole_commit_is_not_read_by_ranges() -> None:
    with pytest.raises(InputError, match="a whole commit is not read by ranges"):
        remote.remote_file("radar-2026-08-22")


@pytest.mark.parametrize("body", [b"PAR1", b"id,downloads\n" * 99, BODY[:-9], b"\0" * 99])
def test_what_is_no_parquet_is_one_line(
    running: hf.Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    world_of(running, tmp_path, monkeypatch, body)
    with pytest.raises(InputError, match="not a readable Parquet file"):
        run(NAME)


def test_a_row_group_that_unpacks_to_too_much_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peeking, "_LARGEST_GROUP", 1000)
    with pytest.raises(InputError, match=r"row group 0 unpacks to .* bytes, more than 1,000"):
        run(NAME, "--columns", "id")


def test_a_full_disk_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="cannot write: No space left on device"):
        run(NAME, "--columns", "id", "--out", str(world.folder / "few.parquet"))
    assert list(world.folder.iterdir()) == []


def test_the_file_reads_like_any_other(world: World) -> None:
    with remote.remote_file(NAME, registry=world.registry) as file:
        assert file.seek(-4, os.SEEK_END) == len(BODY) - 4
        assert file.read() == b"PAR1"
        assert file.read(9) == b""
        assert file.seek(0) == 0
        assert io.BufferedReader(file, 8).read(4) == b"PAR1"  # type: ignore[type-var]
        assert file.seek(2, os.SEEK_CUR) == file.tell()
        assert (file.bytes_read, file.ranges) == (12, 2)
