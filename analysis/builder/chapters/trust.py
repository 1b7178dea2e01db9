"""Derived tables on how far the Hub's download counter can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from analysis import tables
from analysis.builder.chapters.made import Made
from analysis.claims.world import World
from analysis.measure import outliers, trust


def _rules(world: World) -> trust.TrustRules:
    rules: trust.TrustRules = world.evidence.rule("trust")
    return rules


def _listed() -> pd.DataFrame:
    return tables.load("reference/counter-anomalies")


def _lists(world: World) -> dict[str, tuple[date, pd.DataFrame]]:
    """Return the files of the head with all that they list, the most liked among them."""
    return {one.version: (one.day, world.inputs.frames[one.version]) for one in world.inputs.heads}


def _dips(world: World) -> pd.DataFrame:
    """Return the dips of each kind of list, which are of different depths."""
    totals: dict[str, dict[int, int]] = {}
    for one in world.inputs.heads:
        kind = one.version.split("-", 1)[0]
        totals.setdefault(kind, {})[one.day.toordinal()] = int(one.frame["downloads_30d"].sum())
    parts = [
        outliers.dips(pd.Series(series), world.inputs.bursts).assign(list=kind)
        for kind, series in sorted(totals.items())
    ]
    return pd.concat(parts, ignore_index=True)


def _found(world: World) -> list[trust.Finding]:
    """Return what every rule finds, worked out once."""

    def make() -> list[trust.Finding]:
        rules = _rules(world)
        dated = {
            name: (world.inputs.days[name], frame)
            for name, frame in world.inputs.frames.items()
            if name in world.inputs.days and "downloads_30d" in frame.columns
        }
        return [
            *trust.burst_findings(outliers.episodes(world.bursts), world.created),
            *trust.dip_findings(_dips(world)),
            *trust.stall_findings(_lists(world)),
            *trust.panel_findings(world.inputs.panel, rules),
            *trust.twin_findings(dated, rules),
        ]

    return world.evidence.once("trust.found", make)


def _held(world: World) -> trust.Held:
    panel = world.inputs.panel
    spread = panel.groupby("day")["spread"].max() if "spread" in panel.columns else None
    labels = []
    for day in sorted(panel["day"].unique()):
        first = pd.Timestamp(day).date()
        wide = 0 if spread is None else int(spread[day])
        labels.append((first, first + timedelta(days=wide)))
    return trust.Held(
        heads=frozenset(one.day for one in world.inputs.heads),
        labels=tuple(labels),
        files=frozenset(world.inputs.days.values()),
        readings=frozenset(
            date.fromordinal(int(day))
            for day in (world.readings["day"] + world.readings["spread"]).unique()
        ),
        ids=frozenset(world.readings["repository_id"].astype("str").unique()),
    )


def days_table(world: World) -> pd.DataFrame:
    """List every day on which a rule says that the counter misbehaves."""
    return trust.table_of(_found(world), _listed())


def tests_table(world: World) -> pd.DataFrame:
    """Hold the published list of days against what our rules find."""
    return trust.held_against(_listed(), _found(world), _held(world), _rules(world))


def rules_table(world: World) -> pd.DataFrame:
    """Say of each rule on how much it was tried, what it found, and what of it is on the list."""
    found = days_table(world)
    panel = world.inputs.panel
    labels = int(panel["day"].nunique())
    heads = world.inputs.heads
    days = {one.day for one in heads}
    pairs = sum(
        1 for one in heads for other in heads if (other.day - one.day).days == 1
    )  # fmt: skip
    tried = {
        "burst": (len(world.histories["in"]), "repositories"),
        "dip": (len(heads), f"lists of {len(days)} days"),
        "stall": (pairs, "pairs of lists a day apart"),
        "repeat": (labels - 1, "labels after the first"),
        "fall": (labels - 1, "labels after the first"),
        "slow": (labels - 1, "spans"),
        "short": (labels, "labels"),
        "twin": (
            sum(
                1 for name, frame in world.inputs.frames.items()
                if name in world.inputs.days and "downloads_30d" in frame.columns
            ),
            "files",
        ),
    }  # fmt: skip
    rows = []
    for rule, looks in trust.RULES.items():
        own = found[found["rule"] == rule]
        rows.append(
            {
                "rule": rule,
                "looks_at": looks,
                "in_view": _rules(world).in_view.of(rule),
                "tried_on": tried[rule][0],
                "tried_unit": tried[rule][1],
                "found": len(own),
                "on_the_list": int(own["listed"].sum()),
                "not_on_the_list": int((~own["listed"].astype("bool")).sum()),
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows)


def flows_table(world: World) -> pd.DataFrame:
    """List what the repositories of the panel gain from label to label."""
    table = trust.flows(world.inputs.panel, _rules(world))
    for name in ("before", "day"):
        table[name] = [day.isoformat() for day in table[name]]
    return table.assign(grade="computed")


def heads_table(world: World) -> pd.DataFrame:
    """Sum each list of the head, with Qwen's part of it and the days that are dips."""
    dips = {(row["list"], row["day"]): row for row in _dips(world).to_dict("records")}
    rows = []
    for one in world.inputs.heads:
        kind = one.version.split("-", 1)[0]
        family = one.frame["repository_id"].map(world.family["official"])
        total = int(one.frame["downloads_30d"].sum())
        own = int(one.frame.loc[(family == "qwen").to_numpy(), "downloads_30d"].sum())
        dip: Mapping[Any, Any] | None = dips.get((kind, one.day.isoformat()))
        rows.append(
            {
                "day": one.day.isoformat(),
                "list": kind,
                "source": one.version,
                "depth": len(one.frame),
                "downloads": total,
                "qwen": own,
                "qwen_share": own / total if total else math.nan,
                "dip": dip is not None,
                "fall": math.nan if dip is None else float(dip["fall"]),
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows).sort_values(["day", "list"], ignore_index=True)


def claims_table(world: World, specifications: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Say of each headline claim which days its readings cross and what bursts change.

    Parameters
    ----------
    specifications
        Claim to its table of specifications.

    Returns
    -------
    pandas.DataFrame
        A row a claim: ``claim``, ``counter``, ``day`` (of the article's own reading), ``crossed``
        (findings of ours, in words), ``crossed_published`` (days of the published list that we
        cannot see), the article's own reading with bursts and without (``value``, ``lower``,
        ``upper``, ``holds`` and, for a month, the ``first`` and ``last`` that it may be, each with
        ``_in`` and ``_out``), ``pairs`` of specifications that
        differ in bursts alone, ``changed`` (of them, in any number), ``flipped`` (in the answer),
        ``unit``, ``grade``.
    """
    found = _found(world)
    tested = tests_table(world)
    labels = sorted(pd.Timestamp(day).date() for day in world.inputs.panel["day"].unique())
    rows = []
    for entry in _rules(world).claim:
        table = specifications.get(entry.id)
        if table is None:
            continue
        pairs = trust.with_and_without(table)
        own = table[table["is_article"].astype("bool")].iloc[0]
        day = labels[-1] if "day" not in table.columns else date.fromisoformat(str(own["day"]))
        within = world.within(day) if entry.counter != "panel" else 0
        span = (labels[0], labels[-1])
        hits = trust.crossed(found, entry.counter, day, within, span)
        window = {
            "thirty": (day - timedelta(days=29 + within), day + timedelta(days=within)),
            "all-time": (date.min, day + timedelta(days=within)),
            "panel": span,
        }[entry.counter]
        unseen = [
            f"{row['from']}: {row['what']}"
            for row in tested.to_dict("records")
            if row["verdict"] != "found"
            and date.fromisoformat(str(row["from"])) <= window[1]
            and date.fromisoformat(str(row["to"])) >= window[0]
        ]
        row: dict[str, Any] = {
            "claim": entry.id,
            "counter": entry.counter,
            "day": day.isoformat(),
            "crossed": "; ".join(dict.fromkeys(trust.told(one) for one in hits)),
            "crossed_rules": "; ".join(dict.fromkeys(one.rule for one in hits)),
            "crossed_published": "; ".join(unseen),
            "pairs": len(pairs),
            "changed": 0,
            "flipped": 0,
            "unit": own["unit"],
            "grade": own["grade"],
        }
        if len(pairs):
            row["changed"] = int(
                sum(
                    any(
                        str(pair[f"{n}_in"]) != str(pair[f"{n}_out"])
                        for n in _RESULTS
                        if f"{n}_in" in pair
                    )
                    for pair in pairs.to_dict("records")
                )
            )
            row["flipped"] = int((pairs["holds_in"] != pairs["holds_out"]).sum())
            article = pairs[pairs["is_article"].astype("bool")]
            for name in (*_RESULTS, "holds"):
                for side in ("in", "out"):
                    column = f"{name}_{side}"
                    row[column] = (
                        None
                        if article.empty or column not in article.columns
                        else article.iloc[0][column]
                    )
            if row["unit"] == "month" and any(
                row[f"first_{side}"] != row[f"last_{side}"] for side in ("in", "out")
            ):
                row["grade"] = "bounded"  # no label tells which of the months it was
        rows.append(row)
    return pd.DataFrame(rows)


_RESULTS: Final = ("value", "lower", "upper", "first", "last")
_HEADS: Final = ("top15", "top25", "top30")
#: Sources of the counters that the rules look at.
COUNTERS: Final = ("expansion", "hub-stats", "llmfit", "makers", "panel", *_HEADS, "trending")
_BOTH: Final = (*COUNTERS, "data/reference")

#: Tables of this chapter, in order; the builder adds ``trust_claims``, which needs the grids.
TABLES: Final[tuple[Made, ...]] = (
    Made("trust_days", days_table, _BOTH, "days on which a rule says that the counter misbehaves"),
    Made("trust_tests", tests_table, _BOTH, "the published list of days against our rules"),
    Made("trust_rules", rules_table, _BOTH, "each rule: tried on what, what it found"),
    Made("trust_flows", flows_table, ("panel",), "what the panel gains from label to label"),
    Made("trust_heads", heads_table, _HEADS, "sums of the lists of the head, day by day"),
)
