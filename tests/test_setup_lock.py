"""pyproject.toml, the locks and environment.yml name one set of packages."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "tools/cffconvert.lock", "tools/uv.lock")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Parse a lock by hand, so that no installer's leniency hides a fault."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", " ", text)
    found = []
    for line in joined.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        head, *options = re.split(r"\s+(?=--)", line.strip())
        found.append((Requirement(head), options))
    return found


def declared() -> dict[str, list[Requirement]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"run": project["dependencies"], **project["optional-dependencies"]}
    return {group: [Requirement(line) for line in lines] for group, lines in groups.items()}


def conda() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_one_version_with_hashes(lock: str) -> None:
    rows = entries(lock)
    assert rows
    for requirement, options in rows:
        assert requirement.url is None, requirement
        assert [spec.operator for spec in requirement.specifier] == ["=="], requirement
        assert "*" not in str(requirement.specifier), requirement
        assert options, f"{requirement} has no hash"
        assert all(HASH.fullmatch(option) for option in options), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_no_entry_comes_twice(lock: str) -> None:
    names = [canonicalize_name(requirement.name) for requirement, _ in entries(lock)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_host_and_no_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    for forbidden in ("://", "file:", "--index", "--extra-index", "--find-links", "trusted-host"):
        assert forbidden not in text
    for line in text.splitlines():
        assert not re.search(r"(^|\s)(/|[A-Za-z]:\\|\.\./)", line), line


def test_lock_has_more_than_one_machine_in_mind() -> None:
    # A lock resolved from a folder of wheels holds the hashes of that folder's files only; the
    # public index lists a compiled package's wheels for every system.
    hashes = {
        canonicalize_name(r.name): len(options) for r, options in entries("requirements.lock")
    }
    for name in ("numpy", "pandas", "pyarrow", "duckdb", "pydantic-core"):
        assert hashes[name] >= 12, name


@pytest.mark.parametrize("group", ["run", "book", "dev"])
def test_each_declared_dependency_is_locked_at_a_version_it_allows(group: str) -> None:
    locked = {canonicalize_name(r.name): r for r, _ in entries("requirements.lock")}
    for requirement in declared()[group]:
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name} is declared and not locked: make lock"
        pin = next(iter(locked[name].specifier)).version
        assert requirement.specifier.contains(pin, prereleases=True), (str(requirement), pin)


def test_lock_is_complete_for_this_machine() -> None:
    """Every locked package is installed as locked, and all that it needs is locked too."""
    from importlib.metadata import PackageNotFoundError, distribution

    locked = {canonicalize_name(r.name): r for r, _ in entries("requirements.lock")}
    environment = {**default_environment(), "extra": ""}
    for name, requirement in locked.items():
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            pytest.fail(f"{name} is locked and not installed: make setup")
        pin = next(iter(requirement.specifier)).version
        assert Version(installed.version) == Version(pin), name
        for line in installed.requires or []:
            needed = Requirement(line)
            if needed.marker and not needed.marker.evaluate(environment):
                continue
            assert canonicalize_name(needed.name) in locked, f"{name} needs {needed.name}"


def test_jupyter_book_stays_below_two() -> None:
    locked = {canonicalize_name(r.name): r for r, _ in entries("requirements.lock")}
    assert Version(next(iter(locked["jupyter-book"].specifier)).version) < Version("2")


def test_validator_with_old_pins_stays_out_of_the_main_lock() -> None:
    main = {canonicalize_name(r.name) for r, _ in entries("requirements.lock")}
    assert "cffconvert" not in main
    assert "cffconvert" in {canonicalize_name(r.name) for r, _ in entries("tools/cffconvert.lock")}


def test_conda_installs_the_lock_and_nothing_else() -> None:
    dependencies = conda()["dependencies"]
    plain = [line for line in dependencies if isinstance(line, str)]
    nested = [line for line in dependencies if isinstance(line, dict)]
    assert sorted(Requirement(line).name for line in plain) == ["pip", "python"]
    assert nested == [{"pip": ["--require-hashes", "-r requirements.lock"]}]


def test_conda_and_pyproject_ask_for_the_same_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = SpecifierSet(project["requires-python"])
    line = next(d for d in conda()["dependencies"] if str(d).startswith("python"))
    offered = Requirement(line).specifier
    named = [c.rsplit(" ", 1)[1] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert named
    for minor in range(8, 30):
        version = f"3.{minor}"
        assert (version in named) == offered.contains(version), version
        assert wanted.contains(version) or version not in named, version
