"""Shares of new work: of the repositories that the Hub gains, how many build on a family.

A *new repository* is one created within given days. It is *derived work* when it declares a base.
A family is its base when a declared base is the family's, by one of three readings: a repository of
the maker's own organisation, that or a named re-upload of one, or any whose id holds the family's
name. A repository of several bases counts whole for each family among them, or in parts: the part
of its bases that are the family's. Counted by author, each author weighs the same, and within the
work of one author each repository does.

A week is a sample of weeks, and authors are what is drawn: the interval of a share comes from
drawing authors with replacement, each with all that he made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from analysis.entries import checked
from analysis.errors import InputError
from analysis.measure import bulk
from analysis.snapshot import families as families_module
from analysis.snapshot import lineage
from analysis.snapshot.relations import declared_ids
from analysis.snapshot.shaping import ID_GRAMMAR

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

#: Readings of "a base is the family's", from narrow to wide.
BASES: Final = ("official", "with-reuploads", "name")
#: Which new repositories are the whole.
DENOMINATORS: Final = ("declared", "trained", "all")
#: 30-day downloads that a repository needs.
MINIMUM: Final[Mapping[str, int]] = {"none": 0, "one": 1, "ten": 10}
#: Relations by which a repository is trained and not only converted or mixed.
TRAINED: Final = ("finetune", "adapter")
QUANTISED: Final = "quantized"

#: The grammar as Python spells it: its end is the end of the text.
_ID: Final = re.compile(ID_GRAMMAR.removesuffix(r"\z"))

#: Draws that are worked out at once: bounds the memory.
_CHUNK: Final = 250

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(?:0[1-9]|1[0-2])$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Week(_Strict):
    """The days of which a version holds nearly every new repository."""

    version: str
    first: date
    last: date
    reason: Reason


class Cut(_Strict):
    """The months before the article in a version that holds picked rows."""

    version: str
    first: Month
    last: Month
    minimum: int = Field(ge=1)
    reason: Reason


class Counts(_Strict):
    """Counts of derivatives by base and month, and how many months are looked at."""

    versions: tuple[str, ...] = Field(min_length=1)
    months: int = Field(ge=1)
    first: Month
    reason: Reason


class Interval(_Strict):
    """How authors are drawn."""

    draws: int = Field(ge=100, le=100_000)
    level: float = Field(gt=0.5, lt=1)
    seed: int = Field(ge=0)
    reason: Reason


class Family(_Strict):
    """Words by which a text holds the name of a family, and names of tools that hold them too.

    All in small letters. A tool's name counts as such where no letter stands before it.
    """

    words: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{3,}$")], ...] = Field(
        min_length=1
    )
    tools: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{3,}$")], ...] = ()


class Reasoned(_Strict):
    """A decision without a number."""

    reason: Reason


class Tags(_Strict):
    """Beginnings of tags that do not say what a repository is."""

    prefixes: tuple[str, ...]
    reason: Reason


class Related(_Strict):
    """Versions in which repositories related to a family are looked for."""

    versions: tuple[str, ...] = Field(min_length=1)
    later: tuple[str, ...] = Field(min_length=1)
    reason: Reason


class Rules(_Strict):
    """The declared rules (``data/arrivals.toml``)."""

    week: Week
    cut: Cut
    counts: Counts
    interval: Interval
    family: Mapping[str, Family] = Field(min_length=1)
    names: Reasoned
    tools: Reasoned
    paths: Reasoned
    tags: Tags
    related: Related


def parse(mapping: Mapping[str, object]) -> Rules:
    """Validate the content of ``data/arrivals.toml``; InputError names the first wrong entry."""
    rules = checked(Rules, mapping, "data/arrivals.toml")
    for name, begins, ends in (
        ("week", str(rules.week.first), str(rules.week.last)),
        ("cut", rules.cut.first, rules.cut.last),
    ):
        if begins > ends:
            raise InputError(
                f"data/arrivals.toml: {name}: first ({begins}) lies after last ({ends}): "
                "correct the entry"
            )
    return rules


# ------------------------------------------------------------------------------- new repositories


@dataclass(frozen=True)
class Arrivals:
    """New repositories and what they declare.

    Attributes
    ----------
    rows
        One row a repository, in order of id: ``repository_id``, ``author``, ``day``, ``downloads``,
        ``bases`` (how many it declares), a flag for each of :data:`TRAINED` and ``quantized``,
        ``merge``, ``undeclared`` (a base without relation).
    edges
        One row a repository and base: ``place`` (row of the repository), ``base_id``.
    """

    rows: pd.DataFrame
    edges: pd.DataFrame

    def weights(self, members: Iterable[str], merges: str = "whole") -> Numbers:
        """Return what each repository counts for a family with these bases.

        Parameters
        ----------
        members
            Ids, among the declared bases, that are the family's.
        merges
            ``whole`` or ``parts``.
        """
        own = self.edges["base_id"].isin(set(members)).to_numpy(dtype=bool)
        places = self.edges["place"].to_numpy()[own]
        found = np.bincount(places, minlength=len(self.rows)).astype("float64")
        if merges == "whole":
            whole: Numbers = np.minimum(found, 1.0)
            return whole
        if merges != "parts":
            raise InputError(f"merges count whole or in parts, not {merges!r}")
        out: Numbers = found / np.maximum(self.rows["bases"].to_numpy(dtype="float64"), 1.0)
        return out

    def chosen(self, denominator: str, copies: str, minimum: int = 0) -> npt.NDArray[np.bool_]:
        """Return a flag a repository: it is part of the whole.

        Parameters
        ----------
        denominator
            ``all`` new repositories, those with a ``declared`` base, or the ``trained``:
            finetunes and adapters.
        copies
            Whether quantised copies are ``in`` or ``out``.
        minimum
            30-day downloads it needs; one without a counter does not have them.
        """
        rows = self.rows
        if denominator == "trained":
            keep = rows[list(TRAINED)].any(axis=1).to_numpy(dtype=bool)
        elif denominator == "declared":
            keep = (rows["bases"] > 0).to_numpy(dtype=bool)
        elif denominator == "all":
            keep = np.ones(len(rows), dtype=bool)
        else:
            raise InputError(
                f"no whole is called {denominator!r}; there are {', '.join(DENOMINATORS)}"
            )
        if copies == "out":
            keep = keep & ~rows[QUANTISED].to_numpy(dtype=bool)
        if minimum:
            keep = keep & (rows["downloads"] >= minimum).to_numpy(dtype=bool)
        return keep

    def bases(self) -> pd.Series:
        """Return the distinct declared bases, in order of name."""
        return pd.Series(sorted(set(self.edges["base_id"])), dtype="string")


def read(
    frame: pd.DataFrame,
    families: families_module.Families,
    first: date,
    last: date,
) -> Arrivals:
    """Return the repositories of a table that were created from `first` to `last`, both included.

    Ids that differ by letter case alone are one repository; the first spelling is kept.

    Parameters
    ----------
    frame
        ``repository_id``, ``created_at``, ``downloads_30d``, and ``base_models`` with
        ``base_relation``, ``tags`` or both.
    families
        The register.
    """
    start = pd.Timestamp(first, tz="UTC")
    end = pd.Timestamp(last, tz="UTC") + pd.Timedelta(days=1)
    within = ((frame["created_at"] >= start) & (frame["created_at"] < end)).fillna(False)
    own = frame[within.to_numpy(dtype=bool)].sort_values("repository_id", kind="stable")
    # The Hub takes ids without regard to letter case: two spellings are one repository renamed.
    own = own[~own["repository_id"].str.lower().duplicated().to_numpy(dtype=bool)]
    own = own.reset_index(drop=True)
    ids = own["repository_id"].astype("str")
    found = lineage.relations(own, families, repositories=frame["repository_id"])
    place = pd.Series(np.arange(len(ids)), index=ids.str.lower())
    at = found["repository_id"].astype("str").str.lower().map(place)
    edges = pd.DataFrame({"place": at.to_numpy(dtype="int64"), "base_id": found["base_id"]})
    relation = found["base_relation"].fillna(lineage.UNDECLARED).astype("str").to_numpy()
    rows = pd.DataFrame(
        {
            "repository_id": ids,
            "author": [one.partition("/")[0] for one in ids],
            "day": own["created_at"].dt.date.to_numpy(),
            "downloads": pd.to_numeric(own["downloads_30d"], errors="coerce").to_numpy(
                dtype="float64", na_value=np.nan
            ),
        }
    )
    for word in (*lineage.RELATIONS, lineage.UNDECLARED):
        marked = np.zeros(len(rows), dtype=bool)
        marked[edges["place"].to_numpy()[relation == word]] = True
        rows[word] = marked
    edges = edges.drop_duplicates(ignore_index=True)
    rows["bases"] = np.bincount(edges["place"].to_numpy(), minlength=len(rows))
    return Arrivals(rows, edges)


def members(
    bases: pd.Series, families: families_module.Families, family: str, reading: str, rules: Rules
) -> frozenset[str]:
    """Return which of some declared bases are a family's, by one of :data:`BASES`."""
    if reading == "name":
        words = words_of(rules, family)
        return frozenset(str(one) for one in bases if holds(str(one), words))
    if reading not in BASES:
        raise InputError(f"no reading of a base is called {reading!r}; known: {', '.join(BASES)}")
    own = families_module.assign(bases, families, reading)
    return frozenset(bases[(own == family).fillna(False).to_numpy(dtype=bool)].astype("str"))


