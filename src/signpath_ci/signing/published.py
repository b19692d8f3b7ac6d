"""What a build has published as an artifact of the CI system, where it is at hand: to compare with what comes back.

A connector delivers the artifact as its CI system packs it; this packs the same files, so that both can be compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePath, PurePosixPath

from signpath_ci.errors import LocalFileError, UsageError
from signpath_ci.files import is_temporary
from signpath_ci.formats import FormatError
from signpath_ci.formats.presence import lacks_signature
from signpath_ci.formats.registry import detect
from signpath_ci.formats.zip import open_archive
from signpath_ci.signing.bundle import write_bundle
from signpath_ci.signing.target import disk_errors
from signpath_ci.values import dataclass

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Published:
    """The files of an artifact.

    Attributes:
        path: a file, or the directory that was published: all files below it.
        folder: in which the CI system packs them; `None`: in none.
        is_packed: the CI system may pack the files into a ZIP, which `packs` finds out; else it never does.
        has_hidden: the artifact holds hidden files, too; actions/upload-artifact leaves them out by default.
        exclude: patterns of the names of hidden files that need not be signed.
    """

    path: Path
    folder: str | None = None
    is_packed: bool = True
    has_hidden: bool = True
    exclude: tuple[str, ...] = ()

    def check(self) -> None:
        """Find out before anything is submitted whether there is something to compare with.

        Raises:
            LocalFileError: there is not.
            UsageError: files that are ordinarily signed are not in the artifact.
        """
        hint = "Check --unsigned (SIGNPATH_UNSIGNED)."
        if not self.path.exists():
            raise LocalFileError(f"{self.path} does not exist.", hint=hint, code="file-missing")
        if self.path.is_dir() and not (self.is_packed and self.members()):
            raise LocalFileError(f"{self.path} is no file, and holds none.", hint=hint, code="not-a-file")
        if not self.has_hidden and self.path.is_dir():
            self._check_hidden()

    def _check_hidden(self) -> None:
        unsigned = []
        for path in sorted(self.path.rglob("*")):
            name = path.relative_to(self.path)
            if _is_hidden(name) and ".git" not in name.parts and path.is_file():
                with disk_errors(path), path.open("rb") as file:
                    if lacks_signature(file, path.name):
                        unsigned.append(path)
        unsigned = [path for path in unsigned if not any(fnmatchcase(path.name, one) for one in self.exclude)]
        if unsigned:
            shown = ", ".join(map(str, unsigned[:_SHOWN])) + (" and more" if len(unsigned) > _SHOWN else "")
            raise UsageError(
                f"Hidden files are not in the artifact, so these would stay unsigned: {shown}.",
                hint="Set include-hidden-files (SIGNPATH_INCLUDE_HIDDEN_FILES), also of actions/upload-artifact, or "
                "name them with exclude (SIGNPATH_EXCLUDE).",
                code="hidden-files-left-out",
            )

    def size(self) -> int:
        """Return the bytes of all its files.

        Raises:
            LocalFileError: one is gone.
        """
        with disk_errors(self.path):
            return sum(path.stat().st_size for path in self.members().values())

    def packs(self, delivered: Path) -> bool:
        """Tell whether what came back is a ZIP with the files, or else the one file as it is (`archive: false`).

        Raises:
            LocalFileError: it can't be read.
        """
        single = self.single
        if single is None or not self.is_packed:
            return self.is_packed
        with disk_errors(delivered), delivered.open("rb") as file, single.open("rb") as submitted:
            if detect(file, is_end_read=False) != "zip":
                return False
            if detect(submitted, is_end_read=False) != "zip":
                return True
            try:
                with open_archive(file) as archive:
                    names = {PurePosixPath(entry.name) for entry in archive.entries}
            except FormatError:
                return True  # whoever opens it says what is wrong with it
        return not names.isdisjoint(self.members())

    @property
    def single(self) -> Path | None:
        """The file, where the artifact is just one."""
        members = self.members()
        return next(iter(members.values())) if len(members) == 1 else None

    @contextmanager
    def as_file(self, delivered: Path) -> Iterator[Path]:
        """Give the artifact as a file like the one that came back, until the end.

        Raises:
            LocalFileError: a file can't be read, or the artifact not be packed.
        """
        if not self.packs(delivered):
            yield self.single or self.path
            return
        with ExitStack() as stack:
            with disk_errors(Path(tempfile.gettempdir())):
                scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="signpath-"))
            packed = Path(scratch) / "unsigned.zip"
            write_bundle(self.members(), packed, may_be_empty=True)
            yield packed

    def members(self) -> dict[PurePosixPath, Path]:
        """Return its files by their paths in the artifact."""
        top = PurePosixPath(self.folder or "")
        if not self.path.is_dir():
            return {top / self.path.name: self.path}
        files = {path.relative_to(self.path): path for path in sorted(self.path.rglob("*")) if path.is_file()}
        return {
            top / name.as_posix(): path
            for name, path in files.items()
            if (self.has_hidden or not _is_hidden(name)) and not is_temporary(name)
        }


def _is_hidden(name: PurePath) -> bool:
    return any(part.startswith(".") for part in name.parts)
