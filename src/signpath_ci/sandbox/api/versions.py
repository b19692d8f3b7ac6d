"""What SignPath's servers of different versions can do, so that a client can be tried against an old one.

The versions are those of SignPath's changelog (wire additions, sections 2 and 6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"1\.(\d{1,4})(?:\.(\d{1,4}))?")


@dataclass(frozen=True, order=True)
class ServerVersion:
    """A version of SignPath's application, e.g. 1.205.1."""

    minor: int
    patch: int = 0

    def __str__(self) -> str:
        """As SignPath writes it."""
        return f"1.{self.minor}.{self.patch}"

    @classmethod
    def parse(cls, text: str) -> ServerVersion:
        """Read a version.

        Raises:
            ValueError: it is none.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a version of SignPath, such as 1.190 or 1.205.1")
        return cls(int(match[1]), int(match[2] or 0))


NEWEST = ServerVersion(219)
ALWAYS = ServerVersion(0)
CANCELLATION_TIMEOUT = ServerVersion(166)
SYSTEM_INFO = ServerVersion(186)
SIGNED_ARTIFACT_LINK_FROM_THE_START = ServerVersion(189)
TWO_PHASE_SUBMIT = ServerVersion(191)
PROBLEM_DETAILS = ServerVersion(195)
"""Before, errors were plain text."""
SUBMIT_WITH_ARTIFACT = ServerVersion(196)
"""Before, there was only `POST /SigningRequests`."""
STATUS = ServerVersion(200)
WEB_LINK = ServerVersion(205, 1)
CANCEL = ServerVersion(207)
