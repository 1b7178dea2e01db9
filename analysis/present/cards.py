"""Provenance cards: every source with the same fields in the same order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from analysis.present.markup import Html, anchor, escape, safe_link
from analysis.present.tables import frame_of

#: Kinds of sources that are no readings of the Hub: their versions have a page of their own.
_ELSEWHERE: Final = frozenset(
    {
        "arena-scores", "arena-table", "arena-table-json", "language-scores", "licence-text",
        "ollama-library", "quality-index", "release-text", "router-ranking", "service-catalogue",
    }
)  # fmt: skip


def of_the_hub(kind: str) -> bool:
    """Whether sources of a kind are readings of the Hub, or about its repositories."""
    return kind not in _ELSEWHERE


def _versions_page(kind: str) -> str:
    return "versions.html" if of_the_hub(kind) else "versions-elsewhere.html"


def source_address(id: str) -> str:
    """Return the address of a source's card."""
    return f"data.html#source-{anchor(id)}"


def version_address(name: str, kind: str) -> str:
    """Return the address of the row of a version of a source of some kind, with its hash."""
    return f"{_versions_page(kind)}#version-{anchor(name)}"


def _words(value: object) -> str:
    return "not stated" if value in (None, "", ()) else str(value)


def _bytes(count: object) -> str:
    if not isinstance(count, int):
        return "not known"
    if count < 10_000:
        return f"{count:,} bytes"
    return f"{count / 1000:,.0f} kB" if count < 10_000_000 else f"{count / 1e6:,.1f} MB"


def _version_row(version: Any, *, days: bool) -> str:
    digest = version.sha256 or version.git_tree
    kind = "" if version.sha256 else " <small>git tree</small>"
    own = "".join(
        f" <small>{escape(text)}</small>" for text in (version.licence, version.note) if text
    )
    known = f"<td>{escape(_words(version.as_of_known_by))}</td>" if days else ""
    return (
        f'<tr><th scope="row" id="version-{anchor(version.name)}">'
        f"{safe_link(version.url, version.name)}{own}</th>"
        f"<td>{escape(_words(version.as_of))}</td>{known}"
        f'<td><code class="omr-hash">{escape(digest)}</code>{kind}</td>'
        f"<td>{escape(_bytes(version.bytes))}</td></tr>"
    )


def _versions(source: Any) -> str:
    versions = list(source.versions)
    known = sorted({_words(version.as_of_known_by) for version in versions})
    hashed = sorted({_words(version.hash_by) for version in versions})
    days = len(known) > 1
    headings = ["version, and its file", "as of", "hash", "size"]
    if days:
        headings.insert(2, "how the day is known")
    rows = "".join(_version_row(version, days=days) for version in versions)
    right = [False] * (len(headings) - 1) + [True]
    caption = f"Versions of {source.title}"
    made = frame_of(headings, rows, caption, right, stacked=True, hidden=True)
    said = [f"Hash: {'; '.join(hashed)}."]
    if not days:
        said.insert(0, f"How the day is known: {known[0]}.")
    return (
        f'<section class="omr-card" id="versions-{anchor(source.id)}">'
        f"<h2>{safe_link(source_address(source.id), source.title)}</h2>"
        f'<p class="omr-note">{escape(" ".join(said))}</p>{made}</section>'
    )


def versions(sources: Iterable[Any]) -> Html:
    """Return every pinned version with its day, hash, size and address, source by source.

    Parameters
    ----------
    sources : iterable of analysis.raw sources
        In the order to be shown; those without a version are left out.

    Returns
    -------
    Html
        A table a source; its anchor is ``versions-<id>``, that of a version
        ``version-<name>`` (dots as hyphens).
    """
    return Html("".join(_versions(source) for source in sources if source.versions))


def card(source: Any) -> Html:
    """Return the provenance card of one source of the registry.

    Parameters
    ----------
    source : analysis.raw source
        An entry of ``data/sources/``.

    Returns
    -------
    Html
        The card; its anchor is ``source-<id>``. It leads to the source's versions.
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
    count = len(source.versions)
    pinned = f"{count} pinned version{'' if count == 1 else 's'}, with hash and address"
    shown = safe_link(f"{_versions_page(source.kind)}#versions-{anchor(source.id)}", pinned)
    return Html(
        f'<section class="omr-card" id="source-{anchor(source.id)}">'
        f"<h3>{escape(source.title)}</h3><dl>{pairs}</dl>"
        f"<p>{shown if count else 'No version is pinned.'}</p></section>"
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
