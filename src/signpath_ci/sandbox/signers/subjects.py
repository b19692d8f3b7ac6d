"""Files with an Authenticode signature inside: PE, PowerShell, cabinet and installer files."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from signpath_ci.formats import FormatError, msi
from signpath_ci.formats.registry import FORMATS, Kind, implementation
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers.authenticode import ALGORITHM, message_maker
from signpath_ci.sandbox.signers.errors import CannotSignError

_TIMEOUT = 600


def sign(
    kind: Kind,
    source: BinaryIO,
    target: BinaryIO,
    *,
    signer: Signer,
    timestamp: Callable[[bytes], bytes],
    algorithm: str = ALGORITHM,
) -> None:
    """Write a copy of a file with one Authenticode signature, whatever signature it had before.

    Args:
        kind: a format that Authenticode signs.
        source: the file, seekable.
        target: an empty file, seekable.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token for a signature's value.
        algorithm: with which the file is hashed, as `hashlib` names it.

    Raises:
        CannotSignError: the file is damaged, or has no room for a signature; what signs it is not installed.
    """
    found = implementation(kind)
    try:
        make = message_maker(found.SUBJECT_TYPE, signer=signer, timestamp=timestamp, algorithm=algorithm)
        if kind == "msi":
            _sign_installer(source, target, make, algorithm)
        else:
            found.write_signed(source, target, algorithm=algorithm, sign=make)
    except FormatError as error:
        raise CannotSignError(f"The {FORMATS[kind].title} can not be signed: {error}.") from error


def _sign_installer(source: BinaryIO, target: BinaryIO, make: Callable[[bytes], bytes], algorithm: str) -> None:
    """Have osslsigncode put a signature into a compound file: that means to write all of it anew."""
    program = shutil.which("osslsigncode")
    if program is None:
        raise CannotSignError("The installer file can not be signed: osslsigncode, which does that, is not installed.")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        plain, message, signed = directory / "plain.msi", directory / "signature", directory / "signed.msi"
        digest, is_signed = _copy(source, plain, algorithm)
        if is_signed:
            unsigned = directory / "unsigned.msi"
            _run(program, "remove-signature", "-in", plain, "-out", unsigned)
            with unsigned.open("rb") as file:
                digest, _ = _copy(file, plain, algorithm)
        message.write_bytes(make(digest))
        _run(program, "attach-signature", "-sigin", message, "-in", plain, "-out", signed)
        with signed.open("rb") as file:
            shutil.copyfileobj(file, target)


def _copy(source: BinaryIO, target: Path, algorithm: str) -> tuple[bytes, bool]:
    """Copy an installer file; return its hash, and whether it is signed."""
    with target.open("w+b") as file:
        source.seek(0)
        shutil.copyfileobj(source, file)
        subject = msi.read_subject(file)
        return subject.digest(algorithm), bool(subject.signatures)


def _run(*command: str | Path) -> None:
    try:
        # S603: an absolute path, arguments of our own, no shell.
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)  # noqa: S603 - see above
    except subprocess.TimeoutExpired as error:
        raise CannotSignError("The installer file can not be signed: osslsigncode did not come to an end.") from error
    # attach-signature verifies what it has made, and does not know the sandbox's root: its exit code says nothing.
    if not Path(command[-1]).exists():
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise CannotSignError(f"The installer file can not be signed: osslsigncode said {last!r}.")
