"""What the pages on the frontier and on Qwen 4 call: figures, tables and sentences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.present import charts, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph
from analysis.present.tables import Column, table

_NEAR: Final = "chinese-near-frontier"
_QWEN4: Final = "qwen4-second-half-2026"
#: Files of an index that share so much, and in so like an order, are one measurement.
_SAME: Final = 0.95
#: Steps of the frontier that the table shows unfolded.
_STEPS: Final = 10


def _days() -> pd.DataFrame:
    return tables.load("frontier_days").astype({"day": "str"})


def _points(value: float) -> str:
    """Write points, whole where they are."""
    return f"{value:.0f}" if abs(value - round(value)) < 1e-6 else f"{value:.1f}"


def _span(lower: float, upper: float) -> str:
    """Write an interval of points; an end that nothing bounds is left open."""
    if math.isnan(upper):
        return f"at least {_points(lower)}"
    return f"{_points(lower)} to {_points(upper)}"


def _of(frame: pd.DataFrame, **where: object) -> pd.Series[Any]:
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return frame.iloc[0]


def _last(frame: pd.DataFrame, scale: str) -> str:
    return str(frame.loc[(frame["scale"] == scale) & (frame["view"] == "file"), "day"].max())


def _article() -> str:
    """Return the day of the Arena's file that the article's own reading takes."""
    return str(tables.specifications(_NEAR).iloc[0]["day"])


# ------------------------------------------------------------------------------- near the frontier


def in_short() -> Html:
    """Return the distance at the article's day on both scales, as a paragraph."""
    frame = _days()
    arena = _of(frame, scale="arena", view="file", day=_article(), group="china")
    every = _by_article()
    china, others = (every[every["group"] == group] for group in ("china", "us"))
    index, us = china.iloc[-1], others.iloc[-1]
    newest = numbers.format_day(str(index["file_day"]))
    spans = [
        _grouped(china["index_ratio"], "share", china),
        _grouped(china["behind"], "days", china),
        _grouped(others["index_ratio"], "share", others),
    ]
    return paragraph(
        f"On the Arena of {numbers.format_day(_article())} it is {arena['own_model']}, ",
        numbers.graded(_points(float(arena["gap"])), "computed"),
        f" points behind {arena['top_model']} (",
        numbers.graded(_span(float(arena["gap_lower"]), float(arena["gap_upper"])), "computed"),
        f" by the limits of both ratings). On the index, in the file of {newest}, among models out "
        f"by the day of the article, it is {index['own_model']} with ",
        numbers.percent(float(index["index_ratio"]), index["grade"]),
        " of the best; the best of all had passed that level ",
        numbers.graded(f"{int(index['behind'])} days", index["grade"]),
        " before. The best open model of the United States had ",
        numbers.percent(float(us["index_ratio"]), us["grade"]),
        f" ({us['own_model']}).",
        *(
            [
                f" Over the {len(china)} files of the index: ",
                *(spans[0], ", ", spans[1], " and ", spans[2], "."),
            ]
            if len(china) > 1
            else []
        ),
    )


def _by_article() -> pd.DataFrame:
    """Return the index as of the article's day, with the day of each file, the oldest first."""
    frame = _days()
    files = frame[(frame["scale"] == "index") & (frame["view"] == "file")]
    day = files.drop_duplicates("version").set_index("version")["day"]
    own = frame[frame["view"] == "article"]
    own = own.assign(file_day=own["version"].map(day))
    return own.sort_values(["file_day", "group"], kind="stable").reset_index(drop=True)


def _grouped(values: pd.Series[Any], unit: str, rows: pd.DataFrame) -> Html:
    """Write the least and the most of several values, marked with the weakest of their grades."""
    grade = "bounded" if rows["grade"].eq("bounded").any() else "computed"
    low, high = float(values.min()), float(values.max())
    if unit == "share":
        text = numbers.format_interval(low, high, "share")
    else:
        text = (
            f"{_points(low)} to {_points(high)} {unit}" if low < high else f"{_points(low)} {unit}"
        )
    return numbers.graded(text, grade)


