"""What a page of the book calls: results in, finished HTML out.

A cell of a page is one to five lines that call into this module. It loads the
small tables of ``data/derived``, hands them to the present room and returns
HTML. It computes no result of its own.

Examples
--------
>>> from analysis import pages
>>> claim = pages.claim("share-above-half")  # doctest: +SKIP
>>> claim.summary()  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import pandas as pd

from analysis import tables
from analysis.errors import InputError
from analysis.present import charts, numbers, spec_curve
from analysis.present.cards import cards as _cards
from analysis.present.cards import contents as _contents
from analysis.present.cards import of_the_hub
from analysis.present.cards import version_address as _version_address
from analysis.present.cards import versions as _versions
from analysis.present.dictionary import dictionary as _dictionary
from analysis.present.figure import Source, figure
from analysis.present.glossary import glossary as _glossary
from analysis.present.markup import Html, escape, join, paragraph, safe_link
from analysis.present.tables import Column, csv_link, shape_key, table, verdict

#: Groups of claims that have pages (a claim's id is the name of its page), and what they are about.
GROUPS: Final = {
    "A": "downloads",
    "B": "derivatives",
    "C": "why Qwen is used",
    "D": "where Llama leads, and the rest",
}

#: Modules of this package, loaded when a page asks for one: every page starts a kernel.
CHAPTERS: Final = (
    "adoption",
    "arrivals",
    "derivatives",
    "domains",
    "explorer",
    "languages",
    "frontier",
    "licensing",
    "limits",
    "provenance",
    "pulls",
    "reasons",
    "releasing",
    "summary",
    "terms",
    "services",
    "trust",
    "waves",
)

#: Dimensions of the grids on downloads, in the order drawn.
DIMENSIONS: Final = (
    "population",
    "rivals",
    "attribution",
    "month",
    "after",
    "day",
    "measure",
    "family_rule",
    "repackagers",
    "cause",
    "outliers",
    "missing",
)


#: Words for the dimensions of the grids and for their choices.
NAMES: Final = {
    "population": "share or sum of what",
    "population=hub": "the whole Hub",
    "population=tracked": "tracked list",
    "population=named-makers": "nine named makers",
    "population=text-and-vision": "text and vision",
    "population=organisation": "the whole organisation",
    "population=with-reuploads": "with named re-uploads",
    "rivals": "the next eight",
    "rivals=largest-makers": "largest makers",
    "rivals=named-makers": "named makers",
    "rivals=largest-publishers": "largest publishers",
    "rivals=single-models": "single models",
    "attribution": "whose country",
    "attribution=publisher": "the publisher's",
    "attribution=base": "the base model's maker",
    "measure": "counter",
    "measure=downloads_30d": "thirty days",
    "measure=downloads_all_time": "all time",
    "measure=month": "by month",
    "measure=since-february-2025": "since February 2025",
    "after": "month after the release",
    "family_rule": "whose repositories",
    "family_rule=official": "family, own organisation",
    "family_rule=organisation": "all of the organisation",
    "family_rule=with-reuploads": "with named re-uploads",
    "repackagers": "repackagers",
    "repackagers=in": "with their base's country",
    "repackagers=out": "left out",
    "cause": "what is asked",
    "cause=any": "did it cross",
    "cause=needs-3.5": "only thanks to Qwen 3.5",
    "outliers": "bursts",
    "outliers=in": "as counted",
    "outliers=out": "put back to level",
    "missing": "unread repositories",
    "missing=absent": "left out",
    "missing=against": "at the end against it",
    "missing=for": "at the end for it",
    "missing=bounded": "as an interval",
}


def _rows(rows: list[dict[str, Any]]) -> pd.DataFrame:
    # As objects: pandas would turn finished HTML into plain text, which is then escaped.
    return pd.DataFrame(rows, dtype=object)


def _inputs(record: dict[str, Any]) -> list[Source]:
    return [
        Source(
            str(item["name"]),
            str(item.get("sha256") or ""),
            version_address(str(item["name"])),
        )
        for item in record.get("inputs", [])
    ]


def _ends(record: dict[str, Any]) -> tuple[Any, Any]:
    interval = record.get("interval")
    return (interval[0], interval[1]) if interval else (None, None)


def _word(axis: Any) -> str:
    """Return the verdict of an axis without its reason."""
    return str(axis["verdict"] if isinstance(axis, dict) else axis).partition(" (")[0]


_DAY: Final = re.compile(r"\b20\d\d-\d\d-\d\d\b")


def _reasoned(axis: Any, choice: str = "", named: str = "") -> Html:
    """Return the verdict of an axis and its reason, with days and the deciding choice in words."""
    reason = str(axis.get("reason") or "") if isinstance(axis, dict) else ""
    reason = _DAY.sub(lambda day: numbers.format_day(day[0]), reason)
    if choice:
        plainly = choice.replace("_", " ")
        reason = reason.replace(
            f"the choice of {plainly} explains", f"\u201c{named}\u201d explains"
        )
    return join([verdict(_word(axis)), f": {reason}"]) if reason else verdict(_word(axis))


def _behind(id: str) -> dict[str, Any]:
    """Return what a figure names as its sources: the raw files behind a claim."""
    page = id.removesuffix("-elsewhere")
    return {"sources": _inputs(claim(id).record), "everything": f"{page}.html#the-data-behind-it"}


_AT_COMMIT: Final = re.compile(r"(https://github\.com/[\w.-]+/[\w.-]+) \(commit ([0-9a-f]{7,40})\)")


def _cited(url: str, text: str) -> Html:
    """Return a citation with its address: as a link, or spelt out where it is no safe link."""
    url = _AT_COMMIT.sub(r"\1/tree/\2", url)
    link = safe_link(url, text)
    return link if link.startswith("<a ") else join([link, f" ({url})"])


class Claim:
    """One claim as a page shows it.

    Parameters
    ----------
    record : dict
        Its entry of ``claims.json``.

    Attributes
    ----------
    id : str
        Name of the claim and of its page.
    record : dict
        The entry itself.
    """

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record
        self.id: str = record["id"]

    @property
    def said(self) -> Html:
        """What the article says, in our words."""
        return Html(escape(self.record["statement"]))

    @property
    def stated(self) -> Html:
        """The article's figure, marked as published."""
        return numbers.graded(str(self.record["stated"]), "published", "Stated by the article.")

    @property
    def value(self) -> Html:
        """Our value, with its grade."""
        return numbers.value(self.record["value"], self.record["unit"], self.record["grade"])

    @property
    def interval(self) -> Html:
        """Our interval, with its grade."""
        lower, upper = _ends(self.record)
        return numbers.interval(lower, upper, self.record["unit"], self.record["grade"])

    @property
    def holds(self) -> Html:
        """In how many of the declared specifications the claim holds."""
        return join([str(self.record["holds"]), " of ", str(self.record["specifications"])])

    @property
    def deciding(self) -> Html:
        """The choice that decides, or that none does."""
        return Html(escape(self.deciding_words))

    @property
    def deciding_words(self) -> str:
        """The choice that decides, or that none does, as plain text."""
        record, choice = self.record, self.record["deciding_choice"]
        if choice:
            return spec_curve.worded(self.words, choice)
        every = record.get("specifications")
        if every and every in [record[answer] for answer in ("holds", "fails", "undetermined")]:
            return "none, every choice gives the same answer"
        return "no single choice"

    @property
    def words(self) -> dict[str, str]:
        """Words for dimensions and choices, the claim's own (``data/claims.toml``) first."""
        return {**NAMES, **self.record.get("words", {})}

    @property
    def settle(self) -> Html:
        """What would settle the claim."""
        return Html(escape(self.record["settle"]))

    @property
    def coverage(self) -> Html:
        """How much of the population was seen."""
        return Html(escape(coverage_words(self.record.get("coverage"))))

    def found(self) -> Html:
        """Return what we find: the interval where the data leave one, else the value."""
        lower, upper = _ends(self.record)
        if self.record.get("unit") == "share" and (lower, upper) == (0, 1):
            # Every share there can be: no finding at all.
            return Html("not known")
        if (lower, upper) != (None, None):
            if self.record.get("interval_meaning") and self.record["value"] is not None:
                # An interval of sampling alone would hide what was counted.
                return self.value if lower == upper else self._with_interval()
            return self.interval
        return self.value if self.record["value"] is not None else Html("not known")

    def _with_interval(self) -> Html:
        lower, upper = _ends(self.record)
        within = numbers.format_interval(lower, upper, self.record["unit"])
        return join([self.value, f" ({within})"])

    def summary(self) -> Html:
        """Return the box that opens a claim's page: figure, answer, three verdicts."""
        record = self.record
        rows: list[tuple[str, object]] = [
            ("The article says", self.stated),
            ("We find", self.found()),
            *self._without_assumption(),
            *self._interval_meaning(),
            *([("Seen of it", self.coverage)] if record.get("coverage") else []),
            ("Recreated", _reasoned(record["recreated"])),
            ("Robust", join([self._robust(), *self._choices()], " ")),
            ("Later data", _reasoned(record["later"])),
            *self._elsewhere(),
        ]
        pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
        return Html(f'<dl class="omr-summary">{pairs}</dl>')

    def _robust(self) -> Html:
        record = self.record
        return _reasoned(record["robust"], record["deciding_choice"] or "", self.deciding_words)

    def _choices(self) -> list[Html]:
        """Return the link to the explorer, where there is something to choose."""
        if not self.record["specifications"]:
            return []
        return [Html(f'(<a href="explore.html#claim={escape(self.id)}">try other choices</a>)')]

    @property
    def elsewhere(self) -> Claim | None:
        """The same claim asked of a second instrument; None where none was."""
        second = self.record.get("elsewhere")
        return Claim(second) if second else None

    def _elsewhere(self) -> list[tuple[str, object]]:
        """Return what a second instrument answers, where one was asked."""
        second = self.elsewhere
        if second is None:
            return []
        words = [
            join([f"{name} ", verdict(_word(second.record[axis]))])
            for name, axis in (("recreated", "recreated"), ("robust", "robust"), ("later", "later"))
        ]
        said = [f"{second.record['finding']} (", join(words, ", "), ")"]
        return [(f"Elsewhere: {second.record['instrument']}", join(said))]

    def _interval_meaning(self) -> list[tuple[str, object]]:
        """Return what the interval is, where it is not one that missing data leave."""
        meaning = str(self.record.get("interval_meaning") or "")
        if not meaning:
            return []
        how = Html(' (<a href="method.html#intervals-of-sampling">how it is found</a>)')
        return [("The interval is", join([meaning.rstrip("."), how]))]

    def _without_assumption(self) -> list[tuple[str, object]]:
        """Return the interval that the data force alone, where it differs from ours."""
        hard = self.record.get("hard_interval")
        if not hard or hard == self.record.get("interval"):
            return []
        forced = numbers.interval(hard[0], hard[1], self.record["unit"], self.record["grade"])
        tested = Html('<a href="method.html#assumed-bounds">assumptions that we tested</a>')
        if assumption := str(self.record.get("assumption") or ""):
            tested = Html(escape(assumption))
        return [("It rests on", tested), ("Without that", forced)]

    def curve(self) -> Html:
        """Return the specification curve with its table; the table alone where nothing is known."""
        frame = tables.specifications(self.id)
        unit = str(frame["unit"].iloc[0])
        stated = self.record["stated_value"]
        label = f"stated: {self.record['stated']}"
        # What a specification tells besides its choices (its day, say) is none of them.
        declared = self.record["dimensions"]
        dimensions = (
            *(d for d in DIMENSIONS if d in declared),
            *(d for d in declared if d not in DIMENSIONS),
        )
        drawn = spec_curve.choices(frame, dimensions)
        if frame[["value", "lower", "upper"]].isna().all(axis=None):
            return self._readings(frame, drawn)
        shown = [Column(name, spec_curve.worded(self.words, name)) for name in drawn]
        for name in ("value", "lower", "upper"):
            shown.append(Column(name, unit=unit))
        shown += [Column("holds"), Column("is_article", "the article's reading"), Column("grade")]
        ordered = spec_curve.ordered(frame, unit)
        drawn_curve = figure(
            lambda width: spec_curve.specification_curve(
                frame,
                width,
                unit=unit,
                stated=stated if isinstance(stated, int | float) else None,
                stated_label=label,
                dimensions=dimensions,
                names=self.words,
            ),
            id=f"{self.id}-specifications",
            title=(
                f"It holds in {self.record['holds']} of {self.record['specifications']} "
                f"declared ways to compute it"
            ),
            subtitle=(
                "Each column is one specification: result and interval above, its choices below. "
                "Filled: holds; hollow: does not hold; diamond: the data leave it open. "
                "The ring is the article's own reading."
            ),
            alt=spec_curve.sentence(frame, label),
            data=ordered[[c.name for c in shown]],
            columns=shown,
            about=f"The claim: {self.record.get('statement') or self.record['stated']}",
            **_behind(self.id),
        )
        return join([drawn_curve, self.spread()])

    def _readings(self, frame: pd.DataFrame, drawn: Sequence[str]) -> Html:
        """Return the declared readings as a table, for a claim of which none has a value yet."""
        rows = frame[[*drawn, "holds", "is_article", "grade"]].copy()
        for name in drawn:
            rows[name] = [self.words.get(f"{name}={value}", str(value)) for value in rows[name]]
        columns = [Column(name, spec_curve.worded(self.words, name)) for name in drawn]
        columns += [Column("holds"), Column("is_article", "the article's reading"), Column("grade")]
        caption = (
            f"It holds in {self.record['holds']} of {self.record['specifications']} declared ways "
            "to compute it; none of them has a value yet"
        )
        return table(rows, columns, caption=caption, stacked=True)

    def spread(self) -> Html:
        """Return how much of the spread of the results each choice explains on its own."""
        parts = self.record["spread"]
        if not parts:
            return Html("")
        frame = pd.DataFrame(
            {
                "choice": [spec_curve.worded(self.words, name) for name in parts],
                "part": list(parts.values()),
            }
        )
        columns = [Column("choice"), Column("part", "explains of the spread", "share")]
        return table(frame, columns, caption="What each choice explains of the spread, on its own")

    def inputs(self) -> Html:
        """Return every raw file behind the claim, with its hash and the place of its address."""
        frame = _rows(
            [
                {
                    "name": safe_link(source.link, source.name),
                    "sha256": Html(f"<code>{escape(source.sha256)}</code>"),
                }
                for source in _inputs(self.record)
            ]
        )
        if frame.empty:
            return paragraph("No raw file of ours bears on it.")
        columns = [Column("name", "version, which leads to its address"), Column("sha256")]
        shown = table(frame, columns, caption="Raw files behind this claim")
        count = f"{len(frame)} raw file{'' if len(frame) == 1 else 's'}"
        return Html(f'<details class="omr-files"><summary>{count}</summary>{shown}</details>')

    def published(self) -> Html:
        """Return what others published that bears on the claim."""
        known = tables.load("reference/published-figures").set_index("id")
        rows = [
            {
                "statement": known.loc[name, "statement"],
                "value": f"{known.loc[name, 'value']} {known.loc[name, 'unit']}",
                "population": known.loc[name, "population"],
                "describes": known.loc[name, "describes"],
                "source": _cited(
                    str(known.loc[name, "url"]),
                    f"{known.loc[name, 'authors']}, {known.loc[name, 'document']}",
                ),
                "stated_on": known.loc[name, "stated_on"],
                "read": known.loc[name, "read"],
            }
            for name in self.record["published"]
        ]
        if not rows:
            return paragraph("We know of none.")
        columns = [
            Column("statement", "what was said"),
            Column("value"),
            Column("population", "of what"),
            Column("describes", "for when"),
            Column("source", "by whom"),
            Column("stated_on", "on"),
            Column("read", "text read"),
        ]
        return table(_rows(rows), columns, caption="Figures that others published", stacked=True)

    def foot(self) -> Html:
        """Return the explanation of the marks, for the foot of the page."""
        return join([shape_key(), numbers.legend()])


