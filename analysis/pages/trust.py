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
#: What a rule was set with in view.
_VIEWS: Final = {"list": "the list", "data": "the counters it is tried on", "none": "neither"}
_CITES: Final = {"own": "only files that we read", "part": "also files that we read"}


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
    views = tests.loc[tests["verdict"] == "found", "in_view"]
    flips = claims[claims["flipped"] > 0]
    own = heads[heads["list"] == worst["list"]].sort_values("day", kind="stable")
    before = own[own["day"] < worst["day"]].iloc[-1]
    after = own[own["day"] > worst["day"]].iloc[0]
    said: list[object] = [
        (
            "For comparisons, with bursts counted and put back to level side by side; for the "
            "level of a single month, only within the width that its days of misbehaviour give. "
            "In one week the "
        ),
        _n(worst["depth"]),
        " most downloaded repositories lost ",
        numbers.percent(float(worst["fall"]), "computed", places=0),
        " of their counter, and on the next such list they stood at ",
        numbers.percent(
            float(after["downloads"]) / float(before["downloads"]), "computed", places=0
        ),
        " of the level before; one repository alone once stood ",
        numbers.count(float(top["excess"]), "computed"),
        " requests above its level. Of ",
        _n(len(tests)),
        " days listed our rules find ",
        _n(found),
        ": ",
        _n((views == "list").sum()),
        " by rules set with the list in view, ",
        _n((views == "data").sum()),
        " by rules set after the counters were seen, ",
        _n((views == "none").sum()) if (views == "none").any() else "none",
        " by a rule that faces it unseen. ",
        _n(blind),
        (
            " cannot be seen in our files. Whether bursts are counted changes an answer somewhere "
            "in the grids of "
        ),
        _n(len(flips)),
        f" of {len(claims)} headline claims",
    ]
    if len(flips):
        top_claim = flips.assign(part=flips["flipped"] / flips["pairs"]).sort_values(
            "part", kind="stable"
        ).iloc[-1]  # fmt: skip
        said += [
            ", most in \u201c",
            str(pages.claim(str(top_claim["claim"])).record["title"]),
            "\u201d: ",
            _n(top_claim["flipped"]),
            f" of {int(top_claim['pairs'])} answers",
        ]
    return paragraph(*said, ".")


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
    """Return where counters repeated: labels of the panel, and lists of the Hub's head, apart."""
    days = tables.load("trust_days")
    tests = tables.load("trust_tests")
    flows = tables.load("trust_flows").set_index("day")
    panel = days[days["rule"] == "repeat"].sort_values("first", kind="stable")
    dated = panel[panel["weekday"].notna()].to_dict("records")
    hub = days[days["rule"] == "stall"].sort_values("first", kind="stable")
    said: list[object] = [
        "The panel repeated all its values ",
        _n(len(panel)),
        f" time{'' if len(panel) == 1 else 's'}; a day can be named for ",
        _n(len(dated)),
        ": " if dated else ". ",
    ]
    if dated:
        known = [
            join([numbers.format_day(str(row["first"])), f" ({row['weekday']})"]) for row in dated
        ]
        good = [float(flows.loc[str(row["first"]), "made_good"]) for row in dated]  # type: ignore[arg-type]
        said += [
            numbers.listed(known),
            (
                ". These are labels of one collector, so nothing tells the Hub's counter from the "
                "collector's copy. "
            ),
        ]
        shown = [one for one in good if one == one]
        if shown:
            said += [
                "With the span after, the panel gained ",
                numbers.listed([numbers.percent(one, "computed", places=0) for one in shown]),
                " of the usual",
                ", so it was not made good by then. " if max(shown) < 1 else ". ",
            ]
    said += [
        "Lists of the Hub's own head that share many counters with that of the day after: ",
        _n(len(hub)),
        " (" if len(hub) else ". ",
        "; ".join(f"{numbers.format_day(str(r['first']))}, {r['what']}"
                  for r in hub.to_dict("records")),
        "). " if len(hub) else "",
    ]  # fmt: skip
    known_days = tests.to_dict("records")
    said += [
        f"{row['reading']} "
        for row in known_days
        if row["verdict"] == "found" and isinstance(row["reading"], str)
    ]
    for row in known_days:
        if row["verdict"] == "not visible" and "stands still" in str(row["what"]):
            said += [
                "The published list has ",
                numbers.graded(numbers.format_day(str(row["from"])), "published"),
                " too, which our weekly files cannot show. ",
            ]
    return paragraph(*said)


