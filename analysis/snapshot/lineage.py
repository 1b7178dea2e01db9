"""Who derives from whom: declared relations out of any table of the schema, and their graph.

A relation is what an author declares: this repository derives from that one, by this relation.
It may stand in an edge list (``base_id``), in the Hub's own field (``base_models`` with
``base_relation``) or in tags, in either spelling (``base_model:ID`` and
``base_model:RELATION:ID``). :func:`of` reads them all, cleans them by one set of rules and counts
what it met; nothing is dropped without a count.

Rules of cleaning:

- Ids of renamed organisations take the new name, at both ends.
- The Hub takes ids without regard to letter case. Spellings that differ by case alone are one
  repository, written as the repository itself stands in the table, else as it is named most
  often; of equals, the first in the order of the alphabet.
- A repository that names itself as its base declares nothing.
- A tag that states the relation to one base is the most exact statement, the Hub's field states
  one relation for all bases of a repository, a tag without relation states none: for one pair the
  most exact statement wins, and a disagreement is counted.
- Ids that do not follow the Hub's grammar and names without organisation stay as they are.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.errors import InputError
from analysis.snapshot.graph import (
    RELATIONS,
    UNDECLARED,
    Graph,
    arrow_texts,
    as_codes,
    cyclic_groups,
    first_of_run,
    organisation_codes,
    pair_keys,
    pair_order,
    text_order,
    with_new_names,
)
from analysis.snapshot.schema import FIELDS
from analysis.snapshot.shaping import ID_GRAMMAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    from analysis.snapshot.families import Families

    Codes = npt.NDArray[np.integer[Any]]
    Mask = npt.NDArray[np.bool_]

__all__ = [
    "RELATIONS",
    "UNDECLARED",
    "Graph",
    "Lineage",
    "Report",
    "of",
    "of_parts",
    "of_tags",
    "relations",
]

#: Sources spell the four words differently.
_WORDS: Final = {
    "finetune": 0,
    "finetuned": 0,
    "fine-tune": 0,
    "fine-tuned": 0,
    "adapter": 1,
    "adapters": 1,
    "quantized": 2,
    "quantised": 2,
    "merge": 3,
    "merged": 3,
}
_NONE: Final = len(RELATIONS)

_TAG: Final = "base_model:"

_SLICE: Final = 1 << 19


@dataclass(frozen=True, slots=True)
class Report:
    """What was met while relations were read.

    Attributes
    ----------
    rows
        Rows of the table.
    stated
        Statements of a base in it, before cleaning.
    relations
        Distinct relations kept: one a repository, base and relation.
    derivatives, bases
        Distinct repositories that declare a base, and distinct ids declared as one.
    duplicates
        Statements that repeat another word for word (after cleaning).
    self_loops
        Statements that name the repository itself.
    without_id
        Statements without a usable id at one end.
    several_parents
        Repositories that declare more than one base.
    cycles, on_cycles
        Groups of repositories that descend from each other, and the repositories in them.
    unknown_bases, unknown_relations
        Bases without a row of their own, and the relations that name one; None where the table
        is a list of relations, in which a base has no row by its nature.
    renamed
        Ids written with the former name of an organisation.
    other_case
        Ids written in another letter case than the one kept.
    broken
        Ids that do not follow the Hub's grammar.
    without_organisation
        Names given as a base without an organisation.
    unknown_words
        Statements with a word that is none of the four relations; it counts as undeclared.
    disagreeing
        Pairs for which a tag and the Hub's field state different relations; the tag is kept.
    """

    rows: int = 0
    stated: int = 0
    relations: int = 0
    derivatives: int = 0
    bases: int = 0
    duplicates: int = 0
    self_loops: int = 0
    without_id: int = 0
    several_parents: int = 0
    cycles: int = 0
    on_cycles: int = 0
    unknown_bases: int | None = None
    unknown_relations: int | None = None
    renamed: int = 0
    other_case: int = 0
    broken: int = 0
    without_organisation: int = 0
    unknown_words: int = 0
    disagreeing: int = 0

    @property
    def unknown_base_share(self) -> float | None:
        """Share of the relations whose base has no row; None where nothing tells."""
        if self.unknown_relations is None or not self.relations:
            return None
        return self.unknown_relations / self.relations

    def notes(self) -> tuple[str, ...]:
        """Say in words what was met; what did not occur is left out."""
        ends = f"of derivatives: {self.derivatives:,}, to bases: {self.bases:,}"
        found = [f"distinct relations: {self.relations:,}, {ends}"]
        said = {
            "duplicates": "statements that repeat another and count once",
            "self_loops": "statements that name the repository itself, left out",
            "without_id": "statements without a usable id, left out",
            "several_parents": "derivatives that declare more than one base",
            "on_cycles": "repositories that descend from themselves",
            "unknown_relations": "relations to a base that has no row here",
            "renamed": "ids of a renamed organisation, written with its new name",
            "other_case": "ids in another letter case than the repository they name",
            "broken": "ids that do not follow the Hub's grammar, kept as they are",
            "without_organisation": "bases that are names without an organisation: nobody's",
            "unknown_words": "statements with a relation of no known word, taken as undeclared",
            "disagreeing": "pairs with another relation in the tag than in the field, the tag's "
            "kept",
        }
        for name, words in said.items():
            if number := getattr(self, name):
                found.append(f"{words}: {number:,}")
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the ids of a table before its relations are read.

    Attributes
    ----------
    names
        The ids with new names of organisations (:func:`graph.with_new_names`).
    keys, twice
        What :func:`case_keys` gives for the names, and the places of those that may stand twice
        (:func:`perhaps_shared`).
    keys_before, twice_before
        The same for the ids as they stand.
    owner
        Organisation of each name as a code, -1 for none, and the organisations.
    plain
        Whether all ids follow the Hub's grammar.
    """

    names: pa.Array
    keys: npt.NDArray[np.uint64]
    twice: Codes
    keys_before: npt.NDArray[np.uint64]
    twice_before: Codes
    owner: tuple[Codes, pa.Array]
    plain: bool


