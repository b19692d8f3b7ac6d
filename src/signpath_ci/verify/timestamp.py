"""Time stamps (RFC 3161) in signatures: when did the signature exist, and who says so?"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from signpath_ci.errors import VerificationError
from signpath_ci.formats import UnsupportedError
from signpath_ci.formats.asn1 import read_octet_string, reading
from signpath_ci.formats.cms import COUNTERSIGNATURE, DIGEST_NAMES, SignerInfo, read_signed_data
from signpath_ci.formats.tsp import (
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    TIME_STAMP,
    TIME_STAMP_MICROSOFT,
    TST_INFO,
    read_info,
    read_signing_certificate,
    read_signing_certificate_v2,
)
from signpath_ci.model import TimeStamp
from signpath_ci.verify.certificates import TIME_STAMPING, check_not_revoked, describe, verify_chain
from signpath_ci.verify.signed_data import HASHES, VerifiedSigner, strong_digest, verify_signer

_WHAT = "the time stamp token"
_AUTHORITY = "the time stamp authority"
_CLOCK_DIFFERENCE = timedelta(minutes=5)  # between the authority's clock and ours
_FINGERPRINTS: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - RFC 2634 knows nothing else; the signature itself does not rely on it
    **HASHES,
}


def verify_time_stamp(info: SignerInfo, *, roots: Sequence[x509.Certificate], now: datetime) -> TimeStamp | None:
    """Check the time stamp of a signature, completely, before anybody relies on its time.

    Args:
        info: the signature whose value the token must be for.
        roots: to which the authority's chain must lead, as it was at the time that it gives; none given: the chain
            must hold together as far as the token has certificates.
        now: the time, which the token's may not be after.

    Returns:
        `None` where there is none.

    Raises:
        VerificationError: it is for another signature, or is not the work of a time stamp authority.
        FormatError: it is damaged, or of a kind that can't be judged.
    """
    if info.unsigned_values(COUNTERSIGNATURE):
        raise UnsupportedError("the signature has a time stamp of the old kind, a PKCS #9 countersignature")
    tokens = (*info.unsigned_values(TIME_STAMP), *info.unsigned_values(TIME_STAMP_MICROSOFT))
    if not tokens:
        return None
    if len(tokens) > 1:
        raise UnsupportedError(f"the signature has {len(tokens)} time stamps instead of one")
    message = read_signed_data(tokens[0], _WHAT)
    signer = verify_signer(message, content_type=TST_INFO, what=_WHAT)
    with reading(_WHAT):
        stamp = read_info(read_octet_string(message.content or b""))
    digest = strong_digest(stamp.imprint.algorithm, _WHAT)
    if not hmac.compare_digest(stamp.imprint.digest, hashlib.new(digest, info.signature).digest()):
        raise VerificationError(
            f"{_WHAT} is for another signature: its imprint is not this signature's digest.", code="timestamp-invalid"
        )
    if stamp.time > now + _CLOCK_DIFFERENCE:
        raise VerificationError(
            f"{_WHAT} is from the future: {stamp.time:%Y-%m-%d %H:%M:%S} UTC.", code="timestamp-invalid"
        )
    _check_signing_certificate(signer)
    check_not_revoked((signer.certificate, *signer.embedded), signer.revocation_lists, _AUTHORITY)
    verify_chain(
        signer.certificate, signer.embedded, purpose=TIME_STAMPING, at=stamp.time, roots=roots, owner=_AUTHORITY
    )
    return TimeStamp(time=stamp.time, authority=describe(signer.certificate).subject)


def _check_signing_certificate(signer: VerifiedSigner) -> None:
    """Check the attribute that binds the token to one certificate of its key (RFC 3161 section 2.4.2, RFC 5816)."""
    version_1 = signer.info.signed_attribute(SIGNING_CERTIFICATE)
    version_2 = signer.info.signed_attribute(SIGNING_CERTIFICATE_V2)
    identifiers = []
    if version_1 is not None:
        identifiers.append(read_signing_certificate(version_1))
    if version_2 is not None:
        identifiers.append(read_signing_certificate_v2(version_2))
    if not identifiers:
        raise VerificationError(f"{_WHAT} does not say which certificate it was signed with.", code="timestamp-invalid")
    for identifier in identifiers:
        digest = _FINGERPRINTS.get(DIGEST_NAMES.get(identifier.algorithm.oid, ""))
        if digest is None:
            raise UnsupportedError(f"{_WHAT} names its certificate by an unknown digest ({identifier.algorithm.oid})")
        if not hmac.compare_digest(identifier.digest, signer.certificate.fingerprint(digest)):
            raise VerificationError(
                f"{_WHAT} was signed with another certificate than it brings along.", code="timestamp-invalid"
            )
