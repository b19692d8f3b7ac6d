"""The directives of artifact configurations, each carried out on one file."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from signpath_ci.artifact_configuration.plan import PlannedDirective
from signpath_ci.errors import SignPathError
from signpath_ci.formats.jar import is_signature_related
from signpath_ci.formats.registry import FORMATS, Kind, detect, package
from signpath_ci.formats.zip import DEFLATED, ArchiveWriter, open_archive
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import detached as signatures
from signpath_ci.sandbox.signers import jar
from signpath_ci.sandbox.signers.errors import CannotSignError
from signpath_ci.sandbox.signers.formats import is_signable, sign_as

_CHUNK = 1 << 20
_LINE = 64


def replace(
    directive: PlannedDirective,
    source: BinaryIO,
    target: BinaryIO,
    *,
    name: str,
    signer: Signer,
    timestamp: Callable[[bytes], bytes],
) -> None:
    """Write a signed copy of a file.

    Args:
        directive: one that replaces the file.
        source: the file, seekable.
        target: an empty file, seekable.
        name: the file's path in its container.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token for a signature's value.

    Raises:
        CannotSignError: the sandbox does not do this, or the file can't be signed.
    """
    _require_supported(directive)
    if directive.name == "jar-sign":
        _sign_jar(source, target, signer=signer, timestamp=timestamp)
        return
    kind = _kind(source, name)
    if kind is None or FORMATS[kind].directive != directive.name or not is_signable(kind):
        found = FORMATS[kind].title if kind else "file of an unknown format"
        raise CannotSignError(f"the sandbox can't carry out {directive.name} on a {found}")
    algorithm = directive.attributes.get("hash-algorithm", "sha256")
    sign_as(kind, source, target, signer=signer, timestamp=timestamp, algorithm=algorithm)


def verify(source: BinaryIO, name: str, directory: Path) -> None:
    """Verify the signature that a file carries already; not whether its signer is trusted by Windows.

    Raises:
        CannotSignError: it carries none, or it is not intact.
    """
    from signpath_ci.verify import verify_file

    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        path = Path(scratch) / (Path(name).name or "file")
        with path.open("wb") as copy:
            source.seek(0)
            shutil.copyfileobj(source, copy, _CHUNK)
        try:
            verify_file(path)
        except SignPathError as error:
            raise CannotSignError(f"the signature can't be verified: {error.message}") from error


def detached(
    directive: PlannedDirective, source: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]
) -> bytes:
    """Return the file that a directive adds.

    Raises:
        CannotSignError: the sandbox does not make it.
    """
    _require_supported(directive)
    if directive.name == "create-cms-signature":
        message = signatures.sign_cms(source, signer=signer, timestamp=timestamp)
        return message if directive.attributes.get("output-encoding") == "der" else _pem(message)
    if directive.name == "create-raw-signature":
        return signatures.sign_raw(source, signer=signer, algorithm=directive.attributes["hash-algorithm"])
    raise CannotSignError(f"the sandbox can't carry out {directive.name}")


def _require_supported(directive: PlannedDirective) -> None:
    if directive.name not in {"authenticode-sign", "create-raw-signature"}:
        for attribute in ("hash-algorithm", "manifest-hash-algorithm"):
            if directive.attributes.get(attribute, "sha256") != "sha256":
                raise CannotSignError(f'the sandbox carries out {directive.name} with {attribute}="sha256" only')
    if directive.attributes.get("append") == "true":
        raise CannotSignError('the sandbox makes one signature only, and no further one with append="true"')


def _kind(source: BinaryIO, name: str) -> Kind | None:
    kind = detect(source, name)
    if kind != "zip":
        return kind
    with open_archive(source) as archive:
        return package([entry.name for entry in archive.entries], name)


def _sign_jar(source: BinaryIO, target: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]) -> None:
    copy = ArchiveWriter(target)
    with open_archive(source) as archive:
        # The manifest comes first, as the specification's tools write it and readers of streams expect it.
        for name, data in jar.signature_files(archive, signer=signer, timestamp=timestamp).items():
            copy.add(name, [data], size=len(data), method=DEFLATED)
        for entry in archive.entries:
            if not is_signature_related(entry.name):
                copy.copy(archive, entry)
        copy.finish(archive.comment)


def _pem(message: bytes) -> bytes:
    encoded = base64.b64encode(message).decode("ascii")
    lines = [encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE)]
    return "\n".join(["-----BEGIN CMS-----", *lines, "-----END CMS-----", ""]).encode("ascii")
