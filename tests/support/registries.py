"""Small registries made up for faults: their bytes are synthetic, and so are their names."""

from __future__ import annotations

import hashlib

from analysis import raw

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def registry_of(
    content: bytes, *, git_tree: str | None = None, size: int | None = None
) -> raw.Registry:
    """Return a registry with the one version ``thing-2026-01-01`` whose file is `content`."""
    version = raw.Version(
        name="thing-2026-01-01",
        commit=COMMIT,
        as_of="2026-01-01",
        as_of_known_by="made up",
        sha256=None if git_tree else hashlib.sha256(content).hexdigest(),
        git_tree=git_tree,
        hash_by="computed here",
        bytes=len(content) if size is None else size,
    )
    source = raw.Source(
        id="thing",
        title="A made-up source",
        kind="hub-tree" if git_tree else "hub-top30",
        producer="nobody",
        repository="nobody/nothing",
        host="github-archive" if git_tree else "github",
        path="" if git_tree else "data/a thing.json",
        licence="MIT",
        share_alike=False,
        citation="Nobody, nothing on GitHub.",
        upstream="hub-api",
        upstream_note="Made up.",
        covers="Nothing.",
        known_problems=("Made up.",),
        state="available",
        versions=(version,),
    )
    real = raw.load_registry()
    return raw.Registry(sources=(source,), kinds=real.kinds, upstreams=real.upstreams)
