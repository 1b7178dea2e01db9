"""What the pages on new repositories and waves call: finished figures and tables."""

from __future__ import annotations
