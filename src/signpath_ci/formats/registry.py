"""The registry of formats: how each is recognised, whether it must be signed, and what reads and writes it.

`FORMATS` is the one table. A format that Authenticode signs is one module here (`read_subject`, `write_signed`) and one
line in the table; a format with a signature scheme of its own has a module for it in `verify` and in the sandbox too.

A format is recognised by its content, and by its name where the content says nothing. Formats that are recognised but
not verified have no scheme, and say what to use instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol, cast

from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from signpath_ci.formats.authenticode import Subject, SubjectType

Kind = str
"""The name of a format: a key of `FORMATS`."""
Scheme = Literal["authenticode", "catalog", "jar", "nuget", "msix", "xml", "opc", "cms", "members"]
"""How files of a format are signed. `members`: only the files in it are."""

SCRIPT_END = "# SIG # End signature block"
"""The last line of a signed PowerShell script."""
CABINET = b"MSCF"
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
HEADER_SIZE = 512
"""Of a compound file; what is known here needs no more of any file's start."""
SECTOR_SHIFTS = {3: 9, 4: 12}
"""Of a compound file's sector size, by the version."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """What is known about a format.

    Attributes:
        title: what messages call a file of it.
        must_be_signed: whether an unsigned file of it is an anomaly; else it may be signed.
        scheme: how it is signed; `None`: it is recognised, but its signatures are not verified.
        implementation: what reads and writes a format that Authenticode signs: a module of this package, or
            `module:object`.
        directive: of SignPath's artifact configuration, which signs it.
        suffixes: of names, in lower case.
        starts: what the content starts with; any of these bytes.
        entries: names of entries that a ZIP archive of this format has, in lower case: `*` stands for a part of a name.
        instead: what verifies its signatures, where this program does not.
    """

    title: str
    must_be_signed: bool = False
    scheme: Scheme | None = None
    implementation: str = ""
    directive: str | None = None
    suffixes: tuple[str, ...] = ()
    starts: tuple[bytes, ...] = ()
    entries: tuple[str, ...] = ()
    instead: str = ""


# A ZIP starts with a local file header or, where it is empty, with the end of central directory record
# (APPNOTE.TXT 4.3.7 and 4.3.16). Anything in front of it makes it another kind of file: a self-extracting PE, a script.
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


def _suffixes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FORMATS: dict[Kind, Format] = {
    "pe": Format(
        title="PE file",
        must_be_signed=True,
        scheme="authenticode",
        implementation="pe",
        directive="authenticode-sign",
        suffixes=_suffixes(".exe .dll .acm .ax .cpl .drv .efi .mui .ocx .scr .sys .tsp"),
    ),
    "msi": Format(
        title="installer file",
        must_be_signed=True,
        scheme="authenticode",
        implementation="msi",
        directive="authenticode-sign",
        suffixes=(".msi", ".msp", ".mst", ".msm"),
    ),
    "cab": Format(
        title="cabinet file",
        must_be_signed=True,
        scheme="authenticode",
        implementation="cab",
        directive="authenticode-sign",
        suffixes=(".cab",),
        starts=(CABINET,),
    ),
    "powershell": Format(
        title="script",
        scheme="authenticode",
        implementation="powershell:SCRIPTS",
        directive="authenticode-sign",
        suffixes=(".ps1", ".psm1", ".psd1"),
    ),
    "powershell-xml": Format(
        title="PowerShell configuration file",
        scheme="authenticode",
        implementation="powershell:XML",
        directive="authenticode-sign",
        suffixes=(".ps1xml", ".psc1", ".cdxml"),
    ),
    "mof": Format(
        title="Managed Object Format file",
        scheme="authenticode",
        implementation="powershell:MOF",
        directive="authenticode-sign",
        suffixes=(".mof",),
    ),
    "vbscript": Format(
        title="VBScript file",
        scheme="authenticode",
        implementation="windows_script:VBSCRIPT",
        directive="authenticode-sign",
        suffixes=(".vbs",),
    ),
    "jscript": Format(
        title="JScript file",
        scheme="authenticode",
        implementation="windows_script:JSCRIPT",
        directive="authenticode-sign",
        suffixes=(".js",),
    ),
    "wsf": Format(
        title="Windows script file",
        scheme="authenticode",
        implementation="windows_script:WSF",
        directive="authenticode-sign",
        suffixes=(".wsf",),
    ),
    "catalog": Format(
        title="catalog",
        must_be_signed=True,
        scheme="catalog",
        directive="authenticode-sign",
        suffixes=(".cat",),
    ),
    "xml": Format(title="XML file", scheme="xml", directive="xml-sign", suffixes=(".xml",)),
    "cms": Format(
        title="detached CMS signature",
        scheme="cms",
        directive="create-cms-signature",
        suffixes=(".p7s", ".cms"),
        starts=(b"-----BEGIN CMS-----", b"-----BEGIN PKCS7-----"),
    ),
    "msix": Format(
        title="MSIX or APPX package",
        must_be_signed=True,
        scheme="msix",
        directive="authenticode-sign",
        suffixes=(".msix", ".appx", ".msixbundle", ".appxbundle"),
        entries=("appxmanifest.xml", "appxmetadata/appxbundlemanifest.xml", "appxsignature.p7x"),
    ),
    "nuget": Format(
        title="NuGet package",
        must_be_signed=True,
        scheme="nuget",
        directive="nuget-sign",
        suffixes=(".nupkg", ".snupkg"),
        entries=(".signature.p7s", "*.nuspec"),
    ),
    "vsix": Format(
        title="VSIX package",
        must_be_signed=True,
        scheme="opc",
        directive="opc-sign",
        suffixes=(".vsix",),
        entries=("extension.vsixmanifest",),
    ),
    "apk": Format(
        title="Android package",
        directive="apk-sign",
        suffixes=(".apk",),
        entries=("androidmanifest.xml",),
        instead="apksigner verify",
    ),
    "office": Format(
        title="Office document",
        directive="office-macro-sign",
        suffixes=_suffixes(".docm .dotm .xlsm .xltm .xlam .xlsb .pptm .potm .ppam .ppsm .docx .xlsx .pptx"),
        entries=("word/document.xml", "xl/workbook.xml", "xl/workbook.bin", "ppt/presentation.xml"),
        instead="signtool verify with Microsoft's Office subject interface packages",
    ),
    "jar": Format(
        title="JAR file",
        scheme="jar",
        directive="jar-sign",
        suffixes=(".jar", ".war", ".ear", ".aab"),
        entries=("meta-inf/manifest.mf",),
    ),
    "opc": Format(
        title="OPC package",
        scheme="opc",
        directive="opc-sign",
        suffixes=(".xps", ".oxps", ".hlkx", ".3mf"),
        entries=("[content_types].xml",),
    ),
    "zip": Format(title="ZIP archive", scheme="members", directive="jar-sign", suffixes=(".zip",), starts=_ZIP_STARTS),
    "gpg": Format(
        title="OpenPGP signature",
        directive="create-gpg-signature",
        suffixes=(".asc", ".sig", ".gpg"),
        starts=(b"-----BEGIN PGP SIGNATURE-----", b"-----BEGIN PGP SIGNED MESSAGE-----"),
        instead="gpg --verify, or sqv",
    ),
    "rpm": Format(
        title="RPM package",
        directive="rpm-sign",
        suffixes=(".rpm",),
        starts=(b"\xed\xab\xee\xdb",),
        instead="rpmkeys --checksig",
    ),
    "deb": Format(
        title="Debian package",
        directive="debsigs-sign",
        suffixes=(".deb",),
        starts=(b"!<arch>\ndebian-binary",),
        instead="debsig-verify",
    ),
    "smime": Format(
        title="S/MIME message",
        directive="smime-sign",
        suffixes=(".eml", ".p7m"),
        instead="openssl smime -verify",
    ),
    "clickonce": Format(
        title="ClickOnce manifest",
        directive="clickonce-sign",
        suffixes=(".application", ".vsto", ".exe.manifest", ".dll.manifest"),
        instead="mage -verify",
    ),
    "dsse": Format(
        title="DSSE envelope",
        directive="dsse-sign",
        suffixes=(".dsse", ".intoto.jsonl", ".sigstore.json"),
        instead="cosign verify-blob-attestation, or slsa-verifier",
    ),
    "jsf": Format(title="JSON signature (JSF)", directive="jsf-sign", instead="a JSF library"),
    "oci": Format(title="OCI image layout", directive="cosign-sign", instead="cosign verify, or notation verify"),
    "office-binary": Format(
        title="Office document (binary)",
        directive="office-macro-sign",
        suffixes=_suffixes(".doc .dot .xls .xla .xlt .ppt .pps .ppa .pot .vsd .vst .vss .mpp .mpt .pub"),
        instead="signtool verify with Microsoft's Office subject interface packages",
    ),
}
"""All formats by their names. Where a ZIP archive has the entries of several, the name decides, then this order."""

SIGNATURE_SUFFIXES = (".p7s", ".cms", ".sig", ".asc", ".gpg", ".dsse", ".pem")
"""What a detached signature or an attestation adds to the name of the file that it is for."""

_TAIL = 1 << 16  # a signature block is the end of a script
# DER: ContentInfo with id-signedData behind a length of any size (RFC 5652 section 3); PEM (RFC 7468 section 9).
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_TRUST_LIST = bytes.fromhex("06092b0601040182370a01")  # szOID_CTL, the content type of a catalog
_SEQUENCE = b"\x30"
# Root class identifiers of .msi, .msp and .mst; Office documents are compound files too.
_INSTALLERS = tuple(bytes((n, 0x10, 0x0C, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46)) for n in (0x84, 0x86, 0x82))
_TEXTS = ("powershell", "powershell-xml", "mof", "vbscript", "jscript", "wsf", "xml", "clickonce", "dsse", "smime")
"""Formats that are text, and have no sign of their own: the name says what they are."""
_SMIME = (b"multipart/signed", b"application/pkcs7-mime", b"application/x-pkcs7-mime")
_MAX_JSON = 16 << 20
_TAR_BLOCK = 512
_MAX_TAR_MEMBERS = 10_000
_TAR_MAGIC = slice(257, 262)


def detect(file: BinaryIO, name: str = "", *, is_end_read: bool = True) -> Kind | None:
    """Tell the format of `file`, from its position 0; `None` for any other. Of a ZIP archive `package` tells more.

    Args:
        file: seekable.
        name: of the file; tells an unsigned script, and one whose signature block was taken away.
        is_end_read: whether more than the start is read where the start says nothing.
    """
    file.seek(0)
    start = file.read(HEADER_SIZE)
    promised = by_name(name)
    if start.startswith(COMPOUND):
        other = promised if promised == "office-binary" else None
        return "msi" if _root_class_id(file, start) in _INSTALLERS else other
    found = _by_start(file, start)
    if found is not None or promised in _TEXTS:
        return found or promised
    if any(word in start for word in _SMIME):
        return "smime"
    return _by_whole_file(file, start) if is_end_read else None


def _by_start(file: BinaryIO, start: bytes) -> Kind | None:
    for kind, known in FORMATS.items():
        if known.starts and start.startswith(known.starts):
            return kind
    if start.startswith(b"MZ"):
        file.seek(int.from_bytes(start[60:64], "little"))
        return "pe" if file.read(4) == b"PE\0\0" else None
    if start.startswith(_SEQUENCE) and _SIGNED_DATA in start[:20]:
        return "catalog" if _TRUST_LIST in start[:80] else "cms"
    return None


def _by_whole_file(file: BinaryIO, start: bytes) -> Kind | None:
    if start.lstrip().startswith(b"{"):
        return _json_kind(file)
    return "oci" if _is_oci_layout(file) else "powershell" if _has_block(file) else None


def by_name(name: str) -> Kind | None:
    """Return the format that a file's name promises."""
    name = name.lower()
    return next((kind for kind, known in FORMATS.items() if name.endswith(known.suffixes)), None)


