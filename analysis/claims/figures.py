"""What one snapshot says of a claim: one function a figure, from a snapshot to an outcome.

A :class:`Subject` is one snapshot of many repositories, reduced (:mod:`analysis.snapshot.whole`),
with its day. Whether it is *complete*, that is holds every public model repository of its day,
decides what may be said of what it lacks: a complete one lacks nothing that existed, of any other
one nothing bounds the rest. No counter is carried over from another day and no burst is put back:
one day shows neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import pandas as pd

from analysis.claims import register as register_module
from analysis.claims.outcome import Outcome, percents_span
from analysis.claims.settings import Populations
from analysis.claims.world import LLAMA, QWEN
from analysis.errors import InputError
from analysis.measure import (
    arrivals,
    breadth,
    derivatives,
    licensed,
    releases,
    shares,
    sightings,
    sizes,
    stock,
    terms,
)
from analysis.measure.shares import Total
from analysis.snapshot import families as families_module
from analysis.snapshot import whole as whole_module
from analysis.snapshot.graph import RELATIONS, Graph

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.float64]

Spec = Mapping[str, register_module.Choice]
_T = TypeVar("_T")
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class Subject:
    """One snapshot, with what the questions need.

    Attributes
    ----------
    whole
        The snapshot, reduced.
    day
        Its day.
    complete
        Whether it holds every public model repository of that day.
    families, populations
        The registers.
    list_name, listed
        The tracked list that holds on the day, and its repositories by canonical id.
    rules
        Rule files of ``data/`` by name, parsed.
    head_name, head
        Name and counters of a complete list of the most downloaded of the day: what a snapshot
        that is not complete lacks has at most its own entry there, or the last one. Empty where
        there is none.
    """

    whole: whole_module.Whole
    day: date
    complete: bool
    families: families_module.Families
    populations: Populations
    list_name: str
    listed: frozenset[str]
    rules: Mapping[str, Any]
    head_name: str = ""
    head: Mapping[str, float] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what `make` gives, worked out once."""
        if key not in self._made:
            self._made[key] = make()
        value: _T = self._made[key]
        return value

    @property
    def named(self) -> pd.DataFrame:
        """Rows of the repositories that matter by name, by id."""
        return self.once(
            "named", lambda: self.whole.named.set_index("repository_id", drop=False).sort_index()
        )

    def column(self, name: str) -> pd.Series:
        """Return a column of the named rows; InputError where the snapshot has none."""
        if name not in self.named.columns or self.named[name].isna().all():
            raise InputError(f"the snapshot holds no {name}")
        return self.named[name]

    def family(self, rule: str) -> pd.Series:
        """Family of each named repository by a rule, null for none."""

        def make() -> pd.Series:
            ids = pd.Series(self.named.index, index=self.named.index, dtype="string")
            return _plain(families_module.assign(ids, self.families, rule))

        return self.once(f"family {rule}", make)

    def members(self, family: str, rule: str) -> frozenset[str]:
        """Return the repositories of a family that the snapshot holds."""
        own = self.family(rule)
        return frozenset(own.index[(own == family).fillna(False).to_numpy(dtype=bool)])

    def makers(self) -> pd.Series:
        """Maker of each named repository, null for none."""

        def make() -> pd.Series:
            ids = pd.Series(self.named.index, index=self.named.index, dtype="string")
            return _plain(families_module.makers(ids, self.families))

        return self.once("makers", make)

    def total(self, ids: Iterable[str], measure: str) -> Total:
        """Sum a counter over repositories, with what those that have none may add.

        One that a complete snapshot lacks adds nothing. One that another lacks, and one whose
        counter cannot be used, adds up to what the list of the most downloaded allows, and any
        number without such a list.
        """
        counters = self.counters(measure)
        value, open_ = 0.0, []
        for one in sorted(set(ids)):
            read = counters.get(one)
            if read is None:
                # Not there at all: a complete snapshot says that it did not exist.
                if not self.complete:
                    open_.append(one)
            elif math.isnan(read):
                open_.append(one)
            else:
                value += read
        if not open_:
            return Total(value, value, value)
        if not self.head or measure != "downloads_30d":
            return Total(value, value, math.inf)
        last = min(self.head.values())
        return Total(value, value, value + sum(self.head.get(one, last) for one in open_))

    def everything(self, measure: str) -> Total:
        """Sum a counter over all repositories of the Hub."""
        value = float(self.whole.sums[measure])
        sure = self.complete and not self.whole.unread[measure]
        return Total(value, value, value if sure else math.inf)

    def read(self, ids: Iterable[str], measure: str) -> int:
        """Count the repositories whose counter was read."""
        counters = self.counters(measure)
        return sum(not math.isnan(counters.get(one, math.nan)) for one in set(ids))

    def counters(self, measure: str) -> dict[str, float]:
        """Counter of each named repository, NaN where it could not be used."""

        def make() -> dict[str, float]:
            values = self.column(measure).to_numpy(dtype="float64", na_value=math.nan)
            return dict(zip(map(str, self.named.index), values.tolist(), strict=True))

        return self.once(f"counters {measure}", make)