@dataclass(frozen=True, eq=False)
class Lineage:
    """The graph of a table, and what was met while it was read."""

    graph: Graph
    report: Report


def relations(
    frame: pd.DataFrame,
    families: Families,
    *,
    repositories: pd.Series[Any] | None = None,
) -> pd.DataFrame:
    """Return the declared relations of a table, one row a distinct relation.

    Parameters
    ----------
    frame, families, repositories
        See :func:`of`.

    Returns
    -------
    pandas.DataFrame
        ``repository_id`` (the derivative), ``base_id`` and ``base_relation`` (finetune, adapter,
        quantized, merge or null), in the order in which the table first states them.
    """
    return of(frame, families, repositories=repositories).graph.relations()


def of(
    frame: pd.DataFrame,
    families: Families,
    *,
    repositories: pd.Series[Any] | None = None,
) -> Lineage:
    """Read the declared relations of a table into a graph.

    Parameters
    ----------
    frame : pandas.DataFrame
        Either a list of relations, with the columns ``repository_id``, ``base_id`` and, where
        known, ``base_relation``; or one row a repository with ``base_models`` (and
        ``base_relation``), ``tags``, or both.
    families : Families
        The register, for organisations that were renamed.
    repositories : pandas.Series, optional
        Ids known to exist besides those of the table: they decide how an id is spelt, and with
        them a list of relations too can tell which bases are unknown.

    Returns
    -------
    Lineage
        The graph and the report.

    Raises
    ------
    InputError
        The table has no column that could hold a base.
    """
    stated, known = _statements(frame)
    texts = arrow_texts(frame["repository_id"]).chunks if known else []
    if repositories is not None:
        texts = [*texts, *arrow_texts(repositories).chunks]
        known = True
    return _resolved(stated, len(frame), texts if known else None, families)