def coverage_words(coverage: Any) -> str:
    """Return a coverage entry of ``claims.json`` as words.

    Parameters
    ----------
    coverage : dict, str or None
        Names and numbers; a dict is written ``name value; name value``.
    """
    if not coverage:
        return "does not apply"
    if not isinstance(coverage, dict):
        return str(coverage)
    covered, of = coverage.get("covered_repositories"), coverage.get("population_repositories")
    parts = []
    if covered is not None and of is not None:
        parts.append(f"{covered:,} of {of:,} repositories read")
    held = coverage.get("all_time_downloads_share")
    if held is not None:
        held_words = f"with {numbers.format_percent(held)} of their downloads of all time"
        parts[-1:] = [", ".join([*parts[-1:], held_words])]
    for name, value in coverage.items():
        if name in _COVERAGE or value is None:
            continue
        if name.endswith("share") and isinstance(value, float):
            value = numbers.format_percent(value)
        elif isinstance(value, int):
            value = f"{value:,}"
        parts.append(f"{name.replace('_', ' ')}: {value}")
    return "; ".join(parts)


#: Entries of a coverage that have words of their own.
_COVERAGE: Final = ("covered_repositories", "population_repositories", "all_time_downloads_share")


def claim(id: str) -> Claim:
    """Return the claim of a page.

    Parameters
    ----------
    id : str
        For instance ``share-above-half``.

    Raises
    ------
    InputError
        When ``claims.json`` has no such claim.
    """
    for record in tables.claims():
        # What a second instrument answers has an id of its own, and stands in its claim's entry.
        for entry in (record, record.get("elsewhere") or {}):
            if entry.get("id") == id:
                return Claim(entry)
    known = ", ".join(str(record["id"]) for record in tables.claims())
    raise InputError(f"claims.json has no claim {id!r}; it has {known}")


