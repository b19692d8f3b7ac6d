from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.errors import LocalFileError, UsageError, VerificationError
from signpath_ci.model import Expectations
from signpath_ci.verify.certificates import describe
from signpath_ci.verify.trust import Trust
from tests.support.signing import code_signer, root, timestamper

SIGNER = describe(code_signer().certificate)


def _pem(path: Path, *names: str) -> Path:
    identities = {"root": root(), "signer": code_signer(), "time": timestamper()}
    path.write_bytes(b"".join(identities[name].certificate.public_bytes(Encoding.PEM) for name in names))
    return path


def test_all_expectations_are_taken_over(tmp_path: Path) -> None:
    assert Trust.load(Expectations()) == Trust()
    expectations = Expectations(
        trust_roots=(_pem(tmp_path / "1.pem", "root", "time"), _pem(tmp_path / "2.pem", "signer")),
        thumbprints=frozenset({"ab"}),
        subject="Acme",
        issuer="CA",
        signer_certificate=_pem(tmp_path / "3.pem", "signer", "root"),
        strict=True,
        digest_algorithms=frozenset({"sha512"}),
    )
    assert Trust.load(expectations) == Trust(
        roots=(root().certificate, timestamper().certificate, code_signer().certificate),
        thumbprints=frozenset({"ab"}),
        subject="Acme",
        issuer="CA",
        signer_certificates=(code_signer().certificate, root().certificate),
        is_strict=True,
        digest_algorithms=frozenset({"sha512"}),
    )


def test_files_that_hold_no_certificates(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no certificate")
    missing = tmp_path / "missing"
    for expectations, what in (
        (Expectations(trust_roots=(text,)), "trust root"),
        (Expectations(signer_certificate=text), "signer's certificate"),
    ):
        with pytest.raises(UsageError) as usage:
            Trust.load(expectations)
        assert usage.value.message.startswith(f"The {what} {text} ")
    for expectations, what in (
        (Expectations(trust_roots=(missing,)), "trust root"),
        (Expectations(signer_certificate=missing), "signer's certificate"),
    ):
        with pytest.raises(LocalFileError) as local:
            Trust.load(expectations)
        assert local.value.message == f"The {what} {missing} can't be read: No such file or directory."


@pytest.mark.parametrize(
    "trust",
    [
        Trust(),
        Trust(thumbprints=frozenset({SIGNER.thumbprint, "00" * 32})),
        Trust(subject="cn=CODE signer"),
        Trust(issuer="cn=ROOT"),
        Trust(subject="", issuer=""),
        Trust(thumbprints=frozenset({SIGNER.thumbprint}), subject="Code Signer", issuer="Root"),
    ],
)
def test_the_signer_who_is_expected(trust: Trust) -> None:
    trust.check_identity(SIGNER)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"thumbprints": frozenset({"00" * 32})},
            f"the signer's certificate (CN=Code Signer) has the thumbprint {SIGNER.thumbprint}, which is not among the"
            " expected ones.",
        ),
        ({"subject": "Acme"}, "the signer is CN=Code Signer, which does not contain 'Acme'."),
        ({"subject": "CN=Root"}, "the signer is CN=Code Signer, which does not contain 'CN=Root'."),
        (
            {"issuer": "CN=Code Signer"},
            "the signer's certificate was issued by CN=Root, which does not contain 'CN=Code Signer'.",
        ),
    ],
)
def test_a_signer_who_is_not_expected(change: dict[str, frozenset[str] | str], words: str) -> None:
    good = Trust(thumbprints=frozenset({SIGNER.thumbprint}), subject="Code Signer", issuer="Root")
    with pytest.raises(VerificationError) as caught:
        replace(good, **change).check_identity(SIGNER)  # type: ignore[arg-type]  # each field has its own type
    assert caught.value.message == words
