"""Certificates: do they chain, for this purpose, at this time?

The path is built and checked by `cryptography` (RFC 5280 section 6.1: signatures, names, validity, basic constraints,
path length, unknown critical extensions; SHA-1 and short CA keys are refused). Checked here is what it leaves open: the
purpose, also in intermediates, the leaf's own key, and name constraints that it skips.

Thousands of files of a delivery are signed by the same few certificates. What never changes about these is found out
once and remembered; whether they are valid at a time, revoked, or trusted is checked for each signature.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store
from cryptography.x509.verification import VerificationError as PathError

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UncoveredError
from signpath_ci.formats.asn1 import Fields, explicit, read_integer, reading
from signpath_ci.model import SignerCertificate
from signpath_ci.values import dataclass
from signpath_ci.verify.name_constraints import check_name_constraints

_MIN_RSA_BITS = 2048  # NIST SP 800-131A; CA/Browser Forum's code signing requirements want 3072 since 2021
_MAX_CERTIFICATES = 20  # of one message
_MAX_SIZE = 64 << 10  # of all of them, in bytes
REMEMBERED = 128
"""How many facts about certificates are remembered, of each kind; with the limits above that bounds the memory."""
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_FAILURES = (
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True)
class Purpose:
    """What a certificate's key may be used for: the extended key usage, and a name for messages."""

    usage: x509.ObjectIdentifier
    name: str


_LIFETIME_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.13")
CODE_SIGNING = Purpose(ExtendedKeyUsageOID.CODE_SIGNING, "code signing")
TIMESTAMPING = Purpose(ExtendedKeyUsageOID.TIME_STAMPING, "timestamps")


@contextmanager
def reading_certificates(what: str) -> Iterator[None]:
    """Turn whatever a damaged certificate causes inside the block into a `FormatError` that names `what` it is."""
    try:
        with warnings.catch_warnings():
            # The library warns of oddities that it still accepts, on standard error; they are no news for a user.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            yield
    except _FAILURES as error:
        raise FormatError(f"{what} is damaged ({error})") from error


def load_certificates(encodings: Sequence[bytes], what: str) -> tuple[x509.Certificate, ...]:
    """Read the DER-encoded certificates of a message.

    Raises:
        UncoveredError: there are more than a chain needs, or they are larger.
        FormatError: one is damaged.
    """
    if len(encodings) > _MAX_CERTIFICATES or sum(map(len, encodings)) > _MAX_SIZE:
        raise UncoveredError(
            f"{what} has more certificates than a chain needs"
            f" (more than {_MAX_CERTIFICATES}, or than {_MAX_SIZE >> 10} KiB)"
        )
    with reading_certificates(f"a certificate in {what}"):
        return tuple(map(_loaded, encodings))


