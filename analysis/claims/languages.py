"""Check of the claim on languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec
from analysis.claims.world import QWEN, World
from analysis.errors import InputError
from analysis.measure import languages

_VERSION: Final = re.compile(r"euroeval-([a-z]+)-\d{4}-\d{2}-\d{2}")
_METRICS: Final = {"first": 1, "second": 2}


def rules_of(world: World) -> languages.LanguageRules:
    """Return ``data/languages.toml``."""
    rules: languages.LanguageRules = world.evidence.rule("languages")
    return rules


def versions(world: World) -> dict[str, str]:
    """Return the version of the board's file by language."""
    out = {}
    for name in world.evidence.of_kind("language-scores"):
        found = _VERSION.fullmatch(name)
        if found is None:
            raise InputError(f"data/sources: {name}: a version of scores is named by its language")
        out[found.group(1)] = name
    return out


def board(world: World) -> pd.DataFrame:
    """Return all differences of all pairs (:func:`analysis.measure.languages.board`)."""

    def make() -> pd.DataFrame:
        frames = {lang: world.evidence.frame(name) for lang, name in versions(world).items()}
        return languages.board(frames, rules_of(world))

    table: pd.DataFrame = world.evidence.once("languages.board", make)
    return table


def compared(world: World, tasks: str, metric: int) -> pd.DataFrame:
    """Return the differences by pair and language, English among them."""
    rules = rules_of(world)
    table: pd.DataFrame = world.evidence.once(
        ("languages.compared", tasks, metric),
        lambda: languages.by_language(board(world), rules.tasks(tasks), metric),
    )
    return table


def statements(world: World) -> pd.DataFrame:
    """Return what the makers wrote of languages, by day of release.

    Returns
    -------
    pandas.DataFrame
        ``day`` (ISO, of the release), ``family``, ``release``, ``version`` (of the text), ``line``,
        ``stated`` (number of languages, null where none is), ``named`` (the languages it lists,
        which then are counted here), ``besides`` (languages that the number leaves out), ``about``
        (the model or its tokenizer), ``says`` (our words), ``written`` (ISO, day of the text; of
        Llama's cards that of the copy that we have).
    """

    def make() -> pd.DataFrame:
        days = {(r.family, r.name): r.day for r in world.evidence.rule("releases").release}
        rows = []
        for text in rules_of(world).text:
            if (text.family, text.release) not in days:
                raise InputError(f"data/languages.toml: no release is called {text.release!r}")
            found = languages.stated(world.evidence.frame(text.version), text)
            rows.append(
                {
                    "day": days[text.family, text.release].isoformat(),
                    "family": text.family,
                    "release": text.release,
                    "version": text.version,
                    "written": world.evidence.days[text.version].isoformat(),
                    "line": found.line,
                    "stated": found.number,
                    "named": found.named,
                    "besides": found.besides,
                    "about": text.about,
                    "says": text.paraphrase,
                }
            )
        out = pd.DataFrame(rows).astype({"stated": "Int64"})
        return out.sort_values(["day", "family", "version"], kind="stable", ignore_index=True)

    table: pd.DataFrame = world.evidence.once("languages.statements", make)
    return table


def start(world: World) -> tuple[str, str]:
    """Return the languages that Qwen's first texts put in front, and its first release with many.

    Returns
    -------
    tuple of str
        Languages that the texts of the first release put in front; name of the first release whose
        texts state many. Statements on the tokenizer do not count. Empty where there is none.
    """
    rules, every = rules_of(world), statements(world)
    own = every[(every["family"] == QWEN) & (every["about"] == "model")]
    named = own.loc[(own["release"] == rules.start) & (own["named"] != ""), "named"]
    many = own[own["stated"].fillna(0) >= rules.many]
    return (
        "" if named.empty else " and ".join(str(named.iloc[0]).split(", ")),
        "" if many.empty else str(many["release"].iloc[0]),
    )


def multilingual(world: World, spec: Spec, _line: float) -> Outcome:
    """Share of comparisons outside English in which Qwen is ahead of Llama."""
    rules = rules_of(world)
    pairs = [pair.id for pair in rules.chosen(str(spec["pairs"]))]
    table = compared(world, str(spec["tasks"]), _METRICS[str(spec["metric"])])
    own = table[table["pair"].isin(pairs) & (table["language"] != rules.english)]
    if own.empty:
        return Outcome(None, note="no pair of this kind was run on these tasks")
    own = own.assign(won=languages.ahead(own, str(spec["ahead"]), rules).astype("float64"))
    value, low, high = languages.crossed(
        languages.matrix(own, "won"),
        rules,
        str(spec["weight"]),
        languages.cluster_of(own, rules),
    )
    day = max(world.evidence.days[name] for name in versions(world).values())
    number = own["pair"].nunique()
    named, many = start(world)
    return Outcome(
        value,
        low,
        high,
        low,
        high,
        note=f"{number} pairs in up to {own['language'].nunique()} languages",
        extra={
            "day": day.isoformat(),
            "pairs_compared": int(number),
            "comparisons": len(own),
            "won": int(own["won"].sum()),
            "start_named": named,
            "first_with_many": many,
        },
        whole_interval=True,
    )


def _find(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    won, number = int(own["won"]), int(own["comparisons"])
    low, high, line = float(own["lower"]), float(own["upper"]), float(record["stated_value"])
    said = (
        f"ahead of Llama in {won} of {number} comparisons outside English "
        f"({100 * low:.0f} to {100 * high:.0f} %)"
    )
    if low > line:
        text = f"Often better, on tests: {said}"
    elif high <= line:
        text = f"Not often better, on tests: {said}"
    else:
        text = f"Open whether often better: {said}"
    if own["start_named"]:
        text += f"; at the start above all {own['start_named']}"
    return text


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"multilingual": multilingual}

#: Dimensions of each check and the values it knows.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "multilingual": {
        "pairs": ("like", "with-mixed", "small", "large", "close", "close-in-time"),
        "tasks": ("all", "understanding", "knowledge", "generation"),
        "ahead": ("any", "beyond", "beyond-wide"),
        "weight": ("comparison", "pair"),
        "metric": tuple(_METRICS),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"multilingual": _find}
