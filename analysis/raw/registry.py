"""The registry of sources: who made a raw file, where it is, and which bytes it has.

One TOML file in ``data/sources/`` describes one source: one producer and one path
in its repository. Each ``[[versions]]`` row pins one file by commit and hash.
``_kinds.toml`` and ``_upstreams.toml`` hold the closed lists that sources choose
from.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from analysis.errors import InputError
from analysis.raw.places import data_dir
from analysis.raw.rules import read_toml

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=60)]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def _no_dots(repository: str) -> str:
    if any(part in {".", ".."} for part in repository.split("/")):
        raise ValueError("must be OWNER/NAME, without a step up")
    return repository


Repository = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"),
    AfterValidator(_no_dots),
]
Host = Literal["github", "github-archive", "huggingface-dataset"]
State = Literal["available", "optional", "withdrawn"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Kind(_Record):
    """A layout that one reader understands.

    Attributes
    ----------
    id : str
        The name used in ``sources`` and by ``inspect --kind``.
    meaning : str
        What one file of this kind holds.
    """

    id: Slug
    meaning: Text


class Upstream(_Record):
    """A counter, dump or text that sources were read from.

    Attributes
    ----------
    id : str
        The name used in ``sources``.
    counter : str
        Sources whose upstreams share a counter are not independent: agreement
        between them shows faithful copying, not that the counter is right.
    meaning : str
        What it is and who keeps it.
    """

    id: Slug
    counter: Slug
    meaning: Text


class Version(_Record):
    """One pinned file of a source.

    Attributes
    ----------
    name : str
        Stable, dated name, the one that ``fetch`` takes.
    commit : str
        Full 40-digit commit of the repository.
    as_of : str
        The day the content speaks of, or ``first..last`` where only a span is known.
    as_of_known_by : str
        How that day is known.
    sha256 : str or None
        Hash of the file; None for a whole commit.
    git_tree : str or None
        Git tree id of the unpacked content; only for a whole commit.
    hash_by : {"computed here", "declared by the publisher"}
        Whether anybody but the publisher has seen these bytes.
    bytes : int
        Size of the file. For a whole commit the size of the archive when it was
        pinned, which a host may change by recompressing.
    path : str or None
        Path in the repository where it differs from the source's.
    licence : str or None
        Licence where it differs from the source's.
    note : str
        What is particular to this version.
    url : str
        Public address, made from the source's host, the commit and the path.
    as_of_first, as_of_last : datetime.date
        The bounds of `as_of`; equal where the day is known.
    """

    name: Slug
    commit: Commit
    as_of: Text
    as_of_known_by: Text
    sha256: Sha256 | None = None
    git_tree: Commit | None = None
    hash_by: Literal["computed here", "declared by the publisher"]
    bytes: Annotated[int, Field(gt=0)]
    path: Text | None = None
    licence: Text | None = None
    note: str = ""
    _url: str = PrivateAttr(default="")

    @field_validator("as_of")
    @classmethod
    def _is_day_or_span(cls, value: str) -> str:
        first, last = _span(value)
        if last < first:
            raise ValueError(f"the span {value} ends before it begins")
        return value

    @field_validator("path")
    @classmethod
    def _is_inside(cls, value: str | None) -> str | None:
        return None if value is None else _inside(value)

    @model_validator(mode="after")
    def _has_one_hash(self) -> Self:
        if (self.sha256 is None) == (self.git_tree is None):
            raise ValueError("give either sha256 or git_tree")
        return self

    @property
    def url(self) -> str:
        """Public address of the file, pinned by the commit."""
        return self._url

    @property
    def as_of_first(self) -> dt.date:
        """Earliest day the content can speak of."""
        return _span(self.as_of)[0]

    @property
    def as_of_last(self) -> dt.date:
        """Latest day the content can speak of."""
        return _span(self.as_of)[1]


class Source(_Record):
    """One producer and one path in its repository, with all pinned versions.

    Attributes
    ----------
    id : str
        Stable name; also the name of its TOML file.
    title, producer : str
        For a person to read.
    kind : str
        One of ``_kinds.toml``; it decides which reader opens the files.
    repository : str
        ``owner/name`` at the host.
    host : {"github", "github-archive", "huggingface-dataset"}
        Where the repository lies. An archive is a whole commit.
    path : str
        Path in the repository; empty for a whole commit.
    licence, licence_notes : str
        As stated by the producer, or "not stated"; and what to know about it.
    share_alike : bool
        Whether what is derived must carry the same licence.
    citation : str
        Author, repository and path; `cite` adds commit and address.
    upstream, upstream_note : str
        One of ``_upstreams.toml``, and how this producer read it.
    covers : str
        Which repositories, days and quantities.
    known_problems : tuple of str
        What a user of the numbers must know.
    state : {"available", "optional", "withdrawn"}
        Optional files are large or unverified and never fetched unasked; of a
        withdrawn source nothing can be fetched any more.
    state_note : str
        What the state means here; required unless available.
    versions : tuple of Version
        Sorted by day and name.
    """

    id: Slug
    title: Text
    kind: Slug
    producer: Text
    repository: Repository
    host: Host
    path: str
    licence: Text
    licence_notes: str = ""
    share_alike: bool
    citation: Text
    upstream: Slug
    upstream_note: Text
    covers: Text
    known_problems: Annotated[tuple[Text, ...], Field(strict=False)]
    state: State
    state_note: str = ""
    versions: Annotated[tuple[Version, ...], Field(strict=False)] = ()

    @field_validator("path")
    @classmethod
    def _is_inside(cls, value: str) -> str:
        return _inside(value) if value else value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.state != "available" and not self.state_note:
            raise ValueError(f"state {self.state} needs a state_note that says what it means")
        if self.state == "available" and not self.versions:
            raise ValueError("an available source needs at least one version")
        if self.state == "withdrawn" and self.versions:
            raise ValueError("a withdrawn source has no version to fetch")
        if (self.kind == "hub-tree") != (self.host == "github-archive"):
            raise ValueError("kind hub-tree and host github-archive go together")
        ordered = sorted(self.versions, key=lambda v: (v.as_of_first, v.name))
        for version, right in zip(self.versions, ordered, strict=True):
            if version is not right:
                raise ValueError(f"versions are not in order of day and name at {version.name}")
            if (version.git_tree is None) == (self.kind == "hub-tree"):
                raise ValueError(f"{version.name}: kind hub-tree, and no other, has a git_tree")
            if self.host != "github-archive" and not (version.path or self.path):
                raise ValueError(f"{version.name}: no path, neither here nor in the source")
            version._url = self._address(version)
        return self

    def _address(self, version: Version) -> str:
        path = quote(version.path or self.path)
        if self.host == "github":
            return f"https://raw.githubusercontent.com/{self.repository}/{version.commit}/{path}"
        if self.host == "github-archive":
            return f"https://codeload.github.com/{self.repository}/tar.gz/{version.commit}"
        return f"https://huggingface.co/datasets/{self.repository}/resolve/{version.commit}/{path}"

    def licence_of(self, version: Version) -> str:
        """Return the licence of one version: its own, else the source's."""
        return version.licence or self.licence

    def cite(self, version: Version) -> str:
        """Return the citation of one version, pinned by its full commit."""
        return f"{self.citation} Commit {version.commit}. {version.url}"

    def as_json(self) -> dict[str, Any]:
        """Return the source as plain data, each version with url, licence and citation."""
        plain = self.model_dump(mode="json", exclude={"versions"})
        plain["versions"] = [
            version.model_dump(mode="json")
            | {
                "url": version.url,
                "path": version.path or self.path,
                "licence": self.licence_of(version),
                "citation": self.cite(version),
            }
            for version in self.versions
        ]
        return plain


