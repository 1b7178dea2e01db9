"""Bursts: repositories whose counter leaves its own level for a while and comes back.

Automated traffic can lift one repository by orders of magnitude for weeks.
The rule is declared in ``data/outliers.toml`` before it is run and is the same
for every family. It names repository-days; every headline number exists with
and without them. It does not say that the requests were not made, only that
they do not belong to the level at which the repository stood before and after.

The dip rule names days on which the head of the whole Hub falls together: the
counter, not the repositories, misbehaved.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from analysis.entries import checked
from analysis.measure.bounds import WINDOW, History, settle


class BurstRule(BaseModel):
    """The declared rule (``data/outliers.toml``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ratio: float = Field(gt=1)
    ratio_reason: str
    sensitivity: tuple[float, ...]
    sensitivity_reason: str
    minimum_excess: int = Field(gt=0)
    minimum_excess_reason: str
    near: int
    near_reason: str
    far: int
    far_reason: str
    dip: float = Field(gt=0, lt=1)
    dip_reason: str
    dip_reach: int
    dip_reach_reason: str


def parse(mapping: Mapping[str, object]) -> BurstRule:
    """Validate the content of ``data/outliers.toml``; InputError names a wrong entry."""
    return checked(BurstRule, mapping, "data/outliers.toml")


def derived_rolling(history: History) -> tuple[tuple[int, int], ...]:
    """30-day counters implied by all-time readings 28 to 32 days apart, scaled to 30 days."""
    settled = [(first, value) for first, _, value in settle(history.all_time)]
    out: list[tuple[int, int]] = []
    for place, (day, value) in enumerate(settled):
        spans = [
            (abs(day - d - WINDOW), day - d, v) for d, v in settled[:place] if 28 <= day - d <= 32
        ]
        if spans:
            _, gap, earlier = min(spans)
            out.append((day, round((value - earlier) * WINDOW / gap)))
    return tuple(out)


def _level(points: list[tuple[int, float]]) -> float | None:
    """Return the lowest reading: where the repository stood at its quietest.

    The quietest, not the middle: a burst came back when the repository stood low at
    some time before and at some time after, whatever else happened in between.
    A stall repeats a reading and a dip of the whole counter takes a third, so
    neither makes a level by itself.
    """
    return min((value for _, value in points), default=None)


def bursts(
    histories: Mapping[str, History],
    family: Mapping[str, str | None],
    rule: BurstRule,
    ratio: float | None = None,
) -> pd.DataFrame:
    """Name the repository-days that the burst rule catches.

    A reading is a burst when it exceeds `ratio` times the repository's own level
    on *both* sides (its lowest reading ``near`` to ``far`` days before, and after;
    where the repository was outside a complete head list, the list's last
    entry bounds it, which can only hide a burst) and `ratio` times what its family did
    over the same time, by at least ``minimum_excess`` requests. A launch stays up
    and is no burst; a lasting rise is none. Readings named a burst no longer
    count towards the level that is reported; a level taken without them is never
    lower, so the rule names nothing more by being repeated.

    Where the first all-time reading comes more than two windows after creation, the
    mean rate up to it takes the part of a reading (``kind`` = ``"before first
    reading"``).

    Parameters
    ----------
    histories
        Readings, ceilings and day of creation by repository.
    family
        Family by repository (null or absent: none).
    rule
        The declared rule.
    ratio
        Another ratio than the declared one, for the sensitivity table.

    Returns
    -------
    pandas.DataFrame
        ``repository_id``, ``family``, ``day`` (ordinal), ``value``, ``level``,
        ``ratio``, ``excess`` (requests), ``kind``; sorted.
    """
    k = rule.ratio if ratio is None else ratio
    points = {name: _points(histories[name]) for name in sorted(histories)}
    kin: dict[str, list[str]] = {}
    for name in points:
        own = family.get(name)
        if own is not None:
            kin.setdefault(own, []).append(name)
    rows: list[tuple[object, ...]] = []
    for name, known in points.items():
        own = family.get(name)
        loud = [p for p in known if p[1] >= rule.minimum_excess]
        named = {
            day: (value, level)
            for day, value in loud
            if (level := _both_sides(known, histories[name], day, rule)) is not None
            and value >= k * max(level, 1.0)
            and value - level >= rule.minimum_excess
            and value >= k * max(level, 1.0) * _common(points, kin, family, name, day, rule)
        }
        quiet = [p for p in known if p[0] not in named]
        for day in sorted(named):
            value = named[day][0]
            level = _both_sides(quiet, histories[name], day, rule)
            level = named[day][1] if level is None else level
            rows.append(
                (name, own, day, value, level, value / max(level, 1.0), value - level, "reading")
            )
        early = _before_first(histories[name], quiet, rule)
        if early is not None:
            day, rate, level, excess = early
            if rate >= k * max(level, 1.0) and excess >= rule.minimum_excess:
                rows.append(
                    (
                        name,
                        own,
                        day,
                        rate,
                        level,
                        rate / max(level, 1.0),
                        excess,
                        "before first reading",
                    )
                )
    columns = ["repository_id", "family", "day", "value", "level", "ratio", "excess", "kind"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["repository_id", "day", "kind"], ignore_index=True
    )


def _points(history: History) -> list[tuple[int, float]]:
    """30-day counters, read and derived, as (day, value)."""
    read = {day for day, _ in history.rolling}
    return [(d, float(v)) for d, v in history.rolling] + [
        (d, float(v)) for d, v in derived_rolling(history) if d not in read
    ]


def _both_sides(
    quiet: list[tuple[int, float]], history: History, day: int, rule: BurstRule
) -> float | None:
    """Return the larger of the levels before and after `day`; None when one is unknown."""
    before = _level([p for p in quiet if rule.near <= day - p[0] <= rule.far])
    after = _level([p for p in quiet if rule.near <= p[0] - day <= rule.far])
    lid = _level([(d, float(v)) for d, v in history.ceilings if rule.near <= d - day <= rule.far])
    if lid is not None:
        after = lid if after is None else min(after, lid)
    return None if before is None or after is None else max(before, after)


def _common(
    points: Mapping[str, list[tuple[int, float]]],
    kin: Mapping[str, list[str]],
    family: Mapping[str, str | None],
    name: str,
    day: int,
    rule: BurstRule,
) -> float:
    """Return what the family did over the same time: median rise of its others, at least 1.

    The others read on `day` and ``near`` to ``far`` days before, against their own
    median; 1 where fewer than five were.
    """
    moves = []
    for other in kin.get(family.get(name) or "", []):
        now = [v for d, v in points[other] if d == day]
        if other == name or not now:
            continue
        then = [v for d, v in points[other] if rule.near <= day - d <= rule.far]
        if then and float(np.median(then)) > 0:
            moves.append(now[0] / float(np.median(then)))
    return max(1.0, float(np.median(moves))) if len(moves) >= 5 else 1.0


def _before_first(
    history: History, quiet: list[tuple[int, float]], rule: BurstRule
) -> tuple[int, float, float, float] | None:
    """Mean rate up to the first all-time reading: (day, rate a window, level after, excess)."""
    settled = settle(history.all_time)
    if not settled or history.created is None:
        return None
    first, _, total = settled[0]
    age = first - history.created
    later = _level([p for p in quiet if rule.near <= p[0] - first <= rule.far])
    if age <= 2 * WINDOW or later is None:
        return None
    return first, total * WINDOW / age, later, total - later * age / WINDOW


def episodes(table: pd.DataFrame, gap: int = 21) -> pd.DataFrame:
    """Join the burst days of a repository that lie at most `gap` days apart into episodes.

    Returns
    -------
    pandas.DataFrame
        ``repository_id``, ``family``, ``kind``, ``first``, ``last`` (ISO days),
        ``days`` (number of readings), ``peak``, and of the peak ``level``, ``ratio``,
        ``excess``.
    """
    columns = ["repository_id", "family", "kind", "first", "last"]
    columns += ["days", "peak", "level", "ratio", "excess"]
    rows: list[tuple[object, ...]] = []
    for (name, kind), group in table.groupby(["repository_id", "kind"], sort=True):
        group = group.sort_values("day")
        number = (group["day"].diff() > gap).cumsum()
        for _, part in group.groupby(number):
            top = part.iloc[int(part["value"].to_numpy().argmax())]
            rows.append(
                (
                    name,
                    top["family"],
                    kind,
                    date.fromordinal(int(part["day"].min())).isoformat(),
                    date.fromordinal(int(part["day"].max())).isoformat(),
                    len(part),
                    float(top["value"]),
                    float(top["level"]),
                    float(top["ratio"]),
                    float(top["excess"]),
                )
            )
    return pd.DataFrame(rows, columns=columns)


def without(readings: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Put each burst reading back to the repository's own level.

    The repository is not dropped: it keeps the downloads it had before and after.
    All-time readings stay as they are; their excess is in `table`.
    """
    flagged = table[table["kind"] == "reading"]
    levels = flagged.set_index(["repository_id", "day"])["level"]
    keys = pd.MultiIndex.from_arrays([readings["repository_id"], readings["day"]])
    level = levels.reindex(keys).to_numpy()
    rolling = (readings["measure"] == "downloads_30d").to_numpy()
    value = readings["value"].to_numpy(dtype="float64")
    replaced = np.where(rolling & ~np.isnan(level), np.minimum(level, value), value)
    return readings.assign(value=np.round(replaced).astype("int64"))


def dips(totals: pd.Series, rule: BurstRule) -> pd.DataFrame:
    """Name the days on which a head list's total falls below its neighbours.

    Parameters
    ----------
    totals
        Sum of the list by day (ordinal), one list depth only.

    Returns
    -------
    pandas.DataFrame
        ``day`` (ISO), ``total``, ``neighbours`` (the smaller of the medians of
        the totals within ``dip_reach`` days before and after, that leave out
        the day itself), ``fall`` (share lost).
    """
    totals = totals.sort_index()
    rows = []
    for day, total in totals.items():
        number = int(str(day))
        before = totals[(totals.index < number) & (totals.index >= number - rule.dip_reach)]
        after = totals[(totals.index > number) & (totals.index <= number + rule.dip_reach)]
        if before.empty or after.empty:
            continue
        around = min(float(before.median()), float(after.median()))
        if total < (1 - rule.dip) * around:
            rows.append(
                (date.fromordinal(number).isoformat(), float(total), around, 1 - total / around)
            )
    return pd.DataFrame(rows, columns=["day", "total", "neighbours", "fall"])
