"""Families and makers: the register itself, tables by hand, every id of the real files."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw
from analysis.errors import InputError
from analysis.snapshot import read
from analysis.snapshot.families import (
    RULES,
    Families,
    assign,
    canonical,
    conflicts,
    makers,
    parse,
)

REGISTER = parse(raw.declared("families"))


def one(repository: str, rule: str = "official") -> str | None:
    tracked = pd.Series([repository]) if rule == "tracked" else None
    found = assign(pd.Series([repository]), REGISTER, rule, tracked=tracked).iloc[0]
    return None if pd.isna(found) else str(found)


# id, then the family under `official`, `with-reuploads` and `organisation`; - is none.
BY_HAND = """
Qwen/Qwen3-0.6B                                   qwen      qwen      qwen
Qwen/QwQ-32B                                      qwen      qwen      qwen
Qwen/QVQ-72B-Preview                              qwen      qwen      qwen
Qwen/CodeQwen1.5-7B-Chat                          qwen      qwen      qwen
Qwen/Qwen3-Embedding-8B                           qwen      qwen      qwen
Qwen/Qwen-Image-Edit                              qwen      qwen      qwen
Qwen/WorldPM-72B                                  qwen      qwen      qwen
Qwen/SAE-Res-Qwen3-8B-Base-W64K-L0_50             -         -         qwen
qwen/Qwen3-0.6B                                   -         -         -
Alibaba-NLP/gte-Qwen2-7B-instruct                 -         -         qwen
Wan-AI/Wan2.1-T2V-14B                             -         -         qwen
unsloth/Qwen2.5-7B-Instruct-bnb-4bit              -         qwen      -
lmstudio-community/QwQ-32B-GGUF                   -         qwen      -
bartowski/Qwen_Qwen3.6-27B-GGUF                   -         qwen      -
bartowski/cerebras_Qwen3-Coder-REAP-25B-A3B-GGUF  -         -         -
mradermacher/Qwen2.5-14B-Instruct-Uncensored-i1-GGUF -      -         -
mradermacher/Qwen1.5-72B-Chat-GGUF                -         qwen      -
QuantFactory/Qwen2-7B-BD-RP-GGUF                  -         -         -
nvidia/Qwen3-8B-FP8                               -         qwen      nemotron
nvidia/Qwen2.5-VL-7B-Surg-CholecT50               -         -         nemotron
RedHatAI/Qwen3-8B-speculator.eagle3               -         -         -
RedHatAI/Qwen2.5-VL-72B-Instruct-quantized.w4a16  -         qwen      -
Gensyn/Qwen2.5-0.5B-Instruct                      -         -         -
huihui-ai/Qwen3-8B-abliterated                    -         -         -
meta-llama/Llama-3.1-8B-Instruct                  llama     llama     llama
meta-llama/Meta-Llama-3-8B                        llama     llama     llama
meta-llama/Llama-Guard-3-8B                       llama     llama     llama
meta-llama/Llama-Prompt-Guard-2-86M               -         -         llama
meta-llama/Prompt-Guard-86M                       -         -         llama
codellama/CodeLlama-7b-hf                         llama     llama     llama
facebook/opt-125m                                 -         -         llama
FacebookAI/roberta-base                           -         -         llama
TinyLlama/TinyLlama-1.1B-Chat-v1.0                -         -         -
unsloth/Llama-OuteTTS-1.0-1B                      -         -         -
NousResearch/Meta-Llama-3-8B-Instruct             -         llama     -
NousResearch/Hermes-3-Llama-3.1-8B                -         -         -
MaziyarPanahi/Llama-3-8B-Instruct-v0.8            -         -         -
MaziyarPanahi/Meta-Llama-3-70B-Instruct-GGUF      -         llama     -
TheBloke/Llama-2-7B-Chat-GGUF                     -         llama     -
allenai/Llama-3.1-Tulu-3-8B                       -         -         olmo
deepseek-ai/DeepSeek-R1                           deepseek  deepseek  deepseek
deepseek-ai/DeepSeek-R1-Distill-Qwen-32B          deepseek  deepseek  deepseek
deepseek-ai/DeepSeek-R1-Distill-Llama-8B          deepseek  deepseek  deepseek
deepseek-ai/Janus-Pro-7B                          deepseek  deepseek  deepseek
unsloth/DeepSeek-R1-0528-Qwen3-8B-GGUF            -         deepseek  -
mradermacher/DeepSeek-R1-Distill-Qwen-14B-Uncensored-GGUF - -         -
mistralai/Mixtral-8x7B-Instruct-v0.1              mistral   mistral   mistral
mistralai/Mamba-Codestral-7B-v0.1                 mistral   mistral   mistral
mistral-community/pixtral-12b                     -         mistral   -
TheBloke/Mistral-7B-OpenOrca-GPTQ                 -         -         -
nvidia/Mistral-NeMo-12B-Instruct                  -         -         nemotron
google/gemma-3-12b-it                             gemma     gemma     gemma
google/paligemma2-3b-pt-224                       gemma     gemma     gemma
google/t5gemma-2b-2b-prefixlm                     gemma     gemma     gemma
google/gemma-scope-2b-pt-res                      -         -         gemma
google/bert_uncased_L-2_H-128_A-2                 -         -         gemma
google/flan-t5-base                               -         -         gemma
google/vit-base-patch16-224                       -         -         gemma
google/siglip-so400m-patch14-384                  -         -         gemma
bartowski/google_medgemma-27b-it-GGUF             -         gemma     -
openai/gpt-oss-20b                                gpt-oss   gpt-oss   gpt-oss
openai/gpt-oss-safeguard-20b                      gpt-oss   gpt-oss   gpt-oss
openai/whisper-large-v3                           -         -         gpt-oss
openai/clip-vit-base-patch32                      -         -         gpt-oss
openai-community/gpt2                             -         -         -
unsloth/gpt-oss-20b-GGUF                          -         gpt-oss   -
nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16        nemotron  nemotron  nemotron
nvidia/Llama-3.1-Nemotron-70B-Instruct-HF         nemotron  nemotron  nemotron
nvidia/parakeet-tdt-0.6b-v2                       -         -         nemotron
bartowski/Llama-3.1-Nemotron-70B-Instruct-HF-GGUF -         nemotron  -
zai-org/GLM-4.6                                   glm       glm       glm
THUDM/chatglm3-6b                                 glm       glm       glm
zai-org/AutoGLM-Phone-9B                          glm       glm       glm
zai-org/codegeex4-all-9b                          glm       glm       glm
zai-org/CogVideoX-5b                              -         -         glm
THUDM/cogvlm2-llama3-chat-19B                     -         -         glm
moonshotai/Kimi-K2-Instruct                       kimi      kimi      kimi
moonshotai/Moonlight-16B-A3B                      kimi      kimi      kimi
nvidia/Kimi-K2-Thinking-Eagle3                    -         -         nemotron
nvidia/Kimi-K2-Thinking-NVFP4                     -         kimi      nemotron
MiniMaxAI/MiniMax-M2                              minimax   minimax   minimax
microsoft/phi-4                                   phi       phi       phi
microsoft/Phi-3-mini-4k-instruct                  phi       phi       phi
microsoft/MediPhi-Instruct                        phi       phi       phi
microsoft/deberta-v3-base                         -         -         phi
microsoft/prophetnet-large-uncased                -         -         phi
microsoft/Mistral-7B-v0.1-onnx                    -         mistral   phi
ibm-granite/granite-3.3-8b-instruct               granite   granite   granite
ibm-research/PowerMoE-3b                          -         -         granite
allenai/OLMo-2-0325-32B                           olmo      olmo      olmo
allenai/olmOCR-2-7B-1025                          -         -         olmo
allenai/Molmo-7B-D-0924                           -         -         olmo
internlm/internlm2-chat-7b                        internlm  internlm  internlm
internlm/Intern-S1                                internlm  internlm  internlm
OpenGVLab/InternVL3-8B                            -         -         internlm
HuggingFaceTB/SmolVLM-256M-Instruct               smollm    smollm    smollm
HuggingFaceTB/finemath-classifier                 -         -         smollm
tiiuae/falcon-7b-instruct                         falcon    falcon    falcon
01-ai/Yi-34B-Chat                                 yi        yi        yi
CohereLabs/aya-23-8B                              command   command   command
CohereForAI/c4ai-command-r-v01                    command   command   command
baidu/ERNIE-4.5-0.3B-PT                           ernie     ernie     ernie
baidu/Qianfan-VL-8B                               -         -         ernie
tencent/Hunyuan-MT-7B                             hunyuan   hunyuan   hunyuan
tencent/Hy3                                       hunyuan   hunyuan   hunyuan
tencent/Youtu-Embedding                           -         -         hunyuan
ByteDance-Seed/Seed-OSS-36B-Instruct              seed      seed      seed
ByteDance-Seed/SeedVR2-7B                         -         -         seed
XiaomiMiMo/MiMo-7B-RL                             mimo      mimo      mimo
xai-org/grok-2                                    grok      grok      grok
gpt2                                              -         -         -
Qwen                                              -         -         -
Qwen/                                             -         -         -
/Qwen3-8B                                         -         -         -
"""
TABLE = [tuple(line.split()) for line in BY_HAND.strip().splitlines()]


@pytest.mark.parametrize(("repository", "official", "copied", "whole"), TABLE)
def test_by_hand(repository: str, official: str, copied: str, whole: str) -> None:
    expected = [None if word == "-" else word for word in (official, official, copied, whole)]
    rules = ("official", "tracked", "with-reuploads", "organisation")
    assert [one(repository, rule) for rule in rules] == expected


def test_the_table_is_long_enough() -> None:
    assert len(TABLE) >= 60
    with_a_row = {row[1] for row in TABLE}
    # Six smaller families are told by the same code; the claims need these.
    smaller = {"exaone", "lfm", "minicpm", "ling", "step", "longcat"}
    assert with_a_row >= set(REGISTER.families) - smaller


@pytest.mark.parametrize(
    ("repository", "maker", "language_model"),
    [
        ("Qwen/Qwen3-8B", "alibaba", True),
        ("Wan-AI/Wan2.1-T2V-14B", "alibaba", False),
        ("Alibaba-NLP/Tongyi-DeepResearch-30B-A3B", "alibaba", True),
        ("Alibaba-NLP/gte-base-en-v1.5", "alibaba", False),
        ("openai/gpt-oss-20b", "openai", True),
        ("openai/whisper-large-v3", "openai", False),
        ("google/gemma-3-12b-it", "google", True),
        ("google/gemma-scope-2b-pt-res", "google", False),
        ("google/flan-t5-base", "google", False),
        ("meta-llama/Llama-3.1-8B", "meta", True),
        ("meta-llama/Prompt-Guard-86M", "meta", False),
        ("facebook/opt-125m", "meta", True),
        ("facebook/wav2vec2-base", "meta", False),
        ("FacebookAI/roberta-base", "meta", False),
        ("nvidia/parakeet-tdt-0.6b-v2", "nvidia", False),
        ("nvidia/Llama-3.1-Minitron-4B-Width-Base", "nvidia", True),
        ("microsoft/deberta-v3-base", "microsoft", False),
        ("ibm-granite/granite-timeseries-ttm-r2", "ibm", False),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", None, False),
        ("unsloth/Qwen2.5-7B-Instruct", None, False),
        ("Qwen/", None, False),
    ],
)
def test_makers(repository: str, maker: str | None, language_model: bool) -> None:
    ids = pd.Series([repository])
    assert makers(ids, REGISTER).astype(object).where(lambda s: s.notna(), None).tolist() == [maker]
    only = makers(ids, REGISTER, language_models=True)
    assert only.notna().tolist() == [language_model]


def test_the_tracked_rule_needs_its_list() -> None:
    ids = pd.Series(["Qwen/Qwen3-8B", "Qwen/Qwen3-4B"])
    listed = pd.DataFrame({"repository_id": ["Qwen/Qwen3-8B"]})
    found = assign(ids, REGISTER, "tracked", tracked=listed)
    assert found.isna().tolist() == [False, True]
    assert makers(ids, REGISTER, tracked=listed).isna().tolist() == [False, True]
    with pytest.raises(InputError, match="rule 'tracked' needs a tracked list"):
        assign(ids, REGISTER, "tracked")
    with pytest.raises(InputError, match="rule 'official' takes no tracked list"):
        assign(ids, REGISTER, tracked=listed)
    with pytest.raises(InputError, match="no rule 'offical'; known: official"):
        assign(ids, REGISTER, "offical")
    with pytest.raises(InputError, match="no column 'repository_id'"):
        assign(pd.DataFrame({"id": ["a/b"]}), REGISTER)


def test_renamed_organisations() -> None:
    ids = pd.Series(["THUDM/chatglm3-6b", "zai-org/GLM-4.6", "gpt2", None], index=[3, 1, 2, 0])
    found = canonical(ids, REGISTER)
    assert found.index.tolist() == [3, 1, 2, 0]
    assert found.tolist()[:3] == ["zai-org/chatglm3-6b", "zai-org/GLM-4.6", "gpt2"]
    assert pd.isna(found.iloc[3])


# ---------------------------------------------------------------------------- the real files


@pytest.fixture(scope="module")
def every_id(raw_path: Callable[[str], Path]) -> pd.Series[Any]:
    """Every repository id of the snapshots, rankings and lists."""
    parts = []
    kinds = ("hub-snapshot", "hub-top30", "hub-top25", "hub-top15", "hub-trending", "tracked-list")
    for kind in kinds:
        for source, version in raw.load_registry().by_kind(kind):
            if source.state == "available":
                wanted = ["repository_id"]
                parts.append(read(raw_path(version.name), kind, columns=wanted).frame[wanted[0]])
    return pd.concat(parts).drop_duplicates().reset_index(drop=True)


@pytest.fixture(scope="module")
def tracked(raw_path: Callable[[str], Path]) -> pd.DataFrame:
    """All tracked lists together."""
    return pd.concat(
        read(raw_path(version.name), "tracked-list").frame
        for _source, version in raw.load_registry().by_kind("tracked-list")
    )


@pytest.mark.parametrize("rule", RULES)
def test_no_two_families_claim_one_repository(rule: str, every_id: pd.Series[Any]) -> None:
    assert len(every_id) > 26_000
    assert conflicts(every_id, REGISTER, rule).to_dict("records") == []


def test_every_rule_finds_something_for_every_family(every_id: pd.Series[Any]) -> None:
    for rule in ("official", "with-reuploads", "organisation"):
        assert set(assign(every_id, REGISTER, rule).dropna()) == set(REGISTER.families)


def test_rules_widen(every_id: pd.Series[Any]) -> None:
    strict = assign(every_id, REGISTER)
    wide = assign(every_id, REGISTER, "with-reuploads")
    whole = assign(every_id, REGISTER, "organisation")
    assert (wide[strict.notna()] == strict[strict.notna()]).all()
    assert (whole[strict.notna()] == strict[strict.notna()]).all()
    counts = {
        name: int((found == "qwen").sum()) for name, found in {"a": strict, "b": wide}.items()
    }
    assert counts == {"a": 424, "b": 754}


def test_the_golden_qwen_rows(raw_path: Callable[[str], Path]) -> None:
    frame = read(raw_path("hub-stats-2026-05"), "hub-snapshot").frame
    qwen = frame[assign(frame, REGISTER) == "qwen"]
    assert len(qwen) == 106
    assert qwen["downloads_30d"].sum() == 169_409_841


def test_every_tracked_organisation_is_known(tracked: pd.DataFrame) -> None:
    known = {
        entry.organisation for maker in REGISTER.makers.values() for entry in maker.organisations
    }
    others = set(REGISTER.others.organisations)
    missing = set(tracked["organisation"]) - known - others
    assert missing == set()


def test_makers_have_the_region_of_the_public_list(raw_path: Callable[[str], Path]) -> None:
    frame = read(raw_path("organisation-regions-2026-08-17"), "reference").frame
    regions = dict(zip(frame["organisation"], frame["region"], strict=True))
    checked = 0
    for maker in REGISTER.makers.values():
        for entry in maker.organisations:
            if entry.organisation in regions:
                assert regions[entry.organisation] == maker.region, entry.organisation
                checked += 1
            assert REGISTER.region_of(entry.organisation) == maker.region
    assert checked >= 40
    assert REGISTER.region_of("gpt2") is None


def test_the_tracked_lists_name_93_repositories_twice(raw_path: Callable[[str], Path]) -> None:
    """GLM stands there under THUDM and again under zai-org: a population must be made canonical.

    No snapshot with counters does so, hence no counter is added twice.
    """
    twice = {}
    for kind in ("hub-snapshot", "tracked-list"):
        for source, version in raw.load_registry().by_kind(kind):
            if source.state == "available":
                ids = read(raw_path(version.name), kind).frame["repository_id"]
                twice[version.name] = int(canonical(ids, REGISTER).duplicated().sum())
    found = {name: count for name, count in twice.items() if count}
    assert set(found) == {name for name in twice if name.startswith("tracked-2")}
    assert set(found.values()) == {93}


# ------------------------------------------------------------------------------- properties

PIECES = st.sampled_from(
    [
        *("Qwen", "qwen", "unsloth", "google", "nvidia", "gemma", "Llama-3", "8B", "GGUF"),
        *("/", "-", "_", ".", "3", "x", "é", "\n", "\x00", "", " "),
    ]
)
IDS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=30)


@settings(max_examples=40, deadline=None)
@given(ids=st.lists(IDS, max_size=12), rule=st.sampled_from(["official", "with-reuploads"]))
def test_the_answer_depends_on_the_id_alone(ids: list[str], rule: str) -> None:
    together = assign(pd.Series(ids, dtype="object"), REGISTER, rule)
    backwards = assign(pd.Series(ids[::-1], dtype="object"), REGISTER, rule)
    assert together.astype(object).tolist()[::-1] == backwards.astype(object).tolist()
    for place, repository in enumerate(ids):
        alone = one(repository, rule)
        mixed = together.iloc[place]
        assert alone == (None if pd.isna(mixed) else mixed)
    assert conflicts(pd.Series(ids, dtype="object"), REGISTER, rule).empty


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(st.text(st.characters(), max_size=40) | st.none() | st.integers(), max_size=8))
def test_never_raises(ids: list[Any]) -> None:
    series = pd.Series(ids, dtype="object", index=range(5, 5 + len(ids)))
    for rule in ("official", "with-reuploads", "organisation"):
        found = assign(series, REGISTER, rule)
        assert found.dtype == "string"
        assert found.index.equals(series.index)
    assert len(makers(series, REGISTER)) == len(ids)
    assert len(canonical(series, REGISTER)) == len(ids)


def test_lone_surrogates_are_no_repository() -> None:
    series = pd.Series(["Qwen/\ud800", "Qwen/Qwen3-8B"], dtype="object")
    assert assign(series, REGISTER).isna().tolist() == [True, False]


@settings(max_examples=60, deadline=None)
@given(repository=st.sampled_from([row[0] for row in TABLE if "/" in row[0]]))
def test_names_ignore_case_and_organisations_do_not(repository: str) -> None:
    organisation, _slash, name = repository.partition("/")
    for rule in ("official", "with-reuploads"):
        expected = one(repository, rule)
        assert one(f"{organisation}/{name.upper()}", rule) == expected
        assert one(f"{organisation}/{name.lower()}", rule) == expected
        other = organisation.swapcase()
        if other != organisation:
            assert one(f"{other}/{name}", rule) is None


def test_long_names_are_not_searched() -> None:
    assert one("Qwen/" + "q" * 200) == "qwen"
    assert one("Qwen/" + "q" * 201) is None
    ids = pd.Series(["nvidia/" + "-nemotron" * 50_000, "nvidia/" + "a-" * 95])
    start = time.perf_counter()
    assign(ids, REGISTER, "with-reuploads")
    assert time.perf_counter() - start < 1


def test_a_million_ids_take_seconds() -> None:
    """Synthetic ids, one in ten of an organisation that matters."""
    organisations = ["Qwen", "someone", "else", "a", "b", "c", "d", "e", "f", "g"]
    ids = pd.Series(
        [f"{organisations[place % 10]}/Qwen3-{place}B" for place in range(1_000_000)],
        dtype="string",
    )
    start = time.perf_counter()
    found = assign(ids, REGISTER, "with-reuploads")
    assert time.perf_counter() - start < 5
    assert found.notna().sum() == 100_000


# ------------------------------------------------------------------------ wrong registers


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    mapping = copy.deepcopy(raw.declared("families"))
    change(mapping)
    return mapping


WRONG: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda m: m.pop("others"), r"families\.toml: others: Field required"),
    (lambda m: m.update(extra=1), "extra: Extra inputs are not permitted"),
    (lambda m: m["rules"].pop("tracked"), "rules: no entry for 'tracked'"),
    (lambda m: m["rules"]["official"].update(reason=" "), r"rules\.official\.reason"),
    (
        lambda m: m["families"]["qwen"]["organisations"][0].pop("reason"),
        r"families\.qwen\.organisations\.0\.reason: Field required",
    ),
    (
        lambda m: m["families"]["qwen"]["organisations"][0].update(names="("),
        r"names: '\(' is not a regular expression",
    ),
    (lambda m: m["families"]["qwen"].update(organisations=[]), r"qwen\.organisations"),
    (lambda m: m["families"]["qwen"].update(maker="nobody"), "no maker 'nobody'"),
    (lambda m: m["families"]["qwen"].update(maker="meta"), "is not one of maker 'meta'"),
    (
        lambda m: m["families"].update(other=m["families"]["qwen"]),
        "families 'qwen' and 'other' share a maker",
    ),
    (
        lambda m: m["makers"]["meta"]["organisations"].append(
            {"organisation": "Qwen", "reason": "a wrong entry"}
        ),
        "organisation 'Qwen' stands with the makers 'alibaba' and 'meta'",
    ),
    (
        lambda m: m["others"]["organisations"].append("Qwen"),
        "organisation 'Qwen' is of maker 'alibaba' and in others",
    ),
    (lambda m: m["makers"]["meta"].update(region="mars"), r"makers\.meta\.region"),
    (
        lambda m: m["copies"]["reuploaders"].append({"organisation": "a b", "reason": "x" * 20}),
        "organisation",
    ),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_a_wrong_register_is_named(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse(broken(change))
    assert str(caught.value).startswith("data/families.toml: ")


def test_two_claims_are_found() -> None:
    """A register made to be wrong: Llama's copies begin with any word."""
    mapping = broken(lambda m: m["families"]["llama"]["copies"].update(names="qwen"))
    register = parse(mapping)
    ids = pd.Series(["unsloth/Qwen3-8B-GGUF", "unsloth/gemma-3-4b-it", "unsloth/Qwen3-8B-GGUF"])
    found = conflicts(ids, register, "with-reuploads")
    assert found.to_dict("records") == [
        {"repository_id": "unsloth/Qwen3-8B-GGUF", "families": "qwen, llama"}
    ]
    assert assign(ids, register, "with-reuploads").tolist() == ["qwen", "gemma", "qwen"]


def test_titles() -> None:
    assert isinstance(REGISTER, Families)
    assert REGISTER.titles["gpt-oss"] == "gpt-oss"
    assert REGISTER.titles["command"] == "Command and Aya"
    assert all(entry.reason for entry in REGISTER.rules.values())
