"""Measure what docs/reliability.md says of captures: memory and time by pages, and kills.

Run from the project's folder::

    python -m tests.measure_capture --pages 3000      memory and time of a capture of that size
    python -m tests.measure_capture --kills 50        kills at random instants, each resumed

Both talk to a server on loopback over the real client. Rows are those of the real cut, repeated
under other ids for the measure of memory. Linux alone: memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from analysis import raw
from analysis.raw import capturing
from tests.support import hub_models as hub_of
from tests.support.hub_server import hub_server
from tests.support.killing import PROJECT, command, environment, kill_and_resume


def memory(pages: int, rows: tuple[hub_of.Row, ...], folder: Path) -> dict[str, Any]:
    """Capture so many pages of a thousand rows and note the largest resident memory by phase.

    Returns
    -------
    dict
        Megabytes (2**20) at most in each fifth of the pages and at the table, seconds of both
        phases, sizes in bytes.
    """
    out = folder / "out"
    fifths = [0] * 5
    table = 0
    asked_at = 0.0
    with hub_server(hub_of.ManyModels(rows, pages)) as hub:
        started = time.monotonic()
        process = subprocess.Popen(
            command(out, "--all"),
            env=environment(hub, folder),
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
        )
        statm = Path(f"/proc/{process.pid}/statm")
        while process.poll() is None:
            resident = int((statm.read_text() or "0 0").split()[1]) * os.sysconf("SC_PAGE_SIZE")
            asked = len(hub.requests) - 1
            if asked < pages:
                place = min(max(asked, 0) * 5 // pages, 4)
                fifths[place] = max(fifths[place], resident)
            else:
                asked_at = asked_at or time.monotonic()
                table = max(table, resident)
            time.sleep(0.02)
        ended = time.monotonic()
        if process.returncode:
            raise SystemExit(process.returncode)
    manifest = json.loads((out / capturing.MANIFEST_NAME).read_text("utf-8"))
    sizes = {file["name"]: file["bytes"] for file in manifest["files"]}
    return {
        "pages": manifest["pages"],
        "rows": manifest["rows"],
        "repositories": manifest["repositories"],
        "bytes_as_they_came": sum(entry.bytes for entry in capturing.store.entries(out)),
        "bytes_of_pages": sum(size for name, size in sizes.items() if name.startswith("pages/")),
        "bytes_of_table": sizes[capturing.PARQUET_NAME],
        "memory_asking_mb": [round(value / 2**20) for value in fifths],
        "memory_table_mb": round(table / 2**20),
        "seconds_asking": round(asked_at - started, 1),
        "seconds_table": round(ended - asked_at, 1),
    }


def main() -> None:
    """Run the measures that are asked for and print each as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pages", type=int, nargs="*", default=[], metavar="N")
    parser.add_argument("--kills", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rows = hub_of.real_rows(raw.fetch("hub-stats-2026-05"))
    for pages in args.pages:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(memory(pages, rows, Path(folder)), indent=1), flush=True)
    if args.kills:
        with tempfile.TemporaryDirectory() as folder:
            outcome = kill_and_resume(
                rows, Path(folder), kills=args.kills, page_size=50, seed=args.seed
            )
            print(json.dumps(vars(outcome), indent=1))


if __name__ == "__main__":
    main()
