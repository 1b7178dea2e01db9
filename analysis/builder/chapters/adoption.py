"""Derived tables on sizes and adoption."""

from __future__ import annotations

import math
from datetime import date
from itertools import pairwise, product
from typing import Any, Final

import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import adoption
from analysis.claims.world import World
from analysis.measure import pace, sizes

#: Complete catalogue of six makers; month of the article; widest reading after it.
_DAYS: Final = (date(2025, 10, 12), date(2026, 2, 28), date(2026, 5, 23))
_READINGS: Final = (
    *("hub-stats", "makers", "model-parameters", "tracked", "llmfit", "top30", "top25", "top15"),
    *("trending", "expansion", "panel"),
)


def _title(world: World, family: str) -> str:
    return world.evidence.families.families[family].title


def hardware_fit(world: World) -> pd.DataFrame:
    """Share of each family that fits each card, by bits and day."""
    rules = world.evidence.rule("hardware")
    rows = []
    for day, family in product(_DAYS, adoption.FAMILIES):
        for card, bits in product(rules.card, (sizes.PUBLISHED, *(b.id for b in rules.bits))):
            key = (world, family, day, card.id, bits)
            fetched = adoption.fitting(*key, "downloads", "family", "in")
            quiet = adoption.fitting(*key, "downloads", "family", "out")
            models = adoption.fitting(*key, "models", "family", "in")
            seen = fetched.value == fetched.value
            rows.append(
                {
                    "day": day.isoformat(),
                    "family": family,
                    "label": _title(world, family),
                    "card": card.id,
                    "card_label": card.label,
                    "common": card.common,
                    "bits": bits,
                    "value": fetched.extra["centre"] if seen else math.nan,
                    "lower": fetched.lower if seen else math.nan,
                    "upper": fetched.upper if seen else math.nan,
                    "hard_lower": fetched.hard_lower if seen else math.nan,
                    "hard_upper": fetched.hard_upper if seen else math.nan,
                    "read": fetched.value,
                    "read_bursts_out": quiet.value,
                    "models_share": models.value,
                    "models_fit": int(float(models.extra["fit"])),
                    "models_known": models.covered,
                    "models": models.population,
                    "covered_repositories": fetched.covered,
                    "population_repositories": fetched.population,
                }
            )
    return pd.DataFrame(rows)


def _read(world: World, family: str, day: date) -> pd.DataFrame:
    """Return the repositories of a family that were read on a day, with counters and sizes."""
    members, rule = adoption.members(world, family, day, "family")
    seen = world.estimate(members, day)["seen"].dropna()
    table = adoption.family_sizes(world, family, rule).reindex(sorted(seen.index))
    return table.assign(downloads=seen.reindex(table.index).astype("float64"))


def hardware_curve(world: World) -> pd.DataFrame:
    """Share of the downloads read that falls on models up to a size, by total and active part."""
    rows: list[dict[str, Any]] = []
    for day, family, basis in product(_DAYS, adoption.FAMILIES, ("total", "active")):
        table = _read(world, family, day)
        known = table.dropna(subset=[basis])
        whole = float(known["downloads"].sum())
        if not whole:
            continue
        by_size = known.groupby(known[basis].round(-6))["downloads"].agg(["sum", "size"])
        running = by_size["sum"].cumsum() / whole
        for size, part, number in zip(by_size.index, running, by_size["size"], strict=True):
            rows.append(
                {
                    "day": day.isoformat(),
                    "family": family,
                    "basis": basis,
                    "parameters": size,
                    "share": part,
                    "repositories": int(number),
                    "size_unknown_share": 1 - whole / float(table["downloads"].sum()),
                }
            )
    return pd.DataFrame(rows)


