"""`signpath-ci origin`: which repository, commit and build is this?"""

from __future__ import annotations

from signpath_ci.origin import origin_table, origin_to_json
from signpath_ci.platforms.collect import explain_origin
from signpath_ci.settings import OriginSettings
from signpath_ci.workflows.process import Process, print_object, print_result


def run(settings: OriginSettings, process: Process) -> None:
    """Print the origin as one JSON object, or as a table with the source of each value.

    Raises:
        UsageError: the platform is known, but a variable is missing or contradicts another.
    """
    explained = explain_origin(process.environment, process.directory, version=settings.build_version)
    if settings.json:
        print_object(process, origin_to_json(explained.origin))
        return
    for line in origin_table(explained):
        print_result(process, line)
