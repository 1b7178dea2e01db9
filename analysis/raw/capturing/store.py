"""Pages and journal on disk, safe against a kill at any instant.

A page is compressed, appended to a segment file and flushed to the disk; only then one line about
it is appended to the journal and flushed. What the journal names is therefore there, and what is
there without a line is the torn tail of a kill: it is cut off and the page asked for again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import gzip
import hashlib
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any, Final, Self

from analysis.errors import InputError, IntegrityError, RecordError
from analysis.raw.capturing.plan import Plan

PLAN_NAME: Final = "plan.json"
JOURNAL_NAME: Final = "journal.jsonl"
PAGES_NAME: Final = "pages"
_OURS: Final = frozenset({PLAN_NAME, PLAN_NAME + ".part", JOURNAL_NAME, PAGES_NAME})

#: A segment this large is closed and the next one begun.
SEGMENT_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal about one page.

    Attributes
    ----------
    query, attempt, page : int
        Place of the query in the plan, which walk of it this is, and the page in it, all from 1.
    target, follow : str
        Query string of the page, and of the next one; empty after the last.
    rows, bytes : int
        Rows on the page, and its length in bytes as it came.
    sha256 : str
        Hash of these bytes.
    segment : str
        Name of the file that holds the page, as one gzip member.
    offset, length : int
        Where in it.
    date : str
        When the server answered, by its own Date header; else when the answer was here.
    time : str
        When the page was kept, by the clock of this machine.
    """

    query: int
    attempt: int
    page: int
    target: str
    follow: str
    rows: int
    bytes: int
    sha256: str
    segment: str
    offset: int
    length: int
    date: str
    time: str


@dataclass(slots=True)
class State:
    """Where a capture stands: what the journal adds up to.

    Attributes
    ----------
    query, attempt, page : int
        The page to ask for next, all from 1.
    target : str
        Its query string; empty for the first page of a walk.
    pages, rows : int
        Kept so far.
    restarts, sessions : int
        Walks that began again because a cursor was refused, and runs of the program.
    versions : list of str
        Versions of huggingface_hub that asked.
    refused : list of tuple
        Number of each listing that the Hub does not have, and the status that it answered.
    first, last : str
        Dates of the first and the last page.
    seen : set of bytes
        Hashes of the targets of the present walk.
    """

    query: int = 1
    attempt: int = 1
    page: int = 1
    target: str = ""
    pages: int = 0
    rows: int = 0
    restarts: int = 0
    sessions: int = 0
    versions: list[str] = field(default_factory=list)
    refused: list[tuple[int, int]] = field(default_factory=list)
    first: str = ""
    last: str = ""
    seen: set[bytes] = field(default_factory=set)

    def take(self, line: dict[str, Any]) -> None:
        """Move on by one line of the journal."""
        if line["event"] == "page":
            entry = _entry(line)
            self.pages += 1
            self.rows += entry.rows
            self.first = self.first or entry.date
            self.last = entry.date
            self.seen.add(fingerprint(entry.target))
            if entry.follow:
                self.page = entry.page + 1
                self.target = entry.follow
            else:
                self.query, self.attempt, self.page, self.target = entry.query + 1, 1, 1, ""
                self.seen = set()
        elif line["event"] == "restart":
            self.attempt, self.page, self.target = self.attempt + 1, 1, ""
            self.restarts += 1
            self.seen = set()
        elif line["event"] == "refused":
            self.refused.append((int(line["query"]), int(line["status"])))
            self.query, self.attempt, self.page, self.target = self.query + 1, 1, 1, ""
            self.seen = set()
        elif line["event"] == "session":
            self.sessions += 1
            if line["huggingface_hub"] not in self.versions:
                self.versions.append(line["huggingface_hub"])


