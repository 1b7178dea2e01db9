"""What the pages on clouds, routers and enterprises call, and the opening of their chapter."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.present import charts, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph, safe_link
from analysis.present.tables import Column, table

_MANAGED: Final = "llama-managed-services"
_ENTERPRISE: Final = "enterprise-closed-88"
_LLAMA_PART: Final = "llama-70-of-open"
_DRAWN: Final = ("llama", "qwen", "deepseek", "mistral")


# ------------------------------------------------------------------------------ the chapter


#: What is said of a claim by what became of it, in the order of the chapter.
_BECAME: Final = {
    "matches": "What holds as the article has it: ",
    "differs": "What does not hold: ",
    "left open": "What the data leave open: ",
    "waits": "What only later months can decide: ",
    "unobserved": "What nothing of ours measures: ",
}


def _became(record: dict[str, Any]) -> str:
    """Return which of the sentences on the chapter a claim belongs to."""
    if record["status"] == "unobserved":
        return "unobserved"
    recreated = pages._word(record["recreated"])
    if str(record["recreated"].get("reason") or "").startswith("pending"):
        return "waits"
    return next(
        (name for name in ("matches", "differs") if recreated.startswith(name)), "left open"
    )


def leads() -> Html:
    """Return the answer of the chapter: all its claims by what became of them."""
    groups: dict[str, list[Html]] = {name: [] for name in _BECAME}
    for item in pages.checked("D"):
        link = safe_link(f"{item.id}.html", item.record["title"])
        groups[_became(item.record)].append(link)
    said = [
        paragraph(start, numbers.listed(groups[name]), ".")
        for name, start in _BECAME.items()
        if groups[name]
    ]
    return join([_in_front(), *said])


def _up(share: float) -> float:
    """Round an upper bound up to a tenth of a per cent, so that it stays one when written."""
    return math.ceil(round(1000 * share, 6)) / 1000


def _in_front() -> Html:
    """Return where Llama is in front by our instruments, and where it is not, as a paragraph."""
    first = tables.load("service_first")
    llama, qwen = (
        first[(first["family"] == family) & first["first"].notna()] for family in ("llama", "qwen")
    )
    weeks = tables.load("router_weeks")
    weeks = weeks[weeks["compared"]]
    most = float(weeks["makers_unlisted"].max())
    listed = tables.load("router_listed")
    seen = listed[(listed["section"] == "makers") & (listed["family"] == "llama")]
    said: list[object] = [
        "What is sold and what is used are two things. For rent, Llama is on ",
        numbers.count(len(llama), "computed"),
        f" of the {first['cloud'].nunique()} large clouds and Qwen on ",
        numbers.count(len(qwen), "computed"),
        ", by a table of their prices",
    ]
    without = sorted(set(first["title"]) - set(qwen["title"]))
    if without:
        said += [
            ", to which entries come late: that it lists no Qwen for ",
            numbers.listed(without),
            " does not prove that there is none",
        ]
    said += [". "]
    if seen.empty:
        said += [
            "Of the tokens of a router for paid services Meta, Llama's maker, has ",
            numbers.interval(None, _up(most), "share", "bounded"),
            " in each week to date that we can read: it is not among the first nine makers. ",
        ]
    said += ["What enterprises use, no source of ours counts."]
    return paragraph(*said)


def verdicts() -> Html:
    """Return the verdict table of the chapter."""
    return pages._verdicts("D")


# ------------------------------------------------------------------------------- the clouds


def _count(frame: pd.DataFrame, day: str, cloud: str, family: str) -> int:
    chosen = frame[(frame["day"] == day) & (frame["cloud"] == cloud) & (frame["family"] == family)]
    return int(chosen["models"].iloc[0])


def since_when() -> Html:
    """Return since when Llama and Qwen are on each cloud, as sentences with their intervals."""
    first = tables.load("service_first")
    parts = []
    for family in ("llama", "qwen"):
        own = first[first["family"] == family]
        told = []
        for row in own.to_dict("records"):
            if pd.isna(row["first"]):
                day = numbers.graded(numbers.format_day(row["not_by"]), "computed")
                told.append(join([f"on {row['title']} not by ", day]))
                continue
            when = numbers.graded(numbers.format_day(row["first"]), "bounded")
            after = (
                ""
                if pd.isna(row["after"])
                else f" (the table of {numbers.format_day(row['after'])} does not have it)"
            )
            told.append(join([f"on {row['title']} by ", when, after]))
        parts.append(join([f"{own['label'].iloc[0]} is seen ", numbers.listed(told), ". "]))
    return paragraph(*parts)


def offers(cloud: str = "bedrock") -> Html:
    """Return how many models of each family a cloud has on offer, by version of the table.

    Parameters
    ----------
    cloud : str
        ``bedrock``, ``azure`` or ``vertex``.
    """
    frame = tables.load("service_offers")
    own = frame[(frame["cloud"] == cloud) & frame["family"].isin(_DRAWN)]
    rows = own.rename(columns={"family": "series", "models": "value"}).reset_index(drop=True)
    last = str(rows["day"].max())
    article = str(tables.specifications(_MANAGED).iloc[0]["day"])
    now = {family: _count(frame, article, cloud, family) for family in _DRAWN}
    lead = max(now, key=lambda family: (now[family], family))
    label = dict(zip(own["family"], own["label"], strict=True))
    then = {family: _count(frame, last, cloud, family) for family in ("llama", "qwen")}
    told = "; ".join(
        f"{label[str(name)]}: "
        + ", ".join(f"{numbers.format_day(r['day'])} {r['value']}" for r in part.to_dict("records"))
        for name, part in rows.groupby("series", sort=False)
    )
    wide = rows.pivot(index="day", columns="label", values="value").reset_index()
    wide = wide[["day", *(label[family] for family in _DRAWN)]]
    title = str(own["title"].iloc[0])
    said = (
        f"For {title} the table lists {now['llama']} models of Llama and {now['qwen'] or 'none'} "
        "of Qwen at the article's day"
    )
    if lead not in ("llama", "qwen") and now[lead] > now["llama"]:
        said += f"; {label[lead]} has most, {now[lead]}"
    if then != {family: now[family] for family in ("llama", "qwen")}:
        said += f"; by {numbers.format_day(last)} {then['llama']} and {then['qwen'] or 'none'}"
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="count", measure="models listed", height=200
        ),
        id=f"services-{cloud}",
        title=said,
        subtitle=(
            "Models listed with a service in words, one with many keys counted once, by day of the "
            "price table; models past their day of retirement left out"
        ),
        alt=f"Models on {title} by day. {told}.",
        data=wide,
        columns=[Column("day"), *(Column(label[family]) for family in _DRAWN)],
        **pages._behind(_MANAGED),
    )


def first_seen() -> Html:
    """Return on which day each family is first seen on each cloud."""
    frame = tables.load("service_first")
    rows = []
    for row in frame.to_dict("records"):
        none = pd.isna(row["first"])
        rows.append(
            {
                "label": row["label"],
                "title": row["title"],
                "after": None if pd.isna(row["after"]) else numbers.format_day(row["after"]),
                "first": f"not by {numbers.format_day(row['not_by'])}"
                if none
                else numbers.graded(numbers.format_day(row["first"]), "bounded"),
                "models_first": None if none else int(row["models_first"]),
                "models_last": int(row["models_last"]),
            }
        )
    columns = [
        Column("label", "family"),
        Column("title", "cloud"),
        Column("after", "not yet in the table of"),
        Column("first", "in it by"),
        Column("models_first", "models then"),
        Column("models_last", "models in the newest"),
    ]
    shown = table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="First version of the price table that shows each family",
        stacked=True,
    )
    return Html(f"<details><summary>All families and clouds</summary>{shown}</details>")


def newest() -> Html:
    """Return when the last new model of Llama and of Qwen came to a cloud, and what retires."""
    frame = tables.load("service_models")
    parts = []
    for family in ("llama", "qwen"):
        own = frame[frame["family"] == family]
        day = str(own["first"].max())
        when = numbers.graded(numbers.format_day(day), "bounded")
        count = numbers.count(int((own["first"] == day).sum()), "computed")
        label = str(own["label"].iloc[0])
        parts.append(
            join(
                [
                    f"The last new models of {label} came by ",
                    when,
                    " (",
                    count,
                    " on all clouds together). ",
                ]
            )
        )
    retired = frame[(frame["family"] == "llama") & frame["retired"].astype("bool")]
    if len(retired):
        where = numbers.listed(sorted(set(retired["title"])))
        last = numbers.format_day(str(frame["last"].max()))
        count = numbers.count(len(retired), "computed")
        parts.append(
            join([f"By {last} ", count, " models of Llama on ", where,
                  " are past the day of retirement that the table itself gives."])
        )  # fmt: skip
    return paragraph(*parts)


def forgets() -> Html:
    """Return what vanishes from the table, and what that means for a later reading of it."""
    frame = tables.load("service_changes")
    gone, models = int(frame["gone_entries"].sum()), int(frame["gone_models"].sum())
    came = int(frame["new_entries"].sum())
    said: list[object] = [
        "From version to version ",
        numbers.count(came, "computed"),
        " entries of the three clouds came and ",
        numbers.count(gone, "computed"),
        " went. ",
    ]
    worst = frame.sort_values("gone_entries", kind="stable").iloc[-1]
    before = frame[(frame["cloud"] == worst["cloud"]) & (frame["day"] == worst["before"])]
    if int(worst["gone_entries"]) and len(before):
        said += [
            f"Most at once on {worst['title']}: of ",
            numbers.count(int(before["entries"].iloc[0]), "computed"),
            f" on {numbers.format_day(str(worst['before']))} ",
            numbers.count(int(worst["gone_entries"]), "computed"),
            f" were gone by {numbers.format_day(str(worst['day']))}. ",
        ]
    if models:
        return paragraph(
            *said,
            "Of the models of our six families ",
            numbers.count(models, "computed"),
            " went.",
        )
    listed_ = tables.load("service_models")
    retired = listed_[(listed_["family"] == "llama") & listed_["retired"].astype("bool")]
    last = numbers.format_day(str(frame["day"].max()))
    said += [
        (
            "No model of the six families that we follow ever went. So for them the table proves "
            "an arrival and hardly an end, and \u201cstill holds\u201d on later data could hardly "
            "have come out otherwise: only a day of retirement that the table itself gives takes "
            "a model away"
        ),
    ]
    if len(retired):
        said += [
            f", which by {last} it does for ",
            numbers.count(len(retired), "computed"),
            " models of Llama",
        ]
    return paragraph(*said, ".")


def by_day() -> Html:
    """Return on which days the claim on the clouds holds in every declared way, and which not."""
    frame = tables.specifications(_MANAGED)
    yes = frame["holds"] == "yes"
    day = str(frame.iloc[0]["day"])
    own = frame["day"] == day
    said: list[object] = [
        "The days weigh differently: the claim speaks of the article's own. Of that day ",
        numbers.count(int((own & yes).sum()), "computed"),
        f" of {int(own.sum())} ways hold. ",
    ]
    opened = frame[~yes]
    if opened.empty:
        return paragraph(*said)
    first, last = str(opened["day"].min()), str(opened["day"].max())
    after = frame["day"] > last
    if after.any():
        said += [
            f"From {numbers.format_day(str(frame.loc[after, 'day'].min()))} on ",
            numbers.count(int((after & yes).sum()), "computed"),
            f" of {int(after.sum())} do. ",
        ]
    said += [
        "The ",
        numbers.count(len(opened), "computed"),
        (
            f" that the table leaves open are all of versions from {numbers.format_day(first)} to "
            f"{numbers.format_day(last)}."
        ),
    ]
    return paragraph(*said)


def models() -> Html:
    """Return every model of Llama and Qwen on each cloud, with the versions that hold it."""
    frame = tables.load("service_models")
    frame = frame.sort_values(["title", "family", "first", "model"], kind="stable")
    columns = [
        Column("model"),
        Column("title", "cloud"),
        Column("label", "family"),
        Column("first", "in the table by"),
        Column("keys", "keys"),
        Column("retired", "past its retirement"),
    ]
    shown = table(
        frame.reset_index(drop=True), columns, caption="Models of Llama and Qwen on the clouds"
    )
    return Html(f"<details><summary>All {len(frame)} models by cloud</summary>{shown}</details>")


# ---------------------------------------------------------------------------- the two figures


def arithmetic(claim: str = _ENTERPRISE) -> Html:
    """Return how a figure on enterprises may have come about, marked as our inference.

    Parameters
    ----------
    claim : str
        Id of the claim.
    """
    frame = tables.load("enterprise_arithmetic")
    own = frame[frame["claim"] == claim]
    rows = [
        {
            "what": row["what"],
            "sum": numbers.graded(str(row["sum"]), "inferred", "Our reading of published parts."),
            "figures": row["figures"],
        }
        for row in own.to_dict("records")
    ]
    columns = [
        Column("what", "what is added or divided"),
        Column("sum", "in per cent, or points of it"),
        Column("figures", "from"),
    ]
    caption = "How the figure may have come about: our inference from published parts"
    return table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)


def _survey(name: str) -> Html:
    """Return a published figure as a share, marked as published."""
    known = tables.load("reference/published-figures").set_index("id")
    return numbers.percent(float(str(known.loc[name, "value"])) / 100, "published", places=0)


def _published(name: str) -> Any:
    """Return the row of a published figure."""
    return tables.load("reference/published-figures").set_index("id").loc[name]


#: What limits a statement on a document, by how we read it.
_AS_READ: Final = {
    "primary": "in a text that we read ourselves",
    "partial": "as far as we could read it",
    "secondary": "as far as we could read it, at second hand",
}


def as_read(name: str = "menlo-open-2025-end") -> Html:
    """Return how far a statement on a published document goes, by how we read it.

    Parameters
    ----------
    name : str
        Id of a published figure.
    """
    return Html(_AS_READ[str(_published(name)["read"])])


def populations() -> Html:
    """Return of what each survey figure is, as a paragraph with published numbers."""
    whom = str(_published("menlo-vendors-2025-end")["population"])
    asked = re.search(r"\b(\d+) US\b", whom)
    said: list[object] = [
        "The parts are of different things. The three vendors' ",
        _survey("menlo-vendors-2025-end"),
        (
            " are of estimated spending on interfaces to language models, and the other vendors "
            "who share the rest are not all open. The "
        ),
        _survey("menlo-open-2025-end"),
        (
            " are of a survey of the same publisher, who holds shares of one of the three. Its "
            "report of the summer before has "
        ),
        _survey("menlo-open-2025-mid"),
        " for the open part, of usage and from fewer answers. ",
    ]
    if asked:
        said += [
            "It asked ",
            numbers.count(int(asked.group(1)), "published"),
            (
                " people in the United States and nobody elsewhere, while the claim is of "
                "enterprises everywhere. "
            ),
        ]
    how = {str(_published(name)["read"]) for name in _SURVEYS}
    if "primary" not in how:
        said += [f"All this stands here {as_read('menlo-vendors-2025-end')}."]
    return paragraph(*said)


_SURVEYS: Final = ("menlo-vendors-2025-end", "menlo-open-2025-end", "menlo-open-2025-mid")


def nearly_right() -> Html:
    """Return what the survey's open part leaves for closed models, beside the stated figure."""
    frame = tables.load("enterprise_arithmetic")
    own = frame[(frame["claim"] == _ENTERPRISE) & (frame["figures"] == "menlo-open-2025-end")]
    left, stated = float(own["result"].iloc[0]), float(own["stated"].iloc[0])
    points = round(100 * abs(left - stated))
    return paragraph(
        "Whatever its origin, hold it against the survey that it leads back to: where ",
        _survey("menlo-open-2025-end"),
        " are open, about ",
        numbers.percent(left, "inferred", places=0),
        " are closed, if all the rest is. The stated ",
        numbers.percent(stated, "published", places=0),
        f" lies {pages._number(points)} point{'' if points == 1 else 's'} from that. The origin "
        "tells what the number is of; its size has to be judged by this.",
    )


