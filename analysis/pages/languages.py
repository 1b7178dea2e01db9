"""What the page on languages calls: figures, tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.present import charts, numbers
from analysis.present.figure import Source, figure
from analysis.present.markup import Html, join, paragraph, safe_link
from analysis.present.strips import strips
from analysis.present.tables import Column, table

_CLAIM: Final = "multilingual"
_TASKS: Final = {
    "sentiment-classification": "sentiment",
    "named-entity-recognition": "names in a text",
    "linguistic-acceptability": "well-formed sentences",
    "reading-comprehension": "reading",
    "knowledge": "knowledge",
    "common-sense-reasoning": "common sense",
    "summarization": "summarising",
}
#: Written in Chinese characters, or beside China, against the Arena's European languages.
_EAST: Final = ("chinese", "japanese", "korean")


def _points(value: float) -> str:
    """Return a number of points with its sign, to a tenth."""
    text = f"{abs(value):.1f}"
    return text if float(text) == 0 else f"{'−' if value < 0 else '+'}{text}"


def _summary(kind: str, *, english: bool = False, task: str = "all") -> dict[str, Any]:
    frame = tables.load("language_summary")
    own = frame[(frame["kind"] == kind) & (frame["task"] == task) & (frame["english"] == english)]
    return {str(key): value for key, value in own.iloc[0].to_dict().items()}


def _day() -> str:
    return numbers.format_day(str(tables.load("language_board")["day"].max()))


def in_short() -> Html:
    """Return who is ahead outside English and in it, and against whom, as a paragraph."""
    own, english, weak, good = (
        _summary("qwen"),
        _summary("qwen", english=True),
        _summary("rival-llama"),
        _summary("qwen-rival"),
    )

    def share(row: dict[str, Any]) -> Html:
        return join(
            [
                numbers.percent(float(row["share"]), "computed", places=0),
                f" ({numbers.format_interval(row['share_lower'], row['share_upper'], 'share')})",
            ]
        )

    return paragraph(
        f"On a board of {_day()}, models of like size, month and kind: Qwen is ahead of Llama in ",
        share(own),
        f" of {own['comparisons']} comparisons of a pair in a language other than English, and in ",
        numbers.count(int(english["ahead"]), "computed"),
        f" of {english['pairs']} pairs in English as well. ",
        "Gemma and Mistral are ahead of Llama in ",
        share(weak),
        ", and Qwen is ahead of Gemma and Mistral in ",
        share(good),
        _seen(weak, good),
        *_months(),
    )


def _months() -> list[object]:
    """Return how often Qwen is ahead where it is much the newer, and in the other pairs."""
    frame = tables.load("language_pairs")
    own = frame[frame["kind"] == "qwen"]
    close = own["close_in_time"].astype("bool")
    far, near = own[~close], own[close]
    if far.empty or near.empty:
        return []

    def won(part: pd.DataFrame) -> Html:
        text = f"{int(part['ahead'].sum())} of {int(part['languages'].sum())}"
        return numbers.graded(text, "computed")

    def months(part: pd.DataFrame) -> str:
        low, high = int(part["newer_months"].min()), int(part["newer_months"].max())
        if low >= 0:
            return f"{low} to {high} months newer" if low < high else f"{low} months newer"
        if high <= 0:
            return f"{-high} to {-low} months older" if low < high else f"{-low} months older"
        return f"{-low} months older to {high} months newer"

    return [
        f" In {len(far)} of the {len(own)} pairs Qwen is {months(far)} than Llama, and ahead in ",
        won(far),
        f" comparisons there; in the other {len(near)}, where it is {months(near)}, in ",
        won(near),
        ".",
    ]


def _seen(weak: dict[str, Any], good: dict[str, Any]) -> str:
    """Return what the controls say, as far as their intervals bear it."""
    behind, even = weak["share_lower"] > 0.5, good["share_lower"] <= 0.5 <= good["share_upper"]
    if behind and even:
        return ": Llama is behind the others too, and Qwen and the others are not told apart."
    return ", so that Llama is behind the others too." if behind else "."


def pairs() -> Html:
    """Return the differences of each pair of Qwen and Llama by language."""
    means = tables.load("language_pairs")
    means = means[means["kind"] == "qwen"]
    # From small to large, by the larger of the two.
    means = means.assign(size=means[["billions_a", "billions_b"]].max(axis=1))
    means = means.sort_values(["size", "pair"], kind="stable").reset_index(drop=True)
    means["value"] = means["difference"]
    means["text"] = [
        f"{won} of {of}" for won, of in zip(means["ahead"], means["languages"], strict=True)
    ]
    dots = tables.load("language_differences")
    dots = dots[dots["pair"].isin(means["pair"])].reset_index(drop=True)
    dots["value"], dots["apart"] = dots["difference"], dots["language"] == "english"
    rule = means["size"] < 10
    small, large = means[rule], means[~rule]
    said = "; ".join(
        f"{label}: ahead in {text} languages, mean {_points(float(mean))} points"
        for label, text, mean in zip(means["label"], means["text"], means["value"], strict=True)
    )
    counts = [
        f"{int(part['ahead'].sum())} of {int(part['languages'].sum())}" for part in (small, large)
    ]
    return figure(
        lambda width: strips(
            means, dots, width, measure="Qwen less Llama, points",
            ends=("Llama ahead", "Qwen ahead"),
        ),
        id="languages-pairs",
        title=(
            f"Outside English Qwen is ahead in {counts[0]} comparisons below ten billion "
            f"parameters, and in {counts[1]} above"
        ),
        subtitle=(
            "Each dot a language other than English, the square English: mean difference of all "
            f"tasks that both ran, points, Qwen without thinking; EuroEval, {_day()}"
        ),
        alt=f"By pair, from small to large, languages other than English. {said}.",
        data=means.round(1)[
            ["label", "languages", "ahead", "difference", "lower", "upper", "english",
             "english_tasks", "grade"]
        ],
        columns=[
            Column("label", "pair"),
            Column("languages"),
            Column("ahead", "Qwen ahead in"),
            Column("difference", "mean, points"),
            Column("lower", "from"),
            Column("upper", "to"),
            Column("english", "in English"),
            Column("english_tasks", "tasks in English"),
            Column("grade"),
        ],
        note="Tick: the mean outside English; bar: 95 % of draws of languages and tasks. At the "
        "right: languages with Qwen ahead. A square can rest on one or two tasks.",
        **pages._behind(_CLAIM),
    )  # fmt: skip


def _counted(counts: pd.Series) -> str:
    return numbers.listed(str(int(count)) for count in counts)


def controls() -> Html:
    """Return how often each side is ahead when the rivals stand in for one of the two."""
    frame = tables.load("language_summary")
    rows = frame[
        (frame["task"] == "all") & ~frame["english"].astype("bool") & (frame["kind"] != "mixed")
    ].reset_index(drop=True)
    rows = rows.assign(
        label=rows["title"],
        value=rows["share"],
        lower=rows["share_lower"],
        upper=rows["share_upper"],
    )
    said_share = {
        str(kind): numbers.format_percent(float(value), 0)
        for kind, value in zip(rows["kind"], rows["value"], strict=True)
    }
    said = "; ".join(
        f"{label}, {numbers.format_percent(float(value), 0)}"
        for label, value in zip(rows["label"], rows["value"], strict=True)
    )
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="share", measure="comparisons in which the first is ahead",
            mark=0.5, mark_label="even", limit=1.0,
        ),
        id="languages-controls",
        title=(
            f"Qwen is ahead of Llama in {said_share['qwen']} of comparisons, Gemma and Mistral in "
            f"{said_share['rival-llama']}; Qwen is ahead of those two in {said_share['qwen-rival']}"
        ),
        subtitle=(
            "Share of comparisons outside English in which the first is ahead, by any margin, over "
            f"{_counted(rows['comparisons'])} comparisons; EuroEval, {_day()}"
        ),
        alt=f"Share of comparisons in which the first is ahead. {said}.",
        data=rows.assign(difference=rows["difference"].round(1))[
            ["title", "pairs", "comparisons", "ahead", "value", "lower", "upper", "difference",
             "grade"]
        ],
        columns=[
            Column("title", "first against second"),
            Column("pairs"),
            Column("comparisons"),
            Column("ahead", "first ahead"),
            Column("value", "share", "share"),
            Column("lower", "from", "share"),
            Column("upper", "to", "share"),
            Column("difference", "mean, points"),
            Column("grade"),
        ],
        note="Bars: 95 % of draws of pairs and languages.",
        **pages._behind(_CLAIM),
    )  # fmt: skip


def tasks() -> Html:
    """Return each task: how often Qwen is ahead of Llama, and by how much."""
    frame = tables.load("language_summary")
    own = frame[(frame["kind"] == "qwen") & ~frame["english"].astype("bool")]
    own = own[own["task"] != "all"].sort_values("share", ascending=False, kind="stable")
    rows = own.assign(
        task=[_TASKS.get(str(name), str(name)) for name in own["task"]],
        won=[f"{won} of {of}" for won, of in zip(own["ahead"], own["comparisons"], strict=True)],
        part=[
            f"{numbers.format_percent(float(share), 0)} "
            f"({numbers.format_interval(float(low), float(high), 'share')})"
            for share, low, high in zip(
                own["share"], own["share_lower"], own["share_upper"], strict=True
            )
        ],
        mean=[
            f"{_points(float(mean))} ({_points(float(low))} to {_points(float(high))})"
            for mean, low, high in zip(own["difference"], own["lower"], own["upper"], strict=True)
        ],
    ).reset_index(drop=True)
    columns = [
        Column("task"),
        Column("won", "Qwen ahead"),
        Column("part", "share"),
        Column("mean", "mean, points"),
        Column("grade"),
    ]
    first, last = rows.iloc[0], rows.iloc[-1]
    lead = paragraph(
        f"Qwen is most often ahead in {first['task']} (",
        numbers.percent(float(first["share"]), "computed", places=0),
        f") and least often in {last['task']} (",
        numbers.percent(float(last["share"]), "computed", places=0),
        ").",
    )
    shown = table(
        rows, columns, caption="Qwen against Llama outside English, by task", stacked=True
    )
    return join([lead, shown])


def left_out() -> Html:
    """Return who is ahead when one task is left out, as a sentence and a table."""
    frame = tables.load("language_left_out").fillna({"pair": "", "left_out": ""})
    cells: dict[tuple[str, str, str], dict[Any, Any]] = {
        (str(row["kind"]), str(row["pair"]), str(row["left_out"])): row
        for row in frame.to_dict("records")
    }
    means = tables.load("language_pairs")
    known = means.loc[means["known"].astype("bool") & (means["kind"] == "qwen"), "pair"]
    chosen = [(str(kind), "") for kind in dict.fromkeys(frame["kind"]) if kind != "mixed"]
    chosen += [("qwen", str(name)) for name in known]

    def share(kind: str, task: str) -> str:
        return numbers.format_percent(float(cells[kind, "", task]["share"]), 0)

    def won(pair: str, task: str) -> str:
        row = cells["qwen", pair, task]
        return f"{int(row['ahead'])} of {int(row['comparisons'])}"

    tasks = [str(task) for task in dict.fromkeys(frame["left_out"]) if task]
    rows = [
        {
            "task": _TASKS.get(task, task) if task else "none",
            **{
                str(n): won(pair, task) if pair else share(kind, task)
                for n, (kind, pair) in enumerate(chosen)
            },
            "grade": "computed",
        }
        for task in ["", *tasks]
    ]
    columns = [
        Column("task", "task left out"),
        *(Column(str(n), str(cells[kind, pair, ""]["title"]))
          for n, (kind, pair) in enumerate(chosen)),
        Column("grade"),
    ]  # fmt: skip

    def moves(kind: str, pair: str, task: str) -> float:
        return abs(float(cells[kind, pair, task]["share"]) - float(cells[kind, pair, ""]["share"]))

    # The task that moves the comparison with others most is the one told.
    most = max(tasks, key=lambda task: moves("qwen-rival", "", task))
    told: list[object] = [f"Without {most.replace('-', ' ')} "]
    for kind, text in (
        ("qwen", "Qwen is ahead of Llama in "),
        ("qwen-rival", "; of Gemma and Mistral in "),
    ):
        told += [
            text,
            numbers.graded(share(kind, most), "computed"),
            f" of comparisons, with it in {share(kind, '')}",
        ]
    own = [pair for _, pair in chosen if pair]
    if own:
        moved = max(own, key=lambda pair: moves("qwen", pair, most))
        told += [
            f"; {cells['qwen', moved, '']['title']}: ahead in ",
            numbers.graded(won(moved, most), "computed"),
            f" languages, with it in {won(moved, '')}",
        ]
    told.append(". This was looked at after the first run, and is no choice of the grid.")
    shown = table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="How often the first is ahead outside English, with one task left out",
        stacked=True,
    )
    return join([paragraph(*told), shown])


def by_hand() -> Html:
    """Return the pairs known beforehand, with and without thin comparisons, as sentences."""
    frame = tables.load("language_pairs")
    known = frame[frame["known"].astype("bool")]
    parts: list[object] = []
    for row in known.to_dict("records"):
        parts += [
            f"{row['label']}: ahead in ",
            numbers.count(int(row["ahead"]), "computed"),
            f" of {row['languages']} languages",
        ]
        if row["thick_languages"] != row["languages"]:
            parts.append(
                f" ({row['thick_ahead']} of {row['thick_languages']} without the thin ones)"
            )
        parts.append(f", by {_points(float(row['difference']))} points in the mean. ")
    return paragraph(*parts)


def all_pairs() -> Html:
    """Return every declared pair that was run in enough languages, with its sign test."""
    frame = tables.load("language_pairs")
    titles = tables.load("language_summary").drop_duplicates("kind").set_index("kind")["title"]
    rows = [
        {
            "kind": titles[row["kind"]],
            "label": row["label"],
            "won": f"{row['ahead']} of {row['languages']}",
            "clear": f"{row['clearly_ahead']} and {row['clearly_behind']}",
            "p": "below 0.001" if row["sign_p"] < 0.001 else f"{row['sign_p']:.3f}",
            "mean": f"{_points(row['difference'])} "
            f"({_points(row['lower'])} to {_points(row['upper'])})",
            "english": f"{_points(row['english'])} "
            f"({_points(row['english_lower'])} to {_points(row['english_upper'])}), "
            f"{row['english_tasks']} task{'' if row['english_tasks'] == 1 else 's'}",
        }
        for row in frame.to_dict("records")
    ]
    columns = [
        Column("kind", "what against what"),
        Column("label", "pair"),
        Column("won", "first ahead"),
        Column("clear", "clearly ahead and behind"),
        Column("p", "sign test, p"),
        Column("mean", "mean, points"),
        Column("english", "English, points"),
    ]
    shown = table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="All declared pairs, languages other than English (computed)",
        stacked=True,
    )
    return Html(f"<details><summary>All {len(rows)} pairs</summary>{shown}</details>")


def arena() -> Html:
    """Return the Arena's differences by pair and language, style-controlled and raw."""
    frame = tables.load("language_arena")
    day = numbers.format_day(str(frame["day"].max()))
    own = frame[frame["style_controlled"].astype("bool")].reset_index(drop=True)
    single = own[~own["category"].isin(["english", "non_english"])]
    east = single["category"].isin(_EAST)
    won = single["difference"] > 0
    raw = frame[~frame["style_controlled"].astype("bool")].set_index(["a", "b", "category"])
    order = [*dict.fromkeys(single["category"]), "english"]
    dots = own[own["category"] != "non_english"].assign(apart=False)
    dots = dots.rename(columns={"difference": "value", "category": "label"})
    dots["label"] = [str(name).capitalize() for name in dots["label"]]
    means = []
    for name in order:
        part = own[own["category"] == name]
        means.append(
            {
                "label": name.capitalize(),
                "value": float(part["difference"].mean()),
                "lower": float("nan"),
                "upper": float("nan"),
                "text": f"{int((part['difference'] > 0).sum())} of {len(part)}",
            }
        )
    listed = pd.DataFrame(means).sort_values("value", ascending=False, kind="stable")
    listed = listed.reset_index(drop=True)
    data = own.assign(
        raw=[
            float(raw.loc[(row["a"], row["b"], row["category"]), "difference"])
            for row in own.to_dict("records")
        ]
    ).round(1)
    said = "; ".join(f"{row['label']}: {row['text']}" for row in listed.to_dict("records"))
    return figure(
        lambda width: strips(
            listed, dots, width, measure="rating of Qwen less Llama, points",
            ends=("Llama ahead", "Qwen ahead"),
        ),
        id="languages-arena",
        title=(
            f"In the Arena Qwen is ahead in {int(won[east].sum())} of {int(east.sum())} "
            f"comparisons in Chinese, Japanese and Korean, and in {int(won[~east].sum())} of "
            f"{int((~east).sum())} in European languages other than English"
        ),
        subtitle=(
            "Each dot a pair: difference of ratings by votes on answers, style-controlled; file of "
            f"{day}, after the article"
        ),
        alt=f"Pairs with Qwen ahead in the Arena, by language. {said}.",
        data=data[
            ["a", "b", "category", "difference", "lower", "upper", "raw", "votes_a", "votes_b",
             "grade"]
        ],
        columns=[
            Column("a", "Qwen"),
            Column("b", "Llama"),
            Column("category", "language"),
            Column("difference", "style-controlled"),
            Column("lower", "from"),
            Column("upper", "to"),
            Column("raw", "as given"),
            Column("votes_a", "votes, Qwen"),
            Column("votes_b", "votes, Llama"),
            Column("grade"),
        ],
        note="Tick: the mean of the pairs. Ratings hold inside this one file; voters chose "
        "themselves, and their prompts differ by language.",
        sources=[
            Source(name, "", pages.version_address(name))
            for name in sorted(set(frame["version"].astype("str")))
        ],
    )  # fmt: skip


