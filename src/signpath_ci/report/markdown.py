"""The job summary: one table in Markdown that tells what was signed, by whom, for which build."""

from __future__ import annotations

from collections.abc import Iterator

from signpath_ci.errors import SignPathError
from signpath_ci.model import Account, Failure, SignedFileDigests, Verdict
from signpath_ci.report.accounts import counts, note_of
from signpath_ci.report.neutral import code, link
from signpath_ci.report.record import FileOutcome, Record
from signpath_ci.report.words import (
    digest_words,
    file_words,
    format_words,
    identity_words,
    origin_words,
    stamp_words,
    status_words,
    trust_words,
    verdict_summary,
)

_MOST_FILES = 100
_VERDICT = ("File", "Format", "Signer", "Thumbprint", "Timestamp", "Digest", "Content", "Verdict")


def summary(record: Record, *, error: SignPathError | None = None) -> str:
    """Return the summary of a run that has ended, `error` being why it failed."""
    parts = [[f"### SignPath: {_outcome(record, error)}"]]
    if error is not None:
        parts.append([code(error.line)])
    parts.append(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in _facts(record))])
    if record.verdicts and not _is_one_file(record):
        parts.append(_files(record))
    if record.account and (notes := list(_notes(record.account))):
        parts.append(notes)
    if record.outcomes:
        parts.append(_outcomes(record.outcomes))
    if record.signed_files and not _is_delivered_as_it_came(record):
        parts.append(_signed_files(record.signed_files))
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _outcome(record: Record, error: SignPathError | None) -> str:
    if record.outcomes:
        good = sum(outcome.error is None for outcome in record.outcomes)
        done = "signed" if any(outcome.output for outcome in record.outcomes) else "submitted"
        return f"{good} of {len(record.outcomes)} files {done}"
    if error is not None:
        return "not signed" if record.signed is None else "not accepted"
    if record.submission is None:
        return "nothing to sign"
    if record.signed is None:
        return "completed" if record.status and record.status.is_completed else "submitted"
    if not record.verdicts:
        return "signed, not verified"
    verdicts = [verdict for verdict in record.verdicts if isinstance(verdict, Verdict)]
    unchecked = [
        *(["signer not checked"] if any(verdict.trust == "not-checked" for verdict in verdicts) else []),
        *(["content not compared"] if any(verdict.identity == "not-checked" for verdict in verdicts) else []),
    ]
    return f"signed, {', '.join(unchecked)}" if unchecked else "signed and verified"


def _is_one_file(record: Record) -> bool:
    return len(record.verdicts) == 1 and record.verdicts[0].member is None


def _is_delivered_as_it_came(record: Record) -> bool:
    """Tell whether the signed file is what was downloaded: of a ZIP that was extracted, nobody needs the digest."""
    downloaded = record.signed.sha256 if record.signed else ""
    return not record.signed_files or [file.sha256 for file in record.signed_files] == [downloaded]


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    if record.unsigned:
        yield "File", code(str(record.unsigned.path))
        yield "SHA-256 before", code(record.unsigned.sha256)
    if len(record.outputs) == 1:
        yield "Signed", code(str(record.outputs[0]))
    elif record.outputs and not record.outcomes:
        yield "Signed", code(f"{len(record.outputs)} files")
    if record.signed and _is_delivered_as_it_came(record):
        yield "SHA-256 after", code(record.signed.sha256)
        yield from (("SHA-512 after", code(file.sha512)) for file in record.signed_files)
    if _is_one_file(record):
        cells = zip(_VERDICT, _verdict_cells(record.verdicts[0]), strict=True)
        yield from ((name, cell) for name, cell in list(cells)[1:] if cell)
    if record.account and len(record.account.files) > 1:
        yield "Files", code(counts(record.account))
    if record.submission:
        yield "Signing request", link(record.submission.signing_request_id, record.web_link)
    if record.status:
        yield "Status", code(status_words(record.status))
    if record.policy:
        yield "Policy", code(" / ".join(part for part in (record.project, record.policy) if part))
    if record.configuration_sha256:
        yield "Artifact configuration", f"SHA-256 {code(record.configuration_sha256)}"
    if record.origin:
        yield "Origin", code(origin_words(record.origin))
    if record.waited is not None:
        yield "Waited", code(f"{record.waited:.1f} s")


def _files(record: Record) -> list[str]:
    rows = [list(_verdict_cells(verdict)) for verdict in record.verdicts[:_MOST_FILES]]
    if len(record.verdicts) > _MOST_FILES:
        rows.append([f"and {len(record.verdicts) - _MOST_FILES} more", *[""] * len(_VERDICT[1:])])
    return [f"| {' | '.join(cells)} |" for cells in (_VERDICT, ["---"] * len(_VERDICT), *rows)]


def _notes(account: Account) -> Iterator[str]:
    """Return what a reader should know of files that did not fail, as a list."""
    notable = [file for file in account.files if file.outcome != "failed" and note_of(file)]
    for file in notable[:_MOST_FILES]:
        yield f"- {code(file.member or file.path.name)}: {file.outcome.replace('-', ' ')}, {code(note_of(file))}"
    if len(notable) > _MOST_FILES:
        yield f"- and {len(notable) - _MOST_FILES} more"
    for warning in account.warnings:
        yield f"- {code(warning)}"


def _verdict_cells(verdict: Verdict | Failure) -> Iterator[str]:
    yield code(file_words(verdict))
    yield code(format_words(verdict))
    if isinstance(verdict, Failure):
        yield from ["", "", "", "", "", code(verdict_summary(verdict))]
        return
    yield code(verdict.signer.subject)
    yield code(verdict.signer.thumbprint)
    yield code(stamp_words(verdict))
    yield code(digest_words(verdict))
    yield code(identity_words(verdict))
    yield code(trust_words(verdict))


def _signed_files(files: tuple[SignedFileDigests, ...]) -> list[str]:
    """Return the digests of each signed file, to be unfolded: they are long."""
    lines = ["<details><summary>SHA-256 and SHA-512 of the signed files</summary>", "", "| File | SHA-256 | SHA-512 |"]
    lines.append("| --- | --- | --- |")
    lines += [f"| {code(str(f.path))} | {code(f.sha256)} | {code(f.sha512)} |" for f in files[:_MOST_FILES]]
    if len(files) > _MOST_FILES:
        lines.append(f"| and {len(files) - _MOST_FILES} more | | |")
    return [*lines, "", "</details>"]


def _outcomes(outcomes: tuple[FileOutcome, ...]) -> list[str]:
    """Return a row for each of several files, those that failed first: the table may be cut off."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.error is None)
    rows = [" | ".join(_outcome_cells(outcome)) for outcome in ordered[:_MOST_FILES]]
    if len(outcomes) > _MOST_FILES:
        rows.append(f"and {len(outcomes) - _MOST_FILES} more | | | | ")
    head = ["| File | Signing request | Status | Signer | Result |", "| --- | --- | --- | --- | --- |"]
    return [*head, *(f"| {row} |" for row in rows)]


def _outcome_cells(outcome: FileOutcome) -> Iterator[str]:
    record = outcome.record
    yield code(str(outcome.path))
    yield link(record.submission.signing_request_id, record.web_link) if record.submission else ""
    yield code(status_words(record.status)) if record.status else ""
    good = [verdict for verdict in record.verdicts if isinstance(verdict, Verdict)]
    yield ", ".join(code(subject) for subject in dict.fromkeys(verdict.signer.subject for verdict in good))
    if outcome.error:
        yield code(outcome.error.line)
    else:
        yield ", ".join(dict.fromkeys(code(verdict_summary(verdict)) for verdict in good))
