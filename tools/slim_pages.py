"""Take out of a built page what only its source needs: indentation, comments, implied endings.

The theme writes each page's frame from templates whose indentation and comments stay in it. What
a browser makes of a page, and what a reader sees or hears, is the same afterwards.
"""

from __future__ import annotations

import itertools
import re

# Parts whose blanks mean something, or that are written densely already.
_KEPT = "pre|code|kbd|samp|textarea|script|style|svg"
_PIECE = re.compile(
    rf"(?P<kept><(?P<part>{_KEPT})\b.*?</(?P=part)\s*>)"
    r"|(?P<comment><!--.*?-->)"
    r"|(?P<tag><[a-zA-Z/!](?:[^\"'>]|\"[^\"]*\"|'[^']*')*>)"
    r"|(?P<text>[^<]+|<)",
    re.DOTALL | re.IGNORECASE,
)
# Not every blank: one that does not break stays.
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_IN_TAG = re.compile(r"(\"[^\"]*\"|'[^']*')|[ \t\r\n\f]+")
# Ends that HTML lets go without saying: whatever may follow in a table or a list says it.
_ENDS = re.compile(r"</(?:td|th|tr|li)>", re.IGNORECASE)
# A place for advertisements, which the theme has for its host.
_ADVERTISEMENT = re.compile(r"<div id=\"ethical-ad-placement\"[^>]*>\s*</div>")
# What held a cell of code: the classes are for cells with tags, and for pages wider than ours.
_CELL = re.compile(r'(<div class="cell(?:_output)?)(?: tag_remove-input)? docutils container"')
# Links to pages of the book say that they are none to elsewhere, which no rule looks at.
_INTERNAL = re.compile(r'(<a class="(?:current )?reference) internal"')

# A drawing in a page: the style sheet is always there, so its colours need no second choice; the
# parser of HTML knows its name space; its ids have only to differ from all others of the page.
_FALLBACK = re.compile(r"var\((--[\w-]+),#[0-9a-f]{3,8}\)")
_XMLNS = re.compile(r" xmlns(?::xlink)?=\"[^\"]*\"")
_NAMED = re.compile(r"<title id=\"([\w-]+)-t\">")
_SVG_TAG = re.compile(r"<[a-zA-Z][^>]*>")


def _blank(match: re.Match[str]) -> str:
    return "\n" if "\n" in match[0] else " "


def _drawing(svg: str, number: int) -> str:
    """Return a drawing with short ids, and without what the page says already."""
    named = _NAMED.search(svg)
    own = re.compile(rf"(?<=[\"# ]){re.escape(named[1])}-(?=[\w-]+[\") ])") if named else None

    def tag(match: re.Match[str]) -> str:
        text = _XMLNS.sub("", _FALLBACK.sub(r"var(\1)", match[0]))
        return own.sub(f"s{number}-", text) if own else text

    return _SVG_TAG.sub(tag, svg)


def slim(text: str) -> str:
    """Return a page with the same content and fewer bytes.

    Parameters
    ----------
    text : str
        A whole HTML page.

    Returns
    -------
    str
        The page: runs of blanks are one, comments and ends that are implied are gone, drawings have
        short ids. Code, preformatted text and scripts are as they were.
    """
    out: list[str] = []
    numbers = itertools.count(1)
    for piece in _PIECE.finditer(_ADVERTISEMENT.sub("", text)):
        if piece["comment"] or (piece["tag"] and _ENDS.fullmatch(piece["tag"])):
            continue
        if piece["tag"]:
            tag = piece["tag"]
            if "\n" in tag or "  " in tag:
                tag = _IN_TAG.sub(lambda part: part[1] or " ", tag)
            if "container" in tag:
                tag = _CELL.sub(r'\1"', tag)
            elif "internal" in tag:
                tag = _INTERNAL.sub(r'\1"', tag)
            out.append(tag)
        elif piece["text"]:
            # Something that is gone may have had blanks on both sides.
            after = bool(out) and out[-1][-1] in " \n"
            kept = _BLANKS.sub(_blank, piece["text"])
            kept = kept[1:] if after and kept[0] in " \n" else kept
            if kept:
                out.append(kept)
        elif piece["part"].lower() == "svg":
            out.append(_drawing(piece["kept"], next(numbers)))
        else:
            out.append(piece["kept"])
    return "".join(out)
