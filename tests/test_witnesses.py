"""Every instrument side by side: the table, and the command that prints it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from analysis import commands, raw, tables
from analysis.builder.chapters import witnesses as made

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _current(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rule under work fail in the test of the manifest alone, not in all of these."""
    monkeypatch.setattr(tables, "stale_rules", list)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return tables.load("witnesses")


def test_a_row_is_one_source_day_family_and_measure(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == list(made.COLUMNS)
    key = ["source", "version", "day", "instrument", "family", "measure"]
    assert not frame.duplicated(key).any()
    assert frame["unit"].notna().all()
    assert frame.groupby("measure")["unit"].nunique().eq(1).all()
    assert set(frame["grade"]) <= {"computed", "bounded", "published"}
    assert frame["day"].str.fullmatch(r"20\d\d-\d\d-\d\d").all()


def test_a_value_lies_in_its_interval(frame: pd.DataFrame) -> None:
    known = frame.dropna(subset=["value"])
    assert len(known) > 500
    assert (known["value"] >= known["lower"] - 1e-9 * known["value"].abs()).all()
    assert (known["value"] <= known["upper"].fillna(float("inf")) * (1 + 1e-9)).all()


def test_every_source_is_registered_and_the_hub_is_among_the_instruments(
    frame: pd.DataFrame,
) -> None:
    registry = raw.load_registry()
    for name in sorted(set(frame["source"]) - {made.HUB_SOURCE}):
        registry.source(name)
    assert {made.HUB, "Ollama"} <= {name.split("'")[0] for name in frame["instrument"]}


def test_the_same_day_by_two_instruments(capsys: Capture) -> None:
    assert commands.main(["witnesses", "--json", "--day", "2026-08-21", "--family", "llama"]) == 0
    rows = json.loads(capsys.readouterr().out)
    pulls = next(row for row in rows if row["measure"] == "pulls_all_time")
    # By hand: about 250 million.
    assert pulls["lower"] <= 250e6 <= pulls["upper"]
    assert pulls["unit"] == "pulls"
    offered = [row for row in rows if row["measure"] == "models_on_offer"]
    assert len(offered) == 3


def test_the_table_prints_and_a_wrong_choice_is_one_line(capsys: Capture) -> None:
    assert commands.main(["witnesses", "--instrument", made.HUB]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("day")
    assert all(made.HUB in line for line in lines[1:])
    assert commands.main(["witnesses", "--family", "nobody"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--family nobody" in error
    assert "qwen" in error
