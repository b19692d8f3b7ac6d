"""Every file of a delivery is accounted for: one walk through it, and through what was submitted, side by side.

For each file, in any depth:

1. It was submitted, or it is a verified signature of a file beside it; else it fails (`content-added`).
2. `expected` says what is expected of it, and `single` finds its outcome.
3. A container that passes is walked in the same way. What its own signature covers need not be signed once more.

What was submitted and did not come back fails too (`content-missing`), and so does a delivery without any signature.
A plain ZIP archive has no outcome of its own: the files in it have.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from signpath_ci.errors import VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.containers import (
    Container,
    Layout,
    Member,
    added_beside,
    can_stand_for,
    damaged,
    open_container,
)
from signpath_ci.formats.opc import is_signature_related
from signpath_ci.formats.registry import SIGNATURE_SUFFIXES, Kind, by_name, detect, layout_of, package
from signpath_ci.formats.zip import Budget
from signpath_ci.model import Account, FileOutcome
from signpath_ci.values import dataclass, replace
from signpath_ci.verify.catalog_cover import CatalogCover
from signpath_ci.verify.expected import Expected, expected_of
from signpath_ci.verify.failure import about
from signpath_ci.verify.identity import check_kind
from signpath_ci.verify.place import Place
from signpath_ci.verify.schemes import is_signature_entry
from signpath_ci.verify.single import Pair, Single
from signpath_ci.verify.stated_tree import differences

if TYPE_CHECKING:
    from signpath_ci.artifact_configuration.plan import PlannedFile

_NOTHING_SIGNED = "Check that the artifact configuration in SignPath signs the files that you expect."


@dataclass(frozen=True)
class _Around:
    """What is known of a file from the container that it lies in.

    Attributes:
        planned: what the artifact configuration does with the file; `None`: nothing is known of it.
        is_covered: whether a signature of the container covers it.
    """

    planned: PlannedFile | None = None
    is_covered: bool = False


@dataclass(frozen=True)
class _Both:
    """A container of the delivery, and the one that was submitted; `None`: that is not at hand."""

    now: Container
    before: Container | None


class Walk:
    """Accounts for a delivery.

    Args:
        single: finds the outcome of one file.
        planned: the delivery in the plan of the artifact configuration; `None`: there is no plan.
        stated: the files that SignPath states to have signed, by their paths; `None`: it states nothing.
    """

    def __init__(
        self, single: Single, planned: PlannedFile | None, stated: frozenset[tuple[str, ...]] | None = None
    ) -> None:
        self._single, self._planned = single, planned
        self._stated = stated
        self._seen: set[tuple[str, ...]] = set()
        self._budget, self._submitted_budget = Budget(), Budget()
        self._cover = CatalogCover()

    def account(self, pair: Pair) -> Account:
        """Return the account of a whole delivery; what failed is in it, and not raised."""
        root = Place(self._single.path.name)
        found = self._cover.applied(self._file(pair, root, _Around(self._planned)))
        if not any(one.outcome in {"signed", "added", "failed", "allowed"} for one in found):
            error = VerificationError("nothing in it is signed.", hint=_NOTHING_SIGNED, code="not-signed")
            found.append(self._single.failure(root, None, error))
        return Account(
            path=self._single.path,
            files=tuple(found),
            is_compared=pair.submitted is not None,
            warnings=(
                *(f"{rule} matches no file." for rule in self._single.rules.unused()),
                *differences(self._stated, self._planned, self._seen),
            ),
        )

    def _file(self, pair: Pair, place: Place, around: _Around) -> Iterator[FileOutcome]:
        """Account for a file, and for what is in it."""
        kind: Kind | None = None
        self._seen.add(place.steps)
        try:
            kind = detect(pair.file, place.name, is_end_read=not place.steps)
            if pair.submitted is not None:
                check_kind(detect(pair.submitted, pair.submitted_name or place.name), now=kind)
            is_closed = kind == "zip" and bool(place.steps) and not _is_opened(place.name)
            if is_closed:
                kind = None  # where a signature covers it, nothing in it has to be signed
            layout = layout_of(kind)
            with ExitStack() as stack:
                both = None if layout is None else self._opened(layout, pair, stack)
                if both is not None and kind == "zip":
                    kind = _package([member.path for member in both.now.members], place.name)
                if both is None or kind is None:
                    yield self._alone(
                        pair,
                        place,
                        kind,
                        around,
                        is_looked_into=layout is None and (not is_closed or around.is_covered),
                    )
                else:
                    yield from self._container(kind, pair, both, place, around)
        except (FormatError, VerificationError) as error:
            yield self._single.failure(place, kind, error)

    def _opened(self, layout: Layout, pair: Pair, stack: ExitStack) -> _Both | None:
        """Open a container, and the submitted one; `None`: it holds files in a way that is not known here."""
        try:
            now = stack.enter_context(open_container(layout, pair.file, self._budget))
            if pair.submitted is None:
                return _Both(now, None)
            with about("the submitted file"):
                before = stack.enter_context(open_container(layout, pair.submitted, self._submitted_budget))
            return _Both(now, before) if can_stand_for(now, before) else None
        except (FormatError, VerificationError):
            if layout == "zip":
                raise
            return None  # its own signature covers all of it, and it is compared as a whole

    def _alone(
        self, pair: Pair, place: Place, kind: Kind | None, around: _Around, *, is_looked_into: bool
    ) -> FileOutcome:
        found = self._single.outcome(pair, place, kind, self._expected(place, kind, around))
        self._cover.look_at(pair, place, found)
        if is_looked_into or found.outcome == "failed":
            return found
        note = "; ".join(filter(None, (found.note, "the files in it are not looked into")))
        return replace(found, note=note, is_warning=True)

    def _container(self, kind: Kind, pair: Pair, both: _Both, place: Place, around: _Around) -> Iterator[FileOutcome]:
        expected = self._expected(place, kind, around)
        is_whole = expected.requirement == "unchanged" and (expected.by == "rule" or pair.is_unchanged)
        inside = kind
        if kind != "zip" or is_whole:  # a plain archive has no outcome of its own
            own = self._single.outcome(pair, place, kind, expected, is_walked=True)
            if self._is_plain(own, pair, expected):
                inside = "zip"
            else:
                yield own
                if own.outcome in {"failed", "allowed"} or is_whole:
                    return
            # Programs in a ZIP archive that became a JAR by its signature are run without it.
            if both.before is None:
                was_package = by_name(place.name) != "zip"
            else:
                was_package = _package([member.path for member in both.before.members], place.name) == kind
            around = _Around(around.planned, around.is_covered or (was_package and bool(own.verdicts or own.signed_by)))
            if own.outcome == "not-compared":
                inside = "zip"  # nothing has said what belongs to its signature
        found = []
        for one in self._members(inside, both, place, around):
            found.append(one.outcome)
            yield one
        if inside == "zip" and place.steps and both.before and set(found) <= {"unchanged"} and not pair.is_unchanged:
            error = VerificationError("an archive that was changed, though nothing in it is.", code="content-changed")
            yield self._single.failure(place, kind, error)

    def _is_plain(self, own: FileOutcome, pair: Pair, expected: Expected) -> bool:
        """Tell whether a package that failed is unsigned, and need not be signed: then it is an archive like any other.

        It is another one than was submitted where files in it are signed.
        """
        may_change = own.code == "content-changed" and expected.requirement == "any"
        return may_change and self._single.is_unsigned(pair.file, own.format)

    def _members(self, kind: Kind, both: _Both, place: Place, around: _Around) -> Iterator[FileOutcome]:
        opened, original = both.now, both.before
        planned = {} if around.planned is None else around.planned.members()
        outputs = {path for file in planned.values() for path in file.outputs()}
        by_path = {member.path: member for member in opened.members}
        submitted = {} if original is None else {member.path: member for member in original.members}
        for path, member in by_path.items():
            inner = place.inside(path)
            if is_signature_entry(kind, path):
                continue  # the outcome of the container tells of it
            if path not in submitted and (signed := _signed_by(path, by_path, outputs)):
                yield self._detached(opened, member, signed, inner)
            elif original is not None and path not in submitted:
                error = VerificationError("not submitted, but added.", code="content-added")
                yield self._single.failure(inner, by_name(path), error)
            else:
                known = _Around(planned.get(path), around.is_covered)
                yield from self._member((opened, member), original, submitted.get(path), inner, known)
        for path, damage in damaged(opened, {path for path in by_path if not is_signature_entry(kind, path)}):
            yield self._single.failure(place.inside(path), None, damage)
        if original is None:
            return
        for path in sorted(submitted.keys() - by_path.keys()):
            if not is_signature_entry(kind, path):
                error = VerificationError("submitted, but missing.", code="content-missing")
                yield self._single.failure(place.inside(path), None, error)
        if added_beside(opened, original):
            error = VerificationError("comments or extra fields in it were not submitted.", code="content-added")
            yield self._single.failure(place, kind, error)
        now, before = _empty_directories(opened), _empty_directories(original)
        for path in sorted(now ^ before):
            if not is_signature_entry(kind, f"{path}/"):
                code = "content-added" if path in now else "content-missing"
                error = VerificationError("a directory that was not submitted, or did not come back.", code=code)
                yield self._single.failure(place.inside(path), None, error)

    def _member(
        self,
        found: tuple[Container, Member],
        original: Container | None,
        submitted: Member | None,
        place: Place,
        around: _Around,
    ) -> Iterator[FileOutcome]:
        opened, member = found
        if member.unreadable:
            yield FileOutcome(
                path=self._single.path,
                member=place.member,
                format=by_name(place.name),
                outcome="not-compared",
                note=f"not looked into: {member.unreadable}",
                is_warning=True,
            )
            return
        with ExitStack() as stack:
            try:
                file = stack.enter_context(opened.extracted(member))
                before = None
                if original is not None and submitted is not None:
                    with about("the submitted file"):
                        before = stack.enter_context(original.extracted(submitted))
            except (FormatError, VerificationError) as error:
                yield self._single.failure(place, by_name(place.name), error)
                return
            yield from self._file(Pair(file, before), place, around)

    def _detached(self, opened: Container, member: Member, signed: Member, place: Place) -> FileOutcome:
        try:
            with opened.extracted(member) as signature, opened.extracted(signed) as content:
                return self._single.detached(signature, content, place)
        except (FormatError, VerificationError) as error:
            return self._single.failure(place, "cms", error)

    def _expected(self, place: Place, kind: Kind | None, around: _Around) -> Expected:
        return expected_of(
            place,
            kind,
            rules=self._single.rules,
            planned=around.planned,
            has_plan=self._planned is not None,
            is_stated=self._stated is not None and place.steps in self._stated,
            is_covered=around.is_covered,
        )


def _package(paths: list[str], name: str) -> Kind:
    """Return the format of a ZIP archive; an unsigned OPC package is an archive like any other."""
    kind = package(paths, name)
    return "zip" if kind == "opc" and not any(map(is_signature_related, paths)) else kind


def _is_opened(name: str) -> bool:
    """Tell whether a ZIP archive inside a container is one by its name; others, such as documents, are plain files."""
    kind = by_name(name)
    return kind is not None and layout_of(kind) == "zip"


def _signed_by(path: str, by_path: dict[str, Member], outputs: set[str]) -> Member | None:
    """Return the file that a file beside it may be the signature of: `app.bin.p7s` is for `app.bin`."""
    stem, dot, suffix = path.rpartition(".")
    if path in outputs or dot + suffix.lower() in SIGNATURE_SUFFIXES:
        return by_path.get(stem)
    return None


def _empty_directories(container: Container) -> set[str]:
    """Return the directories without anything in them; others are there with what they hold."""
    full: set[str] = set()
    for path in (*(member.path for member in container.members), *container.directories):
        parent = path.rpartition("/")[0]
        while parent and parent not in full:
            full.add(parent)
            parent = parent.rpartition("/")[0]
    return set(container.directories) - full
