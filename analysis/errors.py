"""Errors a user can act on: one line, which file, what is wrong, what to do."""

from __future__ import annotations


class RecordError(Exception):
    """Base of every error that the record raises on purpose.

    The message is one line for a person; the command line prints it and exits
    with :attr:`exit_status`, never with a traceback.
    """

    exit_status = 2


class InputError(RecordError):
    """A file, an argument or a register is wrong, and the message says which and how to mend it."""


class UnavailableError(RecordError):
    """A raw file could not be had: no network, no mirror, refused, or withdrawn."""


class IntegrityError(RecordError):
    """Bytes arrived, but they are not the bytes that the registry names."""


#: More of one line helps nobody.
_LONGEST = 4000


def one_line(message: str) -> str:
    r"""Return a message as one line in which nothing controls a terminal.

    What strangers chose (names of files, ids, arguments) may hold escapes, turned letters, or a
    million of them.

    Examples
    --------
    >>> one_line("data/\x1b[2J\n.json: no such file")
    'data/\\x1b[2J .json: no such file'
    """
    text = " ".join(message.split())
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 4 :]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
