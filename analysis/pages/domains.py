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
    fewest = frame.sort_values(["read_sure", "domain"], kind="stable").iloc[0]
    day = numbers.format_day(str(frame["day"].iloc[0]))
    return figure(
        lambda width: charts.interval_rows(
            rows, width, unit="repositories", measure="repositories", mark=10.0,
            mark_label="line: ten",
        ),
        id="domains-found",
        title=(
            f"We read derivatives of Qwen for all {len(frame)} domains; fewest for "
            f"{fewest['domain']}: {_whole(fewest['read_sure'])} certain, "
            f"{_whole(fewest['read'])} in all"
        ),
        subtitle=(
            "Derivatives of Qwen that we read one by one and found made for the domain, among "
            f"the new repositories up to {day}; from those we were sure of to all"
        ),
        alt="; ".join(
            f"{r['domain']} {_whole(r['read_sure'])} to {_whole(r['read'])}"
            for r in frame.to_dict("records")
        )
        + ".",
        data=frame[
            [
                "domain", "read_sure", "read", "read_accounts", "read_fetched_ten", "words",
                "without_copies", "new_words", "largest_account", "estimated_lower", "estimated",
                "estimated_upper",
            ]
        ],
        columns=[
            Column("domain"),
            Column("read_sure", "read and sure"),
            Column("read", "read, with the uncertain"),
            Column("read_accounts", "from accounts"),
            Column("read_fetched_ten", "fetched ten times or more"),
            Column("words", "found by the words"),
            Column("without_copies", "without quantised copies"),
            Column("new_words", "with words that the base's name lacks"),
            Column("largest_account", "of them by the largest account"),
            Column("estimated_lower", "estimated from the labels alone, from"),
            Column("estimated", "estimate"),
            Column("estimated_upper", "to"),
        ],
        **_behind(_CLAIM),
        note="A lower bound for the week: for code we read a sample, for the other domains "
        "everything that the words find among Qwen's derivatives and a sample of the rest.",
    )  # fmt: skip


def small() -> Html:
    """Return how small the numbers are against all derivatives of Qwen."""
    frame = _domains(_counts(source="tree", family=_OWN))
    five = _any("tree", _OWN)
    everyone = _any("tree", _ALL)
    law = frame.sort_values("largest_account", ascending=False, kind="stable")
    most = law[law["domain"] != "code"].iloc[0]
    return paragraph(
        join(
            [
                "Small numbers all the same. Of ",
                numbers.count(float(five["derivatives"]), "computed"),
                " derivatives of Qwen the words find ",
                numbers.count(float(five["words"]), "computed"),
                " for one of the five professions, ",
                numbers.percent(float(five["share"]), "computed"),
                "; of the derivatives of all bases ",
                numbers.percent(float(everyone["share"]), "computed"),
                ". They come from ",
                numbers.count(float(five["accounts"]), "computed"),
                " accounts. Of those for ",
                str(most["domain"]),
                " one account alone published ",
                numbers.count(float(most["largest_account"]), "computed"),
                " of ",
                numbers.count(float(most["words"]), "computed"),
                ".",
            ]
        )
    )


def _matrix(source: str, id: str, title: str, subtitle: str, note: str) -> Html:
    frame = _domains(_counts(source=source))
    frame = frame[frame["family"] != _ALL].reset_index(drop=True)
    rows = pd.DataFrame(
        {"row": frame["domain"], "column": frame["family"], "value": frame["words"]}
    )
    order = list(dict.fromkeys(frame["domain"]))
    rows = rows.sort_values("row", key=lambda own: own.map(order.index), kind="stable").reset_index(
        drop=True
    )
    own = {
        str(family): int(part["words"].sum()) for family, part in frame.groupby("family", sort=True)
    }
    return figure(
        lambda width: matrix.dots(rows, width),
        id=id,
        title=title,
        subtitle=subtitle,
        alt="All domains together, a repository in two counted twice: "
        + "; ".join(f"{name} {count:,}" for name, count in own.items())
        + ".",
        data=frame[["domain", "family", "derivatives", "words", "share", "without_copies",
                    "accounts", "fetched_ten"]],
        columns=[
            Column("domain"),
            Column("family", "base of"),
            Column("derivatives", "derivatives in all"),
            Column("words", "found by the words"),
            Column("share", "of all", "share"),
            Column("without_copies", "without quantised copies"),
            Column("accounts"),
            Column("fetched_ten", "fetched ten times or more"),
        ],
        **_behind(_CLAIM),
        note=note,
    )  # fmt: skip


