from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.asn1 import Fields, explicit, integer, object_identifier, octet_string, sequence, wrapped
from signpath_ci.formats.cms import Algorithm, SignedData, read_signed_data
from signpath_ci.model import STRONG_DIGESTS
from signpath_ci.verify.signed_data import VerifiedSigner, verify_signer
from tests.support.oracles import needs_openssl, run
from tests.support.signing import CODE_SIGNING, NOW, Identity, code_signer, der, issue, root, rsa_key, sign_cms

DATA = "1.2.840.113549.1.7.1"
CONTENT = octet_string(b"content")


def _verify(message: SignedData, content_type: str = DATA) -> VerifiedSigner:
    return verify_signer(message, content_type=content_type, what="the signature")


def _rsa() -> Identity:
    return issue("RSA", root(), key=rsa_key(), usages=[CODE_SIGNING])


@pytest.mark.parametrize("scheme", ["", "bare"])
@pytest.mark.parametrize("digest", ["sha256", "sha384"])
def test_ecdsa(scheme: str, digest: str) -> None:
    message = sign_cms(code_signer(), DATA, CONTENT, digest=digest, scheme=scheme)
    assert _verify(message) == VerifiedSigner(
        message=message,
        info=message.signers[0],
        certificate=code_signer().certificate,
        embedded=(),
        digest_algorithm=digest,
        signature_digest=digest,
    )


@pytest.mark.parametrize("scheme", ["rsa", "rsa-digest", "pss"])
def test_rsa(scheme: str) -> None:
    assert _verify(sign_cms(_rsa(), DATA, CONTENT, scheme=scheme)).certificate.subject == _rsa().certificate.subject


def _changed(message: SignedData, algorithm: Algorithm) -> SignedData:
    return replace(message, signers=(replace(message.signers[0], signature_algorithm=algorithm),))


def _pss(digest: str, mask: str = "1.2.840.113549.1.1.8", salt: int = 32) -> Algorithm:
    algorithm = Algorithm.digest(digest).encode()
    parameters = (
        wrapped(explicit(0), algorithm),
        wrapped(explicit(1), sequence(object_identifier(mask), algorithm)),
        wrapped(explicit(2), integer(salt)),
    )
    return Algorithm("1.2.840.113549.1.1.10", sequence(*parameters))


@pytest.mark.parametrize(
    ("algorithm", "error", "words"),
    [
        (Algorithm("1.2.840.10045.4.3.2"), UnsupportedError, "not with its key (1.2.840.10045.4.3.2)"),
        (Algorithm("1.2.840.113549.1.1.5"), VerificationError, "uses SHA1, which is broken"),
        (Algorithm("1.2.840.113549.1.1.4"), VerificationError, "uses MD5, which is broken"),
        (Algorithm("1.2.840.113549.1.1.13"), VerificationError, "the signature is not its signer's"),
        (Algorithm("1.2.840.113549.1.1.10"), FormatError, "PSS parameters of the signature is malformed"),
        (Algorithm("1.2.840.113549.1.1.10", sequence()), VerificationError, "uses SHA1, which is broken"),
        (_pss("sha1"), VerificationError, "uses SHA1, which is broken"),
        (_pss("sha384"), VerificationError, "the signature is not its signer's"),
        (_pss("sha256", mask="1.2.3"), UnsupportedError, "PSS parameters that are not supported"),
        (_pss("sha256", salt=-1), UnsupportedError, "PSS parameters that are not supported"),
        (_pss("sha256", salt=1024), VerificationError, "the signature is not its signer's"),
        (_pss("sha256", salt=1025), UnsupportedError, "PSS parameters that are not supported"),
        (_pss("sha256", salt=1 << 70), UnsupportedError, "PSS parameters that are not supported"),
    ],
)
def test_algorithms_that_do_not_fit(algorithm: Algorithm, error: type[Exception], words: str) -> None:
    message = _changed(sign_cms(_rsa(), DATA, CONTENT, scheme="pss"), algorithm)
    with pytest.raises(error) as caught:
        _verify(message)
    assert words in str(caught.value)


@pytest.mark.parametrize(("salt", "is_named"), [(0, True), (1, True), (20, False)])
def test_any_salt_of_pss(salt: int, is_named: bool) -> None:
    message = sign_cms(_rsa(), DATA, CONTENT, scheme="pss")
    (info,) = message.signers
    value = rsa_key().sign(info.signed_bytes or b"", padding.PSS(padding.MGF1(SHA256()), salt), SHA256())
    algorithm = _pss("sha256", salt=salt)
    if not is_named:  # RFC 4055 section 3.1: 20 is the default
        named = Fields(algorithm.parameters or b"")
        algorithm = replace(algorithm, parameters=sequence(named.take(), named.take()))
    _verify(replace(message, signers=(replace(info, signature=value, signature_algorithm=algorithm),)))


def test_a_signer_named_by_its_key() -> None:
    message = sign_cms(code_signer(), DATA, CONTENT)
    (info,) = message.signers

    def named(key: bytes) -> SignedData:
        return replace(
            message,
            signers=(replace(info, issuer=None, serial_number=None, key_identifier=key),),
            certificates=(der(_without_identifier()), *root().encodings, *message.certificates),
        )

    key = x509.SubjectKeyIdentifier.from_public_key(code_signer().key.public_key()).digest
    assert _verify(named(key)) == VerifiedSigner(
        message=named(key),
        info=named(key).signers[0],
        certificate=code_signer().certificate,
        embedded=(_without_identifier(), root().certificate),
        digest_algorithm="sha256",
        signature_digest="sha256",
    )
    with pytest.raises(VerificationError, match="does not bring its signer's certificate along"):
        _verify(named(key[:-1]))


