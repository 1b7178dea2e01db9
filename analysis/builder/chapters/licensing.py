"""Derived tables on licences and their thresholds."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import pandas as pd

from analysis.builder.chapters.made import Made
from analysis.claims import licensing
from analysis.claims.world import QWEN, World
from analysis.measure import licensed, shares
from analysis.snapshot import families as families_module

_TEXTS: Final = ("licence-llama", "licence-qwen")
_REPOSITORIES: Final = ("makers", "hub-stats", "radar", "release-qwen", "release-qwen3")
#: Days on which the shares of families are compared: the complete catalogue, the cut.
_DAYS: Final = (date(2025, 10, 12), date(2026, 5, 23))
#: Last day that a file gives licences for.
_LAST: Final = date(2026, 8, 22)
_KINDS: Final = ("apache", "permissive", "conditions", "research", "unknown")


def thresholds_table(world: World) -> pd.DataFrame:
    """One row a licence text: licensor, day, threshold with its line and sentence, conditions."""
    rules = licensing.rules_of(world)
    rows = []
    for name, reading in licensing.texts(world).items():
        found = reading.threshold
        row: dict[str, object] = {
            "text": name,
            "title": reading.title.strip("*# "),
            "licensor": reading.licensor,
            "date": reading.dated,
            "users": None if found is None else found.users,
            "line": None if found is None else found.place.line,
            "sentence": None if found is None else found.place.text,
        }
        for condition in rules.condition:
            place = reading.conditions.get(condition.id)
            row[condition.id] = None if place is None else place.line
        rows.append({**row, "grade": "computed"})
    numbers = ["users", "line", *(condition.id for condition in rules.condition)]
    table = pd.DataFrame(rows).astype(dict.fromkeys(numbers, "Int64"))
    order = {"Meta": 0}
    table["place"] = [order.get(str(name), 1) for name in table["licensor"]]
    table = table.sort_values(["place", "date", "text"], kind="stable", na_position="last")
    return table.drop(columns="place").reset_index(drop=True)


def conditions_table(world: World) -> pd.DataFrame:
    """List the conditions looked for, each with its reason."""
    rules = licensing.rules_of(world)
    return pd.DataFrame(
        [
            {"condition": one.id, "label": one.label, "reason": one.reason, "pattern": one.pattern}
            for one in rules.condition
        ]
    )


def _kind(world: World, table: pd.DataFrame) -> list[str]:
    """Kinds of licence; what is not known of a repository is one kind."""
    kinds = licensed.kinds(licensing.rules_of(world))
    known = {one: one for one in _KINDS}
    return [known.get(kinds.get(str(group), ""), "unknown") for group in table["group"]]


def shares_table(world: World) -> pd.DataFrame:
    """Shares of each kind of licence by family, of repositories and of 30-day downloads."""
    rows = []
    families = licensing.rules_of(world).families.shown
    for day in _DAYS:
        for family in families:
            table = licensing.members(world, family, day)
            if table.empty:
                continue
            kinds = dict(zip(table.index, _kind(world, table), strict=True))
            counters = world.estimate(frozenset(table.index), day, "in")
            read = int((table["group"] != licensing.UNREAD).sum())
            for kind in _KINDS:
                count = sum(one == kind for one in kinds.values())
                seen = shares.share(counters, kinds, kind, "absent")
                pooled = shares.share(counters, kinds, kind, "pooled", world.pooling)
                common = {"day": day.isoformat(), "family": family, "kind": kind}
                rows.append(
                    {
                        **common,
                        "measure": "repositories",
                        "count": count,
                        "share": count / len(kinds),
                        "lower": count / len(kinds),
                        "upper": count / len(kinds),
                        "read": read,
                        "repositories": len(kinds),
                        "grade": "computed",
                    }
                )
                exact = pooled.lower == pooled.upper
                rows.append(
                    {
                        **common,
                        "measure": "downloads_30d",
                        "count": seen.part.value,
                        "share": seen.value,
                        "lower": pooled.lower,
                        "upper": pooled.upper,
                        "read": seen.covered,
                        "repositories": len(kinds),
                        "grade": "computed" if exact else "bounded",
                    }
                )
    return pd.DataFrame(rows)


def halves_table(world: World) -> pd.DataFrame:
    """Repositories by family, half-year of creation and kind of licence, all files together."""
    rows = []
    catalogue = _DAYS[0]
    for family in licensing.rules_of(world).families.shown:
        table = licensing.members(world, family, _LAST)
        table = table[table["created"].notna()]
        table = table.assign(
            half=[licensed.half_year(made) for made in table["created"]],
            kind=_kind(world, table),
        )
        sizes = table.groupby("half", sort=True).size().to_dict()
        silent = table[table["kind"] == "unknown"].groupby("half").size().to_dict()
        for (half, kind), part in table.groupby(["half", "kind"], sort=True):
            # The catalogue ends within the second half of 2025.
            end = f"{str(half)[:4]}-{'06-30' if str(half).endswith('1') else '12-31'}"
            complete = date.fromisoformat(end) <= catalogue and family != "gpt-oss"
            rows.append(
                {
                    "family": family,
                    "half_year": half,
                    "kind": kind,
                    "repositories": len(part),
                    "share": len(part) / sizes[half],
                    "of": sizes[half],
                    "licence_unknown": silent.get(half, 0),
                    "complete": complete,
                    "grade": "computed",
                }
            )
    out = pd.DataFrame(rows)
    out["kind"] = pd.Categorical(out["kind"], _KINDS)
    out = out.sort_values(["family", "half_year", "kind"], kind="stable", ignore_index=True)
    return out.astype({"kind": "object"})


def exceptions_table(world: World) -> pd.DataFrame:
    """Repositories of Qwen that are not known to be under Apache 2.0, with their counters."""
    rules = licensing.rules_of(world)
    table = licensing.members(world, QWEN, _LAST)
    labels = {entry.id: entry.label for entry in rules.group}
    labels |= {licensed.UNDECLARED: "none declared"}
    wanted = table[~table["group"].isin([licensing.APACHE, licensing.UNREAD])]
    kinds = dict(zip(wanted.index, _kind(world, wanted), strict=True))
    october, may = (
        world.evidence.frame(name).set_index("repository_id")
        for name in (licensing.CATALOGUE, licensing.CUT)
    )
    trees = [
        frame.set_index("repository_id") for frame in world.evidence.of_kind("hub-tree").values()
    ]
    rows = []
    for name, row in wanted.iterrows():
        repository = str(name)
        latest = [frame for frame in trees if repository in frame.index]
        rows.append(
            {
                "repository_id": repository,
                "created": row["created"].isoformat() if row["created"] is not None else None,
                "licence": labels[str(row["group"])],
                "kind": kinds[repository],
                "known_by": _known_by(world, repository, row),
                "size": licensed.size_class(licensed.size_of(repository), rules.sizes.edges),
                "copy": bool(row["copy"]),
                "downloads_30d_october": _counter(october, repository, "downloads_30d"),
                "downloads_30d_may": _counter(may, repository, "downloads_30d"),
                "downloads_all_time_may": _counter(may, repository, "downloads_all_time"),
                "downloads_30d_august": _counter(latest[-1], repository, "downloads_30d")
                if latest
                else None,
                "grade": "computed",
            }
        )
    numbers = [c for c in rows[0] if c.startswith("downloads")]
    out = pd.DataFrame(rows).astype(dict.fromkeys(numbers, "Int64"))
    out["most"] = out[numbers[:2] + numbers[3:]].max(axis=1)
    out = out.sort_values(["most", "repository_id"], ascending=[False, True], kind="stable")
    return out.drop(columns="most").reset_index(drop=True)


def _counter(frame: pd.DataFrame, repository: str, name: str) -> int | None:
    counters = frame[name].dropna()
    return int(counters[repository]) if repository in counters.index else None


def _known_by(world: World, repository: str, row: pd.Series) -> str:
    """How the licence of a repository is known: a declaration, a copied model, a text."""
    if row["inherited"]:
        return "the model it copies"
    if row["declared"] not in (None, licensed.OTHER):
        return "licence id"
    if row["name"] is not None:
        return "licence name"
    for entry in licensing.rules_of(world).stated:
        if re.fullmatch(entry.repositories, repository):
            return f"{entry.source}, line {entry.line}"
    return "nothing" if row["declared"] is None else "licence id without a name"


def sizes_table(world: World) -> pd.DataFrame:
    """Qwen's repositories in the complete catalogue by size in the name and kind of licence."""
    rules = licensing.rules_of(world)
    day = _DAYS[0]
    table = licensing.members(world, QWEN, day)
    counters = world.estimate(frozenset(table.index), day, "in")["seen"]
    sizes = [licensed.size_of(str(name)) for name in table.index]
    table = table.assign(
        size=[licensed.size_class(size, rules.sizes.edges) for size in sizes],
        kind=_kind(world, table),
        downloads=counters.reindex(table.index).astype("float64"),
    )
    edges = rules.sizes.edges
    order = [licensed.size_class(edge, edges) for edge in (*edges, 2 * edges[-1])]
    rows = []
    for size in [*order, licensed.size_class(float("nan"), edges)]:
        own = table[table["size"] == size]
        if own.empty:
            continue
        for kind in _KINDS:
            part = own[own["kind"] == kind]
            rows.append(
                {
                    "size": size,
                    "kind": kind,
                    "repositories": len(part),
                    "share": len(part) / len(own),
                    "downloads_30d": float(part["downloads"].sum()),
                    "downloads_share": float(part["downloads"].sum() / own["downloads"].sum()),
                    "grade": "computed",
                }
            )
    return pd.DataFrame(rows)


