"""The sandbox's throw-away public key infrastructure: certificates that sign for real and that nobody else trusts.

::

    root CA
    ├── issuing CA for code signing   -> one leaf for each signing policy
    └── issuing CA for timestamping  -> one leaf, the timestamp authority's

Everything is made on first use and kept as PEM files in one directory, so it survives a restart; what is about to
expire is made anew by the first start in the 30 days before. ECDSA on P-256
throughout: made in milliseconds, and accepted by every verifier of Authenticode, JAR and RFC 3161 signatures.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_ORGANIZATION = "signpath-ci sandbox (do not trust)"
_CA_LIFETIME = timedelta(days=3650)
_LEAF_LIFETIME = timedelta(days=730)
_RENEWED = timedelta(days=30)  # before the end
_BACKDATED = timedelta(hours=1)  # for verifiers whose clocks are behind


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who can sign: the private key, its certificate, and the CAs above it, the root last."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    def __repr__(self) -> str:
        """Name the certificate; never the key."""
        return f"Signer({self.certificate.subject.rfc4514_string()!r})"


class Authority:
    """The certificates in one directory; safe to be used by several threads, not by several processes.

    Attributes:
        trust_root: PEM file with the root certificate, to be given to verifiers.
        root: that certificate.
        timestamper: signs timestamps.
    """

    def __init__(self, directory: Path, *, now: datetime) -> None:
        self._directory = directory
        self._now = now
        self._lock = threading.Lock()
        self._code_signers: dict[str, Signer] = {}
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in directory.glob(".*"):  # what a killed sandbox had half written
            path.unlink()
        root = self._open("root", "Root CA", issuer=None, usage=None)
        self._code_signing_ca = self._open("code-signing-ca", "Code Signing CA", root, ExtendedKeyUsageOID.CODE_SIGNING)
        timestamping_ca = self._open("time-stamping-ca", "Timestamping CA", root, ExtendedKeyUsageOID.TIME_STAMPING)
        self.timestamper = self._open(
            "time-stamping", "Timestamp Authority", timestamping_ca, ExtendedKeyUsageOID.TIME_STAMPING, is_leaf=True
        )
        self.trust_root, self.root = directory / "root.pem", root.certificate

    @classmethod
    def open(cls, directory: Path, *, now: datetime) -> Authority:
        """Read what `directory` holds, and make what is missing, valid from `now`.

        Raises:
            OSError: the directory can't be read or written.
            ValueError: a file in it is damaged.
        """
        return cls(directory, now=now)

    def code_signer(self, name: str) -> Signer:
        """Return the code-signing leaf called `name`, made on first use.

        Args:
            name: e.g. of a signing policy; letters, digits, dot, dash and underscore, and not more than 40.

        Raises:
            OSError: its file can't be read or written.
            ValueError: the name is none, or the file is damaged.
        """
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,39}", name, re.ASCII):
            raise ValueError(f"not a name for a certificate: {name!r}")
        with self._lock:
            if name not in self._code_signers:
                self._code_signers[name] = self._open(
                    f"code-signing-{name}",
                    f"Code Signing ({name})",
                    self._code_signing_ca,
                    ExtendedKeyUsageOID.CODE_SIGNING,
                    is_leaf=True,
                )
            return self._code_signers[name]

    def _open(
        self,
        stem: str,
        common_name: str,
        issuer: Signer | None,
        usage: x509.ObjectIdentifier | None,
        *,
        is_leaf: bool = False,
    ) -> Signer:
        # The key is written first: where a crash leaves one that no certificate, or an older one, goes with, both are
        # made anew.
        key_path, path = self._directory / f"{stem}.key", self._directory / f"{stem}.pem"
        chain = () if issuer is None else _upwards(issuer)
        if path.exists():
            key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{key_path} holds another kind of key")
            signer = Signer(key=key, certificate=x509.load_pem_x509_certificate(path.read_bytes()), chain=chain)
            if self._is_usable(signer):
                return signer
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(key, common_name, issuer, usage, is_leaf=is_leaf)
        _write(
            key_path,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
        _write(path, certificate.public_bytes(serialization.Encoding.PEM))
        return Signer(key=key, certificate=certificate, chain=chain)

    def _is_usable(self, signer: Signer) -> bool:
        """Tell whether a certificate is valid for as long as a sandbox runs, and goes with its key and its issuer."""
        certificate = signer.certificate
        if (
            certificate.not_valid_after_utc < self._now + _RENEWED
            or certificate.public_key() != signer.key.public_key()
        ):
            return False
        try:
            certificate.verify_directly_issued_by(signer.chain[0] if signer.chain else certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def _issue(
        self,
        key: ec.EllipticCurvePrivateKey,
        common_name: str,
        issuer: Signer | None,
        usage: x509.ObjectIdentifier | None,
        *,
        is_leaf: bool,
    ) -> x509.Certificate:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )
        issuer_key = key if issuer is None else issuer.key
        end = self._now + (_LEAF_LIFETIME if is_leaf else _CA_LIFETIME)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer is None else issuer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _BACKDATED)
            .not_valid_after(end if issuer is None else min(end, issuer.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=not is_leaf, path_length=None), critical=True)
            .add_extension(_key_usage(is_leaf=is_leaf), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        if usage is not None:
            # RFC 3161 section 2.3: critical in a timestamp authority's certificate, and its only usage.
            is_critical = is_leaf and usage == ExtendedKeyUsageOID.TIME_STAMPING
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=is_critical)
        return builder.sign(issuer_key, hashes.SHA256())


def _upwards(issuer: Signer) -> tuple[x509.Certificate, ...]:
    return (issuer.certificate, *issuer.chain)


def _key_usage(*, is_leaf: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=is_leaf,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not is_leaf,
        crl_sign=not is_leaf,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, data: bytes) -> None:
    # `mkstemp` makes files that only their owner can read: right for keys, harmless for certificates.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
