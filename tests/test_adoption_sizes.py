"""Sizes from names, headers and lists, and whether a model fits: rules, arithmetic, real files."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw
from analysis.builder.chapters import adoption as chapter
from analysis.claims import adoption, checks, register
from analysis.errors import InputError
from analysis.measure import sizes
from analysis.present import cumulative
from analysis.present.figure import render
from tests.support.worlds import evidence_world, load_world

RULES = sizes.parse(raw.declared("hardware"))
NO_LIST = pd.DataFrame(
    {"repository_id": [], "parameters_total_b": [], "parameters_active_b": []}
).astype({"parameters_total_b": "Float64", "parameters_active_b": "Float64"})


# Real names: what each states, and what must not be read into it.
@pytest.mark.parametrize(
    ("name", "total", "active", "bits", "packed"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", 7e9, None, "16", False),
        ("Qwen/Qwen2.5-7B-Instruct-1M", 7e9, None, "16", False),  # 1M is a length of context
        ("Qwen/Qwen-1_8B-Chat-Int4", 1.8e9, None, "4", True),
        ("Qwen/Qwen3-30B-A3B-GPTQ-Int4", 30e9, 3e9, "4", True),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", 235e9, 22e9, "8", False),
        ("Qwen/Qwen1.5-MoE-A2.7B-Chat", None, 2.7e9, "16", False),
        ("Qwen/Qwen2.5-32B-Instruct-GPTQ-Int8", 32e9, None, "8", True),
        ("Qwen/Qwen3-4B-MLX-6bit", 4e9, None, "8", True),
        ("Qwen/Qwen3-14B-MLX-bf16", 14e9, None, "16", False),
        ("Qwen/Qwen2.5-0.5B-Instruct-GGUF", 0.5e9, None, "4", True),
        ("Qwen/Qwen3.8-2.4T-A95B-FP8", 2.4e12, 95e9, "8", False),
        ("Qwen/Qwen2.5-Math-7B-PRM800K", 7e9, None, "16", False),
        ("Qwen/Qwen-tokenizer", None, None, "16", False),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", None, 17e9, "16", False),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", None, None, "16", False),  # neither 7 nor 56
        ("google/gemma-3n-E2B-it", None, None, "16", False),
        ("google/gemma-3-270m-it-qat-q4_0-unquantized", 270e6, None, "4", True),
        ("openai/gpt-oss-20b", 20e9, None, "4", False),
        ("deepseek-ai/DeepSeek-V3", None, None, "8", False),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", 1.5e9, None, "16", False),
        ("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", 8e9, None, "16", False),
        ("BAAI/bge-m3", None, None, "16", False),
    ],
)
def test_a_name_states_a_size(
    name: str, total: float | None, active: float | None, bits: str, packed: bool
) -> None:
    read = sizes.read_name(name, RULES)
    assert (read.total, read.active, read.bits, read.packed) == (total, active, bits, packed)


def test_a_copy_in_other_bits_is_the_same_model() -> None:
    plain = sizes.read_name("Qwen/Qwen3-8B", RULES).plain
    for copy in ("Qwen3-8B-AWQ", "Qwen3-8B-FP8", "Qwen3-8B-GGUF", "Qwen3-8B-MLX-4bit"):
        assert sizes.read_name(f"Qwen/{copy}", RULES).plain == plain
    assert sizes.read_name("Qwen/Qwen3-8B-Base", RULES).plain != plain


def test_headers_of_packed_files_are_never_taken() -> None:
    # The header of an AWQ copy counts 32-bit integers that hold eight parameters each.
    headers = {"Qwen/Qwen3-8B": 8.19e9, "Qwen/Qwen3-8B-AWQ": 2.1e9, "Qwen/Qwen9-2B-AWQ": 0.5e9}
    table = sizes.sizes(list(headers), headers, NO_LIST, RULES)
    assert table.loc["Qwen/Qwen3-8B-AWQ", ["total", "how"]].tolist() == [8.19e9, "sibling"]
    assert table.loc["Qwen/Qwen9-2B-AWQ", ["total", "how"]].tolist() == [2e9, "name"]
    # Eight-bit floats lie one by one: their header counts parameters.
    table = sizes.sizes(["A/X-8B-FP8"], {"A/X-8B-FP8": 8.2e9}, NO_LIST, RULES)
    assert table.loc["A/X-8B-FP8", "how"] == "header"


def test_where_a_size_comes_from_and_what_stays_unknown() -> None:
    listed = pd.DataFrame(
        {
            "repository_id": ["deepseek-ai/DeepSeek-V3"],
            "parameters_total_b": pd.array([671.0], "Float64"),
            "parameters_active_b": pd.array([37.0], "Float64"),
        }
    )
    names = [
        "deepseek-ai/DeepSeek-V3",
        "deepseek-ai/DeepSeek-V4-Flash",
        "meta-llama/Llama-4-Scout-17B-16E",
        "mistralai/Mixtral-8x7B-v0.1",
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "Qwen/Qwen-tokenizer",
    ]
    table = sizes.sizes(names, {"mistralai/Mixtral-8x7B-v0.1": 46.7e9}, listed, RULES)
    assert table["how"].to_dict() == {
        "deepseek-ai/DeepSeek-V3": "list",
        "deepseek-ai/DeepSeek-V4-Flash": "unknown",
        "meta-llama/Llama-4-Scout-17B-16E": "stated",
        "mistralai/Mixtral-8x7B-v0.1": "header",
        "mistralai/Mixtral-8x7B-Instruct-v0.1": "sibling",
        "Qwen/Qwen-tokenizer": "unknown",
    }
    assert table.loc["meta-llama/Llama-4-Scout-17B-16E", ["total", "active"]].tolist() == [
        109e9,
        17e9,
    ]
    assert table.loc["mistralai/Mixtral-8x7B-Instruct-v0.1", "total"] == 46.7e9
    # A mixture whose active part nobody gives: not known, never "all of them".
    assert math.isnan(table.loc["deepseek-ai/DeepSeek-V4-Flash", "active"])
    fit = sizes.fits(table, RULES.find_card("24"), "published", RULES)
    assert fit.isna().tolist() == [h == "unknown" for h in table["how"]]
    assert list(table.index) == sorted(names)


CARDS = st.sampled_from(RULES.card)
STORED = st.floats(1, 32)
OVERHEAD = st.floats(1, 4)


@given(CARDS, STORED, OVERHEAD)
def test_the_largest_model_just_fits(card: sizes.Card, stored: float, overhead: float) -> None:
    line = sizes.largest(card, stored, overhead)
    there = card.gigabytes * sizes.GIGABYTE * card.usable
    assert sizes.memory(line, stored, overhead) == pytest.approx(there)
    assert sizes.memory(line * 1.001, stored, overhead) > there


@given(STORED, STORED, OVERHEAD, OVERHEAD, CARDS)
def test_more_bits_and_more_room_hold_less(
    a: float, b: float, c: float, d: float, card: sizes.Card
) -> None:
    few, many = sorted((a, b))
    tight, wide = sorted((c, d))
    assert sizes.largest(card, many, wide) <= sizes.largest(card, few, tight)


@given(st.lists(st.floats(1e6, 1e12), min_size=1, max_size=30), CARDS)
def test_fits_agrees_with_the_arithmetic(totals: list[float], card: sizes.Card) -> None:
    names = [f"Maker/Model{i}" for i in range(len(totals))]
    table = sizes.sizes(names, dict(zip(names, totals, strict=True)), NO_LIST, RULES)
    for bits in ("16", "8", "4"):
        answer = sizes.fits(table, card, bits, RULES)
        line = sizes.largest(card, RULES.stored(bits), RULES.overhead)
        for name, total in zip(names, totals, strict=True):
            if abs(total / line - 1) > 1e-9:
                assert bool(answer[name]) == (total < line)


@given(st.text(alphabet="abqwen0123456789-._xBbAae", max_size=40))
def test_any_name_is_read_without_harm(name: str) -> None:
    read = sizes.read_name(f"Maker/{name}", RULES)
    assert read.total is None or read.total > 0
    assert read.active is None or read.active > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"overhead": 0.5}, "overhead"),
        ({"overhead": 1.3}, "overheads must hold"),
        ({"classes": [2e9, 1e9]}, "classes must rise"),
        (
            {"native": [{"pattern": "(", "bits": "4", "packed": False, "reason": "x" * 10}]},
            "no regular expression",
        ),
        (
            {"native": [{"pattern": "a", "bits": "3", "packed": False, "reason": "x" * 10}]},
            "bits '3' are not declared",
        ),
    ],
)
def test_a_wrong_rule_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        sizes.parse({**raw.declared("hardware"), **change})
    assert "data/hardware.toml" in str(caught.value)


def test_unknown_cards_and_bits_name_what_there_is() -> None:
    with pytest.raises(InputError, match="no card is called '9'; there are: 8, 12"):
        RULES.find_card("9")
    with pytest.raises(InputError, match="no bits are called '3'; there are: 16, 8, 4, published"):
        RULES.stored("3")


def test_headers_of_the_real_cut_agree_with_the_names(mirror: Path) -> None:
    world = evidence_world()
    table = sizes.header_check(adoption.headers(world), RULES).set_index(["packed", "bits"])
    assert table["repositories"].to_dict() == {
        (False, "16"): 2837,
        (False, "4"): 2,
        (False, "8"): 5,
        (True, "4"): 5,
    }
    assert table["agree"].to_dict() == {
        (False, "16"): 2541,
        (False, "4"): 2,
        (False, "8"): 5,
        (True, "4"): 2,
    }


# Golden: share of the downloads read on the day of the complete catalogues that fits 24 GB as
# published, and the models that do. From names alone, without headers, it is 0.696 for Qwen and
# 0.826 for Llama.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "read", "fit", "known"),
    [
        ("qwen", 0.6932, 92, 153),
        ("llama", 0.8258, 23, 61),
        ("gemma", 0.8610, 256, 295),
        ("mistral", 0.6340, 14, 32),
        ("deepseek", 0.3563, 30, 65),
    ],
)
def test_what_fits_on_the_day_of_the_catalogues(
    mirror: Path, family: str, read: float, fit: int, known: int
) -> None:
    world, day = load_world(), date(2025, 10, 12)
    fetched = adoption.fitting(world, family, day, "24", "published", "downloads", "family", "in")
    models = adoption.fitting(world, family, day, "24", "published", "models", "family", "in")
    assert fetched.value == pytest.approx(read, abs=5e-4)
    assert (models.extra["fit"], models.covered) == (fit, known)
    assert fetched.hard_lower <= fetched.lower <= fetched.upper <= fetched.hard_upper


@pytest.mark.slow
def test_on_its_day_a_family_is_what_the_complete_catalogue_lists(mirror: Path) -> None:
    world, day = load_world(), date(2025, 10, 12)
    listed = set(world.evidence.frame("makers-2025-10-12")["repository_id"])
    for family in ("qwen", "llama", "gemma", "mistral", "deepseek"):
        for population in ("family", "since-2025"):
            assert adoption.members(world, family, day, population)[0] <= listed
    # Created on the day before, after the last change of the catalogue; and an organisation
    # that it did not ask for.
    own = adoption.members(world, "qwen", day, "with-reuploads")[0]
    assert "Qwen/Qwen3-VL-4B-Instruct" not in own
    assert {name for name in own - listed if name.startswith("Qwen/")} == set()
    assert any(name.startswith("RedHatAI/") for name in own)
    assert (
        "Qwen/Qwen3-VL-4B-Instruct"
        in adoption.members(world, "qwen", date(2026, 2, 28), "family")[0]
    )
    # The whole catalogue, added up: what does not fit or has no known size against it.
    table = world.evidence.frame("makers-2025-10-12").set_index("repository_id")
    whole = float(table.loc[sorted(own & listed), "downloads_30d"].sum())
    got = adoption.fitting(world, "qwen", day, "24", "published", "downloads", "family", "in")
    assert (float(str(got.extra["fit"])), whole) == (61_432_466, 89_074_818)
    assert got.lower <= 61_432_466 / 89_074_818 <= got.upper


@pytest.mark.slow
def test_every_share_that_fits_lies_in_its_interval(mirror: Path) -> None:
    world = load_world()
    claim = register.parse(raw.declared("claims")).find("hardware-sizes")
    table = checks.run(world, claim)
    assert len(table) == 216
    assert (table["lower"] <= table["value"]).all()
    assert (table["value"] <= table["upper"]).all()
    rows = chapter.hardware_fit(world)
    rows = rows[rows["value"].notna()]
    assert (rows["lower"] <= rows["value"]).all()
    assert (rows["value"] <= rows["upper"]).all()
    # What was read is a part that nobody drew by lot, so it may lie outside of what the whole
    # family can have; but only where something was not read.
    outside = rows[(rows["read"] < rows["lower"]) | (rows["read"] > rows["upper"])]
    assert (outside["covered_repositories"] < outside["population_repositories"]).all()
    assert "2025-10-12" not in set(outside["day"])


def test_the_chart_of_sizes_draws_both_series_and_the_limit() -> None:
    frame = pd.DataFrame(
        {
            "series": ["all parameters"] * 3 + ["active part"] * 2,
            "parameters": [1e9, 8e9, 30e9, 1e9, 3e9],
            "share": [0.2, 0.6, 1.0, 0.4, 1.0],
        }
    )
    marks = pd.DataFrame({"parameters": [9.7e9], "label": ["24 GB at sixteen bits"]})
    for width in (680, 312):
        drawn = render(
            cumulative.cumulative_steps(frame, width, measure="of downloads", marks=marks), width
        )
        for text in ("all parameters", "active part", "24 GB at sixteen bits", "of downloads"):
            assert text in drawn
