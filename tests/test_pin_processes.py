"""``pin`` and ``fetch`` as a user runs them: real processes, killed, doubled, and with a token.

They work in a copy of the project and ask a Hub on loopback; its bytes are synthetic.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import raw
from analysis.raw import pinning
from tests.support import hub_files as hf

pytestmark = pytest.mark.slow

REPO = "hfmlsoc/hub_weekly_snapshots"
KILLS = 25
DAY = "2026-02-25"
PATH = f"models/{DAY}/models.parquet"
NAME = f"weekly-{DAY}"
TOKEN = "hf_PlantedTokenThatMustNotLeak0123456789"
BODY = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(1 << 18))  # 8 MiB


class Project:
    """A copy of the code and the registry, as a user has checked it out."""

    def __init__(self, folder: Path, on: hf.Running) -> None:
        self.folder, self.on = folder, on
        root = raw.project_root()
        shutil.copytree(root / "analysis", folder / "analysis")
        shutil.copytree(root / "data" / "sources", folder / "data" / "sources")
        left_out = ("HF_TOKEN", "OMR_MIRROR", "HF_HUB_OFFLINE")
        self.environment = {k: v for k, v in os.environ.items() if k not in left_out} | {
            "PYTHONPATH": str(folder),
            "HF_ENDPOINT": on.hub.url,
            "HF_HOME": str(folder / "hf-home"),
            "OMR_CACHE": str(folder / "cache"),
            "NO_PROXY": "*",
        }

    def fetch(self) -> subprocess.Popen[str]:
        """Start only what `fetch` does: the whole command line takes seconds to be imported."""
        code = f"from analysis import raw; print(raw.fetch({NAME!r}, progress=False))"
        return self._started("-c", code)

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        return self._started("-m", "analysis", *words, **more)

    def _started(self, *words: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **more: str) -> tuple[int, str, str]:
        with self.start(*words, **more) as process:
            out, err = process.communicate(timeout=60)
            return process.returncode, out, err

    def cached(self) -> list[Path]:
        return sorted(path for path in (self.folder / "cache").rglob("*") if path.is_file())


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    repository = hf.Repository(REPO, card={"license": "odbl"})
    repository.commit({PATH: hf.File(BODY, "xet"), "README.md": hf.File(b"# A", "git")})
    with hf.running(repository) as on:
        yield Project(tmp_path, on)


def test_a_download_that_is_killed_at_any_moment_goes_on(project: Project) -> None:
    assert project.run("pin", REPO, PATH)[0] == 0
    # About a second for the whole.
    project.on.cdn.faults.append(hf.slow(0.01, 100))
    dice = random.Random(20260225)
    for _ in range(KILLS):
        asked = len(project.on.cdn.asked())
        with project.fetch() as process:
            while process.poll() is None and len(project.on.cdn.asked()) == asked:
                time.sleep(0.005)
            try:
                process.wait(dice.uniform(0.0, 2.0))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
        (kept,) = project.cached() or [None]
        if kept is not None and not kept.name.endswith(".part"):
            # Finished before, or killed after the rename.
            assert kept.read_bytes() == BODY
            kept.unlink()
        elif kept is not None:
            assert BODY.startswith(kept.read_bytes())
    project.on.cdn.faults.clear()
    with project.fetch() as process:
        out, _ = process.communicate(timeout=60)
    (final,) = project.cached()
    assert out.split() == [str(final)]
    assert final.read_bytes() == BODY
    ranges = [one.headers.get("range", "") for one in project.on.cdn.asked()]
    assert any(ranges), "no download went on: nothing was tested"


def test_two_processes_at_once_download_once(project: Project) -> None:
    assert project.run("pin", REPO, PATH)[0] == 0
    project.on.cdn.faults.append(hf.slow(0.02, 100))
    both = [project.fetch() for _ in range(2)]
    told = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert told[0][0] == told[1][0]
    assert len(project.on.cdn.asked()) == 1
    (final,) = project.cached()
    assert final.read_bytes() == BODY
    assert sum("another process is downloading it" in err for _, err in told) == 1


def test_one_that_waits_goes_on_when_the_other_is_killed(project: Project) -> None:
    assert project.run("pin", REPO, PATH)[0] == 0
    project.on.cdn.faults.append(hf.slow(0.02, 100))
    with project.fetch() as first:
        while not project.on.cdn.asked():
            time.sleep(0.01)
        with project.fetch() as second:
            time.sleep(1.5)
            os.kill(first.pid, signal.SIGKILL)
            out, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert Path(out.strip()).read_bytes() == BODY
    assert len(project.cached()) == 1


def test_a_token_is_seen_by_the_hub_alone(project: Project) -> None:
    repository = project.on.sets.repositories[REPO]
    repository.gated = True
    project.on.sets.tokens.add(TOKEN)
    home = project.folder / "hf-home"
    home.mkdir()
    (home / "token").write_text(TOKEN)
    # At this level huggingface_hub logs tracebacks of its own.
    noisy = {"HF_DEBUG": "1", "HF_HUB_VERBOSITY": "debug"}
    told = [
        project.run("pin", "--list", REPO, **noisy),
        project.run("pin", REPO, PATH, **noisy),
        project.run("fetch", NAME, **noisy),  # refused: gated
    ]
    assert [status for status, _, _ in told] == [0, 0, 2]
    assert "the repository is gated: accept its terms" in told[-1][2]
    project.on.sets.granted.add(TOKEN)
    project.on.cdn.faults.append(hf.times(1, hf.cut_after(1 << 20)))
    told.append(project.run("fetch", NAME, "--json", **noisy))
    project.on.cdn.faults.append(hf.failing(403))
    for path in project.cached():
        path.unlink()
    told.append(project.run("fetch", NAME))
    told.append(project.run("pin", REPO, "nothing", HF_TOKEN=f"{TOKEN} {TOKEN}"))
    told.append(project.run("fetch", NAME, HF_TOKEN=f"{TOKEN}\x01"))
    assert [status for status, _, _ in told[3:]] == [0, 2, 2, 2]
    assert not any(TOKEN in text for _, out, err in told for text in (out, err))
    assert all(err.startswith("error: ") and err.count("\n") == 1 for _, _, err in told[-3:])
    (home / "token").unlink()
    for path in project.folder.rglob("*"):
        assert not (path.is_file() and TOKEN.encode() in path.read_bytes()), path
    assert all(one.headers.get("authorization") for one in project.on.hub.asked("/datasets/"))
    assert project.on.cdn.asked()
    assert not any(TOKEN in str(one) for one in project.on.cdn.asked())


def test_thousands_of_files_are_listed_in_little_memory(tmp_path: Path) -> None:
    many = hf.Repository(REPO)
    body = hf.File(b"the same")
    many.commit({f"models/{year}-01-01/{n}.parquet": body for year in range(2000, 2026)
                 for n in range(400)})  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, hf.running(many) as on:
        hf.point_here(patch, on, tmp_path)
        pinner = pinning.Pinner()
        pinner.candidates(REPO, "models/2000-01-01")
        before = len(on.hub.asked())
        tracemalloc.start()
        rows = pinner.candidates(REPO)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(rows) == 10_400
    assert len(on.hub.asked()) - before > 10
    assert kept / len(rows) < 1000  # bytes
