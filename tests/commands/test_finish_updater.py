"""electron-updater itself accepts what `finish` writes, and refuses what the build left."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands.test_finish import release
from tests.support.needs import ROOT, find, needs, reason
from tests.support.program import Program

__all__ = ["release"]
_MODULES = ROOT / "tests" / "platforms" / "node_modules"
_SCRIPT = ROOT / "tests" / "support" / "electron_updater.js"

pytestmark = [needs("node"), pytest.mark.skipif(not (_MODULES / "electron-updater").is_dir(), reason=reason("npm"))]


def _update(dist: Path) -> subprocess.CompletedProcess[str]:
    node = find("node") or "node"
    arguments = [node, str(_SCRIPT), str(_MODULES), str(dist), "latest.yml"]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)


def test_the_updater_accepts_the_signed_file(program: Program, release: Path) -> None:
    shutil.copytree(release, release.parent / "before")
    (release / "setup.exe").write_bytes((release / "setup.exe").read_bytes() + b"and a signature")
    stale = _update(release)

    finished = program("finish", "dist", "--unsigned", "before")
    current = _update(release)

    assert finished.code == 0, finished.err
    assert stale.returncode != 0
    assert (current.returncode, current.stdout) == (0, "setup.exe\n"), current.stderr
