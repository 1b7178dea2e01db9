"""One snapshot from its file to every claim that it can answer, and the tables beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from analysis import raw
from analysis.builder.evidence import RULES as EVIDENCE_RULES
from analysis.builder.loading import load_rules
from analysis.builder.summaries import HEAD_KINDS, Cache, Reader, day_of, listed
from analysis.builder.writing import csv_bytes, json_bytes, refuse_others
from analysis.builder.writing import write as write_files
from analysis.claims import rerun
from analysis.claims.figures import Subject
from analysis.errors import InputError
from analysis.measure import derivatives
from analysis.snapshot import dating, intake
from analysis.snapshot import families as families_module
from analysis.snapshot import whole as whole_module

MANIFEST: Final = "rerun.json"
#: Key under which a capture says in its file what it is.
CAPTURE: Final = b"open_model_record.capture"
_KIND: Final = "hub-snapshot"
#: Rule files that the figures of one snapshot rest on.
_RULES: Final = (
    *("arrivals", "breadth", "hardware", "licences", "releases", "sightings", "terms"),
)
_REGISTERS: Final = ("claims", "families", "populations", "rerun")
_MEASURES: Final = ("downloads_30d", "downloads_all_time")


@dataclass(frozen=True)
class Told:
    """What is known of a snapshot before it is read.

    Attributes
    ----------
    name
        Version name, or the path of a file that is not registered.
    path
        Its file.
    first, last
        The day that it speaks of, or the span where only that is known; None where nobody said.
    complete
        Whether it holds every public model repository of the day.
    known_by
        How day and completeness are known.
    sha256
        Hash of the file, checked or computed just now.
    """

    name: str
    path: Path
    first: date | None
    last: date | None
    complete: bool
    known_by: str
    sha256: str


def find(name: str, rules: rerun.Rules, progress: bool | None = None) -> Told:
    """Find a registered version by its name, or else a file.

    Raises
    ------
    InputError
        There is neither, or the version is of another kind.
    """
    registry = raw.load_registry()
    known = {version.name for _, version in registry.versions()}
    if name in known:
        source, version = registry.find(name)
        if source.kind != _KIND:
            raise InputError(
                f"{name}: kind {source.kind} is no snapshot of many repositories; "
                f"`sources --kind {_KIND}` lists those"
            )
        path = raw.fetcher(registry=registry, progress=progress).fetch(name)
        how = f"registered: {version.as_of_known_by}"
        return Told(
            name,
            path,
            version.as_of_first,
            version.as_of_last,
            source.id in rules.complete,
            how,
            # The fetch has just compared the bytes with it.
            version.sha256 or raw.sha256_of(path),
        )
    path = Path(name)
    if not path.is_file():
        if path.exists():
            raise InputError(f"{path}: not a file; give a snapshot's file")
        raise InputError(
            f"{name}: neither a registered version nor a file here; "
            f"`sources --kind {_KIND}` lists the registered ones"
        )
    day, complete, how = _said(path)
    return Told(str(path), path, day, day, complete, how, raw.sha256_of(path))


def _said(path: Path) -> tuple[date | None, bool, str]:
    """Read what a file says of itself: a capture has the time of each row, and what it walked.

    A capture of the whole Hub that ran to its end holds what was public while it ran.
    """
    day = day_of(path)
    if day is None:
        return None, False, "given by the user"
    with intake.open_parquet(path, synthetic=True) as file:
        said = (file.schema_arrow.metadata or {}).get(CAPTURE)
    try:
        about = json.loads(said or b"null")
        whole = about["complete"] is True and about["parameters"].get("extent") == "all"
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    return day, whole, "said by the capture"


def _established(told: Told, frame: pd.DataFrame, reader: Reader) -> tuple[date, str]:
    """Find the day of a span on which the counters equal those of one list of the most downloaded.

    Raises
    ------
    InputError
        None does.
    """
    assert told.first is not None
    assert told.last is not None
    lists = reader.lists(told.first, told.last, reversed(HEAD_KINDS))
    table = dating.date_by_counters(frame, {day: one for day, (_, one) in lists.items()})
    found = dating.established(table)
    if found is None:
        raise InputError(
            f"{told.name}: no day from {told.first} to {told.last} matches its counters: "
            "give --day YYYY-MM-DD"
        )
    return date.fromisoformat(found), f"its counters equal those of {lists[found][0]}"


def list_of(day: date) -> str:
    """Name the tracked list that holds on a day: the last one up to it, else the first."""
    lists = [
        version
        for _, version in raw.load_registry().by_kind("tracked-list")
        if "extra" not in version.name
    ]
    before = [version for version in lists if version.as_of_last <= day]
    return (before[-1] if before else lists[0]).name


@dataclass(frozen=True)
class Rerun:
    """A snapshot, asked."""

    told: Told
    subject: Subject
    answers: tuple[rerun.Answer, ...]

    @property
    def records(self) -> list[dict[str, Any]]:
        """One record a claim, in the order of the register."""
        return [answer.record for answer in self.answers]

    def files(self) -> dict[str, bytes]:
        """Return every table and the manifest, as bytes that are the same on every run."""
        whole = self.subject.whole
        tables = {
            "families": _families(self.subject),
            "organisations": whole.organisations,
            "head": whole.head,
            "tasks": whole.tasks,
            "months": whole.months,
            "notes": pd.DataFrame({"note": list(whole.problems)}, dtype="object"),
        }
        if whole.lineage is not None:
            tables["derivatives"] = _derivatives(self.subject)
        for answer in self.answers:
            if answer.record["answered"]:
                name = f"specifications_{answer.record['claim']}"
                tables[name.replace("-", "_")] = answer.table
        files = {f"{name}.csv": csv_bytes(frame) for name, frame in sorted(tables.items())}
        files["claims.json"] = json_bytes(self.records)
        files[MANIFEST] = json_bytes(self._manifest(files))
        return files

    def _manifest(self, files: dict[str, bytes]) -> dict[str, Any]:
        data = raw.data_dir()
        return {
            "snapshot": snapshot_of(self),
            "rules": [
                {
                    "file": f"{name}.toml",
                    "sha256": hashlib.sha256((data / f"{name}.toml").read_bytes()).hexdigest(),
                }
                for name in sorted((*_RULES, *_REGISTERS))
            ],
            "tables": [
                {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in sorted(files.items())
            ],
        }


def snapshot_of(found: Rerun) -> dict[str, Any]:
    """Say what was read, for a person or a manifest."""
    whole = found.subject.whole
    return {
        "name": Path(found.told.name).name,
        "sha256": found.told.sha256,
        "bytes": found.told.path.stat().st_size,
        "day": found.subject.day.isoformat(),
        "known_by": found.told.known_by,
        "complete": found.subject.complete,
        "synthetic": whole.synthetic,
        "rows": whole.rows,
        "repositories": whole.repositories,
        "downloads_30d": whole.sums["downloads_30d"],
        "downloads_all_time": whole.sums["downloads_all_time"],
        "list": found.subject.list_name,
        "missing_bounded_by": found.subject.head_name or None,
    }


def run(
    name: str,
    *,
    day: date | None = None,
    complete: bool = False,
    synthetic: bool = False,
    only: Iterable[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Rerun:
    """Ask a snapshot every claim.

    Parameters
    ----------
    name
        A registered version of kind hub-snapshot, or a file.
    day
        The day of a file that does not say it; overrides what is known.
    complete
        Whether the file holds every public model repository of the day.
    synthetic
        Whether a file that is marked as synthetic may be read, to measure the path.
    only
        Ids of claims; all when empty.
    progress
        Called with each step before it begins.

    Raises
    ------
    RecordError
        The snapshot cannot be had or read, its day is not known, or a claim is not registered.
    """
    built = load_rules()
    rules = rerun.parse(raw.declared("rerun"), built.register)
    wanted = [built.register.find(one).id for one in only]
    progress(f"finding {Path(name).name}")
    told = find(name, rules)
    last = day or told.last
    if last is None:
        raise InputError(f"{name}: the file does not say its day: give --day YYYY-MM-DD")
    list_name = list_of(last)
    ids = frozenset(listed(list_name, built.families))
    whole = whole_module.reduce(
        told.path,
        built.families,
        ids=sorted(ids),
        synthetic=synthetic,
        progress=lambda done, steps: progress(f"reading, step {done} of {steps}"),
    )
    complete = complete or told.complete
    known_day = day is not None or told.first == told.last
    on, known_by = last, told.known_by if day is None else "given by the user"
    head_name: str | None = None
    head: Mapping[str, int] = {}
    if not (complete and known_day):
        # To read every list takes longer than many a snapshot.
        reader = Reader.of(raw.load_registry(), Cache(None))
        if not known_day:
            progress("dating")
            on, known_by = _established(told, whole.named, reader)
        if not complete:
            head_name, head = reader.head(on)
    told = replace(told, known_by=known_by)
    subject = Subject(
        whole=whole,
        day=on,
        complete=complete,
        families=built.families,
        populations=built.populations,
        list_name=list_name,
        listed=ids,
        rules={one: EVIDENCE_RULES[one](raw.declared(one)) for one in _RULES},
        head_name=head_name or "",
        head=_canonical(head, built.families),
    )
    register = built.register
    if wanted:
        chosen = tuple(claim for claim in register.claim if claim.id in wanted)
        register = register.model_copy(update={"claim": chosen})
    return Rerun(told, subject, tuple(rerun.every(subject, rules, register, progress)))


def _canonical(counters: Mapping[str, int], families: families_module.Families) -> dict[str, float]:
    ids = families_module.canonical(pd.Series(list(counters), dtype="string"), families)
    return dict(zip(ids.astype("str"), map(float, counters.values()), strict=True))


def write(found: Rerun, folder: Path) -> list[str]:
    """Write the tables of a rerun into a folder: all to temporary names first, then renamed.

    Raises
    ------
    InputError
        The folder holds something else, or cannot be written.
    """
    refuse_others(folder, MANIFEST)
    return write_files(found.files(), folder)


def _families(subject: Subject) -> pd.DataFrame:
    """Sum downloads and repositories of every family, by each reading."""
    rows = []
    for rule in ("official", "organisation", "with-reuploads"):
        own = subject.family(rule)
        for family, entry in subject.families.families.items():
            ids = list(own.index[(own == family).fillna(False).to_numpy(dtype=bool)])
            row: dict[str, Any] = {
                "family_rule": rule,
                "family": family,
                "label": entry.title,
                "repositories": len(ids),
            }
            for measure in _MEASURES:
                if measure not in subject.named.columns:
                    continue
                got = subject.total(ids, measure)
                row[measure] = got.value
                every = subject.everything(measure).value
                row[f"{measure}_share_of_rows"] = got.value / every if every else float("nan")
            rows.append(row)
    return pd.DataFrame(rows)


def _derivatives(subject: Subject) -> pd.DataFrame:
    """Count derivatives of every family, named directly or through others, by relation."""
    assert subject.whole.lineage is not None
    rows = []
    counts: tuple[derivatives.Count, ...] = ("direct", "transitive")
    for count in counts:
        rule = derivatives.Rule(count=count)
        found = derivatives.count(subject.whole.lineage.graph, subject.families, rule).families
        for family, group in found.items():
            rows.append(
                {
                    "count": count,
                    "family": family,
                    "derivatives": group.derivatives,
                    "bases": group.bases,
                    **{f"as_{word}": number for word, number in group.relations.items()},
                }
            )
    return pd.DataFrame(rows)
