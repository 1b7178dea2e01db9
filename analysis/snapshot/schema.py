"""The field registry: every column that a snapshot may hold, defined once.

Readers name their columns from :data:`FIELDS`, :func:`conform` orders and casts by it, and the
data dictionary page prints it. A column that is not here cannot leave this room.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow as pa

from analysis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEXT: Final = "string"
COUNT: Final = "Int64"
NUMBER: Final = "Float64"
FLAG: Final = "boolean"
INSTANT: Final = "datetime64[us, UTC]"
DAY: Final = "datetime64[us]"
TEXTS: Final = "list[string]"

_HUB = "Hugging Face Hub API, GET /api/models"
_HERE = "this project"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of the schema.

    Attributes
    ----------
    name : str
        Canonical name, the same in every source.
    dtype : str
        The pandas type; ``list[string]`` stands for an Arrow list of text.
    unit : str
        Unit of the values, ``"-"`` where there is none.
    meaning : str
        What a value says.
    null_meaning : str
        What an absent value says.
    source : str
        Whose definition this is.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    null_meaning: str
    source: str

    @property
    def pandas_dtype(self) -> Any:
        """The type to cast to, an object that ``Series.astype`` takes."""
        return pd.ArrowDtype(pa.list_(pa.string())) if self.dtype == TEXTS else self.dtype


def _fields() -> dict[str, Field]:
    known = [
        Field(
            "list",
            TEXT,
            "-",
            "Which ranking of the file the row stands in: downloads, likes, trending, small or "
            "recent",
            "never null",
            _HERE,
        ),
        Field(
            "rank",
            COUNT,
            "place",
            "Place in that ranking, counted from 1 in the file's order",
            "never null",
            _HERE,
        ),
        Field(
            "day",
            DAY,
            "day",
            "Day that the source gives to the row; only in sources whose rows carry their own",
            "never null",
            "the source",
        ),
        Field(
            "group",
            TEXT,
            "-",
            "Group of organisations as the source names it; groups changed between its versions",
            "never null",
            "the source",
        ),
        Field(
            "week_date",
            DAY,
            "day",
            "Week in which the repositories counted in the row were created",
            "never null",
            "the source; read from the data: totals are the running sum over these weeks",
        ),
        Field(
            "repository_id",
            TEXT,
            "-",
            "Id of the repository, organisation/name, as the source spells it",
            "never null",
            _HUB + ", field id",
        ),
        Field(
            "organisation",
            TEXT,
            "-",
            "Organisation or user that holds the repository: the part of the id before the slash",
            "the id has no organisation: one of the Hub's first repositories",
            _HERE,
        ),
        Field(
            "model",
            TEXT,
            "-",
            "Name of the repository without its organisation",
            "the source gives none",
            "the source",
        ),
        Field(
            "author",
            TEXT,
            "-",
            "Author as the panel harmonises it; not always the organisation of the id",
            "the source gives none",
            "the source",
        ),
        Field(
            "country",
            TEXT,
            "-",
            "Country of the author, or user, Online, International where it has none",
            "the source gives none",
            "the source",
        ),
        Field(
            "country_group",
            TEXT,
            "-",
            "The source's coarser grouping of country",
            "the source gives none",
            "the source",
        ),
        Field(
            "derived_organisation",
            TEXT,
            "-",
            "Author of the model that the repository derives from, by the source's annotation; "
            "the author itself where it derives from none",
            "the source gives none",
            "the source",
        ),
        Field(
            "derived_country",
            TEXT,
            "-",
            "Country of the derived organisation",
            "the source gives none",
            "the source",
        ),
        Field(
            "derived_country_group",
            TEXT,
            "-",
            "The source's coarser grouping of derived country",
            "the source gives none",
            "the source",
        ),
        Field(
            "region",
            TEXT,
            "-",
            "Region of an organisation: us, china, eu, other or unknown",
            "the source gives none",
            "Interconnects-AI/tracked-models, metadata",
        ),
        Field(
            "downloads_30d",
            COUNT,
            "requests in 30 days",
            "Rolling 30-day downloads: requests for the repository's query files in the 30 days "
            "before the reading. For an organisation week: the sum over the group's repositories "
            "created up to that week, so the last row of a group is the group's total",
            "not read, or not usable (the reader's problems say which)",
            _HUB + ", field downloads",
        ),
        Field(
            "downloads_30d_created",
            COUNT,
            "requests in 30 days",
            "The part of downloads_30d that falls on repositories created in that very week",
            "not read, or not usable",
            "cepsai.github.io, field downloads_week",
        ),
        Field(
            "downloads_all_time",
            COUNT,
            "requests",
            "Downloads since the beginning; has been seen to fall on days of correction",
            "not read, or not usable",
            _HUB + ", field downloadsAllTime",
        ),
        Field(
            "likes",
            COUNT,
            "likes",
            "Likes of the repository, or of the group's repositories",
            "not read, or not usable",
            _HUB + ", field likes",
        ),
        Field(
            "trending_score",
            NUMBER,
            "-",
            "The Hub's own trending score",
            "not read",
            _HUB + ", field trendingScore",
        ),
        Field(
            "repositories",
            COUNT,
            "repositories",
            "Repositories of the group of all types, created up to that week",
            "not read",
            "cepsai.github.io, field repos_total",
        ),
        Field(
            "models",
            COUNT,
            "repositories",
            "Model repositories of the group, created up to that week",
            "not read",
            "cepsai.github.io, field models_total",
        ),
        Field(
            "read_at",
            INSTANT,
            "UTC",
            "When the row was read",
            "the source gives one time for all",
            "this project's captures, column capturedAt",
        ),
        Field(
            "created_at",
            INSTANT,
            "UTC",
            "When the repository was created; readings that give a day only stand at midnight",
            "not read",
            _HUB + ", field createdAt",
        ),
        Field(
            "last_modified",
            INSTANT,
            "UTC",
            "When the repository was last changed",
            "not read",
            _HUB + ", field lastModified",
        ),
        Field(
            "created_on",
            DAY,
            "day",
            "Day of creation on the Hub, as the list of release corrections gives it",
            "not given",
            "Interconnects-AI/tracked-models, metadata",
        ),
        Field(
            "released_on",
            DAY,
            "day",
            "Day of public release: announced, or in a catalogue the day that it gives, which for "
            "rows found through the Hub is the day of creation",
            "not given",
            "the source",
        ),
        Field(
            "pipeline_tag",
            TEXT,
            "-",
            "The one task that the Hub files the repository under",
            "the repository has none, or the source does not know it",
            _HUB + ", field pipeline_tag",
        ),
        Field(
            "library_name",
            TEXT,
            "-",
            "Library that the repository is made for",
            "none declared, or not read",
            _HUB + ", field library_name",
        ),
        Field(
            "licence",
            TEXT,
            "-",
            "Licence identifier that the repository declares",
            "none declared, or not read",
            _HUB + ", tag license:…",
        ),
        Field(
            "licence_name",
            TEXT,
            "-",
            "Name that the card gives to a licence of the maker's own, declared as `other`",
            "none given, or not read",
            _HUB + ", field cardData.license_name",
        ),
        Field(
            "tags",
            TEXTS,
            "-",
            "Tags of the repository; short rankings carry only the first few",
            "not read",
            _HUB + ", field tags",
        ),
        Field(
            "parameters_total",
            COUNT,
            "parameters",
            "Number of parameters in the weights, as the safetensors headers sum to or a "
            "catalogue gives",
            "no safetensors weights, or not read",
            _HUB + ", field safetensors.total",
        ),
        Field(
            "parameters_total_b",
            NUMBER,
            "1e9 parameters",
            "Total parameters as the list's keepers record them",
            "not given",
            "Interconnects-AI/tracked-models, metadata",
        ),
        Field(
            "parameters_active_b",
            NUMBER,
            "1e9 parameters",
            "Parameters active for one token in a mixture of experts",
            "not given; for a dense model all are active",
            "Interconnects-AI/tracked-models, metadata",
        ),
        Field(
            "is_mixture",
            FLAG,
            "-",
            "Whether the model is a mixture of experts",
            "not recorded",
            "Interconnects-AI/tracked-models, metadata",
        ),
        Field(
            "base_models",
            TEXTS,
            "-",
            "Ids of the repositories that the author declares as base",
            "none declared, or not read",
            _HUB + ", field baseModels.models",
        ),
        Field(
            "base_relation",
            TEXT,
            "-",
            "How it derives from them: finetune, quantized, merge or adapter; inferred by the Hub",
            "no base declared, or not read",
            _HUB + ", field baseModels.relation",
        ),
        Field(
            "base_id",
            TEXT,
            "-",
            "Id of the repository that is declared as base, one row a relation; a name without "
            "organisation where the card gives no more",
            "never null",
            _HUB + ", tag base_model:…, or the text of the card",
        ),
        Field(
            "base_text",
            TEXT,
            "-",
            "What the card holds under base_model where the Hub gives no tag for it: a bare name, "
            "a repository that the Hub does not know, or a sentence",
            "none, or the Hub gives tags",
            "card of the repository, as the source copies it",
        ),
        Field(
            "month",
            COUNT,
            "months since release",
            "Month after the release of the base in which the count was reached; 0 is the release",
            "never null",
            "the source",
        ),
        Field(
            "derivatives",
            COUNT,
            "repositories",
            "Repositories that declare this one as a base: in a count by month all so far, in a "
            "list of roots the direct ones",
            "not given",
            "the source",
        ),
        Field(
            "languages",
            TEXTS,
            "-",
            "Languages that the author declares, as codes",
            "not read",
            _HUB + ", field cardData.language",
        ),
        Field(
            "gated",
            FLAG,
            "-",
            "Whether conditions must be accepted on the Hub before files can be fetched",
            "not read",
            _HUB + ", field gated",
        ),
        Field(
            "removed",
            FLAG,
            "-",
            "Whether the source found the repository gone when it looked again",
            "not read",
            "the source",
        ),
        Field(
            "storage_bytes",
            COUNT,
            "bytes",
            "Space that the files of the repository take on the Hub",
            "not read",
            _HUB + ", field usedStorage",
        ),
        Field(
            "line",
            COUNT,
            "line",
            "Line of the text on which the passage begins, counted from 1",
            "never null",
            _HERE,
        ),
        Field(
            "passage",
            TEXT,
            "-",
            "A passage of a text in its own words, white space folded: a sentence of a licence, a "
            "line of a release text",
            "never null",
            "the source",
        ),
        Field(
            "revision",
            TEXT,
            "-",
            "Commit of the repository at the reading",
            "not read",
            _HUB + ", field sha",
        ),
        Field(
            "looked_up",
            FLAG,
            "-",
            "False where the catalogue row was written by hand and its counters were never looked "
            "up on the Hub",
            "the source does not tell",
            _HERE,
        ),
        Field(
            "variant",
            TEXT,
            "-",
            "What stands in brackets behind a model's name on a board: other splits or prompts",
            "no brackets",
            "the source",
        ),
        Field(
            "task",
            TEXT,
            "-",
            "Task of a data set on a board of scores",
            "never null",
            "the source",
        ),
        Field(
            "dataset",
            TEXT,
            "-",
            "Data set of a score",
            "never null",
            "the source",
        ),
        Field(
            "metric",
            COUNT,
            "place",
            "Which metric of the data set, counted from 1 in the board's order",
            "never null",
            "the source",
        ),
        Field(
            "score",
            NUMBER,
            "points",
            "Score, mostly from 0 to 100; chance-corrected metrics can be negative",
            "never null",
            "the source",
        ),
        Field(
            "half_width",
            NUMBER,
            "points",
            "Half-width of the 95 % interval: 1.96 standard errors of the mean of ten runs",
            "never null",
            "the source",
        ),
        Field(
            "category",
            TEXT,
            "-",
            "Part of the votes that a rating rests on: a language, a kind of prompt, or all",
            "never null",
            "the source",
        ),
        Field(
            "rating",
            NUMBER,
            "points",
            "Rating from paired votes; differences have a meaning inside one file alone",
            "never null",
            "the source",
        ),
        Field(
            "rating_lower",
            NUMBER,
            "points",
            "Lower limit of the rating as the source gives it",
            "the source gives none",
            "the source",
        ),
        Field(
            "rating_upper",
            NUMBER,
            "points",
            "Upper limit of the rating as the source gives it",
            "the source gives none",
            "the source",
        ),
        Field(
            "votes",
            COUNT,
            "votes",
            "Votes that the rating rests on",
            "the source gives none",
            "the source",
        ),
        Field(
            "library_model",
            TEXT,
            "-",
            "Name of an entry of Ollama's library; each holds a family of files under tags",
            "never null",
            "Ollama, library",
        ),
        Field(
            "pulls",
            COUNT,
            "pulls",
            "Requests to Ollama's registry for an entry since the beginning, as its page shows "
            "them, rounded to pulls_unit",
            "not read, or not usable",
            "Ollama, library",
        ),
        Field(
            "pulls_unit",
            COUNT,
            "pulls",
            "Unit to which the page rounds: 1 below ten thousand, a hundred below a million, a "
            "tenth of a million above",
            "pulls not read",
            _HERE,
        ),
        Field(
            "sizes",
            TEXTS,
            "-",
            "Sizes of an entry of Ollama's library, as its tags name them",
            "not read",
            "Ollama, library",
        ),
        Field(
            "default_size",
            TEXT,
            "-",
            "The size that the tag latest leads to, by the hash of the files",
            "not read, or no size has that hash",
            _HERE,
        ),
        Field(
            "updated_on",
            DAY,
            "day",
            "Day on which an entry of Ollama's library was last changed, counted back by the "
            "source from words such as '3 weeks ago'",
            "not read, or only in words",
            "the source",
        ),
        Field(
            "notes",
            TEXT,
            "-",
            "Remark of the list's keepers",
            "no remark",
            "the source",
        ),
        Field(
            "service_key",
            TEXT,
            "-",
            "Key of an entry of the price table: provider and model as the table spells them",
            "never null",
            "litellm, model_prices_and_context_window",
        ),
        Field(
            "provider",
            TEXT,
            "-",
            "Provider of the entry as the table's keepers name it",
            "not given, as in the oldest versions",
            "litellm, field litellm_provider",
        ),
        Field(
            "mode",
            TEXT,
            "-",
            "What the model is for: chat, completion, embedding, image_generation and so on",
            "not given",
            "litellm, field mode",
        ),
        Field(
            "price_in",
            NUMBER,
            "US dollars a token",
            "Price of a token read; 0 stands for no charge or for no known price",
            "the entry is priced otherwise, or not priced",
            "litellm, field input_cost_per_token",
        ),
        Field(
            "price_out",
            NUMBER,
            "US dollars a token",
            "Price of a token written; 0 stands for no charge or for no known price",
            "the entry is priced otherwise, or not priced",
            "litellm, field output_cost_per_token",
        ),
        Field(
            "retires_on",
            DAY,
            "day",
            "Day on which the provider withdraws the model, as the table gives it",
            "none given: it may be withdrawn all the same",
            "litellm, field deprecation_date",
        ),
        Field(
            "price_source",
            TEXT,
            "-",
            "Page that the table's keepers took the price from, as they wrote it",
            "not given",
            "litellm, field source",
        ),
        Field(
            "section",
            TEXT,
            "-",
            "Section of the router's page: models, market_share (makers), or the traffic of one "
            "use",
            "never null",
            "OpenRouter rankings",
        ),
        Field(
            "maker",
            TEXT,
            "-",
            "Maker of the models, as the router names it",
            "never null",
            "OpenRouter rankings",
        ),
        Field(
            "router_model",
            TEXT,
            "-",
            "Model as the router names it; `:free` is the same model without charge",
            "the section is of makers",
            "OpenRouter rankings",
        ),
        Field(
            "tokens",
            NUMBER,
            "tokens",
            "Tokens read and written since the beginning of the week; the uses are estimates from "
            "samples and need not be whole",
            "the section counts requests, calls or images, or the number was not usable",
            "OpenRouter rankings",
        ),
        Field(
            "share_pct",
            NUMBER,
            "per cent of the section",
            "Part of all that the section counts, listed or not, rounded to a tenth",
            "not usable",
            "OpenRouter rankings",
        ),
        Field(
            "change_pct",
            NUMBER,
            "per cent of the week before",
            "Change against the whole week before, rounded to one per cent",
            "new in the list, or not given",
            "OpenRouter rankings",
        ),
        Field(
            "board_id",
            TEXT,
            "-",
            "The board's own identifier of a model; its short names (board_slug) are reused",
            "never null",
            "Artificial Analysis",
        ),
        Field(
            "board_model",
            TEXT,
            "-",
            "Name under which a board ranks a model, with its mode or effort where they differ",
            "never null",
            "the board",
        ),
        Field(
            "board_slug",
            TEXT,
            "-",
            "Short name in the board's addresses; it may pass from a model to its successor",
            "not given",
            "Artificial Analysis",
        ),
        Field(
            "board_maker",
            TEXT,
            "-",
            "Maker of the model, as the board names it",
            "the board names none",
            "the board",
        ),
        Field(
            "board_country",
            TEXT,
            "-",
            "Country of the maker, two letters, as the board gives it",
            "not given",
            "Artificial Analysis",
        ),
        Field(
            "board_licence",
            TEXT,
            "-",
            "Licence as the board words it: a name, or only open or proprietary",
            "not given",
            "the board",
        ),
        Field(
            "open_weights",
            FLAG,
            "-",
            "Whether the board says that the weights can be downloaded",
            "the board does not say",
            "Artificial Analysis",
        ),
        Field(
            "board_commercial",
            FLAG,
            "-",
            "Whether the board says that the licence of the weights allows commercial use",
            "the board does not say",
            "Artificial Analysis",
        ),
        Field(
            "board_score",
            NUMBER,
            "points",
            "Rating from votes (a difference of 400 is ten to one), or index from 0 to 100; "
            "comparable inside one file only",
            "not rated",
            "the board",
        ),
        Field(
            "board_score_lower",
            NUMBER,
            "points",
            "Lower limit of the rating's 95 % interval",
            "no usable interval",
            "the board",
        ),
        Field(
            "board_score_upper",
            NUMBER,
            "points",
            "Upper limit of the rating's 95 % interval",
            "no usable interval",
            "the board",
        ),
        Field(
            "board_estimated",
            FLAG,
            "-",
            "Whether the index was estimated because not every benchmark was run",
            "the board does not say",
            "Artificial Analysis",
        ),
        Field(
            "board_votes",
            COUNT,
            "votes",
            "Votes in which the model was one of the two",
            "not given, or not usable",
            "the board",
        ),
    ]
    return {field.name: field for field in known}


#: Every column by its canonical name, in the order that frames keep.
FIELDS: Final[Mapping[str, Field]] = MappingProxyType(_fields())


def check_names(names: Iterable[str], known: Iterable[str], where: str) -> tuple[str, ...]:
    """Return `names` without repeats, or say which one is unknown.

    Parameters
    ----------
    names : iterable of str
        Column names asked for.
    known : iterable of str
        Names that would be right.
    where : str
        What was asked, for the message.

    Raises
    ------
    InputError
        A name is unknown; the message offers the nearest ones.
    """
    right = list(known)
    unique = tuple(dict.fromkeys(names))
    for name in unique:
        if name not in right:
            near = difflib.get_close_matches(name, right, n=3) or right
            raise InputError(f"{where}: no column {name!r}; known: {', '.join(near)}")
    return unique


def conform(frame: pd.DataFrame) -> pd.DataFrame:
    """Order the columns as in :data:`FIELDS` and cast each to its type.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns named as in the registry.

    Returns
    -------
    pandas.DataFrame
        The same rows with a fresh index 0..n-1.

    Raises
    ------
    InputError
        A column is not in the registry, or its values do not fit its type.
    """
    check_names(map(str, frame.columns), FIELDS, "schema")
    out: dict[str, pd.Series[Any]] = {}
    for name, field in FIELDS.items():
        if name not in frame.columns:
            continue
        try:
            out[name] = frame[name].astype(field.pandas_dtype).reset_index(drop=True)
        except (TypeError, ValueError, OverflowError, pa.ArrowException) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(f"schema: column {name!r} is not {field.dtype}: {reason}") from error
    return pd.DataFrame(out, index=pd.RangeIndex(len(frame)))
