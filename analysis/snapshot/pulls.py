"""Reader of Ollama's library: pulls of all time by name, as three collectors wrote them down.

The library's pages show a rounded counter: plain digits below ten thousand (``9,342``), then
thousands with one decimal (``409K``, ``20.8K``), then millions with one decimal (``118.7M``). A
decimal of zero is left out, so ``17M`` is as fine as ``16.9M``. The unit to which each value is
rounded is read from its text, never guessed from the value alone where a text stands beside it.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from analysis.snapshot import intake
from analysis.snapshot.schema import FIELDS
from analysis.snapshot.shaping import Snapshot, finish, stamp
from analysis.snapshot.values import Notes, counted, parse_column, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

_KIND: Final = "ollama-library"
_PULLS: Final = re.compile(
    r"(\d{1,18}|\d{1,3}(?:,\d{3}){1,5})(?:\.(\d{1,6}))?\s?([KMB]?)", re.I | re.ASCII
)
_SCALE: Final[Mapping[str, int]] = MappingProxyType({"": 1, "K": 10**3, "M": 10**6, "B": 10**9})
_SIZE: Final = re.compile(r"(?:\d{1,3}x)?[ae]?\d{1,4}(?:\.\d{1,3})?[bmt]", re.I | re.ASCII)
_LARGEST: Final = 2**63 - 1


def unit_of(pulls: int) -> int:
    """Return the unit to which the library rounds a number of that size: a tenth of the letter."""
    scale = next((s for s in (10**9, 10**6) if pulls >= s), 10**3 if pulls >= 10**4 else 1)
    return max(scale // 10, 1)


#: No counter is longer; a number of a million digits takes minutes to work out.
_MOST_LETTERS: Final = 40


def pulls_of(text: object) -> tuple[int, int] | None:
    """Read a counter as the library shows it.

    Parameters
    ----------
    text
        ``"118.7M"``, ``"409K"``, ``"9,342"``, or a whole number.

    Returns
    -------
    tuple of int or None
        Pulls, and the unit to which they are rounded; None for what is no such counter.

    Examples
    --------
    >>> pulls_of("118.7M"), pulls_of("17M"), pulls_of("9,342"), pulls_of("many")
    ((118700000, 100000), (17000000, 100000), (9342, 1), None)
    """
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, int):
        return (text, unit_of(text)) if 0 <= text <= _LARGEST else None
    if not isinstance(text, str) or len(text) > _MOST_LETTERS:
        return None
    match = _PULLS.fullmatch(text.strip())
    if match is None:
        return None
    whole, decimals, letter = match[1].replace(",", ""), match[2] or "", match[3].upper()
    scale = _SCALE[letter]
    value = int(whole) * scale
    if decimals:
        if 10 ** len(decimals) > scale:
            return None
        value += int(decimals) * (scale // 10 ** len(decimals))
    # One decimal is shown, and a zero is left out; more decimals are finer.
    unit = max(scale // 10 ** max(len(decimals), 1), 1)
    return (value, unit) if value <= _LARGEST else None


def _sizes(value: object) -> list[str] | None:
    """Sizes as tags name them, in the file's order, each once; None where the file gives none."""
    if not isinstance(value, list):
        return None
    found = [text.strip().lower() for text in value if isinstance(text, str)]
    return list(dict.fromkeys(text for text in found if _SIZE.fullmatch(text)))


def _default(tags: Mapping[str, Any]) -> str | None:
    """Return the size whose files the tag ``latest`` leads to, by their common hash."""
    latest = tags.get("latest")
    wanted = latest.get("modelHash") if isinstance(latest, dict) else None
    if not isinstance(wanted, str) or not wanted:
        return None
    for tag, entry in tags.items():
        if _SIZE.fullmatch(tag) and isinstance(entry, dict) and entry.get("modelHash") == wanted:
            return tag.lower()
    return None


def _frame(
    names: Iterable[object],
    texts: Sequence[object],
    others: Sequence[object],
    sizes: Sequence[list[str] | None],
    notes: Notes,
) -> pd.DataFrame:
    """Name, pulls with their unit, sizes; `others` is read where a text is unusable."""
    pulls: list[object] = []
    units: list[object] = []
    strange: list[tuple[int, object]] = []
    differing = 0
    for place, (text, other) in enumerate(zip(texts, others, strict=True)):
        got, second = pulls_of(text), pulls_of(other)
        if got is None and text is not None:
            strange.append((place, text))
        if got is not None and second is not None and got[0] != second[0]:
            differing += 1
        got = second if got is None else got
        pulls.append(None if got is None else got[0])
        units.append(None if got is None else got[1])
    if strange:
        place, text = strange[0]
        notes.add(
            f"{counted(len(strange))} whose counter cannot be read; first: "
            f"{shown(text)} at {notes.row(place)}"
        )
    if differing:
        notes.add(f"counters whose number is not that of their text: {differing}; the text holds")
    frame = pd.DataFrame(
        {
            "library_model": parse_column(
                "library_model", list(names), "name", notes, required=True
            ),
            "pulls": parse_column("pulls", pulls, "pulls", notes, required=True),
            "pulls_unit": parse_column("pulls_unit", units, "pulls", notes),
            "sizes": pd.Series(pd.array(sizes, dtype=FIELDS["sizes"].pandas_dtype)),
        }
    )
    missing = frame["library_model"].isna()
    if missing.any():
        notes.add(f"{counted(int(missing.sum()))} without a name dropped")
    return frame


