"""Words that tell professions, the labels they were tried on, and the claim about them."""

from __future__ import annotations

import copy
import importlib.util
import math
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw, tables
from analysis.builder.chapters import domains as chapter
from analysis.claims import checks, register
from analysis.claims import domains as claim_domains
from analysis.claims.outcome import Spec
from analysis.errors import InputError
from analysis.measure import domains
from tests.support import worlds

PROJECT = Path(__file__).resolve().parents[1]
RAW = raw.declared("domains")
RULES = domains.parse(RAW)
READER = domains.Classifier(RULES)
LABELS = domains.labels(tables.by_hand("domain-labels"), RULES)


def changed(*path: str | int, value: object) -> dict[str, Any]:
    """Return the rules with one entry changed."""
    out = copy.deepcopy(RAW)
    place: Any = out
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return out


# ---------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("someone/qwen-legal-sft", {"law"}),
        ("someone/MedQA-qlora", {"medicine"}),
        ("someone/medgemma-1.5-4b", {"medicine"}),
        ("someone/HealthPulse-7B", {"medicine"}),
        ("someone/Qwen2.5-Coder-7B", {"code"}),
        ("someone/text2sql-qwen", {"code"}),
        ("someone/FinanceBot", {"finance"}),
        ("someone/german-tutor", {"education"}),
        ("someone/cadquery-lora", {"engineering"}),
        ("someone/verilog_writer", {"engineering"}),
        ("someone/法律助手", {"law"}),
        # Words inside other words do not count.
        ("someone/OpenClaw-7B", set()),
        ("someone/lawrence-7b", set()),
        ("someone/t5-medium-media-medusa", set()),
        ("someone/finetune-final-Finnish", set()),
        ("someone/sparse-autoencoder-decoder-codec", set()),
        ("someone/illegal-unschooled", set()),
        # Nor do words that mean something else.
        ("someone/scaling-law-7b", set()),
        ("someone/custom_code-model", set()),
        ("someone/investigator", set()),
        ("someone/qwen-bad-medical-advice-sft", set()),
        ("someone/qwen-risky-financial-advice", set()),
        ("someone/school-of-reward-hacks", set()),
        ("someone/llama.cpp-GGUF", set()),
        ("someone/layer-surgery", set()),
        ("someone/prompt-engineering", set()),
        # The account is not read.
        ("legal-bank-school/qwen-7b", set()),
    ],
)
def test_names(name: str, found: set[str]) -> None:
    assert READER.name(name) == found


def test_tags() -> None:
    assert READER.tags(["medical", "region:us", "license:mit"]) == {"medicine"}
    # Bases and data sets say what a model is made from, not what for.
    assert READER.tags(["base_model:org/legal-7b", "dataset:org/finance-qa"]) == frozenset()
    assert READER.tags(["sql", "code"]) == {"code"}
    # A tag that names a language of the repository is not read.
    assert READER.tags(["med"], ["MED"]) == frozenset()
    # Who names everything names nothing.
    many = [f"tag{number}" for number in range(RULES.reading.crowded)]
    assert READER.tags([*many, "legal"]) == frozenset()
    assert READER.tags([*many[1:], "legal"]) == {"law"}


def test_a_word_of_the_base_is_told_apart() -> None:
    frame = pd.DataFrame(
        {
            "repository_id": ["a/coder-copy", "a/legal-copy"],
            "tags": [["x"], None],
            "base_models": [["org/Qwen2.5-Coder-7B"], ["org/Qwen2.5-7B"]],
        }
    )
    got = domains.classify(frame, RULES).set_index("repository_id")
    assert got.loc["a/coder-copy", "by_base"]
    assert not got.loc["a/legal-copy", "by_base"]
    assert list(got["by_name"]) == [True, True]


