"""Help in reading: terms that explain themselves, addresses of definitions, time to read.

The first mention of a glossary's term in the sentences of a page links to the glossary. Its
definition stands hidden at the end of the page, and `reading.js` shows it as a note. Terms that a
page defines itself get an id and a link to themselves. Under the title stands how long the page
takes, computed from its words.
"""

from __future__ import annotations

import html
import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from analysis import tables
from analysis.present.markup import anchor

GLOSSARY = "glossary"
#: Words that a reader takes in within a minute; technical prose is slower than a novel.
PACE = 200
#: Where a term is left alone: it is named, not used, or is a link already.
_NOT_IN = (
    nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.figure, nodes.table,
    nodes.raw, nodes.term, nodes.comment,
)  # fmt: skip
#: What is looked at and not read in a row: figures, tables, what is folded, what is hidden.
_LOOKED_AT = re.compile(
    r"<(figure|table|svg|details|script|style|nav)\b.*?</\1>|<span class=\"omr-hidden\">.*?</span>",
    re.DOTALL,
)
_TAG = re.compile(r"<[^>]*>")


def forms():
    """Return each way to write a term, with the id of the term."""
    found = {}
    for entry in tables.glossary():
        for form in (entry["term"], *entry["spellings"]):
            found[form[0].lower() + form[1:]] = entry["id"]
    return found


def pattern(found):
    """Return an expression that matches every form, longer ones first."""
    ordered = sorted(found, key=lambda form: (-len(form), form))
    either = "|".join(
        f"[{form[0].lower()}{form[0].upper()}]{re.escape(form[1:])}".replace(r"\ ", r"\s+")
        for form in ordered
    )
    return re.compile(rf"(?<![\w-])(?:{either})(?![\w-])")


class Terms(SphinxPostTransform):
    """Link the first mention of each term to the glossary."""

    # After references are resolved, so that no link is put into a link.
    default_priority = 500
    formats = ("html",)

    def run(self, **_):
        """Mark the terms of one page."""
        if GLOSSARY not in self.env.all_docs:
            return
        if self.env.docname == GLOSSARY:
            return
        known = forms()
        search = pattern(known)
        # What a page defines itself needs no note.
        here = self._name_definitions()
        marked = [known[word] for word in here if word in known]
        noted = len(marked)
        for paragraph in list(self.document.findall(nodes.paragraph)):
            if _inside(paragraph):
                continue
            for text in list(paragraph.findall(nodes.Text)):
                if not _inside(text.parent):
                    self._mark(text, search, known, marked)
        if len(marked) > noted:
            terms = {entry["id"]: entry for entry in tables.glossary()}
            notes = "".join(
                f'<p id="note-{one}">{html.escape(terms[one]["definition"])}</p>'
                for one in marked[noted:]
            )
            self.document += nodes.raw(
                "", f'<div class="omr-notes" hidden>{notes}</div>', format="html"
            )

    def _mark(self, text, search, known, marked):
        pieces, done = [], 0
        content = text.astext()
        for match in search.finditer(content):
            form = " ".join(match[0].split())
            term = known[form[0].lower() + form[1:]]
            if term in marked:
                continue
            marked.append(term)
            link = nodes.reference(
                "", match[0], internal=True, classes=["omr-term"],
                refuri=f"{GLOSSARY}.html#term-{term}",
            )  # fmt: skip
            pieces += [nodes.Text(content[done : match.start()]), link]
            done = match.end()
        if pieces:
            text.parent.replace(text, [*pieces, nodes.Text(content[done:])])

    def _name_definitions(self):
        """Give what the page itself defines an id and a link to it; return the words."""
        here = []
        taken = set(self.document.ids)
        for term in self.document.findall(nodes.term):
            word = term.astext()
            here.append(word[0].lower() + word[1:])
            own = f"term-{anchor(word)}"
            if own in taken or term["ids"]:
                continue
            taken.add(own)
            term["ids"].append(own)
            term += nodes.reference(
                "", "#", internal=True, refuri=f"#{own}", classes=["headerlink"],
                reftitle="Link to this term",
            )  # fmt: skip
        return here


def _inside(node):
    while node is not None:
        if isinstance(node, _NOT_IN):
            return True
        node = node.parent
    return False


def minutes(body):
    """Return how many minutes the text of a page takes, at least one."""
    words = html.unescape(_TAG.sub(" ", _LOOKED_AT.sub(" ", body))).split()
    return max(1, round(sum(any(map(str.isalnum, word)) for word in words) / PACE))


def _tell_time(app, pagename, templatename, context, doctree):
    body = context.get("body")
    if doctree is None or not body:
        return
    count = minutes(body)
    text = f"About {count} minute{'' if count == 1 else 's'} to read"
    context["body"] = body.replace("</h1>", f'</h1>\n<p class="omr-time">{text}</p>', 1)


def setup(app):
    """Tell Sphinx of this extension."""
    app.add_post_transform(Terms)
    app.connect("html-page-context", _tell_time, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
