"""How many repositories derive from a family, by a rule that says what is counted.

What counts as a derivative. Let the members of a family be the repositories that the family rule
gives to it. Counted directly, a derivative is a repository that declares a member as its base.
Counted transitively, it is one that declares a member or a repository that itself descends from
one. Descending is plain reachability along declared relations, so each repository counts once
however many ways lead to it, and cycles end. A member that declares another member (an instruct
model its base model) is a derivative as well, unless the family's own organisations are left out.

Relations chosen. A derivative counts by the relation that it declares itself. The way from the
family to its base may lead through any relation: an adapter on a quantised copy derives from the
family, also when quantised copies are not counted. ``through="chosen"`` asks more: then the whole
way must be of relations chosen.

Merges. A repository with p distinct bases (under the relations chosen), of which q are members or,
counted transitively, descend from one, counts 1 (whole) or q/p (fractional). The fraction looks at
its own declared bases and at no other fraction. Who descends from a member is settled first, as the
smallest set that holds every repository with a base among the members or in the set: it exists and
is the same whatever cycles there are, and q only counts bases in it. Counted directly, the parts of
one repository over all families add to one at most.

One an author. Of each author (the organisation or user of the derivative) the derivative with the
largest weight counts; one without an author stands for itself.

Minimum downloads. A derivative whose counter is unknown may or may not pass: the lower end leaves
it out, the upper end takes it in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.errors import InputError
from analysis.snapshot.graph import RELATIONS, UNDECLARED, Graph, first_of_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from analysis.snapshot.families import Families

    Codes = npt.NDArray[np.integer[Any]]
    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.uint64]

Count = Literal["direct", "transitive"]
Merges = Literal["whole", "fractional"]
Through = Literal["any", "chosen"]

#: Words for relations, with the one for those that state none.
WORDS: Final = (*RELATIONS, UNDECLARED)

#: Groups that are counted at once: the bits of a number.
_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Rule:
    """What is counted as a derivative; see the module for the definitions.

    Attributes
    ----------
    count
        Only those that declare a member, or also those that descend from one.
    relations
        Relations by which a derivative may be one: words of :data:`WORDS`.
    own
        Whether derivatives in the family's own organisations count.
    one_per_author
        Whether all of one author count once.
    minimum_downloads
        Downloads that a derivative must have; 0 asks for none.
    merges
        How a repository of several bases counts.
    resolve_copies
        Whether a re-upload of a base is taken for the base itself: what derives from it then
        derives from the family, and it is no derivative.
    family_rule
        Rule by which repositories are members of a family.
    through
        Whether the way to the family may lead through relations that are not chosen.
    """

    count: Count = "direct"
    relations: tuple[str, ...] = WORDS
    own: bool = True
    one_per_author: bool = False
    minimum_downloads: int = 0
    merges: Merges = "whole"
    resolve_copies: bool = False
    family_rule: str = "official"
    through: Through = "any"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("count", self.count, get_args(Count)),
            ("merges", self.merges, get_args(Merges)),
            ("through", self.through, get_args(Through)),
        ):
            if value not in known:
                raise InputError(f"derivatives: {name} {value!r}; known: {', '.join(known)}")
        odd = [word for word in self.relations if word not in WORDS]
        if odd or not self.relations:
            what = f"no relation {odd[0]!r}" if odd else "no relation is chosen"
            raise InputError(f"derivatives: {what}; known: {', '.join(WORDS)}")
        if self.minimum_downloads < 0:
            raise InputError("derivatives: the minimum of downloads is negative")


@dataclass(frozen=True, slots=True)
class Group:
    """Derivatives of one family, or of one organisation.

    Attributes
    ----------
    derivatives
        Their number: those known to meet the rule. Whole unless merges count in parts.
    lower, upper
        The same, and with those of which the counter of downloads is unknown.
    bases
        Members from which at least one derivative counted in `lower` descends.
    relations
        Derivatives by their own relation to a base within reach. One with several relations
        stands under each; in parts each part stands under its own.
    """

    derivatives: float
    lower: float
    upper: float
    bases: int
    relations: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """Derivatives of every family and of every organisation of the register.

    Attributes
    ----------
    families
        By family id, in the order of the register; all of them, also with none.
    organisations
        By organisation of the base, whatever family its repositories have: those that the
        register names and that are a base here. Own repositories are those of that organisation.
    copies
        Re-uploads that could not be traced to an official repository, where they are resolved.
    """

    families: Mapping[str, Group]
    organisations: Mapping[str, Group]
    copies: int = 0


def count(
    graph: Graph,
    families: Families,
    rule: Rule,
    *,
    downloads: pd.Series[Any] | None = None,
    tracked: pd.Series[Any] | pd.DataFrame | None = None,
    wanted: Iterable[str] | None = None,
) -> Counted:
    """Count the derivatives of every family and organisation under one rule.

    Parameters
    ----------
    graph : Graph
        Declared relations.
    families : Families
        The register.
    rule : Rule
        What is counted.
    downloads : pandas.Series, optional
        Counter by repository id, for a minimum of downloads; of repeated ids the largest counts.
        Without it every counter is unknown.
    tracked : pandas.Series or pandas.DataFrame, optional
        The tracked list, for the family rule of that name.
    wanted : iterable of str, optional
        Only these families, and no organisation: of a graph of the whole Hub each takes time.

    Returns
    -------
    Counted
        Numbers by family and by organisation.
    """
    prepared = Prepared.of(graph, families, rule, downloads=downloads, tracked=tracked)
    graph = prepared.graph
    asked = [
        _Asked(name, place, -1, frozenset(_own(families, name, rule)))
        for place, name in enumerate(families.families)
        if wanted is None or name in wanted
    ]
    count_of_families = len(asked)
    if wanted is None:
        known = _of_register(families)
        bases = np.zeros(len(graph.organisation_names) + 1, dtype=bool)
        bases[graph.organisations[np.diff(graph.starts) > 0]] = True
        asked += [
            _Asked(name, -1, code, frozenset({name}))
            for code, name in enumerate(graph.organisation_names)
            if name in known and bases[code]
        ]
    if rule.merges == "whole" and not rule.one_per_author:
        steps = range(0, len(asked), _BITS)
        groups = [group for step in steps for group in prepared.groups(asked[step : step + _BITS])]
    else:
        groups = _one_by_one(prepared, asked)
    named = [(one.name, group) for one, group in zip(asked, groups, strict=True)]
    return Counted(
        dict(named[:count_of_families]),
        dict(sorted(named[count_of_families:], key=lambda p: (-p[1].derivatives, p[0]))),
        int((prepared.copy_of >= 0).sum()),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A family (its place in the register) or an organisation (its code), -1 for neither."""

    name: str
    family: int
    organisation: int
    own: frozenset[str]


