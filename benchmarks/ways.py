"""Four ways to the same numbers of a Hub: ours, a bare scan, pandas with networkx, Polars.

Each way is a function from a file and the rules to a record of plain numbers; those of ours, of
pandas and of Polars must be equal. The floor reads and computes nothing of use: it hashes every
value of the same columns, so no byte of them can be left unread.

The three that compute take families from the same simple rule (`official` in
``data/families.toml``: an organisation, a pattern on names, and one that excepts), write ids of
renamed organisations with the new name, and take bases from the field ``baseModels``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis import raw
from analysis.snapshot import families as families_module

#: Length of the head, and how many organisations are listed.
DEPTH: Final = 1000

#: Columns that the measures need.
COLUMNS: Final = (
    *("id", "downloads", "downloadsAllTime", "likes", "createdAt", "pipeline_tag", "baseModels"),
)
#: Columns that the whole rows of the known repositories need besides.
MORE: Final = ("lastModified", "library_name", "tags", "cardData", "safetensors")

Record = dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """What decides who belongs to a family, in a form that any library can use."""

    register: families_module.Families
    official: tuple[tuple[str, str, str | None, str | None], ...]
    renamed: Mapping[str, str]

    @classmethod
    def declared(cls) -> Rules:
        """Read the rules of the record."""
        register = families_module.parse(raw.declared("families"))
        official = tuple(
            (name, place.organisation, place.names, place.except_)
            for name, family in register.families.items()
            for place in family.organisations
        )
        return cls(register, official, {entry.old: entry.new for entry in register.renamed})

    def family_of(self, repository: str) -> str | None:
        """Family of one repository, in plain Python."""
        organisation, _, name = repository.partition("/")
        flags = re.IGNORECASE | re.ASCII
        for family, owner, names, without in self.official:
            if owner != organisation or not name:
                continue
            if names is not None and not re.fullmatch(names, name, flags):
                continue
            if without is not None and re.fullmatch(without, name, flags):
                continue
            return family
        return None

    @property
    def owners(self) -> list[str]:
        """Organisations that hold a family."""
        return sorted({owner for _, owner, _, _ in self.official})


# ----------------------------------------------------------------------------------------- ours


def ours(path: Path, rules: Rules) -> Record:
    """Reduce the file as the record does, with the columns that the measures need."""
    return _ours(path, rules, ())


def ours_all(path: Path, rules: Rules) -> Record:
    """Reduce the file with whole rows of the known repositories: licences stand in cards."""
    return _ours(path, rules, None)


def _ours(path: Path, rules: Rules, details: tuple[str, ...] | None) -> Record:
    from analysis.measure import derivatives
    from analysis.snapshot import whole

    got = whole.reduce(path, rules.register, depth=DEPTH, details=details, synthetic=True)
    named = got.named[["repository_id", "downloads_30d"]]
    family = families_module.assign(named["repository_id"], rules.register)
    sums = named["downloads_30d"].groupby(family).sum()
    counted: Record = {}
    for count in ("direct", "transitive"):
        rule = derivatives.Rule(count=count)  # type: ignore[arg-type]
        found = (
            {}
            if got.lineage is None
            else derivatives.count(got.lineage.graph, rules.register, rule).families
        )
        counted[count] = {name: int(group.derivatives) for name, group in found.items()}
    return {
        "rows": got.repositories,
        "sums": dict(got.sums),
        "families": {str(name): int(value) for name, value in sums.items()},
        "head": got.head[["repository_id", "downloads_30d"]].to_numpy().tolist(),
        "organisations": got.organisations.to_numpy().tolist(),
        "tasks": _table(got.tasks),
        "months": _table(got.months),
        **counted,
    }


def _table(frame: Any) -> Record:
    label = frame.columns[0]
    names = frame[label].fillna("").astype("str")
    return dict(zip(names, frame.drop(columns=label).to_numpy().tolist(), strict=True))


# ------------------------------------------------------------------------------------ the floor


def floor(path: Path, rules: Rules) -> Record:
    """Hash every value of the columns that the measures need, and do nothing with it."""
    return _floor(path, COLUMNS)


def floor_all(path: Path, rules: Rules) -> Record:
    """Do the same for all columns that whole rows need."""
    return _floor(path, (*COLUMNS, *MORE))


def floor_query(columns: tuple[str, ...]) -> str:
    """Return the query of the floor."""
    each = ", ".join(f'bit_xor(hash("{name}"))' for name in columns)
    return f"SELECT count(*), {each} FROM read_parquet($1)"


def _floor(path: Path, columns: tuple[str, ...]) -> Record:
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute(floor_query(columns), [str(path)]).fetchone()
    return {"rows": found[0] if found else 0}


# ------------------------------------------------------------------------ pandas and networkx


def pandas_networkx(path: Path, rules: Rules) -> Record:
    """Read the columns with pandas, group them, and walk through a graph of networkx."""
    import networkx as nx
    import pandas as pd

    frame = pd.read_parquet(path, columns=list(COLUMNS))
    for old, new in rules.renamed.items():
        frame["id"] = frame["id"].str.replace(rf"^{re.escape(old)}/", f"{new}/", regex=True)
    frame["organisation"] = frame["id"].str.extract(r"^([^/]+)/", expand=False)
    counters = ["downloads", "downloadsAllTime", "likes"]
    known = frame[frame["organisation"].isin(rules.owners)]
    family = known["id"].map(rules.family_of)
    by_organisation = frame.groupby("organisation").agg(
        repositories=("id", "size"), **{name: (name, "sum") for name in counters}
    )
    by_organisation = by_organisation.reset_index().sort_values(
        ["downloads", "organisation"], ascending=[False, True]
    )
    head = frame[["id", "downloads"]].sort_values(["downloads", "id"], ascending=[False, True])

    def small(label: Any) -> Record:
        grouped = frame.groupby(label, dropna=False)
        sizes = grouped.agg(n=("id", "size"), a=("downloads", "sum"), b=("downloadsAllTime", "sum"))
        names = ["" if pd.isna(name) else str(name) for name in sizes.index]
        return dict(zip(names, sizes.to_numpy().tolist(), strict=True))

    months = small(frame["createdAt"].dt.strftime("%Y-%m"))
    declared = frame.loc[frame["baseModels"].notna(), ["id", "baseModels"]]
    graph = nx.DiGraph()
    for child, bases in zip(declared["id"], declared["baseModels"], strict=True):
        for base in bases["models"]:
            name = _renamed(base["id"], rules)
            if name != child:
                graph.add_edge(name, child)
    members: dict[str, list[str]] = {}
    for node in graph:
        if (one := rules.family_of(node)) is not None:
            members.setdefault(one, []).append(node)
    direct: Record = {}
    transitive: Record = {}
    for name in rules.register.families:
        own = members.get(name, [])
        direct[name] = len({child for node in own for child in graph.successors(node)})
        reached = set(own)
        for node in own:
            if node in graph:
                reached |= nx.descendants(graph, node)
        transitive[name] = len({child for node in reached for child in graph.successors(node)})
    return {
        "rows": len(frame),
        "sums": _sums({name: int(frame[name].sum()) for name in counters}),
        "families": {str(n): int(v) for n, v in known["downloads"].groupby(family).sum().items()},
        "head": head.head(DEPTH).to_numpy().tolist(),
        "organisations": by_organisation.head(DEPTH).to_numpy().tolist(),
        "tasks": small("pipeline_tag"),
        "months": months,
        "direct": direct,
        "transitive": transitive,
    }


def _renamed(repository: str, rules: Rules) -> str:
    organisation, slash, name = repository.partition("/")
    return f"{rules.renamed.get(organisation, organisation)}{slash}{name}"


def _sums(of: Mapping[str, int]) -> Record:
    names = {"downloads": "downloads_30d", "downloadsAllTime": "downloads_all_time"}
    return {names.get(name, name): value for name, value in of.items()}


# --------------------------------------------------------------------------------------- Polars


def polars_lazy(path: Path, rules: Rules) -> Record:
    """Say the same measures as lazy queries of Polars, collected together."""
    import polars as pl

    def current(column: pl.Expr) -> pl.Expr:
        for old, new in rules.renamed.items():
            column = (
                pl.when(column.str.starts_with(f"{old}/"))
                .then(pl.lit(f"{new}/") + column.str.slice(len(old) + 1))
                .otherwise(column)
            )
        return column

    def family() -> pl.Expr:
        owner, name = pl.col("id").str.extract(r"^([^/]+)/"), pl.col("id").str.extract(r"/(.*)$")
        found: pl.Expr = pl.lit(None, pl.String)
        for title, organisation, names, without in reversed(rules.official):
            hit = (owner == organisation) & (name != "")
            if names is not None:
                hit &= name.str.contains(rf"(?i)^(?:{names})$")
            if without is not None:
                hit &= ~name.str.contains(rf"(?i)^(?:{without})$")
            found = pl.when(hit).then(pl.lit(title)).otherwise(found)
        return found

    rows = pl.scan_parquet(path).select(COLUMNS).with_columns(id=current(pl.col("id")))
    rows = rows.with_columns(organisation=pl.col("id").str.extract(r"^([^/]+)/"))
    counters = ("downloads", "downloadsAllTime", "likes")

    def small(label: pl.Expr) -> pl.LazyFrame:
        return rows.group_by(label.alias("label")).agg(
            pl.len(), pl.col("downloads").sum(), pl.col("downloadsAllTime").sum()
        )

    edges = (
        rows.select(child="id", models=pl.col("baseModels").struct.field("models"))
        .filter(pl.col("models").list.len() > 0)
        .explode("models")
        .select("child", base=current(pl.col("models").struct.field("id")))
        .filter(pl.col("child") != pl.col("base"))
        .unique()
    )
    known = rows.filter(pl.col("organisation").is_in(rules.owners)).with_columns(family=family())
    total, families, head, organisations, tasks, months, links = pl.collect_all(
        [
            rows.select(pl.len(), *(pl.col(name).sum() for name in counters)),
            known.drop_nulls("family").group_by("family").agg(pl.col("downloads").sum()),
            rows.select("id", "downloads")
            .sort(["downloads", "id"], descending=[True, False])
            .head(DEPTH),
            rows.drop_nulls("organisation")
            .group_by("organisation")
            .agg(pl.len(), *(pl.col(name).sum() for name in counters))
            .sort(["downloads", "organisation"], descending=[True, False])
            .head(DEPTH),
            small(pl.col("pipeline_tag")),
            small(pl.col("createdAt").dt.strftime("%Y-%m")),
            edges,
        ]
    )
    nodes = pl.concat([links["base"], links["child"]]).unique().alias("id").to_frame().lazy()
    owner = pl.col("id").str.extract(r"^([^/]+)/")
    members = nodes.filter(owner.is_in(rules.owners)).select("id", family=family()).drop_nulls()
    reached = frontier = members.collect()
    found = step = reached.clear()
    direct = None
    while frontier.height:
        step = frontier.join(links, left_on="id", right_on="base").select(
            id="child", family="family"
        )
        step = step.unique()
        direct = step if direct is None else direct
        found = pl.concat([found, step]).unique()
        frontier = step.join(reached, on=["id", "family"], how="anti")
        reached = pl.concat([reached, frontier])
    none = dict.fromkeys(rules.register.families, 0)

    def counted(table: pl.DataFrame | None) -> Record:
        return none if table is None else none | dict(table.group_by("family").len().iter_rows())

    def labelled(table: pl.DataFrame) -> Record:
        return {row[0] or "": list(row[1:]) for row in table.iter_rows()}

    numbers = total.row(0)
    return {
        "rows": numbers[0],
        "sums": _sums(dict(zip(counters, numbers[1:], strict=True))),
        "families": dict(families.iter_rows()),
        "head": [list(row) for row in head.iter_rows()],
        "organisations": [list(row) for row in organisations.iter_rows()],
        "tasks": labelled(tasks),
        "months": labelled(months),
        "direct": counted(direct),
        "transitive": counted(found),
    }


#: By name: the function, whether its numbers are compared, and what it is.
WAYS: Final[Mapping[str, tuple[Callable[[Path, Rules], Record], bool, str]]] = {
    "ours": (ours, True, "our reduction"),
    "floor": (floor, False, "floor: bare DuckDB scan of the same columns"),
    "pandas": (pandas_networkx, True, "pandas.read_parquet and networkx"),
    "polars": (polars_lazy, True, "Polars, lazy"),
    "ours-all": (ours_all, True, "our reduction with whole rows (tags, cards)"),
    "floor-all": (floor_all, False, "floor of the columns of whole rows"),
}
