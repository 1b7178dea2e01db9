"""Writing into the registry's TOML files: a row more, and every other byte as it was."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from analysis.errors import InputError
from analysis.raw.registry import Source, load_registry

_HEADER = re.compile(r"[ \t]*\[\[[ \t]*[\"']?versions[\"']?[ \t]*\]\]")


def assignment(key: str, value: object) -> str:
    """Write one key with its value: text, a number, a truth value, or a list of texts."""
    if isinstance(value, list):
        inner = "".join(f"    {_value(one)},\n" for one in value)
        return f"{key} = [\n{inner}]\n"
    return f"{key} = {_value(value)}\n"


def _value(value: object) -> str:
    """Write a string, number or truth value as TOML does; its strings escape as JSON's do."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def block_of(row: dict[str, Any]) -> str:
    """Write one ``[[versions]]`` block."""
    return "[[versions]]\n" + "".join(assignment(key, value) for key, value in row.items())


def inserted(before: bytes, source: Source, row: dict[str, Any], toml: Path) -> bytes:
    """Insert a block where the order of day and name wants it; all other bytes stay.

    Parameters
    ----------
    before : bytes
        The file as it is.
    source : Source
        The same, read.
    row : dict
        Fields of the new version.
    toml : pathlib.Path
        The file, for messages.

    Raises
    ------
    InputError
        If the file is laid out in a way that cannot be followed.
    """
    block = block_of(row)
    text = before.decode("utf-8")
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    if len(headers) != len(source.versions):
        raise InputError(f"{toml}: its layout is not understood: write the block in by hand")
    key = _order(str(row["as_of"]), str(row["name"]))
    block = block.replace("\n", newline)
    for header, version in zip(headers, source.versions, strict=True):
        if _order(version.as_of, version.name) > key:
            # Comments right above a block belong to it.
            while header and lines[header - 1].lstrip().startswith("#"):
                header -= 1
            return "".join([*lines[:header], block, newline, *lines[header:]]).encode()
    end = "" if not text or text.endswith("\n") else newline
    blank = "" if not lines or not lines[-1].strip() else newline
    return f"{text}{end}{blank}{block}".encode()


def _order(as_of: str, name: str) -> tuple[str, str]:
    return as_of.split("..")[0], name


def read_back(folder: Path, toml: Path, content: bytes, name: str, before: Source | None) -> None:
    """Read the registry with the new content of one file, before that gets its name.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the registry.
    toml : pathlib.Path
        The file that is to change, or to come.
    content : bytes
        What it is to hold.
    name : str
        Name of the new version.
    before : Source or None
        The source as it was; all of it must be there still.

    Raises
    ------
    InputError
        If the registry would refuse the file, or anything but the new version would differ.
    """
    with tempfile.TemporaryDirectory(prefix="registry-") as temporary:
        copy = Path(temporary)
        for path in folder.glob("*.toml"):
            shutil.copyfile(path, copy / path.name)
        (copy / toml.name).write_bytes(content)
        try:
            registry = load_registry(copy)
        except InputError as error:
            told = str(error).replace(str(copy), str(folder))
            raise InputError(f"not pinned: {told}") from None
    after = registry.source(toml.stem)
    rest = tuple(version for version in after.versions if version.name != name)
    same = before is None or after.model_copy(update={"versions": rest}) == before
    if not same or len(rest) == len(after.versions):
        raise InputError(f"{toml}: its layout is not understood: write the block in by hand")


def replace(path: Path, before: bytes | None, after: bytes) -> None:
    """Give new content a file's name in one step.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    before : bytes or None
        What it must hold still, so that nothing is lost that came meanwhile; None where it must
        not be there yet.
    after : bytes
        The new content.

    Raises
    ------
    InputError
        If it changed meanwhile, or cannot be written. Then it is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with temporary.open("wb") as out:
            out.write(after)
            out.flush()
            os.fsync(out.fileno())
        if before is not None:
            shutil.copymode(path, temporary)
        if (path.read_bytes() if path.exists() else None) != before:
            raise InputError(f"{path}: changed while this was pinned: pin again")
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
