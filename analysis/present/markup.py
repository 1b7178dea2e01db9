"""Small building blocks for the HTML that the book shows.

Everything that comes out of data (repository ids, tags, licences, notes) was
written by strangers, so text is escaped here, in one place, and nowhere is a
string put into a page without passing :func:`escape` or being a :class:`Html`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

#: Characters that change the direction of the text around them or hide inside
#: it. They carry no meaning in an id or a licence name, but can reorder a page.
_INVISIBLE = dict.fromkeys(
    [
        *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0),
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFFF9, 0xFFFC),
        *range(0xE0000, 0xE0080),
    ],
    "\ufffd",
)
#: Code points that no text may hold: a page, an SVG or a file with one is not valid, and the
#: library that draws the charts ends the whole process.
_NO_CHARACTERS = dict.fromkeys(
    [
        *range(0xD800, 0xE000),
        *range(0xFDD0, 0xFDF0),
        *(plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)),
    ],
    "\ufffd",
)
_CONTROL = dict.fromkeys([*range(32), 127, *range(128, 160)], "�")
_CONTROL.pop(0x09)
_CONTROL.pop(0x0A)
_UNSAFE = _CONTROL | _INVISIBLE | _NO_CHARACTERS
#: Longer than any name or note that is meant to be read in a table or a chart.
_LONG = 1_000
#: An address inside the book: a file beside the page, an anchor, or both.
_RELATIVE = re.compile(r"(?:[\w-][\w./-]*(?:\?[\w=&%.-]*)?(?:#[\w.-]+)?|#[\w.-]+)", re.ASCII)
#: A public address: nothing in it that a browser would rewrite, or that hides what it is.
_PUBLIC = re.compile(r"https://[\w.-]+(?::\d+)?(?:[/?#][!#-;=?-\[\]_a-z~]*)?", re.ASCII)


class Html(str):
    """A string that is HTML already and is shown as such by notebooks.

    Examples
    --------
    >>> Html("<b>yes</b>")._repr_html_()
    '<b>yes</b>'
    """

    def _repr_html_(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        # Only HTML: a text/plain twin would show the markup as source.
        return {"text/html": str(self)}


def plain(text: object) -> str:
    """Return text with control and direction-changing characters replaced.

    Parameters
    ----------
    text : object
        Anything; ``str`` is applied.

    Returns
    -------
    str
        The text, each unsafe character replaced by U+FFFD.
    """
    return str(text).translate(_UNSAFE)


def clip(text: object, most: int = _LONG) -> str:
    """Return safe text cut to a length that a reader can be shown, and say how long it was.

    Examples
    --------
    >>> clip("a name")
    'a name'
    >>> clip("x" * 2500, 3)
    'xxx… (2,500 characters)'
    """
    whole = plain(text)
    return whole if len(whole) <= most else f"{whole[:most]}… ({len(whole):,} characters)"


def escape(text: object) -> str:
    """Escape text for HTML element content and quoted attributes.

    Parameters
    ----------
    text : object
        A :class:`Html` is returned unchanged, everything else is escaped.

    Returns
    -------
    str
        Safe HTML.

    Examples
    --------
    >>> escape('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    if isinstance(text, Html):
        return str(text)
    return html.escape(plain(text), quote=True)


def join(parts: Iterable[object], separator: str = "") -> Html:
    """Escape each part and join them to one piece of HTML."""
    return Html(escape(separator).join(escape(part) for part in parts))


def paragraph(*parts: object, kind: str = "") -> Html:
    """Return a paragraph of the parts, each escaped unless it is HTML."""
    attribute = f' class="{escape(kind)}"' if kind else ""
    return Html(f"<p{attribute}>{join(parts)}</p>")


def hidden(text: object) -> Html:
    """Return text that only a screen reader meets."""
    return Html(f'<span class="omr-hidden">{escape(text)}</span>')


def safe_link(url: str, text: object) -> Html:
    """Return a link to a public page; anything but https stays plain text.

    Parameters
    ----------
    url : str
        Address; data may hold ``javascript:`` or words such as "not pinned",
        so only ``https://`` and page-relative addresses (a file, an anchor or
        both; no scheme, no host) become links, and neither with blanks, quotes
        or letters that an address has to spell otherwise.
    text : object
        What is shown.
    """
    if len(url) <= _LONG * 2 and (_PUBLIC.fullmatch(url) or _RELATIVE.fullmatch(url)):
        return Html(f'<a href="{escape(url)}">{escape(text)}</a>')
    return Html(escape(text))


def anchor(text: str) -> str:
    """Return a lower-case id made of letters, digits and single hyphens.

    Examples
    --------
    >>> anchor("licence-llama-3.1")
    'licence-llama-3-1'
    """
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())
    return "-".join(part for part in kept.split("-") if part) or "x"
