"""The site of the book and of its releases, put together from a real git repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.test_book_pages import load_tool

# A book of one line, built by a Makefile: synthetic, the real one takes a minute a release.
MAKEFILE = "book:\n\tmkdir -p book/_build/html\n\tcp said book/_build/html/index.html\n"
BROKEN = "book:\n\tfalse\n"

site = load_tool("assemble_site")


def git(folder: Path, *arguments: str) -> None:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c"}
    identity |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in identity.items()}
    subprocess.run(["git", *arguments], cwd=folder, check=True, env={**os.environ, **identity})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("book/_build/\n", encoding="utf-8")
    for tag in ("2026.11", "2026.9", "v0.1", "2026.11.10", "2026.11.2", "2025.12"):
        (folder / "said").write_text(f"said in {tag}", encoding="utf-8")
        (folder / "Makefile").write_text(MAKEFILE, encoding="utf-8")
        git(folder, "add", "-A")
        git(folder, "commit", "--quiet", "-m", tag)
        git(folder, "tag", tag)
    (folder / "said").write_text("said now", encoding="utf-8")
    subprocess.run(["make", "-s", "book"], cwd=folder, check=True)
    return folder


def test_releases_are_tags_of_year_and_month_in_order(project: Path) -> None:
    assert site.releases(project) == ["2025.12", "2026.11", "2026.11.2", "2026.11.10"]


def test_each_release_stands_under_its_name_as_it_was(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "a" / "site"
    assert site.assemble(project, out) == ["2025.12", "2026.11", "2026.11.2", "2026.11.10"]
    assert (out / "index.html").read_text(encoding="utf-8") == "said now"
    for tag in ("2025.12", "2026.11", "2026.11.10"):
        assert (out / tag / "index.html").read_text(encoding="utf-8") == f"said in {tag}"
    # No checkout is left behind, in the repository or beside the site.
    listed = subprocess.run(
        ["git", "worktree", "list"], cwd=project, capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1
    assert [path.name for path in out.parent.iterdir()] == ["site"]


def test_a_release_that_does_not_build_leaves_no_site(project: Path, tmp_path: Path) -> None:
    (project / "Makefile").write_text(BROKEN, encoding="utf-8")
    git(project, "commit", "--quiet", "-am", "broken")
    git(project, "tag", "2026.12")
    with pytest.raises(subprocess.CalledProcessError):
        site.assemble(project, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_without_a_book_or_over_a_site_it_says_what_to_do(project: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="exists: name a folder"):
        site.assemble(project, tmp_path)
    with pytest.raises(SystemExit, match="run `make book` first"):
        site.assemble(tmp_path, tmp_path / "site")
