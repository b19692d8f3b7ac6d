"""What signs, one module a format.

`execute` carries out an artifact configuration. `sign_file` is for configurations without XML: it signs what it can, by
content.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from signpath_ci.formats.registry import detect
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import zip as deep
from signpath_ci.sandbox.signers.errors import CannotSignError
from signpath_ci.sandbox.signers.formats import is_signable, sign_as

__all__ = ["CannotSignError", "sign_file"]


def sign_file(
    source: Path,
    target: Path,
    *,
    signer: Signer,
    timestamp: Callable[[bytes], bytes],
    name: str = "",
) -> None:
    """Write a signed copy of `source` to `target`.

    Args:
        source: a file that can be signed, or a ZIP with such files in it.
        target: a temporary name: after a crash or an error an incomplete file may lie there.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token (DER) for the bytes it is given, a signature's value.
        name: the file's own, where `source` is only a temporary one; empty: that of `source`.

    Raises:
        CannotSignError: the file is of another kind, or is damaged.
        OSError: a file can't be read or written.
    """
    name = name or source.name
    with source.open("rb") as file:
        kind = detect(file, name)
        with target.open("w+b") as copy:
            if kind == "zip":
                deep.sign(file, copy, signer=signer, timestamp=timestamp, directory=target.parent, name=name)
            elif kind is not None and is_signable(kind):
                sign_as(kind, file, copy, signer=signer, timestamp=timestamp)
            else:
                raise CannotSignError("The file can not be signed: it is of no format that the sandbox signs.")
