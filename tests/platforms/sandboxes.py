"""The sandbox of the pipelines' tests: what it knows, and what its people do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from signpath_ci.sandbox.child import running_sandbox
from tests.support import http


def configuration(*, api_token: str, system_token: str, repository: str) -> str:
    """Return the sandbox's configuration: the projects `app`, for the tests, and `my-app`, for the examples."""
    return f"""
organization: {{id: 0a8f3a52-3c2c-4d4e-9a51-0f0b6f5f8a11}}
api_tokens:
  - {{name: ci, token: {api_token}, may: [submit]}}
trusted_build_systems:
  - {{name: farm, token: {system_token}}}
projects:
  - slug: app
    signing_policies:
      - {{slug: test-signing, certificate: test-signing}}
      - {{slug: release-signing, certificate: release-signing}}
      - {{slug: approved-signing, certificate: release-signing, required_approvals: 1}}
  - slug: my-app
    repository_url: {repository}
    signing_policies:
      - {{slug: test-signing, certificate: test-signing}}
      - slug: release-signing
        certificate: release-signing
        required_approvals: 1
        origin_verification: true
        allowed_branches: [main]
"""


@contextmanager
def sandbox_of(directory: Path, text: str, *options: str) -> Iterator[dict[str, Any]]:
    """Run a sandbox with a configuration, and what it keeps in a directory; yields what it says of itself."""
    path = directory / "sandbox.yml"
    path.write_text(text, "utf-8")
    more = ["--processing-seconds", "0", "--state", str(directory / "state"), "--config", str(path), *options]
    with running_sandbox(more) as said:
        yield said


def root(said: Mapping[str, Any]) -> str:
    """Return the base of the sandbox's own routes."""
    return str(said["api_url"]).removesuffix("/Api")


def known_requests(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the sandbox knows of all requests, the oldest first."""
    answer = http.get(f"{root(said)}/sandbox/requests", timeout=10)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found


def known_request(said: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """Return what the sandbox knows of a request."""
    [found] = [entry for entry in known_requests(said) if entry["id"] == request_id]
    return found


def write_manifest(directory: Path, **content: object) -> None:
    """Write the manifest of a checkout."""
    (directory / ".signpath").mkdir(exist_ok=True)
    # JSON is YAML.
    (directory / ".signpath" / "signing.yml").write_text(json.dumps({"version": 1, **content}), "utf-8")
