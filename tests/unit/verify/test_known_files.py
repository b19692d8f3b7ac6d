from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.verify import known_files
from signpath_ci.verify.known_files import KnownFiles
from signpath_ci.verify.schemes import verify_signatures
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements
from signpath_ci.verify.trust import Trust
from tests.support.pe import LAUNCHERS
from tests.support.signing import NOW, code_signer, issue, root, sign_image, write_pe

_ANYBODY = SignerRequirements(trust=Trust(), now=NOW)


@pytest.fixture
def signed(tmp_path: Path) -> bytes:
    return write_pe(tmp_path / "a.exe", lambda digest: sign_image(digest, code_signer())).read_bytes()


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what files were verified, which grows."""
    found: list[str] = []

    def count(kind: Any, file: Any, **others: Any) -> tuple[Signature, ...]:
        found.append(kind)
        return verify_signatures(kind, file, **others)

    monkeypatch.setattr(known_files, "verify_signatures", count)
    return found


def _verify(
    known: KnownFiles, data: bytes, unsigned: bytes | None = None, requirements: SignerRequirements = _ANYBODY
) -> Any:
    submitted = None if unsigned is None else io.BytesIO(unsigned)
    return known.signatures("pe", io.BytesIO(data), unsigned=submitted, requirements=requirements, is_walked=False)


def test_the_same_bytes_are_verified_once(signed: bytes, verified: list[str]) -> None:
    known, unsigned = KnownFiles(), LAUNCHERS["x64"].read_bytes()
    assert _verify(known, signed) == _verify(known, signed)
    assert len(verified) == 1
    assert _verify(known, signed, unsigned) == _verify(known, signed, unsigned)
    assert len(verified) == 2


def test_another_submitted_file_or_requirement_is_another_question(signed: bytes) -> None:
    known = KnownFiles()
    _verify(known, signed, LAUNCHERS["x64"].read_bytes())
    stranger = issue("Another", is_ca=True).certificate
    for refuse in (
        {"unsigned": LAUNCHERS["x86"].read_bytes()},
        {"requirements": SignerRequirements(trust=Trust(roots=(stranger,)), now=NOW)},
        {"requirements": SignerRequirements(trust=Trust(thumbprints=frozenset({"00" * 32})), now=NOW)},
    ):
        with pytest.raises(VerificationError):
            _verify(known, signed, **refuse)
    assert (
        _verify(known, signed, requirements=SignerRequirements(trust=Trust(roots=(root().certificate,)), now=NOW))[
            0
        ].trust
        == "root"
    )


def test_one_changed_byte_is_another_file(signed: bytes) -> None:
    known = KnownFiles()
    _verify(known, signed)
    for position in (0x250, len(signed) - 400):
        changed = bytearray(signed)
        changed[position] ^= 1
        for _ in range(2):
            with pytest.raises((VerificationError, FormatError)):
                _verify(known, bytes(changed))


def test_failures_and_large_files_are_not_remembered(
    signed: bytes, verified: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownFiles()
    for _ in range(2):
        with pytest.raises(VerificationError):
            _verify(known, LAUNCHERS["x64"].read_bytes())
    monkeypatch.setattr(known_files, "_MAX_SIZE", len(signed) - 1)
    _verify(known, signed)
    _verify(known, signed)
    assert len(verified) == 4


def test_the_memory_is_bounded(signed: bytes, verified: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownFiles()
    monkeypatch.setattr(known_files, "_MAX_FILES", 1)
    for requirements in (_ANYBODY, SignerRequirements(trust=Trust(roots=(root().certificate,)), now=NOW), _ANYBODY):
        _verify(known, signed, requirements=requirements)
    assert len(verified) == 3
