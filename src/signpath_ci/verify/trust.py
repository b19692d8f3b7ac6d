"""Whom to trust, and who a signer must be: `Expectations` with their certificates read."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from signpath_ci.errors import VerificationError
from signpath_ci.model import STRONG_DIGESTS, Expectations, SignerCertificate, TrustKind
from signpath_ci.values import dataclass
from signpath_ci.verify.trust_files import check_certificates_file, not_certificates


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What a signer must fulfil; see `Expectations`."""

    roots: tuple[x509.Certificate, ...] = ()
    thumbprints: frozenset[str] = frozenset()
    stated_by: str = ""
    subject: str | None = None
    issuer: str | None = None
    signer_certificates: tuple[x509.Certificate, ...] = ()
    is_strict: bool = False
    digest_algorithms: frozenset[str] = frozenset(STRONG_DIGESTS)

    @classmethod
    def load(cls, expectations: Expectations) -> Trust:
        """Read the PEM files with certificates.

        Raises:
            LocalFileError: one can't be read.
            UsageError: one holds no certificates.
        """
        roots = tuple(root for path in expectations.trust_roots for root in _load(path, "trust root"))
        signer = expectations.signer_certificate
        return cls(
            roots=roots,
            thumbprints=expectations.thumbprints,
            stated_by=expectations.stated_by,
            subject=expectations.subject,
            issuer=expectations.issuer,
            signer_certificates=tuple(_load(signer, "signer's certificate")) if signer else (),
            is_strict=expectations.strict,
            digest_algorithms=expectations.digest_algorithms,
        )

    @property
    def kind(self) -> TrustKind:
        """What makes a signer that passed all checks trusted."""
        if self.roots:
            return "root"
        if not self.thumbprints:
            return "not-checked"
        return "stated" if self.stated_by else "thumbprint"

    def check_identity(self, signer: SignerCertificate) -> None:
        """Require the thumbprint, the subject and the issuer; the chain is checked elsewhere.

        Raises:
            VerificationError: it is somebody else.
        """
        if self.thumbprints and signer.thumbprint not in self.thumbprints:
            if self.stated_by:
                raise VerificationError(
                    f"the signer's certificate ({signer.subject}, thumbprint {signer.thumbprint}) is not the one of the"
                    f" signing policy {self.stated_by}, as SignPath states it.",
                    code="unexpected-signer",
                )
            raise VerificationError(
                f"the signer's certificate ({signer.subject}) has the thumbprint {signer.thumbprint}, which is not"
                " among the expected ones.",
                code="unexpected-signer",
            )
        if self.subject is not None and self.subject.casefold() not in signer.subject.casefold():
            raise VerificationError(
                f"the signer is {signer.subject}, which does not contain {self.subject!r}.", code="unexpected-signer"
            )
        if self.issuer is not None and self.issuer.casefold() not in signer.issuer.casefold():
            raise VerificationError(
                f"the signer's certificate was issued by {signer.issuer}, which does not contain {self.issuer!r}.",
                code="unexpected-signer",
            )


def _load(path: Path, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(check_certificates_file(path, what))
    except ValueError as error:
        raise not_certificates(path, what) from error
