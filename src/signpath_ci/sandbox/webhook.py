"""Telling a project's webhook that a request has ended (wire contract, "Webhook"). It is sent once, without retries."""

from __future__ import annotations

import logging

from signpath_ci.sandbox.config import Webhook
from signpath_ci.sandbox.retrieval import is_loopback
from signpath_ci.sandbox.signing_request import WebhookDelivery

_log = logging.getLogger(__name__)
_TIMEOUT = (5, 10)
_MAX_ANSWER = 4096


def post(webhook: Webhook, *, organization_id: str, signing_request_id: str, status: str, now: str) -> WebhookDelivery:
    """Post the message, and return what became of it, for the request's page.

    Args:
        webhook: where to.
        organization_id: of the request.
        signing_request_id: its id.
        status: that it has ended with.
        now: the time, ISO 8601 in UTC.
    """
    import requests

    message = {"OrganizationId": organization_id, "SigningRequestId": signing_request_id, "Status": status}
    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(webhook.url)  # no proxy stands before this machine
            with session.post(
                webhook.url,
                json=message,
                headers=dict(webhook.headers),
                timeout=_TIMEOUT,
                stream=True,
                allow_redirects=False,  # the header's secret is for this address only
            ) as answer:
                code, body = answer.status_code, next(answer.iter_content(_MAX_ANSWER), b"")
    except (requests.RequestException, UnicodeError) as error:
        _log.warning("The webhook %s can't be reached: %s", webhook.url, type(error).__name__)
        return WebhookDelivery(at=now, url=webhook.url, status=None, answer=f"Not reached: {type(error).__name__}.")
    if not answer.ok:
        _log.warning("The webhook %s answered %s", webhook.url, code)
    text = body.decode("utf-8", "replace")
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return WebhookDelivery(at=now, url=webhook.url, status=code, answer=shown)
