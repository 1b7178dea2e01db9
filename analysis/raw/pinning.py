"""Pinning a file of a Hub data set: looked up at the Hub, written into the registry.

Nothing large is downloaded. The Hub declares size and sha256 of files in LFS and in Xet; the row
says that they were declared, not computed here. ``fetch`` compares the bytes with them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from analysis.errors import InputError, IntegrityError, UnavailableError
from analysis.raw import hub
from analysis.raw.downloading import Patience, authorization, reason_of, session_of
from analysis.raw.places import data_dir
from analysis.raw.registry import Source, load_registry
from analysis.raw.writing import assignment, block_of, inserted, read_back, replace

#: Largest file without a sha256 at the Hub that is downloaded to compute one, in bytes.
HASH_LIMIT = 64 << 20

_DATE = re.compile(r"(?<!\d)(\d{4})([-_]?)(\d{2})\2(\d{2})(?!\d)")
# What licences ask of derived data: by their names on the Hub, where that is known beforehand.
_SHARE_ALIKE = re.compile(r"odbl|cc-by(-nc)?-sa-[0-9.]+|gfdl|a?gpl-[0-9.]+|cdla-sharing-1.0")
_FREE_OF_IT = re.compile(
    r"mit|apache-2.0|bsd(-[23]-clause)?|cc0-1.0|cc-by(-nc)?-[0-9.]+|odc-by|pddl|unlicense"
    r"|cdla-permissive-[0-9.]+"
)

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a data set repository at one commit, as the Hub describes it.

    Attributes
    ----------
    repository : str
        ``owner/name``.
    commit : str
        Full 40 digits.
    path : str
        Path in the repository.
    bytes : int
        Size that the Hub declares.
    sha256 : str or None
        Hash that the Hub declares; None for small files that lie in git itself.
    blob : str
        Git's own id of what git keeps: for a small file of its bytes.
    """

    repository: str
    commit: str
    path: str
    bytes: int
    sha256: str | None
    blob: str

    @property
    def url(self) -> str:
        """Public address, pinned by the commit."""
        return (
            f"{hub.PUBLIC_HUB}/datasets/{self.repository}/resolve/{self.commit}/{quote(self.path)}"
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that can be pinned.

    Attributes
    ----------
    day : str
        Date in its path, else empty.
    file : HubFile
        What the Hub says of it.
    pinned_as : str
        Name of the version that pins these bytes already, else empty.
    """

    day: str
    file: HubFile
    pinned_as: str


@dataclass(frozen=True)
class Pinned:
    """What pinning a file came to.

    Attributes
    ----------
    name : str
        Name of the version.
    source : str
        Id of its source.
    toml : pathlib.Path
        The registry's file that holds it, or would hold it.
    text : str
        What was written, or would be: one ``[[versions]]`` block, or a whole new file; empty where
        it was pinned already.
    state : {"pinned", "pinned already", "not written"}
        What was done.
    file : HubFile
        What was pinned.
    notes : tuple of str
        What a person should look at, one line each.
    """

    name: str
    source: str
    toml: Path
    text: str
    state: str
    file: HubFile
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class About:
    """What a person knows of a file that the Hub does not say; None where nothing was given.

    Attributes are those of :class:`~analysis.raw.registry.Source` and
    :class:`~analysis.raw.registry.Version`; `source` is the id of the source to pin into.
    """

    name: str | None = None
    as_of: str | None = None
    as_of_known_by: str | None = None
    source: str | None = None
    title: str | None = None
    kind: str | None = None
    producer: str | None = None
    licence: str | None = None
    share_alike: bool | None = None
    citation: str | None = None
    upstream: str | None = None
    upstream_note: str | None = None
    covers: str | None = None


class Pinner:
    """Looks files up at the Hub and writes them into a registry.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Folder of the registry; the project's ``data/sources`` by default.
    patience : Patience, optional
        How long the Hub is asked.
    """

    def __init__(self, folder: Path | None = None, patience: Patience | None = None) -> None:
        self.folder = (data_dir() / "sources" if folder is None else folder).absolute()
        self.registry = load_registry(self.folder)
        self.patience = Patience.from_environment() if patience is None else patience

    # -- looking up --------------------------------------------------------------------------

    def look_up(self, repository: str, path: str, revision: str | None = None) -> HubFile:
        """Return commit, size and sha256 of one file.

        Parameters
        ----------
        repository : str
            ``owner/name`` of a data set.
        path : str
            Path in it.
        revision : str, optional
            Branch, tag or commit; the newest commit of ``main`` by default.

        Raises
        ------
        InputError
            If the path is a folder, or what the Hub says is no size or hash.
        UnavailableError
            If the Hub cannot be reached, refuses, or has no such repository, revision or path.
        """
        return self._look_up(repository, path, revision)[0]

    def _look_up(self, repository: str, path: str, revision: str | None) -> tuple[HubFile, Any]:
        """Return a file and the data set's card at that commit."""
        from huggingface_hub.hf_api import RepoFile

        if not path.isprintable():
            raise InputError(f"{repository}: {_printable(path)} is no path that can be pinned")
        client = self._client(repository)
        commit, card = self._commit(repository, revision)
        found = self._ask(
            repository,
            lambda: client.get_paths_info(repository, [path], revision=commit, repo_type="dataset"),
        )
        for entry in found:
            if entry.path == path and isinstance(entry, RepoFile):
                return _hub_file(repository, commit, entry), card
        if any(entry.path == path for entry in found):
            raise InputError(
                f"{repository}: {path} is a folder: name one file in it; `pin --list {repository} "
                f"--under {path}` lists them"
            )
        raise UnavailableError(
            f"{repository}: no file {_printable(path)} at commit {commit}: `pin --list "
            f"{repository}` lists what there is"
        )

    def candidates(
        self, repository: str, under: str = "", revision: str | None = None
    ) -> list[Candidate]:
        """Return the files of a repository that can be pinned, by the day in their path.

        Parameters
        ----------
        repository : str
            ``owner/name`` of a data set.
        under : str, optional
            Only what is in this folder.
        revision : str, optional
            Branch, tag or commit; the newest commit of ``main`` by default.

        Returns
        -------
        list of Candidate
            Sorted by day and path; files without a day come last. Cards and hidden files are left
            out. One page of the Hub's listing is held at a time, and a few words for each file.

        Raises
        ------
        UnavailableError
            As for :meth:`look_up`.
        """
        from huggingface_hub.hf_api import RepoFile

        hashes = {v.sha256: v.name for _, v in self.registry.versions() if v.sha256}
        client = self._client(repository)
        commit, _ = self._commit(repository, revision)

        def listed() -> list[Candidate]:
            rows = []
            for entry in client.list_repo_tree(
                repository,
                under.strip("/") or None,
                recursive=True,
                revision=commit,
                repo_type="dataset",
            ):
                last = entry.path.rsplit("/", 1)[-1]
                if not isinstance(entry, RepoFile) or last.startswith(".") or last == "README.md":
                    continue
                found = _hub_file(repository, commit, entry)
                known = hashes.get(found.sha256 or "") or self._pinned_path(found)
                rows.append(Candidate(day_in(found.path)[0], found, known or ""))
            return rows

        # Each page is asked for again by huggingface_hub itself.
        with hub.explained(f"{repository}: {_printable(under)}" if under else repository):
            rows = listed()
        return sorted(rows, key=lambda row: (not row.day, row.day, row.file.path))

    def _client(self, what: str) -> Any:
        hub.refuse_offline(what)
        return hub.api(self.patience.read)

    def _ask(self, what: str, question: Callable[[], _Answer]) -> _Answer:
        return hub.ask(
            what,
            question,
            attempts=self.patience.attempts,
            backoff=self.patience.backoff,
            longest_wait=self.patience.longest_wait,
        )

    def _commit(self, repository: str, revision: str | None) -> tuple[str, Any]:
        """Return the 40 digits of a revision, and the data set's card as far as it is data."""
        if not re.fullmatch(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", repository):
            raise InputError(
                f"{_printable(repository)}: not the name of a data set: OWNER/NAME is expected"
            )
        what = repository if revision is None else f"{repository}: {_printable(revision)}"
        client = self._client(what)
        told = self._ask(
            what,
            lambda: client.dataset_info(
                repository,
                revision=revision,
                expand=["sha", "cardData"],
                timeout=self.patience.read,
            ),
        )
        if not isinstance(told.sha, str) or not re.fullmatch("[0-9a-f]{40}", told.sha):
            raise UnavailableError(f"{what}: the Hub names no commit of 40 digits: try again later")
        return told.sha, told.card_data

    def _pinned_path(self, found: HubFile) -> str | None:
        """Return the version that pins a file without sha256 at the Hub: by commit and path."""
        for source, version in self.registry.versions():
            if (
                source.host == "huggingface-dataset"
                and source.repository == found.repository
                and version.commit == found.commit
                and (version.path or source.path) == found.path
            ):
                return version.name
        return None

    # -- hashing what the Hub does not hash ---------------------------------------------------

    def hashed(self, found: HubFile, limit: int = HASH_LIMIT) -> HubFile:
        """Download a small file without sha256 at the Hub, and return it with one.

        Parameters
        ----------
        found : HubFile
            The file.
        limit : int
            Largest size in bytes that is downloaded.

        Raises
        ------
        InputError
            If it is larger than `limit`.
        UnavailableError
            If it cannot be downloaded.
        IntegrityError
            If the bytes are not those of git's id for this file.
        """
        import requests

        if found.bytes > limit:
            raise InputError(
                f"{found.repository}: {found.path} has {found.bytes:,} bytes, more than the "
                f"{limit:,} that are downloaded to compute a hash"
            )
        url = hub.at_endpoint(found.url)
        sha256 = hashlib.sha256()
        blob = hashlib.sha1(b"blob %d\0" % found.bytes, usedforsecurity=False)
        got = 0
        try:
            with (
                session_of(self.patience) as session,
                session.get(
                    url,
                    stream=True,
                    timeout=(self.patience.connect, self.patience.read),
                    headers={"Accept-Encoding": "identity"},
                    auth=authorization(True),
                ) as answer,
            ):
                answer.raise_for_status()
                for chunk in answer.iter_content(1 << 16):
                    got += len(chunk)
                    if got > found.bytes:
                        break
                    sha256.update(chunk)
                    blob.update(chunk)
        except requests.HTTPError as error:
            raise UnavailableError(f"{url} answered {error.response.status_code}") from None
        except requests.RequestException as error:
            raise UnavailableError(f"{url} cannot be downloaded: {reason_of(error)}") from None
        if got != found.bytes or blob.hexdigest() != found.blob:
            raise IntegrityError(
                f"{url}: what came is not the file that git names {found.blob} "
                f"({found.bytes} bytes): try again"
            )
        return HubFile(
            found.repository, found.commit, found.path, got, sha256.hexdigest(), found.blob
        )

    # -- writing -----------------------------------------------------------------------------

    def pin(
        self,
        repository: str,
        path: str,
        revision: str | None = None,
        *,
        about: About | None = None,
        compute_hash: bool = False,
        dry_run: bool = False,
    ) -> Pinned:
        """Look a file up and write its row into the registry.

        Parameters
        ----------
        repository, path, revision : str
            As for :meth:`look_up`.
        about : About, optional
            What the Hub does not say. A repository that is new to the registry gets a file of its
            own, and needs at least `kind` and `upstream`.
        compute_hash : bool
            Download a file for which the Hub has no sha256, and compute it here.
        dry_run : bool
            Write nothing.

        Returns
        -------
        Pinned
            What was written. The registry was read back as a whole before the file got its name.

        Raises
        ------
        InputError
            If something is missing, wrong or ambiguous; the message names the option.
        UnavailableError, IntegrityError
            As for :meth:`look_up` and :meth:`hashed`.
        """
        about = About() if about is None else about
        found, card = self._look_up(repository, path, revision)
        known = self._pinned_path(found)
        hash_by = "declared by the publisher"
        if found.sha256 is None and known is None:
            if not compute_hash:
                raise InputError(
                    f"{repository}: {path} lies in git itself, so the Hub has no sha256 of it: "
                    f"--hash downloads its {found.bytes:,} bytes and computes it here"
                )
            found, hash_by = self.hashed(found), "computed here"
        known = known or next(
            (v.name for _, v in self.registry.versions() if v.sha256 == found.sha256), None
        )
        if known is not None:
            source, _ = self.registry.find(known)
            toml = self.folder / f"{source.id}.toml"
            return Pinned(known, source.id, toml, "", "pinned already", found)
        day, known_by = _day(found, about)
        source_found = self._source(found, about)
        source_id = source_found.id if source_found else _source_id(found, about)
        row: dict[str, Any] = {
            "name": about.name or f"{source_id}-{day.split('..')[0]}",
            "commit": found.commit,
            "as_of": day,
            "as_of_known_by": known_by,
            "sha256": found.sha256,
            "hash_by": hash_by,
            "bytes": found.bytes,
        }
        toml = self.folder / f"{source_id}.toml"
        if any(version.name == row["name"] for _, version in self.registry.versions()):
            raise InputError(f"{row['name']} names another file already: give --name")
        if source_found is not None:
            if found.path != source_found.path:
                row["path"] = found.path
            text = block_of(row)
            before = toml.read_bytes()
            after = inserted(before, source_found, row, toml)
            notes = _notes(source_found, toml, _licence(card)[0])
        else:
            if toml.exists():
                raise InputError(
                    f"{toml}: there already, for another repository or path: name another id "
                    f"with --source"
                )
            before = None
            text = self._new_source(found, source_id, row, about, card)
            after = text.encode()
            notes = (
                f"a new source: read licence, upstream_note, covers and known_problems in {toml}",
            )
        read_back(self.folder, toml, after, str(row["name"]), source_found)
        if not dry_run:
            replace(toml, before, after)
        state = "not written" if dry_run else "pinned"
        return Pinned(str(row["name"]), source_id, toml, text, state, found, notes)

    def _source(self, found: HubFile, about: About) -> Source | None:
        """Return the source that a file belongs to: same repository, and a path like its others."""
        there = [
            source
            for source in self.registry.sources
            if source.host == "huggingface-dataset" and source.repository == found.repository
        ]
        if about.source is not None:
            chosen = [source for source in there if source.id == about.source]
        else:
            like = undated(found.path)
            chosen = [source for source in there if like in _paths(source)]
            # A source that was registered before anything of it was pinned.
            chosen = chosen or [source for source in there if not _paths(source)]
        if len(chosen) > 1:
            names = ", ".join(source.id for source in chosen)
            raise InputError(f"{found.repository}: {names} may hold this file: name one, --source")
        if chosen and chosen[0].state == "withdrawn":
            raise InputError(
                f"{self.folder / chosen[0].id}.toml: {chosen[0].id} is marked withdrawn: change "
                f"its state if it is there again, then pin"
            )
        return chosen[0] if chosen else None

    def _new_source(
        self, found: HubFile, source_id: str, row: dict[str, Any], about: About, card: Any
    ) -> str:
        licence, licence_notes = _licence(card)
        licence = about.licence or licence
        share_alike = about.share_alike
        if share_alike is None and _SHARE_ALIKE.fullmatch(licence.lower()):
            share_alike = True
        elif share_alike is None and _FREE_OF_IT.fullmatch(licence.lower()):
            share_alike = False
        kinds = [kind.id for kind in self.registry.kinds]
        upstreams = [upstream.id for upstream in self.registry.upstreams]
        missing = []
        if about.kind is None:
            missing.append(f"--kind (one of {', '.join(kinds)})")
        if about.upstream is None:
            missing.append(f"--upstream (one of {', '.join(upstreams)})")
        if share_alike is None:
            missing.append(f"--share-alike or --no-share-alike (the card says licence {licence!r})")
        if missing:
            raise InputError(
                f"{found.repository}: no source of the registry holds {undated(found.path)}; for a "
                f"new one still needed: {'; '.join(missing)}"
            )
        owner, name = found.repository.split("/")
        pretty = _plain(getattr(card, "pretty_name", None))
        source = {
            "id": source_id,
            "title": about.title or pretty or found.repository,
            "kind": about.kind,
            "producer": about.producer or f"{owner}, {name}",
            "repository": found.repository,
            "host": "huggingface-dataset",
            "path": found.path,
            "licence": licence,
            "licence_notes": "Given when it was pinned." if about.licence else licence_notes,
            "share_alike": share_alike,
            "citation": about.citation
            or f"{owner}, {name}, data set on the Hugging Face Hub, {undated(found.path)}.",
            "upstream": about.upstream,
            "upstream_note": about.upstream_note or "Not described yet.",
            "covers": about.covers or "Not described yet.",
            "known_problems": [
                "The bytes have never been read here: what is known is what the Hub declares."
                if row["hash_by"] == "declared by the publisher"
                else "Hashed when it was pinned, and not read since."
            ],
            "state": "optional",
            "state_note": f"Pinned by hand: `fetch --all` leaves it out, `fetch {row['name']}` "
            f"takes it from the Hub.",
        }
        lines = [assignment(key, value) for key, value in source.items()]
        return "".join(lines) + "\n" + block_of(row)


def day_in(path: str) -> tuple[str, str]:
    """Return the day in a path and the part of the path that holds it; empty where there is none.

    Examples
    --------
    >>> day_in("models/2026-02-25/models.parquet")
    ('2026-02-25', 'models/2026-02-25')
    """
    days: dict[str, str] = {}
    for match in _DATE.finditer(path):
        with contextlib.suppress(ValueError):
            day = dt.date(int(match[1]), int(match[3]), int(match[4])).isoformat()
            if match[1] >= "2000":
                end = path.find("/", match.end())
                days.setdefault(day, path if end < 0 else path[:end])
    return next(iter(days.items())) if len(days) == 1 else ("", "")


def undated(path: str) -> str:
    """Return a path with ``<day>`` in place of dates: files of one source look alike.

    Examples
    --------
    >>> undated("models/2026-02-25/models.parquet")
    'models/<day>/models.parquet'
    """
    return _DATE.sub("<day>", path)


def _paths(source: Source) -> set[str]:
    paths = {version.path or source.path for version in source.versions} | {source.path}
    return {undated(path) for path in paths if path}


def _day(found: HubFile, about: About) -> tuple[str, str]:
    """Return the day that a file speaks of, and how it is known."""
    if about.as_of is not None:
        return about.as_of, about.as_of_known_by or "given by hand when it was pinned"
    day, where = day_in(found.path)
    if not day:
        raise InputError(
            f"{found.repository}: {found.path} names no single day: give --as-of YYYY-MM-DD, and "
            f"say how it is known with --as-of-known-by"
        )
    what = "the file's name" if where == found.path else "the folder in the path"
    return day, about.as_of_known_by or f"{what}: {where}"


def _source_id(found: HubFile, about: About) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", found.repository.split("/")[1].lower()).strip("-")
    return about.source or slug[:48].strip("-")


def _hub_file(repository: str, commit: str, entry: Any) -> HubFile:
    sha256 = None if entry.lfs is None else entry.lfs.sha256
    size = entry.size if entry.lfs is None else entry.lfs.size
    fine = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    if not fine or not isinstance(entry.path, str):
        raise UnavailableError(
            f"{repository}: the Hub's answer for {_printable(entry.path)} is no size: try again"
        )
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", str(sha256)):
        raise UnavailableError(
            f"{repository}: the Hub's answer for {_printable(entry.path)} is no sha256: try again"
        )
    return HubFile(repository, commit, entry.path, size, sha256, str(entry.blob_id))


def _licence(card: Any) -> tuple[str, str]:
    """Return the licence as the card states it, and what it says beside."""
    told = getattr(card, "license", None)
    named = [_plain(one) for one in (told if isinstance(told, list) else [told])]
    licence = ", ".join(one for one in named if one)
    if not licence:
        return "not stated", "The data set's card named none when it was pinned."
    extra = [_plain(getattr(card, key, None)) for key in ("license_name", "license_link")]
    more = "".join(f" {one}." for one in extra if one)
    return licence, f"As the data set's card states it.{more}"


def _plain(value: object) -> str:
    """Return a card's text in one short line of letters that print, else nothing."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return "".join(letter for letter in text[:200] if letter.isprintable())


def _printable(value: object) -> str:
    text = str(value)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= 200 else text[:197] + "..."


def _notes(source: Source, toml: Path, licence: str) -> tuple[str, ...]:
    if source.versions:
        if source.licence.lower().startswith(licence.lower()):
            return ()
        return (f"the card states licence {licence} now, {toml} states {source.licence}",)
    first = f"the first version of {source.id}: read licence, known_problems and state_note in "
    return (f"{first}{toml}, which were written before anything of it was pinned",)
