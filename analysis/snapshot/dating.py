"""The day of a reading that does not say its day, told from its counters.

The Hub refreshes its rolling counters once a day. A repository's counter above a thousand hardly
ever has the same value on two days, so two readings whose counters agree to the last digit were
taken between the same two refreshes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Smaller counters agree by chance.
FLOOR: Final = 1_000

#: A day matches when at least this share of the common counters agree ...
MATCH_SHARE: Final = 0.9

#: ... and at least this many do.
FEWEST: Final = 5


def date_by_counters(
    undated: pd.DataFrame, dated: Mapping[str, pd.DataFrame], *, counter: str = "downloads_30d"
) -> pd.DataFrame:
    """Compare an undated reading with readings of known days.

    Parameters
    ----------
    undated : pandas.DataFrame
        Columns ``repository_id`` and `counter`.
    dated : mapping of str to pandas.DataFrame
        Day (ISO) to a reading of it, with the same columns; a repository that stands in several
        lists of one day counts once, with its first row.
    counter : str
        The counter to compare.

    Returns
    -------
    pandas.DataFrame
        A row a day, sorted by day: ``day``; ``common`` (repositories in both, counters above the
        floor); ``equal`` (of these, equal to the last digit); ``share``;
        ``median_relative_difference`` (of the undated counter from the dated one, without sign);
        ``verdict``: ``match`` (the one day that agrees), ``ambiguous`` (several days agree),
        ``too few`` (nearly all agree, but they are fewer than :data:`FEWEST`), ``partly`` (some
        agree), ``differs`` or ``nothing common``.

    Raises
    ------
    InputError
        A frame lacks a needed column.
    """
    left = _counters(undated, counter, "the undated reading")
    days = sorted(dated)
    readings = [
        _counters(dated[day], counter, f"the reading of {day}").assign(day=day) for day in days
    ]
    both = pd.concat([left.iloc[:0].assign(day=""), *readings]).merge(
        left, on="repository_id", suffixes=("_dated", "")
    )
    both["equal"] = both["counter"] == both["counter_dated"]
    both["apart"] = (both["counter"].astype("float64") / both["counter_dated"] - 1).abs()
    by_day = both.groupby("day")
    common = by_day.size().reindex(days, fill_value=0)
    table = pd.DataFrame(
        {
            "day": pd.Series(days, dtype="string"),
            "common": common.to_numpy(),
            "equal": by_day["equal"].sum().reindex(days, fill_value=0).to_numpy(),
        }
    ).astype({"common": "Int64", "equal": "Int64"})
    table["share"] = (table["equal"] / table["common"].mask(table["common"] == 0)).astype("Float64")
    middle = by_day["apart"].median().reindex(days).astype("Float64")
    table["median_relative_difference"] = middle.array
    close = (table["share"] >= MATCH_SHARE).fillna(False).astype(bool)
    agrees = close & (table["equal"] >= FEWEST)
    word = "match" if int(agrees.sum()) == 1 else "ambiguous"
    verdict = pd.Series("differs", index=table.index, dtype="string")
    verdict = verdict.mask(table["common"] == 0, "nothing common")
    verdict = verdict.mask(table["equal"] > 0, "partly")
    verdict = verdict.mask(close, "too few")
    table["verdict"] = verdict.mask(agrees.astype(bool), word)
    return table


def established(table: pd.DataFrame) -> str | None:
    """Return the one day that matches, or None when none does or several do.

    Parameters
    ----------
    table : pandas.DataFrame
        Result of :func:`date_by_counters`.
    """
    days = table.loc[table["verdict"] == "match", "day"]
    return str(days.iloc[0]) if len(days) == 1 else None


def _counters(frame: pd.DataFrame, counter: str, what: str) -> pd.DataFrame:
    for name in ("repository_id", counter):
        if name not in frame.columns:
            raise InputError(f"dating: {what} has no column {name!r}")
    part = frame[["repository_id", counter]].rename(columns={counter: "counter"})
    part = part[(part["counter"] > FLOOR).fillna(False).astype(bool)]
    return part.drop_duplicates("repository_id")