def apart() -> Html:
    """Return how far apart the two reports are whose parts Llama's figure may join."""
    days = [
        date.fromisoformat(str(_published(name)["stated_on"]))
        for name in ("menlo-open-2025-mid", "menlo-open-2025-end")
    ]
    between = (days[1] - days[0]).days
    return join([numbers.count(between, "computed"), " days apart"])


def _months() -> pd.DataFrame:
    frame = tables.load("reference/openrouter-open-share-monthly")
    return frame.rename(
        columns={"date": "day", "open_share_low": "lower", "open_share_high": "upper"}
    ).sort_values("day", kind="stable")


def open_by_month() -> Html:
    """Return the open part of the router's tokens by month, as published by others."""
    frame = _months().astype({"day": "str"}).reset_index(drop=True)
    rows = frame.assign(day=frame["day"] + "-15")
    first, last = frame.iloc[0], frame.iloc[-1]
    # From the month after the last one that is not above one half for certain.
    under = frame.index[~(frame["lower"] > 0.5)]
    over = frame if under.empty else frame.loc[under[-1] + 1 :]
    crossing = (
        f"; above one half for certain from {numbers.format_day(str(over['day'].iloc[0]))} on"
        if len(over)
        else ""
    )
    told = "; ".join(
        f"{numbers.format_day(r['day'])} {numbers.format_interval(r['lower'], r['upper'], 'share')}"
        for r in frame.to_dict("records")
    )
    return figure(
        lambda width: charts.bound_area(
            rows,
            width,
            unit="share",
            measure="open models",
            mark=0.5,
            mark_label="one half",
            published=True,
        ),
        id="router-months",
        title=(
            f"On a router, open models rose from "
            f"{numbers.format_interval(first['lower'], first['upper'], 'share')} of tokens in "
            f"{numbers.format_day(str(first['day']))} to "
            f"{numbers.format_interval(last['lower'], last['upper'], 'share')} in "
            f"{numbers.format_day(str(last['day']))}{crossing}"
        ),
        subtitle=(
            "Published: part of all tokens of a month that went to models with open weights, from "
            "the low to the high bound that its authors give"
        ),
        alt=f"Open part of the router's tokens by month, as published. {told}.",
        data=frame[["day", "lower", "upper"]].assign(grade="published"),
        columns=[
            Column("day", "month", "month"),
            Column("lower", "at least", "share"),
            Column("upper", "at most", "share"),
            Column("grade"),
        ],
        note="Published by halcyonic-systems from OpenRouter's rankings, not recomputed here; the "
        "last month holds nine days. Bar: low to high bound; point: the high one.",
    )


