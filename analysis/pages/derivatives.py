"""What the pages on how many derivatives, on how few bases call: finished figures and tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from analysis import tables
from analysis.pages import _behind
from analysis.present import charts, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph
from analysis.present.share_bars import share_bars
from analysis.present.tables import Column, table

_TOTAL: Final = "derivatives-113k"
_RATIO: Final = "derivatives-ratio"
_OWN: Final = "Qwen"
_RIVAL: Final = "Llama"
_COUNTS: Final = "counts-2025-02"
_WEEK: Final = "week-2026-08"
#: Families side by side, in the order drawn.
_FAMILIES: Final = ("Qwen", "Gemma", "Llama", "DeepSeek")
#: Bases of a family that are drawn each by itself.
_DRAWN: Final = 12
#: Bases without bulk uploads that are set beside those with.
_OTHERS: Final = 4

_WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _word(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else f"{count:,}"


def _bases(count: int) -> str:
    return f"{_word(count)} base{'' if count == 1 else 's'}"


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _concentration(source: str = _COUNTS) -> dict[str, dict[str, Any]]:
    frame = tables.load("derivative_concentration")
    return {str(row["family"]): row for row in _records(frame) if row["source"] == source}


def _name(repository: object) -> str:
    """Return an id without its organisation."""
    return str(repository).rpartition("/")[2]


def _computed(number: float) -> Html:
    return numbers.count(number, "computed")


# ------------------------------------------------------------------------- concentration


def concentration() -> Html:
    """Return on how few bases the derivatives of each family hang: the chapter's first figure."""
    frame = tables.load("derivative_curves")
    frame = frame[frame["rank"] > 0]
    known = _concentration()
    rows: list[dict[str, Any]] = []
    for family in _FAMILIES:
        own = frame[frame["family"] == family]
        total, half = int(known[family]["derivatives"]), int(known[family]["half"])
        label = f"{family}: {total:,} derivatives, half on {_bases(half)}"
        drawn = _records(own.head(_DRAWN))
        rest = own.iloc[_DRAWN:]
        rows += [
            {
                "row": family,
                "label": label,
                "part": _name(one["repository_id"]),
                "share": float(one["part"]),
                "strong": bool(one["bulk"]),
            }
            for one in drawn
        ]
        rows.append(
            {
                "row": family,
                "label": label,
                "part": f"{len(rest)} more",
                "share": float(rest["part"].sum()),
                "strong": bool(rest["bulk"].any()),
            }
        )
    bars = pd.DataFrame(rows)
    own = frame[frame["family"] == _OWN]
    three = float(own["share"].iloc[2])
    bulk = frame[frame["bulk"]]
    said = "; ".join(
        f"{family} {numbers.format_percent(float(known[family]['top3']), 0)} "
        f"on three of {int(known[family]['bases'])} bases"
        for family in _FAMILIES
    )
    shown = frame[["family", "rank", "repository_id", "derivatives", "part", "share", "bulk"]]
    return figure(
        lambda width: share_bars(bars, width, axis="share of the family's derivatives"),
        id="derivatives-concentration",
        title=f"{numbers.format_percent(three, 0)} of the derivatives counted for {_OWN} hang on "
        "three bases",
        subtitle="Derivatives of each family by the base that they name, largest base first, "
        f"{numbers.format_day(_day(_COUNTS))}. Full colour: bases that the declared rule names a "
        "bulk upload",
        alt=f"Share of derivatives on the three largest bases: {said}. Bulk uploads by the rule: "
        f"{', '.join(map(str, bulk['repository_id']))}.",
        data=shown,
        columns=[
            Column("family"),
            Column("rank", "place"),
            Column("repository_id", "base"),
            Column("derivatives"),
            Column("part", "share of the family", "share"),
            Column("share", "with all larger ones", "share"),
            Column("bulk", "bulk upload"),
        ],
        **_behind(_TOTAL),
        note="Counted a base: a merge of two bases stands under both. The counts name no "
        "derivative, and do not say how they were made.",
    )


def _day(source: str) -> str:
    frame = tables.load("derivative_slices").set_index("source")
    return str(frame.loc[source, "day"])


def _sources(**where: Any) -> pd.DataFrame:
    frame = tables.load("derivative_sources")
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return frame


def _of(source: str, question: str, family: str) -> Mapping[str, Any]:
    frame = _sources(source=source, question=question, family=family)
    return _records(frame)[0]


