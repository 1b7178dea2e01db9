"""Bad input on every command: one harmless line, status 2, nothing half-written.

Every bad file is synthetic (`tests/support/bad_files.py`). The fast tests call `main` in this
process; the slow ones run the whole matrix, each case in a process of its own.
"""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis import commands, raw, snapshot, tables
from analysis.errors import InputError, IntegrityError, one_line
from analysis.raw import gittree
from analysis.snapshot import intake, limits
from tests.conftest import PROJECT
from tests.support import bad_files
from tests.support.forking import complaints
from tests.support.registries import COMMIT, registry_of

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch

#: Bad files that take long to make or to read: with the slow tests.
HEAVY = re.compile(r"million|entities|zip in a zip|of zeros$|\d MB|\d GB|\d EB|0,000|10\^|huge")
#: The kind that a file of each group claims to be.
GROUPS = {
    "hub-snapshot": bad_files.NO_FILES | bad_files.PARQUETS | bad_files.JSONS | bad_files.CSVS,
    "hub-panel": bad_files.WORKBOOKS,
    "hub-tree": bad_files.ARCHIVES,
}
QUICK = [(kind, name) for kind, group in GROUPS.items() for name in group if not HEAVY.search(name)]
#: Where the fault leaves something to read.
SOUND = {
    "JSON with NaN",
    "JSON with a key twice",
    "JSON with half characters",
    "JSON number of a million digits after the point",
    "JSON nested 900 deep in a value",
    "CSV with a byte order mark twice",
    "CSV with carriage returns",
    "CSV with NUL",
    "archive of links",
}
unix = pytest.mark.skipif(not hasattr(os, "fork"), reason="pipes and forks are of Unix")


def run(capsys: Capture, *argv: str) -> dict[str, Any]:
    """Run a command in this process."""
    try:
        status = commands.main(argv)
    except SystemExit as end:
        status = int(str(end.code))
    printed = capsys.readouterr()
    return {"status": status, "out": printed.out, "err": printed.err}


def refused(capsys: Capture, *argv: str) -> str:
    """Run a command that must fail with one line, and return the line."""
    got = run(capsys, *argv)
    assert complaints(got, valid=False) == [], got  # type: ignore[arg-type]
    return str(got["err"]).removesuffix("\n")


# ----------------------------------------------------------------------------------- any file


@unix
@pytest.mark.parametrize(("kind", "name"), QUICK)
def test_a_bad_file_is_one_line(kind: str, name: str, tmp_path: Path, capsys: Capture) -> None:
    path = GROUPS[kind][name](tmp_path)
    before = sorted(tmp_path.rglob("*"))
    got = run(capsys, "inspect", str(path), "--kind", kind, "--json")
    assert complaints(got, valid=name in SOUND) == [], got  # type: ignore[arg-type]
    assert sorted(tmp_path.rglob("*")) == before


LINES = {
    "pipe": "pipe: cannot be read: a pipe, socket or device, no regular file",
    "/dev/zero": "/dev/zero: cannot be read: a pipe, socket or device, no regular file",
    "name with escapes": r"\\x1b\[2J\\x07gone error: fake\\u202e\.json: no such file",
    "name with NUL": "an argument holds a NUL character",
    "Parquet, all encrypted": "an encrypted Parquet file: no key is ever read",
    "Parquet, columns encrypted": "an encrypted Parquet file: no key is ever read",
    "Parquet, columns twice": "column 'id' stands in it twice",
    "Parquet, footer of zeros": "not a readable Parquet file",
    "Parquet, pages overwritten": "damaged or cut off",
    "JSON nested 100,000 lists deep": "not usable JSON: nested too deeply",
    "JSON number": "no header|no rows",
    "HTML instead of data": "an HTML page and no data; fetch it again",
}


@unix
@pytest.mark.parametrize("name", LINES)
def test_the_line_says_what_is_wrong(name: str, tmp_path: Path, capsys: Capture) -> None:
    path = GROUPS["hub-snapshot"][name](tmp_path)
    line = refused(capsys, "inspect", str(path), "--kind", "hub-snapshot")
    assert re.search(LINES[name], line), line


def test_a_file_of_another_kind(tmp_path: Path, capsys: Capture) -> None:
    path = bad_files.put(tmp_path, "hub.parquet", bad_files.parquet_bytes(bad_files.hub_table()))
    for kind in snapshot.KINDS:
        if kind != "hub-snapshot":
            refused(capsys, "inspect", str(path), "--kind", kind)


