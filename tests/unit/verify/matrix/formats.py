"""Each format as attacks need it: what is signed, and how a signature, good or bad, is put in."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from signpath_ci.formats import cab, msix, nuget, pe, powershell, windows_script
from signpath_ci.formats.asn1 import octet_string
from signpath_ci.formats.authenticode import (
    CABINET,
    INDIRECT_DATA,
    INSTALLER,
    PE_IMAGE,
    SCRIPT,
    IndirectData,
    SubjectType,
    write_indirect_data,
)
from signpath_ci.formats.catalog import TRUST_LIST
from signpath_ci.formats.cms import DATA, Algorithm, Attribute, SignedData
from signpath_ci.formats.content_types import NAME as CONTENT_TYPES
from signpath_ci.formats.jar import write_section
from signpath_ci.formats.package import Package, append_entry
from signpath_ci.formats.registry import Kind, implementation
from signpath_ci.formats.tsp import SIGNING_CERTIFICATE_V2, TIMESTAMP, write_signing_certificate_v2
from signpath_ci.formats.zip import STORED, ArchiveWriter, open_archive
from tests.support.archives import build_zip
from tests.support.packages import build_msix
from tests.support.pe import build_pe
from tests.support.samples import build_cab, build_catalog, build_msi, trust_list
from tests.support.signing import Identity, code_signer, der, sign_cms, sign_time, timestamper

Tree = Mapping[str, bytes]
Change = Callable[[SignedData], SignedData]
_JAR_NAMES = {"sha256": "SHA-256", "sha1": "SHA1", "md5": "MD5"}


def unchanged(message: SignedData) -> SignedData:
    return message


def stamped(message: SignedData, *, by: Identity | None = None, over: bytes | None = None) -> SignedData:
    """Put a timestamp of the signature into a message; `over` is what it is of instead."""
    (info,) = message.signers
    token = sign_time(info.signature if over is None else over, by or timestamper())
    attribute = Attribute(TIMESTAMP, (token.encode(),))
    return replace(message, signers=(replace(info, unsigned_attributes=(attribute,)),))


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        name: as in `Verdict.format`; `zip` for the container.
        file_name: of the signed file.
        files: what is in the unsigned file, by the path in it; under "" where the file is one.
        pack: makes the unsigned file from them.
        embed: puts a signature into it.
        message: makes the signature of files with a digest algorithm: a message, for raw signatures the value.
    """

    name: str
    file_name: str
    files: Tree
    pack: Callable[[Tree], bytes]
    embed: Callable[[Tree, bytes], bytes]
    message: Callable[[Tree, Identity, str], SignedData | bytes]

    @property
    def has_files(self) -> bool:
        """Whether the unsigned file is made of several."""
        return "" not in self.files

    @property
    def unsigned(self) -> bytes:
        return self.pack(self.files)

    @property
    def is_message(self) -> bool:
        return self.name != "raw"

    def signature(
        self,
        signer: Identity | None = None,
        *,
        change: Change = stamped,
        digest: str = "sha256",
        files: Tree | None = None,
    ) -> bytes:
        """Make the signature alone."""
        made = self.message(self.files if files is None else files, signer or code_signer(), digest)
        return made if isinstance(made, bytes) else change(made).encode()

    def signed(
        self,
        signer: Identity | None = None,
        *,
        change: Change = stamped,
        digest: str = "sha256",
        files: Tree | None = None,
    ) -> bytes:
        """Make a signed file."""
        chosen = self.files if files is None else files
        return self.embed(chosen, self.signature(signer, change=change, digest=digest, files=chosen))


def _authenticode(kind: Kind, subject: SubjectType, pack: Callable[[Tree], bytes]) -> Callable[..., SignedData]:
    def message(files: Tree, signer: Identity, digest: str) -> SignedData:
        hashed = implementation(kind).read_subject(io.BytesIO(pack(files))).digest(digest)
        content = write_indirect_data(IndirectData(Algorithm.digest(digest), hashed, subject))
        return sign_cms(signer, INDIRECT_DATA, content, digest="sha256" if digest == "md5" else digest)

    return message


def _detached(signer: Identity, content: bytes, digest: str) -> SignedData:
    return replace(sign_cms(signer, DATA, octet_string(content), digest=digest), content=None)


def _whole(files: Tree) -> bytes:
    return files[""]


def _embed_pe(files: Tree, signature: bytes) -> bytes:
    source, target = io.BytesIO(files[""]), io.BytesIO()
    pe.write_signed(source, target, algorithm="sha256", sign=lambda _: signature)
    return target.getvalue()