@given(st.text(alphabet="aZ9bQ-_./ é医", max_size=60))
def test_pieces_put_together_give_the_letters_back(text: str) -> None:
    cut = domains.pieces(text)
    assert "".join(whole for whole, _ in cut) == "".join(c for c in text if c.isalnum()).lower()
    for whole, parts in cut:
        assert "".join(parts) == whole
        assert all(parts)


@settings(max_examples=30)
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_can_be_read(name: str, tag: str) -> None:
    READER.name(name)
    READER.tags([tag, tag], [name])


@pytest.mark.parametrize("letter", ["A", "aA", "a1", "-", "医", "legal"])
def test_long_texts_of_strangers_cost_linear_time(letter: str) -> None:
    text = letter * 200_000
    start = time.perf_counter()
    READER.name(f"a/{text}")
    READER.tags([text] * 20)
    domains.pieces(text)
    assert time.perf_counter() - start < 5


def test_every_word_has_a_reason_and_finds_itself() -> None:
    for domain in RULES.domain:
        for entry in domain.word:
            for text in entry.texts:
                assert domain.id in READER.text(text), text
        for entry in domain.not_:
            for text in entry.texts:
                assert domain.id not in READER.text(text), text


def test_the_published_classification_does_not_depend_on_order() -> None:
    frame = pd.DataFrame({"repository_id": ["a/legal", "b/coder", "c/plain"]})
    one = domains.classify(frame, RULES)
    two = domains.classify(frame.iloc[::-1].reset_index(drop=True), RULES)
    assert domains.pairs(one, "name") == domains.pairs(two, "name-or-tags")


# ------------------------------------------------------------------------ faults of the files


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (changed("domain", 0, "word", 0, "texts", value=["Medic"]), "capital letter"),
        (changed("domain", 0, "word", 0, "texts", value=["two words"]), "phrases"),
        (changed("domain", 0, "word", 0, "reason", value=""), "reason"),
        (changed("domain", 1, "id", value="medicine"), "named twice: medicine"),
        (changed("estimation", "part", value="all"), "estimation.part"),
        (changed("surprise", value=1), "surprise"),
    ],
)
def test_a_wrong_rule_is_named(broken: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=r"data/domains\.toml") as caught:
        domains.parse(broken)
    assert says in str(caught.value)


def _row(**cells: str) -> pd.DataFrame:
    table = tables.by_hand("domain-labels")
    for name, value in cells.items():
        table.loc[3, name] = value
    return table


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (_row(labels="theology"), "line 5: labels: no domain 'theology'"),
        (_row(stratum="nowhere"), "line 5: no stratum 'nowhere'"),
        (_row(part="guessed"), "line 5: part 'guessed'"),
        (_row(part="read"), "line 5: part 'read'"),
        (_row(labels="", inherited="law"), "inherited names a domain"),
        (_row(repository_id=str(LABELS["repository_id"].iloc[0])), "labelled twice"),
        (tables.by_hand("domain-labels").drop(columns="unsure"), "column 'unsure' is missing"),
        (tables.by_hand("domain-labels").iloc[1:], "restore the file"),
    ],
)
def test_a_wrong_label_is_named(table: pd.DataFrame, says: str) -> None:
    with pytest.raises(InputError, match=r"data/domain-labels\.csv") as caught:
        domains.labels(table, RULES)
    assert says in str(caught.value)


def test_a_missing_table_is_named() -> None:
    with pytest.raises(InputError, match=r"no-such-table\.csv: no such file"):
        tables.by_hand("no-such-table")


def test_labels_hold_ids_and_our_words_and_no_text_of_a_card() -> None:
    assert len(LABELS) == 1235
    assert LABELS["repository_id"].str.fullmatch(r"[\w.-]+/[\w.-]+").all()
    assert LABELS["reason"].str.len().between(3, 90).all()


# --------------------------------------------------------------------------------- estimates


