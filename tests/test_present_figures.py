"""Charts, figures, cards and the dictionary, drawn from real tables of the project."""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from analysis.errors import InputError
from analysis.present import cards, charts, dictionary, figure, spec_curve, theme
from analysis.present.markup import anchor
from analysis.raw import load_registry
from analysis.snapshot.schema import FIELDS

PROJECT = Path(__file__).resolve().parents[1]
SVG = "{http://www.w3.org/2000/svg}"
MAKERS = {"Qwen": "qwen", "meta-llama": "llama", "deepseek-ai": "deepseek", "openai": "gpt-oss"}


@pytest.fixture(scope="module")
def monthly() -> pd.DataFrame:
    frame = pd.read_csv(PROJECT / "data/reference/modelpulse-publishers-monthly.csv")
    frame = frame[frame["author"].isin(MAKERS)]
    return pd.DataFrame(
        {
            "day": frame["month"],
            "series": frame["author"].map(MAKERS),
            "value": frame["downloads"].astype(float),
        }
    ).reset_index(drop=True)


# Layout only: rungs with every mixture of known and unknown ends. No result.
ROWS = pd.DataFrame(
    [
        {"label": "a <b>", "value": 0.65, "lower": 0.6, "upper": 0.7, "grade": "computed",
         "hard_lower": 0.5, "hard_upper": 0.97},
        {"label": "b", "value": None, "lower": 0.3, "upper": 0.4, "grade": "bounded",
         "hard_lower": 0.05, "hard_upper": 0.95},
        {"label": "c", "value": 0.398, "lower": None, "upper": None, "grade": "published",
         "hard_lower": None, "hard_upper": None},
        {"label": "d", "value": None, "lower": None, "upper": 0.18, "grade": "inferred",
         "hard_lower": None, "hard_upper": float("inf")},
    ]
)  # fmt: skip


def texts(image: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(image).iter(f"{SVG}text")]


def extent(image: str) -> float:
    """Width of an SVG."""
    return float(ElementTree.fromstring(image).attrib["viewBox"].split()[2])


def draw_lines(frame: pd.DataFrame, width: int) -> Any:
    return charts.time_lines(
        frame, width, unit="downloads", measure="downloads", mark=153.6e6, mark_label="stated"
    )


@pytest.mark.parametrize("ink", [*theme._INKS[1:3], theme.STATED], ids=lambda ink: ink.name)
def test_text_colours_are_legible_on_both_themes(ink: theme.Ink) -> None:
    assert theme.contrast(ink.light, theme.PAGE.light) >= 4.5
    assert theme.contrast(ink.dark, theme.PAGE.dark) >= 4.5


@pytest.mark.parametrize("family", theme.FAMILIES.values(), ids=lambda family: family.id)
def test_family_colours_are_seen_on_both_themes(family: theme.Family) -> None:
    # A family's label is text in its colour.
    assert theme.contrast(family.ink.light, theme.PAGE.light) >= 4.5
    assert theme.contrast(family.ink.dark, theme.PAGE.dark) >= 4.5


def test_families_differ_without_colour() -> None:
    looks = [(family.shape, family.dash) for family in theme.FAMILIES.values()]
    assert len(set(looks)) == len(looks)
    assert len({family.ink.light for family in theme.FAMILIES.values()}) == len(looks)
    assert theme.family("Qwen") is theme.FAMILIES["qwen"]
    assert theme.family("somebody") is theme.FAMILIES["other"]


def test_each_colour_is_replaced_by_its_own_variable() -> None:
    inks = theme._INKS
    assert len({ink.light for ink in inks}) == len(inks)
    assert len({ink.name for ink in inks}) == len(inks)
    assert theme.themed('fill="#0072b2"') == 'fill="var(--omr-qwen,#0072b2)"'


def test_the_book_has_the_colours_of_the_theme() -> None:
    written = (PROJECT / "book/_static/colours.css").read_text(encoding="utf-8")
    assert written == theme.stylesheet(), "write book/_static/colours.css from theme.stylesheet()"


@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_lines_fit_their_width_and_name_their_series(monthly: pd.DataFrame, width: int) -> None:
    image = figure.render(draw_lines(monthly, width), width)
    assert extent(image) <= width + 1
    assert {"Qwen", "Llama", "DeepSeek", "gpt-oss", "stated"} <= set(texts(image))


