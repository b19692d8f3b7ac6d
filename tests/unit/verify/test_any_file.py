"""Whatever the bytes: a verdict, or one of the project's own errors."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.model import Expectations
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.signers import CannotSignError, sign_file
from signpath_ci.verify import can_verify, verify_file
from tests.support.archives import build_zip
from tests.support.pe import build_pe, certificate_entry
from tests.support.signing import NOW, authority

CLOCK = Clock(now=lambda: NOW)


@cache
def _directory() -> Path:
    return Path(mkdtemp(prefix="any-file-"))


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
def _signed(name: str) -> bytes:
    if name == "a.exe":
        return _sign(name, build_pe(content=bytes(64)))
    inner = build_zip({"b.exe": build_pe(content=bytes(16))})
    return _sign(name, build_zip({"a.exe": build_pe(content=bytes(8)), "inner.zip": inner, "text": b"text"}))


@st.composite
def _mutations(draw: st.DrawFn) -> bytes:
    """Draw a signed file with some bytes changed, cut out or repeated."""
    data = bytearray(_signed(draw(st.sampled_from(["a.exe", "a.zip"]))))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["byte", "word", "cut", "repeat", "end"]))
        if kind == "byte":
            data[start : start + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "word":
            data[start : start + 4] = draw(
                st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\x30\x80"])
            )
        elif kind == "cut":
            del data[start : start + draw(st.integers(1, 40))]
        elif kind == "repeat":
            data[start:start] = data[start : start + draw(st.integers(1, 40))]
        else:
            del data[start:]
    return bytes(data)


def _judge(data: bytes) -> None:
    path = _directory() / "any"
    path.write_bytes(data)
    can_verify(path)
    trusted = Expectations(trust_roots=(authority().trust_root,))
    with suppress(VerificationError):
        assert verify_file(path, expectations=trusted, clock=CLOCK)[0].trust == "root"
    with suppress(VerificationError):
        assert verify_file(path, unsigned=_directory() / "a.exe", clock=CLOCK)[0].identity == "same"
    with suppress(VerificationError):
        assert verify_file(_directory() / "signed-a.zip", unsigned=path, clock=CLOCK)[0].identity == "same"
    with suppress(CannotSignError):
        assert _sign("any-source", data)


@pytest.fixture(autouse=True, scope="module")
def _files() -> None:
    for name in ("a.exe", "a.zip"):
        _signed(name)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    _judge(data)
    _judge(b"MZ" + data)
    _judge(b"PK\x03\x04" + data)


@given(st.binary(max_size=300))
def test_any_bytes_as_a_signature(data: bytes) -> None:
    path = _directory() / "any"
    path.write_bytes(build_pe(table=certificate_entry(data or b"\0")))
    with pytest.raises(VerificationError):
        verify_file(path, clock=CLOCK)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(_mutations())
def test_any_mutation_of_a_signed_file(data: bytes) -> None:
    _judge(data)