def test_wilson_by_hand() -> None:
    lower, upper = domains.wilson(0.8, 10, 1.96)
    assert (round(lower, 4), round(upper, 4)) == (0.4902, 0.9433)
    assert all(math.isnan(end) for end in domains.wilson(0.5, 0, 1.96))


@given(st.floats(0, 1), st.floats(0.5, 5000))
def test_wilson_holds_the_value_and_narrows(part: float, size: float) -> None:
    lower, upper = domains.wilson(part, size, 1.96)
    assert 0 <= lower <= part + 1e-9
    assert part - 1e-9 <= upper <= 1
    more = domains.wilson(part, size * 4, 1.96)
    assert more[1] - more[0] <= upper - lower + 1e-12


def _small() -> tuple[domains.Rules, pd.DataFrame]:
    """Return rules with two strata of made-up sizes, and a sample of five."""
    broken = copy.deepcopy(RAW)
    broken["sample"]["stratum"] = [
        {"id": "one", "size": 10, "drawn": 2},
        {"id": "rest", "size": 300, "drawn": 3},
    ]
    rules = domains.parse(broken)
    rows = [
        ("a/1", "one", "tuning", "law", "", "", "made up"),
        ("a/2", "one", "held out", "", "", "", "made up"),
        ("a/3", "rest", "tuning", "law", "", "law", "made up"),
        ("a/4", "rest", "held out", "", "", "", "made up"),
        ("a/5", "rest", "held out", "", "", "law", "made up"),
    ]
    table = pd.DataFrame(rows, columns=list(domains.LABEL_COLUMNS), dtype="str")
    return rules, domains.labels(table, rules)


def test_precision_and_recall_by_hand() -> None:
    rules, sample = _small()
    # One of two stands for 5, one of three for 100. The words find a/1, a/2 and a/5.
    matched = frozenset({("a/1", "law"), ("a/2", "law"), ("a/5", "law"), ("a/3", "code")})
    got = domains.quality(sample, matched, "law", rules)
    assert (got.precision.hits, got.precision.of) == (1, 3)
    assert got.precision.value == pytest.approx(5 / 110)
    assert (got.recall.hits, got.recall.of) == (1, 2)
    assert got.recall.value == pytest.approx(5 / 105)
    against = domains.quality(sample, matched, "law", rules, "against")
    assert against.recall.value == 1
    in_favour = domains.quality(sample, matched, "law", rules, "for")
    assert in_favour.precision.value == pytest.approx(105 / 110)
    nothing = domains.quality(sample, frozenset(), "code", rules)
    assert math.isnan(nothing.precision.value)
    assert math.isnan(nothing.recall.lower)


def test_a_corrected_count_by_hand() -> None:
    def known(precision: float, recall: float) -> domains.Quality:
        return domains.Quality(
            "law",
            domains.Rate(1, 2, precision, precision - 0.1, min(1.0, precision + 0.1)),
            domains.Rate(1, 2, recall, recall - 0.1, min(1.0, recall + 0.1)),
        )

    got = domains.corrected(20, 1000, known(0.8, 0.5), known(0.6, 0.5), known(0.9, 0.5))
    assert got.value == pytest.approx(20 * 0.8 / 0.5)
    assert got.lower == pytest.approx(20 * 0.5)
    assert got.upper == pytest.approx(20 * 1.0 / 0.4)
    # Never more than there are.
    assert domains.corrected(20, 30, known(0.8, 0.5), known(0.6, 0.5), known(0.9, 0.2)).upper == 30
    # Where recall may be nought nothing is known above; a nought must not turn into everything.
    assert math.isnan(
        domains.corrected(20, 30, known(0.8, 0.5), known(0.6, 0.5), known(0.9, 0.1)).upper
    )
    nought = domains.corrected(20, 30, known(0.8, 0.1), known(0.6, 0.5), known(0.9, 0.5))
    assert nought.lower == pytest.approx(20 * 0.5)
    assert math.isnan(nought.value)
    assert math.isnan(nought.upper)
    blank = domains.Rate(0, 0, math.nan, math.nan, math.nan)
    unread = domains.Quality("law", blank, blank)
    nothing = domains.corrected(2, 30, unread, unread, unread)
    assert nothing.lower == 0
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.upper)


