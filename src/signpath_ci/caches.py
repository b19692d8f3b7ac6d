"""Where this user keeps what can be made again, on each system."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def cache_directory(environment: Mapping[str, str], platform: str) -> Path:
    """Return the directory; it need not exist.

    Args:
        environment: the environment variables.
        platform: the system, as `sys.platform` names it.
    """
    home = environment.get("HOME")
    if platform == "win32":
        base = environment.get("LOCALAPPDATA")
    elif platform == "darwin":
        base = home and f"{home}/Library/Caches"
    else:
        # A relative one does not count: XDG Base Directory Specification, "Basics".
        given = environment.get("XDG_CACHE_HOME", "")
        base = given if given.startswith("/") else home and f"{home}/.cache"
    if not base:
        import tempfile  # here, as nearly no start needs it

        try:
            base = tempfile.gettempdir()
        except FileNotFoundError:
            base = "/tmp"  # noqa: S108 - nothing can be written anywhere; whoever needs to, will say so
    return Path(base) / "signpath-ci"
