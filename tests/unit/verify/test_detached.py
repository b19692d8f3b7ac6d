"""Signatures beside their file, without another tool: how they may be written down, and what is hashed."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.model import STRONG_DIGESTS, Expectations
from signpath_ci.verify.detached import digester, verify_cms, verify_raw
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements
from signpath_ci.verify.trust import Trust
from tests.support.signing import CODE_SIGNING, NOW, Identity, code_signer, issue, root, rsa_key
from tests.unit.verify.matrix.formats import FORMATS
from tests.unit.verify.matrix.judging import pem

CMS = next(f for f in FORMATS if f.name == "cms")
CONTENT = CMS.files[""]
BODY = base64.encodebytes(CMS.signed()).replace(b"\n", b"\r\n")
LINES = BODY.replace(b"\r", b"")


def _verify(signature: bytes) -> Signature:
    return verify_cms(io.BytesIO(signature), io.BytesIO(CONTENT), SignerRequirements(trust=Trust(), now=NOW))


@pytest.mark.parametrize(
    "signature",
    [
        b"-----BEGIN CMS-----\n" + LINES + b"-----END CMS-----\n",
        b"-----BEGIN PKCS7-----\r\n" + BODY + b"-----END PKCS7-----\r\n\r\n",
        b"-----BEGIN CMS-----\n" + LINES + b"-----END CMS-----",
    ],
)
def test_pem_is_as_good_as_der(signature: bytes) -> None:
    expected = _verify(CMS.signed())
    read = _verify(signature)
    assert (read.format, read.signer, read.trust) == ("cms", expected.signer, "not-checked")
    assert (read.digest_algorithm, read.content_digest) == ("sha256", hashlib.sha256(CONTENT).hexdigest())


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (b"-----BEGIN CMS-----\n" + LINES + b"-----END PKCS7-----\n", "the signature is malformed"),
        (b"-----BEGIN CERTIFICATE-----\n" + LINES + b"-----END CERTIFICATE-----\n", "the signature is malformed"),
        (b"-----BEGIN CMS-----\n" + LINES + b"-----END CMS-----\nmore", "the signature is malformed"),
        (b"-----BEGIN CMS-----\n" + LINES, "the signature is malformed"),
        (b"-----BEGIN CMS-----\nMIIxA\n-----END CMS-----\n", "it is not PEM"),
        (CMS.signed() + b"\n", "the signature is malformed"),
        (bytes(1 << 20), "the signature is malformed"),
    ],
)
def test_what_is_neither_der_nor_pem(signature: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        _verify(signature)


def test_more_than_a_mebibyte_is_no_signature() -> None:
    with pytest.raises(UnsupportedError, match="too big for a detached signature"):
        _verify(bytes((1 << 20) + 1))


def test_a_signature_is_read_from_its_start() -> None:
    file = io.BytesIO(CMS.signed())
    file.seek(0, io.SEEK_END)
    verify_cms(file, io.BytesIO(CONTENT), SignerRequirements(trust=Trust(), now=NOW))


def test_a_file_is_hashed_from_its_start_each_time() -> None:
    data = bytes(range(256)) * 5000  # more than is read at once
    file = io.BytesIO(data)
    file.seek(100)
    digest = digester(file)
    assert [digest(name) for name in STRONG_DIGESTS] == [hashlib.new(name, data).digest() for name in STRONG_DIGESTS]


def _raw(signer: Identity, digest: str, directory: Path, *, allowed: set[str], salt: int | None = None) -> Signature:
    algorithm = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[digest]
    if isinstance(signer.key, ec.EllipticCurvePrivateKey):
        value = signer.key.sign(CONTENT, ec.ECDSA(algorithm))
    else:
        scheme = padding.PKCS1v15() if salt is None else padding.PSS(padding.MGF1(algorithm), salt)
        value = signer.key.sign(CONTENT, scheme, algorithm)
    expectations = Expectations(
        signer_certificate=pem(directory / "signer.pem", signer),
        trust_roots=(pem(directory / "root.pem", root()),),
        digest_algorithms=frozenset(allowed),
    )
    judge = SignerRequirements(trust=Trust.load(expectations), now=NOW)
    return verify_raw(io.BytesIO(value), io.BytesIO(CONTENT), judge)


@pytest.mark.parametrize("digest", STRONG_DIGESTS)
def test_raw_signatures_with_the_allowed_digests_only(tmp_path: Path, digest: str) -> None:
    judged = _raw(code_signer(), digest, tmp_path, allowed={digest})
    assert (judged.format, judged.signer.subject, judged.timestamp) == ("raw", "CN=Code Signer", None)
    assert (judged.digest_algorithm, judged.content_digest) == (digest, hashlib.new(digest, CONTENT).hexdigest())
    with pytest.raises(VerificationError, match="does not match the file and the signer's certificate"):
        _raw(code_signer(), digest, tmp_path, allowed=set(STRONG_DIGESTS) - {digest})


def test_raw_signatures_of_rsa(tmp_path: Path) -> None:
    signer = issue("RSA", issue("CA", root(), is_ca=True), key=rsa_key(), usages=[CODE_SIGNING])
    for salt in (None, 20, 32):
        assert _raw(signer, "sha256", tmp_path, allowed={"sha256"}, salt=salt).trust == "root"