def test_redrawn_samples_keep_their_strata_and_repeat() -> None:
    rules, sample = _small()
    times = domains.redrawn(sample, rules)
    assert np.array_equal(times, domains.redrawn(sample, rules))
    assert np.array_equal(times[:, :2].sum(axis=1), np.full(len(times), 2))
    assert np.array_equal(times[:, 2:].sum(axis=1), np.full(len(times), 3))
    inside = np.ones(len(sample), dtype="bool")
    got = domains.expanded(sample, times, "law", inside, rules)
    assert got.value == pytest.approx(105)
    assert got.lower <= got.value <= got.upper
    assert domains.expanded(sample, times, "law", ~inside, rules) == domains.Count(0, 0, 0)


@settings(max_examples=20)
@given(st.lists(st.booleans(), min_size=5, max_size=5))
def test_estimates_stay_between_nothing_and_everything(found: list[bool]) -> None:
    rules, sample = _small()
    names = [n for n, f in zip(sample["repository_id"], found, strict=True) if f]
    matched = frozenset((str(name), "law") for name in names)
    got = domains.resampled(sample, domains.redrawn(sample, rules), matched, "law", rules)
    for name in ("precision", "recall"):
        assert got[name].dropna().between(0, 1 + 1e-9).all()


# ----------------------------------------------------------------------- on the pinned archive


