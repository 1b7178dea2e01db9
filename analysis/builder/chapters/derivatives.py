"""Derived tables on how many derivatives, on how few bases."""

from __future__ import annotations

import math
from typing import Any, Final

import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import derivatives as checks
from analysis.claims.evidence import Evidence
from analysis.claims.world import World
from analysis.measure import bulk, concentration, stock
from analysis.measure.slices import Slice
from analysis.measure.stock import Asked
from analysis.snapshot import families as families_module

#: Families that the tables set side by side, and the source that counts them without a filter.
FAMILIES: Final = ("qwen", "llama", "deepseek", "gemma")
COUNTS: Final = "counts-2025-02"
_ALL: Final = ("derivative-counts", "lineage", "lineage-open", "roots", "hub-stats", "radar")

#: A month in days: the counts give whole months after a release and no days.
_MONTH: Final = 30.4375


def _sources(evidence: Evidence) -> list[Slice]:
    """Return the declared sources that this evidence holds."""
    known = checks.slices_of(evidence).slice
    return [one for one in known if all(name in evidence.frames for name in one.versions)]


def _counts(evidence: Evidence) -> pd.DataFrame:
    return checks.frame_of(evidence, checks.slices_of(evidence).find(COUNTS))


def _titles(evidence: Evidence) -> dict[str, str]:
    return evidence.families.titles


def _family_of(evidence: Evidence, ids: pd.Series) -> pd.Series:
    """Return the title of each id's family; where it has none, what the maker's other work is."""
    found = families_module.assign(ids, evidence.families).map(_titles(evidence))
    maker = families_module.makers(ids, evidence.families)
    titles = {name: entry.title for name, entry in evidence.families.makers.items()}
    rest = "other of " + maker.map(titles).astype("string")
    return found.astype("string").fillna(rest.astype("string"))


def bases(world: World) -> pd.DataFrame:
    """Every base that the counts of February 2025 list, with its number and its wave."""
    evidence = world.evidence
    frame = _counts(evidence)
    totals = concentration.totals(frame)
    ids = pd.Series(totals.index, dtype="string")
    created = frame.groupby("repository_id")["created_at"].first().reindex(totals.index)
    waves = checks.waves(evidence).set_index("repository_id").reindex(totals.index)
    last = frame.groupby("repository_id")["month"].max().reindex(totals.index)
    out = pd.DataFrame(
        {
            "repository_id": ids.to_numpy(),
            "family": _family_of(evidence, ids).to_numpy(),
            "created_on": created.dt.strftime("%Y-%m-%d").to_numpy(),
            "months": last.to_numpy(),
            "derivatives": totals.to_numpy(),
            "bulk": waves["bulk"].fillna(False).astype(bool).to_numpy(),
            "in_waves": waves["waved"].fillna(0).astype("int64").to_numpy(),
            "above_level": waves["excess"].fillna(0).astype("float64").to_numpy(),
        }
    )
    for name in ("first", "last"):
        out[f"wave_{name}"] = [
            "" if pd.isna(month) or pd.isna(start) else _calendar(start, int(month))
            for start, month in zip(created, waves[name], strict=True)
        ]
    return out.sort_values(
        ["derivatives", "repository_id"], ascending=[False, True], kind="stable", ignore_index=True
    )


def _calendar(created: pd.Timestamp, month: int) -> str:
    """Return the calendar month in which the middle of a month after the release lies."""
    middle = created + pd.Timedelta(days=_MONTH * (month - 0.5))
    return str(middle.strftime("%Y-%m"))


def months(world: World) -> pd.DataFrame:
    """Return what each calendar month brought, by family, on bulk bases and on the others."""
    evidence = world.evidence
    frame = _counts(evidence)
    table = bulk.gains(frame)
    created = frame.groupby("repository_id")["created_at"].first()
    table = table[(table["month"] > 0) & table["repository_id"].map(created).notna()]
    ids = pd.Series(table["repository_id"].unique(), dtype="string")
    family = dict(zip(ids, _family_of(evidence, ids), strict=True))
    start = table["repository_id"].map(created)
    middle = start + pd.to_timedelta(_MONTH * (table["month"] - 0.5), unit="D")
    table = table.assign(
        calendar=middle.dt.strftime("%Y-%m"),
        family=table["repository_id"].map(family),
        bulk=table["repository_id"].isin(checks.named(evidence)),
    )
    by = table.groupby(["calendar", "family", "bulk"], sort=True)["gained"].sum().reset_index()
    return by.rename(columns={"calendar": "month", "gained": "derivatives"})


#: Length of the last span, in days.
_SPAN: Final = 31


