"""A receipt is just a file: nothing of it is believed where SignPath itself says it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.pe import LAUNCHERS
from tests.support.program import Program

Receipt = dict[str, Any]


@pytest.fixture
def receipt(program: Program, executable: Path) -> Path:
    """The receipt of a request that is being signed."""
    assert program("submit", executable, "--receipt", "r.json").code == 0
    return program.directory / "r.json"


def _change(path: Path, change: Callable[[Receipt], None]) -> None:
    said = json.loads(path.read_text(encoding="utf-8"))
    change(said)
    path.write_text(json.dumps(said), encoding="utf-8")


def _project(said: Receipt) -> None:
    said["project_slug"] = "other"


def _policy(said: Receipt) -> None:
    said["signing_policy_slug"] = "other"


def _artifact_configuration(said: Receipt) -> None:
    said["artifact_configuration_slug"] = "other"


def _sha256(said: Receipt) -> None:
    said["input"]["sha256"] = "0" * 64


def _smaller(said: Receipt) -> None:
    said["input"]["size"] = 10


@pytest.mark.parametrize(
    "change", [_project, _policy, _artifact_configuration, _sha256, _smaller], ids=lambda c: c.__name__
)
def test_a_receipt_that_contradicts_signpath_leads_to_no_file(
    program: Program, receipt: Path, change: Callable[[Receipt], None]
) -> None:
    _change(receipt, change)
    before = sorted(path.name for path in program.directory.iterdir())
    ended = program("download", "r.json")
    assert ended.code == 7, ended.err
    assert "[receipt-differs]" in ended.err
    assert sorted(path.name for path in program.directory.iterdir()) == before


@pytest.mark.parametrize("command", ["status", "wait", "cancel", "download"])
def test_no_command_goes_by_a_receipt_of_another_project(program: Program, receipt: Path, command: str) -> None:
    _change(receipt, _project)
    assert "[receipt-differs]" in program(command, "r.json").err


def test_without_the_file_its_content_is_verified(program: Program, receipt: Path, executable: Path) -> None:
    executable.unlink()
    ended = program("download", receipt.name)
    assert ended.code == 0, ended.err
    assert "same content as submitted" in ended.err
    assert not [path for path in program.directory.iterdir() if path.name.startswith(".signpath")]


def test_another_file_than_the_receipts_is_refused(program: Program, receipt: Path) -> None:
    (program.directory / "other.exe").write_bytes(LAUNCHERS["x64"].read_bytes() + b"other")
    ended = program("download", receipt.name, "--unsigned", "other.exe")
    assert "[receipt-differs]" in ended.err


def _of_another_request(program: Program, receipt: Path) -> str:
    (program.directory / "other.exe").write_bytes(LAUNCHERS["x64"].read_bytes() + b"other")
    other = program("submit", "other.exe", "--receipt", "other.json", "--json").json["signing_request_id"]
    _change(receipt, lambda said: said.update(signing_request_id=other))
    return str(other)


def test_a_request_for_another_file_is_not_taken(program: Program, receipt: Path) -> None:
    _of_another_request(program, receipt)
    ended = program("download", receipt.name, "-o", "out.exe")
    assert "[receipt-differs]" in ended.err
    assert not (program.directory / "out.exe").exists()


@pytest.mark.parametrize("level", ["off", "signed"])
def test_a_run_does_not_deliver_what_another_request_has_signed(
    program: Program, receipt: Path, executable: Path, level: str
) -> None:
    other = _of_another_request(program, receipt)
    ended = program("sign", executable, "--receipt", receipt.name, "-o", "out.exe", "--verify", level, "--json")
    # Verified, the other file is rejected; unverified, SignPath's copy of the submitted file shows it before.
    assert ended.code == (0 if level == "off" else 7), ended.err
    assert (ended.json["signing_request_id"] != other) is (level == "off")
    assert (program.directory / "out.exe").exists() is (level == "off")


def test_urls_are_of_the_configured_service(program: Program, receipt: Path, executable: Path) -> None:
    def change(said: Receipt) -> None:
        said["web_link"] = said["signed_artifact_url"] = "https://evil.example/x"

    _change(receipt, change)
    for arguments in (
        ["sign", executable, "--receipt", receipt.name, "--force"],
        ["download", receipt.name, "--force"],
    ):
        ended = program(*arguments, "--json")
        assert ended.code == 0, ended.err
        assert "evil.example" not in ended.out + ended.err
