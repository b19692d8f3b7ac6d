"""`signpath-ci sandbox`: an embedded SignPath to try things on."""

from __future__ import annotations

import json
import shlex
import sys

from signpath_ci.caches import cache_directory
from signpath_ci.errors import UsageError
from signpath_ci.settings import SandboxSettings
from signpath_ci.workflows.process import Process, print_result


def run(settings: SandboxSettings, process: Process) -> None:
    """Serve until interrupted; or start or end a sandbox in the background.

    Raises:
        UsageError: the extra is not installed, the configuration is wrong, or the port is taken.
    """
    try:
        from signpath_ci.sandbox import announcement, background, server
    except ImportError as error:
        raise not_installed(error) from None
    cache = cache_directory(process.environment, sys.platform)
    directory = settings.state or (cache / "sandbox" if cache else None)
    if directory is None and (settings.stop or settings.detach):
        raise UsageError(
            "There is no place for the sandbox's state: HOME (LOCALAPPDATA on Windows) is not set.",
            hint="Name one with --state.",
            code="sandbox-unusable",
        )
    if directory is not None and settings.stop:
        background.stop(directory)
        return
    if directory is not None and settings.detach:
        about = background.detach(directory, _arguments(settings), process.environment)
        how_to_end = f"`signpath-ci sandbox --stop --state {shlex.quote(str(directory))}` ends it"
        said = json.dumps(about) if settings.json else announcement.readable(about, how_to_end=how_to_end)
        print_result(process, said)
        return
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
        open_page=settings.open,
        output=process.stdout,
    )


def _arguments(settings: SandboxSettings) -> list[str]:
    """Return the options for the process in the background."""
    values = [
        ("--host", settings.host),
        ("--port", settings.port),
        ("--processing-seconds", settings.processing_seconds),
        ("--config", settings.config and settings.config.absolute()),
        ("--artifact-store", settings.artifact_store and settings.artifact_store.absolute()),
        ("--server-version", settings.server_version),
        *(("--allow-host", name) for name in settings.allow_host),
    ]
    given = [text for name, value in values if value is not None for text in (name, str(value))]
    return [*given, *(["--open"] if settings.open else [])]


def not_installed(error: ImportError) -> UsageError:
    """Return the error for a sandbox whose packages are missing; the one-file form of the program has no sandbox."""
    return UsageError(
        f"The sandbox needs what is not installed here: {error.name or error}.",
        hint="Run: pip install 'signpath-ci[sandbox]'",
        code="packages-missing",
    )
