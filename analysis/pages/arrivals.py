"""What the pages on new repositories call: finished figures and tables."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.pages import _behind
from analysis.present import charts, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph
from analysis.present.tables import Column, table

_SHARE: Final = "new-derivatives-40pct"
_RELATED: Final = "repositories-200k"
_OWN: Final = "Qwen"

#: Readings of a base, in words.
_BASES: Final = {
    "official": "base of the own organisation",
    "with-reuploads": "that, or a named re-upload",
    "name": "base with the name in its id",
}
_RELATIONS: Final = {
    "finetune": "finetunes",
    "adapter": "adapters",
    "quantized": "quantised copies",
    "merge": "merges",
}
#: Ways to relate, in words.
_WAYS: Final = {
    "own": "the organisation itself",
    "base": "base of the organisation",
    "base_family": "base, re-uploads resolved",
    "base_name": "base with the name in its id",
    "name": "the name in its own id",
    "tag": "a tag with the name",
    "any": "any of these",
}
_SOURCES: Final = {
    "edges": "relations of June 2025",
    "pairs": "relations of October 2025",
    "catalogue": "catalogues of October 2025",
    "expansion": "most downloaded of December 2025",
    "roots": "roots of March 2026",
    "cut": "cut of May 2026",
    "tree": "tree of August 2026",
    "week": "new in its last week",
    "before": "every file before the article",
    "all": "every file",
}


def _shares(**where: Any) -> pd.DataFrame:
    """Return shares of the week; what is not asked for is the plain choice."""
    plain: dict[str, Any] = {
        "family": _OWN,
        "denominator": "declared",
        "copies": "in",
        "merges": "whole",
        "counted": "repository",
        "minimum": 0,
        "relation": None,
    }
    frame = tables.load("new_shares")
    for name, value in (plain | where).items():
        if value is None:
            frame = frame[frame[name].isna() | (frame[name] == "")]
        elif value != "any":
            frame = frame[frame[name] == value]
    return frame.reset_index(drop=True)


def _line() -> float:
    return float(pages.claim(_SHARE).record["stated_value"])


def _percent(value: object) -> str:
    return numbers.format_percent(float(str(value)))


def _fact(name: str) -> int:
    frame = tables.load("new_week")
    return int(frame.loc[frame["fact"] == name, "value"].iloc[0])


def _rows(frame: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    return frame.assign(label=labels, grade="computed")


def _words(rows: pd.DataFrame) -> str:
    said = [
        f"{r['label']}: {_percent(r['value'])} ({_percent(r['lower'])} to {_percent(r['upper'])})"
        for r in rows.to_dict("records")
    ]
    return "; ".join(said) + "."


_COLUMNS: Final = [
    Column("label", "share"),
    Column("part", "Qwen's"),
    Column("whole", "of"),
    Column("authors", "authors of these"),
    Column("value", "share", "share"),
    Column("lower", "from", "share"),
    Column("upper", "to", "share"),
]
_NOTE: Final = (
    "Bar: interval of sampling, authors drawn with replacement, not what another week would give. "
    "It is wide because a few authors uploaded hundreds of repositories in the week."
)


def definitions() -> Html:
    """Return Qwen's share of a week's new work, a row a definition."""
    picked = []
    for label, where in (
        ("Own organisation", {"base": "official"}),
        ("Own, without quantised copies", {"base": "official", "copies": "out"}),
        ("Own, each author once", {"base": "official", "counted": "author"}),
        ("Own, of all new repositories", {"base": "official", "denominator": "all"}),
        ("With named re-uploads", {"base": "with-reuploads"}),
        ("Re-uploads, without quantised", {"base": "with-reuploads", "copies": "out"}),
        ("Re-uploads, each author once", {"base": "with-reuploads", "counted": "author"}),
        ("Name in the id", {"base": "name"}),
        ("Name, without quantised copies", {"base": "name", "copies": "out"}),
        ("Name, each author once", {"base": "name", "counted": "author"}),
        ("Name, of all new repositories", {"base": "name", "denominator": "all"}),
    ):
        picked.append(_rows(_shares(**where), [label]))
    rows = pd.concat(picked, ignore_index=True)
    narrow, wide = (float(_shares(base=b)["value"].iloc[0]) for b in ("official", "name"))
    line = _line()
    between = narrow < line < wide
    stated = numbers.format_percent(line, 0)
    title = f"{stated} lies between two definitions" if between else f"Not {stated} by either"
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="share", mark=line, mark_label=f"stated: {stated}"
        ),
        id="new-definitions",
        title=f"{title}: {_percent(narrow)} by organisation, {_percent(wide)} by name",
        subtitle=f"Part of the new repositories of {_days()} with a declared base that is built on "
        "Qwen, by what counts as Qwen; two rows are of all new repositories",
        alt=_words(rows),
        data=rows[["label", "part", "whole", "authors", "value", "lower", "upper"]],
        columns=_COLUMNS,
        **_behind(_SHARE),
        note=_NOTE,
    )


def _days() -> str:
    spec = tables.load(tables.specifications_name(_SHARE))
    last = str(spec.loc[spec["source"] == "tree", "day"].iloc[0])
    first = pd.Timestamp(last) - pd.Timedelta(days=_fact("days") - 1)
    return f"{first.day} to {numbers.format_day(last)}"


def months() -> Html:
    """Return Qwen's share of new derivatives by month, from each source that reaches it."""
    frame = tables.load("new_months")
    frame = frame[(frame["family"] == _OWN) & frame["drawn"]]
    frame = frame[frame["base"] == "official"]
    names = {
        "counts": "four makers, at most",
        "counts-without-bulk": "without bulk uploads",
        "cut": "picked rows",
        "tree": "one week",
    }
    rows = frame.assign(day=frame["month"], series=frame["source"].map(names))
    rows = rows.reset_index(drop=True)
    top = rows[rows["source"] == "counts"].sort_values("value").iloc[-1]
    without = rows[(rows["source"] == "counts-without-bulk") & (rows["month"] == top["month"])]
    rest = float(without["value"].iloc[0])
    line = _line()
    week = rows[rows["source"] == "tree"].iloc[0]
    month = numbers.format_day(str(top["month"]))
    return figure(
        lambda width: charts.time_lines(
            rows[["day", "series", "value"]], width, unit="share", measure="share of new work",
            mark=line, mark_label="stated",
        ),
        id="new-months",
        title=f"Bulk uploads lift the share to at most {_percent(top['value'])} in {month}, "
        f"without them it is at most {_percent(rest)}",
        subtitle="Part of each month's new derivatives that names a model of Qwen's organisation, "
        "by month of creation or count",
        alt=f"Counts of four makers: highest {_percent(top['value'])} in {month}, "
        f"{_percent(rest)} without bulk uploads. Week of August 2026: {_percent(week['value'])}.",
        data=rows[["month", "series", "part", "whole", "value"]],
        columns=[
            Column("month"),
            Column("series", "source"),
            Column("part", "Qwen's"),
            Column("whole", "of"),
            Column("value", "share", "share"),
        ],
        **_behind(_SHARE),
        note="The sources count different things: derivatives of four makers only; rows that a "
        "registry of evaluations picked; nearly all that was new. They make no one series. Between "
        "the middle of 2025 and August 2026 no source here has enough rows of any month.",
    )  # fmt: skip


