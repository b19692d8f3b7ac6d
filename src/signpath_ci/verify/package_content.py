"""Packages that are compared entry by entry: is what is in them what was submitted?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from signpath_ci.errors import VerificationError
from signpath_ci.formats.zip import Archive, Entry
from signpath_ci.verify.identity import check_paths, is_same, listed

Changed = Callable[[bytes | None, bytes | None], bool]
"""Tells from the signed and the submitted content of an entry whether more than signing made the difference.

`None`: there is no such entry.
"""
_MAX_SPECIAL = 16 << 20


def check_entries(
    signed: Archive, submitted: Archive, *, ignored: Callable[[str], bool], special: Mapping[str, Changed] | None = None
) -> None:
    """Require that a package has the entries that were submitted, but for its signature.

    Args:
        signed: the signed package.
        submitted: the submitted one.
        ignored: tells the names of entries that belong to a signature.
        special: of the entries that signing changes, what tells whether anything else was changed.

    Raises:
        VerificationError: an entry is missing, added or changed.
        FormatError: one can't be read.
    """
    special = special or {}
    now, before = _files(signed, ignored), _files(submitted, ignored)
    check_paths(now.keys() - special.keys(), before.keys() - special.keys(), what="the entries")
    changed = []
    for name, entry in now.items():
        if name in special:
            left = signed.read(entry, limit=_MAX_SPECIAL)
            right = submitted.read(before[name], limit=_MAX_SPECIAL) if name in before else None
            is_changed = special[name](left, right)
        else:
            is_changed = not is_same(signed.open(entry), submitted.open(before[name]))
        if is_changed:
            changed.append(name)
    changed += [name for name in special if name in before and name not in now]
    if changed:
        raise VerificationError(
            f"it is signed, but it is not the file that was submitted; these differ: {listed(sorted(changed))}.",
            code="content-changed",
        )


def _files(archive: Archive, ignored: Callable[[str], bool]) -> dict[str, Entry]:
    return {entry.name: entry for entry in archive.entries if not entry.is_directory and not ignored(entry.name)}
