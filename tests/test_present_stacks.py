"""Bars of parts: what is drawn adds up, and can be told apart."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
import pytest

from analysis.present import theme
from analysis.present.stacks import _ON_DARK, FILLS, stacked_rows

WORDS = {"a": "first part", "b": "second part", "c": "the part of which nothing is known"}
ROWS = pd.DataFrame(
    [
        ("One", "a", 0.5),
        ("One", "c", 0.3),
        ("One", "b", 0.2),
        ("Two <b>", "b", 0.96),
        ("Two <b>", "c", 0.04),
    ],
    columns=["label", "part", "share"],
)


def values(width: int) -> list[dict[str, Any]]:
    drawn = theme.finished(stacked_rows(ROWS, width, parts=list(WORDS), words=WORDS), width)
    tables: list[list[dict[str, Any]]] = list(drawn["datasets"].values())
    return next(table for table in tables if "middle" in table[0])


@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_parts_stand_in_order_and_end_at_the_whole(width: int) -> None:
    rows = values(width)
    for _, group in itertools.groupby(rows, key=lambda row: row["label"]):
        parts = list(group)
        assert [row["part"] for row in parts] == sorted(row["part"] for row in parts)
        assert parts[0]["from"] == pytest.approx(0)
        assert parts[-1]["to"] == pytest.approx(100)
        for one, other in itertools.pairwise(parts):
            assert one["to"] == pytest.approx(other["from"])
        # The label of a bar is drawn once, by its first part.
        assert sum(row["place"] == row["first"] for row in parts) == 1
    assert [row["text"] for row in rows][-1] == ""
    assert rows[0]["text"] == "50\u00a0%"


@pytest.mark.parametrize(("width", "lines"), [(theme.WIDE, 1), (theme.NARROW, 2)])
def test_the_key_names_every_part_inside_the_width(width: int, lines: int) -> None:
    drawn = theme.finished(stacked_rows(ROWS, width, parts=list(WORDS), words=WORDS), width)
    tables: list[list[dict[str, Any]]] = list(drawn["datasets"].values())
    key = next(table for table in tables if "ink" in table[0])
    assert [row["text"] for row in key] == list(WORDS.values())
    assert {row["y"] for row in key} == set(range(lines))
    assert all(0 <= row["x"] < width for row in key)


def test_words_inside_a_part_are_legible_on_both_pages() -> None:
    for ink, dark in zip(FILLS, _ON_DARK, strict=True):
        words = theme.PAGE if dark else theme.TEXT
        assert theme.contrast(ink.light, words.light) >= 4.5
        assert theme.contrast(ink.dark, words.dark) >= 4.5


#: What a green-blind and a red-blind eye see of linear red, green and blue (Machado, Oliveira and
#: Fernandes 2009, severity 1).
EYES = {
    "green-blind": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "red-blind": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "any": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


def seen(colour: str, eye: str) -> tuple[float, ...]:
    """Return a colour as an eye sees it, in red, green and blue from 0 to 1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    mixed = (sum(m * c for m, c in zip(row, linear, strict=True)) for row in EYES[eye])
    return tuple(min(max(c, 0.0), 1.0) ** (1 / 2.2) for c in mixed)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("page", ["light", "dark"])
def test_parts_are_told_apart_by_every_eye(eye: str, page: str) -> None:
    for one, other in itertools.combinations(FILLS, 2):
        a, b = (seen(getattr(ink, page), eye) for ink in (one, other))
        assert sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5 > 0.1, (one, other)
