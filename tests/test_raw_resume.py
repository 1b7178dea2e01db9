"""Downloads of data set files from a Hub on loopback: resumed, refused, and with a token.

The Hub, its second host and all bytes are synthetic.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis import raw
from analysis.errors import InputError, IntegrityError, UnavailableError
from analysis.raw import downloading
from tests.support import hub_files as hf
from tests.support.hub_server import Request, Response

REPO = "someone/snapshots"
PATH = "models/2026-02-25/models.parquet"
BODY = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(20_000))
NAME = "snapshots-2026-02-25"
ATTEMPTS = 3
CUT = 2 << 16


def registry_of(commit: str, one: hf.File, path: str = PATH) -> raw.Registry:
    """Return a registry with one version: a file of a data set on the Hub."""
    version = raw.Version(
        name=NAME,
        commit=commit,
        as_of="2026-02-25",
        as_of_known_by="made up",
        sha256=one.sha256,
        hash_by="declared by the publisher",
        bytes=len(one.body),
    )
    real = raw.load_registry()
    source = real.source("weekly").model_dump(exclude={"versions"})
    source |= {"id": "snapshots", "repository": REPO, "path": path}
    return raw.Registry(
        sources=(raw.Source(**source, versions=(version,)),),
        kinds=real.kinds,
        upstreams=real.upstreams,
    )


class World(SimpleNamespace):
    """A running Hub with one file, and a fetcher that asks it."""

    on: hf.Running
    repository: hf.Repository
    registry: raw.Registry
    cache: Path

    def fetcher(self, progress: bool = False) -> raw.Fetcher:
        made = raw.fetcher(registry=self.registry, progress=progress)
        patience = raw.Patience(attempts=ATTEMPTS, backoff=0.01, longest_wait=9.0, read=5.0)
        return raw.Fetcher(
            registry=made.registry,
            cache=made.cache,
            patience=patience,
            progress=progress,
            address=made.address,
        )

    def fetch(self) -> bytes:
        return self.fetcher().fetch(NAME).read_bytes()

    def kept(self) -> list[Path]:
        return sorted(path for path in self.cache.rglob("*") if path.is_file())

    def ranges(self) -> list[str]:
        """Ranges asked of the host of large files; "" where all was asked for."""
        return [one.headers.get("range", "") for one in self.on.cdn.asked()]


def build(on: hf.Running, tmp_path: Path, one: hf.File, path: str = PATH) -> World:
    repository = on.sets.repositories[REPO]
    commit = repository.commit({path: one, "README.md": hf.File(b"# A card\n", "git")})
    return World(
        on=on,
        repository=repository,
        registry=registry_of(commit, one, path),
        cache=tmp_path / "cache",
    )


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hf.Running]:
    with hf.running(hf.Repository(REPO)) as on:
        hf.point_here(monkeypatch, on, tmp_path)
        yield on


@pytest.fixture(params=["lfs", "xet"])
def world(request: pytest.FixtureRequest, running: hf.Running, tmp_path: Path) -> World:
    return build(running, tmp_path, hf.File(BODY, request.param))


@pytest.fixture
def large(running: hf.Running, tmp_path: Path) -> World:
    return build(running, tmp_path, hf.File(BODY))


def test_files_of_lfs_and_xet_come_from_the_endpoint_that_is_named(world: World) -> None:
    path = world.fetcher().fetch(NAME)
    assert path.read_bytes() == BODY
    # The place in the cache is that of the public address.
    assert path.relative_to(world.cache).parts[:2] == ("huggingface.co", "datasets")
    assert world.kept() == [path]
    assert [one.method for one in world.on.hub.asked()] == ["GET"]
    assert world.ranges() == [""]


def test_a_small_file_comes_by_a_redirect_within_the_hub(
    running: hf.Running, tmp_path: Path
) -> None:
    world = build(running, tmp_path, hf.File(b"id,downloads\n", "git"), "days/2026-02-25 a.csv")
    assert world.fetch() == b"id,downloads\n"
    assert len(running.hub.asked("/api/resolve-cache/")) == 1
    assert running.cdn.asked() == []


def test_a_download_that_breaks_off_goes_on_where_it_broke(world: World, naps: list[float]) -> None:
    world.on.cdn.faults.append(hf.times(1, hf.cut_after(CUT)))
    assert world.fetch() == BODY
    assert world.ranges() == ["", f"bytes={CUT}-"]
    assert naps == [0.01]


def break_off(world: World) -> Path:
    """Let a first run get `CUT` bytes and give up; return what it kept."""
    world.on.cdn.faults[:] = [hf.times(1, hf.cut_after(CUT)), hf.after(1, hf.failing(503))]
    with pytest.raises(UnavailableError, match=f"503.*{CUT} bytes are kept, the next fetch"):
        world.fetch()
    world.on.cdn.faults.clear()
    world.on.cdn.requests.clear()
    (part,) = world.kept()
    assert part.name.endswith(".part")
    assert part.read_bytes() == BODY[:CUT]
    return part


def test_what_an_earlier_run_got_is_not_asked_for_again(world: World, naps: list[float]) -> None:
    break_off(world)
    path = world.fetcher().fetch(NAME)
    assert path.read_bytes() == BODY
    assert world.ranges() == [f"bytes={CUT}-"]
    assert world.kept() == [path]


def test_a_download_that_brings_something_each_time_is_never_given_up(
    large: World, naps: list[float]
) -> None:
    large.on.cdn.faults.append(hf.cut_after(1 << 16))
    assert large.fetch() == BODY
    assert len(large.ranges()) == -(-len(BODY) // (1 << 16)) > ATTEMPTS


@pytest.mark.parametrize(
    "left",
    [b"\0" * CUT, b"\0" * len(BODY), b"\0" * (len(BODY) + 1)],
    ids=["spoilt", "spoilt and whole", "too long"],
)
def test_a_kept_part_that_is_wrong_costs_one_more_download(
    large: World, naps: list[float], left: bytes
) -> None:
    part = break_off(large)
    part.write_bytes(left)
    assert large.fetch() == BODY
    asked = [] if len(left) >= len(BODY) else [f"bytes={CUT}-"]
    assert large.ranges() == [*asked, ""]
    assert part not in large.kept()


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        (hf.without_ranges(BODY), [f"bytes={CUT}-"]),
        (hf.no_such_range(len(BODY)), [f"bytes={CUT}-", ""]),
        (hf.shifted(-7), [f"bytes={CUT}-", ""]),
        (hf.saying(Content_Range="nonsense"), [f"bytes={CUT}-", ""]),
        (hf.saying(Content_Encoding="gzip"), [f"bytes={CUT}-", ""]),
    ],
    ids=["ranges ignored", "416", "another part", "no part named", "compressed"],
)
def test_a_host_that_cannot_continue_is_asked_for_the_whole(
    large: World, naps: list[float], fault: hf.Fault, asked: list[str]
) -> None:
    break_off(large)
    large.on.cdn.faults.append(hf.times(1, fault))
    assert large.fetch() == BODY
    assert large.ranges() == asked


def test_a_whole_body_that_breaks_off_leaves_nothing_of_the_part_it_replaces(
    large: World, naps: list[float]
) -> None:
    break_off(large).write_bytes(b"\0" * CUT)
    shorter = 1 << 16

    def whole_but_cut(request: Request, answer: Response) -> Response:
        return hf.cut_after(shorter)(request, hf.without_ranges(BODY)(request, answer))

    large.on.cdn.faults.append(hf.times(1, whole_but_cut))
    assert large.fetch() == BODY
    assert large.ranges() == [f"bytes={CUT}-", f"bytes={shorter}-"]


def test_a_host_that_never_serves_a_part_rightly_is_given_up(
    large: World, naps: list[float]
) -> None:
    large.on.cdn.faults.append(
        lambda request, answer: hf.cut_after(CUT)(request, hf.shifted(3)(request, answer))
    )
    with pytest.raises(UnavailableError, match="cannot be continued: the host sent another part"):
        large.fetch()
    assert large.kept() == []


def test_another_file_between_two_parts_is_noticed_by_its_etag(
    large: World, naps: list[float]
) -> None:
    large.on.cdn.faults += [
        hf.times(1, hf.cut_after(CUT)),
        hf.after(1, hf.other_etag("new")),
    ]
    assert large.fetch() == BODY
    assert large.ranges() == ["", f"bytes={CUT}-", ""]
    first, second, third = large.on.cdn.asked()
    assert "if-range" not in first.headers
    assert second.headers["if-range"]
    assert "if-range" not in third.headers


def test_other_bytes_of_the_right_length_are_refused(large: World) -> None:
    large.on.cdn.faults.append(hf.other_bytes)
    with pytest.raises(IntegrityError, match="is not the registered file: expected sha256"):
        large.fetch()
    assert large.kept() == []
    assert large.ranges() == [""]


def test_other_bytes_after_a_break_are_refused_after_a_whole_download(
    large: World, naps: list[float]
) -> None:
    break_off(large)
    large.on.cdn.faults.append(hf.other_bytes)
    with pytest.raises(IntegrityError, match="is not the registered file: expected sha256"):
        large.fetch()
    assert large.ranges() == [f"bytes={CUT}-", ""]
    assert large.kept() == []


@pytest.mark.parametrize(
    ("header", "value", "words"),
    [
        ("X-Linked-Size", "12", "the host offers 12 bytes, the registry names 640000"),
        ("X-Linked-ETag", f'"{"5" * 64}"', "the Hub declares sha256 5555"),
    ],
)
def test_what_the_hub_declares_is_compared_before_anything_is_downloaded(
    world: World, header: str, value: str, words: str
) -> None:
    world.on.hub.faults.append(hf.saying(**{header.replace("-", "_"): value}))
    world.on.cdn.faults.append(hf.cut_after(0))
    with pytest.raises(IntegrityError, match=words) as caught:
        world.fetch()
    assert "nothing was downloaded" in str(caught.value)
    assert world.kept() == []


@pytest.mark.parametrize("length", ["12", ""])
def test_a_page_of_a_proxy_does_not_cost_what_came_before(
    large: World, naps: list[float], length: str
) -> None:
    part = break_off(large)
    page = Response(200, b"<html>log in", {"Content-Type": "text/html", "Content-Length": length})
    large.on.hub.faults.append(hf.times(1, lambda request, answer: page))
    with pytest.raises(IntegrityError, match="an HTML page came instead of data"):
        large.fetch()
    assert part.read_bytes() == BODY[:CUT]
    assert large.fetch() == BODY
    assert large.ranges() == [f"bytes={CUT}-"]


@pytest.mark.parametrize("header", ["RateLimit", "Retry-After"])
def test_429_is_waited_out_as_the_hub_asks(
    large: World, naps: list[float], header: hf.Header
) -> None:
    large.on.hub.faults.append(hf.times(2, hf.too_many(7, header)))
    assert large.fetch() == BODY
    assert naps == [7, 7]


def test_no_wait_for_the_hub_is_longer_than_the_cap(large: World, naps: list[float]) -> None:
    large.on.hub.faults.append(hf.times(1, hf.too_many(86_400)))
    assert large.fetch() == BODY
    assert naps == [9]


def test_5xx_of_the_second_host_is_tried_again_at_the_hub(large: World, naps: list[float]) -> None:
    large.on.cdn.faults.append(hf.times(2, hf.failing(502)))
    assert large.fetch() == BODY


def test_slow_bytes_are_waited_for(large: World) -> None:
    large.on.cdn.faults.append(hf.slow(0.02, 4))
    assert large.fetch() == BODY
    assert large.ranges() == [""]


def test_a_disk_that_is_too_small_is_known_before(
    large: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(large.cache.parent)._replace(free=len(BODY) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=r"needs 640,000 bytes more and the disk has 639,999"):
        large.fetch()
    assert large.on.hub.asked() == []
    assert large.kept() == []


def test_the_progress_bar_begins_at_what_is_there(
    large: World, naps: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    break_off(large)
    capsys.readouterr()
    large.fetcher(progress=True).fetch(NAME)
    drawn = capsys.readouterr().err
    assert "131k/640k" in drawn.split("\r")[1]
    assert "640k/640k" in drawn


def test_a_name_that_another_run_holds_is_waited_for(large: World) -> None:
    large.on.cdn.faults.append(hf.slow(0.02, 4))
    with ThreadPoolExecutor(3) as pool:
        got = list(pool.map(lambda _: large.fetch(), range(3)))
    assert got == [BODY] * 3
    assert len(large.ranges()) == 1
    assert len(large.kept()) == 1


def test_a_run_that_waited_for_one_that_failed_begins_itself(
    large: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, waiting = downloading._lock, threading.Event()
    asked = threading.Event()

    def noted(*arguments: Any) -> bool:
        if asked.is_set():
            waiting.set()
        return lock(*arguments)

    def refuse_when_one_waits(request: Request, answer: Response) -> Response:
        asked.set()
        waiting.wait(5)
        time.sleep(0.05)
        return Response(403)

    monkeypatch.setattr(downloading, "_lock", noted)
    large.on.hub.faults.append(hf.times(1, refuse_when_one_waits))
    with ThreadPoolExecutor(2) as pool:
        refused = pool.submit(large.fetch)
        asked.wait(5)
        assert pool.submit(large.fetch).result() == BODY
        with pytest.raises(UnavailableError, match="answered 403"):
            refused.result()
    assert len(large.kept()) == 1


def test_without_locks_each_run_has_a_file_of_its_own(
    large: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.raw.downloading._lock", lambda *_: False)
    started = threading.Barrier(2, timeout=5)

    def together(request: Request, answer: Response) -> Response:
        started.wait()
        return answer

    large.on.cdn.faults += [together, hf.slow(0.01, 4)]
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(lambda _: large.fetch(), range(2)))
    assert got == [BODY] * 2
    assert len(large.kept()) == 1


def test_offline_nothing_is_asked(large: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UnavailableError, match="HF_HUB_OFFLINE forbids to ask the Hub"):
        large.fetch()
    assert large.on.hub.asked() == []


@pytest.mark.parametrize(
    "named", ["huggingface.co", "ftp://huggingface.co", "http://me:secret@127.0.0.1", "http://[1"]
)
def test_an_endpoint_that_is_no_address_is_one_line(
    large: World, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", named)
    with pytest.raises(InputError, match="HF_ENDPOINT must be an address") as caught:
        large.fetch()
    assert "secret" not in str(caught.value)


# -- tokens ------------------------------------------------------------------------------------

TOKEN = "hf_PlantedTokenThatMustNotLeak0123456789"


def test_a_gated_file_is_read_with_a_token_that_only_the_hub_sees(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    world.repository.gated = True
    world.on.sets.tokens.add(TOKEN)
    world.on.sets.granted.add(TOKEN)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert world.fetch() == BODY
    assert [one.headers.get("authorization") for one in world.on.hub.asked()] == [f"Bearer {TOKEN}"]
    assert len(world.on.cdn.asked()) == 1
    assert not any(TOKEN in str(one) for one in world.on.cdn.asked())
    assert not any(TOKEN in one.headers.get("user-agent", "") for one in world.on.hub.asked())
    assert not any(TOKEN.encode() in path.read_bytes() for path in world.kept())
    assert TOKEN not in "".join(capfd.readouterr())


def test_a_token_follows_a_redirect_within_the_hub(
    running: hf.Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(running, tmp_path, hf.File(b"small", "git"))
    world.repository.gated = True
    running.sets.tokens.add(TOKEN)
    running.sets.granted.add(TOKEN)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert world.fetch() == b"small"


@pytest.mark.parametrize(
    ("known", "sent", "words"),
    [
        ({TOKEN}, TOKEN, "answered 403: the repository is gated: accept its terms"),
        ({TOKEN}, "", "answered 401: the repository is gated: accept its terms"),
        (set(), TOKEN, "answered 401: .*or the token is wrong"),
    ],
    ids=["not granted", "no token", "unknown token"],
)
def test_a_refusal_says_what_to_do_and_shows_no_token(
    large: World, monkeypatch: pytest.MonkeyPatch, known: set[str], sent: str, words: str
) -> None:
    large.repository.gated = True
    large.on.sets.tokens |= known
    monkeypatch.setenv("HF_TOKEN", sent)
    with pytest.raises(UnavailableError, match=words) as caught:
        large.fetch()
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None
    assert large.kept() == []


@pytest.mark.parametrize("bad", ["hf_with a blank", "hf_l\u00f6wen", "hf_tab\tinside"])
def test_a_token_that_no_header_can_hold_is_not_shown(
    large: World, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", bad)
    with pytest.raises(InputError, match="characters that no token has") as caught:
        large.fetch()
    assert bad not in str(caught.value)
    assert large.on.hub.asked() == []


def test_no_token_goes_to_another_host(
    large: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    large.on.sets.tokens.add(TOKEN)
    cdn = large.on.cdn.url
    # A fetcher that is sent to another server, and a version that lies on GitHub.
    elsewhere = raw.Fetcher(
        registry=large.registry,
        cache=large.cache,
        patience=raw.Patience(attempts=1),
        address=lambda url: f"{cdn}/elsewhere",
    )
    with pytest.raises(UnavailableError, match="answered 403"):
        elsewhere.fetch(NAME)
    source, version = large.registry.find(NAME)
    github = raw.Source(
        **{**source.model_dump(exclude={"versions"}), "host": "github"}, versions=(version,)
    )
    hub = large.on.hub.url
    there = raw.Fetcher(
        registry=large.registry.model_copy(update={"sources": (github,)}),
        cache=large.cache,
        patience=raw.Patience(attempts=1),
        address=lambda url: f"{hub}/datasets/{REPO}/resolve/{version.commit}/{PATH}",
    )
    assert there.fetch(NAME).read_bytes() == BODY
    asked = [*large.on.cdn.asked(), *large.on.hub.asked()]
    assert len(asked) == 3
    assert not any("authorization" in one.headers for one in asked)
