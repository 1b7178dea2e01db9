"""Derived tables on what clouds rent out, what a router passed on, and two survey figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Any, Final

import pandas as pd

from analysis import raw
from analysis.builder.chapters.made import Made
from analysis.claims import services as claims
from analysis.claims.world import World
from analysis.measure import routers, services

_FAMILIES: Final = ("llama", "qwen", "deepseek", "mistral", "gpt-oss", "gemma")
_WEEKDAYS: Final = (
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _title(world: World, family: str) -> str:
    return world.evidence.families.families[family].title


def _clouds(world: World) -> dict[str, str]:
    return {cloud.id: cloud.title for cloud in world.evidence.rule("services").cloud}


def offers_table(world: World) -> pd.DataFrame:
    """Count the models on offer by version, cloud and family."""
    rules, clouds = world.evidence.rule("services"), _clouds(world)
    versions, parts = claims.version_of(world), []
    for day, table in sorted(claims.tables_by_day(world).items()):
        parts.append(
            services.on_offer(table, rules).assign(day=day.isoformat(), version=versions[day])
        )
    frame = pd.concat(parts, ignore_index=True)
    frame["title"] = frame["cloud"].map(clouds)
    frame["label"] = [_title(world, family) for family in frame["family"]]
    names = ["day", "version", "cloud", "title", "family", "label"]
    return frame[[*names, "models", "priced", "retired", "keys"]]


def first_table(world: World) -> pd.DataFrame:
    """Return when each family is first seen on each cloud: an upper bound of the day."""
    counts = {
        (str(row["day"]), str(row["cloud"]), str(row["family"])): int(row["models"])
        for row in offers_table(world).to_dict("records")
    }
    last = max(claims.tables_by_day(world))
    rows = []
    for first in claims.firsts(world, _FAMILIES):
        seen = first.day is not None
        rows.append(
            {
                "cloud": first.cloud,
                "title": first.title,
                "family": first.family,
                "label": _title(world, first.family),
                "after": _iso(first.after),
                "first": _iso(first.day),
                "not_by": None if seen else last.isoformat(),
                "models_first": (
                    counts[(str(_iso(first.day)), first.cloud, first.family)] if seen else 0
                ),
                "models_last": counts[(last.isoformat(), first.cloud, first.family)],
                "grade": "bounded",
            }
        )
    return pd.DataFrame(rows)


def models_table(world: World) -> pd.DataFrame:
    """List every model of Llama and Qwen on each cloud, with the versions that hold it."""
    days, clouds = claims.tables_by_day(world), _clouds(world)
    newest = days[max(days)]
    retired = {
        (cloud, model)
        for (cloud, model), part in newest.groupby(["cloud", "model"])
        if part["retired"].astype("bool").all()
    }
    rows = []
    for (cloud, family, model), seen in services.seen(days, ("cloud", "family", "model")).items():
        if family not in ("llama", "qwen"):
            continue
        own = [
            key
            for table in days.values()
            for key in table.loc[(table["cloud"] == cloud) & (table["model"] == model), "key"]
        ]
        rows.append(
            {
                "cloud": cloud,
                "title": clouds[cloud],
                "family": family,
                "label": _title(world, family),
                "model": model,
                "after": _iso(seen.after),
                "first": _iso(seen.first),
                "last": _iso(seen.last),
                "gone": _iso(seen.gone),
                "retired": (cloud, model) in retired,
                "keys": len(set(own)),
            }
        )
    return pd.DataFrame(rows)


def changes_table(world: World) -> pd.DataFrame:
    """Count what came and what vanished between one version of the price table and the next."""
    rules = world.evidence.rule("services")
    clouds, days = _clouds(world), claims.tables_by_day(world)
    keys: dict[date, dict[str, set[str]]] = {}
    for name, frame in world.evidence.of_kind("service-catalogue").items():
        providers = frame["provider"] if "provider" in frame else [pd.NA] * len(frame)
        found: dict[str, set[str]] = {cloud: set() for cloud in clouds}
        for key, provider in zip(frame["service_key"], providers, strict=True):
            cloud = services.cloud_of(str(key), None if pd.isna(provider) else provider, rules)
            if cloud is not None:
                found[cloud].add(str(key))
        keys[world.evidence.days[name]] = found
    rows = []
    for before, day in pairwise(sorted(keys)):
        for cloud, title in clouds.items():
            gone = keys[before][cloud] - keys[day][cloud]
            models = [
                {
                    (str(family), str(model))
                    for family, model in days[when].loc[
                        days[when]["cloud"] == cloud, ["family", "model"]
                    ].itertuples(index=False, name=None)
                }
                for when in (before, day)
            ]  # fmt: skip
            lost = sorted(model for _, model in models[0] - models[1])
            rows.append(
                {
                    "before": before.isoformat(),
                    "day": day.isoformat(),
                    "cloud": cloud,
                    "title": title,
                    "entries": len(keys[day][cloud]),
                    "new_entries": len(keys[day][cloud] - keys[before][cloud]),
                    "gone_entries": len(gone),
                    "new_models": len(models[1] - models[0]),
                    "gone_models": len(lost),
                    "gone_names": ", ".join(lost),
                }
            )
    return pd.DataFrame(rows)


# ------------------------------------------------------------------------------------ the router


def weeks_table(world: World) -> pd.DataFrame:
    """Say of each file of the router how far its week had come, and what bounds it gives."""
    rules = world.evidence.rule("routers")
    rows = []
    for reading in claims.readings(world):
        day, into = reading.taken.date(), routers.into_week(reading.taken, rules.week_starts)
        row: dict[str, Any] = {
            "version": reading.version,
            "day": day.isoformat(),
            "taken": reading.taken.strftime("%Y-%m-%d %H:%M"),
            "week": routers.week_of(reading.taken, rules.week_starts).date().isoformat(),
            "into_week": round(into, 4),
            "empty": not len(reading.frame),
            "compared": bool(len(reading.frame)) and into >= rules.nearly_complete,
        }
        for section, name in ((routers.MODELS, "models"), (routers.MAKERS, "makers")):
            low, high = routers.whole(reading.frame, section, rules.rounding)
            row[f"{name}_tokens_low"], row[f"{name}_tokens_high"] = low, high
            low, high = routers.openness(reading.frame, section, day, rules)
            row[f"{name}_open_low"], row[f"{name}_open_high"] = low, high
            row[f"{name}_unlisted"] = routers.unlisted(reading.frame, section, rules.rounding)
            row[f"{name}_listed"] = len(routers.section_of(reading.frame, section))
        rows.append(row)
    return pd.DataFrame(rows)


def listed_table(world: World) -> pd.DataFrame:
    """List the makers and models of each file of the router, and whether weights are public."""
    rules = world.evidence.rule("routers")
    family = {maker.id: maker.family for maker in rules.maker}
    rows = []
    for reading in claims.readings(world):
        day = reading.taken.date()
        for section in (routers.MAKERS, routers.MODELS):
            for row in routers.section_of(reading.frame, section).to_dict("records"):
                maker, model = str(row["maker"]), row["router_model"]
                share = None if pd.isna(row["share_pct"]) else float(row["share_pct"])
                rows.append(
                    {
                        "day": day.isoformat(),
                        "section": "makers" if section == routers.MAKERS else "models",
                        "rank": row["rank"],
                        "maker": maker,
                        "model": None if pd.isna(model) else str(model),
                        "family": family.get(maker),
                        "tokens": math.nan if pd.isna(row["tokens"]) else float(row["tokens"]),
                        "share": math.nan if share is None else share / 100,
                        "lower": math.nan if share is None
                        else max(0.0, share - rules.rounding) / 100,
                        "upper": math.nan if share is None
                        else min(100.0, share + rules.rounding) / 100,
                        "weights": rules.maker_weights(maker) if section == routers.MAKERS
                        else rules.model_weights(str(model), day),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def uses_table(world: World) -> pd.DataFrame:
    """List what families with a maker of their own have in the router's lists by use.

    These lists count requests, calls, images or sampled tokens, each its own: their shares are of
    no common whole.
    """
    rules = world.evidence.rule("routers")
    family = {maker.id: maker.family for maker in rules.maker if maker.family}
    rows = []
    for reading in claims.readings(world):
        uses = reading.frame[~reading.frame["section"].isin((routers.MAKERS, routers.MODELS))]
        for row in uses.to_dict("records"):
            if str(row["maker"]) not in family or pd.isna(row["share_pct"]):
                continue
            share = float(row["share_pct"])
            rows.append(
                {
                    "day": reading.taken.date().isoformat(),
                    "section": str(row["section"]),
                    "rank": row["rank"],
                    "maker": str(row["maker"]),
                    "model": None if pd.isna(row["router_model"]) else str(row["router_model"]),
                    "family": family[str(row["maker"])],
                    "share": share / 100,
                    "lower": max(0.0, share - rules.rounding) / 100,
                    "upper": min(100.0, share + rules.rounding) / 100,
                }
            )
    return pd.DataFrame(rows, columns=list(_USES))


_USES: Final = (*("day", "section", "rank", "maker", "model", "family", "share", "lower", "upper"),)


def reset_table(world: World) -> pd.DataFrame:
    """Hold the beginning of the router's week, for every weekday, against what two files say."""
    rules = world.evidence.rule("routers")
    rows: list[dict[str, Any]] = []
    kept = [reading for reading in claims.readings(world) if len(reading.frame)]
    for earlier, later in pairwise(kept):
        weeks = [routers.week_of(each.taken, rules.week_starts) for each in (earlier, later)]
        if weeks[1] - weeks[0] != routers.WEEK:
            continue
        table = routers.part_by_change(earlier.frame, later.frame, rules)
        if table.empty:
            continue
        for starts, name in enumerate(_WEEKDAYS):
            part = routers.into_week(earlier.taken, starts)
            rows.append(
                {
                    "day": earlier.taken.date().isoformat(),
                    "next_day": later.taken.date().isoformat(),
                    "week_starts": name,
                    "declared": starts == rules.week_starts,
                    "by_clock": part,
                    "models": len(table),
                    "by_change": float(table["part"].median()),
                    "lower": float(table["lower"].min()),
                    "upper": float(table["upper"].max()),
                    "agree": bool(table["lower"].max() <= table["upper"].min()),
                    "distance": abs(part - float(table["part"].median())),
                }
            )
    return pd.DataFrame(rows)


