"""What is expected of a file of a delivery: what the user says, else what the configuration says, else its kind.

1. A rule of the user decides (`place.Rules`).
2. What SignPath states to have signed must be signed.
3. Where there is a plan of the artifact configuration, it decides: what it signs must be signed, what it names
   otherwise or not at all must be unchanged.
4. A delivery that is one file must be signed.
5. Else the kind decides: a file of a kind that ordinarily is signed must be (`formats.registry`). In a container whose
   own signature covers what is in it, it need not be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from signpath_ci.formats.registry import FORMATS, Kind, by_name
from signpath_ci.model import FileRule
from signpath_ci.values import dataclass
from signpath_ci.verify.place import Place, Rules

if TYPE_CHECKING:
    from signpath_ci.artifact_configuration.plan import PlannedFile


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What is expected of one file.

    Attributes:
        requirement: `signed`: it must be; `unchanged`: it must be what was submitted; `unsigned`: it must not be
            signed; `any`: it may be signed, and else must be what was submitted.
        by: who says so; `delivery`: it is the one file that was delivered; `container`: the signature of its container
            covers it.
        rule: of the user, where `by` is `rule`.
    """

    requirement: Literal["signed", "unchanged", "unsigned", "any"]
    by: Literal["rule", "configuration", "delivery", "container", "kind"]
    rule: FileRule | None = None


def expected_of(
    place: Place,
    kind: Kind | None,
    *,
    rules: Rules,
    planned: PlannedFile | None,
    has_plan: bool,
    is_covered: bool,
    is_stated: bool = False,
) -> Expected:
    """Return what is expected of a file.

    Args:
        place: where it lies.
        kind: its format, by its content.
        rules: the user's.
        planned: what the artifact configuration does with it; `None`: nothing is known of it.
        has_plan: whether there is a plan at all.
        is_covered: whether it lies in a container whose own signature covers it.
        is_stated: whether SignPath states that it signed it.
    """
    if rule := rules.forbids_signature(place):
        return Expected(requirement="unsigned", by="rule", rule=rule)
    if rule := rules.expects_unchanged(place):
        return Expected(requirement="unchanged", by="rule", rule=rule)
    rule = rules.requires_signature(place)
    if rule or is_stated:
        return Expected(requirement="signed", by="rule" if rule else "configuration", rule=rule)
    if has_plan:
        signed = planned is not None and planned.must_be_signed
        opened = planned is not None and planned.changes
        return Expected(requirement="signed" if signed else "any" if opened else "unchanged", by="configuration")
    if not place.steps and kind != "zip":
        return Expected(requirement="signed", by="delivery")
    must = _must_be_signed(kind, place) and not is_covered
    return Expected(requirement="signed" if must else "any", by="container" if is_covered else "kind")


def _must_be_signed(kind: Kind | None, place: Place) -> bool:
    """Whether an unsigned file is an anomaly, by its content, or by its name where the content says nothing else."""
    known = kind if kind is not None and kind != "zip" else by_name(place.name) or kind
    return known is not None and FORMATS[known].must_be_signed
