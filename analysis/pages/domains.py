"""What the pages on derivatives for professions call: finished figures and tables."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from analysis import tables
from analysis.pages import _behind, listing
from analysis.present import charts, matrix, numbers
from analysis.present.figure import figure
from analysis.present.markup import Html, join, paragraph
from analysis.present.tables import Column, table

_CLAIM: Final = "domain-derivatives"
_OWN: Final = "Qwen"
_RIVAL: Final = "Llama"
_ALL: Final = "all bases"
_ANY: Final = "any of the five professions"
_LABELLED: Final = (
    "One reader set every label in one sitting: a language model, one of the makers of this "
    "record. It saw the name, the tags and an excerpt of a generated summary of the card. Nobody "
    "has labelled a repository a second time, so how often a second reader would agree is not "
    "known. Of "
)


def _counts(**where: Any) -> pd.DataFrame:
    frame = tables.load("domain_counts")
    for name, value in {"base": "with-reuploads", **where}.items():
        frame = frame[frame[name] == value]
    return frame.reset_index(drop=True)


def _domains(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["domain"] != _ANY].reset_index(drop=True)


def _any(source: str, family: str) -> dict[str, Any]:
    frame = _counts(source=source, family=family, domain=_ANY)
    return {str(name): value for name, value in frame.iloc[0].items()}


def _whole(value: float) -> str:
    return f"{int(value):,}"


def found() -> Html:
    """Return how many derivatives of Qwen we read and found made for each domain."""
    frame = _domains(_counts(source="tree", family=_OWN))
    rows = pd.DataFrame(
        {
            "label": [
                f"{r['domain']}, from {_whole(r['read_accounts'])} accounts"
                for r in frame.to_dict("records")
            ],
            "value": frame["read"],
            "lower": frame["read_sure"],
            "upper": frame["read"],
            "grade": "computed",
        }
    )
    line = float(frame["line"].iloc[0])
    fewest = frame.sort_values(["read_sure", "domain"], kind="stable").iloc[0]
    day = numbers.format_day(str(frame["day"].iloc[0]))
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="repositories", measure="repositories", mark=line,
            mark_label=f"line: {_whole(line)}",
        ),
        id="domains-found",
        title=(
            f"Derivatives of Qwen are found for all {len(frame)} domains; fewest for "
            f"{fewest['domain']}: {_whole(fewest['read_sure'])} certain, "
            f"{_whole(fewest['read'])} from {_whole(fewest['read_accounts'])} accounts in all"
        ),
        subtitle=(
            "Derivatives of Qwen labelled as made for the domain in the tree of "
            f"{day}; from those without a doubt to all"
        ),
        alt="; ".join(
            f"{r['domain']} {_whole(r['read_sure'])} to {_whole(r['read'])}"
            for r in frame.to_dict("records")
        )
        + ".",
        data=frame[
            [
                "domain", "read_sure", "read", "read_accounts", "read_largest_account",
                "read_fetched_ten", "words", "without_copies", "new_words", "estimated_lower",
                "estimated", "estimated_upper",
            ]
        ],
        columns=[
            Column("domain"),
            Column("read_sure", "read and sure"),
            Column("read", "read, with the uncertain"),
            Column("read_accounts", "from accounts"),
            Column("read_largest_account", "of them by the largest account"),
            Column("read_fetched_ten", "fetched ten times or more"),
            Column("words", "found by the words"),
            Column("without_copies", "without quantised copies"),
            Column("new_words", "with words that the base's name lacks"),
            Column("estimated_lower", "estimated from the labels alone, from"),
            Column("estimated", "estimate"),
            Column("estimated_upper", "to"),
        ],
        **_behind(_CLAIM),
        note="A lower bound for the tree: all that the words find was labelled, and of the rest "
        "a sample.",
    )  # fmt: skip


def lines() -> Html:
    """Return in how many domains derivatives of Qwen are present under other lines."""
    columns = [
        Column("line", "derivatives that a domain needs"),
        Column("declared"),
        Column("repository_sure", "domains, of those we were sure of"),
        Column("repository_all", "domains, with the uncertain"),
        Column("account_sure", "domains, each account once, sure"),
        Column("account_all", "domains, each account once, all"),
    ]
    return listing(
        "domain_lines", "Domains present, by how many derivatives a domain needs", columns
    )


def small() -> Html:
    """Return how small the numbers are against all derivatives of Qwen."""
    frame = _domains(_counts(source="tree", family=_OWN))
    five = _any("tree", _OWN)
    heavy = frame[frame["domain"] != "code"].sort_values(
        "read_largest_account", ascending=False, kind="stable"
    )
    most = heavy.iloc[0]
    part = float(five["read"]) / float(five["derivatives"])
    return paragraph(
        join(
            [
                "Small numbers all the same. Of ",
                numbers.count(float(five["derivatives"]), "computed"),
                " derivatives of Qwen in the tree (",
                numbers.count(float(five["derivatives"]) - float(five["in_week"]), "computed"),
                " of them older than its last week) we found ",
                numbers.count(float(five["read"]), "computed"),
                " made for one of the five professions, ",
                numbers.percent(part, "computed"),
                ", from ",
                numbers.count(float(five["read_accounts"]), "computed"),
                " accounts; ",
                numbers.count(float(five["read_fetched_ten"]), "computed"),
                " of them were fetched ten times or more in thirty days. Of those for ",
                str(most["domain"]),
                " one account alone published ",
                numbers.count(float(most["read_largest_account"]), "computed"),
                " of ",
                numbers.count(float(most["read"]), "computed"),
                ".",
            ]
        )
    )


def _matrix(source: str, id: str, title: str, subtitle: str, note: str) -> Html:
    value = "read" if source == "tree" else "words"
    frame = _domains(_counts(source=source))
    frame = frame[frame["family"] != _ALL].reset_index(drop=True)
    rows = pd.DataFrame({"row": frame["domain"], "column": frame["family"], "value": frame[value]})
    order = list(dict.fromkeys(frame["domain"]))
    rows = rows.sort_values("row", key=lambda own: own.map(order.index), kind="stable").reset_index(
        drop=True
    )
    columns = [
        Column("domain"),
        Column("family", "base of"),
        Column("derivatives", "derivatives in all"),
        Column("words", "found by the words"),
        Column("share", "of all", "share"),
        Column("without_copies", "without quantised copies"),
        Column("accounts", "accounts of those found"),
    ]
    if source == "tree":
        columns += [
            Column("read_sure", "made for it, and we were sure"),
            Column("read", "made for it"),
            Column("read_fetched_ten", "made for it and fetched ten times"),
        ]
    own = {
        str(family): int(part[value].sum()) for family, part in frame.groupby("family", sort=True)
    }
    return figure(
        lambda width: matrix.dots(rows, width),
        id=id,
        title=title,
        subtitle=subtitle,
        alt="All domains together, a repository in two counted twice: "
        + "; ".join(f"{name} {count:,}" for name, count in own.items())
        + ".",
        data=frame[[column.name for column in columns]],
        columns=columns,
        **_behind(_CLAIM),
        note=note,
    )  # fmt: skip


def _verb(own: float, rival: float) -> str:
    return "more" if own > rival else "fewer" if own < rival else "as many"


def families() -> Html:
    """Return Qwen beside its rivals in the tree of August 2026."""
    own, rival = _any("tree", _OWN), _any("tree", _RIVAL)
    day = numbers.format_day(str(own["day"]))
    return _matrix(
        "tree",
        "domains-families",
        f"In the tree of August 2026 {_whole(own['read'])} derivatives of Qwen are made for the "
        f"five professions, {_whole(rival['read'])} of Llama",
        f"Derivatives labelled as made for the domain, by whose base, {day}",
        "Every match of the words was labelled, whatever its base; what they miss is not in it.",
    )


def before() -> Html:
    """Return the same words on the edge list of June 2025."""
    own, rival = _any("edges", _OWN), _any("edges", _RIVAL)
    day = numbers.format_day(str(own["day"]))
    return _matrix(
        "edges",
        "domains-before",
        f"In June 2025 the same words found {_verb(own['words'], rival['words'])} derivatives for "
        f"the five professions on Qwen than on Llama: {_whole(own['words'])} against "
        f"{_whole(rival['words'])}",
        f"Derivatives whose name has a word of the domain, by whose base, in an edge list of {day}",
        "Names alone, repositories with ten downloads or more; how often the words are right was "
        "not measured there. A count of the whole stock, not of new repositories.",
    )


def by_share() -> Html:
    """Return how much of each family's derivatives is for the professions, then and now."""
    own, rival, every = (_any("tree", name) for name in (_OWN, _RIVAL, _ALL))
    then = [_any("edges", name) for name in (_OWN, _RIVAL, _ALL)]
    now = [float(one["read"]) / float(one["derivatives"]) for one in (own, rival, every)]
    part = float(own["read"]) / float(every["read"])
    whole = float(own["derivatives"]) / float(every["derivatives"])
    return paragraph(
        join(
            [
                "Counts follow the size of a family. In August 2026 we found a profession in ",
                numbers.percent(now[0], "computed"),
                " of Qwen's derivatives, in ",
                numbers.percent(now[1], "computed"),
                " of Llama's and in ",
                numbers.percent(now[2], "computed"),
                " of all; in June 2025 the words, in names alone, in ",
                numbers.percent(float(then[0]["share"]), "computed"),
                ", ",
                numbers.percent(float(then[1]["share"]), "computed"),
                " and ",
                numbers.percent(float(then[2]["share"]), "computed"),
                ". Of all that we found for the professions in August 2026 Qwen holds ",
                numbers.percent(part, "computed"),
                "; of all derivatives it holds ",
                numbers.percent(whole, "computed"),
                ".",
            ]
        )
    )


