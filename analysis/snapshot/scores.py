"""Readers of how good models are by language: a board's tables, and ratings by votes.

Both give long rows, a score a row, as the file has them. Which rows may be compared is a rule of
the measure room. The language of a table of the board is in its version's name, not in the file.
"""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.snapshot import intake
from analysis.snapshot.shaping import Snapshot, finish, rows_table
from analysis.snapshot.values import Notes, counted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_DATASET: Final = "/datasets/"
_TASK: Final = re.compile(r"/tasks/([a-z0-9-]+)")
_VARIANT: Final = re.compile(r"(?s)\A(.*?)\s*\(([^()]*)\)\s*\Z")
#: What stands where a model was not run.
_NOT_RUN: Final = frozenset({"", "-", "?"})
_SCORE: Final = re.compile(r"\A\s*(-?\d{1,6}(?:\.\d{1,9})?)\s*±\s*(\d{1,6}(?:\.\d{1,9})?)\s*\Z")


class _Cell(HTMLParser):
    """Text and addresses of a cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and not self.address:
            self.address = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _cell(text: str) -> tuple[str, str]:
    """Return the text of a cell and the first address in it."""
    if "<" not in text and "&" not in text:
        return text.strip(), ""
    parser = _Cell()
    parser.feed(text)
    parser.close()
    return "".join(parser.text).strip(), parser.address


def _numbers(cell: str) -> list[tuple[float, float]] | None:
    """Return score and half-width of each metric of a cell; None where it cannot be read."""
    out = []
    for part in cell.partition("@@")[0].split("/"):
        found = _SCORE.match(part)
        if found is None:
            return None
        out.append((float(found.group(1)), float(found.group(2))))
    return out


def _grid(path: Path, notes: Notes) -> list[list[str]]:
    text = intake.decode(intake.read_bytes(path), notes.where)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise notes.error(f"not CSV ({error}); fetch it again") from None


def _sets(grid: list[list[str]], notes: Notes) -> dict[int, tuple[str, str]]:
    """Return task and name of the data set of each column of scores."""
    if len(grid) < 2:
        raise notes.error("needs two header rows, tasks above data sets; fetch it again")
    out: dict[int, tuple[str, str]] = {}
    task = ""
    for place, cell in enumerate(grid[1]):
        above = grid[0][place] if place < len(grid[0]) else ""
        if above:
            found = _TASK.search(_cell(above)[1])
            task = found.group(1) if found else ""
        name, address = _cell(cell)
        if task and name and _DATASET in address:
            out[place] = (task, name)
    if not out:
        raise notes.error("no column links a data set under a task; fetch it again")
    return out


def _read_languages(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "record", 3)
    grid = _grid(path, notes)
    sets = _sets(grid, notes)
    rows: list[tuple[str, str, str, str, int, float, float]] = []
    odd, short, first = 0, 0, ""
    for place, row in enumerate(grid[2:]):
        if not any(row):
            continue
        name, _ = _cell(row[0])
        if not name:
            short += 1
            continue
        found = _VARIANT.match(name)
        model, variant = (found.group(1), found.group(2).strip()) if found else (name, "")
        for column, (task, dataset) in sets.items():
            cell = row[column] if column < len(row) else ""
            if cell.partition("@@")[0].strip() in _NOT_RUN:
                continue
            numbers = _numbers(cell)
            if numbers is None:
                odd += 1
                first = first or f"{shown(cell)} at {notes.row(place)}"
                continue
            for metric, (score, half) in enumerate(numbers, start=1):
                rows.append((model, variant, task, dataset, metric, score, half))
    if short:
        notes.add(f"{counted(short)} without a model dropped")
    if odd:
        notes.add(f"{odd:,} cells that hold no score with a half-width left out; first: {first}")
    if not rows:
        raise notes.error("holds no score with a half-width; fetch it again")
    names = ["model", "variant", "task", "dataset", "metric", "score", "half_width"]
    frame = pd.DataFrame(rows, columns=names)
    key = ["model", "variant", "task", "dataset", "metric"]
    twice = frame.duplicated(key)
    if twice.any():
        notes.add(f"{counted(int(twice.sum()), 'repeats', 'repeat')} a score; the first is kept")
        frame = frame[~twice]
    return finish(frame, "language-scores", "euroeval", notes, columns, key=key)


_ARENA_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "model": "model_name",
        "category": "category",
        "rating": "rating",
        "rating_lower": "rating_lower",
        "rating_upper": "rating_upper",
        "votes": "vote_count",
    }
)


def _read_arena(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path), "entry")
    content = intake.parse_json(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    listed = content.get("rows") if isinstance(content, dict) else None
    rows = intake.object_rows(listed, "rows", notes.where)
    for row in rows:
        # Votes are counts written as 1234.0.
        votes = row.get("vote_count")
        if isinstance(votes, float) and votes.is_integer():
            row["vote_count"] = int(votes)
    frame = rows_table(rows, _ARENA_NAMES, ("model", "category", "rating"), notes)
    missing = frame["model"].isna() | frame["category"].isna() | frame["rating"].isna()
    if missing.all():
        raise notes.error("no entry has a model, a category and a rating")
    if missing.any():
        notes.add(f"{counted(int(missing.sum()))} without model, category or rating dropped")
        frame = frame[~missing]
    key = ["model", "category"]
    twice = frame.duplicated(key)
    if twice.any():
        notes.add(f"{counted(int(twice.sum()), 'repeats', 'repeat')} a rating; the first is kept")
        frame = frame[~twice]
    return finish(frame, "arena-scores", "categories", notes, columns, key=key)


#: Columns that each kind of this module can fill.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "language-scores": (
            "model",
            "variant",
            "task",
            "dataset",
            "metric",
            "score",
            "half_width",
        ),
        "arena-scores": tuple(_ARENA_NAMES),
    }
)

#: Readers of this module by kind.
READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = MappingProxyType(
    {"language-scores": _read_languages, "arena-scores": _read_arena}
)
