"""A canceled job: the runner signals the step's shell, and what it runs has to hear of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.platforms.github.workflows import TOKENS
from tests.support.pe import LAUNCHERS

# How GitHub's runner starts `shell: bash`:
# <https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell>
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


@contextmanager
def _waiting_for_approval(
    action: str, directory: Path, release: Path, sandbox: dict[str, Any], **more: str
) -> Iterator[subprocess.Popen[str]]:
    """Run the script of an action's last step until its request waits for approval."""
    folder = release / "actions" / action
    script = directory / "script.sh"
    manifest = yaml.safe_load((folder / "action.yml").read_text("utf-8"))
    script.write_text(manifest["runs"]["steps"][-1]["run"], "utf-8")
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(directory),
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(folder),
        "GITHUB_OUTPUT": str(directory / "outputs"),
        "GITHUB_STEP_SUMMARY": str(directory / "summary"),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/app",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
        "GITHUB_RUN_ID": "42",
        "SIGNPATH_API_URL": sandbox["api_url"],
        "SIGNPATH_API_TOKEN": TOKENS["API_TOKEN"],
        "SIGNPATH_ORGANIZATION_ID": sandbox["organization_id"],
        "SIGNPATH_PROJECT_SLUG": "app",
        "SIGNPATH_SIGNING_POLICY_SLUG": "approved-signing",
        **more,
    }
    with subprocess.Popen(
        [*BASH, str(script)],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = []
            for line in process.stdout:
                said.append(line)
                if "waits for approval" in line:
                    break
            assert process.poll() is None, "".join(said)
            yield process
        finally:
            process.kill()


@pytest.mark.sample(2)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("action", ["submit-signing-request", "sign"])
def test_a_signal_to_the_shell_ends_the_core(
    action: str, number: signal.Signals, code: int, tmp_path: Path, release: Path, sandbox: dict[str, Any]
) -> None:
    (tmp_path / "app.exe").write_bytes(LAUNCHERS["x64"].read_bytes())
    straight = {
        "SIGNPATH_ARTIFACT": "app.exe",
        "SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY": "signed",
        "SIGNPATH_CONNECTOR_URL": "",
    }

    with _waiting_for_approval(action, tmp_path, release, sandbox, **straight) as process:
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)

    assert process.returncode == code, rest
    assert f"::error title=SignPath::Interrupted by {number.name}." in rest


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the list of processes is read from /proc")
def test_no_token_is_in_the_list_of_processes(tmp_path: Path, release: Path, sandbox: dict[str, Any]) -> None:
    (tmp_path / "app.exe").write_bytes(LAUNCHERS["x64"].read_bytes())

    with _waiting_for_approval(
        "submit-signing-request", tmp_path, release, sandbox, SIGNPATH_ARTIFACT="app.exe"
    ) as process:
        listed = list(_command_lines(release))
        assert process.poll() is None

    assert [line for line in listed if line.endswith("signpath-ci.pyz sign")]
    assert [line for line in listed if any(token in line for token in TOKENS.values())] == []


def _command_lines(release: Path) -> Iterator[str]:
    """Return those of the processes that run the actions of this release: other tests run beside this one."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has ended meanwhile
            if os.fsencode(f"GITHUB_ACTION_PATH={release}") in path.with_name("environ").read_bytes():
                yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
