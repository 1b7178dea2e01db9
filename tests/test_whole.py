"""The reduction of a whole Hub: the same numbers as from the frame that the reader makes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import commands, raw, snapshot
from analysis.errors import InputError
from analysis.snapshot import families as families_module
from analysis.snapshot import intake, quick, readers, whole

FAMILIES = families_module.parse(raw.declared("families"))
KIND = "hub-snapshot"


def same(one: whole.Whole, other: whole.Whole, *, without: tuple[str, ...] = ()) -> None:
    """Assert that two reductions agree in every field."""
    for field in dataclasses.fields(whole.Whole):
        if field.name in without:
            continue
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, pd.DataFrame):
            pd.testing.assert_frame_equal(left, right, obj=field.name)
        elif isinstance(left, np.ndarray):
            np.testing.assert_array_equal(left, right, err_msg=field.name)
            assert left.dtype == right.dtype
        elif field.name == "lineage" and left is not None and right is not None:
            assert left.report == right.report
            pd.testing.assert_frame_equal(left.graph.relations(), right.graph.relations())
            assert left.graph.ids.equals(right.graph.ids)
        else:
            assert left == right, field.name


def test_the_cut_of_may_2026(raw_path: Callable[[str], Path]) -> None:
    path = raw_path("hub-stats-2026-05")
    table = snapshot.read(path, KIND)
    got = whole.reduce(path, FAMILIES, ids=["hexgrad/Kokoro-82M"], depth=20)
    same(got, whole.of(table, FAMILIES, ids=["hexgrad/Kokoro-82M"], depth=20))
    frame = table.frame
    assert (got.rows, got.repositories, got.problems) == (4_167, 4_167, ())
    assert got.sums["downloads_30d"] == frame["downloads_30d"].sum()
    assert got.unread == {"downloads_30d": 0, "downloads_all_time": 0, "likes": 0}
    first = got.organisations.iloc[0]
    assert (first["organisation"], first["repositories"]) == ("Qwen", 106)
    assert (first["downloads_30d"], first["downloads_all_time"]) == (169_409_841, 1_233_993_595)
    assert got.head["downloads_30d"].tolist() == sorted(frame["downloads_30d"], reverse=True)[:20]
    for table_of in (got.tasks, got.months):
        assert table_of["repositories"].sum() == 4_167
        assert table_of["downloads_30d"].sum() == got.sums["downloads_30d"]
    by_family = families_module.assign(got.named, FAMILIES)
    full = families_module.assign(frame, FAMILIES)
    assert by_family.value_counts().to_dict() == full.value_counts().to_dict()
    assert got.lineage is not None
    assert got.lineage.report.relations == 5_195
    ids = families_module.canonical(frame, FAMILIES)
    downloads = dict(zip(ids, frame["downloads_30d"], strict=True))
    for name, number in zip(got.lineage.graph.ids.to_pylist(), got.downloads, strict=True):
        assert downloads.get(name, -1) == number


def test_a_file_that_is_no_table_is_read_at_once(raw_path: Callable[[str], Path]) -> None:
    path = raw_path("makers-2025-10-12")
    got = whole.reduce(path, FAMILIES)
    same(got, whole.of(snapshot.read(path, KIND), FAMILIES))
    assert got.repositories == 2_028
    assert got.lineage is None
    assert got.organisations["organisation"].tolist()[0] == "Qwen"


# ------------------------------------------------------------------------------ made-up files

IDS = st.sampled_from(
    [
        *("Qwen/Qwen3-8B", "qwen/qwen3-8b", "THUDM/glm-4-9b", "zai-org/glm-4-9b", "gpt2", "", None),
        *(
            "unsloth/Qwen3-8B-GGUF",
            "unsloth/other",
            "a/b/c",
            "a//b",
            "/x",
            " Qwen/Qwen3-8B ",
            "é/ü",
        ),
        *("<b>x</b>/=1+1", "google/gemma-2b", "me/one", "me/two", "o\n/p"),
    ]
)
COUNTS = st.one_of(st.none(), st.integers(-3, 5), st.integers(0, 2**50))
MODELS = st.one_of(st.none(), st.lists(IDS, max_size=3))
ROW = st.fixed_dictionaries(
    {
        "id": IDS,
        "createdAt": st.one_of(
            st.none(),
            st.datetimes(
                dt.datetime.fromisoformat("1980-01-01"), dt.datetime.fromisoformat("2101-01-01")
            ),
        ),
        "lastModified": st.one_of(
            st.none(),
            st.datetimes(
                dt.datetime.fromisoformat("2022-01-01"), dt.datetime.fromisoformat("2026-01-01")
            ),
        ),
        "downloads": COUNTS,
        "downloadsAllTime": COUNTS,
        "likes": COUNTS,
        "pipeline_tag": st.sampled_from(["text-generation", "", None, "=odd"]),
        "library_name": st.sampled_from(["transformers", None]),
        "tags": st.one_of(
            st.none(),
            st.lists(
                st.sampled_from(
                    [
                        "license:mit",
                        "license:",
                        "base_model:Qwen/Qwen3-8B",
                        "base_model:quantized:google/gemma-2b",
                        "base_model:odd:me/one",
                    ]
                ),
                max_size=3,
            ),
        ),
        "cardData": st.sampled_from(
            [None, "{}", '{"license_name": "own"}', '{"license_name" broken', '"license_name"']
        ),
        "safetensors": st.one_of(st.none(), st.integers(-1, 10)),
        "relation": st.sampled_from(["finetune", "merge", "", None, "odd"]),
        "models": MODELS,
    }
)
TYPES = {
    "id": pa.string(),
    "createdAt": pa.timestamp("us"),
    "lastModified": pa.timestamp("us"),
    "downloads": pa.int64(),
    "downloadsAllTime": pa.int64(),
    "likes": pa.int64(),
    "pipeline_tag": pa.string(),
    "library_name": pa.string(),
    "tags": pa.list_(pa.string()),
    "cardData": pa.string(),
}
OPTIONAL = sorted({*TYPES, "safetensors", "baseModels"} - {"id", "downloads"})


def table_of(rows: list[dict[str, Any]], drop: frozenset[str] = frozenset()) -> pa.Table:
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in TYPES.items()}
    totals = [None if r["safetensors"] is None else {"total": r["safetensors"]} for r in rows]
    columns["safetensors"] = pa.array(totals, pa.struct([("total", pa.int64())]))
    models = pa.struct([("_id", pa.string()), ("id", pa.string())])
    columns["baseModels"] = pa.array(
        [
            None
            if row["relation"] is None and row["models"] is None
            else {
                "relation": row["relation"],
                "models": None
                if row["models"] is None
                else [{"_id": "0", "id": name} for name in row["models"]],
            }
            for row in rows
        ],
        pa.struct([("relation", pa.string()), ("models", pa.list_(models))]),
    )
    return pa.table({n: column for n, column in columns.items() if n not in drop})


def said(read: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "", read()
    except InputError as error:
        return str(error), None


ODD = given(
    rows=st.lists(ROW, min_size=1, max_size=12),
    drop=st.frozensets(st.sampled_from(OPTIONAL), max_size=4),
    group=st.integers(1, 13),
    depth=st.integers(0, 6),
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@ODD
def test_a_few_odd_tables(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    drop: frozenset[str],
    group: int,
    depth: int,
) -> None:
    both_ways(tmp_path_factory, rows, drop, group, depth)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@ODD
def test_many_odd_tables(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    drop: frozenset[str],
    group: int,
    depth: int,
) -> None:
    both_ways(tmp_path_factory, rows, drop, group, depth)


def both_ways(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    drop: frozenset[str],
    group: int,
    depth: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "odd.parquet"
    pq.write_table(table_of(rows, drop), path, row_group_size=group)
    refused, table = said(lambda: snapshot.read(path, KIND))
    if table is None:
        assert said(lambda: whole.reduce(path, FAMILIES)) == (refused, None)
        return
    got = whole.reduce(path, FAMILIES, ids=["me/one"], depth=depth)
    same(got, whole.of(table, FAMILIES, ids=["me/one"], depth=depth), without=("rows",))
    assert got.rows == len(rows)
    assert got.repositories <= len(table.frame)
    assert got.head["downloads_30d"].is_monotonic_decreasing
    known = table.frame["downloads_30d"].dropna()
    assert got.sums["downloads_30d"] <= known.sum()


# --------------------------------------------------------------- plain files, and nearly plain ones

GOOD = st.sampled_from(
    [
        *("Qwen/Qwen3-8B", "unsloth/Qwen3-8B-GGUF", "google/gemma-2b", "gpt2", "zai-org/glm-4-9b"),
        *("me/one", "me/two", "you/one", "THUDM/cogvlm"),
    ]
)
#: Bases: also in another case, unknown, former names, odd ones.
BASES = st.one_of(
    GOOD,
    GOOD,
    st.sampled_from(
        ["qwen/qwen3-8b", "no/body", "No/Body", "THUDM/glm-4-9b", " me/one ", "é/ü", "", "\u212a/x"]
    ),
)
PLAIN_ROW = st.fixed_dictionaries(
    {
        "createdAt": st.one_of(
            st.none(),
            st.datetimes(
                dt.datetime.fromisoformat("1990-01-01"), dt.datetime.fromisoformat("2100-12-31")
            ),
        ),
        "lastModified": st.none(),
        "downloads": st.one_of(st.none(), st.integers(0, 2**50)),
        "downloadsAllTime": st.one_of(st.none(), st.integers(0, 2**50)),
        "likes": st.one_of(st.none(), st.integers(0, 5)),
        "pipeline_tag": st.sampled_from(["text-generation", "", None, "=odd"]),
        "library_name": st.none(),
        "tags": st.sampled_from([None, ["base_model:Qwen/Qwen3-8B"], ["license:mit"]]),
        "cardData": st.none(),
        "safetensors": st.none(),
        "relation": st.sampled_from(["finetune", "merge", "quantized", "", None]),
        "models": st.one_of(st.none(), st.lists(BASES, max_size=3)),
    }
)
#: One thing that is not plain, or none.
BORDER: list[dict[str, Any]] = [
    {},
    {},
    {"id": "me/one"},
    {"id": "Me/One"},
    {"id": None},
    {"id": ""},
    {"id": "a/b/c"},
    {"id": "é/ü"},
    {"id": "THUDM/glm-4-9b"},
    {"id": "x/" + "y" * 97},
    {"downloads": -1},
    {"likes": -1},
    {"createdAt": dt.datetime.fromisoformat("1989-12-31")},
    {"createdAt": dt.datetime.fromisoformat("2101-01-01")},
    {"relation": "odd", "models": ["me/one"]},
    {"relation": " Finetuned", "models": ["me/one"]},
    {"models": [None, "me/one"]},
    {"models": ["z/" + "y" * 300]},
]
PLAIN = given(
    ids=st.lists(GOOD, min_size=1, max_size=9, unique_by=str.lower),
    rows=st.lists(PLAIN_ROW, min_size=9, max_size=9),
    last=st.sampled_from(BORDER),
    drop=st.frozensets(st.sampled_from(OPTIONAL), max_size=2),
    group=st.integers(1, 9),
)


@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow])
@PLAIN
def test_a_few_plain_tables(
    tmp_path_factory: pytest.TempPathFactory,
    ids: list[str],
    rows: list[dict[str, Any]],
    last: dict[str, Any],
    drop: frozenset[str],
    group: int,
) -> None:
    plain_and_not(tmp_path_factory, ids, rows, last, drop, group)


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@PLAIN
def test_many_plain_tables(
    tmp_path_factory: pytest.TempPathFactory,
    ids: list[str],
    rows: list[dict[str, Any]],
    last: dict[str, Any],
    drop: frozenset[str],
    group: int,
) -> None:
    plain_and_not(tmp_path_factory, ids, rows, last, drop, group)


def plain_and_not(
    tmp_path_factory: pytest.TempPathFactory,
    ids: list[str],
    rows: list[dict[str, Any]],
    last: dict[str, Any],
    drop: frozenset[str],
    group: int,
) -> None:
    """Reduce a nearly plain file at once, column by column, and from the reader's frame."""
    made = [row | {"id": name} for name, row in zip(ids, rows, strict=False)]
    made[-1] |= last
    path = tmp_path_factory.getbasetemp() / "plain.parquet"
    pq.write_table(table_of(made, drop), path, row_group_size=group)
    refused, table = said(lambda: snapshot.read(path, KIND))
    for details in (None, ()):
        read = functools.partial(whole.reduce, path, FAMILIES, depth=4, details=details)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(quick, "read", lambda *_args, **_wishes: None)
            slowly = said(read)
        fast = said(read)
        assert fast[0] == slowly[0] == refused
        if table is not None:
            same(fast[1], slowly[1])
            same(fast[1], whole.of(table, FAMILIES, depth=4, details=details), without=NOT_ALL)


