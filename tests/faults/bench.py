"""The bench: one cell is one fault at one step of one real run, and what must be true of it afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from signpath_ci.errors import EXIT_CODES, VerificationError
from signpath_ci.sandbox.child import running_sandbox
from tests.faults.faults import FAULTS
from tests.faults.proxy import Plan, Proxy, proxying
from tests.faults.steps import COMES_AFTER, is_before, on_the_wire
from tests.support import http
from tests.support.builds import PLATFORMS
from tests.support.files import serving_files
from tests.support.pe import LAUNCHERS
from tests.support.tls import TlsAuthority

BOUND = 25.0
"""Seconds that no run takes, whatever happens: the sum of all patience is below 12, the rest is for a busy machine."""
_PATIENCE = {
    "SIGNPATH_CONNECT_TIMEOUT": "1",
    "SIGNPATH_STALL_TIMEOUT": "1",
    "SIGNPATH_SERVICE_UNAVAILABLE_TIMEOUT": "2",
    "SIGNPATH_WAIT_FOR_COMPLETION_TIMEOUT": "8",
}
_INHERITED = frozenset({"PATH", "HOME", "PYTHONPATH"})
_TOKENS = {
    "SIGNPATH_GITHUB_TOKEN": "ghs_" + secrets.token_hex(18),
    "SIGNPATH_GITLAB_ACCESS_TOKEN": "glpat-" + secrets.token_hex(10),
    "SIGNPATH_AZURE_DEVOPS_TOKEN": secrets.token_urlsafe(40),
    "SIGNPATH_ARTIFACT_RETRIEVAL_HEADERS": "X-Store: " + secrets.token_urlsafe(20),
}
"""Tokens that every run is given, and that must show nowhere."""
_IN_DOUBT = "may have taken it"


@dataclass(frozen=True, order=True)
class Cell:
    """One cell of the matrix; `always`: the fault comes at each attempt, not only the first."""

    step: str
    fault: str
    always: bool

    @property
    def name(self) -> str:
        return f"{self.fault} at {self.step}, {'always' if self.always else 'once'}"


@dataclass(frozen=True)
class Outcome:
    """How a cell ended.

    Attributes:
        code: the exit code.
        broken: the promises that were not kept, in words.
        said: what the command wrote, for those who look into it.
    """

    code: int
    broken: tuple[str, ...]
    said: str


def cells() -> list[Cell]:
    """Return all cells."""
    return [
        Cell(step, fault, always)
        for fault, kind in FAULTS.items()
        for step in COMES_AFTER
        for always in ((True,) if kind.only_always else (False, True))
    ]


class Bench:
    """Runs cells against one sandbox.

    Args:
        directory: each cell gets its own below.
        sandbox: what the sandbox says about itself.
        files: the URL of a server.
        linked: what that serves, by path.
    """

    def __init__(self, directory: Path, sandbox: Mapping[str, Any], files: str, linked: dict[str, bytes]) -> None:
        self._directory, self._sandbox = directory, sandbox
        self._files, self._linked = files, linked
        self._root = sandbox["api_url"].removesuffix("/Api")
        host, port = self._root.removeprefix("http://").split(":")
        self._upstream = (host, int(port))
        authority, stranger = TlsAuthority(directory / "tls"), TlsAuthority(directory / "stranger")
        self._ca = authority.root
        self._contexts: dict[str, ssl.SSLContext] = {
            "good": authority.server_context(),
            "untrusted": stranger.server_context(),
            "expired": authority.server_context(expired=True),
            "misnamed": authority.server_context("elsewhere.example"),
        }

    def run(self, cell: Cell) -> Outcome:
        """Run a cell to its end, and judge it."""
        run = _Run(cell, self, self._directory / uuid.uuid4().hex)
        kind = FAULTS[cell.fault]
        comes_first = COMES_AFTER[cell.step] is None
        plan = Plan(
            on_the_wire(cell.step),
            kind.fault,
            kind.door,
            None if comes_first else partial(is_before, cell.step),
            cell.always,
        )
        contexts = self._contexts if kind.over_tls else {}
        with proxying(self._upstream, plan, contexts=contexts, old_server=cell.step == "submit") as proxy:
            scheme = "https" if kind.over_tls else "http"
            return run.judged(f"{scheme}://127.0.0.1:{proxy.port}", proxy)

    def environment(self) -> dict[str, str]:
        """Return the environment of a job that signs in the sandbox."""
        inherited = {name: text for name, text in os.environ.items() if name in _INHERITED or "COVERAGE" in name}
        return {
            **inherited,
            **_PATIENCE,
            **_TOKENS,
            "SIGNPATH_LOG_LEVEL": "debug",
            "SIGNPATH_API_URL": self._sandbox["api_url"],
            "SIGNPATH_API_TOKEN": self._sandbox["api_token"],
            "SIGNPATH_ORGANIZATION_ID": self._sandbox["organization_id"],
            "SIGNPATH_PROJECT_SLUG": self._sandbox["project_slug"],
            "SIGNPATH_SIGNING_POLICY_SLUG": self._sandbox["signing_policy_slug"],
            "SIGNPATH_TRUST_ROOT": self._sandbox["trust_root"],
            "REQUESTS_CA_BUNDLE": str(self._ca),
        }

    @property
    def tokens(self) -> list[str]:
        """What must show nowhere."""
        return [self._sandbox["api_token"], *(token.rpartition(" ")[2] for token in _TOKENS.values())]

    def recorded(self, sha256: str, description: str) -> list[dict[str, Any]]:
        """Return the sandbox's own record of the requests that have a file, or say that they are a run's."""
        answer = http.get(f"{self._root}/sandbox/requests", timeout=20)
        answer.raise_for_status()
        return [
            entry
            for entry in answer.json()
            if entry["unsigned_sha256"] == sha256 or entry["description"] == description
        ]

    def link(self, name: str, content: bytes) -> str:
        """Put a file where SignPath can fetch it; return the link."""
        self._linked[f"/{name}"] = content
        return f"{self._files}/{name}"

    def store(self, name: str, content: bytes) -> None:
        """Put an artifact where connectors find it."""
        path = Path(self._sandbox["artifact_store"], name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def post(self, path: str, **form: Any) -> str:
        """Make a request without the command; return its id."""
        answer = http.post(
            f"{self._sandbox['api_url']}/v1/{self._sandbox['organization_id']}/SigningRequests/{path}",
            headers={"Authorization": f"Bearer {self._sandbox['api_token']}"},
            files={"projectSlug": (None, "demo"), "signingPolicySlug": (None, "test-signing"), **form},
            timeout=20,
        )
        answer.raise_for_status()
        return str(answer.json()["signingRequestId"])

    def status(self, request_id: str) -> dict[str, Any]:
        """Return where a request stands."""
        base = f"{self._sandbox['api_url']}/v1/{self._sandbox['organization_id']}/SigningRequests"
        headers = {"Authorization": f"Bearer {self._sandbox['api_token']}"}
        answer: dict[str, Any] = http.get(f"{base}/{request_id}/Status", headers=headers, timeout=20).json()
        return answer


@contextmanager
def bench(directory: Path) -> Iterator[Bench]:
    """Run a sandbox, and a bench before it."""
    options = ["--processing-seconds", "0.6", "--state", str(directory / "state")]
    with running_sandbox(options) as sandbox, serving_files() as (files, linked):
        yield Bench(directory, sandbox, files, linked)


class _Run:
    def __init__(self, cell: Cell, bench: Bench, directory: Path) -> None:
        self._cell, self._bench, self._directory = cell, bench, directory
        directory.mkdir()
        self._content = LAUNCHERS["x64"].read_bytes() + uuid.uuid4().bytes
        self._sha256 = hashlib.sha256(self._content).hexdigest()
        (directory / "app.exe").write_bytes(self._content)
        self._outputs = ["app.signed.exe"]
        self._rejected = "app.signed.exe.rejected"
        self._earlier: str | None = None

    def judged(self, url: str, proxy: Proxy) -> Outcome:
        arguments, environment = self._prepare(url)
        started = time.monotonic()
        code, out, err = self._command(*arguments, **environment)
        seconds = time.monotonic() - started
        broken = list(self._flaws(code, out, err, seconds))
        if not proxy.broken:
            broken.append("the fault did not happen")
        return Outcome(code, tuple(broken), f"{out}{err}{dict(proxy.seen)} {seconds:.1f} s")

    def _prepare(self, url: str) -> tuple[list[str], dict[str, str]]:
        """Bring the sandbox to where the step can happen; return the command that takes it, and its environment."""
        step, environment = self._cell.step, {"SIGNPATH_API_URL": f"{url}/Api"}
        if step.startswith("connector "):
            self._bench.store(f"gitlab/build/{self._sha256}.exe", self._content)
            build = {
                **PLATFORMS["gitlab"],
                "CI_PIPELINE_ID": "77",
                "CI_PROJECT_ID": "5",
                "SIGNPATH_GITLAB_ARTIFACT_JOB_NAME": "build",
                "SIGNPATH_GITLAB_ARTIFACT_PATH": f"{self._sha256}.exe",
                "SIGNPATH_CONNECTOR_URL": f"{url}/connectors/gitlab",
            }
            return ["sign", "--json", "-o", "app.signed.exe"], environment | build
        if step == "link submit":
            url = self._bench.link(self._directory.name, self._content)
            return ["sign", "app.exe", "--artifact-retrieval-url", url, "--json"], environment
        if step == "bundle download":
            (self._directory / "b.exe").write_bytes(self._content + b"b")
            self._outputs, self._rejected = ["app.signed.exe", "b.signed.exe"], "bundle.zip.rejected"
            return ["sign", "app.exe", "b.exe", "--bundle", "--json"], environment
        if step == "resubmit":
            self._earlier = self._bench.post("SubmitWithArtifact", artifact=("app.exe", self._content))
            self._wait_for(self._earlier)
            return ["resubmit", self._earlier, "--unsigned", "app.exe", "--json"], environment
        if step in {"look", "cancel"}:
            announced = {
                "unsignedArtifactMetadata.fileName": (None, "app.exe"),
                "unsignedArtifactMetadata.sha256Hash": (None, self._sha256),
            }
            self._earlier = self._bench.post("SubmitWithoutArtifact", **announced)
            return ["cancel", self._earlier, "--json"], environment
        return ["sign", "app.exe", "--json"], environment

    def _wait_for(self, request_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while not (status := self._bench.status(request_id))["isFinalStatus"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return status

    def _command(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        with subprocess.Popen(
            [sys.executable, "-m", "signpath_ci", *arguments],
            cwd=self._directory,
            env={**self._bench.environment(), "SIGNPATH_DESCRIPTION": self._directory.name, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=BOUND)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)
                out, err = process.communicate()
        return process.returncode, out, err

    def _flaws(self, code: int, out: str, err: str, seconds: float) -> Iterator[str]:
        if seconds >= BOUND:
            yield f"it took {seconds:.0f} s"
        if code not in EXIT_CODES:
            yield f"exit code {code}"
        if "Traceback" in err:
            yield "a traceback"
        errors = [line for line in err.splitlines() if line.startswith("error: ")]
        if len(errors) != (code != 0):
            yield f"{len(errors)} errors are named"
        written = [out, err, *(path.read_bytes().decode("latin-1") for path in self._directory.iterdir())]
        if any(token in text for token in self._bench.tokens for text in written):
            yield "a token is shown"
        yield from self._flaws_of_files(code)
        yield from self._flaws_of_requests(code, out, err)

    def _flaws_of_files(self, code: int) -> Iterator[str]:
        reported = {"signpath.env"} if self._cell.step.startswith("connector ") else set()  # of the job, for GitLab
        names = sorted({path.name for path in self._directory.iterdir()} - reported)
        collects = code == 0 and self._cell.step not in {"look", "cancel"}
        rejected = [self._rejected] if code == VerificationError.exit_code else []
        inputs = ["app.exe", *(["b.exe"] if self._cell.step.startswith("bundle ") else [])]
        if names != sorted([*inputs, *(self._outputs if collects else rejected)]):
            yield f"the files are {names}"
        elif collects and not all((self._directory / name).read_bytes().startswith(b"MZ") for name in self._outputs):
            yield "the signed file is none"

    def _flaws_of_requests(self, code: int, out: str, err: str) -> Iterator[str]:
        recorded = self._recorded()
        new = [entry for entry in recorded if entry["id"] != self._earlier]
        if len(new) > 1:
            yield f"{len(new)} requests have the artifact"
        for entry in new:
            final = self._wait_for(entry["id"])
            if entry["id"] not in out + err and _IN_DOUBT not in err:
                yield "a request is lost: nobody is told of it"
            elif code != 0 and final["status"] == "Completed" and entry["id"] in out + err:
                yield from self._flaws_of_the_next_run(entry["id"])
        signed = [entry["times_signed"] for entry in self._recorded()]
        if max(signed, default=0) > 1 or sum(signed) > (2 if self._cell.step == "resubmit" else 1):
            yield f"signed {signed} times"
        if self._cell.step == "cancel" and code == 0:
            status = json.loads(out)["status"]
            if status != "Canceled":
                yield f"canceled, but {status}"

    def _recorded(self) -> list[dict[str, Any]]:
        """Return the requests that have, or will have, this run's artifact: what was just announced, never will."""
        recorded = self._bench.recorded(self._sha256, self._directory.name)
        return [entry for entry in recorded if entry["status"] != "WaitingForArtifactUpload"]

    def _flaws_of_the_next_run(self, request_id: str) -> Iterator[str]:
        """What was signed behind a failed run is there for the next one."""
        is_bundle = self._cell.step.startswith("bundle ")
        where = ["-o", "collected.zip"] if is_bundle else ["--unsigned", "app.exe"]
        code, _, err = self._command("download", request_id, *where)
        if code != 0:
            yield f"the next run failed: {err}"
