"""Data set repositories of a made-up Hub: the pages that huggingface_hub asks for, byte for byte.

What is served follows what the client of huggingface_hub reads: the API of data sets (information,
tree in pages, paths, refs), and the addresses of files. A file is kept in one of three ways, as on
the Hub: in git (small files), as LFS, or in Xet; the bytes of the last two come from another host.
Contents are synthetic.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlencode

import pytest

from tests.support.hub_server import Fault, HubServer, Request, Response, hub_server, ranged

Storage = Literal["git", "lfs", "xet"]
Header = Literal["RateLimit", "Retry-After"]


@dataclass(frozen=True)
class File:
    """One file and how the Hub keeps it."""

    body: bytes
    storage: Storage = "lfs"

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @cached_property
    def pointer(self) -> bytes:
        """What git keeps instead of the bytes of a large file."""
        lines = (
            "version https://git-lfs.github.com/spec/v1",
            f"oid sha256:{self.sha256}",
            f"size {len(self.body)}",
        )
        return "".join(f"{line}\n" for line in lines).encode()

    @cached_property
    def blob(self) -> str:
        """Git's own id of what git keeps."""
        kept = self.body if self.storage == "git" else self.pointer
        return hashlib.sha1(b"blob %d\0" % len(kept) + kept, usedforsecurity=False).hexdigest()

    @cached_property
    def xet_hash(self) -> str:
        return hashlib.sha256(b"xet" + self.body).hexdigest()


@dataclass
class Repository:
    """One data set repository: its commits, the last one being `main`."""

    name: str
    card: dict[str, Any] = field(default_factory=dict)
    gated: bool = False
    private: bool = False
    commits: dict[str, dict[str, File]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Mapping[str, File], tag: str = "") -> str:
        """Add a commit with exactly these files, and return its 40 digits."""
        told = json.dumps(
            [len(self.commits), sorted((path, one.blob) for path, one in files.items())]
        )
        digits = hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()
        self.commits[digits] = dict(files)
        if tag:
            self.tags[tag] = digits
        return digits

    @property
    def head(self) -> str:
        return list(self.commits)[-1]

    def revision(self, named: str) -> str | None:
        """Return the commit that a branch, a tag or a commit's digits name."""
        if named in {"main", "refs/heads/main"}:
            return self.head
        named = named.removeprefix("refs/tags/")
        return self.tags.get(named) or (named if named in self.commits else None)


def problem(status: int, code: str, message: str) -> Response:
    """Answer as the Hub does when it refuses: a header that says why, and JSON."""
    return json_response({"error": message}, status).with_headers(
        X_Error_Code=code, X_Error_Message=message
    )


def json_response(content: object, status: int = 200) -> Response:
    body = json.dumps(content, ensure_ascii=False).encode()
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8"})


