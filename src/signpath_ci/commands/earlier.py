"""Which request of an earlier run a command is about: an id, or the receipt that the run wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.model import Origin, Submission
from signpath_ci.settings import Earlier, Service
from signpath_ci.signing import receipt as receipts

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi

_PATH = re.compile(r"[/\\]|\.json$", re.IGNORECASE)
"""What no id holds, and nearly every receipt's path does."""


@dataclass(frozen=True, kw_only=True)
class EarlierRequest:
    """A request of an earlier run: its id, and its receipt where that was given."""

    signing_request_id: str
    receipt: receipts.Receipt | None = None

    @property
    def input_path(self) -> Path | None:
        """The submitted file's name in the current directory; `None` where it is not known."""
        given = self.receipt.input if self.receipt else None
        return Path(Path(given.name).name) if given else None


def earlier_request(settings: Earlier, service: Service) -> EarlierRequest:
    """Return the request that a command's settings name; it takes them as what they say of either.

    Raises:
        LocalFileError: there is no such receipt, or the file is none.
        UsageError: the receipt is of another SignPath or organization.
    """
    text = settings.signing_request_id
    path = Path(text)
    if not _PATH.search(text) and not path.is_file():
        return EarlierRequest(signing_request_id=text.strip())
    try:
        receipt = receipts.read_receipt(path)
    except FileNotFoundError:
        raise LocalFileError(
            f"There is no receipt {path}.",
            hint="Name a receipt that `submit` or `sign --receipt` wrote, or an id.",
            code="receipt-missing",
        ) from None
    of, here = receipt.service, service_of(service)
    if of != here:
        raise UsageError(
            f"The receipt {path} is of {of.api_url}, organization {of.organization_id}, "
            f"and not of {here.api_url}, organization {here.organization_id}.",
            hint="Set --api-url and --organization-id to the receipt's.",
            code="wrong-receipt",
        )
    return EarlierRequest(signing_request_id=receipt.submission.signing_request_id, receipt=receipt)


def receipt_file(path: Path, settings: Service, origin: Origin) -> receipts.ReceiptFile:
    """Return where this run keeps its receipt."""
    return receipts.ReceiptFile(path=path, service=service_of(settings), origin=origin)


def service_of(settings: Service) -> receipts.Service:
    """Return how receipts name the SignPath that the settings name."""
    return receipts.Service(api_url=settings.api_url, organization_id=settings.organization_id)


def known_submission(api: SignPathApi, signing_request_id: str) -> Submission:
    """Return a request as its submit answered, from SignPath's own record.

    Raises:
        SignPathError: SignPath refuses to tell it, or is not there.
    """
    state = api.request(signing_request_id).state
    return Submission(
        signing_request_id=state.signing_request_id,
        web_link=state.web_link,
        signed_artifact_url=api.signed_artifact_url(state.signing_request_id),
    )
