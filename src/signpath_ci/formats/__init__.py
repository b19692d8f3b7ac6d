"""Signature formats, read and written in one place: shared by `verify` (reads) and `sandbox` (writes).

- `pe`, `powershell`, `msi` (in a `compound` file), `cab`: files as far as Authenticode signatures need them, each
  with the functions `read_subject` and `write_signed`.
- `authenticode`: what such a signature says about the file.
- `zip`: archives, read on a strict profile and written; the only reader of ZIP archives here.
- `jar`: manifests and signature files.
- `cms`: Cryptographic Message Syntax, the envelope of signatures (RFC 5652).
- `tsp`: timestamps (RFC 3161).
- `asn1`: DER, read and written.
- `registry`: the table of all formats, and which one a file has.
"""

from __future__ import annotations


class FormatError(Exception):
    """Bytes are not what their format requires; the message says which part and why, without naming the file.

    Args:
        message: no sentence yet: without its end.
        code: one of `error_codes.CODES`; the class's own where nothing finer fits.
    """

    code = "malformed-file"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code


class UncoveredError(FormatError):
    """There is data that no signature covers, where none need be: a payload may hide there."""

    code = "uncovered-data"


class UnsupportedError(FormatError):
    """Bytes are well-formed, but use a part of the format that can't be verified here."""

    code = "unsupported-signature"
