"""What the readers do with bad files. Every file here is synthetic and made to be wrong."""

# Parquet and Excel hold days without a zone.
# ruff: noqa: DTZ001

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.errors import InputError
from analysis.snapshot import FIELDS, Snapshot, conform, limits, read
from analysis.snapshot.schema import check_names


def hub_rows(*counters: Any, **more: list[Any]) -> pa.Table:
    columns: dict[str, Any] = {
        "id": [f"org/model-{place}" for place in range(len(counters))],
        "downloads": list(counters),
    }
    return pa.table(columns | more)


def parquet(path: Path, table: pa.Table) -> Path:
    file = path / "hub.parquet"
    pq.write_table(table, file)
    return file


def text(path: Path, content: str | bytes, name: str = "file.json") -> Path:
    file = path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def api(path: Path, rows: object) -> Path:
    return text(path, json.dumps(rows))


def downloads(found: Snapshot) -> list[Any]:
    return [None if pd.isna(value) else value for value in found.frame["downloads_30d"]]


# ------------------------------------------------------------------------------- any file


@pytest.mark.parametrize(
    "kind",
    [
        *("hub-snapshot", "hub-top30", "hub-panel", "tracked-list", "reference"),
        *("organisation-weeks", "licence-text", "release-text"),
        *("language-scores", "arena-scores"),
    ],
)
def test_missing_folder_and_empty(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "gone", kind)
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path, kind)
    empty = text(tmp_path, b"")
    with pytest.raises(InputError, match=r"file\.json: the file is empty"):
        read(empty, kind)


@pytest.mark.parametrize("content", [b" \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf  "])
def test_only_white_space(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only white space"):
        read(text(tmp_path, content), "hub-snapshot")


def test_unknown_kind_and_column(tmp_path: Path) -> None:
    file = api(tmp_path, [{"id": "a/b", "downloads": 1}])
    with pytest.raises(InputError, match=r"no column 'hub-snapshots'; known: hub-snapshot"):
        read(file, "hub-snapshots")
    with pytest.raises(InputError, match=r"no column 'downloads_30'; known: downloads_30d"):
        read(file, "hub-snapshot", columns=["downloads_30"])
    with pytest.raises(InputError, match="a list of names is needed"):
        read(file, "hub-snapshot", columns="likes")


def test_not_utf8_names_the_byte(tmp_path: Path) -> None:
    file = text(tmp_path, b'[{"id": "a/\xff"}]')
    with pytest.raises(InputError, match=r"not UTF-8 at byte 11 \(0xff\)"):
        read(file, "hub-snapshot")


def test_utf16_is_not_utf8(tmp_path: Path) -> None:
    file = text(tmp_path, "org,model,modelId\r\na,b,a/b\r\n".encode("utf-16"))
    with pytest.raises(InputError, match="not UTF-8 at byte 0"):
        read(file, "tracked-list")


# ---------------------------------------------------------------------------------- parquet


def test_parquet_survives_extra_missing_and_null(tmp_path: Path) -> None:
    table = hub_rows(5, None, 7, surprise=[1, 2, 3])
    found = read(parquet(tmp_path, table), "hub-snapshot")
    assert downloads(found) == [5, None, 7]
    assert list(found.frame.columns) == ["repository_id", "organisation", "downloads_30d"]
    assert found.problems == ()


def test_parquet_missing_column_asked_for_is_null(tmp_path: Path) -> None:
    found = read(parquet(tmp_path, hub_rows(5)), "hub-snapshot", columns=["tags", "likes"])
    assert found.frame["tags"].isna().all()
    assert found.frame["likes"].dtype == "Int64"


def test_parquet_needs_its_columns(tmp_path: Path) -> None:
    table = pa.table({"id": ["a/b"], "hits": [1]})
    with pytest.raises(InputError, match="no column 'downloads'; the file has 'id', 'hits'"):
        read(parquet(tmp_path, table), "hub-snapshot")


def test_parquet_without_rows(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rows"):
        read(parquet(tmp_path, hub_rows(1).slice(0, 0)), "hub-snapshot")


def test_parquet_cut_off(tmp_path: Path) -> None:
    file = parquet(tmp_path, hub_rows(*range(1_000)))
    whole = file.read_bytes()
    for share in (5, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:share])
        with pytest.raises(InputError, match=r"hub\.parquet: not a readable Parquet file"):
            read(file, "hub-snapshot")


def test_parquet_with_text_that_is_not_utf8(tmp_path: Path) -> None:
    raw = pa.array([b"org/\xff\xfe"], pa.binary()).view(pa.string())
    file = parquet(tmp_path, pa.table({"id": raw, "downloads": [1]}))
    with pytest.raises(InputError, match="damaged or cut off"):
        read(file, "hub-snapshot")


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        (pa.array([3, -4]), [3, None], "1 value set to null (1 negative); first: -4 at row 2"),
        (
            pa.array([3, 2**63], pa.uint64()),
            [3, None],
            "(1 above 64 bits); first: 9223372036854775808 at row 2",
        ),
        (pa.array([3.0, None]), [3, None], None),
        (pa.array([3.0, 2.5]), [3, None], "1 not a whole number"),
        (pa.array([3.0, 1e300]), [3, None], "1 above 64 bits"),
        (pa.array([3.0, float("inf")]), [3, None], "1 not a whole number"),
        (pa.array(["3", "257,229,302"]), [3, 257_229_302], None),
        (pa.array(["3", "many"]), [3, None], "1 not a number"),
        (pa.array(["3", "4"]).dictionary_encode(), [3, 4], None),
    ],
)
def test_parquet_counters(
    values: pa.Array, expected: list[Any], note: str | None, tmp_path: Path
) -> None:
    table = pa.table({"id": ["a/b", "a/c"], "downloads": values})
    found = read(parquet(tmp_path, table), "hub-snapshot")
    assert downloads(found) == expected
    assert found.problems == () if note is None else note in found.problems[0]


