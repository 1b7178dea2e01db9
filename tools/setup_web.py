"""Install what checks the built pages (axe-core, the HTML validator) from its npm lock.

Usage: python tools/setup_web.py [FOLDER]  (default: .tools/web)

Only the tests use it, and they skip where npm is missing: nobody needs Node to build or read the
book. Nothing that is downloaded runs while it is installed. The folder carries a stamp with the
hash of the lock, and gets its name only when it is whole.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import setup_env

WANTED = setup_env.ROOT / "tools" / "web"
FILES = ("package.json", "package-lock.json", ".npmrc")
STAMP = "setup-stamp.txt"


def stamp() -> str:
    """Return the hash of what is to be installed."""
    content = b"\0".join((WANTED / name).read_bytes() for name in FILES)
    return hashlib.sha256(content).hexdigest() + "\n"


def install(folder: Path) -> None:
    """Install into a folder, unless it already holds exactly that.

    Raises
    ------
    RuntimeError
        npm is missing, or could not install; the message says which.
    """
    npm = shutil.which("npm")
    held = setup_env.hold(folder.parent / f"{folder.name}.lock")
    try:
        mark = folder / STAMP
        if mark.is_file() and mark.read_text(encoding="utf-8") == stamp():
            return
        if npm is None:
            raise RuntimeError("npm is missing: install Node.js (on Debian: apt-get install npm)")
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-") as scratch:
            part = Path(scratch) / "part"
            part.mkdir()
            for name in FILES:
                shutil.copyfile(WANTED / name, part / name)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(
                command, cwd=part, capture_output=True, text=True, check=False, timeout=300
            )
            if done.returncode:
                raise RuntimeError(f"npm could not install tools/web:\n{done.stderr.strip()}")
            (part / STAMP).write_text(stamp(), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
    finally:
        held.close()


if __name__ == "__main__":
    try:
        install(Path(sys.argv[1] if len(sys.argv) > 1 else setup_env.ROOT / ".tools" / "web"))
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        setup_env.fail(str(error))
