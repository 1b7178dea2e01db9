"""Declared relations out of tables of every kind: what is read, cleaned and counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw, snapshot
from analysis.errors import InputError
from analysis.snapshot import FIELDS, intake, lineage
from analysis.snapshot import families as families_module

FAMILIES = families_module.parse(raw.declared("families"))

Row = tuple[str, str, str | None]


def edges(*rows: Row) -> pd.DataFrame:
    columns = ["repository_id", "base_id", "base_relation"]
    return pd.DataFrame(list(rows), columns=columns, dtype="string")


def repositories(**columns: list[Any]) -> pd.DataFrame:
    """Rows of a snapshot with the schema's own types."""
    return pd.DataFrame(
        {
            name: pd.Series(pd.array(values, dtype=FIELDS[name].pandas_dtype))
            for name, values in columns.items()
        }
    )


def got(frame: pd.DataFrame, **more: Any) -> tuple[list[Row], lineage.Report]:
    found = lineage.of(frame, FAMILIES, **more)
    table = found.graph.relations()
    pd.testing.assert_frame_equal(table, lineage.relations(frame, FAMILIES, **more))
    assert [str(kind) for kind in table.dtypes] == ["string"] * 3
    texts = table.astype("object").where(table.notna(), None)
    return list(texts.itertuples(index=False, name=None)), found.report


class TestEdgeLists:
    def test_relations_come_in_the_order_of_the_list_with_the_four_words(self) -> None:
        rows, report = got(
            edges(
                ("b/x", "a/y", "Finetuned"),
                ("a/z", "a/y", "quantised"),
                ("c/w", "b/x", " merged "),
                ("c/w", "a/y", "adapter"),
                ("d/v", "a/y", None),
            )
        )
        assert rows == [
            ("b/x", "a/y", "finetune"),
            ("a/z", "a/y", "quantized"),
            ("c/w", "b/x", "merge"),
            ("c/w", "a/y", "adapter"),
            ("d/v", "a/y", None),
        ]
        assert (report.derivatives, report.bases, report.several_parents) == (4, 2, 1)
        assert report.unknown_bases is None
        assert report.unknown_base_share is None

    def test_repeats_self_loops_and_odd_words_are_counted(self) -> None:
        rows, report = got(
            edges(
                ("b/x", "a/y", "finetune"),
                ("b/x", "a/y", "finetune"),
                ("b/x", "a/y", None),
                ("b/x", "a/y", "merge"),
                ("a/y", "a/y", "merge"),
                ("c/z", "a/y", "distilled"),
                ("c/z", "", "merge"),
            )
        )
        # The statement without a relation says nothing that the others do not.
        assert rows == [
            ("b/x", "a/y", "finetune"),
            ("b/x", "a/y", "merge"),
            ("c/z", "a/y", None),
        ]
        assert (report.stated, report.relations, report.duplicates) == (7, 3, 1)
        assert (report.self_loops, report.unknown_words, report.without_id) == (1, 1, 1)

    def test_a_renamed_organisation_is_one_repository_at_both_ends(self) -> None:
        rows, report = got(
            edges(("THUDM/glm-4", "zai-org/glm-4-base", None), ("x/y", "THUDM/glm-4-base", None))
        )
        assert rows == [
            ("zai-org/glm-4", "zai-org/glm-4-base", None),
            ("x/y", "zai-org/glm-4-base", None),
        ]
        assert report.renamed == 2

    def test_letter_case_follows_the_repository_itself(self) -> None:
        # The name is written small three times; the repository itself stands under capitals.
        rows, report = got(
            edges(
                *((f"x/{i}", "qwen/qwen2.5-7b-instruct", None) for i in range(3)),
                ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-7B", None),
            )
        )
        assert {base for _, base, _ in rows[:3]} == {"Qwen/Qwen2.5-7B-Instruct"}
        assert report.other_case == 1

    def test_letter_case_of_an_absent_base_follows_the_most_frequent_spelling(self) -> None:
        often = [("x/1", "A/Name", None), ("x/2", "A/Name", None), ("x/3", "a/name", None)]
        assert {base for _, base, _ in got(edges(*often))[0]} == {"A/Name"}
        assert {base for _, base, _ in got(edges(*often[::-1]))[0]} == {"A/Name"}
        # Of equals the first in the alphabet: capitals come before small letters.
        even = [("x/1", "a/name", None), ("x/2", "a/Name", None)]
        assert {base for _, base, _ in got(edges(*even))[0]} == {"a/Name"}
        assert {base for _, base, _ in got(edges(*even[::-1]))[0]} == {"a/Name"}

    def test_a_pair_that_differs_by_case_alone_is_a_self_loop(self) -> None:
        rows, report = got(edges(("A/Model", "a/model", "finetune")))
        assert rows == []
        assert (report.self_loops, report.relations, report.derivatives) == (1, 0, 0)

    def test_ids_are_trimmed_and_odd_ones_are_kept_and_counted(self) -> None:
        rows, report = got(
            edges(
                (" x/1", "a/y ", None),
                ("x/2", "./models/local", None),
                ("x/3", "gpt2", None),
                ("x/4", "<script>/=cmd()", None),
                ("x/5", "ä/ö", None),
            )
        )
        assert [base for _, base, _ in rows] == [
            "a/y",
            "./models/local",
            "gpt2",
            "<script>/=cmd()",
            "ä/ö",
        ]
        assert (report.broken, report.without_organisation) == (3, 1)

    def test_known_repositories_tell_which_bases_are_unknown(self) -> None:
        frame = edges(("x/1", "a/y", None), ("x/2", "a/y", None), ("x/3", "b/z", None))
        known = pd.Series(["A/Y"], dtype="string")
        rows, report = got(frame, repositories=known)
        assert rows[0][1] == "A/Y"
        assert (report.unknown_bases, report.unknown_relations) == (1, 1)
        assert report.unknown_base_share == pytest.approx(1 / 3)

    def test_cycles_are_counted(self) -> None:
        frame = edges(("a/1", "a/2", None), ("a/2", "a/3", None), ("a/3", "a/1", None))
        more = edges(("b/1", "b/2", None), ("b/2", "b/1", None), ("c/1", "a/1", None))
        _, report = got(pd.concat([frame, more]))
        assert (report.cycles, report.on_cycles) == (2, 5)


