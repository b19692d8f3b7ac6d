from __future__ import annotations

import gc
import hashlib
import os
import re
import sys
import zipfile
from importlib import metadata, util
from pathlib import Path

import pytest

from signpath_ci.errors import UsageError, VerificationError
from signpath_ci.verify import needs_xml, packages
from signpath_ci.verify.packages import LEAST, LEAST_XML, Packages
from tests.support.archives import build_zip

SUCCEEDS = (
    'mkdir wheels && cp "$WHEEL" wheels && echo "$@" >"$SAID/arguments" && env >"$SAID/environment" && '
    'cat requirements.txt >>"$SAID/locks"'
)
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that fits is installed."""
    monkeypatch.setattr(packages, "_fit", lambda _: False)


@pytest.fixture(autouse=True)
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that names one wheel, which pip's stand-in finds."""
    wheel = tmp_path / "demo-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("demo_package.py", "x = 1")
    lock = f"demo==1 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}".encode()
    monkeypatch.setattr(packages, "_read", lambda name: lock + (b"\n# lxml==1" if "xml" in name else b""))
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)


def _pip(monkeypatch: pytest.MonkeyPatch, directory: Path, script: str) -> None:
    """Let a script play the Python that pip runs in."""
    python = directory / "python"
    python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))


def _packages(tmp_path: Path, *, install: bool = True, **environment: str) -> Packages:
    return Packages(
        directory=None,
        install=install,
        cache=tmp_path / "cache",
        environment={
            "PATH": os.environ["PATH"],
            "WHEEL": str(tmp_path / "demo-1-py3-none-any.whl"),
            "SAID": str(tmp_path),
            **environment,
        },
    )


def _cached(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").iterdir())


@pytest.mark.parametrize(("extra", "least"), [("verify", LEAST), ("verify-xml", LEAST_XML)])
def test_the_oldest_versions_are_those_of_the_extra(extra: str, least: dict[str, tuple[int, ...]]) -> None:
    found = re.search(rf"^{extra} = \[(.*)\]$", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert found is not None

    named = dict(re.findall(r'"([\w-]+)>=([\d.]+)"', found[1]))

    inherited = LEAST if "[verify]" in found[1] else {}
    assert {**inherited, **{name: tuple(map(int, version.split("."))) for name, version in named.items()}} == least


@pytest.mark.usefixtures("missing")
def test_those_for_xml_are_installed_only_where_they_are_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pip(monkeypatch, tmp_path, SUCCEEDS)
    needed = _packages(tmp_path)
    needed.ready()
    needed.require_xml()
    needed.start()
    needed.ready()

    assert len(_cached(tmp_path)) == 2
    locks = (tmp_path / "locks").read_text("utf-8")
    assert (locks.count("demo=="), locks.count("lxml==")) == (2, 1)


def test_files_that_surely_need_the_libraries_for_xml(tmp_path: Path) -> None:
    files = {
        "a.xml": (b"<a/>", True),
        "a.vsix": (build_zip({"a": b""}), True),
        "a.zip": (build_zip({"in/a.vsix": b"", "b": b""}), True),
        "b.zip": (build_zip({"a.xml": b"", "a.nupkg": b""}), False),
        "c.zip": (b"PK\3\4", False),
        "a.exe": (b"MZ", False),
    }
    for name, (data, expected) in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        assert needs_xml(path) is expected, name


@pytest.mark.parametrize("install", [False, True])
def test_what_is_installed_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, install: bool) -> None:
    _pip(monkeypatch, tmp_path, "exit 1")
    found = _packages(tmp_path, install=install)

    found.check()
    found.start()
    found.ready()

    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("versions", "fit"),
    [
        ({"cryptography": "45.0.0"}, True),
        ({"cryptography": "50.0.2rc1"}, True),
        ({"cryptography": "44.9"}, False),
        ({}, False),
    ],
)
def test_older_ones_do_not_do(versions: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, fit: bool) -> None:
    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)

    assert packages._fit(LEAST) is fit


