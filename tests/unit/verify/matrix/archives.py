"""Archives that two readers see differently, of each format that is a ZIP archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

from tests.support.raw_zip import Ending, RawEntry, build, deflate, unicode_path
from tests.unit.verify.matrix.attacks import ARCHIVES, Case, attack
from tests.unit.verify.matrix.formats import Format

NO_ARCHIVE = "no ZIP archive"


def _repacked(
    f: Format, words: str, change: Callable[[RawEntry], RawEntry], *more: RawEntry, ending: Ending | None = None
) -> Case | str:
    """Pack the signed files anew, with their first one changed, and further ones."""
    if f.name not in ARCHIVES:
        return NO_ARCHIVE
    with zipfile.ZipFile(io.BytesIO(f.signed())) as archive:
        entries = [
            RawEntry(name=info.filename.encode(), content=archive.read(info), method=info.compress_type)
            for info in archive.infolist()
        ]
    return Case(build(change(entries[0]), *entries[1:], *more, ending=ending), words)


def _same(entry: RawEntry) -> RawEntry:
    return entry


@attack
def two_directories_in_one_archive(f: Format) -> Case | str:
    return _repacked(
        f, "end record and its ZIP64 record differ", _same, ending=Ending(is_large=True, size=46, offset=1)
    )


@attack
def data_in_front_of_an_archive(f: Format) -> Case | str:
    return _repacked(f, "data in front of its first entry", lambda entry: replace(entry, before=b"PK\3\4 or so"))


@attack
def an_entry_that_the_directory_lacks(f: Format) -> Case | str:
    return _repacked(f, "data between its entries", _same, RawEntry(name=b"hidden", listed=False))


@attack
def data_behind_a_compressed_entry(f: Format) -> Case | str:
    def hide(entry: RawEntry) -> RawEntry:
        return replace(entry, method=8, data=deflate(entry.content) + b"hidden")

    # Signatures of whole packages are checked first.
    words = "" if f.name in {"nuget", "msix"} else "has data behind its compressed content"
    return _repacked(f, words, hide)


@attack
def another_name_by_a_unicode_path(f: Format) -> Case | str:
    return _repacked(
        f, "another name for readers of Unicode paths", lambda e: replace(e, extra=unicode_path(e.name, "other"))
    )


@attack
def another_local_header(f: Format) -> Case | str:
    return _repacked(f, "described in two ways", lambda e: replace(e, local={"name": b"x" * len(e.name)}))


@attack
def names_that_differ_by_case(f: Format) -> Case | str:
    if f.name not in ARCHIVES:
        return NO_ARCHIVE
    return _repacked(f, "two entries that are one", _same, *(RawEntry(name=n) for n in (b"Twin", b"tWIN")))


@attack
def a_link_in_an_archive(f: Format) -> Case | str:
    return _repacked(f, "is a symbolic link", lambda entry: replace(entry, attributes=0o120777 << 16))
