"""What a plugin's step costs by itself: its whole command against a server that has the result ready."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

from benchmarks.measure import Run, median, run, table
from signpath_ci.sandbox.child import running_sandbox

_ROOT = Path(__file__).parents[1]
_ROUNDS = 15
_ID = "0b1c4a0e-1111-4222-8333-444455556666"
_BUILD = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "acme/app",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_RUN_ID": "77",
    "SIGNPATH_ORGANIZATION_ID": "7c2f0a44-1111-4222-8333-444455556666",
    "SIGNPATH_PROJECT_SLUG": "demo",
    "SIGNPATH_SIGNING_POLICY_SLUG": "test-signing",
    "SIGNPATH_API_TOKEN": "token",
    "SIGNPATH_GITHUB_ARTIFACT_ID": "4711",
    "SIGNPATH_GITHUB_TOKEN": "token-of-the-job",
    "SIGNPATH_OUTPUT_ARTIFACT_DIRECTORY": "signed",
}


def measure() -> str:
    """Return the table of whole steps, in milliseconds and against a bare interpreter."""
    with tempfile.TemporaryDirectory() as name:
        plugin = Path(name) / "bootstrap"
        plugin.mkdir()
        for file in (_ROOT / "bootstrap" / "run", _ROOT / "dist" / "signpath-ci.pyz"):
            shutil.copy(file, plugin)
        work = Path(name) / "work"
        work.mkdir()
        with _connector(_signed_archive(Path(name))) as url:
            environment = {
                **_BUILD,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "SIGNPATH_CONNECTOR_URL": url,
                "GITHUB_OUTPUT": str(Path(name) / "output"),
                "GITHUB_STEP_SUMMARY": str(Path(name) / "summary"),
            }
            step = [str(plugin / "run"), "sign"]
            commands = {
                "`python -c pass`": ([sys.executable, "-c", "pass"], {}),
                "the step, with `verify: off`": (step, {**environment, "SIGNPATH_VERIFY": "off"}),
                "the step, which verifies too": (step, environment),
            }
            runs: dict[str, list[Run]] = {title: [] for title in commands}
            for _ in range(_ROUNDS + 1):
                for title, (command, variables) in commands.items():
                    runs[title].append(run(command, variables, directory=work))
                    shutil.rmtree(work / "signed", ignore_errors=True)
    bare = median(runs["`python -c pass`"][1:]).seconds
    rows = []
    for title, measured in runs.items():
        seconds = median(measured[1:]).seconds
        rows.append([title, f"{seconds * 1000:.0f} ms", f"{(seconds - bare) * 1000:.0f} ms"])
    return table(["command", f"median of {_ROUNDS}", "more than a bare interpreter"], rows)


def _signed_archive(directory: Path) -> bytes:
    """Return what a connector sends for an artifact that holds one executable: signed by the sandbox."""
    spec = find_spec("distlib")
    file = directory / "app.exe"
    shutil.copy(Path((spec.origin if spec else None) or "").with_name("t64.exe"), file)
    with running_sandbox(["--processing-seconds", "0"]) as sandbox:
        names = ("api_url", "api_token", "organization_id", "project_slug", "signing_policy_slug")
        environment = {f"SIGNPATH_{name.upper()}": sandbox[name] for name in names}
        run([sys.executable, "-m", "signpath_ci", "sign", str(file)], environment)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file.with_suffix(".signed.exe"), "app.exe")
    return content.getvalue()


@contextmanager
def _connector(signed: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # as servers do: or else the second answer waits for the client's TCP

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._json({"signingRequestId": _ID, "signingRequestUrl": f"https://signpath.example/{_ID}"})

        def do_GET(self) -> None:
            if "/SignedArtifact" in self.path:
                self._send(signed, "application/zip")
            else:
                self._json({"status": "Completed", "isFinalStatus": True})

        def log_message(self, *_: object) -> None:
            """Stay silent."""

        def _json(self, answer: object) -> None:
            self._send(json.dumps(answer).encode(), "application/json")

        def _send(self, body: bytes, content_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