@pytest.mark.parametrize("values", [pa.array([-1, -2]), pa.array(["x", "y"])])
def test_parquet_counter_without_one_usable_value(values: pa.Array, tmp_path: Path) -> None:
    table = pa.table({"id": ["a/b", "a/c"], "downloads": values})
    with pytest.raises(InputError, match=r"column .downloads. holds nothing usable: .* at row 1"):
        read(parquet(tmp_path, table), "hub-snapshot")


@pytest.mark.parametrize(
    ("column", "total", "noted"),
    [
        (pa.array([{"total": 5, "parameters": {"BF16": 5}}, None]), [5, None], False),
        (pa.array([{"total": 5, "parameters": {"weird": {"deep": [1]}}}, None]), [5, None], False),
        (pa.array([{"total": None}, {"total": 7}]), [None, 7], False),
        (pa.array([{"parameters": {"F32": 1}}, None]), None, True),
        (pa.array(['{"total": 5}', None]), None, True),
    ],
)
def test_parquet_parameters_of_any_shape(
    column: pa.Array, total: list[Any] | None, noted: bool, tmp_path: Path
) -> None:
    found = read(parquet(tmp_path, hub_rows(1, 2, safetensors=column)), "hub-snapshot")
    assert any("safetensors" in problem for problem in found.problems) == noted
    if total is None:
        assert "parameters_total" not in found.frame
    else:
        sizes = found.frame["parameters_total"]
        assert [None if pd.isna(size) else size for size in sizes] == total


@pytest.mark.parametrize(
    ("column", "read_in"),
    [
        (pa.array([{"relation": "merge", "models": [{"id": "a/x"}, {"id": "a/y"}]}, None]), True),
        (pa.array([{"models": [{"id": "a/x"}, None]}, None]), True),
        (pa.array([{"models": ["a/x"]}, None]), False),
        (pa.array([{"relation": "merge"}, None]), False),
        (pa.array([{"models": [{"name": "a/x"}]}, None]), False),
        (pa.array(["a/x", None]), False),
    ],
)
def test_parquet_bases_of_any_shape(column: pa.Array, read_in: bool, tmp_path: Path) -> None:
    found = read(parquet(tmp_path, hub_rows(1, 2, baseModels=column)), "hub-snapshot")
    assert any("baseModels" in problem for problem in found.problems) == (not read_in)
    assert ("base_models" in found.frame) == read_in
    if read_in:
        assert next(iter(found.frame["base_models"].iloc[0])) == "a/x"
        assert pd.isna(found.frame["base_relation"].iloc[1])