def _alike(files: pd.DataFrame) -> bool:
    """Whether each two files of the index hold nearly the same models in nearly the same order."""
    shared = files["common"] / files[["first_models", "second_models"]].max(axis=1)
    return bool((shared >= _SAME).all() and (files["rank_correlation"] >= _SAME).all())


def by_file() -> Html:
    """Return how the specifications split by board, and how alike the index's files are."""
    own = tables.specifications(_NEAR).astype({"board": "str"})
    index = own["board"].str.startswith("index")
    days, rated = (sorted({b.split()[1] for b in own.loc[is_, "board"]}) for is_ in (index, ~index))
    # On the index a reading's day is the article's; the board names that of the file.
    late = [day for day in days if day > str(own.loc[index, "day"].max())]
    after = "all" if late == days else f"{len(late)} of {len(days)}"

    def split(part: pd.DataFrame) -> Html:
        counts = [int((part["holds"] == answer).sum()) for answer in ("yes", "no", "undetermined")]
        return join(
            [
                *(numbers.count(counts[0], "computed"), " yes, "),
                *(numbers.count(counts[1], "computed"), " no, "),
                *(numbers.count(counts[2], "computed"), " open"),
            ]
        )

    files = tables.load("frontier_files").astype({"first_day": "str", "second_day": "str"})
    told: list[object] = []
    if len(files) and _alike(files):
        low, high = int(files["common"].min()), int(files["common"].max())
        sizes = files[["first_models", "second_models"]].to_numpy()
        fewest, most = int(sizes.min()), int(sizes.max())
        told = [
            join(
                [
                    f" The {len(days)} files of the index are nearly one measurement and do not ",
                    f"count as {len(days)} witnesses: of ",
                    "" if fewest == most else "at least ",
                ]
            ),
            numbers.count(fewest, "computed"),
            " models out by then in each, any two files share ",
            numbers.graded(f"{low} to {high}" if low < high else f"{low}", "computed"),
            ", in nearly the same order (correlation of ranks at least ",
            numbers.graded(f"{float(files['rank_correlation'].min()):.3f}", "computed"),
            ").",
        ]
    return paragraph(
        numbers.count(int(index.sum()), "computed"),
        f" of the {len(own)} come from files of the index of {numbers.format_day(days[0])} to "
        f"{numbers.format_day(days[-1])}, {after} after the article, cut by the models' days of "
        f"release; the rest from files of the Arena of {numbers.format_day(rated[0])} to "
        f"{numbers.format_day(rated[-1])}. The Arena: ",
        split(own[~index]),
        "; the index: ",
        split(own[index]),
        ".",
        *told,
    )


def arena_gap() -> Html:
    """Return the gap on the Arena by file, of the best Chinese and the best US open model."""
    frame = _days()
    own = frame[(frame["scale"] == "arena") & (frame["view"] == "file")]
    own = own[own["group"].isin(["china", "us"]) & own["gap"].notna()]
    rows = own.assign(
        series=own["label"], value=own["gap"], lower=own["gap_lower"], upper=own["gap_upper"]
    ).reset_index(drop=True)
    china = rows[rows["group"] == "china"]
    first, last = china.iloc[0], china.iloc[-1]
    then = _of(china, day=_article())
    told = "; ".join(
        f"{label}: "
        + ", ".join(
            f"{numbers.format_day(r['day'])} {_points(r['value'])} "
            f"({_span(r['lower'], r['upper'])})"
            for r in part.to_dict("records")
        )
        for label, part in rows.groupby("series", sort=False)
    )
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="points", measure="points behind the best of all"
        ),
        id="frontier-arena",
        title=(
            f"On the Arena the best Chinese open model was {_points(first['value'])} points behind "
            f"the best of all in {numbers.format_day(str(first['day'])[:7])}, "
            f"{_points(then['value'])} before the article and {_points(last['value'])} in "
            f"{numbers.format_day(str(last['day'])[:7])}"
        ),
        subtitle=(
            "Rating of the best of all less that of the best open model, in points, by file; "
            "bar: how far the limits of both ratings let them lie apart"
        ),
        alt=f"Gap on the Arena by day. {told}.",
        data=rows[
            ["day", "label", "own_model", "top_model", "value", "lower", "upper", "win_rate"]
        ].assign(grade=own["grade"].tolist()),
        columns=[
            Column("day"),
            Column("label", "which"),
            Column("own_model", "model"),
            Column("top_model", "best of all"),
            Column("value", "points behind"),
            Column("lower", "at least"),
            Column("upper", "at most"),
            Column("win_rate", "expected part of votes", "share"),
            Column("grade"),
        ],
        note=f"{_unseen()} Each gap is of one file; files have scales of their own.",
        **pages._behind(_NEAR),
    )


