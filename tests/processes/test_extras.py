"""Extras that are not installed: said before anything is submitted, with the command that installs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.program import Program


def _without(program: Program, package: str) -> dict[str, Any]:
    """Return the environment in which a package is missing."""
    missing = program.directory / "missing"
    missing.mkdir()
    (missing / f"{package}.py").write_text(f"raise ModuleNotFoundError(name={package!r})\n", encoding="utf-8")
    return {"PYTHONPATH": str(missing)}


def test_signing_without_the_verifier_is_refused_before_the_submit(program: Program, executable: Path) -> None:
    finished = program.process("sign", executable, **_without(program, "cryptography"))

    assert finished.code == 2
    assert "pip install 'signpath-ci[verify]'" in finished.error
    assert "Signing request" not in finished.err


def test_signing_without_the_verifier_works_where_nothing_is_verified(program: Program, executable: Path) -> None:
    finished = program.process("sign", executable, "--verify", "off", **_without(program, "cryptography"))

    assert finished.code == 0, finished.err


def test_the_sandbox_says_what_it_needs(program: Program) -> None:
    finished = program.process("sandbox", "--port", "0", **_without(program, "starlette"))

    assert finished.code == 2
    assert "pip install 'signpath-ci[sandbox]'" in finished.error
