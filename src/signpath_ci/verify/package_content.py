"""Packages that are compared entry by entry: is what is in them what was submitted?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from signpath_ci.errors import VerificationError
from signpath_ci.formats.package import Package
from signpath_ci.formats.zip import Entry
from signpath_ci.verify.identity import check_paths, is_same, listed

Changed = Callable[[bytes, bytes], bool]
"""Tells from the signed and the submitted content of an entry whether signing did not make the difference."""
_MAX_SPECIAL = 16 << 20


def check_entries(signed: Package, submitted: Package, special: Mapping[str, Changed] | None = None) -> None:
    """Require that a package has the entries that were submitted, but for its signature.

    Args:
        signed: the signed package.
        submitted: the submitted one.
        special: of the entries that signing changes, what tells whether anything else was changed.

    Raises:
        VerificationError: an entry is missing, added or changed.
        FormatError: one can't be read.
    """
    now, before = _files(signed), _files(submitted)
    check_paths(now, before, what="the entries")
    changed = []
    for name, entry in now.items():
        compare = (special or {}).get(name)
        if compare is not None:
            left = signed.archive.read(entry, limit=_MAX_SPECIAL)
            is_changed = compare(left, submitted.archive.read(before[name], limit=_MAX_SPECIAL))
        else:
            is_changed = not is_same(signed.archive.open(entry), submitted.archive.open(before[name]))
        if is_changed:
            changed.append(name)
    if changed:
        raise VerificationError(
            f"it is signed, but it is not the file that was submitted; these differ: {listed(sorted(changed))}.",
            code="content-changed",
        )


def _files(package: Package) -> dict[str, Entry]:
    return {entry.name: entry for entry in package.entries if not entry.is_directory}
