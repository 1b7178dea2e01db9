"""Keys of the price table, each looked up by hand: which cloud, family and model it names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw
from analysis.errors import InputError
from analysis.measure import services
from analysis.measure.services import Place, place

RULES = services.parse(raw.declared("services"))

#: Key, provider (None as in the oldest version), and what it names. The first letter of the cloud
#: stands for it. Keys are those of the table unless a line says otherwise.
PAIRS: list[tuple[str, str | None, str, str | None, str | None]] = [
    # Bedrock, 2024: without provider, without and with revision, with region and contract.
    ("meta.llama2-13b-chat-v1", None, "b", "llama", "llama-2-13b"),
    ("meta.llama2-70b-chat-v1", "bedrock", "b", "llama", "llama-2-70b"),
    ("meta.llama3-8b-instruct-v1:0", "bedrock", "b", "llama", "llama-3-8b"),
    ("meta.llama3-70b-instruct-v1:0", "bedrock", "b", "llama", "llama-3-70b"),
    ("bedrock/us-east-1/meta.llama3-70b-instruct-v1:0", "bedrock", "b", "llama", "llama-3-70b"),
    ("bedrock/us-gov-west-1/meta.llama3-8b-instruct-v1:0", "bedrock", "b", "llama", "llama-3-8b"),
    ("bedrock/ca-central-1/meta.llama3-8b-instruct-v1:0", "bedrock", "b", "llama", "llama-3-8b"),
    ("meta.llama3-1-8b-instruct-v1:0", "bedrock", "b", "llama", "llama-3.1-8b"),
    ("us.meta.llama3-1-70b-instruct-v1:0", "bedrock", "b", "llama", "llama-3.1-70b"),
    ("meta.llama3-1-405b-instruct-v1:0", "bedrock", "b", "llama", "llama-3.1-405b"),
    ("eu.meta.llama3-2-1b-instruct-v1:0", "bedrock", "b", "llama", "llama-3.2-1b"),
    ("us.meta.llama3-2-11b-instruct-v1:0", "bedrock", "b", "llama", "llama-3.2-11b"),
    ("meta.llama3-3-70b-instruct-v1:0", "bedrock_converse", "b", "llama", "llama-3.3-70b"),
    (
        "us.meta.llama4-maverick-17b-instruct-v1:0",
        "bedrock_converse",
        "b",
        "llama",
        "llama-4-maverick",
    ),
    ("meta.llama4-scout-17b-instruct-v1:0", "bedrock_converse", "b", "llama", "llama-4-scout"),
    # Bedrock: the other families.
    ("qwen.qwen3-32b-v1:0", "bedrock_converse", "b", "qwen", "qwen3-32b"),
    ("qwen.qwen3-235b-a22b-2507-v1:0", "bedrock_converse", "b", "qwen", "qwen3-235b-a22b-2507"),
    (
        "qwen.qwen3-coder-480b-a35b-v1:0",
        "bedrock_converse",
        "b",
        "qwen",
        "qwen3-coder-480b-a35b",
    ),
    ("qwen.qwen3-coder-next", "bedrock_converse", "b", "qwen", "qwen3-coder-next"),
    ("bedrock/eu-west-2/qwen.qwen3-coder-next", "bedrock", "b", "qwen", "qwen3-coder-next"),
    ("qwen.qwen3-next-80b-a3b", "bedrock_converse", "b", "qwen", "qwen3-next-80b-a3b"),
    ("qwen.qwen3-vl-235b-a22b", "bedrock_converse", "b", "qwen", "qwen3-vl-235b-a22b"),
    ("us.deepseek.r1-v1:0", "bedrock_converse", "b", "deepseek", "deepseek-r1"),
    ("deepseek.v3-v1:0", "bedrock_converse", "b", "deepseek", "deepseek-v3.1"),
    ("eu.deepseek.v3.2", "bedrock_converse", "b", "deepseek", "deepseek-v3.2"),
    ("bedrock/sa-east-1/deepseek.v3.2", "bedrock", "b", "deepseek", "deepseek-v3.2"),
    ("mistral.mistral-7b-instruct-v0:2", "bedrock", "b", "mistral", "mistral-7b"),
    ("bedrock/us-west-2/mistral.mixtral-8x7b-instruct", "bedrock", "b", "mistral", "mixtral-8x7b"),
    ("mistral.mixtral-8x7b-instruct-v0:1", "bedrock", "b", "mistral", "mixtral-8x7b"),
    ("mistral.mistral-large-2402-v1:0", "bedrock", "b", "mistral", "mistral-large-2402"),
    (
        "mistral.mistral-large-3-675b-instruct",
        "bedrock_converse",
        "b",
        "mistral",
        "mistral-large-3",
    ),
    ("us.mistral.pixtral-large-2502-v1:0", "bedrock_converse", "b", "mistral",
     "pixtral-large-2502"),
    ("mistral.ministral-3-8b-instruct", "bedrock_converse", "b", "mistral", "ministral-3-8b"),
    ("openai.gpt-oss-120b-1:0", "bedrock_converse", "b", "gpt-oss", "gpt-oss-120b"),
    ("bedrock_mantle/openai.gpt-oss-120b", "bedrock_mantle", "b", "gpt-oss", "gpt-oss-120b"),
    (
        "openai.gpt-oss-safeguard-20b",
        "bedrock_converse",
        "b",
        "gpt-oss",
        "gpt-oss-safeguard-20b",
    ),
    ("google.gemma-3-12b-it", "bedrock_converse", "b", "gemma", "gemma-3-12b"),
    ("bedrock_mantle/google.gemma-4-31b", "bedrock_mantle", "b", "gemma", "gemma-4-31b"),
    # Azure: two spellings of 3.1, the vision models, the stored form, a partner's models.
    ("azure_ai/Meta-Llama-31-8B-Instruct", "azure_ai", "a", "llama", "llama-3.1-8b"),
    ("azure_ai/Meta-Llama-3.1-8B-Instruct", "azure_ai", "a", "llama", "llama-3.1-8b"),
    ("azure_ai/Meta-Llama-31-405B-Instruct", "azure_ai", "a", "llama", "llama-3.1-405b"),
    ("azure_ai/Meta-Llama-3-70B-Instruct", "azure_ai", "a", "llama", "llama-3-70b"),
    ("azure_ai/Llama-3.2-90B-Vision-Instruct", "azure_ai", "a", "llama", "llama-3.2-90b"),
    ("azure_ai/Llama-3.3-70B-Instruct", "azure_ai", "a", "llama", "llama-3.3-70b"),
    (
        "azure_ai/Llama-4-Maverick-17B-128E-Instruct-FP8",
        "azure_ai",
        "a",
        "llama",
        "llama-4-maverick",
    ),
    ("azure_ai/deepseek-r1", "azure_ai", "a", "deepseek", "deepseek-r1"),
    ("azure_ai/deepseek-v3", "azure_ai", "a", "deepseek", "deepseek-v3"),
    ("azure_ai/deepseek-v3-0324", "azure_ai", "a", "deepseek", "deepseek-v3-0324"),
    ("azure_ai/deepseek-v3.1", "azure_ai", "a", "deepseek", "deepseek-v3.1"),
    ("azure_ai/FW-DeepSeek-V3.2", "azure_ai", "a", "deepseek", "deepseek-v3.2"),
    ("azure/mistral-large-2402", "azure", "a", "mistral", "mistral-large-2402"),
    ("azure/mistral-large-latest", "azure", "a", None, None),
    ("azure_ai/mistral-small-2503", "azure_ai", "a", "mistral", "mistral-small-2503"),
    ("azure_ai/gpt-oss-120b", "azure_ai", "a", "gpt-oss", "gpt-oss-120b"),
    # Vertex: publisher before a slash, model as a service, at signs.
    ("vertex_ai/meta/llama3-405b-instruct-maas", "vertex_ai-llama_models", "v", "llama",
     "llama-3.1-405b"),
    ("vertex_ai/meta/llama3-70b-instruct-maas", "vertex_ai-llama_models", "v", "llama",
     "llama-3-70b"),
    ("vertex_ai/meta/llama-3.1-8b-instruct-maas", "vertex_ai-llama_models", "v", "llama",
     "llama-3.1-8b"),
    ("vertex_ai/meta/llama-3.2-90b-vision-instruct-maas", "vertex_ai-llama_models", "v", "llama",
     "llama-3.2-90b"),
    ("vertex_ai/meta/llama-4-scout-17b-128e-instruct-maas", "vertex_ai-llama_models", "v",
     "llama", "llama-4-scout"),
    ("vertex_ai/qwen/qwen3-235b-a22b-instruct-2507-maas", "vertex_ai-qwen_models", "v", "qwen",
     "qwen3-235b-a22b-2507"),
    ("vertex_ai/qwen/qwen3-coder-480b-a35b-instruct-maas", "vertex_ai-qwen_models", "v", "qwen",
     "qwen3-coder-480b-a35b"),
    ("vertex_ai/qwen/qwen3-next-80b-a3b-thinking-maas", "vertex_ai-qwen_models", "v", "qwen",
     "qwen3-next-80b-a3b-thinking"),
    ("vertex_ai/deepseek-ai/deepseek-v3.1-maas", "vertex_ai-deepseek_models", "v", "deepseek",
     "deepseek-v3.1"),
    ("vertex_ai/mistral-large@2411-001", "vertex_ai-mistral_models", "v", "mistral",
     "mistral-large-2411"),
    ("vertex_ai/mistral-large-2411", "vertex_ai-mistral_models", "v", "mistral",
     "mistral-large-2411"),
    ("vertex_ai/mistral-nemo@latest", "vertex_ai-mistral_models", "v", None, None),
    ("vertex_ai/mistralai/codestral-2@001", "vertex_ai-mistral_models", "v", "mistral",
     "codestral-2"),
    ("vertex_ai/openai/gpt-oss-20b-maas", "vertex_ai-openai_models", "v", "gpt-oss",
     "gpt-oss-20b"),
    ("vertex_ai/google/gemma-4-26b-a4b-it-maas", "vertex_ai-openai_models", "v", "gemma",
     "gemma-4-26b-a4b"),
    # On the clouds, and of no family here.
    ("nvidia.nemotron-nano-9b-v2", "bedrock_converse", "b", None, None),
    ("azure_ai/FW-Nemotron-3-Ultra-NVFP4", "azure_ai", "a", None, None),
    ("bedrock/us-east-1/1-month-commitment/anthropic.claude-v1", "bedrock", "b", None, None),
    # Made up: derivatives as other providers of the table name them, put on a cloud.
    ("azure_ai/DeepSeek-R1-Distill-Llama-70B", "azure_ai", "a", None, None),
    ("bedrock/us-west-2/deepseek.r1-distill-llama-8b-v1:0", "bedrock", "b", None, None),
    ("bedrock/deepseek.r1-distill-qwen-14b-v1:0", "bedrock", "b", None, None),
    ("vertex_ai/nvidia/llama-3.1-nemotron-70b-instruct-maas", "vertex_ai-x", "v", None, None),
    ("azure_ai/Llama-3.1-Nemotron-70B-Instruct", "azure_ai", "a", None, None),
    ("azure_ai/TinyLlama-1.1B-Chat", "azure_ai", "a", None, None),
    ("vertex_ai/someone/llama-3.1-8b-maas", "vertex_ai-x", "v", None, None),
    ("vertex_ai/meta/qwen3-8b-maas", "vertex_ai-x", "v", None, None),
    ("us-gov.meta.llama3-8b-instruct-v1:0", "bedrock", "b", "llama", "llama-3-8b"),
    ("bedrock/*/1-month-commitment/meta.llama3-8b-instruct-v1:0", "bedrock", "b", "llama",
     "llama-3-8b"),
]  # fmt: skip

#: Keys of other services, which are none of the three clouds.
ELSEWHERE = [
    ("deepinfra/nvidia/Llama-3.1-Nemotron-70B-Instruct", "deepinfra"),
    ("groq/llama-3.3-70b-versatile", "groq"),
    ("sagemaker/meta-textgeneration-llama-2-7b", "sagemaker"),
    ("sagemaker/meta-textgeneration-llama-2-7b", None),
    ("ovhcloud/DeepSeek-R1-Distill-Llama-70B", "ovhcloud"),
    ("vercel_ai_gateway/deepseek/deepseek-r1-distill-llama-70b", "vercel_ai_gateway"),
    ("together_ai/Qwen/Qwen3-235B-A22B-fp8-tput", "together_ai"),
    ("openrouter/meta-llama/llama-3-70b-instruct", None),
]
CLOUDS = {"b": "bedrock", "a": "azure", "v": "vertex"}


def test_there_are_enough_pairs_over_clouds_and_families() -> None:
    assert len(PAIRS) >= 60
    assert len({pair[:2] for pair in PAIRS}) == len(PAIRS)
    assert {pair[2] for pair in PAIRS} == set(CLOUDS)
    assert {pair[3] for pair in PAIRS if pair[3]} == set(RULES.families)


@pytest.mark.parametrize(("key", "provider", "cloud", "family", "model"), PAIRS)
def test_a_key_names_what_was_read_by_hand(
    key: str, provider: str | None, cloud: str, family: str | None, model: str | None
) -> None:
    assert place(key, provider, RULES) == Place(CLOUDS[cloud], family, model)


@pytest.mark.parametrize(("key", "provider"), ELSEWHERE)
def test_other_services_are_no_cloud(key: str, provider: str | None) -> None:
    assert place(key, provider, RULES) is None


@given(
    st.sampled_from([pair for pair in PAIRS if pair[3]]),
    st.sampled_from(["upper", "lower", "swapcase"]),
)
def test_case_is_no_part_of_a_key(
    pair: tuple[str, str | None, str, str | None, str | None], how: str
) -> None:
    key, provider = pair[:2]
    assert place(getattr(key, how)(), provider, RULES) == place(key, provider, RULES)


@given(st.text(max_size=80) | st.just("llama" * 10_000), st.sampled_from(["bedrock", "azure_ai"]))
def test_any_text_is_placed_or_not(key: str, provider: str) -> None:
    found = place(key, provider, RULES)
    assert found is None or found.cloud in CLOUDS.values()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pointers": ["("]}, "no regular expression"),
        ({"modes": 3}, "modes"),
        ({"publisher": [{"names": ["x"], "families": ["y"], "reason": "some"}]}, "no family 'y'"),
        ({"newest_after_days": -1}, "newest_after_days"),
    ],
)
def test_a_wrong_rule_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        services.parse({**raw.declared("services"), **change})
    assert "data/services.toml" in str(caught.value)
