"""`signpath-ci status`: where does a request stand?"""

from __future__ import annotations

import json

from signpath_ci.commands import Process, print_result
from signpath_ci.commands.connection import connect
from signpath_ci.commands.earlier import earlier_request
from signpath_ci.report.result import status_object
from signpath_ci.report.words import status_words
from signpath_ci.settings import RequestSettings
from signpath_ci.text import one_line


def run(settings: RequestSettings, process: Process) -> None:
    """Print the status of a request.

    Raises:
        SignPathError: SignPath refuses to tell it, or is not there.
    """
    request_id = earlier_request(settings, settings).signing_request_id
    status = connect(settings, process).request(request_id).state
    print_result(process, json.dumps(status_object(status)) if settings.json else one_line(status_words(status)))
