from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.model import Expectations
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.signers import CannotSignError, sign_file
from signpath_ci.verify import verify_file
from tests.support.archives import SIGNED_MEMBERS, STAMP, build_zip, contents, hostile, release
from tests.support.pe import LAUNCHERS, build_pe
from tests.support.signing import NOW, authority


def _sign(data: bytes, directory: Path) -> tuple[Path, Path]:
    source, target = directory / "in.zip", directory / "out.zip"
    source.write_bytes(data)
    sign_file(
        source,
        target,
        signer=authority().code_signer("tests"),
        timestamp=lambda value: tsa.timestamp(authority().timestamper, value, now=NOW),
    )
    return source, target


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_pe_file_is_signed_and_nothing_else_changes(tmp_path: Path, compression: int) -> None:
    source, target = _sign(build_zip(release(), compression=compression), tmp_path)
    verdicts = verify_file(
        target,
        unsigned=source,
        expectations=Expectations(trust_roots=(authority().trust_root,)),
        clock=Clock(now=lambda: NOW),
    )
    assert [verdict.member for verdict in verdicts] == SIGNED_MEMBERS
    before, after = contents(source), contents(target)
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"bin/app.exe", "bin/name with blanks and ünïcode.dll", "inner.zip", "app.jar"}
    with zipfile.ZipFile(target) as archive:
        assert archive.comment == b"a comment"
        for info in archive.infolist():
            assert (info.date_time, info.compress_type, info.external_attr, info.comment) == (
                STAMP,
                compression,
                0o755 << 16,
                f"about {info.filename}".encode(),
            )


def test_extra_fields_are_kept_except_those_of_zip64(tmp_path: Path) -> None:
    source = tmp_path / "source.zip"
    ours = struct.pack("<HH4s", 0x5455, 4, b"time")
    with zipfile.ZipFile(source, "w") as archive:
        info = zipfile.ZipInfo("a.exe", STAMP)
        info.extra = ours
        with archive.open(info, "w", force_zip64=True) as entry:
            entry.write(LAUNCHERS["x86"].read_bytes())
    _, target = _sign(source.read_bytes(), tmp_path)
    with zipfile.ZipFile(target) as archive:
        assert archive.getinfo("a.exe").extra == ours
        assert archive.testzip() is None


@pytest.mark.parametrize("case", hostile())
def test_archives_that_can_not_be_signed(tmp_path: Path, case: str) -> None:
    data, words = hostile()[case]
    with pytest.raises(CannotSignError) as caught:
        _sign(data, tmp_path)
    if words == "nothing in it is signed":  # what verification says of it
        words = "there is no file in it that can be"
    assert words in str(caught.value)
    assert str(caught.value).startswith("The ZIP archive can not be signed: ")


def test_a_damaged_pe_file_inside_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CannotSignError, match=r"bin/a\.exe in the ZIP archive: The PE file can not be signed: it is cut"
    ):
        _sign(build_zip({"bin/a.exe": build_pe()[:-1]}), tmp_path)
