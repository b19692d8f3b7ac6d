"""ZIP archives: every file inside that can be signed is, and everything else is what was submitted, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import BinaryIO

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.opc import signature_parts
from signpath_ci.formats.registry import FORMATS, SIGNATURE_SUFFIXES, Kind, by_name, package
from signpath_ci.formats.zip import Archive, Budget, Entry, open_archive
from signpath_ci.verify.detached import verify_cms
from signpath_ci.verify.failure import Failed, about
from signpath_ci.verify.identity import check_kind, is_same
from signpath_ci.verify.judge import Judge, Signature
from signpath_ci.verify.schemes import verify_package, verify_signatures
from signpath_ci.verify.unsupported import is_let_through

Found = list[tuple[str | None, Signature | Failed]]
"""Signatures, and checks that failed, with the name of the member that they are of; `None`: of the archive itself."""
_Results = list[tuple[str | None, Signature | Failed | None]]
"""The same, and members that can't be judged where that is allowed: `None`."""


def verify_zip(
    file: BinaryIO,
    *,
    unsigned: BinaryIO | None,
    judge: Judge,
    allow_unsupported: tuple[str, ...] = (),
    name: str = "",
) -> Found:
    """Check an archive that is signed as a whole, or else every file in it, and in the archives in it.

    With `unsigned` everything else is checked too: nothing may be missing, added or changed but by signatures. What
    fails of one file does not keep the others from being judged.

    Args:
        file: the archive.
        unsigned: the archive that was submitted; `None`: content identity is not checked.
        judge: what is demanded of the signatures.
        allow_unsupported: patterns of members that are left unjudged where their format can't be judged.
        name: of the archive, which tells packages whose content fits several formats.

    Returns:
        A member of an inner archive is named `inner.zip/member`.

    Raises:
        VerificationError: nothing in it is signed.
        FormatError: the archive is damaged, or of a kind that can't be judged.
    """
    walk = _Walk(judge, allow_unsupported).archive(file, unsigned, prefix="", name=name)
    found = [(member, result) for member, result in walk if result is not None]
    if not found:
        raise VerificationError(
            "nothing in the archive is signed: there is no file in it that can be.", code="not-signed"
        )
    return found


