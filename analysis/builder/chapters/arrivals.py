"""Derived tables on new repositories."""

from __future__ import annotations

from typing import Final

from analysis.builder.chapters.made import Made

#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = ()
