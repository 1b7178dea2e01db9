"""From raw files to ``data/derived``: the only place where the rooms are run in a row.

Reads what the registry names, builds the world, evaluates the claims and
writes small tables, each with the sha256 of its inputs in the manifest. A
build writes to a temporary folder first and then replaces file by file, so
an interrupted build leaves the old tables.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import raw, snapshot, tables
from analysis.claims import register as register_module
from analysis.claims import results, settings
from analysis.claims.world import LLAMA, QWEN, RULES, HeadList, Inputs, World, assemble, head_of
from analysis.errors import InputError
from analysis.measure import assume, bounds, flows, outliers
from analysis.measure import readings as measure_readings
from analysis.measure import shares as measure_shares
from analysis.snapshot import dating, repeats
from analysis.snapshot import families as families_module

RULE_FILES = ("assumptions", "claims", "days", "families", "outliers", "populations")
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


def load(rules: Rules, progress: Callable[[str], None] | None = None) -> Loaded:
    """Fetch and read every file that the claims of group A rest on.

    Parameters
    ----------
    progress
        Called with the name of each version before it is read.

    Raises
    ------
    RecordError
        A file cannot be had, is not the registered one, or cannot be read.
    """
    registry = raw.load_registry()
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
        raise InputError("data/sources: no version of kind hub-panel is registered: restore its file")
    heads.sort(key=lambda entry: (entry.day, entry.version))

    dated = {entry.day.isoformat(): entry.frame for entry in heads if entry.version.startswith("top30")}
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
        for name, part in mark.groupby("version", sort=True):
            again = dict(zip(part["repository_id"], part["repeated_from"], strict=True))
            frame = frames[str(name)]
            frames[str(name)] = frame.assign(repeated_from=frame["repository_id"].map(again))
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
    )
    return Loaded(
        inputs=inputs,
        problems=tuple(problems),
        dating=pd.concat(tables, ignore_index=True),
        repeats=pd.concat(rows, ignore_index=True),
        panel_repeats=panel_found.versions,
        organisation_weeks=weeks,
        versions=tuple(sorted(set(versions))),
    )


# --------------------------------------------------------------------- tables from the world

def _label(world: World, population: str) -> tuple[str, float]:
    entry = world.inputs.populations.find(population)
    return entry.label, float(entry.order)


def ladder_table(world: World, published: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Qwen's share of each population in each month that the data reach.

    Computed rungs come from readings; published ones are cited and never
    enter a computed or bounded row.
    """
    publishers = published["modelpulse-publishers-monthly"]
    hub = published["modelpulse-hub-monthly"].set_index("month")["downloads_hub"]
    figures = published["published-figures"].set_index("id")
    rows: list[dict[str, Any]] = []
    for anchor in world.inputs.anchors.anchor:
        for name in ("named-makers", "tracked", "text-and-vision", "hub"):
            label, order = _label(world, name)
            row: dict[str, Any] = {
                "month": anchor.month,
                "day": anchor.day.isoformat(),
                "rung": name,
                "label": label,
                "order": order,
                "grade": "bounded",
                "sources": anchor.list_name if name in ("named-makers", "tracked") else "all readings",
            }
            got = {
                (outlier, treatment): world.share(name, anchor.day, "official", outlier, treatment)
                for outlier in ("in", "out")
                for treatment in ("absent", "pooled", "hard")
            }
            pooled, hard = got["in", "pooled"], got["in", "hard"]
            part_only = pooled.rest.upper == float("inf")
            row |= {
                "share": None if part_only else pooled.value,
                "observed": got["in", "absent"].value,
                "lower": pooled.lower,
                "upper": pooled.upper,
                "hard_lower": hard.lower,
                "hard_upper": hard.upper,
                "share_without_bursts": None if part_only else got["out", "pooled"].value,
                "lower_without_bursts": got["out", "pooled"].lower,
                "upper_without_bursts": got["out", "pooled"].upper,
                "covered_repositories": pooled.covered,
                "population_repositories": pooled.population,
                "note": "Our files see only part of this population: an upper bound." if part_only else "",
            }
            rows.append(row)
        month = publishers[(publishers["month"] == anchor.month) & (publishers["author"] == "Qwen")]
        for entry in month.itertuples():
            shares = [
                ("text-and-vision", float(str(entry.share_of_textgen_plus_vl)), "as published"),
                (
                    "hub",
                    float(str(entry.downloads)) / float(hub[anchor.month]),
                    "Qwen's text and vision-language downloads over all downloads of the Hub, both as published",
                ),
            ]
            for name, value, note in shares:
                label, order = _label(world, name)
                rows.append(
                    {
                        "month": anchor.month,
                        "day": anchor.day.isoformat(),
                        "rung": f"{name}-published",
                        "label": f"{label}, published",
                        "order": order + 0.5,
                        "share": value,
                        "grade": "published",
                        "sources": "Model Pulse (T. Stekel)",
                        "note": note,
                    }
                )
        if anchor.month == "2026-02":
            top = figures.loc["top1000-share"]
            rows.append(
                {
                    "month": anchor.month,
                    "day": anchor.day.isoformat(),
                    "rung": "top-1000-published",
                    "label": "The 1,000 most downloaded, published",
                    "order": 4.0,
                    "share": float(str(top["value"])) / 100,
                    "grade": "published",
                    "sources": f"{top['document']} ({top['authors']})",
                    "note": "Stated in June 2026 for 2026 without a month; shown here for its place on the ladder. "
                    "No file of ours holds the thousand most downloaded.",
                }
            )
    table = pd.DataFrame(rows)
    return table.sort_values(["month", "order", "rung"], ignore_index=True)


