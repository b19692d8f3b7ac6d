"""Which files: names, patterns and directories become a list, always in the same order."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable
from pathlib import Path

from signpath_ci.errors import LocalFileError
from signpath_ci.signing.target import default_target


def is_pattern(path: Path) -> bool:
    """Tell whether a path stands for those that match it: nothing is called so itself."""
    return glob.has_magic(str(path)) and not path.exists()


def directory_of(path: Path) -> Path:
    """Return the directory in which all that a path stands for lies: itself, or above its first pattern or its name."""
    if path.is_dir():
        return path
    if not is_pattern(path):
        return path.parent
    parts = path.parts
    first = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[: min(first, len(parts) - 1)])


def expand_inputs(given: Iterable[Path], *, can_be_signed: Callable[[Path], bool]) -> list[Path]:
    """Return the files that are meant, each once.

    Args:
        given: files; patterns with `*`, `?`, `[...]` and `**`; directories, of which all files are meant, at any depth,
            that can be signed and are not another's signed file.
        can_be_signed: tells by a file's content.

    Raises:
        LocalFileError: there is nothing of what is given.
    """
    found: dict[Path, None] = {}
    for path in given:
        if path.is_dir():
            files = [one for one in sorted(path.rglob("*")) if one.is_file() and not one.name.startswith(".signpath-")]
            signed = {default_target(one) for one in files}
            matches = [one for one in files if one not in signed and can_be_signed(one)]
        elif is_pattern(path):
            matches = [Path(one) for one in sorted(glob.glob(str(path), recursive=True)) if Path(one).is_file()]  # noqa: PTH207 - patterns may be absolute
        else:
            matches = [path]  # whoever reads it says what is wrong with it
        if not matches and path.is_dir():
            raise LocalFileError(
                f"The directory {path} holds no file to sign.",
                hint="Check the step that builds what is in it.",
                code="no-artifact",
            )
        if not matches:
            raise LocalFileError(
                f"{path} does not exist.", hint="Nor is there a file that this pattern matches.", code="file-missing"
            )
        if path.is_dir() or is_pattern(path):
            _refuse_links_elsewhere(matches, directory_of(path))
        found.update(dict.fromkeys(matches))
    return list(found)


def _refuse_links_elsewhere(files: Iterable[Path], directory: Path) -> None:
    """Refuse what nobody has named: a file that lies elsewhere, and that a link brings in.

    Raises:
        LocalFileError: there is one.
    """
    top = directory.resolve()
    for file in files:
        if not file.resolve().is_relative_to(top):
            raise LocalFileError(
                f"{file} lies outside of {directory}: a link leads there.",
                hint="Remove the link, or name the file itself.",
                code="link-leads-elsewhere",
            )
