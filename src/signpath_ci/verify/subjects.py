"""The registry of formats that Authenticode signs: how each is read, one module a format."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.authenticode import Subject
from signpath_ci.formats.kind import Kind
from signpath_ci.verify.authenticode import verify_authenticode
from signpath_ci.verify.identity import not_submitted
from signpath_ci.verify.judge import Judge, Signature


def _reader(kind: Kind) -> Callable[[BinaryIO], Subject]:
    """Return what reads files of a format; its module is imported only then, as most runs see just one format."""

    def read(file: BinaryIO) -> Subject:
        subject: Subject = import_module(f"signpath_ci.formats.{kind}").read_subject(file)
        return subject

    return read


_KINDS: tuple[Kind, ...] = ("pe", "powershell", "msi", "cab")
SUBJECTS = {kind: _reader(kind) for kind in _KINDS}


def verify_subject(kind: Kind, file: BinaryIO, *, unsigned: BinaryIO | None, judge: Judge) -> tuple[Signature, ...]:
    """Check all signatures of a file of one of the formats in `SUBJECTS`.

    Raises:
        VerificationError: it is not signed, a check failed, or the content is not that of `unsigned`.
        FormatError: the file is damaged, or signed in a way that can't be judged.
    """
    read = SUBJECTS[kind]
    subject = read(file)
    submitted = None
    if unsigned is not None:
        try:
            submitted = read(unsigned)
        except FormatError as error:
            raise not_submitted(error) from error
    return verify_authenticode(subject, unsigned=submitted, judge=judge, format_name=kind)
