"""Fixtures that more than one room's tests use."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from analysis import raw
from tests.support.browser import chromium, site, visit, web_checks, windows

#: Fixtures that live beside their helpers.
__all__ = ["chromium", "site", "visit", "web_checks", "windows"]

PROJECT = Path(__file__).resolve().parents[1]

# The same examples on every run, so that a change is judged by what it changes.
# To look for new ones: `pytest --hypothesis-profile=search`.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1000, deadline=None)
settings.load_profile("fixed")


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the real raw files; what fetches during the session takes them from there.

    ``OMR_MIRROR`` names it (relative to the project), else ``../shared/hub-mirror``
    is used if it is there. Fetched files go to a folder of this test process.
    """
    named = os.environ.get(raw.MIRROR_VARIABLE, "").strip()
    folder = (PROJECT / (named or "../shared/hub-mirror")).resolve()
    if not folder.is_dir():
        if named:
            pytest.fail(f"{raw.MIRROR_VARIABLE}={named} is not a folder")
        pytest.skip(f"no mirror of the raw files: set {raw.MIRROR_VARIABLE} to run this")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(raw.MIRROR_VARIABLE, str(folder))
        patch.setenv(raw.CACHE_VARIABLE, str(tmp_path_factory.mktemp("raw-cache")))
        yield folder


@pytest.fixture(scope="session")
def raw_path(mirror: Path) -> Callable[[str], Path]:
    """Return a function from a version's name to its verified file."""
    return raw.fetch


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits that were asked for; none is really waited."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken
