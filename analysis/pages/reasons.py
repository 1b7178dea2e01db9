"""What the opening of the chapter "Why Qwen" calls: its answer, and the reasons side by side."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from analysis import pages, tables
from analysis.pages.licensing import _CATALOGUE, _FAMILIES, _LLAMA, _users
from analysis.present import numbers
from analysis.present.markup import Html, join, paragraph
from analysis.present.tables import Column, table

#: Claims of the group that are told in one phrase each, in the order told.
_TOLD: Final = (
    "release-velocity",
    "breadth",
    "hardware-sizes",
    "deepseek-r1-january-2025",
    "qwen25-september-2024",
)
_OWN: Final = "qwen"


def _phrase(id: str) -> Html:
    """Return what the data give for a claim, as part of a sentence."""
    claim = pages.claim(id)
    found = claim.found()
    card = str(claim.record["article"]["reading"].get("card", ""))
    words: dict[str, list[object]] = {
        "release-velocity": [
            claim.value,
            " new Qwen models for each new Llama model (chance alone could make it ",
            claim.interval,
            ")",
        ],
        "breadth": [found, " of the five kinds of models that it names"],
        "hardware-sizes": [
            found,
            f" of Qwen's downloads in February 2026 of models that fit a card of {card} GB",
        ],
        "deepseek-r1-january-2025": [
            "DeepSeek R1 with ",
            found,
            " times the likes of any older Chinese model",
        ],
        "qwen25-september-2024": [
            "after Qwen 2.5 came, as counted, ",
            found,
            " times the new derivatives of before",
        ],
    }
    return join(words[id])


def in_short() -> Html:
    """Return the answer of the chapter, computed, as paragraphs."""
    said = [_licences()]
    answers = {
        "matches": "What holds as the article has it: ",
        "differs": "What does not hold: ",
        "not checkable": "What the data leave open: ",
    }
    for verdict, start in answers.items():
        told = [
            _phrase(id)
            for id in _TOLD
            if pages._word(pages.claim(id).record["recreated"]).startswith(verdict)
        ]
        if told:
            said.append(paragraph(start, join(told, "; "), "."))
    return join(said)


def _licences() -> Html:
    """Return what the licences say, as a paragraph."""
    texts = tables.load("licence_thresholds")
    stated = float(pages.claim(_LLAMA).record["stated_value"])
    llama = texts[texts["licensor"] == "Meta"]
    others = texts[(texts["users"] == stated) & (texts["licensor"] != "Meta")]
    users = sorted({float(number) for number in llama["users"].dropna()})
    said: list[object] = [
        "The licences are not as told. " if stated not in users else "",
        "The number of users above which Meta must be asked is ",
        numbers.listed([_users(number, "computed") for number in users]),
        f" in {'all' if llama['users'].notna().all() else 'most'} of the ",
        numbers.value(len(llama), "count", "computed"),
        " Llama licences",
    ]
    if len(others) and stated not in users:
        said += [
            "; the article's ",
            _users(stated, "published"),
            f" is the number of {others['licensor'].iloc[0]}'s own first licence, for Qwen",
        ]
    said += [". Of Qwen's repositories "]
    said += [_free(_OWN, "repositories", ("apache",)), " were under Apache 2.0 in October 2025, "]
    said += ["with ", _free(_OWN, "downloads_30d", ("apache",)), " of the downloads."]
    return paragraph(join(said))


def _free(family: str, measure: str, kinds: tuple[str, ...] = ("apache", "permissive")) -> Html:
    """Return the share under given kinds of licences, from none to all of what is not known."""
    low, high = _free_ends(family, measure, kinds)
    return numbers.interval(low, high, "share", "computed" if low == high else "bounded")


def _free_ends(
    family: str, measure: str = "repositories", kinds: tuple[str, ...] = ("apache", "permissive")
) -> tuple[float, float]:
    frame = tables.load("licence_shares")
    own = frame[
        (frame["day"] == _CATALOGUE) & (frame["family"] == family) & (frame["measure"] == measure)
    ].set_index("kind")["share"]
    low = float(sum(own[kind] for kind in kinds))
    return low, low + float(own["unknown"])


def _known() -> dict[str, dict[str, Any]]:
    """Return the reasons as numbers, by family, where complete catalogues tell all of them."""
    rates = tables.load("release_rates")
    rate = rates[
        (rates["source"] == "catalogue")
        & (rates["dates"] == "created")
        & (rates["window"] == "last-12-months")
        & (rates["unit_counted"] == "models")
        & (rates["copies"] == "out")
    ].set_index("family")["per_month"]
    kinds = tables.load("breadth")
    kinds = kinds[
        (kinds["source"] == "catalogue")
        & (kinds["family_rule"] == "official")
        & kinds["named"].astype("bool")
    ]
    covered = kinds.assign(there=kinds["repositories"] > 0).groupby("family")["there"].sum()
    fit = tables.load("hardware_fit").astype({"card": "str", "bits": "str", "day": "str"})
    fit = fit[(fit["day"] == _CATALOGUE) & (fit["card"] == "24") & (fit["bits"] == "published")]
    fit = fit.dropna(subset=["value"]).set_index("family")
    sizes = tables.load("hardware_distinct")
    size = sizes[sizes["day"] == _CATALOGUE].set_index("family")["sizes"]
    shares = tables.load("licence_shares")
    shares = shares[(shares["day"] == _CATALOGUE) & (shares["measure"] == "downloads_30d")]
    downloads = shares.groupby("family")["count"].sum()
    return {
        family: {
            "free": _free_ends(family),
            "rate": (float(rate[label]),) * 2,
            "kinds": (int(covered[label]),) * 2,
            "sizes": (int(size[family]),) * 2,
            "fit": (float(fit.loc[family, "lower"]), float(fit.loc[family, "upper"])),  # type: ignore[arg-type]
            "downloads": (float(downloads[family]),) * 2,
        }
        for family, label in _FAMILIES.items()
        if label in rate.index and label in covered.index and family in fit.index
        and family in downloads.index
    }  # fmt: skip


#: The reasons of the chapter that can be counted for every family, in the order shown.
_REASONS: Final = {
    "free": "free licences",
    "rate": "new models a month",
    "kinds": "kinds of models",
    "sizes": "sizes to choose from",
    "fit": "what fits a card of 24 GB",
}


def side_by_side() -> Html:
    """Return the reasons of all families in one table, and in which of them Qwen leads."""
    known = _known()
    own = known[_OWN]
    first, level, behind = [], [], []
    for reason, words in _REASONS.items():
        rest = {family: row[reason] for family, row in known.items() if family != _OWN}
        # Ahead is who lies above the whole of Qwen's interval.
        ahead = [_FAMILIES[family] for family, span in rest.items() if span[0] > own[reason][1]]
        same = [_FAMILIES[family] for family, span in rest.items() if span == own[reason]]
        if ahead:
            behind.append(join([words, " (", numbers.listed(ahead), " ahead)"]))
        elif same:
            level.append(join([words, " (as many as ", numbers.listed(same), ")"]))
        elif all(span[1] < own[reason][0] for span in rest.values()):
            first.append(words)
    parts: list[object] = ["A reason that a rival shares explains little. "]
    if first:
        parts += ["Qwen is first in ", numbers.listed(first), ". "]
    if level:
        parts += ["It is level in ", numbers.listed(level), ". "]
    if behind:
        parts += ["It is behind in ", numbers.listed(behind), "."]
    rows = [
        {
            "family": _FAMILIES[family],
            "free": _free(family, "repositories"),
            "rate": numbers.graded(f"{row['rate'][0]:.1f}", "computed"),
            "kinds": numbers.count(row["kinds"][0], "computed"),
            "sizes": numbers.count(row["sizes"][0], "computed"),
            "fit": numbers.interval(row["fit"][0], row["fit"][1], "share", "bounded"),
            "downloads": numbers.count(row["downloads"][0], "computed"),
        }
        for family, row in sorted(known.items(), key=lambda item: -item[1]["downloads"][0])
    ]
    columns = [
        Column("family"),
        Column("free", "repositories under a free licence"),
        Column("rate", "new models a month"),
        Column("kinds", "of the five kinds"),
        Column("sizes", "sizes"),
        Column("fit", "downloads that fit 24 GB"),
        Column("downloads", "30-day downloads"),
    ]
    caption = (
        "The reasons side by side, from the complete catalogues of "
        f"{numbers.format_day(_CATALOGUE)}; new models in the twelve months before"
    )
    shown = table(pd.DataFrame(rows, dtype=object), columns, caption=caption, stacked=True)
    return join([paragraph(*parts), shown])
