"""Readers of declared relations: golden numbers on the real files, and files made to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.snapshot import Snapshot, read
from analysis.snapshot.relations import RELATIONS, declared_ids

PathOf = Callable[[str], Path]


def file(folder: Path, content: str) -> Path:
    path = folder / "file.csv"
    path.write_text(content, encoding="utf-8")
    return path


def pairs(found: Snapshot) -> list[tuple[str, str]]:
    return list(zip(found.frame["repository_id"], found.frame["base_id"], strict=True))


# --------------------------------------------------------------------------------- real files


def test_slice_of_june_2025(raw_path: PathOf) -> None:
    found = read(raw_path("lineage-2025-06"), "lineage-edges")
    assert (found.layout, len(found.frame)) == ("typed-edges", 30_383)
    assert found.frame["base_relation"].value_counts().to_dict() == {
        "finetune": 13_766,
        "quantized": 11_746,
        "merge": 4_577,
        "adapter": 294,
    }
    assert found.problems == ("42 rows name the repository itself as its base; kept",)
    # The base of 33,592 derivatives in the counts of February 2025 has six here.
    assert (found.frame["base_id"] == "Qwen/Qwen1.5-0.5B").sum() == 6


def test_slice_of_october_2025(raw_path: PathOf) -> None:
    found = read(raw_path("lineage-open-2025-10"), "lineage-edges")
    # 6,999 rows: twelve hold an empty list, one the word unknown, all others one base each.
    assert (found.layout, len(found.frame)) == ("card-pairs", 6_999 - 13)
    assert "base_relation" not in found.frame
    assert not found.frame["base_id"].str.startswith("-").any()
    assert ("zkzhang88/OpenCodeEdit-Qwen2.5-7B", "Qwen/Qwen2.5-Coder-7B") in pairs(found)
    bare = ~found.frame["base_id"].str.contains("/")
    assert bare.sum() == 100
    assert found.frame.loc[bare, "base_id"].value_counts().index[0] == "ORIGINAL_REPO_NAME"
    assert found.problems == (
        "13 rows whose base cannot be read as an id dropped; first: 'unknown' at record 1513",
        "100 rows name a base without its organisation, kept as written; first: 't5-small'",
        "13 rows name the repository itself as its base; kept",
    )


def test_counts_of_february_2025(raw_path: PathOf) -> None:
    sums = {}
    for maker in ("qwen", "meta", "google", "deepseek"):
        found = read(raw_path(f"derivative-counts-{maker}-2025-02-18"), "derivative-counts")
        assert found.problems == ()
        frame = found.frame
        assert not frame["derivatives"].isna().any()
        assert (frame.groupby("repository_id")["month"].min() == 0).all()
        last = frame.groupby("repository_id")["derivatives"].last()
        assert (last == frame.groupby("repository_id")["derivatives"].max()).all()
        sums[maker] = (len(last), int(last.sum()))
        if maker == "qwen":
            three = [f"Qwen/Qwen1.5-{size}" for size in ("0.5B", "1.8B", "7B")]
            assert last[three].tolist() == [33_592, 31_736, 7_055]
        if maker == "meta":
            by = last.groupby(last.index.str.split("/").str[0])
            assert by.size().to_dict() == {"facebook": 1_605, "meta-llama": 57}
            assert by.sum().to_dict() == {"facebook": 8_220, "meta-llama": 37_064}
    assert sums == {
        "qwen": (226, 93_668),
        "meta": (1_662, 45_284),
        "google": (421, 47_323),
        "deepseek": (68, 3_832),
    }


def test_roots_of_march_2026(raw_path: PathOf) -> None:
    found = read(raw_path("roots-2026-03"), "lineage-roots")
    assert (len(found.frame), found.problems) == (8_474, ())
    sums = found.frame.groupby("organisation")["derivatives"].sum()
    assert sums[["Qwen", "meta-llama", "deepseek-ai"]].tolist() == [13_241, 8_900, 2_918]
    one = found.frame.set_index("repository_id").loc["Qwen/Qwen3-4B-Instruct-2507"]
    assert (one["derivatives"], one["licence"]) == (6_445, "apache-2.0")
    assert "qwen3" in list(one["tags"])


def test_only_the_columns_asked_for(raw_path: PathOf) -> None:
    path = raw_path("lineage-open-2025-10")
    found = read(path, "lineage-edges", columns=["base_relation"])
    assert list(found.frame.columns) == [
        "repository_id",
        "organisation",
        "base_relation",
        "base_id",
    ]
    assert found.frame["base_relation"].isna().all()


# ------------------------------------------------------------------------------- text of cards


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ("Qwen/Qwen2.5-7B", ("Qwen/Qwen2.5-7B",)),
        ("- Qwen/Qwen2.5-7B", ("Qwen/Qwen2.5-7B",)),
        ("- a/b\n- c/d\n- a/b", ("a/b", "c/d")),
        ("['a/b', \"c/d\"]", ("a/b", "c/d")),
        ("a/b, c/d; e/f", ("a/b", "c/d", "e/f")),
        ('"a/b"', ("a/b",)),
        ("a/b # the base", ("a/b",)),
        ("https://huggingface.co/Qwen/Qwen2-7B/tree/main?x=1", ("Qwen/Qwen2-7B",)),
        ("huggingface.co/gpt2", ("gpt2",)),
        ("gpt2", ("gpt2",)),
        ("_x/y", ("_x/y",)),
        ("[]", ()),
        ("", ()),
        ("-", ()),
        ("n/a", ()),
        ("None", ()),
        ("a fine-tune of Qwen/Qwen2-7B", ()),
        ("a/b, and others too", ()),
        ("/home/someone/model", ()),
        ("./model", ()),
        ("a/b/c", ()),
        ("https://example.org/a/b", ()),
        ("=cmd|' /C calc'!A0", ()),
    ],
)
def test_ids_of_a_card(said: str, ids: tuple[str, ...]) -> None:
    assert declared_ids(said) == ids


@given(
    ids=st.lists(
        st.from_regex(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}/[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True
        ),
        min_size=1,
        max_size=4,
        unique=True,
    ).filter(lambda ids: not any(one.casefold() == "n/a" for one in ids)),
    form=st.sampled_from(["{}", "- {}", '- "{}"', "  * '{}'"]),
)
def test_ids_come_back_from_every_way_to_list_them(ids: list[str], form: str) -> None:
    assert declared_ids("\n".join(form.format(one) for one in ids)) == tuple(ids)
    assert declared_ids("[" + ", ".join(ids) + "]") == tuple(ids)


@given(st.text(max_size=40))
def test_whatever_the_text_only_ids_come_out(text: str) -> None:
    for one in declared_ids(text):
        assert one.count("/") <= 1
        assert not set(one) & set(" \t\n\"'<>=[]")


# ------------------------------------------------------------------------------------- faults


def test_relations_are_normalised_and_unknown_ones_noted(tmp_path: Path) -> None:
    rows = [f"a/b,c/{place},{word}" for place, word in enumerate(sorted(RELATIONS))]
    found = read(
        file(
            tmp_path,
            "source,target,edge\n" + "\n".join([*rows, "a/b,c/x,Cousin", "a/b,c/y,"]) + "\n",
        ),
        "lineage-edges",
    )
    assert set(found.frame["base_relation"].dropna()) == {
        "adapter",
        "finetune",
        "merge",
        "quantized",
    }
    assert found.frame["base_relation"].isna().sum() == 2
    assert found.problems == (
        (
            "1 row with a relation that is none of the Hub's four, set to null; first: 'Cousin' "
            "at record 9"
        ),
    )


def test_pairs_repeated_several_and_missing(tmp_path: Path) -> None:
    content = (
        'child_model,base_model\na/b,c/d\na/b,c/d\n,c/d\ne/f,\ng/h,"x/y, z/w"\ni/j,we made it\n'
    )
    found = read(file(tmp_path, content), "lineage-edges")
    assert pairs(found) == [("a/b", "c/d"), ("g/h", "x/y"), ("g/h", "z/w")]
    assert found.problems == (
        "1 row without a repository id dropped; first: record 3",
        "2 rows whose base cannot be read as an id dropped; first: '' at record 4",
        "1 row declares more than one base",
        "1 row repeats a pair; the first is kept",
    )


def test_counts_that_fall_stop_or_repeat(tmp_path: Path) -> None:
    content = (
        "model,0-month,1-month,2-month,3-month,mu_i\n"
        "a/falls,0,9.0,7.0,,0.5\n"
        "a/gap,0,,4,5,\n"
        "a/empty,,,,,\n"
        "a/twice,0,1,,,\n"
        "a/twice,0,3,,,\n"
        "a/odd,0,2.5,-1,8,\n"
    )
    found = read(file(tmp_path, content), "derivative-counts")
    last = found.frame.groupby("repository_id")["derivatives"].last()
    assert last.to_dict() == {"a/falls": 7, "a/gap": 5, "a/odd": 8, "a/twice": 3}
    assert list(found.frame.loc[found.frame["repository_id"] == "a/gap", "month"]) == [0, 2, 3]
    assert found.problems == (
        "column '1-month': 1 value set to null (1 not a number); first: '2.5' at record 6",
        "column '2-month': 1 value set to null (1 negative); first: '-1' at record 6",
        "1 row without any count dropped",
        "months without a count before a base's last one: 3",
        "1 row repeats a base; the largest count is kept; first: 'a/twice'",
        "counts below the month before, though they run up: 1; kept; first: 'a/falls'",
    )


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("lineage-edges", "x,y\n1,2\n", "no column 'target'"),
        ("lineage-edges", "child_model,x\na/b,2\n", "no column 'base_model'"),
        ("lineage-edges", "child_model,base_model\na/b,[]\n", "no row names a base"),
        ("lineage-edges", "source,target\na/b,c/d,e\n", "line 2 has 3 fields"),
        ("derivative-counts", "model,mu_i\na/b,1\n", "no column of counts such as '1-month'"),
        ("derivative-counts", "model,1-month\na/b,\n", "hold no count"),
        ("derivative-counts", "name,1-month\na/b,3\n", "no column 'model'"),
        ("lineage-roots", "model_id,downloads\na/b,1\n", "no column 'out_degree'"),
        ("lineage-roots", "model_id,out_degree\na/b,many\n", "holds nothing usable"),
    ],
)
def test_a_file_of_another_shape_is_one_clear_error(
    kind: str, content: str, message: str, tmp_path: Path
) -> None:
    path = file(tmp_path, content)
    with pytest.raises(InputError, match=message) as caught:
        read(path, kind)
    assert str(caught.value).startswith(str(path))


def test_roots_without_tags_have_no_licence(tmp_path: Path) -> None:
    found = read(file(tmp_path, "model_id,out_degree\na/b,5\n"), "lineage-roots")
    assert "licence" not in found.frame
    asked = read(tmp_path / "file.csv", "lineage-roots", columns=["licence"])
    assert asked.frame["licence"].isna().all()
    assert pd.isna(asked.frame["licence"].iloc[0])
