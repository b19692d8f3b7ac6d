"""`signpath-ci draft`: what it prints is a configuration that `check` accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.archives import build_zip
from tests.support.pe import build_pe
from tests.support.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path, {})


def test_check_accepts_the_draft(program: Program) -> None:
    (program.directory / "app.zip").write_bytes(build_zip({"a.exe": build_pe(), "##vso[x]b.exe": build_pe()}))

    done = program("draft", "app.zip")

    assert done.code == 0
    assert "##vso[" not in done.out
    (program.directory / "x.xml").write_text(done.out)
    assert program("check", "app.zip", "--artifact-configuration-file", "x.xml").code == 0
    assert program("draft", "app.zip", "--json").json["xml"].count("authenticode-sign") == 2


@pytest.mark.parametrize(
    ("data", "code", "error_code"),
    [(None, 8, "file-missing"), (b"text", 2, "no-artifact"), (b"PK\x03\x04 broken", 8, "malformed-file")],
)
def test_what_has_no_draft(program: Program, data: bytes | None, code: int, error_code: str) -> None:
    if data is not None:
        (program.directory / "x.zip").write_bytes(data)
    done = program("draft", "x.zip")
    assert (done.code, done.error_code) == (code, error_code)
