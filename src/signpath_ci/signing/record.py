"""What SignPath itself says of a receipt's request: a receipt is just a file that anybody could have written."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.errors import RefusedError, VerificationError
from signpath_ci.files import TemporaryFile, beside
from signpath_ci.model import SigningRequest
from signpath_ci.signing.artifact import read_artifact
from signpath_ci.signing.target import disk_errors

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi
    from signpath_ci.api.streams import Download
    from signpath_ci.signing.receipt import InputFile, Receipt

_log = logging.getLogger(__name__)
_HINT = "Do not use this receipt; name the id of the request, or submit again without it."


def record_differences(receipt: Receipt, request: SigningRequest) -> list[str]:
    """Return in what a receipt contradicts SignPath's record of its request, as far as both say something."""
    pairs = (
        ("project", receipt.project_slug, request.project_slug),
        ("signing policy", receipt.signing_policy_slug, request.signing_policy_slug),
        ("artifact configuration", receipt.artifact_configuration_slug, request.artifact_configuration_slug),
    )
    return [
        f"by SignPath its {what} is {recorded}, and by the receipt {said}"
        for what, said, recorded in pairs
        if said and recorded and said.casefold() != recorded.casefold()
    ]


def check_record(receipt: Receipt, request: SigningRequest) -> None:
    """Refuse a receipt that contradicts SignPath's record.

    Raises:
        VerificationError: it does; every difference is named.
    """
    if found := record_differences(receipt, request):
        raise VerificationError(
            f"The receipt is not that of the signing request {request.state.signing_request_id}: {'; '.join(found)}.",
            hint=_HINT,
            code="receipt-differs",
        )


def has_recorded_file(api: SignPathApi, signing_request_id: str, expected: InputFile) -> bool:
    """Return whether SignPath was submitted this file; also where SignPath does not give it, which is logged.

    Raises:
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    sha256 = _fetched(api, signing_request_id, expected, file=None)
    return sha256 is None or sha256 == expected.sha256


def check_submitted_file(path: Path, expected: InputFile) -> None:
    """Refuse a file that is not the one that a receipt is of.

    Raises:
        VerificationError: it is another one.
        LocalFileError: it can't be read.
    """
    sha256 = read_artifact(path).sha256
    if sha256 != expected.sha256:
        raise VerificationError(
            f"{path} has SHA-256 {sha256}, and by the receipt {expected.sha256} was submitted.",
            hint="Name the file that was submitted with --unsigned.",
            code="receipt-differs",
        )


@contextmanager
def submitted_file(
    api: SignPathApi, signing_request_id: str, expected: InputFile, directory: Path
) -> Iterator[Path | None]:
    """Fetch the submitted file from SignPath, to compare the signed one with; it is gone at the end.

    Args:
        api: SignPath.
        signing_request_id: of a request that has its file.
        expected: the file that the receipt is of.
        directory: where it is kept meanwhile.

    Yields:
        the file, which has the SHA-256 that is expected; `None` where SignPath does not give it, which is logged.

    Raises:
        VerificationError: it is another file.
        LocalFileError: it can't be kept.
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    target = directory / f"submitted{Path(expected.name).suffix}"
    with ExitStack() as stack:
        with disk_errors(target):
            file = stack.enter_context(beside(target))
        sha256 = _fetched(api, signing_request_id, expected, file=file)
        if sha256 is not None and sha256 != expected.sha256:
            raise VerificationError(
                f"The file that was submitted as {signing_request_id} has SHA-256 {sha256}, "
                f"and by the receipt {expected.sha256}.",
                hint=_HINT,
                code="receipt-differs",
            )
        yield file.path if sha256 else None


def _fetched(
    api: SignPathApi, signing_request_id: str, expected: InputFile, *, file: TemporaryFile | None
) -> str | None:
    """Return the SHA-256 of the submitted file, which is written to `file`; `None` where SignPath does not give it."""

    def receive(incoming: Download) -> str:
        digest, size = hashlib.sha256(), 0
        if file is not None:
            file.restart()
        for piece in incoming:
            size += len(piece)
            if expected.size is not None and size > expected.size:
                return f"of a file that is larger than {expected.size} bytes"
            digest.update(piece)
            if file is not None:
                with disk_errors(file.path):
                    file.write(piece)
        return digest.hexdigest()

    try:
        return api.unsigned_artifact(signing_request_id, receive)
    except RefusedError as error:
        if error.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN, HTTPStatus.GONE, HTTPStatus.BAD_REQUEST}:
            raise
        _log.warning(
            "The receipt's SHA-256 is not compared: SignPath does not give the submitted file (%s). "
            "Name the file with --unsigned to compare the signed one with it.",
            error.message,
        )
        return None
