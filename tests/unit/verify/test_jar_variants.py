"""JARs as options of jarsigner make them: digests of the sections only, the signature file inside of the block."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.asn1 import octet_string
from signpath_ci.formats.cms import DATA
from signpath_ci.formats.jar import MANIFEST, raw_sections, write_section
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip
from tests.support.signing import NOW, code_signer, sign_cms
from tests.unit.verify.matrix.formats import stamped

CLOCK = Clock(now=lambda: NOW)
FILES = {"a.class": b"the first file", "b.txt": b"the second file"}


def _hashed(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _manifest() -> bytes:
    sections = [{"Name": name, "SHA-256-Digest": _hashed(data)} for name, data in FILES.items()]
    return write_section({"Manifest-Version": "1.0", "Main-Class": "a"}) + b"".join(map(write_section, sections))


def _jar(
    change: Callable[[bytes], bytes] = lambda manifest: manifest, *, left_out: int = 0, inside: bytes | None = None
) -> bytes:
    manifest = _manifest()
    main, *sections = raw_sections(manifest)
    signature_file = write_section(
        {"Signature-Version": "1.0", "SHA-256-Digest-Manifest-Main-Attributes": _hashed(main)}
    ) + b"".join(
        write_section({"Name": name, "SHA-256-Digest": _hashed(data)})
        for name, data in list(zip(FILES, sections, strict=True))[left_out:]
    )
    message = stamped(sign_cms(code_signer(), DATA, octet_string(signature_file)))
    message = replace(message, content=None if inside is None else octet_string(inside or signature_file))
    parts = {MANIFEST: change(manifest), "META-INF/S.SF": signature_file, "META-INF/S.EC": message.encode()}
    return build_zip({**parts, **FILES})


def _verify(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "a.jar"
    path.write_bytes(data)
    try:
        (verdict,) = verify_file(path, clock=CLOCK)
    except VerificationError as error:
        return error.code
    return verdict.format


def test_digests_of_the_sections_only(tmp_path: Path) -> None:
    assert _verify(tmp_path, _jar()) == "jar"


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.replace(b"Main-Class: a", b"Main-Class: b"),
        lambda m: m.replace(b"Name: a.class\r\n", b"Name: a.class\r\nSealed: true\r\n"),
        lambda m: m + b"Name: c\r\nLauncher: c\r\n\r\n",
        lambda m: m + b"\r\n",
        lambda m: m.replace(b"\r\n\r\n", b"\r\n\r\n\r\n", 1),
        lambda m: m.replace(b"\r\n", b"\n"),
    ],
)
def test_a_manifest_that_was_changed(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    assert _verify(tmp_path, _jar(change)) in {"digest-mismatch", "malformed-file"}


def test_a_section_that_is_not_digested(tmp_path: Path) -> None:
    assert _verify(tmp_path, _jar(left_out=1)) == "jar-structure"


def test_the_signature_file_inside_of_the_block(tmp_path: Path) -> None:
    assert _verify(tmp_path, _jar(inside=b"")) == "jar"
    assert _verify(tmp_path, _jar(inside=b"another file")) == "signature-mismatch"


@pytest.mark.parametrize(
    ("data", "sections"),
    [
        (b"", []),
        (b"A: 1", [b"A: 1"]),
        (b"A: 1\n\nB: 2\r\n\r\n", [b"A: 1\n\n", b"B: 2\r\n\r\n"]),
        (b"A: 1\r\rB\r", [b"A: 1\r\r", b"B\r"]),
        (b"A\n\n\nB", [b"A\n\n", b"\n", b"B"]),
    ],
)
def test_raw_sections_are_all_of_a_manifest(data: bytes, sections: list[bytes]) -> None:
    assert raw_sections(data) == sections
    assert b"".join(sections) == data
