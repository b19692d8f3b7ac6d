"""Is this candidate what the tag is to release? Asked before its artifact gets the release signature."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from signpath_ci.errors import VerificationError
from signpath_ci.model import Artifact, Origin, SigningRequest
from signpath_ci.signing.record import record_differences

if TYPE_CHECKING:
    from signpath_ci.api.rest import SignPathApi
    from signpath_ci.api.streams import Download
    from signpath_ci.signing.receipt import Receipt


def check_candidate(api: SignPathApi, candidate: Receipt, origin: Origin, *, unsigned: Artifact | None) -> None:
    """Let a candidate pass that is completed, is the file that is meant, and was built from this build's tag.

    The file is fetched from SignPath and hashed: the receipt is just a file that anybody could have written.

    Args:
        api: SignPath.
        candidate: the receipt of its request.
        origin: this build's.
        unsigned: the file that is meant, where it is at hand; else what the receipt says goes.

    Raises:
        VerificationError: it does not pass; every reason is named.
        RefusedError, UnexpectedAnswerError, ServiceUnavailableError: as the transport says.
    """
    request_id = candidate.submission.signing_request_id
    request = api.request(request_id)
    reasons = [*record_differences(candidate, request), *_origin_reasons(candidate, request, origin)]
    if not request.state.is_completed:
        reasons.insert(0, f"it is {request.state.status}, and not Completed")
    elif candidate.input is None and unsigned is None:
        reasons.insert(0, "its receipt does not say which file it is of, and --unsigned names none")
    else:
        expected = {known.sha256 for known in (candidate.input, unsigned) if known}
        found = api.unsigned_artifact(request_id, _sha256)
        reasons += [f"the file that SignPath has is {found}, and not {sha256}" for sha256 in expected - {found}]
    if reasons:
        raise VerificationError(
            f"The candidate {request_id} can't be promoted: {'; '.join(reasons)}.",
            hint="Submit, test and promote a candidate that is built from the commit of the tag.",
            code="candidate-mismatch",
        )


def _origin_reasons(candidate: Receipt, request: SigningRequest, origin: Origin) -> list[str]:
    reasons = []
    if origin.tag is None:
        reasons.append("this build is not of a tag")
    recorded = request.origin.commit if request.origin else None
    commits = {"SignPath": recorded, "its receipt": candidate.origin["commit"]}
    said = {who: commit for who, commit in commits.items() if commit}
    if not said:
        reasons.append("nobody knows which commit it was built from")
    if origin.commit is None:
        reasons.append("this build's commit is not known")
    else:
        reasons += [
            f"by {who} it was built from {commit}, and the tag {origin.tag or '(none)'} is {origin.commit}"
            for who, commit in said.items()
            if commit.lower() != origin.commit
        ]
    return reasons


def _sha256(incoming: Download) -> str:
    digest = hashlib.sha256()
    for piece in incoming:
        digest.update(piece)
    return digest.hexdigest()