def head_table(world: World, stated: float) -> pd.DataFrame:
    """The theorem of the head on each of its days (:mod:`analysis.measure.head`)."""
    rows = []
    for entry in world.inputs.heads:
        head = head_of(world, entry)
        rows.append(
            {
                "day": entry.day.isoformat(),
                "source": entry.version,
                "depth": head.depth,
                "head_downloads": head.total,
                "last_entry": head.last,
                "qwen_in_head": head.family,
                "qwen_repositories": head.members,
                "needed_for_half": head.needed(0.5),
                "needed_outside_head": head.needed(0.5) - head.family,
                "share_upper_at_stated": head.largest_share(max(stated, head.family)),
            }
        )
    return pd.DataFrame(rows).sort_values(["day", "source"], ignore_index=True)


def makers_table(world: World, top: int = 14) -> pd.DataFrame:
    """Downloads of the makers on the tracked list, by month."""
    rows = []
    titles = {name: maker.title for name, maker in world.inputs.families.makers.items()}
    for anchor in world.inputs.anchors.anchor:
        members = world.population("tracked", anchor.day, "official")
        for outlier in ("in", "out"):
            table = world.estimate(members, anchor.day, outlier)
            label = [world.maker.get(name, name.split("/", 1)[0]) for name in table.index]
            pooled = measure_shares.totals(table, label, "pooled", world.pooling)
            seen = measure_shares.totals(table, label, "absent")["value"]
            covered = table["seen"].notna().groupby(label).sum()
            size = table["seen"].groupby(label).size()
            for name in pooled["value"].nlargest(top).index:
                rows.append(
                    {
                        "month": anchor.month,
                        "day": anchor.day.isoformat(),
                        "bursts": outlier,
                        "maker": name,
                        "label": titles.get(str(name), str(name)),
                        "population": anchor.list_name,
                        "downloads": pooled.loc[name, "value"],
                        "observed": seen[name],
                        "lower": pooled.loc[name, "lower"],
                        "upper": pooled.loc[name, "upper"],
                        "covered_repositories": int(covered[name]),
                        "population_repositories": int(size[name]),
                        "grade": "bounded",
                    }
                )
    return pd.DataFrame(rows).sort_values(
        ["month", "bursts", "downloads", "maker"], ascending=[True, True, False, True], ignore_index=True
    )


