"""Programs without a signature of their own that a catalog of the same delivery covers: they count as signed.

Windows looks for the Authenticode hash of a file, or for the digest of all its bytes, in the catalogs that it knows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from signpath_ci.formats import FormatError
from signpath_ci.formats.catalog import covered, read_catalog
from signpath_ci.formats.registry import implementation
from signpath_ci.model import FileOutcome, Verdict
from signpath_ci.values import replace
from signpath_ci.verify.place import Place
from signpath_ci.verify.single import Pair

_ALGORITHM = "sha256"


class CatalogCover:
    """Collects what verified catalogs cover, and the programs that may be covered."""

    def __init__(self) -> None:
        self._covered: dict[bytes, tuple[str, tuple[Verdict, ...]]] = {}
        self._programs: dict[str | None, tuple[bytes, ...]] = {}

    def look_at(self, pair: Pair, place: Place, found: FileOutcome) -> None:
        """Look at a file whose outcome was found: a verified catalog, or a program that is not signed.

        A catalog says which files are good, and not which of them lies where: a program that is not the submitted one
        in this place is covered by none.
        """
        file = pair.file
        if found.format == "catalog" and found.outcome == "signed":
            for digest in covered(read_catalog(file).content or b""):
                self._covered[digest] = (place.member or place.name, found.verdicts)
        elif found.format == "pe" and found.code == "not-signed" and (pair.submitted is None or pair.is_unchanged):
            self._programs[found.member] = tuple(_digests(file))

    def applied(self, files: Iterable[FileOutcome]) -> list[FileOutcome]:
        """Return the outcomes of a whole delivery, with the programs signed that a catalog covers."""
        return [self._with_cover(one) for one in list(files)]

    def _with_cover(self, found: FileOutcome) -> FileOutcome:
        for digest in self._programs.get(found.member, ()):
            if digest in self._covered and found.code == "not-signed":
                catalog, verdicts = self._covered[digest]
                of_file = tuple(replace(verdict, member=found.member, format="pe") for verdict in verdicts)
                return FileOutcome(
                    path=found.path,
                    member=found.member,
                    format=found.format,
                    outcome="signed",
                    verdicts=of_file,
                    note=f"by the catalog {catalog}",
                )
        return found


def _digests(file: BinaryIO) -> Iterator[bytes]:
    try:
        yield implementation("pe").read_subject(file).digest(_ALGORITHM)
    except FormatError:
        return
    file.seek(0)
    digest = hashlib.new(_ALGORITHM)
    while data := file.read(1 << 20):
        digest.update(data)
    yield digest.digest()