def words_of(rules: Rules, family: str) -> Family:
    """Return the words of a family; InputError when none are declared."""
    if family not in rules.family:
        raise InputError(f"data/arrivals.toml: no words for the family {family!r}: add an entry")
    return rules.family[family]


def holds(text: str, family: Family) -> bool:
    """Whether a text holds one of a family's words, in any letter case, besides names of tools."""
    small = text.lower()
    if not any(word in small for word in family.words):
        return False
    if family.tools:
        names = "|".join(re.escape(name) for name in sorted(family.tools, key=len, reverse=True))
        small = re.sub(f"(?<![a-z])(?:{names})", " ", small)
    return any(word in small for word in family.words)


# ----------------------------------------------------------------------------- shares, intervals


def by_author(
    authors: Iterable[str], part: Numbers, whole: Numbers, counted: str
) -> tuple[Numbers, Numbers]:
    """Sum what counts and the whole over each author, in order of name.

    Parameters
    ----------
    authors
        Author of each repository.
    part, whole
        What each repository counts, and 1 where it belongs to the whole, else 0.
    counted
        ``repository``, or ``author``: then each author with anything in the whole weighs 1.
    """
    code = np.unique(np.asarray(list(authors), dtype=object), return_inverse=True)[1]
    size = int(code.max()) + 1 if len(code) else 0
    mine = np.bincount(code, part * whole, minlength=size).astype("float64")
    every = np.bincount(code, whole, minlength=size).astype("float64")
    if counted == "author":
        there = every > 0
        return np.divide(mine, every, out=np.zeros(size), where=there), there.astype("float64")
    return mine, every


