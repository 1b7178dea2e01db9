"""Checks of the claims on what a licence costs, and what is said of the forecast on Europe."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import pandas as pd

from analysis.claims import licensing, releasing
from analysis.claims.outcome import (
    Check,
    Dimensions,
    Finding,
    Outcome,
    Said,
    Spec,
    day_of,
    percent,
    percents_span,
)
from analysis.claims.world import World
from analysis.measure import licensed, terms
from analysis.snapshot.shaping import licence_of_tags

#: Who is Chinese.
REGIONS: Final = "organisation-regions-2026-08-17"
_SINCE: Final = {"all": None, "2025": date(2025, 1, 1)}


def rules_of(world: World) -> terms.TermRules:
    """Return ``data/terms.toml``."""
    rules = world.evidence.rule("terms")
    assert isinstance(rules, terms.TermRules)
    return rules


def chinese(world: World) -> frozenset[str]:
    """Return the organisations that the list of regions calls Chinese, in lower case."""
    listed = world.evidence.frame(REGIONS)
    own = listed["region"] == rules_of(world).makers.region
    return frozenset(listed.loc[own.fillna(False), "organisation"].astype("str").str.lower())


def _given(world: World, version: str) -> pd.DataFrame:
    """Return a file with a licence column, taken from its tags where it has none."""
    frame = world.evidence.frame(version)
    if "list" in frame.columns:
        # The same repository may stand in more than one list of the file.
        frame = frame.drop_duplicates("repository_id")
    if "licence" not in frame.columns:
        frame = frame.assign(licence=licence_of_tags(frame["tags"]))
    return frame


def _read_on(world: World, source: terms.SourceDay) -> date:
    """Return the day of a source, as its counters establish it where they can."""
    return releasing.day_read(world, source.version)


def readings(world: World) -> pd.DataFrame:
    """Every licence that the declared files give (:func:`analysis.measure.licensed.readings`)."""

    def make() -> pd.DataFrame:
        sources = rules_of(world).source
        return licensed.readings(
            {one.version: _given(world, one.version) for one in sources},
            {one.version: _read_on(world, one) for one in sources},
        )

    return world.evidence.once("terms.readings", make)


def catalogue(world: World, day: date) -> pd.DataFrame:
    """Repositories of Chinese makers that the file of a day lists, with licence and class.

    Returns
    -------
    pandas.DataFrame
        Index ``repository_id``; ``maker`` (organisation), ``declared``, ``name`` (that a card
        gives to a licence of its own), ``named_later`` (no file up to the day gives the name of
        this repository's licence), ``inherited`` (no file at all does: the name is that of the
        copied repository), ``group`` (of ``data/licences.toml``), ``terms`` (class; null where
        none lists the licence), ``terms_then`` (class by the files up to the day alone, nothing
        inherited), ``created``, ``copy`` (quantised copy), ``original`` (what it copies, lower
        case), ``downloads_30d``.
    """

    def make() -> pd.DataFrame:
        source, rules = rules_of(world).on(day), rules_of(world)
        frame = _given(world, source.version).drop_duplicates("repository_id")
        makers = frame["repository_id"].astype("str").str.partition("/")[0]
        frame = frame[makers.str.lower().isin(chinese(world)).to_numpy()]
        frame = frame.set_index(frame["repository_id"].astype("str"))
        copies = licensing.Copies(world)
        read_on = _read_on(world, source)
        every = readings(world)

        def told(rows: pd.DataFrame, original: Callable[[str], str | None] | None) -> pd.DataFrame:
            found = licensed.known(rows, read_on, original).reindex(frame.index).astype("object")
            return found.where(found.notna(), None)

        def grouped(one: pd.DataFrame) -> pd.Series:
            return licensed.groups(one, licensing.rules_of(world), by_name=True)

        table = told(every, copies.original)
        then = told(every[[day <= read_on for day in every["day"]]], None)
        groups, groups_then = grouped(table), grouped(then)
        made = releasing.created(world)
        originals = [copies.original(name) for name in table.index]
        return pd.DataFrame(
            {
                "maker": [name.partition("/")[0] for name in table.index],
                "declared": table["declared"],
                "name": table["name"],
                "named_later": [
                    name is not None and before is None
                    for name, before in zip(table["name"], then["name"], strict=True)
                ],
                "inherited": [one is True for one in table["inherited"]],
                "group": groups,
                "terms": terms.classes(table["name"], table["declared"], groups, rules),
                "terms_then": terms.classes(then["name"], then["declared"], groups_then, rules),
                "created": [
                    known if known is not None else made.get(name)
                    for name, known in zip(table.index, table["created"], strict=True)
                ],
                "copy": [one is not None for one in originals],
                "original": originals,
                "downloads_30d": frame["downloads_30d"].astype("Float64"),
            }
        ).sort_index(kind="stable")

    return world.evidence.once(f"terms.catalogue.{day}", make)


def of_makers(world: World, table: pd.DataFrame, makers: str) -> pd.DataFrame:
    """Return the rows of a catalogue of the Chinese makers asked for.

    Parameters
    ----------
    makers
        ``china`` (all), ``qwen``, or ``others`` (all but Alibaba's organisations).
    """
    if makers == "china":
        return table
    if makers == "qwen":
        return table[table["maker"] == "Qwen"]
    alibaba = {name.lower() for name in rules_of(world).makers.alibaba}
    return table[~table["maker"].str.lower().isin(alibaba)]


def models(table: pd.DataFrame) -> pd.DataFrame:
    """Return a catalogue without quantised copies of what it lists itself."""
    listed = {str(name).lower() for name in table.index}
    return table[[one is None or one not in listed for one in table["original"]]]


def licence_cost(world: World, spec: Spec, line: float) -> Outcome:
    """Share of the repositories of Chinese makers whose licence costs nothing, on a day.

    The value is that of the licences known, the interval lets the others be either. The interval
    that the data force does without names that were read later or at the copied repository.
    """
    day, weight = day_of(spec["day"]), str(spec["weight"])
    source = rules_of(world).on(day)
    table = of_makers(world, catalogue(world, day), str(spec["makers"]))
    since = _SINCE[str(spec["created"])]
    if since is not None:
        table = table[[made is not None and made >= since for made in table["created"]]]
    if weight == "models":
        table = models(table)
    answer = terms.answers(table["terms"], str(spec["free"]), rules_of(world))
    # Without what was read after the day, or at another repository.
    forced = terms.answers(table["terms_then"], str(spec["free"]), rules_of(world))
    found = answer.value_counts().to_dict()
    free, open_ = int(found.get(terms.FREE, 0)), int(found.get(terms.OPEN, 0))
    extra: dict[str, float | str] = {
        "day": _read_on(world, source).isoformat(),
        "free_of": free,
        "licence_open": open_,
        "named_later": int(table["named_later"].sum()),
        "inherited": int(table["inherited"].sum()),
        "makers_listed": int(table["maker"].nunique()),
    }
    if table.empty:
        return Outcome(None, note="no repository of these is listed", extra=extra)
    weights = pd.Series(1.0, index=table.index)
    if weight == "downloads":
        weights = table["downloads_30d"]
    value, low, high = terms.share(answer, weights)
    _, least, most = terms.share(forced, weights)
    size = len(table)
    note = f"of {source.lists}"
    if not source.whole:
        note = (
            f"of the {size} repositories of Chinese makers among {source.lists} {free} are free in "
            f"this sense, {size - free - open_} are not, and of {open_} our files do not tell; "
            "nothing bounds how many more there are"
        )
    return Outcome(
        None if math.isnan(value) else value,
        low,
        high,
        least,
        most,
        size - open_,
        size,
        note=note,
        extra=extra,
        whole_interval=True,
        partial=not source.whole,
    )


def survey(world: World) -> pd.DataFrame:
    """Firms that a survey has to ask in each region, by the difference it is to tell.

    Returns
    -------
    pandas.DataFrame
        ``difference`` (share), ``compared`` (``shares``, of one moment; ``changes``, between
        two), ``firms`` (in each region and wave), ``in_all``.
    """
    rule = rules_of(world).survey
    rows = []
    for waves, compared in ((1, "shares"), (2, "changes")):
        for difference in rule.differences:
            number = terms.firms(rule.base, difference, rule.confidence, rule.power, waves)
            rows.append((difference, compared, number, 2 * waves * number))
    return pd.DataFrame(rows, columns=["difference", "compared", "firms", "in_all"])


# ---------------------------------------------------------------------------------- in words


def _find_cost(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own, line = table.iloc[0], float(record["stated_value"])
    low, high = float(own["lower"]), float(own["upper"])
    answer = "Yes" if low > line else "No" if high <= line else "The data cannot tell"
    text = (
        f"{answer}: a developer pays no licence fee for {percents_span(low, high)} of Qwen's and "
        "DeepSeek's repositories"
    )
    strict = table[table["free"] == "anyone"]
    for name in ("makers", "day", "weight", "created"):
        strict = strict[strict[name] == own[name]]
    if not strict.empty:
        one = strict.iloc[0]
        text += (
            f", and nobody pays one for {percents_span(float(one['lower']), float(one['upper']))}"
        )
    return text


def _said_europe(world: World) -> str:
    table, rule = survey(world), rules_of(world).survey
    wanted = sorted(rule.differences)[len(rule.differences) // 2]
    # Faster is a change, so each region is asked twice.
    row = table[(table["compared"] == "changes") & (table["difference"] == wanted)].iloc[0]
    return (
        "Not checkable: no file of ours counts firms by country; to see one region gain "
        f"{100 * wanted:.0f} points more than the other, both from an assumed "
        f"{percent(rule.base)}, a survey would have to ask {int(row['firms']):,} firms in each "
        "region and wave"
    )


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"licence_cost": licence_cost}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "licence_cost": {
        "makers": ("china", "qwen", "others"),
        "day": (),
        "weight": ("repositories", "models", "downloads"),
        "free": ("below", "anyone"),
        "created": tuple(_SINCE),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {"licence_cost": _find_cost}

#: Claims that nothing measures, and what is said of them.
SAID: Final[Mapping[str, Said]] = {"europe-adopts-faster": _said_europe}
