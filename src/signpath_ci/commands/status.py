"""`signpath-ci status`: where does a request stand?"""

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
    """Print the status of a request.

    Raises:
        SignPathError: SignPath refuses to tell it, or is not there.
    """
    with watched(settings, process, process.platform or Reporter()):
        request = existing_request(settings, settings)
        status = known_request(connect(settings, process), request).state
    if settings.json:
        print_object(process, status_object(status))
    else:
        print_words(process, status_words(status))