def start() -> Html:
    """Return what the makers wrote of languages, by release, with line and day."""
    frame = tables.load("language_statements")
    links = {
        str(item["name"]): str(item.get("url") or "")
        for item in pages.claim(_CLAIM).record["inputs"]
    }
    label = {"qwen": "Qwen", "llama": "Llama"}
    rows = []
    for row in frame.to_dict("records"):
        named, stated = str(row["named"] or "") if not pd.isna(row["named"]) else "", row["stated"]
        known = not pd.isna(stated)
        what = str(row["says"])
        if named and int(stated) <= 2:
            what += " " + " and ".join(named.split(", "))
        rows.append(
            {
                "day": row["day"],
                "family": label.get(str(row["family"]), str(row["family"])),
                "release": str(row["release"]),
                "stated": numbers.count(int(stated), row["grade"]) if known else "none stated",
                "says": f"{what} {int(stated)} languages{_besides(row)}"
                if known and int(stated) > 2
                else what,
                "line": safe_link(
                    links.get(str(row["version"]), ""), f"line {row['line']}"
                ),
            }
        )  # fmt: skip
    columns = [
        Column("day", "release", "day"),
        Column("family"),
        Column("release", "generation"),
        Column("stated", "languages"),
        Column("says", "what the text says, in our words"),
        Column("line", "where"),
    ]
    return table(
        pd.DataFrame(rows, dtype=object),
        columns,
        caption="What the makers wrote of languages at each release",
        stacked=True,
    )


