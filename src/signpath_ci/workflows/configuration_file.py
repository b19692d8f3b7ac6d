"""Which file of the checkout holds the artifact configuration."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from signpath_ci.artifact_configuration.inferred import MAX_DOCUMENT
from signpath_ci.checkout import checkout_root, is_inside, nearest_with
from signpath_ci.errors import ArtifactConfigurationError, LocalFileError, UsageError
from signpath_ci.files import open_regular
from signpath_ci.settings import ArtifactConfigurationChoice
from signpath_ci.values import dataclass

if TYPE_CHECKING:
    from signpath_ci.artifact_configuration.document import Configuration

DIRECTORY = Path(".signpath/artifact-configurations")
SINGLE = Path(".signpath/artifact-configuration.xml")
_DEFAULTS = ("default.xml", "initial.xml")
_OPTION = "--artifact-configuration-file (SIGNPATH_ARTIFACT_CONFIGURATION_FILE)"


@dataclass(frozen=True, kw_only=True)
class ConfigurationFile:
    """A configuration, and where it was read."""

    path: Path
    configuration: Configuration


def find_configuration_file(settings: ArtifactConfigurationChoice, directory: Path) -> Path | None:
    """Return the file with the artifact configuration; `None`: there is none, and none is named.

    It is the one that is named; else, below `.signpath`, the one of the slug that is set; else the project's default.

    Args:
        settings: the file or the slug, where they are given.
        directory: the current directory; `.signpath` is there, or above in the checkout.

    Raises:
        UsageError: a slug is set, and there are configurations, but none of this name.
    """
    if settings.artifact_configuration_file is not None:
        return settings.artifact_configuration_file
    base = nearest_with(directory, DIRECTORY) or nearest_with(directory, SINGLE) or directory
    top = Path() if base == directory else base
    present = sorted(path.name for path in (base / DIRECTORY).glob("*.xml"))
    slug = settings.artifact_configuration_slug
    if slug and present:
        if f"{slug}.xml" not in present:
            known = ", ".join(name.removesuffix(".xml") for name in present)
            raise UsageError(
                f"{DIRECTORY}/ has no configuration for the slug {slug}.",
                hint=f"It has {known}. The slug is not that of the signing policy or of the certificate.",
                code="no-artifact-configuration",
            )
        return top / DIRECTORY / f"{slug}.xml"
    for name in _DEFAULTS:
        if name in present:
            return top / DIRECTORY / name
    if len(present) == 1:
        return top / DIRECTORY / present[0]
    return top / SINGLE if (base / SINGLE).is_file() else None


def read_configuration_file(settings: ArtifactConfigurationChoice, directory: Path) -> ConfigurationFile:
    """Find, read and validate the artifact configuration.

    Raises:
        UsageError: there is none.
        LocalFileError: it can't be read.
        ArtifactConfigurationError: it is not valid; all that is wrong is in the message.
    """
    from signpath_ci.artifact_configuration.document import DocumentError, read_document
    from signpath_ci.artifact_configuration.outline import problem_text

    path = find_configuration_file(settings, directory)
    if path is None:
        raise UsageError(
            "There is no artifact configuration.",
            hint=f"Name its file with {_OPTION}, or save SignPath's XML as {DIRECTORY}/default.xml.",
            code="no-artifact-configuration",
        )
    try:
        return ConfigurationFile(path=path, configuration=read_document(_read(settings, directory, path)))
    except DocumentError as error:
        raise ArtifactConfigurationError(
            f"{path} is not a valid artifact configuration: {_count(len(error.problems))}.",
            hint=problem_text(error.problems[0], str(path)),
            code="artifact-configuration-invalid",
            cause=error,
        ) from None


def configuration_sha256(settings: ArtifactConfigurationChoice, directory: Path) -> str | None:
    """Return the SHA-256 of the artifact configuration, in lower-case hex; `None`: the checkout has none for this run.

    Raises:
        LocalFileError: the one that is named can't be read.
    """
    try:
        path = find_configuration_file(settings, directory)
    except UsageError:
        return None  # that the checkout has copies of others is no reason not to sign
    return None if path is None else hashlib.sha256(_read(settings, directory, path)).hexdigest()


def _read(settings: ArtifactConfigurationChoice, directory: Path, path: Path) -> bytes:
    place = directory / path
    is_named = settings.artifact_configuration_file is not None
    if not is_named and not is_inside(place, checkout_root(directory)):
        raise LocalFileError(
            f"The artifact configuration {path} leads out of the checkout, by a link.",
            hint=f"Name the file itself with {_OPTION}.",
            code="unreadable-file",
        )
    try:
        with place.open("rb") if is_named else open_regular(place) as file:  # one that is named may be a pipe
            return file.read(MAX_DOCUMENT + 1)
    except FileNotFoundError:
        raise LocalFileError(
            f"The artifact configuration {path} does not exist.", hint=f"Check {_OPTION}.", code="file-missing"
        ) from None
    except OSError as error:
        raise LocalFileError(
            f"The artifact configuration {path} can't be read: {error.strerror}.",
            hint=f"Check {_OPTION}.",
            code="unreadable-file",
        ) from None


def _count(problems: int) -> str:
    return "1 problem" if problems == 1 else f"{problems} problems"
