"""Room 2: one schema for every source: field registry, readers, families, dating.

Public names: :func:`read` with :class:`Snapshot`, :data:`FIELDS` and :data:`KINDS` here;
:mod:`analysis.snapshot.families`, :mod:`analysis.snapshot.repeats` and
:mod:`analysis.snapshot.dating` as modules.
"""

from __future__ import annotations

from analysis.snapshot.readers import KIND_COLUMNS, KINDS, read
from analysis.snapshot.schema import FIELDS, Field, conform
from analysis.snapshot.shaping import Snapshot

__all__ = ["FIELDS", "KINDS", "KIND_COLUMNS", "Field", "Snapshot", "conform", "read"]