def of_parts(
    ids: pa.Array,
    parts: Iterable[tuple[pa.Array, pa.Array, pa.Array, bool]],
    families: Families,
    known: Known | None = None,
) -> tuple[Lineage, Codes]:
    """Read relations that come in parts, as those of a table too large to hold.

    Parameters
    ----------
    ids : pyarrow.Array
        Id of each row of the table, one row a repository and none without an id.
    parts : iterable
        Places of the rows, the base that each states, the word of the relation (or its code, as
        an array of numpy), and whether a tag states it (which is more exact); see
        :func:`of_tags`.
    families : Families
        The register, for organisations that were renamed.
    known : Known, optional
        What is known of the ids already.

    Returns
    -------
    lineage : Lineage
        What :func:`of` gives for the whole table, nodes perhaps in another order.
    node : numpy.ndarray
        Node of each row, -1 for one without a relation.
    """
    rows_of, flat_of, codes_of, exact_of, odd = [], [], [], [], 0
    for place, flat, word, exact_part in parts:
        codes, more = (word, 0) if isinstance(word, np.ndarray) else _relation_codes(word)
        odd += more
        rows_of.append(place if isinstance(place, np.ndarray) else as_codes(place))
        flat_of.append(flat)
        codes_of.append(codes)
        exact_of.append(np.full(len(codes), exact_part))
    child: Codes = np.concatenate([np.zeros(0, dtype=np.int32), *rows_of])
    words: Codes = np.concatenate([np.zeros(0, dtype=np.int8), *codes_of])
    exact: Mask = np.concatenate([np.zeros(0, dtype=bool), *exact_of])
    if len(flat_of) == 1 and isinstance(flat_of[0], pa.DictionaryArray):
        encoded = flat_of[0]
    else:
        encoded = _whole(_chunked(flat_of)).dictionary_encode()
    del rows_of, flat_of, codes_of, exact_of
    # Few of the ids are a base, and few bases have no row: the table of all texts is never made.
    if known is not None and not len(known.twice_before):
        row = _rows_by_key(ids, known.keys_before, encoded.dictionary)
    else:
        row = np.full(len(encoded.dictionary) + 1, -1, dtype=np.int32)
        found = pc.index_in(ids, value_set=encoded.dictionary)
        there = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
        row[as_codes(found.drop_null())] = there
        del found
    absent = np.flatnonzero(row[:-1] < 0)
    row[absent] = len(ids) + np.arange(len(absent), dtype=np.int32)
    base = row[as_codes(pc.fill_null(encoded.indices, -1))]
    more_ids = encoded.dictionary.take(pa.array(absent))
    del encoded, row
    resolved = _Names.of_rows(ids, more_ids, child, base, families, known)
    statements = _Coded(child, base, words, exact, odd)
    rows = np.arange(len(ids), dtype=np.int32)
    # What `known` says of names holds for those that were taken.
    known = known if known is not None and resolved.texts[0] is known.names else None
    return _cleaned(statements, resolved, len(ids), rows, known)


def _rows_by_key(ids: pa.Array, keys: npt.NDArray[np.uint64], texts: pa.Array) -> Codes:
    """Find some texts among ids of which no two have the same key; -1 for none, and at the end.

    Numbers are found several times as fast as texts; the letters of what was found are compared.
    """
    code, distinct = pd.factorize(case_keys(texts))
    place = pd.Index(distinct).get_indexer(pd.Index(keys))
    there = np.flatnonzero(place >= 0)
    of_key = np.full(len(distinct), -1, dtype=np.int32)
    of_key[place[there]] = there
    row = np.append(of_key[code], np.int32(-1))
    found = np.flatnonzero(row >= 0)
    same = pc.equal(texts.take(pa.array(found)), ids.take(pa.array(row[found])))
    row[found[~same.to_numpy(zero_copy_only=False)]] = -1
    return row