def _plain(values: pd.Series) -> pd.Series:
    """Return texts as plain objects, None where there is none."""
    plain = values.astype("object")
    return plain.where(values.notna(), None)


def _minus(one: Total, part: Total) -> Total:
    """Return what is left of a total without a part of it."""
    rest = max(one.value - part.value, 0.0)
    upper = math.inf if math.isinf(one.upper) else max(one.upper - part.lower, 0.0)
    return Total(rest, rest, upper)


def _outcome(
    found: tuple[float, float, float],
    subject: Subject,
    covered: int,
    population: int,
    note: str = "",
    /,
    **extra: float | str,
) -> Outcome:
    """Make an outcome whose interval is forced: nothing here is assumed."""
    value, lower, upper = found
    return Outcome(
        None if math.isnan(value) else value,
        lower,
        upper,
        lower,
        upper,
        covered,
        population,
        note=note,
        extra={"day": subject.day.isoformat(), **extra},
    )


# -------------------------------------------------------------------------------- downloads


def _population(subject: Subject, name: str, rule: str) -> frozenset[str]:
    """Return the repositories of a population that is a list, under a reading of 'family'."""
    entry = subject.populations.find(name)
    base, makers = set(subject.listed), None
    owner = families_module.makers(pd.Series(sorted(base), dtype="string"), subject.families)
    of = dict(zip(sorted(base), _plain(owner), strict=True))
    if entry.kind == "makers":
        makers = set(entry.makers)
        base = {name for name in base if of[name] in makers}
    if rule != "official":
        on_list = makers if makers is not None else {m for m in of.values() if isinstance(m, str)}
        whose = {f: one.maker for f, one in subject.families.families.items()}
        own = subject.family(rule)
        wanted = {family for family, maker in whose.items() if maker in on_list}
        base |= set(own.index[own.isin(wanted).to_numpy(dtype=bool)])
    return frozenset(base)


