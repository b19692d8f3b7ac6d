from __future__ import annotations

import hashlib
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats import FormatError, UnsupportedError, powershell
from signpath_ci.formats.authenticode import SCRIPT

BEGIN, END = b"# SIG # Begin signature block", b"# SIG # End signature block"
BLOCK = b"\r\n".join((b"", BEGIN, b"# AAAA", END, b""))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"text" + BLOCK, "text"),
        (b"text" + BLOCK.replace(b"\r\n", b"\n"), "text"),
        (b"text\n" + BLOCK, "text\n"),
        (BLOCK[2:], ""),
        (b"'# SIG # Begin signature block'" + BLOCK, "'# SIG # Begin signature block'"),
    ],
)
def test_a_signature_covers_the_text_before_its_block(data: bytes, text: str) -> None:
    subject = powershell.read_subject(io.BytesIO(data))
    assert subject.signatures == (bytes(3),)
    assert subject.digest("sha256") == hashlib.sha256(text.encode("utf-16-le")).digest()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"text" + BLOCK + b"more", "something behind it"),
        (b"text" + BLOCK + b" ", "something behind it"),
        (b"text" + BLOCK.replace(b"# AAAA", b"AAAA"), "damaged"),
        (b"text" + BLOCK.replace(b"# AAAA", b"# A"), "no Base64"),
        (b"text" + BLOCK.replace(b"# AAAA", b"# AA==\n# AAAA"), "no Base64"),
        (b"text" + BLOCK.replace(b"# AAAA", b"# AAAA "), "damaged"),
        (b"text" + BLOCK.replace(b"# AAAA", b"# AAAA\rWrite-Output"), "damaged"),
        (b"text" + BLOCK * 2, "exactly one signature block"),
        (b"text" + BLOCK.replace(END, b""), "exactly one signature block"),
        (b"text" + BLOCK.replace(b"Begin", b"BEGIN"), "exactly one signature block"),
        (b"text\r\n" + END + BLOCK, "exactly one signature block"),
        (b"text" + BLOCK.replace(BEGIN, BEGIN + b" "), "exactly one signature block"),
        (b"text" + BLOCK.replace(END, END + b"X"), "exactly one signature block"),
    ],
)
def test_damaged_blocks(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        powershell.read_subject(io.BytesIO(data))


@pytest.mark.parametrize("text", ["Write-Output 'gr\u00fc\u00dfe'\r\nexit 0\r\n", "a\nb", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_signing_a_script_changes_nothing_of_its_text(text: str, encoding: str) -> None:
    data = text.encode(encoding)
    decoded = data.decode("utf-16-le" if encoding == "utf-16" else "utf-8")  # with its byte order mark
    expected = hashlib.sha256(decoded.encode("utf-16-le")).digest()
    digests: list[bytes] = []

    def sign(digest: bytes) -> bytes:
        digests.append(digest)
        return b"m" * 70

    target, again = io.BytesIO(), io.BytesIO()
    powershell.write_signed(io.BytesIO(data), target, algorithm="sha256", sign=sign)
    powershell.write_signed(target, again, algorithm="sha256", sign=sign)
    assert digests == [expected, expected]
    assert again.getvalue() == target.getvalue()
    lines = ("", BEGIN.decode(), "# " + "bW1t" * 16, "# " + "bW1t" * 7 + "bQ==", END.decode(), "")
    assert target.getvalue() == (decoded + "\r\n".join(lines)).encode("utf-16-le" if encoding == "utf-16" else "utf-8")
    for file, signatures in ((io.BytesIO(data), ()), (target, (b"m" * 70,))):
        subject = powershell.read_subject(file)
        assert (subject.type, subject.signatures) == (SCRIPT, signatures)
        assert (subject.digest("sha256"), subject.content("sha256")) == (expected, {"": expected})


def test_the_biggest_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.formats.powershell._MAX_SIZE", 10)
    assert powershell.read_subject(io.BytesIO(b"x" * 10)).signatures == ()
    with pytest.raises(UnsupportedError, match="it is too big for a script"):
        powershell.read_subject(io.BytesIO(b"x" * 11))


def test_other_encodings_are_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="neither UTF-8 nor UTF-16"):
        powershell.read_subject(io.BytesIO("grüße".encode("latin-1")))


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with suppress(FormatError):
        powershell.read_subject(io.BytesIO(data)).digest("sha256")