@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_lines_with_bounds_and_a_span(monthly: pd.DataFrame, width: int) -> None:
    frame = monthly.assign(lower=monthly["value"] * 0.9, upper=monthly["value"] * 1.1)
    drawn = charts.time_lines(
        frame, width, unit="downloads", measure="d", span=("2025-06-01", "2025-08-31"),
        span_label="summer", points=False,
    )  # fmt: skip
    image = figure.render(drawn, width)
    assert extent(image) <= width + 1
    assert "summer" in texts(image)


@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
@pytest.mark.parametrize("limit", [None, 1.0])
def test_rows_show_each_result(width: int, limit: float | None) -> None:
    drawn = charts.interval_rows(
        ROWS, width, unit="share", mark=0.5, mark_label="half", limit=limit
    )
    image = figure.render(drawn, width)
    shown = [text.replace("\u00a0", " ") for text in texts(image)]
    assert extent(image) <= width + 1
    for text in ("a <b>", "60.0 to 70.0 %", "30.0 to 40.0 %", "39.8 %", "at most 18.0 %", "half"):
        assert text in shown


def test_published_bars_have_an_ink_of_their_own() -> None:
    rows = pd.DataFrame(
        {"label": ["a", "b"], "value": None, "lower": 0.2, "upper": 0.4, "grade": "bounded"}
    )
    ours = figure.render(charts.interval_rows(rows, theme.WIDE, unit="share"), theme.WIDE)
    both = rows.assign(grade=["bounded", "published"])
    mixed = figure.render(charts.interval_rows(both, theme.WIDE, unit="share"), theme.WIDE)
    assert theme.THEIRS.light not in ours
    assert theme.THEIRS.light in mixed
    assert mixed.count(theme.OURS.light) < ours.count(theme.OURS.light)


@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
def test_a_bound_day_by_day(width: int) -> None:
    frame = pd.DataFrame({"day": ["2026-02-28", "2026-03-31"], "upper": [0.2, 0.18]})
    for given in (frame, frame.assign(lower=0.05)):
        drawn = charts.bound_area(
            given, width, unit="share", measure="bound", mark=0.5, mark_label="half"
        )
        assert extent(figure.render(drawn, width)) <= width + 1


def test_labels_of_lines_do_not_overlap() -> None:
    placed = charts._apart([1.0, 1.0, 1.01, 50.0], 100.0, 300)
    gaps = [b - a for a, b in zip(sorted(placed), sorted(placed)[1:], strict=False)]
    assert min(gaps) >= 15 * 100 / 300 - 1e-9
    assert placed[3] == 50.0


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"value": 2.0, "lower": None, "upper": None}, "2.00"),
        ({"value": 2.0, "lower": 2.0, "upper": 2.0}, "2.00"),
        ({"value": 2.0, "lower": 1.0, "upper": 3.0}, "1.00 to 3.00"),
        ({"value": None, "lower": 1.0, "upper": float("inf")}, "at least 1.00"),
        ({"value": None, "lower": None, "upper": 3.0}, "at most 3.00"),
        ({"value": None, "lower": None, "upper": None}, ""),
    ],
)
def test_the_text_beside_a_row(record: dict[str, float | None], text: str) -> None:
    assert charts.row_text(record, "ratio") == text


