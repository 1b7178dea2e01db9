"""``derivatives`` and ``inspect`` for lineage: what machines may rely on, and clear errors."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis import commands, raw
from tests.test_commands import Capture, as_json, fails

EDGES = b"source,target,edge\nQwen/Qwen3-8B,a/one,finetuned\nQwen/Qwen3-8B,a/two,merged\n"
KINDS = ("lineage-edges", "lineage-roots", "derivative-counts", "hub-tree")


def check_contract(result: dict[str, Any]) -> None:
    """Hold what every answer must hold, whatever the file and the rule."""
    assert result["count"] in ("direct", "transitive")
    assert set(result["relations"]) <= {"finetune", "adapter", "quantized", "merge", "undeclared"}
    assert isinstance(result["problems"], list)
    assert result["rule"]["family_rule"] in ("official", "organisation", "with-reuploads")
    for group in ("families", "organisations"):
        assert result[group]
        sizes = [part["derivatives"] for part in result[group].values()]
        assert sizes == sorted(sizes, reverse=True)
        for part in result[group].values():
            ends = [part[end] for end in ("lower", "derivatives", "upper") if part[end] is not None]
            assert ends == sorted(ends)
            assert (part["bases"] > 0) == (part["derivatives"] > 0)


def summed(result: dict[str, Any], *names: str) -> list[float]:
    return [result["families"][name]["derivatives"] for name in names]


@pytest.mark.usefixtures("mirror")
class TestDerivatives:
    def test_direct_derivatives_of_june_2025_as_counted_by_hand(self, capsys: Capture) -> None:
        result = as_json(
            capsys, "derivatives", "--snapshot", "lineage-2025-06", "--count", "direct"
        )
        check_contract(result)
        assert summed(result, "Qwen", "Llama", "DeepSeek") == [3005, 2339, 292]
        assert result["organisations"]["meta-llama"]["derivatives"] == 2311
        assert result["organisations"]["codellama"]["derivatives"] == 29
        qwen = result["families"]["Qwen"]
        assert qwen["relations"] == {
            "finetune": 1315,
            "adapter": 38,
            "quantized": 1550,
            "merge": 102,
            "undeclared": 0,
        }
        assert (result["stated_relations"], result["distinct_relations"]) == (30_383, 30_341)
        assert result["unknown_base_share"] is None
        assert result["concentration"]["Qwen"]["top"][0] == {
            "repository_id": "Qwen/Qwen2.5-7B-Instruct",
            "derivatives": 193,
            "share": pytest.approx(193 / 3082),
        }
        # A repository with two bases hangs on both.
        assert result["concentration"]["Qwen"]["derivatives"] == 3082

    def test_transitive_derivatives_turn_the_order_round(self, capsys: Capture) -> None:
        argv = ("derivatives", "--snapshot", "lineage-2025-06", "--count", "transitive")
        result = as_json(capsys, *argv)
        check_contract(result)
        assert summed(result, "Llama", "Qwen", "DeepSeek") == [6233, 5127, 720]
        assert "concentration" not in result

    @pytest.mark.parametrize(
        "more",
        [
            ("--without-quantized",),
            ("--relation", "adapter", "merge"),
            ("--without-own", "--one-per-author"),
            ("--merges", "fractional", "--count", "transitive"),
            ("--resolve-reuploads", "--family-rule", "organisation"),
            ("--min-downloads", "100", "--downloads-from", "hub-stats-2026-05"),
            ("--through", "chosen", "--count", "transitive", "--without-quantized"),
        ],
        ids=" ".join,
    )
    def test_the_contract_holds_for_every_choice(
        self, capsys: Capture, more: tuple[str, ...]
    ) -> None:
        plain = as_json(capsys, "derivatives", "--snapshot", "lineage-2025-06")
        result = as_json(capsys, "derivatives", "--snapshot", "lineage-2025-06", *more)
        check_contract(result)
        if "transitive" not in more and "--resolve-reuploads" not in more:
            for family, part in result["families"].items():
                assert part["upper"] <= plain["families"][family]["upper"]

    def test_an_unknown_counter_is_an_interval(self, capsys: Capture) -> None:
        argv = ("derivatives", "--snapshot", "lineage-2025-06", "--min-downloads", "10")
        result = as_json(capsys, *argv)
        qwen = result["families"]["Qwen"]
        assert (qwen["lower"], qwen["upper"]) == (0, 3005)
        assert any("no counter" in text for text in result["problems"])
        assert commands.main([*argv, "--downloads-from", "hub-stats-2026-05"]) == 0
        assert " to " in capsys.readouterr().out

    def test_the_cut_of_may_2026_has_counters_of_its_own(self, capsys: Capture) -> None:
        argv = ("derivatives", "--snapshot", "hub-stats-2026-05", "--min-downloads", "10")
        for measure in ("downloads_30d", "downloads_all_time"):
            result = as_json(capsys, *argv, "--measure", measure)
            check_contract(result)
            assert result["families"]["Qwen"]["lower"] == result["families"]["Qwen"]["upper"]
        assert result["unknown_base_share"] == pytest.approx(1456 / 5195)

    @pytest.mark.slow
    def test_the_week_of_august_2026(self, capsys: Capture) -> None:
        result = as_json(capsys, "derivatives", "--snapshot", "radar-2026-08-22")
        check_contract(result)
        assert summed(result, "Qwen", "Llama", "DeepSeek") == [2530, 183, 98]

    def test_counts_of_four_makers_are_one_reading(self, capsys: Capture) -> None:
        result = as_json(capsys, "derivatives", "--snapshot", "derivative-counts")
        check_contract(result)
        assert summed(result, "Qwen", "Gemma", "Llama", "DeepSeek") == [93668, 43284, 37055, 3832]
        assert set(result["families"]) == {"Qwen", "Gemma", "Llama", "DeepSeek"}
        qwen = result["concentration"]["Qwen"]
        assert qwen["bases"] == 226
        assert sum(base["derivatives"] for base in qwen["top"][:3]) == 72_383
        assert qwen["top_3_share"] == pytest.approx(72_383 / 93_668)
        assert qwen["bases_that_carry_half"] == 2
        assert set(qwen["bulk_uploads"]) >= {base["repository_id"] for base in qwen["top"][:3]}
        assert qwen["derivatives_without_bulk"] < 93_668 - 72_383 + 1
        alone = as_json(capsys, "derivatives", "--snapshot", "derivative-counts-qwen-2025-02-18")
        assert alone["families"] == {"Qwen": result["families"]["Qwen"]}

    def test_roots_are_lower_bounds(self, capsys: Capture) -> None:
        result = as_json(capsys, "derivatives", "--snapshot", "roots-2026-03")
        check_contract(result)
        organisations = result["organisations"]
        names = ("Qwen", "meta-llama", "deepseek-ai")
        assert [organisations[name]["derivatives"] for name in names] == [13241, 8900, 2918]
        assert result["families"]["Qwen"]["upper"] is None
        assert commands.main(["derivatives", "--snapshot", "roots-2026-03"]) == 0
        assert "at least 13,241" in capsys.readouterr().out

    def test_for_people(self, capsys: Capture) -> None:
        assert commands.main(["derivatives", "--snapshot", "derivative-counts"]) == 0
        got = capsys.readouterr()
        assert "up to 93,668" in got.out
        assert "77.3 %" in got.out
        assert "bulk upload by the declared rule: Qwen/Qwen1.5-0.5B (Qwen)" in got.out
        assert got.err == ""

    @pytest.mark.parametrize(
        ("argv", "words"),
        [
            (("--snapshot", "derivative-counts", "--count", "transitive"), "--count transitive"),
            (("--snapshot", "roots-2026-03", "--without-quantized"), "--without-quantized"),
            (("--snapshot", "top30"), "26 versions of different days"),
            (("--snapshot", "modelpulse"), "no file of it is registered"),
            (("--snapshot", "nothing"), "nothing"),
            (("--snapshot", "tracked-2026-05-25"), "declares no bases"),
            (("--snapshot", "top30-2026-02-28"), "no repository in it declares a base"),
            (
                ("--snapshot", "lineage-2025-06", "--relation", "quantized", "--without-quantized"),
                "leaves nothing",
            ),
            (("--snapshot", "lineage-2025-06", "--downloads-from", "x"), "--min-downloads"),
            (
                (
                    *("--snapshot", "lineage-2025-06", "--min-downloads", "5"),
                    *("--downloads-from", "tracked-2026-05-25"),
                ),
                "holds no counter",
            ),
            (
                (
                    *("--snapshot", "lineage-2025-06", "--min-downloads", "5"),
                    *("--downloads-from", "makers-2025-10-12", "--measure", "downloads_all_time"),
                ),
                "no counter",
            ),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
    )
    def test_a_question_without_an_answer_is_one_line(
        self, capsys: Capture, argv: tuple[str, ...], words: str
    ) -> None:
        assert words in fails(capsys, "derivatives", *argv)

    @pytest.mark.parametrize("value", ["-1", "ten", "1.5"])
    def test_a_minimum_is_a_whole_number(self, capsys: Capture, value: str) -> None:
        with pytest.raises(SystemExit) as stopped:
            commands.main(["derivatives", "--snapshot", "x", f"--min-downloads={value}"])
        assert stopped.value.code == 2
        assert "whole number" in capsys.readouterr().err


class TestInspect:
    @pytest.mark.parametrize(
        ("version", "more"),
        [
            ("lineage-2025-06", ("--count", "transitive", "--without-own")),
            ("lineage-open-2025-10", ()),
            ("derivative-counts-meta-2025-02-18", ()),
            pytest.param("roots-2026-03", (), marks=pytest.mark.slow),
            pytest.param("radar-2026-08-22", ("--without-quantized",), marks=pytest.mark.slow),
        ],
    )
    def test_a_file_says_what_its_version_says(
        self,
        capsys: Capture,
        raw_path: Callable[[str], Path],
        version: str,
        more: tuple[str, ...],
    ) -> None:
        path = raw_path(version)
        kind = raw.load_registry().find(version)[0].kind
        known = as_json(capsys, "derivatives", "--snapshot", version, *more)
        found = as_json(capsys, "inspect", str(path), "--kind", kind, *more)
        assert found["snapshot"] == found["file"] == str(path)
        assert found["kind"] == kind
        for key in known.keys() - {"snapshot"}:
            assert found[key] == known[key], key
        assert commands.main(["inspect", str(path), "--kind", kind, *more]) == 0
        assert f"kind {kind}, layout {found['layout']}" in capsys.readouterr().out

    def test_a_file_of_ones_own(self, capsys: Capture, tmp_path: Path) -> None:
        path = tmp_path / "edges.csv"
        path.write_bytes(EDGES)
        result = as_json(capsys, "inspect", str(path), "--kind", "lineage-edges")
        assert result["families"]["Qwen"]["derivatives"] == 2
        assert result["families"]["Qwen"]["bases"] == 1

    def test_merges_in_parts_are_shown_with_a_digit(self, capsys: Capture, tmp_path: Path) -> None:
        path = tmp_path / "edges.csv"
        path.write_bytes(EDGES + b"x/y,a/two,merged\n")
        argv = ("inspect", str(path), "--kind", "lineage-edges", "--merges", "fractional")
        assert as_json(capsys, *argv)["families"]["Qwen"]["derivatives"] == 1.5
        assert commands.main(list(argv)) == 0
        assert "1.5" in capsys.readouterr().out


def archive(content: bytes, name: str = "top/data/a/b.json") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


BOMB = gzip.compress(bytes(50_000_000))
WHOLE = archive(b'{"id": "a/b", "created_at": "2026-08-20T00:00:00Z", "tags": ["en"]}')

BAD = {
    "empty": b"",
    "white space": b" \n\n",
    "not UTF-8": b"source,target,edge\n\xff\xfe,a/b,merged\n",
    "other columns": b"from,to\na/b,c/d\n",
    "header alone": b"source,target,edge\n",
    "cut off in a row": EDGES + b"Qwen/Qwen3-8B,a/thr",
    "cut off in a quote": EDGES + b'"Qwen/Qwen3',
    "a spreadsheet": b"PK\x03\x04" + bytes(100),
    "a tar cut off": WHOLE[: len(WHOLE) // 2],
    "a tar of nothing": archive(b"", "top/README.md"),
    "a tar without bases": WHOLE,
    "a bomb": BOMB,
    "a bomb in a tar": archive(bytes(50_000_000)),
    "null bytes": bytes(1000),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BAD, ids=str)
def test_a_bad_file_is_one_line_and_status_2(
    capsys: Capture, tmp_path: Path, kind: str, name: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(BAD[name])
    message = fails(capsys, "inspect", str(path), "--kind", kind)
    assert str(path) in message
    assert len(message) < 600


def test_a_missing_file_and_a_folder_are_one_line(capsys: Capture, tmp_path: Path) -> None:
    for kind in KINDS:
        assert "no such file" in fails(capsys, "inspect", str(tmp_path / "x"), "--kind", kind)
        assert str(tmp_path) in fails(capsys, "inspect", str(tmp_path), "--kind", kind)


def test_the_help_teaches_by_examples(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stopped:
        commands.main(["derivatives", "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    for word in ("examples:", "--count transitive", "--resolve-reuploads", "--one-per-author"):
        assert word in text
