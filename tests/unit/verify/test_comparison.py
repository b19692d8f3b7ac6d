from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, cab, msi, pe, powershell
from signpath_ci.formats.authenticode import PE_IMAGE, Subject
from signpath_ci.verify import verify_file
from signpath_ci.verify.comparison import digest_and_compare
from tests.support.pe import build_pe, certificate_entry
from tests.support.samples import build_cab, build_msi, installer_streams
from tests.support.signing import NOW, code_signer, sign_image, write_pe

CLOCK = Clock(now=lambda: NOW)
BORDER = 1 << 18  # bytes in a piece


def _subject(**parts: tuple[bytes, ...]) -> Subject:
    return Subject(type=PE_IMAGE, signatures=(), parts=lambda: ((path, iter(pieces)) for path, pieces in parts.items()))


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


SIGNED = _subject(a=(b"one", b"two"), b=(), c=(b"three",))


@pytest.mark.parametrize(
    ("submitted", "is_same"),
    [
        (_subject(a=(b"one", b"two"), b=(), c=(b"three",)), True),
        (_subject(a=(b"on", b"", b"etw", b"o"), b=(b"",), c=(b"three",)), True),
        (_subject(a=(b"onetwo",), b=(), c=(b"th", b"ree", b"")), True),
        (_subject(a=(b"one", b"twx"), b=(), c=(b"three",)), False),
        (_subject(a=(b"one", b"two"), b=(), c=(b"thre",)), False),
        (_subject(a=(b"one", b"two"), b=(), c=(b"three", b"!")), False),
        (_subject(a=(b"one",), b=(b"two",), c=(b"three",)), False),
        (_subject(a=(b"one", b"two", b"th"), b=(), c=(b"ree",)), False),
        (_subject(a=(b"one", b"two"), x=(), c=(b"three",)), False),
        (_subject(a=(b"one", b"two"), b=()), False),
        (_subject(a=(b"one", b"two"), b=(), c=(b"three",), d=()), False),
        (_subject(), False),
    ],
)
def test_a_file_is_hashed_and_compared_at_once(submitted: Subject, is_same: bool) -> None:
    assert digest_and_compare(SIGNED, submitted, "sha256") == (_sha256(b"onetwothree"), is_same)


def test_what_is_hashed_in_front_is_not_compared() -> None:
    signed = replace(SIGNED, prefix=lambda algorithm: algorithm.encode())
    assert digest_and_compare(signed, SIGNED, "sha256") == (_sha256(b"sha256onetwothree"), True)
    assert digest_and_compare(signed, SIGNED, "sha256")[0] == signed.digest("sha256")


def test_a_submitted_file_that_shrinks_is_what_is_wrong() -> None:
    def shrinking() -> Iterator[bytes]:
        yield b"one"
        raise FormatError("it became shorter while it was read")

    submitted = replace(SIGNED, parts=lambda: iter([("a", shrinking())]))
    with pytest.raises(VerificationError, match="because of that one: it became shorter"):
        digest_and_compare(SIGNED, submitted, "sha256")


def test_what_differs_is_not_read_to_its_end() -> None:
    def endless() -> Iterator[bytes]:
        yield b"x"
        pytest.fail("was read although the file is another one")

    submitted = replace(SIGNED, parts=lambda: iter([("a", endless())]))
    assert digest_and_compare(SIGNED, submitted, "sha256") == (_sha256(b"onetwothree"), False)


@given(
    size=st.integers(0, 40) | st.integers(BORDER - 600, BORDER + 20) | st.integers(2 * BORDER - 600, 2 * BORDER + 20),
    is_64=st.booleans(),
)
def test_a_pe_file_is_the_same_before_and_after_signing(size: int, is_64: bool) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    before = build_pe(content=content, is_64=is_64)
    padding = bytes(-len(before) % 8)
    table = certificate_entry(b"message")
    after = bytearray(build_pe(content=content + padding, is_64=is_64, section=(size, 512), table=table))
    after[64 + 24 + 64 : 64 + 24 + 68] = b"sums"  # the checksum
    signed = pe.read_subject(io.BytesIO(after))
    submitted = pe.read_subject(io.BytesIO(before))
    assert digest_and_compare(signed, submitted, "sha256") == (submitted.digest("sha256"), True)
    after[511 + size] ^= 1
    changed = pe.read_subject(io.BytesIO(after))
    assert digest_and_compare(changed, submitted, "sha256") == (changed.digest("sha256"), False)


@pytest.mark.parametrize(
    ("write", "read", "unsigned"),
    [
        (cab.write_signed, cab.read_subject, build_cab({"a": b"content"})),
        (powershell.SCRIPTS.write_signed, powershell.SCRIPTS.read_subject, b"Write-Host 1\r\n"),
    ],
)
def test_cabinets_and_scripts_are_the_same_before_and_after_signing(
    write: Callable[..., None], read: Callable[[BinaryIO], Subject], unsigned: bytes
) -> None:
    target = io.BytesIO()
    write(io.BytesIO(unsigned), target, algorithm="sha256", sign=lambda _: b"\x30\x06message")
    submitted = read(io.BytesIO(unsigned))
    assert digest_and_compare(read(target), submitted, "sha256") == (submitted.digest("sha256"), True)


def test_installers_are_the_same_wherever_their_sectors_lie() -> None:
    streams = installer_streams()
    signed = msi.read_subject(io.BytesIO(build_msi({**streams, "\5DigitalSignature": b"s" * 5000}, version=4)))
    submitted = msi.read_subject(io.BytesIO(build_msi(streams)))
    assert digest_and_compare(signed, submitted, "sha256") == (submitted.digest("sha256"), True)
    moved = msi.read_subject(io.BytesIO(build_msi({**streams, "empty": b"a table", "\u4840\u3b3f": b"a table" * 9})))
    assert digest_and_compare(signed, moved, "sha256") == (submitted.digest("sha256"), False)


def _pe(path: Path, message: str = "") -> Path:
    path.write_bytes(build_pe(content=(message or "content").encode().ljust(512)))
    return path


def test_a_submitted_file_with_another_checksum_is_the_same(tmp_path: Path) -> None:
    unsigned = _pe(tmp_path / "a.exe")
    signed = write_pe(tmp_path / "signed.exe", lambda digest: sign_image(digest, code_signer()), source=unsigned)
    data = bytearray(unsigned.read_bytes())
    data[64 + 24 + 64] ^= 1
    unsigned.write_bytes(data)
    assert [v.identity for v in verify_file(signed, unsigned=unsigned, clock=CLOCK)] == ["same"]


def test_a_submitted_file_whose_last_byte_differs(tmp_path: Path) -> None:
    unsigned = _pe(tmp_path / "a.exe")
    signed = write_pe(tmp_path / "signed.exe", lambda digest: sign_image(digest, code_signer()), source=unsigned)
    other = tmp_path / "b.exe"
    data = bytearray(unsigned.read_bytes())
    data[-1] ^= 1
    other.write_bytes(data)
    now, before = (pe.read_subject(io.BytesIO(p.read_bytes())).digest("sha256").hex() for p in (signed, other))
    with pytest.raises(VerificationError) as caught:
        verify_file(signed, unsigned=other, clock=CLOCK)
    assert caught.value.message == (
        f"{signed}: it is signed, but it is not the file that was submitted:"
        f" the Authenticode hash is {now}, the submitted file's is {before}."
    )
