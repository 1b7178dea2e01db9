"""Checks of the claims on how many derivatives, on how few bases.

No file here holds every derivative on the Hub. What a number says of the whole follows from what
its source sees (``data/slices.toml``):

- A slice that somebody cut out: the whole has at least as many, and nothing bounds it from above.
- A count of the whole whose way of counting is not stated: what was counted by its day, and no
  upper end; a merge of two of a family's bases stands in two sums.
- A full snapshot: the number itself.

A ratio of two families is one inside a source. Of the whole Hub a slice's ratio says nothing, and
a ratio of another day than the article's says nothing of the article's day.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from analysis.claims.evidence import Evidence
from analysis.claims.outcome import Check, Dimensions, Finding, Outcome, Spec
from analysis.claims.world import LLAMA, QWEN, World
from analysis.errors import InputError
from analysis.measure import slices as slices_module
from analysis.measure import stock
from analysis.measure.stock import Asked, Stock
from analysis.snapshot import families as families_module

DEEPSEEK: Final = "deepseek"
#: The grids' name for all sources from before the article together.
TOGETHER: Final = "together"
#: The source that counts what was there by February 2025.
COUNTS: Final = "counts-2025-02"


def slices_of(evidence: Evidence) -> slices_module.Slices:
    """Return what each source sees of the whole."""
    found: slices_module.Slices = evidence.rule("slices")
    return found


def waves(evidence: Evidence) -> pd.DataFrame:
    """Every base with a wave of derivatives, and whether the rule names it a bulk upload."""
    return evidence.once(
        "derivatives waves",
        lambda: stock.waves_of(evidence.of_kind("derivative-counts"), evidence.rule("bulk")),
    )


def named(evidence: Evidence) -> frozenset[str]:
    """Bases that the rule names a bulk upload."""
    table = waves(evidence)
    return frozenset(str(name) for name in table.loc[table["bulk"], "repository_id"])


def frame_of(evidence: Evidence, source: slices_module.Slice) -> pd.DataFrame:
    """Return a source as one table, its versions below each other."""
    return evidence.once(
        f"derivatives frame {source.id}",
        lambda: pd.concat([evidence.frame(name) for name in source.versions], ignore_index=True),
    )


def day_of_slice(evidence: Evidence, source: slices_module.Slice) -> str:
    """Return the day on which a source was read, or to which its counts by month go."""
    frame = frame_of(evidence, source)
    if "month" in frame.columns:
        return str(stock.counted_until(frame).max().date())
    return max(evidence.days[name] for name in source.versions).isoformat()


def _several(evidence: Evidence) -> dict[str, float]:
    known = slices_of(evidence)

    def measure() -> dict[str, float]:
        frame = frame_of(evidence, known.find(known.several_bases))
        return stock.several_bases(stock.graph_of(frame, evidence.families), evidence.families)

    return evidence.once("derivatives several", measure)


def stocks(evidence: Evidence, source: slices_module.Slice, asked: Asked) -> dict[str, Stock]:
    """Ask one source; each question is answered once.

    Parameters
    ----------
    evidence
        The tables.
    source
        The source.
    asked
        The question. A minimum that every repository of the source has met to stand in it is
        answered without a counter.

    Returns
    -------
    dict
        Family to its stock, inside the source.

    Raises
    ------
    InputError
        The source cannot answer.
    """
    if (lacking := _lacking(source, asked)) is not None:
        raise InputError(f"{source.id}: {lacking}; declare it impossible")

    def answer() -> dict[str, Stock]:
        frame, families = frame_of(evidence, source), evidence.families
        if not stock.has_relations(frame):
            return stock.of_bases(frame, families, asked, waves(evidence), _several(evidence))
        without = named(evidence) if asked.bulk == "out" else frozenset[str]()
        graph = evidence.once(
            f"derivatives graph {source.id} {asked.bulk}",
            lambda: stock.graph_of(frame, families, without),
        )
        if asked.minimum <= source.minimum:
            plain = dataclasses.replace(asked, minimum=0)
            return stock.of_relations(graph, families, plain)
        downloads = frame.set_index("repository_id")["downloads_30d"]
        return stock.of_relations(graph, families, asked, downloads)

    return evidence.once(f"derivatives stocks {source.id} {asked}", answer)


def _lacking(source: slices_module.Slice, asked: Asked) -> str | None:
    """Say why a source cannot answer by what it knows of a derivative; None when it can."""
    if asked.relation != "all" and not source.relations:
        return f"relation = {asked.relation!r}: it does not tell relations"
    if asked.minimum > source.minimum and not source.counter:
        return f"minimum = {asked.minimum}: it has no counter of derivatives"
    return None


def answers(evidence: Evidence, source: slices_module.Slice, asked: Asked) -> bool:
    """Whether a source can answer a question: by what it knows, and by its kind."""
    if _lacking(source, asked) is not None:
        return False
    frame = frame_of(evidence, source)
    if stock.has_relations(frame):
        return asked.bulk != "level"
    return stock.unanswered(frame, asked) is None


def _asked(spec: Spec) -> Asked:
    chosen = {
        field.name: spec[field.name]
        for field in dataclasses.fields(Asked)
        if field.name in spec and field.name != "minimum"
    }
    minimum = int(float(spec["minimum"]))
    return Asked(**{name: str(value) for name, value in chosen.items()}, minimum=minimum)


def _none(asked: Asked) -> InputError:
    return InputError(f"no family of that question is in the source ({asked})")


# -------------------------------------------------------------------- how many derivatives


def total(world: World, spec: Spec, line: float) -> Outcome:
    """How many derivatives Qwen has on the whole Hub, as far as a source can tell."""
    evidence, asked = world.evidence, _asked(spec)
    if spec["source"] == TOGETHER:
        return _together(evidence, asked, line)
    source = slices_of(evidence).find(str(spec["source"]))
    got = stocks(evidence, source, asked).get(QWEN)
    if got is None:
        raise _none(asked)
    extra: dict[str, float | str] = {
        "day": day_of_slice(evidence, source),
        "seen_bases": got.bases,
        "left_out": got.left_out,
    }
    if not source.upper:
        # Of what a source shows only the sure part bounds the whole, and only from below.
        return Outcome(
            got.value,
            got.lower,
            math.inf,
            got.hard_lower,
            math.inf,
            decided="yes" if got.lower > line else "undetermined",
            note="what was counted: the whole Hub had at least as many"
            if source.whole
            else "a slice: the whole Hub has at least as many",
            extra=extra,
            open_ended=True,
        )
    decided = "yes" if got.lower > line else "no" if got.upper <= line else "undetermined"
    return Outcome(
        got.value,
        got.lower,
        got.upper,
        got.hard_lower,
        got.hard_upper,
        decided=decided,
        note="the whole Hub on the day of the source",
        extra=extra,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Floor:
    """The most derivatives of Qwen that sources from before the article force on its day.

    Attributes
    ----------
    lower
        If the counts are right, count twice as often as the one slice that shows it, and nothing
        was deleted since.
    hard_lower
        Of lists alone, which name what they count.
    source
        The source that forces most.
    stock
        What that source says.
    later
        Derivatives of bases that came after its counts, from another source.
    """

    lower: float
    hard_lower: float
    source: slices_module.Slice
    stock: Stock
    later: float


def floor(evidence: Evidence, asked: Asked) -> Floor:
    """Return the most that any source from before the article forces on its day.

    A source that cannot answer the question itself answers a narrower one, whose number can only
    be smaller: direct instead of transitive, those fetched ten times instead of all. Bases made
    after the last count add what a later list of bases gives them. Where the maker's own do not
    count, they are at most the repositories that the maker had.
    """
    best: tuple[float, slices_module.Slice, Stock, float] | None = None
    hard = 0.0
    for source in slices_of(evidence).slice:
        if not source.before_article or any(n not in evidence.frames for n in source.versions):
            continue
        narrower = _narrower(evidence, source, asked)
        got = None if narrower is None else stocks(evidence, source, narrower).get(QWEN)
        if narrower is None or got is None:
            continue
        lower, later = got.lower, 0.0
        frame = frame_of(evidence, source)
        if stock.has_relations(frame):
            # Only a list names the repositories that it counts.
            hard = max(hard, got.hard_lower)
        elif asked.own == "out":
            lower = max(0.0, lower - _own_repositories(evidence, source))
        elif "month" in frame.columns:
            later = _later_bases(evidence, source, asked)
            several = max(1.0, _several(evidence).get(QWEN, 1.0))
            lower = max(lower, (got.value + later) / several)
        if best is None or lower > best[0]:
            best = (lower, source, got, later)
    if best is None:
        raise _none(asked)
    lower, source, got, later = best
    return Floor(lower, hard, source, got, later)


def _later_bases(evidence: Evidence, counts: slices_module.Slice, asked: Asked) -> float:
    """Return the most derivatives that one list gives to bases made after the counts end."""
    until = stock.counted_until(frame_of(evidence, counts)).max()
    # A base made on the last day may have been counted: from the day after on it cannot.
    until = until.normalize() + pd.Timedelta(days=1)
    found = [0.0]
    for source in slices_of(evidence).slice:
        if not source.before_article or any(n not in evidence.frames for n in source.versions):
            continue
        frame = frame_of(evidence, source)
        if {"derivatives", "created_at"} <= set(frame.columns) and "month" not in frame.columns:
            own = stock.of_later_bases(frame, evidence.families, asked.family_rule, until)
            found.append(own.get(QWEN, 0.0))
    return max(found)


def _own_repositories(evidence: Evidence, source: slices_module.Slice) -> int:
    """Return how many repositories Qwen's maker had by the day of a source, as any file has it."""
    day = pd.Timestamp(day_of_slice(evidence, source), tz="UTC") + pd.Timedelta(days=1)
    ids: set[str] = set()
    for name in sorted(evidence.frames):
        frame = evidence.frames[name]
        if not {"repository_id", "created_at"} <= set(frame.columns):
            continue
        if isinstance(frame["created_at"].dtype, pd.DatetimeTZDtype):
            by_then = frame[(frame["created_at"] < day).fillna(False)]
            ids |= set(by_then["repository_id"].dropna().astype("str"))
    every = pd.Series(sorted(ids), dtype="string")
    maker = families_module.makers(every, evidence.families)
    own = evidence.families.families[QWEN].maker
    return int((maker == own).fillna(False).sum())


