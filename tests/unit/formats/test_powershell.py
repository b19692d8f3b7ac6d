from __future__ import annotations

import hashlib
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats import FormatError, UncoveredError, UnsupportedError, powershell
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
    subject = powershell.SCRIPTS.read_subject(io.BytesIO(data))
    assert subject.signatures == (bytes(3),)
    assert subject.digest("sha256") == hashlib.sha256(text.encode("utf-16-le")).digest()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"text" + BLOCK + b"more", "something behind it"),
        (b"text" + BLOCK + b" ", "something behind it"),
        (b"text" + BLOCK.replace(b"# AAAA", b"AAAA"), "damaged"),
        (b"text" + BLOCK.replace(b"# AAAA", b"# A"), "not Base64"),
        (b"text" + BLOCK.replace(b"# AAAA", b"# AA==\n# AAAA"), "not Base64"),
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
        powershell.SCRIPTS.read_subject(io.BytesIO(data))


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
    powershell.SCRIPTS.write_signed(io.BytesIO(data), target, algorithm="sha256", sign=sign)
    powershell.SCRIPTS.write_signed(target, again, algorithm="sha256", sign=sign)
    assert digests == [expected, expected]
    assert again.getvalue() == target.getvalue()
    lines = ("", BEGIN.decode(), "# " + "bW1t" * 16, "# " + "bW1t" * 7 + "bQ==", END.decode(), "")
    assert target.getvalue() == (decoded + "\r\n".join(lines)).encode("utf-16-le" if encoding == "utf-16" else "utf-8")
    for file, signatures in ((io.BytesIO(data), ()), (target, (b"m" * 70,))):
        subject = powershell.SCRIPTS.read_subject(file)
        assert (subject.type, subject.signatures) == (SCRIPT, signatures)
        assert (subject.digest("sha256"), subject.content("sha256")) == (expected, {"": expected})


def test_the_biggest_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signpath_ci.formats.powershell._MAX_SIZE", 10)
    assert powershell.SCRIPTS.read_subject(io.BytesIO(b"x" * 10)).signatures == ()
    with pytest.raises(UnsupportedError, match="it is too big for a script"):
        powershell.SCRIPTS.read_subject(io.BytesIO(b"x" * 11))


def test_other_encodings_are_unsupported() -> None:
    with pytest.raises(UnsupportedError, match="big-endian"):
        powershell.SCRIPTS.read_subject(io.BytesIO(b"\xfe\xff" + "text".encode("utf-16-be")))
    with pytest.raises(UnsupportedError, match="not UTF-8"):
        powershell.SCRIPTS.read_subject(io.BytesIO(b"\xef\xbb\xbf\xff"))


@pytest.mark.parametrize("data", ["grüße".encode("latin-1"), "grüße".encode(), b"\x81\x8d\x90"])
def test_without_a_mark_a_code_page_is_a_reading(data: bytes) -> None:
    subject = powershell.SCRIPTS.read_subject(io.BytesIO(data))
    western = next(r for r in subject.readings if "1252" in r.note and not r.prefix)
    text = "".join(bytes([n]).decode("cp1252", "ignore") or chr(n) for n in data)
    assert subject.digest("sha256", western) == hashlib.sha256(text.encode("utf-16-le")).digest()


@pytest.mark.parametrize("size", [(1 << 18) + n for n in range(-4, 5)])
def test_characters_at_the_edge_of_a_piece(size: int) -> None:
    text = "a" * (size - 6) + "\U0001f600\u20acß" * 3
    subject = powershell.SCRIPTS.read_subject(io.BytesIO(text.encode()))
    assert subject.digest("sha256") == hashlib.sha256(text.encode("utf-16-le")).digest()


@pytest.mark.parametrize("syntax", [powershell.XML, powershell.MOF])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_other_comments(syntax: powershell.PowerShell, encoding: str) -> None:
    data, target = "<a>grüße</a>".encode(encoding), io.BytesIO()
    syntax.write_signed(io.BytesIO(data), target, algorithm="sha256", sign=lambda _: b"m" * 70)
    signed = target.getvalue()
    assert signed.startswith(data)
    subject, unsigned = syntax.read_subject(target), syntax.read_subject(io.BytesIO(data))
    assert subject.signatures == (b"m" * 70,)
    assert subject.digest("sha256") == unsigned.digest("sha256")
    more = "more".encode("utf-16-le" if encoding == "utf-16" else "utf-8")
    with pytest.raises(FormatError, match="something behind"):
        syntax.read_subject(io.BytesIO(signed + more))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_line_breaks_behind_a_block(encoding: str) -> None:
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    for breaks, is_good in (("", True), ("\r\n", True), ("\r\n" * 2, True), ("\r\n" * 3, False), ("\n\0", False)):
        text = "text" + BLOCK.decode().rstrip("\r\n") + breaks
        file = io.BytesIO(mark + text.encode(encoding))
        if is_good:
            assert powershell.SCRIPTS.read_subject(file).signatures
        else:
            with pytest.raises(UncoveredError):
                powershell.SCRIPTS.read_subject(file)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with suppress(FormatError):
        powershell.SCRIPTS.read_subject(io.BytesIO(data)).digest("sha256")
