"""The sandbox's timestamp authority (RFC 3161): tokens for its own signers, responses for anybody's requests."""

from __future__ import annotations

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from signpath_ci.formats import FormatError, tsp
from signpath_ci.formats.asn1 import octet_string
from signpath_ci.formats.cms import DIGEST_NAMES, Algorithm, Attribute
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import cms

_POLICY = "2.999.1"  # below the arc for examples (X.660)
_ACCEPTED_DIGESTS = ("sha256", "sha384", "sha512")
REQUEST_TYPE = "application/timestamp-query"
"""Media type of a request over HTTP (RFC 3161 section 3.4)."""
RESPONSE_TYPE = "application/timestamp-reply"
"""Media type of a response over HTTP."""


def timestamp(signer: Signer, data: bytes, *, now: datetime) -> bytes:
    """Return a token (DER) which says that `data` existed at `now`.

    Args:
        signer: the authority's.
        data: e.g. a signature value; only its SHA-256 gets into the token.
        now: with a time zone.
    """
    imprint = tsp.Imprint(Algorithm.digest("sha256"), hashlib.sha256(data).digest())
    return _token(signer, imprint, now=now, nonce=None, has_certificates=True)


def respond(signer: Signer, request: bytes, *, now: datetime) -> bytes:
    """Answer a TimeStampReq (DER) with a TimeStampResp (DER), which refuses what is no request or has a weak digest."""
    try:
        read = tsp.read_request(request)
    except FormatError:
        return tsp.write_rejection(tsp.BAD_DATA_FORMAT)
    name = DIGEST_NAMES.get(read.imprint.algorithm.oid)
    if name not in _ACCEPTED_DIGESTS:
        return tsp.write_rejection(tsp.BAD_ALGORITHM)
    if len(read.imprint.digest) != hashlib.new(name).digest_size:
        return tsp.write_rejection(tsp.BAD_DATA_FORMAT)
    if read.policy not in (None, _POLICY):
        return tsp.write_rejection(tsp.UNACCEPTED_POLICY)
    return tsp.write_response(
        _token(signer, read.imprint, now=now, nonce=read.nonce, has_certificates=read.certificate_wanted)
    )


def _token(signer: Signer, imprint: tsp.Imprint, *, now: datetime, nonce: int | None, has_certificates: bool) -> bytes:
    info = tsp.TimestampInfo(
        policy=_POLICY,
        imprint=imprint,
        serial_number=x509.random_serial_number(),  # 159 random bits: unique without a counter
        time=now,
        nonce=nonce,
    )
    fingerprint = signer.certificate.fingerprint(hashes.SHA256())
    return cms.sign(
        signer,
        content_type=tsp.TST_INFO,
        content=octet_string(tsp.write_info(info)),
        attributes=(Attribute(tsp.SIGNING_CERTIFICATE_V2, (tsp.write_signing_certificate_v2(fingerprint),)),),
        has_certificates=has_certificates,
    ).encode()
