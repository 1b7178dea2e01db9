"""Readers of texts by the makers: licences and what was written at a release.

Both give one passage a row with the line on which it begins, so that a reader of a result can open
the file at that line. Nothing is interpreted here; what a passage says is read in the measure room.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pandas as pd

from analysis.snapshot import intake, limits
from analysis.snapshot.shaping import Snapshot, finish
from analysis.snapshot.values import Notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

#: What numbers a clause (`2.`, `2\.`, `3**.`, `a.`, `iv.`, `(b)`, `1.1`) or begins a list item or
#: a heading of Markdown.
_MARKER: Final = re.compile(
    r"#{1,6}\s+|[-*+•]\s+"
    r"|\(?(?:\d{1,2}(?:\.\d{1,2}){0,3}|[a-z]|[A-Z]|[ivxl]{1,5}|[IVXL]{1,5})\*{0,2}\\?[.)]\*{0,2}\s+"
)
#: The end of a sentence before the white space that follows it.
_END: Final = re.compile(r"[.?!][\"”’')\]*_]*\s+(?=[\"“‘'(\[*_]*[A-Z0-9])")
#: Words whose stop ends no sentence.
_SHORT: Final = re.compile(
    r"(?:^|[\s(,])(?:Inc|Ltd|Corp|Co|No|Nos|Sec|Secs|Art|Dr|Mr|Ms|St|vs|v|cf|al|approx"
    r"|e\.g|i\.e|U\.S|U\.K)\.$"
)
#: Letters before a stop that tell such a word, with what stands before it.
_LONGEST: Final = 12
#: A line shorter than half of this, or than half of its paragraph's longest, was not wrapped.
_NARROW: Final = 60


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str


def _lines(path: Path, notes: Notes) -> list[_Line]:
    """Return the lines as editors number them."""
    text = intake.decode(intake.read_bytes(path, limits.PROSE), notes.where)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [_Line(number, line) for number, line in enumerate(lines, start=1)]


def _snapshot(
    rows: Iterable[tuple[int, str]],
    kind: str,
    layout: str,
    notes: Notes,
    columns: tuple[str, ...] | None,
) -> Snapshot:
    # A rule, a fence or a lone bracket says nothing.
    kept = [(line, passage) for line, passage in rows if any(c.isalnum() for c in passage)]
    if not kept:
        raise notes.error("holds no text, only white space and signs; fetch it again")
    frame = pd.DataFrame(
        {
            "line": pd.array([line for line, _ in kept], dtype="Int64"),
            "passage": pd.array([passage for _, passage in kept], dtype="string"),
        }
    )
    return finish(frame, kind, layout, notes, columns, key=["line"])


def _folded(text: str) -> str:
    return " ".join(text.split())


# ------------------------------------------------------------------------------------ licences


def _paragraphs(lines: Iterable[_Line]) -> Iterable[list[_Line]]:
    """Yield the lines between empty ones."""
    paragraph: list[_Line] = []
    for line in lines:
        if line.text.strip():
            paragraph.append(_Line(line.number, line.text.strip()))
        elif paragraph:
            yield paragraph
            paragraph = []
    if paragraph:
        yield paragraph


def _goes_on(before: str, line: str, width: int) -> bool:
    """Whether `line` continues the line before it in a paragraph so many characters wide."""
    if _MARKER.match(line):
        return False
    if line[0].islower() and before[-1] not in ".?!:;":
        return True
    title = before.upper() == before and before[-1] not in ".,;:-" and line.upper() != line
    return not title and 2 * len(before) >= max(width, _NARROW)


def _blocks(lines: Iterable[_Line]) -> Iterable[list[_Line]]:
    """Yield headings, numbered clauses and paragraphs, each with the lines over which it runs."""
    for paragraph in _paragraphs(lines):
        width = max(len(line.text) for line in paragraph)
        block = paragraph[:1]
        for line in paragraph[1:]:
            if _goes_on(block[-1].text, line.text, width):
                block.append(line)
            else:
                yield block
                block = [line]
        yield block


def _sentences(block: list[_Line]) -> Iterable[tuple[int, str]]:
    """Yield the sentences of a block, each with the line on which it begins."""
    text = ""
    starts: list[tuple[int, int]] = []
    for line in block:
        # A hyphen at the end of a line belongs to the word: "non-" and "transferable".
        text += "" if not text or re.search(r"\w-$", text) else " "
        starts.append((len(text), line.number))
        text += line.text
    begin = 0
    numbered = _MARKER.match(text)
    lines = [start for start, _ in starts]
    for end in _END.finditer(text):
        stop = end.start() + 1
        inside_marker = numbered is not None and end.start() < numbered.end()
        if inside_marker or _SHORT.search(text[max(begin, stop - _LONGEST) : stop]):
            continue
        yield starts[bisect_right(lines, begin) - 1][1], _folded(text[begin : end.end()])
        begin = end.end()
    yield starts[bisect_right(lines, begin) - 1][1], _folded(text[begin:])


def _read_licence(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    """Read a licence: a sentence, heading or clause a row."""
    notes = Notes(str(path), "line")
    rows = [row for block in _blocks(_lines(path, notes)) for row in _sentences(block)]
    return _snapshot(rows, "licence-text", "sentences", notes, columns)


# ------------------------------------------------------------------------------- release texts

_FENCE: Final = re.compile(r"\s*(?:```|~~~)")
_ITEM: Final = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
_ALONE: Final = re.compile(r"\s*(?:#{1,6}\s|\||<|>|\[\^)")


def _passages(lines: Iterable[_Line]) -> Iterable[tuple[int, str]]:
    """Give a line, or a list item with its indented lines, a row; code stays line by line."""
    number, text = 0, ""
    open_item = open_line = fenced = False
    for line in lines:
        plain = line.text.strip()
        item = bool(_ITEM.match(line.text))
        alone = fenced or not plain or bool(_FENCE.match(line.text) or _ALONE.match(line.text))
        indented = open_item and line.text[:2].isspace()
        # A paragraph that an editor wrapped goes on in lower case.
        wrapped = open_line and plain[:1].islower() and text[-1:] not in ".?!:;"
        if not alone and not item and (indented or wrapped):
            text = f"{text} {plain}"
            continue
        if text:
            yield number, _folded(text)
        if _FENCE.match(line.text):
            fenced = not fenced
        number, text = line.number, plain
        open_item, open_line = item and not alone, bool(plain) and not alone
    if text:
        yield number, _folded(text)


def _read_release(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    """Read what was written at a release, in Markdown: a line or list item a row."""
    notes = Notes(str(path), "line")
    rows = _passages(_lines(path, notes))
    return _snapshot(rows, "release-text", "markdown", notes, columns)


#: Columns that each kind of this module can fill.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"licence-text": ("line", "passage"), "release-text": ("line", "passage")}
)

#: Readers of this module by kind.
READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = MappingProxyType(
    {"licence-text": _read_licence, "release-text": _read_release}
)
