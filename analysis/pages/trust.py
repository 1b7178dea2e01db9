"""What the page on the trust in a download counter calls."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.present import charts, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph, safe_link
from analysis.present.tables import Column, table

_COUNTERS: Final = {
    "thirty": "30-day",
    "all-time": "all-time",
    "panel": "differences of all-time",
    "both": "both",
}
_RULES: Final = {
    "burst": "burst",
    "dip": "dip",
    "stall": "stall",
    "repeat": "repeat",
    "fall": "fall",
    "slow": "slow span",
    "short": "short label",
    "twin": "two ids",
}
_VERDICTS: Final = {
    "found": ("full", "●", "found"),
    "not visible": ("open", "○", "not visible in our files"),
    "missed": ("against", "▲", "missed"),
}
#: Rules that say that counters stood still.
_STILL: Final = ("stall", "repeat")


def _n(value: float, grade: str = "computed") -> Html:
    return numbers.graded(f"{int(value):,}", grade)


def in_short() -> Html:
    """Return the answer: what the counter is good for, with the sizes of its misbehaviour."""
    heads = tables.load("trust_heads")
    bursts = tables.load("outliers")
    tests = tables.load("trust_tests")
    claims = tables.load("trust_claims")
    worst = heads.sort_values("fall", kind="stable", na_position="first").iloc[-1]
    top = bursts.sort_values("excess", kind="stable").iloc[-1]
    found, blind = ((tests["verdict"] == word).sum() for word in ("found", "not visible"))
    flips = claims[claims["flipped"] > 0]
    return paragraph(
        "For orders of magnitude and for direction, mostly; for the level of a single month, only "
        "within the width that its days of misbehaviour give. In one week the ",
        _n(worst["depth"]),
        " most downloaded repositories lost ",
        numbers.percent(float(worst["fall"]), "computed", places=0),
        " of their counter and got it back; one repository alone once stood ",
        numbers.count(float(top["excess"]), "computed"),
        " requests above its level. Of ",
        _n(len(tests)),
        " such days that others published our own rules find ",
        _n(found),
        "; ",
        _n(blind),
        " cannot be seen in our files. Whether bursts are counted changes an answer somewhere in "
        "the grids of ",
        _n(len(flips)),
        f" of {len(claims)} headline claims.",
    )


def head_days() -> Html:
    """Return the sums of the head's lists by day, with the week in which they fell."""
    frame = tables.load("trust_heads")
    own = frame[frame["list"].isin(["top25", "top30"])].reset_index(drop=True)
    rows = own.assign(
        series=[f"top {depth}" for depth in own["list"].str.removeprefix("top")],
        value=own["downloads"],
    )
    dips = own[own["dip"].astype("bool")]
    worst = dips.sort_values("fall", kind="stable").iloc[-1]
    told = "; ".join(
        f"{r['list']} of {numbers.format_day(r['day'])} {numbers.format_count(r['downloads'])}, "
        f"{numbers.format_percent(r['fall'], 0)} below the lists around"
        for r in dips.to_dict("records")
    )
    quiet = own[~own["dip"].astype("bool")]
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="downloads", measure="30-day downloads",
            span=(str(dips["day"].min()), str(dips["day"].max())), span_label="dip", height=220,
            points=False,
        ),
        id="trust-head",
        title=(
            f"On {numbers.format_day(worst['day'])} the first {int(worst['depth'])} had "
            f"{numbers.format_count(worst['downloads'])} downloads, "
            f"{numbers.format_percent(worst['fall'], 0)} less than in the weeks around"
        ),
        subtitle="30-day downloads of the most downloaded repositories of the whole Hub, summed, "
        "by day of the list",
        alt=f"{len(rows)} lists. Days below their neighbours: {told}. Elsewhere between "
        f"{numbers.format_count(quiet['downloads'].min())} and "
        f"{numbers.format_count(quiet['downloads'].max())}.",
        data=own[["day", "list", "depth", "downloads", "qwen", "qwen_share", "dip", "fall",
                  "source"]],
        columns=[
            Column("day"),
            Column("list"),
            Column("downloads", "30-day downloads", "downloads"),
            Column("qwen", "of them Qwen", "downloads"),
            Column("qwen_share", "Qwen's part", "share"),
            Column("fall", "below the lists around", "share"),
            Column("source"),
        ],
    )  # fmt: skip