def _embed_script(files: Tree, signature: bytes) -> bytes:
    target = io.BytesIO()
    powershell.SCRIPTS.write_signed(io.BytesIO(files[""]), target, algorithm="sha256", sign=lambda _: signature)
    return target.getvalue()


def _embed_windows_script(kind: Kind) -> Callable[[Tree, bytes], bytes]:
    def embed(files: Tree, signature: bytes) -> bytes:
        target = io.BytesIO()
        implementation(kind).write_signed(io.BytesIO(files[""]), target, algorithm="sha256", sign=lambda _: signature)
        return target.getvalue()

    return embed


def _sign_catalog(files: Tree, signer: Identity, digest: str) -> SignedData:
    return sign_cms(signer, TRUST_LIST, trust_list(files), digest=digest)


def _embed_cab(files: Tree, signature: bytes) -> bytes:
    target = io.BytesIO()
    cab.write_signed(io.BytesIO(build_cab(files)), target, algorithm="sha256", sign=lambda _: signature)
    return target.getvalue()


def _embed_msi(files: Tree, signature: bytes) -> bytes:
    return build_msi({**files, "\5DigitalSignature": signature})


def _jar_parts(files: Tree, digest: str) -> tuple[bytes, bytes]:
    """Return manifest and signature file."""
    name = f"{_JAR_NAMES[digest]}-Digest"

    def hashed(data: bytes) -> str:
        return base64.b64encode(hashlib.new(digest, data).digest()).decode()

    sections = {path: write_section({"Name": path, name: hashed(data)}) for path, data in files.items()}
    manifest = write_section({"Manifest-Version": "1.0"}) + b"".join(sections.values())
    signature_file = write_section({"Signature-Version": "1.0", f"{name}-Manifest": hashed(manifest)}) + b"".join(
        write_section({"Name": path, name: hashed(section)}) for path, section in sections.items()
    )
    return manifest, signature_file


def jar(files: Tree, signature: bytes, signed: Tree | None = None, digest: str = "sha256") -> bytes:
    """Build a JAR with `files`, whose manifest is that of `signed`."""
    manifest, signature_file = _jar_parts(files if signed is None else signed, digest)
    parts = {"META-INF/MANIFEST.MF": manifest, "META-INF/S.SF": signature_file, "META-INF/S.EC": signature}
    return build_zip({**parts, **files})


def _sign_jar(files: Tree, signer: Identity, digest: str) -> SignedData:
    return _detached(signer, _jar_parts(files, digest)[1], "sha256" if digest == "md5" else digest)


def _embed_nuget(files: Tree, signature: bytes) -> bytes:
    source, target = io.BytesIO(build_zip(files)), io.BytesIO()
    with open_archive(source) as archive:
        append_entry(target, Package(source, archive, nuget.SIGNATURE), nuget.SIGNATURE, signature, method=STORED)
    return target.getvalue()


def _sign_nuget(files: Tree, signer: Identity, digest: str) -> SignedData:
    source = io.BytesIO(build_zip(files))
    with open_archive(source) as archive:
        hashed = nuget.package_digest(Package(source, archive, nuget.SIGNATURE), digest)
    return sign_cms(
        signer,
        DATA,
        octet_string(nuget.write_content(digest, hashed)),
        digest="sha256" if digest == "md5" else digest,
        further=nuget_attributes(signer),
    )


def nuget_attributes(signer: Identity, kind: str = nuget.AUTHOR) -> tuple[Attribute, ...]:
    """Return the signed attributes that a NuGet signature has besides those of every CMS message."""
    certificate = hashlib.sha256(der(signer.certificate)).digest()
    return nuget.commitment(kind), Attribute(SIGNING_CERTIFICATE_V2, (write_signing_certificate_v2(certificate),))


def _msix(files: Tree) -> bytes:
    return with_signature_named(build_msix(files, publisher_of(code_signer())))


def with_signature_named(package: bytes) -> bytes:
    """Return a package whose `[Content_Types].xml` names the signature that it gets."""
    source, target = io.BytesIO(package), io.BytesIO()
    with open_archive(source) as archive:
        copy = ArchiveWriter(target)
        for entry in archive.entries:
            if entry.name == CONTENT_TYPES:
                named = msix.with_signature_type(archive.read(entry, limit=1 << 20))
                copy.add(entry.name, [named], size=len(named), like=entry)
            else:
                copy.copy(archive, entry)
        copy.finish()
    return target.getvalue()


def publisher_of(signer: Identity) -> str:
    """Return the publisher of what somebody signs, as a manifest names it."""
    return ", ".join(f"{a.rfc4514_attribute_name}={a.value!s}" for a in reversed(list(signer.certificate.subject)))


