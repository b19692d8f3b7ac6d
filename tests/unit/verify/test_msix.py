from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.msix import read_name
from signpath_ci.model import Expectations
from signpath_ci.sandbox.signers import CannotSignError
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip
from tests.support.oracles import needs_osslsigncode, osslsigncode_accepts, run
from tests.support.packages import build_msix
from tests.support.signing import CODE_SIGNING, NOW, authority, code_signer, issue, root
from tests.unit.verify.matrix.formats import FORMATS, embed_msix, publisher_of, sign_msix, stamped, with_signature_named
from tests.unit.verify.test_oracles import accepted, sandbox_signed, tool_signer

CLOCK = Clock(now=lambda: NOW)
FILES = {"app.exe": b"MZ" + bytes(200_000), "Assets/a%20b.xml": b"<a/>", "empty.xml": b""}
PUBLISHER = publisher_of(code_signer())
F = next(f for f in FORMATS if f.name == "msix")


def _sandbox_publisher() -> str:
    names = authority().code_signer("tests").certificate.subject
    return ", ".join(f"{a.rfc4514_attribute_name}={a.value!s}" for a in reversed(list(names)))


def _signed(package: bytes) -> bytes:
    return embed_msix(package, stamped(sign_msix(package, code_signer())).encode())


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _code(path: Path, unsigned: Path | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, expectations=Expectations(), clock=CLOCK)
    return caught.value.code


@needs_osslsigncode
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("is_bundle", [False, True])
def test_osslsigncode_accepts_what_the_sandbox_signs(tmp_path: Path, algorithm: str, is_bundle: bool) -> None:
    publisher = _sandbox_publisher()
    bundled = {"x64.msix": build_msix({"a.exe": b"a"}, publisher)} if is_bundle else None
    files = {} if is_bundle else FILES
    unsigned = _write(tmp_path / "app.msix", build_msix(files, publisher, algorithm=algorithm, bundled=bundled))
    signed = sandbox_signed(unsigned)
    osslsigncode_accepts(signed, root=authority().trust_root)
    for path in (signed, sandbox_signed(signed)):
        (verdict,) = verify_file(
            path, unsigned=unsigned, expectations=Expectations(trust_roots=(authority().trust_root,)), clock=CLOCK
        )
        assert (verdict.format, verdict.identity, verdict.digest_algorithm) == ("msix", "same", algorithm)


@needs_osslsigncode
@pytest.mark.parametrize("is_bundle", [False, True])
def test_what_osslsigncode_signs(tmp_path: Path, is_bundle: bool) -> None:
    signer, certificate, key = tool_signer(tmp_path)
    publisher = publisher_of(signer)
    bundled = {"x64.msix": build_msix({"a.exe": b"a"}, publisher)} if is_bundle else None
    unsigned = _write(tmp_path / "a.msix", build_msix({} if is_bundle else FILES, publisher, bundled=bundled))
    signed = tmp_path / "signed.msix"
    run("osslsigncode", "sign", "-certs", certificate, "-key", key, "-in", unsigned, "-out", signed)
    assert accepted(signed, unsigned, tmp_path).format == "msix"


def test_a_publisher_that_is_not_the_signer(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.msix", _signed(with_signature_named(build_msix(FILES, "CN=Somebody else"))))
    assert _code(path) == "publisher-mismatch"
    with pytest.raises(CannotSignError, match="publisher"):
        sandbox_signed(path)


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("CN=A, O=B", (("2.5.4.3", "A"), ("2.5.4.10", "B"))),
        ('CN="A, ""Inc.""",S=Washington', (("2.5.4.3", 'A, "Inc."'), ("2.5.4.8", "Washington"))),
        ("OID.1.3.6.1.4.1.311.60.2.1.3=US, SERIALNUMBER=1", (("1.3.6.1.4.1.311.60.2.1.3", "US"), ("2.5.4.5", "1"))),
        ("nothing", None),
        ("CN=A, XYZ=B", None),
        ("CN=A,,O=B", None),
    ],
)
def test_names_as_windows_writes_them(text: str, attributes: tuple[tuple[str, str], ...] | None) -> None:
    if attributes is None:
        with pytest.raises(Exception, match="publisher"):
            read_name(text)
    else:
        assert read_name(text) == attributes


_SAME = "<Package FileName='x64.msix' Offset='1' Size='1'/>"


def _replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