# Layout only: a grid of choices with made-up results.
def grid(count: int = 24) -> pd.DataFrame:
    rows = []
    for i in range(count):
        value = 0.2 + 0.5 * i / count
        rows.append(
            {
                "population": ("<i>makers</i>", "whole Hub")[i % 2],
                "measure": "30-day",
                "outliers": ("in", "out", None)[i % 3],
                "value": value if i % 5 else None,
                "lower": value * 0.9,
                "upper": float("inf") if i == 7 else value * 1.1,
                "holds": ("no", "undetermined", "yes")[i * 3 // count],
                "is_article": i == 9,
            }
        )
    return pd.DataFrame(rows)


DIMENSIONS = ("population", "measure", "outliers")


@pytest.mark.parametrize("width", [theme.WIDE, theme.NARROW])
@pytest.mark.parametrize("count", [24, 300])
def test_a_specification_curve_shows_choices_that_vary(width: int, count: int) -> None:
    drawn = spec_curve.specification_curve(
        grid(count), width, unit="share", stated=0.5, stated_label="stated: half",
        dimensions=DIMENSIONS,
    )  # fmt: skip
    image = figure.render(drawn, width)
    shown = texts(image)
    assert extent(image) <= width + 1
    assert {"population", "<i>makers</i>", "whole Hub", "outliers", "stated: half"} <= set(shown)
    assert "measure" not in shown  # it does not vary


def test_a_curve_without_choices_or_stated_value() -> None:
    frame = grid().drop(columns=["population", "outliers"])
    drawn = spec_curve.specification_curve(
        frame, 680, unit="ratio", stated=None, stated_label="", dimensions=DIMENSIONS
    )
    assert "<svg" in figure.render(drawn, 680)


def test_a_curve_of_months() -> None:
    frame = grid(4).assign(
        value=["2025-04", None, "2025-07", "2025-04"],
        lower=[None, "2025-05", None, None],
        upper=[None, "2025-07", None, None],
    )
    assert list(spec_curve.ordered(frame, "month")["_middle"] % 12) == [3.0, 3.0, 5.0, 6.0]
    drawn = spec_curve.specification_curve(
        frame, 680, unit="month", stated=None, stated_label="", dimensions=DIMENSIONS
    )
    assert any("2025" in text for text in texts(figure.render(drawn, 680)))


def test_a_curve_is_sorted_by_value_and_by_the_middle_of_intervals() -> None:
    ordered = spec_curve.ordered(grid(), "share")
    assert list(ordered["rank"]) == list(range(1, 25))
    middle = ordered["value"].fillna((ordered["lower"] + ordered["upper"]) / 2)
    finite = middle[middle != float("inf")]
    assert finite.is_monotonic_increasing


def test_a_curve_in_words() -> None:
    assert spec_curve.sentence(grid(), "half") == (
        "24 specifications against half: in 8 it holds, in 8 it does not hold, "
        "in 8 the data leave it open."
    )


@pytest.fixture(scope="module")
def made(monthly: pd.DataFrame) -> str:
    return figure.figure(
        lambda width: draw_lines(monthly, width),
        id="Monthly <x>",
        title="Title & finding",
        subtitle="<subtitle>",
        alt="A sentence with <b>.",
        data=monthly,
        sources=[figure.Source(f"top30-{i}", f"{i:064x}", "data.html") for i in range(9)],
        note="A note.",
    )


def test_a_figure_is_one_named_image_per_width(made: str) -> None:
    images = re.findall(r"<svg.*?</svg>", made, re.DOTALL)
    assert len(images) == 2
    for image in images:
        root = ElementTree.fromstring(image)
        assert root.attrib["role"] == "img"
        named = root.attrib["aria-labelledby"].split()
        inside = {node.attrib["id"]: node.text for node in root.iter() if "id" in node.attrib}
        assert [inside[name] for name in named] == ["Title & finding", "A sentence with <b>."]
        # The parts are one picture: they have no roles of their own.
        assert not [node for node in root.iter() if node is not root and "role" in node.attrib]
    ids = re.findall(r'\bid="([^"]+)"', made)
    assert len(ids) == len(set(ids))


def test_a_figure_loads_nothing_and_needs_no_script(made: str) -> None:
    assert "<script" not in made
    addresses = set(re.findall(r'(?:href|src|xmlns)="([^"]{1,40})', made))
    assert all(
        a.startswith(("data:text/csv", "#", "data.html", "http://www.w3.org")) for a in addresses
    )
    assert "&lt;subtitle&gt;" in made
    assert "<subtitle>" not in made


def test_a_figure_carries_its_data(made: str, monthly: pd.DataFrame) -> None:
    encoded = re.search(r'download="monthly-x.csv" href="data:[^,]*,([^"]*)"', made)
    assert encoded is not None
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(encoded[1]).decode())))
    assert len(rows) == len(monthly)
    assert [float(row["value"]) for row in rows] == list(monthly["value"])
    assert "<details>" in made


def test_sources_beyond_six_unfold(made: str) -> None:
    assert "and 3 more sources" in made
    assert made.count('title="sha256 ') == 9
    assert figure.source_line([]) == ""
    assert "<code" not in figure.source_line([figure.Source("a")])


def test_sources_that_are_listed_elsewhere_are_named_in_short() -> None:
    sources = [figure.Source(f"s{i}", f"{i:064x}", "versions.html") for i in range(9)]
    made = figure.source_line(sources, "x.html#the-data-behind-it")
    assert '<a href="x.html#the-data-behind-it">6 more</a>' in made
    assert made.count("<code>") == 3


def test_a_figure_is_drawn_the_same_twice(monthly: pd.DataFrame, made: str) -> None:
    one = figure.render(draw_lines(monthly, 680), 680)
    assert one == figure.render(draw_lines(monthly, 680), 680)