def hardware_classes(world: World) -> pd.DataFrame:
    """Return downloads read, and models, by class of size, by total and by active parameters."""
    rules = world.evidence.rule("hardware")
    edges = [0.0, *rules.classes, math.inf]
    rows: list[dict[str, Any]] = []
    for day, family in product(_DAYS, adoption.FAMILIES):
        table = _read(world, family, day)
        whole = float(table["downloads"].sum())
        if not whole:
            continue
        for basis in ("total", "active"):
            for low, high in pairwise(edges):
                part = table[(table[basis] > low) & (table[basis] <= high)]
                rows.append(
                    {
                        "day": day.isoformat(),
                        "family": family,
                        "label": _title(world, family),
                        "basis": basis,
                        "above": low,
                        "up_to": high,
                        "share": float(part["downloads"].sum()) / whole,
                        "repositories": len(part),
                        "models": int(part["model"].nunique()),
                    }
                )
            unknown = table[table[basis].isna()]
            rows.append(
                {
                    "day": day.isoformat(),
                    "family": family,
                    "label": _title(world, family),
                    "basis": basis,
                    "above": math.nan,
                    "up_to": math.nan,
                    "share": float(unknown["downloads"].sum()) / whole,
                    "repositories": len(unknown),
                    "models": int(unknown["model"].nunique()),
                }
            )
    return pd.DataFrame(rows)


def hardware_overheads(world: World) -> pd.DataFrame:
    """Share that fits, for other amounts of room on top of the weights."""
    rules = world.evidence.rule("hardware")
    rows = []
    for day, family, overhead in product(_DAYS[:2], adoption.FAMILIES, rules.overheads):
        for card, bits in (("24", sizes.PUBLISHED), ("8", "4")):
            got = adoption.fitting(
                world, family, day, card, bits, "downloads", "family", "in", overhead
            )
            if got.value != got.value:
                continue
            stored = rules.stored("16" if bits == sizes.PUBLISHED else bits)
            rows.append(
                {
                    "day": day.isoformat(),
                    "family": family,
                    "label": _title(world, family),
                    "card": card,
                    "bits": bits,
                    "overhead": overhead,
                    "declared": overhead == rules.overhead,
                    "largest_parameters": sizes.largest(rules.find_card(card), stored, overhead),
                    "value": got.extra["centre"],
                    "lower": got.lower,
                    "upper": got.upper,
                }
            )
    return pd.DataFrame(rows)


def hardware_distinct(world: World) -> pd.DataFrame:
    """Return the distinct sizes in which each family comes, and how many fit a common card."""
    rules = world.evidence.rule("hardware")
    line = sizes.largest(rules.find_card("24"), rules.stored("16"), rules.overhead)
    rows = []
    for day, family in product(_DAYS[:2], adoption.FAMILIES):
        members, rule = adoption.members(world, family, day, "family")
        table = adoption.family_sizes(world, family, rule).loc[sorted(members)]
        # The size that the name states is the size as the maker sells it; else the total, rounded.
        size = table["stated"].fillna(table["total"]).dropna()
        billions: list[float] = []
        for value in sorted({float(f"{value / 1e9:.2g}") for value in size}):
            # 670 and 680 billion are one size, read in two ways.
            if not billions or value > billions[-1] * 1.05:
                billions.append(value)
        small = [value for value in billions if value * 1e9 <= line]
        rows.append(
            {
                "day": day.isoformat(),
                "family": family,
                "label": _title(world, family),
                "repositories": len(table),
                "models": int(table["model"].nunique()),
                "sizes": len(billions),
                "sizes_that_fit": len(small),
                "smallest_billion": billions[0] if billions else math.nan,
                "largest_billion": billions[-1] if billions else math.nan,
                "listed": ", ".join(f"{value:g}" for value in billions),
                "mixtures": int(table["mixture"].sum()),
            }
        )
    return pd.DataFrame(rows)


def hardware_reading(world: World) -> pd.DataFrame:
    """Return where the sizes of each family were read, and what part of downloads has none."""
    rows = []
    for day, family in product(_DAYS, adoption.FAMILIES):
        members, rule = adoption.members(world, family, day, "family")
        table = adoption.family_sizes(world, family, rule).loc[sorted(members)]
        read = _read(world, family, day)
        whole = float(read["downloads"].sum())
        for how in ("stated", "header", "list", "sibling", "name", "unknown"):
            rows.append(
                {
                    "day": day.isoformat(),
                    "family": family,
                    "label": _title(world, family),
                    "how": how,
                    "repositories": int((table["how"] == how).sum()),
                    "read_repositories": int((read["how"] == how).sum()),
                    "share_of_downloads_read": float(
                        read.loc[read["how"] == how, "downloads"].sum()
                    )
                    / whole
                    if whole
                    else math.nan,
                }
            )
    return pd.DataFrame(rows)


