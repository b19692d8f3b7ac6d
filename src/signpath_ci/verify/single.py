"""The outcome of one file of a delivery, and of the signatures that it carries itself."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from signpath_ci.errors import UnsupportedFormatError, VerificationError
from signpath_ci.formats import FormatError
from signpath_ci.formats.registry import FORMATS, Kind, detect
from signpath_ci.model import FileOutcome, Outcome, Verdict
from signpath_ci.values import dataclass, field, replace
from signpath_ci.verify.detached import verify_cms, verify_raw
from signpath_ci.verify.expected import Expected
from signpath_ci.verify.failure import Failed
from signpath_ci.verify.identity import check_detached_name, is_same
from signpath_ci.verify.known_files import KnownFiles
from signpath_ci.verify.place import Place, Rules
from signpath_ci.verify.schemes import not_verifiable
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements
from signpath_ci.verify.trust import Trust


@dataclass(frozen=True)
class Pair:
    """A file of the delivery, and what was submitted in its place; `None`: that is not at hand.

    Attributes:
        submitted_name: of the submitted file, where it may be another one.
    """

    file: BinaryIO
    submitted: BinaryIO | None
    submitted_name: str = ""

    @cached_property
    def is_unchanged(self) -> bool:
        """Whether both have the same bytes."""
        if self.submitted is None or self.file.seek(0, 2) != self.submitted.seek(0, 2):
            return False
        self.file.seek(0)
        self.submitted.seek(0)
        return is_same(self.file, self.submitted)


@dataclass(frozen=True, kw_only=True)
class _Signer:
    """Who signed an unchanged file: the certificate subject, or why its signature is not good; neither: nobody."""

    subject: str = ""
    problem: str = ""

    @property
    def is_signed(self) -> bool:
        return bool(self.subject or self.problem)


@dataclass(frozen=True)
class Single:
    """Finds the outcome of single files.

    Attributes:
        path: the delivery, as people know it.
        requirements: what is required of signatures.
        rules: the user's, about single files.
        known: files that were verified already.
    """

    path: Path
    requirements: SignerRequirements
    rules: Rules
    known: KnownFiles = field(default_factory=KnownFiles, compare=False, repr=False)

    def outcome(
        self, pair: Pair, place: Place, kind: Kind | None, expected: Expected, *, is_walked: bool = False
    ) -> FileOutcome:
        """Return the outcome of a file; what fails is the outcome, and not raised.

        Args:
            pair: the file.
            place: where it lies.
            kind: its format.
            expected: what is expected of it.
            is_walked: whether the files in it are compared one by one, so that they may be signed too.
        """
        try:
            if expected.requirement in {"unchanged", "unsigned"}:
                return self._as_submitted(pair, place, kind, expected)
            if pair.is_unchanged and (expected.by == "kind" or expected.requirement == "any"):
                return self._unchanged(pair, place, kind, expected)
            return self._signed(pair, place, kind, expected, is_walked=is_walked)
        except (FormatError, VerificationError) as error:
            return self.failure(place, kind, error)

    def detached(self, signature: BinaryIO, content: BinaryIO, place: Place) -> FileOutcome:
        """Return the outcome of a signature that was added beside the file that it is for.

        Raises:
            FormatError, VerificationError: it is not good.
        """
        kind = detect(signature, place.name)
        if kind != "cms":
            raise unknown_format() if kind is None else not_verifiable(kind)
        found = verify_cms(signature, content, self.requirements)
        return self._made(place, "cms", "added", verdicts=self._verdicts((found,), place, is_compared=True))

    def signature_file(self, pair: Pair) -> FileOutcome:
        """Return the outcome of a delivery that is nothing but a signature of what was submitted."""
        place, kind = Place(self.path.name), "raw" if self.requirements.trust.signer_certificates else "cms"
        verify = verify_raw if kind == "raw" else verify_cms
        try:
            if pair.submitted is not None:
                check_detached_name(self.path, Path(pair.submitted_name))
            found = verify(pair.file, pair.submitted, self.requirements)
            return self._made(place, kind, "signed", verdicts=self._verdicts((found,), place, is_compared=True))
        except (FormatError, VerificationError) as error:
            return self.failure(place, kind, error)

    def failure(self, place: Place, kind: Kind | None, error: FormatError | VerificationError) -> FileOutcome:
        """Return the outcome of a file that failed, or that may stay unverified by a rule of the user."""
        failed = Failed.of(error, kind)
        rule = self.rules.allows_unsupported(place) if failed.is_unsupported else None
        if rule is not None:
            reason = f": {rule.reason}" if rule.reason else ""
            note = f"not verified ({failed.check.rstrip('.')}), which --allow-unsupported allows{reason}"
            return self._made(place, kind, "allowed", note=note)
        hint = failed.hint
        if failed.is_unsupported and place.steps:
            hint = f"Let it through with --allow-unsupported '{place.pattern}'. {hint}".rstrip()
        return FileOutcome(
            path=self.path,
            member=place.member,
            format=kind,
            outcome="failed",
            check=failed.check,
            code=failed.code,
            hint=hint,
            is_unsupported=failed.is_unsupported,
        )

    def _as_submitted(self, pair: Pair, place: Place, kind: Kind | None, expected: Expected) -> FileOutcome:
        """Require a file to be the submitted one, or to carry no signature."""
        signer = self._signer(pair.file, kind)
        if expected.requirement == "unsigned" and signer.is_signed:
            raise VerificationError("it is signed, which --must-not-be-signed forbids.", code="signed-unexpectedly")
        reason = expected.rule.reason if expected.rule is not None else ""
        note = "; ".join(filter(None, (signer.problem, reason)))
        if pair.submitted is None:
            return self._made(place, kind, "not-compared", signed_by=signer.subject, note=note)
        if not pair.is_unchanged and expected.by == "rule":
            raise VerificationError("it is not what was submitted, as a rule expects it.", code="content-changed")
        if not pair.is_unchanged:  # SignPath's own configuration may be a newer one
            found = self._signed(pair, place, kind, expected, is_walked=False)
            return replace(found, note="the artifact configuration of the checkout does not sign it", is_warning=True)
        return self._made(place, kind, "unchanged", signed_by=signer.subject, note=note)

    def _unchanged(self, pair: Pair, place: Place, kind: Kind | None, expected: Expected) -> FileOutcome:
        """Return the outcome of a file that came back as it was submitted."""
        signer = self._signer(pair.file, kind)
        if expected.requirement == "signed" and not signer.is_signed:
            raise VerificationError("the file is not signed.", hint=_unsigned_hint(place), code="not-signed")
        note = signer.problem if signer.is_signed else _unsigned_note(kind, expected)
        return self._made(place, kind, "unchanged", signed_by=signer.subject, note=note)

    def _signed(
        self, pair: Pair, place: Place, kind: Kind | None, expected: Expected, *, is_walked: bool
    ) -> FileOutcome:
        """Require signatures that pass every check, and the submitted content."""
        is_compared = pair.submitted is not None
        if kind is None or (kind == "cms" and place.steps):
            return self._unknown(place, kind, expected, is_compared=is_compared)
        try:
            signatures = self.known.signatures(
                kind, pair.file, unsigned=pair.submitted, requirements=self.requirements, is_walked=is_walked
            )
        except VerificationError as error:
            if error.code in {"not-signed", "not-verifiable"} and not is_compared and expected.requirement == "any":
                return self._made(place, kind, "not-compared", note=_unsigned_note(kind, expected))
            if error.code == "not-signed":
                if is_compared and expected.requirement == "any":
                    what = "it is not what was submitted, and is not signed."
                    raise VerificationError(what, code="content-changed") from error
                raise VerificationError(error.message, hint=_unsigned_hint(place), code="not-signed") from error
            raise
        return self._made(place, kind, "signed", verdicts=self._verdicts(signatures, place, is_compared=is_compared))

    def _unknown(self, place: Place, kind: Kind | None, expected: Expected, *, is_compared: bool) -> FileOutcome:
        """Return the outcome of a file that carries no signature that is known here."""
        if not place.steps:
            raise unknown_format()
        if expected.requirement == "signed":
            raise UnsupportedFormatError(
                "it must be signed, and is of no format whose signatures are verified here.",
                hint=_unsigned_hint(place),
                code="not-verifiable",
            )
        if is_compared:
            error = FormatError("it is not what was submitted, and of no format that is signed", code="content-changed")
            rule = self.rules.allows_unsupported(place)
            if rule is None:
                return self.failure(place, kind, error)
            return self._made(place, kind, "allowed", note="changed, which --allow-unsupported allows", is_warning=True)
        return self._made(place, kind, "not-compared")

    def is_unsigned(self, file: BinaryIO, kind: Kind | None) -> bool:
        """Tell whether a file surely carries no signature of its own."""
        is_known = kind is not None and kind not in {"zip", "cms"} and FORMATS[kind].scheme is not None
        return is_known and not self._signer(file, kind).is_signed

    def _signer(self, file: BinaryIO, kind: Kind | None) -> _Signer:
        """Return who signed a file, without requiring anything of the signer."""
        if kind is None or kind in {"zip", "cms"} or FORMATS[kind].scheme is None:
            return _Signer()
        anybody = SignerRequirements(trust=Trust(), now=self.requirements.now)
        try:
            signatures = self.known.signatures(kind, file, unsigned=None, requirements=anybody, is_walked=True)
        except VerificationError as error:
            return _Signer() if error.code == "not-signed" else _Signer(problem=f"its signature fails ({error.code})")
        except FormatError as error:
            return _Signer(problem=f"its signature can't be read ({error.code})")
        for signature in signatures:
            self.rules.check_signer(signature.signer.subject, signature.signer.thumbprint)
        return _Signer(subject=signatures[0].signer.subject)

    def _verdicts(self, signatures: tuple[Signature, ...], place: Place, *, is_compared: bool) -> tuple[Verdict, ...]:
        for signature in signatures:
            self.rules.check_signer(signature.signer.subject, signature.signer.thumbprint)
        return tuple(
            Verdict(
                path=self.path,
                member=place.member,
                format=signature.format,
                signer=signature.signer,
                timestamp=signature.timestamp,
                digest_algorithm=signature.digest_algorithm,
                content_digest=signature.content_digest,
                identity="same" if is_compared else "not-checked",
                trust=signature.trust,
                stated_by=self.requirements.trust.stated_by if signature.trust == "stated" else "",
                notes=signature.notes,
            )
            for signature in signatures
        )

    def _made(
        self,
        place: Place,
        kind: Kind | None,
        outcome: Outcome,
        *,
        verdicts: tuple[Verdict, ...] = (),
        signed_by: str = "",
        note: str = "",
        is_warning: bool = False,
    ) -> FileOutcome:
        return FileOutcome(
            path=self.path,
            member=place.member,
            format=kind,
            outcome=outcome,
            verdicts=verdicts,
            signed_by=signed_by,
            note=note,
            is_warning=is_warning,
        )


def unknown_format() -> UnsupportedFormatError:
    """Return the error for a file of a format that is not known here."""
    titles = ", ".join(known.title for known in FORMATS.values() if known.scheme is not None)
    return UnsupportedFormatError(
        "its format is not known here, so its signatures can't be verified.",
        hint=f"Verified are: {titles}. Let it through with --allow-unsupported.",
        code="not-verifiable",
    )


def _unsigned_hint(place: Place) -> str:
    rule = f"--expect-unchanged '{place.pattern}'"
    return f"Check the artifact configuration in SignPath; if it is not yours to sign: {rule}"


def _unsigned_note(kind: Kind | None, expected: Expected) -> str:
    """Return what a reader should know of an unsigned file; empty where nothing is unusual."""
    if kind is None or kind == "zip":
        return ""
    if expected.by != "container":
        return "not signed"
    return "not signed itself, in a container that is" if FORMATS[kind].must_be_signed else ""
