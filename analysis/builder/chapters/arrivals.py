"""Derived tables on new repositories."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import arrivals
from analysis.claims.world import QWEN, World
from analysis.measure import arrivals as measure

_AUTHORS_SHOWN: Final = 12
_DAYS_A_WEEK: Final = 7


def _titles(world: World) -> dict[str, str]:
    return world.evidence.families.titles


def shares_table(world: World) -> pd.DataFrame:
    """Return every share of the week, for all families by the same rules."""
    table = arrivals.week_shares(world)
    return table.assign(family=table["family"].map(_titles(world)))


def months_table(world: World) -> pd.DataFrame:
    """Return shares of new work by month, from every source that reaches it.

    The counts are of four makers' bases, so their share is an upper bound.
    """
    rules, titles = arrivals.rules_of(world), _titles(world)
    rows: list[dict[str, Any]] = []
    counted = arrivals.count_months(world)
    whole_until = arrivals.last_whole_month(world)
    for (source, month), part in counted.groupby(["source", "month"], sort=True):
        whole = float(part["gained"].sum())
        if str(month) < rules.counts.first or not whole:
            continue
        own = part.set_index("family")["gained"]
        rows += [
            {
                "source": source,
                "month": month,
                "family": titles[family],
                "base": "official",
                "part": float(own.get(family, 0.0)),
                "whole": whole,
                "bound": "upper",
                # A month that some bases' counts do not reach is cut off: in the table alone.
                "drawn": str(month) <= whole_until,
            }
            for family in arrivals.FAMILIES
            # No catalogue of Mistral's derivatives was counted.
            if (counted["family"] == family).any()
        ]
    cut = arrivals.cut_months(world)
    cut = cut[cut["month"] <= rules.cut.last]
    rows += [
        {
            "source": "cut",
            "month": row["month"],
            "family": titles[str(row["family"])],
            "base": row["base"],
            "part": float(row["part"]),
            "whole": float(row["whole"]),
            "bound": "none",
            "drawn": int(row["whole"]) >= rules.cut.minimum,
        }
        for row in cut.to_dict("records")
        if row["whole"]
    ]
    week = arrivals.week_shares(world)
    plain = week[
        (week["relation"] == "")
        & (week["denominator"] == "declared")
        & (week["copies"] == "in")
        & (week["merges"] == "whole")
        & (week["counted"] == "repository")
        & (week["minimum"] == 0)
    ]
    rows += [
        {
            "source": "tree",
            "month": rules.week.last.isoformat()[:7],
            "family": titles[str(row["family"])],
            "base": row["base"],
            "part": float(row["part"]),
            "whole": float(row["whole"]),
            "lower": float(row["lower"]),
            "upper": float(row["upper"]),
            "bound": "none",
            "drawn": True,
        }
        for row in plain.to_dict("records")
    ]
    out = pd.DataFrame(rows)
    out["value"] = out["part"] / out["whole"]
    return out


def missing_table(world: World) -> pd.DataFrame:
    """Return what the repositories without a declared base can do to the share, by reading."""
    rules, evidence = arrivals.rules_of(world), world.evidence
    new = arrivals.week(world)
    rest = measure.undeclared(new, evidence.frame(rules.week.version))
    flags = arrivals.seen(world, "week").flags.set_index("repository_id")["any"]
    traced = flags.reindex(rest["repository_id"]).fillna(False).to_numpy(dtype=bool)
    named = rest["stated"].map(len).to_numpy() > 0
    keep = new.chosen("declared", "in")
    cards = pd.Series(sorted({b for own in rest["stated"] for b in own}), dtype="string")
    rows = []
    for base in measure.BASES:
        own = measure.members(new.bases(), evidence.families, QWEN, base, rules)
        part, whole = float(new.weights(own)[keep].sum()), float(keep.sum())
        said = measure.members(cards, evidence.families, QWEN, base, rules)
        of_cards = [any(b in said for b in stated) for stated in rest["stated"]]
        every = measure.Missing(part, whole, float(len(rest)))
        traces = measure.Missing(part, whole, float(traced.sum()))
        rows.append(
            {
                "base": base,
                "part": part,
                "whole": whole,
                "value": part / whole,
                "named_in_card": int(named.sum()),
                "of_them_qwen": int(sum(of_cards)),
                "with_cards": (part + sum(of_cards)) / (whole + int(named.sum())),
                "undeclared": len(rest),
                "lower": every.lower,
                "upper": every.upper,
                "with_trace": int(traced.sum()),
                "upper_traces": traces.upper,
            }
        )
    return pd.DataFrame(rows)


def week_table(world: World) -> pd.DataFrame:
    """Return what the week holds, and what became of odd declarations."""
    rules, evidence = arrivals.rules_of(world), world.evidence
    frame = evidence.frame(rules.week.version)
    born = frame["created_at"].dt.date
    own = frame[(born >= rules.week.first) & (born <= rules.week.last)]
    new = arrivals.week(world)
    declared = set(own.loc[own["base_models"].notna(), "repository_id"])
    kept = set(new.rows["repository_id"])
    path = new.edges["base_id"].map(measure.is_path)
    only_path = path.groupby(new.edges["place"]).all()
    itself = new.rows["repository_id"].isin(declared) & (new.rows["bases"] == 0)
    facts = {
        "rows": (len(own), "rows of the days"),
        "spelt twice": (
            len(own) - len(new.rows),
            "rows whose id another row spells in other letter case: one repository renamed",
        ),
        "repositories": (len(new.rows), "new repositories"),
        "authors": (int(new.rows["author"].nunique()), "their authors"),
        "removed": (
            int((own["removed"] & own["repository_id"].isin(kept)).sum()),
            "of them gone again when the tree was read: still counted",
        ),
        "rows with a base": (len(declared), "rows that declare a base by tag"),
        "themselves": (int(itself.sum()), "repositories that name themselves: no declaration"),
        "declared": (int((new.rows["bases"] > 0).sum()), "repositories with a declared base"),
        "several": (int((new.rows["bases"] > 1).sum()), "of them with several bases"),
        "path": (int(only_path.sum()), "of them with nothing but a path on a disk as base"),
        "bases": (len(new.bases()), "distinct bases"),
        "days": ((rules.week.last - rules.week.first).days + 1, "days"),
    }
    return pd.DataFrame(
        [{"fact": name, "value": value, "meaning": text} for name, (value, text) in facts.items()]
    )


def days_table(world: World) -> pd.DataFrame:
    """Return the week by day: Qwen's share, and without what builds on its newest generation."""
    return arrivals.week_days(world)


