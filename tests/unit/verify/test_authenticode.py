from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signpath_ci.clock import Clock
from signpath_ci.errors import SignPathError, UnsupportedFormatError, VerificationError
from signpath_ci.formats.asn1 import integer, object_identifier, octet_string, sequence
from signpath_ci.formats.authenticode import INDIRECT_DATA, NESTED_SIGNATURE
from signpath_ci.formats.cms import COUNTERSIGNATURE, MESSAGE_DIGEST, Attribute, SignedData
from signpath_ci.formats.tsp import TIMESTAMP, TIMESTAMP_MICROSOFT
from signpath_ci.model import Expectations, SignerCertificate, Timestamp, Verdict
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.signers import sign_file
from signpath_ci.verify import verify_file
from tests.support.oracles import needs_osslsigncode, run
from tests.support.pe import LAUNCHERS
from tests.support.signing import (
    CODE_SIGNING,
    NOW,
    TIMESTAMPING,
    Identity,
    authority,
    code_signer,
    issue,
    root,
    rsa_key,
    sign_cms,
    sign_image,
    sign_time,
    timestamper,
    write_pe,
)

CLOCK = Clock(now=lambda: NOW)


def _sandbox_signed(tmp_path: Path, architecture: str = "x64") -> Path:
    target = tmp_path / "signed.exe"
    sign_file(
        LAUNCHERS[architecture],
        target,
        signer=authority().code_signer("tests"),
        timestamp=lambda data: tsa.timestamp(authority().timestamper, data, now=NOW),
    )
    return target


def _failure(path: Path, **options: Any) -> SignPathError:
    with pytest.raises(SignPathError) as caught:
        verify_file(path, clock=CLOCK, **options)
    assert str(path) in caught.value.message
    return caught.value


def _pem(tmp_path: Path, *identities: Identity) -> tuple[Path, ...]:
    path = tmp_path / "roots.pem"
    path.write_bytes(b"".join(i.certificate.public_bytes(Encoding.PEM) for i in identities))
    return (path,)


def _stamped(message: SignedData, *tokens: SignedData, oid: str = TIMESTAMP) -> SignedData:
    attribute = Attribute(oid, tuple(token.encode() for token in tokens))
    return _with_unsigned(message, attribute)


def _with_unsigned(message: SignedData, *attributes: Attribute) -> SignedData:
    (info,) = message.signers
    return replace(message, signers=(replace(info, unsigned_attributes=(*info.unsigned_attributes, *attributes)),))


@pytest.mark.parametrize("architecture", sorted(LAUNCHERS))
def test_a_whole_verdict(tmp_path: Path, architecture: str) -> None:
    path = _sandbox_signed(tmp_path, architecture)
    (verdict,) = verify_file(
        path,
        unsigned=LAUNCHERS[architecture],
        expectations=Expectations(trust_roots=(authority().trust_root,), subject="code signing (TESTS)"),
        clock=CLOCK,
    )
    organization = "O=signpath-ci sandbox (do not trust)"
    assert verdict == Verdict(
        path=path,
        member=None,
        format="pe",
        signer=SignerCertificate(
            subject=f"CN=Code Signing (tests),{organization}",
            issuer=f"CN=Code Signing CA,{organization}",
            thumbprint=verdict.signer.thumbprint,
            not_before=NOW - timedelta(hours=1),
            not_after=NOW + timedelta(days=730),
        ),
        timestamp=Timestamp(time=NOW, authority=f"CN=Timestamp Authority,{organization}"),
        digest_algorithm="sha256",
        content_digest=verdict.content_digest,
        identity="same",
        trust="root",
    )
    assert len(verdict.signer.thumbprint) == len(verdict.content_digest) == 64


def test_nothing_expected_nothing_trusted(tmp_path: Path) -> None:
    (verdict,) = verify_file(_sandbox_signed(tmp_path), clock=CLOCK)
    assert (verdict.trust, verdict.identity) == ("not-checked", "not-checked")


