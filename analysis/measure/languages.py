"""Which of two models is ahead in which language, over declared pairs.

A board gives each model a score with a half-width on each data set; here two models of like size
and month are held against each other on the data sets that both were run on, averaged within tasks
and over tasks. A sign test counts languages, a bootstrap draws pairs and languages anew, crossed
(Owen 2007, "The pigeonhole bootstrap"). What is compared is data (``data/languages.toml``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import numpy as np
import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from scipy.stats import binomtest

from analysis.entries import checked
from analysis.errors import InputError

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(?:0[1-9]|1[0-2])$")]

#: Kinds of pairs that hold Qwen against Llama.
OWN: Final = ("qwen", "mixed")
_NO_TASKS: Final = "all"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pair(_Strict):
    """Two models that are held against each other: a difference is `a` less `b`.

    Attributes
    ----------
    kind
        ``qwen``: Qwen against Llama by the rule; ``mixed``: likewise, but of unlike kind;
        ``rival-llama`` and ``qwen-rival``: controls.
    billions, months
        Total parameters, and month of release, of `a` and `b`.
    known
        Whether its result, counted by hand, was known when it was declared.
    """

    id: str
    kind: Literal["qwen", "mixed", "rival-llama", "qwen-rival"]
    a: str
    b: str
    billions: tuple[float, float]
    months: tuple[Month, Month]
    known: bool = False
    reason: Reason

    @property
    def factor(self) -> float:
        """The larger size over the smaller."""
        return max(self.billions) / min(self.billions)

    @property
    def apart(self) -> int:
        """Months between the two releases."""
        return abs(self.newer)

    @property
    def newer(self) -> int:
        """Months by which `a` was released later than `b`; negative where it was earlier."""
        first, last = (int(m[:4]) * 12 + int(m[5:]) for m in self.months)
        return first - last


class ArenaPair(_Strict):
    """Two models of the Arena, by its names."""

    a: str
    b: str
    reason: Reason


class Arena(_Strict):
    """Languages and pairs of the Arena."""

    languages: tuple[str, ...]
    english: str
    together: str
    reason: Reason
    pair: tuple[ArenaPair, ...]


class Text(_Strict):
    """Words in a text of the makers, and the number of languages that they state.

    Attributes
    ----------
    about
        ``model``: what it was trained on or supports; ``tokenizer``: how texts are cut for it.
    """

    version: str
    family: str
    release: str
    words: str
    about: Literal["model", "tokenizer"] = "model"
    paraphrase: str
    reason: Reason

    @model_validator(mode="after")
    def _compiles(self) -> Text:
        try:
            re.compile(self.words)
        except re.error as error:
            raise ValueError(f"words is no regular expression: {error}") from None
        return self


class LanguageRules(_Strict):
    """``data/languages.toml``."""

    seed: int
    draws: int = Field(ge=100)
    level: float = Field(gt=0.5, lt=1)
    level_reason: Reason
    metric: Literal[1, 2]
    metric_reason: Reason
    variants: tuple[str, ...]
    variants_reason: Reason
    half_width_reason: Reason
    wide_factor: float = Field(ge=1)
    min_languages: int = Field(ge=1)
    min_languages_reason: Reason
    max_size_factor: float = Field(gt=1)
    max_months: int = Field(ge=0)
    pairs_reason: Reason
    close_factor: float = Field(gt=1)
    close_reason: Reason
    close_months: int = Field(ge=0)
    close_months_reason: Reason
    small_below: float = Field(gt=0)
    small_reason: Reason
    control_reason: Reason
    aggregate_reason: Reason
    english: str
    english_reason: Reason
    sign_reason: Reason
    bootstrap_reason: Reason
    thin_below: int = Field(ge=1)
    thin_reason: Reason
    start: str
    start_reason: Reason
    many: int = Field(ge=2)
    many_reason: Reason
    groups: Mapping[str, tuple[str, ...]]
    pair: tuple[Pair, ...]
    arena: Arena
    text: tuple[Text, ...]

    @model_validator(mode="after")
    def _by_its_own_rule(self) -> LanguageRules:
        names = [pair.id for pair in self.pair]
        if len(set(names)) < len(names):
            raise ValueError("a pair is declared twice")
        for pair in self.pair:
            if pair.factor > self.max_size_factor or pair.apart > self.max_months:
                raise ValueError(f"pair {pair.id} is outside the declared limits")
        return self

    def tasks(self, group: str) -> tuple[str, ...]:
        """Return the tasks of a group; ``all`` gives those of all groups."""
        if group == _NO_TASKS:
            return tuple(task for tasks in self.groups.values() for task in tasks)
        return tuple(self.groups[group])

    def chosen(self, which: str) -> tuple[Pair, ...]:
        """Return the pairs of Qwen and Llama that a choice of the grid means."""
        kinds = OWN if which == "with-mixed" else OWN[:1]
        pairs = tuple(pair for pair in self.pair if pair.kind in kinds)
        line = self.small_below / 1e9
        if which == "small":
            return tuple(pair for pair in pairs if max(pair.billions) < line)
        if which == "large":
            return tuple(pair for pair in pairs if max(pair.billions) >= line)
        if which == "close":
            return tuple(pair for pair in pairs if pair.factor <= self.close_factor)
        if which == "close-in-time":
            return tuple(pair for pair in pairs if pair.apart <= self.close_months)
        return pairs


def parse(content: Mapping[str, object]) -> LanguageRules:
    """Check ``data/languages.toml``; InputError names what is wrong."""
    return checked(LanguageRules, content, "data/languages.toml")


# ------------------------------------------------------------------------------------ the board


def board(frames: Mapping[str, pd.DataFrame], rules: LanguageRules) -> pd.DataFrame:
    """Return the differences of every declared pair on every data set that both were run on.

    Parameters
    ----------
    frames
        Language to rows of kind ``language-scores``.

    Returns
    -------
    pandas.DataFrame
        ``pair``, ``kind``, ``language``, ``task``, ``dataset``, ``metric``, ``a``, ``b`` (points),
        ``difference`` (points), ``half_width`` (of the difference, the two taken as independent).
        Pairs with fewer than the declared number of languages beside English are left out.
    """
    wanted = {name for pair in rules.pair for name in (pair.a, pair.b)}
    parts = []
    for language in sorted(frames):
        frame = frames[language]
        kept = frame[frame["model"].isin(wanted) & frame["variant"].fillna("").isin(rules.variants)]
        parts.append(kept.assign(language=language))
    scores = pd.concat(parts, ignore_index=True)
    key = ["language", "task", "dataset", "metric"]
    by_model = {name: part.set_index(key) for name, part in scores.groupby("model", sort=True)}
    found = []
    for pair in rules.pair:
        if pair.a not in by_model or pair.b not in by_model:
            continue
        first, second = by_model[pair.a].add_suffix("_a"), by_model[pair.b].add_suffix("_b")
        both = first.join(second, how="inner")
        both = both.sort_index().reset_index()
        others = set(both["language"]) - {rules.english}
        if len(others) < rules.min_languages:
            continue
        a, b = both["score_a"].astype("float64"), both["score_b"].astype("float64")
        half = np.hypot(
            both["half_width_a"].astype("float64"), both["half_width_b"].astype("float64")
        )
        found.append(
            both[key].assign(
                pair=pair.id, kind=pair.kind, a=a, b=b, difference=a - b, half_width=half
            )
        )
    names = ["pair", "kind", *key, "a", "b", "difference", "half_width"]
    return pd.concat(found, ignore_index=True)[names] if found else pd.DataFrame(columns=names)


def by_task(table: pd.DataFrame, tasks: Iterable[str], metric: int) -> pd.DataFrame:
    """Average over the data sets of a task: a row a pair, language and task.

    Returns
    -------
    pandas.DataFrame
        ``pair``, ``kind``, ``language``, ``task``, ``difference``, ``half_width`` (points).
    """
    own = table[table["task"].isin(list(tasks)) & (table["metric"] == metric)]
    own = own.assign(square=own["half_width"].astype("float64") ** 2)
    groups = own.groupby(["pair", "kind", "language", "task"], sort=True)
    out = groups.agg(difference=("difference", "mean"), square=("square", "sum"),
                     number=("square", "size")).reset_index()  # fmt: skip
    out["half_width"] = np.sqrt(out["square"]) / out["number"]
    return out.drop(columns=["square", "number"])


def by_language(table: pd.DataFrame, tasks: Iterable[str], metric: int) -> pd.DataFrame:
    """Average over tasks, each alike: a row a pair and language.

    Returns
    -------
    pandas.DataFrame
        ``pair``, ``kind``, ``language``, ``tasks`` (number), ``difference``, ``half_width``
        (points; half-widths of data sets taken as independent).
    """
    own = by_task(table, tasks, metric)
    own["square"] = own["half_width"] ** 2
    groups = own.groupby(["pair", "kind", "language"], sort=True)
    out = groups.agg(tasks=("task", "size"), difference=("difference", "mean"),
                     square=("square", "sum")).reset_index()  # fmt: skip
    out["half_width"] = np.sqrt(out["square"]) / out["tasks"]
    return out.drop(columns="square")


def sign_test(won: int, count: int) -> float:
    """Return the exact two-sided p-value of so many wins if each side won as often; NaN of none."""
    return float(binomtest(won, count).pvalue) if count else math.nan


def exact_share(won: int, count: int, level: float) -> tuple[float, float]:
    """Return the ends of the exact binomial interval of a share (Clopper and Pearson)."""
    got = binomtest(won, count).proportion_ci(confidence_level=level, method="exact")
    return float(got.low), float(got.high)


# ---------------------------------------------------------------------------------- the bootstrap


@lru_cache(maxsize=64)
def _drawn(seed: int, draws: int, sizes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """How often each of so many is drawn with replacement: for each size, draws by members."""
    generator = np.random.default_rng(seed)
    return tuple(
        generator.multinomial(size, np.full(size, 1.0 / size), size=draws).astype("float64")
        for size in sizes
    )


def clusters(pairs: Iterable[Pair]) -> dict[str, int]:
    """Return a number for each pair, the same for pairs that share a model, also by way of others.

    Examples
    --------
    Pairs A-B, C-B and C-D are one cluster; E-F is another.
    """
    own = list(pairs)
    found: dict[str, int] = {}
    for number, pair in enumerate(own):
        if pair.id in found:
            continue
        models, size = {pair.a, pair.b}, 0
        while size < len(models):
            size = len(models)
            for other in own:
                if models & {other.a, other.b}:
                    models |= {other.a, other.b}
                    found[other.id] = number
    return found


def cluster_of(table: pd.DataFrame, rules: LanguageRules) -> list[int]:
    """Return the cluster of each pair of a table, in the order of :func:`matrix`."""
    names = sorted(table["pair"].unique())
    found = clusters(pair for pair in rules.pair if pair.id in names)
    return [found[name] for name in names]


def crossed(
    values: np.ndarray,
    rules: LanguageRules,
    weight: str = "comparison",
    cluster: Sequence[int] | None = None,
) -> tuple[float, float, float]:
    """Return the mean over pairs and languages with its interval by drawing both anew.

    Parameters
    ----------
    values
        Pairs by languages (or pairs by languages by tasks), NaN where nothing was compared.
    weight
        ``comparison``: each value alike; ``pair``: each pair alike.
    cluster
        Of each pair, in the order of `values`; pairs of a cluster are drawn together. Without it
        each pair is one.

    Returns
    -------
    tuple of float
        Mean, lower and upper end, rounded to nine places; NaN of nothing, and no ends of one value.

    Notes
    -----
    Clusters and languages are drawn with replacement and crossed, tasks likewise where there are
    any; tasks are averaged within a language first. A draw without a comparison is left out.
    """
    known = np.isfinite(values)
    if not known.any():
        return math.nan, math.nan, math.nan
    filled, number = np.where(known, values, 0.0), known.astype("float64")
    _, group = np.unique(
        list(cluster) if cluster is not None else range(len(values)), return_inverse=True
    )
    sizes = (int(group.max()) + 1, *values.shape[1:])
    p, s, *more = _drawn(rules.seed, rules.draws, sizes)
    if more:
        # Tasks first: a language counts once, however many tasks were drawn of it.
        t = more[0]
        plain = _ratio(filled.sum(axis=2), number.sum(axis=2))
        cells = _ratio(
            np.einsum("plt,dt->dpl", filled, t), np.einsum("plt,dt->dpl", number, t)
        )  # fmt: skip
        some = np.isfinite(cells)
        total = np.einsum("dpl,dl->dp", np.where(some, cells, 0.0), s)
        count = np.einsum("dpl,dl->dp", some.astype("float64"), s)
        filled, number = np.where(np.isfinite(plain), plain, 0.0), np.isfinite(plain)
    else:
        total, count = s @ filled.T, s @ number.T
    ones = np.ones((1, len(values)))
    value = _over_pairs(filled.sum(axis=1)[None], number.sum(axis=1)[None], ones, weight)
    if known.sum() == 1:
        return round(float(value[0]), 9), math.nan, math.nan
    drawn = _over_pairs(total, count, p[:, group], weight)
    tail = (1 - rules.level) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return round(float(value[0]), 9), round(float(low), 9), round(float(high), 9)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return `above` over `below`, NaN where there is nothing to divide by."""
    out: np.ndarray = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return out


