"""`signpath-ci` as a Windows user has it: paths, names, encodings, files that something else holds."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from tests.windows.conftest import (
    WindowsProgram,
    approve,
    finish,
    names_in,
    requests_of,
    wait_for_new_request,
    windows_path,
)

_HOLD = """
import ctypes, os, sys, time
from ctypes import wintypes
create = ctypes.windll.kernel32.CreateFileW
create.restype = wintypes.HANDLE
directory, seconds = sys.argv[1], float(sys.argv[2])
known = set(os.listdir(directory))
print("ready", flush=True)
end = time.monotonic() + 60
while time.monotonic() < end:
    for folder, _, names in os.walk(directory):
        for path in (os.path.join(folder, name) for name in names if name not in known):
            handle = create(path, 0x80000000, 1, None, 3, 0, None)  # to read, shared with readers only
            if handle not in (None, wintypes.HANDLE(-1).value):
                time.sleep(seconds)
                ctypes.windll.kernel32.CloseHandle(wintypes.HANDLE(handle))
                print("held", flush=True)
                sys.exit()
"""


def test_signing_a_file_whose_name_has_blanks_and_umlauts(windows: WindowsProgram, program_file: Path) -> None:
    finished = windows("sign", program_file.name, "--json")

    assert finished.code == 0, finished.err.decode("utf-8")
    assert program_file.with_name("Ärger app.signed.exe").exists()
    assert b"\r" not in finished.out


@pytest.mark.parametrize("form", ["drive letter", "backslashes", "other case"])
def test_paths_are_taken_as_windows_users_write_them(windows: WindowsProgram, program_file: Path, form: str) -> None:
    sub = windows.directory / "Out"
    sub.mkdir()
    argument = {
        "drive letter": windows_path(program_file),
        "backslashes": f".\\{program_file.name}",
        "other case": program_file.name.upper(),
    }[form]

    finished = windows("sign", argument, "--output", "Out\\signed.exe")

    assert finished.code == 0, finished.err.decode("utf-8")
    assert (sub / "signed.exe").exists()


def test_a_name_outside_of_the_code_page_does_not_end_a_finished_run(
    windows: WindowsProgram, program_file: Path
) -> None:
    path = program_file.rename(program_file.with_name("日本.exe"))

    finished = windows("sign", path.name, PYTHONIOENCODING="cp1252")

    assert finished.code == 0, finished.err.decode("utf-8", "replace")
    assert (windows.directory / "日本.signed.exe").exists()


def test_a_read_only_file_is_signed_in_place_and_stays_read_only(windows: WindowsProgram, program_file: Path) -> None:
    program_file.chmod(0o444)

    finished = windows("sign", program_file.name, "--in-place")

    assert finished.code == 0, finished.err.decode("utf-8")
    assert not program_file.stat().st_mode & stat.S_IWUSR
    assert names_in(windows.directory) == [program_file.name]


def test_a_scanner_that_holds_the_signed_file_at_its_rename_costs_nothing(
    windows: WindowsProgram, program_file: Path
) -> None:
    with windows.python(_HOLD, windows_path(windows.directory), "2.5") as scanner:
        assert scanner.stdout
        assert scanner.stdout.readline().strip() == b"ready"
        # Nothing is verified: the rename comes right after the download, while the scanner still holds the file.
        finished = windows("sign", program_file.name, "--verify", "off")
        held, _ = scanner.communicate(timeout=60)

    assert held.strip() == b"held"
    assert finished.code == 0, finished.err.decode("utf-8")


def test_a_run_that_waits_for_an_approval_is_not_disturbed_by_another_one(
    windows: WindowsProgram, program_file: Path, sandbox: dict[str, Any]
) -> None:
    other = windows.directory / "other.exe"
    other.write_bytes(program_file.read_bytes())
    known = len(requests_of(sandbox))

    with windows.start("sign", program_file.name, "--in-place", "--signing-policy-slug", "release-signing") as first:
        request = wait_for_new_request(sandbox, known)
        second = windows("sign", other.name, "--in-place")
        approve(sandbox, request)
        results = [finish(first), second]

    assert [result.code for result in results] == [0, 0], [result.err.decode("utf-8") for result in results]
    assert names_in(windows.directory) == sorted([program_file.name, other.name])


@pytest.mark.parametrize("name", ["NUL.exe", "app.exe."])
def test_a_name_that_windows_reserves_is_refused_before_anything_is_submitted(
    windows: WindowsProgram, program_file: Path, name: str
) -> None:
    finished = windows("sign", program_file.name, "--output", name)

    assert finished.code in {2, 8}
    assert names_in(windows.directory) == [program_file.name]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_token_file_as_powershell_writes_it(windows: WindowsProgram, program_file: Path, encoding: str) -> None:
    token = windows.directory / "token.txt"
    token.write_bytes((windows.environment["SIGNPATH_API_TOKEN"] + "\r\n").encode(encoding))

    finished = windows("sign", program_file.name, "--api-token-file", "token.txt", SIGNPATH_API_TOKEN="")

    assert finished.code == (0 if encoding == "utf-8-sig" else 2), finished.err.decode("utf-8")
