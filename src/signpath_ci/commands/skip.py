"""What a command becomes where there is no token, and `--on-missing-token` says `skip`: nothing is signed."""

from __future__ import annotations

import logging

from signpath_ci.errors import UsageError
from signpath_ci.platforms.collect import collect_origin
from signpath_ci.settings import SkipSettings
from signpath_ci.workflows.process import Process, print_object, reporter_for
from signpath_ci.workflows.reporting import watched

_log = logging.getLogger(__name__)


def run(settings: SkipSettings, process: Process) -> None:
    """Tell that nothing is signed.

    Raises:
        UsageError: the build is of a tag, and so may be a release, or can't be known: that it is unsigned is an error.
    """
    if collect_origin(process.environment, process.directory).tag:
        raise UsageError(
            "There is no API token (SIGNPATH_API_TOKEN), and a build of a tag is not let pass unsigned.",
            hint="Give this build the token; --on-missing-token skip is for builds of branches and pull requests.",
            code="no-api-token",
        )
    reporter = reporter_for(process)
    with watched(settings, process, reporter):
        _log.warning(
            "There is no API token (SIGNPATH_API_TOKEN): nothing is signed, as --on-missing-token skip requires."
        )
    reporter.completed(())
    if settings.json:
        print_object(process, {"signed": False, "error": None})