def fingerprint(text: str) -> bytes:
    """Return a short hash, for sets of long texts."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Store:
    """A capture's folder, opened for writing by one process at a time."""

    def __init__(self, folder: Path, plan: Plan, journal: IO[bytes]) -> None:
        self.folder = folder
        self.plan = plan
        self.state = State()
        self._journal = journal
        self._segment: IO[bytes] | None = None

    @classmethod
    @contextlib.contextmanager
    def opened(
        cls, folder: Path, plan: Callable[[], Plan], asked: dict[str, Any]
    ) -> Iterator[Self]:
        """Open a capture to go on with it, or begin one.

        Parameters
        ----------
        folder : pathlib.Path
            Its folder; made if need be.
        plan : callable
            Makes the plan of a new capture; not called where one is on the disk.
        asked : dict
            What the user chose; must be what the capture on the disk was begun with.

        Raises
        ------
        InputError
            If the folder holds something else, a capture of other parameters, or one that
            another process is writing, or cannot be written.
        IntegrityError
            If journal or pages were damaged by more than a torn tail.
        """
        with on_disk(folder):
            begun = (folder / PLAN_NAME).is_file()
            if not begun:
                _check_free(folder)
        if not begun:
            made = plan()
            with on_disk(folder):
                (folder / PAGES_NAME).mkdir(parents=True, exist_ok=True)
                replace_whole(folder / PLAN_NAME, made.as_bytes())
        found = read_plan(folder)
        if dict(found.parameters) != asked:
            given = json.dumps(dict(found.parameters), ensure_ascii=True)
            raise InputError(
                f"{folder}: begun with other parameters: {given}; give the same to go on with it, "
                "or name a new folder"
            )
        with contextlib.ExitStack() as closing:
            with on_disk(folder):
                # Unbuffered: what a full disk refused must not be written again by the closing.
                journal = closing.enter_context((folder / JOURNAL_NAME).open("ab", buffering=0))
                _lock(journal, folder)
                (folder / PAGES_NAME).mkdir(exist_ok=True)
                store = cls(folder, found, journal)
                store._repair()
            closing.callback(store._close)
            yield store

    def _close(self) -> None:
        if self._segment is not None:
            self._segment.close()

    # --------------------------------------------------------------------------- writing

    def session(self, version: str) -> None:
        """Note that a run of the program begins to ask."""
        self._line({"event": "session", "huggingface_hub": version, "time": now()})

    def restart(self, why: str) -> None:
        """Note that the walk of the present query begins again."""
        self._line({"event": "restart", "query": self.state.query, "why": why, "time": now()})

    def refused(self, status: int) -> None:
        """Note that the Hub does not have the present listing, and leave it."""
        self._line({"event": "refused", "query": self.state.query, "status": status, "time": now()})

    def keep(self, body: bytes, rows: int, target: str, follow: str, date: str) -> None:
        """Keep one page: first its bytes, then its line.

        Parameters
        ----------
        body : bytes
            The page as it came.
        rows : int
            Rows on it.
        target, follow : str
            Query string of the page, and of the next one (empty after the last).
        date : str
            When the server answered; empty where it does not say.
        """
        member = gzip.compress(body, 6, mtime=0)
        with on_disk(self.folder):
            segment = self._room()
            offset = _append(segment, member)
        time = now()
        entry = Entry(
            query=self.state.query,
            attempt=self.state.attempt,
            page=self.state.page,
            target=target,
            follow=follow,
            rows=rows,
            bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            segment=Path(segment.name).name,
            offset=offset,
            length=len(member),
            date=date or time,
            time=time,
        )
        self._line({"event": "page", **asdict(entry)})

    def _line(self, line: dict[str, Any]) -> None:
        with on_disk(self.folder):
            _append(self._journal, json.dumps(line, ensure_ascii=True).encode("ascii") + b"\n")
        self.state.take(line)

    def _room(self) -> IO[bytes]:
        """Return the segment to append to."""
        if self._segment is None or self._segment.tell() >= SEGMENT_BYTES:
            number = len(self._segments())
            last = self.folder / PAGES_NAME / f"{max(number - 1, 0):05d}.gz"
            if number and last.stat().st_size >= SEGMENT_BYTES:
                last = self.folder / PAGES_NAME / f"{number:05d}.gz"
            if self._segment is not None:
                self._segment.close()
            self._segment = last.open("ab", buffering=0)
            _flush_folder(last.parent)
        return self._segment

    def _segments(self) -> list[Path]:
        return sorted((self.folder / PAGES_NAME).glob("*.gz"))

    # ---------------------------------------------------------------------------- repair

    def _repair(self) -> None:
        """Cut off what a kill left torn, and add up the journal."""
        sizes = {path.name: path.stat().st_size for path in self._segments()}
        ends: dict[str, int] = {}
        good = 0
        for line_end, line in _lines(self.folder):
            if line is None:
                break
            if line["event"] == "page":
                entry = _entry(line)
                end = entry.offset + entry.length
                if end > sizes.get(entry.segment, 0):
                    if entry.segment != max(sizes, default=""):
                        raise IntegrityError(
                            f"{self.folder / PAGES_NAME / entry.segment}: pages are missing that "
                            "the journal names: take the file from a copy, or capture anew"
                        )
                    break
                ends[entry.segment] = end
            self.state.take(line)
            good = line_end
        journal = self.folder / JOURNAL_NAME
        if journal.stat().st_size > good:
            os.truncate(journal, good)
        for name, size in sizes.items():
            path = self.folder / PAGES_NAME / name
            if name not in ends:
                path.unlink()
            elif size > ends[name]:
                os.truncate(path, ends[name])
        _flush(self._journal)
        _flush_folder(self.folder / PAGES_NAME)
        _flush_folder(self.folder)


# ---------------------------------------------------------------------------------- reading


def read_plan(folder: Path) -> Plan:
    """Read the plan of a capture.

    Raises
    ------
    InputError
        If there is none.
    IntegrityError
        If it is damaged.
    """
    path = folder / PLAN_NAME
    try:
        content = path.read_bytes()
    except OSError:
        raise InputError(f"{folder}: no capture here: it has no {PLAN_NAME}") from None
    return Plan.from_bytes(content, str(path))


def entries(folder: Path) -> Iterator[Entry]:
    """Yield the pages of a capture's journal in order; a torn tail is left out."""
    for _, line in _lines(folder):
        if line is None:
            return
        if line["event"] == "page":
            yield _entry(line)


