from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from signpath_ci.clock import Clock
from signpath_ci.errors import VerificationError
from signpath_ci.model import Expectations
from signpath_ci.sandbox.signers import CannotSignError
from signpath_ci.verify import verify_file
from tests.support.archives import build_zip
from tests.support.needs import needs
from tests.support.oracles import run
from tests.support.signing import NOW, authority, code_signer
from tests.unit.verify.test_oracles import accepted, sandbox_signed, tool_signer

CLOCK = Clock(now=lambda: NOW)
BOM = b'<?xml version="1.0"?>\n<bom xmlns="urn:bom" version="1">\n  <a x="1"  y="2">text</a>\n</bom>\n'
TEMPLATE = (
    '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>'
    '<CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
    '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#{key}-{digest}"/><Reference URI="{uri}">'
    '<Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
    '<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></Transforms>'
    '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference></SignedInfo>'
    "<SignatureValue/><KeyInfo><X509Data/></KeyInfo></Signature>"
)
needs_xmlsec1 = needs("xmlsec1")


def _template(document: bytes, *, key: str = "ecdsa", digest: str = "sha256", uri: str = "") -> bytes:
    signature = TEMPLATE.format(key=key, digest=digest, uri=uri).encode()
    before, end, after = document.rpartition(b"</bom>")
    return before + signature + end + after


def _signed(directory: Path, template: bytes) -> bytes:
    """Have xmlsec1 fill a template."""
    _, certificate, key = tool_signer(directory)
    source, target = directory / "template.xml", directory / "filled.xml"
    source.write_bytes(template)
    run("xmlsec1", "--sign", "--privkey-pem", f"{key},{certificate}", "--output", target, source)
    return target.read_bytes()


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _code(path: Path, unsigned: Path | None = None) -> str:
    with pytest.raises(VerificationError) as caught:
        verify_file(path, unsigned=unsigned, expectations=Expectations(), clock=CLOCK)
    return caught.value.code


@needs_xmlsec1
def test_xmlsec1_accepts_what_the_sandbox_signs(tmp_path: Path) -> None:
    unsigned = _write(tmp_path / "bom.xml", BOM)
    signed = sandbox_signed(unsigned)
    said = subprocess.run(
        ["xmlsec1", "--verify", "--trusted-pem", str(authority().trust_root), "--enabled-key-data", "x509",
         "--verification-time", "2026-03-02 00:00:00", str(signed)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "OK" in said.stderr + said.stdout
    (verdict,) = verify_file(
        signed, unsigned=unsigned, expectations=Expectations(trust_roots=(authority().trust_root,)), clock=CLOCK
    )
    assert (verdict.format, verdict.identity, verdict.trust) == ("xml", "same", "root")
    with pytest.raises(CannotSignError, match="signature already"):
        sandbox_signed(signed)


@needs_xmlsec1
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_what_xmlsec1_signs(tmp_path: Path, digest: str) -> None:
    unsigned = _write(tmp_path / "bom.xml", BOM)
    signed = _write(tmp_path / "signed.xml", _signed(tmp_path, _template(BOM, digest=digest)))
    assert accepted(signed, unsigned, tmp_path).format == "xml"


XSLT = b'<Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></Transforms>'
BOMB = b'<!DOCTYPE bom [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><bom '
FILE = b'<!DOCTYPE bom SYSTEM "file:///etc/passwd"><bom '
BROKEN = "xml-signature-structure"
SECOND = TEMPLATE.format(key="ecdsa", digest="sha256", uri="").encode()


@needs_xmlsec1
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data.replace(b"text", b"TEXT"), "digest-mismatch"),
        (lambda data: data.replace(b"<SignatureValue>", b"<SignatureValue>AAAA"), "signature-mismatch"),
        (lambda data: data.replace(b"<SignatureValue>", b"<SignatureValue>!"), BROKEN),
        # Wrapping: the signed element elsewhere, a second signature, one that is not where it must be.
        (lambda data: data.replace(b"<bom ", b"<b><bom ", 1).replace(b"</bom>", b"</bom></b>"), BROKEN),
        (lambda data: data.replace(b"</Signature>", b"</Signature><b/>"), BROKEN),
        (lambda data: data.replace(b"</Signature>", b"</Signature>" + SECOND), BROKEN),
        (lambda data: data.replace(b"</Signature>", b"</Signature>more"), "digest-mismatch"),
        # What is in the signature's element, and is not signed.
        (lambda data: data.replace(b"</Signature>", b"<Object>payload</Object></Signature>"), "uncovered-data"),
        (lambda data: data.replace(b"<KeyInfo>", b"<KeyInfo>payload"), "uncovered-data"),
        (lambda data: data.replace(b"<KeyInfo>", b"<KeyInfo><!-- payload -->"), "uncovered-data"),
        (lambda data: data.replace(b"<KeyInfo>", b"<KeyInfo><KeyName>a</KeyName>"), "uncovered-data"),
        (lambda data: data.replace(b"<KeyInfo>", b"<KeyInfo><KeyValue>a</KeyValue>"), "uncovered-data"),
        (lambda data: data.replace(b"<Signature ", b'<Signature other="payload" '), "uncovered-data"),
        # Algorithms, transforms and references other than those of the format.
        (lambda data: data.replace(b"ecdsa-sha256", b"ecdsa-sha1"), "weak-digest"),
        (lambda data: data.replace(b"ecdsa-sha256", b"hmac-sha256"), "weak-digest"),
        (lambda data: data.replace(b"xmlenc#sha256", b"xmldsig#sha1"), "weak-digest"),
        (lambda data: data.replace(b'URI=""', b'URI="#a"'), BROKEN),
        (lambda data: data.replace(b"<Reference ", b"<Reference/><Reference "), BROKEN),
        (lambda data: data.replace(b"#enveloped-signature", b"#base64"), BROKEN),
        (lambda data: data.replace(b"</Transforms>", XSLT), BROKEN),
        (lambda data: data.replace(b'signature"/>', b'signature"><a/></Transform>'), "unsupported-signature"),
        (lambda data: data.replace(b"<X509Data>", b"<X509Data/><X509Data>"), BROKEN),
        # Document types: entities that unpack to anything, and defaults of attributes.
        (lambda data: data.replace(b"<bom ", BOMB, 1), "xml-document-type"),
        (lambda data: data.replace(b"<bom ", FILE, 1), "xml-document-type"),
        (lambda data: data[:-20], "xml-malformed"),
        (lambda data: data.replace(b"<a ", b"<a>" * 200 + b"<a ", 1), "xml-malformed"),
    ],
)  # fmt: skip
def test_attacks(tmp_path: Path, change: Callable[[bytes], bytes], code: str) -> None:
    signed = _signed(tmp_path, _template(BOM))
    changed = change(signed)
    assert changed != signed
    assert _code(_write(tmp_path / "a.xml", changed)) == code


