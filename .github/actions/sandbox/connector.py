"""A connector that does what SignPath's does: it fetches the artifact from GitHub itself, with the job's token.

It puts the artifact into the sandbox's store, and hands the call on to the sandbox's connector.
GitHub's API: <https://docs.github.com/rest/actions/artifacts#download-an-artifact>
"""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

_STORE = Path(os.environ["ARTIFACT_STORE"]) / "github"
_SANDBOX = os.environ["SANDBOX_CONNECTOR"]
_GITHUB = os.environ.get("GITHUB_API_URL", "https://api.github.com")
_PASSED_ON = ("Content-Type", "Content-Disposition")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._hand_on(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = json.loads(body)
        fetch(str(said.get("artifactId", "")), str(said.get("gitHubRepository", "")), str(said.get("gitHubToken", "")))
        self._hand_on(body)

    def _hand_on(self, body: bytes | None) -> None:
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
        answer = requests.request(self.command, _SANDBOX + self.path, data=body, headers=headers, timeout=60)
        self.send_response(answer.status_code)
        for name in _PASSED_ON:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)


def fetch(artifact_id: str, repository: str, token: str) -> None:
    """Put an artifact into the store; where it can't be had, the sandbox's connector says that it is not there."""
    target = _STORE / f"{artifact_id}.zip"
    if not artifact_id.isdigit() or target.exists():
        return
    answer = requests.get(
        f"{_GITHUB}/repos/{repository}/actions/artifacts/{artifact_id}/zip",
        headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
        timeout=60,
    )
    if answer.ok:
        _STORE.mkdir(parents=True, exist_ok=True)
        target.write_bytes(answer.content)


def main() -> None:
    """Serve until the job ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
