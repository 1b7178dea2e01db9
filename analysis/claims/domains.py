"""Checks of the claims on derivatives for professions."""

from __future__ import annotations

import math
from calendar import month_name
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec
from analysis.claims.world import QWEN, World
from analysis.errors import InputError
from analysis.measure import arrivals, domains
from analysis.snapshot import families as families_module
from analysis.snapshot import lineage

#: Families that stand beside Qwen by the same rule.
FAMILIES: Final = (QWEN, "llama", "gemma", "mistral", "deepseek")
#: In place of a family: derivatives of any base.
ALL: Final = "all"
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
        return [str(one) for one in value]
    return []


def derivatives(world: World, source: str) -> pd.DataFrame:
    """Return every repository of a source that declares a base.

    Returns
    -------
    pandas.DataFrame
        ``repository_id``, ``tags``, ``languages``, ``base_models`` (lists), ``quantised``,
        ``downloads_30d``; a row a repository, in order of name. The base is told by the tags,
        or, where the Hub made no tag of it, by the text of the card.
    """

    def make() -> pd.DataFrame:
        frame = world.evidence.frame(version_of(world, source))
        stated = lineage.relations(frame, world.evidence.families)
        bases: dict[str, set[str]] = {}
        for child, base in zip(stated["repository_id"], stated["base_id"], strict=True):
            bases.setdefault(str(child), set()).add(str(base))
        copies = set(stated.loc[stated["base_relation"] == _QUANTISED, "repository_id"])
        if "base_text" in frame.columns:
            # What the card says where the Hub made no relation of it.
            told = frame.dropna(subset=["base_text"])
            for child, text in zip(told["repository_id"], told["base_text"], strict=True):
                own = {part.strip() for part in str(text).split(",")} - {""}
                bases.setdefault(str(child), own)
        if "base_id" in frame.columns:
            frame = frame[["repository_id"]].drop_duplicates()
        names = frame["repository_id"].astype("str")
        out = pd.DataFrame({"repository_id": names})
        out["base_models"] = [sorted(bases.get(name, ())) for name in names]
        for column in ("tags", "languages"):
            values = frame[column] if column in frame.columns else [None] * len(frame)
            out[column] = [_listed(value) for value in values]
        out["quantised"] = names.isin(copies)
        out["downloads_30d"] = (
            pd.to_numeric(frame["downloads_30d"], errors="coerce").to_numpy(dtype="float64")
            if "downloads_30d" in frame.columns
            else math.nan
        )
        out = out[names.isin(bases)].drop_duplicates("repository_id").sort_values("repository_id")
        return out.reset_index(drop=True)

    return world.evidence.once(f"domains.derivatives {source}", make)


def _reader(world: World) -> domains.Classifier:
    """One reader for all sources: what it has read it knows."""
    return world.evidence.once("domains.reader", lambda: domains.Classifier(rules_of(world)))


def of_the_week(world: World) -> pd.Series:
    """Tell which derivatives of the tree are of the days that it holds nearly whole."""
    rules = world.evidence.rule("arrivals")
    assert isinstance(rules, arrivals.Rules)
    frame = world.evidence.frame(version_of(world, "tree")).drop_duplicates("repository_id")
    born = frame.dropna(subset=["created_at"]).set_index("repository_id")["created_at"].dt.date
    mine = set(born.index[(born >= rules.week.first) & (born <= rules.week.last)])
    return derivatives(world, "tree")["repository_id"].isin(mine)


def classified(world: World, source: str) -> pd.DataFrame:
    """Return which domains the words find among the derivatives of a source."""
    return world.evidence.once(
        f"domains.classified {source}",
        lambda: domains.classify(derivatives(world, source), rules_of(world), _reader(world)),
    )


