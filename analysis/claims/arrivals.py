"""Checks of the claims on new repositories."""

from __future__ import annotations

import math
import re
from calendar import month_name
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import pandas as pd

from analysis.claims import derivatives
from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec
from analysis.claims.world import LLAMA, QWEN, World
from analysis.errors import InputError
from analysis.measure import arrivals, bulk, releases, stock
from analysis.measure.stock import Asked
from analysis.snapshot import families as families_module

#: Families that stand beside Qwen by the same rule.
FAMILIES: Final = (QWEN, LLAMA, "gemma", "mistral", "deepseek")

_MINIMUM: Final[Mapping[str, int]] = arrivals.MINIMUM
_COUNTS: Final = ("counts", "counts-without-bulk")


def rules_of(world: World) -> arrivals.Rules:
    """Return ``data/arrivals.toml``."""
    rules = world.evidence.rule("arrivals")
    assert isinstance(rules, arrivals.Rules)
    return rules


# ------------------------------------------------------------------------------ shares of new work


def week(world: World) -> arrivals.Arrivals:
    """Return the new repositories of the week that is seen nearly whole."""

    def make() -> arrivals.Arrivals:
        rule = rules_of(world).week
        frame = world.evidence.frame(rule.version)
        return arrivals.read(frame, world.evidence.families, rule.first, rule.last)

    return world.evidence.once("arrivals.week", make)


#: New repositories that may be the whole, with quantised copies in or out.
WHOLES: Final = (
    ("declared", "in"),
    ("declared", "out"),
    ("trained", "out"),
    ("all", "in"),
    ("all", "out"),
)
_EACH: Final = tuple((m, c) for m in ("whole", "parts") for c in ("repository", "author"))


def wanted() -> list[arrivals.Wanted]:
    """Return every share of the week that a claim or a table asks for, Qwen's first."""
    out = []
    for family in FAMILIES:
        for base in arrivals.BASES:
            for denominator, copies in WHOLES:
                plain = arrivals.Wanted(family, base, denominator, copies)
                if family != QWEN:
                    out.append(plain)
                    continue
                out += [
                    replace(plain, merges=merges, counted=counted, minimum=minimum)
                    for merges, counted in _EACH
                    for minimum in (_MINIMUM["none"], _MINIMUM["ten"])
                ]
                out.append(replace(plain, minimum=_MINIMUM["one"]))
            out += [
                arrivals.Wanted(family, base, relation=relation)
                for relation in (*arrivals.TRAINED, arrivals.QUANTISED, "merge")
            ]
    return out


def week_shares(world: World) -> pd.DataFrame:
    """Return all those shares, with their intervals (:func:`analysis.measure.arrivals.shares`)."""
    return world.evidence.once(
        "arrivals.shares",
        lambda: arrivals.shares(week(world), wanted(), world.evidence.families, rules_of(world)),
    )


def _of_week(world: World, spec: Spec, line: float) -> Outcome:
    table = week_shares(world)
    keep = (table["family"] == QWEN) & (table["relation"] == "")
    keep &= table["minimum"] == _MINIMUM[str(spec["minimum"])]
    for name in ("base", "denominator", "copies", "merges", "counted"):
        keep &= table[name] == spec[name]
    row = table[keep].iloc[0]
    value, lower, upper = (float(row[name]) for name in ("value", "lower", "upper"))
    return Outcome(
        value,
        lower,
        upper,
        lower,
        upper,
        int(row["repositories"]),
        len(week(world).rows),
        note="interval of sampling: authors of the week drawn with replacement, no other week",
        extra={
            "qwen": float(row["part"]),
            "whole": float(row["whole"]),
            "authors": int(row["authors"]),
            "needed": arrivals.Missing(float(row["part"]), float(row["whole"]), 0.0).needed(line),
            "day": rules_of(world).week.last.isoformat(),
        },
        whole_interval=True,
    )


def newest(world: World) -> releases.Release:
    """Return the newest generation of Qwen that came out before the week was over."""
    named = world.evidence.rule("releases")
    assert isinstance(named, releases.Rules)
    last = rules_of(world).week.last
    known = [r for r in named.release if r.family == QWEN and r.generation and r.day <= last]
    if not known:
        raise InputError(f"data/releases.toml: no generation of {QWEN} up to {last}: add one")
    return max(known, key=lambda entry: (entry.day, entry.name))