def _resolved(
    stated: _Statements, rows_read: int, there: list[pa.Array] | None, families: Families
) -> Lineage:
    """Clean the statements; `there` are the ids known to exist, None where nothing tells."""
    words, count = stated.relation, len(stated.relation)
    known = there is not None
    texts = [*stated.child.chunks, *stated.base.chunks, *(there or ())]
    # Chunks that are encoded together share one dictionary.
    encoded = pa.chunked_array(texts, pa.string()).dictionary_encode()
    uniques = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], pa.string())
    parts = [as_codes(pc.fill_null(chunk.indices, -1)) for chunk in encoded.chunks]
    codes = np.concatenate([np.zeros(0, dtype=np.int32), *parts])
    del encoded, texts, parts
    # In a list of relations a repository is there where it declares a base.
    rows = codes[2 * count :] if known else codes[:count]
    names = _Names.resolve(uniques, codes[: 2 * count], rows, families)
    del uniques
    coded = _Coded(
        codes[:count],
        codes[count : 2 * count],
        words,
        stated.exact,
        stated.unknown_words,
    )
    present = codes[2 * count :] if known else None
    del codes
    return _cleaned(coded, names, rows_read, present)[0]


@dataclass(frozen=True)
class _Coded:
    """Statements as codes of texts: who, from whom, by which relation."""

    child: Codes
    base: Codes
    relation: Codes
    exact: Mask
    unknown_words: int


def _cleaned(
    stated: _Coded,
    names: _Names,
    rows_read: int,
    present: Codes | None,
    known: Known | None = None,
) -> tuple[Lineage, Codes]:
    """Clean coded statements into a graph.

    `present` are the texts known to exist; `known` tells of the first of the names.
    """
    words, count = stated.relation, len(stated.relation)
    child, base = names.node_of(stated.child), names.node_of(stated.base)
    usable = (child >= 0) & (base >= 0)
    loops = usable & (child == base)
    place = np.flatnonzero(usable & ~loops).astype(np.int32)
    exact = stated.exact
    if len(place) < count:
        child, base, words, exact = child[place], base[place], words[place], exact[place]
    width = len(names.of_unique)
    kept, duplicates, disagreeing = _most_exact(base, child, width, words, exact)
    if kept is not None:
        child, base, words, place = child[kept], base[kept], words[kept], place[kept]
    used = np.zeros(width, dtype=bool)
    used[child] = used[base] = True
    chosen = np.flatnonzero(used).astype(np.int32)
    node = np.full(width + 1, -1, dtype=np.int32)
    node[chosen] = np.arange(len(chosen), dtype=np.int32)
    owner = None if known is None else _owners(names, chosen, known.owner)
    graph = Graph.build(names.take(chosen), node[base], node[child], words, place, owner)
    if duplicates is None:
        duplicates = len(place) - len(graph)

    is_base = np.diff(graph.starts) > 0
    alone = pc.invert(pc.match_substring(graph.ids, "/"))
    unknown_bases = unknown_relations = None
    node_of_row = np.zeros(0, dtype=np.int32)
    if present is not None:
        node_of_row = node[names.node_of(present)]
        has_row = np.zeros(graph.nodes + 1, dtype=bool)
        has_row[node_of_row] = True
        unknown = is_base & ~has_row[:-1]
        unknown_bases = int(unknown.sum())
        unknown_relations = int(unknown[graph.base].sum())
    groups = cyclic_groups(graph.starts, graph.child, graph.base)
    pairs = first_of_run(graph.base) | first_of_run(graph.child)
    parents = np.bincount(graph.child[pairs], minlength=graph.nodes)
    unchecked = graph.ids
    if known is not None and known.plain:
        unchecked = unchecked.slice(int(np.searchsorted(chosen, len(known.names))))
    grammar = pc.match_substring_regex(unchecked, ID_GRAMMAR)
    report = Report(
        rows=rows_read,
        stated=count,
        relations=len(graph),
        derivatives=int((parents > 0).sum()),
        bases=int(is_base.sum()),
        duplicates=duplicates,
        self_loops=int(loops.sum()),
        without_id=count - int(usable.sum()),
        several_parents=int((parents > 1).sum()),
        cycles=len(groups),
        on_cycles=sum(map(len, groups)),
        unknown_bases=unknown_bases,
        unknown_relations=unknown_relations,
        renamed=names.renamed,
        other_case=names.other_case,
        broken=len(unchecked) - int(pc.sum(grammar).as_py() or 0),
        without_organisation=int((as_codes(alone).astype(bool) & is_base).sum()),
        unknown_words=stated.unknown_words,
        disagreeing=disagreeing,
    )
    return Lineage(graph, report), node_of_row


