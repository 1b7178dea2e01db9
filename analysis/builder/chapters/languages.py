"""Derived tables on how good models are by language, and on what the makers wrote of languages."""

from __future__ import annotations

import math
from typing import Any, Final

import pandas as pd

from analysis import raw
from analysis.builder.chapters.made import Made
from analysis.claims import languages as claims
from analysis.claims.world import World
from analysis.measure import languages

#: Kinds of pairs, with what is held against what.
KINDS: Final = {
    "qwen": "Qwen against Llama",
    "mixed": "Qwen against Llama, of unlike kind",
    "rival-llama": "Gemma and Mistral against Llama",
    "qwen-rival": "Qwen against Gemma and Mistral",
}
_ALL: Final = "all"


#: Words of a name that say it was tuned to chat.
_TUNED: Final = ("-Instruct", "-Chat", "-chat-hf", "-it")


def short(model: str) -> str:
    """Return a model's name without its organisation, its experts and its tuning."""
    maker, _, name = model.rpartition("/")
    name = name.partition("#")[0].removesuffix("-2503").removesuffix("-2506")
    name = name.replace("-17B-16E", "")
    tuned = any(word in name for word in _TUNED)
    for word in _TUNED:
        name = name.replace(word, "")
    # Qwen3 has no word for tuned; Llama's and Gemma's names without one are base models.
    return name if tuned or maker not in ("meta-llama", "google") else f"{name} base"


def _label(pair: languages.Pair) -> str:
    return f"{short(pair.a)} / {short(pair.b)}"


def _cells(world: World) -> pd.DataFrame:
    """Differences by pair, language and task, by the first metric."""
    rules = claims.rules_of(world)

    def make() -> pd.DataFrame:
        return languages.by_task(claims.board(world), rules.tasks(_ALL), rules.metric)

    return world.evidence.once("languages.cells", make)


def differences_table(world: World) -> pd.DataFrame:
    """Give the difference of each pair in each language, with both its intervals."""
    rules = claims.rules_of(world)
    table = claims.compared(world, _ALL, rules.metric)
    label = {pair.id: _label(pair) for pair in rules.pair}
    clear = languages.ahead(table, "beyond", rules), languages.behind(table, "beyond", rules)
    wide = (
        languages.ahead(table, "beyond-wide", rules),
        languages.behind(table, "beyond-wide", rules),
    )
    standing = [
        "ahead" if up_wide else "behind" if down_wide
        else "ahead of the board's interval" if up
        else "behind the board's interval" if down else "close"
        for up, down, up_wide, down_wide in zip(*clear, *wide, strict=True)
    ]  # fmt: skip
    out = table.assign(
        label=[label[str(name)] for name in table["pair"]],
        thin=table["tasks"] < rules.thin_below,
        lower=table["difference"] - table["half_width"],
        upper=table["difference"] + table["half_width"],
        wide_lower=table["difference"] - rules.wide_factor * table["half_width"],
        wide_upper=table["difference"] + rules.wide_factor * table["half_width"],
        standing=standing,
        grade="computed",
    ).drop(columns="half_width")
    return out.round(6).sort_values(["kind", "pair", "language"], kind="stable", ignore_index=True)