def package(names: Iterable[str], name: str = "") -> Kind:
    """Tell the format of a ZIP archive: by the names of its entries, and where these fit several by its own.

    Args:
        names: of the entries.
        name: of the archive.
    """
    present = {entry.lower() for entry in names}
    top = [entry for entry in present if "/" not in entry]

    def has(entry: str) -> bool:
        return any(fnmatchcase(other, entry) for other in top) if entry.startswith("*") else entry in present

    found = [kind for kind, known in FORMATS.items() if any(map(has, known.entries))]
    promised = by_name(name)
    if promised is not None and FORMATS[promised].entries:
        return promised
    return found[0] if found else "zip"


def layout_of(kind: Kind | None) -> Literal["zip", "cab", "msi"] | None:
    """Return how files of a format hold other files; `None`: they hold none, or their files are not known here."""
    if kind is None:
        return None
    if kind == "zip" or FORMATS[kind].entries:
        return "zip"
    return kind if kind in {"cab", "msi"} else None  # type: ignore[return-value] # mypy does not narrow by a set


def is_archive_name(name: str) -> bool:
    """Tell whether the content of a ZIP archive with this name is verified: whether it is opened inside others."""
    kind = by_name(name)
    return kind is not None and FORMATS[kind].scheme is not None and (kind == "zip" or bool(FORMATS[kind].entries))


