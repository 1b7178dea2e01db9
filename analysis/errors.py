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
