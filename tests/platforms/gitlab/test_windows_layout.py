"""A virtual environment as Windows lays it out, where the runner's shell is Git Bash."""

from __future__ import annotations

import sys

import pytest

from tests.platforms.gitlab.conftest import Project
from tests.platforms.gitlab.shell_runner import ShellRunner

# Makes the environment with `Scripts/python`; what is run there says what it was called with.
_PYTHON = """\
#!/bin/sh
case "$*" in
  *"-m venv "*)
    mkdir -p .signpath-ci/venv/Scripts
    cp {core} .signpath-ci/venv/Scripts/python ;;
  *) exec {python} "$@" ;;
esac
"""
_CORE = """\
#!/bin/sh
echo "own: $* [$MSYS2_ENV_CONV_EXCL]"
echo SIGN_SIGNPATH_SIGNING_REQUEST_ID=the-id >signpath.env
"""


@pytest.mark.parametrize(
    ("template", "command"),
    [("sign", "sign"), ("get-signed-artifact", "download"), ("resubmit", "resubmit"), ("check", "check")],
)
def test_the_core_is_found_among_the_scripts(project: Project, template: str, command: str) -> None:
    programs = project.directory.with_name("programs")
    programs.mkdir()
    core = programs / "core"
    core.write_text(_CORE)
    (programs / "python3").write_text(_PYTHON.format(python=sys.executable, core=core))
    for program in programs.iterdir():
        program.chmod(0o755)
    inputs: dict[str, dict[str, object]] = {
        "sign": project.sign_inputs(),
        "get-signed-artifact": project.inputs(signing_request_id="id", output_artifact_path="signed.exe"),
        "resubmit": project.inputs(
            signing_request_id="id", signing_policy_slug="release", output_artifact_path="signed.exe"
        ),
        "check": {"artifact_path": "app.exe"},
    }
    name, job = project.job(template, {**inputs[template], "package": "signpath-ci"})
    known = {**project.known, "PATH": f"{programs}:{project.known['PATH']}"}
    runner = ShellRunner(project.directory, known)

    finished = runner.finish(runner.start(name, job), job, status="canceled")

    assert finished.code == 0, finished.log
    assert "own: -I -m pip install" in finished.log
    assert f"own: -I -X utf8 -m signpath_ci {command} [SIGNPATH_]" in finished.log
    is_canceled = "own: -I -X utf8 -m signpath_ci cancel the-id [SIGNPATH_]" in finished.log
    assert is_canceled == (command in {"sign", "resubmit"})
