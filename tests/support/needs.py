"""What tests need and the Python environment does not bring: where it is missing, they are skipped, and say so.

The closing line of a run names all that is missing, with what installs it (`tests/conftest.py`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TOOLS = ROOT / ".venv-tools" / "bin"
_NODE_TOOLS = ROOT / "tests" / "platforms" / "node_modules" / ".bin"


def _installed_by() -> Iterator[tuple[str, str]]:
    for line in (ROOT / "tests" / "tools.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            tool, package, *words = line.split(None, 2)
            yield tool, ", ".join([*([] if package == "-" else [f"apt-get install {package}"]), *words])


INSTALLED_BY: Mapping[str, str] = dict(_installed_by())
"""Each program, and what installs it."""
_SKIPPED = "missing: "

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
BOUND_BY_PERMISSIONS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if IS_ROOT else ()
"""What starts a program that permissions of files bind even where the tests run as root."""
posix = pytest.mark.skipif(os.name == "nt", reason="uses processes, files or signals as POSIX has them")


def find(tool: str) -> str | None:
    """Return the path of a program, also of one that `make test` installs; `None` where there is none."""
    places = [os.environ.get("PATH", os.defpath), str(_TOOLS), *([str(_NODE_TOOLS)] if _has_node() else [])]
    found = shutil.which(tool, path=os.pathsep.join(places))
    return None if tool == "node" and not _has_node() else found


@cache
def _has_node() -> bool:
    """Tell whether there is Node.js 20 or later."""
    node = shutil.which("node")
    if node is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    version = re.match(r"v(\d+)", said)
    return version is not None and int(version[1]) >= 20


def needs(*tools: str) -> pytest.MarkDecorator:
    """Mark a test that needs programs."""
    missing = [tool for tool in tools if find(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=reason(*(missing or tools)))


def needs_permissions() -> pytest.MarkDecorator:
    """Mark a test in which permissions of files bind a program (`BOUND_BY_PERMISSIONS`)."""
    if os.name == "nt":
        return posix
    return pytest.mark.skipif(IS_ROOT and shutil.which("setpriv") is None, reason=reason("setpriv"))


def make_fifo(path: Path) -> None:
    """Make a FIFO; skip the test where files can't be one."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("Windows has no FIFOs in directories")
    os.mkfifo(path)


def reason(*tools: str) -> str:
    """Return the reason of a skipped test: the programs that it misses."""
    assert set(tools) <= INSTALLED_BY.keys(), f"tests/tools.txt must say what installs {tools}"
    return _SKIPPED + " ".join(tools)


def missing_tools(reasons: list[str]) -> list[str]:
    """Return the programs for want of which tests were skipped, by the reasons that pytest reports."""
    named = [reason.partition(_SKIPPED)[2].split() for reason in reasons if _SKIPPED in reason]
    return sorted({tool for tools in named for tool in tools})