# ------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("limit", "make", "kind"),
    [
        ("TABLE", lambda at: bad_files.put(at, "x", json.dumps([bad_files.ROW])), "hub-snapshot"),
        ("JSON", lambda at: bad_files.put(at, "x", json.dumps([bad_files.ROW])), "hub-snapshot"),
        (
            "CELLS",
            lambda at: bad_files.put(at, "x", "id,downloads\n" + "a,1\n" * 9),
            "hub-snapshot",
        ),
        ("CELLS", lambda at: bad_files.put(at, "x", bad_files.workbook_bytes()), "hub-panel"),
        ("PROSE", lambda at: bad_files.put(at, "x", "Terms of use. " * 9), "licence-text"),
        ("WORKBOOK", lambda at: bad_files.put(at, "x", bad_files.workbook_bytes()), "hub-panel"),
        ("UNPACKED", lambda at: bad_files.put(at, "x", bad_files.workbook_bytes()), "hub-panel"),
        *(
            (
                name,
                lambda at: bad_files.put(
                    at, "x", bad_files.parquet_bytes(bad_files.hub_table(600))
                ),
                "hub-snapshot",
            )
            for name in ("ROWS", "ELEMENTS", "PARQUET", "DICTIONARY", "ROW")
        ),
    ],
)
def test_what_is_too_large_is_refused_and_can_be_raised(
    limit: str,
    make: Callable[[Path], Path],
    kind: str,
    tmp_path: Path,
    monkeypatch: Patch,
    capsys: Capture,
) -> None:
    path = make(tmp_path)
    whole: limits.Limit = getattr(limits, limit)
    monkeypatch.setattr(limits, limit, limits.Limit(10, whole.unit, "a test"))
    argv = ["inspect", str(path), "--kind", kind, "--json"]
    if kind == "hub-panel":
        argv += ["--measure", "downloads_all_time"]
    if limit == "TABLE":
        monkeypatch.setattr(intake.read_bytes, "__defaults__", (limits.TABLE,))
    line = refused(capsys, *argv)
    assert "more than the 10 that are read" in line
    assert "set OMR_LIMITS=N to read N times as much" in line
    monkeypatch.setenv("OMR_LIMITS", "1e6")
    assert run(capsys, *argv)["status"] == 0


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "many", "1e400"])
def test_limits_are_raised_by_a_number(value: str, tmp_path: Path, monkeypatch: Patch) -> None:
    path = bad_files.put(tmp_path, "x", "[]")
    monkeypatch.setenv("OMR_LIMITS", value)
    with pytest.raises(InputError, match=r"OMR_LIMITS=.* must be a number from 1 upwards"):
        snapshot.read(path, "hub-snapshot")


def test_every_limit_has_its_reason() -> None:
    declared = [one for one in vars(limits).values() if isinstance(one, limits.Limit)]
    assert len(declared) >= 10
    assert all(one.most >= 100_000 for one in declared)
    assert all(one.reason and one.unit for one in declared)


