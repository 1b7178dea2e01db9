"""Readers of who derives from whom: edge lists, counts of derivatives a base, root models."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from analysis.snapshot.shaping import Snapshot

#: Columns that each kind of this module can fill.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})

#: Readers of this module by kind.
READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = MappingProxyType(
    {}
)
