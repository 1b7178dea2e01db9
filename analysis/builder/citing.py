"""What ``CITATION.cff`` says of the record, for tables that carry a citation."""

from __future__ import annotations

import re
from typing import Final

from analysis import raw
from analysis.errors import InputError

_FILE: Final = "CITATION.cff"
#: Entries that a citation needs, each on a line of its own in the file.
_WANTED: Final = {
    "title": r'^title: "(.+)"$',
    "version": r'^version: "(.+)"$',
    "authors": r'^  - name: "(.+)"$',
}


def citation() -> dict[str, str]:
    """Return ``title``, ``version`` and ``authors`` of the record.

    Raises
    ------
    InputError
        The file cannot be read, or an entry is missing.
    """
    path = raw.data_dir().parent / _FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}): restore the file") from None
    found = {name: re.findall(pattern, text, re.MULTILINE) for name, pattern in _WANTED.items()}
    for name, values in found.items():
        if not values:
            raise InputError(f"{path}: {name}: no such entry in quotation marks: restore it")
    return {name: ", ".join(values) for name, values in found.items()}
