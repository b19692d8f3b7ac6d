"""Sandboxes in a thread of the test's process, on real loopback sockets."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from signpath_ci.clock import Clock
from signpath_ci.sandbox.api.versions import NEWEST, ServerVersion
from signpath_ci.sandbox.app import create_app
from signpath_ci.sandbox.artifact_configurations import ArtifactConfigurations
from signpath_ci.sandbox.config import (
    ArtifactConfiguration,
    Configuration,
    Project,
    Run,
    SigningPolicy,
    TrustedBuildSystem,
    User,
)
from signpath_ci.sandbox.pki import Authority
from signpath_ci.sandbox.processing import SignFile
from signpath_ci.sandbox.server import Server, listen
from signpath_ci.sandbox.signers.errors import CannotSignError
from signpath_ci.sandbox.store import SigningRequest, Store
from tests.support import http

ORGANIZATION = "0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11"
REPOSITORY = "https://github.com/acme/app"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SEVERAL_FILES = """<artifact-configuration xmlns="http://signpath.io/artifact-configuration/v1">
  <parameters>
    <parameter name="version" required="true"/>
    <parameter name="edition" default-value="home"/>
  </parameters>
  <zip-file ui-multifile-upload="on">
    <pe-file-set>
      <include path="*.exe" max-matches="unbounded" product-version="${version}"/>
      <for-each><authenticode-sign/></for-each>
    </pe-file-set>
  </zip-file>
</artifact-configuration>
"""
CONFIGURATION = Configuration(
    organization_id=ORGANIZATION,
    organization_name="Acme <b>",
    users=(
        User(name="alice", is_interactive=True),
        User(name="bob", permissions=frozenset({"approve"}), is_interactive=True),
        User(name="carol", permissions=frozenset({"submit"}), projects=frozenset({"other"}), is_interactive=True),
        User(name="ci", token="ci-token"),
        User(name="reader", token="reader-token", permissions=frozenset({"read"})),
        User(name="tester", token="tester-token", signing_policies=frozenset({"test-signing"})),
        User(name="approver", token="approver-token", permissions=frozenset({"approve"})),
    ),
    trusted_build_systems=(TrustedBuildSystem(name="farm", token="farm-token"),),
    projects=(
        Project(
            slug="app",
            name="The App",
            repository_url=REPOSITORY,
            artifact_configurations=(
                ArtifactConfiguration(slug="initial", name="Initial"),
                ArtifactConfiguration(slug="v2", name="Version 2"),
                ArtifactConfiguration(slug="files", name="Several files", xml=SEVERAL_FILES),
            ),
            signing_policies=(
                SigningPolicy(slug="test-signing", name="Test", certificate="test"),
                SigningPolicy(slug="two-approvals", name="Two", certificate="two", required_approvals=2),
                SigningPolicy(
                    slug="four-eyes",
                    name="Four eyes",
                    certificate="two",
                    required_approvals=1,
                    submitter_may_approve=False,
                ),
                SigningPolicy(slug="ci-only", name="CI", certificate="test", trusted_build_system=True),
                SigningPolicy(
                    slug="release-signing",
                    name="Release",
                    certificate="release",
                    allowed_branches=("main", "release/*"),
                    origin_verification=True,
                ),
            ),
        ),
        Project(
            slug="unlinked",
            name="Unlinked",
            trusted_build_systems=frozenset({"farm"}),
            artifact_configurations=(ArtifactConfiguration(slug="initial", name="Initial"),),
            signing_policies=(SigningPolicy(slug="test-signing", name="Test", certificate="test"),),
        ),
    ),
    runs=(
        Run(
            platform="github",
            id="42",
            repository_url=REPOSITORY,
            branch="main",
            commit=COMMIT,
            build_url=f"{REPOSITORY}/actions/runs/42",
        ),
        Run(platform="github", id="43", repository_url=REPOSITORY, branch="topic", commit=COMMIT, build_url=None),
    ),
    max_artifact_bytes=1024 * 1024,
)


ORIGIN = {
    "origin.repositoryData.sourceControlManagementType": "git",
    "origin.repositoryData.url": REPOSITORY,
    "origin.repositoryData.branchName": "release/1.0",
    "origin.repositoryData.commitId": COMMIT,
    "origin.buildData.url": "https://ci.example/1",
}
"""What a trusted build system sends; it fits every policy of `CONFIGURATION`."""


def fake_sign(source: Path, target: Path, _request: SigningRequest, certificate: str) -> None:
    """Sign in a way that tests can foresee; what starts with `bad` can't be signed."""
    content = source.read_bytes()
    if content.startswith(b"bad"):
        raise CannotSignError("The file is of no kind that can be signed.")
    target.write_bytes(signed(content, certificate))


def _answer_timestamp_query(query: bytes, _now: datetime) -> bytes:
    if query == b"trouble":
        raise RuntimeError("a defect of the authority")
    return b"answer to " + query