class DataSets:
    """The repositories of one Hub, and the second host that serves the bytes of large files.

    `tokens` are the tokens that the Hub knows; `granted` are those that may read gated
    repositories. `page` is the number of entries on one page of a tree.
    """

    def __init__(self, *repositories: Repository, page: int = 1000) -> None:
        self.repositories = {one.name: one for one in repositories}
        self.tokens: set[str] = set()
        self.granted: set[str] = set()
        self.page = page
        self.hub_url = ""
        self.cdn_url = ""

    # -- the Hub ---------------------------------------------------------------------------------

    def hub(self, request: Request) -> Response | None:
        """Answer what the Hub itself serves."""
        parts = [unquote(part) for part in request.target.partition("?")[0].split("/")[1:]]
        if parts[:2] == ["api", "resolve-cache"]:
            parts = ["datasets", *parts[3:5], "resolve", *parts[5:], "\0cached"]
        api = parts[:1] == ["api"]
        parts = parts[1:] if api else parts
        if len(parts) < 3 or parts[0] != "datasets":
            return None
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token not in self.tokens:
            return problem(401, "", "Invalid credentials in Authorization header")
        repository = self.repositories.get("/".join(parts[1:3]))
        if repository is None or (repository.private and not token):
            return problem(404 if token else 401, "RepoNotFound", "Repository not found")
        if api:
            return self._api(request, repository, parts[3:])
        return self._file(request, repository, parts[3:], token)

    def _api(self, request: Request, repository: Repository, rest: list[str]) -> Response:
        what = rest[0] if rest else "revision"
        if what == "refs":
            return json_response(
                {
                    "branches": [
                        {
                            "name": "main",
                            "ref": "refs/heads/main",
                            "targetCommit": repository.head,
                        }
                    ],
                    "converts": [],
                    "tags": [
                        {"name": name, "ref": f"refs/tags/{name}", "targetCommit": commit}
                        for name, commit in repository.tags.items()
                    ],
                }
            )
        commit = repository.revision(rest[1] if len(rest) > 1 else "main")
        if commit is None:
            return problem(404, "RevisionNotFound", f"Invalid rev id: {rest[1]}")
        if what == "revision":
            return self._information(request, repository, commit)
        if what == "tree":
            return self._tree(request, repository, commit, "/".join(rest[2:]))
        if what == "paths-info" and request.method == "POST":
            return self._paths(request, repository, commit)
        if what == "xet-read-token":
            return json_response({}).with_headers(
                X_Xet_Cas_Url=f"{self.cdn_url}/no-cas",
                X_Xet_Access_Token="made-up",
                X_Xet_Token_Expiration="4102444800",
            )
        return problem(404, "", "Sorry, we can't find the page you are looking for.")

    def _information(self, request: Request, repository: Repository, commit: str) -> Response:
        blobs = request.value("blobs") == "true"
        siblings: list[dict[str, Any]] = []
        for path, one in sorted(repository.commits[commit].items()):
            sibling: dict[str, Any] = {"rfilename": path}
            if blobs:
                sibling |= {"size": len(one.body), "blobId": one.blob}
                if one.storage != "git":
                    sibling["lfs"] = {
                        "sha256": one.sha256,
                        "size": len(one.body),
                        "pointerSize": len(one.pointer),
                    }
            siblings.append(sibling)
        whole = {
            "_id": "621ffdd236468d709f181d58",
            "id": repository.name,
            "author": repository.name.split("/")[0],
            "sha": commit,
            "createdAt": "2024-07-01T00:00:00.000Z",
            "lastModified": "2026-03-01T00:00:00.000Z",
            "private": repository.private,
            "gated": "auto" if repository.gated else False,
            "disabled": False,
            "downloads": 12,
            "likes": 3,
            "tags": ["region:us"],
            "cardData": repository.card,
            "siblings": siblings,
        }
        wanted = request.values("expand")
        if wanted:
            whole = {k: v for k, v in whole.items() if k in {"_id", "id", *wanted}}
        return json_response(whole)

    def _entry(self, path: str, one: File, expand: bool) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "type": "file",
            "oid": one.blob,
            "size": len(one.body),
            "path": path,
        }
        if one.storage != "git":
            entry["lfs"] = {
                "oid": one.sha256,
                "size": len(one.body),
                "pointerSize": len(one.pointer),
            }
        if one.storage == "xet":
            entry["xetHash"] = one.xet_hash
        if expand:
            entry["lastCommit"] = {
                "id": "0" * 40,
                "title": "Upload",
                "date": "2026-03-01T00:00:00.000Z",
            }
            entry["securityFileStatus"] = {
                "status": "safe",
                "avScan": None,
                "pickleImportScan": None,
            }
        return entry

    def _folder(self, path: str) -> dict[str, Any]:
        oid = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
        return {"type": "directory", "oid": oid, "size": 0, "path": path}

    def _tree(self, request: Request, repository: Repository, commit: str, under: str) -> Response:
        recursive = request.value("recursive") == "true"
        expand = request.value("expand") == "true"
        start = f"{under}/" if under else ""
        entries: dict[str, dict[str, Any]] = {}
        for path, one in repository.commits[commit].items():
            if not path.startswith(start):
                continue
            above = path.removeprefix(start).split("/")
            for depth in range(1, len(above)):
                folder = start + "/".join(above[:depth])
                if recursive or depth == 1:
                    entries[folder] = self._folder(folder)
            if recursive or len(above) == 1:
                entries[path] = self._entry(path, one, expand)
        if under and not entries:
            return problem(404, "EntryNotFound", f"{under} does not exist on main")
        page = min(self.page, 50) if expand else self.page
        first = int(request.value("cursor", "0"))
        listed = [entries[path] for path in sorted(entries)]
        answer = json_response(listed[first : first + page])
        if first + page < len(listed):
            kept = [(k, v) for k, v in request.query if k != "cursor"]
            query = urlencode([*kept, ("cursor", str(first + page))])
            plain = request.target.partition("?")[0]
            answer = answer.with_headers(Link=f'<{self.hub_url}{plain}?{query}>; rel="next"')
        return answer

    def _paths(self, request: Request, repository: Repository, commit: str) -> Response:
        if request.headers.get("content-type", "").startswith("application/json"):
            asked = json.loads(request.body)
            paths, expand = asked["paths"], bool(asked.get("expand"))
        else:
            form = parse_qs(request.body.decode())
            paths, expand = form.get("paths", []), form.get("expand") == ["true"]
        files = repository.commits[commit]
        found = [self._entry(path, files[path], expand) for path in paths if path in files]
        folders = [p for p in paths if any(one.startswith(f"{p}/") for one in files)]
        return json_response(found + [self._folder(path) for path in folders])

    def _file(
        self, request: Request, repository: Repository, rest: list[str], token: str
    ) -> Response | None:
        if len(rest) < 3 or rest[0] not in {"resolve", "raw"}:
            return None
        cached = rest[-1] == "\0cached"
        path = "/".join(rest[2:-1] if cached else rest[2:])
        commit = repository.revision(rest[1])
        if repository.gated and token not in self.granted:
            return problem(
                403 if token else 401,
                "GatedRepo",
                f"Access to dataset {repository.name} is restricted.",
            )
        if commit is None:
            return problem(404, "RevisionNotFound", f"Invalid rev id: {rest[1]}")
        one = repository.commits[commit].get(path)
        if one is None:
            return problem(404, "EntryNotFound", "Entry not found").with_headers(
                X_Repo_Commit=commit
            )
        common = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if rest[0] == "raw":
            kept = one.body if one.storage == "git" else one.pointer
            return Response(200, kept, {**common, "ETag": f'"{one.blob}"'})
        if one.storage == "git":
            etag = {"ETag": f'"{one.blob}"'}
            if cached:
                return ranged(request, one.body, {**common, **etag})
            where = f"/api/resolve-cache/datasets/{repository.name}/{commit}/{quote(path)}"
            return Response(307, b"", {**common, **etag, "Location": where})
        headers = {
            **common,
            "X-Linked-Size": str(len(one.body)),
            "X-Linked-ETag": f'"{one.sha256}"',
            "ETag": f'"{one.sha256}"',
            "Location": f"{self.cdn_url}/{one.storage}/{one.sha256}?X-Amz-Signature=made-up",
        }
        if one.storage == "xet":
            auth = f"{self.hub_url}/api/datasets/{repository.name}/xet-read-token/{commit}"
            info = f"{self.cdn_url}/v1/reconstructions/{one.xet_hash}"
            headers["X-Xet-Hash"] = one.xet_hash
            headers["Link"] = f'<{auth}>; rel="xet-auth", <{info}>; rel="xet-reconstruction-info"'
        return Response(302, b"Found. Redirecting to the storage", headers)

    # -- the host of large files ------------------------------------------------------------------

    def cdn(self, request: Request) -> Response | None:
        """Answer what the other host serves: bytes and ranges of large files by their hash."""
        storage, _, sha256 = request.path.strip("/").partition("/")
        if dict(parse_qsl(request.target.partition("?")[2])).get("X-Amz-Signature") != "made-up":
            return Response(403, b"<Error><Code>AccessDenied</Code></Error>")
        for repository in self.repositories.values():
            for files in repository.commits.values():
                for one in files.values():
                    if one.storage == storage and one.sha256 == sha256:
                        return ranged(request, one.body, {"ETag": f'"{one.xet_hash[:32]}"'})
        return Response(404, b"<Error><Code>NoSuchKey</Code></Error>")


