"""Fetch the packages that this checkout needs, once per machine; print the directory that holds them.

What may go wrong on a user's machine is printed as one line instead, with the exit code 3. Everything is built aside
and gets its name in one step: jobs that run at the same time do not see anything half-made. What lies there already is
compared with the lock before it is used.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements" / "runtime.txt"
FAILED = 3
ONCE = "signpath-ci-once-"
"""What the name of a directory for one run alone begins with; `start.py` removes it."""


class MachineError(Exception):
    """Something is missing on this machine; the text says what, and what to do."""


def main() -> int:
    """Print the directory of the packages."""
    sys.path.insert(0, str(ROOT / "src"))
    try:
        code, said = 0, str(installed())
    except MachineError as error:
        code, said = FAILED, " ".join(str(error).split())
    # No end of line: on Windows the shell that reads it would keep the carriage return.
    sys.stdout.write(said)
    return code


def installed() -> Path:
    """Return the directory of the packages that these sources need; fetch them where they are not there."""
    from signpath_ci import wheels

    requirements = REQUIREMENTS.read_bytes()
    target = _cache() / f"core-{_key(requirements)}"
    try:
        if not _is_intact(target, requirements):
            _build(target, requirements)
            if not _is_intact(target, requirements):
                raise MachineError(f"What was put into {target} is not what was fetched. [core-not-installed]")
    except OSError as error:
        raise MachineError(
            f"signpath-ci can't be installed in {target.parent}: {error.strerror}. [core-not-installed]"
        ) from None
    return target / wheels.PACKAGES


def _cache() -> Path:
    """Return this user's cache; where others could put something into it, a directory for this run alone."""
    from signpath_ci.caches import cache_directory, private_cache

    try:
        cache, _ = private_cache(os.environ, sys.platform, Path.cwd())
        return cache or Path(tempfile.mkdtemp(prefix=ONCE))
    except OSError as error:
        where = cache_directory(os.environ, sys.platform) or "The temporary directory"
        raise MachineError(
            f"{where} can't be written ({error.strerror}), but signpath-ci is to be installed there. "
            "Make it writable, or name another place by XDG_CACHE_HOME (LOCALAPPDATA on Windows). [core-not-installed]"
        ) from None


def _is_intact(target: Path, requirements: bytes) -> bool:
    """Tell whether the packages are there as the lock has them; what is not so is removed."""
    from signpath_ci import wheels
    from signpath_ci.files import delete_tree

    if not target.is_dir():
        return False
    try:
        wheels.check(target, requirements)
    except (wheels.WheelError, OSError, zipfile.BadZipFile):
        delete_tree(target)
        return False
    return True


_PYTHON = Path("Scripts/python.exe") if os.name == "nt" else Path("bin/python")


def _key(requirements: bytes) -> str:
    # Wheels with native code are for one Python on one system.
    parts = (sys.version.encode(), sysconfig.get_platform().encode(), requirements)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def _build(target: Path, requirements: bytes) -> None:
    from signpath_ci import wheels
    from signpath_ci.files import delete_tree, move

    staging = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        result = staging / "result"
        result.mkdir()
        _make_environment(staging / "pip")
        _fetch(staging / "pip" / _PYTHON, result / wheels.WHEELS)
        try:
            wheels.unpack(result, requirements)
        except (wheels.WheelError, zipfile.BadZipFile) as error:
            raise MachineError(f"What pip fetched can't be used: {error}. [core-not-installed]") from None
        try:
            move(result, target)
        except OSError:
            # Another job was faster: its packages are the same, which is checked.
            if not target.is_dir():
                raise
    finally:
        delete_tree(staging)


def _make_environment(staging: Path) -> None:
    finished = _run([sys.executable, "-I", "-m", "venv", str(staging)])
    if finished.returncode:
        raise MachineError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} at {sys.executable} can't make virtual environments. "
            "On Debian or Ubuntu: apt-get install python3-venv; else use a Python with venv and ensurepip. "
            "[core-not-installed]"
        )


def _fetch(python: Path, directory: Path) -> None:
    pip = [str(python), "-I", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    pip += ["--dest", str(directory)]
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
