"""The built book and a browser, shared by every test file: built and started once a run.

`tests/conftest.py` offers the fixtures `site`, `chromium` and `visit` to all tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def copy_project(to: Path, project: Path = PROJECT) -> Path:
    """Copy what a build needs: code, derived tables, pages."""
    for name in ("analysis", "book", "data", "tools"):
        shutil.copytree(
            project / name, to / name, ignore=shutil.ignore_patterns("_build", "__pycache__")
        )
    return to


def run_build(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/build_book.py"],
        cwd=project, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book, built once for all test processes of a run."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent
    project, done = base / "book-project", base / "book-built"
    try:
        project.mkdir()
    except FileExistsError:
        for _ in range(5000):
            if done.exists():
                break
            time.sleep(0.1)
    else:
        result = run_build(copy_project(project))
        done.write_text(f"{result.returncode}\n{result.stdout}{result.stderr}", encoding="utf-8")
    status = done.read_text(encoding="utf-8")
    assert status.startswith("0\n"), status
    return project / "book/_build/html"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("OMR_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium: install Debian's package or set OMR_CHROMIUM")
    flags = [
        "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
        "--disable-component-update", "--no-first-run",
    ]  # fmt: skip
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


Visit = Callable[..., list[tuple[str, Any, list[str]]]]


@pytest.fixture
def visit(chromium: Any, site: Path) -> Visit:
    """Open every page; return its name, what a script found on it, and what went wrong."""

    def run(script: str, **settings: Any) -> list[tuple[str, Any, list[str]]]:
        context = chromium.new_context(**settings)
        results = []
        for path in sorted(site.glob("*.html")):
            wrong: list[str] = []
            page = context.new_page()
            page.on("console", lambda m, w=wrong: w.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda e, w=wrong: w.append(str(e)))
            page.on(
                "request",
                lambda r, w=wrong: (
                    None if r.url.startswith(("file:", "data:")) else w.append(r.url)
                ),
            )
            page.goto(path.as_uri())
            found = page.evaluate(script) if settings.get("java_script_enabled", True) else page
            if found is page:
                found = page.content(), page.locator("main").inner_text()
            results.append((path.name, found, wrong))
            page.close()
        context.close()
        return results

    return run