@pytest.mark.usefixtures("missing")
def test_what_is_missing_is_installed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, tmp_path, f"echo run >>{tmp_path}/runs; {SUCCEEDS}")
    needed = _packages(
        tmp_path, SIGNPATH_API_TOKEN="secret", PIP_TARGET="/elsewhere", PIP_INDEX_URL="https://index.example"
    )

    needed.check()
    needed.start()
    needed.start()
    needed.ready()
    needed.ready()
    _packages(tmp_path).ready()

    (target,) = _cached(tmp_path)
    assert sys.path.count(str(target / "packages")) == 1
    assert sys.path[0] == str(target / "packages")
    assert (target / "packages" / "demo_package.py").read_text("utf-8") == "x = 1"
    assert (tmp_path / "runs").read_text("utf-8") == "run\n"
    assert (tmp_path / "arguments").read_text("utf-8").split() == [
        *("-I", "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-input", "--no-deps", "--only-binary", ":all:", "--require-hashes"),
        *("--requirement", "requirements.txt", "--dest", "wheels"),
    ]
    variables = (tmp_path / "environment").read_text("utf-8").splitlines()
    assert {line for line in variables if line.startswith(("PIP_", "SIGNPATH_"))} == {
        "PIP_INDEX_URL=https://index.example",
        "PIP_USER=0",
        "PIP_REQUIRE_VIRTUALENV=0",
    }


@pytest.mark.usefixtures("missing")
@pytest.mark.parametrize("name", ["demo_package.py", "json.py"])
def test_a_cache_that_was_changed_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _pip(monkeypatch, tmp_path, f"echo run >>{tmp_path}/runs; {SUCCEEDS}")
    _packages(tmp_path).ready()
    (target,) = _cached(tmp_path)
    (target / "packages" / name).write_text("raise SystemExit('hijacked')", encoding="utf-8")

    _packages(tmp_path).ready()

    assert [path.read_text("utf-8") for path in (target / "packages").iterdir()] == ["x = 1"]
    assert (tmp_path / "runs").read_text("utf-8") == "run\nrun\n"


@pytest.mark.usefixtures("missing")
def test_a_wheel_that_is_not_in_the_lock_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, tmp_path, "mkdir wheels; echo other >wheels/demo-1-py3-none-any.whl")

    with pytest.raises(VerificationError, match="not in the lock"):
        _packages(tmp_path).ready()

    assert _cached(tmp_path) == []


@pytest.mark.usefixtures("missing")
def test_without_a_cache_a_private_directory_is_used_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pip(monkeypatch, tmp_path, SUCCEEDS)
    needed = Packages(directory=None, install=True, cache=None, environment=_packages(tmp_path)._environment)

    needed.ready()
    private = Path(sys.path[0]).parents[1]
    assert private.stat().st_mode & 0o777 == 0o700
    del needed
    gc.collect()

    assert not private.exists()


@pytest.mark.usefixtures("missing")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'WARNING: slow'; echo 'ERROR: First.'; echo 'ERROR: Second.' >&2; exit 1", "Second."),
        ("echo 'Segmentation fault'; exit 139", "Segmentation fault."),
        ("exit 1", "pip gave no reason."),
    ],
)
def test_pip_s_last_words_are_told(script: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, tmp_path, script)
    needed = _packages(tmp_path)
    needed.start()

    with pytest.raises(VerificationError) as caught:
        needed.ready()

    assert caught.value.message == f"The libraries that verification needs could not be installed: {words}"
    assert _cached(tmp_path) == []


@pytest.mark.usefixtures("missing")
def test_pip_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, tmp_path, "exec sleep 600")
    monkeypatch.setattr(packages, "_DEADLINE", 0.01)

    with pytest.raises(VerificationError, match="pip did not end within"):
        _packages(tmp_path).ready()

    assert _cached(tmp_path) == []


@pytest.mark.usefixtures("missing")
def test_a_run_that_ends_early_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, tmp_path, f"echo $$ >{tmp_path}/pid; exec sleep 600")
    needed = _packages(tmp_path)
    needed.start()
    assert len(_cached(tmp_path)) == 1

    del needed
    gc.collect()

    assert _cached(tmp_path) == []


@pytest.mark.usefixtures("missing")
def test_another_run_may_be_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pip(monkeypatch, tmp_path, SUCCEEDS)
    slow, fast = _packages(tmp_path), _packages(tmp_path)
    slow.start()

    fast.ready()
    slow.ready()

    assert len(_cached(tmp_path)) == 1


@pytest.mark.usefixtures("missing")
def test_a_cache_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("", encoding="utf-8")

    with pytest.raises(VerificationError, match=r"cache can't be used: (File exists|Not a directory)\."):
        _packages(tmp_path).start()


@pytest.mark.usefixtures("missing")
def test_without_pip_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "pip" else find(name))

    with pytest.raises(UsageError, match="has no pip to install them"):
        _packages(tmp_path).check()


def test_a_directory_that_is_named_goes_first(tmp_path: Path) -> None:
    named = Packages(directory=tmp_path, install=True, cache=tmp_path / "cache", environment={})

    named.check()
    named.start()
    named.ready()

    assert sys.path[0] == str(tmp_path)
    assert not (tmp_path / "cache").exists()
