"""Content identity: the signed file is the file that was submitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.registry import SIGNATURE_SUFFIXES, by_name
from signpath_ci.verify.signer_requirements import Signature

_CHUNK = 1 << 18
_SHOWN = 10  # paths in a message

Content = Callable[[str], dict[str, bytes]]
"""Computes the digests of all parts of a file by their paths, by the name of the algorithm, as `Subject.content`."""


def check_same_content(signed: Content, submitted: Content, signatures: tuple[Signature, ...]) -> None:
    """Require that a submitted file has the content that is signed.

    What signing changes is left out (in PE files: checksum, security directory, certificate table, padding).

    Args:
        signed: of the signed file.
        submitted: of the submitted file.
        signatures: those of the signed file, whose digests were found to be right.

    Raises:
        VerificationError: the signed file is another one; the message lists the differing paths in it.
    """
    for algorithm, expected in {(s.digest_algorithm, s.content_digest) for s in signatures}:
        try:
            content = submitted(algorithm)
        except FormatError as error:
            raise not_submitted(error) from error
        if content == {"": bytes.fromhex(expected)}:
            continue
        ours = signed(algorithm)
        if ours == content:
            continue
        if set(ours) == set(content) == {""}:
            raise VerificationError(
                "it is signed, but it is not the file that was submitted:"
                f" the Authenticode hash is {expected}, the submitted file's is {content[''].hex()}.",
                code="content-changed",
            )
        check_paths(ours, content, what="the streams")
        differing = sorted(path for path in ours if ours[path] != content[path])
        raise VerificationError(
            f"it is signed, but it is not the file that was submitted; these differ: {listed(differing)}.",
            code="content-changed",
        )


def check_paths(now: Iterable[str], before: Iterable[str], *, what: str, prefix: str = "") -> None:
    """Require the same paths as in what was submitted.

    Raises:
        VerificationError: some are missing, or were added.
    """
    now, before = set(now), set(before)
    for paths, change in ((before - now, "missing"), (now - before, "added")):
        if paths:
            raise VerificationError(
                f"not {what} that were submitted; {change}: {listed(sorted(prefix + path for path in paths))}.",
                code="content-changed",
            )


def check_detached_name(signature: Path, submitted: Path) -> None:
    """Require that a detached signature does not have the name of the kind of file that it is for.

    Raises:
        VerificationError: it would pass for that file.
    """
    suffix = signature.suffix.lower()
    if suffix in SIGNATURE_SUFFIXES:
        return
    if signature.name == submitted.name or suffix == submitted.suffix.lower() or by_name(signature.name) is not None:
        raise VerificationError(
            f"it is a detached signature, which can't take the place of {submitted.name}.",
            hint=f"A signature of that file has a name such as {submitted.name}.p7s.",
            code="content-changed",
        )


def check_kind(submitted: str | None, *, now: str | None = None) -> None:
    """Require that a file has the format that it had when it was submitted, where that was known.

    Raises:
        VerificationError: it was of the format `submitted`.
    """
    if submitted not in {None, now}:
        raise VerificationError(
            f"what was submitted is of the format {submitted}, and this is not.", code="content-changed"
        )


def not_submitted(error: FormatError) -> VerificationError:
    """Return the error for a submitted file that can't be read as what the signed one is."""
    return VerificationError(
        f"it can't be the file that was submitted, because of that one: {error}.", code="content-changed"
    )


def listed(paths: list[str]) -> str:
    """Return paths for a message, not too many."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more


def is_same(left: BinaryIO, right: BinaryIO) -> bool:
    """Tell whether two files have the same bytes, from where they stand."""
    while True:
        chunk = left.read(_CHUNK)
        if chunk != right.read(_CHUNK):
            return False
        if not chunk:
            return True