@dataclass
class Running:
    """A Hub that runs, with the other host that serves the bytes of large files."""

    hub: HubServer
    cdn: HubServer
    sets: DataSets


@contextmanager
def running(*repositories: Repository, page: int = 1000) -> Iterator[Running]:
    """Serve data set repositories on two ports of 127.0.0.1 until the block ends."""
    sets = DataSets(*repositories, page=page)
    with hub_server(sets.hub) as hub, hub_server(sets.cdn) as cdn:
        sets.hub_url, sets.cdn_url = hub.url, cdn.url
        yield Running(hub, cdn, sets)


def point_here(patch: pytest.MonkeyPatch, on: Running, folder: Path) -> None:
    """Let huggingface_hub and the record ask this Hub, without any token or mirror of the user."""
    for variable in ("http_proxy", "https_proxy", "all_proxy", "HF_TOKEN", "OMR_MIRROR"):
        patch.delenv(variable, raising=False)
        patch.delenv(variable.upper(), raising=False)
    patch.setenv("HF_ENDPOINT", on.hub.url)
    patch.setenv("OMR_CACHE", str(folder / "cache"))
    patch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(folder / "no-token"))


# -- what goes wrong -------------------------------------------------------------------------------


def times(count: int, fault: Fault, start: str = "/") -> Fault:
    """Let `fault` strike the first `count` requests of paths that begin with `start`."""
    left = [count]

    def once(request: Request, answer: Response) -> Response:
        if left[0] <= 0 or not request.path.startswith(start):
            return answer
        left[0] -= 1
        return fault(request, answer)

    return once


