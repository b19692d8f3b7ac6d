"""The signer where nobody is trusted by name: the certificate that SignPath states for the signing policy."""

from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.support.program import Program, RequestsOf, Sandbox
from tests.support.servers import Answer, forwarding, serving
from tests.support.signing import code_signer, der

_REQUEST, _POLICY = "X509Certificate", "Certificate"


def _answering(sandbox: Sandbox, answers: dict[str, tuple[int, bytes]], asked: list[str]) -> Answer:
    """Pass everything on to the sandbox, but the calls whose path ends in one of `answers`."""

    def special(handler: BaseHTTPRequestHandler, _: bytes) -> bool:
        last = handler.path.rpartition("/")[2]
        if last in {_REQUEST, _POLICY}:
            asked.append(last)
        if last not in answers:
            return False
        status, body = answers[last]
        handler.send_response(status)
        handler.send_header("Content-Type", "application/octet-stream")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return forwarding(sandbox["api_url"], special)


def test_a_plain_run_checks_the_signer_that_signpath_states(program: Program, executable: Path) -> None:
    finished = program("sign", executable, "--json", SIGNPATH_TRUST_ROOT="")

    assert finished.code == 0, finished.err
    [verdict] = finished.json["verification"]["verdicts"]
    assert (verdict["trust"], verdict["stated_by"], verdict["identity"]) == ("stated", "test-signing", "same")
    assert "signed by the certificate of policy test-signing, as SignPath states" in finished.err
    assert "signer is not checked" not in finished.err


def test_an_earlier_request_has_its_own_policy_stated(program: Program, executable: Path) -> None:
    submitted = program("submit", executable, "--json", "--receipt", "receipt.json")
    assert submitted.code == 0, submitted.err

    finished = program("download", "receipt.json", "--json", SIGNPATH_TRUST_ROOT="", SIGNPATH_SIGNING_POLICY_SLUG="")

    assert finished.code == 0, finished.err
    [verdict] = finished.json["verification"]["verdicts"]
    assert (verdict["trust"], verdict["stated_by"]) == ("stated", "test-signing")


def test_a_signature_by_another_certificate_is_refused(program: Program, sandbox: Sandbox, executable: Path) -> None:
    answers = {_REQUEST: (200, der(code_signer().certificate))}
    with serving(_answering(sandbox, answers, [])) as url:
        finished = program("sign", executable, SIGNPATH_TRUST_ROOT="", SIGNPATH_API_URL=f"{url}/Api")

    assert (finished.code, finished.error_code) == (7, "unexpected-signer")
    assert not executable.with_name("app.signed.exe").exists()


@pytest.mark.parametrize("status", [404, 403, 405, 200])
def test_the_policy_is_asked_where_the_request_does_not_tell(
    program: Program, sandbox: Sandbox, executable: Path, status: int
) -> None:
    asked: list[str] = []
    with serving(_answering(sandbox, {_REQUEST: (status, b"<html>Sign in</html>")}, asked)) as url:
        finished = program("sign", executable, "--json", SIGNPATH_TRUST_ROOT="", SIGNPATH_API_URL=f"{url}/Api")

    assert finished.code == 0, finished.err
    assert asked == [_REQUEST, _POLICY]
    assert finished.json["verification"]["verdicts"][0]["trust"] == "stated"


@pytest.mark.parametrize("answer", [(404, b""), (403, b"{}"), (200, b'{"thumbprint": "00"}'), (200, b"\x30\x82")])
def test_a_certificate_that_is_not_to_be_had_is_a_warning(
    program: Program, sandbox: Sandbox, executable: Path, answer: tuple[int, bytes]
) -> None:
    with serving(_answering(sandbox, {_REQUEST: answer, _POLICY: answer}, [])) as url:
        finished = program("sign", executable, "--json", SIGNPATH_TRUST_ROOT="", SIGNPATH_API_URL=f"{url}/Api")

    assert finished.code == 0, finished.err
    verdict = finished.json["verification"]["verdicts"][0]
    assert (verdict["trust"], verdict["stated_by"]) == ("not-checked", None)
    assert "warning: The signer is not checked" in finished.err


def test_whoever_names_a_root_or_switches_verification_off_asks_nobody(
    program: Program, sandbox: Sandbox, executable: Path
) -> None:
    asked: list[str] = []
    with serving(_answering(sandbox, {}, asked)) as url:
        rooted = program("sign", executable, SIGNPATH_API_URL=f"{url}/Api")
        off = program(
            "sign", executable, "--force", "--verify", "off", SIGNPATH_TRUST_ROOT="", SIGNPATH_API_URL=f"{url}/Api"
        )

    assert (rooted.code, off.code, asked) == (0, 0, [])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "unreadable-file"),
        (b"no certificate", "invalid-certificate-file"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "invalid-certificate-file"),
    ],
)
@pytest.mark.parametrize("option", ["--trust-root", "--signer-certificate"])
def test_certificate_files_are_read_before_anything_is_submitted(
    program: Program, executable: Path, requests_of: RequestsOf, option: str, content: bytes | None, code: str
) -> None:
    if content is not None:
        (program.directory / "root.pem").write_bytes(content)

    finished = program("sign", executable, option, "root.pem", SIGNPATH_TRUST_ROOT="")

    assert finished.error_code == code
    assert requests_of(hashlib.sha256(executable.read_bytes()).hexdigest()) == []
