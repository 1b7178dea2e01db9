"""Bytes of the derived files, and how they come into their folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import raw, tables
from analysis.errors import InputError

RULE_FILES = (
    "arrivals",
    "assumptions",
    "breadth",
    "bulk",
    "claims",
    "days",
    "domains",
    "families",
    "frontier",
    "hardware",
    "languages",
    "licences",
    "outliers",
    "pace",
    "populations",
    "provenance",
    "pulls",
    "releases",
    "routers",
    "services",
    "sightings",
    "slices",
    "terms",
    "trust",
    "waves",
)

#: Tables made by hand that results rest on like on a rule.
RULE_TABLES = ("domain-labels",)

# A spreadsheet takes a cell that begins so for a formula (also in full width), or swallows it.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True)
class Table:
    """A derived table before it is written.

    Attributes
    ----------
    inputs
        Versions of the registry that it was computed from; ``data/reference`` stands
        for the published figures.
    """

    name: str
    content: bytes
    rows: int
    inputs: tuple[str, ...]
    description: str
    suffix: str = "csv"


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Write a table the same on every machine: 10 significant digits, Unix line ends, no index.

    Ids of repositories are strangers' text. A text that a spreadsheet would run as a
    formula gets an apostrophe in front, and control characters are written as escapes.
    """
    out = frame.copy()
    for name in out.columns:
        if pd.api.types.is_float_dtype(out[name]):
            values = out[name].to_numpy(dtype="float64", na_value=float("nan"))
            out[name] = [_text(value) for value in values]
        elif not (
            pd.api.types.is_numeric_dtype(out[name])
            or pd.api.types.is_datetime64_any_dtype(out[name])
        ):
            out[name] = pd.Series([_cell(v) for v in out[name]], index=out.index, dtype="object")
    out.columns = [_cell(name) for name in out.columns]
    text: str = out.to_csv(index=False, lineterminator="\n")
    return text.encode("utf-8")


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return _text(value)
    if not isinstance(value, str):
        return value
    safe = "".join(c if c.isprintable() else _escape(c) for c in value)
    return f"'{safe}" if safe.lstrip().startswith(_FORMULA) else safe


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _text(value: float) -> str:
    if value != value:  # NaN
        return ""
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.10g}"


def json_bytes(content: object) -> bytes:
    """Write JSON the same on every machine: 10 significant digits; what is not finite is null."""
    return (
        json.dumps(_plain(content), ensure_ascii=False, indent=1, sort_keys=False) + "\n"
    ).encode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return (
            None
            if value != value or value in (float("inf"), float("-inf"))
            else float(f"{value:.10g}")
        )
    return value


def input_entry(registry: raw.Registry, name: str) -> dict[str, Any]:
    """Name one raw file by its version, its sha256 (or git tree id) and its address."""
    _, version = registry.find(name)
    return {
        "name": name,
        "sha256": version.sha256 or f"git-tree:{version.git_tree}",
        "url": version.url,
    }


def manifest(made: list[Table], registry: raw.Registry) -> dict[str, Any]:
    """List tables with hashes; the rule files and each raw input once."""
    data = raw.data_dir()
    used = sorted({name for table in made for name in table.inputs if name != "data/reference"})
    rule_files = [f"{name}.toml" for name in RULE_FILES]
    rule_files += [f"{name}.csv" for name in RULE_TABLES]
    rule_files += [f"reference/{path.name}" for path in sorted((data / "reference").glob("*.csv"))]
    return {
        "tables": [
            {
                "name": table.name,
                "file": f"{table.name}.{table.suffix}",
                "description": table.description,
                "rows": table.rows,
                "bytes": len(table.content),
                "sha256": hashlib.sha256(table.content).hexdigest(),
                "licence": "ODbL-1.0"
                if any(
                    registry.find(n)[0].share_alike for n in table.inputs if n != "data/reference"
                )
                else "CC-BY-4.0",
                "inputs": list(table.inputs),
            }
            for table in sorted(made, key=lambda t: t.name)
        ],
        "rules": [
            {"file": name, "sha256": hashlib.sha256((data / name).read_bytes()).hexdigest()}
            for name in rule_files
        ],
        "raw": [input_entry(registry, name) for name in used],
    }


def refuse_others(folder: Path, mark: str = tables.MANIFEST) -> None:
    """Refuse a folder for tables if it holds anything that an earlier build did not write there.

    Files that are no longer derived are removed by :func:`write`: a stranger's must not be.

    Parameters
    ----------
    folder
        May not exist yet.
    mark
        Name of the manifest in it that lists the earlier build's files.

    Raises
    ------
    InputError
        It is a file, or holds other files.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: a file: name a folder")
    if not folder.is_dir():
        return
    there = {path.name for path in folder.iterdir()}
    known: set[str] = set()
    if mark in there:
        try:
            listed = json.loads((folder / mark).read_text(encoding="utf-8"))["tables"]
            known = {mark, *(str(one["file"]) for one in listed)}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            known = set()
    others = sorted(there - known)
    if others:
        raise InputError(
            f"{folder}: holds {_cell(others[0])}, which no build wrote there: name a new folder"
        )


def write(files: dict[str, bytes], folder: Path | None = None) -> list[str]:
    """Write derived files: all to temporary names first, then renamed, the manifest last.

    What goes wrong while the bytes are written (a full disk, an interruption) leaves
    the old files as they were. Files of the folder that are no longer derived are
    removed; folders in it are left alone.

    Returns
    -------
    list of str
        Names whose content changed.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    target = folder or tables.folder()
    waiting: list[tuple[Path, Path]] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        try:
            for name in sorted(files, key=lambda n: (n == tables.MANIFEST, n)):
                path = target / name
                if path.is_file() and path.read_bytes() == files[name]:
                    continue
                partial = target / f".{name}.partial"
                waiting.append((partial, path))
                partial.write_bytes(files[name])
        except BaseException:
            for partial, _ in waiting:
                partial.unlink(missing_ok=True)
            raise
        for partial, path in waiting:
            partial.replace(path)
        changed = [path.name for _, path in waiting]
        for path in sorted(target.iterdir()):
            if path.name not in files and not path.is_dir():
                path.unlink()
                changed.append(path.name)
    except OSError as error:
        raise InputError(
            f"{target}: cannot be written ({error.strerror}): free space or check its rights"
        ) from error
    return changed


def compare(files: dict[str, bytes], folder: Path | None = None) -> list[str]:
    """Return the names of derived files that differ from what is committed, byte for byte."""
    target = folder or tables.folder()
    try:
        there = (
            {p.name: p.read_bytes() for p in sorted(target.iterdir()) if not p.is_dir()}
            if target.is_dir()
            else {}
        )
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror})") from error
    return sorted(name for name in {*files, *there} if files.get(name) != there.get(name))
