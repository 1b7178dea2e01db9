"""``compare-references`` against a loopback server that imitates the public layout.

The files served are synthetic: made here from our own copies in the layout of the public files,
with faults put in. That our copies equal the real files is what the command itself is for.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import raw, tables
from analysis.commands import main
from analysis.errors import InputError, UnavailableError
from analysis.measure import copies
from tests.support.http_server import Answer, LoopbackServer, free_port, loopback_server

DECLARED = raw.declared("reference")
ENTRIES = {entry.name: entry for entry in copies.parse(DECLARED).table}
COMPARED = [name for name, entry in ENTRIES.items() if entry.compare is not None]
PATIENCE = raw.Patience(attempts=2, backoff=0.01, longest_wait=0.02, connect=2.0, read=2.0)
HUB = "modelpulse-hub-monthly"
NETWORK = "modelrank-network-monthly"


def ours(name: str) -> pd.DataFrame:
    return tables.by_hand(f"reference/{name}")


def public(name: str) -> dict[str, bytes]:
    """Return synthetic public files in the real layout, by path on raw.githubusercontent.com."""
    entry, frame = ENTRIES[name], ours(name)
    rule = entry.compare
    assert rule is not None
    files: dict[str, list[dict[str, Any]]] = {}
    for row in frame.to_dict("records"):
        address = entry.source if rule.address is None else rule.address.format(**row)
        made: dict[str, Any] = {}
        for column, there in rule.column.items():
            value: Any = row[column]
            if there.take:
                value = f"{value}-01"  # the public file has days where we keep months
            elif there.digits is not None:
                value = float(value) + 0.4 * 10.0**-there.digits
            elif rule.format == "json" and str(value).isdigit():
                value = bool(int(value)) if column == "exact" else int(value)
            made[there.field] = value
        files.setdefault(urlsplit(raw.raw_address(address)).path, []).append(made)
    if rule.format == "csv":
        return {p: pd.DataFrame(rows).to_csv(index=False).encode() for p, rows in files.items()}
    assert rule.rows is not None
    return {
        p: json.dumps({"_meta": {"note": "synthetic"}, rule.rows: rows, "other": []}).encode()
        for p, rows in files.items()
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """Serve the synthetic files of every table; the command asks there instead of GitHub."""
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    monkeypatch.delenv(raw.MIRROR_VARIABLE, raising=False)
    merged: dict[str, Any] = {}
    with loopback_server() as running:
        for name in COMPARED:
            for path, body in public(name).items():
                if path.endswith(".json") and path in merged:
                    # Two tables of ours come from one public file.
                    body = json.dumps({**json.loads(merged[path]), **json.loads(body)}).encode()
                merged[path] = body
                running.says(path, Answer(body=body))
        running.bodies = merged  # type: ignore[attr-defined]
        local = partial(
            raw.download,
            patience=PATIENCE,
            address=lambda url: running.url + urlsplit(url).path,
        )
        monkeypatch.setattr(raw, "download", local)
        yield running


def path_of(name: str) -> str:
    return urlsplit(raw.raw_address(ENTRIES[name].source)).path


def said(capsys: pytest.CaptureFixture[str], *names: str) -> tuple[int, dict[str, Any], str]:
    """Return exit status, what --json says by table, and the lines for people."""
    status = main(["compare-references", *names, "--json"])
    found = {entry["table"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert main(["compare-references", *names]) == status
    return status, found, capsys.readouterr().out


# ------------------------------------------------------------------------------------ the command


def test_all_tables_are_the_same_or_say_why_not(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found, lines = said(capsys)
    assert status == 0
    assert list(found) == list(ENTRIES)
    for name, entry in found.items():
        assert entry["state"] == ("same" if name in COMPARED else "not compared"), entry
        assert not entry["failed"]
        assert f"{name}: {entry['state']}" in lines
        if name not in COMPARED:
            assert entry["why"] in lines
            assert entry["what_to_do"] in lines
    # By hand: 27 months of four numbers, 20 of four, 420 counters of 16 files.
    assert found[HUB]["cells"] == 27 * 4
    assert found[NETWORK]["cells"] == 20 * 4
    assert found["gemas-all-time-extract"]["cells"] == 420
    assert len(found["gemas-all-time-extract"]["files"]) == 16
    assert found["gemas-all-time-extract"]["left_out"] == ["snapshot_label", "commit"]


def test_a_file_of_two_tables_is_asked_for_once(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert path_of(HUB) == path_of("modelpulse-publishers-monthly")
    main(["compare-references", HUB, "modelpulse-publishers-monthly"])
    assert server.requests == [path_of(HUB)]
    capsys.readouterr()


def change(server: LoopbackServer, name: str, edit: Callable[[Any], Any]) -> None:
    body = server.bodies[path_of(name)]  # type: ignore[attr-defined]
    server.says(path_of(name), Answer(body=edit(body)))


def test_a_changed_cell_is_named(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def edit(body: bytes) -> bytes:
        content = json.loads(body)
        content["months"][3]["active"] += 1
        return json.dumps(content).encode()

    change(server, HUB, edit)
    status, found, lines = said(capsys, HUB)
    assert status == 1
    row = ours(HUB).iloc[3]
    assert found[HUB]["differences"] == [
        {
            "row": row["month"],
            "column": "active_models",
            "ours": row["active_models"],
            "theirs": str(int(row["active_models"]) + 1),
        }
    ]
    assert f"{row['month']}, active_models: ours {row['active_models']}, public" in lines


def test_rows_that_one_side_lacks_are_named(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    change(server, NETWORK, lambda body: body.replace(b"2024-09,", b"2031-09,"))
    status, found, _ = said(capsys, NETWORK)
    assert status == 1
    assert {(d["row"], d["theirs"]) for d in found[NETWORK]["differences"]} == {
        ("2024-09", "not in the public file"),
        ("2031-09", "not in our copy"),
    }


def test_what_an_extract_leaves_out_is_no_difference(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "modelpulse-publishers-monthly"

    def edit(body: bytes) -> bytes:
        content = json.loads(body)
        content["textgen_orgs"].append(
            {"m": "2024-07-01", "author": "mradermacher", "dl": 1.0, "share": 0.1}
        )
        return json.dumps(content).encode()

    change(server, name, edit)
    assert said(capsys, name)[0] == 0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(404, b"no such page\n"), "answered 404"),
        (Answer(500, b""), "answered 500"),
        (Answer(body=b'{"months": [', declared=4000), "broke off"),
        (Answer(body=b'{"months": ['), "not readable as JSON"),
        (Answer(body=b"<!DOCTYPE html><html>Please log in"), "an HTML page came"),
        (Answer(body=b"[]"), "has no list 'months'"),
        (Answer(body=b'{"months": 5}'), "no list of objects"),
        (Answer(body=b'{"months": [5]}'), "no list of objects"),
        (Answer(body=b'{"months": [{"m": "2024-07-01"}]}'), "has 'active'"),
        (Answer(body=b"[" * 100_000), "not readable as JSON"),
        (Answer(body=b"\xff\xfe\x00"), "not UTF-8"),
    ],
)
def test_what_is_no_such_file_is_said_and_the_rest_compared(
    server: LoopbackServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    why: str,
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    server.says(path_of(HUB), answer)
    status, found, lines = said(capsys, HUB, NETWORK)
    assert status == 2
    assert (found[HUB]["state"], found[HUB]["failed"]) == ("not compared", True)
    assert why in found[HUB]["why"]
    assert "\n" not in found[HUB]["why"]
    assert "compare by hand" in found[HUB]["what_to_do"]
    assert found[NETWORK]["state"] == "same"
    assert "Traceback" not in lines


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"month,other\n2024-07,1\n", "no column 'active_bases'"), (b"", "no column")],
)
def test_a_csv_of_another_layout_is_refused(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str], body: bytes, why: str
) -> None:
    server.says(path_of(NETWORK), Answer(body=body))
    status, found, _ = said(capsys, NETWORK)
    assert status == 2
    assert why in found[NETWORK]["why"]


def test_a_difference_weighs_more_than_a_file_that_cannot_be_had(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.says(path_of(HUB), Answer(404))
    change(server, NETWORK, lambda body: body.replace(b"136705", b"136706"))
    assert said(capsys, HUB, NETWORK)[0] == 1


def test_many_differences_are_counted(
    server: LoopbackServer, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "modelpulse-publishers-monthly"

    def edit(body: bytes) -> bytes:
        content = json.loads(body)
        for row in content["textgen_orgs"]:
            row["dl"] += 7
        return json.dumps(content).encode()

    change(server, name, edit)
    status, found, lines = said(capsys, name)
    assert status == 1
    assert len(found[name]["differences"]) == copies.KEPT
    assert found[name]["more"] == len(ours(name)) - copies.KEPT
    assert f"and {len(ours(name)) - 5:,} more" in lines


def test_no_network_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.delenv(raw.MIRROR_VARIABLE, raising=False)
    port = free_port()
    local = partial(raw.download, patience=PATIENCE, address=lambda _: f"http://127.0.0.1:{port}/x")
    monkeypatch.setattr(raw, "download", local)
    status, found, _ = said(capsys, NETWORK)
    assert status == 2
    assert "cannot be reached" in found[NETWORK]["why"]


def test_an_unknown_table_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare-references", "nothing"]) == 2
    message = capsys.readouterr().err
    assert "no table of data/reference is called 'nothing'" in message
    assert HUB in message


def test_the_help_teaches_the_states_and_the_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as done:
        main(["compare-references", "--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    for words in ("same", "differs", "not compared", "exit status", "examples", "OMR_MIRROR"):
        assert words in text


# ------------------------------------------------------------------------------------- addresses


def test_a_page_at_a_commit_becomes_the_address_of_its_bytes() -> None:
    commit = "8e95ef7482aa3619184bdc1cb2378f5485bf40af"
    page = f"https://github.com/zhingoll/ModelRank/blob/{commit}/results/a file.csv"
    assert raw.raw_address(page) == (
        f"https://raw.githubusercontent.com/zhingoll/ModelRank/{commit}/results/a%20file.csv"
    )


@pytest.mark.parametrize(
    "page",
    [
        "https://github.com/a/b/blob/main/x.csv",
        "https://github.com/a/b",
        "https://example.org/a/b/blob/8e95ef7482aa3619184bdc1cb2378f5485bf40af/x.csv",
        "https://github.com/a/b/blob/8e95ef7482aa3619184bdc1cb2378f5485bf40af/../x.csv",
        "https://github.com/a/b/blob/8e95ef7482aa3619184bdc1cb2378f5485bf40af/x.csv?raw=1",
        "file:///etc/passwd",
    ],
)
def test_another_address_is_refused(page: str) -> None:
    with pytest.raises(InputError, match="not a file at a commit"):
        raw.raw_address(page)


def test_the_mirror_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ENTRIES[NETWORK].source
    file = tmp_path / "raw.githubusercontent.com" / path_of(NETWORK).lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"month\n")
    monkeypatch.setenv(raw.MIRROR_VARIABLE, str(tmp_path))
    assert raw.download(page, patience=PATIENCE) == b"month\n"


def test_a_file_without_end_is_given_up(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.raw.public.LARGEST", 1 << 20)
    server.says(path_of(NETWORK), Answer(body=b"x" * (3 << 20)))
    with pytest.raises(UnavailableError, match="larger than 1 MB"):
        raw.download(ENTRIES[NETWORK].source)


# ---------------------------------------------------------------------------------- declarations


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda entry: entry.pop("compare"), "say how it is compared, or why it is not"),
        (lambda entry: entry.update(not_compared="x"), "say how it is compared"),
        (lambda entry: entry["compare"].update(format="xml"), "compare.format"),
        (lambda entry: entry["compare"].pop("rows"), "name of its rows"),
        (lambda entry: entry["compare"].update(key=["day"]), "has no column entry"),
        (lambda entry: entry.update(colour="red"), "colour"),
    ],
)
def test_a_wrong_declaration_is_refused(edit: Any, message: str) -> None:
    mapping = copy.deepcopy(DECLARED)
    edit(mapping["table"][0])
    with pytest.raises(InputError, match=message):
        copies.parse(mapping)


def test_every_key_finds_one_row_of_our_copies() -> None:
    for name in COMPARED:
        rule = ENTRIES[name].compare
        assert rule is not None
        keys = [*rule.key, *(["snapshot_label"] if rule.address else [])]
        assert not ours(name).duplicated(keys).any(), name
        assert set(rule.column) <= set(ours(name).columns)


# ------------------------------------------------------------------------------------ properties


@given(
    value=st.floats(0, 1e9, allow_nan=False), digits=st.integers(0, 6), off=st.sampled_from([0, 2])
)
def test_a_rounded_copy_equals_its_original_and_no_other(
    value: float, digits: int, off: int
) -> None:
    copied = round(value, digits) + off * 10.0**-digits
    assert copies._equal(f"{copied:.{digits}f}", repr(value), digits) == (off == 0)


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_outcome(content: bytes) -> None:
    for name in (HUB, NETWORK):
        outcome = copies.compare(ENTRIES[name], ours(name), lambda _: content)
        assert outcome.state in ("differs", "not compared")
        for one in outcome.differences:
            assert str(one).isprintable()
