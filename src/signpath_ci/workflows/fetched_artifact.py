"""The very artifact that a connector gives to SignPath, fetched from the CI system before the submit.

What comes back is compared with it. Where it can't be had, the run continues without the comparison, and says why.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.files import windows_objection
from signpath_ci.platforms.platform import Platform
from signpath_ci.report.words import size
from signpath_ci.settings import SignSettings
from signpath_ci.settings.declaration import Secret
from signpath_ci.signing.published import Published
from signpath_ci.workflows.clients import connect_ci
from signpath_ci.workflows.process import Process

if TYPE_CHECKING:
    from signpath_ci.api.transport import Transport

_log = logging.getLogger(__name__)


@contextmanager
def fetched_artifact(settings: SignSettings, process: Process, platform: Platform) -> Iterator[Published | None]:
    """Give the artifact as it is stored, until the end; `None`, with a warning, where it can't be had.

    Args:
        settings: name the artifact.
        process: whose environment names the build.
        platform: the CI system.
    """
    from signpath_ci.api.stored_artifacts import ArtifactUnavailableError

    with ExitStack() as stack:
        found = None
        if settings.compare == "off":
            _log.warning("The content is not compared, as --compare off requires.")
        else:
            try:
                directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="signpath-")))
                found = Published(path=_fetch(settings, process, platform, directory), is_packed=False)
            except (ArtifactUnavailableError, OSError) as error:
                reason = error.reason if isinstance(error, ArtifactUnavailableError) else error.strerror
                _log.warning(
                    "The content is not compared with the artifact of the build: %s. Name what was published with "
                    "--unsigned (SIGNPATH_UNSIGNED), or leave the comparison out with --compare off.",
                    reason,
                )
        yield found


def _fetch(settings: SignSettings, process: Process, platform: Platform, directory: Path) -> Path:
    from signpath_ci.api.stored_artifacts import ArtifactStore, ArtifactUnavailableError
    from signpath_ci.errors import SignPathError

    try:
        api_url, token = platform.artifact_api(settings, process.environment)

        def connect(url: str, has_token: bool) -> Transport:
            return connect_ci(settings, process, url=url, token=token if has_token else Secret(""))

        store = ArtifactStore(api_url, connect)
        artifact = platform.stored_artifact(settings, process.environment, store)
        target = directory / local_name(artifact.name)
        # The signed file needs room too.
        count = store.download(artifact, target, limit=shutil.disk_usage(directory).free // 2)
    except SignPathError as error:
        raise ArtifactUnavailableError(error.message.rstrip(".")) from error
    _log.info("What comes back is compared with the artifact of the build, %s.", size(count))
    return target


def local_name(name: str) -> str:
    """Return a name for the temporary file that leads nowhere else, on any system."""
    return "artifact" if name in {"", ".", ".."} or windows_objection(name) else name