def shares() -> Html:
    """Return the share of each family's derivatives that the words find for five professions."""
    frame = tables.load("domain_counts")
    kept = (frame["domain"] == _ANY) & (frame["base"] == "with-reuploads")
    frame = frame[kept & (frame["source"] != "cut")]
    frame = frame.sort_values(["source", "share"], ascending=[False, False], kind="stable")
    words = {"tree": "August 2026, name or tags", "edges": "June 2025, name"}
    shown = frame.assign(where=frame["source"].map(words)).reset_index(drop=True)
    columns = [
        Column("where"),
        Column("family", "base of"),
        Column("derivatives", "derivatives in all"),
        Column("words", "found for any of the five"),
        Column("share", "of all", "share"),
        Column("accounts"),
        Column("largest_account", "by the largest account"),
    ]
    return table(
        shown[[c.name for c in columns]],
        columns,
        caption="Part of each family's derivatives that the words find for the five professions",
    )


def trust() -> Html:
    """Return precision and recall of the words, on the half of the sample that was held out."""
    frame = tables.load("domain_quality")
    kept = frame["decides"] & (frame["fields"] == "name-or-tags")
    frame = frame[kept & (frame["unsure"] == "as labelled")].reset_index(drop=True)
    rows = []
    for record in frame.to_dict("records"):
        for name, word in (
            ("precision", "right of what is found"),
            ("recall", "found of what is there"),
        ):
            rows.append(
                {
                    "label": f"{record['domain']}: {word} "
                    f"({record[f'{name}_hits']} of {record[f'{name}_of']} read)",
                    "value": record[name],
                    "lower": record[f"{name}_lower"],
                    "upper": record[f"{name}_upper"],
                    "grade": "computed",
                }
            )
    drawn = pd.DataFrame(rows)
    worst = frame.sort_values(["precision", "domain"], kind="stable").iloc[0]
    best = frame.sort_values(["precision", "domain"], kind="stable").iloc[-1]
    return figure(
        lambda width: charts.interval_rows(drawn, width, unit="share", measure="share", limit=1.0),
        id="domains-trust",
        title=(
            f"Of the matches held out {_whole(best['precision_hits'])} of "
            f"{_whole(best['precision_of'])} were right for {best['domain']}, "
            f"{_whole(worst['precision_hits'])} of {_whole(worst['precision_of'])} for "
            f"{worst['domain']}"
        ),
        subtitle="Precision and recall of the words in name and tags, estimated from the half of "
        "the labelled sample that was held out and looked at once; bars hold the truth in about "
        "95 of 100 samples",
        alt="; ".join(
            f"{r['domain']} precision {numbers.format_percent(r['precision'], 0)}, recall "
            f"{numbers.format_percent(r['recall'], 0)}"
            for r in frame.to_dict("records")
        )
        + ".",
        data=tables.load("domain_quality")[
            [
                "domain", "fields", "part", "unsure", "precision", "precision_lower",
                "precision_upper", "precision_of", "recall", "recall_lower", "recall_upper",
                "recall_of",
            ]
        ],
        columns=[
            Column("domain"),
            Column("fields", "words looked for in"),
            Column("part", "half of the sample"),
            Column("unsure", "uncertain labels taken"),
            Column("precision", unit="share"),
            Column("precision_lower", "from", "share"),
            Column("precision_upper", "to", "share"),
            Column("precision_of", "matches read"),
            Column("recall", unit="share"),
            Column("recall_lower", "from", "share"),
            Column("recall_upper", "to", "share"),
            Column("recall_of", "true ones read"),
        ],
        **_behind(_CLAIM),
        note="Each labelled repository stands for its stratum, so one in a large stratum weighs "
        "much; the intervals take the effective size.",
    )  # fmt: skip


