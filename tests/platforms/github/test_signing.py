"""The actions with the core that releases carry, in `act`, against the sandbox."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.platforms.github.act import TOKEN, Repository, Result
from tests.platforms.github.conftest import OUTPUTS
from tests.platforms.github.workflows import TOKENS, Step, upload, use, workflow
from tests.support.needs import needs
from tests.support.pe import LAUNCHERS

pytestmark = needs("act")
Sandbox = dict[str, Any]


def _run(repository: Repository, *steps: Step, **more: Any) -> Result:
    return repository.run(workflow(*steps), variables=TOKENS, **more)


def _demand_signed(path: Path, sandbox: Sandbox) -> None:
    """Demand that a file is the launcher with a signature that leads to the sandbox's root."""
    verdicts = verify_file(
        path, unsigned=LAUNCHERS["x64"], expectations=Expectations(trust_roots=(Path(sandbox["trust_root"]),))
    )
    assert [(verdict.trust, verdict.identity) for verdict in verdicts] == [("root", "same")]


def test_the_official_action_s_workflow_gets_a_signed_verified_file(repository: Repository, sandbox: Sandbox) -> None:
    given = {"github-artifact-id": "${{ steps.upload.outputs.artifact-id }}", "output-artifact-directory": "signed"}

    result = _run(repository, upload("app.exe"), use("submit-signing-request", sandbox, given))

    assert result.code == 0, result.log
    _demand_signed(result.record / "workspace" / "signed" / "app.exe", sandbox)
    outputs = result.json("outputs")
    assert outputs.keys() == set(OUTPUTS)
    assert outputs["signing-request-id"] in outputs["signing-request-web-url"]
    assert (outputs["status"], outputs["signed-artifact-path"]) == ("Completed", "signed")
    assert outputs["signing-request-id"] in result.summary
    # `act` has handed the inputs on as GitHub does not, and nothing was taken from there: they held something else.
    assert {"INPUT_API-TOKEN", "INPUT_GITHUB-ARTIFACT-ID", "INPUT_PROJECT-SLUG"} <= set(result.json("poisoned"))


def test_content_and_signer_are_compared_without_being_told_to(repository: Repository, sandbox: Sandbox) -> None:
    given = {
        "github-artifact-id": "${{ steps.upload.outputs.artifact-id }}",
        "output-artifact-directory": "signed",
        "trust-root": "",
    }

    result = _run(repository, upload("app.exe"), use("submit-signing-request", sandbox, given))

    assert result.code == 0, result.log
    assert "same content as submitted" in result.summary
    assert "signed by the certificate of policy test-signing, as SignPath states" in result.summary
    assert "SignPath: signed and verified" in result.summary


def test_a_file_is_signed_without_the_connector(repository: Repository, sandbox: Sandbox) -> None:
    given = {"artifact-path": "app.exe", "parameters": 'Version: "1.2.3"\n', "description": "it's $(nothing) `here`"}

    result = _run(repository, use("submit-signing-request", sandbox, given))

    assert result.code == 0, result.log
    _demand_signed(result.record / "workspace" / "app.signed.exe", sandbox)
    outputs = result.json("outputs")
    assert (outputs["status"], outputs["signed-artifact-path"]) == ("Completed", "app.signed.exe")


def test_a_directory_takes_several_files_under_their_names(repository: Repository, sandbox: Sandbox) -> None:
    for name in ("one.exe", "two.exe"):
        shutil.copyfile(LAUNCHERS["x64"], repository.directory / name)

    given = {"artifact-path": "one.exe\ntwo.exe", "output-artifact-path": "signed files/"}
    result = _run(repository, use("submit-signing-request", sandbox, given))

    assert result.code == 0, result.log
    for name in ("one.exe", "two.exe"):
        _demand_signed(result.record / "workspace" / "signed files" / name, sandbox)