def test_a_text_repeated_in_every_row_is_told_early(tmp_path: Path) -> None:
    """550 rows point at one text of 110,000 letters: 60 MB in 3 kB."""
    path = bad_files._long_value(tmp_path, 550, 110_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(InputError, match=r"bytes a row on average, more than the 100,000"):
        snapshot.read(path, "hub-snapshot")


def test_the_size_of_a_page_is_the_second_field_of_its_head() -> None:
    assert intake._page_size(bytes([0x15, 0x04, 0x15, 0x80, 0x01, 0x15])) == 64
    for head in (b"", b"\x15", b"\x00\x01", b"\x15\x04\x19"):
        assert intake._page_size(head) == 1
    assert intake._page_size(b"\x15\x04\x15" + b"\xff" * 13) > 1 << 60


def test_memory_that_is_not_given_is_one_line(tmp_path: Path, monkeypatch: Patch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(intake, "parse_json", refuse)
    with pytest.raises(InputError, match=r"x: reading it needs more memory than this machine"):
        snapshot.read(bad_files.put(tmp_path, "x", "[]"), "hub-snapshot")


# ---------------------------------------------------------------------------------- arguments

ESCAPES = "\x1b[2J\u202e\n"


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("",),
        (ESCAPES,),
        ("sources", "--kind", ""),
        ("sources", "--kind", ESCAPES),
        ("sources", "--" + ESCAPES),
        ("fetch",),
        ("fetch", ESCAPES),
        ("fetch", "x" * 100_000),
        ("fetch", "--all", "x"),
        ("verify", ""),
        ("share",),
        ("share", "--snapshot", ""),
        ("share", "--snapshot", ESCAPES),
        ("share", "--snapshot", "licence-llama-2"),
        ("share", "--snapshot", "x", "--exclude", "\udcff"),
        ("inspect", "x", "--kind", ESCAPES),
        ("derivatives", "--snapshot", ESCAPES),
        ("derivatives", "--snapshot", "x", "--min-downloads", "-1"),
        ("derivatives", "--snapshot", "x", "--min-downloads", "nan"),
        ("derivatives", "--snapshot", "x", "--min-downloads", "9" * 400),
        ("derivatives", "--snapshot", "x", "--min-downloads", "9" * 5000),
        ("releases", "--family", ESCAPES),
        ("releases", "--days", "-1"),
        ("releases", "--days", "1e3"),
        ("releases", "--since", ESCAPES),
        ("licences", ESCAPES),
        ("licences", "top30-2026-02-28"),
        ("witnesses", "--day", ESCAPES),
        ("witnesses", "--family", "x" * 100_000),
        ("claim", ""),
        ("claim", ESCAPES),
        ("claim", "\udcff\ud800"),
        ("compare-references", ESCAPES),
        ("compare-references", "../../etc/passwd"),
        ("claims", "--jsonn"),
        ("build", ESCAPES),
        ("build", "--to", "\0"),
        ("pin",),
        ("pin", ESCAPES, "x"),
        ("pin", "a/b", "../x"),
        ("pin", "a/b", "x" * 100_000),
        ("peek",),
        ("peek", ESCAPES),
        ("capture",),
        ("capture", ESCAPES, "--status"),
        ("capture", "\0", "--status"),
        ("capture", "x", "--families", ESCAPES),
        ("capture", "x", "--page-size", "0"),
        ("capture", "x", "--page-size", "9" * 5000),
        ("capture", "x", "--all", "--expect", "-1"),
        ("rerun",),
        ("rerun", ESCAPES),
        ("rerun", "\0"),
        ("rerun", "licence-llama-2"),
        ("rerun", "x", "--day", ESCAPES),
        ("rerun", "x", "--claim", ESCAPES),
        ("series",),
        ("series", ESCAPES),
        ("series", "\0"),
        ("series", "--glob", ESCAPES),
        ("series", "x@2026-13-01"),
        ("series", "hub-stats-2026-05", "--population", ESCAPES),
        ("series", "hub-stats-2026-05", "--families", ESCAPES),
    ],
)
def test_a_bad_argument_is_one_line(argv: tuple[str, ...], capsys: Capture) -> None:
    refused(capsys, *argv)


def test_thousands_of_ids_to_leave_out(mirror: Path, capsys: Capture) -> None:
    ids = [f"a/{place}" for place in range(3000)]
    got = run(capsys, "share", "--snapshot", "top30-2026-02-28", "--json", "--exclude", *ids)
    assert complaints(got) == []  # type: ignore[arg-type]
    assert len(json.loads(got["out"])["problems"]) >= 3000


def test_what_is_echoed_cannot_control_a_terminal(
    mirror: Path, tmp_path: Path, capsys: Capture
) -> None:
    rows = [{"id": "a/b", "downloads": 5}, {"id": "a/\x1b[2J", "downloads": 5}]
    path = bad_files.put(tmp_path, "\x1b[2Jlist\u202e.json", json.dumps(rows))
    for kind, more in (("hub-snapshot", ("--exclude", ESCAPES)), ("licence-text", ())):
        got = run(capsys, "inspect", str(path), "--kind", kind, *more)
        assert got["status"] == 0
        assert got["out"].replace("\n", "").isprintable()


def test_a_message_is_cut_in_the_middle() -> None:
    line = one_line("begin " + "x" * 10_000 + " end")
    assert len(line) < 4000
    assert line.startswith("begin ")
    assert line.endswith(" end")


