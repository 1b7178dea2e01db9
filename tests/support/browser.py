"""The built book and a browser, shared by every test file: built and started once a run.

`tests/conftest.py` offers the fixtures `site`, `chromium` and `visit` to all tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from analysis.present import theme

PROJECT = Path(__file__).resolve().parents[2]


def copy_project(to: Path, project: Path = PROJECT) -> Path:
    """Copy what a build needs: code, derived tables, pages."""
    for name in ("analysis", "book", "data", "tools"):
        shutil.copytree(
            project / name, to / name, ignore=shutil.ignore_patterns("_build", "__pycache__")
        )
    # Citations beside the figures name the version.
    shutil.copy(project / "CITATION.cff", to / "CITATION.cff")
    return to


def run_build(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build a copy of the project; the caller's environment is ours, but for what is named."""
    return subprocess.run(
        [sys.executable, "tools/build_book.py"],
        cwd=project, capture_output=True, text=True, check=False, timeout=500,
        env={**os.environ, **environment},
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


@contextmanager
def listening(page: Any, wrong: list[str]) -> Iterator[None]:
    """Note in `wrong` what fails on a page, and every request that leaves the machine."""
    heard = {
        "console": lambda m: wrong.append(m.text) if m.type == "error" else None,
        "pageerror": lambda error: wrong.append(str(error)),
        # Neither what was still on its way when the page was left nor a script that is off.
        "requestfailed": lambda request: (
            None
            if request.failure in ("net::ERR_ABORTED", "csp")
            else wrong.append(f"failed: {request.url} {request.failure}")
        ),
        "request": lambda request: (
            None
            if request.url.startswith(("file:", "data:", "blob:"))
            else wrong.append(request.url)
        ),
        "dialog": lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()),
    }
    for name, handler in heard.items():
        page.on(name, handler)
    try:
        yield
    finally:
        for name, handler in heard.items():
            page.remove_listener(name, handler)


@pytest.fixture
def visit(chromium: Any, site: Path) -> Visit:
    """Open every page; return its name, what a script found on it, and what went wrong."""

    def run(script: str, **settings: Any) -> list[tuple[str, Any, list[str]]]:
        context = chromium.new_context(**settings)
        results = []
        for path in sorted(site.glob("*.html")):
            wrong: list[str] = []
            page = context.new_page()
            with listening(page, wrong):
                page.goto(path.as_uri())
                results.append((path.name, page.evaluate(script), wrong))
            page.close()
        context.close()
        return results

    return run


# --- one visit that looks at everything ----------------------------------------------------------

