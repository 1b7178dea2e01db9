"""How many derivatives one source shows of each family: the same question to every kind of source.

Sources differ in what they hold. A table of counts or of roots has one number a base; an edge
list, a snapshot of the Hub or its tree have declared relations. Both are asked the same question
(:class:`Asked`) and answer with the same interval (:class:`Stock`), so that a check need not know
which kind it looks at. A question that a source cannot answer is refused, not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from analysis.errors import InputError
from analysis.measure import bulk as bulk_module
from analysis.measure import concentration, derivatives
from analysis.snapshot import families as families_module
from analysis.snapshot import lineage
from analysis.snapshot.graph import Graph

COUNTS: Final = ("direct", "transitive")
RELATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "all": derivatives.WORDS,
    "no-quantised": tuple(word for word in derivatives.WORDS if word != "quantized"),
    "finetunes": ("finetune",),
    "adapters": ("adapter",),
}
BULK: Final = ("in", "level", "out")
OWN: Final = ("in", "out")
REUPLOADS: Final = ("as-declared", "resolved")
MERGES: Final = ("whole", "fractional")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted as a derivative.

    Attributes
    ----------
    count
        Only those that name a base of the family, or also what descends from them.
    relation
        One of :data:`RELATIONS`.
    bulk
        Bases that the rule names a bulk upload: counted as they are, put back to their own level
        before the wave, or left out with all their derivatives.
    minimum
        Downloads that a derivative must have.
    own
        Whether the maker's own derivatives count.
    reuploads
        Whether a copy of a base by a re-uploader stands for the base.
    merges
        Whether a repository of several bases counts once for each family, or in parts.
    family_rule
        Which repositories are the family's.
    """

    count: str = "direct"
    relation: str = "all"
    bulk: str = "in"
    minimum: int = 0
    own: str = "in"
    reuploads: str = "as-declared"
    merges: str = "whole"
    family_rule: str = "official"


@dataclass(frozen=True, slots=True)
class Stock:
    """Derivatives of one family as a source shows them, inside that source.

    Attributes
    ----------
    value
        The number as the source gives it.
    lower, upper
        What it says of distinct repositories: a sum over bases may count one twice; a counter may
        be unknown.
    hard_lower, hard_upper
        The same without any measure of how often a sum counts twice: at least the largest base.
    bases
        Bases of the family with at least one derivative.
    left_out
        Bases of the family that the bulk rule set aside or put back.
    """

    value: float
    lower: float
    upper: float
    hard_lower: float
    hard_upper: float
    bases: int
    left_out: int = 0


def counted_until(frame: pd.DataFrame) -> pd.Series:
    """Return the moment to which a table of counts by month goes, by base.

    Parameters
    ----------
    frame
        ``repository_id``, ``created_at`` and ``month`` (whole months after the release).
    """
    last = frame.dropna(subset=["created_at"]).groupby("repository_id", sort=True)
    table = last.agg(created=("created_at", "first"), month=("month", "max"))
    return months_after(table["created"], table["month"])


def months_after(created: pd.Series, months: pd.Series) -> pd.Series:
    """Return the moments so many calendar months after a release, on the same index."""
    ends = [
        start + pd.DateOffset(months=int(number))
        for start, number in zip(created, months, strict=True)
    ]
    return pd.Series(pd.to_datetime(ends, utc=True), index=created.index)


def gained_between(counts: pd.DataFrame, first: pd.Timestamp, after: pd.Timestamp) -> pd.Series:
    """Return what each base gained in a span of days, each gain spread evenly over its own days.

    Parameters
    ----------
    counts
        ``repository_id``, ``created_at``, ``month`` (since the release) and cumulative
        ``derivatives``.
    first, after
        The span: its first moment, and the first after it.
    """
    created = counts.dropna(subset=["created_at"]).groupby("repository_id")["created_at"].first()
    table = bulk_module.gains(counts[counts["repository_id"].isin(created.index)])
    before = table.groupby("repository_id")["month"].shift().fillna(0)
    start = table["repository_id"].map(created)
    begins, ends = months_after(start, before), months_after(start, table["month"])
    low, high = begins.where(begins > first, first), ends.where(ends < after, after)
    inside = (high - low).dt.total_seconds().clip(lower=0)
    length = (ends - begins).dt.total_seconds()
    # The first count, on the day of the release, has no length.
    part = (inside / length.where(length > 0)).fillna(0.0)
    found: pd.Series = (table["gained"] * part).groupby(table["repository_id"], sort=True).sum()
    return found


def of_later_bases(
    frame: pd.DataFrame, families: families_module.Families, rule: str, after: pd.Timestamp
) -> dict[str, float]:
    """Return the derivatives of bases made after a moment, by family, summed over bases.

    Parameters
    ----------
    frame
        ``repository_id``, ``created_at`` and ``derivatives``.
    families
        The register.
    rule
        Which repositories are the family's.
    after
        What was counted until then has none of them.
    """
    own = frame[(frame["created_at"] > after).fillna(False)]
    family = families_module.assign(own["repository_id"], families, rule)
    by = own["derivatives"].astype("float64").groupby(family.astype("object")).sum()
    return {str(name): float(value) for name, value in by.items()}


def has_relations(frame: pd.DataFrame) -> bool:
    """Whether a table declares bases; otherwise it has one number a base."""
    return "derivatives" not in frame.columns


