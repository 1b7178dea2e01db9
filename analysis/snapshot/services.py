"""Readers of what is rented out: price tables of clouds, rankings of a router.

Both are maps or lists that a program wrote out of pages made for people. On a day on which the
page changed, such a program writes the right structure with nothing in it. For a ranking that is
content: it says what the source gave on that day, which is nothing, so it reads into no rows and
a note. A file without the structure is refused, as everywhere.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analysis.snapshot import intake
from analysis.snapshot.shaping import Snapshot, finish, rows_table, stamp
from analysis.snapshot.values import Notes, counted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def _between(
    values: pd.Series[Any], column: str, notes: Notes, highest: float | None = None
) -> pd.Series[Any]:
    """Set to null what is negative, or above a highest value, and say so."""
    wrong = values < 0
    if highest is not None:
        wrong |= values > highest
    wrong = wrong.fillna(False).astype(bool)
    if not wrong.any():
        return values
    first = int(wrong.to_numpy().argmax())
    span = "negative" if highest is None else f"outside 0 to {highest:g}"
    notes.nulled(
        column, {span: int(wrong.sum())}, f"{shown(values.iloc[first])} at {notes.row(first)}"
    )
    return values.mask(wrong)


def _without(frame: pd.DataFrame, column: str, what: str, notes: Notes) -> pd.DataFrame:
    """Drop and count the rows that lack what tells them from others."""
    missing = frame[column].isna()
    if missing.any():
        first = notes.row(int(missing.to_numpy().argmax()))
        notes.add(f"{counted(int(missing.sum()))} without {what} dropped; first: {first}")
        frame = frame[~missing]
    return frame


# --------------------------------------------------------------------------- service-catalogue

#: The table's own template of an entry, which is none.
_TEMPLATE: Final = "sample_spec"

_ENTRY_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "service_key": "key",
        "provider": "litellm_provider",
        "mode": "mode",
        "price_in": "input_cost_per_token",
        "price_out": "output_cost_per_token",
        "retires_on": "deprecation_date",
        "price_source": "source",
    }
)


def _read_catalogue(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "entry", 1)
    content = intake.parse_json(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    if not isinstance(content, dict):
        raise notes.error(
            f"the table is {type(content).__name__}, expected an object of entries by key"
        )
    entries = {name: entry for name, entry in content.items() if name != _TEMPLATE}
    if not entries:
        raise notes.error("the table holds no entry")
    odd = [name for name, entry in entries.items() if not isinstance(entry, dict)]
    if odd:
        if len(odd) == len(entries):
            raise notes.error(f"no entry is an object; first: {shown(odd[0])}")
        notes.add(f"{counted(len(odd))} that are no objects dropped; first: {shown(odd[0])}")
    rows = [
        {"key": name, **{source: entry.get(source) for source in _WANTED}}
        for name, entry in entries.items()
        if isinstance(entry, dict)
    ]
    frame = rows_table(rows, _ENTRY_NAMES, ("service_key",), notes)
    for name in ("price_in", "price_out"):
        frame[name] = _between(frame[name], _ENTRY_NAMES[name], notes)
    frame = _without(frame, "service_key", "a key", notes)
    frame = frame.drop(columns=[name for name in _OPTIONAL if frame[name].isna().all()])
    return finish(frame, "service-catalogue", "price-table", notes, columns, key=["service_key"])


_WANTED: Final = tuple(source for name, source in _ENTRY_NAMES.items() if name != "service_key")
_OPTIONAL: Final = tuple(name for name in _ENTRY_NAMES if name != "service_key")


# ------------------------------------------------------------------------------ router-ranking

#: Sections of a file that say what part of the traffic each entry has, and whether they must be
#: there. The others (benchmarks, speed, apps) say nothing of traffic by model or maker.
SECTIONS: Final[Mapping[str, bool]] = MappingProxyType(
    {
        "models": True,
        "market_share": True,
        "categories_programming": False,
        "languages_english": False,
        "programming_python": False,
        "context_length": False,
        "tool_calls": False,
        "images": False,
    }
)
_RANK_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "section": "section",
        "rank": "rank",
        "maker": "author",
        "router_model": "model_id",
        "tokens": "tokens",
        "share_pct": "share_pct",
        "change_pct": "change_pct",
    }
)
_SIGNS: Final = {"up": 1, "down": -1}


def _changed(value: object) -> object:
    """Read the change against the week before, with its sign; None for a newcomer."""
    if not isinstance(value, dict) or value.get("direction") not in ("up", "down"):
        return None
    number = value.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    return _SIGNS[value["direction"]] * abs(number)


def _section_rows(content: Mapping[str, Any], notes: Notes) -> list[dict[str, Any]]:
    """Return the entries of all sections, each with the name of its section."""
    rows: list[dict[str, Any]] = []
    for section, needed in SECTIONS.items():
        if section not in content:
            if needed:
                found = ", ".join(shown(name) for name in list(content)[:20]) or "none"
                raise notes.error(f"no section {section!r}; the file has {found}")
            continue
        listed = content[section]
        if not isinstance(listed, list):
            raise notes.error(f"{section} is {type(listed).__name__}, expected a list")
        for place, row in enumerate(listed, start=1):
            if not isinstance(row, dict):
                raise notes.error(
                    f"{section}, row {place} is {type(row).__name__}, expected an object"
                )
            rows.append(
                {
                    "section": section,
                    **{name: row.get(name) for name in _READ},
                    "change_pct": _changed(row.get("change")),
                }
            )
    return rows


_READ: Final = ("rank", "author", "model_id", "tokens", "share_pct")


def _read_ranking(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "row", 1)
    content = intake.parse_json(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    if not isinstance(content, dict):
        raise notes.error(f"the file holds {type(content).__name__}, expected an object")
    meta = content.get("meta")
    taken = stamp(meta.get("fetched_at"), "meta.fetched_at", notes) if isinstance(
        meta, dict
    ) else None  # fmt: skip
    if taken is None:
        # Tokens run up from the beginning of the week: without its hour a file says nothing.
        raise notes.error("meta.fetched_at does not say when the ranking was read")
    rows = _section_rows(content, notes)
    # A page that changed leaves lists with nothing in them: no rows, and no invented number.
    empty = [name for name in SECTIONS if content.get(name) == []]
    if empty:
        what = "every section is" if not rows else f"{', '.join(empty)}:"
        notes.add(f"{what} an empty list: the source gave nothing there on that day")
    frame = rows_table(rows, _RANK_NAMES, (), notes) if rows else pd.DataFrame(
        {name: pd.Series(dtype="object") for name in _RANK_NAMES}
    )  # fmt: skip
    if rows:
        frame["tokens"] = _between(frame["tokens"], "tokens", notes)
        frame["share_pct"] = _between(frame["share_pct"], "share_pct", notes, 100.0)
        if frame["share_pct"].isna().all():
            raise notes.error("no row has a share of the traffic")
        frame = _without(frame, "maker", "a maker", notes)
        if frame.empty:
            raise notes.error("no row names a maker")
        twice = frame.duplicated(list(_KEY))
        if twice.any():
            notes.add(
                f"{counted(int(twice.sum()), 'repeats', 'repeat')} an entry of the same section; "
                "the first is kept"
            )
            frame = frame[~twice]
    return finish(frame, "router-ranking", "week-to-date", notes, columns, key=_KEY, taken=taken)


_KEY: Final = ("section", "maker", "router_model")


#: Columns that each kind of this module can fill.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"service-catalogue": tuple(_ENTRY_NAMES), "router-ranking": tuple(_RANK_NAMES)}
)

#: Readers of this module by kind.
READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = MappingProxyType(
    {"service-catalogue": _read_catalogue, "router-ranking": _read_ranking}
)