class TestSnapshots:
    def test_both_spellings_of_tags_and_the_field_make_one_relation(self) -> None:
        frame = repositories(
            repository_id=["x/1", "a/y"],
            base_models=[["a/y"], None],
            base_relation=["quantized", None],
            tags=[["license:mit", "base_model:a/y", "base_model:quantized:a/y"], ["en"]],
        )
        rows, report = got(frame)
        assert rows == [("x/1", "a/y", "quantized")]
        assert (report.stated, report.duplicates, report.disagreeing) == (3, 0, 0)
        assert (report.unknown_bases, report.unknown_relations) == (0, 0)

    def test_several_bases_may_have_relations_of_their_own(self) -> None:
        frame = repositories(
            repository_id=["x/1"],
            base_models=[["a/y", "a/z", "a/w"]],
            base_relation=["merge"],
            tags=[["base_model:adapter:a/z", "base_model:a/z", "base_model:merge:a/y"]],
        )
        rows, report = got(frame)
        assert sorted(rows) == [
            ("x/1", "a/w", "merge"),
            ("x/1", "a/y", "merge"),
            ("x/1", "a/z", "adapter"),
        ]
        assert (report.disagreeing, report.several_parents) == (1, 1)

    @pytest.mark.parametrize(
        ("tags", "want"),
        [
            (["base_model:a/y"], [("x/1", "a/y", None)]),
            (["base_model:merge:a/y", "base_model:a/y"], [("x/1", "a/y", "merge")]),
            (["base_model:distilled:a/y"], [("x/1", "a/y", None)]),
            (["base_model:"], []),
            (["base_model:finetune:"], []),
            (["base_models:a/y", "xbase_model:a/y"], []),
            ([], []),
            (None, []),
        ],
        ids=str,
    )
    def test_tags_alone(self, tags: list[str] | None, want: list[Row]) -> None:
        assert got(repositories(repository_id=["x/1"], tags=[tags]))[0] == want

    def test_a_relation_of_the_field_stands_where_tags_name_the_base_alone(self) -> None:
        frame = repositories(
            repository_id=["x/1"],
            base_models=[["a/y"]],
            base_relation=["finetune"],
            tags=[["base_model:a/y"]],
        )
        assert got(frame)[0] == [("x/1", "a/y", "finetune")]

    def test_lists_of_plain_python_and_missing_relations_are_taken(self) -> None:
        frame = pd.DataFrame({"repository_id": ["x/1", "x/2"], "base_models": [["a/y", "b/z"], []]})
        assert got(frame)[0] == [("x/1", "a/y", None), ("x/1", "b/z", None)]

    def test_unknown_bases_are_those_without_a_row(self) -> None:
        frame = repositories(
            repository_id=["x/1", "x/2", "A/y"], base_models=[["a/y"], ["b/z"], None]
        )
        rows, report = got(frame)
        assert rows == [("x/1", "A/y", None), ("x/2", "b/z", None)]
        assert (report.unknown_bases, report.unknown_relations) == (1, 1)

    def test_a_table_in_many_pieces_is_one_table(self) -> None:
        one = repositories(repository_id=["x/1", "x/2"], base_models=[["a/y"], None])
        two = repositories(repository_id=["x/3", "x/1"], base_models=[["a/y"], ["c/v"]])
        both = pd.concat([one, two], ignore_index=True)
        assert got(both)[0] == [("x/1", "a/y", None), ("x/3", "a/y", None), ("x/1", "c/v", None)]