def embed_msix(package: bytes, signature: bytes) -> bytes:
    """Put a signature into a package that names it."""
    source, target = io.BytesIO(package), io.BytesIO()
    with open_archive(source) as archive:
        subject = msix.read_package(source, archive)
        entry = msix.signature_entry(signature)
        append_entry(target, subject.package, msix.SIGNATURE, entry, method=STORED)
    return target.getvalue()


def sign_msix(package: bytes, signer: Identity, digest: str = "sha256") -> SignedData:
    """Sign a package that names its signature."""
    source = io.BytesIO(package)
    with open_archive(source) as archive:
        subject = msix.read_package(source, archive)
        indirect = IndirectData(Algorithm.digest(digest), subject.digest(digest), subject.type)
    digest = "sha256" if digest == "md5" else digest
    return sign_cms(signer, INDIRECT_DATA, write_indirect_data(indirect), digest=digest)


def _sign_raw(files: Tree, signer: Identity, digest: str) -> bytes:
    algorithm = {"sha256": hashes.SHA256(), "sha1": hashes.SHA1(), "md5": hashes.MD5()}[digest]
    if isinstance(signer.key, ec.EllipticCurvePrivateKey):
        return signer.key.sign(files[""], ec.ECDSA(algorithm))
    return signer.key.sign(files[""], padding.PKCS1v15(), algorithm)


def _zip(files: Tree, signature: bytes) -> bytes:
    return build_zip({**files, "app.exe": _embed_pe({"": files["app.exe"]}, signature)})


def _sign_in_zip(files: Tree, signer: Identity, digest: str) -> SignedData:
    return _authenticode("pe", PE_IMAGE, _whole)({"": files["app.exe"]}, signer, digest)


_PE = build_pe(content=bytes(range(256)) * 4)
_FILES = {"one": b"the first file", "two": bytes(range(256)) * 40}
_PARTS = {"one.class": b"the first file", "two.txt": b"the second file" * 30}
_NUGET = {"App.nuspec": b"<package />", "lib/App.txt": b"the second file" * 30}
_MSIX = {"app.exe": _PE, "Assets/a.xml": b"<a/>"}

FORMATS = (
    Format("pe", "app.exe", {"": _PE}, _whole, _embed_pe, _authenticode("pe", PE_IMAGE, _whole)),
    Format(
        "powershell",
        "script.ps1",
        {"": b"Write-Output 'one'\r\nWrite-Output 'two'\r\n"},
        _whole,
        _embed_script,
        _authenticode("powershell", SCRIPT, _whole),
    ),
    Format(
        "vbscript",
        "script.vbs",
        {"": b'WScript.Echo "one"\r\nWScript.Echo "two"\r\n'},
        _whole,
        _embed_windows_script("vbscript"),
        _authenticode("vbscript", windows_script.VBSCRIPT.SUBJECT_TYPE, _whole),
    ),
    Format(
        "wsf",
        "script.wsf",
        {"": b'<job>\r\n<script language="JScript">WScript.Echo(1);</script>\r\n</job>\r\n'},
        _whole,
        _embed_windows_script("wsf"),
        _authenticode("wsf", windows_script.WSF.SUBJECT_TYPE, _whole),
    ),
    Format(
        "catalog",
        "driver.cat",
        {"one.sys": b"the first file", "two.dll": b"the second file"},
        build_catalog,
        lambda _, signature: signature,
        _sign_catalog,
    ),
    Format("msi", "setup.msi", _FILES, build_msi, _embed_msi, _authenticode("msi", INSTALLER, build_msi)),
    Format("cab", "data.cab", _FILES, build_cab, _embed_cab, _authenticode("cab", CABINET, build_cab)),
    Format("jar", "app.jar", _PARTS, lambda files: build_zip({"META-INF/MANIFEST.MF": b"", **files}), jar, _sign_jar),
    Format("nuget", "app.nupkg", _NUGET, build_zip, _embed_nuget, _sign_nuget),
    Format(
        "msix",
        "app.msix",
        _MSIX,
        _msix,
        lambda files, signature: embed_msix(_msix(files), signature),
        lambda files, signer, digest: sign_msix(_msix(files), signer, digest),
    ),
    Format(
        "cms",
        "data.bin.p7s",
        {"": b"any bytes"},
        _whole,
        lambda _, signature: signature,
        lambda files, signer, digest: _detached(signer, files[""], digest),
    ),
    Format("raw", "data.bin.sig", {"": b"any bytes"}, _whole, lambda _, signature: signature, _sign_raw),
    Format("zip", "release.zip", {"app.exe": _PE, "read me.txt": b"text"}, build_zip, _zip, _sign_in_zip),
)
