"""What stands in another file's place, where something else than the file's own signature speaks for it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.catalog import TRUST_LIST
from signpath_ci.model import Account, Expectations
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.signers import sign_file
from signpath_ci.verify import verify_delivery
from tests.support.archives import build_zip
from tests.support.pe import LAUNCHERS
from tests.support.samples import build_cab, build_catalog, trust_list
from tests.support.signing import NOW, authority, code_signer, sign_cms

CLOCK = Clock(now=lambda: NOW)
_LZX = 3 | 15 << 8
_FOLDER_KIND = 36 + 6  # of the first folder, in a cabinet without reserve


def _lzx(files: Mapping[str, bytes]) -> bytes:
    """Return a cabinet whose files nobody unpacks here."""
    data = bytearray(build_cab(files))
    struct.pack_into("<H", data, _FOLDER_KIND, _LZX)
    return bytes(data)


def _sign(directory: Path, name: str, data: bytes) -> bytes:
    source, target = directory / f"source-{name}", directory / f"target-{name}"
    source.write_bytes(data)
    sign_file(
        source,
        target,
        signer=authority().code_signer("tests"),
        timestamp=lambda value: tsa.timestamp(authority().timestamper, value, now=NOW),
    )
    return target.read_bytes()


def _account(directory: Path, name: str, signed: bytes, unsigned: bytes | None) -> Account:
    path, before = directory / name, None if unsigned is None else directory / f"unsigned-{name}"
    path.write_bytes(signed)
    if before is not None and unsigned is not None:
        before.write_bytes(unsigned)
    try:
        return verify_delivery(path, unsigned=before, expectations=Expectations(), clock=CLOCK)
    except VerificationError as error:
        return error.account or pytest.fail(str(error))


@pytest.mark.parametrize("before", [build_cab, _lzx])
def test_another_cabinet_whose_files_can_not_be_unpacked(
    tmp_path: Path, before: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    delivered = _sign(tmp_path, "a.cab", _lzx({"app.txt": b"another text"}))

    account = _account(tmp_path, "a.cab", delivered, before({"app.txt": b"text"}))

    assert [file.code for file in account.failed] == ["content-changed"]


def _with_hidden_data(files: Mapping[str, bytes]) -> bytes:
    (name, content), *_ = files.items()
    data = bytearray(build_cab({name: content + b"hidden"}))
    struct.pack_into("<I", data, data.index(name.encode()) - 16, len(content))
    return bytes(data)


def _with_a_program_that_is_run(files: Mapping[str, bytes]) -> bytes:
    data = bytearray(build_cab(files))
    struct.pack_into("<H", data, data.index(next(iter(files)).encode()) - 2, 0x60)
    return bytes(data)


@pytest.mark.parametrize("change", [_with_hidden_data, _with_a_program_that_is_run])
def test_a_cabinet_with_more_than_the_same_files(
    tmp_path: Path, change: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    files = {"app.txt": b"text"}

    account = _account(tmp_path, "a.cab", _sign(tmp_path, "a.cab", change(files)), build_cab(files))
    same = _account(tmp_path, "b.cab", _sign(tmp_path, "b.cab", change(files)), change(files))

    assert [file.code for file in account.failed] == ["content-changed"]
    assert same.failed == ()


def test_the_same_cabinet_whose_files_can_not_be_unpacked(tmp_path: Path) -> None:
    unsigned = _lzx({"app.txt": b"text"})

    account = _account(tmp_path, "a.cab", _sign(tmp_path, "a.cab", unsigned), unsigned)

    assert [(file.outcome, file.is_warning) for file in account.files] == [("signed", True)]


def test_a_program_of_a_catalog_in_the_place_of_another_one(tmp_path: Path) -> None:
    one, two = LAUNCHERS["x64"].read_bytes(), LAUNCHERS["arm64"].read_bytes()
    files = {"one.exe": one, "two.exe": two}
    catalog = sign_cms(code_signer(), TRUST_LIST, trust_list(files)).encode()
    unsigned = {**files, "all.cat": build_catalog(files)}

    as_submitted = _account(tmp_path, "a.zip", build_zip({**files, "all.cat": catalog}), build_zip(unsigned))
    swapped = {"one.exe": two, "two.exe": two, "all.cat": catalog}
    account = _account(tmp_path, "b.zip", build_zip(swapped), build_zip(unsigned))

    assert as_submitted.failed == ()
    assert [(file.member, file.code) for file in account.failed] == [("one.exe", "not-signed")]


def test_a_program_by_the_name_of_a_signature_in_an_unsigned_package(tmp_path: Path) -> None:
    program = LAUNCHERS["x64"].read_bytes()
    package = build_zip({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n", "META-INF/CERT.RSA": program})
    signed = _sign(tmp_path, "app.exe", program)

    account = _account(tmp_path, "a.zip", build_zip({"app.exe": signed, "a.jar": package}), None)

    assert [(file.member, file.code) for file in account.failed] == [("a.jar/META-INF/CERT.RSA", "not-signed")]
