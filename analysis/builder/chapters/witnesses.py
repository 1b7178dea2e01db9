"""One table of all instruments: what each says, by source, day and family, in its own unit."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

import pandas as pd

from analysis.builder.chapters import languages, pulls, services
from analysis.builder.chapters.made import Made
from analysis.builder.derived import qwen_llama_table
from analysis.claims.world import LLAMA, QWEN, World

#: Columns of the table, in order.
COLUMNS: Final = (
    *("source", "version", "day", "since", "instrument", "family", "measure", "unit"),
    *("value", "lower", "upper", "grade"),
)
#: Parts that read an instrument other than the Hub's counter.
PARTS: Final[tuple[ModuleType, ...]] = (pulls, services, languages)
#: Name of the Hub's counter among the instruments, and of its readings among the sources: an
#: estimate for a day draws on several files.
HUB: Final = "Hugging Face Hub"
HUB_SOURCE: Final = "several"

_ORDER: Final = ["instrument", "source", "version", "day", "measure", "family"]


def hub(world: World) -> pd.DataFrame:
    """Return the Hub's own counters of Qwen and Llama on each day of the record.

    Returns
    -------
    pandas.DataFrame
        :data:`COLUMNS`; downloads of the family's own repositories, with the interval under
        the tested assumptions (thirty days) or the one that the data force (all time).
    """
    table = qwen_llama_table(world)
    own = table[table["family_rule"] == "official"]
    return pd.DataFrame(
        {
            "source": HUB_SOURCE,
            "version": "",
            "day": own["day"],
            "since": "",
            "instrument": HUB,
            "family": own["family"].map({"Qwen": QWEN, "Llama": LLAMA}),
            "measure": own["measure"],
            "unit": "downloads",
            "value": own["downloads"].astype("float64"),
            "lower": own["lower"].astype("float64"),
            "upper": own["upper"].astype("float64"),
            "grade": own["grade"],
        }
    )


def witnesses(world: World) -> pd.DataFrame:
    """Set what every instrument says side by side; nothing of it may be added up.

    Returns
    -------
    pandas.DataFrame
        :data:`COLUMNS`, a row a source, version, day, instrument, family and measure. ``value``
        is empty where only an interval is known; ``since`` is the day from which a flow runs, and
        empty for what stands for its day.
    """
    frames: list[pd.DataFrame] = [hub(world)]
    for part in PARTS:
        made: Any = part.witnesses(world)
        if "since" not in made.columns:
            made = made.assign(since="")
        frames.append(made[list(COLUMNS)])
    every = pd.concat([frame.astype({"value": "float64"}) for frame in frames], ignore_index=True)
    return every.sort_values(_ORDER, kind="stable").reset_index(drop=True)


#: Tables of this part.
TABLES: Final = (
    Made(
        "witnesses",
        witnesses,
        (
            *("hub-stats", "llmfit", "makers", "expansion", "panel", "tracked", "roots"),
            *("top30", "top25", "top15", "trending"),
            *("ollama-gallery", "ollama-library", "ollama-registry"),
            *("services-litellm", "services-tokencost", "router"),
            *("euroeval", "arena-languages", "arena-text", "arena-page"),
            *("quality-daily", "quality-open"),
            *("euroeval", "arena-languages"),
        ),
        "what every instrument says by source, day and family, in its own unit",
    ),
)
