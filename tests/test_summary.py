"""The one-page summary: a sentence for every state of a claim, a citation from CITATION.cff."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis import pages, raw, tables
from analysis.builder import citing
from analysis.errors import InputError
from analysis.present import summary
from analysis.present.markup import Html

CITED = {"title": "The Record", "version": "1.2", "authors": "Its contributors"}


def record(**more: Any) -> dict[str, Any]:
    axis = {"verdict": "matches", "reason": "it is 5"}
    return {
        "id": "a-claim",
        "group": "A",
        "title": "A claim",
        "statement": "It is five.",
        "status": "checked",
        "specifications": 3,
        "holds": 2,
        "value": 5.0,
        "interval": [4.0, 6.0],
        "unit": "count",
        "grade": "bounded",
        "recreated": axis,
        "robust": {"verdict": "mostly", "reason": ""},
        "later": {"verdict": "still holds", "reason": ""},
        "article": {"reading": {"day": "2026-02-28"}, "reason": ""},
        "finding": "Yes: five",
        **more,
    }


def axis(verdict: str, reason: str = "") -> dict[str, str]:
    return {"verdict": verdict, "reason": reason}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "\u201cIt is five\u201d comes out of the data as stated. Yes: five."),
        ({"recreated": axis("differs")}, "does not come out of the data as stated. Yes: five."),
        (
            {"recreated": axis("not checkable", "too wide")},
            "can be neither confirmed nor refuted as stated. Yes: five.",
        ),
        (
            {"recreated": axis("not checkable", "no file counts it"), "specifications": 0},
            "cannot be checked, because no file counts it.",
        ),
        (
            {"recreated": axis("not checkable", "pending: the months are not over")},
            "cannot be checked yet, because the months are not over. Yes: five.",
        ),
        ({"recreated": axis("open"), "specifications": 0}, "has not been checked yet."),
        (
            {"elsewhere": {"instrument": "another hub", "finding": "No: four"}},
            "Elsewhere (another hub): No: four.",
        ),
    ],
)
def test_each_state_of_a_claim_has_its_sentence(more: dict[str, Any], says: str) -> None:
    said = summary.sentence(record(**more))
    assert said.endswith(says)
    assert ".." not in said


@pytest.mark.parametrize(
    ("reading", "read", "day"),
    [
        ({"day": "2026-02-28"}, "2020-01-01", "2026-02-28"),
        ({"month": "2026-02", "day": "not a day"}, "", "2026-02"),
        ({"text": "licence-llama-2"}, "2024-09-19", "2024-09-19"),
        ({"text": "licence-llama-2"}, float("nan"), ""),
    ],
)
def test_the_day_is_that_of_the_articles_reading(
    reading: dict[str, str], read: object, day: str
) -> None:
    assert summary.day(record(article={"reading": reading}), read) == day


@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_claims_makes_a_table(count: int) -> None:
    made = summary.rows([record(id=f"c{n}") for n in range(count)], CITED, {})
    assert tuple(made.columns) == summary.COLUMNS
    assert len(made) == count
    if count:
        assert made["citation"].iloc[0] == (
            "Its contributors. The Record, version 1.2. Claim \u201cA claim\u201d, page c0.html; "
            "data: data/derived/claims.json, entry c0."
        )


def test_the_citation_is_what_the_citation_file_says() -> None:
    path = raw.data_dir().parent / "CITATION.cff"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert citing.citation() == {
        "title": content["title"],
        "version": content["version"],
        "authors": ", ".join(author["name"] for author in content["authors"]),
    }


def test_a_citation_file_without_a_title_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw, "data_dir", lambda: tmp_path / "data")
    with pytest.raises(InputError, match="restore the file"):
        citing.citation()
    (tmp_path / "CITATION.cff").write_text('version: "1"\n', encoding="utf-8")
    with pytest.raises(InputError, match="title: no such entry"):
        citing.citation()


def test_the_table_and_the_page_answer_every_claim() -> None:
    records = tables.claims()
    table = tables.load("summary")
    assert table["claim"].tolist() == [entry["id"] for entry in records]
    made = pages.summary.claims()
    assert isinstance(made, Html)
    for entry in records:
        if entry["recreated"]["verdict"] != "open":
            assert f'href="{entry["id"]}.html"' in made
    # The sentence holds the finding of the register, not another wording of it.
    for entry, said in zip(records, table["sentence"], strict=True):
        if entry["specifications"]:
            assert entry["finding"].rstrip(".") in said


def test_a_hostile_title_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = record(title="<script>x</script>", finding="<img src=x onerror=y>")
    frame = summary.rows([bad], CITED, {})
    monkeypatch.setattr(tables, "load", lambda _: frame)
    monkeypatch.setattr(tables, "claims", lambda: [bad])
    made = pages.summary.claims() + pages.summary.how_to_quote()
    assert "<script>" not in made
    assert "<img" not in re.sub(r"data:text/csv[^\"]*", "", made)


def test_a_part_that_was_tested_is_named() -> None:
    record = {
        "statement": "It rains and thunders.",
        "tested": "whether it rains",
        "recreated": {"verdict": "matches", "reason": ""},
        "specifications": 3,
        "finding": "Yes: it is wet",
    }
    assert summary.sentence(record) == (
        "\u201cIt rains and thunders\u201d: of it was tested whether it rains. "
        "That comes out of the data as stated. Yes: it is wet."
    )