def _unseen() -> str:
    """Return the longest time without a file of the Arena, and which hold first ranks only."""
    frame = _days()
    us = frame[(frame["scale"] == "arena") & (frame["view"] == "file") & (frame["group"] == "us")]
    us = us.sort_values("day", kind="stable")
    days = [str(day) for day in us["day"]]
    told = ""
    if len(days) > 1:
        spans = itertools.pairwise(days)
        first, last = max(spans, key=lambda two: pd.Timestamp(two[1]) - pd.Timestamp(two[0]))
        told = (
            f"No file of ours is from between {numbers.format_day(first)} and "
            f"{numbers.format_day(last)}."
        )
    short = us[~us["complete"].astype("bool")]
    if len(short):
        without = int(short["own_model"].isna().sum())
        these = "all" if without == len(short) else str(without)
        told += (
            f" {len(short)} of {len(us)} files, of {numbers.format_day(str(short['day'].min()))} "
            f"to {numbers.format_day(str(short['day'].max()))}, hold the first ranks only, "
            f"{these} of them without an open model of the United States."
        )
    return told.strip()


def _months() -> pd.DataFrame:
    frame = tables.load("frontier_months").astype({"day": "str"})
    newest = frame.loc[frame["day"] == frame["day"].max(), "version"].iloc[0]
    kept: pd.DataFrame = frame[(frame["version"] == newest) & (frame["group"] != "qwen")]
    return kept


def index_months() -> Html:
    """Return the best of all and the best open ones by month of release, on the newest index."""
    frame = _months()
    frame = frame[frame["index"].notna()].reset_index(drop=True)
    last = str(frame["day"].max())
    rows = frame.assign(series=frame["label"], value=frame["index"])[["day", "series", "value"]]
    targets = tables.load("frontier_targets")
    named = targets[(targets["scale"] == "index") & (targets["day"].astype("str") == last)]
    named = named.drop_duplicates("target")
    flat = [
        {
            "day": day,
            "series": str(row["target"]).removeprefix("Claude "),
            "value": row["target_score"],
        }
        for row in named.to_dict("records")
        for day in (str(row["target_released"]), last)
    ]
    drawn = pd.concat([rows, pd.DataFrame(flat)], ignore_index=True)
    china, us = (_of(frame, day=last, group=group) for group in ("china", "us"))
    told = "; ".join(
        f"{label}: "
        + ", ".join(
            f"{numbers.format_day(r['day'])} {_points(r['index'])}" for r in part.to_dict("records")
        )
        for label, part in frame.iloc[-24:].groupby("label", sort=False)
    )
    return figure(
        lambda width: charts.time_lines(
            drawn, width, unit="points", measure="index", points=False, height=300
        ),
        id="frontier-index",
        title=(
            f"On one index the best Chinese open model reaches "
            f"{100 * float(china['index_ratio']):.0f} % of the best of all by "
            f"{numbers.format_day(last)}, the best US open one "
            f"{100 * float(us['index_ratio']):.0f} %"
        ),
        subtitle=(
            f"Artificial Analysis index in the file of {numbers.format_day(last)}, 0 to 100: best "
            "of the models released by the end of each month; flat lines: the models that the "
            "article names"
        ),
        alt=f"Best index by month of release. {told}.",
        data=frame[["day", "label", "model", "index", "index_ratio", "behind", "grade"]],
        columns=[
            Column("day"),
            Column("label", "which"),
            Column("model"),
            Column("index"),
            Column("index_ratio", "part of the best", "share"),
            Column("behind", "days behind"),
            Column("grade"),
        ],
        note="The file gives no intervals. Its values were measured by its day, also those of old "
        "models.",
        **pages._behind(_NEAR),
    )


