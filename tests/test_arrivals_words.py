"""Names of families in ids and tags: what holds one, and what is only the name of a tool."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.errors import InputError
from analysis.measure import arrivals
from analysis.snapshot import families, read

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def rules() -> arrivals.Rules:
    return arrivals.parse(tomllib.loads((ROOT / "data/arrivals.toml").read_text("utf-8")))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("llama", True),
        ("Meta-Llama-3-8B", True),
        ("mllama", True),
        ("a/TinyLlama-GGUF", True),
        ("llama.cpp", False),
        ("ik_llama.cpp", False),
        ("LLaMA-Factory", False),
        ("Ollama", False),
        ("exllamav3", False),
        ("gemma-4-12b-it-wllama-split", False),
        # A model beside a tool, and a tool's name inside another word.
        ("a/Llama-3.2-1B-llamafile", True),
        ("a/tool-llama.cpp-of-llama", True),
        ("toollama", True),
        ("qwen3", False),
    ],
)
def test_a_tool_is_no_model(rules: arrivals.Rules, text: str, answer: bool) -> None:
    assert arrivals.holds(text, arrivals.words_of(rules, "llama")) is answer


def test_a_family_without_words_is_one_error(rules: arrivals.Rules) -> None:
    with pytest.raises(InputError, match=r"no words for the family 'falcon'"):
        arrivals.words_of(rules, "falcon")


def test_no_tool_takes_anything_from_qwen(
    rules: arrivals.Rules, raw_path: Callable[[str], Path]
) -> None:
    frame = read(raw_path("roots-2026-03"), "lineage-roots").frame
    register = families.parse(tomllib.loads((ROOT / "data/families.toml").read_text("utf-8")))
    edges = arrivals.declared(frame, register)
    plain = rules.model_copy(
        update={
            "family": {
                name: one.model_copy(update={"tools": ()}) for name, one in rules.family.items()
            }
        }
    )
    counted = {}
    for name in ("qwen", "llama"):
        now = arrivals.related(frame, edges, register, name, rules)
        before = arrivals.related(frame, edges, register, name, plain)
        counted[name] = (int(before["tag"].sum()), int(now["tag"].sum()))
    assert counted["qwen"][0] == counted["qwen"][1] == 1_105
    # The two counts by hand, without the project's code.
    assert counted["llama"] == (3_760, 3_709)