def _owners(
    names: _Names, chosen: Codes, owner: tuple[Codes, pa.Array]
) -> tuple[Codes, tuple[str, ...]]:
    """Organisations of the chosen names, where those of the first are known."""
    codes, holders = owner
    of_rows = codes[chosen[: np.searchsorted(chosen, len(codes))]]
    more, others = organisation_codes(names.take(chosen[len(of_rows) :]))
    found = pc.index_in(others, holders)
    new = others.filter(found.is_null())
    of_other = as_codes(pc.fill_null(found, -1)).copy()
    of_other[of_other < 0] = len(holders) + np.arange(len(new))
    every = np.concatenate([of_rows, np.append(of_other, np.int32(-1))[more]])
    # Numbered in the order in which they occur, as elsewhere.
    some = np.flatnonzero(every >= 0)
    numbered, used = pd.factorize(every[some])
    every[some] = numbered
    named = pa.concat_arrays([holders, new]).take(pa.array(used))
    return every, tuple(named.to_pylist())


# --------------------------------------------------------------------------- what a table states


@dataclass(frozen=True)
class _Statements:
    """Raw statements: who, from whom, by which relation, and how exact the place is."""

    child: pa.ChunkedArray
    base: pa.ChunkedArray
    relation: Codes
    exact: Mask
    unknown_words: int


def _statements(frame: pd.DataFrame) -> tuple[_Statements, bool]:
    """Collect the statements; the flag says whether rows are repositories."""
    if "repository_id" not in frame.columns:
        raise InputError("lineage: the table has no column 'repository_id'")
    child = arrow_texts(frame["repository_id"])
    if "base_id" in frame.columns:
        codes, odd = _relation_codes(_words_of(frame))
        exact = np.ones(len(codes), dtype=bool)
        return _Statements(child, arrow_texts(frame["base_id"]), codes, exact, odd), False
    if not {"base_models", "tags"} & set(frame.columns):
        raise InputError(
            "lineage: the table declares no bases: it needs a column base_id, base_models or tags"
        )
    parts: list[tuple[pa.Array, pa.Array, pa.Array, bool]] = []
    if "base_models" in frame.columns:
        parts += parts_of_field(frame)
    if "tags" in frame.columns:
        parts += parts_of_tags(frame["tags"])
    return _stated(child, parts), True


def parts_of_field(
    frame: pd.DataFrame,
) -> Iterator[tuple[pa.Array, pa.Array, pa.Array, bool]]:
    """Yield the statements of the Hub's own field, for :func:`of_parts`."""
    words = _words_of(frame)
    for rows, flat in _flat(frame["base_models"]):
        yield rows, flat, words.take(rows), False


def parts_of_tags(
    tags: pd.Series[Any],
) -> Iterator[tuple[pa.Array, pa.Array, pa.Array, bool]]:
    """Yield the statements in tags, for :func:`of_parts`."""
    for rows, flat in _flat(tags):
        yield of_tags(rows, flat)