def _comparable() -> pd.DataFrame:
    frame = tables.load("router_weeks")
    return frame[frame["compared"]].reset_index(drop=True)


def open_by_file() -> Html:
    """Return our own bounds for the open part, file by file, beside the published months."""
    own, months = _comparable(), _months().set_index("day")
    rows: list[dict[str, Any]] = []
    for row in own.to_dict("records"):
        day = str(row["day"])
        rows.append(
            {
                "label": f"Week to {numbers.format_day(day)}: ours",
                "value": None,
                "lower": row["models_open_low"],
                "upper": row["models_open_high"],
                "grade": "bounded",
            }
        )
        if day[:7] in months.index and (not rows or not any(
            r["label"].startswith(numbers.format_day(day[:7])) for r in rows
        )):  # fmt: skip
            month = months.loc[day[:7]]
            rows.append(
                {
                    "label": f"{numbers.format_day(day[:7])}, whole month: published",
                    "value": None,
                    "lower": float(str(month["lower"])),
                    "upper": float(str(month["upper"])),
                    "grade": "published",
                }
            )
    frame = pd.DataFrame(rows)
    bounded = frame[frame["grade"] == "bounded"]
    low, high = float(bounded["lower"].min()), float(bounded["upper"].max())
    told = "; ".join(
        f"{r['label']} {numbers.format_interval(r['lower'], r['upper'], 'share')}" for r in rows
    )
    line = float(
        tables.load("reference/published-figures")
        .set_index("id")
        .loc["menlo-open-2025-end", "value"]  # type: ignore[arg-type]
    )
    return figure(
        lambda width: charts.interval_rows(
            frame, width, unit="share", measure="part of all tokens", limit=1.0,
            mark=line / 100, mark_label="enterprise survey (published)",
        ),
        id="router-files",
        title=_files_title(low, high, line / 100),
        subtitle=(
            "Part of the router's tokens that went to models with open weights: at least what is "
            "listed and known as open, at most all but what is listed and known as closed"
        ),
        alt=f"Open part by file. {told}.",
        data=frame,
        columns=[
            Column("label", "what"),
            Column("lower", "at least", "share"),
            Column("upper", "at most", "share"),
            Column("grade"),
        ],
        **pages._behind(_ENTERPRISE),
    )  # fmt: skip


