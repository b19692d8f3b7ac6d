"""Full names of git references, as platforms give them: `refs/heads/main`, `refs/tags/v1`, `refs/pull/17/merge`."""

from __future__ import annotations

import re

_HEADS = "refs/heads/"
_TAGS = "refs/tags/"
_PULL = re.compile(r"refs/pull/([0-9]{1,18})/(?:merge|head)")

# <https://git-scm.com/docs/git-check-ref-format>; some of these would be a pattern or an option on a command line.
_NOT_IN_A_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^[-/.]|[/.]$|//")


def is_ref_name(name: str) -> bool:
    """Whether `name` can be a git reference's, full or short."""
    return bool(name) and not _NOT_IN_A_NAME.search(name)


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
