"""The derived tables: ``data/derived``, read as the book and other programs read them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import raw
from analysis.errors import InputError, IntegrityError

MANIFEST = "manifest.json"


def folder() -> Path:
    """Return the folder of the derived tables."""
    return raw.data_dir() / "derived"


_TABLE_KEYS = ("name", "file", "sha256")


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; run `make data` to build the derived tables"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{path}: not readable as JSON ({reason}); run `make data`") from None
    whole = isinstance(content, dict) and all(
        isinstance(content.get(part), list)
        and all(isinstance(entry, dict) and {*keys} <= set(entry) for entry in content[part])
        for part, keys in (("tables", _TABLE_KEYS), ("rules", ("file", "sha256")))
    )
    if not whole:
        raise InputError(f"{path}: not a manifest; run `make data`")
    return dict(content)


def manifest() -> dict[str, Any]:
    """Return the manifest: each table with its sha256, its inputs and what it holds."""
    return _read_manifest(folder() / MANIFEST)


def _file(name: str) -> Path:
    listed = {entry["name"]: entry for entry in manifest()["tables"]}
    if name not in listed:
        raise InputError(
            f"no derived table is called {name!r}; there are: {', '.join(sorted(listed))}"
        )
    path = folder() / str(listed[name]["file"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); run `make data`") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != listed[name]["sha256"]:
        raise IntegrityError(
            f"{path}: changed by hand (sha256 {digest[:16]}…, the manifest says "
            f"{listed[name]['sha256'][:16]}…); run `make data` to build it again"
        )
    return path


def load(name: str) -> pd.DataFrame:
    """Load a derived table, or a table of published figures.

    Parameters
    ----------
    name
        A name of the manifest, or ``reference/<file>`` without suffix for figures
        that others published (``data/reference``).

    Returns
    -------
    pandas.DataFrame
        The table as it was written; empty cells are missing values. A text that a
        spreadsheet would run as a formula stands with an apostrophe in front.

    Raises
    ------
    InputError
        There is no such table, or it cannot be read.
    IntegrityError
        The file is not the one that the manifest names.
    """
    if name.startswith("reference/"):
        there = {
            f"reference/{path.stem}": path for path in (raw.data_dir() / "reference").glob("*.csv")
        }
        if name not in there:
            raise InputError(
                f"data/{name}.csv: no such table of published figures; "
                f"there are: {', '.join(sorted(there))}"
            )
        path = there[name]
    else:
        path = _file(name)
        if path.suffix != ".csv":
            raise InputError(f"{path}: no table but a list; tables.{name}() loads it")
    try:
        return pd.read_csv(path, low_memory=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as CSV ({error}); restore the file") from None


def by_hand(name: str) -> pd.DataFrame:
    """Load a table of ``data/`` that was made by hand: all its cells as text, empty ones empty.

    Raises
    ------
    InputError
        There is no such table, or it cannot be read.
    """
    path = raw.data_dir() / f"{name}.csv"
    try:
        return pd.read_csv(path, dtype="str", keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; restore it") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable as CSV ({error}); restore the file") from None


def glossary() -> list[dict[str, Any]]:
    """Load the terms of the book (``data/glossary.toml``), as they stand there."""
    terms: list[dict[str, Any]] = raw.declared("glossary")["term"]
    return terms


def specifications_name(claim: str) -> str:
    """Return the name of the table that holds the specifications of a claim."""
    return f"specifications_{claim.replace('-', '_')}"


def specifications(claim: str) -> pd.DataFrame:
    """Load every declared specification of a claim, the article's own first.

    Parameters
    ----------
    claim
        Id of a checked claim, for instance ``share-above-half``.

    Returns
    -------
    pandas.DataFrame
        A row a specification: a column for each dimension of the claim's grid, the value
        with its interval, and whether the claim holds.
    """
    return load(specifications_name(claim))


def claims() -> list[dict[str, Any]]:
    """Load the claims with their verdicts (``claims.json``)."""
    path = _file("claims")
    try:
        content: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path}: not readable as JSON; run `make data`") from None
    return content


def stale_rules() -> list[str]:
    """Return the rule files that have changed since the tables were built."""
    data = raw.data_dir()
    stale = []
    for entry in manifest()["rules"]:
        path = data / entry["file"]
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            stale.append(str(entry["file"]))
    return stale
