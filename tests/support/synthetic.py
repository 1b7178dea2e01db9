"""A synthetic graph of declared relations, for tests of scale alone.

Nothing in it is real: numbers of derivatives follow a power law as on the Hub, a few per cent of
the repositories have several bases, and cycles, diamonds, self-loops and repeats are sprinkled in.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ROOTS = ("Qwen/Qwen2.5-", "meta-llama/Llama-3-", "deepseek-ai/DeepSeek-V2-", "google/gemma-2-")
WORDS = ("finetune", "adapter", "quantized", "merge")


def edges(count: int, *, seed: int = 20260822) -> pd.DataFrame:
    """Make a list of relations with `count` rows."""
    rng = np.random.default_rng(seed)
    nodes = max(int(count * 0.75), 20)
    own = max(nodes // 5000, 4)
    child = rng.integers(own, nodes, count)
    # Bases are early repositories: a heavy tail, and levels below it as on the Hub.
    base = (child * rng.random(count) ** 6).astype(np.int64)
    chain = rng.random(count) < 0.02
    base[chain] = np.maximum(child[chain] - 1, 0)
    again = rng.random(count) < 0.01
    child[again], base[again] = np.roll(child, 1)[again], np.roll(base, 1)[again]
    # The way back makes cycles: of two, and of more where another way leads on.
    back = np.flatnonzero(rng.random(count) < 0.001)
    child[back], base[back] = base[back - 1], child[back - 1]
    loop = rng.random(count) < 0.0005
    base[loop] = child[loop]
    ids = _ids(nodes, own, rng)
    words = pa.array(WORDS).take(pa.array(rng.integers(0, len(WORDS), count)))
    columns = {
        "repository_id": ids.take(pa.array(child)),
        "base_id": ids.take(pa.array(base)),
        "base_relation": words,
    }
    return pd.DataFrame(
        {
            n: v.to_pandas(types_mapper={pa.string(): pd.StringDtype()}.get)
            for n, v in columns.items()
        }
    )


def _ids(nodes: int, own: int, rng: np.random.Generator) -> pa.Array:
    number = pa.array(np.arange(nodes)).cast(pa.string())
    author = pa.array((rng.pareto(1.1, nodes) * 50).astype(np.int64) % (nodes // 4)).cast(
        pa.string()
    )
    prefix = np.asarray(ROOTS, dtype=object)[np.arange(nodes) % len(ROOTS)]
    theirs = pc.binary_join_element_wise("author-", author, "/a-derived-model-number-", number, "")
    ours = pc.binary_join_element_wise(pa.array(prefix), number, "")
    return pc.if_else(pa.array(np.arange(nodes) < own), ours, theirs)
