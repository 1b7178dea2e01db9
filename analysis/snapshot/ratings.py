"""Readers of boards: ratings from people's votes (the Arena), an index over several benchmarks.

A board ranks models under names of its own, and each file has a scale of its own: ratings move with
the models that are in it, an index with the benchmarks that make it up. A rating stands with the
limits of its 95 % interval, an index without any.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.snapshot import intake
from analysis.snapshot.shaping import Snapshot, csv_table, finish, rows_table, stamp
from analysis.snapshot.values import Notes, counted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

#: Half-widths above and below a rating, as the CSV files write them: ``+3/-4``.
_HALVES: Final = re.compile(r"\+(\d{1,4}(?:\.\d{1,3})?)/-(\d{1,4}(?:\.\d{1,3})?)", re.ASCII)

#: Rows without any of these tell nothing of a frontier.
_NEEDED: Final = ("board_model", "board_score")


def halves(text: object) -> tuple[float, float] | None:
    """Read how far an interval reaches above and below its rating; None for what says neither.

    Examples
    --------
    >>> halves("+3/-4"), halves("3")
    ((3.0, 4.0), None)
    """
    match = _HALVES.fullmatch(text.strip()) if isinstance(text, str) else None
    return (float(match[1]), float(match[2])) if match else None


def _width(value: object) -> float | None:
    """Return a half-width given as a number; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < 1e6 else None


def _tidy(frame: pd.DataFrame, key: str, notes: Notes) -> pd.DataFrame:
    """Drop rows without a name, and all but the one with most votes of those that share it."""
    missing = frame[key].isna()
    if missing.any():
        first = notes.row(int(missing.to_numpy().argmax()))
        notes.add(f"{counted(int(missing.sum()))} without a name dropped; first: {first}")
        frame = frame[~missing]
    twice = frame[key].duplicated(keep=False)
    if twice.any():
        example = shown(frame.loc[twice, key].iloc[0])
        notes.add(f"names that stand twice; the row with most votes is kept; first: {example}")
        order = frame.index
        if "board_votes" in frame:
            votes = frame["board_votes"].fillna(-1)
            order = votes.sort_values(ascending=False, kind="stable").index
        frame = frame.loc[order].drop_duplicates(key).sort_index()
    return frame


def _limits(
    frame: pd.DataFrame, widths: list[tuple[float, float] | None], column: str, notes: Notes
) -> pd.DataFrame:
    """Add the limits of each rating's interval, null where the file gives none that is usable."""
    up = pd.Series([w[0] if w else None for w in widths], index=frame.index, dtype="Float64")
    down = pd.Series([w[1] if w else None for w in widths], index=frame.index, dtype="Float64")
    lost = int((up.isna() & frame["board_score"].notna()).sum())
    if lost:
        first = notes.row(int((up.isna() & frame["board_score"].notna()).to_numpy().argmax()))
        notes.add(f"column {column!r}: {counted(lost)} without a usable interval; first: {first}")
    return frame.assign(
        board_score_lower=frame["board_score"] - down, board_score_upper=frame["board_score"] + up
    )


# --------------------------------------------------------------------------------- arena-table

_TABLE_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "board_model": "model",
        "board_maker": "organization",
        "board_licence": "license",
        "board_score": "arena_score",
        "board_votes": "votes",
    }
)
_INTERVAL: Final = "95_pct_ci"


def _read_table(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "record", 1)
    content = intake.parse_csv(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    frame = csv_table(content, _TABLE_NAMES, (*_NEEDED, "board_licence"), notes)
    given = content.get(_INTERVAL)
    if given is None:
        raise notes.error(f"no column {_INTERVAL!r}: a rating needs its interval")
    frame = _tidy(_limits(frame, [halves(text) for text in given], _INTERVAL, notes),
                  "board_model", notes)  # fmt: skip
    layout = "two-ranks" if "rank_stylectrl" in content else "one-rank"
    return finish(frame, "arena-table", layout, notes, columns, key=["board_model"])


# ---------------------------------------------------------------------------- arena-table-json

_JSON_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "board_model": "model",
        "board_maker": "vendor",
        "board_licence": "license",
        "board_score": "score",
        "board_votes": "votes",
    }
)
#: Fields that the source's own description names: without them it is another text.
_DESCRIBED: Final = ("model", "vendor", "license", "score", "ci", "votes")


