"""ZIP archives: every PE file inside is signed, and everything else is what was submitted, byte for byte."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from typing import BinaryIO
from zipfile import ZipInfo

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.zip import Archive, Budget, open_archive, package_marker
from signpath_ci.verify.authenticode import PeSignature, verify_pe
from signpath_ci.verify.failure import about
from signpath_ci.verify.trust import Trust

_CHUNK = 1 << 20
_SHOWN = 10  # paths in a message


def verify_zip(
    file: BinaryIO, *, unsigned: BinaryIO | None, trust: Trust, now: datetime
) -> list[tuple[str, PeSignature]]:
    """Check every PE file in an archive, and in the archives in it; with `unsigned` also everything else.

    Args:
        file: the archive.
        unsigned: the archive that was submitted; `None`: content identity is not checked.
        trust: whom to trust.
        now: when a signature without a time stamp must be valid.

    Returns:
        Names of members with their signatures; a member of an inner archive is named `inner.zip/member`.

    Raises:
        VerificationError: nothing in it is signed, a PE file in it is not, or something else changed.
        FormatError: an archive or a member is damaged, or of a kind that can't be judged.
    """
    found = _Walk(trust, now).archive(file, unsigned, prefix="")
    if not found:
        raise VerificationError("nothing in the archive is signed: there is no PE file in it.")
    return found


class _Walk:
    """One walk through an archive, and the archive that was submitted, side by side."""

    def __init__(self, trust: Trust, now: datetime) -> None:
        self._trust = trust
        self._now = now
        self._budget = Budget()
        self._submitted_budget = Budget()

    def archive(self, file: BinaryIO, unsigned: BinaryIO | None, *, prefix: str) -> list[tuple[str, PeSignature]]:
        found = []
        changed = []
        with ExitStack() as stack:
            archive = stack.enter_context(open_archive(file, self._budget))
            marker = package_marker(archive)
            if marker is not None:
                raise UnsupportedError(f"it is not just an archive, but a package with its own signature ({marker})")
            submitted = None
            originals: dict[str, ZipInfo] = {}
            if unsigned is not None:
                with about("the submitted archive"):
                    submitted = stack.enter_context(open_archive(unsigned, self._submitted_budget))
                originals = {info.filename: info for info in submitted.entries}
                _check_names(archive, submitted, prefix)
            for info in archive.entries:
                name = f"{prefix}{info.filename}"
                original = originals.get(info.filename)
                found_here = self._member(archive, info, submitted, original, name)
                found += found_here
                if submitted is not None and original is not None and not found_here:
                    with archive.open(info) as left, submitted.open(original) as right:
                        if not _is_same(left, right):
                            changed.append(name)
        if changed:
            raise VerificationError(f"not what was submitted, though no signed PE files: {_listed(changed)}.")
        return found

    def _member(
        self, archive: Archive, info: ZipInfo, submitted: Archive | None, original: ZipInfo | None, name: str
    ) -> list[tuple[str, PeSignature]]:
        kind = archive.kind(info)
        if kind is None:
            return []
        with ExitStack() as stack:
            member = stack.enter_context(archive.extracted(info))
            unsigned = None
            if submitted is not None and original is not None:
                unsigned = stack.enter_context(submitted.extracted(original))
            if kind == "zip":
                try:
                    return self.archive(member, unsigned, prefix=f"{name}/")
                except FormatError as error:  # checks that failed in it name their member already
                    raise type(error)(f"{name}: {error}") from error
            with about(name):
                signatures = verify_pe(member, unsigned=unsigned, trust=self._trust, now=self._now)
            return [(name, signature) for signature in signatures]


def _check_names(archive: Archive, submitted: Archive, prefix: str) -> None:
    now = {info.filename for info in archive.entries}
    before = {info.filename for info in submitted.entries}
    for names, what in ((before - now, "missing"), (now - before, "added")):
        if names:
            raise VerificationError(
                f"not the entries that were submitted; {what}: {_listed(sorted(prefix + n for n in names))}."
            )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _is_same(left: BinaryIO, right: BinaryIO) -> bool:
    while True:
        chunk = left.read(_CHUNK)
        if chunk != right.read(_CHUNK):
            return False
        if not chunk:
            return True