def pages(folder: Path) -> Iterator[tuple[Entry, bytes]]:
    """Yield each page's line and its bytes as they came, each checked against its hash.

    Raises
    ------
    IntegrityError
        If a page is not what the journal says.
    """
    name, stream = "", None
    try:
        for entry in entries(folder):
            path = folder / PAGES_NAME / entry.segment
            try:
                if stream is None or name != entry.segment:
                    if stream is not None:
                        stream.close()
                    stream, name = path.open("rb"), entry.segment
                stream.seek(entry.offset)
                # The limit keeps a forged member from filling the memory.
                inflater = zlib.decompressobj(wbits=31)
                body = inflater.decompress(stream.read(entry.length), entry.bytes + 1)
            except (OSError, zlib.error):
                body = b""
            if len(body) != entry.bytes or hashlib.sha256(body).hexdigest() != entry.sha256:
                raise IntegrityError(
                    f"{path}: the page at byte {entry.offset} is not the one that the journal "
                    "names: the file was changed; take it from a copy, or capture anew"
                )
            yield entry, body
    finally:
        if stream is not None:
            stream.close()


def standing(folder: Path) -> State:
    """Add up a capture's journal without opening it for writing."""
    state = State()
    for _, line in _lines(folder):
        if line is None:
            break
        state.take(line)
    return state


def status(folder: Path) -> dict[str, Any]:
    """Return where a capture stands, as plain data.

    Raises
    ------
    InputError
        If there is no capture in the folder.
    """
    plan = read_plan(folder)
    state = standing(folder)
    done = state.query - 1
    return {
        "folder": str(folder),
        "endpoint": plan.endpoint,
        "parameters": dict(plan.parameters),
        "queries": len(plan.queries),
        "queries_done": done,
        "query": str(plan.queries[done]) if done < len(plan.queries) else None,
        "pages": state.pages,
        "rows": state.rows,
        "bytes": sum(path.stat().st_size for path in (folder / PAGES_NAME).glob("*.gz")),
        "restarts": state.restarts,
        "refused": len(state.refused),
        "sessions": state.sessions,
        "first": state.first or None,
        "last": state.last or None,
        "walked": done >= len(plan.queries),
    }


def _lines(folder: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield each line with the place where it ends; None for a torn last one."""
    path = folder / JOURNAL_NAME
    if not path.is_file():
        return
    size = path.stat().st_size
    end = number = 0
    with path.open("rb") as stream:
        for text in stream:
            number += 1
            end += len(text)
            line = _parsed(text)
            if line is None:
                if end < size:
                    raise IntegrityError(
                        f"{path}: line {number} is damaged: take the file from a copy, or capture "
                        "anew"
                    )
                yield end, None
                return
            yield end, line


def _parsed(text: bytes) -> dict[str, Any] | None:
    if not text.endswith(b"\n"):
        return None
    try:
        line = json.loads(text)
        State().take(line)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def _entry(line: dict[str, Any]) -> Entry:
    values = {known.name: line[known.name] for known in fields(Entry)}
    for known in fields(Entry):
        # Annotations are text here: `int` or `str`.
        if type(values[known.name]).__name__ != known.type:
            raise TypeError(f"{known.name} is no {known.type}")
    if dt.datetime.fromisoformat(values["date"]).tzinfo is None:
        raise ValueError("a date without its zone")
    return Entry(**values)


# ------------------------------------------------------------------------------- on the disk


def now() -> str:
    """Return the time of this machine's clock, to the second, in UTC."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def on_disk(folder: Path) -> Iterator[None]:
    """Turn what a disk refuses (full, read-only, a file in the way) into one line."""
    try:
        yield
    except RecordError:
        raise
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        why = "the disk is full" if full else error.strerror or type(error).__name__
        raise InputError(
            f"{folder}: cannot be written: {why}; what was kept stays: make room and run the same "
            "command again"
        ) from None


def replace_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, flush it, and give it its name."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            _flush(stream)
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _append(stream: IO[bytes], content: bytes) -> int:
    """Append all bytes and flush them to the disk, or none; return where they begin."""
    start = stream.seek(0, os.SEEK_END)
    left = memoryview(content)
    try:
        while left:
            left = left[stream.write(left) :]
        _flush(stream)
    except OSError:
        with contextlib.suppress(OSError):
            stream.truncate(start)
        raise
    return start


def _flush(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """Make new names last; not every system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a folder for the capture")
    others = sorted({path.name for path in folder.iterdir()} - _OURS) if folder.is_dir() else []
    if others or (folder / JOURNAL_NAME).exists():
        held = ascii(others[0] if others else JOURNAL_NAME)
        raise InputError(f"{folder}: holds {held} and no plan of a capture; name a new folder")


def _lock(stream: IO[bytes], folder: Path) -> None:
    """Keep a second process out until this one ends, however it ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise InputError(
            f"{folder}: another process is writing this capture; wait for it, or stop it"
        ) from None