def drawn(columns: Numbers, rule: Interval) -> Numbers:
    """Sum columns over authors drawn with replacement.

    Parameters
    ----------
    columns
        One row an author.
    rule
        How many draws, and the seed.

    Returns
    -------
    numpy.ndarray
        One row a draw, in the order of the draws.
    """
    size = len(columns)
    generator = np.random.default_rng(rule.seed)
    out = np.zeros((rule.draws, columns.shape[1]))
    if not size:
        return out
    for begin in range(0, rule.draws, _CHUNK):
        count = min(_CHUNK, rule.draws - begin)
        times = np.empty((count, size))
        for row in times:
            row[:] = np.bincount(generator.integers(0, size, size), minlength=size)
        out[begin : begin + count] = times @ columns
    return out


def ends(part: Numbers, whole: Numbers, level: float) -> tuple[float, float]:
    """Return the ends of the interval of a share out of the draws of part and whole."""
    there = whole > 0
    if not there.any():
        return float("nan"), float("nan")
    shares = part[there] / whole[there]
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(shares, [tail, 1.0 - tail])
    # A sum of many parts may pass the whole by the width of a rounding.
    return float(max(0.0, low)), float(min(1.0, high))


@dataclass(frozen=True)
class Wanted:
    """One share to be worked out.

    Attributes
    ----------
    family, base
        Family, and one of :data:`BASES`.
    denominator, copies, minimum
        See :meth:`Arrivals.chosen`.
    merges, counted
        See :meth:`Arrivals.weights` and :func:`by_author`.
    relation
        Only new repositories of this relation, where given.
    """

    family: str
    base: str
    denominator: str = "declared"
    copies: str = "in"
    merges: str = "whole"
    counted: str = "repository"
    minimum: int = 0
    relation: str = ""