def week_days(world: World) -> pd.DataFrame:
    """Return the week by day, and what of it builds on the newest generation.

    See :func:`analysis.measure.arrivals.built_on`; besides ``release``, its day ``released``, and
    ``days_before``, how many days before the week it came out.
    """
    got, entry = week(world), newest(world)
    own = arrivals.members(got.bases(), world.evidence.families, QWEN, "official", rules_of(world))
    pattern = re.compile(entry.names or "(?!)", re.IGNORECASE | re.ASCII)
    new = [base for base in own if pattern.fullmatch(base.partition("/")[2])]
    return arrivals.built_on(got, own, new).assign(
        release=entry.name,
        released=entry.day.isoformat(),
        days_before=(rules_of(world).week.first - entry.day).days,
    )


def cut_months(world: World) -> pd.DataFrame:
    """Return derived work in the cut by month of creation, for each family and reading.

    Returns
    -------
    pandas.DataFrame
        ``month``, ``family``, ``base``, ``part``, ``whole`` (repositories with a declared base).
    """

    def make() -> pd.DataFrame:
        rule = rules_of(world).cut
        frame = world.evidence.frame(rule.version)
        until = world.evidence.days[rule.version]
        found = arrivals.read(frame, world.evidence.families, date(2000, 1, 1), until)
        born = frame.dropna(subset=["created_at"]).drop_duplicates("repository_id")
        month = born.set_index("repository_id")["created_at"].dt.strftime("%Y-%m")
        of_month = found.rows["repository_id"].map(month)
        whole = found.chosen("declared", "in").astype("float64")
        bases = found.bases()
        rows = []
        for family in FAMILIES:
            for base in arrivals.BASES:
                own = arrivals.members(
                    bases, world.evidence.families, family, base, rules_of(world)
                )
                part = pd.Series(found.weights(own) * whole).groupby(of_month.to_numpy()).sum()
                every = pd.Series(whole).groupby(of_month.to_numpy()).sum()
                rows += [
                    {
                        "month": str(name),
                        "family": family,
                        "base": base,
                        "part": int(part[name]),
                        "whole": int(every[name]),
                    }
                    for name in sorted(every.index)
                ]
        return pd.DataFrame(rows)

    return world.evidence.once("arrivals.cut", make)


def _of_cut(world: World, spec: Spec) -> Outcome:
    rule = rules_of(world).cut
    table = cut_months(world)
    keep = table["month"].between(rule.first, rule.last)
    keep &= (table["family"] == QWEN) & (table["base"] == spec["base"])
    part, whole = int(table.loc[keep, "part"].sum()), int(table.loc[keep, "whole"].sum())
    if not whole:
        raise InputError(f"{rule.version}: no repository of the declared months names a base")
    return Outcome(
        part / whole,
        0.0,
        1.0,
        0.0,
        1.0,
        covered=whole,
        decided="undetermined",
        note="picked rows, no sample of new work: they leave open what the share of the Hub was",
        extra={
            "qwen": float(part),
            "whole": float(whole),
            "day": world.evidence.days[rule.version].isoformat(),
        },
        open_ended=True,
    )


def bulk_bases(world: World) -> frozenset[str]:
    """Return the bases that ``data/bulk.toml`` names among those of the four makers."""

    def make() -> frozenset[str]:
        rule = world.evidence.rule("bulk")
        assert isinstance(rule, bulk.BulkRule)
        return frozenset().union(
            *(bulk.named(world.evidence.frame(n), rule) for n in rules_of(world).counts.versions)
        )

    return world.evidence.once("arrivals.bulk", make)


def count_months(world: World) -> pd.DataFrame:
    """Return new derivatives by calendar month and maker, with and without bulk uploads.

    Returns
    -------
    pandas.DataFrame
        ``month``, ``source`` (``counts`` or ``counts-without-bulk``), ``family`` (of the base, by
        the rule ``official``; empty for other bases of the four makers), ``gained``.
    """

    def make() -> pd.DataFrame:
        parts = []
        for source in _COUNTS:
            out = bulk_bases(world) if source == "counts-without-bulk" else frozenset()
            for name in rules_of(world).counts.versions:
                one = arrivals.gains_by_month(world.evidence.frame(name), out)
                own = _families(world, one["repository_id"])
                parts.append(one.assign(source=source, family=own))
        table = pd.concat(parts, ignore_index=True)
        by = ["source", "month", "family"]
        return table.groupby(by, sort=True)["gained"].sum().reset_index()

    return world.evidence.once("arrivals.counts", make)


def last_whole_month(world: World) -> str:
    """Return the last month (YYYY-MM) in which every base of the counts has a count."""

    def make() -> str:
        names = rules_of(world).counts.versions
        ends = pd.concat([stock.counted_until(world.evidence.frame(name)) for name in names])
        return str(ends.min().strftime("%Y-%m"))

    return world.evidence.once("arrivals.whole", make)


