"""The derived tables: one function a table, from the world to a frame."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd

from analysis.builder.loading import Loaded
from analysis.claims.world import LLAMA, QWEN, RULES, World, head_of
from analysis.measure import bounds, flows, outliers
from analysis.measure import shares as measure_shares
from analysis.snapshot import repeats

# Published figures that the tables cite (files of data/reference).
PUBLISHED = (
    "counter-anomalies",
    "modelpulse-hub-monthly",
    "modelpulse-publishers-monthly",
    "published-figures",
)


def _label(world: World, population: str) -> tuple[str, float]:
    entry = world.inputs.populations.find(population)
    return entry.label, float(entry.order)


def ladder_table(world: World, published: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Qwen's share of each population in each month that the data reach.

    Computed rungs come from readings; published ones are cited and never
    enter a computed or bounded row.
    """
    publishers = published["modelpulse-publishers-monthly"]
    hub = published["modelpulse-hub-monthly"].set_index("month")["downloads_hub"]
    figures = published["published-figures"].set_index("id")
    rows: list[dict[str, Any]] = []
    for anchor in world.inputs.anchors.anchor:
        for name in ("named-makers", "tracked", "text-and-vision", "hub"):
            label, order = _label(world, name)
            row: dict[str, Any] = {
                "month": anchor.month,
                "day": anchor.day.isoformat(),
                "rung": name,
                "label": label,
                "order": order,
                "grade": "bounded",
                "sources": anchor.list_name
                if name in ("named-makers", "tracked")
                else "all readings",
            }
            got = {
                (outlier, treatment): world.share(name, anchor.day, "official", outlier, treatment)
                for outlier in ("in", "out")
                for treatment in ("absent", "pooled", "hard")
            }
            pooled, hard = got["in", "pooled"], got["in", "hard"]
            part_only = pooled.rest.upper == float("inf")
            row |= {
                "share": None if part_only else pooled.value,
                "observed": got["in", "absent"].value,
                "lower": pooled.lower,
                "upper": pooled.upper,
                "hard_lower": hard.lower,
                "hard_upper": hard.upper,
                "share_without_bursts": None if part_only else got["out", "pooled"].value,
                "lower_without_bursts": got["out", "pooled"].lower,
                "upper_without_bursts": got["out", "pooled"].upper,
                "covered_repositories": pooled.covered,
                "population_repositories": pooled.population,
                "note": "Our files see only part of this population: an upper bound."
                if part_only
                else "",
            }
            rows.append(row)
        month = publishers[(publishers["month"] == anchor.month) & (publishers["author"] == "Qwen")]
        for entry in month.itertuples():
            shares = [
                ("text-and-vision", float(str(entry.share_of_textgen_plus_vl)), "as published"),
                (
                    "hub",
                    float(str(entry.downloads)) / float(hub[anchor.month]),
                    (
                        "Qwen's text and vision-language downloads over all downloads of the Hub, "
                        "both as published"
                    ),
                ),
            ]
            for name, value, note in shares:
                label, order = _label(world, name)
                rows.append(
                    {
                        "month": anchor.month,
                        "day": anchor.day.isoformat(),
                        "rung": f"{name}-published",
                        "label": f"{label}, published",
                        "order": order + 0.5,
                        "share": value,
                        "grade": "published",
                        "sources": "Model Pulse (T. Stekel)",
                        "note": note,
                    }
                )
        if anchor.month == "2026-02":
            top = figures.loc["top1000-share"]
            rows.append(
                {
                    "month": anchor.month,
                    "day": anchor.day.isoformat(),
                    "rung": "top-1000-published",
                    "label": "The 1,000 most downloaded, published",
                    "order": 4.0,
                    "share": float(str(top["value"])) / 100,
                    "grade": "published",
                    "sources": f"{top['document']} ({top['authors']})",
                    "note": "Stated in June 2026 for 2026 without a month; "
                    "shown here for its place on the ladder. "
                    "No file of ours holds the thousand most downloaded.",
                }
            )
    table = pd.DataFrame(rows)
    return table.sort_values(["month", "order", "rung"], ignore_index=True)