def set_by() -> Html:
    """Return what the rules were set with in view, and which rows cite files of ours."""
    frame = tables.load("trust_rules")
    tests = tables.load("trust_tests")

    def named(view: str) -> Html:
        return numbers.listed(
            f"\u201c{_RULES[str(rule)]}\u201d"
            for rule in frame.loc[frame["in_view"] == view, "rule"]
        )

    said: list[object] = []
    for view, words in (
        ("list", " set with the list in view"),
        ("data", " set after the counters that they are tried on were seen"),
        ("none", " set with neither in view"),
    ):
        number = int((frame["in_view"] == view).sum())
        if number:
            said += ["The rule " if number == 1 else "The rules ", named(view)]
            said += [" is" if number == 1 else " are", words, ". "]
    own, part = (int((tests["cites"] == word).sum()) for word in ("own", "part"))
    said += [
        "Of the rows of the list ",
        _n(own + part),
        " cite files that we read ourselves, ",
        _n(own),
        " of them nothing else.",
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


def beside_countries() -> Html:
    """Return the largest burst beside what China and the US had in the panel, as a figure."""
    bursts = tables.load("outliers")
    flows = tables.load("china_us")
    seen = bursts[bursts["kind"] == "reading"]
    top = seen.sort_values("excess", kind="stable").iloc[-1]
    counted = flows[flows["bursts"] == "in"]
    # The largest span of either country, by each choice of attribution and re-uploaders.
    peaks = counted.groupby(["attribution", "repackagers"])[["china", "usa"]].max()
    own = {name: float(peaks[name].loc["publisher", "out"]) for name in ("china", "usa")}
    rows: list[dict[str, Any]] = [
        {"label": f"{top['repository_id']}, above its own level", "value": float(top["excess"])}
    ]
    rows += [
        {
            "label": f"{words} in the panel, largest span",
            "value": own[name],
            "lower": float(peaks[name].min()),
            "upper": float(peaks[name].max()),
        }
        for name, words in (("china", "China"), ("usa", "United States"))
    ]
    frame = pd.DataFrame(rows).assign(grade="computed")
    times = sorted(float(top["excess"]) / peaks.max(axis="columns"))
    return figure(
        lambda width: charts.interval_rows(
            frame, width, unit="downloads", measure="downloads in thirty days"
        ),
        id="trust-burst",
        title=(
            f"One repository's burst was {numbers.format_interval(times[0], times[-1], 'ratio')} "
            "times the largest month of China or the United States in the panel"
        ),
        subtitle=(
            f"Downloads in thirty days; the burst at its peak between "
            f"{numbers.format_day(str(top['first']))} and {numbers.format_day(str(top['last']))}; "
            "the countries in the panel of 2025, by publisher without re-uploaders, and as a bar "
            "by all choices"
        ),
        alt="; ".join(
            f"{r['label']} {numbers.format_count(r['value'])}"
            + (
                f", by the choices {numbers.format_interval(r['lower'], r['upper'], 'downloads')}"
                if "lower" in r
                else ""
            )
            for r in rows
        )
        + ".",
        data=frame,
        columns=[
            Column("label", "what"),
            Column("value", "downloads", "downloads"),
            Column("lower", "by the choices, at least", "downloads"),
            Column("upper", "at most", "downloads"),
            Column("grade"),
        ],
        note=(
            "The choices: by the publisher's country or by that of the base model's maker; "
            "re-uploaders without a country left out or counted with the base's. The panel leaves "
            "out repositories older than a year, so a country's whole is larger; other countries "
            "are not computed."
        ),
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
                "seen": ". ".join(
                    str(row[name])
                    for name in ("found", "reading", "why")
                    if isinstance(row[name], str)
                ),
                "in_view": _VIEWS.get(str(row["in_view"])),
                "source": row["source"],
                "cites": _CITES.get(str(row["cites"])),
            }
        )
    columns = [
        Column("day"),
        Column("what", "what happened, as published"),
        Column("verdict", "by our rules"),
        Column("seen", "what they see, or why nothing"),
        Column("in_view", "its rule was set with in view"),
        Column("source", "listed by"),
        Column("cites", "that cites"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="The published list of days beside our rules",
        stacked=True,
    )


def rules() -> Html:
    """Return each rule: on how much it was tried, what it found, and what is not on the list."""
    frame = tables.load("trust_rules")
    rows = [
        {
            "rule": _RULES[str(row["rule"])],
            "looks_at": row["looks_at"],
            "in_view": _VIEWS[str(row["in_view"])],
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
        Column("in_view", "set with in view"),
        Column("tried", "tried on"),
        Column("found"),
        Column("listed", "on the published list"),
        Column("unlisted", "not on it"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="Our rules, what each was set with in view, and quiet days",
        stacked=True,
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
        ends = [row[f"{name}_{side}"] for name in ("first", "last")]
        if any(pd.isna(end) for end in ends):
            ends = [value, value]
        return numbers.interval(str(ends[0]), str(ends[1]), unit, grade)
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
