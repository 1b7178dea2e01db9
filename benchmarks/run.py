"""Measure ours, the floor, pandas with networkx, and Polars side by side, and print a table.

    python benchmarks/run.py --json out.json

makes the synthetic files that are missing, runs every way in a process of its own, one after
another so that all see the same machine, and checks that the three that compute give the same
numbers. What stands in the JSON already is not measured again: a broken run goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import synthetic, ways  # noqa: E402

SIZES: Final = (300_000, 1_000_000, 3_000_000)
PACKAGES: Final = ("duckdb", "networkx", "numpy", "pandas", "polars", "pyarrow")

Cells = list[dict[str, Any]]


def measure(way: str, path: Path) -> dict[str, Any]:
    """Run one way in this process and say what it took."""
    rules = ways.Rules.declared()
    for module in _imports(way):
        __import__(module)
    before = _peak()
    wall, cpu = time.perf_counter(), time.process_time()
    found = ways.WAYS[way][0](path, rules)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = _peak()
    return {
        "way": way,
        "rows": found["rows"],
        "wall_s": round(wall, 4),
        "cpu_s": round(cpu, 4),
        "peak_mb": round(peak, 1),
        "peak_before_mb": round(before, 1),
        "found": found if ways.WAYS[way][1] else None,
    }


def _imports(way: str) -> tuple[str, ...]:
    """Modules that a way needs: loading them is no part of what is measured."""
    if way.startswith("ours"):
        return ("analysis.measure.derivatives", "analysis.snapshot.whole")
    if way.startswith("floor"):
        return ("duckdb",)
    return ("pandas", "pyarrow.parquet", "networkx") if way == "pandas" else ("polars",)


def _peak() -> float:
    """Return the most memory that this process has held, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux ru_maxrss begins with what the parent held when it forked; this does not.
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def _digest(found: Any) -> str:
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def run_cell(way: str, path: Path, expected: dict[int, Any], rows: int) -> dict[str, Any]:
    """Run one way in a fresh process and hold its numbers against the first way's."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--cell", way, str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SystemExit(f"error: {way} at {rows:,} rows ended with {done.returncode}: {last}")
    cell: dict[str, Any] = json.loads(done.stdout)
    found = cell.pop("found")
    if found is not None:
        first = expected.setdefault(rows, found)
        if _digest(first) != _digest(found):
            odd = next(name for name in first if _digest(first[name]) != _digest(found[name]))
            raise SystemExit(f"error: {way} at {rows:,} rows gives another number: {odd}")
        cell["numbers_sha256"] = _digest(found)
    return cell | {"size": rows}


def file_of(folder: Path, rows: int) -> Path:
    """Return the synthetic file of a size, made where it is missing."""
    path = folder / f"synthetic-{rows}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"making {path}", file=sys.stderr)
        quiet = not sys.stderr.isatty()
        synthetic.write(path, rows=rows, relations=rows * 6 // 10, quiet=quiet)
    return path


def summary(cells: Cells) -> list[dict[str, Any]]:
    """Medians and ranges by size and way, with ratios to the way that each is held against."""
    out = []
    for size in sorted({cell["size"] for cell in cells}):
        rows: dict[str, dict[str, Any]] = {}
        for way in ways.WAYS:
            some = [cell for cell in cells if (cell["size"], cell["way"]) == (size, way)]
            if some:
                rows[way] = {"size": size, "way": way, "runs": len(some)} | {
                    name: {
                        "median": round(statistics.median(cell[name] for cell in some), 4),
                        "least": min(cell[name] for cell in some),
                        "most": max(cell[name] for cell in some),
                    }
                    for name in ("wall_s", "cpu_s", "peak_mb")
                }
        for way, row in rows.items():
            floor = rows.get("floor-all" if way.endswith("-all") else "floor")
            if floor is not None:
                row["times_floor"] = {
                    name: round(row[name]["median"] / floor[name]["median"], 2)
                    for name in ("wall_s", "cpu_s")
                }
            out.append(row)
    return out


def goals(table: list[dict[str, Any]]) -> dict[str, Any]:
    """Hold the medians against the goals of issue 5; what was not measured is left out."""
    by = {(row["size"], row["way"]): row for row in table}
    largest = max((row["size"] for row in table), default=0)
    out: dict[str, Any] = {}
    mine = by.get((largest, "ours"))
    if mine is None:
        return out

    def over(other: str, name: str) -> float | None:
        found = by.get((largest, other))
        return found and round(found[name]["median"] / mine[name]["median"], 2)

    def put(name: str, value: float | None, goal: str, met: bool) -> None:
        if value is not None:
            out[name] = {"value": value, "goal": goal, "met": met}

    for unit in ("wall_s", "cpu_s"):
        times = mine.get("times_floor", {}).get(unit)
        put(f"times the floor, {unit}", times, "at most 2.5", times is not None and times <= 2.5)
        faster = over("pandas", unit)
        put(f"pandas over ours, {unit}", faster, "at least 10", (faster or 0) >= 10)
        ahead = over("polars", unit)
        put(f"Polars over ours, {unit}", ahead, "at least 1", (ahead or 0) >= 1)
        small = by.get((min(row["size"] for row in table), "ours"))
        if small is not None and small["size"] < largest:
            growth = mine[unit]["median"] / small[unit]["median"] / (largest / small["size"])
            put(f"growth against linear, {unit}", round(growth, 2), "at most 1", growth <= 1.0)
    less = over("pandas", "peak_mb")
    put("pandas' peak over ours", less, "at least 10", (less or 0) >= 10)
    for way in ("ours", "ours-all"):
        if (row := by.get((largest, way))) is not None:
            peak = row["peak_mb"]["most"]
            put(f"peak of {way}, MB", peak, "under 1,500", peak < 1500)
    return out


def written(table: list[dict[str, Any]]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| rows | way | wall s, median (range) | CPU s (range) | peak MB | × floor, wall/CPU |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for row in table:
        spans = [
            f"{row[name]['median']:.2f} ({row[name]['least']:.2f} to {row[name]['most']:.2f})"
            for name in ("wall_s", "cpu_s")
        ]
        times = row.get("times_floor")
        ratio = "" if times is None else f"{times['wall_s']:.1f} / {times['cpu_s']:.1f}"
        lines.append(
            f"| {row['size']:,} | {ways.WAYS[row['way']][2]} | {spans[0]} | {spans[1]} | "
            f"{row['peak_mb']['median']:,.0f} | {ratio} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0],
        epilog=(
            "examples:\n"
            "  python benchmarks/run.py --json out.json\n"
            "  python benchmarks/run.py --rows 300000 --repeats 5 --ways ours floor\n"
            "  python benchmarks/run.py --json out.json --markdown    the table for the docs\n\n"
            "Times are of a warm cache: each file is read once before it is measured. Wall time\n"
            "depends on what else the machine does, CPU time hardly. Peaks are of the whole\n"
            "process, pages of a file that a library maps included."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES), metavar="N")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="runs of a cell (3)")
    parser.add_argument("--ways", nargs="+", choices=list(ways.WAYS), default=list(ways.WAYS))
    parser.add_argument("--json", type=Path, metavar="OUT", help="file of results, gone on with")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown alone")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("~/.cache/open-model-record/benchmarks").expanduser(),
        help="where the synthetic files lie (2.4 GB for all sizes)",
    )
    parser.add_argument("--cell", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.cell:
        print(json.dumps(measure(args.cell[0], Path(args.cell[1]))))
        return 0
    machine = {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        **{name: version(name) for name in PACKAGES},
    }
    cells: Cells = []
    if args.json and args.json.exists():
        before = json.loads(args.json.read_text(encoding="utf-8"))
        if before["machine"] == machine:
            cells = before["cells"]
    wanted = [
        (rows, repeat, way)
        for rows in sorted(args.rows)
        for repeat in range(args.repeats)
        for way in args.ways
    ]
    have = {(cell["size"], cell["repeat"], cell["way"]) for cell in cells}
    missing = [one for one in wanted if one not in have]
    expected: dict[int, Any] = {}
    warm = None
    for rows, repeat, way in tqdm(missing, unit=" cell", disable=not sys.stderr.isatty()):
        path = file_of(args.folder, rows)
        if warm != rows:
            _read(path)
            warm = rows
        cell = run_cell(way, path, expected, rows) | {"repeat": repeat}
        known = {c.get("numbers_sha256") for c in cells if c["size"] == rows} - {None}
        if cell.get("numbers_sha256", next(iter(known), None)) not in (known or {None}) and known:
            raise SystemExit(f"error: {way} at {rows:,} rows gives other numbers than before")
        cells.append(cell)
        if args.json:
            _save(args.json, machine, cells)
    cells = [c for c in cells if (c["size"], c["repeat"], c["way"]) in set(wanted)]
    table = summary(cells)
    print(written(table))
    if not args.markdown:
        print()
        for name, goal in goals(table).items():
            print(
                f"{'met ' if goal['met'] else 'MISSED'}  {name}: {goal['value']} ({goal['goal']})"
            )
    return 0


def _read(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _save(path: Path, machine: dict[str, Any], cells: Cells) -> None:
    table = summary(cells)
    record = {
        "machine": machine,
        "cache": "warm",
        "floor": {
            "floor": ways.floor_query(ways.COLUMNS),
            "floor-all": ways.floor_query((*ways.COLUMNS, *ways.MORE)),
        },
        "summary": table,
        "goals": goals(table),
        "cells": cells,
    }
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    os.replace(part, path)


if __name__ == "__main__":
    raise SystemExit(main())
