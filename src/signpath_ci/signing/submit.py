"""From a file on disk to a signing request that has it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from signpath_ci.api.refusals import MissingRouteError
from signpath_ci.errors import LocalFileError, RefusedError, ServiceUnavailableError, UsageError
from signpath_ci.model import Artifact, RetrievalLink, SigningRequestFields, Submission
from signpath_ci.signing.artifact import read_blocks

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi

_log = logging.getLogger(__name__)

_CANCEL_PATIENCE = 10.0
"""Seconds for the attempt to cancel what will never be signed anyway."""


def submit(
    api: SignPathApi,
    artifact: Artifact,
    fields: SigningRequestFields,
    *,
    link: RetrievalLink | None = None,
    on_progress: Callable[[int, int], None],
    on_created: Callable[[Submission], None] = lambda _submission: None,
) -> Submission:
    """Submit a file that `read_artifact` has read, or one that SignPath fetches.

    In two calls where the server has them: the first can be repeated without ever signing twice, the second too, since
    the server is asked before. Else in one, which is repeated only where the server can not have taken it.

    Args:
        api: SignPath.
        artifact: the file as it was when it was read.
        fields: what else the submit says.
        link: where SignPath fetches the file; there is one call for it, which is repeated only where the server can not
            have taken it.
        on_progress: is called with the bytes that are sent and those in all; starts again where the upload does.
        on_created: is called with the request as soon as there is one; where the server has both calls,
            before the upload, which is left out where this fails.

    Raises:
        LocalFileError: `on_created` failed, or the file changed meanwhile. The server does not hold the whole of it.
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    if link is not None:
        submission = api.submit_with_retrieval_link(fields, sha256=artifact.sha256, link=link)
        on_created(submission)
        return submission
    name = artifact.path.name
    try:
        submission = api.create(fields, file_name=name, sha256=artifact.sha256)
    except MissingRouteError as error:
        _log.info("%s Submitting in one call, as older servers take it.", error.message)
        submission = api.submit_with_artifact(fields, file_name=name, content=_ArtifactContent(artifact, on_progress))
        on_created(submission)
        return submission
    try:
        on_created(submission)
    except LocalFileError:
        _cancel(api, submission.signing_request_id)
        raise
    upload(api, submission.signing_request_id, artifact, on_progress=on_progress)
    return submission


def upload(
    api: SignPathApi, signing_request_id: str, artifact: Artifact, *, on_progress: Callable[[int, int], None]
) -> None:
    """Send the file of a request that waits for it; arguments and errors as those of `submit`."""
    try:
        api.upload(signing_request_id, _ArtifactContent(artifact, on_progress))
    except LocalFileError:
        _cancel(api, signing_request_id)
        raise


class _ArtifactContent:
    """A file's bytes, hashed while they are sent; the last piece only once they are known to be the announced ones."""

    def __init__(self, artifact: Artifact, on_progress: Callable[[int, int], None]) -> None:
        self._artifact, self._on_progress = artifact, on_progress
        self._size = artifact.size or 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        held = b""
        for block in read_blocks(self._artifact.path):
            if held:
                yield held
                self._on_progress(size, self._size)
            digest.update(block)
            size += len(block)
            held = block
            if size > self._size:
                break
        if size != self._size or digest.hexdigest() != self._artifact.sha256:
            raise LocalFileError(
                f"{self._artifact.path} changed while it was uploaded; nothing was submitted.",
                hint="Sign it after the step that writes it has ended.",
                code="file-changed",
            )
        yield held
        self._on_progress(size, self._size)


def _cancel(api: SignPathApi, signing_request_id: str) -> None:
    try:
        api.cancel(signing_request_id, patience=_CANCEL_PATIENCE)
    except (RefusedError, ServiceUnavailableError, UsageError) as error:
        # Without its artifact it is never signed; cancelling is for those who read the list of requests.
        _log.warning("The signing request %s could not be canceled: %s", signing_request_id, error)
