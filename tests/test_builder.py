"""From raw files to ``data/derived``: the same bytes, written whole, with their inputs named."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import builder, raw, tables
from analysis.builder import derived, deriving, loading, writing
from analysis.errors import InputError
from tests.conftest import PROJECT

DERIVED = PROJECT / "data" / "derived"
MANIFEST = json.loads((DERIVED / tables.MANIFEST).read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.usefixtures("mirror")
def test_the_committed_tables_are_what_the_raw_files_give_on_any_machine() -> None:
    """One rebuild proves two things: the bytes, and that no hash seed, zone or locale enters."""
    strange = {"PYTHONHASHSEED": "123", "LC_ALL": "C", "TZ": "Pacific/Kiritimati"}
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "build", "--check", "--json"],
        cwd=PROJECT,
        env={**os.environ, **strange},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {"files": len(MANIFEST["tables"]) + 1, "different": []}


class TestManifest:
    def test_it_lists_every_file_with_its_true_hash_and_size(self) -> None:
        listed = {entry["file"]: entry for entry in MANIFEST["tables"]}
        there = {path.name for path in DERIVED.iterdir()} - {tables.MANIFEST}
        assert set(listed) == there
        for name, entry in listed.items():
            content = (DERIVED / name).read_bytes()
            assert entry["sha256"] == hashlib.sha256(content).hexdigest()
            assert entry["bytes"] == len(content)
            assert entry["description"]

    def test_rows_are_counted(self) -> None:
        for entry in MANIFEST["tables"]:
            if entry["file"].endswith(".csv"):
                assert len(tables.load(entry["name"])) == entry["rows"]
        assert len(tables.claims()) == 29

    def test_inputs_carry_the_hashes_of_the_registry(self) -> None:
        registry = raw.load_registry()
        stated = {entry["name"]: entry for entry in MANIFEST["raw"]}
        used = {name for entry in MANIFEST["tables"] for name in entry["inputs"]}
        assert used - {"data/reference"} == set(stated)
        for name, entry in stated.items():
            _, version = registry.find(name)
            # A whole commit has no sha256 of its own: its git tree id stands there, named as such.
            assert entry["sha256"] == (version.sha256 or f"git-tree:{version.git_tree}")
            assert entry["url"] == version.url
        for record in tables.claims():
            for entry in record["inputs"]:
                assert entry == stated[entry["name"]]

    def test_every_table_names_inputs(self) -> None:
        assert all(entry["inputs"] for entry in MANIFEST["tables"])

    def test_rules_carry_their_hashes_and_none_is_stale(self) -> None:
        files = {entry["file"] for entry in MANIFEST["rules"]}
        assert {f"{name}.toml" for name in writing.RULE_FILES} <= files
        reference = (PROJECT / "data" / "reference").glob("*.csv")
        assert {f"reference/{path.name}" for path in reference} <= files
        assert tables.stale_rules() == []

    def test_what_derives_from_share_alike_sources_is_marked(self) -> None:
        registry = raw.load_registry()
        for entry in MANIFEST["tables"]:
            sources = [registry.find(n)[0] for n in entry["inputs"] if n != "data/reference"]
            shared = any(source.share_alike for source in sources)
            assert entry["licence"] == ("ODbL-1.0" if shared else "CC-BY-4.0")

    def test_a_share_alike_input_decides_the_licence(self) -> None:
        registry = raw.load_registry()
        shared = next(s for s in registry.sources if s.share_alike and s.versions)
        plain = next(s for s in registry.sources if not s.share_alike and s.versions)
        both = (plain.versions[0].name, shared.versions[0].name)
        made = [
            writing.Table("one", b"", 0, both[:1], "made up"),
            writing.Table("two", b"", 0, both, "made up"),
        ]
        listed = writing.manifest(made, registry)["tables"]
        assert [entry["licence"] for entry in listed] == ["CC-BY-4.0", "ODbL-1.0"]


@pytest.mark.parametrize("path", sorted(DERIVED.iterdir()), ids=lambda path: path.name)
def test_no_derived_file_holds_anything_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "\r" not in text
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work|usr|Users|var)/", text)
    assert not re.search(r"[A-Z]:\\\\", text)
    assert "pypi" not in text.lower()
    assert not re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", text)


def test_no_number_in_a_list_of_claims_is_not_a_number() -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads((DERIVED / "claims.json").read_text(encoding="utf-8"), parse_constant=refuse)


class TestCells:
    HOSTILE = (
        "=cmd|'/c calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n@x",
        " =1+1",
        "\u00a0=1",
        "\uff1d1+1",
        "\x00=1",
    )

    @pytest.mark.parametrize("text", HOSTILE)
    def test_a_strangers_text_is_no_formula(self, text: str) -> None:
        content = writing.csv_bytes(pd.DataFrame({"repository_id": [text], "n": [1]}))
        cell = next(iter(csv.DictReader(io.StringIO(content.decode()))))["repository_id"]
        assert cell[0] == "'" or cell[0] == "\\"
        assert all(character.isprintable() for character in cell)
        assert len(content.decode().splitlines()) == 2

    @given(st.text(max_size=12))
    def test_no_text_at_all_is(self, text: str) -> None:
        content = writing.csv_bytes(pd.DataFrame({"a": ["x", text], "b": [1, 2]}))
        rows = list(csv.reader(io.StringIO(content.decode())))
        assert len(rows) == 3
        assert not rows[2][0].lstrip().startswith(("=", "+", "-", "@"))

    def test_ordinary_ids_and_numbers_are_left_alone(self) -> None:
        frame = pd.DataFrame(
            {
                "id": ["Qwen/Qwen3-8B", "a b", None],
                "n": [-1.5, float("nan"), float("-inf")],
                "mixed": [-0.5, "x,y", None],
                "flag": [True, False, True],
                "count": pd.array([-3, None, 10**18], dtype="Int64"),
            }
        )
        assert writing.csv_bytes(frame).decode() == (
            "id,n,mixed,flag,count\n"
            "Qwen/Qwen3-8B,-1.5,-0.5,True,-3\n"
            'a b,,"x,y",False,\n'
            ",-inf,,True,1000000000000000000\n"
        )

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0.1 + 0.2, "0.3"), (1e15, "1e+15"), (123456789.0, "123456789"), (1 / 3, "0.3333333333")],
    )
    def test_numbers_have_ten_digits(self, value: float, text: str) -> None:
        assert writing.csv_bytes(pd.DataFrame({"n": [value]})).decode() == f"n\n{text}\n"

    def test_json_knows_no_infinity(self) -> None:
        content = {"a": (1 / 3, float("inf"), float("nan")), 1: [True, None, "é"]}
        expected = {"a": [0.3333333333, None, None], "1": [True, None, "é"]}
        assert json.loads(writing.json_bytes(content)) == expected
        assert "é".encode() in writing.json_bytes(content)


FILES = {"a.csv": b"new a\n", "b.csv": b"new b\n", tables.MANIFEST: b"{}\n"}


class TestWriting:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in FILES:
            (tmp_path / name).write_bytes(b"old\n")
        return tmp_path

    def test_what_changed_is_named_and_what_is_no_longer_derived_goes(self, folder: Path) -> None:
        (folder / "gone.csv").write_bytes(b"")
        (folder / "a.csv").write_bytes(b"new a\n")
        (folder / "notes").mkdir()
        assert builder.compare(FILES, folder) == ["b.csv", "gone.csv", tables.MANIFEST]
        assert builder.write(FILES, folder) == ["b.csv", tables.MANIFEST, "gone.csv"]
        assert builder.compare(FILES, folder) == []
        assert builder.write(FILES, folder) == []
        assert {p.name for p in folder.iterdir()} == {*FILES, "notes"}

    def test_the_manifest_comes_last(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        order: list[str] = []
        replace = Path.replace

        def spy(self: Path, target: Path) -> Path:
            order.append(target.name)
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", spy)
        builder.write(FILES, folder)
        assert order == ["a.csv", "b.csv", tables.MANIFEST]

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_a_failure_half_way_leaves_the_old_files(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        write = Path.write_bytes

        def fail(self: Path, data: bytes) -> int:
            if self.name == ".b.csv.partial":
                write(self, data[:2])
                raise error
            return write(self, data)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", fail)
            kind = InputError if isinstance(error, OSError) else KeyboardInterrupt
            with pytest.raises(kind) as caught:
                builder.write(FILES, folder)
        if kind is InputError:
            assert str(folder) in str(caught.value)
            assert "No space left" in str(caught.value)
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == dict.fromkeys(FILES, b"old\n")

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(InputError, match="cannot be written"):
            builder.write(FILES, tmp_path / "file" / "derived")

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
    def test_a_read_only_folder_is_named(self, folder: Path) -> None:
        folder.chmod(0o500)
        try:
            with pytest.raises(InputError, match="Permission denied"):
                builder.write(FILES, folder)
        finally:
            folder.chmod(0o700)

    def test_a_missing_folder_differs_in_everything(self, tmp_path: Path) -> None:
        assert builder.compare(FILES, tmp_path / "none") == sorted(FILES)

    def test_a_file_that_cannot_be_read_is_named(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "read_bytes", fail)
        with pytest.raises(InputError, match=r"a\.csv: cannot be read \(Permission denied\)"):
            builder.compare(FILES, folder)


class TestLoading:
    def test_without_a_panel_the_error_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = raw.load_registry()
        none = raw.Registry(sources=(), kinds=real.kinds, upstreams=real.upstreams)
        monkeypatch.setattr(loading.raw, "load_registry", lambda: none)
        with pytest.raises(InputError, match="hub-panel"):
            builder.load(builder.load_rules())

    def test_missing_published_figures_are_named(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(tables.raw, "data_dir", lambda: tmp_path)
        with pytest.raises(InputError, match="no such table of published figures"):
            deriving.tables.load(f"reference/{derived.PUBLISHED[0]}")

    def test_every_rule_file_is_read_and_in_the_manifest(self) -> None:
        rules: Any = builder.load_rules()
        # reference.toml describes published figures, glossary.toml words: neither decides a result.
        # rerun.toml decides what is said of other snapshots; what comes of it carries its hash.
        written = {path.stem for path in (PROJECT / "data").glob("*.toml")}
        written -= {"reference", "glossary", "rerun"}
        assert {*writing.RULE_FILES} == written
        assert rules.register.claim
