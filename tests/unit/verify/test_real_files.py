"""A file as a well-known publisher signs them: see `tests/recorded/signed/README.md`."""

from __future__ import annotations

import struct
from datetime import datetime, timezone
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file

RECORDED = Path(__file__).parents[2] / "recorded" / "signed" / "run_code_on_dllmain_x86.dll"
# Long after the signer's certificate has ended: only the timestamp keeps the signature valid.
LATER = Clock(now=lambda: datetime(2060, 1, 1, tzinfo=timezone.utc))


def test_microsoft_s_signature_is_valid_with_its_timestamp() -> None:
    (verdict,) = verify_file(RECORDED, clock=LATER)
    assert verdict.signer.subject.startswith("CN=Microsoft 3rd Party Application Component,O=Microsoft Corporation")
    assert verdict.timestamp is not None
    assert verdict.timestamp.time.date().isoformat() == "2026-09-15"
    assert verdict.signer.not_before <= verdict.timestamp.time <= verdict.signer.not_after < LATER.now()
    assert (verdict.format, verdict.digest_algorithm, verdict.trust) == ("pe", "sha256", "not-checked")
    pinned = Expectations(thumbprints=frozenset({verdict.signer.thumbprint}), strict=True)
    then = Clock(now=lambda: verdict.signer.not_after)
    assert verify_file(RECORDED, expectations=pinned, clock=then)[0].trust == "thumbprint"
    with pytest.raises(VerificationError, match="which is not now"):  # nobody vouches for the timestamp
        verify_file(RECORDED, expectations=pinned, clock=LATER)


def test_it_is_what_was_there_before_it_was_signed(tmp_path: Path) -> None:
    data = bytearray(RECORDED.read_bytes())
    directory = int.from_bytes(data[60:64], "little") + 24 + 96 + 32
    (start, _) = struct.unpack_from("<II", data, directory)
    struct.pack_into("<II", data, directory, 0, 0)
    unsigned = tmp_path / "unsigned.dll"
    unsigned.write_bytes(data[:start])
    assert verify_file(RECORDED, unsigned=unsigned, clock=LATER)[0].identity == "same"


@pytest.mark.parametrize("part", range(8))
def test_a_flipped_byte_in_the_image_is_found(tmp_path: Path, part: int) -> None:
    data = bytearray(RECORDED.read_bytes())
    (start,) = struct.unpack_from("<I", data, int.from_bytes(data[60:64], "little") + 24 + 96 + 32)
    data[start * part // 8 + 600] ^= 1
    path = tmp_path / "a.dll"
    path.write_bytes(data)
    with pytest.raises(VerificationError):
        verify_file(path, clock=LATER)
