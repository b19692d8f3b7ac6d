"""What signs a file, by the signature scheme of its format; one module a scheme."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import BinaryIO, Protocol, cast

from signpath_ci.formats.registry import FORMATS, Kind
from signpath_ci.sandbox.pki import Signer
from signpath_ci.sandbox.signers import subjects
from signpath_ci.sandbox.signers.errors import CannotSignError

_MODULES = ("catalog", "msix", "nuget", "opc", "xml")
"""Schemes with a module of their own here, with a function `sign`."""


class _SchemeSigner(Protocol):
    def sign(
        self, source: BinaryIO, target: BinaryIO, *, signer: Signer, timestamp: Callable[[bytes], bytes]
    ) -> None: ...


def is_signable(kind: Kind | None) -> bool:
    """Tell whether `sign_as` signs files of a format."""
    return kind is not None and FORMATS[kind].scheme in {"authenticode", *_MODULES}


def sign_as(
    kind: Kind,
    source: BinaryIO,
    target: BinaryIO,
    *,
    signer: Signer,
    timestamp: Callable[[bytes], bytes],
    algorithm: str = "sha256",
) -> None:
    """Write a signed copy of a file, whatever signature it had before.

    Args:
        kind: its format, for which `is_signable` holds.
        source: the file, seekable.
        target: an empty file, seekable.
        signer: whose signature it gets.
        timestamp: returns an RFC 3161 token for a signature's value.
        algorithm: with which a file that Authenticode signs is hashed; other schemes have just SHA-256 here.

    Raises:
        CannotSignError: the file is damaged, or can't carry a signature; what signs it is not installed.
    """
    scheme = FORMATS[kind].scheme
    if scheme == "authenticode":
        subjects.sign(kind, source, target, signer=signer, timestamp=timestamp, algorithm=algorithm)
    elif algorithm != "sha256":
        raise CannotSignError(f"A file of the format {kind} can be signed here with SHA-256 only.")
    elif scheme in _MODULES:
        module = cast("_SchemeSigner", import_module(f"signpath_ci.sandbox.signers.{scheme}"))
        module.sign(source, target, signer=signer, timestamp=timestamp)
    else:
        raise CannotSignError(f"A file of the format {kind} can not be signed.")