def head_table(world: World, stated: float) -> pd.DataFrame:
    """Apply the theorem of the head on each of its days (:mod:`analysis.measure.head`)."""
    rows = []
    for entry in world.inputs.heads:
        head = head_of(world, entry)
        rows.append(
            {
                "day": entry.day.isoformat(),
                "source": entry.version,
                "depth": head.depth,
                "head_downloads": head.total,
                "last_entry": head.last,
                "qwen_in_head": head.family,
                "qwen_repositories": head.members,
                "needed_for_half": head.needed(0.5),
                "needed_outside_head": head.needed(0.5) - head.family,
                "share_upper_at_stated": head.largest_share(max(stated, head.family)),
            }
        )
    return pd.DataFrame(rows).sort_values(["day", "source"], ignore_index=True)


def makers_table(world: World, top: int = 14) -> pd.DataFrame:
    """Sum the downloads of the makers on the tracked list, by month."""
    rows = []
    titles = {name: maker.title for name, maker in world.inputs.families.makers.items()}
    for anchor in world.inputs.anchors.anchor:
        members = world.population("tracked", anchor.day, "official")
        for outlier in ("in", "out"):
            table = world.estimate(members, anchor.day, outlier)
            label = [world.maker.get(name, name.split("/", 1)[0]) for name in table.index]
            pooled = measure_shares.totals(table, label, "pooled", world.pooling)
            seen = measure_shares.totals(table, label, "absent")["value"]
            covered = table["seen"].notna().groupby(label).sum()
            size = table["seen"].groupby(label).size()
            for name in pooled["value"].nlargest(top).index:
                rows.append(
                    {
                        "month": anchor.month,
                        "day": anchor.day.isoformat(),
                        "bursts": outlier,
                        "maker": name,
                        "label": titles.get(str(name), str(name)),
                        "population": anchor.list_name,
                        "downloads": pooled.loc[name, "value"],
                        "observed": seen[name],
                        "lower": pooled.loc[name, "lower"],
                        "upper": pooled.loc[name, "upper"],
                        "covered_repositories": int(covered[name]),
                        "population_repositories": int(size[name]),
                        "grade": "bounded",
                    }
                )
    return pd.DataFrame(rows).sort_values(
        ["month", "bursts", "downloads", "maker"],
        ascending=[True, True, False, True],
        ignore_index=True,
    )


def missing_table(world: World, day: date, top: int = 20) -> pd.DataFrame:
    """List the largest repositories that nobody read near `day`, of Qwen and of its rivals."""
    members = world.population("tracked", day, "official")
    table = world.estimate(members, day)
    unread = table[table["seen"].isna()].copy()
    unread["family"] = [world.family["official"].get(str(name)) for name in unread.index]
    unread["own"] = unread["family"] == QWEN
    parts = []
    for own, part in unread.groupby("own", sort=True):
        chosen = part.sort_values(["centre", "upper"], ascending=False, kind="stable").head(top)
        parts.append(chosen.assign(group="Qwen" if own else "others"))
    out = pd.concat(parts).reset_index()
    out["day"] = day.isoformat()
    columns = ["day", "group", "repository_id", "family", "centre", "lower", "upper"]
    return out[[*columns, "hard_lower", "hard_upper", "rule"]].sort_values(
        ["group", "centre", "repository_id"], ascending=[True, False, True], ignore_index=True
    )


