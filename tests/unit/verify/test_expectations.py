"""What users can demand: strictness, pinning, algorithms, issuers; what may stay unjudged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import UnsupportedFormatError, UsageError, VerificationError
from signpath_ci.formats.asn1 import octet_string
from signpath_ci.model import Expectations, Failure
from signpath_ci.report.words import verdict_summary
from signpath_ci.verify import can_verify, check_expectations, verify_delivery, verify_file
from tests.support.archives import build_zip
from tests.support.pe import LAUNCHERS, build_pe, certificate_entry
from tests.support.signing import CODE_SIGNING, NOW, Identity, allowing, code_signer, issue, root
from tests.unit.verify.matrix.formats import FORMATS, stamped, unchanged
from tests.unit.verify.matrix.judging import pem

CLOCK = Clock(now=lambda: NOW)
PE, CMS = (next(f for f in FORMATS if f.name == name) for name in ("pe", "cms"))


def _signed(directory: Path, signer: Identity | None = None, *, is_stamped: bool = True) -> Path:
    path = directory / "a.exe"
    path.write_bytes(PE.signed(signer, change=stamped if is_stamped else unchanged))
    return path


def _thumbprint(identity: Identity) -> frozenset[str]:
    from cryptography.hazmat.primitives import hashes

    return frozenset({identity.certificate.fingerprint(hashes.SHA256()).hex()})


def test_a_self_signed_certificate_can_be_pinned_and_is_never_called_trusted(tmp_path: Path) -> None:
    signer = issue("Self", usages=[CODE_SIGNING])
    path = _signed(tmp_path, signer)
    pinned = Expectations(thumbprints=_thumbprint(signer))
    (verdict,) = verify_file(path, expectations=pinned, clock=CLOCK)
    assert verdict.trust == "pinned-self-signed"
    assert "trusted" not in verdict_summary(verdict)
    assert "self-signed" in verdict_summary(verdict)
    as_root = Expectations(trust_roots=(pem(tmp_path / "root.pem", signer),))
    with pytest.raises(VerificationError, match="the timestamp authority"):
        verify_file(path, expectations=as_root, clock=CLOCK)
    bare = _signed(tmp_path, signer, is_stamped=False)
    assert verify_file(bare, expectations=as_root, clock=CLOCK)[0].trust == "pinned-self-signed"
    assert verify_file(bare, clock=CLOCK)[0].trust == "not-checked"
    with pytest.raises(VerificationError, match="is self-signed: nobody vouches"):
        verify_file(path, expectations=replace(pinned, strict=True), clock=CLOCK)


def test_strict_requires_trust_and_a_timestamp(tmp_path: Path) -> None:
    trusted = Expectations(trust_roots=(pem(tmp_path / "root.pem", root()),), strict=True)
    pinned = Expectations(thumbprints=_thumbprint(code_signer()), strict=True)
    assert [verify_file(_signed(tmp_path), expectations=e, clock=CLOCK)[0].trust for e in (trusted, pinned)] == [
        "root",
        "thumbprint",
    ]
    bare = _signed(tmp_path, is_stamped=False)
    for expectations in (trusted, pinned):
        with pytest.raises(VerificationError, match="has no timestamp"):
            verify_file(bare, expectations=expectations, clock=CLOCK)


@pytest.mark.parametrize(
    ("expectations", "words"),
    [
        (Expectations(strict=True), "nobody is trusted"),
        (Expectations(strict=True, subject="Acme", issuer="CA"), "nobody is trusted"),
        (Expectations(digest_algorithms=frozenset()), "can be allowed are sha256, sha384, sha512"),
        (Expectations(digest_algorithms=frozenset({"sha256", "sha1"})), "can be allowed"),
    ],
)
def test_requirements_that_make_no_sense(tmp_path: Path, expectations: Expectations, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_expectations(expectations)
    with pytest.raises(UsageError, match=words):
        verify_file(_signed(tmp_path), expectations=expectations, clock=CLOCK)


def test_the_issuer_is_a_condition(tmp_path: Path) -> None:
    path = _signed(tmp_path)
    assert verify_file(path, expectations=Expectations(issuer="cn=ROOT"), clock=CLOCK)[0].trust == "not-checked"
    with pytest.raises(VerificationError, match="was issued by CN=Root, which does not contain 'Acme'"):
        verify_file(path, expectations=Expectations(issuer="Acme"), clock=CLOCK)


def test_only_allowed_digests(tmp_path: Path) -> None:
    path = _signed(tmp_path)
    for allowed, is_good in (({"sha256"}, True), ({"sha256", "sha512"}, True), ({"sha384", "sha512"}, False)):
        expectations = Expectations(digest_algorithms=frozenset(allowed))
        if is_good:
            verify_file(path, expectations=expectations, clock=CLOCK)
        else:
            with pytest.raises(VerificationError, match=r"sha256, which is not allowed \(allowed: sha384, sha512\)"):
                verify_file(path, expectations=expectations, clock=CLOCK)


def test_files_that_may_stay_unverified(tmp_path: Path) -> None:
    path = tmp_path / "package.deb"
    path.write_bytes(b"!<arch>\n")
    with pytest.raises(UnsupportedFormatError):
        verify_file(path, expectations=allowing("*.rpm"), clock=CLOCK)
    assert not can_verify(path)
    allowed = allowing("*.deb")
    assert can_verify(path, allowed)
    account = verify_delivery(path, expectations=allowed, clock=CLOCK)
    assert [(file.outcome, file.verdicts) for file in account.files] == [("allowed", ())]
    unsigned = tmp_path / "package.exe"
    unsigned.write_bytes(LAUNCHERS["x86"].read_bytes())
    with pytest.raises(VerificationError, match="is not signed"):  # supported, so the pattern says nothing
        verify_file(unsigned, expectations=allowing("*"), clock=CLOCK)


def test_members_that_may_stay_unjudged(tmp_path: Path) -> None:
    before, after = tmp_path / "before.zip", tmp_path / "after.zip"
    before.write_bytes(build_zip({"app.exe": PE.unsigned, "in/a.nupkg": b"before"}))
    after.write_bytes(build_zip({"app.exe": PE.signed(), "in/a.nupkg": b"after, signed"}))
    with pytest.raises(UnsupportedFormatError) as caught:
        verify_file(after, unsigned=before, clock=CLOCK)
    assert [(f.member, f.code) for f in caught.value.verdicts if isinstance(f, Failure)] == [
        ("in/a.nupkg", "not-verifiable")
    ]
    for pattern in ("*.nupkg", "in/*", "a.nupkg"):
        allowed = allowing(pattern)
        (verdict,) = verify_file(after, unsigned=before, expectations=allowed, clock=CLOCK)
        assert verdict.member == "app.exe"


def test_only_the_member_that_can_not_be_verified_is_allowed(tmp_path: Path) -> None:
    # Of a format that is supported, but signed in a way that is not.
    twice = build_pe(table=certificate_entry(b"messages", kind=1))
    path = tmp_path / "a.zip"
    for name, data in (("other.exe", twice),):
        path.write_bytes(build_zip({name: data, "app.exe": PE.signed()}))
        with pytest.raises(UnsupportedFormatError, match=name):
            verify_file(path, clock=CLOCK)
        allowed = allowing(name)
        account = verify_delivery(path, expectations=allowed, clock=CLOCK)
        assert {f.member: f.outcome for f in account.files} == {name: "allowed", "app.exe": "signed"}
        path.write_bytes(build_zip({name: data, "app.exe": PE.unsigned}))
        with pytest.raises(VerificationError, match=r"app\.exe: the file is not signed"):
            verify_file(path, expectations=allowed, clock=CLOCK)


def test_all_signatures_in_an_archive(tmp_path: Path) -> None:
    path, before = tmp_path / "a.zip", tmp_path / "before.zip"
    data = {"1.bin": CMS.files[""], "2.bin": CMS.files[""], "alone.p7s": CMS.signed()}
    signatures = {"1.bin.p7s": CMS.signed(), "2.bin.p7s": CMS.signed()}
    path.write_bytes(build_zip({**signatures, "app.exe": PE.signed(), **data, "last.exe": PE.signed()}))
    before.write_bytes(build_zip({**data, "app.exe": PE.unsigned, "last.exe": PE.unsigned}))
    for unsigned in (None, before):
        found = [v.member for v in verify_file(path, unsigned=unsigned, clock=CLOCK)]
        assert found == ["1.bin.p7s", "2.bin.p7s", "app.exe", "last.exe"]
    path.write_bytes(build_zip({**signatures, "app.exe": PE.signed(), **data, "last.exe": PE.unsigned}))
    with pytest.raises(VerificationError, match=r"last\.exe: the file is not signed"):
        verify_file(path, clock=CLOCK)


def test_detached_signatures_in_an_archive(tmp_path: Path) -> None:
    before, after = tmp_path / "before.zip", tmp_path / "after.zip"
    files = {"data.bin": CMS.files[""], "note.txt": b"text"}
    before.write_bytes(build_zip(files))

    def judged(entries: dict[str, bytes], unsigned: Path | None = before) -> list[str | None]:
        after.write_bytes(build_zip(entries))
        return [v.member for v in verify_file(after, unsigned=unsigned, clock=CLOCK)]

    good = {**files, "data.bin.p7s": CMS.signed()}
    assert judged(good) == judged(good, None) == ["data.bin.p7s"]
    with pytest.raises(VerificationError, match=r"data\.bin\.p7s: the signature does not match its content") as caught:
        judged({**good, "data.bin": b"other"}, None)
    assert [(verdict.member, verdict.format) for verdict in caught.value.verdicts] == [("data.bin.p7s", "cms")]
    with pytest.raises(VerificationError, match=r"other\.p7s: not submitted, but added"):
        judged({**good, "other.p7s": CMS.signed()})
    with pytest.raises(VerificationError, match=r"note\.txt: it is not what was submitted"):
        judged({**good, "note.txt": b"changed"})


def test_a_detached_signature_without_its_file(tmp_path: Path) -> None:
    path = tmp_path / "data.bin.p7s"
    path.write_bytes(CMS.signed())
    with pytest.raises(VerificationError, match="is detached, and the file that it is for is not given"):
        verify_file(path, clock=CLOCK)
    inside, content = tmp_path / "inside.p7s", tmp_path / "data.bin"
    content.write_bytes(CMS.unsigned)
    for data, is_good in ((CMS.unsigned, True), (b"x", False)):
        inside.write_bytes(CMS.signed(change=lambda m, data=data: replace(m, content=octet_string(data))))  # type: ignore[misc]
        if is_good:
            assert verify_file(inside, unsigned=content, clock=CLOCK)[0].identity == "same"
        else:
            with pytest.raises(VerificationError, match="is not the file that it is for"):
                verify_file(inside, unsigned=content, clock=CLOCK)
