from __future__ import annotations

import io
import struct

import pytest

from signpath_ci.formats.asn1 import explicit, object_identifier, octet_string, sequence, wrapped
from signpath_ci.formats.cms import DATA, SIGNED_DATA
from signpath_ci.formats.registry import COMPOUND, SCRIPT_END, detect
from tests.support.pe import build_pe
from tests.support.samples import build_cab, build_msi

_TAIL = 1 << 16


def _message(kind: str, size: int) -> bytes:
    return sequence(object_identifier(kind), wrapped(explicit(0), octet_string(bytes(size))))


def _far_pe(offset: int) -> bytes:
    return b"MZ".ljust(60, b"\0") + struct.pack("<I", offset) + bytes(offset - 64) + b"PE\0\0"


def _class_id(number: int) -> bytes:
    return bytes((number, 0x10, 0x0C)) + bytes(5) + b"\xc0" + bytes(6) + b"\x46"


def _patched(data: bytes, offset: int, value: int) -> bytes:
    return data[:offset] + struct.pack("<I", value) + data[offset + 4 :]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (_far_pe(64), "pe"),
        (_far_pe(100_000), "pe"),
        (_far_pe(64)[:-1], None),
        (build_pe()[1:], None),
        (b"ZM" + build_pe()[2:], None),
        (b"PK\3\4", "zip"),
        (b"PK\5\6", "zip"),
        (b"PK\7\x08", None),
        (b"\0PK\3\4", None),
        (build_cab({"a": b"b"}), "cab"),
        (b"MSCE", None),
        (build_msi({"a": b"b"}, class_id=_class_id(0x84)), "msi"),
        (build_msi({"a": b"b"}, class_id=_class_id(0x86)), "msi"),
        (build_msi({"a": b"b"}, class_id=_class_id(0x82)), "msi"),
        (build_msi({"a": b"b"}, class_id=_class_id(0x85)), None),
        (build_msi({"a": b"b"}, class_id=bytes(16)), None),
        (build_msi({"a": b"b"}, version=4), "msi"),
        (_patched(build_msi({"a": b"b"}), 52, 0xFFFFFFFF), "msi"),  # the next field, which says nothing
        (_patched(build_msi({"a": b"b"}), 30, 0xFFFF), None),  # no size of a sector
        (_patched(build_msi({"a": b"b"}), 48, 0xFFFFFFFE), None),  # a directory behind the end
        (build_msi({"a": b"b"})[:511], None),
        (COMPOUND, None),
        (_message(SIGNED_DATA, 0), "cms"),
        (_message(SIGNED_DATA, 1 << 20), "cms"),
        (_message(DATA, 0), None),
        (b"\x31" + _message(SIGNED_DATA, 0)[1:], None),
        (b"\x30" + bytes(8) + object_identifier(SIGNED_DATA), "cms"),
        (b"\x30" + bytes(9) + object_identifier(SIGNED_DATA), None),
        (b"-----BEGIN CMS-----\n", "cms"),
        (b"-----BEGIN PKCS7-----\n", "cms"),
        (b"-----BEGIN CERTIFICATE-----\n", None),
        (b" -----BEGIN CMS-----\n", None),
    ],
)
def test_told_by_the_bytes(data: bytes, kind: str | None) -> None:
    file = io.BytesIO(data)
    file.seek(0, io.SEEK_END)
    assert detect(file) == detect(file, "a.txt", is_end_read=False) == kind
    is_text = not data.startswith(COMPOUND)
    assert detect(file, "a.ps1") == (kind or ("powershell" if is_text else None))


@pytest.mark.parametrize("name", ["a.ps1", "A.PSM1", "in/a.psd1"])
def test_unsigned_scripts_are_told_by_their_name(name: str) -> None:
    assert detect(io.BytesIO(b"exit 0"), name) == detect(io.BytesIO(b""), name, is_end_read=False) == "powershell"
    assert detect(io.BytesIO(b"exit 0"), f"{name}.txt") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_signed_scripts_are_told_by_their_end(encoding: str) -> None:
    end = SCRIPT_END.encode(encoding)
    for data, is_script in (
        (end, True),
        (b"x" * 100 + end + b"\r\n", True),
        (end + bytes(_TAIL - len(end)), True),
        (b"x" * 100 + end + bytes(_TAIL - len(end)), True),
        (b"x" * 100 + end + bytes(_TAIL - len(end) + 1), False),
        (end[:-1], False),
    ):
        assert detect(io.BytesIO(data), "a.txt") == ("powershell" if is_script else None)
        assert detect(io.BytesIO(data), "a.txt", is_end_read=False) is None
