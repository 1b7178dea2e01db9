"""Derived tables on derivatives for professions."""

from __future__ import annotations

import math
from typing import Any, Final

import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import domains as checks
from analysis.claims.world import QWEN, World
from analysis.measure import domains

_SOURCES: Final = ("radar", "hub-stats", "lineage")
_TREE: Final = ("radar",)
_FIELDS: Final = ("name-or-tags", "name")
_ANY: Final = "any of the five professions"
_WAYS: Final[tuple[domains.Unsure, ...]] = ("as labelled", "against", "for")


def _title(world: World, family: str) -> str:
    return "all bases" if family == checks.ALL else world.evidence.families.titles[family]


def counts_table(world: World) -> pd.DataFrame:
    """Count derivatives by source, family and domain."""
    rules = checks.rules_of(world)
    titles = domains.words_of(rules)
    rows: list[dict[str, Any]] = []
    for source in checks.SOURCES:
        tree = source == "tree"
        fields = "name" if source == "edges" else "name-or-tags"
        for base in ("with-reuploads", "any-name") if tree else ("with-reuploads",):
            for family in (*checks.FAMILIES, checks.ALL):
                if family == checks.ALL and base == "any-name":
                    continue
                rows += _counted(world, source, family, base, fields, titles)
    return pd.DataFrame(rows)


def _counted(
    world: World, source: str, family: str, base: str, fields: str, titles: Any
) -> list[dict[str, Any]]:
    tree = source == "tree"
    whole = int(checks.is_of(world, source, family, base).sum())

    def of(**choice: str) -> dict[str, domains.Count]:
        return checks.counts(world, source, family, base, **{"fields": fields, **choice})

    words = of()
    without, accounts = of(copies="without"), of(per="account")
    fetched = of(downloads="ten") if source != "edges" else {}
    corrected = of(counted="corrected") if tree else {}
    seen = of(counted="read") if tree else {}
    read_accounts = of(counted="read", per="account") if tree else {}
    fetched_read = of(counted="read", downloads="ten") if tree else {}
    sample = domains.sample_of(checks.labels_of(world), "both")
    head: dict[str, Any] = {
        "source": source,
        "day": world.evidence.days[checks.version_of(world, source)].isoformat(),
        "family": _title(world, family),
        "base": base,
        "derivatives": whole,
        "line": float(checks.rules_of(world).estimation.present),
    }
    if tree:
        head["in_week"] = float(
            (checks.is_of(world, source, family, base) & checks.of_the_week(world)).sum()
        )
    table = checks.found(world, source, fields)
    classified = checks.classified(world, source)
    mine = checks.is_of(world, source, family, base)
    names = checks.derivatives(world, source)["repository_id"]
    times = world.evidence.once(
        "domains.redrawn both", lambda: domains.redrawn(sample, checks.rules_of(world))
    )
    inside = sample["repository_id"].isin(set(names[mine])).to_numpy(dtype="bool")
    owner = checks.account(names)
    from_base = pd.DataFrame(
        {
            domain: names.isin(
                set(
                    classified.loc[
                        (classified["domain"] == domain) & classified["by_base"], "repository_id"
                    ]
                )
            )
            for domain in titles
        }
    )
    rows = []
    for domain, title in titles.items():
        estimate = domains.Count(math.nan, math.nan, math.nan)
        if tree:
            rules = checks.rules_of(world)
            estimate = domains.expanded(sample, times, domain, inside, rules)
        hit = mine & table[domain]
        rows.append(
            {
                **head,
                "domain": title,
                "words": words[domain].value,
                "share": words[domain].value / whole if whole else math.nan,
                "without_copies": without[domain].value,
                "new_words": float((hit & ~from_base[domain]).sum()),
                "accounts": accounts[domain].value,
                "largest_account": float(owner[hit].value_counts().max()) if hit.any() else 0.0,
                "fetched_ten": fetched[domain].value if fetched else math.nan,
                "read": seen[domain].value if seen else math.nan,
                "read_sure": seen[domain].lower if seen else math.nan,
                "read_accounts": read_accounts[domain].value if read_accounts else math.nan,
                "read_largest_account": _largest(world, mine, domain, owner) if tree else math.nan,
                "read_fetched_ten": fetched_read[domain].value if fetched_read else math.nan,
                "corrected": corrected[domain].value if corrected else math.nan,
                "corrected_lower": corrected[domain].lower if corrected else math.nan,
                "corrected_upper": corrected[domain].upper if corrected else math.nan,
                "estimated": estimate.value,
                "estimated_lower": estimate.lower,
                "estimated_upper": estimate.upper,
                "grade": "computed",
            }
        )
    # Once over all professions: a repository may be for two, and code is no profession.
    five = [domain for domain in titles if domain != "code"]
    hit = mine & table[five].any(axis=1)
    rows.append(
        {
            **head,
            "domain": _ANY,
            "words": float(hit.sum()),
            "share": float(hit.sum()) / whole if whole else math.nan,
            "without_copies": float((hit & ~checks.derivatives(world, source)["quantised"]).sum()),
            "new_words": float((mine & (table[five] & ~from_base[five]).any(axis=1)).sum()),
            "accounts": float(owner[hit].nunique()),
            "largest_account": float(owner[hit].value_counts().max()) if hit.any() else 0.0,
            **_read_any(world, mine, five, owner, tree),
            "grade": "computed",
        }
    )
    return rows


