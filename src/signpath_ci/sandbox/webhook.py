"""Telling a project's webhook that a request has ended (wire contract, "Webhook")."""

from __future__ import annotations

import logging

from signpath_ci.sandbox.config import Webhook

_log = logging.getLogger(__name__)
_TIMEOUT = (5, 10)


def post(webhook: Webhook, *, organization_id: str, signing_request_id: str, status: str) -> None:
    """Post the message once; a webhook that is not there is logged, not an error."""
    import requests

    message = {"OrganizationId": organization_id, "SigningRequestId": signing_request_id, "Status": status}
    try:
        answer = requests.post(webhook.url, json=message, headers=dict(webhook.headers), timeout=_TIMEOUT)
        answer.close()
    except (requests.RequestException, UnicodeError) as error:
        _log.warning("The webhook %s can't be reached: %s", webhook.url, type(error).__name__)
        return
    if not answer.ok:
        _log.warning("The webhook %s answered %s", webhook.url, answer.status_code)
