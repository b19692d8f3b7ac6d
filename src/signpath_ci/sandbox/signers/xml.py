"""Enveloped signatures of XML files, as SignPath writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.formats import FormatError
from signpath_ci.formats.xml_elements import read_elements
from signpath_ci.formats.xml_signature import EXCLUSIVE_C14N, MAX_SIZE, NAMESPACE
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers.errors import CannotSignError


def sign(source: BinaryIO, target: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]) -> None:  # noqa: ARG001 - SignPath puts no timestamp into it
    """Write a copy of an XML file with a signature as the last element of its root.

    Args:
        source: the file, seekable.
        target: an empty file.
        signer: whose signature it gets.
        timestamp: not used.

    Raises:
        CannotSignError: it is malformed, has a document type or a signature, or is too big.
    """
    from lxml import etree
    from signxml.algorithms import (
        CanonicalizationMethod,
        DigestAlgorithm,
        SignatureConstructionMethod,
        SignatureMethod,
    )
    from signxml.signer import XMLSigner

    source.seek(0)
    data = source.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise CannotSignError(f"The XML file can not be signed: it is bigger than {MAX_SIZE} bytes.")
    try:
        read_elements(data, _refuse_signature, what="the file")
    except FormatError as error:
        raise CannotSignError(f"The XML file can not be signed: {error}.") from error
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    # As with `key-info-x509-data="exclude-root"`: what has only the leaf can't be verified up to the root.
    certificates = (signer.certificate, *(c for c in signer.chain if c.issuer != c.subject))
    made = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod(EXCLUSIVE_C14N),
    ).sign(root, key=signer.key, cert=[c.public_bytes(Encoding.PEM).decode("ascii") for c in certificates])
    target.write(etree.tostring(made.getroottree(), xml_declaration=True, encoding="utf-8"))


def _refuse_signature(namespace: str, name: str, _: object) -> None:
    if (namespace, name) == (NAMESPACE, "Signature"):
        raise FormatError("it has a signature already")