def level_and_share() -> Html:
    """Return what the dip did to a level and what to a share, as a paragraph."""
    frame = tables.load("trust_heads")
    dips = frame[frame["dip"].astype("bool")]
    worst = dips.sort_values("fall", kind="stable").iloc[-1]
    same = frame[frame["list"] == worst["list"]].sort_values("day", kind="stable")
    before = same[same["day"] < worst["day"]].iloc[-1]
    after = same[same["day"] > worst["day"]].iloc[0]
    parts = [
        join([numbers.percent(float(row["qwen_share"]), "computed"), " on ",
              numbers.format_day(str(row["day"]))])
        for row in (before, worst, after)
    ]  # fmt: skip
    around = (float(before["qwen_share"]) + float(after["qwen_share"])) / 2
    moved = abs(float(worst["qwen_share"]) / around - 1) if around else 1.0
    said: list[object] = ["Qwen's part of that list was ", numbers.listed(parts), ". "]
    if moved < float(worst["fall"]) / 2:
        said += [
            (
                "A fall that strikes all alike moves a level and nearly leaves a share: "
                "the part moved by "
            ),
            numbers.percent(moved, "computed", places=0),
            ", the sum by ",
            numbers.percent(float(worst["fall"]), "computed", places=0),
            ".",
        ]
    return paragraph(*said)


def still() -> Html:
    """Return on which weekdays counters stood still, as a paragraph."""
    days = tables.load("trust_days")
    tests = tables.load("trust_tests")
    own = days[days["rule"].isin(_STILL) & days["weekday"].notna()]
    known = [
        join([numbers.format_day(str(row["first"])), f", a {row['weekday']}"])
        for row in own.sort_values("first", kind="stable").to_dict("records")
    ]
    wednesdays = int((own["weekday"] == "Wednesday").sum())
    unseen = tests[
        (tests["verdict"] == "not visible")
        & tests["weekday"].notna()
        & tests["what"].str.contains("stands still")
    ]
    said: list[object] = [
        "Counters stood still on ",
        _n(len(own)),
        " days that we can date: ",
        numbers.listed(known),
        ". ",
        _n(wednesdays),
        " of them are Wednesdays. ",
    ]
    for row in unseen.to_dict("records"):
        said += [
            "The published list has ",
            numbers.graded(numbers.format_day(str(row["from"])), "published"),
            f", a {row['weekday']} too" if row["weekday"] == "Wednesday" else "",
            ", which our weekly files cannot show. ",
        ]
    said += [
        "Most labels of the panel are weekly and all on one weekday, so they say nothing on this."
    ]
    return paragraph(*said)


def panel_flows() -> Html:
    """Return what the panel gains a day, span by span: where the counter stood and fell."""
    frame = tables.load("trust_flows")
    rows = frame.assign(series="a day", value=frame["per_day"])
    slow = frame[frame["slow"].astype("bool")]
    good = slow["made_good"].dropna()
    told = "; ".join(
        f"{numbers.format_day(r['before'])} to {numbers.format_day(r['day'])} "
        f"{numbers.format_count(r['per_day'])}"
        for r in slow.to_dict("records")
    )
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="downloads", measure="downloads a day", height=200, points=False
        ),
        id="trust-panel",
        title=(
            f"In {len(slow)} of {len(frame)} spans the panel gained hardly anything; with "
            f"the span after them it came to "
            f"{numbers.format_percent(good.min(), 0)} to "
            f"{numbers.format_percent(good.max(), 0)} of the usual"
        ),
        subtitle="What the repositories present on both labels gain a day, from label to label; "
        "all-time counter",
        alt=f"Slow spans: {told}.",
        data=frame[
            [
                *("before", "day", "days", "repositories", "per_day", "ratio"),
                *("fell", "equal", "slow", "made_good"),
            ]
        ],
        columns=[
            Column("day", "label"),
            Column("before", "since"),
            Column("repositories"),
            Column("per_day", "gained a day", "downloads"),
            Column("ratio", "of the usual", "share"),
            Column("fell", "counters that fell"),
            Column("equal", "that stood"),
            Column("made_good", "with the span after, of the usual", "share"),
        ],
    )  # fmt: skip


