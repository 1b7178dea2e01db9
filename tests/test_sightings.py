"""What counts as a sighting of Qwen 4, where we look, and what a forecast is worth until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw
from analysis.builder.chapters import frontier as chapter
from analysis.claims import checks, register, results
from analysis.claims import frontier as claims
from analysis.claims.world import World
from analysis.errors import InputError
from analysis.measure import sightings
from tests.support.worlds import evidence_world

RULES = sightings.parse(raw.declared("sightings"))
REGISTER = register.parse(raw.declared("claims"))
CLAIM = REGISTER.find("qwen4-second-half-2026")
HUB = next(look for look in RULES.look if look.kind == "hub-tree")


@pytest.fixture
def world(mirror: Path) -> World:
    return evidence_world()


@pytest.mark.parametrize(
    "name",
    [
        *("Qwen4", "Qwen-4", "Qwen 4.0", "qwen4:8b", "Qwen4-7B", "Qwen/Qwen4-7B-Instruct"),
        *("us.qwen.qwen4-max-v1:0", "openrouter/qwen/qwen4-max:free", "Qwen4-8B-4bit"),
    ],
)
def test_names_that_count(name: str) -> None:
    assert sightings.counts(name, RULES)


@pytest.mark.parametrize(
    "name",
    [
        *("Qwen4-Exp", "qwen-4b", "Qwen3-4B", "qwen2.5-4bit", "Qwen1.5-4B", "Qwen/Qwen4-Exp-7B"),
        *("Qwen4.0-Exp", "Qwen4Exp", "qwen4-experimental", "Qwen4-Max-Preview"),
        *("Qwen4.5", "Qwen-4-bit", "Qwen4Play2512_v2", "DeepSeek-R1-Distill-Qwen4-8B"),
        *("Qwen-4 B", "qwen-40b", "", "qwen"),
    ],
)  # fmt: skip
def test_names_that_do_not_count(name: str) -> None:
    assert not sightings.counts(name, RULES)


@pytest.mark.parametrize(
    ("name", "generation"),
    [
        ("Qwen-7B", None),
        ("Qwen-1_8B-Chat", None),
        ("Qwen-Max-0919", None),
        ("Qwen-72B", None),
        ("qwen3:8b", (3, 0)),
        ("Qwen3-8B", (3, 0)),
        ("Qwen/Qwen2.5-72b", (2, 5)),
        ("Qwen3.8-2.4T-A95B", (3, 8)),
        ("qwen3.5:0.8b", (3, 5)),
    ],
)
def test_generations(name: str, generation: tuple[int, int] | None) -> None:
    assert sightings.generation_of(name, RULES) == generation


@given(st.text(max_size=40))
def test_any_text_is_matched_or_not(text: str) -> None:
    assert sightings.counts(f"{text}\x00", RULES) in (True, False)
    # A stranger's words in front do not make it a name of the family.
    assert not sightings.counts(f"x{text}".replace("4", ""), RULES)


def test_a_strangers_upload_makes_nothing_official() -> None:
    frame = pd.DataFrame(
        {
            "repository_id": ["someone/Qwen4-7B", "Qwen/Qwen3-8B", "Qwen/Qwen-4B"],
            "organisation": ["someone", "Qwen", "Qwen"],
        },
        dtype="string",
    )
    found = sightings.seen([("v", date(2026, 8, 22), frame)], HUB, RULES)
    assert (found["first"], found["strangers"], found["newest"]) == (None, 1, "Qwen3")


def test_ollama_counts_the_librarys_own_entries() -> None:
    look = next(look for look in RULES.look if look.kind == "ollama-library")
    frame = pd.DataFrame({"library_model": ["someone/qwen4", "qwen3"]}, dtype="string")
    assert sightings.official(frame, look) == (["qwen3"], ["someone/qwen4"])


def test_a_preview_counts_where_it_is_asked_for() -> None:
    assert sightings.counts("Qwen4-Max-Preview", RULES, announced=True)
    assert not sightings.counts("Qwen4-Exp-Preview", RULES, announced=True)
    assert not sightings.counts("Qwen-4B-Preview", RULES, announced=True)


def with_names(world: World, day: date, *names: str) -> World:
    """Return a world whose Hub shows more repositories of Qwen on a day."""
    evidence = world.evidence
    frame = pd.DataFrame(
        {"repository_id": list(names), "organisation": ["Qwen"] * len(names)}, dtype="string"
    )
    more = replace(
        evidence,
        frames={**evidence.frames, "new": frame},
        kinds={**evidence.kinds, "new": "hub-tree"},
        days={**evidence.days, "new": day},
        _made={},
    )
    return cast(World, SimpleNamespace(evidence=more))


def test_pending_until_a_source_shows_it(world: World) -> None:
    record, table = results.evaluate(world, CLAIM, REGISTER)
    assert record["recreated"]["verdict"] == "not checkable"
    assert record["recreated"]["reason"].startswith("pending: ")
    assert record["later"]["verdict"] == "not checkable"
    assert set(table["holds"]) == {"undetermined"}
    assert "not seen by 22 August 2026" in record["finding"]
    assert "exist" not in record["finding"]


@pytest.mark.parametrize(
    ("day", "name", "holds", "verdict"),
    [
        (date(2026, 9, 30), "Qwen/Qwen4-7B", "yes", "matches"),
        # Between 22 August 2026 and that day lie months inside the claim and one outside.
        (date(2027, 1, 15), "Qwen/Qwen4-7B", "undetermined", "not checkable"),
        (date(2026, 9, 30), "Qwen/Qwen4-Exp", "undetermined", "not checkable"),
    ],
)
def test_one_sighting_decides(day: date, name: str, holds: str, verdict: str, world: World) -> None:
    record, table = results.evaluate(with_names(world, day, name), CLAIM, REGISTER)
    own = table.iloc[0]
    assert (own["holds"], record["recreated"]["verdict"]) == (holds, verdict)
    assert set(table.loc[table["sources"] == "served", "holds"]) == {"undetermined"}
    # The second kind of source has not shown it.
    second = table[(table["since"] == "two-kinds") & (table["sources"] == "weights")]
    assert set(second["holds"]) == {"undetermined"}


def test_a_preview_decides_only_where_it_counts(world: World) -> None:
    table = checks.run(with_names(world, date(2026, 9, 30), "Qwen/Qwen4-Preview"), CLAIM)
    first = table[(table["since"] == "first") & (table["sources"] != "served")]
    assert dict(zip(first["names"], first["holds"], strict=False)) == {
        "itself": "undetermined",
        "previews-too": "yes",
    }


def test_every_kind_with_names_is_looked_at(world: World) -> None:
    found = claims.looks(world)
    kinds = {world.evidence.kinds[name] for name in world.evidence.frames}
    # Kinds without names of models, and those that other parts of the record have yet to read.
    without = {"organisation-weeks", "reference", "licence-text"}
    by_base = {"lineage-edges", "lineage-roots", "derivative-counts"}
    assert kinds - set(found) - without - by_base == set()
    table = chapter.sightings_table(world)
    assert table["not_seen_by"].notna().all()
    assert set(table["newest"]) == {"Qwen3", "Qwen3.5", "Qwen3.6", "Qwen3.8"}


def test_a_wrong_rule_is_named() -> None:
    good: dict[str, Any] = dict(raw.declared("sightings"))
    with pytest.raises(InputError, match="no regular expression"):
        sightings.parse({**good, "wanted": "("})
    twice = [*good["look"], good["look"][0]]
    with pytest.raises(InputError, match="stands twice"):
        sightings.parse({**good, "look": twice})
    with pytest.raises(InputError, match="whose and own"):
        sightings.parse({**good, "look": [{**good["look"][0], "own": []}]})


def test_the_check_is_declared() -> None:
    checks.examine(CLAIM)
    assert CLAIM.months == tuple(f"2026-{month:02d}" for month in range(7, 13))
