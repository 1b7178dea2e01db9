"""Pages made smaller: a browser makes the same of them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_book_pages import load_tool

slim = load_tool("slim_pages").slim


class Read(HTMLParser):
    """What a page says: its elements with their attributes, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


PIECES = st.sampled_from(
    ["<p>", "</p>", "<b title='a  b'>", "</b>", "a", " ", "\n  ", "\u00a0 ", "<!-- c -->", "<br />",
     '<a\n   href="x  y">', "</a>", "<pre>  a\n\n b</pre>", "<code>x  =  1</code>", "&lt;", "a < b"]
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_elements_and_words_stay(page: str) -> None:
    one, other = Read(page), Read(slim(page))
    assert other.tags == one.tags
    # Browsers show a run of blanks as one; one that does not break is none of these.
    blanks = str.maketrans("\n", " ")
    assert other.words.translate(blanks).split(" ") != [""] or not one.words.strip()
    assert [w for w in other.words.translate(blanks).split(" ") if w] == [
        w for w in one.words.translate(blanks).split(" ") if w
    ]


@given(st.lists(PIECES, max_size=20).map("".join))
@settings(max_examples=60)
def test_a_second_time_changes_nothing(page: str) -> None:
    assert slim(slim(page)) == slim(page)


@pytest.mark.parametrize(
    ("page", "small"),
    [
        ("<div>\n      <p>a\n   b</p>\n\n</div>", "<div>\n<p>a\nb</p>\n</div>"),
        ("a <!-- x --> <b>c</b>", "a <b>c</b>"),
        ("<tr><th>a</th><td>b</td></tr>", "<tr><th>a<td>b"),
        ("<ul><li>a</li> <li>b</li></ul>", "<ul><li>a <li>b</ul>"),
        ("<pre>a\n\n  b </pre>", "<pre>a\n\n  b </pre>"),
        ("<script>a  //  b\n\n</script>", "<script>a  //  b\n\n</script>"),
        ("a\u00a0\u00a0b", "a\u00a0\u00a0b"),
        ('<p title="a  >  b">', '<p title="a  >  b">'),
        ('<div class="cell tag_remove-input docutils container">', '<div class="cell">'),
        ('<div class="cell_output docutils container">', '<div class="cell_output">'),
        ('<a class="reference internal" href="a.html">', '<a class="reference" href="a.html">'),
        ('<div class="cell tag_x docutils container">',) * 2,
        ('<div id="ethical-ad-placement"\n data-ea="x">\n</div>', ""),
    ],
)
def test_what_goes_and_what_stays(page: str, small: str) -> None:
    assert slim(page) == small


def test_drawings_have_short_names_of_their_own() -> None:
    one = (
        '<svg xmlns="http://www.w3.org/2000/svg" aria-labelledby="long-name-t long-name-d">'
        '<title id="long-name-t">long-name-x</title><desc id="long-name-d">d</desc>'
        '<marker id="long-name-m1"/><path stroke="var(--omr-ours,#0b5cad)" '
        'style="marker:url(#long-name-m1)"/></svg>'
    )
    assert slim(one + one) == "".join(
        f'<svg aria-labelledby="s{n}-t s{n}-d"><title id="s{n}-t">long-name-x</title>'
        f'<desc id="s{n}-d">d</desc><marker id="s{n}-m1"/><path stroke="var(--omr-ours)" '
        f'style="marker:url(#s{n}-m1)"/></svg>'
        for n in (1, 2)
    )