# ------------------------------------------------------------- what the machine refuses


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "x", "out/a.json"), "out/a.json: the disk is full: free space"),
        (OSError(errno.EROFS, "x", "out/a.json"), "out/a.json: the disk is read-only"),
        (PermissionError(errno.EACCES, "x", b"out/\xff"), r"out/\udcff: no permission"),
        (
            OSError(errno.EIO, "Input/output error"),
            "standard output, or a file being written: Input/output error",
        ),
        (MemoryError(), "not enough memory for this"),
    ],
)
def test_what_the_machine_refuses_is_one_line(
    error: BaseException, line: str, monkeypatch: Patch, capsys: Capture
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(raw, "load_registry", refuse)
    assert line in refused(capsys, "sources")
    monkeypatch.setenv("OMR_TRACEBACK", "1")
    with pytest.raises(type(error)):
        commands.main(["sources"])


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyError("x"), OSError("no number")])
def test_an_error_of_ours_is_not_hidden(error: Exception, monkeypatch: Patch) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(raw, "load_registry", fail)
    with pytest.raises(type(error)):
        commands.main(["sources"])


class _Full(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_standard_output_that_is_full(monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.setattr(sys, "stdout", _Full())
    assert commands.main(["sources"]) == 2
    assert capsys.readouterr().err == (
        "error: standard output, or a file being written: the disk is full: free space, or name "
        "another place\n"
    )


def test_streams_that_are_closed(monkeypatch: Patch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert commands.main(["sources"]) == 0
    assert commands.main(["sources", "--kind", "x"]) == 2
    for stream in (sys.stdout, sys.stderr):
        stream.close()


def test_a_terminal_that_knows_few_letters_still_gets_json(monkeypatch: Patch) -> None:
    kept = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(kept, "ascii"))
    commands._prepare_streams()
    print(json.dumps("é 🙂 \udcff", ensure_ascii=False))
    sys.stdout.flush()
    assert json.loads(kept.getvalue()) == "é 🙂 \udcff"
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", commands._ESCAPED)


# ----------------------------------------------------------------------- mirror and cache

BODY = b'{"made": "up"}\n'
NAME = "thing-2026-01-01"
INSIDE = f"raw.githubusercontent.com/nobody/nothing/{COMMIT}/data"


@pytest.fixture
def places(tmp_path: Path, monkeypatch: Patch) -> tuple[Path, Path]:
    """A mirror with one file and an empty cache, as the environment names them."""
    copy = tmp_path / "mirror" / INSIDE / "a thing.json"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(BODY)
    registry = registry_of(BODY)
    monkeypatch.setattr(raw, "load_registry", lambda: registry)
    monkeypatch.setenv("OMR_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("OMR_CACHE", str(tmp_path / "cache"))
    return copy, tmp_path / "cache" / INSIDE / "a%20thing.json"


def left(cache: Path) -> list[str]:
    """Files and links of a cache, whatever they are."""
    return sorted(str(p.relative_to(cache)) for p in cache.rglob("*") if not p.is_dir())


@unix
@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("folder on the way leads out", "leads out of the mirror folder"),
        ("pipe", "not in the mirror"),
        ("link to itself", "not in the mirror"),
        ("link to /dev/zero", "not in the mirror"),
        ("folder", "not in the mirror"),
        ("another letter case", "not in the mirror"),
        ("longer", "is not the registered file"),
        ("endless", "is not the registered file"),
        ("empty", "is not the registered file"),
    ],
)
def test_a_bad_mirror(
    fault: str, line: str, places: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    copy, final = places
    copy.unlink()
    if fault == "folder on the way leads out":
        copy.parent.rmdir()
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / copy.name).write_bytes(BODY)
        copy.parent.symlink_to(tmp_path / "outside")
    elif fault == "pipe":
        os.mkfifo(copy)
    elif fault == "link to itself":
        copy.symlink_to(copy.name)
    elif fault == "link to /dev/zero":
        copy.symlink_to("/dev/zero")
    elif fault == "folder":
        copy.mkdir()
    elif fault == "another letter case":
        copy.with_name(copy.name.upper()).write_bytes(BODY)
        if copy.exists():
            pytest.skip("this disk does not tell letter cases apart")
    else:
        copy.write_bytes(b"" if fault == "empty" else BODY + b"x")
        if fault == "endless":
            os.truncate(copy, bad_files.ENDLESS)
    assert line in refused(capsys, "fetch", NAME)
    assert left(tmp_path / "cache") == []
    assert not final.exists()


@unix
@pytest.mark.parametrize("fault", ["pipe", "link to /dev/zero", "link to itself", "folder"])
def test_what_lies_in_the_place_of_a_file_of_the_cache(
    fault: str, places: tuple[Path, Path], capsys: Capture
) -> None:
    _, final = places
    final.parent.mkdir(parents=True)
    if fault == "pipe":
        os.mkfifo(final)
    elif fault == "folder":
        final.mkdir()
    else:
        final.symlink_to("/dev/zero" if fault == "link to /dev/zero" else final.name)
    line = refused(capsys, "fetch", NAME)
    assert f"{final}: no regular file lies there in the cache; remove it" in line


@unix
def test_a_link_in_the_cache_is_replaced_and_not_written_through(
    places: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    _, final = places
    final.parent.mkdir(parents=True)
    (tmp_path / "victim").write_text("precious")
    final.symlink_to(tmp_path / "victim")
    assert run(capsys, "fetch", NAME)["status"] == 0
    assert final.read_bytes() == BODY
    assert not final.is_symlink()
    assert (tmp_path / "victim").read_text() == "precious"


@pytest.mark.parametrize("fault", ["file", "below a file", "file in the way"])
def test_a_cache_that_cannot_be_written(
    fault: str, places: tuple[Path, Path], tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    cache = tmp_path / "cache"
    if fault == "file in the way":
        cache.mkdir()
        (cache / "raw.githubusercontent.com").write_text("x")
    else:
        cache.write_text("x")
        monkeypatch.setenv("OMR_CACHE", str(cache / "inner" if "below" in fault else cache))
    assert "cannot be written: " in (line := refused(capsys, "fetch", NAME))
    assert "OMR_CACHE" in line


@unix
def test_a_disk_that_fills_up_leaves_nothing(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("analysis.raw.fetching.check", full)
    assert "the disk is full; name another cache folder" in refused(capsys, "fetch", NAME)
    assert left(tmp_path / "cache") == []


@pytest.mark.parametrize("repository", ["../nothing", "nobody/..", "./nothing", "../.."])
def test_a_repository_is_no_step_up(repository: str) -> None:
    plain = registry_of(BODY).sources[0].model_dump()
    with pytest.raises(ValueError, match="without a step up"):
        raw.Source.model_validate(plain | {"repository": repository})


def test_an_archive_whose_header_fills_the_memory(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(gittree, "MOST_BYTES_A_MEMBER", 1000)
    head = bytes(bad_files._member("top/x", 100_000, b"x").tobuf())
    path = bad_files.put(tmp_path, "x.tar.gz", gzip.compress(head + bytes(100_352)))
    with pytest.raises(IntegrityError, match="a header in it is larger than any name"):
        gittree.archive_tree_id(path)


# ------------------------------------------------------------------ registers and tables


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a = " + b"[" * 100_000, "not usable TOML: nested too deeply|not valid TOML"),
        (b"a = " + b"9" * 5000, "not usable TOML: a number in it has thousands of digits"),
        (b"a = 1\na = 2\n", "not valid TOML"),
    ],
)
def test_a_bad_register(
    content: bytes, line: str, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.setattr("analysis.raw.rules.data_dir", lambda: tmp_path)
    bad_files.put(tmp_path, "licences.toml", content)
    assert re.search(line, refused(capsys, "licences"))


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff", b"null", b"[]", b""])
def test_a_bad_manifest(
    content: bytes, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    monkeypatch.setattr(tables, "folder", lambda: tmp_path)
    bad_files.put(tmp_path, "manifest.json", content)
    for argv in (("claims",), ("claim", "x"), ("witnesses",)):
        assert "run `make data`" in refused(capsys, *argv)


def test_claims_that_are_no_json(tmp_path: Path, monkeypatch: Patch) -> None:
    path = bad_files.put(tmp_path, "claims.json", b"[" * 100_000)
    monkeypatch.setattr(tables, "_file", lambda _: path)
    with pytest.raises(InputError, match="not readable as JSON; run `make data`"):
        tables.claims()


# ------------------------------------------------------------------------------ whole matrix

#: Bytes of addresses that a case may use: far more than any bound of ours lets it need.
MEMORY = 8_000_000_000
#: Seconds and megabytes that a case may take on a busy machine.
SECONDS, MEGABYTES = 60, 4000


def matrix(names: list[str], kinds: list[str]) -> list[dict[str, Any]]:
    """Run files × kinds, each in a process of its own."""
    cases = [{"file": name, "kinds": kinds, "memory": MEMORY} for name in names]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.forking"],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=True,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(names) * len(kinds)
    return results


# All kinds take minutes: the weekly job asks for them, each change for every fourth.
SOME = list(snapshot.KINDS) if os.environ.get("OMR_EXHAUSTIVE") else list(snapshot.KINDS)[::4]


@unix
@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (list(bad_files.SMALL), SOME),
        (list(bad_files.PARQUETS), ["hub-snapshot"]),
        (list(bad_files.LARGE_JSONS), ["hub-snapshot", "hub-top30", "ollama-library"]),
        (list(bad_files.LARGE_WORKBOOKS), ["hub-panel", "hub-snapshot"]),
    ],
    ids=["small files", "Parquet", "large JSON", "large workbooks"],
)
def test_the_whole_matrix(names: list[str], kinds: list[str]) -> None:
    results = matrix(names, kinds)
    assert [one for one in results if one["wrong"]] == []
    slow = [one for one in results if one["seconds"] > SECONDS or one["megabytes"] > MEGABYTES]
    assert slow == []


@unix
@pytest.mark.slow
def test_every_real_file_as_every_kind(raw_path: Callable[[str], Path]) -> None:
    """One file of each source as each kind: it is read, or refused in one line."""
    first = {
        source.id: source.versions[0].name
        for source in raw.load_registry().sources
        if source.versions and source.state == "available"
    }
    assert len(first) >= 35
    results = matrix([str(raw_path(name)) for name in first.values()], SOME)
    assert [one for one in results if one["wrong"]] == []
    assert max(one["seconds"] for one in results) < SECONDS


def command(*argv: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis", *argv],
        cwd=PROJECT,
        text=True,
        stderr=subprocess.PIPE,
        check=False,
        **more,
    )


@unix
@pytest.mark.slow
def test_real_streams(tmp_path: Path) -> None:
    """Standard output that is full, closed, or goes away; a terminal of ASCII."""
    if Path("/dev/full").exists():
        with open("/dev/full", "w") as full:
            done = command("sources", stdout=full)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "standard output, or a file being written: the disk is full" in done.stderr
    done = command("sources", preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr) == (0, "")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        done = command("sources", "--json", stdout=gone)
    assert (done.returncode, done.stderr) == (0, "")
    few = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = command("claims", "--json", stdout=subprocess.PIPE, env=few)
    assert done.stdout.isascii()
    assert len(json.loads(done.stdout)) > 20


@unix
@pytest.mark.slow
@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_real_disk_that_is_full_or_read_only(fault: str, mirror: Path, tmp_path: Path) -> None:
    """A small file system of memory; mounting one needs rights, without them this is skipped."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = "size=64k" if fault == "full" else "size=64k,ro"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a file system here")
    try:
        environment = os.environ | {"OMR_CACHE": str(disk), "OMR_MIRROR": str(mirror)}
        for argv in (("fetch", "hub-stats-2026-05"), ("share", "--snapshot", "hub-stats-2026-05")):
            done = command(*argv, stdout=subprocess.PIPE, env=environment)
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
            said = "the disk is full" if fault == "full" else "Read-only file system"
            assert said in done.stderr
        assert left(disk) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@unix
@pytest.mark.slow
def test_a_file_without_permission(tmp_path: Path) -> None:
    """Root may read everything: the command then runs as somebody else."""
    path = bad_files.put(tmp_path, "secret.json", "[]")
    path.chmod(0)
    script = (
        "import sys\nfrom analysis.commands import parser\nfrom tests.support import forking\n"
        "parser()\n"
        "got = forking.run(['inspect', sys.argv[1], '--kind', 'hub-snapshot'], user=65534)\n"
        "print(got['status'], got['err'])"
    )
    if os.geteuid():
        done = command("inspect", str(path), "--kind", "hub-snapshot", stdout=subprocess.PIPE)
        said = f"{done.returncode} {done.stderr}"
    else:
        for folder in (tmp_path, *tmp_path.parents[:3]):
            if folder.owner() == "root" and folder != Path("/tmp"):
                folder.chmod(0o755)
        said = subprocess.run(
            [sys.executable, "-c", script, str(path)],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert said.startswith("2 error: ")
    assert "cannot be read: Permission denied" in said
