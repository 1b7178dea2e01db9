"""Escaping, numbers with grades, tables, CSV: what stands in the pages as text."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.present import markup, numbers, tables

# Synthetic: texts that a stranger could give a repository, made to break a page.
HOSTILE = [
    '<script>alert("x")</script>',
    '"><img src=x onerror=alert(1)>',
    "</table></details><h1>",
    "javascript:alert(1)",
    "\u202egnp.exe\u202c",
    "\x00\x1b[31mred\x07",
    "&lt;b&gt;",
    "a" * 10_000,
]


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def elements(text: str) -> Elements:
    parser = Elements()
    parser.feed(text)
    parser.close()
    return parser


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_data_makes_no_element(text: str) -> None:
    assert elements(markup.escape(text)).tags == []
    frame = pd.DataFrame({"id": [text], "note": [text]})
    shown = elements(tables.table(frame, caption=text, stacked=True))
    assert set(shown.tags) == {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert not [name for name, _ in shown.attributes if name.startswith("on")]


@given(st.text())
def test_escaped_text_comes_back_without_control_characters(text: str) -> None:
    escaped = markup.escape(text)
    assert "<" not in escaped
    assert '"' not in escaped
    assert not [c for c in escaped if ord(c) < 32 and c not in "\t\n"]
    assert markup.plain(markup.plain(text)) == markup.plain(text)


def test_html_is_not_escaped_twice() -> None:
    bold = markup.Html("<b>yes</b>")
    assert markup.escape(bold) == "<b>yes</b>"
    assert markup.join(["<", bold]) == "&lt;<b>yes</b>"
    assert bold._repr_mimebundle_() == {"text/html": "<b>yes</b>"}
    assert markup.paragraph(bold, "&", kind="x") == '<p class="x"><b>yes</b>&amp;</p>'
    assert markup.hidden("<") == '<span class="omr-hidden">&lt;</span>'


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/a/b", True),
        ("data.html#source-x", True),
        ("https://a.example/x%20(y)?z=1#w", True),
        ("https://a.example/x (commit 1)", False),
        ('https://a.example/"onclick', False),
        ("https://a.example/\u202egpj.exe", False),
        ("https://a.example\\@evil.example", False),
        ("https://user@evil.example/", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example/x", False),
        ("http://plain.example", False),
        ("not pinned", False),
        ("", False),
        ("../outside.html", False),
        ("a/b.html?x=1#y", True),
        ("#here", True),
    ],
)
def test_only_public_and_own_addresses_become_links(url: str, link: bool) -> None:
    assert markup.safe_link(url, "x").startswith("<a ") is link


def test_anchors_hold_letters_digits_and_hyphens() -> None:
    assert markup.anchor('A b/"c".1') == "a-b-c-1"
    assert markup.anchor("///") == "x"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (153_600_000, "downloads", "153.6 million"),
        (999_960_000, "downloads", "1.00 billion"),
        (2_040_000_000, "downloads", "2.04 billion"),
        (999_949, "downloads", "999,949"),
        (999_990, "downloads", "1.0 million"),
        (-1_500_000, "downloads", "−1.5 million"),
        (0.398, "share", "39.8 %"),
        (2.157, "ratio", "2.16"),
        (4167, "repositories", "4,167"),
        (2.5, "", "2.50"),
        (3.0, "", "3"),
        ("2026-02-28", "day", "28 February 2026"),
        ("2026-02", "month", "February 2026"),
        ("autumn", "day", "autumn"),
        (None, "share", "not known"),
        (float("nan"), "share", "not known"),
        (True, "", "yes"),
        (False, "", "no"),
    ],
)
def test_numbers_read_as_a_person_would_write_them(value: object, unit: str, text: str) -> None:
    assert numbers.format_value(value, unit).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("lower", "upper", "unit", "text"),
    [
        (0.371, 0.449, "share", "37.1 to 44.9 %"),
        (150e6, 160e6, "downloads", "150.0 to 160.0 million"),
        (900e6, 1.1e9, "downloads", "900.0 million to 1.10 billion"),
        (0.5, 0.5, "share", "50.0 %"),
        (None, 0.18, "share", "at most 18.0 %"),
        (2, None, "ratio", "at least 2.00"),
        ("2025-03", "2025-07", "month", "March 2025 to July 2025"),
    ],
)
def test_intervals(lower: object, upper: object, unit: str, text: str) -> None:
    assert numbers.format_interval(lower, upper, unit).replace("\u00a0", " ") == text


@given(st.floats(0, 1e12), st.floats(0, 1e12))
def test_a_larger_count_never_reads_smaller(one: float, other: float) -> None:
    def back(value: float) -> float:
        number, _, word = numbers.format_count(value).partition("\u00a0")
        return float(number.replace(",", "")) * {"": 1, "million": 1e6, "billion": 1e9}[word]

    small, large = sorted((one, other))
    assert back(small) <= back(large)


@pytest.mark.parametrize("grade", sorted(numbers.GRADES))
def test_a_grade_shows_and_explains_itself(grade: str) -> None:
    made = numbers.percent(0.398, grade, "From <x>.")
    found = elements(made)
    titles = [value for name, value in found.attributes if name == "title"]
    assert titles == [f"{grade.capitalize()}: {numbers.GRADES[grade]}. From <x>."]
    # In words for a screen reader, and as a letter, not as a colour only.
    assert f"({grade})" in made
    assert f'aria-hidden="true">{grade[0]}<' in made
    assert markup.escape(numbers.GRADES[grade]) in numbers.legend()


def test_grades_are_told_apart_by_letter() -> None:
    assert len({grade[0] for grade in numbers.GRADES}) == len(numbers.GRADES)


def test_no_number_without_a_known_grade() -> None:
    with pytest.raises(InputError, match=r"grade 'certain'.*computed"):
        numbers.count(1, "certain")
    with pytest.raises(TypeError):
        numbers.count(1)  # type: ignore[call-arg]


def test_each_kind_of_number_carries_its_mark() -> None:
    for made in (
        numbers.count(1, "computed"),
        numbers.ratio(2.16, "published"),
        numbers.value("2026-02", "month", "inferred"),
        numbers.interval(0.1, 0.2, "share", "bounded"),
    ):
        assert "omr-mark" in made


def test_lists_in_sentences_are_escaped() -> None:
    assert numbers.listed([]) == ""
    assert numbers.listed(["a"]) == "a"
    assert numbers.listed(["a", "<b>", "c"]) == "a, &lt;b&gt; and c"


def test_a_table_names_its_headers_and_its_region() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "share": [0.1, None], "ok": [True, False]})
    made = tables.table(
        frame, [tables.Column("name"), tables.Column("share", unit="share")], caption="C"
    )
    assert made.count('scope="col"') == 2
    assert made.count('scope="row"') == 2
    assert 'role="region" tabindex="0" aria-label="C"' in made
    assert "<caption>C</caption>" in made
    assert "10.0\u00a0%" in made
    assert 'aria-label="none"' in made
    assert ">yes<" in tables.table(frame, caption="C")


def test_a_long_table_says_what_it_left_out() -> None:
    frame = pd.DataFrame({"n": range(500)})
    made = tables.table(frame, caption="C", limit=400)
    assert made.count("<tr>") == 401
    assert "400 of 500 rows; all are in the CSV file" in made


def test_cells() -> None:
    assert tables.cell(float("inf")) == "no bound"
    assert tables.cell(1234567) == "1,234,567"
    assert tables.cell(0.123456) == "0.1235"
    assert tables.cell(pd.NA) == tables.cell(None) == tables.cell(float("nan"))


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_no_csv_cell_starts_a_formula(texts: list[str]) -> None:
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=object)})
    # Line ends inside text are data: read with the rules it was written by.
    rows = list(csv.reader(io.StringIO(tables.csv_text(frame), newline="")))
    for row in rows:
        for entry in row:
            assert not entry.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_csv_keeps_numbers_and_gaps() -> None:
    frame = pd.DataFrame({"=n": [-1.5, None], "t": ["=1+1", "ok"]})
    assert tables.csv_text(frame) == "'=n,t\n-1.5,'=1+1\n,ok\n"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("matches", "full"),
        ("matches within rounding", "most"),
        ("robust", "full"),
        ("mostly", "most"),
        ("depends (population)", "half"),
        ("differs (by 4.2 points)", "against"),
        ("fails", "against"),
        ("no longer holds", "against"),
        ("no later snapshot", "open"),
        ("not checkable (no data)", "open"),
        ("still holds", "full"),
    ],
)
def test_a_verdict_has_words_and_a_shape(words: str, kind: str) -> None:
    made = tables.verdict(words)
    assert f"omr-verdict-{kind}" in made
    assert words in made
    shape = made.split('aria-hidden="true">')[1][0]
    assert shape in tables.shape_key()
