"""Give the pages their titles from the results.

The title of a finding is computed with the finding, in `data/derived/claims.json`,
so that no heading can say what the data do not. A page writes
`# {{ title_share_above_half }}`; this makes the substitution known to MyST.
"""

from __future__ import annotations

from analysis import tables


def _add(app, config):
    for claim in tables.claims():
        # A number and its unit stay on one line.
        title = claim["finding"].replace(" %", "\u00a0%")
        config.myst_substitutions["title_" + claim["id"].replace("-", "_")] = title
    # It says nothing of parallel reading, and without a word Sphinx reads one page after another.
    # It acts on the table of contents only, after all pages have been read.
    app.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True


def setup(app):
    """Tell Sphinx of this extension."""
    app.connect("config-inited", _add)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
