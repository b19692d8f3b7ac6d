"""Make CMS signatures with the sandbox's keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signpath_ci.formats.asn1 import SET, contents_octets, object_identifier, octet_string, set_of
from signpath_ci.formats.cms import CONTENT_TYPE, MESSAGE_DIGEST, Algorithm, Attribute, SignedData, SignerInfo
from signpath_ci.formats.tsp import TIMESTAMP
from signpath_ci.sandbox.pki import Signer

_ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2"


def sign(
    signer: Signer,
    *,
    content_type: str,
    content: bytes | None,
    attributes: tuple[Attribute, ...] = (),
    has_certificates: bool = True,
    digest: bytes | None = None,
) -> SignedData:
    """Sign `content` (DER) with SHA-256 and signed attributes (RFC 5652 section 5).

    Args:
        signer: whose key, and whose certificates up to, but without, the root.
        content_type: identifier of the content's type.
        content: what is signed; stays inside the message. `None`: the signature is detached.
        attributes: signed attributes besides the two mandatory ones.
        has_certificates: whether the certificates are put into the message.
        digest: SHA-256 of what is signed, where it is detached.
    """
    if digest is None:
        digest = hashlib.sha256(contents_octets(content or b"")).digest()
    signed_attributes = (
        Attribute(CONTENT_TYPE, (object_identifier(content_type),)),
        Attribute(MESSAGE_DIGEST, (octet_string(digest),)),
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


def timestamped(signed: SignedData, timestamp: Callable[[bytes], bytes], oid: str = TIMESTAMP) -> SignedData:
    """Return the same message with a timestamp of its signature.

    Args:
        signed: with one signature.
        timestamp: returns an RFC 3161 token for a signature's value.
        oid: of the unsigned attribute that holds the token.
    """
    (info,) = signed.signers
    token = Attribute(oid, (timestamp(info.signature),))
    return replace(signed, signers=(replace(info, unsigned_attributes=(token,)),))
