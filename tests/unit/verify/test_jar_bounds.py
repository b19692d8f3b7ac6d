"""Bounds of JAR files: the number of signatures, the size of manifests, and what they cost."""

from __future__ import annotations

import io
import time

import pytest

from signpath_ci.formats import FormatError
from signpath_ci.formats.jar import MANIFEST, MAX_LINES, MAX_SIGNATURES, Manifest
from signpath_ci.formats.zip import open_archive
from signpath_ci.verify.jar import verify_jar
from signpath_ci.verify.signer_requirements import SignerRequirements
from signpath_ci.verify.trust import Trust
from tests.support.archives import build_zip
from tests.support.signing import NOW


def _code(pairs: int) -> str:
    related = {f"META-INF/{n:x}.{suffix}": b"A: 1\n\n" for n in range(pairs) for suffix in ("SF", "RSA")}
    data = build_zip({MANIFEST: b"A: 1\n\n", **related})
    with open_archive(io.BytesIO(data)) as archive, pytest.raises(Exception) as caught:  # noqa: PT011 - its code tells
        verify_jar(archive, submitted=None, requirements=SignerRequirements(trust=Trust(), now=NOW))
    return str(getattr(caught.value, "code", caught.value))


def test_signature_files_are_counted_before_they_are_read() -> None:
    assert _code(MAX_SIGNATURES + 1) == "jar-too-many-signatures"
    assert _code(MAX_SIGNATURES) != "jar-too-many-signatures"


def test_thousands_of_signature_files_take_no_time() -> None:
    start = time.process_time()
    assert _code(5000) == "jar-too-many-signatures"
    assert time.process_time() - start < 10


@pytest.mark.parametrize("line", [b"\n", b"\r", b"\r\n", b"\n ", b"a\n"])
def test_lines_are_counted_before_they_are_read(line: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        Manifest.read(line * (MAX_LINES + 1), "the manifest")
    assert caught.value.code == "jar-too-many-lines"


@pytest.mark.parametrize("form", ["\nName: {}\n", "a{}: 1\n", "\n", "A{}: b\n c\n d\n"])
def test_cost_of_a_manifest_is_linear(form: str) -> None:
    def cost(count: int) -> float:
        data = b"M: 1\n" + "".join(form.format(number) for number in range(count)).encode()
        best = 1e9
        for _ in range(3):
            start = time.process_time()
            Manifest.read(data, "the manifest")
            best = min(best, time.process_time() - start)
        return best

    small, large = cost(5_000), cost(40_000)
    assert large < 0.1 or large < small * 8 * 4
