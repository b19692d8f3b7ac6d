"""A sandbox as a child process, for whoever needs one for a while: the demo, tests, benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from signpath_ci.errors import ServiceUnavailableError

_SHUTDOWN_SECONDS = 10


@contextmanager
def running_sandbox(options: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Run `signpath-ci sandbox` on a free loopback port, and end it on the way out.

    Args:
        options: more options of the command, e.g. `["--processing-seconds", "0"]`.

    Yields:
        what the sandbox says about itself: `api_url`, `organization_id`, `api_token`, ...

    Raises:
        ServiceUnavailableError: it did not start; it said why on standard error.
    """
    command = [
        sys.executable,
        "-m",
        "signpath_ci",
        "sandbox",
        "--json",
        "--port",
        "0",
        "--log-level",
        "warning",
        *options,
    ]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this program itself
    try:
        line = child.stdout.readline() if child.stdout else ""
        if not line:
            raise ServiceUnavailableError("The sandbox did not start.", hint="It said why on the lines above.")
        yield json.loads(line)
    finally:
        child.terminate()
        try:
            child.wait(_SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout:
            child.stdout.close()
