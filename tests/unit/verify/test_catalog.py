from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.asn1 import octet_string, sequence
from signpath_ci.formats.authenticode import NESTED_SIGNATURE
from signpath_ci.formats.catalog import TRUST_LIST, covered, read_catalog
from signpath_ci.formats.cms import Attribute, SignedData
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.oracles import needs_osslsigncode, osslsigncode_accepts, run
from tests.support.samples import build_catalog, trust_list
from tests.support.signing import NOW, authority, code_signer, sign_cms
from tests.unit.verify.test_oracles import accepted, sandbox_signed, tool_signer, unsigned_file

CLOCK = Clock(now=lambda: NOW)
FILES = {"one.sys": b"one", "two.dll": b"two"}


def _code(path: Path, unsigned: Path | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, expectations=Expectations(), clock=CLOCK)
    return caught.value.code


def _write(path: Path, data: bytes | SignedData) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def _signed(content: bytes) -> SignedData:
    return sign_cms(code_signer(), TRUST_LIST, content)


@needs_osslsigncode
def test_osslsigncode_accepts_what_the_sandbox_signs(tmp_path: Path) -> None:
    unsigned = unsigned_file(tmp_path, "driver.cat")
    signed = sandbox_signed(unsigned)
    osslsigncode_accepts(signed, root=authority().trust_root)
    (verdict,) = verify_file(signed, unsigned=unsigned, expectations=Expectations(), clock=CLOCK)
    assert (verdict.format, verdict.identity) == ("catalog", "same")
    again = sandbox_signed(signed)
    osslsigncode_accepts(again, root=authority().trust_root)


@needs_osslsigncode
def test_what_osslsigncode_signs(tmp_path: Path) -> None:
    _, certificate, key = tool_signer(tmp_path)
    unsigned, signed = unsigned_file(tmp_path, "driver.cat"), tmp_path / "signed.cat"
    run("osslsigncode", "sign", "-certs", certificate, "-key", key, "-in", unsigned, "-out", signed)
    assert accepted(signed, unsigned, tmp_path).format == "catalog"


def test_an_entry_under_the_digest_of_another_file(tmp_path: Path) -> None:
    content = trust_list(FILES, stated={**FILES, "one.sys": b"another"})
    assert _code(_write(tmp_path / "a.cat", _signed(content))) == "catalog-entry-mismatch"


def test_another_list_than_the_submitted_one(tmp_path: Path) -> None:
    signed = _write(tmp_path / "a.cat", _signed(trust_list(FILES)))
    assert _code(signed, _write(tmp_path / "b.cat", build_catalog({"one.sys": b"one"}))) == "content-changed"
    assert _code(signed, _write(tmp_path / "c.cat", b"no catalog")) == "content-changed"


def test_a_list_for_something_else_and_messages_of_other_types(tmp_path: Path) -> None:
    other = trust_list(FILES).replace(bytes.fromhex("2b0601040182370c0101"), bytes.fromhex("2b0601040182370c0109"))
    assert _code(_write(tmp_path / "a.cat", _signed(other))) == "malformed-file"
    assert _code(_write(tmp_path / "a.cat", build_catalog(FILES))) == "not-signed"
    cut = _signed(sequence(*([octet_string(b"")] * 3)))
    assert _code(_write(tmp_path / "a.cat", cut)) == "malformed-file"


def test_a_nested_signature_must_be_for_the_same_list(tmp_path: Path) -> None:
    outer, inner = _signed(trust_list(FILES)), _signed(trust_list({"other": b"other"}))
    for nested, count in ((outer, 2), (inner, 0)):
        (info,) = outer.signers
        attribute = Attribute(NESTED_SIGNATURE, (nested.encode(),))
        path = _write(tmp_path / "a.cat", replace(outer, signers=(replace(info, unsigned_attributes=(attribute,)),)))
        if count:
            assert len(verify_file(path, expectations=Expectations(), clock=CLOCK)) == count
        else:
            assert _code(path) == "digest-mismatch"


def test_what_a_catalog_covers(tmp_path: Path) -> None:
    many = {str(number): str(number).encode() for number in range(2000)}
    with _write(tmp_path / "a.cat", build_catalog(many)).open("rb") as file:
        assert len(covered(read_catalog(file).content or b"")) == 2000
