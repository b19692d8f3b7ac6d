"""Content identity: the signed file is the file that was submitted."""

from __future__ import annotations

from typing import BinaryIO

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.pe import content_digest, read_image


def check_same_content(unsigned: BinaryIO, algorithm: str, digest: str) -> None:
    """Demand that a submitted PE file has the Authenticode hash that is signed.

    The hash leaves out what signing changes (checksum, security directory, certificate table, padding), so bytes are
    not compared.

    Args:
        unsigned: the submitted file.
        algorithm: of the signed hash.
        digest: the signed hash, lower-case hex.

    Raises:
        VerificationError: the signed file is another one.
    """
    try:
        submitted = content_digest(unsigned, read_image(unsigned), algorithm).hex()
    except FormatError as error:
        raise VerificationError(f"it can't be the file that was submitted, because of that one: {error}.") from error
    if submitted != digest:
        raise VerificationError(
            "it is signed, but it is not the file that was submitted:"
            f" the Authenticode hash is {digest}, the submitted file's is {submitted}."
        )
