"""Drawings made small: the same picture, in fewer bytes."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import pages
from analysis.present import svg

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = r"-?(?:\d+\.?\d*|\.\d+)"


def opened(inner: str) -> ElementTree.Element:
    """Return the one group of a compact drawing."""
    root = ElementTree.fromstring(f"<svg>{svg.compact(inner)}</svg>")
    assert len(root) == 1
    assert root[0].get("transform") == "scale(0.1)"
    return root[0]


def strokes(d: str) -> list[list[tuple[float, float]]]:
    """Read path data as the standard says: the polylines, in pixels, apart from the code."""
    lines: list[list[tuple[float, float]]] = []
    x = y = 0.0
    for letter, rest in re.findall(r"([mlhvz])([^mlhvz]*)", d):
        values = [float(value) for value in re.findall(NUMBER, rest)]
        if letter == "z":
            x, y = lines[-1][0]
            lines[-1].append((x, y))
        elif letter in "hv":
            for value in values:
                x, y = (x + value, y) if letter == "h" else (x, y + value)
                lines[-1].append((x, y))
        else:
            for i, (dx, dy) in enumerate(zip(values[::2], values[1::2], strict=True)):
                x, y = x + dx, y + dy
                if letter == "m" and i == 0:
                    lines.append([])
                lines[-1].append((x, y))
    return [[(a / 10, b / 10) for a, b in line] for line in lines]


# Synthetic, to try what no chart happens to hold: rectangles and thick lines that lie on top of one
# another in any order.
COLOURS = ("#aa0000", "#00aa00", "#0000aa")
EDGE = st.integers(0, 12)
BLOCK = st.tuples(EDGE, EDGE, st.integers(1, 6), st.integers(1, 6), st.sampled_from(COLOURS))


def painted(blocks: list[tuple[float, float, float, float, str]]) -> list[list[str]]:
    """Paint blocks (left, top, right, bottom, colour) in order on a grid of pixels."""
    grid = [[""] * 20 for _ in range(20)]
    for left, top, right, bottom, colour in blocks:
        for row, column in itertools.product(range(20), range(20)):
            if left < column + 0.5 < right and top < row + 0.5 < bottom:
                grid[row][column] = colour
    return grid


def blocks_of(group: ElementTree.Element) -> list[tuple[float, float, float, float, str]]:
    found = []
    for node in group:
        assert node.tag == "path"
        thick = float(node.get("stroke-width", "10")) / 20
        for line in strokes(node.attrib["d"]):
            xs, ys = [x for x, _ in line], [y for _, y in line]
            wide = thick if "stroke" in node.attrib and len(set(ys)) > 1 else 0
            high = thick if "stroke" in node.attrib and len(set(ys)) == 1 else 0
            colour = node.get("stroke") or node.attrib["fill"]
            found.append((min(xs) - wide, min(ys) - high, max(xs) + wide, max(ys) + high, colour))
    return found


@settings(max_examples=40)
@given(st.lists(st.tuples(BLOCK, st.booleans()), max_size=14))
def test_what_lies_on_top_stays_on_top(
    drawn: list[tuple[tuple[int, int, int, int, str], bool]],
) -> None:
    parts, blocks = "", []
    for (x, y, w, h, colour), line in drawn:
        blocks.append((x, y, x + w, y + h, colour))
        if line:
            parts += (
                f'<line transform="translate({x},{y + h / 2})" x2="{w}" y2="0" stroke="{colour}" '
                f'stroke-width="{h}"/>'
            )
        else:
            parts += f'<path d="M{x},{y}h{w}v{h}h-{w}Z" fill="{colour}"/>'
    assert painted(blocks_of(opened(parts))) == painted([*map(tuple, blocks)])  # type: ignore[misc]


PLACE = st.tuples(*[st.floats(-700, 700).map(lambda value: round(value, 3))] * 2)


@settings(max_examples=40)
@given(st.lists(PLACE, min_size=4, max_size=40))
def test_points_of_one_look_are_vertices_with_a_marker(places: list[tuple[float, float]]) -> None:
    points = "".join(
        f'<path transform="translate({x},{y})" d="M2.5,0A2.5,2.5,0,1,1,-2.5,0A2.5,2.5,0,1,1,2.5,0" '
        'fill="#aa0000"/>'
        for x, y in places
    )
    group = opened(points)
    found = [line for node in group if "style" in node.attrib for line in strokes(node.attrib["d"])]
    assert len(found) == 1
    assert len(found[0]) == len(places)
    # A tenth of a pixel, wherever it stands in the line: no error adds up.
    for spot, place in zip(found[0], places, strict=True):
        assert spot == pytest.approx(place, abs=0.051)


@settings(max_examples=40)
@given(st.lists(st.tuples(PLACE, PLACE), min_size=1, max_size=40))
def test_lines_of_one_look_are_one_path(
    ends: list[tuple[tuple[float, float], tuple[float, float]]],
) -> None:
    drawn = "".join(
        f'<line transform="translate({x},{y})" x2="{to_x - x}" y2="{to_y - y}" stroke="#000"/>'
        for (x, y), (to_x, to_y) in ends
    )
    (path,) = opened(drawn)
    found = strokes(path.attrib["d"])
    assert len(found) == len(ends)
    for line, given_ends in zip(found, ends, strict=True):
        # From either end.
        ways = (line, line[::-1])
        gaps = [
            max(abs(a - b) for at, to in zip(way, given_ends, strict=True)
                for a, b in zip(at, to, strict=True))
            for way in ways
        ]  # fmt: skip
        assert min(gaps) <= 0.051


@settings(max_examples=30)
@given(
    st.lists(
        st.lists(st.integers(0, 199), unique=True, min_size=30, max_size=60), min_size=2, max_size=5
    ),
    st.floats(1.2, 3),
    st.floats(0.4, 0.9),
)
def test_bars_in_even_places_are_dashes(rows: list[list[int]], step: float, part: float) -> None:
    # Places 0 and 1 in each row, so that the step is there to be found.
    drawn, bars = "", set()
    for y, row in enumerate([sorted({0, 1, *places}) for places in rows]):
        for place in row:
            left = 30 + place * step
            drawn += f'<path d="M{left},{18 * y}h{step * part}v10h-{step * part}Z" fill="#00f"/>'
            bars.add((y, place))
    (group,) = opened(drawn)
    across, _, _, down, left, _ = map(float, group.attrib["transform"][7:-1].split())
    assert group.attrib["stroke-linecap"] == "square"
    # The ends add to a dash what a bar is wide; the line is as thick as a bar is high.
    thick = float(group.attrib["stroke-width"])
    assert thick * across / 10 == pytest.approx(step * part, abs=0.02)
    assert thick * down / 10 == pytest.approx(10, rel=0.01)
    assert left / 10 == pytest.approx(30 + step * part / 2, abs=0.02)
    found = set()
    for path in group:
        start, y, length = map(
            float, re.fullmatch(r"M(\d+) ([\d.e-]+)h([\d.]+)", path.attrib["d"]).groups()
        )  # type: ignore[union-attr]
        row = round((y * down / 10 - 5) / 18)
        dashes = list(map(int, path.attrib["stroke-dasharray"].split()))
        assert len(dashes) % 2 == 0
        at = start
        for dash, gap in zip(dashes[::2], dashes[1::2], strict=True):
            assert at + dash < start + length
            found |= {(row, round(at) + more) for more in range(dash + 1)}
            at += dash + gap
        assert at > start + length
    assert found == bars


@pytest.mark.parametrize(
    ("d", "read"),
    [
        ("M1,2h3v4Z", [("M", (1, 2)), ("L", (4, 2)), ("L", (4, 6)), ("Z", ())]),
        ("m1 2 3-4.5", [("M", (1, 2)), ("L", (4, -2.5))]),
        ("M.5.5l1.5.5", [("M", (0.5, 0.5)), ("L", (2, 1))]),
        ("M1,1A2,2,0,1,1,-2,0", [("M", (1, 1)), ("A", (2, 2, 0, 1, 1, -2, 0))]),
        ("M1,1c1,0,2,0,3,3", [("M", (1, 1)), ("C", (2, 1, 3, 1, 4, 4))]),
    ],
)
def test_path_data_are_read_as_the_standard_says(
    d: str, read: list[tuple[str, tuple[float, ...]]]
) -> None:
    assert svg.segments(d) == read


def test_a_curve_comes_back_where_it_was() -> None:
    path = svg.segments("M1,1C2,1,3,1,4,4A2,2,0,1,1,-2,0L0,0Z")
    again = svg.segments(svg.path_data([path]))
    for (kind, values), (other, found) in zip(path, again, strict=True):
        assert kind == other
        scaled = [v if kind == "A" and i in (2, 3, 4) else v * 10 for i, v in enumerate(values)]
        assert list(found) == pytest.approx(scaled)


def test_numbers_in_labels_stay_as_they_are() -> None:
    text = '<text text-anchor="end" transform="translate(1.26,2)" fill="#000">1.23456</text>'
    (group,) = opened(text)
    assert group.attrib == {"text-anchor": "end", "fill": "#000"}
    assert group[0].attrib == {"x": "13", "y": "20"}
    assert group[0].text == "1.23456"


def test_text_stays_text() -> None:
    (group,) = opened('<text fill="#000">a &lt;b&gt; &amp;</text>')
    assert group[0].text == "a <b> &"


def test_a_label_with_what_is_no_character_is_drawn() -> None:
    (group,) = opened('<text fill="#000">a\ufffeb\ud800c\x01</text>')
    assert group[0].text == "a\ufffdb\ufffdc\ufffd"


def test_a_text_of_two_lines_keeps_its_lines() -> None:
    (group,) = opened(
        '<text transform="translate(5,6)" fill="#000" font-size="13px"><tspan>a</tspan>'
        '<tspan x="0" dy="15">b</tspan></text>'
    )
    first, second = group[0]
    assert (first.text, second.text) == ("a", "b")
    assert second.attrib == {"x": "50", "dy": "150"}


def test_the_ground_of_a_text_lies_below_its_letters() -> None:
    text = '<text fill="#000" stroke="#fff">a</text>'
    assert 'paint-order="stroke"' in svg.compact(text)
    assert "paint-order" not in svg.compact(text.replace(' stroke="#fff"', ""))


@pytest.mark.parametrize(
    "unseen",
    [
        '<text x="1" y="2" fill="#fff"/><text x="3" fill="#fff"></text>',
        '<text fill="#fff" opacity="0">a</text>',
        '<path d="" fill="#fff"/>',
        '<path d="M0,0h5v5h-5Z"/>',
        '<path d="M0,0h5v5h-5Z" fill="#fff" display="none"/>',
        '<line x2="5" y2="0" stroke="#fff" stroke-width="0"/>',
    ],
)
def test_what_is_not_seen_is_not_kept(unseen: str) -> None:
    assert len(opened(unseen)) == 0


@pytest.mark.parametrize(
    "drawn",
    [
        '<g transform="rotate(5)"><path d="M0,0h1" stroke="#000"/></g>',
        '<g transform="translate(1,1) rotate(5)"><path d="M0,0h1" stroke="#000"/></g>',
        '<g opacity="0.5"><path d="M0,0h1" stroke="#000"/></g>',
        '<g clip-path="url(#c)"><path d="M0,0h1" stroke="#000"/></g>',
        '<image href="x.png"/>',
    ],
)
def test_what_would_not_look_the_same_is_refused(drawn: str) -> None:
    with pytest.raises(ValueError, match="not known"):
        svg.compact(drawn)


def test_see_through_marks_that_overlap_are_not_put_together() -> None:
    mark = '<path d="M{0},0h5v5h-5Z" fill="#aa0000" opacity="0.5"/>'
    assert len(opened(mark.format(0) + mark.format(20))) == 1
    assert len(opened(mark.format(0) + mark.format(3))) == 2


@pytest.mark.parametrize(
    ("made", "most"),
    [
        (lambda: pages.claim("share-above-half").curve(), 15_000),
        (pages.ladder, 4_000),
        (pages.ladder_months, 5_000),
    ],
    ids=["curve", "rows", "lines"],
)
def test_real_drawings_are_small(made: object, most: int) -> None:
    # Of 300, 30 and 60 thousand bytes as the library draws them.
    drawings = re.findall(r"<svg.*?</svg>", made(), re.DOTALL)  # type: ignore[operator]
    assert len(drawings) == 2
    assert [len(drawing.encode()) for drawing in drawings if len(drawing.encode()) > most] == []