def _families(world: World, ids: pd.Series) -> pd.Series:
    own = families_module.assign(ids.astype("string"), world.evidence.families, "official")
    return own.fillna("").astype("str")


def _of_counts(world: World, spec: Spec) -> Outcome:
    rules = rules_of(world)
    table = count_months(world)
    table = table[table["source"] == spec["source"]]
    last = max(world.evidence.days[name] for name in rules.counts.versions)
    end = last.year * 12 + last.month - 1
    window = [
        f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(end - rules.counts.months + 1, end + 1)
    ]
    table = table[table["month"].isin(window)]
    part = float(table.loc[table["family"] == QWEN, "gained"].sum())
    whole = float(table["gained"].sum())
    if not whole:
        raise InputError("the counts of derivatives hold nothing of their last months")
    upper = part / whole
    return Outcome(
        upper,
        0.0,
        upper,
        0.0,
        upper,
        int(whole),
        0,
        note="an upper bound: derivatives of four makers' bases only",
        extra={"qwen": part, "whole": whole, "day": last.isoformat()},
        open_ended=True,
        whole_interval=True,
    )


def new_share(world: World, spec: Spec, line: float) -> Outcome:
    """Share of new work that is built on Qwen."""
    source = str(spec["source"])
    if source == "tree":
        return _of_week(world, spec, line)
    return _of_cut(world, spec) if source == "cut" else _of_counts(world, spec)


# ---------------------------------------------------------------------- repositories that relate to


@dataclass(frozen=True)
class Seen:
    """Repositories of a source that relate to a family.

    Attributes
    ----------
    flags
        As :func:`analysis.measure.arrivals.related` gives them.
    day
        Day of the source, the latest where there are several.
    """

    flags: pd.DataFrame
    day: date


#: A source of one version to that version; the others are put together from several.
_VERSIONS: Final[Mapping[str, str]] = {
    "edges": "lineage-2025-06",
    "pairs": "lineage-open-2025-10",
    "catalogue": "makers-2025-10-12",
    "expansion": "expansion-2025-12-22",
    "roots": "roots-2026-03",
    "cut": "hub-stats-2026-05",
    "tree": "radar-2026-08-22",
}
#: Sources that tell of a repository what ``any`` joins.
SOURCES: Final = (*_VERSIONS, "week", "before", "all")


def seen(world: World, source: str, family: str = QWEN) -> Seen:
    """Return how the repositories of a source relate to a family."""

    def make() -> Seen:
        rules, evidence = rules_of(world), world.evidence
        if source in _VERSIONS:
            name = _VERSIONS[source]
            frame = evidence.frame(name)
            edges = evidence.once(
                f"arrivals.declared {source}", lambda: arrivals.declared(frame, evidence.families)
            )
            flags = arrivals.related(frame, edges, evidence.families, family, rules)
            return Seen(flags, evidence.days[name])
        if source == "week":
            new = set(week(world).rows["repository_id"])
            whole = seen(world, "tree", family)
            kept = whole.flags[whole.flags["repository_id"].isin(new)].reset_index(drop=True)
            return Seen(kept, whole.day)
        if source not in SOURCES:
            raise InputError(f"no source is called {source!r}; there are {', '.join(SOURCES)}")
        names = rules.related.versions + (rules.related.later if source == "all" else ())
        of = {version: one for one, version in _VERSIONS.items()}
        parts = [seen(world, of[name], family) for name in names]
        return Seen(arrivals.together(p.flags for p in parts), max(p.day for p in parts))

    return world.evidence.once(f"arrivals.seen {source} {family}", make)


def told_by(world: World, source: str) -> frozenset[str]:
    """Return the readings of "relates to" that a source can show."""
    rules = rules_of(world)
    if source in _VERSIONS:
        names: tuple[str, ...] = (_VERSIONS[source],)
    elif source == "week":
        names = (rules.week.version,)
    else:
        names = rules.related.versions + (rules.related.later if source == "all" else ())
    found = {"own", "name", "any"}
    for name in names:
        columns = set(world.evidence.frame(name).columns)
        found |= {"tag"} if "tags" in columns else set()
        if columns & {"base_models", "base_id"}:
            found |= {"base", "base-family", "base-name"}
    return frozenset(found)


def counted(world: World, family: str = QWEN) -> tuple[int, int, date]:
    """Return derivatives of a family in the counts: of its largest base, of all bases, the day.

    Derivatives of one base are distinct repositories; those of several may share some.
    """
    return world.evidence.once(f"arrivals.counted {family}", lambda: _counted(world, family))


