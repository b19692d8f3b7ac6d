from __future__ import annotations

import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from signpath_ci.sandbox.pki import Authority, Signer
from signpath_ci.verify.certificates import CODE_SIGNING, TIMESTAMPING, verify_chain
from tests.support.oracles import needs_openssl, run
from tests.support.signing import NOW, rsa_key


def test_every_signer_chains_to_the_root(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path / "ca", now=NOW)
    for signer, purpose in (
        (authority.code_signer("test-signing"), CODE_SIGNING),
        (authority.timestamper, TIMESTAMPING),
    ):
        intermediate, root = signer.chain
        assert root.public_bytes(serialization.Encoding.PEM) == authority.trust_root.read_bytes()
        for at in (NOW, NOW + timedelta(days=729)):
            verify_chain(signer.certificate, [intermediate], purpose=purpose, at=at, roots=[root], owner="the signer")


def test_a_restart_finds_everything_again(tmp_path: Path) -> None:
    first = Authority.open(tmp_path, now=NOW)
    signer = first.code_signer("release")
    second = Authority.open(tmp_path, now=NOW + timedelta(days=100))
    assert second.code_signer("release").certificate == signer.certificate
    assert second.timestamper.certificate == first.timestamper.certificate
    data = second.code_signer("release").key.private_numbers()
    assert data == signer.key.private_numbers()


def test_a_crash_between_key_and_certificate_is_mended(tmp_path: Path) -> None:
    before = Authority.open(tmp_path, now=NOW).code_signer("release")
    (tmp_path / "code-signing-release.pem").unlink()
    after = Authority.open(tmp_path, now=NOW).code_signer("release")
    assert after.certificate != before.certificate
    assert after.certificate.public_key() == after.key.public_key()


@pytest.mark.parametrize("days", [701, 800, 3640, 5000])
def test_what_has_expired_or_is_about_to_is_made_anew(tmp_path: Path, days: int) -> None:
    before = Authority.open(tmp_path, now=NOW)
    old = before.code_signer("release")

    later = NOW + timedelta(days=days)
    authority = Authority.open(tmp_path, now=later)
    new = authority.code_signer("release")

    assert new.certificate != old.certificate
    assert (new.chain[-1] == old.chain[-1]) is (days < 3620)
    for signer, purpose in ((new, CODE_SIGNING), (authority.timestamper, TIMESTAMPING)):
        intermediate, root = signer.chain
        for at in (later, later + timedelta(days=29)):
            verify_chain(signer.certificate, [intermediate], purpose=purpose, at=at, roots=[root], owner="the signer")
    assert Authority.open(tmp_path, now=later).code_signer("release").certificate == new.certificate


@pytest.mark.parametrize("stem", ["root", "code-signing-ca", "time-stamping-ca", "code-signing-release"])
@pytest.mark.parametrize("later", [timedelta(), timedelta(days=5000)])
def test_a_crash_in_the_midst_of_a_renewal_is_mended(tmp_path: Path, stem: str, later: timedelta) -> None:
    Authority.open(tmp_path, now=NOW).code_signer("release")
    other = Authority.open(tmp_path / "other", now=NOW)
    other.code_signer("release")
    (tmp_path / "other" / f"{stem}.key").replace(tmp_path / f"{stem}.key")

    authority = Authority.open(tmp_path, now=NOW + later)

    for signer, purpose in ((authority.code_signer("release"), CODE_SIGNING), (authority.timestamper, TIMESTAMPING)):
        assert signer.certificate.public_key() == signer.key.public_key()
        intermediate, root = signer.chain
        at = NOW + later
        verify_chain(signer.certificate, [intermediate], purpose=purpose, at=at, roots=[root], owner="the signer")


def test_nobody_else_can_read_what_is_written(tmp_path: Path) -> None:
    Authority.open(tmp_path / "ca", now=NOW).code_signer("release")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "ca").iterdir()}
    assert set(modes.values()) == {0o600}
    assert len(modes) == 10


def test_threads_get_the_same_signer(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path, now=NOW)
    signers: list[Signer] = []
    threads = [threading.Thread(target=lambda: signers.append(authority.code_signer("one"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signers) == 8
    assert all(signer is signers[0] for signer in signers)


@pytest.mark.parametrize("name", ["", "../root", "a/b", "a" * 41, ".hidden", "ä", "a\n"])
def test_names_that_are_no_file_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name for a certificate"):
        Authority.open(tmp_path, now=NOW).code_signer(name)


def test_a_signer_does_not_show_its_key(tmp_path: Path) -> None:
    signer = Authority.open(tmp_path, now=NOW).code_signer("release")
    assert repr(signer) == "Signer('CN=Code Signing (release),O=signpath-ci sandbox (do not trust)')"


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    Authority.open(tmp_path, now=NOW)
    (tmp_path / "root.key").write_bytes(
        rsa_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(ValueError, match=r"root\.key holds another kind of key"):
        Authority.open(tmp_path, now=NOW)


@needs_openssl
def test_openssl_accepts_the_chains(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path, now=NOW)
    authority.code_signer("release")
    for leaf, issuer in (("code-signing-release", "code-signing-ca"), ("time-stamping", "time-stamping-ca")):
        words = run(
            *("openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp()))),
            *("-CAfile", authority.trust_root, "-untrusted", tmp_path / f"{issuer}.pem", tmp_path / f"{leaf}.pem"),
        )
        assert words.endswith(": OK\n")
