"""Read the rules and the raw files that the claims rest on, and date and mark what was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pandas as pd

from analysis import raw, snapshot
from analysis.builder.evidence import load_evidence
from analysis.claims import register as register_module
from analysis.claims import settings
from analysis.claims.world import HeadList, HubTotal, Inputs
from analysis.errors import InputError
from analysis.measure import assume, outliers
from analysis.snapshot import dating, repeats
from analysis.snapshot import families as families_module
from analysis.snapshot import whole as whole_module

COUNTER_KINDS = ("hub-snapshot", "hub-top30", "hub-top25", "hub-top15", "hub-trending", "hub-panel")
_COLUMNS = ("repository_id", "downloads_30d", "downloads_all_time", "created_at", "pipeline_tag")


@dataclass(frozen=True)
class Rules:
    """The hand-kept rules, parsed."""

    register: register_module.Register
    families: families_module.Families
    assumptions: assume.Assumptions
    bursts: outliers.BurstRule
    days: settings.Days
    populations: settings.Populations


def load_rules() -> Rules:
    """Read and validate the files of rules in ``data/``."""
    return Rules(
        register=register_module.parse(raw.declared("claims")),
        families=families_module.parse(raw.declared("families")),
        assumptions=assume.parse(raw.declared("assumptions")),
        bursts=outliers.parse(raw.declared("outliers")),
        days=settings.parse_days(raw.declared("days")),
        populations=settings.parse_populations(raw.declared("populations")),
    )


@dataclass(frozen=True)
class Loaded:
    """What was read for a build, with what the readers had to say."""

    inputs: Inputs
    problems: tuple[tuple[str, str], ...]
    dating: pd.DataFrame
    repeats: pd.DataFrame
    panel_repeats: pd.DataFrame
    organisation_weeks: dict[str, pd.DataFrame]
    versions: tuple[str, ...]
    evidence_problems: tuple[tuple[str, str], ...] = ()


def declared_complete() -> tuple[str, ...]:
    """Return the sources whose files hold every public repository (``data/rerun.toml``)."""
    content = raw.declared("rerun").get("complete", ())
    return tuple(map(str, content))


def _refuse_extra(source: raw.Source, version: raw.Version) -> None:
    """Refuse what is no optional snapshot of one day."""
    if source.kind != "hub-snapshot" or source.state == "available":
        why = "part of every build" if source.kind == "hub-snapshot" else f"of {source.kind}"
        raise InputError(
            f"--with {version.name}: {why}: name an optional snapshot, such as a week's"
        )
    if version.as_of_first != version.as_of_last:
        raise InputError(f"--with {version.name}: its day is not known: {version.as_of}")


def load(
    rules: Rules,
    progress: Callable[[str], None] | None = None,
    extra: tuple[str, ...] = (),
) -> Loaded:
    """Fetch and read every file that the claims rest on.

    Parameters
    ----------
    progress
        Called with the name of each version before it is read.
    extra
        Optional snapshots that are read besides, reduced to the repositories that any file names,
        the head, and the sums over the whole Hub.

    Raises
    ------
    RecordError
        A file cannot be had, is not the registered one, or cannot be read.
    """
    registry = raw.load_registry()
    for name in extra:
        _refuse_extra(*registry.find(name))
    frames: dict[str, pd.DataFrame] = {}
    days: dict[str, date] = {}
    heads: list[HeadList] = []
    lists: dict[str, frozenset[str]] = {}
    problems: list[tuple[str, str]] = []
    weeks: dict[str, pd.DataFrame] = {}
    versions: list[str] = []
    undated: list[str] = []
    panel: pd.DataFrame | None = None

    def read(name: str, kind: str) -> pd.DataFrame:
        if progress is not None:
            progress(name)
        versions.append(name)
        got = snapshot.read(raw.fetch(name), kind)
        problems.extend((name, text) for text in got.problems)
        frame = got.frame
        if "repository_id" in frame.columns:
            # One organisation under an old and a new name is one organisation.
            frame = frame.assign(
                repository_id=families_module.canonical(frame["repository_id"], rules.families)
            )
        return frame

    for kind in (*COUNTER_KINDS, "tracked-list", "organisation-weeks"):
        for source, version in registry.by_kind(kind):
            if source.state != "available":
                continue
            name = version.name
            frame = read(name, kind)
            if kind == "tracked-list":
                lists[name] = frozenset(frame["repository_id"].astype("str"))
                continue
            if kind == "organisation-weeks":
                weeks[name] = frame
                continue
            if kind == "hub-panel":
                panel = frame
                frames[name] = frame
                continue
            days[name] = version.as_of_first
            if version.as_of_first != version.as_of_last:
                undated.append(name)
            if kind in ("hub-top30", "hub-top25", "hub-top15"):
                top = frame[frame["list"] == "downloads"] if "list" in frame.columns else frame
                heads.append(HeadList(name, version.as_of_first, top.reset_index(drop=True)))
            frames[name] = frame[[c for c in (*_COLUMNS, "list") if c in frame.columns]]
    if panel is None:
        raise InputError(
            "data/sources: no version of kind hub-panel is registered: restore its file"
        )
    totals: list[HubTotal] = []
    if extra:
        named = sorted(
            set().union(*lists.values(), *(frame["repository_id"] for frame in frames.values()))
        )
    for name in extra:
        source, version = registry.find(name)
        if progress is not None:
            progress(name)
        versions.append(name)
        whole = whole_module.reduce(
            raw.fetch(name),
            rules.families,
            ids=named,
            lineage=False,
            details=("created_at", "pipeline_tag"),
        )
        problems.extend((name, text) for text in whole.problems)
        day = days[name] = version.as_of_first
        frames[name] = whole.named[[c for c in _COLUMNS if c in whole.named.columns]]
        if source.id not in declared_complete():
            continue
        heads.append(HeadList(name, day, whole.head[["repository_id", "downloads_30d"]]))
        if not whole.unread["downloads_30d"]:
            tasks = whole.tasks.dropna(subset=["pipeline_tag"])
            by = dict(zip(tasks["pipeline_tag"], tasks["downloads_30d"].astype(float), strict=True))
            totals.append(HubTotal(name, day, float(whole.sums["downloads_30d"]), by))
    heads.sort(key=lambda entry: (entry.day, entry.version))

    dated = {
        entry.day.isoformat(): entry.frame for entry in heads if entry.version.startswith("top30")
    }
    tables = []
    for name in undated:
        table = dating.date_by_counters(frames[name], dated)
        tables.append(table.assign(version=name))
        found = dating.established(table)
        if found is None:
            raise InputError(f"{name}: no day matches its counters: pin the top-30 lists around it")
        days[name] = date.fromisoformat(found)

    for name in sorted(days):
        # A catalogue without a time of its own may have been read a day before its commit.
        source, version = registry.find(name)
        if source.id not in rules.days.dated_by_counters or name in undated:
            continue
        around = {
            entry.day.isoformat(): entry.frame
            for entry in heads
            if abs((entry.day - version.as_of_first).days) <= 3
        }
        table = dating.date_by_counters(frames[name], around)
        tables.append(table.assign(version=name))
        found = dating.established(table)
        if found is not None:
            days[name] = date.fromisoformat(found)

    rows: list[pd.DataFrame] = []
    marks: list[pd.DataFrame] = []
    by_source: dict[str, list[str]] = {}
    for name in sorted(days, key=lambda n: (days[n], n)):
        source, _ = registry.find(name)
        if source.kind == "hub-snapshot":
            by_source.setdefault(source.id, []).append(name)
    for source_id, names in sorted(by_source.items()):
        if len(names) < 2:
            continue
        found_repeats = repeats.repeats({name: frames[name] for name in names})
        rows.append(found_repeats.versions.assign(source=source_id))
        marks.append(found_repeats.rows)
    for mark in marks:
        for key, part in mark.groupby("version", sort=True):
            again = dict(zip(part["repository_id"], part["repeated_from"], strict=True))
            frame = frames[str(key)]
            frames[str(key)] = frame.assign(repeated_from=frame["repository_id"].map(again))
    panel_found = repeats.repeats(repeats.by_day(panel), counter="downloads_all_time")
    stale = set(panel_found.versions.loc[panel_found.versions["verdict"] == "repeat", "version"])
    for name in [n for n in frames if registry.find(n)[0].kind == "hub-panel"]:
        frame = frames[name]
        iso = frame["day"].dt.strftime("%Y-%m-%d")
        frame = frame.assign(repeated_from=iso.where(iso.isin(stale)))
        for spread in rules.days.spread:
            if spread.version == name:
                early = frame["day"].dt.date <= spread.until
                frame = frame.assign(spread=early.astype("int64") * spread.days)
        frames[name] = frame
    evidence, evidence_problems = load_evidence(rules.families, progress)
    inputs = Inputs(
        frames=frames,
        days=days,
        heads=tuple(heads),
        lists=lists,
        panel=frames["panel-2025"],
        families=rules.families,
        assumptions=rules.assumptions,
        bursts=rules.bursts,
        anchors=rules.days,
        populations=rules.populations,
        evidence=evidence,
        totals=tuple(totals),
    )
    return Loaded(
        inputs=inputs,
        problems=tuple(problems),
        dating=pd.concat(tables, ignore_index=True),
        repeats=pd.concat(rows, ignore_index=True),
        panel_repeats=panel_found.versions,
        organisation_weeks=weeks,
        versions=tuple(sorted(set(versions))),
        evidence_problems=evidence_problems,
    )
