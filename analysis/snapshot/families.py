"""Which family a repository belongs to, by rules that are data (``data/families.toml``).

A family is told from the id alone: the organisation before the slash, letter by letter, and a
pattern on the name after it, without regard to case. Nothing else about a repository counts, so
the answer does not depend on the source, the day or the order of rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Self

#: Rules by which a repository is given to a family; each has its reason in the register.
Rule = Literal["official", "tracked", "with-reuploads", "organisation"]
RULES: Final[tuple[str, ...]] = get_args(Rule)

#: Regions as the public region list of the tracked models names them.
Region = Literal["us", "china", "eu", "other", "unknown"]

#: Names on the Hub have at most 96 letters; a longer one is no repository and is not searched.
LONGEST_NAME: Final = 200

_SEPARATORS: Final = re.compile(r"[-_.]+")


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern, re.IGNORECASE | re.ASCII)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]
Organisation = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,96}$")]
Pattern = Annotated[Words, AfterValidator(_compiles)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleEntry(_Entry):
    """Why a rule exists."""

    reason: Reason


class FamilyOrganisation(_Entry):
    """An organisation in which a family's official repositories lie."""

    organisation: Organisation
    names: Pattern | None = None
    except_: Annotated[Pattern | None, Field(alias="except")] = None
    reason: Reason


class Copies(_Entry):
    """How names of copies of a family begin, and which further words they may hold."""

    names: Pattern
    words: tuple[Words, ...] = ()
    reason: Reason


class Family(_Entry):
    """A line of models under one name."""

    title: Words
    maker: Words
    organisations: Annotated[tuple[FamilyOrganisation, ...], Field(min_length=1)]
    copies: Copies


class Reuploader(_Entry):
    """An organisation that publishes copies of others' models."""

    organisation: Organisation
    marked: bool = False
    reason: Reason


class CopyRules(_Entry):
    """What makes a name the name of a copy."""

    reason: Reason
    words: tuple[Pattern, ...]
    formats: tuple[Pattern, ...]
    numbers: tuple[Pattern, ...]
    reuploaders: tuple[Reuploader, ...]


class MakerOrganisation(_Entry):
    """An organisation of a maker, and which of its repositories are language models."""

    organisation: Organisation
    language_models: Pattern | None = None
    reason: Reason


class Maker(_Entry):
    """A company or institute that publishes models."""

    title: Words
    region: Region
    organisations: Annotated[tuple[MakerOrganisation, ...], Field(min_length=1)]


class Others(_Entry):
    """Organisations that stand for themselves."""

    reason: Reason
    organisations: tuple[Organisation, ...]


class Renamed(_Entry):
    """An organisation that changed its name."""

    old: Organisation
    new: Organisation
    reason: Reason


class Families(_Entry):
    """The register of families, makers, re-uploaders and renamed organisations.

    Made by :func:`parse`. Orders are those of the file.
    """

    rules: dict[Rule, RuleEntry]
    families: dict[Words, Family]
    copies: CopyRules
    makers: dict[Words, Maker]
    others: Others
    renamed: tuple[Renamed, ...] = ()

    _index: _Index = PrivateAttr()

    @model_validator(mode="after")
    def _check(self) -> Self:
        missing = [rule for rule in RULES if rule not in self.rules]
        if missing:
            raise ValueError(f"rules: no entry for {missing[0]!r}")
        owner: dict[str, str] = {}
        for maker_id, maker in self.makers.items():
            for entry in maker.organisations:
                first = owner.setdefault(entry.organisation, maker_id)
                if first != maker_id:
                    raise ValueError(
                        f"organisation {entry.organisation!r} stands with the makers {first!r} "
                        f"and {maker_id!r}"
                    )
        for name in self.others.organisations:
            if name in owner:
                raise ValueError(f"organisation {name!r} is of maker {owner[name]!r} and in others")
        taken: dict[str, str] = {}
        for family_id, family in self.families.items():
            if family.maker not in self.makers:
                raise ValueError(f"families.{family_id}: no maker {family.maker!r}")
            # The rule `organisation` gives all of a maker to its family, so it must be one.
            other = taken.setdefault(family.maker, family_id)
            if other != family_id:
                raise ValueError(f"families {other!r} and {family_id!r} share a maker")
            for place in family.organisations:
                if owner.get(place.organisation) != family.maker:
                    raise ValueError(
                        f"families.{family_id}: organisation {place.organisation!r} is not one of "
                        f"maker {family.maker!r}"
                    )
        self._index = _Index(self)
        return self

    @property
    def titles(self) -> dict[str, str]:
        """Family id to the name that readers know."""
        return {name: family.title for name, family in self.families.items()}

    def region_of(self, organisation: str) -> str | None:
        """Region of an organisation of a maker; None when it belongs to none."""
        maker = self._index.maker_of.get(organisation)
        return None if maker is None else self.makers[maker].region