def _together(evidence: Evidence, asked: Asked, line: float) -> Outcome:
    found = floor(evidence, asked)
    lower, got, source = found.lower, found.stock, found.source
    return Outcome(
        lower,
        lower,
        math.inf,
        found.hard_lower,
        math.inf,
        decided="yes" if lower > line else "undetermined",
        note=f"most is forced by: {source.title}",
        extra={
            "day": day_of_slice(evidence, source),
            "from": source.id,
            "later_bases": found.later,
            "seen_bases": got.bases,
            "left_out": got.left_out,
        },
        open_ended=True,
    )


def _narrower(evidence: Evidence, source: slices_module.Slice, asked: Asked) -> Asked | None:
    """Return the question, or one whose answer is no larger, that a source can answer."""
    if _lacking(source, asked) is not None:
        return None
    frame = frame_of(evidence, source)
    if stock.has_relations(frame):
        return dataclasses.replace(asked, bulk="out" if asked.bulk == "level" else asked.bulk)
    if asked.reuploads != "as-declared" or asked.merges != "whole":
        return None
    level = asked.bulk == "level" and "month" not in frame.columns
    bulk = "out" if level else asked.bulk
    return dataclasses.replace(asked, count="direct", bulk=bulk, own="in")


# --------------------------------------------------------------------------- who leads