def __getattr__(name: str) -> Any:
    """Load the module of a chapter when it is asked for."""
    if name in CHAPTERS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def checked(group: str = "") -> list[Claim]:
    """Return the claims that were checked, in the order of the register.

    Parameters
    ----------
    group : str
        One of :data:`GROUPS`; all of them when empty.
    """
    return [
        Claim(record)
        for record in tables.claims()
        if record.get("status") != "open" and record["group"] in (group or GROUPS)
    ]


def _number(count: int) -> str:
    return _COUNTS[count] if count < len(_COUNTS) else str(count)


def count(group: str = "") -> Html:
    """Return how many claims of a group, or of all, were checked, as a word."""
    return Html(_number(len(checked(group))))


def verdicts() -> Html:
    """Return the verdict tables of the landing page, one a group, and the marks they use."""
    shown = [_verdicts(group) for group in GROUPS if checked(group)]
    return join([*shown, shape_key(), numbers.legend()])


def _verdicts(group: str) -> Html:
    rows = []
    for item in checked(group):
        record = item.record
        rows.append(
            {
                "claim": safe_link(f"{item.id}.html", record["title"]),
                "stated": item.stated,
                "found": item.found(),
                "recreated": verdict(_word(record["recreated"])),
                "robust": verdict(_word(record["robust"])),
                "later": verdict(_word(record["later"])),
            }
        )
    columns = [
        Column("claim", "what the article says"),
        Column("stated"),
        Column("found", "we find"),
        Column("recreated"),
        Column("robust"),
        Column("later", "later data"),
    ]
    many = _number(len(rows))
    noun = "claim" if len(rows) == 1 else "claims"
    caption = f"{many.capitalize()} {noun} about {GROUPS[group]}"
    return table(_rows(rows), columns, caption=caption, stacked=True)


