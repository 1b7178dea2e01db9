"""What the pages on new repositories, waves and domains call: finished figures and tables."""

from __future__ import annotations
