"""Figures that others published: whole, cited, and never mixed into a result of ours."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from analysis import raw, tables
from analysis.builder import derived
from tests.conftest import PROJECT
from tests.support.worlds import load_loaded, load_world

FOLDER = PROJECT / "data" / "reference"
FILES = sorted(path.name for path in FOLDER.glob("*.csv"))
SHARED = PROJECT.parent / "shared" / "reference"


@pytest.mark.parametrize("name", FILES)
def test_the_figures_are_as_they_were_handed_over(name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("the folder that the figures were copied from is not here")
    given = (SHARED / name).read_bytes().replace(b"\r\n", b"\n")
    assert (FOLDER / name).read_bytes().replace(b"\r\n", b"\n") == given


def test_every_file_has_its_citation() -> None:
    entries = raw.declared("reference")["table"]
    assert sorted(entry["file"] for entry in entries) == FILES
    for entry in entries:
        for field in ("title", "producer", "source", "definition", "licence"):
            assert entry[field].strip(), (entry["file"], field)


@pytest.mark.parametrize("name", FILES)
def test_every_file_loads(name: str) -> None:
    assert len(tables.load(f"reference/{name.removesuffix('.csv')}")) > 0


def test_each_published_figure_names_its_document() -> None:
    figures = tables.load("reference/published-figures")
    assert figures["id"].is_unique
    for column in ("document", "authors", "value"):
        assert figures[column].notna().all(), column


def test_only_few_tables_name_the_published_figures_as_inputs() -> None:
    reading = {e["name"] for e in tables.manifest()["tables"] if "data/reference" in e["inputs"]}
    inferred = {
        *("enterprise_arithmetic", "terms_survey"),
        *("provenance_figures", "provenance_contradictions"),
    }
    # The published list of days marks what our rules found, or is their test, and enters no rule.
    tested = {"trust_days", "trust_tests", "trust_rules", "trust_claims"}
    assert reading == {"ladder", "anomalies", "provenance_statements", *inferred, *tested}
    # What is worked out from published figures alone is our reading, and never more.
    for name in sorted(inferred):
        assert set(tables.load(name)["grade"]) == {"inferred"}


@pytest.fixture(scope="module")
def published() -> dict[str, pd.DataFrame]:
    return {name: tables.load(f"reference/{name}") for name in derived.PUBLISHED}


@pytest.mark.usefixtures("mirror")
def test_other_published_numbers_change_published_rows_only(
    published: dict[str, pd.DataFrame],
) -> None:
    whole = load_world()
    # One month is enough: every kind of row is in it.
    february = (whole.inputs.anchors.of_month("2026-02"),)
    days = whole.inputs.anchors.model_copy(update={"anchor": february})
    world = replace(whole, inputs=replace(whole.inputs, anchors=days))
    plain = derived.ladder_table(world, published)
    altered = {name: frame.copy() for name, frame in published.items()}
    for name in ("modelpulse-hub-monthly", "modelpulse-publishers-monthly"):
        for column in altered[name].select_dtypes("number").columns:
            altered[name][column] = altered[name][column] * 3.7 + 1
    figures = altered["published-figures"]
    figures["value"] = [
        "42" if re.fullmatch(r"[\d.]+", str(value)) else value for value in figures["value"]
    ]
    other = derived.ladder_table(world, altered)
    ours = plain["grade"] != "published"
    pd.testing.assert_frame_equal(plain[ours], other[ours])
    changed = plain["share"] != other["share"]
    assert changed[~ours].all()
    assert set(plain.loc[~ours, "rung"]) == {
        "text-and-vision-published",
        "hub-published",
        "top-1000-published",
    }
    assert plain.loc[~ours, ["lower", "upper", "observed"]].isna().all(axis=None)


@pytest.mark.usefixtures("mirror")
def test_the_published_days_name_rows_and_never_what_we_saw(
    published: dict[str, pd.DataFrame],
) -> None:
    world = load_world()
    loaded = load_loaded()[1]
    plain = derived.anomalies_table(world, loaded, published["counter-anomalies"])
    other = published["counter-anomalies"].assign(what="made up", source="made up")
    again = derived.anomalies_table(world, loaded, other)
    assert sorted(plain["seen_here"]) == sorted(again["seen_here"])
    assert set(again["published_in"]) == {"made up", ""}
