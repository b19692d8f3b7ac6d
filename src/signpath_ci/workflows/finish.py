"""What describes the files of a run of `sign`: looked for before and after it, and brought up to date where wanted."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from signpath_ci.errors import LocalFileError, VerificationError
from signpath_ci.files import write_atomically
from signpath_ci.model import SignedFileDigests
from signpath_ci.release_metadata.digests import ALGORITHMS, FileDigests
from signpath_ci.release_metadata.remade import detached
from signpath_ci.report import Reporter
from signpath_ci.settings import Described
from signpath_ci.signing.target import check_target, disk_errors
from signpath_ci.workflows.release_files import (
    Directory,
    Finished,
    Pair,
    finish,
    hash_members,
    hash_path,
    list_files,
    signed_file,
)

_log = logging.getLogger(__name__)
_MOST_SHOWN = 20


class Release:
    """The files of one run, from before they are signed until after.

    Args:
        settings: what is wanted.
        unsigned: the files that are going to be signed.
        outputs: the directories that the signed files go to.
        reporter: hears of the signed files' digests.
        archive: a ZIP with more unsigned files, each known by its path in it.
    """

    def __init__(
        self,
        settings: Described,
        unsigned: Sequence[Path],
        outputs: Sequence[Directory],
        reporter: Reporter,
        *,
        archive: Path | None = None,
    ) -> None:
        self._settings, self._reporter = settings, reporter
        # One that was stored as it is, without a ZIP, is the only file.
        members = hash_members(archive) or {archive: hash_path(archive, ALGORITHMS)} if archive else {}
        parents = {path.parent for path in members}
        self._outputs = [*outputs, *(Directory(path=one.path / parent) for one in outputs for parent in parents)]
        self._before: dict[Path, FileDigests] = dict(members)
        self._belonging: set[tuple[str, bytes]] = set()
        self._directories = [*self._outputs, *(Directory(path=path.parent) for path in unsigned)]
        if settings.write_checksums:
            check_target(settings.write_checksums, force=bool(getattr(settings, "force", False)))
        algorithms = {"sha256"}
        if self._is_looked_for:
            listing = list_files(self._directories)
            algorithms |= listing.algorithms
            self._belonging = {(path.name, _sha256(path)) for path in listing.belonging}
        for path in unsigned:
            with contextlib.suppress(LocalFileError):  # the submit fails for it, and says why
                self._before[path] = hash_path(path, algorithms)
        names = [(path.name, found.digests["sha256"]) for path, found in members.items()]
        self._belonging |= {(name, digest) for name, digest in names if detached(name)}

    @property
    def unsigned(self) -> list[Path]:
        """The files whose unsigned form is known."""
        return list(self._before)

    @property
    def _is_looked_for(self) -> bool:
        return self._settings.stale_metadata != "ignore" or self._settings.finish

    def delivered(self, signed: Sequence[tuple[Path, Path]]) -> None:
        """Look at what describes the files, now that they are signed and in place.

        Args:
            signed: each unsigned file, and the signed one.

        Raises:
            VerificationError: something describes unsigned files, and that was not to be.
            LocalFileError: a file can't be read or written.
        """
        pairs = [
            Pair(unsigned=unsigned, signed=path, before=self._before[unsigned])
            for unsigned, path in signed
            if unsigned in self._before and path.is_file()
        ]
        found = [one for pair in pairs if (one := signed_file(pair.signed, pair.before))]
        self._reporter.described(tuple(found))
        if self._settings.write_checksums:
            write_checksums(self._settings.write_checksums, found)
        if self._is_looked_for and pairs:
            listing = list_files(self._directories)
            fresh = [path for path in listing.belonging if (path.name, _sha256(path)) not in self._belonging]
            writable = self._outputs if self._settings.finish else ()
            report(
                finish(pairs, listing, writable=writable, fresh=fresh),
                is_finished=self._settings.finish,
                level=self._settings.stale_metadata,
            )


def report(found: Finished, *, is_finished: bool, level: str) -> None:
    """Log what describes unsigned files, and what was brought up to date.

    Args:
        found: what there is.
        is_finished: whether `found.updated` is up to date now.
        level: of `--stale-metadata`.

    Raises:
        VerificationError: something does, and `level` is `fail`.
    """
    if is_finished:
        for done in found.updated:
            _log.info("Brought up to date: %s (%s).", done.path, done.format)
    stale = found.outdated if is_finished else (*found.updated, *found.outdated)
    if level != "ignore":
        for one in stale[:_MOST_SHOWN]:
            of = ", ".join(sorted({words.of for words in one.stale}))
            remedies = dict.fromkeys(words.remedy for words in one.stale if words.remedy)
            remedy = "; ".join(remedies) or "--finish (finish: true) brings it up to date"
            _log.warning("%s (%s) describes the unsigned %s: %s.", one.path, one.format, of, remedy)
        if len(stale) > _MOST_SHOWN:
            _log.warning("%d more files describe unsigned ones.", len(stale) - _MOST_SHOWN)
        for left in found.left_out[:_MOST_SHOWN]:
            _log.info("Not looked into for digests of unsigned files: %s.", left)
    if level == "fail" and stale:
        names = ", ".join(str(one.path) for one in stale[:3]) + (", ..." if len(stale) > 3 else "")  # noqa: PLR2004
        raise VerificationError(
            f"{names} describe{'s' if len(stale) == 1 else ''} unsigned files; the signed ones are in place.",
            hint="Bring it up to date: the warnings say how (docs/finish.md).",
            code="stale-metadata",
        )


def write_checksums(path: Path, files: Sequence[SignedFileDigests]) -> None:
    """Write a checksum file as `sha256sum` does; names are relative to its directory.

    Raises:
        LocalFileError: it can't be written.
    """
    lines = [checksum_line(one.sha256, os.path.relpath(one.path, path.parent)) for one in files]
    with disk_errors(path):
        write_atomically(path, "".join(f"{line}\n" for line in sorted(lines)).encode("utf-8", "surrogateescape"))


def checksum_line(digest: str, name: str) -> str:
    r"""Return a line of a checksum file; as coreutils do, a name with `\` or a line break is escaped."""
    name = name.replace(os.sep, "/")
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}"


def _sha256(path: Path) -> bytes:
    """Return the digest of a file that belongs to another; nothing where it can't be read, which fails no run."""
    try:
        return hash_path(path, ["sha256"]).digests["sha256"]
    except LocalFileError:
        return b""