def last_months() -> Html:
    """Return the sentence on the last months of the counts, beside what others published."""
    frame = tables.load("new_months")
    frame = frame[(frame["family"] == _OWN) & (frame["source"] == "counts-without-bulk")]
    last = frame[frame["drawn"]].sort_values("month").iloc[-1]
    spec = tables.load(tables.specifications_name(_SHARE)).set_index("source")["value"]
    known = tables.load("reference/published-figures").set_index("id")

    def said(id: str) -> Html:
        return numbers.percent(float(str(known.loc[id, "value"])) / 100, "published", places=0)

    return paragraph(
        "Over the last twelve months of the counts Qwen's part of the four makers' new derivatives "
        "is ",
        numbers.percent(float(spec["counts"]), "bounded"),
        " with bulk uploads and ",
        numbers.percent(float(spec["counts-without-bulk"]), "bounded"),
        " without. It rises: in the last month that every base's count reaches, ",
        numbers.format_day(str(last["month"])),
        ", it is ",
        numbers.percent(float(str(last["value"])), "bounded"),
        " without them. All three are upper bounds. Others published ",
        said("atom-new-derivatives-aug-2025"),
        " of new language-model derivatives for August 2025, the likely source of the article's "
        "figure, and ",
        said("atom-new-derivatives-feb-2026"),
        " of those with more than five downloads for February 2026; and ",
        said("hai-chinese-finetunes"),
        " of new finetunes for all Chinese models together in September 2025.",
    )