class Registry(_Record):
    """All sources, with the closed lists they refer to.

    Attributes
    ----------
    sources : tuple of Source
        Sorted by id.
    kinds : tuple of Kind
        Sorted by id.
    upstreams : tuple of Upstream
        Sorted by id.
    """

    sources: tuple[Source, ...]
    kinds: tuple[Kind, ...]
    upstreams: tuple[Upstream, ...]

    def versions(self) -> Iterator[tuple[Source, Version]]:
        """Yield each version with its source, sources by id, versions by day."""
        for source in self.sources:
            for version in source.versions:
                yield source, version

    def source(self, source_id: str) -> Source:
        """Return a source by its id.

        Raises
        ------
        InputError
            If there is none; the message offers ids that look alike.
        """
        for source in self.sources:
            if source.id == source_id:
                return source
        raise InputError(_unknown("source", source_id, [s.id for s in self.sources]))

    def find(self, name: str) -> tuple[Source, Version]:
        """Return a version by its name, with its source.

        Parameters
        ----------
        name : str
            For instance ``"hub-stats-2026-05"``.

        Raises
        ------
        InputError
            If there is none; the message offers names that look alike.
        """
        for source, version in self.versions():
            if version.name == name:
                return source, version
        raise InputError(_unknown("raw file", name, [v.name for _, v in self.versions()]))

    def by_kind(self, kind: str) -> list[tuple[Source, Version]]:
        """Return all versions of one kind, sorted by first day and name.

        Raises
        ------
        InputError
            If the kind is not in ``_kinds.toml``.
        """
        known = [k.id for k in self.kinds]
        if kind not in known:
            raise InputError(_unknown("kind", kind, known))
        found = [(s, v) for s, v in self.versions() if s.kind == kind]
        return sorted(found, key=lambda pair: (pair[1].as_of_first, pair[1].name))

    def upstream(self, source: Source) -> Upstream:
        """Return what a source was read from."""
        return next(u for u in self.upstreams if u.id == source.upstream)


