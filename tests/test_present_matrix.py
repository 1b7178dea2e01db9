"""The matrix of dots, drawn for a page and for a phone."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.present import matrix, theme
from analysis.present.figure import render

FRAME = pd.DataFrame(
    {
        "row": ["base", "base", "audio", "audio"],
        "column": ["Qwen", "<b>Llama</b>", "Qwen", "<b>Llama</b>"],
        "value": [51, 1234, 11, 0],
    }
)


@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_dots_carry_their_numbers_and_nothing_else(width: int) -> None:
    drawn = render(matrix.dots(FRAME, width), width)
    for text in ("base", "audio", "Qwen", ">51<", ">1,234<", ">11<"):
        assert text in drawn
    assert ">0<" not in drawn
    assert "<b>" not in drawn


def test_rows_and_columns_keep_their_order() -> None:
    chart = matrix.dots(FRAME, theme.WIDE).to_dict()
    axes = [
        layer["encoding"]["x"]["scale"]["domain"]
        for layer in chart["layer"]
        if "scale" in layer["encoding"]["x"]
    ]
    assert all(axis[0] == "Qwen" for axis in axes)
    rows = next(iter(chart["datasets"].values()))
    assert {row["label"]: row["row"] for row in rows} == {"base": 0, "audio": 1}