#: Of a reduction with few columns, what the reader's frame of all columns has besides.
NOT_ALL = ("rows", "problems")


@pytest.mark.parametrize(
    ("last", "plain", "bases"),
    [
        ({}, True, True),
        ({"models": ["me/one", "me/one", "no/body", "é/ü"]}, True, True),
        ({"id": "THUDM/glm-4-9b"}, True, True),
        ({"id": "me/ONE"}, True, True),
        ({"createdAt": None, "likes": None, "models": []}, True, True),
        ({"models": ["x" * 194]}, True, False),
        ({"relation": "odd"}, True, False),
        ({"models": [None]}, True, False),
        ({"id": ""}, False, False),
        ({"id": None}, False, False),
        ({"id": "a/b/c"}, False, False),
        ({"likes": -1}, False, False),
        ({"createdAt": dt.datetime.fromisoformat("1989-12-31")}, False, False),
    ],
)
def test_what_is_read_at_once(
    tmp_path: Path, last: dict[str, Any], plain: bool, bases: bool
) -> None:
    row = dict.fromkeys((*TYPES, "safetensors", "relation", "models")) | {
        "downloads": 1,
        "likes": 1,
        "models": ["me/one"],
        "relation": "finetune",
        "createdAt": dt.datetime.fromisoformat("2026-01-01"),
    }
    path = tmp_path / "a.parquet"
    pq.write_table(table_of([row | {"id": "me/one"}, row | {"id": "me/two"} | last]), path)
    with pq.ParquetFile(path) as file:
        got = quick.read(path, file, bases=True)
        assert (got is not None) == plain
        assert (got is not None and got.bases() is not None) == bases
        if got is not None:
            assert got.ids.to_pylist()[0] == "me/one"
            alone = quick.read(path, file, bases=False)
            assert alone is not None
            assert alone.bases() is None


