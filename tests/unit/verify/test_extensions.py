"""What certificates' extensions say counts in any order, and whether critical or not."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from signpath_ci.errors import VerificationError
from signpath_ci.verify.certificates import CODE_SIGNING as CODE
from signpath_ci.verify.certificates import TIMESTAMPING as TIME
from signpath_ci.verify.certificates import Purpose, verify_chain
from signpath_ci.verify.signed_data import verify_signer
from signpath_ci.verify.timestamp import verify_timestamp
from tests.support.signing import CODE_SIGNING, NOW, TIMESTAMPING, Identity, code_signer, root, sign_cms
from tests.unit.verify.matrix.formats import stamped

Extension = tuple[x509.ExtensionType, bool]
ATTRIBUTES = {"O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME, "EMAIL": NameOID.EMAIL_ADDRESS}


def _name(text: str) -> x509.Name:
    pairs = [part.split("=", 1) for part in text.split(",") if part]
    return x509.Name([x509.NameAttribute(ATTRIBUTES[key], value) for key, value in pairs])


def _issue(issuer: Identity, subject: str | x509.Name, *extensions: Extension) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject) if isinstance(subject, str) else subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=99))
    )
    for value, is_critical in extensions:
        builder = builder.add_extension(value, is_critical)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    return Identity(key=key, certificate=certificate, chain=(issuer.certificate, *issuer.chain))


def _key_usage(*, signs_data: bool = False, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        signs_data, False, not signs_data and not signs_certificates, False, False, signs_certificates, *[False] * 3
    )


def _verify(identity: Identity, purpose: Purpose = CODE) -> None:
    chain = identity.chain[:-1]
    verify_chain(identity.certificate, chain, purpose=purpose, at=NOW, roots=(root().certificate,), owner="the signer")


BASIC: Extension = (x509.BasicConstraints(ca=False, path_length=None), True)
LEAVES: dict[str, tuple[Purpose, tuple[Extension, ...], str]] = {
    "good": (CODE, (BASIC, (_key_usage(signs_data=True), True), (x509.ExtendedKeyUsage([CODE_SIGNING]), False)), ""),
    "key for something else": (
        CODE,
        (BASIC, (_key_usage(), True), (x509.ExtendedKeyUsage([CODE_SIGNING]), False)),
        "not for digital signatures",
    ),
    "another purpose": (
        CODE,
        (BASIC, (_key_usage(signs_data=True), True), (x509.ExtendedKeyUsage([TIMESTAMPING]), True)),
        "not for code signing",
    ),
    "good authority": (
        TIME,
        (BASIC, (_key_usage(signs_data=True), True), (x509.ExtendedKeyUsage([TIMESTAMPING]), True)),
        "",
    ),
    "authority's key for something else": (
        TIME,
        (BASIC, (_key_usage(), True), (x509.ExtendedKeyUsage([TIMESTAMPING]), True)),
        "not for digital signatures",
    ),
    "authority for more": (
        TIME,
        (BASIC, (_key_usage(signs_data=True), True), (x509.ExtendedKeyUsage([TIMESTAMPING, CODE_SIGNING]), True)),
        "not only for timestamps",
    ),
}


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("case", LEAVES)
def test_the_order_of_a_leafs_extensions_does_not_matter(case: str, order: tuple[int, ...]) -> None:
    purpose, extensions, words = LEAVES[case]
    leaf = _issue(root(), "CN=Leaf", *(extensions[n] for n in order))
    if not words:
        _verify(leaf, purpose)
        return
    with pytest.raises(VerificationError, match=words):
        _verify(leaf, purpose)


CA_BASIC: Extension = (x509.BasicConstraints(ca=True, path_length=None), True)
CA_EXTENSIONS: dict[str, tuple[tuple[Extension, ...], bool]] = {
    "good": (
        (CA_BASIC, (_key_usage(signs_certificates=True), True), (x509.ExtendedKeyUsage([CODE_SIGNING]), False)),
        True,
    ),
    "not for certificates": (
        (CA_BASIC, (_key_usage(signs_data=True), True), (x509.ExtendedKeyUsage([CODE_SIGNING]), False)),
        False,
    ),
    "another purpose": (
        (CA_BASIC, (_key_usage(signs_certificates=True), True), (x509.ExtendedKeyUsage([TIMESTAMPING]), False)),
        False,
    ),
    "not a CA": (
        (BASIC, (_key_usage(signs_certificates=True), True), (x509.ExtendedKeyUsage([CODE_SIGNING]), False)),
        False,
    ),
}


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("case", CA_EXTENSIONS)
def test_the_order_of_a_cas_extensions_does_not_matter(case: str, order: tuple[int, ...]) -> None:
    extensions, is_good = CA_EXTENSIONS[case]
    issuer = _issue(root(), "CN=CA", *(extensions[n] for n in order))
    leaf = _issue(issuer, "CN=Leaf", *LEAVES["good"][1])
    if is_good:
        _verify(leaf)
        return
    with pytest.raises(VerificationError, match="does not lead to a trusted root"):
        _verify(leaf)


def _directory(*names: str) -> list[x509.GeneralName]:
    return [x509.DirectoryName(_name(name)) for name in names]


def _mail(*names: str) -> list[x509.GeneralName]:
    return [x509.RFC822Name(name) for name in names]


CONSTRAINTS: dict[str, tuple[str, list[x509.GeneralName], list[x509.GeneralName], bool]] = {
    "permitted": ("O=Acme,CN=Leaf", _directory("O=Acme"), [], True),
    "permitted in another case": ("O=ACME  Corp,CN=Leaf", _directory("O=acme corp "), [], True),
    "not permitted": ("O=Other,CN=Leaf", _directory("O=Acme"), [], False),
    "one of two": ("O=Other,CN=Leaf", _directory("O=Acme", "O=Other"), [], True),
    "another order": ("CN=Leaf,O=Acme", _directory("O=Acme"), [], False),
    "excluded": ("O=Acme,CN=Leaf", [], _directory("O=Acme"), False),
    "another excluded": ("O=Acme,CN=Leaf", [], _directory("O=Other"), True),
    "mail host": ("CN=Leaf,EMAIL=a@acme.example", _mail("acme.example"), [], True),
    "mail domain": ("CN=Leaf,EMAIL=a@x.acme.example", _mail(".acme.example"), [], True),
    "mailbox": ("CN=Leaf,EMAIL=a@acme.example", _mail("a@Acme.example"), [], True),
    "mail elsewhere": ("CN=Leaf,EMAIL=a@acme.example.org", _mail("acme.example"), [], False),
    "mail excluded": ("CN=Leaf,EMAIL=a@acme.example", [], _mail("acme.example"), False),
    "no mail": ("CN=Leaf", _mail("acme.example"), [], True),
    "another kind": ("CN=Leaf", [x509.UniformResourceIdentifier("acme.example")], [], True),
}


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("case", CONSTRAINTS)
def test_name_constraints_count_though_they_are_not_critical(case: str, depth: int) -> None:
    subject, permitted, excluded, is_good = CONSTRAINTS[case]
    constraints = x509.NameConstraints(permitted or None, excluded or None)
    usage = (_key_usage(signs_certificates=True), True)
    issuer = _issue(root(), "CN=CA", CA_BASIC, usage, (constraints, False))
    if depth == 2:
        permitted_names = [p.value for p in permitted if isinstance(p, x509.DirectoryName)]
        issuer = _issue(issuer, permitted_names[0] if permitted_names else "CN=Lower", CA_BASIC, usage)
    leaf = _issue(issuer, subject, *LEAVES["good"][1])
    if is_good:
        _verify(leaf)
        return
    with pytest.raises(VerificationError, match="name"):
        _verify(leaf)


def test_name_constraints_of_a_kind_that_can_not_be_compared() -> None:
    uri = x509.UniformResourceIdentifier("https://other.example/")
    constraints = x509.NameConstraints([x509.UniformResourceIdentifier("acme.example")], None)
    issuer = _issue(root(), "CN=CA", CA_BASIC, (constraints, False))
    leaf = _issue(issuer, "CN=Leaf", *LEAVES["good"][1], (x509.SubjectAlternativeName([uri]), False))
    with pytest.raises(VerificationError, match=r"name constraint|does not permit"):
        _verify(leaf)


@pytest.mark.parametrize(
    ("ahead", "is_good"), [(timedelta(minutes=4), True), (timedelta(minutes=6), False), (timedelta(days=30), False)]
)
def test_a_timestamp_in_the_future(ahead: timedelta, is_good: bool) -> None:
    made = stamped(sign_cms(code_signer(), "1.2.840.113549.1.7.1", b"\x04\x01x"))
    verified = verify_signer(made, content_type="1.2.840.113549.1.7.1", what="it")
    roots = (root().certificate,)
    if is_good:
        assert verify_timestamp(verified, roots=roots, now=NOW - ahead) is not None
        return
    with pytest.raises(VerificationError, match="future"):
        verify_timestamp(verified, roots=roots, now=NOW - ahead)


@pytest.mark.parametrize("is_critical", [True, False])
def test_certificate_policies_may_be_critical(is_critical: bool) -> None:
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)])
    issuer = _issue(root(), "CN=CA", CA_BASIC, (policies, is_critical))
    _verify(_issue(issuer, "CN=Leaf", *LEAVES["good"][1], (policies, is_critical)))