def _survey_open() -> float:
    return float(str(_published("menlo-open-2025-end")["value"])) / 100


def _allowing(line: float) -> tuple[int, int, int]:
    """Return how many files allow a part, by models and by makers listed, and of how many."""
    own = _comparable()
    by = [
        int(((own[f"{name}_open_low"] <= line) & (line <= own[f"{name}_open_high"])).sum())
        for name in ("models", "makers")
    ]
    return by[0], by[1], len(own)


def _files_title(low: float, high: float, line: float) -> str:
    models_, makers, files = _allowing(line)
    text = (
        "The models listed bound the open part of a week between "
        f"{numbers.format_percent(low, 0)} and {numbers.format_percent(high, 0)}"
    )
    said = numbers.format_percent(line, 0)
    if models_:
        return f"{text}: {models_} of {files} files allow the survey's {said}"
    text += f": by them no file allows the survey's {said}"
    return f"{text}, by the makers listed {makers} of {files} do" if makers else text


def neighbour() -> Html:
    """Return whether the router's months and files agree with the survey, and what that means."""
    line, months = _survey_open(), _months()
    above, below = (months["lower"] > line).all(), (months["upper"] < line).all()
    models_, makers, files = _allowing(line)
    survey = numbers.percent(line, "published", places=0)
    said: list[object] = []
    if above or below:
        said += [
            f"All published months lie {'above' if above else 'below'} the survey's ",
            survey,
            ". ",
        ]
    else:
        said += ["Not all published months lie on one side of the survey's ", survey, ". "]
    said += [
        "By the models listed ",
        numbers.count(models_, "computed"),
        f" of our {files} files allow it, by the makers listed ",
        numbers.count(makers, "computed"),
        ": what a maker offers is often both open and closed, and then bounds little. ",
    ]
    differ = above or below or models_ < files
    said += [
        "That the two differ does not refute the survey."
        if differ
        else "That the two agree does not confirm the survey.",
        (
            " Spending is not tokens and a firm is not a developer. If closed models cost more "
            "for each token, which no measure of ours shows, their part of the money is larger "
            "than their part of the tokens."
        ),
    ]
    return paragraph(*said)


