"""What the pages on releases and breadth call: finished figures and tables."""

from __future__ import annotations