_COUNTS: Final = (
    *("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty", "twenty-one", "twenty-two", "twenty-three", "twenty-four"),
    *("twenty-five", "twenty-six", "twenty-seven", "twenty-eight", "twenty-nine", "thirty"),
)


def in_short(group: str = "") -> Html:
    """Return the verdicts of a group, or of all claims, counted, as a paragraph."""
    found = checked(group)

    def number(axis: str, *starts: str) -> str:
        return _number(sum(_word(item.record[axis]).startswith(starts) for item in found))

    def said(axis: str, words: dict[str, tuple[str, str]]) -> str:
        parts = []
        for start, (one, more) in words.items():
            count = number(axis, start)
            if count != "none":
                every = "all " if count == _number(len(found)) else ""
                parts.append(f"{every}{count} {one if count == 'one' else more}")
        return str(numbers.listed(parts))

    recreated = said(
        "recreated",
        {
            "matches": ("comes out of raw data", "come out of raw data"),
            "differs": ("does not come out as stated", "do not come out as stated"),
            "not checkable": (
                "lies where the data do not reach far enough to tell",
                "lie where the data do not reach far enough to tell",
            ),
        },
    )
    robust = said(
        "robust",
        {
            "robust": ("holds without exception", "hold without exception"),
            "mostly": ("holds nearly always", "hold nearly always"),
            "depends": ("depends on a choice", "depend on a choice"),
            "fails": ("holds in few or none", "hold in few or none"),
            "not checkable": ("is left open by the data", "are left open by the data"),
        },
    )
    return paragraph(
        f"Of the {_number(len(found))} claims, read as the article gives them, {recreated}. "
        f"Over all declared ways to compute them, {robust}."
    )


def contents(group: str = "A") -> Html:
    """Return the findings of a group as a list of links."""
    items = "".join(
        f'<li><a href="{escape(item.id)}.html">{escape(item.record["finding"])}</a></li>'
        for item in checked(group)
    )
    return Html(f'<ol class="omr-contents">{items}</ol>')


@functools.cache
def _kinds() -> dict[str, str]:
    """Return the kind of each version of the registry."""
    return {
        version.name: source.kind for source in _registry().sources for version in source.versions
    }


def version_address(name: str) -> str:
    """Return the address of a version's row, with its hash."""
    return _version_address(name, _kinds().get(name, ""))


def _registry() -> Any:
    # Imported where it is needed: every page starts a kernel and would wait for it.
    from analysis.raw import load_registry

    return load_registry()


def data_cards() -> Html:
    """Return one provenance card per source of the registry."""
    return _cards(_registry().sources)


def data_versions() -> Html:
    """Return every pinned version of the sources that read the Hub, with its hash."""
    return _versions(source for source in _registry().sources if of_the_hub(source.kind))


def data_versions_elsewhere() -> Html:
    """Return every pinned version of all other sources, with its hash."""
    return _versions(source for source in _registry().sources if not of_the_hub(source.kind))


def data_contents() -> Html:
    """Return the list of sources that leads to their cards."""
    return _contents(_registry().sources)


def data_counts() -> Html:
    """Return how many sources and versions the registry holds."""
    registry = _registry()
    return Html(
        f"{len(registry.sources)} sources with {len(list(registry.versions()))} pinned versions"
    )


def dictionary() -> Html:
    """Return the data dictionary."""
    from analysis.snapshot.schema import FIELDS

    return _dictionary(FIELDS.values())


def glossary() -> Html:
    """Return the definitions of the book's terms."""
    return _glossary(tables.glossary())


def legend() -> Html:
    """Return the explanation of the grade marks."""
    return numbers.legend()


def listing(
    name: str,
    caption: str,
    columns: Sequence[Column] | None = None,
    keep: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    limit: int = 400,
) -> Html:
    """Return a derived table as it is.

    Parameters
    ----------
    name : str
        Name in ``data/derived`` without suffix.
    caption : str
        What it holds.
    columns : sequence of Column, optional
        What to show; everything when left out.
    keep : callable, optional
        Chooses rows.
    limit : int
        Rows shown at most; beyond it the table comes with a file of all of them.
    """
    frame = tables.load(name)
    if keep is not None:
        frame = keep(frame)
    shown = table(frame, columns, caption=caption, limit=limit)
    if len(frame) > limit:
        shown = join([shown, csv_link(frame, name)])
    if len(frame) <= _FOLDED:
        return shown
    summary = f"{escape(caption)} ({len(frame)} rows)"
    return Html(f"<details><summary>{summary}</summary>{shown}</details>")


#: Tables with more rows than this are folded.
_FOLDED: Final = 14

#: The month that the claims about February speak of.
MONTH: Final = "2026-02"

#: The claim whose stated number the head's theorem is tried on.
_STATED_MONTHLY: Final = "february-153-6m"


def _bracketed(labels: pd.Series) -> list[str]:
    return [str(label).replace(", published", " (published)") for label in labels]


