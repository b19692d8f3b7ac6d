"""The texts of artifact configurations: as the sandbox's configuration gives them, or as somebody has edited them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from signpath_ci.artifact_configuration.document import DocumentError, Parameter, read_document
from signpath_ci.sandbox.config import Configuration

MAX_BYTES = 1024 * 1024
"""Of the text of one artifact configuration."""


@dataclass(frozen=True, kw_only=True)
class FormSettings:
    """What an upload's form needs to know of an artifact configuration.

    Attributes:
        parameters: that the request may or must have.
        is_multiple: several files are packed into one ZIP.
        problems: why it is not valid, each with its place; then nothing can be submitted.
    """

    parameters: tuple[Parameter, ...] = ()
    is_multiple: bool = False
    problems: tuple[str, ...] = ()


class ArtifactConfigurations:
    """The artifact configurations of all projects; what is edited survives a restart.

    Args:
        directory: where edited ones are kept.
        configuration: what the sandbox was started with.
    """

    def __init__(self, directory: Path, configuration: Configuration) -> None:
        self._directory, self._configuration = directory, configuration

    def text(self, project_slug: str, slug: str) -> str | None:
        """Return the XML that applies to the next request; `None` where there is none: files are signed by content."""
        edited = self._path(project_slug, slug)
        if edited is not None and edited.exists():
            return edited.read_text("utf-8")
        project = self._configuration.project(project_slug)
        found = project.artifact_configuration(slug) if project else None
        return found.xml if found else None

    def form_settings(self, project_slug: str, slug: str) -> FormSettings:
        """Return what an upload's form needs to know."""
        text = self.text(project_slug, slug)
        if text is None:
            return FormSettings()
        try:
            document = read_document(text.encode())
        except DocumentError as error:
            return FormSettings(problems=tuple(f"Line {one.position.line}: {one.message}." for one in error.problems))
        return FormSettings(parameters=document.parameters, is_multiple=document.takes_several_files)

    def is_edited(self, project_slug: str, slug: str) -> bool:
        """Whether the text differs from what the sandbox was started with."""
        edited = self._path(project_slug, slug)
        return edited is not None and edited.exists()

    def save(self, project_slug: str, slug: str, text: str) -> None:
        """Replace the text of a configuration; requests that are submitted already keep theirs."""
        path = self._path(project_slug, slug)
        if path is None:
            raise KeyError(slug)
        path.parent.mkdir(parents=True, exist_ok=True)
        incomplete = path.with_suffix(".new")
        incomplete.write_text(text, "utf-8", newline="")
        incomplete.replace(path)

    def _path(self, project_slug: str, slug: str) -> Path | None:
        """Return where an edited text is kept: only slugs of the configuration get into the path."""
        project = self._configuration.project(project_slug)
        if project is None or project.artifact_configuration(slug) is None:
            return None
        return self._directory / project_slug / f"{slug}.xml"