def as_large_as_a_country() -> Html:
    """Return the largest burst beside what whole countries were downloaded, as a figure."""
    bursts = tables.load("outliers")
    flows = tables.load("china_us")
    seen = bursts[bursts["kind"] == "reading"]
    top = seen.sort_values("excess", kind="stable").iloc[-1]
    chosen = flows[
        (flows["attribution"] == "publisher")
        & (flows["repackagers"] == "out")
        & (flows["bursts"] == "in")
    ]
    rows = [
        {"label": f"{top['repository_id']}, above its own level", "value": float(top["excess"])},
        {"label": "China in the panel, largest span", "value": float(chosen["china"].max())},
        {
            "label": "United States in the panel, largest span",
            "value": float(chosen["usa"].max()),
        },
    ]
    frame = pd.DataFrame(rows).assign(grade="computed")
    largest = max(rows[1]["value"], rows[2]["value"])  # type: ignore[call-overload]
    times = float(top["excess"]) / float(largest)
    return figure(
        lambda width: charts.interval_rows(
            frame, width, unit="downloads", measure="downloads in thirty days"
        ),
        id="trust-burst",
        title=(
            f"One repository's burst was {numbers.format_ratio(times)} times the largest month of "
            "any country in the panel"
        ),
        subtitle=(
            f"Downloads in thirty days; the burst at its peak between "
            f"{numbers.format_day(str(top['first']))} and {numbers.format_day(str(top['last']))}, "
            "countries by publisher in the panel of 2025"
        ),
        alt="; ".join(f"{r['label']} {numbers.format_count(float(r['value']))}" for r in rows)  # type: ignore[arg-type]
        + ".",
        data=frame,
        columns=[
            Column("label", "what"),
            Column("value", "downloads", "downloads"),
            Column("grade"),
        ],
        note="The panel leaves out repositories older than a year, so a country's whole is larger.",
    )


def bursts() -> Html:
    """Return the bursts that the declared rule names."""
    return pages.outliers()


def _shaped(kind: str, shape: str, words: str) -> Html:
    mark = f'<span aria-hidden="true">{shape}\u00a0</span>'
    return Html(f'<span class="omr-verdict omr-verdict-{kind}">{mark}{words}</span>')


