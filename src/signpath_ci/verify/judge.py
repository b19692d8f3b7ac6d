"""The judgement that is the same in every format: once a signature fits its content, is its signer any good?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from signpath_ci.errors import VerificationError
from signpath_ci.model import SignerCertificate, TimeStamp, TrustKind
from signpath_ci.verify.certificates import (
    CODE_SIGNING,
    check_not_revoked,
    check_validity,
    describe,
    is_for_lifetime_only,
    is_self_signed,
    verify_chain,
)
from signpath_ci.verify.signed_data import VerifiedSigner
from signpath_ci.verify.timestamp import verify_time_stamp
from signpath_ci.verify.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A signature that passed every check; the fields are those of `Verdict`."""

    format: str
    signer: SignerCertificate
    time_stamp: TimeStamp | None
    digest_algorithm: str
    content_digest: str
    trust: TrustKind


@dataclass(frozen=True, kw_only=True)
class Judge:
    """What is demanded of every signature.

    Attributes:
        trust: whom to trust.
        now: when a signature without a time stamp must be valid.
    """

    trust: Trust
    now: datetime

    def signature(self, verified: VerifiedSigner, *, format_name: str, algorithm: str, digest: bytes) -> Signature:
        """Judge the signer of a CMS signature, whose content and signature were found to fit.

        Args:
            verified: the signature.
            format_name: as in `Verdict.format`.
            algorithm: digest algorithm of the content.
            digest: of the content.

        Raises:
            VerificationError: signer, chain, time stamp or algorithms are not as they should be.
        """
        self.check_digest(verified.digest_algorithm)
        self.check_digest(verified.signature_digest)
        check_not_revoked((verified.certificate, *verified.embedded), verified.revocation_lists, "the signer")
        time_stamp = verify_time_stamp(verified.info, roots=self.trust.roots, now=self.now)
        return self.signer(
            verified.certificate,
            verified.embedded,
            time_stamp=time_stamp,
            format_name=format_name,
            algorithm=algorithm,
            digest=digest,
        )

    def signer(
        self,
        certificate: x509.Certificate,
        embedded: tuple[x509.Certificate, ...],
        *,
        time_stamp: TimeStamp | None,
        format_name: str,
        algorithm: str,
        digest: bytes,
    ) -> Signature:
        """Judge a signer, at the time of the time stamp or else now.

        Raises:
            VerificationError: it is not as it should be.
        """
        self.check_digest(algorithm)
        verify_chain(
            certificate,
            embedded,
            purpose=CODE_SIGNING,
            at=time_stamp.time if time_stamp else self.now,
            roots=self.trust.roots,
            owner="the signer",
        )
        if time_stamp is not None and (hint := self._needs_validity_now(certificate)):
            check_validity(certificate, self.now, "the signer", when="now", hint=hint)
        signer = describe(certificate)
        self.trust.check_identity(signer)
        trust = self.trust.kind
        if trust != "not-checked" and is_self_signed(certificate):
            trust = "pinned-self-signed"
        if self.trust.is_strict:
            if trust == "pinned-self-signed":
                raise VerificationError(
                    f"the signer's certificate ({signer.subject}) is self-signed: nobody vouches.", code="self-signed"
                )
            if time_stamp is None:
                raise VerificationError(
                    "the signature has no time stamp: it ends with the signer's certificate.", code="no-timestamp"
                )
        return Signature(
            format=format_name,
            signer=signer,
            time_stamp=time_stamp,
            digest_algorithm=algorithm,
            content_digest=digest.hex(),
            trust=trust,
        )

    def _needs_validity_now(self, certificate: x509.Certificate) -> str:
        """Return why a time stamp does not keep signatures good for longer than the certificate; nothing: it does."""
        if self.trust.thumbprints and not self.trust.roots:
            return "Nobody says who may give its time stamp: name its authority's root with --trust-root."
        if is_for_lifetime_only(certificate):
            return "What it signs is good as long as the certificate is, whatever a time stamp says."
        return ""

    def check_digest(self, algorithm: str) -> None:
        """Demand that a digest algorithm is one of the allowed ones.

        Raises:
            VerificationError: it is not.
        """
        if algorithm not in self.trust.digest_algorithms:
            allowed = ", ".join(sorted(self.trust.digest_algorithms))
            raise VerificationError(
                f"the signature uses {algorithm}, which is not allowed (allowed: {allowed}).", code="weak-digest"
            )