def missing_table(world: World, day: date, top: int = 20) -> pd.DataFrame:
    """The largest repositories that nobody read near `day`, of Qwen and of its rivals."""
    members = world.population("tracked", day, "official")
    table = world.estimate(members, day)
    unread = table[table["seen"].isna()].copy()
    unread["family"] = [world.family["official"].get(str(name)) for name in unread.index]
    unread["own"] = unread["family"] == QWEN
    parts = []
    for own, part in unread.groupby("own", sort=True):
        chosen = part.sort_values(["centre", "upper"], ascending=False, kind="stable").head(top)
        parts.append(chosen.assign(group="Qwen" if own else "others"))
    out = pd.concat(parts).reset_index()
    out["day"] = day.isoformat()
    columns = ["day", "group", "repository_id", "family", "centre", "lower", "upper"]
    return out[[*columns, "hard_lower", "hard_upper", "rule"]].sort_values(
        ["group", "centre", "repository_id"], ascending=[True, False, True], ignore_index=True
    )


def qwen_llama_table(world: World) -> pd.DataFrame:
    """Qwen and Llama side by side: by day, measure and reading of 'family'."""
    rows = []
    for anchor in world.inputs.anchors.anchor:
        for measure in ("downloads_30d", "downloads_all_time"):
            for rule in RULES:
                for name, own in (("Qwen", QWEN), ("Llama", LLAMA)):
                    members = world.existed(
                        {n for n, f in world.family[rule].items() if f == own}, anchor.day
                    )
                    table = world.estimate(members, anchor.day, "in", measure)
                    treatment = "pooled" if measure == "downloads_30d" else "hard"
                    got = measure_shares.total(table, treatment, world.pooling)
                    rows.append(
                        {
                            "day": anchor.day.isoformat(),
                            "measure": measure,
                            "family_rule": rule,
                            "family": name,
                            "downloads": got.value if treatment == "pooled" else None,
                            "observed": float(table["seen"].fillna(0).sum()),
                            "lower": got.lower,
                            "upper": got.upper if got.upper != float("inf") else None,
                            "covered_repositories": int(table["seen"].notna().sum()),
                            "population_repositories": len(table),
                            "grade": "bounded",
                        }
                    )
    return pd.DataFrame(rows)


def generations_table(world: World) -> pd.DataFrame:
    """Qwen's downloads on the tracked list by generation and month."""
    rows = []
    for anchor in world.inputs.anchors.anchor:
        family = world.family["official"]
        members = {n for n in world.population("tracked", anchor.day, "official") if family.get(n) == QWEN}
        table = world.estimate(members, anchor.day)
        label = []
        for name in table.index:
            found = re.match(r"qwen-?(\d(?:\.\d)?)", str(name).split("/", 1)[1].lower())
            label.append(f"Qwen{found.group(1)}" if found else "other")
        got = measure_shares.totals(table, label, "pooled", world.pooling)
        for name, row in got.iterrows():
            rows.append(
                {
                    "month": anchor.month,
                    "day": anchor.day.isoformat(),
                    "generation": name,
                    "downloads": row["value"],
                    "lower": row["lower"],
                    "upper": row["upper"],
                    "grade": "bounded",
                }
            )
    return pd.DataFrame(rows)


def china_us_table(world: World) -> pd.DataFrame:
    """Flows of the panel by country, for each reading of the grid."""
    parts = []
    for attribution in ("publisher", "base"):
        for repackagers in (False, True):
            for outlier in ("in", "out"):
                leave = world.burst_repositories() if outlier == "out" else frozenset()
                table = flows.by_country(world.inputs.panel, attribution, repackagers, leave)
                parts.append(
                    table.assign(
                        attribution=attribution,
                        repackagers="in" if repackagers else "out",
                        bursts=outlier,
                        grade="computed",
                    )
                )
    return pd.concat(parts, ignore_index=True)


