"""Make CMS signatures with the sandbox's keys."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signpath_ci.formats.asn1 import SET, contents_octets, object_identifier, octet_string, set_of
from signpath_ci.formats.cms import CONTENT_TYPE, MESSAGE_DIGEST, Algorithm, Attribute, SignedData, SignerInfo
from signpath_ci.sandbox.pki import Signer

_ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"


def sign(
    signer: Signer,
    *,
    content_type: str,
    content: bytes,
    attributes: tuple[Attribute, ...],
    has_certificates: bool = True,
) -> SignedData:
    """Sign `content` (DER) with SHA-256 and signed attributes (RFC 5652 section 5).

    Args:
        signer: whose key, and whose certificates up to, but without, the root.
        content_type: identifier of the content's type.
        content: what is signed; stays inside the message.
        attributes: signed attributes besides the two mandatory ones.
        has_certificates: whether the certificates are put into the message.
    """
    signed_attributes = (
        Attribute(CONTENT_TYPE, (object_identifier(content_type),)),
        Attribute(MESSAGE_DIGEST, (octet_string(hashlib.sha256(contents_octets(content)).digest()),)),
        *attributes,
    )
    signed_bytes = set_of((attribute.encode() for attribute in signed_attributes), SET)
    certificates = (signer.certificate, *(c for c in signer.chain if c.issuer != c.subject))
    return SignedData(
        digest_algorithms=(Algorithm.digest("sha256"),),
        content_type=content_type,
        content=content,
        certificates=tuple(c.public_bytes(serialization.Encoding.DER) for c in certificates if has_certificates),
        signers=(
            SignerInfo(
                issuer=signer.certificate.issuer.public_bytes(),
                serial_number=signer.certificate.serial_number,
                digest_algorithm=Algorithm.digest("sha256"),
                signed_attributes=signed_attributes,
                signed_bytes=signed_bytes,
                signature_algorithm=Algorithm(_ECDSA_WITH_SHA256),
                signature=signer.key.sign(signed_bytes, ec.ECDSA(hashes.SHA256())),
                unsigned_attributes=(),
            ),
        ),
    )