class _Index:
    """Everything looked up by organisation, with patterns compiled once."""

    def __init__(self, register: Families) -> None:
        flags = re.IGNORECASE | re.ASCII
        self.official: dict[
            str, list[tuple[str, re.Pattern[str] | None, re.Pattern[str] | None]]
        ] = {}
        self.maker_of: dict[str, str] = {}
        self.language_models: dict[str, re.Pattern[str] | None] = {}
        self.family_of_maker = {
            family.maker: family_id for family_id, family in register.families.items()
        }
        self.reuploaders = {
            entry.organisation: entry.marked for entry in register.copies.reuploaders
        }
        self.renamed = {entry.old: entry.new for entry in register.renamed}
        for maker_id, maker in register.makers.items():
            for entry in maker.organisations:
                self.maker_of[entry.organisation] = maker_id
                self.language_models[entry.organisation] = (
                    None
                    if entry.language_models is None
                    else re.compile(entry.language_models, flags)
                )
        common = "|".join((*register.copies.words, *register.copies.numbers))
        formats = "|".join(register.copies.formats)
        self.formats = re.compile(f"(?:{formats})", flags)
        self.copies: list[tuple[str, re.Pattern[str], re.Pattern[str]]] = []
        for family_id, family in register.families.items():
            prefixes = "|".join(re.escape(place.organisation) for place in family.organisations)
            own = "|".join(re.escape(word) for word in family.copies.words)
            self.copies.append(
                (
                    family_id,
                    # bartowski and others write the maker's organisation before the name.
                    re.compile(f"(?:(?:{prefixes})[_-])?(?:{family.copies.names})", flags),
                    re.compile(f"(?:{'|'.join(filter(None, (own, common, formats)))})", flags),
                )
            )
            for place in family.organisations:
                self.official.setdefault(place.organisation, []).append(
                    (
                        family_id,
                        None if place.names is None else re.compile(place.names, flags),
                        None if place.except_ is None else re.compile(place.except_, flags),
                    )
                )

    def official_claims(self, organisation: str, name: str) -> Iterator[str]:
        for family_id, names, without in self.official.get(organisation, ()):
            if names is not None and not names.fullmatch(name):
                continue
            if without is not None and without.fullmatch(name):
                continue
            yield family_id

    def copy_claims(self, organisation: str, name: str) -> Iterator[str]:
        marked = self.reuploaders.get(organisation)
        if marked is None:
            return
        for family_id, start, allowed in self.copies:
            begin = start.match(name)
            if begin is None:
                continue
            rest = name[begin.end() :]
            if rest and rest[0] not in "-_." and not ("0" <= rest[0] <= "9"):
                continue
            words = [word for word in _SEPARATORS.split(rest) if word]
            if not all(allowed.fullmatch(word) for word in words):
                continue
            if marked and not any(self.formats.fullmatch(word) for word in words):
                continue
            yield family_id

    def claims(self, organisation: str, name: str, rule: str) -> list[str]:
        if not name or len(name) > LONGEST_NAME:
            return []
        if rule == "organisation":
            maker = self.maker_of.get(organisation)
            family = self.family_of_maker.get(maker) if maker is not None else None
            return [] if family is None else [family]
        found = list(self.official_claims(organisation, name))
        if rule == "with-reuploads":
            found += [one for one in self.copy_claims(organisation, name) if one not in found]
        return found

    def known(self, rule: str) -> set[str]:
        """Organisations that matter to a rule."""
        if rule == "organisation":
            return set(self.maker_of)
        if rule == "with-reuploads":
            return set(self.official) | set(self.reuploaders)
        return set(self.official)


Families.model_rebuild()


def parse(mapping: Mapping[str, Any], *, where: str = "data/families.toml") -> Families:
    """Check a register and build the look-up tables.

    Parameters
    ----------
    mapping : mapping
        The parsed TOML.
    where : str
        The file, for errors.

    Raises
    ------
    InputError
        An entry is missing, unknown or contradicts another; the message names it.
    """
    try:
        return Families.model_validate(dict(mapping))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        more = error.error_count() - 1
        also = f" (and {more} more)" if more else ""
        start = f"{where}: {place}: " if place else f"{where}: "
        raise InputError(f"{start}{message}{also}") from None


def _ids(values: pd.Series[Any] | pd.DataFrame) -> pd.Series[Any]:
    """Ids as text; what is not text, or not valid Unicode, becomes null."""
    if isinstance(values, pd.DataFrame):
        if "repository_id" not in values.columns:
            raise InputError("families: the table has no column 'repository_id'")
        values = values["repository_id"]
    if isinstance(values.dtype, pd.StringDtype):
        return values.astype("string")
    usable: list[str | None] = []
    for value in values:
        text = value if isinstance(value, str) else None
        if text is not None:
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                text = None
        usable.append(text)
    return pd.Series(usable, index=values.index, dtype="string")


def _check_rule(rule: str) -> None:
    if rule not in RULES:
        raise InputError(f"families: no rule {rule!r}; known: {', '.join(RULES)}")


