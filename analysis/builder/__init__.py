"""From raw files to ``data/derived``: the only place where the rooms are run in a row.

Reads what the registry names (:mod:`.loading`), builds the world, evaluates the
claims, makes tables (:mod:`.derived`) and writes them (:mod:`.writing`), each with
the sha256 of its inputs in the manifest.
"""

from __future__ import annotations

from analysis.builder.deriving import derive
from analysis.builder.loading import Loaded, Rules, load, load_rules
from analysis.builder.writing import compare, refuse_others, write

__all__ = ["Loaded", "Rules", "compare", "derive", "load", "load_rules", "refuse_others", "write"]
