"""Derived tables on Ollama's library, and on whether Llama led for two years."""

from __future__ import annotations

import math
from datetime import date, timedelta
from itertools import pairwise, product
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import pulls as claims
from analysis.claims.world import LLAMA, QWEN, World
from analysis.measure import pulls
from analysis.measure import shares as measure_shares

_SOURCES: Final = ("ollama-gallery", "ollama-library", "ollama-registry")
_HUB: Final = (
    *("expansion", "hub-stats", "llmfit", "makers", "panel", "top15", "top25", "top30", "tracked"),
    "trending",
)
_INSTRUMENT: Final = "Ollama's library"


def _label(world: World, family: str) -> str:
    known = world.evidence.families.families
    return known[family].title if family in known else "Other"


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _owner(world: World, names: str, shared: str = "maker") -> pd.Series:
    return pulls.owner_of(claims.owners(world), names, shared, claims.rules_of(world))


def pulls_days(world: World) -> pd.DataFrame:
    """Return pulls of all time by day and family, the makers' own names and with derivatives."""
    shelf, quiet = claims.library(world), claims.library(world, "out")
    rows: list[dict[str, Any]] = []
    for place, day in enumerate(shelf.days):
        on = date.fromordinal(day)
        for names in pulls.NAMES:
            owner = _owner(world, names)
            sums = pulls.by_family(shelf.stock(on), owner)
            without = pulls.by_family(quiet.stock(on), owner)
            count = owner.reindex(shelf.stock(on).index).value_counts()
            for family, row in sums.iterrows():
                rows.append(
                    {
                        "day": on.isoformat(),
                        "version": shelf.versions[place],
                        "names": names,
                        "family": family,
                        "label": _label(world, str(family)),
                        "value": row["value"],
                        "lower": row["lower"],
                        "upper": row["upper"],
                        "without_bursts": pulls.amount(without, str(family)),
                        "entries": int(count[str(family)]),
                        "grade": "bounded",
                    }
                )
    return pd.DataFrame(rows)


def pulls_months(world: World) -> pd.DataFrame:
    """Return new pulls by calendar month and family, with what rounding and days leave open."""
    shelf, quiet = claims.library(world), claims.library(world, "out")
    rows: list[dict[str, Any]] = []
    for month in shelf.months(claims.rules_of(world).first_month):
        for names in pulls.NAMES:
            owner = _owner(world, names)
            sums = pulls.by_family(shelf.month(month), owner)
            without = pulls.by_family(quiet.month(month), owner)
            for family, row in sums.iterrows():
                rows.append(
                    {
                        "month": month,
                        "both_ends_read": shelf.certain(month),
                        "names": names,
                        "family": family,
                        "label": _label(world, str(family)),
                        "value": row["value"],
                        "lower": row["lower"],
                        "upper": row["upper"],
                        "without_bursts": pulls.amount(without, str(family)),
                        "grade": "bounded",
                    }
                )
    return pd.DataFrame(rows)


def pulls_spans(world: World) -> pd.DataFrame:
    """Return new pulls between readings in a row, by family, and scaled to thirty days."""
    shelf = claims.library(world)
    owner = _owner(world, "own")
    rows: list[dict[str, Any]] = []
    for (first, last), gain in zip(pairwise(shelf.days), shelf.gains, strict=True):
        for family, row in pulls.by_family(gain, owner).iterrows():
            rows.append(
                {
                    "first": _iso(first),
                    "last": _iso(last),
                    "days": last - first,
                    "family": family,
                    "label": _label(world, str(family)),
                    "value": row["value"],
                    "lower": row["lower"],
                    "upper": row["upper"],
                    "a_month": row["value"] * 30 / (last - first),
                    "grade": "bounded",
                }
            )
    return pd.DataFrame(rows)


def _certain(got: pulls.Ratio) -> str:
    return "yes" if got.lower > 1 else "no" if got.upper <= 1 else "open"


