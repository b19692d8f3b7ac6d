"""What a CMS message holds besides what its signature covers: only what somebody else signed, or what leaves no room.

A signature covers the content and the signed attributes. Certificates, revocation lists and unsigned attributes lie
beside them: installers have taken orders from there, and a JAR hidden there runs. So each of them is accounted for:

1. Certificates: no more than `load_certificates` allows; each is the signer's or the timestamp authority's, or issued
   one of the others there, by its name and its key.
2. Of these, a certificate that no trusted root vouches for is plain (`verify.plain`): such a certificate can be made
   for the key of any CA, as no one verifies its own signature.
3. Revocation lists: signed by one of these CAs.
4. Attribute certificates: one, in a timestamp, small and about its authority, as Microsoft's have it.
5. Unsigned attributes: those that have signatures of their own, which are verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from signpath_ci.errors import VerificationError
from signpath_ci.formats import UncoveredError
from signpath_ci.formats.asn1 import (
    SEQUENCE,
    SET,
    contents_octets,
    explicit,
    members,
    read_object_identifier,
    reading,
    wrapped,
)
from signpath_ci.formats.cms import SignedData, SignerInfo
from signpath_ci.values import dataclass
from signpath_ci.verify.certificates import REMEMBERED, is_ca, reading_certificates
from signpath_ci.verify.plain import is_plain

_SHA_1 = SignatureAlgorithmOID.RSA_WITH_SHA1
_MAX_LISTS = 20
_MEMBERS = 7  # version, holder, issuer, algorithm, serial number, validity, attributes: no extensions
# Sizes in an attribute certificate of what is free in it, in bytes: with tags and lengths.
_MAX_ATTRIBUTES = 160
_MAX_NAME = 64  # characters of a part of a name
_DIRECTORY_NAME = 4  # of the choices of GeneralName
_MAX_FURTHER = 72  # algorithm, serial number and validity
_MAX_SIGNATURE = 264  # RSA with 2048 bits


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """Who is known when a message is accounted for.

    Attributes:
        leaves: certificates whose keys made the verified signatures: the signer's, the timestamp authority's.
        pinned: of these, those that are what the user expects, or whose owner is not checked at all.
        further: other certificates at hand, e.g. those of the timestamp.
        roots: whom the user trusts.
    """

    leaves: Sequence[x509.Certificate]
    pinned: Sequence[x509.Certificate] = ()
    further: Sequence[x509.Certificate] = ()
    roots: Sequence[x509.Certificate] = ()


def check_unsigned_attributes(info: SignerInfo, allowed: Iterable[str], what: str) -> None:
    """Require that a signature has no unsigned attributes but these.

    Raises:
        UncoveredError: it has others.
    """
    for attribute in info.unsigned_attributes:
        if attribute.oid not in allowed:
            raise UncoveredError(f"{what} has data that no signature covers (unsigned attribute {attribute.oid})")


def check_certificates(
    message: SignedData,
    certificates: Sequence[x509.Certificate],
    vouched: Vouched,
    what: str,
    *,
    is_separate: bool = False,
) -> tuple[str, ...]:
    """Require that a message's certificates and revocation lists are those that its signatures need.

    Args:
        message: with its certificates as they are encoded.
        certificates: the same, loaded.
        vouched: who is known.
        what: how messages call it.
        is_separate: whether the message is a file of its own, beside the one that it is for; there others are let
            through where they are plain, as programs put in whole bundles of CAs.

    Returns:
        What is unusual, as sentences without an end.

    Raises:
        UncoveredError: there is more.
        FormatError: a certificate or a list is damaged.
    """
    with reading_certificates(f"a certificate in {what}"):
        linked = _linked(vouched.leaves, (*certificates, *vouched.further))
        strangers = [certificate for certificate in certificates if certificate not in linked]
        for certificate in strangers:
            if not (is_separate and is_plain(certificate)):
                raise UncoveredError(
                    f"{what} has a certificate that its signer's chain does not need, which no signature covers"
                    f" ({certificate.subject.rfc4514_string()})"
                )
        trusted = _trusted(vouched.roots, linked)
        for certificate in certificates:
            if certificate not in trusted and certificate not in vouched.pinned and not is_plain(certificate):
                raise UncoveredError(
                    f"{what} has a certificate with data that no trusted root vouches for"
                    f" ({certificate.subject.rfc4514_string()})"
                )
    with reading_certificates(f"a revocation list of {what}"):
        _check_lists(message.revocation_lists, trusted if vouched.roots else linked, what)
    return tuple(
        f"it holds a certificate that its signer's chain does not need ({c.subject.rfc4514_string()})"
        for c in strangers
    )


def check_vouched_for(
    leaf: x509.Certificate, pool: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], owner: str
) -> None:
    """Require that a trusted root vouches for a certificate, where there is one; its chain may be by SHA-1.

    That is for signatures that prove nothing, but must not be anybody's: what they sign is free.

    Raises:
        VerificationError: none does.
        FormatError: a certificate is damaged.
    """
    with reading_certificates(f"{owner}'s certificate chain"):
        if roots and leaf not in _trusted(roots, (leaf, *pool)):
            raise VerificationError(
                f"the chain of {owner}'s certificate ({leaf.subject.rfc4514_string()}) does not lead to a trusted"
                " root.",
                code="certificate-chain",
            )


def check_attribute_certificates(message: SignedData, authority: x509.Certificate | None, what: str) -> None:
    """Require that attribute certificates are what Microsoft's timestamps have.

    Args:
        message: that has them.
        authority: of the timestamp, where the message is one.
        what: how messages call it.

    Raises:
        UncoveredError: there are others, or more.
        FormatError: one is damaged.
    """
    for encoding in message.attribute_certificates:
        if authority is None or len(message.attribute_certificates) > 1 or not _is_about(encoding, authority):
            raise UncoveredError(f"{what} has an attribute certificate, which no signature covers")


def _linked(leaves: Sequence[x509.Certificate], pool: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the leaves, and what issued them, and what issued that, by name and key."""
    linked = list(leaves)
    for certificate in linked:
        linked += [c for c in pool if c not in linked and _is_issuer(c, certificate)]
    return linked


