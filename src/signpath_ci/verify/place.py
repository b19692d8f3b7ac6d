"""Where a file of a delivery lies, and which of the user's patterns name it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from glob import escape

from signpath_ci.errors import UsageError, VerificationError
from signpath_ci.model import FileRule, FileRules


@dataclass(frozen=True)
class Place:
    """The path of a file: the delivery's name, then its path in each container.

    Attributes:
        root: the name of the delivery.
        steps: the path in each container, from the outermost; nothing: the delivery itself.
    """

    root: str
    steps: tuple[str, ...] = ()

    def inside(self, path: str) -> Place:
        """Return the place of a file in the container at this place."""
        return Place(self.root, (*self.steps, path))

    @property
    def member(self) -> str | None:
        """The path as reports name it; `None`: the delivery itself."""
        return "/".join(self.steps) or None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return (self.steps[-1] if self.steps else self.root).rpartition("/")[2]

    @property
    def spellings(self) -> tuple[str, ...]:
        """The texts of which a pattern has to match one."""
        if not self.steps:
            return (self.root, self.name)
        return tuple(
            dict.fromkeys(("!/".join(self.steps), "/".join(self.steps), self.name, "!/".join((self.root, *self.steps))))
        )

    @property
    def pattern(self) -> str:
        """A pattern that matches this file and no other."""
        return escape("!/".join(self.steps) if self.steps else self.name)


@dataclass
class Rules:
    """The user's rules, and which of them matched a file so far."""

    given: FileRules
    today: date
    _used: set[int] = field(default_factory=set)

    def check(self) -> None:
        """Find out early whether all rules still apply.

        Raises:
            UsageError: one has expired.
        """
        for option, rule in self._all():
            if rule.expires is not None and rule.expires < self.today:
                raise UsageError(
                    f"The rule {option} {rule.pattern} expired on {rule.expires.isoformat()}.",
                    hint="Remove it, or give it a later date" + (f"; ask {rule.owner}." if rule.owner else "."),
                    code="rule-expired",
                )

    def expects_unchanged(self, place: Place) -> FileRule | None:
        """Return the rule by which a file comes back byte for byte."""
        return self._match(self.given.unchanged, place)

    def requires_signature(self, place: Place) -> FileRule | None:
        """Return the rule by which a file must be signed."""
        return self._match(self.given.must_be_signed, place)

    def forbids_signature(self, place: Place) -> FileRule | None:
        """Return the rule by which a file must not be signed."""
        return self._match(self.given.must_not_be_signed, place)

    def allows_unsupported(self, place: Place) -> FileRule | None:
        """Return the rule by which a file that can't be verified is let through."""
        return self._match(self.given.allow_unsupported, place)

    def unused(self) -> list[str]:
        """Return the options with the patterns that matched no file."""
        return [f"{option} {rule.pattern}" for option, rule in self._all() if id(rule) not in self._used]

    def check_signer(self, subject: str, thumbprint: str) -> None:
        """Require that a signer is not denied.

        Raises:
            VerificationError: it is.
        """
        for denied in self.given.denied_signers:
            if denied.lower() == thumbprint or denied.lower() in subject.lower():
                raise VerificationError(f"it is signed by {subject}, which --deny-signer denies.", code="denied-signer")

    def _match(self, rules: tuple[FileRule, ...], place: Place) -> FileRule | None:
        found = None
        for rule in rules:  # all of them: a rule that matches after another one is not without use
            if any(fnmatchcase(text, rule.pattern) for text in place.spellings):
                self._used.add(id(rule))
                found = found or rule
        return found

    def _all(self) -> list[tuple[str, FileRule]]:
        given = self.given
        groups = (
            ("--expect-unchanged", given.unchanged),
            ("--must-be-signed", given.must_be_signed),
            ("--must-not-be-signed", given.must_not_be_signed),
            ("--allow-unsupported", given.allow_unsupported),
        )
        return [(option, rule) for option, rules in groups for rule in rules]
