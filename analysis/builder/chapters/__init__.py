"""Derived tables by chapter of the book."""

from __future__ import annotations

from typing import Final

from analysis.builder.chapters import (
    adoption,
    arrivals,
    derivatives,
    domains,
    frontier,
    languages,
    licensing,
    provenance,
    pulls,
    releasing,
    services,
    terms,
    trust,
    waves,
    witnesses,
)
from analysis.builder.chapters.made import Made

#: Every table of the chapters on derivatives and reasons.
TABLES: Final[tuple[Made, ...]] = (
    *derivatives.TABLES,
    *arrivals.TABLES,
    *waves.TABLES,
    *domains.TABLES,
    *licensing.TABLES,
    *releasing.TABLES,
    *adoption.TABLES,
    *pulls.TABLES,
    *terms.TABLES,
    *services.TABLES,
    *languages.TABLES,
    *frontier.TABLES,
    *witnesses.TABLES,
    *provenance.TABLES,
    *trust.TABLES,
)

__all__ = ["TABLES", "Made", "trust"]
