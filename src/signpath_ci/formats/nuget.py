"""NuGet packages (.nupkg, .snupkg): what their signature covers, and what it says.

The entry `.signature.p7s` is a CMS message whose content names a hash of the package without that entry. Source:
NuGet's "Package Signatures Technical Specification" and "Repository Signatures and Countersignatures Technical
Specification"; what NuGet.Client and jsign write.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import object_identifier, sequence
from signpath_ci.formats.cms import DIGEST_NAMES, DIGEST_OIDS, Attribute
from signpath_ci.formats.package import Package

SIGNATURE = ".signature.p7s"
COMMITMENT_TYPE = "1.2.840.113549.1.9.16.2.16"
"""id-aa-ets-commitmentType (RFC 5126 section 5.11.1): says whether a signature is an author's or a repository's."""
AUTHOR = "1.2.840.113549.1.9.16.6.1"
"""id-cti-ets-proofOfOrigin."""
REPOSITORY = "1.2.840.113549.1.9.16.6.2"
"""id-cti-ets-proofOfReceipt."""
SERVICE_INDEX = "1.3.6.1.4.1.311.84.2.1.1.1"
"""Signed attribute of a repository's signature: the address of its service index."""

# Sections of properties end with an empty line; there is one hash, and nothing else that is known.
_CONTENT = re.compile(rb"Version:1(\r?\n)\1([0-9.]+)-Hash:([A-Za-z0-9+/=]+)\1(?:\1)?")


def package_digest(package: Package, algorithm: str) -> bytes:
    """Compute the hash of a package without its signature, by the name of the algorithm."""
    hashed = hashlib.new(algorithm)
    for piece in package.data():
        hashed.update(piece)
    hashed.update(package.directory())
    return hashed.digest()


def read_content(content: bytes) -> tuple[str, bytes]:
    """Return the algorithm and the hash that a signature's content names.

    Raises:
        FormatError: it is not such a content.
        UnsupportedError: the algorithm is unknown.
    """
    match = _CONTENT.fullmatch(content)
    if match is None:
        raise FormatError("the content of its signature does not name exactly one hash of the package")
    algorithm = DIGEST_NAMES.get(match[2].decode("ascii"))
    if algorithm is None:
        raise UnsupportedError(f"its signature uses a digest algorithm that is not supported ({match[2].decode()})")
    try:
        return algorithm, base64.b64decode(match[3], validate=True)
    except binascii.Error as error:
        raise FormatError("the hash that its signature names is not Base64") from error


def write_content(algorithm: str, digest: bytes) -> bytes:
    """Return the content of a signature."""
    return f"Version:1\n\n{DIGEST_OIDS[algorithm]}-Hash:{base64.b64encode(digest).decode('ascii')}\n\n".encode("ascii")


def commitment(kind: str) -> Attribute:
    """Return the signed attribute that says whether a signature is an author's or a repository's."""
    return Attribute(COMMITMENT_TYPE, (sequence(object_identifier(kind)),))
