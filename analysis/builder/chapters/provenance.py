"""Derived tables on where the article's figures come from, and which of them do not fit."""

from __future__ import annotations

from typing import Final

import pandas as pd

from analysis.builder.chapters import licensing
from analysis.builder.chapters.made import Made
from analysis.claims.world import World
from analysis.measure import provenance


def _rules(world: World) -> provenance.ProvenanceRules:
    rules: provenance.ProvenanceRules = world.evidence.rule("provenance")
    return rules


def statements_table(world: World) -> pd.DataFrame:
    """List every statement of each figure, in order of day, the article last."""
    return world.evidence.once(
        "provenance.statements",
        lambda: provenance.statements(
            _rules(world), world.evidence.published, licensing.thresholds_table(world)
        ),
    )


def figures_table(world: World) -> pd.DataFrame:
    """Say of each figure of the article what it repeats and what was dropped on the way."""
    return provenance.in_short(statements_table(world))


def contradictions_table(world: World) -> pd.DataFrame:
    """Put published figures beside each other that do not fit together."""
    return provenance.contradictions(_rules(world), world.evidence.published)


_INPUTS: Final = ("data/reference",)

#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made(
        "provenance_statements",
        statements_table,
        ("data/reference", "licence-llama", "licence-qwen"),
        "every statement of each of the article's figures, in order of day",
    ),
    Made(
        "provenance_figures",
        figures_table,
        ("data/reference", "licence-llama", "licence-qwen"),
        "what each of the article's figures repeats, and what was dropped on the way",
    ),
    Made(
        "provenance_contradictions",
        contradictions_table,
        _INPUTS,
        "published figures that do not fit together",
    ),
)