def ratio(world: World, spec: Spec, _line: float) -> Outcome:
    """Set derivatives of Qwen against those of Llama, inside a source."""
    evidence, asked = world.evidence, _asked(spec)
    source = slices_of(evidence).find(str(spec["source"]))
    found = stocks(evidence, source, asked)
    qwen, llama, deepseek = (found.get(name) for name in (QWEN, LLAMA, DEEPSEEK))
    if qwen is None or llama is None:
        raise _none(asked)

    def over(above: float, below: float) -> float:
        return above / below if below else math.inf

    extra: dict[str, float | str] = {
        "day": day_of_slice(evidence, source),
        "qwen": qwen.value,
        "llama": llama.value,
        "deepseek": math.nan if deepseek is None else deepseek.value,
        "left_out": qwen.left_out + llama.left_out,
    }
    inside, decided, beside = "the whole Hub on the day of the source", None, ""
    if not source.whole:
        inside, decided = "inside the source: of the whole Hub it says nothing", "undetermined"
    elif source.before_article and not source.upper:
        inside, decided = "as counted by then: of a later day it says nothing", "undetermined"
    if decided:
        beside = f"for {_month(str(extra['day']))}, {inside}" if source.whole else inside
    return Outcome(
        over(qwen.value, llama.value),
        over(qwen.lower, llama.upper),
        over(qwen.upper, llama.lower),
        over(qwen.hard_lower, llama.hard_upper),
        over(qwen.hard_upper, llama.hard_lower),
        decided=decided,
        note=inside,
        extra=extra,
        beside=beside,
    )


