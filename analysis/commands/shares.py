"""``share`` and ``inspect``: shares inside one snapshot, registered or not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis import raw, snapshot
from analysis.claims import settings
from analysis.commands import licences, lineage
from analysis.errors import InputError, one_line
from analysis.measure import licences as measure_licences
from analysis.measure import snapshots
from analysis.snapshot import dating
from analysis.snapshot import families as families_module
from analysis.snapshot.graph import arrow_texts
from analysis.snapshot.lineage import case_keys, perhaps_shared
from analysis.snapshot.whole import owners

if TYPE_CHECKING:
    import numpy.typing as npt

MEASURES = ("downloads_30d", "downloads_all_time")
COUNTER_KINDS = ("hub-snapshot", "hub-top30", "hub-top25", "hub-top15", "hub-trending", "hub-panel")
_RULES = ("official", "organisation", "with-reuploads")
_NONE = "(none)"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the command line."""
    share = commands.add_parser(
        "share",
        help="shares of families and organisations in one snapshot",
        description=(
            "Shares of families and organisations in one registered snapshot, of a population, "
            "with the interval that its missing repositories leave. A missing repository is "
            "bounded by a complete list of the most downloaded of the same day, where one is "
            "registered: by its own entry there, else by the last one. Without such a list the "
            "bounds are 0 and 1."
        ),
    )
    share.add_argument(
        "--snapshot", required=True, metavar="NAME", help="version name, such as hub-stats-2026-05"
    )
    share.set_defaults(run=run_share)
    _common(share)
    inspect = commands.add_parser(
        "inspect",
        help="the same for any raw file, registered or not",
        description=(
            "Read a file with the reader of its kind and print what `share` prints; of a list of "
            "relations, a table of derivatives or a tree what `derivatives` prints; of licence "
            "texts their thresholds; of any other kind what the reader found in it."
        ),
    )
    inspect.add_argument(
        "file", type=Path, metavar="FILE", help="a raw file, unpacked or as published"
    )
    inspect.add_argument(
        "--kind", required=True, metavar="KIND", help=f"one of {', '.join(snapshot.KINDS)}"
    )
    inspect.add_argument(
        "--synthetic",
        action="store_true",
        help="also read a file that a generator made and marked so: its numbers are made up",
    )
    inspect.set_defaults(run=run_inspect)
    _common(inspect)
    lineage.add_rule_options(inspect)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--population",
        default="present",
        metavar="P",
        help=(
            "present (the rows of the snapshot, default), a tracked list such as "
            "tracked-2026-05-25, named-makers, text-and-vision"
        ),
    )
    parser.add_argument(
        "--measure",
        choices=MEASURES,
        default=MEASURES[0],
        help="the rolling counter of 30 days (default) or the all-time counter",
    )
    parser.add_argument(
        "--family-rule", choices=_RULES, default=_RULES[0], help="which repositories make a family"
    )
    parser.add_argument(
        "--exclude",
        nargs="+",
        type=_id,
        default=[],
        metavar="ID",
        help="repositories to leave out",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _id(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{text!r} is no text") from None
    return text


def run_share(args: argparse.Namespace) -> int:
    """Run ``share``."""
    source, version = raw.load_registry().find(args.snapshot)
    if source.kind not in COUNTER_KINDS:
        raise InputError(
            f"{args.snapshot}: kind {source.kind} holds no download counters; "
            "`sources --kind hub-snapshot` lists those that do"
        )
    got = snapshot.read(raw.fetch(args.snapshot), source.kind, columns=_columns(source.kind))
    head = _head(got.frame, version)
    return _print(args, args.snapshot, got, head)


def run_inspect(args: argparse.Namespace) -> int:
    """Run ``inspect``."""
    if args.kind not in snapshot.KINDS:
        raise InputError(f"--kind {args.kind}: no such kind; there are {', '.join(snapshot.KINDS)}")
    if args.kind in lineage.INSPECTED:
        got = lineage.read(args.file, args.kind)
        return lineage.inspect(args, _description(args, got), got)
    if args.kind not in COUNTER_KINDS:
        got = snapshot.read(args.file, args.kind)
        return _describe(args, got)
    got = snapshot.read(args.file, args.kind, columns=_columns(args.kind), synthetic=args.synthetic)
    return _print(args, str(args.file), got, None)


def _columns(kind: str) -> list[str]:
    wanted = ["repository_id", *MEASURES, "pipeline_tag"]
    return [name for name in wanted if name in snapshot.KIND_COLUMNS[kind]]


@dataclass(frozen=True)
class _Head:
    """A complete list of the most downloaded: its version name, and counters by repository."""

    name: str
    counters: Mapping[str, int]

    @property
    def last(self) -> int:
        return min(self.counters.values())

    def entries(self, families: families_module.Families) -> dict[str, float]:
        """Return the counters by canonical id: a missing repository may stand on the list."""
        ids = families_module.canonical(pd.Series(list(self.counters), dtype="string"), families)
        values = map(float, self.counters.values())
        return dict(zip(ids.astype("str"), values, strict=True))


def _head(frame: pd.DataFrame, version: raw.Version) -> _Head | None:
    """Return the complete list of the most downloaded of the snapshot's day."""
    registry = raw.load_registry()
    near = [
        entry
        for kind in ("hub-top30", "hub-top25")
        for _, entry in registry.by_kind(kind)
        if version.as_of_first <= entry.as_of_first <= version.as_of_last
    ]
    if not near:
        return None
    if "downloads_30d" not in frame.columns:
        return None
    lists = {}
    for entry in near:
        got = snapshot.read(raw.fetch(entry.name), registry.find(entry.name)[0].kind)
        lists[entry.name] = got.frame[got.frame["list"] == "downloads"]
    if version.as_of_first == version.as_of_last:
        name = near[0].name
    else:
        days = {entry.as_of_first.isoformat(): entry.name for entry in reversed(near)}
        table = dating.date_by_counters(frame, {day: lists[name] for day, name in days.items()})
        day = dating.established(table)
        if day is None:
            return None
        name = days[day]
    counters = lists[name].set_index("repository_id")["downloads_30d"].dropna()
    return _Head(name, {str(i): int(n) for i, n in counters.items()}) if len(counters) else None


def _rows(frame: pd.DataFrame, families: families_module.Families) -> pd.DataFrame:
    """Keep the list of the most downloaded, and the last day; one id an organisation renamed."""
    if "list" in frame.columns and (frame["list"] == "downloads").any():
        frame = frame[frame["list"] == "downloads"]
    if "day" in frame.columns:
        frame = frame[frame["day"] == frame["day"].max()]
    return frame.assign(repository_id=families_module.canonical(frame["repository_id"], families))


@dataclass(frozen=True)
class _Counted:
    """Repositories of a file with their counters: arrays, since a whole Hub has millions."""

    ids: pa.Array
    counters: npt.NDArray[np.float64]
    tasks: pa.ChunkedArray | None

    @classmethod
    def of(cls, args: argparse.Namespace, frame: pd.DataFrame) -> _Counted:
        """Take the counter asked for; of several rows about one repository the largest."""
        if args.measure not in frame.columns or frame[args.measure].isna().all():
            other = [m for m in MEASURES if m in frame.columns and frame[m].notna().any()]
            advice = f"ask for --measure {other[0]}" if other else "nor any other download counter"
            raise InputError(f"the file holds no counter {args.measure}: {advice}")
        counters = frame[args.measure].to_numpy(dtype="float64", na_value=float("nan"))
        ids = arrow_texts(frame["repository_id"]).combine_chunks()
        tasks = arrow_texts(frame["pipeline_tag"]) if "pipeline_tag" in frame.columns else None
        found = cls(ids, counters, tasks)
        some = perhaps_shared(case_keys(ids))
        if len(some):
            texts = ids.take(pa.array(some)).to_pylist()
            order = sorted(
                range(len(some)),
                key=lambda k: (texts[k], np.isnan(counters[some[k]]), -counters[some[k]], k),
            )
            again = [k for last, k in pairwise(order) if texts[last] == texts[k]]
            stay = np.ones(len(ids), dtype=bool)
            stay[some[again]] = False
            found = found.only(stay)
        return found

    def only(self, stay: npt.NDArray[np.bool_]) -> _Counted:
        """Keep some of the repositories."""
        if stay.all():
            return self
        flags = pa.array(stay)
        tasks = None if self.tasks is None else self.tasks.filter(flags)
        return _Counted(self.ids.filter(flags), self.counters[stay], tasks)

    def among(self, names: set[str]) -> npt.NDArray[np.bool_]:
        """Flag the repositories that have one of some names."""
        found = pc.is_in(self.ids, pa.array(sorted(names), pa.string()))
        flags: npt.NDArray[np.bool_] = found.to_numpy(zero_copy_only=False)
        return flags


def _population(
    args: argparse.Namespace, rows: _Counted, families: families_module.Families
) -> tuple[_Counted, set[str] | None]:
    """Return the rows of the population, and its members where those are a list of their own."""
    name = str(args.population)
    if name in ("present", "all"):
        return rows.only(~np.isnan(rows.counters)), None
    declared = settings.parse_populations(raw.declared("populations"))
    if name.startswith("tracked-"):
        source, _ = raw.load_registry().find(name)
        if source.kind != "tracked-list":
            raise InputError(f"--population {name}: {name} is no tracked list")
        members = _list(name, families)
    else:
        if name not in {p.id for p in declared.population if p.kind in ("makers", "tasks")}:
            lists = ", ".join(v.name for _, v in raw.load_registry().by_kind("tracked-list"))
            raise InputError(
                f"--population {name}: not known; "
                f"there are present, named-makers, text-and-vision, {lists}"
            )
        entry = declared.find(name)
        if entry.kind == "tasks":
            if rows.tasks is None:
                raise InputError(f"--population {name}: the file holds no tasks (pipeline_tag)")
            flags = pc.is_in(rows.tasks, pa.array(sorted(entry.tasks), pa.string()))
            return rows.only(np.asarray(flags.to_numpy(), dtype=bool)), None
        else:
            latest = [
                v.name
                for _, v in raw.load_registry().by_kind("tracked-list")
                if "extra" not in v.name
            ]
            listed = pd.Series(sorted(_list(latest[-1], families)), dtype="string")
            makers = families_module.makers(listed, families)
            members = set(
                listed[makers.isin(entry.makers).fillna(False).astype(bool)].astype("str")
            )
    return rows.only(rows.among(members)), members


def _list(name: str, families: families_module.Families) -> set[str]:
    frame = snapshot.read(raw.fetch(name), "tracked-list").frame
    return set(families_module.canonical(frame["repository_id"], families).astype("str"))


def _print(args: argparse.Namespace, name: str, got: snapshot.Snapshot, head: _Head | None) -> int:
    families = families_module.parse(raw.declared("families"))
    every = _Counted.of(args, _rows(got.frame, families))
    rows, members = _population(args, every, families)
    asked = pd.Series(sorted(set(args.exclude)), dtype="string")
    excluded = set(families_module.canonical(asked, families).astype("str"))
    there = set(every.ids.filter(pa.array(every.among(excluded))).to_pylist()) if excluded else ()
    idle = sorted(excluded - set(there) - (members or set()))
    problems = [*got.problems, *(f"--exclude {one}: not there to leave out" for one in idle)]
    del every
    if excluded:
        rows = rows.only(~rows.among(excluded))
    read = ~np.isnan(rows.counters)
    missing = set(rows.ids.filter(pa.array(~read)).to_pylist())
    rows = rows.only(read)
    if members is not None:
        missing = members - excluded - set(rows.ids.to_pylist())
    absent = pd.Series(sorted(missing), dtype="string")
    bounded = head if args.measure == "downloads_30d" else None
    cap = None if bounded is None else float(bounded.last)
    listed = None if bounded is None else bounded.entries(families)
    known = pd.Series(rows.counters)

    def titles(ids: pd.Series[Any]) -> pd.Series[Any]:
        return families_module.assign(ids, families, args.family_rule).map(families.titles)

    texts = pd.Series(pa.chunked_array([rows.ids]).to_pandas(), dtype="string")
    own = dict(zip(absent, titles(absent).astype("object"), strict=True))
    own = {str(i): None if pd.isna(title) else str(title) for i, title in own.items()}
    by_family = snapshots.tabulate_rows(known, titles(texts), own, cap, listed)
    result: dict[str, Any] = {
        "snapshot": name,
        "population": args.population,
        "measure": args.measure,
        "family_rule": args.family_rule,
        "total_downloads": by_family.total,
        "covered_repositories": by_family.covered,
        "population_repositories": by_family.population,
        "missing_bounded_by": None
        if bounded is None
        else {"list": bounded.name, "last_entry": bounded.last},
        "excluded": sorted(args.exclude),
        "problems": problems,
        "families": {g: _part(p) for g, p in by_family.groups.items()},
    }
    if args.json:
        # The Hub's first repositories have no organisation; the sum of all parts stays the total.
        code, names = owners(rows.ids)
        texts_of = names.to_pylist()
        none = texts_of.index(_NONE) if _NONE in texts_of else len(texts_of)
        code = np.where(code < 0, none, code).astype(np.int64)
        groups = pd.Index([*texts_of, _NONE][: max(len(texts_of), none + 1)])
        parts = pd.Series(pd.Categorical.from_codes(code, groups))
        own = {str(i): i.split("/", 1)[0] if "/" in i else _NONE for i in map(str, absent)}
        by_organisation = snapshots.tabulate_rows(known, parts, own, cap, listed)
        result["organisations"] = {g: _part(p) for g, p in by_organisation.groups.items()}
        print(json.dumps(result, indent=1, allow_nan=False))
        return 0
    print(one_line(f"{name}, population {args.population}, {args.measure}"))
    print(
        f"{by_family.covered:,} of {by_family.population:,} repositories read, "
        f"{by_family.total:,} downloads in all"
    )
    print(f"{'family':<14}{'downloads':>16}{'share':>9}{'interval':>20}{'repositories':>14}")
    for group, part in by_family.groups.items():
        if part.repositories:
            span = f"{100 * part.lower:.1f} to {100 * part.upper:.1f} %"
            print(
                f"{group:<14}{part.downloads:>16,}{100 * part.share:>7.1f} %{span:>20}"
                f"{part.repositories:>14,}"
            )
    for text in problems:
        print(f"note: {one_line(text)}")
    return 0


def _part(part: snapshots.Part) -> dict[str, Any]:
    return {
        "downloads": part.downloads,
        "share": round(part.share, 10),
        "lower": round(part.lower, 10),
        "upper": round(part.upper, 10),
        "repositories": part.repositories,
        "missing": part.missing,
    }


def _description(args: argparse.Namespace, got: snapshot.Snapshot) -> dict[str, Any]:
    return {
        "file": str(args.file),
        "kind": got.kind,
        "layout": got.layout,
        "rows": len(got.frame),
        "columns": list(got.frame.columns),
        "problems": list(got.problems),
    }


def _describe(args: argparse.Namespace, got: snapshot.Snapshot) -> int:
    result = _description(args, got)
    if got.kind == licences.KIND:
        rules = measure_licences.parse(raw.declared("licences"))
        result |= licences.described(got.frame, rules)
    if args.json:
        print(json.dumps(result, indent=1))
        return 0
    found = f"kind {got.kind}, layout {got.layout}, {len(got.frame):,} rows"
    print(one_line(f"{result['file']}: {found}"))
    print("columns: " + ", ".join(got.frame.columns))
    if got.kind == licences.KIND:
        print(licences.summary(result))
    for text in got.problems:
        print(f"note: {one_line(text)}")
    return 0
