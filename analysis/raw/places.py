"""Where things lie: the project, its hand-kept data, the cache and the mirror.

Two environment variables move the last two: ``OMR_CACHE`` names the folder that
keeps fetched files, ``OMR_MIRROR`` a folder that stands in for the internet.
"""

from __future__ import annotations

import os
from pathlib import Path

from analysis.errors import InputError

CACHE_VARIABLE = "OMR_CACHE"
MIRROR_VARIABLE = "OMR_MIRROR"


def project_root() -> Path:
    """Return the folder that holds ``data/``, that is the checkout.

    The folder above the package is tried first, then the current folder and
    those above it, so that an installed copy works inside a checkout.

    Returns
    -------
    pathlib.Path
        Absolute path of the project.

    Raises
    ------
    InputError
        If none of these folders holds ``data/sources``.
    """
    here = Path.cwd()
    for folder in (Path(__file__).resolve().parents[2], here, *here.parents):
        if (folder / "data" / "sources").is_dir():
            return folder
    raise InputError(
        f"no data/sources folder above {here}: run this inside a checkout of the project"
    )


def data_dir() -> Path:
    """Return the project's ``data`` folder: hand-kept registers and derived tables."""
    return project_root() / "data"


def cache_dir() -> Path:
    """Return the folder that keeps fetched files.

    Returns
    -------
    pathlib.Path
        ``OMR_CACHE`` if set, else the user's cache folder for this project. It
        need not exist yet.
    """
    named = os.environ.get(CACHE_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    import pooch  # slow to import, and not needed where OMR_CACHE is set

    return Path(pooch.os_cache("open-model-record"))


def mirror_dir() -> Path | None:
    """Return the folder that stands in for the internet, if one is named.

    A relative ``OMR_MIRROR`` is looked for from the current folder and then from
    the project, because the book's pages run in another folder than ``make``.

    Returns
    -------
    pathlib.Path or None
        The mirror, or None where ``OMR_MIRROR`` is not set.

    Raises
    ------
    InputError
        If ``OMR_MIRROR`` names no folder.
    """
    named = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not named:
        return None
    path = Path(named).expanduser()
    candidates = [path] if path.is_absolute() else [Path.cwd() / path, project_root() / path]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate.resolve()
    raise InputError(
        f"{MIRROR_VARIABLE}={named} is not a folder: name one that holds the mirrored files, "
        f"or unset it to fetch from the internet"
    )
