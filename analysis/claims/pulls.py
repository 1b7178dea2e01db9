"""Checks on Ollama's library, the second instrument, and on the claim that Llama led two years."""

from __future__ import annotations

import math
import re
from calendar import month_name
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import pandas as pd

from analysis.claims import adoption
from analysis.claims import derivatives as derivatives_claims
from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec, day_of
from analysis.claims.world import LLAMA, QWEN, World
from analysis.errors import InputError
from analysis.measure import pace, pulls, shares
from analysis.measure.stock import Asked

KIND: Final = "ollama-library"
_SLICE: Final = "slice-2025-06"
_COUNT: Final = {"derivatives-2025-06": "direct", "descendants-2025-06": "transitive"}


# ------------------------------------------------------------------------------- the library


def rules_of(world: World) -> pulls.PullRules:
    """Return the rules of ``data/pulls.toml``."""
    found: pulls.PullRules = world.evidence.rule("pulls")
    return found


def library(world: World, outliers: str = "in") -> pulls.Library:
    """Return all readings of the library, bursts in or taken out."""

    def make() -> pulls.Library:
        shelf = pulls.library(world.evidence.of_kind(KIND), world.evidence.days)
        return shelf if outliers == "in" else pulls.without(shelf, bursts(world))

    return world.evidence.once(f"pulls.library.{outliers}", make)


def owners(world: World) -> pd.DataFrame:
    """Say whose each name of the library is (:func:`analysis.measure.pulls.owners`)."""
    table: pd.DataFrame = world.evidence.once(
        "pulls.owners", lambda: pulls.owners(library(world).pulls.index, rules_of(world))
    )
    return table


def bursts(world: World) -> pd.DataFrame:
    """Name the bursts of the library by the Hub's rule, on new pulls between readings."""
    return bursts_by(world, "increments", None)


def bursts_by(world: World, how: str, times: float | None) -> pd.DataFrame:
    """Name bursts another way, or with another ratio (:func:`analysis.measure.pulls.bursts`)."""

    def make() -> pd.DataFrame:
        known = owners(world)["family"]
        family = {str(n): (None if f == pulls.OTHER else str(f)) for n, f in known.items()}
        return pulls.bursts(
            library(world),
            family,
            world.inputs.bursts,
            rules_of(world).near,
            "as-it-stands" if how == "as-it-stands" else "increments",
            times,
        )

    found: pd.DataFrame = world.evidence.once(f"pulls.bursts.{how}.{times}", make)
    return found


def snapped(month: str, shelf: pulls.Library) -> date:
    """Return the day of reading that stands for a month's end; InputError when none does."""
    last = (date.fromisoformat(f"{month}-01") + timedelta(days=31)).replace(day=1)
    for day in (last - timedelta(days=1), last):
        if day.toordinal() in shelf.days:
            return day
    raise InputError(f"the library was not read at the end of {month}")


def compared(
    world: World,
    amounts: pd.DataFrame,
    family: str,
    rivals: tuple[str, ...] | None,
    names: str,
    shared: str,
) -> tuple[pulls.Ratio, pd.DataFrame]:
    """Divide a family's pulls by those of the largest rival (None: of all), and give the sums."""
    rules = rules_of(world)
    owner = pulls.owner_of(owners(world), names, shared, rules)
    sums = pulls.by_family(amounts, owner)
    among = rules.shared[0].among if shared == "bounds" and rules.shared else ()
    part = (0.0, 0.0)
    if among:
        several = amounts.reindex([entry.name for entry in rules.shared]).dropna()
        part = (float(several["lower"].sum()), float(several["upper"].sum()))
    others = rivals or tuple(n for n in sums.index if n not in (family, pulls.OTHER))
    return pulls.ratio(sums, family, others, part, among), sums


def _outcome(
    got: pulls.Ratio, sums: pd.DataFrame, family: str, day: str, shelf: pulls.Library, note: str
) -> Outcome:
    millions = {
        "own_pulls": pulls.amount(sums, family),
        "rival_pulls": pulls.amount(sums, got.over),
    }
    return Outcome(
        got.value,
        got.lower,
        got.upper,
        got.lower,
        got.upper,
        note=note,
        extra={"day": day, "rival": got.over, **millions},
        whole_interval=True,
    )


def without_embedding(world: World, amounts: pd.DataFrame) -> pd.DataFrame:
    """Leave out the embedding models that the makers' rules count as the makers' own."""
    rule = re.compile(rules_of(world).embedding, re.IGNORECASE)
    keep = [rule.fullmatch(str(name)) is None for name in amounts.index]
    return amounts[keep]