def pulls_crossing(world: World) -> pd.DataFrame:
    """Return Qwen's new pulls over Llama's by month, under every reading."""
    rows: list[dict[str, Any]] = []
    shelf = claims.library(world)
    for month in shelf.months(claims.rules_of(world).first_month):
        for names, shared in product(pulls.NAMES, ("maker", "default", "bounds")):
            amounts = shelf.month(month)
            got, sums = claims.compared(world, amounts, QWEN, (LLAMA,), names, shared)
            certain = _certain(got)
            # Two things that decide nothing, shown beside: after the first run, after an audit.
            hour = claims.by_the_hour(world, shelf, month, names, shared)
            chat, _ = claims.compared(
                world, claims.without_embedding(world, amounts), QWEN, (LLAMA,), names, shared
            )
            rows.append(
                {
                    "month": month,
                    "both_ends_read": shelf.certain(month),
                    "names": names,
                    "r1": shared,
                    "qwen": pulls.amount(sums, QWEN, "value"),
                    "llama": pulls.amount(sums, LLAMA, "value"),
                    "value": got.value,
                    "lower": got.lower,
                    "upper": got.upper,
                    "ahead": certain,
                    "hour_lower": hour.lower,
                    "hour_upper": hour.upper,
                    "hour_ahead": _certain(hour),
                    "without_embedding": chat.value,
                    "without_embedding_lower": chat.lower,
                    "without_embedding_upper": chat.upper,
                    "without_embedding_ahead": _certain(chat),
                    "grade": "bounded",
                }
            )
    return pd.DataFrame(rows)


def pulls_names(world: World) -> pd.DataFrame:
    """Return every name of the library with its family, by which rule, and its pulls."""
    table, shelf = claims.owners(world), claims.library(world)
    rows: list[dict[str, Any]] = []
    for name, known in shelf.pulls.iterrows():
        seen = known.dropna()
        own = table.loc[str(name)].to_dict()
        rows.append(
            {
                "name": name,
                "family": own["family"],
                "wide": own["wide"],
                "kind": own["kind"],
                "rule": int(own["rule"]),
                "several_owners": bool(own["shared"]),
                "first_seen": _iso(int(seen.index[0])),
                "last_seen": _iso(int(seen.index[-1])),
                "first_pulls": float(seen.iloc[0]),
                "last_pulls": float(seen.iloc[-1]),
                "days_seen": len(seen),
                "reason": own["reason"],
                "grade": "computed",
            }
        )
    frame = pd.DataFrame(rows)
    return frame.sort_values(["last_pulls", "name"], ascending=[False, True], ignore_index=True)


def pulls_r1(world: World) -> pd.DataFrame:
    """Return Qwen and Llama in pulls of all time under each treatment of deepseek-r1."""
    shelf = claims.library(world)
    rules = claims.rules_of(world)
    rows: list[dict[str, Any]] = []
    for day, names, shared in product(shelf.days, pulls.NAMES, pulls.SHARED):
        stock = shelf.stock(date.fromordinal(day))
        got, sums = claims.compared(world, stock, QWEN, (LLAMA,), names, shared)
        several = stock.reindex([entry.name for entry in rules.shared]).dropna()
        extra = float(several["upper"].sum()) if shared == "bounds" else 0.0
        rows.append(
            {
                "day": _iso(day),
                "names": names,
                "r1": shared,
                "r1_pulls": float(several["value"].sum()),
                "qwen_lower": pulls.amount(sums, QWEN, "lower"),
                "qwen_upper": pulls.amount(sums, QWEN, "upper") + extra,
                "llama_lower": pulls.amount(sums, LLAMA, "lower"),
                "llama_upper": pulls.amount(sums, LLAMA, "upper") + extra,
                "ratio_lower": got.lower,
                "ratio_upper": got.upper,
                "grade": "bounded",
            }
        )
    return pd.DataFrame(rows)


