"""The zipapp, the bootstrap and GitLab's job on Windows."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from tests.support.needs import ROOT
from tests.support.plugin import ZIPAPP, needs_zipapp
from tests.windows.conftest import WindowsProgram, windows_path

_WINDOWS = ROOT / "build" / "windows"
_MANIFEST = """\
version: 1
artifacts: ["dist\\\\*.exe", "dist/a*.exe"]
parameters:
  Name: "Gr\u00fc\u00dfe"
output:
  path: signed
"""
_CONFIGURATION = """\
<?xml version="1.0" encoding="utf-8"?>
<artifact-configuration xmlns="http://signpath.io/artifact-configuration/v1">
  <parameters><parameter name="Name" required="true"/></parameters>
  <pe-file><authenticode-sign description="${Name}"/></pe-file>
</artifact-configuration>
"""


def _write_as_windows_editors_do(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))


@needs_zipapp
def test_the_zipapp_follows_a_manifest_with_a_byte_order_mark(windows: WindowsProgram, program_file: Path) -> None:
    program = WindowsProgram(
        windows.directory, {**windows.environment, "PYTHONPATH": ""}, ("-I", "-X", "utf8", windows_path(ZIPAPP))
    )
    _write_as_windows_editors_do(windows.directory / ".signpath" / "signing.yml", _MANIFEST)
    (windows.directory / "dist").mkdir()
    (windows.directory / "signed").mkdir()
    program_file.rename(windows.directory / "dist" / "app.exe")

    finished = program("sign", "--json")

    assert finished.code == 0, finished.err.decode("utf-8")
    assert b"signed\\\\app.exe" in finished.out
    assert (windows.directory / "signed" / "app.exe").exists()


def test_check_reads_a_configuration_and_parameters_as_windows_editors_write_them(
    windows: WindowsProgram, program_file: Path
) -> None:
    _write_as_windows_editors_do(windows.directory / "in put" / "default.xml", _CONFIGURATION)

    finished = windows(
        "check",
        program_file.name,
        "--artifact-configuration-file",
        "in put\\default.xml",
        "--parameters",
        'Name: "one"\r\n',
    )

    assert finished.code == 0, finished.err.decode("utf-8")


@needs_zipapp
def test_the_bootstrap_in_a_directory_with_blanks(windows: WindowsProgram, program_file: Path) -> None:
    directory = windows.directory.parent / "actions of it's own" / "bootstrap"
    directory.mkdir(parents=True)
    shutil.copy(ROOT / "bootstrap" / "run", directory)
    shutil.copy(ZIPAPP, directory)
    programs = windows.directory.parent / "programs"
    programs.mkdir()
    (programs / "python3").write_text(f'#!/bin/sh\nexec {_WINDOWS}/wine-python "$@"\n')
    (programs / "python3").chmod(0o755)
    environment = {**windows.environment, "PYTHONPATH": "", "PATH": f"{programs}:{windows.environment['PATH']}"}
    program = WindowsProgram(windows.directory, environment, (), ("sh", str(directory / "run")))

    finished = program("sign", SIGNPATH_ARTIFACT=program_file.name)

    assert finished.code == 0, finished.err.decode("utf-8")
    assert program_file.with_name("Ärger app.signed.exe").exists()


@needs_zipapp
def test_the_job_of_the_example_for_windows_runners(windows: WindowsProgram, program_file: Path) -> None:
    """PowerShell is not here: the job's lines are simple commands, which are run one after the other."""
    job = yaml.safe_load((ROOT / "examples" / "gitlab" / "windows.yml").read_text("utf-8"))["sign"]
    tools = windows.directory / "tools"
    tools.mkdir()
    shutil.copy(ZIPAPP, tools)
    program_file.rename(windows.directory / "app.exe")
    own = {name: str(text) for name, text in job["variables"].items() if "SLUG" not in name}
    environment = {**windows.environment, **own, "PYTHONPATH": "", "GITLAB_CI": "true", "CI_JOB_NAME": "sign"}
    environment |= {"SIGNPATH_ARTIFACT": "app.exe", "SIGNPATH_OUTPUT": "signed.exe"}
    commands = [line.split() for line in job["script"] if line.startswith("python ")]
    assert commands

    for command in commands:
        program = WindowsProgram(windows.directory, environment, tuple(command[1:]))
        finished = program()
        assert finished.code == 0, finished.err.decode("utf-8")

    assert (windows.directory / "signed.exe").exists()
    assert "SIGN_SIGNPATH_SIGNED=true" in (windows.directory / "signpath.env").read_text("utf-8")