def release() -> Html:
    """Return the sentences on the release just before the week, and what hangs on it."""
    frame = tables.load("new_days")
    whole, days = frame[frame["day"] == "all"].iloc[0], frame[frame["day"] != "all"]
    shares = days["value"].astype("float64")
    return paragraph(
        f"The week is no common one: it begins {whole['days_before']} days after "
        f"{whole['release']} came out. Of ",
        numbers.count(int(whole["part"]), "computed"),
        " derivatives of the organisation's models ",
        numbers.count(int(whole["newest"]), "computed"),
        " build on it, from ",
        numbers.count(int(whole["newest_authors"]), "computed"),
        " accounts. Without them the share by organisation would be ",
        numbers.percent(float(whole["without"]), "computed"),
        ", not ",
        numbers.percent(float(whole["value"]), "computed"),
        ". From day to day it lies anywhere from ",
        numbers.interval(float(shares.min()), float(shares.max()), "share", "computed"),
        ". Drawing authors cannot show this: all of them came after the same release. So the "
        "intervals are not what another week could give.",
    )


def days() -> Html:
    """Return the week by day."""
    frame = tables.load("new_days")
    shown = frame.assign(day=frame["day"].where(frame["day"] != "all", "all days"))
    return table(
        shown,
        [
            Column("day"),
            Column("part", "on Qwen's organisation"),
            Column("whole", "new derivatives"),
            Column("value", "share", "share"),
            Column("newest", f"on {frame['release'].iloc[0]}"),
            Column("newest_authors", "by so many authors"),
            Column("without", "share without these", "share"),
        ],
        caption="The week by day, and what its newest release brought",
    )


def rivals() -> Html:
    """Return the shares of all families by the same rules."""
    frames = []
    for base in ("official", "name"):
        frame = _shares(family="any", base=base)
        labels = [f"{f}: {'organisation' if base == 'official' else 'name'}" for f in
                  frame["family"]]  # fmt: skip
        frames.append(_rows(frame, labels))
    rows = pd.concat(frames, ignore_index=True)
    order = {name: place for place, name in enumerate(dict.fromkeys(rows["family"]))}
    rows = rows.sort_values("family", key=lambda s: s.map(order), kind="stable", ignore_index=True)
    named = rows[rows["base"] == "official"].set_index("family")["value"].astype("float64")
    second = str(named.drop(_OWN).idxmax())
    times = float(named[_OWN]) / float(named[second])
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="share", mark=_line(), mark_label="stated of Qwen"
        ),
        id="new-rivals",
        title=f"By the same rule the next family, {second}, "
        f"is the base of {_percent(named[second])}:"
        f" Qwen of {times:.0f} times as much",
        subtitle=f"Part of the new repositories of {_days()} with a declared base, by the "
        "organisation of the base and by the family's name in its id",
        alt=_words(rows),
        data=rows[["label", "part", "whole", "authors", "value", "lower", "upper"]],
        columns=[_COLUMNS[0], Column("part", "of the family"), *_COLUMNS[2:]],
        **_behind(_SHARE),
        note="An id can hold two names, so the shares by name may overlap. " + _NOTE,
    )


def _between(values: pd.Series) -> str:
    return str(numbers.format_interval(float(values.min()), float(values.max()), "share"))


def relations() -> Html:
    """Return Qwen's share among each kind of derived work."""
    frames = []
    for relation, word in _RELATIONS.items():
        for base in ("official", "name"):
            frame = _shares(base=base, relation=relation)
            by = "organisation" if base == "official" else "name"
            frames.append(_rows(frame, [f"{word.capitalize()}: {by}"]))
    rows = pd.concat(frames, ignore_index=True)
    own, named = (
        rows.loc[rows["base"] == base, "value"].astype("float64") for base in ("official", "name")
    )
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="share", mark=_line(), mark_label="stated of all"
        ),
        id="new-relations",
        title=f"In the four kinds of work Qwen's part is {_between(own)} by organisation, "
        f"{_between(named)} by name",
        subtitle=f"Part of the new repositories of {_days()} that is built on Qwen, by the "
        "relation that the author declares",
        alt=_words(rows),
        data=rows[["label", "part", "whole", "authors", "value", "lower", "upper"]],
        columns=_COLUMNS,
        **_behind(_SHARE),
        note=_NOTE,
    )


