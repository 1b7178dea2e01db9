"""What the pages on licences and their thresholds call: finished figures and tables."""

from __future__ import annotations