def qwen_llama_table(world: World) -> pd.DataFrame:
    """Qwen and Llama side by side: by day, measure and reading of 'family'."""
    rows = []
    for anchor in world.inputs.anchors.anchor:
        for measure in ("downloads_30d", "downloads_all_time"):
            for rule in RULES:
                for name, own in (("Qwen", QWEN), ("Llama", LLAMA)):
                    members = world.existed(
                        {n for n, f in world.family[rule].items() if f == own}, anchor.day
                    )
                    table = world.estimate(members, anchor.day, "in", measure)
                    treatment = "pooled" if measure == "downloads_30d" else "hard"
                    got = measure_shares.total(table, treatment, world.pooling)
                    rows.append(
                        {
                            "day": anchor.day.isoformat(),
                            "measure": measure,
                            "family_rule": rule,
                            "family": name,
                            "downloads": got.value if treatment == "pooled" else None,
                            "observed": float(table["seen"].fillna(0).sum()),
                            "lower": got.lower,
                            "upper": got.upper if got.upper != float("inf") else None,
                            "covered_repositories": int(table["seen"].notna().sum()),
                            "population_repositories": len(table),
                            "grade": "bounded",
                        }
                    )
    return pd.DataFrame(rows)


def generations_table(world: World) -> pd.DataFrame:
    """Qwen's downloads on the tracked list by generation and month."""
    rows = []
    for anchor in world.inputs.anchors.anchor:
        family = world.family["official"]
        members = {
            n for n in world.population("tracked", anchor.day, "official") if family.get(n) == QWEN
        }
        table = world.estimate(members, anchor.day)
        label = []
        for name in table.index:
            found = re.match(r"qwen-?(\d(?:\.\d)?)", str(name).split("/", 1)[1].lower())
            label.append(f"Qwen{found.group(1)}" if found else "other")
        got = measure_shares.totals(table, label, "pooled", world.pooling)
        for name, row in got.iterrows():
            rows.append(
                {
                    "month": anchor.month,
                    "day": anchor.day.isoformat(),
                    "generation": name,
                    "downloads": row["value"],
                    "lower": row["lower"],
                    "upper": row["upper"],
                    "grade": "bounded",
                }
            )
    return pd.DataFrame(rows)


def china_us_table(world: World) -> pd.DataFrame:
    """Flows of the panel by country, for each reading of the grid."""
    parts = []
    for attribution in ("publisher", "base"):
        for repackagers in (False, True):
            for outlier in ("in", "out"):
                leave = world.burst_repositories() if outlier == "out" else frozenset()
                table = flows.by_country(world.inputs.panel, attribution, repackagers, leave)
                parts.append(
                    table.assign(
                        attribution=attribution,
                        repackagers="in" if repackagers else "out",
                        bursts=outlier,
                        grade="computed",
                    )
                )
    return pd.concat(parts, ignore_index=True)


def calibration_table(world: World) -> pd.DataFrame:
    """Say what became of each declared assumption."""
    single = world.calibration.assign(scope="repository")
    sums = world.pooling_report.rename(columns={"groups": "trials"}).assign(scope="sum")
    return pd.concat([single, sums], ignore_index=True)


def rehearsal_table(world: World) -> pd.DataFrame:
    """Rehearsals: shares computed with part of the counters hidden, against the truth."""
    parts = []
    for text in world.inputs.assumptions.rehearsal_days:
        day = date.fromisoformat(text)
        ordinal = day.toordinal()
        read = {
            name
            for name, h in world.histories["in"].items()
            if any(d == ordinal for d, _ in h.rolling)
        }
        members = sorted(read & world.population("tracked", day, "official"))
        truth = world.estimate(members, day)
        hidden = {
            name: replace(
                world.histories["in"][name],
                rolling=tuple(r for r in world.histories["in"][name].rolling if r[0] != ordinal),
            )
            for name in members
        }
        predicted = measure_shares.estimate(members, day, hidden, world.calibrated)
        for part in world.inputs.assumptions.rehearsal_hidden:
            got = measure_shares.rehearse(
                truth,
                predicted,
                world.family["official"],
                QWEN,
                part,
                world.inputs.assumptions.rehearsal_draws,
                world.pooling,
            )
            parts.append(got.assign(day=text, repositories=len(members), hidden=part))
    columns = [
        "day",
        "repositories",
        "hidden",
        "mode",
        "treatment",
        "draws",
        "inside",
        "median_width",
    ]
    return pd.concat(parts, ignore_index=True)[columns]


