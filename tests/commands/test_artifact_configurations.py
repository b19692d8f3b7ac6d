"""Projects with an artifact configuration: the sandbox carries it out, refuses what does not fit, and records it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from signpath_ci.sandbox.child import running_sandbox
from tests.support import http
from tests.support.configurations import SIGN, document
from tests.support.pe import LAUNCHERS
from tests.support.program import Program, job_environment, sandbox_root

EXE = LAUNCHERS["x64"].read_bytes()
PARAMETER = '<parameters><parameter name="name" required="true"/></parameters>'
TWO_OF_FIVE = document(
    f'{PARAMETER}<zip-file><pe-file path="${{name}}.exe">{SIGN}</pe-file>'
    f'<directory path="lib"><pe-file path="c.dll">{SIGN}</pe-file></directory></zip-file>'
)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A sandbox of its own: its configurations are changed."""
    state = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(["--processing-seconds", "0", "--state", str(state)]) as sandbox:
        yield sandbox


@pytest.fixture
def job(said: dict[str, Any], tmp_path: Path) -> Program:
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for name in ("app.exe", "b.exe", "lib/c.dll", "lib/d.dll", "e.exe"):
            archive.writestr(name, EXE)
    return Program(tmp_path, job_environment(said))


def put(said: dict[str, Any], text: str, slug: str = "initial", **more: Any) -> requests.Response:
    url = f"{sandbox_root(said)}/sandbox/projects/{said['project_slug']}/artifact-configurations/{slug}"
    return http.request("PUT", url, data=text.encode(), timeout=10, **more)


def requests_of(said: dict[str, Any]) -> list[dict[str, Any]]:
    return list(http.get(f"{sandbox_root(said)}/sandbox/requests", timeout=10).json())


def test_two_of_five_programs_are_signed_and_recorded(said: dict[str, Any], job: Program) -> None:
    assert put(said, TWO_OF_FIVE).status_code == 204

    signed = job("sign", "app.zip", "--parameter", "name=app", "-o", "out.zip", "--verify", "off", "--json")

    assert signed.code == 0, signed.err
    verified = job("verify", "out.zip", "--unsigned", "app.zip", "--json")
    judged = {one["member"]: one.get("signer") is not None for one in verified.json["verdicts"]}
    assert {name for name, is_signed in judged.items() if is_signed} == {"app.exe", "lib/c.dll"}
    request_id = signed.json["signing_request_id"]
    url = f"{said['api_url']}/v1/{said['organization_id']}/SigningRequests/{request_id}/ArtifactDescriptionXml"
    answer = http.get(url, headers={"Authorization": f"Bearer {said['api_token']}"}, timeout=10)
    assert answer.status_code == 200
    assert answer.text.count('<authenticode-sign result="signed"') == 2
    assert '<pe-file path="app.exe">' in answer.text
    assert "b.exe" not in answer.text


def test_artifact_that_does_not_fit_fails_in_processing(said: dict[str, Any], job: Program) -> None:
    put(said, TWO_OF_FIVE)

    failed = job("sign", "app.zip", "--parameter", "name=other", "-o", "out.zip", "--json")

    assert failed.code == 4
    (request,) = [one for one in requests_of(said) if one["id"] == failed.json["signing_request_id"]]
    assert request["workflow_status"] == "ProcessingFailed"
    assert "Expected path to match exactly 1 item, but found 0" in request["failure"]
    assert "as specified in line 1, position " in request["failure"]


@pytest.mark.parametrize("parameters", [[], ["--parameter", "name=app", "--parameter", "more=x"]])
def test_wrong_parameters_are_refused_at_the_submit(said: dict[str, Any], job: Program, parameters: list[str]) -> None:
    put(said, TWO_OF_FIVE)
    refused = job("sign", "app.zip", "-o", "out.zip", *parameters)
    assert (refused.code, refused.error_code) == (3, "request-invalid")


def test_check_and_the_sandbox_agree(said: dict[str, Any], job: Program) -> None:
    (job.directory / "x.xml").write_text(TWO_OF_FIVE)
    put(said, TWO_OF_FIVE)
    for name, code in (("app", 0), ("other", 9)):
        checked = job("check", "app.zip", "--artifact-configuration-file", "x.xml", "--parameter", f"name={name}")
        assert checked.code == code


def test_configuration_can_be_read_and_replaced(said: dict[str, Any]) -> None:
    assert put(said, TWO_OF_FIVE).status_code == 204
    url = f"{sandbox_root(said)}/sandbox/projects/{said['project_slug']}/artifact-configurations/initial"
    assert http.get(url, timeout=10).text == TWO_OF_FIVE

    invalid = put(said, document('<zip-file><pe-fil path="x"/></zip-file>'))
    assert invalid.status_code == 400
    assert "pe-file" in invalid.text
    assert http.get(url, timeout=10).text == TWO_OF_FIVE
    assert put(said, TWO_OF_FIVE, slug="nothing").status_code == 404
    assert put(said, " " * (1 << 20) + TWO_OF_FIVE).status_code == 413
    assert put(said, TWO_OF_FIVE, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_receipt_and_result_have_the_sha256_of_the_copy(said: dict[str, Any], job: Program) -> None:
    put(said, TWO_OF_FIVE)
    copy = job.directory / ".signpath" / "artifact-configurations" / "default.xml"
    copy.parent.mkdir(parents=True)
    copy.write_text(TWO_OF_FIVE)
    sha256 = hashlib.sha256(copy.read_bytes()).hexdigest()

    signed = job(
        *("sign", "app.zip", "--parameter", "name=app", "-o", "out.zip"),
        *("--verify", "off", "--json", "--receipt", "receipt.json"),
    )

    assert signed.code == 0, signed.err
    assert signed.json["artifact_configuration_sha256"] == sha256
    receipt = json.loads((job.directory / "receipt.json").read_text())
    assert receipt["artifact_configuration_sha256"] == sha256
