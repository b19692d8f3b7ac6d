"""The CI systems that this program knows: a new one is one module here, and one line in `PLATFORMS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signpath_ci.platforms.azure import Azure
from signpath_ci.platforms.github import GitHub
from signpath_ci.platforms.gitlab import GitLab

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signpath_ci.platforms.platform import Platform

PLATFORMS: tuple[Platform, ...] = (
    GitHub(),
    GitLab(),
    Azure(),
)


def detected(environment: Mapping[str, str]) -> list[Platform]:
    """Return the CI systems whose variables are set; a build runs on one of them at most."""
    return [platform for platform in PLATFORMS if platform.is_here(environment)]


def named(name: str) -> Platform | None:
    """Return the CI system that `Origin.platform` names; `None` for a plain checkout."""
    return next((platform for platform in PLATFORMS if platform.name == name), None)
