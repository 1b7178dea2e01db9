"""The world of the claims, made once a test process from the real raw files."""

from __future__ import annotations

from functools import lru_cache

from analysis import builder
from analysis.claims import world


@lru_cache(maxsize=1)
def load_loaded() -> tuple[builder.Rules, builder.Loaded]:
    """Read what the registry names; call it only where the fixture `mirror` is in force."""
    rules = builder.load_rules()
    return rules, builder.load(rules)


@lru_cache(maxsize=1)
def load_world() -> world.World:
    """Assemble the world; call it only where the fixture `mirror` is in force."""
    return world.assemble(load_loaded()[1].inputs)
