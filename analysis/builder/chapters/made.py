"""One derived table: its name, how it is made, what it was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from analysis.claims.world import World


@dataclass(frozen=True)
class Made:
    """A derived table of a chapter.

    Attributes
    ----------
    name
        Name of the file in ``data/derived``, without suffix.
    make
        From the world to the table.
    sources
        Ids of the sources (``data/sources``) that it is computed from; all their
        available versions stand in the manifest. ``data/reference`` stands for
        published figures.
    description
        What the table holds, in a line.
    """

    name: str
    make: Callable[[World], pd.DataFrame]
    sources: tuple[str, ...]
    description: str
