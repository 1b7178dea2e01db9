"""Killing a capture at random instants: real processes, the real client, SIGKILL.

One capture after the other is begun, killed and begun again until so many kills have hit, and each
that came to its end is compared with one that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path

from analysis.raw import capturing
from analysis.raw.capturing import store
from tests.support.hub_models import Models, Row
from tests.support.hub_server import HubServer, hub_server

PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class Outcome:
    """What came of the kills.

    Attributes
    ----------
    kills : int
        Processes that were running when SIGKILL came.
    starting, asking, writing : int
        Where they were: before their first page, among the pages, at the table or the manifest.
    torn_pages, torn_lines : int
        Pages without a line in the journal, and half lines, that the kills left behind.
    captures : int
        Captures that came to their end after kills.
    identical : int
        Those of them with the same Parquet file and the same pages, byte for byte.
    """

    kills: int = 0
    starting: int = 0
    asking: int = 0
    writing: int = 0
    torn_pages: int = 0
    torn_lines: int = 0
    captures: int = 0
    identical: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        """Add up two outcomes."""
        names = [field.name for field in fields(self)]
        return Outcome(**{name: getattr(self, name) + getattr(other, name) for name in names})


def environment(hub: HubServer, folder: Path) -> dict[str, str]:
    """Return the environment of a process that asks this server and nothing of the user's."""
    hidden = ("HF_", "HUGGING_FACE", "OMR_ATTEMPTS", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    kept = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(hidden)
    }
    return kept | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(folder / "home"),
        "PYTHONPATH": str(PROJECT),
    }


def command(folder: Path, *options: str) -> list[str]:
    """Return the command line of a capture."""
    return [sys.executable, "-m", "analysis", "capture", str(folder), *options]


def kill_and_resume(
    rows: tuple[Row, ...], folder: Path, *, kills: int, page_size: int, seed: int
) -> Outcome:
    """Kill captures until so many kills have hit; finish and compare each."""
    dice = random.Random(seed)
    options = ("--all", "--page-size", str(page_size))
    outcome = Outcome()
    with hub_server(Models(rows)) as hub:
        whole = folder / "whole"
        where = environment(hub, folder)
        subprocess.run(
            command(whole, *options), env=where, cwd=PROJECT, check=True, capture_output=True
        )
        number = 0
        while outcome.kills < kills or number != outcome.captures:
            if number == outcome.captures:
                number += 1
            out = folder / f"killed-{number}"
            _one(hub, out, options, where, dice, outcome, whole, last=outcome.kills >= kills)
    return outcome


def _one(
    hub: HubServer,
    out: Path,
    options: tuple[str, ...],
    where: dict[str, str],
    dice: random.Random,
    outcome: Outcome,
    whole: Path,
    *,
    last: bool,
) -> None:
    pages = sum(1 for _ in store.entries(whole))
    left = pages - sum(1 for _ in store.entries(out))
    before = len(hub.asked("/api/models"))
    process = subprocess.Popen(
        command(out, *options),
        env=where,
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        if not last and (left or dice.random() < 0.6):
            # Some aim behind the last page, at the table and the manifest, some at the beginning.
            aim = dice.random()
            late = not left or aim < 0.1
            target = left if late else min(dice.randint(1, 10), left)
            if left == pages and aim > 0.6:
                target = 0
                time.sleep(dice.uniform(0.3, 0.9))
            while process.poll() is None and len(hub.asked("/api/models")) - before < target:
                time.sleep(0.0005)
            # A run without pages to ask for takes most of a second to begin.
            time.sleep(dice.uniform(*((0, 0.4) if left else (0.4, 1.4))) if late else 0)
            time.sleep(dice.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
        _, error = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    if process.returncode == 0:
        outcome.captures += 1
        outcome.identical += same(out, whole)
        return
    assert process.returncode == -signal.SIGKILL, error.decode()
    outcome.kills += 1
    _count_torn(out, outcome)


def _count_torn(out: Path, outcome: Outcome) -> None:
    kept = list(store.entries(out))
    state = store.standing(out)
    if state.query > 1:
        outcome.writing += 1
    elif not kept:
        outcome.starting += 1
    else:
        outcome.asking += 1
    segment = out / "pages" / "00000.gz"
    end = kept[-1].offset + kept[-1].length if kept else 0
    outcome.torn_pages += segment.exists() and segment.stat().st_size > end
    journal = out / "journal.jsonl"
    written = journal.read_bytes() if journal.exists() else b""
    outcome.torn_lines += bool(written) and not written.endswith(b"\n")


def same(out: Path, whole: Path) -> bool:
    """Tell whether two captures hold the same pages in the same order, and the same table."""
    mine, other = (
        [(entry.sha256, entry.date, entry.page) for entry in store.entries(folder)]
        for folder in (out, whole)
    )
    segments = [b"".join(body for _, body in store.pages(folder)) for folder in (out, whole)]
    tables = [(folder / capturing.PARQUET_NAME).read_bytes() for folder in (out, whole)]
    manifest = json.loads((out / capturing.MANIFEST_NAME).read_text("utf-8"))
    return (
        mine == other
        and segments[0] == segments[1]
        and tables[0] == tables[1]
        and manifest["complete"] is True
        and not list(out.glob("*.part"))
    )
