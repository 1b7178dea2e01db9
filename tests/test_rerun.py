"""Every claim on one snapshot: the real cut, as it is and taken for the whole Hub."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import raw, snapshot
from analysis.builder import load, load_rules, loading, rerunning
from analysis.claims import derivatives as derivative_checks
from analysis.claims import figures, rerun, results
from analysis.claims.evidence import Evidence
from analysis.claims.world import World, assemble
from analysis.commands import main
from analysis.errors import InputError
from analysis.measure import arrivals, slices
from analysis.snapshot import families as families_module
from analysis.snapshot import intake

PROJECT = Path(__file__).resolve().parents[1]
CUT = "hub-stats-2026-05"
DAY = date(2026, 5, 23)


@pytest.fixture(scope="module", autouse=True)
def _files(mirror: Path) -> None:
    """The raw files come from the mirror."""


@cache
def cut() -> rerunning.Rerun:
    return rerunning.run(CUT)


@cache
def taken_for_whole() -> tuple[figures.Subject, dict[str, rerun.Answer]]:
    """The same rows as if they were the whole Hub: then every number is exact."""
    rules = load_rules()
    subject = replace(cut().subject, complete=True, head={}, head_name="", _made={})
    asked = rerun.parse(raw.declared("rerun"), rules.register)
    answers = rerun.every(subject, asked, rules.register)
    return subject, {answer.record["claim"]: answer for answer in answers}


@cache
def frame() -> pd.DataFrame:
    """The cut as the builder reads it."""
    got = snapshot.read(raw.fetch(CUT), "hub-snapshot").frame
    ids = families_module.canonical(got["repository_id"], load_rules().families)
    return got.assign(repository_id=ids)


def by_claim(found: rerunning.Rerun) -> dict[str, dict[str, Any]]:
    return {record["claim"]: record for record in found.records}


def test_every_claim_has_its_say_and_the_day_is_that_of_the_counters() -> None:
    found = cut()
    assert [r["claim"] for r in found.records] == [c.id for c in load_rules().register.claim]
    assert found.subject.day == DAY
    assert found.told.known_by == "its counters equal those of top30-2026-05-23"
    assert not found.subject.complete
    for record in found.records:
        assert record["answered"] or len(record["reason"]) > 20


def test_a_part_of_the_hub_bounds_what_it_can_and_nothing_else() -> None:
    records = by_claim(cut())
    share = records["share-above-half"]
    assert share["value"] == pytest.approx(169_409_841 / 511_730_880)
    assert (share["lower"], share["upper"], share["holds"]) == (0, 1, "undetermined")
    million = records["february-153-6m"]
    assert (million["lower"], million["upper"]) == (169_409_841, math.inf)
    assert million["beside"] == "the claim speaks of 2026-02, the snapshot of 2026-05-23"
    built = records["derivatives-113k"]
    assert (built["value"], built["upper"], built["holds"]) == (455, math.inf, "undetermined")
    for claim in ("derivatives-ratio", "release-velocity", "qwen-passes-llama"):
        assert (records[claim]["lower"], records[claim]["upper"]) == (0, math.inf), claim
    # What is there is there: a part can show that all five kinds are covered.
    assert (records["breadth"]["value"], records["breadth"]["holds"]) == (5, "yes")


def test_a_tracked_list_is_bounded_as_share_bounds_it(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["share", "--snapshot", CUT, "--population", "tracked-2026-05-25", "--json"]
    assert main(asked) == 0
    said = json.loads(capsys.readouterr().out)["families"]["Qwen"]
    table = next(a.table for a in cut().answers if a.record["claim"] == "share-above-half")
    # The list that held on the day is the one before it; `share` is asked for another.
    subject = replace(
        cut().subject,
        listed=frozenset(_list("tracked-2026-05-25")),
        list_name="tracked-2026-05-25",
        _made={},
    )
    got = figures.share(subject, {"population": "tracked", "family_rule": "official"}, 0.5)
    assert got.value == pytest.approx(said["share"])
    assert got.lower == pytest.approx(said["lower"])
    assert got.upper == pytest.approx(said["upper"])
    assert {"hub", "tracked", "named-makers", "text-and-vision"} == set(table["population"])


def _list(name: str) -> list[str]:
    from analysis.builder.summaries import listed

    return sorted(listed(name, load_rules().families))


def test_taken_for_the_whole_the_numbers_are_exact() -> None:
    _, answers = taken_for_whole()
    for claim, answer in answers.items():
        record = answer.record
        if not record["answered"] or claim in ("repositories-200k", "qwen4-second-half-2026"):
            continue
        if claim in ("release-velocity", "zero-licence-cost"):
            # One has an interval of sampling, the other licences whose text nobody read.
            assert record["lower"] < record["value"] < record["upper"]
            continue
        assert record["lower"] == record["value"] == record["upper"], claim
    assert answers["share-above-half"].record["verdict"] == "depends"
    assert answers["share-above-half"].record["holds"] == "no"
    assert answers["qwen-passes-llama"].record["verdict"] == "robust"
    assert answers["cumulative-near-billion"].record["value"] == 1_233_993_595


def test_derivatives_are_those_of_the_registers_own_check() -> None:
    """The record's check with the cut in the place of a full snapshot is another road there."""
    name = "weekly-2026-09-30"
    made = Evidence(
        frames={name: frame()},
        kinds={name: "hub-snapshot"},
        days={name: DAY},
        rules={"slices": slices.parse(raw.declared("slices"))},
        families=load_rules().families,
        published=pd.DataFrame(),
    )
    world = cast(World, SimpleNamespace(evidence=made))
    subject, answers = taken_for_whole()
    for claim, check, extra in (
        ("derivatives-113k", derivative_checks.total, {"bulk": "in"}),
        ("derivatives-ratio", derivative_checks.ratio, {"bulk": "in", "reuploads": "as-declared"}),
    ):
        table = answers[claim].table
        dimensions = list(answers[claim].record["reading"])
        assert len(table) == 48
        for row in table.to_dict("records")[::5]:
            spec = {n: row[n] for n in dimensions} | extra | {"source": "hub-2026-09"}
            theirs = check(world, spec, 1.0)
            assert row["value"] == pytest.approx(theirs.value), spec
            assert row["lower"] == pytest.approx(theirs.lower), spec
            assert row["upper"] == pytest.approx(theirs.upper), spec
    assert subject.complete


