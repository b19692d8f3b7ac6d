"""The description of a signing request: what its approvers read first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signpath_ci.metadata.templates import check_text, expand, placeholder_values, short_commit
from signpath_ci.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signpath_ci.model import Origin

# SignPath documents no limit of its own. This one keeps a mistake (a whole file as description) from being sent.
_LIMIT = 2000
# Of a version or a branch in the default description, so that the commit and the build are always seen.
_NAME_LIMIT = 80


def describe_request(template: str | None, origin: Origin) -> str | None:
    """Return the description: the user's with its placeholders replaced, else the default.

    Raises:
        UsageError: a placeholder is unknown or has no value, or the text is too long or holds control characters.
    """
    if template is None:
        return default_description(origin)
    text = expand(template, placeholder_values(origin), where="description")
    return check_text(text, limit=_LIMIT, where="description") or None


def default_description(origin: Origin) -> str | None:
    """Return `{version} {branch-or-tag}@{short commit}, build {number}` in one short line.

    What is unknown is left out; `None` where that is everything.
    """
    name, commit = _short(origin.branch or origin.tag), short_commit(origin)
    source = f"{name}@{commit}" if name and commit else name or commit
    what = " ".join(part for part in (_short(origin.version), source) if part)
    build = f"build {_short(origin.run_id)}" if origin.run_id else None
    return ", ".join(part for part in (what, build) if part) or None


def mark_untrusted(description: str | None, objections: Sequence[str]) -> str:
    """Return the description with a mark for approvers: the origin was sent in spite of `objections`."""
    mark = one_line(f"[untrusted origin: {'; '.join(objections)}]", limit=_LIMIT // 2)
    return f"{mark} {description or ''}".strip()


def _short(text: str | None) -> str | None:
    return one_line(text, limit=_NAME_LIMIT) if text else None
