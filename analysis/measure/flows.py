"""Downloads by country from a panel of all-time counters.

The panel is rolling: a repository leaves it a year after its creation, so a
sum over it falls when a popular one ages out. Only differences over
repositories present on both days mean anything; a repository created between
two days brings all it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd

CHINA, USA = "China", "United States of America"

_COLUMNS = {"publisher": "country", "base": "derived_country"}


@dataclass(frozen=True)
class Crossing:
    """When one series passes another: between two readings.

    Attributes
    ----------
    month
        Month (``YYYY-MM``) from which it is ahead for good: `first` for single spans,
        `last` for cumulative sums.
    first, last
        Months between which the change lies: `first` is the first month of which the
        larger half lies after the last span with the other ahead, `last` that of the
        last day of the first span in which it is ahead for good.
    """

    month: str
    first: str
    last: str


def by_country(
    panel: pd.DataFrame,
    attribution: str = "publisher",
    repackagers: bool = False,
    leave_out: frozenset[str] = frozenset(),
    span: int = 28,
) -> pd.DataFrame:
    """Count what repositories of China and of the US gain between readings four weeks apart.

    Parameters
    ----------
    panel
        Frame of kind hub-panel; rows whose ``repeated_from`` is set are left out
        (days on which the dump was out).
    attribution
        ``publisher``: country of who published; ``base``: of who made the base model.
    repackagers
        Count publishers without a country (users, online communities) with the
        country of their base's maker.
    leave_out
        Repositories to leave out (bursts).
    span
        Least days between two readings.

    Returns
    -------
    pandas.DataFrame
        ``from``, ``to`` (ISO days), ``repositories`` (present on both days or created
        between), ``left`` (present on the first day only), ``china``, ``usa``
        (requests per 30 days; a counter that was corrected downwards counts
        negative), ``days`` (between the two). Empty with fewer than two readings.
    """
    rows = panel
    if "repeated_from" in rows.columns:
        rows = rows[rows["repeated_from"].isna()]
    rows = rows[~rows["repository_id"].isin(leave_out)]
    country = rows[_COLUMNS[attribution]]
    if repackagers and attribution == "publisher":
        own = rows["country"].isin([CHINA, USA])
        stateless = ~own & rows["country"].isin(["user", "Online", "International", "HF"])
        country = country.mask(stateless, rows["derived_country"])
    rows = rows.assign(nation=country)
    days = sorted(rows["day"].dropna().unique())
    chosen = days[:1]
    for day in days[1:]:
        if day - chosen[-1] >= timedelta(days=span):
            chosen.append(day)
    by_day = {
        day: part.drop_duplicates("repository_id", keep="last").set_index("repository_id")
        for day, part in rows[rows["day"].isin(chosen)].groupby("day", sort=True)
    }
    out = []
    for start, end in pairwise(chosen):
        first, second = by_day[start], by_day[end]
        earlier = first["downloads_all_time"].reindex(second.index)
        created = pd.to_datetime(second["created_at"], utc=True).dt.tz_localize(None)
        new = earlier.isna() & (created >= pd.Timestamp(start)).fillna(False)
        gained = (second["downloads_all_time"] - earlier.fillna(0)).where(earlier.notna() | new)
        present = gained.notna()
        gap = (end - start).days
        sums = gained[present].groupby(second.loc[present, "nation"]).sum() * 30 / gap
        out.append(
            {
                "from": pd.Timestamp(start).date().isoformat(),
                "to": pd.Timestamp(end).date().isoformat(),
                "repositories": int(present.sum()),
                "left": int((~first.index.isin(second.index)).sum()),
                "china": float(sums.get(CHINA, 0.0)),
                "usa": float(sums.get(USA, 0.0)),
                "days": gap,
            }
        )
    columns = ["from", "to", "repositories", "left", "china", "usa", "days"]
    return pd.DataFrame(out, columns=columns)


def crossing(table: pd.DataFrame, cumulative: bool = False) -> Crossing | None:
    """First span from which China stays ahead of the US to the end of the table.

    Parameters
    ----------
    table
        Result of :func:`by_country`.
    cumulative
        Compare the sums since the table's first day instead of each span.

    Returns
    -------
    Crossing or None
        None where China is behind at the end, or ahead from the first span on: then
        no crossing lies in the table.
    """
    china, usa = table["china"] * table["days"], table["usa"] * table["days"]
    if cumulative:
        china, usa = china.cumsum(), usa.cumsum()
    ahead = (china > usa).to_numpy()
    if len(ahead) == 0 or not ahead[-1]:
        return None
    place = len(ahead)
    while place > 0 and ahead[place - 1]:
        place -= 1
    if place == 0:
        return None
    row = table.iloc[place]
    # The span before still had the other ahead, so a month counts from the first of
    # which the larger half lies in this span; labels are days of the panel.
    first = date.fromisoformat(str(row["from"])) + timedelta(days=15)
    last = date.fromisoformat(str(row["to"]))
    middle = first if not cumulative else last
    return Crossing(middle.strftime("%Y-%m"), first.strftime("%Y-%m"), last.strftime("%Y-%m"))