def calibration_table(world: World) -> pd.DataFrame:
    """What became of each declared assumption."""
    single = world.calibration.assign(scope="repository")
    sums = world.pooling_report.rename(columns={"groups": "trials"}).assign(scope="sum")
    return pd.concat([single, sums], ignore_index=True)


def rehearsal_table(world: World) -> pd.DataFrame:
    """Rehearsals: shares computed with part of the counters hidden, against the truth."""
    parts = []
    for text in world.inputs.assumptions.rehearsal_days:
        day = date.fromisoformat(text)
        ordinal = day.toordinal()
        read = {name for name, h in world.histories["in"].items() if any(d == ordinal for d, _ in h.rolling)}
        members = sorted(read & world.population("tracked", day, "official"))
        truth = world.estimate(members, day)
        hidden = {
            name: replace(
                world.histories["in"][name],
                rolling=tuple(r for r in world.histories["in"][name].rolling if r[0] != ordinal),
            )
            for name in members
        }
        predicted = measure_shares.estimate(members, day, hidden, world.calibrated)
        for part in world.inputs.assumptions.rehearsal_hidden:
            got = measure_shares.rehearse(
                truth,
                predicted,
                world.family["official"],
                QWEN,
                part,
                world.inputs.assumptions.rehearsal_draws,
                world.pooling,
            )
            parts.append(got.assign(day=text, repositories=len(members), hidden=part))
    columns = ["day", "repositories", "hidden", "mode", "treatment", "draws", "inside", "median_width"]
    return pd.concat(parts, ignore_index=True)[columns]


def sensitivity_table(world: World) -> pd.DataFrame:
    """The burst rule at other ratios than the declared one."""
    rows = []
    anchor = world.inputs.anchors.of_month("2026-02")
    family = world.family["official"]
    members = sorted(
        n for n in world.population("tracked", anchor.day, "official") if family.get(n) == QWEN
    )
    for ratio in world.inputs.bursts.sensitivity:
        found = outliers.bursts(
            world.histories["in"], world.family["with-reuploads"], world.inputs.bursts, ratio
        )
        quiet = outliers.without(world.readings, found)
        again = bounds.histories(quiet, world.created, {}, members)
        stripped = {n: bounds.History(h.rolling, (), (), h.created) for n, h in again.items()}
        table = measure_shares.estimate(members, anchor.day, stripped, world.calibrated, within=anchor.within)
        got = measure_shares.total(table, "pooled", world.pooling)
        rows.append(
            {
                "ratio": ratio,
                "declared": ratio == world.inputs.bursts.ratio,
                "episodes": len(outliers.episodes(found)),
                "repositories": found["repository_id"].nunique(),
                "repository_days": len(found),
                "qwen_february": got.value,
                "qwen_february_lower": got.lower,
                "qwen_february_upper": got.upper,
            }
        )
    return pd.DataFrame(rows)


def arithmetic_table(world: World) -> pd.DataFrame:
    """Do the two counters obey their arithmetic, with and without the declared spread of labels?"""
    parts = [bounds.check_arithmetic(world.histories["in"]).assign(labels="as declared")]
    plain = world.readings.assign(spread=0)
    known = world.readings.loc[world.readings["measure"] == "downloads_all_time", "repository_id"].unique()
    exact = bounds.histories(plain, world.created, {}, known)
    parts.append(bounds.check_arithmetic(exact).assign(labels="taken at their word"))
    conflicts = {
        "as declared": sum(bounds.contradicts(world.histories["in"][n]) for n in known),
        "taken at their word": sum(bounds.contradicts(h) for h in exact.values()),
    }
    table = pd.concat(parts, ignore_index=True)
    table["repositories"] = len(known)
    table["repositories_in_conflict"] = table["labels"].map(conflicts)
    return table


