"""``pin``: rows of the registry for files of a Hub on loopback; what that serves is made up."""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import raw
from analysis.commands import pinning as command
from analysis.errors import InputError, IntegrityError, RecordError, UnavailableError
from analysis.raw import hub, pinning, writing
from tests.support import hub_files as hf
from tests.support.hub_server import Response

REPO = "hfmlsoc/hub_weekly_snapshots"
REAL = raw.project_root() / "data" / "sources"
TOKEN = "hf_PlantedTokenThatMustNotLeak0123456789"


def day_of(day: str, storage: hf.Storage = "xet") -> tuple[str, hf.File]:
    body = hashlib.sha256(day.encode()).digest() * 99
    return f"models/{day}/models.parquet", hf.File(body, storage)


FILES = {
    ".gitattributes": hf.File(b"*.parquet filter=lfs\n", "git"),
    "README.md": hf.File(b"# A card\n", "git"),
    "newest.parquet": hf.File(b"undated" * 9),
    "notes/2026-02-25.csv": hf.File(b"id,downloads\n", "git"),
    **dict(day_of(day) for day in ("2026-02-25", "2026-10-07")),
    **dict([day_of("2026-03-04", "lfs")]),
}


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hf.Running]:
    repository = hf.Repository(REPO, card={"license": "odbl", "pretty_name": "Weekly"})
    repository.commit({"README.md": FILES["README.md"]}, tag="empty")
    repository.commit(FILES)
    with hf.running(repository, page=3) as running:
        hf.point_here(monkeypatch, running, tmp_path)
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A part of the real registry, with comments in the file of weekly snapshots."""
    copy = tmp_path / "sources"
    copy.mkdir()
    for name in ("_kinds", "_upstreams", "evolution-panel", "roots", "weekly"):
        shutil.copyfile(REAL / f"{name}.toml", copy / f"{name}.toml")
    weekly = copy / "weekly.toml"
    first, _, row = weekly.read_text("utf-8").partition("[[versions]]")
    # One version only, whatever was pinned since.
    row = row.partition("\n\n[[versions]]")[0]
    weekly.write_text(f"# kept\n{first}# of this row\n[[versions]]{row.rstrip()}\n", "utf-8")
    return copy


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    arguments = parser.parse_args(["pin", *words])
    status: int = arguments.run(arguments)
    return status


def run_in(folder: Path, *words: str) -> int:
    return run(*words, "--to", str(folder))


def state_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_row_is_written_in_order_and_all_other_bytes_stay(
    on: hf.Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(folder)
    path, one = day_of("2026-02-25")
    assert run_in(folder, REPO, path) == 0
    printed = capsys.readouterr().out
    assert "pinned weekly-2026-02-25" in printed
    assert one.sha256 in printed
    block = (
        "[[versions]]\n"
        'name = "weekly-2026-02-25"\n'
        f'commit = "{on.sets.repositories[REPO].head}"\n'
        'as_of = "2026-02-25"\n'
        'as_of_known_by = "the folder in the path: models/2026-02-25"\n'
        f'sha256 = "{one.sha256}"\n'
        'hash_by = "declared by the publisher"\n'
        f"bytes = {len(one.body)}\n"
        'path = "models/2026-02-25/models.parquet"\n'
    )
    after = state_of(folder)
    weekly = after.pop("weekly.toml").decode()
    was = before.pop("weekly.toml").decode()
    # The comment above the later row goes with that row.
    assert weekly == was.replace("# of this row\n", f"{block}\n# of this row\n")
    assert after == before
    source, version = raw.load_registry(folder).find("weekly-2026-02-25")
    assert source.id == "weekly"
    assert version.url.endswith(f"/resolve/{version.commit}/{path}")
    assert not on.hub.asked("/datasets/")  # nothing was downloaded


def test_later_days_come_later_and_what_is_pinned_can_be_fetched(
    on: hf.Running, folder: Path
) -> None:
    was = (folder / "weekly.toml").read_text("utf-8")
    for day in ("2026-10-07", "2026-03-04", "2026-02-25"):
        assert run_in(folder, REPO, day_of(day)[0]) == 0
    registry = raw.load_registry(folder)
    names = [version.name for version in registry.source("weekly").versions]
    days = ["2026-02-25", "2026-03-04", "2026-09-30", "2026-10-07"]
    assert names == [f"weekly-{day}" for day in days]
    assert (folder / "weekly.toml").read_text("utf-8").startswith(was.partition("# of this")[0])
    for day in ("2026-10-07", "2026-03-04"):
        path = raw.fetch(f"weekly-{day}", registry=registry, progress=False)
        assert path.read_bytes() == day_of(day)[1].body


@pytest.mark.parametrize("ending", ["\r\n", ""], ids=["CRLF", "no last line end"])
def test_the_way_a_file_ends_its_lines_is_kept(on: hf.Running, folder: Path, ending: str) -> None:
    weekly = folder / "weekly.toml"
    text = weekly.read_text("utf-8")
    was = text.replace("\n", ending).encode() if ending else text.rstrip("\n").encode()
    weekly.write_bytes(was)
    assert run_in(folder, REPO, day_of("2026-10-07")[0]) == 0
    now = weekly.read_bytes()
    assert now.startswith(was)
    if ending:
        assert now.count(b"\r\n") == now.count(b"\n")
    assert raw.load_registry(folder).find("weekly-2026-10-07")


@settings(max_examples=60)
@given(
    days=st.lists(st.dates(), min_size=1, max_size=6, unique=True).map(sorted),
    new=st.dates(),
    between=st.lists(st.sampled_from(["", "# a note\n", "\n", "\n# [[versions]]\n", "\r\n"])),
)
def test_whatever_stands_between_rows_stays(
    days: list[dt.date], new: dt.date, between: list[str]
) -> None:
    if new in days:
        return
    loose = [*between, *[""] * 7]
    rows = "".join(
        f'{loose[n]}[[versions]]\nname = "n-{day}"\nas_of = "{day}"\n' for n, day in enumerate(days)
    )
    before = f'id = "x"\n{rows}{loose[len(days)]}'.encode()
    versions = tuple(raw.Version.model_construct(name=f"n-{d}", as_of=str(d)) for d in days)
    source = raw.Source.model_construct(versions=versions)
    row = {"name": f"n-{new}", "as_of": str(new)}
    after = writing.inserted(before, source, row, Path("x.toml"))
    named = [one["as_of"] for one in tomllib.loads(after.decode())["versions"]]
    assert named == sorted(map(str, [*days, new]))
    assert any(
        after.startswith(before[:place]) and after.endswith(before[place:])
        for place in range(len(before) + 1)
    )


def test_a_dry_run_prints_the_block_and_writes_nothing(
    on: hf.Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state_of(folder)
    path = day_of("2026-02-25")[0]
    assert run_in(folder, REPO, path, "--dry-run") == 0
    printed = capsys.readouterr().out
    assert state_of(folder) == before
    run_in(folder, REPO, path)
    assert printed.partition("\n")[2] in (folder / "weekly.toml").read_text("utf-8")


def test_what_is_pinned_already_is_no_error_and_changes_nothing(
    on: hf.Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = day_of("2026-02-25")[0]
    run_in(folder, REPO, path)
    # The same bytes at a newer commit are the same file.
    on.sets.repositories[REPO].commit({**FILES, "more.parquet": hf.File(b"more")})
    before = state_of(folder)
    capsys.readouterr()
    assert run_in(folder, REPO, path, "--name", "another-2026-02-25") == 0
    printed = capsys.readouterr().out
    assert printed == f"pinned already: weekly-2026-02-25, in {folder / 'weekly.toml'}\n"
    assert run_in(folder, REPO, path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["state"] == "pinned already"
    assert state_of(folder) == before


def test_a_source_without_versions_gets_its_first(
    on: hf.Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panel = hf.Repository("mmpr/open_model_evolution_data")
    panel.commit({"all.parquet": hf.File(b"panel")})
    on.sets.repositories[panel.name] = panel
    assert run_in(folder, panel.name, "all.parquet", "--as-of", "2025-01-01..2025-06-30") == 0
    assert "note: the first version of evolution-panel: read licence" in capsys.readouterr().out
    _, version = raw.load_registry(folder).find("evolution-panel-2025-01-01")
    assert version.as_of_known_by == "given by hand when it was pinned"
    assert version.path == "all.parquet"


def test_a_card_that_changed_its_licence_is_told(
    on: hf.Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on.sets.repositories[REPO].card["license"] = "cc-by-4.0"
    run_in(folder, REPO, day_of("2026-02-25")[0])
    assert "note: the card states licence cc-by-4.0 now" in capsys.readouterr().out


# -- a repository that is new to the registry ------------------------------------------------------

NEW = ("--kind", "hub-snapshot", "--upstream", "hub-api")


def new_repository(on: hf.Running, card: dict[str, object]) -> str:
    made = hf.Repository("someone/Hub_Days", card=card)
    made.commit({"days/20260225.parquet": hf.File(b"a day")})
    on.sets.repositories[made.name] = made
    return made.name


def test_a_new_repository_gets_a_file_of_its_own(on: hf.Running, folder: Path) -> None:
    name = new_repository(on, {"license": "mit", "pretty_name": 'Days "of" the Hub\n\x00'})
    before = state_of(folder)
    assert run_in(folder, name, "days/20260225.parquet", *NEW) == 0
    source, version = raw.load_registry(folder).find("hub-days-2026-02-25")
    assert source.title == 'Days "of" the Hub'
    assert (source.licence, source.share_alike, source.state) == ("mit", False, "optional")
    assert source.citation.startswith("someone, Hub_Days, data set on the Hugging Face Hub, days/")
    assert version.hash_by == "declared by the publisher"
    after = state_of(folder)
    assert {k: v for k, v in after.items() if k in before} == before
    assert set(after) - set(before) == {"hub-days.toml"}


@pytest.mark.parametrize(
    ("card", "options", "licence", "share_alike"),
    [
        ({}, ["--no-share-alike"], "not stated", False),
        ({"license": "cc-by-sa-4.0"}, [], "cc-by-sa-4.0", True),
        ({"license": ["mit", "odbl"]}, ["--share-alike"], "mit, odbl", True),
        (
            {"license": "other", "license_name": "own", "license_link": "LICENSE"},
            ["--no-share-alike"],
            "other",
            False,
        ),
        ({"license": {"x": 1}}, ["--no-share-alike"], "not stated", False),
        ({"license": "x" * 999}, ["--no-share-alike"], "x" * 200, False),
        ({}, ["--licence", "CC0-1.0"], "CC0-1.0", False),
    ],
)
def test_the_licence_is_what_the_card_states(
    on: hf.Running,
    folder: Path,
    card: dict[str, object],
    options: list[str],
    licence: str,
    share_alike: bool,
) -> None:
    name = new_repository(on, card)
    assert run_in(folder, name, "days/20260225.parquet", *NEW, *options) == 0
    source = raw.load_registry(folder).source("hub-days")
    assert (source.licence, source.share_alike) == (licence, share_alike)
    assert ("own. LICENSE." in source.licence_notes) == (licence == "other")


def test_what_is_missing_is_named_in_one_line(on: hf.Running, folder: Path) -> None:
    name = new_repository(on, {})
    before = state_of(folder)
    with pytest.raises(InputError) as caught:
        run_in(folder, name, "days/20260225.parquet")
    message = str(caught.value)
    for option in ("--kind (one of ", "--upstream (one of ", "--share-alike or --no-share-alike"):
        assert option in message
    assert "\n" not in message
    with pytest.raises(InputError, match=r"not pinned: .*no kind is called 'hub-snapshots'"):
        run_in(folder, name, "days/20260225.parquet", *NEW[2:], "--no-share-alike", "--kind",
               "hub-snapshots")  # fmt: skip
    with pytest.raises(InputError, match=r"weekly.toml: there already, for another repository"):
        run_in(folder, name, "days/20260225.parquet", *NEW, "--source", "weekly")
    assert state_of(folder) == before


# -- hashes ----------------------------------------------------------------------------------------


def test_a_file_in_git_itself_is_hashed_here_only_if_asked(on: hf.Running, folder: Path) -> None:
    words = (REPO, "notes/2026-02-25.csv", "--source", "weekly-notes", *NEW)
    with pytest.raises(InputError, match="--hash downloads its 13 bytes and computes it here"):
        run_in(folder, *words)
    assert not (folder / "weekly-notes.toml").exists()
    assert run_in(folder, *words, "--hash") == 0
    _, version = raw.load_registry(folder).find("weekly-notes-2026-02-25")
    assert version.sha256 == FILES["notes/2026-02-25.csv"].sha256
    assert version.hash_by == "computed here"
    assert run_in(folder, *words) == 0  # pinned already, without another download


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (hf.other_bytes, IntegrityError, "is not the file that git names"),
        (hf.failing(404), UnavailableError, "answered 404"),
        (hf.cut_after(3), UnavailableError, "cannot be downloaded"),
        (hf.rubbish(b"short"), IntegrityError, "is not the file that git names"),
        (hf.rubbish(b"far too long for it"), IntegrityError, "is not the file that git names"),
    ],
)
def test_a_hash_is_computed_of_gits_own_bytes_only(
    on: hf.Running, folder: Path, fault: hf.Fault, error: type[RecordError], words: str
) -> None:
    on.hub.faults.append(
        lambda request, answer: (
            fault(request, answer) if request.path.startswith("/api/resolve-cache/") else answer
        )
    )
    before = state_of(folder)
    with pytest.raises(error, match=words):
        run_in(folder, REPO, "notes/2026-02-25.csv", "--hash", "--source", "weekly-notes", *NEW)
    assert state_of(folder) == before


def test_a_hash_of_something_large_is_not_computed(on: hf.Running, folder: Path) -> None:
    pinner = pinning.Pinner(folder)
    found = pinner.look_up(REPO, "notes/2026-02-25.csv")
    with pytest.raises(InputError, match="13 bytes, more than the 12"):
        pinner.hashed(found, limit=12)
    assert not on.hub.asked("/datasets/")


# -- days ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("models/2026-02-25/models.parquet", "2026-02-25"),
        ("models/2026_02_25.parquet", "2026-02-25"),
        ("models-20260225.parquet", "2026-02-25"),
        ("2026-02-25/2026-02-25.parquet", "2026-02-25"),
        ("2026-02-24/2026-02-25.parquet", ""),
        ("models/2026-02-30.parquet", ""),
        ("models/2026-0225.parquet", ""),
        ("models/120260225.parquet", ""),
        ("models/19991231.parquet", ""),
        ("models.parquet", ""),
    ],
)
def test_the_day_is_read_from_the_path_if_there_is_one(path: str, day: str) -> None:
    assert pinning.day_in(path)[0] == day


def test_a_path_without_a_day_needs_one_by_hand(on: hf.Running, folder: Path) -> None:
    words = (REPO, "newest.parquet", "--source", "weekly")
    with pytest.raises(InputError, match="names no single day: give --as-of YYYY-MM-DD"):
        run_in(folder, *words)
    with pytest.raises(InputError, match=r"not pinned: .*must be a day YYYY-MM-DD"):
        run_in(folder, *words, "--as-of", "yesterday")
    assert run_in(folder, *words, "--as-of", "2026-03-01", "--as-of-known-by", "its card") == 0
    _, version = raw.load_registry(folder).find("weekly-2026-03-01")
    assert version.as_of_known_by == "its card"


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["nobody/nothing", "x"], UnavailableError, "the Hub shows no such data set"),
        ([REPO, "x"], UnavailableError, "no file x at commit .*--list"),
        ([REPO, "models"], InputError, "models is a folder: name one file in it"),
        ([REPO, "x", "--revision", "v9"], UnavailableError, "v9: the Hub has no such revision"),
        ([REPO, "newest.parquet", "--revision", "empty"], UnavailableError, "no file newest"),
        ([REPO, "a\nb"], InputError, "no path that can be pinned"),
        (["one", "x"], InputError, "OWNER/NAME is expected"),
        (["../..", "x"], InputError, "OWNER/NAME is expected"),
        (["a/b/c\x1b", "x"], InputError, "OWNER/NAME is expected"),
        ([REPO], InputError, "which file"),
        ([REPO, "x", "--list"], InputError, "--under, not a path"),
        ([REPO, "x", "--under", "y"], InputError, "goes with --list"),
        (["--list", REPO, "--under", "no/such"], UnavailableError, "no such path"),
        ([REPO, day_of("2026-03-04")[0], "--name", "Not A Slug"], InputError, "not pinned.*name"),
        (
            [REPO, day_of("2026-03-04")[0], "--name", "roots-2026-03"],
            InputError,
            "roots-2026-03 names another file already: give --name",
        ),
    ],
)
def test_what_cannot_be_pinned_is_one_line(
    on: hf.Running, folder: Path, words: list[str], error: type[RecordError], message: str
) -> None:
    before = state_of(folder)
    with pytest.raises(error, match=message) as caught:
        run_in(folder, *words)
    assert "\n" not in str(caught.value)
    assert str(folder.parent / "registry-") not in str(caught.value)
    assert state_of(folder) == before


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (hf.rubbish(), r"cannot be understood \(JSONDecodeError\)"),
        (hf.rubbish(b"[]"), "cannot be understood"),
        (hf.rubbish(b"{}"), "cannot be understood"),
        (hf.rubbish(b'{"id": "x/y", "sha": "<b>"}'), "names no commit"),
        (hf.rubbish(b'{"id": "x/y", "sha": null}'), "names no commit"),
        (hf.failing(403), "answered 403"),
        (hf.failing(500), "answered 500: try again later"),
        (hf.too_many(2), "answered 429: try again later"),
        (hf.cut_after(5), r"cannot be reached \(RemoteProtocolError\)"),
    ],
)
def test_an_answer_that_is_none_is_one_line(
    on: hf.Running, folder: Path, naps: list[float], fault: hf.Fault, message: str
) -> None:
    on.hub.faults.append(fault)
    for words in ([REPO, "x"], ["--list", REPO]):
        with pytest.raises(UnavailableError, match=message) as caught:
            run_in(folder, *words)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"size": -1},
        {"size": "many"},
        {"size": None},
        {"lfs": {"oid": "5", "size": 5, "pointerSize": 134}},
        {"lfs": {"oid": None, "size": 5, "pointerSize": 134}},
        {"lfs": {"oid": "5" * 64, "size": True, "pointerSize": 134}},
        {"lfs": {}},
        {"type": "x"},
    ],
)
def test_a_size_or_hash_that_is_none_is_refused(
    on: hf.Running, folder: Path, entry: dict[str, object]
) -> None:
    path = day_of("2026-02-25")[0]
    row = {"type": "file", "oid": "0" * 40, "size": 5, "path": path, **entry}
    on.hub.faults.append(
        lambda request, answer: (
            Response(200, json.dumps([row]).encode()) if "/paths-info/" in request.path else answer
        )
    )
    before = state_of(folder)
    with pytest.raises(RecordError) as caught:
        run_in(folder, REPO, path)
    assert "\n" not in str(caught.value)
    assert state_of(folder) == before


def test_a_busy_hub_is_waited_for(on: hf.Running, folder: Path, naps: list[float]) -> None:
    on.hub.faults += [hf.times(1, hf.too_many(7)), hf.after(1, hf.times(1, hf.failing(502)))]
    assert run_in(folder, REPO, day_of("2026-02-25")[0]) == 0
    assert naps == [7, 2]


def test_a_silent_hub_is_given_up(
    on: hf.Running, folder: Path, naps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client of huggingface_hub is one for the whole process: its patience is put back after.
    monkeypatch.setattr(hub, "_timeout", hub._timeout)
    on.hub.faults.append(hf.silent(3))
    pinner = pinning.Pinner(folder, raw.Patience(attempts=2, read=0.1))
    with pytest.raises(UnavailableError, match=r"cannot be reached \(ReadTimeout\)"):
        pinner.look_up(REPO, "x")
    assert len(on.hub.asked()) == 2
    # The listing too, for which huggingface_hub itself would wait for ever.
    on.hub.faults[:] = [
        lambda request, answer: (
            hf.silent(3)(request, answer) if "/tree/" in request.path else answer
        )
    ]
    with pytest.raises(UnavailableError, match=r"cannot be reached \(ReadTimeout\)"):
        pinner.candidates(REPO)


def test_without_a_network_the_hub_cannot_be_reached(
    on: hf.Running, folder: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnavailableError, match=r":9 cannot be reached.*check the network"):
        run_in(folder, REPO, "x")
    assert naps == []
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for words in ([REPO, "x"], ["--list", REPO]):
        with pytest.raises(UnavailableError, match="HF_HUB_OFFLINE forbids to ask the Hub"):
            run_in(folder, *words)


def test_a_token_reads_a_private_data_set_and_is_written_nowhere(
    on: hf.Running,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    on.sets.repositories[REPO].private = True
    with pytest.raises(UnavailableError, match="if it is private, log in"):
        run_in(folder, REPO, day_of("2026-02-25")[0])
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(
        UnavailableError, match="answered 401: it does not know the token"
    ) as caught:
        run_in(folder, REPO, day_of("2026-02-25")[0])
    assert TOKEN not in str(caught.value)
    on.sets.tokens.add(TOKEN)
    assert run_in(folder, REPO, day_of("2026-02-25")[0]) == 0
    assert run_in(folder, "--list", REPO) == 0
    assert run_in(folder, REPO, "notes/2026-02-25.csv", "--hash", "--source", "n", *NEW) == 0
    assert TOKEN not in "".join(capfd.readouterr())
    assert not any(TOKEN.encode() in content for content in state_of(folder).values())
    assert any(one.headers.get("authorization") == f"Bearer {TOKEN}" for one in on.hub.asked())
    assert not on.cdn.asked()
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN} with blanks")
    with pytest.raises(InputError, match="characters that no token has") as bad:
        run_in(folder, REPO, "x")
    assert TOKEN not in str(bad.value)


# -- writing ---------------------------------------------------------------------------------------


def test_a_file_that_changed_meanwhile_is_left_alone(
    on: hf.Running, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weekly = folder / "weekly.toml"
    real = pinning.read_back

    def meanwhile(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        weekly.write_bytes(weekly.read_bytes() + b"# of another\n")

    monkeypatch.setattr(pinning, "read_back", meanwhile)
    with pytest.raises(InputError, match="changed while this was pinned: pin again"):
        run_in(folder, REPO, day_of("2026-02-25")[0])
    assert weekly.read_bytes().endswith(b"# of another\n")
    assert {path.suffix for path in folder.iterdir()} == {".toml"}


def test_a_disk_that_refuses_leaves_the_registry_as_it_was(
    on: hf.Running, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state_of(folder)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"weekly.toml: cannot be written: No space left"):
        run_in(folder, REPO, day_of("2026-02-25")[0])
    assert state_of(folder) == before


def test_a_layout_that_is_not_understood_is_left_to_a_person(on: hf.Running, folder: Path) -> None:
    weekly = folder / "weekly.toml"
    text = weekly.read_text("utf-8")
    weekly.write_text(text.replace('covers = "', 'covers = """\n[[versions]]\n', 1).replace(
        'about 1.6 GB a week."', 'about 1.6 GB a week."""'), "utf-8")  # fmt: skip
    assert raw.load_registry(folder).source("weekly").covers.startswith("[[versions]]")
    before = state_of(folder)
    with pytest.raises(InputError, match="its layout is not understood: write the block in by"):
        run_in(folder, REPO, day_of("2026-02-25")[0])
    assert state_of(folder) == before


