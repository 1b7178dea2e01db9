"""Small repairs of the theme's markup, each for a rule that axe or the HTML validator holds.

`build_book.clean` calls `mend` on every page. A repair that finds nothing changes nothing, so a
theme that has mended itself needs no change here; `tests/test_book_access.py` checks the result.
"""

from __future__ import annotations

import re

# The arrow that unfolds a chapter in the list of pages has no text: nobody hears what it unfolds.
_UNFOLD = re.compile(
    r'(<a class="[^"]*\breference internal\b[^"]*" href="[^"]*">\s*([^<]*?)\s*</a><details[^>]*>)'
    r"<summary>"
)
# A button that shows words must be called by them, or who speaks its name does not reach it.
_SPOKEN = re.compile(
    r'(<button class="[^"]*\bsearch-button-field\b[^"]*"[^>]*?)\s+aria-label="[^"]*"'
)
# The titles of the three icons would be shown text of the button that has a name of its own.
_ICON = re.compile(r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"')


def _named(match: re.Match[str]) -> str:
    title = match[2].replace('"', "&quot;")
    return f'{match[1]}<summary aria-label="Pages under {title}">'


def mend(text: str) -> str:
    """Return a page with the theme's faults mended.

    Parameters
    ----------
    text
        The HTML of a page.
    """
    text = _UNFOLD.sub(_named, text)
    text = _SPOKEN.sub(r"\1", text)
    return _ICON.sub(r"\1", text)
