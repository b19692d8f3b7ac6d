from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from signpath_ci.formats.asn1 import Fields, integer, object_identifier, octet_string, read_octet_string, sequence
from signpath_ci.formats.cms import Algorithm, Attribute, SignedData, read_signed_data
from signpath_ci.formats.tsp import TIMESTAMP, Imprint, TimestampInfo, read_info
from signpath_ci.model import Expectations, Timestamp
from signpath_ci.sandbox.pki import Authority
from signpath_ci.sandbox.tsa import RESPONSE_TYPE, respond, timestamp
from signpath_ci.verify import verify_file
from signpath_ci.verify.signed_data import verify_signer
from signpath_ci.verify.timestamp import verify_timestamp
from tests.support.archives import build_zip
from tests.support.oracles import needs_jarsigner, needs_openssl, needs_osslsigncode, osslsigncode_accepts, run
from tests.support.pe import LAUNCHERS
from tests.support.signing import NOW, authority, code_signer, sign_cms


def _info(token: SignedData) -> TimestampInfo:
    return read_info(read_octet_string(token.content or b""))


def _request(
    algorithm: str = "sha256", size: int = 32, policy: str | None = None, *, wants_certificate: bool = True
) -> bytes:
    return sequence(
        integer(1),
        Imprint(Algorithm.digest(algorithm), bytes(size)).encode(),
        None if policy is None else object_identifier(policy),
        integer(12345),
        b"\x01\x01\xff" if wants_certificate else None,
    )


def test_our_own_verifier_accepts_a_token() -> None:
    message = sign_cms(code_signer(), "1.2.3", octet_string(b"content"))
    (signature,) = message.signers
    token = timestamp(authority().timestamper, signature.signature, now=NOW)
    info = replace(signature, unsigned_attributes=(Attribute(TIMESTAMP, (token,)),))
    verified = verify_signer(replace(message, signers=(info,)), content_type="1.2.3", what="it")
    stamped = verify_timestamp(verified, roots=authority().timestamper.chain[-1:], now=NOW)
    assert stamped is not None
    assert stamped.timestamp == Timestamp(
        time=NOW, authority=authority().timestamper.certificate.subject.rfc4514_string()
    )


def test_serial_numbers_are_unique() -> None:
    tokens = [timestamp(authority().timestamper, b"data", now=NOW) for _ in range(20)]
    assert len({_info(read_signed_data(token, "it")).serial_number for token in tokens}) == 20


@pytest.mark.parametrize(("algorithm", "size"), [("sha256", 32), ("sha384", 48), ("sha512", 64)])
def test_a_response_answers_its_request(algorithm: str, size: int) -> None:
    response = Fields(respond(authority().timestamper, _request(algorithm, size), now=NOW))
    assert response.take() == sequence(integer(0))
    token = read_signed_data(response.take(), "it")
    info = _info(token)
    assert (info.nonce, info.time, info.imprint) == (12345, NOW, Imprint(Algorithm.digest(algorithm), bytes(size)))
    assert len(token.certificates) == 2


def test_certificates_only_where_they_are_wanted() -> None:
    response = Fields(respond(authority().timestamper, _request(wants_certificate=False), now=NOW))
    response.take()
    assert read_signed_data(response.take(), "it").certificates == ()


@pytest.mark.parametrize(
    ("request_", "bits"),
    [
        (b"no request", "03020204"),  # badDataFormat (5)
        (_request(size=20), "03020204"),
        (_request("sha1", 20), "03020780"),  # badAlg (0)
        (_request(policy="1.2.3"), "0303000001"),  # unacceptedPolicy (15)
    ],
)
def test_refusals(request_: bytes, bits: str) -> None:
    assert respond(authority().timestamper, request_, now=NOW) == sequence(sequence(integer(2), bytes.fromhex(bits)))


@needs_openssl
def test_openssl_accepts_responses(tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)  # the tool's own clock decides
    ours = Authority.open(tmp_path / "ca", now=now)
    data, query, reply = tmp_path / "data", tmp_path / "data.tsq", tmp_path / "data.tsr"
    data.write_bytes(b"some data")
    run("openssl", "ts", "-query", "-data", data, "-sha512", "-cert", "-tspolicy", "2.999.1", "-out", query)
    reply.write_bytes(respond(ours.timestamper, query.read_bytes(), now=now))
    words = run("openssl", "ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", ours.trust_root)
    assert "Verification: OK" in words


class _Endpoint(BaseHTTPRequestHandler):
    """A timestamp authority over HTTP (RFC 3161 section 3.4)."""

    ours: Authority

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"]))
        response = respond(self.ours.timestamper, request, now=datetime.now(timezone.utc))
        self.send_response(200)
        self.send_header("Content-Type", RESPONSE_TYPE)
        self.send_header("Content-Length", str(len(response)))
        self.end_headers()
        self.wfile.write(response)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Authority, str]]:
    ours = Authority.open(tmp_path / "ca", now=datetime.now(timezone.utc))
    endpoint = type("Endpoint", (_Endpoint,), {"ours": ours})
    with HTTPServer(("127.0.0.1", 0), endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield ours, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@needs_osslsigncode
def test_osslsigncode_uses_it(tmp_path: Path, served: tuple[Authority, str]) -> None:
    ours, url = served
    ours.code_signer("tool")
    ca, signed = tmp_path / "ca", tmp_path / "signed.exe"
    chain = tmp_path / "chain.pem"
    chain.write_bytes((ca / "code-signing-tool.pem").read_bytes() + (ca / "code-signing-ca.pem").read_bytes())
    run(
        *("osslsigncode", "sign", "-certs", chain, "-key", ca / "code-signing-tool.key", "-h", "sha256"),
        *("-ts", url, "-in", LAUNCHERS["x64"], "-out", signed),
    )
    osslsigncode_accepts(signed, root=ours.trust_root)
    expectations = Expectations(trust_roots=(ours.trust_root,))
    (verdict,) = verify_file(signed, unsigned=LAUNCHERS["x64"], expectations=expectations)
    assert verdict.timestamp is not None
    assert "Timestamp Authority" in verdict.timestamp.authority


@needs_jarsigner
@needs_openssl
def test_jarsigner_uses_it(tmp_path: Path, served: tuple[Authority, str]) -> None:
    ours, url = served
    ours.code_signer("tool")
    ca, jar, store = tmp_path / "ca", tmp_path / "a.jar", tmp_path / "keys.p12"
    jar.write_bytes(build_zip({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n", "data": b"data"}))
    chain = tmp_path / "chain.pem"
    chain.write_bytes((ca / "code-signing-ca.pem").read_bytes() + ours.trust_root.read_bytes())
    run(
        *("openssl", "pkcs12", "-export", "-inkey", ca / "code-signing-tool.key", "-in", ca / "code-signing-tool.pem"),
        *("-certfile", chain, "-name", "tool", "-passout", "pass:secret", "-out", store),
    )
    words = run(
        *("jarsigner", "-J-Duser.language=en", "-keystore", store, "-storepass", "secret", "-tsa", url, jar, "tool")
    )
    assert "jar signed." in words
    verified = run("jarsigner", "-J-Duser.language=en", "-verify", "-verbose", "-certs", jar)
    assert "Timestamp Authority" in verified
    assert "jar verified." in verified
