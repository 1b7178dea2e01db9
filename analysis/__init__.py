r"""The Open-Model Record: what the Hugging Face Hub's counters say, recomputed.

Data flow one way through six rooms, each a package that imports only from the
rooms to its left::

    raw -> snapshot -> measure -> claims -> present -> (book)
                                        \-> publish -> (release)

See ``docs/architecture.md``.
"""

__version__ = "0.1.0"
