"""The zipapp: one file that every Python runs, and what verification needs beside it."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from tools.dist import pack

from signpath_ci.wheels import PACKAGES
from tests.support.needs import ROOT
from tests.support.plugin import OFFLINE, UNREACHABLE, WHEELS, ZIPAPP, bare_python, needs_wheels, needs_zipapp
from tests.support.program import Finished, Sandbox, finish, job_environment

pytestmark = needs_zipapp
ALONE = (sys.executable, "-I", "-S")
"""A Python without any installed package."""


def _run(command: tuple[str, ...], *arguments: str | Path, directory: Path, environment: Mapping[str, str]) -> Finished:
    with subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        return finish(process)


def test_it_is_pure_python_with_all_that_it_needs_and_the_licences() -> None:
    with zipfile.ZipFile(ZIPAPP) as archive:
        names = archive.namelist()

    assert [name for name in names if name.endswith((".so", ".pyd", ".dll", ".dylib", ".exe"))] == []
    assert [name for name in names if "__pycache__" in name] == []
    bundled = {name.split("-")[0] for name in names if ".dist-info/" in name}
    assert bundled == {"certifi", "charset_normalizer", "idna", "pyyaml", "requests", "truststore", "urllib3"}
    assert {name.split("-")[0] for name in names if ".dist-info/licenses/" in name} == bundled
    assert {
        "certifi/cacert.pem",
        "signpath_ci/verify/requirements.txt",
        "signpath_ci/verify/requirements-xml.txt",
    } <= set(names)


def test_it_signs_with_nothing_installed(sandbox: Sandbox, tmp_path: Path, executable: Path) -> None:
    signed = _run(
        (*ALONE, str(ZIPAPP)),
        *("sign", executable.name, "--verify", "off"),
        directory=tmp_path,
        environment=job_environment(sandbox),
    )

    assert (signed.code, signed.out) == (0, "app.signed.exe\n"), signed.err
    assert (tmp_path / "app.signed.exe").stat().st_size > executable.stat().st_size


def test_another_python_takes_the_sources(tmp_path: Path, sandbox: Sandbox, executable: Path) -> None:
    sources = tmp_path / "sources.pyz"
    with zipfile.ZipFile(ZIPAPP) as archive, zipfile.ZipFile(sources, "w") as copy:
        for name in archive.namelist():
            if not name.startswith("compiled/"):
                copy.writestr(name, archive.read(name))

    signed = _run(
        (*ALONE, str(sources)),
        *("sign", executable.name, "--verify", "off"),
        directory=tmp_path,
        environment=job_environment(sandbox),
    )

    assert (signed.code, signed.out) == (0, "app.signed.exe\n"), signed.err


def test_this_python_takes_compiled_code() -> None:
    script = (
        "import runpy, sys; sys.argv[1:] = ['--version']\n"
        f"try: runpy.run_path({str(ZIPAPP)!r}, run_name='__main__')\n"
        "except SystemExit: print(sys.modules['signpath_ci.cli'].__file__)"
    )

    finished = subprocess.run([*ALONE, "-c", script], capture_output=True, text=True, check=True)

    path = finished.stdout.splitlines()[-1]
    assert path == f"{ZIPAPP}/compiled/{sys.implementation.cache_tag}/signpath_ci/cli.pyc".replace("/", os.sep)


def test_a_python_that_is_too_old_is_told_so() -> None:
    with zipfile.ZipFile(ZIPAPP) as archive:
        main = archive.read("__main__.py").decode()
    ast.parse(main, feature_version=(3, 0))
    script = f"import sys; sys.version_info = (3, 9, 1, 'final', 0)\nexec({main!r})"

    finished = subprocess.run([*ALONE, "-c", script], capture_output=True, text=True, check=False)

    assert (finished.returncode, finished.stderr) == (
        1,
        "error: Python 3.9 is too old: signpath-ci needs 3.10 or later. [no-python]\n",
    )


@pytest.mark.full
@needs_wheels
def test_two_builds_are_the_same(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        target = tmp_path / name / "app.pyz"
        target.parent.mkdir()
        command = [sys.executable, "-m", "tools.dist", str(target)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **OFFLINE}, check=True, capture_output=True)
        digests.add(hashlib.sha256(target.read_bytes()).hexdigest())

    assert len(digests) == 1


def test_neither_times_nor_modes_go_into_it(tmp_path: Path) -> None:
    for name, mode, time in (("one", 0o600, 0), ("two", 0o777, 1_700_000_000)):
        tree = tmp_path / name
        for file in ("b.py", "a.py") if name == "one" else ("a.py", "b.py"):
            tree.mkdir(exist_ok=True)
            (tree / file).write_text("pass\n", encoding="utf-8")
            (tree / file).chmod(mode)
            os.utime(tree / file, (time, time))
        pack(tree, tmp_path / f"{name}.pyz")

    assert (tmp_path / "one.pyz").read_bytes() == (tmp_path / "two.pyz").read_bytes()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    return bare_python(tmp_path_factory.mktemp("bare") / "venv")


@needs_wheels
class TestLibrariesOfVerification:
    @pytest.fixture
    def cache(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return where caches are, outside of the job's directory: one inside is not trusted."""
        return tmp_path_factory.mktemp("cache") / "signpath-ci"

    @pytest.fixture
    def environment(self, sandbox: Sandbox, cache: Path) -> dict[str, str]:
        return {
            **job_environment(sandbox),
            **OFFLINE,
            "SIGNPATH_INSTALL_VERIFY": "true",
            "XDG_CACHE_HOME": str(cache.parent),
        }

    def test_they_are_installed_once_and_then_there(
        self, bare: str, environment: dict[str, str], cache: Path, tmp_path: Path, executable: Path
    ) -> None:
        core = (bare, "-I", str(ZIPAPP))

        first = _run(core, "sign", executable.name, directory=tmp_path, environment=environment)
        cached = list(cache.iterdir())
        second = _run(
            core,
            *("sign", executable.name, "--force"),
            directory=tmp_path,
            environment={**environment, **UNREACHABLE},
        )
        third = _run(
            core,
            *("verify", "app.signed.exe", "--verify-packages", cached[0] / PACKAGES),
            directory=tmp_path,
            environment={**environment, "XDG_CACHE_HOME": str(tmp_path / "other"), "SIGNPATH_INSTALL_VERIFY": ""},
        )

        assert (first.code, first.out) == (0, "app.signed.exe\n"), first.err
        assert "trusted by root; same content as submitted" in first.err
        assert [path.name.split("-")[0] for path in cached] == ["verify"]
        assert (second.code, second.out) == (0, "app.signed.exe\n"), second.err
        assert third.code == 0, third.err
        assert list(cache.iterdir()) == cached

    def test_what_can_not_be_verified_is_not_delivered(
        self, bare: str, environment: dict[str, str], cache: Path, tmp_path: Path, executable: Path
    ) -> None:
        signed = _run(
            (bare, "-I", str(ZIPAPP)),
            *("sign", executable.name),
            directory=tmp_path,
            environment={**environment, **UNREACHABLE, "PIP_NO_INDEX": ""},
        )

        assert signed.code == 7
        assert signed.error.startswith("The libraries that verification needs could not be installed: No matching")
        assert "then fetch and verify the signed file of this request with signpath-ci download." in signed.error
        assert not (tmp_path / "app.signed.exe").exists()
        assert list(cache.iterdir()) == []

    @pytest.mark.full
    def test_packages_of_the_directory_that_it_runs_in_are_not_trusted(
        self, bare: str, environment: dict[str, str], tmp_path: Path, executable: Path
    ) -> None:
        for name in ("pip", "cryptography", "requests"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "__init__.py").write_text("raise SystemExit('hijacked')", encoding="utf-8")
            shutil.copy(tmp_path / name / "__init__.py", tmp_path / name / "__main__.py")

        signed = _run((bare, "-I", str(ZIPAPP)), "sign", executable.name, directory=tmp_path, environment=environment)

        assert (signed.code, signed.out) == (0, "app.signed.exe\n"), signed.err

    def test_without_pip_nothing_is_submitted(
        self, environment: dict[str, str], tmp_path: Path, executable: Path
    ) -> None:
        signed = _run((*ALONE, str(ZIPAPP)), "sign", executable.name, directory=tmp_path, environment=environment)

        assert signed.code == 2
        assert "has no pip to install them. On Debian or Ubuntu: apt-get install python3-pip" in signed.error
        assert "Signing request" not in signed.err

    def test_without_leave_nothing_is_installed(
        self, environment: dict[str, str], cache: Path, tmp_path: Path, executable: Path
    ) -> None:
        signed = _run(
            (*ALONE, str(ZIPAPP)),
            *("sign", executable.name),
            directory=tmp_path,
            environment={**environment, "SIGNPATH_INSTALL_VERIFY": "false"},
        )

        assert signed.error == (
            "Verification needs libraries that are not installed (cryptography). "
            "Install them: pip install 'signpath-ci[verify]'"
        )
        assert not cache.exists()


@needs_wheels
def test_every_wheel_that_a_test_takes_is_pinned() -> None:
    locked = [
        ROOT / "requirements" / "runtime.txt",
        *(ROOT / "src" / "signpath_ci" / "verify").glob("requirements*.txt"),
    ]
    hashes = "".join(path.read_text("utf-8") for path in locked)

    assert [
        wheel.name
        for wheel in WHEELS.glob("*.whl")
        if f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" not in hashes
    ] == []


@pytest.mark.parametrize("command", ["sandbox", "demo"])
def test_it_says_that_it_has_no_sandbox(command: str) -> None:
    finished = subprocess.run([sys.executable, "-I", str(ZIPAPP), command], capture_output=True, text=True, check=False)

    assert finished.returncode == 2
    assert finished.stderr.endswith("[packages-missing]\n")
