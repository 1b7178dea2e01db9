"""What the pages on how many derivatives, on how few bases call: finished figures and tables."""

from __future__ import annotations
