"""What can be wrong with a signed file; each attack makes one of any format, or says why there is none."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from cryptography import x509

from signpath_ci.formats.asn1 import wrapped
from signpath_ci.formats.cms import Algorithm, SignedData
from tests.support.archives import build_zip
from tests.support.pe import build_pe
from tests.support.samples import trust_list
from tests.support.signing import (
    CODE_SIGNING,
    NOW,
    TIMESTAMPING,
    Identity,
    code_signer,
    der,
    issue,
    revocation_list,
    root,
    rsa_key,
)
from tests.unit.verify.matrix.formats import Format, jar, stamped, unchanged

NO_TIMESTAMP = "no timestamp in it"
ONE_FILE = "one file, no names"
NO_MESSAGE = "a bare value"
ARCHIVES = ("jar", "msix", "nuget", "zip")
_SCRIPTS = ("powershell", "vbscript", "wsf")


@dataclass(frozen=True)
class Case:
    """A file that must be refused.

    Attributes:
        data: the file.
        words: of the reason.
        unsigned: what was submitted instead of the format's own unsigned file.
        signer: whose certificate a raw signature is given.
        is_strict: whether strictness is what refuses it.
    """

    data: bytes
    words: str
    unsigned: bytes | None = None
    signer: Identity | None = None
    is_strict: bool = False


Attack = Callable[[Format], Case | str]
ATTACKS: dict[str, Attack] = {}


def attack(make: Attack) -> Attack:
    ATTACKS[make.__name__.replace("_", " ").strip()] = make
    return make


def _flip(data: bytes, offset: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


def _other_files(f: Format) -> dict[str, bytes]:
    """Return other content of the same kind."""
    if f.name in {"pe", "zip"}:
        other = build_pe(content=b"other" * 100)
        return {name: data if "read" in name else other for name, data in f.files.items()}
    return {name: data + b"X" for name, data in f.files.items()}


def _at_files(f: Format, files: dict[str, bytes], words: str) -> Case:
    """Put other files below the good signature of the format's own."""
    if f.name == "catalog":  # what is signed lies in the message
        return Case(
            f.signed(change=lambda m: replace(stamped(m), content=trust_list(files))), "does not match its content"
        )
    signature = f.signature()
    return Case(jar(files, signature, signed=f.files) if f.name == "jar" else f.embed(files, signature), words)


# --- bytes ------------------------------------------------------------------------------------------------------


@attack
def flipped_byte_in_code(f: Format) -> Case:
    files = {
        name: data if "read" in name else _flip(data, len(data) - (20 if f.name == "wsf" else 3))
        for name, data in f.files.items()
    }
    if f.name in {"cms", "raw"}:
        return Case(f.signed(), "does not match", unsigned=files[""])
    return _at_files(f, files, "changed after it was signed")


@attack
def flipped_byte_in_header(f: Format) -> Case | str:
    signed = f.signed()
    offset = {"pe": 66 + 4 + 12, **dict.fromkeys(_SCRIPTS, 2), "msi": 26, "cab": 25}.get(f.name, 6)
    if f.name == "raw":
        return Case(_flip(signed, 0), "does not match")
    if f.name in ARCHIVES:  # the header of an archive is its directory: a name is what it says of an entry
        return Case(_flip(signed, signed.index(b"PK\x01\x02") + 46 + 2), "is described in two ways")
    return Case(_flip(signed, offset), "")


