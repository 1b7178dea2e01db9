"""Downloading from a server that misbehaves: a real one, on loopback."""

from __future__ import annotations

import email.utils
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from analysis import raw
from analysis.errors import InputError, IntegrityError, UnavailableError
from tests.support.http_server import Answer, LoopbackServer, free_port, loopback_server
from tests.support.registries import COMMIT, registry_of
from tests.test_raw_gittree import FILES, archive

BODY = b"real data, line by line\n" * 4000
PAGE = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n"
NAME = "thing-2026-01-01"
PATH = f"/nobody/nothing/{COMMIT}/data/a%20thing.json"
ATTEMPTS = 3


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    with loopback_server() as running:
        yield running


def fetcher(
    server: LoopbackServer, cache: Path, registry: raw.Registry | None = None, **limits: float
) -> raw.Fetcher:
    patience = {"attempts": ATTEMPTS, "backoff": 0.01, "longest_wait": 9.0, "read": 5.0, **limits}
    return raw.Fetcher(
        registry=registry_of(BODY) if registry is None else registry,
        cache=cache,
        patience=raw.Patience(**patience),  # type: ignore[arg-type]
        address=lambda url: server.url + urlsplit(url).path,
    )


def files(cache: Path) -> list[str]:
    return sorted(str(p.relative_to(cache)) for p in cache.rglob("*") if p.is_file())


def test_a_good_answer_is_kept_and_not_asked_for_again(
    server: LoopbackServer, tmp_path: Path
) -> None:
    server.says(PATH, Answer(body=BODY))
    using = fetcher(server, tmp_path)
    path = using.fetch(NAME)
    assert path.read_bytes() == BODY
    assert files(tmp_path) == [f"raw.githubusercontent.com{PATH}"]
    assert using.fetch(NAME) == path
    assert server.requests == [PATH]


def test_a_body_that_breaks_off_is_asked_for_again(
    server: LoopbackServer, tmp_path: Path, naps: list[float]
) -> None:
    cut = Answer(body=BODY[:5000], declared=len(BODY))
    server.says(PATH, cut, Answer(body=BODY))
    assert fetcher(server, tmp_path).fetch(NAME).read_bytes() == BODY
    assert len(server.requests) == 2
    assert naps == [0.01]


@pytest.mark.parametrize(
    "cut",
    [
        Answer(body=BODY[:5000], declared=len(BODY)),
        Answer(body=BODY[:5000], length=False),
        Answer(body=BODY[:5000], headers={"Content-Encoding": "gzip"}),
    ],
    ids=["length declared", "no length", "broken encoding"],
)
def test_a_body_that_always_breaks_off_is_given_up(
    server: LoopbackServer, tmp_path: Path, naps: list[float], cut: Answer
) -> None:
    server.says(PATH, cut)
    with pytest.raises(UnavailableError, match=r"broke off .*3 times.*OMR_MIRROR"):
        fetcher(server, tmp_path).fetch(NAME)
    assert len(server.requests) == ATTEMPTS
    assert naps == [0.01, 0.02]
    # What came stays for the next run, under a name that no fetch returns.
    assert all(name.endswith(".part") for name in files(tmp_path))
    assert not fetcher(server, tmp_path).path_of(registry_of(BODY).find(NAME)[1]).exists()


def test_a_redirect_is_followed(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(302, headers={"Location": "/elsewhere"}))
    server.says("/elsewhere", Answer(body=BODY))
    assert fetcher(server, tmp_path).fetch(NAME).read_bytes() == BODY


def test_a_redirect_to_a_web_page_is_told_from_data(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(302, headers={"Location": "/login"}))
    server.says("/login", Answer(body=PAGE, headers={"Content-Type": "text/html"}))
    with pytest.raises(IntegrityError, match="an HTML page came instead of data") as caught:
        fetcher(server, tmp_path).fetch(NAME)
    assert f"{len(PAGE)} bytes" in str(caught.value)
    assert files(tmp_path) == []


def test_redirects_without_end_are_given_up(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(302, headers={"Location": PATH}))
    with pytest.raises(UnavailableError, match="redirects"):
        fetcher(server, tmp_path).fetch(NAME)


@pytest.mark.parametrize(
    "wrong",
    [BODY.replace(b"real", b"fake"), BODY + b"more", BODY + BODY * 40, BODY[:-1] + b"\0"],
    ids=["other words", "a little more", "much more", "one byte"],
)
def test_wrong_bytes_are_refused_with_both_hashes(
    server: LoopbackServer, tmp_path: Path, wrong: bytes
) -> None:
    # Without a length: one that differs is refused before anything is read.
    server.says(PATH, Answer(body=wrong, length=False))
    using = fetcher(server, tmp_path)
    _, version = using.registry.find(NAME)
    with pytest.raises(IntegrityError) as caught:
        using.fetch(NAME)
    message = str(caught.value)
    assert message.startswith(NAME)
    assert f"expected sha256 {version.sha256} ({len(BODY)} bytes), got " in message
    assert server.url in message
    assert "\n" not in message
    assert files(tmp_path) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1, 40 * len(BODY), 10**17])
