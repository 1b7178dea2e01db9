"""Licences that repositories declare: groups, days, the share under Apache 2.0."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import builder, raw
from analysis.builder.chapters import licensing as chapter
from analysis.claims import checks, licensing, results
from analysis.claims.world import World
from analysis.errors import InputError
from analysis.measure import licences, licensed
from analysis.snapshot import read
from tests.support.worlds import evidence_world, load_world

OCTOBER, MAY, AUGUST = date(2025, 10, 12), date(2026, 5, 23), date(2026, 8, 22)


@pytest.fixture(scope="module")
def rules() -> licences.LicenceRules:
    """Return the rules as declared."""
    return licences.parse(raw.declared("licences"))


@pytest.fixture(scope="module")
def world(mirror: Path) -> World:
    """Return the world of the real raw files."""
    return load_world()


def frame(*rows: tuple[Any, ...], columns: str) -> pd.DataFrame:
    out = pd.DataFrame(list(rows), columns=columns.split(), dtype="object")
    if "created_at" in out:
        out["created_at"] = pd.to_datetime(out["created_at"], utc=True)
    return out


# ------------------------------------------------------------------- from files to one licence


def test_a_name_in_place_of_other_is_told_by_the_tags() -> None:
    tree = frame(
        ("a/b", "own-name", ["license:other"]),
        ("a/c", "mit", ["license:mit"]),
        ("a/d", None, []),
        columns="repository_id licence tags",
    )
    tree["tags"] = pd.Series(tree["tags"].tolist(), dtype=pd.ArrowDtype(pa.list_(pa.string())))
    got = licensed.readings({"tree": tree}, {"tree": AUGUST})
    assert got["declared"].tolist() == ["other", "mit", None]
    assert got["name"].tolist() == ["own-name", None, None]


def test_the_nearest_reading_counts_and_names_come_from_any() -> None:
    early = frame(
        ("a/m", "other", "2024-01-01"),
        ("a/m-AWQ", "other", "2024-01-01"),
        ("a/n", "mit", "2024-01-01"),
        columns="repository_id licence created_at",
    )
    late = frame(
        ("a/m", "other", "Own", "2024-01-01"),
        ("a/n", "apache-2.0", None, "2024-01-02"),
        ("a/new", "mit", None, "2026-03-01"),
        columns="repository_id licence licence_name created_at",
    )
    table = licensed.readings({"1": early, "2": late}, {"1": OCTOBER, "2": MAY})

    def original(repository: str) -> str | None:
        return repository.removesuffix("-AWQ").lower() if repository.endswith("-AWQ") else None

    october = licensed.known(table, OCTOBER, original)
    assert sorted(october.index) == ["a/m", "a/m-AWQ", "a/n"]
    assert october["declared"].to_dict() == {"a/m": "other", "a/m-AWQ": "other", "a/n": "mit"}
    assert october["name"].to_dict() == {"a/m": "Own", "a/m-AWQ": "Own", "a/n": None}
    assert october["inherited"].to_dict() == {"a/m": False, "a/m-AWQ": True, "a/n": False}
    assert october.loc["a/n", "created"] == date(2024, 1, 1)
    may = licensed.known(table, MAY, original)
    assert may.loc["a/n", "declared"] == "apache-2.0"
    assert may.loc["a/m-AWQ", "read_on"] == OCTOBER
    assert "a/new" in may.index
    assert licensed.known(table, OCTOBER)["name"].to_dict()["a/m-AWQ"] is None


def test_no_file_gives_no_licence() -> None:
    assert licensed.readings({}, {}).empty
    assert licensed.agreement(licensed.readings({}, {})).empty


@pytest.mark.parametrize(
    ("declared", "name", "by_name", "by_id"),
    [
        ("apache-2.0", None, "apache", "apache"),
        ("other", "apache-2.0", "apache", "unnamed"),
        ("other", "Tongyi-Qianwen", "tongyi", "unnamed"),
        ("other", "llama4", "llama", "unnamed"),
        ("other", "nobody-knows-it", "unnamed", "unnamed"),
        ("other", None, "unnamed", "unnamed"),
        ("nobody-knows-it", None, "unnamed", "unnamed"),
        ("qwen3.8-max", None, "qwen-3.8-max", "qwen-3.8-max"),
        ("mit", "apache-2.0", "mit", "mit"),
        (None, "qwen-research", "qwen-research", licensed.UNDECLARED),
        (None, None, licensed.UNDECLARED, licensed.UNDECLARED),
    ],
)
def test_groups(
    declared: str | None, name: str | None, by_name: str, by_id: str, rules: licences.LicenceRules
) -> None:
    table = pd.DataFrame({"declared": [declared], "name": [name]}, index=["a/b"], dtype="object")
    assert licensed.groups(table, rules, by_name=True).tolist() == [by_name]
    assert licensed.groups(table, rules, by_name=False).tolist() == [by_id]


def test_the_makers_own_words_count_where_nothing_is_declared(rules: licences.LicenceRules) -> None:
    table = pd.DataFrame(
        {"declared": [None, "other", "apache-2.0", None], "name": [None] * 4},
        index=["Qwen/Qwen-14B-Chat", "Qwen/Qwen-7B", "Qwen/Qwen-72B", "Qwen/Qwen-VL"],
        dtype="object",
    )
    assert licensed.groups(table, rules, by_name=True).tolist() == [
        "tongyi",
        "tongyi",
        "apache",
        licensed.UNDECLARED,
    ]


@pytest.mark.parametrize(
    ("name", "size", "shown"),
    [
        ("Qwen/Qwen2.5-3B-Instruct", 3e9, "2B to 5B"),
        ("Qwen/Qwen-1_8B-Chat-Int4", 1.8e9, "up to 2B"),
        ("Qwen/Qwen3-30B-A3B", 30e9, "20B to 50B"),
        ("Qwen/Qwen3.8-2.4T-A95B", 2.4e12, "above 50B"),
        ("Qwen/Qwen1.5-MoE-A2.7B", float("nan"), "not named"),
        ("Qwen/QVQ-72B-Preview", 72e9, "above 50B"),
        ("org/model-350M", 350e6, "up to 2B"),
        ("7B/nothing", float("nan"), "not named"),
    ],
)
def test_sizes_in_names(name: str, size: float, shown: str, rules: licences.LicenceRules) -> None:
    assert licensed.size_of(name) == pytest.approx(size, nan_ok=True)
    assert licensed.size_class(size, rules.sizes.edges) == shown


def test_half_years() -> None:
    assert licensed.half_year(date(2025, 6, 30)) == "2025-1"
    assert licensed.half_year(date(2025, 7, 1)) == "2025-2"


# ----------------------------------------------------------------------------------- real files


def test_the_catalogue_of_october_2025(mirror: Path) -> None:
    table = licensing.catalogue(evidence_world(), OCTOBER)
    listed = set(evidence_world().evidence.frame(licensing.CATALOGUE)["repository_id"])
    own = table[table.index.isin(listed) & (table["family"] == "qwen").to_numpy(dtype=bool)]
    assert len(own) == 362
    # Ids as declared, counted by hand in the file: 236 Apache 2.0, 110 other, 16 nothing.
    assert Counter(own["group_ids"]) == {"apache": 236, "unnamed": 110, "undeclared": 16}
    assert Counter(own["group"]) == {
        "apache": 240,
        "tongyi": 53,
        "qwen-research": 30,
        "unnamed": 19,
        "qwen": 13,
        "undeclared": 7,
    }
    at = own["group"].to_dict()
    assert at["Qwen/Qwen2.5-3B-Instruct"] == at["Qwen/Qwen2.5-3B-Instruct-AWQ"] == "qwen-research"
    assert at["Qwen/Qwen2.5-72B-Instruct"] == at["Qwen/Qwen2.5-Math-RM-72B"] == "qwen"
    assert at["Qwen/QVQ-72B-Preview"] == "qwen"
    assert at["Qwen/Qwen2.5-Omni-7B"] == "apache"
    assert at["Qwen/Qwen-72B-Chat-Int4"] == "tongyi"


def test_the_exceptions_are_those_that_the_page_names(mirror: Path) -> None:
    """The first generation and Qwen 1.5 as a whole, large Qwen 2, two sizes of Qwen 2.5."""
    table = licensing.catalogue(evidence_world(), OCTOBER)
    own = table[(table["family"] == "qwen").to_numpy(dtype=bool)]
    name = own.index.str.removeprefix("Qwen/")
    apache = own["group"] == "apache"
    assert not apache[name.str.match(r"(?:Code)?Qwen(?:1\.5)?-|CodeQwen1\.5")
                      & ~name.str.match(r"Qwen-Image")].any()  # fmt: skip
    assert not apache[name.str.match(r"Qwen2-(?:Math-|VL-)?(?:RM-)?72B")].any()
    assert not apache[name.str.match(r"Qwen2\.5-(?:Coder-|VL-|Math-)?(?:3B|72B)")].any()
    rest = ~name.str.match(r"(?:Code)?Qwen(?:1\.5)?-|CodeQwen1\.5|.*-(?:3B|72B)")
    others = sorted(set(name[rest & ~apache]))
    assert others == [
        "Qwen2.5-Math-7B-PRM800K",
        "Qwen2.5-Math-PRM-7B",
        "Qwen3-Omni-30B-A3B-Captioner",
        "Qwen3-Omni-30B-A3B-Thinking",
    ]


def test_every_licence_of_the_families_shown_has_a_group(
    mirror: Path, rules: licences.LicenceRules
) -> None:
    table = licensing.catalogue(evidence_world(), AUGUST)
    own = table[table["family"].isin(rules.families.shown)]
    silent = own[(own["group"] == "unnamed") & own["name"].notna()]
    assert silent["name"].tolist() == []
    declared = set(own["declared"].dropna())
    assert declared <= {one for entry in rules.group for one in entry.ids}


def test_two_files_never_disagree_on_a_licence(mirror: Path) -> None:
    table = licensed.agreement(licensing.readings(evidence_world()))
    assert table[["both", "same"]].to_numpy().tolist() == [[250, 250], [26, 26], [43, 43]]


def test_what_the_maker_says_stands_on_its_line(mirror: Path, rules: licences.LicenceRules) -> None:
    evidence = evidence_world().evidence
    for entry in rules.stated:
        text = evidence.frame(entry.source)
        passages = text.loc[text["line"] == entry.line, "passage"].tolist()
        assert len(passages) == 1
        assert re.search(entry.says, passages[0])
    statements = chapter.statements_table(evidence_world())
    assert list(zip(statements["text"], statements["line"], strict=True)) == [
        ("release-qwen1.5-2024-02-05", 192),
        ("release-qwen2-2024-06-06", 280),
        ("release-qwen2.5-2024-09-17", 263),
        ("release-qwen3-2025-04-28", 238),
        ("release-qwen3-2026-01-09", 397),
        ("release-qwen3.5-2026-03-02", 159),
        ("release-qwen-2026-03-05", 1392),
        ("release-qwen-2026-03-05", 1396),
        ("release-qwen-2026-03-05", 1398),
    ]


def test_the_share_under_apache(world: World) -> None:
    register = builder.load_rules().register
    claim = register.find("licence-apache")
    record, table = results.evaluate(world, claim, register)
    own = table.iloc[0]
    assert (own["covered"], own["population_size"]) == (336, 362)
    assert own["value"] == pytest.approx(240 / 336)
    assert record["interval"] == [pytest.approx(240 / 362), pytest.approx(266 / 362)]
    assert record["recreated"]["verdict"] == "differs"
    assert record["robust"]["verdict"] == "depends"
    assert record["deciding_choice"] == "created"
    # The largest Qwen 3.8 and its copy are not Apache 2.0, of a list that is not complete.
    assert record["later"]["verdict"] == "not checkable"
    assert "of the 34 repositories that our files know 21 are" in record["later"]["reason"]
    assert "Apache 2.0, 2 are not, and of 11 the licence" in record["later"]["reason"]
    assert record["specifications"] == 117
    assert (record["holds"], record["undetermined"]) == (15, 12)

    def pick(**where: str) -> pd.Series:
        rows = table
        for name, choice in {**claim.article, **where}.items():
            rows = rows[rows[name] == choice]
        assert len(rows) == 1
        return rows.iloc[0]

    downloads = pick(measure="downloads_30d")
    assert downloads["value"] == pytest.approx(75_994_647 / 84_005_766, abs=1e-6)
    assert downloads["lower"] == pytest.approx(75_994_647 / 89_074_818, abs=1e-6)
    assert pick(names="ids")["value"] == pytest.approx(236 / 346)
    assert pick(unknown="against", names="ids")["value"] == pytest.approx(236 / 362)
    new = pick(day="2026-05-23", created="2026")
    assert (new["value"], new["covered"], new["population_size"]) == (1.0, 15, 26)
    assert pick(day="2026-05-23", created="2026", unknown="against")["holds"] == "no"
    # At 100 % of the counters read, 11 of 26 licences are unknown: against is the lower end.
    recent = {"day": "2026-05-23", "created": "2026", "measure": "downloads_30d"}
    assert pick(**recent)["value"] == 1.0
    against = pick(**recent, unknown="against")
    assert against["value"] == against["lower"] == pytest.approx(0.4858, abs=1e-3)
    assert against["holds"] == "no"
    # What no file knows may still lift the share of an incomplete list: open, not refuted.
    assert pick(day="2026-05-23", unknown="for")["holds"] == "undetermined"
    assert pick(unknown="for")["holds"] == "no"
    whole = pick(day="2026-05-23", measure="downloads_all_time")
    assert whole["value"] == pytest.approx(0.886248, abs=1e-6)
    assert pd.isna(whole["lower"])
    assert record["finding"] == (
        "Not all of Qwen is under Apache 2.0: 66 to 74 % of its repositories in October 2025, with "
        "85 to 92 % of the downloads; of those created in 2026 all 15 that we read by May"
    )
    for _, row in table.dropna(subset=["lower"]).iterrows():
        assert 0 <= row["hard_lower"] <= row["lower"] <= row["upper"] <= row["hard_upper"] <= 1
        assert row["lower"] <= row["value"] <= row["upper"]
        ends = {"against": row["lower"], "for": row["upper"]}
        assert row["value"] == ends.get(row["unknown"], row["value"])
    # No choice stands in the grid where it cannot act: one of two that differ in it alone does.
    seen = ["value", "lower", "upper", "covered"]
    for name in claim.grid:
        rest = [other for other in claim.grid if other != name]
        for _, group in table.astype(dict.fromkeys(seen, "str")).groupby(rest):
            assert len(group) == 1 or len(group.drop_duplicates(seen)) > 1, (name, group)


def test_nothing_counts_for_or_against_where_nothing_bounds(world: World) -> None:
    claim = builder.load_rules().register.find("licence-apache")
    spec = {"day": "2026-05-23", "measure": "downloads_all_time", "unknown": "against"}
    with pytest.raises(InputError, match="nothing bounds the all-time counters"):
        checks.evaluate(world, claim, {**claim.article, **spec})


def test_the_exceptions_by_name(world: World) -> None:
    table = chapter.exceptions_table(world)
    first = table.iloc[0]
    assert first["repository_id"] == "Qwen/Qwen2.5-3B-Instruct"
    assert (first["licence"], first["known_by"]) == ("Qwen research licences", "licence name")
    assert first["downloads_30d_october"] == 5_578_513
    assert first["downloads_30d_may"] == 10_556_636
    assert first["downloads_all_time_may"] == 90_006_179
    by_id = table.set_index("repository_id")
    assert by_id.loc["Qwen/Qwen2.5-VL-3B-Instruct", "licence"] == "none declared"
    assert by_id.loc["Qwen/Qwen-7B", "known_by"] == "release-qwen-2026-03-05, line 1396"
    assert by_id.loc["Qwen/Qwen3.8-2.4T-A95B", "licence"] == "Qwen 3.8 Max licence"
    assert "Qwen/Qwen2.5-Omni-7B" not in by_id.index
    assert len(table) == 124


def test_shares_of_families_add_up(world: World) -> None:
    table = chapter.shares_table(world)
    sums = table.groupby(["day", "family", "measure"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(1)
    october = table[table["day"] == OCTOBER.isoformat()].set_index(["family", "measure", "kind"])
    assert october.loc[("llama", "repositories", "apache"), "count"] == 0
    assert october.loc[("mistral", "repositories", "apache"), "count"] == 33
    assert october.loc[("deepseek", "repositories", "permissive"), "count"] == 20
    assert ("gpt-oss", "repositories", "apache") not in october.index
    halves = chapter.halves_table(world)
    assert halves.groupby(["family", "half_year"])["share"].sum().to_numpy() == pytest.approx(1)
    qwen = halves[halves["family"] == "qwen"]
    assert qwen["repositories"].sum() == qwen.drop_duplicates("half_year")["of"].sum()


def test_derived_tables_of_texts_and_files(mirror: Path) -> None:
    """What needs no counter: thresholds with their lines, conditions, gates, agreement."""
    seen = evidence_world()
    texts = chapter.thresholds_table(seen)
    assert texts["text"].tolist()[:6] == [
        f"licence-llama-{version}" for version in ("2", "3", "3.1", "3.2", "3.3", "4")
    ]
    assert texts["users"].dropna().tolist() == [700_000_000] * 6 + [100_000_000]
    assert texts["line"].dropna().tolist() == [65, 28, 32, 46, 33, 46, 29]
    # No more of a text than the one sentence with its number.
    assert texts["sentence"].notna().sum() == 7
    assert max(map(len, texts["sentence"].dropna())) < 500
    conditions = chapter.conditions_table(seen)
    assert set(conditions["condition"]) <= set(texts.columns)
    gated = chapter.gated_table(seen).set_index("family")
    assert gated.loc["qwen", ["repositories", "gated"]].tolist() == [35, 0]
    assert gated.loc["llama", ["repositories", "gated"]].tolist() == [5, 5]
    assert chapter.agreement_table(seen)["same"].sum() == 319


def test_sizes_of_the_catalogue(world: World) -> None:
    table = chapter.sizes_table(world).set_index(["size", "kind"])
    assert table.groupby(level="size")["share"].sum().to_numpy() == pytest.approx(1)
    assert table["repositories"].sum() == 362
    small = table.loc["2B to 5B"]
    assert small.loc["apache", "downloads_share"] < small.loc["research", "downloads_share"] < 0.4


# ------------------------------------------------------------------------------------- the check


def test_a_text_that_nobody_registered(mirror: Path) -> None:
    claim = builder.load_rules().register.find("llama-100m-threshold")
    message = "claim llama-100m-threshold: .*text: 'licence-llama-5' is no licence text; there are"
    with pytest.raises(InputError, match=message):
        checks.evaluate(evidence_world(), claim, {**claim.article, "text": "licence-llama-5"})


def found(values: list[float | None], by: str = "", text: str = "") -> str:
    """Return the finding on thresholds for made-up numbers of the texts."""
    table = pd.DataFrame(
        {"number": "users", "value": values, "stated_by": by, "stated_in": text}, dtype="object"
    )
    return licensing.FINDINGS["licence_threshold"]({"stated_value": 100e6}, table)


def test_the_finding_follows_the_numbers() -> None:
    """Synthetic: what would be said if the texts said something else."""
    assert found([None]) == "The licence texts name no number of users"
    assert found([100e6, 100e6]) == "Yes: all 2 Llama licences say 100 million users"
    assert (
        found([100e6, 700e6]) == "Yes, in part: the Llama licences say 100 million, "
        "700 million users"
    )
    nowhere = found([700e6, 700e6])
    assert nowhere.endswith(
        "Llama licences say 700 million users, and no text here says 100 million"
    )
    assert found([700e6, None], "Somebody", "A LICENSE AGREEMENT").startswith(
        "No: the Llama licences say 700 million users; 100 million is the number of Somebody's"
    )


ANSWERS = st.lists(st.sampled_from([*["apache"] * 3, "mit", "unnamed", "undeclared", "unread"]))


@given(ANSWERS)
def test_unknown_licences_are_unknown_whichever_way(groups: list[str]) -> None:
    """By name: unnamed, undeclared and unread are open; by id an unnamed licence is not Apache."""
    rules = licences.parse(raw.declared("licences"))
    table = pd.DataFrame({"group": groups, "group_ids": groups}, dtype="object")
    by_name = Counter(licensing.answers(table, rules, by_name=True))
    by_id = Counter(licensing.answers(table, rules, by_name=False))
    count = Counter(groups)
    assert by_name["apache"] == by_id["apache"] == count["apache"]
    silent = count["undeclared"] + count["unread"]
    assert by_name["unknown"] == silent + count["unnamed"]
    assert by_id["unknown"] == silent
    assert by_id["not"] == count["mit"] + count["unnamed"]


# --------------------------------------------------------------------- names of licences in cards


def cards(folder: Path, values: pa.Array) -> Path:
    file = folder / "hub.parquet"
    ids = [f"a/{place}" for place in range(len(values))]
    pq.write_table(pa.table({"id": ids, "downloads": [1] * len(ids), "cardData": values}), file)
    return file


def test_names_are_read_from_cards(tmp_path: Path) -> None:
    values = pa.array(
        [
            '{"license": "other", "license_name": "own"}',
            '{"text": "it has no \\"license_name\\" of its own"}',
            '{"license_name": ["a", "b"]}',
            '["license_name"]',
            '{"license_name": "cut',
            None,
        ]
    )
    found = read(cards(tmp_path, values), "hub-snapshot")
    names = found.frame["licence_name"]
    assert [None if pd.isna(name) else name for name in names] == ["own", *[None] * 5]
    assert found.problems == ("column 'cardData': 1 row with broken JSON, no licence name read",)


def test_cards_of_another_shape_are_not_used(tmp_path: Path) -> None:
    found = read(cards(tmp_path, pa.array([{"license_name": "own"}])), "hub-snapshot")
    assert "licence_name" not in found.frame
    assert "column 'cardData' is" in found.problems[0]


def test_names_in_the_hubs_api(tmp_path: Path) -> None:
    file = tmp_path / "api.json"
    file.write_text('[{"id": "a/b", "downloads": 1, "cardData": {"license_name": "own"}}]')
    assert read(file, "hub-snapshot").frame["licence_name"].tolist() == ["own"]


def test_names_in_the_cut_of_may_2026(mirror: Path) -> None:
    table = read(raw.fetch("hub-stats-2026-05"), "hub-snapshot").frame
    own = table[table["organisation"] == "Qwen"]
    assert Counter(own["licence_name"].dropna()) == {
        "tongyi-qianwen": 15,
        "tongyi-qianwen-research": 7,
        "qwen": 6,
        "qwen-research": 3,
        "apache-2.0": 1,
    }
