"""The Chromium that prints, measures and photographs the built book.

It is Debian's, or the one that OMR_CHROMIUM names; Playwright's own download is not used.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

#: What to do where there is none.
MISSING = "error: no chromium: install Debian's package or set OMR_CHROMIUM"
FLAGS = ("--no-sandbox", "--disable-gpu")


def found() -> str | None:
    """Return the path of the browser, or None."""
    return os.environ.get("OMR_CHROMIUM") or shutil.which("chromium")


@contextmanager
def opened(path: str, more: Sequence[str] = ()) -> Iterator[Any]:
    """Start a browser and yield it; it ends with the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=path, args=[*FLAGS, *more])
        try:
            yield browser
        finally:
            browser.close()