def _tidy(frame: pd.DataFrame, notes: Notes) -> pd.DataFrame:
    """One row a name: the largest counter, which is the latest since it runs up."""
    frame = frame[frame["library_model"].notna()]
    if frame["pulls"].isna().all():
        raise notes.error("no row has a name and a number of pulls; is this another file?")
    twice = frame["library_model"].duplicated(keep=False)
    if twice.any():
        example = shown(frame.loc[twice, "library_model"].iloc[0])
        notes.add(f"names that stand twice; the largest counter is kept; first: {example}")
        order = frame["pulls"].fillna(-1).sort_values(ascending=False, kind="stable").index
        frame = frame.loc[order].drop_duplicates("library_model").sort_index()
    return frame


def _gallery(content: Mapping[str, Any], notes: Notes) -> pd.DataFrame:
    rows = [row if isinstance(row, dict) else {} for row in content.values()]
    texts = [row.get("pull_str") for row in rows]
    numbers = [row.get("pull") for row in rows]
    sizes = [_sizes(row.get("parameters")) for row in rows]
    frame = _frame(content, texts, numbers, sizes, notes)
    days = [row.get("update_date") for row in rows]
    frame["updated_on"] = parse_column("updated_on", days, "update_date", notes)
    return _tidy(frame, notes)


def _list(rows: Sequence[Mapping[str, Any]], notes: Notes) -> pd.DataFrame:
    texts = [row.get("pullCount") for row in rows]
    if all(text is None for text in texts):
        raise notes.error("no row has 'pullCount'; expected a list of names with their pulls")
    sizes = [_sizes(row.get("size")) for row in rows]
    names = [row.get("name") for row in rows]
    return _tidy(_frame(names, texts, [None] * len(rows), sizes, notes), notes)


def _registry(content: Mapping[str, Any], notes: Notes) -> pd.DataFrame:
    models = content["models"]
    rows = [row if isinstance(row, dict) else {} for row in models.values()]
    tags = [row["tags"] if isinstance(row.get("tags"), dict) else {} for row in rows]
    texts = [row.get("pullCount") for row in rows]
    frame = _frame(models, texts, [None] * len(rows), [_sizes(list(t)) for t in tags], notes)
    frame["default_size"] = parse_column(
        "default_size", [_default(entry) for entry in tags], "tags.latest", notes
    )
    said = content.get("totalModels")
    if isinstance(said, int) and said != len(rows):
        notes.add(f"the header says {said:,} names, there are {len(rows):,}")
    own = dict(zip(models, texts, strict=True))
    top = content.get("topModels")
    listed = [row for row in top if isinstance(row, dict)] if isinstance(top, list) else []
    other = [r for r in listed if own.get(str(r.get("name"))) != r.get("pullCount")]
    if other:
        notes.add(
            f"names whose counter among the top is not that of the list: {len(other)}; the list's "
            f"is kept; first: {shown(other[0].get('name'))}"
        )
    return _tidy(frame, notes)


def _read_library(path: Path, columns: tuple[str, ...] | None) -> Snapshot:
    notes = Notes(str(path))
    content = intake.parse_json(intake.decode(intake.read_bytes(path), notes.where), notes.where)
    taken = None
    if isinstance(content, list):
        rows = intake.object_rows(content, "the file", notes.where)
        layout, frame = "list", _list(rows, notes)
    elif not isinstance(content, dict) or not content:
        raise notes.error("neither a list nor an object of names; fetch the file again")
    elif isinstance(content.get("models"), dict) and "pull_str" not in content["models"]:
        if not content["models"]:
            raise notes.error("'models' is empty; fetch the file again")
        layout, frame = "registry", _registry(content, notes)
        taken = stamp(content.get("lastUpdated"), "lastUpdated", notes)
    else:
        layout, frame = "gallery", _gallery(content, notes)
    return finish(frame, _KIND, layout, notes, columns, key=["library_model"], taken=taken)


#: Columns that the kind of this module can fill.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        _KIND: (
            "library_model",
            "pulls",
            "pulls_unit",
            "sizes",
            "default_size",
            "updated_on",
        )
    }
)

#: Readers of this module by kind.
READERS: Final[Mapping[str, Callable[[Path, tuple[str, ...] | None], Snapshot]]] = MappingProxyType(
    {_KIND: _read_library}
)