#: Short names of the rungs, for labels beside lines.
_RUNGS: Final = {
    "named-makers": "Nine named makers",
    "tracked": "Tracked list",
    "text-and-vision-published": "Text and vision (published)",
    "hub-published": "Whole Hub (published)",
}


def _lower_case(label: str) -> str:
    return label[:1].lower() + label[1:]


def ladder(month: str = MONTH) -> Html:
    """Return the ladder of denominators, the first figure of the book."""
    frame = tables.load("ladder")
    frame = frame[frame["month"] == month].sort_values("order", kind="stable")
    rows = frame.rename(columns={"share": "value"}).reset_index(drop=True)
    rows["label"] = _bracketed(rows["label"])
    words = [charts.row_text(record, "share") for record in rows.to_dict("records")]
    parts = [
        f"of {_lower_case(str(label))} {text} ({grade})"
        for label, text, grade in zip(rows["label"], words, rows["grade"], strict=True)
    ]
    first, last = _lower_case(str(rows["label"].iloc[0])), _lower_case(str(rows["label"].iloc[-1]))
    shown = ["label", "value", "lower", "upper", "hard_lower", "hard_upper", "observed"]
    columns = [Column("label", "share of")]
    columns += [Column(name, unit="share") for name in shown[1:]]
    columns += [
        Column("covered_repositories", "repositories read"),
        Column("population_repositories", "of"),
        Column("grade"),
        Column("sources"),
        Column("note"),
    ]
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="share", mark=0.5, mark_label="the article: over half", limit=1.0
        ),
        id=f"ladder-{month}",
        title=f"{words[0]} of {first}, {words[-1]} of {last}: a share of what?",
        subtitle=(
            f"Qwen's share of 30-day downloads on the Hub, {numbers.format_day(month)}, "
            "from the smallest population to the largest"
        ),
        alt=f"Qwen's share in {numbers.format_day(month)}: {'; '.join(parts)}.",
        data=rows[[c.name for c in columns]],
        columns=columns,
        **_behind("share-above-half"),
        note=(
            "Inner bar: the interval under tested assumptions. Outer bar: what the data force "
            "without any. Circle: computed; upright bar: bounded; diamond: published by others."
        ),
    )


def ladder_months(*rungs: str) -> Html:
    """Return the shares of chosen populations by month.

    Parameters
    ----------
    *rungs : str
        Rungs of the ladder; those with a share in each month when left out.
    """
    frame = tables.load("ladder")
    chosen = rungs or tuple(_RUNGS)
    frame = frame[frame["rung"].isin(chosen) & frame["share"].notna()].reset_index(drop=True)
    frame["series"] = frame["rung"].map(_RUNGS)
    frame = frame.rename(columns={"share": "value"})
    data = frame[["day", "series", "value", "lower", "upper", "grade", "sources"]]
    parts = {}
    for name, part in frame.groupby("series", sort=False):
        by_value = part.sort_values("value", kind="stable")
        low, high = by_value.iloc[0], by_value.iloc[-1]
        parts[str(name)] = (
            f"{numbers.format_percent(low['value'])} ({numbers.format_day(low['month'])}) to "
            f"{numbers.format_percent(high['value'])} ({numbers.format_day(high['month'])})"
        )
    return figure(
        lambda width: charts.time_lines(
            data, width, unit="share", measure="Qwen's share", mark=0.5,
            mark_label="the article: over half",
        ),
        id="-".join(["shares-by-month", *rungs]),
        title=f"On the tracked list, at the middle of its interval: {parts['Tracked list']}",
        subtitle="Qwen's share of 30-day downloads, on the day that stands for each month",
        alt="Qwen's share by month: "
        + "; ".join(f"{name} {text}" for name, text in parts.items())
        + ".",
        data=data,
        columns=[
            Column("day"),
            Column("series", "share of"),
            Column("value", "share", "share"),
            Column("lower", unit="share"),
            Column("upper", unit="share"),
            Column("grade"),
            Column("sources"),
        ],
        **_behind("share-above-half"),
        note="Point: middle of the interval, or the published figure. Bar: interval under tested "
        "assumptions.",
    )  # fmt: skip


def february() -> Html:
    """Return what was read, bounded and published of Qwen's downloads in February 2026."""
    makers_frame = tables.load("makers")
    own = makers_frame[(makers_frame["month"] == MONTH) & (makers_frame["maker"] == "alibaba")]
    rows: list[dict[str, Any]] = []
    for record in own.to_dict("records"):
        bursts = "" if record["bursts"] == "in" else ", bursts put back to level"
        rows.append(
            {"label": f"Read on or near the day{bursts}", "value": record["observed"],
             "grade": "computed"}
        )  # fmt: skip
        rows.append(
            {"label": f"With the unread, as tested{bursts}", "lower": record["lower"],
             "upper": record["upper"], "grade": "bounded"}
        )  # fmt: skip
    published = tables.load("reference/published-figures").set_index("id")
    for name in ("atom-feb-qwen", "modelpulse-feb-2026"):
        if name in published.index and "million" in str(published.loc[name, "unit"]):
            entry = published.loc[name]
            rows.append(
                {
                    "label": f"Published: {entry['authors']}",
                    "value": 1e6 * float(str(entry["value"])),
                    "grade": "published",
                }
            )
    frame = pd.DataFrame(rows, columns=["label", "value", "lower", "upper", "grade"])
    words = [
        f"{label}: {charts.row_text(record, 'downloads')}"
        for label, record in zip(frame["label"], frame.to_dict("records"), strict=True)
    ]
    stated = claim(_STATED_MONTHLY)
    return figure(
        lambda width: charts.interval_rows(
            frame, width, unit="downloads", measure="downloads in thirty days",
            mark=stated.record["stated_value"], mark_label=f"stated: {stated.record['stated']}",
        ),
        id="february",
        title=f"{words[1]}; stated: {stated.record['stated']}",
        subtitle="Downloads of Qwen's models on the tracked list, thirty days to "
        f"{numbers.format_day(str(own['day'].iloc[0]))}",
        alt=f"Qwen in February 2026. {'; '.join(words)}.",
        data=frame,
        columns=[
            Column("label", "what"),
            *(Column(name, unit="downloads") for name in ("value", "lower", "upper")),
            Column("grade"),
        ],
        **_behind(_STATED_MONTHLY),
    )  # fmt: skip


