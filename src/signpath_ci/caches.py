"""Where this user keeps what can be made again, on each system, and whether what lies there can be trusted."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from signpath_ci.checkout import checkout_root, is_inside

_WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY")
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def cache_directory(environment: Mapping[str, str], platform: str) -> Path | None:
    """Return the directory, which need not exist; `None` where the environment names no place of this user.

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
    return Path(base) / "signpath-ci" if base and Path(base).is_absolute() else None


def private_cache(environment: Mapping[str, str], platform: str, directory: Path) -> tuple[Path | None, str]:
    """Return the cache, made where it is not there, if nobody else can put anything into it; else why not.

    Args:
        environment: the environment variables.
        platform: the system, as `sys.platform` names it.
        directory: the current directory, perhaps of a checkout.

    Raises:
        OSError: it can't be made.
    """
    cache = cache_directory(environment, platform)
    if cache is None:
        return None, "the environment names no place for it (HOME)"
    if cache.parent.exists() and not cache.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(cache))
    if any(is_inside(cache, root) for root in _checkouts(environment, directory)):
        return None, f"{cache} lies in the checkout"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    objection = _objection(cache)
    return (cache, "") if objection is None else (None, objection)


def _checkouts(environment: Mapping[str, str], directory: Path) -> Iterator[Path]:
    """Give the directories whose content may be anybody's: the checkout, and those that the CI system names."""
    root = checkout_root(directory)
    if (root / ".git").exists() or environment.get("XDG_CACHE_HOME"):
        # Without a repository, the current directory may be the user's home, and the default cache below it.
        yield root
    for name in _WORKSPACES:
        if environment.get(name):
            yield Path(environment[name])


def _objection(cache: Path) -> str | None:
    """Return who else could put something into a directory, or another one in its place; `None`: nobody."""
    if sys.platform == "win32":  # the access list of the profile keeps others out
        return None
    if cache.is_symlink():
        return f"{cache} is a link"
    found = cache.stat()
    if found.st_uid != os.geteuid():
        return f"{cache} belongs to another user"
    if found.st_mode & _OTHERS:
        cache.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
    for parent in cache.resolve().parents:
        above = parent.stat()
        if above.st_uid not in {0, os.geteuid()}:
            return f"{parent} belongs to another user"
        if above.st_mode & _OTHERS and not above.st_mode & stat.S_ISVTX:
            return f"other users may write into {parent}"
    return None