# ------------------------------------------------------------------------------ findings


def _thousand(number: float) -> str:
    return f"{number / 1000:,.0f} thousand" if number >= 10_000 else f"{number:,.0f}"


def _reading(record: Mapping[str, Any], table: pd.DataFrame, **other: object) -> pd.Series | None:
    """Return the specification that differs from the article's reading only as named."""
    chosen = table
    for name, value in {**record["article"]["reading"], **other}.items():
        chosen = chosen[chosen[name] == value]
    return None if chosen.empty else chosen.iloc[0]


def _find_total(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    line = float(record["stated_value"])
    own = table.iloc[0]
    # Set beside it: what one source counted, with bulk uploads and without.
    counted = [_reading(record, table, source=COUNTS, bulk=bulk) for bulk in ("in", "out")]
    text = (
        f"At least {_thousand(float(own['lower']))}, as far as our files reach"
        if float(own["lower"]) <= line
        else f"Yes: at least {_thousand(float(own['lower']))}"
    )
    with_all, without = counted
    if with_all is not None and without is not None and int(without["left_out"]):
        text = (
            f"{_thousand(float(with_all['value']))} counted by {_month(str(with_all['day']))}, "
            f"{_thousand(float(without['value']))} without "
            f"{_number_word(int(without['left_out']))} bases of bulk uploads; "
            "for the day of the article our files cannot tell"
            if float(own["lower"]) <= line
            else text
        )
    return text


def _find_ratio(record: Mapping[str, Any], table: pd.DataFrame) -> str:
    own, without = table.iloc[0], _reading(record, table, bulk="out")
    value = float(own["value"])
    text = f"{value:.1f} to one by {_month(str(own['day']))}, not {record['stated_value']:.1f}"
    if record["recreated"]["verdict"] == "not checkable":
        text = f"{value:.1f} to one was counted in {_month(str(own['day']))}"
    elif record["recreated"]["verdict"].startswith("matches"):
        text = f"{value:.1f} to one by {_month(str(own['day']))}"
    if without is None or not int(without["left_out"]):
        return text
    other = float(without["value"])
    if other < 1 < value:
        bases = _number_word(int(without["left_out"]))
        text = f"{text}; without {bases} bases of bulk uploads Llama leads, {1 / other:.1f} to one"
        if record["recreated"]["verdict"] == "not checkable":
            text += "; for the day of the article our files cannot tell"
        return text
    return f"{text}; without bulk uploads {other:.1f} to one"


_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _month(text: str) -> str:
    return f"{_MONTHS[int(text[5:7]) - 1]} {text[:4]}"


def _number_word(number: int) -> str:
    return _WORDS[number] if number < len(_WORDS) else str(number)


_QUESTION: Final[Dimensions] = {
    "count": stock.COUNTS,
    "relation": tuple(stock.RELATIONS),
    "bulk": stock.BULK,
    "minimum": (),
    "reuploads": stock.REUPLOADS,
}

#: Check name to function; see :data:`analysis.claims.checks.CHECKS`.
CHECKS: Final[Mapping[str, Check]] = {"derivatives_total": total, "derivatives_ratio": ratio}

#: Dimensions of each check and the values it knows, () where the data have to know them.
DIMENSIONS: Final[Mapping[str, Dimensions]] = {
    "derivatives_total": {"source": (), **_QUESTION, "own": stock.OWN},
    "derivatives_ratio": {
        "source": (),
        **_QUESTION,
        "merges": stock.MERGES,
        "family_rule": ("official", "organisation"),
    },
}

#: Check name to what words its finding, the title of the claim's page.
FINDINGS: Final[Mapping[str, Finding]] = {
    "derivatives_total": _find_total,
    "derivatives_ratio": _find_ratio,
}
