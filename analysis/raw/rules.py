"""Hand-kept rules: the TOML files in ``data/``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from analysis.errors import InputError
from analysis.raw.places import data_dir

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def read_toml(path: Path) -> dict[str, Any]:
    """Parse one TOML file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict
        Its content, as :mod:`tomllib` gives it.

    Raises
    ------
    InputError
        If the file is missing, is not UTF-8, or is no TOML; the message names
        the file and the line.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not UTF-8 text at byte {error.start}; save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        # The parser's own message ends in "(at line 3, column 7)".
        raise InputError(f"{path}: not valid TOML: {error}") from None
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        reason = "nested too deeply" if deep else "a number in it has thousands of digits"
        raise InputError(f"{path}: not usable TOML: {reason}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def declared(name: str) -> dict[str, Any]:
    """Return the parsed content of ``data/<name>.toml``.

    Parameters
    ----------
    name : str
        A register's name without folder or ending, for instance ``"families"``.

    Returns
    -------
    dict
        The file's content. Each call parses the file anew, so callers may
        change what they get.

    Raises
    ------
    InputError
        If the name is no plain name, or the file is missing or broken; a syntax
        error is reported with its line.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} is not the name of a register: use letters, digits, - and _")
    return read_toml(data_dir() / f"{name}.toml")
