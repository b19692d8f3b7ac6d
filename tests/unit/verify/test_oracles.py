"""What the sandbox signs, independent tools accept; what they sign, we accept. One test a format and direction."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs12

from signpath_ci.clock import Clock
from signpath_ci.model import Expectations, Verdict
from signpath_ci.sandbox import tsa
from signpath_ci.sandbox.signers import detached, sign_file
from signpath_ci.verify import verify_file
from tests.support.archives import contents
from tests.support.oracles import (
    needs_jarsigner,
    needs_openssl,
    needs_osslsigncode_for_scripts,
    osslsigncode_accepts,
    run,
)
from tests.support.samples import SCRIPT, build_cab, build_msi, installer_streams, unsigned_files
from tests.support.signing import CODE_SIGNING, NOW, Identity, authority, issue, root, rsa_key

CLOCK = Clock(now=lambda: NOW)
AUTHENTICODE = ["app.exe", "script.ps1", "setup.msi", "data.cab"]


def unsigned_file(directory: Path, name: str, data: bytes | None = None) -> Path:
    path = directory / name
    path.write_bytes(unsigned_files()[name] if data is None else data)
    return path


def _token(value: bytes) -> bytes:
    return tsa.timestamp(authority().timestamper, value, now=NOW)


def sandbox_signed(source: Path) -> Path:
    target = source.with_name(f"signed-{source.name}")
    sign_file(
        source,
        target,
        signer=authority().code_signer("tests"),
        timestamp=_token,
    )
    return target


def tool_signer(directory: Path, key: str = "ec") -> tuple[Identity, Path, Path]:
    """Return a signer for a tool: with files for its certificate and its key."""
    signer = issue("Tool", root(), key=rsa_key() if key == "rsa" else None, usages=[CODE_SIGNING])
    certificate, key_file = directory / "certificate.pem", directory / "key.pem"
    certificate.write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return signer, certificate, key_file


def accepted(path: Path, unsigned: Path, directory: Path, *roots: Identity) -> Verdict:
    pem = directory / "roots.pem"
    pem.write_bytes(b"".join(i.certificate.public_bytes(Encoding.PEM) for i in roots or (root(),)))
    (verdict,) = verify_file(path, unsigned=unsigned, expectations=Expectations(trust_roots=(pem,)), clock=CLOCK)
    assert (verdict.trust, verdict.identity) == ("root", "same")
    return verdict


def _ours_accepts(path: Path, unsigned: Path) -> Verdict:
    trusted = Expectations(trust_roots=(authority().trust_root,), strict=True)
    (verdict,) = verify_file(path, unsigned=unsigned, expectations=trusted, clock=CLOCK)
    assert verdict.timestamp is not None
    return verdict


@needs_osslsigncode_for_scripts
@pytest.mark.parametrize("name", AUTHENTICODE)
def test_osslsigncode_accepts_what_the_sandbox_signs(tmp_path: Path, name: str) -> None:
    unsigned = unsigned_file(tmp_path, name)
    signed = sandbox_signed(unsigned)
    osslsigncode_accepts(signed, root=authority().trust_root)
    again = sandbox_signed(signed)
    osslsigncode_accepts(again, root=authority().trust_root)
    for path in (signed, again):
        verdict = _ours_accepts(path, unsigned)
        assert verdict.format == {"exe": "pe", "ps1": "powershell"}.get(
            name.rpartition(".")[2], name.rpartition(".")[2]
        )


@needs_osslsigncode_for_scripts
@pytest.mark.parametrize("more", [[], ["-h", "sha384"], ["-add-msi-dse"]])
@pytest.mark.parametrize("name", AUTHENTICODE)
def test_what_osslsigncode_signs(tmp_path: Path, name: str, more: list[str]) -> None:
    if "-add-msi-dse" in more and name != "setup.msi":
        more = []
    _, certificate, key = tool_signer(tmp_path, "rsa")
    unsigned, signed = unsigned_file(tmp_path, name), tmp_path / f"signed-{name}"
    run(
        *("osslsigncode", "sign", "-certs", certificate, "-key", key, "-n", "A program"),
        *more,
        *("-in", unsigned, "-out", signed),
    )
    assert accepted(signed, unsigned, tmp_path).digest_algorithm == (more[1] if "-h" in more else "sha256")


@needs_osslsigncode_for_scripts
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("utf16.ps1", b"\xff\xfe" + SCRIPT.encode("utf-16-le")),
        ("bom.psm1", b"\xef\xbb\xbf" + SCRIPT.encode()),
        ("no-end.psd1", b"@{ ModuleVersion = '1.0' }"),
        ("line-feeds.ps1", b"a\nb\n"),
        ("version4.msi", build_msi(installer_streams(), version=4)),
        ("many.msi", build_msi({f"stream {n}": bytes([n % 256]) * n * 20 for n in range(300)})),
        ("folders.cab", build_cab({"a": b"a"}, folders=3)),
    ],
)
def test_variants_of_the_formats_both_ways(tmp_path: Path, name: str, data: bytes) -> None:
    unsigned = unsigned_file(tmp_path, name, data)
    ours = sandbox_signed(unsigned)
    osslsigncode_accepts(ours, root=authority().trust_root)
    _ours_accepts(ours, unsigned)
    _, certificate, key = tool_signer(tmp_path)
    theirs = tmp_path / f"theirs-{name}"
    run("osslsigncode", "sign", "-certs", certificate, "-key", key, "-in", unsigned, "-out", theirs)
    accepted(theirs, unsigned, tmp_path)


def _key_store(directory: Path, signer: Identity) -> list[str | Path]:
    path = directory / "keys.p12"
    protection = PrivateFormat.PKCS12.encryption_builder().build(b"secret")
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(b"tool", signer.key, signer.certificate, list(signer.chain), protection)
    )
    return ["-keystore", path, "-storetype", "PKCS12", "-storepass", "secret"]


def _java_trust(directory: Path, pem: Path) -> list[str | Path]:
    path = directory / "trust.p12"
    signer = directory / "signer.pem"  # jarsigner wants the signer in the store as well as its root
    signer.write_bytes(authority().code_signer("tests").certificate.public_bytes(Encoding.PEM))
    for certificate in (pem, signer):
        run(
            *("keytool", "-importcert", "-noprompt", "-alias", certificate.stem, "-file", certificate),
            *("-keystore", path, "-storetype", "PKCS12", "-storepass", "secret"),
        )
    return ["-keystore", path, "-storetype", "PKCS12", "-storepass", "secret"]


@pytest.mark.sample(1)
@needs_jarsigner
@pytest.mark.parametrize("has_manifest", [True, False])
def test_jarsigner_accepts_what_the_sandbox_signs(tmp_path: Path, has_manifest: bool) -> None:
    unsigned = unsigned_file(tmp_path, "app.jar")
    if not has_manifest:
        unsigned = _without_attributes(unsigned)
    signed = sandbox_signed(unsigned)
    _ours_accepts(signed, unsigned)
    words = run("jarsigner", "-verify", "-strict", *_java_trust(tmp_path, authority().trust_root), signed)
    assert "jar verified" in words


def _without_attributes(path: Path) -> Path:
    from tests.support.archives import build_zip

    path.write_bytes(build_zip({**contents(path), "META-INF/MANIFEST.MF": b""}))
    return path


@pytest.mark.sample(1)
@needs_jarsigner
@pytest.mark.parametrize("more", [[], ["-digestalg", "SHA-512", "-sigalg", "SHA384withRSA"]])
def test_what_jarsigner_signs(tmp_path: Path, more: list[str]) -> None:
    signer, _, _ = tool_signer(tmp_path, "rsa")
    unsigned, signed = unsigned_file(tmp_path, "app.jar"), tmp_path / "signed.jar"
    run("jarsigner", *_key_store(tmp_path, signer), *more, "-signedjar", signed, unsigned, "tool")
    assert accepted(signed, unsigned, tmp_path).format == "jar"


@needs_openssl
def test_openssl_accepts_the_sandbox_s_detached_signatures(tmp_path: Path) -> None:
    unsigned = unsigned_file(tmp_path, "data.bin", b"any bytes")
    signed = tmp_path / "data.bin.p7s"
    with unsigned.open("rb") as file:
        signed.write_bytes(detached.sign_cms(file, signer=authority().code_signer("tests"), timestamp=_token))
    run(
        *("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signed, "-content", unsigned),
        *("-CAfile", authority().trust_root, "-purpose", "any", "-out", tmp_path / "out"),
        *("-attime", str(int(NOW.timestamp()))),
    )
    assert _ours_accepts(signed, unsigned).format == "cms"


@needs_openssl
@pytest.mark.parametrize("form", ["DER", "PEM"])
@pytest.mark.parametrize("more", [[], ["-noattr"], ["-md", "sha512"], ["-keyid"], ["-keyopt", "rsa_padding_mode:pss"]])
def test_detached_signatures_of_openssl(tmp_path: Path, form: str, more: list[str]) -> None:
    _, certificate, key = tool_signer(tmp_path, "rsa")
    unsigned, signed = unsigned_file(tmp_path, "data.bin", b"any bytes"), tmp_path / "data.bin.p7s"
    run(
        *("openssl", "cms", "-sign", "-binary", "-signer", certificate, "-inkey", key, "-outform", form),
        *("-in", unsigned, "-out", signed),
        *more,
    )
    assert accepted(signed, unsigned, tmp_path).format == "cms"


@needs_openssl
def test_openssl_accepts_the_sandbox_s_raw_signatures(tmp_path: Path) -> None:
    unsigned = unsigned_file(tmp_path, "data.bin", b"any bytes")
    signed = tmp_path / "data.bin.sig"
    with unsigned.open("rb") as file:
        signed.write_bytes(detached.sign_raw(file, signer=authority().code_signer("tests")))
    certificate = authority().code_signer("tests").certificate
    public, pem = tmp_path / "public.pem", tmp_path / "signer.pem"
    public.write_bytes(certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    assert "OK" in run("openssl", "dgst", "-sha256", "-verify", public, "-signature", signed, unsigned)
    (verdict,) = verify_file(signed, unsigned=unsigned, expectations=Expectations(signer_certificate=pem), clock=CLOCK)
    assert (verdict.format, verdict.digest_algorithm, verdict.trust) == ("raw", "sha256", "not-checked")


@needs_openssl
@pytest.mark.parametrize("key", ["rsa", "ec"])
@pytest.mark.parametrize(("digest", "pss"), [("sha256", False), ("sha512", False), ("sha384", True)])
def test_raw_signatures_of_openssl(tmp_path: Path, key: str, digest: str, pss: bool) -> None:
    _, certificate, key_file = tool_signer(tmp_path, key)
    unsigned, signed = unsigned_file(tmp_path, "data.bin", b"any bytes"), tmp_path / "data.bin.sig"
    padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"] if pss and key == "rsa" else []
    run("openssl", "dgst", f"-{digest}", "-sign", key_file, *padding, "-out", signed, unsigned)
    expected = Expectations(signer_certificate=certificate)
    (verdict,) = verify_file(signed, unsigned=unsigned, expectations=expected, clock=CLOCK)
    assert (verdict.format, verdict.digest_algorithm) == ("raw", digest)
