"""The command ``releases``: the machine contract, one line for every mistake, and its speed."""

from __future__ import annotations

import json
import time
from datetime import date
from typing import Any

import pandas as pd
import pytest

from analysis import commands
from analysis.commands import releases as command
from analysis.snapshot.shaping import Snapshot

pytestmark = pytest.mark.usefixtures("mirror")

Capture = pytest.CaptureFixture[str]


def as_json(capsys: Capture, *argv: str) -> Any:
    assert commands.main(["releases", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def fails(capsys: Capture, *argv: str) -> str:
    assert commands.main(["releases", *argv]) == 2
    got = capsys.readouterr()
    assert got.err.startswith("error: ")
    assert got.err.count("\n") == 1
    return got.err


def test_the_catalogue_is_the_default(capsys: Capture) -> None:
    got = as_json(capsys)
    assert (got["snapshot"], got["until"], got["unit"]) == (
        "makers-2025-10-12", "2025-10-10", "models",
    )  # fmt: skip
    assert list(got["families"]) == ["qwen", "llama", "deepseek", "gemma", "mistral", "phi"]
    qwen, llama = got["families"]["qwen"], got["families"]["llama"]
    assert (qwen["repositories"], qwen["models"], qwen["releases"]) == (362, 98, 31)
    assert (llama["repositories"], llama["models"], llama["releases"]) == (67, 29, 9)
    assert qwen["lower"] < qwen["per_month"] < qwen["upper"]
    ratio = got["ratios"]["llama"]
    assert ratio["of"] == "qwen"
    assert ratio["value"] == pytest.approx(3.485, abs=1e-3)
    assert ratio["lower"] < ratio["value"] < ratio["upper"]
    assert "list" not in got


def test_the_numbers_of_the_claim_come_out_again(capsys: Capture) -> None:
    got = as_json(
        capsys, "--family", "qwen", "llama", "--since", "2025-04-01", "--unit", "releases",
        "--list",
    )  # fmt: skip
    assert [got["families"][name]["releases"] for name in ("qwen", "llama")] == [9, 2]
    assert got["ratios"]["llama"]["upper"] is None  # nothing bounds it above
    days = [row["first_day"] for row in got["list"]]
    assert days == sorted(days)
    assert days[0] >= "2025-04-01"
    assert sum(row["family"] == "Qwen" for row in got["list"]) == 9


def test_corrected_days_and_other_spans(capsys: Capture) -> None:
    two = ("--family", "qwen", "llama")
    plain = as_json(capsys, *two, "--dates", "corrected", "--unit", "releases")
    assert plain["families"]["llama"]["first"] == "2023-07-18"
    month = as_json(capsys, *two, "--days", "30")
    assert month["families"]["qwen"]["releases"] == 17
    every = as_json(capsys, *two, "--copies", "in", "--family-rule", "organisation")
    assert every["families"]["qwen"]["models"] == 297
    assert every["families"]["llama"]["repositories"] == 70


def test_a_family_that_is_not_there_is_a_note(capsys: Capture) -> None:
    got = as_json(capsys, "--family", "qwen", "yi")
    assert list(got["families"]) == ["qwen"]
    assert got["problems"][-1] == "no repository of Yi with a day of creation"


def test_people_get_a_table(capsys: Capture) -> None:
    assert commands.main(["releases", "--family", "qwen", "llama", "yi", "--list"]) == 0
    out = capsys.readouterr().out
    assert "Llama       2023-07-09             67      29         9" in out
    assert "3.48 (1.72 to 9.57)" in out
    assert "2025-04-01  Llama" in out
    assert "note: no repository of Yi" in out


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--family", "opus"), "--family opus: not known; there are qwen"),
        (("--family", "yi"), "no repository of yi with a day of creation"),
        (("--since", "spring"), "--since spring: not a day; write it as YYYY-MM-DD"),
        (("--since", "2026-01-01"), "the snapshot ends on 2025-10-10"),
        (("--days", "-1"), "--days -1: give a number of days of 0 or more"),
        (("--snapshot", "tracked-2026-05-25"), "kind tracked-list holds no days of creation"),
        (("--snapshot", "nothing"), "nothing"),
    ],
)
def test_a_mistake_is_one_line(capsys: Capture, argv: tuple[str, ...], message: str) -> None:
    assert message in fails(capsys, *argv)


@pytest.mark.slow
def test_millions_of_rows_are_no_loop(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    # Synthetic, for scale: as many rows as the Hub has repositories, of which few are Qwen's.
    count = 3_000_000
    ids = pd.Series(pd.RangeIndex(count)).astype("string").radd("someone/model-")
    ids.iloc[::30_000] = [f"Qwen/Qwen9-{place}B" for place in range(100)]
    stamps = pd.Series(pd.date_range("2024-01-01", "2025-06-01", periods=count, tz="UTC"))
    frame = pd.DataFrame({"repository_id": ids, "created_at": stamps})

    made = Snapshot(frame, kind="hub-snapshot", layout="synthetic", taken=None, problems=())
    monkeypatch.setattr(command.snapshot, "read", lambda *_, **__: made)
    start = time.process_time()  # of this process: other tests run beside it
    got = as_json(capsys, "--family", "qwen", "llama")
    assert time.process_time() - start < 10
    assert got["families"]["qwen"]["models"] == 100
    assert date.fromisoformat(got["families"]["qwen"]["first"]) == date(2024, 1, 1)