def _trusted(roots: Sequence[x509.Certificate], pool: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the roots, and what they issued, and what that issued: what is in them was verified by a trusted CA."""
    trusted = list(roots)
    for issuer in trusted:
        if is_ca(issuer):
            trusted += [c for c in pool if c not in trusted and _is_issuer(issuer, c)]
    return trusted


def _is_issuer(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    return issuer.subject == certificate.issuer and _has_signed(issuer, certificate)


@lru_cache(REMEMBERED)
def _has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    key = issuer.public_key()
    try:
        if certificate.signature_algorithm_oid == _SHA_1 and isinstance(key, rsa.RSAPublicKey):
            # The library refuses it; chains of weak signatures have it, and no time or content is trusted for it.
            sha_1 = hashes.SHA1()  # noqa: S303
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), sha_1)
        else:
            certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _check_lists(lists: Sequence[bytes], issuers: Sequence[x509.Certificate], what: str) -> None:
    if len(lists) > _MAX_LISTS:
        raise UncoveredError(f"{what} has {len(lists)} revocation lists")
    for encoding in lists:
        revoked = x509.load_der_x509_crl(encoding)
        keys = [c.public_key() for c in issuers if c.subject == revoked.issuer and is_ca(c)]
        if not any(revoked.is_signature_valid(key) for key in keys):  # type: ignore[arg-type]  # refuses other kinds
            raise UncoveredError(
                f"{what} has a revocation list that no CA of its signer's chain signed"
                f" ({revoked.issuer.rfc4514_string()})"
            )


def _is_about(encoding: bytes, authority: x509.Certificate) -> bool:
    """Tell whether an AttributeCertificateV1 names a timestamp authority and its issuer, and has little room.

    Its signature can't be verified: it is by the authority's clock, which no certificate is for.
    """
    with reading("an attribute certificate"):
        info, algorithm, signature = members(wrapped(SEQUENCE, contents_octets(encoding)), SEQUENCE)
        parts = members(info, SEQUENCE)
        subject = authority.subject.public_bytes()
        return (
            len(parts) == _MEMBERS
            and subject in parts[1]
            and len(parts[1]) <= len(subject) + 64
            and _is_printable_name(parts[2])
            and algorithm == parts[3]
            and sum(map(len, parts[3:6])) <= _MAX_FURTHER
            and len(parts[-1]) <= _MAX_ATTRIBUTES
            and len(signature) <= _MAX_SIGNATURE
        )


def _is_printable_name(issuer: bytes) -> bool:
    """Tell whether an issuer in GeneralNames is one directory name of texts that can be printed."""
    (names,) = members(issuer, explicit(0))
    (name,) = members(names, SEQUENCE)
    (directory,) = members(name, explicit(_DIRECTORY_NAME))
    texts = []
    for relative in members(directory, SEQUENCE):
        for pair in members(relative, SET):
            kind, text = members(pair, SEQUENCE)
            read_object_identifier(kind)
            texts.append(contents_octets(text).decode("ascii"))
    return all(text.isprintable() and len(text) <= _MAX_NAME for text in texts)
