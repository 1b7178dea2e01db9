"""The changelog says what the tables say."""

from __future__ import annotations

import re

from analysis import raw, tables


def test_verdicts_of_the_newest_release_are_the_derived_ones() -> None:
    text = (raw.project_root() / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.split(r"^## ", text, flags=re.MULTILINE)[1]
    cells = r"^\| ([a-z0-9-]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$"
    rows = re.findall(cells, newest, re.MULTILINE)
    said = {row[0]: tuple(word.strip() for word in row[1:]) for row in rows if row[0] != "claim"}
    checked = {
        record["id"]: tuple(record[axis]["verdict"] for axis in ("recreated", "robust", "later"))
        for record in tables.claims()
        if record["status"] != "open"
    }
    assert {k: v for k, v in said.items() if not set(k) <= {"-"}} == checked


def test_sections_stand_apart() -> None:
    text = (raw.project_root() / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (.+)$", text, re.MULTILINE)[:3] == ["Data", "Results", "Code"]