def by_the_hour(
    world: World, shelf: pulls.Library, month: str, names: str, shared: str
) -> pulls.Ratio:
    """Return Qwen over Llama in a month, with what the hour of reading could change at its ends."""
    rules = rules_of(world)
    part = 2 * rules.hour_days / shelf.length(month)
    amounts = shelf.month(month)
    owner = pulls.owner_of(owners(world), names, shared, rules)
    wide = pulls.slack(pulls.by_family(amounts, owner), part)
    among = rules.shared[0].among if shared == "bounds" and rules.shared else ()
    several = (0.0, 0.0)
    if among:
        found = amounts.reindex([entry.name for entry in rules.shared]).dropna()
        several = (float(found["lower"].sum()), float(found["upper"].sum()))
        several = (several[0] * (1 - part), several[1] * (1 + part))
    return pulls.ratio(wide, QWEN, (LLAMA,), several, among)


_ANY: Final = "any part of deepseek-r1 may be either family's"


def passes(world: World, spec: Spec, line: float) -> Outcome:
    """Qwen's pulls as a multiple of Llama's: of all time at a month's end, or new in the month."""
    month, shelf = str(spec["month"]), library(world, str(spec["outliers"]))
    if spec["count"] == "cumulative":
        day = snapped(month, shelf)
        amounts, label = shelf.stock(day), day.isoformat()
    else:
        amounts, label = shelf.month(month), month
    shared = str(spec["r1"])
    got, sums = compared(world, amounts, QWEN, (LLAMA,), str(spec["names"]), shared)
    return _outcome(got, sums, QWEN, label, shelf, _ANY if shared == "bounds" else "")


def leads(world: World, spec: Spec, line: float) -> Outcome:
    """Llama's pulls as a multiple of the largest other family's."""
    shelf = library(world, str(spec["outliers"]))
    day = day_of(spec["day"])
    if spec["count"] == "cumulative":
        amounts = shelf.stock(day)
    else:
        place = shelf.place(day)
        if not place:
            raise InputError(f"nothing was read before {day}")
        amounts = shelf.new(date.fromordinal(shelf.days[place - 1]), day)
    shared = str(spec["r1"])
    got, sums = compared(world, amounts, LLAMA, None, str(spec["names"]), shared)
    note = _ANY if shared == "bounds" else ""
    return _outcome(got, sums, LLAMA, day.isoformat(), shelf, note)


# --------------------------------------------------------------------- did Llama lead two years


def led_quarters(world: World, out: bool) -> pd.DataFrame:
    """Return new derivatives of the counted families by quarter.

    Parameters
    ----------
    out
        Whether bases of bulk uploads are left out.

    Returns
    -------
    pandas.DataFrame
        ``quarter`` (its first day), ``family``, ``value``, ``lower``, ``upper`` (derivatives; the
        ends are what the days of the counts force), for the quarters that ended before the reading.
    """

    def make() -> pd.DataFrame:
        rows = []
        for family in rules_of(world).led.counted:
            steps = adoption.part_of(world, "counts", out, family)
            for first, after in quarters(world):
                if after <= last_counted(world):
                    got = pace.within(steps, first, after)
                    rows.append((first.isoformat(), family, got.value, got.lower, got.upper))
        return pd.DataFrame(rows, columns=["quarter", "family", "value", "lower", "upper"])

    frame: pd.DataFrame = world.evidence.once(f"pulls.led.{out}", make)
    return frame


def last_counted(world: World) -> date:
    """Return the day on which the counts were read."""
    return max(world.evidence.days[n] for n in world.evidence.of_kind("derivative-counts"))


def led_rest(world: World, out: bool) -> pd.DataFrame:
    """Return what was counted after the last whole quarter.

    As :func:`led_quarters`, with ``until`` (the last day counted). They enter no claim, since a
    part of a quarter is none. Empty where nothing is left.
    """
    end = last_counted(world)
    columns = ["quarter", "until", "family", "value", "lower", "upper"]
    first = next((a for a, b in quarters(world) if a <= end < b), None)
    if first is None:
        return pd.DataFrame(columns=columns)
    rows = []
    for family in rules_of(world).led.counted:
        steps = adoption.part_of(world, "counts", out, family)
        got = pace.within(steps, first, end + timedelta(days=1))
        ends = (first.isoformat(), end.isoformat())
        rows.append((*ends, family, got.value, got.lower, got.upper))
    return pd.DataFrame(rows, columns=columns)


