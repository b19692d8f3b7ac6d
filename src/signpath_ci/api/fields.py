"""The fields of a submit as they go over the wire (wire contract, "Fields of every submit")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signpath_ci.api.content import FilePart
from signpath_ci.errors import LocalFileError

if TYPE_CHECKING:
    from pathlib import Path

    from signpath_ci.model import SigningRequestFields

_MAX_BUILD_SETTINGS = 1024 * 1024


def form_fields(fields: SigningRequestFields) -> list[tuple[str, str]]:
    """Return name and value of each field that has a value."""
    optional = (
        ("artifactConfigurationSlug", fields.artifact_configuration_slug),
        ("description", fields.description),
    )
    return [
        ("projectSlug", fields.project_slug),
        ("signingPolicySlug", fields.signing_policy_slug),
        *((name, value) for name, value in optional if value is not None),
        *((f"parameters.{name}", value) for name, value in fields.parameters.items()),
        *fields.origin.items(),
    ]


def build_settings_parts(path: Path | None) -> list[FilePart]:
    """Return the pipeline's definition as a part of the form; nothing where there is none.

    Raises:
        LocalFileError: it can't be read, or is too large to be one.
    """
    if path is None:
        return []
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BUILD_SETTINGS + 1)
    except OSError as error:
        raise LocalFileError(
            f"The build's settings file {path} can't be read: {error.strerror}.",
            hint="Check out the pipeline's definition in this job.",
            code="build-settings-file-invalid",
        ) from None
    if len(content) > _MAX_BUILD_SETTINGS:
        raise LocalFileError(
            f"The build's settings file {path} is larger than {_MAX_BUILD_SETTINGS} bytes.",
            code="build-settings-file-invalid",
        )
    return [FilePart("origin.buildData.buildSettingsFile", path.name, content)]
