"""Which files: names, patterns and directories become a list, always in the same order, and what is left out is known.

A file that is named is taken whatever it is. A directory or a pattern stands for files that nobody has named one by
one, so each file that is left out has a reason, which the caller reports.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Literal

from signpath_ci.errors import LocalFileError
from signpath_ci.files import is_temporary
from signpath_ci.signing.target import default_target
from signpath_ci.values import dataclass

Reason = Literal["excluded", "hidden", "receipt", "rejected", "signed-file", "format", "unverifiable"]

Use = Literal["take", "format", "unverifiable", "refuse"]
"""What becomes of a file in a directory, by its content: it is taken; it is left out, since its format is not signed,
or may be signed but can't be verified; or neither is possible: it must be signed, but can't be verified."""

REASONS: dict[Reason, str] = {
    "excluded": "excluded by a pattern",
    "hidden": "hidden",
    "receipt": "a receipt",
    "rejected": "rejected by an earlier run",
    "signed-file": "the signed file of an earlier run",
    "format": "of a format that is not signed",
    "unverifiable": "of a format that can be signed but not be verified here",
}

_RECEIPT = ".receipt.json"
_REJECTED = ".rejected"


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A file that a directory or a pattern could stand for, but does not."""

    path: Path
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What names, patterns and directories stand for.

    Attributes:
        files: each once.
        left_out: the files that are not among them, with the reason.
        refused: the files that can neither be taken nor be left out in silence.
        unused: patterns of `exclude` that excluded no file.
    """

    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()
    refused: tuple[Path, ...] = ()
    unused: tuple[str, ...] = ()


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


def expand_inputs(
    given: Iterable[Path],
    *,
    use_of: Callable[[Path], Use] = lambda _: "take",
    exclude: Sequence[str] = (),
    leave_signed_files: bool = True,
) -> Inputs:
    """Return the files that are meant, each once, and those that are left out.

    Args:
        given: files; patterns with `*`, `?`, `[...]` and `**`; directories, of which all files are meant, at any depth,
            that are signed by their format. Neither directories nor patterns stand for hidden files, receipts, rejected
            files and the signed files of others; but a pattern that names hidden files (`.tools/*`) stands for them.
        use_of: tells by a file's content whether a directory stands for it.
        exclude: patterns of files that no directory and no pattern stands for: of the path below the directory, of the
            path as a whole, or of the name.
        leave_signed_files: leave out the signed files of others.

    Raises:
        LocalFileError: there is nothing of what is given, or a link leads elsewhere.
    """
    found: dict[Path, None] = {}
    left_out: dict[Path, Reason] = {}
    refused: dict[Path, None] = {}
    used: set[str] = set()
    for path in given:
        if not path.is_dir() and not is_pattern(path):
            found[path] = None  # whoever reads it says what is wrong with it
            continue
        files, top = list(_matches(path)), directory_of(path)
        signed = {default_target(one) for one in files} if leave_signed_files else set()
        taken: list[Path] = []
        for file in files:
            reason = _reason(file, top, signed, exclude, used)
            use = reason or (use_of(file) if path.is_dir() else "take")
            if use == "take":
                taken.append(file)
            elif use == "refuse":
                refused[file] = None
            else:
                left_out[file] = use
        _refuse_links_elsewhere((*taken, *refused), top)
        found.update(dict.fromkeys(taken))
        if not (taken or any(file in refused for file in files)):
            raise _nothing(path, [left_out[file] for file in files if file in left_out])
    return Inputs(
        files=tuple(found),
        left_out=tuple(LeftOut(path=path, reason=reason) for path, reason in left_out.items() if path not in found),
        refused=tuple(path for path in refused if path not in found),
        unused=tuple(pattern for pattern in exclude if pattern not in used),
    )


def _matches(path: Path) -> Iterator[Path]:
    """Yield the files of a directory, or those that match a pattern, without our own temporary ones."""
    if path.is_dir():
        matches = sorted(path.rglob("*"))
    else:
        matches = [Path(one) for one in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 - may be absolute
    return (one for one in matches if one.is_file() and not is_temporary(one))


def _reason(file: Path, top: Path, signed: set[Path], exclude: Sequence[str], used: set[str]) -> Reason | None:
    below = file.relative_to(top) if file.is_relative_to(top) else PurePath(file.name)
    spellings = {below.as_posix(), file.as_posix(), file.name}
    matching = [pattern for pattern in exclude if any(fnmatchcase(one, pattern) for one in spellings)]
    if matching:
        used.update(matching)
        return "excluded"
    if any(part.startswith(".") for part in below.parts):
        return "hidden"
    name = file.name.lower()
    if name.endswith(_RECEIPT):
        return "receipt"
    if name.endswith(_REJECTED):
        return "rejected"
    return "signed-file" if file in signed else None


def _nothing(path: Path, reasons: Sequence[Reason]) -> LocalFileError:
    counts = ", ".join(f"{reasons.count(reason)} {REASONS[reason]}" for reason in REASONS if reason in reasons)
    left_out = f" Left out: {counts}." if counts else ""
    if path.is_dir():
        return LocalFileError(
            f"The directory {path} holds no file to sign.{left_out}",
            hint="Check the step that builds what is in it.",
            code="no-artifact",
        )
    if counts:
        return LocalFileError(
            f"{path} matches no file to sign.{left_out}", hint="Check the pattern and --exclude.", code="no-artifact"
        )
    return LocalFileError(
        f"{path} does not exist.", hint="Nor is there a file that this pattern matches.", code="file-missing"
    )


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