def in_full() -> Html:
    """Return how often the words were right where every match was read."""
    frame = tables.load("domain_precision")
    frame = frame[frame["family"] == _ALL].sort_values(["precision", "domain"], kind="stable")
    worst, best = frame.iloc[0], frame.iloc[-1]
    return paragraph(
        join(
            [
                "Read in full, over all bases, ",
                numbers.percent(float(best["precision"]), "computed", places=0),
                " of the matches were right for ",
                str(best["domain"]),
                " and ",
                numbers.percent(float(worst["precision"]), "computed", places=0),
                " for ",
                str(worst["domain"]),
                "; with the doubts taken each way ",
                numbers.percent(float(worst["precision_lower"]), "computed", places=0),
                " to ",
                numbers.percent(float(worst["precision_upper"]), "computed", places=0),
                ".",
            ]
        )
    )


def precision() -> Html:
    """Return how many of the words' matches in the tree were right."""
    columns = [
        Column("family", "base of"),
        Column("domain"),
        Column("matches", "found by the words"),
        Column("read", "of them read"),
        Column("right_sure", "right, and we were sure"),
        Column("right", "right"),
        Column("right_at_most", "right, if all doubts were"),
        Column("precision", "right of those read", "share"),
    ]
    return listing(
        "domain_precision", "Every match of the words in the tree of August 2026, labelled", columns
    )