def week() -> Html:
    """Return how the week of the router's counter was found, as a paragraph."""
    frame = tables.load("router_reset")
    weeks = tables.load("router_weeks")
    own = frame[frame["declared"]].iloc[0]
    nearest = frame.sort_values("distance", kind="stable").iloc[0]
    compared = weeks[weeks["compared"]]
    empty = weeks[weeks["empty"]]
    said: list[object] = [
        (
            "The counter starts again each week, and no file says when. Two files lie in weeks "
            "that follow each other, and the later gives each model's change against the whole "
            f"week before. By it the reading of {numbers.format_day(str(own['day']))} held "
        ),
        "between ",
        numbers.percent(float(own["lower"]), "computed"),
        " and ",
        numbers.percent(float(own["upper"]), "computed"),
        f" of its week, among {pages._number(int(own['models']))} models",
        "" if own["agree"] else ", which differ by more than rounding explains",
        "; by the clock that is ",
        numbers.percent(float(own["by_clock"]), "computed"),
        f" of a week that begins on {own['week_starts']}, the weekday that we declared",
        ". " if nearest["week_starts"] == own["week_starts"] else ", though another fits better. ",
        numbers.count(len(compared), "computed"),
        f" of {len(weeks)} files hold rows and are compared; the earliest was read when ",
        numbers.percent(float(compared["into_week"].min()), "computed"),
        " of its week was over. ",
    ]
    if len(empty):
        days = numbers.listed([numbers.format_day(str(day)) for day in empty["day"]])
        said += ["That of ", days, " is empty, and gives no number. "]
    apart = compared[compared["makers_tokens_low"] > compared["models_tokens_high"]]
    if len(apart):
        said += [
            "In ",
            numbers.count(len(apart), "computed"),
            (
                " of those compared the table of makers counts more tokens than the table of "
                "models, so shares of the two are never mixed."
            ),
        ]
    return paragraph(*said)


