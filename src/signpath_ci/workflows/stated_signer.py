"""The signer that SignPath itself names, where the settings name neither a trust root nor a thumbprint.

It proves that the certificate of the signing policy signed a file, and nobody else's. It does not prove who that
certificate belongs to: the server that sends the file names the certificate too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from signpath_ci.errors import ServiceUnavailableError, SignPathError
from signpath_ci.model import Expectations
from signpath_ci.settings import Connector, Service, Trust, options
from signpath_ci.values import dataclass, replace
from signpath_ci.workflows.clients import connect
from signpath_ci.workflows.process import Process

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi

_log = logging.getLogger(__name__)

_PATIENCE = 15.0
"""Seconds across retries: the run does not depend on the answer."""

_SIGNPATH = ".signpath.io"


@dataclass(frozen=True, kw_only=True)
class StatedSigner:
    """Asks SignPath for the certificate that a request is signed with.

    Attributes:
        api: SignPath's REST API; `None`: it can't be asked.
        objection: why it can't be asked, as a clause; empty where it can.
        project_slug: of the request; `None`: SignPath's record of the request tells.
        signing_policy_slug: likewise.
    """

    api: SignPathApi | None
    objection: str = ""
    project_slug: str | None = None
    signing_policy_slug: str | None = None

    def added_to(self, required: Expectations, signing_request_id: str) -> Expectations:
        """Return expectations with the stated signer; unchanged, with a warning, where SignPath states none.

        Needs the libraries of verification.
        """
        if self.api is None:
            return _unchanged(required, self.objection)
        try:
            project, policy = self._slugs(self.api, signing_request_id)
            thumbprint = self._thumbprint(self.api, signing_request_id, project, policy)
        except SignPathError as error:
            return _unchanged(required, f"SignPath did not state the certificate of the signing policy ({error.code})")
        return replace(
            required, thumbprints=frozenset({thumbprint}), stated_by=policy or f"of request {signing_request_id}"
        )

    def _slugs(self, api: SignPathApi, signing_request_id: str) -> tuple[str | None, str | None]:
        if self.project_slug and self.signing_policy_slug:
            return self.project_slug, self.signing_policy_slug
        recorded = api.request(signing_request_id)
        return recorded.project_slug, recorded.signing_policy_slug

    def _thumbprint(self, api: SignPathApi, signing_request_id: str, project: str | None, policy: str | None) -> str:
        from signpath_ci.verify.stated import stated_thumbprint

        try:
            return stated_thumbprint(api.certificate(signing_request_id, patience=_PATIENCE))
        except ServiceUnavailableError:
            raise
        except SignPathError as error:
            _log.debug("The request's own certificate: %s", error)
            if not (project and policy):
                raise
        return stated_thumbprint(api.policy_certificate(project, policy, patience=_PATIENCE))


def stated_signer(
    service: Service,
    trust: Trust,
    process: Process,
    *,
    api: SignPathApi | None,
    project: str | None,
    policy: str | None,
) -> StatedSigner | None:
    """Return what asks SignPath for the signer; `None` where the settings say whom to trust.

    Args:
        service: where SignPath is.
        trust: the settings.
        process: whose clock is used.
        api: SignPath's REST API; `None`: the run goes through a connector.
        project: slug of the request's project; `None`: not known.
        policy: slug of its signing policy; `None`: not known.
    """
    if trust.trust_root or trust.thumbprint:
        return None
    api, objection = stating_api(service, process, api)
    return StatedSigner(api=api, objection=objection, project_slug=project, signing_policy_slug=policy)


def stating_api(service: Service, process: Process, api: SignPathApi | None) -> tuple[SignPathApi | None, str]:
    """Return SignPath's REST API where it can be asked beside a connector, or why it is not, as a clause."""
    if api is not None:
        return api, ""
    objection = _objection(service)
    return (None, objection) if objection else (connect(service, process), "")


def _objection(service: Service) -> str:
    """Return why the API is not asked beside a connector; empty where it is.

    The API token of a self-hosted SignPath must not go to the public one, which is the default.
    """
    default = next(row.default for row in options(Service) if row.name == "api_url")
    if service.api_url != default:
        return ""
    url = service.connector_url if isinstance(service, Connector) else None
    host = (urlsplit(url or "").hostname or "").lower()
    if host.endswith(_SIGNPATH):
        return ""
    return "SignPath's API is not asked, as --api-url is not given, and the connector is not SignPath's"


def _unchanged(required: Expectations, reason: str) -> Expectations:
    _log.warning("The signer is not checked: %s. Name a --trust-root or --thumbprint.", reason)
    return required
