"""What the tests of the zipapp and of the bootstrap share: the built file, and a Python that has nothing but pip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import ROOT, reason

ZIPAPP = ROOT / "dist" / "signpath-ci.pyz"
WHEELS = ROOT / "build" / "wheels"
needs_zipapp = pytest.mark.skipif(not ZIPAPP.is_file(), reason=reason("dist/signpath-ci.pyz"))
needs_wheels = pytest.mark.skipif(not WHEELS.is_dir(), reason=reason("build/wheels"))

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": WHEELS.as_uri()}
"""Variables that make pip take the wheels that were fetched before, and nothing else."""
UNREACHABLE = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_FIND_LINKS": "",
    "PIP_RETRIES": "0",
}
"""Variables that make pip look for packages where nothing answers."""


def bare_python(directory: Path) -> str:
    """Make an environment that holds pip and nothing else, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True, capture_output=True)
    return str(directory / "bin" / "python")
