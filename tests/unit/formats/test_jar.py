from __future__ import annotations

import hashlib
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.jar import (
    Manifest,
    digest_of,
    is_signature_file,
    is_signature_related,
    strongest_digest,
    write_section,
)


@pytest.mark.parametrize(
    ("name", "is_file", "is_related"),
    [
        ("META-INF/A.SF", True, True),
        ("meta-inf/a.sf", True, True),
        ("META-INF/A.RSA", False, True),
        ("META-INF/a.dsa", False, True),
        ("META-INF/A.EC", False, True),
        ("META-INF/SIG-anything", False, True),
        ("META-INF/sig-", False, True),
        ("META-INF/MANIFEST.MF", False, True),
        ("META-INF/manifest.mf", False, True),
        ("META-INF/A.PGP", False, False),
        ("META-INF/.SF", False, False),
        ("META-INF/A.SF.txt", False, False),
        ("META-INF/in/A.SF", False, False),
        ("META-INF/in/A.RSA", False, False),
        ("META-INF/in/SIG-A", False, False),
        ("META-INF/MANIFEST.MF2", False, False),
        ("in/META-INF/A.SF", False, False),
        ("in/META-INF/MANIFEST.MF", False, False),
        ("A.SF", False, False),
        ("MANIFEST.MF", False, False),
    ],
)
def test_which_files_carry_a_signature(name: str, is_file: bool, is_related: bool) -> None:
    assert (is_signature_file(name), is_signature_related(name)) == (is_file, is_related)


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_a_manifest(end: bytes) -> None:
    lines = (b"Version: 1", b"Sealed: a: b", b"", b"", b"Name: \xc3", b" \xbc/x", b"SHA-256-Digest: AA==", b"Empty: ")
    assert Manifest.read(end.join(lines), "it") == Manifest.read(end.join((*lines, b"", b"")), "it")
    assert Manifest.read(end.join(lines), "it") == Manifest(
        {"version": "1", "sealed": "a: b"}, {"\u00fc/x": {"sha-256-digest": "AA==", "empty": ""}}
    )


def test_an_empty_manifest() -> None:
    assert Manifest.read(b"", "it") == Manifest.read(b"\r\n\r\n", "it") == Manifest({}, {})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"A: 1\n\nName: x\nB: 2\n\nC: 3", "it has a section without a name of its own"),
        (b"A: 1\n\nName: x\n\nname: x", "it has a section without a name of its own"),
        (b"A: 1\na: 1", "it has a line that is no attribute, or one twice"),
        (b"A:1", "it has a line that is no attribute, or one twice"),
        (b"A: 1\n\nB: 2", "it has a section without a name of its own"),
        (b"\xff: x", "it is not UTF-8"),
    ],
)
def test_manifests_that_are_ambiguous(data: bytes, words: str) -> None:
    with pytest.raises(FormatError) as caught:
        Manifest.read(data, "it")
    assert str(caught.value) == words


_DIGESTS = {"sha-256-digest": "AQ==", "sha-384-digest": "Ag==", "sha-512-digest": "Aw==", "sha1-digest": "BA=="}


def test_the_strongest_digest_is_taken() -> None:
    section = {f"{name}{suffix}": value for name, value in _DIGESTS.items() for suffix in ("", "-manifest")}
    for name, value in (("sha512", b"\3"), ("sha384", b"\2"), ("sha256", b"\1")):
        assert strongest_digest(section, "it", suffix="-manifest") == strongest_digest(section, "it") == (name, value)
        del section[f"{name[:3]}-{name[3:]}-digest"], section[f"{name[:3]}-{name[3:]}-digest-manifest"]
    with pytest.raises(UnsupportedError, match="the digest of it is by SHA1, which is broken: it proves nothing"):
        strongest_digest(section, "it")


@pytest.mark.parametrize("name", ["SHA1", "SHA-1", "SHA", "MD5", "MD2"])
def test_broken_digests_prove_nothing(name: str) -> None:
    with pytest.raises(UnsupportedError, match=f"the digest of it is by {name}, which is broken: it proves nothing"):
        strongest_digest({f"{name}-Digest-Manifest".lower(): "AA=="}, "it", suffix="-manifest")
    with pytest.raises(FormatError, match="there is no digest of it"):
        strongest_digest({f"{name}-Digest-Manifest".lower(): "AA=="}, "it")


@pytest.mark.parametrize("value", ["A", "AA=", "AA==!", "A A=="])
def test_a_digest_is_strict_base64(value: str) -> None:
    with pytest.raises(FormatError, match="the digest of it is not Base64"):
        strongest_digest({"sha-256-digest": value}, "it")


def test_an_entry_is_hashed_to_its_end() -> None:
    data = bytes(range(256)) * 5000  # more than is read at once
    assert digest_of(io.BytesIO(data), "sha384") == hashlib.sha384(data).digest()


def test_lines_are_folded_within_72_bytes() -> None:
    assert write_section({"Name": "x" * 64, "B": "y"}) == b"Name: " + b"x" * 64 + b"\r\nB: y\r\n\r\n"
    assert write_section({"Name": "x" * 65}) == b"Name: " + b"x" * 64 + b"\r\n x\r\n\r\n"
    assert write_section({"Name": "x" * (64 + 69 + 1)}) == (
        b"Name: " + b"x" * 64 + b"\r\n " + b"x" * 69 + b"\r\n x\r\n\r\n"
    )
    assert write_section({"Name": "\u00fc" * 33}) == b"Name: " + b"\xc3\xbc" * 32 + b"\r\n \xc3\xbc\r\n\r\n"


@given(st.dictionaries(st.sampled_from(["a", "b-digest", "c"]), st.text("ü x\u20ac", min_size=1, max_size=200)))
def test_long_lines_are_folded_within_72_bytes(section: dict[str, str]) -> None:
    data = write_section({"Version": "1", **section})
    assert all(len(line) <= 70 for line in data.split(b"\r\n"))
    assert Manifest.read(data, "it").main == {"version": "1", **section}


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    with suppress(FormatError):
        Manifest.read(data, "it")
