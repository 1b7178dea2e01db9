"""What the pages on waves of derivatives around releases call: finished figures and tables."""

from __future__ import annotations
