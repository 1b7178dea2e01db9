"""Checks of the claims on sizes and adoption."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pandas as pd

from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec, day_of, percents_span
from analysis.claims.world import LLAMA, QWEN, World
from analysis.errors import InputError
from analysis.measure import bulk, pace, shares, sizes
from analysis.snapshot import families as families_module

#: The families whose sizes are compared, by the same rule.
FAMILIES: Final = ("qwen", "llama", "gemma", "mistral", "deepseek", "gpt-oss")
_HEADERS: Final = "hub-stats-2026-05"
_LISTED: Final = "model-parameters-2026-08-17"
#: Catalogue that lists all repositories of some organisations on one day.
_CATALOGUE: Final = "makers-2025-10-12"
_SINCE: Final = date(2025, 1, 1)


# ------------------------------------------------------------------------------ hardware-sizes


def headers(world: World) -> dict[str, float]:
    """Return the sums over safetensors headers that the hub-stats cut holds, by repository."""
    frame = world.evidence.frame(_HEADERS).dropna(subset=["parameters_total"])
    return dict(
        zip(
            frame["repository_id"].astype("str"),
            frame["parameters_total"].astype("float64"),
            strict=True,
        )
    )


def family_sizes(world: World, family: str, rule: str) -> pd.DataFrame:
    """Return sizes of every repository of a family (:func:`analysis.measure.sizes.sizes`)."""

    def make() -> pd.DataFrame:
        members = sorted(name for name, own in world.family[rule].items() if own == family)
        listed = world.evidence.frame(_LISTED)
        return sizes.sizes(members, headers(world), listed, world.evidence.rule("hardware"))

    table: pd.DataFrame = world.evidence.once(f"adoption.sizes.{family}.{rule}", make)
    return table


def members(world: World, family: str, day: date, population: str) -> tuple[frozenset[str], str]:
    """Return the repositories of a family on a day, and the family rule that holds for them."""
    rule = "with-reuploads" if population == "with-reuploads" else "official"

    def make() -> frozenset[str]:
        found = world.existed({n for n, own in world.family[rule].items() if own == family}, day)
        # What was created after the day is no part of that day's family.
        found = {n for n in found if n not in world.created or world.created[n] <= day}
        if day == _catalogue_day(world):
            found = _as_listed(world, family, found)
        if population == "since-2025":
            # Without a day of creation: the first day on which any file of ours names it.
            first = {n: date.fromordinal(world.first_seen[n]) for n in found}
            found = {n for n in found if world.created.get(n, first[n]) >= _SINCE}
        return frozenset(found)

    return world.evidence.once(f"adoption.members {family} {day} {population}", make), rule


def _catalogue_day(world: World) -> date:
    return world.inputs.days.get(_CATALOGUE, world.evidence.days[_CATALOGUE])


def _as_listed(world: World, family: str, found: set[str]) -> set[str]:
    """Leave out what the complete catalogue lacks, on its day.

    What it does not list of an organisation that it lists was not public when it was
    read. A family of which it lists an organisation is what it lists: Code Llama, in an
    organisation that was not asked, does not count on this day. Copies elsewhere stay.
    """

    def make() -> tuple[frozenset[str], frozenset[str]]:
        listed = frozenset(world.evidence.frame(_CATALOGUE)["repository_id"].astype("str"))
        return listed, frozenset(name.partition("/")[0] for name in listed)

    listed, asked = world.evidence.once("adoption.catalogue", make)
    official = {name for name, own in world.family["official"].items() if own == family}
    if official & listed:
        found = {name for name in found if name in listed or name not in official}
    return {name for name in found if name in listed or name.partition("/")[0] not in asked}


def fitting(
    world: World,
    family: str,
    day: date,
    card: str,
    bits: str,
    weight: str,
    population: str,
    outlier: str,
    overhead: float | None = None,
) -> Outcome:
    """Share of a family's downloads, or models, that fits a card.

    What was read and has a known size gives the value; the interval adds what was
    not read (under the tested assumptions) and lets unknown sizes fall on either side.
    """
    rules = world.evidence.rule("hardware")
    if overhead is not None:
        rules = rules.model_copy(update={"overhead": overhead})
    own, rule = members(world, family, day, population)
    table = world.evidence.once(
        f"adoption.table {family} {day} {population}",
        lambda: family_sizes(world, family, rule).loc[sorted(own)],
    )
    answer = sizes.fits(table, rules.find_card(card), bits, rules)
    yes = frozenset(answer.index[answer.fillna(False)])
    no = frozenset(answer.index[~answer.fillna(True)])
    open_ = own - yes - no
    # Many a card and size in bits divide a family alike.
    divided = (day, yes, no, open_)
    if weight == "models":
        return world.evidence.once(
            ("adoption.models", family, population, divided), lambda: _models(table, answer, day)
        )
    return world.evidence.once(
        ("adoption.downloads", outlier, divided), lambda: _downloads(world, outlier, *divided)
    )


def _models(table: pd.DataFrame, answer: pd.Series, day: date) -> Outcome:
    """Share of a family's models that fits, by what :func:`analysis.measure.sizes.fits` answers."""
    # A model fits if any of its copies does: one that is published in fewer bits counts.
    by_model = answer.groupby(table["model"]).max()
    known, whole = by_model.dropna(), len(by_model)
    count = int(known.sum())
    value = count / len(known) if len(known) else float("nan")
    low = count / whole if whole else float("nan")
    high = (count + whole - len(known)) / whole if whole else float("nan")
    return Outcome(
        value,
        low,
        high,
        low,
        high,
        len(known),
        whole,
        extra={
            "day": day.isoformat(),
            "fit": float(count),
            "unknown_size": int(answer.isna().sum()),
        },
    )


