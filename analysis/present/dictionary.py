"""The data dictionary, made from the one place where fields are defined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from analysis.present.markup import Html
from analysis.present.tables import Column, table


def dictionary(fields: Iterable[Any]) -> Html:
    """Return the table of fields: name, type, unit, meaning, what null means, whose definition.

    Parameters
    ----------
    fields : iterable
        ``analysis.snapshot.schema.FIELDS``.
    """
    frame = pd.DataFrame(
        [
            {
                "field": field.name,
                "type": field.dtype,
                "unit": None if field.unit == "-" else field.unit,
                "meaning": field.meaning,
                "null": field.null_meaning,
                "source": field.source,
            }
            for field in fields
        ]
    )
    columns = [
        Column("field"),
        Column("type"),
        Column("unit"),
        Column("meaning"),
        Column("null", "where nothing stands"),
        Column("source", "whose definition"),
    ]
    return table(frame, columns, caption="Fields of a snapshot", stacked=True)