def anomalies_table(world: World, loaded: Loaded, listed: pd.DataFrame) -> pd.DataFrame:
    """The published list of misbehaving days, and what our own rules see of each."""
    episodes = outliers.episodes(world.bursts)
    totals: dict[str, dict[int, int]] = {}
    for entry in world.inputs.heads:
        kind = entry.version.split("-", 1)[0]
        totals.setdefault(kind, {})[entry.day.toordinal()] = int(entry.frame["downloads_30d"].sum())
    dips = pd.concat(
        [outliers.dips(pd.Series(series), world.inputs.bursts).assign(list=kind) for kind, series in sorted(totals.items())]
    )
    stale = loaded.panel_repeats[loaded.panel_repeats["verdict"] == "repeat"]["version"].tolist()
    fallen: dict[str, int] = {}
    for history in world.histories["in"].values():
        for ordinal in bounds.falls(history.all_time):
            iso = date.fromordinal(ordinal).isoformat()
            fallen[iso] = fallen.get(iso, 0) + 1
    rows = []
    for entry in listed.itertuples():
        first, last = date.fromisoformat(str(getattr(entry, "_1"))), date.fromisoformat(str(entry.to))
        reach = timedelta(days=7)
        seen = []
        for row in episodes.itertuples():
            begin, end = date.fromisoformat(str(row.first)), date.fromisoformat(str(row.last))
            if row.kind == "before first reading":
                begin = world.created.get(str(row.repository_id), begin)
            if begin <= last and end >= first:
                seen.append(f"burst rule: {row.repository_id} {row.first} to {row.last}")
        seen += [f"dip rule: {r.list} {r.day}, {100 * r.fall:.0f} % below" for r in dips.itertuples()
                 if first <= date.fromisoformat(str(r.day)) <= last]
        repeated = [d for d in stale if first <= date.fromisoformat(d) <= last]
        if repeated:
            seen.append(f"repeat rule: panel of {repeated[0]} to {repeated[-1]}")
        seen += [
            f"fall rule: {n} all-time counters at label {d}"
            for d, n in sorted(fallen.items())
            if n >= 5 and first - reach <= date.fromisoformat(d) <= last + reach
        ]
        near = [
            entry2.version for entry2 in world.inputs.heads if first <= entry2.day <= last
        ]
        rows.append(
            {
                "from": first.isoformat(),
                "to": last.isoformat(),
                "what": entry.what,
                "published_in": entry.source,
                "seen_here": "; ".join(dict.fromkeys(seen)),
                "why_not": "" if seen else (
                    "our files of these days show single readings, no second one to compare with"
                    if near else "no file of ours was read on these days"
                ),
            }
        )
    extra = [d for d in stale if not any(r["from"] <= d <= r["to"] for r in rows)]
    rows += [
        {
            "from": d, "to": d, "what": "every all-time counter of the panel repeats the day before",
            "published_in": "", "seen_here": f"repeat rule: panel of {d}", "why_not": "",
        }
        for d in extra
    ]
    for row in episodes.itertuples():
        if not any(str(row.repository_id) in str(r["seen_here"]) for r in rows):
            rows.append(
                {
                    "from": row.first, "to": row.last,
                    "what": f"{row.repository_id} stands at up to {float(row.ratio):.0f} times its level",
                    "published_in": "",
                    "seen_here": f"burst rule: {row.repository_id} {row.first} to {row.last}",
                    "why_not": "",
                }
            )
    return pd.DataFrame(rows).sort_values(["from", "to", "what"], ignore_index=True)


def groups_table(loaded: Loaded) -> pd.DataFrame:
    """30-day downloads of organisation groups, all their repositories (kind organisation-weeks)."""
    parts = []
    for name, frame in sorted(loaded.organisation_weeks.items()):
        last = frame.sort_values("week_date", kind="stable").groupby("group", sort=True).tail(1)
        parts.append(last[["group", "downloads_30d"]].assign(source=name, day=name[-10:], grade="computed"))
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["day", "downloads_30d", "group"], ascending=[True, False, True], ignore_index=True)