def minimum() -> Html:
    """Return the share among what was downloaded at all, and ten times."""
    columns = {0: "all new derivatives", 1: "downloaded at all", 10: "ten times or more"}
    rows = []
    for base, word in _BASES.items():
        row = {"base": word}
        for least in columns:
            one = _shares(base=base, minimum=least).iloc[0]
            within = numbers.format_interval(float(one["lower"]), float(one["upper"]), "share")
            row[str(least)] = f"{_percent(one['value'])} ({within})"
        rows.append(row)
    return table(
        pd.DataFrame(rows),
        [Column("base", "Qwen's by"), *(Column(str(k), word) for k, word in columns.items())],
        caption="Share of the week's new derivatives by the downloads that each must have, with "
        "the interval of sampling",
        stacked=True,
    )


def missing() -> Html:
    """Return what repositories without a declared base can do to the share."""
    frame = tables.load("new_missing")
    frame["base"] = frame["base"].map(_BASES)
    return table(
        frame,
        [
            Column("base", "Qwen's by"),
            Column("value", "share", "share"),
            Column("with_cards", "with bases that only cards name", "share"),
            Column("lower", "if none of the silent is Qwen's", "share"),
            Column("upper", "if all of the silent are", "share"),
            Column("upper_traces", "if all with a trace of Qwen are", "share"),
        ],
        caption="What the repositories without a declared base could do to the share",
    )


def silent() -> Html:
    """Return the sentences on repositories that declare nothing, or are absent."""
    frame = tables.load("new_missing")
    own = frame[frame["base"] == "official"].iloc[0]
    spec = tables.load(tables.specifications_name(_SHARE))
    record = pages.claim(_SHARE).record
    plain = spec[spec["source"] == "tree"]
    for name, choice in record["article"]["reading"].items():
        if name not in ("source", "base"):
            plain = plain[plain[name] == choice]
    needed = plain.set_index("base")["needed"].astype("float64")
    return paragraph(
        "Of ",
        numbers.count(_fact("repositories"), "computed"),
        " new repositories ",
        numbers.count(own["undeclared"], "computed"),
        " declare no base by tag. Some are no derivatives, some are and do not say so: ",
        numbers.count(own["named_in_card"], "computed"),
        " name a base in their card alone, and ",
        numbers.count(own["with_trace"], "computed"),
        " hold Qwen's name in their id or a tag. If all that are silent were derivatives, the "
        "share by organisation would lie anywhere from ",
        numbers.interval(own["lower"], own["upper"], "share", "bounded"),
        ". Repositories that declare a closed licence are absent from the source, and nobody here "
        "knows how many there were. To lift the share by organisation to the stated one, ",
        numbers.count(needed["official"], "computed"),
        " absent ones would all have to build on Qwen; to bring the share by name down to it, ",
        numbers.count(needed["name"], "computed"),
        " would all have to build on others.",
    )


def odd() -> Html:
    """Return the table of what the week holds."""
    return table(
        tables.load("new_week"),
        [Column("meaning", "what"), Column("value", "how many")],
        caption="What the source holds of the week, and what became of odd declarations",
    )


def authors() -> Html:
    """Return the authors with the most new derived work."""
    frame = tables.load("new_authors")
    return table(
        frame,
        [
            Column("author"),
            Column("derivatives", "new derivatives"),
            Column("share", "part of all", "share"),
            Column("cumulative", "with those above", "share"),
            Column("official", "on Qwen's organisation"),
            Column("name", "on a base named Qwen"),
            Column("quantised", "quantised copies"),
            Column("official_rest", "share by organisation without all these", "share"),
            Column("name_rest", "by name", "share"),
        ],
        caption="Authors with the most new derivatives of the week",
    )


def uploads() -> Html:
    """Return the sentence on how few authors stand behind the week."""
    frame = tables.load("new_authors")
    two = frame.head(2)
    return paragraph(
        "The two authors with the most new derivatives made ",
        numbers.percent(float(two["cumulative"].iloc[-1]), "computed"),
        " of all, the first ",
        numbers.count(len(frame), "computed"),
        " together ",
        numbers.percent(float(frame["cumulative"].iloc[-1]), "computed"),
        ". What one of them builds on moves the share. Without these authors the share by "
        "organisation would be ",
        numbers.percent(float(frame["official_rest"].iloc[-1]), "computed"),
        " and by name ",
        numbers.percent(float(frame["name_rest"].iloc[-1]), "computed"),
        ". So authors are drawn for the interval, and each author is also counted once.",
    )


# ---------------------------------------------------------------------- repositories that relate to


def _counts(**where: str) -> pd.DataFrame:
    frame = tables.load("related")
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return frame.reset_index(drop=True)


