"""Certificates for TLS servers on loopback: a private authority, and what it issues, good and bad."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)


@dataclass
class TlsAuthority:
    """A private certificate authority in a directory.

    Attributes:
        directory: where certificates and keys lie as PEM.
    """

    directory: Path
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = self._builder("Private CA", self._key.public_key(), age=_DAY)
        builder = builder.add_extension(constraints, critical=True).add_extension(usage, critical=True)
        self.root.write_bytes(self._signed(builder).public_bytes(serialization.Encoding.PEM))

    @property
    def root(self) -> Path:
        """The authority's own certificate."""
        return self.directory / "ca.pem"

    def issue(
        self, name: str, *, expired: bool = False, for_client: bool = False, password: bytes | None = None
    ) -> Path:
        """Return a PEM file with a certificate for a host name or address, its chain, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if for_client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = self._builder(name, key.public_key(), age=400 * _DAY if expired else _DAY)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
        encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        path = self.directory / f"{name}{'-expired' if expired else ''}{'-client' if for_client else ''}.pem"
        path.write_bytes(pem + self._signed(builder).public_bytes(serialization.Encoding.PEM))
        return path

    def server_context(
        self, name: str = "127.0.0.1", *, expired: bool = False, clients: bool = False
    ) -> ssl.SSLContext:
        """Return the TLS of a server with a certificate for a name or address; it may want one of its clients too."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issue(name, expired=expired))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.root)
        return context

    def _builder(self, name: str, key: ec.EllipticCurvePublicKey, *, age: timedelta) -> x509.CertificateBuilder:
        now = datetime.now(timezone.utc)
        authority = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Private CA")]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - age)
            .not_valid_after(now - age + 100 * _DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        return builder.sign(self._key, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
