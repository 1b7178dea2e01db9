"""What the project says of itself agrees, file with file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

import analysis

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def project() -> dict[str, Any]:
    loaded: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return loaded["project"]  # type: ignore[no-any-return]


def citation() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return loaded


def test_one_version_everywhere() -> None:
    assert analysis.__version__ == project()["version"] == citation()["version"]


def test_one_name_for_the_holders() -> None:
    (holder,) = (author["name"] for author in project()["authors"])
    assert [author["name"] for author in citation()["authors"]] == [holder]
    for name in ("LICENSE", "LICENSE-DATA"):
        assert holder in (ROOT / name).read_text(encoding="utf-8"), name


def test_licences_are_named_alike() -> None:
    named = set(citation()["license"])
    assert project()["license"] in named
    data = (ROOT / "LICENSE-DATA").read_text(encoding="utf-8")
    for identifier in named - {project()["license"]}:
        assert identifier in data, identifier
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_citation_makes_no_address_or_identifier_up() -> None:
    # There is no public address or DOI yet; one is added when it exists.
    assert not {"doi", "identifiers", "repository-code", "url"} & set(citation())


def test_changelog_tells_data_results_and_code_apart() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.split(r"^## ", text, flags=re.M)[1:]
    assert releases
    for release in releases:
        assert re.match(r"\d{4}\.\d{2}\b", release), release[:20]
        assert re.findall(r"^### (.+)$", release, flags=re.M) == ["Data", "Results", "Code"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_pin_actions_and_ask_for_little(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    uses = re.findall(r"uses:\s*(.*)$", text, flags=re.M)
    assert uses
    for line in uses:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert "secrets." not in text


def test_workflows_call_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.M))
    called = re.findall(
        r"\bmake ((?:[a-z-]+ ?)+)",
        "\n".join(
            line
            for path in [*WORKFLOWS, ROOT / ".ci" / "run"]
            for line in path.read_text(encoding="utf-8").splitlines()
            if re.match(r"\s*(run: )?make ", line)
        ),
    )
    names = {name for group in called for name in group.split()}
    assert names >= {"book", "test", "reproduce"}
    assert names <= targets


def test_picture_is_self_contained_and_described() -> None:
    path = ROOT / "docs" / "rooms.svg"
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    for name in ("title", "desc"):
        element = root.find(space + name)
        assert element is not None
        assert element.text
        assert element.get("id") in (root.get("aria-labelledby") or "").split()
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in text