@pytest.mark.usefixtures("mirror")
class TestTheTree:
    def test_every_labelled_repository_is_there(self) -> None:
        world = worlds.evidence_world()
        rows = claim_domains.derivatives(world, "tree")
        # One labelled repository names only itself as base, which is no relation.
        missing = set(LABELS["repository_id"]) - set(rows["repository_id"])
        assert missing == {"nmthien/vietnamese-gpt2"}
        assert len(rows) == 8563
        assert sum(stratum.size for stratum in RULES.sample.stratum) == 8587

    def test_derivatives_of_qwen(self) -> None:
        world = worlds.evidence_world()
        got = {
            b: int(claim_domains.is_of(world, "tree", "qwen", b).sum()) for b in claim_domains.BASES
        }
        assert got == {"official": 2543, "with-reuploads": 3000, "any-name": 3702}

    def test_what_was_read(self) -> None:
        world = worlds.evidence_world()
        got = claim_domains.counts(world, "tree", "qwen", "with-reuploads", counted="read")
        assert {name: (c.lower, c.value) for name, c in got.items()} == {
            "medicine": (33, 44),
            "law": (22, 27),
            "finance": (19, 21),
            "education": (19, 20),
            "engineering": (10, 17),
            "code": (122, 173),
        }

    def test_what_the_words_find(self) -> None:
        world = worlds.evidence_world()
        got = claim_domains.counts(world, "tree", "qwen", "with-reuploads")
        assert {name: c.value for name, c in got.items()} == {
            "medicine": 47, "law": 28, "finance": 24, "education": 23, "engineering": 20,
            "code": 225,
        }  # fmt: skip
        each = claim_domains.counts(world, "tree", "qwen", "with-reuploads", per="account")
        assert each["law"].value == 11

    def test_precision_and_recall_of_the_half_held_out(self) -> None:
        got = claim_domains.qualities(worlds.evidence_world(), "name-or-tags")
        seen = {
            name: (
                (q.precision.hits, q.precision.of, round(q.precision.value, 3)),
                (q.recall.hits, q.recall.of, round(q.recall.value, 3)),
            )
            for name in RULES.names
            for q in [got[name, "as labelled"]]
        }
        assert seen == {
            "medicine": ((20, 21, 0.948), (20, 25, 0.875)),
            "law": ((9, 10, 0.9), (9, 11, 0.818)),
            "finance": ((16, 19, 0.821), (16, 19, 0.883)),
            "education": ((4, 7, 0.571), (4, 4, 1.0)),
            "engineering": ((1, 5, 0.2), (1, 6, 0.052)),
            "code": ((11, 17, 0.632), (11, 14, 0.734)),
        }

    def test_every_match_was_read(self) -> None:
        world = worlds.evidence_world()
        names = claim_domains.derivatives(world, "tree")["repository_id"]
        words = claim_domains.found(world, "tree", "name-or-tags")
        assert set(names[words.any(axis=1)]) <= set(LABELS["repository_id"])

    def test_the_claim_on_the_tree(self) -> None:
        claim = register.parse(raw.declared("claims")).find("domain-derivatives")
        world = worlds.evidence_world()
        tree: Spec = {**claim.article, **claim.later}
        own = checks.evaluate(world, claim, tree)
        assert (own.value, own.lower, own.upper, own.decided) == (6, 6, 6, "yes")
        assert (own.covered, own.population) == (489, 3000)
        assert own.extra["engineering_lower"] == 10
        accounts = checks.evaluate(world, claim, {**tree, "per": "account"})
        assert accounts.extra["engineering_lower"] == 7
        assert int(claim_domains.of_the_week(world)[
            claim_domains.is_of(world, "tree", "qwen", "with-reuploads")
        ].sum()) == 3000 - 379  # fmt: skip
        hundred: Spec = {**tree, "downloads": "hundred"}
        few = checks.evaluate(world, claim, hundred)
        # The week cannot refute what it does not hold.
        assert (few.lower, few.upper, few.decided) == (2, 6, "undetermined")
        assert few.extra["not_shown"] == "law, finance, education, engineering"

    def test_the_articles_own_reading_is_from_before_it(self) -> None:
        found = register.parse(raw.declared("claims"))
        claim, world = found.find("domain-derivatives"), worlds.evidence_world()
        day = claim_domains.version_of(world, str(claim.article["source"]))
        assert world.evidence.days[day] < found.verdict.published_on
        # The tree answers the third question alone: one row is not counted for two.
        tree = claim_domains.version_of(world, str(claim.later["source"]))
        assert world.evidence.days[tree] > found.verdict.published_on
        assert {**claim.article, **claim.later} in claim.specifications()

    def test_no_domain_takes_every_derivative(self) -> None:
        world = worlds.evidence_world()
        got = claim_domains.counts(
            world, "tree", "qwen", "with-reuploads", fields="name", counted="corrected"
        )
        # By names alone the words find none of the six true ones held out for engineering.
        assert math.isnan(got["engineering"].value)
        assert got["engineering"].lower >= 0
        assert all(count.value < 1000 for name, count in got.items() if name != "engineering")

    @pytest.mark.slow
    def test_the_words_on_the_older_slices(self) -> None:
        world = worlds.evidence_world()
        assert int(claim_domains.is_of(world, "edges", "qwen", "official").sum()) == 3005
        got = {
            family: claim_domains.counts(world, "edges", family, "with-reuploads", fields="name")
            for family in ("qwen", "llama")
        }
        assert [got["qwen"][n].value for n in ("medicine", "finance", "code")] == [31, 22, 745]
        assert [got["llama"][n].value for n in ("medicine", "finance", "code")] == [184, 218, 190]


