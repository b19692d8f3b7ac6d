"""Files of a delivery that have the same bytes: their signatures are verified once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from typing import BinaryIO

from signpath_ci.formats.registry import Kind
from signpath_ci.verify.schemes import verify_signatures
from signpath_ci.verify.signer_requirements import Signature, SignerRequirements

_MAX_SIZE = 4 << 20  # bytes of a file; larger ones are rarely there twice, and are not read once more for that
_MAX_FILES = 1000


class KnownFiles:
    """Verifies the signatures of the files of one delivery, and remembers what passed by all that it depends on."""

    def __init__(self) -> None:
        self._found: OrderedDict[Hashable, tuple[Signature, ...]] = OrderedDict()

    def signatures(
        self,
        kind: Kind,
        file: BinaryIO,
        *,
        unsigned: BinaryIO | None,
        requirements: SignerRequirements,
        is_walked: bool,
    ) -> tuple[Signature, ...]:
        """Do what `verify_signatures` does, whose arguments and errors these are."""
        digests = [None if one is None else _digest(one) for one in (file, unsigned)]
        if "" in digests:
            return verify_signatures(kind, file, unsigned=unsigned, requirements=requirements, is_walked=is_walked)
        key = (kind, *digests, requirements, is_walked)
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        found = verify_signatures(kind, file, unsigned=unsigned, requirements=requirements, is_walked=is_walked)
        self._found[key] = found
        if len(self._found) > _MAX_FILES:
            self._found.popitem(last=False)
        return found


def _digest(file: BinaryIO) -> str:
    """Return the digest of a file; nothing of one that is too large."""
    if file.seek(0, 2) > _MAX_SIZE:
        return ""
    file.seek(0)
    return hashlib.sha256(file.read(_MAX_SIZE)).hexdigest()
