"""What a build has published as an artifact of the CI system, where it is at hand: to compare with what comes back.

A connector delivers the artifact as its CI system packs it; this packs the same files, so that both can be compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from signpath_ci.errors import LocalFileError
from signpath_ci.signing.bundle import write_bundle
from signpath_ci.signing.target import disk_errors
from signpath_ci.values import dataclass


@dataclass(frozen=True, kw_only=True)
class Published:
    """The files of an artifact.

    Attributes:
        path: a file, or the directory that was published: all files below it but hidden ones, which
            actions/upload-artifact leaves out.
        folder: in which the CI system packs them; `None`: in none.
        is_packed: the artifact is a ZIP; else it is the file as it is.
    """

    path: Path
    folder: str | None = None
    is_packed: bool = True

    def check(self) -> None:
        """Find out before anything is submitted whether there is something to compare with.

        Raises:
            LocalFileError: there is not.
        """
        hint = "Check --unsigned (SIGNPATH_UNSIGNED)."
        if not self.path.exists():
            raise LocalFileError(f"{self.path} does not exist.", hint=hint, code="file-missing")
        if self.path.is_dir() and not (self.is_packed and self._members()):
            raise LocalFileError(f"{self.path} is no file, and holds none.", hint=hint, code="not-a-file")

    def size(self) -> int:
        """Return the bytes of all its files.

        Raises:
            LocalFileError: one is gone.
        """
        with disk_errors(self.path):
            return sum(path.stat().st_size for path in self._members().values())

    @contextmanager
    def as_file(self) -> Iterator[Path]:
        """Give the artifact as a file, until the end.

        Raises:
            LocalFileError: a file can't be read, or the artifact not be packed.
        """
        if not self.is_packed:
            yield self.path
            return
        with ExitStack() as stack:
            with disk_errors(Path(tempfile.gettempdir())):
                scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="signpath-"))
            packed = Path(scratch) / "unsigned.zip"
            write_bundle(self._members(), packed, may_be_empty=True)
            yield packed

    def _members(self) -> dict[PurePosixPath, Path]:
        top = PurePosixPath(self.folder or "")
        if not self.path.is_dir():
            return {top / self.path.name: self.path}
        files = {path.relative_to(self.path): path for path in sorted(self.path.rglob("*")) if path.is_file()}
        return {
            top / name.as_posix(): path
            for name, path in files.items()
            if not any(part.startswith(".") for part in name.parts)
        }
