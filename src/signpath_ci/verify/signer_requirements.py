"""What is checked the same way in every format: once a signature fits its content, is its signer any good?"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from signpath_ci.errors import VerificationError
from signpath_ci.model import SignerCertificate, Timestamp, TrustKind
from signpath_ci.values import dataclass, replace
from signpath_ci.verify.certificates import (
    CODE_SIGNING,
    check_not_revoked,
    check_validity,
    describe,
    is_for_lifetime_only,
    is_self_signed,
    verify_chain,
)
from signpath_ci.verify.coverage import (
    Vouched,
    check_attribute_certificates,
    check_certificates,
    check_unsigned_attributes,
    check_vouched_for,
)
from signpath_ci.verify.signed_data import VerifiedSigner
from signpath_ci.verify.timestamp import TIMESTAMPS, Stamped, verify_timestamp
from signpath_ci.verify.trust import Trust

_WHAT = "the signature"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A signature that passed every check; the fields are those of `Verdict`."""

    format: str
    signer: SignerCertificate
    timestamp: Timestamp | None
    digest_algorithm: str
    content_digest: str
    trust: TrustKind
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SignerRequirements:
    """What is required of every signature.

    Attributes:
        trust: whom to trust.
        now: when a signature without a timestamp must be valid.
    """

    trust: Trust
    now: datetime

    def signature(
        self,
        verified: VerifiedSigner,
        *,
        format_name: str,
        algorithm: str,
        digest: bytes,
        attributes: frozenset[str] = frozenset(),
        others: tuple[x509.Certificate, ...] = (),
        is_separate: bool = False,
    ) -> Signature:
        """Check the signer of a CMS signature, whose content and signature were found to fit.

        Args:
            verified: the signature.
            format_name: as in `Verdict.format`.
            algorithm: digest algorithm of the content.
            digest: of the content.
            attributes: unsigned ones that the caller verifies, besides timestamps.
            others: certificates of the other signers of the same message, whom the caller verifies.
            is_separate: whether the message is a file of its own.

        Raises:
            VerificationError: signer, chain, timestamp or algorithms are not as they should be.
            UncoveredError: the message holds data that no signature covers.
        """
        self.check_digest(verified.digest_algorithm)
        self.check_digest(verified.signature_digest)
        stamped, notes = self.message(verified, attributes=attributes, others=others, is_separate=is_separate)
        signature = self.signer(
            verified.certificate,
            (*verified.embedded, *(stamped.certificates if stamped else ())),
            timestamp=stamped.timestamp if stamped else None,
            format_name=format_name,
            algorithm=algorithm,
            digest=digest,
        )
        return replace(signature, notes=(*signature.notes, *notes))

    def message(
        self,
        verified: VerifiedSigner,
        *,
        attributes: frozenset[str] = frozenset(),
        others: tuple[x509.Certificate, ...] = (),
        allows_weak: bool = False,
        is_separate: bool = False,
    ) -> tuple[Stamped | None, tuple[str, ...]]:
        """Check the timestamp, and that there is nothing in a message that no signature covers.

        Args:
            verified: the signature.
            attributes: unsigned ones that the caller verifies, besides timestamps.
            others: certificates of the other signers of the same message, whom the caller verifies.
            allows_weak: whether a timestamp by SHA-1 is verified, though its time is not relied on.
            is_separate: whether the message is a file of its own.

        Returns:
            The timestamp, if there is one; what is unusual, as sentences without an end.

        Raises:
            VerificationError: the timestamp is not as it should be, or a certificate is revoked.
            UncoveredError: the message holds data that no signature covers.
        """
        check_unsigned_attributes(verified.info, TIMESTAMPS | attributes, _WHAT)
        stamped = verify_timestamp(verified, roots=self.trust.roots, now=self.now, allows_weak=allows_weak)
        certificates = stamped.certificates if stamped else ()
        check_attribute_certificates(verified.message, None, _WHAT)
        vouched = Vouched(
            leaves=(verified.certificate, *certificates[:1], *others),
            pinned=() if allows_weak else (verified.certificate, *others),
            further=certificates,
            roots=self.trust.roots,
        )
        notes = check_certificates(verified.message, verified.certificates, vouched, _WHAT, is_separate=is_separate)
        check_not_revoked((*verified.certificates, *certificates), verified.message.revocation_lists, "the signer")
        return stamped, (*(stamped.notes if stamped else ()), *notes)

    def weak(self, verified: VerifiedSigner, *, attributes: frozenset[str]) -> str:
        """Check a signature by SHA-1 that lies beside a strong one: it proves nothing, but may hold nothing else.

        Args:
            verified: the weak one.
            attributes: as of `signature`.

        Returns:
            What to say of it, as a sentence without an end.

        Raises:
            VerificationError: its signer is not as it should be.
            UncoveredError: it holds data that no signature covers.
        """
        stamped, _ = self.message(verified, attributes=attributes, allows_weak=True)
        pool = (*verified.embedded, *(stamped.certificates if stamped else ()))
        check_vouched_for(verified.certificate, pool, self.trust.roots, "the signer of the SHA1 signature")
        return (
            "there is a signature by SHA1 too, which is broken and proves nothing"
            f" ({describe(verified.certificate).subject})"
        )

    def signer(
        self,
        certificate: x509.Certificate,
        embedded: tuple[x509.Certificate, ...],
        *,
        timestamp: Timestamp | None,
        format_name: str,
        algorithm: str,
        digest: bytes,
    ) -> Signature:
        """Check a signer, at the time of the timestamp or else now.

        Raises:
            VerificationError: it is not as it should be.
        """
        self.check_digest(algorithm)
        verify_chain(
            certificate,
            embedded,
            purpose=CODE_SIGNING,
            at=timestamp.time if timestamp else self.now,
            roots=self.trust.roots,
            owner="the signer",
        )
        if timestamp is not None and (hint := self._needs_validity_now(certificate)):
            check_validity(certificate, self.now, "the signer", when="now", hint=hint)
        signer = describe(certificate)
        self.trust.check_identity(signer)
        trust = self.trust.kind
        notes: tuple[str, ...] = ()
        if is_self_signed(certificate):
            if trust == "stated":
                notes = ("its certificate is self-signed, as those of test policies are",)
            elif trust != "not-checked":
                trust = "pinned-self-signed"
        if self.trust.is_strict:
            if trust == "pinned-self-signed":
                raise VerificationError(
                    f"the signer's certificate ({signer.subject}) is self-signed: nobody vouches.", code="self-signed"
                )
            if timestamp is None:
                raise VerificationError(
                    "the signature has no timestamp: it ends with the signer's certificate.", code="no-timestamp"
                )
        return Signature(
            format=format_name,
            signer=signer,
            timestamp=timestamp,
            digest_algorithm=algorithm,
            content_digest=digest.hex(),
            trust=trust,
            notes=notes,
        )

    def _needs_validity_now(self, certificate: x509.Certificate) -> str:
        """Return why a timestamp does not keep signatures good for longer than the certificate; nothing: it does."""
        if self.trust.thumbprints and not self.trust.roots:
            return "Nobody says who may give its timestamp: name its authority's root with --trust-root."
        if is_for_lifetime_only(certificate):
            return "What it signs is good as long as the certificate is, whatever a timestamp says."
        return ""

    def check_digest(self, algorithm: str) -> None:
        """Require that a digest algorithm is one of the allowed ones.

        Raises:
            VerificationError: it is not.
        """
        if algorithm not in self.trust.digest_algorithms:
            allowed = ", ".join(sorted(self.trust.digest_algorithms))
            raise VerificationError(
                f"the signature uses {algorithm}, which is not allowed (allowed: {allowed}).", code="weak-digest"
            )
