"""Kinds of models that a family covers, told by task and by name (``data/breadth.toml``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Final

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from analysis.entries import checked
from analysis.errors import InputError
from analysis.measure.releases import Pattern, Reason
from analysis.measure.releases import Rules as ReleaseRules

#: How a repository is told to be of a kind.
TOLD_BY: Final = ("name", "tag", "either", "both")

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _between(words: Iterable[str]) -> re.Pattern[str]:
    inner = "|".join(words) or "(?!)"
    return re.compile(f"(?:^|[-_.])(?:{inner})(?=[-_.]|$)", re.IGNORECASE | re.ASCII)


class Pairs(_Strict):
    """What tells a pre-trained model from its tuned sister."""

    base: tuple[Pattern, ...] = Field(min_length=1)
    tuned: tuple[Pattern, ...] = Field(min_length=1)
    except_: tuple[Pattern, ...] = Field(default=(), alias="except")
    reason: Reason


class Kind(_Strict):
    """One kind of models."""

    id: Words
    title: Words
    named: bool = False
    tags: tuple[Words, ...] = ()
    words: tuple[Pattern, ...] = ()
    reason: Reason

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What finds the words of the kind in a name."""
        return _between(self.words)


class Rules(_Strict):
    """``data/breadth.toml``."""

    pairs: Pairs
    kind: tuple[Kind, ...] = Field(min_length=1)

    @property
    def named(self) -> tuple[str, ...]:
        """The kinds that the article names."""
        return tuple(kind.id for kind in self.kind if kind.named)

    @property
    def titles(self) -> dict[str, str]:
        """Kind to the word that readers see."""
        return {kind.id: kind.title for kind in self.kind}


def parse(mapping: Mapping[str, object]) -> Rules:
    """Validate the content of ``data/breadth.toml``; InputError names the first wrong entry."""
    rules = checked(Rules, mapping, "data/breadth.toml")
    names = [kind.id for kind in rules.kind]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise InputError(f"data/breadth.toml: kinds named twice: {', '.join(double)}")
    return rules


def pretrained(names: Iterable[str], rules: Rules, releases: ReleaseRules) -> frozenset[str]:
    """Return the names of pre-trained models among the repositories of one family.

    Parameters
    ----------
    names
        Names without organisation, all that are known of the family: a name is told by its
        sisters.
    rules, releases
        The words; and what the sisters of one model share.
    """
    base, tuned = _between(rules.pairs.base), _between(rules.pairs.tuned)
    outside = _between(rules.pairs.except_)
    every = sorted(set(names))
    model = {name: releases.model_of(name) for name in every}
    called = {model[name] for name in every if base.search(name)}
    paired = {model[name] for name in every if tuned.search(name)}
    return frozenset(
        name
        for name in every
        if not outside.search(name)
        and (
            base.search(name)
            or (not tuned.search(name) and model[name] in paired and model[name] not in called)
        )
    )


def kinds(frame: pd.DataFrame, rules: Rules, bases: Iterable[str] = ()) -> pd.DataFrame:
    """List each repository once for every kind that its name or its task tells.

    Parameters
    ----------
    frame
        Columns ``repository_id`` and ``pipeline_tag``; further columns are kept.
    rules
        The kinds.
    bases
        Names of pre-trained models (:func:`pretrained`).

    Returns
    -------
    pandas.DataFrame
        The rows of `frame` with the columns ``kind``, ``named`` (its name tells it), ``tagged``
        (its task does) and ``has_tags`` (the Hub has tasks of the kind); kinds in the order of
        the file.
    """
    names = [str(text).rpartition("/")[2] for text in frame["repository_id"]]
    base = frozenset(bases)
    parts = []
    for kind in rules.kind:
        tell = base.__contains__ if kind.id == "base" else kind.pattern.search
        named = pd.Series([bool(tell(name)) for name in names], index=frame.index, dtype="bool")
        tagged = frame["pipeline_tag"].isin(kind.tags).fillna(False).astype("bool")
        chosen = (named | tagged).to_numpy()
        parts.append(
            frame[chosen].assign(
                kind=kind.id,
                named=named[chosen],
                tagged=tagged[chosen],
                has_tags=bool(kind.tags),
            )
        )
    return pd.concat(parts, ignore_index=True)


def told(marked: pd.DataFrame, by: str) -> pd.DataFrame:
    """Keep the rows of :func:`kinds` that one way to tell a kind accepts.

    Parameters
    ----------
    by
        ``name``; ``tag`` where the Hub has tasks of the kind, else the name; ``either``;
        ``both`` where the Hub has tasks of the kind, else the name.
    """
    named, tagged, has_tags = marked["named"], marked["tagged"], marked["has_tags"]
    ways = {
        "name": named,
        "tag": tagged.where(has_tags, named),
        "either": named | tagged,
        "both": named & (tagged | ~has_tags),
    }
    if by not in ways:
        raise InputError(f"no way {by!r} to tell a kind; there are {', '.join(TOLD_BY)}")
    return marked[ways[by].to_numpy(dtype="bool")].reset_index(drop=True)
