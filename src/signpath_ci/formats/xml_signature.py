"""XML signatures (W3C, XML Signature Syntax and Processing 1.1): the names that their reading and writing share."""

from __future__ import annotations

from typing import BinaryIO

NAMESPACE = "http://www.w3.org/2000/09/xmldsig#"
ENVELOPED = f"{NAMESPACE}enveloped-signature"
EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
DIGESTS = {
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
"""Digest algorithms that may be relied on, by their identifiers, with the names that `hashlib.new` knows."""
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SIGNATURES = {
    f"{_MORE}rsa-sha256": ("1.2.840.113549.1.1.11", "sha256"),
    f"{_MORE}rsa-sha384": ("1.2.840.113549.1.1.12", "sha384"),
    f"{_MORE}rsa-sha512": ("1.2.840.113549.1.1.13", "sha512"),
    f"{_MORE}ecdsa-sha256": ("1.2.840.10045.4.3.2", "sha256"),
    f"{_MORE}ecdsa-sha384": ("1.2.840.10045.4.3.3", "sha384"),
    f"{_MORE}ecdsa-sha512": ("1.2.840.10045.4.3.4", "sha512"),
}
"""Signature algorithms that may be relied on, with their object identifiers and digest algorithms."""
MAX_SIZE = 16 << 20
"""The biggest XML file whose signature is read, in bytes."""
_MARKERS = tuple(NAMESPACE.encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_CHUNK = 1 << 18


def may_be_signed(file: BinaryIO) -> bool:
    """Tell whether the namespace of signatures occurs in a file, so that no library is needed where it does not."""
    file.seek(0)
    kept = b""
    while chunk := file.read(_CHUNK):
        kept = kept[-256:] + chunk
        if any(marker in kept for marker in _MARKERS):
            return True
    return False
