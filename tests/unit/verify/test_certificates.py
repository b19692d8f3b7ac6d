from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.verify.certificates import (
    CODE_SIGNING as CODE,
)
from signpath_ci.verify.certificates import (
    TIME_STAMPING as TIME,
)
from signpath_ci.verify.certificates import (
    Purpose,
    issuer_and_serial_number,
    load_certificates,
    verify_chain,
)
from tests.support.signing import (
    CODE_SIGNING,
    NOW,
    TIME_STAMPING,
    Identity,
    code_signer,
    der,
    issue,
    root,
    rsa_key,
    time_stamper,
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
    "time stamping": lambda: (time_stamper(), TIME),
    "below an intermediate": lambda: (issue("L", _ca(), usages=[CODE_SIGNING]), CODE),
    "two intermediates": lambda: (issue("L", _ca("B", _ca("A")), usages=[CODE_SIGNING]), CODE),
    "an intermediate for code": lambda: (issue("L", _ca(usages=[CODE_SIGNING]), usages=[CODE_SIGNING]), CODE),
    "several usages": lambda: (issue("L", root(), usages=[TIME_STAMPING, CODE_SIGNING]), CODE),
    "RSA-2048": lambda: (issue("L", root(), usages=[CODE_SIGNING], key=rsa_key()), CODE),
}

BAD: dict[str, tuple[Callable[[], tuple[Identity, Purpose]], str]] = {
    "no usage": (lambda: (issue("L", root()), CODE), "the signer's certificate is not for code signing"),
    "another usage": (lambda: (time_stamper(), CODE), "the signer's certificate is not for code signing"),
    "code signer stamps": (lambda: (code_signer(), TIME), "is not only for time stamping"),
    "stamps and more": (
        lambda: (issue("L", root(), usages=[TIME_STAMPING, CODE_SIGNING], is_critical=True), TIME),
        "is not only for time stamping",
    ),
    "usage not critical": (
        lambda: (issue("L", root(), usages=[TIME_STAMPING]), TIME),
        "an extended key usage that is not critical (RFC 3161 section 2.3)",
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
        lambda: (issue("L", _ca(usages=[TIME_STAMPING]), usages=[CODE_SIGNING]), CODE),
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
