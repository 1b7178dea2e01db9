"""What the head of the ranking alone says of a share of the whole Hub.

Let ``h_1 >= ... >= h_N`` be the complete list of the N most downloaded
repositories of the Hub on a day, ``H`` their sum, and ``F`` the part of ``H``
that belongs to a family. Let ``q`` be the family's downloads in all.

**Theorem.** If the family had at most ``q`` downloads that day, its share of
the Hub is at most ``q / (H - F + q)``. The bound is attained when nobody
outside the list had any downloads but the family.

*Proof.* The Hub's total is at least the family's ``q`` plus the other entries
of the list, ``H - F``: they are different repositories. ``x / (H - F + x)``
does not fall in ``x``. QED

**Corollary.** To hold more than a share ``s`` the family needs more than
``s (H - F) / (1 - s)`` downloads in all, of which ``F`` are in the list.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.errors import InputError


@dataclass(frozen=True)
class Head:
    """The complete head of the Hub's ranking on one day.

    Attributes
    ----------
    depth
        Number of repositories on the list.
    total
        Their 30-day downloads together.
    last
        The smallest entry: no repository outside the list had more.
    family
        Downloads of the family's repositories on the list.
    members
        How many of the family's repositories are on the list.
    """

    depth: int
    total: int
    last: int
    family: int
    members: int

    def largest_share(self, family_total: float) -> float:
        """Upper bound of the family's share of the Hub, given its downloads (see Theorem)."""
        if family_total < self.family:
            raise InputError(
                f"a family total of {family_total:,.0f} is below the {self.family:,} that the "
                "list already shows: give the total of all its repositories"
            )
        rest = self.total - self.family
        # A list of zeros allows every share.
        return family_total / (rest + family_total) if rest + family_total else 1.0

    def needed(self, share: float) -> float:
        """Return what the family would need in all: above it lies a share above `share`."""
        if not 0 < share < 1:
            raise InputError(f"a share of {share} is not between 0 and 1")
        return share * (self.total - self.family) / (1 - share)


def read(frame: pd.DataFrame, family: pd.Series, name: str) -> Head:
    """Summarise one list of the most downloaded.

    Parameters
    ----------
    frame
        Canonical frame of a head list: ``repository_id``, ``downloads_30d``.
    family
        Family of each row (same index), null where none.
    name
        The family asked for.

    Raises
    ------
    InputError
        If the list has no counters.

    Notes
    -----
    Entries without a counter are left out, which lowers the total and so can only
    raise the bound.
    """
    counters = frame["downloads_30d"].dropna()
    if counters.empty:
        raise InputError("the list of the most downloaded holds no counters: use another day")
    own = frame.loc[counters.index][(family.loc[counters.index] == name).fillna(False)]
    return Head(
        depth=len(counters),
        total=int(counters.sum()),
        last=int(counters.min()),
        family=int(own["downloads_30d"].sum()),
        members=len(own),
    )
