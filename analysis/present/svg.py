"""Make drawn SVGs small: the same picture in a fraction of the bytes.

A specification curve holds thousands of ticks. The drawing library writes each
as an element of its own with all its attributes, in groups of groups. Here the
marks are taken out of their groups, to their places in the picture, and put
together: what looks alike is one path with steps from mark to mark, points of
one look are the vertices of one line that bears a marker, bars of one height
are strokes of that width. A mark moves in front of or behind others only where
they do not touch.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape

#: Steps a pixel: the picture is written in whole tenths of a pixel, less than anyone sees, and
#: scaled as a whole, so that no number has a point.
_STEPS: Final = 10
#: The shape of a point stands once for many, and may be ten times as fine.
_FINE: Final = 10
#: Looks that are lengths.
_LENGTHS: Final = ("stroke-width", "stroke-dasharray", "font-size")
#: Points of one look that a marker pays for.
_MARKED: Final = 4
#: Bars in even places that pay for a ruler, and how far one may be off its place, in pixels.
_RULED: Final = 60
_OFF: Final = 0.06
#: How many groups back a mark may be put: more is work without gain.
_BACK: Final = 12
#: Width of a letter in parts of its height, rather too much than too little.
_LETTER: Final = 0.75

#: No reader of XML takes these; a label is written by strangers.
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

#: What decides how a mark looks; everything else is for readers of its parts, or says nothing.
_LOOKS: Final = (
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity",
    "opacity", "font-size", "font-weight", "font-style", "text-anchor",
)  # fmt: skip
_DEFAULTS: Final = {
    "fill": "none",
    "fill-opacity": "1",
    "stroke": "none",
    "stroke-width": "1",
    "stroke-dasharray": "",
    "stroke-opacity": "1",
    "opacity": "1",
    "font-weight": "normal",
    "font-style": "normal",
    "text-anchor": "start",
}
_OF_STROKES: Final = ("stroke-width", "stroke-dasharray", "stroke-opacity")
_MOVE: Final = re.compile(r"translate\((-?[\d.e-]+),(-?[\d.e-]+)\)(.*)")
_TOKEN: Final = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LAST: Final = re.compile(r"[\d.]+$")
_TAKES: Final = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, "A": 7, "Z": 0}

Box = tuple[float, float, float, float]
Segment = tuple[str, tuple[float, ...]]
Look = tuple[tuple[str, str], ...]


#: Kinds of groups that are no points; the kind of points is what one is drawn like.
_KINDS: Final = ("text", "turned", "path")


@dataclass
class _Mark:
    """A mark at its place: a path, or a text when it has content."""

    look: Look
    box: Box
    path: list[Segment] = field(default_factory=list)
    place: tuple[float, float] = (0.0, 0.0)
    point: bool = False
    turn: str = ""
    content: str = ""


@dataclass
class _Group:
    """Neighbours that look alike."""

    kind: str
    look: Look
    marks: list[_Mark]
    box: Box


def segments(d: str) -> list[Segment]:
    """Return a path as absolute moves (M), lines (L), curves (C, Q), arcs (A) and closings (Z).

    Parameters
    ----------
    d : str
        Path data without the short forms S and T.
    """
    tokens = _TOKEN.findall(d)
    out: list[Segment] = []
    here, start = (0.0, 0.0), (0.0, 0.0)
    at, command = 0, "M"
    while at < len(tokens):
        if tokens[at].isalpha():
            command = tokens[at]
            at += 1
        kind = command.upper()
        values = [float(token) for token in tokens[at : at + _TAKES[kind]]]
        at += _TAKES[kind]
        if kind == "Z":
            out.append(("Z", ()))
            here = start
            continue
        dx, dy = here if command.islower() else (0.0, 0.0)
        if kind == "H":
            kind, values = "L", [values[0] + dx, here[1]]
        elif kind == "V":
            kind, values = "L", [here[0], values[0] + dy]
        elif kind == "A":
            values[5:] = [values[5] + dx, values[6] + dy]
        else:
            values = [value + (dy if i % 2 else dx) for i, value in enumerate(values)]
        here = (values[-2], values[-1])
        if kind == "M":
            start = here
            # What follows a move without a letter of its own is a line.
            command = "l" if command == "m" else "L"
        out.append((kind, tuple(values)))
    return out


def _moved(path: Sequence[Segment], dx: float, dy: float) -> list[Segment]:
    def one(kind: str, values: tuple[float, ...]) -> Segment:
        if kind == "A":
            return kind, (*values[:5], values[5] + dx, values[6] + dy)
        return kind, tuple(value + (dy if i % 2 else dx) for i, value in enumerate(values))

    return [one(*segment) for segment in path]


def _steps(value: float) -> int:
    """Return a length in steps; halves go up, so that equal lengths stay equal."""
    return math.floor(value * _STEPS + 0.5)


def _length(text: str) -> str:
    """Return lengths as a drawing names them, a number or several, in steps."""
    return " ".join(f"{float(part) * _STEPS:.4g}" for part in text.split(","))


def _apart(before: str, value: str) -> str:
    """Return the separator that the grammar asks for between two numbers."""
    last = _LAST.search(before)
    if value[0] == "-" or (value[0] == "." and last is not None and "." in last[0]):
        return ""
    return " "


class _Pen:
    """Writes path data in steps from where it stands."""

    def __init__(self, fine: int = 1) -> None:
        self.fine = fine
        self.parts: list[str] = []
        self.letter = ""
        self.here = self.start = (0, 0)

    def _put(self, letter: str, values: Sequence[str]) -> None:
        text = values[0]
        for value in values[1:]:
            text += _apart(text, value) + value
        if letter == self.letter or (letter == "l" and self.letter == "m"):
            # The letter is understood; a second move would be read as a line.
            again = letter if letter == "m" else _apart(self.parts[-1], text)
            self.parts.append(again + text)
        else:
            self.parts.append(letter + text)
        self.letter = letter

    def _at(self, value: float) -> int:
        return _steps(value * self.fine)

    def _text(self, steps: int) -> str:
        text = f"{steps / self.fine:g}"
        return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text

    def _relative(self, points: Sequence[float]) -> list[str]:
        return [self._text(self._at(value) - self.here[i % 2]) for i, value in enumerate(points)]

    def write(self, path: Sequence[Segment], spelt: bool = False) -> None:
        """Append one path; `spelt` gives each step both of its numbers."""
        for kind, values in path:
            if kind == "Z":
                self.parts.append("z")
                self.letter, self.here = "z", self.start
                continue
            to = (self._at(values[-2]), self._at(values[-1]))
            if kind == "M":
                self._put("m", self._relative(values))
                self.start = to
            elif kind == "L" and to[1] == self.here[1] and not spelt:
                self._put("h", [self._text(to[0] - self.here[0])])
            elif kind == "L" and to[0] == self.here[0] and not spelt:
                self._put("v", [self._text(to[1] - self.here[1])])
            elif kind == "A":
                radii = [self._text(self._at(value)) for value in values[:2]]
                flags = [f"{value:g}" for value in values[2:5]]
                self._put("a", [*radii, *flags, *self._relative(values[5:])])
            else:
                self._put(kind.lower(), self._relative(values))
            self.here = to

    def __str__(self) -> str:
        return "".join(self.parts)


def path_data(paths: Sequence[Sequence[Segment]], turnable: bool = False) -> str:
    """Return paths as the data of one.

    Parameters
    ----------
    paths : sequence of sequence of segments
        Each begins with a move.
    turnable : bool
        A single line may be drawn from either end, whichever is shorter to say.
    """
    pen = _Pen()
    for path in paths:
        if turnable and [kind for kind, _ in path] == ["M", "L"]:
            turned = [("M", path[1][1]), ("L", path[0][1])]
            path = min(path, turned, key=lambda way: _cost(pen.here, way))
        pen.write(path)
    return str(pen)


def _cost(here: tuple[int, int], way: Sequence[Segment]) -> int:
    pen = _Pen()
    pen.here = here
    pen.write(way)
    return len(str(pen))


def _box(path: Sequence[Segment], width: float) -> Box:
    xs: list[float] = []
    ys: list[float] = []
    for kind, values in path:
        reach_x, reach_y = (2 * values[0], 2 * values[1]) if kind == "A" else (0.0, 0.0)
        for i, value in enumerate(values[5:] if kind == "A" else values):
            if i % 2:
                ys += (value - reach_y, value + reach_y)
            else:
                xs += (value - reach_x, value + reach_x)
    # Half of the stroke, and what a pixel's edge may share.
    half = width / 2 + 0.5
    return (min(xs) - half, min(ys) - half, max(xs) + half, max(ys) + half)


def _touch(one: Box, other: Box) -> bool:
    return (
        one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    )  # fmt: skip


def _around(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]),
    )  # fmt: skip


def _look(attributes: dict[str, str]) -> dict[str, str] | None:
    """Return how a mark looks without what goes without saying; None when nothing is seen."""
    look = {
        name: value.removesuffix("px")
        for name, value in attributes.items()
        if name in _LOOKS and value != _DEFAULTS.get(name)
    }
    if "stroke" not in look or float(look.get("stroke-width", "1")) == 0:
        for name in ("stroke", *_OF_STROKES):
            look.pop(name, None)
    if "fill" not in look:
        look.pop("fill-opacity", None)
    seen = "fill" in look or "stroke" in look
    if not seen or float(look.get("opacity", "1")) == 0 or attributes.get("display") == "none":
        return None
    return look


def _frozen(look: dict[str, str]) -> Look:
    return tuple((name, look[name]) for name in _LOOKS if name in look)


def _marks(
    node: ElementTree.Element, dx: float, dy: float, inherited: dict[str, str]
) -> Iterator[_Mark]:
    tag = node.tag.rpartition("}")[2]
    moved = _MOVE.fullmatch(node.get("transform", "translate(0,0)"))
    if moved is None:
        raise ValueError(f"a drawing is moved in a way that is not known: {dict(node.attrib)}")
    dx, dy, turn = dx + float(moved[1]), dy + float(moved[2]), moved[3].strip()
    attributes = {**inherited, **{k: v for k, v in node.attrib.items() if k in _LOOKS}}
    if tag in ("svg", "g"):
        if turn or float(attributes.pop("opacity", "1")) != 1 or "clip-path" in node.attrib:
            raise ValueError(f"a group looks in a way that is not known: {dict(node.attrib)}")
        for child in node:
            yield from _marks(child, dx, dy, attributes)
        return
    look = _look({**attributes, "display": node.get("display", "")})
    if tag not in ("line", "path", "text"):
        raise ValueError(f"a drawing has a part that is not known: {tag}")
    if look is None:
        return
    width = float(look.get("stroke-width", "1")) if "stroke" in look else 0.0
    if tag == "line":
        look.pop("fill", None)
        look.pop("fill-opacity", None)
        ends = [float(node.get(name, "0")) for name in ("x1", "y1", "x2", "y2")]
        path = _moved([("M", (ends[0], ends[1])), ("L", (ends[2], ends[3]))], dx, dy)
        if "stroke" in look:
            yield _Mark(_frozen(look), _box(path, width), path)
    elif tag == "path":
        own = segments(node.get("d", ""))
        if not own:
            return
        if turn:
            reach = max(abs(value) for value in _box(own, width))
            box = (dx - reach, dy - reach, dx + reach, dy + reach)
            yield _Mark(_frozen(look), box, own, (dx, dy), turn=turn)
        elif "transform" in node.attrib:
            # A point: what it is drawn like, and where.
            box = _box(_moved(own, dx, dy), width)
            yield _Mark(_frozen(look), box, own, (dx, dy), point=True)
        else:
            path = _moved(own, dx, dy)
            yield _Mark(_frozen(look), _box(path, width), path)
    else:
        content = "".join(node.itertext())
        place = (dx + float(node.get("x", "0")), dy + float(node.get("y", "0")))
        if content.strip():
            yield _written(node, look, place, turn)


def _written(
    node: ElementTree.Element, look: dict[str, str], place: tuple[float, float], turn: str
) -> _Mark:
    size = float(look.get("font-size", "11"))
    if "stroke" in look:
        # An outline in the colour of the page keeps lines off the letters: it goes below them.
        look["paint-order"] = "stroke"
    lines = [node.text or "", *("".join(part.itertext()) for part in node)]
    content = escape(node.text or "")
    for part in node:
        moves = f' x="{_steps(place[0])}" dy="{_length(part.get("dy", "0"))}"'
        inside = escape("".join(part.itertext()))
        content += f"<tspan{moves if 'dy' in part.attrib else ''}>{inside}</tspan>"
    length = _LETTER * size * max(len(line) for line in lines)
    before = {"start": 0.0, "middle": 0.5, "end": 1.0}[look.get("text-anchor", "start")]
    high = size * 1.2
    box = (
        place[0] - length * before - 3, place[1] - high - 3,
        place[0] + length * (1 - before) + 3, place[1] + high * max(1, len(lines)) + 3,
    )  # fmt: skip
    if turn:
        box = (place[0] - length, place[1] - length, place[0] + length, place[1] + length)
    kept = (*_frozen(look), *((("paint-order", "stroke"),) if "paint-order" in look else ()))
    return _Mark(kept, box, place=place, turn=turn, content=content)


def _rectangle(mark: _Mark) -> Box | None:
    """Return the edges of a filled rectangle without an outline, else None."""
    names = {name for name, _ in mark.look}
    if [kind for kind, _ in mark.path] != list("MLLLZ") or names - {"fill"} or mark.turn:
        return None
    dx, dy = mark.place
    corners = [(x + dx, y + dy) for _, (x, y) in mark.path[:4]]
    xs, ys = {x for x, _ in corners}, {y for _, y in corners}
    if len({_steps(x) for x in xs}) > 2 or len({_steps(y) for y in ys}) > 2:
        return None
    diagonal = corners[0][0] != corners[2][0] and corners[0][1] != corners[2][1]
    level = corners[0][1] == corners[1][1] or corners[0][0] == corners[1][0]
    return (min(xs), min(ys), max(xs), max(ys)) if diagonal and level else None


def _bars(marks: list[_Mark]) -> None:
    """Turn rectangles that share a height, or else a width, into strokes of that width."""
    found = [(mark, box) for mark in marks if (box := _rectangle(mark)) is not None]
    # Heights of columns differ in the last digits of their computation.
    high = Counter((mark.look, f"{box[3] - box[1]:.2f}") for mark, box in found)
    wide = Counter((mark.look, f"{box[2] - box[0]:.2f}") for mark, box in found)
    for mark, (left, top, right, bottom) in found:
        height, width = f"{bottom - top:.2f}", f"{right - left:.2f}"
        rows, columns = high[mark.look, height], wide[mark.look, width]
        if max(rows, columns) < 2:
            continue
        if rows >= columns:
            middle, across = (top + bottom) / 2, height
            ends = (left, middle), (right, middle)
        else:
            middle, across = (left + right) / 2, width
            ends = (middle, top), (middle, bottom)
        across = across.rstrip("0").rstrip(".")
        mark.look = (("stroke", dict(mark.look)["fill"]), ("stroke-width", across))
        mark.path = [("M", ends[0]), ("L", ends[1])]
        mark.place, mark.point = (0.0, 0.0), False


def _shape(mark: _Mark) -> str:
    pen = _Pen(_FINE)
    pen.write(mark.path)
    return str(pen)


def _grouped(marks: Sequence[_Mark]) -> list[_Group]:
    """Put marks of one look together where none of them touches what lies between."""
    points = Counter((mark.look, _shape(mark)) for mark in marks if mark.point)
    groups: list[_Group] = []
    for mark in marks:
        shape = _shape(mark) if mark.point else ""
        if mark.content:
            kind = "text"
        elif mark.turn:
            kind = "turned"
        elif shape and points[mark.look, shape] >= _MARKED:
            kind = shape
        else:
            kind = "path"
            mark.path, mark.place = _moved(mark.path, *mark.place), (0.0, 0.0)
        group = _home(groups, kind, mark)
        if group is None:
            groups.append(_Group(kind, mark.look, [mark], mark.box))
        else:
            group.marks.append(mark)
            group.box = _around(group.box, mark.box)
    return groups


def _home(groups: Sequence[_Group], kind: str, mark: _Mark) -> _Group | None:
    """Return the group that a mark can join without passing over or under another."""
    for group in groups[: -_BACK - 1 : -1]:
        near = _touch(group.box, mark.box)
        if group.kind == kind and group.look == mark.look and _may_join(group, mark, near):
            return group
        if near and any(_touch(other.box, mark.box) for other in group.marks):
            return None
    return None


def _may_join(group: _Group, mark: _Mark, near: bool) -> bool:
    """Whether a mark looks the same inside the one path of a group as on top of it."""
    if group.kind != "path" or not near:
        return True
    names = {name for name, _ in mark.look}
    if names <= {"stroke", "stroke-width", "stroke-dasharray"}:
        return True
    return not any(_touch(other.box, mark.box) for other in group.marks)


def _attributes(look: Look) -> str:
    return "".join(
        f' {name}="{_length(value) if name in _LENGTHS else value}"' for name, value in look
    )


def _drawn(group: _Group, common: dict[str, str], name: str) -> str:
    """Return the markup of one group; `common` goes without saying."""
    look = tuple(pair for pair in group.look if common.get(pair[0]) != pair[1])
    style = _attributes(look)
    if group.kind == "text":
        texts = "".join(
            f'<text transform="translate({_steps(x)},{_steps(y)}) {mark.turn}">'
            f"{mark.content}</text>"
            if mark.turn
            else f'<text x="{_steps(x)}" y="{_steps(y)}">{mark.content}</text>'
            for mark in group.marks
            for x, y in (mark.place,)
        )
        return f"<g{style}>{texts}</g>"
    if group.kind == "turned":
        return "".join(
            f'<path transform="translate({_steps(x)},{_steps(y)}) {mark.turn}" '
            f'd="{path_data([mark.path])}"{style}/>'
            for mark in group.marks
            for x, y in (mark.place,)
        )
    if group.kind == "path" and (ruled := _ruled(group)):
        return ruled
    if group.kind == "path":
        turnable = "stroke-dasharray" not in dict(group.look)
        data = path_data([mark.path for mark in group.marks], turnable)
        return f'<path d="{data}"{style}/>'
    if len(group.marks) < _MARKED:
        paths = [_moved(mark.path, *mark.place) for mark in group.marks]
        return "".join(f'<path d="{path_data([path])}"{style}/>' for path in paths)
    return (
        f'<marker id="{name}" markerUnits="userSpaceOnUse" overflow="visible">'
        f'<path d="{group.kind}"{style}/></marker>'
        f'<path d="{_vertices(group.marks)}" style="marker:url(#{name})"/>'
    )


def _ruler(starts: Sequence[float]) -> float:
    """Return the step of the places that bars begin at, supposing that they are even."""
    places = sorted(set(starts))
    gaps = [after - before for before, after in pairwise(places) if after - before > _OFF]
    step = min(gaps, default=0.0)
    for place in places:
        # The further from the first, the better the step is known.
        if step and (count := round((place - places[0]) / step)):
            step = (place - places[0]) / count
    return step


def _ruled(group: _Group) -> str:
    """Return rows of many short bars as dashes of one line a row, counted in steps of a ruler.

    A dash is as long as its bar less one; its square ends, half a bar each, do the rest. Nothing
    is returned where bars do not stand in even places, or are few.
    """
    look = dict(group.look)
    bars = [(*mark.path[0][1], *mark.path[-1][1]) for mark in group.marks]
    level = all(
        [kind for kind, _ in mark.path] == ["M", "L"] and bar[1] == bar[3] and bar[0] < bar[2]
        for mark, bar in zip(group.marks, bars, strict=True)
    )
    if len(bars) < _RULED or set(look) != {"stroke", "stroke-width"} or not level:
        return ""
    left, width = min(bar[0] for bar in bars), min(bar[2] - bar[0] for bar in bars)
    step = _ruler([bar[0] for bar in bars])
    if not step:
        return ""
    rows: dict[float, list[tuple[int, int]]] = {}
    for start, y, end, _ in bars:
        place, more = round((start - left) / step), round((end - start - width) / step)
        off = max(abs(left + place * step - start), abs(more * step + width - (end - start)))
        row = rows.setdefault(y, [])
        if off > _OFF or (row and place <= sum(row[-1])):
            return ""
        row.append((place, more))
    high = float(look["stroke-width"])
    # Square ends are as wide as the line is thick, so the two directions are scaled apart.
    down = high * step / width
    drawn = ""
    for y, row in rows.items():
        dashes: list[int] = []
        for (place, more), (following, _) in pairwise([*row, (sum(row[-1]) + 9, 0)]):
            dashes += [more, following - place - more]
        length = sum(row[-1]) - row[0][0]
        places = f"M{row[0][0]} {y / down:.5g}h{length}.5"
        drawn += f'<path d="{places}" stroke-dasharray="{" ".join(map(str, dashes))}"/>'
    scale = " ".join(
        f"{value:.6g}"
        for value in (step * _STEPS, 0, 0, down * _STEPS, (left + width / 2) * _STEPS, 0)
    )
    return (
        f'<g transform="matrix({scale})" stroke="{look["stroke"]}" '
        f'stroke-width="{width / step:.5g}" stroke-linecap="square">{drawn}</g>'
    )


def _vertices(marks: Sequence[_Mark]) -> str:
    """Return the line that has a vertex at each mark."""
    pen = _Pen()
    pen.write([("M" if i == 0 else "L", mark.place) for i, mark in enumerate(marks)], spelt=True)
    return str(pen)


def compact(inner: str) -> str:
    """Return the inside of an SVG with the same picture in fewer bytes.

    Parameters
    ----------
    inner : str
        Everything after the opening ``<svg ...>``, with the closing tag or without.

    Returns
    -------
    str
        The same marks at the same places (to a tenth of a pixel), without groups, roles of parts,
        defaults, and what is not seen.
    """
    end = "</svg>" if inner.rstrip().endswith("</svg>") else ""
    inner = _NO_XML.sub("\ufffd", inner)
    root = ElementTree.fromstring(f"<svg>{inner}" if end else f"<svg>{inner}</svg>")
    marks = list(_marks(root, 0.0, 0.0, {}))
    _bars(marks)
    groups = _grouped(marks)
    sizes = Counter(
        size for group in groups if group.kind == "text" for name, size in group.look
        if name == "font-size"
    )  # fmt: skip
    common = {"font-size": sizes.most_common(1)[0][0]} if sizes else {}
    names = (f"m{number}" for number in itertools.count(1))
    body = "".join(
        _drawn(group, common, next(names) if group.kind not in _KINDS else "") for group in groups
    )
    lasting = f'stroke-width="{_STEPS}" stroke-miterlimit="10"{_attributes(tuple(common.items()))}'
    return f'<g transform="scale({1 / _STEPS:g})" fill="none" {lasting}>{body}</g>{end}'
