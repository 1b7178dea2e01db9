"""What tells that a model is of a kind."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analysis import raw
from analysis.errors import InputError
from analysis.measure import breadth, releases

KINDS = breadth.parse(raw.declared("breadth"))
RELEASES = releases.parse(raw.declared("releases"))


def of(name: str, tag: str | None = None, by: str = "either") -> set[str]:
    frame = pd.DataFrame(
        {
            "repository_id": pd.Series([f"o/{name}"], dtype="string"),
            "pipeline_tag": pd.Series([tag], dtype="string"),
        }
    )
    return set(breadth.told(breadth.kinds(frame, KINDS), by)["kind"])


@pytest.mark.parametrize(
    ("name", "tag", "kinds"),
    [
        ("Qwen2.5-VL-7B-Instruct", "image-text-to-text", {"vision"}),
        ("Qwen3.5-9B", "image-text-to-text", {"vision"}),
        ("Qwen2.5-Omni-7B", "any-to-any", {"vision", "audio"}),
        ("Qwen2-Audio-7B", "audio-text-to-text", {"audio"}),
        ("Qwen3-TTS-12Hz-1.7B-VoiceDesign", "text-to-speech", {"audio"}),
        ("Qwen2.5-Math-PRM-7B", "text-classification", {"mathematics", "reward"}),
        ("DeepSeek-Prover-V2-7B", None, {"mathematics"}),
        ("CodeQwen1.5-7B-Chat", "text-generation", {"code"}),
        ("deepseek-coder-6.7b-base", "text-generation", {"code"}),
        ("MediPhi-MedCode", "text-generation", set()),
        ("Qwen3-Coder-480B-A35B-Instruct", "text-generation", {"code"}),
        ("Qwen-Image-Edit", "image-to-image", {"image-generation"}),
        ("Qwen3-Reranker-8B", "text-ranking", {"reranker"}),
        ("Qwen3-VL-Embedding-8B", "sentence-similarity", {"vision", "embedding"}),
        ("Qwen3Guard-Stream-4B", "feature-extraction", {"guard"}),
        ("Qwen3-8B", "text-generation", set()),
        ("visualise-nothing", None, set()),
    ],
)
def test_kinds_are_told_by_task_or_name(name: str, tag: str | None, kinds: set[str]) -> None:
    assert of(name, tag) == kinds


def test_the_ways_to_tell_differ_where_the_hub_has_a_task() -> None:
    assert of("Qwen3.5-9B", "image-text-to-text", "name") == set()
    assert of("Qwen3.5-9B", "image-text-to-text", "tag") == {"vision"}
    assert of("Qwen3.5-9B", "image-text-to-text", "both") == set()
    assert of("Qwen2.5-VL-7B", "image-text-to-text", "both") == {"vision"}
    assert of("Pixtral-12B-2409", None, "tag") == set()
    # The Hub has no task for mathematics, so the name decides in every way.
    for by in breadth.TOLD_BY:
        assert of("Mathstral-7B", None, by) == {"mathematics"}
    with pytest.raises(InputError, match="no way 'guess'"):
        of("x", None, "guess")


def test_a_base_model_is_told_by_its_sisters() -> None:
    names = [
        "Qwen3-8B", "Qwen3-8B-Base", "Qwen2.5-7B", "Qwen2.5-7B-Instruct", "QwQ-32B", "gemma-2b",
        "gemma-2b-it", "gemma-3-4b-pt", "Mistral-7B-v0.1", "Mistral-7B-Instruct-v0.1",
        "Qwen3-TTS-12Hz-1.7B-Base", "Qwen2.5-Coder-7B", "Qwen2.5-Coder-7B-Instruct-AWQ",
    ]  # fmt: skip
    assert breadth.pretrained(names, KINDS, RELEASES) == {
        "Qwen3-8B-Base", "Qwen2.5-7B", "gemma-2b", "gemma-3-4b-pt", "Mistral-7B-v0.1",
        "Qwen2.5-Coder-7B",
    }  # fmt: skip
    # Without its sister nobody knows.
    assert breadth.pretrained(["Qwen2.5-7B"], KINDS, RELEASES) == frozenset()


def test_the_article_names_five_kinds() -> None:
    assert KINDS.named == ("base", "vision", "audio", "mathematics", "code")
    assert set(KINDS.titles) == {kind.id for kind in KINDS.kind}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": []}, r"data/breadth\.toml: kind"),
        ({"pairs": {}}, r"data/breadth\.toml: pairs"),
    ],
)
def test_a_wrong_rule_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        breadth.parse({**raw.declared("breadth"), **changes})


def test_a_kind_named_twice_is_refused() -> None:
    rows = raw.declared("breadth")["kind"]
    with pytest.raises(InputError, match="named twice: base"):
        breadth.parse({**raw.declared("breadth"), "kind": [*rows, rows[0]]})