def test_a_figure_without_words_or_data_is_refused(monthly: pd.DataFrame) -> None:
    settings: dict[str, Any] = {"id": "x", "title": "t", "subtitle": "s"}
    with pytest.raises(InputError, match="figure x: the sentence"):
        figure.figure(figure.fixed(draw_lines, monthly), **settings, alt=" ", data=monthly)
    with pytest.raises(InputError, match="figure x: its data table is empty"):
        figure.figure(figure.fixed(draw_lines, monthly), **settings, alt="a", data=monthly.head(0))
    with pytest.raises(InputError, match="no viewBox"):
        figure.inline_svg("<svg></svg>", "x", "t", "d")


FIELD_NAMES = [
    "Kind", "Producer", "Repository", "File", "Licence", "Share-alike", "Read from", "Covers",
    "Known problems", "State", "Cite as",
]  # fmt: skip


def test_every_source_has_a_card_with_the_same_fields_in_the_same_order() -> None:
    registry = load_registry()
    contents = cards.contents(registry.sources)
    rows = cards.versions(registry.sources)
    for source in registry.sources:
        card = cards.card(source)
        assert re.findall(r"<dt>([^<]*)</dt>", card) == FIELD_NAMES
        assert f'href="#source-{anchor(source.id)}"' in contents
        for version in source.versions:
            assert f'id="version-{anchor(version.name)}"' in rows
            assert f">{version.sha256 or version.git_tree}<" in rows
            assert version.url in rows
        led = re.search(r'href="[a-z-]+\.html#(versions-[^"]+)"', card)
        assert (led is not None and f'id="{led[1]}"' in rows) == bool(source.versions)
    everything = cards.cards(registry.sources) + rows
    ids = re.findall(r'\bid="([^"]+)"', everything)
    assert len(ids) == len(set(ids))


def test_a_card_escapes_what_a_source_says() -> None:
    # Synthetic: hostile text in every field of a source.
    bad = "<script>x</script>"
    version = SimpleNamespace(
        name=bad, as_of=bad, as_of_known_by=bad, sha256="ab" * 32, git_tree=None, hash_by=bad,
        bytes=5, url="javascript:x", licence=bad, note=bad,
    )  # fmt: skip
    source = SimpleNamespace(
        id="x", title=bad, kind=bad, producer=bad, repository=bad, path=bad, licence=bad,
        licence_notes="", share_alike=True, upstream=bad, upstream_note="", covers=bad,
        known_problems=(bad,), state=bad, state_note=bad, citation="", versions=(version,),
    )  # fmt: skip
    card = cards.card(source)
    made = card + cards.versions([source])
    assert "<script" not in made
    assert "javascript:" not in made
    assert "marked ODbL" in card
    source.versions, source.known_problems = (), ()
    assert "No version is pinned." in cards.card(source)
    assert "none known" in cards.card(source)
    assert cards.versions([source]) == ""


@pytest.mark.parametrize(
    ("count", "text"),
    [(5, "5 bytes"), (12_345, "12 kB"), (41_739_665, "41.7 MB"), (None, "not known")],
)
def test_sizes(count: int | None, text: str) -> None:
    assert cards._bytes(count) == text


def test_the_dictionary_has_every_field() -> None:
    made = dictionary.dictionary(FIELDS.values())
    for name in FIELDS:
        assert f">{name}<" in made


@pytest.mark.parametrize(
    ("bottom", "top", "places"),
    [
        (30, 120_000, [100, 1000, 10_000, 100_000]),
        (0.4, 8, [0.5, 1, 2, 5]),
    ],
)
def test_a_logarithmic_axis_has_round_places(
    bottom: float, top: float, places: list[float]
) -> None:
    assert spec_curve._decades(bottom, top) == pytest.approx(places)


def test_a_long_table_behind_a_figure_is_cut_and_its_file_is_whole() -> None:
    frame = pd.concat([ROWS] * 20, ignore_index=True)
    made = figure.figure(
        lambda width: charts.interval_rows(ROWS, width, unit="share"),
        id="long", title="T", subtitle="S", alt="A.", data=frame,
    )  # fmt: skip
    assert made.count("<tr>") == 13
    assert "12 of 80 rows; all are in the CSV file" in made
    encoded = re.search(r"base64,([^\"]+)", made)
    assert encoded is not None
    rows = list(csv.reader(io.StringIO(base64.b64decode(encoded[1]).decode())))
    assert len(rows) == 81
