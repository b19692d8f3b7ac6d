"""Timestamps in signatures (RFC 3161, PKCS #9): when did the signature exist, and who says so?"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import read_octet_string, read_time, reading
from signpath_ci.formats.cms import (
    COUNTERSIGNATURE,
    DIGEST_NAMES,
    SIGNING_TIME,
    SignedData,
    read_signed_data,
    read_signer_info,
)
from signpath_ci.formats.tsp import (
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    TIMESTAMP,
    TIMESTAMP_MICROSOFT,
    TST_INFO,
    read_info,
    read_signing_certificate,
    read_signing_certificate_v2,
)
from signpath_ci.model import Timestamp
from signpath_ci.values import dataclass
from signpath_ci.verify.certificates import (
    TIMESTAMPING,
    check_not_revoked,
    describe,
    is_usage_critical,
    reading_certificates,
    verify_chain,
)
from signpath_ci.verify.coverage import (
    Vouched,
    check_attribute_certificates,
    check_certificates,
    check_unsigned_attributes,
    check_vouched_for,
)
from signpath_ci.verify.signature_value import HASHES, known_digest, require_strong
from signpath_ci.verify.signed_data import VerifiedSigner, verify_info, verify_signer

TIMESTAMPS = frozenset({TIMESTAMP, TIMESTAMP_MICROSOFT, COUNTERSIGNATURE})
"""Unsigned attributes that are timestamps."""
_RFC_3161 = "the timestamp token"
_COUNTERSIGNATURE = "the timestamp (PKCS #9 countersignature)"
_AUTHORITY = "the timestamp authority"
_CLOCK_DIFFERENCE = timedelta(minutes=5)  # between the authority's clock and ours
_FINGERPRINTS: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - RFC 2634 knows nothing else; the signature itself does not rely on it
    **HASHES,
}


@dataclass(frozen=True, kw_only=True)
class Stamped:
    """A timestamp that passed every check.

    Attributes:
        timestamp: what it says; `None`: it is too weak to be relied on.
        certificates: the authority's, and those that came with it, the authority's first.
        notes: what is unusual in it, as sentences without an end.
    """

    timestamp: Timestamp | None
    certificates: tuple[x509.Certificate, ...]
    notes: tuple[str, ...] = ()


def verify_timestamp(
    verified: VerifiedSigner, *, roots: Sequence[x509.Certificate], now: datetime, allows_weak: bool = False
) -> Stamped | None:
    """Check the timestamp of a signature, completely, before anybody relies on its time.

    1. There is one: a token (RFC 3161 appendix A), or a countersignature (RFC 5652 section 11.4).
    2. It is for this signature, and signed by the certificate that it names.
    3. Its time is not in the future.
    4. That certificate is for timestamps only, and chains up to a root, as of that time.
    5. There is nothing in it that no signature covers.

    Args:
        verified: the signature whose value the timestamp must be for.
        roots: to which the authority's chain must lead, as it was at the time that it gives; none given: the chain
            must hold together as far as the token has certificates.
        now: the time, which the timestamp's may not be after.
        allows_weak: whether the time is not relied on, so that the token and its chain may be by SHA-1.

    Returns:
        `None` where there is none.

    Raises:
        VerificationError: it is for another signature, or is not the work of a timestamp authority.
        FormatError: it is damaged, or of a kind that can't be verified.
    """
    info = verified.info
    tokens = (*info.unsigned_values(TIMESTAMP), *info.unsigned_values(TIMESTAMP_MICROSOFT))
    countersignatures = info.unsigned_values(COUNTERSIGNATURE)
    count = len(tokens) + len(countersignatures)
    if not count:
        return None
    if count > 1:
        raise UnsupportedError(f"the signature has {count} timestamps instead of one")
    if countersignatures:
        signer, time, notes = _countersignature(countersignatures[0], verified)
    else:
        signer, time, notes = _token(tokens[0], verified, allows_weak=allows_weak)
    if time > now + _CLOCK_DIFFERENCE:
        raise VerificationError(
            f"the timestamp is from the future: {time:%Y-%m-%d %H:%M:%S} UTC.", code="timestamp-invalid"
        )
    pool = (*signer.embedded, *verified.certificates)
    check_not_revoked((signer.certificate, *pool), signer.message.revocation_lists, _AUTHORITY)
    if allows_weak:
        check_vouched_for(signer.certificate, pool, roots, _AUTHORITY)
    else:
        verify_chain(signer.certificate, pool, purpose=TIMESTAMPING, at=time, roots=roots, owner=_AUTHORITY)
    if tokens:
        check_unsigned_attributes(signer.info, (), _RFC_3161)
        check_attribute_certificates(signer.message, signer.certificate, _RFC_3161)
        vouched = Vouched(leaves=(signer.certificate,), further=verified.certificates, roots=roots)
        check_certificates(signer.message, signer.certificates, vouched, _RFC_3161)
    stamp = Timestamp(time=time, authority=describe(signer.certificate).subject)
    return Stamped(
        timestamp=stamp if signer.is_strong else None, certificates=(signer.certificate, *signer.embedded), notes=notes
    )


def _token(
    encoding: bytes, verified: VerifiedSigner, *, allows_weak: bool
) -> tuple[VerifiedSigner, datetime, tuple[str, ...]]:
    """Read an RFC 3161 token, and check all but its chain."""
    message = read_signed_data(encoding, _RFC_3161)
    signer = verify_signer(
        message, content_type=TST_INFO, what=_RFC_3161, further=verified.certificates, allows_weak=allows_weak
    )
    with reading(_RFC_3161):
        stamp = read_info(read_octet_string(message.content or b""))
    digest = known_digest(stamp.imprint.algorithm, _RFC_3161)
    if not allows_weak:
        require_strong(digest, _RFC_3161)
    if not hmac.compare_digest(stamp.imprint.digest, hashlib.new(digest, verified.info.signature).digest()):
        raise VerificationError(
            f"{_RFC_3161} is for another signature: its imprint is not this signature's digest.",
            code="timestamp-invalid",
        )
    _check_signing_certificate(signer)
    with reading_certificates(f"{_AUTHORITY}'s certificate"):
        is_critical = is_usage_critical(signer.certificate)
    notes = (
        ()
        if is_critical
        else ("the timestamp authority's extended key usage is not critical (RFC 3161 section 2.3 requires it)",)
    )
    return signer, stamp.time, notes


def _countersignature(encoding: bytes, verified: VerifiedSigner) -> tuple[VerifiedSigner, datetime, tuple[str, ...]]:
    """Read a PKCS #9 countersignature, and check all but its chain; its certificates lie in the outer message."""
    with reading(_COUNTERSIGNATURE):
        info = read_signer_info(encoding)
    digest = known_digest(info.digest_algorithm, _COUNTERSIGNATURE)
    signer = verify_info(
        info,
        SignedData(digest_algorithms=(), content_type="", content=None, certificates=(), signers=(info,)),
        digest=digest,
        content_digest=hashlib.new(digest, verified.info.signature).digest(),
        content_type=None,
        further=verified.certificates,
        what=_COUNTERSIGNATURE,
    )
    check_unsigned_attributes(info, (), _COUNTERSIGNATURE)
    time = info.signed_attribute(SIGNING_TIME)
    if time is None:
        raise FormatError(f"{_COUNTERSIGNATURE} does not say a time")
    with reading(_COUNTERSIGNATURE):
        read = read_time(time)
    weak = f"its timestamp uses {digest.upper()}, which is broken, and its time is not relied on"
    return signer, read, () if signer.is_strong else (weak,)


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
        raise VerificationError(
            f"{_RFC_3161} does not say which certificate it was signed with.", code="timestamp-invalid"
        )
    for identifier in identifiers:
        digest = _FINGERPRINTS.get(DIGEST_NAMES.get(identifier.algorithm.oid, ""))
        if digest is None:
            raise UnsupportedError(
                f"{_RFC_3161} names its certificate by an unknown digest ({identifier.algorithm.oid})"
            )
        if not hmac.compare_digest(identifier.digest, signer.certificate.fingerprint(digest)):
            raise VerificationError(
                f"{_RFC_3161} was signed with another certificate than it brings along.", code="timestamp-invalid"
            )
