"""Readings: every counter that any source saw, one row a repository, day and measure.

A *reading* is what one source says one of the Hub's counters was for one
repository on one day. Sources overlap; this module puts them into one long
table, keeps who said what, and never averages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

MEASURES = ("downloads_30d", "downloads_all_time")
COLUMNS = ("repository_id", "day", "spread", "measure", "value", "source")


def empty() -> pd.DataFrame:
    """Return a table of readings without rows."""
    return pd.DataFrame(
        {
            "repository_id": pd.Series(dtype="str"),
            "day": pd.Series(dtype="int64"),
            "spread": pd.Series(dtype="int64"),
            "measure": pd.Series(dtype="str"),
            "value": pd.Series(dtype="int64"),
            "source": pd.Series(dtype="str"),
        }
    )


def assemble(frames: Mapping[str, pd.DataFrame], days: Mapping[str, date]) -> pd.DataFrame:
    """Stack the counters of several snapshots into one table of readings.

    Parameters
    ----------
    frames
        Version name to canonical frame (see :mod:`analysis.snapshot.schema`).
        A frame with a column ``day`` carries its own day a row; the others
        take theirs from `days`. Rows whose ``repeated_from`` is not null are
        repeats of an earlier day and no observations: they are left out. A
        column ``spread`` says by how many days the day may be too early.
    days
        Version name to the day on which the source read the counters.

    Returns
    -------
    pandas.DataFrame
        ``repository_id``; ``day`` (proleptic ordinal, days); ``spread`` (days: the
        counter was read on one of the days from ``day`` to ``day + spread``; 0
        where the day is known); ``measure`` (one of :data:`MEASURES`); ``value``
        (requests); ``source`` (version name). Sorted, without exact duplicates.
    """
    parts: list[pd.DataFrame] = []
    for name in sorted(frames):
        frame = frames[name]
        if "repeated_from" in frame.columns:
            frame = frame[frame["repeated_from"].isna()]
        if "day" in frame.columns:
            ordinal = pd.to_datetime(frame["day"]).map(pd.Timestamp.toordinal)
        else:
            ordinal = pd.Series(days[name].toordinal(), index=frame.index)
        spread = frame["spread"] if "spread" in frame.columns else pd.Series(0, index=frame.index)
        for measure in MEASURES:
            if measure not in frame.columns:
                continue
            known = frame[measure].notna()
            if not known.any():
                continue
            parts.append(
                pd.DataFrame(
                    {
                        "repository_id": frame.loc[known, "repository_id"].astype("str"),
                        "day": ordinal[known].astype("int64"),
                        "spread": spread[known].astype("int64"),
                        "measure": measure,
                        "value": frame.loc[known, measure].astype("int64"),
                        "source": name,
                    }
                )
            )
    if not parts:
        return empty()
    table = pd.concat(parts, ignore_index=True).drop_duplicates()
    return table.sort_values(list(COLUMNS), kind="stable", ignore_index=True)


def on_day(
    readings: pd.DataFrame, day: date, measure: str = "downloads_30d", within: int = 0
) -> pd.Series:
    """Counters read on `day`, or as near to it as `within` days.

    Where several sources read one repository equally near, the largest value
    stands (a counter that one source caught mid-refresh is too low, never too
    high); where one is nearer, the nearer stands.

    Returns
    -------
    pandas.Series
        ``value`` by ``repository_id``, sorted by id.
    """
    target = day.toordinal()
    rows = readings[(readings["measure"] == measure) & (readings["spread"] == 0)]
    gap = (rows["day"] - target).abs()
    rows = rows.assign(gap=gap)[gap <= within]
    rows = rows.sort_values(
        ["repository_id", "gap", "value"], ascending=[True, True, False], kind="stable"
    )
    return rows.drop_duplicates("repository_id").set_index("repository_id")["value"]


def agreement(readings: pd.DataFrame, measure: str = "downloads_30d") -> pd.DataFrame:
    """How many counters agree where two sources read the same repository on the same day.

    Agreement shows faithful copying of one counter, not that the counter is right.

    Returns
    -------
    pandas.DataFrame
        One row a day and pair of sources: ``day``, ``first``, ``second``,
        ``common`` (repositories), ``equal``, ``median_difference`` (relative to
        the second).
    """
    rows = readings[readings["measure"] == measure]
    rows = rows.sort_values("value", kind="stable").drop_duplicates(
        ["repository_id", "day", "source"], keep="last"
    )
    pairs = rows.merge(rows, on=["repository_id", "day"], suffixes=("_first", "_second"))
    pairs = pairs[pairs["source_first"] < pairs["source_second"]]
    if pairs.empty:
        return pd.DataFrame(
            columns=["day", "first", "second", "common", "equal", "median_difference"]
        )
    pairs = pairs.assign(
        equal=pairs["value_first"] == pairs["value_second"],
        difference=(pairs["value_first"] - pairs["value_second"]).abs()
        / pairs["value_second"].clip(lower=1),
    )
    grouped = pairs.groupby(["day", "source_first", "source_second"], sort=True)
    table = grouped.agg(
        common=("repository_id", "size"),
        equal=("equal", "sum"),
        median_difference=("difference", "median"),
    ).reset_index()
    table["day"] = table["day"].map(lambda n: date.fromordinal(int(n)).isoformat())
    return table.rename(columns={"source_first": "first", "source_second": "second"})
