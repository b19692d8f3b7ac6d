"""The certificate in an answer of SignPath, whichever form it has."""

from __future__ import annotations

import base64
import hashlib
import json
from itertools import count

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signpath_ci.errors import UnexpectedAnswerError
from signpath_ci.verify.stated import stated_thumbprint
from tests.support.signing import code_signer, der, root, timestamper

SIGNER = der(code_signer().certificate)
BASE64 = base64.b64encode(SIGNER).decode()
PEM = code_signer().certificate.public_bytes(Encoding.PEM)
CHAIN = root().certificate.public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "answer",
    [
        SIGNER,
        PEM,
        b"\xef\xbb\xbf" + PEM,
        b"Subject: someone\n" + PEM,
        PEM + CHAIN,
        CHAIN + PEM,
        BASE64.encode(),
        json.dumps(BASE64).encode(),
        json.dumps({"certificate": BASE64}).encode(),
        json.dumps(
            {
                "name": "policy",
                "x509": {"chain": [base64.b64encode(der(root().certificate)).decode()]},
                "certificate": PEM.decode(),
            }
        ).encode(),
        json.dumps({"a": BASE64, "b": BASE64}).encode(),
    ],
)
def test_every_form_gives_the_signer(answer: bytes) -> None:
    assert stated_thumbprint(answer) == hashlib.sha256(SIGNER).hexdigest()


def test_a_certificate_alone_is_taken_though_it_is_an_authority_s() -> None:
    assert stated_thumbprint(CHAIN) == hashlib.sha256(der(root().certificate)).hexdigest()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b"null",
        b"{",
        b"[" * 100_000,
        SIGNER + b"\0",
        SIGNER[:-1],
        b"\xff\xfe",
        json.dumps({"thumbprint": hashlib.sha256(SIGNER).hexdigest()}).encode(),
        PEM + timestamper().certificate.public_bytes(Encoding.PEM),
        json.dumps([BASE64, base64.b64encode(der(timestamper().certificate)).decode()]).encode(),
        json.dumps([BASE64, *["x"] * 1000]).encode(),
    ],
    ids=count(),
)
def test_what_leaves_open_who_signs_is_refused(answer: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError):
        stated_thumbprint(answer)
