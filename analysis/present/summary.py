"""The one-page summary: for each claim a sentence that can be printed, its number, its citation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

#: Columns of the table, in order.
COLUMNS: Final = (
    *("claim", "group", "title", "statement", "sentence", "value", "lower", "upper", "unit"),
    *("grade", "day", "recreated", "robust", "later", "specifications", "holds", "citation"),
)

#: What each verdict of the first axis says of a claim, after the claim itself.
_SAID: Final = {
    "matches": "comes out of the data as stated",
    "matches within rounding": "comes out of the data, within rounding",
    "differs": "does not come out of the data as stated",
    "not checkable": "can be neither confirmed nor refuted as stated",
}
_ISO: Final = re.compile(r"20\d\d-\d\d(?:-\d\d)?")


def _word(axis: Any) -> str:
    return str((axis or {}).get("verdict") or "open")


def _closed(text: str) -> str:
    """End a text with one full stop."""
    return f"{text.rstrip().rstrip('.')}."


def sentence(record: Mapping[str, Any]) -> str:
    """Return the sentence that the record stands behind, for one entry of ``claims.json``.

    The claim in our words, the verdict on the article's own reading, and the finding; of a claim
    that nothing measures, why it cannot be checked; of a forecast, what is pending. What a second
    instrument says follows.

    Examples
    --------
    >>> sentence({"statement": "It rains.", "recreated": {"verdict": "differs"},
    ...           "specifications": 4, "finding": "No: it is dry"})
    '“It rains” does not come out of the data as stated. No: it is dry.'
    """
    said = f"\u201c{str(record['statement']).rstrip('.')}\u201d"
    axis = record.get("recreated") or {}
    word, reason = _word(axis), str(axis.get("reason") or "")
    finding = str(record.get("finding") or "")
    if word == "open":
        return f"{said} has not been checked yet."
    if not record.get("specifications"):
        return _closed(f"{said} cannot be checked, because {reason}")
    if reason.startswith("pending: "):
        text = f"{said} cannot be checked yet, because {reason.removeprefix('pending: ')}"
        return f"{_closed(text)} {_closed(finding)}"
    if tested := str(record.get("tested") or ""):
        said = f"{said}: of it was tested {tested}. That"
    text = f"{said} {_SAID.get(word, word)}. {_closed(finding)}"
    second = record.get("elsewhere")
    if second:
        text += f" Elsewhere ({second['instrument']}): {_closed(str(second['finding']))}"
    return text


def day(record: Mapping[str, Any], read: object = "") -> str:
    """Return the day or month that the article's own reading looks at, in ISO form, or nothing.

    Parameters
    ----------
    read
        The day that the specification itself tells, where its choices name none.
    """
    reading = (record.get("article") or {}).get("reading") or {}
    for word in (*(reading.get(name) for name in ("day", "month", "after")), read):
        if isinstance(word, str) and _ISO.fullmatch(word):
            return word
    return ""


def citation(record: Mapping[str, Any], cited: Mapping[str, str]) -> str:
    """Return how to cite the answer to one claim.

    Parameters
    ----------
    cited
        ``authors``, ``title`` and ``version`` of the record (``CITATION.cff``).
    """
    return (
        f"{cited['authors']}. {cited['title']}, version {cited['version']}. "
        f"Claim \u201c{record['title']}\u201d, page {record['id']}.html; data: "
        f"data/derived/claims.json, entry {record['id']}."
    )


def rows(
    records: Sequence[Mapping[str, Any]], cited: Mapping[str, str], days: Mapping[str, object]
) -> pd.DataFrame:
    """Return the summary, a row a claim in the order given.

    Parameters
    ----------
    records
        Entries of ``claims.json``; any number of them.
    cited
        As for :func:`citation`.
    days
        Claim id to the day that its first specification tells.

    Returns
    -------
    pandas.DataFrame
        The columns :data:`COLUMNS`; ``value``, ``lower`` and ``upper`` in ``unit``, as text where
        they are months, empty where there are none.
    """
    out = []
    for record in records:
        lower, upper = record.get("interval") or (None, None)
        out.append(
            {
                **{name: record.get(name) for name in ("group", "title", "statement", "value")},
                "claim": record["id"],
                "sentence": sentence(record),
                "lower": lower,
                "upper": upper,
                **{name: record.get(name) for name in ("unit", "grade", "specifications", "holds")},
                "day": day(record, days.get(str(record["id"]), "")),
                **{axis: _word(record.get(axis)) for axis in ("recreated", "robust", "later")},
                "citation": citation(record, cited),
            }
        )
    return pd.DataFrame(out, columns=list(COLUMNS), dtype=object)
