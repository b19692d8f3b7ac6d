"""What a plugin leaves to the core: its inputs become the options that they stand for.

A plugin (`actions/`, `gitlab/`, `azure/`) passes its inputs as environment variables, sets `SIGNPATH_PLUGIN=true`, and
has no logic of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from signpath_ci.errors import LocalFileError
from signpath_ci.platforms import PLATFORMS, detected
from signpath_ci.platforms.platform import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TRUSTED_TOKEN = "SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN"  # noqa: S105 - a variable's name
_NAMED_SECRET = re.compile(r"(SIGNPATH_[A-Z_]+)_VAR_NAME")


def plugin_environment(environment: Mapping[str, str], directory: Path) -> Mapping[str, str]:
    """Return the environment as the core reads it; the same where no plugin started this process.

    Args:
        environment: of the process.
        directory: the current directory, below which the output's directory is made.

    Raises:
        UsageError: the plugin's inputs do not say where the signed files go.
        LocalFileError: the output's directory can't be made.
    """
    if environment.get("SIGNPATH_PLUGIN") != "true":
        return environment
    found = dict(environment)
    found.setdefault("SIGNPATH_INSTALL_VERIFY", "true")
    # An input names the variable with the secret: the secret itself never gets into the pipeline's configuration.
    named = {match[1]: environment.get(value, "") for name, value in environment.items() if (match := _match(name))}
    if any(value_of(environment, platform.artifact_variable) for platform in PLATFORMS):
        if _TRUSTED_TOKEN in named:  # the connector finds the origin out by itself
            named[_TRUSTED_TOKEN] = ""
    else:
        # Without an artifact in the CI system's store the file goes straight to SignPath, not through the connector.
        found.pop("SIGNPATH_CONNECTOR_URL", None)
    found.update(named)
    for platform in detected(environment):
        platform.adapt_inputs(found, directory)
    if output := value_of(found, "SIGNPATH_OUTPUT"):
        _make_directory(directory / output if output.endswith(("/", "\\")) else (directory / output).parent)
    return found


def _match(name: str) -> re.Match[str] | None:
    return _NAMED_SECRET.fullmatch(name)


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalFileError(
            f"The directory {path} can't be made: {error.strerror}.",
            hint="Check the output's path.",
            code="unwritable-file",
        ) from None
