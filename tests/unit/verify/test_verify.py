from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import LocalFileError, UnsupportedFormatError, UsageError, VerificationError
from signpath_ci.model import Expectations
from signpath_ci.verify import can_verify, require_extra, verify_file
from tests.support.archives import build_zip
from tests.support.pe import LAUNCHERS, build_pe
from tests.support.signing import NOW, allowing
from tests.unit.verify.matrix.formats import FORMATS

CLOCK = Clock(now=lambda: NOW)
PE = next(f for f in FORMATS if f.name == "pe")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (build_pe(), True),
        (build_zip({"a.exe": build_pe()}), True),
        (build_zip({"AndroidManifest.xml": b""}), False),
        (b"PK\x03\x04 and no more", False),
        (b"", False),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", False),  # MSI
        (b"#!/bin/sh\n", False),
    ],
)
def test_what_can_be_judged_is_told_by_the_bytes(tmp_path: Path, data: bytes, expected: bool) -> None:
    path = tmp_path / "any.exe"
    path.write_bytes(data)
    assert can_verify(path) is expected


def test_an_unsigned_script_is_told_by_its_name(tmp_path: Path) -> None:
    for name, expected in (("a.ps1", True), ("a.txt", False)):
        (tmp_path / name).write_bytes(b"exit 0")
        assert can_verify(tmp_path / name) is expected
    with pytest.raises(VerificationError, match="the file is not signed"):
        verify_file(tmp_path / "a.ps1")
    with pytest.raises(UnsupportedFormatError, match="not known here"):
        verify_file(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "data", [b"", b"#!/bin/sh\n", build_zip({"[Content_Types].xml": b""}), b"PK\x03\x04 and no more", build_pe()]
)
def test_a_raw_signature_of_anything_can_be_judged(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.bin"
    path.write_bytes(data)
    assert can_verify(path, Expectations(signer_certificate=tmp_path / "signer.pem"))


def test_a_file_is_called_as_it_is_shown(tmp_path: Path) -> None:
    path, shown = tmp_path / "temporary", Path("dist/app.exe")
    path.write_bytes(PE.unsigned)
    with pytest.raises(VerificationError) as caught:
        verify_file(path, shown_as=shown, clock=CLOCK)
    assert caught.value.message == f"{shown}: the file is not signed."
    path.write_bytes(PE.signed())
    (verdict,) = verify_file(path, shown_as=shown, clock=CLOCK)
    assert (verdict.path, verdict.identity) == (shown, "not-checked")
    path.write_bytes(b"text")
    for pattern, name in (("app.exe", shown), ("temporary", path)):
        allowed = allowing(pattern)
        assert verify_file(path, shown_as=name, expectations=allowed, clock=CLOCK) == ()
    with pytest.raises(UnsupportedFormatError):
        verify_file(path, shown_as=shown, expectations=allowing("temporary"), clock=CLOCK)


def test_what_comes_back_is_of_the_kind_that_was_submitted(tmp_path: Path) -> None:
    submitted, signed = tmp_path / "a.ps1", tmp_path / "a.bin"
    for path in (submitted, signed):
        path.write_bytes(b"exit 0")
    with pytest.raises(VerificationError) as caught:
        verify_file(signed, unsigned=submitted)
    assert caught.value.code == "content-changed"
    with pytest.raises(UnsupportedFormatError):
        verify_file(signed, unsigned=signed)


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(LocalFileError, match="can't be read"):
            can_verify(path)
        with pytest.raises(LocalFileError, match="can't be read"):
            verify_file(path)
        with pytest.raises(LocalFileError, match="can't be read"):
            verify_file(LAUNCHERS["x64"], unsigned=path)
        with pytest.raises(LocalFileError, match=r"The trust root .* can't be read"):
            verify_file(LAUNCHERS["x64"], expectations=Expectations(trust_roots=(path,)))


def test_a_trust_root_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "root.pem"
    path.write_text("no certificate")
    with pytest.raises(UsageError, match=r"root\.pem is not a PEM file with certificates"):
        verify_file(LAUNCHERS["x64"], expectations=Expectations(trust_roots=(path,)))


def test_a_format_that_can_not_be_judged(tmp_path: Path) -> None:
    path = tmp_path / "a.msi"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    with pytest.raises(UnsupportedFormatError, match=r"a\.msi: .* not known here"):
        verify_file(path)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require_extra()
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError) as caught:
        require_extra()
    assert "pip install 'signpath-ci[verify]'" in caught.value.hint
    with pytest.raises(UsageError, match="libraries that are not installed"):
        verify_file(LAUNCHERS["x64"])


def test_importing_it_imports_nothing_heavy() -> None:
    program = "import sys, signpath_ci.verify; print({'cryptography', 'zipfile'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
