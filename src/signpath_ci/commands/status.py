"""`signpath-ci status`: where does a request stand?"""

from __future__ import annotations

from signpath_ci.report import Reporter
from signpath_ci.report.result import status_object
from signpath_ci.report.words import status_words
from signpath_ci.settings import RequestSettings
from signpath_ci.workflows.clients import connect
from signpath_ci.workflows.existing_request import existing_request
from signpath_ci.workflows.process import Process, print_object, print_words
from signpath_ci.workflows.reporting import watched


def run(settings: RequestSettings, process: Process) -> None:
    """Print the status of a request.

    Raises:
        SignPathError: SignPath refuses to tell it, or is not there.
    """
    with watched(settings, process, process.platform or Reporter()):
        request_id = existing_request(settings, settings).signing_request_id
        status = connect(settings, process).request(request_id).state
    if settings.json:
        print_object(process, status_object(status))
    else:
        print_words(process, status_words(status))
