"""Which readings are new observations, and which repeat an earlier one.

The rule, declared here and not chosen per source: a counter above :data:`FLOOR` that equals the
same repository's counter in an earlier version to the last digit is a repeat, not a new
observation. Small counters repeat by chance and are left alone. A version in which nearly all such
counters repeat is a repeat as a whole; one in which a fair part does is a partial refresh.

The thresholds lie in the wide gap that the real files show: days on which the dump was out repeat
100 %, other days at most 5 % (all-time counters of repositories that nobody fetched that week).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Counters up to here repeat by chance.
FLOOR: Final = 1_000

#: From this share of repeated counters on a version is a repeat as a whole.
REPEAT_SHARE: Final = 0.95

#: From this share on it is a partial refresh.
PARTIAL_SHARE: Final = 0.25

#: With fewer comparable counters nothing is said of the version.
FEWEST: Final = 10


@dataclass(frozen=True, slots=True)
class Repeats:
    """Verdicts on versions and on rows.

    Attributes
    ----------
    versions : pandas.DataFrame
        A row a version, in the order given: ``version``; ``common`` (counters above the floor of
        repositories that an earlier version has too); ``equal`` (those of them that repeat);
        ``share`` (equal / common, NA without common ones); ``origin`` (the version that most of
        the repeated counters were first seen in, NA without any); ``verdict``: first, new,
        partial refresh, repeat, or too few to tell.
    rows : pandas.DataFrame
        A row a repeated counter: ``version``, ``repository_id``, ``counter``,
        ``repeated_from`` (the first version with that counter), ``verdict`` of the version.
    """

    versions: pd.DataFrame
    rows: pd.DataFrame


def repeats(frames: Mapping[str, pd.DataFrame], *, counter: str = "downloads_30d") -> Repeats:
    """Find the counters that repeat an earlier version's.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Version name to its rows, in order of time; columns ``repository_id`` and `counter`.
    counter : str
        The counter to compare; rolling or all-time.

    Returns
    -------
    Repeats
        Verdicts on versions and on rows.

    Raises
    ------
    InputError
        A frame lacks a needed column, or has two rows for one repository.

    Notes
    -----
    In a version judged new, single repeated rows may be chance or, for an all-time counter, a
    repository that nobody fetched; drop rows by ``verdict`` where that matters.
    """
    parts = []
    for place, (version, frame) in enumerate(frames.items()):
        for name in ("repository_id", counter):
            if name not in frame.columns:
                raise InputError(f"repeats: version {version!r} has no column {name!r}")
        if frame["repository_id"].duplicated().any():
            raise InputError(f"repeats: version {version!r} has two rows for one repository")
        part = frame[["repository_id", counter]].rename(columns={counter: "counter"})
        part = part[(part["counter"] > FLOOR).fillna(False).astype(bool)]
        parts.append(part.assign(place=place))
    names = list(frames)
    if not parts:
        empty = {"version": "string", "repository_id": "string", "counter": "Int64"}
        rows = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in empty.items()})
        rows["repeated_from"] = rows["verdict"] = pd.Series(dtype="string")
        return Repeats(_versions([], [], [], []), rows)
    every = pd.concat(parts, ignore_index=True)
    seen = every.groupby("repository_id")["place"].transform("min")
    origin = every.groupby(["repository_id", "counter"])["place"].transform("min")
    every["comparable"] = seen < every["place"]
    every["origin"] = origin
    repeated = every[origin < every["place"]]
    common = every[every["comparable"]].groupby("place").size()
    equal = repeated.groupby("place").size()
    versions = _versions(
        names,
        [int(common.get(place, 0)) for place in range(len(names))],
        [int(equal.get(place, 0)) for place in range(len(names))],
        [
            _most(repeated.loc[repeated["place"] == place, "origin"], names)
            for place in range(len(names))
        ],
    )
    verdict = dict(enumerate(versions["verdict"]))
    rows = pd.DataFrame(
        {
            "version": repeated["place"].map(dict(enumerate(names))).astype("string"),
            "repository_id": repeated["repository_id"].astype("string"),
            "counter": repeated["counter"].astype("Int64"),
            "repeated_from": repeated["origin"].map(dict(enumerate(names))).astype("string"),
            "verdict": repeated["place"].map(verdict).astype("string"),
        }
    )
    return Repeats(versions, rows.reset_index(drop=True))


def _most(origins: pd.Series[Any], names: list[str]) -> str | None:
    """Name the most frequent origin; the earliest of equals."""
    if origins.empty:
        return None
    counts = origins.value_counts().sort_index()
    most: int = counts.index[int(counts.to_numpy().argmax())]
    return names[most]


def _versions(
    names: list[str], common: list[int], equal: list[int], origin: list[str | None]
) -> pd.DataFrame:
    shares = [part / whole if whole else None for part, whole in zip(equal, common, strict=True)]
    verdicts = [
        _verdict(place, whole, share)
        for place, (whole, share) in enumerate(zip(common, shares, strict=True))
    ]
    return pd.DataFrame(
        {
            "version": pd.Series(names, dtype="string"),
            "common": pd.Series(common, dtype="Int64"),
            "equal": pd.Series(equal, dtype="Int64"),
            "share": pd.Series(shares, dtype="Float64"),
            "origin": pd.Series(origin, dtype="string"),
            "verdict": pd.Series(verdicts, dtype="string"),
        }
    )


def _verdict(place: int, common: int, share: float | None) -> str:
    if place == 0:
        return "first"
    if share is None or common < FEWEST:
        return "too few to tell"
    if share >= REPEAT_SHARE:
        return "repeat"
    return "partial refresh" if share >= PARTIAL_SHARE else "new"


def by_day(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Split rows that carry their own day into versions named by the day, in order of time.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with a column ``day``, as the panel's.

    Raises
    ------
    InputError
        The frame has no column ``day``.
    """
    if "day" not in frame.columns:
        raise InputError("repeats: the table has no column 'day'")
    return {
        f"{day:%Y-%m-%d}": part.reset_index(drop=True)
        for day, part in frame.groupby("day", sort=True)
    }
