"""Entries of the hand-kept files in ``data/``, checked by a model: the first wrong one is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from analysis.errors import InputError

_Model = TypeVar("_Model", bound=BaseModel)


def checked(model: type[_Model], content: Mapping[str, object], where: str) -> _Model:
    """Check the content of a file of rules.

    Parameters
    ----------
    model
        What it must be.
    content
        The parsed TOML.
    where
        The file, for the message.

    Raises
    ------
    InputError
        Names the file and the first wrong entry.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        message = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: {place}: {message}: correct the entry") from error