def _downloads(
    world: World,
    outlier: str,
    day: date,
    yes: frozenset[str],
    no: frozenset[str],
    open_: frozenset[str],
) -> Outcome:
    """Share of what is fetched of those that fit, those that do not, and those of unknown size."""
    ends: dict[str, tuple[float, float, float]] = {}
    centre = float("nan")
    read = {key: world.estimate(part, day, outlier) for key, part in
            (("yes", yes), ("no", no), ("open", open_))}  # fmt: skip
    for treatment in ("absent", "hard", "pooled"):
        fit, rest, either = (
            shares.total(read[key], treatment, world.pooling) for key in ("yes", "no", "open")
        )
        ends[treatment] = (
            shares.fraction(fit, rest)[0],
            shares.fraction(fit, rest + either)[1],
            shares.fraction(fit + either, rest)[2],
        )
        if treatment == "pooled":
            centre = shares.fraction(fit, rest)[0]
    seen = pd.concat([read["yes"], read["no"]])
    return Outcome(
        ends["absent"][0],
        ends["pooled"][1],
        ends["pooled"][2],
        ends["hard"][1],
        ends["hard"][2],
        int(seen["seen"].notna().sum()),
        len(yes) + len(no) + len(open_),
        extra={
            "day": day.isoformat(),
            "fit": float(read["yes"]["seen"].sum()),
            "unknown_size": len(open_),
            "centre": centre,
        },
        covered_all_time=world.coverage(pd.concat([*read.values()])),
    )


def hardware(world: World, spec: Spec, _line: float) -> Outcome:
    """Share of what is fetched of Qwen, or of its models, that fits a common card."""
    return fitting(
        world,
        QWEN,
        day_of(spec["day"]),
        str(spec["card"]),
        str(spec["bits"]),
        str(spec["weight"]),
        str(spec["population"]),
        str(spec["outliers"]),
    )


