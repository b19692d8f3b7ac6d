"""Detached signatures: where one goes that came back for a file. Never into the place of the file that it is for."""

from __future__ import annotations

from pathlib import Path

from signpath_ci.formats.registry import SIGNATURE_SUFFIXES, detect
from signpath_ci.signing.target import default_target

CMS_SUFFIX = ".p7s"
"""Of a detached CMS message."""
RAW_SUFFIX = ".sig"
"""Of a bare signature value."""


def delivered_name(target: Path, fetched: Path, *, source: Path | None, is_raw: bool) -> Path:
    """Return the name that a downloaded file gets.

    Args:
        target: where a signed copy of the file goes.
        fetched: what came, under its temporary name.
        source: the file that was submitted; `None` where it is not at hand.
        is_raw: whether a bare signature value is expected, which has no sign of its own.

    Returns:
        `target`, or for a detached signature a name beside the submitted file, or beside `target` where that was chosen
        by the user; `target` itself where the user chose the name of a signature.

    Raises:
        OSError: a file can't be read.
    """
    suffix = RAW_SUFFIX if is_raw else CMS_SUFFIX if _is_cms(fetched) and not _is_cms(source) else ""
    if not suffix or target.suffix.lower() in SIGNATURE_SUFFIXES:
        return target
    base = source if source is not None and target == default_target(source) else target
    return base.with_name(f"{base.name}{suffix}")


def _is_cms(path: Path | None) -> bool:
    if path is None:
        return False
    with path.open("rb") as file:
        return detect(file, is_end_read=False) == "cms"
