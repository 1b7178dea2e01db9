"""The direction of imports is checked, and the check bites."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT = "from importlinter.cli import lint_imports_command as command; command()"


def layers() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    rooms = next(contract for contract in contracts if contract["id"] == "rooms")
    return [layer.strip("()") for layer in rooms["layers"]]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    # The working folder decides what `analysis` is, not the path file of the environment.
    environment["PYTHONPATH"] = str(root)
    command = [sys.executable, "-c", LINT, "--no-logo", "--no-cache"]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("raw", "import analysis.claims", "A room imports only from the rooms below it"),
        ("present", "import analysis.publish", "A room imports only from the rooms below it"),
        ("measure", "import requests", "Readers, measures and claims use no network"),
        ("claims", "import time", "Measures and claims touch no file, process, clock or dice"),
    ],
)
def test_a_wrong_import_breaks_its_contract(
    tmp_path: Path, room: str, line: str, contract: str
) -> None:
    # A synthetic house: the real contracts over empty rooms, with one wrong import.
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    house = tmp_path / "analysis"
    house.mkdir()
    (house / "__init__.py").write_text("", encoding="utf-8")
    for layer in layers():
        for name in layer.split(" | "):
            (house / name).mkdir()
            (house / name / "__init__.py").write_text("", encoding="utf-8")
    assert lint(tmp_path).returncode == 0, "the empty house keeps every contract"
    (house / room / "__init__.py").write_text(line + "\n", encoding="utf-8")
    result = lint(tmp_path)
    assert result.returncode != 0
    assert f"{contract} BROKEN" in result.stdout


def test_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = (ROOT / "docs" / "rooms.svg").read_text(encoding="utf-8")
    for layer in layers():
        for name in layer.split(" | "):
            assert f"`analysis.{name}`" in text, name
            assert name in ("errors", "entries") or name in picture, name
