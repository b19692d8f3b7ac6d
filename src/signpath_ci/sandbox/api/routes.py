"""The routes of the REST API, as a server of a version has them. Paths stand here in lower case: `app` folds them."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from signpath_ci.sandbox.api import organization, requests, submits
from signpath_ci.sandbox.api.versions import (
    ALWAYS,
    CANCEL,
    STATUS,
    SUBMIT_WITH_ARTIFACT,
    SYSTEM_INFO,
    TWO_PHASE_SUBMIT,
    ServerVersion,
)


def rest_routes(version: ServerVersion) -> list[BaseRoute]:
    """Return the routes below the root."""
    base = "/api/v1/{organization_id}"
    every = f"{base}/signingrequests"
    one = every + "/{request_id}"
    policy = f"{base}/projects/{{project}}/signingpolicies/{{policy}}"
    routes = [
        (SYSTEM_INFO, Route("/api/v1/meta/systeminfo", organization.system_info)),
        (ALWAYS, Route(f"{base}/organization", organization.organization)),
        (ALWAYS, Route(f"{policy}/certificate", organization.policy_certificate)),
        (ALWAYS, Route(f"{policy}/x509certificate", organization.policy_certificate)),
        (ALWAYS, Route(f"{policy}/certificate/x509certificate", organization.policy_certificate)),
        (ALWAYS, Route(every, requests.list_requests)),
        (ALWAYS, Route(every, submits.submit_with_artifact, methods=["POST"])),
        (SUBMIT_WITH_ARTIFACT, Route(f"{every}/submitwithartifact", submits.submit_with_artifact, methods=["POST"])),
        (TWO_PHASE_SUBMIT, Route(f"{every}/submitwithoutartifact", submits.submit_without_artifact, methods=["POST"])),
        (ALWAYS, Route(f"{every}/submitwithartifactretrievallink", submits.submit_with_link, methods=["POST"])),
        (ALWAYS, Route(f"{every}/resubmit", submits.resubmit, methods=["POST"])),
        (TWO_PHASE_SUBMIT, Route(f"{one}/uploadunsignedartifact", submits.upload, methods=["POST"])),
        (STATUS, Route(f"{one}/status", requests.status)),
        (ALWAYS, Route(one, requests.whole)),
        (ALWAYS, Route(f"{one}/signedartifact", requests.signed_artifact)),
        (ALWAYS, Route(f"{one}/unsignedartifact", requests.unsigned_artifact)),
        (ALWAYS, Route(f"{one}/buildsettingsfile", requests.build_settings_file)),
        (ALWAYS, Route(f"{one}/artifactdescriptionxml", requests.artifact_description)),
        (ALWAYS, Route(f"{one}/x509certificate", requests.certificate)),
        (ALWAYS, Route(f"{one}/approve", requests.approve, methods=["POST"])),
        (ALWAYS, Route(f"{one}/deny", requests.deny, methods=["POST"])),
        (CANCEL, Route(f"{one}/cancel", requests.cancel, methods=["POST"])),
    ]
    return [route for since, route in routes if version >= since]
