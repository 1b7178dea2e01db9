"""Our copies of published figures against public files.

There is no network here: a server on loopback plays the public one. Its files are made from our own
copies in the layout of the public ones, so they are synthetic: they show that the command finds
what differs, and not that the real files are the same.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import commands, raw
from analysis.errors import InputError, IntegrityError, UnavailableError
from analysis.raw import public
from analysis.snapshot import copies
from tests.conftest import PROJECT
from tests.support.http_server import Answer, LoopbackServer, free_port, loopback_server

Capture = pytest.CaptureFixture[str]
FOLDER = PROJECT / "data" / "reference"
PAGE = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n"


def ours(name: str) -> list[dict[str, str]]:
    return copies.rows_of((FOLDER / name).read_bytes(), name)


@cache
def imitated() -> dict[str, bytes]:
    """Return synthetic public files: our numbers with digits that rounding takes away."""
    out: dict[str, bytes] = {}
    made: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, (page, how) in copies.parse(raw.declared("reference")).items():
        if how.none is not None:
            continue
        for where, rows in copies.pages(ours(name), page, how).items():
            path = urlsplit(raw.raw_address(where)).path
            if how.at is None:
                text = io.StringIO()
                writer = csv.writer(text, lineterminator="\n")
                writer.writerow([str(column.taken) for column in how.columns.values()])
                writer.writerows([[row[n] for n in how.columns] for row in rows])
                out[path] = text.getvalue().encode()
                continue
            if how.sums:
                (row,) = rows
                made.setdefault(path, {})[how.at] = router_day(row)
                continue
            made.setdefault(path, {})[how.at] = [
                {str(c.taken): public_cell(row[n], c) for n, c in how.columns.items()}
                for row in rows
            ]
    out |= {path: json.dumps(content).encode() for path, content in made.items()}
    return out


def public_cell(value: str, column: copies.Column) -> object:
    if column.first is not None:
        return f"{value}-01"
    if column.taken == "exact":
        return value == "1"
    if column.decimals is None:
        return value
    return float(Decimal(value) + Decimal("0.3").scaleb(-column.decimals))


def router_day(row: copies.Row) -> list[dict[str, Any]]:
    qwen, llama = (Decimal(row[n] or "0") for n in ("qwen", "meta_llama"))
    # The total that both rounded percentages go with.
    parts = [(qwen, row["qwen_percent"]), (llama, row["llama_percent"])]
    whole = Decimal(row["top50_total_billion_tokens"])
    low = max(
        [
            whole - Decimal("0.05"),
            *(100 * p / (Decimal(s) + Decimal("0.005")) for p, s in parts if s),
        ]
    )
    high = min(
        [
            whole + Decimal("0.05"),
            *(100 * p / (Decimal(s) - Decimal("0.005")) for p, s in parts if s),
        ]
    )
    rest = (low + high) / 2 - qwen - llama
    named = [
        ("qwen/a", qwen / 3),
        ("qwen/b", 2 * qwen / 3),
        ("nvidia/llama-x", rest / 4),
        ("x/y", 3 * rest / 4),
    ]
    if row["meta_llama"]:
        named.append(("meta-llama/llama-3", llama))
    return [
        {"id": name, "variant": None, "totalTokens": round(value * 10**9)} for name, value in named
    ]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with loopback_server() as running:
        for path, content in imitated().items():
            running.says(path, Answer(body=content))
        patience = raw.Patience(attempts=2, backoff=0.01, read=5.0)
        monkeypatch.setattr(
            raw,
            "public_files",
            lambda: raw.PublicFiles(
                patience=patience, address=lambda url: running.url + urlsplit(url).path
            ),
        )
        yield running


def path_of(name: str) -> str:
    page, _ = copies.parse(raw.declared("reference"))[name]
    return urlsplit(raw.raw_address(page)).path


def run(capsys: Capture, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    status = commands.main(["compare-references", "--json", *arguments])
    return status, {row["table"]: row for row in json.loads(capsys.readouterr().out)}


HUB, NETWORK = "modelpulse-hub-monthly", "modelrank-network-monthly"
ANALYSIS, GROWTH = path_of(f"{HUB}.csv"), path_of(f"{NETWORK}.csv")


def test_every_table_gets_one_of_three_answers(server: LoopbackServer, capsys: Capture) -> None:
    status, found = run(capsys)
    assert status == 0
    assert sorted(found) == sorted(path.stem for path in FOLDER.glob("*.csv"))
    by_hand = {"counter-anomalies", "published-figures"}
    for name, row in found.items():
        assert row["differences"] == [], name
        assert row["state"] == (copies.NOT_COMPARED if name in by_hand else copies.SAME), name
        assert (row["cells"] > 0) == (name not in by_hand)
        assert bool(row["reason"]) == (name in by_hand)
    assert found["gemas-all-time-extract"]["files"] == 16
    assert found["openrouter-days"]["cells"] == 50
    # Every row of ours was held against one of theirs.
    for name, row in found.items():
        if name not in by_hand:
            assert row["rows"] == len(ours(f"{name}.csv")), name
    assert commands.main(["compare-references", "--strict"]) == 0
    assert "6 same, 0 differs, 2 not compared" in capsys.readouterr().out


def test_one_changed_cell_is_named(server: LoopbackServer, capsys: Capture) -> None:
    content = json.loads(imitated()[ANALYSIS])
    content["months"][4]["active"] += 1
    content["textgen_orgs"][7]["author"] = "=cmd()\n\x07" + "y" * 500
    server.says(ANALYSIS, Answer(body=json.dumps(content).encode()))
    status, found = run(capsys)
    assert status == 1
    (cell,) = found[HUB]["differences"]
    assert (cell["row"], cell["column"]) == ("month=2024-11", "active_models")
    assert int(float(cell["theirs"])) == int(cell["ours"]) + 1
    # An extract: their other row is counted, ours without a counterpart differs.
    (row,) = found["modelpulse-publishers-monthly"]["differences"]
    assert (row["column"], row["theirs"]) == ("", "no such row")
    assert found["modelpulse-publishers-monthly"]["only_there"] == 1
    assert found[NETWORK]["state"] == copies.SAME
    assert commands.main(["compare-references"]) == 1
    out = capsys.readouterr().out
    assert "month=2024-11, active_models: here 559201, there 559202" in out
    assert max(map(len, out.splitlines())) < 500


def test_a_row_that_only_the_public_file_has_differs_unless_ours_is_an_extract(
    server: LoopbackServer, capsys: Capture
) -> None:
    server.says(GROWTH, Answer(body=imitated()[GROWTH] + b"2026-03,1,2,3,4\n"))
    status, found = run(capsys, NETWORK)
    assert status == 1
    assert found[NETWORK]["differences"] == [
        {"row": "month=2026-03", "column": "", "ours": "no such row", "theirs": "a row"}
    ]


def test_many_differences_are_counted_and_the_first_shown(
    server: LoopbackServer, capsys: Capture
) -> None:
    server.says(GROWTH, Answer(body=imitated()[GROWTH].replace(b",1", b",71")))
    assert commands.main(["compare-references", NETWORK]) == 1
    out = capsys.readouterr().out
    assert out.count(": here ") == 5
    assert "more: --json prints them all" in out


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(404, b"no such page"), "answered 404: the repository, commit or path is gone"),
        (Answer(403, b"no"), "answered 403: it is not served"),
        (Answer(200, PAGE), "an HTML page"),
        (Answer(200, b'{"months": [{"m": "2024-07-'), "not readable as JSON"),
        (Answer(200, b"[]"), "no key 'months'"),
        (Answer(200, b'{"months": {"a": 1}}'), "holds no list of rows"),
        (Answer(200, b'{"months": [{"m": "2024-07-01"}]}'), "a row has no 'dl'"),
        (Answer(200, b"[" * 100_000), "not readable as JSON"),
        (Answer(200, b"\xff\xfe\x00"), "not readable as JSON"),
        (Answer(200, b""), "not readable as JSON"),
        (Answer(200, b'{"months": []}', declared=400), "broke off"),
        (Answer(200, b"no gzip" * 9, headers={"Content-Encoding": "gzip"}), "broke off"),
        (Answer(500, b""), "answered 500"),
    ],
    ids=[
        *("404", "403", "login", "cut", "list", "no rows", "no column", "deep", "bytes"),
        *("empty", "broke off", "not packed", "500"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_says_why_and_what_to_do(
    server: LoopbackServer, capsys: Capture, answer: Answer, why: str
) -> None:
    server.says(ANALYSIS, answer)
    status, found = run(capsys, HUB, NETWORK)
    assert status == 0
    assert found[HUB]["state"] == copies.NOT_COMPARED
    assert why in found[HUB]["reason"]
    assert "\n" not in found[HUB]["reason"]
    assert found[NETWORK]["state"] == copies.SAME
    assert commands.main(["compare-references", "--strict", HUB]) == 1
    assert why in capsys.readouterr().out


def test_a_cut_csv_file_differs(server: LoopbackServer, capsys: Capture) -> None:
    whole = imitated()[GROWTH]
    server.says(GROWTH, Answer(body=whole[: whole.rindex(b"2026-01")], length=False))
    status, found = run(capsys, NETWORK)
    assert status == 1
    assert [one["row"] for one in found[NETWORK]["differences"]] == [
        "month=2026-01",
        "month=2026-02",
    ]
    server.says(GROWTH, Answer(body=whole[:-9], length=False))
    assert run(capsys, NETWORK)[1][NETWORK]["state"] == copies.NOT_COMPARED


def test_half_a_table_is_not_the_same(server: LoopbackServer, capsys: Capture) -> None:
    paths = [path for path in imitated() if "/huggingface/" in path]
    server.says(paths[3], Answer(404))
    status, found = run(capsys, "gemas-all-time-extract.csv")
    row = found["gemas-all-time-extract"]
    assert (status, row["state"], row["files"]) == (0, copies.NOT_COMPARED, 15)
    assert row["reason"].startswith("1 of 16 files: ")
    content = json.loads(imitated()[paths[0]])
    content["models"][0]["downloads"] = None
    server.says(paths[0], Answer(body=json.dumps(content).encode()))
    status, found = run(capsys, "gemas-all-time-extract")
    row = found["gemas-all-time-extract"]
    assert (status, row["state"]) == (1, copies.DIFFERS)
    assert row["differences"][0]["theirs"] == "nothing"
    assert row["reason"].startswith("1 of 16 files: ")


def test_a_host_that_is_away_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    asked: list[str] = []
    away = f"http://127.0.0.1:{free_port()}"

    def address(url: str) -> str:
        asked.append(url)
        return away + urlsplit(url).path

    files = raw.PublicFiles(patience=raw.Patience(attempts=1), address=address)
    sent: list[str] = []
    plain = raw.PublicFiles._stream

    def stream(self: raw.PublicFiles, session: object, url: str) -> bytes:
        sent.append(url)
        return plain(self, session, url)

    monkeypatch.setattr(raw.PublicFiles, "_stream", stream)
    monkeypatch.setattr(raw, "public_files", lambda: files)
    status, found = run(capsys)
    assert status == 0
    assert {row["state"] for row in found.values()} == {copies.NOT_COMPARED}
    assert all("cannot be reached" in found[name]["reason"] for name in (HUB, NETWORK))
    assert "OMR_MIRROR" in found[HUB]["reason"]
    assert len(sent) == 1 < len(asked)


def test_the_mirror_comes_first(
    server: LoopbackServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    there = tmp_path / "raw.githubusercontent.com" / GROWTH.lstrip("/")
    there.parent.mkdir(parents=True)
    there.write_bytes(imitated()[GROWTH])
    with_mirror = raw.PublicFiles(
        mirror=tmp_path, address=lambda url: server.url + urlsplit(url).path
    )
    monkeypatch.setattr(raw, "public_files", lambda: with_mirror)
    assert run(capsys, NETWORK, HUB)[0] == 0
    assert server.requests == [ANALYSIS]
    there.unlink()
    there.symlink_to(FOLDER / f"{NETWORK}.csv")
    _, found = run(capsys, NETWORK)
    assert "leads out of the mirror" in found[NETWORK]["reason"]


def test_bad_input_is_one_line_and_two(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commands.main(["compare-references", "nothing-of-the-kind"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "there are: modelpulse-publishers-monthly" in error
    broken = raw.declared("reference")
    broken["table"][2]["public"]["columns"].pop("vt_size")
    monkeypatch.setattr(raw, "declared", lambda _: broken)
    assert commands.main(["compare-references", NETWORK]) == 2
    assert "vt_size stands on one side only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"columns": {"a": {}}}, "give one of them"),
        ({"columns": {"a": {"from": "a", "sum": "a", "decimals": 0}}}, "give one of them"),
        ({"columns": {"a": {"from": "a", "where": "b", "starts": "c"}}}, "belong to a `sum`"),
        ({"columns": {"a": {"sum": "a"}}}, "needs its `decimals`"),
        ({"columns": {"a": {"sum": "a", "where": "b", "decimals": 1}}}, "go together"),
        ({"columns": {"a": {"from": "a", "first": 3, "decimals": 1}}}, "not both"),
        ({"columns": {"a": {"from": "a"}}}, "`keys` is missing"),
        ({"columns": {"a": {"from": "a"}}, "keys": ["b"]}, "`keys` names b"),
        (
            {"columns": {"a": {"from": "a"}, "b": {"sum": "b", "decimals": 0}}},
            "not both in a table",
        ),
        ({}, "`columns` is missing"),
        ({"none": "x", "keys": ["a"]}, "stands alone"),
    ],
)
def test_a_wrong_declaration_is_refused(change: dict[str, Any], why: str) -> None:
    table = {"file": "a.csv", "source": "s", "public": change}
    with pytest.raises(InputError, match=why):
        copies.parse({"table": [table]})


@pytest.mark.parametrize(
    "page",
    [
        "https://github.com/a/b",
        "https://github.com/a/b/blob/main/c.csv",
        "https://github.com/a/b/blob/" + "0" * 40 + "/../c.csv",
        "https://example.org/a/b/blob/" + "0" * 40 + "/c.csv",
    ],
)
def test_only_a_file_at_a_commit_has_an_address(page: str) -> None:
    with pytest.raises(InputError, match="no page of a file at a commit"):
        raw.raw_address(page)


def test_a_cell_cannot_bend_the_address() -> None:
    how = copies.Public(
        pages="https://github.com/a/b/blob/{c}/x", keys=("k",), columns={"k": {"from": "k"}}
    )
    for value in ("../..", "a/b", "", "x?y"):
        with pytest.raises(InputError, match="cannot stand in the address"):
            copies.pages([{"c": value, "k": "1"}], str(how.pages), how)


def test_a_body_without_end_is_not_read_on(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "LIMIT", 1000)
    with pytest.raises(IntegrityError, match="more than 1000 bytes"):
        raw.public_files().read(f"https://raw.githubusercontent.com{ANALYSIS}")
    with pytest.raises(UnavailableError, match="404"):
        raw.public_files().read("https://raw.githubusercontent.com/nobody")


@given(st.integers(-(10**15), 10**15), st.integers(0, 6), st.integers(-49, 49))
@settings(max_examples=60)
def test_a_rounded_cell_is_the_same_and_a_unit_more_is_not(
    value: int, decimals: int, away: int
) -> None:
    column = copies.Column.model_validate({"from": "a", "decimals": decimals})
    how = copies.Public(keys=("k",), columns={"k": copies.Column(taken="k"), "a": column})
    unit = Decimal(1).scaleb(-decimals)
    mine = value * unit
    for theirs, state in (
        (mine + away * unit / 100, copies.SAME),
        (mine + (100 + away) * unit / 100, copies.DIFFERS),
    ):
        content = f"k,a\n1,{theirs:f}\n".encode()
        got = copies.compare("t", [{"k": "1", "a": f"{mine:f}"}], content, "u", how)
        assert got.state == state


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_no_bytes_break_the_comparison(content: bytes) -> None:
    for name in (
        "modelpulse-hub-monthly.csv",
        "openrouter-days.csv",
        "modelrank-network-monthly.csv",
    ):
        page, how = copies.parse(raw.declared("reference"))[name]
        got = copies.compare(name, ours(name)[:1], content, page, how)
        assert got.state == copies.NOT_COMPARED or got.differences


#: What stands in a cell of a public file, and breaks what is not careful.
CELLS = st.sampled_from(
    [
        *("1e999999999", "1e99999999999999999999", "-1e-999999999", "9" * 4000, "NaN", "null"),
        *('"x"', '""', "true", "[]", "[" * 900 + "]" * 900, '{"a": 1}', '"\\ud800"', '"1e9999999"'),
    ]
)


@given(st.data())
@settings(max_examples=40)
def test_no_cell_breaks_the_comparison(data: st.DataObject) -> None:
    declared = copies.parse(raw.declared("reference"))
    name = data.draw(st.sampled_from([n for n, (_, how) in declared.items() if how.at]))
    page, how = declared[name]
    fields = {str(c.taken or c.total) for c in how.columns.values()}
    fields |= {c.where for c in how.columns.values() if c.where}
    row = ", ".join(f"{json.dumps(one)}: {data.draw(CELLS)}" for one in sorted(fields))
    content = f"[{{{row}}}]"
    for part in reversed(str(how.at).split(".")):
        content = f'{{"{part}": {content}}}'
    got = copies.compare(name, ours(name)[:1], content.encode(), page, how)
    assert got.state == copies.NOT_COMPARED or got.differences