def weeks() -> Html:
    """Return the files of the router: how far each week had come, what all tokens lie between."""
    frame = tables.load("router_weeks")
    rows = []
    for row in frame.to_dict("records"):
        some = not row["empty"]

        def span(low: str, high: str, unit: str, row: Any = row, some: bool = some) -> object:
            return numbers.interval(row[low], row[high], unit, "bounded") if some else None

        rows.append(
            {
                "taken": row["taken"],
                "into_week": numbers.percent(float(row["into_week"]), "computed"),
                "models": span("models_tokens_low", "models_tokens_high", "count"),
                "makers": span("makers_tokens_low", "makers_tokens_high", "count"),
                "open": span("models_open_low", "models_open_high", "share"),
                "open_makers": span("makers_open_low", "makers_open_high", "share"),
                "compared": bool(row["compared"]),
            }
        )
    columns = [
        Column("taken", "read (UTC)"),
        Column("into_week", "of the week over"),
        Column("models", "all tokens, by models"),
        Column("makers", "all tokens, by makers"),
        Column("open", "open, by models"),
        Column("open_makers", "open, by makers"),
        Column("compared"),
    ]
    shown = table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="The router's files, tokens of the week to date",
        stacked=True,
    )
    return Html(f"<details><summary>All {len(rows)} files</summary>{shown}</details>")