def sensitivity_table(world: World) -> pd.DataFrame:
    """Apply the burst rule at other ratios than the declared one."""
    rows = []
    anchor = world.inputs.anchors.of_month("2026-02")
    family = world.family["official"]
    members = sorted(
        n for n in world.population("tracked", anchor.day, "official") if family.get(n) == QWEN
    )
    for ratio in world.inputs.bursts.sensitivity:
        found = (
            world.bursts
            if ratio == world.inputs.bursts.ratio
            else outliers.bursts(
                world.histories["in"], world.family["with-reuploads"], world.inputs.bursts, ratio
            )
        )
        quiet = outliers.without(world.readings, found)
        again = bounds.histories(quiet, world.created, {}, members)
        stripped = {n: bounds.History(h.rolling, (), (), h.created) for n, h in again.items()}
        table = measure_shares.estimate(
            members, anchor.day, stripped, world.calibrated, within=anchor.within
        )
        got = measure_shares.total(table, "pooled", world.pooling)
        rows.append(
            {
                "ratio": ratio,
                "declared": ratio == world.inputs.bursts.ratio,
                "episodes": len(outliers.episodes(found)),
                "repositories": found["repository_id"].nunique(),
                "repository_days": len(found),
                "qwen_february": got.value,
                "qwen_february_lower": got.lower,
                "qwen_february_upper": got.upper,
            }
        )
    return pd.DataFrame(rows)


def arithmetic_table(world: World) -> pd.DataFrame:
    """Count where the two counters break their arithmetic, labels as declared and as written."""
    parts = [bounds.check_arithmetic(world.histories["in"]).assign(labels="as declared")]
    plain = world.readings.assign(spread=0)
    known = world.readings.loc[
        world.readings["measure"] == "downloads_all_time", "repository_id"
    ].unique()
    exact = bounds.histories(plain, world.created, {}, known)
    parts.append(bounds.check_arithmetic(exact).assign(labels="taken at their word"))
    declared = {name: replace(world.histories["in"][name], ceilings=()) for name in known}
    broken = {name: bounds.contradicts(history) for name, history in declared.items()}
    conflicts = {
        "as declared": sum(broken.values()),
        # Most readings are taken at their word as they are.
        "taken at their word": sum(
            broken[name] if history == declared.get(name) else bounds.contradicts(history)
            for name, history in exact.items()
        ),
    }
    table = pd.concat(parts, ignore_index=True)
    table["repositories"] = len(known)
    table["repositories_in_conflict"] = table["labels"].map(conflicts)
    return table