def share(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Share of Qwen's 30-day downloads in a population."""
    name, rule, measure = str(spec["population"]), str(spec["family_rule"]), "downloads_30d"
    kind = subject.populations.find(name)
    mine = subject.members(QWEN, rule)
    if kind.kind in ("makers", "tracked"):
        members = _population(subject, name, rule)
        own = frozenset(_own(subject, members, rule))
        part = subject.total(own, measure)
        rest = subject.total(members - own, measure)
        return _outcome(
            shares.fraction(part, rest),
            subject,
            subject.read(members, measure),
            len(members),
            f"of {subject.list_name}",
            downloads=part.value,
        )
    if kind.kind == "tasks":
        tasks = subject.whole.tasks
        chosen = tasks[tasks["pipeline_tag"].isin(kind.tasks).fillna(False)]
        count = int(chosen["repositories"].sum())
        if not count:
            raise InputError("the snapshot holds no tasks (pipeline_tag)")
        tags = subject.column("pipeline_tag")
        mine = mine & frozenset(tags.index[tags.isin(kind.tasks).fillna(False)])
        value = float(chosen[measure].sum())
        sure = subject.complete and not subject.whole.unread[measure]
        every = Total(value, value, value if sure else math.inf)
    else:
        count, every = subject.whole.repositories, subject.everything(measure)
    part = subject.total(mine, measure)
    value, lower, upper = shares.fraction(part, _minus(every, part))
    note = ""
    if not subject.complete:
        # It may lack Qwen's repositories as well as others'.
        lower, upper = 0.0, 1.0
        note = "inside the snapshot: of a population that nobody lists a part says nothing"
    return _outcome(
        (value, lower, upper),
        subject,
        count,
        count if subject.complete else 0,
        note,
        downloads=part.value,
    )


def _own(subject: Subject, members: Iterable[str], rule: str) -> list[str]:
    """Return Qwen's among some repositories, also those that the snapshot lacks."""
    ids = pd.Series(sorted(members), dtype="string")
    own = families_module.assign(ids, subject.families, rule)
    return list(ids[(own == QWEN).fillna(False).to_numpy(dtype=bool)].astype("str"))


def total(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Sum the downloads of Qwen, by either counter."""
    measure, rule = str(spec["measure"]), str(spec["family_rule"])
    if spec["population"] == "tracked":
        ids = frozenset(_own(subject, subject.listed, rule))
        note = f"of {subject.list_name}"
    else:
        ids = subject.members(QWEN, rule)
        note = "" if subject.complete else "nothing bounds what the snapshot lacks of the family"
    found = subject.total(ids, measure)
    upper = found.upper
    if spec["population"] != "tracked" and not subject.complete:
        upper = math.inf
    return _outcome(
        (found.value, found.lower, upper), subject, subject.read(ids, measure), len(ids), note
    )


def next_eight(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Qwen's 30-day downloads against the next eight together."""
    rivals, rule, measure = str(spec["rivals"]), str(spec["family_rule"]), "downloads_30d"
    own_maker = subject.families.families[QWEN].maker
    if rivals == "largest-publishers":
        tags = subject.column("pipeline_tag")
        kind = subject.populations.find("text-and-vision")
        if not subject.complete:
            raise InputError("the largest publishers of the Hub are told by a complete snapshot")
        by = subject.whole.organisations.set_index("organisation")[measure].astype("float64")
        mine = subject.members(QWEN, rule)
        mine = mine & frozenset(tags.index[tags.isin(kind.tasks).fillna(False)])
        part = subject.total(mine, measure)
        others = by.drop(index=[n for n in _organisations(subject, own_maker) if n in by.index])
        eight = others.nlargest(8)
        rest = Total(*3 * (float(eight.sum()),))
        return _outcome(
            shares.ratio(part, rest),
            subject,
            subject.whole.repositories,
            subject.whole.repositories,
            "publishers by all their repositories, Qwen by those of text and vision",
            eight=", ".join(map(str, eight.index)),
        )
    population = "named-makers" if rivals == "named-makers" else "tracked"
    members = _population(subject, population, rule)
    mine = frozenset(_own(subject, members, rule))
    rest_ids = pd.Series(sorted(members - mine), dtype="string")
    maker = _plain(families_module.makers(rest_ids, subject.families))
    groups: dict[str, list[str]] = {}
    for name, own in zip(rest_ids.astype("str"), maker, strict=True):
        if own == own_maker:
            continue
        key = own if isinstance(own, str) else name.split("/", 1)[0]
        groups.setdefault(name if rivals == "single-models" else key, []).append(name)
    sums = {key: subject.total(ids, measure) for key, ids in sorted(groups.items())}
    table = pd.DataFrame(
        [(t.value, t.lower, t.upper) for t in sums.values()], index=list(sums), dtype="float64"
    )
    rest = Total(*(float(table[column].nlargest(8).sum()) for column in table.columns))
    read = subject.read(set(members), measure)
    return _outcome(
        shares.ratio(subject.total(mine, measure), rest),
        subject,
        read,
        len(members),
        f"of {subject.list_name}",
        eight=", ".join(map(str, table[0].nlargest(8).index)),
    )


def _organisations(subject: Subject, maker: str) -> list[str]:
    return [one.organisation for one in subject.families.makers[maker].organisations]


def passes(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Qwen's downloads as a multiple of Llama's."""
    measure, rule = str(spec["measure"]), str(spec["family_rule"])
    mine, theirs = subject.members(QWEN, rule), subject.members(LLAMA, rule)
    one, two = subject.total(mine, measure), subject.total(theirs, measure)
    note = ""
    if not subject.complete:
        one, two = (Total(t.value, t.lower, math.inf) for t in (one, two))
        note = "nothing bounds what the snapshot lacks of either family"
    return _outcome(
        shares.ratio(one, two),
        subject,
        subject.read(mine | theirs, measure),
        len(mine | theirs),
        note,
        qwen=one.value,
        llama=two.value,
    )


# ------------------------------------------------------------------------------ derivatives


def _graph(subject: Subject) -> Graph:
    if subject.whole.lineage is None:
        raise InputError("the snapshot declares no bases")
    return subject.whole.lineage.graph


#: The families that a claim on derivatives names.
_COMPARED: Final = (QWEN, LLAMA, "deepseek")


def _stocks(subject: Subject, spec: Spec) -> dict[str, stock.Stock]:
    graph = _graph(subject)
    minimum = int(str(spec["minimum"]))
    asked = stock.Asked(
        **{name: str(value) for name, value in spec.items() if name != "minimum"}, minimum=minimum
    )

    def counters() -> pd.Series:
        read = subject.whole.downloads >= 0
        ids = graph.ids.filter(_arrow(read)).to_pandas()
        return pd.Series(subject.whole.downloads[read], index=ids.to_numpy())

    downloads = subject.once("downloads of nodes", counters) if minimum else None
    return subject.once(
        ("stocks", asked),
        lambda: stock.of_relations(graph, subject.families, asked, downloads, _COMPARED),
    )


def _arrow(mask: Mask) -> Any:
    import pyarrow as pa

    return pa.array(mask)


def derivatives_total(subject: Subject, spec: Spec, line: float) -> Outcome:
    """How many derivatives Qwen has."""
    got = _stocks(subject, spec)[QWEN]
    upper = got.upper if subject.complete else math.inf
    note = "" if subject.complete else "the whole Hub has at least as many"
    return _outcome(
        (got.value, got.lower, upper), subject, subject.whole.repositories, 0, note, bases=got.bases
    )


def derivatives_ratio(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Set derivatives of Qwen against those of Llama."""
    found = _stocks(subject, spec)
    one, two = (
        Total(found[name].value, found[name].lower, found[name].upper) for name in (QWEN, LLAMA)
    )
    note = ""
    value, lower, upper = shares.ratio(one, two)
    if not subject.complete:
        lower, upper = 0.0, math.inf
        note = "inside the snapshot: of the whole Hub a part says nothing"
    return _outcome(
        (value, lower, upper), subject, subject.whole.repositories, 0, note,
        qwen=one.value, llama=two.value, deepseek=found["deepseek"].value,
    )  # fmt: skip


def related(subject: Subject, spec: Spec, line: float) -> Outcome:
    """How many repositories are Qwen's own, or are built on one of them: a number from below."""
    by = str(spec["related_by"])
    # The family's own are counted by their names, its derivatives without them: none is twice.
    rule = derivatives.Rule(count="transitive" if by == "descent" else "direct", own=by == "base")
    graph = _graph(subject)
    counted = derivatives.count(graph, subject.families, rule, wanted=(QWEN,))
    found = counted.families[QWEN].derivatives
    own = 0 if by == "base" else len(subject.members(QWEN, "official"))
    value = float(found + own)
    return _outcome(
        (value, value, math.inf),
        subject,
        subject.whole.repositories,
        0,
        "a name or a tag alone is not counted, so there are at least as many",
    )


def new_share(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Share of the new repositories with a declared base that are built on Qwen."""
    graph, days = _graph(subject), int(str(spec["days"]))
    last = (subject.day - _EPOCH).days
    created = subject.whole.created
    new = (created > last - days) & (created <= last)
    pairs = subject.once("pairs", lambda: _pairs(graph))
    base, child = pairs
    own = subject.once(
        ("bases", spec["base"]), lambda: _bases_of(subject, graph, str(spec["base"]))
    )
    bases = np.bincount(child, minlength=graph.nodes).astype("float64")
    mine = np.bincount(child, own[base], minlength=graph.nodes)
    weight = np.minimum(mine, 1.0)
    if spec["merges"] == "parts":
        weight = mine / np.maximum(bases, 1.0)
    keep = new & (bases > 0)
    if spec["denominator"] == "trained":
        keep &= _declares(graph, ("finetune", "adapter"))
    if spec["copies"] == "out":
        keep &= ~_declares(graph, ("quantized",))
    places = np.flatnonzero(keep)
    if not len(places):
        raise InputError(f"no repository that declares a base was made in the last {days} days")
    part, size = float(weight[places].sum()), float(len(places))
    if spec["counted"] == "author":
        # One without an author stands for itself.
        code = graph.organisations[places].astype(np.int64)
        alone = code < 0
        code[alone] = len(graph.organisation_names) + np.arange(int(alone.sum()))
        _, code = np.unique(code, return_inverse=True)
        each = np.bincount(code, weight[places]) / np.bincount(code)
        part, size = float(each.sum()), float(len(each))
    value = part / size
    found = (value, value, value) if subject.complete else (value, 0.0, 1.0)
    note = "" if subject.complete else "inside the snapshot: of all new work a part says nothing"
    return _outcome(found, subject, len(places), len(places), note, qwen=part, whole=size)


def _pairs(graph: Graph) -> tuple[Any, Any]:
    """Return the ends of each relation, those of several words once."""
    again = np.zeros(len(graph.base), dtype=bool)
    again[1:] = (graph.base[1:] == graph.base[:-1]) & (graph.child[1:] == graph.child[:-1])
    return graph.base[~again], graph.child[~again]


def _declares(graph: Graph, words: Iterable[str]) -> Mask:
    codes = [RELATIONS.index(word) for word in words]
    marked = np.zeros(graph.nodes, dtype=bool)
    marked[graph.child[np.isin(graph.relation, codes)]] = True
    return marked


def _bases_of(subject: Subject, graph: Graph, reading: str) -> Numbers:
    """Return 1 for each node that is a base of Qwen's by one reading."""
    is_base = np.diff(graph.starts) > 0
    places = np.flatnonzero(is_base)
    ids = pd.Series(graph.ids.filter(_arrow(is_base)).to_pandas(), dtype="string")
    found = arrivals.members(ids, subject.families, QWEN, reading, subject.rules["arrivals"])
    out = np.zeros(graph.nodes)
    out[places[ids.isin(found).to_numpy(dtype=bool)]] = 1.0
    return out


# ------------------------------------------------------------------- licences, releases, sizes


def _since(subject: Subject, ids: Iterable[str], first: date | None) -> list[str]:
    """Keep the repositories created on a day or later; those without a day are left out."""
    names = sorted(ids)
    if first is None:
        return names
    made = subject.column("created_at").reindex(names)
    late = (made >= pd.Timestamp(first, tz="UTC")).fillna(False).to_numpy(dtype=bool)
    return [name for name, one in zip(names, late, strict=True) if one]


_YEARS: Final = {"all": None, "2025": date(2025, 1, 1)}


def _licences(subject: Subject) -> pd.DataFrame:
    """Licence of each named repository, with its group by id and name, and by id alone."""

    def make() -> pd.DataFrame:
        subject.column("licence")
        table = licensed.known(
            licensed.readings({"snapshot": subject.named}, {"snapshot": subject.day}), subject.day
        )
        rules = subject.rules["licences"]
        return table.assign(
            read=licensed.groups(table, rules, by_name=True),
            ids=licensed.groups(table, rules, by_name=False),
        )

    return subject.once("licences", make)


def licence(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Share of Qwen under Apache 2.0, of repositories or of downloads."""
    table = _licences(subject)
    ids = [i for i in _since(subject, subject.members(QWEN, "official"),
                             _YEARS[str(spec["created"])]) if i in table.index]  # fmt: skip
    if spec["copies"] == "out":
        rules: releases.Rules = subject.rules["releases"]
        words = rules.words("quantised")
        ids = [i for i in ids if not words.search(i.partition("/")[2])]
    if not ids:
        raise InputError("the snapshot holds no repository of these")
    group = table.loc[ids, str(spec["names"])]
    kinds = licensed.kinds(subject.rules["licences"])
    open_kinds = {licensed.UNDECLARED} | ({"unnamed"} if spec["names"] == "read" else set())
    kind = group.map(kinds)
    apache = frozenset(kind.index[(kind == "apache").to_numpy(dtype=bool)])
    open_ = frozenset(kind.index[kind.isin(open_kinds).to_numpy(dtype=bool)])
    rest = frozenset(ids) - apache - open_
    if spec["weight"] == "repositories":
        one, two, either = (Total(*3 * (float(len(s)),)) for s in (apache, rest, open_))
    else:
        measure = str(spec["weight"])
        one, two, either = (subject.total(s, measure) for s in (apache, rest, open_))
    found = (
        shares.fraction(one, two)[0],
        shares.fraction(one, two + either)[1],
        shares.fraction(one + either, two)[2],
    )
    return _part(found, subject, len(ids) - len(open_), len(ids), unknown=len(open_))


def _part(
    found: tuple[float, float, float], subject: Subject, covered: int, size: int, **extra: float
) -> Outcome:
    """Make an outcome about a family of which a snapshot that is not complete sees a part."""
    if subject.complete:
        return _outcome(found, subject, covered, size, **extra)
    value, lower, upper = found
    note = (
        f"inside the snapshot {percents_span(lower, upper)}; nothing bounds what it lacks of them"
    )
    return _outcome((value, 0.0, 1.0), subject, covered, 0, note, **dict(extra))


def licence_cost(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Share of the repositories of Chinese makers whose licence costs nothing."""
    maker = subject.makers()
    chinese = {m for m, one in subject.families.makers.items() if one.region == "china"}
    table = _licences(subject)
    ids = [
        i
        for i in _since(
            subject,
            maker.index[maker.isin(chinese).to_numpy(dtype=bool)],
            _YEARS[str(spec["created"])],
        )
        if i in table.index
    ]
    if not ids:
        raise InputError("the snapshot holds no repository of a Chinese maker of the register")
    rows, rules = table.loc[ids], subject.rules["terms"]
    of = terms.classes(rows["name"], rows["declared"], rows["read"], rules)
    answer = terms.answers(of, str(spec["free"]), rules)
    weights = pd.Series(1.0, index=answer.index)
    if spec["weight"] != "repositories":
        weights = subject.column(str(spec["weight"])).reindex(ids).astype("float64")
    found = terms.share(answer, weights)
    return _part(found, subject, int((answer != terms.OPEN).sum()), len(ids),
                 makers=int(maker.reindex(ids).nunique()))  # fmt: skip


def velocity(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Qwen's rate of new repositories, models or releases over Llama's."""
    rules: releases.Rules = subject.rules["releases"]

    def make() -> pd.DataFrame:
        made = subject.column("created_at").dropna()
        created = {str(i): stamp.date() for i, stamp in made.items() if stamp.date() <= subject.day}
        own = subject.family("official").dropna()
        return releases.members(created, {str(i): str(f) for i, f in own.items()}, rules)

    rows = subject.once("dated", make)
    events: list[list[int]] = []
    spans: list[releases.Span] = []
    for family in (QWEN, LLAMA):
        mine = rows[rows["family"] == family]
        if mine.empty:
            raise InputError(f"the snapshot dates no repository of the family {family!r}")
        span = releases.window(
            rules, str(spec["window"]), int(mine["day"].min()), subject.day.toordinal()
        )
        days = releases.events(
            mine, str(spec["unit_counted"]), spec["copies"] == "in", rules.cluster.days
        )
        events.append(span.within(days))
        spans.append(span)
    got = releases.ratio(events[0], spans[0], events[1], spans[1], rules.interval)
    ends, note = (got.lower, got.upper), "interval of sampling"
    if not subject.complete:
        ends, note = (0.0, math.inf), "both counts are from below, so their ratio may be anything"
    return _outcome(
        (got.value, *ends), subject, len(rows), len(rows), note,
        qwen=len(events[0]), llama=len(events[1]),
    )  # fmt: skip


def kinds(subject: Subject, spec: Spec, line: float) -> Outcome:
    """How many of the kinds that the article names Qwen covers."""
    rule, rules = str(spec["family_rule"]), subject.rules["breadth"]
    ids = sorted(subject.members(QWEN, rule))
    if spec["since"] == "last-12-months":
        own = _since(subject, ids, subject.day - timedelta(days=365))
    else:
        own = ids
    base = breadth.pretrained((i.partition("/")[2] for i in ids), rules, subject.rules["releases"])
    tags = subject.column("pipeline_tag").reindex(own)
    frame = pd.DataFrame({"repository_id": own, "pipeline_tag": tags.to_numpy()})
    marked = breadth.kinds(frame.astype({"pipeline_tag": "string"}), rules, base)
    found = set(breadth.told(marked, str(spec["told_by"]))["kind"])
    value = float(sum(kind in found for kind in rules.named))
    upper = value if subject.complete else float(len(rules.named))
    without = [rules.titles[kind] for kind in rules.named if kind not in found]
    return _outcome(
        (value, value, upper), subject, len(own), len(own) if subject.complete else 0,
        not_seen=", ".join(without) or "none",
    )  # fmt: skip


def hardware(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Share of Qwen's downloads, or models, that fits a card."""
    rules: sizes.Hardware = subject.rules["hardware"]
    population = str(spec["population"])
    rule = "with-reuploads" if population == "with-reuploads" else "official"
    ids = subject.members(QWEN, rule)
    if population == "since-2025":
        ids = frozenset(_since(subject, ids, date(2025, 1, 1)))

    def make() -> pd.DataFrame:
        known = subject.column("parameters_total").dropna()
        headers = {str(i): float(n) for i, n in known.items()}
        nobody = pd.DataFrame(
            columns=["repository_id", "parameters_total_b", "parameters_active_b"]
        )
        return sizes.sizes(sorted(subject.members(QWEN, rule)), headers, nobody, rules)

    table = subject.once(("sizes", rule), make).loc[sorted(ids)]
    if table.empty:
        raise InputError("the snapshot holds no repository of these")
    answer = sizes.fits(table, rules.find_card(str(spec["card"])), str(spec["bits"]), rules)
    if spec["weight"] == "models":
        answer = answer.groupby(table["model"]).max()
        counts = [int(n) for n in (answer.fillna(False).sum(), (~answer.fillna(True)).sum())]
        one, two = (Total(*3 * (float(n),)) for n in counts)
        either = Total(*3 * (float(answer.isna().sum()),))
        size, unknown = len(answer), int(answer.isna().sum())
    else:
        yes = frozenset(answer.index[answer.fillna(False).to_numpy(dtype=bool)])
        no = frozenset(answer.index[(~answer.fillna(True)).to_numpy(dtype=bool)])
        one, two, either = (
            subject.total(s, "downloads_30d") for s in (yes, no, frozenset(ids) - yes - no)
        )
        size, unknown = len(ids), len(ids) - len(yes) - len(no)
    found = (
        shares.fraction(one, two)[0],
        shares.fraction(one, two + either)[1],
        shares.fraction(one + either, two)[2],
    )
    return _part(found, subject, size - unknown, size, unknown=unknown)


def sighted(subject: Subject, spec: Spec, line: float) -> Outcome:
    """Month in which the first repository of the awaited model was made, if there is one."""
    rules: sightings.SightingRules = subject.rules["sightings"]
    look = next(one for one in rules.look if one.kind == "hub-snapshot")
    names, _ = sightings.official(subject.named.reset_index(drop=True), look)
    hits = sorted(
        name
        for name in set(names)
        if sightings.counts(name, rules, announced=spec["announced"] == "in")
    )
    extra: dict[str, float | str] = {"day": subject.day.isoformat(), "seen": ", ".join(hits)[:200]}
    if not hits:
        note = f"not there on {subject.day.isoformat()}"
        note += "" if subject.complete else ", as far as the snapshot goes"
        return Outcome(None, note=note, extra=extra, pending=note)
    made = subject.column("created_at").reindex(hits).dropna()
    if made.empty:
        return Outcome(None, note="seen, and the day of creation is not given", extra=extra)
    month = min(stamp.strftime("%Y-%m") for stamp in made)
    return Outcome(month, note=f"{hits[0]}", extra={**extra, "first": month, "last": month})


Figure = Callable[[Subject, Spec, float], Outcome]

#: Name of a figure in ``data/rerun.toml`` to the function that works it out.
FIGURES: Final[Mapping[str, Figure]] = {
    "share": share,
    "total": total,
    "next_eight": next_eight,
    "passes": passes,
    "derivatives": derivatives_total,
    "derivatives_ratio": derivatives_ratio,
    "related": related,
    "new_share": new_share,
    "licence": licence,
    "licence_cost": licence_cost,
    "velocity": velocity,
    "breadth": kinds,
    "hardware": hardware,
    "sighted": sighted,
}