def listed() -> Html:
    """Return the makers and models that the router lists, with what is known of their weights."""
    frame = tables.load("router_listed")
    frame = frame.assign(
        name=frame["model"].where(frame["model"].notna(), frame["maker"]), grade="computed"
    )
    columns = [
        Column("name", "maker or model"),
        Column("day"),
        Column("rank"),
        Column("share", unit="share"),
        Column("weights"),
        Column("grade"),
    ]
    shown = table(frame.reset_index(drop=True), columns, caption="What the router lists, by day")
    return Html(f"<details><summary>All {len(frame)} entries</summary>{shown}</details>")


def llama_days() -> Html:
    """Return the parts of Llama and Qwen in the tokens of ten days, as published by others."""
    frame = tables.load("reference/openrouter-days")
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "day": frame["day"].astype("str"),
                    "series": family,
                    "value": pd.to_numeric(frame[f"{family}_percent"]) / 100,
                }
            )
            for family in ("llama", "qwen")
        ],
        ignore_index=True,
    )
    known = rows.dropna(subset=["value"]).reset_index(drop=True)
    llama = known[known["series"] == "llama"]
    first, last = llama.iloc[0], llama.iloc[-1]
    gone = frame["llama_percent"].isna()
    since = numbers.format_day(str(frame.loc[gone, "day"].iloc[0])) if gone.any() else ""
    after = f", and is outside the first fifty from {since} on" if since else ""
    told = "; ".join(
        f"{r['series']} {numbers.format_day(r['day'])} {numbers.format_percent(r['value'], 2)}"
        for r in known.to_dict("records")
    )
    return figure(
        lambda width: charts.time_lines(known, width, unit="share", measure="part of the tokens"),
        id="router-llama",
        title=(
            f"On the router Llama fell from {numbers.format_percent(first['value'])} to "
            f"{numbers.format_percent(last['value'])} of tokens{after}"
        ),
        subtitle=(
            "Published: part of the tokens of the fifty models with most of them, on single days"
        ),
        alt=f"Parts by day, as published. {told}.",
        data=known.assign(grade="published"),
        columns=[
            Column("day"),
            Column("series", "family"),
            Column("value", "part", "share"),
            Column("grade"),
        ],
        note="Published by gemas-ia from OpenRouter's rankings, not recomputed here.",
    )