def test_another_length_is_refused_before_anything_is_kept(
    server: LoopbackServer, tmp_path: Path, size: int
) -> None:
    server.says(PATH, Answer(body=BODY, declared=size))
    with pytest.raises(IntegrityError) as caught:
        fetcher(server, tmp_path).fetch(NAME)
    assert f"offers {size} bytes, the registry names {len(BODY)}; nothing was" in str(caught.value)
    assert files(tmp_path) == []
    assert len(server.requests) == 1


def test_a_body_far_too_long_is_not_read_to_its_end(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(body=BODY * 40, length=False))
    with pytest.raises(IntegrityError) as caught:
        fetcher(server, tmp_path).fetch(NAME)
    read = int(str(caught.value).split("got ")[1].split("(")[1].split(" bytes")[0])
    assert len(BODY) < read < 20 * len(BODY)


def test_404_says_what_to_do(server: LoopbackServer, tmp_path: Path, naps: list[float]) -> None:
    with pytest.raises(UnavailableError, match=f"answered 404.*commit {COMMIT}.*OMR_MIRROR"):
        fetcher(server, tmp_path).fetch(NAME)
    assert len(server.requests) == 1
    assert naps == []
    assert files(tmp_path) == []


def test_403_is_not_tried_again(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(403, PAGE))
    with pytest.raises(UnavailableError, match="answered 403: it is not served to you"):
        fetcher(server, tmp_path).fetch(NAME)
    assert len(server.requests) == 1


def test_429_waits_as_long_as_the_server_asks(
    server: LoopbackServer, tmp_path: Path, naps: list[float]
) -> None:
    server.says(PATH, Answer(429, headers={"Retry-After": "7"}), Answer(body=BODY))
    assert fetcher(server, tmp_path).fetch(NAME).read_bytes() == BODY
    assert naps == [7]


def test_a_date_in_retry_after_is_understood(
    server: LoopbackServer, tmp_path: Path, naps: list[float]
) -> None:
    until = email.utils.formatdate(time.time() + 6, usegmt=True)
    server.says(PATH, Answer(503, headers={"Retry-After": until}), Answer(body=BODY))
    assert fetcher(server, tmp_path).fetch(NAME).read_bytes() == BODY
    assert len(naps) == 1
    assert 3 < naps[0] <= 6


def test_no_wait_is_longer_than_the_cap(
    server: LoopbackServer, tmp_path: Path, naps: list[float]
) -> None:
    server.says(PATH, Answer(429, headers={"Retry-After": "86400"}), Answer(body=BODY))
    fetcher(server, tmp_path).fetch(NAME)
    assert naps == [9]


def test_503_for_ever_is_given_up_after_growing_waits(
    server: LoopbackServer, tmp_path: Path, naps: list[float]
) -> None:
    server.says(PATH, Answer(503, b"busy"))
    with pytest.raises(UnavailableError, match="answered 503: 3 times; try again later"):
        fetcher(server, tmp_path).fetch(NAME)
    assert len(server.requests) == ATTEMPTS
    assert naps == sorted(naps)
    assert files(tmp_path) == []


def test_a_silent_server_is_given_up(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(body=BODY, pause=5))
    with pytest.raises(UnavailableError, match=r"cannot be reached \(2 tries\).*timed out"):
        fetcher(server, tmp_path, read=0.1, attempts=2).fetch(NAME)
    assert len(server.requests) == 2


def test_a_server_that_stalls_midway_is_asked_again(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(body=BODY, stall=5), Answer(body=BODY))
    assert fetcher(server, tmp_path, read=0.2).fetch(NAME).read_bytes() == BODY
    assert len(server.requests) == 2


def test_a_slow_server_is_waited_for(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(body=BODY, pause=0.1, stall=0.1))
    assert fetcher(server, tmp_path).fetch(NAME).read_bytes() == BODY
    assert len(server.requests) == 1


def test_nobody_listens(server: LoopbackServer, tmp_path: Path, naps: list[float]) -> None:
    server.url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(UnavailableError, match=r"cannot be reached.*refused.*check the network"):
        fetcher(server, tmp_path).fetch(NAME)
    assert files(tmp_path) == []


def test_a_spoilt_cache_is_set_aside_and_fetched_again(
    server: LoopbackServer, tmp_path: Path
) -> None:
    server.says(PATH, Answer(body=BODY))
    using = fetcher(server, tmp_path)
    path = using.fetch(NAME)
    path.write_bytes(b"spoilt")
    assert using.fetch(NAME).read_bytes() == BODY
    assert path.with_name(path.name + ".wrong").read_bytes() == b"spoilt"


def test_a_spoilt_cache_is_never_returned_when_nothing_better_comes(
    server: LoopbackServer, tmp_path: Path
) -> None:
    using = fetcher(server, tmp_path)
    path = using.path_of(using.registry.find(NAME)[1])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"spoilt")
    with pytest.raises(UnavailableError, match="404"):
        using.fetch(NAME)
    assert not path.exists()


