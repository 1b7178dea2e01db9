"""Taking a snapshot of the live Hub: pages kept verbatim, then one Parquet file and its manifest.

Four parts: :mod:`plan` says what is asked, :mod:`store` keeps pages and journal so that a kill at
any instant loses nothing, :mod:`walking` asks the Hub page by page, :mod:`finishing` makes the
Parquet file.
"""

from __future__ import annotations

from analysis.raw.capturing.finishing import MANIFEST_NAME, PARQUET_NAME, finish
from analysis.raw.capturing.plan import ASKED, FIELDS, Plan, Query
from analysis.raw.capturing.store import Store, status
from analysis.raw.capturing.walking import Hub, walk

__all__ = [
    "ASKED",
    "FIELDS",
    "MANIFEST_NAME",
    "PARQUET_NAME",
    "Hub",
    "Plan",
    "Query",
    "Store",
    "finish",
    "status",
    "walk",
]
