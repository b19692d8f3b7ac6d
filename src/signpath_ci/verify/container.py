"""ZIP archives: every file inside that can be signed is, and everything else is what was submitted, byte for byte."""

from __future__ import annotations

from contextlib import ExitStack
from typing import BinaryIO
from zipfile import ZipInfo

from signpath_ci.errors import UnsupportedFormatError, VerificationError
from signpath_ci.formats import FormatError, UnsupportedError
from signpath_ci.formats.jar import MANIFEST
from signpath_ci.formats.kind import Kind
from signpath_ci.formats.zip import Archive, Budget, open_archive, package_marker
from signpath_ci.verify.detached import verify_cms
from signpath_ci.verify.failure import about
from signpath_ci.verify.identity import check_paths, is_same, listed
from signpath_ci.verify.jar import verify_jar
from signpath_ci.verify.judge import Judge, Signature
from signpath_ci.verify.subjects import verify_subject
from signpath_ci.verify.unsupported import is_let_through

Found = list[tuple[str | None, Signature]]
"""Signatures with the name of the member that they are of; `None`: of the archive itself."""


def verify_zip(
    file: BinaryIO, *, unsigned: BinaryIO | None, judge: Judge, allow_unsupported: tuple[str, ...] = ()
) -> Found:
    """Check an archive that is signed as a whole, or else every file in it, and in the archives in it.

    With `unsigned` everything else is checked too: nothing may be missing, added or changed but by signatures.

    Args:
        file: the archive.
        unsigned: the archive that was submitted; `None`: content identity is not checked.
        judge: what is demanded of the signatures.
        allow_unsupported: patterns of members that are left unjudged where their format can't be judged.

    Returns:
        A member of an inner archive is named `inner.zip/member`.

    Raises:
        VerificationError: nothing in it is signed, a file that can be signed is not, or something else changed.
        FormatError: an archive or a member is damaged, or of a kind that can't be judged.
    """
    found = _Walk(judge, allow_unsupported).archive(file, unsigned, prefix="")
    if not found:
        raise VerificationError("nothing in the archive is signed: there is no file in it that can be.")
    return found


class _Walk:
    """One walk through an archive, and the archive that was submitted, side by side."""

    def __init__(self, judge: Judge, allow_unsupported: tuple[str, ...]) -> None:
        self._judge = judge
        self._allowed = allow_unsupported
        self._budget = Budget()
        self._submitted_budget = Budget()

    def archive(self, file: BinaryIO, unsigned: BinaryIO | None, *, prefix: str) -> Found:
        with ExitStack() as stack:
            archive = stack.enter_context(open_archive(file, self._budget))
            submitted = None
            if unsigned is not None:
                with about("the submitted archive"):
                    submitted = stack.enter_context(open_archive(unsigned, self._submitted_budget))
            marker = package_marker(archive)
            if marker == MANIFEST:
                own_name = prefix.rstrip("/") or None
                with about(own_name) if own_name else ExitStack():
                    return [(own_name, s) for s in verify_jar(archive, submitted=submitted, judge=self._judge)]
            if marker is not None:
                raise UnsupportedError(f"it is not just an archive, but a package with its own signature ({marker})")
            return self._members(archive, submitted, prefix)

    def _members(self, archive: Archive, submitted: Archive | None, prefix: str) -> Found:
        found: Found = []
        changed = []
        originals: dict[str, ZipInfo] = {}
        kinds = {info.filename: archive.kind(info) for info in archive.entries}
        detached = _detached(kinds)
        if submitted is not None:
            originals = {info.filename: info for info in submitted.entries}
            # What was submitted with a signature of its own is just data; new are only signatures of what is there.
            detached = {name: of for name, of in detached.items() if name not in originals}
            check_paths(set(kinds) - set(detached), originals, what="the entries", prefix=prefix)
        by_name = {info.filename: info for info in archive.entries}
        for info in archive.entries:
            name = f"{prefix}{info.filename}"
            original = originals.get(info.filename)
            if info.filename in detached:
                found += self._detached(archive, info, by_name[detached[info.filename]], name)
                continue
            pair = None if submitted is None or original is None else (submitted, original)
            signatures = self._member(archive, info, kinds[info.filename], pair, name)
            if signatures is None:
                continue
            found += signatures
            if submitted is not None and original is not None and not signatures:
                with archive.open(info) as left, submitted.open(original) as right:
                    is_changed = not is_same(left, right)
                if is_changed and not is_let_through(name, self._allowed):
                    changed.append(name)
        if changed:
            raise VerificationError(f"not what was submitted, though of no kind that is signed: {listed(changed)}.")
        return found

    def _detached(self, archive: Archive, info: ZipInfo, content: ZipInfo, name: str) -> Found:
        with archive.extracted(info) as signature, archive.extracted(content) as signed, about(name):
            return [(name, verify_cms(signature, signed, self._judge))]

    def _member(
        self, archive: Archive, info: ZipInfo, kind: Kind | None, original: tuple[Archive, ZipInfo] | None, name: str
    ) -> Found | None:
        """Return the signatures of a member; `None`: it can't be judged, and that is allowed."""
        if kind in {None, "cms"}:
            return []
        with ExitStack() as stack:
            member = stack.enter_context(archive.extracted(info))
            unsigned = None
            if original is not None:
                unsigned = stack.enter_context(original[0].extracted(original[1]))
            try:
                if kind == "zip":
                    return self._inner(member, unsigned, name)
                with about(name):
                    signatures = verify_subject(kind, member, unsigned=unsigned, judge=self._judge)
            except (UnsupportedError, UnsupportedFormatError):
                if is_let_through(name, self._allowed):
                    return None
                raise
            return [(name, signature) for signature in signatures]

    def _inner(self, member: BinaryIO, unsigned: BinaryIO | None, name: str) -> Found:
        try:
            return self.archive(member, unsigned, prefix=f"{name}/")
        except FormatError as error:  # checks that failed in it name their member already
            raise type(error)(f"{name}: {error}") from error


def _detached(kinds: dict[str, Kind | None]) -> dict[str, str]:
    """Return the detached signatures by their names, with what they are for: `app.bin.p7s` is for `app.bin`."""
    found = {}
    for name, kind in kinds.items():
        signed = name.rpartition(".")[0]
        if kind == "cms" and signed in kinds:
            found[name] = signed
    return found
