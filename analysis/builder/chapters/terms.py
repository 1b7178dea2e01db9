"""Derived tables on what the licences of Chinese makers cost, and on a survey of firms."""

from __future__ import annotations

from typing import Final

import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import licensing
from analysis.claims import terms as claims_terms
from analysis.claims.world import World
from analysis.measure import frontier, licensed, terms

_REPOSITORIES: Final = (
    *("makers", "trending", "hub-stats", "radar"),
    *("organisation-regions", "release-qwen", "release-qwen3"),
)
_TEXTS: Final = ("licence-llama", "licence-qwen")
#: The index's file that says of each model's licence whether commercial use is allowed.
_INDEX: Final = "quality-open-2026-07-10"


def _kinds(world: World, table: pd.DataFrame) -> pd.Series:
    """Return the class of each licence; what no class lists is not known."""
    return table["terms"].where(table["terms"].notna(), "unknown")


def shares_table(world: World) -> pd.DataFrame:
    """Repositories and downloads of Chinese makers by file, group of makers and class.

    Where names enter that were read after the file's day, or at the copied repository, all parts
    of its makers are inferred: what is named is no longer unknown.
    """
    rules = claims_terms.rules_of(world)
    rows = []
    for source in rules.source:
        every = claims_terms.catalogue(world, source.day)
        for makers in ("china", "qwen", "others"):
            table = claims_terms.of_makers(world, every, makers)
            counters = table["downloads_30d"].fillna(0).astype("float64")
            kinds = _kinds(world, table)
            grade = "inferred" if (table["named_later"] | table["inherited"]).any() else "computed"
            for entry in rules.terms:
                own = kinds == entry.id
                downloads = float(counters[own].sum())
                rows.append(
                    {
                        "day": source.day.isoformat(),
                        "version": source.version,
                        "lists": source.lists,
                        "whole": source.whole,
                        "makers": makers,
                        "makers_listed": int(table["maker"].nunique()),
                        "terms": entry.id,
                        "label": entry.label,
                        "repositories": int(own.sum()),
                        "of": len(table),
                        "share": int(own.sum()) / len(table) if len(table) else float("nan"),
                        "downloads_30d": downloads,
                        "downloads_share": downloads / float(counters.sum())
                        if counters.sum()
                        else float("nan"),
                        "grade": grade,
                    }
                )
    return pd.DataFrame(rows)


