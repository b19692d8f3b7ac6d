"""Files with certificates: read without the libraries of verification, which may not be there yet."""

from __future__ import annotations

from pathlib import Path

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.files import read_bounded

_LARGEST = 16 * 1024 * 1024
"""Bytes of a file with certificates, at most."""


def check_certificates_file(path: Path, what: str) -> bytes:
    """Return the bytes of a PEM file that should hold certificates.

    Args:
        path: of the file.
        what: it is, for the error.

    Raises:
        LocalFileError: it can't be read.
        UsageError: it is larger than any such file, or no PEM file with certificates.
    """
    try:
        content = read_bounded(path, most=_LARGEST) or b""
    except OSError as error:
        raise LocalFileError(f"The {what} {path} can't be read: {error.strerror}.", code="unreadable-file") from error
    if b"-----BEGIN CERTIFICATE-----" not in content:
        raise not_certificates(path, what)
    return content


def not_certificates(path: Path, what: str) -> UsageError:
    """Return the error for a file that holds no certificates."""
    return UsageError(
        f"The {what} {path} is not a PEM file with certificates.",
        hint="It must have lines with BEGIN CERTIFICATE and END CERTIFICATE.",
        code="invalid-certificate-file",
    )
