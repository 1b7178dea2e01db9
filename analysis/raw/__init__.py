"""Room 1: bytes you can trust. The registry of sources, fetching and verifying.

Examples
--------
>>> from analysis import raw
>>> source, version = raw.load_registry().find("top30-2026-02-28")
>>> version.as_of
'2026-02-28'
"""

from __future__ import annotations

from analysis.raw.downloading import Patience
from analysis.raw.fetching import Fetcher, fetch, fetcher, sha256_of
from analysis.raw.gittree import archive_tree_id
from analysis.raw.places import (
    CACHE_VARIABLE,
    MIRROR_VARIABLE,
    cache_dir,
    data_dir,
    mirror_dir,
    project_root,
)
from analysis.raw.public import PublicFiles, public_files, raw_address
from analysis.raw.registry import Kind, Registry, Source, Upstream, Version, load_registry
from analysis.raw.rules import declared, read_toml
from analysis.raw.verifying import Finding, verify

__all__ = [
    "CACHE_VARIABLE",
    "MIRROR_VARIABLE",
    "Fetcher",
    "Finding",
    "Kind",
    "Patience",
    "PublicFiles",
    "Registry",
    "Source",
    "Upstream",
    "Version",
    "archive_tree_id",
    "cache_dir",
    "data_dir",
    "declared",
    "fetch",
    "fetcher",
    "load_registry",
    "mirror_dir",
    "project_root",
    "public_files",
    "raw_address",
    "read_toml",
    "sha256_of",
    "verify",
]
