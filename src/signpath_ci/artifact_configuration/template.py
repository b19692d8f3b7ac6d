"""The value of an attribute, in which `${name}` stands for a parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping

from signpath_ci.values import dataclass

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")


@dataclass(frozen=True)
class Template:
    """Text and references to parameters, in their order.

    Attributes:
        parts: pairs of a text and whether it is a parameter's name.
    """

    parts: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, text: str) -> Template:
        """Read a value as it stands in a document."""
        parts: list[tuple[str, bool]] = []
        end = 0
        for match in _REFERENCE.finditer(text):
            if match.start() > end:
                parts.append((text[end : match.start()], False))
            parts.append((match[1], True))
            end = match.end()
        if end < len(text) or not parts:
            parts.append((text[end:], False))
        return cls(tuple(parts))

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that it refers to."""
        return tuple(text for text, is_parameter in self.parts if is_parameter)

    @property
    def has_open_reference(self) -> bool:
        """Whether a `${` has no end."""
        return any("${" in text for text, is_parameter in self.parts if not is_parameter)

    def __str__(self) -> str:
        """As it stands in the document."""
        return "".join(f"${{{text}}}" if is_parameter else text for text, is_parameter in self.parts)

    def resolved(self, values: Mapping[str, str]) -> str:
        """Return the text with the parameters' values.

        Raises:
            KeyError: one has none.
        """
        return "".join(values[text] if is_parameter else text for text, is_parameter in self.parts)

    def pieces(self, values: Mapping[str, str]) -> tuple[tuple[str, bool], ...]:
        """Return pieces of text, and whether each is a value in which no character is a wildcard.

        Raises:
            KeyError: a parameter has no value.
        """
        return tuple((values[text] if is_parameter else text, is_parameter) for text, is_parameter in self.parts)