def _look_up(
    ids: pd.Series[Any], known: set[str], answer: Callable[[str, str], str | None]
) -> pd.Series[Any]:
    """Ask `answer` about the ids of known organisations; all others are null.

    Arrow finds those rows, so Python sees only the few of millions that can matter.
    """
    values = pa.chunked_array(pa.array(ids, type=pa.string()))
    organisations = pc.replace_substring_regex(values, pattern=r"(?s)/.*\z", replacement="")
    relevant = pc.is_in(organisations, value_set=pa.array(sorted(known), type=pa.string()))
    places = pc.indices_nonzero(relevant)
    texts = values.take(places).to_pylist()
    out: list[str | None] = [None] * len(ids)
    for place, text in zip(places.to_pylist(), texts, strict=True):
        organisation, slash, name = text.partition("/")
        if slash:
            out[place] = answer(organisation, name)
    return pd.Series(out, index=ids.index, dtype="string")


def _in_list(ids: pd.Series[Any], tracked: pd.Series[Any] | pd.DataFrame) -> pd.Series[Any]:
    return ids.isin(_ids(tracked).dropna()).astype(bool)


def assign(
    ids: pd.Series[Any] | pd.DataFrame,
    families: Families,
    rule: str = "official",
    *,
    tracked: pd.Series[Any] | pd.DataFrame | None = None,
) -> pd.Series[Any]:
    """Give each repository its family, or none.

    Parameters
    ----------
    ids : pandas.Series or pandas.DataFrame
        Repository ids, or a frame with a column ``repository_id``.
    families : Families
        The register.
    rule : str
        One of :data:`RULES`.
    tracked : pandas.Series or pandas.DataFrame, optional
        The tracked list; needed by the rule ``tracked`` and refused by the others.

    Returns
    -------
    pandas.Series
        Family id or NA, type ``string``, on the index of `ids`. Where two families claim one
        repository (which a test rules out, see :func:`conflicts`) the first in the register.

    Raises
    ------
    InputError
        Unknown rule, or the tracked list is missing or superfluous.
    """
    _check_rule(rule)
    if (rule == "tracked") != (tracked is not None):
        need = "needs a tracked list" if rule == "tracked" else "takes no tracked list"
        raise InputError(f"families: rule {rule!r} {need}")
    texts = _ids(ids)
    index = families._index

    def answer(organisation: str, name: str) -> str | None:
        found = index.claims(organisation, name, rule)
        return found[0] if found else None

    assigned = _look_up(texts, index.known(rule), answer)
    return assigned if tracked is None else assigned.where(_in_list(texts, tracked))


def conflicts(
    ids: pd.Series[Any] | pd.DataFrame, families: Families, rule: str = "official"
) -> pd.DataFrame:
    """List the repositories that more than one family claims.

    Parameters
    ----------
    ids : pandas.Series or pandas.DataFrame
        Repository ids, or a frame with a column ``repository_id``.
    families : Families
        The register.
    rule : str
        One of :data:`RULES`; ``tracked`` claims what ``official`` does.

    Returns
    -------
    pandas.DataFrame
        Columns ``repository_id`` and ``families`` (ids joined by a comma), sorted, without
        repeats; empty when all is well.
    """
    _check_rule(rule)
    index = families._index

    def answer(organisation: str, name: str) -> str | None:
        found = index.claims(organisation, name, rule)
        return ", ".join(found) if len(found) > 1 else None

    texts = _ids(ids)
    claimed = _look_up(texts, index.known(rule), answer)
    frame = pd.DataFrame({"repository_id": texts, "families": claimed}).dropna()
    return frame.drop_duplicates().sort_values("repository_id").reset_index(drop=True)


def makers(
    ids: pd.Series[Any] | pd.DataFrame,
    families: Families,
    *,
    language_models: bool = False,
    tracked: pd.Series[Any] | pd.DataFrame | None = None,
) -> pd.Series[Any]:
    """Give each repository its maker, or none.

    Parameters
    ----------
    ids : pandas.Series or pandas.DataFrame
        Repository ids, or a frame with a column ``repository_id``.
    families : Families
        The register.
    language_models : bool
        Leave out repositories that the register does not count as language models: Whisper of
        OpenAI, BERT of Google.
    tracked : pandas.Series or pandas.DataFrame, optional
        Leave out repositories that are not in this list.

    Returns
    -------
    pandas.Series
        Maker id or NA, type ``string``, on the index of `ids`.
    """
    index = families._index

    def answer(organisation: str, name: str) -> str | None:
        if not name or len(name) > LONGEST_NAME:
            return None
        pattern = index.language_models[organisation]
        if language_models and pattern is not None and not pattern.fullmatch(name):
            return None
        return index.maker_of[organisation]

    texts = _ids(ids)
    assigned = _look_up(texts, set(index.maker_of), answer)
    return assigned if tracked is None else assigned.where(_in_list(texts, tracked))


def canonical(ids: pd.Series[Any] | pd.DataFrame, families: Families) -> pd.Series[Any]:
    """Write ids of renamed organisations with the new name; all others stay as they are.

    A source that lists a repository under both names would count it twice.
    """
    texts = _ids(ids)
    renamed = families._index.renamed
    new = _look_up(
        texts, set(renamed), lambda organisation, name: f"{renamed[organisation]}/{name}"
    )
    return new.fillna(texts)
