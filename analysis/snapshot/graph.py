"""Declared relations as a graph of arrays: who descends from whom, in time linear in the relations.

Made by :mod:`analysis.snapshot.lineage`, which cleans what a table states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from analysis.snapshot import families as families_module

if TYPE_CHECKING:
    import numpy.typing as npt

    Codes = npt.NDArray[np.integer[Any]]
    Mask = npt.NDArray[np.bool_]
    Labels = npt.NDArray[np.uint64]

_T = TypeVar("_T")

#: Relations that a derivative may declare.
RELATIONS: Final = ("finetune", "adapter", "quantized", "merge")

#: What stands for a relation that nobody stated, where a word is needed.
UNDECLARED: Final = "undeclared"

_NONE: Final = len(RELATIONS)

#: Below this width a step through the graph costs less in plain Python than in numpy: long chains
#: are then as linear as wide levels.
_NARROW: Final = 48
_WIDE: Final = 256


@dataclass(frozen=True, eq=False)
class Graph:
    """Declared relations as arrays: nodes are codes, edges lie in the order of their base.

    Attributes
    ----------
    ids
        Id of each node.
    organisations
        Organisation of each node as a code into `organisation_names`; -1 for none.
    organisation_names
        Names of those codes.
    base, child, relation
        Ends and relation of each edge (an index into :data:`RELATIONS`, or their number for
        undeclared), ordered by base, child and relation.
    order
        Places of the edges in the order in which the table first stated them.
    starts
        Where the edges of each base begin; one longer than `ids`.
    """

    ids: pa.Array
    organisations: Codes
    organisation_names: tuple[str, ...]
    base: Codes
    child: Codes
    relation: Codes
    order: Codes
    starts: Codes
    _made: dict[tuple[int, str], tuple[object, Any]] = field(
        default_factory=dict, init=False, repr=False
    )

    @classmethod
    def build(
        cls,
        ids: pa.Array,
        base: Codes,
        child: Codes,
        relation: Codes,
        first: Codes | None = None,
        organisations: tuple[Codes, tuple[str, ...]] | None = None,
    ) -> Graph:
        """Order the edges; drop self-loops and repeats; keep only nodes that have an edge.

        Parameters
        ----------
        ids
            Id of each code.
        base, child, relation
            The edges, in any order.
        first
            A number, another one for each edge, by which they are ordered when they are shown;
            their places when left out.
        organisations
            Organisation of each code, if all have an edge and it is at hand.
        """
        first = np.arange(len(base), dtype=np.int32) if first is None else first
        used = np.zeros(len(ids), dtype=bool)
        real = base != child
        if not real.all():
            base, child, relation, first = base[real], child[real], relation[real], first[real]
        used[base] = True
        used[child] = True
        count = int(used.sum())
        if count < len(ids):
            organisations = None
            code = np.cumsum(used, dtype=np.int32) - 1
            base, child, ids = code[base], code[child], ids.filter(pa.array(used))
        key = pair_keys(base, child, count) * (_NONE + 1) + relation
        if (key[1:] >= key[:-1]).all():
            by_key: Codes = np.arange(len(key))
        else:
            by_key = pair_order(base, child, count)
            ordered = key[by_key]
            if not (ordered[1:] >= ordered[:-1]).all():
                by_key = np.argsort(key)
        runs = np.flatnonzero(first_of_run(key[by_key]))
        del key
        if len(runs):
            first = np.minimum.reduceat(first[by_key], runs)
        keep = by_key[runs]
        base, child, relation = base[keep], child[keep], relation[keep]
        order = np.full(int(first.max(initial=-1)) + 1, -1, dtype=np.int32)
        order[first] = np.arange(len(first), dtype=np.int32)
        if organisations is None:
            codes, texts = organisation_codes(ids)
            organisations = codes, tuple(texts.to_pylist())
        return cls(
            ids=ids,
            organisations=organisations[0],
            organisation_names=organisations[1],
            base=base,
            child=child,
            relation=relation,
            order=order[order >= 0],
            starts=_starts(base, count),
        )

    def __len__(self) -> int:
        """Count the edges."""
        return len(self.base)

    @property
    def nodes(self) -> int:
        """Number of repositories with a relation."""
        return len(self.ids)

    def pairs(self, places: Codes) -> Codes:
        """Give a number to the pair of base and child of some edges, the same for the same pair."""
        return pair_keys(self.base[places], self.child[places], self.nodes)

    def relations(self) -> pd.DataFrame:
        """Return the edges as a table: repository, base and relation, one row each."""
        words = pa.array([*RELATIONS, None], type=pa.string())
        columns = {
            "repository_id": self.ids.take(pa.array(self.child[self.order])),
            "base_id": self.ids.take(pa.array(self.base[self.order])),
            "base_relation": words.take(pa.array(self.relation[self.order])),
        }
        return pd.DataFrame({name: _series(values) for name, values in columns.items()})

    def codes(self, ids: pd.Series[Any], families: families_module.Families | None = None) -> Codes:
        """Find repositories by id, without regard to case; -1 for one that has no relation.

        With `families`, ids of renamed organisations are found under the new name.
        """
        texts = arrow_texts(ids)
        if families is not None:
            texts = with_new_names(texts, families)
        found = pc.index_in(pc.utf8_lower(texts), value_set=pc.utf8_lower(self.ids))
        return as_codes(pc.fill_null(found, -1))

    def families(
        self,
        families: families_module.Families,
        rule: str = "official",
        *,
        tracked: pd.Series[Any] | pd.DataFrame | None = None,
    ) -> Codes:
        """Give each node its family as a place in the register, or -1.

        See :func:`analysis.snapshot.families.assign` for the rules.
        """
        if tracked is not None:
            return self._families(families, rule, tracked)
        return self.once(families, rule, lambda: _fixed(self._families(families, rule, None)))

    def _families(
        self,
        families: families_module.Families,
        rule: str,
        tracked: pd.Series[Any] | pd.DataFrame | None,
    ) -> Codes:
        register = known_organisations(families)
        known = [name in register for name in self.organisation_names]
        likely = np.flatnonzero(np.asarray([*known, False])[self.organisations])
        texts = _series(self.ids.take(pa.array(likely)))
        assigned = families_module.assign(texts, families, rule, tracked=tracked)
        place = {name: i for i, name in enumerate(families.families)}
        out = np.full(self.nodes, -1, dtype=np.int32)
        out[likely] = [place.get(name, -1) for name in assigned.fillna("")]
        return out

    def once(self, of: object, name: str, make: Callable[[], _T]) -> _T:
        """Return what `make` gives, worked out once for this graph and one register or table."""
        # Neither can be a key; it is kept beside the result, so that its id stays its own.
        key = (id(of), name)
        if key not in self._made:
            self._made[key] = (of, make())
        value: _T = self._made[key][1]
        return value

    @cached_property
    def _upwards(self) -> tuple[Codes, Codes]:
        """The edges in the order of their child: where each begins, and their bases."""
        order = stable_order(self.child, self.nodes)
        return _starts(self.child[order], self.nodes), self.base[order]

    def only(self, chosen: Mask) -> Graph:
        """Return the graph of the same nodes with a part of the edges.

        Parameters
        ----------
        chosen
            A flag an edge.
        """
        place = np.cumsum(chosen) - 1
        order = self.order[chosen[self.order]]
        return replace(
            self,
            base=self.base[chosen],
            child=self.child[chosen],
            relation=self.relation[chosen],
            order=place[order],
            starts=_starts(self.base[chosen], self.nodes),
        )

    def descendants(self, members: Mask) -> Mask:
        """Flag the nodes that declare a member, or a descendant of one, as a base.

        A member is flagged only when it declares one as well. Cycles and diamonds change nothing:
        the answer is plain reachability in one step or more.
        """
        return _reach(self.starts, self.child, members)

    def ancestors(self, nodes: Mask) -> Mask:
        """Flag what one of `nodes` declares as a base, directly or through others."""
        return _reach(*self._upwards, nodes)

    def spread_down(self, labels: Labels) -> Labels:
        """Give each node the labels of all from which it descends, besides its own.

        Parameters
        ----------
        labels
            A set a node, as the bits of a number: up to 64 questions are answered at once.
        """
        return _spread(self.starts, self.child, labels)

    def spread_up(self, labels: Labels) -> Labels:
        """Give each node the labels of all that descend from it, besides its own."""
        return _spread(*self._upwards, labels)

    def edges_from(self, bases: Mask) -> Codes:
        """Places of the edges whose base is one of `bases`."""
        return _gather(self.starts, np.flatnonzero(bases))

    def cycles(self) -> list[list[str]]:
        """List the groups of repositories that all descend from each other."""
        groups = cyclic_groups(self.starts, self.child, self.base)
        return sorted(sorted(self.ids.take(pa.array(group)).to_pylist()) for group in groups)

    def with_copies_resolved(self, families: families_module.Families) -> tuple[Graph, Mask]:
        """Take a re-upload of a base for the base itself.

        A copy (a repository that the rule ``with-reuploads`` gives to a family and ``official``
        does not) that declares an official repository of the family, directly or through other
        copies of it, is that repository under another name: what derives from the copy derives
        from it, and the copy's own declaration is dropped. Of several the one whose id comes
        first is taken. A copy that declares none of them keeps its relations.

        Returns
        -------
        graph : Graph
            The graph with those copies gone.
        copies : numpy.ndarray
            A flag a node of the new graph: a copy that could not be traced to an official
            repository.
        """
        return self.once(families, "copies resolved", lambda: self._copies_resolved(families))

    def _copies_resolved(self, families: families_module.Families) -> tuple[Graph, Mask]:
        official = self.families(families, "official")
        wide = self.families(families, "with-reuploads")
        copy = (official < 0) & (wide >= 0)
        target = np.full(self.nodes, -1, dtype=np.int64)
        target[official >= 0] = np.flatnonzero(official >= 0)
        inside = copy[self.child] & (wide[self.child] == wide[self.base])
        base, child = self.base[inside], self.child[inside]
        # Places of the few targets in the order of their ids, so that the choice among several
        # does not hang on the order of the rows.
        near = np.unique(base[official[base] >= 0])
        ranked = near[text_order(self.ids.take(pa.array(near)))]
        rank = np.full(self.nodes, len(ranked), dtype=np.int64)
        rank[ranked] = np.arange(len(ranked))
        while len(base):
            ready = (target[base] >= 0) & (target[child] < 0)
            if not ready.any():
                break
            best = np.full(self.nodes, len(ranked), dtype=np.int64)
            np.minimum.at(best, child[ready], rank[target[base[ready]]])
            now = np.unique(child[ready])
            target[now] = ranked[best[now]]
            left = target[child] < 0
            base, child = base[left], child[left]
        traced = copy & (target >= 0)
        keep = ~traced[self.child]
        place = np.arange(self.nodes, dtype=np.int64)
        place[traced] = target[traced]
        position = np.empty(len(self), dtype=np.int64)
        position[self.order] = np.arange(len(self))
        graph = Graph.build(
            self.ids,
            place[self.base[keep]],
            self.child[keep],
            self.relation[keep],
            position[keep],
        )
        copies = (graph.families(families, "official") < 0) & (
            graph.families(families, "with-reuploads") >= 0
        )
        return graph, _fixed(copies)


def with_new_names(
    texts: pa.Array | pa.ChunkedArray, families: families_module.Families
) -> pa.Array | pa.ChunkedArray:
    """Give ids of renamed organisations the new name; only those few become Python objects."""
    old = None
    for entry in families.renamed:
        hit = pc.starts_with(texts, f"{entry.old}/")
        old = hit if old is None else pc.or_(old, hit)
    if old is None or not pc.any(old).as_py():
        return texts
    some = _series(texts.filter(old))
    new = pa.array(families_module.canonical(some, families), type=pa.string())
    return pc.replace_with_mask(_whole(texts), _whole(pc.fill_null(old, False)), _whole(new))


def organisation_codes(ids: pa.Array) -> tuple[Codes, pa.Array]:
    """Code the organisation of each id; -1 for a name without one."""
    parts = pc.split_pattern(ids, "/", max_splits=1)
    first = pc.list_element(parts, 0) if len(ids) else pa.array([], pa.string())
    alone = pc.or_(pc.equal(pc.list_value_length(parts), 1), pc.equal(first, ""))
    named = pc.if_else(alone, pa.scalar(None, pa.string()), first)
    encoded = _whole(named).dictionary_encode()
    return as_codes(pc.fill_null(encoded.indices, -1)), encoded.dictionary


def known_organisations(families: families_module.Families) -> set[str]:
    """Organisations that can matter to any rule of the register."""
    return {
        *(place.organisation for f in families.families.values() for place in f.organisations),
        *(place.organisation for m in families.makers.values() for place in m.organisations),
        *(entry.organisation for entry in families.copies.reuploaders),
    }


# ------------------------------------------------------------------------------- steps in arrays


def first_of_run(values: Codes | Mask) -> Mask:
    """Flag the entries that differ from the one before."""
    first = np.ones(len(values), dtype=bool)
    first[1:] = values[1:] != values[:-1]
    return first


def _fixed(values: Codes | Mask) -> Any:
    """Forbid changes to an array that several share."""
    values.flags.writeable = False
    return values


def stable_order(codes: Codes, count: int) -> Codes:
    """Order codes below `count`, equals as they stand; linear, where a sort of numpy is not."""
    rows = np.arange(len(codes) + 1, dtype=np.int32)
    table = sparse.csr_array((rows[:-1], codes, rows), shape=(len(codes), max(count, 1)))
    order: Codes = table.tocsc().data
    return order


def pair_order(base: Codes, child: Codes, count: int) -> Codes:
    """Order pairs by base and child, equals as they stand."""
    if (child[1:] >= child[:-1]).all():
        return stable_order(base, count)
    first = stable_order(child, count)
    return first[stable_order(base[first], count)]


def _starts(ordered: Codes, count: int) -> Codes:
    """Where the entries of each node begin in an ordered array."""
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(ordered, minlength=count), out=starts[1:])
    return starts


def _gather(starts: Codes, nodes: Codes) -> Codes:
    """Places of all entries of the nodes."""
    begin = starts[nodes]
    length = starts[nodes + 1] - begin
    shift = np.cumsum(length) - length
    return np.repeat(begin - shift, length) + np.arange(int(length.sum()), dtype=np.int64)


def _once(nodes: Codes, slot: Codes) -> Codes:
    """Each node once, without sorting; `slot` is room for a number a node."""
    place = np.arange(len(nodes), dtype=np.int64)
    slot[nodes] = place
    once: Codes = nodes[slot[nodes] == place]
    return once


def _reach(starts: Codes, targets: Codes, sources: Mask) -> Mask:
    """Nodes reached from the sources in one step or more; each edge is looked at once."""
    reached = np.zeros(len(sources), dtype=bool)
    seen = np.asarray(sources, dtype=bool).copy()
    frontier: Codes = np.flatnonzero(seen)
    slot = np.empty(len(sources), dtype=np.int64)
    begin, target = starts.data, np.ascontiguousarray(targets).data
    hit, known = reached.view(np.uint8).data, seen.view(np.uint8).data
    while len(frontier):
        if len(frontier) >= _NARROW:
            found = targets[_gather(starts, frontier)]
            reached[found] = True
            frontier = _once(found[~seen[found]], slot)
            seen[frontier] = True
            continue
        stack = frontier.tolist()
        wide = []
        while stack and len(stack) < _WIDE:
            node = stack.pop()
            first, last = begin[node], begin[node + 1]
            if last - first > _WIDE:
                wide.append(node)
                continue
            for place in range(first, last):
                other = target[place]
                hit[other] = 1
                if not known[other]:
                    known[other] = 1
                    stack.append(other)
        if wide:
            found = targets[_gather(starts, np.asarray(wide, dtype=np.int64))]
            reached[found] = True
            more = _once(found[~seen[found]], slot)
            seen[more] = True
            frontier = np.concatenate([np.asarray(stack, dtype=np.int64), more])
        else:
            frontier = np.asarray(stack, dtype=np.int64)
    return reached


def _spread(starts: Codes, targets: Codes, labels: Labels) -> Labels:
    """Hand labels on along the edges until nothing is new."""
    held = labels.copy()
    frontier: Codes = np.flatnonzero(held)
    slot = np.empty(len(held), dtype=np.int64)
    while len(frontier):
        if len(frontier) >= _NARROW:
            length = starts[frontier + 1] - starts[frontier]
            found = targets[_gather(starts, frontier)]
            brought = np.repeat(held[frontier], length)
            new = (brought & ~held[found]) != 0
            found = found[new]
            np.bitwise_or.at(held, found, brought[new])
            frontier = _once(found, slot)
            continue
        stack = frontier.tolist()
        while stack and len(stack) < _WIDE:
            node = stack.pop()
            own = held[node]
            others = targets[starts[node] : starts[node + 1]]
            if len(others) == 1:
                other = others[0]
                if own & ~held[other]:
                    held[other] |= own
                    stack.append(other)
            elif len(others):
                others = others[(own & ~held[others]) != 0]
                held[others] |= own
                stack += np.unique(others).tolist()
        frontier = _once(np.asarray(stack, dtype=np.int64), slot)
    return held


def _peeled(starts: Codes, targets: Codes, degree: Codes, gone: Mask) -> None:
    """Mark as gone what has no way in, then what has none after that, and so on."""
    left = degree.copy()
    frontier: Codes = np.flatnonzero((left == 0) & ~gone)
    gone[frontier] = True
    slot = np.empty(len(degree), dtype=np.int64)
    begin, target = starts.data, np.ascontiguousarray(targets).data
    ways, off = left.data, gone.view(np.uint8).data
    while len(frontier):
        if len(frontier) >= _NARROW:
            found = targets[_gather(starts, frontier)]
            np.subtract.at(left, found, 1)
            frontier = _once(found[(left[found] == 0) & ~gone[found]], slot)
            gone[frontier] = True
            continue
        stack = frontier.tolist()
        while stack and len(stack) < _WIDE:
            node = stack.pop()
            for place in range(begin[node], begin[node + 1]):
                other = target[place]
                ways[other] -= 1
                if ways[other] == 0 and not off[other]:
                    off[other] = 1
                    stack.append(other)
        frontier = np.asarray(stack, dtype=np.int64)


def cyclic_groups(starts: Codes, child: Codes, base: Codes) -> list[list[int]]:
    """Find the groups of two nodes or more that all reach each other.

    What no cycle leads to, and what leads to none, is peeled off in linear time; the core that
    stays is small in real data, and Tarjan's algorithm goes through it once.
    """
    count = len(starts) - 1
    gone = np.zeros(count, dtype=bool)
    _peeled(starts, child, np.bincount(child, minlength=count), gone)
    inner = ~gone[base] & ~gone[child]
    order = np.argsort(child[inner], kind="stable")
    up, down = base[inner][order], child[inner][order]
    _peeled(_starts(down, count), up, np.bincount(up, minlength=count), gone)
    inner = ~gone[base] & ~gone[child]
    core: dict[int, list[int]] = {}
    for parent, derivative in zip(base[inner].tolist(), child[inner].tolist(), strict=True):
        core.setdefault(parent, []).append(derivative)
    return [group for group in _tarjan(core) if len(group) > 1]


def _tarjan(core: dict[int, list[int]]) -> list[list[int]]:
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    held: set[int] = set()
    groups: list[list[int]] = []
    for root in core:
        if root in number:
            continue
        work = [(root, iter(core[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        held.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    held.add(other)
                    work.append((other, iter(core.get(other, ()))))
                    break
                if other in held:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == number[node]:
                    group = []
                    while True:
                        member = stack.pop()
                        held.discard(member)
                        group.append(member)
                        if member == node:
                            break
                    groups.append(group)
    return groups


# -------------------------------------------------------------------------- between the libraries


def _whole(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def arrow_texts(values: pd.Series[Any]) -> pa.ChunkedArray:
    """Return a column of text as Arrow holds it."""
    column = values if isinstance(values.dtype, pd.StringDtype) else values.astype("string")
    texts = pa.array(column, type=pa.string())
    return texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])


def _series(values: pa.Array | pa.ChunkedArray) -> pd.Series[Any]:
    series: pd.Series[Any] = values.to_pandas(types_mapper={pa.string(): pd.StringDtype()}.get)
    return series.rename(None)


def as_codes(values: pa.Array | pa.ChunkedArray) -> Codes:
    """Return Arrow numbers without nulls as an array of 32 bits: a code a repository."""
    flat = _whole(values).to_numpy(zero_copy_only=False)
    codes: Codes = flat.astype(np.int32, copy=False)
    return codes


def pair_keys(base: Codes, child: Codes, count: int) -> Codes:
    """Give each pair of codes below `count` a number; the product needs 64 bits."""
    key: Codes = base.astype(np.int64) * max(count, 1) + child
    return key


def text_order(texts: pa.Array) -> Codes:
    """Return the places of some texts in the order of the alphabet."""
    return as_codes(pc.sort_indices(texts))