def test_many_at_once_get_the_same_file(server: LoopbackServer, tmp_path: Path) -> None:
    server.says(PATH, Answer(body=BODY, stall=0.1))
    using = fetcher(server, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(using.fetch, [NAME] * 4))
    assert {path.read_bytes() for path in paths} == {BODY}
    assert files(tmp_path) == [f"raw.githubusercontent.com{PATH}"]


def test_a_progress_bar_is_drawn_when_wanted(
    server: LoopbackServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.says(PATH, Answer(body=BODY))
    quiet = fetcher(server, tmp_path)
    quiet.fetch(NAME)
    assert capsys.readouterr().err == ""
    raw.Fetcher(
        registry=quiet.registry, cache=tmp_path / "other", address=quiet.address, progress=True
    ).fetch(NAME)
    assert NAME in capsys.readouterr().err


def test_a_full_disk_is_one_line(
    server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.says(PATH, Answer(body=BODY))

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("analysis.raw.downloading.Download._beginning", full)
    with pytest.raises(InputError, match="the disk is full; name another cache folder"):
        fetcher(server, tmp_path).fetch(NAME)
    assert files(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_one_line(server: LoopbackServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot be written.*OMR_CACHE"):
        fetcher(server, tmp_path / "file").fetch(NAME)


@pytest.fixture
def tree(tmp_path: Path) -> tuple[bytes, raw.Registry]:
    path = archive(tmp_path / "made.tar.gz", FILES)
    content = path.read_bytes()
    return content, registry_of(content, git_tree=raw.archive_tree_id(path))


TREE_PATH = f"/nobody/nothing/tar.gz/{COMMIT}"


def test_a_whole_commit_is_verified_by_its_tree(
    server: LoopbackServer, tmp_path: Path, tree: tuple[bytes, raw.Registry]
) -> None:
    content, registry = tree
    server.says(TREE_PATH, Answer(body=content))
    using = fetcher(server, tmp_path / "cache", registry)
    path = using.fetch(NAME)
    assert using.fetch(NAME) == path
    assert len(server.requests) == 1
    # Another archive of the same commit serves as well; the note beside the file then is stale.
    changed = {**FILES, "README.md": ("100644", b"HELLO\n")}
    archive(path, changed)
    assert using.fetch(NAME).read_bytes() == content
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {**FILES, "README.md": ("100644", b"HELLO\n")},
        {**FILES, "README.md": ("100755", b"hello\n")},
        {"README.txt": FILES["README.md"], **{k: v for k, v in FILES.items() if k != "README.md"}},
    ],
    ids=["byte", "mode", "name"],
)
def test_another_tree_is_refused(
    server: LoopbackServer,
    tmp_path: Path,
    tree: tuple[bytes, raw.Registry],
    changed: dict[str, tuple[str, bytes]],
) -> None:
    other = archive(tmp_path / "other.tar.gz", changed).read_bytes()
    server.says(TREE_PATH, Answer(body=other))
    with pytest.raises(IntegrityError, match=r"expected git tree [0-9a-f]{40}"):
        fetcher(server, tmp_path / "cache", tree[1]).fetch(NAME)
    assert files(tmp_path / "cache") == []


@pytest.mark.parametrize("body", [PAGE, b"\x1f\x8b rubbish"], ids=["page", "rubbish"])
def test_what_is_no_archive_is_refused(
    server: LoopbackServer, tmp_path: Path, tree: tuple[bytes, raw.Registry], body: bytes
) -> None:
    server.says(TREE_PATH, Answer(body=body))
    with pytest.raises(IntegrityError, match="cannot be verified against git tree") as caught:
        fetcher(server, tmp_path / "cache", tree[1]).fetch(NAME)
    assert ("an HTML page" in str(caught.value)) == (body == PAGE)
    assert files(tmp_path / "cache") == []


def test_an_archive_without_end_is_cut_off(
    server: LoopbackServer, tmp_path: Path, tree: tuple[bytes, raw.Registry]
) -> None:
    content, registry = tree
    server.says(TREE_PATH, Answer(body=content + os.urandom(9 << 20)))
    with pytest.raises(IntegrityError):
        fetcher(server, tmp_path / "cache", registry).fetch(NAME)


def test_an_archive_that_breaks_off_is_not_continued_and_not_kept(
    server: LoopbackServer, tmp_path: Path, tree: tuple[bytes, raw.Registry], naps: list[float]
) -> None:
    content, registry = tree
    server.says(TREE_PATH, Answer(body=content[:90], declared=len(content)))
    with pytest.raises(UnavailableError, match="3 times") as caught:
        fetcher(server, tmp_path / "cache", registry).fetch(NAME)
    assert "kept" not in str(caught.value)
    assert files(tmp_path / "cache") == []


def test_a_web_page_that_is_the_registered_file_may_break_off_too(
    server: LoopbackServer, tmp_path: Path, naps: list[float]
) -> None:
    page = PAGE * 2000
    server.says(PATH, Answer(body=page[: 1 << 16], declared=len(page)), Answer(body=page))
    using = fetcher(server, tmp_path, registry_of(page))
    assert using.fetch(NAME).read_bytes() == page