def in_short() -> Html:
    """Return the chapter's answer, computed, as a paragraph."""
    known = _concentration()
    counted, rival = known[_OWN], known[_RIVAL]
    both = [
        numbers.count(float(_of(_COUNTS, "direct", family)["derivatives"]), "computed")
        for family in (_OWN, _RIVAL)
    ]
    bare = [
        numbers.count(float(_of(_COUNTS, "without-bulk", family)["derivatives"]), "computed")
        for family in (_OWN, _RIVAL)
    ]
    seen = tables.load("derivative_seen")
    first = _records(seen[seen["bulk"]])[0]
    left_out = int(counted["left_out"])
    flips = float(counted["derivatives_without"]) < float(rival["derivatives_without"])
    leads = f"{_RIVAL} leads" if flips else f"{_OWN} still leads"
    return paragraph(
        f"By {numbers.format_day(_day(_COUNTS))} one list counts ",
        both[0],
        f" derivatives of {_OWN} and ",
        both[1],
        f" of {_RIVAL}. A rule declared beforehand, the same for every family, names "
        f"{_bases(left_out)} of {_OWN}'s as bulk uploads and "
        f"{_word(int(rival['left_out'])) if rival['left_out'] else 'none'} of {_RIVAL}'s. "
        "Without them it is ",
        bare[0],
        " against ",
        bare[1],
        f": {leads}. Later lists hardly show these uploads: of the ",
        _computed(float(first[_COUNTS])),
        f" counted for {_name(first['repository_id'])}, a list of June 2025 that keeps what was "
        "fetched ten times in thirty days holds ",
        _computed(float(first["slice-2025-06"])),
        ", and a list of March 2026 of what is tagged text-generation, fetched or not, ",
        _computed(float(first["roots-2026-03"])),
        ". The lists count in other ways, or many uploads were deleted since: no file tells "
        "which. ",
        _passed(),
    )


def concentrations() -> Html:
    """Return how many derivatives hang on how few bases, by source and family."""
    frame = tables.load("derivative_concentration").rename(columns={"title": "seen"})
    columns = [
        Column("seen", "seen by"),
        Column("family"),
        Column("bases"),
        Column("derivatives", "derivatives, summed over bases"),
        Column("half", "bases that carry half"),
        Column("top3", "on the three largest", "share"),
        Column("gini", "Gini coefficient", "ratio"),
        Column("largest", "largest base"),
        Column("largest_derivatives", "its derivatives"),
    ]
    shown = table(frame, columns, caption="Concentration of derivatives on bases, by source")
    return Html(
        f"<details><summary>The same in every source ({len(frame)} rows)</summary>{shown}</details>"
    )


# --------------------------------------------------------------------------------- months


def _monthly() -> pd.DataFrame:
    """Return new derivatives by calendar month: day, series and value."""
    frame = tables.load("derivative_months")
    frame = frame[frame["family"].isin(["Qwen", "Gemma", "Llama"])]
    frame = frame[frame["month"] >= "2023-07"]
    last = str(frame["month"].max())
    parts = []
    for family, is_bulk, name in (
        ("Qwen", True, "Qwen, bulk"),
        ("Llama", False, "Llama, all"),
        ("Gemma", True, "Gemma, bulk"),
        ("Qwen", False, "Qwen, other"),
    ):
        own = frame[(frame["family"] == family) & (frame["bulk"] == is_bulk)]
        every = pd.period_range("2023-07", last, freq="M").astype(str)
        values = own.set_index("month")["derivatives"].reindex(every).fillna(0)
        parts.append(pd.DataFrame({"day": every, "series": name, "value": values.to_numpy()}))
    rows = pd.concat(parts, ignore_index=True)
    # The last month is counted in part: bases reach it on different days.
    return rows[rows["day"] < last].reset_index(drop=True)


def _passed() -> Html:
    """Say who gained more in the last days that the counts hold whole, without bulk uploads."""
    frame = tables.load("derivative_last_span")
    frame = frame[~frame["bulk"]]
    by = frame.groupby("family")["derivatives"].sum()
    gained = {_OWN: float(by[_OWN]), _RIVAL: float(by[_RIVAL])}
    first, second = sorted(gained, key=lambda name: -gained[name])
    even = "even " if first == _OWN else ""
    days = " to ".join(numbers.format_day(str(frame[end].iloc[0])) for end in ("first", "last"))
    lead = f"In the last days that the counts hold whole, {days}, {first} gained more {even}"
    return join(
        [
            lead,
            "without bulk uploads: ",
            _computed(round(gained[first])),
            " against ",
            _computed(round(gained[second])),
            ", each month's count spread evenly over its days.",
        ]
    )


