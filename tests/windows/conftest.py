"""A Windows Python under Wine, and a sandbox beside it; `make windows` sets both up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.sandbox.child import running_sandbox
from tests.platforms.sandboxes import known_requests
from tests.support import http
from tests.support.pe import LAUNCHERS

_ROOT = Path(__file__).parents[2]
_WINDOWS = _ROOT / "build" / "windows"
_DEADLINE = 120  # seconds after which a process is considered to hang; a start takes 1 to 4 s


@dataclass(frozen=True)
class Finished:
    """A process that has ended, with its streams as bytes: line ends and encodings are part of the tests."""

    code: int
    out: bytes
    err: bytes

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The last line of standard error that says what is wrong."""
        return [line for line in self.err.decode("utf-8").splitlines() if line.startswith("error: ")][-1]


@dataclass(frozen=True)
class WindowsProgram:
    """`signpath-ci` on the Windows Python, with the environment of a job that signs in the sandbox."""

    directory: Path
    environment: Mapping[str, str]
    command: tuple[str, ...] = ("-m", "signpath_ci")
    prefix: tuple[str, ...] = field(default=(str(_WINDOWS / "wine-python"),))

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Start the command in a process group of its own; its streams are pipes."""
        return subprocess.Popen(
            [*self.prefix, *self.command, *(windows_path(a) if isinstance(a, Path) else a for a in arguments)],
            cwd=self.directory,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __call__(self, *arguments: str | Path, **environment: str) -> Finished:
        """Run the command to its end."""
        with self.start(*arguments, **environment) as process:
            return finish(process)

    def python(self, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Python code on the Windows Python."""
        return WindowsProgram(self.directory, self.environment, ("-c", code), self.prefix).start(*arguments)


def finish(process: subprocess.Popen[bytes]) -> Finished:
    """Wait for a process; one that hangs is ended with its whole group."""
    try:
        out, err = process.communicate(timeout=_DEADLINE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        pytest.fail(f"the process hangs: {err.decode('utf-8', 'replace')}")
    return Finished(process.returncode, out, err)


def windows_path(path: Path) -> str:
    r"""Return a path as Windows programs under Wine know it: `Z:\...`."""
    return "Z:" + str(path).replace("/", "\\")


def requests_of(sandbox: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the sandbox knows of all requests, the oldest first."""
    return known_requests(sandbox)


def wait_for_new_request(sandbox: dict[str, Any], known: int) -> dict[str, Any]:
    """Return the request that comes after the first `known` ones, once somebody must approve it."""
    end = time.monotonic() + _DEADLINE
    while time.monotonic() < end:
        requests = requests_of(sandbox)
        if len(requests) > known and requests[-1]["status"] == "WaitingForApproval":
            return requests[-1]
        time.sleep(0.1)
    pytest.fail("no request came that waits for an approval")


def approve(sandbox: dict[str, Any], request: dict[str, Any]) -> None:
    """Approve a request, as somebody else than its submitter."""
    url = f"{sandbox['api_url']}/v1/{sandbox['organization_id']}/SigningRequests/{request['id']}/Approve"
    http.post(url, headers={"Authorization": f"Bearer {sandbox['api_token']}"}, timeout=10).raise_for_status()


def names_in(directory: Path) -> list[str]:
    """Return the names in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    state = tmp_path_factory.mktemp("state")
    with running_sandbox(["--processing-seconds", "0", "--state", str(state)]) as running:
        yield {**running, "root": state / "pki" / "root.pem"}


@pytest.fixture
def windows(tmp_path: Path, sandbox: dict[str, Any]) -> WindowsProgram:
    directory = tmp_path / "check out"  # a blank, as Windows users have them
    directory.mkdir()
    environment = {
        "HOME": os.environ.get("HOME", "/tmp"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": windows_path(_ROOT / "src"),
        "SIGNPATH_API_URL": sandbox["api_url"],
        "SIGNPATH_API_TOKEN": sandbox["api_token"],
        "SIGNPATH_ORGANIZATION_ID": sandbox["organization_id"],
        "SIGNPATH_PROJECT_SLUG": sandbox["project_slug"],
        "SIGNPATH_SIGNING_POLICY_SLUG": sandbox["signing_policy_slug"],
    }
    return WindowsProgram(directory, environment)


@pytest.fixture
def program_file(windows: WindowsProgram) -> Path:
    """An unsigned Windows program in the working directory."""
    path = windows.directory / "Ärger app.exe"
    path.write_bytes(LAUNCHERS["x64"].read_bytes())
    return path