def makers(month: str = MONTH, shown: int = 9) -> Html:
    """Return the makers with the most downloads on the tracked list in a month."""
    frame = tables.load("makers")
    frame = frame[(frame["month"] == month) & (frame["bursts"] == "in")]
    frame = frame.sort_values("downloads", ascending=False, kind="stable").head(shown)
    rows = frame.reset_index(drop=True).assign(value=frame["downloads"].to_numpy())
    rows["label"] = [str(label) for label in rows["label"]]
    words = [
        f"{label} {charts.row_text(record, 'downloads')}"
        for label, record in zip(rows["label"], rows.to_dict("records"), strict=True)
    ]
    others = rows["value"].iloc[1:].sum()
    columns = [
        Column("label", "maker"),
        Column("value", "middle", "downloads"),
        Column("lower", unit="downloads"),
        Column("upper", unit="downloads"),
        Column("observed", "read", "downloads"),
        Column("covered_repositories", "repositories read"),
        Column("population_repositories", "of"),
        Column("grade"),
    ]
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="downloads", measure="downloads in thirty days"
        ),
        id=f"makers-{month}",
        title=(
            f"{rows['label'].iloc[0]} {numbers.format_count(rows['value'].iloc[0])}, the next "
            f"{_COUNTS[len(rows) - 1]} together {numbers.format_count(others)}, at the middle of "
            "their intervals"
        ),
        subtitle=(
            "Makers on the tracked list of language models, thirty days to "
            f"{numbers.format_day(str(rows['day'].iloc[0]))}"
        ),
        alt=f"Downloads by maker: {'; '.join(words)}.",
        data=rows[[c.name for c in columns]],
        columns=columns,
        **_behind("double-next-eight"),
    )


def missing(shown: int = 12) -> Html:
    """Return the largest repositories that nobody read near the end of February 2026."""
    columns = [
        Column("repository_id", "repository"),
        Column("group", "counts as"),
        Column("lower", "assumed, at least", "downloads"),
        Column("upper", "assumed, at most", "downloads"),
        Column("hard_upper", "forced, at most", "downloads"),
    ]
    return listing(
        "missing",
        "Repositories without a reading near the end of February 2026, by likely size",
        columns,
        lambda frame: frame.groupby("group", sort=False).head(shown),
    )


def cumulative() -> Html:
    """Return Qwen's all-time downloads by day: what the readings force, and what was published."""
    frame = tables.load("qwen_llama")
    chosen = (frame["measure"] == "downloads_all_time") & (frame["family_rule"] == "official")
    own = frame[chosen & (frame["family"] == "Qwen") & (frame["lower"] > 0)]
    rows = own.assign(
        label=[f"Forced by the readings, {numbers.format_day(str(day))}" for day in own["day"]],
        value=None,
        grade="bounded",
    )[["label", "value", "lower", "upper", "grade"]]
    entry = tables.load("reference/published-figures").set_index("id").loc["atom-cumulative-qwen"]
    published = pd.DataFrame(
        [
            {
                "label": f"Published: {entry['authors']}, tracked list",
                "value": 1e6 * float(str(entry["value"])),
                "grade": "published",
            }
        ]
    )
    data = pd.concat([rows, published], ignore_index=True).astype({"value": "float64"})
    words = [
        f"{label}: {charts.row_text(record, 'downloads')}"
        for label, record in zip(data["label"], data.to_dict("records"), strict=True)
    ]
    own_claim = claim("cumulative-near-billion")
    return figure(
        lambda width: charts.interval_rows(
            data, width, unit="downloads", measure="downloads since the beginning",
            mark=own_claim.record["stated_value"],
            mark_label=f"stated: {own_claim.record['stated']}",
        ),
        id="cumulative",
        title=words[-2],
        subtitle="All-time downloads of the Qwen family's own repositories, by day",
        alt=f"{'; '.join(words)}.",
        data=data,
        columns=[
            Column("label", "what"),
            *(Column(name, unit="downloads") for name in ("value", "lower", "upper")),
            Column("grade"),
        ],
        **_behind("cumulative-near-billion"),
        note="The counter never falls but on days of correction, so a later reading, less the "
        "downloads since, is a lower bound for the day. Nothing bounds what was never read.",
    )  # fmt: skip


def qwen_llama() -> Html:
    """Return 30-day downloads of Qwen and Llama by day."""
    frame = tables.load("qwen_llama")
    chosen = (frame["measure"] == "downloads_30d") & (frame["family_rule"] == "official")
    rows = frame[chosen].rename(columns={"family": "series", "downloads": "value"})
    rows = rows.reset_index(drop=True)
    days = sorted(rows["day"].unique())
    ahead = []
    for day in days:
        both = rows[rows["day"] == day].set_index("series")
        sure = both.loc["Qwen", "lower"] > both.loc["Llama", "upper"]
        ahead.append((day, sure))
    sure_days = [day for day, sure in ahead if sure]
    columns = [
        Column("day"),
        Column("series", "family"),
        *(Column(name, unit="downloads") for name in ("value", "lower", "upper")),
        Column("covered_repositories", "repositories read"),
        Column("population_repositories", "of"),
        Column("grade"),
    ]
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="downloads", measure="downloads in thirty days"
        ),
        id="qwen-llama",
        title=(
            f"Qwen's whole interval lies above Llama's on {len(sure_days)} of {len(days)} days read"
        ),
        subtitle="30-day downloads of the two families' own repositories",
        alt="Qwen and Llama: "
        + "; ".join(
            f"{numbers.format_day(str(r['day']))} {r['series']} "
            f"{numbers.format_interval(r['lower'], r['upper'], 'downloads')}"
            for r in rows.to_dict("records")
        )
        + ".",
        data=rows[[c.name for c in columns]],
        columns=columns,
        **_behind("qwen-passes-llama"),
        note="Point: middle of the interval. Bar: interval under tested assumptions.",
    )


def groups() -> Html:
    """Return the 30-day downloads of organisation groups, all their repositories counted."""
    columns = [
        Column("group"),
        Column("day"),
        Column("downloads_30d", "30-day downloads", "downloads"),
        Column("source"),
        Column("grade"),
    ]
    return listing(
        "organisation_groups",
        "Organisation groups with all their repositories, the ten largest on each day",
        columns,
        lambda frame: frame.groupby("day", sort=True).head(10),
    )