def of_tags(rows: pa.Array, flat: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array, bool]:
    """Return the statements in flat tags as a part for :func:`of_parts`."""
    hit = pc.starts_with(flat, _TAG)
    text = pc.utf8_slice_codeunits(flat.filter(hit), len(_TAG))
    split = pc.extract_regex(text, r"\A(?:(?P<word>[A-Za-z_-]+):)?(?P<id>(?s:.*))\z")
    word = pc.struct_field(split, "word")
    word = pc.if_else(pc.equal(word, ""), pa.scalar(None, pa.string()), word)
    return rows.filter(hit), pc.struct_field(split, "id"), word, True


def _stated(
    child: pa.ChunkedArray, parts: Iterable[tuple[pa.Array, pa.Array, pa.Array, bool]]
) -> _Statements:
    """Put statements together; what a part no longer needs is let go before the next is made."""
    rows_of, flat_of, codes_of, exact_of, odd = [], [], [], [], 0
    for rows, flat, word, exact in parts:
        codes, more = _relation_codes(word)
        odd += more
        rows_of.append(rows)
        flat_of.append(flat)
        codes_of.append(codes)
        exact_of.append(np.full(len(codes), exact))
    return _Statements(
        _chunked([child.take(rows) for rows in rows_of]),
        _chunked(flat_of),
        np.concatenate([np.zeros(0, dtype=np.int8), *codes_of]),
        np.concatenate([np.zeros(0, dtype=bool), *exact_of]),
        odd,
    )


def _words_of(frame: pd.DataFrame) -> pa.ChunkedArray:
    if "base_relation" not in frame.columns:
        return pa.chunked_array([pa.nulls(len(frame), pa.string())])
    return arrow_texts(frame["base_relation"])


def _relation_codes(words: pa.Array | pa.ChunkedArray) -> tuple[Codes, int]:
    """Code each word; the count is of words that are none of the four."""
    spelt = pc.ascii_lower(pc.utf8_trim_whitespace(words))
    found = pc.index_in(spelt, value_set=pa.array(list(_WORDS), pa.string()))
    codes = np.asarray([*_WORDS.values(), _NONE], dtype=np.int8)[
        as_codes(pc.fill_null(found, len(_WORDS)))
    ]
    given = pc.sum(pc.and_(pc.is_valid(spelt), pc.not_equal(pc.fill_null(spelt, ""), "")))
    return codes, int(given.as_py() or 0) - int((codes != _NONE).sum())


def _flat(lists: pd.Series[Any]) -> Iterable[tuple[pa.Array, pa.Array]]:
    """Rows and values of a column of lists, a chunk at a time: one of the whole Hub is large."""
    dtype = FIELDS["tags"].pandas_dtype
    column = lists if lists.dtype == dtype else lists.astype(dtype)
    before = 0
    for chunk in pa.chunked_array(pa.array(column)).chunks:
        rows = pc.add(pc.cast(pc.list_parent_indices(chunk), pa.int64()), before)
        yield rows, chunk.flatten()
        before += len(chunk)


def _most_exact(
    base: Codes, child: Codes, width: int, words: Codes, exact: Mask
) -> tuple[Codes | None, int | None, int]:
    """For each pair keep the most exact statements.

    Returns
    -------
    kept : numpy.ndarray or None
        Places of the statements kept, in the order of their pairs; None where all are equally
        exact, and repeats are all that the graph will drop.
    duplicates : int or None
        Statements that repeat another of the same exactness; None where `kept` is.
    disagreeing : int
        Pairs to which the less exact place gives a relation that the exact one does not.
    """
    if exact.all() and (words != _NONE).all():
        return None, None, 0
    order = pair_order(base, child, width)
    base, child = base[order], child[order]
    alone = first_of_run(base) | first_of_run(child)
    alone[:-1] &= alone[1:]
    # Most pairs are stated once. The few others lie side by side and stay where they lie.
    several = np.flatnonzero(~alone)
    some = order[several]
    within, drop, duplicates, disagreeing = _most_exact_of(
        pair_keys(base[several], child[several], width), words[some], exact[some]
    )
    order[several] = some[within]
    kept = np.ones(len(order), dtype=bool)
    kept[several[drop]] = False
    return order[kept], duplicates, disagreeing