def first_observed(world: World) -> date:
    """Return the first day on which any file of ours reads a counter of downloads."""
    days = [
        pd.Timestamp(frame["day"].min()).date() if "day" in frame.columns else world.inputs.days[n]
        for n, frame in world.inputs.frames.items()
        if len(frame)
    ]
    return min(days)


def read_before(world: World, day: date) -> tuple[date, date] | None:
    """Return the first and last of the panel's last readings up to a day; None without any."""
    panel = world.inputs.panel
    when = pd.to_datetime(panel["day"]).dt.date
    last = when[when <= day].groupby(panel["repository_id"]).max()
    return None if last.empty else (last.min(), last.max())


def panel_gains(world: World) -> pd.DataFrame:
    """Return what the panel's repositories of each family gained between the declared days."""
    counters = world.inputs.panel[["day", "repository_id", "downloads_all_time"]]
    return pulls.kept_gains(counters, world.family["official"], rules_of(world).led.panel_days)


def quarters(world: World) -> list[tuple[date, date]]:
    """Return the quarters of the two years: first day, and the day after the last."""
    rules = rules_of(world).led
    edges = [date.fromisoformat(f"{rules.first}-01")]
    while edges[-1].isoformat()[:7] <= rules.last:
        edges.append((edges[-1] + timedelta(days=93)).replace(day=1))
    return list(pairwise(edges))


def first_in(table: pd.DataFrame, rivals: tuple[str, ...]) -> pd.DataFrame:
    """Say of each quarter whether Llama is ahead of the rivals.

    Returns
    -------
    pandas.DataFrame
        ``quarter``, ``ahead`` (by the middle values), ``certain`` (``yes``, ``no`` or
        ``open``: what the intervals force), ``largest`` (the largest rival by the middle value).
    """
    rows = []
    for quarter, part in table.groupby("quarter", sort=True):
        one = part.set_index("family")
        own, others = one.loc[LLAMA], one.loc[list(rivals)]
        certain = (
            "yes"
            if own["lower"] > others["upper"].max()
            else "no"
            if own["upper"] < others["lower"].max()
            else "open"
        )
        ahead = bool(own["value"] > others["value"].max())
        rows.append((str(quarter), ahead, certain, str(others["value"].idxmax())))
    return pd.DataFrame(rows, columns=["quarter", "ahead", "certain", "largest"])


def led(world: World, spec: Spec, line: float) -> Outcome:
    """Llama over the largest other family, or quarters led over quarters not led."""
    measure, out = str(spec["measure"]), spec["outliers"] == "out"
    every = spec["rivals"] == "all"
    if measure == "downloads_all_time":
        return _by_downloads(world, out, every)
    if measure in _COUNT:
        return _by_slice(world, _COUNT[measure], out, every)
    if spec["led"] == "total":
        return _by_total(world, out, every)
    return _by_quarters(world, out, every, str(spec["period"]))


def _rivals(world: World, every: bool) -> tuple[str, ...]:
    """Return the counted rivals."""
    return tuple(f for f in rules_of(world).led.counted if f != LLAMA) if every else (QWEN,)


_LACKS: Final = "Mistral's derivatives were not counted: nothing bounds its number"


def _by_total(world: World, out: bool, every: bool) -> Outcome:
    spans = [span for span in quarters(world) if span[1] <= last_counted(world)]
    amounts = {
        family: pace.within(
            adoption.part_of(world, "counts", out, family), spans[0][0], spans[-1][1]
        )
        for family in rules_of(world).led.counted
    }
    sums = pd.DataFrame(
        {name: [got.value, got.lower, got.upper] for name, got in amounts.items()},
        index=["value", "lower", "upper"],
    ).T
    others = sums.loc[list(_rivals(world, every))]
    own = {column: pulls.amount(sums, LLAMA, column) for column in sums.columns}
    lower = 0.0 if every else own["lower"] / float(others["upper"].max())
    upper = own["upper"] / float(others["lower"].max())
    value = own["value"] / float(others["value"].max())
    return Outcome(
        value,
        lower,
        upper,
        lower,
        upper,
        note=_LACKS if every else "",
        extra={
            "rival": str(others["value"].idxmax()),
            "own_number": own["value"],
            "rival_number": float(others["value"].max()),
        },
        whole_interval=True,
    )


