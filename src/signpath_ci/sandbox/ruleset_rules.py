"""When a rule of a GitHub ruleset is as strict as the one that a pipeline policy names (source policies, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ALERTS = ("none", "errors", "errors_and_warnings", "all")
_SECURITY_ALERTS = ("none", "critical", "high_or_higher", "medium_or_higher", "all")
_NO_PARAMETERS = frozenset(
    {"creation", "update", "deletion", "required_linear_history", "non_fast_forward", "required_signatures"}
)
_AT_LEAST = frozenset({"required_approving_review_count"})
_AT_MOST = frozenset({"max_file_path_length", "max_file_size"})
_ALL_OF = frozenset({"restricted_file_paths", "restricted_file_extensions"})
_TYPES = _NO_PARAMETERS | _AT_MOST | {
    "pull_request", "code_scanning", "file_path_restriction", "file_extension_restriction", "copilot_code_review",
}  # fmt: skip


def is_met(kind: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether a rule of a ruleset is at least as strict.

    Args:
        kind: type of both.
        wanted: parameters that the policy names.
        found: those of the ruleset.

    Raises:
        ValueError: there is no such type.
    """
    if kind not in _TYPES:
        raise ValueError(f"there is no rule {kind}")
    return all(_is_met(name, value, found.get(name)) for name, value in wanted.items())


def _is_met(name: str, wanted: Any, found: Any) -> bool:
    if found is None:
        return False
    if name in _AT_LEAST:
        return bool(found >= wanted)
    if name in _AT_MOST:
        return bool(found <= wanted)
    if name in _ALL_OF:
        return set(wanted) <= set(found)
    if name == "code_scanning_tools":
        return all(any(_covers(tool, other) for other in found) for tool in wanted)
    return bool(found == wanted)


def _covers(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return (
        wanted["tool"] == found.get("tool")
        and _level(_ALERTS, found, "alerts_threshold") >= _level(_ALERTS, wanted, "alerts_threshold")
        and _level(_SECURITY_ALERTS, found, "security_alerts_threshold")
        >= _level(_SECURITY_ALERTS, wanted, "security_alerts_threshold")
    )


def _level(levels: tuple[str, ...], tool: Mapping[str, Any], name: str) -> int:
    return levels.index(tool.get(name, "none"))
