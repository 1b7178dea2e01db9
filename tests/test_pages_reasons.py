"""The opening of "Why Qwen": what it says follows from the tables, here and with other numbers."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from analysis import pages, tables
from analysis.pages import licensing, reasons
from analysis.present import charts


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html)).replace("\u00a0", " ")


def test_the_reasons_stand_side_by_side() -> None:
    text = plain(reasons.side_by_side())
    assert "Qwen is first in new models a month and sizes to choose from." in text
    assert "level in kinds of models (as many as Mistral)" in text
    assert "behind in free licences (Mistral ahead) and what fits a card of 24 GB" in text
    # One row a family, with its downloads in the same catalogues.
    shares = tables.load("licence_shares")
    own = shares[(shares["day"] == licensing._CATALOGUE) & (shares["measure"] == "downloads_30d")]
    assert own[own["family"] == "qwen"]["count"].sum() == 89_074_818
    assert "89.1 million" in text


def test_a_rival_who_leads_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Synthetic: the same families with other numbers.
    known = reasons._known()
    known["llama"]["rate"] = (9.0, 9.0)
    known["mistral"]["kinds"] = (1, 1)
    monkeypatch.setattr(reasons, "_known", lambda: known)
    text = plain(reasons.side_by_side())
    assert "new models a month (Llama ahead)" in text
    assert "first in kinds of models and sizes to choose from" in text
    assert "level" not in text


def test_the_opening_sorts_the_claims_by_their_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    text = plain(reasons.in_short())
    assert text.startswith("The licences are not as told.")
    holds, _, left = text.partition("What the data leave open: ")
    assert "new Qwen models for each new Llama model" in holds.partition("What holds")[2]
    assert "Qwen 2.5" in left
    real = pages.claim

    def turned(id: str) -> pages.Claim:
        found: Any = real(id)
        if id == "breadth":
            found.record = {**found.record, "recreated": {"verdict": "differs", "reason": ""}}
        return found  # type: ignore[no-any-return]

    monkeypatch.setattr(pages, "claim", turned)
    wrong = plain(reasons.in_short()).partition("What does not hold: ")[2]
    assert "of the five kinds of models" in wrong.partition(".")[0]


def test_the_apache_licence_is_dated_and_named_as_its_own() -> None:
    made = plain(licensing.thresholds())
    assert "January 2004, of the Apache licence itself, not of Qwen" in made
    assert "Apache Software Foundation, used by Alibaba Cloud" in made


def test_a_row_without_an_upper_end_says_at_least() -> None:
    row = {"value": 5.3, "lower": 1.5, "upper": float("inf")}
    assert charts.row_text(row, "ratio") == "at least 1.50"
    assert charts.row_text({**row, "upper": 9.0}, "ratio") == "1.50 to 9.00"


def test_the_box_names_the_deciding_choice_and_the_day_in_words() -> None:
    box = plain(pages.claim("licence-apache").summary())
    assert "\u201cwhen created\u201d explains" in box
    assert "on 22 August 2026" in box
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", box)
    assert pd.notna(pages.claim("release-velocity").record["value"])
    assert "3.48" in plain(pages.claim("release-velocity").found())
