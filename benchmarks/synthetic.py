"""Make a snapshot of a Hub that does not exist, as large and as uneven as the real one.

    python benchmarks/synthetic.py --rows 3000000 --relations 1800000 --seed 1 whole.parquet

The file has the columns and types of the hub-stats table. Its downloads, likes and fan-out are
drawn from distributions fitted to the real cut of May 2026 (``fitted.json`` says which, with what
parameters; ``--fit`` computes them again from the raw file). It is marked synthetic in its
metadata, and the readers of the record refuse such a file: no claim can be checked on it.

Every value is a function of the seed and the number of the repository, so a file of the same rows,
relations and seed has the same bytes, and memory does not grow with what has been written.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.special import ndtri, zeta
from tqdm import tqdm

FITTED: Final = Path(__file__).with_name("fitted.json")

#: The mark that the readers look for, as `analysis.snapshot.intake` names it.
MARK: Final = b"open-model-record:synthetic"

#: Rows in a row group, as DuckDB writes them by default.
GROUP: Final = 122_880

#: Rows that are made at a time.
PIECE: Final = 20_480

#: Most bases that one repository declares here.
MOST_BASES: Final = 12

#: Most tags of a repository, besides those that its other columns give.
MOST_TAGS: Final = 40

#: Fields of the parameters by type in the real cut.
KINDS: Final = (
    *("BF16", "F32", "F8_E4M3", "U8", "I64", "F8_E8M0", "I8", "I32", "F16", "U32", "BOOL"),
    *("I16", "U16", "C64", "F64", "miku", "fastllm", "F8_E5M2", "U64", "F6_E2M3"),
)
SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("author", pa.string()),
        ("createdAt", pa.timestamp("us")),
        ("lastModified", pa.timestamp("us")),
        ("downloads", pa.int64()),
        ("downloadsAllTime", pa.int64()),
        ("likes", pa.int64()),
        ("trendingScore", pa.float64()),
        ("tags", pa.list_(pa.field("element", pa.string()))),
        ("cardData", pa.string()),
        (
            "safetensors",
            pa.struct(
                [("parameters", pa.struct([(k, pa.int64()) for k in KINDS])), ("total", pa.int64())]
            ),
        ),
        ("gguf", pa.string()),
        (
            "baseModels",
            pa.struct(
                [
                    ("relation", pa.string()),
                    (
                        "models",
                        pa.list_(
                            pa.field(
                                "element", pa.struct([("_id", pa.string()), ("id", pa.string())])
                            )
                        ),
                    ),
                ]
            ),
        ),
        ("pipeline_tag", pa.string()),
        ("library_name", pa.string()),
    ]
)

Whole = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Parts = npt.NDArray[np.float64]

# ------------------------------------------------------------------------------------ chance


def mixed(seed: int, stream: int, numbers: npt.ArrayLike) -> Whole:
    """64 bits for each number, as splitmix64 makes them: the same on every machine."""
    start = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03) & 0xFFFFFFFFFFFFFFFF
    x = np.asarray(numbers).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(start)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def uniform(seed: int, stream: int, numbers: npt.ArrayLike) -> Parts:
    """Numbers between 0 and 1, never either."""
    return (mixed(seed, stream, numbers) >> np.uint64(11)).astype(np.float64) / 2**53 + 2.0**-54


class Choice:
    """Texts to choose from, with weights."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.texts = pa.array([text or None for text in weights], pa.string())
        steps = np.cumsum(np.asarray(list(weights.values()), dtype=np.float64))
        self.ends = steps / steps[-1]

    def places(self, parts: Parts) -> Places:
        """Which text each number between 0 and 1 stands for."""
        return np.minimum(np.searchsorted(self.ends, parts, side="right"), len(self.ends) - 1)

    def take(self, parts: Parts) -> pa.Array:
        """Return the texts themselves."""
        return self.texts.take(pa.array(self.places(parts)))


