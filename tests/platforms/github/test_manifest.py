"""The manifest of the checkout says what no input says; what an input says goes."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.platforms.github.act import OURS, REF, Repository, Result
from tests.platforms.github.workflows import TOKENS, use, workflow
from tests.platforms.sandboxes import known_request, write_manifest
from tests.support.needs import needs

pytestmark = needs("act")
Sandbox = dict[str, Any]


def _run(repository: Repository, sandbox: Sandbox, **given: str) -> Result:
    step = {
        "id": "it",
        "uses": f"{OURS}/actions/submit-signing-request@{REF}",
        "with": {"api-url": sandbox["api_url"], "api-token": "${{ vars.API_TOKEN }}", **given},
    }
    return repository.run(workflow(step), variables=TOKENS)


def _write(repository: Repository, sandbox: Sandbox, **more: object) -> None:
    write_manifest(
        repository.directory,
        organization=sandbox["organization_id"],
        project="app",
        policy=["branch main: test-signing"],
        artifacts=["app.exe"],
        verify={"trust-roots": [sandbox["trust_root"]]},
        **more,
    )


def test_the_manifest_says_what_no_input_says(repository: Repository, sandbox: Sandbox) -> None:
    _write(
        repository, sandbox, parameters={"Version": "1"}, wait={"for-completion": False}, output={"receipt": "r.json"}
    )

    result = _run(repository, sandbox)

    assert result.code == 0, result.log
    request = known_request(sandbox, result.json("outputs")["signing-request-id"])
    assert (request["signing_policy_slug"], request["parameters"]) == ("test-signing", {"Version": "1"})
    assert result.json("outputs")["signed-artifact-path"] == ""
    assert (result.record / "workspace" / "r.json").exists()


def test_an_input_wins_over_the_manifest(repository: Repository, sandbox: Sandbox) -> None:
    _write(repository, sandbox, description="by the manifest", wait={"for-completion": True, "timeout": "1h"})

    result = _run(
        repository,
        sandbox,
        **{"signing-policy-slug": "approved-signing", "description": "by the input", "wait-for-completion": "false"},
    )

    assert result.code == 0, result.log
    request = known_request(sandbox, result.json("outputs")["signing-request-id"])
    assert (request["signing_policy_slug"], request["description"]) == ("approved-signing", "by the input")
    assert request["status"] == "WaitingForApproval"


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("by_manifest", "given", "is_replaced"),
    [
        ({}, {}, True),  # the default of this action, which is not the program's
        ({"output": {"force": False}}, {}, False),
        ({"output": {"force": True}}, {"force": "false"}, False),
    ],
)
def test_whether_a_file_is_replaced(
    by_manifest: dict[str, object], given: dict[str, str], is_replaced: bool, repository: Repository, sandbox: Sandbox
) -> None:
    _write(repository, sandbox, **by_manifest)
    (repository.directory / "app.signed.exe").write_bytes(b"an earlier one")

    result = _run(repository, sandbox, **given)

    assert (result.code == 0) == is_replaced, result.log
    assert (["app.signed.exe exists already" in error for error in result.errors]) == ([] if is_replaced else [True])
    signed = (result.record / "workspace" / "app.signed.exe").read_bytes()
    assert (signed == b"an earlier one") != is_replaced


def test_files_of_the_manifest_are_not_those_of_the_connector(repository: Repository, sandbox: Sandbox) -> None:
    _write(repository, sandbox, output={"path": "elsewhere.exe"})
    (repository.directory / "dist").mkdir()
    shutil.copyfile(repository.directory / "app.exe", repository.directory / "dist" / "app.exe")

    step = use("sign", sandbox, {"path": "dist", "signing-policy-slug": "", "organization-id": "", "project-slug": ""})
    result = repository.run(workflow(step), variables=TOKENS)

    assert result.code == 0, result.log
    workspace = result.record / "workspace"
    unsigned = (repository.directory / "app.exe").stat().st_size
    assert (workspace / "dist" / "app.exe").stat().st_size > unsigned
    assert not (workspace / "elsewhere.exe").exists()
