"""From a completed request to the signed file on disk: whole and accepted, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from signpath_ci.errors import VerificationError
from signpath_ci.files import TemporaryFile
from signpath_ci.model import Artifact, SizeAllowance
from signpath_ci.signing.target import disk_errors
from signpath_ci.text import one_line
from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from signpath_ci.api.streams import Download

T = TypeVar("T")


class SendsSignedArtifact(Protocol):
    """Whoever can send the signed artifact of a request: SignPath's REST API, or a connector."""

    def signed_artifact(self, signing_request_id: str, receive: Callable[[Download], T]) -> T:
        """Hand the bytes to `receive`, again from the start where they break off; return what it returns."""
        ...


_LARGEST = 16 * 1024**3
"""Bytes of a signed file at most, where the size of the submitted one is not known."""


def size_limit(submitted: int | None, allowance: SizeAllowance) -> int:
    """Return how many bytes a signed file may have.

    Args:
        submitted: the bytes of the submitted file; `None` where that is not known.
        allowance: what may be added.
    """
    return _LARGEST if submitted is None else allowance.limit(submitted)


@dataclass(frozen=True)
class Bounded:
    """Whoever can send a signed artifact, with the largest size that is taken.

    Attributes:
        api: who sends it.
        limit: in bytes.
    """

    api: SendsSignedArtifact
    limit: int

    def signed_artifact(self, signing_request_id: str, receive: Callable[[Download], T]) -> T:
        """Hand the bytes to `receive`, as long as there are not too many.

        Raises:
            VerificationError: there are.
        """
        return self.api.signed_artifact(signing_request_id, lambda incoming: receive(self._bounded(incoming)))

    def _bounded(self, incoming: Download) -> Download:
        if (incoming.length or 0) > self.limit:
            raise self._too_large()
        return cast("Download", _BoundedDownload(incoming, self.limit, self._too_large))

    def _too_large(self) -> VerificationError:
        return VerificationError(
            f"The signed file is larger than {self.limit} bytes, which is too much for what was submitted.",
            hint="Do not use it; where signing really adds so much, raise --size-allowance (SIGNPATH_SIZE_ALLOWANCE).",
            code="signed-file-too-large",
        )


class _BoundedDownload:
    def __init__(self, incoming: Download, limit: int, error: Callable[[], VerificationError]) -> None:
        self.length, self.content_disposition = incoming.length, incoming.content_disposition
        self._incoming, self._limit, self._error = incoming, limit, error

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._incoming:
            size += len(piece)
            if size > self._limit:
                raise self._error()
            yield piece


@contextmanager
def kept_if_rejected(file: TemporaryFile, name: Path, *, replace: bool) -> Iterator[None]:
    """Keep a rejected file for whoever looks into it, under a name that nothing takes for the signed file's.

    Args:
        file: the rejected file.
        name: what people know it as.
        replace: put it in the place of an earlier rejected file.

    Raises:
        VerificationError: the one that came, with where the file is, or why it was not kept.
    """
    try:
        yield
    except VerificationError as error:
        rejected = name.with_name(f"{name.name}.rejected")
        try:
            file.publish(rejected, replace=replace)
        except FileExistsError:
            words = f"What came is not kept: {rejected} exists already, and only --force replaces it."
        except OSError as failed:
            words = f"What came is not kept: {rejected} can't be written: {failed.strerror}."
        else:
            words = f"What came is kept as {rejected}; do not publish it."
        error.hint = one_line(f"{error.hint} {words}".strip())
        raise


def receive_into(
    file: TemporaryFile, incoming: Download, target: Path, on_progress: Callable[[int, int], None]
) -> Artifact:
    """Write what comes in to a temporary file, from its start, and bring it to the disk.

    Args:
        file: where to.
        incoming: the bytes.
        target: the name that the file will have, for messages.
        on_progress: gets the bytes that have come and those in all (0 where that is not known).
    """
    digest, size = hashlib.sha256(), 0
    with disk_errors(target):
        file.restart()
    for piece in incoming:
        with disk_errors(target):
            file.write(piece)
        digest.update(piece)
        size += len(piece)
        on_progress(size, incoming.length or 0)
    with disk_errors(target):
        file.sync()
    return Artifact(path=file.path, size=size, sha256=digest.hexdigest())
