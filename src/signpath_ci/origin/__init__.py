"""Environment and checkout -> `Origin`: the parts that `platforms` puts together, documentation linked on top.

::

    github.py       GitHub, Gitea, Forgejo                 variables.py    careful reading, with sources
    gitlab.py       GitLab                                 event.py        GitHub's event file
    azure.py        Azure Pipelines and DevOps Server      refs.py         refs/heads/main -> main
    git.py          a plain checkout                       urls.py         URLs without secrets
    render.py       an origin as JSON and as a table       git_command.py  git, hardened
    trust.py        whether this program may vouch for it  branches.py     is that commit on that branch?
    rest.py         `origin.*` fields, build settings      compare.py      ours against what SignPath recorded
"""

from __future__ import annotations

from signpath_ci.origin.render import ExplainedOrigin, origin_table, origin_to_json

__all__ = ["ExplainedOrigin", "origin_table", "origin_to_json"]
