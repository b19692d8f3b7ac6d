"""The libraries of verification, which have native code: fetched, pinned by hash, while there is something to wait for.

A plugin carries the core as one file for all systems, which can't hold them. So pip installs them into a cache of this
user, in the background from the submit on; what is downloaded is not accepted before they are there.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import logging
import os
import re
import sys
import weakref
import zipfile
from collections.abc import Mapping
from functools import cached_property
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from signpath_ci import wheels
from signpath_ci.errors import UsageError, VerificationError
from signpath_ci.files import delete, delete_tree, move
from signpath_ci.verify import require_extra, require_xml_extra

if TYPE_CHECKING:
    import subprocess

_log = logging.getLogger(__name__)
LEAST = {"cryptography": (45,)}
"""The oldest versions that will do, as the extra `verify` names them."""
LEAST_XML = {**LEAST, "lxml": (5, 2, 1)}
"""The same of the extra `verify-xml`: XML and OPC signatures need more, and only files with such have it installed."""
_DEADLINE = 600.0  # seconds; pip gives up earlier, unless something keeps it waiting byte by byte
_REQUIREMENTS, _REQUIREMENTS_XML = "requirements.txt", "requirements-xml.txt"
_PLACES = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_DEST")


class Packages:
    """Makes sure of the libraries: `check` before the submit, `start` after it, `ready` before the verification.

    Args:
        directory: where they lie; `None`: where Python finds them.
        install: install them where they are missing.
        cache: this user's directory for what can be made again; `None`: there is none that others can't write to, so
            they are installed into a private directory for this run alone.
        environment: of pip.
    """

    def __init__(
        self, *, directory: Path | None, install: bool, cache: Path | None, environment: Mapping[str, str]
    ) -> None:
        self._directory = directory
        self._install = install
        self._cache = cache
        self._environment = environment
        self._requirements = _REQUIREMENTS
        self._installations: dict[Path, _Installation] = {}
        self._targets: dict[str, Path | None] = {}
        self._intact: dict[Path, bool] = {}

    @property
    def _target(self) -> Path | None:
        """Where they are to be installed; `None` where nothing is."""
        name = self._requirements
        if name not in self._targets:
            least = LEAST_XML if name == _REQUIREMENTS_XML else LEAST
            is_missing = self._directory is None and self._install and not _fit(least)
            self._targets[name] = self._place / f"verify-{_key(name)}" if is_missing else None
        return self._targets[name]

    @cached_property
    def _place(self) -> Path:
        if self._cache is not None:
            return self._cache
        import tempfile

        private = Path(tempfile.mkdtemp(prefix="signpath-ci-"))
        # Windows does not remove libraries that are loaded; what is left there is this user's own.
        weakref.finalize(self, delete_tree, private)
        return private

    def _is_cached(self, target: Path) -> bool:
        """Whether they lie there already, as the lock has them; what is not so is removed."""
        if target not in self._intact:
            self._intact[target] = os.path.lexists(target) and not self._is_flawed(target)
        return self._intact[target]

    def _is_flawed(self, target: Path) -> bool:
        try:
            wheels.check(target, _read(self._requirements))
        except (wheels.WheelError, OSError, zipfile.BadZipFile) as error:
            _log.warning("The cached libraries in %s are not used: %s. Installing them again.", target, error)
            _remove(target)
            return True
        return False

    def require_xml(self) -> None:
        """Provide the libraries for XML and OPC signatures too."""
        self._requirements = _REQUIREMENTS_XML

    def check(self) -> None:
        """Find out whether the libraries are there, or can be installed.

        Raises:
            UsageError: neither; the hint says how to install them.
        """
        if self._directory is not None:
            _import_from(self._directory)
        elif self._target is None:
            require_extra()
            if self._requirements == _REQUIREMENTS_XML:
                require_xml_extra()
        elif not self._is_cached(self._target) and util.find_spec("pip") is None:
            raise UsageError(
                f"Verification needs libraries, and {sys.executable} has no pip to install them.",
                hint="On Debian or Ubuntu: apt-get install python3-pip; or sign with --verify off.",
                code="packages-missing",
            )

    def start(self) -> None:
        """Begin to install in the background what is missing."""
        target = self._target
        if target is not None and not self._is_cached(target) and target not in self._installations:
            self._installations[target] = _Installation(target, self._environment, self._requirements)

    def ready(self) -> None:
        """Wait until the libraries can be used.

        Raises:
            VerificationError: they could not be installed.
            UsageError: they are not there.
        """
        if self._target is None:
            self.check()
            return
        self.start()
        if self._target in self._installations:
            self._installations[self._target].finish()
            try:
                wheels.check(self._target, _read(self._requirements))  # another run may have put it there
            except (wheels.WheelError, OSError, zipfile.BadZipFile) as error:
                raise _failed(f"{self._target} can't be used: {error}.") from None
        # What Python would write there would be no file of a wheel.
        sys.dont_write_bytecode = True
        _import_from(self._target / wheels.PACKAGES)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            delete_tree(path)
        else:
            delete(path)


class _Installation:
    """One run of pip. It works aside; the result gets its name in one step, so that no other run sees half of it."""

    def __init__(self, target: Path, environment: Mapping[str, str], requirements: str) -> None:
        # Here, as start-up is spared what is needed only once for each machine.
        import subprocess
        import tempfile

        self._target, self._lock = target, _read(requirements)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._staging = Path(tempfile.mkdtemp(prefix=".installing-", dir=target.parent))
            (self._staging / "requirements.txt").write_bytes(self._lock)
            self._log = (self._staging / "log").open("w+b")
            self._pip = subprocess.Popen(  # noqa: S603 - our own Python, arguments of our own
                [
                    *(sys.executable, "-I", "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
                    *("--no-input", "--no-deps", "--only-binary", ":all:", "--require-hashes"),
                    *("--requirement", "requirements.txt", "--dest", wheels.WHEELS),
                ],
                cwd=self._staging,
                env=_pip_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise _failed(f"{target.parent} can't be used: {error.strerror}.") from None
        # Also where the run ends for another reason: neither pip nor its files are left behind.
        self._tidy = weakref.finalize(self, _tidy, self._pip, self._log, self._staging)

    def finish(self) -> None:
        """Wait for the end.

        Raises:
            VerificationError: it failed.
        """
        import subprocess

        if not self._tidy.alive:
            return
        try:
            if self._pip.poll() is None:
                _log.info("Waiting for the libraries that verification needs to be installed.")
            code = self._pip.wait(_DEADLINE)
            if code == 0:
                self._publish()
            else:
                raise _failed(self._last_words())
        except subprocess.TimeoutExpired:
            raise _failed(f"pip did not end within {_DEADLINE:.0f} s.") from None
        finally:
            self._tidy()

    def _publish(self) -> None:
        result = self._staging / "result"
        try:
            result.mkdir()
            move(self._staging / wheels.WHEELS, result / wheels.WHEELS)
            wheels.unpack(result, self._lock)
        except (wheels.WheelError, OSError, zipfile.BadZipFile) as error:
            raise _failed(f"what pip fetched can't be unpacked: {error}.") from None
        try:
            move(result, self._target)
        except OSError as error:
            # Another run was faster: what it installed is the same, which is checked.
            if not self._target.is_dir():
                raise _failed(f"{self._target} can't be made: {error.strerror}.") from None

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").splitlines()
        errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
        return (errors or lines or ["pip gave no reason"])[-1].rstrip(".") + "."


def _tidy(pip: subprocess.Popen[bytes], log: BinaryIO, staging: Path) -> None:
    if pip.poll() is None:
        pip.kill()
        pip.wait()
    log.close()
    delete_tree(staging)


def _failed(why: str) -> VerificationError:
    return VerificationError(
        f"The libraries that verification needs could not be installed: {why}",
        hint="Check the network, the proxy (HTTPS_PROXY) and the package index (PIP_INDEX_URL); "
        "then fetch and verify the signed file of this request with signpath-ci download.",
        code="packages-not-installed",
    )


def _fit(wanted: Mapping[str, tuple[int, ...]]) -> bool:
    """Tell whether Python finds libraries that are new enough, without importing them: older ones would stay loaded."""
    from importlib import metadata

    try:
        return all(
            tuple(map(int, re.findall(r"\d+", metadata.version(name))[:3])) >= least for name, least in wanted.items()
        )
    except metadata.PackageNotFoundError:
        return False


def _import_from(directory: Path) -> None:
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
        importlib.invalidate_caches()
    require_extra()


def _read(requirements: str) -> bytes:
    from pkgutil import get_data

    data = get_data("signpath_ci.verify", requirements)
    if data is None:
        raise FileNotFoundError(requirements)
    return data


def _key(requirements: str) -> str:
    """Name what is installed: other requirements, another Python or system have another name."""
    import sysconfig

    parts = (_read(requirements), sys.version.encode(), sysconfig.get_platform().encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def _pip_environment(environment: Mapping[str, str]) -> dict[str, str]:
    # Our secrets are none of pip's business, and settings of the user's must not lead it elsewhere.
    kept = {n: text for n, text in environment.items() if not n.upper().startswith("SIGNPATH_") and n not in _PLACES}
    return {**kept, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
