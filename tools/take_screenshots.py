"""Take the pictures of the README from the built book: the landing page, and one figure.

Run it after `make book` when either has changed; it needs Chromium (or OMR_CHROMIUM).

Usage: python tools/take_screenshots.py
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "book/_build/html"
TO = ROOT / "docs/screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]


def main() -> int:
    """Take both pictures; return the exit status."""
    browser_path = os.environ.get("OMR_CHROMIUM") or shutil.which("chromium")
    if browser_path is None or not (SITE / "index.html").is_file():
        print("error: run `make book` first, and install chromium or set OMR_CHROMIUM")
        return 2
    TO.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 780}, color_scheme="light")
        page.goto((SITE / "index.html").as_uri())
        page.wait_for_load_state("networkidle")
        page.screenshot(path=TO / "landing.png")
        page.goto((SITE / "share-above-half.html").as_uri())
        figure = page.locator("#fig-ladder-2026-02")
        figure.scroll_into_view_if_needed()
        page.wait_for_timeout(2500)  # the interactive chart takes the drawing's place
        figure.screenshot(path=TO / "figure.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
