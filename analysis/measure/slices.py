"""What each source of derivatives sees of the whole Hub (``data/slices.toml``).

A count inside a slice that somebody cut out says of the whole only that it has at least as many.
Which sources are slices, what they leave out and what they know of a derivative is declared, with
the reason, and decides the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic import model_validator as validated

from analysis.entries import checked
from analysis.errors import InputError

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Slice(_Strict):
    """One source of derivatives.

    Attributes
    ----------
    id, title
        Name in the grids, and what readers see.
    versions
        Versions of the registry that make it; more than one where a file holds one maker each.
    whole
        Whether it looks at every repository of the Hub, without a filter.
    upper
        Whether no repository of the Hub can be missing from its number, which is then an upper
        end for its day as well.
    relations, counter
        Whether it tells how a derivative derives, and how often it was downloaded.
    minimum
        Downloads that a repository needed to stand in it.
    before_article
        Whether it was read before the article's day, so that what it saw existed by then.
    sees, misses
        For readers.
    reason
        Why it is taken so.
    """

    id: Words
    title: Words
    versions: Annotated[tuple[Words, ...], Field(min_length=1)]
    whole: bool
    upper: bool = False
    relations: bool
    counter: bool
    minimum: int = Field(ge=0)
    before_article: bool
    sees: Words
    misses: Words
    reason: Annotated[str, StringConstraints(min_length=10)]

    @validated(mode="after")
    def _bounded(self) -> Slice:
        if self.upper and not self.whole:
            raise ValueError(f"{self.id}: a slice has no upper end")
        return self


class Slices(_Strict):
    """All sources of derivatives, in the order of the file.

    Attributes
    ----------
    several_bases
        The slice in which it is measured how much a sum over bases counts twice.
    """

    several_bases: Words
    several_bases_reason: Annotated[str, StringConstraints(min_length=10)]
    slice: tuple[Slice, ...]

    @validated(mode="after")
    def _unique(self) -> Slices:
        names = [one.id for one in self.slice]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"slices named twice: {', '.join(double)}")
        if self.several_bases not in names:
            raise ValueError(f"several_bases: no slice is called {self.several_bases!r}")
        return self

    def find(self, name: str) -> Slice:
        """Return a slice; InputError lists the names when there is none."""
        for one in self.slice:
            if one.id == name:
                return one
        known = ", ".join(one.id for one in self.slice)
        raise InputError(f"data/slices.toml: no slice is called {name!r}; there are: {known}")


def parse(mapping: Mapping[str, object]) -> Slices:
    """Validate the content of ``data/slices.toml``; InputError names a wrong entry."""
    return checked(Slices, mapping, "data/slices.toml")