LOOK = Path(__file__).with_name("look.js")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def web_checks() -> Path:
    """Folder of the npm packages that check pages."""
    if shutil.which("npm") is None:
        pytest.skip("no npm: install Node.js to check the pages with axe and the HTML validator")
    tool, folder = PROJECT / "tools/setup_web.py", PROJECT / ".tools/web"
    done = subprocess.run([sys.executable, str(tool), str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "node_modules"


@pytest.fixture(scope="session")
def windows(chromium: Any) -> Iterator[tuple[Any, Any]]:
    """Return a window with scripts and one without, for one page after the other.

    Motion is off, because a colour on its way from one theme to the other is neither's.
    """
    both = [
        chromium.new_context(reduced_motion="reduce", java_script_enabled=scripts)
        for scripts in (True, False)
    ]
    yield both[0].new_page(), both[1].new_page()
    for context in both:
        context.close()


def look(page: Any, url: str, axe: str) -> list[str]:
    """Open a page once, in the light, in the dark and on a phone; return all that is wrong.

    The rules of axe are asked twice: of the wide page in the light and of the phone in the dark.

    Parameters
    ----------
    axe
        The source of axe-core; without it its rules are not checked.
    """
    wrong: list[str] = []
    with listening(page, wrong):
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        page.goto(url)
        page.evaluate(axe)
        eyes = page.evaluate_handle(LOOK.read_text(encoding="utf-8"))

        def ask(call: str) -> Any:
            return page.evaluate(f"eyes => eyes.{call}", eyes)

        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            if not ask(f"shows({scheme!r})"):
                wrong.append(f"{scheme}: is not shown")
            wrong += [f"{scheme}: illegible {pair}" for pair in ask("colours()") if illegible(pair)]
            if scheme == "light":
                wrong += [f"{scheme}: {found}" for found in (ask("axe()") if axe else ())]
        wrong += [f"{f['id']}: not drawn" for f in ask("drawn()") if not f["seen"]]
        wrong += by_keyboard(page, ask)
        # The page is dark by now: the rules that look at colours are asked of both themes so.
        page.set_viewport_size(PHONE)
        reach = ask("reach()")
        if reach["width"] > PHONE["width"]:
            wrong.append(f"phone: {reach['width']} pixels wide")
        wrong += [f"phone: scrolls, but not by key: {name}" for name in reach["closed"]]
        wrong += [f"phone, dark: {found}" for found in (ask("axe()") if axe else ())]
    return wrong


def by_keyboard(page: Any, ask: Callable[[str], Any]) -> list[str]:
    """Walk through a page with the keyboard alone; return what hinders."""
    wrong = []
    steps = ask("listen()")
    for _ in range(max(steps - 3, 1)):
        page.keyboard.press("Tab")
    # Scripts may add to a page while one walks through it, or take away.
    for _ in range(steps + 10):
        page.keyboard.press("Tab")
        if ask("isBack()"):
            break
    else:
        wrong.append("keyboard: no way back to the top; is there a trap?")
    found = ask("reached()")
    if "Skip to main" not in found["first"]:
        wrong.append(f"keyboard: starts at {found['first']!r}")
    wrong += [f"keyboard: never reached: {name}" for name in found["missed"]]
    wrong += [f"keyboard: focus is not seen: {name}" for name in found["ringless"]]
    # Unless it was caught on the way, the walk ended where it began: at the skip link.
    if ask("isBack()"):
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        if not ask("inMain()"):
            wrong.append("keyboard: the skip link does not lead into the text")
    for _ in range(min(ask("folds()"), 3)):
        ask("atFold()")
        page.keyboard.press("Enter")
        if not ask("fold.open"):
            wrong.append("keyboard: a fold does not open")
    return wrong


def look_without_scripts(page: Any, url: str, least: int = 300) -> list[str]:
    """Open a page with JavaScript off, on a wide screen and on a phone; return what is wrong."""
    wrong: list[str] = []
    with listening(page, wrong):
        for kind, size in (("omr-wide", WIDE), ("omr-narrow", PHONE)):
            page.set_viewport_size(size)
            if kind == "omr-wide":
                page.goto(url)
            eyes = page.evaluate_handle(LOOK.read_text(encoding="utf-8"))
            for figure in page.evaluate("eyes => eyes.drawn()", eyes):
                seen = figure["seen"]
                if [drawing["kind"] for drawing in seen] != [kind]:
                    wrong.append(f"{kind}: {figure['id']} shows {seen}")
                # The smallest text is as tall as legible type; a frame alone has no mark.
                elif (seen[0]["text"] or 0) < 10 or not seen[0]["marks"]:
                    wrong.append(f"{kind}: {figure['id']} is hardly drawn: {seen}")
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size["width"]:
                wrong.append(f"{kind}: {width} pixels wide")
            unseen = page.evaluate(
                "[...document.querySelectorAll('main table')].filter("
                "t => !t.closest('details') && !t.checkVisibility()).length"
            )
            if unseen:
                wrong.append(f"{kind}: {unseen} tables are hidden")
            letters = len(page.locator("main").inner_text())
            if letters < least:
                wrong.append(f"{kind}: only {letters} letters of text")
    return wrong


def illegible(pair: str) -> bool:
    """Say whether text has too little contrast with its ground: `rgb(…)|rgb(…)`."""
    ink, ground = (
        "#" + "".join(f"{int(float(v)):02x}" for v in re.findall(r"[\d.]+", colour)[:3])
        for colour in pair.split("|")
    )
    return theme.contrast(ink, ground) < 4.5