def _counted(world: World, family: str) -> tuple[int, int, date]:
    rules = rules_of(world)
    largest = total = 0
    for name in rules.counts.versions:
        frame = world.evidence.frame(name).dropna(subset=["derivatives"])
        own = frame[(_families(world, frame["repository_id"]) == family).to_numpy(dtype=bool)]
        by = own.groupby("repository_id", sort=True)["derivatives"].max()
        if len(by):
            largest, total = max(largest, int(by.max())), total + int(by.sum())
    source = derivatives.slices_of(world.evidence).find(derivatives.COUNTS)
    return largest, total, date.fromisoformat(derivatives.day_of_slice(world.evidence, source))


#: Readings of which a count of the derivatives of one base is a part.
_OF_BASE: Final = ("any", "base", "base-family", "base-name")


def related(world: World, spec: Spec, line: float) -> Outcome:
    """Return how many repositories that relate to Qwen were seen: a number from below."""
    source, by = str(spec["source"]), str(spec["related_by"])
    largest, total, day = counted(world)
    extra: dict[str, float | str] = {}
    lower: float | None = None
    if source == "counts":
        value = covered = largest
        known = derivatives.slices_of(world.evidence).find(derivatives.COUNTS)
        lower = derivatives.stocks(world.evidence, known, Asked())[QWEN].lower
        extra["sum_over_bases"] = float(total)
        note = "counted over bases, less what stands in two sums; hard: the one largest base"
    else:
        got = seen(world, source)
        value, covered, day = int(got.flags[by].sum()), len(got.flags), got.day
        extra["listed"] = float(value)
        if source in ("tree", "cut"):
            # By how much a count by tag is above one of derivatives, inside one file.
            of_base = int(got.flags["base"].sum())
            if of_base:
                extra["tag_over_base"] = int(got.flags["tag"].sum()) / of_base
        note = "what the source holds of the Hub"
        if source in ("before", "all") and by in _OF_BASE:
            # A derivative of Qwen relates to Qwen: one floor for both claims.
            forced = derivatives.floor(world.evidence, Asked()).lower
            if forced > value:
                lower = forced
                note = "more derivatives were counted than our files list in all"
    lower = float(value) if lower is None else lower
    extra["day"] = day.isoformat()
    return Outcome(
        lower,
        lower,
        math.inf,
        float(value),
        math.inf,
        covered,
        0,
        "yes" if lower > line else "undetermined",
        note,
        extra,
        open_ended=True,
    )


# ---------------------------------------------------------------------------------------- findings


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _find_share(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    now = table[table["source"] == "tree"]
    for name in ("denominator", "copies", "merges", "counted", "minimum"):
        now = now[now[name] == own[name]]
    by = {str(row["base"]): float(row["value"]) for row in now.to_dict("records")}
    line = float(record["stated_value"])
    if not {"official", "name"} <= set(by):
        return f"Nothing here tells whether it was {100 * line:.0f} %"
    narrow, wide = by["official"], by["name"]
    day = pd.Timestamp(str(now["day"].iloc[0]))
    text = (
        f"{_percent(narrow)} of the new derivatives of a week of {month_name[day.month]} "
        f"{day.year} name a model of Qwen's organisation, {_percent(wide)} a base with Qwen in "
        "its name"
    )
    stated = f"{100 * line:.0f} %"
    if narrow < line < wide:
        return f"{stated} lies between two definitions: {text}"
    return f"{text}; {stated} lies {'below' if line <= narrow else 'above'} both"


def _find_related(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    seen_ = float(table.iloc[0]["lower"])
    line = float(record["stated_value"])
    if seen_ > line:
        return f"Yes: at least {seen_:,.0f} repositories relate to Qwen"
    listed = float(table.iloc[0]["hard_lower"])
    text = f"Our files cannot count to {line:,.0f}: they show at least {seen_:,.0f}"
    if listed < seen_:
        text = (
            f"Our files cannot count to {line:,.0f}: they list {listed:,.0f}, "
            f"and at least {seen_:,.0f} if the counts among them are right"
        )
    tree = table[table["source"] == "tree"]
    if tree.empty:
        return text
    ratio = float(tree["tag_over_base"].iloc[0])
    return (
        f"{text}; in one of them a count by tag finds {ratio:.1f} times what declares a base of "
        "Qwen's"
    )


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"new_share": new_share, "related": related}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "new_share": {
        "source": ("tree", "cut", *_COUNTS),
        "base": arrivals.BASES,
        "denominator": arrivals.DENOMINATORS,
        "copies": ("in", "out"),
        "merges": ("whole", "parts"),
        "counted": ("repository", "author"),
        "minimum": tuple(_MINIMUM),
    },
    "related": {
        "source": ("before", "all", "counts", *_VERSIONS),
        "related_by": arrivals.RELATED,
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"new_share": _find_share, "related": _find_related}
