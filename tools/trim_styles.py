"""Style sheets without the rules that no page of a site can meet.

The theme brings thousands of rules for parts that this book does not have (cards, tabs, an icon
font). A rule stays when every class and id that its selector asks for stands on some page, or as a
word in some script. What is uncertain stays: arguments of `:not()` and its kind are not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
#: A string, an address or a bracket: what may hold a brace or a comma that splits nothing.
_PIECE = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|url\([^\"')]*\)|[{}(),;]", re.DOTALL)
_FUNCTION = re.compile(r":[a-z-]+\([^()]*\)")
_NAMED = re.compile(r"[.#]((?:[\w-]|\\.)+)")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_ATTRIBUTE = re.compile(r"\s(?:class|id)=(?:\"([^\"]*)\"|'([^']*)')")
#: Rules that hold rules.
_GROUPS = ("@media", "@supports", "@layer", "@container")


def words(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Return the names that a selector may ask for: classes and ids of pages, words of scripts."""
    found: set[str] = set()
    for page in pages:
        for match in _ATTRIBUTE.finditer(page):
            found.update((match[1] or match[2] or "").split())
    for script in scripts:
        found.update(_WORD.findall(script))
    return found


def _rules(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield each rule of a style sheet: what stands before its braces, and what between them."""
    start, depth, head, body = 0, 0, "", 0
    for match in _PIECE.finditer(text):
        if match[0] == "{":
            depth += 1
            if depth == 1:
                head, body = text[start : match.start()].strip(), match.end()
        elif match[0] == "}":
            depth -= 1
            if depth == 0:
                yield head, text[body : match.start()]
                start = match.end()
        elif match[0] == ";" and depth == 0:
            yield text[start : match.start()].strip(), None
            start = match.end()


def _selectors(head: str) -> list[str]:
    start, depth, parts = 0, 0, []
    for match in _PIECE.finditer(head):
        depth += (match[0] == "(") - (match[0] == ")")
        if match[0] == "," and depth == 0:
            parts.append(head[start : match.start()].strip())
            start = match.end()
    return [*parts, head[start:].strip()]


def _can_match(selector: str, known: set[str]) -> bool:
    bare = re.sub(r"\[[^\]]*\]", "", selector)
    while bare != (bare := _FUNCTION.sub("", bare)):
        pass
    return all(name.replace("\\", "") in known for name in _NAMED.findall(bare))


def trim(text: str, known: set[str]) -> str:
    """Return a style sheet without rules that match nothing.

    Parameters
    ----------
    text : str
        CSS without nested style rules.
    known : set of str
        Classes and ids that can occur, as `words` finds them.

    Examples
    --------
    >>> trim("a.x, .y { color: red } .z { color: blue }", {"y"})
    '.y{ color: red }'
    """
    kept: list[str] = []
    for head, body in _rules(_COMMENT.sub("", text)):
        if body is None:
            if not head.startswith(("@charset", "@import")):
                kept.append(f"{head};")
        elif head.startswith(_GROUPS):
            inner = trim(body, known)
            if inner:
                kept.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):
            # The files of the icon font are not served.
            if not (head == "@font-face" and "Font Awesome" in body):
                kept.append(f"{head}{{{body}}}")
        else:
            alive = [one for one in _selectors(head) if _can_match(one, known)]
            if alive:
                kept.append(f"{','.join(alive)}{{{body}}}")
    return "\n".join(kept)


def notices(text: str) -> str:
    """Return the licence notices of a style sheet, which stay with what is kept of it."""
    return "\n".join(found for found in _COMMENT.findall(text) if found.startswith("/*!"))