def _by_quarters(world: World, out: bool, every: bool, period: str) -> Outcome:
    table = first_in(led_quarters(world, out), _rivals(world, every))
    certain = table["certain"].value_counts()
    yes, no = int(certain.get("yes", 0)), int(certain.get("no", 0))
    unseen = 0 if period == "seen" else len(quarters(world)) - len(table)
    behind = int((~table["ahead"].astype(bool)).sum())
    ahead = int(table["ahead"].sum())
    # Against a family that nobody counted no quarter is led for certain.
    lower = 0.0 if every else yes / max(len(table) + unseen - yes, 0.5)
    upper = (len(table) + unseen - no) / no if no else math.inf
    return Outcome(
        ahead / behind if behind else math.inf,
        lower,
        upper,
        lower,
        upper,
        note=_LACKS if every else "",
        extra={
            "rival": str(table["largest"].mode().iloc[0]),
            "own_number": float(ahead),
            "rival_number": float(behind),
            "quarters_open": float(len(table) - yes - no + unseen),
        },
        whole_interval=True,
        open_ended=not no,
    )


def _by_slice(world: World, count: str, out: bool, every: bool) -> Outcome:
    evidence = world.evidence
    source = derivatives_claims.slices_of(evidence).find(_SLICE)
    found = derivatives_claims.stocks(
        evidence, source, Asked(count=count, bulk="out" if out else "in")
    )
    others = {n: s for n, s in found.items() if n != LLAMA and (every or n == QWEN)}
    largest = max(sorted(others), key=lambda name: others[name].value)
    own = found[LLAMA]
    lower = own.hard_lower / max(s.hard_upper for s in others.values())
    upper = own.hard_upper / max(s.hard_lower for s in others.values())
    return Outcome(
        own.value / others[largest].value,
        lower,
        upper,
        lower,
        upper,
        note="a slice: it compares families inside itself",
        extra={
            "rival": largest,
            "own_number": own.value,
            "rival_number": others[largest].value,
        },
        whole_interval=True,
    )


def _sides(world: World, day: date) -> str:
    """Say which way readings before and after a day bound a counter that runs up."""
    between = read_before(world, day)
    before = f" (the panel's from {between[0]} to {between[1]})" if between else ""
    return (
        f"each number is a lower end, the sum of the last counters read up to the day{before}; a "
        "counter read later bounds from above, and nothing does where nobody read"
    )


def _by_downloads(world: World, out: bool, every: bool) -> Outcome:
    last = rules_of(world).led.last
    day = (date.fromisoformat(f"{last}-01") + timedelta(days=31)).replace(day=1)
    day -= timedelta(days=1)
    family = world.family["official"]
    names = sorted(set(family.values())) if every else [QWEN, LLAMA]
    totals: dict[str, shares.Total] = {}
    covered = population = 0
    for name in names:
        members = world.existed({n for n, own in family.items() if own == name}, day)
        if not members:
            continue
        table = world.estimate(members, day, "in", "downloads_all_time")
        got = shares.total(table, "hard")
        over = world.excess(members, day) if out else 0.0
        totals[name] = shares.Total(
            got.value - over, max(got.lower - over, 0.0), max(got.upper - over, 0.0)
        )
        covered += int(table["seen"].notna().sum())
        population += len(members)
    own = totals[LLAMA]
    others = {n: t for n, t in totals.items() if n != LLAMA}
    largest = max(sorted(others), key=lambda name: others[name].lower)
    most = max(t.upper for t in others.values())
    lower = own.lower / most if most and math.isfinite(most) else 0.0
    least = others[largest].lower
    upper = own.upper / least if least else math.inf
    if not lower and math.isinf(upper):
        # Neither end is known: no number at all.
        lower = upper = math.nan
    return Outcome(
        None if math.isnan(lower) else lower,
        lower,
        upper,
        lower,
        upper,
        covered,
        population,
        note=_sides(world, day),
        extra={
            "day": day.isoformat(),
            "dated_from": first_observed(world).isoformat(),
            "read_from": str((read_before(world, day) or ("", ""))[0]),
            "read_to": str((read_before(world, day) or ("", ""))[1]),
            "rival": largest,
            "own_number": own.lower,
            "rival_number": least,
        },
        whole_interval=True,
    )


# --------------------------------------------------------------------------------- findings


def _times(value: float) -> str:
    return "without limit" if math.isinf(value) else f"{value:.2f}"


def _title(name: str) -> str:
    return {
        "gpt-oss": "gpt-oss",
        "deepseek": "DeepSeek",
        "qwen": "Qwen",
        "llama": "Llama",
        "gemma": "Gemma",
        "mistral": "Mistral",
    }.get(name, name)