_PLACED: Final = (
    "A wave of weeks is spread over two months here. The source gives months after a release and "
    "no days; the pages on new derivatives and on waves place them in the calendar in other ways, "
    "so that single months differ. "
)


def months() -> Html:
    """Return the months in which derivatives came: on bulk bases, and on all others."""
    rows = _monthly()
    peak = _records(rows.sort_values("value", kind="stable").tail(1))[0]
    on_bulk = rows[rows["series"].str.endswith("bulk")]
    named = int(tables.load("derivative_curves")["bulk"].sum())
    summer = float(on_bulk.loc[on_bulk["day"].between("2024-07", "2024-10"), "value"].sum())
    part = summer / float(on_bulk["value"].sum())
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="derivatives", measure="new derivatives a month", points=False
        ),
        id="derivatives-months",
        title=f"{numbers.format_percent(part, 0)} of the derivatives on the {_bases(named)} of "
        "bulk uploads came from July to October 2024",
        subtitle="New derivatives a calendar month, by the base that they name; each month after "
        "a release stands in the calendar month in which its middle lies",
        alt=f"The largest month of all is {numbers.format_day(str(peak['day']))} with "
        f"{int(peak['value']):,} derivatives ({peak['series']}). From July to October 2024 the "
        f"bulk bases gained {int(summer):,}.",
        data=rows,
        columns=[Column("day", "month"), Column("series"), Column("value", "new derivatives")],
        **_behind(_TOTAL),
        note=join(
            [
                Html(_PLACED),
                _passed(),
            ]
        ),
    )


def seen() -> Html:
    """Return how many derivatives of the largest bases each source shows."""
    frame = tables.load("derivative_seen")
    titles = tables.load("derivative_slices").set_index("source")["title"]
    others = frame[~frame["bulk"]].head(_OTHERS)
    frame = frame[frame["bulk"] | frame.index.isin(others.index)]
    columns = [
        Column("repository_id", "base"),
        Column("bulk", "bulk upload"),
        *(Column(name, str(titles[name])) for name in titles.index if name in frame.columns),
    ]
    caption = (
        f"Derivatives of the bases of bulk uploads and of the {_word(len(others))} largest others, "
        "by who looked"
    )
    shown = table(frame, columns, caption=caption, stacked=True)
    said = paragraph(
        "The list of March 2026 asks for a tag of the task and for no fetching. That it shows so "
        "few has two explanations, and no file tells which holds: it counts in another way, or "
        "many of the uploads were deleted. The second speaks against what the number from below "
        "rests on, that nothing was deleted since the counts.",
    )
    return join([shown, said])


def adapters() -> Html:
    """Return how many adapters each source shows among Qwen's derivatives: a caution."""
    parts: list[Html] = []
    for source in ("slice-2025-06", _WEEK):
        some, every = (_of(source, question, _OWN) for question in ("adapters", "direct"))
        part = float(some["derivatives"]) / float(every["derivatives"])
        parts.append(numbers.percent(part, "computed", places=0))
    return paragraph(
        "The list of June 2025 may hide the wave for another reason as well: it keeps few "
        "adapters. They are ",
        parts[0],
        f" of {_OWN}'s derivatives in it, and ",
        parts[1],
        " of those in the tree of August 2026. If the wave of 2024 was one of "
        "adapters, which no file here tells, the filter drops it for that reason too.",
    )


