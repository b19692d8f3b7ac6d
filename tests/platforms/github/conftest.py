"""A sandbox, a repository on GitHub, and the actions as a release of ours brings them."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.platforms.github.act import Repository
from tests.platforms.github.workflows import TOKENS
from tests.platforms.sandboxes import configuration, root, sandbox_of
from tests.support.needs import ROOT, reason
from tests.support.pe import LAUNCHERS

_RECORDER = """#!{python}
import json, os, pathlib, sys

record = pathlib.Path(os.environ["RECORD"]) / "run.json"
record.write_text(json.dumps({{"arguments": sys.argv[1:], "environment": dict(os.environ)}}), "utf-8")
with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as outputs:
    for name in {outputs!r}:
        outputs.write(f"{{name}}=said of {{name}}\\n")
"""
# On GitHub, scripts of composite actions have no INPUT_*; `act` hands them on. Here each of them holds something else.
_POISONER = """#!{python}
import json, os, pathlib, sys

if "RECORD" in os.environ:
    names = [name for name in os.environ if name.startswith("INPUT_")]
    (pathlib.Path(os.environ["RECORD"]) / "poisoned.json").write_text(json.dumps(names), "utf-8")
environment = {{name: "poisoned" if name.startswith("INPUT_") else text for name, text in os.environ.items()}}
real = pathlib.Path(__file__).with_name("run.real")
os.execve(real, [str(real), *sys.argv[1:]], environment)
"""
OUTPUTS = (
    "signing-request-id",
    "signing-request-web-url",
    "signed-artifact-download-url",
    "signed-artifact-path",
    "status",
    "signed",
    "signed-sha256",
    "signed-sha512",
)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    text = configuration(
        api_token=TOKENS["API_TOKEN"], system_token=TOKENS["SYSTEM_TOKEN"], repository="https://github.com/acme/app"
    )
    with sandbox_of(tmp_path_factory.mktemp("github-sandbox"), text) as said:
        yield said


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's home, where what is installed once a machine is kept."""
    return tmp_path_factory.mktemp("github-home")


def script(path: Path, text: str) -> None:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture(scope="session")
def zipapp() -> Path:
    """The core as releases carry it, made of the sources as they are."""
    path = ROOT / "dist" / "signpath-ci.pyz"
    sources = [file for file in (ROOT / "src" / "signpath_ci").rglob("*") if file.suffix in {".py", ".txt", ".json"}]
    newest = max(file.stat().st_mtime for file in sources)
    if not path.exists() or path.stat().st_mtime < newest:
        pytest.skip(reason("dist/signpath-ci.pyz"))  # or is older than the sources
    return path


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory, zipapp: Path) -> Path:
    """The actions with the core beside them, as on a release; `INPUT_*` is no use to it."""
    directory = tmp_path_factory.mktemp("release")
    for part in ("actions", "bootstrap"):
        shutil.copytree(ROOT / part, directory / part)
    shutil.copyfile(zipapp, directory / "bootstrap" / "signpath-ci.pyz")
    (directory / "bootstrap" / "run").rename(directory / "bootstrap" / "run.real")
    script(directory / "bootstrap" / "run", _POISONER.format(python=sys.executable))
    return directory


@pytest.fixture(scope="session")
def recording_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The actions with something in the core's place that records how it was called."""
    directory = tmp_path_factory.mktemp("recording")
    shutil.copytree(ROOT / "actions", directory / "actions")
    (directory / "bootstrap").mkdir()
    script(directory / "bootstrap" / "run", _RECORDER.format(python=sys.executable, outputs=OUTPUTS))
    return directory


def _repository(directory: Path, release: Path, home: Path, sandbox: dict[str, Any]) -> Repository:
    checkout = directory / "app"
    checkout.mkdir()
    known = {name: text for name, text in os.environ.items() if name.startswith(("PIP_", "COVERAGE_"))}
    artifacts = {"ARTIFACT_STORE": sandbox["artifact_store"], "ARTIFACT_API": f"{root(sandbox)}/ci/github"}
    return Repository(checkout, release, home, {**known, **artifacts})


@pytest.fixture
def repository(tmp_path: Path, release: Path, home: Path, sandbox: dict[str, Any]) -> Repository:
    """A repository that holds a Windows executable, and whose workflows use our release."""
    made = _repository(tmp_path, release, home, sandbox)
    shutil.copyfile(LAUNCHERS["x64"], made.directory / "app.exe")
    return made


@pytest.fixture
def recording(tmp_path: Path, recording_release: Path, home: Path, sandbox: dict[str, Any]) -> Repository:
    """A repository whose workflows use the actions without the core."""
    return _repository(tmp_path, recording_release, home, sandbox)