def ways() -> Html:
    """Return how many of a week's new repositories relate to Qwen, by what relates them."""
    own = _counts(source="week", family=_OWN).iloc[0]
    names = [name for name in _WAYS if name != "own"]
    rows = pd.DataFrame(
        {
            "label": [_WAYS[name].capitalize() for name in names],
            "value": [float(own[name]) for name in names],
            "lower": float("nan"),
            "upper": float("nan"),
            "grade": "computed",
            "a_week": [float(own[f"{name}_a_week"]) for name in names],
        }
    )
    total = int(own["repositories"])
    rows["share"] = rows["value"] / total
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="repositories", measure="repositories"
        ),
        id="related-ways",
        title=f"A count by tag finds {float(own['tag_over_base']):.1f} times what names a base of "
        f"Qwen's organisation, a count by any trace {float(own['any_over_base']):.1f} times",
        subtitle=f"New repositories of {_days()} that relate to Qwen, by what relates them; "
        f"of {total:,} in all",
        alt="; ".join(
            f"{r['label']} {int(r['value']):,} ({_percent(r['share'])})"
            for r in rows.to_dict("records")
        )
        + ".",
        data=rows[["label", "value", "share", "a_week"]],
        columns=[
            Column("label", "related by"),
            Column("value", "repositories"),
            Column("share", "of all new ones", "share"),
            Column("a_week", "in seven days", "count"),
        ],
        **_behind(_RELATED),
        note="A tag with the name is nearly always the type of model that a configuration names. "
        "It is kept by whatever is trained from it, and by what only copies the configuration.",
    )


def sources() -> Html:
    """Return what each file shows of the repositories that relate to Qwen."""
    frame = tables.load("related")
    frame = frame[(frame["family"] == _OWN) & (frame["source"] != "counts")].copy()
    frame["source"] = frame["source"].map(_SOURCES)
    return table(
        frame,
        [
            Column("source"),
            Column("repositories", "repositories in it"),
            *(Column(name, word) for name, word in _WAYS.items() if name != "base_family"),
        ],
        caption="Repositories that relate to Qwen in each file: counts from below",
    )


def rival_ways() -> Html:
    """Return the same counts for all families in the files that tell tags and bases."""
    frame = tables.load("related")
    # The tree is its last week and little else.
    frame = frame[frame["source"].isin(["cut", "week"])].copy()
    frame["source"] = frame["source"].map(_SOURCES)
    return table(
        frame,
        [
            Column("source"),
            Column("family"),
            Column("base", _WAYS["base"]),
            Column("base_name", _WAYS["base_name"]),
            Column("name", _WAYS["name"]),
            Column("tag", _WAYS["tag"]),
            Column("tag_over_base", "by tag over by base", "ratio"),
            Column("tag_over_name", "by tag over by id", "ratio"),
        ],
        caption="All families by the same rule, in files that tell both tags and bases",
    )


def floor() -> Html:
    """Return the sentences on the largest number that our files force."""
    counts = _counts(source="counts", family=_OWN).iloc[0]
    listed = _counts(source="before", family=_OWN).iloc[0]
    every = _counts(source="all", family=_OWN).iloc[0]
    record = next(one for one in tables.claims() if one["id"] == _RELATED)
    return paragraph(
        "Before the article our files list ",
        numbers.count(listed["any"], "computed"),
        " different repositories that relate to Qwen in any way, with those read after it ",
        numbers.count(every["any"], "computed"),
        ". One source counts without listing: by ",
        numbers.format_day(str(counts["day"])),
        " the base with the most derivatives had ",
        numbers.count(counts["largest_base"], "computed"),
        ", and all bases of the organisation together ",
        numbers.count(counts["sum_over_bases"], "computed"),
        ". A repository with two bases may stand in that sum twice. Less that, with what a list of "
        "March 2026 gives to later bases, and if nothing was deleted since, it is at least ",
        numbers.count(float(record["interval"][0]), "bounded"),
        "; how the source found the derivatives it does not say.",
    )


def rate() -> Html:
    """Return the sentence on how many such repositories a week brings."""
    own = _counts(source="week", family=_OWN).iloc[0]
    return paragraph(
        "In the week that we see nearly whole the Hub gained, in seven days, ",
        numbers.count(own["any_a_week"], "computed"),
        " repositories that relate to Qwen in any way: ",
        join(
            [
                numbers.count(own["tag_a_week"], "computed"),
                " by a tag, ",
                numbers.count(own["name_a_week"], "computed"),
                " by their id, ",
                numbers.count(own["base_a_week"], "computed"),
                " by a base of the organisation",
            ]
        ),
        ". The week is of August 2026; how fast the Hub grew before it, it does not say.",
    )
