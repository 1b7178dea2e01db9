"""Draw the sample of derivatives that was labelled by hand (``data/domain-labels.csv``).

Run from the checkout: ``python tools/draw_domain_sample.py`` prints the sample and the size of each
stratum. The drawing is fixed by ``[sample]`` of ``data/domains.toml`` and the pinned archive, so
anyone can draw it again; a slow test does.

The strata use more than the rules may see: the summary of the card that the archive keeps beside
each repository. They only say where to look closely. No text of a card is kept.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analysis import raw

#: Tags that say nothing of what a repository is for.
_SKIP = re.compile(
    r"(?:base_model|region|license|arxiv|arXiv|deploy|doi|template|loss|dataset_size|diffusers|object):"
)
#: Words of the card's summary that would fill a stratum by themselves.
_NOISE = re.compile(r"c[oó]digo abierto|ingenier[ií]a inversa", re.IGNORECASE)


def _files(archive: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Return each repository that declares a base, with the summary of its card."""
    entries: dict[str, dict[str, Any]] = {}
    cards: dict[str, str] = {}
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            folder, _, suffix = member.name.rpartition(".")
            if "/data/" not in member.name or not member.isfile():
                continue
            file = tar.extractfile(member)
            if file is None:
                continue
            if suffix == "json":
                entries[folder] = json.loads(file.read())
            elif suffix == "md":
                cards[folder] = file.read().decode("utf-8")
    for folder in sorted(entries):
        entry = entries[folder]
        declared = entry["base_model"] or any(t.startswith("base_model:") for t in entry["tags"])
        if declared:
            yield entry, _summary(cards.get(folder, ""))


def _summary(card: str) -> str:
    found = re.search(r"## Resumen\s*(.*?)\n## ", card, re.DOTALL)
    return _NOISE.sub("", found.group(1) if found else card[:1500])


def _stratum(entry: dict[str, Any], summary: str, rules: dict[str, Any]) -> str:
    name = entry["id"].split("/", 1)[1]
    text = " | ".join([name, *(tag for tag in entry["tags"] if not _SKIP.match(tag))])
    for net in rules["net"]:
        if re.search(net["named"], text, re.IGNORECASE):
            return f"{net['id']}-named"
    for net in rules["net"]:
        if "card" in net and re.search(net["card"], summary, re.IGNORECASE):
            return f"{net['id']}-card"
    return "rest"


def draw(archive: Path, rules: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the sample (repository, stratum, part) and the size of each stratum."""
    members: dict[str, list[str]] = {}
    for entry, summary in _files(archive):
        members.setdefault(_stratum(entry, summary, rules), []).append(entry["id"])
    rows = []
    for number, stratum in enumerate(rules["stratum"]):
        names = sorted(members[stratum["id"]])
        generator = np.random.default_rng([rules["seed"], number])
        chosen = generator.permutation(len(names))[: stratum["drawn"]]
        rows += [
            (names[place], stratum["id"], "held out" if turn % 2 else "tuning")
            for turn, place in enumerate(chosen)
        ]
    return (
        pd.DataFrame(rows, columns=["repository_id", "stratum", "part"]),
        {name: len(ids) for name, ids in sorted(members.items())},
    )


if __name__ == "__main__":
    sample, sizes = draw(raw.fetch("radar-2026-08-22"), raw.declared("domains")["sample"])
    print(json.dumps(sizes, indent=1), file=sys.stderr)
    print(sample.to_csv(index=False), end="")