def test_trusted_by_thumbprint(tmp_path: Path) -> None:
    path = _sandbox_signed(tmp_path)
    (verdict,) = verify_file(path, clock=CLOCK)
    pinned = Expectations(thumbprints=frozenset({verdict.signer.thumbprint, "00" * 32}))
    assert verify_file(path, expectations=pinned, clock=CLOCK)[0].trust == "thumbprint"
    both = replace(pinned, trust_roots=(authority().trust_root,))
    assert verify_file(path, expectations=both, clock=CLOCK)[0].trust == "root"


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("code", "the file was changed after it was signed"),
        ("signature", "the signature is not its signer's"),
        ("token", "the timestamp token is not its signer's"),
    ],
)
def test_one_flipped_byte(tmp_path: Path, where: str, words: str) -> None:
    path = _sandbox_signed(tmp_path)
    data = bytearray(path.read_bytes())
    values = _signature_values(bytes(data))
    offset = {"code": 0x1000, "signature": values[0] + 40, "token": values[1] + 40}[where]
    data[offset] ^= 1
    path.write_bytes(data)
    error = _failure(path)
    assert type(error) is VerificationError
    assert words in error.message


def _signature_values(data: bytes) -> list[int]:
    """Find the two ECDSA signature values: right behind their algorithm identifiers, ecdsa-with-SHA256."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302") + b"\x04"
    table = len(LAUNCHERS["x64"].read_bytes())
    first = data.index(algorithm, table)
    return [first + len(algorithm), data.index(algorithm, first + 1) + len(algorithm)]


def test_no_flipped_byte_of_the_signature_changes_the_verdict(tmp_path: Path) -> None:
    path = _sandbox_signed(tmp_path)
    data = path.read_bytes()
    trusted = Expectations(trust_roots=(authority().trust_root,))
    expected = verify_file(path, expectations=trusted, clock=CLOCK)
    survivors = []
    start = len(LAUNCHERS["x64"].read_bytes())
    for offset in range(start, len(data), 13):
        path.write_bytes(data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :])
        try:
            survivors.append((offset, verify_file(path, expectations=trusted, clock=CLOCK)))
        except VerificationError:
            continue
    # The name of an unsigned attribute is covered by nothing, so a timestamp can be lost; nothing else can change.
    name = data.index(object_identifier(TIMESTAMP_MICROSOFT), start)
    for offset, verdicts in survivors:
        assert name <= offset < name + 12
        assert verdicts == (replace(expected[0], timestamp=None),)


def test_another_file_than_the_submitted_one(tmp_path: Path) -> None:
    error = _failure(_sandbox_signed(tmp_path), unsigned=LAUNCHERS["x86"])
    assert "it is signed, but it is not the file that was submitted" in error.message
    text = tmp_path / "text"
    text.write_text("no executable")
    assert "can't be the file that was submitted" in _failure(_sandbox_signed(tmp_path), unsigned=text).message


def test_a_file_that_was_signed_before_it_was_submitted(tmp_path: Path) -> None:
    before = write_pe(tmp_path / "before.exe", lambda digest: sign_image(digest, code_signer()))
    after = tmp_path / "after.exe"
    sign_file(before, after, signer=authority().code_signer("tests"), timestamp=_token)
    assert verify_file(after, unsigned=before, clock=CLOCK)[0].identity == "same"
    assert verify_file(after, unsigned=LAUNCHERS["x64"], clock=CLOCK)[0].identity == "same"


def _token(data: bytes) -> bytes:
    return tsa.timestamp(authority().timestamper, data, now=NOW)


def test_an_unsigned_file() -> None:
    error = _failure(LAUNCHERS["x64"])
    assert type(error) is VerificationError
    assert "is not signed" in error.message


@pytest.mark.parametrize(
    ("expectations", "words"),
    [
        (Expectations(subject="somebody"), "does not contain 'somebody'"),
        (Expectations(thumbprints=frozenset({"ab" * 32})), "not among the expected ones"),
    ],
)
def test_another_signer_than_expected(tmp_path: Path, expectations: Expectations, words: str) -> None:
    assert words in _failure(_sandbox_signed(tmp_path), expectations=expectations).message


def test_another_root_than_expected(tmp_path: Path) -> None:
    expectations = Expectations(trust_roots=_pem(tmp_path, root()))
    error = _failure(_sandbox_signed(tmp_path), expectations=expectations)
    assert "the timestamp authority's certificate" in error.message
    assert "does not lead to a trusted root" in error.message


def test_a_trusted_signer_with_a_foreign_timestamp(tmp_path: Path) -> None:
    def message(digest: bytes) -> SignedData:
        signed = sign_image(digest, code_signer())
        foreign = issue("Foreign", issue("Foreign Root", is_ca=True), usages=[TIMESTAMPING], is_critical=True)
        return _stamped(signed, sign_time(signed.signers[0].signature, foreign))

    path = write_pe(tmp_path / "a.exe", message)
    expectations = Expectations(trust_roots=_pem(tmp_path, root()))
    assert "the timestamp authority" in _failure(path, expectations=expectations).message
    assert verify_file(path, clock=CLOCK)[0].timestamp == Timestamp(time=NOW, authority="CN=Foreign")


@pytest.mark.parametrize("scheme", ["rsa", "rsa-digest", "pss"])
def test_rsa_signatures(tmp_path: Path, scheme: str) -> None:
    signer = issue("RSA", root(), key=rsa_key(), usages=[CODE_SIGNING])
    path = write_pe(tmp_path / "a.exe", lambda digest: sign_image(digest, signer, scheme=scheme))
    (verdict,) = verify_file(path, expectations=Expectations(trust_roots=_pem(tmp_path, root())), clock=CLOCK)
    assert (verdict.signer.subject, verdict.trust) == ("CN=RSA", "root")
    data = path.read_bytes()
    last = data.rindex(b"\x04\x82\x01\x00") + 100  # the signature is the last OCTET STRING of 256 bytes
    path.write_bytes(data[:last] + bytes([data[last] ^ 1]) + data[last + 1 :])
    assert "the signature is not its signer's" in _failure(path).message


def test_other_digests(tmp_path: Path) -> None:
    path = write_pe(
        tmp_path / "a.exe",
        lambda digest: sign_image(digest, code_signer(), digest="sha384", image_digest="sha384"),
        algorithm="sha384",
    )
    (verdict,) = verify_file(path, unsigned=LAUNCHERS["x64"], clock=CLOCK)
    assert (verdict.digest_algorithm, len(verdict.content_digest), verdict.identity) == ("sha384", 96, "same")


@pytest.mark.parametrize(
    ("image_digest", "digest", "words"),
    [
        ("sha1", "sha256", "SHA1, which is broken"),
        ("sha256", "sha1", "SHA1, which is broken"),
        ("md5", "sha256", "MD5"),
    ],
)
def test_broken_digests(tmp_path: Path, image_digest: str, digest: str, words: str) -> None:
    path = write_pe(
        tmp_path / "a.exe",
        lambda hashed: sign_image(hashed, code_signer(), digest=digest, image_digest=image_digest),
        algorithm=image_digest,
    )
    assert words in _failure(path).message


@pytest.mark.parametrize("oid", [TIMESTAMP, TIMESTAMP_MICROSOFT])
def test_a_timestamp_keeps_a_signature_valid(tmp_path: Path, oid: str) -> None:
    short = issue("Short", root(), usages=[CODE_SIGNING], days=2)

    def message(digest: bytes) -> SignedData:
        signed = sign_image(digest, short)
        return _stamped(signed, sign_time(signed.signers[0].signature, timestamper()), oid=oid)

    later = Clock(now=lambda: NOW + timedelta(days=30))
    stamped = write_pe(tmp_path / "stamped.exe", message)
    bare = write_pe(tmp_path / "bare.exe", lambda digest: sign_image(digest, short))
    assert verify_file(stamped, clock=later)[0].timestamp == Timestamp(time=NOW, authority="CN=Timestamper")
    assert verify_file(bare, clock=CLOCK)[0].timestamp is None
    with pytest.raises(VerificationError, match="which is not at the signature's time, 2026-03-31"):
        verify_file(bare, clock=later)


def _broken(message: SignedData, **changes: Any) -> SignedData:
    return replace(message, signers=(replace(message.signers[0], **changes),))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda m: replace(m, certificates=()), VerificationError, "does not bring its signer's certificate along"),
        (
            lambda m: replace(m, certificates=(b"\x30\x00",)),
            VerificationError,
            "a certificate in the signature is damaged",
        ),
        (lambda m: replace(m, signers=()), UnsupportedFormatError, "has 0 signers instead of one"),
        (lambda m: replace(m, content=None), VerificationError, "holds something else"),
        (lambda m: replace(m, content_type="1.2.3"), VerificationError, "holds something else than it should"),
        (
            lambda m: sign_cms(code_signer(), INDIRECT_DATA, m.content, attributes=(Attribute("1.2", (integer(1),)),)),
            VerificationError,
            "lacks the signed attributes",
        ),
        (
            lambda m: replace(sign_cms(code_signer(), "1.2.3", m.content), content_type=INDIRECT_DATA),
            VerificationError,
            "for another type of content",
        ),
        (
            lambda m: replace(m, content=sequence(octet_string(b"other"))),
            VerificationError,
            "the message digest differs",
        ),
        (
            lambda m: _broken(m, signature_algorithm=replace(m.signers[0].signature_algorithm, oid="1.3.101.112")),
            UnsupportedFormatError,
            "an algorithm that is not supported, or not with its key (1.3.101.112)",
        ),
        (
            lambda m: _broken(m, digest_algorithm=replace(m.signers[0].digest_algorithm, oid="1.2.3")),
            UnsupportedFormatError,
            "a digest algorithm that is not supported (1.2.3)",
        ),
        (
            lambda m: replace(m, digest_algorithms=()),
            VerificationError,
            "a digest algorithm that it does not announce",
        ),
        (
            lambda m: _with_unsigned(m, Attribute(COUNTERSIGNATURE, (sequence(),))),
            VerificationError,
            "PKCS #9 countersignature",
        ),
        (
            lambda m: _with_unsigned(m, Attribute(TIMESTAMP, (sequence(), sequence()))),
            UnsupportedFormatError,
            "has 2 timestamps",
        ),
        (
            lambda m: _with_unsigned(m, Attribute(TIMESTAMP, (sequence(),))),
            VerificationError,
            "the timestamp token is",
        ),
        (lambda m: m.encode() + b"garbage", VerificationError, "data behind the signature"),
        (lambda m: m.encode() + bytes(8), VerificationError, "data behind the signature"),
        (lambda _: b"garbage!", VerificationError, "the signature is malformed"),
    ],
)
def test_messages_that_are_not_as_they_should_be(
    tmp_path: Path, change: object, error: type[SignPathError], words: str
) -> None:
    assert callable(change)
    path = write_pe(tmp_path / "a.exe", lambda digest: change(sign_image(digest, code_signer())))
    failure = _failure(path)
    assert type(failure) is error
    assert words in failure.message


def test_nested_signatures_are_judged_too(tmp_path: Path) -> None:
    second = issue("Second", root(), usages=[CODE_SIGNING])
    wrong = issue("Wrong", root(), usages=[TIMESTAMPING])

    def message(nested: Identity, *, twice: bool = False) -> Path:
        def make(digest: bytes) -> SignedData:
            inner = sign_image(digest, nested)
            if twice:
                inner = _with_unsigned(inner, Attribute(NESTED_SIGNATURE, (sign_image(digest, nested).encode(),)))
            return _with_unsigned(sign_image(digest, code_signer()), Attribute(NESTED_SIGNATURE, (inner.encode(),)))

        return write_pe(tmp_path / "nested.exe", make)

    verdicts = verify_file(message(second), unsigned=LAUNCHERS["x64"], clock=CLOCK)
    assert [v.signer.subject for v in verdicts] == ["CN=Code Signer", "CN=Second"]
    assert "not for code signing" in _failure(message(wrong)).message
    many = write_pe(
        tmp_path / "many.exe",
        lambda digest: _with_unsigned(
            sign_image(digest, code_signer()), Attribute(NESTED_SIGNATURE, tuple(integer(n) for n in range(9)))
        ),
    )
    assert "has 9 signatures nested in it" in _failure(many).message
    assert "further signatures nested" in _failure(message(second, twice=True)).message


def test_as_many_nested_signatures_as_anybody_needs(tmp_path: Path) -> None:
    def message(digest: bytes) -> SignedData:
        nested = Attribute(NESTED_SIGNATURE, tuple(sign_image(digest, code_signer()).encode() for _ in range(8)))
        return _with_unsigned(sign_image(digest, code_signer()), nested)

    assert len(verify_file(write_pe(tmp_path / "a.exe", message), clock=CLOCK)) == 9


def test_an_attribute_twice(tmp_path: Path) -> None:
    def message(digest: bytes) -> SignedData:
        good = sign_image(digest, code_signer())
        repeated = tuple(a for a in good.signers[0].signed_attributes if a.oid == MESSAGE_DIGEST)
        return sign_image(digest, code_signer(), further=repeated)

    assert "not exactly one value" in _failure(write_pe(tmp_path / "a.exe", message)).message


@needs_osslsigncode
@pytest.mark.parametrize("key", ["rsa", "ec"])
@pytest.mark.parametrize("architecture", sorted(LAUNCHERS))
def test_files_that_osslsigncode_signed(tmp_path: Path, architecture: str, key: str) -> None:
    signer = issue("Tool", root(), key=rsa_key() if key == "rsa" else None, usages=[CODE_SIGNING])
    (tmp_path / "key.pem").write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "certificates.pem").write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    signed = tmp_path / "signed.exe"
    run(
        *("osslsigncode", "sign", "-certs", tmp_path / "certificates.pem", "-key", tmp_path / "key.pem"),
        *("-h", "sha256", "-ph", "-n", "A program", "-in", LAUNCHERS[architecture], "-out", signed),
    )
    (verdict,) = verify_file(
        signed,
        unsigned=LAUNCHERS[architecture],
        expectations=Expectations(trust_roots=_pem(tmp_path, root())),
        clock=CLOCK,
    )
    assert (verdict.signer.subject, verdict.trust, verdict.identity) == ("CN=Tool", "root", "same")


@needs_osslsigncode
def test_signatures_that_osslsigncode_nested(tmp_path: Path) -> None:
    second = issue("Second", root(), usages=[CODE_SIGNING])
    certificate, key, nested = (tmp_path / name for name in ("certificate.pem", "key.pem", "nested.exe"))
    certificate.write_bytes(second.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(second.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    run(
        *("osslsigncode", "sign", "-nest", "-certs", certificate, "-key", key, "-h", "sha384"),
        *("-in", _sandbox_signed(tmp_path), "-out", nested),
    )
    verdicts = verify_file(nested, unsigned=LAUNCHERS["x64"], clock=CLOCK)
    assert [(v.signer.subject[:15], v.digest_algorithm, v.timestamp is None) for v in verdicts] == [
        ("CN=Code Signing", "sha256", False),
        ("CN=Second", "sha384", True),
    ]