class TestFaults:
    @pytest.mark.parametrize(
        ("columns", "word"),
        [({"base_id": ["a/y"]}, "repository_id"), ({"repository_id": ["a/y"]}, "no bases")],
    )
    def test_a_table_without_the_columns_is_refused(
        self, columns: dict[str, list[str]], word: str
    ) -> None:
        with pytest.raises(InputError, match=word):
            lineage.of(pd.DataFrame(columns), FAMILIES)

    def test_an_empty_table_has_no_relation(self) -> None:
        rows, report = got(edges())
        assert rows == []
        assert report.relations == 0
        assert report.notes() == ("distinct relations: 0, of derivatives: 0, to bases: 0",)


def test_notes_say_what_was_met_and_nothing_else() -> None:
    report = got(edges(("x/1", "a/y", None), ("a/y", "x/1", None), ("a/y", "A/y", None)))[1]
    assert report.notes() == (
        "distinct relations: 2, of derivatives: 2, to bases: 2",
        "statements that name the repository itself, left out: 1",
        "repositories that descend from themselves: 2",
        "ids in another letter case than the repository they name: 1",
    )


class TestCopies:
    def test_a_copy_is_the_base_that_it_declares(self) -> None:
        frame = edges(
            ("unsloth/Qwen2.5-7B", "Qwen/Qwen2.5-7B", "finetune"),
            ("unsloth/Qwen2.5-7B-GGUF", "unsloth/Qwen2.5-7B", "quantized"),
            ("x/1", "unsloth/Qwen2.5-7B-GGUF", "adapter"),
            ("x/2", "unsloth/Qwen2.5-7B", "finetune"),
            ("x/3", "bartowski/Qwen2.5-7B-GGUF", "merge"),
        )
        graph, copies = lineage.of(frame, FAMILIES).graph.with_copies_resolved(FAMILIES)
        rows = graph.relations().itertuples(index=False, name=None)
        assert list(rows) == [
            ("x/1", "Qwen/Qwen2.5-7B", "adapter"),
            ("x/2", "Qwen/Qwen2.5-7B", "finetune"),
            ("x/3", "bartowski/Qwen2.5-7B-GGUF", "merge"),
        ]
        assert [graph.ids[i].as_py() for i in copies.nonzero()[0]] == ["bartowski/Qwen2.5-7B-GGUF"]

    def test_of_several_bases_the_first_by_name_is_taken(self) -> None:
        frame = edges(
            ("unsloth/Qwen2.5-7B", "Qwen/Qwen3-8B", None),
            ("unsloth/Qwen2.5-7B", "Qwen/Qwen2.5-7B", None),
            ("x/1", "unsloth/Qwen2.5-7B", None),
        )
        graph, _ = lineage.of(frame, FAMILIES).graph.with_copies_resolved(FAMILIES)
        rows = list(graph.relations().itertuples(index=False, name=None))
        assert [row[:2] for row in rows] == [("x/1", "Qwen/Qwen2.5-7B")]


