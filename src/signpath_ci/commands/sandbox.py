"""`signpath-ci sandbox`: an embedded SignPath to try things on."""

from __future__ import annotations

from signpath_ci.errors import UsageError
from signpath_ci.settings import SandboxSettings
from signpath_ci.workflows.process import Process


def run(settings: SandboxSettings, process: Process) -> None:
    """Serve until interrupted.

    Raises:
        UsageError: the extra is not installed, the configuration is wrong, or the port is taken.
    """
    try:
        from signpath_ci.sandbox import server
    except ImportError as error:
        raise UsageError(
            f"The sandbox needs packages that are not installed: {error.name or error}.",
            hint="Run: pip install 'signpath-ci[sandbox]'",
            code="packages-missing",
        ) from None
    server.run(
        host=settings.host,
        port=settings.port,
        allow_host=settings.allow_host,
        state=settings.state,
        config=settings.config,
        artifact_store=settings.artifact_store,
        processing_seconds=settings.processing_seconds,
        server_version=settings.server_version,
        as_json=settings.json,
        output=process.stdout,
    )