@needs_xmlsec1
def test_a_certificate_that_is_not_the_signers(tmp_path: Path) -> None:
    signed = _signed(tmp_path, _template(BOM))
    start = signed.index(b"<X509Certificate>") + 17
    other = base64.b64encode(code_signer().encodings[0])
    data = signed[:start] + other + signed[signed.index(b"</X509Certificate>") :]
    assert _code(_write(tmp_path / "a.xml", data)) == "signature-mismatch"


@needs_xmlsec1
def test_comments_are_not_covered_and_are_compared(tmp_path: Path) -> None:
    signed = _signed(tmp_path, _template(BOM))
    path = _write(tmp_path / "a.xml", signed.replace(b"text", b"te<!-- x -->xt"))
    (verdict,) = verify_file(path, expectations=Expectations(), clock=CLOCK)
    assert "comments" in verdict.notes[0]
    unsigned = _write(tmp_path / "b.xml", BOM)
    assert _code(path, unsigned) == "content-changed"
    assert (
        _code(_write(tmp_path / "c.xml", signed), _write(tmp_path / "d.xml", BOM.replace(b"1", b"2")))
        == "content-changed"
    )


def test_xml_files_may_be_unsigned(tmp_path: Path) -> None:
    assert _code(_write(tmp_path / "a.xml", BOM)) == "not-signed"
    assert _code(_write(tmp_path / "a.xml", b'<!DOCTYPE a SYSTEM "b"><a/>')) == "not-signed"
    files = {"a.xml": BOM, "b.xml": b"no markup"}
    path = _write(
        tmp_path / "a.zip", build_zip({**files, "c.xml": sandbox_signed(_write(tmp_path / "c.xml", BOM)).read_bytes()})
    )
    unsigned = _write(tmp_path / "b.zip", build_zip({**files, "c.xml": BOM}))
    (verdict,) = verify_file(path, unsigned=unsigned, expectations=Expectations(), clock=CLOCK)
    assert (verdict.member, verdict.format) == ("c.xml", "xml")