# ---------------------------------------------------------------------------------- the surveys


def arithmetic_table(world: World) -> pd.DataFrame:
    """Show how the two figures on enterprises may have come about: sums of published parts."""
    total, vendors = claims.three_vendors(world)
    ratio, part, whole = claims.llama_of_open(world)
    open_part = claims.figure(world, claims.OPEN).value
    words = " + ".join(f"{share:.0f}" for share in vendors.values())
    rows: list[Mapping[str, Any]] = [
        {
            "claim": "enterprise-closed-88",
            "what": "three vendors together: " + ", ".join(vendors),
            "sum": f"{words} = {total:.0f}",
            "result": total / 100,
            "stated": 0.88,
            "figures": claims.VENDORS,
        },
        {
            "claim": "enterprise-closed-88",
            "what": "these three and the open part of the same survey",
            "sum": f"{total:.0f} + {open_part:.0f} = {total + open_part:.0f}",
            "result": (total + open_part) / 100,
            "stated": math.nan,
            "figures": f"{claims.VENDORS}, {claims.OPEN}",
        },
        {
            "claim": "enterprise-closed-88",
            "what": "what the open part leaves in the same survey, if all else is closed",
            "sum": f"100 - {open_part:.0f} = {claims.closed_at_most(world):.0f}",
            "result": claims.closed_at_most(world) / 100,
            "stated": 0.88,
            "figures": claims.OPEN,
        },
        {
            "claim": "llama-70-of-open",
            "what": "Llama over the open part, in an earlier survey",
            "sum": f"{part:.0f} / {whole:.0f} = {100 * ratio:.0f} %",
            "result": ratio,
            "stated": 0.70,
            "figures": claims.EARLIER,
        },
    ]
    return pd.DataFrame(rows).assign(grade="inferred")