def _over_pairs(total: np.ndarray, count: np.ndarray, times: np.ndarray, weight: str) -> np.ndarray:
    """Mean over pairs of each draw, from sums and numbers by draw and pair."""
    if weight == "pair":
        share = _ratio(total, count)
        some = np.isfinite(share)
        total, count = np.where(some, share, 0.0), some.astype("float64")
    return _ratio((times * total).sum(axis=1), (times * count).sum(axis=1))


def matrix(table: pd.DataFrame, column: str, *, third: str | None = None) -> np.ndarray:
    """Return a column as pairs by languages (by `third`), NaN where a row is missing."""
    axes = [sorted(table[name].unique()) for name in ("pair", "language")]
    if third is not None:
        axes.append(sorted(table[third].unique()))
    out = np.full([len(axis) for axis in axes], np.nan)
    names = ["pair", "language", *([third] if third else [])]
    places = tuple(
        np.array([axis.index(value) for value in table[name]], dtype=int)
        for name, axis in zip(names, axes, strict=True)
    )
    out[places] = table[column].to_numpy(dtype="float64")
    return out


_FACTORS: Final = ("any", "beyond", "beyond-wide")


def _margin(table: pd.DataFrame, how: str, rules: LanguageRules) -> pd.Series:
    factor = dict(zip(_FACTORS, (0.0, 1.0, rules.wide_factor), strict=True))[how]
    return factor * table["half_width"]


