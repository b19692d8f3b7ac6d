from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.formats.opc import read_relationships
from signpath_ci.model import Expectations
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip
from tests.support.needs import needs
from tests.support.oracles import run
from tests.support.packages import build_vsix, rebuilt
from tests.support.signing import NOW, authority
from tests.unit.verify.test_oracles import accepted, sandbox_signed, tool_signer

CLOCK = Clock(now=lambda: NOW)
FILES = {"lib/Example.dll": b"MZ" + bytes(100_000), "extensionless": b"text", "a b.dll": b"blank"}
SIGNATURE = "package/services/digital-signature/xml-signature/signpath.psdsxs"
ORIGIN_RELATIONSHIPS = "package/services/digital-signature/_rels/origin.psdor.rels"
RELATIONSHIP = '<Relationship Id="A" Type="urn:example" Target="/lib/Example.dll"/>'
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
needs_xmlsec1 = needs("xmlsec1")


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _signed(directory: Path, package: bytes | None = None) -> bytes:
    unsigned = _write(directory / "unsigned.vsix", build_vsix(FILES) if package is None else package)
    return sandbox_signed(unsigned).read_bytes()


def _part(package: bytes, name: str = SIGNATURE) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read(name)


def _code(path: Path, unsigned: Path | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, expectations=Expectations(), clock=CLOCK)
    return caught.value.code


@pytest.mark.parametrize("relationships", [None, RELATIONSHIP])
def test_what_the_sandbox_signs(tmp_path: Path, relationships: str | None) -> None:
    unsigned = _write(tmp_path / "a.vsix", build_vsix(FILES, relationships=relationships))
    signed = sandbox_signed(unsigned)
    trusted = Expectations(trust_roots=(authority().trust_root,), strict=True)
    for path in (signed, sandbox_signed(signed)):
        (verdict,) = verify_file(path, unsigned=unsigned, expectations=trusted, clock=CLOCK)
        assert (verdict.format, verdict.identity, verdict.trust) == ("vsix", "same", "root")
        assert verdict.timestamp is not None