def letters(numbers: Whole, width: int, alphabet: str = "0123456789abcdef") -> pa.Array:
    """Write numbers with the letters of an alphabet, each `width` long."""
    table = np.frombuffer(alphabet.encode(), dtype=np.uint8)
    out = np.empty((len(numbers), width), dtype=np.uint8)
    left = numbers.copy()
    for place in range(width - 1, -1, -1):
        out[:, place] = table[(left % np.uint64(len(table))).astype(np.int64)]
        left //= np.uint64(len(table))
    ends = np.arange(len(numbers) + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(ends), pa.py_buffer(out))


def joined(*parts: pa.Array | str) -> pa.Array:
    """Put texts together, row by row; null where one of them is."""
    return pc.binary_join_element_wise(*(*parts, ""))


# -------------------------------------------------------------------------------------- fitting


def mixture(values: Parts, rounds: int = 500) -> dict[str, list[float]]:
    """Fit two normal distributions to numbers by expectation and maximisation."""
    mean = np.quantile(values, [0.3, 0.9])
    spread = np.full(2, values.std() / 2)
    weight = np.array([0.7, 0.3])
    for _ in range(rounds):
        dense = weight / spread * np.exp(-0.5 * ((values[:, None] - mean) / spread) ** 2)
        part = dense / dense.sum(axis=1, keepdims=True)
        total = part.sum(axis=0)
        mean = (part * values[:, None]).sum(axis=0) / total
        spread = np.sqrt((part * (values[:, None] - mean) ** 2).sum(axis=0) / total)
        weight = total / total.sum()
    return {
        "weight": weight.round(6).tolist(),
        "mean": mean.round(6).tolist(),
        "spread": spread.round(6).tolist(),
    }


def tail(counts: Sequence[int]) -> float:
    """Exponent of a discrete power law from 1 on, by maximum likelihood."""
    logs = float(np.log(counts).mean())
    low, high = 1.01, 6.0
    for _ in range(80):
        middle = (low + high) / 2
        slope = (np.log(zeta(middle + 1e-5)) - np.log(zeta(middle - 1e-5))) / 2e-5
        low, high = (middle, high) if -slope > logs else (low, middle)
    return round(low, 6)


def line(x: Parts, y: Parts) -> list[float]:
    """Fit a straight line: constant, slope, and spread around it."""
    slope, constant = np.polyfit(x, y, 1)
    return [round(float(v), 6) for v in (constant, slope, (y - constant - slope * x).std())]


