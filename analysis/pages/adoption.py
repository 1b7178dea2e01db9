"""What the pages on sizes and adoption call: finished figures and tables."""

from __future__ import annotations
