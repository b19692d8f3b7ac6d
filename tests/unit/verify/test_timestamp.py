from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import object_identifier, octet_string, sequence
from signpath_ci.formats.cms import COUNTERSIGNATURE, Attribute, SignedData, SignerInfo
from signpath_ci.formats.tsp import (
    SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATE_V2,
    TIMESTAMP,
    TIMESTAMP_MICROSOFT,
    TST_INFO,
)
from signpath_ci.model import STRONG_DIGESTS, Timestamp
from signpath_ci.verify.signed_data import VerifiedSigner
from signpath_ci.verify.timestamp import verify_timestamp
from tests.support.signing import (
    NOW,
    TIMESTAMPING,
    code_signer,
    der,
    issue,
    revocation_list,
    root,
    rsa_key,
    sign_cms,
    sign_time,
    timestamper,
)

ROOTS = (root().certificate,)
SIGNATURE = sign_cms(code_signer(), "1.2.3", octet_string(b"content")).signers[0]


def _with(token: SignedData | bytes) -> SignerInfo:
    encoding = token if isinstance(token, bytes) else token.encode()
    return replace(SIGNATURE, unsigned_attributes=(Attribute(TIMESTAMP, (encoding,)),))


def _time(info: SignerInfo, roots: Sequence[x509.Certificate] = ROOTS) -> Timestamp | None:
    message = replace(sign_cms(code_signer(), "1.2.3", octet_string(b"content")), signers=(info,))
    verified = VerifiedSigner(
        message=message,
        info=info,
        certificate=code_signer().certificate,
        embedded=(),
        digest_algorithm="sha256",
        signature_digest="sha256",
    )
    stamped = verify_timestamp(verified, roots=roots, now=NOW)
    return None if stamped is None else stamped.timestamp


def test_a_good_token() -> None:
    info = _with(sign_time(SIGNATURE.signature, timestamper()))
    expected = Timestamp(time=NOW, authority="CN=Timestamper")
    assert _time(info, ROOTS) == _time(info, ()) == expected
    assert _time(SIGNATURE, ROOTS) is None


def test_a_token_of_rsa_with_an_old_signing_certificate_attribute() -> None:
    authority = issue("RSA", root(), key=rsa_key(), usages=[TIMESTAMPING], is_critical=True)
    good = sign_time(SIGNATURE.signature, authority, imprint_digest="sha512")
    for digest, is_good in ((hashlib.sha1(der(authority.certificate)).digest(), True), (bytes(20), False)):
        attribute = Attribute(SIGNING_CERTIFICATE, (sequence(sequence(sequence(octet_string(digest)))),))
        info = _with(sign_cms(authority, TST_INFO, good.content or b"", further=(attribute,)))
        if is_good:
            assert _time(info, ROOTS) == Timestamp(time=NOW, authority="CN=RSA")
        else:
            with pytest.raises(VerificationError, match="another certificate than it brings along"):
                _time(info, ROOTS)


def test_the_authority_must_have_been_valid_then_not_now() -> None:
    old = issue("Old", root(), usages=[TIMESTAMPING], is_critical=True, start=NOW - timedelta(days=10), days=5)
    issuer_start = root().certificate.not_valid_before_utc
    stamped = sign_time(SIGNATURE.signature, old, time=NOW - timedelta(days=6))
    with pytest.raises(VerificationError, match="does not lead to a trusted root"):  # the root is younger
        _time(_with(stamped), ROOTS)
    assert issuer_start > NOW - timedelta(days=6)
    late = sign_time(SIGNATURE.signature, old, time=NOW)
    with pytest.raises(VerificationError, match="the timestamp authority's certificate was valid from"):
        _time(_with(late), ROOTS)