def fit() -> dict[str, Any]:
    """Compute the constants from the real cut."""
    from analysis import raw
    from analysis.snapshot import families as families_module

    cut = pq.read_table(raw.fetch("hub-stats-2026-05")).to_pydict()
    rows = len(cut["id"])
    rolling = np.log1p(np.array(cut["downloads"], dtype=np.float64))
    every = np.log1p(np.array(cut["downloadsAllTime"], dtype=np.float64))
    likes = np.log1p(np.array(cut["likes"], dtype=np.float64))
    stated = [one for one in cut["baseModels"] if one is not None]
    fan = collections.Counter(m["id"] for one in stated for m in one["models"])
    bases = collections.Counter(min(len(one["models"]), MOST_BASES) for one in stated)
    register = families_module.parse(raw.declared("families"))
    own = families_module.assign(_series(cut["id"]), register)
    official = [i for i, f in zip(cut["id"], own.notna(), strict=True) if f]
    known = [name for name, number in fan.most_common() if number >= 3]
    known += sorted(set(official) - set(known))
    words = collections.Counter(
        word
        for name in cut["id"]
        for word in re.split(r"[-_.]", name.split("/")[-1])
        if 2 <= len(word) <= 16 and word.isascii()
    )
    text = " ".join(card for card in cut["cardData"] if card)
    prose = collections.Counter(re.findall(r"[A-Za-z][A-Za-z']{1,14}", text))
    tags = collections.Counter(tag for one in cut["tags"] for tag in one if ":" not in tag)
    lengths = [len(card or "") for card in cut["cardData"]]
    level = np.linspace(0, 1, 41)

    def shares(values: Sequence[str | None], most: int = 40) -> dict[str, float]:
        found = collections.Counter(value or "" for value in values).most_common(most)
        return {name: round(number / rows, 6) for name, number in found}

    def licence(tags_of: Sequence[str]) -> str | None:
        return next((tag[8:] for tag in tags_of if tag.startswith("license:")), None)

    return {
        "fitted_to": "hub-stats-2026-05, 4,167 rows; it is no random sample of the Hub",
        "how": {
            "downloads": "log(1 + downloads) as two normal distributions, by expectation and "
            "maximisation in 500 rounds",
            "downloads_all_time": "log(1 + all-time) on log(1 + downloads): constant, slope and "
            "spread by least squares; never below the downloads",
            "likes": "the same, for likes",
            "fan_out": "repositories that declare a base: a discrete power law from 1 on, exponent "
            "by maximum likelihood",
            "author": "repositories of an author: the same",
            "bases": "distinct bases of a derivative: shares as they are, 12 standing for more",
            "lengths": "letters of card data at 41 levels from 0 to 1, straight lines between",
        },
        "downloads": mixture(rolling) | {"largest": int(max(cut["downloads"]))},
        "downloads_all_time": line(rolling, every),
        "likes": line(rolling, likes),
        "fan_out": tail(list(fan.values())),
        "author": tail(list(collections.Counter(cut["author"]).values())),
        "bases": [round(bases[n] / len(stated), 6) for n in range(1, MOST_BASES + 1)],
        "relation": shares([one["relation"] for one in stated]),
        "quantiles": {
            "level": [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99],
            "downloads": np.quantile(cut["downloads"], [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
            .round(1)
            .tolist(),
            "fan_out": np.quantile(list(fan.values()), [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
            .round(1)
            .tolist(),
        },
        "lengths": np.quantile(lengths, level).round().astype(int).tolist(),
        "tags_a_row": round(sum(map(len, cut["tags"])) / rows, 3),
        "pipeline_tag": shares(cut["pipeline_tag"]),
        "library_name": shares(cut["library_name"]),
        "licence": shares([licence(one) for one in cut["tags"]], 60),
        "tags": dict(tags.most_common(400)),
        "words": dict(words.most_common(700)),
        "prose": [word for word, _ in prose.most_common(4000)],
        "known": known,
    }


def _series(ids: Sequence[str]) -> Any:
    import pandas as pd

    return pd.Series(ids, dtype="string")


# ----------------------------------------------------------------------------------- the rows


class Hub:
    """A Hub that does not exist: repository n is the same whenever it is asked for."""

    def __init__(self, rows: int, relations: int, seed: int, fitted: Mapping[str, Any]) -> None:
        self.rows, self.seed, self.fitted = rows, seed, fitted
        # A small Hub has few of the known repositories, so that they do not outweigh the rest.
        self.known = pa.array(fitted["known"][: max(1, rows // 20)], pa.string())
        self.words = Choice(fitted["words"])
        self.tags = Choice(fitted["tags"])
        self.pipeline = Choice(fitted["pipeline_tag"])
        self.library = Choice(fitted["library_name"])
        self.licence = Choice(fitted["licence"])
        self.relation = Choice(fitted["relation"])
        bases = np.asarray(fitted["bases"])
        self.base_ends = np.cumsum(bases) / bases.sum()
        mean = float((bases * np.arange(1, len(bases) + 1)).sum() / bases.sum())
        self.more_tags = fitted["tags_a_row"] - 3.7 - 2 * relations / rows
        self.derivative_share = min(1.0, relations / mean / rows)
        self.authors = self._sizes(fitted["author"], rows, rows // 100 + 1, 1)
        # The bases come first, the most used ones before all others: whoever derives comes later
        # than its base, so nothing descends from itself.
        fan = self._sizes(fitted["fan_out"], relations, max(relations // 50, 1), 2)
        self.stubs = np.cumsum(np.sort(fan)[::-1])
        self.paragraphs = self._paragraphs()

    def _sizes(self, exponent: float, total: int, largest: int, stream: int) -> Places:
        """Sizes of groups by a discrete power law, as many as make up the total."""
        size = np.arange(1, min(largest, 1_000_000) + 1, dtype=np.float64)
        ends = np.cumsum(size**-exponent)
        ends /= ends[-1]
        out: list[Places] = []
        have = first = 0
        while have < total:
            numbers = np.arange(first, first + 65_536)
            sizes = np.searchsorted(ends, uniform(self.seed, stream, numbers)) + 1
            out.append(sizes)
            have += int(sizes.sum())
            first += len(numbers)
        sizes = np.concatenate(out)
        enough = int(np.searchsorted(np.cumsum(sizes), total)) + 1
        return sizes[:enough]

    def _paragraphs(self) -> pa.Array:
        """Texts for cards, as long as the real ones are."""
        count = min(16_384, max(256, self.rows // 8))
        prose = self.fitted["prose"]
        lengths = np.interp(
            uniform(self.seed, 3, np.arange(count)),
            np.linspace(0, 1, len(self.fitted["lengths"])),
            np.minimum(self.fitted["lengths"], 20_000),
        )
        # Cards repeat each other's phrases, which is why real ones compress so well.
        words = (uniform(self.seed, 4, np.arange(6 * 600)) * len(prose)).astype(int).tolist()
        phrases = [" ".join(prose[word] for word in words[n : n + 6]) for n in range(0, 3_600, 6)]
        out, first = [], 0
        for length in lengths:
            number = max(1, int(length / 45))
            places = uniform(self.seed, 60, np.arange(first, first + number)) ** 3 * len(phrases)
            out.append(". ".join([phrases[int(place)] for place in places]))
            first += number
        return pa.array(out, pa.string())

    def part(self, stream: int, numbers: npt.ArrayLike) -> Parts:
        """Chance of a kind for some repositories."""
        return uniform(self.seed, stream, numbers)

    def ids(self, numbers: Places) -> pa.Array:
        """Ids of some repositories: those of known bases first, made up ones after them."""
        group = np.searchsorted(np.cumsum(self.authors), mixed(self.seed, 5, numbers) % self.rows)
        group = np.minimum(group, len(self.authors) - 1)
        author = joined(
            self.words.take(self.part(6, group)),
            letters(mixed(self.seed, 7, group) % np.uint64(36**3), 3, _LETTERS),
        )
        # The last part is the number of the repository in disguise, so no id stands twice.
        own = letters(self._disguised(numbers), 5, _LETTERS)
        name = pc.binary_join_element_wise(
            self.words.take(self.part(8, numbers)),
            self.words.take(self.part(9, numbers)),
            self.words.take(self.part(10, numbers)),
            own,
            "-",
        )
        made = pc.binary_join_element_wise(author, name, "/")
        real = numbers < len(self.known)
        if not real.any():
            return made
        given = self.known.take(pa.array(np.where(real, numbers, 0)))
        return pc.if_else(pa.array(real), given, made)

    def _disguised(self, numbers: Places) -> Whole:
        space = np.uint64(36**5)
        return (numbers.astype(np.uint64) * np.uint64(32_452_843) + np.uint64(self.seed)) % space

    def downloads(self, numbers: Places) -> Places:
        """Give rolling downloads."""
        fitted = self.fitted["downloads"]
        second = self.part(11, numbers) >= fitted["weight"][0]
        mean, spread = (np.asarray(fitted[name])[second.astype(int)] for name in ("mean", "spread"))
        logs = mean + spread * ndtri(self.part(12, numbers))
        # Nothing real has ten times the downloads of the cut's largest.
        return np.clip(np.expm1(logs).round(), 0, 10 * fitted["largest"]).astype(np.int64)

    def bases(self, numbers: Places) -> tuple[Places, Places]:
        """Give how many bases each repository declares, and the numbers of all, in a row.

        A repository that declares none has 0.
        """
        many = np.searchsorted(self.base_ends, self.part(13, numbers)) + 1
        derives = (self.part(14, numbers) < self.derivative_share) & (numbers > 0)
        many = np.where(derives, np.minimum(many, MOST_BASES), 0)
        child = np.repeat(numbers, many)
        place = np.arange(len(child)) - np.repeat(np.cumsum(many) - many, many)
        reach = self.stubs[np.minimum(child, len(self.stubs)) - 1]
        stub = (self.part(15, child * MOST_BASES + place) * reach).astype(np.int64)
        return many, np.searchsorted(self.stubs, stub, side="right")

    def table(self, numbers: Places) -> pa.Table:
        """Rows of some repositories."""
        n = len(numbers)
        ids = self.ids(numbers)
        slash = pc.list_element(pc.split_pattern(ids, "/", max_splits=1), 0)
        author = pc.if_else(pc.match_substring(ids, "/"), slash, pa.scalar(None, pa.string()))
        downloads = self.downloads(numbers)
        logs = np.log1p(downloads)

        def along(name: str, stream: int) -> Places:
            constant, slope, spread = self.fitted[name]
            found = constant + slope * logs + spread * ndtri(self.part(stream, numbers))
            return np.maximum(np.expm1(found).round(), 0).astype(np.int64)

        # Twice as many repositories a year, from March 2022 to the end of May 2026.
        years = 4.25 + np.log2(np.maximum(self.part(18, numbers), 2.0**-4.25))
        created = 1_646_092_800 + (years * 31_556_952).astype(np.int64)
        modified = created - (np.log(self.part(19, numbers)) * 2_000_000).astype(np.int64)
        modified = np.minimum(modified, 1_780_185_600)
        pipeline = self.pipeline.take(self.part(20, numbers))
        library = self.library.take(self.part(21, numbers))
        licence = self.licence.take(self.part(22, numbers))
        many, base = self.bases(numbers)
        base_ids = self.ids(base)
        word = self.relation.take(self.part(23, numbers))
        size = np.exp(20.5 + 2.0 * ndtri(self.part(24, numbers))).astype(np.int64)
        sized = self.part(25, numbers) < 0.8
        kind = np.where(
            self.part(26, numbers) < 0.7, 0, np.where(self.part(27, numbers) < 0.5, 1, 8)
        )
        trending = np.where(
            self.part(28, numbers) < 0.94, 0.0, np.floor(1 / self.part(29, numbers))
        )
        columns = {
            "id": ids,
            "author": author,
            "createdAt": pa.array(created * 1_000_000, pa.timestamp("us")),
            "lastModified": pa.array(modified * 1_000_000, pa.timestamp("us")),
            "downloads": pa.array(downloads),
            "downloadsAllTime": pa.array(np.maximum(along("downloads_all_time", 16), downloads)),
            "likes": pa.array(along("likes", 17)),
            "trendingScore": pa.array(np.minimum(trending, 500.0)),
            "tags": self._tags(numbers, pipeline, library, licence, word, many, base_ids),
            "cardData": self._cards(numbers, pipeline, library, licence, many, base_ids),
            "safetensors": _sizes(size, sized, kind),
            "gguf": self._gguf(numbers, size),
            "baseModels": self._base_models(word, many, base, base_ids),
            "pipeline_tag": pipeline,
            "library_name": library,
        }
        assert all(len(column) == n for column in columns.values())
        return pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)

    def _tags(
        self,
        numbers: Places,
        pipeline: pa.Array,
        library: pa.Array,
        licence: pa.Array,
        word: pa.Array,
        many: Places,
        base_ids: pa.Array,
    ) -> pa.Array:
        n = len(numbers)
        rows = np.arange(n)
        of_base = np.repeat(rows, many)
        licensed = joined("license:", licence)
        stated = pc.if_else(pc.is_valid(word), word, "finetune").take(pa.array(of_base))
        parts: list[tuple[Places, pa.Array]] = [(rows, library), (rows, pipeline)]
        # So many that with all the others they come to the number of tags in the cut.
        extra = np.floor(-np.log(self.part(30, numbers)) * self.more_tags + 0.5).astype(np.int64)
        for slot in range(MOST_TAGS):
            some = rows[slot < extra]
            chance = self.part(100 + slot, numbers[some])
            parts.append((some, self.tags.take(chance)))
        arxiv = rows[self.part(31, numbers) < 0.25]
        paper = mixed(self.seed, 32, numbers[arxiv])
        month = pa.array(2001 + (paper % np.uint64(600)).astype(np.int64)).cast(pa.string())
        parts += [
            (
                arxiv,
                joined(
                    "arxiv:", pa.array(month).cast(pa.string()), ".", letters(paper, 5, _DIGITS)
                ),
            ),
            (of_base, joined("base_model:", base_ids)),
            (of_base, joined("base_model:", stated, ":", base_ids)),
            (rows, licensed),
            (rows, pa.array(["region:us"] * n, pa.string())),
        ]
        row = np.concatenate([place for place, _ in parts])
        texts = pa.concat_arrays([text for _, text in parts])
        there = texts.is_valid().to_numpy(zero_copy_only=False)
        order = np.argsort(row, kind="stable")
        order = order[there[order]]
        ends = np.concatenate([[0], np.cumsum(np.bincount(row[there], minlength=n))])
        return pa.ListArray.from_arrays(
            pa.array(ends, pa.int32()), texts.take(pa.array(order)), type=SCHEMA.field("tags").type
        )

    def _cards(
        self,
        numbers: Places,
        pipeline: pa.Array,
        library: pa.Array,
        licence: pa.Array,
        many: Places,
        base_ids: pa.Array,
    ) -> pa.Array:
        def entry(name: str, values: pa.Array) -> pa.Array:
            return pc.fill_null(joined(f'"{name}": "', values, '", '), "")

        n = len(numbers)
        ends = pa.array(np.concatenate([[0], np.cumsum(many)]), pa.int32())
        lists = pa.ListArray.from_arrays(ends, base_ids)
        bases = joined('"base_model": ["', pc.binary_join(lists, '", "'), '"], ')
        bases = pc.if_else(pa.array(many > 0), bases, "")
        other = pc.equal(pc.fill_null(licence, ""), "other")
        own = pc.if_else(other, '"license_name": "own-licence", ', "")
        score = letters(mixed(self.seed, 33, numbers), 6, _DIGITS)
        text = self.paragraphs.take(
            pa.array((self.part(34, numbers) * len(self.paragraphs)).astype(np.int64))
        )
        card = joined(
            "{",
            entry("pipeline_tag", pipeline),
            entry("library_name", library),
            entry("license", licence),
            own,
            bases,
            '"model-index": [{"value": ',
            joined("0.", score),
            ', "text": "',
            text,
            '"}]}',
        )
        none = pa.array(self.part(35, numbers) < 0.016)
        assert len(card) == n
        return pc.if_else(none, pa.scalar(None, pa.string()), card)

    def _gguf(self, numbers: Places, size: Places) -> pa.Array:
        text = joined(
            '{"total": ',
            pa.array(size).cast(pa.string()),
            ', "architecture": "',
            self.words.take(self.part(36, numbers)),
            '", "context_length": 32768}',
        )
        there = pa.array(self.part(37, numbers) < 0.05)
        return pc.if_else(there, text, pa.scalar(None, pa.string()))

    def _base_models(self, word: pa.Array, many: Places, base: Places, ids: pa.Array) -> pa.Array:
        shape = SCHEMA.field("baseModels").type
        models = shape.field("models").type
        hexes = joined(
            letters(mixed(self.seed, 38, base), 12), letters(mixed(self.seed, 39, base), 12)
        )
        flat = pa.StructArray.from_arrays([hexes, ids], fields=list(models.value_type))
        ends = pa.array(np.concatenate([[0], np.cumsum(many)]), pa.int32())
        none = pa.array(many == 0)
        lists = pa.ListArray.from_arrays(ends, flat, type=models, mask=none)
        stated = pc.if_else(none, pa.scalar(None, pa.string()), word)
        return pa.StructArray.from_arrays([stated, lists], fields=list(shape), mask=none)


_LETTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = "0123456789"


def _sizes(size: Places, there: npt.NDArray[np.bool_], kind: Places) -> pa.Array:
    shape = SCHEMA.field("safetensors").type
    by_kind = [
        pa.array(size, mask=~there | (kind != place))
        if place in (0, 1, 8)
        else pa.nulls(len(size), pa.int64())
        for place in range(len(KINDS))
    ]
    none = pa.array(~there)
    inner = pa.StructArray.from_arrays(
        by_kind, fields=list(shape.field("parameters").type), mask=none
    )
    total = pa.array(size, mask=~there)
    return pa.StructArray.from_arrays([inner, total], fields=list(shape), mask=none)


# ------------------------------------------------------------------------------------- writing


def write(
    path: Path,
    *,
    rows: int,
    relations: int,
    seed: int = 1,
    fitted: Mapping[str, Any] | None = None,
    quiet: bool = True,
) -> None:
    """Write a synthetic snapshot; the file is there whole or not at all.

    Parameters
    ----------
    path
        The file to write.
    rows
        Repositories.
    relations
        Statements of a base, about: a few name the same base twice.
    seed
        Another number makes another Hub.
    fitted
        Constants; those of :data:`FITTED` when left out.
    quiet
        Whether no progress is shown.
    """
    hub = Hub(rows, relations, seed, fitted or json.loads(FITTED.read_text(encoding="utf-8")))
    # An odd step through the numbers: the first repositories do not stand first in the file.
    step = next(s for s in range(int(rows * 0.618) | 1, 10**9, 2) if np.gcd(s, rows) == 1)
    said = f"rows {rows}, relations {relations}, seed {seed}".encode()
    schema = SCHEMA.with_metadata({MARK: said})
    part = path.with_name(f".{path.name}.part")
    try:
        with (
            pq.ParquetWriter(part, schema, compression="snappy") as writer,
            tqdm(total=rows, unit=" rows", unit_scale=True, disable=quiet, leave=False) as bar,
        ):
            for first in range(0, rows, GROUP):
                place = np.arange(first, min(first + GROUP, rows), dtype=np.int64)
                # In small pieces: what a piece needs while it is made is far more than the piece.
                pieces = np.array_split(place, -(-len(place) // PIECE))
                table = pa.concat_tables([hub.table(piece * step % rows) for piece in pieces])
                writer.write_table(table.replace_schema_metadata(schema.metadata), GROUP)
                bar.update(len(place))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0],
        epilog=(
            "examples:\n"
            "  python benchmarks/synthetic.py --rows 3000000 --relations 1800000 whole.parquet\n"
            "  python benchmarks/synthetic.py --rows 20000 --seed 7 small.parquet\n"
            "  python benchmarks/synthetic.py --fit    constants again, from the real cut\n\n"
            "What is written is no reading of the Hub, and says so in its metadata."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT.parquet", help="file to write")
    parser.add_argument("--rows", type=int, default=3_000_000, help="repositories (3,000,000)")
    parser.add_argument(
        "--relations", type=int, help="declared bases, about (default: 0.6 a repository)"
    )
    parser.add_argument("--seed", type=int, default=1, help="another number, another Hub (1)")
    parser.add_argument("--fit", action="store_true", help=f"write {FITTED.name} from the real cut")
    args = parser.parse_args(argv)
    if args.fit:
        FITTED.write_text(json.dumps(fit(), indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
        print(f"constants written to {FITTED}")
        if args.out is None:
            return 0
    if args.out is None:
        parser.error("name the file to write, or give --fit")
    relations = args.rows * 6 // 10 if args.relations is None else args.relations
    if args.rows < 1 or relations < 0 or args.seed < 0 or args.rows > 36**5:
        parser.error("--rows from 1 to 60,466,176; --relations and --seed of 0 or more")
    try:
        write(
            args.out,
            rows=args.rows,
            relations=relations,
            seed=args.seed,
            quiet=not sys.stderr.isatty(),
        )
    except OSError as error:
        print(f"error: {args.out}: cannot be written: {error.strerror or error}", file=sys.stderr)
        return 2
    print(f"{args.out}: {args.rows:,} rows, {args.out.stat().st_size:,} bytes, marked synthetic")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