@pytest.mark.parametrize("days", [365, 1000])
def test_new_work_is_that_of_the_measure_of_arrivals(days: int) -> None:
    subject, answers = taken_for_whole()
    first = DAY - timedelta(days=days - 1)
    got = arrivals.read(frame(), subject.families, first, DAY)
    specs = answers["new-derivatives-40pct"].table.query("days == '365'").to_dict("records")
    names = ("base", "denominator", "copies", "merges", "counted")
    wanted = [arrivals.Wanted("qwen", *(spec[name] for name in names)) for spec in specs]
    assert len(wanted) == 36
    shares = arrivals.shares(got, wanted, subject.families, subject.rules["arrivals"])
    for theirs, spec in zip(shares.to_dict("records"), specs, strict=True):
        asked = {name: spec[name] for name in names} | {"days": str(days)}
        if not theirs["whole"]:
            with pytest.raises(InputError, match="no repository that declares a base"):
                figures.new_share(subject, asked, 0.4)
            continue
        ours = figures.new_share(subject, asked, 0.4)
        assert ours.value == pytest.approx(theirs["value"]), asked
        assert ours.extra["qwen"] == pytest.approx(theirs["part"]), asked
        assert ours.extra["whole"] == theirs["whole"], asked


def test_the_same_bytes_and_a_manifest_of_what_was_read(tmp_path: Path) -> None:
    target = tmp_path / "out"
    rerunning.write(cut(), target)
    first = {p.name: p.read_bytes() for p in sorted(target.iterdir())}
    manifest = json.loads((target / rerunning.MANIFEST).read_text("utf-8"))
    assert manifest["snapshot"]["sha256"] == raw.load_registry().find(CUT)[1].sha256
    assert {t["file"] for t in manifest["tables"]} | {rerunning.MANIFEST} == set(first)
    assert rerunning.write(cut(), target) == []
    assert not list(target.glob(".*"))
    families = pd.read_csv(target / "families.csv")
    own = families[(families["family"] == "qwen") & (families["family_rule"] == "official")]
    assert own["downloads_30d"].item() == 169_409_841


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep\n")
    with pytest.raises(InputError, match=r"holds mine\.txt, which no build wrote there"):
        rerunning.write(cut(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(InputError, match="name a folder"):
        rerunning.write(cut(), tmp_path / "mine.txt")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing-here"], "neither a registered version nor a file here"),
        (["top30-2026-02-28"], "is no snapshot of many repositories"),
        ([CUT, "--claim", "no-such-claim"], "no claim is called 'no-such-claim'"),
        (["{file}"], "does not say its day: give --day"),
        (["{folder}"], "not a file"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    raw_path: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"{file}": str(raw_path(CUT)), "{folder}": str(tmp_path)}
    assert main(["rerun", *(places.get(a, a) for a in arguments)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert said in printed.err


def test_the_command_prints_what_it_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rerun", CUT, "--claim", "derivatives-ratio", "--day", "2026-05-23"]) == 0
    text = capsys.readouterr().out
    assert "derivatives-ratio" in text
    assert "share-above-half" not in text
    assert "fractional" in text  # every specification of the one asked for
    assert main(["rerun", CUT, "--claim", "breadth", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["snapshot"]["repositories"] == 4167
    assert [one["claim"] for one in content["claims"]] == ["breadth"]
    assert len(content["specifications"]["breadth"]) == 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["claim"].pop(), "stands there 0 times"),
        (lambda d: d["left_out"].append({"id": "breadth", "reason": "twice there"}), "2 times"),
        (lambda d: d["left_out"].append({"id": "no", "reason": "nobody said it"}), "no claim is"),
        (lambda d: d["claim"][0].update(figure="guess"), "no figure is called 'guess'"),
        (lambda d: d["claim"][0]["reading"].update(population="moon"), "not in the grid"),
        (lambda d: d["claim"][0]["grid"].pop("population"), "the same dimensions"),
    ],
)
def test_a_broken_declaration_names_its_place(
    change: Callable[[dict[str, Any]], object], said: str
) -> None:
    content = raw.declared("rerun")
    change(content)
    with pytest.raises(InputError, match=r"data/rerun\.toml") as error:
        rerun.parse(content, load_rules().register)
    assert said in str(error.value)


# ------------------------------------------------------------------------------- full size


def _path_of_a_hub(rows: int, folder: Path) -> tuple[dict[str, Any], float]:
    """Every claim on a synthetic Hub, in a process of its own; its record and its peak in MB."""
    file = folder / f"synthetic-{rows}.parquet"
    made = [sys.executable, "benchmarks/synthetic.py", "--rows", str(rows)]
    made += ["--relations", str(rows * 6 // 10), str(file)]
    subprocess.run(made, cwd=PROJECT, check=True, capture_output=True)
    script = (
        # Not ru_maxrss: a process inherits its parent's.
        "import re, sys\nfrom pathlib import Path\nfrom analysis.commands import main\n"
        "status = main(sys.argv[1:])\n"
        "peak = re.search(r'VmHWM:\\s+([0-9]+)', Path('/proc/self/status').read_text())[1]\n"
        "print(peak, file=sys.stderr)\nsys.exit(status)"
    )
    asked = ["rerun", str(file), "--synthetic", "--complete", "--day", "2026-05-23", "--json"]
    asked += ["--to", str(folder / f"tables-{rows}")]
    got = subprocess.run(
        [sys.executable, "-c", script, *asked], cwd=PROJECT, check=True, capture_output=True
    )
    return json.loads(got.stdout), int(got.stderr.split()[-1]) / 1000


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_the_whole_path_of_a_synthetic_hub_is_bounded(tmp_path: Path) -> None:
    """Read, families, lineage, claims, tables; the figures for three million are in the docs."""
    small, some = _path_of_a_hub(100_000, tmp_path)
    large, more = _path_of_a_hub(300_000, tmp_path)
    for record, rows in ((small, 100_000), (large, 300_000)):
        assert record["snapshot"]["synthetic"]
        assert record["snapshot"]["repositories"] == rows
        answered = [one for one in record["claims"] if one["answered"]]
        assert len(answered) == 15
        tables = {path.name for path in (tmp_path / f"tables-{rows}").iterdir()}
        assert {"families.csv", "derivatives.csv", "head.csv", "rerun.json"} <= tables
    # 200,000 repositories more, at most 1 kB each: three million stay within a laptop.
    assert more - some < 200
    assert more < 1000


def test_no_claim_is_asked_of_a_synthetic_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "made-up.parquet"
    rows = pa.table({"id": ["a/b"], "downloads": [1]})
    mark = {intake.SYNTHETIC_KEY: b"made by a test"}
    pq.write_table(rows.replace_schema_metadata(mark), file)
    assert main(["rerun", str(file), "--day", "2026-05-23"]) == 2
    assert "marked synthetic" in capsys.readouterr().err


# --------------------------------------------------------- the record with one more snapshot


@pytest.fixture
def with_a_week(
    monkeypatch: pytest.MonkeyPatch, raw_path: Callable[[str], Path], tmp_path: Path
) -> str:
    """A made-up week: the real cut and 3,000 others, said to be the whole Hub of 27 February."""
    registry = raw.load_registry()
    source = registry.source("weekly")
    version = source.versions[0].model_copy(
        update={"name": "weekly-2026-02-27", "as_of": "2026-02-27"}
    )
    changed = source.model_copy(update={"versions": (version,)})
    others = tuple(changed if one.id == "weekly" else one for one in registry.sources)
    made_up = registry.model_copy(update={"sources": others})
    rows = pq.read_table(raw_path(CUT), columns=["id", "downloads", "pipeline_tag", "createdAt"])
    more = pa.table(
        {
            "id": [f"somebody/model-{n}" for n in range(3000)],
            "downloads": [1_000_000] * 3000,
            "pipeline_tag": ["text-generation", None] * 1500,
            "createdAt": pa.nulls(3000, pa.timestamp("us")),
        }
    )
    path, fetch = tmp_path / "week.parquet", raw.fetch
    pq.write_table(pa.concat_tables([rows, more], promote_options="permissive"), path)
    monkeypatch.setattr(raw, "load_registry", lambda: made_up)
    monkeypatch.setattr(raw, "fetch", lambda n: path if n == version.name else fetch(n))
    return version.name


@pytest.mark.slow
def test_one_whole_week_closes_what_was_open(with_a_week: str) -> None:
    rules = load_rules()
    alone, more = (assemble(load(rules, extra=extra).inputs) for extra in ((), (with_a_week,)))
    (total,) = more.inputs.totals
    assert (total.day, total.downloads) == (date(2026, 2, 27), 3_511_730_880)
    day = date(2026, 2, 28)
    for population in ("hub", "text-and-vision"):
        before = alone.share(population, day, "official", "in", "pooled")
        after = more.share(population, day, "official", "in", "pooled")
        assert (before.rest.upper, before.lower) == (math.inf, 0)
        assert 0 < after.lower < after.value < after.upper < before.upper
        # A day off the snapshot nothing is forced; on its day everything is.
        assert more.share(population, day, "official", "in", "hard").rest.upper == math.inf
        own = more.share(population, total.day, "official", "in", "hard")
        assert own.rest.lower == own.rest.value == own.rest.upper
    hub = more.share("hub", total.day, "official", "in", "absent")
    assert hub.rest.value == 3_511_730_880 - 169_409_841
    # The counters of May contradict February's, so nothing is asked of their bounds here.
    tracked = [w.share("tracked", day, "official", "in", "absent") for w in (alone, more)]
    assert tracked[1].covered > tracked[0].covered
    claim = rules.register.find("share-above-half")
    record, _ = results.evaluate(more, claim, rules.register)
    assert record["undetermined"] < 55


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--with", "weekly-2026-09-30"], "name a folder with --to"),
        (["--check", "--to", "{folder}"], "--check writes nothing"),
        (["--to", "{file}"], "a file: name a folder"),
        (["--with", CUT, "--to", "{folder}/new"], "part of every build"),
        (["--with", "top30-2026-02-28", "--to", "{folder}/new"], "of hub-top30"),
        (["--with", "nothing", "--to", "{folder}/new"], "no raw file is called 'nothing'"),
    ],
)
def test_a_build_beside_the_record_says_what_it_needs(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("x")
    # What is wrong is said before anything is read.
    monkeypatch.setattr(loading, "COUNTER_KINDS", ())
    places = {"{folder}": str(tmp_path), "{file}": str(tmp_path / "file")}
    given = [places.get(a, a.replace("{folder}", str(tmp_path))) for a in arguments]
    assert main(["build", *given]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert said in printed.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]
