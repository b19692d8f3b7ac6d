from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip

RECORDED = Path(__file__).parents[1] / "formats/recorded"
CLOCK = Clock(now=lambda: datetime(2030, 1, 1, tzinfo=timezone.utc))
TRUSTED = Expectations(trust_roots=(RECORDED / "root.pem",))
NAMES = ["ansi.vbs", "plain.vbs", "wide.vbs", "bom.js", "unix.js", "job.wsf"]


def _code(path: Path, unsigned: Path | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, expectations=TRUSTED, clock=CLOCK)
    return caught.value.code


@pytest.mark.parametrize("name", NAMES)
def test_what_jsign_signs(name: str) -> None:
    (verdict,) = verify_file(RECORDED / f"signed-{name}", unsigned=RECORDED / name, expectations=TRUSTED, clock=CLOCK)
    assert (verdict.identity, verdict.trust, verdict.digest_algorithm) == ("same", "root", "sha256")


@pytest.mark.parametrize("name", NAMES)
def test_text_before_the_block_is_covered(tmp_path: Path, name: str) -> None:
    signed = (RECORDED / f"signed-{name}").read_bytes()
    path = tmp_path / name
    path.write_bytes(signed.replace(b"W", b"w", 1))
    assert _code(path) == "digest-mismatch"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("plain.vbs", lambda data: data + b"MsgBox 1\r\n"),
        ("plain.vbs", lambda data: data + data),
        ("plain.vbs", lambda data: data.replace(b"'' SIG '' M", b"'' SIG '' !", 1)),
        ("plain.vbs", lambda data: data.replace(b"'' SIG '' M", b"MsgBox 1 'M", 1)),
        ("plain.vbs", lambda data: data.replace(b"'' SIG '' Begin", b"'' sig '' begin")),
        ("plain.vbs", lambda data: data.replace(b"'' SIG '' End signature block", b"")),
        # The block stands in another place than in front of the last end tag.
        ("job.wsf", lambda data: data.replace(b"</signature>\r\n", b"</signature>\r\n<!-- -->")),
        ("job.wsf", lambda data: data + b"<!-- </job> -->"),
    ],
)
def test_blocks_that_two_readers_could_take_for_different_ones(tmp_path: Path, name: str, change: object) -> None:
    assert callable(change)
    path = tmp_path / name
    path.write_bytes(change((RECORDED / f"signed-{name}").read_bytes()))
    assert _code(path) == "malformed-file"


def test_a_signature_is_for_one_language(tmp_path: Path) -> None:
    data = (RECORDED / "signed-plain.vbs").read_bytes()
    path = tmp_path / "a.js"
    path.write_bytes(data.replace(b"'' SIG ''", b"// SIG //"))
    assert _code(path) == "unsupported-signature"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xfe\xff" + "'' SIG '' Begin signature block".encode("utf-16-be"), "unsupported-signature"),
        (b"a", "not-signed"),
        (b"", "not-signed"),
        (bytes(70 << 20), "not-signed"),
        (bytes(70 << 20) + b"\r\n'' SIG '' Begin signature block\r\n", "unsupported-signature"),
    ],
    ids=["big-endian", "unsigned", "empty", "big", "big-signed"],
)
def test_scripts_that_are_not_signed_or_not_supported(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "a.vbs"
    path.write_bytes(data)
    assert _code(path) == code


def test_unsigned_scripts_in_an_archive_may_be_unsigned_but_not_changed(tmp_path: Path) -> None:
    files = {"signed.vbs": (RECORDED / "signed-plain.vbs").read_bytes(), "a.js": b"one", "b.wsf": b"no job"}
    path, unsigned = tmp_path / "signed.zip", tmp_path / "unsigned.zip"
    path.write_bytes(build_zip(files))
    plain = {**files, "signed.vbs": (RECORDED / "plain.vbs").read_bytes()}
    unsigned.write_bytes(build_zip(plain))
    (verdict,) = verify_file(path, unsigned=unsigned, expectations=TRUSTED, clock=CLOCK)
    assert (verdict.member, verdict.format) == ("signed.vbs", "vbscript")
    unsigned.write_bytes(build_zip({**plain, "a.js": b"two"}))
    assert _code(path, unsigned) == "content-changed"