def last_span(world: World) -> pd.DataFrame:
    """Return what the last days brought of which the counts of every family's base are complete.

    Each gain is spread evenly over the month after the release that it stands for. Bases without a
    family do not set the end.
    """
    evidence = world.evidence
    frame = _counts(evidence)
    until = stock.counted_until(frame)
    ids = pd.Series(until.index, index=until.index, dtype="string")
    family = families_module.assign(ids, evidence.families)
    after = until[family.notna().to_numpy(dtype=bool)].min().normalize()
    first = after - pd.Timedelta(days=_SPAN)
    gained = stock.gained_between(frame, first, after)
    named = checks.named(evidence)
    own = family.reindex(gained.index)
    rows = [
        {
            "first": str(first.date()),
            "last": str((after - pd.Timedelta(days=1)).date()),
            "family": _titles(evidence)[name],
            "bulk": is_bulk,
            "derivatives": float(
                gained[
                    (own == name).fillna(False).to_numpy(dtype=bool)
                    & (gained.index.isin(named) == is_bulk)
                ].sum()
            ),
        }
        for name in FAMILIES
        for is_bulk in (False, True)
    ]
    return pd.DataFrame(rows)


def concentrated(world: World) -> pd.DataFrame:
    """Return how many derivatives hang on how few bases, by source and family."""
    evidence = world.evidence
    parts = []
    for source in _sources(evidence):
        frame = checks.frame_of(evidence, source)
        if stock.has_relations(frame):
            relations = stock.graph_of(frame, evidence.families).relations()
            counts = concentration.of_edges(relations)
        else:
            counts = concentration.totals(frame)
        ids = pd.Series(counts.index, index=counts.index, dtype="string")
        family = families_module.assign(ids, evidence.families)
        family = family[family.isin(FAMILIES)]
        counts = counts.loc[family.index]
        table = concentration.summary(counts, family, checks.named(evidence))
        largest = {name: counts[(family == name).to_numpy(dtype=bool)] for name in table["group"]}
        table["largest"] = [str(largest[name].index[0]) for name in table["group"]]
        table["largest_derivatives"] = [int(largest[name].iloc[0]) for name in table["group"]]
        parts.append(table.assign(source=source.id, title=source.title))
    out = pd.concat(parts, ignore_index=True)
    out["family"] = out["group"].map(_titles(evidence))
    names = ["source", "title", "family", "bases", "derivatives", "gini", "half"]
    names += ["top1", "top3", "top10", "largest", "largest_derivatives"]
    return out[[*names, "left_out", "derivatives_without"]]


