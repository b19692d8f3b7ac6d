"""Telling a project's webhook that a request has ended (wire contract, "Webhook")."""

from __future__ import annotations

import logging

from signpath_ci.sandbox.config import Webhook
from signpath_ci.sandbox.retrieval import is_loopback

_log = logging.getLogger(__name__)
_TIMEOUT = (5, 10)


def post(webhook: Webhook, *, organization_id: str, signing_request_id: str, status: str) -> None:
    """Post the message once; a webhook that is not there is logged, not an error."""
    import requests

    message = {"OrganizationId": organization_id, "SigningRequestId": signing_request_id, "Status": status}
    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(webhook.url)  # no proxy stands before this machine
            answer = session.post(webhook.url, json=message, headers=dict(webhook.headers), timeout=_TIMEOUT)
    except (requests.RequestException, UnicodeError) as error:
        _log.warning("The webhook %s can't be reached: %s", webhook.url, type(error).__name__)
        return
    if not answer.ok:
        _log.warning("The webhook %s answered %s", webhook.url, answer.status_code)