def china_us() -> Html:
    """Return downloads by country in the panel of 2025."""
    frame = tables.load("china_us")
    chosen = (
        (frame["attribution"] == "publisher")
        & (frame["repackagers"] == "out")
        & (frame["bursts"] == "in")
    )
    own = frame[chosen].reset_index(drop=True)
    rows = own.melt(
        id_vars=["from", "to", "repositories"], value_vars=["china", "usa"],
        var_name="series", value_name="value",
    ).assign(day=lambda f: f["to"])  # fmt: skip
    rows["series"] = rows["series"].map({"china": "China", "usa": "United States"})
    ahead = own[own["china"] > own["usa"]]
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="downloads", measure="downloads in thirty days",
            span=("2025-06-01", "2025-08-31"), span_label="the article: summer",
        ),
        id="china-us",
        title=(
            f"In the panel China is ahead in {len(ahead)} of {len(own)} spans, first in the one "
            f"that ends on {numbers.format_day(str(ahead['to'].iloc[0]))}"
            if len(ahead)
            else "In the panel the United States are ahead in every span"
        ),
        subtitle=(
            "Downloads between two readings of repositories present on both, brought to thirty "
            "days, by the publisher's country"
        ),
        alt="By span: "
        + "; ".join(
            f"to {r['to']} China {numbers.format_count(r['china'])}, United States "
            f"{numbers.format_count(r['usa'])}"
            for r in own.to_dict("records")
        )
        + ".",
        data=rows[["from", "to", "series", "value", "repositories"]],
        columns=[
            Column("to"),
            Column("from"),
            Column("series", "country"),
            Column("value", "downloads", "downloads"),
            Column("repositories"),
        ],
        **_behind("china-passes-us"),
    )  # fmt: skip


def crossing() -> Html:
    """Return the share of the tracked list before and after Qwen 3.5."""
    return ladder_months("named-makers", "tracked", "text-and-vision-published")


def generations() -> Html:
    """Return Qwen's downloads by generation."""
    frame = tables.load("generations")
    order = frame.groupby("generation")["downloads"].max().sort_values(ascending=False).index
    keep = list(order[:6])
    rows = frame[frame["generation"].isin(keep)].rename(
        columns={"generation": "series", "downloads": "value"}
    )
    rows = rows.sort_values(["series", "day"], kind="stable").reset_index(drop=True)
    last = rows[rows["day"] == rows["day"].max()].sort_values("value", ascending=False)
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="downloads", measure="downloads in thirty days"
        ),
        id="generations",
        title=(
            f"{last['series'].iloc[0]} leads at the end with "
            f"{numbers.format_count(last['value'].iloc[0])}"
        ),
        subtitle="30-day downloads of Qwen's models on the tracked list, by generation",
        alt="On the last day: "
        + "; ".join(
            f"{r['series']} {numbers.format_interval(r['lower'], r['upper'], 'downloads')}"
            for r in last.to_dict("records")
        )
        + ".",
        data=rows[["day", "series", "value", "lower", "upper", "grade"]],
        columns=[
            Column("day"),
            Column("series", "generation"),
            *(Column(name, unit="downloads") for name in ("value", "lower", "upper")),
            Column("grade"),
        ],
        **_behind("share-crossing-with-3-5"),
        note="Point: middle of the interval. Bar: interval under tested assumptions.",
    )


def head() -> Html:
    """Return the bound of the head's theorem on each of its days."""
    frame = tables.load("hub_head")
    stated = claim(_STATED_MONTHLY)
    rows = frame.rename(columns={"share_upper_at_stated": "upper"})
    worst = rows.sort_values("upper", kind="stable").iloc[-1]
    return figure(
        lambda width: charts.bound_area(
            rows, width, unit="share", measure="share of the Hub, at most", mark=0.5,
            mark_label="half",
        ),
        id="head",
        title=(
            f"With {stated.record['stated']} downloads Qwen could not have held more than "
            f"{numbers.format_percent(worst['upper'])} of the Hub on any of {len(rows)} readings"
        ),
        subtitle="Upper bound of Qwen's share of all 30-day downloads on the Hub, if it had the "
        "stated monthly number, or what it has in the head where that is more",
        alt=f"The bound is between {numbers.format_percent(rows['upper'].min())} and "
        f"{numbers.format_percent(worst['upper'])}; the highest is of "
        f"{numbers.format_day(str(worst['day']))}.",
        data=frame,
        columns=[
            Column("day"),
            Column("source"),
            Column("depth"),
            Column("head_downloads", "the list together", "downloads"),
            Column("qwen_in_head", "Qwen on the list", "downloads"),
            Column("needed_for_half", "needed for half", "downloads"),
            Column("share_upper_at_stated", "share, at most", "share"),
        ],
        **_behind("share-above-half"),
    )  # fmt: skip


def granted(day: str = "2026-02-28") -> Html:
    """Return what the head of the ranking says of a day if the stated monthly figure is granted.

    Parameters
    ----------
    day : str
        A day of ``hub_head``; of several lists the deepest is taken.
    """
    frame = tables.load("hub_head")
    row = frame[frame["day"] == day].sort_values("depth", kind="stable").iloc[-1]
    stated = claim(_STATED_MONTHLY)
    return paragraph(
        join(
            [
                "If the article's own figure for February is granted, half of the Hub was out of ",
                "reach, without any assumption of ours. The ",
                f"{int(row['depth'])} most downloaded repositories alone had ",
                numbers.value(float(row["head_downloads"]), "downloads", "computed"),
                ", of which Qwen's had ",
                numbers.value(float(row["qwen_in_head"]), "downloads", "computed"),
                ". With ",
                stated.stated,
                " downloads Qwen had at most ",
                numbers.value(float(row["share_upper_at_stated"]), "share", "bounded"),
                " of the Hub. To hold half, Qwen would have needed ",
                numbers.value(float(row["needed_for_half"]), "downloads", "bounded"),
                " (",
                safe_link("head.html", "the theorem"),
                ").",
            ]
        )
    )


