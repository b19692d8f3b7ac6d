"""Several files on Windows: all formats at once, bundles, receipts, long paths, and what is refused."""

from __future__ import annotations

import os
import signal
import zipfile
from pathlib import Path
from typing import Any

from signpath_ci.formats.registry import FORMATS
from tests.support.archives import build_zip
from tests.support.oracles import needs_osslsigncode
from tests.support.samples import unsigned_files
from tests.support.signing import authority
from tests.unit.sandbox.signers.test_every_format import EVERY_DIRECTIVE, every_file
from tests.unit.sandbox.signers.test_execute import executed
from tests.windows.conftest import WindowsProgram, finish, names_in, requests_of, wait_for_new_request, windows_path


def test_many_files_are_signed_at_once(windows: WindowsProgram, sandbox: dict[str, Any]) -> None:
    files = unsigned_files()
    names = ["app.exe", "script.ps1", "data.cab", "driver.cat", "app.jar"]
    (windows.directory / "dist").mkdir()
    (windows.directory / "signed").mkdir()
    for name in names:
        (windows.directory / "dist" / name).write_bytes(files[name])

    finished = windows("sign", "dist", "--output", "signed\\", "--trust-root", sandbox["root"], "--json")

    assert finished.code == 0, finished.err.decode("utf-8")
    assert names_in(windows.directory / "signed") == sorted(names)


@needs_osslsigncode
def test_an_archive_with_a_file_of_each_format_is_verified(windows: WindowsProgram) -> None:
    signed, _ = executed(windows.directory, EVERY_DIRECTIVE, build_zip(every_file()))

    finished = windows(
        "verify", signed, "--unsigned", windows.directory / "in.zip", "--trust-root", authority().trust_root, "--json"
    )

    assert finished.code == 0, finished.err.decode("utf-8")
    verified = {kind for kind, known in FORMATS.items() if known.scheme not in {None, "members"}}
    assert {verdict["format"] for verdict in finished.json["verdicts"]} == verified


def test_a_bundle_with_directories_is_signed_in_place(windows: WindowsProgram, program_file: Path) -> None:
    inner = windows.directory / "Außen" / "bin"
    inner.mkdir(parents=True)
    file = program_file.rename(inner / "app.exe")
    (inner.parent / "notes.txt").write_text("nothing here can be signed")
    before = file.stat().st_size

    finished = windows("sign", "Außen", "--bundle", "--in-place", "--artifact-configuration-slug", "archive")

    assert finished.code == 0, finished.err.decode("utf-8")
    assert file.stat().st_size > before
    assert names_in(windows.directory) == ["Außen"]
    assert names_in(inner.parent) == ["bin", "notes.txt"]


def test_a_refused_bundle_is_kept_beside_its_place(windows: WindowsProgram, program_file: Path) -> None:
    """Its archive must be closed before it is renamed."""
    (windows.directory / "dist").mkdir()
    program_file.rename(windows.directory / "dist" / "app.exe")

    finished = windows(
        "sign", "dist", "--bundle", "--artifact-configuration-slug", "archive", "--thumbprint", "00" * 32
    )

    assert finished.code == 7, finished.err.decode("utf-8")
    kept = [path for path in windows.directory.rglob("*.rejected") if path.is_file()]
    assert len(kept) == 1
    assert zipfile.is_zipfile(kept[0])


def test_a_killed_run_is_resumed_by_its_receipt(
    windows: WindowsProgram, program_file: Path, sandbox: dict[str, Any]
) -> None:
    known = len(requests_of(sandbox))
    arguments = ("sign", program_file.name, "--receipt", "receipt.json")
    with windows.start(*arguments, "--signing-policy-slug", "release-signing") as first:
        request = wait_for_new_request(sandbox, known)
        os.killpg(first.pid, signal.SIGKILL)
        finish(first)

    cancelled = windows("cancel", "receipt.json")
    again = windows(*arguments)

    assert cancelled.code == 0, cancelled.err.decode("utf-8")
    assert again.code == 0, again.err.decode("utf-8")
    assert [r["status"] for r in requests_of(sandbox) if r["id"] == request["id"]] == ["Canceled"]
    # Temporary files of the killed run stay for a while: on Windows they may be those of a run that has just begun.
    names = [name for name in names_in(windows.directory) if not name.startswith(".signpath-")]
    assert names == sorted([program_file.name, "receipt.json", "Ärger app.signed.exe"])


def test_a_path_longer_than_windows_once_allowed(windows: WindowsProgram, program_file: Path) -> None:
    directory = windows.directory.joinpath(*["a long name of a directory, as installers have them"] * 5)
    directory.mkdir(parents=True)
    file = program_file.rename(directory / program_file.name)
    assert len(windows_path(file)) > 260

    finished = windows("sign", file)

    assert finished.code == 0, finished.err.decode("utf-8")
    assert names_in(directory) == sorted([program_file.name, "Ärger app.signed.exe"])
