"""Whatever the bytes: the readers give a valid table or an InputError, never anything else."""

from __future__ import annotations

import csv
import gzip
import io
import json
import signal
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.snapshot import FIELDS, KINDS, Snapshot, read

# Small synthetic files, one a layout: what is damaged below.


def _parquet() -> bytes:
    table = pa.table(
        {
            "id": [f"org/model-{place}" for place in range(30)],
            "downloads": list(range(30)),
            "downloadsAllTime": list(range(100, 130)),
            "tags": [["license:mit", "x"]] * 30,
            "createdAt": pa.array([1_700_000_000_000_000] * 30, pa.timestamp("us")),
            "safetensors": [{"total": 5, "parameters": {"BF16": 5}}] * 30,
            "baseModels": [{"relation": "merge", "models": [{"id": "a/b"}]}] * 30,
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out, compression="none")
    return out.getvalue()


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(
        [
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
    )
    for place in range(5):
        sheet.append(
            ["2025-03-05", f"a/{place}", "a", "c", "g", "d", "e", "f", place, "2025-01-01"]
        )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


ROW = {"id": "a/b", "name": "a/b", "downloads": 5, "likes": 1, "tags": ["license:mit"]}
HUB_API: list[Any] = [ROW | {"createdAt": "2025-01-01T00:00:00.000Z"}, ROW | {"id": "gpt2"}]
LLMFIT: list[Any] = [
    {"name": "a/b", "hf_downloads": 0, "hf_likes": 0, "release_date": "2025-01-01"},
    {"name": "A/b", "hf_downloads": 7, "hf_likes": 2, "_discovered": True, "parameters_raw": 9},
]
EXPANSION: dict[str, Any] = {"timestamp": "2025-12-22T01:44:32.041Z", "count": 1, "models": [ROW]}
TOP30: dict[str, Any] = {"updated": "2026-02-28T21:05:56.239Z", "models": [ROW], "smallModels": []}
TOP25: dict[str, Any] = {
    "downloads": [ROW | {"downloads": "1,234", "task": "Unknown"}],
    "likes": [ROW],
    "lastUpdated": "2025-11-05T02:26:27.309831",
}
TOP15: dict[str, Any] = {"top_models_by_downloads": [ROW], "recent_models_24h": [ROW]}
TRENDING: dict[str, Any] = {"fetchedAt": "2026-04-30T22:07:48.607Z", "count": 2, "models": [ROW]}
WEEKS: list[Any] = [
    {"id": "A", "week_date": "2025-01-01", "downloads_total": 5, "downloads_week": 5}
]

LIBRARY: list[Any] = [
    {"name": "a", "pullCount": "12.3M", "size": ["7b"]},
    {"name": "b", "pullCount": "409K"},
]
GALLERY: dict[str, Any] = {
    "a": {"pull_str": "9,342", "pull": 9342, "parameters": ["7b"], "update_date": "2025-08-06"}
}
REGISTRY: dict[str, Any] = {
    "lastUpdated": "2026-08-21T22:59:52.837Z",
    "totalModels": 1,
    "topModels": [{"name": "a", "pullCount": "1M"}],
    "models": {
        "a": {"pullCount": "1M", "tags": {"latest": {"modelHash": "x"}, "7b": {"modelHash": "x"}}}
    },
}
CATALOGUE: dict[str, Any] = {
    "azure_ai/x": {
        "litellm_provider": "azure_ai",
        "mode": "chat",
        "input_cost_per_token": 1e-6,
        "deprecation_date": "2026-06-13",
    },
    "y": {"source": "https://example.org"},
}
RANKED: dict[str, Any] = {
    "rank": 1,
    "author": "qwen",
    "model_id": "qwen/x",
    "tokens": 5.5,
    "share_pct": 9.9,
    "change": {"value": 64, "direction": "down"},
}
RANKING: dict[str, Any] = {
    "meta": {"fetched_at": "2026-04-11T06:56:38.618085+00:00"},
    "models": [RANKED],
    "market_share": [{"rank": 1, "author": "qwen", "tokens": 7, "share_pct": 18.9}],
    "images": [],
}

ARENA: dict[str, Any] = {
    "rows": [
        {
            "model_name": "a",
            "category": "german",
            "rating": 1200.5,
            "rating_lower": 1190.0,
            "rating_upper": 1211.0,
            "vote_count": 99.0,
        }
    ]
}

BOARD: dict[str, Any] = {
    "meta": {"fetched_at": "2026-03-19T14:51:18.040878+00:00", "model_count": 2},
    "models": [
        {"model": "a", "vendor": "A", "license": "open", "score": 1500, "ci": 6, "votes": 9},
        {"model": "b", "vendor": None, "license": None, "score": 9, "ci_low": 5, "ci_high": 4},
    ],
}
QUALITY: dict[str, Any] = {
    "meta": {"fetched_at": "2026-06-30T11:04:37+00:00"},
    "models": [
        {
            "id": "x",
            "name": "A",
            "slug": "a",
            "creator_slug": "b",
            "release_date": "2025-08-05",
            "evaluations": {"artificial_analysis_intelligence_index": 23.8},
        }
    ],
}
PAGE: dict[str, Any] = {
    "models": [
        {
            "id": "x",
            "name": "A",
            "creator": {"slug": "b", "country": "cn"},
            "open_weights": {
                "is_open_weights": True,
                "license_name": "MIT",
                "commercial_allowed": True,
            },
            "evaluations": {
                "artificial_analysis_intelligence_index": 7.0,
                "artificial_analysis_intelligence_index_is_estimated": True,
            },
        }
    ]
}

STRUCTURES: list[tuple[str, Any]] = [
    ("ollama-library", LIBRARY),
    ("ollama-library", GALLERY),
    ("ollama-library", REGISTRY),
    ("hub-snapshot", HUB_API),
    ("hub-snapshot", LLMFIT),
    ("hub-snapshot", EXPANSION),
    ("hub-top30", TOP30),
    ("hub-top25", TOP25),
    ("hub-top15", TOP15),
    ("hub-trending", TRENDING),
    ("organisation-weeks", WEEKS),
    ("service-catalogue", CATALOGUE),
    ("router-ranking", RANKING),
    ("arena-scores", ARENA),
    ("arena-table-json", BOARD),
    ("quality-index", QUALITY),
    ("quality-index", PAGE),
]
TEXTS: list[tuple[str, bytes]] = [
    *((kind, json.dumps(content).encode()) for kind, content in STRUCTURES),
    ("hub-snapshot", b"owner,repo_id,created_at,downloads\na,a/b,2024-04-17T09:35:12+00:00,5\n"),
    ("tracked-list", b"org,model,modelId\na,b,a/b\n"),
    ("reference", b"# x\nmodel_id,hf_created_at,actual_release_date,notes\na/b,,2025-01-01,\n"),
    ("reference", b"hf_org,region,notes\nQwen,china,\n"),
    ("reference", b"model_id,total_params_b,active_params_b,is_moe,notes\na/b,7,,true,\n"),
    ("licence-text", b"TITLE\n\n1. Terms. If, on the day, the\nusers exceed 700 million, ask.\n"),
    ("release-text", b"# Name\n\n- one\n  two\n\n```\n- code\n```\nEnglish and\nchinese.\n"),
]
TEXTS += [
    ("hub-snapshot", b"id,downloads,likes,createdAt,license\na/b,5,1,2024-04-17,mit\na/c,,,,\n"),
    ("reference", b"hf_org,region\nQwen,china\nmeta-llama,us\n"),
]
COUNTS = (
    b"model,0-month,1-month,2-month,mu_i,created_at\na/b,0,5.0,7.0,0.1,2024-01-22 16:30:10+00:00\n"
)
ROOTS = b'model_id,out_degree,downloads,created_at,tags\na/b,5,7,2024-01-22,"x,license:mit"\n'
TEXTS += [
    ("lineage-edges", b"source,target,edge\na/b,c/d,merged\na/b,e/f,finetuned\n"),
    ("lineage-edges", b"child_model,base_model\na/b,- c/d\ne/f,\"['c/d', gpt2]\"\n"),
    ("derivative-counts", COUNTS),
    ("lineage-roots", ROOTS),
]
RATED = (
    b"rank,model,arena_score,95_pct_ci,votes,organization,license\n1,a,1316,+4/-3,9,A,MIT\n"
    b"2,b,1300,+4/-4,8,,\n"
)
DESCRIPTION = b"# Boards\n\n" + b"".join(
    f"| `{name}` | what it is |\n".encode()
    for name in ("model", "vendor", "license", "score", "ci", "votes")
)
TEXTS += [("arena-table", RATED), ("arena-table-json", DESCRIPTION)]
SCORES = (
    "<b>Task</b>,<a href='https://x.com/tasks/knowledge/'>K</a>\n"
    "Model,<a href='https://x.com/datasets/danish#one'>one</a>\n"
    "<a href='https://x.com'>a/b (val)</a>,69.12 ± 1.83 / -0.52 ± 1.64@@69.12\nc#no,?\n"
)
TEXTS += [("language-scores", SCORES.encode())]
TREE = ROW | {
    "created_at": "2026-08-15T00:00:00.000Z",
    "tags": ["base_model:c/d", "base_model:merge:c/d", "license:mit"],
    "languages": ["en"],
    "base_model": "c/d",
    "gated": False,
}


def _archive(*rows: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as made:
        for place, one in enumerate(rows):
            content = json.dumps(one).encode()
            member = tarfile.TarInfo(f"top/data/a/{place}.json")
            member.size, member.pax_headers = len(content), {"comment": "x", "mtime": "1.5"}
            made.addfile(member, io.BytesIO(content))
    return out.getvalue()


#: Columns that tell one row about a repository from another, where a kind has them.
KEY = ("list", "day", "repository_id", "base_id", "month")
PARQUET = _parquet()
WORKBOOK = _workbook()

FEW = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes, str], Snapshot | None]:
    """Return a function that reads bytes as a kind and checks what comes of it."""
    file = tmp_path_factory.mktemp("fuzz") / "file"

    def go(content: bytes, kind: str) -> Snapshot | None:
        file.write_bytes(content)
        try:
            found = read(file, kind)
        except InputError as error:
            message = str(error)
            found = None
        if found is None:
            assert str(file) in message
            assert "\n" not in message
            return None
        for column in found.frame.columns:
            series = found.frame[column]
            assert series.dtype == FIELDS[column].pandas_dtype
            if FIELDS[column].dtype == "Int64":
                assert (series.dropna() >= 0).all()
        if "repository_id" in found.frame:
            assert found.frame["repository_id"].notna().all()
            key = [one for one in KEY if one in found.frame]
            assert not found.frame.duplicated(key).any()
        # What was read can be written: nothing in it is half a character or out of range.
        pa.Table.from_pandas(found.frame)
        return found

    return go


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Cut, drop, double, overwrite or insert somewhere, up to three times."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 12))
        middle = content[start : start + length]
        content = draw(
            st.sampled_from(
                [
                    content[:start],
                    content[:start] + content[start + length :],
                    content[:start] + middle + content[start:],
                    content[:start] + draw(st.binary(max_size=6)) + content[start + length :],
                    content[:start] + draw(st.text(max_size=4)).encode() + content[start:],
                ]
            )
        )
    return content


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(), max_size=6)
    | st.sampled_from(["now", "2025-01-01", "1,234", "a/b", "\ud800", "9999-12-31", "0001-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@st.composite
def rewritten(draw: st.DrawFn, content: Any) -> Any:
    """Replace one value somewhere in the structure by any JSON value, or drop it."""
    if draw(st.integers(0, 3)) == 0 or not isinstance(content, (dict, list)) or not content:
        return draw(JSON)
    if isinstance(content, dict):
        key = draw(st.sampled_from(sorted(content)))
        rest = {name: value for name, value in content.items() if name != key}
        if draw(st.integers(0, 5)) == 0:
            return rest
        return rest | {key: draw(rewritten(content[key]))}
    place = draw(st.integers(0, len(content) - 1))
    changed = list(content)
    changed[place] = draw(rewritten(content[place]))
    return changed


def test_the_undamaged_files_are_of_every_kind_and_layout(
    attempt: Callable[[bytes, str], Snapshot | None],
) -> None:
    archive = gzip.compress(_archive(TREE, TREE | {"id": "c/d"}))
    others = [("hub-snapshot", PARQUET), ("hub-panel", WORKBOOK), ("hub-tree", archive)]
    layouts: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for kind, content in [*TEXTS, *others]:
        found = attempt(content, kind)
        assert found is not None
        layouts[kind].add(found.layout)
    assert all(layouts.values())
    assert layouts["hub-snapshot"] == {
        *("hub-stats", "hub-api", "llmfit", "expansion", "by-author", "hub-csv")
    }
    assert layouts["lineage-edges"] == {"typed-edges", "card-pairs"}
    assert len(layouts["reference"]) == len(layouts["ollama-library"]) == 3
    assert len(layouts["quality-index"]) == 2


@FEW
@given(data=st.data())
@pytest.mark.parametrize("place", range(len(TEXTS)))
def test_damaged_text(
    place: int, data: st.DataObject, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    kind, content = TEXTS[place]
    attempt(data.draw(damaged(content)), kind)


@FEW
@given(data=st.data())
@pytest.mark.parametrize("place", range(len(STRUCTURES)))
def test_other_values_in_the_structure(
    place: int, data: st.DataObject, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    kind, content = STRUCTURES[place]
    attempt(json.dumps(data.draw(rewritten(content))).encode(), kind)


@FEW
@given(content=st.binary(max_size=60), kind=st.sampled_from(KINDS))
def test_any_bytes(
    attempt: Callable[[bytes, str], Snapshot | None], content: bytes, kind: str
) -> None:
    attempt(content, kind)


@FEW
@given(data=st.data())
def test_damaged_parquet(
    data: st.DataObject, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    attempt(data.draw(damaged(PARQUET)), "hub-snapshot")


@FEW
@given(data=st.data())
def test_damaged_workbook(
    data: st.DataObject, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    attempt(data.draw(damaged(WORKBOOK)), "hub-panel")


@FEW
@given(data=st.data())
def test_archive_with_other_values(
    data: st.DataObject, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    made = _archive(data.draw(rewritten(TREE)), TREE)
    attempt(gzip.compress(made), "hub-tree")


@settings(FEW, max_examples=60)
@given(data=st.data(), form=st.sampled_from(["inside", "outside"]))
def test_damaged_archive(
    data: st.DataObject, form: str, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    """Damage the archive before or after it is compressed."""
    made = _archive(TREE, TREE | {"id": "c/d"})
    if form == "outside":
        attempt(data.draw(damaged(gzip.compress(made, mtime=0))), "hub-tree")
    else:
        attempt(gzip.compress(data.draw(damaged(made))), "hub-tree")


@settings(FEW, max_examples=15)
@given(data=st.data())
def test_workbook_with_a_damaged_sheet(
    data: st.DataObject, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    """The zip is whole, the XML inside is not."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(WORKBOOK)) as archive,
        zipfile.ZipFile(out, "w") as changed,
    ):
        names = [entry.filename for entry in archive.infolist()]
        victim = data.draw(st.sampled_from(names))
        for name in names:
            content = archive.read(name)
            changed.writestr(name, data.draw(damaged(content)) if name == victim else content)
    attempt(out.getvalue(), "hub-panel")


@pytest.mark.parametrize("depth", [900, 984, 987, 990, 993, 100_000])
def test_values_nested_about_as_deep_as_python_goes(
    depth: int, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    for kind, content in (("hub-top30", TOP30), ("hub-snapshot", LLMFIT)):
        text = json.dumps(content).replace('"2026-02-28T21:05:56.239Z"', "@")
        text = text.replace('"2025-01-01"', "@").replace("@", "[" * depth + "]" * depth)
        attempt(text.encode(), kind)


COLUMN = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=4, max_size=4),
    st.lists(st.integers(0, 2**64 - 1), min_size=4, max_size=4),
    st.lists(st.floats() | st.none(), min_size=4, max_size=4),
    st.lists(st.text(max_size=5) | st.none(), min_size=4, max_size=4),
    st.lists(st.booleans() | st.none(), min_size=4, max_size=4),
    st.lists(st.lists(st.text(max_size=5)) | st.none(), min_size=4, max_size=4),
    st.lists(st.dates() | st.none(), min_size=4, max_size=4),
    st.lists(st.datetimes() | st.none(), min_size=4, max_size=4),
    st.lists(st.fixed_dictionaries({"total": st.integers(0, 9)}), min_size=4, max_size=4),
)


@settings(FEW, max_examples=60)
@given(
    columns=st.dictionaries(
        st.sampled_from(
            [
                "id",
                "downloads",
                "downloadsAllTime",
                "likes",
                "trendingScore",
                "createdAt",
                "lastModified",
                "pipeline_tag",
                "library_name",
                "tags",
                "license",
                "safetensors",
                "baseModels",
            ]
        ),
        COLUMN,
    )
)
def test_parquet_with_columns_of_any_type(
    attempt: Callable[[bytes, str], Snapshot | None], columns: dict[str, list[Any]]
) -> None:
    table: dict[str, Any] = {
        "id": ["a/b", "a/b", "gpt2", None],
        "downloads": [1, 2, 3, None],
    }
    out = io.BytesIO()
    try:
        pq.write_table(pa.table(table | columns), out)
    except (pa.ArrowException, UnicodeEncodeError, OverflowError):
        return
    attempt(out.getvalue(), "hub-snapshot")


def test_a_row_without_counters_is_kept(
    attempt: Callable[[bytes, str], Snapshot | None],
) -> None:
    found = attempt(b'[{"id": "a/b", "downloads": null}]', "hub-snapshot")
    assert found is not None
    assert pd.isna(found.frame["downloads_30d"].iloc[0])


# -------------------------------------------------- damage that knows the structure of a file

CELLS = st.sampled_from(
    [
        *("", " ", "0", "-1", "1.5", "1,234", "NaN", "inf", "1e400", "9" * 25, "9" * 5_000, "٣"),
        *("a/b", "/", "a/b/c", "../..", "=1+1", "<b>", "\x1b[2J", "\x00", "\u202e", "\ufeff", "'"),
        *("2025-01-01", "2026-02-30", "0001-01-01", "9999-12-31", "now", "true", "[]", "['a/b']"),
        *("x" * 10_000, '"', "a\nb", "a,b", "\r", "+4/-3", "1 ± 2 / 3 ± 4", "- a/b", "merged"),
    ]
) | st.text(max_size=5)


@st.composite
def recelled(draw: st.DrawFn, content: bytes) -> bytes:
    """Put other values into up to four cells of a CSV file; sometimes a row more or less."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.sampled_from(rows))
        if row:
            row[draw(st.integers(0, len(row) - 1))] = draw(CELLS)
    rows = draw(st.sampled_from([rows, rows, rows, rows * 2, rows[:1], rows[::-1]]))
    out = io.StringIO()
    # Not valid Unicode is for the readers too.
    csv.writer(out, lineterminator=draw(st.sampled_from(["\n", "\r\n"]))).writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


@st.composite
def refooted(draw: st.DrawFn, content: bytes) -> bytes:
    """Change bytes of a Parquet file's footer, of its length, or of the heads of its pages."""
    size = int.from_bytes(content[-8:-4], "little")
    where = draw(st.sampled_from(["footer", "footer", "length", "pages"]))
    if where == "length":
        length = draw(st.integers(0, 2**32 - 1) | st.integers(0, len(content)))
        return content[:-8] + length.to_bytes(4, "little") + content[-4:]
    first, last = (len(content) - 8 - size, len(content) - 9) if where == "footer" else (4, 400)
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(first, last))
        changed[place] = draw(
            st.sampled_from([0, 0x7F, 0x80, 0xFF, changed[place] ^ 1, changed[place] ^ 0x10])
        )
    return bytes(changed)


@st.composite
def reheaded(draw: st.DrawFn) -> bytes:
    """Build an archive of members with odd names, sizes, types and links, checksums right."""
    out = io.BytesIO()
    good = json.dumps(TREE).encode()
    for place in range(draw(st.integers(1, 4))):
        name = draw(
            st.sampled_from(
                [f"top/data/a/{place}.json", "top/data/../x.json", "/x", "", "x", "top", "\x1b[2J"]
            )
            | st.text(max_size=8).filter(lambda text: "\0" not in text)
        )
        member = tarfile.TarInfo(name)
        member.type = draw(st.sampled_from(b"0 0 0 0 1 2 3 4 5 6 7 g x L K S V \0 z".split()))
        member.size = draw(
            st.sampled_from([len(good), len(good), len(good), 0, 1, 511, 513, 2**33, 2**62])
        )
        member.linkname = draw(st.sampled_from(["", "/etc/passwd", "../../x", name]))
        head = member.tobuf(tarfile.GNU_FORMAT, errors="surrogatepass")
        out.write(head + good + bytes(-len(good) % 512))
    out.write(bytes(draw(st.sampled_from([0, 512, 1024, 10_240]))))
    return gzip.compress(out.getvalue(), mtime=0)


TABLES = [
    (kind, content)
    for kind, content in TEXTS
    if b"," in content.split(b"\n")[0] and not content.lstrip().startswith((b"{", b"[", b"#"))
]


@st.composite
def any_file(draw: st.DrawFn) -> tuple[bytes, str]:
    """Draw a damaged file of any kind, damaged in any of the ways of this module."""
    way = draw(st.sampled_from(["text", "value", "cell", "Parquet", "archive", "other kind"]))
    if way == "text":
        kind, content = draw(st.sampled_from(TEXTS))
        return draw(damaged(content)), kind
    if way == "value":
        kind, content = draw(st.sampled_from(STRUCTURES))
        return json.dumps(draw(rewritten(content))).encode(), kind
    if way == "cell":
        kind, content = draw(st.sampled_from(TABLES))
        return draw(recelled(content)), kind
    if way == "Parquet":
        return draw(refooted(PARQUET)), "hub-snapshot"
    if way == "archive":
        return draw(reheaded()), "hub-tree"
    _, content = draw(st.sampled_from(TEXTS))
    return content, draw(st.sampled_from(KINDS))


@FEW
@given(data=st.data())
def test_other_values_in_the_cells(
    data: st.DataObject, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    kind, content = data.draw(st.sampled_from(TABLES))
    attempt(data.draw(recelled(content)), kind)


@FEW
@given(content=refooted(PARQUET))
def test_parquet_with_a_damaged_footer(
    content: bytes, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    attempt(content, "hub-snapshot")


@FEW
@given(content=reheaded())
def test_archive_with_odd_headers(
    content: bytes, attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    attempt(content, "hub-tree")


#: Seconds of work after which a small file counts as a hang, however busy the machine is.
PATIENCE = 20


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers are of Unix")
@settings(FEW, max_examples=12_000)
@given(made=any_file())
def test_thousands_of_damaged_files(
    made: tuple[bytes, str], attempt: Callable[[bytes, str], Snapshot | None]
) -> None:
    """Twelve thousand files: none raises anything else, none hangs."""

    def hangs(*_: object) -> None:
        raise AssertionError(f"no answer after {PATIENCE} seconds of work")

    before = signal.signal(signal.SIGPROF, hangs)
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        attempt(*made)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
