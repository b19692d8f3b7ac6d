from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from signpath_ci.model import Expectations
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.pki import Authority
from signpath_ci.sandbox.signers import CannotSignError, sign_file
from signpath_ci.verify import verify_file
from tests.support.oracles import needs_osslsigncode, osslsigncode_accepts, run
from tests.support.pe import LAUNCHERS, build_pe, imagehlp_checksum, stored_checksum
from tests.support.signing import NOW, authority


def _token(data: bytes) -> bytes:
    return tsa.timestamp(authority().timestamper, data, now=NOW)


def _sign(source: Path, target: Path) -> None:
    sign_file(source, target, signer=authority().code_signer("tests"), timestamp=_token)


@needs_osslsigncode
@pytest.mark.parametrize("architecture", sorted(LAUNCHERS))
def test_osslsigncode_accepts_what_we_sign(tmp_path: Path, architecture: str) -> None:
    now = datetime.now(timezone.utc)  # the tool's own clock decides
    ours = Authority.open(tmp_path / "ca", now=now)
    target = tmp_path / "signed.exe"

    def token(data: bytes) -> bytes:
        return tsa.timestamp(ours.timestamper, data, now=now)

    sign_file(LAUNCHERS[architecture], target, signer=ours.code_signer("tests"), timestamp=token)
    osslsigncode_accepts(target, root=ours.trust_root)
    assert stored_checksum(target.read_bytes()) == imagehlp_checksum(target.read_bytes())

    # Signing again replaces the signature, and the content is still the launcher's.
    again = tmp_path / "again.exe"
    sign_file(target, again, signer=ours.code_signer("other"), timestamp=token)
    osslsigncode_accepts(again, root=ours.trust_root)
    bare = tmp_path / "bare.exe"
    run("osslsigncode", "remove-signature", "-in", again, "-out", bare)
    assert bare.read_bytes()[4096:] == LAUNCHERS[architecture].read_bytes()[4096:]
    (verdict,) = verify_file(
        again, unsigned=LAUNCHERS[architecture], expectations=Expectations(trust_roots=(ours.trust_root,))
    )
    assert "(other)" in verdict.signer.subject


def test_the_source_stays_as_it_was(tmp_path: Path) -> None:
    source = tmp_path / "a.exe"
    source.write_bytes(LAUNCHERS["x64"].read_bytes())
    _sign(source, tmp_path / "b.exe")
    assert source.read_bytes() == LAUNCHERS["x64"].read_bytes()
    assert (tmp_path / "b.exe").read_bytes() != source.read_bytes()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "of no format"),
        (b"text", "of no format"),
        (build_pe()[:-1], "The PE file can not be signed: it is cut off: sections end after the file."),
        (build_pe(directories=4), "no security directory"),
    ],
)
def test_files_that_can_not_be_signed(tmp_path: Path, data: bytes, words: str) -> None:
    source = tmp_path / "a.exe"
    source.write_bytes(data)
    with pytest.raises(CannotSignError) as caught:
        _sign(source, tmp_path / "b.exe")
    assert words in str(caught.value)
