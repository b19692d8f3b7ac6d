"""The files that SignPath itself states to have signed: what it states must be signed, whatever else is expected."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from signpath_ci.errors import SignPathError
from signpath_ci.settings import Service
from signpath_ci.values import dataclass
from signpath_ci.workflows.process import Process
from signpath_ci.workflows.stated_signer import stating_api

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi

_log = logging.getLogger(__name__)

_PATIENCE = 15.0
"""Seconds across retries: the run does not depend on the answer."""


@dataclass(frozen=True, kw_only=True)
class StatedTree:
    """Asks SignPath for the resolved tree of a request.

    Attributes:
        api: SignPath's REST API; `None`: it can't be asked.
        objection: why it can't be asked, as a clause; empty where it can.
    """

    api: SignPathApi | None
    objection: str = ""

    def signed_files(self, signing_request_id: str) -> frozenset[tuple[str, ...]] | None:
        """Return the files that SignPath states to have signed; `None`, and why in the log, where it states none."""
        from signpath_ci.verify.stated_tree import stated_signed_files

        reason = self.objection
        if self.api is not None:
            try:
                return stated_signed_files(self.api.artifact_description(signing_request_id, patience=_PATIENCE))
            except SignPathError as error:
                reason = f"SignPath did not state it ({error.code})"
        _log.info("Which files SignPath signed is not compared: %s.", reason)
        return None


def stated_tree(service: Service, process: Process, *, api: SignPathApi | None) -> StatedTree:
    """Return what asks SignPath for the resolved tree.

    Args:
        service: where SignPath is.
        process: whose clock is used.
        api: SignPath's REST API; `None`: the run goes through a connector.
    """
    api, objection = stating_api(service, process, api)
    return StatedTree(api=api, objection=objection)