def is_of(world: World, source: str, family: str, base: str) -> pd.Series:
    """Tell which derivatives of a source name a base of a family, under one reading.

    The family :data:`ALL` is every derivative, whatever its base.
    """

    def make() -> pd.Series:
        lists = derivatives(world, source)["base_models"]
        if family == ALL:
            return lists.map(bool).astype("bool")
        if base == "any-name":
            return lists.map(lambda own: any(family in one.lower() for one in own)).astype("bool")
        every = pd.Series(sorted({one for own in lists for one in own}), dtype="string")
        assigned = families_module.assign(every, world.evidence.families, base)
        mine = set(every[(assigned == family).fillna(False).to_numpy(dtype="bool")].astype("str"))
        return lists.map(lambda own: any(one in mine for one in own)).astype("bool")

    return world.evidence.once(f"domains.is_of {source} {family} {base}", make)


def chosen(
    world: World, source: str, family: str, base: str, downloads: str, copies: str
) -> pd.Series:
    """Tell which derivatives of a source a specification looks at, in the order of its rows."""
    rows = derivatives(world, source)
    keep = is_of(world, source, family, base)
    if MINIMUM[downloads]:
        # A counter that is not given cannot show that it was fetched.
        keep = keep & (rows["downloads_30d"] >= MINIMUM[downloads])
    return keep & ~rows["quantised"] if copies == "without" else keep


def found(world: World, source: str, fields: str) -> pd.DataFrame:
    """Tell where the words match: a row a derivative, a column a domain."""

    def make() -> pd.DataFrame:
        names = derivatives(world, source)["repository_id"]
        matched = domains.pairs(classified(world, source), fields)
        return pd.DataFrame(
            {
                domain: names.isin({r for r, d in matched if d == domain})
                for domain in rules_of(world).names
            }
        )

    return world.evidence.once(f"domains.found {source} {fields}", make)


def read(world: World, unsure: domains.Unsure) -> pd.DataFrame:
    """Tell which derivatives of the tree we read and found made for a domain."""

    def make() -> pd.DataFrame:
        names, table = derivatives(world, "tree")["repository_id"], labels_of(world)
        return pd.DataFrame(
            {
                domain: names.isin(
                    set(table.loc[domains.truth(table, domain, unsure), "repository_id"])
                )
                for domain in rules_of(world).names
            }
        )

    return world.evidence.once(f"domains.read {unsure}", make)


def account(repositories: pd.Series) -> pd.Series:
    """Return the account that published each repository."""
    return repositories.str.partition("/")[0].str.lower()


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
    *,
    downloads: str = "any",
    copies: str = "with",
    fields: str = "name-or-tags",
    counted: str = "words",
    per: str = "repository",
) -> dict[str, domains.Count]:
    """Return how many derivatives of a family there are by domain.

    Parameters
    ----------
    counted
        ``words``: what the words find; ``corrected``: times precision over recall;
        ``read``: what we read and found so, from those we were sure of upwards.
    per
        ``repository``, or ``account``: each publisher counted once a domain.
    """
    names = rules_of(world).names
    keep = chosen(world, source, family, base, downloads, copies)
    owner = account(derivatives(world, source)["repository_id"])

    def number(table: pd.DataFrame, domain: str) -> float:
        hit = keep & table[domain]
        return float(owner[hit].nunique() if per == "account" else hit.sum())

    if counted == "read":
        plain, sure = read(world, "as labelled"), read(world, "against")
        return {n: domains.Count(number(plain, n), number(sure, n), math.inf) for n in names}
    table = found(world, source, fields)
    if counted == "words":
        return {n: domains.Count(*[number(table, n)] * 3) for n in names}
    known = qualities(world, fields)
    return {
        name: domains.corrected(
            int(number(table, name)),
            int(keep.sum()),
            known[name, "as labelled"],
            known[name, "against"],
            known[name, "for"],
        )
        for name in names
    }


_NOTES: Final = {
    "read": "a repository without a label may be one more",
    "words": "what the words find, right or wrong",
    "corrected": "corrected by precision and recall as measured in the tree",
}


