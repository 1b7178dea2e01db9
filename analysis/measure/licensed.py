"""What repositories declare: the licence of each, from several files, and groups of licences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from analysis.measure.licences import LicenceRules
from analysis.snapshot.shaping import licence_of_tags

#: What stands in place of a group where nothing is declared.
UNDECLARED: Final = "undeclared"
#: The Hub's id for a licence that is none of its list.
OTHER: Final = "other"

_COLUMNS: Final = ("repository_id", "day", "declared", "name", "created")
_SIZE: Final = re.compile(r"(?<![a-z0-9._])(\d+(?:[._]\d+)?)([mbt])(?![a-z0-9])", re.IGNORECASE)
_SCALE: Final = {"m": 1e6, "b": 1e9, "t": 1e12}


def readings(frames: Mapping[str, pd.DataFrame], days: Mapping[str, date]) -> pd.DataFrame:
    """Put the licences that several files give under one another.

    Parameters
    ----------
    frames
        Canonical frames by version name, each with ``repository_id`` and ``licence``;
        optional ``licence_name``, ``tags``, ``created_at``.
    days
        The day of each.

    Returns
    -------
    pandas.DataFrame
        ``repository_id, day, declared`` (licence id, null where none is declared),
        ``name`` (that the card gives to a licence of its own), ``created`` (day, null
        where not read). A file that writes the name in place of ``other`` is told by its tags.
    """
    parts = []
    for version in sorted(frames):
        frame = frames[version]
        given = frame["licence"].astype("object")
        declared = given
        if "tags" in frame.columns:
            tagged = licence_of_tags(frame["tags"]).astype("object")
            declared = tagged.where(tagged.notna(), given)
        name = pd.Series([None] * len(frame), index=frame.index, dtype="object")
        if "licence_name" in frame.columns:
            name = frame["licence_name"].astype("object")
        own = (declared == OTHER) & given.notna() & (given != OTHER)
        name = name.where(name.notna(), given.where(own, None))
        created = pd.Series([None] * len(frame), index=frame.index, dtype="object")
        if "created_at" in frame.columns:
            created = frame["created_at"].dt.date.astype("object")
        part = pd.DataFrame(
            {
                "repository_id": frame["repository_id"].astype("object"),
                "day": days[version],
                "declared": declared,
                "name": name,
                "created": created,
            }
        )
        parts.append(part)
    if not parts:
        return pd.DataFrame(columns=list(_COLUMNS), dtype="object")
    table = pd.concat(parts, ignore_index=True)
    for column in ("declared", "name", "created"):
        table[column] = table[column].where(table[column].notna(), None)
    return table


def known(
    table: pd.DataFrame, day: date, original: Callable[[str], str | None] | None = None
) -> pd.DataFrame:
    """Tell the licence of each repository on a day, from the reading nearest to it.

    A licence declared as ``other`` takes the name from the nearest reading that gives
    one, and, where none does and the repository is a copy, the name of what it copies.

    Parameters
    ----------
    table
        As :func:`readings` makes it.
    day
        The day asked for. Repositories created later are left out.
    original
        From a repository's id to the id of what it copies in the same organisation,
        in lower case, None where it copies nothing.

    Returns
    -------
    pandas.DataFrame
        Index ``repository_id``; ``declared``, ``name``, ``inherited`` (the name is that
        of the copied repository), ``read_on``, ``created``.
    """
    rows = table.copy()
    created = rows.dropna(subset=["created"]).groupby("repository_id", sort=True)["created"].min()
    rows["distance"] = [abs((read - day).days) for read in rows["day"]]
    rows = rows.sort_values(["repository_id", "distance", "day"], kind="stable")
    nearest = rows.drop_duplicates("repository_id").set_index("repository_id")
    named = rows.dropna(subset=["name"]).drop_duplicates("repository_id")
    names = named.set_index("repository_id")["name"]
    out = pd.DataFrame(
        {
            "declared": nearest["declared"],
            "name": nearest["name"],
            "inherited": False,
            "read_on": nearest["day"],
            "created": created.reindex(nearest.index),
        }
    )
    own = (out["declared"] == OTHER) & out["name"].isna()
    out.loc[own, "name"] = names.reindex(out.index[own]).to_numpy()
    if original is not None:
        by_id = {str(i).lower(): name for i, name in out["name"].items() if name is not None}
        own = (out["declared"] == OTHER) & out["name"].isna()
        for repository in out.index[own]:
            copied = original(str(repository))
            if copied is not None and isinstance(by_id.get(copied), str):
                out.loc[repository, ["name", "inherited"]] = [by_id[copied], True]
    for column in ("name", "created"):
        out[column] = out[column].astype("object").where(out[column].notna(), None)
    later = np.array([made is not None and made > day for made in out["created"]], dtype=bool)
    return out[~later]


def groups(table: pd.DataFrame, rules: LicenceRules, *, by_name: bool) -> pd.Series:
    """Return the group of each row's licence.

    Parameters
    ----------
    table
        As :func:`known` makes it.
    by_name
        Whether names count beside the declared id, and, where both say nothing, what the
        maker's texts say of the repository.
    """
    ids = {one: entry.id for entry in rules.group for one in entry.ids}
    names = {one: entry.id for entry in rules.group for one in entry.names}
    open_ = next(entry.id for entry in rules.group if entry.kind == "unnamed")

    def one(declared: str | None, name: str | None) -> str:
        if declared is not None and ids.get(declared, open_) != open_:
            return ids[declared]
        for word in (name, declared):
            if word is not None:
                found = names.get(word.lower(), ids.get(word.lower(), open_))
                if found != open_:
                    return found
        return UNDECLARED if declared is None and name is None else open_

    out = [
        one(declared, name if by_name else None)
        for declared, name in zip(table["declared"], table["name"], strict=True)
    ]
    if by_name:
        for entry in rules.stated:
            pattern = re.compile(entry.repositories)
            for place, repository in enumerate(table.index):
                if out[place] in (UNDECLARED, open_) and pattern.fullmatch(str(repository)):
                    out[place] = entry.group
    return pd.Series(out, index=table.index, dtype="object")


def kinds(rules: LicenceRules) -> dict[str, str]:
    """Return the kind of each group."""
    return {**{entry.id: entry.kind for entry in rules.group}, UNDECLARED: UNDECLARED}


def size_of(name: str) -> float:
    """Return the number of parameters that a repository's name gives, NaN where it gives none.

    The first one counts: a mixture of experts names its total before its active part.

    Examples
    --------
    >>> size_of("Qwen/Qwen3-30B-A3B"), size_of("Qwen/Qwen-1_8B-Chat")
    (30000000000.0, 1800000000.0)
    """
    found = _SIZE.search(name.split("/", 1)[-1])
    if found is None:
        return float("nan")
    return float(found[1].replace("_", ".")) * _SCALE[found[2].lower()]


def size_class(size: float, edges: tuple[float, ...]) -> str:
    """Name the class of a size: ``up to 2B``, ``2B to 5B``, ``above 50B``; ``not named``."""
    if np.isnan(size):
        return "not named"
    shown = [f"{edge / 1e9:g}B" for edge in edges]
    place = int(np.searchsorted(edges, size, side="left"))
    if place == 0:
        return f"up to {shown[0]}"
    return f"above {shown[-1]}" if place == len(edges) else f"{shown[place - 1]} to {shown[place]}"


def half_year(day: date) -> str:
    """Name the half-year of a day, ``2024-1`` or ``2024-2``."""
    return f"{day.year}-{1 if day.month < 7 else 2}"


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Compare the licences of repositories that two files read.

    Returns
    -------
    pandas.DataFrame
        ``first, second`` (days), ``both`` (repositories read on both), ``same`` (with
        the same declaration on both).
    """
    days: list[date] = sorted(set(table["day"]))
    rows = []
    for place, first in enumerate(days):
        for second in days[place + 1 :]:
            one, two = (
                table[table["day"] == day].set_index("repository_id")["declared"]
                for day in (first, second)
            )
            ids = one.index.intersection(two.index)
            a, b = one.reindex(ids), two.reindex(ids)
            same = (a == b) | (a.isna() & b.isna())
            rows.append((first, second, len(ids), int(same.sum())))
    return pd.DataFrame(rows, columns=["first", "second", "both", "same"])
