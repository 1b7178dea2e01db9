"""What the pages on clouds, routers and enterprises call, and the opening of their chapter."""

from __future__ import annotations

import math
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


def leads() -> Html:
    """Return the answer of the chapter: the claims by what became of them."""
    answers = {
        "matches": "What holds as the article has it: ",
        "differs": "What does not hold: ",
        "not checkable": "What the data leave open, or nothing of ours measures: ",
    }
    said = []
    for verdict, start in answers.items():
        told = [
            safe_link(f"{item.id}.html", item.record["title"])
            for item in pages.checked("D")
            if pages._word(item.record["recreated"]).startswith(verdict)
        ]
        if told:
            said.append(paragraph(start, numbers.listed(told), "."))
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
        ", by a table of their prices. ",
    ]
    if seen.empty:
        said += [
            "Of the tokens of a router for paid services Llama has ",
            numbers.interval(None, _up(most), "share", "bounded"),
            " on each day that we can read: its maker is not among the first nine. ",
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
        f"{title} offers {now['llama']} models of Llama and {now['qwen'] or 'none'} of Qwen at the "
        "article's day"
    )
    if lead not in ("llama", "qwen") and now[lead] > now["llama"]:
        said += f"; {label[lead]} has most, {now[lead]}"
    if then != {family: now[family] for family in ("llama", "qwen")}:
        said += f"; by {numbers.format_day(last)} {then['llama']} and {then['qwen'] or 'none'}"
    return figure(
        lambda width: charts.time_lines(
            rows, width, unit="count", measure="models on offer", height=200
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
    """Return how seldom entries vanish from the table, as a paragraph."""
    frame = tables.load("service_changes")
    gone, models = int(frame["gone_entries"].sum()), int(frame["gone_models"].sum())
    came = int(frame["new_entries"].sum())
    rest = "none" if not models else numbers.count(models, "computed")
    return paragraph(
        "From version to version ",
        numbers.count(came, "computed"),
        " entries of the three clouds came and ",
        numbers.count(gone, "computed"),
        " went; of the models of our six families, ",
        rest,
        " went. A table that seldom forgets proves a presence less well than an arrival.",
    )


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


def populations() -> Html:
    """Return of what each survey figure is, as a paragraph with published numbers."""
    return paragraph(
        "The parts are of different things. The three vendors' ",
        _survey("menlo-vendors-2025-end"),
        " are of estimated spending on interfaces to language models, and the other vendors who "
        "share the rest are not all open. The ",
        _survey("menlo-open-2025-end"),
        " are of a survey of the same publisher, who holds shares of one of the three. Its report "
        "of the summer before has ",
        _survey("menlo-open-2025-mid"),
        " for the open part, of usage and from fewer answers.",
    )


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
    over = frame[frame["lower"] > 0.5]
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
            rows, width, unit="share", measure="open models", mark=0.5, mark_label="one half"
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
        title=(
            "Nine listed models bound the open part of a week between "
            f"{numbers.format_percent(low, 0)} and {numbers.format_percent(high, 0)}: no file "
            f"allows the survey's {numbers.format_percent(line / 100, 0)}"
            if low > line / 100
            else "Nine listed models leave the open part of a week between "
            f"{numbers.format_percent(low, 0)} and {numbers.format_percent(high, 0)}"
        ),
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
        numbers.interval(own["lower"], own["upper"], "share", "bounded"),
        f" of its week ({int(own['models'])} models); by the clock that is ",
        numbers.percent(float(own["by_clock"]), "computed"),
        f" of a week that begins on {own['week_starts']}, the weekday that we declared",
        ". " if nearest["week_starts"] == own["week_starts"] else ", though another fits better. ",
        numbers.count(len(compared), "computed"),
        f" of {len(weeks)} files were read when their week was nearly over. ",
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
                " of them the table of makers counts more tokens than the table of models, so "
                "shares of the two are never mixed."
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
    frame = frame.assign(name=frame["model"].where(frame["model"].notna(), frame["maker"]))
    columns = [
        Column("name", "maker or model"),
        Column("day"),
        Column("rank"),
        Column("share", unit="share"),
        Column("weights"),
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
        " files is Meta among the nine makers listed, so Llama has ",
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