@needs_xmlsec1
def test_xmlsec1_accepts_the_signature_of_what_the_sandbox_signs(tmp_path: Path) -> None:
    part = _write(tmp_path / "signature.xml", _part(_signed(tmp_path)))
    said = subprocess.run(
        ["xmlsec1", "--verify", "--trusted-pem", str(authority().trust_root), "--enabled-key-data", "x509",
         "--ignore-manifests", "--id-attr:Id", "Object", "--verification-time", "2026-03-02 00:00:00", str(part)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "SignedInfo References (ok/all): 1/1" in said.stderr + said.stdout


def _hashed(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _template(package: bytes, *, transform: str = "") -> bytes:
    """Return a signature for xmlsec1 to fill, of a package that has all parts but it."""
    method = '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
    references = ""
    types = {"dll": "application/octet-stream", "rels": "application/vnd.openxmlformats-package.relationships+xml"}
    types |= {"psdor": "application/vnd.openxmlformats-package.digital-signature-origin", "vsixmanifest": "text/xml"}
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        for name in archive.namelist():
            if name in {"[Content_Types].xml", SIGNATURE}:
                continue
            kind = types.get(name.rpartition(".")[2], "text/plain")
            data, transforms = archive.read(name), ""
            if transform and name == "_rels/.rels":
                transforms, data = transform, _transformed(data)
            uri = f"/{name}?ContentType={kind}".replace(" ", "%20")
            references += f'<Reference URI="{uri}">{transforms}{method}'
            references += f"<DigestValue>{_hashed(data)}</DigestValue></Reference>"
    return (
        '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>'
        f'<CanonicalizationMethod Algorithm="{C14N}"/>'
        '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>'
        f'<Reference URI="#idPackageObject"><Transforms><Transform Algorithm="{C14N}"/></Transforms>{method}'
        "<DigestValue/></Reference></SignedInfo><SignatureValue/><KeyInfo><X509Data/></KeyInfo>"
        f'<Object Id="idPackageObject"><Manifest>{references}</Manifest></Object></Signature>'
    ).encode()


def _transformed(data: bytes) -> bytes:
    """Return what the relationship transform leaves of relationships, without those that lead to the signature."""
    namespace = "http://schemas.openxmlformats.org/package/2006/relationships"
    kept = "".join(
        f'<Relationship Id="{r.identifier}" Target="{r.target}" TargetMode="{r.mode}" Type="{r.type}"></Relationship>'
        for r in sorted(read_relationships(data, "").values())
        if "digital-signature" not in r.type
    )
    return f'<Relationships xmlns="{namespace}">{kept}</Relationships>'.encode()


def _selecting(identifier: str) -> str:
    prefix = "http://schemas.openxmlformats.org/package/2006"
    return (
        f'<Transforms><Transform Algorithm="{prefix}/RelationshipTransform"><r:RelationshipReference'
        f' xmlns:r="{prefix}/digital-signature" SourceId="{identifier}"/></Transform>'
        f'<Transform Algorithm="{C14N}"/></Transforms>'
    )


def _by_xmlsec1(directory: Path, package: bytes, template: bytes) -> bytes:
    _, certificate, key = tool_signer(directory)
    source, target = _write(directory / "template.xml", template), directory / "filled.xml"
    command = ["xmlsec1", "--sign", "--ignore-manifests", "--id-attr:Id", "Object"]
    run(*command, "--privkey-pem", f"{key},{certificate}", "--output", target, source)
    return rebuilt(package, {SIGNATURE: target.read_bytes()})


@needs_xmlsec1
@pytest.mark.parametrize("transform", ["", _selecting("A")])
def test_what_xmlsec1_signs(tmp_path: Path, transform: str) -> None:
    unsigned = _write(tmp_path / "a.vsix", build_vsix(FILES, relationships=RELATIONSHIP))
    package = sandbox_signed(unsigned).read_bytes()
    signed = _by_xmlsec1(tmp_path, package, _template(package, transform=transform))
    assert accepted(_write(tmp_path / "b.vsix", signed), unsigned, tmp_path).format == "vsix"


@needs_xmlsec1
def test_relationships_that_the_signature_leaves_out(tmp_path: Path) -> None:
    more = RELATIONSHIP + RELATIONSHIP.replace('"A"', '"B"').replace("lib/Example.dll", "extensionless")
    package = _signed(tmp_path, build_vsix(FILES, relationships=more))
    signed = _by_xmlsec1(tmp_path, package, _template(package, transform=_selecting("A")))
    assert _code(_write(tmp_path / "a.vsix", signed)) == "uncovered-data"


def _in_signature(old: str, new: str) -> Callable[[bytes], dict[str, bytes | None]]:
    def change(package: bytes) -> dict[str, bytes | None]:
        part = _part(package)
        assert old.encode() in part
        return {SIGNATURE: part.replace(old.encode(), new.encode(), 1)}

    return change


def _types(old: str, new: str) -> Callable[[bytes], dict[str, bytes | None]]:
    def change(package: bytes) -> dict[str, bytes | None]:
        return {"[Content_Types].xml": _part(package, "[Content_Types].xml").replace(old.encode(), new.encode(), 1)}

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _: {"lib/Example.dll": b"another"}, "digest-mismatch"),
        (lambda _: {"lib/Example.dll": None}, "content-missing"),
        (lambda _: {"added.dll": b"payload"}, "uncovered-data"),
        (lambda _: {"added.xyz": b"payload"}, "part-unknown"),
        (lambda _: {"lib/_rels/Example.dll.rels": b"<Relationships/>"}, "uncovered-data"),
        (lambda _: {"package/services/digital-signature/other.psdsxs": b"payload"}, "uncovered-data"),
        (lambda _: {"package/services/digital-signature/origin.psdor": b"payload"}, "digest-mismatch"),
        (lambda _: {SIGNATURE: None}, "package-structure"),
        (lambda _: {"_rels/.rels": None}, "not-signed"),
        (lambda _: {"_rels/.rels": b"<Relationships"}, "xml-malformed"),
        (_types("text/plain", "application/x-msdownload"), "digest-mismatch"),
        (_types('Extension="dll"', 'Extension="dlx"'), "part-unknown"),
        (_types('<Override PartName="/extensionless"', '<Override PartName="/extensionles"'), "part-unknown"),
        (_in_signature('Id="idPackageObject"', 'Id="other"'), "xml-signature-structure"),
        (_in_signature("<Object>", '<Object Id="idPackageObject">'), "xml-signature-structure"),
        (_in_signature("<SignedInfo>", '<SignedInfo Id="idPackageObject">'), "xml-signature-structure"),
        (_in_signature("<Object>", "<Object/><Object>"), "uncovered-data"),
        (_in_signature("<EncodedTime>", f"<Comment>{'x' * 101}</Comment><EncodedTime>"), "uncovered-data"),
        (_in_signature("<EncodedTime>", "<Other>x</Other><EncodedTime>"), "uncovered-data"),
        (_in_signature("<EncodedTime>", "<EncodedTime>AAAA"), "malformed-file"),
        (_in_signature("<EncodedTime>", "<EncodedTime>AAAA</EncodedTime><EncodedTime>"), "uncovered-data"),
        (_in_signature("<EncodedTime>", "payload<EncodedTime>"), "uncovered-data"),
        (_in_signature("<Object>", "<Object>payload"), "uncovered-data"),
        (_in_signature("<Manifest>", "<!-- payload --><Manifest>"), "uncovered-data"),
        (_in_signature("</Signature>", "</Signature><!-- payload -->"), "uncovered-data"),
        (_types("<Default", "<!-- payload --><Default"), "uncovered-data"),
        (_types("<Default", "payload<Default"), "uncovered-data"),
        (_types("<Default", f'<Default Extension="x" ContentType="{"x" * 300}"/><Default'), "uncovered-data"),
        (lambda _: {"[Content_Types].xml": None}, "malformed-file"),
        (_in_signature("<SignatureValue>", "<SignatureValue>AAAA"), "signature-mismatch"),
        (_in_signature("</Manifest>", "</Manifest><Manifest/>"), "digest-mismatch"),
        (_in_signature("ecdsa-sha256", "ecdsa-sha1"), "weak-digest"),
    ],
)
def test_attacks(tmp_path: Path, change: Callable[[bytes], dict[str, bytes | None]], code: str) -> None:
    signed = _signed(tmp_path)
    assert _code(_write(tmp_path / "a.vsix", rebuilt(signed, change(signed)))) == code


