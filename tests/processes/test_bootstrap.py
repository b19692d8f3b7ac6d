"""The bootstrap of the plugins: which Python, which core, and what it says where something is missing."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.loopback import Connection, loopback
from tests.support.needs import ROOT, posix
from tests.support.plugin import OFFLINE, UNREACHABLE, ZIPAPP, needs_wheels, needs_zipapp
from tests.support.program import Finished, finish

pytestmark = [needs_zipapp, posix]
VERSION = "signpath-ci "
_ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory that is all of PATH: what the script itself uses, and no Python."""
    directory = tmp_path / "programs"
    directory.mkdir()
    for name in ("sh", "dirname"):
        (directory / name).symlink_to(str(shutil.which(name)))
    return directory


def _python(programs: Path, name: str, script: str = 'exec "$REAL_PYTHON" "$@"') -> None:
    path = programs / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """The bootstrap of a release, in a directory with a name that scripts break at."""
    directory = tmp_path / "a plugin's $(dir)" / "bootstrap"
    directory.mkdir(parents=True)
    shutil.copy(ROOT / "bootstrap" / "run", directory)
    shutil.copy(ZIPAPP, directory)
    return directory / "run"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The bootstrap of a branch: the sources, and no zipapp."""
    root = tmp_path / "check out"
    ignored = shutil.ignore_patterns("__pycache__", "sandbox", "*.pyz")
    shutil.copytree(ROOT / "src", root / "src", ignore=ignored)
    shutil.copytree(ROOT / "bootstrap", root / "bootstrap", ignore=ignored)
    (root / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "runtime.txt", root / "requirements")
    return root / "bootstrap" / "run"


def _start(run: Path, *arguments: str, programs: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(run), *arguments],
        env={"PATH": str(programs), "REAL_PYTHON": sys.executable, "HOME": str(programs.parent), **environment},
        cwd=programs.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(run: Path, *arguments: str, programs: Path, **environment: str) -> Finished:
    with _start(run, *arguments, programs=programs, **environment) as process:
        return finish(process)


@pytest.mark.parametrize(
    "pythons",
    [
        {"python3": 'exec "$REAL_PYTHON" "$@"'},
        {"python": 'exec "$REAL_PYTHON" "$@"'},
        {"py": '[ "$1" = -3 ] && shift && exec "$REAL_PYTHON" "$@"'},
        {"python3": "echo 'Get it from the Store' >&2; exit 9", "python": 'exec "$REAL_PYTHON" "$@"'},
        {"python3": "printf 3.9", "python": "printf 2.7", "py": 'shift && exec "$REAL_PYTHON" "$@"'},
    ],
    ids=["python3", "python", "py -3", "a stub", "old ones"],
)
def test_a_python_is_found(plugin: Path, programs: Path, pythons: Mapping[str, str]) -> None:
    for name, script in pythons.items():
        _python(programs, name, script)

    finished = _run(plugin, "--version", programs=programs)

    assert (finished.code, finished.err) == (0, "")
    assert finished.out.startswith(VERSION)


def test_without_a_python_it_says_so_to_the_platform_too(plugin: Path, programs: Path) -> None:
    said = (
        "No Python found (tried: python3, python, py -3). signpath-ci needs 3.10 or later: "
        "install one, or add a step that sets it up. [no-python]"
    )

    assert _run(plugin, "sign", programs=programs) == Finished(2, "", f"error: {said}\n")
    assert _run(plugin, "sign", programs=programs, GITHUB_ACTIONS="true").err == (
        f"error: {said}\n::error title=SignPath::{said}\n"
    )
    assert _run(plugin, "sign", programs=programs, TF_BUILD="True").err == (
        f"error: {said}\n##vso[task.logissue type=error]{said}\n"
    )


def test_pythons_that_are_too_old_are_named(plugin: Path, programs: Path) -> None:
    _python(programs, "python3", "printf 3.9")
    _python(programs, "python", "printf 2.7")

    finished = _run(plugin, "sign", programs=programs)

    assert (finished.code, finished.error) == (
        2,
        "Python is too old: python3 is 3.9. python is 2.7. signpath-ci needs 3.10 or later: "
        "install one, or add a step that sets it up.",
    )


def test_arguments_and_variables_arrive_as_they_are(plugin: Path, programs: Path) -> None:
    _python(programs, "python3")
    name = "a 'b' \"c\" $(id) `id` *\\n;.exe"

    finished = _run(
        plugin,
        *("sign", name, "--verify", "off"),
        programs=programs,
        SIGNPATH_API_TOKEN="token",
        SIGNPATH_ORGANIZATION_ID="78549bc2-1ace-49b5-8833-066f81c2e1ec",
        SIGNPATH_PROJECT_SLUG="$(exit 1) '",
        SIGNPATH_SIGNING_POLICY_SLUG="p",
    )

    assert finished.error.startswith(f"{name} does not exist.")


def test_neither_the_directory_nor_variables_decide_what_is_imported(plugin: Path, programs: Path) -> None:
    _python(programs, "python3")
    for name in ("signpath_ci", "requests", "argparse", "sitecustomize"):
        (programs.parent / f"{name}.py").write_text("raise SystemExit('hijacked')", encoding="utf-8")

    finished = _run(plugin, "--version", programs=programs, PYTHONPATH=str(programs.parent))

    assert (finished.code, finished.err) == (0, "")


def test_signals_reach_the_core(plugin: Path, programs: Path) -> None:
    _python(programs, "python3")
    arrived = threading.Event()

    def hold(connection: Connection) -> None:
        arrived.set()
        connection.hang()

    with loopback(hold) as server:
        where = {"SIGNPATH_API_URL": server.url, "SIGNPATH_API_TOKEN": "t", "SIGNPATH_ORGANIZATION_ID": _ID}
        with _start(plugin, "status", _ID, programs=programs, **where) as process:
            assert arrived.wait(60)
            process.send_signal(signal.SIGTERM)
            finished = finish(process)

    # A shell in between would have died of the signal and left the core behind: it is the core that answers.
    assert finished.code == 143
    assert finished.error.startswith("Interrupted by SIGTERM.")


@pytest.mark.full
@needs_wheels
def test_a_checkout_is_installed_once_also_by_jobs_at_the_same_time(checkout: Path, programs: Path) -> None:
    _python(programs, "python3")
    cache = programs.parent / ".cache" / "signpath-ci"

    with _start(checkout, "--version", programs=programs, **OFFLINE) as one:
        two = _run(checkout, "--version", programs=programs, **OFFLINE)
        first = finish(one)
    made = list(cache.iterdir())
    again = _run(checkout, "--version", programs=programs, **UNREACHABLE)

    assert {(each.code, each.err, each.out[: len(VERSION)]) for each in (first, two, again)} == {(0, "", VERSION)}
    assert [path.name.split("-")[0] for path in made] == ["core"]
    assert list(cache.iterdir()) == made


@pytest.mark.full
@needs_wheels
def test_a_checkout_is_installed_anew_where_any_file_of_it_has_changed(checkout: Path, programs: Path) -> None:
    _python(programs, "python3")
    _run(checkout, "--version", programs=programs, **OFFLINE)
    schema = checkout.parents[1] / "src" / "signpath_ci" / "schema" / "signing.schema.json"
    schema.write_text(schema.read_text("utf-8").replace('"project"', '"product"'), "utf-8")
    (programs.parent / "signing.yml").write_text("version: 1\nproduct: mine\n", "utf-8")

    finished = _run(checkout, "config", "--manifest", "signing.yml", "--json", programs=programs, **OFFLINE)

    assert finished.json["project_slug"] == {"value": "mine", "source": "signing.yml:2"}


@needs_wheels
def test_without_a_network_it_says_so_and_leaves_nothing(checkout: Path, programs: Path) -> None:
    _python(programs, "python3")

    finished = _run(checkout, "--version", programs=programs, GITHUB_ACTIONS="true", **UNREACHABLE)

    said = finished.error
    assert finished.code == 2
    assert said.startswith("The packages that signpath-ci needs could not be fetched: No matching distribution found")
    assert said.endswith("Check the network, the proxy (HTTPS_PROXY) and the package index (PIP_INDEX_URL).")
    assert finished.err.endswith(f"::error title=SignPath::{said} [core-not-installed]\n")
    assert list((programs.parent / ".cache" / "signpath-ci").iterdir()) == []


def test_without_write_access_it_says_so(checkout: Path, programs: Path) -> None:
    _python(programs, "python3")
    # A file where the directory should be can't be written into by anybody, not even by root.
    (programs.parent / "cache").write_text("", encoding="utf-8")

    finished = _run(checkout, "--version", programs=programs, XDG_CACHE_HOME=str(programs.parent / "cache"))

    assert (finished.code, finished.error) == (
        2,
        f"{programs.parent}/cache/signpath-ci can't be written (Not a directory), but signpath-ci is to be installed "
        "there. Make it writable, or name another place by XDG_CACHE_HOME (LOCALAPPDATA on Windows).",
    )


def test_a_python_without_venv_is_told_what_to_install(checkout: Path, programs: Path) -> None:
    broken = programs / "broken-python"
    _python(programs, "broken-python", "exit 1")
    # Debian's Python has the module, but not what it needs: making an environment fails.
    hide = f"import runpy, sys; sys.executable = {str(broken)!r}; runpy.run_path(sys.argv[1], run_name='__main__')"
    script = (
        rf'case "$*" in *install.py) exec "$REAL_PYTHON" -I -c "{hide}" "$4" ;; *) exec "$REAL_PYTHON" "$@" ;; esac'
    )
    _python(programs, "python3", script)

    finished = _run(checkout, "--version", programs=programs)

    assert finished.code == 2
    assert finished.error.endswith(
        f"at {broken} can't make virtual environments. "
        "On Debian or Ubuntu: apt-get install python3-venv; else use a Python with venv and ensurepip."
    )


def test_git_bash_is_told_to_leave_the_inputs_as_they_are(plugin: Path, programs: Path) -> None:
    """MSYS rewrites values that look like POSIX paths, also a token that begins with a slash."""
    _python(
        programs,
        "python3",
        r'case "$*" in *\ -c\ *) exec "$REAL_PYTHON" "$@";; esac; printf "%s" "$MSYS2_ENV_CONV_EXCL"',
    )

    found = _run(plugin, programs=programs, MSYS2_ENV_CONV_EXCL="OTHER_")

    assert found.out == "SIGNPATH_;OTHER_"


@needs_wheels
def test_a_cache_that_somebody_has_changed_is_not_used(checkout: Path, programs: Path) -> None:
    _python(programs, "python3")
    _run(checkout, "--version", programs=programs, **OFFLINE)
    (core,) = (programs.parent / ".cache" / "signpath-ci").iterdir()
    for name in ("requests/__init__.py", "argparse.py"):
        (core / "packages" / name).write_text("raise SystemExit('hijacked')", encoding="utf-8")

    refused = _run(checkout, "origin", programs=programs, **UNREACHABLE)
    finished = _run(checkout, "origin", programs=programs, **OFFLINE)

    assert refused.code == 2
    assert (finished.code, "hijacked" in finished.err) == (0, False), finished.err


@needs_wheels
@pytest.mark.parametrize("environment", [{"HOME": ""}, {"XDG_CACHE_HOME": "cache"}], ids=["no home", "in the checkout"])
def test_without_a_cache_that_can_be_trusted_nothing_is_kept(
    checkout: Path, programs: Path, environment: dict[str, str]
) -> None:
    _python(programs, "python3")
    (programs.parent / "tmp").mkdir()
    here = {name: str(programs.parent / text) if text else "" for name, text in environment.items()}

    finished = _run(checkout, "--version", programs=programs, TMPDIR=str(programs.parent / "tmp"), **OFFLINE, **here)

    assert (finished.code, finished.err) == (0, "")
    assert list((programs.parent / "tmp").iterdir()) == []
    assert not (programs.parent / "cache").exists()