def _besides(row: Mapping[Any, Any]) -> str:
    """Return the languages that a number leaves out, as the end of a clause."""
    names = "" if pd.isna(row["besides"]) else str(row["besides"])
    return f" besides {' and '.join(names.split(', '))}" if names else ""


def since() -> Html:
    """Return what was there at the start, and since when each family names more, as sentences."""
    frame = tables.load("language_statements")
    parts: list[object] = []
    for family, name in (("qwen", "Qwen"), ("llama", "Llama")):
        every = frame[frame["family"] == family]
        own, cutting = (every[every["about"] == about] for about in ("model", "tokenizer"))
        first = own[(own["release"] == own["release"].iloc[0]) & own["named"].fillna("").ne("")]
        many = own[own["stated"].fillna(0) > 2].iloc[0]
        front = " and ".join(str(first["named"].iloc[0]).split(", "))
        begun, more = (numbers.format_day(str(row["day"])) for row in (own.iloc[0], many))
        parts.append(f"The first texts of {name} ({begun}) name {front}; ")
        cut = cutting[(cutting["release"] == own["release"].iloc[0]) & cutting["stated"].notna()]
        if len(cut):
            parts += [
                "of the tokenizer they say that it compresses well ",
                numbers.count(int(cut["stated"].iloc[0]), str(cut["grade"].iloc[0])),
                " more that they list; ",
            ]
        parts += [
            "the first to name more as trained on or supported is that of ",
            f"{many['release']} ({more}), with ",
            numbers.count(int(many["stated"]), str(many["grade"])),
            f" languages{_besides(many.to_dict())}. ",
        ]
    return paragraph(*parts)


def board() -> Html:
    """Return what was kept of the table of each language, and what was left out."""
    frame = tables.load("language_board")
    columns = [
        Column("language"),
        Column("models", "models kept"),
        Column("left_out", "rows of other splits or prompts"),
        Column("tasks"),
        Column("datasets", "data sets"),
        Column("pairs", "pairs of Qwen and Llama"),
        Column("grade"),
    ]
    shown = table(frame, columns, caption=f"Tables of the board, {_day()}")
    return Html(
        f"<details><summary>The {len(frame)} languages of the board</summary>{shown}</details>"
    )