def ahead(table: pd.DataFrame, how: str, rules: LanguageRules) -> pd.Series:
    """Whether `a` is ahead in each row.

    Parameters
    ----------
    table
        Rows with ``difference`` and ``half_width`` (points).
    how
        By ``any`` margin, ``beyond`` the board's interval, or ``beyond-wide``, that for the test
        set.
    """
    out: pd.Series = table["difference"] > _margin(table, how, rules)
    return out


def behind(table: pd.DataFrame, how: str, rules: LanguageRules) -> pd.Series:
    """Whether `a` is behind in each row, as :func:`ahead`."""
    out: pd.Series = -table["difference"] > _margin(table, how, rules)
    return out


# -------------------------------------------------------------------------------------- the Arena


def arena(frame: pd.DataFrame, rules: Arena) -> pd.DataFrame:
    """Return the differences of the declared pairs by language, inside one file.

    Returns
    -------
    pandas.DataFrame
        ``a``, ``b``, ``category``, ``difference`` and its ``lower`` and ``upper`` end (points of
        rating; half-widths added as if independent), ``votes_a``, ``votes_b``.
    """
    names = {name for pair in rules.pair for name in (pair.a, pair.b)}
    known = {
        (str(row["model"]), str(row["category"])): row
        for row in frame[frame["model"].isin(names)].to_dict("records")
    }
    rows: list[dict[str, Any]] = []
    for pair in rules.pair:
        for category in (*rules.languages, rules.english, rules.together):
            first, second = (known.get((name, category)) for name in (pair.a, pair.b))
            if first is None or second is None:
                continue
            a, b = float(first["rating"]), float(second["rating"])
            down = math.hypot(a - float(first["rating_lower"]), float(second["rating_upper"]) - b)
            up = math.hypot(float(first["rating_upper"]) - a, b - float(second["rating_lower"]))
            rows.append(
                {"a": pair.a, "b": pair.b, "category": category, "difference": a - b,
                 "lower": a - b - down, "upper": a - b + up,
                 "votes_a": first["votes"], "votes_b": second["votes"]}
            )  # fmt: skip
    return pd.DataFrame(rows)