def gated_table(world: World) -> pd.DataFrame:
    """Count the gated repositories of each family in the files that tell."""
    rows = []
    for name, frame in world.evidence.of_kind("hub-tree").items():
        known = frame.dropna(subset=["gated"])
        family = families_module.assign(known["repository_id"], world.evidence.families, "official")
        for one in licensing.rules_of(world).families.shown:
            own = known[(family == one).fillna(False).to_numpy(dtype=bool)]
            rows.append(
                {
                    "version": name,
                    "day": world.evidence.days[name].isoformat(),
                    "family": one,
                    "repositories": len(own),
                    "gated": int(own["gated"].sum()),
                    "grade": "computed",
                }
            )
    return pd.DataFrame(rows)


def agreement_table(world: World) -> pd.DataFrame:
    """How often two files give the same licence for one repository."""
    table = licensed.agreement(licensing.readings(world))
    return table.assign(
        first=[day.isoformat() for day in table["first"]],
        second=[day.isoformat() for day in table["second"]],
        grade="computed",
    )


def statements_table(world: World) -> pd.DataFrame:
    """List what the maker's texts say of the licences of whole generations, with the line."""
    statements = licensing.rules_of(world).statement
    rows = []
    for name, frame in world.evidence.of_kind("release-text").items():
        for line, passage in zip(frame["line"], frame["passage"], strict=True):
            for one in statements:
                if re.search(one.pattern, str(passage), re.IGNORECASE):
                    rows.append(
                        {
                            "text": name,
                            "day": world.evidence.days[name].isoformat(),
                            "line": int(line),
                            "says": one.label,
                            "grade": "published",
                        }
                    )
                    break
    columns = ["text", "day", "line", "says", "grade"]
    out = pd.DataFrame(rows, columns=columns)
    return out.sort_values(["day", "text", "line"], kind="stable", ignore_index=True)


