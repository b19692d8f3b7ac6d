"""The certificate that SignPath states for a request or signing policy. **Inferred**: the form of it is not public.

Taken are DER, PEM, and JSON that holds either of them as text, in Base64 or PEM, at any depth. Only the certificate
itself is of use: a thumbprint that an answer names beside it is not read.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtensionOID

from signpath_ci.errors import UnexpectedAnswerError

_MOST_TEXTS = 1000
"""Texts of a JSON document that are looked at."""

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*", re.ASCII)
_PEM = "-----BEGIN CERTIFICATE-----"


def stated_thumbprint(answer: bytes) -> str:
    """Return the SHA-256 of the signer's certificate in an answer, in lower-case hex.

    Where there are several certificates, as of a chain, it is the one that is no authority's.

    Raises:
        UnexpectedAnswerError: the answer has no certificate, or leaves open which one signs.
    """
    found = {certificate.fingerprint(SHA256()).hex(): certificate for certificate in _certificates(answer)}
    if len(found) > 1:
        found = {thumbprint: certificate for thumbprint, certificate in found.items() if not _is_authority(certificate)}
    if len(found) != 1:
        what = "leaves open which certificate signs" if found else "has no certificate that can be read"
        raise UnexpectedAnswerError(f"The answer {what}.", code="unexpected-answer")
    return next(iter(found))


def _certificates(answer: bytes) -> Iterator[x509.Certificate]:
    if answer[:1] == b"\x30":  # a SEQUENCE: no text starts with it but a digit 0, which is not a JSON object
        yield from _der(answer)
        return
    try:
        text = answer.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return
    if text[:1] in {"{", "[", '"'}:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return
        for number, inner in enumerate(_texts(said)):
            if number == _MOST_TEXTS:
                return
            yield from _in_text(inner)
    else:
        yield from _in_text(text)


def _texts(said: Any) -> Iterator[str]:
    """Give all texts of a JSON document; without recursion, as depth is the server's choice."""
    waiting = [said]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _in_text(text: str) -> Iterator[x509.Certificate]:
    if _PEM in text:
        try:
            yield from x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            return
    elif _BASE64.fullmatch(text):
        try:
            yield from _der(base64.b64decode("".join(text.split()), validate=True))
        except binascii.Error:
            return


def _der(encoding: bytes) -> Iterator[x509.Certificate]:
    try:
        yield x509.load_der_x509_certificate(encoding)
    except ValueError:
        return


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    return isinstance(extension.value, x509.BasicConstraints) and extension.value.ca
