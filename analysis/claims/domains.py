"""Checks of the claims on derivatives for professions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec
from analysis.claims.world import QWEN, World
from analysis.errors import InputError
from analysis.measure import domains
from analysis.snapshot import families as families_module

#: Families that stand beside Qwen by the same rule.
FAMILIES: Final = (QWEN, "llama", "gemma", "mistral", "deepseek")
#: Where derivatives are looked for.
SOURCES: Final = ("tree", "cut", "edges")
#: Whose derivative a repository is, by its declared bases.
BASES: Final = ("official", "with-reuploads", "any-name")
#: 30-day downloads that a repository needs.
MINIMUM: Final[Mapping[str, int]] = {"any": 0, "ten": 10, "hundred": 100}

CUT: Final = "hub-stats-2026-05"
EDGES: Final = "lineage-2025-06"
_QUANTISED: Final = "quantized"


def rules_of(world: World) -> domains.Rules:
    """Return ``data/domains.toml``."""
    rules = world.evidence.rule("domains")
    assert isinstance(rules, domains.Rules)
    return rules


def labels_of(world: World) -> pd.DataFrame:
    """Return ``data/domain-labels.csv``, checked."""
    table = world.evidence.rule("domain-labels")
    assert isinstance(table, pd.DataFrame)
    return table


def version_of(world: World, source: str) -> str:
    """Return the version that a source stands for; of several trees the newest."""
    if source != "tree":
        return {"cut": CUT, "edges": EDGES}[source]
    found = world.evidence.of_kind("hub-tree")
    if not found:
        raise InputError("no source of kind hub-tree was read: fetch one, `sources` lists them")
    return max(found, key=lambda name: (world.evidence.days[name], name))


def _listed(value: object) -> list[str]:
    if isinstance(value, list | tuple | np.ndarray):
        return sorted({str(one) for one in value if one})
    return []


def derivatives(world: World, source: str) -> pd.DataFrame:
    """Return every repository of a source that declares a base.

    Returns
    -------
    pandas.DataFrame
        ``repository_id``, ``tags``, ``languages``, ``base_models`` (lists), ``quantised``,
        ``downloads_30d``; a row a repository, in order of name.
    """

    def make() -> pd.DataFrame:
        frame = world.evidence.frame(version_of(world, source))
        if "base_id" in frame.columns:
            frame = frame.assign(
                base_relation=frame["base_relation"].astype("object")
                if "base_relation" in frame.columns
                else None
            )
            grouped = frame.groupby("repository_id", sort=True)
            frame = pd.DataFrame(
                {
                    "base_models": grouped["base_id"].agg(list),
                    "base_relation": grouped["base_relation"].agg(
                        lambda own: _QUANTISED if (own == _QUANTISED).any() else ""
                    ),
                }
            ).reset_index()
        out = pd.DataFrame({"repository_id": frame["repository_id"].astype("str")})
        for name in ("tags", "languages", "base_models"):
            values = frame[name] if name in frame.columns else [None] * len(frame)
            out[name] = pd.Series([_listed(v) for v in values], index=out.index, dtype="object")
        relation = frame["base_relation"].astype("object")
        out["quantised"] = (relation == _QUANTISED).fillna(False).astype("bool").to_numpy()
        counters = (
            pd.to_numeric(frame["downloads_30d"], errors="coerce").to_numpy(dtype="float64")
            if "downloads_30d" in frame.columns
            else np.full(len(frame), math.nan)
        )
        out["downloads_30d"] = counters
        own = out["base_models"].map(bool).to_numpy(dtype="bool")
        out = out[own].drop_duplicates("repository_id").sort_values("repository_id")
        return out.reset_index(drop=True)

    return world.evidence.once(f"domains.derivatives {source}", make)


def classified(world: World, source: str) -> pd.DataFrame:
    """Return which domains the words find among the derivatives of a source."""
    return world.evidence.once(
        f"domains.classified {source}",
        lambda: domains.classify(derivatives(world, source), rules_of(world)),
    )


def is_of(world: World, source: str, family: str, base: str) -> pd.Series:
    """Tell which derivatives of a source name a base of a family, under one reading."""

    def make() -> pd.Series:
        lists = derivatives(world, source)["base_models"]
        if base == "any-name":
            return lists.map(lambda own: any(family in one.lower() for one in own)).astype("bool")
        every = pd.Series(sorted({one for own in lists for one in own}), dtype="string")
        assigned = families_module.assign(every, world.evidence.families, base)
        mine = set(every[(assigned == family).fillna(False).to_numpy(dtype="bool")].astype("str"))
        return lists.map(lambda own: any(one in mine for one in own)).astype("bool")

    return world.evidence.once(f"domains.is_of {source} {family} {base}", make)


def chosen(
    world: World, source: str, family: str, base: str, downloads: str, copies: str
) -> pd.DataFrame:
    """Return the derivatives of a family that a specification looks at."""
    rows = derivatives(world, source)
    keep = is_of(world, source, family, base).to_numpy(dtype="bool").copy()
    if MINIMUM[downloads]:
        # A counter that is not given cannot show that it was fetched.
        keep &= (rows["downloads_30d"] >= MINIMUM[downloads]).to_numpy(dtype="bool")
    if copies == "without":
        keep &= ~rows["quantised"].to_numpy(dtype="bool")
    return rows[keep]


def qualities(
    world: World, fields: str, part: str = ""
) -> dict[tuple[str, domains.Unsure], domains.Quality]:
    """Return precision and recall by domain, with uncertain labels taken each way."""
    rules = rules_of(world)
    which = part or rules.estimation.part

    def make() -> dict[tuple[str, domains.Unsure], domains.Quality]:
        sample = domains.sample_of(labels_of(world), which)
        matched = domains.pairs(classified(world, "tree"), fields)
        ways: tuple[domains.Unsure, ...] = ("as labelled", "against", "for")
        return {
            (name, way): domains.quality(sample, matched, name, rules, way)
            for name in rules.names
            for way in ways
        }

    return world.evidence.once(f"domains.qualities {fields} {which}", make)


def counts(
    world: World,
    source: str,
    family: str,
    base: str,
    downloads: str,
    copies: str,
    fields: str,
    counted: str,
) -> dict[str, domains.Count]:
    """Return how many derivatives of a family there are by domain.

    Parameters
    ----------
    counted
        ``words``: what the words find; ``corrected``: times precision over recall;
        ``read``: what we read and found so, from those we were sure of upwards.
    """
    names = rules_of(world).names
    looked_at = set(chosen(world, source, family, base, downloads, copies)["repository_id"])
    if counted == "read":
        table = labels_of(world)
        own = table[table["repository_id"].isin(looked_at)]
        return {
            name: domains.Count(
                float(domains.truth(own, name).sum()),
                float(domains.truth(own, name, "against").sum()),
                math.inf,
            )
            for name in names
        }
    matched = domains.pairs(classified(world, source), fields)
    found = {name: sum(r in looked_at for r, d in matched if d == name) for name in names}
    if counted == "words":
        return {n: domains.Count(float(c), float(c), float(c)) for n, c in found.items()}
    known = qualities(world, fields)
    return {
        name: domains.corrected(
            found[name], known[name, "as labelled"], known[name, "against"], known[name, "for"]
        )
        for name in names
    }


def present(world: World, spec: Spec, line: float) -> Outcome:
    """Return in how many of the domains derivatives of Qwen are present."""
    source, base = str(spec["source"]), str(spec["base"])
    downloads, copies = str(spec["downloads"]), str(spec["copies"])
    fields, counted = str(spec["fields"]), str(spec["counted"])
    got = counts(world, source, QWEN, base, downloads, copies, fields, counted)
    least = rules_of(world).estimation.present
    lower = sum(count.lower >= least for count in got.values())
    upper = sum(count.upper >= least for count in got.values())
    rows = chosen(world, source, QWEN, base, downloads, copies)
    covered = len(rows)
    if counted == "read":
        covered = int(rows["repository_id"].isin(set(labels_of(world)["repository_id"])).sum())
    decided = "yes" if lower >= line else "no" if upper < line else "undetermined"
    titles = domains.words_of(rules_of(world))
    short = [titles[name] for name, count in got.items() if count.lower < least]
    extra: dict[str, float | str] = {
        "not_certain": ", ".join(short) or "none",
        "day": world.evidence.days[version_of(world, source)].isoformat(),
    }
    for name, count in got.items():
        extra[name] = count.value
        extra[f"{name}_lower"] = count.lower
    return Outcome(
        float(lower),
        float(lower),
        float(upper),
        float(lower),
        float(upper),
        covered,
        len(rows),
        decided,
        "a repository that nobody read may be one more"
        if counted == "read"
        else "what the words find, right or wrong"
        if counted == "words"
        else "corrected by precision and recall as measured in the tree",
        extra,
    )


_NUMBERS: Final = ("none", "one", "two", "three", "four", "five", "six")


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _find(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    lower = int(own["lower"])
    if lower >= record["stated_value"]:
        text = f"Yes: at least ten derivatives in each of the {_NUMBERS[lower]} domains"
    else:
        missing = _and(str(own["not_certain"]).split(", "))
        text = f"In {_NUMBERS[lower]} of six domains at least ten; not certain for {missing}"
    fetched = table[
        (table["source"] == own["source"])
        & (table["base"] == own["base"])
        & (table["counted"] == own["counted"])
        & (table["copies"] == own["copies"])
        & (table["downloads"] == "ten")
    ]
    if not fetched.empty:
        still = int(fetched.iloc[0]["lower"])
        text += f"; in {_NUMBERS[still]} of them once each must have been fetched ten times"
    return text


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"domain_derivatives": present}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "domain_derivatives": {
        "source": SOURCES,
        "base": BASES,
        "downloads": tuple(MINIMUM),
        "fields": ("name-or-tags", "name"),
        "counted": ("read", "corrected", "words"),
        "copies": ("with", "without"),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"domain_derivatives": _find}
