"""`signpath-ci cancel`: a request that nobody needs any more."""

from __future__ import annotations

import json

from signpath_ci.commands import Process, print_result
from signpath_ci.commands.connection import connect
from signpath_ci.report.result import status_object
from signpath_ci.report.words import status_words
from signpath_ci.settings import RequestIdSettings
from signpath_ci.text import one_line


def run(settings: RequestIdSettings, process: Process) -> None:
    """Cancel a request, and print how it ended; one that is final already stays as it is.

    Raises:
        SignPathError: SignPath refuses it, or is not there.
    """
    api = connect(settings, process)
    status = api.request(settings.signing_request_id).state
    if not status.is_final:
        api.cancel(settings.signing_request_id)
        status = api.request(settings.signing_request_id).state
    print_result(process, json.dumps(status_object(status)) if settings.json else one_line(status_words(status)))