# --------------------------------------------------------------------------------- writing


@dataclass(frozen=True)
class Table:
    """A derived table before it is written."""

    name: str
    content: bytes
    rows: int
    inputs: tuple[str, ...]
    description: str
    suffix: str = "csv"


def _csv(frame: pd.DataFrame) -> bytes:
    """Write a table the same on every machine: 10 significant digits, Unix line ends, no index."""
    out = frame.copy()
    for name in out.columns:
        if pd.api.types.is_float_dtype(out[name]):
            values = out[name].to_numpy(dtype="float64", na_value=float("nan"))
            out[name] = [_text(value) for value in values]
        elif pd.api.types.is_object_dtype(out[name]):
            out[name] = [_text(v) if isinstance(v, float) else v for v in out[name]]
    text: str = out.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8")


def _text(value: float) -> str:
    if value != value:  # NaN
        return ""
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.10g}"


def _json(content: object) -> bytes:
    return (json.dumps(_plain(content), ensure_ascii=False, indent=1, sort_keys=False) + "\n").encode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return None if value != value or value in (float("inf"), float("-inf")) else float(f"{value:.10g}")
    return value


def derive(progress: Callable[[str], None] | None = None) -> dict[str, bytes]:
    """Compute every derived file from the raw files.

    Returns
    -------
    dict
        File name to content, the manifest among them.
    """
    say = progress or (lambda _: None)
    rules = load_rules()
    loaded = load(rules, progress)
    say("calibrating assumptions")
    world = assemble(loaded.inputs)
    registry = raw.load_registry()
    published = {
        path.stem: pd.read_csv(path) for path in sorted((raw.data_dir() / "reference").glob("*.csv"))
    }
    readings = tuple(v for v in loaded.versions if registry.find(v)[0].kind != "organisation-weeks")
    panel = tuple(v for v in loaded.versions if registry.find(v)[0].kind == "hub-panel")
    heads = tuple(sorted({entry.version for entry in world.inputs.heads}))
    weeks = tuple(sorted(loaded.organisation_weeks))
    reference = ("data/reference",)

    records, specifications = [], []
    for claim in rules.register.claim:
        if claim.status == "open":
            records.append(results.registered(claim))
            continue
        say(f"claim {claim.id}")
        record, table = results.evaluate(world, claim, rules.register)
        used = panel if claim.check == "china_us" else readings
        record["inputs"] = [_input(registry, name) for name in used]
        records.append(record)
        table.insert(0, "claim", claim.id)
        specifications.append(table.assign(unit=claim.unit, grade=record["grade"]))
    every = pd.concat(specifications, ignore_index=True)
    say("tables")
    stated = rules.register.find("february-153-6m").stated
    assert stated is not None
    february = rules.days.of_month("2026-02").day
    repeats_found = pd.concat(
        [loaded.repeats, loaded.panel_repeats.assign(source="panel")], ignore_index=True
    )
    notes = pd.DataFrame(loaded.problems, columns=["version", "note"])
    frames: list[tuple[str, pd.DataFrame, tuple[str, ...], str]] = [
        ("specifications", every, readings, "every declared specification of every checked claim"),
        ("ladder", ladder_table(world, published), (*readings, *reference), "Qwen's share by population and month"),
        ("hub_head", head_table(world, stated), heads, "what the head of the ranking implies for the whole Hub"),
        ("makers", makers_table(world), readings, "downloads of makers on the tracked list by month"),
        ("missing", missing_table(world, february), readings, "largest repositories that nobody read near 28 February 2026"),
        ("calibration", calibration_table(world), readings, "what became of each declared assumption"),
        ("rehearsal", rehearsal_table(world), readings, "shares recomputed with counters hidden, against the truth"),
        ("outliers", outliers.episodes(world.bursts), readings, "bursts that the declared rule names"),
        ("outlier_sensitivity", sensitivity_table(world), readings, "the burst rule at other ratios"),
        ("anomalies", anomalies_table(world, loaded, published["counter-anomalies"]), (*readings, *reference), "published days of misbehaviour, and what our rules see"),
        ("agreement", measure_readings.agreement(world.readings), readings, "how many counters agree where two sources read one repository on one day"),
        ("arithmetic", arithmetic_table(world), readings, "do the 30-day and the all-time counter agree"),
        ("dating", loaded.dating, readings, "the day of undated readings by matching counters"),
        ("repeats", repeats_found, readings, "versions and days that repeat an earlier one"),
        ("reader_notes", notes, readings, "what the readers repaired or left out"),
        ("china_us", china_us_table(world), panel, "flows by country in the panel"),
        ("qwen_llama", qwen_llama_table(world), readings, "Qwen and Llama side by side"),
        ("generations", generations_table(world), readings, "Qwen's downloads by generation"),
        ("organisation_groups", groups_table(loaded), weeks, "30-day downloads of organisation groups"),
    ]
    made = [Table(n, _csv(f), len(f), i, d) for n, f, i, d in frames]
    made.append(
        Table("claims", _json(records), len(records), readings, "claims with numbers and verdicts", "json")
    )
    files = {f"{t.name}.{t.suffix}": t.content for t in made}
    files[tables.MANIFEST] = _json(_manifest(made, registry))
    return files