def test_one_step_signs_a_directory_in_place(repository: Repository, sandbox: Sandbox) -> None:
    names = ("it's one.exe", "a b/$(touch pwned).exe", "a b/`touch pwned`.exe", "##[error]%0Ax.exe")
    for name in names:
        file = repository.directory / "dist" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(LAUNCHERS["x64"], file)

    result = _run(repository, use("sign", sandbox, {"path": "dist"}))

    assert result.code == 0, result.log
    workspace = result.record / "workspace"
    assert {path.relative_to(workspace / "dist").as_posix() for path in workspace.rglob("dist/**/*.exe")} == set(names)
    for name in names:
        _demand_signed(workspace / "dist" / name, sandbox)
    assert not (workspace / "pwned").exists()
    assert {entry["name"] for entry in result.commands("set-output")} <= {*OUTPUTS, "artifact-id", "suffix"}


def test_one_step_signs_a_file_in_place(repository: Repository, sandbox: Sandbox) -> None:
    result = _run(repository, use("sign", sandbox, {"path": "app.exe"}))

    assert result.code == 0, result.log
    _demand_signed(result.record / "workspace" / "app.exe", sandbox)


def test_a_request_outlives_its_step_and_is_signed_again(repository: Repository, sandbox: Sandbox) -> None:
    request = {"signing-request-id": "${{ steps.submit.outputs.signing-request-id }}", "unsigned": "app.exe"}
    given = {"artifact-path": "app.exe", "wait-for-completion": "false"}

    result = _run(
        repository,
        use("submit-signing-request", sandbox, given, step="submit"),
        use("get-signed-artifact", sandbox, {**request, "output-artifact-path": "test.exe"}, step="get"),
        use(
            "resubmit-signing-request",
            sandbox,
            {**request, "signing-policy-slug": "release-signing", "output-artifact-path": "release.exe"},
        ),
    )

    assert result.code == 0, result.log
    for name in ("test.exe", "release.exe"):
        _demand_signed(result.record / "workspace" / name, sandbox)
    assert result.json("outputs")["signed-artifact-path"] == "release.exe"


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"project-slug": "unknown"}, "unknown"),
        ({"artifact-path": "README"}, "ended as Failed (ProcessingFailed)"),
        ({"api-token": "wrong"}, "401"),
        ({"artifact-path": "missing.exe"}, "missing.exe"),
        ({"expected-subject": "Somebody Else"}, "Somebody Else"),
        ({"organization-id": "no uuid"}, "SIGNPATH_ORGANIZATION_ID"),
        ({"api-token": ""}, "SIGNPATH_API_TOKEN"),
        (
            {
                "signing-policy-slug": "approved-signing",
                "wait-for-completion-timeout-in-seconds": "1",
            },
            "WaitingForApproval",
        ),
    ],
)
def test_what_fails_fails_the_job_and_says_why(
    given: dict[str, str], why: str, repository: Repository, sandbox: Sandbox
) -> None:
    (repository.directory / "README").write_text("no executable", "utf-8")
    more = {"verify": "off"} if given.get("artifact-path") == "README" else {}

    result = _run(
        repository,
        use(
            "submit-signing-request",
            sandbox,
            {"artifact-path": "app.exe", "output-artifact-path": "signed.exe", **more, **given},
        ),
    )

    assert result.code != 0
    [error] = result.errors
    assert why in error
    assert not (result.record / "workspace" / "signed.exe").exists()


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"github-artifact-id": "9999"}, "Upload the artifact before it is submitted"),
        ({}, "SIGNPATH_GITHUB_ARTIFACT_ID"),
        ({"github-artifact-id": "1", "artifact-path": "app.exe"}, "A file is named"),
        ({"github-artifact-id": "1", "github-token": ""}, "SIGNPATH_GITHUB_TOKEN"),
        ({"github-artifact-id": "${{ steps.upload.outputs.artifact-id }}", "project-slug": "unknown"}, "unknown"),
        (
            {
                "github-artifact-id": "1",
                "connector-url": "http://127.0.0.1:9/",
                "service-unavailable-timeout-in-seconds": "1",
            },
            "127.0.0.1:9",
        ),
    ],
)
def test_what_the_connector_refuses_fails_the_job_with_how_to_fix_it(
    given: dict[str, str], why: str, repository: Repository, sandbox: Sandbox
) -> None:
    given = {"output-artifact-directory": "signed", **given}
    result = _run(repository, upload("app.exe"), use("submit-signing-request", sandbox, given))

    assert result.code != 0
    *logs, error = result.errors
    assert why in error
    assert all(log.startswith("connector: ") for log in logs)
    assert not (result.record / "workspace" / "signed").exists()


