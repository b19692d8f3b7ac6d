"""Install signpath-ci from this checkout into a virtual environment, once per machine; print the path of its Python.

What may go wrong on a user's machine is printed as one line instead, with the exit code 3. Everything is built aside
and gets its name in one step: jobs that run at the same time do not see anything half-made.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "signpath_ci"
REQUIREMENTS = ROOT / "requirements" / "runtime.txt"
FAILED = 3


class MachineError(Exception):
    """Something is missing on this machine; the text says what, and what to do."""


def main() -> int:
    """Print the path of the environment's Python."""
    try:
        code, said = 0, str(installed())
    except MachineError as error:
        code, said = FAILED, " ".join(str(error).split())
    # No end of line: on Windows the shell that reads it would keep the carriage return.
    sys.stdout.write(said)
    return code


def installed() -> Path:
    """Return the Python of the environment for exactly these sources and this Python; make it where it is not there."""
    sys.path.insert(0, str(ROOT / "src"))
    from signpath_ci.caches import cache_directory

    target = cache_directory(os.environ, sys.platform) / f"core-{_key()}"
    if not target.is_dir():
        _build(target)
    return target / _PYTHON


_PYTHON = Path("Scripts/python.exe") if os.name == "nt" else Path("bin/python")


def _key() -> str:
    # The Python belongs to the key: an environment ends with the Python that it was made from.
    digest = hashlib.sha256(f"{sys.version}\0{sys.executable}".encode())
    for path in [
        REQUIREMENTS,
        *sorted(path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"),
    ]:
        name, content = path.relative_to(ROOT).as_posix().encode(), path.read_bytes()
        digest.update(b"%d %d " % (len(name), len(content)) + name + content)
    return digest.hexdigest()[:32]


def _build(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    except OSError as error:
        raise MachineError(
            f"{target.parent} can't be written ({error.strerror}), but signpath-ci is to be installed there. "
            "Make it writable, or name another place by XDG_CACHE_HOME (LOCALAPPDATA on Windows). [core-not-installed]"
        ) from None
    try:
        _make_environment(staging)
        packages = next(path for path in staging.glob("[Ll]ib/**/site-packages") if path.is_dir())
        _install_requirements(staging)
        shutil.copytree(PACKAGE, packages / "signpath_ci", ignore=shutil.ignore_patterns("__pycache__"))
        try:
            staging.rename(target)
        except OSError:
            # Another job was faster: its environment is the same.
            if not target.is_dir():
                raise
    except OSError as error:
        raise MachineError(
            f"signpath-ci can't be installed in {target.parent}: {error.strerror}. [core-not-installed]"
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _make_environment(staging: Path) -> None:
    finished = _run([sys.executable, "-I", "-m", "venv", str(staging)])
    if finished.returncode:
        raise MachineError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} at {sys.executable} can't make virtual environments. "
            "On Debian or Ubuntu: apt-get install python3-venv; else use a Python with venv and ensurepip. "
            "[core-not-installed]"
        )


def _install_requirements(staging: Path) -> None:
    pip = [str(staging / _PYTHON), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    finished = _run([*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(REQUIREMENTS)])
    if finished.returncode:
        words = [line for line in finished.stdout.splitlines() if line.startswith("ERROR:")] or ["pip gave no reason."]
        raise MachineError(
            f"The packages that signpath-ci needs could not be fetched: {words[-1].removeprefix('ERROR: ')} "
            "Check the network, the proxy (HTTPS_PROXY) and the package index (PIP_INDEX_URL). [core-not-installed]"
        )


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={name: text for name, text in os.environ.items() if not name.startswith("SIGNPATH_")},
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