def _assumption(rule: str) -> str:
    """Return an assumption of the calibration in words."""
    kind, _, days = rule.partition("-")
    if kind == "between":
        return f"Read within {days} days on both sides"
    if kind == "carried":
        return f"Read within {days} days on one side"
    return "Not read near: like others of its organisation"


def calibration() -> Html:
    """Return how often the tested assumptions were right."""
    frame = tables.load("calibration")
    kept = frame[(frame["verdict"] == "kept") & (frame["scope"] == "repository")]
    kept = kept[~kept["rule"].str.contains(":")].reset_index(drop=True)
    stated = float(kept["stated_rate"].iloc[0])
    rows = pd.DataFrame(
        {
            "label": [f"{_assumption(r['rule'])}, factor {r['factor']:g}"
                      for r in kept.to_dict("records")],
            "value": kept["rate"],
            "grade": "computed",
        }
    )  # fmt: skip
    columns = [
        Column("rule", "assumption"),
        Column("scope", "tested on"),
        Column("factor"),
        Column("trials"),
        Column("rate", "truth inside", "share"),
        Column("largest_rate", "among the largest", "share"),
        Column("stated_rate", "promised", "share"),
        Column("verdict"),
    ]
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="share", measure="truth inside the interval", mark=stated,
            mark_label=f"promised: {numbers.format_percent(stated, 0)}", limit=1.0,
        ),
        id="calibration",
        title=(
            "The assumptions in use held in "
            f"{numbers.format_percent(kept['rate'].min())} to "
            f"{numbers.format_percent(kept['rate'].max())} of their trials"
        ),
        subtitle="Share of hidden counters that lay inside the interval, for each assumption at "
        "the factor in use",
        alt="Assumptions in use: "
        + "; ".join(f"{label} {numbers.format_percent(value)}"
                    for label, value in zip(rows["label"], rows["value"], strict=True))
        + ".",
        data=frame,
        columns=columns,
        note="The table under the figure lists the narrower factors too, which failed, and the "
        "tests on sums.",
    )  # fmt: skip


def rehearsal() -> Html:
    """Return the rehearsals: shares computed with part of the counters hidden."""
    columns = [
        Column("day"),
        Column("repositories"),
        Column("hidden", "hidden part", "share"),
        Column("mode", "hidden were"),
        Column("treatment", "bounds"),
        Column("draws"),
        Column("inside", "truth inside", "share"),
        Column("median_width", "median width", "share"),
    ]
    return listing("rehearsal", "Shares computed with part of the counters hidden", columns)


def arithmetic() -> Html:
    """Return whether the two counters obey their arithmetic."""
    columns = [
        Column("labels", "labels of days"),
        Column("side"),
        Column("checks"),
        Column("violations"),
        Column("worst", "worst ratio"),
        Column("repositories_in_conflict", "repositories in conflict"),
        Column("repositories", "of"),
    ]
    return listing("arithmetic", "The two counters held against each other", columns)


def outliers() -> Html:
    """Return the bursts that the rule names."""
    columns = [
        Column("repository_id", "repository"),
        Column("first"),
        Column("last"),
        Column("peak", unit="downloads"),
        Column("level", unit="downloads"),
        Column("ratio", "times its level", "ratio"),
        Column("kind", "seen in"),
    ]
    return listing("outliers", "Bursts that the rule names", columns)


def sensitivity() -> Html:
    """Return the burst rule at other settings."""
    columns = [
        Column("ratio", "times its level"),
        Column("declared"),
        Column("episodes"),
        Column("repository_days", "days named"),
        Column("qwen_february_lower", "February, at least", "downloads"),
        Column("qwen_february_upper", "at most", "downloads"),
    ]
    return listing(
        "outlier_sensitivity", "The rule at other settings than the declared one", columns
    )


def anomalies() -> Html:
    """Return the days on which the counters misbehave, and what our rules see of each."""
    frame = tables.load("anomalies")
    frame["seen"] = frame["seen_here"].fillna("not seen: " + frame["why_not"].fillna(""))
    columns = [
        Column("from"),
        Column("to"),
        Column("what", "what happened"),
        Column("seen", "what our rules see"),
        Column("published_in", "listed by"),
    ]
    return table(frame, columns, caption="Days on which the counters misbehave", stacked=True)


def dating() -> Html:
    """Return how the day of the hub-stats cut was found."""
    frame = tables.load("dating")
    cut = frame[frame["version"].str.startswith("hub-stats") & (frame["common"] > 0)]
    cut = cut.reset_index(drop=True)
    rows = cut.assign(series="difference", value=cut["median_relative_difference"])
    found = cut[cut["verdict"] == "match"]
    columns = [
        Column("day", "list of"),
        Column("common", "repositories in both"),
        Column("equal", "counters equal"),
        Column("median_relative_difference", "median difference", "share"),
        Column("verdict"),
    ]
    others = cut.loc[cut["verdict"] != "match", "median_relative_difference"]
    days = ", ".join(numbers.format_day(str(day)) for day in found["day"])
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="share", measure="median difference of the counters"
        ),
        id="dating",
        title=f"All counters in both agree on one day: {days}",
        subtitle=f"Counters of {cut['version'].iloc[0]} against the dated lists of the head of "
        "the Hub",
        alt=f"The median difference falls to nothing on {days} and is "
        f"{numbers.format_percent(float(others.min()))} "
        "or more on every other day.",
        data=cut,
        columns=columns,
        sources=[
            Source(name, "", version_address(name)) for name in sorted(cut["version"].unique())
        ],
    )


def repeats() -> Html:
    """Return which versions repeat an earlier day."""
    columns = [
        Column("version"),
        Column("common", "in both"),
        Column("equal"),
        Column("share", "share equal", "share"),
        Column("origin", "repeats"),
        Column("verdict"),
        Column("source"),
    ]
    return listing(
        "repeats",
        "Versions whose counters repeat an earlier one, wholly or in part",
        columns,
        lambda frame: frame[~frame["verdict"].isin(["new", "first"])],
    )


def agreement() -> Html:
    """Return how many counters of two sources agree on the same day."""
    columns = [
        Column("day"),
        Column("first", "one source"),
        Column("second", "the other"),
        Column("common", "in both"),
        Column("equal"),
        Column("median_difference", "median difference", "share"),
    ]
    return listing("agreement", "Repositories that two sources read on the same day", columns)
