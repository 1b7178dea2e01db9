"""The reader of a whole commit with one file a repository: real archive, made-up faults."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.snapshot import limits, read
from analysis.snapshot.tree import declared_in_tags


@pytest.fixture(scope="module")
def week(raw_path: Callable[[str], Path]) -> pd.DataFrame:
    return read(raw_path("radar-2026-08-22"), "hub-tree").frame


def test_the_tree_of_august_2026_is_read_whole(week: pd.DataFrame) -> None:
    assert len(week) == 15_904
    assert week["repository_id"].is_unique
    assert week["repository_id"].is_monotonic_increasing
    new = week[(week["created_at"] >= "2026-08-14") & (week["created_at"] < "2026-08-23")]
    assert len(new) == 13_119
    # One more than counted by hand, where a path of a disk of Windows was no base.
    assert int(new["base_models"].notna().sum()) == 6_960
    one = week.set_index("repository_id").loc["openai-community/gpt2"]
    assert (one["downloads_30d"], one["likes"], one["licence"]) == (14_313_440, 3_411, "mit")
    assert list(one["languages"]) == ["en"]
    assert not one["gated"]
    assert not one["removed"]
    assert pd.isna(one["base_relation"])


def test_relations_come_from_the_tags(week: pd.DataFrame) -> None:
    one = week.set_index("repository_id").loc["xiaomi-research/MiLMMT-46-4B-v1.0"]
    assert list(one["base_models"]) == ["xiaomi-research/MiLMMT-46-4B-v0.1"]
    assert one["base_relation"] == "finetune"
    known = {"finetune", "adapter", "quantized", "merge"}
    assert set(week["base_relation"].dropna()) == known
    # A base is either the Hub's or the card's, never both.
    assert not (week["base_models"].notna() & week["base_text"].notna()).any()


@pytest.mark.parametrize(
    ("tags", "bases", "further"),
    [
        (["base_model:a/b", "base_model:finetune:a/b"], {"a/b": "finetune"}, 0),
        (["base_model:merge:a/b", "base_model:a/b"], {"a/b": "merge"}, 0),
        (["base_model:a/b"], {"a/b": None}, 0),
        (["base_model:a/b", "base_model:c"], {"a/b": None, "c": None}, 0),
        (["base_model:adapter:a/b", "base_model:merge:a/b"], {"a/b": "adapter"}, 1),
        (["base_model:odd:a/b"], {"odd:a/b": None}, 0),
        (["base_model:", "base_model:finetune:", "license:mit", 3, None], {}, 0),
        ("base_model:a/b", {}, 0),
        (None, {}, 0),
    ],
)
def test_both_spellings_of_a_base_are_one(
    tags: object, bases: dict[str, Any], further: int
) -> None:
    assert declared_in_tags(tags) == (bases, further)


def row(id: object = "a/b", **more: object) -> dict[str, object]:
    return {"id": id, "created_at": "2026-08-15T00:00:00.000Z", "tags": [], **more}


def archive(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content), kind
            made.addfile(member, io.BytesIO(content))
    return path


def packed(tmp_path: Path, *rows: object) -> Path:
    files = {f"top/data/x/{i}.json": json.dumps(one).encode() for i, one in enumerate(rows)}
    return archive(tmp_path / "made.tar.gz", files)


def test_rows_that_are_no_repository_are_left_out_and_told(tmp_path: Path) -> None:
    got = read(packed(tmp_path, row("b/b"), row("a/a"), [1], "x", row(None)), "hub-tree")
    assert list(got.frame["repository_id"]) == ["a/a", "b/b"]
    assert any("2 files under data/ hold no JSON object" in text for text in got.problems)
    assert "1 row without a repository id dropped" in got.problems


def test_values_that_cannot_be_are_null(tmp_path: Path) -> None:
    bad = row(downloads_30d=-3, likes="many", tags="a", languages=[1, "en"], gated="perhaps")
    got = read(packed(tmp_path, bad, row("c/d", downloads_30d=5, likes=1, gated=True)), "hub-tree")
    first = got.frame.iloc[0]
    assert pd.isna(first["downloads_30d"])
    assert pd.isna(first["likes"])
    assert pd.isna(first["gated"])
    assert list(first["languages"]) == ["en"]


def test_half_a_character_is_no_text(tmp_path: Path) -> None:
    half = json.loads('"\\ud800"')
    bad = row(tags=["x", half, f"base_model:a/{half}"], languages=[half], base_model=half)
    got = read(packed(tmp_path, bad, row(half), row("c/d", license=half)), "hub-tree")
    assert list(got.frame["repository_id"]) == ["a/b", "c/d"]
    assert list(got.frame["tags"].iloc[0]) == ["x"]
    assert got.frame["base_models"].isna().all()
    assert got.frame["base_text"].isna().all()
    assert "tags and languages that are no text, left out: 3" in got.problems
    assert "1 row without a repository id dropped" in got.problems


def test_only_files_of_data_are_read(tmp_path: Path) -> None:
    files = {
        "top/index.json": b"[]",
        "top/data/x/y.md": b"prose",
        "top/data/x/y.json": json.dumps(row()).encode(),
    }
    got = read(archive(tmp_path / "a.tar.gz", files), "hub-tree")
    assert len(got.frame) == 1
    assert got.problems == ()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        link = tarfile.TarInfo("top/data/x/y.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        made.addfile(link)
        one = tarfile.TarInfo("top/data/x/z.json")
        content = json.dumps(row()).encode()
        one.size = len(content)
        made.addfile(one, io.BytesIO(content))
    got = read(path, "hub-tree")
    assert list(got.frame["repository_id"]) == ["a/b"]
    assert got.problems == ("links under data/ that are not followed: 1",)


@pytest.mark.parametrize("name", ["top/../data/x/y.json", "/top/data/x.json"])
def test_names_that_leave_the_commit_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="not a name inside a commit"):
        read(archive(tmp_path / "a.tar.gz", {name: b"{}"}), "hub-tree")


@pytest.mark.parametrize("content", [b"", b"{}", b"\x1f\x8b", b"\x1f\x8bnot gzip at all"])
def test_what_is_no_archive_is_one_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        read(path, "hub-tree")
    assert str(path) in str(raised.value)
    assert "fetch it again" in str(raised.value)


def test_a_cut_archive_is_one_error(tmp_path: Path, raw_path: Callable[[str], Path]) -> None:
    whole = raw_path("radar-2026-08-22").read_bytes()
    path = tmp_path / "a.tar.gz"
    path.write_bytes(whole[: len(whole) // 50])
    with pytest.raises(InputError, match="not a whole"):
        read(path, "hub-tree")


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Synthetic, on purpose: a file far larger than a repository's.
    monkeypatch.setattr(limits, "MEMBER", limits.Limit(1000, "bytes in one file", "a test"))
    with pytest.raises(InputError, match="bytes in one file, more than the 1,000 that are read"):
        read(packed(tmp_path, row(text="x" * 2000)), "hub-tree")
    for name in ("ARCHIVE", "MEMBERS"):
        with monkeypatch.context() as patch:
            patch.setattr(limits, name, limits.Limit(1, "of them", "a test"))
            with pytest.raises(InputError, match="of them, more than the 1 that are read"):
                read(packed(tmp_path, row(), row("c/d")), "hub-tree")


def test_a_sparse_member_without_end_is_one_error(tmp_path: Path) -> None:
    # Synthetic: its size is told in one field as nothing and in another as four exabytes.
    member = tarfile.TarInfo("top/data/a/b.json")
    member.size, member.type = 2**62, tarfile.GNUTYPE_SPARSE
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(512)))
    with pytest.raises(InputError, match="ends within a member"):
        read(path, "hub-tree")


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_bomb_in_a_header_is_refused(tmp_path: Path, form: int) -> None:
    # Synthetic: tarfile holds a long name or a pax record in memory whole, whatever its size.
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=form) as made:
        made.addfile(tarfile.TarInfo("top/data/x/" + "y" * 3_000_000 + ".json"))
    with pytest.raises(InputError, match="a header in it is larger"):
        read(path, "hub-tree")


@pytest.mark.parametrize(
    "record",
    [
        {"GNU.sparse.size": "abc"},
        {"GNU.sparse.map": "a,b", "GNU.sparse.size": "5"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "q"},
    ],
)
def test_headers_that_tarfile_reads_unguarded_are_one_error(
    tmp_path: Path, record: dict[str, str]
) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as made:
        member = tarfile.TarInfo("top/data/x/y.json")
        member.pax_headers = record
        made.addfile(member)
    with pytest.raises(InputError, match="not a whole"):
        read(path, "hub-tree")


def test_the_order_of_the_archive_does_not_matter(tmp_path: Path) -> None:
    rows = [row(f"a/{i}", likes=i, downloads_30d=i) for i in range(5)] + [row("a/1", likes=9)]
    one = read(packed(tmp_path, *rows), "hub-tree").frame
    other = read(packed(tmp_path, *reversed(rows)), "hub-tree").frame
    pd.testing.assert_frame_equal(one, other)


def test_an_empty_commit_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb") as out, tarfile.open(fileobj=out, mode="w"):
        pass
    with pytest.raises(InputError, match="no file data/"):
        read(path, "hub-tree")