_Row = TypeVar("_Row", Kind, Upstream)
_Model = TypeVar("_Model", bound=_Record)


def load_registry(folder: Path | None = None) -> Registry:
    """Read and check the registry.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Folder of the TOML files; the project's ``data/sources`` by default.

    Returns
    -------
    Registry
        Read once per folder; read again when one of its files changed.

    Raises
    ------
    InputError
        If a file is broken, a field is missing or wrong, or two versions share a
        name or a hash. The message names the file and the field.
    """
    folder = (data_dir() / "sources" if folder is None else folder).absolute()
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise InputError(f"{folder}: no TOML file of a source here")
    stamps = [(path, path.stat()) for path in files]
    signature = tuple((path.name, stat.st_mtime_ns, stat.st_size) for path, stat in stamps)
    return _load(folder, signature)


@functools.lru_cache(maxsize=8)
def _load(folder: Path, signature: tuple[tuple[str, int, int], ...]) -> Registry:
    kinds = _closed_list(folder / "_kinds.toml", "kind", Kind)
    upstreams = _closed_list(folder / "_upstreams.toml", "upstream", Upstream)
    kind_ids = [kind.id for kind in kinds]
    upstream_ids = [upstream.id for upstream in upstreams]
    sources: list[Source] = []
    names: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for file_name, _, _ in signature:
        if file_name.startswith("_"):
            continue
        path = folder / file_name
        source = _checked(path, Source, read_toml(path))
        if source.id != path.stem:
            raise InputError(f"{path}: id is {source.id!r}, but the file's name says {path.stem!r}")
        if source.kind not in kind_ids:
            raise InputError(f"{path}: kind: " + _unknown("kind", source.kind, kind_ids))
        if source.upstream not in upstream_ids:
            raise InputError(
                f"{path}: upstream: " + _unknown("upstream", source.upstream, upstream_ids)
            )
        for version in source.versions:
            if version.name in names:
                raise InputError(
                    f"{path}: name {version.name!r} is taken already in {names[version.name]}"
                )
            names[version.name] = file_name
            digest = version.sha256 or version.git_tree or ""
            if digest in hashes:
                raise InputError(
                    f"{path}: {version.name} has the same hash as {hashes[digest]}: "
                    f"one file must not count as two readings"
                )
            hashes[digest] = version.name
        sources.append(source)
    return Registry(
        sources=tuple(sorted(sources, key=lambda s: s.id)),
        kinds=tuple(sorted(kinds, key=lambda k: k.id)),
        upstreams=tuple(sorted(upstreams, key=lambda u: u.id)),
    )


def _closed_list(path: Path, key: str, row: type[_Row]) -> list[_Row]:
    content = read_toml(path)
    entries = content.get(key)
    if list(content) != [key] or not isinstance(entries, list):
        raise InputError(f"{path}: must hold [[{key}]] tables and nothing else")
    rows = [_checked(path, row, entry) for entry in entries]
    ids = [entry.id for entry in rows]
    for entry_id in ids:
        if ids.count(entry_id) > 1:
            raise InputError(f"{path}: {key} {entry_id!r} stands there twice")
    return rows


def _checked(path: Path, model: type[_Model], content: Any) -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = problems[0]
        place = ".".join(str(part) for part in first["loc"])
        row = _row_name(content, first["loc"])
        got = repr(first["input"]) if not isinstance(first["input"], dict) else ""
        message = first["msg"].removeprefix("Value error, ")
        line = f"{path}: {place}{row}: {message}" if place else f"{path}: {message}"
        if got and first["type"] != "missing" and len(got) < 100:
            line += f" (got {got})"
        if len(problems) > 1:
            line += f"; and {len(problems) - 1} more"
        raise InputError(" ".join(line.split())) from None


def _row_name(content: Any, place: tuple[int | str, ...]) -> str:
    """Name the version a problem sits in: ``versions.17`` alone is hard to find."""
    if len(place) > 2 and place[0] == "versions" and isinstance(place[1], int):
        name = content["versions"][place[1]].get("name")
        return f" ({name})" if isinstance(name, str) else ""
    return ""


def _span(value: str) -> tuple[dt.date, dt.date]:
    parts = value.split("..")
    if len(parts) > 2 or not all(_DAY.fullmatch(part) for part in parts):
        raise ValueError("must be a day YYYY-MM-DD, or two of them joined by '..'")
    days = [dt.date.fromisoformat(part) for part in parts]
    return days[0], days[-1]


def _inside(path: str) -> str:
    """Refuse a path that would leave the repository, or the cache it is copied to."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\\" in path or "%" in path:
        raise ValueError("must be a plain relative path, written without percent signs")
    return path


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else "`sources` lists them all"
    return f"no {what} is called {name!r}: {hint}"
