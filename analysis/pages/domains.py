"""What the pages on derivatives for professions call: finished figures and tables."""

from __future__ import annotations
