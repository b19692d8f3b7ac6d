"""Independent tools that judge the same files; a test that needs one that is missing says so, and is skipped."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.needs import needs, reason


def _osslsigncode_version() -> tuple[int, ...]:
    if shutil.which("osslsigncode") is None:
        return ()
    said = subprocess.run(["osslsigncode", "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else ()


needs_osslsigncode = needs("osslsigncode")
needs_osslsigncode_for_scripts = pytest.mark.skipif(
    _osslsigncode_version() < (2, 8),
    reason=reason("osslsigncode"),  # before 2.8, it knows no PowerShell scripts
)
needs_openssl = needs("openssl")
needs_jarsigner = needs("jarsigner")


def run(*command: str | Path) -> str:
    """Run a tool that must succeed; return what it says on both outputs."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def osslsigncode_accepts(path: Path, *, root: Path) -> None:
    """Demand that osslsigncode accepts both signatures. It exits 0 on a broken timestamp: read its words."""
    words = run("osslsigncode", "verify", "-CAfile", root, "-TSA-CAfile", root, "-in", path)
    for sentence in (
        "Signature verification: ok",
        "Timestamp Server Signature verification: ok",
        "Number of verified signatures: 1",
    ):
        assert sentence in words, words