def _described(text: str) -> bool:
    """Whether a text is the source's description of its fields."""
    return text.startswith("# ") and all(f"| `{name}` |" in text for name in _DESCRIBED)


def _read_json(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "row", 1)
    text = intake.decode(intake.read_bytes(path), notes.where)
    if _described(text):
        # Registered beside the data for what the fields mean: it holds no rating.
        notes.add("a description of the fields, no table: it gives no row")
        frame = pd.DataFrame({name: pd.Series(dtype="string") for name in _JSON_NAMES})
        frame = frame.astype({"board_score": "Float64", "board_votes": "Int64"})
        frame = _limits(frame, [], "ci", notes)
        return finish(frame, "arena-table-json", "description", notes, columns, key=["board_model"])
    content = intake.parse_json(text, notes.where)
    if not isinstance(content, dict):
        raise notes.error(f"the file holds {type(content).__name__}, expected an object")
    rows = intake.object_rows(content.get("models"), "'models'", notes.where)
    frame = rows_table(rows, _JSON_NAMES, (*_NEEDED, "board_licence"), notes)
    widths: list[tuple[float, float] | None] = []
    for row in rows:
        both = _width(row.get("ci"))
        up = both if both is not None else _width(row.get("ci_high"))
        down = both if both is not None else _width(row.get("ci_low"))
        widths.append(None if up is None or down is None else (up, down))
    frame = _tidy(_limits(frame, widths, "ci", notes), "board_model", notes)
    meta = content.get("meta")
    said = meta.get("model_count") if isinstance(meta, dict) else None
    if isinstance(said, int) and said != len(rows):
        notes.add(f"the header says {said:,} models, there are {len(rows):,}")
    taken = stamp(meta.get("fetched_at"), "meta.fetched_at", notes) if isinstance(
        meta, dict
    ) else None  # fmt: skip
    layout = "one-width" if any("ci" in row for row in rows) else "two-widths"
    return finish(
        frame, "arena-table-json", layout, notes, columns, key=["board_model"], taken=taken
    )


# ------------------------------------------------------------------------------- quality-index

_INDEX: Final = "artificial_analysis_intelligence_index"
_INDEX_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "board_id": "id",
        "board_model": "name",
        "board_slug": "slug",
        "released_on": "release_date",
        "board_score": f"evaluations.{_INDEX}",
    }
)
_LAYOUTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "interface": {**_INDEX_NAMES, "board_maker": "creator_slug"},
        "page": {
            **_INDEX_NAMES,
            "board_maker": "creator.slug",
            "board_country": "creator.country",
            "board_licence": "open_weights.license_name",
            "open_weights": "open_weights.is_open_weights",
            "board_commercial": "open_weights.commercial_allowed",
            "board_estimated": f"evaluations.{_INDEX}_is_estimated",
        },
    }
)


def _read_index(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "row", 1)
    content = intake.parse_json(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    if not isinstance(content, dict):
        raise notes.error(f"the file holds {type(content).__name__}, expected an object")
    rows = intake.object_rows(content.get("models"), "'models'", notes.where)
    layout = "page" if any("creator" in row for row in rows) else "interface"
    frame = rows_table(rows, _LAYOUTS[layout], ("board_id", *_NEEDED, "board_maker"), notes)
    frame = _tidy(frame, "board_id", notes)
    named = frame["board_model"].notna()
    if not named.all():
        notes.add(f"{counted(int((~named).sum()))} without a name dropped")
        frame = frame[named]
    meta = content.get("meta")
    taken = stamp(meta.get("fetched_at"), "meta.fetched_at", notes) if isinstance(
        meta, dict
    ) else None  # fmt: skip
    return finish(frame, "quality-index", layout, notes, columns, key=["board_id"], taken=taken)


_ARENA: Final = ("board_model", "board_maker", "board_licence", "board_score", "board_score_lower",
                 "board_score_upper", "board_votes")  # fmt: skip

#: Columns that each kind of this module can fill.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "arena-table": _ARENA,
        "arena-table-json": _ARENA,
        "quality-index": tuple(_LAYOUTS["page"]),
    }
)

#: Readers of this module by kind.
READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = MappingProxyType(
    {
        "arena-table": _read_table,
        "arena-table-json": _read_json,
        "quality-index": _read_index,
    }
)
