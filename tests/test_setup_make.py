"""The Makefile and the script that makes an environment."""

from __future__ import annotations

import ast
import base64
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "tools" / "setup_env.py"
TARGETS = {"help", "setup", "book", "data", "test", "check", "reproduce", "clean", "lock"}

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("setup_env", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_script(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    # A local folder stands in for the index: these tests need no network.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "COVERAGE_"))}
    clean |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", **environment}
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=clean, check=False)


@needs_make
def test_help_lists_every_target() -> None:
    result = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0
    listed = set(re.findall(r"^  make (\S+)", result.stdout, flags=re.M))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, flags=re.M).group(1).split())  # type: ignore[union-attr]
    assert listed == phony
    assert listed >= TARGETS


@needs_make
def test_help_needs_no_environment_and_no_python(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "sh", "awk"):
        where = shutil.which(name)
        assert where is not None
        (tools / name).symlink_to(where)
    result = subprocess.run(
        ["make"], cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "make book" in result.stdout
    assert not (tmp_path / ".venv").exists()


@needs_make
def test_a_machine_without_a_usable_python_gets_one_line(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "tools").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tools")
    (tmp_path / "requirements.lock").write_text("", encoding="utf-8")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "sh", "awk"):
        (tools / name).symlink_to(shutil.which(name) or name)
    # An interpreter that says it is 3.9, by running the real one with its version overwritten.
    old = tools / "python3"
    old.write_text(
        f"#!/bin/sh\nexec '{sys.executable}' -c 'import runpy, sys\n"
        "sys.version_info = (3, 9, 18)\n"
        'if sys.argv[1] == "-c": exec(sys.argv[2])\n'
        "else:\n    sys.argv = sys.argv[1:]\n"
        '    runpy.run_path(sys.argv[0], run_name="__main__")\' "$@"\n',
        encoding="utf-8",
    )
    old.chmod(0o755)
    result = subprocess.run(
        ["make", "setup"], cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, text=True
    )
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, result.stderr
    assert "Python 3.11 or newer is needed" in lines[0]
    assert "3.9.18" in lines[0]


def test_an_old_python_can_read_the_script_far_enough() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_wrong_call_and_missing_lock_are_one_line(tmp_path: Path) -> None:
    for arguments, words in (
        (["only-one"], "usage:"),
        ([tmp_path / "env", "x.lock", "--unknown"], "usage:"),
        ([tmp_path / "env", tmp_path / "absent.lock"], "absent.lock is missing"),
    ):
        result = run_script(*arguments)
        assert result.returncode != 0
        assert result.stderr.startswith("error: ")
        assert len(result.stderr.splitlines()) == 1
        assert words in result.stderr
    assert not (tmp_path / "env").exists()


def test_stamp_says_ready_only_when_all_of_it_agrees(script: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "env"
    python = script.interpreter(folder)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    stamp = {"lock": "a", "project": "", "folder": str(folder)}
    written = folder / script.STAMP

    def ready(this_python: bool = False) -> bool:
        answer: bool = script.is_ready(folder, stamp, this_python)
        return answer

    assert not ready()
    good = dict(stamp, python=script.VERSION)
    written.write_text(json.dumps(good), encoding="utf-8")
    assert ready()
    assert ready(this_python=True)
    for key in good:
        written.write_text(json.dumps({**good, key: "other"}), encoding="utf-8")
        assert not ready(), key
    written.write_text(json.dumps(good)[:-9], encoding="utf-8")
    assert not ready()
    written.write_text(json.dumps(good), encoding="utf-8")
    python.unlink()
    python.symlink_to(tmp_path / "removed-python")
    assert not ready()


def make_wheel(folder: Path, version: str) -> str:
    """Write a tiny synthetic wheel and return its lock entry."""
    folder.mkdir(exist_ok=True)
    info = f"tiny_example-{version}.dist-info"
    files = {
        "tiny_example.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny-example\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    path = folder / f"tiny_example-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
            record += f"{name},sha256={digest.decode()},{len(text)}\n"
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    digest_of_file = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"tiny-example=={version} --hash=sha256:{digest_of_file}\n"


@pytest.mark.slow
def test_life_of_an_environment(script: ModuleType, tmp_path: Path) -> None:
    """Made, left alone, repaired, brought up to a new lock, and never half made."""
    wheels = tmp_path / "wheels"
    folder = tmp_path / "a folder with spaces" / "env"
    lock = tmp_path / "tiny.lock"
    lock.write_text(make_wheel(wheels, "1.0"), encoding="utf-8")
    stamp = folder / script.STAMP

    def run(succeeds: bool = True) -> subprocess.CompletedProcess[str]:
        result = run_script(folder, lock, PIP_FIND_LINKS=str(wheels))
        assert (result.returncode == 0) == succeeds, result.stderr
        return result

    def installed() -> str:
        code = "import tiny_example; print(tiny_example.VERSION)"
        return subprocess.check_output([script.interpreter(folder), "-c", code], text=True).strip()

    assert "ready after" in run().stdout
    assert installed() == "1.0"
    assert run().stdout == ""

    # Interrupted before the end: there is an environment, and no stamp.
    stamp.unlink()
    shutil.rmtree(folder / "lib")
    assert "ready after" in run().stdout
    assert installed() == "1.0"

    # A new lock; a package of the old one must not linger.
    lock.write_text(make_wheel(wheels, "2.0"), encoding="utf-8")
    assert "ready after" in run().stdout
    assert installed() == "2.0"

    # A file whose hash is not the lock's is refused, and leaves no stamp.
    lock.write_text("tiny-example==2.0 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    refused = run(succeeds=False)
    assert refused.stderr.splitlines()[-1].startswith("error: pip could not install tiny.lock")
    assert not stamp.exists()
