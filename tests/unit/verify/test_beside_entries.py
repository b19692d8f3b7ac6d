"""Data in a ZIP archive beside the content of its entries: it was submitted, or a signature covers it, or it fails."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_delivery
from tests.support.archives import build_zip
from tests.support.raw_zip import extra
from tests.support.signing import NOW
from tests.unit.formats.zip.test_profile import PAIR, signing_block
from tests.unit.verify.matrix.formats import FORMATS

CLOCK = Clock(now=lambda: NOW)
PE, JAR = (next(f for f in FORMATS if f.name == name) for name in ("pe", "jar"))
PAYLOAD = b"payload" * 100
Change = Callable[[zipfile.ZipFile], None]


def _archive_comment(archive: zipfile.ZipFile) -> None:
    archive.comment = PAYLOAD


def _entry_comment(archive: zipfile.ZipFile) -> None:
    archive.infolist()[-1].comment = PAYLOAD


def _extra_field(archive: zipfile.ZipFile) -> None:
    archive.infolist()[-1].extra = extra(0x4141, PAYLOAD)


def _small_fields(archive: zipfile.ZipFile) -> None:
    archive.infolist()[-1].extra = extra(0x4141, PAYLOAD[:32]) * 8


def _times_and_alignment(archive: zipfile.ZipFile) -> None:
    archive.infolist()[-1].extra = extra(0x5455, b"\1" + b"1234") + extra(0xD935, b"\4\0" + bytes(4000))


HARMFUL = [_archive_comment, _entry_comment, _extra_field, _small_fields]


def _changed(data: bytes, change: Change) -> bytes:
    """Return an archive with the same entries, each written anew, with a change of its directory."""
    target = io.BytesIO(data)
    with zipfile.ZipFile(target, "a") as archive:
        change(archive)
        archive._didModify = True  # type: ignore[attr-defined] # nothing else makes it write the directory again
    return target.getvalue()


def _with_local_field(data: bytes) -> bytes:
    """Return an archive of the same entries with a payload in their local headers only."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as archive:
        for found in source.infolist():
            info = zipfile.ZipInfo(found.filename)
            info.extra = extra(0x4141, PAYLOAD)
            archive.writestr(info, source.read(found))
            info.extra = b""
    return target.getvalue()


def _codes(directory: Path, name: str, signed: bytes, unsigned: bytes | None) -> list[str]:
    path, before = directory / name, directory / f"unsigned-{name}"
    path.write_bytes(signed)
    if unsigned is not None:
        before.write_bytes(unsigned)
    try:
        verify_delivery(path, unsigned=before if unsigned else None, expectations=Expectations(), clock=CLOCK)
    except VerificationError as error:
        return [failed.code for failed in error.account.failed] if error.account else [error.code]
    return []


@pytest.mark.parametrize("change", HARMFUL)
def test_what_was_not_submitted(tmp_path: Path, change: Change) -> None:
    signed, unsigned = build_zip({"app.exe": PE.signed()}), build_zip({"app.exe": PE.unsigned})

    assert _codes(tmp_path, "a.zip", _changed(signed, change), unsigned) == ["content-added"]
    assert _codes(tmp_path, "a.zip", _changed(signed, change), _changed(unsigned, change)) == []


@pytest.mark.parametrize("change", HARMFUL)
def test_what_the_signature_of_a_jar_does_not_cover(tmp_path: Path, change: Change) -> None:
    assert _codes(tmp_path, "a.jar", _changed(JAR.signed(), change), None) == ["uncovered-data"]
    assert _codes(tmp_path, "a.jar", _changed(JAR.signed(), change), JAR.unsigned) == ["uncovered-data"]


def test_a_field_in_local_headers_only(tmp_path: Path) -> None:
    assert _codes(tmp_path, "a.jar", _with_local_field(JAR.signed()), None) == ["uncovered-data"]


def _with_block(data: bytes) -> bytes:
    """Return an archive with an APK signing block in front of its directory."""
    place = data.index(b"PK\1\2")
    block = signing_block(PAIR)
    moved = bytearray(data[:place] + block + data[place:])
    end = moved.rindex(b"PK\5\6")
    moved[end + 16 : end + 20] = (place + len(block)).to_bytes(4, "little")
    return bytes(moved)


def test_a_signing_block_in_a_jar(tmp_path: Path) -> None:
    files = {"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n", "AndroidManifest.xml": b""}
    submitted = {"app.exe": PE.unsigned, "a.jar": build_zip(files)}
    delivered = {"app.exe": PE.signed(), "a.jar": _with_block(build_zip(files))}

    assert _codes(tmp_path, "a.zip", build_zip(delivered), build_zip(submitted)) == ["content-added"]


def test_times_and_alignment_are_no_payload(tmp_path: Path) -> None:
    assert _codes(tmp_path, "a.jar", _changed(JAR.signed(), _times_and_alignment), JAR.unsigned) == []