def _input(registry: raw.Registry, name: str) -> dict[str, Any]:
    _, version = registry.find(name)
    return {"name": name, "sha256": version.sha256, "url": version.url}


def _manifest(made: list[Table], registry: raw.Registry) -> dict[str, Any]:
    """List tables with hashes; the rule files and each raw input once."""
    data = raw.data_dir()
    used = sorted({name for table in made for name in table.inputs if name != "data/reference"})
    rule_files = [f"{name}.toml" for name in RULE_FILES]
    rule_files += [f"reference/{path.name}" for path in sorted((data / "reference").glob("*.csv"))]
    return {
        "tables": [
            {
                "name": table.name,
                "file": f"{table.name}.{table.suffix}",
                "description": table.description,
                "rows": table.rows,
                "bytes": len(table.content),
                "sha256": hashlib.sha256(table.content).hexdigest(),
                "licence": "ODbL-1.0"
                if any(registry.find(n)[0].share_alike for n in table.inputs if n != "data/reference")
                else "CC-BY-4.0",
                "inputs": list(table.inputs),
            }
            for table in sorted(made, key=lambda t: t.name)
        ],
        "rules": [
            {"file": name, "sha256": hashlib.sha256((data / name).read_bytes()).hexdigest()}
            for name in rule_files
        ],
        "raw": [_input(registry, name) for name in used],
    }


def write(files: dict[str, bytes], folder: Path | None = None) -> list[str]:
    """Write derived files: each to a temporary name, then renamed; the manifest last.

    Files of the folder that are no longer derived are removed.

    Returns
    -------
    list of str
        Names whose content changed.
    """
    target = folder or tables.folder()
    try:
        target.mkdir(parents=True, exist_ok=True)
        changed = []
        for name in sorted(files, key=lambda n: (n == tables.MANIFEST, n)):
            path = target / name
            if path.is_file() and path.read_bytes() == files[name]:
                continue
            partial = target / f".{name}.partial"
            partial.write_bytes(files[name])
            partial.replace(path)
            changed.append(name)
        for path in sorted(target.iterdir()):
            if path.name not in files:
                path.unlink()
                changed.append(path.name)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}): free space or check its rights") from error
    return changed


def compare(files: dict[str, bytes], folder: Path | None = None) -> list[str]:
    """Return the names of derived files that differ from what is committed, byte for byte."""
    target = folder or tables.folder()
    there = {p.name: p.read_bytes() for p in sorted(target.iterdir())} if target.is_dir() else {}
    return sorted(name for name in {*files, *there} if files.get(name) != there.get(name))
