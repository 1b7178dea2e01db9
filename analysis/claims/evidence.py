"""What the claims of groups B and C look at besides counters: lineage, licences, releases, sizes.

An :class:`Evidence` holds tables that the readers made, under the names of their versions, and
never reads a file.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

import pandas as pd

from analysis.errors import InputError
from analysis.snapshot import families as families_module

_T = TypeVar("_T")


@dataclass(frozen=True)
class Evidence:
    """Tables by version name, with the rules that apply to them.

    Attributes
    ----------
    frames
        Canonical frames by version name, every column that the reader can fill.
        Ids of renamed organisations are resolved.
    kinds, days
        Kind of source, and as-of day (the last that the registry allows), of each version.
    rules
        Rule files of ``data/`` by name, parsed.
    published
        Figures that others published (``data/reference/published-figures.csv``).
    taken
        When a version's file says it was read, in UTC; versions whose files do not say are absent.
    """

    frames: Mapping[str, pd.DataFrame]
    kinds: Mapping[str, str]
    days: Mapping[str, date]
    rules: Mapping[str, Any]
    families: families_module.Families
    published: pd.DataFrame
    taken: Mapping[str, datetime] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def frame(self, name: str) -> pd.DataFrame:
        """Return the table of a version; InputError that lists the names when there is none."""
        if name not in self.frames:
            raise InputError(f"no evidence is called {name!r}; there are: {self._names()}")
        return self.frames[name]

    def of_kind(self, kind: str) -> dict[str, pd.DataFrame]:
        """Return the tables of a kind by version name, in order of name."""
        return {n: self.frames[n] for n in sorted(self.frames) if self.kinds[n] == kind}

    def rule(self, name: str) -> Any:
        """Return a parsed rule file; InputError when it was not loaded."""
        if name not in self.rules:
            raise InputError(f"data/{name}.toml is not among the rules that were loaded")
        return self.rules[name]

    def once(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what `make` gives, worked out once for this evidence.

        Parameters
        ----------
        key
            Name of the result, with the name of the module that asks in front; or a tuple of
            such a name and what the result hangs on.
        """
        if key not in self._made:
            self._made[key] = make()
        value: _T = self._made[key]
        return value

    def _names(self) -> str:
        return ", ".join(sorted(self.frames))