def test_a_row_that_would_get_lost_in_a_text_is_not_written(on: hf.Running, folder: Path) -> None:
    weekly = folder / "weekly.toml"
    before, _, row = weekly.read_text("utf-8").partition("# of this row\n[[versions]]\n")
    fields = ", ".join(row.strip().split("\n"))
    weekly.write_text(
        before.replace('covers = "', 'covers = """\n[[versions]]\n').replace(
            'GB a week."', 'GB a week."""'
        )
        + f"versions = [{{ {fields} }}]\n",
        "utf-8",
    )
    was = state_of(folder)
    with pytest.raises(InputError, match="its layout is not understood"):
        run_in(folder, REPO, day_of("2026-02-25")[0])
    assert state_of(folder) == was


def test_nothing_but_the_new_row_may_differ(
    on: hf.Running, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pinning.inserted

    def careless(*arguments: object) -> bytes:
        return real(*arguments).replace(b"ODbL-1.0", b"MIT")  # type: ignore[arg-type]

    monkeypatch.setattr(pinning, "inserted", careless)
    before = state_of(folder)
    with pytest.raises(InputError, match="its layout is not understood"):
        run_in(folder, REPO, day_of("2026-02-25")[0])
    assert state_of(folder) == before


# -- listing ---------------------------------------------------------------------------------------


def test_what_can_be_pinned_is_listed_by_day(
    on: hf.Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_in(folder, REPO, day_of("2026-03-04")[0])
    capsys.readouterr()
    on.hub.requests.clear()
    assert run_in(folder, "--list", REPO, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["day"], row["path"]) for row in rows] == [
        ("2026-02-25", "models/2026-02-25/models.parquet"),
        ("2026-02-25", "notes/2026-02-25.csv"),
        ("2026-03-04", "models/2026-03-04/models.parquet"),
        ("2026-10-07", "models/2026-10-07/models.parquet"),
        (None, "newest.parquet"),
    ]
    assert [row["pinned_as"] for row in rows] == [None, None, "weekly-2026-03-04", None, None]
    assert rows[1]["sha256"] is None
    assert len(on.hub.asked(f"/api/datasets/{REPO}/tree/")) > 2  # pages of three
    assert run_in(folder, "--list", REPO, "--under", "models/") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[2].split() == [
        "2026-03-04",
        "3,168",
        day_of("2026-03-04")[1].sha256[:8],
        "weekly-2026-03-04",
        "models/2026-03-04/models.parquet",
    ]
    assert lines[-1].startswith("3 files, 1 pinned already, at commit ")


def test_a_path_with_control_characters_is_listed_harmlessly(
    on: hf.Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on.sets.repositories[REPO].commit({"a\x1b[31m\nb.parquet": hf.File(b"x"), "c": hf.File(b"y")})
    assert run_in(folder, "--list", REPO) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert len(printed.splitlines()) == 4


def test_nothing_to_pin_is_said(
    on: hf.Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_in(folder, "--list", REPO, "--revision", "empty") == 0
    assert capsys.readouterr().out == "nothing here that can be pinned\n"