def llama_bound() -> Html:
    """Return what our files of the router say of Llama: a bound, as a paragraph."""
    frame = _comparable()
    listed_ = tables.load("router_listed")
    own = listed_[(listed_["family"] == "llama") & (listed_["section"] == "makers")]
    if len(own):
        return paragraph(
            "Llama's maker is listed on ", numbers.count(len(own), "computed"), " days."
        )
    most = float(frame["makers_unlisted"].max())
    share = [
        # Llama would itself be a part of the open part, on top of what is known of others.
        float(row["makers_unlisted"])
        / (float(row["makers_open_low"]) + float(row["makers_unlisted"]))
        for row in frame.to_dict("records")
        if float(row["makers_open_low"]) > 0
    ]
    said: list[object] = [
        "In none of our ",
        numbers.count(len(frame), "computed"),
        " files is Meta, Llama's maker, among the nine makers listed, so it has ",
        numbers.interval(None, _up(most), "share", "bounded"),
        " of the tokens of any of them: less than the ninth. ",
    ]
    if share and max(share) < 1:
        said += [
            "Of the open part alone that is ",
            numbers.interval(None, _up(max(share)), "share", "bounded"),
            ", as at least so much of it is known to be others'.",
        ]
    return paragraph(*said)


#: The router's lists by use: what their shares are of.
_USES: Final = {
    "categories_programming": "the tokens on programming",
    "languages_english": "the tokens in English",
    "programming_python": "the tokens on Python",
    "context_length": "the requests in the list by length of context",
    "tool_calls": "the calls of tools",
    "images": "the images",
}


def llama_uses() -> Html:
    """Return where Llama stands in the router's lists by use, as a paragraph."""
    frame = tables.load("router_uses")
    own = frame[frame["family"] == "llama"]
    if own.empty:
        return paragraph("In none of the router's lists by use is a model of Llama.")
    told = []
    for row in own.to_dict("records"):
        told.append(
            join(
                [
                    f"{row['model']} with ",
                    numbers.percent(float(row["share"]), "computed"),
                    f" of {_USES.get(str(row['section']), row['section'])} in the week to ",
                    f"{numbers.format_day(str(row['day']))}, rank ",
                    numbers.count(int(row["rank"]), "computed"),
                ]
            )
        )
    return paragraph(
        "The router also has lists by use, each of a count of its own. Llama has ",
        numbers.count(len(own), "computed"),
        f" entr{'y' if len(own) == 1 else 'ies'} there: ",
        numbers.listed(told),
        ". A request is no token: a small model may have many with few words in each. The list of "
        "the fastest models counts no traffic and is not read.",
    )