def passed() -> Html:
    """Return when Chinese open models passed the models that the article names, in sentences."""
    frame = tables.load("frontier_targets").astype({"day": "str"})
    index = frame[(frame["scale"] == "index") & (frame["day"] == _last(_days(), "index"))]
    parts: list[object] = []
    # Targets that were reached by the same models on the same days share a sentence.
    by: dict[tuple[str, ...], list[str]] = {}
    for target, own in index.groupby("target", sort=False):
        found = (*own["first_model"].astype("str"), *own["first_day"].astype("str"))
        by.setdefault(found, []).append(str(target))
    for names in by.values():
        own = index[index["target"] == names[0]]
        china, qwen = _of(own, group="china"), _of(own, group="qwen")
        named = numbers.listed(names)
        if not isinstance(china["first_day"], str):
            parts.append(join([named, f": not reached by {numbers.format_day(china['day'])}. "]))
            continue
        told: list[object] = [
            named,
            f": reached by {china['first_model']}, out on ",
            numbers.graded(numbers.format_day(china["first_day"]), "computed"),
        ]
        if isinstance(qwen["first_day"], str):
            told += [
                f", and by the first open Qwen, {qwen['first_model']}, out on ",
                numbers.graded(numbers.format_day(qwen["first_day"]), "computed"),
            ]
        parts.append(join([*told, ". "]))
    first = index.iloc[0]
    day = numbers.format_day(str(first["day"]))
    end = _of(_days(), scale="index", view="file", day=str(first["day"]), group="china")
    steps = _steps()
    out = steps.loc[steps["model"] == first["top_model"], "released"]
    since = f", out on {numbers.format_day(str(out.iloc[0]))}" if len(out) else ""
    above = index[index["group"] == "china"]
    ranks: list[object] = []
    for row in above.to_dict("records"):
        ranks += [
            "; " if ranks else "",
            numbers.count(int(row["models_above"]), "computed"),
            f" rate above {row['target']}",
        ]
    behind: list[object] = [
        ", and the best Chinese open model is ",
        numbers.graded(_points(float(end["gap"])), end["grade"]),
        " points behind it",
    ]
    return paragraph(
        f"On the index of {day}, ",
        *parts,
        f"On the day of the file the best of all is {first['top_model']}{since}",
        *(behind if float(end["gap"]) > 0 else [", a Chinese open model"]),
        ". Of the models in it, each setting counted, ",
        *ranks,
        ".",
    )


def targets() -> Html:
    """Return the best Chinese open model against the models named by the article, by board."""
    frame = tables.load("frontier_targets").astype({"day": "str"})
    frame = frame[frame["group"] == "china"]
    names = {"arena": "Arena", "index": "index"}
    rows = [
        {
            "board": f"{names[row['scale']]}, {numbers.format_day(row['day'])}",
            "target": row["target"],
            "own_model": row["own_model"],
            "lead": numbers.graded(f"{float(row['lead']):+.1f}".replace("-", "\u2212"), "computed"),
            "span": "no limits given"
            if row["scale"] == "index"
            else f"{float(row['lead_lower']):+.0f} to {float(row['lead_upper']):+.0f}".replace(
                "-", "\u2212"
            ),
            "passed": {"yes": "yes", "no": "no", "open": "limits overlap"}[row["passed"]],
            "models_above": int(row["models_above"]),
        }
        for row in frame.to_dict("records")
    ]
    columns = [
        Column("board", "board and file"),
        Column("target", "named by the article"),
        Column("own_model", "best Chinese open model"),
        Column("lead", "ahead by (points)"),
        Column("span", "by the limits"),
        Column("passed"),
        Column("models_above", "models above the named one"),
    ]
    caption = "The best Chinese open model against the models that the article names"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def _lag(row: Mapping[Any, Any], group: str) -> object:
    """Write a lag in days; where the level is not reached, how long it was open."""
    if pd.notna(row[f"{group}_lag"]):
        exact = row[f"{group}_lag"] == row[f"{group}_lag_lower"]
        grade = "computed" if exact else "bounded"
        return numbers.graded(f"{int(row[f'{group}_lag'])} days", grade, str(row[f"{group}_model"]))
    return numbers.graded(f"not by then: over {int(row[f'{group}_lag_lower'])} days", "bounded")


