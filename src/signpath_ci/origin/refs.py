"""Full names of git references, as platforms give them: `refs/heads/main`, `refs/tags/v1`, `refs/pull/17/merge`."""

from __future__ import annotations

import re

_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_PULL = re.compile(r"refs/pull/([0-9]{1,18})/(?:merge|head)")


def branch_of(ref: str | None) -> str | None:
    """Return the short name of the branch that `ref` is; a name without `refs/` is taken for a short one already."""
    if ref and ref.startswith("refs/"):
        ref = ref[len(_HEADS) :] if ref.startswith(_HEADS) else None
    return ref or None


def tag_of(ref: str | None) -> str | None:
    """Return the short name of the tag that `ref` is, or `None`."""
    return ref[len(_TAGS) :] or None if ref and ref.startswith(_TAGS) else None


def pull_request_of(ref: str | None) -> int | None:
    """Return the number of the pull request that `ref` belongs to, or `None`."""
    found = _PULL.fullmatch(ref or "")
    return int(found[1]) if found else None
