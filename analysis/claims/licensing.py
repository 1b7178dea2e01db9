"""Checks of the claims on licences and their thresholds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pandas as pd

from analysis.claims import releasing
from analysis.claims.outcome import (
    Check,
    Dimensions,
    Finding,
    Outcome,
    Spec,
    day_of,
    percent,
    percents_span,
)
from analysis.claims.world import QWEN, World
from analysis.errors import InputError
from analysis.measure import licences, licensed, shares
from analysis.snapshot import families as families_module

#: Kind of the licence texts.
TEXTS: Final = "licence-text"
#: Versions that give the licence of each repository, beside every file of the kind hub-tree.
CATALOGUE: Final = "makers-2025-10-12"
CUT: Final = "hub-stats-2026-05"
APACHE: Final = "apache"
#: Where no file gives the licence of a repository.
UNREAD: Final = "unread"
#: Where it is not known whether a repository is under Apache 2.0.
UNKNOWN: Final = "unknown"


def texts(world: World) -> dict[str, licences.Reading]:
    """Every licence text as the rules read it, by version name."""
    evidence = world.evidence
    return evidence.once(
        "licensing.texts",
        lambda: licences.readings(evidence.of_kind(TEXTS), evidence.rule("licences")),
    )


def threshold(world: World, spec: Spec, line: float) -> Outcome:
    """Monthly active users above which one licence text wants to be asked.

    ``number`` is ``users`` (a number that stands by the users), or ``anywhere`` (of
    all numbers of a million or more in the text the one nearest to the line that the
    claim draws, whatever it is said of).
    """
    every = texts(world)
    name = str(spec["text"])
    if name not in every:
        raise InputError(
            f"data/claims.toml: text: {name!r} is no licence text; there are: {', '.join(every)}"
        )
    reading = every[name]
    found = reading.threshold
    value: float | None = None if found is None else float(found.users)
    if spec["number"] == "anywhere":
        near = sorted(reading.large, key=lambda n: (abs(math.log(n / line)), n))
        value = float(near[0]) if near else None
    elsewhere = [
        one
        for one in every.values()
        if one.licensor != reading.licensor
        and one.threshold is not None
        and one.threshold.users == line
    ]
    bound = math.nan if value is None else value
    return Outcome(
        value,
        bound,
        bound,
        bound,
        bound,
        note="" if found is None else f"line {found.place.line}",
        extra={
            "stated_by": (elsewhere[0].licensor or "") if elsewhere else "",
            "stated_in": elsewhere[0].title if elsewhere else "",
        },
    )


# ------------------------------------------------------------------- licences of repositories


def rules_of(world: World) -> licences.LicenceRules:
    """Return ``data/licences.toml``."""
    rules = world.evidence.rule("licences")
    assert isinstance(rules, licences.LicenceRules)
    return rules


def _days(world: World) -> dict[str, date]:
    """Return the days of the versions that give licences, as established by their counters."""
    names = [CATALOGUE, CUT, *world.evidence.of_kind("hub-tree")]
    return {name: releasing.day_read(world, name) for name in names}


def readings(world: World) -> pd.DataFrame:
    """Every licence that a file gives (:func:`analysis.measure.licensed.readings`)."""
    days = _days(world)
    return world.evidence.once(
        "licensing.readings",
        lambda: licensed.readings({name: world.evidence.frame(name) for name in days}, days),
    )


class Copies:
    """Tells quantised copies by their names."""

    def __init__(self, world: World) -> None:
        self._named = releasing.rules_of(world).words("quantised")
        words = "|".join(rules_of(world).copies.words)
        self._also = re.compile(rf"[-_.](?:{words})(?=[-_.]|$)", re.IGNORECASE)

    def has(self, repository: str) -> bool:
        """Whether a repository is a quantised copy."""
        return self.original(repository) is not None

    def original(self, repository: str) -> str | None:
        """Return the id of what a copy copies, in lower case; None where it is none."""
        organisation, _, name = repository.rpartition("/")
        bare = self._also.sub("", self._named.sub("", name))
        return f"{organisation}/{bare}".lower() if bare != name else None


def catalogue(world: World, day: date) -> pd.DataFrame:
    """Licences on a day of every repository whose licence a file gives, with family and group.

    Returns
    -------
    pandas.DataFrame
        As :func:`analysis.measure.licensed.known`, with ``family`` (by the strict rule;
        null for none), ``group`` (by id and name), ``group_ids`` (by id alone), ``copy``.
    """

    def make() -> pd.DataFrame:
        rules, copies = rules_of(world), Copies(world)
        table = licensed.known(readings(world), day, copies.original)
        ids = pd.Series(table.index, dtype="string")
        family = families_module.assign(ids, world.evidence.families, "official")
        return table.assign(
            family=family.astype("object").to_numpy(),
            group=licensed.groups(table, rules, by_name=True),
            group_ids=licensed.groups(table, rules, by_name=False),
            copy=[copies.has(str(name)) for name in table.index],
        )

    return world.evidence.once(f"licensing.catalogue.{day}", make)


def members(world: World, family: str, day: date) -> pd.DataFrame:
    """Rows of :func:`catalogue` of a family, and a row for every other repository known by then.

    What no file gives a licence for has the group ``unread``. On the day of the complete
    catalogue the rows are what it lists.
    """

    def make() -> pd.DataFrame:
        table = catalogue(world, day)
        own = table[[one == family for one in table["family"]]]
        if day == _days(world)[CATALOGUE]:
            # The catalogue is complete: what it does not list was not public on its day.
            listed = set(world.evidence.frame(CATALOGUE)["repository_id"])
            return own[own.index.isin(listed)].sort_index(kind="stable")
        made = releasing.created(world)
        named = {n for n, one in world.family["official"].items() if one == family}
        # Which of them were there is asked once more of their days of creation: a reading
        # before the day of creation is a renamed repository's.
        seen = {n for n in world.existed(named, day) if n not in made or made[n] <= day}
        more = sorted(seen - set(table.index))
        copies = Copies(world)
        rest = pd.DataFrame(
            {
                "declared": None,
                "name": None,
                "inherited": False,
                "read_on": None,
                "created": [made.get(name) for name in more],
                "family": family,
                "group": UNREAD,
                "group_ids": UNREAD,
                "copy": [copies.has(name) for name in more],
            },
            index=pd.Index(more, name=table.index.name, dtype="object"),
        )
        both = pd.concat([own.astype("object"), rest.astype("object")])
        both["copy"] = both["copy"].astype(bool)
        return both.sort_index(kind="stable")

    return world.evidence.once(f"licensing.members.{family}.{day}", make)


def answers(table: pd.DataFrame, rules: licences.LicenceRules, *, by_name: bool) -> pd.Series:
    """Whether each repository is under Apache 2.0: ``apache``, ``not`` or ``unknown``.

    Unknown is what declares nothing and what nobody read, and, where names count, a
    licence of the maker's own without one: it may be Apache 2.0 under another heading.
    """
    kinds = {**licensed.kinds(rules), UNREAD: UNREAD}
    words = {APACHE: APACHE, licensed.UNDECLARED: UNKNOWN, UNREAD: UNKNOWN}
    if by_name:
        words["unnamed"] = UNKNOWN
    column = table["group" if by_name else "group_ids"]
    return pd.Series(
        [words.get(kinds[str(group)], "not") for group in column], index=table.index, dtype="object"
    )


_SINCE: Final = {"all": None, "2025": date(2025, 1, 1), "2026": date(2026, 1, 1)}


def licence_share(world: World, spec: Spec, line: float) -> Outcome:
    """Share of Qwen that is under Apache 2.0, of repositories or of downloads, on a day."""
    day, measure = day_of(spec["day"]), str(spec["measure"])
    table = members(world, QWEN, day)
    since = _SINCE[str(spec["created"])]
    if since is not None:
        table = table[[made is not None and made >= since for made in table["created"]]]
    if spec["copies"] == "out":
        table = table[~table["copy"]]
    answer = answers(table, rules_of(world), by_name=spec["names"] == "read")
    found = answer.value_counts().to_dict()
    apache, unknown = int(found.get(APACHE, 0)), int(found.get(UNKNOWN, 0))
    extra: dict[str, float | str] = {
        "day": day.isoformat(),
        "apache": apache,
        "licence_unknown": unknown,
    }
    if answer.empty:
        return Outcome(None, note="no repository of these is known", extra=extra)
    treatment = str(spec["unknown"])
    partial = day != _days(world)[CATALOGUE]
    if measure != "repositories":
        got = _of_downloads(world, day, measure, answer, treatment, extra)
        return _open(got, treatment, line) if partial else got
    size = len(answer)
    ends = (apache / size, (apache + unknown) / size)
    told = size - unknown
    value = end(treatment, apache / told if told else math.nan, *ends)
    note = (
        f"of the {size} repositories that our files know {apache} are under Apache 2.0, "
        f"{told - apache} are not, and of {unknown} the licence is not known; nothing bounds how "
        "many more there are"
    )
    got = Outcome(_or_none(value), *ends, *ends, told, size, extra=extra)
    return _open(replace(got, note=note), treatment, line) if partial else got


def _open(got: Outcome, treatment: str, line: float) -> Outcome:
    """Return an outcome of what our files know of a day without a complete list.

    What they do not know goes the way of what has no known licence. Counted for the claim it
    can only raise a share, counted against it only lower one: where the part that is known lies
    on the other side of the line, nothing is decided.
    """
    value = got.value
    assert not isinstance(value, str)
    above = value is not None and value > line
    undecided = (treatment == "for" and not above) or (treatment == "against" and above)
    return replace(got, partial=True, decided="undetermined" if undecided else got.decided)


def end(treatment: str, told: float, lower: float, upper: float) -> float:
    """Return the value that a treatment of the unknown licences picks."""
    return {"left-out": told, "against": lower, "for": upper}[treatment]


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _of_downloads(
    world: World,
    day: date,
    measure: str,
    answer: pd.Series,
    treatment: str,
    extra: Mapping[str, float | str],
) -> Outcome:
    """Share of the downloads: intervals over all counters, read or not.

    At the lower end of an interval no repository without a known licence is under
    Apache 2.0, at the upper end all are; against and for the claim the ends count. Left out,
    the share is that of the counters read.
    """
    counters = world.estimate(frozenset(answer.index), day, "in", measure)
    worst, best = (
        {str(name): filled if word == UNKNOWN else str(word) for name, word in answer.items()}
        for filled in ("not", APACHE)
    )
    told = counters[counters.index.isin(list(answer.index[answer != UNKNOWN]))]
    seen = shares.share(told, worst, APACHE, "absent").value
    covered = int(counters["seen"].notna().sum())
    common: dict[str, Any] = {"extra": extra, "covered_all_time": world.coverage(counters)}
    if measure == "downloads_all_time":
        if treatment != "left-out":
            raise InputError(
                f"data/claims.toml: unknown: {treatment!r}: nothing bounds the all-time counters "
                "that nobody read, so nothing can be counted for or against: name it impossible"
            )
        note = "nothing bounds the all-time counters that nobody read: the share is of those read"
        return Outcome(
            _or_none(seen),
            covered=covered,
            population=len(counters),
            note=note,
            open_ended=True,
            **common,
        )
    low = shares.share(counters, worst, APACHE, "pooled", world.pooling).lower
    high = shares.share(counters, best, APACHE, "pooled", world.pooling).upper
    firm = shares.share(counters, worst, APACHE, "hard").lower
    firm_high = shares.share(counters, best, APACHE, "hard").upper
    value = _or_none(end(treatment, seen, low, high))
    return Outcome(value, low, high, firm, firm_high, covered, len(counters), **common)


def _million(value: float) -> str:
    return f"{value / 1e6:,.0f} million"


def _find_threshold(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table[table["number"] == table.iloc[0]["number"]]
    numbers = sorted({float(v) for v in own["value"].dropna()})
    stated = float(record["stated_value"])
    if not numbers:
        return "The licence texts name no number of users"
    if len(numbers) == 1 and own["value"].notna().all():
        said = f"all {len(own)} Llama licences say {_million(numbers[0])} users"
    else:
        said = f"the Llama licences say {', '.join(_million(n) for n in numbers)} users"
    if stated in numbers:
        return f"Yes, in part: {said}" if len(numbers) > 1 else f"Yes: {said}"
    other = str(own.iloc[0]["stated_by"])
    if not other:
        return f"No: {said}, and no text here says {_million(stated)}"
    title = str(own.iloc[0]["stated_in"]).removesuffix(" LICENSE AGREEMENT")
    return f"No: {said}; {_million(stated)} is the number of {other}'s first licence, for {title}"


def _pick(table: pd.DataFrame, **where: str) -> pd.Series | None:
    """Return the article's own specification with other choices; None where there is none."""
    own = {name: table.iloc[0][name] for name in DIMENSIONS["licence_share"]} | where
    rows = table
    for name, choice in own.items():
        rows = rows[rows[name] == choice]
    return None if rows.empty else rows.iloc[0]


def _find_share(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own, line = table.iloc[0], float(record["stated_value"])
    low, high = float(own["lower"]), float(own["upper"])
    if low > line:
        return f"Yes: {percent(low)} of Qwen's repositories are under Apache 2.0"
    part = percents_span(low, high)
    text = f"Not all of Qwen is under Apache 2.0: {part} of its repositories in October 2025"
    now = _pick(table, measure="downloads_30d")
    if now is not None:
        text += f", with {percents_span(float(now['lower']), float(now['upper']))} of the downloads"
    new = _pick(table, day="2026-05-23", created="2026")
    if new is not None and float(new["value"]) > line:
        text += f"; of those created in 2026 all {int(new['covered'])} that we read by May"
    return text


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {
    "licence_share": licence_share,
    "licence_threshold": threshold,
}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "licence_share": {
        "day": (),
        "measure": ("repositories", "downloads_30d", "downloads_all_time"),
        "created": tuple(_SINCE),
        "copies": ("in", "out"),
        "unknown": ("left-out", "against", "for"),
        "names": ("read", "ids"),
    },
    "licence_threshold": {"text": (), "number": ("users", "anywhere")},
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {
    "licence_share": _find_share,
    "licence_threshold": _find_threshold,
}