def shares(
    arrivals: Arrivals,
    wanted: Sequence[Wanted],
    families: families_module.Families,
    rules: Rules,
) -> pd.DataFrame:
    """Work out shares of new work with their intervals of sampling, all from the same draws.

    Returns
    -------
    pandas.DataFrame
        One row a share, as wanted: its definition, ``part``, ``whole`` (repositories, or parts of
        them; authors where those are counted), ``repositories`` and ``authors`` of the whole,
        ``value``, ``lower``, ``upper``. NaN where the whole is empty.
    """
    bases = arrivals.bases()
    authors = list(arrivals.rows["author"])
    known: dict[tuple[str, str, str], Numbers] = {}
    columns: list[Numbers] = []
    column_of: dict[bytes, int] = {}

    def column(values: Numbers) -> int:
        """Keep a column once: many shares have the same whole."""
        key = values.tobytes()
        if key not in column_of:
            column_of[key] = len(columns)
            columns.append(values)
        return column_of[key]

    places: list[tuple[int, int]] = []
    rows: list[dict[str, Any]] = []
    for one in wanted:
        key = (one.family, one.base, one.merges)
        if key not in known:
            own = members(bases, families, one.family, one.base, rules)
            known[key] = arrivals.weights(own, one.merges)
        keep = arrivals.chosen(one.denominator, one.copies, one.minimum)
        if one.relation:
            keep = keep & arrivals.rows[one.relation].to_numpy(dtype=bool)
        part, whole = by_author(authors, known[key], keep.astype("float64"), one.counted)
        places.append((column(part), column(whole)))
        rows.append(
            {
                **vars(one),
                "part": float(part.sum()),
                "whole": float(whole.sum()),
                "repositories": int(keep.sum()),
                "authors": int((whole > 0).sum()),
            }
        )
    sums = drawn(np.column_stack(columns) if columns else np.zeros((0, 0)), rules.interval)
    for (mine, every), row in zip(places, rows, strict=True):
        row["value"] = row["part"] / row["whole"] if row["whole"] else float("nan")
        row["lower"], row["upper"] = ends(sums[:, mine], sums[:, every], rules.interval.level)
    return pd.DataFrame(rows)