# -------------------------------------------------------------------------------- the witnesses

#: Columns that every part's witnesses have.
_WITNESS: Final = (
    *("source", "version", "day", "instrument", "family", "measure", "unit"),
    *("value", "lower", "upper", "grade"),
)


def witnesses(world: World) -> pd.DataFrame:
    """Return models on offer on the clouds, and tokens and shares of the router, in one shape.

    Tokens are of a week to date, and only of files whose weeks were nearly complete; they are of
    one week each and never to be added.
    """
    registry = raw.load_registry()
    rows: list[dict[str, Any]] = []
    for row in offers_table(world).to_dict("records"):
        rows.append(
            {
                "source": registry.find(str(row["version"]))[0].id,
                "version": row["version"],
                "day": row["day"],
                "instrument": row["title"],
                "family": row["family"],
                "measure": "models_on_offer",
                "unit": "models",
                "value": float(row["models"]),
                "lower": float(row["models"]),
                "upper": float(row["models"]),
                "grade": "computed",
            }
        )
    rules = world.evidence.rule("routers")
    weeks = {str(row["version"]): row for row in weeks_table(world).to_dict("records")}
    families = {maker.id: maker.family for maker in rules.maker if maker.family}
    for reading in claims.comparable(world):
        week = weeks[reading.version]
        own = {
            "source": "router",
            "version": reading.version,
            "day": week["day"],
            "instrument": "OpenRouter",
        }
        section = routers.section_of(reading.frame, routers.MAKERS)
        listed = {str(row["maker"]): row for row in section.to_dict("records")}
        whole = (float(week["makers_tokens_low"]), float(week["makers_tokens_high"]))
        rows.append(
            {**own, "family": "all", "measure": "tokens_week_to_date", "unit": "tokens",
             "value": math.nan, "lower": whole[0], "upper": whole[1], "grade": "bounded"}
        )  # fmt: skip
        for maker, family in families.items():
            if maker in listed:
                tokens = float(listed[maker]["tokens"])
                share = float(listed[maker]["share_pct"])
                spans = (
                    ("tokens_week_to_date", "tokens", tokens, tokens, tokens, "computed"),
                    ("share_of_tokens", "share", share / 100, (share - rules.rounding) / 100,
                     (share + rules.rounding) / 100, "bounded"),
                )  # fmt: skip
            else:
                most = float(week["makers_unlisted"])
                spans = (("share_of_tokens", "share", math.nan, 0.0, most, "bounded"),)  # type: ignore[assignment]
            rows += [
                {**own, "family": family, "measure": measure, "unit": unit, "value": value,
                 "lower": lower, "upper": upper, "grade": grade}
                for measure, unit, value, lower, upper, grade in spans
            ]  # fmt: skip
        low, high = float(week["models_open_low"]), float(week["models_open_high"])
        for kind, ends in (("open", (low, high)), ("closed", (1 - high, 1 - low))):
            rows.append(
                {**own, "family": kind, "measure": "share_of_tokens", "unit": "share",
                 "value": math.nan, "lower": ends[0], "upper": ends[1], "grade": "bounded"}
            )  # fmt: skip
    return pd.DataFrame(rows, columns=list(_WITNESS))


_CLOUDS: Final = ("services-tokencost", "services-litellm")

#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made("service_offers", offers_table, _CLOUDS, "models on offer by day, cloud and family"),
    Made("service_first", first_table, _CLOUDS, "first day on which each family is seen"),
    Made("service_models", models_table, _CLOUDS, "every model of Llama and Qwen on each cloud"),
    Made("service_changes", changes_table, _CLOUDS, "what came and vanished between versions"),
    Made("router_weeks", weeks_table, ("router",), "how far each week had come, and open shares"),
    Made("router_listed", listed_table, ("router",), "makers and models listed, with shares"),
    Made("router_uses", uses_table, ("router",), "families in the lists by use, with shares"),
    Made("router_reset", reset_table, ("router",), "on which weekday the counter starts again"),
    Made(
        "enterprise_arithmetic",
        arithmetic_table,
        ("data/reference",),
        "how the figures on enterprises may have come about",
    ),
)