def faded() -> Html:
    """Return who leads without every large base that the slice of used models hardly shows."""
    frame = tables.load("derivative_faded")
    known = {str(row["family"]): row for row in _records(frame)}
    own, rival = known[_OWN], known[_RIVAL]
    left = int(own["derivatives_without"]), int(rival["derivatives_without"])
    named = [_name(one) for one in str(rival["bases"]).split(", ") if rival["faded"]]
    said = (
        join(
            [
                f"Between the counts and what was fetched ten times bases of {_RIVAL} fade too: ",
                numbers.listed(named),
                ". ",
            ]
        )
        if named
        else f"No large base of {_RIVAL} fades between the counts and what was fetched ten times. "
    )
    leads = _RIVAL if left[1] > left[0] else _OWN
    return paragraph(
        said,
        "Without the bases that fade, of all families, it is ",
        _computed(left[0]),
        f" for {_OWN} against ",
        _computed(left[1]),
        f" for {_RIVAL}: {leads} leads. So the order does not hang on the rule for bulk uploads "
        "alone. This second look was not declared before the first."
        if leads == _RIVAL
        else f" for {_RIVAL}: {leads} leads. So the order hangs on the rule for bulk uploads. "
        "This second look was not declared before the first.",
    )


# ------------------------------------------------------------------------------- the rule


def bulk_rule() -> Html:
    """Return the constants of the rule for bulk uploads, each with its reason."""
    frame = tables.load("derivative_bulk_rule")
    columns = [Column("constant"), Column("value"), Column("reason")]
    return table(frame, columns, caption="The rule that names bulk uploads", stacked=True)


def bulk_settings() -> Html:
    """Return what the rule names at other settings, and what is left."""
    frame = tables.load("derivative_bulk_settings")
    frame = frame.assign(
        setting=[
            "as declared" if name == "declared" else f"{value:g}"
            for name, value in zip(frame["constant"], frame["setting"], strict=True)
        ],
        constant=["" if name == "declared" else str(name) for name in frame["constant"]],
    )
    columns = [
        Column("setting"),
        Column("constant"),
        Column("named", "bases named"),
        Column("qwen", "Qwen left"),
        Column("llama", "Llama left"),
        Column("deepseek", "DeepSeek left"),
        Column("gemma", "Gemma left"),
        Column("ratio", "Qwen for one of Llama", "ratio"),
        Column("bases", "which"),
    ]
    shown = table(frame, columns, caption="The rule at other settings", stacked=True)
    low, high = float(frame["ratio"].min()), float(frame["ratio"].max())
    same = high < 1
    said = (
        f"At every one of {_word(len(frame))} settings {_RIVAL} leads without the bases named"
        if same
        else f"Who leads without the bases named depends on the setting of {_word(len(frame))}"
    )
    return join(
        [
            paragraph(
                f"{said}: ",
                numbers.interval(low, high, "ratio", "computed"),
                f" derivatives of {_OWN} for one of {_RIVAL}.",
            ),
            Html(f"<details><summary>All settings</summary>{shown}</details>"),
        ]
    )


# ------------------------------------------------------------------------------- sources


def slices() -> Html:
    """Return what each source sees of the whole, and what it counts."""
    described = tables.load("derivative_slices")
    counted = _sources(question="direct").pivot(
        index="source", columns="family", values="derivatives"
    )
    rows = described.assign(
        **{family: counted[family].reindex(described["source"]).to_numpy() for family in _FAMILIES},
        reach=["the whole" if whole else "a slice" for whole in described["whole"]],
    )
    numbered = table(
        rows,
        [
            Column("title", "source"),
            *(Column(family) for family in _FAMILIES),
        ],
        caption="Direct derivatives of each family, as each source shows them",
    )
    said = table(
        rows,
        [
            Column("title", "source"),
            Column("reach", "of the Hub"),
            Column("sees"),
            Column("misses", "does not see"),
        ],
        caption="What each source sees of the whole",
        stacked=True,
    )
    return join([numbered, said])


def by_question() -> Html:
    """Return Qwen's derivatives by source and question, with what each says of the whole."""
    frame = _sources(family=_OWN)
    rows = pd.DataFrame(
        {
            "title": frame["title"],
            "words": frame["words"],
            "derivatives": frame["derivatives"].round(0),
            "whole": [
                numbers.format_interval(low, up if bounded else None, "derivatives")
                for bounded, low, up in zip(
                    frame["bounded"], frame["lower"], frame["upper"], strict=True
                )
            ],
            "day": [numbers.format_day(str(day)) for day in frame["day"]],
        }
    )
    columns = [
        Column("title", "source"),
        Column("words", "what is counted"),
        Column("derivatives", "it shows"),
        Column("whole", "so the whole Hub had"),
        Column("day", "on"),
    ]
    shown = table(rows, columns, caption=f"Derivatives of {_OWN}, by source and by what is counted")
    summary = f"Every source and every way of counting ({len(rows)} rows)"
    return Html(f"<details><summary>{summary}</summary>{shown}</details>")