def authors_table(world: World) -> pd.DataFrame:
    """List the authors with the most new derived work of the week."""
    rules, evidence = arrivals.rules_of(world), world.evidence
    new = arrivals.week(world)
    keep = new.chosen("declared", "in")
    rows = pd.DataFrame({"author": new.rows["author"], "derivatives": keep.astype("int64")})
    for base in measure.BASES:
        own = measure.members(new.bases(), evidence.families, QWEN, base, rules)
        rows[base.replace("-", "_")] = (new.weights(own) * keep).astype("int64")
    rows["quantised"] = (new.rows[measure.QUANTISED] & keep).astype("int64")
    by = rows.groupby("author", sort=True).sum().reset_index()
    by = by[by["derivatives"] > 0]
    total = int(by["derivatives"].sum())
    by = by.sort_values(["derivatives", "author"], ascending=[False, True], kind="stable")
    by["share"] = by["derivatives"] / total
    by["cumulative"] = by["derivatives"].cumsum() / total
    rest = total - by["derivatives"].cumsum()
    for base in ("official", "name"):
        # Qwen's share in the week without this author and those above.
        left = by[base].sum() - by[base].cumsum()
        by[f"{base}_rest"] = (left / rest).where(rest > 0)
    return by.head(_AUTHORS_SHOWN).reset_index(drop=True)


def related_table(world: World) -> pd.DataFrame:
    """Count repositories that relate to each family, by source and by what relates them."""
    days = arrivals.rules_of(world).week
    length = (days.last - days.first).days + 1
    rows = []
    for source in arrivals.SOURCES:
        for family in arrivals.FAMILIES:
            got = arrivals.seen(world, source, family)
            row: dict[str, Any] = {
                "source": source,
                "family": _titles(world)[family],
                "day": got.day.isoformat(),
                "repositories": len(got.flags),
            }
            told = arrivals.told_by(world, source)
            for name in measure.RELATED:
                count = int(got.flags[name].sum()) if name in told else None
                row[name.replace("-", "_")] = count
                if source == "week":
                    row[f"{name.replace('-', '_')}_a_week"] = (
                        None if count is None else count * _DAYS_A_WEEK / length
                    )
            # Over several files a ratio would compare what different files can tell.
            one = source not in ("before", "all")
            if one and {"tag", "base"} <= told and row["base"]:
                row["tag_over_base"] = row["tag"] / row["base"]
                row["tag_over_name"] = row["tag"] / row["name"]
                row["any_over_base"] = row["any"] / row["base"]
            rows.append(row)
    for family in arrivals.FAMILIES:
        largest, total, day = arrivals.counted(world, family)
        if total:
            rows.append(
                {
                    "source": "counts",
                    "family": _titles(world)[family],
                    "day": day.isoformat(),
                    "largest_base": largest,
                    "sum_over_bases": total,
                }
            )
    whole = ["repositories", *(n.replace("-", "_") for n in measure.RELATED), "largest_base",
             "sum_over_bases"]  # fmt: skip
    return pd.DataFrame(rows).astype(dict.fromkeys(whole, "Int64"))


_TREE: Final = ("radar",)
_ALL: Final = (
    "lineage",
    "lineage-open",
    "makers",
    "expansion",
    "roots",
    "derivative-counts",
    "hub-stats",
    "radar",
)

#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made("new_shares", shares_table, _TREE, "shares of a week's new work by definition and family"),
    Made(
        "new_months",
        months_table,
        ("derivative-counts", "hub-stats", "radar"),
        "shares of new work by month, source and family",
    ),
    Made("new_missing", missing_table, _TREE, "what undeclared bases can do to the week's share"),
    Made("new_week", week_table, _TREE, "what the week holds, and odd declarations in it"),
    Made("new_days", days_table, _TREE, "the week by day, with and without the newest release"),
    Made("new_authors", authors_table, _TREE, "the authors with the most new derived work"),
    Made("related", related_table, _ALL, "repositories that relate to a family, by source"),
)
