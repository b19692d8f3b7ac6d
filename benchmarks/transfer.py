"""A whole signing job against `curl` doing the same calls, plus `sha256sum` of both files."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.measure import Run, median, run, table
from signpath_ci.sandbox.child import running_sandbox

_MIB = 1 << 20
_ROUNDS = 3

# The calls of the wire contract, as one would write them in a pipeline; the same poll interval as the client's.
_CURL_JOB = r"""
set -eu
hash=$(sha256sum "$FILE" | cut -d' ' -f1)
auth="Authorization: Bearer $TOKEN"
base="$API_URL/v1/$ORGANIZATION"
answer=$(curl -sSf -H "$auth" -F projectSlug="$PROJECT" -F signingPolicySlug="$POLICY" \
  -F unsignedArtifactMetadata.fileName="$(basename "$FILE")" -F unsignedArtifactMetadata.sha256Hash="$hash" \
  "$base/SigningRequests/SubmitWithoutArtifact")
id=$(printf '%s' "$answer" | sed 's/.*"signingRequestId": *"\([^"]*\)".*/\1/')
curl -sSf -X POST -T "$FILE" -H "$auth" -H 'Content-Type: application/octet-stream' \
  "$base/SigningRequests/$id/UploadUnsignedArtifact"
until curl -sSf -H "$auth" "$base/SigningRequests/$id/Status" | grep -q '"status": *"Completed"'; do sleep 1; done
curl -sSf -H "$auth" -o "$OUTPUT" "$base/SigningRequests/$id/SignedArtifact"
sha256sum "$OUTPUT"
"""


def measure() -> str:
    """Return the table of whole jobs: wall time against `curl`, and the client's peak memory."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with running_sandbox(["--state", str(directory / "state"), "--processing-seconds", "0"]) as sandbox:
            for size in (16, 1024):
                file = pe_file(directory / f"{size}.exe", size * _MIB)
                ours, curl, off = [], [], []
                for _ in range(_ROUNDS):
                    ours.append(_sign(file, sandbox, "signed"))
                    off.append(_sign(file, sandbox, "off"))
                    curl.append(_curl(file, sandbox))
                file.unlink()
                rows += [
                    _row(size, "`curl` + `sha256sum`", median(curl), median(curl)),
                    _row(size, "`signpath-ci sign --verify off`", median(off), median(curl)),
                    _row(size, "`signpath-ci sign` (verifies too)", median(ours), median(curl)),
                ]
    return table(["file", "job", f"wall time, median of {_ROUNDS}", "against `curl`", "peak memory"], rows)


def _row(size: int, name: str, measured: Run, against: Run) -> list[str]:
    memory = "" if "curl" in name else f"{measured.peak_mib:.0f} MiB"
    return [f"{size} MiB", name, f"{measured.seconds:.2f} s", f"{measured.seconds / against.seconds:.2f}", memory]


def _sign(file: Path, sandbox: dict[str, Any], level: str) -> Run:
    output = file.with_suffix(".signed")
    command = [sys.executable, "-m", "signpath_ci", "sign", str(file), "-o", str(output), "--force", "--verify", level]
    measured = run(
        command,
        {
            "SIGNPATH_API_URL": sandbox["api_url"],
            "SIGNPATH_API_TOKEN": sandbox["api_token"],
            "SIGNPATH_ORGANIZATION_ID": sandbox["organization_id"],
            "SIGNPATH_PROJECT_SLUG": sandbox["project_slug"],
            "SIGNPATH_SIGNING_POLICY_SLUG": sandbox["signing_policy_slug"],
            "SIGNPATH_TRUST_ROOT": sandbox["trust_root"],
        },
    )
    output.unlink()
    return measured


def _curl(file: Path, sandbox: dict[str, Any]) -> Run:
    output = file.with_suffix(".curl")
    measured = run(
        ["bash", "-c", _CURL_JOB],
        {
            "FILE": str(file),
            "OUTPUT": str(output),
            "API_URL": sandbox["api_url"],
            "TOKEN": sandbox["api_token"],
            "ORGANIZATION": sandbox["organization_id"],
            "PROJECT": sandbox["project_slug"],
            "POLICY": sandbox["signing_policy_slug"],
        },
    )
    output.unlink()
    return measured


def pe_file(path: Path, size: int) -> Path:
    """Make a real executable of `size` bytes: a launcher, and data behind it, as installers carry theirs."""
    spec = find_spec("distlib")
    launcher = Path((spec.origin if spec else None) or "").with_name("t64.exe").read_bytes()
    block = os.urandom(_MIB)
    with path.open("wb") as file:
        file.write(launcher)
        while (missing := size - file.tell()) > 0:
            file.write(block[:missing])
    return path
