"""How fast something is added: before and after a day, by month, and in a panel of counters.

A count by month since release says of each addition only in which month of the
base's life it came. Such a step overlaps a window of days wholly, in part or not at
all. So a sum over a window is an interval: what must lie in it, and what may. Its
value shares a step out evenly over its days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.entries import checked
from analysis.measure import bulk


class Placebo(BaseModel):
    """Other days for which a change of pace is taken (``data/pace.toml``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    windows: tuple[int, ...] = Field(min_length=1)
    windows_reason: str = Field(min_length=10)
    first: int = Field(lt=0)
    first_reason: str = Field(min_length=10)
    reach: int = Field(gt=0)
    reach_reason: str = Field(min_length=10)

    @model_validator(mode="after")
    def _reached(self) -> Placebo:
        wrong = [months for months in self.windows if not 0 < months < self.reach]
        if wrong:
            raise ValueError(f"a window of {wrong[0]} months does not end within the reach")
        return self

    def shifts(self, months: int) -> range:
        """Return the days that a window of so many months allows, in months from the event."""
        return range(self.first, self.reach - months)


def parse(mapping: Mapping[str, object]) -> Placebo:
    """Validate the content of ``data/pace.toml``; InputError names a wrong entry."""
    return checked(Placebo, mapping, "data/pace.toml")


@dataclass(frozen=True)
class Amount:
    """A number with the interval that the data leave it."""

    value: float
    lower: float
    upper: float

    def over(self, other: Amount) -> Amount:
        """Return the quotient: infinite over nothing, NaN where both are nothing."""
        return Amount(
            _quotient(self.value, other.value),
            _quotient(self.lower, other.upper),
            _quotient(self.upper, other.lower),
        )


def _quotient(part: float, whole: float) -> float:
    if whole == 0:
        return float("nan") if part == 0 else float("inf")
    return part / whole


def steps(counts: pd.DataFrame) -> pd.DataFrame:
    """Turn counts by month since release into steps with days.

    Parameters
    ----------
    counts
        Kind ``derivative-counts``: ``repository_id``, ``created_at``, ``month``,
        ``derivatives``. The count of month k is that k calendar months after creation.

    Returns
    -------
    pandas.DataFrame
        ``repository_id``, ``start``, ``end`` (days as ordinals, the end not included),
        ``gained``, ``created`` (day of the base); steps without a gain are left out.
    """
    gained = bulk.gains(counts)
    created = counts.drop_duplicates("repository_id").set_index("repository_id")["created_at"]
    before = gained.groupby("repository_id", sort=False)["month"].shift()
    table = gained.assign(before=before.fillna(gained["month"] - 1).clip(lower=0))
    table = table[table["gained"] > 0].reset_index(drop=True)
    born = pd.to_datetime(table["repository_id"].map(created), utc=True).dt.tz_localize(None)
    known = born.notna().to_numpy()
    table, born = table[known].reset_index(drop=True), born[known].reset_index(drop=True)
    out = pd.DataFrame({"repository_id": table["repository_id"], "gained": table["gained"]})
    for name, months in (("start", table["before"]), ("end", table["month"])):
        out[name] = [
            (day + pd.DateOffset(months=int(month))).toordinal()
            for day, month in zip(born, months, strict=True)
        ]
    # A gain on the day of the release itself still takes that day.
    out["end"] = np.maximum(out["end"], out["start"] + 1)
    out["created"] = [day.toordinal() for day in born]
    return out[["repository_id", "start", "end", "gained", "created"]]


def days_of(created: pd.Series) -> pd.DataFrame:
    """Return steps of one day each, for things whose day is known."""
    day = [stamp.toordinal() for stamp in created]
    return pd.DataFrame({"start": day, "end": [d + 1 for d in day], "gained": 1})


def within(table: pd.DataFrame, first: date, last: date) -> Amount:
    """Sum the steps over the days from `first` to `last`, the last not included."""
    low, high = first.toordinal(), last.toordinal()
    start, end = table["start"].to_numpy("float64"), table["end"].to_numpy("float64")
    gained = table["gained"].to_numpy("float64")
    overlap = (np.minimum(end, high) - np.maximum(start, low)).clip(min=0)
    part = overlap / (end - start)
    whole = (start >= low) & (end <= high)
    return Amount(
        float((gained * part).sum()),
        float(gained[whole].sum()),
        float(gained[overlap > 0].sum()),
    )


def change(table: pd.DataFrame, day: date, months: int) -> Amount:
    """Divide what came in so many months from `day` by what came in as many before."""
    start = (pd.Timestamp(day) - pd.DateOffset(months=months)).date()
    end = (pd.Timestamp(day) + pd.DateOffset(months=months)).date()
    return within(table, day, end).over(within(table, start, day))


def whole_change(table: pd.DataFrame, day: date, months: int) -> Amount:
    """Divide whole months of each base after `day` by as many before, `day`'s own left out.

    The months of a base begin on the day of the month on which it was created. The one
    in which `day` falls belongs to neither side, so nothing has to be shared out and the
    result is exact. Of a base younger than `day` every month counts that ends within
    `months` calendar months of it.

    Parameters
    ----------
    table
        As :func:`steps` gives it.
    """
    pivot = pd.Timestamp(day)
    until = pivot + pd.DateOffset(months=months)
    before = after = 0.0
    for created, part in table.groupby("created", sort=True):
        born = pd.Timestamp(date.fromordinal(int(str(created))))
        start, end = part["start"].to_numpy(), part["end"].to_numpy()
        gained = part["gained"].to_numpy("float64")
        if born > pivot:
            after += float(gained[end <= until.toordinal()].sum())
            continue
        age = (pivot.year - born.year) * 12 + pivot.month - born.month
        if born + pd.DateOffset(months=age) > pivot:
            age -= 1
        edges = [
            (born + pd.DateOffset(months=age + k)).toordinal() for k in (-months, 0, 1, months + 1)
        ]
        before += float(gained[(start >= edges[0]) & (end <= edges[1])].sum())
        after += float(gained[(start >= edges[2]) & (end <= edges[3])].sum())
    value = _quotient(after, before)
    return Amount(value, value, value)


def by_month(table: pd.DataFrame, months: Iterable[str]) -> pd.DataFrame:
    """Sum the steps over calendar months: ``month``, ``value``, ``lower``, ``upper``."""
    rows = []
    for month in months:
        first = pd.Timestamp(f"{month}-01")
        got = within(table, first.date(), (first + pd.DateOffset(months=1)).date())
        rows.append({"month": month, "value": got.value, "lower": got.lower, "upper": got.upper})
    return pd.DataFrame(rows, columns=["month", "value", "lower", "upper"])


def panel_flows(
    panel: pd.DataFrame, groups: Mapping[str, str], days: Iterable[date]
) -> pd.DataFrame:
    """Sum what each group of repositories gained between days of a panel of all-time counters.

    A repository counts between two days if it stands on both, or stands on the second
    and was created after the first (then with all it has). One that left the panel
    counts no more; a counter that fell counts as no gain.

    Parameters
    ----------
    panel
        ``day``, ``repository_id``, ``downloads_all_time``, ``created_at``.
    groups
        Group by repository; the others are left out.
    days
        Days that the panel holds, in order.

    Returns
    -------
    pandas.DataFrame
        ``first``, ``last``, ``group``, ``gained``, ``repositories``.
    """
    wanted = sorted(days)
    columns = ["day", "repository_id", "downloads_all_time", "created_at"]
    known = panel[columns].dropna(subset=["downloads_all_time"])
    at = {
        day: known[known["day"] == pd.Timestamp(day)]
        .drop_duplicates("repository_id")
        .set_index("repository_id")
        for day in wanted
    }
    rows = []
    for first, last in pairwise(wanted):
        old, new = at[first]["downloads_all_time"], at[last]
        start = old.reindex(new.index).astype("Float64")
        born = new["created_at"].dt.tz_localize(None) >= pd.Timestamp(first)
        start = start.mask(start.isna() & born, 0)
        gain = (new["downloads_all_time"].astype("Float64") - start).clip(lower=0).dropna()
        label = pd.Series([groups.get(str(name)) for name in gain.index], index=gain.index)
        for group in sorted({str(name) for name in label.dropna()}):
            own = gain[(label == group).fillna(False).to_numpy(dtype=bool)]
            rows.append(
                {
                    "first": first.isoformat(),
                    "last": last.isoformat(),
                    "group": group,
                    "gained": float(own.sum()),
                    "repositories": len(own),
                }
            )
    return pd.DataFrame(rows, columns=["first", "last", "group", "gained", "repositories"])