def test_parquet_dates(tmp_path: Path) -> None:
    when = dt.datetime(2025, 1, 2, 3)
    shapes = [
        pa.array([when, None], pa.timestamp("ns")),
        pa.array([when, None], pa.timestamp("s", "UTC")),
        pa.array(["2025-01-02T03:00:00Z", None]),
        pa.array(["2025-01-02T05:00:00+02:00", "soon"]),
    ]
    for column in shapes:
        found = read(parquet(tmp_path, hub_rows(1, 2, createdAt=column)), "hub-snapshot")
        assert found.frame["created_at"].iloc[0] == pd.Timestamp("2025-01-02T03:00Z")
        assert pd.isna(found.frame["created_at"].iloc[1])
    wild = pa.array([dt.datetime(1, 1, 1), when], pa.timestamp("us"))
    found = read(parquet(tmp_path, hub_rows(1, 2, createdAt=wild)), "hub-snapshot")
    assert "1 outside 1990 to 2100" in found.problems[0]
    beyond = pa.array([2**62, 1], pa.int64()).cast(pa.timestamp("ms"))
    found = read(parquet(tmp_path, hub_rows(1, 2, createdAt=beyond)), "hub-snapshot")
    assert found.frame["created_at"].isna().any()


def test_parquet_other_types(tmp_path: Path) -> None:
    table = hub_rows(
        1,
        2,
        trendingScore=[1, float("inf")],
        pipeline_tag=["", "text-generation"],
        library_name=pa.array([None, None]),
        tags=[["license:mit", "x", "license:apache-2.0"], None],
        likes=[True, False],
    )
    found = read(parquet(tmp_path, table), "hub-snapshot")
    frame = found.frame
    assert pd.isna(frame["trending_score"].iloc[1])
    assert pd.isna(frame["pipeline_tag"].iloc[0])
    assert frame["library_name"].isna().all()
    assert frame["licence"].tolist()[0] == "mit"
    assert pd.isna(frame["licence"].iloc[1])
    assert frame["likes"].isna().all()
    assert any("column 'likes': 2 values" in problem for problem in found.problems)
    table = hub_rows(1, 2, license=["mit", None], tags=[[1], [2]])
    found = read(parquet(tmp_path, table), "hub-snapshot")
    assert found.frame["licence"].tolist()[0] == "mit"
    assert found.frame["tags"].isna().all()


def test_rows_kept_do_not_depend_on_the_columns_asked_for(tmp_path: Path) -> None:
    table = pa.table(
        {"id": ["a/b", "a/b"], "downloads": [1, 2], "pipeline_tag": ["small", "large"]}
    )
    file = parquet(tmp_path, table)
    asked = read(file, "hub-snapshot", columns=["pipeline_tag"])
    assert asked.frame["pipeline_tag"].tolist() == ["large"]
    assert "downloads_30d" not in asked.frame


# ---------------------------------------------------------------------- ids and repeated rows


def test_repeated_rows_follow_the_declared_rule(tmp_path: Path) -> None:
    rows = [
        {"id": "a/b", "downloads": 1, "likes": 9},
        {"id": "a/c", "downloads": 5},
        {"id": "a/b", "downloads": 3, "likes": 1},
        {"id": "a/c", "downloads": 5},
        {"id": "a/d", "downloads": None},
        {"id": "a/d", "downloads": 0},
    ]
    found = read(api(tmp_path, rows), "hub-snapshot")
    assert found.frame["repository_id"].tolist() == ["a/c", "a/b", "a/d"]
    assert downloads(found) == [5, 3, 0]
    assert found.problems == (
        "1 row repeats another row's id and counters; one of each is kept",
        "2 rows repeat an id with other counters; the largest is kept; first: 'a/b'",
    )


def test_ids_differ_by_letter_case(tmp_path: Path) -> None:
    rows = [{"id": "a/b", "downloads": 1}, {"id": "A/b", "downloads": 2}]
    assert len(read(api(tmp_path, rows), "hub-snapshot").frame) == 2


def test_odd_ids_are_kept_and_counted(tmp_path: Path) -> None:
    odd = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "a/b\x00\n", "/x", "a/b/c", "gpt2"]
    found = read(
        api(tmp_path, [{"id": one, "downloads": 1} for one in odd]),
        "hub-snapshot",
    )
    assert found.frame["repository_id"].tolist() == odd
    assert found.problems[0].startswith("5 ids do not follow the Hub's grammar")
    assert found.frame["organisation"].isna().tolist() == [False, False, False, True, False, True]
    assert "\n" not in found.problems[0]