def _largest(world: World, mine: pd.Series, domain: str, owner: pd.Series) -> float:
    true = mine & checks.read(world, "as labelled")[domain]
    return float(owner[true].value_counts().max()) if true.any() else 0.0


def _read_any(
    world: World, mine: pd.Series, five: list[str], owner: pd.Series, tree: bool
) -> dict[str, float]:
    if not tree:
        return {}
    rows = checks.derivatives(world, "tree")
    true = mine & checks.read(world, "as labelled")[five].any(axis=1)
    sure = mine & checks.read(world, "against")[five].any(axis=1)
    return {
        "read": float(true.sum()),
        "read_sure": float(sure.sum()),
        "read_accounts": float(owner[true].nunique()),
        "read_largest_account": float(owner[true].value_counts().max()) if true.any() else 0.0,
        "read_fetched_ten": float((true & (rows["downloads_30d"] >= 10)).sum()),
    }


def quality_table(world: World) -> pd.DataFrame:
    """Give precision and recall by domain, fields, half of the sample and way with doubts."""
    rules = checks.rules_of(world)
    titles = domains.words_of(rules)
    rows = []
    for fields in _FIELDS:
        matched = domains.pairs(checks.classified(world, "tree"), fields)
        for part in (*domains.PARTS, "both"):
            sample = domains.sample_of(checks.labels_of(world), part)
            got = checks.qualities(world, fields, part)
            times = domains.redrawn(sample, rules)
            for domain, title in titles.items():
                again = domains.resampled(sample, times, matched, domain, rules)
                for way in _WAYS:
                    one = got[domain, way]
                    row: dict[str, Any] = {
                        "domain": title,
                        "fields": fields,
                        "part": part,
                        "unsure": way,
                        "decides": part == rules.estimation.part,
                    }
                    for name, rate in (("precision", one.precision), ("recall", one.recall)):
                        row |= {
                            f"{name}_hits": rate.hits,
                            f"{name}_of": rate.of,
                            name: rate.value,
                            f"{name}_lower": rate.lower,
                            f"{name}_upper": rate.upper,
                        }
                        ends = again[name].quantile([0.025, 0.975]).tolist()
                        row[f"{name}_drawn_lower"], row[f"{name}_drawn_upper"] = ends
                    rows.append(row)
    return pd.DataFrame(rows)


def precision_table(world: World) -> pd.DataFrame:
    """Give the precision of the words in the tree, where every match was read."""
    rules, table = checks.rules_of(world), checks.labels_of(world)
    names = checks.derivatives(world, "tree")["repository_id"]
    words = checks.found(world, "tree", "name-or-tags")
    known = names.isin(set(table["repository_id"]))
    rows = []
    for family, base in ((QWEN, "with-reuploads"), (checks.ALL, "with-reuploads")):
        mine = checks.is_of(world, "tree", family, base)
        for domain, title in domains.words_of(rules).items():
            hit = mine & words[domain]
            right = {way: int((hit & checks.read(world, way)[domain]).sum()) for way in _WAYS}
            seen = int((hit & known).sum())
            rows.append(
                {
                    "family": _title(world, family),
                    "domain": title,
                    "matches": int(hit.sum()),
                    "read": seen,
                    "right": right["as labelled"],
                    "right_sure": right["against"],
                    "right_at_most": right["for"],
                    "precision": right["as labelled"] / seen if seen else math.nan,
                    "precision_lower": right["against"] / seen if seen else math.nan,
                    "precision_upper": right["for"] / seen if seen else math.nan,
                }
            )
    return pd.DataFrame(rows)


