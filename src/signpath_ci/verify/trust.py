"""Whom to trust, and who a signer must be: `Expectations` with their certificates read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509

from signpath_ci.errors import LocalFileError, UsageError, VerificationError
from signpath_ci.model import Expectations, SignerCertificate


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What a signer must fulfil; see `Expectations`."""

    roots: tuple[x509.Certificate, ...] = ()
    thumbprints: frozenset[str] = frozenset()
    subject: str | None = None

    @classmethod
    def load(cls, expectations: Expectations) -> Trust:
        """Read the PEM files with the trusted roots.

        Raises:
            LocalFileError: one can't be read.
            UsageError: one holds no certificates.
        """
        roots = tuple(root for path in expectations.trust_roots for root in _load_roots(path))
        return cls(roots=roots, thumbprints=expectations.thumbprints, subject=expectations.subject)

    @property
    def kind(self) -> Literal["root", "thumbprint", "not-checked"]:
        """What makes a signer that passed all checks trusted."""
        if self.roots:
            return "root"
        return "thumbprint" if self.thumbprints else "not-checked"

    def check_identity(self, signer: SignerCertificate) -> None:
        """Demand the thumbprint and the subject; the chain is checked elsewhere.

        Raises:
            VerificationError: it is somebody else.
        """
        if self.thumbprints and signer.thumbprint not in self.thumbprints:
            raise VerificationError(
                f"the signer's certificate ({signer.subject}) has the thumbprint {signer.thumbprint}, which is not"
                " among the expected ones."
            )
        if self.subject is not None and self.subject.casefold() not in signer.subject.casefold():
            raise VerificationError(f"the signer is {signer.subject}, which does not contain {self.subject!r}.")


def _load_roots(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise LocalFileError(f"The trust root {path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(
            f"The trust root {path} is no PEM file with certificates.",
            hint="It must have lines with BEGIN CERTIFICATE and END CERTIFICATE.",
        ) from error
