"""Where a figure comes from: its statements in order of day, and what each repetition dropped.

The chains are data (``data/provenance.toml``). What they say is held against the table of published
figures: every statement has to stand there, days must not run backwards, and a word on what was
dropped must agree with the texts. Nothing here is a measurement: values are published by others,
and that one text repeats another is inferred unless a text says so.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from analysis.entries import checked
from analysis.errors import InputError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4)]
Link = Literal["first", "apart", "documented", "inferred"]
Dropped = Literal["population", "period", "unit", "definition", "qualifier"]
Compute = Literal["share", "sum", "difference", "ratio", "passed"]

#: Links that say that a text repeats another.
REPEATS: Final = ("documented", "inferred")
#: Id of the article among the statements of a chain.
ARTICLE: Final = "article"
_FILE: Final = "data/provenance.toml"
#: What a dropped word is checked by: the column that has to differ.
_CHECKED: Final = {"population": "population", "period": "describes"}
#: Columns that are compared from step to step.
COMPARED: Final = ("value", "unit", "population", "describes")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(_Strict):
    """What the article says, in our words."""

    value: Text
    unit: Text
    population: Text
    describes: Text


class Step(_Strict):
    """A published figure as a statement of a chain."""

    figure: Text
    link: Link
    counted: Text
    read: Text | None = None
    unit: Text | None = None
    population: Text | None = None
    describes: Text | None = None
    repeats: Text | None = None
    dropped: tuple[Dropped, ...] = ()
    reason: Reason


class LicenceStep(_Strict):
    """A licence text, of our own files, as a statement of a chain."""

    text: Text
    link: Link
    reason: Reason


class Chain(_Strict):
    """One figure of the article, with every earlier statement that we know."""

    id: Text
    claim: Text
    title: Text
    article: Said
    link: Literal["apart", "documented", "inferred"]
    repeats: Text | None = None
    dropped: tuple[Dropped, ...]
    reason: Reason
    step: tuple[Step, ...] = ()
    licence: tuple[LicenceStep, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Chain:
        links = [*(entry.link for entry in self.licence), *(entry.link for entry in self.step)]
        if not links:
            raise ValueError(f"chain {self.id!r} has no statement before the article")
        if links[0] != "first" or "first" in links[1:]:
            raise ValueError(f"chain {self.id!r}: the first statement, and no other, is 'first'")
        said = [(step.figure, step.link, step.dropped, step.repeats) for step in self.step]
        for name, link, dropped, repeats in (
            *said,
            (ARTICLE, self.link, self.dropped, self.repeats),
        ):
            if link not in REPEATS and (dropped or repeats):
                raise ValueError(f"chain {self.id!r}: {name} is {link!r}, so it repeats nothing")
        return self


class Operand(_Strict):
    """A published figure in a computation; `read` names another number of its row.

    `population` and `describes` say of what and for when that other number is.
    """

    figure: Text
    read: Text | None = None
    population: Text | None = None
    describes: Text | None = None


class Contradiction(_Strict):
    """Two published figures that do not fit together as they are repeated."""

    id: Text
    title: Text
    compute: Compute
    a: Operand
    b: Operand
    against: Operand | None = None
    rates: tuple[Text, ...] = ()
    unit: Text
    kind: Literal[
        "part above whole", "other count", "other population", "other period", "not a whole"
    ]
    reason: Reason

    @model_validator(mode="after")
    def _fits(self) -> Contradiction:
        if (len(self.rates) == 2) != (self.compute == "passed") or len(self.rates) not in (0, 2):
            raise ValueError(f"contradiction {self.id!r}: 'passed', and no other, has two rates")
        return self


class ProvenanceRules(_Strict):
    """``data/provenance.toml``."""

    article_day: date
    article_title: Text
    chain: tuple[Chain, ...]
    contradiction: tuple[Contradiction, ...]

    @model_validator(mode="after")
    def _fits(self) -> ProvenanceRules:
        for what, ids in (
            ("chain", [entry.id for entry in self.chain]),
            ("contradiction", [entry.id for entry in self.contradiction]),
        ):
            if twice := sorted({name for name in ids if ids.count(name) > 1}):
                raise ValueError(f"two entries {what} have the id {twice[0]!r}")
        return self


def parse(mapping: Mapping[str, object]) -> ProvenanceRules:
    """Validate the content of ``data/provenance.toml``; InputError names a wrong entry."""
    return checked(ProvenanceRules, mapping, _FILE)


# ------------------------------------------------------------------------------------- reading


@dataclass(frozen=True)
class Span:
    """The first and the last day that a text may mean."""

    first: date
    last: date


def span(text: object) -> Span | None:
    """Return the days that a text means.

    Parameters
    ----------
    text
        ``2026``, ``2026-02``, ``2026-02-08``, two of them with ``..`` between, ``by mid-2025`` (the
        end of June), each perhaps with words in brackets behind.

    Returns
    -------
    Span or None
        None where the text names no day ("undated", "early").
    """
    words = re.sub(r"\s*\(.*\)\s*\Z", "", str(text)).strip()
    if found := re.fullmatch(r"by mid-(\d{4})", words):
        end = date(int(found[1]), 6, 30)
        return Span(end, end)
    ends = words.split("..")
    if len(ends) > 2:
        return None
    known = [_one(end) for end in ends]
    if any(each is None for each in known):
        return None
    first, last = known[0], known[-1]
    assert first is not None
    assert last is not None
    return Span(first.first, last.last) if first.first <= last.last else None


def _one(text: str) -> Span | None:
    found = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text.strip())
    if found is None:
        return None
    try:
        year, month, day = int(found[1]), found[2], found[3]
        if day:
            whole = date(year, int(month), int(day))
            return Span(whole, whole)
        if month:
            last = calendar.monthrange(year, int(month))[1]
            return Span(date(year, int(month), 1), date(year, int(month), last))
        return Span(date(year, 1, 1), date(year, 12, 31))
    except ValueError:
        return None


def number(value: object, unit: object = "") -> float:
    """Return a published value as a number, thousands, millions and billions multiplied out.

    NaN where the value is no number (a month, a name).
    """
    text = str(value).replace(",", "").strip()
    if not re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        return math.nan
    for word, factor in (("thousand", 1e3), ("million", 1e6), ("billion", 1e9)):
        if str(unit).split(",")[0].split(" ")[0] == word:
            return float(text) * factor
    return float(text)


def resolved(figures: pd.DataFrame) -> pd.DataFrame:
    """Return published figures by id, with every "same" in `population` written out.

    "same" stands for the last population above that is none; words behind it are kept:
    ``same, cumulative`` becomes ``<that population>; cumulative``, unless it says so already.
    """
    last, out = "", []
    for text in figures["population"]:
        words = "" if pd.isna(text) else str(text)
        found = re.match(r"same\b(?: list| survey)?[,;:]?\s*", words)
        if found is None:
            last = words
            out.append(words)
        else:
            rest = words[found.end() :]
            told = not rest or rest in last.split("; ")
            out.append(last if told else f"{last}; {rest}")
    return figures.assign(population=out).set_index("id")


def _row(figures: pd.DataFrame, id: str, where: str) -> Mapping[Any, Any]:
    if id not in figures.index:
        raise InputError(
            f"{_FILE}: {where}: no published figure is called {id!r}: take an id of "
            "data/reference/published-figures.csv"
        )
    return dict(figures.loc[id].items())


def _read(row: Mapping[Any, Any], read: str | None, where: str) -> str:
    """Return the value of a row, or the other number that a rule reads in its text."""
    if read is None:
        return str(row["value"])
    texts = (row["value"], row["unit"], row["statement"])
    pattern = rf"(?<![\d.,]){re.escape(read)}(?![\d]|[.,]\d)"
    if not any(re.search(pattern, str(text)) for text in texts):
        raise InputError(
            f"{_FILE}: {where}: {read!r} does not stand in the row: read what is there"
        )
    return read


# --------------------------------------------------------------------------------- the statements

#: Columns of :func:`statements`.
STATEMENTS: Final = (
    *("chain", "title", "claim", "step", "id", "value", "unit", "population", "describes"),
    *("stated_first", "stated_last", "document", "authors", "url", "text_read", "counted", "link"),
    *("repeats", "dropped", "changed", "gap_low", "gap_high", "age_low", "reason", "grade"),
)


def statements(
    rules: ProvenanceRules, figures: pd.DataFrame, licences: pd.DataFrame
) -> pd.DataFrame:
    """Return every statement of every chain, the article last.

    Parameters
    ----------
    rules
        ``data/provenance.toml``.
    figures
        ``data/reference/published-figures.csv``.
    licences
        A row a licence text: ``text`` (its version), ``title``, ``licensor``, ``date`` (ISO),
        ``users``.

    Returns
    -------
    pandas.DataFrame
        A row a statement, columns :data:`STATEMENTS`. `step` counts from 0. `stated_first` and
        `stated_last` are the days between which it was said, empty where the text is undated.
        `changed` lists which of :data:`COMPARED` differ from the statement that is repeated.
        `gap_low` and `gap_high` are the days since the statement before (of the chain), `age_low`
        those at least from the end of the time that it describes to the article. Values are
        ``published``, those of a licence text ``computed``.

    Raises
    ------
    InputError
        A statement is not in the table, days run backwards, or a word on what was dropped does
        not agree with the texts.
    """
    known = resolved(figures)
    texts = {str(row["text"]): row for row in licences.to_dict("records")}
    rows: list[dict[str, Any]] = []
    for chain in rules.chain:
        own: list[dict[str, Any]] = []
        for part in chain.licence:
            own.append(_licence(part, texts, chain.id))
        for step in chain.step:
            own.append(_published(step, known, chain.id))
        own.append(
            {
                "id": ARTICLE,
                **chain.article.model_dump(),
                "stated": Span(rules.article_day, rules.article_day),
                "document": rules.article_title,
                "counted": chain.article.population,
                "link": chain.link,
                "repeats": chain.repeats,
                "dropped": chain.dropped,
                "reason": chain.reason,
                "grade": "published",
            }
        )
        _linked(own, rules.article_day, chain.id)
        for place, row in enumerate(own):
            rows.append(
                {"chain": chain.id, "title": chain.title, "claim": chain.claim, "step": place}
                | row
            )  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=list(STATEMENTS))


def _published(step: Step, known: pd.DataFrame, chain: str) -> dict[str, Any]:
    where = f"chain {chain!r}, {step.figure}"
    row = _row(known, step.figure, where)
    return {
        "id": step.figure,
        "value": _read(row, step.read, where),
        "unit": step.unit or row["unit"],
        "population": step.population or row["population"],
        "describes": step.describes or row["describes"],
        "stated": span(row["stated_on"]),
        "document": row["document"],
        "authors": row["authors"],
        "url": row["url"],
        "text_read": row["read"],
        "counted": step.counted,
        "link": step.link,
        "repeats": step.repeats,
        "dropped": step.dropped,
        "reason": step.reason,
        "grade": "published",
    }


def _licence(
    part: LicenceStep, texts: Mapping[str, Mapping[Any, Any]], chain: str
) -> dict[str, Any]:
    row = texts.get(part.text)
    if row is None or pd.isna(row["users"]):
        raise InputError(
            f"{_FILE}: chain {chain!r}: {part.text!r} is no licence text with a number of users"
        )
    return {
        "id": part.text,
        "value": f"{float(row['users']) / 1e6:g}",
        "unit": "million users a month",
        "population": f"whoever uses the models under the licence of {row['licensor']}",
        "describes": row["date"],
        "stated": span(row["date"]),
        "document": row["title"],
        "authors": row["licensor"],
        "text_read": "primary",
        "counted": "users above which a licence of its own is to be asked for",
        "link": part.link,
        "repeats": None,
        "dropped": (),
        "reason": part.reason,
        "grade": "computed",
    }


def _linked(rows: list[dict[str, Any]], article: date, chain: str) -> None:
    """Fill in what follows from the order: what is repeated, what changed, the gaps in days."""
    by_id = {row["id"]: row for row in rows}
    if len(by_id) < len(rows):
        raise InputError(f"{_FILE}: chain {chain!r}: a statement stands in it twice: leave one")
    latest: date | None = None
    before: Span | None = None
    for place, row in enumerate(rows):
        stated: Span | None = row.pop("stated")
        where = f"chain {chain!r}, {row['id']}"
        if stated is not None and latest is not None and stated.last < latest:
            raise InputError(
                f"{_FILE}: {where}: it was stated before the statement above it: order by day"
            )
        row["stated_first"] = None if stated is None else stated.first.isoformat()
        row["stated_last"] = None if stated is None else stated.last.isoformat()
        row["gap_low"] = row["gap_high"] = math.nan
        if place and stated is not None and before is not None:
            row["gap_low"] = max(0, (stated.first - before.last).days)
            row["gap_high"] = (stated.last - before.first).days
        described = span(row["describes"])
        row["age_low"] = (
            math.nan if described is None else max(0, (article - described.last).days)
        )  # fmt: skip
        _compared(row, rows[:place], where)
        if stated is not None:
            latest = stated.first if latest is None else max(latest, stated.first)
        before = stated


def _compared(row: dict[str, Any], earlier: list[dict[str, Any]], where: str) -> None:
    """Fill in which texts changed, and hold what is said to be dropped against them."""
    dropped = row["dropped"]
    row["dropped"] = "; ".join(dropped)
    row["changed"] = ""
    if row["link"] not in REPEATS:
        row["repeats"] = None
        return
    if row["repeats"] is None:
        origin = earlier[-1]
    else:
        named = [entry for entry in earlier if entry["id"] == row["repeats"]]
        if not named:
            raise InputError(
                f"{_FILE}: {where}: it cannot repeat {row['repeats']!r}: name an earlier statement"
            )
        origin = named[0]
    row["repeats"] = origin["id"]
    changed = [name for name in COMPARED if str(row[name]) != str(origin[name])]
    row["changed"] = "; ".join("period" if name == "describes" else name for name in changed)
    for word in dropped:
        column = _CHECKED.get(word, "unit" if word == "unit" else None)
        if column is not None and column not in changed:
            raise InputError(
                f"{_FILE}: {where}: {word!r} cannot have been dropped, both texts have the same"
            )


def in_short(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row a chain: first statement, what the article repeats, what was lost on the way.

    Parameters
    ----------
    table
        :func:`statements`.

    Returns
    -------
    pandas.DataFrame
        ``chain``, ``title``, ``claim``, ``value`` and ``unit`` (of the article), ``statements``
        (before the article), ``first_id``, ``first_day``, ``source`` (id that the article repeats,
        empty where none is known), ``source_day``, ``gap_low``, ``gap_high`` (days from the source
        to the article, NaN where it is undated), ``age_low`` (days at least from the end of the
        time described to the article), ``link`` (of the article), ``inferred`` (links on the way
        that are), ``dropped`` (all of them), ``dropped_by_article`` (against the statement that it
        repeats), ``dropped_on_the_way`` (by the statements before it), ``grade``.
    """
    rows = []
    for chain, part in table.groupby("chain", sort=False):
        records = part.to_dict("records")
        article, first = records[-1], records[0]
        source = next((r for r in records if r["id"] == article["repeats"]), None)
        lost: dict[str, None] = {}
        way: dict[str, None] = {}
        inferred = 0
        step: Mapping[Any, Any] | None = article
        while step is not None and step["link"] in REPEATS:
            words = dict.fromkeys(word for word in str(step["dropped"]).split("; ") if word)
            lost |= words
            if step is not article:
                way |= words
            inferred += step["link"] == "inferred"
            step = next((r for r in records if r["id"] == step["repeats"]), None)
        low = high = math.nan
        if source is not None and not pd.isna(source["stated_first"]):
            day = date.fromisoformat(str(article["stated_first"]))
            low = (day - date.fromisoformat(str(source["stated_last"]))).days
            high = (day - date.fromisoformat(str(source["stated_first"]))).days
        rows.append(
            {
                "chain": chain,
                "title": article["title"],
                "claim": article["claim"],
                "value": article["value"],
                "unit": article["unit"],
                "statements": len(records) - 1,
                "first_id": first["id"],
                "first_day": first["stated_first"],
                "source": None if source is None else source["id"],
                "source_day": None if source is None else source["stated_first"],
                "gap_low": low,
                "gap_high": high,
                "age_low": math.nan if source is None else source["age_low"],
                "link": article["link"],
                "inferred": inferred,
                "dropped": "; ".join(lost),
                "dropped_by_article": article["dropped"],
                "dropped_on_the_way": "; ".join(way),
                "grade": "inferred",
            }
        )
    return pd.DataFrame(rows)


