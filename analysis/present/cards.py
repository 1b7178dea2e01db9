"""Provenance cards: every source with the same fields in the same order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from analysis.present.markup import Html, anchor, escape, safe_link

#: How many versions a card shows before the rest unfolds.
_OPEN: Final = 6


def _words(value: object) -> str:
    return "not stated" if value in (None, "", ()) else str(value)


def _bytes(count: object) -> str:
    if not isinstance(count, int):
        return "not known"
    if count < 10_000:
        return f"{count:,} bytes"
    return f"{count / 1000:,.0f} kB" if count < 10_000_000 else f"{count / 1e6:,.1f} MB"


def _version_row(version: Any) -> str:
    digest = version.sha256 or version.git_tree
    kind = "sha256" if version.sha256 else "git tree"
    own = "".join(
        f" <small>{escape(text)}</small>" for text in (version.licence, version.note) if text
    )
    cells = (
        (
            f'<th scope="row" data-label="version" id="version-{anchor(version.name)}">'
            f"{escape(version.name)}</th>"
        ),
        f'<td data-label="as of">{escape(_words(version.as_of))}</td>',
        f'<td data-label="how the day is known">{escape(_words(version.as_of_known_by))}</td>',
        (
            f'<td data-label="hash"><code class="omr-hash" title="{kind} {escape(digest)}">'
            f"{escape(digest[:12])}</code>"
            f'<span class="omr-hidden"> {kind}</span> '
            f"<small>{escape(_words(version.hash_by))}</small></td>"
        ),
        f'<td data-label="size" class="omr-right">{escape(_bytes(version.bytes))}</td>',
        f'<td data-label="file">{safe_link(version.url, "file at its commit")}{own}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _versions(versions: Iterable[Any], of: str) -> str:
    rows = [_version_row(version) for version in versions]
    if not rows:
        return "<p>No version is pinned.</p>"

    def block(part: list[str]) -> str:
        head = "".join(
            f'<th scope="col">{name}</th>'
            for name in ("version", "as of", "how the day is known", "hash", "size", "file")
        )
        return (
            f'<div class="omr-scroll" role="region" tabindex="0" '
            f'aria-label="Versions of {escape(of)}"><table class="omr-table omr-stacked">'
            f'<caption class="omr-hidden">Versions of {escape(of)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(part)}</tbody></table></div>"
        )

    if len(rows) <= _OPEN:
        return block(rows)
    return f"<details><summary>{len(rows)} versions</summary>{block(rows)}</details>"


def card(source: Any) -> Html:
    """Return the provenance card of one source of the registry.

    Parameters
    ----------
    source : analysis.raw source
        An entry of ``data/sources/``.

    Returns
    -------
    Html
        The card; its anchor is ``source-<id>``, that of a version
        ``version-<name>`` (dots as hyphens).
    """
    problems = list(source.known_problems)
    listed = (
        "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in problems) + "</ul>"
        if problems
        else "none known"
    )
    licence = _words(source.licence)
    reason = source.licence_notes
    fields: tuple[tuple[str, object], ...] = (
        ("Kind", Html(f"<code>{escape(source.kind)}</code>")),
        ("Producer", _words(source.producer)),
        ("Repository", _words(source.repository)),
        ("File", Html(f"<code>{escape(source.path)}</code>") if source.path
            else "see each version"),
        ("Licence", f"{licence}. {reason}" if reason else licence),
        ("Share-alike", "yes: what derives from it is marked ODbL" if source.share_alike else "no"),
        ("Read from", f"{source.upstream}. {source.upstream_note}".removesuffix(". ")
            if source.upstream_note else _words(source.upstream)),
        ("Covers", _words(source.covers)),
        ("Known problems", Html(listed)),
        ("State", f"{source.state}: {source.state_note}" if source.state_note else source.state),
        ("Cite as", _words(source.citation)),
    )  # fmt: skip
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in fields)
    return Html(
        f'<section class="omr-card" id="source-{anchor(source.id)}">'
        f"<h3>{escape(source.title)}</h3><dl>{pairs}</dl>"
        f"{_versions(source.versions, source.title)}</section>"
    )


def cards(sources: Iterable[Any]) -> Html:
    """Return all cards, in the order given."""
    return Html("".join(card(source) for source in sources))


def contents(sources: Iterable[Any]) -> Html:
    """Return the list of sources that leads to the cards."""
    items = "".join(
        f'<li><a href="#source-{anchor(source.id)}">{escape(source.title)}</a> '
        f"<small>{escape(source.kind)}, {len(source.versions)} "
        f"version{'' if len(source.versions) == 1 else 's'}, {escape(source.state)}</small></li>"
        for source in sources
    )
    return Html(f'<ul class="omr-contents">{items}</ul>')