def test_rows_without_id(tmp_path: Path) -> None:
    rows = [{"id": None, "downloads": 1}, {"id": "a/b", "downloads": 2}, {"id": 5, "downloads": 2}]
    found = read(api(tmp_path, rows), "hub-snapshot")
    assert found.frame["repository_id"].tolist() == ["a/b"]
    assert "2 rows without a repository id dropped; first: row 1" in found.problems[1]
    with pytest.raises(InputError, match="no row has a repository id"):
        read(api(tmp_path, [{"id": None, "downloads": 1}]), "hub-snapshot")


def test_ids_that_are_no_unicode(tmp_path: Path) -> None:
    file = text(tmp_path, '[{"id": "a/\\ud800", "downloads": 1}, {"id": "a/b", "downloads": 2}]')
    found = read(file, "hub-snapshot")
    assert found.frame["repository_id"].tolist() == ["a/b"]
    assert "not valid Unicode" in found.problems[0]


# ------------------------------------------------------------------------------------- json


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"id": "a/b", "downl', "not JSON at line 1, column .*cut off"),
        ('[{"id": "a/b"}', "not JSON at line 1"),
        ("[" * 100_000, "nested too deeply|not JSON"),
        ("[1]", "row 1 is int, expected an object"),
        ("[]", "is an empty list"),
        ('{"models": []}', "'models' is an empty list"),
        ('{"models": {"a": 1}}', "'models' is dict, expected a list"),
        ('{"other": 1}', r"an object without 'models': has \['other'\]"),
        ('[{"id": "a/b"}]', "no column 'downloads'; the file has 'id'"),
        ('[{"id": "a/b", "downloads": ' + "9" * 5_000 + "}]", "not usable JSON"),
        ('[{"id": "a/b", "downloads": "lots"}]', "'lots' at row 1 is not a number"),
    ],
)
def test_json_of_another_shape(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(text(tmp_path, content), "hub-snapshot")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("null", None),
        ("-1", None),
        ("9223372036854775807", 9_223_372_036_854_775_807),
        ("9223372036854775808", None),
        ("1.0", 1),
        ("1.5", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e400", None),
        ('"1,234"', 1234),
        ('"1,2,3"', None),
        ('"-5"', None),
        ('"٣"', None),
        ('"' + "9" * 40 + '"', None),
        ('""', None),
        ("true", None),
        ("[]", None),
        ("{}", None),
    ],
)
def test_json_counters(value: str, expected: int | None, tmp_path: Path) -> None:
    content = f'[{{"id": "a/b", "downloads": {value}}}, {{"id": "a/c", "downloads": 1}}]'
    found = read(text(tmp_path, content), "hub-snapshot")
    assert downloads(found) == [expected, 1]


def test_json_with_bom_and_the_api_layout(tmp_path: Path) -> None:
    rows = [
        {
            "id": "a/b",
            "downloads": 2,
            "downloadsAllTime": 9,
            "sha": "abc",
            "safetensors": {"total": 5, "parameters": [1]},
            "baseModels": {"relation": "adapter"},
            "tags": ["license:mit"],
            "createdAt": "2025-01-02T03:04:05.678Z",
            "trendingScore": "7.5",
        },
        {"id": "a/c", "downloads": 1, "safetensors": "none", "trendingScore": "x", "tags": "no"},
    ]
    found = read(text(tmp_path, b"\xef\xbb\xbf" + json.dumps(rows).encode()), "hub-snapshot")
    assert found.layout == "hub-api"
    one = found.frame.iloc[0]
    assert (one["parameters_total"], one["licence"], one["base_relation"]) == (5, "mit", "adapter")
    assert one["trending_score"] == 7.5
    assert pd.isna(found.frame["tags"].iloc[1])


def test_header_count_that_does_not_hold(tmp_path: Path) -> None:
    content = {"count": 5, "timestamp": "yesterday", "models": [{"id": "a/b", "downloads": 1}]}
    found = read(api(tmp_path, content), "hub-snapshot")
    assert found.taken is None
    assert "the header says 5 rows, there are 1" in found.problems
    assert any("timestamp" in problem for problem in found.problems)


def test_dates_are_never_the_clock(tmp_path: Path) -> None:
    rows = [
        {"id": f"a/{place}", "downloads": 1, "createdAt": when}
        for place, when in enumerate(["now", "today", "2026-02-30", "2025-13-01", 5, "2025-01-01"])
    ]
    found = read(api(tmp_path, rows), "hub-snapshot")
    assert found.frame["created_at"].isna().tolist() == [True] * 5 + [False]


