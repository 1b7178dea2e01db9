"""Bulk uploads: bases whose derivatives came late, suddenly and in masses, and stopped again.

A count of derivatives has outliers just as a count of downloads has: somebody's script can hang
ten thousand adapters on one base within weeks. The rule is declared in ``data/bulk.toml`` before
it is run and is the same for every family. It looks at the shape of a base's monthly counts and at
nothing else: no name, no family, no date. It does not say that the uploads are worthless, only that
they do not belong to the level at which the base stood before and after.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from analysis.entries import checked


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sensitivity(_Strict):
    """Other settings of each constant, for the sensitivity table."""

    ratio: tuple[float, ...]
    minimum: tuple[int, ...]
    after: tuple[int, ...]
    share: tuple[float, ...]
    back: tuple[float, ...]
    reason: str = Field(min_length=10)


class BulkRule(_Strict):
    """The declared rule (``data/bulk.toml``)."""

    ratio: float = Field(gt=1)
    ratio_reason: str = Field(min_length=10)
    minimum: int = Field(gt=0)
    minimum_reason: str = Field(min_length=10)
    after: int = Field(ge=1)
    after_reason: str = Field(min_length=10)
    share: float = Field(gt=0, le=1)
    share_reason: str = Field(min_length=10)
    back: float = Field(ge=0, le=1)
    back_reason: str = Field(min_length=10)
    sensitivity: Sensitivity


def parse(mapping: Mapping[str, object]) -> BulkRule:
    """Validate the content of ``data/bulk.toml``; InputError names a wrong entry."""
    return checked(BulkRule, mapping, "data/bulk.toml")


#: Columns of a table of monthly gains.
GAINS = ["repository_id", "month", "derivatives", "gained", "rate"]


def gains(counts: pd.DataFrame) -> pd.DataFrame:
    """Turn cumulative counts into what each month brought.

    Parameters
    ----------
    counts
        ``repository_id``, ``month`` and cumulative ``derivatives``, as the kind
        ``derivative-counts`` gives them.

    Returns
    -------
    pandas.DataFrame
        One row a base and month: :data:`GAINS`. ``gained`` since the row before, at least 0 (a
        count that falls has lost repositories, it has not gained a negative number); ``rate`` is
        the same for one month where months are missing in between. The first row of a base has
        its whole count as gain.
    """
    table = counts[["repository_id", "month", "derivatives"]].sort_values(
        ["repository_id", "month"], kind="stable", ignore_index=True
    )
    table = table.astype({"month": "int64", "derivatives": "int64"})
    by = table.groupby("repository_id", sort=False)
    before = by["derivatives"].cummax().groupby(table["repository_id"], sort=False).shift()
    gained = (table["derivatives"] - before.fillna(0)).clip(lower=0).astype("int64")
    apart = by["month"].diff().fillna(1).clip(lower=1)
    return table.assign(gained=gained, rate=gained / apart)[GAINS]


def waves(counts: pd.DataFrame, rule: BulkRule) -> pd.DataFrame:
    """Name the months in which a base gained derivatives late, suddenly and in masses.

    A month is named when it lies more than ``after`` months behind the release and brought at
    least ``minimum`` derivatives and at least ``ratio`` times the median of the base's earlier
    months (of those not named themselves, so that a wave does not raise the level it is measured
    by; of at least one derivative a month, so that a base of zeros is no wave at its first).

    Returns
    -------
    pandas.DataFrame
        ``repository_id``, ``month``, ``gained``, ``level`` (the median), sorted.
    """
    table = gains(counts)
    rows: list[tuple[str, int, int, float]] = []
    # Few bases ever gain that much in a month: only those are walked through.
    loud = table.loc[table["gained"] >= rule.minimum, "repository_id"].unique()
    for name, part in table[table["repository_id"].isin(loud)].groupby("repository_id", sort=True):
        quiet: list[float] = []
        for month, gained, rate in zip(part["month"], part["gained"], part["rate"], strict=True):
            level = max(1.0, float(np.median(quiet))) if quiet else 1.0
            late = month > rule.after and len(quiet) >= rule.after
            if late and gained >= rule.minimum and rate >= rule.ratio * level:
                rows.append((str(name), int(month), int(gained), level))
            elif month > 0:
                # Month 0 is the day of the release: nothing can have been built yet.
                quiet.append(float(rate))
    return pd.DataFrame(rows, columns=["repository_id", "month", "gained", "level"])


def bases(counts: pd.DataFrame, rule: BulkRule) -> pd.DataFrame:
    """Give every base that has a wave, and whether the rule names it a bulk upload.

    Parameters
    ----------
    counts
        Cumulative counts by base and month.
    rule
        The declared rule.

    Returns
    -------
    pandas.DataFrame
        ``repository_id``, ``first``, ``last`` (months of the waves), ``waved`` (derivatives that
        came in them), ``excess`` (the same above the base's own level), ``derivatives`` (all),
        ``share`` (the part that came in waves), ``peak`` (largest month), ``ending`` (gain of the
        last month counted), ``bulk``; sorted by name.
    """
    found = waves(counts, rule)
    table = gains(counts)
    ordered = table.groupby("repository_id")
    total = ordered["derivatives"].max()
    ending = ordered["gained"].last()
    peak = ordered["gained"].max()
    excess = (found["gained"] - found["level"]).clip(lower=0)
    by = found.assign(excess=excess).groupby("repository_id", sort=True)
    out = pd.DataFrame(
        {
            "first": by["month"].min(),
            "last": by["month"].max(),
            "waved": by["gained"].sum(),
            "excess": by["excess"].sum(),
        }
    )
    out = out.assign(
        derivatives=total.reindex(out.index),
        peak=peak.reindex(out.index),
        ending=ending.reindex(out.index),
    )
    out["share"] = out["waved"] / out["derivatives"]
    out["bulk"] = (out["share"] >= rule.share) & (out["ending"] <= rule.back * out["peak"])
    names = ["first", "last", "waved", "excess", "derivatives", "share", "peak", "ending", "bulk"]
    return out[names].reset_index()


def named(counts: pd.DataFrame, rule: BulkRule) -> frozenset[str]:
    """Return the bases that the rule names."""
    table = bases(counts, rule)
    return frozenset(str(name) for name in table.loc[table["bulk"], "repository_id"])


def settings(rule: BulkRule) -> list[tuple[str, float, BulkRule]]:
    """Every setting of the sensitivity table: the constant moved, its value, the rule.

    The declared rule comes first, as ``("declared", nan, rule)``.
    """
    out: list[tuple[str, float, BulkRule]] = [("declared", float("nan"), rule)]
    for name in ("ratio", "minimum", "after", "share", "back"):
        for value in getattr(rule.sensitivity, name):
            if value != getattr(rule, name):
                out.append((name, float(value), rule.model_copy(update={name: value})))
    return out