def _most_exact_of(pair: Codes, words: Codes, exact: Mask) -> tuple[Codes, Mask, int, int]:
    """Do so for pairs stated several times; returns their order and, in it, who goes."""
    order = np.argsort((pair * (_NONE + 1) + words) * 2 + ~exact, kind="stable")
    pair, words, exact = pair[order], words[order], exact[order]
    new = first_of_run(pair)
    same = ~new & ~first_of_run(words)
    repeat = same & ~first_of_run(exact)
    group = np.cumsum(new) - 1
    said = words != _NONE

    def any_of(flag: Mask) -> Mask:
        found = np.zeros(int(new.sum()), dtype=bool)
        found[group[flag]] = True
        flags: Mask = found[group]
        return flags

    by_tag = any_of(said & exact)
    drop = same | (by_tag & ~(said & exact)) | (any_of(said) & ~said)
    contradicts = by_tag & said & ~exact & ~same
    pairs = np.bincount(group[contradicts]) if contradicts.any() else np.zeros(0)
    return order, drop, int(repeat.sum()), int((pairs > 0).sum())


# ------------------------------------------------------------------------------------ names


@dataclass(frozen=True)
class _Names:
    """One id a repository, whatever it was called."""

    texts: tuple[pa.Array, ...]
    of_unique: Codes
    renamed: int
    other_case: int
    each_its_own: bool = False

    def take(self, codes: Codes) -> pa.Array:
        """Texts of some codes, which must rise."""
        parts, before = [], 0
        for texts in self.texts:
            first, last = np.searchsorted(codes, [before, before + len(texts)])
            parts.append(texts.take(pa.array(codes[first:last] - before)))
            before += len(texts)
        return pa.concat_arrays(parts)

    def node_of(self, codes: Codes) -> Codes:
        """Node of each raw code; -1 stays."""
        if self.each_its_own:
            return codes
        return np.append(self.of_unique, -1)[codes]

    @classmethod
    def resolve(
        cls,
        uniques: pa.Array,
        mentioned: Codes,
        rows: Codes,
        families: Families,
    ) -> _Names:
        """Choose one spelling for each repository from how often it is named and where it is."""
        trimmed = _trimmed(uniques)
        texts = _whole(with_new_names(trimmed, families))
        renamed = _changed(texts, trimmed)
        del trimmed
        return cls._of((texts,), perhaps_shared(case_keys(texts)), mentioned, rows, renamed)

    @classmethod
    def of_rows(
        cls,
        ids: pa.Array,
        others: pa.Array,
        child: Codes,
        base: Codes,
        families: Families,
        known: Known | None,
    ) -> _Names:
        """Do the same for the ids of all rows and the few texts that stand beside them."""
        trimmed = ids if known is not None and known.plain else _trimmed(ids)
        if known is None or trimmed is not ids:
            names = _whole(with_new_names(trimmed, families))
            keys = case_keys(names)
            twice = perhaps_shared(keys)
        else:
            names, keys, twice = known.names, known.keys, known.twice
        renamed = _changed(names, trimmed)
        other = _trimmed(others)
        more = _whole(with_new_names(other, families))
        renamed += _changed(more, other)
        more_keys = case_keys(more)
        # The many are looked at once: whoever stands twice among them is known already.
        met = pc.index_in(pa.array(keys), value_set=pa.array(np.unique(more_keys)))
        met = np.flatnonzero(met.is_valid().to_numpy(zero_copy_only=False))
        some = np.union1d(twice, met)
        some = np.concatenate([some, len(keys) + np.arange(len(more))])
        shared = some[perhaps_shared(np.concatenate([keys[some[some < len(keys)]], more_keys]))]
        rows = np.arange(len(ids), dtype=np.int32)
        return cls._of((names, more), shared, np.concatenate([child, base]), rows, renamed)

    @classmethod
    def _of(
        cls,
        texts: tuple[pa.Array, ...],
        shared: Codes,
        mentioned: Codes,
        rows: Codes,
        renamed: int,
    ) -> _Names:
        count_of_texts = sum(map(len, texts))
        of_unique = np.arange(count_of_texts, dtype=np.int32)
        other = 0
        found = cls(texts, of_unique, renamed, other)
        if len(shared):
            # Few: one text may stand here twice, under a former name or with a blank.
            some = found.take(shared)
            key = as_codes(pc.utf8_lower(some).dictionary_encode().indices)
            spelt = some.dictionary_encode()
            spelling, count = as_codes(spelt.indices), len(spelt.dictionary)
            named = np.bincount(mentioned[mentioned >= 0], minlength=count_of_texts)[shared]
            there = np.bincount(rows[rows >= 0], minlength=count_of_texts)[shared]
            mentions = np.bincount(spelling, named, minlength=count)[spelling]
            present = np.bincount(spelling, there, minlength=count)[spelling] > 0
            alphabet = np.argsort(text_order(spelt.dictionary))[spelling]
            order = np.lexsort((alphabet, -mentions, ~present, key))
            first = order[first_of_run(key[order])]
            best = np.empty(len(first), dtype=np.int32)
            best[key[first]] = shared[first]
            of_unique[shared] = best[key]
            other = count - len(first)
        before, some_empty = 0, False
        for part in texts:
            empty = pc.index(part, "").as_py()
            if empty >= 0:
                of_unique[of_unique == of_unique[before + empty]] = -1
                some_empty = True
            before += len(part)
        return cls(texts, of_unique, renamed, other, not len(shared) and not some_empty)


