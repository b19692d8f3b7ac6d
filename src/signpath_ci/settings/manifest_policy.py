"""Which values of a manifest count: it is part of the checkout, which a stranger may have written.

Its schema says of each key:

- `x-path`: it is a path, and stays inside of the checkout;
- `x-relative`: it is a path, which may lie outside of it;
- `x-loopback`: it is a service that gets the token; it is on this machine, and the pipeline trusts the manifest;
- `x-loosens`: which of its values loosen what a run requires, or say whom it trusts; `true`, or a list of them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from signpath_ci.checkout import objection_to_path
from signpath_ci.hosts import is_loopback
from signpath_ci.schema import load_schema
from signpath_ci.settings.declaration import Given
from signpath_ci.values import dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A line for the log, as `logging` numbers its level."""

    level: int
    text: str


@dataclass(frozen=True)
class _Key:
    name: str
    schema: Mapping[str, Any]


def objection(option: str, text: str, directory: Path, *, is_trusted: bool) -> str | None:
    """Return why a manifest must not give a value to an option; `None` where it may.

    Args:
        option: its name.
        text: the value.
        directory: what paths are relative to.
        is_trusted: the pipeline lets all of the manifest count.
    """
    schema = _keys()[option].schema
    if schema.get("x-path"):
        return objection_to_path(text, directory)
    if schema.get("x-loopback"):
        if not is_loopback(urlsplit(text).hostname or ""):
            return "takes the token to another machine: give it in the pipeline, --api-url (SIGNPATH_API_URL)"
        if not is_trusted:  # whatever listens on this machine may be another user's
            return (
                "says where the token goes: give it in the pipeline, --api-url (SIGNPATH_API_URL), or --trust-manifest"
            )
    return None


def rebased(found: Mapping[str, Given], base: Path, directory: Path) -> dict[str, Given]:
    """Return what a manifest gives with its paths made relative to the current directory.

    Args:
        found: what it gives, by option; paths are relative to `base`.
        base: the directory that holds `.signpath`.
        directory: the current directory.
    """
    if base == directory:
        return dict(found)
    up = Path(os.path.relpath(base, directory.resolve())).as_posix()
    return {
        option: replace(given, texts=tuple(f"{up}/{text}" for text in given.texts))
        if _keys()[option].schema.get("x-path") or _keys()[option].schema.get("x-relative")
        else given
        for option, given in found.items()
    }


def without_loosening(
    found: Mapping[str, Given], *, stranger: str | None, is_trusted: bool
) -> tuple[dict[str, Given], list[Notice]]:
    """Return what counts of a manifest, and what is to be said about it.

    Args:
        found: what it gives, by option.
        stranger: why its checkout may be a stranger's; `None`: it is not.
        is_trusted: the pipeline lets all of it count.
    """
    loosening = {option: given for option, given in found.items() if _loosens(option, given)}
    if not loosening:
        return dict(found), []
    shown = ", ".join(
        f"{_keys()[option].name} is {' and '.join(map(repr, given.texts))} ({given.source})"
        for option, given in loosening.items()
    )
    if stranger is None or is_trusted:
        text = f"These keys of the manifest loosen what this run requires, or say whom it trusts: {shown}."
        return dict(found), [Notice(level=logging.INFO, text=text)]
    kept = {option: given for option, given in found.items() if option not in loosening}
    text = (
        f"Not used from the manifest, since {stranger}: {shown}. "
        "Give it in the pipeline, or let it count with --trust-manifest (SIGNPATH_TRUST_MANIFEST)."
    )
    return kept, [Notice(level=logging.WARNING, text=text)]


def _loosens(option: str, given: Given) -> bool:
    values = _keys()[option].schema.get("x-loosens", ())
    return values is True or (values is not False and any(text in values for text in given.texts))


@cache
def _keys() -> Mapping[str, _Key]:
    """Return the manifest's keys by the option that each is."""
    return {key.schema["x-option"]: key for key in _walk(load_schema("signing"), ())}


def _walk(schema: Mapping[str, Any], steps: tuple[str, ...]) -> Iterator[_Key]:
    for name, inner in schema.get("properties", {}).items():
        if "x-option" in inner:
            yield _Key(".".join((*steps, name)), inner)
        yield from _walk(inner, (*steps, name))