@cache
def _without_identifier() -> x509.Certificate:
    name = x509.Name([])
    return x509.CertificateBuilder(name, name, code_signer().key.public_key(), 1, NOW, NOW).sign(
        code_signer().key, SHA256()
    )


_NAMING = {
    "rsa": {"1.2.840.113549.1.1.11": "sha256", "1.2.840.113549.1.1.12": "sha384", "1.2.840.113549.1.1.13": "sha512"},
    "ec": {"1.2.840.10045.4.3.2": "sha256", "1.2.840.10045.4.3.3": "sha384", "1.2.840.10045.4.3.4": "sha512"},
}


@pytest.mark.parametrize("digest", STRONG_DIGESTS)
@pytest.mark.parametrize("kind", _NAMING)
def test_each_algorithm_stands_for_its_digest(kind: str, digest: str) -> None:
    message = sign_cms(_rsa() if kind == "rsa" else code_signer(), DATA, CONTENT, digest=digest)
    for oid, named in _NAMING[kind].items():
        changed = _changed(message, Algorithm(oid))
        if named == digest:
            assert _verify(changed).digest_algorithm == digest
        else:
            with pytest.raises(VerificationError, match="the signature is not its signer's"):
                _verify(changed)


def test_the_signature_s_own_digest_is_the_one_that_it_is_of() -> None:
    # The attributes hold the content's digest by one algorithm; the signature over them is by another.
    message = sign_cms(_rsa(), DATA, CONTENT, digest="sha256")
    (info,) = message.signers
    for scheme, algorithm in (
        (padding.PKCS1v15(), Algorithm("1.2.840.113549.1.1.13")),
        (padding.PSS(padding.MGF1(SHA512()), 32), _pss("sha512")),
    ):
        value = rsa_key().sign(info.signed_bytes or b"", scheme, SHA512())
        changed = replace(info, signature=value, signature_algorithm=algorithm)
        assert _verify(replace(message, signers=(changed,))).digest_algorithm == "sha256"


def test_a_key_of_another_kind_than_the_algorithm() -> None:
    message = _changed(sign_cms(code_signer(), DATA, CONTENT), Algorithm("1.2.840.113549.1.1.11"))
    with pytest.raises(UnsupportedError, match="not with its key"):
        _verify(message)


def _bare(algorithm: Algorithm, signed: bytes = b"content") -> SignedData:
    """Make a detached message without signed attributes, whose signature is of the content itself, by SHA-256."""
    message = sign_cms(_rsa(), DATA, CONTENT)
    info = replace(
        message.signers[0],
        signed_attributes=(),
        signed_bytes=None,
        signature_algorithm=algorithm,
        signature=rsa_key().sign(signed, padding.PKCS1v15(), SHA256()),
    )
    return replace(message, content=None, signers=(info,))


def _verify_detached(message: SignedData) -> VerifiedSigner:
    return verify_signer(
        message,
        content_type=DATA,
        what="the signature",
        detached=lambda algorithm: hashlib.new(algorithm, b"content").digest(),
    )


@pytest.mark.parametrize("oid", ["1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"])
def test_a_detached_signature_of_the_content_itself(oid: str) -> None:
    assert _verify_detached(_bare(Algorithm(oid))).digest_algorithm == "sha256"
    with pytest.raises(VerificationError, match="the signature is not its signer's"):
        _verify_detached(_bare(Algorithm(oid), signed=b"other"))


def test_a_signature_of_the_content_itself_has_one_digest() -> None:
    with pytest.raises(FormatError, match="the signature names two digest algorithms"):
        _verify_detached(_bare(Algorithm("1.2.840.113549.1.1.12")))


def test_detached_is_either_the_message_or_the_content() -> None:
    inside = sign_cms(_rsa(), DATA, CONTENT)
    assert _verify_detached(replace(inside, content=None)).digest_algorithm == "sha256"
    with pytest.raises(FormatError, match="the signature holds something else than it should"):
        _verify_detached(inside)
    with pytest.raises(FormatError, match="the signature holds something else than it should"):
        _verify(replace(inside, content=None))


def test_no_signed_attributes() -> None:
    message = sign_cms(code_signer(), DATA, CONTENT)
    bare = replace(message, signers=(replace(message.signers[0], signed_attributes=(), signed_bytes=None),))
    with pytest.raises(FormatError, match="lacks the signed attributes"):
        _verify(bare)


@needs_openssl
@pytest.mark.parametrize("options", [(), ("-keyid",)])
def test_messages_that_openssl_made(tmp_path: Path, options: tuple[str, ...]) -> None:
    signer = _rsa()
    files = {name: tmp_path / name for name in ("key.pem", "certificate.pem", "data", "message")}
    files["key.pem"].write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files["certificate.pem"].write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    files["data"].write_bytes(b"some data")
    run(
        *("openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-md", "sha256", *options),
        *("-in", files["data"], "-out", files["message"], "-outform", "DER"),
        *("-signer", files["certificate.pem"], "-inkey", files["key.pem"]),
    )
    message = read_signed_data(files["message"].read_bytes(), "it")
    assert message.content == octet_string(b"some data")
    assert _verify(message).certificate == signer.certificate
    stranger = replace(message, certificates=code_signer().encodings)
    with pytest.raises(VerificationError, match="does not bring its signer's certificate along"):
        _verify(stranger)


@needs_openssl
def test_openssl_accepts_what_we_write(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(root().certificate.public_bytes(Encoding.PEM))
    (tmp_path / "message").write_bytes(sign_cms(code_signer(), DATA, CONTENT).encode())
    words = run(
        *("openssl", "cms", "-verify", "-inform", "DER", "-in", tmp_path / "message", "-purpose", "any"),
        *("-attime", "1772366400", "-CAfile", tmp_path / "root.pem"),
    )
    assert words.startswith("content")
