"""The Hub on loopback speaks what the real client expects: asked by huggingface_hub itself."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, HfFileSystem, errors, hf_hub_url
from huggingface_hub.hf_api import RepoFile, RepoFolder

from tests.support import hub_files as hf

REPO = "someone/things"
FILES = {
    "README.md": hf.File(b"# A card\n", "git"),
    "days/2026/a day.parquet": hf.File(b"large" * 999, "lfs"),
    "days/2026/b.parquet": hf.File(b"larger" * 999, "xet"),
}


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hf.Running]:
    repository = hf.Repository(REPO, card={"license": "mit"})
    repository.commit(FILES, tag="v1")
    repository.commit({**FILES, "c": hf.File(b"c", "git")})
    with hf.running(repository, page=2) as running:
        hf.point_here(monkeypatch, running, tmp_path)
        yield running


@pytest.fixture
def api(on: hf.Running) -> HfApi:
    return HfApi(endpoint=on.hub.url, token=False)


def test_information_of_a_revision(on: hf.Running, api: HfApi) -> None:
    repository = on.sets.repositories[REPO]
    told = api.dataset_info(REPO, revision="v1", files_metadata=True)
    first, last = repository.commits
    assert told.sha == first
    assert told.card_data is not None
    assert told.card_data.license == "mit"
    siblings = {one.rfilename: one for one in told.siblings or []}
    assert set(siblings) == set(FILES)
    large = siblings["days/2026/b.parquet"]
    assert large.lfs is not None
    assert large.lfs.sha256 == FILES[large.rfilename].sha256
    assert siblings["README.md"].lfs is None
    assert api.repo_info(REPO, repo_type="dataset").sha == last
    refs = api.list_repo_refs(REPO, repo_type="dataset")
    assert [(one.name, one.target_commit) for one in refs.branches] == [("main", last)]
    assert [(one.name, one.target_commit) for one in refs.tags] == [("v1", first)]


def test_the_tree_comes_in_pages(on: hf.Running, api: HfApi) -> None:
    listed = list(api.list_repo_tree(REPO, recursive=True, expand=True, repo_type="dataset"))
    assert {one.path for one in listed if isinstance(one, RepoFile)} == {*FILES, "c"}
    assert {one.path for one in listed if isinstance(one, RepoFolder)} == {"days", "days/2026"}
    assert len(on.hub.asked(f"/api/datasets/{REPO}/tree/")) == 3
    (folder, *rest) = api.list_repo_tree(REPO, "days", repo_type="dataset")
    assert (folder.path, rest) == ("days/2026", [])
    found = api.get_paths_info(REPO, ["c", "days", "none"], repo_type="dataset", expand=True)
    assert [one.path for one in found] == ["c", "days"]


@pytest.mark.parametrize("path", FILES)
def test_what_a_file_is_said_to_be(on: hf.Running, api: HfApi, path: str) -> None:
    url = hf_hub_url(REPO, path, repo_type="dataset", endpoint=api.endpoint)
    one = FILES[path]
    told = api.get_hf_file_metadata(url=url)
    assert told.commit_hash == on.sets.repositories[REPO].head
    assert told.size == len(one.body)
    assert told.etag == (one.blob if one.storage == "git" else one.sha256)
    assert told.location.startswith(on.hub.url if one.storage == "git" else on.cdn.url)
    assert (told.xet_file_data is not None) == (one.storage == "xet")


def test_large_files_are_pointers_in_git(on: hf.Running, api: HfApi) -> None:
    with HfFileSystem(endpoint=on.hub.url, token=False).open(
        f"datasets/{REPO}/days/2026/a day.parquet"
    ) as stream:
        stream.seek(5)
        assert stream.read(5) == b"large"
    one = FILES["days/2026/b.parquet"]
    (entry,) = api.get_paths_info(REPO, ["days/2026/b.parquet"], repo_type="dataset")
    assert isinstance(entry, RepoFile)
    assert entry.blob_id == one.blob
    assert entry.xet_hash == one.xet_hash
    assert hashlib.sha1(b"blob %d\0" % len(one.pointer) + one.pointer).hexdigest() == one.blob


@pytest.mark.parametrize(
    ("repository", "path", "revision", "error"),
    [
        ("no/thing", "c", "main", errors.RepositoryNotFoundError),
        (REPO, "c", "v9", errors.RevisionNotFoundError),
        (REPO, "none", "main", errors.RemoteEntryNotFoundError),
    ],
)
def test_what_is_not_there(
    api: HfApi, repository: str, path: str, revision: str, error: type[Exception]
) -> None:
    url = hf_hub_url(
        repository, path, repo_type="dataset", revision=revision, endpoint=api.endpoint
    )
    with pytest.raises(error):
        api.get_hf_file_metadata(url=url)


def test_gated_and_private_repositories(on: hf.Running, api: HfApi) -> None:
    repository = on.sets.repositories[REPO]
    url = hf_hub_url(REPO, "c", repo_type="dataset", endpoint=api.endpoint)
    repository.gated = True
    assert api.dataset_info(REPO).gated == "auto"
    with pytest.raises(errors.GatedRepoError):
        api.get_hf_file_metadata(url=url)
    on.sets.tokens |= {"hf_known", "hf_granted"}
    on.sets.granted.add("hf_granted")
    with pytest.raises(errors.GatedRepoError):
        HfApi(endpoint=on.hub.url, token="hf_known").get_hf_file_metadata(url=url)
    granted = HfApi(endpoint=on.hub.url, token="hf_granted")
    assert granted.get_hf_file_metadata(url=url).size == 1
    repository.private = True
    with pytest.raises(errors.RepositoryNotFoundError):
        api.dataset_info(REPO)


def test_why_the_record_does_not_download_with_hf_hub_download(
    on: hf.Running, api: HfApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps nothing of what broke off; should that change, the reason for a way of ours goes."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    path = "days/2026/a day.parquet"
    into = {"repo_type": "dataset", "local_dir": tmp_path / "local"}
    on.cdn.faults.append(hf.failing(503))
    with pytest.raises(errors.HfHubHTTPError):
        api.hf_hub_download(REPO, path, **into)
    on.cdn.faults[:] = [hf.times(1, hf.cut_after(100)), hf.after(1, hf.failing(503))]
    with pytest.raises(errors.HfHubHTTPError):
        api.hf_hub_download(REPO, path, **into)
    assert not any(part.stat().st_size for part in tmp_path.rglob("*.incomplete"))
    # And other bytes of the right length are taken for the file.
    on.cdn.faults[:] = [hf.other_bytes]
    wrong = Path(api.hf_hub_download(REPO, path, **into))
    assert wrong.read_bytes() != FILES[path].body