@lru_cache(REMEMBERED)
def _loaded(encoding: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(encoding)


@lru_cache(REMEMBERED)
def issuer_and_serial_number(encoding: bytes) -> tuple[bytes, int]:
    """Return the issuer of a DER-encoded certificate as it is encoded there, and the serial number.

    Raises:
        FormatError: it is no certificate.
    """
    with reading("a certificate"):
        fields = Fields(Fields(encoding).take())
        fields.take_optional(explicit(0))  # version
        serial_number = read_integer(fields.take())
        fields.take()  # signature algorithm
        return fields.take(), serial_number


@lru_cache(REMEMBERED)
def describe(certificate: x509.Certificate) -> SignerCertificate:
    """Say who a certificate is for.

    Raises:
        FormatError: its names can't be read.
    """
    with reading_certificates("the signer's certificate"):
        return SignerCertificate(
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            thumbprint=certificate.fingerprint(hashes.SHA256()).hex(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )


def is_for_lifetime_only(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate says that its signatures end with it (Microsoft, szOID_KP_LIFETIME_SIGNING).

    Raises:
        FormatError: it can't be read.
    """
    with reading_certificates("the signer's certificate"):
        usages = [e.value for e in certificate.extensions if isinstance(e.value, x509.ExtendedKeyUsage)]
        return any(_LIFETIME_SIGNING in usage for usage in usages)


def is_ca(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate may issue others; to be used within `reading_certificates`."""
    return any(e.value.ca for e in certificate.extensions if isinstance(e.value, x509.BasicConstraints))


def is_usage_critical(certificate: x509.Certificate) -> bool:
    """Tell whether the extended key usage is critical; to be used within `reading_certificates`.

    That of timestamp authorities must be (RFC 3161 section 2.3), and Microsoft's from 2019 to 2021 were not.
    """
    return any(e.critical for e in certificate.extensions if isinstance(e.value, x509.ExtendedKeyUsage))


@lru_cache(REMEMBERED)
def is_self_signed(certificate: x509.Certificate) -> bool:
    """Tell whether nobody but itself vouches for a certificate.

    Raises:
        FormatError: it can't be read.
    """
    with reading_certificates("the signer's certificate"):
        try:
            certificate.verify_directly_issued_by(certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def check_not_revoked(certificates: Sequence[x509.Certificate], lists: Sequence[bytes], owner: str) -> None:
    """Require that none of a signature's certificates is on a revocation list that came with it (RFC 5280 section 5).

    Nothing is fetched, so this proves nothing where no list came along.

    Raises:
        VerificationError: one is.
        FormatError: a list is damaged.
    """
    with reading_certificates(f"a revocation list of {owner}"):
        for encoding in lists:
            revoked = x509.load_der_x509_crl(encoding)
            for certificate in certificates:
                if (
                    certificate.issuer == revoked.issuer
                    and revoked.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
                ):
                    raise VerificationError(
                        f"{owner}'s chain has a revoked certificate ({certificate.subject.rfc4514_string()}).",
                        code="certificate-revoked",
                    )


def verify_chain(
    leaf: x509.Certificate,
    embedded: Sequence[x509.Certificate],
    *,
    purpose: Purpose,
    at: datetime,
    roots: Sequence[x509.Certificate],
    owner: str,
) -> None:
    """Require that `leaf` is for `purpose` and chains up to a trusted root.

    Args:
        leaf: the signer's certificate.
        embedded: what came with the signature, in any order; nothing of it is trusted.
        purpose: what the leaf must be for.
        at: the time at which everything must be valid, with a time zone.
        roots: whom to trust. None given: the chain must hold together as far up as certificates are embedded.
        owner: whose certificate it is, for messages, e.g. "the signer".

    Raises:
        VerificationError: it is not so, or at that time it was not.
        FormatError: a certificate is damaged.
    """
    with reading_certificates(f"{owner}'s certificate chain"):
        check_validity(leaf, at, owner, when="at the signature's time")
        verified = _verified_chains(leaf, tuple(embedded), purpose, tuple(roots))
        if any(_is_valid(chain, at) for chain in verified):
            return
        _check_usage(leaf, purpose, owner)
        _check_key(leaf, owner)
        tops = roots or _tops((leaf, *embedded))
        verifier = (
            PolicyBuilder()
            .store(Store(list(tops)))
            .time(at)
            .extension_policies(ca_policy=_ca_policy(purpose), ee_policy=_any_policies(ExtensionPolicy.permit_all()))
            .build_client_verifier()
        )
        try:
            chain = verifier.verify(leaf, list(embedded)).chain
        except PathError as error:
            goal = "lead to a trusted root" if roots else "hold together"
            raise VerificationError(
                f"the chain of {owner}'s certificate ({leaf.subject.rfc4514_string()}) does not {goal}: {error}.",
                hint="Is it the right file given as trust root?" if roots else "",
                code="certificate-chain",
            ) from error
        check_name_constraints(chain, owner)
        verified[:] = [chain]


@lru_cache(REMEMBERED)
def _verified_chains(*_: Hashable) -> list[Sequence[x509.Certificate]]:
    """Return the chain that `verify_chain` verified for a leaf, other certificates, a purpose and roots, and puts in.

    All that it checks follows from these, but for the validity of each certificate in the chain.
    """
    return []


def _is_valid(chain: Sequence[x509.Certificate], at: datetime) -> bool:
    return all(c.not_valid_before_utc <= at <= c.not_valid_after_utc for c in chain)


def check_validity(leaf: x509.Certificate, at: datetime, owner: str, *, when: str, hint: str = "") -> None:
    """Require that a certificate is valid at a time, which messages call `when`.

    Raises:
        VerificationError: it is not.
    """
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if not start <= at <= end:
        raise VerificationError(
            f"{owner}'s certificate was valid from {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC,"
            f" which is not {when}, {at:%Y-%m-%d %H:%M:%S} UTC.",
            hint=hint,
            code="certificate-validity",
        )


def _check_usage(leaf: x509.Certificate, purpose: Purpose, owner: str) -> None:
    """Check key usage (RFC 5280 section 4.2.1.3) and extended key usage (4.2.1.12; RFC 3161 section 2.3)."""
    for key_usage in (e.value for e in leaf.extensions if isinstance(e.value, x509.KeyUsage)):
        if not (key_usage.digital_signature or key_usage.content_commitment):
            raise VerificationError(
                f"{owner}'s certificate is not for digital signatures (its key usage says so).",
                code="certificate-purpose",
            )
    extended = next((e for e in leaf.extensions if isinstance(e.value, x509.ExtendedKeyUsage)), None)
    usages = [] if extended is None else list(extended.value)
    if purpose.usage not in usages or (purpose is TIMESTAMPING and len(usages) > 1):
        only = "only " if purpose is TIMESTAMPING else ""
        raise VerificationError(
            f"{owner}'s certificate is not {only}for {purpose.name} (extended key usage).", code="certificate-purpose"
        )


def _check_key(leaf: x509.Certificate, owner: str) -> None:
    key = leaf.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA_BITS:
        raise VerificationError(f"{owner}'s key is too short: RSA with {key.key_size} bits.", code="weak-key")
    if isinstance(key, ec.EllipticCurvePublicKey) and not isinstance(key.curve, _CURVES):
        raise VerificationError(f"{owner}'s key is on an unusual curve: {key.curve.name}.", code="weak-key")


def _tops(certificates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the certificates whose issuer is not among them."""
    return [
        certificate
        for certificate in certificates
        if certificate.issuer == certificate.subject
        or all(certificate.issuer != other.subject for other in certificates)
    ]


def _ca_policy(purpose: Purpose) -> ExtensionPolicy:
    def may_issue(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
        if usage is not None and not usage.key_cert_sign:
            raise ValueError("an issuer's key usage does not include signing certificates")

    def is_for_purpose(_: Policy, __: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
        # RFC 5280 leaves it open; every verifier of code takes the usages of a CA as those of what it issues.
        if usage is not None and not {purpose.usage, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}.intersection(usage):
            raise ValueError(f"an issuer's certificate is not for {purpose.name}")

    return (
        _any_policies(ExtensionPolicy.permit_all())
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, may_issue)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, is_for_purpose)
    )


def _any_policies(policy: ExtensionPolicy) -> ExtensionPolicy:
    """Let certificate policies be critical, as Microsoft's timestamp CAs have them.

    Nobody here asks for a certain one, so any is as good (RFC 5280 section 6.1.1 (c): the initial set is any-policy).
    """
    return policy.may_be_present(x509.CertificatePolicies, Criticality.AGNOSTIC, None)
