"""Why a file was not signed."""

from __future__ import annotations


class CannotSignError(Exception):
    """The file can't be signed; the message is a sentence for people, as SignPath says for `ProcessingFailed`."""
