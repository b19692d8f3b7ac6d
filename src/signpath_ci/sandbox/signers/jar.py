"""JAR signatures: the manifest with a digest of every entry, the signature file, the signature block."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from signpath_ci.formats.cms import DATA
from signpath_ci.formats.jar import (
    DIGEST_NAMES,
    MANIFEST,
    MAX_SIZE,
    Manifest,
    Section,
    digest_of,
    is_signature_related,
    write_section,
)
from signpath_ci.formats.zip import Archive
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import cms
from signpath_ci.sandbox.signers.errors import CannotSignError

_ALGORITHM = "sha256"
_DIGEST = f"{DIGEST_NAMES[_ALGORITHM]}-Digest"
_STEM = "META-INF/SIGNPATH"


def signature_files(archive: Archive, *, signer: Signer, timestamp: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """Return the files that sign an archive, by their names; whatever else in it is related to a signature must go.

    Args:
        archive: what is to be signed; attributes in its manifest are kept.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token for a signature's value.

    Raises:
        CannotSignError: there is nothing in it to be signed.
        FormatError: its manifest is damaged.
    """
    given = _manifest(archive)
    entries = {name: _kept(section) for name, section in given.entries.items()}
    signed = set()
    for entry in archive.entries:
        if not entry.is_directory and not is_signature_related(entry.name):
            digest = base64.b64encode(digest_of(archive.open(entry), _ALGORITHM)).decode("ascii")
            entries[entry.name] = {_DIGEST: digest, **entries.get(entry.name, {})}
            signed.add(entry.name)
    if not signed:
        raise CannotSignError("The JAR file can not be signed: there is nothing in it.")
    version = given.main.pop("manifest-version", "1.0")
    sections = {name: write_section({"Name": name, **section}) for name, section in entries.items()}
    manifest = write_section({"Manifest-Version": version, **given.main}) + b"".join(sections.values())
    main = {"Signature-Version": "1.0", f"{_DIGEST}-Manifest": _hashed(manifest)}
    # Readers take for signed only what is listed here too, though the digest above covers it already.
    listed = ({"Name": name, _DIGEST: _hashed(section)} for name, section in sections.items() if name in signed)
    signature_file = write_section(main) + b"".join(write_section(section) for section in listed)
    message = cms.sign(signer, content_type=DATA, content=None, digest=hashlib.sha256(signature_file).digest())
    block = cms.timestamped(message, timestamp).encode()
    return {MANIFEST: manifest, f"{_STEM}.SF": signature_file, f"{_STEM}.EC": block}


def _manifest(archive: Archive) -> Manifest:
    entry = archive.by_name.get(MANIFEST)
    if entry is None:  # a ZIP archive that is signed as a JAR file gets one
        return Manifest.read(b"Manifest-Version: 1.0\r\n\r\n", "its manifest")
    return Manifest.read(archive.read(entry, limit=MAX_SIZE), "its manifest")


def _kept(section: Section) -> Section:
    return {name: value for name, value in section.items() if not name.endswith("-digest")}


def _hashed(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode("ascii")