# ------------------------------------------------------------------------------ contradictions


def contradictions(rules: ProvenanceRules, figures: pd.DataFrame) -> pd.DataFrame:
    """Return what follows from putting published figures side by side.

    Parameters
    ----------
    rules
        ``data/provenance.toml``.
    figures
        ``data/reference/published-figures.csv``.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``title``, ``compute``; of either figure ``a_id``, ``a_value``, ``a_unit``,
        ``a_population``, ``a_describes`` (and with ``b_``); ``against_id``, ``against_value``;
        ``result`` (a number), or for ``passed`` the days ``first`` and ``last`` (ISO); ``unit``,
        ``kind``, ``reason``, ``grade`` (always ``inferred``: published numbers are in it).

    Raises
    ------
    InputError
        A figure is not in the table or is no number, or there is no day to count back from.
    """
    known = resolved(figures)
    rows = []
    for entry in rules.contradiction:
        where = f"contradiction {entry.id!r}"
        row: dict[str, Any] = {"id": entry.id, "title": entry.title, "compute": entry.compute}
        values = {}
        for side, operand in (("a", entry.a), ("b", entry.b)):
            found = _row(known, operand.figure, where)
            value = _read(found, operand.read, where)
            unit = f"{entry.unit}" if operand.read and entry.unit == "thousand" else found["unit"]
            values[side] = number(value, unit)
            if math.isnan(values[side]):
                raise InputError(f"{_FILE}: {where}: {operand.figure}: {value!r} is no number")
            row |= {
                f"{side}_id": operand.figure,
                f"{side}_value": value,
                f"{side}_unit": unit,
                f"{side}_population": operand.population or found["population"],
                f"{side}_describes": operand.describes or found["describes"],
            }
        row["against_id"] = row["against_value"] = None
        if entry.against is not None:
            found = _row(known, entry.against.figure, where)
            row["against_id"] = entry.against.figure
            row["against_value"] = _read(found, entry.against.read, where)
        row["result"], row["first"], row["last"] = math.nan, None, None
        a, b = values["a"], values["b"]
        if entry.compute == "passed":
            source = _row(known, entry.a.figure, where)
            at = span(source["describes"])
            rates = [number(_read(source, rate, where)) for rate in entry.rates]
            if at is None or at.first != at.last or min(rates) <= 0 or a < b:
                raise InputError(f"{_FILE}: {where}: nothing to count back from {entry.a.figure}")
            days = sorted(passed(at.last, a, b, rate) for rate in rates)
            row["first"], row["last"] = days[0].isoformat(), days[-1].isoformat()
        else:
            result = {
                "share": 100 * a / b if b else math.nan,
                "ratio": 100 * a / b if b else math.nan,
                "sum": a + b,
                "difference": a - b,
            }[entry.compute]
            row["result"] = result / 1e3 if entry.unit == "thousand" else result
        rows.append(row | {"unit": entry.unit, "kind": entry.kind, "reason": entry.reason})
    return pd.DataFrame(rows).assign(grade="inferred")


def passed(day: date, now: float, level: float, rate: float) -> date:
    """Return the day on which a count that grows by `rate` a day passed `level`.

    Parameters
    ----------
    day
        Day on which the count is `now`.
    rate
        Units a day, above 0, taken as constant.

    Examples
    --------
    >>> passed(date(2026, 1, 11), 110, 100, 1)
    datetime.date(2026, 1, 1)
    """
    return day - timedelta(days=math.ceil((now - level) / rate))