# -------------------------------------------------------------------------------------- the texts


@dataclass(frozen=True)
class Stated:
    """What a text states of languages.

    Attributes
    ----------
    line
        Line of the text, from one.
    number
        Languages: the text's own number, or how many its list holds; None without either.
    named
        The list, parts joined by a comma and a space; empty without one.
    besides
        Languages that the number does not count, joined likewise.
    """

    line: int
    number: int | None = None
    named: str = ""
    besides: str = ""


def _parts(text: str | None) -> list[str]:
    names = [part.strip() for part in re.split(r",|\band\b", text or "")]
    return [name for name in names if name]


def stated(passages: pd.DataFrame, text: Text) -> Stated:
    """Return what a text states, from the first line that holds the declared words.

    Parameters
    ----------
    passages
        Rows of kind ``release-text``: ``line``, ``passage``.

    Raises
    ------
    InputError
        The declared words stand nowhere in the text.
    """
    for line, passage in zip(passages["line"], passages["passage"], strict=True):
        found = re.search(text.words, str(passage))
        if found is None:
            continue
        groups = found.groupdict()
        named, besides = _parts(groups.get("list")), ", ".join(_parts(groups.get("besides")))
        if groups.get("number"):
            return Stated(int(line), int(groups["number"]), besides=besides)
        if named:
            return Stated(int(line), len(named), ", ".join(named), besides)
        return Stated(int(line))
    raise InputError(
        f"data/languages.toml: {text.version}: no line holds {text.words!r}: correct the words"
    )
