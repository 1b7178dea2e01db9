"""Every page for every reader: in the light and the dark, on a phone, by key, without scripts.

Each page is opened once with JavaScript and once without, and everything is looked at in that
visit. The rules are those of axe-core; the HTML is read by the validator of the W3C.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import PROJECT, look, look_without_scripts
from tests.test_book_pages import load_tool

#: Every page that the book has, by the source that makes it; the theme adds the page for searching.
PAGES = [*sorted(path.stem for path in (PROJECT / "book").glob("*.md")), "search"]

mend = load_tool("mend_pages").mend


@pytest.mark.slow
def test_every_page_of_the_site_is_looked_at(site: Path) -> None:
    found = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    # Sources as pages are read by the validator only; the theme's parts are no pages.
    parts = {"_static/sbt-webpack-macros.html", "_static/webpack-macros.html"}
    sources = {name for name in found if name.startswith("_static/code/")}
    assert sources
    assert found - parts - sources == {f"{name}.html" for name in PAGES}


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_serves_every_reader(
    name: str, site: Path, windows: tuple[Any, Any], web_checks: Path
) -> None:
    axe = (web_checks / "axe-core/axe.min.js").read_text(encoding="utf-8")
    assert look(windows[0], (site / f"{name}.html").as_uri(), axe) == []


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_without_scripts(name: str, site: Path, windows: tuple[Any, Any]) -> None:
    # Without scripts there is no search, only its name.
    least = 0 if name == "search" else 300
    assert look_without_scripts(windows[1], (site / f"{name}.html").as_uri(), least) == []


BAD = """<!DOCTYPE html><html lang="en" data-theme="light"><title>Synthetic</title><body>
<a href="#main-content">Skip to main content</a><main id="main-content">
<h1>A page with faults</h1><p style="color:#999;background:#fff">pale</p>
<button></button><p style="width:500px">wide</p>
<div style="overflow-x:auto;width:50px"><p style="width:90px">scrolls</p></div>
<a href="#main-content" style="outline:none">no ring</a>
<figure class="omr-figure" id="fig-none"><svg width="90"></svg></figure>
<details><summary onkeydown="event.preventDefault()">does not open</summary>x</details>
<input id="trap" onkeydown="if (event.key === 'Tab') event.preventDefault()" aria-label="trap">
<a href="#after">after the trap</a>
<script>console.error("loud"); fetch("https://example.invalid/"); alert("hi");</script>
</main></body></html>"""


@pytest.mark.slow
@pytest.mark.browser
def test_what_is_wrong_with_a_page_is_seen(
    tmp_path: Path, windows: tuple[Any, Any], web_checks: Path
) -> None:
    path = tmp_path / "bad.html"
    path.write_text(BAD, encoding="utf-8")
    axe = (web_checks / "axe-core/axe.min.js").read_text(encoding="utf-8")
    found = "\n".join(look(windows[0], path.as_uri(), axe))
    for sign in (
        "loud", "https://example.invalid/", "dialog: hi", "light: illegible",
        "dark: is not shown", "light: button-name", "light: color-contrast", "dark: illegible",
        "phone, dark: color-contrast", "phone, dark: button-name",
        "fig-none: not drawn",
        "is there a trap", "never reached: <a href=\"#after\"", "focus is not seen",
        "a fold does not open", "pixels wide", "scrolls, but not by key",
    ):  # fmt: skip
        assert sign in found, f"{sign}\n{found}"
    without = "\n".join(look_without_scripts(windows[1], path.as_uri()))
    for sign in ("fig-none shows", "pixels wide", "letters of text"):
        assert sign in without


@pytest.mark.slow
def test_the_validator_finds_nothing(site: Path, web_checks: Path) -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("no java: install a runtime (on Debian: default-jre-headless)")
    jar = web_checks / "vnu-jar/build/dist/vnu.jar"
    bad = site.parent / "not-valid.html"
    bad.write_text("<!DOCTYPE html><html lang=en><title>Synthetic</title><p><div></p>", "utf-8")
    files = [*sorted(site.glob("*.html")), *sorted((site / "_static/code").glob("*.html")), bad]
    files += sorted((PROJECT / "book/_static").glob("*.css"))
    done = subprocess.run(
        [java, "-jar", str(jar), "--errors-only", "--format", "json", "--also-check-css",
         *map(str, files)],
        capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    messages = json.loads(done.stderr)["messages"]
    found = [f"{m['url'].rsplit('/')[-1]}:{m.get('lastLine')}: {m['message']}" for m in messages]
    # Whoever finds nothing anywhere has not looked.
    assert [line for line in found if line.startswith("not-valid.html")]
    # A property of SVG 2 that every browser knows, and the validator's list of CSS does not.
    known = "CSS: \u201cpaint-order\u201d: Property \u201cpaint-order\u201d doesn't exist."
    rest = [line for line in found if not line.startswith("not-valid.html")]
    assert [line for line in rest if not line.endswith(known)] == []


# --- repairs of the theme -------------------------------------------------------------------------


QUOTED = 'The "x" &amp; y'


def test_an_arrow_of_the_list_of_pages_says_what_it_unfolds() -> None:
    for given, named in (
        ("Why Qwen", "Why Qwen"),
        ('The "x" &amp; y', "The &quot;x&quot; &amp; y"),
    ):
        link = f'<a class="current reference internal" href="#">{given}</a>'
        made = mend(f"<li>{link}<details><summary><span></span></summary></details></li>")
        assert f'{link}<details><summary aria-label="Pages under {named}">' in made
        assert mend(made) == made


def test_buttons_are_called_by_what_they_show() -> None:
    search = '<button class="btn search-button-field pst-js-only" title="x" aria-label="Search">'
    assert mend(search) == search.replace(' aria-label="Search"', "")
    icon = '<i class="theme-switch fa-solid" data-mode="light" title="Light"></i>'
    assert mend(icon) == icon.replace(' title="Light"', "")


def test_other_markup_is_left_alone() -> None:
    page = '<details><summary>In words</summary></details><i class="fa" title="x"></i>'
    assert mend(page) == page


def test_the_lock_of_the_web_checks_is_exact_and_names_no_registry() -> None:
    lock = (PROJECT / "tools/web/package-lock.json").read_text(encoding="utf-8")
    wanted = json.loads((PROJECT / "tools/web/package.json").read_text(encoding="utf-8"))
    packages = {k: v for k, v in json.loads(lock)["packages"].items() if k}
    assert "http" not in lock
    assert len(packages) == len(wanted["devDependencies"])
    for name, version in wanted["devDependencies"].items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert packages[f"node_modules/{name}"]["version"] == version
        assert packages[f"node_modules/{name}"]["integrity"].startswith("sha512-")


# --- how the checks are installed -----------------------------------------------------------------

setup_web = load_tool("setup_web")


def fake_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a stand-in for npm where programs are looked for; it notes each call."""
    folder.mkdir()
    npm = folder / "npm"
    npm.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\n{script}\n', encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_the_web_checks_are_installed_once_from_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(tmp_path / "bin", monkeypatch, "cp package-lock.json copied")
    for _ in range(2):
        setup_web.install(tmp_path / "web")
    wanted = (PROJECT / "tools/web/package-lock.json").read_bytes()
    assert (tmp_path / "web/copied").read_bytes() == wanted
    calls = (tmp_path / "bin/calls").read_text(encoding="utf-8").splitlines()
    assert calls == ["ci --ignore-scripts --no-audit --no-fund"]
    # Another lock is another installation.
    (tmp_path / "web" / setup_web.STAMP).write_text("older", encoding="utf-8")
    setup_web.install(tmp_path / "web")
    assert len((tmp_path / "bin/calls").read_text(encoding="utf-8").splitlines()) == 2


def test_a_failed_installation_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(tmp_path / "bin", monkeypatch, "echo no network >&2; exit 1")
    with pytest.raises(RuntimeError, match="no network"):
        setup_web.install(tmp_path / "web")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "web.lock"]
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="npm is missing"):
        setup_web.install(tmp_path / "web")