def test_names_of_files_are_no_patterns(tmp_path: Path) -> None:
    row = dict.fromkeys((*TYPES, "safetensors", "relation", "models"))
    folder = tmp_path / "id=7"
    folder.mkdir()
    for name, number in (("a1.parquet", 1), ("a[1].parquet", 2)):
        pq.write_table(table_of([row | {"id": "me/one", "downloads": number}]), folder / name)
        assert whole.reduce(folder / name, FAMILIES).sums["downloads_30d"] == number


def test_one_row_of_a_repository_under_its_old_and_its_new_name(tmp_path: Path) -> None:
    row = dict.fromkeys((*TYPES, "safetensors", "relation", "models"))
    table = table_of(
        [
            row | {"id": "zai-org/glm-4-9b", "downloads": 5},
            row | {"id": "THUDM/glm-4-9b", "downloads": 7},
            row | {"id": "THUDM/cogvlm", "downloads": 1},
        ]
    )
    pq.write_table(table, tmp_path / "a.parquet")
    got = whole.reduce(tmp_path / "a.parquet", FAMILIES)
    assert (got.rows, got.repositories, got.sums["downloads_30d"]) == (3, 2, 8)
    assert got.named["repository_id"].tolist() == ["zai-org/glm-4-9b", "zai-org/cogvlm"]
    assert got.named["downloads_30d"].tolist() == [7, 1]
    assert any("other counters" in text for text in got.problems)
    assert got.lineage is None


