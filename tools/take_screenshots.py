"""Take the pictures of the README from the built book: the landing page, and one figure.

Run it after `make book` when either has changed; it needs Chromium (or OMR_CHROMIUM).

Usage: python tools/take_screenshots.py
"""

from __future__ import annotations

import sys

import browser
import build_book

SITE = build_book.ROOT / "book/_build/html"
TO = build_book.ROOT / "docs/screenshots"


def main() -> int:
    """Take both pictures; return the exit status."""
    if not (SITE / "index.html").is_file():
        print(f"error: {SITE}: no built book; run `make book` first", file=sys.stderr)
        return 2
    chromium = browser.found()
    if chromium is None:
        print(browser.MISSING, file=sys.stderr)
        return 2
    TO.mkdir(parents=True, exist_ok=True)
    with browser.opened(chromium, ["--font-render-hinting=none"]) as running:
        page = running.new_page(viewport={"width": 1200, "height": 780}, color_scheme="light")
        page.goto((SITE / "index.html").as_uri())
        page.wait_for_load_state("networkidle")
        page.screenshot(path=TO / "landing.png")
        page.goto((SITE / "share-above-half.html").as_uri())
        figure = page.locator("#fig-ladder-2026-02")
        figure.scroll_into_view_if_needed()
        page.wait_for_timeout(2500)  # the interactive chart takes the drawing's place
        figure.screenshot(path=TO / "figure.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