def built_on(arrivals: Arrivals, own: Iterable[str], newest: Iterable[str]) -> pd.DataFrame:
    """Count the derivatives of the new repositories by day, and those on a newest release.

    Parameters
    ----------
    arrivals
        New repositories; their rows have a ``day``.
    own
        Bases that are the family's.
    newest
        Those of them that are of its newest release.

    Returns
    -------
    pandas.DataFrame
        ``day`` (in ISO form, then ``all``), ``part`` and ``whole`` (repositories with a declared
        base), ``newest`` and ``newest_authors`` (repositories on the newest release, and who
        made them), ``value``, and ``without``: the share if none of these were there.
    """
    keep = arrivals.chosen("declared", "in")
    table = pd.DataFrame(
        {
            "day": [one.isoformat() for one in arrivals.rows["day"]],
            "author": arrivals.rows["author"],
            "part": arrivals.weights(own) > 0,
            "newest": arrivals.weights(newest) > 0,
        }
    )[keep]
    rows = []
    for name in [*sorted(set(table["day"])), "all"]:
        some = table if name == "all" else table[table["day"] == name]
        part, whole, new = int(some["part"].sum()), len(some), int(some["newest"].sum())
        rows.append(
            {
                "day": name,
                "part": part,
                "whole": whole,
                "value": part / whole,
                "newest": new,
                "newest_authors": int(some.loc[some["newest"], "author"].nunique()),
                "without": (part - new) / (whole - new) if whole > new else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def undeclared(arrivals: Arrivals, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the new repositories without a declared base, with what their cards say of one.

    Parameters
    ----------
    frame
        The table that they were read from, with ``base_text`` where the source has it.

    Returns
    -------
    pandas.DataFrame
        ``repository_id`` and ``stated``: ids that the card names as base, empty where it names
        none that can be read as an id.
    """
    rows = arrivals.rows
    none = rows.loc[rows["bases"] == 0, "repository_id"]
    texts: dict[str, str] = {}
    if "base_text" in frame.columns:
        known = frame.dropna(subset=["base_text"])
        texts = dict(zip(known["repository_id"], known["base_text"], strict=True))
    stated = [declared_ids(str(texts[one])) if one in texts else () for one in none]
    return pd.DataFrame({"repository_id": list(none), "stated": stated})


def is_path(base: str) -> bool:
    """Whether a declared base cannot be an id of the Hub."""
    return _ID.fullmatch(base) is None


@dataclass(frozen=True)
class Missing:
    """What repositories of which the base is not known can do to a share.

    Attributes
    ----------
    part, whole
        What counts and the whole, as observed.
    unknown
        Repositories in neither: each may be derived work or not, of the family or not.
    """

    part: float
    whole: float
    unknown: float

    @property
    def lower(self) -> float:
        """Share if all the unknown derive from others."""
        total = self.whole + self.unknown
        return self.part / total if total else float("nan")

    @property
    def upper(self) -> float:
        """Share if all the unknown derive from the family."""
        total = self.whole + self.unknown
        return (self.part + self.unknown) / total if total else float("nan")

    def needed(self, line: float) -> float:
        """Return how many repositories not seen would have to be on one side to reach `line`.

        They would all have to derive from the family where the share lies below the line, and
        all from others where it lies above; the number is never negative.
        """
        if not 0 < line < 1:
            raise InputError(f"a share to be reached lies between 0 and 1, not at {line}")
        if self.part < line * self.whole:
            return (line * self.whole - self.part) / (1 - line)
        return self.part / line - self.whole


# --------------------------------------------------------------------------- months of the counts


def gains_by_month(counts: pd.DataFrame, leaving_out: Iterable[str] = ()) -> pd.DataFrame:
    """Put what each base gained on calendar months.

    Parameters
    ----------
    counts
        ``repository_id``, ``created_at``, ``month`` (since the release) and cumulative
        ``derivatives``, as the kind ``derivative-counts`` gives them.
    leaving_out
        Bases that do not count.

    Returns
    -------
    pandas.DataFrame
        ``repository_id``, ``month`` (YYYY-MM in which the later of two counts ends), ``gained``.
    """
    out = frozenset(leaving_out)
    kept = counts[~counts["repository_id"].isin(out)]
    kept = kept.dropna(subset=["created_at", "derivatives"])
    gained = bulk.gains(kept)
    born = kept.drop_duplicates("repository_id").set_index("repository_id")["created_at"]
    stamp = gained["repository_id"].map(born)
    number = stamp.dt.year * 12 + stamp.dt.month - 1 + gained["month"]
    gained["month"] = [f"{int(n) // 12:04d}-{int(n) % 12 + 1:02d}" for n in number]
    return gained[["repository_id", "month", "gained"]]


# -------------------------------------------------------------------- repositories that relate to


#: Ways in which a repository relates to a family, from narrow to wide, then any of them.
RELATED: Final = ("own", "base", "base-family", "base-name", "name", "tag", "any")


def declared(frame: pd.DataFrame, families: families_module.Families) -> pd.DataFrame:
    """Return the bases that a table states, a row a repository and base; none where it cannot.

    Parameters
    ----------
    frame
        ``repository_id``, and ``base_models`` (with ``tags``) or ``base_id`` where the source
        states bases.
    """
    if "base_models" in frame.columns or "base_id" in frame.columns:
        return lineage.relations(frame, families)[["repository_id", "base_id"]]
    return pd.DataFrame({"repository_id": [], "base_id": []}, dtype="string")


def related(
    frame: pd.DataFrame,
    edges: pd.DataFrame,
    families: families_module.Families,
    family: str,
    rules: Rules,
) -> pd.DataFrame:
    """Tell of each repository of a table how it relates to a family.

    Parameters
    ----------
    frame
        ``repository_id``, with ``tags`` where the source holds them.
    edges
        What :func:`declared` gives of it.

    Returns
    -------
    pandas.DataFrame
        One row a repository, in order of id: ``repository_id`` and a flag for each of
        :data:`RELATED`. A flag that the table cannot tell is False.
    """
    words = words_of(rules, family)
    ids = pd.Series(sorted(set(frame["repository_id"].dropna().astype("str"))), dtype="string")
    out = pd.DataFrame({"repository_id": ids.astype("str")})
    places = {place.organisation for place in families.families[family].organisations}
    out["own"] = [one.partition("/")[0] in places for one in out["repository_id"]]
    bases = pd.Series(sorted(set(edges["base_id"])), dtype="string")
    lower = edges["repository_id"].astype("str").str.lower()
    small = out["repository_id"].str.lower()
    for flag, reading in zip(("base", "base-family", "base-name"), BASES, strict=True):
        own = members(bases, families, family, reading, rules)
        out[flag] = small.isin(set(lower[edges["base_id"].isin(own).to_numpy(dtype=bool)]))
    out["name"] = [holds(one, words) for one in out["repository_id"]]
    tagged: set[str] = set()
    if "tags" in frame.columns:
        beginnings = tuple(rules.tags.prefixes)
        for repository, tags in zip(frame["repository_id"], frame["tags"], strict=True):
            if isinstance(tags, list | tuple | np.ndarray) and any(
                holds(tag, words) and not tag.lower().startswith(beginnings) for tag in tags
            ):
                tagged.add(str(repository))
    out["tag"] = out["repository_id"].isin(tagged)
    out["any"] = out[[name for name in RELATED if name != "any"]].any(axis=1)
    return out[["repository_id", *RELATED]]


def together(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join tables of :func:`related`: a repository relates if it does in any of them."""
    joined = pd.concat(list(tables), ignore_index=True)
    return joined.groupby("repository_id", sort=True)[list(RELATED)].any().reset_index()