class Implementation(Protocol):
    """What reads and writes a format that Authenticode signs: a module, or an object in one."""

    @property
    def SUBJECT_TYPE(self) -> SubjectType:  # noqa: N802 - a module's constant
        """What a signature must say that it is for."""

    def read_subject(self, file: BinaryIO) -> Subject:
        """Read a file.

        Raises:
            FormatError: it is damaged, or signed in a way that is not supported.
        """

    def write_signed(
        self, source: BinaryIO, target: BinaryIO, *, algorithm: str, sign: Callable[[bytes], bytes]
    ) -> None:
        """Copy a file with a new signature in the place of any that it has.

        Args:
            source: the file, seekable.
            target: an empty file, seekable.
            algorithm: a name that `hashlib.new` knows.
            sign: gets the hash, returns the DER-encoded CMS message.

        Raises:
            FormatError: the file is damaged, or has no room for a signature.
        """


def implementation(kind: Kind) -> Implementation:
    """Return what reads and writes files of a format that Authenticode signs.

    It is imported only when it is needed: most runs see just one format.
    """
    module, _, name = FORMATS[kind].implementation.partition(":")
    found = import_module(f"signpath_ci.formats.{module}")
    return cast("Implementation", getattr(found, name) if name else found)


def _json_kind(file: BinaryIO) -> Kind | None:
    """Tell a DSSE envelope, and a JSON file with a signature in it (JSF), from other JSON files."""
    file.seek(0)
    data = file.read(_MAX_JSON + 1)
    try:
        found = json.loads(data) if len(data) <= _MAX_JSON else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if {"payload", "payloadType", "signatures"} <= found.keys():
        return "dsse"
    signature = found.get("signature")
    return "jsf" if isinstance(signature, dict) and {"algorithm", "value"} <= signature.keys() else None


