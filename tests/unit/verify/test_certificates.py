from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.model import SignerCertificate
from signpath_ci.verify.certificates import (
    CODE_SIGNING as CODE,
)
from signpath_ci.verify.certificates import (
    TIMESTAMPING as TIME,
)
from signpath_ci.verify.certificates import (
    Purpose,
    check_not_revoked,
    describe,
    is_self_signed,
    issuer_and_serial_number,
    load_certificates,
    verify_chain,
)
from tests.support.signing import (
    CODE_SIGNING,
    NOW,
    TIMESTAMPING,
    Identity,
    code_signer,
    der,
    issue,
    root,
    rsa_key,
    timestamper,
)


def _ca(name: str = "CA", issuer: Identity | None = None, **options: Any) -> Identity:
    return issue(name, issuer or root(), is_ca=True, **options)


def _verify(identity: Identity, purpose: Purpose = CODE, *, is_trusted: bool = True) -> None:
    verify_chain(
        identity.certificate,
        identity.chain[:-1],
        purpose=purpose,
        at=NOW,
        roots=(root().certificate,) if is_trusted else (),
        owner="the signer",
    )


GOOD: dict[str, Callable[[], tuple[Identity, Purpose]]] = {
    "below the root": lambda: (code_signer(), CODE),
    "timestamping": lambda: (timestamper(), TIME),
    "below an intermediate": lambda: (issue("L", _ca(), usages=[CODE_SIGNING]), CODE),
    "two intermediates": lambda: (issue("L", _ca("B", _ca("A")), usages=[CODE_SIGNING]), CODE),
    "an intermediate for code": lambda: (issue("L", _ca(usages=[CODE_SIGNING]), usages=[CODE_SIGNING]), CODE),
    "several usages": lambda: (issue("L", root(), usages=[TIMESTAMPING, CODE_SIGNING]), CODE),
    "any usage in an intermediate": lambda: (
        issue("L", _ca(usages=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), usages=[CODE_SIGNING]),
        CODE,
    ),
    "content commitment": lambda: (
        issue("L", root(), usages=[CODE_SIGNING], key_usage=(False, False), commits=True),
        CODE,
    ),
    "P-384": lambda: (issue("L", root(), usages=[CODE_SIGNING], key=ec.generate_private_key(ec.SECP384R1())), CODE),
    "P-521": lambda: (issue("L", root(), usages=[CODE_SIGNING], key=ec.generate_private_key(ec.SECP521R1())), CODE),
    "RSA-2048": lambda: (issue("L", root(), usages=[CODE_SIGNING], key=rsa_key()), CODE),
}

