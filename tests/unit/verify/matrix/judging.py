"""One cell of the matrix, judged as a user would have it judged."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.clock import Clock
from signpath_ci.model import Expectations, Verdict
from signpath_ci.verify import verify_file
from tests.support.signing import NOW, Identity, code_signer, root
from tests.unit.verify.matrix.attacks import Case
from tests.unit.verify.matrix.formats import Format

CLOCK = Clock(now=lambda: NOW)


def judge(f: Format, case: Case, directory: Path) -> tuple[Verdict, ...]:
    """Verify a case's file against what was submitted, trusting the tests' root only.

    Raises:
        VerificationError: it is refused, as every case has to be.
    """
    path, unsigned = directory / f.file_name, directory / f"unsigned-{f.file_name}"
    path.write_bytes(case.data)
    unsigned.write_bytes(f.unsigned if case.unsigned is None else case.unsigned)
    expectations = Expectations(
        trust_roots=(pem(directory / "root.pem", root()),),
        signer_certificate=None if f.is_message else pem(directory / "signer.pem", case.signer or code_signer()),
        strict=case.is_strict,
    )
    return verify_file(path, unsigned=unsigned, expectations=expectations, clock=CLOCK)


def pem(path: Path, identity: Identity) -> Path:
    certificates = (identity.certificate, *identity.chain[:-1])
    path.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates))
    return path
