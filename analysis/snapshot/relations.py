"""Readers of who derives from whom: edge lists, counts of derivatives a base, root models.

Ids of bases are whatever an author wrote into a card. What is an id is read as one, what is a bare
name stays a bare name, and what is neither (a sentence, a path, a word for none) is left out and
counted.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.snapshot import intake
from analysis.snapshot.schema import FIELDS
from analysis.snapshot.shaping import (
    Snapshot,
    csv_table,
    finish,
    identify,
    licence_of_tags,
    unrepeated,
)
from analysis.snapshot.values import Notes, counted, parse_arrow, parse_column, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

#: How sources spell the four relations of the Hub.
RELATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "finetune": "finetune",
        "finetuned": "finetune",
        "adapter": "adapter",
        "adapters": "adapter",
        "quantized": "quantized",
        "quantised": "quantized",
        "merge": "merge",
        "merged": "merge",
    }
)

#: Words that cards hold where there is no base; `n/a` would pass for an id.
_NO_BASE: Final = frozenset({"n/a", "na", "none", "null", "unknown", "nil", "~", "-"})

_PART: Final = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,95}"
_ID: Final = re.compile(rf"{_PART}(?:/{_PART})?")
_ADDRESS: Final = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/", re.IGNORECASE)
_BULLET: Final = re.compile(r"\A\s*[-*]\s+")
_QUOTES: Final = "\"'`“”‘’<>"
_MONTH: Final = re.compile(r"(\d{1,3})-month")
_WHOLE: Final = re.compile(r"(\d+)\.0+")


def declared_ids(text: str) -> tuple[str, ...]:
    """Read the ids that a card's text declares as base; empty when it cannot be read as ids.

    Understands items of a YAML list, lists in brackets, several ids parted by commas, semicolons
    or line ends, quotes, remarks after ``#``, and addresses of the Hub. A text of which any piece
    is no id is a sentence or a path, and gives nothing: a guess would look like a declaration.

    Parameters
    ----------
    text : str
        What stands in the card under ``base_model``.

    Returns
    -------
    tuple of str
        Ids in the order of the text, each once. One without a slash is a name that the author
        wrote without organisation.

    Examples
    --------
    >>> declared_ids("- Qwen/Qwen2.5-7B")
    ('Qwen/Qwen2.5-7B',)
    >>> declared_ids("- a/b, https://huggingface.co/c/d")
    ('a/b', 'c/d')
    >>> declared_ids("a model of our own")
    ()
    """
    pieces = []
    for line in text.splitlines():
        bare = _BULLET.sub("", line.partition(" #")[0]).strip()
        if bare.startswith("[") and bare.endswith("]"):
            bare = bare[1:-1]
        pieces += [piece.strip().strip(_QUOTES).strip() for piece in re.split(r"[,;]", bare)]
    found: dict[str, None] = {}
    for piece in pieces:
        if not piece:
            continue
        name = piece
        if address := _ADDRESS.match(piece):
            # What follows organisation and name in an address is a place inside the repository.
            name = "/".join(re.split(r"[?#]", piece[address.end() :])[0].split("/")[:2])
        if name.casefold() in _NO_BASE or not _ID.fullmatch(name):
            return ()
        found[name] = None
    return tuple(found)


# ------------------------------------------------------------------------------- lineage-edges


_EDGE_LAYOUTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "card-pairs": {"repository_id": "child_model", "base_id": "base_model"},
        "typed-edges": {"repository_id": "target", "base_id": "source"},
    }
)


def _relations(values: pa.ChunkedArray, notes: Notes) -> pd.Series[Any]:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    place = pc.index_in(words, value_set=pa.array(list(RELATIONS), type=pa.string()))
    known = pa.array(list(RELATIONS.values()), type=pa.string()).take(place.combine_chunks())
    odd = pc.indices_nonzero(pc.and_(pc.is_valid(values), pc.is_null(place)))
    if len(odd):
        first = odd[0].as_py()
        notes.add(
            f"{counted(len(odd))} with a relation that is none of the Hub's four, set to null; "
            f"first: {shown(values[first].as_py())} at {notes.row(first)}"
        )
    return pd.Series(pd.array(known, dtype="string"))


def _exploded(frame: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """One row a base out of the text of the card; texts without an id are dropped and counted."""
    bases = pa.chunked_array(pa.array(frame["base_id"], type=pa.string()))
    words = pa.array(sorted(_NO_BASE), type=pa.string())
    plain = pc.and_(
        pc.match_substring_regex(bases, rf"\A{_ID.pattern}\z"),
        pc.invert(pc.is_in(pc.utf8_lower(bases), value_set=words)),
    )
    if pc.all(pc.fill_null(plain, False)).as_py():
        # Every text is one id as it stands, as in a list that a machine wrote.
        return frame.reset_index(drop=True)
    texts = frame["base_id"].astype("object").where(frame["base_id"].notna(), "")
    ids = texts.map(declared_ids)
    unread = ids.map(len) == 0
    if unread.all():
        raise notes.error("no row names a base that can be read as an id")
    if unread.any():
        first = int(unread.to_numpy().argmax())
        notes.add(
            f"{counted(unread.sum())} whose base cannot be read as an id dropped; first: "
            f"{shown(texts.iloc[first])} at {notes.row(int(frame.index[first]))}"
        )
    several = int((ids.map(len) > 1).sum())
    if several:
        notes.add(f"{counted(several, 'declares', 'declare')} more than one base")
    out = frame.assign(base_id=ids)[~unread].explode("base_id")
    return out.assign(base_id=out["base_id"].astype("string")).reset_index(drop=True)


def _read_edges(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "record", 1)
    content = intake.read_bytes(path)
    arrow = intake.parse_large_csv(content) if len(content) >= intake.LARGE_CSV else None
    have = set(arrow.column_names) if arrow is not None else set()
    fitting = [name for name, names in _EDGE_LAYOUTS.items() if set(names.values()) <= have]
    if arrow is not None and fitting:
        layout = fitting[0]
        frame = pd.DataFrame(
            {
                name: parse_arrow(name, arrow[source], source, notes, required=True)
                for name, source in _EDGE_LAYOUTS[layout].items()
            }
        )
        edge = arrow["edge"] if "edge" in have else None
    else:
        table = intake.parse_csv(intake.decode(content, notes.where), notes.where)
        layout = "card-pairs" if "child_model" in table else "typed-edges"
        names = _EDGE_LAYOUTS[layout]
        frame = csv_table(table, names, tuple(names), notes)
        edge = pa.chunked_array([table["edge"]], pa.string()) if "edge" in table else None
    del content, arrow
    if edge is not None:
        frame["base_relation"] = _relations(edge, notes)
    frame = _exploded(identify(frame, notes), notes)
    bare = ~frame["base_id"].str.contains("/", regex=False).astype(bool)
    if bare.any():
        notes.add(
            f"{counted(int(bare.sum()), 'names', 'name')} a base without its organisation, kept as "
            f"written; first: {shown(frame.loc[bare, 'base_id'].iloc[0])}"
        )
    twice: pd.Series[bool] = frame.duplicated(["repository_id", "base_id"])
    if twice.any():
        notes.add(f"{counted(int(twice.sum()), 'repeats', 'repeat')} a pair; the first is kept")
        frame = frame[~twice]
    itself = int((frame["repository_id"] == frame["base_id"]).sum())
    if itself:
        notes.add(f"{counted(itself, 'names', 'name')} the repository itself as its base; kept")
    key = ["repository_id", "base_id"]
    return finish(frame, "lineage-edges", layout, notes, columns, key=key)


# --------------------------------------------------------------------------- derivative-counts


def _whole(value: str | None) -> str | None:
    """Take the ``.0`` off that tables with gaps write behind a count."""
    if value is None:
        return None
    match = _WHOLE.fullmatch(value.strip())
    return match.group(1) if match else value


def _read_counts(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "record", 1)
    table = intake.parse_csv(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    names = {"repository_id": "model", "created_at": "created_at"}
    bases = csv_table(table, names, ("repository_id",), notes)
    months = {
        int(match.group(1)): column for column in table if (match := _MONTH.fullmatch(column))
    }
    if not months:
        raise notes.error("no column of counts such as '1-month'")
    # A month that no base has reached holds nothing, which is no fault.
    parts = []
    for month, column in sorted(months.items()):
        values = [_whole(value) for value in table[column]]
        counts = parse_column("derivatives", values, column, notes)
        parts.append(bases.assign(month=month, derivatives=counts, place=np.arange(len(bases))))
    frame = pd.concat(parts, ignore_index=True)
    if frame["derivatives"].isna().all():
        raise notes.error("the columns of months hold no count")
    frame = _counted_bases(frame, notes)
    frame = identify(frame, notes).drop(columns="place")
    key = ["repository_id", "month"]
    return finish(frame, "derivative-counts", "by-month", notes, columns, key=key)


def _counted_bases(frame: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """One series a base, without the months after its last count; note what is odd in it."""
    empty = frame["derivatives"].isna().groupby(frame["place"]).transform("all")
    if empty.any():
        number = int(frame.loc[empty, "place"].nunique())
        notes.add(f"{counted(number)} without any count dropped")
        frame = frame[~empty]
    reached = frame[frame["derivatives"].notna()]
    last = reached.groupby("place")["month"].max()
    inside = frame["derivatives"].isna() & (frame["month"] < frame["place"].map(last))
    if inside.any():
        notes.add(f"months without a count before a base's last one: {int(inside.sum()):,}")
    frame = reached
    largest = frame.groupby("place")["derivatives"].max()
    ranked = pd.DataFrame(
        {"id": frame.groupby("place")["repository_id"].first(), "largest": largest}
    ).sort_values("largest", ascending=False, kind="stable")
    again = ranked.index[ranked.duplicated("id") & ranked["id"].notna()]
    if len(again):
        notes.add(
            f"{counted(len(again), 'repeats', 'repeat')} a base; the largest count is kept; "
            f"first: {shown(ranked.loc[again[0], 'id'])}"
        )
        frame = frame[~frame["place"].isin(again)]
    ordered = frame.sort_values(["place", "month"], kind="stable")
    steps = ordered.groupby("place")["derivatives"].diff()
    falls = (steps < 0).fillna(False).astype(bool)
    if falls.any():
        example = ordered.loc[falls, "repository_id"].iloc[0]
        notes.add(
            f"counts below the month before, though they run up: {int(falls.sum()):,}; kept; "
            f"first: {shown(example)}"
        )
    return ordered


# ------------------------------------------------------------------------------- lineage-roots

_ROOT_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "repository_id": "model_id",
        "derivatives": "out_degree",
        "downloads_30d": "downloads",
        "created_at": "created_at",
    }
)


def _read_roots(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "record", 1)
    table = intake.parse_csv(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    frame = csv_table(table, _ROOT_NAMES, ("repository_id", "derivatives"), notes)
    if "tags" in table:
        lists = [
            None if text is None else [tag for tag in map(str.strip, text.split(",")) if tag]
            for text in table["tags"]
        ]
        frame["tags"] = pd.Series(pd.array(lists, dtype=FIELDS["tags"].pandas_dtype))
        frame["licence"] = licence_of_tags(frame["tags"])
    frame = unrepeated(identify(frame, notes), ["repository_id"], notes)
    return finish(frame, "lineage-roots", "roots", notes, columns, key=["repository_id"])


#: Columns that each kind of this module can fill.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "lineage-edges": ("repository_id", "organisation", "base_id", "base_relation"),
        "lineage-roots": (
            "repository_id",
            "organisation",
            "derivatives",
            "downloads_30d",
            "created_at",
            "tags",
            "licence",
        ),
        "derivative-counts": (
            "repository_id",
            "organisation",
            "month",
            "derivatives",
            "created_at",
        ),
    }
)

#: Readers of this module by kind.
READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = MappingProxyType(
    {
        "lineage-edges": _read_edges,
        "lineage-roots": _read_roots,
        "derivative-counts": _read_counts,
    }
)
