"""What a series of hundreds of weekly snapshots costs: ``python benchmarks/series.py``.

The snapshots are synthetic: copies of the registered cut (``hub-stats-2026-05``) with counters that
wander from week to week, in a folder that is removed at the end. Each step is a process of its
own, ``python -m analysis series`` as a user calls it; its time is that of the whole process and
its memory the largest resident set that the system saw.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis import raw

FIRST = date(2023, 1, 4)


def weeks(folder: Path, count: int, copies: int) -> list[str]:
    """Write the snapshots; `copies` makes each so many times as long as the cut."""
    columns = ["id", "downloads", "downloadsAllTime", "likes", "pipeline_tag"]
    table = pq.read_table(raw.fetch("hub-stats-2026-05"), columns=columns)
    ids = table["id"].to_pylist()
    # The further copies belong to nobody that the register names.
    more = [f"copy{n}-{one.replace('/', f'/{n}-')}" for n in range(1, copies) for one in ids]
    counters = np.concatenate(
        [table["downloads"].fill_null(0).to_numpy() // (n + 1) for n in range(copies)]
    ).astype("float64")
    whole = pa.concat_tables([table] * copies).set_column(0, "id", pa.array([*ids, *more]))
    rolls = np.random.default_rng(1)
    names = []
    for week in range(count):
        counters *= np.exp(rolls.normal(0, 0.05, len(counters)))
        path = folder / f"week-{week:03}.parquet"
        values = pa.array(counters.astype("int64"))
        pq.write_table(whole.set_column(1, "downloads", values), path)
        names.append(f"{path}@{FIRST + timedelta(days=7 * week)}")
    return names


def run(cache: Path, *argv: str) -> dict[str, Any]:
    """Run one command in a process of its own."""
    command = [sys.executable, "-m", "analysis", "series", *argv, "--json"]
    before = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env=os.environ | {raw.CACHE_VARIABLE: str(cache)}
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} … ended with {process.returncode}")
    return {
        "seconds": round(time.perf_counter() - before, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_megabytes": round(usage.ru_maxrss / 1024),
    }


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weeks", type=int, default=200, help="snapshots (default 200)")
    parser.add_argument("--copies", type=int, default=10, help="times the cut's 4,167 rows each")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        names = weeks(folder, args.weeks + 1, args.copies)
        size = sum(path.stat().st_size for path in folder.glob("*.parquet"))
        cache, asked = folder / "cache", ["--families", "qwen", "llama"]
        quarter = args.weeks // 4
        steps = {
            f"first {quarter}, none kept": run(cache, *names[:quarter], *asked),
            f"all {args.weeks}, {quarter} kept": run(cache, *names[:-1], *asked),
            f"all {args.weeks} again": run(cache, *names[:-1], *asked),
            "another question of them": run(cache, *names[:-1], "--family-rule", "with-reuploads"),
            "one more": run(cache, *names, *asked),
            f"first {quarter} again": run(cache, *names[:quarter], *asked),
        }
        kept = sum(path.stat().st_size for path in (cache / "series").iterdir())
    facts = {
        "weeks": args.weeks,
        "rows_each": 4_167 * args.copies,
        "megabytes": round(size / 1e6, 1),
        "megabytes_kept": round(kept / 1e6, 1),
        "steps": steps,
    }
    if args.json:
        print(json.dumps(facts, indent=1))
        return
    print(
        f"{args.weeks} snapshots of {facts['rows_each']:,} rows, {facts['megabytes']} MB; "
        f"summaries kept: {facts['megabytes_kept']} MB"
    )
    print(f"{'step':<28}{'seconds':>9}{'cpu':>8}{'peak MB':>9}")
    for name, step in steps.items():
        print(
            f"{name:<28}{step['seconds']:>9.1f}{step['cpu_seconds']:>8.1f}"
            f"{step['peak_megabytes']:>9,}"
        )


if __name__ == "__main__":
    main()