def test_two_signatures(tmp_path: Path) -> None:
    signed = _signed(tmp_path)
    relationships = _part(signed, ORIGIN_RELATIONSHIPS)
    doubled = relationships.replace(b"</Relationships>", relationships[relationships.index(b"<Relationship ") :])
    path = _write(tmp_path / "a.vsix", rebuilt(signed, {ORIGIN_RELATIONSHIPS: doubled.replace(b'"R1"', b'"R2"', 1)}))
    assert _code(path) == "unsupported-signature"


def test_what_is_in_it_is_compared_with_what_was_submitted(tmp_path: Path) -> None:
    signed = _write(tmp_path / "a.vsix", _signed(tmp_path))
    for other in (
        build_vsix({**FILES, "extensionless": b"other"}),
        build_vsix({**FILES, "more.dll": b""}),
        build_vsix({"extensionless": b"text"}),
        build_vsix(FILES, relationships=RELATIONSHIP),
        rebuilt(build_vsix(FILES), _types("text/xml", "text/plain")(build_vsix(FILES))),
    ):
        assert _code(signed, _write(tmp_path / "b.vsix", other)) == "content-changed"


def test_packages_in_an_archive(tmp_path: Path) -> None:
    signed = _signed(tmp_path)
    path = _write(tmp_path / "a.zip", build_zip({"a.vsix": signed}))
    (verdict,) = verify_file(path, expectations=Expectations(), clock=CLOCK)
    assert (verdict.member, verdict.format) == ("a.vsix", "vsix")
    assert _code(_write(path, build_zip({"a.vsix": signed, "b.vsix": build_vsix(FILES)}))) == "not-signed"


def test_other_packages_may_be_unsigned(tmp_path: Path) -> None:
    signed = sandbox_signed(_write(tmp_path / "a.vbs", b"MsgBox 1")).read_bytes()
    document = rebuilt(build_vsix({}), {"extension.vsixmanifest": None, "a.vbs": signed})
    path = _write(tmp_path / "a.zip", document)
    (verdict,) = verify_file(path, expectations=Expectations(), clock=CLOCK)
    assert (verdict.member, verdict.format) == ("a.vbs", "vbscript")
    assert _code(_write(tmp_path / "a.xps", rebuilt(document, {"a.vbs": None}))) == "not-signed"