def present(world: World, spec: Spec, line: float) -> Outcome:
    """Return in how many of the domains derivatives of Qwen are present.

    Every source is a part of the Hub. It can show that a domain is there; what it
    does not hold may lie elsewhere, so the upper end is always all of them.
    """
    source, base = str(spec["source"]), str(spec["base"])
    downloads, copies, counted = str(spec["downloads"]), str(spec["copies"]), str(spec["counted"])
    got = counts(
        world,
        source,
        QWEN,
        base,
        downloads=downloads,
        copies=copies,
        fields=str(spec["fields"]),
        counted=counted,
        per=str(spec["per"]),
    )
    least = rules_of(world).estimation.present
    lower = sum(count.lower >= least for count in got.values())
    keep = chosen(world, source, QWEN, base, downloads, copies)
    rows = derivatives(world, source)["repository_id"]
    labelled = set(labels_of(world)["repository_id"])
    covered = int((keep & rows.isin(labelled)).sum()) if counted == "read" else int(keep.sum())
    titles = domains.words_of(rules_of(world))
    short = [titles[name] for name, count in got.items() if count.lower < least]
    extra: dict[str, float | str] = {
        "line": float(least),
        "not_shown": ", ".join(short) or "none",
        "day": world.evidence.days[version_of(world, source)].isoformat(),
    }
    for name, count in got.items():
        extra[name] = count.value
        extra[f"{name}_lower"] = count.lower
    return Outcome(
        float(lower),
        float(lower),
        float(len(got)),
        float(lower),
        float(len(got)),
        covered,
        # Words look at every name of a part of the Hub: that tells no coverage of anything.
        int(keep.sum()) if counted == "read" else 0,
        "yes" if lower >= line else "undetermined",
        _NOTES[counted],
        extra,
    )


_NUMBERS: Final = (
    *("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
)


def _month(day: str) -> str:
    return f"{month_name[int(day[5:7])]} {day[:4]}"


def _word(number: float) -> str:
    return _NUMBERS[int(number)] if number < len(_NUMBERS) else str(int(number))


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _find(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    """Word what the tree shows, with its margin and its day; then what came before the article."""
    own = table.iloc[0]
    now = table[
        (table["source"] == "tree")
        & (table["base"] == own["base"])
        & (table["copies"] == own["copies"])
        & (table["counted"] == "read")
    ]
    rows = {(str(r["downloads"]), str(r["per"])): r for r in now.to_dict("records")}
    plain = rows.get(("any", "repository"))
    before = (
        f"before the article, in {_month(str(own['day']))}, names show {_word(own['lower'])} of "
        f"{_word(own['upper'])}"
    )
    if plain is None:
        return f"What is left open: {before}"
    line, lower = plain["line"], int(plain["lower"])
    month = _month(str(plain["day"]))
    several = f"{_word(lower)} of {_word(plain['upper'])}"
    of = f"each of {_word(lower)}" if lower == int(plain["upper"]) else several
    text = f"In {month} at least {_word(line)} certain derivatives in {of} domains"
    if lower < record["stated_value"]:
        text += f", not for {_and(str(plain['not_shown']).split(', '))}"
    else:
        ends = {
            name: float(plain[f"{name}_lower"])
            for name in sorted(map(str, plain))
            if f"{name}_lower" in plain
        }
        fewest = min(ends, key=lambda name: ends[name])
        exactly = "exactly" if ends[fewest] == line else "the fewest,"
        text += f", in {fewest} {exactly} {_word(ends[fewest])}"
        if ("any", "account") in rows:
            accounts = rows["any", "account"][f"{fewest}_lower"]
            text += f" from {_word(accounts)} accounts"
    if ("ten", "repository") in rows:
        text += (
            f"; in {_word(rows['ten', 'repository']['lower'])} once each must have been fetched "
            f"{_word(MINIMUM['ten'])} times"
        )
    return f"{text}; {before}"


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
        "per": ("repository", "account"),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"domain_derivatives": _find}
