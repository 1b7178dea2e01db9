"""``series``: shares over days, from many snapshots."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from analysis import raw
from analysis.errors import InputError, RecordError
from analysis.snapshot.values import shown

if TYPE_CHECKING:
    import pandas as pd

    from analysis.builder import series as builder_series

_MEASURES = ("downloads_30d", "downloads_all_time")
_RULES = ("official", "organisation", "with-reuploads")

#: Kinds that hold the first of a ranking.
_RANKINGS = ("hub-top30", "hub-top25", "hub-top15", "hub-trending")

#: Groups that are printed where none is named.
_PRINTED = 3

_EPILOG = """\
A counter of 30 days read on two days fewer than 30 days apart counts the days between twice.
Each row says how many of its days are new, and the last lines which days may be added up.

Columns: share and interval of the population; new: days of the window that no earlier reading
has seen; matched: change of the share over the repositories that this reading and the one before
both hold, in percentage points, and what part of the downloads these carry; chained: the first
share carried on by such changes (its level is that of the first day's rows, only its movement
says something); common: share over the repositories that all readings hold.
Among the rows present (the default population) shares of different days are not comparable,
because other rows are present: look at the matched changes.

A summary of each snapshot is kept below OMR_CACHE/series; a snapshot that is there is not read
again, whatever is asked, and an interrupted run goes on where it was. Optional versions
(weekly-*) are fetched only when named or matched.