def after(count: int, fault: Fault) -> Fault:
    """Let `fault` strike all requests but the first `count`."""
    left = [count]

    def later(request: Request, answer: Response) -> Response:
        left[0] -= 1
        return answer if left[0] >= 0 else fault(request, answer)

    return later


def too_many(seconds: int, header: Header = "RateLimit") -> Fault:
    """429, with the time to wait in the header that the Hub sends, or in the general one."""
    told = {"Retry-After": str(seconds)}
    if header == "RateLimit":
        told = {
            "RateLimit": f'"resolvers";r=0;t={seconds}',
            "RateLimit-Policy": '"fixed window";"resolvers";q=3000;w=300',
        }
    return lambda request, answer: Response(429, b"Too Many Requests", told)


def failing(status: int) -> Fault:
    """A status and a body that is no JSON."""
    return lambda request, answer: Response(status, b"<html>upstream failed</html>")


def cut_after(count: int) -> Fault:
    """Send `count` bytes of the body under the length of the whole, and hang up."""
    return lambda request, answer: replace(answer, cut=count) if answer.body else answer


def slow(seconds: float, pieces: int = 8) -> Fault:
    """Wait after each piece of the body."""
    return lambda request, answer: replace(answer, drip=seconds, pieces=pieces)


def silent(seconds: float) -> Fault:
    """Wait before the first byte of the answer."""
    return lambda request, answer: replace(answer, pause=seconds)


def other_bytes(request: Request, answer: Response) -> Response:
    """Turn over every bit of the body: the length is right, the bytes are not."""
    return replace(answer, body=bytes(255 - byte for byte in answer.body))


def other_etag(tag: str) -> Fault:
    """Name another ETag than before."""
    return lambda request, answer: replace(answer, headers={**answer.headers, "ETag": f'"{tag}"'})


def without_ranges(body: bytes) -> Fault:
    """Ignore the Range header: all of `body`, from its start."""
    return lambda request, answer: (
        Response(200, body, {}) if answer.status in {206, 416} else answer
    )


def no_such_range(size: int) -> Fault:
    """416, whatever was asked for."""
    return lambda request, answer: Response(416, b"", {"Content-Range": f"bytes */{size}"})


def shifted(by: int) -> Fault:
    """Say that the part begins elsewhere than it was asked for."""

    def answer_elsewhere(request: Request, answer: Response) -> Response:
        if answer.status != 206:
            return answer
        unit, _, rest = answer.headers["Content-Range"].partition(" ")
        first, _, end = rest.partition("-")
        told = f"{unit} {int(first) + by}-{end}"
        return replace(answer, headers={**answer.headers, "Content-Range": told})

    return answer_elsewhere


def saying(**headers: str) -> Fault:
    """Send other headers with the answer; underscores stand for dashes."""
    return lambda request, answer: answer.with_headers(**headers)


def rubbish(body: bytes = b'{"sha": ') -> Fault:
    """Another body under the same status."""
    return lambda request, answer: replace(answer, body=body)
