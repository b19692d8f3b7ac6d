"""Names from `Content-Disposition`, made safe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats.zip import is_reserved
from signpath_ci.signing.file_name import name_from_header, safe_base_name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="app.exe"', "app.exe"),
        ("attachment; filename=app.exe", "app.exe"),
        ("attachment;FileName=app.exe; size=3", "app.exe"),
        ('attachment; filename="a \\"quoted\\" name.exe"', "a _quoted_ name.exe"),
        ('attachment; filename="semi;colon.exe"', "semi;colon.exe"),
        ("attachment; filename=\"plain.exe\"; filename*=UTF-8''gr%C3%BCn.exe", "grün.exe"),
        ("attachment; filename*=iso-8859-1'en'%A3.exe; filename=plain.exe", "£.exe"),
        ("attachment; filename*=UTF-8''%2e%2e%2fevil.exe", "evil.exe"),
        ("attachment; filename*=UTF-8''%FF; filename=plain.exe", "plain.exe"),
        ("attachment; filename*=no-such-charset''x; filename=plain.exe", "plain.exe"),
        ("attachment; filename*=broken; filename=plain.exe", "plain.exe"),
        ("attachment; filename*=UTF-8''..; filename=plain.exe", "plain.exe"),
        ('attachment; filename="gr\u00c3\u00bcn.exe"', "grün.exe"),
        ('attachment; filename="gr\u00fcn.exe"', "grün.exe"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\Windows\\\\evil.dll"', "evil.dll"),
        ('attachment; filename="C:evil.dll"', "C_evil.dll"),
        ('attachment; filename="app.exe:stream"', "app.exe_stream"),
        ('attachment; filename="nul"', "_nul"),
        ('attachment; filename="COM1.tar.gz"', "_COM1.tar.gz"),
        ('attachment; filename="LPT\u00b9.txt"', "_LPT¹.txt"),
        ('attachment; filename="app.exe. . "', "app.exe"),
        ('attachment; filename=" app.exe"', "app.exe"),
        ('attachment; filename="a\r\nb\x00c\u202ed.exe"', "a__b_c_d.exe"),
        ('attachment; filename=""', "fallback"),
        ('attachment; filename="."', "fallback"),
        ('attachment; filename=".."', "fallback"),
        ('attachment; filename="dir/"', "fallback"),
        ('attachment; filename="   "', "fallback"),
        ("attachment", "fallback"),
        ("", "fallback"),
        (None, "fallback"),
    ],
)
def test_names(header: str | None, name: str) -> None:
    assert name_from_header(header, fallback="fallback") == name


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_base_name("ü" * 300 + ".exe")

    assert (name[-5:], len(name.encode())) == ("ü.exe", 200)
    assert len(safe_base_name("x." + "y" * 300)) == 200


@pytest.mark.parametrize("name", ["con", "Aux.h", "PRN .txt", "com0", "lpt9.x.y", "CONIN$", "conout$.txt", "com\u00b2"])
def test_names_of_devices(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize("name", ["console", "com", "com10", "auxiliary.c", "nul_", "x.con"])
def test_names_that_only_look_like_devices(name: str) -> None:
    assert not is_reserved(name)


@given(header=st.text() | st.text().map(lambda name: f'attachment; filename="{name}"'))
def test_any_header_gives_a_name_that_is_one_file_in_the_directory(header: str) -> None:
    name = name_from_header(header, fallback="fallback")

    assert name not in {"", ".", ".."}
    assert not set(name) & set('/\\:*?"<>|\0\n\r')
    assert name == name.strip(" ").rstrip(".")
    assert not is_reserved(name)
    assert len(name.encode("utf-8", "replace")) <= 200