def _steps() -> pd.DataFrame:
    frame = tables.load("frontier_steps").astype({"day": "str", "released": "str"})
    newest: pd.DataFrame = frame[frame["day"] == frame["day"].max()].reset_index(drop=True)
    return newest


def lags() -> Html:
    """Return how long it took open models to reach each model that was the best of its day."""
    frame = _steps()
    rows = [
        {
            "released": numbers.format_day(row["released"]),
            "model": row["model"],
            "score": _points(float(row["score"])),
            "china": _lag(row, "china"),
            "who": row["china_model"] if isinstance(row["china_model"], str) else "none yet",
            "us": _lag(row, "us"),
        }
        for row in frame.to_dict("records")[::-1]
    ]
    columns = [
        Column("released", "day"),
        Column("model", "best of all from that day on"),
        Column("score", "index"),
        Column("china", "reached by a Chinese open model after"),
        Column("who", "which"),
        Column("us", "by a US open model after"),
    ]
    day = numbers.format_day(str(frame["day"].iloc[0]))
    shown = table(
        pd.DataFrame(rows[:_STEPS], dtype=object),
        columns,
        caption=f"The last {min(_STEPS, len(rows))} steps of the frontier, index of {day}",
        stacked=True,
    )
    if len(rows) <= _STEPS:
        return shown
    rest = table(
        pd.DataFrame(rows[_STEPS:], dtype=object), columns, caption="Earlier steps", stacked=True
    )
    return Html(f"{shown}<details><summary>Earlier steps</summary>{rest}</details>")


