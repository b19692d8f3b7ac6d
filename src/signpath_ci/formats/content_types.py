"""`[Content_Types].xml` of Open Packaging Conventions (ECMA-376 part 2, section 10.1.2): which parts a package has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from signpath_ci.formats import FormatError, UncoveredError
from signpath_ci.formats.xml_elements import read_elements
from signpath_ci.values import dataclass

NAME = "[Content_Types].xml"
_MAX_TYPE = 255  # characters
_NAMESPACE = "http://schemas.openxmlformats.org/package/2006/content-types"


@dataclass(frozen=True)
class ContentTypes:
    """Types by extension and by part name, in lower case: names are compared without regard to case (10.1.2.4)."""

    by_extension: Mapping[str, str]
    by_part: Mapping[str, str]

    def of(self, name: str) -> str | None:
        """Return the type of the part in an entry of this name; `None`: it is not a part of the package."""
        part = "/" + unquote(name).lower()
        extension = part.rpartition("/")[2].rpartition(".")[2]
        return self.by_part.get(part) or self.by_extension.get(extension)

    def check(self, names: Iterable[str]) -> None:
        """Require that each of these entries is a part.

        Raises:
            FormatError: one has no content type, so that readers of the package do not see it.
        """
        for name in names:
            if name != NAME and self.of(name) is None:
                raise FormatError(f"{name} is no part of the package: {NAME} has no type for it", code="part-unknown")


def read_content_types(data: bytes, *, is_bare: bool = False) -> ContentTypes:
    """Read a `[Content_Types].xml`.

    Args:
        data: the file.
        is_bare: whether there may be nothing but types, none of them long: where no signature covers the file.

    Raises:
        FormatError: it is malformed, or has two types for the same.
        UncoveredError: it has more in it, and must be bare.
    """
    by_extension: dict[str, str] = {}
    by_part: dict[str, str] = {}

    def start(namespace: str, name: str, attributes: Mapping[str, str]) -> None:
        if (namespace, name) == (_NAMESPACE, "Types"):
            return
        key = {"Default": "Extension", "Override": "PartName"}.get(name, "")
        if namespace != _NAMESPACE or attributes.keys() != {key, "ContentType"}:
            raise FormatError(f"{NAME} has an element {name} that is not known there", code="xml-malformed")
        found = by_extension if name == "Default" else by_part
        value = unquote(attributes[key]).lower()
        if value in found:
            raise FormatError(f"{NAME} has two types for {value}", code="xml-malformed")
        if is_bare and max(map(len, attributes.values())) > _MAX_TYPE:
            raise UncoveredError(f"{NAME} has a type that is too long to be one")
        found[value] = attributes["ContentType"]

    read_elements(data, start, what=NAME, is_bare=is_bare)
    return ContentTypes(by_extension, by_part)
