"""Installer files: what of them is hashed, put together by hand."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.authenticode import INSTALLER
from signpath_ci.formats.msi import read_subject
from tests.support.samples import INSTALLER_CLASS, build_msi

SIGNATURE, METADATA = "\5DigitalSignature", "\5MsiDigitalSignatureEx"
STREAMS: dict[str, bytes | Mapping[str, bytes]] = {
    "a": b"first",
    "ab": b"second",
    "b": b"x" * 5000,
    "In": {"c": b"inner", SIGNATURE: b"not the file's"},
}
_STORED, _TIMES = bytes(4), bytes(8) + bytes(range(8))  # state bits and times as `build_msi` writes them


def _name(text: str) -> bytes:
    return text.encode("utf-16-le")


def _metadata(algorithm: str) -> bytes:
    def stream(name: str, data: bytes) -> bytes:
        return _name(name) + len(data).to_bytes(4, "little") + _STORED + _TIMES

    inner = _name("In") + bytes(16) + _STORED + _TIMES + stream(SIGNATURE, b"not the file's") + stream("c", b"inner")
    rest = stream("a", b"first") + stream("ab", b"second") + stream("b", b"x" * 5000)
    return hashlib.new(algorithm, INSTALLER_CLASS + _STORED + inner + rest).digest()


def _hashed(algorithm: str, before: bytes = b"") -> bytes:
    inner = b"not the file's" + b"inner" + bytes(16)
    whole = before + inner + b"first" + b"second" + b"x" * 5000 + INSTALLER_CLASS
    return hashlib.new(algorithm, whole).digest()


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("signature", [None, b"message", b"m" * 5000])
def test_what_is_hashed(signature: bytes | None, algorithm: str) -> None:
    more = {} if signature is None else {SIGNATURE: signature}
    subject = read_subject(io.BytesIO(build_msi({**STREAMS, **more})))
    assert (subject.type, subject.signatures) == (INSTALLER, () if signature is None else (signature,))
    assert subject.digest(algorithm) == _hashed(algorithm)
    assert subject.content(algorithm) == {
        "(storage)": hashlib.new(algorithm, INSTALLER_CLASS).digest(),
        "a": hashlib.new(algorithm, b"first").digest(),
        "ab": hashlib.new(algorithm, b"second").digest(),
        "b": hashlib.new(algorithm, b"x" * 5000).digest(),
        "In/(storage)": hashlib.new(algorithm, bytes(16)).digest(),
        "In/c": hashlib.new(algorithm, b"inner").digest(),
        f"In/{SIGNATURE}": hashlib.new(algorithm, b"not the file's").digest(),
    }


def test_names_sizes_and_times_where_they_are_signed() -> None:
    metadata = _metadata("sha256")
    subject = read_subject(io.BytesIO(build_msi({**STREAMS, SIGNATURE: b"message", METADATA: metadata})))
    assert subject.signatures == (b"message",)
    assert subject.digest("sha256") == _hashed("sha256", metadata)
    changed = read_subject(io.BytesIO(build_msi({**STREAMS, SIGNATURE: b"message", METADATA: metadata[:-1] + b"x"})))
    with pytest.raises(FormatError, match="names, sizes or times in it were changed after it was signed"):
        changed.digest("sha256")
    assert changed.content("sha256") == subject.content("sha256")


@pytest.mark.parametrize(
    ("streams", "words"),
    [
        ({METADATA: bytes(32)}, "it has a part of a signature, but not the signature"),
        ({METADATA: bytes(32), SIGNATURE: b""}, "it has a part of a signature, but not the signature"),
        ({SIGNATURE: {"a": b""}}, "its signature has an impossible size"),
        ({METADATA: {"a": b""}, SIGNATURE: b"message"}, "its signature has an impossible size"),
    ],
)
def test_parts_of_a_signature(streams: dict[str, bytes | Mapping[str, bytes]], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read_subject(io.BytesIO(build_msi({"a": b"b", **streams})))


def test_an_empty_signature_is_none() -> None:
    assert read_subject(io.BytesIO(build_msi({"a": b"b", SIGNATURE: b""}))).signatures == ()


def test_the_biggest_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    data = build_msi({"a": b"b", SIGNATURE: b"message"})
    monkeypatch.setattr("signpath_ci.formats.msi._MAX_SIGNATURE", 7)
    assert read_subject(io.BytesIO(data)).signatures == (b"message",)
    monkeypatch.setattr("signpath_ci.formats.msi._MAX_SIGNATURE", 6)
    with pytest.raises(FormatError, match="its signature has an impossible size"):
        read_subject(io.BytesIO(data))