BAD: dict[str, tuple[SignedData | bytes, type[Exception], str]] = {
    "another signature": (
        sign_time(b"something else", timestamper()),
        VerificationError,
        "for another signature: its imprint",
    ),
    "no authority": (sign_time(SIGNATURE.signature, code_signer()), VerificationError, "not only for timestamps"),
    "broken imprint": (
        sign_time(SIGNATURE.signature, timestamper(), imprint_digest="sha1"),
        VerificationError,
        "uses SHA1",
    ),
    "broken signature digest": (
        sign_time(SIGNATURE.signature, timestamper(), digest="sha1"),
        VerificationError,
        "uses SHA1",
    ),
    "another certificate": (
        sign_time(SIGNATURE.signature, timestamper(), names_certificate=root().certificate),
        VerificationError,
        "another certificate than it brings along",
    ),
    "no certificate named": (
        sign_cms(timestamper(), TST_INFO, sign_time(SIGNATURE.signature, timestamper()).content or b""),
        VerificationError,
        "does not say which certificate",
    ),
    "another content": (
        sign_cms(timestamper(), "1.2.3", octet_string(b"")),
        FormatError,
        "holds something else than it should (content type 1.2.3)",
    ),
    "no info": (sign_cms(timestamper(), TST_INFO, octet_string(b"")), FormatError, "TSTInfo is malformed"),
    "no octets": (sign_cms(timestamper(), TST_INFO, sequence()), FormatError, "the timestamp token is malformed"),
    "garbage": (sequence(octet_string(b"")), FormatError, "the timestamp token is malformed"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tokens(case: str) -> None:
    token, error, words = BAD[case]
    with pytest.raises(error) as caught:
        _time(_with(token), ROOTS)
    assert words in str(caught.value)


def test_one_timestamp_under_either_name() -> None:
    token = sign_time(SIGNATURE.signature, timestamper()).encode()
    either = [Attribute(oid, (token,)) for oid in (TIMESTAMP, TIMESTAMP_MICROSOFT)]
    for attribute in either:
        info = replace(SIGNATURE, unsigned_attributes=(attribute,))
        assert _time(info, ROOTS) == Timestamp(time=NOW, authority="CN=Timestamper")
    with pytest.raises(UnsupportedError, match="the signature has 2 timestamps instead of one"):
        _time(replace(SIGNATURE, unsigned_attributes=tuple(either)), ROOTS)
    old = Attribute(COUNTERSIGNATURE, (token,))
    with pytest.raises(UnsupportedError, match="2 timestamps instead of one"):
        _time(replace(SIGNATURE, unsigned_attributes=(either[0], old)), ROOTS)


@pytest.mark.parametrize("digest", STRONG_DIGESTS)
def test_an_imprint_by_any_strong_digest(digest: str) -> None:
    info = _with(sign_time(SIGNATURE.signature, timestamper(), imprint_digest=digest))
    assert _time(info, ROOTS) == Timestamp(time=NOW, authority="CN=Timestamper")


@pytest.mark.parametrize("wrong", [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2, None])
def test_both_attributes_must_name_the_certificate(wrong: str | None) -> None:
    certificate = der(timestamper().certificate)
    digests = {
        SIGNING_CERTIFICATE: hashlib.sha1(certificate).digest(),
        SIGNING_CERTIFICATE_V2: hashlib.sha256(certificate).digest(),
    }
    attributes = tuple(
        Attribute(oid, (sequence(sequence(sequence(octet_string(bytes(32) if oid == wrong else digest)))),))
        for oid, digest in digests.items()
    )
    good = sign_time(SIGNATURE.signature, timestamper())
    info = _with(sign_cms(timestamper(), TST_INFO, good.content or b"", further=attributes))
    if wrong is None:
        assert _time(info, ROOTS) == Timestamp(time=NOW, authority="CN=Timestamper")
    else:
        with pytest.raises(VerificationError, match="another certificate than it brings along"):
            _time(info, ROOTS)


def test_a_revoked_authority() -> None:
    token = sign_time(SIGNATURE.signature, timestamper())
    assert _time(_with(replace(token, revocation_lists=(revocation_list(root()),))))
    authority = issue("CA", root(), is_ca=True)
    below = sign_time(SIGNATURE.signature, issue("Below", authority, usages=[TIMESTAMPING], is_critical=True))
    assert _time(_with(below), ROOTS)
    for message, revoked in ((token, timestamper()), (below, authority)):
        lists = (revocation_list(root(), revoked.certificate),)
        with pytest.raises(VerificationError) as caught:
            _time(_with(replace(message, revocation_lists=lists)), ROOTS)
        assert caught.value.message.startswith("the timestamp authority's chain has a revoked certificate (CN=")


@pytest.mark.parametrize("oid", ["1.2.3", "1.2.840.113549.2.5"])  # the second one is MD5
def test_a_digest_of_the_certificate_that_tells_nothing(oid: str) -> None:
    good = sign_time(SIGNATURE.signature, timestamper())
    unknown = sequence(sequence(sequence(sequence(object_identifier(oid)), octet_string(b"d"))))
    info = _with(
        sign_cms(timestamper(), TST_INFO, good.content or b"", further=(Attribute(SIGNING_CERTIFICATE_V2, (unknown,)),))
    )
    with pytest.raises(UnsupportedError, match=rf"unknown digest \({re.escape(oid)}\)"):
        _time(info, ROOTS)