def names_table(world: World) -> pd.DataFrame:
    """Count by file how the names of the licences declared as `other` are known."""
    rows = []
    for source in claims_terms.rules_of(world).source:
        every = claims_terms.catalogue(world, source.day)
        own = every[every["declared"] == licensed.OTHER]
        rows.append(
            {
                "day": source.day.isoformat(),
                "version": source.version,
                "repositories": len(every),
                "other": len(own),
                "named": int(own["name"].notna().sum()),
                "named_later": int(own["named_later"].sum()),
                "inherited": int(own["inherited"].sum()),
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows)


def index_table(world: World) -> pd.DataFrame:
    """Count what an index says of commercial use under the licences of Chinese open weights.

    The flags are the index's own reading of the licences, of its day, and enter no number here.
    """
    frame = world.evidence.frame(_INDEX)
    frontier_rules = world.evidence.rule("frontier")
    assert isinstance(frontier_rules, frontier.FrontierRules)
    regions = frame["board_country"].astype("object").map(dict(frontier_rules.country))
    own = frame[(regions == claims_terms.rules_of(world).makers.region).to_numpy()]
    own = own[own["open_weights"].fillna(False).to_numpy(dtype=bool)]
    # One licence in several spellings of its letters is one.
    licence = own["board_licence"].fillna("not named").astype("str")
    rows = []
    for _, part in own.assign(licence=licence).groupby(licence.str.casefold(), sort=True):
        flag = part["board_commercial"]
        yes = int(flag.fillna(False).sum())
        rows.append(
            {
                "version": _INDEX,
                "licence": part["licence"].sort_values(kind="stable").iloc[0],
                "makers": int(part["board_maker"].nunique()),
                "models": len(part),
                "allowed": yes,
                "forbidden": int(flag.notna().sum()) - yes,
                "not_said": int(flag.isna().sum()),
                "grade": "published",
            }
        )
    columns = ["version", "licence", "makers", "models", "allowed", "forbidden", "not_said"]
    out = pd.DataFrame(rows, columns=[*columns, "grade"])
    return out.sort_values(
        ["models", "licence"], ascending=[False, True], kind="stable"
    ).reset_index(drop=True)


def licences_table(world: World) -> pd.DataFrame:
    """Every licence that a repository of a Chinese maker bears in our files, and its class."""
    rules = claims_terms.rules_of(world)
    known = {entry.id: entry for entry in rules.terms}
    parts = [claims_terms.catalogue(world, one.day) for one in rules.source]
    every = pd.concat(parts)
    every = every.assign(repository=every.index, terms=_kinds(world, every))
    # By its own name where it has one; `other` without a name takes that of its group, which
    # the maker's texts may have given.
    words = []
    for declared, name, group in zip(every["declared"], every["name"], every["group"], strict=True):
        if declared is not None and declared != licensed.OTHER:
            words.append(str(declared))
        elif name is not None:
            words.append(str(name))
        elif group in ("unnamed", licensed.UNDECLARED):
            words.append("other, without a name" if group == "unnamed" else "none declared")
        else:
            words.append(f"by the maker's text: {group}")
    every["licence"] = words
    rows = []
    for (kind, licence), part in every.groupby(["terms", "licence"], sort=True):
        entry = known[str(kind)]
        rows.append(
            {
                "licence": licence,
                "terms": kind,
                "label": entry.label,
                "at_best": entry.at_best,
                "at_worst": entry.at_worst,
                "repositories": int(part["repository"].nunique()),
                "makers": int(part["maker"].nunique()),
                "reason": entry.reason,
                "grade": "inferred" if part["inherited"].any() else "computed",
            }
        )
    order = {entry.id: place for place, entry in enumerate(rules.terms)}
    out = pd.DataFrame(rows)
    out["place"] = [order[kind] for kind in out["terms"]]
    out = out.sort_values(
        ["place", "repositories", "licence"], ascending=[True, False, True], kind="stable"
    )
    return out.drop(columns="place").reset_index(drop=True)


def grants_table(world: World) -> pd.DataFrame:
    """List what each licence text grants: whether without charge, whether anywhere, the line."""
    rules = claims_terms.rules_of(world).grants
    texts = licensing.texts(world)
    rows = []
    for name, frame in world.evidence.of_kind(licensing.TEXTS).items():
        found = {
            "free": terms.grant(frame, rules.free),
            "worldwide": terms.grant(frame, rules.worldwide),
        }
        users = texts[name].threshold
        commercial = texts[name].conditions.get("non-commercial")
        policy = texts[name].conditions.get("acceptable-use")
        rows.append(
            {
                "text": name,
                **{f"{what}_line": None if got is None else got[0] for what, got in found.items()},
                "users": None if users is None else users.users,
                "non_commercial_line": None if commercial is None else commercial.line,
                "policy_line": None if policy is None else policy.line,
                "grade": "computed",
            }
        )
    numbers = ["free_line", "worldwide_line", "users", "non_commercial_line", "policy_line"]
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, "Int64"))


#: What a class says of conditions, where it does not say that there are some.
_CONDITIONS: Final = {
    "free": "none",
    "unread": "own licence, not read",
    "unknown": "not known",
}