def _find_hardware(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    low, high, line = float(own["lower"]), float(own["upper"]), float(record["stated_value"])
    largest = str(own["card"]) == max(table["card"].astype("str"), key=float)
    card = f"the largest common card ({own['card']} GB)" if largest else f"a {own['card']} GB card"
    span = f"{percents_span(low, high)} of Qwen's downloads are of models that fit {card}"
    chosen = table[(table["weight"] == "models") & (table["bits"] == own["bits"])]
    chosen = chosen[(chosen["card"] == "8") & (chosen["population"] == own["population"])]
    if low > line:
        small = chosen[chosen["day"] == own["day"]]
        text = f"Yes: {span}"
        if not small.empty and float(small["upper"].iloc[0]) <= line:
            text += "; of its models less than half fit an 8 GB card"
        return text
    if high <= line:
        return f"No: {span}"
    return f"{span}: the data cannot tell whether more than half does"


# ------------------------------------------------------------------------ qwen25-september-2024

#: The release that is asked about, by its name in ``data/releases.toml``.
_RELEASE: Final = "Qwen2.5"


def release_day(world: World) -> date:
    """Return the day of the release of Qwen 2.5, from the declared list of releases."""
    for entry in world.evidence.rule("releases").release:
        if entry.family == QWEN and entry.name == _RELEASE:
            day: date = entry.day
            return day
    raise InputError(f"data/releases.toml: no release of qwen is called {_RELEASE!r}: restore it")


def counts(world: World) -> pd.DataFrame:
    """Return the counts by month since release of every maker, one below the other."""
    parts = world.evidence.of_kind("derivative-counts")
    return pd.concat([parts[name] for name in sorted(parts)], ignore_index=True)


def bulk_bases(world: World) -> frozenset[str]:
    """Return the bases that the declared rule names as bulk uploads."""
    return world.evidence.once(
        "adoption.bulk", lambda: bulk.named(counts(world), world.evidence.rule("bulk"))
    )


def _family_of(world: World, ids: pd.Series) -> pd.Series:
    return families_module.assign(ids.astype("string"), world.evidence.families, "official")


def added(world: World, source: str) -> pd.DataFrame:
    """Return new derivatives as steps: ``base``, ``family`` of the base, days, ``gained``.

    Parameters
    ----------
    source
        ``counts`` (counts by month, February 2025) or ``cut`` (days of creation of
        the derivatives in the hub-stats cut; a maker's own derivatives left out).
    """
    if source not in ("counts", "cut"):
        raise InputError(f"derivatives are dated by counts or cut, not by {source!r}")

    def from_counts() -> pd.DataFrame:
        return pace.steps(counts(world)).rename(columns={"repository_id": "base"})

    def from_cut() -> pd.DataFrame:
        frame = world.evidence.frame(_HEADERS)
        pairs = frame[["repository_id", "created_at", "base_models"]].explode("base_models")
        pairs = pairs.dropna(subset=["base_models", "created_at"]).reset_index(drop=True)
        base = families_module.canonical(
            pairs["base_models"].astype("string"), world.evidence.families
        )
        table = pd.concat(
            [
                pd.DataFrame({"base": base, "derivative": pairs["repository_id"]}),
                pace.days_of(pairs["created_at"]),
            ],
            axis="columns",
        )
        own = _family_of(world, table["derivative"]).reset_index(drop=True)
        theirs = _family_of(world, table["base"]).reset_index(drop=True)
        foreign = (own != theirs) | own.isna()
        # A merge of two bases of one family is one derivative of it.
        table = table.assign(family=theirs)[foreign.fillna(True).to_numpy(dtype=bool)]
        return table.drop_duplicates(["derivative", "family"]).drop(columns="derivative")

    def make() -> pd.DataFrame:
        table = from_counts() if source == "counts" else from_cut()
        family = _family_of(world, table["base"].reset_index(drop=True))
        table = table.reset_index(drop=True).assign(family=family)
        return table.dropna(subset=["family"]).reset_index(drop=True)

    return world.evidence.once(f"adoption.added.{source}", make)


def part_of(world: World, source: str, out: bool, families: str) -> pd.DataFrame:
    """Return the steps of one family, or of all but Qwen (``rivals``), bulk bases left out or not.

    Parameters
    ----------
    out
        Whether bases that the rule names as bulk uploads are left out.
    """
    table = added(world, source)
    chosen = table["family"] != QWEN if families == "rivals" else table["family"] == families
    if out:
        chosen &= ~table["base"].isin(bulk_bases(world))
    return table[chosen.fillna(False).to_numpy(dtype=bool)]


def generation(repository: str) -> str:
    """Return the generation of a Qwen repository as its name begins: ``Qwen2.5``, ``Qwen3``."""
    found = re.match(r"qwen(\d+(?:\.\d+)?)", repository.rpartition("/")[2].lower())
    return f"Qwen{found.group(1)}" if found else "earlier and other names"


def pace_change(
    world: World, source: str, out: bool, against: str, edges: str, day: date, months: int
) -> pace.Amount:
    """Return the change of pace of Qwen's new derivatives at a day, alone or over that of others.

    Parameters
    ----------
    edges
        ``whole``: whole months of each base, the one of the day left out. ``shared``:
        windows by the calendar, months that overlap their edges shared out.
    """
    rate = pace.whole_change if edges == "whole" else pace.change
    own = rate(part_of(world, source, out, QWEN), day, months)
    if against == "alone":
        return own
    other = LLAMA if against == "llama" else "rivals"
    return own.over(rate(part_of(world, source, out, other), day, months))


def other_days(world: World, out: bool, against: str, months: int) -> pd.DataFrame:
    """Return the change of pace at the release and at the placebo days, whole months of the counts.

    Returns
    -------
    pandas.DataFrame
        ``day``, ``release`` (whether it is that day), ``value``.
    """

    def make() -> pd.DataFrame:
        release = pd.Timestamp(release_day(world))
        rows = []
        for shift in world.evidence.rule("pace").shifts(months):
            day = (release + pd.DateOffset(months=shift)).date()
            got = pace_change(world, "counts", out, against, "whole", day, months)
            rows.append({"day": day.isoformat(), "release": shift == 0, "value": got.value})
        return pd.DataFrame(rows)

    frame: pd.DataFrame = world.evidence.once(f"adoption.days.{out}.{against}.{months}", make)
    return frame


def speed(world: World, spec: Spec, line: float) -> Outcome:
    """Divide Qwen's new derivatives after the release of Qwen 2.5 by those before."""
    source, out = str(spec["measure"]), spec["bulk"] == "out"
    day, months = release_day(world), int(str(spec["window"]))
    against, edges = str(spec["against"]), str(spec["edges"])
    got = pace_change(world, source, out, against, edges, day, months)
    if spec["asked"] == "turn":
        before = (pd.Timestamp(day) - pd.DateOffset(months=months)).date()
        got = got.over(pace_change(world, source, out, against, edges, before, months))
    decided = "undetermined" if got.lower <= line < got.upper else None
    extra: dict[str, float | str] = {"day": day.isoformat()}
    if (source, edges, spec["asked"]) == ("counts", "whole", "more"):
        days = other_days(world, out, against, months)
        extra["other_days"] = float((~days["release"]).sum())
        extra["larger_days"] = float((days["value"] > got.value).sum())
    notes = {
        ("counts", "whole"): "whole months of each base; the month of the release is left out",
        ("counts", "shared"): "months that overlap an edge are shared out over their days",
        ("cut", "shared"): "rows of a cut that others chose: compare only inside it",
    }
    return Outcome(
        got.value,
        got.lower,
        got.upper,
        got.lower,
        got.upper,
        decided=decided,
        note=notes[(source, edges)],
        extra=extra,
    )


def larger_elsewhere(tried: pd.DataFrame) -> str:
    """Word in how many windows another month shows a larger rise than that of the release.

    Parameters
    ----------
    tried
        Specifications with ``larger_days``: a row a window, alone or over the rivals.
    """
    larger = int((tried["larger_days"] > 0).sum())
    if not larger:
        return f"in none of {len(tried)} windows another month shows a larger rise"
    return f"in {larger} of {len(tried)} windows another month shows a larger rise"


def _find_speed(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    quiet = table[(table["measure"] == "counts") & (table["edges"] == "whole")]
    quiet = quiet[(quiet["bulk"] == "out") & (quiet["against"] != "llama")]
    tried = quiet[quiet["asked"] == "more"]
    alone = quiet[(quiet["against"] == "alone") & (quiet["window"] == own["window"])]
    values = {str(row["asked"]): float(row["value"]) for _, row in alone.iterrows()}
    line = float(record["stated_value"])
    if float(own["lower"]) > line:
        text = "Yes: more new derivatives came after the release than before"
    elif float(own["upper"]) <= line:
        text = "No: fewer new derivatives came after the release than before"
    else:
        text = "Bulk uploads hide whether more derivatives came after Qwen 2.5"
    if "more" in values:
        text += (
            f"; without them {values['more']:.1f} times as many in {own['window']} months as "
            f"before it, but {larger_elsewhere(tried)}"
        )
    if "turn" in values:
        verb = "slowed" if values["turn"] < 1 else "did not slow"
        text += f", and growth {verb} ({values['turn']:.2f} times that before)"
    return text


# --------------------------------------------------------------------- deepseek-r1-january-2025

#: The repository whose attention is asked about.
R1: Final = "deepseek-ai/DeepSeek-R1"
_REGIONS: Final = "organisation-regions-2026-08-17"
#: Files with likes, by day; whether the file is a complete list of the most liked.
LIKES: Final[Mapping[str, tuple[str, bool]]] = {
    "2025-11-05": ("top25-2025-11-05", True),
    "2025-12-22": ("expansion-2025-12-22", False),
    "2026-02-28": ("top25-2026-02-28", True),
    "2026-04-30": ("top25-2026-04-30", True),
    "2026-05-23": (_HEADERS, False),
}
_PANEL_DAY: Final = "2025-02-26"
_COUNTED: Final = "2025-02-18"


@dataclass(frozen=True)
class Field:
    """Repositories with a number each, of which DeepSeek-R1 is one.

    Attributes
    ----------
    table
        Index: id; columns ``number``, ``created`` (day, missing where no file knows
        it), ``china`` (whether the maker is listed as Chinese), ``older`` (whether
        it was created before R1; missing where the day is not known).
    ceiling
        What an older repository outside the table has at most; NaN where nothing
        says so.
    """

    table: pd.DataFrame
    ceiling: float


def created_days(world: World) -> pd.Series:
    """Return the first day of creation in the snapshots and counts, by repository."""

    def make() -> pd.Series:
        frames = [
            frame[["repository_id", "created_at"]].dropna()
            for kind in ("derivative-counts", "hub-snapshot")
            for frame in world.evidence.of_kind(kind).values()
            if "created_at" in frame.columns
        ]
        return _first_days(pd.concat(frames, ignore_index=True))

    return world.evidence.once("adoption.created", make)


def _first_days(frame: pd.DataFrame) -> pd.Series:
    known = frame.dropna(subset=["created_at"])
    ids = known["repository_id"].astype("object")
    first: pd.Series = known["created_at"].groupby(ids).min().dt.date
    return first


def chinese(world: World) -> frozenset[str]:
    """Return the organisations that the hand-kept list places in China."""
    table = world.evidence.frame(_REGIONS)
    return frozenset(table.loc[table["region"] == "china", "organisation"].astype("str"))


def field_of(world: World, measure: str, day: str) -> Field:
    """Return the numbers that a measure of attention gives on a day; InputError if none does."""
    return world.evidence.once(
        f"adoption.field.{measure}.{day}", lambda: _field(world, measure, day)
    )


def _field(world: World, measure: str, day: str) -> Field:
    created = created_days(world)
    ceiling = math.nan
    if measure in ("likes", "likes-a-day") and day in LIKES:
        name, complete = LIKES[day]
        frame = world.evidence.frame(name)
        if complete:
            frame = frame[frame["list"] == "likes"]
        number = _by_id(frame, "likes")
        age = date.fromisoformat(day).toordinal()
        if measure == "likes-a-day":
            days = pd.Series(
                {str(n): age - d.toordinal() for n, d in created.items()}, dtype="float64"
            )
            # A repository outside a complete list is as old as R1 at least, so its likes a day
            # are at most those of the last on the list over R1's age.
            if complete:
                ceiling = float(number.min()) / float(days[R1])
            number = number / days.reindex(number.index).clip(lower=1)
        elif complete:
            ceiling = float(number.min())
    elif measure == "first-month" and day == _COUNTED:
        frame = counts(world)
        number = _by_id(frame[frame["month"] == 1], "derivatives")
    elif measure in ("downloads", "downloads-quiet") and day in (_PANEL_DAY, "2026-05-23"):
        frame = world.evidence.frame(_HEADERS)
        if day == _PANEL_DAY:
            panel = world.inputs.panel
            frame = panel[panel["day"] == pd.Timestamp(day)]
            created = pd.concat([created, _first_days(frame)]).groupby(level=0).min()
        number = _by_id(frame, "downloads_all_time")
        if measure == "downloads-quiet":
            until = date.fromisoformat(day)
            loud = world.burst_repositories()
            over = {name: world.excess([name], until) for name in sorted(loud & set(number.index))}
            number = (
                number - pd.Series(over, dtype="float64").reindex(number.index).fillna(0)
            ).clip(lower=0)
    else:
        raise InputError(f"{measure} were not read on {day}")
    table = pd.DataFrame({"number": number.dropna()})
    table["created"] = created.reindex(table.index)
    organisations = table.index.str.partition("/").get_level_values(0)
    table["china"] = organisations.isin(sorted(chinese(world)))
    if R1 not in table.index:
        raise InputError(f"{R1} is not in the file that gives {measure} on {day}")
    own = created[R1]
    table["older"] = pd.Series(
        [pd.NA if made != made else made < own for made in table["created"]],
        index=table.index,
        dtype="boolean",
    )
    return Field(table, ceiling)


def _by_id(frame: pd.DataFrame, column: str) -> pd.Series:
    known = frame.dropna(subset=[column])
    number = known.groupby(known["repository_id"].astype("object"))[column].max()
    return number.astype("float64")


def attention(world: World, spec: Spec, line: float) -> Outcome:
    """Attention to DeepSeek-R1 over the most that any older repository drew."""
    measure, day, among = str(spec["measure"]), str(spec["day"]), str(spec["among"])
    field = field_of(world, measure, day)
    table = field.table
    own = float(table["number"][R1])
    others = table.drop(index=R1)
    if among == "china":
        others = others[others["china"]]
    older = others[others["older"].fillna(False)]
    # Whose day nobody knows may be older; what a complete list leaves out has its ceiling.
    possible = [float(x) for x in others.loc[others["older"].isna(), "number"]]
    if not math.isnan(field.ceiling):
        possible.append(field.ceiling)
    best = float(older["number"].max()) if len(older) else 0.0
    most = max([best, *possible])
    value = own / best if best else own / most
    lower, upper = own / most, own / best if best else math.inf
    decided = "undetermined" if lower <= line < upper else None
    return Outcome(
        value,
        lower,
        upper,
        lower,
        upper,
        len(older),
        len(others),
        decided,
        "no older one is on the list: the last place bounds it" if not best else "",
        {
            "day": day,
            "own": own,
            "best": str(older["number"].idxmax()) if len(older) else "",
            "best_number": best,
        },
        open_ended=not best,
    )


def _find_attention(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own = table.iloc[0]
    low, high = float(own["lower"]), float(own["upper"])
    span = f"{low:.1f}" if f"{low:.1f}" == f"{high:.1f}" else f"{low:.1f} to {high:.1f}"
    if low > float(record["stated_value"]):
        text = f"Yes by likes: DeepSeek R1 has {span} times those of any older Chinese model"
    elif high <= float(record["stated_value"]):
        text = f"No: {span} times the likes of the most liked older Chinese model"
    else:
        text = f"{span} times the likes of older Chinese models: the data cannot tell"
    fetched = table[(table["measure"] == "downloads") & (table["among"] == own["among"])]
    if not fetched.empty and (fetched["holds"] == "no").all():
        text += "; by downloads an older one stays ahead"
    return text


#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {
    "hardware": hardware,
    "pace": speed,
    "attention": attention,
}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "hardware": {
        "card": (),
        "bits": (sizes.PUBLISHED, "16", "8", "4"),
        "weight": ("downloads", "models"),
        "day": (),
        "population": ("family", "since-2025", "with-reuploads"),
        "outliers": ("in", "out"),
        "missing": ("absent", "bounded"),
    },
    "pace": {
        "measure": ("counts", "cut"),
        "bulk": ("in", "out"),
        "window": (),
        "against": ("alone", "llama", "rivals"),
        "edges": ("whole", "shared"),
        "asked": ("more", "turn"),
    },
    "attention": {
        "measure": ("likes", "likes-a-day", "first-month", "downloads", "downloads-quiet"),
        "day": (),
        "among": ("china", "all"),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {
    "hardware": _find_hardware,
    "pace": _find_speed,
    "attention": _find_attention,
}
