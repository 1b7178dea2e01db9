"""Measure what docs/reliability.md says of captures: memory and time by pages, and kills.

Run from the project's folder::

    python -m tests.measure_capture --pages 120 3000      memory and time of captures of that size
    python -m tests.measure_capture --kills 50            kills at random instants, each resumed

With ``--write`` the figures go into docs/reliability.md.

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

#: Marks of the page between which the figures stand.
BEGIN = "<!-- figures of captures: written by tests/measure_capture.py -->"
END = "<!-- end of the figures of captures -->"


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


def figures(sizes: list[dict[str, Any]], kills: dict[str, int] | None) -> str:
    """Return the measured figures as the lines of the page."""
    lines = []
    if sizes:
        names = (
            *("pages", "rows", "bytes as they came", "kept pages", "Parquet"),
            *("memory while asking, first and last fifth", "memory at the table"),
            *("seconds asking", "seconds at the table"),
        )
        lines += [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for one in sizes:
        first, *_, last = one["memory_asking_mb"]
        lines.append(
            f"| {one['pages']:,} | {one['rows']:,} | {one['bytes_as_they_came'] / 1e6:,.0f} MB | "
            f"{one['bytes_of_pages'] / 1e6:,.0f} MB | {one['bytes_of_table'] / 1e6:,.0f} MB | "
            f"{first:,} and {last:,} MB | {one['memory_table_mb']:,} MB | "
            f"{one['seconds_asking']:,.0f} | {one['seconds_table']:,.0f} |"
        )
    if kills:
        lines.append("")
        lines.append(
            f"{kills['kills']} kills: {kills['starting']} before the first page, {kills['asking']} "
            f"among the pages, {kills['writing']} at the table or the manifest. "
            f"{kills['torn_pages']} left a page without its line in the journal, "
            f"{kills['torn_lines']} half a line. {kills['captures']} captures came to their end "
            f"after kills; {kills['identical']} of them are the undisturbed one, byte for byte."
        )
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the figures between their two marks in docs/reliability.md."""
    path = PROJECT / "docs" / "reliability.md"
    before, _, rest = path.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Run the measures that are asked for and print each as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pages", type=int, nargs="*", default=[], metavar="N")
    parser.add_argument("--kills", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="put the figures into the page")
    args = parser.parse_args()
    rows = hub_of.real_rows(raw.fetch("hub-stats-2026-05"))
    sizes = []
    for pages in args.pages:
        with tempfile.TemporaryDirectory() as folder:
            sizes.append(memory(pages, rows, Path(folder)))
            print(json.dumps(sizes[-1], indent=1), flush=True)
    outcome = None
    if args.kills:
        with tempfile.TemporaryDirectory() as folder:
            outcome = kill_and_resume(
                rows, Path(folder), kills=args.kills, page_size=50, seed=args.seed
            )
            print(json.dumps(vars(outcome), indent=1))
    if args.write:
        write(figures(sizes, outcome and vars(outcome)))


if __name__ == "__main__":
    main()
