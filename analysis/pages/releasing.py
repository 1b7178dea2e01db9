"""What the pages on releases and breadth call: finished figures and tables."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from analysis import tables
from analysis.pages import _behind
from analysis.present import charts, matrix, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph
from analysis.present.tables import Column, table

_VELOCITY: Final = "release-velocity"
_BREADTH: Final = "breadth"
_OWN: Final = "Qwen"
_RIVAL: Final = "Llama"

_WORDS: Final = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _rates(**where: Any) -> pd.DataFrame:
    frame = tables.load("release_rates")
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return frame.reset_index(drop=True)


def _word(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else str(count)


def _by_family(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {str(row["family"]): {**row} for row in frame.to_dict("records")}  # type: ignore[dict-item]


def _per(value: float) -> str:
    return f"{value:.1f}"


def cumulative() -> Html:
    """Return how many models each family had brought out by the end of each month."""
    frame = tables.load("release_months")
    rows = frame.rename(columns={"family": "series", "models": "value"}).reset_index(drop=True)
    complete = rows[rows["seen"] == "all"].groupby("series", sort=False).tail(1)
    last = complete.set_index("series")["value"].astype("int64")
    day = str(complete["day"].max())
    end = str(rows["day"].max())
    rest = ", ".join(f"{name} {int(count)}" for name, count in last.items() if name != _OWN)
    return figure(
        lambda width: charts.time_lines(
            rows,
            width,
            unit="count",
            measure="models so far",
            span=(day, end),
            span_label="in part" if width < 480 else "seen in part",
            points=False,
        ),
        id="releases-cumulative",
        title=f"Qwen had brought out {int(last[_OWN])} models by {numbers.format_day(day)}, "
        f"Llama {int(last[_RIVAL])}",
        subtitle="Models of each family so far, copies of one model not counted; up to that day "
        "from complete catalogues, after it from what our files happen to hold",
        alt=f"By {numbers.format_day(day)}: {_OWN} {int(last[_OWN])}; {rest}.",
        data=rows[["day", "series", "value", "repositories", "releases", "seen"]],
        columns=[
            Column("day"),
            Column("series", "family"),
            Column("value", "models"),
            Column("seen", "catalogue seen"),
        ],
        **_behind(_VELOCITY),
        note="A flat end says that our files hold no more of a family, not that nothing came.",
    )


def newest() -> Html:
    """Return the sentence on the newest release of either family in any of our files."""
    frame = tables.load("releases")
    until = str(tables.load("release_months")["day"].max())
    last = _by_family(frame.sort_values("day", kind="stable").groupby("family").tail(1))
    parts = [
        f"{name} began on {numbers.format_day(str(last[name]['day']))} ({last[name]['names']})"
        for name in (_RIVAL, _OWN)
    ]
    return paragraph(
        f"Of the releases that any of our files knows up to {numbers.format_day(until)}, the "
        f"newest of {parts[0]}, that of {parts[1]}."
    )


def rates() -> Html:
    """Return models a month of each family, with exact intervals."""
    frame = _rates(
        source="catalogue", dates="created", window="last-12-months", unit_counted="models",
        copies="out",
    )  # fmt: skip
    frame = frame.sort_values("per_month", ascending=False, kind="stable").reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "label": [f"{f}: {int(c)} models" for f, c in
                      zip(frame["family"], frame["count"], strict=True)],
            "value": frame["per_month"],
            "lower": frame["lower"],
            "upper": frame["upper"],
            "grade": "computed",
        }
    )  # fmt: skip
    known = _by_family(frame)
    own, rival = known[_OWN], known[_RIVAL]
    until = str(own["until"])
    place = list(frame["family"]).index(_OWN)
    start = "Of the families compared Qwen brought out most" if place == 0 else "Qwen brought out"
    return figure(
        lambda width: charts.interval_rows(rows, width, unit="ratio", measure="models a month"),
        id="releases-rates",
        title=f"{start} in a year: {_per(own['per_month'])} new models a month, "
        f"Llama {_per(rival['per_month'])}",
        subtitle=f"New models a month in the twelve months to {numbers.format_day(until)}, from "
        "complete catalogues, copies of one model not counted",
        alt="; ".join(
            f"{r['family']} {r['per_month']:.2f} a month ({r['lower']:.2f} to {r['upper']:.2f})"
            for r in frame.to_dict("records")
        )
        + ".",
        data=frame[["family", "count", "months", "per_month", "lower", "upper"]],
        columns=[
            Column("family"),
            Column("count", "models"),
            Column("months"),
            Column("per_month", "a month", "ratio"),
            Column("lower", "from", "ratio"),
            Column("upper", "to", "ratio"),
        ],
        **_behind(_VELOCITY),
        note="Bar: exact interval of a rate if models came one by one by chance. They come in "
        "bursts, so the intervals of the ratios are wider.",
    )


def ratios() -> Html:
    """Return Qwen's rate over Llama's by what is counted."""
    frame = tables.load("release_rates")
    rival = frame[(frame["family"] == _RIVAL) | frame["source"].str.startswith("groups")]
    rival = rival.dropna(subset=["qwen_over_it"])
    plain = (rival["source"] == "catalogue") & (rival["dates"] == "created")
    cluster = rival["days"].isna() | (rival["days"] == _span())
    wanted = [
        ("every repository", "repositories", "in", "since-first"),
        ("repositories without copies", "repositories", "out", "since-first"),
        ("models", "models", "out", "since-first"),
        ("models, last twelve months", "models", "out", "last-12-months"),
        ("releases", "releases", "out", "since-first"),
        ("releases, last twelve months", "releases", "out", "last-12-months"),
    ]
    picked = []
    for label, unit, copies, window in wanted:
        one = rival[
            plain
            & cluster
            & (rival["unit_counted"] == unit)
            & (rival["copies"] == copies)
            & (rival["window"] == window)
        ]
        picked.append((label, one.iloc[0]))
    generations = rival[(rival["unit_counted"] == "generations") & (rival["source"] == "catalogue")]
    picked.append(("named generations", generations.iloc[0]))
    for source, month in (("groups-october", "October"), ("groups-december", "December")):
        one = rival[(rival["source"] == source) & (rival["window"] == "last-12-months")]
        picked.append((f"all that both companies publish, as grouped in {month}", one.iloc[0]))
    rows = pd.DataFrame(
        {
            "label": [label for label, _ in picked],
            "value": [float(row["qwen_over_it"]) for _, row in picked],
            "lower": [float(row["ratio_lower"]) for _, row in picked],
            "upper": [float(row["ratio_upper"]) for _, row in picked],
            "grade": "computed",
        }
    )
    above = int((rows["lower"] > 1).sum())
    below = [label for label, value in zip(rows["label"], rows["value"], strict=True) if value < 1]
    words = "; ".join(
        f"{r['label']} {r['value']:.2f} (from {r['lower']:.2f}"
        + (f" to {r['upper']:.2f})" if r["upper"] < float("inf") else ", no limit above)")
        for r in rows.to_dict("records")
    )
    title = f"Beyond chance Qwen is faster than Llama in {_word(above)} of {_word(len(rows))} ways"
    title += " to count"
    if below:
        title += f"; it is slower by {' and by '.join(below)}, though not beyond chance"
    limit = 20.0
    until = str(picked[0][1]["until"])
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="ratio", measure="Qwen's rate over Llama's", mark=1.0,
            mark_label="equally fast", limit=limit,
        ),
        id="releases-ratios",
        title=title,
        subtitle="Qwen's rate over Llama's since each family's first repository, up to "
        f"{numbers.format_day(until)}, unless the row says otherwise",
        alt=words + ".",
        data=rows[["label", "value", "lower", "upper"]],
        columns=[
            Column("label", "what is counted"),
            Column("value", "Qwen over Llama", "ratio"),
            Column("lower", "from", "ratio"),
            Column("upper", "to", "ratio"),
        ],
        **_behind(_VELOCITY),
        note="Bar: the wider of an exact interval and one from resampled blocks of months. "
        "Bars that reach the right edge go on. Generations are those that the makers number.",
    )  # fmt: skip


def _span() -> int:
    """Days within which models are one release, as the rule has it."""
    frame = tables.load("release_rates")
    usual = frame[(frame["unit_counted"] == "releases") & (frame["window"] == "last-12-months")]
    return int(usual["days"].iloc[0])


def whole_company() -> Html:
    """Return the sentence on all that the two companies publish."""
    frame = _rates(source="groups-october", window="last-12-months")
    own = _by_family(frame)[_OWN]
    rival = next(row for name, row in _by_family(frame).items() if name != _OWN)
    ratio = float(rival["qwen_over_it"])
    more = "more" if ratio < 1 else "fewer"
    return paragraph(
        "If everything that the companies publish counts, vision, speech and translation too, Meta "
        f"brought out {more} in the year to October 2025: ",
        numbers.count(rival["count"], "computed"),
        " repositories against ",
        numbers.count(own["count"], "computed"),
        " of the organisation Qwen, that is ",
        numbers.ratio(ratio, "computed"),
        " of Qwen's for each of Meta's (",
        numbers.interval(rival["ratio_lower"], rival["ratio_upper"], "ratio", "computed"),
        "). Two months later the same source drew its groups in another way, and gives ",
        *_december(),
    )


def _december() -> list[Html | str]:
    frame = _rates(source="groups-december", window="last-12-months")
    row = frame.dropna(subset=["qwen_over_it"]).iloc[0]
    return [numbers.ratio(row["qwen_over_it"], "computed"), "."]


def sensitivity() -> Html:
    """Return how the number of releases hangs on the days that make one release."""
    frame = _rates(
        source="catalogue", dates="created", window="since-first", unit_counted="releases",
        copies="out",
    )  # fmt: skip
    rows = []
    for days, part in frame.groupby("days", sort=True):
        own, rival = (_by_family(part)[name] for name in (_OWN, _RIVAL))
        rows.append(
            {
                "days": f"{int(float(str(days)))} day{'' if float(str(days)) == 1 else 's'}",
                "qwen": own["count"],
                "llama": rival["count"],
                "ratio": rival["qwen_over_it"],
                "lower": rival["ratio_lower"],
                "upper": rival["ratio_upper"],
            }
        )
    open_ = [str(row["days"]) for row in rows if float(row["lower"]) <= 1]
    said = (
        f"The interval lies above one for every span but {numbers.listed(open_)}."
        if open_
        else "The interval lies above one for every span."
    )
    shown = table(
        pd.DataFrame(rows),
        [
            Column("days", "one release takes up to"),
            Column("qwen", "releases of Qwen"),
            Column("llama", "of Llama"),
            Column("ratio", "Qwen over Llama", "ratio"),
            Column("lower", "from", "ratio"),
            Column("upper", "to", "ratio"),
        ],
        caption="Releases by the number of days that make one, complete catalogue of October 2025",
        stacked=True,
    )
    return join([paragraph(said), shown])


def _ends(row: pd.Series) -> str:
    return numbers.format_interval(row["ratio_lower"], row["ratio_upper"], "ratio")


def rivals() -> Html:
    """Return the sentence on which rivals Qwen is surely faster than."""
    frame = _rates(
        source="catalogue", dates="created", window="since-first", unit_counted="models",
        copies="out",
    )  # fmt: skip
    rest = [row for name, row in _by_family(frame).items() if name != _OWN]
    sure = [str(row["family"]) for row in rest if row["ratio_lower"] > 1]
    open_ = [str(row["family"]) for row in rest if row["ratio_lower"] <= 1 < row["ratio_upper"]]
    parts: list[object] = []
    if sure:
        parts += [
            "By models a month Qwen is faster than ",
            numbers.listed(sure),
            " beyond what chance explains. ",
        ]
    if open_:
        parts += [
            "Against ",
            numbers.listed(open_),
            " the interval of the ratio holds one: chance could have made the difference.",
        ]
    return paragraph(*parts)


def families() -> Html:
    """Return repositories, models and releases of all families side by side."""
    frame = _rates(source="catalogue", dates="created", window="since-first")
    span = _span()
    frame = frame[frame["days"].isna() | (frame["days"] == span)]
    rows = []
    for family in dict.fromkeys(frame["family"]):
        own = frame[frame["family"] == family]

        def of(unit: str, copies: str, own: pd.DataFrame = own) -> pd.Series:
            return own[(own["unit_counted"] == unit) & (own["copies"] == copies)].iloc[0]

        releases = of("releases", "out")
        rows.append(
            {
                "family": family,
                "repositories": int(of("repositories", "in")["count"]),
                "models": int(of("models", "out")["count"]),
                "releases": int(releases["count"]),
                "a_month": float(of("models", "out")["per_month"]),
                "gap": float(releases["median_gap_days"]),
                "over": numbers.format_ratio(float(of("models", "out")["qwen_over_it"]))
                + f" ({_ends(of('models', 'out'))})"
                if family != _OWN
                else None,
            }
        )
    return table(
        pd.DataFrame(rows),
        [
            Column("family"),
            Column("repositories"),
            Column("models"),
            Column("releases"),
            Column("a_month", "models a month", "ratio"),
            Column("gap", "median days between"),
            Column("over", "Qwen's pace over it"),
        ],
        caption="All families by the same rule, each since its first repository; complete "
        f"catalogues up to {numbers.format_day(str(frame['until'].max()))}",
        stacked=True,
    )


def named() -> Html:
    """Return the named releases of Qwen and Llama with the place that gives each day."""
    frame = tables.load("named_releases")
    frame = frame[frame["family"].isin([_OWN, _RIVAL])].astype({"line": "str"})
    places = []
    for row in frame.fillna("").to_dict("records"):
        line = str(row["line"]).removesuffix(".0")
        if line.isdigit():
            places.append(f"{row['source']}, line {line}")
        else:
            places.append(f"{row['source']}, {row['entry']}")
    shown = frame.assign(place=places)
    words = {
        "stated": "the maker's text",
        "corrected": "list of corrected days",
        "listed": "public index",
        "created": "creation on the Hub",
    }
    shown = shown.assign(how_known=shown["how_known"].map(words))
    inner = table(
        shown,
        [
            Column("release"),
            Column("family"),
            Column("day"),
            Column("generation", "new generation"),
            Column("how_known", "known from"),
            Column("place", "place"),
            Column("first_created", "first repository created"),
            Column("days_early", "days before"),
            Column("list_of_corrections", "list of corrected days says"),
        ],
        caption="Named releases of Qwen and Llama, and where each day stands",
    )
    return Html(f"<details><summary>{len(shown)} named releases with their sources</summary>"
                f"{inner}</details>")  # fmt: skip


def disagreement() -> Html:
    """Return the sentences on days that two sources give differently."""
    frame = tables.load("named_releases")
    stated = frame[(frame["how_known"] == "stated") & frame["list_of_corrections"].notna()]
    differ = stated[stated["list_of_corrections"] != stated["day"]]
    early = frame[(frame["how_known"] != "created") & frame["days_early"].notna()]
    same = {"source": "catalogue", "window": "since-first", "unit_counted": "models"}
    created, corrected = (
        _by_family(_rates(dates=dates, copies="out", **same))[_RIVAL]["qwen_over_it"]
        for dates in ("created", "corrected")
    )
    parts: list[object] = [
        "With corrected days Qwen's models a month are ",
        numbers.ratio(corrected, "computed"),
        " times Llama's, with days of creation ",
        numbers.ratio(created, "computed"),
        " times. Of ",
        numbers.count(len(early), "computed"),
        " releases whose day a text or list gives, the first repository was created earlier in ",
        numbers.count(int((early["days_early"] > 0).sum()), "computed"),
        ", by up to ",
        numbers.count(int(early["days_early"].max()), "computed"),
        " days.",
    ]
    for row in differ.to_dict("records"):
        parts.append(
            f" Of {row['release']} the maker's README says "
            f"{numbers.format_day(str(row['day']))}, the public list of corrected days "
            f"{numbers.format_day(str(row['list_of_corrections']))}: we follow the maker."
        )
    return paragraph(*parts)


def listed(family: str = _OWN) -> Html:
    """Return every release of a family by days of creation."""
    frame = tables.load("releases")
    rows = frame[frame["family"] == family]
    inner = table(
        rows,
        [
            Column("day", "first day"),
            Column("last_day", "last day"),
            Column("models", "models"),
            Column("repositories", "repositories"),
            Column("days_since_last", "days since the last"),
            Column("names", "models, by the shortest name"),
            Column("seen", "catalogue seen"),
        ],
        caption=f"Every release of {family} by days of creation",
    )
    return Html(f"<details><summary>{len(rows)} releases of {family}</summary>{inner}</details>")


# --------------------------------------------------------------------------------------- breadth


def _kinds(source: str, rule: str = "official") -> pd.DataFrame:
    frame = tables.load("breadth")
    chosen = frame[(frame["source"] == source) & (frame["family_rule"] == rule)]
    return chosen.reset_index(drop=True)


def _complete(frame: pd.DataFrame) -> dict[str, int]:
    """How many of the named kinds each family covers."""
    named = frame[frame["named"].astype("bool")]
    has = named.assign(there=named["repositories"] > 0).groupby("family", sort=False)["there"]
    return {str(name): int(count) for name, count in has.sum().items()}


def kinds() -> Html:
    """Return the matrix of kinds by family in the complete catalogues."""
    frame = _kinds("catalogue")
    counts = _complete(frame)
    total = int(frame.loc[frame["family"] == _OWN, "named"].astype("bool").sum())
    full = [name for name, count in counts.items() if count == total]
    rows = frame.rename(columns={"kind": "row", "family": "column", "repositories": "value"})
    names = [f"{name} {count}" for name, count in counts.items()]
    others = [name for name in full if name != _OWN]
    if counts[_OWN] == total:
        title = f"Qwen covers all {_word(total)} kinds that the article names"
    else:
        title = f"Qwen covers {_word(counts[_OWN])} of the {_word(total)} kinds that are named"
    title += f", and so does {numbers.listed(others)}" if others else ", no other family does"
    title += f"; Llama covers {_word(counts[_RIVAL])}"
    return figure(
        lambda width: matrix.dots(rows, width),
        id="breadth-kinds",
        title=title,
        subtitle="Repositories of each kind by family in the complete catalogues read on "
        f"{numbers.format_day(str(frame['day'].max()))}; the first rows are the kinds that the "
        "article names",
        alt=f"Kinds covered of the {total} named: {', '.join(names)}.",
        data=frame[
            ["kind", "family", "repositories", "downloads_30d", "first_day", "first_repository"]
        ],
        columns=[
            Column("kind"),
            Column("family"),
            Column("repositories"),
            Column("downloads_30d", "30-day downloads", "downloads"),
            Column("first_day", "first"),
            Column("first_repository", "first repository"),
        ],
        **_behind(_BREADTH),
        note="Filled: there is one, with the number of repositories, copies among them. A "
        "repository can be of several kinds. Phi's early base models are not told by their names.",
    )


def covered() -> Html:
    """Return the sentence on how many of the named kinds each family covers, and which not."""
    frame = _kinds("catalogue")
    named = frame[frame["named"].astype("bool")]
    counts = _complete(frame)
    parts = []
    for name, count in counts.items():
        own = named[(named["family"] == name) & (named["repositories"] == 0)]
        without = numbers.listed(own["kind"])
        parts.append(f"{name} {_word(count)}" + (f" (not {without})" if without else ""))
    day = numbers.format_day(str(frame["day"].max()))
    return paragraph(
        f"Of the kinds that the article names, the catalogues of {day} hold: {'; '.join(parts)}."
    )


def first_days() -> Html:
    """Return the day on which each family first had each of the named kinds."""
    frame = _kinds("all")
    named = frame[frame["named"].astype("bool")]
    families_ = list(dict.fromkeys(named["family"]))
    rows = []
    for kind in dict.fromkeys(named["kind"]):
        own = named[named["kind"] == kind].set_index("family")["first_day"]
        rows.append(
            {
                "kind": kind,
                **{
                    f: numbers.short_month(str(own[f])) if own[f] == own[f] else None
                    for f in families_
                },
            }
        )
    return table(
        pd.DataFrame(rows),
        [Column("kind"), *(Column(f) for f in families_)],
        caption="First repository of each kind, by month of creation on the Hub, in all sources "
        "together",
        stacked=True,
    )


def firsts() -> Html:
    """Return the sentence on who had each of the named kinds first."""
    frame = _kinds("all")
    named = frame[frame["named"].astype("bool")].dropna(subset=["first_day"])
    first = named.sort_values(["first_day", "family"], kind="stable").drop_duplicates("kind")
    order = list(dict.fromkeys(named["kind"]))
    holder = dict(zip(first["kind"], first["family"], strict=True))
    own = [str(kind) for kind in order if holder[kind] == _OWN]
    rest = [f"{kind} ({holder[kind]})" for kind in order if holder[kind] != _OWN]
    parts: list[object] = [
        f"Of these families Qwen was the first with {_word(len(own))} of the kinds"
    ]
    if own:
        parts += [": ", numbers.listed(own)]
    if rest:
        parts += ["; others came first with ", numbers.listed(rest)]
    return paragraph(*parts, ".")


def reach() -> Html:
    """Return Qwen's repositories of each kind by source, their downloads and their newest."""
    frame = tables.load("breadth")
    own = frame[(frame["family"] == _OWN) & (frame["family_rule"] == "official")]
    own = own[own["named"].astype("bool")]
    rows = []
    for kind in dict.fromkeys(own["kind"]):
        seen = own[own["kind"] == kind].set_index("source")
        rows.append(
            {
                "kind": kind,
                **{source: int(seen.loc[source, "repositories"]) for source in _SEEN},
                "downloads": seen.loc["catalogue", "downloads_30d"],
                "newest": str(seen.loc["all", "last_day"])[:7],
            }
        )
    return table(
        pd.DataFrame(rows),
        [
            Column("kind"),
            *(Column(source, words) for source, words in _SEEN.items()),
            Column("downloads", "30-day downloads, October 2025", "downloads"),
            Column("newest", "newest in any file", "month"),
        ],
        caption="Qwen's repositories of the five kinds in each source",
        stacked=True,
    )


#: Sources of kinds, and how much of the family each holds.
_SEEN: Final = {
    "catalogue": "October 2025, all",
    "cut": "May 2026, in part",
    "tree": "August 2026, in part",
}


def mathematics() -> Html:
    """Return the sentence on how old and how much used each named kind is."""
    frame = _kinds("catalogue")
    own = frame[(frame["family"] == _OWN) & frame["named"].astype("bool")]
    total = float(own["downloads_30d"].sum())
    oldest = own.sort_values("last_day", kind="stable").iloc[0]
    least = own.sort_values("downloads_30d", kind="stable").iloc[0]
    return join(
        [
            paragraph(
                "The kinds are not equally alive. Of Qwen's models for ",
                str(oldest["kind"]),
                " the newest in the complete catalogue is of ",
                numbers.format_day(str(oldest["last_day"])),
                ". Least used are those for ",
                str(least["kind"]),
                ": ",
                numbers.count(least["downloads_30d"], "computed"),
                " downloads in thirty days, ",
                numbers.percent(float(least["downloads_30d"]) / total, "computed"),
                " of what the five kinds have together.",
            )
        ]
    )
