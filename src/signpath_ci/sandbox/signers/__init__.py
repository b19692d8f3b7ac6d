"""What signs, one module a format; which one is decided by the file's bytes, not its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from signpath_ci.formats.kind import detect
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import pe
from signpath_ci.sandbox.signers import zip as deep
from signpath_ci.sandbox.signers.errors import CannotSignError

__all__ = ["CannotSignError", "sign_file"]


def sign_file(source: Path, target: Path, *, signer: Signer, time_stamp: Callable[[bytes], bytes]) -> None:
    """Write a signed copy of `source` to `target`.

    Args:
        source: a PE file, or a ZIP with PE files in it.
        target: a temporary name: after a crash or an error an incomplete file may lie there.
        signer: whose signature it gets.
        time_stamp: returns an RFC 3161 token (DER) for the bytes it is given, a signature's value.

    Raises:
        CannotSignError: the file is of another kind, or is damaged.
        OSError: a file can't be read or written.
    """
    with source.open("rb") as file:
        kind = detect(file)
        with target.open("w+b") as copy:
            if kind == "pe":
                pe.sign(file, copy, signer=signer, time_stamp=time_stamp)
            elif kind == "zip":
                deep.sign(file, copy, signer=signer, time_stamp=time_stamp, directory=target.parent)
            else:
                raise CannotSignError("The file can not be signed: it is neither a PE file nor a ZIP archive.")
