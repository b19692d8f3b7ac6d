"""A sandbox, and a connector that does what SignPath's does: it fetches the artifact from GitHub, with the job's token.

It puts the artifact into the sandbox's store, and hands the call on to the sandbox's connector. Both end on SIGTERM.
GitHub's API: <https://docs.github.com/rest/actions/artifacts#download-an-artifact>
"""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from signpath_ci.sandbox.child import running_sandbox

_GITHUB = os.environ.get("GITHUB_API_URL", "https://api.github.com")
_PASSED_ON = ("Content-Type", "Content-Disposition")


class Connector(ThreadingHTTPServer):
    """Listens on a free port.

    Args:
        sandbox: the URL of the sandbox's connector.
        store: the sandbox's artifact store.
    """

    def __init__(self, sandbox: str, store: Path) -> None:
        self.sandbox, self.store = sandbox, store / "github"
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Connector

    def do_GET(self) -> None:
        self._hand_on(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = json.loads(body)
        self._fetch(said["artifactId"], said["gitHubRepository"], said["gitHubToken"])
        self._hand_on(body)

    def _hand_on(self, body: bytes | None) -> None:
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
        answer = requests.request(self.command, self.server.sandbox + self.path, data=body, headers=headers, timeout=60)
        self.send_response(answer.status_code)
        for name in _PASSED_ON:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def _fetch(self, artifact_id: str, repository: str, token: str) -> None:
        """Put an artifact into the store; where it can't be had, the sandbox's connector says that it is not there."""
        target = self.server.store / f"{artifact_id}.zip"
        if not artifact_id.isdigit() or target.exists():
            return
        answer = requests.get(
            f"{_GITHUB}/repos/{repository}/actions/artifacts/{artifact_id}/zip",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
            timeout=60,
        )
        if answer.ok:
            self.server.store.mkdir(parents=True, exist_ok=True)
            target.write_bytes(answer.content)

    def log_message(self, *_: object) -> None:
        """Say nothing: nobody reads it."""


def main() -> None:
    """Serve until SIGTERM; say where, once it is ready, on one line of JSON."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    options = ["--processing-seconds", "0", "--state", sys.argv[1]]
    if store := os.environ.get("ARTIFACT_STORE"):  # of a runner that has no GitHub to upload artifacts to
        options += ["--artifact-store", store]
    with running_sandbox(options) as sandbox:
        connector = Connector(sandbox["connectors"]["github_pipeline"], Path(sandbox["artifact_store"]))
        print(json.dumps({**sandbox, "connector_url": connector.url}), flush=True)
        connector.serve_forever()


if __name__ == "__main__":
    main()