def bounds() -> Html:
    """Return what each source says of Qwen's derivatives, as rows with intervals."""
    frame = _sources(family=_OWN)
    chosen = frame[
        frame["question"].isin(["direct", "without-bulk"])
        & ((frame["question"] == "direct") | frame["whole"])
    ]
    rows = pd.DataFrame(
        {
            "label": [
                "The same, bulk uploads left out" if question == "without-bulk" else str(title)
                for title, question in zip(chosen["title"], chosen["question"], strict=True)
            ],
            "value": [math.nan] * len(chosen),
            "lower": chosen["lower"].to_numpy(),
            "upper": [
                up if bounded else math.nan
                for up, bounded in zip(chosen["upper"], chosen["bounded"], strict=True)
            ],
            "grade": "bounded",
        }
    )
    stated = 113_000.0
    claim = next(one for one in tables.claims() if one["id"] == _TOTAL)
    stated = float(claim["stated_value"] or stated)
    most = float(chosen.loc[chosen["whole"], "derivatives"].max())
    return figure(
        lambda width: charts.interval_rows(
            rows,
            width,
            unit="derivatives",
            measure=f"derivatives of {_OWN}",
            mark=stated,
            mark_label=f"stated: {claim['stated']}",
        ),
        id="derivatives-bounds",
        title=f"The one count of the whole Hub stops at {numbers.format_count(most)}; every later "
        "file sees a part",
        subtitle="Direct derivatives of Qwen that each source forces on the whole Hub, on its own "
        "day; an open bar has no upper end",
        alt="; ".join(
            f"{row['label']}: {charts.row_text(row, 'derivatives')}"
            for row in rows.to_dict("records")
        )
        + ".",
        data=rows,
        columns=[Column("label", "source"), Column("lower"), Column("upper"), Column("grade")],
        **_behind(_TOTAL),
    )


def minimum() -> Html:
    """Return the derivatives of each family by how often they were fetched."""
    frame = tables.load("derivative_minimum")
    wide = frame.pivot(index=["title", "minimum"], columns="family", values="derivatives")
    order = list(dict.fromkeys(frame["title"]))
    wide = wide.reset_index()
    wide = wide.assign(
        place=[order.index(title) for title in wide["title"]],
        at_least=["any" if not step else f"{int(step):,}" for step in wide["minimum"]],
        ratio=wide[_OWN] / wide[_RIVAL],
    ).sort_values(["place", "minimum"], kind="stable")
    columns = [
        Column("title", "source"),
        Column("at_least", "fetched at least"),
        *(Column(family) for family in _FAMILIES),
        Column("ratio", "Qwen / Llama", "ratio"),
    ]
    caption = "Derivatives by how often they were fetched in the thirty days before"
    return table(wide, columns, caption=caption)


def minimum_words() -> Html:
    """Return what part of the derivatives is fetched at all, as a paragraph."""
    frame = tables.load("derivative_minimum")
    parts: list[object] = []
    for source, what in (
        ("cut-2026-05", "evaluated models of May 2026"),
        (_WEEK, "repositories in the tree of August 2026"),
    ):
        own = frame[(frame["source"] == source) & (frame["family"] == _OWN)]
        known = own.set_index("minimum")["derivatives"]
        parts += [
            f"Of {_OWN}'s derivatives among the {what}, ",
            numbers.percent(float(known[100] / known[0]), "computed", places=0),
            " were fetched a hundred times or more in thirty days. ",
        ]
    parts.append(
        "The first were picked because somebody evaluated them, and most of the second are "
        "a few days old: neither says how much of the whole stock is used."
    )
    return paragraph(*parts)


# ------------------------------------------------------------------------------ who leads