def curves(world: World) -> pd.DataFrame:
    """Return what share of a family's derivatives its first bases carry, February 2025."""
    evidence = world.evidence
    counts = concentration.totals(_counts(evidence))
    ids = pd.Series(counts.index, index=counts.index, dtype="string")
    family = families_module.assign(ids, evidence.families)
    named = checks.named(evidence)
    parts = []
    for name in FAMILIES:
        own = counts[(family == name).fillna(False).to_numpy(dtype=bool)]
        table = concentration.from_the_top(own)
        parts.append(
            table.assign(
                family=_titles(evidence)[name],
                bulk=table["repository_id"].isin(named),
                part=table["derivatives"] / float(own.sum()),
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return out[["family", "rank", "repository_id", "derivatives", "part", "share", "bulk"]]


#: What each source is asked for the table of slices: name, words, question.
_QUESTIONS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("direct", "names a base", {}),
    ("transitive", "descends from a base", {"count": "transitive"}),
    ("no-quantised", "without quantised copies", {"relation": "no-quantised"}),
    ("finetunes", "finetunes alone", {"relation": "finetunes"}),
    ("adapters", "adapters alone", {"relation": "adapters"}),
    ("resolved", "copies of a base taken for the base", {"reuploads": "resolved"}),
    (
        "transitive-resolved",
        "descends, copies taken for the base",
        {"count": "transitive", "reuploads": "resolved"},
    ),
    ("without-own", "the maker's own left out", {"own": "out"}),
    ("level", "bulk uploads at their base's level", {"bulk": "level"}),
    ("without-bulk", "bulk uploads left out", {"bulk": "out"}),
    ("maker", "every base of the maker", {"family_rule": "organisation"}),
    ("ten", "fetched ten times", {"minimum": 10}),
    ("hundred", "fetched a hundred times", {"minimum": 100}),
)


def sources(world: World) -> pd.DataFrame:
    """Return what each source counts for each family, by every question that it can answer."""
    evidence = world.evidence
    rows = []
    for source in _sources(evidence):
        for question, words, choices in _QUESTIONS:
            asked = Asked(**choices)
            if not checks.answers(evidence, source, asked):
                continue
            found = checks.stocks(evidence, source, asked)
            for name in FAMILIES:
                if name not in found:
                    continue
                got = found[name]
                rows.append(
                    {
                        "source": source.id,
                        "title": source.title,
                        "day": checks.day_of_slice(evidence, source),
                        "whole": source.whole,
                        "question": question,
                        "words": words,
                        "family": _titles(evidence)[name],
                        "derivatives": got.value,
                        "lower": got.lower,
                        "upper": got.upper,
                        "bounded": source.upper,
                        "hard_lower": got.hard_lower,
                        "hard_upper": got.hard_upper,
                        "bases": got.bases,
                    }
                )
    return pd.DataFrame(rows)


def described(world: World) -> pd.DataFrame:
    """Return the declared sources with what each sees and misses."""
    evidence = world.evidence
    return pd.DataFrame(
        [
            {
                "source": one.id,
                "title": one.title,
                "day": checks.day_of_slice(evidence, one),
                "whole": one.whole,
                "minimum": one.minimum,
                "sees": one.sees,
                "misses": one.misses,
                "reason": one.reason,
            }
            for one in _sources(evidence)
        ]
    )


def settings(world: World) -> pd.DataFrame:
    """Return what the bulk rule names at other settings, and what is left of each family."""
    evidence = world.evidence
    frame = _counts(evidence)
    counts = concentration.totals(frame)
    ids = pd.Series(counts.index, index=counts.index, dtype="string")
    family = families_module.assign(ids, evidence.families)
    rule: bulk.BulkRule = evidence.rule("bulk")
    rows = []
    for constant, setting, moved in bulk.settings(rule):
        named = sorted(bulk.named(frame, moved))
        kept = counts[~counts.index.isin(named)]
        left = {
            name: float(kept[(family[kept.index] == name).fillna(False)].sum()) for name in FAMILIES
        }
        rows.append(
            {
                "constant": constant,
                "setting": setting,
                "named": len(named),
                "bases": ", ".join(named),
                **{name: left[name] for name in FAMILIES},
                "ratio": left["qwen"] / left["llama"] if left["llama"] else math.inf,
            }
        )
    return pd.DataFrame(rows)


#: Minimum downloads of the ladder; the source must have a counter, or have asked for as many.
_STEPS: Final = (0, 1, 10, 100, 1000)


def minimum(world: World) -> pd.DataFrame:
    """Return the derivatives of each family by how often they were fetched in thirty days."""
    evidence = world.evidence
    rows = []
    for source in _sources(evidence):
        steps = _STEPS if source.counter else (source.minimum,) if source.minimum else ()
        for step in steps:
            found = checks.stocks(evidence, source, Asked(minimum=step))
            for name in FAMILIES:
                rows.append(
                    {
                        "source": source.id,
                        "title": source.title,
                        "minimum": step,
                        "family": _titles(evidence)[name],
                        "derivatives": found[name].lower,
                        "upper": found[name].upper,
                    }
                )
    return pd.DataFrame(rows)


#: Largest bases shown beside the bulk ones.
_BESIDE: Final = 8


def seen(world: World) -> pd.DataFrame:
    """Return how many derivatives of the largest bases each source shows."""
    evidence = world.evidence
    named = checks.named(evidence)
    totals = concentration.totals(_counts(evidence))
    others = [name for name in totals.index if name not in named][:_BESIDE]
    chosen = [name for name in totals.index if name in named or name in others]
    out = pd.DataFrame({"repository_id": chosen, "bulk": [name in named for name in chosen]})
    for source in _sources(evidence):
        frame = checks.frame_of(evidence, source)
        if stock.has_relations(frame):
            relations = stock.graph_of(frame, evidence.families).relations()
            counts = concentration.of_edges(relations)
            known = set(chosen)
        else:
            counts = concentration.totals(frame)
            # A base that a list of roots leaves out is no root; it has not zero derivatives.
            known = set(counts.index)
        out[source.id] = [
            float(counts.get(name, 0)) if name in known else math.nan for name in chosen
        ]
    return out


#: A base that the slice of used models shows with fewer than this part of its derivatives.
_FADED: Final = 0.01


def faded(world: World) -> pd.DataFrame:
    """Return each family without the large bases that the slice of used models hardly shows.

    A second look that was not declared before the first: it asks whether the lead rests on the
    rule for bulk uploads alone. It looks at use and at no month.
    """
    evidence = world.evidence
    counts = concentration.totals(_counts(evidence))
    source = checks.slices_of(evidence).find("slice-2025-06")
    relations = stock.graph_of(checks.frame_of(evidence, source), evidence.families).relations()
    used = concentration.of_edges(relations).reindex(counts.index).fillna(0)
    ids = pd.Series(counts.index, index=counts.index, dtype="string")
    family = families_module.assign(ids, evidence.families)
    floor = evidence.rule("bulk").minimum
    out = counts.index[(counts >= floor) & (used < _FADED * counts)]
    rows = []
    for name in FAMILIES:
        own = counts[(family == name).fillna(False).to_numpy(dtype=bool)]
        gone = own[own.index.isin(out)]
        rows.append(
            {
                "family": _titles(evidence)[name],
                "derivatives": int(own.sum()),
                "faded": len(gone),
                "bases": ", ".join(str(one) for one in gone.index),
                "derivatives_without": int(own.sum() - gone.sum()),
            }
        )
    return pd.DataFrame(rows)


#: Rules of the table of leads: source, question, words.
_LEADS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (COUNTS, "as counted", {}),
    (COUNTS, "bulk uploads at their base's level", {"bulk": "level"}),
    (COUNTS, "bulk uploads left out", {"bulk": "out"}),
    ("slice-2025-06", "names a base", {}),
    ("slice-2025-06", "names a base or a copy of one", {"reuploads": "resolved"}),
    ("slice-2025-06", "descends from one", {"count": "transitive"}),
    ("slice-2025-10", "names a base", {}),
    ("roots-2026-03", "names a base that is a root", {}),
    ("cut-2026-05", "names a base", {}),
    ("cut-2026-05", "descends from one", {"count": "transitive"}),
    ("cut-2026-05", "names a base, fetched ten times", {"minimum": 10}),
    ("week-2026-08", "new in one week, names a base", {}),
)