def _verb(own: float, rival: float) -> str:
    return "more" if own > rival else "fewer" if own < rival else "as many"


def families() -> Html:
    """Return Qwen beside its rivals in the week of August 2026."""
    own, rival = _any("tree", _OWN), _any("tree", _RIVAL)
    day = numbers.format_day(str(own["day"]))
    return _matrix(
        "tree",
        "domains-families",
        f"In the week of August 2026 the words find {_whole(own['words'])} derivatives of Qwen "
        f"for the five professions, {_whole(rival['words'])} of Llama",
        f"Derivatives that the words find in name or tags, by whose base, {day}",
        "As the words find them, right or wrong. The shares in the table say how many of a "
        "family's derivatives that is: by share the families differ much less.",
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
    """Return what the words find as a part of each family's derivatives, then and now."""
    own, rival, every = (_any("tree", name) for name in (_OWN, _RIVAL, _ALL))
    then = [_any("edges", name) for name in (_OWN, _RIVAL, _ALL)]
    part = float(own["words"]) / float(every["words"])
    whole = float(own["derivatives"]) / float(every["derivatives"])
    return paragraph(
        join(
            [
                "Counts follow the size of a family. In August 2026 a profession is found in ",
                numbers.percent(float(own["share"]), "computed"),
                " of Qwen's derivatives, in ",
                numbers.percent(float(rival["share"]), "computed"),
                " of Llama's and in ",
                numbers.percent(float(every["share"]), "computed"),
                " of all; in June 2025, in names alone, in ",
                numbers.percent(float(then[0]["share"]), "computed"),
                ", ",
                numbers.percent(float(then[1]["share"]), "computed"),
                " and ",
                numbers.percent(float(then[2]["share"]), "computed"),
                ". Of all that they find for the professions in August 2026 Qwen holds ",
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
            f"The words are right in {numbers.format_percent(best['precision'], 0)} of their "
            f"matches for {best['domain']}, and in {numbers.format_percent(worst['precision'], 0)} "
            f"for {worst['domain']}"
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


def precision() -> Html:
    """Return how many of the words' matches among Qwen's derivatives were right."""
    columns = [
        Column("domain"),
        Column("matches", "found by the words"),
        Column("read", "of them read"),
        Column("right_sure", "right, and we were sure"),
        Column("right", "right"),
        Column("right_at_most", "right, if all doubts were"),
        Column("precision", "right of those read", "share"),
    ]
    return listing(
        "domain_precision",
        "Matches of the words among derivatives of any base with qwen in its name, read one by one",
        columns,
    )


def doubts() -> Html:
    """Return how many labels were uncertain."""
    frame = tables.load("domain_sample")
    drawn = frame[frame["stratum"] != "read in full"]
    full = frame[frame["stratum"] == "read in full"]
    return paragraph(
        join(
            [
                "One person labelled all of it; how often a second would agree is not known. Of ",
                numbers.count(float(drawn["drawn"].sum()), "computed"),
                " repositories of the sample ",
                numbers.count(float(drawn["uncertain"].sum()), "computed"),
                " carry a doubt about at least one domain, and of ",
                numbers.count(float(full["drawn"].sum()), "computed"),
                " further ones that were read in full, ",
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
    """Return every derivative of Qwen that we read and found made for a domain."""
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
        "Derivatives of Qwen that we read and found made for a domain",
        columns,
        lambda frame: frame[frame["qwen"] == "yes"],
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
        "tree": "nearly all new repositories of a week, name and tags",
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
