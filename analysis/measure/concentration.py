"""How many derivatives hang on how few bases.

Everything here starts from one number a base. It may come from a table of counts by month
(:func:`totals`), from a list of roots, or from declared relations (:func:`of_edges`); the measures
are the same, so that sources can be held side by side.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd


def totals(frame: pd.DataFrame) -> pd.Series:
    """Return the derivatives of each base: the last count of a table by month, or the one given.

    Parameters
    ----------
    frame
        ``repository_id`` and ``derivatives``, with ``month`` where the counts run up by month.

    Returns
    -------
    pandas.Series
        Whole numbers by repository id, the largest first, equals by name. Of a count that runs
        up the largest month counts: a fall in it is a loss of repositories, not of derivation.
    """
    known = frame[frame["derivatives"].notna()]
    by = known.groupby("repository_id", sort=True)["derivatives"].max().astype("int64")
    by.index = by.index.astype("object")
    return by.sort_values(ascending=False, kind="stable").rename("derivatives")


def of_edges(frame: pd.DataFrame) -> pd.Series:
    """Return the derivatives of each base out of declared relations, itself not among them.

    Parameters
    ----------
    frame
        ``repository_id`` and ``base_id``, one row a relation.
    """
    pairs = frame.loc[frame["repository_id"] != frame["base_id"], ["repository_id", "base_id"]]
    by = pairs.drop_duplicates().groupby("base_id", sort=True).size().astype("int64")
    by.index = by.index.astype("object").rename("repository_id")
    return by.sort_values(ascending=False, kind="stable").rename("derivatives")


def lorenz(counts: pd.Series) -> pd.DataFrame:
    """Return the points of the Lorenz curve, from the bases with the fewest derivatives up.

    Returns
    -------
    pandas.DataFrame
        ``bases`` and ``derivatives``, both as shares from 0 to 1; the first point is 0, 0. Without
        any derivative only that point.
    """
    values = np.sort(counts.to_numpy(dtype="float64"))
    total = values.sum()
    if total <= 0:
        return pd.DataFrame({"bases": [0.0], "derivatives": [0.0]})
    return pd.DataFrame(
        {
            "bases": np.arange(len(values) + 1) / len(values),
            "derivatives": np.concatenate([[0.0], np.cumsum(values) / total]),
        }
    )


def from_the_top(counts: pd.Series) -> pd.DataFrame:
    """Return the same from the largest base down: what share the first k bases carry.

    Returns
    -------
    pandas.DataFrame
        ``rank`` (0 to the number of bases), ``repository_id`` (of that rank; empty at 0),
        ``derivatives``, ``cumulative``, ``share``.
    """
    ordered = counts.sort_values(ascending=False, kind="stable")
    values = ordered.to_numpy(dtype="float64")
    total = values.sum()
    running = np.concatenate([[0.0], np.cumsum(values)])
    return pd.DataFrame(
        {
            "rank": np.arange(len(values) + 1),
            "repository_id": ["", *(str(name) for name in ordered.index)],
            "derivatives": np.concatenate([[0.0], values]),
            "cumulative": running,
            "share": running / total if total > 0 else running,
        }
    )


def gini(counts: pd.Series) -> float:
    """Return the Gini coefficient: 0 when all bases carry alike, near 1 when one carries all.

    NaN without any derivative.
    """
    points = lorenz(counts)
    if len(points) < 2:
        return float("nan")
    x, y = points["bases"].to_numpy(), points["derivatives"].to_numpy()
    return float(1.0 - ((x[1:] - x[:-1]) * (y[1:] + y[:-1])).sum())


def carry(counts: pd.Series, part: float = 0.5) -> int:
    """Return how few bases carry `part` of all derivatives (0 when there are none)."""
    shares = from_the_top(counts)["share"].to_numpy()
    if shares[-1] <= 0:
        return 0
    # The last sum may fall short of one by the width of a rounding.
    return int(np.argmax(shares >= min(part, float(shares[-1])) - 1e-12))


def summary(counts: pd.Series, groups: pd.Series, leaving_out: Iterable[str] = ()) -> pd.DataFrame:
    """Say of each group how many derivatives hang on how few bases.

    Parameters
    ----------
    counts
        Derivatives by base.
    groups
        Group (a family, a maker) of each base, on the same index; a base without one is left out.
    leaving_out
        Bases to be left out in the columns that say ``without``.

    Returns
    -------
    pandas.DataFrame
        One row a group, the largest first: ``group``, ``bases``, ``derivatives``, ``gini``,
        ``half`` (bases that carry one half), ``top1``, ``top3``, ``top10`` (shares of the largest
        bases), ``left_out`` (named bases of the group, how many), ``derivatives_without``.
    """
    out = frozenset(leaving_out)
    rows = []
    known = groups.reindex(counts.index)
    for group in sorted(known.dropna().unique()):
        own = counts[(known == group).fillna(False).to_numpy(dtype=bool)]
        top = from_the_top(own)["share"].to_numpy()
        kept = own[~own.index.isin(out)]
        rows.append(
            {
                "group": str(group),
                "bases": len(own),
                "derivatives": int(own.sum()),
                "gini": gini(own),
                "half": carry(own),
                **{f"top{k}": float(top[min(k, len(own))]) for k in (1, 3, 10)},
                "left_out": len(own) - len(kept),
                "derivatives_without": int(kept.sum()),
            }
        )
    names = ["group", "bases", "derivatives", "gini", "half", "top1", "top3", "top10"]
    table = pd.DataFrame(rows, columns=[*names, "left_out", "derivatives_without"])
    return table.sort_values(
        ["derivatives", "group"], ascending=[False, True], kind="stable", ignore_index=True
    )
