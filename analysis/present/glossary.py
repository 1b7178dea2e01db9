"""The glossary: each term once, with an address of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from analysis.present.markup import Html, escape, join, safe_link


def target(see: str) -> str:
    """Return the address of a page, or of a place on it, as the pages link it.

    Examples
    --------
    >>> target("method#hard-bounds")
    'method.html#hard-bounds'
    """
    page, mark, place = see.partition("#")
    return f"{page}.html{mark}{place}"


def glossary(terms: Iterable[Mapping[str, Any]]) -> Html:
    """Return the definition list of all terms, in alphabetical order.

    Parameters
    ----------
    terms : iterable of mappings
        Entries of ``data/glossary.toml``.

    Returns
    -------
    Html
        A list whose terms have ids ``term-…`` and links to themselves.
    """
    parts = []
    for entry in sorted(terms, key=lambda entry: str(entry["term"]).removeprefix("The ").lower()):
        own = f"term-{entry['id']}"
        parts.append(
            Html(
                f'<dt id="{escape(own)}">{escape(entry["term"])}'
                f'<a class="headerlink" href="#{escape(own)}" '
                f'title="Link to this term">#</a></dt>'
                f"<dd>{escape(entry['definition'])} "
                f"{safe_link(target(str(entry['see'])), 'Read more')}</dd>"
            )
        )
    return Html(f'<dl class="omr-glossary">{join(parts)}</dl>')