def pairs_table(world: World) -> pd.DataFrame:
    """Sum up each pair outside English, with English beside it."""
    rules = claims.rules_of(world)
    table, cells = claims.compared(world, _ALL, rules.metric), _cells(world)
    rows: list[dict[str, Any]] = []
    for pair in rules.pair:
        every = table[table["pair"] == pair.id]
        if every.empty:
            continue
        own, english = (every[(every["language"] == rules.english) == one] for one in (False, True))
        thick = own[own["tasks"] >= rules.thin_below]
        won = languages.ahead(own, "any", rules)
        tasks = cells[(cells["pair"] == pair.id) & (cells["language"] != rules.english)]
        mean, low, high = languages.crossed(
            languages.matrix(pd.DataFrame(tasks), "difference", third="task"), rules
        )
        beside = english.iloc[0] if len(english) else None
        half = math.nan if beside is None else float(beside["half_width"])
        centre = math.nan if beside is None else float(beside["difference"])
        rows.append(
            {
                "pair": pair.id,
                "kind": pair.kind,
                "label": _label(pair),
                "a": pair.a,
                "b": pair.b,
                "billions_a": pair.billions[0],
                "billions_b": pair.billions[1],
                "month_a": pair.months[0],
                "month_b": pair.months[1],
                "newer_months": pair.newer,
                "close_in_time": pair.apart <= rules.close_months,
                "known": pair.known,
                "languages": len(own),
                "ahead": int(won.sum()),
                "clearly_ahead": int(languages.ahead(own, "beyond-wide", rules).sum()),
                "clearly_behind": int(languages.behind(own, "beyond-wide", rules).sum()),
                "sign_p": languages.sign_test(int(won.sum()), int((own["difference"] != 0).sum())),
                "difference": mean,
                "lower": low,
                "upper": high,
                "thick_languages": len(thick),
                "thick_ahead": int(languages.ahead(thick, "any", rules).sum()),
                "thick_difference": float(thick["difference"].mean()) if len(thick) else math.nan,
                "english_tasks": 0 if beside is None else int(beside["tasks"]),
                "english": centre,
                "english_lower": centre - rules.wide_factor * half,
                "english_upper": centre + rules.wide_factor * half,
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows).round(6)


def summary_table(world: World) -> pd.DataFrame:
    """Sum up kinds of pairs: all tasks and each, outside English and in it.

    The interval of the share in English is the exact one over pairs.
    """
    rules, cells = claims.rules_of(world), _cells(world)
    rows = []
    for kind, title in KINDS.items():
        for task in (_ALL, *rules.tasks(_ALL)):
            for english in (False, True):
                own = cells[
                    (cells["kind"] == kind) & ((cells["language"] == rules.english) == english)
                ]
                if task != _ALL:
                    own = own[own["task"] == task]
                if own.empty:
                    continue
                each = own.groupby(["pair", "language"], sort=True, as_index=False)[
                    "difference"
                ].mean()
                each["won"] = (each["difference"] > 0).astype("float64")
                cluster = languages.cluster_of(pd.DataFrame(each), rules)
                won = languages.matrix(pd.DataFrame(each), "won")
                part, low, high = languages.crossed(won, rules, cluster=cluster)
                if english:
                    # One language: pairs alone, too few to draw anew.
                    ahead = int(each["won"].sum())
                    low, high = languages.exact_share(ahead, len(each), rules.level)
                mean, least, most = languages.crossed(
                    languages.matrix(own, "difference", third="task"), rules, cluster=cluster
                )
                rows.append(
                    {
                        "kind": kind,
                        "title": title,
                        "task": task,
                        "english": english,
                        "pairs": int(each["pair"].nunique()),
                        "comparisons": len(each),
                        "ahead": int(each["won"].sum()),
                        "share": part,
                        "share_lower": low,
                        "share_upper": high,
                        "difference": mean,
                        "lower": least,
                        "upper": most,
                        "grade": "computed",
                    }
                )
    return pd.DataFrame(rows).round(6)


def left_out_table(world: World) -> pd.DataFrame:
    """Count who is ahead outside English when one task is left out, by kind of pair and by pair.

    Rows of a kind name no pair and have an interval. The first row of each leaves nothing out.
    """
    rules = claims.rules_of(world)
    tasks = rules.tasks(_ALL)
    label = {pair.id: _label(pair) for pair in rules.pair}
    rows: list[dict[str, Any]] = []
    for left_out in ("", *tasks):
        used = [task for task in tasks if task != left_out]
        table = languages.by_language(claims.board(world), used, rules.metric)
        table = table[table["language"] != rules.english]
        table = table.assign(won=languages.ahead(table, "any", rules).astype("float64"))
        for kind, title in KINDS.items():
            own = table[table["kind"] == kind]
            parts = [("", title, own), *(
                (pair.id, label[pair.id], own[own["pair"] == pair.id])
                for pair in rules.pair if pair.kind == kind
            )]  # fmt: skip
            for pair_id, name, part in parts:
                if part.empty:
                    continue
                share, low, high = float(part["won"].mean()), math.nan, math.nan
                if not pair_id:
                    share, low, high = languages.crossed(
                        languages.matrix(part, "won"),
                        rules,
                        cluster=languages.cluster_of(part, rules),
                    )
                rows.append(
                    {
                        "kind": kind,
                        "pair": pair_id,
                        "title": name,
                        "left_out": left_out,
                        "comparisons": len(part),
                        "ahead": int(part["won"].sum()),
                        "share": share,
                        "share_lower": low,
                        "share_upper": high,
                        "grade": "computed",
                    }
                )
    return pd.DataFrame(rows).round(6)


def board_table(world: World) -> pd.DataFrame:
    """Say of each language of the board what was kept and what was left out."""
    rules, compared = claims.rules_of(world), claims.board(world)
    own = compared[compared["kind"] == "qwen"]
    rows = []
    for language, version in sorted(claims.versions(world).items()):
        frame = world.evidence.frame(version)
        kept = frame["variant"].fillna("").isin(rules.variants)
        here = own[own["language"] == language]
        rows.append(
            {
                "language": language,
                "version": version,
                "day": world.evidence.days[version].isoformat(),
                "models": int(frame.loc[kept, "model"].nunique()),
                "left_out": len(frame.loc[~kept, ["model", "variant"]].drop_duplicates()),
                "tasks": int(frame.loc[kept, "task"].nunique()),
                "datasets": int(frame.loc[kept, "dataset"].nunique()),
                "pairs": int(here["pair"].nunique()),
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows)


def arena_table(world: World) -> pd.DataFrame:
    """Give differences of the Arena's ratings by pair and language, raw and style-controlled."""
    rules = claims.rules_of(world)
    parts = []
    for version, frame in world.evidence.of_kind("arena-scores").items():
        parts.append(
            languages.arena(frame, rules.arena).assign(
                version=version,
                day=world.evidence.days[version].isoformat(),
                style_controlled="style" in version,
                grade="computed",
            )
        )
    return pd.concat(parts, ignore_index=True).round(6)


def statements_table(world: World) -> pd.DataFrame:
    """List what the makers' texts say of languages, with line and day.

    A number that a text gives is published, the length of its list is computed.
    """
    table = claims.statements(world)
    counted = table["named"].ne("") & table["stated"].notna()
    return table.assign(grade=["computed" if here else "published" for here in counted])


# -------------------------------------------------------------------------------- the witnesses

_WITNESS: Final = (
    *("source", "version", "day", "instrument", "family", "measure", "unit"),
    *("value", "lower", "upper", "grade"),
)


def witnesses(world: World) -> pd.DataFrame:
    """Return in how many comparisons a family is ahead on the board, and the Arena's differences.

    The board's versions are one a language; a row over all of them names none. A family stands
    against Llama in all rows.
    """
    registry = raw.load_registry()
    day = max(world.evidence.days[name] for name in claims.versions(world).values())
    source = registry.find(next(iter(claims.versions(world).values())))[0].id
    rows: list[dict[str, Any]] = []
    summary = summary_table(world)
    own = summary[(summary["kind"] == "qwen") & (summary["task"] == _ALL)]
    for row in own.to_dict("records"):
        where = "in_english" if row["english"] else "outside_english"
        spans = (
            (f"ahead_of_llama_{where}", "share", "share", "share_lower", "share_upper"),
            (f"less_llama_{where}", "points", "difference", "lower", "upper"),
        )
        rows += [
            {
                "source": source, "version": "", "day": day.isoformat(), "instrument": "EuroEval",
                "family": "qwen", "measure": measure, "unit": unit, "value": row[value],
                "lower": row[lower], "upper": row[upper], "grade": "computed",
            }
            for measure, unit, value, lower, upper in spans
        ]  # fmt: skip
    together = claims.rules_of(world).arena.together
    arena = arena_table(world)
    for row in arena[arena["category"] == together].to_dict("records"):
        style = "style_controlled" if row["style_controlled"] else "as_given"
        rows.append(
            {
                "source": registry.find(str(row["version"]))[0].id,
                "version": row["version"],
                "day": row["day"],
                "instrument": f"Arena, {row['a']} and {row['b']}",
                "family": "qwen",
                "measure": f"rating_less_llama_outside_english_{style}",
                "unit": "points",
                "value": row["difference"],
                "lower": row["lower"],
                "upper": row["upper"],
                "grade": "computed",
            }
        )
    return pd.DataFrame(rows, columns=list(_WITNESS))


_BOARD: Final = ("euroeval",)

#: Tables of this chapter, in order.
TABLES: Final[tuple[Made, ...]] = (
    Made("language_pairs", pairs_table, _BOARD, "each declared pair outside English and in it"),
    Made("language_differences", differences_table, _BOARD, "differences by pair and language"),
    Made("language_summary", summary_table, _BOARD, "kinds of pairs by task, with intervals"),
    Made("language_left_out", left_out_table, _BOARD, "who is ahead without one task at a time"),
    Made("language_board", board_table, _BOARD, "what was kept of each language's table"),
    Made("language_arena", arena_table, ("arena-languages",), "differences of ratings by language"),
    Made(
        "language_statements",
        statements_table,
        ("release-qwen", "release-qwen3", "release-qwen3.5", "release-llama"),
        "what the makers wrote of languages, by release, text and line",
    ),
)
