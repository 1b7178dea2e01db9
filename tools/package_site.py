"""Pack the built site into one zip that opens from disk.

Entries are sorted, with one date and one mode, so the same site gives the same bytes. The folder in
the zip has the name of the file. Unpack it and open `index.html`: nothing else is needed.

Usage: python tools/package_site.py [--site FOLDER] [--to FILE]
"""

from __future__ import annotations

import argparse
import sys
import time
import zipfile
from pathlib import Path

import build_book

#: The day that the build is fixed to, as zip files write it.
DAY = time.gmtime(int(build_book.EPOCH))[:6]
MODE = 0o100644


def package(site: Path, to: Path, extra: tuple[Path, ...] = ()) -> int:
    """Write a zip of a site; return the number of its files.

    Parameters
    ----------
    site : Path
        Folder of the built pages.
    to : Path
        The zip; its name without ending is the folder inside.
    extra : tuple of Path
        Files that are put beside the pages, such as the PDF.
    """
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    files.update({path.name: path for path in extra})
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{to.stem}/{name}", DAY)
            # As on Unix, wherever it is packed.
            entry.create_system = 3
            entry.external_attr = MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name].read_bytes())
    part.replace(to)
    return len(files)


def main(arguments: list[str] | None = None) -> int:
    """Pack the site; return the exit status."""
    parser = argparse.ArgumentParser(description="Pack the built site into one zip.")
    parser.add_argument("--site", type=Path, default=build_book.ROOT / "book/_build/html")
    parser.add_argument("--to", type=Path, default=None, help="_build/open-model-record-book.zip")
    parser.add_argument("--with", dest="extra", type=Path, action="append", default=[])
    given = parser.parse_args(arguments)
    site: Path = given.site.resolve()
    to: Path = given.to or site.parent / "open-model-record-book.zip"
    for path in (site / "index.html", *given.extra):
        if not path.is_file():
            print(f"error: {path}: no such file; run `make book` first", file=sys.stderr)
            return 2
    count = package(site, to, tuple(given.extra))
    print(f"Packed {count} files into {to} ({to.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
