"""Environment and checkout -> `Origin`: one small module a platform, documentation linked on top.

::

    collect.py      which platform, and its answer         variables.py    careful reading, with sources
    github.py       GitHub, Gitea, Forgejo                 event.py        GitHub's event file
    gitlab.py       GitLab                                 refs.py         refs/heads/main -> main
    azure.py        Azure Pipelines and DevOps Server      urls.py         URLs without secrets
    git.py          a plain checkout                       git_command.py  git, hardened
    render.py       an origin as JSON and as a table
    trust.py        whether this program may vouch for it  branches.py     is that commit on that branch?
    rest.py         `origin.*` fields, build settings      compare.py      ours against what SignPath recorded
"""

from __future__ import annotations

from signpath_ci.origin.collect import ExplainedOrigin, collect_origin, explain_origin
from signpath_ci.origin.render import origin_table, origin_to_json

__all__ = ["ExplainedOrigin", "collect_origin", "explain_origin", "origin_table", "origin_to_json"]