#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made(
        "licence_thresholds",
        thresholds_table,
        _TEXTS,
        "users above which each licence text wants to be asked, with the line of the sentence",
    ),
    Made(
        "licence_conditions",
        conditions_table,
        _TEXTS,
        "further conditions looked for in the licence texts, by pattern",
    ),
    Made(
        "licence_shares",
        shares_table,
        _REPOSITORIES,
        "repositories and downloads by family and kind of licence",
    ),
    Made(
        "licence_halves",
        halves_table,
        _REPOSITORIES,
        "repositories by family, half-year of creation and kind of licence",
    ),
    Made(
        "licence_exceptions",
        exceptions_table,
        _REPOSITORIES,
        "Qwen's repositories that are not known to be under Apache 2.0",
    ),
    Made(
        "licence_sizes",
        sizes_table,
        _REPOSITORIES,
        "Qwen's repositories by size and kind of licence, October 2025",
    ),
    Made(
        "licence_gated",
        gated_table,
        ("radar",),
        "gated repositories by family in August 2026, where a file tells",
    ),
    Made(
        "licence_agreement",
        agreement_table,
        ("makers", "hub-stats", "radar"),
        "how often two files give the same licence for one repository",
    ),
    Made(
        "licence_statements",
        statements_table,
        ("release-qwen", "release-qwen3", "release-qwen3.5"),
        "what Qwen's own texts say of the licences of a generation",
    ),
)