def test_what_can_not_be_signed_stays_as_it_is(repository: Repository, sandbox: Sandbox) -> None:
    (repository.directory / "dist").mkdir()
    shutil.copyfile(LAUNCHERS["x64"], repository.directory / "dist" / "app.exe")

    result = _run(repository, use("sign", sandbox, {"path": "dist", "expected-subject": "Somebody Else"}))

    assert result.code != 0
    assert "Somebody Else" in result.errors[-1]
    assert (result.record / "workspace" / "dist" / "app.exe").read_bytes() == LAUNCHERS["x64"].read_bytes()


@pytest.mark.sample(1)
@pytest.mark.parametrize("action", ["get-signed-artifact", "resubmit-signing-request"])
def test_a_request_that_there_is_not_fails_the_job(action: str, repository: Repository, sandbox: Sandbox) -> None:
    given = {"signing-request-id": "11111111-2222-3333-4444-555555555555", "output-artifact-path": "signed.exe"}

    result = _run(repository, use(action, sandbox, given))

    assert result.code != 0
    [error] = result.errors
    assert "was refused" in error
    assert given["signing-request-id"] in error
    assert not (result.record / "workspace" / "signed.exe").exists()


def test_a_notice_asks_for_the_approval(repository: Repository, sandbox: Sandbox) -> None:
    given = {
        "artifact-path": "app.exe",
        "signing-policy-slug": "approved-signing",
        "wait-for-completion-timeout-in-seconds": "1",
    }

    result = _run(repository, use("submit-signing-request", sandbox, given))

    [notice] = result.commands("notice")
    assert result.json("outputs")["signing-request-web-url"] in str(notice["arg"])


def test_what_signpath_says_is_no_command(repository: Repository, sandbox: Sandbox) -> None:
    """A description, the file's name and the names in a ZIP come back from SignPath, in messages and summaries."""
    name = "::error::x ##[error]y.exe"
    with zipfile.ZipFile(repository.directory / name, "w") as archive:
        archive.writestr("::set-output name=status::Forged\n::add-mask::a.txt", "no executable")

    result = _run(
        repository,
        use(
            "submit-signing-request",
            sandbox,
            {"artifact-path": name, "description": "::warning::z\n::set-output name=a::b", "verify": "off"},
        ),
    )

    assert result.commands("warning") == []
    assert all(str(entry["kvPairs"]) == "{'title': 'SignPath'}" for entry in result.commands("error"))
    assert {entry["name"] for entry in result.commands("set-output")} <= set(OUTPUTS)


def test_no_token_is_in_any_log_summary_or_file(repository: Repository, sandbox: Sandbox, home: Path) -> None:
    """The tokens are no secrets of the repository here: nothing but the core's own care keeps them out of the log."""
    given = {"artifact-path": "app.exe", "log-level": "debug", "trusted-build-system-token": "${{ vars.SYSTEM_TOKEN }}"}
    through = {"github-artifact-id": "${{ steps.upload.outputs.artifact-id }}", "log-level": "debug"}

    results = [
        _run(
            repository,
            upload("app.exe"),
            use("submit-signing-request", sandbox, {"output-artifact-directory": "signed", **through}, step="through"),
            use("submit-signing-request", sandbox, given),
        ),
        _run(repository, use("submit-signing-request", sandbox, {**given, "project-slug": "unknown"})),
        _run(
            repository,
            use("submit-signing-request", sandbox, {"github-artifact-id": "9999", "log-level": "debug"}),
        ),
    ]

    assert [result.code == 0 for result in results] == [True, False, False], results[0].log
    tokens = [*TOKENS.values(), TOKEN]
    for result in results:
        shown = [entry for entry in result.entries if entry.get("command") != "add-mask"]
        assert [entry for entry in shown if any(token in str(entry) for token in tokens)] == []
        # Masked in the log is not good enough either: the core must not have said it.
        assert [entry for entry in shown if "***" in str(entry)] == []
    for directory in (home, repository.directory.parent):
        files = [path for path in directory.rglob("*") if path.is_file() and path.name != "secrets"]
        assert [path for path in files if any(token.encode() in path.read_bytes() for token in tokens)] == []