def test_llmfit_without_optional_fields(tmp_path: Path) -> None:
    rows = [
        {"name": "a/b", "hf_downloads": 0},
        {"name": "a/c", "hf_downloads": 0, "_discovered": True},
        {"name": "a/d", "hf_downloads": 5},
    ]
    found = read(api(tmp_path, rows), "hub-snapshot")
    assert found.layout == "llmfit"
    assert downloads(found) == [None, 0, 5]
    assert found.frame["looked_up"].tolist() == [False, True, True]


# ------------------------------------------------------------------------------------ lists


def ranking(**more: Any) -> dict[str, Any]:
    return {
        "updated": "2026-01-02T03:04:05Z",
        "models": [{"id": "a/b", "downloads": 9}, {"id": "a/c", "downloads": 5}],
    } | more


def test_lists_of_another_shape(tmp_path: Path) -> None:
    for content, message in (
        ([], "list at the top, expected an object"),
        ({"model": []}, r"no list 'models'; the file has \['model'\]"),
        ({"models": []}, "list 'models' is an empty list"),
        (ranking(smallModels=5), "list 'smallModels' is int"),
        (ranking(smallModels=[5]), "list 'smallModels', row 1 is int"),
        (ranking(smallModels=[{"id": "a/b"}]), "no column 'downloads'"),
    ):
        with pytest.raises(InputError, match=message):
            read(api(tmp_path, content), "hub-top30")


def test_lists_survive_and_tell(tmp_path: Path) -> None:
    found = read(api(tmp_path, ranking(smallModels=[], extra=1)), "hub-top30")
    assert found.frame["list"].tolist() == ["downloads", "downloads"]
    assert found.taken == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    rows = [{"id": "a/b", "downloads": 1}, {"id": "a/c", "downloads": 5}]
    found = read(api(tmp_path, {"models": rows}), "hub-top30")
    assert found.problems == ("the ranking by downloads is not in falling order",)
    assert found.taken is None
    asked = read(api(tmp_path, ranking()), "hub-top30", columns=["downloads_30d"])
    assert list(asked.frame.columns) == ["list", "repository_id", "organisation", "downloads_30d"]


# -------------------------------------------------------------------------------------- csv

TRACKED = "org,model,modelId\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TRACKED, "no rows below the header"),
        ("\n\n", "no header"),
        (TRACKED + "a,b\n", "line 2 has 2 fields, the header 3; the file may be cut off"),
        (TRACKED + 'a,"b,a/b\n', "broken CSV|fields"),
        ("org,org,modelId\na,b,a/b\n", "column 'org' stands twice"),
        ("org,model\na,b\n", "no column 'modelId'; the file has 'org', 'model'"),
        (TRACKED + "a,b,\n", "no row has a repository id"),
    ],
)
def test_csv_of_another_shape(content: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(text(tmp_path, content, "models.csv"), "tracked-list")


def test_csv_with_bom_crlf_and_blank_lines(tmp_path: Path) -> None:
    content = "\ufefforg,model,modelId\r\n\r\na,b,a/b\r\nx,c,a/c\r\n"
    found = read(text(tmp_path, content, "models.csv"), "tracked-list")
    assert found.frame["repository_id"].tolist() == ["a/b", "a/c"]
    assert found.problems == ("1 row names another organisation than the id: 'a/c'",)
    only_ids = read(text(tmp_path, "modelId\na/b\n", "models.csv"), "tracked-list")
    assert only_ids.frame["organisation"].tolist() == ["a"]


def test_csv_huge_field_is_an_error(tmp_path: Path) -> None:
    content = TRACKED + "a,b,a/" + "x" * 200_000 + "\n"
    with pytest.raises(InputError, match="broken CSV: field larger"):
        read(text(tmp_path, content, "models.csv"), "tracked-list")


def test_hub_snapshot_as_csv(tmp_path: Path) -> None:
    content = "id,downloads,likes\na/b,5,\na/c,7,2"
    found = read(text(tmp_path, content, "hub.csv"), "hub-snapshot")
    assert found.layout == "hub-csv"
    assert downloads(found) == [5, 7]
    assert found.problems == ("the last line has no end: the file may be cut off",)


def test_reference_of_no_known_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="of no known list; need one of: hf_org, region"):
        read(text(tmp_path, "a,b\n1,2\n", "x.csv"), "reference")