def anomalies_table(world: World, loaded: Loaded, listed: pd.DataFrame) -> pd.DataFrame:
    """Hold the published list of misbehaving days against what our own rules see of each."""
    episodes = outliers.episodes(world.bursts).to_dict("records")
    totals: dict[str, dict[int, int]] = {}
    for head in world.inputs.heads:
        kind = head.version.split("-", 1)[0]
        totals.setdefault(kind, {})[head.day.toordinal()] = int(head.frame["downloads_30d"].sum())
    dips = pd.concat(
        [
            outliers.dips(pd.Series(series), world.inputs.bursts).assign(list=kind)
            for kind, series in sorted(totals.items())
        ]
    )
    stale = loaded.panel_repeats[loaded.panel_repeats["verdict"] == "repeat"]["version"].tolist()
    fallen: dict[str, int] = {}
    for history in world.histories["in"].values():
        for ordinal in bounds.falls(history.all_time):
            iso = date.fromordinal(ordinal).isoformat()
            fallen[iso] = fallen.get(iso, 0) + 1
    stalls = _stalls(world)
    rows: list[dict[str, Any]] = []
    for entry in listed.to_dict("records"):
        first, last = date.fromisoformat(str(entry["from"])), date.fromisoformat(str(entry["to"]))
        reach = timedelta(days=7)
        seen = []
        for row in episodes:
            begin, end = date.fromisoformat(row["first"]), date.fromisoformat(row["last"])
            if row["kind"] == "before first reading":
                begin = world.created.get(row["repository_id"], begin)
            common = (min(end, last) - max(begin, first)).days + 1
            longer = max((end - begin).days, (last - first).days) + 1
            # A burst that merely runs through a listed day is not what the list speaks of.
            if common >= 0.3 * longer:
                seen.append(_burst(row))
        seen += [
            f"dip rule: {dip['list']} {dip['day']}, {100 * dip['fall']:.0f} % below"
            for dip in dips.to_dict("records")
            if first <= date.fromisoformat(str(dip["day"])) <= last
        ]
        repeated = [d for d in stale if first <= date.fromisoformat(d) <= last]
        if repeated:
            seen.append(f"repeat rule: panel of {repeated[0]} to {repeated[-1]}")
        seen += [
            f"fall rule: {n} all-time counters at label {d}"
            for d, n in sorted(fallen.items())
            if n >= 5 and first - reach <= date.fromisoformat(d) <= last + reach
        ]
        seen += [text for day, text in stalls if first <= day <= last]
        near = any(first <= one.day <= last for one in world.inputs.heads)
        rows.append(
            {
                "from": first.isoformat(),
                "to": last.isoformat(),
                "what": entry["what"],
                "published_in": entry["source"],
                "seen_here": "; ".join(dict.fromkeys(seen)),
                "why_not": ""
                if seen
                else (
                    "our files of these days show single readings, no second one to compare with"
                    if near
                    else "no file of ours was read on these days"
                ),
            }
        )
    extra = [d for d in stale if not any(r["from"] <= d <= r["to"] for r in rows)]
    rows += [
        {
            "from": d,
            "to": d,
            "what": "every all-time counter of the panel repeats the day before",
            "published_in": "",
            "seen_here": f"repeat rule: panel of {d}",
            "why_not": "",
        }
        for d in extra
    ]
    for row in episodes:
        name = str(row["repository_id"])
        if not any(name in str(r["seen_here"]) for r in rows):
            rows.append(
                {
                    "from": row["first"],
                    "to": row["last"],
                    "what": f"{name} stands at up to {float(row['ratio']):.0f} times its level",
                    "published_in": "",
                    "seen_here": _burst(row),
                    "why_not": "",
                }
            )
    return pd.DataFrame(rows).sort_values(["from", "to", "what"], ignore_index=True)


def _stalls(world: World) -> list[tuple[date, str]]:
    """Days on which counters stand still: many equal in two lists read a day apart."""
    lists = sorted((one.day, one.version) for one in world.inputs.heads)
    found = []
    for day, name in lists:
        for later, other in lists:
            if (later - day).days != 1:
                continue
            pair = {
                key: world.inputs.frames[key].drop_duplicates("repository_id")
                for key in (name, other)
            }
            row = repeats.repeats(pair).versions.iloc[-1]
            if row["verdict"] in ("repeat", "partial refresh"):
                share = f"{row['equal']} of {row['common']}"
                found.append((day, f"repeat rule: {share} counters of {other} as on {day}"))
    return found


def _burst(row: Mapping[Any, Any]) -> str:
    return f"burst rule: {row['repository_id']} {row['first']} to {row['last']}"


def groups_table(loaded: Loaded) -> pd.DataFrame:
    """30-day downloads of organisation groups, all their repositories (kind organisation-weeks)."""
    parts = []
    for name, frame in sorted(loaded.organisation_weeks.items()):
        last = frame.sort_values("week_date", kind="stable").groupby("group", sort=True).tail(1)
        parts.append(
            last[["group", "downloads_30d"]].assign(source=name, day=name[-10:], grade="computed")
        )
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(
        ["day", "downloads_30d", "group"], ascending=[True, False, True], ignore_index=True
    )