def _changed(new: pa.Array, old: pa.Array) -> int:
    return 0 if new is old else int(pc.sum(pc.not_equal(new, old)).as_py() or 0)


def _trimmed(texts: pa.Array) -> pa.Array:
    """Leave out white space at the ends; the same object where there is none."""
    trimmed = pc.utf8_trim_whitespace(texts)
    return texts if trimmed.equals(texts) else trimmed


def _whole(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


_HERE: Final = threading.local()


def _hashing() -> duckdb.DuckDBPyConnection:
    """Return this thread's connection: opening one takes longer than most tables do."""
    if getattr(_HERE, "process", None) != os.getpid():
        # In a fork the threads of the one before are gone, and closing it would wait for them.
        _HERE.before = getattr(_HERE, "connection", None)
        _HERE.connection, _HERE.process = duckdb.connect(), os.getpid()
    connection: duckdb.DuckDBPyConnection = _HERE.connection
    return connection


def case_keys(texts: pa.Array) -> npt.NDArray[np.uint64]:
    """Give each text a number that is the same for texts that differ by letter case alone.

    Two others share one hardly ever, and whoever finds two looks at the letters.
    """
    parts = [np.zeros(0, dtype=np.uint64)]
    connection = _hashing()
    for begin in range(0, len(texts), _SLICE):
        lower = pa.table({"text": pc.utf8_lower(texts.slice(begin, _SLICE))})
        connection.register("slice", lower)
        found = connection.execute("SELECT hash(text) AS k FROM slice").fetchnumpy()["k"]
        parts.append(np.asarray(found, dtype=np.uint64))
        connection.unregister("slice")
    keys: npt.NDArray[np.uint64] = np.concatenate(parts)
    return keys


def perhaps_shared(keys: npt.NDArray[np.uint64]) -> Codes:
    """Places of the keys that stand twice or more, in rising order."""
    ordered = np.sort(keys)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(again):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.isin(keys, np.unique(again)))


def _chunked(parts: list[Any]) -> pa.ChunkedArray:
    chunks = [c for p in parts for c in (p.chunks if isinstance(p, pa.ChunkedArray) else [p])]
    return pa.chunked_array(chunks, pa.string())