_ROW = '<File Name="empty.xml" Size="0" LfhSize="39"></File>'


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_replaced('Size="4"', 'Size="5"'), "block-map-mismatch"),
        (_replaced('LfhSize="46"', 'LfhSize="47"'), "block-map-mismatch"),
        (_replaced('Hash="', 'Hash="AAAA'), "block-map-mismatch"),
        (_replaced("<Block ", '<Block Size="7" '), "block-map-mismatch"),
        (_replaced(_ROW, ""), "block-map-mismatch"),
        (_replaced(_ROW, _ROW + _ROW), "block-map-mismatch"),
        (_replaced(_ROW, _ROW + '<File Name="gone.exe" Size="0"/>'), "block-map-mismatch"),
        (_replaced('Name="app.exe" Size="200002"', 'Name="app.exe"'), "xml-malformed"),
        (_replaced("xmlenc#sha256", "xmlenc#sha512"), "block-map-mismatch"),
        (_replaced("xmlenc#sha256", "xmldsig#sha1"), "unsupported-signature"),
        (lambda text: f'<!DOCTYPE x [<!ENTITY a "{"a" * 100}">]>{text}', "xml-document-type"),
        (lambda text: text[:-5], "xml-malformed"),
        (lambda text: text.replace("<File", "<x>" * 200 + "<File", 1), "xml-malformed"),
    ],
)
def test_block_maps_that_differ_from_the_content(tmp_path: Path, change: Callable[[str], str], code: str) -> None:
    path = tmp_path / "a.msix"
    try:
        package = with_signature_named(build_msix(FILES, PUBLISHER, block_map=change))
        path.write_bytes(_signed(package))
    except AssertionError:
        pytest.fail("the block map has no such text")
    assert _code(path) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_replaced('<Default Extension="exe" ContentType="application/x-msdownload"/>', ""), "part-unknown"),
        (_replaced("<Default", '<Default Extension="EXE" ContentType="a/b"/><Default'), "xml-malformed"),
        (_replaced("<Default", "<Other/><Default"), "xml-malformed"),
    ],
)
def test_parts_outside_of_the_content_types(tmp_path: Path, change: Callable[[str], str], code: str) -> None:
    package = build_msix(FILES, PUBLISHER, types=change)
    if code == "part-unknown":
        package = with_signature_named(package)
        assert _code(_write(tmp_path / "a.msix", _signed(package))) == code
    else:
        with pytest.raises(Exception, match=r"Content_Types"):
            with_signature_named(package)


def test_a_signature_that_the_content_types_do_not_name(tmp_path: Path) -> None:
    assert _code(_write(tmp_path / "a.msix", _signed(build_msix(FILES, PUBLISHER)))) == "part-unknown"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('Offset="38"', 'Offset="39"'),
        ("x64.msix", "arm.msix"),
        ("<Package ", _SAME + "<Package "),
    ],
)
def test_bundles_whose_manifest_names_other_packages(tmp_path: Path, old: str, new: str) -> None:
    bundled = {"x64.msix": build_msix({"a.exe": b"a"}, PUBLISHER)}
    package = with_signature_named(build_msix({}, PUBLISHER, bundled=bundled, manifest=_replaced(old, new)))
    assert _code(_write(tmp_path / "a.msixbundle", _signed(package))) == "block-map-mismatch"


def test_the_digests_are_those_of_the_block_maps_algorithm(tmp_path: Path) -> None:
    package = with_signature_named(build_msix(FILES, PUBLISHER))
    signature = stamped(sign_msix(package, code_signer(), "sha512")).encode()
    assert _code(_write(tmp_path / "a.msix", embed_msix(package, signature))) == "block-map-mismatch"


def test_what_is_in_it_is_compared_with_what_was_submitted(tmp_path: Path) -> None:
    signed = _write(tmp_path / "a.msix", F.signed())
    for files in ({**F.files, "app.exe": b"another"}, {**F.files, "more.xml": b""}, {"app.exe": F.files["app.exe"]}):
        assert _code(signed, _write(tmp_path / "b.msix", build_msix(files, PUBLISHER))) == "content-changed"
    other_types = build_msix(F.files, PUBLISHER, types=_replaced('"application/vnd.ms-appx"', '"a/b"'))
    assert _code(signed, _write(tmp_path / "c.msix", other_types)) == "content-changed"
    assert _code(signed, _write(tmp_path / "d.msix", b"PK\5\6")) == "zip-end-missing"


def test_signed_and_unsigned_packages_in_an_archive(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.zip", build_zip({"a.msix": F.signed()}))
    (verdict,) = verify_file(path, expectations=Expectations(), clock=CLOCK)
    assert (verdict.member, verdict.format) == ("a.msix", "msix")
    assert _code(_write(path, build_zip({"a.msix": F.signed(), "b.appx": F.unsigned}))) == "not-signed"


def test_the_subject_may_have_several_attributes(tmp_path: Path) -> None:
    signer = issue("Company, Inc.", root(), usages=[CODE_SIGNING])
    package = with_signature_named(build_msix(FILES, "CN=&quot;Company, Inc.&quot;"))
    path = _write(tmp_path / "a.msix", embed_msix(package, stamped(sign_msix(package, signer)).encode()))
    assert verify_file(path, expectations=Expectations(), clock=CLOCK)
