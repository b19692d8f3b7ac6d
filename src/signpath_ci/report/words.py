"""The words that all reporters share for what people read: sizes, statuses, verdicts."""

from __future__ import annotations

from signpath_ci.model import Failure, Origin, RequestStatus, Verdict

_KIB = 1024


def size(count: int | None) -> str:
    """Return a number of bytes for people: `512 bytes`, `1.5 MiB`."""
    if count is None:
        return "size unknown"
    if count < _KIB:
        return f"{count} bytes"
    value, unit = count / _KIB, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if value < _KIB:
            break
        value, unit = value / _KIB, larger
    return f"{value:.1f} {unit}"


def status_words(status: RequestStatus) -> str:
    """Return the status, and the workflow status where it says more."""
    finer = status.workflow_status
    return status.status if finer in {None, status.status} else f"{status.status} ({finer})"


def verdict_words(verdict: Verdict | Failure) -> list[str]:
    """Return the lines that tell a verdict: who signed, when, and what is known of it; or what failed."""
    if isinstance(verdict, Failure):
        return [f"Not verified {file_words(verdict)}: {verdict_summary(verdict)}", f"  format: {format_words(verdict)}"]
    return [
        f"Verified {file_words(verdict)}: {verdict_summary(verdict)}",
        f"  format: {format_words(verdict)}",
        f"  signer: {verdict.signer.subject}",
        f"  thumbprint: {verdict.signer.thumbprint}",
        f"  timestamp: {stamp_words(verdict)}",
        f"  digest: {digest_words(verdict)}",
    ]


def format_words(verdict: Verdict | Failure) -> str:
    """Return which format a file has."""
    return verdict.format or "unknown"


def digest_words(verdict: Verdict) -> str:
    """Return what a signature covers."""
    return f"{verdict.digest_algorithm} {verdict.content_digest}"


def file_words(verdict: Verdict | Failure) -> str:
    """Return the name of the file that a verdict is about, and of the member where that is a container."""
    return verdict.path.name if verdict.member is None else f"{verdict.path.name}: {verdict.member}"


def verdict_summary(verdict: Verdict | Failure) -> str:
    """Return what a signature was trusted by, and whether the content was compared; or what failed."""
    if isinstance(verdict, Failure):
        return f"failed: {verdict.check.rstrip('.')} [{verdict.code}]"
    return f"{trust_words(verdict)}; {identity_words(verdict)}"


def identity_words(verdict: Verdict) -> str:
    """Return whether the content was compared."""
    return "same content as submitted" if verdict.identity == "same" else "not compared with the submitted file"


def trust_words(verdict: Verdict) -> str:
    """Return what a signature was trusted by, and what is unusual about it."""
    trust = {
        "root": "trusted by root",
        "thumbprint": "trusted by thumbprint",
        "pinned-self-signed": "test certificate (self-signed, nobody vouches for it), pinned by the user",
        "stated": f"signed by the certificate of policy {verdict.stated_by}, as SignPath states",
        "not-checked": "intact, signer not checked (name a --trust-root or --thumbprint)",
    }[verdict.trust]
    return "; ".join((trust, *verdict.notes))


def stamp_words(verdict: Verdict) -> str:
    """Return when a signature existed, and who says so."""
    stamp = verdict.timestamp
    return f"{stamp.time:%Y-%m-%d %H:%M:%S} UTC by {stamp.authority}" if stamp else "none"


def origin_words(origin: Origin) -> str:
    """Return repository, branch or tag, and commit, as far as they are known."""
    ref = origin.tag or origin.branch
    parts = (
        origin.repository_url,
        ref and f"{'tag' if origin.tag else 'branch'} {ref}",
        origin.commit and f"commit {origin.commit}",
    )
    return ", ".join(part for part in parts if part)