class _Walk:
    """One walk through an archive, and the archive that was submitted, side by side."""

    def __init__(self, judge: Judge, allow_unsupported: tuple[str, ...]) -> None:
        self._judge = judge
        self._allowed = allow_unsupported
        self._budget = Budget()
        self._submitted_budget = Budget()

    def archive(self, file: BinaryIO, unsigned: BinaryIO | None, *, prefix: str, name: str) -> _Results:
        with ExitStack() as stack:
            archive = stack.enter_context(open_archive(file, self._budget))
            submitted = None
            if unsigned is not None:
                with about("the submitted archive"):
                    submitted = stack.enter_context(open_archive(unsigned, self._submitted_budget))
            kind = package([entry.name for entry in archive.entries], name)
            # A package that may be signed, and is not, is an archive like any other.
            if FORMATS[kind].scheme == "members" or (kind == "opc" and signature_parts(archive) is None):
                found = self._members(archive, submitted, prefix)
            else:
                member = prefix.rstrip("/") or None
                pair = None if unsigned is None or submitted is None else (unsigned, submitted)
                found = self._attempt(member, kind, partial(self._package, kind, (file, archive), pair, member))
                if kind == "jar" and _was_plain(submitted, name):
                    found += self._programs(archive, submitted, prefix)
            failed = {member for member, result in found if isinstance(result, Failed)}
            return found + [(n, f) for n, f in _unread(archive, prefix) if n not in failed]

    def _attempt(self, name: str | None, format_name: str | None, judge: Callable[[], _Results]) -> _Results:
        """Return what `judge` does, or what failed in it, or that it can't be judged where that is allowed."""
        try:
            return judge()
        except (FormatError, VerificationError) as error:
            failed = Failed.of(error, format_name)
        if failed.is_unsupported and name is not None and is_let_through(name, self._allowed):
            return [(name, None)]
        return [(name, failed)]

    def _package(
        self,
        kind: Kind,
        signed: tuple[BinaryIO, Archive],
        submitted: tuple[BinaryIO, Archive] | None,
        name: str | None,
    ) -> _Results:
        return [(name, signature) for signature in verify_package(kind, signed, submitted, self._judge)]

    def _programs(self, archive: Archive, submitted: Archive | None, prefix: str) -> _Results:
        """Verify what must be signed by itself in a ZIP archive that came back signed as a JAR: it is extracted."""
        found: _Results = []
        for member, kind in _tell_kinds(archive)[0].items():
            if kind is not None and FORMATS[kind].must_be_signed:
                entry = archive.by_name[member]
                original = None if submitted is None else submitted.by_name.get(member)
                pair = None if submitted is None or original is None else (submitted, original)
                name = f"{prefix}{member}"
                found += self._attempt(name, kind, partial(self._member, archive, entry, kind, pair, name))
        return found

    def _members(self, archive: Archive, submitted: Archive | None, prefix: str) -> _Results:
        found: _Results = []
        kinds, unread = _tell_kinds(archive)
        originals = {} if submitted is None else submitted.by_name
        # What was submitted with a signature of its own is just data; new are only signatures of what is there.
        detached = {name: of for name, of in _detached(kinds).items() if name not in originals}
        for entry in archive.entries:
            member, kind = entry.name, kinds.get(entry.name)
            name = f"{prefix}{member}"
            if submitted is not None and member not in originals and member not in detached:
                found.append((name, Failed(format=kind, check="not submitted, but added.", code="content-added")))
            elif member in unread:
                found.append((name, unread[member]))
            elif member in detached:
                content = archive.by_name[detached[member]]
                found += self._attempt(name, kind, partial(self._signature, archive, entry, content, name))
            elif submitted is None:
                found += self._attempt(name, kind, partial(self._member, archive, entry, kind, None, name))
            else:
                pair = submitted, originals[member]
                found += self._attempt(name, kind, partial(self._pair, archive, entry, kind, pair, name))
        missing = sorted(originals.keys() - archive.by_name.keys())
        found += [
            (f"{prefix}{name}", Failed(format=None, check="submitted, but missing.", code="content-missing"))
            for name in missing
        ]
        return found

    def _signature(self, archive: Archive, entry: Entry, content: Entry, name: str) -> _Results:
        with archive.extracted(entry) as signature, archive.extracted(content) as signed:
            return [(name, verify_cms(signature, signed, self._judge))]

    def _pair(
        self, archive: Archive, entry: Entry, kind: Kind | None, original: tuple[Archive, Entry], name: str
    ) -> _Results:
        """Judge a member that was submitted, and what is not signed by being the same."""
        found = self._member(archive, entry, kind, original, name)
        if not found:
            is_changed = not is_same(archive.open(entry), original[0].open(original[1]))
            if is_changed and kind is None:
                check_kind(original[0].kind(original[1]))
            if is_changed and not is_let_through(name, self._allowed):
                raise VerificationError(
                    "not what was submitted, though of no kind that is signed.", code="content-changed"
                )
        return found

    def _member(
        self, archive: Archive, entry: Entry, kind: Kind | None, original: tuple[Archive, Entry] | None, name: str
    ) -> _Results:
        """Judge a member where it is of a kind that is signed."""
        # A detached signature is judged with what it is for; what is only recognised is not signed as far as we know.
        if kind is None or kind == "cms" or FORMATS[kind].scheme is None:
            return []
        with ExitStack() as stack:
            member = stack.enter_context(archive.extracted(entry))
            unsigned = None
            if original is not None:
                with about("the submitted archive"):
                    unsigned = stack.enter_context(original[0].extracted(original[1]))
            if kind == "zip":
                return self.archive(member, unsigned, prefix=f"{name}/", name=entry.name)
            try:
                signatures = verify_signatures(kind, member, unsigned=unsigned, judge=self._judge)
            except VerificationError as error:
                if error.code != "not-signed" or not _may_be_unsigned(kind):
                    raise
                return []
            return [(name, signature) for signature in signatures]


def _was_plain(submitted: Archive | None, name: str) -> bool:
    """Tell whether an archive was no JAR before it was signed as one; by its name, where it was not submitted."""
    if submitted is None:
        return by_name(name) == "zip"
    return package([entry.name for entry in submitted.entries], name) == "zip"


def _may_be_unsigned(kind: Kind) -> bool:
    return not FORMATS[kind].must_be_signed and kind != "powershell"


def _tell_kinds(archive: Archive) -> tuple[dict[str, Kind | None], dict[str, Failed]]:
    """Return the kinds of all entries by their names; and of those that can't be read, what is wrong with them."""
    kinds, unread = {}, {}
    for entry in archive.entries:
        try:
            kinds[entry.name] = archive.kind(entry)
        except FormatError as error:  # noqa: PERF203 - one bad entry must not keep the others from being read
            unread[entry.name] = Failed.of(error, None)
    return kinds, unread


def _unread(archive: Archive, prefix: str) -> Iterator[tuple[str, Failed]]:
    """Read what nobody had to read to its end; give what is wrong with it."""
    for entry in archive.unread():
        try:
            archive.check(entry)
        except FormatError as error:  # noqa: PERF203 - one bad entry must not keep the others from being read
            yield f"{prefix}{entry.name}", Failed.of(error, None)


def _detached(kinds: dict[str, Kind | None]) -> dict[str, str]:
    """Return the detached signatures by their names, with what they are for: `app.bin.p7s` is for `app.bin`."""
    found = {}
    for name, kind in kinds.items():
        signed, dot, suffix = name.rpartition(".")
        if kind == "cms" and signed in kinds and f"{dot}{suffix.lower()}" in SIGNATURE_SUFFIXES:
            found[name] = signed
    return found