def tests() -> Html:
    """Return the published list of days, and what our rules see of each."""
    frame = tables.load("trust_tests")
    rows = []
    for row in frame.to_dict("records"):
        first, last = (numbers.format_day(str(row[end])) for end in ("from", "to"))
        day = first if first == last else f"{first} to {last}"
        if isinstance(row["weekday"], str):
            day += f" ({row['weekday']})"
        rows.append(
            {
                "day": day,
                "what": numbers.graded(str(row["what"]), "published"),
                "verdict": _shaped(*_VERDICTS[str(row["verdict"])]),
                "seen": row["found"] if isinstance(row["found"], str) else row["why"],
                "source": row["source"],
            }
        )
    columns = [
        Column("day"),
        Column("what", "what happened, as published"),
        Column("verdict", "by our rules"),
        Column("seen", "what they see, or why nothing"),
        Column("source", "listed by"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="The published list of days as a test of our rules",
        stacked=True,
    )


def rules() -> Html:
    """Return each rule: on how much it was tried, what it found, and what is not on the list."""
    frame = tables.load("trust_rules")
    rows = [
        {
            "rule": _RULES[str(row["rule"])],
            "looks_at": row["looks_at"],
            "tried": f"{int(row['tried_on']):,} {row['tried_unit']}",
            "found": _n(row["found"]),
            "listed": _n(row["on_the_list"]),
            "unlisted": _n(row["not_on_the_list"]),
        }
        for row in frame.to_dict("records")
    ]
    columns = [
        Column("rule"),
        Column("looks_at", "looks at"),
        Column("tried", "tried on"),
        Column("found"),
        Column("listed", "on the published list"),
        Column("unlisted", "not on it"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object), columns, caption="Our rules, and quiet days", stacked=True
    )


def days() -> Html:
    """Return every day that a rule names, unfolding."""
    frame = tables.load("trust_days")
    frame["rule"] = frame["rule"].map(_RULES)
    frame["counter"] = frame["counter"].map(_COUNTERS)
    columns = [
        Column("what"),
        Column("first", "from"),
        Column("last", "to"),
        Column("weekday"),
        Column("rule"),
        Column("counter"),
        Column("listed", "on the published list"),
    ]
    shown = table(frame, columns, caption="Days on which a rule says that the counter misbehaves")
    return Html(f"<details><summary>All {len(frame)} findings</summary>{shown}</details>")


def _span(row: dict[Any, Any], side: str) -> object:
    unit, grade = str(row["unit"]), str(row["grade"])
    lower, upper, value = (row[f"{name}_{side}"] for name in ("lower", "upper", "value"))
    if unit == "month":
        return numbers.graded(numbers.format_day(str(value)), grade)
    ends = [
        None if pd.isna(end) or abs(float(end)) == float("inf") else float(end)
        for end in (lower, upper)
    ]
    if ends == [None, None]:
        return numbers.value(float(value), unit, grade)
    return numbers.interval(ends[0], ends[1], unit, grade)


def claims() -> Html:
    """Return for each headline claim the days that it crosses, with bursts and without."""
    frame = tables.load("trust_claims")
    rows = []
    for row in frame.to_dict("records"):
        title = pages.claim(str(row["claim"])).record["title"]
        crossed = [_RULES[word] for word in str(row["crossed_rules"]).split("; ") if word in _RULES]
        unseen = (
            len(str(row["crossed_published"]).split("; 20"))
            if isinstance(row["crossed_published"], str)
            else 0
        )
        rows.append(
            {
                "claim": safe_link(f"{row['claim']}.html", title),
                "counter": _COUNTERS[str(row["counter"])],
                "crossed": join(
                    [
                        ", ".join(crossed) or "none of ours",
                        *([" and ", _n(unseen, "published"), " published only"] if unseen else []),
                    ]
                ),
                "in": _span(row, "in"),
                "out": _span(row, "out"),
                "flipped": join([_n(row["flipped"]), f" of {int(row['pairs'])}"]),
            }
        )
    columns = [
        Column("claim"),
        Column("counter"),
        Column("crossed", "its own reading crosses"),
        Column("in", "bursts as counted"),
        Column("out", "put back to level"),
        Column("flipped", "answers changed"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="What it means for each headline claim: its own reading, with bursts and without",
        stacked=True,
    )


def crossings() -> Html:
    """Return for each headline claim the findings that its own reading crosses, unfolding."""
    frame = tables.load("trust_claims")
    rows = [
        {
            "claim": pages.claim(str(row["claim"])).record["title"],
            "day": row["day"],
            "crossed": row["crossed"] if isinstance(row["crossed"], str) else None,
            "published": row["crossed_published"]
            if isinstance(row["crossed_published"], str)
            else None,
        }
        for row in frame.to_dict("records")
    ]
    columns = [
        Column("claim"),
        Column("day", "read on"),
        Column("crossed", "found by our rules"),
        Column("published", "published, not visible here"),
    ]
    shown = table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="Days that each claim's own reading crosses",
        stacked=True,
    )
    return Html(f"<details><summary>Which days, claim by claim</summary>{shown}</details>")


def copies() -> Html:
    """Return how far two readings of one day agree: that they are copies of one counter."""
    frame = tables.load("agreement")
    same = frame[frame["equal"] == frame["common"]]
    return paragraph(
        "On ",
        _n(len(frame)),
        " occasions two files hold the same repositories on the same day; in ",
        _n(len(same)),
        " of them every counter is equal to the last digit. That shows that they copy one "
        "counter faithfully, and nothing on whether it is right. ",
        safe_link("outside-the-hub.html", "Other instruments"),
        " can.",
    )


def foot() -> Html:
    """Return the explanation of the marks."""
    return numbers.legend()
