"""Charts, figures, cards and the dictionary, drawn from real tables of the project."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from analysis.errors import InputError
from analysis.present import (
    assets,
    cards,
    charts,
    dictionary,
    figure,
    interactive,
    spec_curve,
    theme,
)
from analysis.present.markup import Html, anchor
from analysis.present.tables import csv_text
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


#: How a colour is seen without one kind of cone, in linear light: Machado, Oliveira and
#: Fernandes (2009), severity 1.
SEEN = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(colour: str, seen: str) -> np.ndarray:
    """Return a colour as it is seen, in CIE L*a*b*, where a distance of 2 is just noticed."""
    given = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(given <= 0.04045, given / 12.92, ((given + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(SEEN[seen]) @ linear, 0, 1)
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ linear / np.array([0.9505, 1.0, 1.089])  # fmt: skip
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("page", ["light", "dark"])
def test_who_sees_fewer_colours_tells_families_by_colour_or_by_shape_and_dash(
    seen: str, page: str
) -> None:
    told_by_shape = 0
    for palette in (theme.FAMILIES.values(), theme.PLAIN):
        for one, other in itertools.combinations(palette, 2):
            a, b = (lab(getattr(look.ink, page), seen) for look in (one, other))
            if np.linalg.norm(a - b) < 20:
                told_by_shape += 1
                assert one.dash != other.dash, (one.id, other.id)
                assert one.shape != other.shape, (one.id, other.id)
    # The second channel is needed: colours alone would not do.
    assert told_by_shape > 0
    # The ones that charts set against each other most are told by colour alone.
    qwen, llama = (theme.FAMILIES[name].ink for name in ("qwen", "llama"))
    apart = lab(getattr(qwen, page), seen) - lab(getattr(llama, page), seen)
    assert np.linalg.norm(apart) > 40


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
        about="The claim: <i>x</i>.",
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
    own = ("data:text/csv", "#", "data.html", "figures/monthly-x.", "http://www.w3.org")
    assert all(a.startswith(own) for a in addresses)
    assert "&lt;subtitle&gt;" in made
    assert "<subtitle>" not in made


def test_a_figure_carries_its_data(made: str, monthly: pd.DataFrame) -> None:
    encoded = re.search(r'download="monthly-x.csv" href="data:[^,]*,([^"]*)"', made)
    assert encoded is not None
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(encoded[1]).decode())))
    assert len(rows) == len(monthly)
    assert [float(row["value"]) for row in rows] == list(monthly["value"])
    assert "<details>" in made


def carried(made: str) -> dict[str, bytes]:
    """The files that a figure carries."""
    packed = re.search(r'data-files="([^"]*)"', made)
    assert packed is not None
    files = json.loads(zlib.decompress(base64.b64decode(packed[1])))
    return {ending: base64.b64decode(content) for ending, content in files.items()}


def test_a_figure_carries_its_files(made: str, monthly: pd.DataFrame) -> None:
    files = carried(made)
    assert set(files) == {".parquet", ".svg", ".vl.json", ".wide.js", ".narrow.js"}
    read = pq.read_table(io.BytesIO(files[".parquet"])).to_pandas()
    assert list(read["value"]) == list(monthly["value"])
    for ending in files:
        if ".js" not in ending or ending == ".vl.json":
            assert f'href="figures/monthly-x{ending}"' in made
    assert 'href="figures/monthly-x.png"' in made


def test_the_picture_file_stands_alone(made: str) -> None:
    text = carried(made)[".svg"].decode()
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert [root.find(f"{SVG}title").text, root.find(f"{SVG}desc").text] == [  # type: ignore[union-attr]
        "Title & finding", "A sentence with <b>."
    ]  # fmt: skip
    words = " ".join(texts(text))
    assert "Title & finding" in words
    assert "<subtitle>" in words
    assert "The claim: <i>x</i>." in words
    assert "top30-0 (00000000)" in words
    assert "and 3 more." in words
    assert "var(" not in text
    assert theme.PAGE.light in text
    assert "font-family" in text


def test_the_specification_draws_the_same_marks(made: str) -> None:
    specification = json.loads(carried(made)[".vl.json"])
    again = figure.vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    assert {"Qwen", "Llama", "stated"} <= set(texts(again))
    assert "Title &amp; finding" in again


def test_the_live_chart_has_tips_variables_and_one_clock(made: str) -> None:
    script = carried(made)[".wide.js"].decode("ascii")
    start = 'omrChart("monthly-x.wide",'
    assert script.startswith(start)
    vega = json.loads(script.removeprefix(start).removesuffix(");\n"))
    assert '"tooltip"' in json.dumps(vega["marks"])
    assert "var(--omr-qwen,#0072b2)" in script
    assert '"#0072b2"' not in script
    assert '"time"' not in script
    assert "timeFormat(" not in script
    assert 'data-live=""' in made
    tips = [row["tip"] for data in vega["data"] for row in data.get("values", []) if "tip" in row]
    assert any(tip.startswith("Qwen\n") and tip.endswith("million") for tip in tips)


def test_moments_without_a_zone_are_utc() -> None:
    # Synthetic: a compiled chart with every kind of time.
    moment = "2024-06-01T00:00:00"
    made = interactive.in_utc(
        {
            "data": [{"values": [{"day": moment, "b": "2024-06-01"}]}],
            "scales": [{"type": "time", "domain": [{"signal": f'datetime("{moment}")'}]}],
            "axes": [{"signal": "timeFormat(datetime(2024, 5, 1), '%b')", "formatType": "time"}],
            "transform": [{"type": "timeunit", "field": "day"}],
        }
    )
    assert made == {
        "data": [{"values": [{"day": f"{moment}Z", "b": "2024-06-01"}]}],
        "scales": [{"type": "utc", "domain": [{"signal": f'datetime("{moment}Z")'}]}],
        "axes": [{"signal": "utcFormat(utc(2024, 5, 1), '%b')", "formatType": "utc"}],
        "transform": [{"type": "timeunit", "field": "day", "timezone": "utc"}],
    }


@pytest.mark.slow
def test_drawings_are_the_same_in_every_place() -> None:
    code = (
        "import hashlib; from analysis import pages;"
        "print(hashlib.sha256(pages.ladder_months().encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed},
            cwd=PROJECT, capture_output=True, text=True, check=True,
        ).stdout
        for zone, locale, seed in (("UTC", "C.UTF-8", "0"), ("America/Los_Angeles", "C", "7"))
    }  # fmt: skip
    assert len(seen) == 1


def test_a_chart_without_tips_stays_a_drawing() -> None:
    import altair as alt

    frame = pd.DataFrame({"a": [1.0, 2.0]})
    made = figure.figure(
        lambda width: alt.Chart(frame).mark_point().encode(x="a:Q").properties(width=width),
        id="plain", title="T", subtitle="S", alt="A.", data=frame,
    )  # fmt: skip
    assert "data-live" not in made
    assert set(carried(made)) == {".parquet", ".svg", ".vl.json"}


def test_parquet_is_the_same_bytes_whatever_the_columns_hold() -> None:
    frame = pd.DataFrame(
        {
            "text": ["=1+1", "\u202eabc", None],
            "html": [Html("<b>x</b>"), Html("y"), None],
            "mixed": pd.Series([1, "two", 3.5], dtype=object),
            "number": [1.5, float("inf"), float("nan")],
            "flag": [True, False, True],
            "nothing": [None, None, None],
        }
    )
    one = assets.parquet(frame)
    assert one == assets.parquet(frame.copy())
    assert b"pandas" not in one
    read = pq.read_table(io.BytesIO(one)).to_pydict()
    # Parquet runs no formula: text is as it was, without what turns its direction.
    assert read["text"] == ["=1+1", "\ufffdabc", None]
    assert read["mixed"] == ["1", "two", "3.5"]
    assert read["number"] == [1.5, float("inf"), None]
    assert read["nothing"] == [None, None, None]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_file_begins_a_formula(start: str) -> None:
    text = csv_text(pd.DataFrame({f"{start}head": [f"{start}1+1"], "number": [-1]}))
    rows = list(csv.reader(io.StringIO(text)))
    assert all(not cell.startswith(start) for cell in (rows[0][0], rows[1][0]))
    assert rows[1][1] == "-1"


def test_a_figure_says_how_to_cite_it(made: str) -> None:
    cited = re.search(r'<details class="omr-cite">.*?</details>', made)
    assert cited is not None
    for words in (
        "Title &amp; finding",
        "#fig-monthly-x",
        "&lt;subtitle&gt;",
        "top30-0 (00000000)",
    ):
        assert words in cited[0]
    record = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    assert record["title"] == assets.RECORD
    assert record["authors"] == [{"name": f"{assets.RECORD} contributors"}]


def test_a_figure_names_the_code_that_made_it(made: str) -> None:
    assert "code/" not in made  # This test is none of the record's code.
    from analysis import pages

    link = re.search(r'href="code/analysis/pages/__init__.py#L(\d+)"', pages.ladder())
    assert link is not None
    lines = (PROJECT / "analysis/pages/__init__.py").read_text(encoding="utf-8").splitlines()
    assert lines[int(link[1]) - 1].startswith("def ladder(")


def test_a_tip_is_a_few_short_lines_whatever_a_name_holds() -> None:
    text = theme.tip("a\nb\u202e", "", "x" * 10_000)
    name, more = text.split("\n")
    assert name == "a b\ufffd"
    assert len(more) == 400


def test_every_chart_says_something_of_its_marks(monthly: pd.DataFrame) -> None:
    rows = charts.interval_rows(ROWS, 680, unit="share")
    made = theme.finished(rows, 680)
    tips = [row["tip"] for data in made["datasets"].values() for row in data if "tip" in row]
    assert tips[0].replace("\u00a0", " ") == (
        "a <b>\n60.0 to 70.0 % (computed)\nwithout any assumption: 50.0 to 97.0 %"
    )
    curve = spec_curve.specification_curve(
        grid(), 680, unit="share", stated=0.5, stated_label="half", dimensions=DIMENSIONS
    )
    made = theme.finished(curve, 680)
    tips = [row["tip"] for data in made["datasets"].values() for row in data if "tip" in row]
    assert len(tips) == 24
    assert any("it holds\npopulation: whole Hub; outliers: in" in tip for tip in tips)
    assert sum("the article's reading, " in tip for tip in tips) == 1
    months = grid(4).assign(
        value=["2025-04", None, "2025-07", "2025-04"],
        lower=[None, "2025-05", None, None], upper=[None, "2025-07", None, None],
    )  # fmt: skip
    found = spec_curve._tips(spec_curve.ordered(months, "month"), "month", [], {})
    assert found[2].startswith("May\u00a02025 to July\u00a02025\n")


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
