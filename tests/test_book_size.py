"""The built site: no page is heavier than a slow line carries in a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow]

#: Bytes of HTML a page, before any compression.
MOST = 120_000


def test_every_page_is_small(site: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in sorted(site.glob("*.html"))}
    heavy = sorted(((size, name) for name, size in sizes.items() if size > MOST), reverse=True)
    listed = "\n".join(
        f"{size:>8,} {name}"
        for name, size in sorted(sizes.items(), key=lambda one: one[1], reverse=True)
    )
    assert not heavy, f"{len(heavy)} pages above {MOST:,} bytes:\n{listed}"
    assert len(sizes) > 40