def newest_table(world: World) -> pd.DataFrame:
    """List the largest new models of Chinese makers with their licence, the largest first."""
    rules = claims_terms.rules_of(world)
    labels = {entry.id: entry.label for entry in rules.terms}
    rows: dict[str, dict[str, object]] = {}
    for source in rules.source:
        table = claims_terms.catalogue(world, source.day)
        frame = world.evidence.frame(source.version).drop_duplicates("repository_id")
        frame = frame.set_index(frame["repository_id"].astype("str"))
        header = (
            frame["parameters_total"].astype("Float64")
            if "parameters_total" in frame.columns
            else pd.Series(dtype="Float64")
        )
        gates = frame["gated"] if "gated" in frame.columns else pd.Series(dtype="boolean")
        for name, row in table.iterrows():
            made = row["created"]
            if made is None or made < rules.newest.since or row["copy"]:
                continue
            read = header.get(name)
            size = licensed.size_of(str(name)) if read is None or pd.isna(read) else float(read)
            gated = gates.get(name)
            kind = "unknown" if row["terms"] is None else str(row["terms"])
            # The last file that lists a model says what holds today.
            before = rows.get(str(name), {})
            if not size >= rules.newest.least and "parameters" not in before:
                continue
            rows[str(name)] = {
                "repository_id": name,
                "created": made.isoformat(),
                "parameters": max(size, float(str(before.get("parameters", size)))),
                "licence": row["name"] or row["declared"] or "none declared",
                "terms": kind,
                "label": labels[kind],
                "conditions": _CONDITIONS.get(kind, "yes"),
                "gated": None if gated is None or pd.isna(gated) else bool(gated),
                "version": source.version,
                "read_on": source.day.isoformat(),
                # That a licence of its own adds conditions is our reading of its having a name.
                "grade": "inferred"
                if kind == "unread" or row["named_later"] or row["inherited"]
                else "computed",
            }
    out = pd.DataFrame(list(rows.values()))
    out = out.sort_values(
        ["parameters", "repository_id"], ascending=[False, True], kind="stable"
    ).head(rules.newest.count)
    return out.reset_index(drop=True)


def gated_table(world: World) -> pd.DataFrame:
    """Count the gated repositories of Chinese makers in each file that tells."""
    rows = []
    for source in claims_terms.rules_of(world).source:
        frame = world.evidence.frame(source.version)
        if "gated" not in frame.columns:
            continue
        own = claims_terms.catalogue(world, source.day)
        known = frame[frame["repository_id"].astype("str").isin(own.index)].dropna(subset=["gated"])
        rows.append(
            {
                "version": source.version,
                "day": source.day.isoformat(),
                "repositories": len(known),
                "gated": int(known["gated"].sum()),
                "makers": int(own["maker"].nunique()),
                "grade": "computed",
            }
        )
    columns = ["version", "day", "repositories", "gated", "makers", "grade"]
    return pd.DataFrame(rows, columns=columns)


def survey_table(world: World) -> pd.DataFrame:
    """Firms that a survey would have to ask, by the difference that it is to tell."""
    rule = claims_terms.rules_of(world).survey
    return claims_terms.survey(world).assign(
        base=rule.base, confidence=rule.confidence, power=rule.power, grade="inferred"
    )


#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made(
        "terms_shares",
        shares_table,
        _REPOSITORIES,
        "repositories and downloads of Chinese makers by what their licence costs",
    ),
    Made(
        "terms_names",
        names_table,
        _REPOSITORIES,
        "how the names of licences that Chinese makers declare as other are known",
    ),
    Made(
        "terms_index",
        index_table,
        ("quality-open",),
        "what an index says of commercial use under the licences of Chinese makers' open weights",
    ),
    Made(
        "terms_licences",
        licences_table,
        _REPOSITORIES,
        "every licence that Chinese makers' repositories bear, and what it costs",
    ),
    Made(
        "terms_grants",
        grants_table,
        _TEXTS,
        "whether each licence text grants use without charge and anywhere, with the line",
    ),
    Made(
        "terms_newest",
        newest_table,
        _REPOSITORIES,
        "the largest new models of Chinese makers and their licences",
    ),
    Made(
        "terms_gated",
        gated_table,
        ("radar", "organisation-regions"),
        "gated repositories of Chinese makers, where a file tells",
    ),
    Made(
        "terms_survey",
        survey_table,
        ("data/reference",),
        "firms that a survey would have to ask to tell regions apart",
    ),
)