def test_sums_are_exact_and_absurd_ones_an_error(tmp_path: Path) -> None:
    row = dict.fromkeys((*TYPES, "safetensors", "relation", "models"))
    path = tmp_path / "a.parquet"
    big = 2**62 + 1
    rows = [row | {"id": f"a/{n}", "downloads": big, "downloadsAllTime": 3} for n in range(2)]
    pq.write_table(table_of([*rows[:1], row | {"id": "a/z", "downloads": 1}]), path)
    got = whole.reduce(path, FAMILIES)
    assert got.organisations["downloads_30d"].tolist() == [big + 1]
    pq.write_table(table_of(rows), path)
    with pytest.raises(InputError, match="downloads_30d add up to more than 64 bits hold"):
        whole.reduce(path, FAMILIES)


def test_wrong_wishes(raw_path: Callable[[str], Path], tmp_path: Path) -> None:
    path = raw_path("hub-stats-2026-05")
    with pytest.raises(InputError, match="no column 'tags'"):
        whole.reduce(path, FAMILIES, details=["tags"])
    with pytest.raises(InputError, match="depth -1"):
        whole.reduce(path, FAMILIES, depth=-1)
    with pytest.raises(InputError, match="no such file"):
        whole.reduce(tmp_path / "none.parquet", FAMILIES)
    top = snapshot.read(raw_path("top30-2026-02-28"), "hub-top30")
    with pytest.raises(InputError, match="only a hub-snapshot"):
        whole.of(top, FAMILIES)