@attack
def flipped_byte_in_signature(f: Format) -> Case:
    if not f.is_message:
        value = f.signed()
        return Case(_flip(value, len(value) // 2), "does not match")

    def change(message: SignedData) -> SignedData:
        (info,) = stamped(message).signers
        value = info.signature
        return replace(message, signers=(replace(info, signature=_flip(value, len(value) // 2)),))

    return Case(f.signed(change=change), "")


@attack
def flipped_byte_in_certificate(f: Format) -> Case:
    encoding = der(code_signer().certificate)
    damaged = _flip(encoding, len(encoding) - 10)
    if not f.is_message:
        return Case(f.signed(), "does not lead to a trusted root", signer=_with_certificate(damaged))
    words = "names another certificate" if f.name == "nuget" else "does not lead to a trusted root"
    return Case(f.signed(change=lambda m: replace(stamped(m), certificates=(damaged,))), words)


def _with_certificate(encoding: bytes) -> Identity:
    return replace(code_signer(), certificate=x509.load_der_x509_certificate(encoding))


@attack
def flipped_byte_in_timestamp(f: Format) -> Case | str:
    if not f.is_message:
        return NO_TIMESTAMP

    def change(message: SignedData) -> SignedData:
        (info,) = stamped(message).signers
        (attribute,) = info.unsigned_attributes
        token = attribute.values[0]
        spoilt = replace(attribute, values=(_flip(token, len(token) - 10),))
        return replace(message, signers=(replace(info, unsigned_attributes=(spoilt,)),))

    return Case(f.signed(change=change), "the timestamp token is not its signer's")


@attack
def flipped_byte_in_padding(f: Format) -> Case | str:
    if f.name in {"raw", *_SCRIPTS}:
        return "no padding in it"
    if f.name == "msi":
        return Case(_flip(f.signed() + bytes(512), -200 % (len(f.signed()) + 512)), "data behind its last sector")
    if f.name in ARCHIVES:
        return Case(f.signed() + bytes(10), "data behind it")
    padding = b"\0\0\1"
    return Case(f.embed(f.files, f.signature() + padding), "")


@attack
def appended_data(f: Format) -> Case:
    if f.name == "msi":
        return Case(f.signed() + b"more" * 200, "data behind its last sector")
    return Case(f.signed() + b"Write-Output 'more'\r\n" * 4000, "")


@attack
def signature_of_another_file(f: Format) -> Case | str:
    if f.name == "catalog":
        return "the signature is the file"
    signature = f.signature(files=_other_files(f))
    return Case(f.embed(f.files, signature), "")


@attack
def another_signed_file(f: Format) -> Case:
    """A good signature, by the right one, of something that was not submitted."""
    return Case(f.signed(files=_other_files(f)), "")


@attack
def second_signature(f: Format) -> Case:
    if not f.is_message:
        return Case(f.signed() * 2, "does not match")
    return Case(f.signed(change=lambda m: replace(m, signers=(*m.signers, *m.signers))), "has 2 signers instead of one")


@attack
def no_signature(f: Format) -> Case:
    return Case(b"" if f.name in {"cms", "raw"} else f.unsigned, "")


# --- names ------------------------------------------------------------------------------------------------------


@attack
def unsigned_nested_file(f: Format) -> Case | str:
    if f.name == "jar":
        return _at_files(f, {**f.files, "inner.jar": build_zip({"a": b""})}, "added after it was signed")
    if f.name != "zip":
        return "no files of their own in it" if f.has_files else ONE_FILE
    nested = {"inner.zip": build_zip({"tool.exe": build_pe()})}
    files = {**f.files, **nested}
    return Case(f.embed(files, f.signature()), "inner.zip/tool.exe: the file is not signed", unsigned=f.pack(files))


@attack
def removed_file(f: Format) -> Case | str:
    if not f.has_files:
        return ONE_FILE
    return _at_files(f, dict(list(f.files.items())[:1]), "")


@attack
def added_file(f: Format) -> Case | str:
    if not f.has_files:
        return ONE_FILE
    return _at_files(f, {**f.files, "added": b"content"}, "")


@attack
def renamed_file(f: Format) -> Case | str:
    if not f.has_files:
        return ONE_FILE
    if f.name == "catalog":
        return "no names in it"
    files = {("two!" if number else name): data for number, (name, data) in enumerate(f.files.items())}
    return _at_files(f, files, "")


# --- certificates -----------------------------------------------------------------------------------------------


def _by(f: Format, signer: Identity, words: str) -> Case:
    return Case(f.signed(signer, change=unchanged), words, signer=signer)


@attack
def expired_certificate(f: Format) -> Case:
    signer = issue("Expired", root(), usages=[CODE_SIGNING], start=NOW - timedelta(hours=20), days=0)
    return _by(f, signer, "not at the signature's time")


@attack
def certificate_not_yet_valid(f: Format) -> Case:
    signer = issue("Early", root(), usages=[CODE_SIGNING], start=NOW + timedelta(days=1))
    return _by(f, signer, "not at the signature's time")


@attack
def certificate_for_something_else(f: Format) -> Case:
    return _by(f, issue("Other", root(), usages=[TIMESTAMPING]), "not for code signing")


@attack
def certificate_without_usage(f: Format) -> Case:
    return _by(f, issue("None", root()), "not for code signing")


@attack
def weak_key(f: Format) -> Case:
    return _by(f, issue("Weak", root(), key=rsa_key(1024), usages=[CODE_SIGNING]), "key is too short")


@attack
def wrong_root(f: Format) -> Case:
    return _by(f, issue("Foreign", _foreign_root(), usages=[CODE_SIGNING]), "does not lead to a trusted root")


@cache
def _foreign_root() -> Identity:
    return issue("Root", is_ca=True, days=3650)  # of the same name as the right one


@attack
def leaf_as_issuer(f: Format) -> Case:
    signer = issue("Below", issue("Leaf", root(), usages=[CODE_SIGNING]), usages=[CODE_SIGNING])
    return _by(f, signer, "does not lead to a trusted root")


@attack
def self_signed_certificate(f: Format) -> Case:
    return _by(f, issue("Self", usages=[CODE_SIGNING]), "does not lead to a trusted root")


@attack
def revoked_certificate(f: Format) -> Case | str:
    if not f.is_message:
        return "no revocation list in it"
    encoding = revocation_list(root(), code_signer().certificate)
    return Case(f.signed(change=lambda m: replace(stamped(m), revocation_lists=(encoding,))), "revoked certificate")


# --- timestamps ------------------------------------------------------------------------------------------------


@attack
def timestamp_outside_the_validity(f: Format) -> Case | str:
    if not f.is_message:
        return NO_TIMESTAMP
    late = issue("Short", root(), usages=[CODE_SIGNING], start=NOW - timedelta(hours=23), days=0)
    return Case(f.signed(late), "not at the signature's time")


@attack
def timestamp_by_a_foreign_authority(f: Format) -> Case | str:
    if not f.is_message:
        return NO_TIMESTAMP
    foreign = issue("Foreign", _foreign_root(), usages=[TIMESTAMPING], is_critical=True)
    return Case(f.signed(change=lambda m: stamped(m, by=foreign)), "the timestamp authority's certificate")


@attack
def timestamp_by_the_signer(f: Format) -> Case | str:
    if not f.is_message:
        return NO_TIMESTAMP
    return Case(f.signed(change=lambda m: stamped(m, by=code_signer())), "not only for timestamps")


@attack
def timestamp_over_another_signature(f: Format) -> Case | str:
    if not f.is_message:
        return NO_TIMESTAMP
    return Case(f.signed(change=lambda m: stamped(m, over=b"another value")), "for another signature")


@attack
def missing_timestamp(f: Format) -> Case:
    return Case(f.signed(change=unchanged), "has no timestamp", is_strict=True)


# --- algorithms -------------------------------------------------------------------------------------------------


def _broken(f: Format, digest: str) -> Case:
    if f.name == "jar":
        return Case(jar(f.files, f.signature(digest=digest), digest=digest), f"{digest.upper()}, which is broken")
    if digest == "md5" and f.name in {"cms", "catalog"}:
        signed = f.signed(change=_announcing_md5)
        return Case(signed, "MD5, which is broken")
    words = f"{digest.upper()}, which is broken" if f.is_message else "does not match"
    signer = issue("RSA", root(), key=rsa_key(), usages=[CODE_SIGNING])
    return Case(f.signed(signer, digest=digest), words, signer=signer)


def _announcing_md5(message: SignedData) -> SignedData:
    (info,) = message.signers
    md5 = Algorithm.digest("md5")
    return replace(message, digest_algorithms=(md5,), signers=(replace(info, digest_algorithm=md5),))


@attack
def sha_1(f: Format) -> Case:
    return _broken(f, "sha1")


@attack
def md_5(f: Format) -> Case:
    return _broken(f, "md5")


# --- shapes -----------------------------------------------------------------------------------------------------


@attack
def truncated(f: Format) -> Case:
    signed = f.signed()
    return Case(signed[: len(signed) * 2 // 3], "")


@attack
def last_byte_missing(f: Format) -> Case:
    if f.name == "msi":  # the last sector is half empty
        return Case(f.signed()[:-513], "")
    if f.name == "powershell":  # the line break at the end means nothing
        return Case(f.signed()[:-3], "")
    return Case(f.signed()[:-1], "")


@attack
def zero_length(_: Format) -> Case:
    return Case(b"", "")


@attack
def length_that_overflows(f: Format) -> Case:
    huge = b"\x30\x84\xff\xff\xff\xff" + f.signature()[4:]
    return Case(f.embed(f.files, huge), "")


@attack
def size_that_overflows(f: Format) -> Case | str:
    signed = bytearray(f.signed())
    if f.name in {*_SCRIPTS, "catalog", "cms", "raw"}:
        return "no sizes in it but those of the message"
    if f.name == "pe":
        struct.pack_into("<I", signed, 64 + 24 + 112 + 36, 0xFFFFFFF8)
    elif f.name == "cab":
        struct.pack_into("<I", signed, 48, 0xFFFFFFF8)
    elif f.name == "msi":
        directory = int.from_bytes(signed[48:52], "little")
        struct.pack_into("<I", signed, (directory + 1) * 512 + 128 + 120, 0xFFFFFFF0)
    else:
        struct.pack_into("<I", signed, signed.rindex(b"PK\x05\x06") + 12, 0xFFFFFFF0)
    return Case(bytes(signed), "")


@attack
def ten_thousand_nested_containers(f: Format) -> Case:
    if f.name == "zip":
        nested = build_zip({"a.txt": b""}, compression=zipfile.ZIP_STORED, comment=b"")
        deep = nested
        for _ in range(40):
            deep = build_zip({"next.zip": deep}, compression=zipfile.ZIP_STORED, comment=b"")
        wide = {f"{n}.zip": nested for n in range(10_000)}
        data = build_zip({**wide, "deep.zip": deep}, compression=zipfile.ZIP_STORED)
        return Case(data, "archives are inside each other", unsigned=data)
    encoding = b""
    for _ in range(10_000):
        encoding = wrapped(0x30, encoding)
    return Case(f.embed(f.files, encoding), "")


@attack
def bomb(f: Format) -> Case | str:
    if f.name not in ARCHIVES:
        return "nothing is unpacked"
    data = bytearray(build_zip({**f.files, "bomb": bytes(1 << 20)}, comment=b""))
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 0xFFFFFFF0)
    return Case(bytes(data), "can't be 4294967280 bytes", unsigned=bytes(data))


from tests.unit.verify.matrix import archives, uncovered  # noqa: E402, F401 - its attacks are part of the table
