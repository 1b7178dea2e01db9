"""Git tree ids: equal to git's own, and sensitive to every byte, name and mode."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis import raw
from analysis.errors import IntegrityError
from analysis.raw import gittree

FILES: dict[str, tuple[str, bytes]] = {
    "README.md": ("100644", b"hello\n"),
    "run": ("100755", b"#!/bin/sh\n"),
    "data/a.json": ("100644", b"{}"),
    "data.json": ("100644", b"sorted before the folder, for git"),
    "data/empty": ("100644", b""),
    "link": ("120000", b"data/a.json"),
    "Übung/ä ö": ("100644", "ä".encode()),
}


def archive(path: Path, files: dict[str, tuple[str, bytes]], top: str = "repo-abc") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        folder = tarfile.TarInfo(top)
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, (mode, content) in files.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            if mode == "120000":
                member.type = tarfile.SYMTYPE
                member.linkname = content.decode()
                tar.addfile(member)
            else:
                member.mode = 0o775 if mode == "100755" else 0o664
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


def git_tree(folder: Path, files: dict[str, tuple[str, bytes]]) -> str:
    """Let git itself make the tree, from an index built without a work tree."""
    environment = {**os.environ, "GIT_DIR": str(folder / "git"), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*arguments: str, feed: bytes = b"") -> str:
        done = subprocess.run(
            ["git", *arguments], input=feed, capture_output=True, check=True, env=environment
        )
        return done.stdout.decode().strip()

    git("init", "-q", "--bare")
    rows = b""
    for name, (mode, content) in files.items():
        blob = git("hash-object", "-w", "--stdin", feed=content)
        rows += f"{mode} {blob}\t{name}".encode() + b"\0"
    git("update-index", "-z", "--index-info", feed=rows)
    return git("write-tree")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_equals_what_git_computes(tmp_path: Path) -> None:
    assert gittree.archive_tree_id(archive(tmp_path / "a.tar.gz", FILES)) == git_tree(
        tmp_path, FILES
    )


names = st.lists(
    st.text("ab.-_Zé", min_size=1, max_size=4).filter(lambda n: n not in {".", ".."}),
    min_size=1,
    max_size=3,
).map("/".join)
trees = st.dictionaries(
    names, st.tuples(st.sampled_from(["100644", "100755"]), st.binary(max_size=8)), min_size=1
).filter(lambda files: not any(a != b and b.startswith(a + "/") for a in files for b in files))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=trees)
def test_any_tree_equals_git(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[str, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    entries = {name: (mode, gittree.blob_id(content)) for name, (mode, content) in files.items()}
    assert gittree.tree_id(entries) == git_tree(folder, files)


@given(files=trees, data=st.data())
@settings(deadline=None)
def test_a_changed_byte_name_or_mode_changes_the_id(
    files: dict[str, tuple[str, bytes]], data: st.DataObject
) -> None:
    def identity(some: dict[str, tuple[str, bytes]]) -> str:
        return gittree.tree_id({n: (m, gittree.blob_id(c)) for n, (m, c) in some.items()})

    name = data.draw(st.sampled_from(sorted(files)))
    mode, content = files[name]
    rest = {n: f for n, f in files.items() if n != name}
    other_mode = "100755" if mode == "100644" else "100644"
    before = identity(files)
    assert identity({**rest, name: (mode, content + b"!")}) != before
    assert identity({**rest, name + "x~": (mode, content)}) != before
    assert identity({**rest, name: (other_mode, content)}) != before


def test_the_real_archive_has_the_registered_tree(mirror: Path) -> None:
    _, version = raw.load_registry().find("radar-2026-08-22")
    copy = mirror / version.url.removeprefix("https://")
    assert raw.archive_tree_id(copy) == version.git_tree


def test_recompressing_does_not_matter(tmp_path: Path) -> None:
    first = archive(tmp_path / "a.tar.gz", FILES)
    with (
        tarfile.open(tmp_path / "b.tar.gz", "w:gz", compresslevel=1) as tar,
        tarfile.open(first) as old,
    ):
        for info in reversed(old.getmembers()):
            info.mtime = 1
            tar.addfile(info, old.extractfile(info) if info.isreg() else None)
    second = tmp_path / "b.tar.gz"
    assert first.read_bytes() != second.read_bytes()
    assert gittree.archive_tree_id(first) == gittree.archive_tree_id(second)


def member(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in fields.items():
        setattr(info, key, value)
    return info


HOSTILE = {
    "upwards": [member("top/../../etc/passwd")],
    "absolute": [member("/etc/passwd")],
    "git's own folder": [member("top/.git/config")],
    "two tops": [member("top/a"), member("other/a")],
    "no top": [member("a")],
    "device": [member("top/null", tarfile.CHRTYPE)],
    "hard link": [member("top/a"), member("top/b", tarfile.LNKTYPE, linkname="top/a")],
    "twice": [member("top/a"), member("top/a")],
    "file as folder": [member("top/a"), member("top/a/b")],
    "folder as file": [member("top/a/b"), member("top/a")],
    "nothing": [member("top", tarfile.DIRTYPE)],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_archives_are_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for info in HOSTILE[what]:
            tar.addfile(info)
    with pytest.raises(IntegrityError):
        gittree.archive_tree_id(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]


def test_an_archive_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(tmp_path / "a.tar.gz", FILES)
    monkeypatch.setattr(gittree, "MOST_BYTES_A_MEMBER", 10)
    with pytest.raises(IntegrityError, match="unpacks to more"):
        gittree.archive_tree_id(path)
    monkeypatch.undo()
    monkeypatch.setattr(gittree, "MOST_MEMBERS", 3)
    with pytest.raises(IntegrityError, match="unpacks to more"):
        gittree.archive_tree_id(path)


@pytest.mark.parametrize("content", [b"", b"<html>no such page</html>", b"\x1f\x8b garbage"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"not a whole \.tar\.gz archive|without a file"):
        gittree.archive_tree_id(path)


def test_an_archive_cut_short_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar.gz", {**FILES, "noise": ("100644", os.urandom(50_000))})
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(IntegrityError, match=r"not a whole \.tar\.gz archive"):
        gittree.archive_tree_id(path)


@pytest.mark.parametrize("more", [b"not zipped", gzip.compress(b"zipped")], ids=["plain", "gzip"])
def test_data_behind_the_archive_are_refused(tmp_path: Path, more: bytes) -> None:
    path = archive(tmp_path / "a.tar.gz", FILES)
    path.write_bytes(path.read_bytes() + more)
    with pytest.raises(IntegrityError, match=r"not a whole|after the end"):
        gittree.archive_tree_id(path)