ids = st.text(alphabet="aAbB/ -.é", max_size=5)
words = st.sampled_from(["finetune", "Merged", "odd", None])


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(ids, ids, words), max_size=12))
def test_reading_relations_again_changes_nothing(rows: list[Row]) -> None:
    once = lineage.of(edges(*rows), FAMILIES)
    table = once.graph.relations()
    again = lineage.of(table, FAMILIES)
    pd.testing.assert_frame_equal(table, again.graph.relations())
    assert again.report.duplicates == again.report.self_loops == again.report.without_id == 0
    # No two ids are left that the Hub would take for one.
    names = set(table["repository_id"]) | set(table["base_id"])
    assert len({name.lower() for name in names}) == len(names)
    assert once.report.stated == len(rows)


ODD_LISTS = {
    "plain": "source,target,edge\na/y,b/x,merged\na/y,b/z,\n",
    "odd words": "source,target,edge\na/y,b/x,distilled\na/y,b/x,merged\na/y,a/y,Merged \n",
    "cards": 'child_model,base_model\nb/x,"- a/y\n- a/z"\nb/z,unknown\nb/w,t5-small\n',
    "quotes": 'source,target,edge\n"a/""y""",b/x,merged\na/y,"b/x",merged\n',
    "a mark and lines of Windows": "\ufeffsource,target,edge\r\na/y,b/x,merged\r\n",
    "blank lines": "source,target,edge\n\na/y,b/x,merged\n\n",
    "no relation": " source ,target\na/y,b/x\n",
    "numbers": "source,target,edge\n1,2,3\n1,4,5\n",
    "missing ends": "source,target,edge\n,b/x,merged\na/y,,merged\na/y,b/x,merged\n",
    "no end": "source,target,edge\na/y,b/x,merged",
    "too many fields": "source,target,edge\na/y,b/x,merged,1\n",
    "too few fields": "source,target,edge\na/y,b/x\n",
    "a column twice": "source,target,source\na/y,b/x,c/z\n",
    "other columns": "from,to\na/y,b/x\n",
    "an open quote": 'source,target,edge\n"a/y,b/x,merged\n',
    "header alone": "source,target,edge\n",
    "not UTF-8": b"source,target,edge\na/\xff,b/x,merged\n",
    "a null byte": b"source,target,edge\na/\0y,b/x,merged\n",
}


@pytest.mark.parametrize("name", ODD_LISTS)
def test_a_large_list_is_read_as_a_small_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large files take another way in: table, notes and errors must be the same."""
    path = tmp_path / "edges.csv"
    content = ODD_LISTS[name]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def read() -> snapshot.Snapshot | str:
        try:
            return snapshot.read(path, "lineage-edges")
        except InputError as error:
            return str(error)

    small = read()
    monkeypatch.setattr(intake, "LARGE_CSV", 0)
    large = read()
    if isinstance(small, str) or isinstance(large, str):
        assert small == large
        return
    pd.testing.assert_frame_equal(small.frame, large.frame)
    assert (small.layout, small.problems) == (large.layout, large.problems)
    assert name != "plain" or intake.parse_large_csv(path.read_bytes()) is not None


def test_a_real_list_is_read_the_same_by_both_ways(
    raw_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("lineage-2025-06", "lineage-open-2025-10"):
        path = raw_path(version)
        small = snapshot.read(path, "lineage-edges")
        with monkeypatch.context() as patch:
            patch.setattr(intake, "LARGE_CSV", 0)
            assert intake.parse_large_csv(path.read_bytes()) is not None
            large = snapshot.read(path, "lineage-edges")
        pd.testing.assert_frame_equal(small.frame, large.frame)
        assert small.problems == large.problems