def _one_by_one(prepared: Prepared, asked: list[_Asked]) -> list[Group]:
    # Many a family is all of one organisation: what was counted once is not counted again.
    known: dict[tuple[bytes, bytes, frozenset[str]], Group] = {}
    nobody = np.zeros(prepared.graph.nodes, dtype=bool)
    out = []
    for one in asked:
        if one.family >= 0:
            members, copies = prepared.family == one.family, prepared.copy_of == one.family
        else:
            members, copies = prepared.graph.organisations == one.organisation, nobody
        mine = frozenset() if prepared.rule.own else one.own
        key = (np.packbits(members).tobytes(), np.packbits(copies).tobytes(), mine)
        if key not in known:
            known[key] = prepared.group(members, one.own, copies)
        out.append(known[key])
    return out


def listed(
    graph: Graph,
    families: Families,
    rule: Rule,
    *,
    downloads: pd.Series[Any] | None = None,
    tracked: pd.Series[Any] | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List the derivatives of every family under a rule, one row each.

    Parameters
    ----------
    graph, families, rule, downloads, tracked
        See :func:`count`. ``one_per_author`` is left to the reader of the list: all are listed.

    Returns
    -------
    pandas.DataFrame
        ``family``, ``repository_id``, ``weight`` (1, or its part of a merge), ``known`` (False
        where only the upper end takes it in) and a flag for each relation of :data:`WORDS`;
        ordered by family as in the register, then by id.
    """
    prepared = Prepared.of(graph, families, rule, downloads=downloads, tracked=tracked)
    parts = []
    for place, name in enumerate(families.families):
        edges = prepared.edges(
            prepared.family == place, _own(families, name, rule), prepared.copy_of == place
        )
        child, weight = prepared.weights(edges)
        ids = prepared.graph.ids.take(pa.array(child)).to_pylist()
        part = pd.DataFrame(
            {
                "family": pd.Series([name] * len(ids), dtype="string"),
                "repository_id": pd.Series(ids, dtype="string"),
                "weight": weight,
                "known": prepared.passes[child] == 1,
            }
        )
        for code, word in enumerate(WORDS):
            of_word = prepared.graph.child[edges[prepared.graph.relation[edges] == code]]
            part[word] = np.isin(child, of_word)
        parts.append(part.sort_values("repository_id", kind="stable"))
    return pd.concat(parts, ignore_index=True)


def by_base(
    graph: Graph,
    families: Families,
    rule: Rule,
    *,
    downloads: pd.Series[Any] | None = None,
    tracked: pd.Series[Any] | pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Count the direct derivatives of every member of every family, a row a base.

    Parameters
    ----------
    graph, families, rule, downloads, tracked
        See :func:`count`. What a base has directly is told whatever ``rule.count`` says, each
        derivative counts whole for every base that it declares, and ``one_per_author`` is left
        aside.

    Returns
    -------
    pandas.DataFrame
        ``family``, ``base_id``, ``derivatives`` (known to meet the rule) and ``upper``; largest
        first within a family, bases without any left out.
    """
    prepared = Prepared.of(graph, families, rule, downloads=downloads, tracked=tracked)
    graph = prepared.graph
    parts = []
    for place, name in enumerate(families.families):
        members = prepared.family == place
        edges = prepared.edges(
            members, _own(families, name, rule), prepared.copy_of == place, reach=members
        )
        edges = edges[prepared.first_of_pair[edges]]
        most = np.bincount(graph.base[edges], minlength=graph.nodes)
        sure = edges[prepared.passes[graph.child[edges]] == 1]
        least = np.bincount(graph.base[sure], minlength=graph.nodes)
        base = np.flatnonzero(most)
        ids = graph.ids.take(pa.array(base)).to_pylist()
        part = pd.DataFrame(
            {
                "family": pd.Series([name] * len(ids), dtype="string"),
                "base_id": pd.Series(ids, dtype="string"),
                "derivatives": least[base],
                "upper": most[base],
            }
        )
        order = ["derivatives", "upper", "base_id"]
        parts.append(part.sort_values(order, ascending=[False, False, True], kind="stable"))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A graph with everything that a rule needs, computed once for all groups.

    Attributes
    ----------
    graph
        The relations, with re-uploads resolved where the rule says so.
    ways
        Those of them that a way to a family may lead through.
    rule
        The rule.
    family
        Family of each node as a place in the register, or -1.
    copy_of
        Family of each node that is a re-upload left unresolved, or -1.
    chosen
        A flag an edge: its relation is chosen.
    first_of_pair
        A flag an edge: the first chosen one of its repository and base.
    parents
        Distinct bases of each node under the relations chosen.
    passes
        For each node 1 where it has the downloads asked for, 0 where not, -1 where unknown.
    author
        A code of the author of each node, a code of its own where it has none.
    """

    graph: Graph
    ways: Graph
    rule: Rule
    family: Codes
    copy_of: Codes
    chosen: Mask
    first_of_pair: Mask
    parents: Codes
    passes: Codes
    author: Codes

    @classmethod
    def of(
        cls,
        graph: Graph,
        families: Families,
        rule: Rule,
        *,
        downloads: pd.Series[Any] | None = None,
        tracked: pd.Series[Any] | pd.DataFrame | None = None,
    ) -> Prepared:
        """Compute what the rule needs; see :func:`count`."""
        copies = None
        if rule.resolve_copies:
            graph, copies = graph.with_copies_resolved(families)
        family = graph.families(families, rule.family_rule, tracked=tracked)
        copy_of = np.full(graph.nodes, -1, dtype=np.int32)
        if copies is not None:
            copy_of[copies] = graph.families(families, "with-reuploads")[copies]
            family = np.where((family < 0) & (copy_of >= 0), copy_of, family)
        wanted = np.zeros(len(WORDS), dtype=bool)
        wanted[[WORDS.index(word) for word in rule.relations]] = True
        chosen = wanted[graph.relation]
        first = np.zeros(len(graph), dtype=bool)
        some = np.flatnonzero(chosen)
        first[some] = first_of_run(graph.pairs(some))
        nobody = graph.organisations < 0
        author = graph.organisations.astype(np.int64)
        author[nobody] = len(graph.organisation_names) + np.arange(int(nobody.sum()))
        return cls(
            graph,
            graph.only(chosen) if rule.through == "chosen" else graph,
            rule,
            family,
            copy_of,
            chosen,
            first,
            np.bincount(graph.child[first], minlength=graph.nodes),
            _passing(graph, families, rule, downloads),
            author,
        )

    def edges(
        self,
        members: Mask,
        own: Iterable[str] = (),
        copies: Mask | None = None,
        *,
        reach: Mask | None = None,
    ) -> Codes:
        """Places of the edges by which derivatives of the members count.

        Parameters
        ----------
        members
            A flag a node.
        own
            Organisations whose repositories do not count, where the rule leaves own ones out.
        copies
            A flag a node that is a base under another name, and no derivative.
        reach
            Members with what descends from them; computed by the rule when left out.
        """
        graph, rule = self.graph, self.rule
        if reach is None:
            reach = members
            if rule.count == "transitive":
                reach = members | self.ways.descendants(members)
        edges = graph.edges_from(reach)
        edges = edges[self.chosen[edges]]
        child = graph.child[edges]
        keep = self.passes[child] != 0
        if not rule.own:
            mine = set(own)
            codes = [i for i, name in enumerate(graph.organisation_names) if name in mine]
            keep &= ~np.isin(graph.organisations[child], codes)
        if copies is not None and copies.any():
            keep &= ~copies[child]
        counted: Codes = edges[keep]
        return counted

    def weights(self, edges: Codes) -> tuple[Codes, Numbers]:
        """Find the derivatives of some edges, in the order of their codes, and what each counts."""
        child = self.graph.child[edges]
        found = np.zeros(self.graph.nodes, dtype=bool)
        found[child] = True
        derivative = np.flatnonzero(found)
        if self.rule.merges == "whole":
            return derivative, np.ones(len(derivative))
        # Of one pair with two relations the first counts; a subset of the edges may hold the
        # other alone, so pairs are told apart here and not by the flag for all edges.
        distinct = np.unique(self.graph.pairs(edges), return_index=True)[1]
        within = np.bincount(child[distinct], minlength=self.graph.nodes)
        return derivative, within[derivative] / self.parents[derivative]

    def group(self, members: Mask, own: Iterable[str], copies: Mask | None) -> Group:
        """Count the derivatives of a group of members."""
        if not members.any():
            return Group(0.0, 0.0, 0.0, 0, dict.fromkeys(WORDS, 0.0))
        edges = self.edges(members, own, copies)
        lower, upper = self._ends(edges)
        relation = self.graph.relation[edges]
        by_word = {word: self._ends(edges[relation == code])[0] for code, word in enumerate(WORDS)}
        sure = edges[self.passes[self.graph.child[edges]] == 1]
        return Group(lower, lower, upper, self._bases(members, sure), by_word)

    def groups(self, asked: list[_Asked]) -> list[Group]:
        """Count the derivatives of many groups at once, where each counts whole and for itself.

        A group is a bit in a number a node or edge, so every step is taken for all of them.
        """
        graph, rule = self.graph, self.rule
        bits = np.uint64(1) << np.arange(len(asked), dtype=np.uint64)
        # One place more, for those without a family or an organisation: -1.
        families = max(
            int(self.family.max(initial=-1)),
            int(self.copy_of.max(initial=-1)),
            *(one.family for one in asked),
        )
        of_family = np.zeros(families + 2, dtype=np.uint64)
        of_organisation = np.zeros(len(graph.organisation_names) + 1, dtype=np.uint64)
        own = np.zeros(len(graph.organisation_names) + 1, dtype=np.uint64)
        code = {name: place for place, name in enumerate(graph.organisation_names)}
        for one, bit in zip(asked, bits, strict=True):
            if one.family >= 0:
                of_family[one.family] |= bit
            else:
                of_organisation[one.organisation] |= bit
            for name in one.own & code.keys():
                own[code[name]] |= bit
        members = of_family[self.family] | of_organisation[graph.organisations]
        reach = self.ways.spread_down(members) if rule.count == "transitive" else members
        label = np.repeat(reach, np.diff(graph.starts))
        edges = np.flatnonzero((label != 0) & self.chosen)
        label, child = label[edges], graph.child[edges]
        if not rule.own:
            label &= ~own[graph.organisations[child]]
        if (self.copy_of >= 0).any():
            label &= ~of_family[self.copy_of[child]]
        passes = self.passes[child]
        label[passes == 0] = 0
        sure = np.where(passes == 1, label, np.uint64(0))
        relation = graph.relation[edges]

        def nodes_of(ends: Codes, labels: Labels) -> Labels:
            out = np.zeros(graph.nodes, dtype=np.uint64)
            np.bitwise_or.at(out, ends, labels)
            return out

        lower = _counts(nodes_of(child, sure), bits)
        upper = _counts(nodes_of(child, label), bits)
        by_word = {}
        for place, word in enumerate(WORDS):
            some = relation == place
            by_word[word] = _counts(nodes_of(child[some], sure[some]), bits)
        counted = nodes_of(graph.base[edges], sure)
        if rule.count == "transitive":
            counted = self.ways.spread_up(counted)
        bases = _counts(counted & members, bits)
        return [
            Group(
                float(lower[place]),
                float(lower[place]),
                float(upper[place]),
                int(bases[place]),
                {word: float(found[place]) for word, found in by_word.items()},
            )
            for place in range(len(asked))
        ]

    def _ends(self, edges: Codes) -> tuple[float, float]:
        derivative, weight = self.weights(edges)
        sure = self.passes[derivative] == 1
        if not self.rule.one_per_author:
            return _exact_sum(weight[sure]), _exact_sum(weight)
        author = self.author[derivative]
        return _sum_of_largest(author[sure], weight[sure]), _sum_of_largest(author, weight)

    def _bases(self, members: Mask, edges: Codes) -> int:
        """Count the members from which the derivatives of these edges descend."""
        direct = np.zeros(self.graph.nodes, dtype=bool)
        direct[self.graph.base[edges]] = True
        if self.rule.count == "transitive":
            direct |= self.ways.ancestors(direct)
        return int((direct & members).sum())


def _own(families: Families, family: str, rule: Rule) -> set[str]:
    """Organisations of a family; of its maker, where those make the family."""
    entry = families.families[family]
    if rule.family_rule == "organisation":
        return {place.organisation for place in families.makers[entry.maker].organisations}
    return {place.organisation for place in entry.organisations}


def _of_register(families: Families) -> set[str]:
    """Organisations that the register names."""
    return {
        *(place.organisation for f in families.families.values() for place in f.organisations),
        *(place.organisation for m in families.makers.values() for place in m.organisations),
        *families.others.organisations,
        *(entry.organisation for entry in families.copies.reuploaders),
    }


def _passing(
    graph: Graph, families: Families, rule: Rule, downloads: pd.Series[Any] | None
) -> Codes:
    if not rule.minimum_downloads:
        return np.ones(graph.nodes, dtype=np.int32)
    if downloads is None:
        return np.full(graph.nodes, -1, dtype=np.int32)
    # Many questions ask of the same counters.
    counters = graph.once(downloads, "counters", lambda: _by_node(graph, families, downloads))
    enough = (counters >= rule.minimum_downloads).astype(np.int32)
    return np.where(counters < 0, np.int32(-1), enough)


def _by_node(graph: Graph, families: Families, downloads: pd.Series[Any]) -> Numbers:
    """Return the counter of each node, -1 where none is known; of several the largest."""
    known = downloads.dropna()
    code = graph.codes(pd.Series(known.index, dtype="string"), families)
    counters = np.full(graph.nodes, -1.0)
    there = code >= 0
    np.maximum.at(counters, code[there], known.to_numpy(dtype="float64")[there])
    return counters


def _counts(labels: Labels, bits: Labels) -> Codes:
    """Count how many of the labels hold each bit; only a few combinations of bits occur."""
    code, distinct = pd.factorize(labels[labels != 0])
    times = np.bincount(code, minlength=len(distinct))
    counts: Codes = ((distinct[:, None] & bits) != 0).T @ times
    return counts


def _exact_sum(weight: Numbers) -> float:
    """Add up weights so that the result does not hang on the order of the rows."""
    parts = weight[weight != 1]
    return float(len(weight) - len(parts)) + math.fsum(parts.tolist())


def _sum_of_largest(group: Codes, weight: Numbers) -> float:
    """Sum of the largest weight in each group."""
    if not len(group):
        return 0.0
    order = np.lexsort((-weight, group))
    ordered = group[order]
    return _exact_sum(weight[order][first_of_run(ordered)])