def doubts() -> Html:
    """Return how many labels were uncertain."""
    frame = tables.load("domain_sample")
    drawn = frame[frame["stratum"] != "read in full"]
    full = frame[frame["stratum"] == "read in full"]
    return paragraph(
        join(
            [
                _LABELLED,
                numbers.count(float(drawn["drawn"].sum()), "computed"),
                " repositories of the sample ",
                numbers.count(float(drawn["uncertain"].sum()), "computed"),
                " carry a doubt about at least one domain, and of ",
                numbers.count(float(full["drawn"].sum()), "computed"),
                " further ones, all other matches of the words, ",
                numbers.count(float(full["uncertain"].sum()), "computed"),
                ". Every count and rate is given with the doubts taken each way.",
            ]
        )
    )


def sample() -> Html:
    """Return the strata of the labelled sample."""
    columns = [
        Column("stratum"),
        Column("size", "repositories"),
        Column("drawn", "labelled"),
        Column("tuning", "for tuning"),
        Column("held_out", "held out"),
        Column("with_a_domain", "made for a domain"),
        Column("uncertain", "with a doubt"),
    ]
    return listing("domain_sample", "Where the labelled repositories come from", columns)


def listed() -> Html:
    """Return every derivative of Qwen that we read and found made for a profession."""
    columns = [
        Column("domain"),
        Column("repository_id", "repository"),
        Column("sure"),
        Column("from_its_base", "the base is for it already"),
        Column("found_by_words", "found by the words"),
        Column("quantised", "quantised copy"),
        Column("downloads_30d", "30-day downloads"),
        Column("reason", "what it is for"),
    ]
    return listing(
        "domain_found",
        "Derivatives of Qwen labelled as made for one of the five professions; those "
        "for code are in data/derived/domain_found.csv",
        columns,
        lambda frame: frame[(frame["qwen"] == "yes") & (frame["domain"] != "code")],
        limit=25,
    )


def words() -> Html:
    """Return the words of each domain, with their reasons."""
    columns = [
        Column("domain"),
        Column("kind", "the words"),
        Column("at", "where they stand"),
        Column("words"),
        Column("reason"),
    ]
    frame = tables.load("domain_words")
    shown = table(frame, columns, caption="Words that decide, and words that do not", stacked=True)
    return Html(f"<details><summary>All words ({len(frame)} lists)</summary>{shown}</details>")


def slices() -> Html:
    """Return what each source holds of Qwen's derivatives for each domain."""
    frame = tables.load("domain_counts")
    kept = (frame["family"] == _OWN) & (frame["base"] == "with-reuploads")
    frame = frame[kept & (frame["domain"] != _ANY)]
    wide = frame.pivot_table(
        index=["source", "day", "derivatives"], columns="domain", values="words", sort=False
    ).reset_index()
    words = {
        "tree": "nearly all new repositories of a week and some older ones, name and tags",
        "cut": "a selection for an evaluation, name and tags",
        "edges": "text models with ten downloads or more, name alone",
    }
    wide["source"] = wide["source"].map(words)
    columns = [
        Column("source", "what it holds"),
        Column("day", "day, at the latest"),
        Column("derivatives", "derivatives of Qwen"),
        *(Column(str(name)) for name in wide.columns[3:]),
    ]
    return table(
        wide, columns, caption="What the words find in each source among derivatives of Qwen"
    )
