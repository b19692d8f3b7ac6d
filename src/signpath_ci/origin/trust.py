"""Whether this program may vouch for an origin, as a trusted build system does when it sends `origin.*` fields.

Over a connector the CI system itself answers for the origin, and nothing here applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signpath_ci.model import Origin

# Both run with the rights of the default branch on what may be anybody's code:
# <https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/>
_FOREIGN_CODE_EVENTS = {
    "pull_request_target": "the commit is the target branch's, the code perhaps a fork's",
    "workflow_run": "the commit is the default branch's tip, not the artifact's",
}


def origin_objections(origin: Origin, env: Mapping[str, str], *, branch: str | None = None) -> list[str]:
    """Return the reasons not to vouch for `origin`; none where there is nothing to object to.

    Args:
        origin: what was collected.
        env: the environment that it was collected from.
        branch: the branch of a build that has none of its own, after `confirm_branch` believed it.
    """
    objections = []
    event = env.get("GITHUB_EVENT_NAME", "").strip()
    if origin.platform == "github" and event in _FOREIGN_CODE_EVENTS:
        objections.append(f"the run was started by {event}: {_FOREIGN_CODE_EVENTS[event]}")
    if origin.pull_request is not None and origin.pull_request.is_fork is not False:
        name = (
            "the pull request" if origin.pull_request.number is None else f"pull request {origin.pull_request.number}"
        )
        from_fork = f"{name} comes from a fork"
        objections.append(from_fork if origin.pull_request.is_fork else f"it is unknown whether {from_fork}")
    if origin.dirty:
        objections.append("the tree is dirty: tracked files of the checkout differ from the commit")
    if origin.repository_url is None:
        objections.append("the repository is unknown")
    if origin.commit is None:
        objections.append("the commit is unknown")
    if origin.branch is None and branch is None:
        tag = " (a tag build has none; --origin-branch names one)" if origin.tag is not None else ""
        objections.append(f"the branch is unknown{tag}")
    return objections
