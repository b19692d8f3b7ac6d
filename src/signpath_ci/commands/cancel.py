"""`signpath-ci cancel`: a request that nobody needs any more."""

from __future__ import annotations

from signpath_ci.report import Reporter
from signpath_ci.report.result import status_object
from signpath_ci.report.words import status_words
from signpath_ci.settings import RequestSettings
from signpath_ci.workflows.clients import connect
from signpath_ci.workflows.existing_request import existing_request, known_request
from signpath_ci.workflows.process import Process, print_object, print_words
from signpath_ci.workflows.reporting import watched


def run(settings: RequestSettings, process: Process) -> None:
    """Cancel a request, and print how it ended; one that is final already stays as it is.

    Raises:
        SignPathError: SignPath refuses it, or is not there.
    """
    with watched(settings, process, process.platform or Reporter()):
        request = existing_request(settings, settings)
        request_id = request.signing_request_id
        api = connect(settings, process)
        status = known_request(api, request).state
        if not status.is_final:
            api.cancel(request_id)
            status = api.request(request_id).state
    if settings.json:
        print_object(process, status_object(status))
    else:
        print_words(process, status_words(status))