def signed(content: bytes, certificate: str = "test") -> bytes:
    return content + b"|signed:" + certificate.encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Client:
    """A plain client of a running sandbox.

    Attributes:
        root: its URL.
        token: what is sent as the bearer token; `None`: nothing.
    """

    root: str
    artifact_store: Path
    token: str | None = "ci-token"
    session: requests.Session = field(default_factory=http.session)

    @property
    def all_requests(self) -> str:
        return f"{self.root}/Api/v1/{ORGANIZATION}/SigningRequests"

    def call(
        self, method: str, url: str, *, token: str | None = "", headers: Mapping[str, str] | None = None, **more: Any
    ) -> requests.Response:
        token = self.token if token == "" else token
        sent = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        target = (
            url
            if url.startswith("http")
            else f"{self.root}{url}"
            if url.startswith("/")
            else f"{self.all_requests}/{url}"
        )
        return self.session.request(method, target, headers=sent, timeout=30, **more)

    def get(self, url: str, **more: Any) -> requests.Response:
        return self.call("GET", url, **more)

    def post(self, url: str, **more: Any) -> requests.Response:
        return self.call("POST", url, **more)

    def form(self, url: str, fields: Mapping[str, object], **more: Any) -> requests.Response:
        """Send multipart/form-data; a value that is a tuple of name and content becomes a file."""
        parts = {name: value if isinstance(value, tuple) else (None, str(value)) for name, value in fields.items()}
        return self.post(url, files=parts, **more)

    def submit(self, content: bytes = b"MZ one", /, **fields: object) -> requests.Response:
        """Submit a file in one call; a token may be among the fields."""
        more = {"token": fields.pop("token")} if "token" in fields else {}
        said = {"projectSlug": "app", "signingPolicySlug": "test-signing", "artifact": ("app.exe", content), **fields}
        return self.form(
            "SubmitWithArtifact", {name: value for name, value in said.items() if value is not None}, **more
        )

    def announce(self, content: bytes = b"MZ one", /, **fields: object) -> requests.Response:
        """Submit without the file."""
        said = {
            "projectSlug": "app",
            "signingPolicySlug": "test-signing",
            "unsignedArtifactMetadata.fileName": "app.exe",
            "unsignedArtifactMetadata.sha256Hash": sha256(content),
            **fields,
        }
        return self.form("SubmitWithoutArtifact", said)

    def upload(self, request_id: str, content: bytes, **more: Any) -> requests.Response:
        return self.post(f"{request_id}/UploadUnsignedArtifact", data=content, **more)

    def status_of(self, request_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"{request_id}/Status").json()
        return answer

    def wait(self, request_id: str, *, until: str = "") -> dict[str, Any]:
        """Poll until a request has the status, or is final."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            status = self.status_of(request_id)
            if status["status"] == until or (not until and status["isFinalStatus"]):
                return status
            time.sleep(0.005)
        raise AssertionError(f"still {status}")

    def listed(self, request_id: str) -> dict[str, Any]:
        """Return what the sandbox itself says about a request."""
        return next(found for found in self.get("/sandbox/requests", token=None).json() if found["id"] == request_id)


@contextlib.contextmanager
def serving(
    directory: Path,
    configuration: Configuration = CONFIGURATION,
    *,
    sign: SignFile = fake_sign,
    processing_seconds: float = 0,
    version: ServerVersion = NEWEST,
) -> Iterator[Client]:
    """Serve a sandbox whose state lies in `directory`."""
    ready = threading.Event()
    servers: list[Server] = []
    store_directory, artifact_store = directory / "state", directory / "artifacts"

    with listen("127.0.0.1", 0) as listener:

        def serve() -> None:
            with contextlib.closing(Store(store_directory)) as store:
                app = create_app(
                    configuration,
                    store,
                    sign=sign,
                    answer_timestamp_query=_answer_timestamp_query,
                    artifact_store=artifact_store,
                    artifact_configurations=ArtifactConfigurations(directory / "configurations", configuration),
                    authority=Authority.open(directory / "pki", now=Clock().now()),
                    processing_seconds=processing_seconds,
                    version=version,
                    clock=Clock(),
                )
                servers.append(Server(app, ready.set))
                servers[0].run(sockets=[listener])

        thread = threading.Thread(target=serve)
        thread.start()
        assert ready.wait(20)
        client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", artifact_store)
        try:
            with client.session:
                yield client
        finally:
            servers[0].should_exit = True
            thread.join(20)
            assert not thread.is_alive()


def problem(answer: requests.Response) -> tuple[int, object]:
    """Return the status and what says specifically what is wrong; the rest must be RFC 9457's."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"], body["title"]) == ("about:blank", answer.status_code, answer.reason)
    return answer.status_code, body.get("errors") or body["detail"]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "It never came true."
        time.sleep(0.005)
