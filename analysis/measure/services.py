"""What the clouds rent out: from keys of a price table to models, families and first days.

A key names a provider, often a region, a contract or an inference profile, a publisher and a
model, each cloud in spellings of its own. :func:`place` takes off what is no part of the name and
folds the spellings of one model, by rules that are data (``data/services.toml``), so that a model
with many keys counts once.

The table says what is offered, as its keepers knew it. An entry arrives late, so the first version
that holds it bounds the day from above, and that the version before lacks it bounds nothing: the
interval between the two holds for the table, not for the cloud. Entries are seldom removed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Final, NamedTuple

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from analysis.entries import checked

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4)]

#: Keys longer than this are no names of models; a pattern never sees them.
LONGEST: Final = 200


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None


class Cloud(_Strict):
    """A cloud, with the providers and keys by which the table names it."""

    id: str
    title: str
    owner: str
    providers: tuple[str, ...]
    keys: str
    reason: Reason


class Part(_Strict):
    """What is taken off one end of a key."""

    pattern: str
    only: tuple[str, ...] = ()
    reason: Reason


class Publisher(_Strict):
    """Spellings of a publisher, and the families that its models may belong to."""

    names: tuple[str, ...]
    families: tuple[str, ...]
    reason: Reason


class Family(_Strict):
    """How the names of a family's models begin; `bare` where the publisher's name replaces it."""

    id: str
    names: str
    bare: str | None = None
    reason: Reason


class Alias(_Strict):
    """Spellings that fold into one name."""

    family: str
    pattern: str
    name: str
    clouds: tuple[str, ...] = ()
    reason: Reason


class ServiceRules(_Strict):
    """``data/services.toml``."""

    cloud: tuple[Cloud, ...]
    prefix: tuple[Part, ...]
    suffix: tuple[Part, ...]
    publisher: tuple[Publisher, ...]
    family: tuple[Family, ...]
    derived: tuple[str, ...]
    derived_reason: Reason
    alias: tuple[Alias, ...]
    pointers: tuple[str, ...]
    pointers_reason: Reason
    modes: tuple[str, ...]
    modes_reason: Reason
    newest_after_days: int = Field(ge=0)
    newest_after_days_reason: Reason

    @model_validator(mode="after")
    def _fits(self) -> ServiceRules:
        for pattern in (
            *(entry.keys for entry in self.cloud),
            *(entry.pattern for entry in (*self.prefix, *self.suffix)),
            *(entry.pattern for entry in self.alias),
            *(entry.names for entry in self.family),
            *(entry.bare for entry in self.family if entry.bare),
            *self.pointers,
        ):
            _compiled(pattern)
        families = {entry.id for entry in self.family}
        named = {
            *(name for entry in self.publisher for name in entry.families),
            *(entry.family for entry in self.alias),
            *(name for entry in self.suffix for name in entry.only),
        }
        if strange := sorted(named - families):
            raise ValueError(f"no family {strange[0]!r}; there are: {', '.join(sorted(families))}")
        clouds = {entry.id for entry in self.cloud}
        if strange := sorted({name for a in self.alias for name in a.clouds} - clouds):
            raise ValueError(f"no cloud {strange[0]!r}; there are: {', '.join(sorted(clouds))}")
        return self

    @property
    def families(self) -> tuple[str, ...]:
        """Ids of the families, in the order of the file."""
        return tuple(entry.id for entry in self.family)

    @cached_property
    def by_publisher(self) -> dict[str, tuple[str, ...]]:
        """Families by spelling of the publisher."""
        return {name: entry.families for entry in self.publisher for name in entry.names}


def parse(mapping: Mapping[str, object]) -> ServiceRules:
    """Validate the content of ``data/services.toml``; InputError names a wrong entry."""
    return checked(ServiceRules, mapping, "data/services.toml")


class Place(NamedTuple):
    """What a key names: a cloud, and there a family and a model, None where it is of none."""

    cloud: str
    family: str | None
    model: str | None


def cloud_of(key: str, provider: str | None, rules: ServiceRules) -> str | None:
    """Return the cloud of an entry; None for other services.

    The provider decides where it is given. The oldest version gives none; there the key does.
    """
    for cloud in rules.cloud:
        if provider is not None:
            if provider in cloud.providers or any(
                provider.startswith(name) for name in cloud.providers if name.endswith("-")
            ):
                return cloud.id
        elif re.fullmatch(cloud.keys, key.lower()):
            return cloud.id
    return None


def _bare(name: str, family: str | None, rules: ServiceRules) -> str:
    """Take the suffixes off a name, each once, in the order of the rules."""
    for part in rules.suffix:
        if part.only and family not in part.only:
            continue
        name = re.sub(rf"(?:{part.pattern})\Z", "", name)
    return name


def place(key: str, provider: str | None, rules: ServiceRules) -> Place | None:
    """Return what a key of the price table names.

    Parameters
    ----------
    key
        As the table spells it.
    provider
        As the table's keepers name it; None where they do not.
    rules
        ``data/services.toml``.

    Returns
    -------
    Place or None
        None where the entry is of none of the three clouds. Family and model are None where the
        key names a model of no family here, another maker's work on such a model, or no model
        (a pointer such as ``mistral-large@latest``).

    Examples
    --------
    >>> place("us.meta.llama3-1-8b-instruct-v1:0", "bedrock", rules)  # doctest: +SKIP
    Place(cloud='bedrock', family='llama', model='llama-3.1-8b')
    """
    cloud = cloud_of(key, provider, rules) if len(key) <= LONGEST else None
    if cloud is None:
        return None
    none = Place(cloud, None, None)
    name = key.lower()
    for part in rules.prefix:
        name = re.sub(rf"\A(?:{part.pattern})", "", name)
    # A publisher stands before a point on Bedrock and before a slash on Vertex.
    publisher, sign, rest = re.match(r"([a-z0-9-]*)([./]?)(.*)\Z", name, re.DOTALL).groups()  # type: ignore[union-attr]
    allowed: tuple[str, ...] | None = None
    if sign and publisher in rules.by_publisher:
        allowed, name = rules.by_publisher[publisher], rest
    elif "/" in name:
        # Somebody else's: the family's name in it does not make it the family's.
        return none
    if any(word in name for word in rules.derived):
        return none
    if any(re.search(rf"(?:{pointer})\Z", name) for pointer in rules.pointers):
        return none
    for family in rules.family:
        if allowed is not None and family.id not in allowed:
            continue
        if re.fullmatch(family.names, name) or (
            allowed is not None and family.bare and re.fullmatch(family.bare, name)
        ):
            return Place(cloud, family.id, _folded(_bare(name, family.id, rules), family.id,
                                                   cloud, rules))  # fmt: skip
    return none


def _folded(name: str, family: str, cloud: str, rules: ServiceRules) -> str:
    for alias in rules.alias:
        if alias.family != family or (alias.clouds and cloud not in alias.clouds):
            continue
        if found := re.fullmatch(alias.pattern, name):
            return found.expand(alias.name)
    return name


#: Columns of :func:`offers`.
OFFERS: Final = ("key", "cloud", "family", "model", "mode", "priced", "retired")


def offers(frame: pd.DataFrame, day: date, rules: ServiceRules) -> pd.DataFrame:
    """Return the entries of the three clouds that name a model of a family.

    Parameters
    ----------
    frame
        One version of the table, as the reader gives it (``service_key``, and where the version
        has them ``provider``, ``mode``, ``price_in``, ``price_out``, ``retires_on``).
    day
        As-of day of the version.

    Returns
    -------
    pandas.DataFrame
        A row an entry, in the order of its key: ``key``, ``cloud``, ``family``, ``model``,
        ``mode``, ``priced`` (a price above zero), ``retired`` (its day of retirement, as the
        table gives it, is not after `day`). Other modes than those of the rules are left out.
    """

    def column(name: str) -> list[Any]:
        if name not in frame.columns:
            return [None] * len(frame)
        return [None if pd.isna(value) else value for value in frame[name]]

    rows = []
    for key, provider, mode, paid, paid_out, retires in zip(
        column("service_key"),
        column("provider"),
        column("mode"),
        column("price_in"),
        column("price_out"),
        column("retires_on"),
        strict=True,
    ):
        if mode not in rules.modes:
            continue
        found = place(str(key), provider, rules)
        if found is None or found.model is None:
            continue
        priced = any(price is not None and price > 0 for price in (paid, paid_out))
        retired = retires is not None and retires.date() <= day
        rows.append((str(key), *found, mode, priced, retired))
    table = pd.DataFrame(rows, columns=["key", "cloud", "family", "model", *OFFERS[4:]])
    return table.sort_values("key", kind="stable").reset_index(drop=True)


def on_offer(table: pd.DataFrame, rules: ServiceRules) -> pd.DataFrame:
    """Count models on offer, a row each cloud and family, zero where none is seen.

    Parameters
    ----------
    table
        Entries of one version (:func:`offers`).

    Returns
    -------
    pandas.DataFrame
        ``cloud``, ``family``, ``models`` (distinct, not retired), ``priced`` (of them, with a
        price), ``retired`` (distinct models whose every entry is past its day), ``keys``
        (entries of all of them).
    """
    rows = []
    for cloud in rules.cloud:
        for family in rules.families:
            part = table[(table["cloud"] == cloud.id) & (table["family"] == family)]
            live = part[~part["retired"].astype("bool")]
            models = set(live["model"])
            rows.append(
                {
                    "cloud": cloud.id,
                    "family": family,
                    "models": len(models),
                    "priced": live.loc[live["priced"].astype("bool"), "model"].nunique(),
                    "retired": len(set(part["model"]) - models),
                    "keys": len(part),
                }
            )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Seen:
    """When a table first and last holds something.

    Attributes
    ----------
    after
        Day of the version before the first that holds it; None where the first of all does.
    first, last
        Days of the first and the last version that hold it.
    gone
        Day of the first version after the last one that holds it; None where the newest does.
    """

    after: date | None
    first: date
    last: date
    gone: date | None


def seen(days: Mapping[date, pd.DataFrame], by: tuple[str, ...]) -> dict[tuple[str, ...], Seen]:
    """Return when each combination of columns is seen in the versions.

    Parameters
    ----------
    days
        Entries by day of the version (:func:`offers`).
    by
        Columns, such as ``("cloud", "family")``.
    """
    order = sorted(days)
    found: dict[tuple[str, ...], list[int]] = {}
    for place_, day in enumerate(order):
        for key in sorted(set(days[day][list(by)].itertuples(index=False, name=None))):
            found.setdefault(key, []).append(place_)
    return {
        key: Seen(
            order[places[0] - 1] if places[0] else None,
            order[places[0]],
            order[places[-1]],
            order[places[-1] + 1] if places[-1] + 1 < len(order) else None,
        )
        for key, places in sorted(found.items())
    }


def generation_of(model: str) -> str | None:
    """Return the generation that the folded name of a Llama model states: ``Llama 3.1``."""
    found = re.match(r"llama-(\d+(?:\.\d+)?)-", model)
    return f"Llama {found.group(1)}" if found else None
