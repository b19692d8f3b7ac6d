"""The account of a delivery for people: how many files have which outcome, and those that a reader should know of."""

from __future__ import annotations

from collections.abc import Iterator

from signpath_ci.model import Account, FileOutcome

_MOST_NAMED = 20
_COUNTED = ("signed", "unchanged", "added", "allowed", "not-compared", "failed")


def counts(account: Account) -> str:
    """Return how many files have each outcome: `2 signed, 1 unchanged, 0 added, 0 allowed`."""
    always = {"signed", "unchanged", "added", "allowed"}
    numbers = {name: account.count(name) for name in _COUNTED}  # type: ignore[arg-type] # each is an outcome
    return ", ".join(
        f"{number} {name.replace('-', ' ')}" for name, number in numbers.items() if number or name in always
    )


def account_lines(account: Account) -> Iterator[str]:
    """Give the lines of an account; nothing for a delivery that is one file without anything to say of it."""
    notable = [file for file in account.files if file.outcome != "failed" and note_of(file)]
    if len(account.files) == 1 and not notable and not account.warnings:
        return
    for file in notable[:_MOST_NAMED]:
        yield f"{file.outcome.replace('-', ' ').capitalize()} {file.member or file.path.name}: {note_of(file)}"
    if len(notable) > _MOST_NAMED:
        yield f"and {len(notable) - _MOST_NAMED} more files; --json lists all"
    for warning in account.warnings:
        yield f"warning: {warning}"
    yield f"Files: {counts(account)}"


def note_of(file: FileOutcome) -> str:
    """Return what a reader should know of a file that did not fail; empty where its outcome says all."""
    signer = f"signed by {file.signed_by}, whose signature is not put under your rules" if file.signed_by else ""
    return "; ".join(filter(None, (signer, file.note)))
