from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from signpath_ci.errors import VerificationError
from signpath_ci.formats.asn1 import octet_string
from signpath_ci.formats.cms import DATA, Attribute
from signpath_ci.formats.tsp import TIMESTAMP
from signpath_ci.model import Timestamp
from signpath_ci.verify.certificates import describe
from signpath_ci.verify.signed_data import VerifiedSigner, verify_signer
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements
from signpath_ci.verify.trust import Trust
from tests.support.signing import (
    CODE_SIGNING,
    NOW,
    Identity,
    code_signer,
    issue,
    revocation_list,
    root,
    sign_cms,
    sign_time,
    timestamper,
)

CONTENT = octet_string(b"content")
TRUST = Trust(roots=(root().certificate,))


def _signed(signer: Identity | None = None, *, digest: str = "sha256", is_stamped: bool = False) -> VerifiedSigner:
    message = sign_cms(signer or code_signer(), DATA, CONTENT, digest=digest)
    if is_stamped:
        (info,) = message.signers
        stamp = Attribute(TIMESTAMP, (sign_time(info.signature, timestamper()).encode(),))
        message = replace(message, signers=(replace(info, unsigned_attributes=(stamp,)),))
    return verify_signer(message, content_type=DATA, what="the signature")


def _judge(verified: VerifiedSigner, trust: Trust = TRUST, *, algorithm: str = "sha256", days: int = 0) -> Signature:
    judge = SignerRequirements(trust=trust, now=NOW + timedelta(days=days))
    return judge.signature(verified, format_name="any", algorithm=algorithm, digest=b"digest")


def test_a_whole_judgement() -> None:
    expected = Signature(
        format="any",
        signer=describe(code_signer().certificate),
        timestamp=Timestamp(time=NOW, authority="CN=Timestamper"),
        digest_algorithm="sha384",
        content_digest=b"digest".hex(),
        trust="root",
    )
    assert _judge(_signed(is_stamped=True), algorithm="sha384", days=9999) == expected
    assert _judge(_signed(), algorithm="sha384") == replace(expected, timestamp=None)


def test_without_a_timestamp_a_signature_ends_with_its_certificate() -> None:
    with pytest.raises(VerificationError) as caught:
        _judge(_signed(), days=400)
    assert caught.value.message.startswith("the signer's certificate was valid from 2026-02-28 12:00:00 to 2027-02-28")


def test_where_a_timestamp_does_not_help() -> None:
    lifetime = issue("L", root(), usages=[CODE_SIGNING, x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.13")])
    pinned = Trust(thumbprints=frozenset({describe(code_signer().certificate).thumbprint}))
    for signer, trust, hint in (
        (lifetime, TRUST, "What it signs is good as long as the certificate is, whatever a timestamp says."),
        (
            code_signer(),
            pinned,
            "Nobody says who may give its timestamp: name its authority's root with --trust-root.",
        ),
    ):
        verified = _signed(signer, is_stamped=True)
        assert _judge(verified, trust).timestamp is not None
        with pytest.raises(VerificationError) as caught:
            _judge(verified, trust, days=400)
        assert caught.value.message == (
            "the signer's certificate was valid from 2026-02-28 12:00:00 to 2027-02-28 12:00:00 UTC,"
            " which is not now, 2027-04-05 12:00:00 UTC."
        )
        assert caught.value.hint == hint


@pytest.mark.parametrize(("signed", "hashed"), [("sha256", "sha384"), ("sha384", "sha256")])
def test_both_digests_must_be_allowed(signed: str, hashed: str) -> None:
    verified = _signed(digest=signed)
    both = replace(TRUST, digest_algorithms=frozenset({signed, hashed}))
    assert _judge(verified, both, algorithm=hashed).digest_algorithm == hashed
    for allowed, refused in ((signed, hashed), (hashed, signed)):
        with pytest.raises(VerificationError) as caught:
            _judge(verified, replace(TRUST, digest_algorithms=frozenset({allowed})), algorithm=hashed)
        assert caught.value.message == f"the signature uses {refused}, which is not allowed (allowed: {allowed})."


def test_the_digests_of_attributes_and_of_signatures_must_be_allowed() -> None:
    # They may differ: the signature's algorithm may name its own.
    only = replace(TRUST, digest_algorithms=frozenset({"sha256"}))
    assert _judge(_signed(), only).digest_algorithm == "sha256"
    for other in (replace(_signed(), digest_algorithm="sha512"), replace(_signed(), signature_digest="sha512")):
        with pytest.raises(VerificationError, match="the signature uses sha512, which is not allowed"):
            _judge(other, only)


def _with_lists(verified: VerifiedSigner, *lists: bytes) -> VerifiedSigner:
    return replace(verified, message=replace(verified.message, revocation_lists=lists))


def test_a_revoked_certificate_anywhere_in_the_chain() -> None:
    authority = issue("CA", root(), is_ca=True)
    verified = _signed(issue("L", authority, usages=[CODE_SIGNING]))
    assert _judge(_with_lists(verified, revocation_list(root()), revocation_list(authority)))
    for issuer, revoked in ((root(), authority.certificate), (authority, verified.certificate)):
        with pytest.raises(VerificationError) as caught:
            _judge(_with_lists(verified, revocation_list(issuer, revoked)))
        assert caught.value.message == (
            f"the signer's chain has a revoked certificate ({revoked.subject.rfc4514_string()})."
        )


def test_kinds_of_trust() -> None:
    thumbprint = frozenset({describe(code_signer().certificate).thumbprint})
    alone = issue("Alone", usages=[CODE_SIGNING])
    pinned = Trust(thumbprints=frozenset({describe(alone.certificate).thumbprint}))
    assert _judge(_signed(), Trust()).trust == "not-checked"
    assert _judge(_signed(), Trust(thumbprints=thumbprint)).trust == "thumbprint"
    assert _judge(_signed(), replace(TRUST, thumbprints=thumbprint)).trust == "root"
    assert _judge(_signed(alone), Trust()).trust == "not-checked"
    assert _judge(_signed(alone), pinned).trust == "pinned-self-signed"
    assert _judge(_signed(alone), Trust(roots=(alone.certificate,))).trust == "pinned-self-signed"


def test_strict() -> None:
    strict = replace(TRUST, is_strict=True)
    assert _judge(_signed(is_stamped=True), strict).trust == "root"
    with pytest.raises(VerificationError) as caught:
        _judge(_signed(), strict)
    assert caught.value.message == "the signature has no timestamp: it ends with the signer's certificate."
    alone = issue("Alone", usages=[CODE_SIGNING])
    for is_stamped in (False, True):
        verified = _signed(alone, is_stamped=is_stamped)
        pinned = Trust(thumbprints=frozenset({describe(alone.certificate).thumbprint}), is_strict=True)
        with pytest.raises(VerificationError) as caught:
            _judge(verified, pinned)
        assert caught.value.message == "the signer's certificate (CN=Alone) is self-signed: nobody vouches."
