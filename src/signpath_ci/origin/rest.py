"""What a trusted build system says about the origin over REST (wire contract, "Submit")."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signpath_ci.model import Origin


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


def file_in_checkout(name: str, workspace: str | None, cwd: Path) -> Path | None:
    """Return a file of the repository.

    Args:
        name: its path in the repository.
        workspace: the repository's root, where the build runs in no checkout of it or below another one.
        cwd: the current directory.

    Returns:
        A regular file below the checkout's root, links resolved; `None` where the checkout does not hold it.
    """
    roots = [_checkout_root(cwd), Path(workspace) if workspace and "\0" not in workspace else None]
    return next((file for root in roots if root is not None and (file := _inside(root, name)) is not None), None)


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