def lag_words() -> Html:
    """Return the middle lag over the steps of two years, and what is still open, as a paragraph."""
    frame = _steps()
    last = pd.Timestamp(str(frame["day"].iloc[0]))
    recent = frame[pd.to_datetime(frame["released"]) > last - pd.DateOffset(years=2)]
    # Steps not reached yet are longer than they look: the middle one stays right with half reached.
    lag = recent["china_lag"].fillna(math.inf).sort_values().reset_index(drop=True)
    middle = float(lag.iloc[len(lag) // 2])
    still = int(recent["china_lag"].isna().sum())
    words = (
        numbers.graded(f"{middle:.0f} days", "computed") if math.isfinite(middle) else "not known"
    )
    return paragraph(
        "Of the ",
        numbers.count(len(recent), "computed"),
        f" models that were the best of all when they came out in the two years to "
        f"{numbers.format_day(str(frame['day'].iloc[0]))}, Chinese open models reached the middle "
        "one after ",
        words,
        "; ",
        numbers.count(still, "computed") if still else "none",
        " they had not reached by that day.",
    )


def openness() -> Html:
    """Return how it is known which models of the newest index are open, as a paragraph."""
    frame = tables.load("frontier_openness").astype({"day": "str"})
    index = frame[(frame["scale"] == "index") & (frame["day"] == _last(_days(), "index"))]
    by = index.groupby("how")["models"].sum()
    china = index[(index["region"] == "china") & (index["weights"] == "unknown")]["models"].sum()
    return paragraph(
        f"Of the {numbers.format_count(int(by.sum()))} rated models of the newest index file, ",
        numbers.count(int(by.get("carried", 0)), "computed"),
        " have the flag that the index itself gave in July, ",
        numbers.count(int(by.get("seen", 0)), "computed"),
        " newer ones are seen as repositories on the Hub or with a licence on the Arena, and of ",
        numbers.count(int(by.get("none", 0)), "computed"),
        " no source says whether they are open (",
        numbers.count(int(china), "computed"),
        " Chinese). These widen the intervals.",
    )


# --------------------------------------------------------------------------------------- Qwen 4


def waiting() -> Html:
    """Return that Qwen 4 is not seen, by which day, and the newest Qwen, as a paragraph."""
    frame = tables.load("sightings").astype({"newest_first": "str"})
    seen = frame[frame["seen"].notna()]
    if len(seen):
        return paragraph(
            "Qwen 4 is seen in ",
            numbers.count(len(seen), "computed"),
            f" of {len(frame)} kinds of source, first on ",
            numbers.graded(numbers.format_day(str(seen["seen"].min())), "bounded"),
            ".",
        )
    last = str(frame["not_seen_by"].astype("str").max())
    newest = max(frame["newest"].dropna().astype("str"))
    holds = frame[frame["newest"] == newest]
    return paragraph(
        "None of ",
        numbers.count(len(frame), "computed"),
        " kinds of source shows a name of Qwen 4; the latest was read on ",
        numbers.graded(numbers.format_day(last), "computed"),
        f". The newest name is {newest}, in ",
        numbers.count(len(holds), "computed"),
        " of them, first seen by ",
        numbers.graded(numbers.format_day(str(holds["newest_first"].min())), "bounded"),
        ". Not seen by a day says nothing of the days after it.",
    )


def newest() -> Html:
    """Return the newest Qwen that each kind of source names, and by when Qwen 4 is not seen."""
    frame = tables.load("sightings")
    rows = []
    for row in frame.to_dict("records"):
        seen = isinstance(row["seen"], str)
        when = numbers.format_day(str(row["seen"] if seen else row["not_seen_by"]))
        rows.append(
            {
                "title": row["title"],
                "versions": int(row["versions"]),
                "newest": row["newest"] if isinstance(row["newest"], str) else "none",
                "since": "not known"
                if not isinstance(row["newest_first"], str)
                else numbers.graded(f"by {numbers.format_day(row['newest_first'])}", "bounded"),
                "answer": numbers.graded(
                    f"seen by {when}" if seen else f"not seen by {when}", "bounded"
                ),
            }
        )
    columns = [
        Column("title", "where"),
        Column("versions", "files"),
        Column("newest", "newest Qwen"),
        Column("since", "seen"),
        Column("answer", "Qwen 4"),
    ]
    caption = "The newest Qwen by source, and whether Qwen 4 is seen"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def ways() -> Html:
    """Return what each declared reading waits for; once one is decided, the curve of them all."""
    claim = pages.claim(_QWEN4)
    own = tables.specifications(_QWEN4)
    if own["value"].notna().any():
        return claim.curve()
    words = claim.words
    rows = [
        {
            "sources": words[f"sources={row['sources']}"],
            "since": words[f"since={row['since']}"],
            "names": words[f"names={row['names']}"],
            "kinds": int(row["kinds"]),
            "answer": numbers.graded(
                f"not seen by {numbers.format_day(str(row['day']))}", "bounded"
            ),
        }
        for row in own.to_dict("records")
    ]
    columns = [
        Column("sources", words["sources"]),
        Column("since", words["since"]),
        Column("names", words["names"]),
        Column("kinds", "kinds of source"),
        Column("answer", "Qwen 4"),
    ]
    caption = "The declared readings, the first of them the article's, and what they give so far"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def published_after() -> Html:
    """Return whether what others published is of days after the latest file, as a paragraph."""
    known = tables.load("reference/published-figures").set_index("id")
    said = sorted(
        str(known.loc[name, "stated_on"]) for name in pages.claim(_QWEN4).record["published"]
    )
    last = str(tables.specifications(_QWEN4)["day"].astype("str").max())
    # A day may be given to the month: it is after another when its month is.
    late = [day for day in said if day > last[: len(day)]]
    return paragraph(
        "These figures are cited, not recomputed. Our latest file is of ",
        numbers.graded(numbers.format_day(last), "computed"),
        "; of days after it: ",
        numbers.graded(f"{len(late)} of {len(said)}", "computed"),
        ".",
    )


def strangers() -> Html:
    """Return how many names by others would count if anyone's did, as a sentence."""
    count = int(tables.load("sightings")["strangers"].sum())
    return paragraph(
        "Names by others than the maker that would count if anyone's did: ",
        numbers.count(count, "computed") if count else "none",
        ".",
    )