BAD: dict[str, tuple[Callable[[], tuple[Identity, Purpose]], str]] = {
    "no usage": (lambda: (issue("L", root()), CODE), "the signer's certificate is not for code signing"),
    "another usage": (lambda: (timestamper(), CODE), "the signer's certificate is not for code signing"),
    "code signer stamps": (lambda: (code_signer(), TIME), "is not only for timestamps"),
    "stamps and more": (
        lambda: (issue("L", root(), usages=[TIMESTAMPING, CODE_SIGNING], is_critical=True), TIME),
        "is not only for timestamps",
    ),
    "expired": (
        lambda: (issue("L", root(), usages=[CODE_SIGNING], start=NOW - timedelta(days=9), days=8), CODE),
        "was valid from 2026-02-20 12:00:00 to 2026-02-28 12:00:00 UTC, which is not at the signature's time",
    ),
    "not yet valid": (
        lambda: (issue("L", root(), usages=[CODE_SIGNING], start=NOW + timedelta(days=1)), CODE),
        "which is not at the signature's time",
    ),
    "not for signatures": (
        lambda: (issue("L", root(), usages=[CODE_SIGNING], key_usage=(False, False)), CODE),
        "is not for digital signatures",
    ),
    "RSA-1024": (
        lambda: (issue("L", root(), usages=[CODE_SIGNING], key=rsa_key(1024)), CODE),
        "key is too short: RSA with 1024 bits",
    ),
    "RSA-2047": (
        lambda: (issue("L", root(), usages=[CODE_SIGNING], key=rsa_key(2047)), CODE),
        "key is too short: RSA with 2047 bits",
    ),
    "unusual curve": (
        lambda: (issue("L", root(), usages=[CODE_SIGNING], key=ec.generate_private_key(ec.SECP256K1())), CODE),
        "unusual curve: secp256k1",
    ),
    "another root": (
        lambda: (issue("L", issue("Other", is_ca=True), usages=[CODE_SIGNING]), CODE),
        "does not lead to a trusted root",
    ),
    "another root of the same name": (
        lambda: (issue("L", issue("Root", is_ca=True), usages=[CODE_SIGNING]), CODE),
        "does not lead to a trusted root",
    ),
    "leaf as CA": (
        lambda: (issue("L", code_signer(), usages=[CODE_SIGNING]), CODE),
        "does not lead to a trusted root",
    ),
    "CA must not sign certificates": (
        lambda: (issue("L", _ca(key_usage=(True, False)), usages=[CODE_SIGNING]), CODE),
        "does not lead to a trusted root",
    ),
    "path too long": (
        lambda: (issue("L", _ca("B", _ca("A", path_length=0)), usages=[CODE_SIGNING]), CODE),
        "does not lead to a trusted root",
    ),
    "an intermediate for something else": (
        lambda: (issue("L", _ca(usages=[TIMESTAMPING]), usages=[CODE_SIGNING]), CODE),
        "does not lead to a trusted root",
    ),
    "an expired intermediate": (
        lambda: (issue("L", _ca(start=NOW - timedelta(days=9), days=8), usages=[CODE_SIGNING]), CODE),
        "does not lead to a trusted root",
    ),
    "an intermediate with a short key": (
        lambda: (issue("L", _ca(key=rsa_key(1024)), usages=[CODE_SIGNING]), CODE),
        "does not lead to a trusted root",
    ),
    "an unknown critical extension": (
        lambda: (issue("L", root(), usages=[CODE_SIGNING], critical_extension="1.2.3.4"), CODE),
        "does not lead to a trusted root",
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_good_chains(case: str) -> None:
    identity, purpose = GOOD[case]()
    _verify(identity, purpose)
    _verify(identity, purpose, is_trusted=False)


@pytest.mark.parametrize("case", BAD)
def test_bad_chains(case: str) -> None:
    make, words = BAD[case]
    identity, purpose = make()
    with pytest.raises(VerificationError) as caught:
        _verify(identity, purpose)
    assert words in caught.value.message


def test_nobody_trusted_a_chain_holds_together_as_far_as_it_goes() -> None:
    signer = issue("L", _ca(), usages=[CODE_SIGNING])
    everything = (signer.certificate, *signer.chain)
    for embedded in ((), signer.chain[:1], signer.chain, everything, everything[::-1]):
        verify_chain(signer.certificate, embedded, purpose=CODE, at=NOW, roots=(), owner="the signer")
    impostor = issue("CA", root(), is_ca=True)
    with pytest.raises(VerificationError, match="does not hold together"):
        verify_chain(signer.certificate, (impostor.certificate,), purpose=CODE, at=NOW, roots=(), owner="the signer")


def test_a_self_signed_signer() -> None:
    alone = issue("Alone", usages=[CODE_SIGNING])
    verify_chain(alone.certificate, (), purpose=CODE, at=NOW, roots=(), owner="the signer")
    verify_chain(alone.certificate, (), purpose=CODE, at=NOW, roots=(alone.certificate,), owner="the signer")


def test_valid_from_the_first_to_the_last_second() -> None:
    signer = issue("L", root(), usages=[CODE_SIGNING], start=NOW, days=1)
    for seconds, is_good in ((-1, False), (0, True), (86400, True), (86401, False)):
        at = NOW + timedelta(seconds=seconds)
        if is_good:
            verify_chain(signer.certificate, (), purpose=CODE, at=at, roots=(root().certificate,), owner="the signer")
            continue
        with pytest.raises(VerificationError) as caught:
            verify_chain(signer.certificate, (), purpose=CODE, at=at, roots=(root().certificate,), owner="the signer")
        assert caught.value.message == (
            "the signer's certificate was valid from 2026-03-01 12:00:00 to 2026-03-02 12:00:00 UTC,"
            f" which is not at the signature's time, {at:%Y-%m-%d %H:%M:%S} UTC."
        )
        assert not caught.value.hint


def test_who_vouches_for_a_certificate() -> None:
    alone = issue("Alone")
    assert is_self_signed(alone.certificate)
    assert is_self_signed(root().certificate)
    assert not is_self_signed(code_signer().certificate)
    assert not is_self_signed(issue("Alone", alone).certificate)  # of the same name, but with another key


def test_the_hint_is_about_the_root_where_one_is_given() -> None:
    signer = issue("L", issue("Root", is_ca=True), usages=[CODE_SIGNING])
    hints = []
    for roots, embedded in (((root().certificate,), ()), ((), (root().certificate,))):
        with pytest.raises(VerificationError) as caught:
            verify_chain(signer.certificate, embedded, purpose=CODE, at=NOW, roots=roots, owner="the signer")
        hints.append(caught.value.hint)
    assert hints == ["Is it the right file given as trust root?", ""]


def test_who_a_certificate_is_for() -> None:
    certificate = code_signer().certificate
    assert describe(certificate) == SignerCertificate(
        subject="CN=Code Signer",
        issuer="CN=Root",
        thumbprint=hashlib.sha256(der(certificate)).hexdigest(),
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=364),
    )


def test_damaged_revocation_lists() -> None:
    with pytest.raises(FormatError, match="a revocation list of the signer is damaged"):
        check_not_revoked((), (b"\x30\x00",), "the signer")


def test_names_are_compared_as_they_are_encoded() -> None:
    certificate = code_signer().certificate
    assert issuer_and_serial_number(der(certificate)) == (
        certificate.issuer.public_bytes(),
        certificate.serial_number,
    )


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x01"])
def test_damaged_certificates(data: bytes) -> None:
    with pytest.raises(FormatError, match="a certificate in the token is damaged"):
        load_certificates([data], "the token")
    with pytest.raises(FormatError, match="a certificate is malformed"):
        issuer_and_serial_number(data)
