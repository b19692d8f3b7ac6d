"""JAR files, and ZIP archives signed as such: the manifest and what signs it.

Source: Oracle, "JAR File Specification": the manifest holds a digest of every entry; a signature file (`.SF`) one of
the whole manifest; a signature block file a CMS signature of the signature file. The three lie in `META-INF/`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.values import dataclass

MANIFEST = "META-INF/MANIFEST.MF"
_SIGNATURE_FILE = re.compile(r"META-INF/[^/]+\.SF", re.IGNORECASE)
# Also what older tools wrote, and SIG-*, which the specification reserves (its section "Signature-Related Files").
_SIGNATURE_RELATED = re.compile(r"META-INF/(?:[^/]+\.(?:SF|RSA|DSA|EC)|SIG-[^/]*|MANIFEST\.MF)", re.IGNORECASE)
BLOCK_SUFFIXES = (".EC", ".RSA", ".DSA")
MAX_SIZE = 32 << 20
"""Of a manifest, a signature file or a signature block, in bytes: as of the directory of an archive."""
MAX_LINES = 1_000_000
"""Of a manifest or signature file: ten for each entry that an archive may have."""
MAX_SIGNATURES = 16
"""Of one file."""
_LINE = 72  # bytes, with the line break, in the specification; readers take longer ones
_CHUNK = 1 << 20
# Names of digests in manifests, the strongest first.
DIGEST_NAMES = {"sha512": "SHA-512", "sha384": "SHA-384", "sha256": "SHA-256"}
_BROKEN = ("SHA1", "SHA-1", "SHA", "MD5", "MD2")

Section = dict[str, str]


def is_signature_related(name: str) -> bool:
    """Tell the files of a JAR that carry its signature."""
    return _SIGNATURE_RELATED.fullmatch(name) is not None


def is_signature_file(name: str) -> bool:
    """Tell a signature file, of which every signer has one."""
    return _SIGNATURE_FILE.fullmatch(name) is not None


@dataclass(frozen=True)
class Manifest:
    """A manifest, or a signature file: the main section, and one for each entry by its name."""

    main: Section
    entries: Mapping[str, Section]

    @classmethod
    def read(cls, data: bytes, what: str) -> Manifest:
        """Parse.

        Raises:
            FormatError: it is none, or ambiguous.
        """
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if data.count(b"\n") > MAX_LINES:
            raise FormatError(f"{what} has more lines than the limit of {MAX_LINES}", code="jar-too-many-lines")
        try:
            # Lines are unfolded before they are decoded: a character may be cut in two.
            text = data.replace(b"\n ", b"").decode("utf-8")
        except UnicodeDecodeError as error:
            raise FormatError(f"{what} is not UTF-8") from error
        sections = [_section(lines, what) for lines in _paragraphs(text)]
        entries: dict[str, Section] = {}
        for section in sections[1:]:
            name = section.pop("name", None)
            if name is None or name in entries:
                raise FormatError(f"{what} has a section without a name of its own")
            entries[name] = section
        return cls(sections[0] if sections else {}, entries)


def raw_sections(data: bytes) -> list[bytes]:
    """Split a manifest into its sections as they are digested: each with the empty line behind it.

    The parts are the whole: what does not belong to a section, such as a second empty line, is one of its own.
    """
    sections: list[list[bytes]] = [[]]
    for line in data.splitlines(keepends=True):
        sections[-1].append(line)
        if not line.strip(b"\r\n"):
            sections.append([])
    return [b"".join(lines) for lines in sections if lines]


def has_digest(section: Section, *, suffix: str = "") -> bool:
    """Tell whether a section has a digest, by whatever algorithm; `suffix` as of `strongest_digest`."""
    return any(name.endswith(f"-digest{suffix}".lower()) for name in section)


def strongest_digest(section: Section, what: str, *, suffix: str = "") -> tuple[str, bytes]:
    """Return algorithm and value of the best digest that a section has.

    Args:
        section: attributes.
        what: whose digest, for messages.
        suffix: behind the attribute's name, e.g. `-manifest`.

    Raises:
        FormatError: it has none, or no valid one.
        UnsupportedError: it has only broken ones.
    """
    for algorithm, name in DIGEST_NAMES.items():
        value = section.get(f"{name}-Digest{suffix}".lower())
        if value is None:
            continue
        try:
            return algorithm, base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise FormatError(f"the digest of {what} is not Base64") from error
    for name in _BROKEN:
        if f"{name}-Digest{suffix}".lower() in section:
            raise UnsupportedError(f"the digest of {what} is by {name}, which is broken: it proves nothing")
    raise FormatError(f"there is no digest of {what}")


def digest_of(file: BinaryIO, algorithm: str) -> bytes:
    """Hash an entry."""
    hashed = hashlib.new(algorithm)
    while piece := file.read(_CHUNK):
        hashed.update(piece)
    return hashed.digest()


def write_section(section: Section) -> bytes:
    """Encode one section of a manifest or signature file, with the empty line behind it."""
    return b"".join(_line(f"{name}: {value}") for name, value in section.items()) + b"\r\n"


def _line(text: str) -> bytes:
    data = text.encode("utf-8")
    first = _LINE - 2
    lines = [data[:first], *(b" " + data[n : n + first - 1] for n in range(first, len(data), first - 1))]
    return b"".join(line + b"\r\n" for line in lines)


def _paragraphs(text: str) -> Iterator[list[str]]:
    lines: list[str] = []
    for line in text.split("\n"):
        if line:
            lines.append(line)
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _section(lines: list[str], what: str) -> Section:
    """Return attributes by their names in lower case: they are the same in any case."""
    section: Section = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        if not colon or name.lower() in section:
            raise FormatError(f"{what} has a line that is no attribute, or one twice")
        section[name.lower()] = value
    return section