def test_reference_survives(tmp_path: Path) -> None:
    content = "# remark\nhf_org,region\nQwen,china\n# between\nQwen,us\n,us\n"
    found = read(text(tmp_path, content, "x.csv"), "reference")
    assert found.frame["region"].tolist() == ["china"]
    assert found.problems == ("organisations that stand twice: 1; the first is kept: 'Qwen'",)
    content = "model_id,total_params_b,is_moe\na/b,7.5,TRUE\na/c,x,perhaps\n"
    found = read(text(tmp_path, content, "x.csv"), "reference")
    assert found.frame["is_mixture"].tolist()[0] is True
    assert pd.isna(found.frame["is_mixture"].iloc[1])
    assert len(found.problems) == 2


# -------------------------------------------------------------------------------- workbooks

PANEL = [
    "time",
    "model",
    "author",
    "org_country_single",
    "merged_country_groups_single",
    "derived_author",
    "derived_org_country_single",
    "merged_derived_country_groups_single",
    "downloadsAllTime",
    "created",
]


def workbook(path: Path, *rows: list[Any], header: list[str] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(PANEL if header is None else header)
    for row in rows:
        sheet.append(row)
    file = path / "panel.xlsx"
    book.save(file)
    return file


def panel_row(day: Any, model: str, total: Any) -> list[Any]:
    return [day, model, "a", "c", "g", "d", "dc", "dg", total, dt.datetime(2025, 1, 1)]


def test_panel_survives(tmp_path: Path) -> None:
    day = dt.datetime(2025, 3, 5)
    file = workbook(
        tmp_path,
        panel_row(day, "a/b", 5),
        panel_row(day, "a/b", 9),
        panel_row(None, "a/c", 1),
        [None] * len(PANEL),
        panel_row(dt.date(2025, 3, 12), "a/b", -1),
        panel_row(day, "a/d", None),
    )
    found = read(file, "hub-panel")
    assert found.frame["downloads_all_time"].tolist()[:1] == [9]
    assert len(found.frame) == 3
    assert len(found.problems) == 3


def test_panel_of_another_shape(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rows below the header"):
        read(workbook(tmp_path), "hub-panel")
    with pytest.raises(InputError, match="no column 'time'"):
        read(workbook(tmp_path, [1], header=["x"]), "hub-panel")
    with pytest.raises(InputError, match="not a readable workbook"):
        read(text(tmp_path, b"PK\x03\x04 no zip", "panel.xlsx"), "hub-panel")
    file = workbook(tmp_path, panel_row(dt.datetime(2025, 3, 5), "a/b", 5))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="not a readable workbook"):
        read(file, "hub-panel")


def test_workbook_that_unpacks_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNPACKED", limits.Limit(100, "bytes unpacked", "small"))
    with pytest.raises(InputError, match="bytes unpacked, more than the 100 that are read"):
        read(workbook(tmp_path, panel_row(dt.datetime(2025, 3, 5), "a/b", 5)), "hub-panel")


# -------------------------------------------------------------------------- organisation weeks


def test_organisation_weeks_survive(tmp_path: Path) -> None:
    week = {"id": "A", "week_date": "2025-01-01", "downloads_total": 5, "downloads_week": 5}
    rows = [
        week | {"week_date": "2025-01-08", "downloads_total": 9, "downloads_week": 3},
        week,
        week,
        week | {"id": None},
    ]
    found = read(api(tmp_path, rows), "organisation-weeks")
    assert found.frame["downloads_30d"].tolist() == [5, 9]
    assert found.problems == (
        "1 row without group or week dropped",
        "weeks that stand twice in a group: 1; the first is kept",
        "totals that are not the running sum of their group's weeks: 1",
    )


# ----------------------------------------------------------------------------------- schema


def test_conform_refuses_what_is_not_in_the_registry() -> None:
    with pytest.raises(InputError, match="no column 'download'"):
        conform(pd.DataFrame({"download": [1]}))
    with pytest.raises(InputError, match="column 'likes' is not Int64"):
        conform(pd.DataFrame({"likes": ["x"]}))
    frame = conform(pd.DataFrame({"likes": [1], "repository_id": ["a/b"]}, index=[7]))
    assert list(frame.columns) == ["repository_id", "likes"]
    assert frame.index.tolist() == [0]


def test_fields_are_described() -> None:
    for name, field in FIELDS.items():
        assert name == field.name
        assert all((field.unit, field.meaning, field.null_meaning, field.source))
    assert check_names(["likes", "likes"], FIELDS, "test") == ("likes",)
    with pytest.raises(InputError, match="known: likes"):
        check_names(["xyz"], ["likes"], "test")