def lines_table(world: World) -> pd.DataFrame:
    """Count the domains of Qwen that are present under other lines than the declared one."""
    rules = checks.rules_of(world)
    got = {
        per: checks.counts(world, "tree", QWEN, "with-reuploads", counted="read", per=per)
        for per in ("repository", "account")
    }
    rows = []
    for line in rules.estimation.lines:
        row: dict[str, Any] = {
            "line": line,
            "declared": "yes" if line == rules.estimation.present else "no",
        }
        for per, counted in got.items():
            row[f"{per}_sure"] = sum(count.lower >= line for count in counted.values())
            row[f"{per}_all"] = sum(count.value >= line for count in counted.values())
        rows.append({**row, "domains": len(rules.names)})
    return pd.DataFrame(rows)


def sample_table(world: World) -> pd.DataFrame:
    """List the strata: size, drawn, and what was found in them."""
    rules, table = checks.rules_of(world), checks.labels_of(world)
    rows = []
    for stratum in rules.sample.stratum:
        own = table[table["stratum"] == stratum.id]
        rows.append(
            {
                "stratum": stratum.id,
                "size": stratum.size,
                "drawn": stratum.drawn,
                "tuning": int((own["part"] == "tuning").sum()),
                "held_out": int((own["part"] == "held out").sum()),
                "with_a_domain": int(own["labels"].map(bool).sum()),
                "uncertain": int(own["unsure"].map(bool).sum()),
            }
        )
    own = table[table["part"] == "read"]
    rows.append(
        {
            "stratum": "read in full",
            "size": len(own),
            "drawn": len(own),
            "tuning": 0,
            "held_out": 0,
            "with_a_domain": int(own["labels"].map(bool).sum()),
            "uncertain": int(own["unsure"].map(bool).sum()),
        }
    )
    return pd.DataFrame(rows)


def found_table(world: World) -> pd.DataFrame:
    """List every derivative that we read and found made for a domain."""
    rules, table = checks.rules_of(world), checks.labels_of(world)
    titles = domains.words_of(rules)
    rows = checks.derivatives(world, "tree").set_index("repository_id")
    names = checks.derivatives(world, "tree")["repository_id"]
    qwen = {
        base: set(names[checks.is_of(world, "tree", QWEN, base)])
        for base in ("with-reuploads", "any-name")
    }
    words = checks.found(world, "tree", "name-or-tags").set_index(names)
    out = []
    for domain, title in titles.items():
        own = table[domains.truth(table, domain)].sort_values("repository_id", kind="stable")
        for row in own.itertuples():
            name = str(row.repository_id)
            if name not in rows.index:
                continue
            entry = rows.loc[name]
            out.append(
                {
                    "domain": title,
                    "repository_id": name,
                    "qwen": "yes"
                    if name in qwen["with-reuploads"]
                    else "by name"
                    if name in qwen["any-name"]
                    else "no",
                    "sure": "no" if domain in row.unsure else "yes",  # type: ignore[operator]
                    "from_its_base": "yes" if domain in row.inherited else "no",  # type: ignore[operator]
                    "found_by_words": "yes" if words.loc[name, domain] else "no",
                    "quantised": "yes" if entry["quantised"] else "no",
                    "downloads_30d": entry["downloads_30d"],
                    "reason": str(row.reason),
                }
            )
    return pd.DataFrame(out)


def words_table(world: World) -> pd.DataFrame:
    """List the words of each domain, with what they do and why."""
    rules = checks.rules_of(world)
    rows = []
    for domain in sorted(rules.domain, key=lambda d: d.order):
        for kind, entries in (("counts", domain.word), ("does not count", domain.not_)):
            rows += [
                {
                    "domain": domain.title,
                    "kind": kind,
                    "at": entry.at,
                    "words": ", ".join(entry.texts),
                    "reason": entry.reason,
                }
                for entry in entries
            ]
    return pd.DataFrame(rows)


#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made(
        "domain_counts",
        counts_table,
        _SOURCES,
        "derivatives made for a profession, by source, family and domain",
    ),
    Made(
        "domain_quality",
        quality_table,
        _TREE,
        "precision and recall of the words for each domain, from the labelled sample",
    ),
    Made(
        "domain_precision",
        precision_table,
        _TREE,
        "how many of the words' matches among Qwen's derivatives were right, by reading them",
    ),
    Made(
        "domain_lines",
        lines_table,
        _TREE,
        "in how many domains derivatives of Qwen are present under other lines",
    ),
    Made("domain_sample", sample_table, _TREE, "the strata of the labelled sample"),
    Made(
        "domain_found",
        found_table,
        _TREE,
        "derivatives that were read and found made for a profession",
    ),
    Made("domain_words", words_table, _TREE, "words of each domain, with their reasons"),
)