def hardware_headers(world: World) -> pd.DataFrame:
    """Hold safetensors headers against the sizes that names state, by declared format."""
    return sizes.header_check(adoption.headers(world), world.evidence.rule("hardware"))


#: Months around the two dates that the counts reach.
_MONTHS: Final = tuple(
    f"{number // 12:04d}-{number % 12 + 1:02d}"
    for number in range(2024 * 12, 2025 * 12 + 2)  # January 2024 to February 2025
)
_COUNTED: Final = ("qwen", "llama", "gemma", "deepseek")
#: Labels of the panel, about a month apart; June 2025 was not observed.
_LABELS: Final = (
    *(date(2025, 2, 26), date(2025, 3, 26), date(2025, 4, 30), date(2025, 5, 28)),
    *(date(2025, 7, 30), date(2025, 8, 27), date(2025, 9, 24), date(2025, 10, 29)),
    *(date(2025, 11, 26), date(2025, 12, 31)),
)
_ONE: Final = "Qwen/Qwen2.5-1.5B-Instruct"


def adoption_months(world: World) -> pd.DataFrame:
    """Return new derivatives by calendar month, family and source, bulk uploads in and out."""
    parts = []
    for source, family, out in product(("counts", "cut"), _COUNTED, (False, True)):
        table = pace.by_month(adoption.part_of(world, source, out, family), _MONTHS)
        parts.append(
            table.assign(
                source=source,
                family=family,
                label=_title(world, family),
                bulk="out" if out else "in",
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    return frame[["source", "family", "label", "bulk", "month", "value", "lower", "upper"]]


def adoption_placebo(world: World) -> pd.DataFrame:
    """Return the change of pace at the release, and at other days on which nothing came out."""
    parts = [
        adoption.other_days(world, bulk == "out", against, months).assign(
            window=months, bulk=bulk, against=against
        )
        for months, bulk, against in product(
            world.evidence.rule("pace").windows, ("in", "out"), ("alone", "llama", "rivals")
        )
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame[["window", "day", "release", "bulk", "against", "value"]]


def adoption_generations(world: World) -> pd.DataFrame:
    """Return new derivatives of Qwen by month and generation of the base."""
    table = adoption.part_of(world, "counts", True, "qwen")
    generation = [adoption.generation(name) for name in table["base"]]
    parts = [
        pace.by_month(part, _MONTHS).assign(generation=name)
        for name, part in table.groupby(pd.Series(generation, index=table.index), sort=True)
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame[["generation", "month", "value", "lower", "upper"]]


def adoption_panel(world: World) -> pd.DataFrame:
    """Return all-time downloads of Qwen's repositories at the first label of the panel."""
    panel = world.inputs.panel
    first = panel[(panel["day"] == pd.Timestamp(_LABELS[0])) & (panel["organisation"] == "Qwen")]
    table = first.sort_values("downloads_all_time", ascending=False, kind="stable")
    whole = float(table["downloads_all_time"].sum())
    rows = []
    for row in table.itertuples():
        name, number = str(row.repository_id), float(str(row.downloads_all_time))
        rows.append(
            {
                "repository": name,
                "created": pd.Timestamp(str(row.created_at)).date().isoformat(),
                "day": _LABELS[0].isoformat(),
                "downloads": number,
                "share": number / whole,
                "excess": world.excess([name], _LABELS[0]),
            }
        )
    return pd.DataFrame(rows)


def adoption_flows(world: World) -> pd.DataFrame:
    """Return downloads gained between labels of the panel, a day, by family and generation."""
    panel = world.inputs.panel
    names = sorted({str(name) for name in panel["repository_id"]})
    group = {}
    for name in names:
        family = world.family["official"].get(name)
        if name == _ONE:
            group[name] = "Qwen2.5-1.5B-Instruct alone"
        elif family == "qwen":
            group[name] = f"Qwen, {adoption.generation(name)}"
        elif name.startswith("deepseek-ai/"):
            r1 = "-r1" in name.lower()
            group[name] = "DeepSeek-R1 and its distilled models" if r1 else "DeepSeek, other"
        elif family in ("llama", "gemma", "mistral"):
            group[name] = _title(world, family)
    table = pace.panel_flows(panel, group, _LABELS)
    days = [
        date.fromisoformat(last).toordinal() - date.fromisoformat(first).toordinal()
        for first, last in zip(table["first"], table["last"], strict=True)
    ]
    return table.assign(a_month=30 * table["gained"] / days)


def attention_likes(world: World) -> pd.DataFrame:
    """Return the most liked repositories on each day that likes were read."""
    parts = []
    for day in adoption.LIKES:
        table = adoption.field_of(world, "likes", day).table
        rate = adoption.field_of(world, "likes-a-day", day).table["number"]
        top = table.sort_values("number", ascending=False, kind="stable").head(12)
        parts.append(
            pd.DataFrame(
                {
                    "day": day,
                    "place": range(1, len(top) + 1),
                    "repository": list(top.index),
                    "created": [d.isoformat() if d == d else "" for d in top["created"]],
                    "china": list(top["china"]),
                    "likes": list(top["number"]),
                    "likes_a_day": list(rate.reindex(top.index)),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def attention_china(world: World) -> pd.DataFrame:
    """Return the most liked repositories of Chinese makers in December 2025, R1 and older ones."""
    table = adoption.field_of(world, "likes", "2025-12-22").table
    own = table[table["china"]].sort_values("number", ascending=False, kind="stable").head(15)
    return pd.DataFrame(
        {
            "repository": list(own.index),
            "created": [d.isoformat() if d == d else "" for d in own["created"]],
            "older": [None if pd.isna(x) else bool(x) for x in own["older"]],
            "likes": list(own["number"]),
        }
    )


def attention_first_month(world: World) -> pd.DataFrame:
    """Return the bases with the most derivatives one month after release."""
    table = adoption.field_of(world, "first-month", "2025-02-18").table
    top = table.sort_values("number", ascending=False, kind="stable").head(15)
    return pd.DataFrame(
        {
            "repository": list(top.index),
            "created": [d.isoformat() if d == d else "" for d in top["created"]],
            "china": list(top["china"]),
            "derivatives": list(top["number"]),
        }
    )


#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made("hardware_fit", hardware_fit, _READINGS, "share of each family that fits each card"),
    Made(
        "hardware_curve",
        hardware_curve,
        _READINGS,
        "downloads read that fall on models up to a size, by total and active parameters",
    ),
    Made(
        "hardware_classes",
        hardware_classes,
        _READINGS,
        "downloads read and models by class of size",
    ),
    Made(
        "hardware_overheads",
        hardware_overheads,
        _READINGS,
        "share that fits, for other amounts of room on top of the weights",
    ),
    Made(
        "hardware_distinct",
        hardware_distinct,
        _READINGS,
        "distinct sizes in which each family comes",
    ),
    Made(
        "hardware_reading",
        hardware_reading,
        _READINGS,
        "where the sizes were read, and what part of the downloads has none",
    ),
    Made(
        "hardware_headers",
        hardware_headers,
        ("hub-stats",),
        "safetensors headers against the sizes that names state",
    ),
    Made(
        "adoption_months",
        adoption_months,
        ("derivative-counts", "hub-stats"),
        "new derivatives by calendar month, family and source",
    ),
    Made(
        "adoption_placebo",
        adoption_placebo,
        ("derivative-counts",),
        "change of pace at the release of Qwen 2.5 and at other days",
    ),
    Made(
        "adoption_generations",
        adoption_generations,
        ("derivative-counts",),
        "new derivatives of Qwen by month and generation of the base",
    ),
    Made(
        "adoption_panel",
        adoption_panel,
        ("panel",),
        "all-time downloads of Qwen's repositories at the first label of the panel",
    ),
    Made(
        "adoption_flows",
        adoption_flows,
        ("panel",),
        "downloads gained between labels of the panel, by family and generation",
    ),
    Made(
        "attention_likes",
        attention_likes,
        ("expansion", "hub-stats", "makers", "organisation-regions", "panel", "top25"),
        "the most liked repositories on each day that likes were read",
    ),
    Made(
        "attention_china",
        attention_china,
        ("expansion", "hub-stats", "makers", "organisation-regions", "panel"),
        "the most liked repositories of Chinese makers in December 2025",
    ),
    Made(
        "attention_first_month",
        attention_first_month,
        ("derivative-counts", "organisation-regions"),
        "bases with the most derivatives one month after release",
    ),
)
