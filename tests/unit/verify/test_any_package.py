"""Whatever the bytes of a script, a catalog, a package or its parts: a verdict, or one of the project's own errors."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signpath_ci.clock import Clock
from signpath_ci.errors import SignPathError
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.signers import CannotSignError, sign_file
from signpath_ci.verify import can_verify, needs_xml, verify_file
from tests.support.packages import build_vsix, rebuilt
from tests.support.samples import unsigned_files
from tests.support.signing import NOW, authority
from tests.unit.verify.matrix.formats import FORMATS
from tests.unit.verify.test_opc import SIGNATURE

CLOCK = Clock(now=lambda: NOW)
XML = b'<?xml version="1.0"?>\n<bom xmlns="urn:bom" version="1"><a x="1">text</a></bom>\n'
PARTS = {
    "a.vbs": [""],
    "a.wsf": [""],
    "a.cat": [""],
    "a.xml": [""],
    "a.nupkg": ["", ".signature.p7s"],
    "a.msix": ["", "AppxBlockMap.xml", "AppxManifest.xml", "[Content_Types].xml", "AppxSignature.p7x"],
    "a.vsix": ["", SIGNATURE, "_rels/.rels", "[Content_Types].xml"],
}
_TEXTS = [b"<", b'"', b"&a;", b"<!DOCTYPE a>", b"\xff\xfe", b"\r\n", b"=", b"</", b"-1", b"9" * 30, b"\0", b"<x>" * 200]


@cache
def _directory() -> Path:
    return Path(mkdtemp(prefix="any-package-"))


def _sign(name: str, data: bytes) -> bytes:
    source, target = _directory() / name, _directory() / f"signed-{name}"
    source.write_bytes(data)
    sign_file(
        source,
        target,
        signer=authority().code_signer("tests"),
        timestamp=lambda value: tsa.timestamp(authority().timestamper, value, now=NOW),
    )
    return target.read_bytes()


@cache
def signed_file(name: str) -> bytes:
    """Return a signed file of one of the names in `PARTS`."""
    if name in {"a.nupkg", "a.msix"}:
        return next(f for f in FORMATS if f.file_name == f"app.{name[2:]}").signed()
    return _sign(name, unsigned_file(name))


def unsigned_file(name: str) -> bytes:
    """Return the unsigned file of one of the names in `PARTS`."""
    if name == "a.vsix":
        return build_vsix({"extensionless": b"text"})
    samples = unsigned_files()
    return {"a.xml": XML, "a.cat": samples["driver.cat"]}.get(name) or samples[f"script{name[1:]}"]


@st.composite
def _mutations(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a signed file with some bytes of it, or of a part of it, changed, cut out, repeated or replaced."""
    name = draw(st.sampled_from(sorted(PARTS)))
    part = draw(st.sampled_from(PARTS[name]))
    signed = signed_file(name)
    data = bytearray(signed)
    if part:
        with zipfile.ZipFile(BytesIO(signed)) as archive:
            data = bytearray(archive.read(part))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["byte", "text", "cut", "repeat", "end"]))
        if kind == "byte":
            data[start : start + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "text":
            data[start : start + draw(st.integers(0, 8))] = draw(st.sampled_from(_TEXTS))
        elif kind == "cut":
            del data[start : start + draw(st.integers(1, 400))]
        elif kind == "repeat":
            data[start:start] = data[start : start + draw(st.integers(1, 400))]
        else:
            del data[start:]
    return name, rebuilt(signed, {part: bytes(data)}) if part else bytes(data)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(_mutations())
def test_any_mutation_of_a_signed_file(mutation: tuple[str, bytes]) -> None:
    name, data = mutation
    path, good = _directory() / f"any-{name}", _directory() / f"good-{name}"
    path.write_bytes(data)
    good.write_bytes(signed_file(name))
    can_verify(path)
    needs_xml(path)
    for signed, unsigned in ((path, None), (path, good), (good, path)):
        with suppress(SignPathError):
            verify_file(signed, unsigned=unsigned, clock=CLOCK)
    with suppress(CannotSignError):
        _sign(f"any-source-{name}", data)