def leads() -> Html:
    """Return who leads under which rule, as rows with intervals."""
    every = tables.load("derivative_leads")
    # What one week brought is no stock: it stands in the table and not beside the others.
    frame = every[every["source"] != _WEEK].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "label": [
                f"{str(title).rpartition(', ')[2]}: {rule}"
                for title, rule in zip(frame["title"], frame["rule"], strict=True)
            ],
            "value": frame["ratio"],
            "lower": frame["lower"],
            "upper": frame["upper"],
            "grade": [
                "bounded" if low < high else "computed"
                for low, high in zip(frame["lower"], frame["upper"], strict=True)
            ],
        }
    )
    counts = frame[frame["source"] == _COUNTS]
    first, last = float(counts["ratio"].iloc[0]), float(counts["ratio"].iloc[-1])
    turned = last < 1 < first
    title = (
        f"{_OWN} leads {_RIVAL} {first:.1f} to one, or {_RIVAL} leads {1 / last:.1f} to one: "
        "the rule decides"
        if turned
        else f"{_OWN} has {last:.1f} to {first:.1f} derivatives for one of {_RIVAL}"
    )
    return figure(
        lambda width: charts.interval_rows(
            rows,
            width,
            unit="ratio",
            measure=f"derivatives of {_OWN} for one of {_RIVAL}",
            mark=1.0,
            mark_label="as many",
        ),
        id="derivatives-leads",
        title=title,
        subtitle="Ratio inside each source; a slice says nothing of the whole Hub. Bars: how much "
        "a sum over bases may count twice",
        alt="; ".join(
            f"{row['label']} {row['value']:.2f}" for row in rows.to_dict("records")
        )
        + ".",
        data=every[
            ["title", "rule", "qwen", "llama", "deepseek", "ratio", "lower", "upper",
             "deepseek_ratio"]
        ],
        columns=[
            Column("title", "source"),
            Column("rule"),
            Column("qwen", "Qwen"),
            Column("llama", "Llama"),
            Column("deepseek", "DeepSeek"),
            Column("ratio", "Qwen for one of Llama", "ratio"),
            Column("lower", unit="ratio"),
            Column("upper", unit="ratio"),
            Column("deepseek_ratio", "Qwen for one of DeepSeek", "ratio"),
        ],
        **_behind(_RATIO),
        note="What one week of August 2026 brought is no stock: it stands in the table only.",
    )  # fmt: skip


def lead_count() -> Html:
    """Return in how many declared specifications each family leads, as a sentence."""
    frame = tables.specifications(_RATIO)
    values = frame["value"].astype("float64")
    ahead, behind = int((values > 1).sum()), int((values < 1).sum())
    first = frame[frame["source"] == _COUNTS]
    bare = first[first["bulk"] != "in"]["value"].astype("float64")
    own = first[first["family_rule"] == "official"].set_index("bulk")["value"].astype("float64")
    milder, harder = float(own["level"]), float(own["out"])
    june = frame[frame["source"] == "slice-2025-06"]["value"].astype("float64")
    return paragraph(
        f"{_OWN} leads in ",
        _computed(ahead),
        f" of the {len(frame):,} declared specifications and {_RIVAL} in ",
        _computed(behind),
        f". {_RIVAL} leads in all {_word(len(bare))} that count February 2025 without the bulk "
        f"uploads: {1 / milder:.1f} to one where they are put back to their base's level, "
        f"{1 / harder:.1f} to one where they are left out; "
        if bool((bare < 1).all())
        else ". ",
        f"and in {int((june < 1).sum())} of {len(june)} that look at what was fetched ten times "
        "by June 2025: there it depends on whether a copy of a base counts as the base, and on "
        "whether what descends from a derivative counts as well.",
    )


def rival_then() -> Html:
    """Return what was counted for Llama and DeepSeek a year before the article gave its figures."""
    llama, deepseek = (_of(_COUNTS, "direct", family) for family in (_RIVAL, "DeepSeek"))
    maker = _of(_COUNTS, "maker", _RIVAL)
    said = tables.load("reference/published-figures").set_index("id").loc["hf-derivatives-llama"]
    day = numbers.format_day(_day(_COUNTS))
    return paragraph(
        f"By {day} the same counts give {_RIVAL} ",
        numbers.interval(llama["lower"], llama["upper"], "derivatives", "bounded"),
        " derivatives, more than the article gives it at a later day (",
        numbers.graded(f"{said['value']} {said['unit']}", "published", "Stated by the article."),
        "), and DeepSeek ",
        numbers.interval(deepseek["lower"], deepseek["upper"], "derivatives", "bounded"),
        ". A stock shrinks only when repositories are deleted or fewer kinds of them are counted: "
        "so the article's figures were hardly counted as these were. "
        "The file of Meta holds more than Llama: with all of Meta's research models it is ",
        _computed(float(maker["derivatives"])),
        ".",
    )
