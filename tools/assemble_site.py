"""Put the built book and those of all data releases into one folder, to be served as a site.

The book of the checkout stands at the top; that of each data release (a tag such as 2026.11) stands
under its name, built from the tag's own files by the tag's own `make book`, so that an address with
a release in it shows for ever what that release said. Run by the workflow that publishes the site.

Usage: python tools/assemble_site.py OUT
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILT = Path("book/_build/html")
#: Names of data releases: year and month, and a number for a second one in a month.
RELEASE = re.compile(r"(\d{4})\.(0[1-9]|1[0-2])(?:\.(\d+))?")


def releases(project: Path) -> list[str]:
    """Return the tags of data releases, oldest first."""
    listed = subprocess.run(
        ["git", "tag", "--list"], cwd=project, capture_output=True, text=True, check=True
    )
    found = [match for tag in listed.stdout.split() if (match := RELEASE.fullmatch(tag))]
    return [m[0] for m in sorted(found, key=lambda m: (m[1], m[2], int(m[3] or 0)))]


def build_release(project: Path, tag: str, to: Path) -> None:
    """Build a release's book from its own files and copy it to a folder."""
    with tempfile.TemporaryDirectory(prefix="open-model-record-") as scratch:
        checkout = Path(scratch) / tag
        subprocess.run(
            ["git", "worktree", "add", "--quiet", "--detach", str(checkout), f"refs/tags/{tag}"],
            cwd=project,
            check=True,
        )
        try:
            subprocess.run(["make", "book"], cwd=checkout, check=True)
            shutil.copytree(checkout / BUILT, to)
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(checkout)], cwd=project, check=True
            )


def assemble(project: Path, out: Path) -> list[str]:
    """Make the site; return the releases in it.

    Nothing stands at `out` until all of it is there.
    """
    if not (project / BUILT / "index.html").is_file():
        raise SystemExit(f"error: {BUILT} holds no book: run `make book` first")
    if out.exists():
        raise SystemExit(f"error: {out} exists: name a folder that does not, or remove it")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=out.parent) as scratch:
        site = Path(scratch) / "site"
        shutil.copytree(project / BUILT, site)
        found = releases(project)
        for tag in found:
            build_release(project, tag, site / tag)
        site.rename(out)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("out", type=Path, help="folder to make; it must not exist")
    out = parser.parse_args(arguments).out.resolve()
    try:
        found = assemble(ROOT, out)
    except subprocess.CalledProcessError as error:
        print(f"error: {' '.join(map(str, error.cmd))} failed: see above", file=sys.stderr)
        return 1
    print(f"Site of the book and {len(found)} releases: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
