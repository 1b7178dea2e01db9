"""Read the raw files and rules behind lineage, licences, releases and sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

import pandas as pd

from analysis import raw, snapshot, tables
from analysis.claims.evidence import Evidence
from analysis.measure import (
    arrivals,
    breadth,
    bulk,
    domains,
    frontier,
    languages,
    licences,
    pace,
    provenance,
    pulls,
    releases,
    routers,
    services,
    sightings,
    sizes,
    slices,
    terms,
    trust,
    waves,
)
from analysis.snapshot import families as families_module

#: Kinds whose every available version is read.
KINDS: Final = (
    "lineage-edges",
    "lineage-roots",
    "derivative-counts",
    "hub-tree",
    "ollama-library",
    "licence-text",
    "release-text",
    "service-catalogue",
    "router-ranking",
    "language-scores",
    "arena-scores",
    "arena-table",
    "arena-table-json",
    "quality-index",
)
#: Single versions of other kinds, read with all their columns.
VERSIONS: Final = (
    "expansion-2025-12-22",
    "hub-stats-2026-05",
    "makers-2025-10-12",
    "model-parameters-2026-08-17",
    "organisation-regions-2026-08-17",
    "organisation-weeks-2025-10-08",
    "organisation-weeks-2025-12-07",
    "release-date-corrections-2026-08-17",
    "top25-2025-11-05",
    "top25-2026-02-28",
    "llmfit-2026-05-10",
    "top25-2026-04-30",
    "top25-2026-08-22",
    "top30-2026-08-22",
    "tracked-2026-08-17",
    "trending-2026-05-04",
)
#: Rule files of ``data/`` that the measures of this evidence need, each with what parses it.
RULES: Final[Mapping[str, Callable[[Mapping[str, object]], Any]]] = {
    "arrivals": arrivals.parse,
    "breadth": breadth.parse,
    "bulk": bulk.parse,
    "domains": domains.parse,
    "frontier": frontier.parse,
    "hardware": sizes.parse,
    "languages": languages.parse,
    "licences": licences.parse,
    "pace": pace.parse,
    "provenance": provenance.parse,
    "pulls": pulls.parse,
    "releases": releases.parse,
    "routers": routers.parse,
    "services": services.parse,
    "sightings": sightings.parse,
    "slices": slices.parse,
    "terms": terms.parse,
    "trust": trust.parse,
    "waves": waves.parse,
}
#: Tables of ``data/`` made by hand, each with the rule file it belongs to and what checks it.
BY_HAND: Final[Mapping[str, tuple[str, Callable[[pd.DataFrame, Any], pd.DataFrame]]]] = {
    "domain-labels": ("domains", domains.labels),
}

#: Columns that hold an id of the Hub.
_IDS: Final = ("repository_id", "base_id")


def load_evidence(
    families: families_module.Families, progress: Callable[[str], None] | None = None
) -> tuple[Evidence, tuple[tuple[str, str], ...]]:
    """Fetch and read every file of :data:`KINDS` and :data:`VERSIONS`.

    Returns
    -------
    Evidence
        The tables.
    tuple of (str, str)
        Version, and what its reader repaired or left out.

    Raises
    ------
    RecordError
        A file cannot be had, is not the registered one, or cannot be read.
    """
    registry = raw.load_registry()
    wanted = [
        version.name
        for kind in KINDS
        if kind in snapshot.KINDS
        for source, version in registry.by_kind(kind)
        if source.state == "available"
    ]
    frames: dict[str, pd.DataFrame] = {}
    kinds: dict[str, str] = {}
    days: dict[str, date] = {}
    taken: dict[str, datetime] = {}
    problems: list[tuple[str, str]] = []
    for name in (*wanted, *VERSIONS):
        if progress is not None:
            progress(name)
        source, version = registry.find(name)
        got = snapshot.read(raw.fetch(name), source.kind)
        problems.extend((name, text) for text in got.problems)
        frame = got.frame
        for column in _IDS:
            if column in frame.columns:
                frame = frame.assign(**{column: families_module.canonical(frame[column], families)})
        frames[name], kinds[name], days[name] = frame, source.kind, version.as_of_last
        if got.taken is not None:
            taken[name] = got.taken
    return (
        Evidence(
            frames=frames,
            kinds=kinds,
            days=days,
            rules=_rules(families),
            families=families,
            published=tables.load("reference/published-figures"),
            taken=taken,
        ),
        tuple(problems),
    )


def _rules(families: families_module.Families) -> dict[str, Any]:
    """Parse the rule files, and check the tables made by hand against them."""
    rules: dict[str, Any] = {name: parse(raw.declared(name)) for name, parse in RULES.items()}
    for name, (belongs, check) in BY_HAND.items():
        table = tables.by_hand(name)
        for column in _IDS:
            if column in table.columns:
                table[column] = families_module.canonical(table[column], families).astype("str")
        rules[name] = check(table, rules[belongs])
    return rules
