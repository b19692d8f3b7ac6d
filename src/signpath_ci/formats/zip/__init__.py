"""ZIP archives, read on a strict profile: what two readers could understand differently is refused.

The only reader of ZIP archives in this program. Verification, extraction, bundles, JARs and packages use it, so that
what was verified is what is delivered. Source: PKWARE, APPNOTE.TXT 6.3.10, whose sections the modules cite.

- `open_archive`: opens an archive and checks its structure; gives an `Archive` with its `Entry` objects.
- `check_archive`: reads all of an archive, and of those in it.
- `ArchiveWriter`: the only writer; copies entries byte for byte.
- `Budget`: what an archive, with those inside it, may use.

The profile, checked when an archive is opened:

1. `ending`: the end record and the ZIP64 records agree, and nothing stands behind them (`zip-end-*`, `zip-zip64-*`).
2. `directory`: the directory ends where the end record begins, and its records fill it (`zip-directory-*`).
3. `names`: names are the same for every reader and on every system, and there are no two of one (`zip-name-*`).
4. `entry`: entries are files and directories, neither encrypted nor links (`zip-entry-*`).
5. `places`: each local header says what the directory says, and the entries fill the file from its first byte to the
   directory (`zip-local-header`, `zip-gap`, `zip-overlap`, `zip-descriptor`).

And when an entry is read (`stream`):

6. the data ends exactly where its stated size ends, unpacks to its stated size, and has its checksum (`zip-data-*`).

Bounds: `MAX_ENTRIES` and `MAX_DIRECTORY_SIZE` of one archive, `MAX_NAME_SIZE` and `MAX_DEPTH` of a name, and a `Budget`
for an archive with all archives in it. Time and memory are linear in the size of the directory, then time in that of
the data; the data of an entry is never in memory as a whole.
"""

from __future__ import annotations

from signpath_ci.formats.zip.archive import Archive, Budget, check_archive, open_archive
from signpath_ci.formats.zip.directory import MAX_DIRECTORY_SIZE, MAX_ENTRIES
from signpath_ci.formats.zip.entry import DEFLATED, STORED, Entry
from signpath_ci.formats.zip.names import MAX_DEPTH, MAX_NAME_SIZE, Names, is_reserved
from signpath_ci.formats.zip.write import ArchiveWriter

__all__ = [
    "DEFLATED",
    "MAX_DEPTH",
    "MAX_DIRECTORY_SIZE",
    "MAX_ENTRIES",
    "MAX_NAME_SIZE",
    "STORED",
    "Archive",
    "ArchiveWriter",
    "Budget",
    "Entry",
    "Names",
    "check_archive",
    "is_reserved",
    "open_archive",
]
