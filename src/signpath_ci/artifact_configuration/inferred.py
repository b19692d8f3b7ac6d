"""Rules of the artifact configuration language that SignPath does not document.

Each is a conclusion from published configurations, logs and clients. A rule that turns out to be different is changed
here, and nowhere else.
"""

from __future__ import annotations

import re

MAX_DOCUMENT = 1 << 20
"""Bytes of a configuration. The largest that was seen has 30 KB."""
MAX_DEPTH = 64
"""Elements inside each other."""
MAX_NODES = 10_000
"""Elements."""
MAX_PATH = 1024
"""Characters of a path, after parameters were replaced."""

PARAMETER_NAME = re.compile(r"[A-Za-z0-9._-]+")
"""The documentation's examples use these characters; the REST API's parameters have them too."""

FILE_NAME_PARAMETER = "file.name"
"""The one parameter that is not declared: it stands for the matched file's own name."""

FILE_NAME_ALLOWED = frozenset({"output-file-name", "description"})
"""Where `${file.name}` may stand, besides metadata restrictions."""


def fold(name: str) -> str:
    """Return a name as it is compared: without regard to case, character by character, as .NET compares ordinals."""
    if name.isascii():
        return name.lower()
    return "".join(lower if len(lower := character.lower()) == 1 else character for character in name)


def same_metadata(expected: str, found: str) -> bool:
    """Whether a value in a file is the one that a restriction names.

    Compared exactly, wildcards included, after blanks at the end are taken away: Inno Setup pads values with them.
    """
    return expected.rstrip() == found.rstrip()


def output_directory(path: str) -> str:
    """Return where a file that a directive adds is put, with a slash at its end: beside the file that it is for."""
    head, slash, _ = path.rpartition("/")
    return head + slash


def escape(name: str) -> str:
    """Return a pattern that matches exactly this name: `[` begins a class, in which nothing needs an escape."""
    return re.sub(r"[\[*?]", lambda found: f"[{found[0]}]", name)


def signpath_position(line: int, column: int) -> tuple[int, int]:
    """Return line and position of an element as SignPath's messages count them: those of its name, from 1.

    Args:
        line: of the `<`, from 1.
        column: of the `<`, from 1.
    """
    return line, column + 1


def known_hash(value: str) -> str:
    """Return the name of a hash algorithm without the dash that the documentation prints in some places."""
    return re.sub(r"\Asha-(?=\d)", "sha", value)


UNKNOWN_PARAMETERS_REFUSED = True
"""A submit with a value for a parameter that the configuration does not declare is refused with 400."""

RSA_NEEDS_PADDING = ("create-raw-signature", "create-cms-signature", "dsse-sign", "smime-sign", "jsf-sign")
"""Directives whose `rsa-padding` is mandatory where the policy's key is RSA, though not by the schema."""
