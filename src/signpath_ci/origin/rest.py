"""What a trusted build system says about the origin over REST (wire contract, "Submit")."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signpath_ci.model import Origin

# owner/name/.github/workflows/build.yml@refs/heads/main; the reference may hold an @ itself.
_WORKFLOW_REF = re.compile(r"(?P<repository>[^/]+/[^/]+)/(?P<path>[^@]+)@.+", re.DOTALL)
# The repository's root, where the build runs in no checkout of it or below another one.
_WORKSPACES = {"github": "GITHUB_WORKSPACE", "gitlab": "CI_PROJECT_DIR"}


def rest_origin_fields(origin: Origin, branch: str | None = None) -> dict[str, str]:
    """Return the `origin.*` fields by their name on the wire; what is unknown is left out.

    Args:
        origin: what was collected.
        branch: the branch of a build that has none of its own, after `confirm_branch` believed it.
    """
    fields = {
        "origin.repositoryData.sourceControlManagementType": origin.scm,
        "origin.repositoryData.url": origin.repository_url,
        "origin.repositoryData.branchName": branch or origin.branch,
        "origin.repositoryData.commitId": origin.commit,
        "origin.buildData.url": origin.build_url,
    }
    return {name: value for name, value in fields.items() if value}


def build_settings_file(origin: Origin, env: Mapping[str, str], cwd: Path) -> Path | None:
    """Return the pipeline's definition, sent as `origin.buildData.buildSettingsFile`.

    GitHub names it in `GITHUB_WORKFLOW_REF`, GitLab in `CI_CONFIG_PATH`; Azure has no variable for it.

    Returns:
        A regular file below the checkout's root, links resolved; `None` where the platform names none, names one of
        another repository or server, or the checkout does not hold it.
    """
    name = _definition(origin, env)
    if name is None:
        return None
    workspace = env.get(_WORKSPACES.get(origin.platform, ""))
    roots = [_checkout_root(cwd), Path(workspace) if workspace and "\0" not in workspace else None]
    return next((file for root in roots if root is not None and (file := _inside(root, name)) is not None), None)


def _definition(origin: Origin, env: Mapping[str, str]) -> str | None:
    if origin.platform == "github":
        found = _WORKFLOW_REF.fullmatch(env.get("GITHUB_WORKFLOW_REF", ""))
        # An organization may require a workflow that lies in another repository.
        if found and found["repository"].casefold() == env.get("GITHUB_REPOSITORY", "").casefold():
            return found["path"]
    elif origin.platform == "gitlab":
        path = env.get("CI_CONFIG_PATH", "")
        if path and "@" not in path and "://" not in path:  # path@group/project, or a URL: not in this repository
            return path
    return None


def _checkout_root(cwd: Path) -> Path | None:
    folder = cwd.resolve()
    return next((root for root in (folder, *folder.parents) if (root / ".git").exists()), None)


def _inside(root: Path, name: str) -> Path | None:
    """Return the file at `name` below `root`; nothing where an absolute path, `..` or a link leads out of it."""
    try:
        top = root.resolve(strict=True)
        file = (top / name).resolve(strict=True)
        return file if file.is_file() and file.is_relative_to(top) else None
    except (OSError, RuntimeError, ValueError):  # missing, a loop of links (RuntimeError before 3.13), not a name
        return None
