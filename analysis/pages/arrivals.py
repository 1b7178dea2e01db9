"""What the pages on new repositories call: finished figures and tables."""

from __future__ import annotations
