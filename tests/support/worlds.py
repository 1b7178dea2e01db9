"""The world of the claims, made once a test process from the real raw files."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import cast
from unittest import mock

from analysis import builder
from analysis.builder import loading
from analysis.builder.evidence import load_evidence as read_evidence
from analysis.claims import world
from analysis.claims.evidence import Evidence


@lru_cache(maxsize=1)
def load_loaded() -> tuple[builder.Rules, builder.Loaded]:
    """Read what the registry names; call it only where the fixture `mirror` is in force."""
    rules = builder.load_rules()
    # Both this and load_evidence read some forty files: once a process is enough. What is worked
    # out from them stays apart, because some of it hangs on the world.
    evidence, problems = _evidence()
    own = replace(evidence, _made={})
    with mock.patch.object(loading, "load_evidence", return_value=(own, problems)):
        return rules, builder.load(rules)


@lru_cache(maxsize=1)
def load_world() -> world.World:
    """Assemble the world; call it only where the fixture `mirror` is in force."""
    return world.assemble(load_loaded()[1].inputs)


@lru_cache(maxsize=1)
def _evidence() -> tuple[Evidence, tuple[tuple[str, str], ...]]:
    return read_evidence(builder.load_rules().families)


def load_evidence() -> Evidence:
    """Read lineage, licences, releases and sizes alone, in a few seconds.

    Call it only where the fixture `mirror` is in force.
    """
    return _evidence()[0]


@lru_cache(maxsize=1)
def evidence_world() -> world.World:
    """Return what a check sees that looks at the evidence alone: no reading, no assumption."""
    return cast(world.World, SimpleNamespace(evidence=load_evidence()))