examples:
  python -m analysis series --glob 'llmfit-*' --families qwen llama
  python -m analysis series --glob 'llmfit-*' --population tracked-2026-03-27
  python -m analysis series --glob 'top30-*' --families qwen
  python -m analysis series --glob 'top30-*' --families qwen --exclude Qwen/Qwen3-VL-2B-Instruct
  python -m analysis series hub-stats-2026-05 capture.parquet dump.parquet@2026-11-25
  python -m analysis series panel-2025 --measure downloads_all_time --to panel.csv
  python -m analysis series --glob 'weekly-*' --organisations --to weeks.parquet --drop-raw
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    series = commands.add_parser(
        "series",
        help="shares over days, from many snapshots",
        description=(
            "Shares of families in many snapshots, a row a day and family: with bounds where the "
            "population is a list, and with what may be compared from day to day. Snapshots are "
            "read one at a time. One that cannot be read is reported, the others go on."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    series.add_argument(
        "snapshots",
        nargs="*",
        metavar="NAME_OR_FILE",
        help=(
            "a registered version, or a file of kind hub-snapshot (a capture, a dump); "
            "FILE@YYYY-MM-DD where the file does not say its day"
        ),
    )
    series.add_argument(
        "--glob",
        action="append",
        default=[],
        metavar="PATTERN",
        help="registered versions by a shell pattern, in quotes; may be given several times",
    )
    series.add_argument(
        "--population",
        default="present",
        metavar="P",
        help=(
            "present (the rows of each snapshot, default), a tracked list such as "
            "tracked-2026-05-25, named-makers, text-and-vision"
        ),
    )
    series.add_argument(
        "--measure",
        choices=_MEASURES,
        default=_MEASURES[0],
        help="the rolling counter of 30 days (default) or the all-time counter",
    )
    series.add_argument(
        "--family-rule", choices=_RULES, default=_RULES[0], help="which repositories make a family"
    )
    series.add_argument(
        "--families", nargs="+", default=[], metavar="F", help="only these, such as qwen llama"
    )
    series.add_argument(
        "--organisations",
        nargs="*",
        metavar="ORG",
        help="rows by organisation instead: those named, else the 20 largest of the last day",
    )
    series.add_argument(
        "--exclude", nargs="+", default=[], metavar="ID", help="repositories to leave out"
    )
    series.add_argument(
        "--to", type=Path, metavar="FILE", help="write the rows to a .csv or .parquet file"
    )
    series.add_argument(
        "--no-cache", action="store_true", help="read every snapshot anew and keep nothing"
    )
    series.add_argument(
        "--drop-raw",
        action="store_true",
        help="remove each raw file fetched on the way once its summary is kept",
    )
    series.add_argument("--json", action="store_true", help="print JSON")
    series.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run ``series``."""
    from analysis.builder import series as builder_series

    if args.to is not None and args.to.suffix not in (".csv", ".parquet"):
        raise InputError(f"--to {shown(str(args.to))}: name a .csv or a .parquet file")
    if args.families and args.organisations is not None:
        raise InputError("series: --families and --organisations exclude one another")
    if args.no_cache and args.drop_raw:
        raise InputError("series: --drop-raw needs the summaries that --no-cache does not keep")
    registry = raw.load_registry()
    asked = builder_series.entries(args.snapshots, args.glob, registry)
    cache = builder_series.Cache(None if args.no_cache else raw.cache_dir() / "series")
    reader = builder_series.Reader.of(registry, cache)
    reader.drop_raw = args.drop_raw
    question = builder_series.Question(
        population=args.population,
        measure=args.measure,
        family_rule=args.family_rule,
        by="family" if args.organisations is None else "organisation",
        groups=tuple(args.families or args.organisations or ()),
        exclude=tuple(args.exclude),
    )
    from_cache = 0
    with tqdm(
        total=len(asked), unit=" snapshot", leave=False, disable=not sys.stderr.isatty()
    ) as bar:

        def progress(name: str, cached: bool) -> None:
            nonlocal from_cache
            from_cache += cached
            bar.set_description(f"{name} ({'kept' if cached else 'read'})")
            bar.update()

        made = builder_series.make(asked, question, reader, progress)
    for _, reason in made.failed:
        print(f"error: {reason}", file=sys.stderr)
    for text in cache.notes:
        print(f"note: {text}", file=sys.stderr)
    if args.to is not None:
        write(builder_series.panel(made), args.to)
    if args.json:
        print(json.dumps(_result(question, made, registry), indent=1, allow_nan=False))
    else:
        _print(question, made, registry, reader)
        print(
            f"{_many(len(asked), 'snapshot')}: {from_cache} kept from before, "
            f"{len(asked) - from_cache - len(made.failed)} read, {len(made.failed)} failed",
            file=sys.stderr,
        )
        if args.to is not None:
            print(f"rows written to {args.to}", file=sys.stderr)
    return RecordError.exit_status if made.failed else 0


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write the rows of a series: to a temporary name beside the file first.

    Raises
    ------
    InputError
        The place cannot be written; the file that was there stays as it was.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from analysis.builder.writing import csv_bytes

    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            if path.suffix == ".csv":
                file.write(csv_bytes(frame))
            else:
                pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise InputError(
            f"--to {path}: cannot be written: {error.strerror or error}; name another place"
        ) from None
    finally:
        with suppress(OSError):
            partial.unlink()


def _plain(value: Any) -> Any:
    """Return a cell as JSON knows it."""
    import pandas as pd

    if value is None or pd.isna(value):
        return None
    if isinstance(value, str | bool):
        return value
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float):
        return int(number) if number.is_integer() and abs(number) > 1 else round(number, 10)
    return number


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in frame.astype("object").to_dict("records")
    ]


def _licence(made: builder_series.Series, registry: raw.Registry) -> str | None:
    """Licence of what is derived from registered sources; None where files come in."""
    if made.days["source"].isna().any():
        return None
    alike = any(registry.source(one).share_alike for one in set(made.days["source"].astype("str")))
    return "ODbL-1.0" if alike else "CC-BY-4.0"


def _result(
    question: builder_series.Question, made: builder_series.Series, registry: raw.Registry
) -> dict[str, Any]:
    days = made.days.reset_index(names="snapshot")
    return {
        "population": question.population,
        "measure": question.measure,
        "family_rule": question.family_rule,
        "by": question.by,
        "excluded": sorted(question.exclude),
        "comparable": made.comparable,
        "days_apart": list(made.apart),
        "common_repositories": made.days.attrs["common_repositories"],
        "licence": _licence(made, registry),
        "snapshots": _records(days),
        "rows": _records(made.rows),
        "failed": [{"snapshot": name, "error": reason} for name, reason in made.failed],
        "problems": [{"snapshot": name, "text": text} for name, text in made.problems],
    }


def _print(
    question: builder_series.Question,
    made: builder_series.Series,
    registry: raw.Registry,
    reader: builder_series.Reader,
) -> None:
    days, rows = made.days, made.rows
    print(
        f"{_many(len(days), 'reading')} from {days['day'].iloc[0]} to {days['day'].iloc[-1]}, "
        f"{int(days['fresh'].sum())} of them new observations; population {question.population}, "
        f"{question.measure}"
    )
    titles = reader.families.titles if question.by == "family" else {}
    groups = list(dict.fromkeys(rows["group"]))
    if not question.groups:
        last = rows[rows["snapshot"] == days.index[-1]].dropna(subset=["downloads"])
        order = last.sort_values("downloads", ascending=False, kind="stable")["group"]
        groups = list(order[:_PRINTED])
    for group in groups:
        print(f"\n{titles.get(group) or shown(group).strip(chr(39))}")
        print(
            f"{'day':<11}{'snapshot':<24}{'read':>15}{'downloads':>16}{'share':>8}"
            f"{'interval':>17}{'new':>5}{'matched':>9}{'of':>7}{'chained':>9}{'common':>8}"
        )
        for row in rows[rows["group"] == group].to_dict("records"):
            day = days.loc[row["snapshot"]]
            read = f"{day['covered']:,} of {day['population']:,}"
            span = (
                f"{_percent(row['lower'])} to {_percent(row['upper'])} %"
                if row["grade"] == "bounded"
                else ""
            )
            name = Path(str(row["snapshot"])).name
            name = name if name.isprintable() else shown(name)
            name = name if len(name) <= 23 else f"…{name[-22:]}"
            change = row["matched_change"]
            # Without a window there is nothing new to count.
            new = "" if _none(day["days_new"]) else str(day["days_new"])
            verdict = str(day["verdict"])
            print(
                f"{row['day']:<11}{name:<24}{read:>15}"
                f"{'' if _none(row['downloads']) else format(int(row['downloads']), ','):>16}"
                f"{_percent(row['share']):>8}{span:>17}{new:>5}"
                f"{'' if _none(change) else format(100 * change, '+.1f'):>9}"
                f"{'' if _none(change) else _percent(day['matched_covers'], 0) + ' %':>7}"
                f"{_percent(row['chained_share']):>9}{_percent(row['common_share']):>8}"
                + (f"  {verdict}" if verdict not in ("first", "new") else "")
            )
    print()
    if not made.comparable:
        print(
            "note: the repositories present differ from day to day, so these shares are not "
            "comparable with one another: compare the matched changes"
        )
    if set(days["kind"]) & set(_RANKINGS):
        print(
            "note: a ranking holds what ranks high, so a repository enters it by growing: "
            "the matched changes do not see that climb"
        )
    if days["source"].nunique(dropna=False) > 1:
        print(
            "note: snapshots of several sources hold different repositories by design: "
            "see what part is matched, or ask for one source at a time"
        )
    repeated = days.index[~days["fresh"]]
    if len(repeated):
        print(f"note: no new observation, left out of comparisons: {', '.join(repeated)}")
    print(
        f"note: all new readings hold {days.attrs['common_repositories']:,} repositories in common"
    )
    if made.apart:
        print(f"note: windows that do not overlap, for sums: {', '.join(made.apart)}")
    if made.problems:
        print(f"note: the readers had {_many(len(made.problems), 'note')}; --json lists them")
    if _licence(made, registry) == "ODbL-1.0":
        print("note: derived from a share-alike source: pass it on under ODbL-1.0")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _none(value: Any) -> bool:
    return value is None or value != value or str(value) == "<NA>"


def _percent(value: Any, digits: int = 1) -> str:
    return "" if _none(value) else f"{100 * value:.{digits}f}"