# ---------------------------------------------------------------------------------- synthetic


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    row = dict.fromkeys((*TYPES, "safetensors", "relation", "models"))
    table = table_of([row | {"id": "Qwen/Qwen3-8B", "downloads": 5}])
    path = tmp_path / "made-up.parquet"
    pq.write_table(table.replace_schema_metadata({intake.SYNTHETIC_KEY: b"1"}), path)
    return path


def test_no_claim_reads_what_a_generator_made(made_up: Path) -> None:
    for read in (
        lambda: snapshot.read(made_up, KIND),
        lambda: snapshot.read(made_up, KIND, columns=["likes"]),
        lambda: whole.reduce(made_up, FAMILIES),
    ):
        with pytest.raises(InputError, match="marked synthetic"):
            read()
    table = snapshot.read(made_up, KIND, synthetic=True)
    got = whole.reduce(made_up, FAMILIES, synthetic=True)
    assert readers.SYNTHETIC in table.problems
    assert got.synthetic
    same(got, whole.of(table, FAMILIES))


def test_inspect_looks_at_it_when_asked(made_up: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["inspect", str(made_up), "--kind", KIND, "--json"]
    assert commands.main(argv) == 2
    error = capsys.readouterr().err
    assert "marked synthetic" in error
    assert error.count("\n") == 1
    assert commands.main([*argv, "--synthetic"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert readers.SYNTHETIC in record["problems"]
    assert record["organisations"]["Qwen"]["downloads"] == 5