@pytest.mark.usefixtures("mirror")
@pytest.mark.slow
def test_the_tables_of_the_chapter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_domains, "SOURCES", ("tree",))
    monkeypatch.setattr(claim_domains, "FAMILIES", ("qwen", "llama"))
    world = worlds.evidence_world()
    made = {one.name: one.make(world) for one in chapter.TABLES}
    counts = made["domain_counts"].set_index(["base", "family", "domain"])
    assert counts.loc[("with-reuploads", "Qwen", "law"), "read"] == 27
    assert counts.loc[("with-reuploads", "Qwen", "law"), "read_largest_account"] == 15
    five = counts.loc[("with-reuploads", "all bases", "any of the five professions")]
    assert (five["words"], five["derivatives"]) == (414, 8563)
    known = counts.drop(index="any of the five professions", level="domain")
    assert (known["read_sure"] <= known["read"]).all()
    assert (known["corrected_lower"] <= known["corrected_upper"]).all()
    assert (known["estimated_lower"] <= known["estimated_upper"]).all()
    precision = made["domain_precision"].set_index(["family", "domain"])
    assert (precision["read"] == precision["matches"]).all()
    row = precision.loc[("all bases", "engineering")]
    assert (row["right_sure"], row["right"], row["right_at_most"], row["matches"]) == (
        18, 24, 28, 35,
    )  # fmt: skip
    quality = made["domain_quality"]
    assert quality["decides"].sum() == len(RULES.names) * 2 * 3
    assert made["domain_sample"]["size"].iloc[:-1].sum() == 8587
    assert made["domain_sample"].iloc[-1]["size"] == 698
    lines = made["domain_lines"].set_index("line")
    assert list(lines.index[lines["declared"] == "yes"]) == [RULES.estimation.present]
    assert lines["repository_sure"].is_monotonic_decreasing
    assert list(lines.loc[10])[1:] == [6, 6, 3, 5, 6]
    assert set(made["domain_found"]["domain"]) == set(domains.words_of(RULES).values())
    assert made["domain_words"]["reason"].str.len().min() >= 10


def _finding(lower: int, fewest: int, accounts: int) -> str:
    rows = [
        {"source": "edges", "lower": 3, "counted": "words", "day": "2025-06-16"},
        {"lower": lower, "law_lower": fewest},
        {"lower": 4, "downloads": "ten"},
        {"lower": 3, "per": "account", "law_lower": accounts},
    ]
    plain = {
        "source": "tree", "counted": "read", "base": "official", "copies": "with", "upper": 6,
        "per": "repository", "downloads": "any", "day": "2026-08-22", "not_shown": "law",
        "line": 10.0, "law": 12.0, "law_lower": 0, "code": 90.0, "code_lower": 80.0,
    }  # fmt: skip
    table = pd.DataFrame([{**plain, **row} for row in rows])
    return claim_domains.FINDINGS["domain_derivatives"]({"stated_value": 6.0}, table)


def test_the_finding_carries_its_margin_and_its_day() -> None:
    rest = (
        "; in four once each must have been fetched ten times; before the article, in June 2025, "
        "names show three of six"
    )
    assert _finding(6, 10, 7) == (
        "In August 2026 at least ten certain derivatives in each of six domains, in law exactly "
        f"ten from seven accounts{rest}"
    )
    assert "in law the fewest, 12 from nine accounts" in _finding(6, 12, 9)
    assert _finding(5, 9, 7) == (
        f"In August 2026 at least ten certain derivatives in five of six domains, not for law{rest}"
    )


def test_without_a_tree_the_check_says_so() -> None:
    from types import SimpleNamespace

    empty: Any = SimpleNamespace(evidence=SimpleNamespace(of_kind=lambda _: {}))
    with pytest.raises(InputError, match="hub-tree"):
        claim_domains.version_of(empty, "tree")


@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
def test_the_sample_can_be_drawn_again() -> None:
    tool = _tool("draw_domain_sample")
    sample, sizes = tool.draw(raw.fetch("radar-2026-08-22"), raw.declared("domains")["sample"])
    assert sizes == {stratum.id: stratum.size for stratum in RULES.sample.stratum}
    own = LABELS[LABELS["part"] != "read"][["repository_id", "stratum", "part"]]
    assert own.reset_index(drop=True).astype("str").equals(sample.astype("str"))


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PROJECT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