def unanswered(frame: pd.DataFrame, asked: Asked) -> str | None:
    """Name the part of a question that a table with one number a base cannot answer."""
    cannot = {
        "count": asked.count == "transitive",
        "relation": asked.relation != "all",
        "minimum": asked.minimum > 0,
        "own": asked.own != "in",
        "reuploads": asked.reuploads != "as-declared",
        "merges": asked.merges != "whole",
        "bulk": asked.bulk == "level" and "month" not in frame.columns,
    }
    return next((name for name, no in cannot.items() if no), None)


def of_bases(
    frame: pd.DataFrame,
    families: families_module.Families,
    asked: Asked,
    waves: pd.DataFrame,
    several: Mapping[str, float],
) -> dict[str, Stock]:
    """Answer from a table with a number a base.

    Parameters
    ----------
    frame
        ``repository_id`` (the base), ``derivatives`` and, in counts by month, ``month``.
    families
        The register.
    asked
        The question.
    waves
        The bases that have waves, as :func:`analysis.measure.bulk.bases` gives them.
    several
        By family: how many bases of it a derivative names at most on average.

    Returns
    -------
    dict
        Family to its stock; families without a base in the table are absent: it may simply not
        look at them.

    Raises
    ------
    InputError
        The table cannot answer: it does not tell relations, makers or downloads of derivatives.
    """
    if (name := unanswered(frame, asked)) is not None:
        raise InputError(
            f"{name} = {getattr(asked, name)!r}: a table with one number a base cannot answer "
            "that; declare it impossible"
        )
    counts = concentration.totals(frame)
    named = waves[waves["bulk"]].set_index("repository_id")["excess"]
    held = named.index.intersection(counts.index)
    amount = counts.astype("float64")
    if asked.bulk == "level":
        amount.loc[held] -= named.loc[held]
    elif asked.bulk == "out":
        amount = amount.drop(index=held)
    ids = pd.Series(counts.index, index=counts.index, dtype="string")
    family = families_module.assign(ids, families, asked.family_rule)
    out = {}
    for name in families.families:
        members = family.index[(family == name).fillna(False)]
        own = amount.loc[amount.index.intersection(members)]
        if len(members) == 0:
            continue
        total = float(own.sum())
        largest = float(own.max()) if len(own) else 0.0
        out[name] = Stock(
            total,
            max(largest, total / max(1.0, several.get(name, 1.0))),
            total,
            largest,
            total,
            int((own > 0).sum()),
            0 if asked.bulk == "in" else len(held.intersection(members)),
        )
    return out


def graph_of(
    frame: pd.DataFrame,
    families: families_module.Families,
    without: frozenset[str] = frozenset(),
) -> Graph:
    """Read declared relations, leaving out those that name one of some bases."""
    graph = lineage.of(frame, families).graph
    if not without:
        return graph
    relations = graph.relations()
    kept = relations[~relations["base_id"].isin(without)]
    return lineage.of(kept, families).graph


def of_relations(
    graph: Graph,
    families: families_module.Families,
    asked: Asked,
    downloads: pd.Series | None = None,
    wanted: Iterable[str] | None = None,
) -> dict[str, Stock]:
    """Answer from declared relations.

    Parameters
    ----------
    graph
        Relations of the source, without the bulk bases where the question leaves them out.
    families
        The register.
    asked
        The question; ``bulk`` is not looked at.
    downloads
        Counter by repository, for a minimum; without one every counter is unknown.
    wanted
        Only these families; all of the register when left out.

    Returns
    -------
    dict
        Every family asked for, also those without a derivative.
    """
    if asked.bulk == "level":
        raise InputError(
            "bulk = 'level': a list of relations has no months to take a level from; declare it "
            "impossible"
        )
    rule = derivatives.Rule(
        count=asked.count,  # type: ignore[arg-type]
        relations=_known(asked),
        own=asked.own == "in",
        minimum_downloads=asked.minimum,
        merges=asked.merges,  # type: ignore[arg-type]
        resolve_copies=asked.reuploads == "resolved",
        family_rule=asked.family_rule,
    )
    found = derivatives.count(graph, families, rule, downloads=downloads, wanted=wanted).families
    return {
        name: Stock(g.derivatives, g.lower, g.upper, g.lower, g.upper, g.bases)
        for name, g in found.items()
    }


def _known(asked: Asked) -> tuple[str, ...]:
    if asked.relation not in RELATIONS:
        raise InputError(f"relation {asked.relation!r}; known: {', '.join(RELATIONS)}")
    return RELATIONS[asked.relation]


def several_bases(graph: Graph, families: families_module.Families) -> dict[str, float]:
    """Measure how many bases of a family its direct derivatives name, on average (1 or more)."""
    rule = derivatives.Rule()
    pairs = derivatives.by_base(graph, families, rule).groupby("family")["derivatives"].sum()
    found = derivatives.count(graph, families, rule).families
    return {
        name: max(1.0, float(pairs.get(name, 0)) / group.derivatives)
        for name, group in found.items()
        if group.derivatives
    }


def waves_of(counts: Mapping[str, pd.DataFrame], rule: bulk_module.BulkRule) -> pd.DataFrame:
    """Apply the bulk rule to all tables of counts by month at once."""
    if not counts:
        return bulk_module.bases(
            pd.DataFrame({"repository_id": [], "month": [], "derivatives": []}), rule
        )
    return bulk_module.bases(pd.concat(list(counts.values()), ignore_index=True), rule)
