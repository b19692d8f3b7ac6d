"""Locks between processes on Windows, which receipts rely on."""

from __future__ import annotations

from tests.windows.conftest import WindowsProgram, finish, names_in, windows_path

_LOCK = """
import pathlib, sys, time
from signpath_ci import files

def wait():
    print("waiting", flush=True)
    time.sleep(0.1)

with files.locked(pathlib.Path(sys.argv[1]), wait=wait):
    print("locked", flush=True)
    time.sleep(6 if sys.argv[2] == "hold" else 0)
"""


def test_a_second_process_waits_for_the_lock(windows: WindowsProgram) -> None:
    receipt = windows_path(windows.directory / "r.json")
    before = names_in(windows.directory)
    with windows.python(_LOCK, receipt, "hold") as first:
        assert first.stdout
        assert first.stdout.readline().strip() == b"locked"
        with windows.python(_LOCK, receipt, "take") as second:
            assert second.stdout
            assert second.stdout.readline().strip() == b"waiting"
            assert finish(second).out.split()[-1] == b"locked"
        assert finish(first).code == 0
    assert names_in(windows.directory) == before
