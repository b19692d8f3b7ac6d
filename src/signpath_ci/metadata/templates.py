"""Placeholders in texts: `{version}`, `{version:-0.0.0}` with a default, `{{` and `}}` for the braces themselves."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from signpath_ci.errors import UsageError
from signpath_ci.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signpath_ci.model import Origin

PLACEHOLDERS = ("version", "commit", "short_commit", "branch", "tag", "build_number", "build_url")
"""The names that stand for a value of the origin."""

_SHORT_COMMIT = 8  # hex digits, as GitLab's CI_COMMIT_SHORT_SHA has them
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*?)(?::-(?P<default>[^{}]*))?\}|[{}]")
_KNOWN = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)


def placeholder_values(origin: Origin) -> dict[str, str | None]:
    """Return the value of each placeholder; `build_number` is the platform's id of the run."""
    return {
        "version": origin.version,
        "commit": origin.commit,
        "short_commit": short_commit(origin),
        "branch": origin.branch,
        "tag": origin.tag,
        "build_number": origin.run_id,
        "build_url": origin.build_url,
    }


def short_commit(origin: Origin) -> str | None:
    """Return the first digits of a git commit; the whole of another system's revision."""
    return origin.commit[:_SHORT_COMMIT] if origin.commit and origin.scm == "git" else origin.commit


def expand(template: str, values: Mapping[str, str | None], *, where: str) -> str:
    """Replace the placeholders of `template`.

    Args:
        template: the text.
        values: what each placeholder stands for; `None` or empty: nothing.
        where: what the text is, for errors: `description`, `parameter Version`.

    Raises:
        UsageError: a placeholder is unknown or has no value, or a brace stands alone.
    """

    def replaced(piece: re.Match[str]) -> str:
        text, name, default = piece[0], piece["name"], piece["default"]
        if text in {"{{", "}}"}:
            return text[0]
        if name is None:
            raise UsageError(
                f"In the {where}, a brace stands alone.",
                hint="Write {{ and }} for braces themselves.",
                code="invalid-template",
            )
        if name not in PLACEHOLDERS:
            raise UsageError(
                f"In the {where}, {{{one_line(name, limit=50)}}} is no placeholder.",
                hint=f"Known are {_KNOWN}; write {{{{ and }}}} for braces themselves.",
                code="invalid-template",
            )
        value = values.get(name) or default
        if value is None:
            raise UsageError(
                f"The placeholder {{{name}}} in the {where} has no value in this build.",
                hint=f"Write {{{name}:-DEFAULT}} to say what stands there instead.",
                code="invalid-template",
            )
        return value

    return _PIECE.sub(replaced, template)


def check_text(text: str, *, limit: int, where: str) -> str:
    """Return `text` with line feeds as its only ends of lines, if it can be sent and shown.

    Raises:
        UsageError: it has more than `limit` characters, or holds control characters or what is no text.
    """
    text = text.replace("\r\n", "\n")
    if len(text) > limit:
        raise UsageError(
            f"The {where} has {len(text)} characters; at most {limit} are sent.",
            hint="Shorten it.",
            code="invalid-text",
        )
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t" for character in text):
        raise UsageError(
            f"The {where} holds control characters or bytes that are no text.", hint="Remove them.", code="invalid-text"
        )
    return text
