"""Fifty captures killed by the system at random instants, and what only a whole process shows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest

from analysis.raw import capturing
from analysis.snapshot import read
from tests.measure_capture import memory
from tests.support import hub_models as hub_of
from tests.support.hub_server import hub_server
from tests.support.killing import PROJECT, Outcome, command, environment, kill_and_resume

pytestmark = pytest.mark.slow

KILLS = 50
WORKERS = 2
PAGE = 50


def test_fifty_kills_change_nothing(raw_path: Callable[[str], Path], tmp_path: Path) -> None:
    rows = hub_of.real_rows(raw_path("hub-stats-2026-05"))
    with ThreadPoolExecutor(WORKERS) as pool:
        parts = [
            pool.submit(
                kill_and_resume,
                rows,
                tmp_path / str(seed),
                kills=KILLS // WORKERS,
                page_size=PAGE,
                seed=seed,
            )
            for seed in range(WORKERS)
        ]
        outcome = sum((part.result() for part in parts), Outcome())
    print(outcome)
    assert outcome.kills == KILLS
    assert outcome.asking >= KILLS // 4
    assert outcome.writing >= 3
    assert outcome.captures >= WORKERS
    assert outcome.identical == outcome.captures


def test_memory_does_not_grow_with_the_pages(
    raw_path: Callable[[str], Path], tmp_path: Path
) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc")
    found = memory(60, hub_of.real_rows(raw_path("hub-stats-2026-05")), tmp_path)
    assert found["rows"] == found["repositories"] == 60_000
    _, second, *_, last = found["memory_asking_mb"]
    assert last - second < 10
    assert found["memory_table_mb"] < 500


def test_the_client_knows_every_field_that_is_asked_for() -> None:
    from huggingface_hub.hf_api import ExpandModelProperty_T

    assert set(capturing.ASKED) <= set(get_args(ExpandModelProperty_T))


def test_the_server_speaks_what_the_client_expects(
    raw_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's own listing, paging, sorting and single look-ups against the server."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError
    from huggingface_hub.utils import close_session

    monkeypatch.setattr("huggingface_hub.utils._headers.detect_agent", lambda: None)
    rows = hub_of.real_rows(raw_path("hub-stats-2026-05"), 300)
    with hub_server(hub_of.Models(rows, largest_page=70)) as hub:
        api = HfApi(endpoint=hub.url, token=False)
        every = list(api.list_models(sort="downloads", expand=["downloads", "safetensors"]))
        assert {one.id for one in every} == {row["id"] for row in rows}
        counters = [one.downloads or 0 for one in every]
        assert counters == sorted(counters, reverse=True)
        assert all(one.tags is None for one in every)
        author = rows[0]["author"]
        theirs = list(api.list_models(author=author))
        assert [one.id for one in theirs if one.id == rows[0]["id"]]
        assert all(one.id.startswith(f"{author}/") for one in theirs)
        bases = [tag for row in rows for tag in row["tags"] if tag.startswith("base_model:")]
        found = {one.id for one in api.list_models(filter=bases[0])}
        assert found == {row["id"] for row in rows if bases[0] in row["tags"]}
        assert api.model_info(rows[0]["id"], expand=["likes"]).likes == rows[0]["likes"]
        with pytest.raises(RepositoryNotFoundError):
            api.model_info("nobody/nothing")
    close_session()


def test_a_capture_of_the_whole_cut_reads_as_the_cut(
    raw_path: Callable[[str], Path], tmp_path: Path
) -> None:
    real = raw_path("hub-stats-2026-05")
    out = tmp_path / "out"
    with hub_server(hub_of.Models(hub_of.real_rows(real))) as hub:
        subprocess.run(
            command(out, "--all"),
            env=environment(hub, tmp_path),
            cwd=PROJECT,
            check=True,
            capture_output=True,
        )
    got = read(out / capturing.PARQUET_NAME, "hub-snapshot").frame
    wanted = read(real, "hub-snapshot").frame
    assert got["read_at"].notna().all()
    pd.testing.assert_frame_equal(
        got[wanted.columns].sort_values("repository_id", ignore_index=True),
        wanted.sort_values("repository_id", ignore_index=True),
    )


def test_a_disk_that_is_really_full(raw_path: Callable[[str], Path], tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = hasattr(os, "geteuid") and os.geteuid() == 0
    mounted = (
        mounted
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(small)],
            check=False,
            capture_output=True,
        ).returncode
    )
    if not mounted:
        pytest.skip("a small file system can be mounted by root alone")
    try:
        rows = hub_of.real_rows(raw_path("hub-stats-2026-05"))
        with hub_server(hub_of.Models(rows)) as hub:
            where = environment(hub, tmp_path)
            call = command(small / "out", "--all", "--page-size", "100")
            stopped = subprocess.run(
                call, env=where, cwd=PROJECT, check=False, capture_output=True, text=True
            )
            assert stopped.returncode == 2
            assert stopped.stderr.startswith("error: ")
            assert stopped.stderr.count("\n") == 1
            assert "the disk is full; what was kept stays" in stopped.stderr
            kept = [entry.sha256 for entry in capturing.store.entries(small / "out")]
            assert kept
            subprocess.run(["mount", "-o", "remount,size=20m", str(small)], check=True)
            subprocess.run(call, env=where, cwd=PROJECT, check=True, capture_output=True)
            other = tmp_path / "other"
            subprocess.run(
                command(other, "--all", "--page-size", "100"),
                env=where,
                cwd=PROJECT,
                check=True,
                capture_output=True,
            )
        whole = [entry.sha256 for entry in capturing.store.entries(other)]
        assert whole[: len(kept)] == kept
        table = capturing.PARQUET_NAME
        assert (small / "out" / table).read_bytes() == (other / table).read_bytes()
    finally:
        subprocess.run(["umount", str(small)], check=True)
