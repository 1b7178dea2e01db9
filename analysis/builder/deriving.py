"""One build: read, evaluate every claim, make every table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from analysis import raw, tables
from analysis.builder import chapters, citing, derived
from analysis.builder.loading import load, load_rules
from analysis.builder.writing import Table, csv_bytes, input_entry, json_bytes, manifest
from analysis.claims import results
from analysis.claims.register import Claim, Register
from analysis.claims.world import World, assemble
from analysis.measure import outliers
from analysis.measure import readings as measure_readings
from analysis.present import summary

#: A table before it is written: name, rows, inputs, what it holds.
_Frame = tuple[str, pd.DataFrame, tuple[str, ...], str]


def derive(
    progress: Callable[[str], None] | None = None, extra: tuple[str, ...] = ()
) -> dict[str, bytes]:
    """Compute every derived file from the raw files.

    Parameters
    ----------
    progress
        Called with each step before it begins.
    extra
        Optional snapshots that are read besides (:func:`analysis.builder.loading.load`).

    Returns
    -------
    dict
        File name to content, the manifest among them.
    """
    say = progress or (lambda _: None)
    rules = load_rules()
    loaded = load(rules, progress, extra)
    say("calibrating assumptions")
    world = assemble(loaded.inputs)
    registry = raw.load_registry()
    published = {name: tables.load(f"reference/{name}") for name in derived.PUBLISHED}
    readings = tuple(v for v in loaded.versions if registry.find(v)[0].kind != "organisation-weeks")
    panel = tuple(v for v in loaded.versions if registry.find(v)[0].kind == "hub-panel")
    heads = tuple(sorted({entry.version for entry in world.inputs.heads}))
    weeks = tuple(sorted(loaded.organisation_weeks))
    reference = ("data/reference",)
    read = tuple(sorted(world.evidence.frames))
    both = tuple(sorted({*readings, *read}))

    records: list[dict[str, Any]] = []
    frames: list[_Frame] = []
    for claim in rules.register.claim:
        if claim.status == "open":
            records.append(results.registered(claim))
            continue
        say(f"claim {claim.id}")
        used = panel if claim.check == "china_us" else readings
        record, found = _evaluated(world, claim, rules.register, registry, used)
        frames += found
        if claim.elsewhere is not None:
            say(f"claim {claim.elsewhere.id}")
            record["elsewhere"], found = _evaluated(
                world, claim.elsewhere, rules.register, registry, ()
            )
            frames += found
        records.append(record)
    say("tables")
    stated = rules.register.find("february-153-6m").stated
    assert stated is not None
    february = rules.days.of_month("2026-02").day
    repeats_found = pd.concat(
        [loaded.repeats, loaded.panel_repeats.assign(source="panel")], ignore_index=True
    )
    notes = pd.DataFrame((*loaded.problems, *loaded.evidence_problems), columns=["version", "note"])
    frames += [
        (
            "ladder",
            derived.ladder_table(world, published),
            (*readings, *reference),
            "Qwen's share by population and month",
        ),
        (
            "hub_head",
            derived.head_table(world, stated),
            heads,
            "what the head of the ranking implies for the whole Hub",
        ),
        (
            "makers",
            derived.makers_table(world),
            readings,
            "downloads of makers on the tracked list by month",
        ),
        (
            "missing",
            derived.missing_table(world, february),
            readings,
            "largest repositories that nobody read near 28 February 2026",
        ),
        (
            "calibration",
            derived.calibration_table(world),
            readings,
            "what became of each declared assumption",
        ),
        (
            "rehearsal",
            derived.rehearsal_table(world),
            readings,
            "shares recomputed with counters hidden, against the truth",
        ),
        (
            "outliers",
            outliers.episodes(world.bursts),
            readings,
            "bursts that the declared rule names",
        ),
        (
            "outlier_sensitivity",
            derived.sensitivity_table(world),
            readings,
            "the burst rule at other ratios",
        ),
        (
            "anomalies",
            derived.anomalies_table(world, loaded, published["counter-anomalies"]),
            (*readings, *reference),
            "published days of misbehaviour, and what our rules see",
        ),
        (
            "agreement",
            measure_readings.agreement(world.readings),
            readings,
            "how many counters agree where two sources read one repository on one day",
        ),
        (
            "arithmetic",
            derived.arithmetic_table(world),
            readings,
            "do the 30-day and the all-time counter agree",
        ),
        ("dating", loaded.dating, readings, "the day of undated readings by matching counters"),
        ("repeats", repeats_found, readings, "versions and days that repeat an earlier one"),
        ("reader_notes", notes, both, "what the readers repaired or left out"),
        ("china_us", derived.china_us_table(world), panel, "flows by country in the panel"),
        ("qwen_llama", derived.qwen_llama_table(world), readings, "Qwen and Llama side by side"),
        (
            "generations",
            derived.generations_table(world),
            readings,
            "Qwen's downloads by generation",
        ),
        (
            "organisation_groups",
            derived.groups_table(loaded),
            weeks,
            "30-day downloads of organisation groups",
        ),
    ]
    for one in chapters.TABLES:
        say(f"table {one.name}")
        frames.append(
            (one.name, one.make(world), _versions(registry, one.sources), one.description)
        )
    grids = {
        str(table["claim"].iloc[0]): table
        for name, table, _, _ in frames
        if name.startswith("specifications_")
    }
    frames.append(
        (
            "trust_claims",
            chapters.trust.claims_table(world, grids),
            (*readings, *reference),
            "which days of misbehaviour each headline claim crosses, and what bursts change",
        )
    )
    # The day that each claim's own reading tells, where none of its choices names it.
    days = {
        str(f["claim"].iloc[0]): f["day"].iloc[0]
        for _, f, _, _ in frames
        if "claim" in f and "day" in f
    }
    frames.append(
        (
            "summary",
            summary.rows(records, citing.citation(), days),
            both,
            "one row a claim: a sentence to print, its number, verdicts and citation",
        )
    )
    made = [Table(n, csv_bytes(f), len(f), i, d) for n, f, i, d in frames]
    made.append(
        Table(
            "claims",
            json_bytes(records),
            len(records),
            both,
            "claims with numbers and verdicts",
            "json",
        )
    )
    files = {f"{t.name}.{t.suffix}": t.content for t in made}
    files[tables.MANIFEST] = json_bytes(manifest(made, registry))
    return files


def _evaluated(
    world: World, claim: Claim, register: Register, registry: raw.Registry, used: tuple[str, ...]
) -> tuple[dict[str, Any], list[_Frame]]:
    """Evaluate a claim: its record, with inputs, and the table of its specifications, if any."""
    record, table = results.evaluate(world, claim, register)
    if claim.sources or claim.status == "unobserved":
        used = _versions(registry, claim.sources)
    record["inputs"] = [input_entry(registry, name) for name in used if name != "data/reference"]
    if table.empty:
        return record, []
    # Clauses that no specification needs are left out of the table.
    table = table.drop(columns=[c for c in ("beside", "pending") if not table[c].any()])
    table.insert(0, "claim", claim.id)
    return record, [
        (
            tables.specifications_name(claim.id),
            table.assign(unit=claim.unit, grade=record["grade"]),
            used,
            f"every declared specification of the claim {claim.id}",
        )
    ]


def _versions(registry: raw.Registry, sources: tuple[str, ...]) -> tuple[str, ...]:
    """Return the available versions of `sources`; ``data/reference`` stays as it is."""
    return tuple(
        name
        for source in sources
        for name in (
            (source,)
            if source == "data/reference"
            else [version.name for version in registry.source(source).versions]
        )
    )