def leads(world: World) -> pd.DataFrame:
    """Return derivatives of Qwen for one of Llama, and of DeepSeek, by source and rule."""
    evidence = world.evidence
    known = {one.id: one for one in _sources(evidence)}
    rows = []
    for name, words, choices in _LEADS:
        source = known[name]
        found = checks.stocks(evidence, source, Asked(**choices))
        mine, rival, third = (found[family] for family in ("qwen", "llama", "deepseek"))
        rows.append(
            {
                "source": name,
                "title": source.title,
                "rule": words,
                "qwen": mine.value,
                "llama": rival.value,
                "deepseek": third.value,
                "ratio": mine.value / rival.value,
                "lower": mine.lower / rival.upper,
                "upper": mine.upper / rival.lower,
                "hard_lower": mine.hard_lower / rival.hard_upper,
                "hard_upper": mine.hard_upper / rival.hard_lower,
                "deepseek_ratio": mine.value / third.value if third.value else math.nan,
            }
        )
    return pd.DataFrame(rows)


def rule(world: World) -> pd.DataFrame:
    """Return the constants of the bulk rule with their reasons, and how a sum counts twice."""
    evidence = world.evidence
    declared: bulk.BulkRule = evidence.rule("bulk")
    rows = [
        {
            "constant": name,
            "value": float(getattr(declared, name)),
            "reason": str(getattr(declared, f"{name}_reason")),
        }
        for name in ("after", "ratio", "minimum", "share", "back")
    ]
    return pd.DataFrame(rows)


#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made("derivative_bases", bases, ("derivative-counts",), "derivatives a base, February 2025"),
    Made(
        "derivative_months",
        months,
        ("derivative-counts",),
        "derivatives by the calendar month in which they came, on bulk bases and on others",
    ),
    Made(
        "derivative_last_span",
        last_span,
        ("derivative-counts",),
        "derivatives of the last days that the counts hold whole, on bulk bases and on others",
    ),
    Made(
        "derivative_concentration",
        concentrated,
        _ALL,
        "how many derivatives hang on how few bases, by source and family",
    ),
    Made(
        "derivative_curves",
        curves,
        ("derivative-counts",),
        "share of a family's derivatives that its first bases carry",
    ),
    Made("derivative_slices", described, _ALL, "what each source of derivatives sees"),
    Made("derivative_sources", sources, _ALL, "derivatives by source, question and family"),
    Made(
        "derivative_bulk_rule",
        rule,
        ("derivative-counts",),
        "constants of the rule that names bulk uploads",
    ),
    Made(
        "derivative_bulk_settings",
        settings,
        ("derivative-counts",),
        "what the rule for bulk uploads names at other settings",
    ),
    Made("derivative_minimum", minimum, _ALL, "derivatives by how often they were fetched"),
    Made("derivative_seen", seen, _ALL, "derivatives of the largest bases by source"),
    Made(
        "derivative_faded",
        faded,
        ("derivative-counts", "lineage"),
        "each family without the large bases that the slice of used models hardly shows",
    ),
    Made("derivative_leads", leads, _ALL, "derivatives of Qwen for one of Llama, by rule"),
)