def _root_class_id(file: BinaryIO, header: bytes) -> bytes:
    """Return a compound file's root class identifier, which says what kind of file it is; empty where there is none."""
    shift = int.from_bytes(header[30:32], "little")
    directory = int.from_bytes(header[48:52], "little")
    if shift not in SECTOR_SHIFTS.values():
        return b""
    file.seek((directory + 1 << shift) + 80)
    return file.read(16)


def _has_block(file: BinaryIO) -> bool:
    file.seek(max(0, file.seek(0, 2) - _TAIL))
    tail = file.read()
    return any(SCRIPT_END.encode(encoding) in tail for encoding in ("utf-8", "utf-16-le"))


def _is_oci_layout(file: BinaryIO) -> bool:
    """Tell whether a tar archive has the file `oci-layout` (OCI image layout specification, "oci-layout file")."""
    file.seek(0)
    if file.read(_TAR_BLOCK)[_TAR_MAGIC] != b"ustar":
        return False
    position = 0
    for _ in range(_MAX_TAR_MEMBERS):
        file.seek(position)
        header = file.read(_TAR_BLOCK)
        if len(header) < _TAR_BLOCK or not header[0]:
            return False
        if header[:100].rstrip(b"\0").removeprefix(b"./") == b"oci-layout":
            return True
        try:
            size = int(header[124:136].strip(b"\0 ") or b"0", 8)
        except ValueError:
            return False
        position += _TAR_BLOCK + -(-size // _TAR_BLOCK) * _TAR_BLOCK
    return False
