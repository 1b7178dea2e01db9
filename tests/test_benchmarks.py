"""The generator of a Hub that does not exist. All data here are synthetic, for scale alone."""

from __future__ import annotations

import collections
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from analysis import raw, snapshot
from analysis.builder import loading
from analysis.errors import InputError
from analysis.snapshot import families as families_module
from analysis.snapshot import intake, whole
from benchmarks import run, synthetic, ways

FAMILIES = families_module.parse(raw.declared("families"))
ROWS, RELATIONS = 20_000, 12_000
FITTED = json.loads(synthetic.FITTED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hub") / "hub.parquet"
    synthetic.write(path, rows=ROWS, relations=RELATIONS)
    return path


def fan_of(table: Any) -> list[int]:
    stated = [one for one in table["baseModels"].to_pylist() if one is not None]
    return list(collections.Counter(m["id"] for one in stated for m in one["models"]).values())


def test_columns_and_types_are_those_of_the_real_cut(hub: Path, mirror: Path) -> None:
    real = pq.read_schema(raw.fetch("hub-stats-2026-05"))
    made = pq.read_schema(hub)
    assert made.remove_metadata().equals(real.remove_metadata())
    assert pq.ParquetFile(hub).metadata.row_group(0).column(0).compression == "SNAPPY"


def test_rows_are_uneven_as_the_real_ones_are(hub: Path) -> None:
    table = pq.read_table(hub)
    assert table.num_rows == len(set(table["id"].to_pylist())) == ROWS
    level = FITTED["quantiles"]["level"]
    # Within a factor of three at every level, over six decades.
    for made, want in (
        (np.quantile(table["downloads"].to_numpy(), level), FITTED["quantiles"]["downloads"]),
        (np.quantile(fan_of(table), level), FITTED["quantiles"]["fan_out"]),
    ):
        assert (np.abs(np.log10((made + 1) / (np.asarray(want) + 1))) < np.log10(3)).all()
    assert abs(sum(fan_of(table)) / RELATIONS - 1) < 0.05
    assert (table["downloadsAllTime"].to_numpy() >= table["downloads"].to_numpy()).all()
    assert (
        abs(np.mean([len(tags) for tags in table["tags"].to_pylist()]) - FITTED["tags_a_row"]) < 1
    )
    # It does not compress away: the full size is more than a gigabyte.
    assert hub.stat().st_size / ROWS > 1e9 / 3e6


def test_tags_and_field_say_the_same(hub: Path) -> None:
    columns = ["base_models", "base_relation", "tags"]
    got = snapshot.read(hub, "hub-snapshot", columns=columns, synthetic=True)
    assert [text for text in got.problems if not text.startswith("synthetic")] == []
    by_field = whole.of(got, FAMILIES, details=()).lineage
    assert by_field is not None
    assert by_field.report.cycles == by_field.report.on_cycles == 0
    assert by_field.report.unknown_relations == 0
    only_tags = snapshot.read(hub, "hub-snapshot", columns=["tags"], synthetic=True)
    by_tag = whole.of(only_tags, FAMILIES, details=()).lineage
    assert by_tag is not None
    assert by_tag.report.relations == by_field.report.relations


def test_the_same_bytes_for_a_seed_and_others_for_another(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file, seed in zip(files, (5, 5, 6), strict=True):
        synthetic.write(file, rows=2_000, relations=1_000, seed=seed)
    one, same, other = (file.read_bytes() for file in files)
    assert one == same != other
    assert sorted(tmp_path.iterdir()) == files


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: synthetic.Hub, numbers: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synthetic.Hub, "table", broken)
    assert synthetic.main(["--rows", "10", str(tmp_path / "a.parquet")]) == 2
    assert list(tmp_path.iterdir()) == []


def test_marked_so_that_no_claim_reads_it(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert intake.SYNTHETIC_KEY == synthetic.MARK
    assert whole.reduce(hub, FAMILIES, synthetic=True, details=()).synthetic
    monkeypatch.setattr(raw, "fetch", lambda name: hub)
    with pytest.raises(InputError, match="marked synthetic"):
        loading.load(loading.load_rules())


def test_all_ways_find_the_same_numbers(hub: Path) -> None:
    pytest.importorskip("networkx")
    pytest.importorskip("polars")
    rules = ways.Rules.declared()
    found = {name: way(hub, rules) for name, (way, _, _) in ways.WAYS.items()}
    mine = found["ours"]
    assert mine["rows"] == ROWS
    assert mine["families"]["qwen"] > 0
    assert mine["transitive"]["qwen"] > mine["direct"]["qwen"] > 0
    assert len(mine["head"]) == ways.DEPTH
    for name, (_, compared, _) in ways.WAYS.items():
        assert found[name] == (mine if compared else {"rows": ROWS}), name


def test_the_table_and_the_goals_from_cells() -> None:
    took = {"ours": 2.0, "floor": 1.0, "pandas": 30.0, "polars": 1.5}
    cells = [
        {
            "size": size,
            "way": way,
            "repeat": 0,
            "wall_s": seconds * size / 1000,
            "cpu_s": seconds,
            "peak_mb": 100.0,
        }
        for size in (1000, 10_000)
        for way, seconds in took.items()
    ]
    table = run.summary(cells)
    met = {name: goal["met"] for name, goal in run.goals(table).items()}
    assert met["times the floor, cpu_s"]
    assert met["pandas over ours, wall_s"]
    assert not met["Polars over ours, cpu_s"]
    assert met["growth against linear, wall_s"]
    assert not met["pandas' peak over ours"]
    assert run.written(table).count("\n") == 2 + len(table) - 1
    assert run.goals([]) == {}


@pytest.mark.slow
def test_a_broken_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    options = ["--rows", "3000", "--folder", str(tmp_path), "--json", str(out), "--repeats", "1"]
    assert run.main([*options, "--ways", "ours", "floor"]) == 0
    first = json.loads(out.read_text(encoding="utf-8"))["cells"]
    assert run.main([*options, "--ways", "ours", "polars", "floor", "pandas"]) == 0
    cells = json.loads(out.read_text(encoding="utf-8"))["cells"]
    assert cells[:2] == first
    assert [cell["way"] for cell in cells] == ["ours", "floor", "polars", "pandas"]
    assert len({cell.get("numbers_sha256") for cell in cells} - {None}) == 1
    assert "| 3,000 | our reduction |" in capsys.readouterr().out


@pytest.mark.slow
def test_constants_are_those_of_the_real_cut(mirror: Path) -> None:
    assert synthetic.fit() == FITTED


@pytest.mark.slow
def test_the_script_on_its_own(tmp_path: Path) -> None:
    script = Path(synthetic.__file__)
    out = tmp_path / "a.parquet"
    done = subprocess.run(
        [sys.executable, script, "--rows", "3000", "--seed", "3", out],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "3,000 rows" in done.stdout
    assert "marked synthetic" in done.stdout
    assert pq.ParquetFile(out).metadata.num_rows == 3_000
