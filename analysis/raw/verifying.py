"""Hashing again every raw file that lies in the cache and in the mirror."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analysis.errors import IntegrityError
from analysis.raw.fetching import Fetcher, check, fetcher

Place = Literal["cache", "mirror", "nowhere"]


@dataclass(frozen=True)
class Finding:
    """What verifying found of one version in one place.

    Attributes
    ----------
    name : str
        The version.
    place : {"cache", "mirror", "nowhere"}
        Where a copy was looked at; nowhere if neither holds one.
    state : {"ok", "wrong", "absent"}
        Whether the bytes are the registered ones.
    message : str
        What is wrong, else empty.
    """

    name: str
    place: Place
    state: Literal["ok", "wrong", "absent"]
    message: str = ""


def verify(names: Iterable[str] | None = None, *, using: Fetcher | None = None) -> list[Finding]:
    """Hash raw files again, without fetching anything.

    Parameters
    ----------
    names : iterable of str, optional
        Versions to look at; all registered ones by default.
    using : Fetcher, optional
        Registry, cache and mirror; those of the environment by default.

    Returns
    -------
    list of Finding
        For each version one finding a copy (cache, then mirror), or one that says
        absent. Whole commits are unpacked and their git tree id computed.

    Raises
    ------
    InputError
        If a name is not in the registry.
    """
    using = fetcher(progress=False) if using is None else using
    registry = using.registry
    chosen = list(registry.versions()) if names is None else [registry.find(n) for n in names]
    findings: list[Finding] = []
    for source, version in chosen:
        cached = using.path_of(version)
        mirrored = using.mirrored(version)
        copies: list[tuple[Place, Path]] = []
        if cached.is_file():
            copies.append(("cache", cached))
        if mirrored is not None:
            copies.append(("mirror", mirrored))
        for place, path in copies:
            try:
                check(path, source, version)
            except IntegrityError as error:
                findings.append(Finding(version.name, place, "wrong", str(error)))
            else:
                findings.append(Finding(version.name, place, "ok"))
        if not copies:
            findings.append(Finding(version.name, "nowhere", "absent"))
    return findings
