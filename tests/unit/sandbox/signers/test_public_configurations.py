"""Configurations of public projects: the valid ones are parsed, planned and carried out, the invalid ones refused."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pytest

from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.outcome import Step
from signpath_ci.sandbox.signers import sign_file
from signpath_ci.sandbox.signers.execute import execute
from tests.support.configurations import codes, document, failures, plan
from tests.support.needs import needs
from tests.support.pe import LAUNCHERS
from tests.support.public_configurations import INVALID, PUBLIC, Public
from tests.support.signing import NOW, authority

CASES = pytest.mark.parametrize(
    "case", [pytest.param(case, id=name, marks=needs(*case.needs)) for name, case in PUBLIC.items()]
)


def token(value: bytes) -> bytes:
    return tsa.timestamp(authority().timestamper, value, now=NOW)


@cache
def vendor(directory: Path) -> bytes:
    """A PE file with a signature of its maker."""
    target = directory / "vendor.exe"
    sign_file(LAUNCHERS["x86"], target, signer=authority().code_signer("vendor"), timestamp=token)
    return target.read_bytes()


@pytest.fixture
def vendor_pe(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return vendor(tmp_path_factory.getbasetemp())


@CASES
def test_valid_configuration_fits_its_artifact(case: Public, tmp_path: Path, vendor_pe: bytes) -> None:
    found = plan(case.content, case.build(tmp_path, vendor_pe), name=case.name, **case.values)

    assert failures(found) == []
    assert {"/".join(path) or "." for path, file in found.walk() if file.must_be_signed} == case.signed


@CASES
def test_configuration_is_carried_out(case: Public, tmp_path: Path, vendor_pe: bytes) -> None:
    (tmp_path / "build").mkdir()
    source, steps = tmp_path / case.name, list[Step]()
    source.write_bytes(case.build(tmp_path / "build", vendor_pe))

    execute(
        source,
        tmp_path / "signed",
        configuration=document(case.content).encode(),
        parameters=case.values,
        name=case.name,
        signer=authority().code_signer("tests"),
        timestamp=token,
        steps=steps,
    )

    assert {"/".join(step.path) or "." for step in steps if step.result == "signed"} == case.signed
    again = plan(case.content, (tmp_path / "signed").read_bytes(), name=case.name, **case.values)
    assert failures(again) == []


@pytest.mark.parametrize("name", INVALID)
def test_invalid_configuration_is_refused(name: str) -> None:
    content, rule = INVALID[name]
    assert codes(content) == [rule]


def test_configuration_for_another_artifact_does_not_fit() -> None:
    data = io.BytesIO(PUBLIC["etlegacy"].build(Path(), b"")).getvalue()
    assert failures(plan(PUBLIC["komota-rustdesk"].content, data)) == [("too-few-matches", "")] * 2