def pulls_collectors(world: World) -> pd.DataFrame:
    """Return how well readings in a row fit, and what the whole library gained between them.

    A counter of all time may not fall, and a name may not vanish: a reading that another
    collector copied wrongly would do either.
    """
    shelf = claims.library(world)
    moved = pulls.moves(shelf)
    own, wide = _owner(world, "own"), _owner(world, "derivatives")
    known = [_collector(world, version) for version in shelf.versions]
    rows: list[dict[str, Any]] = []
    for place, (first, last) in enumerate(pairwise(shelf.days)):
        before, after = shelf.pulls.iloc[:, place], shelf.pulls.iloc[:, place + 1]
        here = moved[moved["last"] == _iso(last)]["what"].value_counts()
        small = before[(before < 1e6) & after.notna()].index
        gain = (after - before)[small]
        sums = pulls.by_family(shelf.gains[place], own)
        number = own.reindex(after.dropna().index).value_counts()
        tuned = pulls.by_family(shelf.gains[place], wide)
        many = wide.reindex(after.dropna().index).value_counts()
        common = float(gain.median())
        # The small names in three parts of one size each, by their pulls before.
        order = before[small].sort_values(kind="stable").index
        thirds = [gain[part].median() for part in np.array_split(np.array(order), 3)]
        rows.append(
            {
                "first": _iso(first),
                "last": _iso(last),
                "days": last - first,
                "collector_before": known[place],
                "collector_after": known[place + 1],
                "other_collector": known[place] != known[place + 1],
                "in_both": int((before.notna() & after.notna()).sum()),
                "new": int(here.get("new", 0)),
                "gone": int(here.get("gone", 0)),
                "fell": int(here.get("fell", 0)),
                "all_a_day": float((after - before).sum()) / (last - first),
                "qwen_a_day": pulls.amount(sums, QWEN, "value") / (last - first),
                "llama_a_day": pulls.amount(sums, LLAMA, "value") / (last - first),
                "small_entries": len(small),
                "small_median_a_month": float(gain.median()) * 30 / (last - first),
                "small_lower_quarter_a_month": float(gain.quantile(0.25)) * 30 / (last - first),
                **{
                    f"{name}_third_a_month": float(part) * 30 / (last - first)
                    for name, part in zip(("lowest", "middle", "highest"), thirds, strict=True)
                },
                # The rise that all small names share, taken off every name: after the first run.
                "qwen_above_common": pulls.amount(sums, QWEN) - int(number[QWEN]) * common,
                "llama_above_common": pulls.amount(sums, LLAMA) - int(number[LLAMA]) * common,
                "qwen_wide": pulls.amount(tuned, QWEN),
                "llama_wide": pulls.amount(tuned, LLAMA),
                "qwen_wide_above_common": pulls.amount(tuned, QWEN) - int(many[QWEN]) * common,
                "llama_wide_above_common": pulls.amount(tuned, LLAMA) - int(many[LLAMA]) * common,
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows)


def _collector(world: World, version: str) -> str:
    """Name the collector of a version by the columns that only its layout fills."""
    frame = world.evidence.frame(version)
    if "default_size" in frame.columns:
        return "ollama-registry"
    return "ollama-gallery" if "updated_on" in frame.columns else "ollama-library"


def pulls_moves(world: World) -> pd.DataFrame:
    """Return names that vanished or fell between readings in a row."""
    found = pulls.moves(claims.library(world))
    found = found[found["what"] != "new"].reset_index(drop=True)
    return found.assign(family=_owner(world, "own").reindex(found["library_model"]).to_numpy())


def pulls_bursts(world: World) -> pd.DataFrame:
    """Return what the Hub's burst rule names in the library, and what other settings would."""
    rule = world.inputs.bursts
    rows: list[dict[str, Any]] = []
    for how, times in (
        ("as-it-stands", None),
        *(("increments", ratio) for ratio in rule.sensitivity),
    ):
        found = claims.bursts_by(world, how, times)
        limit = rule.ratio if times is None else times
        for row in found.to_dict("records"):
            rows.append(
                {
                    "reading": how,
                    "ratio_asked": limit,
                    "declared": how == "increments" and limit == rule.ratio,
                    "name": row["repository_id"],
                    "first": _iso(int(row["first"])) if "first" in row else "",
                    "last": _iso(int(row["day"])),
                    "rate_a_month": row["value"],
                    "level_a_month": row["level"],
                    "times": row["ratio"],
                    "excess": row.get("gained_excess", math.nan),
                    "grade": "computed",
                }
            )
        if found.empty:
            rows.append(
                {
                    "reading": how,
                    "ratio_asked": limit,
                    "declared": how == "increments" and limit == rule.ratio,
                    "name": "",
                    "grade": "computed",
                }
            )
    return pd.DataFrame(rows)


def pulls_beside(world: World) -> pd.DataFrame:
    """Return both hubs side by side by month: three measures, each in its own unit, never added."""
    rows: list[dict[str, Any]] = []
    family = world.family["official"]
    for anchor in world.inputs.anchors.anchor:
        for own in (QWEN, LLAMA):
            members = world.existed({n for n, f in family.items() if f == own}, anchor.day)
            got = measure_shares.total(world.estimate(members, anchor.day), "pooled", world.pooling)
            rows.append(
                {
                    "panel": "Hub, downloads in 30 days",
                    "unit": "downloads",
                    "day": anchor.day.isoformat(),
                    "family": own,
                    "value": got.value,
                    "lower": got.lower,
                    "upper": got.upper,
                    "grade": "bounded",
                }
            )
    for row in pulls_days(world).to_dict("records"):
        if row["names"] == "own" and row["family"] in (QWEN, LLAMA):
            rows.append(
                {
                    "panel": "Ollama, pulls of all time",
                    "unit": "pulls",
                    **{key: row[key] for key in ("day", "family", "value", "lower", "upper")},
                    "grade": "bounded",
                }
            )
    for row in pulls_months(world).to_dict("records"):
        if row["names"] == "own" and row["family"] in (QWEN, LLAMA) and row["both_ends_read"]:
            rows.append(
                {
                    "panel": "Ollama, new pulls in the month",
                    "unit": "pulls",
                    "day": row["month"],
                    **{key: row[key] for key in ("family", "value", "lower", "upper")},
                    "grade": "bounded",
                }
            )
    return pd.DataFrame(rows)


def led_quarters(world: World) -> pd.DataFrame:
    """Return new derivatives by quarter and family, bulk uploads in and out, and who is first.

    The last days counted, a part of a quarter, are among them (``whole_quarter`` is false).
    """
    rules = claims.rules_of(world).led
    rivals = tuple(name for name in rules.counted if name != LLAMA)
    parts = []
    for bulk in ("in", "out"):
        whole = claims.led_quarters(world, bulk == "out")
        ends = {
            a.isoformat(): (b - timedelta(days=1)).isoformat() for a, b in claims.quarters(world)
        }
        rest = claims.led_rest(world, bulk == "out")
        table = pd.concat([whole.assign(until=whole["quarter"].map(ends)), rest], ignore_index=True)
        found = claims.first_in(table, rivals).set_index("quarter")
        first, ahead = found["certain"], found["ahead"]
        parts.append(
            table.assign(
                bulk=bulk,
                label=[_label(world, str(name)) for name in table["family"]],
                whole_quarter=table["until"] == table["quarter"].map(ends),
                llama_first=table["quarter"].map(first),
                llama_ahead=table["quarter"].map(ahead),
                grade="bounded",
            )
        )
    columns = ["quarter", "until", "whole_quarter", "family", "label", "bulk", "value", "lower"]
    last = ["upper", "llama_first", "llama_ahead", "grade"]
    return pd.concat(parts, ignore_index=True)[[*columns, *last]]


def led_panel(world: World) -> pd.DataFrame:
    """Return what the rolling panel's repositories gained in the last months of the two years."""
    found = claims.panel_gains(world)
    return found.assign(label=[_label(world, str(n)) for n in found["family"]], grade="computed")


def led_births(world: World) -> pd.DataFrame:
    """Return when each family's first repository was created on the Hub: before, it led nothing."""
    rules = claims.rules_of(world).led
    family = world.family["official"]
    shelf = claims.library(world)
    owner = _owner(world, "own")
    rows: list[dict[str, Any]] = []
    for name in world.evidence.families.families:
        days = {n: world.created[n] for n, f in family.items() if f == name and n in world.created}
        if not days:
            continue
        first = min(days, key=lambda n: (days[n], n))
        own = [n for n in owner.index if owner[n] == name]
        seen = shelf.pulls.loc[own].notna().any(axis=0) if own else pd.Series(dtype=bool)
        rows.append(
            {
                "family": name,
                "label": _label(world, name),
                "repository": first,
                "created": days[first].isoformat(),
                "before_the_two_years": days[first].isoformat()[:7] < rules.first,
                "in_library_by": _iso(int(seen[seen].index[0])) if len(seen[seen]) else "",
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows).sort_values(["created", "family"], ignore_index=True)


def witnesses(world: World) -> pd.DataFrame:
    """Return what Ollama's library says of every family and day, a row a measure.

    Returns
    -------
    pandas.DataFrame
        ``source``, ``version``, ``day`` (ISO), ``since``, ``instrument``, ``family`` (an id of
        ``data/families.toml``, or ``all``), ``measure``, ``unit``, ``value``, ``lower``, ``upper``,
        ``grade``. ``pulls_all_time`` stands for the day, ``new_pulls`` for what came from
        ``since``, the reading before, to it.
    """
    shelf = claims.library(world)
    source = {version: _collector(world, version) for version in shelf.versions}
    owner = _owner(world, "own")
    everything = pd.Series("all", index=owner.index)
    rows: list[dict[str, Any]] = []
    for place, day in enumerate(shelf.days):
        asked = [("pulls_all_time", "", shelf.stock(date.fromordinal(day)))]
        if place:
            asked.append(("new_pulls", _iso(shelf.days[place - 1]), shelf.gains[place - 1]))
        version = shelf.versions[place]
        for measure, since, amounts in asked:
            sums = pulls.by_family(amounts, owner).drop(index=pulls.OTHER, errors="ignore")
            both = pd.concat([sums, pulls.by_family(amounts, everything)])
            for family, row in both.iterrows():
                rows.append(
                    {
                        "source": source[version],
                        "version": version,
                        "day": _iso(day),
                        "since": since,
                        "instrument": _INSTRUMENT,
                        "family": family,
                        "measure": measure,
                        "unit": "pulls",
                        "value": row["value"],
                        "lower": row["lower"],
                        "upper": row["upper"],
                        "grade": "bounded",
                    }
                )
    return pd.DataFrame(rows)


#: Tables of this chapter.
TABLES: Final = (
    Made("pulls_days", pulls_days, _SOURCES, "pulls of all time by day and family"),
    Made("pulls_months", pulls_months, _SOURCES, "new pulls by month and family, with bounds"),
    Made("pulls_spans", pulls_spans, _SOURCES, "new pulls between readings in a row, by family"),
    Made("pulls_crossing", pulls_crossing, _SOURCES, "Qwen's new pulls over Llama's by month"),
    Made("pulls_names", pulls_names, _SOURCES, "names of Ollama's library and whose they are"),
    Made("pulls_r1", pulls_r1, _SOURCES, "Qwen and Llama by treatment of deepseek-r1"),
    Made("pulls_collectors", pulls_collectors, _SOURCES, "how well readings in a row fit"),
    Made("pulls_moves", pulls_moves, _SOURCES, "names that vanished or fell"),
    Made("pulls_bursts", pulls_bursts, _SOURCES, "bursts that the Hub's rule names in the library"),
    Made("pulls_beside", pulls_beside, (*_SOURCES, *_HUB), "both hubs side by side by month"),
    Made("led_panel", led_panel, ("panel",), "the panel's gains at the end of the two years"),
    Made("led_quarters", led_quarters, ("derivative-counts",), "new derivatives by quarter"),
    Made(
        "led_births",
        led_births,
        (*_SOURCES, *_HUB, "derivative-counts"),
        "the first repository of each family",
    ),
)
