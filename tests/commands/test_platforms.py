"""What a run tells the CI system that it runs on: outputs, annotations, a summary, and no secret."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builds import PLATFORMS
from tests.support.program import Finished, Program, Sandbox

MASKS = {"github": "::add-mask::", "azure": "##vso[task.setsecret]"}


def _on(program: Program, platform: str, **more: str) -> Program:
    return replace(program, environment={**program.environment, **PLATFORMS[platform], **more})


def _visible(finished: Finished, platform: str) -> str:
    """Return the log as the platform shows it: lines that mask a secret are taken out by its runner."""
    lines = (finished.out + finished.err).splitlines()
    return "\n".join(line for line in lines if not line.startswith(MASKS.get(platform, "\0")))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_token_is_left_anywhere(
    program: Program, sandbox: Sandbox, executable: Path, tmp_path: Path, platform: str
) -> None:
    files = {"GITHUB_OUTPUT": tmp_path / "output", "GITHUB_STEP_SUMMARY": tmp_path / "summary.md"}
    job = _on(program, platform, AGENT_TEMPDIRECTORY=str(tmp_path), **{name: str(path) for name, path in files.items()})

    def written() -> str:
        return "".join(path.read_text("utf-8") for path in tmp_path.iterdir() if path.suffix in {"", ".md", ".env"})

    signed = job("sign", executable.name, "--log-level", "debug")
    first = written()
    refused = job("sign", executable.name, "--force", "--project-slug", sandbox["api_token"][::-1])

    assert (signed.code, refused.code) == (0, 3), signed.err + refused.err
    assert "Completed" in first
    for finished in (signed, refused):
        assert sandbox["api_token"] not in _visible(finished, platform) + first + written()


def test_github_gets_outputs_a_summary_and_the_reason_of_a_failure(
    program: Program, executable: Path, tmp_path: Path
) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary.md"
    job = _on(program, "github", GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary))

    signed = job("sign", executable.name)
    refused = job("sign", executable.name, "--force", "--project-slug", "no-such-project")

    assert signed.code == 0, signed.err
    assert re.findall(r"^([\w-]+)<<", output.read_text("utf-8"), re.MULTILINE) == [
        "signing-request-id",
        "signing-request-web-url",
        "signed-artifact-download-url",
        "signed-sha256",
        "signed-sha512",
        "status",
        "signed",
        "signed-artifact-path",
        "signed",
    ]
    assert output.read_text("utf-8").splitlines()[-2] == "false"
    annotations = [line for line in refused.err.splitlines() if line.startswith("::error")]
    assert output.read_text("utf-8").splitlines()[-2] == "false"
    assert annotations == [f"::error title=SignPath::{refused.error} [{refused.error_code}]"]
    assert "no-such-project" in refused.error
    rejected = job("sign", executable.name, "--force", "--thumbprint", "00" * 32)
    assert rejected.code == 7
    titles = [line for line in summary.read_text("utf-8").splitlines() if line.startswith("#")]
    assert titles == ["### SignPath: signed and verified", "### SignPath: not signed", "### SignPath: not accepted"]
    [verdict] = re.findall(r"^\| Verdict \| `failed: (.*)` \|$", summary.read_text("utf-8"), re.MULTILINE)
    assert verdict.endswith("which is not among the expected ones [unexpected-signer]")
    assert verdict.removesuffix(" [unexpected-signer]") in rejected.error
    assert f"Not verified app.signed.exe: failed: {verdict}" in rejected.err


def test_of_several_files_all_is_told_too(program: Program, sandbox: Sandbox, executable: Path, tmp_path: Path) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary.md"
    job = _on(program, "github", GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary))
    executable.with_name("b.exe").write_bytes(executable.read_bytes())

    signed = job("sign", "app.exe", "b.exe", "--in-place", "--json")

    assert signed.code == 0, signed.err
    assert signed.err.splitlines()[0] == f"::add-mask::{sandbox['api_token']}"
    results = signed.json["results"]
    assert [one["output"] for one in results] == ["app.exe", "b.exe"]
    assert [one["verification"]["verdicts"][0]["file"] for one in results] == ["app.exe", "b.exe"]
    values = re.findall(r"^([\w-]+)<<(\S+)\n(.*?)\n\2$", output.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    said = {name: value.splitlines() for name, _, value in values}
    assert said.keys() == {
        "signing-request-id",
        "signing-request-web-url",
        "signed-artifact-download-url",
        "signed",
        "signed-artifact-path",
        "signed-sha256",
        "signed-sha512",
    }
    assert said["signing-request-id"] == [one["signing_request_id"] for one in results]
    assert (said["signed"], said["signed-artifact-path"]) == (["true"], ["app.exe", "b.exe"])
    assert summary.read_text("utf-8").splitlines()[0] == "### SignPath: 2 of 2 files signed"


def test_each_of_several_files_that_waits_for_approval_is_a_notice(program: Program, executable: Path) -> None:
    executable.with_name("b.exe").write_bytes(executable.read_bytes() + b"b")
    job = _on(program, "github", SIGNPATH_SIGNING_POLICY_SLUG="release-signing")

    pending = job("sign", "app.exe", "b.exe", "--wait-for-completion-timeout", "1", "--json")

    assert pending.code == 5
    ids = {one["signing_request_id"] for one in pending.json["results"]}
    notices = re.findall(r"^::notice title=SignPath::The signing request (\S+) waits", pending.err, re.MULTILINE)
    assert (len(notices), set(notices)) == (2, ids)


def test_a_variable_that_is_missing_is_an_annotation(program: Program) -> None:
    refused = _on(program, "azure", SIGNPATH_PROJECT_SLUG="$(project)")("sign", "app.exe")

    assert refused.code == 2
    assert f"##vso[task.logissue type=error;]{refused.error} [{refused.error_code}]" in refused.err.splitlines()


def test_warnings_are_annotations(program: Program, executable: Path) -> None:
    signed = _on(program, "github", GITHUB_SHA="no commit")("sign", executable.name)

    warned = next(line for line in signed.err.splitlines() if line.startswith("warning: "))
    assert f"::warning title=SignPath::{warned.removeprefix('warning: ')}" in signed.err.splitlines()
    assert signed.code == 0


def test_gitlab_s_report_names_the_job(program: Program, executable: Path, tmp_path: Path) -> None:
    signed = _on(program, "gitlab", CI_JOB_NAME="sign: app")("sign", executable.name)

    assert signed.code == 0, signed.err
    report = (tmp_path / "signpath.env").read_text("utf-8")
    assert re.findall(r"^(\w+)=", report, re.MULTILINE) == [
        "SIGN_APP_SIGNPATH_SIGNING_REQUEST_ID",
        "SIGN_APP_SIGNPATH_SIGNING_REQUEST_WEB_URL",
        "SIGN_APP_SIGNPATH_SIGNED_ARTIFACT_DOWNLOAD_URL",
        "SIGN_APP_SIGNPATH_SIGNED_SHA256",
        "SIGN_APP_SIGNPATH_SIGNED_SHA512",
        "SIGN_APP_SIGNPATH_SIGNING_REQUEST_STATUS",
        "SIGN_APP_SIGNPATH_SIGNED",
        "SIGN_APP_SIGNPATH_SIGNED_ARTIFACT_PATH",
    ]


def test_a_command_that_signs_nothing_writes_no_report(program: Program, tmp_path: Path) -> None:
    job = _on(program, "gitlab")

    refused = job("cancel", "no-such-request")

    assert refused.code == 3
    assert not (tmp_path / "signpath.env").exists()
