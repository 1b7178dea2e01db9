"""The README: links that lead somewhere, commands that exist, no figure typed in."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TEXT = (PROJECT / "README.md").read_text(encoding="utf-8")


def test_every_link_leads_to_a_file_of_the_project() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    for link in links:
        assert (PROJECT / link.partition("#")[0]).exists(), link


def test_every_target_is_in_the_makefile() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", TEXT, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_no_result_is_typed_in() -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", TEXT, flags=re.DOTALL)
    for allowed in (r"\bMay 2026\b", r"\bPython 3\.11\b", r"\bCC BY 4\.0\b"):
        prose = re.sub(allowed, "", prose)
    assert not re.search(r"\d", prose)


def test_each_part_fits_on_a_screen() -> None:
    for part in re.split(r"^## ", TEXT, flags=re.MULTILINE):
        assert len(part.splitlines()) <= 40


def test_no_badge_and_no_address_that_can_die() -> None:
    assert "http" not in TEXT


def test_pictures_are_there_and_say_in_words_what_they_show() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", TEXT)
    assert len(pictures) == TEXT.count("![") == 2
    for words, path in pictures:
        assert len(words) > 60
        assert (PROJECT / path).read_bytes().startswith(b"\x89PNG")
