"""What a capture asks the Hub for: written once, before the first page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit, urlunsplit

from analysis.errors import InputError, IntegrityError

FORMAT: Final = 1

#: Fields that the Hub is asked to expand, in the order of the hub-stats columns.
FIELDS: Final = (
    "author",
    "createdAt",
    "lastModified",
    "downloads",
    "downloadsAllTime",
    "likes",
    "trendingScore",
    "tags",
    "cardData",
    "safetensors",
    "gguf",
    "baseModels",
    "pipeline_tag",
    "library_name",
    "gated",
)

#: Asked for besides, to leave out what the Hub shows to the token's owner alone.
ASKED: Final = (*FIELDS, "private")

#: By the time of creation, newest first: it never changes, and the Hub's cursor holds its value, so
#: moving counters neither repeat a row on the next page nor push one out of it.
_ORDER: Final = (("sort", "createdAt"),)


@dataclass(frozen=True, slots=True)
class Query:
    """One listing: every model, those of one author, or those with one tag.

    Attributes
    ----------
    name : str
        ``author``, ``filter``, or empty for every model.
    value : str
        What it is compared with.
    """

    name: str = ""
    value: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.value}" if self.name else "every model"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query's own parameters, none for every model."""
        return [(self.name, self.value)] if self.name else []

    def first(self, page_size: int) -> str:
        """Return the query string of its first page."""
        expand = [("expand", name) for name in ASKED]
        return urlencode([*self.pairs, *_ORDER, ("limit", str(page_size)), *expand])


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides which pages a capture asks for.

    Attributes
    ----------
    endpoint : str
        Address of the Hub, without user name or password.
    parameters : mapping
        What the user chose; the same command must choose the same to resume.
    queries : tuple of Query
        Walked one after the other.
    page_size : int
        Rows asked for on a page; the Hub may give fewer.
    tracked : tuple of str
        Repositories that the capture should hold; the manifest names those it did not meet.
    """

    endpoint: str
    parameters: Mapping[str, Any]
    queries: tuple[Query, ...]
    page_size: int
    tracked: tuple[str, ...] = ()

    def as_bytes(self) -> bytes:
        """Return the plan as JSON, the same bytes for the same plan."""
        content = {
            "format": FORMAT,
            "endpoint": self.endpoint,
            "parameters": dict(self.parameters),
            "page_size": self.page_size,
            "fields": list(ASKED),
            "queries": [[query.name, query.value] for query in self.queries],
            "tracked": list(self.tracked),
        }
        return (json.dumps(content, indent=1, ensure_ascii=True) + "\n").encode("ascii")

    @classmethod
    def from_bytes(cls, content: bytes, where: str) -> Self:
        """Read a plan.

        Raises
        ------
        IntegrityError
            If it is not what :meth:`as_bytes` writes, or of another format.
        """
        try:
            read = json.loads(content)
            found = cls(
                endpoint=str(read["endpoint"]),
                parameters=dict(read["parameters"]),
                queries=tuple(Query(str(name), str(value)) for name, value in read["queries"]),
                page_size=int(read["page_size"]),
                tracked=tuple(map(str, read["tracked"])),
            )
            same = read["format"] == FORMAT and read["fields"] == list(ASKED)
        except (ValueError, KeyError, TypeError, RecursionError):
            raise IntegrityError(
                f"{where}: no plan of a capture: take it from a copy, or capture into a new folder"
            ) from None
        if not same:
            raise IntegrityError(
                f"{where}: written by another version of this program: capture into a new folder"
            )
        return found


def without_secrets(address: str) -> str:
    """Return an address without user name, password, query and trailing slash.

    Raises
    ------
    InputError
        If it is no address of the web. The message does not repeat it: it may hold a password.
    """
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InputError("HF_ENDPOINT: no address of the web: it begins with https:// and a host")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