def _named(months: list[str]) -> str:
    """Name months in words, with their years where they are not of one."""
    names = [month_name[int(m[5:7])] for m in months]
    if len({m[:4] for m in months}) > 1:
        names = [f"{name} {m[:4]}" for name, m in zip(names, months, strict=True)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _find_passes(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    # The months that the claim is about; those of the year before show the way there.
    year = str(table.iloc[0]["month"])[:4]
    some = table[(table["r1"] == "maker") & (table["outliers"] == "in")]
    new = some[(some["count"] == "new") & (some["month"].astype("str").str[:4] == year)]

    def months(names: str, answer: str) -> str:
        chosen = new[(new["names"] == names) & (new["holds"] == answer)]
        return _named(sorted(chosen["month"].astype("str"))) if len(chosen) else ""

    parts = [f"put Qwen ahead for certain in {months('own', 'yes') or 'none'}"]
    if behind := months("own", "no"):
        parts.append(f"put Llama ahead in {behind}")
    if either := months("own", "undetermined"):
        parts.append(f"leave {either} open")
    whole = some[(some["names"] == "own") & (some["count"] == "cumulative")]
    last = whole.sort_values("month").iloc[-1]
    amounts = f"{float(last['own_pulls']) / 1e6:.0f} against {float(last['rival_pulls']) / 1e6:.0f}"
    side = {"no": "Llama still leads", "yes": "Qwen leads"}.get(str(last["holds"]), "it is open")
    return (
        f"On Ollama, of the months of {year} up to the article, new pulls {' and '.join(parts)}; "
        f"with the models that others tuned they put Qwen ahead for certain in "
        f"{months('derivatives', 'yes') or 'none'}; in pulls of all time {side}, "
        f"Qwen's {amounts} million"
    )


def _day(text: str) -> str:
    day = day_of(text)
    return f"{day.day} {month_name[day.month]} {day.year}"


def _find_leads(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    held = int((table["holds"] == "yes").sum())
    low, high = _times(float(own["lower"])), _times(float(own["upper"]))
    span = low if low == high else f"{low} to {high}"
    verb = {"yes": "Llama led", "no": "Llama did not lead"}.get(str(own["holds"]), "It is open")
    same = (table[["day", "count", "names", "r1"]] == own[["day", "count", "names", "r1"]]).all(
        axis="columns"
    )
    quiet = table[same & (table["outliers"] == "out")]
    without = ""
    if len(quiet):
        # What a burst holds above its level is an estimate.
        other = quiet.iloc[0]
        over = "" if other["rival"] == own["rival"] else f" those of {_title(str(other['rival']))}"
        without = f", about {float(other['value']):.1f} times{over} without the burst"
    return (
        f"{verb} on Ollama on {_day(str(own['day']))}: {span} times the pulls of "
        f"{_title(str(own['rival']))}{without}; so in {held} of {len(table)} readings"
    )


_FEW: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _dated(own: pd.Series) -> str:
    """Say from when on files of ours date downloads, over the period that the reading asks."""
    first, last = day_of(own["dated_from"]), day_of(own["day"])
    months = round((last - first).days / 30.4)
    if months < 1:
        return "No file of ours dates the downloads of those years"
    many = _FEW[months] if months < len(_FEW) else str(months)
    period = f"the last {many} months" if months > 1 else "the last month"
    return f"No file of ours dates downloads before {period} of those years"


def _find_led(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    built = table[table["measure"] != "downloads_all_time"]
    counts = built["holds"].value_counts()
    yes, no = int(counts.get("yes", 0)), int(counts.get("no", 0))
    own = table.iloc[0]
    start = (
        _dated(own)
        if str(own["holds"]) == "undetermined"
        else f"By downloads {'yes' if own['holds'] == 'yes' else 'no'}"
    )
    return (
        f"{start}; by derivatives Llama is ahead in {yes} readings, another in {no}, and "
        f"{len(built) - yes - no} stay open"
    )


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"pulls_pass": passes, "pulls_led": leads, "led": led}

_READ: Final = {"names": pulls.NAMES, "r1": pulls.SHARED, "outliers": ("in", "out")}
#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "pulls_pass": {"month": (), "count": ("cumulative", "new"), **_READ},
    "pulls_led": {"day": (), "count": ("cumulative", "new"), **_READ},
    "led": {
        "measure": ("downloads_all_time", "new-derivatives", *_COUNT),
        "led": ("total", "quarters"),
        "period": ("whole", "seen"),
        "rivals": ("all", "qwen"),
        "outliers": ("in", "out"),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {
    "pulls_pass": _find_passes,
    "pulls_led": _find_leads,
    "led": _find_led,
}
